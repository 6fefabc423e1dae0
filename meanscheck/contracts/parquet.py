"""How does a Parquet file become cells, whatever bytes it holds?

    with opened_parquet(path, where=path.name) as file:
        file.rows, file.headers
        file.cells(0, 250_000)

Choices
    * The database reads it, not Polars. A damaged page can make Polars 2.1 ask for 2^61 bytes, and then the whole
      process ends, which nobody can catch: 9 of 20 000 files with some bytes changed did that. The database refused or
      read each of them. It costs some 0.1 µs a row more.
    * What the file says about itself is not believed: the rows that are read are counted.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import polars as pl

from meanscheck.contracts.arrow import frame_of
from meanscheck.contracts.bounds import check_shape
from meanscheck.errors import FeedError

_ROWS = """
    from read_parquet(?, file_row_number = true, hive_partitioning = false, union_by_name = false)
    where file_row_number >= ? and file_row_number < ?
"""


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """An open file.

    Attributes:
        headers: names of its columns, as written.
        rows: how many it says it has.
    """

    _connection: duckdb.DuckDBPyConnection
    _name: str
    _where: str
    headers: tuple[str, ...]
    rows: int

    def cells(self, first: int, count: int) -> pl.DataFrame:
        """Rows from a place on (0: the first), as columns c0, c1 … of the types of the file.

        Raises:
            FeedError: they cannot be read, or are more or fewer than the file says.
        """
        last = min(first + count, self.rows)
        with _refusing(self._where):
            # Where the file should end it must end: rows behind that would be lost without a word. One of them is
            # enough to see it, and a small file may hold rows without end.
            bound = last if last < self.rows else last + 1
            query = f"select * exclude (file_row_number) {_ROWS}"
            frame = frame_of(self._connection.sql(query, params=[self._name, first, bound]))
        if frame.height != last - first or frame.width != len(self.headers):
            raise _damaged(self._where)
        frame.columns = [f"c{at}" for at in range(frame.width)]
        return frame


@contextmanager
def opened_parquet(source: Path | bytes, *, where: str) -> Iterator[ParquetFile]:
    """Open a Parquet file, or the bytes of one.

    Raises:
        FeedError: it is none, is damaged, or has more columns or rows than are read.
    """
    with _named(source) as name, closing(_database().cursor()) as connection:
        with _refusing(where):
            rows = connection.execute("select num_rows from parquet_file_metadata(?)", [name]).fetchone()
            schema = connection.execute("select name, num_children from parquet_schema(?)", [name]).fetchall()
        headers = _headers(schema)
        if rows is None or not headers:
            raise _damaged(where)
        check_shape(int(rows[0]), len(headers), where=where)
        yield ParquetFile(connection, name, where, headers, int(rows[0]))


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One for the process: to open it takes as long as to read a small file twenty times."""
    # Nothing is fetched; nothing of a person is spilled, or kept until its name in memory means another file.
    off = ("autoinstall_known_extensions", "autoload_known_extensions", "enable_external_file_cache")
    connection = duckdb.connect(config={"memory_limit": "1GB", "temp_directory": "", **dict.fromkeys(off, False)})
    connection.execute("set enable_progress_bar = false")
    return connection


def _headers(schema: Sequence[tuple[str, int | None]]) -> tuple[str, ...]:
    """Names of the columns, out of the tree of all that is in them, parents first: the first is the file itself."""
    names, below = [], 0
    for name, children in schema[1:]:
        if below:
            below -= 1
        else:
            names.append(name)
        below += children or 0
    return tuple(names)


@contextmanager
def _named(source: Path | bytes) -> Iterator[str]:
    """The name by which the database opens a file; of bytes, that of memory where the system has such files."""
    if isinstance(source, Path):
        # Brackets around what would stand for any character.
        yield re.sub(r"[*?\[]", r"[\g<0>]", str(source))
        return
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        with os.fdopen(os.memfd_create("parquet"), "wb") as memory:
            memory.write(source)
            memory.flush()
            yield f"/proc/self/fd/{memory.fileno()}"
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "member.parquet"
        path.write_bytes(source)
        yield str(path)


@contextmanager
def _refusing(where: str) -> Iterator[None]:
    """Whatever the database, or Polars at its rows, says of a file: their words may hold values."""
    try:
        yield
    except (duckdb.Error, pl.exceptions.PolarsError, pl.exceptions.PanicException, RuntimeError, ValueError, OSError):
        raise _damaged(where) from None


def _damaged(where: str) -> FeedError:
    return FeedError("not a Parquet file, or cut short", where=where, remedy="Ask the sender to write the file again")
