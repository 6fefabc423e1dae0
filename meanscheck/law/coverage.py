"""What of a pack does no case show: which line, which side of a condition, which revision?

`gaps(pack, cases)` lists for everything that the pack's own folder states:

    unreached   a figure or formula that no case evaluates on any day, nor the comparison of a published figure with the
                formula beside it
    line        a test that is one comparison, without a case below its line, on it, or above it
    side        a condition inside a formula that no case has seen true, or none false: a side of a comparison, a branch
                of an `if`, a term of an `or`
    beyond      a side that no case can show, since nobody can be found eligible for a programme of which a formula was
                not found: nothing is owed until it is entered

Choices
    On the line is equal, exactly: 10 800.00 over 12 months against 900.00. How near the cases beside it lie is asked
    by the mutants of the figures (`mutating`): one smallest unit more or less must be noticed.
    A condition is asked for both its sides wherever it stands, in a test or in a variable that the test reads, so that
    one case is owed once and not by every reader.
    Revisions of one thing that say the same in one file are asked together, as their mutants are.
    Only what can happen is asked for. A row whose finding says that it does not count belongs to no aggregate: the
    other side of `is_confirmed` is a row without a finding. A cell that may be any of its column's texts is one of
    them, or nothing is stated.
    That a side is beyond every case follows from the law itself, of each day and of each pack below; so it is asked for
    again on the day on which the missing formula is entered, and nobody has to remember it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal

from meanscheck.contracts import all_feeds
from meanscheck.law.case_runs import ABOVE, BELOW, NO, ON, OPEN, YES, CaseRun, Cases, trees_of
from meanscheck.law.chosen import Key, Stated, chosen_of
from meanscheck.law.derived_checks import figures_compared
from meanscheck.law.law import Law, Programme
from meanscheck.law.margins import margin_of
from meanscheck.law.mutant_laws import groups_of, tree_of
from meanscheck.law.mutants import Path, node_at
from meanscheck.law.rerun import Web
from meanscheck.law.resolve import RulePack
from meanscheck.law.told import held_programme, shortened, text_of
from meanscheck.law.tree import Node

Kind = Literal["unreached", "line", "side", "beyond"]
_COMPOSITE = frozenset({"and", "or", "not"})
_OF_A_LINE = ((BELOW, "below its line"), (ON, "on its line"), (ABOVE, "above its line"))
_OF_A_CONDITION = ((YES, "holds"), (NO, "does not hold"))
_OF_A_FINDING = ((YES, "holds"), (OPEN, "is open, without a finding"))
_OF_ALL_THERE_IS = ((YES, "holds"), (OPEN, "is open, nothing being stated"))


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that no case shows; `needed` says which case would, or why none can."""

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
        is_read = any(shown.web(run).reads(first.thing, run) for run in runs)
        if not is_read and shown.compared.isdisjoint(s.key for s in group):
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
            for words in (words for bit, words in _OF_A_LINE if not bits & bit):
                yield Gap("line", first.file, first.thing, since, f"a case {words}: {shortened(text_of(node))}")
            continue
        for bit, word in _sides_of(node):
            if bits & bit:
                continue
            missing = shown.beyond_reach(pack, group, node, bit)
            if missing:
                why = f"nobody can be found eligible, without {', '.join(missing)}: {shortened(text_of(node))}"
                yield Gap("beyond", first.file, first.thing, since, why)
            else:
                needed = f"a case in which this {word}: {shortened(text_of(node))}"
                yield Gap("side", first.file, first.thing, since, needed)


def _sides_of(node: Node) -> tuple[tuple[int, str], ...]:
    """Both sides of a condition, with the words for each."""
    if node.op == "confirmed":
        return _OF_A_FINDING
    return _OF_ALL_THERE_IS if _is_any_choice(node) else _OF_A_CONDITION


def _is_any_choice(node: Node) -> bool:
    """Whether a cell is asked to be one of all the texts that its column may hold."""
    if node.op != "in" or node.nodes[0].op != "col":
        return False
    feed, name = map(str, node.nodes[0].args)
    column = next((c for c in all_feeds()[feed].columns if c.name == name), None)
    return column is not None and bool(column.choices) and set(column.choices) <= set(node.args[1:])


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

    @cached_property
    def compared(self) -> frozenset[Key]:
        """Revisions of figures from which a published figure was reckoned, in any of the packs, and rightly."""
        return frozenset().union(*map(figures_compared, self.cases.packs.values()))

    def beyond_reach(self, pack: RulePack, group: Sequence[Stated], node: Node, bit: int) -> tuple[str, ...]:
        """Without which formulas a side cannot be shown in this pack or in those below it; empty if it can."""
        programme = _asked_to_be_eligible(node, bit)
        if programme is None:
            return ()
        missing: set[str] = set()
        for law in self._laws(pack, group):
            for open_ones in (_not_found(p) for p in law.programmes if p.id == programme):
                if not open_ones:
                    return ()
                missing |= open_ones
        return tuple(sorted(missing))

    def _laws(self, pack: RulePack, group: Sequence[Stated]) -> Iterator[Law]:
        """All laws, of a pack and of those below it, that take one of some revisions."""
        keys = {stated.key for stated in group}
        for other in self.cases.packs.values():
            if any(level.place == pack.place for level in other.levels):
                for day in other.boundary_days():
                    stated = chosen_of(other, day, date.max).get(group[0].thing)
                    if stated is not None and stated.key in keys:
                        yield other.on(day, known_by=date.max)


def _asked_to_be_eligible(node: Node, bit: int) -> str | None:
    """The programme that must come out eligible for a side of a comparison; None if none must."""
    if (node.op, bit) not in (("==", YES), ("!=", NO)):
        return None
    outcome, word = node.nodes
    is_such = outcome.op == "outcome" and word.op == "text" and word.args[0] == "eligible"
    return str(outcome.args[0]) if is_such else None


def _not_found(programme: Programme) -> set[str]:
    """The formulas of a programme that were not found. A figure that was not may still be given to a case."""
    names = {str(tree.args[0]) for tree in programme.trees if tree.op == "unknown"}
    return {name.replace(f"programme {programme.id}, ", f"{programme.id}: ") for name in names}


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
