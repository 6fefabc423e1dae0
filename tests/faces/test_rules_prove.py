"""`meanscheck rules prove`: what a legal officer sees."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from faces.conftest import Command

PACK = """
code = "000000"
name = "Somewhere"
first_day = 2020-01-01
[[instrument]]
id = "act"
title = "The Act"
in_force_on = 2010-01-01
"""
PARAMETERS = """
[[parameter]]
id = "line"
unit = "money"
  [[parameter.revision]]
  value = "900.00"
  in_force_on = 2010-01-01
  cite = ["act#1"]
  [[parameter.revision]]
  value = "950.00"
  in_force_on = 2021-01-01
  cite = ["act#2"]
"""
RULES = """
[[variable]]
id = "is_member"
entity = "member"
unit = "bool"
  [[variable.revision]]
  formula = 'lives_together'
  in_force_on = 2010-01-01
  cite = ["act#1"]

[[programme]]
id = "relief"
entity = "household"
in_force_on = 2010-01-01
  [[programme.test]]
  id = "income"
  falls_with = ["tax_income.amount"]
    [[programme.test.revision]]
    in_force_on = 2010-01-01
    formula = 'sum(t.amount for t in tax_income) COMPARED line'
    cite = ["act#1"]
"""


def somewhere(folder: Path, compared: str) -> str:
    for name, text in (("pack", PACK), ("parameters", PARAMETERS), ("rules", RULES.replace("COMPARED", compared))):
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return str(folder)


def test_a_sound_pack_is_proved_and_its_change_shown(tmp_path: Path, command: Command) -> None:
    run = command("rules", "prove", somewhere(tmp_path, "<"), "--members", "2", "--supporters", "0")
    assert run.code == 0
    for text in (
        "test income falls with tax_income.amount",
        "proved",
        "figure line",
        "act#2",
        "changes: ",
        "0 refuted",
    ):
        assert text in run.out


def test_a_refuted_claim_is_shown_by_a_household_that_runs(tmp_path: Path, command: Command) -> None:
    pack = somewhere(tmp_path, ">")
    run = command("rules", "prove", pack, "--members", "2", "--supporters", "0", "--theorems-only", "--json")
    assert run.code == 1
    proof = run.json
    (refuted, *others) = [th for th in proof["theorems"] if th["answer"] == "refuted"]
    assert refuted["claim"] == "test income falls with tax_income.amount" and len(refuted["households"]) == 2
    assert all(th["claim"] == refuted["claim"] for th in others)
    file = tmp_path / "found.toml"
    file.write_text("\n".join(refuted["households"]), encoding="utf-8")
    again = command("rules", "run", pack, str(file), "--json")
    assert again.code == 0
    assert [entry["outcome"] for entry in again.json] == ["ineligible", "eligible"]


def test_what_is_explained_is_shown_with_its_reason_and_fails_nothing(tmp_path: Path, command: Command) -> None:
    pack = somewhere(tmp_path, ">")
    entry = '[[theorem]]\nid = "relief: test income falls with tax_income.amount"\nwhy = "because"\n'
    (tmp_path / "theorems.toml").write_text(entry, encoding="utf-8")
    run = command("rules", "prove", pack, "--members", "2", "--supporters", "0", "--theorems-only")
    assert run.code == 0
    assert "explained: because" in run.out and "explained)" in run.out and "not so that" in run.out
    sound = somewhere(tmp_path, "<")
    run = command("rules", "prove", sound, "--members", "2", "--supporters", "0", "--theorems-only")
    assert run.code == 1
    assert "explains what holds" in run.err


def test_without_the_solver_it_says_how_to_get_it(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "z3", None)
    run = command("rules", "prove", somewhere(tmp_path, "<"))
    assert run.code == 2
    assert "meanscheck[prove]" in run.err
