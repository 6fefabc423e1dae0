"""Where does evidence lie? In one DuckDB file, which this module opens and whose functions it gathers. How it is asked:
see `database`.

Terms

    store        the file: consents, requests, rows of feeds by batch, quarantine, recorded law, tokens
    batch        one answer, addressed by content
    load number  a counter over everything ever put in: requests, consents, batches (there it is called `batch`); a
                 snapshot is "up to load number n"
    projection   a second file beside the store, derived: evidence in the order of case units (see `projection`)

Everything that changes the store happens in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts.units import CaseBlock
from meanscheck.errors import StoreError
from meanscheck.evidence.connecting import NAME, connected
from meanscheck.evidence.database import Database
from meanscheck.evidence.key import StoreKey
from meanscheck.evidence.memory import database_memory, free_memory
from meanscheck.evidence.rescue import Rescue
from meanscheck.evidence.tables import FORMAT, check_feed_tables, create_tables

if TYPE_CHECKING:
    from meanscheck.contracts.cursor import Cursor
    from meanscheck.contracts.mapping import FileMapping
    from meanscheck.evidence.household_file import HouseholdFile
    from meanscheck.evidence.ingest import IngestReport
    from meanscheck.evidence.manifest import Manifest
    from meanscheck.evidence.projection import Projection
    from meanscheck.evidence.report import ReportRows
    from meanscheck.evidence.requests import Counts
    from meanscheck.evidence.snapshot import LeftOut, Snapshot

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done and how many there are."""


class Store(Database):
    """An evidence store. Make one with `Store.open`, use it as a context manager. Not to be shared between threads."""

    received_on: date | None = None
    """The day on which what is taken in now came in; whoever reads the clock sets it."""

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        key: StoreKey | None = None,
        find_key: bool = True,
        read_only: bool = False,
        memory_limit: str | None = None,
        threads: int = 2,
        temp_dir: Path | str | None = None,
    ) -> Store:
        """Open a store, or make an empty one.

        Args:
            path: the store's file, such as ``county.duckdb``.
            key: encrypts it (extra `encryption`); the one that `StoreKey.found` finds unless given, and where there is
                none, a store that is not encrypted.
            find_key: look for a key if none is given.
            read_only: refuse every change; several processes may read at once.
            memory_limit: bound of the database's own memory, as DuckDB writes sizes; what `memory.database_memory`
                says unless given.
            threads: threads of the database.
            temp_dir: where sorting spills to; a folder beside the store unless given.

        Raises:
            StoreError: the file is not a store, is of another format, another process is writing it, this one has it
                open (and not both only to read; see `beside`), or it is encrypted and the key is missing or another
                one; also if there is a key and the file is not encrypted.
        """
        path = Path(path)
        if read_only and not path.is_file():
            raise StoreError("there is no evidence store at the path given")
        if key is None and find_key:
            key = StoreKey.found(path)
        if memory_limit is None:
            size = path.stat().st_size if path.is_file() else 0
            memory_limit = f"{database_memory(size, free_memory()) // 2**20}MiB"
        connection = connected(
            path, key, read_only=read_only, memory_limit=memory_limit, threads=threads, temp_dir=temp_dir
        )
        store = cls(connection, path, read_only=read_only, key=key, memory_limit=memory_limit)
        store._rescue = None if read_only else Rescue(path)
        try:
            store._begin()
        except BaseException:
            store.close()
            raise
        return store

    def _begin(self) -> None:
        known = self.fetch("select table_name from duckdb_tables() where database_name = current_database()")
        names = set(known["table_name"].to_list())
        if "meta" not in names:
            if names or self.read_only:
                raise StoreError("the file is a database, but not an evidence store of this library")
            with self.transaction():
                create_tables(self)
            return
        found = self.value("select value from meta where key = 'format'")
        if found != str(FORMAT):
            raise StoreError(f"the store has format {found}, this library reads format {FORMAT}")
        check_feed_tables(self)

    def beside(self) -> Store:
        """A second connection for another thread of this process, which only reads.

        It sees what is committed, so a caseworker's case can be read and told while this one ingests or a batch runs.
        Close it before this one. Another process cannot open the file while this one has it open to write.
        """
        connection = self._open.cursor()
        connection.execute(f"use {NAME}").fetchall()
        return Store(connection, self.path, read_only=True, key=self.key)

    def next_load(self) -> int:
        """The next load number, dated with `received_on`."""
        from meanscheck.evidence.clocks import next_load

        return next_load(self, self.received_on)

    # -- the room's functions ------------------------------------------------------------------------------------

    def requests(self, path: Path | str) -> Counts:
        """Take in check requests (核对委托), one `CheckRequest` as JSON a line; see `requests.load_requests`."""
        from meanscheck.evidence.requests import load_requests

        return load_requests(self, Path(path))

    def consents(self, path: Path | str) -> Counts:
        """Take in consents (授权书), one a line; see `consents.load_consents`."""
        from meanscheck.evidence.consents import load_consents

        return load_consents(self, Path(path))

    def identity_links(self, path: Path | str) -> Counts:
        """Take in links between numbers of one person (身份关联), one a line; see `links.load_links`."""
        from meanscheck.evidence.links import load_links

        return load_links(self, Path(path))

    def ingest(
        self, feed: str, path: Path | str, *, manifest: Path | str | None = None, mapping: Path | str | None = None
    ) -> IngestReport:
        """Take in one answer: a feed file with its manifest; see `ingest.ingest_file`."""
        from meanscheck.evidence.ingest import ingest_file

        by_hand = [None if given is None else Path(given) for given in (manifest, mapping)]
        return ingest_file(self, feed, Path(path), manifest=by_hand[0], mapping=by_hand[1])

    def ingest_cursor(
        self, feed: str, cursor: Cursor, *, manifest: Manifest, name: str, mapping: FileMapping | None = None
    ) -> IngestReport:
        """Take in one answer straight from a department's database; see `from_database.ingest_cursor`."""
        from meanscheck.evidence.from_database import ingest_cursor

        return ingest_cursor(self, feed, cursor, manifest=manifest, name=name, mapping=mapping)

    def ingest_inbox(self, folder: Path | str, *, progress: Progress | None = None) -> list[IngestReport]:
        """Take in consents, requests and every feed file of a folder, in the order of file names."""
        from meanscheck.evidence.inbox import ingest_inbox

        return ingest_inbox(self, Path(folder), progress=progress)

    def snapshot(self, *, known_by: date | None = None) -> Snapshot:
        """Name what the store holds now, or held at the end of a past day; equal evidence has an equal id.

        Raises:
            StoreError: nothing had come in by that day.
        """
        from meanscheck.evidence.snapshot import take_snapshot

        return take_snapshot(self, known_by)

    def left_out(self, snapshot: Snapshot) -> LeftOut:
        """What of a past state is not read any more: withdrawn and erased since; see `snapshot.left_out`."""
        from meanscheck.evidence.snapshot import left_out

        return left_out(self, snapshot)

    def history(self) -> pl.DataFrame:
        """What came in and when, load by load; see `clocks.history`."""
        from meanscheck.evidence.clocks import history

        return history(self)

    def project(self, snapshot: Snapshot, *, on: date, progress: Progress | None = None) -> Projection:
        """Evidence in the order of case units, as of a snapshot and a day; see `projection`."""
        from meanscheck.evidence.projection import project

        return project(self, snapshot, on=on, progress=progress)

    def case_block(
        self,
        case_ids: str | Sequence[str],
        feeds: Mapping[str, Collection[str]],
        *,
        on: date,
        snapshot: Snapshot | str | None = None,
    ) -> CaseBlock:
        """Units straight from the evidence tables, digests recomputed; see `case.case_block`."""
        from meanscheck.evidence.case import case_block

        wanted = [case_ids] if isinstance(case_ids, str) else list(case_ids)
        return case_block(self, wanted, feeds, on=on, snapshot=snapshot)

    def report_rows(
        self, request_no: str, *, on: date | None = None, snapshot: Snapshot | str | None = None
    ) -> ReportRows:
        """Raw material of the verification report (核对报告) of one request; see `report.report_rows`."""
        from meanscheck.evidence.report import report_rows

        return report_rows(self, request_no, on=on, snapshot=snapshot)

    def record_law(self, digest: str, text: str) -> None:
        """Keep the text of a law under its digest, so that a replay needs nothing else."""
        from meanscheck.evidence.laws import record_law

        record_law(self, digest, text)

    def law_text(self, digest: str) -> str:
        """The recorded law of that digest; StoreError if it was never recorded here."""
        from meanscheck.evidence.laws import law_text

        return law_text(self, digest)

    def subjects(self, case_ids: Sequence[str] | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Random tokens of units and persons; see `subjects.subjects`."""
        from meanscheck.evidence.subjects import subjects

        return subjects(self, case_ids)

    def drop_projection(self) -> None:
        """Remove the projection beside the store; it is derived, and made again when it is needed."""
        from meanscheck.evidence.projection import drop

        drop(self)

    def erase_subject(self, token: str, *, on: date) -> int:
        """Erase the evidence of the unit that a token stands for, and the token; see `erasing.erase_unit`."""
        from meanscheck.evidence.erasing import erase_unit

        return erase_unit(self, token, on=on)

    def household_file(self, case_id: str, *, members: Collection[str] | None = None) -> HouseholdFile:
        """All that the store holds of a household; see `household_file.household_file`."""
        from meanscheck.evidence.household_file import household_file

        return household_file(self, case_id, members=members)
