"""How does a sent file look on disk? CSV in three encodings, a spreadsheet, Parquet; every byte fixed by its content.

A cell of a spreadsheet may hold a formula, as sent sheets do.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import polars as pl

from meanscheck.contracts.sheets import write_sheet

FileKind = Literal["csv", "csv_gb18030", "csv_bom", "xlsx", "parquet"]
_ENCODINGS = {"csv": "utf-8", "csv_gb18030": "gb18030", "csv_bom": "utf-8-sig"}
SUFFIXES = {"csv": ".csv", "csv_gb18030": ".csv", "csv_bom": ".csv", "xlsx": ".xlsx", "parquet": ".parquet"}


def write_rows(path: Path, frame: pl.DataFrame, *, kind: FileKind, formulas: Sequence[tuple[int, int]] = ()) -> None:
    """Write text cells under their headers.

    Args:
        path: the file; its suffix should be the kind's.
        frame: String columns named by the file's headers.
        kind: how.
        formulas: (row, column) from 0 of cells whose text is a formula (spreadsheets only).
    """
    if kind == "parquet":
        frame.write_parquet(path, compression="zstd", compression_level=1, statistics=False, row_group_size=500_000)
    elif kind == "xlsx":
        write_sheet(path, frame, frozenset(formulas))
    else:
        text = frame.write_csv(line_terminator="\r\n" if kind == "csv_gb18030" else "\n")
        path.write_bytes(text.encode(_ENCODINGS[kind]))
