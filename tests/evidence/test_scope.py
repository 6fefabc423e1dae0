"""Consent bounds what may be read: rows that lie in the store without one reach no block, report, trace or decision.

The rows are planted straight into the store's tables, past every check of the intake, for every feed that needs
consent, beside one answer that may be read. Each planted row carries a mark that is looked for in everything read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from meanscheck.contracts import FeedContract, all_feeds
from meanscheck.contracts.units import CaseBlock, units_of
from meanscheck.decisions.encode import input_needs
from meanscheck.decisions.record import Provenance, plain_record
from meanscheck.evidence import Store
from meanscheck.evidence.coverage import is_office
from meanscheck.evidence.tables import stored_columns
from meanscheck.evidence.trace import trace
from meanscheck.law import RulePack
from meanscheck.values.evidence_state import EvidenceState
from meanscheck.values.sql import quoted

from .inboxes import A, B, Inbox, consent, member, request, wage

ON = date(2020, 6, 30)
PLANTED = tuple(name for name, contract in all_feeds().items() if not is_office(contract))
MARK = 7_770_777
"""In every whole-number column of a planted row; its only row number too."""
WAYS = ("none", "expired", "not_yet", "withdrawn", "withdrawn_later", "other_purpose", "other_feed", "not_asked",
        "unknown_answer", "after")  # fmt: skip
UNREADABLE = {
    "expired": {"to": "2020-06-24"},
    "not_yet": {"from": "2020-06-26"},
    "withdrawn": {"withdrawn_on": "2020-06-20"},
    "withdrawn_later": {"withdrawn_on": "2020-06-29"},
    "other_purpose": {"purpose": "education_relief"},
    "after": {},
}
PROVENANCE = Provenance(snapshot="s")


def consents_for(way: str) -> list[dict[str, object]]:
    if way == "none":
        return []
    if way == "other_feed":
        return [consent(A, feeds=["case_events"])]
    if way in ("not_asked", "unknown_answer"):
        return [consent(A)]
    return [consent(A, **UNREADABLE[way])]


def header_of(contract: FeedContract) -> list[str]:
    return [c.name for c in contract.columns]


def days_of(contract: FeedContract) -> dict[str, object]:
    return {"as_of": "2020-06-20"} if contract.basis == "as_of" or contract.latest_by else {}


def store_with(inbox: Inbox, way: str) -> Store:
    """A store with one request and an empty answer of every feed; A's row planted into each, and B's, who consented."""
    asked = [{"feed": "declaration" if way == "not_asked" else feed} for feed in PLANTED]
    people = [member("A", A, relation="head", sex="male", born_on="1951-02-02"), member("B", B)]
    store = inbox.store()
    store.requests(inbox.requests(request(members=people, feeds=asked)))
    store.consents(inbox.consents(consent(B), *(consents_for(way) if way != "after" else [])))
    for feed in PLANTED:
        contract = all_feeds()[feed]
        store.ingest(feed, inbox.feed(feed, [], header=header_of(contract), feed=feed, **days_of(contract)))
        batch = 9_999 if way == "unknown_answer" else int(store.value("select max(batch) from batches"))
        plant(store, contract, A, batch)
        if way != "unknown_answer":
            plant(store, contract, B, batch)
    if way == "after":
        store.consents(inbox.consents(consent(B), *consents_for(way)))
    return store


def plant(store: Store, contract: FeedContract, number: str, batch: int) -> None:
    person = store.value("select person from persons where id_number = ?", [number])
    cells = {"person": str(person), "batch": str(batch), "row_no": str(MARK), "digest": "unhex(md5('x'))"}
    for column in stored_columns(contract):
        value = f"'{column.choices[0]}'" if column.kind == "choice" else str(MARK)
        kind = column.duckdb_type
        cells[quoted(column.stored_name)] = {
            "DATE": "date '2020-06-01'",
            "BOOLEAN": "true",
            "VARCHAR": value if column.kind == "choice" else f"'{MARK}'",
        }.get(kind, value)
    store.run(f"insert into feed_{contract.name} ({', '.join(cells)}) values ({', '.join(cells.values())})")


def read_everything(store: Store) -> Iterator[tuple[str, CaseBlock]]:
    columns = {name: [c.name for c in contract.formula_columns] for name, contract in all_feeds().items()}
    projection = store.project(store.snapshot(), on=ON)
    yield "projection", next(iter(projection.blocks(columns, block_units=10)))
    yield "case_block", store.case_block("U-1", columns, on=ON)


@pytest.mark.parametrize("way", WAYS)
def test_a_planted_row_of_any_feed_reaches_nothing_that_is_read(inbox: Inbox, way: str) -> None:
    with store_with(inbox, way) as store:
        b_may = 0 if way in ("unknown_answer", "not_asked") else 1
        for name, block in read_everything(store):
            for feed in PLANTED:
                counts = block.persons[f"n:{feed}"].to_list()
                assert counts[0] == 0, (name, feed)
                if feed == "supporters":  # its rows are edges, and count for nobody as rows
                    continue
                assert counts == [0, b_may], (name, feed)
                assert block.feeds[feed].height == b_may, (name, feed)
                if way != "unknown_answer":
                    assert block.persons[f"s:{feed}"][0] != EvidenceState.ANSWERED, (name, feed)
            assert block.supporters.is_empty(), name
        report = store.report_rows("R-U-1", on=ON)
        assert {m for rows in report.rows.values() for m in rows["member"]} <= {"B"}
        person = store.value("select person from persons where id_number = ?", [A])
        seen = trace(store, ["U-1"], on=ON).rows
        assert seen.filter(pl.col("person") == person).is_empty()
        # With a row for B, the same ways of reading do show planted rows: what proves that the test can fail.
        assert (set(report.rows) == set(PLANTED)) == bool(b_may)
        assert (set(seen["feed"]) == set(PLANTED)) == bool(b_may)


def test_a_decision_is_the_same_with_and_without_planted_rows(inbox: Inbox, tmp_path: Path) -> None:
    law = RulePack.load("rules/cn/guangdong/jiangmen").on(ON)
    needs = input_needs(law)
    found = []
    for way in ("none", "expired"):
        (tmp_path / way).mkdir()
        with store_with(Inbox(tmp_path / way), way) as store:
            for planted in (True, False):
                if not planted:
                    person = store.value("select person from persons where id_number = ?", [A])
                    for feed in PLANTED:
                        store.run(f"delete from feed_{feed} where person = {person}")
                block = store.case_block("U-1", needs, on=ON)
                unit = next(iter(units_of(block)))
                digest = block.households["input_digest"][0]
                record = plain_record(law, unit, provenance=PROVENANCE, input_digest=digest)
                found.append(record)
    assert found[0] == found[1]
    assert found[2] == found[3]
    assert str(MARK) not in repr(found)


@pytest.mark.parametrize("feed", ["bank_deposits", "tax_income", "vehicles", "real_estate"])
def test_rows_of_an_answer_without_consent_stay_unread_beside_one_with_consent(inbox: Inbox, feed: str) -> None:
    """The person is answered for, so only the row itself can say that it may not be read."""
    asked = [{"feed": feed}]
    contract = all_feeds()[feed]
    header = header_of(contract)
    with inbox.store() as store:
        store.requests(inbox.requests(request(feeds=asked)))
        store.consents(inbox.consents(consent(A, **{"from": "2020-06-10"}), consent(B)))
        early = inbox.feed(f"{feed}-1", [], header=header, feed=feed, answered_on="2020-06-05", as_of="2020-06-01")
        store.ingest(feed, early)
        unreadable = int(store.value("select max(batch) from batches"))
        store.ingest(feed, inbox.feed(f"{feed}-2", [], header=header, feed=feed, **days_of(contract)))
        plant(store, contract, A, unreadable)
        for name, block in read_everything(store):
            assert block.persons[f"s:{feed}"][0] == EvidenceState.ANSWERED, name
            assert block.persons[f"n:{feed}"].to_list() == [0, 0], name
        assert feed not in store.report_rows("R-U-1", on=ON).rows


def test_a_row_brought_again_under_a_new_consent_is_read(inbox: Inbox) -> None:
    """A row is stored once; without a memory of the second answer it would count as nothing found."""
    with inbox.store() as store:
        store.requests(inbox.requests())
        store.consents(inbox.consents(consent(A, to="2020-06-25"), consent(B)))
        store.ingest("tax_income", inbox.tax([wage(A)]))
        withdrawn = consent(A, to="2020-06-25", withdrawn_on="2020-06-26")
        anew = consent(A, consent_no="C-2", **{"from": "2020-06-26"})
        store.consents(inbox.consents(withdrawn, consent(B), anew))
        again = inbox.tax([wage(A)], stem="tax_income-2", answered_on="2020-06-28")
        assert store.ingest("tax_income", again).known_rows == 1
        for name, block in read_everything(store):
            assert block.persons["s:tax_income"][0] == EvidenceState.ANSWERED, name
            assert block.persons["n:tax_income"].to_list() == [1, 0], name


def test_who_signed_anew_is_answered_for_once_the_file_is_ingested_again(inbox: Inbox) -> None:
    with inbox.store() as store:
        store.requests(inbox.requests())
        store.consents(inbox.consents())
        file = inbox.tax([wage(A)])
        store.ingest("tax_income", file)
        withdrawn = consent(A, withdrawn_on="2020-06-28")
        store.consents(inbox.consents(withdrawn, consent(B), consent(A, consent_no="C-2")))
        before = [block.persons["s:tax_income"][0] for _, block in read_everything(store)]
        assert before == [EvidenceState.NO_CONSENT] * 2
        assert store.ingest("tax_income", file).supplementary
        for name, block in read_everything(store):
            assert block.persons["s:tax_income"][0] == EvidenceState.ANSWERED, name
            assert block.persons["n:tax_income"].to_list() == [1, 0], name
        assert store.ingest("tax_income", file).already_known
