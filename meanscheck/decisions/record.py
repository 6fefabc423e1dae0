"""What is a decision record, and which bytes is it?

Seven groups, each one JSON object in canonical form (RFC 8785): integers, ISO days, texts, yes/no and null; amounts
in fen, ratios in millionths. The same groups come out of the vector executor (`encode`) and of the plain one
(`plain_record`, here); a test holds their bytes equal, and a start-up self-test compares the bulk writer with the
rfc8785 package.

    subject     case, household (token), persons (tokens of the members)
    household   accepting_place, application_no, applied_on, division, members [id, relation],
                reference_day, residence, size
    means       household {variable: value}, members [id, values], supporters [id, values]
    result      household [award, causes, outcome, programme], members [id, outcomes], on
    reasons     household [cite, holds, id, limit, margin, programme, value], members [id, tests], and where the law
                knows kinds of contradictions between feeds: conflicts (see `disputes`)
    provenance  accepted, known_by, language, law, on, pack, snapshot, supersedes
    evidence    input (digest of the rows of all persons of the case unit)

An entry of reasons whose test bounds decided (`law.bounds`) begins with bounds: of a test that is one comparison limit
[least, greatest] and value [least, greatest], null where there is none, else both null; its value and margin are null.

`value` is rounded for display; `margin` is the largest change of the left side's numerator that keeps the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import rfc8785

from meanscheck.contracts.units import CaseUnit
from meanscheck.decisions.disputes import case_entries
from meanscheck.law.law import LANGUAGE_VERSION, Law, LawTest, Programme
from meanscheck.law.margins import Margin, margin_of
from meanscheck.law.plain import Outcome, PlainRun, Result
from meanscheck.law.plain_rows import At
from meanscheck.law.types import MICRO

GROUPS = ("subject", "household", "means", "result", "reasons", "provenance", "evidence")
ROOTED = GROUPS[1:]
"""The groups under the records root: all but the subject, whose tokens are drawn at random."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a decision comes from, besides the law."""

    snapshot: str
    supersedes: int | None = None


def provenance_group(law: Law, provenance: Provenance) -> dict[str, Any]:
    """The provenance group, the same for a whole batch without corrections."""
    return {
        "accepted": list(law.accepted),
        "known_by": law.known_by.isoformat(),
        "language": LANGUAGE_VERSION,
        "law": law.digest,
        "on": law.on.isoformat(),
        "pack": law.code,
        "snapshot": provenance.snapshot,
        "supersedes": provenance.supersedes,
    }


def requested_programmes(law: Law, requested: Sequence[str]) -> list[Programme]:
    """The programmes of a record: those in force and asked for (all if none is named)."""
    return [p for p in law.programmes if not requested or p.id in requested]


def shown_variables(law: Law, entity: str) -> list[str]:
    """Ids of an entity's variables in the order of the record; copies made for review are left out."""
    return sorted(v.id for v in law.variables.values() if v.entity == entity and "~" not in v.id)


def tests_of(law: Law, programme: Programme) -> list[tuple[str, tuple[str, ...], LawTest | None]]:
    """(id, citations, test) in the law's order; a member programme begins with membership."""
    tests: list[tuple[str, tuple[str, ...], LawTest | None]] = [(t.id, t.cite, t) for t in programme.tests]
    if programme.entity == "member":
        tests.insert(0, ("membership", law.variables[programme.members].cite, None))
    return tests


def plain_record(
    law: Law,
    unit: CaseUnit,
    *,
    provenance: Provenance,
    input_digest: str = "",
    household_token: str = "",
    person_tokens: Sequence[str] = (),
    run: PlainRun | None = None,
) -> dict[str, dict[str, Any]]:
    """The record of one case unit by the plain executor, as JSON values per group."""
    run = run or PlainRun(law, unit)
    attributes = unit.attributes
    programmes = requested_programmes(law, unit.requested)
    home = [p for p in programmes if p.entity == "household"]
    own = [p for p in programmes if p.entity == "member"]
    ids = [unit.persons[m].attributes.get("id") for m in run.members]
    supporters = supporter_rows(run)
    return {
        "subject": {"case": unit.case_id, "household": household_token, "persons": list(person_tokens)},
        "household": {
            "accepting_place": attributes.get("accepting_place"),
            "application_no": attributes.get("application_no"),
            "applied_on": json_value(attributes.get("applied_on")),
            "division": attributes.get("division"),
            "members": [
                {"id": i, "relation": unit.persons[m].attributes.get("relation")}
                for i, m in zip(ids, run.members, strict=True)
            ],
            "reference_day": json_value(attributes.get("reference_day") or law.on),
            "residence": attributes.get("residence"),
            "size": run.variable("size"),
        },
        "means": {
            "household": _values(run, "household", None),
            "members": [{"id": i, "values": _values(run, "member", m)} for i, m in zip(ids, run.members, strict=True)],
            "supporters": [
                {"id": unit.persons[s].attributes.get("id"), "values": _values(run, "supporter", s)} for s in supporters
            ],
        },
        "result": {
            "household": [_outcome(run.outcome(p.id, None)) for p in home],
            "members": [
                {"id": i, "outcomes": [_outcome(run.outcome(p.id, m)) for p in own]}
                for i, m in zip(ids, run.members, strict=True)
            ],
            "on": law.on.isoformat(),
        },
        "reasons": {
            **({"conflicts": case_entries(run)} if law.conflicts else {}),
            "household": [entry for p in home for entry in _reasons(run, p, None)],
            "members": [
                {"id": i, "tests": [entry for p in own for entry in _reasons(run, p, m)]}
                for i, m in zip(ids, run.members, strict=True)
            ],
        },
        "provenance": provenance_group(law, provenance),
        "evidence": {"input": input_digest},
    }


def canonical(group: Mapping[str, Any]) -> bytes:
    """The bytes of a group (RFC 8785)."""
    return rfc8785.dumps(dict(group))


def supporter_rows(run: PlainRun) -> list[int]:
    """Indexes of the supporters of any member, in the unit's order."""
    ids = {str(run.unit.persons[m].attributes.get("id")) for m in run.members}
    return [i for i, p in enumerate(run.unit.persons) if ids & set(p.supports)]


def json_value(value: Result) -> int | bool | str | None:
    """A value as the record holds it."""
    if isinstance(value, Fraction):
        return int(value * MICRO)
    return value.isoformat() if isinstance(value, date) else value


def _values(run: PlainRun, entity: str, person: int | None) -> dict[str, Any]:
    names = shown_variables(run.law, entity)
    result: dict[str, Any] = {}
    for name in names:
        value = run.variable(name, person)
        if run.law.variables[name].unit == "ratio" and value is not None and not isinstance(value, date | str):
            value = Fraction(value)
        result[name] = json_value(value)
    return result


def _outcome(o: Outcome) -> dict[str, Any]:
    return {"award": o.award, "causes": sorted(o.causes), "outcome": o.outcome, "programme": o.programme}


def _reasons(run: PlainRun, programme: Programme, member: int | None) -> list[dict[str, Any]]:
    outcome = run.outcome(programme.id, member)
    only_failed = member is not None and bool(outcome.failed)
    entries: list[dict[str, Any]] = []
    for (name, cite, test), result in zip(tests_of(run.law, programme), outcome.tests, strict=True):
        if only_failed and result.holds is not False:
            continue
        margin = None if test is None else margin_of(test.tree)
        entries.append(
            {
                **({"bounds": _bounds(run, margin, member)} if result.by_bounds else {}),
                "cite": list(cite),
                "holds": result.holds,
                "id": name,
                "limit": None if margin is None else run.at(margin.limit, member),
                "margin": None if margin is None else run.at(margin.margin, member),
                "programme": programme.id,
                "value": None if margin is None else run.at(margin.value, member),
            }
        )
    return entries


def _bounds(run: PlainRun, margin: Margin | None, member: int | None) -> dict[str, Any]:
    """Within which bounds value and limit of a test lie that is decided though they are not known."""
    if margin is None or run.bounds is None:
        return {"limit": None, "value": None}
    limit, value = (list(run.bounds.range(tree, At(member))) for tree in (margin.limit, margin.value))
    return {"limit": limit, "value": value}
