"""``meanscheck discrepancies`` and the section of ``meanscheck check``: one list, in words and as JSON."""

from __future__ import annotations

from meanscheck.evidence import Store

from .conftest import Command, Demo

PACK = "rules/cn/guangdong/jiangmen"


def test_the_list_is_one_json_value_and_the_table_counts_it(demo: Demo, command: Command) -> None:
    said = command("discrepancies", demo.store, PACK, "--on", "2020-06-30", "--json")
    assert said.code == 0 and said.err == ""
    lines = said.json
    assert lines and {line["rule"] for line in lines} <= {"higher", "law", "person"}
    assert all(line["cite"] and line["row_refs"] for line in lines)
    declared = command("discrepancies", demo.store, PACK, "--on", "2020-06-30", "--declared", "--json").json
    assert declared == [line for line in lines if line["may_enter_record"]]
    table = command("discrepancies", demo.store, PACK, "--on", "2020-06-30").out
    assert f"{len(lines):,} in" in table and "declared_deposits" in table


def test_a_day_before_the_pack_begins_has_an_empty_list(demo: Demo, command: Command) -> None:
    assert command("discrepancies", demo.store, "rules/cn", "--on", "2012-12-01", "--json").json == []


def test_the_report_has_the_section_where_a_pack_is_named(demo: Demo, command: Command) -> None:
    line = command("discrepancies", demo.store, PACK, "--on", "2020-06-30", "--json").json[0]
    with Store.open(demo.store, read_only=True) as store:
        request = store.value("select request_no from units where case_id = ?", [line["case_id"]])
    with_pack = command("check", demo.store, request, "--pack", PACK, "--json").json
    assert line in with_pack["discrepancies"]
    assert "discrepancies" not in command("check", demo.store, request, "--json").json
    assert "信息矛盾与申报差异" in command("check", demo.store, request, "--pack", PACK).out
