"""How is reckoned with numbers of which only bounds are known? Exact interval arithmetic, whole numbers and fractions.

A range is ``(low, high)``; None is "no bound on that side". A range with at least one bound is a promise that the value
exists in every case that may come; of ``(None, None)`` not even that is known (it may be a division by zero, or the
lowest of nothing). So whatever might not exist must be handed on as `ANY`, and no operation here may draw a bound from
it.

>>> plus((3, 3), (0, None)), times((2, 5), (-1, 4)), divided((6, None), (2, 3)), below((1, 4), (5, None))
((3, None), (-5, 20), (Fraction(2, 1), None), True)
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

from meanscheck.law.kleene import Truth

Number: TypeAlias = int | Fraction
Bound: TypeAlias = Number | None
Range: TypeAlias = tuple[Bound, Bound]

ANY: Range = (None, None)
MOST = 10**17
"""No variable may be further from zero; so every block and every machine refuses the same, and sums of a few stay
within Int64. A bound beyond it is none: a case that nobody can decide should not stop the others."""


def point(range_: Range) -> Number | None:
    """The one value that is left, None if there are others."""
    low, high = range_
    return low if low is not None and low == high else None


def kept(range_: Range, *, most: int = MOST) -> Range:
    """The range as it is kept of a variable, a row or an aggregate: without bounds beyond `most`.

    >>> kept((0, MOST + 1)), kept((-MOST, MOST))
    ((0, None), (-100000000000000000, 100000000000000000))
    """
    low, high = range_
    return (
        low if low is not None and -most <= low <= most else None,
        high if high is not None and -most <= high <= most else None,
    )


def is_bounded(range_: Range) -> bool:
    """Whether there is a bound, and so a value."""
    return range_ != ANY


def plus(a: Range, b: Range) -> Range:
    """a + b."""
    return _added(a[0], b[0]), _added(a[1], b[1])


def minus(a: Range, b: Range) -> Range:
    """a - b."""
    return plus(a, negative(b))


def negative(a: Range) -> Range:
    """-a."""
    low, high = a
    return None if high is None else -high, None if low is None else -low


def times(a: Range, b: Range) -> Range:
    """a * b, where the sign of one of them is known; `ANY` otherwise, which no real rule has asked for."""
    if not _has_sign(b):
        return times(b, a) if _has_sign(a) else ANY
    if b[0] is None or b[0] < 0:
        return negative(times(a, negative(b)))
    low, high = a
    return (
        _multiplied(low, b[0] if low is not None and low >= 0 else b[1]),
        _multiplied(high, b[1] if high is not None and high >= 0 else b[0]),
    )


def divided(a: Range, b: Range) -> Range:
    """a / b; `ANY` where b may be zero."""
    low, high = b
    if high is not None and high < 0:
        return divided(negative(a), negative(b))
    if low is None or low <= 0:
        return ANY
    return (
        _quotient(a[0], high if a[0] is not None and a[0] >= 0 else low),
        _quotient(a[1], low if a[1] is not None and a[1] >= 0 else high),
    )


def least(ranges: Sequence[Range]) -> Range:
    """The least of some that all exist."""
    lows, highs = [r[0] for r in ranges], [r[1] for r in ranges if r[1] is not None]
    known = [low for low in lows if low is not None]
    return min(known) if len(known) == len(lows) else None, min(highs, default=None)


def greatest(ranges: Sequence[Range]) -> Range:
    """The greatest of some that all exist."""
    return negative(least([negative(r) for r in ranges]))


def hull(ranges: Sequence[Range]) -> Range:
    """One of them, and it is not known which."""
    lows = [r[0] for r in ranges if r[0] is not None]
    highs = [r[1] for r in ranges if r[1] is not None]
    return (
        min(lows) if len(lows) == len(ranges) else None,
        max(highs) if len(highs) == len(ranges) else None,
    )


def perhaps(a: Range) -> Range:
    """a, or nothing: what a row adds that may count."""
    return hull([a, (0, 0)])


def below(a: Range, b: Range, *, or_equal: bool = False) -> Truth:
    """a < b, or a <= b: true or false where all values agree."""
    if a[1] is not None and b[0] is not None and (a[1] < b[0] or (or_equal and a[1] == b[0])):
        return True
    if a[0] is not None and b[1] is not None and (a[0] > b[1] or (not or_equal and a[0] == b[1])):
        return False
    return None


def equal(a: Range, b: Range) -> Truth:
    """a == b: true or false where all values agree."""
    x, y = point(a), point(b)
    if x is not None and x == y:
        return True
    apart = below(a, b) is True or below(b, a) is True
    return False if apart else None


def _has_sign(a: Range) -> bool:
    return (a[0] is not None and a[0] >= 0) or (a[1] is not None and a[1] <= 0)


def _added(a: Bound, b: Bound) -> Bound:
    return None if a is None or b is None else a + b


def _multiplied(a: Bound, b: Bound) -> Bound:
    return None if a is None or b is None else a * b


def _quotient(a: Bound, b: Bound) -> Bound:
    """a / b, where no bound of b is endlessly far: the quotient then comes near nothing."""
    if a is None:
        return None
    return Fraction(0) if b is None else Fraction(a) / Fraction(b)
