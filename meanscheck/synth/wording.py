"""How does a department write a feed down? Typed rows of facts become text cells, in the department's own habits.

A `Style` is one sender's habits: Chinese or plain headers and words, how days and months are written, the unit of
amounts. All styles say the same; the contract's reader must understand each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import polars as pl

from meanscheck.contracts import Column as FeedColumn
from meanscheck.contracts import FeedContract
from meanscheck.synth.chance import NULL, Ints
from meanscheck.synth.facts import Facts
from meanscheck.synth.identity import civil
from meanscheck.synth.rows import Coded, Rows

DateStyle = Literal["iso", "compact", "slash", "chinese"]
MoneyUnit = Literal["yuan", "fen", "wan_yuan"]

PREFIXES = {
    "account_token": "A",
    "policy_token": "P",
    "vehicle_token": "V",
    "right_token": "R",
    "parcel_token": "L",
    "payment_no": "D",
    "settlement_no": "M",
    "reverses": "M",
    "invoice_no": "F",
    "household_no": "H",
    "application_no": "SQ",
}
_UNITS: dict[str, tuple[int, str]] = {"yuan": (2, ""), "fen": (0, "(分)"), "wan_yuan": (6, "(万元)")}
_TYPES: dict[str, type[pl.DataType]] = {"money": pl.Int64, "number": pl.Int64, "bool": pl.Boolean}
_FIRST_DAY, _LAST_DAY = -40_000, 30_000


@dataclass(frozen=True, slots=True)
class Style:
    """Habits of one sender."""

    chinese: bool = True
    dates: DateStyle = "iso"
    money: MoneyUnit = "yuan"
    is_typed: bool = False
    """Whole fen, days and yes/no as such (Parquet), not as text."""


PLAIN = Style(chinese=False)
"""Canonical names and codes, ISO dates, yuan."""
TYPED = Style(chinese=False, money="fen", is_typed=True)
"""The same with typed columns, amounts in whole fen."""


def numbered(prefix: str, numbers: Ints) -> pl.Series:
    """Text tokens such as ``A0000000123``; null where NULL."""
    text = pl.Series([prefix]).new_from_index(0, len(numbers)) + pl.Series(numbers).cast(pl.String).str.zfill(10)
    return text.set(pl.Series(numbers == NULL), None)


def written(contract: FeedContract, rows: Rows, facts: Facts, style: Style) -> pl.DataFrame:
    """The rows as cells (String but for a typed style) under the contract's column names, identity and name first."""
    cells: dict[str, pl.Series] = {
        "id_number": facts.people.identity.gather(rows.person),
        "name": facts.people.name.gather(rows.person),
    }
    for column in contract.columns:
        if column.name in rows.columns:
            cells[column.name] = _cells(column, rows, facts, style)
    return pl.DataFrame(cells)


def header(column: FeedColumn, style: Style) -> str:
    """What a file of that style calls a column."""
    name = column.title_zh if style.chinese else column.name
    return name + _UNITS[style.money][1] if column.kind == "money" else name


def _cells(column: FeedColumn, rows: Rows, facts: Facts, style: Style) -> pl.Series:
    held = rows.columns[column.name]
    if isinstance(held, pl.Series):
        return held
    if isinstance(held, Coded):
        words = [column.choice_labels.get(w, w) if style.chinese and column.kind == "choice" else w for w in held.words]
        return pl.Series([*words, None], dtype=pl.String).gather(held.codes % (len(words) + 1))
    if style.is_typed and column.kind in _TYPES:
        return pl.Series(held).set(pl.Series(held == NULL), None).cast(_TYPES[column.kind])
    if column.kind == "money":
        return _decimal(held, _UNITS[style.money][0])
    if column.kind == "area":
        return _decimal(held // 100, 2)  # whole hundredths of a square metre
    if column.kind == "ratio":
        return _decimal(held, 6)
    if column.kind == "bool":
        return pl.Series(["否", "是"] if style.chinese else ["false", "true"]).gather(held)
    if style.is_typed and column.kind == "date":
        return pl.Series(held).set(pl.Series(held == NULL), None).cast(pl.Int32).cast(pl.Date)
    if column.kind in ("date", "month"):
        return _days(column.kind, style.dates).gather(np.where(held == NULL, _LAST_DAY, held) - _FIRST_DAY)
    if column.kind == "person":
        return _persons(rows, held, facts)
    if column.kind == "text":
        return numbered(PREFIXES[column.name], held)
    return pl.Series(held).cast(pl.String).set(pl.Series(held == NULL), None)


def _persons(rows: Rows, held: Ints, facts: Facts) -> pl.Series:
    text = facts.people.identity.gather(held)
    too = rows.columns.get("supports_too")
    if isinstance(too, np.ndarray) and held is rows.columns.get("supports"):
        second = facts.people.identity.gather(np.maximum(too, 0))
        return (text + "," + second).zip_with(pl.Series(too >= 0), text)
    return text


def _decimal(units: Ints, decimals: int) -> pl.Series:
    """Whole units as decimal text with a fixed number of decimals."""
    held = pl.Series(units)
    if decimals == 0:
        text = held.cast(pl.String)
    else:
        size = np.abs(units)
        scale = 10**decimals
        text = (
            pl.Series(size // scale).cast(pl.String) + "." + pl.Series(size % scale).cast(pl.String).str.zfill(decimals)
        )
        negative = (units < 0) & (units != NULL)
        if negative.any():
            text = ("-" + text).zip_with(pl.Series(negative), text)
    missing = units == NULL
    return text.set(pl.Series(missing), None) if missing.any() else text


@cache
def _days(kind: str, style: DateStyle) -> pl.Series:
    """Every day from `_FIRST_DAY` on as text; the last entry is null."""
    number = civil(np.arange(_FIRST_DAY, _LAST_DAY, dtype=np.int64))
    year, month, day = (pl.Series(part) for part in (number // 10_000, number // 100 % 100, number % 100))
    if style in ("iso", "compact"):
        year, month, day = year.cast(pl.String), month.cast(pl.String).str.zfill(2), day.cast(pl.String).str.zfill(2)
    else:
        year, month, day = (part.cast(pl.String) for part in (year, month, day))
    between = {"iso": ("-", "-", ""), "compact": ("", "", ""), "slash": ("/", "/", ""), "chinese": ("年", "月", "日")}[
        style
    ]
    if kind == "month":
        text = year + between[0] + month + ("月" if style == "chinese" else "")
    else:
        text = year + between[0] + month + between[1] + day + between[2]
    return text.append(pl.Series([None], dtype=pl.String))
