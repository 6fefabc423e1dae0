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
from meanscheck.vault import Safe


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
    if not folder.is_dir() or not any(place.is_dir() for place in folder.iterdir()):
        return []
    return sorted(batch.folder.name for batch in Safe.open(folder).batches() if batch.closed() is not None)


def kept(folder: Path, batch_id: str) -> Iterator[list[Kept]]:
    """The decisions of a batch in their order, block by block. An audit reads also what is restricted."""
    vault = Safe.open(folder).batch(batch_id, GROUPS)
    blocks = vault.blocks(purpose="audit", gaps=True)
    for frame, sealed in zip(blocks, vault.seals(purpose="audit"), strict=True):
        seals = [(None, None, None)] * frame.height if sealed is None else sealed.rows()
        yield [
            Kept(
                row["position"],
                row["token"],
                row["case_id"],
                None if row["state"] is not None else {name: row[name].encode() for name in GROUPS},
                *seal,
            )
            for row, seal in zip(frame.iter_rows(named=True), seals, strict=True)
        ]


def outcomes(folder: Path, batch_id: str) -> pl.LazyFrame:
    """case_id, programme, member, outcome String · award_fen Int64 · causes List[String], of households not erased."""
    return Safe.open(folder).batch(batch_id, GROUPS).outcomes(purpose="audit")


def closed(folder: Path, batch_id: str) -> Mapping[str, Any]:
    """What was noted when the batch was closed: counts, and the records root (None once a household was erased)."""
    return Safe.open(folder).batch(batch_id, GROUPS).closed() or {}
