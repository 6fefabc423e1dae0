"""How are the values of a stated case read? Cells and rows as a caseworker writes them, into stored values.

Amounts are yuan as text, areas and ratios decimals as text, months ``"2024-12"``; a list of months is shorthand for one
row a month. Errors name the case, the person and the key, never a value.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl

from meanscheck.contracts import FeedContract, all_feeds
from meanscheck.contracts.units import Value
from meanscheck.errors import CaseError
from meanscheck.law.types import MICRO
from meanscheck.values.money import parse_ratio, parse_yuan


class Cells:
    """Reads values; `where` names file and case."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.feeds = all_feeds()

    def fail(self, what: str, at: str = "", remedy: str = "") -> CaseError:
        return CaseError(what, where=f"{self.where}, {at}" if at else self.where, remedy=remedy)

    def keys(self, given: Mapping[str, Any], allowed: Sequence[str] | frozenset[str], at: str) -> None:
        for key in given:
            if key not in allowed:
                near = difflib.get_close_matches(key, allowed, 1)
                raise self.fail(f"unknown key {key}", at, f"Did you mean {near[0]}?" if near else "")

    def day(self, value: object, at: str) -> date:
        if isinstance(value, str):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.fail("a day is wanted", at, "Write it like 2025-06-30")
        return value

    def feed(self, name: object, at: str) -> FeedContract:
        if name not in self.feeds:
            near = difflib.get_close_matches(str(name), self.feeds, 1)
            raise self.fail("no such feed", f"{at} {name}", f"Did you mean {near[0]}?" if near else "")
        return self.feeds[str(name)]

    def attribute(self, value: object, t: pl.DataType, at: str) -> Value:
        if t == pl.Date:
            return self.day(value, at)
        if t == pl.Boolean:
            if not isinstance(value, bool):
                raise self.fail("true or false is wanted", at)
            return value
        if not isinstance(value, str):
            raise self.fail("a text is wanted", at)
        if isinstance(t, pl.Enum) and value not in t.categories.to_list():
            raise self.fail("not one of the declared words", at, f"Use one of {', '.join(t.categories)}")
        return value

    def rows(self, contract: FeedContract, given: Any, reference: date, at: str) -> tuple[Mapping[str, Value], ...]:
        if not isinstance(given, list):
            raise self.fail("rows are written [[…]]", at)
        columns = {c.name: c for c in contract.columns}
        rows: list[dict[str, Value]] = []
        for number, row in enumerate(given, 1):
            here = f"{at} row {number}"
            self.keys(row, [*columns, "months"], here)
            cells = {
                name: self.cell(columns[name].kind, value, columns[name].choices, f"{here} {name}")
                for name, value in row.items()
                if name != "months"
            }
            if "months" not in row:
                rows.append(cells)
                continue
            pair = row["months"] if isinstance(row["months"], list) and len(row["months"]) == 2 else [None, None]
            first, last = (self.month(m, f"{here} months") for m in pair)
            while first <= last:
                rows.append({**cells, "month": first})
                first = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        return latest_rows(contract, rows, reference)

    def month(self, value: object, at: str) -> date:
        try:
            return date.fromisoformat(f"{value}-01")
        except ValueError:
            remedy = 'Write it like "2024-12"; `months` takes a first and a last'
            raise self.fail("a month is wanted", at, remedy) from None

    def cell(self, kind: str, value: object, choices: Sequence[str], at: str) -> Value:
        if isinstance(value, float):
            raise self.fail("a float cannot be exact", at, 'Write it as text, like "380.00"')
        try:
            if kind == "money":
                return parse_yuan(self.text(value, at))
            if kind in ("area", "ratio"):
                scaled = parse_ratio(self.text(value, at)) * (10_000 if kind == "area" else MICRO)
                if scaled.denominator != 1:
                    raise self.fail("more decimals than can be held", at)
                return int(scaled)
        except ValueError as fault:
            raise self.fail(getattr(fault, "what", "not a number"), at, getattr(fault, "remedy", "")) from None
        if kind == "number":
            if isinstance(value, bool) or not isinstance(value, int):
                raise self.fail("a whole number is wanted", at)
            return value
        if kind == "bool":
            if not isinstance(value, bool):
                raise self.fail("true or false is wanted", at)
            return value
        if kind == "date":
            return self.day(value, at)
        if kind == "month":
            return self.month(value, at)
        text = self.text(value, at)
        if kind == "choice" and text not in choices:
            near = difflib.get_close_matches(text, choices, 1)
            remedy = f"Did you mean {near[0]}?" if near else f"Use one of {', '.join(choices)}"
            raise self.fail("not one of the declared words", at, remedy)
        return text

    def text(self, value: object, at: str) -> str:
        if not isinstance(value, str):
            raise self.fail("a text is wanted", at, 'Write it in quotes, like "380.00"')
        return value


def latest_rows(
    contract: FeedContract, rows: Sequence[Mapping[str, Value]], reference: date
) -> tuple[Mapping[str, Value], ...]:
    """Rows that count on the reference day: per `latest_by` key those with the latest `as_of` not after it.

    A row without `as_of` is of the reference day. Rows keep their order.
    """
    if not contract.latest_by:
        return tuple(rows)
    keys = tuple(k for k in contract.latest_by if k != "person")

    def day(row: Mapping[str, Value]) -> date:
        value = row.get("as_of")
        return value if isinstance(value, date) else reference

    usable = [row for row in rows if day(row) <= reference]
    latest: dict[tuple[Value, ...], date] = {}
    for row in usable:
        key = tuple(row.get(k) for k in keys)
        # Rows that do not name their key cannot be told apart from each other, so each stands for itself.
        if None not in key:
            latest[key] = max(latest.get(key, date.min), day(row))
    return tuple(r for r in usable if latest.get(tuple(r.get(k) for k in keys), day(r)) == day(r))
