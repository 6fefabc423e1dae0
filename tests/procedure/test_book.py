"""A step is bound by the log, its body stays in the office, and an entry holds nobody."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from ledger.builders import MadeBatch

from meanscheck.errors import InputError, LedgerError, StoreError
from meanscheck.ledger import Ledger, Signer, canonical, entries
from meanscheck.procedure import Body, Book, Procedures, chain_of, course, record

ORIGIN = "county.example/relief"
DAY = date(2026, 3, 2)
LAW = Procedures.load("rules/cn").of("dibao", DAY)
OFFICERS = ("王小明", "李四")
SECRETS = (*OFFICERS, "11010519491231002X", "cn-57-2021#20", "1234500")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger.open(tmp_path / "log", signer=Signer.from_seed(ORIGIN, seed=bytes(32)))
    ledger.append(MadeBatch("2026-03", 3))
    return ledger


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "steps")


def take(
    ledger: Ledger, book: Book, step: str, body: Body | None = None, *, decision: int = 2, by: str = "440703"
) -> int:
    return record(ledger, book, decision, step=step, on=DAY, by=by, body=body or Body(LAW.id), procedure=LAW)


def test_steps_of_one_decision_are_a_chain_with_bodies_in_the_book(ledger: Ledger, book: Book) -> None:
    assert take(ledger, book, "acceptance") == 5
    assert take(ledger, book, "acceptance", decision=1) == 6
    assert take(ledger, book, "visit", Body(LAW.id, OFFICERS, "11010519491231002X")) == 7
    chain = chain_of(ledger, book, 2)
    assert [(r.index, r.entry.step, r.entry.by) for r in chain] == [(5, "acceptance", "440703"), (7, "visit", "440703")]
    assert [r.body for r in chain] == [Body(LAW.id), Body(LAW.id, OFFICERS, "11010519491231002X")]
    assert [t.step for t in course(chain, LAW).taken] == ["acceptance", "visit"]
    assert ledger.check_entries().total() == 8


def test_a_step_out_of_order_enters_neither_the_log_nor_the_book(ledger: Ledger, book: Book) -> None:
    for step in ("visit", "confirmation", "notice"):
        with pytest.raises(InputError):
            take(ledger, book, step, Body(LAW.id, OFFICERS))
    take(ledger, book, "acceptance")
    for wrong in ("王小明", "11010519491231002X"):
        with pytest.raises(LedgerError, match="member by"):
            take(ledger, book, "check", by=wrong)
    with pytest.raises(InputError, match="another procedure"):
        take(ledger, book, "check", Body("tekun-2021"))
    with pytest.raises(LedgerError):
        take(ledger, book, "acceptance", decision=0)
    assert ledger.size == 6
    assert sorted(file.name for file in book.folder.iterdir()) == ["2.jsonl"]


def test_nobody_and_no_reason_is_in_the_log_or_in_a_file_name(ledger: Ledger, book: Book, tmp_path: Path) -> None:
    take(ledger, book, "acceptance", Body(LAW.id, OFFICERS, note=SECRETS[2]))
    take(ledger, book, "visit", Body(LAW.id, OFFICERS, SECRETS[2], SECRETS[3], amount_fen=int(SECRETS[4])))
    files = [file for file in (tmp_path / "log").rglob("*") if file.is_file()]
    assert files
    for file in files:
        assert not any(secret.encode() in file.read_bytes() for secret in SECRETS)
    kept = book.folder / "2.jsonl"
    assert all(secret.encode() in kept.read_bytes() for secret in SECRETS)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert book.folder.stat().st_mode & 0o777 == 0o700
    for recorded in chain_of(ledger, book, 2):
        assert not any(secret in repr(recorded) + repr(recorded.body) for secret in SECRETS)


def test_the_same_body_is_never_seen_to_be_the_same(ledger: Ledger, book: Book) -> None:
    take(ledger, book, "acceptance")
    take(ledger, book, "acceptance", decision=1)
    first, second = (entries.parse(ledger.entry(index)) for index in (5, 6))
    assert isinstance(first, entries.Step) and isinstance(second, entries.Step)
    assert first.body != second.body


def test_a_body_that_was_changed_no_longer_fits_its_entry(ledger: Ledger, book: Book) -> None:
    take(ledger, book, "acceptance")
    take(ledger, book, "visit", Body(LAW.id, OFFICERS))
    path = book.folder / "2.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole.replace("李四".encode(), "张三".encode()))
    assert [recorded.body is None for recorded in chain_of(ledger, book, 2)] == [False, True]
    for damage in (b"{}\n", b"\n", b'{"body":{"procedure":"x","who":"y"},"salt":"%s"}\n' % (b"00" * 16), b"x\n"):
        path.write_bytes(damage + whole)
        with pytest.raises(StoreError, match=r"line 1 of 2\.jsonl is damaged"):
            chain_of(ledger, book, 2)


def test_a_line_without_an_entry_is_passed_over(ledger: Ledger, book: Book) -> None:
    take(ledger, book, "acceptance")
    book.keep(2, Body(LAW.id, reason="the power went off").format(), bytes(16))
    assert take(ledger, book, "check") == 6
    assert [r.entry.step for r in chain_of(ledger, book, 2)] == ["acceptance", "check"]


def test_a_chain_goes_on_holding_when_the_book_is_destroyed(ledger: Ledger, book: Book) -> None:
    take(ledger, book, "acceptance")
    take(ledger, book, "check")
    (book.folder / "2.jsonl").unlink()
    chain = chain_of(ledger, book, 2)
    assert [(r.entry.step, r.body) for r in chain] == [("acceptance", None), ("check", None)]
    with pytest.raises(InputError, match="acceptance must come first"):
        take(ledger, book, "visit", Body(LAW.id, OFFICERS))


def test_a_body_has_one_text() -> None:
    assert Body("p").format() == b'{"procedure":"p"}'
    whole = Body("p", OFFICERS, "r", "c", "spouse", "vehicle", "explained", "n", 100)
    assert json.loads(whole.format()) == {
        "procedure": "p", "officers": [*OFFICERS], "reason": "r", "citation": "c", "relation": "spouse",
        "point": "vehicle", "verdict": "explained", "note": "n", "amount_fen": 100,
    }  # fmt: skip
    assert canonical.format(canonical.parse(whole.format())) == whole.format()
    with pytest.raises(InputError):
        Body("p", reason="\ud800").format()
