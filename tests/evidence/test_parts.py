"""A large file taken in by parts is the same answer as taken in whole; what is kept between files does not go stale."""

from __future__ import annotations

import hashlib
import random
from datetime import date
from pathlib import Path
from typing import cast

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from meanscheck.contracts import feed
from meanscheck.errors import FeedError
from meanscheck.evidence import IngestReport, Store
from meanscheck.evidence.digests import Sorted
from meanscheck.evidence.manifest import Manifest
from meanscheck.evidence.reach import reach_of

from .inboxes import OUTSIDER, A, B, Inbox, S, consent, member, request, wage

ON = date(2020, 6, 25)
WITH_REPEATS = [
    wage(A, "2020-01"),
    wage(B, "2020-01", "10.00"),
    wage(OUTSIDER),
    wage(A, "2020-02"),
    wage(A, "2020-13"),
    wage(A, "2020-01"),  # stands in the first line
    wage(B, "2020-01", "11.00"),  # contradicts the second
    wage(S, "2020-03"),
    wage(B, "2020-04", "12,000.00"),
    wage(A[:-1] + "?", "2020-04"),
    wage(A, "2020-02"),  # stands in the fourth
]


def by_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meanscheck.contracts.readers.WHOLE", 4)
    monkeypatch.setattr("meanscheck.contracts.readers.PART", 3)
    monkeypatch.setattr("meanscheck.contracts.csv_text._BLOCK", 150)


def taken_in(inbox: Inbox, name: str, path: Path) -> tuple[IngestReport, pl.DataFrame, pl.DataFrame, str]:
    inbox.requests()
    inbox.consents()
    with inbox.store(name) as store:
        store.requests(inbox.folder / "requests.jsonl")
        store.consents(inbox.folder / "consents.jsonl")
        report = store.ingest("tax_income", path)
        rows = store.fetch("select person, row_no, digest, month, amount_fen from feed_tax_income order by row_no")
        bad = store.fetch("select row_no, field, reason, person from quarantine order by all")
        assert store.fetch("select * from duckdb_tables() where table_name in ('i_rows', 'i_bad')").is_empty()
        return report, rows, bad, store.snapshot().id


@pytest.mark.parametrize("form", ["csv", "gb18030", "parquet", "jsonl", "xlsx"])
def test_a_file_in_parts_is_the_answer_that_it_is_as_a_whole(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    path = inbox.tax(WITH_REPEATS)
    if form == "gb18030":
        path.write_bytes(path.read_text(encoding="utf-8").replace(",P\n", ",示例单位\n").encode("gb18030"))
    if form in ("parquet", "jsonl", "xlsx"):
        table = pl.read_csv(path, infer_schema=False)
        path.unlink()
        path = path.with_suffix(f".{form}")
        if form == "parquet":
            table.write_parquet(path)
        elif form == "jsonl":
            table.write_ndjson(path)
        else:
            table.write_excel(path)
    whole, rows, bad, snapshot = taken_in(inbox, "whole.duckdb", path)
    by_parts(monkeypatch)
    report, rows_of_parts, bad_of_parts, snapshot_of_parts = taken_in(inbox, "parts.duckdb", path)
    assert (whole.accepted, whole.repeated, whole.quarantined) == (3, 2, 4)
    assert report == whole
    assert snapshot_of_parts == snapshot
    assert_frame_equal(rows_of_parts, rows)
    # Of repetitions among parts only the place is kept.
    assert_frame_equal(bad_of_parts.drop("person"), bad.drop("person"))
    assert set(bad_of_parts["person"].drop_nulls()) == set(bad["person"].drop_nulls())


def test_too_many_rows_of_one_person_are_seen_across_parts(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    path = inbox.tax([wage(A, f"2020-0{n}") for n in range(1, 6)] + [wage(B, "2020-01")])
    by_parts(monkeypatch)
    monkeypatch.setattr("meanscheck.contracts.cast.MAX_ROWS_PER_PERSON", 4)  # no part has more than three
    report, rows, bad, _ = taken_in(inbox, "county.duckdb", path)
    assert (report.accepted, report.quarantined, rows.height) == (1, 5, 1)
    assert bad["reason"].unique().to_list() == ["too_many_rows"]


def test_a_large_file_that_turns_out_unusable_leaves_nothing(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox.requests()
    inbox.consents()
    path = inbox.tax(WITH_REPEATS)
    path.write_bytes(path.read_bytes() + b'"\x01')
    by_parts(monkeypatch)
    with inbox.store() as store:
        store.requests(inbox.folder / "requests.jsonl")
        store.consents(inbox.folder / "consents.jsonl")
        before = store.snapshot()
        with pytest.raises(FeedError, match="control characters"):
            store.ingest("tax_income", path)
        assert store.snapshot() == before
        assert store.value("select count(*) from feed_tax_income") == 0
        inbox.tax(WITH_REPEATS)
        assert store.ingest("tax_income", path).accepted == 3


@pytest.mark.parametrize("count", [0, 1, 999, 5_000])
def test_many_digests_are_summed_up_in_sorted_order(tmp_path: Path, count: int) -> None:
    some = random.Random(count)
    # Of a few beginnings only, so that the second half decides.
    digests = list({some.choice((b"\x00", b"\x80", b"\xff")) * 8 + some.randbytes(8) for _ in range(count)})
    with (
        Store.open(tmp_path / "s.duckdb") as store,
        store.frame("given", pl.DataFrame({"digest": digests}, {"digest": pl.Binary})),
    ):
        found = Sorted.read(store, "select digest from given")
        assert found == Sorted(hashlib.sha256(b"".join(sorted(digests))).hexdigest(), are_distinct=True)
        if count:
            twice = Sorted.read(store, "select digest from given union all select min(digest) from given")
            assert not twice.are_distinct


@pytest.mark.parametrize("at_once", [5_000, 1_500, 200])
@pytest.mark.parametrize("count", [1, 999, 4_000])
def test_some_of_many_digests_are_summed_up_in_the_same_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, at_once: int
) -> None:
    monkeypatch.setattr("meanscheck.evidence.digests._AT_ONCE", at_once)  # in one part, in some, in sixteen
    some = random.Random(count)
    digests = [some.randbytes(16) for _ in range(count)]
    marks = [some.random() < 0.5 for _ in digests]
    rows = pl.DataFrame({"digest": digests, "is_kept": marks}, {"digest": pl.Binary, "is_kept": pl.Boolean})
    with Store.open(tmp_path / "s.duckdb") as store, store.frame("given", rows):
        store.run("create temp table held as select * from given")
        found = Sorted.read(store, "select * from held", some="is_kept")
    kept = sorted(digest for digest, mark in zip(digests, marks, strict=True) if mark)
    assert found.total == hashlib.sha256(b"".join(sorted(digests))).hexdigest()
    assert found.of_some == hashlib.sha256(b"".join(kept)).hexdigest()
    assert found.are_distinct


# Whom an answer reaches ----------------------------------------------------------------------------------------------

ASKS = ({"feed": "tax_income"}, {"feed": "wallets"})
PEOPLE = (A, B, S, OUTSIDER)


def made_up(seed: int) -> tuple[list[list[dict[str, object]]], list[dict[str, object]]]:
    """Two files of requests (the second asks again for some), and consents of every kind."""
    some = random.Random(seed)
    files: list[list[dict[str, object]]] = []
    for number in range(2):
        lines = []
        for case, people in (("U-1", PEOPLE[:2]), ("U-2", PEOPLE[2:])):
            if number and some.random() < 0.5:
                continue
            lines.append(
                request(
                    case,
                    request_no=f"R-{case}-{number}",
                    purpose=some.choice(("dibao", "tekun")),
                    feeds=some.sample(ASKS, some.randint(1, 2)),
                    members=[member(f"m{i}", p) for i, p in enumerate(people)],
                )
            )
        files.append(lines)
    consents = [
        consent(
            person,
            consent_no=f"C-{number}-{person[-5:]}",
            feeds=some.choice((["*"], ["tax_income"], ["wallets"], ["tax_income", "wallets"])),
            purpose=some.choice(("dibao", "tekun", "social_relief")),
            **{"from": some.choice((None, "2020-06-25", "2020-06-26")), "to": some.choice((None, "2020-06-25"))},
            withdrawn_on=some.choice((None, "2020-06-25", "2020-06-26")),
        )
        for person in PEOPLE
        for number in range(some.randint(0, 2))
    ]
    consents = [c for c in consents if c["from"] is None or c["to"] is None or str(c["from"]) <= str(c["to"])]
    return files, consents


def covered(given: dict[str, object], name: str, purpose: str) -> bool:
    feeds = cast(list[str], given["feeds"])
    start, end, withdrawn = (
        date.fromisoformat(str(given[key])) if given[key] else None for key in ("from", "to", "withdrawn_on")
    )
    return (
        ("*" in feeds or name in feeds)
        and given["purpose"] in (purpose, "social_relief")
        and (start is None or start <= ON)
        and (end is None or end >= ON)
        and (withdrawn is None or withdrawn > ON)
    )


def reached(
    files: list[list[dict[str, object]]], consents: list[dict[str, object]], name: str
) -> dict[str, int | None]:
    """From the definitions: who is asked about for a feed, and the load since when he is, None if not covered."""
    load = 0
    asked_since: dict[tuple[str, tuple[str, ...]], int] = {}
    live: dict[str, tuple[str, list[str], tuple[str, ...]]] = {}
    for lines in files:
        load += bool(lines)
        for line in lines:
            feeds, members = (cast(list[dict[str, str]], line[key]) for key in ("feeds", "members"))
            ask = tuple(sorted(f["feed"] for f in feeds))
            people = [one["id_number"] for one in members]
            for number in people:
                asked_since.setdefault((number, ask), load)
            live[str(line["case_id"])] = (str(line["purpose"]), people, ask)
    found: dict[str, int | None] = {}
    for purpose, people, ask in live.values():
        for number in people if name in ask else ():
            covers = any(c["id_number"] == number and covered(c, name, purpose) for c in consents)
            found[number] = asked_since[number, ask] if covers else None
    return found


@pytest.mark.parametrize("seed", range(8))
def test_who_is_reached_follows_from_requests_and_consents_also_when_they_grow(inbox: Inbox, seed: int) -> None:
    files, consents = made_up(seed)
    with inbox.store() as store:
        for upto in range(4):
            if upto < 2 and files[upto]:
                store.requests(inbox.lines("requests.jsonl", files[upto]))
            elif upto == 2 and consents:
                store.consents(inbox.lines("consents.jsonl", consents))
            for name in ("tax_income", "wallets", "tax_income"):
                answer = Manifest(feed=name, sender="S", answered_on=ON)
                reach = reach_of(store, feed(name), answer)
                rows = store.fetch("select id_number, load from i_asked join persons using (person)")
                expected = reached(files[: upto + 1], consents if upto >= 2 else [], name)
                assert dict(rows.iter_rows()) == expected
                assert reach.covered == sum(load is not None for load in expected.values())


def test_what_was_prepared_in_a_transaction_that_failed_is_prepared_anew(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    path = inbox.tax([wage(A)])
    with inbox.store() as store:
        store.requests(inbox.folder / "requests.jsonl")
        store.consents(inbox.folder / "consents.jsonl")
        with pytest.raises(ZeroDivisionError), store.transaction():
            store.ingest("tax_income", path)
            raise ZeroDivisionError
        assert store.ingest("tax_income", path).accepted == 1
