"""What is the digest of each row that came in? (`digests` says of what it is made.)

Made here by Polars when a row comes in, and by the database from the stored values when a case is read (see `rows`):
each is a check of the other.
"""

from __future__ import annotations

import polars as pl

from meanscheck.contracts import FeedContract
from meanscheck.contracts.whose import Whose
from meanscheck.evidence.digests import BETWEEN, NULL, ROW_DIGEST_BYTES
from meanscheck.evidence.tables import IDENTITY, stored_columns
from meanscheck.values.hashing import sha256

_FEW_DAYS = 50_000
"""A century and a third."""


def row_digests(contract: FeedContract, rows: pl.DataFrame, whose: Whose) -> pl.Series:
    """`digest` (Binary, 16 bytes) of each row.

    Args:
        rows: the contract's stored columns, as a cast yields them.
        whose: of these rows.
    """
    if not rows.height:
        return pl.Series("digest", dtype=pl.Binary)
    people = whose.people.select(
        pl.concat_str([pl.lit(contract.name), *(pl.col(name).fill_null(NULL) for name in IDENTITY)], separator=BETWEEN)
    ).to_series()
    cells = [pl.lit(people.gather(whose.who))]
    cells += [pl.lit(_written(rows[column.stored_name])).fill_null(NULL) for column in stored_columns(contract)]
    texts = pl.select(pl.concat_str(cells, separator=BETWEEN)).to_series()
    return sha256(texts, size=ROW_DIGEST_BYTES).alias("digest")


def _written(values: pl.Series) -> pl.Series:
    """Values as text: whole numbers in decimal, days as ISO 8601, true or false; one null for a column of nulls."""
    if values.null_count() == len(values):
        return pl.Series([None], dtype=pl.String)
    if values.dtype == pl.Date:
        # Days repeat: the calendar between the first and the last is written once.
        numbers = values.cast(pl.Int32)
        first, last = numbers.min(), numbers.max()
        if isinstance(first, int) and isinstance(last, int) and last - first < min(_FEW_DAYS, len(values)):
            calendar = pl.int_range(first, last + 1, dtype=pl.Int32, eager=True).cast(pl.Date)
            return calendar.cast(pl.String).gather(numbers - first)
    return values.cast(pl.String)
