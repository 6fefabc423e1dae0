"""What do the drawn decisions show? Each is looked up in the log, replayed, and joined with what a field visit found.

A drawn unit is *wrong* if the log has another decision, if its programme's outcome, award or causes do not come out
again, or if the visit says so; *open* if it could not be replayed (erased, missing input) and no visit settled it;
*right* otherwise. A difference that leaves the programme's result as it is, is reported and is no error.

Visits are a CSV file with the header ``index,programme,finding,note``; finding is ``right`` or ``wrong`` (相符, 不符).
A file of visits must speak of every drawn unit, so that nobody leaves out what does not suit.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

from meanscheck.caseload import held
from meanscheck.caseload.auditing import included, log_holds
from meanscheck.caseload.held import Kept
from meanscheck.caseload.interval import CONFIDENCE, Interval, Stratum, bounds_of, stratified
from meanscheck.caseload.logged import Fault, Logged, LoggedBatch, read_log
from meanscheck.caseload.risk import Frame, Thresholds, Unit, money_tests, units_of
from meanscheck.caseload.sample import Sample, check_sample
from meanscheck.errors import InputError, LedgerError, NotProven
from meanscheck.evidence import Store
from meanscheck.law.law import Law
from meanscheck.ledger import Ledger, Policy
from meanscheck.replay import Replay, replay_records

State = Literal["right", "wrong", "open"]
Progress = Callable[[int, int], None]
VISITED: Mapping[str, bool] = {"right": True, "wrong": False, "相符": True, "不符": False}
HEADER = ["index", "programme", "finding", "note"]


@dataclass(frozen=True, slots=True)
class Visits:
    """What field visits found: (index, programme) → whether the decision is right. Notes stay in the office's file."""

    found: Mapping[tuple[int, str], bool] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Visits:
        """Read a CSV file of visits; InputError names the first line at fault."""
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise InputError("not UTF-8", where=path.name, remedy="Save it as CSV UTF-8") from None
        rows = list(csv.reader(io.StringIO(text)))
        if not rows or rows[0] != HEADER:
            raise InputError("another header", where=f"{path.name}:1", remedy=f"Write {','.join(HEADER)}")
        found: dict[tuple[int, str], bool] = {}
        for number, row in enumerate(rows[1:], 2):
            where = f"{path.name}:{number}"
            if len(row) != len(HEADER) or not row[0].isascii() or not row[0].isdigit() or row[2] not in VISITED:
                raise InputError("not a finding", where=where, remedy="Write an index, a programme, right or wrong")
            key = int(row[0]), row[1]
            if key in found:
                raise InputError("that decision was told of before", where=where, remedy="Keep one line")
            found[key] = VISITED[row[2]]
        return cls(found)


@dataclass(frozen=True, slots=True)
class Estimate:
    """An error rate with its interval; `rate` is None where nothing of a stratum could be examined."""

    rate: Fraction | None
    interval: Interval


@dataclass(frozen=True, slots=True)
class Examined:
    """A sample with what was found.

    Attributes:
        sample: what was drawn.
        batch: as the log has it.
        signed_by: labels of the keys that signed the checkpoint; empty if no policy was given.
        states: drawn unit → right, wrong or open.
        replays: replays that are not equal, by index.
        faults: where the sample, the log or a decision's place in it does not hold.
        is_visited: whether field visits were joined.
        confidence: of the intervals.
    """

    sample: Sample
    batch: LoggedBatch
    log: Logged
    signed_by: tuple[str, ...]
    states: Mapping[Unit, State] = field(repr=False)
    replays: Mapping[int, Replay] = field(repr=False)
    faults: tuple[Fault, ...]
    is_visited: bool
    confidence: Fraction

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong: no fault, no difference and no error."""
        differs = any(r.verdict == "different" for r in self.replays.values())
        return not self.faults and not differs and all(state == "right" for state in self.states.values())

    def stratum(self, name: str) -> Stratum:
        """Numbers of a stratum."""
        drawn = next(s for s in self.sample.strata if s.stratum == name)
        states = [state for unit, state in self.states.items() if unit.stratum == name]
        open_ones, errors = states.count("open"), states.count("wrong")
        return Stratum(drawn.population, len(states) - open_ones, errors, open_ones)

    def estimate_of(self, name: str) -> Estimate:
        """The error rate of one stratum."""
        s = self.stratum(name)
        rate = Fraction(s.errors, s.examined) if s.examined else None
        return Estimate(rate, bounds_of(s, confidence=self.confidence))

    def estimate(self, programme: str = "") -> Estimate:
        """The error rate over all strata, or those of a programme."""
        names = [s.stratum for s in self.sample.strata if s.stratum.startswith(f"{programme}/" if programme else "")]
        return Estimate(*stratified([self.stratum(name) for name in names], confidence=self.confidence))


def frame_and_drawn(
    vault: Path, batch: LoggedBatch, law: Law, thresholds: Thresholds, wanted: frozenset[int] = frozenset()
) -> tuple[Frame, dict[int, Kept]]:
    """All units of a batch, and the decisions at the wanted indexes, in one pass over the vault."""
    money = money_tests(law)
    units: list[Unit] = []
    drawn: dict[int, Kept] = {}
    for block in held.kept(vault, batch.batch_id):
        for one in block:
            index = batch.first + one.position
            if index in wanted:
                drawn[index] = one
            if one.groups is not None:
                units += units_of(index, one.record(), money, thresholds)
    return Frame(tuple(sorted(units))), drawn


def law_of(store: Store, batch: LoggedBatch) -> Law:
    """The law that was pinned when a batch was opened; StoreError if the store has not recorded it."""
    return Law.from_json(store.law_text(str(batch.opening.get("law"))))


def examine(
    sample: Sample,
    *,
    store: Store,
    ledger: Ledger,
    vault: Path,
    policy: Policy | None = None,
    visits: Visits | None = None,
    confidence: Fraction = CONFIDENCE,
    progress: Progress | None = None,
) -> Examined:
    """Look at every drawn decision.

    Args:
        sample: as it was drawn.
        store: the evidence store.
        ledger: the log, to read.
        vault: folder of the batches' records.
        policy: whose signature the checkpoint must bear; not checked unless given.
        visits: what field visits found, of every drawn unit.
        confidence: of the intervals.
        progress: called with decisions done and decisions in all.

    Raises:
        InputError: visits leave out drawn units, or name others.
        LedgerError: the log has no closed batch of the sample's id, or is another log.
    """
    units = list(sample.units())
    if visits is not None:
        _complete(visits, units)
    if ledger.origin != sample.origin:
        raise LedgerError(f"the sample was drawn from the log {sample.origin}")
    log = read_log(ledger)
    batch = log.batch(sample.batch_id)
    signed, broken = log_holds(ledger, policy)
    faults = [*broken, *log.faults]
    law = law_of(store, batch)
    frame, drawn = frame_and_drawn(vault, batch, law, sample.thresholds, frozenset(u.index for u in units))
    try:
        check_sample(sample, batch, frame)
    except NotProven as fault:
        faults.append(Fault("sample", f"样本不成立：{fault.why}", f"the sample does not hold: {fault.why}"))
    out = {index: included(ledger, batch, one) for index, one in drawn.items()}
    out |= dict.fromkeys({u.index for u in units} - set(out), "the vault has no record of it")
    faults += [
        Fault(
            f"log entry {index}", f"保管库中的决定与日志不符（{why}）", f"the vault's decision is not the log's: {why}"
        )
        for index, why in sorted(out.items())
        if why
    ]
    replays = _replays(store, batch, log, drawn, progress)
    states: dict[Unit, State] = {}
    for unit in units:
        seen = None if visits is None else visits.found[unit.index, unit.programme]
        states[unit] = _state(unit, out[unit.index], replays.get(unit.index), seen)
    return Examined(
        sample,
        batch,
        log,
        signed,
        states,
        {index: found for index, found in replays.items() if not found.is_equal},
        tuple(faults),
        visits is not None,
        confidence,
    )


def _replays(
    store: Store, batch: LoggedBatch, log: Logged, drawn: Mapping[int, Kept], progress: Progress | None
) -> dict[int, Replay]:
    readable = sorted(index for index, one in drawn.items() if one.groups is not None)
    engine = str(batch.opening.get("engine", ""))
    records = (drawn[index].record() for index in readable)
    found: dict[int, Replay] = {}
    again = replay_records(records, store=store, engine=engine, erased=log.erased)
    for index, one in zip(readable, again, strict=True):
        found[index] = one
        if progress is not None:
            progress(len(found), len(readable))
    return found


def _state(unit: Unit, why_not_included: str, found: Replay | None, seen: bool | None) -> State:
    if why_not_included or seen is False:
        return "wrong"
    if found is not None and found.verdict == "different" and _touches(found.differences, unit.programme):
        return "wrong"
    if found is not None and found.verdict in ("equal", "different"):
        return "right"
    return "open" if seen is None else "right"


def _touches(paths: Sequence[str], programme: str) -> bool:
    """Whether one of the paths lies in the result of a programme, or in that of no programme in particular."""
    for path in paths:
        _, of_household, named = path.partition("result.household[")
        if not of_household:
            _, of_member, named = path.partition(".outcomes[")
            if not of_member and path.startswith("result."):
                return True
        if path.startswith("result.") and named.startswith(f"{programme}]"):
            return True
    return False


def _complete(visits: Visits, units: Sequence[Unit]) -> None:
    drawn = {(u.index, u.programme) for u in units}
    missing, other = sorted(drawn - set(visits.found)), sorted(set(visits.found) - drawn)
    if missing or other:
        index, programme = (missing or other)[0]
        what = f"{len(missing)} drawn decisions are not told of" if missing else f"{len(other)} were not drawn"
        raise InputError(f"{what}, the first: {index} {programme}", where="visits", remedy="Tell of each drawn one")
