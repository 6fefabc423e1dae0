"""Legal rows of a contract, and what the store must hold of them, reckoned here and not by the code under test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl
from hypothesis import strategies as st

from meanscheck.contracts import Column, FeedContract

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
LAST_DAY = date(2020, 6, 30)
_LETTERS = "甲乙丙示例𠮷㐂ab7，,\"'（） "


def resident(number: int) -> str:
    """A made-up identity number with a right check digit (GB 11643-1999)."""
    base = f"44070319{50 + number % 40}{number % 12 + 1:02d}{number % 28 + 1:02d}{number % 997 + 1:03d}"
    return base + "10X98765432"[sum(int(c) * w for c, w in zip(base, WEIGHTS, strict=True)) % 11]


@dataclass(frozen=True)
class Legal:
    """Rows as stored values by column name; None is an empty cell."""

    contract: FeedContract = field(repr=False)
    rows: tuple[dict[str, Any], ...] = field(repr=False)

    @property
    def columns(self) -> list[Column]:
        """The columns that the rows give: without the kind of document, which is the resident's."""
        return [c for c in self.contract.columns if c.name != "id_type"]

    def expected(self) -> pl.DataFrame:
        """What must be accepted: empty cells as the contract fills them."""
        filled = []
        for row in self.rows:
            full = {"id_type": "resident_id", **row}
            for column in self.contract.columns:
                if full[column.name] is None and column.default is not None:
                    full[column.name] = column.default == "true" if column.kind == "bool" else column.default
            as_of = next((c for c in self.contract.columns if c.name == "as_of"), None)
            if as_of is not None and full["as_of"] is None and as_of.as_of_from is not None:
                full["as_of"] = full[as_of.as_of_from]
            filled.append({c.stored_name: full[c.name] for c in self.contract.columns})
        return pl.DataFrame(filled, schema=self.contract.stored_schema, orient="row")


def values(column: Column, *, dates: tuple[date, date] = (date(1950, 1, 1), LAST_DAY)) -> st.SearchStrategy[Any]:
    """Stored values of a column that the contract accepts."""
    low = column.minimum if column.minimum is not None else 0
    high = min(column.maximum if column.maximum is not None else 10**11, 10**11)
    days = st.dates(*dates)
    texts = st.text(_LETTERS, min_size=1, max_size=12).map(str.strip).filter(bool)
    found: st.SearchStrategy[Any] = {
        "money": st.integers(low, high),
        "area": st.integers(low, high),
        "ratio": st.integers(low, min(high, 10**6)),
        "number": st.integers(low, min(high, 10**6)),
        "bool": st.booleans(),
        "date": days,
        "month": days.map(lambda day: day.replace(day=1)),
        "choice": st.sampled_from(column.choices or ("",)),
        "text": st.just(column.example) if column.pattern is not None else texts,
        "person": st.integers(0, 5000).map(resident),
    }[column.kind]
    return found if column.required else st.none() | found


@st.composite
def legal(draw: st.DrawFn, contract: FeedContract) -> Legal:
    """One to four rows, each of another person, so that no key is met twice."""
    people = draw(st.lists(st.integers(0, 5000), min_size=1, max_size=4, unique=True))
    numbers = list(dict.fromkeys(resident(number) for number in people))
    rows = []
    for number in numbers:
        row = {c.name: draw(values(c)) for c in contract.columns if c.name not in ("id_type", "id_number")}
        rows.append({"id_number": number, **row})
    return Legal(contract, tuple(rows))


def text_of(column: Column, value: Any, *, unit: str | None = None) -> str:
    """A stored value as a file of the contract's own unit, or of another, gives it."""
    if value is None:
        return ""
    decimals = {"yuan": 2, "wan_yuan": 6, "m2": 4, "1": 6, "percent": 4}.get(unit or column.unit or "", 0)
    if column.kind in ("money", "area", "ratio") and decimals:
        return f"{value // 10**decimals}.{value % 10**decimals:0{decimals}d}"
    if column.kind == "bool":
        return "是" if value else "否"
    if column.kind == "month":
        return f"{value:%Y-%m}"
    if column.kind == "choice":
        return str(column.choice_labels[value])
    return value.isoformat() if isinstance(value, date) else str(value)
