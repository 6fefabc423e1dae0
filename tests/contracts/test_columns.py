"""Columns of many odd spellings are read as each cell by itself is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import polars as pl
import pytest

from meanscheck.contracts import feed
from meanscheck.contracts.cast import cast_rows
from meanscheck.contracts.cells import Fault, parse_day
from meanscheck.values.identity import check_character

DAY = date(2020, 6, 30)


def number(at: int) -> str:
    body = f"440703{date(1950, 1, 1) + timedelta(at):%Y%m%d}{at % 1000:03d}"
    return body + check_character(body)


def cast(**columns: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    frame = pl.DataFrame(columns).with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias("row_no"))
    found = cast_rows(feed("deaths"), frame, as_of=None, not_after=date(9999, 12, 31))
    return found.accepted, found.quarantined


SPELLINGS: dict[str, Callable[[str], str]] = {
    "small": str.lower,
    "spaces": lambda n: f"\u3000 {n[:6]} {n[6:]}  ",
    "quote": lambda n: f" '{n}",
    "wide": lambda n: "".join(chr(ord(c) + 0xFEE0) for c in n),
    "old": lambda n: n[:6] + n[8:17],
    "unseen": lambda n: f"{n}\u200b",
    "formula": lambda n: f"={n}",
    "wrong": lambda n: n[:17] + ("1" if n[17] != "1" else "2"),
    "quotes": lambda n: f"{n[:4]}'{n[4:]}",
}
SOUND = ("small", "spaces", "quote", "wide", "old")


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("count", [3, 400])
def test_numbers_written_otherwise_are_mended_or_refused_however_many(spelling: str, count: int) -> None:
    given = [number(at) for at in range(count)]
    accepted, bad = cast(id_number=[SPELLINGS[spelling](n) for n in given], died_on=["2020-01-01"] * count)
    assert accepted["id_number"].to_list() == (given if spelling in SOUND else [])
    assert bad["field"].to_list() == ([] if spelling in SOUND else ["id_number"] * count)


@pytest.mark.parametrize("count", [5, 1000])
def test_days_are_read_in_columns_as_one_by_one(count: int) -> None:
    forms = ("%Y-%m-%d", "%Y%m%d", "%Y-%m-31", "1849-%m-%d", "%Y/%m/%d", "%Y-%m-%d 08:00:00")
    texts = [(date(1990, 1, 1) + timedelta(at)).strftime(forms[at % len(forms)]) for at in range(count)]
    accepted, bad = cast(id_number=[number(at) for at in range(count)], died_on=texts)
    expected = [parse_day(text) for text in texts]
    assert accepted["died_on"].to_list() == [day for day in expected if not isinstance(day, Fault)]
    assert bad["row_no"].to_list() == [at for at, day in enumerate(expected) if isinstance(day, Fault)]
