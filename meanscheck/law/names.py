"""What may a formula name? Feed columns from the contracts, attributes of households, members and supporters.

Choices
    A null in an open-ended day (`until`, `valid_to`, …) is a known "no end" and reads as 9999-12-31 (`OPEN_END`);
    which columns are such is said here, since it is the law's reading of them. `medical_settlements.is_reversed` is
    derived from `settlement_no` and `reverses` of the same person, since a formula cannot compare rows with each
    other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache

import polars as pl

from meanscheck.contracts import all_feeds
from meanscheck.contracts.units import HOUSEHOLD_ATTRIBUTES, MEMBER_ATTRIBUTES
from meanscheck.law.types import AREA, BOOL, DATE, MONEY, NUMBER, RATIO, TEXT, Type

OPEN_END = date(9999, 12, 31)
DERIVED: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("medical_settlements", "is_reversed"): ("settlement_no", "reverses")
}
"""Derived column → the columns it is reckoned from."""
DERIVED_ZH: Mapping[tuple[str, str], str] = {("medical_settlements", "is_reversed"): "已冲正"}
"""Their titles, which those of contracts have there."""
OPEN_ENDED: Mapping[str, frozenset[str]] = {
    "absences": frozenset({"until"}),
    "relief_status": frozenset({"until"}),
    "school": frozenset({"left_on"}),
    "disability": frozenset({"valid_to"}),
    "serious_illness": frozenset({"valid_to"}),
    "medical_enrolment": frozenset({"until"}),
}
"""Days in which null means "no end so far"."""
NO_FORMULA = frozenset({"supporter_id", "supports"})

_KINDS: Mapping[str, Type] = {
    "money": MONEY,
    "area": AREA,
    "ratio": RATIO,
    "number": NUMBER,
    "bool": BOOL,
    "date": DATE,
    "month": DATE,
    "text": TEXT,
    "person": TEXT,
}


@cache
def feed_types() -> Mapping[str, Mapping[str, Type]]:
    """Feed → column → type, derived columns included."""
    types: dict[str, dict[str, Type]] = {}
    for name, contract in all_feeds().items():
        types[name] = {
            c.name: Type("text", choices=frozenset(c.choices)) if c.kind == "choice" else _KINDS[c.kind]
            for c in contract.columns
            if c.in_formulas
        }
    for feed, column in DERIVED:
        types[feed][column] = BOOL
    return types


@cache
def open_ended(feed: str) -> frozenset[str]:
    """Columns of a feed in which null means "no end"."""
    return OPEN_ENDED.get(feed, frozenset())


@cache
def polars_types(feed: str) -> Mapping[str, pl.DataType]:
    """Column → Polars type as formulas see it, derived columns left out."""
    return {c.name: c.formula_type for c in all_feeds()[feed].columns}


def source_columns(feed: str, columns: frozenset[str]) -> frozenset[str]:
    """The stored columns behind the named ones: derived columns replaced by what they are reckoned from."""
    sources: set[str] = set()
    for column in columns:
        sources |= set(DERIVED.get((feed, column), (column,)))
    return frozenset(sources)


def support_types() -> Mapping[str, pl.DataType]:
    """Polars types of a supporter's own columns."""
    return {name: t for name, t in polars_types("supporters").items() if name not in NO_FORMULA}


def _attribute_type(t: pl.DataType) -> Type:
    if isinstance(t, pl.Enum):
        return Type("text", choices=frozenset(t.categories.to_list()))
    return BOOL if t == pl.Boolean else DATE if t == pl.Date else TEXT


@cache
def attribute_types() -> Mapping[str, Mapping[str, Type]]:
    """Entity → attribute → type."""
    supporter = {name: t for name, t in feed_types()["supporters"].items() if name not in NO_FORMULA}
    return {
        "household": {name: _attribute_type(t) for name, t in HOUSEHOLD_ATTRIBUTES.items() if name != "reference_day"},
        "member": {name: _attribute_type(t) for name, t in MEMBER_ATTRIBUTES.items()},
        "supporter": {"id": TEXT, **supporter},
    }
