"""Days that look themselves up have the parts that Python's calendar gives them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

import polars as pl
import pytest

from meanscheck.law import days
from meanscheck.law.columns import col, reckoned
from meanscheck.law.sheets import Sheet

PARTS: dict[str, Callable[[date], object]] = {
    "year": lambda d: d.year,
    "month": lambda d: d.month,
    "day": lambda d: d.day,
    "number": lambda d: int(d.strftime("%Y%m%d")),
    "month start": lambda d: d.replace(day=1),
    "year start": lambda d: d.replace(month=1, day=1),
}
EDGES = (days.FIRST, days.LAST, date(2000, 2, 29), date(1999, 12, 31), date(1970, 1, 1), date(1969, 12, 31))


def some_days(count: int, *, beyond: bool) -> list[date | None]:
    chance, span = Random(count), (days.LAST - days.FIRST).days
    found: list[date | None] = [days.FIRST + timedelta(chance.randint(0, span)) for _ in range(count)]
    found += [*EDGES, None]
    return [*found, days.FIRST - timedelta(1), days.LAST + timedelta(1), date(1600, 2, 29)] if beyond else found


@pytest.mark.parametrize("beyond", [False, True], ids=["within what is laid out", "and beyond"])
@pytest.mark.parametrize("count", [20, 1_500])
@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_that_of_the_calendar(part: str, count: int, beyond: bool) -> None:
    given = some_days(count, beyond=beyond)
    found = days.looked_up(part, pl.Series(given, dtype=pl.Date))
    assert found.to_list() == [None if d is None else PARTS[part](d) for d in given]
    assert found.dtype == (pl.Date if part.endswith("start") else pl.Int64)


@pytest.mark.parametrize("count", [20, 1_500])
@pytest.mark.parametrize("on", [date(2020, 6, 30), date(2023, 2, 28), date(2023, 3, 1), date(2024, 2, 29)])
def test_years_are_whole_from_birthday_to_birthday(on: date, count: int) -> None:
    given = [d for d in some_days(count, beyond=True) if d is not None]
    # Who was born on 29 February is a year older on 1 March of a common year.
    expected = [on.year - d.year - ((on.month, on.day) < (d.month, d.day)) for d in given]
    sheet = Sheet(pl.DataFrame({"born": given}), len(given))
    (found,) = reckoned([days.years_since(col("born"), on)], sheet)
    assert found.to_list() == expected


def test_no_days_and_only_unknown_days_are_no_matter() -> None:
    for nobody in (pl.Series([], dtype=pl.Date), pl.Series([None] * 9, dtype=pl.Date)):
        assert days.looked_up("year", nobody).to_list() == nobody.to_list()
