"""How does a fixed-width file (定长报文) become cells? By places counted in bytes of its encoding.

A Chinese character is two bytes in GB 18030 (rare ones four) and three in UTF-8, so a layout that was made for the one
does not fit the other. A line shorter than the layout, a place that cuts a character, and a cell that does not stand on
the side that the layout says are quarantined: they show that lines have shifted, and a shifted amount is another
amount.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from meanscheck.contracts.bounds import check_shape, check_size
from meanscheck.contracts.csv_text import decoded
from meanscheck.contracts.mapping import ColumnMapping, FileShape
from meanscheck.contracts.table import Table, broken_schema
from meanscheck.errors import FeedError

_AT_ONCE = 200_000
_BLANK = b" "
_BLANKS = " \u3000"
Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


def read_fixed(data: bytes, shape: FileShape, columns: Mapping[str, ColumnMapping], *, where: str) -> Table:
    """Cells of a fixed-width file; the headers are the names of the contract's columns that have a place.

    Raises:
        FeedError: empty file, not of the encoding, beyond a bound.
    """
    check_size(len(data), where=where)
    _, encoding = decoded(data, where, shape.encoding)
    data = data.removeprefix(codecs.BOM_UTF8).rstrip(b"\x1a")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    layout = {
        name: (column.start - 1, column.length, column.align)
        for name, column in columns.items()
        if column.start is not None and column.length is not None
    }
    starts, lengths = _lines(data)
    lines = np.arange(1, len(starts) + 1)
    kept = (lengths > 0) & (lines > shape.skip_first)
    last = lines[lengths > 0][-shape.skip_last :] if shape.skip_last else lines[:0]
    kept &= ~np.isin(lines, last)
    starts, lengths, lines = starts[kept], lengths[kept], lines[kept]
    check_shape(len(lines), len(layout), where=where)
    need = max(start + length for start, length, _ in layout.values())
    width = shape.record_bytes or need
    if width < need:
        raise FeedError("record_bytes is less than the columns need", where=where, remedy="Mend the mapping")
    is_whole = lengths == width if shape.record_bytes else lengths >= width
    if shape.may_be_short:
        is_whole |= lengths < width
    broken = [
        (int(line), "broken_row", _text(data, s, n, encoding))
        for line, s, n in zip(lines[~is_whole], starts[~is_whole], lengths[~is_whole], strict=True)
    ]
    starts, lengths, lines = starts[is_whole], lengths[is_whole], lines[is_whole]
    cells, reasons = _cells(data, starts, lengths, layout, encoding)
    bad = sorted(reasons)
    broken += [(int(lines[at]), reasons[at], _text(data, starts[at], lengths[at], encoding)) for at in bad]
    is_sound = pl.repeat(value=True, n=len(lines), eager=True)
    if bad:
        is_sound = is_sound.scatter(bad, False)
    return Table(
        tuple(layout),
        cells.filter(is_sound),
        pl.Series(lines, dtype=pl.Int64).filter(is_sound),
        pl.DataFrame(broken, schema=broken_schema(), orient="row").sort("row_no"),
        encoding,
    )


def _lines(data: bytes) -> tuple[Places, Places]:
    """Where each line begins, and its length in bytes."""
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n")).astype(np.int64)
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts = np.concatenate([np.zeros(1, dtype=np.int64), ends[:-1] + 1])
    return starts, ends - starts


def _cells(
    data: bytes,
    starts: Places,
    lengths: Places,
    layout: Mapping[str, tuple[int, int, str | None]],
    encoding: str,
) -> tuple[pl.DataFrame, dict[int, str]]:
    """Columns c0, c1 … of all lines, and the lines at fault with their reason."""
    # Room behind the end, so that no place of a short last line lies outside.
    room = max(start + length for start, length, _ in layout.values())
    source = np.frombuffer(data + b"\n" * room, dtype=np.uint8)
    faults: dict[int, str] = {}
    columns: list[pl.Series] = []
    for place, (start, length, align) in enumerate(layout.values()):
        parts: list[str] = []
        for first in range(0, len(starts), _AT_ONCE):
            at = slice(first, first + _AT_ONCE)
            parts += _column(source, starts[at], lengths[at], start, length, encoding, faults, first)
        cells = pl.Series(f"c{place}", parts, dtype=pl.String)
        bare = cells.str.strip_chars(_BLANKS)
        if align is not None:
            off = cells.str.strip_chars_start(_BLANKS) if align == "left" else cells.str.strip_chars_end(_BLANKS)
            for found in ((off != cells) & (bare != "")).arg_true().to_list():
                faults.setdefault(found, "broken_row")
        columns.append(bare.replace("", None).alias(f"c{place}"))
    return pl.DataFrame(columns), faults


def _column(
    source: Bytes,
    starts: Places,
    lengths: Places,
    start: int,
    length: int,
    encoding: str,
    faults: dict[int, str],
    first: int,
) -> list[str]:
    """Texts of one column; a text that cuts a character is empty and a fault of its line."""
    matrix = np.full((len(starts), length + 1), ord("\n"), dtype=np.uint8)
    offsets = np.arange(start, start + length)
    matrix[:, :length] = source[starts[:, None] + offsets]
    matrix[:, :length][offsets >= lengths[:, None]] = ord(_BLANK)
    packed = matrix.tobytes()
    try:
        return packed.decode(encoding).split("\n")[:-1]
    except UnicodeDecodeError:
        pass
    texts = []
    for row, piece in enumerate(packed.split(b"\n")[:-1]):
        try:
            texts.append(piece.decode(encoding))
        except UnicodeDecodeError:
            texts.append("")
            faults.setdefault(first + row, "cut_character")
    return texts


def _text(data: bytes, start: int, length: int, encoding: str) -> str:
    return data[start : start + length].decode(encoding, "replace")
