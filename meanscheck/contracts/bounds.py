"""How much may a sent file hold before it is refused or a row is set aside? Bounds against hostile and broken input.

The bounds are far above what a department sends for a county, and below what exhausts a machine: a file beyond one is
refused whole, a row with a cell beyond `MAX_CELL` is quarantined alone.
"""

from __future__ import annotations

import polars as pl

from meanscheck.errors import FeedError

MAX_FILE_BYTES = 4 * 2**30
"""Bytes of a text file, or of everything that an archive or workbook unpacks to."""
MAX_WHOLE = 2**27
"""Bytes that are held in memory together: a file of a format that is not read in parts, what an archive of data unpacks
to, a line of a larger CSV file. While they are divided into cells they take some seven times as much."""
MAX_TEXT = 2**30
"""Bytes of text of the rows of a Parquet file that are in memory together: a small file may stand for any number."""
MAX_RATIO = 100
"""How many times its packed size a member may unpack to, from `SMALL` on (office files reach about 60)."""
SMALL = 16 * 2**20
"""Up to this size a member is not judged by its ratio: repetitive small files pack very well."""
MAX_MEMBERS = 1_000
MAX_SHEETS = 100
MAX_COLUMNS = 1_000
MAX_ROWS = 50_000_000
MAX_SHEET_CELLS = 64_000_000
"""Cells of a sheet, the empty ones between its corners counted: the reader of workbooks holds them all."""
MAX_CELL = 32_767
"""Characters of a cell, as many as Excel allows."""
KEPT = 1_000
"""Characters that are kept of a cell or a line beyond that, for its place in the quarantine."""

_REMEDY = "Send it in several files"
_IDENTITY = r"\d{17}[0-9Xx]"


def check_size(size: int, *, where: str) -> None:
    """FeedError if a file, or what it unpacks to, is larger than is read."""
    if size > MAX_FILE_BYTES:
        raise FeedError(f"larger than {MAX_FILE_BYTES // 2**30} GiB", where=where, remedy=_REMEDY)


def check_whole(size: int, *, where: str) -> None:
    """FeedError if a file that would be held in memory whole is larger than that."""
    if size > MAX_WHOLE:
        raise FeedError(
            f"larger than {MAX_WHOLE // 2**20} MiB, and would be held in memory whole",
            where=where,
            remedy=f"{_REMEDY}, or as CSV or Parquet, which are read in parts",
        )


def check_shape(rows: int, columns: int, *, where: str) -> None:
    """FeedError if there are more rows or columns than are read."""
    if columns > MAX_COLUMNS:
        raise FeedError(
            f"more than {MAX_COLUMNS:,} columns", where=where, remedy="Send the columns that were asked for"
        )
    if rows > MAX_ROWS:
        raise FeedError(f"more than {MAX_ROWS:,} rows", where=where, remedy=_REMEDY)


def is_huge(cell: pl.Expr) -> pl.Expr:
    """Whether a text is longer than a cell may be; null is not."""
    # Bytes are never fewer than characters and are known without counting.
    return ((cell.str.len_bytes() > MAX_CELL) & (cell.str.len_chars() > MAX_CELL)).fill_null(value=False)


def shortened(text: pl.Expr) -> pl.Expr:
    """A text that is kept for its place: beyond `MAX_CELL` cut to `KEPT` characters, an identity number behind the cut
    is kept.

    Whom a row concerns must stay known: for that person the answer is none.
    """
    head = text.str.head(KEPT)
    behind = text.str.slice(KEPT - 18).str.extract(f"({_IDENTITY})", 1)
    is_named = head.str.contains(_IDENTITY) | behind.is_null()
    return pl.when(is_huge(text)).then(pl.when(is_named).then(head).otherwise(head + " " + behind)).otherwise(text)
