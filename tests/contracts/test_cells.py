"""Single cells: what each style means, and what is refused rather than guessed."""

from __future__ import annotations

from datetime import date

import pytest

from meanscheck.contracts import feed
from meanscheck.contracts.cells import (
    OPEN_END,
    Fault,
    parse_bool,
    parse_choice,
    parse_day,
    parse_document,
    parse_month,
    parse_persons,
    parse_resident,
    parse_text,
    trim,
)
from meanscheck.values.documents import Document


@pytest.mark.parametrize(
    "text",
    ["20240630", "2024-06-30", "2024/6/30", "2024年6月30日", "２０２４－０６－３０", " 2024.6.30 ",
     "2024-06-30 00:00:00", "2024-06-30T13:05:06"],
)  # fmt: skip
def test_every_style_of_a_day_is_understood(text: str) -> None:
    assert parse_day(text) == date(2024, 6, 30)


@pytest.mark.parametrize(
    "text",
    ["2024-02-30", "24-06-30", "2024630", "30/06/2024", "2024-6", "45473", "2024年6月30", "0000-00-00", "2024/06-30"],
)
def test_what_could_be_two_days_or_none_is_no_day(text: str) -> None:
    assert parse_day(text) == Fault("not_date")


@pytest.mark.parametrize("text", ["长期", "9999-12-31", "99991231"])
def test_a_day_without_end_is_the_last_day_there_is(text: str) -> None:
    assert parse_day(text) == OPEN_END


@pytest.mark.parametrize("text", ["202406", "2024-06", "2024/6", "2024年6月", "２０２４０６", "2024-06-01", "20240601"])
def test_every_style_of_a_month_is_understood(text: str) -> None:
    assert parse_month(text) == date(2024, 6, 1)


@pytest.mark.parametrize("text", ["2024-13", "20246", "2024-06-15", "2024", "6月"])
def test_what_is_no_month_is_refused(text: str) -> None:
    assert parse_month(text) == Fault("not_month")


@pytest.mark.parametrize(
    ("text", "value"),
    [("是", True), ("TRUE", True), ("1", True), ("Ｙ", True), ("否", False), ("0", False), ("No", False)],
)
def test_yes_and_no_in_every_style(text: str, value: bool) -> None:
    assert parse_bool(text) is value


def test_neither_yes_nor_no_is_refused() -> None:
    assert parse_bool("也许") == Fault("not_bool")


@pytest.mark.parametrize("text", ["", "  ", "　", "-", "—", "NULL", "\\N", "/", "\t"])
def test_blank_cells_and_null_marks_are_unknown(text: str) -> None:
    assert trim(text) is None


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|x", "＝A1"])
def test_a_text_that_a_spreadsheet_would_compute_is_a_formula(text: str) -> None:
    assert trim(text) == Fault("formula")


@pytest.mark.parametrize("text", ["张\x00三", "a\u200bb", "张\ufffd", "a\nb", "\u202eabc", "张\ue000"])
def test_control_invisible_and_replacement_characters_are_refused(text: str) -> None:
    assert trim(text) == Fault("control_character")


def test_choices_are_known_by_code_label_and_alias() -> None:
    status = feed("vehicles").column("status")
    assert [parse_choice(text, status) for text in ("normal", "正常", "状态正常", " 报 废 ")] == [
        "normal", "normal", "normal", "scrapped",
    ]  # fmt: skip
    assert parse_choice("快乐", status) == Fault("not_choice")
    assert parse_choice("1", feed("household_register").column("sex")) == "male"
    assert parse_choice("28", feed("household_register").column("relation")) == "child_in_law"


def test_text_with_a_form_is_brought_to_half_width_and_checked() -> None:
    place = feed("household_register").column("division_code")
    assert parse_text("４４０７０３", place) == "440703"
    assert parse_text("440703001000", place) == "440703001000"
    assert parse_text("江门", place) == Fault("bad_form")


def test_text_longer_than_the_contract_is_refused() -> None:
    assert parse_text("长" * 201, feed("tax_income").column("employer")) == Fault("too_long")


@pytest.mark.parametrize(
    "text",
    ["11010519491231002X", "11010519491231002x", "１１０１０５１９４９１２３１００２Ｘ", " 110105 19491231 002X ",
     "110105491231002", "'11010519491231002X", "11010519491231002X\t"],
)  # fmt: skip
def test_an_identity_number_in_every_style_is_the_same_number(text: str) -> None:
    # The number is the example of GB 11643-1999.
    assert parse_resident(text) == "11010519491231002X"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("110105194912310021", "bad_check_digit"), ("1101051949123100", "bad_identity"), ("4.40703E+17", "rounded_number"),
     ("110105491231998", "bad_identity"), ('="110105194912310021"', "formula")],
)  # fmt: skip
def test_a_faulty_identity_number_says_why(text: str, reason: str) -> None:
    assert parse_resident(text) == Fault(reason)


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("hk_macao_tw_permit", " h0123 4567(01) ", Document("hk_macao_tw_permit", "H01234567")),
        ("hk_macao_tw_permit", " h0123 4567(8) ", Fault("bad_identity")),
        ("hk_macao_tw_permit", "ｍ１２３４５６７８", Document("hk_macao_tw_permit", "M12345678")),
        ("hk_macao_tw_permit", "0123456789（B）", Document("hk_macao_tw_permit", "0123456789B")),
        ("foreign_permanent_resident", "usa 110199001011", Document("foreign_permanent_resident", "USA110199001011")),
        ("passport", "'e12345678", Document("passport", "E12345678")),
        ("none", " U-7/B ", Document("none", "U-7/B")),
        ("resident_id", "110105491231002", Document("resident_id", "11010519491231002X")),
        ("resident_id", "9.11156199001E+17", Fault("rounded_number")),
        ("passport", "护照", Fault("bad_identity")),
        ("passport", " — ", None),
        ("none", "x" * 402, Fault("too_long")),
    ],
)
def test_documents_are_tidied_and_then_judged_by_their_form(
    kind: str, text: str, found: Document | Fault | None
) -> None:
    assert parse_document(kind, text) == found


def test_references_to_persons_are_normalised_one_by_one() -> None:
    column = feed("supporters").column("supports")
    assert parse_persons("110105491231002，A", column) == "11010519491231002X,A"
    assert parse_persons("11010519491231002X、B", column) == "11010519491231002X,B"
    assert parse_persons("110105194912310021", column) == Fault("bad_check_digit")
    assert parse_persons("A,,B", column) == Fault("bad_identity")
