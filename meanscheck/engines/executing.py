"""What does a Spark task do, on whatever machine Spark gives it to?

Three functions of Arrow batches, as `DataFrame.mapInArrow` wants them; each is an object that Spark sends to the task:

    Packing     rows of one evidence table → (number Int32, source Int32, rows Binary): by block of units, as Arrow
    Gathering   such pieces, all of one block one after the other → (see `RESULT`): the kernel over complete case units
    Reading     numbers of blocks → the same, from evidence that the task opens for itself

Before anything else a task compares the versions that decide with those of the driver. What it sends back is small:
counts, digests and leaf hashes in order. Records, salts and leaves go into the vault's folder, in a place of the
attempt's own (`vault.attempts`), and no key travels: a task opens the vault as any other process does.

Nothing heavy is imported when Spark unpacks these objects: Polars reads from the environment, when it is first
imported, how many threads it may have, and a task has one.
"""

from __future__ import annotations

import json
import os
import pickle
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meanscheck.errors import InternalError, MeanscheckError, StoreError

if TYPE_CHECKING:
    import polars as pl

    from meanscheck.decisions.kernel import DoneBlock, Kernel, Seal, SealedSlice
    from meanscheck.evidence import ProjectionFile, Reader
    from meanscheck.evidence.parquet import ParquetEvidence
    from meanscheck.evidence.relations import Relation
    from meanscheck.vault import DeploymentKey, HouseholdKeys, Vault

    Batches = Iterator[Any]
    """Of `pyarrow.RecordBatch`, which has no types for mypy."""

RESULT = "number int, attempt string, units int, counts string, rows string, digests binary, hashes binary"
"""Columns of a block that is done. `rows`: how many rows of which table were read; `hashes`: empty if not sealed."""
PIECE = "number int, source int, rows binary"
_HELD_ROWS = 262_144
"""Rows of a table that a task cuts by block at a time: pieces are not smaller than they must be."""


def versions() -> dict[str, str]:
    """What must be the same wherever decisions are made."""
    from hashlib import sha256
    from importlib.metadata import version

    from meanscheck import __version__
    from meanscheck.contracts import all_feeds
    from meanscheck.law.law import LANGUAGE_VERSION

    feeds = "".join(f"{name}={contract.digest}\n" for name, contract in all_feeds().items())
    return {
        "meanscheck": __version__,
        "polars": version("polars"),
        "duckdb": version("duckdb"),
        "rule language": str(LANGUAGE_VERSION),
        "feed contracts": sha256(feeds.encode()).hexdigest()[:12],
    }


@dataclass(frozen=True, slots=True)
class Duty:
    """The kernel as it travels: all of it but the vault, whose keys stay where they are.

    Attributes:
        run: a name of the run.
        kernel: its class and fields, pickled.
        versions: the driver's.
        vault: the batch's folder, as tasks see it.
        groups: names of the groups of a record.
        dictionaries: the vault's.
        key_file: the vault's household keys.
        unlock: gives the deployment's key where a task runs; None: the environment or the file beside the vault does.
    """

    run: str
    kernel: bytes = field(repr=False)
    versions: Mapping[str, str]
    vault: Path
    groups: tuple[str, ...]
    dictionaries: Mapping[str, bytes] = field(repr=False)
    key_file: Path
    unlock: Callable[[], DeploymentKey] | None

    @classmethod
    def of(cls, kernel: Kernel, unlock: Callable[[], DeploymentKey] | None) -> Duty:
        """To be sent."""
        facts = {name: value for name, value in kernel.__getstate__().items() if name != "vault"}
        vault = kernel.vault
        sent = pickle.dumps((type(kernel), facts))
        folder, key_file = vault.folder.absolute(), vault.keys.path.absolute()
        names, packed = vault.group_names, dict(vault.dictionaries)
        return cls(uuid.uuid4().hex, sent, versions(), folder, names, packed, key_file, unlock)

    def work(self, reader: Reader, number: int, units: range, rows: Mapping[str, int]) -> Any:
        """One block, decided and put into a place of this attempt's own; its row of `RESULT`."""
        from meanscheck.vault import attempts

        kind, facts = pickle.loads(self.kernel)
        if facts["seal"] is not None:
            facts["seal"] = _Hashing(facts["seal"])
        name = uuid.uuid4().hex
        kernel = kind(**facts, vault=attempts.begin(self._batch(), name))
        done: DoneBlock = kernel(reader, number, units)
        if rows:
            # Only the driver can tell, at the end, whether Spark brought all of them.
            attempts.hold(kernel.vault, number)
        return _batch(
            RESULT,
            number=[number],
            attempt=[name],
            units=[done.units],
            counts=[json.dumps(done.counts.to_json())],
            rows=[json.dumps(dict(rows))],
            digests=[done.digests],
            hashes=[done.sealed or b""],
        )

    def _batch(self) -> Vault:
        from meanscheck.vault import Vault

        vault = Vault(self.vault, self.groups, _keys(self.run, self.vault.parent, self.key_file, self.unlock))
        vault.dictionaries = self.dictionaries
        return vault


@lru_cache(maxsize=1)
def _keys(run: str, folder: Path, key_file: Path, unlock: Callable[[], DeploymentKey] | None) -> HouseholdKeys:
    """Opened once a process and run: Spark keeps processes from one run to the next."""
    from meanscheck.vault import keys_beside

    return keys_beside(folder, key=None if unlock is None else unlock(), key_file=key_file)


@dataclass(frozen=True, slots=True)
class _Hashing:
    """A ledger's seal whose leaf hashes are handed on as they are: the driver makes them ready for the log."""

    seal: Seal

    @property
    def first_index(self) -> int:
        return self.seal.first_index

    @property
    def origin(self) -> str:
        return self.seal.origin

    @property
    def name(self) -> str:
        return self.seal.name

    def __call__(self, first_position: int, *, tokens: Sequence[str], groups: Sequence[Sequence[bytes]]) -> SealedSlice:
        return self.seal(first_position, tokens=tokens, groups=groups)

    def together(self, first_position: int, leaves: Sequence[bytes], hashes: bytes) -> bytes:
        return hashes

    def again(self, first_position: int, leaves: Sequence[bytes]) -> bytes:
        raise InternalError("a task was given a block that is finished")


@dataclass(frozen=True, slots=True)
class Packing:
    """Cuts the rows of one table by block.

    Attributes:
        source: number of the table.
        table: its name, for messages.
        first: first unit of each block, ascending; units from `after` on belong to none.
        after: as above.
    """

    source: int
    table: str
    first: tuple[int, ...]
    after: int

    def __call__(self, batches: Batches) -> Batches:
        """Pieces of blocks, in no order."""
        with _guarded():
            import polars as pl

            held: list[pl.DataFrame] = []
            for batch in batches:
                if batch.num_rows:
                    held.append(pl.DataFrame(batch))
                if sum(frame.height for frame in held) >= _HELD_ROWS:
                    yield from self._pieces(held)
                    held = []
            if held:
                yield from self._pieces(held)

    def _pieces(self, held: Sequence[pl.DataFrame]) -> Batches:
        import polars as pl

        rows = pl.concat(held)
        unit = rows["unit"]
        if unit.null_count() or not unit.is_between(self.first[0], self.after, closed="left").all():
            raise StoreError(f"table {self.table} has rows of units that the projection has not; copy it again")
        number = (pl.Series(self.first).search_sorted(unit, side="right").cast(pl.Int32) - 1).alias("#number")
        for (key,), part in rows.with_columns(number).partition_by("#number", as_dict=True, include_key=False).items():
            yield _batch(PIECE, number=[key], source=[self.source], rows=[_stream(part)])


@dataclass(frozen=True, slots=True)
class Gathering:
    """Decides each block when all of its pieces are there; pieces of one block come one after the other.

    Attributes:
        duty: what to do with a block.
        relations: the tables by number (`evidence.relations.Relation`), pickled.
        states: the relation of that name, as an Arrow stream.
        feeds: those of which the evidence has rows.
        ranges: units of each block.
    """

    duty: Duty
    relations: bytes = field(repr=False)
    states: bytes = field(repr=False)
    feeds: tuple[str, ...]
    ranges: tuple[range, ...]

    @classmethod
    def of(
        cls,
        duty: Duty,
        relations: Sequence[Relation],
        states: pl.DataFrame,
        *,
        feeds: tuple[str, ...],
        ranges: tuple[range, ...],
    ) -> Gathering:
        """To be sent."""
        return cls(duty, pickle.dumps(list(relations)), _stream(states), feeds, ranges)

    def __call__(self, pieces: Batches) -> Batches:
        """Done blocks."""
        with _guarded(self.duty.versions):
            number, held = -1, dict[int, list[bytes]]()
            for batch in pieces:
                for found, source, rows in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    if found != number and held:
                        yield self._done(number, held)
                        held = {}
                    number = found
                    held.setdefault(source, []).append(rows)
            if held:
                yield self._done(number, held)

    def _done(self, number: int, held: dict[int, list[bytes]]) -> Any:
        import polars as pl

        from meanscheck.evidence.parquet import gathered

        tables: dict[str, pl.DataFrame] = {}
        for source, relation in enumerate(pickle.loads(self.relations)):
            frames = [pl.read_ipc_stream(piece).cast(relation.schema) for piece in held.pop(source, ())]
            rows = pl.concat([pl.DataFrame(schema=relation.schema), *frames])
            tables[relation.name] = rows.sort(relation.order)
        counts = {name: rows.height for name, rows in tables.items()}
        units, people = self.ranges[number], int(tables["households"]["n_persons"].sum())
        found = [counts[name] for name in ("households", "unit_tokens", "persons", "person_tokens")]
        if found != [len(units), len(units), people, people]:
            raise StoreError(
                f"block {number} lacks case units or persons, or has them twice; copy the projection again"
            )
        with gathered(tables | {"states": pl.read_ipc_stream(self.states)}, self.feeds) as reader:
            return self.duty.work(reader, number, units, counts)


@dataclass(frozen=True, slots=True)
class Reading:
    """Decides blocks of evidence that the task opens for itself.

    Attributes:
        duty: what to do with a block.
        file: the projection, without a key, or a copy of it.
        store: if it is encrypted, the store whose key opens it, to be found where the task runs.
        ranges: units of each block.
    """

    duty: Duty
    file: ProjectionFile | ParquetEvidence
    store: Path | None
    ranges: tuple[range, ...]

    def __call__(self, batches: Batches) -> Batches:
        """Done blocks."""
        with _guarded(self.duty.versions), self._file().open() as reader:
            for batch in batches:
                for number in batch.column(0).to_pylist():
                    yield self.duty.work(reader, number, self.ranges[number], {})

    def _file(self) -> ProjectionFile | ParquetEvidence:
        from dataclasses import replace

        from meanscheck.evidence import ProjectionFile
        from meanscheck.evidence.key import StoreKey

        if self.store is None or not isinstance(self.file, ProjectionFile):
            return self.file
        key = StoreKey.found(self.store)
        if key is None:
            raise StoreError("the store is encrypted, and where a Spark task ran its key was not found")
        return replace(self.file, unlocks=key)


@contextmanager
def _guarded(expected: Mapping[str, str] | None = None) -> Iterator[None]:
    """Around all that a task does: one thread, the driver's versions, and no words of an error that nobody foresaw."""
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    try:
        if expected is not None:
            check(expected)
        yield
    except MeanscheckError as fault:
        raise fault from None
    except Exception as fault:
        raise InternalError(f"unforeseen {type(fault).__name__} in a Spark task") from None


def check(expected: Mapping[str, str]) -> None:
    """StoreError unless the versions here are those."""
    here = versions()
    other = [f"{name} {here[name]} (driver: {expected[name]})" for name in expected if here[name] != expected[name]]
    if other:
        raise StoreError(f"a Spark task ran with {', '.join(other)}: install the same on every machine of the cluster")


def _stream(frame: pl.DataFrame) -> bytes:
    place = BytesIO()
    frame.write_ipc_stream(place)
    return place.getvalue()


def _batch(columns: str, **cells: Sequence[object]) -> Any:
    """A record batch of those columns."""
    import pyarrow as pa

    types = {"int": pa.int32(), "string": pa.string(), "binary": pa.binary()}
    schema = pa.schema([(name, types[kind]) for name, kind in (part.split() for part in columns.split(", "))])
    return pa.RecordBatch.from_pydict(cells, schema=schema)
