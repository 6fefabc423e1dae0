"""How does a CSV file become cells, when senders write it in any encoding and with broken lines?

A physical line is a row: no cell may hold a line break, so a quote that does not close on its line breaks this line and
every line up to the one that closes it, each of which is quarantined by itself. A line with too few or too many cells
is quarantined too. The common clean file is recognised by counting (separators of the whole file, and a reader that
refuses long lines) and read in one pass.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import polars as pl

from meanscheck.errors import FeedError

SEPARATORS = (",", "\t", ";", "|")
MAX_PREAMBLE = 10
"""Lines that may stand before the header, such as a title."""

_BLOCK = 16 * 2**20
"""Bytes of a large file that are looked at together."""
_WRONG_BOMS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_ENCODING_REMEDY = "Save it as CSV UTF-8 (or GB18030) and send it again"


@dataclass(frozen=True)
class Table:
    """Cells of a file.

    Attributes:
        headers: as written.
        cells: one String column for each header, named c0, c1 …
        lines: line of each row as a person counts it (the first line is 1).
        broken: `row_no` Int64, `reason`, `line` String: rows that could not be divided into cells.
        encoding: "utf-8" or "gb18030"; empty for formats without one.
    """

    headers: tuple[str, ...]
    cells: pl.DataFrame = field(repr=False)
    lines: pl.Series = field(repr=False)
    broken: pl.DataFrame = field(repr=False)
    encoding: str = ""


def broken_schema() -> dict[str, pl.DataType]:
    """Columns of `Table.broken`."""
    return {"row_no": pl.Int64(), "reason": pl.String(), "line": pl.String()}


def read_csv(data: bytes, *, where: str, is_header: Callable[[Sequence[str]], bool]) -> Table:
    """Divide a CSV file into cells.

    Args:
        where: the file's name for messages.
        is_header: whether a line of cells is the header.

    Raises:
        FeedError: empty file, unknown encoding, no header.
    """
    text, encoding = _decoded(data, where)
    start, header_line, separator, headers = _header(text, encoding, where, is_header)
    body = text[start:]
    cells = _clean(body, separator, len(headers))
    if cells is not None:
        return Table(headers, cells, _counted(header_line + 1, cells.height), _none_broken(), encoding)
    return _careful(body, separator, headers, header_line, encoding, where)


def read_csv_parts(path: Path, *, where: str, is_header: Callable[[Sequence[str]], bool]) -> Iterator[Table]:
    """Divide a large CSV file into cells, some megabytes at a time, so that memory does not grow with the file.

    The file is looked through once before, since its encoding is that of every line. Quotes left open at the end of a
    part stay open in the next.

    Raises:
        FeedError: as `read_csv`; also while the parts are being read.
    """
    encoding = _encoding(path, where)
    with path.open("rb") as file:
        _refuse_what_is_no_text(file.read(_BLOCK), where)
        file.seek(0)
        texts = (_as_utf8(block, encoding) for block in _blocks(file))
        first = next(texts).removeprefix(codecs.BOM_UTF8)
        start, header_line, separator, headers = _header(first, encoding, where, is_header)
        line_no, is_quoted = header_line, False
        for body in chain([first[start:]], texts):
            cells = None if is_quoted else _clean(body, separator, len(headers))
            if cells is not None:
                yield Table(headers, cells, _counted(line_no + 1, cells.height), _none_broken(), encoding)
            else:
                yield _careful(body, separator, headers, line_no, encoding, where, is_quoted=is_quoted)
            line_no += body.count(b"\n")
            is_quoted ^= body.count(b'"') % 2 == 1


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """The file in blocks of whole lines; a line feed is never a part of a character, in neither encoding."""
    rest = b""
    while block := file.read(_BLOCK):
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
            rest = block[end:]
        else:
            rest += block
    if rest:
        yield rest


def _as_utf8(block: bytes, encoding: str) -> bytes:
    return block if encoding == "utf-8" else block.decode(encoding).encode("utf-8")


def _encoding(path: Path, where: str) -> str:
    """The first of the encodings in which the whole file is text."""
    for encoding in ("utf-8", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as file:
                while block := file.read(2**20):
                    text = decoder.decode(block)
                    if encoding != "utf-8":
                        text.encode("utf-8")  # GB18030 can spell what UTF-8 cannot
            decoder.decode(b"", final=True)
        except (UnicodeDecodeError, UnicodeEncodeError):
            continue
        return encoding
    raise FeedError("the file is neither UTF-8 nor GB18030 throughout", where=where, remedy=_ENCODING_REMEDY)


def _refuse_what_is_no_text(data: bytes, where: str) -> None:
    for mark, name in _WRONG_BOMS:
        if data.startswith(mark):
            raise FeedError(f"the file is in {name}", where=where, remedy=_ENCODING_REMEDY)
    if b"\x00" in data.removeprefix(codecs.BOM_UTF8)[:65_536]:
        raise FeedError("the file is not text in UTF-8 or GB18030", where=where, remedy=_ENCODING_REMEDY)


def _decoded(data: bytes, where: str) -> tuple[bytes, str]:
    """The file as UTF-8 bytes with line feeds, and the encoding it came in."""
    _refuse_what_is_no_text(data, where)
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data.strip():
        raise FeedError("the file is empty", where=where, remedy="Ask the sender for the file")
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    try:
        codecs.utf_8_decode(data, "strict", True)
    except UnicodeDecodeError:
        pass
    else:
        return data, "utf-8"
    try:
        return data.decode("gb18030").removeprefix("\ufeff").encode("utf-8"), "gb18030"
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise FeedError(
            "the file is neither UTF-8 nor GB18030 throughout", where=where, remedy=_ENCODING_REMEDY
        ) from None


def _header(
    text: bytes, encoding: str, where: str, is_header: Callable[[Sequence[str]], bool]
) -> tuple[int, int, str, tuple[str, ...]]:
    """Where the body starts, the header's line number, the separator and the headers.

    If no line among the first is a header, the first line with text is taken, so that the caller can say what is
    missing.
    """
    start, first = 0, None
    for line_no in range(1, MAX_PREAMBLE + 1):
        end = text.find(b"\n", start)
        stop = len(text) if end < 0 else end
        line = text[start:stop].decode("utf-8").rstrip("\r")
        start = stop + 1
        if line.strip():
            separator = max(SEPARATORS, key=line.count)
            headers = tuple(_cells(line, separator))
            found = (min(start, len(text)), line_no, separator, headers)
            if is_header(headers):
                return found
            first = first or found
        if end < 0:
            break
    if first is None:
        raise FeedError("no header in the first lines", where=where, remedy="Put the header on the first line")
    return first


def _cells(line: str, separator: str) -> list[str]:
    """Cells of a header line: quotes around a cell are taken off."""
    return [cell.strip().removeprefix('"').removesuffix('"').strip() for cell in line.split(separator)]


def _clean(body: bytes, separator: str, width: int) -> pl.DataFrame | None:
    """All cells in one pass, if the file is clean: no quotes, no blank line, every line of equal width."""
    if b'"' in body or width < 2 or not body:
        return None
    lines = body.count(b"\n") + (not body.endswith(b"\n"))
    if body.count(separator.encode()) != lines * (width - 1):
        return None
    try:
        cells = _parsed(body, separator, width)
    except pl.exceptions.PolarsError:
        return None
    # Equal totals and no line too long (the reader refuses those): no line is too short either.
    return cells if cells.height == lines else None


def _parsed(body: bytes, separator: str, width: int) -> pl.DataFrame:
    return pl.read_csv(
        body,
        has_header=False,
        separator=separator,
        quote_char='"',
        schema={f"c{at}": pl.String for at in range(width)},
        truncate_ragged_lines=False,
    )


def _careful(
    body: bytes,
    separator: str,
    headers: tuple[str, ...],
    header_line: int,
    encoding: str,
    where: str,
    *,
    is_quoted: bool = False,
) -> Table:
    """The same line by line, still without Python per row. `is_quoted`: a quote before the body is still open."""
    width = len(headers)
    if not body:
        empty = pl.DataFrame(schema={f"c{at}": pl.String for at in range(width)})
        return Table(headers, empty, _counted(1, 0), _none_broken(), encoding)
    # Lines that hold the byte used to keep lines whole would be cut; no cell may hold it anyway.
    if b"\x01" in body:
        raise FeedError("the file holds control characters", where=where, remedy="Export the file again")
    lines = pl.read_csv(
        body,
        has_header=False,
        separator="\x01",
        quote_char=None,
        schema={"line": pl.String},
        truncate_ragged_lines=True,
    )["line"]
    frame = pl.DataFrame({"line": lines, "row_no": _counted(header_line + 1, len(lines))})
    frame = frame.filter(pl.col("line").str.strip_chars().str.len_bytes() > 0)
    frame = frame.with_columns(reason=_reasons(separator, width, is_quoted=is_quoted))
    broken = frame.filter(pl.col("reason").is_not_null()).select("row_no", "reason", "line")
    whole = frame.filter(pl.col("reason").is_null())
    joined = whole["line"].str.join("\n").item() if whole.height else ""
    cells = pl.DataFrame(schema={f"c{at}": pl.String for at in range(width)})
    if joined:
        try:
            cells = _parsed((joined + "\n").encode("utf-8"), separator, width)
        except pl.exceptions.PolarsError:
            raise FeedError(
                "the file cannot be divided into rows", where=where, remedy="Export the file again"
            ) from None
    if cells.height != whole.height:
        raise FeedError("the file cannot be divided into rows", where=where, remedy="Export the file again")
    return Table(headers, cells, whole["row_no"], broken, encoding)


def _reasons(separator: str, width: int, *, is_quoted: bool) -> pl.Expr:
    """Why a line cannot be divided into cells; null if it can."""
    line = pl.col("line")
    is_odd = line.str.count_matches('"', literal=True) % 2 == 1
    is_inside = is_odd | ((is_odd.cast(pl.Int64).cum_sum() + int(is_quoted)) % 2 == 1)
    mark = "\\" + separator if separator == "|" else separator
    # To the reader a quote is one only at the very start and end of a cell; elsewhere it may hide no separator.
    cell = rf'(?:[^"{mark}]*|"(?:[^"]|"")*"|\s+"[^"{mark}]*"\s*)'
    is_formed = ~line.str.contains('"', literal=True) | line.str.contains(rf"^{cell}(?:{mark}{cell})*\r?$")
    is_wide = line.str.replace_all(r'"[^"]*"', "").str.count_matches(separator, literal=True) == width - 1
    return (
        pl.when(is_inside | ~is_formed)
        .then(pl.lit("broken_quotes"))
        .when(~is_wide)
        .then(pl.lit("broken_row"))
        .otherwise(pl.lit(None, dtype=pl.String))
    )


def _counted(first: int, height: int) -> pl.Series:
    return pl.int_range(first, first + height, dtype=pl.Int64, eager=True)


def _none_broken() -> pl.DataFrame:
    return pl.DataFrame(schema=broken_schema())
