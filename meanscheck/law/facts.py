"""Which single facts move the figure that a test holds against its limit, and by how much must they move?

A test turns when one of its comparisons does (`Lever`): the test itself, or one part of an `or` or `and`; ``x == 0`` of
a count is read as ``x <= 0``. What moves the left side of a comparison is a `Fact`: the sum of one money column over a
person's rows of a feed, or the number of these rows, where it enters with plus or minus one. Whether the rest of the
law goes along is not judged here: `counterfactuals` decides the changed household again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from meanscheck.contracts import all_feeds
from meanscheck.law.law import Law
from meanscheck.law.margins import Margin, margin_of
from meanscheck.law.tree import Node
from meanscheck.law.types import BOOL

Scope = Literal["self", "household"]


@dataclass(frozen=True, slots=True)
class Fact:
    """An aggregate over a person's rows; `column` is empty for the number of rows.

    `sign` is how the figure of the test goes when the fact rises; `scope` says whose fact it is: the member's whom the
    programme decides, or any member's of the household.
    """

    node: Node
    sign: int
    scope: Scope

    @property
    def feed(self) -> str:
        """The feed of the rows."""
        return str(self.node.args[1])

    @property
    def column(self) -> str:
        """The column that is summed; empty if rows are counted."""
        element = self.node.args[2]
        return str(element.args[1]) if isinstance(element, Node) else ""

    @property
    def name(self) -> str:
        """As a person reads it: ``bank_deposits.balance``, or ``real_estate`` for its rows."""
        return f"{self.feed}.{self.column}" if self.column else self.feed


@dataclass(frozen=True, slots=True)
class Lever:
    """One comparison that may turn a test. `is_falling`: it holds below its limit."""

    margin: Margin
    facts: tuple[Fact, ...]
    is_falling: bool


def levers(tree: Node, law: Law, entity: str) -> tuple[Lever, ...]:
    """The comparisons of a test by which it may turn; none where it is of another kind."""
    found = []
    for comparison in _comparisons(tree):
        margin = margin_of(comparison)
        if margin is None:
            continue
        left = comparison.nodes[0]
        numerator = left.nodes[0] if left.op == "/" else left
        scope: Scope = "household" if entity == "household" else "self"
        facts = tuple(dict.fromkeys(_facts(numerator, law, 1, scope)))
        found.append(Lever(margin, facts, comparison.op in ("<", "<=")))
    return tuple(found)


def _comparisons(tree: Node) -> Iterator[Node]:
    if tree.op in ("and", "or"):
        for part in tree.nodes:
            yield from _comparisons(part)
    elif tree.op == "==" and tree.nodes[1].op == "int" and tree.nodes[1].args == (0,):
        yield Node("<=", tree.args, BOOL, tree.level)
    else:
        yield tree


def _facts(node: Node, law: Law, sign: int, scope: Scope) -> Iterator[Fact]:
    op = node.op
    if op == "var":
        variable = law.variables[str(node.args[0])]
        if variable.entity == "supporter":
            return
        yield from _facts(variable.tree, law, sign, "household" if variable.entity == "household" else scope)
    elif op == "agg":
        if _may_change(node):
            yield Fact(node, sign, scope)
    elif op == "members":
        function, element, condition = node.args[:3]
        if function == "sum" and isinstance(element, Node) and condition is None:
            yield from _facts(element, law, sign, "household")
    elif op in ("+", "greatest", "least", "first_known", "round"):
        for part in node.nodes:
            yield from _facts(part, law, sign, scope)
    elif op == "if":
        for part in node.nodes[1:]:
            yield from _facts(part, law, sign, scope)
    elif op == "-":
        yield from _facts(node.nodes[0], law, sign, scope)
        yield from _facts(node.nodes[1], law, -sign, scope)
    elif op == "neg":
        yield from _facts(node.nodes[0], law, -sign, scope)


def _may_change(node: Node) -> bool:
    """Whether an aggregate adds up one money column that is never negative, or counts rows."""
    function, feed, element = node.args[:3]
    if function == "count":
        return element is None
    if function != "sum" or not isinstance(element, Node) or element.op != "col":
        return False
    columns = {c.name: c for c in all_feeds()[str(feed)].columns}
    column = columns.get(str(element.args[1]))
    return (
        column is not None
        and column.kind == "money"
        and not column.may_be_negative
        and column.negative_only_when is None
    )
