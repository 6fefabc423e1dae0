"""How does a projection lie in Parquet files, where any cluster can read it?

    county.parquet/                 a folder a table, so that Hive takes each as the place of an external table
        mark/part-00000.parquet         key String: of which projection this is a copy
        counts/…                        what String · n Int64: rows by table
        households/… persons/… states/… supporters/… unit_tokens/… person_tokens/… f_<feed>/…

Tables, columns and the order of rows are the projection's (see `blocks`): by unit, so that the statistics of row groups
tell a reader which of them hold a range of units. The folder gets its name when all of it is written and flushed; one
that has its name is whole.

    projection.export(folder)                        once
    with ParquetEvidence.of(projection, folder).open() as reader: reader.block(needs, first=0, after=50_000)

A copy is evidence about people in the clear. Only its owner may read the folder as it is made (mode 0700). Nothing
erases from it: after `meanscheck erase`, or when a consent is withdrawn, whoever made copies removes them, and a
decision is refused on a copy that is not of the projection at hand, since its key says so. Of a store that is encrypted
no copy is made unless whoever asks says `unprotected=True`: it would undo what the key was set for.

Choices
    * Folders of plain Parquet and no table format: Hive, Spark, Polars and DuckDB all read them, none needs a server.
    * DuckDB reads them back through views of the same names, so blocks are pulled by the same statements.
    * Parquet's own encryption is left out: DuckDB and Spark each have it, with keys handed over in different ways, and
      a cluster that holds evidence has encrypted disks or it should not have it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from meanscheck.errors import StoreError
from meanscheck.evidence.blocks import Source
from meanscheck.evidence.connecting import connected
from meanscheck.evidence.projection import NAME, Projection, Reader
from meanscheck.evidence.store import Store

if TYPE_CHECKING:
    import polars as pl

PART = "part-00000.parquet"


def export(projection: Projection, folder: Path, *, unprotected: bool = False) -> None:
    """Copy a projection into a folder of Parquet files; one that holds a copy of it already is left as it is.

    Args:
        projection: of a store that is open.
        folder: such as ``county.parquet``; what lies there must be an earlier copy, and is replaced.
        unprotected: write evidence of an encrypted store in the clear.

    Raises:
        StoreError: the store is encrypted and nobody said `unprotected`; the folder holds something else; the disk
            refused. No folder of that name is there then, or the earlier copy.
    """
    store = projection.store
    if store.key is not None and not unprotected:
        raise StoreError(
            "the store is encrypted, and a copy in Parquet would not be: nothing was written. Where the disks that it "
            "goes to are protected otherwise, say unprotected=True"
        )
    projection.reader()  # refuses one that was replaced
    if folder.exists():
        if key_of(folder) == projection.key:
            return
        if not (folder / "mark" / PART).is_file():
            raise StoreError(f"{folder.name} is there and is no copy of a projection: name another folder")
    part = folder.with_name(folder.name + ".part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700, parents=True)
        for table in tables_of(store):
            (part / table).mkdir(mode=0o700)
            place = part / table / PART
            # Rows leave as they are stored, which is in order.
            store.run(f"copy (select * from {NAME}.main.{table}) to {_text(place)} (format parquet)")
            _flush(place)
        shutil.rmtree(folder, ignore_errors=True)
        part.replace(folder)
    except OSError as error:
        raise StoreError(
            f"{folder.name} cannot be written ({error.strerror or type(error).__name__}): look at space and rights of "
            "its disk, then do it again"
        ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def tables_of(store: Store) -> list[str]:
    """Names of the attached projection's tables, sorted."""
    found = store.fetch(f"select table_name from duckdb_tables() where database_name = '{NAME}' order by table_name")
    return [str(name) for name in found["table_name"].to_list()]


def key_of(folder: Path) -> str | None:
    """Of which projection a folder is a copy; None if it is none that can be read."""
    with _in_memory() as store:
        try:
            keys = store.fetch(f"select key from read_parquet({_text(folder / 'mark' / '*.parquet')})")["key"].to_list()
        except StoreError:
            return None
    return str(keys[0]) if len(keys) == 1 else None


@dataclass(frozen=True, slots=True)
class ParquetEvidence:
    """A copy of one projection, to be read by this or any other process. May be pickled."""

    folder: Path
    key: str
    feeds: tuple[str, ...]

    @classmethod
    def of(cls, projection: Projection, folder: Path) -> Self:
        """The copy of that projection in that folder; looked at when it is opened."""
        return cls(folder, projection.key, tuple(projection.rows))

    @contextmanager
    def open(self, *, memory_limit: str = "512MB") -> Iterator[Reader]:
        """A reader; StoreError if the folder is no copy, or that of another projection."""
        found = key_of(self.folder)
        if found != self.key:
            why = "is no copy of a projection" if found is None else "is a copy of another projection"
            raise StoreError(f"{self.folder.name} {why}; call Projection.export again")
        with _in_memory(memory_limit) as store:
            for table in sorted(place.name for place in self.folder.iterdir() if place.is_dir()):
                files = _text(self.folder / table / "*.parquet")
                store.run(f"create view {table} as select * from read_parquet({files})")
            yield Reader(Source(store, self.feeds))


@contextmanager
def gathered(
    tables: Mapping[str, pl.DataFrame], feeds: Collection[str], *, memory_limit: str = "512MB"
) -> Iterator[Reader]:
    """A reader over rows that are in memory: relations by their names, columns and order as in the projection."""
    with _in_memory(memory_limit) as store, ExitStack() as registered:
        for name, rows in tables.items():
            registered.enter_context(store.frame(name, rows))
        yield Reader(Source(store, feeds))


@contextmanager
def _in_memory(memory_limit: str = "64MB") -> Iterator[Store]:
    """A database without a file. It spills nothing: what it reads is somebody's evidence."""
    path = Path(":memory:")
    connection = connected(path, None, read_only=False, memory_limit=memory_limit, threads=1, temp_dir="")
    store = Store(connection, path, read_only=False, key=None)
    try:
        yield store
    finally:
        store.close()


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
