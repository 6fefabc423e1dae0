"""Rows of a database: exact types only, and the same rows as a file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from contracts.formats.legal import resident
from meanscheck.contracts import feed
from meanscheck.contracts.cast import cast_rows
from meanscheck.contracts.cursor import read_cursor, read_records
from meanscheck.contracts.mapping import FileMapping
from meanscheck.contracts.named import FileRows
from meanscheck.errors import FeedError

A, B = resident(1), resident(2)
DEPOSITS = feed("bank_deposits")


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()


def balances(file: FileRows) -> list[Any]:
    cast = cast_rows(DEPOSITS, file.rows, as_of=None, not_after=date(2020, 6, 30), units=file.units)
    assert cast.quarantined.height == 0
    return cast.accepted.select("id_number", "balance_fen", "row_no").rows()


def test_a_cursor_is_read_to_its_end_in_batches(database: sqlite3.Connection) -> None:
    database.execute("create table t (zjhm text, ye integer, xm text)")
    database.executemany("insert into t values (?, ?, '甲')", [(resident(n), n) for n in range(25)])
    cursor = database.execute('select zjhm as "证件号码", ye as balance_fen, xm from t order by rowid')
    file = read_cursor(DEPOSITS, cursor, batch_size=10)
    assert balances(file) == [(resident(n), n, n + 1) for n in range(25)]
    assert (file.format, file.ignored) == ("cursor", ("xm",))


def test_decimals_days_and_whole_numbers_are_exact() -> None:
    values = [Decimal("1234.50"), 1234, "1,234.50元", Decimal("1E+3"), Decimal("0.290")]
    rows = [(resident(n), value, date(2020, 6, 20), None) for n, value in enumerate(values)]
    file = read_records(DEPOSITS, ["id_number", "balance", "as_of", "name"], rows)
    assert [row[1] for row in balances(file)] == [123_450, 123_400, 123_450, 100_000, 29]


@pytest.mark.parametrize(
    "value",
    [
        1234.5,
        float("nan"),
        Decimal("NaN"),
        Decimal("1E+9000"),
        b"1234",
        10**400,
        datetime(2020, 6, 20, tzinfo=UTC),
        ["1"],
    ],
)
def test_a_value_that_is_not_exact_refuses_everything_and_is_not_repeated(value: object) -> None:
    with pytest.raises(FeedError, match=f"type {type(value).__name__}") as caught:
        read_records(DEPOSITS, ["id_number", "balance"], [(A, "1"), (B, value)], name="bank")
    assert caught.value.where == "bank:2 column 2"
    assert "1234" not in str(caught.value)


def test_a_failing_database_is_an_error_without_its_words() -> None:
    class Broken:
        description = (("id_number",), ("balance",))

        def fetchmany(self, size: int, /) -> Sequence[Sequence[Any]]:
            raise RuntimeError(f"cannot read row of {A}")

    with pytest.raises(FeedError, match="the database failed") as caught:
        read_cursor(DEPOSITS, Broken(), name="bank")
    assert A not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_cursor_without_a_result_or_with_other_columns_is_refused(database: sqlite3.Connection) -> None:
    with pytest.raises(FeedError, match="no result"):
        read_cursor(DEPOSITS, database.cursor())
    with pytest.raises(FeedError, match="missing column"):
        read_cursor(DEPOSITS, database.execute("select 1 as a"))
    with pytest.raises(FeedError, match="number of values"):
        read_records(DEPOSITS, ["id_number", "balance"], [(A,)])


def test_a_mapping_serves_a_cursor_too(database: sqlite3.Connection) -> None:
    columns = {"id_number": {"from": "ZJHM"}, "balance": {"from": "YE", "unit": "fen"}}
    mapping = FileMapping.model_validate({"feed": "bank_deposits", "sender": "S", "columns": columns})
    cursor = database.execute("select ? as zjhm, 7 as ye", [A])
    assert balances(read_cursor(DEPOSITS, cursor, mapping=mapping)) == [(A, 7, 1)]
