"""What happens to one range of case units, from projected evidence to sealed decisions, whoever works on it?

A `Kernel` is a pure function of a range of units: it pulls them, runs the law, writes records and outcomes into the
vault, seals them if it was given a seal, and returns what the whole run still needs of them (`DoneBlock`): counts, a
digest a record, and the sealed leaves in order. It holds nothing of a caseload and can be sent to another process, so
an *engine* may work on several ranges at a time; results do not depend on which engine, on its order of work, or on the
size of ranges. `InOrder` is the engine of one process; `meanscheck.engines` has others.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from typing import Any, Protocol

import polars as pl

from meanscheck.contracts.units import CaseBlock
from meanscheck.decisions.encode import BlockRecords, input_needs, self_test
from meanscheck.decisions.outcomes import award_of, outcome_of
from meanscheck.decisions.record import GROUPS, ROOTED, Provenance
from meanscheck.decisions.waiting import waits
from meanscheck.errors import InternalError
from meanscheck.evidence import Projection, Reader
from meanscheck.law.law import Law
from meanscheck.law.vectors import VectorRun
from meanscheck.vault import OUTCOME, Finished, Vault

SLICE = 8192
"""Records turned into Python's bytes at a time: they are hashed while they are still near the processor."""
READING = 2**26
"""Bytes that the database may have for itself while a caseload is read."""
_ROOTED = tuple(GROUPS.index(name) for name in ROOTED)


class SealedSlice(Protocol):
    """Salts (flat), entries, and their leaf hashes (flat), as a ledger makes them."""

    @property
    def salts(self) -> bytes: ...
    @property
    def leaves(self) -> Sequence[bytes]: ...
    @property
    def hashes(self) -> bytes: ...


class Seal(Protocol):
    """What a ledger gives a batch: seals decisions `first_position` … of it. May be pickled."""

    @property
    def first_index(self) -> int:
        """Place in the log of the batch's first decision."""

    @property
    def origin(self) -> str:
        """Name of the log."""

    @property
    def name(self) -> str:
        """All that leaves and their places depend on, tokens, groups and salts apart."""

    def __call__(
        self, first_position: int, *, tokens: Sequence[str], groups: Sequence[Sequence[bytes]]
    ) -> SealedSlice: ...

    def together(self, first_position: int, leaves: Sequence[bytes], hashes: bytes) -> Any:
        """Sealed decisions made ready for the log, which is given it as it is."""

    def again(self, first_position: int, leaves: Sequence[bytes]) -> Any:
        """The same of leaves that a seal of this name made in a run that was broken off."""


@dataclass(slots=True)
class Counts:
    """What a run adds up: outcomes and causes of referral by programme, awards in fen, and what households wait for."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    causes: Counter[tuple[str, str]] = field(default_factory=Counter)
    awards: Counter[str] = field(default_factory=Counter)
    alone: Counter[tuple[str, str]] = field(default_factory=Counter)
    part: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Add another block's."""
        self.outcomes.update(other.outcomes)
        self.causes.update(other.causes)
        self.awards.update(other.awards)
        self.alone.update(other.alone)
        self.part.update(other.part)

    def to_json(self) -> dict[str, list[list[Any]]]:
        """Each count as a list of rows: names, then the number."""
        return {
            part.name: [[*([key] if isinstance(key, str) else key), n] for key, n in getattr(self, part.name).items()]
            for part in fields(self)
        }

    @classmethod
    def from_json(cls, found: Mapping[str, list[list[Any]]]) -> Counts:
        """What `to_json` gave."""
        counts = cls()
        for part in fields(cls):
            for *names, n in found[part.name]:
                getattr(counts, part.name)[names[0] if len(names) == 1 else tuple(names)] = n
        return counts


@dataclass(frozen=True, slots=True)
class DoneBlock:
    """What is left of a range of units when its records lie in the vault.

    Attributes:
        units: how many.
        counts: what they add to the run's counts.
        digests: SHA-256 (32 bytes each, flat) of each record but its subject group.
        sealed: what the seal made of them for the log, if the kernel had one; nobody here looks into it.
        is_kept: whether an earlier run, which was broken off, had finished it.
    """

    units: int
    counts: Counts = field(repr=False)
    digests: bytes = field(repr=False)
    sealed: Any
    is_kept: bool = False


@dataclass(frozen=True)
class Kernel:
    """One law over ranges of one projection, into one vault."""

    law_text: str = field(repr=False)
    """The recorded law: a law that crosses a process border is read again, since its trees hash by process."""
    snapshot: str
    vault: Vault
    seal: Seal | None = None
    earlier: pl.DataFrame | None = field(default=None, repr=False, compare=False)
    """token String · supersedes Int64: index in the log of the decision whose place is taken; None if none is."""

    @cached_property
    def law(self) -> Law:
        """The law, read once a process."""
        return _law_of(self.law_text)

    def __getstate__(self) -> dict[str, object]:
        return {part.name: getattr(self, part.name) for part in fields(self)}

    def __call__(self, reader: Reader, number: int, units: range) -> DoneBlock:
        """Work on block `number`, which is the range `units`, unless a run that was broken off had finished it."""
        kept = self.kept(number, units)
        return self.put(number, units, *self.decided(self.pulled(reader, units))) if kept is None else kept

    def pulled(self, reader: Reader, units: range) -> Pulled:
        """What a range of units is decided from."""
        block = reader.block(input_needs(self.law), first=units.start, after=units.stop)
        return Pulled(block, *reader.tokens(first=units.start, after=units.stop))

    def put(self, number: int, units: range, frame: pl.DataFrame, outcomes: pl.DataFrame) -> DoneBlock:
        """Put a decided block into the vault, sealed if there is a seal, and note that it is finished."""
        frame = frame.with_columns(position=pl.int_range(units.start, units.stop, dtype=pl.Int64))
        made = self._made(frame, units.start)
        self.vault.put("records", number, frame)
        self.vault.put("outcomes", number, outcomes)
        sealed = None
        if self.seal is not None:
            first_index = self.seal.first_index + units.start
            keep_seals(self.vault, number, first_index, salts=b"".join(made.salts), leaves=made.leaves)
            sealed = self.seal.together(units.start, made.leaves, b"".join(made.hashes))
        done = DoneBlock(frame.height, counted(outcomes), b"".join(made.digests), sealed)
        facts = {"counts": done.counts.to_json(), "units": done.units, **_sealed_as(self.seal, made.leaves)}
        self.vault.course.finish(number, facts, done.digests)
        return done

    def kept(self, number: int, units: range) -> DoneBlock | None:
        """Block `number` as an earlier run of the same plan finished it, and sealed it as this one would."""
        found = self.vault.course.finished(number)
        if found is None or found.facts["units"] != len(units):
            return None
        sealed = None
        if self.seal is not None:
            if found.facts["seal"] != self.seal.name:
                return None
            leaves = self.vault.leaves(number)
            if leaves is None or _sealed_as(self.seal, leaves)["leaves"] != found.facts["leaves"]:
                return None
            sealed = self.seal.again(units.start, leaves)
        return DoneBlock(len(units), Counts.from_json(found.facts["counts"]), found.data, sealed, is_kept=True)

    def decided(self, pulled: Pulled) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Records (case_id, groups, token) and outcomes of a block that was pulled; its evidence is gone then."""
        self_test()
        unit_tokens, person_tokens = pulled.unit_tokens, pulled.person_tokens
        # Nobody holds evidence and run while texts are made, which take as much memory again.
        records = BlockRecords(
            VectorRun(self.law, pulled.take(), only_asked=True), provenance=Provenance(self.snapshot)
        )
        earlier = None
        if self.earlier is not None:
            own = pl.DataFrame({"token": unit_tokens})
            earlier = own.join(self.earlier, on="token", how="left", maintain_order="left")["supersedes"]
        frame = records.frame(household_tokens=unit_tokens, person_tokens=person_tokens, supersedes=earlier)
        return frame.with_columns(unit_tokens.alias("token")), outcomes_of(records)

    def _made(self, frame: pl.DataFrame, position: int) -> _Made:
        made = _Made()
        for part in frame.iter_slices(SLICE):
            groups = texts_of(part)
            made.digests += map(_digest, zip(*(groups[i] for i in _ROOTED), strict=True))
            if self.seal is not None:
                done = self.seal(position, tokens=part["token"].to_list(), groups=groups)
                made.leaves += done.leaves
                made.hashes.append(done.hashes)
                made.salts.append(done.salts)
            position += part.height
        return made


@dataclass(slots=True)
class Pulled:
    """The evidence of a range of units, and the tokens of households and persons, in the block's order."""

    block: CaseBlock | None
    unit_tokens: pl.Series
    person_tokens: pl.Series

    def take(self) -> CaseBlock:
        """The evidence, once: then only he who took it holds it."""
        block, self.block = self.block, None
        if block is None:
            raise InternalError("the evidence of a block was taken twice")
        return block


@dataclass(slots=True)
class _Made:
    """Digests of records, and if there is a seal their entries, leaf hashes and salts."""

    digests: list[bytes] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    salts: list[bytes] = field(default_factory=list)


@lru_cache(maxsize=2)
def _law_of(text: str) -> Law:
    return Law.from_json(text)


class Engine(Protocol):
    """Works a kernel over ranges of a projection and gives the blocks in order."""

    @property
    def processes(self) -> int:
        """How many blocks it works on at once."""

    def run(self, kernel: Kernel, projection: Projection, ranges: Sequence[range]) -> Iterator[DoneBlock]: ...


def even_blocks(units: int, *, at_most: int, at_once: int) -> int:
    """Units a block, so that all who work on some blocks at once end at about the same time.

    One block stays one: to start another process takes longer than it saves.
    """
    if units <= at_most:
        return at_most
    blocks = -(-units // at_most)
    return -(-units // (blocks + -blocks % max(at_once, 1)))


class InOrder:
    """One range after the other, in this process; while one is sealed, the next is read.

    Not sooner: while texts are made, which takes most memory and both processors, its evidence would only lie there.
    """

    processes = 1

    def run(self, kernel: Kernel, projection: Projection, ranges: Sequence[range]) -> Iterator[DoneBlock]:
        """The blocks in order; nothing is done before it is asked for, but for reading."""
        # Every block is read once, so what the database keeps of it is of no use. One thread alone reads.
        with (
            projection.file.open() as reader,
            projection.store.less_memory(READING, let_go=True),
            ThreadPoolExecutor(1) as thread,
        ):
            coming: dict[int, Future[Pulled]] = {}
            for number, units in enumerate(ranges):
                ready = coming.pop(number, None)
                kept = kernel.kept(number, units)
                if kept is None:
                    made = kernel.decided((ready or thread.submit(kernel.pulled, reader, units)).result())
                    if number + 1 < len(ranges):
                        coming[number + 1] = thread.submit(kernel.pulled, reader, ranges[number + 1])
                    kept = kernel.put(number, units, *made)
                    del made
                yield kept


def texts_of(records: pl.DataFrame) -> list[list[bytes]]:
    """The seven groups of some records as columns of bytes."""
    return [records[name].cast(pl.Binary).to_list() for name in GROUPS]


def keep_seals(vault: Vault, number: int, first_index: int, *, salts: bytes, leaves: Sequence[bytes]) -> None:
    """Put the salts and leaves of a block into the vault."""
    width = len(salts) // max(len(leaves), 1)
    own = [salts[at : at + width] for at in range(0, len(salts), max(width, 1))]
    index = pl.int_range(first_index, first_index + len(leaves), eager=True)
    vault.put("seals", number, pl.DataFrame({"index": index, "leaf": list(leaves), "salts": own}))


def keep_finished(vault: Vault, number: int, seal: Seal, leaves: Sequence[bytes]) -> None:
    """Note of a finished block that it has been sealed since."""
    found: Finished | None = vault.course.finished(number)
    if found is not None:
        vault.course.finish(number, {**found.facts, **_sealed_as(seal, leaves)}, found.data)


def _sealed_as(seal: Seal | None, leaves: Sequence[bytes]) -> dict[str, str | None]:
    if seal is None:
        return {"seal": None, "leaves": None}
    return {"seal": seal.name, "leaves": hashlib.sha256(b"\n".join(leaves)).hexdigest()}


def _digest(texts: tuple[bytes, ...]) -> bytes:
    return hashlib.sha256(b"\n".join(texts)).digest()


def outcomes_of(records: BlockRecords) -> pl.DataFrame:
    """case_id, programme, member String · outcome String · award_fen Int64 · causes List[String], sorted."""
    parts: list[pl.DataFrame] = []
    for p in records.programmes:
        household = p.entity == "household"
        frame = records.homes if household else records.members
        unit = frame["unit_row"] if not household else None
        asked, case = (
            column if unit is None else column.gather(unit)
            for column in (records.asked[p.id], records.homes["case_id"])
        )
        causes = records.causes[p.entity].get(p.id)
        if causes is None:
            causes = pl.Series([None], dtype=pl.List(pl.String)).new_from_index(0, frame.height)
        elif not household:
            causes = causes.gather(frame["person_row"])
        listed = pl.lit(causes)
        for cause, gone in records.yielding(p):
            listed = pl.when(gone).then(pl.lit(pl.Series([[cause]]))).otherwise(listed)
        parts.append(
            frame.select(
                case.alias("case_id"),
                programme=pl.lit(p.id),
                member=pl.lit(None, dtype=pl.String) if household else pl.col("id"),
                outcome=outcome_of(p),
                award_fen=award_of(p),
                causes=listed,
            ).filter(asked)
        )
    if not parts:
        return pl.DataFrame(schema={"case_id": pl.String, **OUTCOME})
    return pl.concat(parts).sort("case_id", "programme", "member", nulls_last=False)


def counted(outcomes: pl.DataFrame) -> Counts:
    """Counts of a block's outcomes."""
    counts = Counts()
    by_outcome = outcomes.group_by("programme", "outcome").agg(n=pl.len(), award=pl.col("award_fen").sum())
    for programme, outcome, n, award in by_outcome.sort("programme", "outcome").iter_rows():
        counts.outcomes[programme, outcome] += n
        counts.awards[programme] += award or 0
    open_ones = outcomes.filter(pl.col("outcome") == "refer").select("programme", "causes").explode("causes")
    by_cause = open_ones.filter(pl.col("causes").is_not_null()).group_by("programme", "causes").agg(n=pl.len())
    for programme, cause, n in by_cause.sort("programme", "causes").iter_rows():
        counts.causes[programme, cause] += n
    for feed, state, alone, part in waits(outcomes).sort("feed", "state").iter_rows():
        counts.alone[feed, state] += alone
        counts.part[feed, state] += part
    return counts
