"""What must hold of every household, whatever the law says? For a pack's own tests.

    forgetful(law, unit)         a strategy: the same household with one fact less (a feed, an attribute, a cell)
    not_towards_refer(a, b)      where forgetting changed an outcome to something else than refer: nowhere
    reordered(unit, seed)        the same household, its persons and their rows in another order
    answers(law, unit)           outcome, award and failed tests by programme and member id, to be compared
    undisputed(law)              the law without contradictions between feeds

Choices
    A fact that a formula itself replaces (`first_known`) is not forgotten: there the law says what silence means. Nor
    is the end of what is open-ended, where nothing stated means no end.
    Forgetting moves towards refer under `undisputed(law)` only: who forgets one side of a contradiction between feeds
    no longer sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from hypothesis import strategies as st

from meanscheck.contracts.units import CaseUnit, FeedFacts, PersonFacts
from meanscheck.law.keeping import kept_with_law
from meanscheck.law.law import Law
from meanscheck.law.names import DERIVED, open_ended
from meanscheck.law.plain import PlainRun
from meanscheck.values.evidence_state import EvidenceState

STATED = frozenset({"residence", "division"})
"""Attributes of a household that may be forgotten: days have a default."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came out for one programme; `award` in fen."""

    outcome: str
    award: int | None
    failed: tuple[str, ...]


def answers(law: Law, unit: CaseUnit) -> Mapping[tuple[str, object], Answer]:
    """Programme and member id (None: the household) → what came out."""
    run = PlainRun(law, unit)
    names = [p.attributes.get("id") for p in unit.persons]
    return {
        (o.programme, None if o.member is None else names[o.member]): Answer(
            o.outcome, o.award, tuple(sorted(o.failed))
        )
        for o in run.decide()
    }


@kept_with_law
def undisputed(law: Law) -> Law:
    """The law without contradictions between feeds."""
    return replace(law, conflicts={})


def not_towards_refer(
    before: Mapping[tuple[str, object], Answer], after: Mapping[tuple[str, object], Answer]
) -> list[str]:
    """One line for each outcome that neither stayed nor became refer."""
    return [
        f"{programme} {member or ''}: {answer.outcome} became {after[programme, member].outcome}"
        for (programme, member), answer in before.items()
        if after[programme, member].outcome not in (answer.outcome, "refer")
    ]


def reordered(unit: CaseUnit, seed: int) -> CaseUnit:
    """Persons and rows in another order."""
    random = Random(seed)
    persons = [
        replace(p, feeds={f: replace(x, rows=tuple(random.sample(x.rows, len(x.rows)))) for f, x in p.feeds.items()})
        for p in unit.persons
    ]
    return replace(unit, persons=tuple(random.sample(persons, len(persons))))


@st.composite
def forgetful(draw: st.DrawFn, law: Law, unit: CaseUnit) -> CaseUnit:
    """The same household with one fact less."""
    place = draw(st.integers(0, len(unit.persons) - 1))
    person = unit.persons[place]
    kept = _replaced(law)
    options: list[tuple[str, str, int, str]] = [("feed", feed, 0, "") for feed in sorted(law.needs)]
    options += [
        ("attribute", n, 0, "") for n, v in person.attributes.items() if v is not None and n not in kept | {"id"}
    ]
    options += [("support", n, 0, "") for n, v in person.support.items() if v is not None]
    for feed, facts in person.feeds.items():
        fixed = open_ended(feed) | {"verdict"} | {s for (f, _), names in DERIVED.items() if f == feed for s in names}
        options += [
            ("cell", feed, i, column)
            for i, row in enumerate(facts.rows)
            for column, value in row.items()
            if value is not None and column not in fixed
        ]
    options += [("household", n, 0, "") for n, v in unit.attributes.items() if v is not None and n in STATED]
    kind, name, row, column = draw(st.sampled_from(options))
    if kind == "household":
        return replace(unit, attributes={**unit.attributes, name: None})
    persons = list(unit.persons)
    persons[place] = _without(person, kind, name, row, column)
    return replace(unit, persons=tuple(persons))


def _without(person: PersonFacts, kind: str, name: str, row: int, column: str) -> PersonFacts:
    if kind == "attribute":
        return replace(person, attributes={**person.attributes, name: None})
    if kind == "support":
        return replace(person, support={**person.support, name: None})
    facts = person.feed(name)
    if kind == "feed":
        return replace(person, feeds={**person.feeds, name: FeedFacts(EvidenceState.NO_ANSWER, facts.rows)})
    rows = tuple({**cells, column: None} if i == row else cells for i, cells in enumerate(facts.rows))
    return replace(person, feeds={**person.feeds, name: replace(facts, rows=rows)})


def _replaced(law: Law) -> frozenset[str]:
    """Attributes that some formula replaces where they are not stated."""
    return frozenset(
        str(inner.args[1])
        for tree in law.trees
        for node in tree.walk()
        if node.op == "first_known"
        for inner in node.walk()
        if inner.op == "attr"
    )
