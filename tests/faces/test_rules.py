"""`meanscheck rules`: what a pack's author and a caseworker see."""

from __future__ import annotations

from pathlib import Path

import pytest

from faces.conftest import Command

JIANGMEN = "rules/cn/guangdong/jiangmen"

PACK = """
code = "000000"
name = "Somewhere"
first_day = 2010-01-01
[[instrument]]
id = "act"
title = "The Act"
in_force_on = 2010-01-01
"""
PARAMETERS = """
[[parameter]]
id = "limit"
unit = "money"
label = "limit"
label_zh = "限额"
  [[parameter.revision]]
  unknown = "not found"
  in_force_on = 2010-01-01
  cite = ["act#1"]
  [[parameter.revision]]
  value = "100.00"
  in_force_on = 2011-01-01
  cite = ["act#1"]
  status = "unsure"
  [[parameter.revision]]
  value = "200.00"
  in_force_on = 2012-01-01
  cite = ["act#1"]

[[parameter]]
id = "idle"
unit = "number"
label = "read by nobody"
label_zh = "无人引用"
  [[parameter.revision]]
  value = "1"
  in_force_on = 2010-01-01
  cite = ["act#2"]
"""
RULES = """
[[variable]]
id = "is_member"
entity = "member"
unit = "bool"
label = "member"
label_zh = "成员"
  [[variable.revision]]
  formula = 'lives_together'
  in_force_on = 2010-01-01
  cite = ["act#3"]
  status = "derived"

[[programme]]
id = "help"
entity = "household"
label = "help"
label_zh = "帮助"
  [[programme.test]]
  id = "poor"
  label = "little on the bank"
  label_zh = "存款少"
    [[programme.test.revision]]
    formula = 'sum(sum(b.balance for b in bank_deposits) for m in members) <= limit'
    in_force_on = 2010-01-01
    cite = ["act#4"]
"""
CASES = """
[[case]]
id = "little"
on = 2012-06-30
  [case.household]
    [[case.member]]
    id = "A"
    bank_deposits = [{ bank_code = "ABC", account_token = "a1", balance = "150.00" }]
  [case.expect.help]
  outcome = "OUTCOME"
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack of one programme with one figure: not found in 2010, unsure in 2011, sourced from 2012."""
    folder = tmp_path / "somewhere"
    folder.mkdir()
    rules = RULES.replace(
        "sum(sum(b.balance for b in bank_deposits) for m in members)", "sum(m.savings for m in members)"
    ).replace(
        "[[programme]]",
        """[[variable]]
id = "savings"
entity = "member"
unit = "money"
label = "savings"
label_zh = "存款"
  [[variable.revision]]
  formula = 'sum(b.balance for b in bank_deposits)'
  in_force_on = 2010-01-01
  cite = ["act#4"]

[[programme]]""",
    )
    for name, text in (("pack", PACK), ("parameters", PARAMETERS), ("rules", rules)):
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def test_packs_are_named_one_by_one(command: Command) -> None:
    """All of them at once take a minute: CI runs the command, and what it must say of each is in tests/law."""
    said = command("rules", "check", "rules/cn/guangdong/foshan", "rules/cn/guangdong/huizhou")
    assert said.code == 0 and said.err == ""
    assert said.out.count("loads") == 2


def test_check_says_what_can_be_decided_when(pack: Path, command: Command) -> None:
    (report,) = command("rules", "check", pack, "--json").json
    assert report["loads"]
    assert [(p["since"], p["until"], p["answer"], p["missing"], p["accepting"]) for p in report["periods"]] == [
        ("2010-01-01", "2010-12-31", "refers", ["limit"], None),
        ("2011-01-01", "2011-12-31", "refers", ["limit"], ["decides", ["limit"]]),
        ("2012-01-01", None, "decides", [], None),
    ]


def test_check_lists_on_what_a_pack_rests(pack: Path, command: Command) -> None:
    (report,) = command("rules", "check", pack, "--json").json
    assert {(f["kind"], f["what"], f["since"], f["until"]) for f in report["findings"]} == {
        ("unknown", "parameter limit", "2010-01-01", "2010-12-31"),
        ("unsure", "parameter limit", "2011-01-01", "2011-12-31"),
        ("derived", "variable is_member", "2010-01-01", None),
        ("unused", "parameter idle", None, None),
    }
    said = command("rules", "check", pack).out
    assert "not used unless accepted by name" in said and "no formula reads it" in said


def test_check_gives_a_table_by_year(pack: Path, command: Command) -> None:
    rows = command("rules", "check", pack, "--by-year").out.splitlines()[2:]
    assert rows == ["| 2010 | ○ |", "| 2011 | ○ (●) |", "| from 2012 | ● |"]


def test_a_pack_that_does_not_load_is_code_1_and_names_the_place(pack: Path, command: Command) -> None:
    file = pack / "parameters.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"200.00"', "200.00"), encoding="utf-8")
    said = command("rules", "check", pack)
    assert said.code == 1
    assert "somewhere/parameters.toml" in said.err and "float" in said.err


def test_jiangmen_decides_on_the_day_of_the_demo(command: Command) -> None:
    (report,) = command("rules", "check", JIANGMEN, "--json").json
    on_day = {
        p["programme"]: p["answer"]
        for p in report["periods"]
        if p["since"] <= "2020-06-30" and (p["until"] or "9999") >= "2020-06-30"
    }
    assert {k: on_day[k] for k in ("dibao", "tekun", "medical_relief")} == {
        "dibao": "decides",
        "tekun": "decides",
        "medical_relief": "refers",
    }
    assert {f["kind"] for f in report["findings"]} >= {"unsure", "unknown", "derived", "deployment", "not_applied"}


def test_show_gives_the_law_of_a_day_with_its_sources(command: Command) -> None:
    law = command("rules", "show", JIANGMEN, "--on", "2020-06-30", "--json").json
    dibao = next(p for p in law["programmes"] if p["id"] == "dibao")
    income = next(t for t in dibao["tests"] if t["id"] == "income")
    assert income["label_zh"] == "家庭人均收入低于当地最低生活保障标准"
    assert income["cite"][0]["title"] == "社会救助暂行办法" and income["cite"][0]["place"] == "9"
    standard = next(p for p in law["parameters"] if p["id"] == "dibao.standard")
    assert standard["value"] == {"rural": "900.00", "urban": "900.00"} and standard["status"] == "sourced"
    wanting = next(p for p in law["parameters"] if p["id"] == "medical.ratio")
    assert wanting["value"] is None and wanting["unknown"]


def test_show_prints_formulas_with_their_brackets(command: Command) -> None:
    said = command("rules", "show", JIANGMEN, "--on", "2020-06-30", "--formulas").out
    assert "dibao.standard[household.residence]" in said
    assert "900.00 rural, urban" in said


def test_show_uses_an_unsure_figure_only_if_it_is_accepted(command: Command) -> None:
    def figure(*options: str) -> object:
        law = command("rules", "show", JIANGMEN, "--on", "2024-06-30", "--json", *options).json
        return next(p["value"] for p in law["parameters"] if p["id"] == "dibao.standard")

    assert figure() is None
    assert figure("--accept", "dibao.standard") == {"rural": "950.00", "urban": "950.00"}


@pytest.mark.parametrize(("expected", "code"), [("eligible", 0), ("ineligible", 1)])
def test_run_compares_with_what_is_expected(
    expected: str, code: int, pack: Path, tmp_path: Path, command: Command
) -> None:
    cases = tmp_path / "cases.toml"
    cases.write_text(CASES.replace("OUTCOME", expected), encoding="utf-8")
    said = command("rules", "run", pack, cases)
    assert said.code == code
    assert ("✓" if code == 0 else "✗") in said.out
    assert said.err == ("" if code == 0 else "little: help: outcome eligible, expected ineligible\n")


def test_run_gives_one_json_list_even_if_an_expectation_is_not_met(
    pack: Path, tmp_path: Path, command: Command
) -> None:
    cases = tmp_path / "cases.toml"
    cases.write_text(CASES.replace("OUTCOME", "refer"), encoding="utf-8")
    said = command("rules", "run", pack, cases, "--json")
    assert said.code == 1
    assert said.json == [
        {
            "case": "little",
            "programme": "help",
            "member": None,
            "outcome": "eligible",
            "award": None,
            "failed": [],
            "causes": [],
        }
    ]


def test_run_takes_the_packs_own_cases_if_no_file_is_named(pack: Path, command: Command) -> None:
    (pack / "cases.toml").write_text(CASES.replace("OUTCOME", "eligible"), encoding="utf-8")
    (pack / "more.cases.toml").write_text(CASES.replace("OUTCOME", "refer"), encoding="utf-8")
    said = command("rules", "run", pack)
    assert said.code == 1
    assert said.err == "little: help: outcome eligible, expected refer\n"
    assert "2 cases: 1 as expected, 1 not" in said.out


def test_run_without_any_cases_says_so(pack: Path, command: Command) -> None:
    said = command("rules", "run", pack)
    assert said.code == 2 and "the pack has no cases" in said.err


def test_run_under_an_overlay_shows_what_the_cases_become(pack: Path, tmp_path: Path, command: Command) -> None:
    (pack / "cases.toml").write_text(CASES.replace("OUTCOME", "eligible"), encoding="utf-8")
    overlay = tmp_path / "what-if.toml"
    head = '[overlay]\nname = "nothing"\n[figures]\n'
    name = next(line.split('"')[1] for line in (pack / "parameters.toml").read_text().splitlines() if "id = " in line)
    overlay.write_text(f'{head}"{name}" = "0.00"\n', encoding="utf-8")
    assert command("rules", "run", pack).code == 0
    said = command("rules", "run", pack, "--overlay", overlay)
    assert said.code == 1 and "outcome ineligible, expected eligible" in said.err
