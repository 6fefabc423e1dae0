"""What does each case of a pack touch: which revisions, which parts of which formulas, and with what truth?

`Cases(folders)` runs the cases of some packs by the plain executor, each once, and keeps of each run what was
evaluated. From that follows which cases a change of the law can touch at all (`mutating`), and what no case touches
(`coverage`).

Choices
    The cases of the packs below count for a folder too: national law leaves its limits to the cities, so only a
    city's case can show that a rule of the nation decides.
    A part that a run did not evaluate cannot change it, since the executor is deterministic: it need not be run
    again for a change there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from meanscheck.errors import CaseError
from meanscheck.law.cases import Case, CaseResult, judged, load_cases
from meanscheck.law.chosen import Key, Stated, chosen_of
from meanscheck.law.keeping import kept_with_law
from meanscheck.law.law import Law
from meanscheck.law.levels import files_of
from meanscheck.law.order import Item
from meanscheck.law.plain import PlainRun
from meanscheck.law.plain_rows import At, Result, operation
from meanscheck.law.resolve import RulePack
from meanscheck.law.tree import Node

YES, NO, OPEN, BELOW, ON, ABOVE = 1, 2, 4, 8, 16, 32
"""What a yes/no came to, as bits, several where it was evaluated for several persons or rows; and for a comparison
where its left side lay."""
_ORDER = frozenset({"<", "<=", ">", ">="})


class TracedRun(PlainRun):
    """A run that keeps what it evaluated: id of a node → bits of what it came to (0 for what is no yes/no)."""

    def __init__(self, law: Law, case: Case) -> None:
        super().__init__(law, case.unit)
        self.seen: dict[int, int] = {}

    def value(self, node: Node, at: At) -> Result:
        if node.op in _ORDER:
            a, b = (self.value(n, at) for n in node.nodes)
            result = None if a is None or b is None else operation(node, (a, b), self.law.on)
            if result is not None:
                self.seen[id(node)] = self.seen.get(id(node), 0) | _side(a, b)
        else:
            result = super().value(node, at)
        bits = OPEN if result is None else YES if result is True else NO if result is False else 0
        self.seen[id(node)] = self.seen.get(id(node), 0) | bits
        return result


def _side(a: Any, b: Any) -> int:
    return ON if a == b else BELOW if a < b else ABOVE


@dataclass(frozen=True, eq=False)
class CaseRun:
    """One case with the law of its day, the revisions that this law took, and what the run touched."""

    pack: RulePack
    file: str
    case: Case
    law: Law
    chosen: Mapping[str, Stated]
    run: TracedRun
    result: CaseResult

    @cached_property
    def expected(self) -> frozenset[Item]:
        """What the expectations of the case look at."""
        items: set[Item] = set()
        for e in self.case.expectations:
            items.add(("programme", e.programme))
            items |= {("variable", name) for name in e.values}
        return frozenset(items)

    @property
    def name(self) -> str:
        """File and case, for a message."""
        return f"{self.file}: {self.case.id}"


class Cases:
    """All cases of some packs' folders, run once. Laws of one day are shared.

    `packs` are the packs by folder; `faults` says which file of cases cannot be read, and why.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self.packs: dict[Path, RulePack] = {}
        self.runs: list[CaseRun] = []
        self.faults: list[str] = []
        self._laws: dict[tuple[Any, ...], tuple[Law, Mapping[str, Stated]]] = {}
        for folder in folders:
            pack = self.packs[folder.resolve()] = RulePack.load(folder)
            for path in files_of(folder, "cases"):
                place = f"{pack.place}/{path.name}"
                try:
                    self.runs += [self._run(pack, place, case) for case in load_cases(path)]
                except CaseError as fault:
                    self.faults.append(f"{pack.place}: {fault}")

    def _run(self, pack: RulePack, file: str, case: Case) -> CaseRun:
        known_by = case.known_by or case.on
        key = (pack.place, case.on, known_by, frozenset(case.accept), repr(sorted(case.overlay.items())))
        if key not in self._laws:
            law = pack.on(case.on, known_by=known_by, accept=case.accept, overlay=case.overlay)
            self._laws[key] = (law, chosen_of(pack, case.on, known_by))
        law, chosen = self._laws[key]
        run = TracedRun(law, case)
        return CaseRun(pack, file, case, law, chosen, run, judged(case, run))

    @property
    def unmet(self) -> tuple[str, ...]:
        """Expectations that are not met, with file and case."""
        return tuple(f"{r.name}: {line}" for r in self.runs for line in r.result.unmet)

    def taking(self, key: Key) -> Iterator[CaseRun]:
        """The runs whose law took a revision."""
        for run in self.runs:
            stated = run.chosen.get(key[1])
            if stated is not None and stated.key == key and is_in(run.law, stated):
                yield run


@kept_with_law
def trees_of(law: Law, thing: str) -> tuple[Node, ...]:
    """The trees that a law has of a variable, test or award, as its formula says them: a reviewed test reads copies of
    variables (``id~feed``), so there may be several. None for a formula that is unknown or absent."""
    kind, _, name = thing.partition(" ")
    if kind == "variable":
        found = [v.tree for v in law.variables.values() if v.id == name or v.id.startswith(f"{name}~")]
        if name in law.memberships:
            found = [tree.nodes[-1] for tree in found]
        return tuple(t for t in found if t.op != "unknown")
    programme_id, _, part = name.partition(", ")
    programme = next((p for p in law.programmes if p.id == programme_id), None)
    if programme is None:
        return ()
    if part == "award":
        found = [] if programme.award is None else [programme.award.tree]
    else:
        found = [t.tree for t in programme.tests if t.id == part.removeprefix("test ")]
    return tuple(t for t in found if t.op != "unknown")


def is_in(law: Law, stated: Stated) -> bool:
    """Whether a revision that was chosen counts in a law: it is known, accepted where unsure, and not overlaid."""
    if not stated.thing.startswith("parameter "):
        return bool(trees_of(law, stated.thing))
    parameter = law.parameters.get(stated.thing.removeprefix("parameter "))
    return parameter is not None and not parameter.unknown and parameter.status != "overlay"
