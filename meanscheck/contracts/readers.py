"""How does a feed file become rows under the contract's names, whatever its format?

CSV, fixed width and Excel give text; JSON lines give the text of each value as written; Parquet keeps its types, so
that a typed file is not bounced through text (the cast treats both alike). An archive is read as the files in it.
`row_no` is the line as a person counts it: the header of a CSV or Excel file is line 1, the first object of a JSON
lines file is line 1, the first row of a Parquet file is row 1; see `named` for files of several sheets or members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from meanscheck.contracts.archive import Member, unpack
from meanscheck.contracts.bounds import MAX_WHOLE, check_size, check_whole
from meanscheck.contracts.cast import ROW_NO, Cast, cast_rows
from meanscheck.contracts.csv_text import how_many, read_csv, read_csv_parts
from meanscheck.contracts.fixed_width import read_fixed
from meanscheck.contracts.headers import known_headers, names_every_column
from meanscheck.contracts.json_lines import read_jsonl
from meanscheck.contracts.mapping import ColumnMapping, FileMapping, FileShape
from meanscheck.contracts.mapping_checks import refuse_faulty
from meanscheck.contracts.model import FeedContract
from meanscheck.contracts.named import FileRows, joined, named
from meanscheck.contracts.office_sheets import IsComplete, read_sheets
from meanscheck.contracts.parquet import opened_parquet
from meanscheck.contracts.spelling import header_key
from meanscheck.contracts.table import IsHeader, Table, counted, none_broken
from meanscheck.errors import FeedError

__all__ = ["FORMATS", "FileRows", "cast_file", "read_parts", "read_rows", "read_tables"]

FORMATS: Mapping[str, str] = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    ".dat": "csv",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".zip": "zip",
}
"""File endings and the format each means; a text file is fixed width if its mapping says so."""
WHOLE = 1_000_000
"""Rows of a file that is checked as a whole, where it may have a total below."""
PART = 250_000
"""Rows of a larger file that are in memory together."""
_IN_ARCHIVES = frozenset(FORMATS) - {".zip"}
_NEEDED_HEADERS = 2


def read_rows(contract: FeedContract, path: Path, *, mapping: FileMapping | None = None) -> FileRows:
    """Read a file of a feed.

    Args:
        mapping: how the sender's files say it; without one headers are known by their spelling.

    Raises:
        FeedError: naming the file and the remedy: unknown format or encoding, empty or damaged file, wrong feed,
        missing column, two headers for one column, sheets that differ, a mapping that does not fit.
    """
    where = path.name
    if mapping is not None:
        refuse_faulty(contract, mapping, where=where)
    is_header = _header_test(contract, mapping)
    is_complete = names_every_column(contract) if mapping is None else None
    shape, layout = (None, None) if mapping is None else (mapping.file, mapping.columns)
    tables = read_tables(path, shape=shape, layout=layout, is_header=is_header, is_complete=is_complete)
    parts = [named(contract, table, form, at, mapping) for form, at, table in tables]
    file = joined(parts, where)
    return replace(file, format=f"zip {file.format}") if path.suffix.lower() == ".zip" else file


def read_parts(contract: FeedContract, path: Path, *, mapping: FileMapping | None = None) -> Iterator[FileRows]:
    """The rows of a file: in one part up to `WHOLE` rows (of Parquet, `PART`), else in several, so that memory does not
    grow with a CSV or Parquet file. Raises as `read_rows`, also while the parts are being read; a total below a file
    that is read in parts is not compared with its rows.
    """
    where = path.name
    form = FORMATS.get(path.suffix.lower(), "")
    size = path.stat().st_size if path.is_file() else 0
    rows = 0
    if form == "parquet" and size:
        with opened_parquet(path, where=where) as parquet:
            rows = parquet.rows
    shape = FileShape() if mapping is None else mapping.file
    is_text = form == "csv" and shape.format in (None, "csv") and _is_large(path, size)
    if rows <= PART and not is_text:
        file = read_rows(contract, path, mapping=mapping)
        is_whole = file.rows.height <= WHOLE
        for at in range(0, max(file.rows.height, 1), WHOLE if is_whole else PART):
            first = (file.broken, file.passed) if at == 0 else (file.broken.clear(), file.passed.clear())
            part = replace(file, rows=file.rows.slice(at, PART), broken=first[0], passed=first[1], is_whole=False)
            yield file if is_whole else part
        return
    if mapping is not None:
        refuse_faulty(contract, mapping, where=where)
    if is_text:
        is_header = _header_test(contract, mapping)
        tables = read_csv_parts(
            path,
            where=where,
            is_header=lambda cells: is_header(cells) >= _NEEDED_HEADERS,
            encoding=shape.encoding,
            separator=shape.delimiter,
            header_line=shape.header_line,
        )
    else:
        tables = _parquet(path, where, part=PART)
    units: Mapping[str, str] | None = None
    for table in tables:
        part = named(contract, table, form, where, mapping, is_whole=False)
        if units is not None and part.units != units:
            raise FeedError(
                "a note in the file states another unit than its beginning",
                where=where,
                remedy="Name the unit in each header, such as 金额(元)",
            )
        units = part.units
        yield part


def _is_large(path: Path, size: int) -> bool:
    """Whether a text file of so many bytes is read in parts: many bytes, or more than `WHOLE` line feeds."""
    if size > MAX_WHOLE or size <= 2 * WHOLE:  # a row has two bytes at least
        return size > MAX_WHOLE
    lines = 0
    with path.open("rb") as file:
        while block := file.read(2**20):
            lines += how_many(b"\n", block)
    return lines > WHOLE


def _header_test(contract: FeedContract, mapping: FileMapping | None) -> Callable[[Sequence[str]], int]:
    known = known_headers(contract) if mapping is None else _sources(mapping)
    return lambda cells: sum(1 for cell in cells if known(cell))


def cast_file(
    contract: FeedContract, path: Path, *, as_of: date | None, not_after: date, mapping: FileMapping | None = None
) -> Cast:
    """Read and cast a file: `read_rows`, `cast_rows`, and the rows broken in reading among the quarantined."""
    file = read_rows(contract, path, mapping=mapping)
    cast = cast_rows(contract, file.rows, as_of=as_of, not_after=not_after, units=file.units)
    if not file.broken.height:
        return cast
    return replace(cast, quarantined=pl.concat([cast.quarantined, file.broken]).sort(ROW_NO, "field", "reason"))


def read_tables(
    path: Path,
    *,
    is_header: IsHeader,
    is_complete: IsComplete | None = None,
    shape: FileShape | None = None,
    layout: Mapping[str, ColumnMapping] | None = None,
) -> list[tuple[str, str, Table]]:
    """Format, locator and table of each part of a file, before any contract.

    Args:
        is_header: how many of some cells are known headers.
        is_complete: whether headers name every column needed, to choose among sheets.
        shape: what is known of the file beforehand.
        layout: places of the columns of a fixed-width file.

    Raises:
        FeedError: as `read_rows`, but for what depends on the feed.
    """
    where, shape, layout = path.name, shape or FileShape(), layout or {}
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise FeedError(
            "not a format that is read",
            where=where,
            remedy=f"Send one of {', '.join(FORMATS)} (.xls: save it as .xlsx)",
        )
    if not path.is_file():
        raise FeedError("there is no such file", where=where, remedy="Check the path")
    size = path.stat().st_size
    if size == 0:
        raise FeedError("the file is empty", where=where, remedy="Ask the sender for the file")
    if form == "parquet":
        return [("parquet", where, table) for table in _parquet(path, where)]
    check_size(size, where=where)
    if form == "jsonl" or shape.format == "fixed":
        check_whole(size, where=where)
    data = path.read_bytes()
    if form != "zip":
        return _of_bytes(Member(where, path.suffix.lower(), data), shape, layout, is_header, is_complete)
    found: list[tuple[str, str, Table]] = []
    for member in unpack(data, where=where, suffixes=_IN_ARCHIVES).members:
        if not member.data:
            raise FeedError("the file is empty", where=member.where, remedy="Ask the sender for the file")
        found += _of_bytes(member, shape, layout, is_header, is_complete)
    if len({form for form, _, _ in found}) > 1:
        raise FeedError(
            "files of several formats in one archive", where=where, remedy="Send them one by one, or in one format"
        )
    return found


def _of_bytes(
    file: Member,
    shape: FileShape,
    layout: Mapping[str, ColumnMapping],
    is_header: IsHeader,
    is_complete: IsComplete | None,
) -> list[tuple[str, str, Table]]:
    form, where, data = FORMATS[file.suffix], file.where, file.data
    if shape.format == "fixed" and form == "csv":
        return [("fixed", where, read_fixed(data, shape, layout, where=where))]
    if shape.format is not None and shape.format != form:
        raise FeedError(
            f"not a file of format {shape.format}", where=where, remedy="Look at file.format in the mapping"
        )
    if form == "parquet":
        return [(form, where, table) for table in _parquet(data, where)]
    if form == "jsonl":
        return [(form, where, read_jsonl(data, where=where))]
    if form == "csv":
        table = read_csv(
            data,
            where=where,
            is_header=lambda cells: is_header(cells) >= _NEEDED_HEADERS,
            encoding=shape.encoding,
            separator=shape.delimiter,
            header_line=shape.header_line,
        )
        return [(form, where, table)]
    sheets = read_sheets(
        data,
        where=where,
        is_header=is_header,
        is_complete=is_complete,
        sheet=shape.sheet,
        header_line=shape.header_line,
        header_rows=shape.header_rows,
    )
    return [(form, where, table) for table in sheets]


def _sources(mapping: FileMapping) -> Callable[[str], bool]:
    """A test of whether a cell is a header that the mapping names."""
    keys = {header_key(column.source) for column in mapping.columns.values() if column.source is not None}
    return lambda cell: bool(cell.strip()) and header_key(cell) in keys


def _parquet(source: Path | bytes, where: str, *, part: int | None = None) -> Iterator[Table]:
    """The table of a Parquet file, or one table for each so many rows of it."""
    with opened_parquet(source, where=where) as file:
        for first in range(0, max(file.rows, 1), part or max(file.rows, 1)):
            cells = file.cells(first, part or file.rows)
            yield Table(file.headers, cells, counted(first + 1, cells.height), none_broken())
