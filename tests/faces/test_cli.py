"""The command line as a whole: help, exit codes, JSON, and what an error says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from faces.conftest import Command
from meanscheck.faces.cli.app import app
from meanscheck.faces.cli.page import CAUSES, in_words
from meanscheck.values.evidence_state import STATE_WORDS


def leaves(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(leaves(typer.main.get_command(app)))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_gives_json(path: tuple[str, ...]) -> None:
    assert any("--json" in p.opts for p in COMMANDS[path].params)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help(path: tuple[str, ...], command: Command) -> None:
    said = command(*path, "--help")
    assert said.code == 0
    assert said.out.startswith("Usage: meanscheck")


def test_help_takes_less_than_half_a_second_of_work() -> None:
    def once() -> float:
        before = os.times()
        subprocess.run([sys.executable, "-m", "meanscheck", "--help"], capture_output=True, check=True)
        after = os.times()
        return (after.children_user - before.children_user) + (after.children_system - before.children_system)

    assert min(once() for _ in range(3)) < 0.5


@pytest.mark.parametrize(
    "line",
    [
        ("verify", "none.tlog-proof", "--policy", "none.policy"),
        ("replay", "none.tlog-proof", "--store", "none.duckdb"),
        ("ingest", "none.duckdb", "inbox"),
        ("quarantine", "none.duckdb"),
        ("check", "none.duckdb", "R1"),
        ("assess", "none.duckdb", "rules/cn", "--on", "2020-06-30"),
        ("explain", "none.duckdb", "U1"),
        ("receipt", "none.duckdb", "U1"),
        ("audit", "run", "none.duckdb"),
        ("audit", "sample", "none.duckdb", "--nonce", "x"),
        ("audit", "report", "none.duckdb", "none.json"),
        ("audit", "export", "none.duckdb", "--out", "tables"),
        ("rules", "check", "none"),
        ("rules", "show", "none", "--on", "2020-06-30"),
        ("rules", "show", "rules/cn", "--on", "yesterday"),
        ("rules", "show", "rules/cn", "--on", "2020-06-30", "--accept", "nothing"),
        ("rules", "run", "rules/cn", "none.toml"),
        ("feeds", "show", "none"),
        ("feeds", "template", "none"),
    ],
    ids=" ".join,
)
def test_unusable_input_is_one_line_and_code_2(
    line: tuple[str, ...], command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = command(*line)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("meanscheck: ") and said.err.count("\n") == 1


def test_a_word_that_is_no_command_is_code_2(command: Command) -> None:
    assert command("approve").code == 2


def test_an_unforeseen_fault_does_not_repeat_what_it_says(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> str:
        raise ValueError("110105194912310021 has 12.34 yuan")

    monkeypatch.setattr("meanscheck.contracts.texts.feed_text", fail)
    said = command("feeds", "show", "deaths")
    assert said.code == 3
    assert "110105" not in said.err and "12.34" not in said.err
    assert "ValueError in show (feeds.py:" in said.err


def test_causes_are_told_in_words() -> None:
    told = in_words(["no_answer:bank_deposits", "no_answer:tax_income", "parameter:dibao.standard"])
    assert told == "no answer: bank_deposits, tax_income; figure missing: dibao.standard"
    assert set(STATE_WORDS) - {"answered"} <= set(CAUSES)


def test_feeds(command: Command, tmp_path: Path) -> None:
    assert "bank_deposits" in command("feeds", "list").out
    names = {f["feed"] for f in command("feeds", "list", "--json").json}
    assert {"bank_deposits", "findings", "vehicles"} <= names
    assert "公民身份号码" in command("feeds", "show", "bank_deposits").out
    columns = {c["name"] for c in command("feeds", "show", "bank_deposits", "--json").json["columns"]}
    assert {"id_number", "balance", "bank_code"} <= columns
    template = tmp_path / "t.csv"
    assert command("feeds", "template", "bank_deposits", "--out", template).code == 0
    assert template.read_bytes() == command("feeds", "template", "bank_deposits").out.encode()


def test_feeds_sniff_proposes_writes_and_shows_no_cell(command: Command, tmp_path: Path) -> None:
    number, balance = "11010519491231002X", "45678.90"
    path = tmp_path / "sent.txt"
    path.write_text(f"ZJHM|账户余额|户名|BZ\n{number}|{balance}|欧阳某某|机密\n", encoding="gb18030")
    said = command("feeds", "sniff", path, "--feed", "bank_deposits", "--write")
    assert said.code == 0
    facts = command("feeds", "sniff", path, "--feed", "bank_deposits", "--json")
    assert [c["column"] for c in facts.json["columns"]] == ["id_number", "balance", "name", None]
    written = (tmp_path / "sent.mapping.toml").read_text(encoding="utf-8")
    for shown in (said.out, said.err, facts.out, written):
        assert not [cell for cell in (number, number[:6], balance, "欧阳", "机密") if cell in shown]
    assert command("feeds", "sniff", path, "--feed", "bank_deposits", "--write").code == 2
    assert "there is a mapping already" in command("feeds", "sniff", path, "--write", "--feed", "bank_deposits").err
    junk = tmp_path / "junk.csv"
    junk.write_text("a,b\n1,2\n", encoding="utf-8")
    assert "no idea" in command("feeds", "sniff", junk).out
    assert command("feeds", "sniff", junk, "--write").code == 2


def test_a_mapping_goes_with_a_single_file(command: Command, tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    store = tmp_path / "o" / "county.duckdb"
    assert command("init", store.parent, "--unprotected-key").code == 0
    said = command("ingest", store, tmp_path / "inbox", "--mapping", "x.toml")
    assert said.code == 2
    assert "--mapping goes with a single file" in said.err
