"""What of a case comes out otherwise under a slightly changed law?

`Web(law)` says what reads what; `Rerun` is a run of the changed law that takes over from the case's own run all that
cannot have changed, and reckons the rest in the law's order: what rests on a value that came out the same is not
reckoned again. A change is a change of a value, of an outcome with its tests and award, or of the causes of an unknown.
"""

from __future__ import annotations

from collections.abc import Iterable

from meanscheck.law.bounds import Bounds
from meanscheck.law.case_runs import CaseRun, trees_of
from meanscheck.law.conflicts.kinds import WINDOW
from meanscheck.law.law import Law
from meanscheck.law.mutant_laws import Mutant
from meanscheck.law.mutants import node_at
from meanscheck.law.order import Item, reads
from meanscheck.law.plain import PlainRun
from meanscheck.law.tree import Node

_NO_FIGURE = frozenset({"attr", "col", "text", "var", "outcome", "agg", "members", "supporters", "unknown"})


class Web:
    """What reads what in a law."""

    def __init__(self, law: Law) -> None:
        self.law = law
        self.below: dict[Item, set[Item]] = {}
        self.readers: dict[Item, set[Item]] = {}
        self.by_figure: dict[str, set[Item]] = {}
        self.nodes: dict[str, set[int]] = {}
        self._resting: dict[str, frozenset[Item]] = {}
        for variable in law.variables.values():
            self._read(("variable", variable.id), (variable.tree,))
        members = {p.id for p in law.programmes if p.entity == "member"}
        for programme in law.programmes:
            item: Item = ("programme", programme.id)
            self._read(item, programme.trees)
            self.below[item] |= {("programme", y.programme) for y in programme.yields_to}
            if members & {programme.id, *(y.programme for y in programme.yields_to)}:
                self.below[item].add(("variable", programme.members))
        for item, read in self.below.items():
            for other in read:
                self.readers.setdefault(other, set()).add(item)
        self._derived()

    def _read(self, item: Item, trees: Iterable[Node]) -> None:
        below = self.below.setdefault(item, set())
        for tree in trees:
            below |= reads(tree)
            for node in tree.walk():
                name = node.args[0] if node.args and node.op not in _NO_FIGURE else None
                if isinstance(name, str) and name in self.law.parameters:
                    self.by_figure.setdefault(name, set()).add(item)
                    self.nodes.setdefault(name, set()).add(id(node))

    def _derived(self) -> None:
        """What reads a derived figure reads the figures that it is derived from."""
        derived = [p for p in self.law.parameters.values() if p.formula]
        for _ in derived:
            for figure in derived:
                # The text is searched, since the tree belongs to the pack: too many readers cost time and no truth.
                for name in self.law.parameters:
                    if name in figure.formula and name != figure.id:
                        self.by_figure.setdefault(name, set()).update(self.by_figure.get(figure.id, ()))
                        self.nodes.setdefault(name, set()).update(self.nodes.get(figure.id, ()))

    def touches(self, mutant: Mutant, run: CaseRun) -> bool:
        """Whether a case evaluated what a mutant changes."""
        if mutant.thing.startswith("parameter "):
            return self.reads(mutant.thing, run)
        if mutant.path is None:
            return True
        return any(id(node_at(tree, mutant.path)) in run.run.seen for tree in trees_of(self.law, mutant.thing))

    def reads(self, thing: str, run: CaseRun) -> bool:
        """Whether a case read a figure."""
        name = thing.removeprefix("parameter ")
        return name == WINDOW or not self.nodes.get(name, set()).isdisjoint(run.run.seen)

    def starts(self, thing: str) -> frozenset[Item] | None:
        """What says a thing, or reads it if it is a figure; None if that may be anything."""
        kind, _, name = thing.partition(" ")
        if kind == "variable":
            return frozenset(("variable", v) for v in self.law.variables if v == name or v.startswith(f"{name}~"))
        if kind == "programme":
            return frozenset({("programme", name.partition(", ")[0])})
        return None if name == WINDOW else frozenset(self.by_figure.get(name, ()))

    def resting_on(self, thing: str) -> frozenset[Item]:
        """All that rests on a thing."""
        if thing not in self._resting:
            starts = self.starts(thing)
            self._resting[thing] = frozenset(self.law.order) if starts is None else self.downstream(starts)
        return self._resting[thing]

    def downstream(self, starts: Iterable[Item]) -> frozenset[Item]:
        """All that rests on some items, themselves among it."""
        waiting, found = list(starts), set[Item]()
        while waiting:
            item = waiting.pop()
            if item not in found:
                found.add(item)
                waiting.extend(self.readers.get(item, ()))
        return frozenset(found)


class Rerun(PlainRun):
    """A case under a changed law. `changed` are the items that come out otherwise."""

    def __init__(self, run: CaseRun, law: Law, web: Web, starts: frozenset[Item]) -> None:
        own = run.run
        # A change reads less than the law or the same, never more: the order holds.
        law.__dict__["order"] = run.law.order
        self.contradictions, self.law, self.unit = own.contradictions, law, own.unit
        self.members, self.supporters = own.members, own.supporters
        self._rows, self._reckoned, self._explained = own._rows, set(law.variables), set()
        self.changed: set[Item] = set()
        self._own = own
        open_items = web.downstream(starts)
        self.values = {k: v for k, v in own.values.items() if ("variable", k[0]) not in open_items}
        self.outcomes = {k: v for k, v in own.outcomes.items() if ("programme", k[0]) not in open_items}
        self._causes = {k: v for k, v in own._causes.items() if ("variable", k[0]) not in open_items}
        self.bounds = Bounds(self) if law.bounds else None
        for item in run.law.order:
            if item in open_items:
                # The bounds of what stays unknown may change though neither its value nor its causes do.
                again = item in starts or law.bounds or not self.changed.isdisjoint(web.below[item])
                self._settle(item, again=again)

    def _settle(self, item: Item, *, again: bool) -> None:
        """Bring one item into the run: reckoned again, or as it was."""
        kind, name = item
        own = self._own
        if kind == "variable":
            for key in [k for k in own.values if k[0] == name]:
                if not again:
                    self.values[key] = own.values[key]
                    if key in own._causes:
                        self._causes[key] = own._causes[key]
                elif (value := self.variable(*key)) != own.values[key] or (
                    value is None and self.why(*key) != own.why(*key)
                ):
                    self.changed.add(item)
            return
        for key in [k for k in own.outcomes if k[0] == name]:
            if not again:
                self.outcomes[key] = own.outcomes[key]
            elif self.outcome(*key) != own.outcomes[key]:
                self.changed.add(item)
