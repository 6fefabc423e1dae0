"""Which cells of a file are at fault, and why? Collected column by column, as places, never as values."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


class Faults:
    """Collects (row position, field, reason); the first reason of a cell wins."""

    def __init__(self) -> None:
        self._parts: list[pl.DataFrame] = []

    def add(self, field: str, reason: str, where: pl.Series) -> None:
        """Mark the rows where a Boolean Series is true (null is not true)."""
        places = where.fill_null(value=False).arg_true()
        if len(places):
            part = pl.DataFrame({"at": places.cast(pl.UInt32)})
            self._parts.append(part.with_columns(field=pl.lit(field), reason=pl.lit(reason)))

    def add_each(self, field: str, places: pl.Series, reasons: Sequence[str | None]) -> None:
        """Mark places one by one; None is no fault."""
        part = pl.DataFrame({"at": places.cast(pl.UInt32), "reason": pl.Series(reasons, dtype=pl.String)})
        part = part.filter(pl.col("reason").is_not_null())
        if part.height:
            self._parts.append(part.select("at", pl.lit(field).alias("field"), "reason"))

    def blank(self, field: str, reason: str, values: pl.Series, where: pl.Series) -> pl.Series:
        """Mark rows and return the values with these rows null."""
        self.add(field, reason, where)
        sound = ~where.fill_null(value=False)
        return values.zip_with(sound, pl.Series([None], dtype=values.dtype))

    def table(self) -> pl.DataFrame:
        """`at` UInt32 (row position), `field`, `reason` String; one reason a cell, sorted by place, then as found."""
        empty = pl.DataFrame(schema={"at": pl.UInt32, "field": pl.String, "reason": pl.String})
        found = pl.concat([empty, *self._parts])
        found = found.unique(subset=["at", "field"], keep="first", maintain_order=True)
        return found.sort("at", maintain_order=True)
