"""Which sheet of a workbook is the answer, and where in it does the table begin? As offices make them, not as software
does.

A sheet counts if it has a header that somebody knows. Of the sheets that count, those whose header names every column
that the feed needs are read, all of them if they have the same columns (`readers` refuses them if not). A hidden sheet
is never read; if it holds rows of the feed the workbook is refused, because nobody saw them. Rows and columns that are
hidden in a sheet are read.

The header may stand on any of the first ten rows and reach over up to three, with merged cells: 存款信息 over 银行 and
余额. The rows chosen are those that make the most headers known, and of these the fewest; a row that holds a long
number is never one of them, a merged cell is never cut, and a row above that groups headers by merged cells belongs to
them.
A header over several rows is called by its last part, if that is known, else by all of them joined by ``/``; a unit
that only an upper part names (存款信息（万元）) counts for the columns that its merged cell spans, and for no other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from meanscheck.contracts.bounds import check_shape
from meanscheck.contracts.excel import Sheet, Span, read_workbook
from meanscheck.contracts.spelling import header_unit
from meanscheck.contracts.table import MAX_PREAMBLE, IsHeader, Table, none_broken
from meanscheck.errors import FeedError

_MAX_DEPTH = 3
_MAX_SPANS = 1_000
"""Merged cells in the first rows, as many as a header may have."""
_DATA = re.compile(r"\d{5,}|\d[\d,]*\.\d+")
"""What a cell of a header row never holds: a long number or an amount."""

IsComplete = Callable[[Sequence[str]], bool]
"""Whether headers name every column that is needed."""


def read_sheets(
    data: bytes,
    *,
    where: str,
    is_header: IsHeader,
    is_complete: IsComplete | None = None,
    sheet: str | None = None,
    header_line: int | None = None,
    header_rows: int | None = None,
) -> list[Table]:
    """Tables of the sheets that are the answer, in the order of the workbook.

    Args:
        where: the file's name for messages.
        is_header: how many of some cells are known headers.
        is_complete: see `IsComplete`; without it every sheet with a header counts.
        sheet: name of the only sheet to read, hidden or not; found unless given.
        header_line: the header's first row; 0 for none, columns then go by their places (1, 2, …); found unless given.
        header_rows: how many rows the header has; found unless given.

    Raises:
        FeedError: what `read_workbook` refuses; no such sheet; a hidden sheet with rows of the feed.
    """
    book = read_workbook(data, where=where)
    sheets = book.sheets
    if sheet is not None:
        sheets = tuple(one for one in sheets if one.name == sheet)
        if not sheets:
            raise FeedError("no sheet of the name in the mapping has rows", where=where, remedy="Mend the mapping")
    found = []
    for number, one in enumerate(sheets, 1):
        check_shape(one.cells.height, one.cells.width, where=where)
        head = _head(one, is_header, header_line, header_rows)
        at = f"{where}: sheet {number}" if len(sheets) > 1 else where
        found.append((one, head, _table(one, head, book.serial_days, where=at)))
    known = [entry for entry in found if entry[1].known]
    if is_complete is not None:
        known = [entry for entry in known if is_complete(entry[2].headers)] or known
    if sheet is None and any(one.is_hidden and table.cells.height for one, _, table in known):
        raise FeedError("a hidden sheet holds rows too", where=where, remedy="Unhide it or take it out")
    tables = [table for one, _, table in known if table.cells.height or len(known) == 1]
    # Without any known header the first sheet is handed on, so that the caller can say what is missing.
    return tables or [(known or found)[0][2]]


@dataclass(frozen=True)
class _Head:
    """Rows of the header (from 0, end not included), its texts by column, and how many of them are known."""

    start: int
    end: int
    headers: tuple[str, ...]
    known: int


def _head(sheet: Sheet, is_header: IsHeader, line: int | None, depth: int | None) -> _Head:
    if line == 0:
        return _Head(0, 0, tuple(str(place) for place in range(1, sheet.cells.width + 1)), 1)
    top = [[(cell or "").strip() for cell in row] for row in sheet.cells.head(MAX_PREAMBLE + _MAX_DEPTH).rows()]
    if line is not None:
        top = [[(cell or "").strip() for cell in row] for row in sheet.cells.head(line + _MAX_DEPTH).rows()]
        if line > len(top):
            return _Head(0, 1, tuple(top[0]), 0)
    spans = [span for span in sheet.spans if span.top <= len(top)]
    if len(spans) > _MAX_SPANS:
        return _Head(0, 1, tuple(top[0]), 0)
    filled = _filled(top, spans)

    def head(start: int, end: int) -> _Head:
        headers = _composed(filled, start, end, is_header)
        return _Head(start, end, headers, is_header(headers))

    best: _Head | None = None
    starts = range(min(len(top), MAX_PREAMBLE)) if line is None else [line - 1]
    for start in starts:
        if not any(top[start]):
            continue
        for rows in range(1, _MAX_DEPTH + 1) if depth is None else [depth]:
            end = start + rows
            if end > len(top) or (rows > 1 and depth is None and _is_data(top[end - 1])):
                break
            found = head(start, end)
            is_cut = line is None and any(_is_cut(span, start, end) for span in spans)
            if not is_cut and (best is None or _rank(found) > _rank(best)):
                best = found
    if best is None:
        return _Head(0, 1, tuple(top[0]), 0)
    if line is not None:
        # A row given by the mapping is the header, whatever is known of it.
        return _Head(best.start, best.end, best.headers, max(best.known, 1))
    while best.start > 0 and best.end - best.start < _MAX_DEPTH and _is_upper(best.start - 1, top, spans):
        higher = head(best.start - 1, best.end)
        if higher.known < best.known:
            break
        best = higher
    return best


def _rank(head: _Head) -> tuple[int, int]:
    """The most known headers, then the fewest rows."""
    return head.known, head.start - head.end


def _is_cut(span: Span, start: int, end: int) -> bool:
    """Whether a merged cell lies partly in the rows from `start` to before `end` (from 0) and partly above or below."""
    return span.top - 1 < end and span.bottom > start and not (span.top - 1 >= start and span.bottom <= end)


def _is_upper(row: int, top: Sequence[Sequence[str]], spans: Sequence[Span]) -> bool:
    """Whether a row groups the headers below it: several texts, one of them over several columns, and no title."""
    is_grouping = any(span.top - 1 == row and span.right > span.left for span in spans)
    return is_grouping and sum(bool(cell) for cell in top[row]) >= 2 and not _is_data(top[row])


def _is_data(row: Sequence[str]) -> bool:
    return not any(row) or any(_DATA.search(cell) for cell in row)


def _filled(rows: list[list[str]], spans: Sequence[Span]) -> list[list[str]]:
    """The same rows with each merged cell's text in every cell that it spans."""
    filled = [list(row) for row in rows]
    for span in spans:
        if span.top <= len(rows) and rows and span.left < len(rows[0]):
            text = rows[span.top - 1][span.left]
            for row in range(span.top - 1, min(span.bottom, len(rows))):
                for column in range(span.left, min(span.right + 1, len(rows[0]))):
                    filled[row][column] = text
    return filled


def _composed(filled: list[list[str]], start: int, end: int, is_header: IsHeader) -> tuple[str, ...]:
    """Headers of the columns, of the rows from `start` to before `end`."""
    headers = []
    for column in range(len(filled[0])):
        parts: list[str] = []
        for row in range(start, end):
            text = filled[row][column]
            if text and text not in parts[-1:]:
                parts.append(text)
        headers.append(_called(parts, is_header))
    return tuple(headers)


def _called(parts: list[str], is_header: IsHeader) -> str:
    if len(parts) < 2:
        return parts[0] if parts else ""
    leaf = parts[-1]
    name = leaf if is_header([leaf]) else "".join(parts) if is_header(["".join(parts)]) else "/".join(parts)
    units = [header_unit(part) for part in parts]
    if header_unit(name) is None and any(units):
        upper = next(part for part, unit in zip(reversed(parts), reversed(units), strict=True) if unit)
        brackets = re.search(r"[(\[【（][^()\[\]【】（）]*[)\]】）]\s*$", upper)
        name += brackets.group() if brackets else ""
    return name


def _table(sheet: Sheet, head: _Head, serial_days: int, *, where: str) -> Table:
    cells = sheet.cells
    above = tuple(" ".join(cell for cell in row if cell) for row in cells.head(head.start).rows() if any(row))
    body = cells.with_columns(pl.int_range(1, cells.height + 1, dtype=pl.Int64).alias("row_no"))[head.end :]
    body = body.filter(~pl.all_horizontal(pl.exclude("row_no").is_null()))
    return Table(
        head.headers,
        body.drop("row_no"),
        body["row_no"],
        none_broken(),
        above=above,
        formulas=sheet.formulas,
        serial_days=serial_days,
        header_line=head.end,
        sheet=sheet.name,
        merged=tuple(span[:3] for span in sheet.spans if span.left == span.right and span.top > head.end),
    )
