"""A copy of a projection in Parquet gives the same blocks, is whole or not there, and is not made of what is encrypted
unless somebody says so."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from decisions.office import small_county
from polars.testing import assert_frame_equal

from meanscheck.errors import StoreError
from meanscheck.evidence import Projection, Reader, Store
from meanscheck.evidence.key import StoreKey
from meanscheck.evidence.parquet import PART, ParquetEvidence, gathered
from meanscheck.evidence.relations import relations_of, states_of

ON = date(2020, 6, 30)
HOUSEHOLDS = 20
WANTED = {
    "bank_deposits": ["balance", "account_kind", "as_of", "#ref"],
    "tax_income": ["amount", "item", "month"],
    "deaths": ["died_on"],
    "public_payroll": ["amount"],
    "supporters": ["relation", "household_size"],
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with small_county(tmp_path_factory.mktemp("parquet"), households=HOUSEHOLDS) as opened:
        yield opened


@pytest.fixture(scope="module")
def projection(store: Store) -> Projection:
    return store.project(store.snapshot(), on=ON)


def assert_same(one: Reader, other: Reader, first: int, after: int) -> None:
    a, b = (reader.block(WANTED, first=first, after=after) for reader in (one, other))
    assert a.units == after - first
    assert_frame_equal(a.households, b.households)
    assert_frame_equal(a.persons, b.persons)
    assert_frame_equal(a.supporters, b.supporters)
    assert a.feeds.keys() == b.feeds.keys()
    for feed in a.feeds:
        assert_frame_equal(a.feeds[feed], b.feeds[feed])
    for x, y in zip(one.tokens(first=first, after=after), other.tokens(first=first, after=after), strict=True):
        assert x.to_list() == y.to_list() and len(x)


@pytest.mark.parametrize("units", [(0, HOUSEHOLDS), (3, 11), (HOUSEHOLDS - 1, HOUSEHOLDS)])
def test_a_copy_gives_the_blocks_of_the_projection(
    projection: Projection, tmp_path: Path, units: tuple[int, int]
) -> None:
    folder = tmp_path / "it's a copy.parquet"
    projection.export(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with ParquetEvidence.of(projection, folder).open() as reader:
        assert_same(projection.reader(), reader, *units)


def test_rows_in_any_order_and_in_wider_types_are_put_back(projection: Projection, tmp_path: Path) -> None:
    folder = tmp_path / "county.parquet"
    projection.export(folder)
    tables = {"states": states_of(projection)}
    for relation in relations_of(projection, WANTED):
        rows = pl.read_parquet(folder / relation.name / PART, columns=list(relation.schema))
        assert rows.height == relation.rows
        wide = rows.cast({pl.UInt8: pl.Int16, pl.UInt32: pl.Int64}).sample(fraction=1.0, shuffle=True, seed=3)
        tables[relation.name] = wide.cast(relation.schema).sort(relation.order)
        assert_frame_equal(tables[relation.name], rows)
    assert tables.keys() == {
        *("states", "households", "persons", "supporters", "unit_tokens", "person_tokens"),
        *(f"f_{feed}" for feed in WANTED),
    }
    with gathered(tables, tuple(projection.rows)) as reader:
        assert_same(projection.reader(), reader, 4, 9)


def test_a_copy_is_made_once_and_replaces_that_of_another_day(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "county.parquet"
    store.project(store.snapshot(), on=date(2020, 7, 31)).export(folder)
    before = (folder / "households" / PART).stat().st_mtime_ns
    projection = store.project(store.snapshot(), on=ON)
    with pytest.raises(StoreError, match="copy of another projection"), ParquetEvidence.of(projection, folder).open():
        pass
    projection.export(folder)
    made = (folder / "households" / PART).stat().st_mtime_ns
    projection.export(folder)
    assert before != made == (folder / "households" / PART).stat().st_mtime_ns
    assert [place.name for place in tmp_path.iterdir()] == ["county.parquet"]


def test_a_folder_of_something_else_stays_as_it_is(projection: Projection, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="no copy of a projection: name another folder"):
        projection.export(tmp_path)
    assert [place.name for place in tmp_path.iterdir()] == ["notes.txt"]


def test_a_copy_that_breaks_off_has_not_its_name(
    projection: Projection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meanscheck.evidence.parquet.tables_of", lambda store: ["households", "no_such_table"])
    with pytest.raises(Exception, match="no_such_table"):
        projection.export(tmp_path / "county.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_copy_is_not_read(projection: Projection, tmp_path: Path) -> None:
    with (
        pytest.raises(StoreError, match="is no copy of a projection"),
        ParquetEvidence.of(projection, tmp_path / "nowhere").open(),
    ):
        pass


def test_an_encrypted_store_is_copied_only_if_somebody_says_so(
    projection: Projection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection.store, "key", StoreKey(bytes(32)))
    with pytest.raises(StoreError, match="encrypted, and a copy in Parquet would not be: nothing was written"):
        projection.export(tmp_path / "county.parquet")
    assert list(tmp_path.iterdir()) == []
    projection.export(tmp_path / "county.parquet", unprotected=True)
    assert (tmp_path / "county.parquet" / "mark" / PART).is_file()


def test_a_projection_that_was_replaced_is_not_copied(store: Store, projection: Projection, tmp_path: Path) -> None:
    store.project(store.snapshot(), on=date(2020, 7, 31))
    try:
        with pytest.raises(StoreError, match="replaced by another"):
            projection.export(tmp_path / "county.parquet")
    finally:
        store.project(store.snapshot(), on=ON)
