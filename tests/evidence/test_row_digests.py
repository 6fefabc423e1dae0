"""A row's digest is what `digests` says, whoever makes it: Polars when it comes in, the database afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanscheck.contracts import FeedContract, all_feeds, feed
from meanscheck.contracts.whose import Whose
from meanscheck.errors import StoreError
from meanscheck.evidence import Store
from meanscheck.evidence.digests import row_digest_sql
from meanscheck.evidence.row_digests import row_digests
from meanscheck.evidence.tables import stored_columns
from meanscheck.values import hashing
from meanscheck.values.scratch import asked

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
CELLS: dict[object, st.SearchStrategy[Any]] = {
    pl.String: TEXT,
    pl.Int64: st.integers(-(10**13), 10**13),
    pl.Date: st.dates(date(1850, 1, 1), date(9999, 12, 31)),
    pl.Boolean: st.booleans(),
}
ONE_OF_EACH = tuple(
    min((c for c in all_feeds().values() if any(k.kind == kind for k in stored_columns(c))), key=lambda c: c.name)
    for kind in ("text", "money", "date", "month", "bool", "choice", "area", "number")
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("digests") / "s.duckdb") as opened:
        yield opened


def as_defined(contract: FeedContract, identity: tuple[str | None, str | None], row: dict[str, object]) -> bytes:
    def written(value: object) -> str:
        if value is None:
            return "\x1e"
        if isinstance(value, bool):
            return "true" if value else "false"
        return value.isoformat() if isinstance(value, date) else str(value)

    cells = [contract.name, *map(written, identity), *(written(row[c.stored_name]) for c in stored_columns(contract))]
    return hashlib.sha256("\x1f".join(cells).encode()).digest()[:16]


@given(st.data())
@settings(max_examples=60)
def test_both_make_what_is_defined(store: Store, data: st.DataObject) -> None:
    contract = data.draw(st.sampled_from(ONE_OF_EACH))
    height = data.draw(st.integers(0, 6))
    columns = {
        c.stored_name: pl.Series(
            data.draw(
                st.lists(st.none() | CELLS[type(c.polars_type)], min_size=height, max_size=height)
                # Columns of nulls are common.
                | st.just([None] * height)
            ),
            dtype=c.polars_type,
        )
        for c in stored_columns(contract)
    }
    people = data.draw(st.lists(st.tuples(st.none() | TEXT, st.none() | TEXT), min_size=1, max_size=3, unique=True))
    who = data.draw(st.lists(st.integers(0, len(people) - 1), min_size=height, max_size=height))
    whose = Whose(
        pl.DataFrame(people, schema={"id_type": pl.String, "id_number": pl.String}, orient="row"),
        pl.Series(who, dtype=pl.UInt32),
    )
    rows = pl.DataFrame(columns)
    found = row_digests(contract, rows, whose)
    assert found.name == "digest" and found.dtype == pl.Binary
    expected = [as_defined(contract, people[w], row) for w, row in zip(who, rows.iter_rows(named=True), strict=True)]
    assert found.to_list() == expected
    given_rows = rows.with_columns(whose.column("id_type"), whose.column("id_number")).with_row_index("place")
    with store.frame("given", given_rows):
        digest = row_digest_sql(contract, row="g", identity="g")
        assert store.fetch(f"select {digest} as digest from given g order by place")["digest"].to_list() == expected


def test_many_days_are_written_like_few() -> None:
    contract = feed("tax_income")
    days = [date(1850, 1, 1) + timedelta(days=37 * n) for n in range(900)]
    for some in (days, days[:1] * 900):  # wider than there are rows; one day
        rows = pl.DataFrame(
            {c.stored_name: pl.Series([None] * 900, dtype=c.polars_type) for c in stored_columns(contract)}
        ).with_columns(month=pl.Series(some))
        whose = Whose(
            pl.DataFrame({"id_type": ["resident_id"], "id_number": ["1"]}), pl.Series([0] * 900, dtype=pl.UInt32)
        )
        expected = [as_defined(contract, ("resident_id", "1"), row) for row in rows.iter_rows(named=True)]
        assert row_digests(contract, rows, whose).to_list() == expected


@given(
    st.lists(TEXT | st.sampled_from(["居" * 40, "x" * 55, "x" * 56, "x" * 64, "x" * 200]), max_size=20),
    st.integers(1, 32),
)
def test_each_way_hashes_like_the_standard_library(texts: list[str], size: int) -> None:
    expected = [hashlib.sha256(text.encode()).digest()[:size] for text in texts]
    given_texts = pl.Series("t", texts, dtype=pl.String)
    for way in (hashing.by_database, hashing.sha256):
        found = way(given_texts, size=size)
        assert found.dtype == pl.Binary and found.to_list() == expected


def test_what_the_database_says_of_texts_is_never_repeated(store: Store) -> None:
    texts = pl.DataFrame({"n": range(300_000)})
    for last in (0, 299_000):  # also when most rows have come already
        query = f"select case when n = {last} then error('440703195002020027') else 'x' end from given"
        with pytest.raises(StoreError, match="could not be worked on") as caught:
            asked(query, texts)
        assert "440703" not in str(caught.value) and caught.value.__cause__ is None
        with store.frame("given", texts), pytest.raises(StoreError, match="refused an operation") as told:
            store.fetch(query)
        assert "440703" not in str(told.value) and told.value.__cause__ is None


def test_the_plugin_hashes_the_same_if_it_is_there() -> None:
    pytest.importorskip("polars_hash")
    texts = pl.Series([str(number) * (number % 90) for number in range(5_000)])
    assert hashing.by_plugin(texts, 16).to_list() == hashing.by_database(texts, 16).to_list()


@pytest.mark.parametrize("answer", [ImportError("built for another Polars"), [b"\x00" * 32] * 3])
def test_a_plugin_that_fails_or_errs_is_not_used(
    monkeypatch: pytest.MonkeyPatch, answer: Exception | list[bytes]
) -> None:
    def wrong(texts: pl.Series, size: int) -> pl.Series:
        if isinstance(answer, Exception):
            raise answer
        return pl.Series(answer[: len(texts)])

    hashing._plugin.cache_clear()
    monkeypatch.setattr(hashing, "by_plugin", wrong)
    try:
        assert hashing._plugin() is None
        assert hashing.sha256(pl.Series(["abc"])).to_list() == [hashlib.sha256(b"abc").digest()]
    finally:
        hashing._plugin.cache_clear()
