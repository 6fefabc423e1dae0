"""A formula over columns means what the same Polars expression means, in every height, and is reckoned once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanscheck.errors import InternalError
from meanscheck.law import columns
from meanscheck.law.columns import Column, coalesce, col, is_known, lit, reckoned, when
from meanscheck.law.sheets import Part, Sheet

Pair: TypeAlias = tuple[Column, pl.Expr]
"""A formula, and the Polars expression that it should mean."""
NUMBERS, TRUTHS = ("a", "b"), ("p", "q")
small = st.none() | st.integers(-9, 9)
frames = st.integers(0, 6).flatmap(
    lambda height: st.fixed_dictionaries(
        {name: st.lists(small, min_size=height, max_size=height) for name in NUMBERS}
        | {name: st.lists(st.none() | st.booleans(), min_size=height, max_size=height) for name in TRUTHS}
    )
)


def framed(values: dict[str, list[Any]]) -> pl.DataFrame:
    kinds = dict.fromkeys(NUMBERS, pl.Int64()) | dict.fromkeys(TRUTHS, pl.Boolean())
    return pl.DataFrame(values, schema=kinds)


def both(make: Callable[..., Any]) -> Callable[..., Pair]:
    """The same operation on formulas and on expressions."""
    return lambda *pairs: (make(*(c for c, _ in pairs)), make(*(e for _, e in pairs)))


number_leaves = st.sampled_from([(col(n), pl.col(n)) for n in NUMBERS]) | st.builds(
    lambda n: (lit(n, pl.Int64), pl.lit(n, dtype=pl.Int64)), small
)
truth_leaves = st.sampled_from([(col(n), pl.col(n)) for n in TRUTHS]) | st.builds(
    lambda n: (lit(n, pl.Boolean), pl.lit(n, dtype=pl.Boolean)), st.none() | st.booleans()
)


def formulas(depth: int) -> tuple[st.SearchStrategy[Pair], st.SearchStrategy[Pair]]:
    """Numbers and yes/no, so many operations deep; sixteen of such numbers multiplied fit Int64."""
    if not depth:
        return number_leaves, truth_leaves
    n, t = formulas(depth - 1)
    arithmetic = (lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x // y, lambda x, y: 0 - x)
    compared = (
        lambda x, y: x < y,
        lambda x, y: x <= y,
        lambda x, y: x > y,
        lambda x, y: x >= y,
        lambda x, y: x == y,
        lambda x, y: x != y,
        lambda x, y: x.is_null(),
        lambda x, y: x.is_not_null() & (y % 2 != 0),
    )
    kleene = (
        lambda x, y: x & y,
        lambda x, y: x | y,
        lambda x, y: ~x,
        lambda x, y: x.fill_null(False),
        lambda x, y: x.fill_null(True),
        lambda x, y: x.eq_missing(True),
        lambda x, y: x.eq_missing(False),
        lambda x, y: x.is_null() | y,
    )
    numbers = st.one_of(
        number_leaves,
        st.sampled_from(arithmetic).flatmap(lambda op: st.builds(both(op), n, n)),
        st.builds(both(lambda x: x.cast(pl.Int128).cast(pl.Int64)), n),
        st.builds(both(lambda x: x.abs().fill_null(3)), n),
        st.builds(both(lambda x: x.cast(pl.Int64)), t),
        st.builds(
            lambda c, x, y: (
                when(c[0]).then(x[0]).when(~c[0]).then(y[0]),
                pl.when(c[1]).then(x[1]).when(~c[1]).then(y[1]),
            ),
            t,
            n,
            n,
        ),
        st.builds(lambda x, y: (coalesce(x[0], y[0]), pl.coalesce(x[1], y[1])), n, n),
    )
    truths = st.one_of(
        truth_leaves,
        st.sampled_from(compared).flatmap(lambda op: st.builds(both(op), n, n)),
        st.sampled_from(kleene).flatmap(lambda op: st.builds(both(op), t, t)),
        st.builds(
            lambda c, x: (
                when(c[0]).then(None).otherwise(x[0]),
                pl.when(c[1]).then(pl.lit(None, dtype=pl.Boolean)).otherwise(x[1]),
            ),
            t,
            t,
        ),
    )
    return numbers, truths


@given(frames, st.one_of(*formulas(4)))
def test_a_formula_means_what_the_polars_expression_means(values: dict[str, list[Any]], pair: Pair) -> None:
    frame, (formula, expression) = framed(values), pair
    (found,) = reckoned([formula], frame)
    # Spread over the rows by a column of theirs, which is then let go.
    expected = frame.select(pl.int_range(pl.len()).alias("row"), expression.alias("x"))["x"]
    assert found.dtype == expected.dtype
    assert found.to_list() == expected.to_list()


@pytest.mark.parametrize(
    ("of", "true", "false", "unknown"),
    [
        (lambda x: ~x, False, True, None),
        (lambda x: x.is_null(), False, False, True),
        (lambda x: x.is_not_null(), True, True, False),
        (lambda x: x.fill_null(True), True, False, True),
        (lambda x: x.fill_null(False), True, False, False),
        (lambda x: x.eq_missing(True), True, False, False),
        (lambda x: x.eq_missing(False), False, True, False),
        (lambda x: x & lit(None, pl.Boolean), None, False, None),
        (lambda x: x | lit(None, pl.Boolean), True, None, None),
        (lambda x: x.is_in([True]), True, False, None),
    ],
)
def test_yes_no_and_unknown(
    of: Callable[[Column], Column], true: bool | None, false: bool | None, unknown: bool | None
) -> None:
    formula, values = of(col("p")), {True: true, False: false, None: unknown}
    for given_ in ([True, False, None], [True, False], [None], [False], []):
        (found,) = reckoned([formula], pl.DataFrame({"p": given_}, schema={"p": pl.Boolean}))
        assert found.to_list() == [values[x] for x in given_]


def test_what_formulas_have_in_common_is_reckoned_once() -> None:
    seen: list[int] = []

    def counted(s: pl.Series) -> pl.Series:
        seen.append(len(s))
        return s

    shared = col("a").made(counted, "counted")
    sums = reckoned(
        [shared + 1, shared + shared, col("b").is_null()],
        framed({"a": [1, 2], "b": [None, 3], "p": [None] * 2, "q": [None] * 2}),
    )
    assert [s.to_list() for s in sums] == [[2, 3], [2, 4], [True, False]]
    assert seen == [2]
    assert col("a").made(counted, "counted") is not shared
    assert shared.made(counted, "again") is shared.made(counted, "again")


def test_what_is_made_of_a_constant_is_reckoned_once_for_all_blocks() -> None:
    seen: list[int] = []

    def more(s: pl.Series) -> pl.Series:
        seen.append(len(s))
        return s + 1

    constant = lit(5).made(more, "one more in this test")
    assert not constant.varies
    assert [columns.constant(constant), columns.constant(constant)] == [6, 6]
    assert seen == [1]


def test_a_table_of_many_entries_is_as_deep_a_choice() -> None:
    found = lit(-1)
    for entry in range(5_000):
        found = when(col("a") == entry).then(entry * 2).otherwise(found)
    assert reckoned([found], pl.DataFrame({"a": [0, 4_999, 5_000, None]}))[0].to_list() == [0, 9_998, -1, -1]


def test_a_formula_that_names_its_parts_again_and_again_is_reckoned_once_each() -> None:
    """Slices of slices do: written out, these sixty levels would be 2^60 additions."""
    found = col("a")
    for _ in range(60):
        found = when(found > 0).then(found).otherwise(found + 1)
    assert reckoned([found], pl.DataFrame({"a": [-70, -3, 5, None]}))[0].to_list() == [-10, 1, 5, None]


def test_a_value_that_does_not_fit_stops_the_run_and_is_not_told() -> None:
    wide = col("a").cast(pl.Int128) * (2**62)
    with pytest.raises(InternalError, match="exact reckoning") as caught:
        reckoned([wide.cast(pl.Int64)], pl.DataFrame({"a": [1, 77_777]}))
    assert "77" not in str(caught.value) and caught.value.__cause__ is None and caught.value.__context__ is None


@pytest.mark.parametrize("height", [0, 1, 3])
def test_a_constant_is_spread_over_the_rows(height: int) -> None:
    sheet = Sheet({"a": pl.Series([7] * height, dtype=pl.Int64)}, height)
    sheet.put([lit(True).alias("yes"), (lit(2) * 3).alias("six")])
    assert sheet["yes"].to_list() == [True] * height
    assert sheet.table["six"].to_list() == [6] * height


def test_a_formula_is_no_truth_of_python() -> None:
    with pytest.raises(InternalError):
        bool(col("a") == 1)


def test_some_rows_of_a_sheet_take_what_is_asked_for_and_anew_what_was_filled() -> None:
    whole = Sheet(pl.DataFrame({"a": [1, 2, 3], "o:x": [None, None, True]}), 3)
    rows = pl.Series([True, False, True])
    part = Sheet({}, 2, whole=Part(whole, rows))
    assert part["a"].to_list() == [1, 3] and part["o:x"].to_list() == [None, True]
    whole.put([lit(False).alias("o:x"), (col("a") * 10).alias("late")])
    assert part["late"].to_list() == [10, 30]
    assert part["o:x"].to_list() == [None, True]
    part.again(("o:",))
    assert part["o:x"].to_list() == [False, False]
    assert "b" not in part and "late" in part and set(part) == {"a", "o:x", "late"}


@given(st.lists(small, max_size=9))
def test_where_a_series_is_known(values: list[int | None]) -> None:
    assert is_known(pl.Series(values, dtype=pl.Int64)).to_list() == [v is not None for v in values]
