"""Whoever is shown a household stands in the journal; and the commands on consents and persons."""

from __future__ import annotations

import getpass
import json
import shutil
from pathlib import Path

import pytest

from .conftest import Command, Demo


@pytest.fixture
def office(demo: Demo, tmp_path: Path) -> Path:
    """A copy of the demo's office, so that its journal is empty."""
    folder = tmp_path / "office"
    shutil.copytree(demo.folder, folder, ignore=shutil.ignore_patterns("inbox", "truth", "county.access*"))
    return folder


def readings(command: Command, office: Path, *more: str) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = command("access", "list", office / "county.duckdb", "--json", *more).json[
        "entries"
    ]
    return entries


def case_of(demo: Demo) -> str:
    return demo.receipts[0].stem.removesuffix(".tlog-proof").split(".")[0]


def test_every_command_that_shows_a_household_is_in_the_journal(command: Command, demo: Demo, office: Path) -> None:
    store, case = office / "county.duckdb", case_of(demo)
    number = "R" + case[1:]
    proof = office / "receipts" / demo.receipts[0].name
    shown = {
        "check": ("check", store, number, "--json"),
        "explain": ("explain", store, case, "--json"),
        "receipt": ("receipt", store, case, "--json"),
        "replay": ("replay", proof, "--store", store, "--json"),
        "steps": ("steps", store, case, "--json"),
        "consents list": ("consents", "list", store, "--case", case, "--on", "2020-06-30", "--json"),
        "consents impact": ("consents", "impact", store, f"{case}/A", "--on", "2020-07-01", "--json"),
    }
    for words in shown.values():
        said = command(*words, "--as", "officer-7", "--for", "objection")
        assert said.code == 0, said.err
    found = readings(command, office, "--household", case)
    assert [(one["command"], one["by"], one["purpose"], one["cases"]) for one in found] == [
        (name, "officer-7", "objection", [case]) for name in shown
    ]


def test_readings_of_all_are_readings_of_each(command: Command, office: Path) -> None:
    store = office / "county.duckdb"
    command("audit", "export", store, "--out", office / "tables", "--as", "auditor-1")
    assert [one["command"] for one in readings(command, office, "--household", "U-anyone")] == ["audit export"]


def test_nobody_named_is_entered_as_the_account(
    command: Command, demo: Demo, office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, case = office / "county.duckdb", case_of(demo)
    monkeypatch.delenv("MEANSCHECK_OFFICER", raising=False)
    command("explain", store, case)
    monkeypatch.setenv("MEANSCHECK_OFFICER", "officer-9")
    command("explain", store, case)
    command("explain", store, case, "--as", "officer-7")
    found = [(one["by"], one["known"]) for one in readings(command, office)]
    assert found == [(getpass.getuser(), "system"), ("officer-9", "environment"), ("officer-7", "given")]


def test_a_broken_chain_is_reported(command: Command, demo: Demo, office: Path) -> None:
    store, case = office / "county.duckdb", case_of(demo)
    for officer in ("officer-7", "officer-8"):
        command("explain", store, case, "--as", officer)
    journal = office / "county.access"
    journal.write_text(journal.read_text(encoding="utf-8").replace("officer-7", "officer-6"), encoding="utf-8")
    said = command("access", "list", store)
    assert said.code == 1
    assert "broken at line 1, 2" in said.err


def test_nothing_is_shown_where_the_journal_cannot_be_written(command: Command, demo: Demo, office: Path) -> None:
    (office / "county.access").mkdir()
    said = command("explain", office / "county.duckdb", case_of(demo))
    assert said.code == 2
    assert said.out == ""
    assert "nothing is shown" in said.err


def test_the_journal_says_nothing_of_what_was_read(command: Command, demo: Demo, office: Path) -> None:
    store, case = office / "county.duckdb", case_of(demo)
    command("check", store, "R" + case[1:], "--as", "officer-7")
    text = (office / "county.access").read_text(encoding="utf-8")
    assert set(readings(command, office)[0]) == {"n", "at", "by", "known", "command", "purpose", "cases"}
    assert "440703" not in text


def test_who_must_sign_is_listed(command: Command, office: Path) -> None:
    store = office / "county.duckdb"
    found = command("consents", "due", store, "--on", "2020-06-30", "--json").json
    assert {one["why"] for one in found} >= {"guardian_not_named"}
    gaps = command("consents", "due", store, "--on", "2020-06-30", "--gaps-only", "--json").json
    assert {one["why"] for one in gaps} <= {"missing", "withdrawn", "expired"}
    # The made-up consents hold for a year and a month, so that a year and a half on none does.
    later = command("consents", "due", store, "--on", "2022-01-01", "--gaps-only", "--json").json
    assert "expired" in {one["why"] for one in later}
    assert len(later) > len(gaps)


def test_the_rule_of_signing_again_is_shown_and_may_be_stated_anew(command: Command, office: Path) -> None:
    store = office / "county.duckdb"
    assert command("consents", "rule", store, "--json").json["members"] is True
    stated = command(
        "consents", "rule", store, "--source", "X县 授权书", "--from", "2020-01-01", "--no-members", "--json"
    )
    assert (stated.json["members"], stated.json["application"]) == (False, True)
    assert command("consents", "rule", store, "--source", "only one").code == 2


def test_persons_who_may_be_one_and_links_are_shown_without_numbers(command: Command, office: Path) -> None:
    store = office / "county.duckdb"
    assert command("identity", "suspects", store, "--on", "2020-06-30").code == 0
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    numbers = []
    for body in ("44070319500203100", "44070319500304100"):
        numbers.append(body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11])
    line = {"link_no": "L-1", "from_id_number": numbers[0], "to_id_number": numbers[1], "reason": "number_changed",
            "source": "派出所证明", "on": "2020-06-01"}  # fmt: skip
    path = office / "identity_links.jsonl"
    path.write_text(json.dumps(line) + "\n", encoding="utf-8")
    assert command("ingest", store, path).code == 0
    said = command("identity", "links", store)
    assert "number_changed" in said.out
    assert not any(number in said.out for number in numbers)
