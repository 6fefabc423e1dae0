"""What do the cells of an unknown column look like? Counts of what they can be read as, never the cells themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from meanscheck.contracts.cells import (
    NULL_MARKS,
    Fault,
    parse_bool,
    parse_choice,
    parse_day,
    parse_month,
    parse_resident,
)
from meanscheck.contracts.day_forms import day_form, iso_day
from meanscheck.contracts.model import Column

SAMPLE = 500
"""Cells of a column that are looked at."""
DAY_FORMS = ("DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "MM-DD-YYYY", "DD.MM.YYYY", "DDMMYYYY", "YYYYMMDDhhmmss")
MONTH_FORMS = ("MM/YYYY", "MM-YYYY", "MM.YYYY")
_AMOUNT = re.compile(r"[+-]?[¥￥]?(?:\d{1,3}(?:,\d{3})+|\d{1,13})(?:\.\d{1,6})?(?:元|万元)?", re.ASCII)
_SERIAL = re.compile(r"[1-9]\d{4}(?:\.\d+)?", re.ASCII)
_PERSON = re.compile(r"[\u3400-\u9fff·]{2,6}")


@dataclass(frozen=True, repr=False)
class Profile:
    """A column's cells, for counting only.

    Attributes:
        texts: cells that say something, as text, a sample.
        filled: how many they are in the whole column.
        has_serials: whether a number of five digits may be a day, as in workbooks.
    """

    texts: tuple[str, ...]
    filled: int
    has_serials: bool = False

    def __repr__(self) -> str:
        return f"Profile({self.filled} filled)"

    @property
    def looked_at(self) -> int:
        """How many cells are counted over."""
        return len(self.texts)

    def identities(self) -> int:
        """Valid resident identity numbers, the check digit included."""
        return sum(isinstance(parse_resident(text), str) for text in self.texts)

    def days(self) -> int:
        """Days in one of the ways that are always understood."""
        return sum(
            (self.has_serials and _SERIAL.fullmatch(text) is not None) or not isinstance(parse_day(text), Fault | None)
            for text in self.texts
        )

    def months(self) -> int:
        """Months, likewise."""
        return sum(not isinstance(parse_month(text), Fault | None) for text in self.texts)

    def amounts(self) -> int:
        """Plain amounts or numbers."""
        return sum(_AMOUNT.fullmatch(text) is not None for text in self.texts)

    def names(self) -> int:
        """Texts that may be names of persons."""
        return sum(_PERSON.fullmatch(text) is not None for text in self.texts)

    def choices(self, column: Column) -> int:
        """Words of a choice or yes/no column."""
        if column.kind == "bool":
            return sum(not isinstance(parse_bool(text), Fault | None) for text in self.texts)
        return sum(isinstance(parse_choice(text, column), str) for text in self.texts)

    def forms(self, *, is_month: bool) -> tuple[str, ...]:
        """Forms of days or months that every cell has."""
        found = []
        for form in MONTH_FORMS if is_month else DAY_FORMS:
            pattern = day_form(form, is_month=is_month)
            assert pattern is not None
            iso = [iso_day(pattern, text) for text in self.texts]
            parse = parse_month if is_month else parse_day
            if iso and all(text is not None and not isinstance(parse(text), Fault | None) for text in iso):
                found.append(form)
        return tuple(found)

    def fitting(self, column: Column) -> int:
        """Cells that a column of this kind would understand."""
        if column.name == "id_number" or column.kind == "person":
            return self.identities()
        if column.kind in ("choice", "bool"):
            return self.choices(column)
        if column.kind == "date":
            return self.days()
        if column.kind == "month":
            return self.months()
        return self.amounts() if column.kind in ("money", "area", "ratio", "number") else self.looked_at


def profiles_of(cells: pl.DataFrame, *, has_serials: bool = False) -> Sequence[Profile]:
    """One profile for each column, in order."""
    found = []
    for series in cells.get_columns():
        texts = series.cast(pl.String).str.strip_chars(" \t\u3000\u00a0")
        texts = texts.filter(texts.is_not_null() & ~texts.is_in(sorted(NULL_MARKS)))
        step = max(1, len(texts) // SAMPLE)
        found.append(Profile(tuple(texts.gather_every(step).head(SAMPLE).to_list()), len(texts), has_serials))
    return found
