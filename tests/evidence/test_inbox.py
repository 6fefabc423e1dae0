"""An inbox is taken in file by file: the next one is read meanwhile, and each is refused when its turn comes."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import pytest

from meanscheck.errors import FeedError
from meanscheck.evidence.incoming import incoming_file
from meanscheck.evidence.ingest import take_in

from .inboxes import BANKS, A, B, Inbox, deposit, wage


def filled(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    for bank in BANKS:
        inbox.bank(bank, [deposit(A, bank)])
    inbox.tax([wage(B)])


def test_the_next_file_is_read_while_one_is_stored(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(inbox)
    read = Event()

    def reading(feed: str, path: Path) -> Any:
        try:
            return incoming_file(feed, path)
        finally:
            if path.stem == f"bank_deposits-{BANKS[1]}":
                read.set()

    def storing(store: Any, answer: Any) -> Any:
        if answer.name == f"bank_deposits-{BANKS[0]}.csv":
            assert read.wait(20), "nobody reads the next file"
        return take_in(store, answer)

    monkeypatch.setattr("meanscheck.evidence.inbox.incoming_file", reading)
    monkeypatch.setattr("meanscheck.evidence.inbox.take_in", storing)
    with inbox.store() as store:
        assert [report.accepted for report in store.ingest_inbox(inbox.folder)] == [1, 1, 1]


def test_a_faulty_file_is_refused_in_its_turn(inbox: Inbox) -> None:
    """The second of three: the first is in, the third is not, and once it is mended the rest comes in."""
    filled(inbox)
    faulty = inbox.folder / f"bank_deposits-{BANKS[1]}.csv"
    text = faulty.read_bytes()
    faulty.write_bytes(b"")
    told: list[str] = []
    with inbox.store() as store:
        with pytest.raises(FeedError, match=f"{faulty.name}.*the file is empty"):
            store.ingest_inbox(inbox.folder, progress=lambda what, done, total: told.append(f"{what} {done}/{total}"))
        assert told[-2:] == [f"bank_deposits-{BANKS[0]}.csv 3/6", f"{faulty.name} 4/6"]
        assert store.fetch("select file from batches")["file"].to_list() == [f"bank_deposits-{BANKS[0]}.csv"]
        faulty.write_bytes(text)
        assert [report.already_known for report in store.ingest_inbox(inbox.folder)] == [True, False, False]


def test_what_cannot_be_stored_ends_the_reading(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(inbox)
    read: list[str] = []

    def reading(feed: str, path: Path) -> Any:
        read.append(path.name)
        return incoming_file(feed, path)

    monkeypatch.setattr("meanscheck.evidence.inbox.incoming_file", reading)
    monkeypatch.setattr("meanscheck.evidence.ingest._record", lambda *a, **k: 1 / 0)
    with inbox.store() as store:
        with pytest.raises(ZeroDivisionError):
            store.ingest_inbox(inbox.folder)
        assert store.value("select count(*) from batches") == 0
    assert "tax_income.csv" not in read
