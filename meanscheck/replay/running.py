"""How are records replayed, one or a caseload, by either clock?

Records are taken in blocks of cases that share law, snapshot and day. Only what differs is looked into (`explaining`),
so that a caseload that comes out again costs one query and one run of the plain executor a case.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from meanscheck.decisions.assess import engine_name
from meanscheck.decisions.record import Provenance
from meanscheck.evidence import Snapshot, Store
from meanscheck.evidence.trace import Damage, cases_at, damage, trace
from meanscheck.law.law import Law
from meanscheck.law.resolve import RulePack
from meanscheck.ledger import Policy
from meanscheck.replay import explaining
from meanscheck.replay.again import (
    Evidence,
    evidence_of,
    law_changes,
    law_of_now,
    recorded_law,
    recorded_snapshot,
)
from meanscheck.replay.comparing import differences
from meanscheck.replay.explaining import Scene
from meanscheck.replay.recorded import recorded_of
from meanscheck.replay.verdict import AsKnown, Finding, Replay

BLOCK = 500
"""Cases fetched at a time when many are replayed."""

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Now:
    """What is known now: all that the store holds, and the law as published by `known_by` if a pack is given."""

    known_by: date
    pack: RulePack | None = None


def replay(
    receipt: Path | str | bytes,
    *,
    store: Store,
    policy: Path | str | bytes | Policy | None = None,
    now: Now | None = None,
    erased: Collection[str] = (),
) -> Replay:
    """Recompute the decision that a receipt proves.

    Args:
        receipt: a tlog-proof file, or its bytes.
        store: the evidence store, which holds the recorded law.
        policy: if given, the receipt is verified against it first; otherwise only its own commitments are.
        now: if given, as known now and not as known then.
        erased: tokens of households that were erased.

    Raises:
        NotProven: the receipt is damaged or does not disclose what a replay needs (subject and provenance).
    """
    recorded = recorded_of(receipt, policy)
    (found,) = replay_records([recorded.groups], store=store, engine=recorded.engine, now=now, erased=erased)
    return found


def replay_records(
    records: Iterable[Record],
    *,
    store: Store,
    engine: str = "",
    now: Now | None = None,
    erased: Collection[str] = (),
) -> Iterator[Replay]:
    """Replay many records (groups as JSON values), fetched in blocks of cases, in their order.

    Args:
        records: with subject and provenance, and what else was disclosed.
        store: the evidence store.
        engine: as the batch-open entry names it; empty if not known.
        now: if given, as known now and not as known then.
        erased: tokens of households that were erased.
    """
    around = _Around(store, engine, now, erased)
    for block in _blocks(records):
        run = _Run(around, block)
        yield from (run.as_known_then(record) if now is None else run.as_known_now(record) for record in block)


def replay_both(
    records: Iterable[Record], *, store: Store, now: Now, engine: str = "", erased: Collection[str] = ()
) -> Iterator[tuple[Replay, Replay]]:
    """Replay many records by both clocks: as known then, and as known now."""
    around = _Around(store, engine, now, erased)
    for block in _blocks(records):
        run = _Run(around, block)
        yield from ((run.as_known_then(record), run.as_known_now(record)) for record in block)


def _blocks(records: Iterable[Record]) -> Iterator[list[Record]]:
    pending: list[Record] = []
    for groups in records:
        if pending and (len(pending) >= BLOCK or _origin(groups) != _origin(pending[0])):
            yield pending
            pending = []
        pending.append(groups)
    if pending:
        yield pending


def _origin(groups: Record) -> dict[str, Any]:
    """The provenance but for what a single decision supersedes."""
    return {name: value for name, value in groups["provenance"].items() if name != "supersedes"}


class _Around:
    """What all blocks of a call share; what is dear is reckoned once, when first asked for."""

    def __init__(self, store: Store, engine: str, now: Now | None, erased: Collection[str]) -> None:
        self.store, self.engine, self.now, self.erased = store, engine, now, erased
        self._damage: dict[str, tuple[Damage, ...]] = {}

    @cached_property
    def present(self) -> Snapshot:
        """What the store holds now."""
        return self.store.snapshot()

    def damage(self, snapshot: Snapshot) -> tuple[Damage, ...]:
        """What of a snapshot is not as it was taken in."""
        if snapshot.id not in self._damage:
            self._damage[snapshot.id] = damage(self.store, snapshot)
        return self._damage[snapshot.id]


class _Run:
    """One block of records with one provenance."""

    def __init__(self, around: _Around, records: Sequence[Record]) -> None:
        self.around, self.store, self.now = around, around.store, around.now
        self.provenance = records[0]["provenance"]
        self.on = date.fromisoformat(self.provenance["on"])
        self.cases = [str(r["subject"]["case"]) for r in records]
        self.law = recorded_law(self.store, self.provenance)
        self.snapshot = recorded_snapshot(self.store, self.provenance)
        self.new_law = self._new_law()
        self._then = self._evidence(self.snapshot)
        self._now = self._evidence(None if self.now is None else around.present)
        self._again: dict[str, dict[str, Any]] = {}
        self._scenes: dict[str, Scene] = {}

    def as_known_then(self, record: Record) -> Replay:
        """The recorded law on the evidence as of the recorded snapshot."""
        stopped = self._stopped(record)
        if stopped is not None:
            return Replay(str(record["subject"]["case"]), (), findings=(stopped,))
        again = self._record_then(record)
        paths = differences(record, again)
        return self._found(record, again, paths, self._why_then(record, again, paths), "then")

    def as_known_now(self, record: Record) -> Replay:
        """The law and the evidence of now, held against the record, one step after the other."""
        stopped = self._stopped(record)
        if stopped is not None:
            return Replay(str(record["subject"]["case"]), (), findings=(stopped,), as_known="now")
        assert self.now is not None and isinstance(self.law, Law)
        case = str(record["subject"]["case"])
        then, origin = self._record_then(record), self._from(record)
        found = self._why_then(record, then, differences(record, then))
        now = self._now.record(case, self.law, origin) if self._now and case in self._now.units else then
        now = {name: group for name, group in now.items() if name in record}
        paths = differences(then, now)
        if paths:
            found += explaining.of_evidence(then, now, paths, scene=self._scene(case))
        final = now
        if self.new_law is not None:
            units = self._now if self._now and case in self._now.units else self._then
            assert units is not None
            final = units.record(case, self.new_law, origin)
            final = {name: group for name, group in final.items() if name in record}
            found += self._why_law(differences(now, final))
        return self._found(record, final, differences(record, final), found, "now")

    # ---- steps

    def _record_then(self, record: Record) -> dict[str, Any]:
        case = str(record["subject"]["case"])
        assert self._then is not None and isinstance(self.law, Law)
        if case not in self._again:
            self._again[case] = self._then.record(case, self.law, self._from(record))
        return {name: group for name, group in self._again[case].items() if name in record}

    def _from(self, record: Record) -> Provenance:
        return Provenance(self.provenance["snapshot"], record["provenance"]["supersedes"])

    def _stopped(self, record: Record) -> Finding | None:
        """Why this record cannot be recomputed."""
        if record["subject"].get("household") in self.around.erased:
            return explaining.erased()
        for part in (self.law, self.snapshot):
            if isinstance(part, Finding):
                return part
        if self._then is None or str(record["subject"]["case"]) not in self._then.units:
            return explaining.no_case()
        return None

    def _evidence(self, snapshot: Snapshot | Finding | None) -> Evidence | None:
        if not isinstance(snapshot, Snapshot) or not isinstance(self.law, Law):
            return None
        there = sorted(cases_at(self.store, self.cases, snapshot))
        if not there:
            return None
        laws = [self.law] if self.new_law is None else [self.law, self.new_law]
        return evidence_of(self.store, there, laws, on=self.on, snapshot=snapshot)

    def _new_law(self) -> Law | None:
        """The law of now, None if it is the recorded one or no pack was given."""
        if self.now is None or self.now.pack is None or not isinstance(self.law, Law):
            return None
        law = law_of_now(self.now.pack, self.law, self.now.known_by)
        return None if law == self.law else law

    def _scene(self, case: str) -> Scene:
        """Traces of a case; those of the whole block are read when the first is asked for."""
        if not self._scenes:
            assert isinstance(self.snapshot, Snapshot)
            then = trace(self.store, self.cases, on=self.on, snapshot=self.snapshot)
            now = trace(self.store, self.cases, on=self.on, snapshot=self.around.present)
            broken = self.around.damage(self.snapshot)
            self._scenes = {c: Scene(self.store, then.of(c), now.of(c), broken) for c in self.cases}
        return self._scenes[case]

    def _why_then(self, record: Record, again: Record, paths: Sequence[str]) -> list[Finding]:
        if not paths:
            return []
        case = str(record["subject"]["case"])
        return explaining.of_then(
            record, again, paths, scene=self._scene(case), engine=(self.around.engine, engine_name())
        )

    def _why_law(self, paths: Sequence[str]) -> list[Finding]:
        assert self.now is not None and self.now.pack is not None
        assert self.new_law is not None and isinstance(self.law, Law)
        as_then = law_of_now(self.now.pack, self.law, self.law.known_by)
        return [
            explaining.of_law(
                law_changes(self.law, self.new_law),
                paths,
                known_by=self.now.known_by,
                same_when_known_then=as_then == self.law,
            )
        ]

    def _found(
        self, record: Record, again: Record, paths: tuple[str, ...], found: Sequence[Finding], clock: AsKnown
    ) -> Replay:
        names = tuple(name for name in again if name in record)
        return Replay(str(record["subject"]["case"]), names, paths, _narrowed(found, paths), clock)


def _narrowed(found: Sequence[Finding], paths: tuple[str, ...]) -> tuple[Finding, ...]:
    """Findings with the paths that differ in the end. A path that no step names (a later step undid a part of it)
    stands under all; a finding whose paths all came out again accounts for nothing."""
    if not paths:
        return ()
    named = {p for f in found for p in f.paths}
    open_ones = tuple(p for p in paths if p not in named)
    kept = [Finding(f.kind, f.zh, f.en, (*(p for p in paths if p in f.paths), *open_ones)) for f in found]
    return tuple(f for f in kept if f.paths)
