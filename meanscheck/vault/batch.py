"""Where do the records, outcomes, salts and leaves of one batch lie? In one folder, sealed a household at a time.

    records-00000.parquet   position Int64 · token String · sealed Binary   groups and case id, joined by line feeds
    outcomes-00000.parquet  position · token · sealed                       a JSON object a line, an empty line, case id
    seals-00000.parquet     position · token · index Int64 (in the log) · leaf Binary · sealed   the 112 bytes of salts
    closed.json             written last: counts in the clear, the records root sealed

One file of each kind a block. What a run that is broken off leaves, and how it is gone on with, is told in `course`.
Leaves and tokens are those of the log and are not secret. Lengths are not hidden: they go, with the sealed bytes, when
the batch is compacted. The records root is sealed under a key of the batch (see `household_keys`).

Choices
    Records and outcomes are packed before they are sealed, where the run gave a dictionary (`packing`): sealed bytes
    cannot be compressed. 100 000 records of 6.7 kB take 75 MB and not 670.
    Parquet is for holding, never for hashing. Its row groups are small, so that one record is read in milliseconds.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from meanscheck.errors import Erased, Restricted, StoreError
from meanscheck.vault import files
from meanscheck.vault.columns import read
from meanscheck.vault.course import CLOSED, FINISHED, Course
from meanscheck.vault.household_keys import HouseholdKeys
from meanscheck.vault.sealed_file import Homes, Purpose, SealedFile
from meanscheck.vault.sealing import bound_to, seal, unseal

OUTCOME: Final[Mapping[str, pl.DataType]] = {
    "programme": pl.String(),
    "member": pl.String(),
    "outcome": pl.String(),
    "award_fen": pl.Int64(),
    "causes": pl.List(pl.String),
}
KINDS: Final = ("records", "outcomes", "seals")
ATTEMPTS: Final = "attempts"
"""Folder of blocks that are being worked on, see `attempts`."""
_HELD_BLOCKS = 4


@dataclass(frozen=True, slots=True)
class Held:
    """One record as the vault holds it; `index`, `leaf` and `salts` are None until it is sealed.

    What it says of the case, and the salts that hide it, are kept out of its repr.
    """

    case_id: str
    groups: Mapping[str, bytes] = field(repr=False)
    index: int | None
    leaf: bytes | None = field(repr=False)
    salts: bytes | None = field(repr=False)


class Vault:
    """The folder of one batch. `put` may be called by another thread than the one that decides."""

    def __init__(self, folder: Path, group_names: tuple[str, ...], keys: HouseholdKeys | None = None) -> None:
        """The batch in a folder; its name is the batch's id. Keys: those beside the folder around it, if left out."""
        if keys is None:
            from meanscheck.vault.safe import keys_beside

            keys = keys_beside(folder.parent)
        self.folder, self.group_names, self.keys = folder, group_names, keys
        self.dictionaries: Mapping[str, bytes] = {}
        """Kind → dictionary by which what is put from now on is packed; not packed where there is none."""
        self._known: dict[int, Homes] = {}

    def __repr__(self) -> str:
        return f"Vault({self.folder.name})"

    # ---- writing

    @property
    def course(self) -> Course:
        """Which run works on the batch, and which blocks are finished."""
        return Course(self.folder, self.keys)

    @contextmanager
    def working(
        self,
        plan: Mapping[str, Any],
        *,
        log: str | None = None,
        dictionaries: Mapping[str, bytes] | None = None,
        is_decided: bool = False,
    ) -> Iterator[None]:
        """Work on the batch, alone: go on where a run of the same plan was broken off, else begin anew.

        Args:
            plan: all that the bytes of its blocks depend on.
            log: origin of the log for which it is sealed, if it is; the batch must not be in that log yet.
            dictionaries: see the attribute.
            is_decided: what there is is to be sealed; nothing is begun anew.

        Raises:
            StoreError: another run works on it, or (`is_decided`) has written it anew; or it is closed and sealed, and
                would be written anew: its salts are needed for receipts as long as its decisions stand in a log.
        """
        self._known.clear()
        self.dictionaries = dict(dictionaries or {})
        with self.course.alone() as course:
            sealed_for, is_same = course.log, course.plan == dict(plan)
            if self.file("seals", 0).path.exists() and self.closed() is not None:
                if log is None and not is_same:
                    raise StoreError(
                        f"batch {self.folder.name} was decided and sealed by another version, or before a consent was "
                        "withdrawn or a household erased: its records stand. To decide again, supersede it in the log, "
                        "or name another vault folder"
                    )
                if log is not None and sealed_for not in (None, log):
                    raise StoreError(
                        f"batch {self.folder.name} is sealed for the log {sealed_for}: name another vault folder"
                    )
            if not is_same:
                if is_decided:
                    raise StoreError(f"batch {self.folder.name} was decided anew by another run: assess it again")
                self.begin()
                sealed_for = None
            course.begin(plan, log=log or sealed_for)
            yield

    def begin(self) -> None:
        """Make the folder, or empty it of what an unfinished run left."""
        self._known.clear()
        with files.writing(self.folder):
            self.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.folder.mkdir(exist_ok=True, mode=0o700)
            for file in self.folder.iterdir():
                if file.name.split("-")[0] in (*KINDS, FINISHED, CLOSED):
                    file.unlink()
            shutil.rmtree(self.folder / ATTEMPTS, ignore_errors=True)

    def put(self, kind: str, block: int, frame: pl.DataFrame) -> None:
        """Seal one file of a block: to a temporary name, then renamed. Records come before what belongs to them.

        Args:
            kind: ``records``: case_id, token, the groups, position; ``outcomes``: case_id and the columns of `OUTCOME`;
                ``seals``: index, leaf, salts, a row a record in the records' order.
            block: its number in the batch.
            frame: as above.
        """
        dictionary = self.dictionaries.get(kind)
        if kind == "records":
            # A batch of which a part is written anew is not whole.
            with files.writing(self.folder / CLOSED):
                (self.folder / CLOSED).unlink(missing_ok=True)
            homes = self._homes(frame)
            self._known[block] = homes
            while len(self._known) > _HELD_BLOCKS:
                del self._known[min(self._known)]
            texts = pl.concat_str(*self.group_names, "case_id", separator="\n")
            self.file(kind, block).write(homes, frame, dictionary, texts, ())
        elif kind == "outcomes":
            if block not in self._known:
                raise StoreError("outcomes of a block are put after its records")
            homes = self._known[block]
            lines = frame.select("case_id", outcome_line().alias("line"))
            lists = lines.group_by("case_id", maintain_order=True).agg("line")
            joined = homes.frame.join(lists, on="case_id", how="left", maintain_order="left")
            text = pl.concat_str(pl.col("line").list.join("\n").fill_null(""), "case_id", separator="\n\n")
            self.file(kind, block).write(homes, joined, dictionary, text, ())
        elif kind == "seals":
            known = self._known.pop(block, None)
            if known is None:
                known = self._homes(read(self.file("records", block).path, ["position", "token"]))
            self.file(kind, block).write(known, frame, dictionary, pl.col("salts"), ("index", "leaf"))
        else:
            raise StoreError("a vault holds records, outcomes and seals")

    def _homes(self, frame: pl.DataFrame) -> Homes:
        """The households of a block with their keys; made for those that have none, if the frame has the cases."""
        if frame["token"].null_count():
            raise StoreError("a record lacks its token; nothing was put into the vault")
        tokens = frame["token"].to_list()
        if "case_id" in frame.columns:
            keys = self.keys.take(tokens, frame["case_id"].to_list())
            return Homes(frame.select("position", "token", "case_id"), tokens, keys)
        keys = [key for key in self.keys.give(tokens) if key is not None]
        if len(keys) != len(tokens):
            raise Erased("a household was erased while its batch was being sealed")
        return Homes(frame, tokens, keys)

    def close(self, facts: Mapping[str, Any]) -> None:
        """Mark the batch as whole. `facts`: counts, kept in the clear, and ``records_root``, which is sealed."""
        clear = {name: value for name, value in facts.items() if name != "records_root"}
        if "records_root" in facts:
            key = self.keys.take_of_batch(self.folder.name)
            text = json.dumps(facts["records_root"]).encode()
            clear["sealed"] = seal([key], [text], [self._root_place])[0].hex()
        part = self.folder / "closed.part"
        with files.writing(part):
            part.write_text(json.dumps(clear, sort_keys=True, ensure_ascii=False), encoding="utf-8")
            files.flush(part)
            part.replace(self.folder / CLOSED)
            files.flush_folder(self.folder)
            shutil.rmtree(self.folder / ATTEMPTS, ignore_errors=True)

    # ---- reading

    def closed(self) -> dict[str, Any] | None:
        """What `close` wrote, None if the batch is not whole. ``records_root`` is None once a household was erased."""
        file = self.folder / CLOSED
        if not file.exists():
            return None
        facts: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if "sealed" in facts:
            key = self.keys.give_of_batch(self.folder.name)
            (text,) = unseal([key], [bytes.fromhex(facts.pop("sealed"))], [self._root_place])
            facts["records_root"] = None if text is None else json.loads(text)
        return facts

    def blocks(self, *, purpose: Purpose = "use", gaps: bool = False) -> Iterator[pl.DataFrame]:
        """The records, block by block, as they were put; StoreError if a block of a whole batch is missing.

        Args:
            purpose: see `Purpose`.
            gaps: keep the rows of households that cannot be read, with nothing but token, position and ``state``
                String: null, ``erased`` or ``restricted``. Without it such a household raises Erased or Restricted.
        """
        done = 0
        for block in self._blocks("records"):
            found = pl.concat(self.file("records", block).opened(purpose))
            done += found.height
            if not gaps:
                _refuse(found["state"])
            parts = pl.col("text").str.splitn("\n", len(self.group_names) + 1).struct
            names = [*self.group_names, "case_id"]
            columns = [parts.field(f"field_{i}").alias(name) for i, name in enumerate(names)]
            frame = found.with_columns(pl.col("text").cast(pl.String)).with_columns(columns)
            yield frame.select("case_id", *self.group_names, "token", "position", *(["state"] if gaps else []))
        facts = self.closed()
        if facts is not None and facts.get("units", done) != done:
            raise StoreError(f"the batch has {facts['units']} records and {done} of them are here: a block is missing")

    def seals(self, *, purpose: Purpose = "use") -> Iterator[pl.DataFrame | None]:
        """Block by block as `blocks` with `gaps`: index Int64, leaf Binary, salts Binary; None where it was not sealed.

        Index and leaf are the log's and always there; salts are null where a record cannot be read.
        """
        for block in self._blocks("records"):
            if not self.file("seals", block).path.exists():
                yield None
                continue
            found = pl.concat(self.file("seals", block).opened(purpose))
            yield found.select("index", "leaf", pl.col("text").alias("salts"))

    def leaves(self, block: int) -> list[bytes] | None:
        """The leaves of a block, in its order; None if it is not sealed. They are the log's, and not secret."""
        file = self.file("seals", block).path
        return read(file, ["leaf"]).to_series().to_list() if file.exists() else None

    def outcomes(self, *, purpose: Purpose = "use") -> pl.LazyFrame:
        """All outcomes of the batch: case_id and the columns of `OUTCOME`, opened block by block as they are read.

        Households that were erased, or are restricted and not for this purpose, are left out; the batch's counts have
        them.
        """
        from polars.io.plugins import register_io_source

        def opened(
            columns: list[str] | None, where: pl.Expr | None, most: int | None, _batch_size: int | None
        ) -> Iterator[pl.DataFrame]:
            for block in self._blocks("outcomes"):
                frame = _outcome_rows(pl.concat(self.file("outcomes", block).opened(purpose)))
                if most is not None:
                    frame, most = frame.head(most), max(most - frame.height, 0)
                frame = frame if where is None else frame.filter(where)
                yield frame if columns is None else frame.select(columns)
                if most == 0:
                    return

        return register_io_source(opened, schema={"case_id": pl.String(), **OUTCOME}, is_pure=True)

    def find(self, case_id: str, *, purpose: Purpose = "use") -> Held:
        """The record of a case.

        Raises:
            Erased: the household was erased.
            Restricted: its records are only kept, and the purpose is ``use``.
            StoreError: the batch has none.
        """
        for token in self.keys.tokens_of(case_id):
            held = self.find_token(token, purpose=purpose)
            if held is not None:
                return held
        if self.keys.was_erased(case_id):
            raise Erased("the records of that case were erased")
        raise StoreError("that case is not in this batch")

    def find_token(self, token: str, *, purpose: Purpose = "use") -> Held | None:
        """The record of a household by its token; None if the batch has none. Raises as `find` does."""
        place = self.place_of(token)
        return None if place is None else self.rows(place[0], place[1], 1, purpose=purpose)[0]

    def place_of(self, token: str) -> tuple[int, int] | None:
        """Block and row of a household, erased or not; None if the batch has none."""
        for block in self._blocks("records"):
            row = read(self.file("records", block).path, ["token"]).to_series().index_of(token)
            if row is not None:
                return block, row
        return None

    def rows(self, block: int, first: int, count: int, *, purpose: Purpose = "use") -> list[Held]:
        """Consecutive records of a block. Raises as `find` does."""
        found = self.file("records", block).some(purpose, first, count)
        _refuse(found["state"])
        seals = None
        if self.file("seals", block).path.exists():
            seals = self.file("seals", block).some(purpose, first, count)
        held = []
        for row, text in enumerate(found["text"].to_list()):
            *groups, case_id = text.split(b"\n", len(self.group_names))
            index, leaf, salts = (None,) * 3 if seals is None else seals.select("index", "leaf", "text").row(row)
            held.append(Held(case_id.decode(), dict(zip(self.group_names, groups, strict=True)), index, leaf, salts))
        return held

    def outcomes_of(self, token: str) -> pl.DataFrame | None:
        """The outcomes of one household, restricted or not, for those who reckon retention; None if it has none."""
        place = self.place_of(token)
        if place is None:
            return None
        found = self.file("outcomes", place[0]).some("audit", place[1], 1)
        _refuse(found["state"])
        return _outcome_rows(found)

    def compact(self) -> int:
        """Drop the sealed bytes of erased households; their places and tokens stay. Returns how many were dropped."""
        erased, dropped = self.keys.erased, 0
        self.course.forget()
        for kind in KINDS:
            for block in self._blocks(kind):
                dropped += self.file(kind, block).compact(erased)
        return dropped

    def _blocks(self, kind: str) -> list[int]:
        return sorted(int(file.stem.rpartition("-")[2]) for file in self.folder.glob(f"{kind}-*.parquet"))

    def file(self, kind: str, block: int) -> SealedFile:
        """One of the files of a block, there or not."""
        return SealedFile(self.folder, kind, block, self.keys)

    @property
    def _root_place(self) -> bytes:
        return bound_to("closed", 0, [0], ["root"], self.folder.name)[0]


def outcome_line() -> pl.Expr:
    """The columns of `OUTCOME` as a line of JSON (String)."""
    return pl.struct(*(pl.col(name).cast(dtype) for name, dtype in OUTCOME.items())).struct.json_encode()


def _outcome_rows(found: pl.DataFrame) -> pl.DataFrame:
    parts = pl.col("text").cast(pl.String).str.splitn("\n\n", 2).struct
    opened = found.select(case_id=parts.field("field_1"), line=parts.field("field_0").str.split("\n")).explode("line")
    # A household for which nothing was asked has an empty line.
    lines = opened.filter(pl.col("line") != "")
    return lines.with_columns(pl.col("line").str.json_decode(pl.Struct(OUTCOME))).unnest("line")


def _refuse(states: pl.Series) -> None:
    """Raise for what cannot be read."""
    found = states.drop_nulls().value_counts(sort=True)
    for state, count in found.sort("state").iter_rows():
        households = "a household" if count == 1 else f"{count} households"
        if state == "erased":
            raise Erased(f"the records of {households} were erased")
        if state == "restricted":
            raise Restricted(f"the records of {households} are only kept: an audit may read them, nobody else")
        raise StoreError(f"{households} of the batch have no key here: this is not the key file they were sealed with")
