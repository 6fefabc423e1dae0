"""Where do the rows of an answer lie until all of them are judged?

    i_rows   person BIGINT (null: not known) · is_asked, is_covered BOOLEAN (see `reach`) · row_no · digest · the
             contract's columns

Of a small answer it is a temporary table, and what may be kept is put into the feed's table in the end. Rows of a large
one would be written twice that way, a quarter of all work. So those that may be kept go into the feed's table at once,
under the load number that the answer is about to take, and `i_rows` is a view of them and of the others, which lie in
the temporary table ``i_rest``. Nobody else sees them before the transaction ends, and if it fails they are gone.

Choices
    * While rows are added straight, the database works by one thread (`Database.one_thread`). By several it would make
      groups of rows of each part, smaller than it keeps them, and write them all again at its next checkpoint. What
      comes next is cast meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import FeedContract
from meanscheck.evidence.tables import stored_columns
from meanscheck.values.sql import quoted

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store


@dataclass(frozen=True, slots=True)
class Laid:
    """The rows of one answer, in its transaction.

    Attributes:
        batch: the load number that the answer takes if it brings anything.
        is_straight: whether rows that may be kept lie in the feed's table already.
    """

    contract: FeedContract
    batch: int
    is_straight: bool

    @classmethod
    def begin(cls, store: Store, contract: FeedContract, *, is_straight: bool) -> Laid:
        """Make ``i_rows``, empty."""
        batch = int(store.value("select value::integer + 1 from meta where key = 'load'"))
        laid = cls(contract, batch, is_straight)
        kept = f"select person, true as is_asked, true as is_covered, row_no, digest, {laid._names} from {laid._feed}"
        table = "i_rest" if is_straight else "i_rows"
        store.run(f"create temp table {table} as {kept} limit 0")
        if is_straight:
            store.run(f"create temp view i_rows as {kept} where batch = {laid.batch} union all from i_rest")
        return laid

    @property
    def _feed(self) -> str:
        return f"feed_{self.contract.name}"

    @property
    def _names(self) -> str:
        return ", ".join(quoted(c.stored_name) for c in stored_columns(self.contract))

    def add(self, store: Store, rows: pl.DataFrame) -> None:
        """Add rows; the frame has the columns of ``i_rows`` by name."""
        if self.is_straight:
            with store.frame("incoming", rows):
                store.run(self._inserted("incoming where is_covered"))
            rows = rows.filter(~pl.col("is_covered"))
        if rows.height:
            store.insert("i_rest" if self.is_straight else "i_rows", rows)

    def take_out(self, store: Store, which: str) -> None:
        """Delete rows for which an SQL condition holds."""
        if self.is_straight:
            store.run(f"delete from i_rest where {which}")
            store.run(f"delete from {self._feed} where batch = {self.batch} and {which}")
        else:
            store.run(f"delete from i_rows where {which}")

    def keep(self, store: Store, chosen: str = "true") -> None:
        """Have those of the rows that may be kept for which an SQL condition holds in the feed's table, no others."""
        if not self.is_straight:
            store.run(self._inserted(f"i_rows where is_covered and {chosen}"))
        elif chosen != "true":
            store.run(f"delete from {self._feed} where batch = {self.batch} and not ({chosen})")

    def keep_none(self, store: Store) -> None:
        """Have none of the rows in the feed's table."""
        if self.is_straight:
            store.run(f"delete from {self._feed} where batch = {self.batch}")

    def _inserted(self, rows: str) -> str:
        columns = f"row_no, digest, {self._names}"
        return f"insert into {self._feed} (person, batch, {columns}) select person, {self.batch}, {columns} from {rows}"

    def let_go(self, store: Store) -> None:
        """Drop ``i_rows``: it holds personal data and memory."""
        store.run("drop view i_rows; drop table i_rest" if self.is_straight else "drop table i_rows")
