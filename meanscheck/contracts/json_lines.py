"""How do JSON lines become cells? One object a line, its numbers kept as they are written, so that no float comes into
being."""

from __future__ import annotations

import json
import re

import polars as pl

from meanscheck.contracts.bounds import MAX_COLUMNS, check_shape
from meanscheck.contracts.table import Table, broken_schema
from meanscheck.errors import FeedError

_SURROGATE = re.compile(r"[\ud800-\udfff]")
"""Half a character, as JSON can write it: no text holds it."""


class _Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


def read_jsonl(data: bytes, *, where: str) -> Table:
    """Cells of JSON lines; names are the headers.

    Raises:
        FeedError: not UTF-8, no object in it, or more names than a file may have columns.
    """
    text = _utf8(data, where)
    columns: dict[str, list[str | None]] = {}
    lines: list[int] = []
    broken: list[tuple[int, str, str]] = []
    for line_no, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        row = _json_row(line)
        if isinstance(row, str):
            broken.append((line_no, row, line))
            continue
        for name in row.keys() - columns.keys():
            columns[name] = [None] * len(lines)
        if len(columns) > MAX_COLUMNS:
            # Each further name costs a cell for every line before it.
            check_shape(len(lines), len(columns), where=where)
        for name, values in columns.items():
            values.append(row.get(name))
        lines.append(line_no)
    if not columns:
        raise FeedError("no line is a JSON object", where=where, remedy="One object a line, names as in the contract")
    cells = pl.DataFrame({f"c{at}": pl.Series(values, dtype=pl.String) for at, values in enumerate(columns.values())})
    found = pl.DataFrame(broken, schema=broken_schema(), orient="row")
    return Table(tuple(columns), cells, pl.Series(lines, dtype=pl.Int64), found, "utf-8")


def _utf8(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FeedError("the file is not UTF-8, as JSON must be", where=where, remedy="Save it as UTF-8") from None


def _json_row(line: str) -> dict[str, str | None] | str:
    """The texts of one object, or the reason why there is none."""
    try:
        found = json.loads(
            line, parse_float=_Number, parse_int=_Number, parse_constant=_Number, object_pairs_hook=_pairs
        )
    except (ValueError, RecursionError):
        return "not_json"
    if not isinstance(found, dict):
        return "not_json"
    texts: dict[str, str | None] = {}
    for name, value in found.items():
        if isinstance(value, list) and all(type(item) is str for item in value):
            value = ",".join(value)
        if isinstance(value, bool):
            value = "true" if value else "false"
        if value is not None and not isinstance(value, str):
            return "not_flat"
        texts[name] = value
    if "\\u" in line and any(_SURROGATE.search(text) for text in (*texts, *texts.values()) if text):
        return "control_character"
    return texts


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found
