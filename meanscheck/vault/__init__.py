"""The vault: records, salts and leaves of sealed decisions, outside the log.

One folder a batch, one pair of Parquet files a block:

    records-00000.parquet   position Int64 · case_id String · token String · subject … evidence String (canonical JSON)
    outcomes-00000.parquet  position · case_id · programme · member String (null: household) · outcome String ·
                            award_fen Int64 · causes List[String]
    seals-00000.parquet     index Int64 (in the log) · leaf Binary · salts Binary (112 bytes)   by position
    closed.json             written last: counts and the records root

Choices
    Files are readable by their owner only (mode 0600) and not encrypted: sealing per household and erasure are not
    built yet, so the folder must lie on an encrypted disk. Parquet is for holding, never for hashing: digests are
    over the JSON texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from meanscheck.errors import StoreError


@dataclass(frozen=True, slots=True)
class Held:
    """One record as the vault holds it; `index`, `leaf` and `salts` are None until it is sealed.

    What it says of the case, and the salts that hide it, are kept out of its repr.
    """

    case_id: str
    groups: Mapping[str, bytes] = field(repr=False)
    index: int | None
    leaf: bytes | None = field(repr=False)
    salts: bytes | None = field(repr=False)


class Vault:
    """The folder of one batch."""

    def __init__(self, folder: Path, group_names: tuple[str, ...]) -> None:
        self.folder, self.group_names = folder, group_names

    def begin(self) -> None:
        """Make the folder, or empty it of what an unfinished run left."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in self.folder.iterdir():
            if file.name.split("-")[0] in ("records", "outcomes", "seals", "closed.json"):
                file.unlink()

    def put(self, kind: str, block: int, frame: pl.DataFrame) -> None:
        """Write one file of a block: to a temporary name, then renamed."""
        target = self.folder / f"{kind}-{block:05d}.parquet"
        part = target.with_suffix(".part")
        frame.write_parquet(part, compression="zstd", compression_level=1)
        part.chmod(0o600)
        part.replace(target)

    def close(self, facts: Mapping[str, Any]) -> None:
        """Mark the batch as whole."""
        part = self.folder / "closed.part"
        part.write_text(json.dumps(facts, sort_keys=True, ensure_ascii=False), encoding="utf-8")
        part.replace(self.folder / "closed.json")

    def closed(self) -> dict[str, Any] | None:
        """What `close` wrote; None if the batch is not whole."""
        file = self.folder / "closed.json"
        if not file.exists():
            return None
        facts: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return facts

    def blocks(self) -> Iterator[pl.DataFrame]:
        """The records, block by block."""
        for file in sorted(self.folder.glob("records-*.parquet")):
            yield pl.read_parquet(file)

    def outcomes(self) -> pl.LazyFrame:
        """All outcomes of the batch."""
        return pl.scan_parquet(sorted(self.folder.glob("outcomes-*.parquet")))

    def find(self, case_id: str) -> Held:
        """The record of a case; StoreError if the batch has none."""
        for file in sorted(self.folder.glob("records-*.parquet")):
            rows = pl.scan_parquet(file).filter(pl.col("case_id") == case_id).collect(engine="in-memory")
            if rows.height:
                row = rows.row(0, named=True)
                groups = {name: row[name].encode() for name in self.group_names}
                seals = self.folder / file.name.replace("records", "seals")
                if not seals.exists():
                    return Held(case_id, groups, None, None, None)
                first = pl.read_parquet(file, columns=["position"], n_rows=1).item()
                seal = pl.read_parquet(seals).row(row["position"] - first, named=True)
                return Held(case_id, groups, seal["index"], seal["leaf"], seal["salts"])
        raise StoreError("that case is not in this batch")
