"""What are valid files of every feed, in every format that the readers know?

A small made-up county is the source: its files as sent (CSV in its encodings, sheets) and its typed Parquet files. Of
each a few rows are written again in every format of `readers.FORMATS`. A format that this module cannot write yet is
listed by `unwritten`, so that a new one is seen and not passed over; files of it are then other formats under its
ending.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from meanscheck.contracts.readers import FORMATS
from meanscheck.synth import county
from meanscheck.synth.files import write_rows

HOUSEHOLDS = 60
ROWS = 10
"""Rows of a sample, at most: what breaks a reader breaks it in a short file as well."""
_STEM = re.compile(r"([a-z_]+)(-.+)?")


@dataclass(frozen=True)
class Sample:
    """One valid file: its feed, ending and bytes, the bytes of its manifest, and the words that must not get out."""

    feed: str
    ending: str
    data: bytes = field(repr=False)
    manifest: bytes | None = field(repr=False)
    secrets: frozenset[str] = field(repr=False, default=frozenset())

    @property
    def form(self) -> str:
        """The format that its ending means."""
        return FORMATS[self.ending]


def _text(ending: str) -> Callable[[pl.DataFrame], Iterator[bytes]]:
    separator = "\t" if ending == ".tsv" else ","

    def write(cells: pl.DataFrame) -> Iterator[bytes]:
        text = cells.write_csv(separator=separator)
        for encoding in ("utf-8", "utf-8-sig", "gb18030"):
            yield text.encode(encoding)
            yield text.replace("\n", "\r\n").encode(encoding)
        yield cells.write_csv(separator=separator, quote_style="always").encode()

    return write


def _sheet(cells: pl.DataFrame) -> Iterator[bytes]:
    path = Path("/dev/shm" if Path("/dev/shm").is_dir() else "/tmp") / f"torture-{id(cells)}.xlsx"
    try:
        write_rows(path, cells, kind="xlsx")
        yield path.read_bytes()
    finally:
        path.unlink(missing_ok=True)


def _parquet(cells: pl.DataFrame) -> Iterator[bytes]:
    for statistics in (False, True):
        stream = io.BytesIO()
        cells.write_parquet(stream, statistics=statistics, compression="zstd" if statistics else "uncompressed")
        yield stream.getvalue()


def _json(cells: pl.DataFrame) -> Iterator[bytes]:
    yield "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in cells.to_dicts()).encode()


def _zip(cells: pl.DataFrame) -> Iterator[bytes]:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", cells.write_csv())
    yield stream.getvalue()


WRITERS: Mapping[str, Callable[[pl.DataFrame], Iterator[bytes]]] = {
    "excel": _sheet,
    "parquet": _parquet,
    "jsonl": _json,
    "zip": _zip,
}
"""How a format is written. Text formats are written by `_text`."""


def unwritten() -> tuple[str, ...]:
    """Formats the readers know and this module cannot write."""
    return tuple(sorted({form for form in FORMATS.values() if form != "csv" and form not in WRITERS}))


def samples(folder: Path, *, seed: int) -> tuple[Sample, ...]:
    """Valid files of every feed in every format; the office's requests and consents stay in ``folder/files/inbox``."""
    found: list[Sample] = []
    sent = county(folder / "files", households=HOUSEHOLDS, seed=seed)
    typed = county(folder / "typed", households=HOUSEHOLDS, seed=seed, style="parquet")
    for inbox in (sent.inbox, typed.inbox):
        seen: set[str] = set()
        for path in sorted(inbox.iterdir()):
            match = _STEM.fullmatch(path.stem)
            if path.suffix not in FORMATS or path.name.endswith((".manifest.json",)) or match is None:
                continue
            feed = match.group(1)
            if feed in seen or path.stem in ("requests", "consents"):
                continue
            seen.add(feed)
            manifest = path.with_name(path.stem + ".manifest.json")
            found += _of_file(feed, path, manifest.read_bytes() if manifest.is_file() else None)
    return tuple(found)


def _of_file(feed: str, path: Path, manifest: bytes | None) -> Iterator[Sample]:
    if path.suffix == ".xlsx":
        yield Sample(feed, path.suffix, path.read_bytes(), manifest)
        return
    if path.suffix == ".parquet":
        frame = pl.read_parquet(path).head(ROWS)
        stream = io.BytesIO()
        frame.write_parquet(stream)
        yield Sample(feed, path.suffix, stream.getvalue(), manifest, secrets_of(frame))
        cells = frame.cast(pl.String)
    else:
        frame = pl.read_csv(path, encoding=_encoding(path), infer_schema=False).head(ROWS)
        cells = frame
    secrets = secrets_of(cells)
    for ending, form in FORMATS.items():
        writer = _text(ending) if form == "csv" else WRITERS.get(form, _text(".csv"))
        for data in writer(cells):
            yield Sample(feed, ending, data, manifest, secrets)


def _encoding(path: Path) -> str:
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def secrets_of(cells: pl.DataFrame) -> frozenset[str]:
    """Words of the rows that name somebody or his money: identity numbers, tokens and amounts, five characters and on.

    Words that a contract or a manifest may also say (days, months, codes of places and choices) are left out.
    """
    found: set[str] = set()
    for name in cells.columns:
        for value in cells[name].drop_nulls().to_list():
            if isinstance(value, date):
                continue
            text = str(value)
            digits = sum(c.isdigit() for c in text)
            if re.fullmatch(r"\d{4}.?\d\d(.?\d\d)?.?", text) or len(text) == 6:
                continue
            if len(text) >= 5 and digits >= 4:
                found.add(text)
    return frozenset(found)
