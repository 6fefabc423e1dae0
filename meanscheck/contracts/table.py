"""What is a table of a sent file, before anybody knows which feed it is: headers, cells, lines, and what stands around.

Every reader of a format ends here; `named` goes on from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import polars as pl

IsHeader: TypeAlias = Callable[[Sequence[str]], int]
"""How many of the cells of a line are headers that somebody knows (a yes counts as one)."""

MAX_PREAMBLE = 10
"""Lines that may stand before the header, such as a title."""


@dataclass(frozen=True)
class Table:
    """Cells of a file, or of one sheet.

    Attributes:
        headers: as written; of a header over several rows the parts that are needed to know it, joined by ``/``.
        cells: one column for each header, named c0, c1 …; String, or typed if the file was Parquet.
        lines: line of each row as a person counts it (the first line is 1).
        broken: `row_no` Int64, `reason`, `line` String: rows that could not be divided into cells.
        encoding: "utf-8" or "gb18030"; empty for formats without one.
        above: texts of the lines above the header, such as a title or the unit of the amounts.
        formulas: line → position of its first formula, for workbooks.
        serial_days: days from 1970-01-01 to day 0 of the workbook; None if a number is never a day.
        header_line: line of the (last) header row; 0 if there is none.
        separator: of a CSV file.
        sheet: name of a workbook's sheet.
        merged: (first line, column from 0, last line) of cells that reach over several rows.
    """

    headers: tuple[str, ...]
    cells: pl.DataFrame = field(repr=False)
    lines: pl.Series = field(repr=False)
    broken: pl.DataFrame = field(repr=False)
    encoding: str = ""
    above: tuple[str, ...] = field(default=(), repr=False)
    formulas: Mapping[int, int] = field(default_factory=dict, repr=False)
    serial_days: int | None = None
    header_line: int = 0
    separator: str = ""
    sheet: str = ""
    merged: tuple[tuple[int, int, int], ...] = field(default=(), repr=False)


def broken_schema() -> dict[str, pl.DataType]:
    """Columns of `Table.broken`."""
    return {"row_no": pl.Int64(), "reason": pl.String(), "line": pl.String()}


def none_broken() -> pl.DataFrame:
    """No broken row."""
    return pl.DataFrame(schema=broken_schema())


def counted(first: int, height: int) -> pl.Series:
    """Lines `first`, `first` + 1, … (Int64)."""
    return pl.int_range(first, first + height, dtype=pl.Int64, eager=True)
