"""Requests and traces on the command line, as a caseworker uses them on a demo county."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .conftest import Command, Demo

PACK = ("--pack", "rules/cn/guangdong/jiangmen")
CALENDAR = """known_from = 2020-06-01
known_until = 2020-12-31
source = "made up"
holidays = [2020-10-01]
workdays = []
"""


@pytest.fixture
def county(demo: Demo, tmp_path: Path) -> Path:
    """A copy of the demo's store, since requests change it."""
    store = tmp_path / "county.duckdb"
    shutil.copy(demo.store, store)
    (tmp_path / "calendar.toml").write_text(CALENDAR, encoding="utf-8")
    return store


def test_a_request_is_made_sent_and_followed(county: Path, command: Command) -> None:
    out, calendar = county.parent / "out", county.parent / "calendar.toml"
    line = ("requests", "make", county, "U0000000002", "--number", "R9", "--on", "2020-07-01", *PACK)
    shown = command(*line, "--dry-run", "--json")
    assert shown.code == 0 and shown.json["taken_in"] is False
    made = command(*line, "--json")
    assert {a["reason"] for a in made.json["asks"]} <= {"ask", "own", "not_needed", "no_consent"}
    assert made.json["authorised_under"] == ["cn-220-2012#12"]
    again = command(*line)
    assert again.code == 2 and "used before" in again.err

    sent = command("requests", "export", county, "--request", "R9", "--out", out, "--on", "2020-07-01", *PACK,
                   "--within", "5", "--calendar", calendar, "--json")  # fmt: skip
    assert sent.code == 0, sent.err
    # Wednesday 1 July and five working days: Wednesday 8 July.
    assert {letter["due_on"] for letter in sent.json} == {"2020-07-08"}
    assert {letter["feed"] for letter in sent.json} <= set(made.json["feeds"])

    options = ("--on", "2020-07-10", *PACK, "--within", "5", "--request", "R9")
    status = command("requests", "status", county, *options, "--calendar", calendar, "--json").json
    assert {n["state"] for n in status["needs"]} == {"waiting"}
    assert {n["overdue_days"] for n in status["needs"]} == {2}
    assert status["reports"] == [
        {"request_no": "R9", "case_id": "U0000000002", "reference_day": "2020-06-30", "valid_until": "2020-12-30"}
    ]
    late = command("requests", "status", county, *options, "--calendar", calendar, "--overdue")
    assert late.code == 0 and "2 wd" in late.out
    unknown = command("requests", "status", county, *options)
    assert "working days are not known" in unknown.out
    refused = command("requests", "status", county, *options, "--overdue")
    assert refused.code == 2 and "--calendar" in refused.err


def test_the_whole_county_is_shown_by_whom_is_asked(demo: Demo, command: Command) -> None:
    said = command("requests", "status", demo.store, "--on", "2020-07-10", *PACK)
    assert said.code == 0 and "bank_deposits" in said.out and "ICBC" in said.out
    one = command("requests", "status", demo.store, "--on", "2020-07-10", *PACK, "--request", "none")
    assert one.code == 2


def test_a_figure_is_traced_to_files_and_lines(demo: Demo, command: Command) -> None:
    told = command("trace", demo.store, "U0000000002", "household_income", "--json")
    assert told.code == 0, told.err
    assert told.json["agrees"] is True
    (step,) = told.json["steps"]
    assert step["name"] == "household_income" and step["children"]
    short, full = (command("trace", demo.store, "U0000000002", "household_income", *o) for o in ((), ("--full",)))
    assert short.code == full.code == 0
    assert len(short.out.splitlines()) < len(full.out.splitlines())
    assert "与已封存的决定一致" in short.out
    wrong = command("trace", demo.store, "U0000000002", "wealth")
    assert wrong.code == 2 and "household_income" in wrong.err


def test_a_report_says_until_when_it_holds(demo: Demo, command: Command) -> None:
    said = command("check", demo.store, "R0000000002", *PACK, "--json")
    assert said.json["valid_until"] == "2020-12-30"
    assert any(i["stale_from"] == "2021-01-01" for i in said.json["items"])
    assert "报告有效期至 2020-12-30" in command("check", demo.store, "R0000000002", *PACK).out
    assert command("check", demo.store, "R0000000002", "--json").json["valid_until"] is None
