"""`meanscheck step`, `steps` and `latest`, on a copy of the demo."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from faces.conftest import Command, Demo

TOWN, COUNTY = "440703001", "440703/civil-affairs"
STEPS = (
    "acceptance", "relative", "finding", "visit", "appraisal", "publication", "opinion", "second_publication",
    "objection", "recheck", "confirmation", "override", "notice",
)  # fmt: skip


@pytest.fixture
def office(demo: Demo, tmp_path: Path) -> Demo:
    return Demo(Path(shutil.copytree(demo.folder, tmp_path / "demo")), demo.summary)


def case_of(office: Demo) -> str:
    return office.receipts[0].name.removesuffix(".tlog-proof")


def body(tmp_path: Path, **members: object) -> str:
    file = tmp_path / f"{'-'.join(members)}-{len(str(members))}.json"
    file.write_text(json.dumps(members), encoding="utf-8")
    return str(file)


def test_a_case_goes_through_the_offices_steps(command: Command, office: Demo, tmp_path: Path) -> None:
    case = case_of(office)

    def step(name: str, day: str, by: str, *more: object) -> int:
        said = command("step", office.store, case, name, "--by", by, "--on", day, *more, "--json")
        assert said.code == 0, said.err
        return int(said.json["index"])

    first = step("acceptance", "2020-07-01", TOWN, "--programme", "dibao")
    named = body(tmp_path, relation="sibling", officers=["王小明"])
    assert step("relative", "2020-07-02", TOWN, "--body", named) == first + 1
    for name, day in (("visit", "2020-07-03"), ("appraisal", "2020-07-06"), ("publication", "2020-07-07")):
        step(name, day, TOWN)
    step("opinion", "2020-07-14", COUNTY)
    step("second_publication", "2020-07-15", COUNTY)

    refused = command("step", office.store, case, "confirmation", "--by", COUNTY, "--on", "2020-07-22")
    assert (refused.code, refused.out) == (2, "")
    assert "asks for a visit by the organisation that decides" in refused.err

    days = tmp_path / "days.toml"
    days.write_text(
        'known_from = 2020-07-01\nknown_until = 2020-12-31\nsource = "made up"\nholidays = []\nworkdays = []\n',
        encoding="utf-8",
    )
    shown = command("steps", office.store, case, "--calendar", days, "--json").json
    assert [s["step"] for s in shown["steps"]][:3] == ["acceptance", "relative", "visit"]
    assert shown["steps"][1]["body"]["officers"] == ["王小明"]
    (procedure,) = shown["procedures"]
    assert (procedure["procedure"], procedure["possible"]) == (
        "dibao-2012",
        [step for step in STEPS if step not in ("acceptance", "recheck", "notice")],
    )
    assert procedure["by_decider"] == [{"step": "visit", "because": "relative", "taken_by": [TOWN]}]
    assert {c["clock"]: (c["until"], c["kept"]) for c in procedure["clocks"]}["survey"] == ("2020-07-15", True)

    step("visit", "2020-07-22", COUNTY)
    last = step("confirmation", "2020-07-24", COUNTY)
    told = command("steps", office.store, case, "--calendar", days)
    assert told.code == 0
    assert "近亲属备案" in told.out and "入户调查" in told.out and str(last) in told.out
    assert told.out.count("kept") == 4 and "late" not in told.out and "runs" not in told.out
    assert command("verify", office.receipts[0], "--policy", office.policy).code == 0

    log = office.folder / "ledger"
    assert not any("王小明".encode() in file.read_bytes() for file in log.rglob("*") if file.is_file())
    other = office.receipts[1].name.removesuffix(".tlog-proof")
    assert "no step was entered" in command("steps", office.store, other).out


def test_what_cannot_be_entered_is_said_without_repeating_it(command: Command, office: Demo, tmp_path: Path) -> None:
    case = case_of(office)
    start = ("step", office.store, case, "acceptance", "--by", TOWN, "--on", "2020-07-01")
    for line, why in (
        (start, "needed for the first step"),
        ((*start, "--programme", "medical_relief"), "no procedure of medical_relief"),
        ((*start, "--programme", "dibao", "--body", body(tmp_path, secret="王小明")), "other members"),
        ((*start, "--programme", "dibao", "--body", body(tmp_path, officers="王小明")), "a list of texts"),
        ((*start, "--programme", "dibao", "--body", body(tmp_path, amount_fen=1.5)), "whole number"),
        ((*start, "--programme", "dibao", "--body", tmp_path / "none.json"), "none.json"),
        (
            ("step", office.store, case, "approve", "--by", TOWN, "--on", "2020-07-01", "--programme", "dibao"),
            "no such step",
        ),
        (("steps", office.store, case, "--calendar", tmp_path / "none.toml"), "none.toml"),
    ):
        said = command(*line)
        assert (said.code, said.out) == (2, ""), said
        assert why in said.err and "王小明" not in said.err
    assert not (office.folder / "county.steps").exists()


def test_the_latest_decision_is_proven_until_it_is_decided_again(
    command: Command, office: Demo, tmp_path: Path
) -> None:
    receipt, policy, log, proof = office.receipts[0], office.policy, office.folder / "ledger", tmp_path / "0.latest"
    made = command("latest", receipt, "--policy", policy, "--log", log, "--out", proof)
    assert made.code == 0 and "最新决定" in made.out and "the household's latest" in made.out
    held = command("latest", receipt, "--policy", policy, "--proof", proof, "--json")
    assert (held.code, held.json["latest"]) == (0, True)
    other = command("latest", office.receipts[1], "--policy", policy, "--proof", proof)
    assert other.code == 1 and "another decision" in other.err

    again = command(
        "assess", office.store, "rules/cn/guangdong/jiangmen", "--on", "2020-06-30", "--supersede", "review", "--json"
    )
    assert again.code == 0, again.err
    assert again.json["sealed"]["count"] == 150
    gone = command("latest", receipt, "--policy", policy, "--log", log)
    assert gone.code == 1 and "decided the household again" in gone.err
    # The proof made before says what was so at its checkpoint.
    assert command("latest", receipt, "--policy", policy, "--proof", proof).code == 0


@pytest.mark.parametrize("given", [(), ("--log", "ledger", "--proof", "x"), ("--proof", "none"), ("--log", "none")])
def test_latest_asks_for_a_log_or_a_proof(given: tuple[str, ...], command: Command, demo: Demo) -> None:
    said = command("latest", demo.receipts[0], "--policy", demo.policy, *given)
    assert (said.code, said.out) == (2, "")
