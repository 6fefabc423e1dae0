"""Mappings: checked before use, by key; then the sender's words are the contract's, and nothing else is."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.formats.legal import resident
from meanscheck.contracts import feed
from meanscheck.contracts.cast import Cast
from meanscheck.contracts.day_forms import day_form, iso_day
from meanscheck.contracts.mapping import FileMapping, load_mapping, mapping_path
from meanscheck.contracts.mapping_checks import check_mapping
from meanscheck.contracts.readers import cast_file
from meanscheck.errors import FeedError

A, B, C = resident(1), resident(2), resident(3)
TEXT = """
feed = "bank_deposits"
sender = "某某银行"
version = "2"
valid_from = 2020-01-01

[file]
delimiter = "|"
unit = "wan_yuan"

[columns.id_number]
from = "ZJHM"
[columns.balance]
from = "YE"
unit = "fen"
[columns.outflow_6m]
from = "ZC"
[columns.as_of]
from = "RQ"
form = "DD/MM/YYYY"
[columns.account_kind]
from = "LX"
codes = { "01" = "current", "02" = "term", "-" = "other" }
[columns.bank_code]
value = "ICBC"
"""


def written(folder: Path, text: str = TEXT) -> FileMapping:
    path = folder / "x.mapping.toml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


def cast(folder: Path, body: str, how: FileMapping) -> Cast:
    path = folder / "x.csv"
    path.write_text(body, encoding="utf-8")
    return cast_file(feed("bank_deposits"), path, as_of=None, not_after=date(2020, 6, 30), mapping=how)


HEAD = "ZJHM|YE|ZC|RQ|LX|账户余额\n"


def test_columns_codes_units_and_days_become_the_contracts(tmp_path: Path) -> None:
    found = cast(tmp_path, f"{HEAD}{A}|150|0.5|20/06/2020|02|9\n{B}|1|||-|9\n", written(tmp_path))
    stored = found.accepted.select("balance_fen", "outflow_6m_fen", "as_of", "account_kind", "bank_code").rows()
    assert stored == [(150, 500_000, date(2020, 6, 20), "term", "ICBC"), (1, None, None, "other", "ICBC")]


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        (f"{A}|1|||current|", "account_kind", "unmapped_code"),  # the contract's own word is not the sender's
        (f"{A}|1|||1|", "account_kind", "unmapped_code"),
        (f"{A}|1||2020-06-20||", "as_of", "not_date"),  # another form, though it could be read
        (f"{A}|1||31/06/2020||", "as_of", "not_date"),
        (f"{A}|1.5||||", "balance", "not_money"),
    ],
)
def test_what_the_mapping_does_not_explain_is_quarantined_as_it_was_sent(
    tmp_path: Path, line: str, field: str, reason: str
) -> None:
    found = cast(tmp_path, f"{HEAD}{line}\n{B}|1|||01|\n", written(tmp_path))
    assert found.quarantined.select("row_no", "field", "reason").rows() == [(2, field, reason)]
    assert A in found.quarantined["raw"][0]
    assert found.accepted["id_number"].to_list() == [B]


def test_a_header_that_the_sender_renamed_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="no such header") as caught:
        cast(tmp_path, f"{HEAD.replace('YE', 'YUE')}{A}|1|||01|\n", written(tmp_path))
    assert caught.value.where == "x.csv: mapping columns.balance.from"
    with pytest.raises(FeedError, match="header twice"):
        cast(tmp_path, f"{HEAD.replace('ZC', 'YE')}{A}|1|||01|\n", written(tmp_path))


def test_a_unit_in_the_header_that_contradicts_the_mapping_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="another unit"):
        cast(tmp_path, f"{HEAD.replace('YE', 'YE(万元)')}{A}|1|||01|\n", written(tmp_path))


def test_without_a_header_columns_go_by_their_places(tmp_path: Path) -> None:
    text = '[file]\nheader_line = 0\n[columns.id_number]\nfrom = "2"\n[columns.balance]\nfrom = "1"\n'
    how = written(tmp_path, 'feed = "bank_deposits"\nsender = "S"\n' + text)
    found = cast(tmp_path, f"1.50,{A}\n2.50,{B}\n", how)
    assert found.accepted.select("balance_fen", "row_no").rows() == [(150, 1), (250, 2)]


def facts(**changes: Any) -> FileMapping:
    columns = {"id_number": {"from": "a"}, "balance": {"from": "b"}}
    given = {"feed": "bank_deposits", "sender": "S", "columns": {**columns, **changes.pop("columns", {})}, **changes}
    return FileMapping.model_validate(given)


@pytest.mark.parametrize(
    ("mapping", "key"),
    [
        (facts(columns={"nope": {"from": "c"}}), "columns.nope"),
        (FileMapping.model_validate({"feed": "bank_deposits", "sender": "S", "columns": {"name": {"from": "a"}}}),
         "columns.id_number"),
        (facts(columns={"name": {"from": "A "}}), "columns.name.from"),
        (facts(columns={"account_kind": {"from": "c", "codes": {"01": "savings"}}}), "columns.account_kind.codes.01"),
        (facts(columns={"name": {"from": "c", "codes": {"01": "x"}}}), "columns.name.codes"),
        (facts(columns={"balance": {"from": "b", "unit": "m2"}}), "columns.balance.unit"),
        (facts(columns={"name": {"from": "c", "unit": "fen"}}), "columns.name.unit"),
        (facts(columns={"name": {"from": "c", "decimals": 2}}), "columns.name.decimals"),
        (facts(columns={"as_of": {"from": "c", "form": "DD/MM/YY"}}), "columns.as_of.form"),
        (facts(columns={"name": {"from": "c", "form": "DD/MM/YYYY"}}), "columns.name.form"),
        (facts(columns={"account_kind": {"value": "活"}}), "columns.account_kind.value"),
        (facts(columns={"as_of": {"value": "2020-02-30"}}), "columns.as_of.value"),
        (facts(feed="wallets"), "feed"),
        (facts(file={"unit": "m2"}), "file.unit"),
        (facts(file={"format": "csv", "sheet": "S"}), "file.sheet"),
        (facts(file={"format": "excel", "delimiter": "|"}), "file.delimiter"),
        (facts(file={"header_line": 0}), "columns.id_number.from"),
        (facts(columns={"name": {"start": 1, "length": 2}}), "columns.name.start"),
    ],
)  # fmt: skip
def test_a_problem_is_named_by_its_key_and_refuses_the_file(mapping: FileMapping, key: str, tmp_path: Path) -> None:
    problems = check_mapping(feed("bank_deposits"), mapping)
    assert key in [problem.key for problem in problems]
    assert all(problem.remedy for problem in problems)
    with pytest.raises(FeedError, match="the mapping does not fit"):
        cast(tmp_path, f"a,b,c\n{A},1,\n", mapping)


def test_overlapping_places_and_headers_in_a_fixed_file_are_problems() -> None:
    places = {"id_number": {"start": 1, "length": 18}, "balance": {"start": 18, "length": 5}, "name": {"from": "x"}}
    mapping = FileMapping.model_validate(
        {"feed": "bank_deposits", "sender": "S", "file": {"format": "fixed"}, "columns": places}
    )
    assert [p.key for p in check_mapping(feed("bank_deposits"), mapping)] == [
        "columns.name.from",
        "columns.balance.start",
    ]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('feed = "a"\nfeed = "b"\n', "line 2"),
        (TEXT + '[columns.name]\nfrom = "x"\nwidth = 3\n', "columns.name.width"),
        (TEXT + '[columns.name]\nfrom = "x"\nvalue = "y"\n', "columns.name"),
        (TEXT + "[columns.name]\nstart = 3\n", "columns.name"),
        (TEXT.replace('version = "2"', "version = 2"), "version"),
        (TEXT.replace("2020-01-01", "2020-01-01\nvalid_to = 2019-01-01"), ""),
        (TEXT.replace('"|"', '"||"'), "file.delimiter"),
        (TEXT.replace("[columns.id_number]", "[columns.balance]"), "line"),
        ("columns = [[[[", "at its end"),
    ],
)
def test_a_faulty_file_is_refused_with_its_place(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(FeedError) as caught:
        written(tmp_path, text)
    assert caught.value.where.startswith("x.mapping.toml")
    assert where in caught.value.where
    assert caught.value.remedy


def test_the_digest_names_the_meaning_and_not_the_text(tmp_path: Path) -> None:
    one = written(tmp_path)
    assert written(tmp_path, "# a comment\n" + TEXT.replace('"01" = "current", ', "").replace(
        '"-" = "other"', '"-" = "other", "01" = "current"')).digest == one.digest  # fmt: skip
    assert written(tmp_path, TEXT.replace('unit = "fen"', 'unit = "yuan"')).digest != one.digest
    assert FileMapping.model_validate_json(one.text) == one
    assert mapping_path(Path("a/icbc.csv")).name == "icbc.mapping.toml"


@given(st.dates(date(1850, 1, 1), date(2100, 1, 1)), st.sampled_from(["DD/MM/YYYY", "YYYYMMDDhhmmss", "MM-DD-YYYY"]))
def test_a_day_written_in_a_form_is_that_day(day: date, form: str) -> None:
    pattern = day_form(form)
    assert pattern is not None
    text = form.replace("YYYY", f"{day.year:04d}").replace("MM", f"{day.month:02d}").replace("DD", f"{day.day:02d}")
    assert iso_day(pattern, text.replace("hhmmss", "235959")) == day.isoformat()


@pytest.mark.parametrize("form", ["YY/MM/DD", "YYYY/MM", "DD/DD/MM/YYYY", "d/m/y", "YYYY-MM-DDx", ""])
def test_what_is_no_form_is_none(form: str) -> None:
    assert day_form(form) is None
