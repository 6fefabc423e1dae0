"""How are requests and consents read? As JSON lines, many at a time, every scalar as text, with an explicit schema.

Nothing is inferred: a key that the schema does not know, a line that is not an object, a wrong nesting are `FeedError`s
that name file and line. Values never appear in messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias

import polars as pl

from meanscheck.errors import FeedError
from meanscheck.evidence.ahead import ahead

Shape: TypeAlias = Mapping[str, pl.DataType]
_CHUNK_BYTES = 16 << 20
_MAX_LINE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Lines:
    """JSON lines that lie in memory and on no disk, under the name that messages give them."""

    name: str
    text: bytes = field(repr=False)

    def open(self, mode: Literal["rb"]) -> BinaryIO:
        """Like a file's."""
        return BytesIO(self.text)


def json_lines(path: Path | Lines, shape: Shape) -> Iterator[pl.DataFrame]:
    """Chunks of a JSON-lines file: `line` Int64 (1-based) and the columns of `shape`; blank lines are skipped.

    The next chunk is read while one is used.

    Raises:
        FeedError: the file is missing, empty, not UTF-8, or a line is not an object of that shape.
    """
    yield from ahead(_chunks(path, shape))


def _chunks(path: Path | Lines, shape: Shape) -> Iterator[pl.DataFrame]:
    keys = frozenset(_keys(shape))
    seen = False
    first_line = 1
    try:
        with path.open("rb") as stream:
            rest = b""
            while True:
                chunk = stream.read(_CHUNK_BYTES)
                text = rest + chunk
                if chunk:
                    cut = text.rfind(b"\n") + 1
                    text, rest = text[:cut], text[cut:]
                    if len(rest) > _MAX_LINE_BYTES + _CHUNK_BYTES:
                        raise FeedError("a line is too long", where=path.name, remedy="Write one JSON object a line")
                if text:
                    frame = _decode(text, path.name, first_line, shape, keys)
                    first_line += text.count(b"\n")
                    if frame.height:
                        seen = True
                        yield frame
                if not chunk:
                    break
    except OSError:
        raise FeedError("the file cannot be read", where=path.name, remedy="Look at its path and rights") from None
    if not seen:
        raise FeedError("the file is empty", where=path.name, remedy="Give one JSON object a line")


def _decode(raw: bytes, name: str, first_line: int, shape: Shape, keys: frozenset[str]) -> pl.DataFrame:
    try:
        text = raw.decode("utf-8-sig" if first_line == 1 else "utf-8")
    except UnicodeDecodeError as error:
        line = first_line + raw[: error.start].count(b"\n")
        raise FeedError("the text is not UTF-8", where=f"{name}:{line}", remedy="Save the file as UTF-8") from None
    lines = pl.DataFrame({"text": text.split("\n")}).with_row_index("line", offset=first_line)
    lines = lines.with_columns(pl.col("line").cast(pl.Int64), pl.col("text").str.strip_chars())
    lines = lines.filter(pl.col("text") != "")
    if lines.is_empty():
        return pl.DataFrame(schema={"line": pl.Int64, **shape})
    _check_keys(lines, name, keys)
    target = pl.Struct(dict(shape))
    try:
        decoded = lines["text"].str.json_decode(target)
    except pl.exceptions.PolarsError:
        raise FeedError(
            "the line is not a JSON object of the expected shape",
            where=f"{name}:{_first_bad(lines, target)}",
            remedy="Compare it with the inbox format",
        ) from None
    return pl.concat([lines.select("line"), decoded.alias("all").to_frame().unnest("all")], how="horizontal")


def _check_keys(lines: pl.DataFrame, name: str, keys: frozenset[str]) -> None:
    found = lines.select("line", pl.col("text").str.extract_all(r'"[^"\\]*"\s*:').alias("key")).explode("key")
    # Millions of keys, of which a few dozen differ.
    spelt = found.select(pl.col("key").drop_nulls().unique())
    unknown = spelt.filter(~pl.col("key").str.extract(r'"([^"\\]*)"').is_in(sorted(keys)))
    if unknown.height:
        line = int(found.filter(pl.col("key").is_in(unknown["key"].to_list()))["line"].to_list()[0])
        raise FeedError(
            "the line has a key that is not known here",
            where=f"{name}:{line}",
            remedy=f"Known keys: {', '.join(sorted(keys))}",
        )


def _first_bad(lines: pl.DataFrame, target: pl.Struct) -> int:
    low, high = 0, lines.height
    while high - low > 1:
        middle = (low + high) // 2
        try:
            lines["text"][low:middle].str.json_decode(target)
            low = middle
        except pl.exceptions.PolarsError:
            high = middle
    return int(lines["line"][low])


def _keys(shape: Mapping[str, object]) -> Iterator[str]:
    for name, kind in shape.items():
        yield name
        inner = kind.inner if isinstance(kind, pl.List) else kind
        if isinstance(inner, pl.Struct):
            yield from _keys({field.name: field.dtype for field in inner.fields})
