"""How do the rows of one file of a batch get sealed, each under its household's key, and open again?

The files are those that `batch` tells of. Rows are written and read some at a time, so that what is sealed and what is
open are never both in memory whole.

>>> import tempfile
>>> from meanscheck.vault.deployment import DeploymentKey
>>> folder, tokens = tempfile.TemporaryDirectory(), ["00" * 16, "11" * 16]
>>> keys = HouseholdKeys.open(Path(folder.name, "county.keys"), key=DeploymentKey(bytes(32)), make=True)
>>> frame = pl.DataFrame({"position": [0, 1], "token": tokens, "text": ["one", "two"]})
>>> file = SealedFile(Path(folder.name), "records", 0, keys)
>>> file.write(Homes(frame, tokens, keys.take(tokens, ["U-1", "U-2"])), frame, None, pl.col("text"), ())
>>> file.some("use", 1, 1)["text"].to_list(), b"two" in file.path.read_bytes()
([b'two'], False)
>>> folder.cleanup()
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

import polars as pl

from meanscheck.errors import StoreError
from meanscheck.vault.columns import COLUMNS, height, metadata_of, read, write_parquet
from meanscheck.vault.household_keys import HouseholdKeys
from meanscheck.vault.packing import dictionary_in, in_metadata, named, pack, unpack
from meanscheck.vault.sealing import bound_to, seal, unseal

Purpose: TypeAlias = Literal["use", "audit", "log"]
"""`use`: not of restricted households. `audit`: of all. `log`: of all, to put decisions just made into the log."""

ROWS: Final = {"records": 512, "outcomes": 4096, "seals": 4096}
"""Households sealed at a time, and in a row group: some 2.5 MB, which stay in the cache. Measured from 128 to 8192."""


@dataclass(frozen=True, slots=True)
class Homes:
    """The households of a block: position, token and, as records are put, case_id; and their keys."""

    frame: pl.DataFrame = field(repr=False)
    tokens: list[str] = field(repr=False)
    keys: list[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedFile:
    """One file of a batch, there or to be written."""

    folder: Path
    kind: str
    block: int
    keys: HouseholdKeys = field(repr=False)

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.folder / f"{self.kind}-{self.block:05d}.parquet"

    @property
    def height(self) -> int:
        """How many rows it has."""
        return height(self.path)

    def write(
        self, homes: Homes, frame: pl.DataFrame, dictionary: bytes | None, text: pl.Expr, clear: tuple[str, ...]
    ) -> None:
        """Write it: whole, or not at all.

        Args:
            homes: whose rows they are.
            frame: a row a household.
            dictionary: by which texts are packed, if they are.
            text: what is sealed, of columns of the frame.
            clear: names of columns that stay in the clear.
        """
        if homes.frame.height != frame.height:
            raise StoreError("records and what belongs to them differ in number")
        places, keys = self._places(homes.frame, homes.tokens, dictionary), homes.keys
        size = ROWS[self.kind]

        def parts() -> Iterator[pl.DataFrame]:
            for first in range(0, frame.height, size):
                some, rows = slice(first, first + size), frame.slice(first, size)
                texts = rows.select(text.cast(pl.Binary)).to_series()
                if texts.null_count():
                    raise StoreError("a record lacks one of its groups; nothing was put into the vault")
                plain = texts.to_list() if dictionary is None else pack(texts.to_list(), dictionary)
                sealed = pl.Series("sealed", seal(keys[some], plain, places[some]), dtype=pl.Binary)
                shown = homes.frame.slice(first, size).select("position", "token")
                yield shown.with_columns(*(rows[name] for name in clear), sealed)

        schema = {name: COLUMNS[name] for name in self._columns}
        write_parquet(self.path, parts, schema, rows=size, metadata=in_metadata(dictionary))

    def opened(self, purpose: Purpose) -> Iterator[pl.DataFrame]:
        """All rows as `some` gives them, in row groups."""
        for first in range(0, self.height, ROWS[self.kind]):
            yield self.some(purpose, first, ROWS[self.kind])

    def some(self, purpose: Purpose, first: int, count: int) -> pl.DataFrame:
        """Some rows with ``text`` Binary, what was sealed, and ``state`` String, why it is null; null itself if not."""
        rows = read(self.path, self._columns, first, count)
        tokens, sealed = rows["token"].to_list(), rows["sealed"].to_list()
        dictionary = dictionary_in(metadata_of(self.path))
        restricted, erased = self.keys.restricted if purpose == "use" else {}, self.keys.erased
        keys = self.keys.give(tokens)
        states: list[str | None] = [None] * len(keys)
        for row, (token, key) in enumerate(zip(tokens, keys, strict=True)):
            if key is None:
                states[row] = "erased" if token in erased else "no key"
            elif sealed[row] is None:
                states[row], keys[row] = "erased", None
            elif token in restricted:
                states[row], keys[row] = "restricted", None
        opened = unseal(keys, sealed, self._places(rows, tokens, dictionary))
        texts = pl.Series("text", opened if dictionary is None else unpack(opened, dictionary), dtype=pl.Binary)
        return rows.drop("sealed").with_columns(texts, pl.Series("state", states, dtype=pl.String))

    def compact(self, erased: Collection[str]) -> int:
        """Drop the sealed bytes of some tokens; how many were dropped."""
        gone = pl.col("token").is_in(list(erased)) & pl.col("sealed").is_not_null()
        size = ROWS[self.kind]

        def rows() -> Iterator[pl.DataFrame]:
            for first in range(0, self.height, size):
                yield read(self.path, self._columns, first, size)

        def parts() -> Iterator[pl.DataFrame]:
            for some in rows():
                yield some.with_columns(sealed=pl.when(~gone).then(pl.col("sealed")))

        count = sum(int(some.select(gone.sum()).item()) for some in rows())
        if count:
            schema = {name: COLUMNS[name] for name in self._columns}
            write_parquet(self.path, parts, schema, rows=size, metadata=metadata_of(self.path))
        return count

    @property
    def _columns(self) -> list[str]:
        """Those that such a file has."""
        return ["position", "token", *(["index", "leaf"] if self.kind == "seals" else []), "sealed"]

    def _places(self, frame: pl.DataFrame, tokens: list[str], dictionary: bytes | None) -> list[bytes]:
        """What the sealed bytes of each row are bound to."""
        kind, positions = named(self.kind, dictionary), frame["position"].to_list()
        return bound_to(kind, self.block, positions, tokens, self.folder.name)
