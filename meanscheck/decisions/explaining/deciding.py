"""Which parts of a yes/no does its value rest on? The tree of a rule reduced to the terms that decided.

and   false: the parts that are false; unknown: those that are unknown; true: all
or    true: the first part that is true, which is enough; unknown: those that are unknown; false: all
if    the branch taken, then the condition; both branches where the condition is unknown
any   true: the entries that are true; all  false: those that are false; otherwise every entry that may count
"""

from __future__ import annotations

from collections.abc import Sequence

from meanscheck.law.kleene import Truth
from meanscheck.law.plain import PlainRun
from meanscheck.law.plain_rows import At, Result, truth
from meanscheck.law.tree import Node


def taken(run: PlainRun, node: Node, at: At) -> Sequence[Node]:
    """The parts of an operation that its value rests on, of `and` and `or` all."""
    if node.op == "if":
        condition, yes, no = node.nodes
        chosen = run.value(condition, at)
        return (yes, no, condition) if chosen is None else (yes if chosen else no, condition)
    if node.op == "first_known":
        known = [n for n in node.nodes if run.value(n, at) is not None]
        return known[:1] or node.nodes
    return node.nodes


def deciding(run: PlainRun, node: Node, at: At) -> Sequence[Node]:
    """As `taken`, and of `and` and `or` only the parts that decided."""
    if node.op not in ("and", "or"):
        return taken(run, node, at)
    value = truth(run.value(node, at))
    if value is (node.op == "and"):
        return node.nodes
    parts = [n for n in node.nodes if run.value(n, at) is value]
    # Of an `and` that fails every false part must change for it to hold.
    return parts[:1] if value is True else parts


def settles(function: str, whole: Truth, entry: Result) -> bool:
    """Whether an entry of an aggregate belongs to what its value rests on."""
    is_decided = (function == "any" and whole is True) or (function == "all" and whole is False)
    return not is_decided or entry is whole
