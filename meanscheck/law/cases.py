"""A case: one stated situation and what must come out. How is its TOML read, run and compared?

A case is written as a caseworker would state it (`rules/*/cases.toml`): amounts in yuan as text, ids instead of
identity numbers, a list of months as shorthand for one row a month. What is left out is unknown, except:
`lives_together` is true, `applied_on` and `reference_day` are `on`, and a feed that is not named has been answered
with no rows. Errors name the file, the case, the person and the key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from meanscheck.contracts.units import HOUSEHOLD_ATTRIBUTES, MEMBER_ATTRIBUTES, CaseUnit, FeedFacts, PersonFacts, Value
from meanscheck.errors import CaseError
from meanscheck.law.case_cells import Cells
from meanscheck.law.law import Law
from meanscheck.law.names import NO_FORMULA
from meanscheck.law.plain import Outcome, PlainRun, Result
from meanscheck.law.resolve import RulePack
from meanscheck.values.evidence_state import STATE_WORDS, EvidenceState
from meanscheck.values.money import format_yuan, parse_yuan

_CASE_KEYS = frozenset(
    {
        *("id", "on", "known_by", "parameters", "accept", "unanswered", "programmes"),
        *("household", "member", "supporter", "expect", "note", "title"),
    }
)
_PERSON_KEYS = frozenset({"states", "note"})
_EXPECT_KEYS = frozenset({"outcome", "award", "failed", "values", "causes", "note"})
_VERDICTS = {"confirmed": 1, "explained": 2, "disregarded": 2}


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a programme must give for the household (`member` None) or a member, by id."""

    programme: str
    member: str | None
    outcome: str | None
    award: int | None
    has_award: bool
    failed: tuple[str, ...] | None
    causes: tuple[str, ...] | None
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Case:
    """One situation: a case unit, the day it is decided for, what-if figures, and what is expected."""

    id: str
    on: date
    known_by: date | None
    overlay: Mapping[str, object]
    accept: tuple[str, ...]
    unit: CaseUnit
    expectations: tuple[Expectation, ...]

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any], *, where: str = "case") -> Case:
        """A case from nested plain values, as TOML or JSON gives them; CaseError if it is faulty."""
        return _Reader(where).case(facts)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came out of one case; `unmet` lists the expectations that were not met."""

    case: Case
    outcomes: tuple[Outcome, ...]
    unmet: tuple[str, ...]

    def to_json(self) -> list[dict[str, object]]:
        """One object per programme and member, as `rules run --json` prints them."""
        members = [p.attributes.get("id") for p in self.case.unit.persons]
        return [
            {
                "case": self.case.id,
                "programme": o.programme,
                "member": None if o.member is None else members[o.member],
                "outcome": o.outcome,
                "award": None if o.award is None else format_yuan(o.award),
                "failed": list(o.failed),
                "causes": sorted(o.causes),
            }
            for o in self.outcomes
        ]


def load_cases(path: str | Path) -> tuple[Case, ...]:
    """All cases of a TOML file; CaseError naming file, case and key."""
    file = Path(path)
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CaseError("no such file", where=file.name, remedy="Name a cases.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise CaseError(f"not valid TOML: {fault}", where=file.name) from None
    cases = data.pop("case", [])
    if data or not isinstance(cases, list) or not cases:
        raise CaseError("the file must hold [[case]] entries and nothing else", where=file.name)
    names = [c.get("id") for c in cases]
    for name in names:
        if names.count(name) > 1:
            raise CaseError(f"two cases are called {name}", where=file.name, remedy="Rename one")
    return tuple(Case.from_dict(c, where=f"{file.name}: case {c.get('id', '?')}") for c in cases)


def run_case(pack: RulePack, case: Case) -> CaseResult:
    """Decide one case by the plain executor and compare with what it expects."""
    law = pack.on(case.on, known_by=case.known_by, accept=case.accept, overlay=case.overlay)
    return judged(case, PlainRun(law, case.unit))


def judged(case: Case, run: PlainRun) -> CaseResult:
    """What a run of a case gives, compared with what it expects."""
    outcomes = run.decide()
    unmet = [line for e in case.expectations for line in _unmet(e, case.unit, run, outcomes, run.law)]
    return CaseResult(case, outcomes, tuple(unmet))


def _unmet(e: Expectation, unit: CaseUnit, run: PlainRun, outcomes: Sequence[Outcome], law: Law) -> list[str]:
    name = e.programme if e.member is None else f"{e.programme} {e.member}"
    found = [
        o
        for o in outcomes
        if o.programme == e.programme
        and (o.member is None if e.member is None else o.member is not None and _id(unit, o.member) == e.member)
    ]
    if not found:
        return [f"{name}: not decided on {law.on}"]
    (o,) = found
    lines: list[str] = []
    if e.outcome is not None and o.outcome != e.outcome:
        lines.append(f"{name}: outcome {o.outcome}, expected {e.outcome}")
    if e.has_award and o.award != e.award:
        shown = ["none" if a is None else format_yuan(a) for a in (o.award, e.award)]
        lines.append(f"{name}: award {shown[0]}, expected {shown[1]}")
    if e.failed is not None and set(o.failed) != set(e.failed):
        lines.append(f"{name}: failed {list(o.failed)}, expected {list(e.failed)}")
    for cause in e.causes or ():
        if not any(cause in (c, *c.split(":", 1)) for c in o.causes):
            lines.append(f"{name}: cause {cause} is missing among {sorted(o.causes)}")
    for variable, wanted in e.values.items():
        lines.extend(_unmet_value(variable, wanted, run, o.member, law, name))
    return lines


def _unmet_value(variable: str, wanted: object, run: PlainRun, member: int | None, law: Law, name: str) -> list[str]:
    if variable not in law.variables:
        return [f"{name}: no variable {variable}"]
    if member is None and law.variables[variable].entity != "household":
        return [
            f"{name}: {variable} belongs to a {law.variables[variable].entity}; expect it under a programme of persons"
        ]
    got = shown_value(run.variable(variable, member), law.variables[variable].unit)
    if isinstance(wanted, str) and wanted != "unknown" and law.variables[variable].unit in ("money", "money/month"):
        wanted = format_yuan(parse_yuan(wanted))
    if str(got) != str(wanted).replace("True", "true").replace("False", "false"):
        return [f"{name}: {variable} is {got}, expected {wanted}"]
    return []


def shown_value(value: Result, unit: str) -> str:
    """A variable's value as text; ``unknown`` if it is."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "true" if value else "false"
    if unit in ("money", "money/month"):
        return format_yuan(int(value))  # type: ignore[arg-type]
    return str(value)


def _id(unit: CaseUnit, person: int) -> object:
    return unit.persons[person].attributes.get("id")


class _Reader(Cells):
    """Reads one case; `where` names file and case."""

    def case(self, facts: Mapping[str, Any]) -> Case:
        self.keys(facts, _CASE_KEYS, "")
        if not isinstance(facts.get("id"), str):
            raise self.fail("id is missing")
        on = self.day(facts.get("on"), "on")
        unanswered = facts.get("unanswered", [])
        for feed in unanswered:
            self.feed(feed, "unanswered")
        household = facts.get("household")
        if not isinstance(household, dict):
            raise self.fail("[case.household] is missing")
        people = {k: [*facts.get(k, []), *household.get(k, [])] for k in ("member", "supporter")}
        unit = self.unit(household, people, facts["id"], on, unanswered, tuple(facts.get("programmes", ())))
        known_by = facts.get("known_by")
        return Case(
            id=facts["id"],
            on=on,
            known_by=None if known_by is None else self.day(known_by, "known_by"),
            overlay=dict(facts.get("parameters", {})),
            accept=tuple(facts.get("accept", ())),
            unit=unit,
            expectations=tuple(self.expectations(facts.get("expect", {}), unit)),
        )

    def unit(
        self,
        household: Mapping[str, Any],
        people: Mapping[str, list[Any]],
        case_id: str,
        on: date,
        unanswered: Sequence[str],
        requested: tuple[str, ...],
    ) -> CaseUnit:
        self.keys(household, [*HOUSEHOLD_ATTRIBUTES, "member", "supporter"], "household")
        attributes = {
            name: self.attribute(household[name], t, f"household {name}")
            for name, t in HOUSEHOLD_ATTRIBUTES.items()
            if name in household
        }
        attributes.setdefault("applied_on", on)
        attributes.setdefault("reference_day", on)
        reference = attributes["reference_day"]
        assert isinstance(reference, date)
        persons = [self.person(m, "member", reference, unanswered) for m in people["member"]]
        persons += [self.person(s, "supporter", reference, unanswered) for s in people["supporter"]]
        ids = [p.attributes.get("id") for p in persons]
        for name in ids:
            if name is None or ids.count(name) > 1:
                raise self.fail("each person needs an id of its own", f"person {name}")
        if not any(p.role == "member" for p in persons):
            raise self.fail("no [[case.member]]")
        return CaseUnit(case_id, attributes, tuple(persons), requested)

    def person(self, given: Mapping[str, Any], role: str, reference: date, unanswered: Sequence[str]) -> PersonFacts:
        at = f"{role} {given.get('id', '?')}"
        contract = self.feeds["supporters"]
        own = {c.name: c for c in contract.columns if c.in_formulas and c.name not in NO_FORMULA}
        fixed = ("id", "supports", *own) if role == "supporter" else tuple(MEMBER_ATTRIBUTES)
        self.keys(given, [*fixed, *self.feeds, *_PERSON_KEYS], at)
        attributes: dict[str, Value] = {"id": given.get("id")}
        support: dict[str, Value] = {}
        if role == "member":
            for name, t in MEMBER_ATTRIBUTES.items():
                if name in given:
                    attributes[name] = self.attribute(given[name], t, f"{at} {name}")
            attributes.setdefault("lives_together", True)
        else:
            support = {
                name: self.cell(column.kind, given[name], column.choices, f"{at} {name}")
                for name, column in own.items()
                if name in given
            }
        states = given.get("states", {})
        feeds: dict[str, FeedFacts] = {}
        named = (f for f in self.feeds if isinstance(given.get(f), list) and f != "findings")
        for name in {*unanswered, *states, *named}:
            self.feed(name, at)
            word = states.get(name, "no_answer" if name in unanswered else "answered")
            if word not in STATE_WORDS:
                remedy = f"Use one of {', '.join(STATE_WORDS)}"
                raise self.fail("no such state of evidence", f"{at} states {name}", remedy)
            rows = self.rows(self.feeds[name], given.get(name, []), reference, f"{at} {name}")
            feeds[name] = FeedFacts(EvidenceState[word.upper()], rows)
        self.findings(given.get("findings", []), feeds, at)
        return PersonFacts(role, attributes, feeds, tuple(given.get("supports", ())), support)

    def findings(self, given: Any, feeds: dict[str, FeedFacts], at: str) -> None:
        """Findings name a feed and the row's place in it, from 1."""
        if not isinstance(given, list):
            raise self.fail("rows are written [[…]]", f"{at} findings")
        for finding in given:
            feed, verdict = finding.get("feed"), finding.get("verdict")
            place = str(finding.get("row_ref", ""))
            facts = feeds.get(str(feed))
            if verdict not in _VERDICTS:
                raise self.fail("not a verdict", f"{at} findings", f"Use one of {', '.join(_VERDICTS)}")
            if facts is None or not place.isdigit() or not 1 <= int(place) <= len(facts.rows):
                raise self.fail("names a row that is not there", f"{at} findings", "row_ref is the row's place, from 1")
            rows = list(facts.rows)
            rows[int(place) - 1] = {**rows[int(place) - 1], "verdict": _VERDICTS[verdict]}
            feeds[str(feed)] = FeedFacts(facts.state, tuple(rows))

    def expectations(self, given: Any, unit: CaseUnit) -> list[Expectation]:
        ids = {str(p.attributes.get("id")) for p in unit.members}
        result: list[Expectation] = []
        for programme, wanted in given.items():
            if isinstance(wanted, dict) and wanted and all(isinstance(v, dict) and k in ids for k, v in wanted.items()):
                result.extend(self.expectation(programme, member, w) for member, w in wanted.items())
            else:
                result.append(self.expectation(programme, None, wanted))
        return result

    def expectation(self, programme: str, member: str | None, wanted: Any) -> Expectation:
        at = f"expect.{programme}" + (f".{member}" if member else "")
        if not isinstance(wanted, dict):
            raise self.fail("an expectation is a table", at)
        self.keys(wanted, _EXPECT_KEYS, at)
        award = wanted.get("award")
        try:
            fen = None if award in (None, "none") else parse_yuan(self.text(award, f"{at} award"))
        except ValueError:
            raise self.fail("not an amount", f"{at} award", 'Write it like "570.00"') from None
        lists = {k: tuple(wanted[k]) if k in wanted else None for k in ("failed", "causes")}
        return Expectation(
            programme=programme,
            member=member,
            outcome=wanted.get("outcome"),
            award=fen,
            has_award="award" in wanted,
            failed=lists["failed"],
            causes=lists["causes"],
            values=wanted.get("values", {}),
        )
