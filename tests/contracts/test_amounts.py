"""Amounts: exact in every unit and style, the same from text and from typed columns."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanscheck.contracts import feed
from meanscheck.contracts.amounts import BOUND, whole_units, whole_units_typed
from meanscheck.contracts.faults import Faults
from meanscheck.contracts.model import Column
from meanscheck.errors import MoneyError
from meanscheck.values.money import format_yuan, parse_yuan

MONEY = feed("medical_settlements").column("total")  # may be negative
PLUS = feed("bank_deposits").column("balance")
AREA = feed("farmland").column("area")
SHARE = feed("real_estate").column("share")
COUNT = feed("self_care_assessments").column("items_failed")


def cast(column: Column, texts: list[str | None], unit: str | None) -> tuple[list[int | None], list[tuple[int, str]]]:
    faults = Faults()
    values = whole_units(column, pl.Series(texts, dtype=pl.String), unit, faults)
    return values.to_list(), [(at, reason) for at, _, reason in faults.table().rows()]


@pytest.mark.parametrize(
    ("text", "unit", "fen"),
    [
        ("570.00", "yuan", 57_000),
        ("570", "yuan", 57_000),
        ("-0.5", "yuan", -50),
        ("0.29", "yuan", 29),
        ("1,234.50", "yuan", 123_450),
        ("¥1,234.5元", "yuan", 123_450),
        ("￥８８．６０", "yuan", 8_860),
        (" 570.00 ", "yuan", 57_000),
        ("570.0000", "yuan", 57_000),
        ("+5", "yuan", 500),
        ("1.2万元", "yuan", 1_200_000),
        ("1.234567", "wan_yuan", 1_234_567),
        ("12", "wan_yuan", 12_000_000),
        ("57000", "fen", 57_000),
        ("12.00元", "fen", 1_200),
        ("100000000000.00", "yuan", BOUND),
    ],
)
def test_amounts_become_whole_fen(text: str, unit: str, fen: int) -> None:
    assert cast(MONEY, [text], unit) == ([fen], [])


@pytest.mark.parametrize(
    ("text", "unit", "reason"),
    [
        ("12.345", "yuan", "not_money"),
        ("1e3", "yuan", "not_money"),
        ("12,34.00", "yuan", "not_money"),
        ("五百", "yuan", "not_money"),
        ("1.2345678", "wan_yuan", "not_money"),
        ("0.5", "fen", "not_money"),
        ("100000000000.01", "yuan", "beyond_bound"),
        ("9999999999999999999999", "yuan", "beyond_bound"),
        ("=SUM(A1:A9)", "yuan", "formula"),
        ("5\x00", "yuan", "control_character"),
        ("NaN", "yuan", "not_money"),
    ],
)
def test_what_is_no_exact_amount_is_refused(text: str, unit: str, reason: str) -> None:
    assert cast(MONEY, [text], unit) == ([None], [(0, reason)])


def test_a_negative_balance_is_refused() -> None:
    assert cast(PLUS, ["-0.01", "0.00", None], "yuan") == ([None, 0, None], [(0, "negative_not_allowed")])


@pytest.mark.parametrize(
    ("text", "unit", "cm2"),
    [("80.50", "m2", 805_000), ("80.5平方米", "m2", 805_000), ("805000", "cm2", 805_000), ("3", "mu", 20_000_000),
     ("1", "mu", 6_666_667), ("2亩", "m2", 13_333_333)],
)  # fmt: skip
def test_areas_become_square_centimetres(text: str, unit: str, cm2: int) -> None:
    assert cast(AREA, [text], unit) == ([cm2], [])


@pytest.mark.parametrize(
    ("text", "unit", "millionths"),
    [("0.5", "1", 500_000), ("50%", "1", 500_000), ("33.3333", "percent", 333_333), ("1/4", "1", 250_000)],
)
def test_shares_become_millionths(text: str, unit: str, millionths: int) -> None:
    assert cast(SHARE, [text], unit) == ([millionths], [])


def test_a_third_is_not_held_exactly_and_therefore_refused() -> None:
    assert cast(SHARE, ["1/3"], "1") == ([None], [(0, "not_ratio")])


def test_numbers_stay_in_the_range_of_the_contract() -> None:
    assert cast(COUNT, ["6", "7", "-1", "2.5", "03"], None) == (
        [6, None, None, None, 3],
        [(1, "out_of_range"), (2, "negative_not_allowed"), (3, "not_number")],
    )


AMOUNTS = st.integers(-BOUND, BOUND)


@given(st.lists(st.one_of(st.none(), AMOUNTS), max_size=30))
def test_text_amounts_come_back_as_they_were(fens: list[int | None]) -> None:
    texts = [None if fen is None else format_yuan(fen) for fen in fens]
    assert cast(MONEY, texts, "yuan") == (fens, [])


@given(st.text(st.sampled_from("0123456789.,-+ ¥元万%eE"), max_size=16))
def test_whatever_the_plain_parser_takes_the_column_takes_alike(text: str) -> None:
    try:
        fen = parse_yuan(text)
    except MoneyError:
        return
    assert cast(MONEY, [text], "yuan") == ([fen], [])


def both_ways(typed: pl.Series, unit: str) -> None:
    by_type, by_text = Faults(), Faults()
    found = whole_units_typed(MONEY, typed, unit, by_type)
    expected = whole_units(MONEY, typed.cast(pl.String), unit, by_text)
    assert found.to_list() == expected.to_list()
    assert by_type.table().equals(by_text.table())


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), AMOUNTS, st.integers(-999, 999)), max_size=20),
       st.sampled_from(["yuan", "fen", "wan_yuan"]))  # fmt: skip
def test_typed_whole_numbers_mean_what_their_text_means(values: list[int | None], unit: str) -> None:
    both_ways(pl.Series(values, dtype=pl.Int64), unit)


@given(st.lists(st.integers(-(10**18), 10**18), min_size=1, max_size=20), st.integers(0, 8),
       st.sampled_from(["yuan", "fen", "wan_yuan"]))  # fmt: skip
def test_typed_decimals_mean_what_their_text_means(unscaled: list[int], scale: int, unit: str) -> None:
    values = [Decimal(number).scaleb(-scale) for number in unscaled]
    both_ways(pl.Series(values, dtype=pl.Decimal(38, scale)), unit)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=10))
def test_unsigned_numbers_beyond_int64_are_refused_and_not_wrapped(values: list[int]) -> None:
    both_ways(pl.Series(values, dtype=pl.UInt64), "fen")
