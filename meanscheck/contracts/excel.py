"""How do a workbook's sheets become cells, with nothing computed and nothing rounded unseen?

The cells come from fastexcel, all as text (dates as days, whatever their format). What it does not tell is read from
the sheet's XML beside it: which cells are formulas (refused), which are merged, and how long numbers are written (the
reader gives nine decimals, which show binary digits from some millions on). An amount is then taken with 15 digits, as
Excel shows it; an identity number kept as a number has lost its end and is handed on in scientific form, which the cast
refuses. Hidden rows and columns are read
like others: what is hidden was sent. A hidden sheet is told apart, see `office_sheets`.

A workbook is an archive: it is checked as one before anything reads it, and so is the rectangle that a sheet's cells
span, because its reader holds every cell of that.
"""

from __future__ import annotations

import io
import logging
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import NamedTuple
from xml.etree import ElementTree

import fastexcel
import polars as pl

from meanscheck.contracts.archive import checked_entries, inflated
from meanscheck.contracts.bounds import MAX_COLUMNS, MAX_SHEET_CELLS, MAX_SHEETS
from meanscheck.errors import FeedError

for _reader in ("calamine", "fastexcel"):
    # What they tell the log of a file may be words of it, and whoever reads logs may not read evidence. What is wrong
    # with a workbook is said here.
    logging.getLogger(_reader).propagate = False
    logging.getLogger(_reader).addHandler(logging.NullHandler())
_EPOCH_1900, _EPOCH_1904 = -25_569, -24_107
"""Days from 1970-01-01 to day 0 of the two calendars of Excel (from March 1900 on)."""
_ROWS = 1_048_576
_SMALL_SHEET, _SMALL_CELLS = 8 * 2**20, 8_000_000
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*[^/>])>\s*<(?:\w+:)?(?:f\b|v>([^<]{10,40})<)")
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["']""")
_FAR_COLUMN = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{2,3})\d""")
_NOWHERE = re.compile(rb"""\sr\s*=\s*["'](?:[A-Za-z]*\d{8}|[A-Za-z]{4}|-)""")
"""A place beyond any sheet: such numbers wrap in the reader."""
_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\b[^>]*\bref\s*=\s*["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']""")
_TEXT_TYPE = re.compile(rb"""\bt\s*=\s*["'](?:s|str|inlineStr|b|e|d)["']""")
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_FIFTEEN = Context(prec=15)
_NS = {
    "m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "p": "http://schemas.openxmlformats.org/package/2006/relationships",
}
_REMEDY = "Save it again as .xlsx, values only"


class Span(NamedTuple):
    """Merged cells: rows from 1, columns from 0, both inclusive."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Sheet:
    """One sheet.

    Attributes:
        name: as the workbook has it.
        is_hidden: whether a person who opens the workbook does not see it.
        cells: String columns c0, c1 … from column A and row 1 on; null is blank.
        formulas: row → column of its first formula.
        spans: merged cells that reach over several columns or rows.
    """

    name: str
    is_hidden: bool
    cells: pl.DataFrame = field(repr=False)
    formulas: Mapping[int, int] = field(repr=False)
    spans: tuple[Span, ...] = field(repr=False)


@dataclass(frozen=True)
class Workbook:
    """Sheets with rows, and the days from 1970-01-01 to day 0 of its dates."""

    sheets: tuple[Sheet, ...]
    serial_days: int


def read_workbook(data: bytes, *, where: str) -> Workbook:
    """Sheets of a workbook that have rows.

    Raises:
        FeedError: not an .xlsx workbook, truncated, protected by a password, empty, or beyond a bound.
    """
    stream = io.BytesIO(data)
    if not zipfile.is_zipfile(stream):
        raise FeedError(
            "not an .xlsx workbook, or cut short, or with a password", where=where, remedy=_REMEDY + ", no password"
        )
    sheets: list[Sheet] = []
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = {info.filename: info for info in checked_entries(archive, len(data), where=where)}
            for info in entries.values():
                for _ in inflated(stream, info, where=where):
                    pass
            places, serial_days = _places(archive)
            if len(places) > MAX_SHEETS:
                raise FeedError(f"more than {MAX_SHEETS} sheets", where=where, remedy="Keep the sheets with rows")
            marks = [_Marks(archive, entries[place], where) if place in entries else None for place in places]
        book = fastexcel.read_excel(data)
        for at, mark in enumerate(marks):
            # A sheet of charts has no cells.
            if mark is not None:
                sheet = book.load_sheet(at, header_row=None, skip_rows=0, dtypes="string")
                cells = _from_column_a(sheet)
                if cells.height:
                    cells = _with_numbers(cells, mark.numbers)
                    is_hidden = sheet.visible != "visible"
                    sheets.append(Sheet(book.sheet_names[at], is_hidden, cells, mark.formulas, tuple(mark.spans)))
    # A lookup fails for a member that is missing, and for an encoding that nobody knows.
    except (zipfile.BadZipFile, LookupError, ElementTree.ParseError, ArithmeticError, ValueError):
        raise FeedError("the workbook is damaged", where=where, remedy=_REMEDY) from None
    except (fastexcel.FastExcelError, RuntimeError):
        raise FeedError("the workbook cannot be read", where=where, remedy=_REMEDY) from None
    if not sheets:
        raise FeedError("the workbook is empty", where=where, remedy="Ask the sender for the file")
    return Workbook(tuple(sheets), serial_days)


class _Marks:
    """What a sheet's XML says beside its cells: formulas, merged cells, and the long numbers by (row, column)."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> None:
        self.formulas: dict[int, int] = {}
        self.numbers: dict[tuple[int, int], str] = {}
        self.spans: list[Span] = []
        for piece in _pieces(archive, info):
            for match in _CELL.finditer(piece):
                self._mark(match, where)
            for span in _MERGED.finditer(piece):
                left, top, right, bottom = span.groups()
                self.spans.append(Span(int(top), _column_number(left), int(bottom), _column_number(right)))
        if not _is_compact(archive, info):
            raise FeedError(
                "the cells of a sheet lie too far apart", where=where, remedy="Copy the rows to a new workbook"
            )

    def _mark(self, match: re.Match[bytes], where: str) -> None:
        place = _PLACE.search(match.group(1))
        if place is None:
            raise FeedError("cells without a place", where=where, remedy=_REMEDY)
        row, column = int(place.group(2)), _column_number(place.group(1))
        if match.group(2) is None:
            self.formulas.setdefault(row, column)
        elif _TEXT_TYPE.search(match.group(1)) is None:
            self.numbers[row, column] = _fifteen_digits(match.group(2).decode("ascii"))


def _pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """A sheet's XML in pieces that end with a row."""
    rest: list[bytes] = []
    with archive.open(info) as stream:
        while piece := stream.read(8 * 2**20):
            cut = piece.rfind(b"row>")
            if cut >= 0:
                yield b"".join([*rest, piece[:cut]])
                rest = [piece[cut:]]
            else:
                rest.append(piece)
    yield b"".join(rest)


def _is_compact(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    """Whether the rectangle that the cells span is within the bound. A small sheet must not pretend to be a large one;
    of a large one the rows are counted only if it has so many columns that it matters."""
    columns, rows = 26, _ROWS
    for piece in _pieces(archive, info):
        if _NOWHERE.search(piece):
            return False
        columns = max([columns, *(_column_number(far.group(1)) + 1 for far in _FAR_COLUMN.finditer(piece))])
    is_small = info.file_size <= _SMALL_SHEET
    if is_small or rows * columns > MAX_SHEET_CELLS:
        rows = max(
            (int(place.group(2)) for piece in _pieces(archive, info) for place in _PLACE.finditer(piece)), default=0
        )
    return (
        columns <= MAX_COLUMNS and rows <= _ROWS and rows * columns <= (_SMALL_CELLS if is_small else MAX_SHEET_CELLS)
    )


def _places(archive: zipfile.ZipFile) -> tuple[list[str], int]:
    """Members that hold the sheets, in the order of the workbook, and the days to day 0 of its dates."""
    workbook = _xml(archive, "xl/workbook.xml")
    relations = _xml(archive, "xl/_rels/workbook.xml.rels")
    targets = {entry.get("Id"): entry.get("Target") for entry in relations.findall("p:Relationship", _NS)}
    found = []
    for entry in workbook.findall("m:sheets/m:sheet", _NS):
        target = targets[entry.get(f"{{{_NS['r']}}}id")]
        if target is None:
            raise KeyError("target")
        found.append(target.removeprefix("/") if target.startswith("/") else f"xl/{target}")
    properties = workbook.find("m:workbookPr", _NS)
    is_1904 = properties is not None and properties.get("date1904") in ("1", "true")
    return found, _EPOCH_1904 if is_1904 else _EPOCH_1900


def _xml(archive: zipfile.ZipFile, member: str) -> ElementTree.Element:
    data = archive.read(member)
    if b"<!DOCTYPE" in data:  # entities that unfold without end; no workbook has any
        raise zipfile.BadZipFile
    return ElementTree.fromstring(data)


def _from_column_a(sheet: fastexcel.ExcelSheet) -> pl.DataFrame:
    """Cells as c0, c1 … from column A on: empty columns at the left are not given by the reader."""
    frame = pl.DataFrame(sheet)
    left = min((column.absolute_index for column in sheet.available_columns()), default=0)
    blank = pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
    return pl.DataFrame(
        [
            *(blank.alias(f"c{at}") for at in range(left)),
            *(series.alias(f"c{at}") for at, series in enumerate(frame.get_columns(), left)),
        ]
    )


def _with_numbers(cells: pl.DataFrame, numbers: Mapping[tuple[int, int], str]) -> pl.DataFrame:
    """Put the 15-digit reading of long numbers where fastexcel gives their binary digits; dates are left alone."""
    by_column: dict[int, list[int]] = {}
    for row, column in numbers:
        if column < cells.width and row <= cells.height:
            by_column.setdefault(column, []).append(row)
    for column, rows in sorted(by_column.items()):
        series = cells.to_series(column)
        places = [row - 1 for row in rows]
        better = [
            numbers[row, column] if text is not None and _NUMBER.fullmatch(text) else text
            for row, text in zip(rows, series.gather(places).to_list(), strict=True)
        ]
        cells = cells.with_columns(series.scatter(places, pl.Series(better, dtype=pl.String)))
    return cells


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number - 1


def _fifteen_digits(text: str) -> str:
    """A number as Excel shows it: 15 significant digits. From 10^15 on it stays in scientific form: its end is lost."""
    value = _FIFTEEN.create_decimal(Decimal(text))
    if abs(value) >= 10**15:
        return f"{value:E}"
    plain = f"{value:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
