"""What is a feed, and how is each of its columns held?

A *feed* is one kind of rows that one kind of sender answers with (bank deposits, marriages …). A *column* has a
*kind* (money, area, ratio, number, bool, date, month, choice, text, person), which fixes its form in files, in the
store and in formulas. Money is whole fen, area whole cm², a ratio whole millionths: the stored name ends in the unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import polars as pl

from meanscheck.errors import FeedError

Kind = Literal["money", "area", "ratio", "number", "bool", "date", "month", "choice", "text", "person"]
Basis = Literal["month", "as_of", "event", "register"]
Authorisation = Literal["required", "office"]
Sensitivity = Literal["public", "internal", "personal", "sensitive"]

KINDS: tuple[str, ...] = get_args(Kind)
UNIT_SUFFIX: Mapping[str, str] = {"money": "_fen", "area": "_cm2", "ratio": "_e6"}
FILE_UNITS: Mapping[str, tuple[str, ...]] = {
    "money": ("yuan", "fen", "wan_yuan"),
    "area": ("m2", "cm2", "mu"),
    "ratio": ("1", "percent", "e6"),
}
"""Units in which a file may give a kind; fen, cm2 and e6 are the stored units."""
STORED_UNIT: Mapping[str, str] = {"money": "fen", "area": "cm2", "ratio": "e6"}
PERSON = "person"
"""Word in `key` and `latest_by` for the person alone: at most one row a person, or the latest row of each person."""

_POLARS: Mapping[str, pl.DataType] = {
    "money": pl.Int64(),
    "area": pl.Int64(),
    "ratio": pl.Int64(),
    "number": pl.Int64(),
    "bool": pl.Boolean(),
    "date": pl.Date(),
    "month": pl.Date(),
    "choice": pl.String(),
    "text": pl.String(),
    "person": pl.String(),
}
_DUCKDB: Mapping[str, str] = {
    "money": "BIGINT",
    "area": "BIGINT",
    "ratio": "BIGINT",
    "number": "BIGINT",
    "bool": "BOOLEAN",
    "date": "DATE",
    "month": "DATE",
    "choice": "VARCHAR",
    "text": "VARCHAR",
    "person": "VARCHAR",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a feed.

    `choices` keep their order, which is append-only; `choice_aliases` maps every accepted spelling (Chinese labels,
    codes of the national standard) to its choice. `unit` is the unit of a file whose header names none. `default` is
    the value of an empty cell, if the contract gives one. `as_of_from` (on `as_of` only) names the date column that
    dates a row which has no `as_of` of its own. `negative_only_when` is (column, choices): negatives are allowed in
    such rows.
    """

    name: str
    kind: Kind
    required: bool
    choices: tuple[str, ...]
    choice_aliases: Mapping[str, str]
    choice_labels: Mapping[str, str]
    aliases: tuple[str, ...]
    title_zh: str
    sensitivity: Sensitivity
    unit: str | None
    stored_name: str
    description: str
    in_formulas: bool
    standard: str | None
    default: str | None
    minimum: int | None
    maximum: int | None
    max_length: int | None
    pattern: str | None
    may_be_negative: bool
    negative_only_when: tuple[str, tuple[str, ...]] | None
    may_be_future: bool
    as_of_from: str | None
    example: str

    @property
    def polars_type(self) -> pl.DataType:
        """Type in accepted frames and in the store's results: choices as String."""
        return _POLARS[self.kind]

    @property
    def duckdb_type(self) -> str:
        """Type in the store."""
        return _DUCKDB[self.kind]

    @property
    def formula_type(self) -> pl.DataType:
        """Type in formulas: as `polars_type`, but a choice is an Enum over its categories."""
        return pl.Enum(list(self.choices)) if self.kind == "choice" else self.polars_type


@dataclass(frozen=True, slots=True)
class FeedContract:
    """One feed: its columns in order (identity first) and how its rows are counted.

    `basis` says how coverage is counted: `month` and `event` rows lie in windows over `period_column`; `as_of` rows are
    balances of a day; `register` rows stand until changed. `key` is the natural key beside the person (empty: the whole
    row; the word ``person``: one row a person). `latest_by`: per person and these columns only the rows of the latest
    `as_of` count (the word ``person``: per person alone; empty: every row counts). `authorisation` is `office` where
    the office keeps the feed itself, so that no consent is asked. `digest` is the SHA-256 of the contract's RFC 8785
    form.
    """

    name: str
    title_zh: str
    purpose: str
    row_is: str
    usage: str
    limitations: str
    senders: tuple[str, ...]
    authorisation: Authorisation
    basis: Basis
    period_column: str | None
    key: tuple[str, ...]
    latest_by: tuple[str, ...]
    columns: tuple[Column, ...]
    version: str
    digest: str

    def column(self, name: str) -> Column:
        """The column of that name; FeedError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise FeedError(f"no column {name}", where=self.name, remedy=f"`meanscheck feeds show {self.name}` lists them")

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in contract order."""
        return tuple(column.name for column in self.columns)

    @property
    def formula_columns(self) -> tuple[Column, ...]:
        """Columns that formulas may name."""
        return tuple(column for column in self.columns if column.in_formulas)

    @property
    def stored_schema(self) -> dict[str, pl.DataType]:
        """Stored names and Polars types in contract order."""
        return {column.stored_name: column.polars_type for column in self.columns}
