"""Which calls look into tables of figures? Slices, other places, months back, streaks; for the checker.

    slices(x, medical.second_ratio)            a ratio by one band of money: each part of x at its own ratio
    slices(x, medical.second_ratio[class])     the same where categories come before the band
    at(supporter.division_code, dibao.standard[residence])      the figure at another place
    month_back(d, n)                           first day of the month n months before the month of d
    streak((price.cpi[m] >= price.limit for m in months), n)    true in each of the n whole months before that of `on`

A number of months is 0, 1, 2 or a parameter, as everything with legal meaning is.
"""

from __future__ import annotations

import ast

from meanscheck.law.check_names import Leaves, ParameterSignature
from meanscheck.law.tables import band_unit, is_by_category
from meanscheck.law.tree import Node
from meanscheck.law.types import BOOL, DATE, MONEY, MONTH, PLAIN, Type

TABLE_WORDS = frozenset({"slices", "at", "month_back", "streak", "months"})
_SLICES = "Write slices(x, table), or slices(x, table[category])"
_STREAK = "Write streak((price.cpi[m] >= price.limit for m in months), price.months)"


class TableCalls(Leaves):
    """The calls of one expression that look into tables."""

    def arity(self, e: ast.Call, count: int, form: str) -> list[ast.expr]:
        if len(e.args) != count:
            raise self.fail(e, f"wrong number of arguments, {len(e.args)}", f"Write {form}")
        return e.args

    def day(self, e: ast.expr) -> Node:
        n = self.node(e)
        if n.type.kind != "date":
            raise self.fail(e, f"a day or month is wanted here, not {n.type}")
        return n

    def months(self, e: ast.expr) -> Node:
        n = self.number(e)
        if n.type.dimension not in (PLAIN, MONTH.dimension) or n.op not in ("param", "int") or n.type.form != "int":
            raise self.fail(e, "a number of months is 0, 1, 2 or a parameter in months", "Make it a parameter")
        return n

    def table(self, e: ast.expr, *, but: int = 0) -> tuple[str, ParameterSignature, list[Node]]:
        """A parameter with its keys, the last `but` keys left out."""
        named = e.value if isinstance(e, ast.Subscript) else e
        name = self.dotted(named) or ""
        signature = self.scope.parameters.get(name)
        if signature is None:
            raise self.fail(e, f"{name or 'this'} is not a parameter", "Name a parameter here, by itself or indexed")
        if isinstance(e, ast.Subscript):
            return name, signature, self.keys(e, name, signature, but=but)
        if signature.keys > but:
            raise self.fail(e, f"parameter {name} is a table", f"Index it: {name}[…]")
        return name, signature, []

    def call_slices(self, e: ast.Call) -> Node:
        amount, table = self.arity(e, 2, "slices(x, table)")
        x = self.number(amount)
        if x.type.dimension != MONEY.dimension and not x.type.zero:
            raise self.fail(amount, f"only an amount has slices, not {x.type}")
        name, signature, keys = self.table(table, but=1)
        last = signature.by[-1] if signature.by else ""
        if band_unit(last) != "money" or not is_by_category(signature.by[:-1]) or signature.type.form != "micro":
            raise self.fail(table, f"{name} is not a ratio by one band of money", f'by = "band:money"; {_SLICES}')
        return self.make("slices", (name, x, *keys), Type("num", MONEY.dimension, "exact"))

    def call_at(self, e: ast.Call) -> Node:
        where, table = self.arity(e, 2, "at(supporter.division_code, dibao.standard[residence])")
        place = self.node(where)
        if place.type.kind != "text":
            raise self.fail(where, f"a place is a division code, not {place.type}")
        name, signature, keys = self.table(table)
        return self.make("at", (name, place, *keys), signature.type)

    def call_month_back(self, e: ast.Call) -> Node:
        day, count = self.arity(e, 2, "month_back(on, 1)")
        return self.make("month_back", (self.day(day), self.months(count)), DATE)

    def call_streak(self, e: ast.Call) -> Node:
        loop, count = self.arity(e, 2, _STREAK.removeprefix("Write "))
        if self.loops:
            raise self.fail(e, "streak loops, and loops do not nest", "Make it a variable")
        clause = loop.generators[0] if isinstance(loop, ast.GeneratorExp) and len(loop.generators) == 1 else None
        if (
            not isinstance(loop, ast.GeneratorExp)
            or clause is None
            or not isinstance(clause.target, ast.Name)
            or not (isinstance(clause.iter, ast.Name) and clause.iter.id == "months")
            or clause.ifs
            or clause.is_async
        ):
            raise self.fail(e, "streak wants one condition for each of the months", _STREAK)
        inner = type(self)(self.entity, self.scope, self.where, self.lines)
        inner.loops = {clause.target.id: "months"}
        return self.make("streak", (inner.truth(loop.elt), self.months(count)), BOOL)
