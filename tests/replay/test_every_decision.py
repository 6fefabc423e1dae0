"""Every decision of a run comes out again from its evidence, by the other executor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from decisions.office import Office, records

from meanscheck import replay
from meanscheck.decisions import assess
from meanscheck.errors import NotProven, ReplayDifference
from meanscheck.evidence import Store
from meanscheck.ledger import GROUPS, Ledger, Signer, verify
from meanscheck.replay import compare, replay_records


@pytest.mark.parametrize("which", ["clean", "messy"])
def test_every_decision_replays_equal(which: str, request: pytest.FixtureRequest) -> None:
    office: Office = request.getfixturevalue(which)
    held = records(office.result)
    found = list(replay_records(held, store=office.store))
    assert len(found) == office.county.households
    assert [line for one in found for line in one.differences] == []
    assert {one.groups for one in found} == {GROUPS}


@pytest.fixture(scope="module")
def receipts(messy: Office, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder with three receipts and the policy."""
    folder = tmp_path_factory.mktemp("sealed")
    ledger = Ledger.open(folder / "ledger", signer=Signer.generate("county.example/relief"))
    ledger.append(messy.result)
    for case in messy.outcomes["case_id"].unique().sort().head(3):
        held = messy.result.held(case)
        assert held.index is not None and held.leaf is not None and held.salts is not None
        for name, disclose in (("all", GROUPS), ("some", ("subject", "provenance", "result")), ("few", ("result",))):
            text = ledger.receipt(held.index, held.leaf, held.groups, held.salts, disclose=disclose)
            (folder / f"{case}-{name}.tlog-proof").write_text(text, encoding="utf-8", newline="")
    policy = folder / "county.policy"
    policy.write_text(ledger.policy().format(), encoding="utf-8")
    return folder, policy


def test_a_receipt_verifies_and_replays_from_its_file_alone(messy: Office, receipts: tuple[Path, Path]) -> None:
    folder, policy = receipts
    files = sorted(folder.glob("*-all.tlog-proof"))
    assert len(files) == 3
    for file in files:
        proven = verify(file, policy=policy)
        assert set(proven.groups) == set(GROUPS)
        result = replay(file, store=messy.store).raise_for_difference()
        assert result.is_equal and result.groups == GROUPS
        assert replay(file, store=messy.store, policy=policy).is_equal


def test_a_receipt_that_shows_some_groups_is_compared_in_those(messy: Office, receipts: tuple[Path, Path]) -> None:
    (file, *_) = sorted(receipts[0].glob("*-some.tlog-proof"))
    assert replay(file, store=messy.store).groups == ("subject", "result", "provenance")


def test_a_receipt_that_hides_where_it_comes_from_is_not_replayed(messy: Office, receipts: tuple[Path, Path]) -> None:
    (file, *_) = sorted(receipts[0].glob("*-few.tlog-proof"))
    with pytest.raises(NotProven, match="does not disclose"):
        replay(file, store=messy.store)


def test_a_changed_receipt_is_not_replayed(messy: Office, receipts: tuple[Path, Path]) -> None:
    (file, *_) = sorted(receipts[0].glob("*-all.tlog-proof"))
    data = file.read_bytes()
    for place in range(200, len(data), len(data) // 23):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(NotProven):
            replay(changed, store=messy.store, policy=receipts[1])


def test_another_store_says_that_it_lacks_the_law(receipts: tuple[Path, Path], tmp_path: Path) -> None:
    (file, *_) = sorted(receipts[0].glob("*-all.tlog-proof"))
    with Store.open(tmp_path / "empty.duckdb") as store:
        found = replay(file, store=store)
    assert found.verdict == "missing_input"
    with pytest.raises(ReplayDifference, match="law"):
        found.raise_for_difference()


def test_a_difference_is_named_by_its_path_without_values() -> None:
    recorded: Mapping[str, Any] = {
        "subject": {"case": "U-1"},
        "means": {"household": {"income": 123456}, "members": [{"id": "A", "values": {"age": 70, "gone": 1}}]},
        "result": {"household": [{"programme": "dibao", "outcome": "refer"}]},
    }
    again: dict[str, Any] = json.loads(json.dumps(recorded))
    again["means"]["household"]["income"] = 654321
    again["means"]["members"][0]["values"] = {"age": 71, "come": 1}
    again["result"]["household"] = []
    found = compare(recorded, again)
    assert found.differences == (
        "means.household.income",
        "means.members[A].values.age",
        "means.members[A].values.come: only in the replay",
        "means.members[A].values.gone: only in the record",
        "result.household[dibao]: only in the record",
    )
    assert "123456" not in found.text() and "654321" not in repr(found)
    with pytest.raises(ReplayDifference, match=r"means\.household\.income"):
        found.raise_for_difference()


def test_yes_is_not_one() -> None:
    a: Mapping[str, Any] = {"subject": {"case": "U"}, "means": {"household": {"x": True}}}
    b: Mapping[str, Any] = {"subject": {"case": "U"}, "means": {"household": {"x": 1}}}
    assert compare(a, b).differences == ("means.household.x",)


def test_a_run_that_was_sealed_first_is_the_same_run(messy: Office, tmp_path: Path) -> None:
    """A ledger that asks for the blocks makes the run, after the opening is published."""
    late = assess(messy.store, messy.law, vault=tmp_path / "vault")
    ledger = Ledger.open(tmp_path / "ledger", signer=Signer.generate("county.example/relief"))
    sealed = ledger.append(late)
    opening = json.loads(ledger.entry(sealed.open_index))["opening"]
    assert opening["run"] == "after opening"
    assert opening["law"] == messy.law.digest and opening["snapshot"] == messy.result.snapshot.id
    closing = json.loads(ledger.entry(sealed.close_index))
    assert closing["count"] == sealed.count == messy.county.households
    counted = {p: {o: n for (q, o), n in messy.result.counts.items() if q == p} for p, _ in messy.result.counts}
    assert closing["closing"]["outcomes"] == counted
    assert late.records_root == messy.result.records_root
    ledger.check()
