"""What does the law say of a caseload? The vector executor over the store's evidence, in blocks of whole case units.

An `Assessment` is also what a ledger appends (`meanscheck.ledger.Batch`): it gives the canonical groups of each
decision block by block and keeps salts and leaves in the vault. Memory is bounded by the block; nothing of a caseload
is held.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polars as pl

from meanscheck.contracts.units import CaseBlock
from meanscheck.decisions.decision import Decision, Ruling
from meanscheck.decisions.encode import BlockRecords, input_needs, self_test
from meanscheck.decisions.record import GROUPS, ROOTED, Provenance
from meanscheck.errors import StoreError
from meanscheck.evidence import Projection, Snapshot, Store
from meanscheck.law.law import LANGUAGE_VERSION, Law
from meanscheck.law.vectors import VectorRun
from meanscheck.values.money import format_yuan
from meanscheck.vault import DeploymentKey, Held, Safe

BLOCK_UNITS = 50_000
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SealableBlock:
    """A block as the ledger takes it."""

    tokens: Sequence[str]
    groups: Sequence[Sequence[bytes]]


class Assessment:
    """A caseload under one law. Made by `assess`; runs once, when first looked at or when a ledger asks for blocks."""

    def __init__(
        self,
        store: Store,
        law: Law,
        projection: Projection,
        snapshot: Snapshot,
        *,
        safe: Safe,
        block_units: int,
        progress: Progress | None,
    ) -> None:
        self.store, self.law, self.projection, self.snapshot = store, law, projection, snapshot
        self.block_units, self._progress = block_units, progress
        short = hashlib.sha256(f"{law.digest} {snapshot.id}".encode()).hexdigest()[:12]
        self.batch_id = f"{law.code}-{law.on.isoformat()}-{short}"
        self.vault = safe.batch(self.batch_id, GROUPS)
        self.counts: Counter[tuple[str, str]] = Counter()
        self.causes: Counter[tuple[str, str]] = Counter()
        self.awards: Counter[str] = Counter()
        self.records_root = ""
        self._ran = False

    def __repr__(self) -> str:
        return f"Assessment({self.batch_id}, {self.projection.units} case units)"

    # ---- what a ledger asks for

    @property
    def opening(self) -> Mapping[str, Any]:
        """Digests of law, engine and inputs, and what is promised."""
        return {
            "accepted": list(self.law.accepted),
            "engine": f"meanscheck {_version('meanscheck')}, polars {_version('polars')}, duckdb {_version('duckdb')}",
            "known_by": self.law.known_by.isoformat(),
            "language": LANGUAGE_VERSION,
            "law": self.law.digest,
            "on": self.law.on.isoformat(),
            "order": "case id ascending",
            "pack": self.law.code,
            "run": "after opening" if not self._ran else "before opening",
            "snapshot": self.snapshot.id,
            "units": self.projection.units,
        }

    @property
    def closing(self) -> Mapping[str, Any]:
        """Counts by programme and outcome. The records root stays in the vault: it is unsalted."""
        table: dict[str, dict[str, int]] = {}
        for (programme, outcome), count in sorted(self.counts.items()):
            table.setdefault(programme, {})[outcome] = count
        return {"outcomes": table, "unassessed": 0}

    def blocks(self) -> Iterator[SealableBlock]:
        """The decisions, block by block, running if this has not been done."""
        if not self._ran:
            yield from self._run()
        else:
            yield from map(_sealable, self.vault.blocks(purpose="log"))

    def keep(self, block_no: int, *, first_index: int, salts: Sequence[bytes], leaves: Sequence[bytes]) -> None:
        """Put a block's salts and leaves into the vault."""
        index = pl.int_range(first_index, first_index + len(leaves), eager=True)
        self.vault.put("seals", block_no, pl.DataFrame({"index": index, "leaf": list(leaves), "salts": list(salts)}))

    # ---- running

    def run(self, progress: Progress | None = None) -> Assessment:
        """Assess all units now, if not done; returns itself."""
        if not self._ran:
            self._progress = progress or self._progress
            for _ in self._run():
                pass
        return self

    def _run(self) -> Iterator[SealableBlock]:
        self_test()
        self._ran = True
        self.vault.begin()
        units, persons = self.store.subjects()
        root = hashlib.sha256()
        done = 0
        for number, block in enumerate(self.projection.blocks(input_needs(self.law), block_units=self.block_units)):
            frame, outcomes = self.assess_block(block, units=units, persons=persons)
            frame = frame.with_columns(position=pl.int_range(done, done + frame.height, dtype=pl.Int64))
            sealable = _sealable(frame)
            for texts in zip(*(sealable.groups[GROUPS.index(name)] for name in ROOTED), strict=True):
                root.update(hashlib.sha256(b"\n".join(texts)).digest())
            self._count(outcomes)
            self.vault.put("records", number, frame)
            self.vault.put("outcomes", number, outcomes)
            done += frame.height
            yield sealable
            if self._progress is not None:
                self._progress(done, self.projection.units)
        if done != self.projection.units:
            raise StoreError("the projection gave fewer case units than it promised; nothing was closed")
        self.records_root = root.hexdigest()
        facts = {"on": self.law.on.isoformat(), "units": done, "outcomes": self.closing["outcomes"]}
        self.vault.close({**facts, "records_root": self.records_root})

    def assess_block(
        self, block: CaseBlock, *, units: pl.DataFrame, persons: pl.DataFrame
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Records (case_id, token, groups) and outcomes of one block."""
        run = VectorRun(self.law, block)
        records = BlockRecords(run, provenance=Provenance(self.snapshot.id))
        tokens = _tokens(block.households["case_id"], units)
        of_persons = _tokens(block.persons["person"], persons)
        frame = records.frame(household_tokens=tokens, person_tokens=of_persons).with_columns(token=tokens)
        return frame, self._outcomes(records)

    def _outcomes(self, records: BlockRecords) -> pl.DataFrame:
        parts: list[pl.DataFrame] = []
        for p in self.law.programmes:
            household = p.entity == "household"
            frame = records.homes if household else records.members
            requested = (
                records.homes["requested"] if household else records.homes["requested"].gather(frame["unit_row"])
            )
            case = records.homes["case_id"] if household else records.homes["case_id"].gather(frame["unit_row"])
            causes = records.causes[p.entity].get(p.id)
            if causes is None:
                causes = pl.Series([None], dtype=pl.List(pl.String)).new_from_index(0, frame.height)
            elif not household:
                causes = causes.gather(frame["person_row"])
            word = (
                pl.when(pl.col(f"o:{p.id}"))
                .then(pl.lit("eligible"))
                .when(~pl.col(f"o:{p.id}"))
                .then(pl.lit("ineligible"))
            )
            wanted = (requested == "") | requested.str.split(",").list.contains(p.id)
            parts.append(
                frame.select(
                    case.alias("case_id"),
                    programme=pl.lit(p.id),
                    member=pl.lit(None, dtype=pl.String) if household else pl.col("id"),
                    outcome=word.otherwise(pl.lit("refer")),
                    award_fen=pl.col(f"w:{p.id}") if p.award is not None else pl.lit(None, dtype=pl.Int64),
                    causes=pl.lit(causes),
                ).filter(wanted)
            )
        return pl.concat(parts).sort("case_id", "programme", "member", nulls_last=False)

    def _count(self, outcomes: pl.DataFrame) -> None:
        by_outcome = outcomes.group_by("programme", "outcome").agg(n=pl.len(), award=pl.col("award_fen").sum())
        for programme, outcome, n, award in by_outcome.sort("programme", "outcome").iter_rows():
            self.counts[programme, outcome] += n
            self.awards[programme] += award or 0
        open_ones = outcomes.filter(pl.col("outcome") == "refer").select("programme", "causes").explode("causes")
        by_cause = open_ones.filter(pl.col("causes").is_not_null()).group_by("programme", "causes").agg(n=pl.len())
        for programme, cause, n in by_cause.sort("programme", "causes").iter_rows():
            self.causes[programme, cause] += n

    # ---- what came out

    @property
    def outcomes(self) -> pl.LazyFrame:
        """case_id, programme, member String · outcome String · award_fen Int64 · causes List[String]."""
        self.run()
        return self.vault.outcomes()

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

    def summary(self) -> str:
        """Counts by programme and outcome, awards, and the commonest causes of referral."""
        self.run()
        lines = [f"{self.law.name}, {self.law.on}: {self.projection.units} case units, batch {self.batch_id}"]
        for p in self.law.programmes:
            counts = {o: self.counts[p.id, o] for o in ("eligible", "ineligible", "refer")}
            if not any(counts.values()):
                continue
            unit = {"money/month": " yuan a month", "money": " yuan"}.get(p.award.unit, "") if p.award else ""
            lines.append(
                f"  {p.id} {p.label_zh}: {counts['eligible']} eligible ({format_yuan(self.awards[p.id])}{unit}), "
                f"{counts['ineligible']} not eligible, {counts['refer']} referred to a person"
            )
            top = sorted(((n, c) for (q, c), n in self.causes.items() if q == p.id), key=lambda x: (-x[0], x[1]))[:5]
            lines += [f"      {n} × {cause}" for n, cause in top]
        return "\n".join(lines)


def assess(
    store: Store,
    law: Law,
    *,
    snapshot: Snapshot | None = None,
    vault: Path | str | None = None,
    vault_key: DeploymentKey | None = None,
    block_units: int = BLOCK_UNITS,
    progress: Progress | None = None,
) -> Assessment:
    """Assess every case unit of a snapshot under one law.

    Args:
        store: the evidence store; the law is recorded in it.
        law: from `RulePack.on`.
        snapshot: which evidence; the present one unless given.
        vault: folder for records; ``<store>.vault`` beside the store unless given.
        vault_key: locks the vault; unless given, that of MEANSCHECK_VAULT_KEY or of ``keys/<vault's name>.key`` beside
            the folder, which is made with a new vault and belongs kept apart from it.
        block_units: case units held at a time; the results do not depend on it.
        progress: called with units done and units in all.
    """
    taken = snapshot or store.snapshot()
    store.record_law(law.digest, law.canonical.decode())
    projection = store.project(taken, on=law.on)
    folder = Path(vault) if vault is not None else store.path.with_suffix(".vault")
    safe = Safe.open(folder, key=vault_key, make=True)
    return Assessment(store, law, projection, taken, safe=safe, block_units=block_units, progress=progress)


def _sealable(frame: pl.DataFrame) -> SealableBlock:
    return SealableBlock(frame["token"].to_list(), [frame[name].cast(pl.Binary).to_list() for name in GROUPS])


def _tokens(keys: pl.Series, table: pl.DataFrame) -> pl.Series:
    """The token of each key. `table` is sorted by its key, so that a block costs by its own size."""
    known = table[keys.name]
    if not len(known):
        return pl.Series("token", [None], dtype=pl.String).new_from_index(0, len(keys))
    place = known.search_sorted(keys).clip(0, len(known) - 1)
    found = table["token"].gather(place)
    return pl.select(
        pl.when(pl.lit(known.gather(place)) == pl.lit(keys)).then(pl.lit(found)).alias("token")
    ).to_series()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "from a checkout"
