"""Whole rows: what is accepted, what is quarantined and why, and that nothing is lost on the way."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanscheck.contracts import FeedContract, all_feeds, feed
from meanscheck.contracts.cast import REASONS, Cast, cast_rows, quarantine_schema
from meanscheck.errors import FeedError
from meanscheck.values.identity import check_character

A = "11010519491231002X"  # the example of GB 11643-1999
B = "440524188001010014"  # its other example
DAY = date(2020, 6, 30)


def cast(name: str, rows: list[dict[str, str | None]], *, as_of: date | None = None) -> Cast:
    contract = feed(name)
    given = [column for column in contract.column_names if any(column in row for row in rows)]
    frame = pl.DataFrame({column: pl.Series([row.get(column) for row in rows], dtype=pl.String) for column in given})
    lines = pl.int_range(2, len(rows) + 2, dtype=pl.Int64, eager=True)
    return cast_rows(contract, frame.with_columns(lines.alias("row_no")), as_of=as_of, not_after=DAY)


def reasons(found: Cast) -> list[tuple[int, str, str]]:
    return [(row, field, reason) for row, field, reason, _ in found.quarantined.rows()]


def wage(number: str = A, **other: str | None) -> dict[str, str | None]:
    return {"id_number": number, "month": "2020-05", "item": "wages", "amount": "570.00", **other}


def test_a_row_is_held_in_stored_types_in_contract_order() -> None:
    found = cast("tax_income", [wage(name="示例甲")]).accepted
    assert found.schema == {**feed("tax_income").stored_schema, "row_no": pl.Int64()}
    assert found.row(0, named=True) == {
        "id_type": "resident_id", "id_number": A, "name": "示例甲", "month": date(2020, 5, 1), "item": "wages",
        "amount_fen": 57_000, "tax_fen": None, "payer": None, "employer": None, "row_no": 2,
    }  # fmt: skip


def test_identity_numbers_are_normalised() -> None:
    spellings = [
        A,
        A.lower(),
        f" {A}",
        "110105491231002",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105 19491231 002X",
        f"'{A}",
    ]
    rows = [wage(number, amount=str(at)) for at, number in enumerate(spellings)]
    found = cast("tax_income", rows)
    assert reasons(found) == []
    assert found.accepted["id_number"].unique().to_list() == [A]


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"id_number": "110105194912310021"}, "id_number", "bad_check_digit"),
        ({"id_number": "12345"}, "id_number", "bad_identity"),
        ({"id_number": None}, "id_number", "missing"),
        ({"amount": None}, "amount", "missing"),
        ({"amount": "abc"}, "amount", "not_money"),
        ({"amount": "-1.00"}, "amount", "negative_not_allowed"),
        ({"amount": "100000000000.01"}, "amount", "beyond_bound"),
        ({"amount": "=1+1"}, "amount", "formula"),
        ({"month": "2020-07"}, "month", "future_date"),
        ({"month": "May"}, "month", "not_month"),
        ({"item": "gold"}, "item", "not_choice"),
        ({"name": "张\x07"}, "name", "control_character"),
        ({"name": "@cmd"}, "name", "formula"),
        ({"employer": "长" * 300}, "employer", "too_long"),
    ],
)
def test_one_bad_cell_quarantines_its_row_with_field_and_reason(
    change: dict[str, str | None], field: str, reason: str
) -> None:
    found = cast("tax_income", [wage(), {**wage(amount="1"), **change}])
    assert (3, field, reason) in reasons(found)
    assert found.accepted["row_no"].to_list() == [2]
    assert reason in REASONS


def test_each_fault_of_a_row_is_one_line_and_the_raw_row_is_kept() -> None:
    found = cast("tax_income", [wage(amount="x", month="y")])
    assert [(field, reason) for _, field, reason in reasons(found)] == [("amount", "not_money"), ("month", "not_month")]
    assert json.loads(found.quarantined["raw"][0])["amount"] == "x"
    assert found.quarantined.schema == quarantine_schema()


def test_a_repeated_row_is_quarantined_and_the_first_stays() -> None:
    found = cast("tax_income", [wage(), wage(amount="¥570.0"), wage(B)])
    assert reasons(found) == [(3, "", "repeated_row")]
    assert found.accepted["row_no"].to_list() == [2, 4]


def test_rows_that_contradict_each_other_under_one_key_are_all_quarantined() -> None:
    payer = "91440700MA0000000X"
    found = cast("tax_income", [wage(payer=payer), wage(payer=payer, amount="600.00"), wage(B, payer=payer)])
    assert reasons(found) == [(2, "month,item,payer", "conflicting_key"), (3, "month,item,payer", "conflicting_key")]
    assert found.accepted["row_no"].to_list() == [4]


def test_an_incomplete_key_identifies_nothing() -> None:
    assert reasons(cast("tax_income", [wage(), wage(amount="600.00")])) == []


def test_a_person_dies_once() -> None:
    found = cast("deaths", [{"id_number": A, "died_on": "2020-04-05"}, {"id_number": A, "died_on": "2020-04-06"}])
    assert {reason for _, _, reason in reasons(found)} == {"conflicting_key"}


def test_a_repeat_of_a_contradiction_is_still_a_repeat() -> None:
    payer = "91440700MA0000000X"
    rows = [wage(payer=payer), wage(payer=payer), wage(payer=payer, amount="600.00")]
    assert [reason for _, _, reason in reasons(cast("tax_income", rows))] == [
        "conflicting_key", "repeated_row", "conflicting_key",
    ]  # fmt: skip


def deposit(**other: str | None) -> dict[str, str | None]:
    return {"id_number": A, "bank_code": "ICBC", "account_token": "1", "balance": "1.00", **other}


def test_a_balance_without_a_day_has_the_day_of_the_manifest() -> None:
    found = cast("bank_deposits", [deposit(), deposit(account_token="2", as_of="2020-06-01")], as_of=date(2020, 6, 20))
    assert found.accepted["as_of"].to_list() == [date(2020, 6, 20), date(2020, 6, 1)]
    assert cast("bank_deposits", [deposit()]).accepted["as_of"].to_list() == [None]


def test_a_register_row_is_dated_by_its_own_event_before_the_manifest() -> None:
    rows: list[dict[str, str | None]] = [{"id_number": A, "status": "已婚", "registered_on": "2000-01-01"}]
    found = cast("marriages", rows, as_of=date(2020, 6, 20))
    assert found.accepted["as_of"].to_list() == [date(2000, 1, 1)]


def test_an_event_is_not_dated_by_the_answer_that_reports_it() -> None:
    rows: list[dict[str, str | None]] = [{"id_number": A, "settlement_no": "1", "settled_on": "2020-05-01"}]
    assert cast("medical_settlements", rows, as_of=date(2020, 6, 20)).accepted["as_of"].to_list() == [None]


def test_a_day_may_lie_ahead_only_where_the_contract_says_so() -> None:
    row: dict[str, str | None] = {"id_number": A, "programme": "低保", "from": "2020-07-01", "until": "2021-06-30"}
    assert reasons(cast("relief_status", [row])) == [(2, "from", "future_date")]


def test_only_the_adjustment_for_living_conditions_may_be_negative() -> None:
    row: dict[str, str | None] = {"id_number": A, "item": "打零工收入", "amount": "-5.00", "surveyed_on": "2020-06-01"}
    assert reasons(cast("field_survey", [row])) == [(2, "amount", "negative_not_allowed")]
    assert reasons(cast("field_survey", [{**row, "item": "生活状况调整"}])) == []


def test_reversals_may_be_negative() -> None:
    row: dict[str, str | None] = {"id_number": A, "settlement_no": "2", "reverses": "1", "settled_on": "2020-05-02"}
    assert cast("medical_settlements", [{**row, "in_scope": "-10.00"}]).accepted["in_scope_fen"].to_list() == [-1000]


def test_other_documents_are_not_held_to_the_check_digit() -> None:
    row: dict[str, str | None] = {"id_type": "护照", "id_number": "e1234567", "died_on": "2020-01-01"}
    assert cast("deaths", [row]).accepted["id_number"].to_list() == ["E1234567"]


def test_a_column_that_is_not_there_is_unknown_and_a_required_one_is_missing_in_every_row() -> None:
    assert reasons(cast("tax_income", [{"id_number": A, "month": "2020-05", "item": "wages"}])) == [
        (2, "amount", "missing")
    ]


def test_a_column_that_is_not_in_the_contract_is_refused() -> None:
    with pytest.raises(FeedError, match="not in the contract"):
        cast_rows(feed("wallets"), pl.DataFrame({"colour": ["red"], "row_no": [2]}), as_of=None, not_after=DAY)


@pytest.mark.parametrize("values", [[1.5], [float("nan")]])
def test_float_columns_are_refused(values: list[float]) -> None:
    frame = pl.DataFrame({"id_number": [A], "balance": values, "row_no": [1]})
    with pytest.raises(FeedError, match=r"Float64.*decimal"):
        cast_rows(feed("wallets"), frame, as_of=None, not_after=DAY)


def test_no_rows_are_an_answer_too() -> None:
    found = cast_rows(
        feed("wallets"), pl.DataFrame({"row_no": []}, schema={"row_no": pl.Int64}), as_of=None, not_after=DAY
    )
    assert found.accepted.height == found.quarantined.height == 0
    assert found.accepted.schema == {**feed("wallets").stored_schema, "row_no": pl.Int64()}


def test_more_rows_of_one_person_than_the_sums_allow_are_quarantined() -> None:
    height = 100_001
    frame = pl.DataFrame({"id_number": pl.repeat(A, height, eager=True), "row_no": range(height)}).with_columns(
        pl.lit("2020-05").alias("month"),
        pl.lit("wages").alias("item"),
        pl.col("row_no").cast(pl.String).alias("amount"),
    )
    found = cast_rows(feed("tax_income"), frame, as_of=None, not_after=DAY)
    assert found.accepted.height == 0
    assert found.quarantined["reason"].unique().to_list() == ["too_many_rows"]


def test_repetitions_are_no_crowd_and_stand_under_one_reason() -> None:
    height = 100_010
    frame = pl.DataFrame({"id_number": pl.repeat(A, height, eager=True), "row_no": range(height)}).with_columns(
        pl.lit("2020-05").alias("month"),
        pl.lit("wages").alias("item"),
        pl.min_horizontal("row_no", pl.lit(99_999)).cast(pl.String).alias("amount"),
        pl.col("row_no").mod(12).cast(pl.String).replace_strict({str(n): f"P{n}" for n in range(12)}).alias("payer"),
    )
    frame = frame.with_columns(payer=pl.when(pl.col("row_no") >= 99_999).then(pl.lit("P")).otherwise("payer"))
    found = cast_rows(feed("tax_income"), frame, as_of=None, not_after=DAY)
    # 99 999 rows and one that stands eleven times: exactly as many as the sums allow.
    assert found.quarantined.filter(pl.col("reason") == "repeated_row").height == 10
    assert "too_many_rows" not in found.quarantined["reason"].to_list()


def test_reasons_have_english_and_chinese_and_a_remedy() -> None:
    for reason in REASONS.values():
        assert all((reason.en, reason.zh, reason.remedy_en, reason.remedy_zh))
        assert any(character >= "\u4e00" for character in reason.zh)


# Properties ----------------------------------------------------------------------------------------------------------

CELLS = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(
        ["", "正常", "2020-05", "2020-05-01", "1.00", "-1", "是", A, B, A.lower(), "110105491231002", "=1", "x\u200b"]
    ),
)


@st.composite
def messy(draw: st.DrawFn) -> tuple[FeedContract, pl.DataFrame]:
    contract = draw(st.sampled_from(list(all_feeds().values())))
    height = draw(st.integers(0, 8))
    columns = {name: draw(st.lists(CELLS, min_size=height, max_size=height)) for name in contract.column_names}
    frame = pl.DataFrame({name: pl.Series(cells, dtype=pl.String) for name, cells in columns.items()})
    return contract, frame.with_columns(pl.int_range(2, height + 2, dtype=pl.Int64, eager=True).alias("row_no"))


@given(messy())
def test_every_row_is_accepted_or_quarantined_and_never_both(given_: tuple[FeedContract, pl.DataFrame]) -> None:
    contract, rows = given_
    found = cast_rows(contract, rows, as_of=None, not_after=DAY)
    accepted, refused = set(found.accepted["row_no"]), set(found.quarantined["row_no"])
    assert accepted | refused == set(rows["row_no"])
    assert not accepted & refused
    assert set(found.quarantined["reason"]) <= set(REASONS)
    assert not found.quarantined.select("row_no", "field").is_duplicated().any()
    assert found.accepted.schema == {**contract.stored_schema, "row_no": pl.Int64()}


@st.composite
def wages(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = []
    for _ in range(draw(st.integers(1, 12))):
        body = f"440703{draw(st.dates(date(1930, 1, 1), date(2019, 12, 31))):%Y%m%d}{draw(st.integers(0, 995)):03d}"
        rows.append(
            {
                "id_number": body + check_character(body),
                "month": draw(st.dates(date(2019, 1, 1), DAY)).replace(day=1),
                "item": draw(st.sampled_from(feed("tax_income").column("item").choices)),
                "amount": draw(st.integers(-5, 10**13 + 1)),
                "tax": draw(st.one_of(st.none(), st.integers(-(10**6), 10**6))),
                "payer": draw(st.sampled_from([None, "P1", "P2"])),
            }
        )
    return rows


@given(wages(), st.randoms(use_true_random=False))
def test_typed_rows_mean_what_the_same_rows_mean_as_text(rows: list[dict[str, Any]], random: Any) -> None:
    typed = pl.DataFrame(
        rows,
        schema={
            "id_number": pl.String,
            "month": pl.Date,
            "item": pl.String,
            "amount": pl.Int64,
            "tax": pl.Int64,
            "payer": pl.String,
        },
    ).with_row_index("row_no")
    text = typed.with_columns(pl.exclude("row_no").cast(pl.String))
    units = {"amount": "fen", "tax": "fen"}
    by_type = cast_rows(feed("tax_income"), typed, as_of=None, not_after=DAY, units=units)
    by_text = cast_rows(feed("tax_income"), text, as_of=None, not_after=DAY, units=units)
    assert by_type.accepted.equals(by_text.accepted)
    assert by_type.quarantined.drop("raw").equals(by_text.quarantined.drop("raw"))


@given(wages(), st.randoms(use_true_random=False))
def test_the_order_of_a_file_does_not_change_what_is_accepted(rows: list[dict[str, Any]], random: Any) -> None:
    texts = [{name: None if value is None else str(value) for name, value in row.items()} for row in rows]
    shuffled = list(texts)
    random.shuffle(shuffled)
    one, other = (cast("tax_income", given_).accepted.drop("row_no") for given_ in (texts, shuffled))
    assert one.sort(one.columns).equals(other.sort(other.columns))
