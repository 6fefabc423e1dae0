"""Rounding, amounts and the calendar as formulas use them, against independent reckonings."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from meanscheck.errors import MoneyError
from meanscheck.law.columns import col, constant, reckoned
from meanscheck.law.figures import figure_of, figure_text
from meanscheck.law.quotients import Part, Quotient, over, rounded, whole
from meanscheck.law.types import UNITS
from meanscheck.values.dates import age_on, is_within, month_number, month_start, months_between, window_of
from meanscheck.values.money import MAX_FEN, format_yuan, parse_ratio, parse_yuan
from meanscheck.values.rounding import ROUNDING_MODES, ROUNDING_UNITS, UNIT_FEN, round_to

steady = settings(derandomize=True, deadline=None, max_examples=150)
quotients = st.fractions(min_value=-(10**15), max_value=10**15, max_denominator=10**6)
halves = st.integers(-(10**9), 10**9).map(lambda n: Fraction(n, 2))
days = st.dates(date(1900, 1, 1), date(2100, 12, 31))
amounts = st.integers(-MAX_FEN, MAX_FEN)


# ---- rounding


@steady
@given(quotients | halves, st.sampled_from(ROUNDING_UNITS), st.sampled_from(ROUNDING_MODES))
def test_rounding_gives_a_multiple_of_the_unit_within_one_of_it(amount: Fraction, unit: str, mode: str) -> None:
    result, step = round_to(amount, unit, mode), UNIT_FEN[unit]
    assert result % step == 0
    assert abs(result - amount) <= (Fraction(step, 2) if mode.startswith("half") else step)
    assert round_to(result, unit, mode) == result
    if mode == "up":
        assert result >= amount
    if mode == "down":
        assert result <= amount


@steady
@given(quotients | halves, st.sampled_from(ROUNDING_UNITS))
def test_rounding_is_that_of_the_decimal_module(amount: Fraction, unit: str) -> None:
    step = UNIT_FEN[unit]
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(amount.numerator) / Decimal(amount.denominator * step)
        # Only quotients that end as decimals can be held against Decimal.
        assume(Fraction(exact) == amount / step)
        ways = {"up": ROUND_CEILING, "down": ROUND_FLOOR, "half_even": ROUND_HALF_EVEN}
        for mode, way in ways.items():
            assert round_to(amount, unit, mode) == int(exact.to_integral_value(way)) * step
        assert round_to(amount, unit, "half_up") == int((exact + Decimal("0.5")).to_integral_value(ROUND_FLOOR)) * step


@pytest.mark.parametrize(
    ("fen", "unit", "mode", "result"),
    [
        (Fraction(201, 2), "fen", "half_up", 101),
        (Fraction(-201, 2), "fen", "half_up", -100),
        (Fraction(201, 2), "fen", "half_even", 100),
        (Fraction(-203, 2), "fen", "half_even", -102),
        (Fraction(-1, 3), "fen", "up", 0),
        (Fraction(-1, 3), "fen", "down", -1),
        (149_120, "yuan", "up", 149_200),
        (-149_120, "yuan", "up", -149_100),
        (500, "10 yuan", "half_up", 1000),
        (-500, "10 yuan", "half_up", 0),
        (500, "10 yuan", "half_even", 0),
        (1500, "10 yuan", "half_even", 2000),
        (5, "jiao", "half_up", 10),
    ],
)
def test_rounding_on_and_below_zero(fen: Fraction | int, unit: str, mode: str, result: int) -> None:
    assert round_to(fen, unit, mode) == result


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="half_up"):
        round_to(1, "fen", "half_down")


@settings(steady, max_examples=60)
@given(
    st.lists(quotients | halves, min_size=1, max_size=20),
    st.sampled_from(ROUNDING_UNITS),
    st.sampled_from(ROUNDING_MODES),
)
def test_columns_are_rounded_as_single_amounts_are(values: list[Fraction], unit: str, mode: str) -> None:
    import polars as pl

    frame = pl.DataFrame(
        {"n": [v.numerator for v in values], "d": [v.denominator for v in values]},
        schema={"n": pl.Int128, "d": pl.Int64},
    )
    q = over(Part(col("n"), max(abs(v.numerator) for v in values)), Part(col("d"), 10**6))
    got = reckoned([rounded(q, unit, mode).n], frame)[0]
    assert got.dtype == pl.Int64
    assert got.to_list() == [round_to(v, unit, mode) for v in values]


def test_a_whole_amount_is_rounded_without_a_denominator() -> None:
    import polars as pl

    frame = pl.DataFrame({"n": [-1501, -1500, -500, 0, 499, 500, 1500]})
    for unit in ROUNDING_UNITS:
        for mode in ROUNDING_MODES:
            got = reckoned([rounded(Quotient(col("n"), None, 1501), unit, mode).n], frame)[0].to_list()
            assert got == [round_to(n, unit, mode) for n in frame["n"]]
    assert constant(whole(2**100)) == 2**100


# ---- amounts


@steady
@given(amounts)
def test_an_amount_is_written_as_it_is_read(fen: int) -> None:
    assert parse_yuan(format_yuan(fen)) == fen
    assert Decimal(format_yuan(fen)) == Decimal(fen) / 100


@steady
@given(st.text(max_size=20))
def test_any_text_is_an_exact_amount_or_refused(text: str) -> None:
    try:
        fen = parse_yuan(text)
    except MoneyError:
        return
    assert Decimal(text) * 100 == fen and abs(fen) <= MAX_FEN and text.isascii()


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".5",
        "1.",
        "1.234",
        "1,000",
        "１",
        "+1",
        "1e3",
        " 1",
        "1 ",
        "NaN",
        "--1",
        "0x1",
        "100000000000.01",
        "1_0",
        "1\n",
        "-",
    ],
)
def test_other_forms_of_an_amount_are_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        parse_yuan(text)


@steady
@given(st.decimals(-(10**6), 10**6, places=6))
def test_a_ratio_is_exact(value: Decimal) -> None:
    assert parse_ratio(f"{value:f}") == Fraction(value)


@pytest.mark.parametrize("text", ["", "1.2345678", "1/0", "0/00", "1e-3", "½", "1.", "a", "1//2", "1/-2"])
def test_other_forms_of_a_ratio_are_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        parse_ratio(text)


# ---- figures of the law


@steady
@given(st.data(), st.sampled_from(sorted(UNITS)))
def test_a_figure_is_written_as_it_is_read(data: st.DataObject, unit: str) -> None:
    sources: dict[str, st.SearchStrategy[object]] = {
        "ratio": st.integers(-MAX_FEN, MAX_FEN).map(lambda n: Fraction(n, 10**6)),
        "area": amounts,
        "month": st.integers(0, 1200),
        "bool": st.booleans(),
        "date": days,
        "text": st.text(max_size=10),
    }
    figure = data.draw(sources.get(unit, amounts))
    again = figure_of(figure_text(figure, unit), unit)  # type: ignore[arg-type]
    assert again == figure and type(again) is type(figure)


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (1.5, "ratio"),
        (True, "number"),
        (True, "ratio"),
        (1, "bool"),
        ("yes", "bool"),
        ("1.5", "number"),
        ("²", "number"),
        (-1, "month"),
        (10**14, "number"),
        ("0.00001", "area"),
        ("1/3", "ratio"),
        (900, "money"),
        ("900.001", "money"),
        ("2020-02-30", "date"),
        (5, "text"),
        ({}, "text"),
        ({}, "date"),
        ([], "money"),
    ],
)
def test_a_figure_that_cannot_be_exact_is_refused(value: object, unit: str) -> None:
    with pytest.raises(ValueError):
        figure_of(value, unit)


# ---- the calendar


@steady
@given(days, st.integers(0, 60))
def test_a_window_is_whole_months_before_the_month_of_the_day(before: date, months: int) -> None:
    first, after = window_of(months, before)
    assert after == before.replace(day=1) and first.day == 1
    assert (after.year - first.year) * 12 + after.month - first.month == months
    for day in (first, after - timedelta(days=1)):
        assert is_within(day, months, before) is (months > 0)
    assert not is_within(after, months, before) and not is_within(first - timedelta(days=1), months, before)


@steady
@given(days)
def test_months_are_numbered_without_gaps(day: date) -> None:
    assert month_start(month_number(day)) == day.replace(day=1)
    assert month_number(month_start(month_number(day)) + timedelta(days=31)) == month_number(day) + 1


@steady
@given(days, st.integers(0, 110))
def test_an_age_is_reached_on_the_birthday(born: date, years: int) -> None:
    leap = born.month == 2 and born.day == 29 and monthrange(born.year + years, 2)[1] == 28
    birthday = date(born.year + years, 3, 1) if leap else born.replace(year=born.year + years)
    assert age_on(born, birthday) == years
    assert age_on(born, birthday - timedelta(days=1)) == years - 1


@steady
@given(days, days)
def test_months_between_are_whole_and_count_both_ways(a: date, b: date) -> None:
    assert months_between(a, b) == -months_between(b, a)
    if a <= b:
        whole_months = months_between(a, b)
        steps = [month_number(a) + n for n in (whole_months, whole_months + 1)]
        # The same day of the month has come after so many months, and has not come after one more.
        assert (steps[0], a.day) <= (month_number(b), b.day) < (steps[1], a.day)


@pytest.mark.parametrize(
    ("a", "b", "months"),
    [
        (date(2020, 1, 31), date(2020, 2, 29), 0),
        (date(2020, 1, 31), date(2020, 3, 31), 2),
        (date(2020, 2, 29), date(2021, 2, 28), 11),
        (date(2020, 6, 15), date(2020, 6, 30), 0),
        (date(2020, 6, 30), date(2020, 6, 15), 0),
        (date(2020, 7, 1), date(2020, 5, 2), -1),
    ],
)
def test_a_month_is_complete_on_the_same_day_of_the_month(a: date, b: date, months: int) -> None:
    assert months_between(a, b) == months
