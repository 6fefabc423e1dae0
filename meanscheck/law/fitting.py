"""How does a bound grow without end and stop nobody? Arithmetic of `quotients` that loses a bound instead of refusing.

A value that does not fit Int128 stops the run, since it may be anybody's; a bound that does not fit is none, in its own
row only, since a case that nobody can decide should not stop the others. What fits is told by the numbers of the row
and never by those of its neighbours, so that blocks of every size say the same.
"""

from __future__ import annotations

from meanscheck.law.columns import when
from meanscheck.law.quotients import WIDE, Part, Quotient, over, product, rounded, total, whole, wide
from meanscheck.law.ranges import MOST

_LARGEST = WIDE - 1


def fitting_product(a: Part, b: Part | None) -> Part:
    """a * b, null where that would not fit."""
    if b is None or a.top * b.top < WIDE:
        return product(a, b)
    x, y = wide(a.e), wide(b.e)
    size = when(y == 0).then(whole(1)).otherwise(y.abs())
    return Part(when(x.abs() <= whole(_LARGEST) // size).then(x * y), _LARGEST)


def fitting_total(a: Part, b: Part) -> Part:
    """a + b, null where that would not fit."""
    if a.top + b.top < WIDE:
        return total(a, b)
    found = wide(a.e) + wide(b.e)
    return Part(when(found.abs() <= whole(_LARGEST)).then(found), _LARGEST)


def fitting_quotient(a: Part, b: Part | None) -> Quotient:
    """a / b; null where the denominator was lost."""
    if b is not None and b.top >= _LARGEST:
        a = Part(when(b.e.is_not_null()).then(a.e), a.top)
    return over(a, b)


def fitting_joint(a: Part | None, b: Part | None) -> Part | None:
    """a * b, where None is 1; null where that would not fit."""
    return b if a is None else fitting_product(a, b)


def fitting_sum(a: Quotient, b: Quotient) -> Quotient:
    """a + b over one denominator."""
    if a.d is b.d:
        return fitting_quotient(fitting_total(a.above, b.above), a.denominator)
    x, y = fitting_product(a.above, b.denominator), fitting_product(b.above, a.denominator)
    return fitting_quotient(fitting_total(x, y), fitting_joint(a.denominator, b.denominator))


def fitting_rounded(q: Quotient, unit: str, mode: str) -> Quotient:
    """A bound to a multiple of the unit; null beyond `MOST`."""
    return rounded(within_most(q), unit, mode)


def within_most(q: Quotient) -> Quotient:
    """A bound where it is not beyond `MOST`."""
    if q.top <= MOST:
        return q
    # Up to the next whole number, since `MOST` is one.
    size = wide(q.n).abs() if q.d is None else (wide(q.n).abs() + wide(q.d) - 1) // wide(q.d)
    return Quotient(when(size <= whole(MOST)).then(q.n), q.d, min(q.top, MOST * q.below), q.below)
