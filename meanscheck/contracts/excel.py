"""How does an Excel workbook become cells, with nothing computed and nothing rounded unseen?

The cells come from fastexcel, all as text (dates as days, whatever their format). What it does not tell is read from
the sheet's XML beside it: which cells are formulas (refused), and which numbers are longer than the 15 digits that
Excel keeps. An amount is then taken with these 15 digits, as Excel shows it; an identity number kept as a number has
lost its end and is handed on in scientific form, which the cast refuses.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from decimal import Context, Decimal
from pathlib import Path
from xml.etree import ElementTree

import fastexcel
import polars as pl

from meanscheck.contracts.csv_text import MAX_PREAMBLE, Table
from meanscheck.errors import FeedError

MAX_SHEET_BYTES = 4 * 2**30
"""Bound of a sheet's XML, against archives that unpack without end."""

_CHUNK = 8 * 2**20
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*[^/>])>\s*<(?:\w+:)?(?:f\b|v>([^<]{15,40})<)")
_PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_TEXT_TYPE = re.compile(rb'\bt="(?:s|str|inlineStr|b|e|d)"')
_SMALL = 8 * 2**20
"""Bytes of a sheet's XML, and cells that so small a sheet may span."""
_FAR = re.compile(rb"""\sr\s*=\s*["']([A-Z]{2,3})\d""")
_ROW = re.compile(rb"""\sr\s*=\s*["'][A-Za-z]{0,3}(\d{1,7})["']""")
_NOWHERE = re.compile(rb"""\sr\s*=\s*["'](?:[A-Za-z]*\d{8}|[A-Za-z]{4}|-)""")
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_FIFTEEN = Context(prec=15)
_NS = {
    "m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "p": "http://schemas.openxmlformats.org/package/2006/relationships",
}
_REMEDY = "Save it again as .xlsx, values only"


def read_excel(path: Path, *, where: str, is_header: Callable[[Sequence[str]], bool]) -> Table:
    """Cells of the only sheet with rows in a workbook.

    Raises:
        FeedError: not an .xlsx workbook, truncated, empty, or rows in more than one sheet.
    """
    if not zipfile.is_zipfile(path):
        raise FeedError("not an .xlsx workbook, or cut short", where=where, remedy=_REMEDY)
    _refuse_far_cells(path, where)
    try:
        book = fastexcel.read_excel(path)
        sheets = [_cells(book, at) for at in range(len(book.sheet_names))]
    except (fastexcel.FastExcelError, zipfile.BadZipFile) as error:
        raise FeedError("the workbook cannot be read", where=where, remedy=_REMEDY) from error
    filled = [at for at, sheet in enumerate(sheets) if sheet.height]
    if not filled:
        raise FeedError("the workbook is empty", where=where, remedy="Ask the sender for the file")
    if len(filled) > 1:
        raise FeedError("more than one sheet has rows", where=where, remedy="Keep one sheet a file")
    cells = sheets[filled[0]]
    formulas, numbers = _marks(path, filled[0], where)
    return _table(_with_numbers(cells, numbers), formulas, is_header)


def _refuse_far_cells(path: Path, where: str) -> None:
    """The reader holds every cell between the corners of a sheet, so one far cell would ask for hundreds of gigabytes,
    and end the process. Numbers too large for it wrap. FeedError if a sheet is of a few rows and pretends more."""
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if not member.filename.endswith(".xml") or member.file_size > _SMALL:
                    continue
                data = archive.read(member)
                columns = max((_column_number(far) + 1 for far in _FAR.findall(data)), default=26)
                rows = max((int(row) for row in _ROW.findall(data)), default=0)
                if _NOWHERE.search(data) or columns * rows > _SMALL:
                    raise FeedError("the cells of a sheet lie too far apart", where=where, remedy=_REMEDY)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, ValueError):
        raise FeedError("the workbook is damaged", where=where, remedy=_REMEDY) from None


def _cells(book: fastexcel.ExcelReader, at: int) -> pl.DataFrame:
    sheet = book.load_sheet(at, header_row=None, skip_rows=0, dtypes="string")
    frame = pl.DataFrame(sheet)
    frame.columns = [f"c{position}" for position in range(frame.width)]
    return frame


def _table(cells: pl.DataFrame, formulas: dict[int, int], is_header: Callable[[Sequence[str]], bool]) -> Table:
    header_at = 0
    for at, row in enumerate(cells.head(MAX_PREAMBLE).rows()):
        if is_header([cell or "" for cell in row]):
            header_at = at
            break
    headers = tuple(cell or "" for cell in cells.row(header_at))
    body = cells.with_columns(pl.int_range(1, cells.height + 1, dtype=pl.Int64).alias("row_no"))[header_at + 1 :]
    body = body.filter(~pl.all_horizontal(pl.exclude("row_no").is_null()))
    is_formula = pl.col("row_no").is_in(sorted(formulas))
    line = pl.struct(pl.exclude("row_no")).struct.json_encode().alias("line")
    broken = body.filter(is_formula).select("row_no", pl.lit("formula").alias("reason"), line)
    columns = [formulas[row] for row in broken["row_no"].to_list()]
    header = [headers[column] if column < len(headers) else "" for column in columns]
    broken = broken.with_columns(pl.Series("header", header, dtype=pl.String))
    kept = body.filter(~is_formula)
    return Table(headers, kept.drop("row_no"), kept["row_no"], broken)


def _with_numbers(cells: pl.DataFrame, numbers: dict[tuple[int, int], str]) -> pl.DataFrame:
    """Put the 15-digit reading of long numbers where fastexcel gives their binary digits; dates are left alone."""
    for column in sorted({column for _, column in numbers}):
        if column >= cells.width:
            continue
        series = cells.to_series(column)
        places = [row - 1 for row, at in numbers if at == column and row <= len(series)]
        shown = series.gather(places).to_list()
        better = [
            numbers[place + 1, column] if text is not None and _NUMBER.fullmatch(text) else text
            for place, text in zip(places, shown, strict=True)
        ]
        cells = cells.with_columns(series.scatter(places, pl.Series(better, dtype=pl.String)))
    return cells


def _marks(path: Path, sheet: int, where: str) -> tuple[dict[int, int], dict[tuple[int, int], str]]:
    """Rows that hold a formula with its first column from 0, and the long numbers by (row from 1, column from 0)."""
    formulas: dict[int, int] = {}
    numbers: dict[tuple[int, int], str] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for match in _scan(archive, _sheet_member(archive, sheet)):
                place = _PLACE.search(match.group(1))
                if place is None:
                    raise FeedError("cells without a place", where=where, remedy=_REMEDY)
                row = int(place.group(2))
                if match.group(2) is None:
                    formulas.setdefault(row, _column_number(place.group(1)))
                elif _TEXT_TYPE.search(match.group(1)) is None:
                    numbers[row, _column_number(place.group(1))] = _fifteen_digits(match.group(2).decode("ascii"))
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        RuntimeError,
        KeyError,
        ElementTree.ParseError,
        UnicodeDecodeError,
        ArithmeticError,
    ):
        raise FeedError("the workbook is damaged", where=where, remedy=_REMEDY) from None
    return formulas, numbers


def _scan(archive: zipfile.ZipFile, member: str) -> Iterator[re.Match[bytes]]:
    """Formulas and long numbers of a sheet, read in pieces that end with a row."""
    if archive.getinfo(member).file_size > MAX_SHEET_BYTES:
        raise zipfile.BadZipFile
    rest = b""
    with archive.open(member) as stream:
        while piece := stream.read(_CHUNK):
            piece = rest + piece
            cut = piece.rfind(b"row>")
            rest, piece = (piece[cut:], piece[:cut]) if cut >= 0 else (piece, b"")
            yield from _CELL.finditer(piece)
    yield from _CELL.finditer(rest)


def _sheet_member(archive: zipfile.ZipFile, sheet: int) -> str:
    workbook = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    ids = [entry.get(f"{{{_NS['r']}}}id") for entry in workbook.findall("m:sheets/m:sheet", _NS)]
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {entry.get("Id"): entry.get("Target") for entry in relations.findall("p:Relationship", _NS)}
    target = targets[ids[sheet]]
    if target is None:
        raise KeyError(sheet)
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1


def _fifteen_digits(text: str) -> str:
    """A number as Excel shows it: 15 significant digits. From 10^15 on it stays in scientific form: its end is lost."""
    value = _FIFTEEN.create_decimal(Decimal(text))
    if abs(value) >= 10**15:
        return f"{value:E}"
    plain = f"{value:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
