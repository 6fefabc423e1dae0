"""Workbooks as offices make them: what is a row, what is not, in which unit, on which sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from contracts.formats.legal import resident
from meanscheck.contracts import feed
from meanscheck.contracts.cast import Cast
from meanscheck.contracts.mapping import ColumnMapping, FileMapping, FileShape
from meanscheck.contracts.readers import cast_file, read_rows
from meanscheck.contracts.stated_units import stated_units
from meanscheck.errors import FeedError

A, B, C = resident(1), resident(2), resident(3)
HEAD = ("证件号码", "姓名", "余额", "开户行")
Fill = Callable[[Any, Any], None]


def book(
    path: Path, *sheets: tuple[str, Fill], hidden: Sequence[str] = (), options: dict[str, Any] | None = None
) -> Path:
    made = xlsxwriter.Workbook(str(path), options or {})
    for name, fill in sheets:
        sheet = made.add_worksheet(name)
        fill(sheet, made)
        if name in hidden:
            sheet.hide()
    made.close()
    return path


def rows(*lines: Sequence[Any], first: int = 0, left: int = 0) -> Fill:
    def fill(sheet: Any, made: Any) -> None:
        for at, line in enumerate(lines, first):
            for place, value in enumerate(line, left):
                if isinstance(value, str) and not value.startswith("="):
                    sheet.write_string(at, place, value)
                elif value is not None:
                    sheet.write(at, place, value)

    return fill


def cast(path: Path, name: str = "bank_deposits", mapping: FileMapping | None = None) -> Cast:
    return cast_file(feed(name), path, as_of=None, not_after=date(2020, 6, 30), mapping=mapping)


def sheet(tmp_path: Path, *lines: Sequence[Any], **more: int) -> Path:
    return book(tmp_path / "x.xlsx", ("S", rows(*lines, **more)))


# The header -----------------------------------------------------------------------------------------------------------


def grouped(made_sheet: Any, made: Any, *, unit: str = "(万元)") -> None:
    """Two groups over the columns; the second states a unit for the columns it spans."""
    made_sheet.merge_range(0, 0, 0, 4, "查询结果")
    made_sheet.merge_range(1, 0, 1, 1, "人员")
    made_sheet.merge_range(1, 2, 1, 3, f"存款{unit}")
    made_sheet.write_row(2, 0, ["证件号码", "姓名", "账户余额", "近6个月转出金额", "开户行"])
    made_sheet.write_row(3, 0, [A, "甲", "1.5", "0.25", "某行"])


def test_a_unit_over_a_group_of_headers_counts_for_its_columns(tmp_path: Path) -> None:
    found = cast(book(tmp_path / "x.xlsx", ("S", grouped)))
    # 1.5 万元 is 15 000.00 yuan, 1 500 000 fen; 0.25 万元 is 250 000 fen.
    assert found.accepted.select("balance_fen", "outflow_6m_fen", "row_no").rows() == [(1_500_000, 250_000, 4)]


def test_a_unit_over_one_group_does_not_count_for_another(tmp_path: Path) -> None:
    def fill(made_sheet: Any, made: Any) -> None:
        made_sheet.merge_range(0, 0, 0, 1, "人员")
        made_sheet.merge_range(0, 2, 0, 3, "存款（万元）")
        made_sheet.write_row(1, 0, ["证件号码", "姓名", "账户余额", "开户行", "近6个月转出金额"])
        made_sheet.write_row(2, 0, [A, "甲", "1.5", "某行", "0.25"])

    found = cast(book(tmp_path / "x.xlsx", ("S", fill)))
    assert found.accepted.select("balance_fen", "outflow_6m_fen").rows() == [(1_500_000, 25)]


def test_headers_that_mean_one_column_in_two_groups_are_refused(tmp_path: Path) -> None:
    def fill(made_sheet: Any, made: Any) -> None:
        made_sheet.merge_range(0, 0, 0, 1, "本人")
        made_sheet.merge_range(0, 2, 0, 3, "配偶")
        made_sheet.write_row(1, 0, ["证件号码", "余额", "证件号码", "余额"])
        made_sheet.write_row(2, 0, [A, "1.00", B, "2.00"])

    with pytest.raises(FeedError, match="two headers mean"):
        cast(book(tmp_path / "x.xlsx", ("S", fill)))


def test_empty_columns_at_the_left_shift_nothing(tmp_path: Path) -> None:
    lines = [(*HEAD, "序号"), (A, "甲", 1234567890.12, "某行", 1), (B, "乙", "=1+1", "某行", 2)]
    found = cast(sheet(tmp_path, *lines, first=3, left=2))
    assert found.accepted.select("balance_fen", "row_no").rows() == [(123_456_789_012, 5)]
    assert found.quarantined.select("row_no", "field", "reason").rows() == [(6, "balance", "formula")]


def test_a_header_that_nobody_knows_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="missing column id_number"):
        cast(sheet(tmp_path, ("a", "b"), (A, "1.00")))
    with pytest.raises(FeedError, match="missing column"):
        cast(sheet(tmp_path, HEAD, first=40))


# Units ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "header", "fen"),
    [
        ("单位：元", "余额", 150),
        ("单位：万元", "余额", 1_500_000),
        ("金额单位：人民币万元", "余额", 1_500_000),
        ("存款明细表（单位：万元）", "余额", 1_500_000),
        ("存款明细表（万元）", "余额", 1_500_000),
        ("单位：分、平方米", "余额(元)", 150),  # the header's own unit holds
        ("查询单位：某某县民政局", "余额", 150),  # an office, no unit
    ],
)
def test_the_unit_of_a_title_counts_where_the_header_names_none(
    tmp_path: Path, title: str, header: str, fen: int
) -> None:
    found = cast(sheet(tmp_path, (title,), ("证件号码", "姓名", header), (A, "甲", "1.5")))
    assert found.accepted["balance_fen"].to_list() == [fen]


def test_a_unit_in_a_note_below_counts_as_well(tmp_path: Path) -> None:
    found = cast(sheet(tmp_path, HEAD, (A, "甲", "1.5", "某行"), ("注：金额单位为万元",)))
    assert found.accepted["balance_fen"].to_list() == [1_500_000]


@pytest.mark.parametrize("texts", [["单位：千元"], ["单位：元", "单位：万元"], ["存款（元）理财（万元）"]])
def test_a_unit_that_is_not_read_or_not_one_refuses_the_file(texts: list[str]) -> None:
    with pytest.raises(FeedError):
        stated_units(texts, (), where="x")


# What is no row -------------------------------------------------------------------------------------------------------


def test_totals_notes_signatures_and_repeated_headers_are_no_rows(tmp_path: Path) -> None:
    lines = [
        ("序号", *HEAD),
        ("1", "2", "3", "4", "5"),
        (1, A, "甲", "1.00", "某行"),
        ("小计", None, None, "1.00"),
        ("序号", *HEAD),
        (2, B, "合计", "2.50", "某行"),
        (3,),
        ("合　计", None, None, 3.5),
        ("经办人（签字）：", "某某", None, "单位负责人：", "某某"),
        ("说明：数据截至查询日",),
        (None, None, "第 1 页 共 1 页"),
    ]
    path = sheet(tmp_path, *lines)
    assert read_rows(feed("bank_deposits"), path).passed.rows() == [
        (2, "numbering"), (4, "total"), (5, "header"), (7, "blank"), (8, "total"), (9, "note"), (10, "note"),
        (11, "note"),
    ]  # fmt: skip
    found = cast(path)
    # Somebody may be called 合计: with an identity number it is a row.
    assert found.accepted["row_no"].to_list() == [3, 6]
    assert found.quarantined.height == 0


@pytest.mark.parametrize(
    "line",
    [
        ("", "甲", "2.00", "某行"),  # no number, but no word of furniture
        ("制表", A, "2.00", "某行"),  # a number in another cell
        ("440703", "合计", "2.00", "某行"),  # something that may be the rest of a number
        ("注：", "甲", A[:15], "某行"),
    ],
)
def test_a_row_that_may_be_somebodys_is_quarantined_and_not_passed_over(tmp_path: Path, line: Sequence[str]) -> None:
    found = cast(sheet(tmp_path, HEAD, (B, "乙", "1.00", "某行"), line, (A, "甲", "3.00", "某行")))
    assert found.quarantined["row_no"].unique().to_list() == [3]


def test_a_total_that_is_not_the_sum_refuses_the_file(tmp_path: Path) -> None:
    lines = [HEAD, (A, "甲", "1.00", "某行"), (B, "乙", "2.50", "某行")]
    assert cast(sheet(tmp_path, *lines, ("合计", None, "3.50"))).accepted.height == 2
    with pytest.raises(FeedError, match="total of balance is not the sum") as caught:
        cast(sheet(tmp_path, *lines, ("合计", None, "4.50")))
    assert caught.value.where == "x.xlsx:4"
    # With a row set aside the sum is not known, and neither is an error.
    assert cast(sheet(tmp_path, *lines, (C, "丙", "一元", "某行"), ("合计", None, "9.50"))).accepted.height == 2


def test_a_total_that_is_a_formula_is_a_total(tmp_path: Path) -> None:
    def fill(made_sheet: Any, made: Any) -> None:
        rows(HEAD, (A, "甲", 1.5, "某行"))(made_sheet, made)
        made_sheet.write(2, 0, "合计")
        made_sheet.write_formula(2, 2, "=SUM(C2:C2)", value=1.5)

    found = cast(book(tmp_path / "x.xlsx", ("S", fill)))
    assert (found.accepted.height, found.quarantined.height) == (1, 0)


def test_a_note_below_a_csv_table_is_no_row(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"{','.join(HEAD)}\n{A},甲,1.00,某行\n制表人：某某 审核人：某某\n{B},乙\n", encoding="utf-8")
    found = cast(path)
    assert found.quarantined.select("row_no", "reason").rows() == [(4, "broken_row")]
    assert read_rows(feed("bank_deposits"), path).passed.rows() == [(3, "note")]


# Cells ----------------------------------------------------------------------------------------------------------------


def test_days_kept_as_numbers_are_days_of_the_workbooks_calendar(tmp_path: Path) -> None:
    head = (*HEAD, "余额日期")
    # 44002 is 2020-06-20 in the calendar of 1900, and 42540 in that of 1904 (1462 days between).
    for options, serial in (({}, 44002), ({"date_1904": True}, 42540)):
        lines = rows(head, (A, "甲", 1, "x", serial), (B, "乙", 1, "x", str(serial)), (C, "丙", 1, "x", 2020))
        found = cast(book(tmp_path / "x.xlsx", ("S", lines), options=options))
        assert found.accepted["as_of"].to_list() == [date(2020, 6, 20)] * 2
        assert found.quarantined.select("row_no", "field", "reason").rows() == [(4, "as_of", "not_date")]


def test_an_identity_number_that_lost_its_end_is_named_so(tmp_path: Path) -> None:
    path = sheet(tmp_path, HEAD, (int(B), "乙", "1.00", "某行"), (A, "甲", "1.00", "某行"))
    assert cast(path).quarantined.select("row_no", "field", "reason").rows() == [(2, "id_number", "rounded_number")]
    text = tmp_path / "x.csv"
    # In a CSV that a spreadsheet saved, the last three digits are zero; one such number has a right check digit.
    body = next(f"44070319{year}0101{order:03d}" for year in range(50, 99) for order in (100, 200, 300, 400)
                if resident_check(f"44070319{year}0101{order:03d}"[:17]) == "0")  # fmt: skip
    lost = [f"{A[:14]}{A[14]}000", f"{B[:15]}000", f"{body[:17]}0"]
    text.write_text(f"{','.join(HEAD)}\n" + "".join(f"{n},x,1.00,某行\n" for n in (*lost, C)), encoding="utf-8")
    found = cast(text)
    assert found.quarantined.select("row_no", "reason").rows() == [(n, "rounded_number") for n in (2, 3, 4)]
    assert found.accepted["id_number"].to_list() == [C]


def resident_check(body: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11]


def test_merged_cells_say_of_several_rows_who_they_are_about_but_no_amount(tmp_path: Path) -> None:
    def fill(made_sheet: Any, made: Any) -> None:
        rows(("证件号码", "姓名", "账号", "余额"), (None, None, "1", 1), (None, None, "2", 2), (B, "乙", "3", 3))(
            made_sheet, made
        )
        made_sheet.merge_range(1, 0, 2, 0, A)
        made_sheet.merge_range(1, 1, 2, 1, "甲")
        rows((C, "丙", "4"), (C, "丙", "5"), first=4)(made_sheet, made)
        made_sheet.merge_range(4, 3, 5, 3, 9)

    found = cast(book(tmp_path / "x.xlsx", ("S", fill)))
    assert found.accepted.select("id_number", "balance_fen").rows() == [(A, 100), (A, 200), (B, 300), (C, 900)]
    assert found.quarantined.select("row_no", "field", "reason").rows() == [(6, "balance", "missing")]


# Sheets ---------------------------------------------------------------------------------------------------------------


def test_the_sheet_whose_header_fits_is_read(tmp_path: Path) -> None:
    path = book(
        tmp_path / "x.xlsx",
        ("说明", rows(("本表说明",), ("姓名", "证件号码"), ("见附件", "无"))),
        ("明细", rows(HEAD, (A, "甲", "1.00", "某行"))),
        ("Sheet3", rows()),
    )
    assert cast(path).accepted["row_no"].to_list() == [2]


def test_sheets_with_the_same_header_are_read_as_one(tmp_path: Path) -> None:
    one, two = rows(HEAD, (A, "甲", "1.00", "某行")), rows(HEAD, (B, "乙", "2.00", "某行"), ("坏", "丙", "x", "y"))
    found = cast(book(tmp_path / "x.xlsx", ("一", one), ("二", two)))
    assert found.accepted.select("id_number", "row_no").rows() == [(A, 2), (B, 1_000_000_002)]
    assert set(found.quarantined["row_no"]) == {1_000_000_003}


def test_sheets_with_different_headers_are_refused_unless_one_is_named(tmp_path: Path) -> None:
    one = rows(HEAD, (A, "甲", "1.00", "某行"))
    two = rows(("证件号码", "余额(万元)"), (B, "2.00"))
    path = book(tmp_path / "x.xlsx", ("一", one), ("二", two))
    with pytest.raises(FeedError, match="part 2 has other columns or units than part 1"):
        cast(path)
    columns = {"id_number": ColumnMapping(source="证件号码"), "balance": ColumnMapping(source="余额")}
    mapping = FileMapping(feed="bank_deposits", sender="S", file=FileShape(sheet="二"), columns=columns)
    assert cast(path, mapping=mapping).accepted["balance_fen"].to_list() == [2_000_000]
    with pytest.raises(FeedError, match="no sheet of the name"):
        cast(path, mapping=mapping.model_copy(update={"file": FileShape(sheet="三")}))


def test_a_hidden_sheet_with_rows_refuses_the_workbook(tmp_path: Path) -> None:
    one, two = rows(HEAD, (A, "甲", "1.00", "某行")), rows(HEAD, (B, "乙", "2.00", "某行"))
    with pytest.raises(FeedError, match="hidden sheet"):
        cast(book(tmp_path / "x.xlsx", ("一", one), ("二", two), hidden=["二"]))
    codes = rows(("代码", "名称"), ("1", "甲"))
    assert cast(book(tmp_path / "x.xlsx", ("一", one), ("码", codes), hidden=["码"])).accepted.height == 1


def test_hidden_rows_and_columns_were_sent_and_are_read(tmp_path: Path) -> None:
    def fill(made_sheet: Any, made: Any) -> None:
        rows(HEAD, (A, "甲", "1.00", "某行"), (B, "乙", "2.00", "某行"))(made_sheet, made)
        made_sheet.set_row(1, None, None, {"hidden": True})
        made_sheet.set_column(2, 2, None, None, {"hidden": True})

    assert cast(book(tmp_path / "x.xlsx", ("S", fill))).accepted["balance_fen"].to_list() == [100, 200]
