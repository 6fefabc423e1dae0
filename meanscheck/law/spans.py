"""How is reckoned with bounds in columns? The arithmetic of `ranges`, on pairs of quotients.

A bound that is null is none, as in `ranges` None is. What a choice between bounds needs (signs, which is less) is known
only row by row, so it becomes an expression; where a figure of the law has the sign, it is known beforehand and the
expression stays short. Either of two chosen quotients keeps its own denominator, so nothing grows by choosing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from meanscheck.law.columns import Column, lit, when
from meanscheck.law.fitting import fitting_joint, fitting_product, fitting_quotient, fitting_rounded, fitting_sum
from meanscheck.law.quotients import (
    WIDE,
    Quotient,
    common,
    compared,
    literal,
    nothing,
    whole,
    wide,
)
from meanscheck.law.ranges import Range
from meanscheck.law.types import NUMBER, Type

NOTHING = nothing(NUMBER)


@dataclass(frozen=True, slots=True)
class Span:
    """The least and the greatest value. `sign` is 1 or -1 where no value is negative, or positive, in any row."""

    low: Quotient
    high: Quotient
    sign: int = 0


ANYTHING = Span(NOTHING, NOTHING)


def constant(range_: Range, t: Type) -> Span:
    """A range that is the same in every row."""
    low, high = range_
    sign = 1 if low is not None and low >= 0 else -1 if high is not None and high <= 0 else 0
    return Span(literal(low, t), literal(high, t), sign)


def at_least(q: Quotient, number: int = 0, *, strictly: bool = False) -> Column:
    """Whether a bound is there and not below a whole number; the denominator is positive."""
    limit = whole(number) if q.d is None else q.d * number
    return lit(False) if q.absent else compared(">" if strictly else ">=", q.n, limit).fill_null(False)


def at_most(q: Quotient, number: int = 0, *, strictly: bool = False) -> Column:
    """Whether a bound is there and not above a whole number."""
    limit = whole(number) if q.d is None else q.d * number
    return lit(False) if q.absent else compared("<" if strictly else "<=", q.n, limit).fill_null(False)


def chosen(condition: Column, a: Quotient, b: Quotient) -> Quotient:
    """a where the condition is true, else b."""
    if a.absent and b.absent:
        return NOTHING
    n = when(condition).then(a.n).otherwise(b.n)
    top = max(a.top, b.top)
    if a.absent or b.absent or a.d is b.d:
        known = b if a.absent else a
        return Quotient(n, known.d, top, known.below)
    x, y = (whole(1) if q.d is None else q.d for q in (a, b))
    return Quotient(n, when(condition).then(x).otherwise(y), top, max(a.below, b.below))


def only(condition: Column, q: Quotient) -> Quotient:
    """q where the condition is true, else no bound."""
    return NOTHING if q.absent else Quotient(when(condition).then(q.n), q.d, q.top, q.below)


def negative(a: Span) -> Span:
    """-a."""
    return Span(_negative(a.high), _negative(a.low), -a.sign)


def _negative(q: Quotient) -> Quotient:
    return NOTHING if q.absent else Quotient(0 - q.n, q.d, q.top, q.below)


def plus(a: Span, b: Span) -> Span:
    """a + b."""
    return Span(_added(a.low, b.low), _added(a.high, b.high), a.sign if a.sign == b.sign else 0)


def minus(a: Span, b: Span) -> Span:
    """a - b."""
    return plus(a, negative(b))


def _added(a: Quotient, b: Quotient) -> Quotient:
    if a.absent or b.absent:
        return NOTHING
    return fitting_sum(a, b)


def times(a: Span, b: Span) -> Span:
    """a * b, where the sign of one of them is known; no bounds otherwise."""
    if a.sign and not b.sign:
        a, b = b, a
    if b.sign < 0:
        return negative(times(a, negative(b)))
    if b.sign > 0:
        return _times(a, b)
    has_sign = [at_least(s.low) | at_most(s.high) for s in (a, b)]
    one, other = _by_sign(a, b), _by_sign(b, a)
    known = has_sign[0] | has_sign[1]
    low, high = (chosen(has_sign[1], x, y) for x, y in ((one.low, other.low), (one.high, other.high)))
    return Span(only(known, low), only(known, high))


def _by_sign(a: Span, b: Span) -> Span:
    """a * b, where b has a sign; of no use elsewhere."""
    flip = ~at_least(b.low)
    found = _times(a, _chosen(flip, negative(b), b))
    return _chosen(flip, negative(found), found)


def _chosen(condition: Column, a: Span, b: Span) -> Span:
    return Span(chosen(condition, a.low, b.low), chosen(condition, a.high, b.high))


def _times(a: Span, b: Span) -> Span:
    """a * b, where b is not negative."""
    low = _product(a.low, b.low if a.sign > 0 else chosen(at_least(a.low), b.low, b.high))
    high = _product(a.high, b.high if a.sign > 0 else chosen(at_least(a.high), b.high, b.low))
    return Span(low, high, a.sign)


def _product(a: Quotient, b: Quotient) -> Quotient:
    if a.absent or b.absent:
        return NOTHING
    return fitting_quotient(fitting_product(a.above, b.above), fitting_joint(a.denominator, b.denominator))


def divided(a: Span, b: Span) -> Span:
    """a / b; no bounds where b may be zero."""
    if b.sign < 0:
        return divided(negative(a), negative(b))
    if b.sign == 0:
        flip = at_most(b.high, strictly=True)
        a, b = _chosen(flip, negative(a), a), _chosen(flip, negative(b), b)
    known = at_least(b.low, strictly=True)
    up, down = at_least(a.low), at_least(a.high)
    low, high = (
        _quotient(x, chosen(c, y, z)) for x, c, y, z in ((a.low, up, b.high, b.low), (a.high, down, b.low, b.high))
    )
    # Where no bound of b is endlessly far the quotient comes near nothing.
    zero, far = Quotient(whole(0)), _is_missing(b.high)
    low, high = chosen(up & far, zero, low), chosen(~down & _is_there(a.high) & far, zero, high)
    return Span(only(known, low), only(known, high), a.sign if b.sign > 0 else 0)


def _is_there(q: Quotient) -> Column:
    return lit(False) if q.absent else q.n.is_not_null()


def _is_missing(q: Quotient) -> Column:
    return ~_is_there(q)


def _quotient(a: Quotient, b: Quotient) -> Quotient:
    """a / b, where b is positive."""
    if a.absent or b.absent:
        return NOTHING
    return fitting_quotient(fitting_product(a.above, b.denominator), fitting_product(b.above, a.denominator))


def is_bounded(a: Span) -> Column:
    """Whether there is a bound, and so a value."""
    return _is_there(a.low) | _is_there(a.high)


def least(spans: Sequence[Span]) -> Span:
    """The least of some that all exist."""
    sign = 1 if all(s.sign > 0 for s in spans) else -1 if any(s.sign < 0 for s in spans) else 0
    return Span(reduce(_smaller, [s.low for s in spans]), reduce(_smaller_known, [s.high for s in spans]), sign)


def greatest(spans: Sequence[Span]) -> Span:
    """The greatest of some that all exist."""
    return negative(least([negative(s) for s in spans]))


def hull(a: Span, b: Span) -> Span:
    """One of both, and it is not known which."""
    high = _negative(_smaller(_negative(a.high), _negative(b.high)))
    return Span(_smaller(a.low, b.low), high, a.sign if a.sign == b.sign else 0)


def _smaller(a: Quotient, b: Quotient) -> Quotient:
    """The smaller of two; none where one is none."""
    if a.absent or b.absent:
        return NOTHING
    return only(a.n.is_not_null() & b.n.is_not_null(), chosen(_less(a, b, "<=").fill_null(False), a, b))


def _smaller_known(a: Quotient, b: Quotient) -> Quotient:
    """The smaller of those that are there."""
    if a.absent or b.absent:
        return b if a.absent else a
    first = _less(a, b, "<=").fill_null(False) | b.n.is_null()
    return chosen(first, a, b)


def _less(a: Quotient, b: Quotient, op: str) -> Column:
    """A comparison; by whole parts and remainders where cross-multiplication might not fit.

    Bounds may be large where the value is unknown, and a case that nobody can decide should not stop the others.
    """
    if a.d is b.d or a.top * b.below + b.top * a.below < WIDE:
        (left, right), _ = common([a, b])
        return compared(op, left.e, right.e)
    wholes, rests = [], []
    for q in (a, b):
        n, d = wide(q.n), whole(1) if q.d is None else wide(q.d)
        wholes.append(n // d)
        rests.append(Quotient(n - (n // d) * d, d, q.below, q.below))
    (left, right), _ = common(rests)
    same = wholes[0] == wholes[1]
    if op == "==":
        return same & (left.e == right.e)
    return compared(op.rstrip("="), *wholes) | (same & compared(op, left.e, right.e))


def below(a: Span, b: Span, *, or_equal: bool = False) -> Column:
    """a < b, or a <= b: true or false where all values agree, else null."""
    yes = _surely(a.high, b.low, "<=" if or_equal else "<")
    no = _surely(a.low, b.high, ">" if or_equal else ">=")
    return when(yes).then(True).when(no).then(False).otherwise(None)


def _surely(a: Quotient, b: Quotient, op: str) -> Column:
    return lit(False) if a.absent or b.absent else _less(a, b, op).fill_null(False)


def equal(a: Span, b: Span) -> Column:
    """a == b: true or false where all values agree, else null."""
    one = _surely(a.low, a.high, "==") & _surely(b.low, b.high, "==")
    apart = _surely(a.high, b.low, "<") | _surely(b.high, a.low, "<")
    return when(apart).then(False).when(one & _surely(a.low, b.low, "==")).then(True).otherwise(None)


def point(a: Span) -> Quotient:
    """The one value that is left, null if there are others."""
    return NOTHING if a.low.absent or a.high.absent else only(_surely(a.low, a.high, "=="), a.low)


def rounded_span(a: Span, unit: str, mode: str) -> Span:
    """Both bounds rounded: no rounding turns the order of two numbers."""
    low, high = (NOTHING if q.absent else fitting_rounded(q, unit, mode) for q in (a.low, a.high))
    return Span(low, high, a.sign)
