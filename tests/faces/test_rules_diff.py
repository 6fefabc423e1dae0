"""``meanscheck rules diff`` as a legal officer runs it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from .conftest import Command, Demo

JIANGMEN = "rules/cn/guangdong/jiangmen"


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    file = tmp_path / "more.toml"
    file.write_text('[overlay]\nname = "a hundred more"\n[figures]\n"dibao.standard" = "1000.00"\n', encoding="utf-8")
    return file


def test_the_law_alone_is_compared_without_a_store(overlay: Path, command: Command) -> None:
    said = command("rules", "diff", JIANGMEN, overlay, "--on", "2020-06-30")
    assert said.code == 0
    assert "Jiangmen + a hundred more" in said.out
    assert "dibao.standard" in said.out and "900.00" in said.out and "1000.00" in said.out


def test_the_law_of_two_days_is_compared(command: Command) -> None:
    days = ("--on", "2020-06-30", "--old-law-of", "2019-12-31")
    found = command("rules", "diff", JIANGMEN, JIANGMEN, *days, "--json").json["changes"]
    (standard,) = [c for c in found if c["id"] == "dibao.standard"]
    assert (standard["before"], standard["after"]) == ("850.00", "900.00")


def test_a_law_that_is_the_same_says_so(command: Command) -> None:
    assert "The two laws say the same" in command("rules", "diff", JIANGMEN, JIANGMEN, "--on", "2020-06-30").out


def test_a_caseload_shows_who_flips_what_it_costs_and_by_which_figure(
    demo: Demo, overlay: Path, tmp_path: Path, command: Command
) -> None:
    line = ("rules", "diff", JIANGMEN, overlay, "--store", demo.store, "--on", "2020-06-30", "--as", "L1")
    said = command(*line, "--json").json
    (dibao,) = [t for t in said["totals"] if t["programme"] == "dibao"]
    # Whoever is eligible stays so and gets 100.00 for each member; whoever becomes so gets what is short of 1000.00.
    assert dibao["eligible_after"] >= dibao["eligible_before"] > 0
    assert dibao["fen_after"] - dibao["fen_before"] >= 10_000 * dibao["eligible_before"]
    assert all(row["by"] == ["dibao.standard"] and not row["together"] for row in said["rows"])
    raised = [r for r in said["rows"] if r["programme"] == "dibao" and r["outcome_before"] == "eligible"]
    assert len(raised) == dibao["raised"] == dibao["eligible_before"]
    assert all((r["award_fen_after"] - r["award_fen_before"]) % 10_000 == 0 for r in raised)
    shown = command(*line, "--most", "3", "--out", tmp_path / "all.csv")
    assert shown.code == 0 and "What it costs" in shown.out and "more: --most 0 shows all" in shown.out
    written = pl.read_csv(tmp_path / "all.csv")
    assert written.height == len(said["rows"]) and set(written["by"]) == {"dibao.standard"}
    assert "rules diff" in command("access", "list", demo.store, "--json").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere.toml",), "no such file"),
        ((JIANGMEN, "--out", "x.xlsx"), "*.csv or *.parquet"),
        ((JIANGMEN, "--new-law-of", "yesterday"), "not a day"),
        ((JIANGMEN, "--old-law-of", "1990-01-01"), "no programme is in force"),
        ((JIANGMEN, "--accept", "dibao.standart"), "no figure or rule dibao.standart"),
    ],
)
def test_what_cannot_be_compared_is_said(arguments: tuple[str, ...], words: str, command: Command) -> None:
    said = command("rules", "diff", JIANGMEN, *arguments)
    assert said.code != 0 and words in said.err and said.out == ""
