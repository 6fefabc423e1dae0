"""How does a feed file become rows under the contract's names, whatever its format?

CSV and Excel give text; JSON lines give the text of each value as written; Parquet keeps its types, so that a typed
file is not bounced through text (the cast treats both alike). `row_no` is the line as a person counts it: the header
of a CSV or Excel file is line 1, the first object of a JSON lines file is line 1, the first row of a Parquet file is
row 1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from meanscheck.contracts.cast import ROW_NO, Cast, cast_rows, match_headers, refuse_inexact
from meanscheck.contracts.csv_text import Table, broken_schema, read_csv
from meanscheck.contracts.excel import read_excel
from meanscheck.contracts.headers import known_headers, units_of
from meanscheck.contracts.model import FeedContract
from meanscheck.errors import FeedError

FORMATS: Mapping[str, str] = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    ".xlsx": "excel",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
"""File endings and the format each means."""

PART = 1_000_000
"""Rows that are cast at a time: bounds memory."""
_NEEDED_HEADERS = 2


class _Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


@dataclass(frozen=True)
class FileRows:
    """Rows of one file.

    Attributes:
        rows: columns by names of the contract and `row_no` Int64; String, or typed if the file was Parquet.
        units: file unit of each measured column.
        broken: rows that could not be divided into cells, as `Cast.quarantined`.
        ignored: headers that mean nothing to the contract.
        format: "csv", "excel", "parquet" or "jsonl".
        encoding: "utf-8" or "gb18030" for text formats, else empty.
    """

    rows: pl.DataFrame
    units: Mapping[str, str]
    broken: pl.DataFrame
    ignored: tuple[str, ...]
    format: str
    encoding: str


def read_rows(contract: FeedContract, path: Path) -> FileRows:
    """Read a file of a feed.

    Raises:
        FeedError: naming the file and the remedy: unknown format or encoding, empty or damaged file, wrong feed,
        missing
            column, two headers for one column.
    """
    where = path.name
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise FeedError(
            "not a format that is read",
            where=where,
            remedy=f"Send one of {', '.join(FORMATS)} (.xls: save it as .xlsx)",
        )
    if not path.is_file():
        raise FeedError("there is no such file", where=where, remedy="Check the path")
    if path.stat().st_size == 0:
        raise FeedError("the file is empty", where=where, remedy="Ask the sender for the file")
    known = known_headers(contract)

    def is_header(cells: Sequence[str]) -> bool:
        return sum(1 for cell in cells if known(cell)) >= _NEEDED_HEADERS

    if form == "csv":
        return _named(contract, read_csv(path.read_bytes(), where=where, is_header=is_header), form, where)
    if form == "excel":
        return _named(contract, read_excel(path, where=where, is_header=is_header), form, where)
    if form == "jsonl":
        return _named(contract, _read_jsonl(path.read_bytes(), where), form, where)
    return _named(contract, _read_parquet(path, where), form, where)


def read_parts(contract: FeedContract, path: Path) -> Iterator[FileRows]:
    """The rows of a file in parts of at most `PART` rows, at least one; see `read_rows`."""
    file = read_rows(contract, path)
    if file.rows.height <= PART:
        yield file
        return
    for at in range(0, file.rows.height, PART):
        broken = file.broken if at == 0 else file.broken.clear()
        yield replace(file, rows=file.rows.slice(at, PART), broken=broken)


def cast_file(contract: FeedContract, path: Path, *, as_of: date | None, not_after: date) -> Cast:
    """Read and cast a file: `read_rows`, `cast_rows`, and the rows broken in reading among the quarantined."""
    file = read_rows(contract, path)
    cast = cast_rows(contract, file.rows, as_of=as_of, not_after=not_after, units=file.units)
    if not file.broken.height:
        return cast
    return Cast(cast.accepted, pl.concat([cast.quarantined, file.broken]).sort(ROW_NO, "field", "reason"))


def _named(contract: FeedContract, table: Table, form: str, where: str) -> FileRows:
    matched = match_headers(contract, [header for header in table.headers if header.strip()], where=where)
    # A header may be given twice only if it means nothing; `match_headers` refuses it otherwise.
    chosen = {name: f"c{table.headers.index(header)}" for header, name in matched.items()}
    rows = table.cells.select(pl.col(cell).alias(name) for name, cell in chosen.items())
    for name, dtype in rows.schema.items():
        refuse_inexact(name, dtype, where=where)
    rows = rows.with_columns(table.lines.alias(ROW_NO))
    raw = pl.struct(pl.col("line")).struct.json_encode().alias("raw")
    field = pl.lit("")
    if "header" in table.broken.columns:
        field = pl.col("header").replace_strict(matched, default="", return_dtype=pl.String)
    broken = table.broken.select(ROW_NO, field.alias("field"), "reason", raw)
    ignored = tuple(header for header in table.headers if header.strip() and header not in matched)
    return FileRows(rows, units_of(contract, matched), broken, ignored, form, table.encoding)


def _read_parquet(path: Path, where: str) -> Table:
    try:
        frame = pl.read_parquet(path, use_pyarrow=False)
    except (pl.exceptions.PolarsError, OSError):
        raise FeedError(
            "not a Parquet file, or cut short", where=where, remedy="Ask the sender to write the file again"
        ) from None
    headers = tuple(frame.columns)
    cells = frame.rename({header: f"c{at}" for at, header in enumerate(headers)})
    lines = pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True)
    return Table(headers, cells, lines, pl.DataFrame(schema=broken_schema()))


def _read_jsonl(data: bytes, where: str) -> Table:
    """JSON lines, one object each, numbers kept as they are written (no float comes into being)."""
    text = _utf8(data, where)
    columns: dict[str, list[str | None]] = {}
    lines: list[int] = []
    broken: list[tuple[int, str, str]] = []
    for line_no, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        row = _json_row(line)
        if isinstance(row, str):
            broken.append((line_no, row, line))
            continue
        for name in row.keys() - columns.keys():
            columns[name] = [None] * len(lines)
        for name, values in columns.items():
            values.append(row.get(name))
        lines.append(line_no)
    if not columns:
        raise FeedError("no line is a JSON object", where=where, remedy="One object a line, names as in the contract")
    cells = pl.DataFrame({f"c{at}": pl.Series(values, dtype=pl.String) for at, values in enumerate(columns.values())})
    found = pl.DataFrame(broken, schema=broken_schema(), orient="row")
    return Table(tuple(columns), cells, pl.Series(lines, dtype=pl.Int64), found, "utf-8")


def _utf8(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FeedError("the file is not UTF-8, as JSON must be", where=where, remedy="Save it as UTF-8") from None


def _json_row(line: str) -> dict[str, str | None] | str:
    """The texts of one object, or the reason why there is none."""
    try:
        found = json.loads(
            line, parse_float=_Number, parse_int=_Number, parse_constant=_Number, object_pairs_hook=_pairs
        )
    except (ValueError, RecursionError):
        return "not_json"
    if not isinstance(found, dict):
        return "not_json"
    texts: dict[str, str | None] = {}
    for name, value in found.items():
        if isinstance(value, list) and all(type(item) is str for item in value):
            value = ",".join(value)
        if isinstance(value, bool):
            value = "true" if value else "false"
        if value is not None and not isinstance(value, str):
            return "not_flat"
        texts[name] = value
    return texts


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found
