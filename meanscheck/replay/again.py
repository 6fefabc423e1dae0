"""What do the recorded law, or the law of now, and the evidence as of a snapshot give for some cases, by the plain
executor?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from meanscheck.contracts.units import CaseUnit, units_of
from meanscheck.decisions.encode import input_needs
from meanscheck.decisions.record import Provenance, plain_record
from meanscheck.errors import InputError, StoreError
from meanscheck.evidence import Snapshot, Store
from meanscheck.evidence.snapshot import snapshot_named
from meanscheck.law.figures import written
from meanscheck.law.law import LANGUAGE_VERSION, Law
from meanscheck.law.resolve import RulePack
from meanscheck.law.types import UNITS
from meanscheck.replay.comparing import as_json
from meanscheck.replay.verdict import Finding

Groups = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Case units as of a snapshot, with their input digests and tokens."""

    units: Mapping[str, CaseUnit] = field(repr=False)
    digests: Mapping[str, str] = field(repr=False)
    homes: Mapping[str, str] = field(repr=False)
    persons: Mapping[int, str] = field(repr=False)

    def record(self, case_id: str, law: Law, provenance: Provenance) -> dict[str, Any]:
        """The record of a case under a law, as JSON values."""
        unit = self.units[case_id]
        groups = plain_record(
            law,
            unit,
            provenance=provenance,
            input_digest=self.digests[case_id],
            household_token=self.homes.get(case_id, ""),
            person_tokens=[self.persons.get(p.person, "") for p in unit.members],
        )
        return as_json(groups)


def evidence_of(
    store: Store, case_ids: Sequence[str], laws: Sequence[Law], *, on: date, snapshot: Snapshot
) -> Evidence:
    """Evidence of cases that the snapshot holds, with every column that one of the laws reads."""
    needs: dict[str, frozenset[str]] = {}
    for law in laws:
        for feed, columns in input_needs(law).items():
            needs[feed] = needs.get(feed, frozenset()) | columns
    block = store.case_block(case_ids, needs, on=on, snapshot=snapshot)
    homes, persons = store.subjects(case_ids)
    return Evidence(
        units={unit.case_id: unit for unit in units_of(block)},
        digests=dict(block.households.select("case_id", "input_digest").iter_rows()),
        homes=dict(homes.iter_rows()),
        persons=dict(persons.iter_rows()),
    )


def recorded_law(store: Store, provenance: Mapping[str, Any]) -> Law | Finding:
    """The law of a record by its digest, or why there is none to run."""
    digest, language = provenance["law"], provenance["language"]
    if language != LANGUAGE_VERSION:
        return Finding(
            "engine_change",
            f"决定以规则语言第 {language} 版作出，本程序为第 {LANGUAGE_VERSION} 版",
            f"decided in version {language} of the rule language, this engine has version {LANGUAGE_VERSION}",
        )
    try:
        text = store.law_text(digest)
    except StoreError:
        return Finding(
            "missing_input",
            f"证据库中没有该决定所用的法律（{digest}）",
            f"the law that decided ({digest}) is not recorded in this store",
        )
    try:
        law = Law.from_json(text)
    except InputError:
        law = None
    if law is None or law.digest != digest:
        return Finding(
            "missing_input",
            f"证据库中所存法律与其摘要不符（{digest}）",
            f"the recorded law was changed: it does not have the digest it is kept under ({digest})",
        )
    return law


def recorded_snapshot(store: Store, provenance: Mapping[str, Any]) -> Snapshot | Finding:
    """The snapshot of a record, or that the store does not know it."""
    try:
        return snapshot_named(store, str(provenance["snapshot"]))
    except StoreError:
        return Finding(
            "missing_input",
            "证据库中没有该决定所依据的快照",
            "the store does not remember the snapshot that the decision rests on",
        )


def law_of_now(pack: RulePack, then: Law, known_by: date) -> Law:
    """The law of the same day as published by `known_by`, dated as the earlier one was so that equal laws are equal.

    Figures that the deployment gave itself (`overlay`) are its own and stay.
    """
    own = {name: p for name, p in then.parameters.items() if p.status == "overlay"}
    names = {*pack.parameters, *pack.variables}
    still = {
        name: p
        for name, p in own.items()
        if (s := pack.scope.parameters.get(name)) and (s.type, s.keys) == (UNITS[p.unit], len(p.by))
    }
    law = pack.on(
        then.on,
        known_by=known_by,
        accept=[a for a in then.accepted if a in names and a not in own],
        # What is derived from them was reckoned from them.
        overlay={name: written(p.table, p.unit) for name, p in still.items()},
    )
    parameters = {**law.parameters, **own}
    accepted = tuple(sorted({*law.accepted, *own}))
    return replace(
        law,
        known_by=then.known_by,
        accepted=accepted,
        parameters={name: parameters[name] for name in sorted(parameters)},
    )


def law_changes(then: Law, now: Law) -> tuple[str, ...]:
    """What differs between two laws, by name: parameters, variables, tests, awards, programmes."""
    parts = [_parts(law.to_json()) for law in (then, now)]
    return tuple(sorted(name for name in {*parts[0], *parts[1]} if parts[0].get(name) != parts[1].get(name)))


def _parts(law: Mapping[str, Any]) -> dict[str, Any]:
    named: dict[str, Any] = {f"parameter {p['id']}": p for p in law["parameters"]}
    named |= {f"variable {v['id']}": v for v in law["variables"]}
    for programme in law["programmes"]:
        name = f"programme {programme['id']}"
        named |= {f"{name}, test {test['id']}": test for test in programme["tests"]}
        named[f"{name}, award"] = programme["award"]
        named[name] = [programme[part] for part in ("entity", "label", "label_zh", "yields_to")]
    return named
