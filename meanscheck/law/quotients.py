"""How are exact quotients reckoned in columns of whole numbers?

A number is a numerator and a denominator (`Quotient`), each with the largest size it can have in this block. Where a
product or sum fits Int64 it is taken there, else in Int128; where even that may not hold it, the formula is refused,
since Polars would wrap silently. Null is unknown.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce

import polars as pl

from meanscheck.errors import InternalError
from meanscheck.law.columns import Column, lit
from meanscheck.law.figures import Scalar
from meanscheck.law.types import MICRO, Type
from meanscheck.values.rounding import UNIT_FEN

NARROW = 2**62
"""Below this a number is reckoned in Int64."""
WIDE = 2**126
"""At or above this a number does not fit Int128 with room for a sign and one doubling."""
NULL_TYPES: dict[str, pl.DataType] = {"num": pl.Int64(), "bool": pl.Boolean(), "date": pl.Date(), "text": pl.String()}


@dataclass(frozen=True, slots=True)
class Part:
    """A whole number and the largest absolute value it can have."""

    e: Column
    top: int = field(repr=False)
    """May be the greatest amount of somebody, so it is not shown."""


@dataclass(frozen=True, slots=True)
class Quotient:
    """A value as numerator over denominator; no denominator (and no sizes) for what is not a number.

    `d` is positive, or null where the value is unknown. `absent` says that it is unknown for all, so no column is
    needed.
    """

    n: Column
    d: Column | None = None
    top: int = field(default=0, repr=False)
    below: int = field(default=1, repr=False)
    absent: bool = False

    @property
    def above(self) -> Part:
        """The numerator with its size."""
        return Part(self.n, self.top)

    @property
    def denominator(self) -> Part | None:
        """The denominator with its size; None where it is 1."""
        return None if self.d is None else Part(self.d, self.below)


def whole(number: int) -> Column:
    """A literal Int64, or Int128 if it needs to be."""
    return lit(number, dtype=pl.Int64 if abs(number) < NARROW else pl.Int128)


MILLION = Part(whole(MICRO), MICRO)
"""The denominator of a ratio held in millionths; one object, so that equal denominators are seen to be equal."""


def wide(e: Column) -> Column:
    """As Int128, for products."""
    return e.cast(pl.Int128)


def _sized(top: int) -> int:
    if top >= WIDE:
        raise InternalError("a formula needs numbers too large to be reckoned exactly; round a part of it first")
    return top


def product(a: Part, b: Part | None) -> Part:
    """a * b, in Int64 where it fits."""
    if b is None:
        return a
    top = _sized(a.top * b.top)
    return Part(a.e * b.e if top < NARROW else wide(a.e) * wide(b.e), top)


def total(a: Part, b: Part, *, less: bool = False) -> Part:
    """a + b, or a - b, in Int64 where it fits."""
    top = _sized(a.top + b.top)
    x, y = (a.e, b.e) if top < NARROW else (wide(a.e), wide(b.e))
    return Part(x - y if less else x + y, top)


def joint(a: Part | None, b: Part | None) -> Part | None:
    """a * b, where None is 1."""
    return b if a is None else product(a, b)


def null(t: Type) -> Column:
    """The unknown value of a type."""
    return lit(None, dtype=NULL_TYPES[t.kind])


def nothing(t: Type) -> Quotient:
    """The unknown value of a type, for all."""
    return Quotient(null(t), absent=True)


def literal(value: Scalar | None, t: Type) -> Quotient:
    """A constant of the law; null where it is unknown."""
    if value is None:
        return nothing(t)
    if isinstance(value, Fraction):
        scaled = value * MICRO
        if scaled.denominator == 1:
            return over(Part(whole(scaled.numerator), abs(scaled.numerator)), MILLION)
        return Quotient(whole(value.numerator), whole(value.denominator), abs(value.numerator), value.denominator)
    if isinstance(value, int) and not isinstance(value, bool):
        return Quotient(whole(value), None, abs(value))
    return Quotient(lit(value))


def common(quotients: Sequence[Quotient]) -> tuple[list[Part], Part | None]:
    """Numerators over one denominator."""
    if all(q.d is None for q in quotients):
        return [q.above for q in quotients], None
    if len({id(q.d) for q in quotients if q.d is not None}) == 1 and all(q.d is not None for q in quotients):
        return [q.above for q in quotients], quotients[0].denominator
    denominator = reduce(joint, [q.denominator for q in quotients])
    numerators = []
    for i, q in enumerate(quotients):
        others = reduce(joint, [p.denominator for j, p in enumerate(quotients) if j != i], None)
        numerators.append(product(q.above, others))
    return numerators, denominator


def over(numerator: Part, denominator: Part | None) -> Quotient:
    """A quotient of two parts."""
    if denominator is None:
        return Quotient(numerator.e, None, numerator.top)
    return Quotient(numerator.e, denominator.e, numerator.top, denominator.top)


def rounded(q: Quotient, unit: str, mode: str) -> Quotient:
    """A quotient to a multiple of the unit; floor division is toward minus infinity.

    Raises:
        InternalError: if the result might not fit Int64.
    """
    step = UNIT_FEN[unit]
    divisor = joint(q.denominator, Part(whole(step), step) if step > 1 else None)
    if divisor is None:
        return Quotient(q.n.cast(pl.Int64), None, q.top)
    is_narrow = _sized(q.top * 2 + divisor.top * 2) < NARROW
    n, d = (q.n, divisor.e) if is_narrow else (wide(q.n), wide(divisor.e))
    if mode == "down":
        r = n // d
    elif mode == "up":
        r = (n + d - 1) // d
    elif mode == "half_up":
        r = (n * 2 + d) // (d * 2)
    else:
        floor = n // d
        twice = (n - floor * d) * 2
        r = floor + ((twice > d) | ((twice == d) & (floor % 2 != 0))).cast(pl.Int64)
    # The divisor is at least `step`, so the result is no larger than the numerator and one step.
    return Quotient((r * step).cast(pl.Int64), None, q.top + step)


_COMPARED: dict[str, Callable[[Column, Column], Column]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def compared(op: str, x: Column, y: Column) -> Column:
    """A comparison."""
    return _COMPARED[op](x, y)
