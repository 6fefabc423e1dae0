"""How much work is done is counted, not timed: nothing grows with the caseload that need not.

A block that says everything several times over takes the same statements and the same columns to reckon; Python does
for each household what is done by the record (texts, digests, salts, keys, sealing), and nothing for a row.
"""

from __future__ import annotations

import cProfile
import gc
import hashlib
import pstats
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from meanscheck.contracts.units import CaseBlock
from meanscheck.decisions import assess
from meanscheck.decisions.encode import BlockRecords, input_needs
from meanscheck.decisions.kernel import InOrder, Kernel
from meanscheck.evidence import Reader
from meanscheck.evidence.database import Database
from meanscheck.law.vectors import VectorRun
from meanscheck.ledger import GROUPS
from meanscheck.ledger.bulk import Seal
from meanscheck.vault import Vault

from .office import Office

TIMES = 4
STATEMENTS = 6
"""Beside one a feed that a rule reads: households, persons, the tokens of both, supporters' rows and edges."""
PYTHON_CALLS = 100
"""A household, those into C and this test's counting included; 92 when this was written: seven salted hashes and six
nodes over them, a digest, a leaf and two texts to seal take some six each."""
COLLECTS = 850
"""Queries that Polars plans, a block of this county, whatever its size; 832 when this was written. Formulas of the law
need none but for parts of days (`law.columns`): what is left are joins, lists and texts of records."""
GROWN = 15
"""Queries more for four times the households; 12 when this was written."""
HASHED = 1_200
"""Bytes hashed a household beside its record, which is hashed twice: a leaf of some 260 twice, six nodes of 65, seven
salts of 16 with 5 bytes of prefix and length."""


@dataclass(frozen=True, slots=True)
class Copied(Reader):
    """One block several times over, as if so many counties like it were one."""

    times: int = 1

    def block(self, feeds: Mapping[str, Collection[str]], *, first: int, after: int) -> CaseBlock:
        """The block, and again as often."""
        one = super(Copied, self).block(feeds, first=first, after=after // self.times)
        copies = range(self.times)
        shift = [pl.col("member_row", "supporter_row") + copy * one.persons.height for copy in copies]
        return CaseBlock(
            households=pl.concat([one.households.with_columns(pl.col("case_id") + f"-{copy}") for copy in copies]),
            persons=pl.concat([one.persons for _ in copies]),
            feeds={feed: pl.concat([rows for _ in copies]) for feed, rows in one.feeds.items()},
            supporters=pl.concat([one.supporters.with_columns(by) for by in shift]),
        )

    def tokens(self, *, first: int, after: int) -> tuple[pl.Series, pl.Series]:
        """Other ones for each copy."""
        found = super(Copied, self).tokens(first=first, after=after // self.times)
        return tuple(  # type: ignore[return-value]
            pl.concat([tokens.str.slice(0, 31) + str(copy) for copy in range(self.times)]) for tokens in found
        )


@dataclass
class Work:
    """What was counted while a kernel worked on one block."""

    units: int
    calls: int = 0
    collects: int = 0
    hashed: int = 0
    record_bytes: int = 0


def work_of(kernel: Kernel, reader: Reader, number: int, units: range, monkeypatch: pytest.MonkeyPatch) -> Work:
    done = Work(0)
    real, put = hashlib.sha256, Vault.put

    def counting(data: bytes = b"") -> Any:
        done.hashed += len(data)
        return real(data)

    def seen(vault: Vault, kind: str, block: int, frame: pl.DataFrame) -> None:
        if kind == "records":
            done.record_bytes += sum(int(frame[name].str.len_bytes().sum()) for name in GROUPS)
        put(vault, kind, block, frame)

    profile = cProfile.Profile()
    with monkeypatch.context() as patch:
        patch.setattr(hashlib, "sha256", counting)
        patch.setattr(Vault, "put", seen)
        profile.enable()
        done.units = kernel(reader, number, units).units
        profile.disable()
    calls = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    done.calls = sum(found[1] for found in calls.values())
    done.collects = sum(found[1] for (_, _, name), found in calls.items() if "'collect' of 'builtins.PyLazy" in name)
    return done


@pytest.fixture
def kernel(messy: Office, tmp_path: Path) -> Kernel:
    vault = assess(messy.store, messy.law, vault=tmp_path / "vault").vault
    vault.begin()
    seal = Seal("2020-06-A", "55" * 32, 1)
    return Kernel(messy.law.canonical.decode(), messy.result.snapshot.id, vault, seal)


def test_work_by_the_block_does_not_grow_with_its_households(
    messy: Office, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, units = messy.result.projection.reader().source, messy.result.projection.units
    kernel(Copied(source), 0, range(units))  # what is made once a law, or once a process, is made
    one, many = (
        work_of(kernel, Copied(source, times), times, range(times * units), monkeypatch) for times in (1, TIMES)
    )
    assert many.units == TIMES * one.units
    assert one.collects <= COLLECTS
    # Lists of causes, distinct rows and the like are made in parts of some thousand rows.
    assert many.collects - one.collects <= GROWN
    assert (many.calls - one.calls) / (many.units - one.units) <= PYTHON_CALLS
    for done in (one, many):
        assert done.record_bytes > 1_000 * done.units
        assert done.hashed <= 2 * done.record_bytes + HASHED * done.units


def test_every_feed_is_read_once_and_no_row_twice(
    messy: Office, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    projection = messy.result.projection
    source, units = projection.reader().source, range(projection.units)
    asked: list[tuple[str, int]] = []

    def counted(database: Database, query: str) -> pl.DataFrame:
        found = fetch(database, query)
        asked.append((query, found.height))
        return found

    def counted_rows(database: Database, query: str) -> list[tuple[Any, ...]]:
        found = ask(database, query)
        asked.append((query, len(found)))
        return found

    fetch, ask = Database.fetch, Database.rows
    monkeypatch.setattr(Database, "fetch", counted)
    monkeypatch.setattr(Database, "rows", counted_rows)
    kernel(Reader(source), 0, units)
    first = len(asked)
    kernel(Reader(source), 1, units)
    second = asked[first:]
    needs = input_needs(kernel.law)
    assert len(second) <= len(needs) + STATEMENTS
    in_store = sum(rows for feed, rows in projection.rows.items() if feed in needs)
    in_store += 2 * projection.rows["supporters"]  # how many a person has, and the edges
    assert sum(rows for _, rows in second) <= in_store + 2 * (projection.units + projection.persons)
    assert first <= len(second) + 2, "states and terms are read once"


def test_what_a_block_held_goes_with_it(messy: Office, kernel: Kernel) -> None:
    """Frames that name each other in a circle would stay until Python looks for circles, some blocks later: at a
    million households that was three quarters of all memory."""
    reader, units = messy.result.projection.reader(), range(messy.result.projection.units)
    kernel(reader, 0, units)  # what is made once a law, or once a process, is made
    gc.collect()
    gc.disable()
    try:
        before = frames_held()
        kernel(reader, 1, units)
        assert frames_held() == before
    finally:
        gc.enable()


@pytest.mark.parametrize("engine", [None, InOrder()])
def test_nobody_holds_evidence_or_run_while_texts_are_made(
    messy: Office, kernel: Kernel, monkeypatch: pytest.MonkeyPatch, engine: InOrder | None
) -> None:
    """They take as much memory as the texts, and a block's greatest memory is what a process keeps."""
    projection = messy.result.projection
    gc.collect()  # what other tests left in circles is not counted as held, and does not hide what is
    before = evidence_held()
    meanwhile: list[int] = []

    def frame(self: BlockRecords, **given: Any) -> pl.DataFrame:
        meanwhile.append(evidence_held())
        return whole(self, **given)

    whole = BlockRecords.frame
    monkeypatch.setattr(BlockRecords, "frame", frame)
    if engine is None:
        kernel(projection.reader(), 0, range(projection.units))
        assert meanwhile == [before]
    else:
        # Not that of the next block either, which is read while this one is sealed.
        half = projection.units // 2
        ranges = [range(half), range(half, projection.units)]
        assert sum(done.units for done in engine.run(kernel, projection, ranges)) == projection.units
        assert meanwhile == [before, before]


def evidence_held() -> int:
    return sum(isinstance(one, VectorRun | CaseBlock) for one in gc.get_objects())


def frames_held() -> int:
    return sum(isinstance(one, pl.DataFrame) for one in gc.get_objects())
