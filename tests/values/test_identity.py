"""Resident identity numbers: plain Python and Polars must say the same, and both what the standard says."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanscheck.values.identity import (
    CHECK_CHARACTERS,
    birthday_of,
    check_character,
    check_character_of,
    fault_of,
    faultless,
    lengthen,
    lengthened,
)

BODIES = st.integers(10**16, 10**17 - 1)
BIRTHDAYS = st.dates(date(1850, 1, 1), date(2199, 12, 31))


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Faultless numbers, and numbers with one character changed."""
    place, order = draw(st.integers(110000, 659000)), draw(st.integers(0, 999))
    body = f"{place}{draw(BIRTHDAYS):%Y%m%d}{order:03d}"
    number = body + check_character(body)
    if draw(st.booleans()):
        return number
    at = draw(st.integers(0, 17))
    return number[:at] + draw(st.sampled_from("0123456789X+- Aー")) + number[at + 1 :]


def test_the_example_of_the_standard_has_its_check_character() -> None:
    # GB 11643-1999, appendix: 11010519491231002X.
    assert check_character("11010519491231002") == "X"
    assert fault_of("11010519491231002X") is None
    assert birthday_of("11010519491231002X") == date(1949, 12, 31)


def test_the_second_example_of_the_standard_has_its_check_character() -> None:
    # GB 11643-1999, appendix: 440524188001010014.
    assert fault_of("440524188001010014") is None


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("110105194912310020", "bad_check_digit"),
        ("11010519491331002X", "bad_identity"),
        ("110105190002290021", "bad_identity"),  # 1900 was no leap year
        ("11010519491231002x", "bad_identity"),  # lower case is for the caller to mend
        ("010105194912310020", "bad_identity"),
        ("1101051949123100", "bad_identity"),
        ("", "bad_identity"),
        ("１１０１０５１９４９１２３１００２Ｘ", "bad_identity"),
    ],
)
def test_a_faulty_number_is_told_from_a_wrong_check_digit(number: str, fault: str) -> None:
    assert fault_of(number) == fault


def test_a_number_of_fifteen_digits_gains_its_century_and_check_character() -> None:
    assert lengthen("110105491231002") == "11010519491231002X"


@pytest.mark.parametrize("old", ["110105491331002", "11010549123100", "11010549123100X", "110105491231997"])
def test_what_is_no_number_of_fifteen_digits_is_not_lengthened(old: str) -> None:
    assert lengthen(old) is None


@given(st.lists(BODIES, min_size=1, max_size=50))
def test_the_expression_gives_the_same_check_characters_as_python(bodies: list[int]) -> None:
    frame = pl.DataFrame({"body": pl.Series(bodies, dtype=pl.Int64)})
    found = frame.select(check_character_of(pl.col("body"))).to_series().to_list()
    assert found == [check_character(str(body)) for body in bodies]


@given(st.lists(st.one_of(numbers(), st.none(), st.text(max_size=20)), max_size=40))
def test_a_column_is_judged_as_python_judges_each_number(texts: list[str | None]) -> None:
    found = faultless(pl.Series(texts, dtype=pl.String)).to_list()
    assert found == [None if text is None else fault_of(text) is None for text in texts]


@given(BODIES, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_always_changes_the_check_character(body: int, at: int, step: int) -> None:
    digits = str(body)
    other = digits[:at] + str((int(digits[at]) + step) % 10) + digits[at + 1 :]
    assert check_character(other) != check_character(digits)
    assert check_character(digits) in CHECK_CHARACTERS


@given(st.lists(st.one_of(numbers().map(lambda n: n[:6] + n[8:17]), numbers(), st.text(max_size=16)), min_size=1))
def test_old_numbers_are_lengthened_in_columns_as_one_by_one(texts: list[str]) -> None:
    assert lengthened(pl.Series(texts, dtype=pl.String)).to_list() == [lengthen(text) for text in texts]
