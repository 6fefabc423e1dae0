"""From projected evidence to records, leaves and a tree, block by block; each part on its own clock."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from benchmarks.clock import Clock
from benchmarks.peer.facts import Facts
from benchmarks.peer.rules import decided

BLOCK_UNITS = 100_000
SALT = 16

MEMBER_CELLS = ("id", "is_member", "earned", "proceeds", "transfer", "other", "paid", "imputed", "income", "assets")
MEMBER_RESULTS = ("tekun_income", "tekun_outcome", "tekun_award", "medical")
TESTS = ("income_test", "assets_test", "dwellings_test", "vehicles_test", "business_test", "premises_test")
HOUSEHOLD_CELLS = ("case_id", "size", "household_income", "support_income", "assets", "fit_homes", "vehicles", "firms")


@dataclass(slots=True)
class Made:
    """What the run left: the tree's root, how many records and bytes, outcome and award of dibao by case."""

    root: str = ""
    records: int = 0
    record_bytes: int = 0
    outcomes: list[pl.DataFrame] = field(default_factory=list)


def records(households: pl.DataFrame, members: pl.DataFrame) -> list[bytes]:
    """One JSON text a household: values, tests, result, members."""
    cells = [pl.col(n) for n in (*MEMBER_CELLS, *MEMBER_RESULTS)]
    texts = members.select("unit", text=pl.struct(cells).struct.json_encode())
    joined = texts.group_by("unit", maintain_order=True).agg(pl.col("text").str.join(","))
    frame = households.join(joined, on="unit", how="left", maintain_order="left")
    own = pl.struct(*HOUSEHOLD_CELLS, *TESTS, "margin", "outcome", "award").struct.json_encode()
    text = pl.concat_str(
        own.str.head(-1), pl.lit(',"on":"2020-06-30","members":['), pl.col("text").fill_null(""), pl.lit("]}")
    )
    return frame.select(text.cast(pl.Binary)).to_series().to_list()


def tree_root(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962 root by levels."""
    sha256 = hashlib.sha256
    level = list(hashes)
    while len(level) > 1:
        odd = [level[-1]] if len(level) % 2 else []
        pairs = zip(level[0::2], level[1::2], strict=False)
        level = [sha256(b"\1" + left + right).digest() for left, right in pairs] + odd
    return level[0] if level else sha256(b"").digest()


def run_peer(projection: Path, out: Path, *, clock: Clock, block_units: int = BLOCK_UNITS) -> Made:
    """Run the whole hand-written pipeline; files go to `out`."""
    out.mkdir(parents=True, exist_ok=True)
    made, hashes = Made(), list[bytes]()
    facts = Facts(projection)
    sha256 = hashlib.sha256
    for number, first in enumerate(range(0, facts.units, block_units)):
        with clock("facts"):
            persons, households, edges = facts.block(first, min(first + block_units, facts.units))
        with clock("rules"):
            homes, members = decided(persons, households, edges)
        with clock("records"):
            texts = records(homes, members)
        with clock("hashes"):
            drawn = os.urandom(SALT * len(texts))
            salts = [drawn[at : at + SALT] for at in range(0, len(drawn), SALT)]
            leaves = [sha256(b"\0" + salt + text).digest() for salt, text in zip(salts, texts, strict=True)]
            hashes += leaves
        with clock("files"):
            kept = pl.DataFrame({"case_id": homes["case_id"], "record": texts, "salt": salts, "leaf": leaves})
            kept.write_parquet(out / f"records-{number:05d}.parquet", compression="zstd", compression_level=1)
        made.records += len(texts)
        made.record_bytes += sum(map(len, texts))
        made.outcomes.append(homes.select("case_id", "outcome", "award", "is_open"))
    with clock("tree"):
        made.root = tree_root(hashes).hex()
    facts.close()
    return made
