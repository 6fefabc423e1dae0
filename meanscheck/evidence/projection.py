"""How is a whole caseload read fast? From evidence laid in the order of case units, once per snapshot and day.

The projection is a second DuckDB file beside the store, ``<store>.projection``: derived, and rebuilt whenever its key
(snapshot, day, contracts, tokens, format) is not the one asked for. Its mark is written last and its name given after
that, so a build that was killed is never used. Whole feeds are sorted by (place of the person, digest), and `unit` is
an ascending integer, so a block of units is a range that the database finds by its zone maps and returns in stored
order.

Once built it is only read: by this process through the store, and by any number of others, each through a connection of
its own (`ProjectionFile`), which is how a caseload is worked on by several processes. `Projection.export` copies it to
Parquet, where it is read without DuckDB's file.

Choices
    * Made anew and not merged when answers arrive. A new application moves everybody who stands after it, an answer, a
      link or a withdrawal may change what is read of anybody, and what decides which rows stay would have to be as sure
      as making them: a wrong one is a wrong decision. All of it takes less time than deciding does (a million
      households: 70 s, and 78 by two processes).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from meanscheck.contracts import all_feeds
from meanscheck.contracts.units import CaseBlock, CaseUnit
from meanscheck.errors import StoreError
from meanscheck.evidence.assemble import edges, feed_rows, households_sql, persons
from meanscheck.evidence.blocks import Source, pull
from meanscheck.evidence.coverage import make_states
from meanscheck.evidence.database import Reading
from meanscheck.evidence.people import drop_people, make_people
from meanscheck.evidence.rows import SUPPORTERS, feeds_present, make_verdicts
from meanscheck.evidence.single import case_unit
from meanscheck.evidence.snapshot import Snapshot
from meanscheck.evidence.subjects import draw

if TYPE_CHECKING:
    import polars as pl

    from meanscheck.evidence.key import StoreKey
    from meanscheck.evidence.store import Progress, Store

FORMAT = 6
ROW_GROUP = 16_384
"""Rows that are kept and summarised together: few, so that one case is found fast. Of an eighth of the database's own
number blocks come a fifth faster, and the file is a tenth larger; of a sixteenth it is a third larger."""
_RANGE = 50_000
"""Units whose digests are put together at a time: bounds memory."""
_PART = ".part"
"""What the name of a file ends with that is being made."""
NAME = "projection"
"""Under which name the file is attached to its store."""


@dataclass(frozen=True, slots=True)
class Projection:
    """Evidence of all case units of one snapshot, ready to be read in blocks. Valid while its store is open."""

    snapshot: Snapshot
    on: date
    units: int
    persons: int
    rows: Mapping[str, int] = field(repr=False)
    """Feed → how many rows it holds."""
    key: str
    store: Store = field(repr=False)

    def blocks(self, feeds: Mapping[str, Collection[str]], *, block_units: int) -> Iterator[CaseBlock]:
        """Whole units, in order, `block_units` at a time (the last block may be smaller).

        Args:
            feeds: feed → names of the columns needed; nothing else is read. Of `supporters`, the edges' columns.
            block_units: units a block; 50 000 to 100 000 is fast.

        Raises:
            StoreError: another projection has taken this one's place.
        """
        reader = self.reader()
        for first in range(0, self.units, block_units):
            yield reader.block(feeds, first=first, after=min(first + block_units, self.units))

    def block(self, feeds: Mapping[str, Collection[str]], *, first: int, after: int) -> CaseBlock:
        """Units `first` … `after`-1, as one block."""
        return self.reader().block(feeds, first=first, after=after)

    def reader(self) -> Reader:
        """Blocks through the store's own connection; StoreError if another projection has taken this one's place."""
        if _key_of(self.store) != self.key:
            raise StoreError("this projection was replaced by another; call Store.project again")
        return Reader(Source(self.store, self.rows, f"{NAME}.main."))

    @property
    def file(self) -> ProjectionFile:
        """The same for another thread or process."""
        return ProjectionFile(_path_of(self.store), self.key, tuple(self.rows), self.store.key)

    def export(self, folder: Path | str, *, unprotected: bool = False) -> None:
        """Copy it into a folder of Parquet files, for clusters; in the clear, see `parquet` for what that means."""
        from meanscheck.evidence.parquet import export

        export(self, Path(folder), unprotected=unprotected)


@dataclass(frozen=True, slots=True)
class ProjectionFile:
    """A finished projection as whoever reads it opens it, in this process or another. May be pickled."""

    path: Path
    key: str
    feeds: tuple[str, ...]
    unlocks: StoreKey | None = field(default=None, repr=False)

    @contextmanager
    def open(self, *, memory_limit: str = "64MB") -> Iterator[Reader]:
        """A reader with a connection of its own; StoreError if the file is another projection by now.

        Args:
            memory_limit: bound of what the database keeps of what it has read, as DuckDB writes sizes.
        """

        def check() -> None:
            if database.rows("select key from mark") != [(self.key,)]:
                raise StoreError("this projection was replaced by another; call Store.project again")

        def renew() -> None:
            database.reopen()
            check()

        with Reading(self.path, key=self.unlocks, memory_limit=memory_limit) as database:
            check()
            yield Reader(Source(database, self.feeds, renew=renew))


@dataclass(frozen=True, slots=True)
class Reader:
    """Ranges of units out of a projection."""

    source: Source = field(repr=False)

    def block(self, feeds: Mapping[str, Collection[str]], *, first: int, after: int) -> CaseBlock:
        """Units `first` … `after`-1, as one block."""
        return pull(self.source, feeds, first=first, after=after)

    def case(self, case_id: str, feeds: Mapping[str, Collection[str]]) -> CaseUnit:
        """One unit as plain records, in some ten milliseconds; see `single.case_unit`."""
        return case_unit(self.source, case_id, feeds)

    def tokens(self, *, first: int, after: int) -> tuple[pl.Series, pl.Series]:
        """Random tokens (String) of those units and of their persons, in the block's order; see `subjects`."""
        prefix, within = self.source.prefix, f"where unit >= {first} and unit < {after}"
        units = self.source.database.fetch(f"select token from {prefix}unit_tokens {within} order by unit")
        persons = self.source.database.fetch(f"select token from {prefix}person_tokens {within} order by place")
        return units["token"], persons["token"]


def project(store: Store, snapshot: Snapshot, *, on: date, progress: Progress | None = None) -> Projection:
    """The projection of a snapshot for decisions on the day `on`; built if the file beside the store is another one.

    A consent withdrawn on or before `on` takes its evidence away; otherwise the day does not matter to evidence.
    """
    draw(store)
    key = _key(store, snapshot, on)
    path = _path_of(store)
    if _key_of(store) != key:
        _detach(store)
        if path.exists():
            _attach(store, path)
        if _key_of(store) != key:
            _detach(store)
            _remove(path)
            # It gets its name when it is whole: whoever still reads the one before keeps what he has open.
            part = path.with_name(path.name + _PART)
            store.attach(part, NAME, row_group=ROW_GROUP)
            try:
                with _drops_people(store):
                    _build(store, snapshot, on=on, key=key, progress=progress)
                _detach(store)
                _name(part, path)
            except BaseException:
                with suppress(StoreError):  # what went wrong first is told
                    _detach(store)
                    _remove(path)
                raise
            # From here on it is only read, so that other processes may read it too.
            _attach(store, path)
    counts = store.fetch(f"select what, n from {NAME}.main.counts")
    numbers = {str(what): int(n) for what, n in counts.iter_rows()}
    rows = {name[2:]: n for name, n in numbers.items() if name.startswith("f_")}
    return Projection(
        snapshot=snapshot,
        on=on,
        units=numbers["units"],
        persons=numbers["persons"],
        rows=rows,
        key=key,
        store=store,
    )


def drop(store: Store) -> None:
    """Remove the projection beside the store, if there is one."""
    _detach(store)
    _remove(_path_of(store))


def _build(store: Store, snapshot: Snapshot, *, on: date, key: str, progress: Progress | None) -> None:
    prefix = f"{NAME}.main."
    mark = snapshot.load
    present = feeds_present(store, mark=mark)
    steps = len(present) + 2
    tell = progress or (lambda what, done, total: None)
    tell("units and states", 0, steps)
    make_people(store, mark=mark, on=on, heeds=snapshot.heeds)
    make_states(store, list(all_feeds()), mark=mark, on=on)
    reviewed = make_verdicts(store, mark=mark)
    for done, feed in enumerate(present, 1):
        tell(feed, done, steps)
        feed_rows(store, feed, create="create table", prefix=prefix, mark=mark, reviewed=reviewed)
    tell("households", steps - 1, steps)
    edges(store, create="create table", prefix=prefix, has_feed=SUPPORTERS in present)
    persons(store, create="create table", prefix=prefix)
    units = int(store.value("select count(*) from p_units"))
    for first in range(0, max(units, 1), _RANGE):
        within = f"unit >= {first} and unit < {first + _RANGE}"
        verb = f"insert into {prefix}households" if first else f"create table {prefix}households as"
        store.run(f"{verb} {households_sql(present, prefix=prefix, within=within)}")
    store.run(
        f"create table {prefix}unit_tokens as select unit, token from p_units left join subjects using (case_id) "
        "order by unit"
    )
    store.run(
        f"create table {prefix}person_tokens as select place, unit, token from p_people p "
        "left join (select person, token from subjects where person is not null) using (person) order by place"
    )
    store.run(f"create table {prefix}counts (what varchar, n bigint)")
    for name, table in (("units", "households"), ("persons", "persons"), *((f"f_{f}", f"f_{f}") for f in present)):
        store.run(f"insert into {prefix}counts select '{name}', count(*) from {prefix}{table}")
    store.run(f"create table {prefix}mark as select '{key}' as key")
    store.run(f"checkpoint {NAME}")
    tell("done", steps, steps)


@contextmanager
def _drops_people(store: Store) -> Iterator[None]:
    try:
        yield
    finally:
        drop_people(store)


def _key(store: Store, snapshot: Snapshot, on: date) -> str:
    contracts = ",".join(f"{name}={contract.digest}" for name, contract in all_feeds().items())
    # Order does not matter to the sum; a token drawn or forgotten does.
    tokens = store.value("select sum(hash(case_id, person, token)::hugeint)::varchar || ':' || count(*) from subjects")
    text = f"{FORMAT}|{snapshot.id}|{snapshot.load}|{on}|{contracts}|{tokens}"
    return hashlib.sha256(text.encode()).hexdigest()


def _key_of(store: Store) -> str | None:
    """Key of the attached projection; None if none is attached or it was not finished."""
    found = store.value(f"select count(*) from duckdb_tables() where database_name = '{NAME}' and table_name = 'mark'")
    return str(store.value(f"select key from {NAME}.main.mark")) if found else None


def _path_of(store: Store) -> Path:
    return store.path.with_name(store.path.stem + ".projection")


def _attach(store: Store, path: Path) -> None:
    """Attach to read; a file that cannot be (damaged, or of another release) is removed, and nothing attached.

    So is one with a log beside it: whoever wrote it was stopped before he had folded the log in.
    """
    if path.with_name(path.name + ".wal").exists():
        _remove(path)
        return
    try:
        store.attach(path, NAME, read_only=True)
    except StoreError:
        _remove(path)


def _detach(store: Store) -> None:
    store.run(f"detach database if exists {NAME}")


def _name(part: Path, path: Path) -> None:
    with _writing(path):
        part.replace(path)


def _remove(path: Path) -> None:
    with _writing(path):
        for end in ("", ".wal", _PART, f"{_PART}.wal"):
            path.with_name(path.name + end).unlink(missing_ok=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path.name} cannot be written ({error.strerror or type(error).__name__}): look at space and rights of "
            "its disk, then do it again"
        ) from None
