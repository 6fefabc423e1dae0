"""Two numbers do not fit each other: which side is changed, and by what?

An income over a window (money) held against a monthly standard (money/month) is the mistake most often made; the
remedy names the side, the operation and, where the law has one, the parameter that counts the months.
"""

from __future__ import annotations

from collections.abc import Iterable

from meanscheck.law.types import PLAIN, Dimension, dimension_name

_FACTORS = {"month": "a number of months", "money": "an amount", "area": "an area"}
SIDES = ("the left side", "the right side")


def mend(left: Dimension, right: Dimension, *, sides: tuple[str, str] = SIDES, months: Iterable[str] = ()) -> str:
    """What to do so that both have one dimension: divide the one or multiply the other by what they differ in."""
    more = tuple(a - b for a, b in zip(left, right, strict=True))
    above, below = (tuple(max(sign * e, 0) for e in more) for sign in (1, -1))
    if above != PLAIN and below != PLAIN:
        one, other = dimension_name(left), dimension_name(right)
        return f"Bring both to the same unit first: {sides[0]} is {one}, {sides[1]} {other}"
    greater, lesser = sides if above != PLAIN else sides[::-1]
    factor = _factor((above if above != PLAIN else below), sorted(months))  # type: ignore[arg-type]
    return f"Divide {greater} by {factor}, or multiply {lesser} by it"


def to_declare(got: Dimension, declared: Dimension) -> str:
    """What to do with a formula that gives another dimension than is declared."""
    more = tuple(a - b for a, b in zip(got, declared, strict=True))
    if all(e >= 0 for e in more):
        return f"Divide the formula by {_factor(more, [])}, or declare {dimension_name(got)}"  # type: ignore[arg-type]
    if all(e <= 0 for e in more):
        less = tuple(-e for e in more)
        return f"Multiply the formula by {_factor(less, [])}, or declare {dimension_name(got)}"  # type: ignore[arg-type]
    return f"Correct the formula, or declare {dimension_name(got)}"


def _factor(dimension: Dimension, months: list[str]) -> str:
    name = dimension_name(dimension)
    if name == "month" and months:
        best = next((m for m in months if "window" in m), months[0])
        return f"a number of months, such as {best}"
    return _FACTORS.get(name, f"what is measured in {name}")
