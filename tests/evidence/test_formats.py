"""Answers in the senders' own forms reach the store: by a mapping, from an archive, from a database."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from pathlib import Path

import pytest

from meanscheck.contracts.mapping import FileMapping
from meanscheck.errors import FeedError, StoreError
from meanscheck.evidence import Store
from meanscheck.evidence.manifest import Manifest
from meanscheck.evidence.mappings import mapping_of

from .inboxes import Inbox, deposit, resident

A, B = resident(1), resident(2)
MAPPING = """
feed = "bank_deposits"
sender = "S"
valid_from = 2020-01-01
valid_to = 2020-12-31
[columns.id_number]
from = "ZJHM"
[columns.bank_code]
value = "ICBC"
[columns.account_token]
from = "ZH"
[columns.balance]
from = "YE"
unit = "fen"
[columns.as_of]
from = "RQ"
form = "DD/MM/YYYY"
"""


def sent(inbox: Inbox) -> Path:
    """The same two rows as `plain`, in the sender's own words, with the mapping beside."""
    rows = [{"ZJHM": n, "ZH": "T1", "YE": "1250", "RQ": "20/06/2020"} for n in (A, B)]
    path = inbox.feed("bank_deposits-ICBC", rows, institutions=["ICBC"], as_of="2020-06-20")
    path.with_name("bank_deposits-ICBC.mapping.toml").write_text(MAPPING, encoding="utf-8")
    return path


def test_a_mapping_beside_the_file_is_used_and_kept_with_the_batch(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    sent(inbox)
    with inbox.store() as store:
        (report,) = store.ingest_inbox(inbox.folder)
        assert (report.accepted, report.quarantined) == (2, 0)
        kept = mapping_of(store, report.batch)
        assert kept is not None
        assert (kept.sender, kept.columns["balance"].unit) == ("S", "fen")
        assert store.value("select count(*) from batch_mappings") == 1
        # The same rows in plain words are the same answer.
        plain = inbox.bank("ICBC", [deposit(A, "ICBC"), deposit(B, "ICBC")])
        plain.with_name("bank_deposits-ICBC.mapping.toml").unlink()
        assert store.ingest("bank_deposits", plain).already_known
        assert store.value("select count(*) from mappings") == 1


def test_a_mapping_given_by_hand_serves_and_one_out_of_time_refuses_the_file(inbox: Inbox, tmp_path: Path) -> None:
    path = sent(inbox)
    given = tmp_path / "given.toml"
    given.write_text(MAPPING.replace("valid_to = 2020-12-31", "valid_to = 2020-06-24"), encoding="utf-8")
    with inbox.store() as store:
        store.requests(inbox.requests())
        store.consents(inbox.consents())
        with pytest.raises(FeedError, match="does not hold on the day of the answer"):
            store.ingest("bank_deposits", path, mapping=given)
        assert store.value("select count(*) from batches") == 0
        given.write_text(MAPPING, encoding="utf-8")
        assert store.ingest("bank_deposits", path, mapping=given).accepted == 2


def test_rows_of_a_database_are_the_same_answer_as_a_file(inbox: Inbox) -> None:
    path = inbox.bank("ICBC", [deposit(A, "ICBC"), deposit(B, "ICBC")])
    manifest = Manifest.model_validate_json(path.with_suffix(".manifest.json").read_bytes())
    database = sqlite3.connect(":memory:")
    database.execute("create table t (id_number, bank_code, account_token, balance_fen integer, as_of)")
    database.executemany("insert into t values (?, 'ICBC', 'T1', 1250, '2020-06-20')", [(B,), (A,)])
    with inbox.store() as store:
        store.requests(inbox.requests())
        store.consents(inbox.consents())
        cursor = database.execute("select * from t")
        report = store.ingest_cursor("bank_deposits", cursor, manifest=manifest, name="bank of the county")
        assert (report.accepted, report.file) == (2, "bank of the county")
        again = store.ingest("bank_deposits", path)
        assert (again.already_known, again.batch_id) == (True, report.batch_id)
        with pytest.raises(FeedError, match="manifest is of feed bank_deposits"):
            store.ingest_cursor("deaths", database.execute("select 1"), manifest=manifest, name="x")
        mapping = FileMapping.model_validate(
            {"feed": "bank_deposits", "sender": "S", "valid_to": "2019-12-31", "columns": {"id_number": {"from": "a"}}},
            strict=False,
        )
        with pytest.raises(FeedError, match="does not hold"):
            store.ingest_cursor("bank_deposits", cursor, manifest=manifest, name="x", mapping=mapping)
    database.close()


def test_a_float_in_a_database_refuses_the_answer_and_nothing_of_it_is_in(inbox: Inbox) -> None:
    path = inbox.bank("ICBC", [deposit(A, "ICBC")])
    manifest = Manifest.model_validate_json(path.with_suffix(".manifest.json").read_bytes())
    database = sqlite3.connect(":memory:")
    with inbox.store() as store:
        store.requests(inbox.requests())
        store.consents(inbox.consents())
        cursor = database.execute("select ? as id_number, 'ICBC' as bank_code, 12.5 as balance", [A])
        with pytest.raises(FeedError, match="type float"):
            store.ingest_cursor("bank_deposits", cursor, manifest=manifest, name="x")
        assert store.value("select count(*) from batches") == 0
    database.close()


def test_an_inbox_takes_archives_and_texts_and_leaves_other_texts(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    facts = {"feed": "bank_deposits", "sender": "S", "answered_on": "2020-06-25", "as_of": "2020-06-20"}
    head = "身份证号\t银行代码\t账号\t余额\t截止日期\n"
    with zipfile.ZipFile(inbox.folder / "bank_deposits-ABC.zip", "w") as archive:
        archive.writestr("a.csv", f"{head}{A}\tABC\tT1\t1.00\t2020-06-20\n")
    text = inbox.folder / "bank_deposits-ICBC.txt"
    text.write_text(f"{head}{B}\tICBC\tT1\t2.00\t2020-06-20\n合计\t\t\t2.00\t\n", encoding="utf-8")
    for bank in ("ABC", "ICBC"):
        path = inbox.folder / f"bank_deposits-{bank}.manifest.json"
        path.write_text(json.dumps({**facts, "institutions": [bank]}), encoding="utf-8")
    (inbox.folder / "readme.txt").write_text("read me", encoding="utf-8")
    with inbox.store() as store:
        reports = store.ingest_inbox(inbox.folder)
        assert [(r.file, r.accepted, r.passed_over) for r in reports] == [
            ("bank_deposits-ABC.zip", 1, 0), ("bank_deposits-ICBC.txt", 1, 1),
        ]  # fmt: skip


def test_a_mapping_without_its_file_stops_an_inbox(inbox: Inbox) -> None:
    (inbox.folder / "bank_deposits-CCB.mapping.toml").write_text(MAPPING, encoding="utf-8")
    with inbox.store() as store, pytest.raises(FeedError, match="no feed file beside this mapping"):
        store.ingest_inbox(inbox.folder)


def test_a_huge_cell_makes_the_answer_none_for_that_person(inbox: Inbox) -> None:
    path = inbox.bank("ICBC", [deposit(A, "ICBC", account="9" * 40_000), deposit(B, "ICBC")])
    with inbox.store() as store:
        store.requests(inbox.requests())
        store.consents(inbox.consents())
        report = store.ingest("bank_deposits", path)
        assert (report.accepted, report.quarantined) == (1, 1)
        silent = store.value(
            "select count(*) from not_answered n join persons p using (person) where p.id_number = ?", [A]
        )
        assert silent == 1


def test_what_failed_is_told_and_not_that_its_transaction_was_broken_off(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(store: Store, *_: object) -> int:
        store.run("select error('as if memory were short')")
        return 0

    monkeypatch.setattr("meanscheck.evidence.ingest.quarantine", fails)
    path = inbox.bank("ICBC", [deposit(A, "ICBC", account="9" * 40_000), deposit(B, "ICBC")])
    with inbox.store() as store:
        store.requests(inbox.requests())
        store.consents(inbox.consents())
        with pytest.raises(StoreError, match="InvalidInputException"):
            store.ingest("bank_deposits", path)
        monkeypatch.undo()
        assert store.ingest("bank_deposits", path).quarantined == 1
