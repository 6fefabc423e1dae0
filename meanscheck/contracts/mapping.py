"""How do one sender's files say what a feed's contract asks? A mapping file: their columns, codes, units, day forms.

A mapping is a TOML file, ``<stem>.mapping.toml`` beside the answer or given by hand:

    feed = "bank_deposits"
    sender = "某某银行"
    version = "2"
    valid_from = 2025-01-01                 # days on which answers may be read with it, inclusive
    valid_to = 2025-12-31                   # left out: until further notice

    [file]                                  # what is left out is found in the file
    format = "csv"                          # csv, excel, fixed, jsonl, parquet
    encoding = "gb18030"                    # utf-8 or gb18030
    delimiter = "|"
    header_line = 3                         # 0: no header, columns go by their places 1, 2, …

    [columns.id_number]                     # one table for each column of the contract that the file gives
    from = "ZJHM"                           # their header
    [columns.balance]
    from = "YE"
    unit = "fen"
    [columns.as_of]
    from = "RQ"
    form = "DD/MM/YYYY"
    [columns.account_kind]
    from = "ZHLX"
    codes = { "01" = "current", "02" = "term" }
    [columns.bank_code]
    value = "ICBC"                          # the same for every row

A fixed-width file (定长报文) has ``start`` and ``length`` in place of ``from``, in bytes of the encoding (a Chinese
character of GB 18030 has two), and ``decimals`` where the point of an amount is implied.

TOML and not YAML, because codes such as 01 or 010101 stay what they are (YAML reads 010101 as 4161), days are days, and
a name given twice is refused by the language itself. What a mapping does not name is not read: no header of the file is
understood by its spelling beside it, so that the mapping is the whole truth about the sender's files. Values outside
`codes` and days not of the `form` are quarantined, never tried otherwise.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from meanscheck.errors import FeedError

MAX_BYTES = 2**20
_Text = Annotated[str, Field(min_length=1, max_length=200)]
_Place = Annotated[int, Field(ge=1, le=100_000)]
Format = Literal["csv", "excel", "fixed", "jsonl", "parquet"]
Align = Literal["left", "right"]


class _Frozen(BaseModel):
    # ``from`` is a word of Python: the field is `source`, the file says ``from``.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        populate_by_name=True,
        alias_generator=lambda name: "from" if name == "source" else name,
    )


class FileShape(_Frozen):
    """What the file is like; what is None is found in the file itself.

    `header_line` counts lines from 1; 0 is no header. `header_rows` is for workbooks. `unit` is the unit of every money
    column whose header and mapping name none. `skip_first` and `skip_last` are lines of a fixed-width file that are not
    rows; `record_bytes` is the length of every line, at least what the columns need unless given; `may_be_short`:
    blanks at the end of a line may be cut off.
    """

    format: Format | None = None
    encoding: Literal["utf-8", "gb18030"] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1, pattern=r"^[,\t;|]$")] | None = None
    header_line: Annotated[int, Field(ge=0, le=1000)] | None = None
    header_rows: Annotated[int, Field(ge=1, le=3)] | None = None
    sheet: _Text | None = None
    unit: _Text | None = None
    record_bytes: Annotated[int, Field(ge=1, le=100_000)] | None = None
    skip_first: Annotated[int, Field(ge=0, le=100)] = 0
    skip_last: Annotated[int, Field(ge=0, le=100)] = 0
    may_be_short: bool = False


class ColumnMapping(_Frozen):
    """Where one column of the contract comes from, and how it is written there.

    Exactly one of `source` (``from`` in the file: a header, or a place if there is no header), `value` (the same for
    every row) and `start` with `length` (fixed width, bytes, the first is 1). `codes`: their code → the contract's
    choice, or yes and no as ``true`` and ``false``. `form`: of days, such as ``DD/MM/YYYY``. `decimals`: implied.
    `align`: the side on which a fixed-width cell must begin (left) or end (right); either unless given.
    """

    source: _Text | None = None
    value: _Text | None = None
    start: _Place | None = None
    length: _Place | None = None
    align: Align | None = None
    unit: _Text | None = None
    decimals: Annotated[int, Field(ge=1, le=6)] | None = None
    form: _Text | None = None
    codes: Mapping[_Text, _Text] = {}

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.start is None) != (self.length is None):
            raise ValueError("start and length go together")
        if sum(given is not None for given in (self.source, self.value, self.start)) != 1:
            raise ValueError("give one of: from, value, start with length")
        return self


class FileMapping(_Frozen):
    """A sender's files onto a feed's contract; see the module's docstring."""

    feed: _Text
    sender: _Text
    version: _Text = "1"
    valid_from: date | None = None
    valid_to: date | None = None
    note: str = ""
    file: FileShape = FileShape()
    columns: Annotated[Mapping[_Text, ColumnMapping], Field(min_length=1)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.valid_from is not None and self.valid_to is not None and self.valid_from > self.valid_to:
            raise ValueError("valid_from is after valid_to")
        return self

    @property
    def text(self) -> str:
        """The mapping as JSON with sorted names: what its digest names."""
        facts = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of `text`: equal for files that mean the same, whatever their comments and order."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def covers(self, day: date) -> bool:
        """Whether answers of that day may be read with it."""
        return (self.valid_from or date.min) <= day <= (self.valid_to or date.max)


def mapping_path(path: Path) -> Path:
    """Where the mapping of a feed file is looked for."""
    return path.with_name(path.stem + ".mapping.toml")


def load_mapping(path: Path) -> FileMapping:
    """Read a mapping file.

    Raises:
        FeedError: it cannot be read, is not TOML, or has a key or value that is not of a mapping.
    """
    where = path.name
    try:
        data = path.read_bytes()
    except OSError:
        raise FeedError("the mapping cannot be read", where=where, remedy="Check the path and its rights") from None
    if len(data) > MAX_BYTES:
        raise FeedError("the mapping is larger than 1 MiB", where=where, remedy="Check that it is a mapping")
    try:
        value: dict[str, Any] = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise FeedError("the mapping is not UTF-8", where=where, remedy="Save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = re.search(r"line \d+", str(error))
        at = f"{where} {place.group() if place else 'at its end'}"
        raise FeedError("the mapping is not TOML", where=at, remedy="Mend that line; texts stand in quotes") from None
    try:
        return FileMapping.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place_ = ".".join(str(part) for part in first["loc"])
        raise FeedError(
            f"the mapping is faulty: {first['msg']}",
            where=f"{where} {place_}".strip(),
            remedy="`meanscheck feeds sniff FILE --write` writes one to compare with",
        ) from None


def mapping_beside(path: Path) -> FileMapping | None:
    """The mapping that lies beside a feed file; None if there is none."""
    beside = mapping_path(path)
    return load_mapping(beside) if beside.is_file() else None
