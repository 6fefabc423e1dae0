"""Does the symbolic household say of a real one what the plain executor says? Every stated case of the real packs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
import z3

from meanscheck.contracts.units import VERDICT_DROPPED, CaseUnit, PersonFacts
from meanscheck.law import Law, RulePack
from meanscheck.law.cases import Case, load_cases
from meanscheck.law.conflicts.plain import find
from meanscheck.law.levels import files_of
from meanscheck.law.plain import PlainRun
from meanscheck.law.plain_rows import At, with_derived
from meanscheck.law.proving.encode import Encoder
from meanscheck.law.proving.household import Extent
from meanscheck.law.proving.rows import FeedClasses, RowClass
from meanscheck.law.proving.scene import Scene
from meanscheck.law.proving.terms import NotEncodable, Sym
from meanscheck.law.tree import Node
from meanscheck.values.evidence_state import EvidenceState

PACKS = ("rules/cn", "rules/cn/guangdong", "rules/cn/guangdong/jiangmen")
EVERY = 4
"""One case in so many of each file is tried: all of them together take minutes."""
MOST_PERSONS = 21


def cases_of(pack: str) -> Iterator[tuple[str, Case]]:
    for file in files_of(RulePack.load(pack).levels[-1].folder, "cases"):
        for case in load_cases(file)[::EVERY]:
            yield pack, case


CASES = [c for pack in PACKS for c in cases_of(pack)]
LOADED: dict[str, RulePack] = {}


class Pinned:
    """A case as constraints on the symbols of a world; what the case leaves unknown stays free."""

    def __init__(self, law: Law, unit: CaseUnit) -> None:
        supporters = [p for p in unit.persons if p.role != "member"]
        extent = Extent(len(unit.members), len(supporters))
        self.law, self.unit, self.plain = law, unit, PlainRun(law, unit)
        self.scene = Scene((law,), extent)
        self.world = self.scene.world()
        self.encoder: Encoder = self.scene.encoder(self.world)
        self.persons: list[PersonFacts] = [*unit.members, *supporters]

    def constraints(self) -> list[Sym]:
        parts = [c for c in self.world.all_constraints() if c is not True]
        for name in list(self.world.names()):
            symbol, words = self.world.find(name), name.split(" ")
            value = self.value(words)
            if value is not None:
                parts.append(symbol == value)
        return parts

    def value(self, words: list[str]) -> object:
        if words[0] == "present":
            return True
        if words[0] == "supports":
            supporter, member = (self.persons[int(w)] for w in words[1:])
            return member.attributes.get("id") in supporter.supports
        if words[0] == "household":
            return self.stored(self.unit.attributes.get(words[1]))
        if words[0] == "member":
            return self.stored(self.persons[int(words[1])].attributes.get(words[2]))
        if words[0] == "supporter":
            return self.stored(self.persons[int(words[1])].support.get(words[2]))
        if words[0] in ("rows", "sum"):
            return self.of_rows(words)
        return self.picked(words) if words[0] == "pick" else None

    def picked(self, words: list[str]) -> object:
        """The latest, lowest or highest of a person's rows: the number, or for a text the class of the row it is of."""
        person = self.unit.persons.index(self.persons[int(words[1])])
        (node,) = {n for n in self.encoder.aggregates() if str(n.key) == words[2]}
        element, by = node.nodes[0], node.nodes[-1]
        if element.type.kind == "num":
            return self.plain.value(node, At(person))
        feed = str(node.args[1])
        rows = [row for row in self.persons[int(words[1])].feed(feed).rows if row.get("verdict") != VERDICT_DROPPED]
        if not rows or self.plain.value(node, At(person)) is None:
            return None
        latest = max(rows, key=lambda row: str(self.plain.value(by, At(person, row))))
        of = self.class_of(self.scene.classes.of(feed), int(words[1]), latest)
        return None if of is None else of.number

    def stored(self, value: object) -> object:
        if isinstance(value, date):
            return value.toordinal()
        return self.scene.texts.code(value) if isinstance(value, str) else value

    def of_rows(self, words: list[str]) -> object:
        """How many rows of a class a person has, or what a column of them sums to; None where the case does not say."""
        person, feed, number = int(words[1]), words[2], int(words[3])
        facts = self.persons[person].feed(feed)
        if facts.state is not EvidenceState.ANSWERED:
            return None
        classes = self.scene.classes.of(feed)
        rows = [r for r in with_derived(feed, facts.rows) if r.get("verdict") != VERDICT_DROPPED]
        places = [self.class_of(classes, person, row) for row in rows]
        if None in places:
            return None
        mine = [row for row, of in zip(rows, places, strict=True) if of is not None and of.number == number]
        if words[0] == "rows":
            return len(mine)
        cells = [row.get(words[4]) for row in mine]
        whole = [c for c in cells if isinstance(c, int)]
        return sum(whole) if len(whole) == len(cells) else None

    def has_unplaced_rows(self) -> bool:
        """Whether a row is of no class that is known, since a cell of it that the law reads is unknown."""
        feeds = {str(node.args[1]) for node in self.encoder.aggregates()}
        return any(
            self.class_of(self.scene.classes.of(feed), number, row) is None
            for feed in feeds
            for number, person in enumerate(self.persons)
            if person.feed(feed).state is EvidenceState.ANSWERED
            for row in with_derived(feed, person.feed(feed).rows)
            if row.get("verdict") != VERDICT_DROPPED
        )

    def class_of(self, classes: FeedClasses, person: int, row: object) -> RowClass | None:
        index = self.unit.persons.index(self.persons[person])
        at = At(index, row)  # type: ignore[arg-type]
        for of in classes.classes:
            answers = {self.holds(node, at): wanted for (_, node), wanted in of.holds.items()}
            if all(self.holds(node, at) is wanted for (_, node), wanted in of.holds.items()) and answers:
                return of
        every = {node for of in classes.classes for _, node in of.holds}
        seen = {self.holds(node, at) for node in every}
        # A row that no condition holds of is of no class; one that leaves a condition unknown is of none that we know.
        return RowClass(classes.feed, -1, {}, ()) if seen == {False} else None

    def holds(self, node: Node, at: At) -> object:
        return True if node.op == "true" else self.plain.value(node, at)


@pytest.mark.parametrize(("pack", "case"), CASES, ids=[f"{p.split('/')[-1]}-{c.id}" for p, c in CASES])
def test_what_is_decided_of_a_case_is_what_the_encoding_says(pack: str, case: Case) -> None:
    loaded = LOADED.setdefault(pack, RulePack.load(pack))
    law = loaded.on(case.on, known_by=case.known_by, accept=case.accept, overlay=case.overlay)
    # The encoding is of applications of the day itself, so the case is moved there; what comes out may then differ.
    unit = replace(case.unit, attributes={**case.unit.attributes, "applied_on": law.on, "reference_day": law.on})
    if len(unit.persons) > MOST_PERSONS:
        pytest.skip("large households take minutes")
    if find(law, unit) or any(not p.supports for p in unit.persons if p.role != "member"):
        pytest.skip("contradictions and register co-residents are not encoded")
    if any(row.get("verdict") == 0 for p in unit.persons for f in p.feeds.values() for row in f.rows):
        pytest.skip("doubtful points without a finding")
    pinned = Pinned(law, unit)
    if pinned.has_unplaced_rows():
        pytest.skip("the encoding is of complete rows")
    asked = 0
    for outcome in pinned.plain.decide():
        if outcome.outcome == "refer" or (outcome.member is None and not unit.members):
            continue
        who = None if outcome.member is None else unit.members.index(unit.persons[outcome.member])
        try:
            decided = pinned.encoder.decided(outcome.programme, who)
        except NotEncodable:
            continue
        solver = z3.Solver()
        solver.set("timeout", 20_000)
        solver.add(*pinned.constraints())
        assert solver.check() == z3.sat
        says = decided.outcome.true if outcome.outcome == "eligible" else decided.outcome.false
        wrong = [z3.Not(says) if not isinstance(says, bool) else z3.BoolVal(not says)]
        if outcome.award is not None and decided.award is not None:
            wrong.append(decided.award.top != outcome.award)
        solver.add(z3.Or(*wrong))
        assert solver.check() == z3.unsat, f"{outcome.programme} {outcome.member}"
        asked += 1
    if not asked:
        pytest.skip("nothing is decided")
