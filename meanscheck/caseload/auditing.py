"""Does everything hold? The audit in full: the log, each decision's place in it, the counts, and each decision again.

    log         checkpoint signed by the policy, every hash recomputed from the entries, batches add up (`logged`)
    inclusion   every decision of the vault is the entry of the log at its index, and gives that entry's commitment;
                every decision of the log is in the vault
    counts      batch-close, the vault's table of outcomes and the records themselves give the same
    pinned      the records name the law, snapshot and days that were pinned when the batch was opened
    replay      each decision comes out again from the evidence (`meanscheck.replay`)

An erased household is counted and passes: its entry is in the log, its record cannot be opened. What is held at a time
is one block of decisions and what was found.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import polars as pl

from meanscheck.caseload import held
from meanscheck.caseload.held import Kept
from meanscheck.caseload.logged import Fault, Logged, LoggedBatch, read_log, signers_of
from meanscheck.decisions.record import ROOTED
from meanscheck.errors import LedgerError, NotProven
from meanscheck.evidence import Store
from meanscheck.ledger import Leaf, Ledger, Policy, commitment
from meanscheck.replay import CLASSES, VERDICTS, Replay, replay_records

Language = Literal["zh", "en"]
Progress = Callable[[int, int], None]
Counts = dict[str, dict[str, int]]
PINNED = ("accepted", "known_by", "language", "law", "on", "pack", "snapshot")
AT_ONCE = 500
_FAULTS_SHOWN = 50
Row = tuple[str, str | None, str, int | None, tuple[str, ...]]
"""programme, member, outcome, award, causes of referral."""


@dataclass(frozen=True, slots=True)
class BatchAudit:
    """What the audit of one batch found.

    Attributes:
        batch: as the log has it.
        included: decisions of the vault that are the log's entries and give their commitments.
        verdicts: verdict of the replay → decisions.
        classes: class of difference → decisions.
        differing: replays that are not equal (erased ones apart), by index in the log.
        faults: what does not hold in the batch besides.
    """

    batch: LoggedBatch
    included: int
    verdicts: Mapping[str, int]
    classes: Mapping[str, int]
    differing: tuple[tuple[int, Replay], ...] = field(repr=False)
    faults: tuple[Fault, ...]

    @property
    def holds(self) -> bool:
        """Whether every decision is included and comes out again, but for erased ones."""
        return not self.differing and not self.faults and self.included == self.batch.count


@dataclass(frozen=True, slots=True)
class Audit:
    """What the audit found, log and batches."""

    log: Logged
    signed_by: tuple[str, ...]
    batches: tuple[BatchAudit, ...]
    faults: tuple[Fault, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.faults and all(b.holds for b in self.batches)

    def text(self, language: Language = "zh") -> str:
        """Lines for a person."""
        return "\n".join(_lines(self, zh=language == "zh"))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "holds": self.holds,
            "origin": self.log.origin,
            "size": self.log.size,
            "root": self.log.root,
            "signed_by": list(self.signed_by),
            "faults": [asdict(f) for f in self.faults],
            "batches": [
                {
                    "batch": b.batch.batch_id,
                    "first": b.batch.first,
                    "decisions": b.batch.count,
                    "root": b.batch.root,
                    "included": b.included,
                    "verdicts": dict(b.verdicts),
                    "classes": dict(b.classes),
                    "holds": b.holds,
                    "faults": [asdict(f) for f in b.faults],
                    "differing": [{"index": index, **one.to_json()} for index, one in b.differing],
                }
                for b in self.batches
            ],
        }


def audit(
    store: Store,
    ledger: Ledger,
    *,
    vault: Path,
    batches: Collection[str] | None = None,
    policy: Policy | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Audit batches in full.

    Args:
        store: the evidence store.
        ledger: the log, to read.
        vault: folder of the batches' records.
        batches: ids; all of the log unless given.
        policy: whose signature the checkpoint must bear; not checked unless given.
        progress: called with decisions done and decisions in all.

    Raises:
        LedgerError: the log has no closed batch of an id.
    """
    signed, faults = log_holds(ledger, policy)
    log = read_log(ledger)
    faults += log.faults
    closed = [b for b in log.batches if b.close_index is not None]
    wanted = closed if batches is None else [log.batch(name) for name in batches]
    if batches is None:
        faults += _strays(vault, closed)
    total, done = sum(b.count for b in wanted), 0
    found: list[BatchAudit] = []
    for batch in wanted:
        run = _BatchRun(store, ledger, vault, log, batch)
        for many in run.steps():
            done += many
            if progress is not None:
                progress(done, total)
        found.append(run.result())
    return Audit(log, signed, tuple(found), tuple(faults))


def log_holds(ledger: Ledger, policy: Policy | None) -> tuple[tuple[str, ...], list[Fault]]:
    """Who signed the checkpoint (nobody asked for without a policy), and what of the log itself does not hold."""
    signed: tuple[str, ...] = ()
    faults: list[Fault] = []
    for step in ("signature", "hashes"):
        try:
            if step == "hashes":
                ledger.check()
            elif policy is not None:
                signed = signers_of(ledger, policy)
        except LedgerError as fault:
            faults.append(Fault("log", f"日志不成立：{fault}", f"the log does not hold: {fault}"))
    return signed, faults


def included(ledger: Ledger, batch: LoggedBatch, one: Kept) -> str:
    """Why a decision of the vault is not the one in the log, in English; empty if it is."""
    if one.index is None or one.leaf is None:
        return "the vault has no entry of the log for it"
    if one.index != batch.first + one.position or not batch.first <= one.index < batch.first + batch.count:
        return "it stands at another place than in the log"
    if ledger.entry(one.index) != one.leaf:
        return "the log has another entry there"
    try:
        leaf = Leaf.parse(one.leaf)
    except NotProven as fault:
        return fault.why
    if leaf.token != one.token:
        return "the log's entry is on another household"
    if one.groups is None:
        return ""
    if one.salts is None or commitment.commit(one.groups, one.salts).hex() != leaf.commitment:
        return "record and salts do not give the log's commitment"
    return ""


class _BatchRun:
    """The audit of one batch, block by block."""

    def __init__(self, store: Store, ledger: Ledger, vault: Path, log: Logged, batch: LoggedBatch) -> None:
        self.store, self.ledger, self.vault, self.log, self.batch = store, ledger, vault, log, batch
        self.faults: list[Fault] = []
        self.included = self.seen = 0
        self.verdicts: Counter[str] = Counter()
        self.classes: Counter[str] = Counter()
        self.differing: list[tuple[int, Replay]] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self.root: Any = hashlib.sha256()

    def steps(self) -> Iterator[int]:
        """Go through the batch; yields how many decisions were done."""
        if self.batch.batch_id not in held.batches_in(self.vault):
            self._fault(f"batch {self.batch.batch_id}", "保管库中没有该批次的记录", "the vault has no records of it")
            yield self.batch.count
            return
        unlike = 0
        for block in held.kept(self.vault, self.batch.batch_id):
            table = _table(self.vault, self.batch.batch_id, [one.case_id for one in block if one.case_id is not None])
            # Records taken apart are many times their bytes: a part of a block at a time.
            for first in range(0, len(block), AT_ONCE):
                some = block[first : first + AT_ONCE]
                for one in some:
                    self._include(one)
                readable = [one for one in some if one.groups is not None]
                self.verdicts["erased"] += len(some) - len(readable)
                records = [one.record() for one in readable]
                for one, record in zip(readable, records, strict=True):
                    self._hold_to_opening(one, record)
                    self._count(record)
                    unlike += table.get(str(one.case_id), set()) != set(_rulings(record))
                yield from self._replay(readable, records)
                yield len(some) - len(readable)
        if unlike:
            self._fault(
                f"batch {self.batch.batch_id}",
                f"{unlike} 户在结果表中与其记录不符",
                f"{unlike} case(s) stand in the table of outcomes otherwise than in their records",
            )
        self._end()

    def result(self) -> BatchAudit:
        """What was found."""
        order = list(CLASSES)
        return BatchAudit(
            self.batch,
            self.included,
            {name: n for name, n in sorted(self.verdicts.items()) if n},
            dict(sorted(self.classes.items(), key=lambda item: order.index(item[0]))),
            tuple(self.differing),
            tuple(self.faults),
        )

    def _include(self, one: Kept) -> None:
        self.seen += 1
        why = included(self.ledger, self.batch, one)
        if not why:
            self.included += 1
        else:
            where = f"log entry {self.batch.first + one.position}"
            self._fault(where, f"保管库中的决定与日志不符（{why}）", f"the vault's decision is not the log's: {why}")
        if one.groups is not None:
            self.root.update(hashlib.sha256(b"\n".join(one.groups[name] for name in ROOTED)).digest())

    def _hold_to_opening(self, one: Kept, record: Mapping[str, Any]) -> None:
        pinned, told = self.batch.opening, record["provenance"]
        if any(name in pinned and pinned[name] != told[name] for name in PINNED):
            self._fault(
                f"log entry {one.index}",
                "记录所载法律、快照或日期不是批次开启时所固定的",
                "law, snapshot or days of the record are not those pinned at opening",
            )

    def _count(self, record: Mapping[str, Any]) -> None:
        for programme, _, outcome, _, _ in _rulings(record):
            self.counts[programme, outcome] += 1

    def _replay(self, readable: Sequence[Kept], records: Sequence[Mapping[str, Any]]) -> Iterator[int]:
        engine = str(self.batch.opening.get("engine", ""))
        found = replay_records(records, store=self.store, engine=engine, erased=self.log.erased)
        for one, again in zip(readable, found, strict=True):
            self.verdicts[again.verdict] += 1
            for kind in again.classes:
                self.classes[kind] += 1
            if again.verdict not in ("equal", "erased"):
                self.differing.append((self.batch.first + one.position, again))
            yield 1

    def _end(self) -> None:
        where = f"batch {self.batch.batch_id}"
        if self.seen != self.batch.count:
            self._fault(
                where,
                f"保管库有 {self.seen} 个决定，日志有 {self.batch.count} 个",
                f"the vault has {self.seen} decisions, the log {self.batch.count}",
            )
        if self.verdicts["erased"]:
            return
        told = self.batch.closing.get("outcomes")
        if told is not None and told != _nested(self.counts):
            self._fault(
                where,
                "记录中的结果数与批次关闭条目不符",
                "the records' outcomes are not counted as in the batch-close entry",
            )
        noted = held.closed(self.vault, self.batch.batch_id).get("records_root")
        if noted is not None and noted != self.root.hexdigest():
            self._fault(where, "记录根与关闭批次时所记不符", "the records root is not the one noted at closing")

    def _fault(self, where: str, zh: str, en: str) -> None:
        self.faults.append(Fault(where, zh, en))


def _table(vault: Path, batch_id: str, cases: Sequence[str]) -> dict[str, set[Row]]:
    """What the vault's table of outcomes says of cases that stand together in their order."""
    rows: dict[str, set[Row]] = {}
    if cases:
        within = pl.col("case_id").is_between(pl.lit(min(cases)), pl.lit(max(cases)))
        frame = held.outcomes(vault, batch_id).filter(within).collect(engine="in-memory")
        for case, programme, member, outcome, award, causes in frame.iter_rows():
            rows.setdefault(case, set()).add((programme, member, outcome, award, _open(outcome, causes or ())))
    return rows


def _open(outcome: str, causes: Sequence[str]) -> tuple[str, ...]:
    """Causes of a referral; the table has none for what is decided, also where a programme gives way to another."""
    return tuple(sorted(causes)) if outcome == "refer" else ()


def _rulings(record: Mapping[str, Any]) -> Iterator[Row]:
    """programme, member, outcome, award, causes of referral of each outcome of a record."""
    result = record["result"]
    for member, outcomes in ((None, result["household"]), *((m["id"], m["outcomes"]) for m in result["members"])):
        for o in outcomes:
            yield o["programme"], member, o["outcome"], o["award"], _open(o["outcome"], o["causes"])


def _nested(counts: Mapping[tuple[str, str], int]) -> Counts:
    result: Counts = {}
    for (programme, outcome), n in sorted(counts.items()):
        result.setdefault(programme, {})[outcome] = n
    return result


def _strays(vault: Path, closed: Sequence[LoggedBatch]) -> Iterator[Fault]:
    """Batches whose decisions were sealed, the vault says, and that the log does not have."""
    known = {b.batch_id for b in closed}
    for name in held.batches_in(vault):
        if name not in known and any(one.index is not None for block in held.kept(vault, name) for one in block[:1]):
            yield Fault(
                f"batch {name}", "保管库中的批次不在日志中", "the vault has a sealed batch that the log has not"
            )


def _lines(audit: Audit, *, zh: bool) -> Iterator[str]:
    log, signed = audit.log, ", ".join(audit.signed_by)
    if zh:
        yield f"审计结论：{'全部成立' if audit.holds else '发现问题'}"
        yield f"日志 {log.origin}，{log.size} 条，根 {log.root}" + f"，签名 {signed}" * bool(signed)
    else:
        yield f"Result: {'everything holds' if audit.holds else 'something does not hold'}"
        yield f"log {log.origin}, {log.size} entries, root {log.root}" + f", signed by {signed}" * bool(signed)
    yield from _fault_lines(audit.faults, zh=zh)
    for b in audit.batches:
        name, verdicts = b.batch.batch_id, ", ".join(f"{word(kind, zh=zh)} {n}" for kind, n in b.verdicts.items())
        if zh:
            yield f"批次 {name}：{b.batch.count} 个决定，{b.included} 个已核对收录；重算：{verdicts}"
        else:
            yield f"batch {name}: {b.batch.count} decisions, {b.included} found in the log; replayed: {verdicts}"
        if b.classes:
            yield "  " + ", ".join(f"{CLASSES[kind][0 if zh else 1]} {n}" for kind, n in b.classes.items())
        yield from _fault_lines(b.faults, zh=zh)
        for index, one in b.differing[:_FAULTS_SHOWN]:
            yield f"  {'条目' if zh else 'entry'} {index}: " + one.text("zh" if zh else "en").replace("\n", "\n  ")
        if len(b.differing) > _FAULTS_SHOWN:
            yield f"  (+{len(b.differing) - _FAULTS_SHOWN})"


def _fault_lines(faults: Sequence[Fault], *, zh: bool) -> Iterator[str]:
    for fault in faults[:_FAULTS_SHOWN]:
        yield f"  ✗ {fault.where}: {fault.zh if zh else fault.en}"
    if len(faults) > _FAULTS_SHOWN:
        yield f"  (+{len(faults) - _FAULTS_SHOWN})"


def word(verdict: str, *, zh: bool) -> str:
    """A verdict of a replay in words."""
    return VERDICTS[verdict][0 if zh else 1]
