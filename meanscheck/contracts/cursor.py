"""How do rows of a department's database become rows of a feed, without a file between?

Any DB-API 2.0 cursor after its `execute` will do (PEP 249), or any rows with their headers. Values become the text that
a file would hold, so that the same answer is the same batch whichever way it came: whole numbers and decimals in plain
digits, days as ISO 8601, yes and no as true and false. A float holds no exact amount and is refused whatever it holds;
so is an instant with a time zone, because its day depends on the reader.

What the database itself says when it fails may hold values and is not repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

import polars as pl

from meanscheck.contracts.bounds import check_shape
from meanscheck.contracts.mapping import FileMapping
from meanscheck.contracts.mapping_checks import refuse_faulty
from meanscheck.contracts.model import FeedContract
from meanscheck.contracts.named import FileRows, named
from meanscheck.contracts.table import Table, counted, none_broken
from meanscheck.errors import FeedError

_MAX_BITS = 256
_REMEDY = "Select it as text, decimal, whole number or date"


class Cursor(Protocol):
    """What is used of a DB-API 2.0 cursor that has executed a query."""

    @property
    def description(self) -> Any:
        """One sequence a column, its name first; None without a result."""

    def fetchmany(self, size: int, /) -> Sequence[Sequence[Any]]:
        """The next rows, at most `size`; none at the end."""


def read_cursor(
    contract: FeedContract,
    cursor: Cursor,
    *,
    mapping: FileMapping | None = None,
    name: str = "cursor",
    batch_size: int = 10_000,
) -> FileRows:
    """Every row that a cursor still has; `row_no` counts them from 1.

    Args:
        mapping: how the database's columns say it; without one they are known by their names.
        name: locator for messages.
        batch_size: rows fetched at a time.

    Raises:
        FeedError: no result, the database failed, a value of a type that is not read, or as for a file.
    """
    if not cursor.description:
        raise FeedError("the cursor has no result", where=name, remedy="Execute a query first")
    headers = [str(column[0]) for column in cursor.description]
    return read_records(contract, headers, _fetched(cursor, batch_size, name), mapping=mapping, name=name)


def read_records(
    contract: FeedContract,
    headers: Sequence[str],
    records: Iterable[Sequence[Any]],
    *,
    mapping: FileMapping | None = None,
    name: str = "records",
) -> FileRows:
    """Rows given as sequences of values (Decimal, int, str, date, datetime, bool, None), in the order of `headers`.

    Raises:
        FeedError: as `read_cursor`; a row with more or fewer values than there are headers.
    """
    if mapping is not None:
        refuse_faulty(contract, mapping, where=name)
    check_shape(0, len(headers), where=name)
    parts: list[pl.DataFrame] = []
    columns: list[list[str | None]] = [[] for _ in headers]
    row_no = 0
    for row_no, record in enumerate(records, 1):
        if len(record) != len(headers):
            raise FeedError(
                "another number of values than columns", where=f"{name}:{row_no}", remedy="Look at the query"
            )
        for place, value in enumerate(record):
            columns[place].append(
                value if type(value) is str or value is None else _text(value, name, row_no, place + 1)
            )
        if row_no % 100_000 == 0:
            check_shape(row_no, len(headers), where=name)
            parts.append(_frame(columns))
            columns = [[] for _ in headers]
    cells = pl.concat([*parts, _frame(columns)])
    table = Table(tuple(headers), cells, counted(1, row_no), none_broken())
    return named(contract, table, "cursor", name, mapping)


def _fetched(cursor: Cursor, batch_size: int, name: str) -> Iterator[Sequence[Any]]:
    while True:
        try:
            rows = cursor.fetchmany(batch_size)
        except Exception as error:  # every driver has its own errors; their words may hold values
            raise FeedError(
                f"the database failed ({type(error).__name__})", where=name, remedy="Look at its own log"
            ) from None
        if not rows:
            return
        yield from rows


def _frame(columns: Sequence[Sequence[str | None]]) -> pl.DataFrame:
    return pl.DataFrame({f"c{place}": pl.Series(cells, dtype=pl.String) for place, cells in enumerate(columns)})


def _text(value: object, name: str, row: int, column: int) -> str:
    """A value as a file would hold it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() <= _MAX_BITS:
        return str(value)
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= 40:
        return f"{value:f}"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return value.strftime("%Y-%m-%d %H:%M:%S")
    elif isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return str(value)
    raise FeedError(
        f"a value of type {type(value).__name__} is not read exactly",
        where=f"{name}:{row} column {column}",
        remedy=_REMEDY,
    )
