"""What the README says is true: its Python runs, its commands exist, its table is that of the packs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from meanscheck.faces.cli.app import app
from meanscheck.faces.cli.rules_years import place_table
from meanscheck.law.audit import audit, pack_folders
from meanscheck.synth import county

HOUSE = Path(__file__).parent.parent
GROUPS = {"rules", "feeds", "audit", "witness", "consents", "identity", "access", "requests"}
README = (HOUSE / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def commands(group: object, prefix: str = "") -> Iterator[str]:
    for name, command in getattr(group, "commands", {}).items():
        yield prefix + name
        yield from commands(command, f"{prefix}{name} ")


def test_the_python_blocks_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    county(tmp_path, households=40, seed=1)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for number, block in enumerate(blocks("python"), 1):
        exec(compile(block, f"README, Python block {number}", "exec"), namespace)
    said = capsys.readouterr().out
    assert "Verification report: request R0000000007" in said
    assert "eligible 52000" in said


def test_every_command_named_is_there() -> None:
    known = set(commands(typer.main.get_command(app)))
    named = set(re.findall(rf"`(?:meanscheck )?((?:{'|'.join(sorted(GROUPS))}) [a-z]+)", README))
    named |= set(re.findall(r"(?:^|`|/)meanscheck ([a-z]+)", README, re.MULTILINE)) - GROUPS
    assert {"demo", "verify", "replay", "rules check", "feeds show"} <= named
    named -= {"itself", "verifies"}
    assert named <= known
    assert {name for name in known if name not in GROUPS} <= named


def test_there_are_exactly_two_set_up_commands_of_one_line() -> None:
    set_up = [block for block in blocks("sh") if "venv" in block]
    assert [block.count("\n") for block in set_up] == [1, 1]
    assert "meanscheck demo" in set_up[0] and "pytest" in set_up[1]


def test_the_years_are_those_of_the_packs() -> None:
    (written,) = re.findall(r"<!-- years: .*? -->\n(.*?)\n<!-- end of years -->", README, re.DOTALL)
    table = place_table([audit(folder) for folder in pack_folders(HOUSE / "rules")])
    assert written == table, "write the table anew: meanscheck rules check --by-place"


def test_files_named_are_there() -> None:
    for name in re.findall(r"`((?:rules|schemas)/[\w/.-]*)`", README):
        assert (HOUSE / name).exists(), name
