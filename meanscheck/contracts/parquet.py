"""How does a Parquet file become cells, whatever bytes it holds? (`values.parquet` says who reads it.)

    with opened_parquet(path, where=path.name) as file:
        file.rows, file.headers
        file.cells(0, 250_000)

Choices
    * What the file says about itself is not believed: the rows that are read are counted, and their text before it is
      read, since a word kept once may stand in each row.
    * Columns that hold nothing exactly (lists, structures …) are not read. They are bytes to whoever asks, which no
      contract takes, so the file is refused where they are needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from meanscheck.contracts.bounds import MAX_TEXT, check_shape
from meanscheck.errors import FeedError
from meanscheck.values.parquet import FILE, WITHIN, OpenParquet, Unreadable, opened
from meanscheck.values.sql import quoted

_DESCRIBED = f"describe select * exclude (file_row_number) from {FILE}"
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
        kinds: the name by which the database knows each column, quoted, and how it names its type.
    """

    _file: OpenParquet
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
        after = last if last < self.rows else last + 1
        if self._text(first, after) > MAX_TEXT:
            raise FeedError(
                f"more than {MAX_TEXT // 2**20} MiB of text in {last - first:,} rows",
                where=self._where,
                remedy="Look for cells that are too long, or send it in several files",
            )
        columns = [name if _is_read(kind) else f"null::blob as {name}" for name, kind in self.kinds]
        with _refusing(self._where):
            frame = self._file.frame(columns, first, after)
        if frame.height != last - first or frame.width != len(self.headers):
            raise _damaged(self._where)
        frame.columns = [f"c{at}" for at in range(frame.width)]
        return frame

    def _text(self, first: int, after: int) -> int:
        """Bytes of all text in some rows; of a word that stands in many the database looks at one."""
        sums = [f"coalesce(sum(strlen({name})), 0)" for name, kind in self.kinds if kind == _TEXT]
        with _refusing(self._where):
            query = f"select {' + '.join(sums) or 'max(0)'} from {FILE} where {WITHIN}"
            ((size,),) = self._file.rows(query, first, after)
        return int(size or 0)


@contextmanager
def opened_parquet(source: Path | bytes, *, where: str) -> Iterator[ParquetFile]:
    """Open a Parquet file, or the bytes of one.

    Raises:
        FeedError: it is none, is damaged, or has more columns or rows than are read.
    """
    with opened(source) as file:
        with _refusing(where):
            ((rows,),) = file.rows("select num_rows from parquet_file_metadata(?)")
            schema = file.rows("select name, num_children from parquet_schema(?)")
        headers = _headers(schema)
        check_shape(rows, len(headers), where=where)
        with _refusing(where):
            ((in_groups,),) = file.rows(_GROUPS)
            described = file.rows(_DESCRIBED)
        if (in_groups or 0) != rows or not headers or len(described) != len(headers):
            raise _damaged(where)
        yield ParquetFile(file, where, headers, rows, tuple((quoted(known), kind) for known, kind, *_ in described))


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
def _refusing(where: str) -> Iterator[None]:
    try:
        yield
    except (Unreadable, ValueError):
        raise _damaged(where) from None


def _damaged(where: str) -> FeedError:
    return FeedError("not a Parquet file, or cut short", where=where, remedy="Ask the sender to write the file again")
