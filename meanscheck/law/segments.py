"""Sums, counts and verdicts per owner of consecutive rows, without a group-by.

Rows of an owner are consecutive and in the owners' order. A measure is a column of the row frame; null means unknown. Its sum
per owner is the difference of the running sum at the owners' last rows (1.2 s for 27 M rows where a group-by takes 2 to 3).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from meanscheck.errors import InternalError

SAFE_SUM = 2**62


class Segments:
    """Consecutive rows by owner. `counts[i]` rows belong to owner i."""

    def __init__(self, counts: np.ndarray) -> None:
        self.counts = counts.astype(np.int64)
        self.ends = np.cumsum(self.counts)
        self.rows = int(self.ends[-1]) if len(counts) else 0
        self.longest = int(self.counts.max()) if len(counts) else 0

    @property
    def owners(self) -> int:
        """How many owners, those without rows included."""
        return len(self.counts)

    def owner_of_row(self) -> np.ndarray:
        """The owner of each row."""
        return np.repeat(np.arange(self.owners), self.counts)

    def sums(self, frame: pl.DataFrame) -> dict[str, pl.Series]:
        """Per owner the sum of each column (Int64 without nulls), 0 where there are no rows.

        Raises:
            InternalError: if a sum might not fit Int64 (Polars would wrap silently).
        """
        if frame.height != self.rows:
            raise InternalError("row counts do not match the rows of a feed; the projection is damaged")
        if not self.rows:
            return {name: pl.zeros(self.owners, dtype=pl.Int64, eager=True).alias(name) for name in frame.columns}
        largest = frame.select(pl.all().abs().max()).row(0)
        if any((top or 0) * max(self.longest, 1) >= SAFE_SUM for top in largest):
            raise InternalError("amounts too large to be summed exactly")
        running = frame.select(pl.all().cum_sum())
        result = {}
        for column in running.get_columns():
            at_end = np.zeros(self.rows + 1, dtype=np.int64)
            at_end[1:] = column.to_numpy()
            upto = at_end[self.ends]
            result[column.name] = pl.Series(column.name, np.diff(upto, prepend=0))
        return result


def truth_sums(segments: Segments, columns: Mapping[str, pl.Series]) -> dict[str, tuple[pl.Series, pl.Series]]:
    """For Boolean columns: per owner how many rows are true, and how many unknown."""
    parts: dict[str, pl.Series] = {}
    for name, series in columns.items():
        parts[f"1{name}"] = series.fill_null(False).cast(pl.Int64)
        if series.null_count():
            parts[f"?{name}"] = series.is_null().cast(pl.Int64)
    sums = segments.sums(pl.DataFrame(parts)) if parts else {}
    none = pl.zeros(segments.owners, dtype=pl.Int64, eager=True)
    return {name: (sums[f"1{name}"], sums.get(f"?{name}", none)) for name in columns}
