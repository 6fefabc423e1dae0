"""What is this file? The feed and the columns are found, how sure that is, and nothing of a cell is shown."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from contracts.formats.legal import resident
from meanscheck.contracts import feed, feed_names
from meanscheck.contracts.mapping import load_mapping
from meanscheck.contracts.mapping_checks import check_mapping
from meanscheck.contracts.mapping_text import mapping_text
from meanscheck.contracts.readers import cast_file
from meanscheck.contracts.sniff import Sniffed, is_shown, sniff
from meanscheck.contracts.texts import feed_template
from meanscheck.errors import FeedError

IDS = [resident(n * 7) for n in range(20)]


def text(folder: Path, head: str, cells: str, *, name: str = "x.txt", encoding: str = "utf-8") -> Path:
    path = folder / name
    lines = [cells.format(id=number, n=1_000 + at, d=at + 1) for at, number in enumerate(IDS)]
    path.write_bytes("\n".join([*filter(None, [head]), *lines, ""]).encode(encoding))
    return path


def found_in(sniffed: Sniffed) -> dict[str, tuple[str, str]]:
    return {g.column: (g.header, g.sure) for g in sniffed.columns if g.column is not None}


@pytest.mark.parametrize("name", feed_names())
def test_the_template_of_every_feed_is_told_and_needs_no_mapping(tmp_path: Path, name: str) -> None:
    path = tmp_path / "sent.csv"
    path.write_bytes(feed_template(name))
    sniffed = sniff(path)
    assert (sniffed.feed, sniffed.missing, sniffed.problems, sniffed.is_needed) == (name, (), (), False)
    assert sniffed.accepted == 1


def test_unknown_headers_are_told_by_resemblance_and_content(tmp_path: Path) -> None:
    path = text(
        tmp_path,
        "客户身份证件号码|户主姓名|活期账户余额|查询截止日期|存款种类名称",
        "{id}|张三|{n}.00|{d:02d}/06/2020|活期",
    )
    sniffed = sniff(path, feed=feed("bank_deposits"))
    found = found_in(sniffed)
    assert found["id_number"] == ("客户身份证件号码", "likely")
    assert found["balance"][1] in ("likely", "perhaps")
    assert next(g.form for g in sniffed.columns if g.column == "as_of") == "DD/MM/YYYY"
    reasons = {g.column: g.why for g in sniffed.columns}
    assert reasons["id_number"].startswith("20 of 20 cells are valid identity numbers")


def test_a_known_header_over_other_content_is_not_sure(tmp_path: Path) -> None:
    sniffed = sniff(text(tmp_path, "证件号码,余额,开户行", "{id},未知,某行"), feed=feed("bank_deposits"))
    assert found_in(sniffed)["balance"] == ("余额", "perhaps")
    assert sniffed.missing == ("balance",)


def test_what_is_only_perhaps_does_not_count_until_a_person_says_so(tmp_path: Path) -> None:
    path = text(tmp_path, "ZJHM|XM|YE|RQ", "{id}|张三|{n}.00|2020-06-{d:02d}", encoding="gb18030")
    sniffed = sniff(path, feed=feed("bank_deposits"))
    assert (sniffed.seen.encoding, sniffed.seen.separator) == ("gb18030", "|")
    assert sniffed.missing == ("balance",)
    written = tmp_path / "x.mapping.toml"
    written.write_text(mapping_text(feed("bank_deposits"), sniffed), encoding="utf-8")
    assert [p.key for p in check_mapping(feed("bank_deposits"), load_mapping(written))] == ["columns.balance"]
    mended = re.sub(r"# (\[columns\.\w+\]|from = )", r"\1", written.read_text(encoding="utf-8"))
    written.write_text(mended, encoding="utf-8")
    cast = cast_file(
        feed("bank_deposits"), path, as_of=None, not_after=date(2020, 6, 30), mapping=load_mapping(written)
    )
    assert cast.accepted["balance_fen"].to_list() == [(1_000 + n) * 100 for n in range(20)]
    assert cast.accepted["as_of"].to_list() == [date(2020, 6, n) for n in range(1, 21)]


def test_a_file_without_a_header_is_told_so_and_its_first_line_is_not_shown(tmp_path: Path) -> None:
    sniffed = sniff(text(tmp_path, "", "{id},张三,{n}.00"), feed=feed("bank_deposits"))
    assert sniffed.seen.header_line == 0
    assert sniffed.seen.rows == 20
    assert not [g for g in sniffed.columns if IDS[0] in g.header or "张三" in g.header]
    assert sniffed.mapping is not None
    assert sniffed.mapping.columns["id_number"].source == "1"


def test_lines_of_equal_length_are_perhaps_fixed_width(tmp_path: Path) -> None:
    sniffed = sniff(text(tmp_path, "", "88{id}张三      0000{n}", encoding="gb18030"))
    assert sniffed.seen.format == "fixed"
    assert "identity numbers at bytes 3 to 20" in sniffed.seen.note


def test_a_sheet_with_a_title_its_unit_and_serial_days_is_told(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "x.xlsx"))
    sheet = book.add_worksheet()
    sheet.write(0, 0, "单位：万元")
    sheet.write_row(1, 0, ["证件号码", "余额", "余额日期"])
    for at, number in enumerate(IDS):
        sheet.write_row(at + 2, 0, [number, at + 0.5, 44002])
    sheet.write_row(22, 0, ["合计", sum(n + 0.5 for n in range(20))])
    book.close()
    sniffed = sniff(tmp_path / "x.xlsx")
    assert (sniffed.feed, sniffed.seen.header_line, dict(sniffed.seen.units)) == (
        "bank_deposits", 2, {"money": "wan_yuan"},
    )  # fmt: skip
    assert found_in(sniffed)["as_of"] == ("余额日期", "sure")
    assert (sniffed.accepted, sniffed.trial) == (20, {})


def test_the_proposal_is_tried_and_says_what_it_would_set_aside(tmp_path: Path) -> None:
    path = text(tmp_path, "证件号码,余额", "{id},{n}.00")
    path.write_text(path.read_text(encoding="utf-8") + f"{IDS[0]},一百元\n44,1.00\n", encoding="utf-8")
    sniffed = sniff(path, feed=feed("bank_deposits"))
    assert (sniffed.accepted, sniffed.trial) == (20, {"bad_identity": 1, "not_money": 1})


def test_junk_points_to_no_feed(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    assert sniff(path).feed is None
    path = tmp_path / "x.parquet"
    pl.DataFrame({"a": [1], "b": [2.5]}).write_parquet(path)
    assert sniff(path).feed is None


@pytest.mark.parametrize(
    ("header", "shown"),
    [("身份证号", True), ("YE", True), (IDS[0], False), ("张三的账户余额明细情况说明以及其他各种相关信息", False)],
)
def test_a_header_that_may_be_somebodys_value_is_not_shown(header: str, shown: bool) -> None:
    assert is_shown(header) is shown


@given(st.binary(max_size=300), st.sampled_from([".csv", ".txt", ".xlsx", ".jsonl", ".parquet", ".zip"]))
def test_any_bytes_are_a_proposal_or_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, ending: str
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / f"x{ending}"
    path.write_bytes(data)
    try:
        sniffed = sniff(path)
    except FeedError as error:
        assert "x." in error.where
        return
    assert sniffed.feed is None or sniffed.feed in feed_names()


@given(st.lists(st.text("甲乙\"\\'\n\t#=[]1", min_size=1, max_size=8), min_size=2, max_size=4, unique=True))
def test_a_written_proposal_is_a_mapping_whatever_the_headers_are(
    tmp_path_factory: pytest.TempPathFactory, headers: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("sent")
    path = folder / "x.jsonl"
    rows = [{**dict.fromkeys(headers, "张三"), headers[0]: number, "余额": "1.00"} for number in IDS]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    sniffed = sniff(path, feed=feed("bank_deposits"))
    written = folder / "x.mapping.toml"
    written.write_text(mapping_text(feed("bank_deposits"), sniffed), encoding="utf-8")
    assert load_mapping(written).columns["id_number"].source == headers[0]
