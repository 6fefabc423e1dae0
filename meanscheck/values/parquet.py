"""How is a Parquet file read, whatever bytes it holds? By the database.

    with opened(path) as file:
        file.rows("select num_rows from parquet_file_metadata(?)")
        file.frame(['"token"'], 0, 512)

Choices
    * Not by Polars: a damaged page can make Polars 2.1 ask for 2^61 bytes, and then the whole process ends, which
      nobody can catch: 9 of 20 000 files with some bytes changed did that. The database refused or read each of
      60 000. It costs some 0.1 µs a row more, and some milliseconds each time.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from meanscheck.values.arrow import frame_of
from meanscheck.values.scratch import scratch

FILE = "read_parquet(?, file_row_number = true, hive_partitioning = false, union_by_name = false)"
"""The rows of a file in SQL, with the place of each as ``file_row_number``."""
WITHIN = "file_row_number >= ? and file_row_number < ?"


class Unreadable(Exception):
    """The file is no Parquet, is damaged, or has not got what was asked; without the words of whoever read it, which
    may hold values."""


@dataclass(frozen=True, slots=True)
class OpenParquet:
    """A file that is open."""

    _connection: duckdb.DuckDBPyConnection
    _name: str

    def rows(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        """What a query answers whose first parameter is the file; raises Unreadable."""
        with _unreadable():
            return self._connection.execute(query, [self._name, *given]).fetchall()

    def frame(self, columns: Sequence[str], first: int, after: int) -> pl.DataFrame:
        """Expressions of SQL over the rows `first` … `after`-1, in their order; raises Unreadable."""
        query = f"select {', '.join(columns)} from {FILE} where {WITHIN}"
        with _unreadable():
            return frame_of(self._connection.sql(query, params=[self._name, first, after]))


@contextmanager
def opened(source: Path | bytes) -> Iterator[OpenParquet]:
    """Open a file, or the bytes of one; nothing of it is looked at yet."""
    with _named(source) as name, closing(scratch()) as connection:
        yield OpenParquet(connection, name)


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
def _unreadable() -> Iterator[None]:
    """Whatever the database, or Polars at its rows, says of a file."""
    try:
        yield
    except (duckdb.Error, pl.exceptions.PolarsError, pl.exceptions.PanicException, RuntimeError, ValueError, OSError):
        raise Unreadable("not a Parquet file, damaged, or without what was asked") from None
