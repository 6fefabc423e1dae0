"""Which feeds does the law read for whom? The most that a check may ask, since what no rule reads is not needed
(个人信息保护法 art. 6: 最小范围).

`needed_feeds(law, programmes)` gives for each role in an application the feeds that a test, an award or a variable
below them reads at a person of that role: a supporter is asked only where a rule looks at the supporter himself, and
persons of the register who are not in the application never. `trees_read(law, programmes)` gives the formulas
themselves, for whoever asks how far back they look.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from meanscheck.law.law import Law, Programme
from meanscheck.law.tree import Node

SUPPORTERS = "supporters"


def needed_feeds(law: Law, programmes: Collection[str] = ()) -> Mapping[str, frozenset[str]]:
    """``member`` and ``supporter`` → feeds.

    Args:
        law: of the day on which it is asked.
        programmes: those applied for; all in force if none is named.
    """
    found: dict[str, set[str]] = {"member": set(), "supporter": set()}
    seen: set[tuple[str, str]] = set()
    for programme in _decided(law, programmes):
        if programme.members in law.variables:
            _visit(law, law.variables[programme.members].tree, "member", found, seen)
        for tree in programme.trees:
            _visit(law, tree, programme.entity, found, seen)
    return {role: frozenset(feeds) for role, feeds in found.items()}


def trees_read(law: Law, programmes: Collection[str] = ()) -> tuple[Node, ...]:
    """The trees of these programmes, of those they give way to or ask about, and of all variables below them.

    Args:
        law: of the day on which it is asked.
        programmes: those applied for; all in force if none is named.
    """
    decided = _decided(law, programmes)
    waiting = [tree for programme in decided for tree in programme.trees]
    waiting += [law.variables[name].tree for name in {p.members for p in decided} & set(law.variables)]
    found: dict[Node, None] = {}
    while waiting:
        tree = waiting.pop()
        if tree in found:
            continue
        found[tree] = None
        for node in tree.walk():
            if node.op == "var":
                waiting.append(law.variables[str(node.args[0])].tree)
            elif node.op == "outcome":
                waiting.extend(law.programme(str(node.args[0])).trees)
    return tuple(found)


def _decided(law: Law, programmes: Collection[str]) -> list[Programme]:
    """The programmes applied for and those they give way to, in the law's order."""
    wanted = [p for p in law.programmes if not programmes or p.id in programmes]
    names = {p.id for p in wanted} | {y.programme for p in wanted for y in p.yields_to}
    return [p for p in law.programmes if p.id in names]


def _visit(law: Law, node: Node, entity: str, found: dict[str, set[str]], seen: set[tuple[str, str]]) -> None:
    if node.op == "var":
        variable = law.variables[str(node.args[0])]
        if (variable.id, variable.entity) not in seen:
            seen.add((variable.id, variable.entity))
            _visit(law, variable.tree, variable.entity, found, seen)
        return
    if node.op == "outcome":
        programme = law.programme(str(node.args[0]))
        key = (f"programme {programme.id}", programme.entity)
        if key not in seen:
            seen.add(key)
            for tree in programme.trees:
                _visit(law, tree, programme.entity, found, seen)
        return
    here = {"members": "member", "supporters": "supporter"}.get(node.op, entity)
    if node.op == "agg":
        found.setdefault(entity, set()).add(str(node.args[1]))
    if node.op == "supporters":
        found["member"].add(SUPPORTERS)
    for child in node.nodes:
        _visit(law, child, here, found, seen)
