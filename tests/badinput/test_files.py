"""A file that cannot be used at all: one error naming file, line or field, and remedy; nothing of it is taken in."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from evidence.inboxes import Inbox, consent, deposit, member, request, resident, wage

from meanscheck.errors import FeedError, InputError
from meanscheck.evidence import Store
from meanscheck.values.evidence_state import EvidenceState

A, B = resident(1), resident(2)
HEADER = ["身份证号", "银行代码", "账号", "余额", "截止日期"]
SECRETS = (A, B, "4567.89", "456789", "甲", "T-SECRET")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[tuple[Inbox, Store]]:
    """A store that knows one request about A and B, with their consents."""
    inbox = Inbox(tmp_path)
    with inbox.store() as store:
        store.requests(inbox.requests(request()))
        store.consents(inbox.consents(consent(A), consent(B)))
        yield inbox, store


def a_bank_file(inbox: Inbox) -> Path:
    return inbox.bank("ICBC", [deposit(A, "ICBC", "4567.89", "T-SECRET")])


def empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def only_blank_lines(path: Path) -> Path:
    path.write_bytes(b"\r\n\r\n")
    return path


def of_another_feed(path: Path) -> Path:
    path.write_text(f"身份证号,号牌标识,车辆类型,状态\n{A},V1,car,normal\n", encoding="utf-8")
    return path


def without_the_balance(path: Path) -> Path:
    text = path.read_text(encoding="utf-8")
    path.write_text("\n".join(",".join(line.split(",")[:3]) for line in text.splitlines()), encoding="utf-8")
    return path


def in_an_unknown_encoding(path: Path) -> Path:
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16")[1:])
    return path


def in_broken_bytes(path: Path) -> Path:
    path.write_bytes(path.read_bytes() + b"\xff\xff\xff\x00\x80\x80")
    return path


def a_truncated_parquet(path: Path) -> Path:
    target = path.with_suffix(".parquet")
    rows = pl.read_csv(path, infer_schema=False)
    pl.concat([rows] * 500).write_parquet(target)
    target.write_bytes(target.read_bytes()[:-200])
    path.with_suffix(".manifest.json").rename(target.with_suffix(".manifest.json"))
    return target


def of_no_known_format(path: Path) -> Path:
    target = path.with_suffix(".docx")
    path.with_suffix(".manifest.json").rename(target.with_suffix(".manifest.json"))
    return path.rename(target)


def without_a_manifest(path: Path) -> Path:
    path.with_suffix(".manifest.json").unlink()
    return path


UNUSABLE: list[tuple[Callable[[Path], Path], str]] = [
    (empty, "the file is empty"),
    (only_blank_lines, "the file is empty"),
    (of_another_feed, "headers are those of vehicles"),
    (without_the_balance, "missing column balance"),
    (in_an_unknown_encoding, "not text in UTF-8 or GB18030"),
    (in_broken_bytes, "not text in UTF-8 or GB18030"),
    (a_truncated_parquet, "not a Parquet file, or cut short"),
    (of_no_known_format, "not a format that is read"),
    (without_a_manifest, "there is no manifest"),
]


@pytest.mark.parametrize(("spoil", "said"), UNUSABLE, ids=lambda x: getattr(x, "__name__", ""))
def test_an_unusable_file_is_one_error_and_nothing_is_taken_in(
    office: tuple[Inbox, Store], spoil: Callable[[Path], Path], said: str
) -> None:
    inbox, store = office
    path = spoil(a_bank_file(inbox))
    before = store.snapshot().id
    with pytest.raises(FeedError, match=rf"(?i){said}") as caught:
        store.ingest("bank_deposits", path)
    fault = caught.value
    assert fault.where.startswith("bank_deposits-ICBC."), fault.where
    assert fault.remedy
    assert not any(secret in str(fault) for secret in SECRETS)
    assert str(inbox.folder) not in str(fault)
    assert store.snapshot().id == before
    assert store.value("select count(*) from batches") == 0 == store.value("select count(*) from quarantine")
    # What is mended is taken in as if nothing had happened.
    assert store.ingest("bank_deposits", a_bank_file(inbox)).accepted == 1


def test_the_error_of_a_wrong_feed_says_what_the_file_looks_like(office: tuple[Inbox, Store]) -> None:
    inbox, store = office
    tax = inbox.tax([wage(A)])
    with pytest.raises(FeedError, match="tax_income"):
        store.ingest("bank_deposits", tax, manifest=a_bank_file(inbox).with_suffix(".manifest.json"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"feed": "tax_income"}, "feed"),
        ({"covers_from": "2020-13-01"}, "covers_from"),
        ({"answered_on": None}, "answered_on"),
        ({"unknown_key": 1}, "a key that is not known here"),
        ({"not_answered": [{"id_number": ""}]}, "not_answered"),
        ({"covers_from": "2020-06-02", "covers_to": "2020-06-01"}, "covers_from"),
    ],
)
def test_a_faulty_manifest_is_named_with_its_field(
    office: tuple[Inbox, Store], change: dict[str, object], field: str
) -> None:
    inbox, store = office
    path = a_bank_file(inbox)
    place = path.with_suffix(".manifest.json")
    place.write_text(json.dumps({**json.loads(place.read_text(encoding="utf-8")), **change}), encoding="utf-8")
    with pytest.raises(FeedError, match=field) as caught:
        store.ingest("bank_deposits", path)
    assert place.name in str(caught.value)
    assert caught.value.remedy
    assert store.value("select count(*) from batches") == 0


def test_a_person_in_two_households_is_refused_with_both_places(office: tuple[Inbox, Store]) -> None:
    inbox, store = office
    other = request("U-2", members=[member("A", A)])
    with pytest.raises(InputError) as caught:
        store.requests(inbox.lines("requests-2.jsonl", [other]))
    text = str(caught.value)
    assert "requests.jsonl:1 members[0]" in text and "requests-2.jsonl:1 members[0]" in text
    assert A not in text and caught.value.remedy
    assert store.fetch("select case_id from units")["case_id"].to_list() == ["U-1"]


def test_a_person_twice_in_one_household_is_refused(office: tuple[Inbox, Store]) -> None:
    inbox, store = office
    twice = request("U-3", members=[member("A", resident(7)), member("B", resident(7))])
    with pytest.raises(InputError) as caught:
        store.requests(inbox.lines("requests-3.jsonl", [twice]))
    assert "requests-3.jsonl:1" in str(caught.value) and resident(7) not in str(caught.value)


def test_a_request_with_a_wrong_check_digit_is_refused_by_line_and_field(office: tuple[Inbox, Store]) -> None:
    inbox, store = office
    number = resident(9)
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    lines = [request("U-4", members=[member("A", resident(8))]), request("U-5", members=[member("A", wrong)])]
    with pytest.raises(InputError, match=r"requests-4\.jsonl:2.*id_number") as caught:
        store.requests(inbox.lines("requests-4.jsonl", lines))
    assert wrong not in str(caught.value)
    assert store.value("select count(*) from units") == 1  # in wholly or not at all


@pytest.mark.parametrize(("ends", "stored"), [("2020-06-25", 1), ("2020-06-24", 0)])
def test_a_consent_that_expired_yesterday_lets_nothing_in(tmp_path: Path, ends: str, stored: int) -> None:
    """The bank answered on 2020-06-25: a consent to that day reaches it, one to the day before does not."""
    inbox = Inbox(tmp_path)
    with inbox.store() as store:
        feeds = [{"feed": "bank_deposits", "institutions": ["ICBC"]}]
        store.requests(inbox.requests(request(feeds=feeds, members=[member("A", A)])))
        store.consents(inbox.consents(consent(A, to=ends)))
        report = store.ingest("bank_deposits", a_bank_file(inbox))
        assert (report.accepted, report.not_covered, report.quarantined) == (stored, 1 - stored, 0)
        assert store.value("select count(*) from feed_bank_deposits") == stored
        block = store.case_block("U-1", {"bank_deposits": ["balance"]}, on=date(2020, 6, 30))
        state = EvidenceState(block.persons["s:bank_deposits"].item())
        assert state is (EvidenceState.ANSWERED if stored else EvidenceState.NO_CONSENT)


def cli(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "meanscheck", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_command_line_says_it_in_one_line_and_leaves_by_2(office: tuple[Inbox, Store]) -> None:
    inbox, store = office
    path = without_the_balance(a_bank_file(inbox))
    store.close()
    run = cli("ingest", "county.duckdb", path.name, folder=inbox.folder)
    assert run.returncode == 2 and run.stdout == ""
    (line,) = run.stderr.strip().splitlines()
    assert line.startswith("meanscheck: bank_deposits-ICBC.csv: headers: missing column balance")
    assert not any(secret in run.stderr for secret in SECRETS)
