"""How does a checked tree become a Polars expression?

`Emitter` turns nodes into `Quotient` expressions over the columns of one frame; where a node lives on another frame (a
household's attribute in a member's formula) it asks `Leaves` for the column that carries it. Null is unknown. Polars'
own habits that would lose an unknown (`when(null)`) or a column's height are met here and in `quotients`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Protocol

import polars as pl

from meanscheck.errors import InternalError
from meanscheck.law.columns import Column, coalesce, constant, lit, when
from meanscheck.law.days import day_of_month, month, month_start, months_added, year, year_start, years_since
from meanscheck.law.keeping import kept_with_law
from meanscheck.law.law import Law
from meanscheck.law.lookups import elsewhere, looked_up, sliced
from meanscheck.law.months import in_each_month
from meanscheck.law.quotients import (
    MILLION,
    Part,
    Quotient,
    common,
    compared,
    joint,
    literal,
    nothing,
    null,
    over,
    product,
    rounded,
    total,
    whole,
)
from meanscheck.law.tables import entry
from meanscheck.law.tree import COMPARISONS, Node
from meanscheck.law.types import BOOL, DATE, Type

LAST_YEAR = 10_000
"""No difference of years is larger."""


class Leaves(Protocol):
    """Where the values come from that a formula only names."""

    law: Law

    def leaf(self, node: Node) -> Column:
        """The column of an attribute, cell, variable, aggregate, outcome or day, on the emitter's frame."""

    def top(self, node: Node) -> int:
        """The largest absolute value of a leaf that is a number, as it is stored."""

    def is_leaf(self, node: Node) -> bool:
        """Whether `leaf` answers for this node."""


class Emitter:
    """Nodes to expressions over one frame."""

    def __init__(self, leaves: Leaves) -> None:
        self.leaves = leaves
        self.law = leaves.law
        self._written: dict[Node, Quotient] = {}

    def stored(self, node: Node, t: Type | None = None) -> Column:
        """As it is kept in a column of the declared type `t` (the node's own unless given).

        Whole numbers as Int64, a ratio in millionths, yes/no, days, texts as String.
        """
        q = self.emit(node)
        declared = t or node.type
        if declared.kind == "text":
            return q.n.cast(pl.String)
        if declared.kind != "num":
            return q.n
        if declared.form == "micro":
            return rounded(over(product(q.above, MILLION), q.denominator), "fen", "down").n
        if q.d is not None:
            raise InternalError("an exact quotient reached a column")
        return q.n.cast(pl.Int64)

    def emit(self, node: Node) -> Quotient:
        """The value of a node; written once, so that what several formulas have in common is reckoned once."""
        if node not in self._written:
            self._written[node] = self._value(node)
        return self._written[node]

    def _value(self, node: Node) -> Quotient:
        if self.leaves.is_leaf(node):
            column = self.leaves.leaf(node)
            if node.type.kind != "num":
                return Quotient(column)
            return over(Part(column, self.leaves.top(node)), MILLION if node.type.form == "micro" else None)
        if node.level == "const" and node.nodes:
            return folded(self.law, node)
        return self.composed(node)

    def composed(self, node: Node) -> Quotient:
        """An operation on the values of its arguments."""
        if node.op in COMPARISONS:
            return self.comparison(node)
        method: Callable[[Node], Quotient] | None = getattr(self, f"_{_METHODS.get(node.op, node.op)}", None)
        if method is None:
            raise InternalError(f"the vector executor does not know {node.op}")
        return method(node)

    def _each(self, node: Node) -> list[Quotient]:
        return [self.emit(n) for n in node.nodes]

    def _int(self, node: Node) -> Quotient:
        value = node.args[0]
        assert isinstance(value, int)
        return literal(bool(value) if node.type.kind == "bool" else int(value), node.type)

    def _text(self, node: Node) -> Quotient:
        return Quotient(lit(str(node.args[0])))

    def _on(self, node: Node) -> Quotient:
        return Quotient(lit(self.law.on))

    def _unknown(self, node: Node) -> Quotient:
        return nothing(node.type)

    def _param(self, node: Node) -> Quotient:
        return literal(self.law.parameters[str(node.args[0])].get(), node.type)

    def _index(self, node: Node) -> Quotient:
        return looked_up(self.law.parameters[str(node.args[0])], self._each(node), node.type)

    def _slices(self, node: Node) -> Quotient:
        amount, *keys = self._each(node)
        return sliced(self.law.parameters[str(node.args[0])], amount, keys)

    def _at(self, node: Node) -> Quotient:
        place, *keys = self._each(node)
        return elsewhere(self.law.places.get(str(node.args[0]), {}), place, keys, node.type)

    def _month_back(self, node: Node) -> Quotient:
        day, count = self.emit(node.nodes[0]), self.counted(node.nodes[1])
        return nothing(DATE) if day.absent or count is None else Quotient(months_added(day.n, -count))

    def _streak(self, node: Node) -> Quotient:
        months = self.streak(node)
        return nothing(BOOL) if months is None else self.emit(months)

    def streak(self, node: Node) -> Node | None:
        """The condition of a streak in each of its months; None if nobody knows how many."""
        count = self.counted(node.nodes[1])
        return None if count is None else in_each_month(node.nodes[0], count)

    def counted(self, node: Node) -> int | None:
        """A number of months: a literal, or a parameter."""
        value = node.args[0]
        return value if isinstance(value, int) else self.constant(node)

    def _add(self, node: Node) -> Quotient:
        each = self._each(node)
        if any(q.absent for q in each):
            return nothing(node.type)
        (a, b), d = common(each)
        return over(total(a, b, less=node.op == "-"), d)

    def _multiply(self, node: Node) -> Quotient:
        a, b = self._each(node)
        if a.absent or b.absent:
            return nothing(node.type)
        return over(product(a.above, b.above), joint(a.denominator, b.denominator))

    def _divide(self, node: Node) -> Quotient:
        a, b = self._each(node)
        if a.absent or b.absent:
            return nothing(node.type)
        numerator = product(a.above, b.denominator)
        below = b.above if a.d is None else product(b.above, a.denominator)
        positive, negative = below.e > 0, below.e < 0
        signed = when(positive).then(numerator.e).when(negative).then(0 - numerator.e)
        size = when(positive).then(below.e).when(negative).then(0 - below.e)
        return over(Part(signed, numerator.top), Part(size, below.top))

    def _neg(self, node: Node) -> Quotient:
        (q,) = self._each(node)
        if q.absent:
            return nothing(node.type)
        return Quotient(0 - q.n, q.d, q.top, q.below)

    def _not(self, node: Node) -> Quotient:
        (q,) = self._each(node)
        return nothing(BOOL) if q.absent else Quotient(~q.n)

    def _and(self, node: Node) -> Quotient:
        return Quotient(reduce(lambda a, b: a & b, [q.n for q in self._each(node)]))

    def _or(self, node: Node) -> Quotient:
        return Quotient(reduce(lambda a, b: a | b, [q.n for q in self._each(node)]))

    def comparison(self, node: Node) -> Quotient:
        """Of numbers by cross-multiplication, of days, of texts."""
        a, b = self._each(node)
        if a.absent or b.absent:
            return nothing(BOOL)
        kind = node.nodes[0].type.kind
        x, y = a.n, b.n
        if kind == "num":
            (left, right), _ = common([a, b])
            x, y = left.e, right.e
        elif kind == "text" and "text" not in (node.nodes[0].op, node.nodes[1].op):
            x, y = x.cast(pl.String), y.cast(pl.String)
        return Quotient(compared(node.op, x, y))

    def _in(self, node: Node) -> Quotient:
        (q,) = self._each(node)
        return nothing(BOOL) if q.absent else Quotient(q.n.cast(pl.String).is_in([str(w) for w in node.args[1:]]))

    def _if(self, node: Node) -> Quotient:
        choice = self.emit(node.nodes[0])
        condition = choice.n
        one, other = (self._joined(n, node) for n in node.nodes[1:])
        if (one.absent and other.absent) or (choice.absent and (one.absent or other.absent)):
            return nothing(node.type)
        if _never_equal(*node.nodes[1:]):
            # Written once each: a chain of conditions that names word after word would else double at every link.
            return Quotient(when(condition).then(one.n).when(~condition).then(other.n))
        (a, b), _ = common([one, other])
        second = condition.is_not_null() | compared("==", a.e, b.e)
        n = when(condition).then(one.n).when(second).then(other.n)
        top = max(one.top, other.top)
        if one.d is other.d:
            return Quotient(n, one.d, top, one.below)
        # Each branch keeps its own denominator: that of the branch not taken may be unknown.
        x, y = (whole(1) if q.d is None else q.d for q in (one, other))
        d = when(condition).then(x).otherwise(y)
        return Quotient(n, d, top, max(one.below, other.below))

    def _joined(self, node: Node, whole_node: Node) -> Quotient:
        """One of several alternatives: texts of different sets meet as String."""
        q = self.emit(node)
        return Quotient(q.n.cast(pl.String), absent=q.absent) if whole_node.type.kind == "text" else q

    def _extreme(self, node: Node) -> Quotient:
        each = self._each(node)
        if any(q.absent for q in each):
            return nothing(node.type)
        numerators, d = common(each)

        def better(x: Column, y: Column) -> Column:
            # Null where either is null: both branches need a known comparison.
            first = compared("<=" if node.op == "least" else ">=", x, y)
            return when(first).then(x).when(~first).then(y)

        return over(Part(reduce(better, [n.e for n in numerators]), max(n.top for n in numerators)), d)

    def _first_known(self, node: Node) -> Quotient:
        quotients: list[Quotient] = []
        for part in node.nodes:
            q = self._joined(part, node)
            if not q.absent:
                quotients.append(q)
                if part.level == "const":
                    break
        if len(quotients) < 2:
            return quotients[0] if quotients else nothing(node.type)
        top = max(q.top for q in quotients)
        n = coalesce(*[q.n for q in quotients])
        if all(q.d is quotients[0].d for q in quotients):
            return Quotient(n, quotients[0].d, top, quotients[0].below)
        # The denominator is that of the first whose numerator is known.
        below = [when(q.n.is_not_null()).then(whole(1) if q.d is None else q.d) for q in quotients]
        return Quotient(n, coalesce(*below), top, max(q.below for q in quotients))

    def _round(self, node: Node) -> Quotient:
        (q,) = self._each(node)
        return nothing(node.type) if q.absent else rounded(q, str(node.args[1]), str(node.args[2]))

    def _age(self, node: Node) -> Quotient:
        (q,) = self._each(node)
        if q.absent:
            return nothing(node.type)
        return Quotient(years_since(q.n, self.law.on), None, LAST_YEAR)

    def _months_between(self, node: Node) -> Quotient:
        each = self._each(node)
        if any(q.absent for q in each):
            return nothing(node.type)
        a, b = (q.n for q in each)
        x, y = (year(e) * 12 + month(e) for e in (a, b))
        i, j = day_of_month(a), day_of_month(b)
        less = ((y > x) & (j < i)).cast(pl.Int64) - ((y < x) & (j > i)).cast(pl.Int64)
        return Quotient(y - x - less, None, LAST_YEAR * 12)

    def window(self, node: Node) -> tuple[Column, Column]:
        """First day of a window and the first day after it, at the level of what bounds it (null if unknown)."""
        if node.op == "same_year":
            day = self.emit(node.nodes[1]).n
            return year_start(day), month_start(day)
        months = self.constant(node.nodes[1])
        before = self.emit(node.nodes[2]).n
        if months is None:
            return null(DATE), null(DATE)
        return months_added(before, -months), month_start(before)

    def constant(self, node: Node) -> int | None:
        """The length of a window: a parameter in months."""
        value = entry(self.law.parameters[str(node.args[0])], ())
        if value is not None and not isinstance(value, int):
            raise InternalError("the length of a window is not a whole number of months")
        return value

    def _within(self, node: Node) -> Quotient:
        d = self.emit(node.nodes[0])
        if d.absent or self.emit(node.nodes[2]).absent or not self.known_window(node):
            return nothing(BOOL)
        first, after = self.window(node)
        return Quotient(compared(">=", d.n, first) & compared("<", d.n, after))

    def known_window(self, node: Node) -> bool:
        """Whether the window's length is known."""
        return self.constant(node.nodes[1]) is not None

    def _same_year(self, node: Node) -> Quotient:
        each = self._each(node)
        if any(q.absent for q in each):
            return nothing(BOOL)
        a, b = (q.n for q in each)
        return Quotient(compared("==", year(a), year(b)))


class _Nowhere:
    """No frame: a constant names nothing that has a column."""

    def __init__(self, law: Law) -> None:
        self.law = law

    def is_leaf(self, node: Node) -> bool:
        return False

    def leaf(self, node: Node) -> Column:
        raise InternalError("a constant of the law has no column")

    def top(self, node: Node) -> int:
        raise InternalError("a constant of the law has no column")


@kept_with_law
def folded(law: Law, node: Node) -> Quotient:
    """The value of an operation on constants of the law alone, reckoned once."""
    q = Emitter(_Nowhere(law)).composed(node)
    value = constant(q.n), 1 if q.d is None else constant(q.d)
    if None in value:
        return nothing(node.type)
    if node.type.kind != "num":
        return Quotient(lit(value[0]))
    numerator = Part(whole(value[0]), abs(value[0]))
    if q.d is None:
        return over(numerator, None)
    return over(numerator, MILLION if q.d is MILLION.e else Part(whole(value[1]), value[1]))


_METHODS = {"+": "add", "-": "add", "*": "multiply", "/": "divide", "least": "extreme", "greatest": "extreme"}


def _never_equal(one: Node, other: Node) -> bool:
    """Whether two texts come from sets that have no word in common."""
    sets = (one.type.choices, other.type.choices)
    return sets[0] is not None and sets[1] is not None and sets[0].isdisjoint(sets[1])
