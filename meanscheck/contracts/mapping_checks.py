"""Does a mapping fit the contract that it maps onto? Every problem at once, by the key that has it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from meanscheck.contracts.cells import Fault, parse_bool, parse_choice, parse_day, parse_month, parse_text
from meanscheck.contracts.day_forms import day_form
from meanscheck.contracts.mapping import ColumnMapping, FileMapping
from meanscheck.contracts.model import FILE_UNITS, Column, FeedContract
from meanscheck.contracts.spelling import header_key
from meanscheck.errors import FeedError

_MEASURED = ("money", "area", "ratio")
_ONLY: dict[str, tuple[str, ...]] = {
    "delimiter": ("csv",),
    "encoding": ("csv", "fixed", "jsonl"),
    "header_line": ("csv", "excel"),
    "header_rows": ("excel",),
    "sheet": ("excel",),
    "record_bytes": ("fixed",),
    "skip_first": ("fixed",),
    "skip_last": ("fixed",),
    "may_be_short": ("fixed",),
}
"""Keys of ``[file]`` and the formats that have them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a mapping: its key, such as ``columns.balance.unit``, what, and what to do."""

    key: str
    what: str
    remedy: str


def check_mapping(contract: FeedContract, mapping: FileMapping) -> tuple[Problem, ...]:
    """Everything that is wrong with a mapping; empty if it may be used."""
    return tuple(_problems(contract, mapping))


def refuse_faulty(contract: FeedContract, mapping: FileMapping, *, where: str) -> None:
    """FeedError with the first problem and how many there are."""
    found = check_mapping(contract, mapping)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise FeedError(
            f"the mapping does not fit: {found[0].what}{more}",
            where=f"{where}: mapping {found[0].key}",
            remedy=found[0].remedy,
        )


def _problems(contract: FeedContract, mapping: FileMapping) -> Iterator[Problem]:
    if mapping.feed != contract.name:
        yield Problem("feed", f"it is of feed {mapping.feed}, not of {contract.name}", "Use the mapping of this feed")
        return
    shape = mapping.file
    for key, formats in _ONLY.items():
        if getattr(shape, key) not in (None, 0, False) and shape.format is not None and shape.format not in formats:
            yield Problem(f"file.{key}", f"a file of format {shape.format} has none", "Take it out")
    if shape.unit is not None and shape.unit not in FILE_UNITS["money"]:
        yield Problem("file.unit", "not a unit of money", f"One of {', '.join(FILE_UNITS['money'])}")
    for name, column in mapping.columns.items():
        if name not in contract.column_names:
            yield Problem(
                f"columns.{name}", "the contract has no such column", f"`meanscheck feeds show {contract.name}`"
            )
        else:
            yield from _of_column(contract.column(name), column, mapping)
    for column_ in contract.columns:
        if column_.required and column_.name not in mapping.columns:
            yield Problem(
                f"columns.{column_.name}", f"the required column {column_.title_zh} is not mapped", "Say where it is"
            )
    yield from _taken_twice(mapping)


def _of_column(column: Column, given: ColumnMapping, mapping: FileMapping) -> Iterator[Problem]:
    key = f"columns.{column.name}"
    is_fixed = mapping.file.format == "fixed"
    if is_fixed and given.source is not None:
        yield Problem(f"{key}.from", "a fixed-width file has no headers", "Give start and length")
    if given.start is not None and not is_fixed:
        yield Problem(f"{key}.start", "only a file of format fixed has places", 'Say format = "fixed" under [file]')
    if mapping.file.header_line == 0 and given.source is not None and not given.source.isdecimal():
        yield Problem(f"{key}.from", "without a header a column goes by its place", 'Give its place, such as "3"')
    if given.unit is not None and given.unit not in FILE_UNITS.get(column.kind, ()):
        units = ", ".join(FILE_UNITS.get(column.kind, ()))
        yield Problem(
            f"{key}.unit", f"not a unit of a {column.kind} column", f"One of {units}" if units else "Take it out"
        )
    if given.decimals is not None and column.kind not in (*_MEASURED, "number"):
        yield Problem(f"{key}.decimals", f"a {column.kind} column has no decimals", "Take it out")
    if given.form is not None:
        if column.kind not in ("date", "month"):
            yield Problem(f"{key}.form", f"a {column.kind} column has no form of days", "Take it out")
        elif day_form(given.form, is_month=column.kind == "month") is None:
            yield Problem(
                f"{key}.form", "not a form of days", "Write YYYY, MM and DD once each, such as DD/MM/YYYY or YYYYMMDD"
            )
    yield from _of_codes(column, given, key)
    if given.value is not None and _is_unfit(column, given.value):
        yield Problem(f"{key}.value", f"not a value of a {column.kind} column", "See the contract")


def _of_codes(column: Column, given: ColumnMapping, key: str) -> Iterator[Problem]:
    if not given.codes:
        return
    if column.kind not in ("choice", "bool"):
        yield Problem(f"{key}.codes", f"a {column.kind} column has no codes", "Take them out")
        return
    choices = column.choices if column.kind == "choice" else ("true", "false")
    for code, choice in given.codes.items():
        if choice not in choices:
            yield Problem(f"{key}.codes.{code}", "stands for no choice of the contract", f"One of {', '.join(choices)}")
    if len({code.strip() for code in given.codes}) != len(given.codes):
        yield Problem(f"{key}.codes", "two codes differ in blanks only", "Keep one")


def _is_unfit(column: Column, value: str) -> bool:
    if column.kind == "choice":
        return isinstance(parse_choice(value, column), Fault)
    if column.kind == "bool":
        return isinstance(parse_bool(value), Fault)
    if column.kind == "date":
        return isinstance(parse_day(value), Fault)
    if column.kind == "month":
        return isinstance(parse_month(value), Fault)
    return column.kind == "text" and isinstance(parse_text(value, column), Fault)


def _taken_twice(mapping: FileMapping) -> Iterator[Problem]:
    """Two columns of the contract from one column of the file, or from overlapping bytes."""
    seen: dict[str, str] = {}
    for name, column in mapping.columns.items():
        if column.source is not None:
            first = seen.setdefault(header_key(column.source), name)
            if first != name:
                yield Problem(f"columns.{name}.from", f"the same header gives {first}", "Keep one of the two")
    spans = sorted(
        (column.start, column.start + column.length, name)
        for name, column in mapping.columns.items()
        if column.start is not None and column.length is not None
    )
    for (_, end, first), (start, _, name) in pairwise(spans):
        if start < end:
            yield Problem(f"columns.{name}.start", f"begins before {first} ends", "Look at the layout again")
