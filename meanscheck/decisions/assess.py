"""What does the law say of a caseload? The vector executor over the store's evidence, in blocks of whole case units.

An `Assessment` is also what a ledger appends (`meanscheck.ledger.Batch`): it gives the canonical groups of each
decision block by block, sealed, and keeps salts and leaves in the vault. Memory is bounded by the block; nothing of a
caseload is held. What happens to a block is the `kernel`'s; who works on which block is the engine's.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polars as pl

from meanscheck.decisions.decision import Decision, Language, Ruling
from meanscheck.decisions.encode import input_needs
from meanscheck.decisions.kernel import (
    Counts,
    DoneBlock,
    Engine,
    InOrder,
    Kernel,
    Seal,
    even_blocks,
    keep_finished,
    keep_seals,
    texts_of,
)
from meanscheck.decisions.made_up import dictionaries_of
from meanscheck.decisions.record import GROUPS
from meanscheck.decisions.summary import summary
from meanscheck.decisions.waiting import ranked
from meanscheck.errors import StoreError
from meanscheck.evidence import Projection, Snapshot, Store
from meanscheck.law.counterfactuals import SCHEMA
from meanscheck.law.counterfactuals import counterfactuals as turning
from meanscheck.law.law import LANGUAGE_VERSION, Law
from meanscheck.law.vectors import VectorRun
from meanscheck.vault import DeploymentKey, Held, Safe

BLOCK_UNITS = 51_200
PACKED_FROM = 2_000
"""Units from which records are packed: a smaller caseload does not pay for the dictionary (a second)."""
_DAMAGED = "the vault's batch is closed, but not as it was when it was closed: bring its folder back from a backup"
Progress = Callable[[int, int], None]


class Assessment:
    """A caseload under one law. Made by `assess`; runs once, when first looked at or when a ledger asks for blocks.

    A run that is broken off, in whatever way, is gone on with by the same call: finished blocks are taken as they are.
    """

    def __init__(
        self,
        store: Store,
        law: Law,
        projection: Projection,
        snapshot: Snapshot,
        *,
        safe: Safe,
        block_units: int,
        engine: Engine,
        progress: Progress | None,
        supersedes: Mapping[str, int] | None = None,
        why: str = "review",
    ) -> None:
        self.store, self.law, self.projection, self.snapshot = store, law, projection, snapshot
        self.block_units, self._engine, self._progress = block_units, engine, progress
        # What a ledger asks of a batch that takes the place of earlier decisions (`ledger.corrections.Superseding`).
        self.supersedes, self.why = dict(supersedes or {}), why
        self._superseded = _digest(self.supersedes)
        identity = f"{law.digest} {snapshot.id}" + (f" {self._superseded}" if self.supersedes else "")
        short = hashlib.sha256(identity.encode()).hexdigest()[:12]
        self.batch_id = f"{law.code}-{law.on.isoformat()}-{short}"
        self.vault = safe.batch(self.batch_id, GROUPS)
        self._total = Counts()
        self.records_root = ""
        self.kept = 0
        """Case units that an earlier run, which was broken off or had come to its end, had decided."""
        self._ran = False

    def __repr__(self) -> str:
        return f"Assessment({self.batch_id}, {self.projection.units} case units)"

    # ---- what a ledger asks for

    @property
    def opening(self) -> Mapping[str, Any]:
        """Digests of law, engine and inputs, and what is promised."""
        return {
            "accepted": list(self.law.accepted),
            "engine": engine_name(),
            "known_by": self.law.known_by.isoformat(),
            "language": LANGUAGE_VERSION,
            "law": self.law.digest,
            "on": self.law.on.isoformat(),
            "order": "case id ascending",
            "pack": self.law.code,
            "run": "after opening" if not self._ran else "before opening",
            "snapshot": self.snapshot.id,
            **({"supersedes": self._superseded} if self.supersedes else {}),
            "units": self.projection.units,
        }

    @property
    def closing(self) -> Mapping[str, Any]:
        """Counts by programme and outcome. The records root stays in the vault: it is unsalted."""
        table: dict[str, dict[str, int]] = {}
        for (programme, outcome), count in sorted(self.counts.items()):
            table.setdefault(programme, {})[outcome] = count
        return {"outcomes": table, "unassessed": 0}

    def sealed(self, seal: Seal) -> Iterator[Any]:
        """The decisions, sealed and ready for the log, block by block; runs if this has not been done. Salts and leaves
        are kept."""
        if not self._ran:
            for done in self._run(seal):
                yield done.sealed
            return
        position = 0
        packed = self._dictionaries
        with self.vault.working(self._plan, log=seal.origin, dictionaries=packed, is_decided=True):
            for number, frame in enumerate(self.vault.blocks(purpose="log")):
                made = seal(position, tokens=frame["token"].to_list(), groups=texts_of(frame))
                keep_seals(self.vault, number, seal.first_index + position, salts=made.salts, leaves=made.leaves)
                keep_finished(self.vault, number, seal, made.leaves)
                yield seal.together(position, made.leaves, made.hashes)
                position += frame.height

    # ---- running

    def run(self, progress: Progress | None = None) -> Assessment:
        """Assess all units now, if not done; returns itself."""
        if not self._ran:
            self._progress = progress or self._progress
            for _ in self._run(None):
                pass
        return self

    @property
    def _plan(self) -> dict[str, Any]:
        """All that the bytes of the vault's blocks depend on."""
        opening = {name: value for name, value in self.opening.items() if name != "run"}
        packed = {kind: hashlib.sha256(made).hexdigest() for kind, made in sorted(self._dictionaries.items())}
        return {**opening, "block_units": self.block_units, "packed": packed, "projection": self.projection.key}

    @cached_property
    def _dictionaries(self) -> Mapping[str, bytes]:
        return dictionaries_of(self.law) if self.projection.units >= PACKED_FROM else {}

    def _size_of_blocks(self, seal: Seal | None) -> int:
        """Units a block: no more than asked; those of the run that this one goes on with, if they are no more."""
        noted = self.vault.course.plan
        size = None if noted is None else noted.get("block_units")
        if isinstance(size, int) and noted == {**self._plan, "block_units": size}:
            has_nothing_to_do = seal is None and self.vault.closed() is not None
            if has_nothing_to_do or size <= self.block_units:
                return size
        return even_blocks(self.projection.units, at_most=self.block_units, at_once=self._engine.processes)

    def _run(self, seal: Seal | None) -> Iterator[DoneBlock]:
        self._total, self.kept = Counts(), 0
        self.block_units = self._size_of_blocks(seal)
        earlier = _frame(self.supersedes) if self.supersedes else None
        kernel = Kernel(self.law.canonical.decode(), self.snapshot.id, self.vault, seal, earlier)
        units, size = self.projection.units, self.block_units
        ranges = [range(first, min(first + size, units)) for first in range(0, units, size)]
        root = hashlib.sha256()
        done = 0
        log = None if seal is None else seal.origin
        with self.vault.working(self._plan, log=log, dictionaries=self._dictionaries):
            closed = self.vault.closed() if seal is None else None
            blocks = self._engine.run(kernel, self.projection, ranges) if closed is None else _closed(kernel, ranges)
            for block in blocks:
                root.update(block.digests)
                self._total.add(block.counts)
                done += block.units
                self.kept += block.units if block.is_kept else 0
                yield block
                if self._progress is not None:
                    self._progress(done, units)
            if done != units:
                raise StoreError("the projection gave fewer case units than it promised; nothing was closed")
            self.records_root = root.hexdigest()
            if closed is None:
                facts = {"on": self.law.on.isoformat(), "units": done, "outcomes": self.closing["outcomes"]}
                self.vault.close({**facts, "records_root": self.records_root})
            elif closed["records_root"] != self.records_root:
                raise StoreError(_DAMAGED)
            self._ran = True

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Decisions by programme and outcome, so far."""
        return self._total.outcomes

    @property
    def causes(self) -> Counter[tuple[str, str]]:
        """Decisions that are referred to a person, by programme and cause, so far."""
        return self._total.causes

    @property
    def awards(self) -> Counter[str]:
        """Sum of awards by programme in fen, so far."""
        return self._total.awards

    # ---- what came out

    @property
    def outcomes(self) -> pl.LazyFrame:
        """case_id, programme, member String · outcome String · award_fen Int64 · causes List[String]."""
        self.run()
        return self.vault.outcomes()

    def waiting(self) -> pl.DataFrame:
        """Which evidence is worth waiting for: feed, state String · alone, part Int64 (households), most first.

        `alone` are households with a decision that waits for nothing but this feed; `part` those for which it is one
        thing among others, or the only one (see `waiting`).
        """
        self.run()
        return ranked(self._total.alone, self._total.part)

    def counterfactuals(self) -> pl.DataFrame:
        """The smallest change of one fact that would turn each outcome, where there is one: `law.counterfactuals`.

        Reckoned when it is asked for, block by block, from the same projection; nothing of it is kept.
        """
        blocks = self.projection.blocks(input_needs(self.law), block_units=self.block_units)
        parts = [turning(VectorRun(self.law, block)) for block in blocks]
        return pl.concat(parts) if parts else pl.DataFrame(schema=SCHEMA)

    def held(self, case_id: str) -> Held:
        """The record of a case with its salts and leaf, as the vault holds it."""
        self.run()
        return self.vault.find(case_id)

    def decision(self, case_id: str) -> Decision:
        """The decision on a case; StoreError if there is none."""
        held = self.held(case_id)
        return Decision({name: json.loads(text) for name, text in held.groups.items()}, self.law)

    def __getitem__(self, key: tuple[str, str] | tuple[str, str, str]) -> Ruling:
        """``result["U-0007", "dibao"]`` or ``result["U-0007", "tekun", "A"]``."""
        decision = self.decision(key[0])
        return decision[(key[1], key[2])] if len(key) == 3 else decision[key[1]]

    def summary(self, language: Language = "zh") -> str:
        """Counts by programme and outcome, awards, the commonest causes of referral, and what is worth waiting for."""
        self.run()
        return summary(self, language)


def assess(
    store: Store,
    law: Law,
    *,
    snapshot: Snapshot | None = None,
    vault: Path | str | None = None,
    vault_key: DeploymentKey | None = None,
    block_units: int = BLOCK_UNITS,
    engine: Engine | None = None,
    progress: Progress | None = None,
    supersedes: Mapping[str, int] | None = None,
    why: str = "review",
) -> Assessment:
    """Assess every case unit of a snapshot under one law.

    Args:
        store: the evidence store; the law is recorded in it.
        law: from `RulePack.on`.
        snapshot: which evidence; the present one unless given.
        vault: folder for records; ``<store>.vault`` beside the store unless given.
        vault_key: locks the vault; unless given, that of MEANSCHECK_VAULT_KEY or of ``keys/<vault's name>.key`` beside
            the folder, which is made with a new vault and belongs kept apart from it.
        block_units: case units held at a time, by each process, at most: blocks are of one size, and as many for each
            process. The results do not depend on it, memory does: some 36 kB a unit (`meanscheck.engines.Room`). A
            run that goes on with one that was broken off takes its size.
        engine: who works on the blocks: this process unless given, or `meanscheck.engines.Pool`, `Spark`.
        progress: called with units done and units in all.
        supersedes: household token → index in the log of the decision whose place is taken, for those decided before:
            `Ledger.last_decisions()` where a whole caseload is reviewed.
        why: code of the reason, for the log's correction entries.
    """
    taken = snapshot or store.snapshot()
    store.record_law(law.digest, law.canonical.decode())
    projection = store.project(taken, on=law.on)
    folder = Path(vault) if vault is not None else store.path.with_suffix(".vault")
    safe = Safe.open(folder, key=vault_key, make=True)
    return Assessment(
        store,
        law,
        projection,
        taken,
        safe=safe,
        block_units=block_units,
        engine=engine or InOrder(),
        progress=progress,
        supersedes=supersedes,
        why=why,
    )


def _closed(kernel: Kernel, ranges: Sequence[range]) -> Iterator[DoneBlock]:
    """The blocks of a batch that is closed."""
    for number, units in enumerate(ranges):
        kept = kernel.kept(number, units)
        if kept is None:
            raise StoreError(_DAMAGED)
        yield kept


def _digest(supersedes: Mapping[str, int]) -> str:
    """Of the pairs in the order of tokens; tokens and indexes stand in the log already, so it needs no salt."""
    text = "".join(f"{token} {index}\n" for token, index in sorted(supersedes.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def engine_name() -> str:
    """The engine as a batch-open entry names it."""
    return ", ".join(f"{package} {_version(package)}" for package in ("meanscheck", "polars", "duckdb"))


def _frame(supersedes: Mapping[str, int]) -> pl.DataFrame:
    columns = {"token": list(supersedes), "supersedes": list(supersedes.values())}
    return pl.DataFrame(columns, schema={"token": pl.String, "supersedes": pl.Int64})


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "from a checkout"
