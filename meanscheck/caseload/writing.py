"""How is a table written so that Excel and a programmer both read it rightly? As CSV and as Parquet, part by part.

CSV is UTF-8 with a byte order mark and CRLF. A text that a spreadsheet would take for a formula (it begins with one of
``= + - @``, a tab, a line end, or their full-width forms) or for a number (twelve digits and more, leading zeros, an
exponent) gets an apostrophe before it, and so does a text that begins with an apostrophe: take one off to have the
value back.

>>> frame = pl.DataFrame({"t": ["=1+1", "440703196802249817", "007", "'x", "-12", "-", None, "", "张三"]})
>>> safe(frame)["t"].to_list()
["'=1+1", "'440703196802249817", "'007", "''x", '-12', "'-", None, '', '张三']

Numbers, days and yes/no stand as they are; a list is joined with ``; ``; bytes are hexadecimal.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import polars as pl

_PLAIN = r"^-\d{1,11}$"
_ODD = r"""^(?:[=+\-@'\t\r\n＝＋－＠]|\d{12,}$|0\d+$|\d+(?:\.\d+)?[eE][+-]?\d+$)"""


def safe(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame as CSV may hold it."""
    plain = frame.with_columns(
        *(pl.col(name).bin.encode("hex") for name, kind in frame.schema.items() if kind == pl.Binary),
        *(
            pl.col(name).cast(pl.List(pl.String)).list.join("; ")
            for name, kind in frame.schema.items()
            if _is_list(kind)
        ),
    )
    texts = [name for name, kind in plain.schema.items() if kind in (pl.String, pl.Enum, pl.Categorical)]
    cells = {name: pl.col(name).cast(pl.String) for name in texts}
    return plain.with_columns(
        pl.when(cell.str.contains(_ODD) & ~cell.str.contains(_PLAIN))
        .then(pl.lit("'") + cell)
        .otherwise(cell)
        .alias(name)
        for name, cell in cells.items()
    )


def write(folder: Path, name: str, frames: Iterable[pl.DataFrame]) -> int:
    """Write ``<name>.csv`` and ``<name>.parquet``, readable by their owner only; returns the rows.

    Args:
        folder: of the export.
        name: of the table.
        frames: its parts in order, with the same columns; at least one.
    """
    parts = folder / f".{name}.parts"
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(mode=0o700)
    rows = number = 0
    csv = folder / f"{name}.csv"
    csv.touch(mode=0o600)
    with csv.open("wb") as file:
        for number, frame in enumerate(frames, 1):
            text = safe(frame).write_csv(include_header=number == 1, include_bom=number == 1, line_terminator="\r\n")
            file.write(text.encode("utf-8"))
            frame.write_parquet(parts / f"{number:06d}.parquet", compression="zstd")
            rows += frame.height
    target = folder / f"{name}.parquet"
    if number == 1:
        (parts / "000001.parquet").replace(target)
    else:
        pl.scan_parquet(sorted(parts.glob("*.parquet"))).sink_parquet(target, compression="zstd", maintain_order=True)
    target.chmod(0o600)
    shutil.rmtree(parts)
    return rows


def write_file(frame: pl.DataFrame, path: Path) -> None:
    """One table as ``*.parquet``, else as CSV, readable by its owner only."""
    path.touch(mode=0o600)
    path.chmod(0o600)  # also one that was there, open to others
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        safe(frame).write_csv(path, include_bom=True, line_terminator="\r\n")


def _is_list(kind: pl.DataType) -> bool:
    return isinstance(kind, pl.List)
