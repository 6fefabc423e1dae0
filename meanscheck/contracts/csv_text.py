"""How does a CSV file become cells, when senders write it in any encoding and with broken lines?

A physical line is a row: no cell may hold a line break, so a quote that does not close on its line breaks this line and
every line up to the one that closes it, each of which is quarantined by itself. A line with too few or too many cells
is quarantined too. The common clean file is recognised by counting (separators of the whole file, and a reader that
refuses long lines) and read in one pass.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import polars as pl

from meanscheck.contracts.bounds import MAX_WHOLE, check_shape, check_size
from meanscheck.contracts.table import MAX_PREAMBLE, IsHeader, Table, broken_schema, counted, none_broken
from meanscheck.errors import FeedError

__all__ = ["SEPARATORS", "Encoding", "Table", "broken_schema", "decoded", "how_many", "read_csv"]

Encoding = Literal["utf-8", "gb18030"]
SEPARATORS = (",", "\t", ";", "|")

_BLOCK = 16 * 2**20
"""Bytes of a large file that are looked at together."""
_WRONG_BOMS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_ENCODING_REMEDY = "Save it as CSV UTF-8 (or GB18030) and send it again"
_SHOWN = re.compile(rb'(?<![^,\t;|\r\n])=("[^"\r\n]*")(?![^,\t;|\r\n])')
"""A whole cell of the form ="110…": how systems make a spreadsheet keep a long number as text."""


@dataclass(frozen=True, slots=True)
class _Head:
    """Where the body starts, which line the header is, what separates cells, the headers, and the lines above."""

    start: int
    line: int
    separator: str
    headers: tuple[str, ...]
    above: tuple[str, ...] = ()


def read_csv(
    data: bytes,
    *,
    where: str,
    is_header: IsHeader,
    encoding: Encoding | None = None,
    separator: str | None = None,
    header_line: int | None = None,
) -> Table:
    """Divide a CSV file into cells.

    A cell ``="110…"``, by which systems keep a spreadsheet from rounding a long number, is that text.

    Args:
        where: the file's name for messages.
        is_header: whether a line of cells is the header.
        encoding: what the file must be in; seen from its bytes unless given.
        separator: of cells; seen from the header unless given.
        header_line: the header's line; 0 for none, columns then go by their places (1, 2, …); found unless given.

    Raises:
        FeedError: empty file, unknown encoding, no header, beyond a bound.
    """
    check_size(len(data), where=where)
    text, found = decoded(data, where, encoding)
    head = _header(text, where, is_header, separator, header_line)
    check_shape(how_many(b"\n", text), len(head.headers), where=where)
    body = _unshown(text[head.start :])
    cells = _clean(body, head.separator, len(head.headers))
    if cells is not None:
        return _table(head, cells, counted(head.line + 1, cells.height), none_broken(), found)
    return _careful(body, head, found, where)


def read_csv_parts(
    path: Path,
    *,
    where: str,
    is_header: IsHeader,
    encoding: Encoding | None = None,
    separator: str | None = None,
    header_line: int | None = None,
) -> Iterator[Table]:
    """Divide a large CSV file into cells, some megabytes at a time, so that memory does not grow with the file.

    The file is looked through once before, since its encoding is that of every line. Quotes left open at the end of a
    part stay open in the next. Arguments as of `read_csv`.

    Raises:
        FeedError: as `read_csv`; also while the parts are being read.
    """
    found = _encoding(path, where, encoding)
    with path.open("rb") as file:
        _refuse_what_is_no_text(file.read(_BLOCK), where)
        file.seek(0)
        texts = (_as_utf8(block, found) for block in _blocks(file, where))
        first = next(texts).removeprefix(codecs.BOM_UTF8)
        head = _header(first, where, is_header, separator, header_line)
        line_no, is_quoted = head.line, False
        for text in chain([first[head.start :]], texts):
            check_shape(line_no, len(head.headers), where=where)
            body = _unshown(text)
            cells = None if is_quoted else _clean(body, head.separator, len(head.headers))
            if cells is not None:
                yield _table(head, cells, counted(line_no + 1, cells.height), none_broken(), found)
            else:
                yield _careful(body, head, found, where, line=line_no, is_quoted=is_quoted)
            line_no += how_many(b"\n", body)
            is_quoted ^= how_many(b'"', body) % 2 == 1


def how_many(byte: bytes, text: bytes) -> int:
    """How often one byte occurs; `bytes.count` takes ten times as long where it is frequent."""
    found = np.frombuffer(text, dtype=np.uint8)
    step = 2**18  # what is compared together stays in the processor's own memory
    return sum(int(np.count_nonzero(found[at : at + step] == byte[0])) for at in range(0, len(found), step))


def _unshown(body: bytes) -> bytes:
    """Cells of the form ="110…" as "110…"."""
    # One byte is found far faster than two, and most files have no quote at all.
    return _SHOWN.sub(rb"\1", body) if b'"' in body and b'="' in body else body


def _blocks(file: BinaryIO, where: str) -> Iterator[bytes]:
    """The file in blocks of whole lines; a line feed is never a part of a character, in neither encoding."""
    rest: list[bytes] = []
    while block := file.read(_BLOCK):
        end = block.rfind(b"\n") + 1
        if end:
            yield b"".join([*rest, block[:end]])
            rest = [block[end:]]
        else:
            rest.append(block)
            if sum(map(len, rest)) > MAX_WHOLE:
                raise FeedError(
                    f"a line longer than {MAX_WHOLE // 2**20} MiB",
                    where=where,
                    remedy="Export the file again, with line feeds between rows",
                )
    if any(rest):
        yield b"".join(rest)


def _as_utf8(block: bytes, encoding: Encoding) -> bytes:
    return block if encoding == "utf-8" else block.decode(encoding).encode("utf-8")


def _encoding(path: Path, where: str, given: Encoding | None) -> Encoding:
    """The first of the encodings in which the whole file is text."""
    wanted: tuple[Encoding, ...] = ("utf-8", "gb18030") if given is None else (given,)
    for encoding in wanted:
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
    raise _not_text(where, given)


def _not_text(where: str, given: Encoding | None) -> FeedError:
    names = "neither UTF-8 nor GB18030" if given is None else f"not {given.upper()}, as the mapping says,"
    return FeedError(f"the file is {names} throughout", where=where, remedy=_ENCODING_REMEDY)


def _refuse_what_is_no_text(data: bytes, where: str) -> None:
    for mark, name in _WRONG_BOMS:
        if data.startswith(mark):
            raise FeedError(f"the file is in {name}", where=where, remedy=_ENCODING_REMEDY)
    if b"\x00" in data.removeprefix(codecs.BOM_UTF8)[:65_536]:
        raise FeedError("the file is not text in UTF-8 or GB18030", where=where, remedy=_ENCODING_REMEDY)


def _table(head: _Head, cells: pl.DataFrame, lines: pl.Series, broken: pl.DataFrame, encoding: Encoding) -> Table:
    return Table(
        head.headers,
        cells,
        lines,
        broken,
        encoding,
        above=head.above,
        header_line=head.line,
        separator=head.separator,
    )


def decoded(data: bytes, where: str, encoding: Encoding | None = None) -> tuple[bytes, Encoding]:
    """A text file as UTF-8 bytes with line feeds, and the encoding it came in.

    Args:
        encoding: what it must be in; seen from its bytes unless given.
    """
    _refuse_what_is_no_text(data, where)
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data.strip():
        raise FeedError("the file is empty", where=where, remedy="Ask the sender for the file")
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    if encoding != "gb18030":
        try:
            codecs.utf_8_decode(data, "strict", True)
        except UnicodeDecodeError:
            pass
        else:
            return data, "utf-8"
    if encoding != "utf-8":
        try:
            return data.decode("gb18030").removeprefix("\ufeff").encode("utf-8"), "gb18030"
        except (UnicodeDecodeError, UnicodeEncodeError):
            pass
    raise _not_text(where, encoding)


def _header(text: bytes, where: str, is_header: IsHeader, separator: str | None, header_line: int | None) -> _Head:
    """If no line among the first is a header, the first line with text is taken, so that the caller can say what is
    missing."""
    start, first = 0, None
    above: list[str] = []
    if header_line == 0:
        line = text[: text.find(b"\n")].decode("utf-8")
        mark = separator or max(SEPARATORS, key=line.count)
        return _Head(0, 0, mark, tuple(str(place) for place in range(1, line.count(mark) + 2)))
    for line_no in range(1, max(MAX_PREAMBLE, header_line or 0) + 1):
        end = text.find(b"\n", start)
        stop = len(text) if end < 0 else end
        line = text[start:stop].decode("utf-8").rstrip("\r")
        start = stop + 1
        if line.strip() or line_no == header_line:
            mark = separator or max(SEPARATORS, key=line.count)
            headers = tuple(_cells(line, mark))
            found = _Head(min(start, len(text)), line_no, mark, headers, tuple(above))
            if line_no == header_line or (header_line is None and is_header(headers)):
                return found
            first = first or found
            above.append(line)
        if end < 0:
            break
    if first is None or header_line is not None:
        raise FeedError("no header in the first lines", where=where, remedy="Put the header on the first line")
    return first


def _cells(line: str, separator: str) -> list[str]:
    """Cells of a header line: quotes around a cell are taken off."""
    return [cell.strip().removeprefix('"').removesuffix('"').strip() for cell in line.split(separator)]


def _clean(body: bytes, separator: str, width: int) -> pl.DataFrame | None:
    """All cells in one pass, if the file is clean: no quotes, no blank line, every line of equal width."""
    if b'"' in body or width < 2 or not body:
        return None
    lines = how_many(b"\n", body) + (not body.endswith(b"\n"))
    if how_many(separator.encode(), body) != lines * (width - 1):
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
    body: bytes, head: _Head, encoding: Encoding, where: str, *, line: int | None = None, is_quoted: bool = False
) -> Table:
    """The same line by line, still without Python per row.

    Args:
        line: the line before the body; the header's unless given.
        is_quoted: a quote before the body is still open.
    """
    before = head.line if line is None else line
    width, separator = len(head.headers), head.separator
    if not body:
        empty = pl.DataFrame(schema={f"c{at}": pl.String for at in range(width)})
        return _table(head, empty, counted(1, 0), none_broken(), encoding)
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
    frame = pl.DataFrame({"line": lines, "row_no": counted(before + 1, len(lines))})
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
        if '=""' in joined:
            cells = cells.with_columns(pl.all().str.replace(r'^="([^"]*)"$', "$1"))
    if cells.height != whole.height:
        raise FeedError("the file cannot be divided into rows", where=where, remedy="Export the file again")
    return _table(head, cells, whole["row_no"], broken, encoding)


def _reasons(separator: str, width: int, *, is_quoted: bool) -> pl.Expr:
    """Why a line cannot be divided into cells; null if it can."""
    line = pl.col("line")
    quotes = line.str.count_matches('"', literal=True)
    # Patterns look through the lines with quotes only, which are few: they take ten times as long as counting.
    quoted = pl.when(quotes > 0).then(line).otherwise(pl.lit(""))
    is_odd = quotes % 2 == 1
    is_inside = is_odd | ((is_odd.cast(pl.Int64).cum_sum() + int(is_quoted)) % 2 == 1)
    mark = "\\" + separator if separator == "|" else separator
    # To the reader a quote is one only at the very start and end of a cell; elsewhere it may hide no separator.
    cell = rf'(?:[^"{mark}]*|"(?:[^"]|"")*"|\s+"[^"{mark}]*"\s*)'
    is_formed = quoted.str.contains(rf"^{cell}(?:{mark}{cell})*\r?$")
    bare = pl.when(quotes > 0).then(quoted.str.replace_all(r'"[^"]*"', "")).otherwise(line)
    is_wide = bare.str.count_matches(separator, literal=True) == width - 1
    return (
        pl.when(is_inside | ~is_formed)
        .then(pl.lit("broken_quotes"))
        .when(~is_wide)
        .then(pl.lit("broken_row"))
        .otherwise(pl.lit(None, dtype=pl.String))
    )
