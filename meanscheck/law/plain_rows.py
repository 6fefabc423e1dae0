"""What do the rows of a person, or the people of a household, give together? Plain values, unknowns included.

A `Result` is the value of a formula: whole numbers, exact fractions, yes/no, days, texts, or None for unknown. An
entry of an aggregate is (belongs, value, order): whether the row belongs, its value, and the day by which the latest
is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias, cast

from meanscheck.contracts.units import Value
from meanscheck.law.kleene import Truth, all_of, any_of, negated
from meanscheck.law.tree import Node
from meanscheck.law.types import MICRO
from meanscheck.values.dates import age_on, is_within, month_number, month_start, months_between
from meanscheck.values.rounding import round_to

Result: TypeAlias = int | Fraction | bool | date | str | None
Known: TypeAlias = int | Fraction | bool | date | str
Row: TypeAlias = Mapping[str, Value]
Entry: TypeAlias = tuple[Truth, Result, Result]
Number: TypeAlias = int | Fraction


@dataclass(frozen=True, slots=True)
class At:
    """Where a formula is evaluated: the person (index in the unit, None = the household), the row of a feed, and the
    month of a streak."""

    person: int | None = None
    row: Row | None = None
    month: date | None = None


def truth(value: Result) -> Truth:
    """A yes/no; the checker has seen to it that it is one."""
    assert value is None or isinstance(value, bool)
    return value


def exact(value: Value, node: Node) -> Result:
    """A stored value as formulas see it: millionths become a fraction."""
    return Fraction(value, MICRO) if node.type.form == "micro" and isinstance(value, int) else value


@lru_cache(maxsize=4096)
def windows_in(node: Node) -> tuple[Node, ...]:
    """The `within` and `same_year` conditions on the feed's own days inside an aggregate.

    A window that itself depends on the row asks for no time that could be known beforehand, so it is not among them.
    """
    return tuple(
        part
        for part in node.walk()
        if part.op in ("within", "same_year")
        and part.nodes[0].level == "row"
        and all(n.level != "row" for n in part.nodes[1:])
    )


def with_derived(feed: str, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Rows with the derived columns of `names.DERIVED`."""
    if feed != "medical_settlements":
        return rows
    undone = {row["reverses"] for row in rows if row.get("reverses") is not None}
    return tuple(
        {**row, "is_reversed": row.get("reverses") is not None or row.get("settlement_no") in undone} for row in rows
    )


def aggregate(function: str, entries: Sequence[Entry]) -> Result:
    """Combine the entries that may belong; `belongs` is never False here."""
    if function == "any":
        return any_of(all_of((belongs, truth(v))) for belongs, v, _ in entries)
    if function == "all":
        return all_of(any_of((negated(belongs), truth(v))) for belongs, v, _ in entries)
    if any(belongs is None for belongs, _, _ in entries):
        return None
    if function == "count":
        return len(entries)
    if function == "latest":
        return _latest(entries)
    known = [v for _, v, _ in entries if v is not None]
    if len(known) < len(entries):
        return None
    if function == "sum":
        return sum(cast("list[Number]", known))
    if not known:
        return None
    # All of them numbers, or all of them days: the checker has seen to it.
    numbers = cast("list[Number]", known)
    return min(numbers) if function == "lowest" else max(numbers)


def _latest(entries: Sequence[Entry]) -> Result:
    days = [order for _, _, order in entries if isinstance(order, date)]
    if not days or len(days) < len(entries):
        return None
    last = max(days)
    values = {v for _, v, order in entries if order == last}
    return values.pop() if len(values) == 1 else None


def compared(op: str, a: Result, b: Result) -> bool:
    """A comparison of two known values of one kind."""
    if op == "==":
        return a == b
    if op == "!=":
        return a != b
    x, y = cast("tuple[Number, Number]", (a, b))
    if op in ("<", ">="):
        return (x < y) is (op == "<")
    return (x > y) is (op == ">")


def operation(node: Node, values: Sequence[Result], on: date) -> Result:
    """The value of an operation whose arguments are all known."""
    if node.op in _ON_NUMBERS:
        return _ON_NUMBERS[node.op](*cast("Sequence[Number]", values))
    if node.op in ("<", "<=", ">", ">=", "==", "!="):
        return compared(node.op, *values)
    if node.op == "not":
        return not values[0]
    if node.op == "in":
        return values[0] in node.args[1:]
    if node.op == "round":
        return round_to(Fraction(cast("Number", values[0])), str(node.args[1]), str(node.args[2]))
    first, *others = values
    assert isinstance(first, date)
    if node.op == "age":
        return age_on(first, on)
    if node.op == "month_back":
        return month_start(month_number(first) - cast("int", others[0]))
    if node.op == "within":
        months, before = cast("tuple[int, date]", others)
        return is_within(first, months, before)
    (second,) = others
    assert isinstance(second, date)
    if node.op == "months_between":
        return months_between(first, second)
    assert node.op == "same_year"
    return first.year == second.year


def _sum(a: Number, b: Number) -> Number:
    return a + b


def _difference(a: Number, b: Number) -> Number:
    return a - b


def _product(a: Number, b: Number) -> Number:
    return a * b


def _quotient(a: Number, b: Number) -> Number | None:
    """Division by zero is unknown."""
    return None if b == 0 else Fraction(a) / Fraction(b)


def _negative(a: Number) -> Number:
    return -a


def _least(*numbers: Number) -> Number:
    return min(numbers)


def _greatest(*numbers: Number) -> Number:
    return max(numbers)


_ON_NUMBERS: Mapping[str, Callable[..., Number | None]] = {
    "+": _sum,
    "-": _difference,
    "*": _product,
    "/": _quotient,
    "neg": _negative,
    "least": _least,
    "greatest": _greatest,
}
