"""Files in every format and state: the same rows from each; else quarantine, or an error with file, line and remedy."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from meanscheck.contracts import feed, feed_names
from meanscheck.contracts.cast import Cast
from meanscheck.contracts.csv_text import read_csv
from meanscheck.contracts.readers import cast_file, read_rows
from meanscheck.contracts.texts import feed_template, feed_text, feeds_list
from meanscheck.errors import FeedError

A = "11010519491231002X"
B = "440524188001010014"
DAY = date(2020, 6, 30)
HEAD = ("身份证号", "姓名", "账户余额(元)", "余额日期", "银行代码", "账户标识")
ROWS: tuple[tuple[str, ...], ...] = (
    (A, "示例甲", "1,234.50", "2020-06-20", "ICBC", "1"),
    (B, "示例乙", "0.29", "2020年6月20日", "ABC", "2"),
)


def cast(path: Path, name: str = "bank_deposits") -> Cast:
    return cast_file(feed(name), path, as_of=None, not_after=DAY)


def text_of(rows: Sequence[Sequence[str]], newline: str = "\r\n") -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator=newline).writerows(rows)
    return out.getvalue()


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def check(found: Cast) -> None:
    assert found.quarantined.height == 0
    assert found.accepted.select("id_number", "balance_fen", "as_of", "row_no").rows() == [
        (A, 123_450, date(2020, 6, 20), 2),
        (B, 29, date(2020, 6, 20), 3),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
def test_csv_in_every_encoding_and_line_ending_gives_the_same_rows(tmp_path: Path, encoding: str, newline: str) -> None:
    check(cast(write(tmp_path / "x.csv", text_of([HEAD, *ROWS], newline), encoding)))


def test_rare_characters_survive_gb18030(tmp_path: Path) -> None:
    row = (A, "𠮷田㐂", "1.00", "2020-06-20", "ICBC", "1")  # four-byte characters of GB 18030
    path = write(tmp_path / "x.csv", text_of([HEAD, row]), "gb18030")
    assert read_rows(feed("bank_deposits"), path).encoding == "gb18030"
    assert cast(path).accepted["name"].to_list() == ["𠮷田㐂"]


@pytest.mark.parametrize("separator", ["\t", ";", "|"])
def test_other_separators_are_seen_from_the_header(tmp_path: Path, separator: str) -> None:
    lines = [HEAD, (A, "示例甲", "1234.50", "2020-06-20", "ICBC", "1"), ROWS[1]]
    check(cast(write(tmp_path / "x.txt", "\n".join(separator.join(line) for line in lines))))


def test_a_title_above_the_header_is_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "工商银行存款查询结果\n\n" + text_of([HEAD, *ROWS]))
    assert cast(path).accepted["row_no"].to_list() == [4, 5]


def test_blank_lines_are_no_rows_but_count_as_lines(tmp_path: Path) -> None:
    lines = text_of([HEAD, *ROWS], "\n").split("\n")
    path = write(tmp_path / "x.csv", "\n".join([lines[0], lines[1], "", "  ", lines[2], "", ""]))
    assert cast(path).accepted["row_no"].to_list() == [2, 5]


@pytest.mark.parametrize("line", [f"{A},x,1.00", f"{A},x,1.00,2020-06-20,ICBC,1,extra"])
def test_a_row_of_another_width_is_quarantined_with_its_line(tmp_path: Path, line: str) -> None:
    lines = text_of([HEAD, *ROWS], "\n").split("\n")
    found = cast(write(tmp_path / "x.csv", "\n".join([lines[0], lines[1], line, lines[2]])))
    assert found.quarantined.select("row_no", "reason").rows() == [(3, "broken_row")]
    assert json.loads(found.quarantined["raw"][0]) == {"line": line}
    assert found.accepted["row_no"].to_list() == [2, 4]


def test_a_short_and_a_long_row_do_not_hide_each_other(tmp_path: Path) -> None:
    body = [",".join(HEAD), f"{A},x,1.00", f"{B},x,1.00,2020-06-20,ICBC,1,,,", f"{A},x,1.00,2020-06-20,ICBC,7"]
    found = cast(write(tmp_path / "x.csv", "\n".join(body)))
    assert found.quarantined["row_no"].to_list() == [2, 3]


def test_a_quoted_cell_may_hold_separators_and_quotes(tmp_path: Path) -> None:
    row = (A, '示例,"甲"', "1,234.50", "2020-06-20", "ICBC", "1")
    assert cast(write(tmp_path / "x.csv", text_of([HEAD, row]))).accepted["name"].to_list() == ['示例,"甲"']


def test_a_cell_over_two_lines_is_quarantined_with_everything_inside_it(tmp_path: Path) -> None:
    smuggled = ",".join((B, "x", "9.00", "2020-06-20", "ICBC", "9"))
    text = f'{",".join(HEAD)}\n{A},"x\n{smuggled}\ny",1.00,2020-06-20,ICBC,1\n{B},z,2.00,2020-06-20,ABC,2\n'
    found = cast(write(tmp_path / "x.csv", text))
    assert found.quarantined.select("row_no", "reason").rows() == [(row, "broken_quotes") for row in (2, 3, 4)]
    assert found.accepted["row_no"].to_list() == [5]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b" \r\n ", "empty"),
        (codecs.BOM_UTF8, "empty"),
        ("身份证号,余额".encode("utf-16"), "UTF-16"),
        ("身份证号,余额".encode("utf-16-le"), "not text"),
        (b"\xff\xfe\x00\x00a\x00\x00\x00", "UTF-32"),
        ("身份证号,账户余额\n".encode() + b"\xff\xff,1\n", "neither UTF-8 nor GB18030"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not text"),
        ("身份证号,姓名\n".encode(), "missing column balance"),
        ("身份证号,纳税人姓名,税款所属期,所得项目,收入额\n".encode(), "those of tax_income"),
        (b"a,b\n1,2\n", "missing column"),
    ],
)
def test_an_unusable_file_is_an_error_that_names_file_and_remedy(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "sent.csv"
    path.write_bytes(data)
    with pytest.raises(FeedError, match=message) as caught:
        cast(path)
    assert caught.value.where.startswith("sent.csv")
    assert caught.value.remedy


def test_unknown_formats_and_absent_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="not a format"):
        read_rows(feed("wallets"), tmp_path / "x.pdf")
    with pytest.raises(FeedError, match="no such file"):
        read_rows(feed("wallets"), tmp_path / "x.csv")


# Excel ---------------------------------------------------------------------------------------------------------------


def workbook(path: Path, rows: Sequence[Sequence[Any]], *, sheets: int = 1, first: int = 0) -> Path:
    book = xlsxwriter.Workbook(str(path))
    for number in range(sheets):
        sheet = book.add_worksheet()
        for at, row in enumerate(rows if number == 0 else []):
            for column, value in enumerate(row):
                if isinstance(value, datetime):
                    sheet.write_datetime(at + first, column, value, book.add_format({"num_format": "yyyy-mm-dd"}))
                elif isinstance(value, str) and value.startswith("=") is False:
                    sheet.write_string(at + first, column, value)
                else:
                    sheet.write(at + first, column, value)
    book.close()
    return path


def test_excel_gives_the_same_rows_with_dates_and_numbers_as_cells(tmp_path: Path) -> None:
    rows = [
        HEAD,
        (A, "示例甲", 1234.5, datetime(2020, 6, 20), "ICBC", "1"),
        (B, "示例乙", 0.29, "2020/6/20", "ABC", "2"),
    ]
    check(cast(workbook(tmp_path / "x.xlsx", rows, sheets=3)))


def test_excel_rows_keep_their_line_below_a_title(tmp_path: Path) -> None:
    rows = [("查询结果",), (), HEAD, ROWS[0], (), ROWS[1]]
    assert cast(workbook(tmp_path / "x.xlsx", rows)).accepted["row_no"].to_list() == [4, 6]
    assert cast(workbook(tmp_path / "y.xlsx", rows, first=2)).accepted["row_no"].to_list() == [6, 8]


def test_an_excel_amount_has_the_fifteen_digits_that_excel_shows(tmp_path: Path) -> None:
    rows = [HEAD, (A, "x", 99999999999.99, "2020-06-20", "ICBC", "1"), (B, "x", 0.1 + 0.2, "2020-06-20", "ICBC", "1")]
    assert cast(workbook(tmp_path / "x.xlsx", rows)).accepted["balance_fen"].to_list() == [9_999_999_999_999, 30]


def test_an_excel_formula_is_quarantined_with_its_line(tmp_path: Path) -> None:
    rows = [HEAD, ROWS[0], (B, "x", "=1+1", "2020-06-20", "ICBC", "1")]
    found = cast(workbook(tmp_path / "x.xlsx", rows))
    assert found.quarantined.select("row_no", "reason").rows() == [(3, "formula")]
    assert found.accepted["row_no"].to_list() == [2]


def test_an_identity_number_that_excel_rounded_is_refused(tmp_path: Path) -> None:
    rows = [
        HEAD,
        (int(B), "x", "1.00", "2020-06-20", "ICBC", "1"),
        (110105491231002, "y", "1.00", "2020-06-20", "ICBC", "2"),
    ]
    found = cast(workbook(tmp_path / "x.xlsx", rows))
    assert found.quarantined.select("row_no", "field", "reason").rows() == [(2, "id_number", "rounded_number")]
    assert found.accepted["id_number"].to_list() == [A]


def test_an_unusable_workbook_is_an_error(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx", [HEAD, *ROWS])
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(FeedError, match="cut short"):
        cast(cut)
    with pytest.raises(FeedError, match="empty"):
        cast(workbook(tmp_path / "empty.xlsx", []))


# Parquet, JSON lines -------------------------------------------------------------------------------------------------


def parquet(path: Path, balance: pl.Series, header: str = "balance") -> Path:
    frame = pl.DataFrame({"id_number": [A, B], "bank_code": ["ICBC", "ABC"], "as_of": [date(2020, 6, 20)] * 2})
    frame.with_columns(balance.alias(header)).write_parquet(path)
    return path


@pytest.mark.parametrize(
    ("header", "balance"),
    [
        ("balance", pl.Series(["1234.50", "0.29"])),
        ("balance", pl.Series([Decimal("1234.50"), Decimal("0.29")], dtype=pl.Decimal(18, 2))),
        ("balance", pl.Series([Decimal("1234.5000"), Decimal("0.2900")], dtype=pl.Decimal(18, 4))),
        ("balance_fen", pl.Series([123_450, 29])),
        ("账户余额(分)", pl.Series([123_450, 29], dtype=pl.UInt32)),
    ],
)
def test_parquet_types_are_read_exactly(tmp_path: Path, header: str, balance: pl.Series) -> None:
    found = cast(parquet(tmp_path / "x.parquet", balance, header))
    assert found.accepted.select("balance_fen", "row_no").rows() == [(123_450, 1), (29, 2)]


def test_a_parquet_float_of_money_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="Float64") as caught:
        cast(parquet(tmp_path / "x.parquet", pl.Series([1234.5, 0.29])))
    assert caught.value.where == "x.parquet"


def test_a_parquet_file_cut_short_is_an_error(tmp_path: Path) -> None:
    path = parquet(tmp_path / "x.parquet", pl.Series(["1", "2"]))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FeedError, match="cut short") as caught:
        cast(path)
    assert caught.value.where == "x.parquet"


def test_json_numbers_are_taken_as_they_are_written(tmp_path: Path) -> None:
    lines = [
        f'{{"id_number": "{A}", "balance": 1234.50, "as_of": "2020-06-20", "bank_code": null}}',
        "",
        f'{{"bank_code": "ABC", "id_number": "{B}", "balance": "0.29"}}',
        f'{{"id_number": "{B}", "balance": 0.1000000000000000001}}',
        f'{{"id_number": "{B}", "balance": [1]}}',
        f'{{"id_number": "{B}", "id_number": "{A}", "balance": 1}}',
        "[1]",
    ]
    found = cast(write(tmp_path / "x.jsonl", "\n".join(lines)))
    assert found.accepted.select("balance_fen", "row_no").rows() == [(123_450, 1), (29, 3)]
    assert found.quarantined.select("row_no", "reason").rows() == [
        (4, "not_money"), (5, "not_flat"), (6, "not_json"), (7, "not_json"),
    ]  # fmt: skip


# Templates and pages -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", feed_names())
def test_the_template_of_every_feed_ingests_cleanly(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.csv"
    path.write_bytes(feed_template(name))
    file = read_rows(feed(name), path)
    assert file.ignored == ()
    found = cast_file(feed(name), path, as_of=date(2020, 6, 20), not_after=DAY)
    assert found.quarantined.height == 0
    assert found.accepted["row_no"].to_list() == [2]


def test_pages_show_every_feed_and_column_in_both_languages() -> None:
    assert all(name in feeds_list() and feed(name).title_zh in feeds_list() for name in feed_names())
    for column in feed("tax_income").columns:
        assert column.name in feed_text("tax_income")
        assert column.title_zh in feed_text("tax_income")


# Fuzz ----------------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=200))
def test_any_bytes_after_a_header_are_rows_quarantine_or_an_error_of_ours(tail: bytes) -> None:
    data = (",".join(HEAD) + "\n").encode() + tail
    try:
        table = read_csv(data, where="fuzz.csv", is_header=lambda cells: "身份证号" in cells)
    except FeedError as error:
        assert error.where == "fuzz.csv"
        return
    assert table.cells.height == len(table.lines)
    assert not set(table.lines) & set(table.broken["row_no"])


@given(st.lists(st.lists(st.text("ab,\" '12中;", max_size=4), min_size=3, max_size=3), max_size=8))
def test_what_a_csv_writer_writes_comes_back(rows: list[list[str]]) -> None:
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    data = text_of([["h1", "h2", "h3"], *rows], "\n").encode()
    table = read_csv(data, where="x.csv", is_header=lambda cells: True)
    assert table.broken.height == 0
    assert [tuple(cell or "" for cell in row) for row in table.cells.rows()] == [tuple(row) for row in rows]


@given(st.binary(max_size=300), st.sampled_from([".xlsx", ".parquet", ".jsonl"]))
def test_any_bytes_under_any_ending_are_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, ending: str
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / f"x{ending}"
    path.write_bytes(data)
    with pytest.raises(FeedError) as caught:
        cast(path)
    assert path.name in caught.value.where
