"""Sums and picks per owner are what a loop over each owner's rows gives, however its rows lie."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

import numpy as np
import polars as pl
import pytest

from meanscheck.errors import InternalError
from meanscheck.law.segments import SAFE_SUM, Segments, aggregated

OWNERS = 400


def counts_of(chance: Random) -> list[int]:
    return [chance.choice([0, 0, 1, 2, 5]) for _ in range(OWNERS)]


def parts(counts: list[int], values: list[Any]) -> list[list[Any]]:
    ends = np.cumsum(counts).tolist()
    return [values[end - n : end] for n, end in zip(counts, ends, strict=True)]


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.97, 1.0])
def test_true_rows_are_counted_whether_they_are_few_or_most(share: float) -> None:
    chance = Random(7)
    counts = counts_of(chance)
    truths = [chance.random() < share for _ in range(sum(counts))]
    segments = Segments(np.array(counts))
    # Twice: what is kept for the next sum must not change it.
    for _ in range(2):
        found = segments.sums({"x": pl.Series(truths, dtype=pl.Boolean)})["x"]
        assert found.to_list() == [sum(part) for part in parts(counts, truths)]
        assert found.dtype == pl.Int64


def test_sums_given_before_are_not_changed_by_later_ones() -> None:
    counts = [2, 0, 1]
    segments = Segments(np.array(counts))
    first = segments.sums({"x": pl.Series([1, 2, 3])})["x"]
    second = segments.sums({"x": pl.Series([-10, 20, 30])})["x"]
    every = segments.sums({"x": pl.Series([True, True, True])})["x"]
    assert (first.to_list(), second.to_list(), every.to_list()) == ([3, 0, 3], [10, 0, 30], counts)


def test_sums_that_might_not_fit_are_refused() -> None:
    with pytest.raises(InternalError, match="too large"):
        Segments(np.array([2])).sums({"x": pl.Series([SAFE_SUM // 2, 1])})


def picked(rows: list[tuple[bool | None, Any, Any]], function: str) -> Any:
    """What is picked of (belongs, value, order) by the words of the language."""
    may = [row for row in rows if row[0] is not False]
    if not may or any(belongs is None for belongs, _, _ in may):
        return None
    if function != "latest":
        values = [value for _, value, _ in may]
        return None if None in values else min(values) if function == "lowest" else max(values)
    if any(order is None for _, _, order in may):
        return None
    last = max(order for _, _, order in may)
    values = [value for _, value, order in may if order == last]
    return values[0] if all(value == values[0] for value in values) else None


@pytest.mark.parametrize("kind", ["money", "day", "word", "truth"])
@pytest.mark.parametrize("function", ["lowest", "highest", "latest"])
@pytest.mark.parametrize("unknown", [0.0, 0.05])
def test_the_row_picked_is_that_of_a_loop(kind: str, function: str, unknown: float) -> None:
    if function != "latest" and kind in ("word", "truth"):
        pytest.skip("words and yes/no have no order")
    chance = Random(11)
    counts = counts_of(chance)
    total = sum(counts)

    def each(make: Any) -> list[Any]:
        return [None if chance.random() < unknown else make() for _ in range(total)]

    def day() -> date:
        return date(1969, 12, 29) + timedelta(chance.randint(0, 6))

    kinds: dict[str, tuple[pl.DataType, Callable[[], Any]]] = {
        "money": (pl.Int64(), lambda: chance.randint(-3, 3)),
        "day": (pl.Date(), day),
        "word": (pl.Enum(["c", "a", "b"]), lambda: chance.choice("abc")),
        "truth": (pl.Boolean(), lambda: chance.random() < 0.5),
    }
    dtype, make = kinds[kind]
    belongs, values, orders = each(lambda: chance.random() < 0.7), each(make), each(day)
    frame = {
        "b0": pl.Series(belongs, dtype=pl.Boolean),
        "x0": pl.Series(values, dtype=dtype),
        "y0": pl.Series(orders, dtype=pl.Date),
    }
    (found,) = aggregated(Segments(np.array(counts)), frame, [function])
    rows = list(zip(belongs, values, orders, strict=True))
    assert found.to_list() == [picked(part, function) for part in parts(counts, rows)]
    assert found.dtype == dtype
    assert 0 < found.null_count() < OWNERS
