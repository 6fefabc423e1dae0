"""What does a streak ask of each month? Its condition, once for every month, as one tree.

``streak((price.cpi[m] >= price.limit for m in months), 3)`` on a day of July is the condition of June, May and April,
joined by `and`: false if it failed in one of them, else unknown if that of one is not known. The vector executor
reckons this tree; the plain one walks the months itself, so that each holds the other to it.
"""

from __future__ import annotations

from dataclasses import replace

from meanscheck.errors import PackError
from meanscheck.law.figures import MOST_MONTHS
from meanscheck.law.law import Law
from meanscheck.law.tree import Node
from meanscheck.law.types import BOOL, DATE, NUMBER


def in_each_month(condition: Node, count: int) -> Node:
    """A streak's condition in each of so many months before the month of `on`."""
    months = tuple(_in(condition, k) for k in range(1, count + 1))
    if not months:
        return Node("int", (1,), BOOL, "const")
    return months[0] if len(months) == 1 else Node("and", months, BOOL, condition.level)


def _in(node: Node, back: int) -> Node:
    """The condition with the month that lies so many months back in place of the loop's."""
    if node.op == "month":
        on = Node("on", (), DATE, "const")
        return Node("month_back", (on, Node("int", (back,), NUMBER, "const")), DATE, "const")
    if not node.nodes:
        return node
    return replace(node, args=tuple(_in(a, back) if isinstance(a, Node) else a for a in node.args))


def check_counts(law: Law) -> None:
    """PackError if a parameter that counts months in `month_back` or `streak` is no such number."""
    for node in (n for tree in law.trees for n in tree.walk() if n.op in ("month_back", "streak")):
        parameter = law.parameters.get(str(node.nodes[1].args[0]))
        value = None if parameter is None else parameter.get()
        if isinstance(value, int) and not 0 <= value <= MOST_MONTHS:
            raise PackError(
                f"it counts months, so a number from 0 to {MOST_MONTHS} is wanted",
                where=f"{law.code} on {law.on}: parameter {node.nodes[1].args[0]}",
                remedy="Correct the figure",
            )
