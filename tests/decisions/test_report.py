"""The verification report: declared, found, difference, doubtful points and conclusion words, never an outcome."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from evidence.inboxes import Inbox, consent, deposit, member, request, resident, wage

from meanscheck.decisions import Report, check
from meanscheck.errors import StoreError
from meanscheck.evidence import Store

from .office import Office

A, B = resident(1), resident(2)
FEEDS = [
    {"feed": "bank_deposits", "institutions": ["ABC", "ICBC"]},
    {"feed": "tax_income"},
    {"feed": "vehicles"},
    {"feed": "deaths"},
]
OUTCOME_WORDS = re.compile(r"eligible|\brefer(s|red)?\b|approv|reject|符合条件|批准|拒绝|转人工", re.IGNORECASE)


@dataclass(frozen=True)
class Checked:
    store: Store
    inbox: Inbox
    report: Report


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checked]:
    """Two members: A declared 100.00 of deposits and holds 130.00, and a car hits; B's bank is silent in part."""
    inbox = Inbox(tmp_path_factory.mktemp("report"))
    files = [
        inbox.bank("ABC", [deposit(A, "ABC", "100.00"), deposit(B, "ABC", "5.00")]),
        inbox.bank(
            "ICBC", [deposit(A, "ICBC", "30.00", "T2")], not_answered=[{"id_type": "resident_id", "id_number": B}]
        ),
        inbox.tax([wage(A, "2020-03", "1000.00"), wage(A, "2020-04", "1200.00"), wage(B, "2020-13", "1.00")]),
        inbox.feed(
            "vehicles",
            [{"id_number": A, "vehicle_token": "V1", "vehicle_class": "car", "status": "normal"}],
            as_of="2020-06-20",
        ),
        inbox.feed(
            "declaration",
            [
                {"id_number": A, "item": "bank_deposits.balance", "amount": "100.00"},
                {"id_number": A, "item": "wages", "amount": "2200.00"},
            ],
        ),
    ]
    with inbox.store() as store:
        store.requests(inbox.requests(request(feeds=FEEDS, members=[member("A", A), member("B", B)])))
        store.consents(inbox.consents(consent(A), consent(B)))
        for file in files:
            store.ingest(file.stem.split("-")[0], file)
        yield Checked(store, inbox, check(store, "R-U-1"))


def item(report: Report, who: str, feed: str) -> dict[str, object]:
    (found,) = (i for i in report.to_json()["items"] if (i["member"], i["feed"]) == (who, feed))
    return dict(found)


def test_found_less_declared_is_the_difference(checked: Checked) -> None:
    row = item(checked.report, "A", "bank_deposits")
    assert (row["declared"], row["found"], row["difference"]) == ("100.00", "130.00", "30.00")
    assert (row["state"], row["rows"], row["conclusion"]) == ("answered", 2, "有记录")
    row = item(checked.report, "A", "tax_income")
    assert (row["declared"], row["found"], row["difference"]) == ("2200.00", "2200.00", "0.00")


def test_a_silent_bank_leaves_the_sum_unknown_and_not_smaller(checked: Checked) -> None:
    row = item(checked.report, "B", "bank_deposits")
    assert (row["state"], row["found"], row["difference"], row["conclusion"]) == ("no_answer", None, None, "待核实")


def test_an_unread_row_leaves_the_feed_to_be_verified(checked: Checked) -> None:
    row = item(checked.report, "B", "tax_income")
    assert (row["quarantined"], row["found"], row["conclusion"]) == (1, None, "待核实")


def test_a_feed_without_answer_is_to_be_verified(checked: Checked) -> None:
    assert item(checked.report, "A", "deaths")["conclusion"] == "待核实"


def test_a_register_hit_is_a_doubtful_point_until_a_finding_settles_it(checked: Checked) -> None:
    row = item(checked.report, "A", "vehicles")
    assert row["conclusion"] == "疑似"
    refs = row["doubtful"]
    assert isinstance(refs, list) and len(refs) == 1
    ref = str(refs[0])
    assert re.fullmatch("[0-9a-f]{16}", ref)
    assert item(checked.report, "B", "vehicles")["conclusion"] == "未发现"
    file = checked.inbox.feed(
        "findings",
        [
            {
                "id_number": A,
                "feed": "vehicles",
                "row_ref": ref,
                "verdict": "disregarded",
                "decided_on": "2020-06-29",
            }
        ],
    )
    checked.store.ingest("findings", file)
    after = item(check(checked.store, "R-U-1"), "A", "vehicles")
    assert (after["conclusion"], after["doubtful"], after["rows"]) == ("已核实", [], 1)
    # The report of the earlier snapshot is what it was.
    assert check(checked.store, "R-U-1", snapshot=checked.report.snapshot) == checked.report


def test_the_report_is_of_the_reference_day_and_names_senders(checked: Checked) -> None:
    assert checked.report.reference_day == date(2020, 6, 30)
    row = item(checked.report, "A", "vehicles")
    assert (row["senders"], row["as_of"]) == (["S"], "2020-06-20")


def test_the_report_decides_nothing(checked: Checked) -> None:
    for text in (checked.report.text("zh"), checked.report.text("en"), json.dumps(checked.report.to_json())):
        assert not OUTCOME_WORDS.search(text)
    assert checked.report.text("zh").splitlines()[-1] == "本报告只列核对情况, 不作认定。"
    assert "差额 30.00" in checked.report.text("zh") and "difference 30.00" in checked.report.text("en")
    assert A not in checked.report.text("zh") and "甲" not in checked.report.text("zh")


def test_an_unknown_request_is_an_error(checked: Checked) -> None:
    with pytest.raises(StoreError, match="does not know that request"):
        check(checked.store, "R-none")


def test_a_county_report_has_one_item_for_each_person_and_feed(messy: Office) -> None:
    number = messy.store.fetch("select request_no from requests order by all limit 1").item()
    report = check(messy.store, number)
    places = [(i.member, i.role, i.feed) for i in report.items if i.role != "register"]
    assert len(places) == len(set(places)) > 0
    assert {i.conclusion for i in report.items} <= {"未发现", "疑似", "待核实", "已核实", "有记录"}
    assert not OUTCOME_WORDS.search(report.text("en"))


def test_the_text_has_a_line_for_each_item(checked: Checked, tmp_path: Path) -> None:
    lines = checked.report.text("en").splitlines()
    assert len(lines) == len(checked.report.items) + 2
    assert any("vehicles: doubtful" in line for line in lines)
