"""Which rows of a block may a finder look at, and whose are they?

A `Scene` is one block on one day. `rows(feed, …)` gives the rows of the persons for whom the feed has been answered:
the columns asked for, and as Int64 `unit`, `person` and `row`, the places of the household, of the person and of the
row itself in the frames of the block.

Finders return *points*, one line for every row that a conflict rests on:

    unit · owner Int64 (the person whom the conflict is about, -1: several of the unit) · key String (tells conflicts of
    one kind and owner apart) · person · side Int8 (0, 1: index into the kind's feeds) · row · one, other Int64 (figures
    of the two sides, null where the kind has none)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from meanscheck.contracts.units import VERDICT_DROPPED, CaseBlock
from meanscheck.errors import InternalError

POINTS = {
    "unit": pl.Int64,
    "owner": pl.Int64,
    "key": pl.String,
    "person": pl.Int64,
    "side": pl.Int8,
    "row": pl.Int64,
    "one": pl.Int64,
    "other": pl.Int64,
}
NO_POINTS = pl.DataFrame(schema=POINTS)
SAFE_ROWS = 100_000
"""Rows a person and feed may have, so that sums of amounts of at most 10^13 fen fit Int64."""


@dataclass(slots=True)
class Scene:
    """A block on a day.

    Attributes:
        block: the evidence.
        on: stands for a reference day that is not stated.
        window: months over which a declared income is told; None if unknown.
        units: if given, only these household rows are looked at, without rows that a finding drops.
    """

    block: CaseBlock = field(repr=False)
    on: date
    window: int | None
    units: pl.Series | None = None
    _people: pl.DataFrame | None = field(default=None, repr=False)
    _owners: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def people(self) -> pl.DataFrame:
        """unit, person Int64 · role, id, relation · division String · applied_on, day Date, by person row."""
        if self._people is None:
            homes, persons = self.block.households, self.block.persons
            unit = np.repeat(np.arange(homes.height), homes["n_persons"].to_numpy().astype(np.int64))
            day = homes["reference_day"].fill_null(self.on)
            self._people = persons.select("role", "id", "relation").with_columns(
                pl.Series("unit", unit, dtype=pl.Int64),
                pl.int_range(pl.len(), dtype=pl.Int64).alias("person"),
                homes["division"].gather(unit),
                homes["applied_on"].gather(unit),
                day.gather(unit).alias("day"),
            )
        return self._people

    def rows(self, feed: str, *columns: str) -> pl.DataFrame:
        """The rows of a feed that may be looked at, in the block's order."""
        frame = self.block.feeds[feed]
        owner = self._owner(feed)
        # Series by series: some thirty finders ask, and a query costs more than what it does here.
        person, row = (
            pl.Series("person", owner, dtype=pl.Int64),
            pl.Series("row", np.arange(len(owner)), dtype=pl.Int64),
        )
        unit = self.people["unit"][pl.Series(owner, dtype=pl.UInt32)]
        rows = pl.DataFrame([*(frame[name] for name in columns), person, row, unit])
        kept = (self.block.persons[f"s:{feed}"].to_numpy() == 0)[owner]
        if self.units is not None:
            kept &= np.isin(unit.to_numpy(), self.units.to_numpy()) & (frame["verdict"].to_numpy() != VERDICT_DROPPED)
        return rows if kept.all() else rows.filter(pl.Series(kept))

    def _owner(self, feed: str) -> np.ndarray:
        if feed not in self._owners:
            counts = self.block.persons[f"n:{feed}"].to_numpy().astype(np.int64)
            if int(counts.sum()) != self.block.feeds[feed].height:
                raise InternalError("row counts do not match the rows of a feed; the projection is damaged")
            if len(counts) and int(counts.max()) > SAFE_ROWS:
                raise InternalError("too many rows of one person to be summed exactly")
            self._owners[feed] = np.repeat(np.arange(len(counts)), counts)
        return self._owners[feed]

    def of_people(self, rows: pl.DataFrame, *names: str) -> pl.DataFrame:
        """The rows with more of what `people` says of each row's person."""
        person = rows["person"].cast(pl.UInt32)
        return rows.with_columns([self.people[name][person] for name in names])


def points(rows: pl.DataFrame, side: int = 0, *, key: pl.Expr | None = None, shared: bool = False) -> pl.DataFrame:
    """Rows as points. `shared`: the conflict is about several persons of the unit. `one` and `other` are taken over
    where the rows have them."""
    figures = [pl.col(c) if c in rows.columns else pl.lit(None, pl.Int64).alias(c) for c in ("one", "other")]
    return rows.select(
        "unit",
        (pl.lit(-1, pl.Int64) if shared else pl.col("person")).alias("owner"),
        (pl.lit("") if key is None else key.cast(pl.String)).alias("key"),
        "person",
        pl.lit(side, pl.Int8).alias("side"),
        "row",
        *figures,
    )


def total(column: str) -> pl.Expr:
    """The sum of a group; unknown if any part is."""
    return pl.when(pl.col(column).null_count() == 0).then(pl.col(column).sum())
