"""One case while a caseworker waits: what is read of it is what the whole caseload reads, also while others write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from meanscheck.contracts import all_feeds
from meanscheck.contracts.units import ROW_REF, CaseBlock, units_of
from meanscheck.decisions import Decision, assess, decide, decide_stored
from meanscheck.decisions.encode import input_needs
from meanscheck.decisions.explaining import text
from meanscheck.decisions.tracing import Tracer
from meanscheck.errors import InternalError, StoreError
from meanscheck.evidence import Store, blocks
from meanscheck.evidence.blocks import bits_of
from meanscheck.evidence.database import Database, Reading
from meanscheck.evidence.rows import SUPPORTERS, formula_columns

from .office import DAY, Office, law_of_2020, small_county

EVERYTHING = {
    name: [c.name for c in formula_columns(contract)] + ([] if name == SUPPORTERS else [ROW_REF])
    for name, contract in all_feeds().items()
}
"""All columns of all feeds."""


def same(one: CaseBlock, other: CaseBlock) -> None:
    """Both blocks say the same of everything but which number the unit has."""
    assert_frame_equal(one.households.drop("unit"), other.households.drop("unit"))
    assert_frame_equal(one.persons.drop("unit"), other.persons.drop("unit"))
    assert_frame_equal(one.supporters.drop("unit"), other.supporters.drop("unit"))
    assert one.feeds.keys() == other.feeds.keys()
    for feed in one.feeds:
        assert_frame_equal(one.feeds[feed], other.feeds[feed])


def test_a_case_of_a_messy_county_is_in_all_columns_what_the_caseload_has_of_it(messy: Office) -> None:
    projection = messy.store.project(messy.store.snapshot(), on=DAY)
    reader = projection.reader()
    whole = reader.block(EVERYTHING, first=0, after=projection.units)
    cases = whole.households["case_id"].to_list()
    # Many cases, and few: few are asked about in other words.
    same(whole, messy.store.case_block(cases, EVERYTHING, on=DAY))
    units = units_of(whole)
    for at in range(0, projection.units, projection.units // 12):
        block = reader.block(EVERYTHING, first=at, after=at + 1)
        same(block, messy.store.case_block(cases[at], EVERYTHING, on=DAY))
        (unit,) = units_of(block)
        assert (unit.case_id, unit.attributes, unit.persons) == (cases[at], units[at].attributes, units[at].persons)


def test_a_case_read_without_frames_is_the_case_of_the_block(messy: Office) -> None:
    projection = messy.store.project(messy.store.snapshot(), on=DAY)
    units = units_of(projection.block(EVERYTHING, first=0, after=projection.units))
    assert any(p.support for unit in units for p in unit.persons)
    with projection.file.open() as reader:
        assert [reader.case(unit.case_id, EVERYTHING) for unit in units] == units
        some = {"bank_deposits": ("balance",), SUPPORTERS: ()}
        at = len(units) // 2
        assert [reader.case(units[at].case_id, some)] == units_of(reader.block(some, first=at, after=at + 1))
        with pytest.raises(StoreError, match="not in the store") as refused:
            reader.case(units[0].case_id + "'", EVERYTHING)
    assert units[0].case_id not in str(refused.value)


def test_a_stored_case_is_decided_and_told_as_by_two_runs(messy: Office) -> None:
    law = law_of_2020()
    projection = messy.store.project(messy.store.snapshot(), on=law.on)
    reader = projection.reader()
    for unit in units_of(reader.block(input_needs(law), first=0, after=40)):
        decision, tree = decide_stored(reader, unit.case_id, law)
        assert decision == decide(unit, law)
        assert tree == decision.explanation(Tracer(law, unit, is_reduced=True))


def test_a_stored_case_is_decided_while_a_batch_runs(tmp_path: Path) -> None:
    law = law_of_2020()
    with small_county(tmp_path, households=21) as store:
        file = store.project(store.snapshot(), on=law.on).file
        cases = store.fetch("select case_id from requests order by case_id limit 5")["case_id"].to_list()
        before = [decide(units_of(store.case_block(case, input_needs(law), on=law.on))[0], law) for case in cases]
        done, found, faults = Event(), list[tuple[int, Decision]](), list[Exception]()

        def look() -> None:
            try:
                with file.open() as reader:
                    while not done.is_set() or len(found) < len(cases):
                        at = len(found) % len(cases)
                        found.append((at, decide_stored(reader, cases[at], law)[0]))
            except Exception as fault:
                faults.append(fault)

        thread = Thread(target=look)
        thread.start()
        try:
            assess(store, law, block_units=7).run()
        finally:
            done.set()
            thread.join()
    assert faults == []
    assert len(found) >= len(cases)
    assert all(decision == before[at] for at, decision in found)


def test_rows_out_of_order_are_no_case(messy: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = messy.store.project(messy.store.snapshot(), on=DAY).reader()
    (unit, *_) = (u for u in units_of(reader.block(EVERYTHING, first=0, after=40)) if len(u.persons) > 1)
    read = Database.rows
    for table in ("persons", "f_household_register"):

        def turned(
            database: Database, sql: str, parameters: Sequence[object] = (), *, table: str = table
        ) -> list[tuple[Any, ...]]:
            rows = read(database, sql, parameters)
            return rows[::-1] if f"{table} " in sql else rows

        monkeypatch.setattr(Database, "rows", turned)
        with pytest.raises(InternalError, match="stored order"):
            reader.case(unit.case_id, EVERYTHING)


def test_a_file_is_opened_anew_after_many_units_and_says_if_it_was_replaced(
    messy: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    reopen = Reading.reopen

    def counted(database: Reading) -> None:
        opened.append(database.path)
        reopen(database)

    monkeypatch.setattr(Reading, "reopen", counted)
    monkeypatch.setattr(blocks, "RENEWED", 20)
    projection = messy.store.project(messy.store.snapshot(), on=DAY)
    with projection.file.open() as reader:
        for first in range(0, projection.units, 10):
            after = min(first + 10, projection.units)
            same(
                reader.block(EVERYTHING, first=first, after=after),
                projection.block(EVERYTHING, first=first, after=after),
            )
        assert len(opened) == (projection.units - 1) // 20
        messy.store.project(messy.store.snapshot(), on=DAY.replace(day=1))
        with pytest.raises(StoreError, match="replaced by another"):
            for _ in range(3):
                reader.block(EVERYTHING, first=0, after=10)


def test_feeds_share_bits_where_there_are_many() -> None:
    names = [f"feed_{n:03}" for n in range(70)]
    bits = bits_of(names)
    assert len(bits) == 70
    assert max(bits.values()) < 2**63
    assert bits["feed_000"] == bits["feed_062"] != bits["feed_061"]
    assert {bits[n] for n in names[:62]} == {1 << n for n in range(62)}


def told(store: Store, case: str) -> tuple[str, str]:
    """A decision and its explanation down to rows, and the same of the block alone."""
    law = law_of_2020()
    evidence = Tracer.of(store, law, case, is_reduced=True)
    (unit,) = units_of(store.case_block(case, input_needs(law), on=law.on))
    return text(decide(evidence.given, law).explanation(evidence), law), decide(unit, law).explain()


def test_a_case_is_read_and_told_while_the_store_takes_in_and_a_batch_runs(tmp_path: Path) -> None:
    with small_county(tmp_path, households=30) as store:
        cases = store.fetch("select case_id from requests order by case_id limit 3")["case_id"].to_list()
        before = {case: told(store, case) for case in cases}
        done, found, faults = Event(), list[tuple[str, tuple[str, str]]](), list[Exception]()

        def read(beside: Store) -> None:
            try:
                while not done.is_set() or len(found) < len(cases):
                    case = cases[len(found) % len(cases)]
                    found.append((case, told(beside, case)))
            except Exception as fault:
                faults.append(fault)

        with store.beside() as beside:
            reader = Thread(target=read, args=(beside,))
            reader.start()
            try:
                batch = assess(store, law_of_2020()).run()
                with store.transaction():
                    store.record_law("sha256:0", "not committed while others read")
                    store.ingest_inbox(tmp_path / "inbox")
            finally:
                done.set()
                reader.join()
        assert faults == []
        assert batch.outcomes.collect(engine="in-memory")["case_id"].n_unique() == 30
        assert dict(found) == before
        assert all(what == before[case] for case, what in found)
