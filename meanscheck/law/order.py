"""In which order can the items of a law be reckoned, so that each comes after all it reads?

Iterative, since a law may hold chains of variables longer than Python's stack is deep.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from meanscheck.errors import PackError
from meanscheck.law.tree import Node, membership_of

Item = tuple[str, str]
"""("variable" | "programme", id)"""


def reads(tree: Node) -> frozenset[Item]:
    """What a tree reads of the same law."""
    names: set[Item] = set()
    for node in tree.walk():
        if node.op == "var":
            names.add(("variable", str(node.args[0])))
        elif node.op == "outcome":
            names.add(("programme", str(node.args[0])))
        elif node.op == "members":
            names.add(("variable", str(membership_of(node).args[0])))
    return frozenset(names)


def ordered(items: Mapping[Item, Collection[Item]], *, where: str) -> tuple[Item, ...]:
    """The items, each after all that it reads, otherwise in the order given.

    Raises:
        PackError: for a cycle, or if something is read that is not among the items.
    """
    done: dict[Item, None] = {}
    for first in items:
        path: list[Item] = []
        waiting: list[list[Item]] = [[first]]
        while waiting:
            if not waiting[-1]:
                waiting.pop()
                if path:
                    done[path.pop()] = None
                continue
            item = waiting[-1].pop()
            if item in done:
                continue
            if item in path:
                cycle = " → ".join(name for _, name in [*path[path.index(item) :], item])
                raise PackError(f"a cycle: {cycle}", where=where, remedy="Break it")
            if item not in items:
                reader = f", but {path[-1][1]} reads it" if path else ""
                what = f"{item[0]} {item[1]} has no revision in force{reader}"
                raise PackError(what, where=where, remedy="Close the gap, or start the reader later")
            path.append(item)
            waiting.append(sorted(items[item], reverse=True))
    return tuple(done)
