"""How is DuckDB asked? Through one connection, in transactions that are in wholly or not at all, also after a kill.

This module and `connecting`, which opens the connection, are the only ones that ask DuckDB anything. Errors of the
database reach the caller as `StoreError` without the database's own words, which may hold values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import polars as pl

from meanscheck.errors import InternalError, StoreError
from meanscheck.evidence.connecting import NAME, attach, connected
from meanscheck.evidence.key import StoreKey
from meanscheck.evidence.rescue import Rescue
from meanscheck.values.arrow import ArrowStream, frame_of

LOG_BYTES = 2**28
"""From which size on the log of changes is folded into the file: small files come in often."""
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_DISK = (
    "No space left",
    "Could not write",
    "Could not fsync",
    "fsync failed",
    "Could not truncate",
    "Input/output error",
)
"""Words of the system in the database's errors of other kinds. They are looked for and never repeated."""
_OUR_MISTAKE = (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException, duckdb.SyntaxException)


class Database:
    """One file of DuckDB through one connection, as a context manager. Not to be shared between threads."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        path: Path,
        *,
        read_only: bool,
        key: StoreKey | None,
        memory_limit: str | None = None,
    ) -> None:
        """A connection that `connecting` made.

        Args:
            connection: unqualified names in it mean the file.
            path: the file.
            read_only: refuse every change.
            key: by which it is encrypted, if it is.
            memory_limit: bound of the database's own memory where this is the connection that sets it.
        """
        self._connection: duckdb.DuckDBPyConnection | None = connection
        self._in_transaction = False
        self._memory_limit = memory_limit
        self._rescue: Rescue | None = None
        self.path, self.read_only, self.key = path, read_only, key

    def __repr__(self) -> str:
        state = "closed" if self._connection is None else "read only" if self.read_only else "open"
        return f"{type(self).__name__}({state})"

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        if self._connection is not None:
            if self._rescue is not None and not self._in_transaction:
                # What cannot be folded in stays in the log beside the file.
                with suppress(StoreError, InternalError):
                    self._rescue.checkpoint(self)
            connection, self._connection = self._connection, None
            connection.close()
            if self._rescue is not None:
                self._rescue.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _open(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise StoreError("the store is closed")
        return self._connection

    def run(self, sql: str, parameters: Sequence[object] = ()) -> None:
        """Execute one statement."""
        try:
            self._open.execute(sql, list(parameters)).fetchall()
        except duckdb.Error as error:
            raise _refused(error) from None

    def attach(self, path: Path, name: str, *, read_only: bool = False, row_group: int | None = None) -> None:
        """Open a second file under a name, under the store's own key; a new one is made. `row_group`: see `attach`."""
        attach(self._open, path, name, self.key, read_only=read_only, row_group=row_group)

    def copy_to(self, path: Path, key: StoreKey | None) -> None:
        """Copy all tables into a new file under a key; see `rewriting`."""
        attach(self._open, path, "copy", key, read_only=False)
        self.run(f"copy from database {NAME} to copy")
        self.run("checkpoint copy")
        self.run("detach copy")

    def fetch(self, sql: str, parameters: Sequence[object] = ()) -> pl.DataFrame:
        """Rows of a query as a frame (Enum columns of DuckDB arrive as String, sums of BIGINT as Decimal)."""
        connection = self._open
        try:
            return frame_of(connection.sql(sql, params=list(parameters) or None))
        except (duckdb.Error, pl.exceptions.PolarsError) as error:  # the second, if some rows had come already
            raise _refused(error) from None

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query as Python's values; of a few rows a third faster than a frame."""
        try:
            return self._open.execute(sql, list(parameters)).fetchall()
        except duckdb.Error as error:
            raise _refused(error) from None

    def value(self, sql: str, parameters: Sequence[object] = ()) -> Any:
        """The single value of a query; None if there is no row."""
        rows = self.rows(sql, parameters)
        return rows[0][0] if rows else None

    @contextmanager
    def frame(self, name: str, rows: pl.DataFrame) -> Iterator[None]:
        """Let SQL read a frame under a name for a while."""
        connection, stream = self._open, ArrowStream(rows)
        connection.register(name, stream)
        try:
            yield
        finally:
            if self._connection is not None:  # a transaction that could not be taken back closes it
                connection.unregister(name)
            # Until the transaction ends the database keeps what was registered, and with it all rows.
            stream.release()

    def insert(self, table: str, rows: pl.DataFrame) -> None:
        """Append a frame to a table, columns by name."""
        with self.frame("incoming", rows):
            self.run(f"insert into {table} by name select * from incoming")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is in wholly or not at all; nested use joins the outer one."""
        if self._in_transaction:
            yield
            return
        if self.read_only:
            raise StoreError("the store was opened to read only")
        self.run("begin transaction")
        self._in_transaction = True
        try:
            yield
            self.run("commit")
            self._in_transaction = False
            if self._rescue is not None and self._rescue.log_bytes > LOG_BYTES:
                with suppress(StoreError):
                    self._rescue.checkpoint(self)
        except BaseException:
            self._in_transaction = False
            if self._connection is not None:
                try:
                    self._connection.execute("rollback")
                except duckdb.Error:
                    self.close()
            raise
        finally:
            self._in_transaction = False

    @contextmanager
    def less_memory(self, growth: int, *, let_go: bool = False) -> Iterator[None]:
        """Let the database's own memory grow by so many bytes only, for a while: beyond that it spills.

        Args:
            growth: bytes.
            let_go: first let go what it has kept of earlier reading.
        """
        number, unit = str(self.value("select current_setting('memory_limit')")).split()
        used = int(self.value("select coalesce(sum(memory_usage_bytes), 0) from duckdb_memory()"))
        most = growth if let_go else used + growth
        if self._memory_limit is None or most >= Fraction(number) * _UNITS[unit]:
            yield
            return
        try:
            # What is in use cannot be let go, and then the bound stays as it is.
            with suppress(StoreError) if let_go else nullcontext():
                self.run(f"set memory_limit = '{most // 2**20}MiB'")
            yield
        finally:
            if self._connection is not None:
                self.run(f"set memory_limit = '{self._memory_limit}'")

    @contextmanager
    def one_thread(self) -> Iterator[Callable[[], None]]:
        """Let the database work by one thread for a while; what this yields ends it sooner."""
        number = int(self.value("select current_setting('threads')"))

        def end() -> None:
            self.run(f"set threads = {number}")

        self.run("set threads = 1")
        try:
            yield end
        finally:
            if self._connection is not None:
                end()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, so that what is made now may yet vanish."""
        return self._in_transaction


class Reading(Database):
    """A file that other processes may be reading too, such as a projection, to read only and by one thread."""

    def __init__(self, path: Path, *, key: StoreKey | None, memory_limit: str) -> None:
        """Open it; StoreError if it cannot be."""
        self._connect = partial(
            connected, path, key, read_only=True, memory_limit=memory_limit, threads=1, temp_dir=None
        )
        super().__init__(self._connect(), path, read_only=True, key=key)

    def reopen(self) -> None:
        """Open it again: the database remembers something of every part of a file it has looked at until it closes."""
        self.close()
        self._connection = self._connect()


def _refused(error: Exception) -> StoreError | InternalError:
    if isinstance(error, _OUR_MISTAKE):
        return InternalError(f"the store did not understand a statement: {str(error).splitlines()[0]}")
    if isinstance(error, duckdb.OutOfMemoryException) or "Out of Memory Error" in str(error):
        return StoreError("the store ran out of memory; open it with a larger memory_limit or a temp_dir with room")
    # What a disk refuses at the end of a transaction comes as a failed transaction, and spoils the connection.
    if isinstance(error, duckdb.IOException) or any(word in str(error) for word in _DISK):
        return StoreError(
            "the store could not read or write its file; look at disk space and rights, then open it again. "
            "Nothing was kept"
        )
    return StoreError(f"the store refused an operation ({type(error).__name__}); nothing was kept")
