"""What is a file that nobody has described: its format, encoding, separator, and which of its lines is the header?

A header is told by names that some contract knows. Without any, it is the first line of several texts without a long
number or a day that stands above lines which hold one; without that either, the file has no header, and its first line
is a row of somebody's: then columns go by their places, and nothing of that line is shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from meanscheck.contracts.bounds import check_size
from meanscheck.contracts.catalogue import all_feeds
from meanscheck.contracts.cells import Fault, parse_resident
from meanscheck.contracts.csv_text import SEPARATORS, Encoding, decoded, read_csv
from meanscheck.contracts.headers import known_headers
from meanscheck.contracts.mapping import FileShape, Format
from meanscheck.contracts.readers import FORMATS, read_tables
from meanscheck.contracts.stated_units import stated_units
from meanscheck.contracts.table import Table
from meanscheck.errors import FeedError

_HEAD_BYTES = 4 * 2**20
_LOOK = 10
_DATA = re.compile(r"\d{5,}|\d{4}[-/.年]\d|\d\.\d\d$|^\s*[=+@-]?\d+\s*$")


@dataclass(frozen=True)
class Seen:
    """What a file is.

    Attributes:
        table: its first part; None if it could not be divided into columns.
        header_line: 0 if there is no header.
        rows: of the first part; of a large CSV file those of its first 4 MiB.
        is_whole: whether `rows` counts all.
        units: kind → unit that a title states.
        note: what else is to be said.
    """

    format: Format | None
    is_packed: bool = False
    encoding: Encoding | None = None
    separator: Literal[",", "\t", ";", "|"] | None = None
    sheet: str | None = None
    header_line: int = 1
    rows: int = 0
    is_whole: bool = True
    parts: int = 1
    units: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    table: Table | None = field(default=None, repr=False)


def see(path: Path) -> Seen:
    """Look at a file; FeedError if it cannot be read at all."""
    form = FORMATS.get(path.suffix.lower())
    if form == "csv" and path.is_file():
        return _see_text(path)
    known = _known()
    tables = read_tables(path, is_header=known)
    table = tables[0][2]
    header_line = table.header_line
    if tables[0][0] in ("csv", "excel") and known(table.headers) < 2:
        bare = read_tables(path, is_header=known, shape=FileShape(header_line=0))[0][2]
        rows = [[str(cell or "") for cell in row] for row in bare.cells.head(_LOOK).rows()]
        at = header_of_lines(rows)
        header_line = 0 if at is None else int(bare.lines[at])
        tables = read_tables(path, is_header=known, shape=FileShape(header_line=header_line))
        table = tables[0][2]
    found = tables[0][0]
    return Seen(
        format=_format(found),
        is_packed=form == "zip",
        encoding=_encoding(table),
        separator=_separator(table.separator),
        sheet=table.sheet if len({t.sheet for _, _, t in tables}) == 1 and header_line == 0 and table.sheet else None,
        header_line=header_line if found in ("csv", "excel") else 1,
        rows=table.cells.height,
        parts=len(tables),
        units=stated_units(table.above, (), where=path.name),
        table=table,
    )


def header_of_lines(rows: Sequence[Sequence[str]]) -> int | None:
    """Which of the first lines is the header, by its looks; None if none is."""
    for at, cells in enumerate(rows):
        filled = [cell for cell in cells if cell.strip()]
        below = rows[at + 1 : at + 4]
        if any(_DATA.search(cell) for cell in filled):
            return None
        if len(filled) >= 2 and any(_DATA.search(cell) for row in below for cell in row):
            return at
    return None


def _see_text(path: Path) -> Seen:
    size = path.stat().st_size
    check_size(size, where=path.name)
    with path.open("rb") as stream:
        data = stream.read(_HEAD_BYTES)
    is_whole = size <= len(data)
    if not is_whole:
        data = data[: data.rfind(b"\n") + 1] or data
    text, encoding = decoded(data, path.name)
    lines = [line.rstrip("\r") for line in text[:1_000_000].decode("utf-8", "replace").split("\n")[: _LOOK + 10]]
    lines = [line for line in lines if line.strip()]
    if not any(separator in line for line in lines for separator in SEPARATORS):
        return _see_fixed(lines, encoding, is_whole)
    known = _known()
    table = read_csv(data, where=path.name, is_header=lambda cells: known(cells) >= 2)
    if known(table.headers) < 2:
        separator = max(SEPARATORS, key=lambda mark: sum(line.count(mark) for line in lines))
        at = header_of_lines([line.split(separator) for line in lines[:_LOOK]])
        table = read_csv(
            data,
            where=path.name,
            is_header=lambda cells: False,
            separator=separator,
            header_line=0 if at is None else _line_no(text, lines[at]),
        )
    return Seen(
        format="csv",
        encoding=encoding,
        separator=_separator(table.separator),
        header_line=table.header_line,
        rows=table.cells.height,
        is_whole=is_whole,
        units=stated_units(table.above, (), where=path.name),
        note=f"{table.broken.height} lines have another number of cells than the header" if table.broken.height else "",
        table=table,
    )


def _see_fixed(lines: Sequence[str], encoding: Encoding, is_whole: bool) -> Seen:
    """A text without separators: perhaps fixed width. Where identity numbers stand can be told, and nothing else."""
    packed = [line.encode(encoding) for line in lines]
    lengths = {len(line) for line in packed}
    places = [
        start + 1
        for start in range(max(lengths, default=0) - 17)
        if sum(_is_identity(line[start : start + 18]) for line in packed) * 2 > len(packed)
    ]
    words = (
        f"lines of {min(lengths)} bytes" if len(lengths) == 1 else f"lines of {min(lengths)} to {max(lengths)} bytes"
    )
    where = f"; identity numbers at bytes {places[0]} to {places[0] + 17}" if places else ""
    note = f"no separator: perhaps fixed width, {words}{where}. Ask the sender for the layout and write it in a mapping"
    return Seen(format="fixed", encoding=encoding, header_line=0, rows=len(lines), is_whole=is_whole, note=note)


def _is_identity(piece: bytes) -> bool:
    text = piece.decode("ascii", "replace")
    return text[:17].isdecimal() and not isinstance(parse_resident(text), Fault | None)


def _line_no(text: bytes, line: str) -> int:
    """Line of the first line that is this one, counted from 1."""
    for number, found in enumerate(text.split(b"\n"), 1):
        if found.decode("utf-8").rstrip("\r") == line:
            return number
    raise FeedError("no header in the first lines", where="file", remedy="Put the header on the first line")


class _Known:
    """How many of some cells are headers that some feed knows."""

    def __init__(self) -> None:
        self._known = known_headers(next(iter(all_feeds().values())))

    def __call__(self, cells: Sequence[str]) -> int:
        return sum(1 for cell in cells if self._known(cell))


def _known() -> _Known:
    return _Known()


def _format(found: str) -> Format:
    return "excel" if found == "excel" else "parquet" if found == "parquet" else "jsonl" if found == "jsonl" else "csv"


def _encoding(table: Table) -> Encoding | None:
    return "gb18030" if table.encoding == "gb18030" else "utf-8" if table.encoding == "utf-8" else None


def _separator(mark: str) -> Literal[",", "\t", ";", "|"] | None:
    return mark if mark in (",", "\t", ";", "|") else None  # type: ignore[return-value]
