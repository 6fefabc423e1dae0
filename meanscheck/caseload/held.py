"""What does the vault hold of each decision of a batch, also where a household was erased?

The one place of this room that knows how a vault lies on disk.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from meanscheck.decisions.record import GROUPS
from meanscheck.vault import Vault


@dataclass(frozen=True, slots=True)
class Kept:
    """One decision as the vault holds it. `groups` is None where the household was erased; index, leaf and salts are
    None where the decision was not sealed (salts also where it was erased)."""

    position: int
    token: str
    case_id: str | None
    groups: Mapping[str, bytes] | None = field(repr=False)
    index: int | None
    leaf: bytes | None = field(repr=False)
    salts: bytes | None = field(repr=False)

    def record(self) -> dict[str, Any]:
        """The groups as JSON values, none where the household was erased."""
        return {name: json.loads(text) for name, text in (self.groups or {}).items()}


def batches_in(folder: Path) -> list[str]:
    """Ids of the whole batches of a vault's folder."""
    if not folder.is_dir():
        return []
    return sorted(p.name for p in folder.iterdir() if Vault(p, GROUPS).closed() is not None)


def kept(folder: Path, batch_id: str) -> Iterator[list[Kept]]:
    """The decisions of a batch in their order, block by block."""
    vault = Vault(folder / batch_id, GROUPS)
    for number, frame in enumerate(vault.blocks()):
        seals = _seals(vault, number, frame.height)
        readable = frame["state"].is_null() if "state" in frame.columns else frame["subject"].is_not_null()
        yield [
            Kept(
                row["position"],
                row["token"],
                row["case_id"] if can_read else None,
                {name: row[name].encode() for name in GROUPS} if can_read else None,
                *seal,
            )
            for row, can_read, seal in zip(frame.iter_rows(named=True), readable, seals, strict=True)
        ]


def outcomes(folder: Path, batch_id: str) -> pl.LazyFrame:
    """case_id, programme, member, outcome String · award_fen Int64 · causes List[String], of households not erased."""
    return Vault(folder / batch_id, GROUPS).outcomes()


def closed(folder: Path, batch_id: str) -> Mapping[str, Any]:
    """What was noted when the batch was closed: counts, and the records root."""
    return Vault(folder / batch_id, GROUPS).closed() or {}


def _seals(vault: Vault, number: int, many: int) -> list[tuple[int | None, bytes | None, bytes | None]]:
    file = vault.folder / f"seals-{number:05d}.parquet"
    if not file.exists():
        return [(None, None, None)] * many
    return list(pl.read_parquet(file, columns=["index", "leaf", "salts"]).iter_rows())
