"""Numbers of identity documents: each published form is accepted, a fault of one character never, in both executors."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanscheck.values.documents import FORMS, Document, kind_of, normal, normal_columns, unnumbered

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
DAYS = st.dates(date(1900, 1, 1), date(2025, 12, 31))
DIGITS = "0123456789"
KINDS = ("resident_id", "hk_macao_tw_permit", "foreign_permanent_resident", "passport", "none")


def digits(size: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=size, max_size=size)


def checked(body: str) -> str:
    """17 digits with the check character of GB 11643, reckoned from the weights printed in the standard."""
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, WEIGHTS, strict=True)) % 11]


@st.composite
def residence_permits(draw: st.DrawFn) -> str:
    return checked(f"{draw(st.sampled_from(('810000', '820000', '830000')))}{draw(DAYS):%Y%m%d}{draw(digits(3))}")


@st.composite
def foreign_2023(draw: st.DrawFn) -> str:
    return checked(f"9{draw(digits(5))}{draw(DAYS):%Y%m%d}{draw(digits(3))}")


@st.composite
def residents(draw: st.DrawFn) -> str:
    return checked(f"{draw(st.integers(110000, 659000))}{draw(DAYS):%Y%m%d}{draw(digits(3))}")


letters = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3)
PERMITS = st.tuples(st.sampled_from("HM"), digits(8)).map("".join)
OLD_FOREIGN = st.tuples(letters, digits(12)).map("".join)
PASSPORTS = st.text(DIGITS + "EGPSDK", min_size=5, max_size=9)
GB = st.one_of(
    residents().map(lambda n: ("resident_id", n)),
    residence_permits().map(lambda n: ("hk_macao_tw_permit", n)),
    foreign_2023().map(lambda n: ("foreign_permanent_resident", n)),
)
UNCHANGED = st.one_of(
    GB,
    PERMITS.map(lambda n: ("hk_macao_tw_permit", n)),
    digits(8).map(lambda n: ("hk_macao_tw_permit", n)),
    OLD_FOREIGN.map(lambda n: ("foreign_permanent_resident", n)),
    PASSPORTS.map(lambda n: ("passport", n)),
)
ANYTHING = st.tuples(
    st.sampled_from(KINDS), st.one_of(st.text(max_size=20), UNCHANGED.map(lambda pair: pair[1]), digits(10))
)


@given(UNCHANGED)
def test_a_number_of_a_published_form_is_its_own_normal_form(given: tuple[str, str]) -> None:
    assert normal(*given) == Document(*given)


@given(PERMITS, digits(2))
def test_the_count_of_renewals_does_not_make_another_person(lifelong: str, renewals: str) -> None:
    # 公安部, 港澳居民来往内地通行证号码规则: the first nine characters stay when the permit is renewed.
    assert normal("hk_macao_tw_permit", lifelong + renewals) == Document("hk_macao_tw_permit", lifelong)


@given(GB, st.integers(0, 17), st.sampled_from(DIGITS + "X"))
def test_one_wrong_character_of_a_checked_number_is_never_accepted(given: tuple[str, str], at: int, other: str) -> None:
    _, number = given
    changed = number[:at] + other + number[at + 1 :]
    if changed == number:
        return
    assert all(not isinstance(normal(k, changed), Document) for k in KINDS[:3])


@given(UNCHANGED, st.integers(0, 17), st.sampled_from("-/. ()a９你"))
def test_a_character_that_no_form_has_is_never_accepted(given: tuple[str, str], at: int, other: str) -> None:
    kind, number = given
    at %= len(number)
    assert normal(kind, number[:at] + other + number[at + 1 :]) == "bad_identity"


@given(st.lists(ANYTHING, max_size=30))
def test_columns_say_what_single_numbers_say(rows: list[tuple[str, str]]) -> None:
    kinds, numbers = (pl.Series([row[i] for row in rows], dtype=pl.String) for i in (0, 1))
    found = normal_columns(kinds, numbers)
    for (kind, number), (told, normalised, is_sound) in zip(rows, found.iter_rows(), strict=True):
        alone = normal(kind, number)
        assert is_sound == isinstance(alone, Document)
        if isinstance(alone, Document):
            assert (told, normalised) == (alone.id_type, alone.id_number)
        else:
            assert normalised is None


@given(st.one_of(residence_permits(), foreign_2023()), st.sampled_from(KINDS[:3]))
def test_a_number_that_names_its_kind_is_one_person_whatever_kind_was_written(number: str, written: str) -> None:
    expected = "foreign_permanent_resident" if number[0] == "9" else "hk_macao_tw_permit"
    assert kind_of(written, number) == expected
    assert normal(written, number) == Document(expected, number)


@pytest.mark.parametrize(
    ("kind", "number", "fault"),
    [
        ("hk_macao_tw_permit", "C12345678", "bad_identity"),  # 往来港澳通行证, the other direction
        ("hk_macao_tw_permit", "H1234567", "bad_identity"),
        ("hk_macao_tw_permit", "H123456780", "bad_identity"),
        ("hk_macao_tw_permit", "H123456780101", "bad_identity"),
        ("hk_macao_tw_permit", "840000199408230021", "bad_identity"),
        ("foreign_permanent_resident", "US110199001011", "bad_identity"),
        ("foreign_permanent_resident", "USA11019900101", "bad_identity"),
        ("passport", "E1234567890", "bad_identity"),
        ("passport", "", "bad_identity"),
        ("none", "1", "bad_identity"),
        ("driving_licence", "E12345678", "bad_identity"),
    ],
)
def test_what_is_wrong_is_named(kind: str, number: str, fault: str) -> None:
    assert normal(kind, number) == fault


def test_every_form_names_its_source_and_a_document_shows_no_number() -> None:
    assert all(form.source for form in FORMS)
    assert {form.zh for form in FORMS if not form.is_sure} == {
        "台湾居民来往大陆通行证",
        "台湾居民来往大陆通行证（本式）",
        "护照",
    }
    assert "E12345678" not in repr(normal("passport", "E12345678"))


def test_the_name_of_a_person_without_a_number_is_his_household_and_his_id() -> None:
    assert unnumbered("U-7", "B") == "U-7/B"
