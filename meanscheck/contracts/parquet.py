"""How does a Parquet file become cells, whatever bytes it holds?

    with opened_parquet(path, where=path.name) as file:
        file.rows, file.headers
        file.cells(0, 250_000)

Choices
    * The database reads it, not Polars. A damaged page can make Polars 2.1 ask for 2^61 bytes, and then the whole
      process ends, which nobody can catch: 9 of 20 000 files with some bytes changed did that. The database refused or
      read each of them. It costs some 0.1 µs a row more.
    * What the file says about itself is not believed: the rows that are read are counted, and their text before it is
      read, since a word kept once may stand in each row.
    * Columns that hold nothing exactly (lists, structures …) are not read. They are bytes to whoever asks, which no
      contract takes, so the file is refused where they are needed.
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
from meanscheck.contracts.bounds import MAX_TEXT, check_shape
from meanscheck.errors import FeedError

_FILE = "read_parquet(?, file_row_number = true, hive_partitioning = false, union_by_name = false)"
_ROWS = f"from {_FILE} where file_row_number >= ? and file_row_number < ?"
_DESCRIBED = f"describe select * exclude (file_row_number) from {_FILE}"
_GROUPS = "select sum(rows) from (select distinct row_group_id, row_group_num_rows as rows from parquet_metadata(?))"
_TEXT = "VARCHAR"
_FIXED = re.compile(r'(U?(TINY|SMALL|BIG)INT|U?INTEGER|BOOLEAN|FLOAT|DOUBLE|DECIMAL|DATE)\b|TIME|"NULL"')
"""How the types of the database begin of which each value has the same size."""


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """An open file.

    Attributes:
        headers: names of its columns, as written.
        rows: how many it says it has.
        kinds: type of each column, as the database names it, and the name by which it knows the column.
    """

    _connection: duckdb.DuckDBPyConnection
    _name: str
    _where: str
    headers: tuple[str, ...]
    rows: int
    kinds: tuple[tuple[str, str], ...]

    def cells(self, first: int, count: int) -> pl.DataFrame:
        """Rows from a place on (0: the first), as columns c0, c1 … of the types of the file; Binary where not read.

        Raises:
            FeedError: they cannot be read, hold too much text, or are more or fewer than the file says.
        """
        last = min(first + count, self.rows)
        # Where the file should end it must end: rows behind that would be lost without a word. One is enough to see it.
        given = [self._name, first, last if last < self.rows else last + 1]
        if self._text(given) > MAX_TEXT:
            raise FeedError(
                f"more than {MAX_TEXT // 2**20} MiB of text in {last - first:,} rows",
                where=self._where,
                remedy="Look for cells that are too long, or send it in several files",
            )
        columns = [name if _is_read(kind) else f"null::blob as {name}" for name, kind in self.kinds]
        with _refusing(self._where):
            frame = frame_of(self._connection.sql(f"select {', '.join(columns)} {_ROWS}", params=given))
        if frame.height != last - first or frame.width != len(self.headers):
            raise _damaged(self._where)
        frame.columns = [f"c{at}" for at in range(frame.width)]
        return frame

    def _text(self, given: Sequence[object]) -> int:
        """Bytes of all text in some rows; of a word that stands in many the database looks at one."""
        sums = [f"coalesce(sum(strlen({name})), 0)" for name, kind in self.kinds if kind == _TEXT]
        with _refusing(self._where):
            ((size,),) = self._connection.execute(f"select {' + '.join(sums) or 'max(0)'} {_ROWS}", given).fetchall()
        return int(size or 0)


@contextmanager
def opened_parquet(source: Path | bytes, *, where: str) -> Iterator[ParquetFile]:
    """Open a Parquet file, or the bytes of one.

    Raises:
        FeedError: it is none, is damaged, or has more columns or rows than are read.
    """
    with _named(source) as name, closing(_database().cursor()) as connection:
        with _refusing(where):
            ((rows,),) = connection.execute("select num_rows from parquet_file_metadata(?)", [name]).fetchall()
            schema = connection.execute("select name, num_children from parquet_schema(?)", [name]).fetchall()
        headers = _headers(schema)
        check_shape(rows, len(headers), where=where)
        with _refusing(where):
            ((in_groups,),) = connection.execute(_GROUPS, [name]).fetchall()
            described = connection.execute(_DESCRIBED, [name]).fetchall()
        if (in_groups or 0) != rows or not headers or len(described) != len(headers):
            raise _damaged(where)
        kinds = tuple((f'"{known.replace(chr(34), chr(34) * 2)}"', kind) for known, kind, *_ in described)
        yield ParquetFile(connection, name, where, headers, rows, kinds)


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One for the process: to open it takes as long as to read a small file twenty times."""
    # Nothing is fetched; nothing of a person is spilled, or kept until its name in memory means another file.
    off = ("autoinstall_known_extensions", "autoload_known_extensions", "enable_external_file_cache")
    connection = duckdb.connect(config={"memory_limit": "1GB", "temp_directory": "", **dict.fromkeys(off, False)})
    connection.execute("set enable_progress_bar = false")
    return connection


def _is_read(kind: str) -> bool:
    return kind == _TEXT or (_FIXED.match(kind) is not None and not kind.endswith("]"))


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
