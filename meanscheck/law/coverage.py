"""What of a pack does no case show: which line, which side of a condition, which revision?

`gaps(pack, cases)` lists for everything that the pack's own folder states:

    unreached   a figure or formula that no case evaluates on any day
    line        a test that is one comparison, without a case below its line, on it, or above it
    side        a condition inside a formula that no case has seen true, or none false: a side of a comparison, a branch
                of an `if`, a term of an `or`

Choices
    On the line is equal, exactly: 10 800.00 over 12 months against 900.00. How near the cases beside it lie is asked
    by the mutants of the figures (`mutating`): one smallest unit more or less must be noticed.
    A condition is asked for both its sides wherever it stands, in a test or in a variable that the test reads, so that
    one case is owed once and not by every reader.
    Revisions of one thing that say the same in one file are asked together, as their mutants are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from meanscheck.law.case_runs import ABOVE, BELOW, NO, ON, YES, CaseRun, Cases, trees_of
from meanscheck.law.chosen import Stated
from meanscheck.law.margins import margin_of
from meanscheck.law.mutant_laws import groups_of, tree_of
from meanscheck.law.mutants import Path, node_at
from meanscheck.law.rerun import Web
from meanscheck.law.resolve import RulePack
from meanscheck.law.told import held_programme, shortened, text_of
from meanscheck.law.tree import Node

Kind = Literal["unreached", "line", "side"]
_COMPOSITE = frozenset({"and", "or", "not"})
_SIDES = ((BELOW, "below its line"), (ON, "on its line"), (ABOVE, "above its line"))


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that no case shows; `needed` says which case would."""

    kind: Kind
    file: str
    thing: str
    since: tuple[date, ...]
    needed: str


def gaps(pack: RulePack, cases: Cases) -> tuple[Gap, ...]:
    """All that cases, of this pack and of those below it, leave open, in the order of the pack's files."""
    shown = _Shown(cases)
    return tuple(gap for group in groups_of(pack) for gap in _of_group(pack, shown, group))


def _of_group(pack: RulePack, shown: _Shown, group: Sequence[Stated]) -> Iterator[Gap]:
    first = group[0]
    since = tuple(sorted(s.revision.in_force_on for s in group))
    runs = shown.runs(group)
    if first.thing.startswith("parameter "):
        if not any(shown.web(run).reads(first.thing, run) for run in runs):
            yield Gap("unreached", first.file, first.thing, since, _on_a_day(group))
        return
    tree = tree_of(pack, first)
    if _bits(runs, first.thing, ()) is None:
        yield Gap("unreached", first.file, first.thing, since, _on_a_day(group))
        return
    is_line = ", test " in first.thing and margin_of(tree) is not None
    for path, node in _conditions(tree, ()):
        bits = _bits(runs, first.thing, path) or 0
        if is_line and not path:
            missing = [words for bit, words in _SIDES if not bits & bit]
            for words in missing:
                yield Gap("line", first.file, first.thing, since, f"a case {words}: {shortened(text_of(node))}")
            continue
        for bit, word in ((YES, "holds"), (NO, "does not hold")):
            if not bits & bit:
                needed = f"a case in which this {word}: {shortened(text_of(node))}"
                yield Gap("side", first.file, first.thing, since, needed)


def _on_a_day(group: Sequence[Stated]) -> str:
    return f"a case on a day from {min(s.revision.in_force_on for s in group)} that uses it"


class _Shown:
    """What cases show: they look at what their expectations rest on, and at nothing else that is reckoned beside."""

    def __init__(self, cases: Cases) -> None:
        self.cases = cases
        self._webs: dict[int, Web] = {}

    def web(self, run: CaseRun) -> Web:
        if id(run.law) not in self._webs:
            self._webs[id(run.law)] = Web(run.law)
        return self._webs[id(run.law)]

    def runs(self, group: Sequence[Stated]) -> list[CaseRun]:
        """The cases whose law took one of these revisions, and which expect something that rests on it."""
        return [
            run
            for stated in group
            for run in self.cases.taking(stated.key)
            if not self.web(run).resting_on(stated.thing).isdisjoint(run.expected)
        ]


def _bits(runs: Sequence[CaseRun], thing: str, path: Path) -> int | None:
    """What a part of a formula came to in some cases; None if none evaluated it."""
    found: int | None = None
    for run in runs:
        for tree in trees_of(run.law, thing):
            bits = run.run.seen.get(id(node_at(tree, path)))
            if bits is not None:
                found = (found or 0) | bits
    return found


def _conditions(node: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    """The parts of a formula that are a yes/no by themselves, and the whole if it is one."""
    is_truth = node.type.kind == "bool" and node.op not in ("int", "unknown")
    if is_truth and (not path or node.op not in _COMPOSITE):
        yield path, node
    if held_programme(node):
        return
    for position, child in enumerate(node.nodes):
        yield from _conditions(child, (*path, position))
