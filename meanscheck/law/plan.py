"""In which order does the vector executor reckon, so that each feed is aggregated once per depth?

Items (aggregates, variables, programmes) have a depth: each waits only for shallower ones. The aggregates of one
feed that have the same depth are taken together, whatever the number of formulas.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from meanscheck.law.keeping import kept_with_law
from meanscheck.law.law import Law, Programme
from meanscheck.law.tree import IS_MEMBER, Node, membership_of

PEOPLE = ("members", "supporters")


@dataclass(slots=True)
class Depth:
    """All that can be reckoned at once: aggregates over feeds, then over people, then variables, then programmes."""

    aggregates: list[Node] = field(default_factory=list)
    people: list[Node] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)
    programmes: list[str] = field(default_factory=list)


class Plan:
    """Items of a law by depth; `names` gives each aggregate its column."""

    def __init__(self, law: Law) -> None:
        self.names: dict[Node, str] = {}
        self.levels: list[Depth] = []
        self._nodes: dict[Node, int] = {}
        self._items: dict[tuple[str, str], int] = {}
        for kind, name in law.order:
            if kind == "variable":
                depth = self._tree_depth(law.variables[name].tree)
                self._at(depth).variables.append(name)
            else:
                programme = law.programme(name)
                waits = [self._tree_depth(t) for t in programme.trees]
                others = [("programme", y.programme) for y in programme.yields_to] + [("variable", programme.members)]
                depth = max([*waits, *(self._items[o] + 1 for o in others if o in self._items)], default=0)
                self._at(depth).programmes.append(name)
            self._items[(kind, name)] = depth

    def _at(self, depth: int) -> Depth:
        while len(self.levels) <= depth:
            self.levels.append(Depth())
        return self.levels[depth]

    def _tree_depth(self, tree: Node) -> int:
        """The depth at which everything the tree reads is there."""
        if tree.op == "var":
            return self._items[("variable", str(tree.args[0]))] + 1
        if tree.op == "outcome":
            return self._items[("programme", str(tree.args[0]))] + 1
        deepest = max((self._tree_depth(n) for n in tree.nodes), default=0)
        if tree.op != "agg" and tree.op not in PEOPLE:
            return deepest
        if tree.op == "members":
            deepest = max(deepest, self._tree_depth(membership_of(tree)))
        if tree not in self.names:
            self.names[tree] = f"{'a' if tree.op == 'agg' else 'g'}:{len(self.names)}"
            self._nodes[tree] = deepest
            (self._at(deepest).aggregates if tree.op == "agg" else self._at(deepest).people).append(tree)
        return self._nodes[tree] + 1


def yields_column(programme: Programme, other: str, when: str) -> str:
    """The column that says whether any, or all, of a programme's members are eligible for another."""
    return f"{when.partition(' ')[0]}:{other}" + ("" if programme.members == IS_MEMBER else f":{programme.members}")


@kept_with_law
def with_read(law: Law, asked: frozenset[str]) -> tuple[Programme, ...]:
    """The programmes asked for, and those without which they, or a variable, cannot be decided; in the law's order."""

    def outcomes(trees: Iterable[Node]) -> set[str]:
        return {str(node.args[0]) for tree in trees for node in tree.walk() if node.op == "outcome"}

    found: set[str] = set()
    more = {*asked, *outcomes(v.tree for v in law.variables.values())}
    while more:
        found |= more
        read = [p for p in law.programmes if p.id in more]
        more = {q for p in read for q in (*outcomes(p.trees), *(rule.programme for rule in p.yields_to))} - found
    return tuple(p for p in law.programmes if p.id in found)


@kept_with_law
def plan_of(law: Law) -> Plan:
    """The plan of a law."""
    return Plan(law)
