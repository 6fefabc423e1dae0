"""How does a feed file become rows under the contract's names, whatever its format?

CSV and Excel give text; JSON lines give the text of each value as written; Parquet keeps its types, so that a typed
file is not bounced through text (the cast treats both alike). `row_no` is the line as a person counts it: the header
of a CSV or Excel file is line 1, the first object of a JSON lines file is line 1, the first row of a Parquet file is
row 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import polars as pl

from meanscheck.contracts.cast import ROW_NO, Cast, cast_rows, match_headers, refuse_inexact
from meanscheck.contracts.csv_text import Table, broken_schema, read_csv, read_csv_parts
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

WHOLE = 1_000_000
"""Rows of a file that is checked as a whole."""
PART = 250_000
"""Rows of a larger file that are in memory together."""
_NEEDED_HEADERS = 2


_SURROGATE = re.compile(r"[\ud800-\udfff]")
"""Half a character, as JSON can write it: no text holds it."""


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

    rows: pl.DataFrame = field(repr=False)
    units: Mapping[str, str]
    broken: pl.DataFrame = field(repr=False)
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
    is_header = _header_test(contract)
    if form == "csv":
        return _named(contract, read_csv(path.read_bytes(), where=where, is_header=is_header), form, where)
    if form == "excel":
        return _named(contract, read_excel(path, where=where, is_header=is_header), form, where)
    if form == "jsonl":
        return _named(contract, _read_jsonl(path.read_bytes(), where), form, where)
    return _named(contract, _read_parquet(path, where), form, where)


def read_parts(contract: FeedContract, path: Path) -> Iterator[FileRows]:
    """The rows of a file: in one part up to `WHOLE` rows, else in several, so that memory does not grow with a CSV or
    Parquet file. Raises as `read_rows`, also while the parts are being read.
    """
    where = path.name
    form = FORMATS.get(path.suffix.lower(), "")
    size = path.stat().st_size if path.is_file() else 0
    rows = int(_collected(pl.scan_parquet(path).select(pl.len()), where).item()) if form == "parquet" and size else 0
    if rows > WHOLE:
        for at in range(0, rows, PART):
            yield _named(contract, _read_parquet(path, where, first=at), form, where)
    elif form == "csv" and size > 2 * WHOLE and _has_many_lines(path):
        for table in read_csv_parts(path, where=where, is_header=_header_test(contract)):
            yield _named(contract, table, form, where)
    else:
        file = read_rows(contract, path)
        is_whole = file.rows.height <= WHOLE
        for at in range(0, max(file.rows.height, 1), WHOLE if is_whole else PART):
            broken = file.broken if at == 0 else file.broken.clear()
            yield file if is_whole else replace(file, rows=file.rows.slice(at, PART), broken=broken)


def _has_many_lines(path: Path) -> bool:
    """Whether a text file has more than `WHOLE` line feeds (a row has two bytes at least)."""
    lines = 0
    with path.open("rb") as file:
        while block := file.read(2**20):
            lines += block.count(b"\n")
    return lines > WHOLE


def _header_test(contract: FeedContract) -> Callable[[Sequence[str]], bool]:
    known = known_headers(contract)
    return lambda cells: sum(1 for cell in cells if known(cell)) >= _NEEDED_HEADERS


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


def _read_parquet(path: Path, where: str, *, first: int | None = None) -> Table:
    """All rows of a Parquet file, or one part of them."""
    rows = pl.scan_parquet(path)
    frame = _collected(rows if first is None else rows.slice(first, PART), where)
    headers = tuple(frame.columns)
    cells = frame.rename({header: f"c{at}" for at, header in enumerate(headers)})
    start = (first or 0) + 1
    lines = pl.int_range(start, start + frame.height, dtype=pl.Int64, eager=True)
    return Table(headers, cells, lines, pl.DataFrame(schema=broken_schema()))


def _collected(rows: pl.LazyFrame, where: str) -> pl.DataFrame:
    try:
        return rows.collect(engine="in-memory")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        # A panic is how the reader ends on some footers that are damaged.
        raise FeedError(
            "not a Parquet file, or cut short", where=where, remedy="Ask the sender to write the file again"
        ) from None


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
    if "\\u" in line and any(_SURROGATE.search(text) for text in (*texts, *texts.values()) if text):
        return "control_character"
    return texts


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found
