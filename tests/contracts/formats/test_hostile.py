"""Hostile and broken input: bounded in rows, columns and cells, and never a formula where a spreadsheet may open it."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from contracts.formats.legal import resident
from meanscheck.contracts import bounds, feed, feed_names
from meanscheck.contracts.cast import Cast
from meanscheck.contracts.named import named
from meanscheck.contracts.readers import cast_file
from meanscheck.contracts.table import Table, counted, none_broken
from meanscheck.contracts.texts import feed_template
from meanscheck.errors import FeedError

A, B = resident(1), resident(2)
HEAD = "证件号码,姓名,余额"


def cast(path: Path, name: str = "bank_deposits") -> Cast:
    return cast_file(feed(name), path, as_of=None, not_after=date(2020, 6, 30))


def text(folder: Path, body: str, name: str = "x.csv") -> Path:
    path = folder / name
    path.write_text(body, encoding="utf-8")
    return path


# Cells ----------------------------------------------------------------------------------------------------------------


def test_a_huge_cell_is_quarantined_and_what_is_kept_of_it_is_short(tmp_path: Path) -> None:
    most = "甲" * 32_767
    found = cast(text(tmp_path, f"{HEAD}\n{A},{most}甲,1.00\n{B},甲,1.00\n{resident(3)},{most},1.00\n"))
    assert found.accepted["id_number"].to_list() == [B]
    # A cell of exactly the bound is left to the contract, which finds it too long for a name.
    assert found.quarantined.select("row_no", "field", "reason").rows() == [
        (2, "name", "huge_cell"), (4, "name", "too_long"),
    ]  # fmt: skip
    kept = json.loads(found.quarantined["raw"][0])
    assert (kept["id_number"], len(kept["name"])) == (A, 1_000)


def test_a_broken_line_beyond_all_bounds_still_says_whom_it_concerns(tmp_path: Path) -> None:
    found = cast(text(tmp_path, f"{HEAD}\n{'x' * 50_000},{A},1.00,9\n"))
    line = json.loads(found.quarantined["raw"][0])["line"]
    assert found.quarantined["reason"].to_list() == ["broken_row"]
    assert len(line) < 1_100
    assert A in line


def test_a_line_beyond_all_bounds_is_no_note(tmp_path: Path) -> None:
    # It is set aside where a short one is passed over: whom it concerns is looked for, and nothing else.
    found = cast(text(tmp_path, f"{HEAD}\n{A},甲,1.00\n说明：{'长' * 40_000}\n"))
    assert found.quarantined.select("row_no", "reason").rows() == [(3, "broken_row")]
    assert not cast(text(tmp_path, f"{HEAD}\n{A},甲,1.00\n说明：短\n")).quarantined.height


def test_a_huge_cell_under_a_header_that_is_not_read_does_no_harm(tmp_path: Path) -> None:
    assert cast(text(tmp_path, f"{HEAD},备注\n{A},甲,1.00,{'x' * 40_000}\n")).accepted.height == 1


# Rows and columns -----------------------------------------------------------------------------------------------------


def test_too_many_columns_are_refused_in_every_format(tmp_path: Path) -> None:
    many = [f"h{n}" for n in range(1_001)]
    paths = [
        text(tmp_path, ",".join([*many, HEAD]) + "\n"),
        text(tmp_path, "\n".join(json.dumps({name: "1"}) for name in many), "x.jsonl"),
        tmp_path / "x.parquet",
        tmp_path / "x.xlsx",
    ]
    pl.DataFrame({name: ["1"] for name in many}).write_parquet(paths[2])
    book = xlsxwriter.Workbook(str(paths[3]))
    book.add_worksheet().write_row(0, 0, many)
    book.close()
    for path in paths:
        with pytest.raises(FeedError, match=r"more than 1,000 columns|too far apart") as caught:
            cast(path)
        assert caught.value.where.startswith(path.name)


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bounds, "MAX_ROWS", 2)
    with pytest.raises(FeedError, match="more than 2 rows"):
        cast(text(tmp_path, HEAD + f"\n{A},甲,1.00" * 3))
    path = tmp_path / "x.parquet"
    pl.DataFrame({"id_number": [A] * 3, "balance": ["1.00"] * 3}).write_parquet(path)
    with pytest.raises(FeedError, match="more than 2 rows"):
        cast(path)


def test_a_file_larger_than_is_read_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bounds, "MAX_FILE_BYTES", 100)
    with pytest.raises(FeedError, match="larger than"):
        cast(text(tmp_path, HEAD + f"\n{A},甲,1.00" * 30))


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("place", ["XFD1048576", "ZZ1048576", "AA1000000"])
def test_a_small_sheet_that_claims_a_huge_rectangle_is_refused(tmp_path: Path, place: str, quote: str) -> None:
    path = tmp_path / "x.xlsx"
    book = xlsxwriter.Workbook(str(tmp_path / "plain.xlsx"))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEAD.split(","))
    sheet.write_row(1, 0, [A, "甲", 1])
    book.close()
    number = re.search(r"\d+", place)
    assert number is not None
    far = f"<row r={quote}{number.group()}{quote}><c r={quote}{place}{quote}><v>1</v></c></row></sheetData>"
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as source, zipfile.ZipFile(path, "w") as target:
        for info in source.infolist():
            data = source.read(info)
            if info.filename.endswith("sheet1.xml"):
                data = data.replace(b"</sheetData>", far.encode())
            target.writestr(info.filename, data)
    with pytest.raises(FeedError, match="too far apart"):
        cast(path)


def test_what_the_reader_of_workbooks_tells_of_one_reaches_no_log_and_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.xlsx"
    book = xlsxwriter.Workbook(str(tmp_path / "plain.xlsx"))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEAD.split(","))
    sheet.write_row(1, 0, [A, "甲", "1.00"])
    book.close()
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as source, zipfile.ZipFile(path, "w") as target:
        for info in source.infolist():
            data = source.read(info)
            if info.filename.endswith("sheet1.xml"):
                data, count = re.subn(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:AAAAAA1215752190"', data)
                assert count == 1
            target.writestr(info.filename, data)
    # Not caplog, which listens to those too who hand nothing on.
    log = io.StringIO()
    monkeypatch.setattr(logging.root, "handlers", [logging.StreamHandler(log)])
    monkeypatch.setattr(logging.root, "level", logging.DEBUG)
    assert cast(path).accepted.height == 1
    assert (log.getvalue(), *capfd.readouterr()) == ("", "", "")
    monkeypatch.setattr(logging.root, "handlers", [])
    assert cast(path).accepted.height == 1
    assert capfd.readouterr() == ("", "")


def test_entities_that_unfold_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    book = xlsxwriter.Workbook(str(tmp_path / "plain.xlsx"))
    book.add_worksheet().write_row(0, 0, HEAD.split(","))
    book.close()
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as source, zipfile.ZipFile(path, "w") as target:
        for info in source.infolist():
            data = source.read(info)
            if info.filename == "xl/workbook.xml":
                data = data.replace(b"<workbook", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><workbook', 1)
            target.writestr(info.filename, data)
    with pytest.raises(FeedError, match="damaged"):
        cast(path)


@pytest.mark.parametrize("encoding", [b"UTF-x", b"base64", b"big5", b"utf-7", b"undefined", b"hex"])
@pytest.mark.parametrize("member", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"])
def test_an_encoding_that_no_workbook_has_refuses_it(tmp_path: Path, member: str, encoding: bytes) -> None:
    path = tmp_path / "x.xlsx"
    book = xlsxwriter.Workbook(str(tmp_path / "plain.xlsx"))
    book.add_worksheet().write_row(0, 0, [*HEAD.split(","), "甲"])
    book.close()
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as source, zipfile.ZipFile(path, "w") as target:
        for info in source.infolist():
            data = source.read(info)
            if info.filename == member:
                assert b"UTF-8" in data
                data = data.replace(b"UTF-8", encoding, 1)
            target.writestr(info.filename, data)
    try:
        cast(path)
    except FeedError as fault:
        assert fault.where.startswith("x.xlsx")
    else:
        # The reader of cells takes no notice of it.
        assert member.endswith("sheet1.xml")


def test_a_workbook_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("xl/worksheets/sheet1.xml", b" " * (64 * 2**20))
    with pytest.raises(FeedError, match="far more than it holds"):
        cast(path)


def test_merged_cells_without_end_cost_one_pass() -> None:
    cells = pl.DataFrame({"c0": [A] + [None] * 999, "c1": ["1.00"] * 1_000}, schema={"c0": pl.String, "c1": pl.String})
    merged = tuple((1, 0, 1_000) for _ in range(20_000))
    table = Table(("证件号码", "余额"), cells, counted(1, 1_000), none_broken(), merged=merged)
    assert named(feed("bank_deposits"), table, "excel", "x").rows["id_number"].to_list() == [A] * 1_000


# Formulas -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝"])
def test_a_text_that_a_spreadsheet_would_compute_is_set_aside_and_kept_as_it_was_sent(
    tmp_path: Path, start: str
) -> None:
    cell = f"{start}cmd|' /C calc'!A0"
    found = cast(text(tmp_path, f"{HEAD}\n{A},{cell},1.00\n{B},乙,-1.00\n"))
    assert found.quarantined.select("row_no", "field", "reason").rows()[0] == (2, "name", "formula")
    assert json.loads(found.quarantined["raw"][0])["name"] == cell


@pytest.mark.parametrize("cell", ['="{}"', '"=""{}"""'])
def test_a_number_that_was_kept_from_a_spreadsheet_by_a_formula_is_the_number(tmp_path: Path, cell: str) -> None:
    found = cast(text(tmp_path, f"{HEAD}\n{cell.format(A)},{cell.format('甲')},{cell.format('1.50')}\n"))
    assert found.accepted.select("id_number", "name", "balance_fen").rows() == [(A, "甲", 150)]


def test_a_formula_inside_such_a_cell_stays_a_formula(tmp_path: Path) -> None:
    found = cast(text(tmp_path, f'{HEAD}\n{A},="=1+1",1.50\n'))
    assert found.quarantined["reason"].to_list() == ["formula"]


@pytest.mark.parametrize("name", feed_names())
def test_no_cell_of_a_template_begins_a_formula(name: str) -> None:
    for row in csv.reader(io.StringIO(feed_template(name).decode("utf-8-sig"))):
        assert not [cell for cell in row if cell[:1] in tuple("=+-@\t\r＝＋－＠") and cell]
