"""The demo, and on its folder every command of the daily work."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from faces.conftest import Command, Demo


def case_of(receipt: Path) -> str:
    return receipt.name.removesuffix(".tlog-proof")


def test_its_folder_holds_one_store_one_policy_a_log_and_receipts(demo: Demo) -> None:
    assert [p.name for p in demo.folder.rglob("*.duckdb")] == ["county.duckdb"]
    assert [p.name for p in demo.folder.rglob("*.policy")] == ["county.policy"]
    assert len(demo.receipts) == 6
    assert (demo.folder / "ledger" / "checkpoint").is_file()


def test_every_decision_that_is_made_is_as_the_truth_has_it(demo: Demo) -> None:
    for programme, agreement in demo.summary["against_truth"].items():
        assert agreement["decided"] == agreement["equal"] > 0, programme
        assert agreement["wrongly_eligible"] == agreement["wrongly_ineligible"] == agreement["award_differs"] == 0


def test_the_summary_counts_what_was_set_aside_and_why(demo: Demo) -> None:
    intake, quarantine = demo.summary["intake"], demo.summary["quarantine"]
    assert intake["accepted"] > intake["quarantined"] > 0
    assert quarantine["bad_check_digit"] > 0
    assert demo.summary["accepted"] == []
    assert demo.summary["refer_causes"]["medical_relief"]["parameter:medical.ratio"] > 0
    assert set(demo.summary["doubtful_points"]) == {"vehicles", "real_estate", "business_registration"}


def test_each_receipt_verifies_and_replays(demo: Demo, command: Command) -> None:
    for receipt in demo.receipts:
        assert command("verify", receipt, "--policy", demo.policy).code == 0
    said = command("replay", demo.receipts[0], "--store", demo.store, "--policy", demo.policy)
    assert said.code == 0 and said.out.startswith("equal: 7 groups")


def test_verify_says_why_a_changed_receipt_does_not_hold(demo: Demo, command: Command, tmp_path: Path) -> None:
    text = bytearray(demo.receipts[0].read_bytes())
    text[len(text) // 2] ^= 1
    changed = tmp_path / "changed.tlog-proof"
    changed.write_bytes(text)
    said = command("verify", changed, "--policy", demo.policy, "--json")
    assert said.code == 1
    assert said.json["holds"] is False and said.json["step"]
    assert said.err.startswith("meanscheck: ")


def test_verify_refuses_what_is_no_receipt_with_1_and_what_is_no_policy_with_2(demo: Demo, command: Command) -> None:
    assert command("verify", demo.policy, "--policy", demo.policy).code == 1
    assert command("verify", demo.receipts[0], "--policy", demo.receipts[0]).code == 2


def test_a_new_demo_does_not_touch_what_is_there(demo: Demo, command: Command) -> None:
    before = demo.store.read_bytes()
    said = command("demo", "--out", demo.folder)
    assert said.code == 2 and "not empty" in said.err
    assert demo.store.read_bytes() == before


def test_a_receipt_may_show_some_groups_only(demo: Demo, command: Command, tmp_path: Path) -> None:
    case, out = case_of(demo.receipts[1]), tmp_path / "some.tlog-proof"
    said = command("receipt", demo.folder, case, "--disclose", "result,reasons", "--out", out)
    assert said.code == 0
    proven = command("verify", out, "--policy", demo.policy, "--json").json
    assert proven["holds"] and proven["shown"] == ["reasons", "result"]
    replayed = command("replay", out, "--store", demo.store)
    assert replayed.code == 2 and "does not disclose" in replayed.err
    assert command("receipt", demo.folder, case, "--disclose", "everything").code == 2


def test_explain_and_check_tell_of_a_case(demo: Demo, command: Command) -> None:
    case = case_of(demo.receipts[0])
    assert "最低生活保障" in command("explain", demo.store, case).out
    told = command("explain", demo.store, case, "dibao", "--json").json
    assert [t["programme"] for t in told] == ["dibao"] and told[0]["tests"]
    assert command("explain", demo.store, case, "wubao").code == 2
    assert command("explain", demo.store, "U9999999999").code == 2
    request = case.replace("U", "R", 1)
    report = command("check", demo.store, request, "--json").json
    assert report["case"] == case and report["items"]
    for lang, words in (("zh", "不作认定"), ("en", "it decides nothing")):
        assert words in command("check", demo.store, request, "--lang", lang).out
    assert command("check", demo.store, "R9999999999").code == 2


def test_a_decision_is_explained_down_to_rows_in_three_forms(demo: Demo, command: Command) -> None:
    case = case_of(demo.receipts[0])
    short, long = (command("explain", demo.store, case, "--depth", str(n)).out for n in (1, 9))
    assert len(short.splitlines()) < len(long.splitlines()) and ".csv 第" in long
    assert ".csv:" in command("explain", demo.store, case, "--depth", "9", "--lang", "en").out
    assert "以上数据与决定记录一致" in short
    sealed = command("explain", demo.store, case, "--format", "json").json
    assert sealed["kind"] == "decision" and sealed["holds"] is True
    assert command("explain", demo.store, case, "--format", "json", "--receipt", demo.receipts[0]).json == sealed
    page = command("explain", demo.store, case, "--format", "html", "--lang", "en").out
    assert page.startswith('<article class="explanation" lang="en">') and "<table>" in page
    other = command("explain", demo.store, case, "--receipt", demo.receipts[1])
    assert other.code == 2 and "another case" in other.err


def test_what_would_turn_outcomes_is_written_beside_the_decisions(demo: Demo, command: Command, tmp_path: Path) -> None:
    folder, file = tmp_path / "office", tmp_path / "turning.parquet"
    shutil.copytree(demo.folder, folder)
    line = ("assess", folder, "rules/cn/guangdong/jiangmen", "--on", "2020-06-30", "--no-seal", "--json")
    done = command(*line, "--counterfactuals", file)
    assert done.code == 0, done.err
    frame = pl.read_parquet(file)
    assert frame.height and set(frame["turns_to"]) == {"eligible", "ineligible"}
    assert (frame["to"] - frame["from"] == frame["change"]).all()
    told = command("explain", demo.store, frame["case_id"][0], frame["programme"][0], "--lang", "en").out
    assert frame["fact"][0] in told and "⇄" in told


def test_quarantine_lists_file_line_and_reason_and_no_value(demo: Demo, command: Command) -> None:
    rows = command("quarantine", demo.store, "--json").json
    assert len(rows) == sum(demo.summary["quarantine"].values())
    assert {"feed", "file", "line", "field", "reason", "what", "zh"} == set(rows[0])
    assert "wrong check digit" in command("quarantine", demo.store, "--most", 0).out
    assert "--most 0" in command("quarantine", demo.store, "--most", 3).out


@pytest.fixture(scope="module")
def office(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's inbox, and nothing else."""
    folder = tmp_path_factory.mktemp("office")
    shutil.copytree(demo.folder / "inbox", folder / "inbox")
    return folder


def test_the_daily_work_step_by_step(demo: Demo, office: Path, command: Command) -> None:
    made = command("init", office, "--unprotected-key", "--json").json
    assert command("init", office, "--unprotected-key").code == 2
    first = command("ingest", made["store"], office / "inbox", "--json").json
    assert sum(r["accepted"] for r in first) == demo.summary["intake"]["accepted"]
    again = command("ingest", made["store"], office / "inbox", "--json").json
    assert all(r["already_known"] for r in again)
    (requests,) = command("ingest", made["store"], office / "inbox" / "requests.jsonl", "--json").json
    assert (requests["added"], requests["known"]) == (0, 150)
    line = ("assess", office, "rules/cn/guangdong/jiangmen", "--on", "2020-06-30", "--json")
    result = command(*line).json
    assert result["outcomes"] == demo.summary["outcomes"]
    assert result["records_root"] == demo.summary["records_root"]
    assert result["sealed"]["count"] == 150
    case = case_of(demo.receipts[0])
    written = command("receipt", office, case, "--json").json
    assert command("verify", written["file"], "--policy", made["policy"]).code == 0
    assert command("replay", written["file"], "--store", made["store"]).code == 0


def test_init_wants_a_passphrase(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEANSCHECK_KEY_PASSPHRASE", raising=False)
    said = command("init", tmp_path / "office")
    assert said.code == 2 and "MEANSCHECK_KEY_PASSPHRASE" in said.err


def test_assess_without_a_key_says_how_to_go_on(demo: Demo, command: Command, tmp_path: Path) -> None:
    shutil.copy(demo.store, tmp_path / "county.duckdb")
    line = ("assess", tmp_path, "rules/cn/guangdong/jiangmen", "--on", "2020-06-30")
    assert command(*line).code == 2
    said = command(*line, "--no-seal")
    assert said.code == 0 and "referred to a person" in said.out


def test_synth_does_not_touch_what_is_there(command: Command, tmp_path: Path) -> None:
    first = command("synth", tmp_path / "c", "--households", 20, "--seed", 3, "--json").json
    assert first["households"] == 20
    assert command("synth", tmp_path / "c", "--households", 20).code == 2
    again = command("synth", tmp_path / "c", "--households", 20, "--seed", 3, "--force", "--json").json
    assert again == first
