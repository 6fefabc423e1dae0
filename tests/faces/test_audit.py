"""``meanscheck audit`` and the clocks of ``meanscheck replay``, on the demo's folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from faces.conftest import Command, Demo
from meanscheck.evidence import Store


@pytest.fixture(scope="module")
def spoiled(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's folder with one pension changed in the store."""
    folder = tmp_path_factory.mktemp("spoiled") / "office"
    shutil.copytree(demo.folder, folder, ignore=shutil.ignore_patterns("inbox", "truth", "*.projection"))
    case = demo.receipts[0].name.removesuffix(".tlog-proof")
    with Store.open(folder / "county.duckdb") as store:
        store.run(
            "update unit_persons set born_on = born_on - interval 1 day where role = 'member' and request = "
            "(select request from units where case_id = ?)",
            [case],
        )
    return folder


def test_the_audit_of_everything_holds_and_exports(demo: Demo, command: Command, tmp_path: Path) -> None:
    said = command("audit", "run", demo.folder, "--all", "--export", tmp_path / "tables", "--json")
    assert said.code == 0
    assert said.json["holds"] and said.json["batches"][0]["verdicts"] == {"equal": 150}
    assert said.json["signed_by"] and said.json["exported"]["decisions"] == 150
    assert (tmp_path / "tables" / "dictionary.csv").is_file()
    assert command("audit", "export", demo.folder, "--out", tmp_path / "tables").code == 2


def test_the_audit_says_what_differs_and_leaves_with_1(spoiled: Path, command: Command) -> None:
    said = command("audit", "run", spoiled, "--lang", "en")
    assert said.code == 1
    assert "replayed: different 1, equal 149" in said.out and "late or corrected evidence" in said.out


def test_a_sample_is_drawn_examined_and_reported(demo: Demo, command: Command, tmp_path: Path) -> None:
    line = ("audit", "sample", demo.folder, "--nonce", "公开: 07 13", "--size", 2, "--size", "dibao/ordinary=4")
    first = command(*line, "--out", tmp_path / "a.json", "--json").json
    assert {s["name"]: len(s["drawn"]) for s in first["strata"]}["dibao/ordinary"] == 4
    assert command(*line, "--out", tmp_path / "b.json").code == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    said = command("audit", "report", demo.folder, tmp_path / "a.json", "--out", tmp_path / "r.md", "--json")
    assert said.code == 0 and said.json["holds"] and said.json["rate"] == "0"
    text = (tmp_path / "r.md").read_text(encoding="utf-8")
    assert "公开: 07 13" in text and first["root"] in text and "\n---\n" in text


def test_a_sample_with_something_wrong_leaves_with_1(spoiled: Path, command: Command, tmp_path: Path) -> None:
    line = ("audit", "sample", spoiled, "--nonce", "x", "--size", 1000, "--out", tmp_path / "all.json")
    assert command(*line).code == 0
    said = command("audit", "report", spoiled, tmp_path / "all.json", "--out", tmp_path / "r.md", "--json")
    assert said.code == 1 and len(said.json["differing"]) == 1


@pytest.mark.parametrize(
    "line",
    [
        ("audit", "run", "FOLDER", "--batch", "none"),
        ("audit", "run", "FOLDER", "--all", "--batch", "none"),
        ("audit", "run", "FOLDER", "--policy", "none.policy"),
        ("audit", "sample", "FOLDER", "--nonce", " x"),
        ("audit", "sample", "FOLDER", "--nonce", "x", "--size", "dibao"),
        ("audit", "report", "FOLDER", "none.json"),
        ("audit", "export", "FOLDER", "--out", "new", "--batch", "none"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_refused_with_2(
    line: tuple[str, ...], demo: Demo, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = command(*(str(demo.folder) if part == "FOLDER" else part for part in line))
    assert said.code == 2 and said.out == "" and said.err.startswith("meanscheck: ")
    assert list(tmp_path.iterdir()) == []


def test_a_replay_goes_by_either_clock(demo: Demo, command: Command) -> None:
    line = ("replay", demo.receipts[0], "--store", demo.store)
    both = command(*line, "--as-known", "both", "--pack", "rules/cn/guangdong/jiangmen", "--json")
    assert both.code == 0
    assert {name: one["verdict"] for name, one in both.json.items()} == {"then": "equal", "now": "equal"}
    assert command(*line, "--as-known", "now").out.startswith("equal as known now: 7 groups")
    assert command(*line, "--pack", "rules/cn").code == 2


def test_a_replay_says_why_it_differs(demo: Demo, spoiled: Path, command: Command) -> None:
    said = command("replay", demo.receipts[0], "--store", spoiled, "--lang", "zh")
    assert said.code == 1 and "证据迟到或更正" in said.out
    told = json.loads(command("replay", demo.receipts[0], "--store", spoiled, "--json").out)
    assert told["classes"] == ["corrected_evidence"] and "evidence.input" in told["differences"]
