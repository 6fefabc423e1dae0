"""How far is a test from its line? Trees for the value, the limit and the margin of a test that is one comparison.

The margin is the largest change of the left side's numerator (in fen, or in the unit compared) that leaves the
verdict: for ``household_income / (window * size) < standard`` it is how much more the household might have earned
over the window. It is negative where the test fails: by so much the numerator would have to change for it to hold.
"""

from __future__ import annotations

from dataclasses import dataclass

from meanscheck.law.law import Law
from meanscheck.law.tree import Node
from meanscheck.law.types import MONTH, NUMBER, Type


@dataclass(frozen=True, slots=True)
class Margin:
    """Trees of one comparison; each gives a whole number, or unknown."""

    value: Node
    limit: Node
    margin: Node


def margin_of(tree: Node) -> Margin | None:
    """The trees for a test, None unless it is one comparison of numbers by < <= > or >=."""
    if tree.op not in ("<", "<=", ">", ">=") or tree.nodes[0].type.kind != "num":
        return None
    left, right = tree.nodes
    numerator, denominator = left.nodes if left.op == "/" else (left, None)
    scaled = right if denominator is None else _node("*", right, denominator)
    room = _node("-", scaled, numerator)
    if tree.op == "<":
        margin = _node("-", _round(room, "up"), _one())
    elif tree.op == "<=":
        margin = _round(room, "down")
    elif tree.op == ">":
        margin = _node("+", _round(room, "down"), _one())
    else:
        margin = _round(room, "up")
    return Margin(_round(left, "half_up"), _round(right, "half_up"), margin)


def months_of(tree: Node, law: Law) -> int | None:
    """By how many months a test divides an amount over a window before it is held against a limit; None if it does not.

    A margin of 499.20 over six months is then 83.20 a month.
    """
    if not tree.nodes or tree.nodes[0].op != "/":
        return None
    below = [tree.nodes[0].nodes[1]]
    while below:
        node = below.pop()
        if node.op == "*":
            below += node.nodes
        elif node.op == "param" and node.type.dimension == MONTH.dimension:
            value = law.parameters[str(node.args[0])].get()
            return value if isinstance(value, int) and value > 0 else None
    return None


def _level(*nodes: Node) -> str:
    order = ("const", "household", "member", "supporter")
    return max((n.level for n in nodes), key=order.index)


def _node(op: str, a: Node, b: Node) -> Node:
    form = "int" if a.type.form == b.type.form == "int" else "exact"
    return Node(op, (a, b), Type("num", a.type.dimension, form), _level(a, b))  # type: ignore[arg-type]


def _round(x: Node, mode: str) -> Node:
    return Node("round", (x, "fen", mode), Type("num", x.type.dimension), x.level)


def _one() -> Node:
    return Node("int", (1,), NUMBER, "const")
