"""From projected evidence to records, leaves and a tree, block by block; each part on its own clock."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from benchmarks.clock import Clock
from benchmarks.peer.decided import decided
from benchmarks.peer.facts import Facts
from benchmarks.peer.records import outcomes, records
from benchmarks.peer.sealing import SALTS, Batch, digests, leaf_hash, sealed, tree_root

BLOCK_UNITS = 51_200
SLICE = 8192
"""Records turned into Python's bytes at a time: they are hashed while they are still near the processor."""


@dataclass(slots=True)
class Made:
    """What the run left: roots of records, leaves and log, records and their bytes, counts by outcome and by cause."""

    records_root: str = ""
    root: str = ""
    log_root: str = ""
    records: int = 0
    record_bytes: int = 0
    awards: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)

    def count(self, told: pl.DataFrame) -> None:
        """Add a block's outcomes."""
        self.awards += int(told["award_fen"].sum())
        self.outcomes.update(dict(told["outcome"].value_counts().iter_rows()))
        self.causes.update(dict(told["causes"].explode().drop_nulls().value_counts().iter_rows()))


def run_peer(
    projection: Path, out: Path, *, provenance: str, name: str, clock: Clock, block_units: int = BLOCK_UNITS
) -> Made:
    """Run the whole hand-written pipeline; files go to `out`.

    Args:
        provenance: the provenance group, the same for all records.
        name: of the batch.
    """
    out.mkdir(parents=True, exist_ok=True)
    made, root, hashes = Made(), hashlib.sha256(), list[bytes]()
    opening = json.dumps({"b": name, "k": "batch-open", "opening": json.loads(provenance), "v": 1}).encode()
    batch = Batch.of(name, opening)
    with clock("facts"):
        facts = Facts(projection)
    for number, first in enumerate(range(0, facts.units, block_units)):
        with clock("facts"):
            block = facts.block(first, min(first + block_units, facts.units))
        with clock("rules"):
            homes, members = decided(block, facts.bits)
        with clock("records"):
            groups = records(homes, members, block.edges, facts.bits, provenance=provenance)
            told = outcomes(homes, facts.bits)
        salts, leaves = list[bytes](), list[bytes]()
        for at in range(0, homes.height, SLICE):
            with clock("bytes and digests"):
                columns = [group.slice(at, SLICE).cast(pl.Binary).to_list() for group in groups]
                root.update(digests(columns))
            with clock("commitments and leaves"):
                done = sealed(batch, first + at, homes["token"].slice(at, SLICE).to_list(), columns)
                salts.append(done.salts)
                leaves += done.leaves
                hashes += done.hashes
        with clock("files"):
            drawn = [one[at : at + SALTS] for one in salts for at in range(0, len(one), SALTS)]
            kept = pl.DataFrame([homes["case_id"], homes["token"], *groups])
            kept = kept.with_columns(pl.Series("salts", drawn), pl.Series("leaf", leaves))
            for name, frame in (("records", kept), ("outcomes", told)):
                frame.write_parquet(out / f"{name}-{number:05d}.parquet", compression="zstd", compression_level=1)
        made.records += homes.height
        made.record_bytes += sum(int(group.str.len_bytes().sum()) for group in groups)
        made.count(told)
    with clock("tree"):
        made.root = tree_root(hashes).hex()
        closing = {"b": name, "count": made.records, "k": "batch-close", "m": batch.opening, "root": made.root, "v": 1}
        log = [leaf_hash(opening), *hashes, leaf_hash(json.dumps(closing).encode())]
        made.log_root = tree_root(log).hex()
    made.records_root = root.hexdigest()
    facts.close()
    return made
