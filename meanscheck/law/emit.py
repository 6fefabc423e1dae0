"""How does a checked tree become a Polars expression?

A number is a numerator and a denominator (`Quotient`); products and comparisons of quotients are taken in Int128, so they are
exact within the bounds that money has on entry. Null is unknown. `Emitter` turns nodes into expressions over the columns of
one frame; where a node lives on another frame (a household's attribute in a member's formula) it asks `Leaves` for the
column that carries it. Polars' own habits that would lose an unknown (`when(null)`, `max_horizontal`) are met here only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import reduce
from typing import Protocol

import polars as pl

from meanscheck.errors import InternalError
from meanscheck.law.law import Law
from meanscheck.law.plain import Result, lookup
from meanscheck.law.tree import COMPARISONS, Node
from meanscheck.law.types import MICRO
from meanscheck.values.rounding import UNIT_FEN


@dataclass(frozen=True, slots=True)
class Quotient:
    """A value as numerator over denominator; no denominator for whole numbers, and for what is not a number."""

    n: pl.Expr
    d: pl.Expr | None = None


class Leaves(Protocol):
    """Where the values come from that a formula only names."""

    law: Law

    def leaf(self, node: Node) -> pl.Expr:
        """The column of an attribute, cell, variable, aggregate, outcome or day, on the emitter's frame."""

    def is_leaf(self, node: Node) -> bool:
        """Whether `leaf` answers for this node."""


def whole(number: int) -> pl.Expr:
    """A literal Int64."""
    return pl.lit(number, dtype=pl.Int64)


def wide(e: pl.Expr) -> pl.Expr:
    """As Int128, for products."""
    return e.cast(pl.Int128)


def literal(value: Result) -> Quotient:
    """A constant of the law; a null literal for an unknown one."""
    if value is None:
        return Quotient(pl.lit(None))
    if isinstance(value, Fraction):
        scaled = value * MICRO
        if scaled.denominator == 1:
            return Quotient(whole(scaled.numerator), whole(MICRO))
        return Quotient(whole(value.numerator), whole(value.denominator))
    if isinstance(value, bool):
        return Quotient(pl.lit(value))
    if isinstance(value, int):
        return Quotient(whole(value))
    return Quotient(pl.lit(value))


def _times(a: pl.Expr, b: pl.Expr | None) -> pl.Expr:
    return a if b is None else wide(a) * wide(b)


def _product(a: pl.Expr | None, b: pl.Expr | None) -> pl.Expr | None:
    return b if a is None else _times(a, b)


def _common(quotients: list[Quotient]) -> tuple[list[pl.Expr], pl.Expr | None]:
    """Numerators over one denominator."""
    if all(q.d is None for q in quotients):
        return [q.n for q in quotients], None
    denominator = reduce(_product, [q.d for q in quotients])
    numerators = []
    for i, q in enumerate(quotients):
        others = reduce(_product, [p.d for j, p in enumerate(quotients) if j != i], None)
        numerators.append(_times(q.n, others))
    return numerators, denominator


def rounded(q: Quotient, unit: str, mode: str) -> pl.Expr:
    """A quotient to a multiple of the unit, as Int64 (Polars raises if it does not fit). Floor division is toward minus infinity."""
    step = UNIT_FEN[unit]
    divisor = _product(q.d, whole(step) if step > 1 else None)
    if divisor is None:
        return q.n.cast(pl.Int64)
    n, d = wide(q.n), wide(divisor)
    if mode == "down":
        r = n // d
    elif mode == "up":
        r = (n + d - 1) // d
    elif mode == "half_up":
        r = (n * 2 + d) // (d * 2)
    else:
        floor = n // d
        twice = (n - floor * d) * 2
        r = floor + ((twice > d) | ((twice == d) & (floor % 2 != 0))).cast(pl.Int128)
    return (r * step).cast(pl.Int64)


def months_added(e: pl.Expr, months: int) -> pl.Expr:
    """First day of the month of `e`, moved by whole months."""
    return e.dt.month_start().dt.offset_by(f"{months}mo")


class Emitter:
    """Nodes to expressions over one frame."""

    def __init__(self, leaves: Leaves) -> None:
        self.leaves = leaves
        self.law = leaves.law

    def stored(self, node: Node) -> pl.Expr:
        """As it is kept in a column: whole numbers (a ratio in millionths), yes/no, days, texts."""
        q = self.emit(node)
        if node.type.kind != "num":
            return q.n
        if node.type.form == "micro":
            scaled = Quotient(_times(q.n, whole(MICRO)), q.d)
            return rounded(scaled, "fen", "down")
        if q.d is not None:
            raise InternalError("an exact quotient reached a column")
        return q.n.cast(pl.Int64)

    def emit(self, node: Node) -> Quotient:
        """The value of a node."""
        if self.leaves.is_leaf(node):
            column = self.leaves.leaf(node)
            return Quotient(column, whole(MICRO)) if node.type.form == "micro" else Quotient(column)
        if node.op in COMPARISONS:
            return self.comparison(node)
        method = getattr(self, f"_{_METHODS.get(node.op, node.op)}", None)
        if method is None:
            raise InternalError(f"the vector executor does not know {node.op}")
        result: Quotient = method(node)
        return result

    def _int(self, node: Node) -> Quotient:
        value = node.args[0]
        return literal(bool(value) if node.type.kind == "bool" else int(value))  # type: ignore[arg-type]

    def _text(self, node: Node) -> Quotient:
        return Quotient(pl.lit(str(node.args[0])))

    def _on(self, node: Node) -> Quotient:
        return Quotient(pl.lit(self.law.on))

    def _unknown(self, node: Node) -> Quotient:
        kinds = {"num": pl.Int64, "bool": pl.Boolean, "date": pl.Date, "text": pl.String}
        return Quotient(pl.lit(None, dtype=kinds[node.type.kind]))

    def _null(self, node: Node) -> Quotient:
        return self._unknown(node)

    def _param(self, node: Node) -> Quotient:
        value = self.law.parameters[str(node.args[0])].get()
        return self._null(node) if value is None else literal(value)

    def _index(self, node: Node) -> Quotient:
        parameter = self.law.parameters[str(node.args[0])]
        keys = [self.emit(k).n.cast(pl.String) for k in node.nodes]
        known = reduce(lambda a, b: a & b, [k.is_not_null() for k in keys])
        if parameter.get(("*",)) is not None:
            q = literal(parameter.get(("*",)))
            return Quotient(pl.when(known).then(q.n), q.d)
        table = {} if parameter.unknown else parameter.table
        wanted = MICRO if node.type.form == "micro" else 1
        result = pl.lit(None)
        for entry, value in table.items():
            fits = reduce(lambda a, b: a & b, [k == e for k, e in zip(keys, entry, strict=True)])
            cell = whole(int(value * wanted)) if isinstance(value, int | Fraction) and not isinstance(value, bool) else pl.lit(value)
            result = pl.when(fits).then(cell).otherwise(result)
        if not table:
            return self._null(node)
        return Quotient(result, whole(MICRO) if wanted > 1 else None)

    def _add(self, node: Node) -> Quotient:
        (a, b), d = _common([self.emit(n) for n in node.nodes])
        return Quotient(a + b if node.op == "+" else a - b, d)

    def _multiply(self, node: Node) -> Quotient:
        a, b = (self.emit(n) for n in node.nodes)
        return Quotient(_times(a.n, b.n), _product(a.d, b.d))

    def _divide(self, node: Node) -> Quotient:
        a, b = (self.emit(n) for n in node.nodes)
        numerator, denominator = wide(_times(a.n, b.d)), wide(_product(a.d, b.n))  # type: ignore[arg-type]
        zero = pl.lit(0, dtype=pl.Int128)
        sign = pl.when(denominator < 0).then(zero - numerator).when(denominator > 0).then(numerator)
        return Quotient(sign, pl.when(denominator != 0).then(denominator.abs()))

    def _neg(self, node: Node) -> Quotient:
        q = self.emit(node.nodes[0])
        return Quotient(whole(0) - q.n, q.d)

    def _not(self, node: Node) -> Quotient:
        return Quotient(~self.emit(node.nodes[0]).n)

    def _and(self, node: Node) -> Quotient:
        return Quotient(reduce(lambda a, b: a & b, [self.emit(n).n for n in node.nodes]))

    def _or(self, node: Node) -> Quotient:
        return Quotient(reduce(lambda a, b: a | b, [self.emit(n).n for n in node.nodes]))

    def comparison(self, node: Node) -> Quotient:
        a, b = (self.emit(n) for n in node.nodes)
        kind = node.nodes[0].type.kind
        if kind == "num":
            (x, y), _ = _common([a, b])
        elif kind == "text" and "text" not in (node.nodes[0].op, node.nodes[1].op):
            x, y = a.n.cast(pl.String), b.n.cast(pl.String)
        else:
            x, y = a.n, b.n
        return Quotient({"<": x.lt, "<=": x.le, ">": x.gt, ">=": x.ge, "==": x.eq, "!=": x.ne}[node.op](y))

    def _in(self, node: Node) -> Quotient:
        return Quotient(self.emit(node.nodes[0]).n.is_in([str(w) for w in node.args[1:]]))

    def _if(self, node: Node) -> Quotient:
        condition = self.emit(node.nodes[0]).n
        one, other = (self.emit(n) for n in node.nodes[1:])
        (a, b), _ = _common([one, other])
        if node.type.kind == "text":
            a, b = a.cast(pl.String), b.cast(pl.String)
        second = condition.is_not_null() | (a == b)
        if one.d is None and other.d is None:
            return Quotient(pl.when(condition).then(a).when(second).then(b))
        # Each branch keeps its own denominator: that of the branch not taken may be unknown.
        x, y = (wide(q.d if q.d is not None else whole(1)) for q in (one, other))
        n = pl.when(condition).then(wide(one.n)).when(second).then(wide(other.n))
        return Quotient(n, pl.when(condition).then(x).otherwise(y))

    def _extreme(self, node: Node) -> Quotient:
        numerators, d = _common([self.emit(n) for n in node.nodes])
        pick = pl.min_horizontal if node.op == "least" else pl.max_horizontal
        known = reduce(lambda a, b: a & b, [n.is_not_null() for n in numerators])
        return Quotient(pl.when(known).then(pick(numerators)), d)

    def _first_known(self, node: Node) -> Quotient:
        quotients = [self.emit(n) for n in node.nodes]
        if all(q.d is None for q in quotients):
            return Quotient(pl.coalesce([q.n for q in quotients]))
        numerators, d = [], []
        for q in quotients:
            known = q.n.is_not_null()
            numerators.append(wide(q.n))
            d.append(pl.when(known).then(wide(q.d if q.d is not None else whole(1))))
        return Quotient(pl.coalesce(numerators), pl.coalesce(d))

    def _round(self, node: Node) -> Quotient:
        return Quotient(rounded(self.emit(node.nodes[0]), str(node.args[1]), str(node.args[2])))

    def _age(self, node: Node) -> Quotient:
        born, on = self.emit(node.nodes[0]).n, self.law.on
        before = born.dt.month().cast(pl.Int64) * 100 + born.dt.day().cast(pl.Int64) > on.month * 100 + on.day
        return Quotient(whole(on.year) - born.dt.year().cast(pl.Int64) - before.cast(pl.Int64))

    def _months_between(self, node: Node) -> Quotient:
        a, b = (self.emit(n).n for n in node.nodes)
        x, y = (e.dt.year().cast(pl.Int64) * 12 + e.dt.month().cast(pl.Int64) for e in (a, b))
        i, j = a.dt.day(), b.dt.day()
        less = ((y > x) & (j < i)).cast(pl.Int64) - ((y < x) & (j > i)).cast(pl.Int64)
        return Quotient(y - x - less)

    def window(self, node: Node) -> tuple[pl.Expr, pl.Expr]:
        """First day of a window and the first day after it, at the level of what bounds it (null if unknown)."""
        if node.op == "same_year":
            day = self.emit(node.nodes[1]).n
            return day.dt.truncate("1y"), day.dt.month_start()
        months = self.constant(node.nodes[1])
        before = self.emit(node.nodes[2]).n
        if months is None:
            return pl.lit(None, dtype=pl.Date), pl.lit(None, dtype=pl.Date)
        return months_added(before, -months), before.dt.month_start()

    def constant(self, node: Node) -> int | None:
        """The length of a window: a parameter in months."""
        name = str(node.args[0])
        value = lookup(self.law.parameters[name], ()) if node.op == "param" else node.args[0]
        if value is not None and not isinstance(value, int):
            raise InternalError("the length of a window is not a whole number of months")
        return value

    def _within(self, node: Node) -> Quotient:
        d = self.emit(node.nodes[0]).n
        first, after = self.window(node)
        return Quotient((d >= first) & (d < after) if self.known_window(node) else pl.lit(None, dtype=pl.Boolean))

    def known_window(self, node: Node) -> bool:
        """Whether the window's length is known."""
        return self.constant(node.nodes[1]) is not None

    def _same_year(self, node: Node) -> Quotient:
        a, b = (self.emit(n).n for n in node.nodes)
        return Quotient(a.dt.year() == b.dt.year())


_METHODS = {"+": "add", "-": "add", "*": "multiply", "/": "divide", "least": "extreme", "greatest": "extreme"}


