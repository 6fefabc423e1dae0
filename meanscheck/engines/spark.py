"""How does a Spark cluster work on one caseload?

    assess(store, law, vault="/shared/county.vault", engine=Spark(session))

Each task decides one block of complete case units and writes its records, sealed, into the vault's folder, which every
machine must see under the same path. What comes back is small: counts, a digest and a leaf hash a decision, in order.
The driver takes the blocks in order, reads their leaves from the vault and builds the log's and the batch's nodes, so
that root and order are those of one process.

Where the evidence is read from:

    Spark(session)                            the projection beside the store, which tasks open for themselves
    Spark(session, copy="/shared/county.parquet")        a copy of it (`Projection.export`), likewise
    Spark(session, tables=in_parquet(session, "hdfs://…"))   a copy that Spark reads, wherever it can
    Spark(session, tables=in_catalog(session, "county"))     tables of that form in Hive or another catalogue

With `tables` rows come through Spark in whatever order and partitions: each table is cut by block, in Arrow, all pieces
of a block are brought together (``repartition(number).mapInArrow``), put back into the projection's order and types,
and counted. Too few rows, or too many, and nothing is closed.

Choices
    * Tasks open the evidence themselves unless they are told otherwise. Rows that pass through Spark are turned from
      columns into rows and back twice, and cross the network once; a range of units out of a clustered file costs
      nothing of that. `tables` is for evidence that lies in a cluster already. Measured on two cores (``python -m
      benchmarks.spark``, 20 000 households sealed, CPU seconds): one process 23, a pool of two 25, Spark 25 once it is
      warm and 60 to start it and load the libraries, 63 with all rows through Spark, a good part of it for each of its
      thirty-five tables, however small. So on one machine a pool does as much, sooner; Spark pays where there are more.
    * A task may be tried twice, or in two places at once, with other salts each time. Attempts write apart, and the
      driver takes the files of the one attempt whose result Spark gave it (`vault.attempts`). Salts stay random.
    * A run that was broken off is gone on with: attempts that had finished are taken, whoever then works on the others.
      Not one through `tables`: only at its end is it known that Spark brought all rows.
    * Keys do not travel: what Spark sends to tasks it also writes to disks. A task opens the vault (and an encrypted
      projection) as every other process does, or by `unlock`.
    * Rows of an encrypted store go through Spark only if Spark encrypts its shuffle files and its network.
    * The driver waits for the last block before it takes the first: what it does is a few microseconds a decision, and
      jobs in waves would leave machines idle at the end of each.
    * Spark's own words stay in Spark's log. Errors of this library that a task raised are raised again here; of others
      the kind alone is told.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import reduce
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

from meanscheck import errors
from meanscheck.decisions.encode import input_needs
from meanscheck.decisions.kernel import Counts, DoneBlock, Kernel
from meanscheck.engines.executing import PIECE, RESULT, Duty, Gathering, Packing, Reading
from meanscheck.engines.session import REMEDY, local_session
from meanscheck.errors import InputError, InternalError, StoreError
from meanscheck.evidence import Projection
from meanscheck.evidence.parquet import ParquetEvidence
from meanscheck.evidence.relations import Relation, relations_of, states_of
from meanscheck.vault import DeploymentKey, attempts

Tables: TypeAlias = Callable[[str], Any]
"""Gives the Spark DataFrame of a table of the projection by its name, such as ``persons``."""

_FAULT = re.compile(r"^meanscheck\.errors\.(\w+): (.*)$", re.MULTILINE)
_MISSING = re.compile(r"No module named '(\w+)")
_TOLD = ("StoreError", "Erased", "Restricted", "LedgerError", "InternalError")


def in_parquet(session: Any, folder: str) -> Tables:
    """Tables as `Projection.export` lays them, under any address that Spark reads."""
    return lambda name: session.read.parquet(f"{folder.rstrip('/')}/{name}")


def in_catalog(session: Any, database: str) -> Tables:
    """Tables of a database that Spark knows (Hive or another catalogue)."""
    return lambda name: session.table(f"{database}.{name}")


@dataclass(frozen=True)
class Spark:
    """A Spark session as an engine.

    Attributes:
        session: a `pyspark.sql.SparkSession`.
        copy: a folder made by `Projection.export`, under the path by which tasks see it.
        tables: see `Tables`; not together with `copy`.
        unlock: gives the deployment's key of the vault where a task runs, if neither MEANSCHECK_VAULT_KEY nor a file
            beside the vault does: something that can be pickled and holds no key.
    """

    session: Any = field(repr=False)
    copy: Path | str | None = None
    tables: Tables | None = field(default=None, repr=False)
    unlock: Callable[[], DeploymentKey] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if find_spec("pyarrow") is None or find_spec("pandas") is None:
            raise InputError("Spark exchanges Arrow batches with pyarrow and pandas, which are missing", remedy=REMEDY)
        if self.copy is not None and self.tables is not None:
            raise InputError("evidence is read from a copy or through Spark's tables, not both", where="Spark")

    @property
    def processes(self) -> int:
        """One: how many machines there will be is Spark's affair, so blocks stay as large as they may be."""
        return 1

    @classmethod
    def local(cls, processes: int = 2, *, settings: Mapping[str, str] | None = None) -> Self:
        """Spark on this machine only; `stop` it, or use it as a context manager. See `session.local_session`."""
        return cls(local_session(processes, settings=settings))

    def stop(self) -> None:
        """Stop the session."""
        self.session.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def run(self, kernel: Kernel, projection: Projection, ranges: Sequence[range]) -> Iterator[DoneBlock]:
        """The blocks in order, when all are done.

        Raises:
            StoreError: a task did; or Spark gave up, or brought other rows than the projection has.
            InternalError: a task did, or failed in a way that nobody foresaw.
        """
        if not ranges:
            return
        projection.reader()  # refuses one that was replaced
        if self.tables is None:
            attempts.resume(kernel.vault)
        missing = [number for number, units in enumerate(ranges) if kernel.kept(number, units) is None]
        if self.tables is not None and missing:
            missing = [*range(len(ranges))]
        attempts.expect(kernel.vault)
        try:
            done = self._done(kernel, projection, ranges, missing) if missing else {}
            for number, units in enumerate(ranges):
                yield self._accepted(kernel, units, done[number]) if number in done else _kept(kernel, number, units)
        finally:
            if self.tables is None:
                attempts.resume(kernel.vault)
            attempts.clear(kernel.vault)

    @staticmethod
    def _accepted(kernel: Kernel, units: range, row: Any) -> DoneBlock:
        number = row["number"]
        attempts.accept(kernel.vault, row["attempt"], number)
        sealed = None
        if kernel.seal is not None:
            leaves = kernel.vault.leaves(number)
            if leaves is None:
                raise StoreError(f"block {number} was worked on, but its salts are not in the vault: is it shared?")
            sealed = kernel.seal.together(units.start, leaves, bytes(row["hashes"]))
        counts = Counts.from_json(json.loads(row["counts"]))
        return DoneBlock(row["units"], counts, bytes(row["digests"]), sealed)

    def _done(
        self, kernel: Kernel, projection: Projection, ranges: Sequence[range], missing: Sequence[int]
    ) -> dict[int, Any]:
        """Rows of `RESULT` by number of the block, of those that are missing."""
        duty = Duty.of(kernel, self.unlock)
        relations = [] if self.tables is None else relations_of(projection, input_needs(kernel.law))
        with _told():
            if self.tables is not None:
                done = self._gathered(self.tables, duty, relations, projection, ranges).collect()
            else:
                # A partition a block, so that each goes to whoever is idle.
                numbers = self.session.range(0, len(ranges), 1, len(ranges))
                if len(missing) < len(ranges):
                    numbers = numbers.filter(f"id in ({', '.join(map(str, missing))})")
                done = numbers.mapInArrow(self._reading(duty, projection, ranges), RESULT).collect()
        if sorted(row["number"] for row in done) != list(missing):
            raise StoreError("Spark did not bring every block once; nothing was closed")
        if self.tables is not None:
            check_rows((row["rows"] for row in done), relations)
        return {row["number"]: row for row in done}

    def _reading(self, duty: Duty, projection: Projection, ranges: Sequence[range]) -> Reading:
        if self.copy is not None:
            return Reading(duty, ParquetEvidence.of(projection, Path(self.copy).absolute()), None, tuple(ranges))
        file, store = projection.file, projection.store
        shown = replace(file, path=file.path.absolute(), unlocks=None)
        return Reading(duty, shown, None if store.key is None else store.path.absolute(), tuple(ranges))

    def _gathered(
        self,
        tables: Tables,
        duty: Duty,
        relations: Sequence[Relation],
        projection: Projection,
        ranges: Sequence[range],
    ) -> Any:
        if projection.store.key is not None:
            self._refuse_open_shuffle()
        if [row["key"] for row in tables("mark").collect()] != [projection.key]:
            raise StoreError("Spark's tables are those of another projection; call Projection.export again")
        first = tuple(units.start for units in ranges)
        pieces = [
            tables(relation.name)
            .select(*(f"`{column}`" for column in relation.schema))
            .mapInArrow(Packing(source, relation.name, first, ranges[-1].stop), PIECE)
            for source, relation in enumerate(relations)
            if relation.rows
        ]
        task = Gathering.of(duty, relations, states_of(projection), feeds=tuple(projection.rows), ranges=tuple(ranges))
        together = reduce(lambda some, more: some.union(more), pieces)
        # From Spark 4.1 on a partition a block; before, a hash puts several blocks into some.
        apart = getattr(together, "repartitionById", together.repartition)(len(ranges), "number")
        return apart.sortWithinPartitions("number").mapInArrow(task, RESULT)

    def _refuse_open_shuffle(self) -> None:
        wanted = ["spark.io.encryption.enabled"]
        if not self.session.conf.get("spark.master", "").startswith("local"):
            wanted.append("spark.network.crypto.enabled")
        off = [name for name in wanted if self.session.conf.get(name, "false") != "true"]
        if off:
            raise StoreError(
                f"the store is encrypted, and Spark would write its rows in the clear: set {' and '.join(off)}, or "
                "leave out `tables`, so that tasks open the projection themselves"
            )


def _kept(kernel: Kernel, number: int, units: range) -> DoneBlock:
    kept = kernel.kept(number, units)
    if kept is None:
        raise StoreError(f"block {number} was finished, and its files were changed meanwhile; nothing was closed")
    return kept


def check_rows(found: Iterator[str], relations: Sequence[Relation]) -> None:
    """StoreError unless the rows that blocks were decided from are as many as the projection has.

    Args:
        found: a block's column `rows` each: table → rows, as JSON.
        relations: the projection's.
    """
    total: Counter[str] = Counter()
    for text in found:
        total.update(json.loads(text))
    wrong = [relation.name for relation in relations if total[relation.name] != relation.rows]
    if wrong:
        raise StoreError(
            f"Spark's tables have not as many rows as the projection ({', '.join(wrong)}); nothing was closed. "
            "Call Projection.export again"
        )


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong in Spark, in this library's errors: of its own the words, of all others the kind."""
    try:
        yield
    except errors.MeanscheckError:
        raise
    except Exception as fault:
        raise _fault_of(fault) from None


def _fault_of(fault: Exception) -> errors.MeanscheckError:
    words, kind = str(fault), type(fault).__name__
    if found := _FAULT.findall(words):
        name, text = found[-1]
        told: errors.MeanscheckError = getattr(errors, name if name in _TOLD else "InternalError")(text)
        return told
    if missing := _MISSING.search(words):
        return StoreError(
            f"the Python that Spark's tasks run in has no {missing.group(1)}: install meanscheck there, the same "
            "version with the extra spark, or set PYSPARK_PYTHON to the Python that has it"
        )
    if not type(fault).__module__.startswith(("pyspark", "py4j")):
        return InternalError(f"unforeseen {kind} while Spark worked")
    # A name such as TABLE_OR_VIEW_NOT_FOUND.
    condition = str(getattr(fault, "getCondition", str)() or "")
    return StoreError(
        f"Spark gave up ({kind}{condition and ', '}{condition}): its log says why; nothing was closed. If it ran out "
        "of memory, use smaller blocks"
    )
