"""How do a file's rows become staged rows: cast by the contract, named by digest, matched to persons, known as covered?

Tables of one answer, dropped when it is in:

    i_rows   its rows, without repetitions and contradictions (see `laid`)
    i_bad    rows not accepted: row_no · field · reason · raw · person (only if known without a look at the text)

A file that comes in one part is checked whole by the cast. Parts of a large file cannot see each other, so repetitions,
contradictions and persons with too many rows are looked for here, over all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import cast as casting
from meanscheck.evidence.digests import Sorted
from meanscheck.evidence.incoming import Incoming, Part
from meanscheck.evidence.laid import Laid
from meanscheck.evidence.quarantine import REPEATED, refuse_contradictions, refuse_crowds, set_repeats_apart

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store


@dataclass(frozen=True, slots=True)
class Staged:
    """What became of the file's rows: `laid` says where they lie, `bad` lines are in ``i_bad``, if any are.

    `every_row` is the digest of them all, `kept_rows` of those that may be kept; `repeats` are rows that stand in the
    file before, `passed` lines are no rows.
    """

    laid: Laid
    every_row: str
    kept_rows: str
    rows: int
    repeats: int
    bad: int
    passed: int


def stage(
    store: Store, incoming: Incoming, parts: Iterator[Part], laid: Laid, *, when_added: Callable[[], None]
) -> Staged:
    """Fill ``i_rows`` and ``i_bad``; ``i_asked`` is there already (see `reach`)."""
    is_large = incoming.is_large
    bad: list[pl.DataFrame] = []
    rows = repeats = passed = 0
    for part in parts:
        laid.add(store, _of_persons(store, part))
        passed += part.passed
        rows += part.rows.height
        repeats += int((part.bad["reason"] == REPEATED).sum())
        if part.bad.height:
            bad.append(part.bad)
    when_added()
    lines = _add_bad(store, bad) if bad or is_large else 0
    if is_large:
        taken, twice = refuse_contradictions(store, laid)
        rows, repeats, lines = rows - taken - twice, repeats + twice, lines + taken + twice
    found = _sorted(store, rows)
    if not found.are_distinct:
        if not is_large and not bad:
            _add_bad(store, bad)
        taken = set_repeats_apart(store, laid)
        rows, repeats, lines = rows - taken, repeats + taken, lines + taken
        found = _sorted(store, rows)
    if is_large and (taken := refuse_crowds(store, laid, casting.MAX_ROWS_PER_PERSON)):
        rows, lines = rows - taken, lines + taken
        found = _sorted(store, rows)
    return Staged(laid, found.total, found.of_some, rows, repeats, lines, passed)


def _sorted(store: Store, rows: int) -> Sorted:
    """The digests of ``i_rows``, all and those that may be kept, in one look at them."""
    return Sorted.read(store, "select digest, is_covered from i_rows", count=rows, some="is_covered")


def _add_bad(store: Store, bad: list[pl.DataFrame]) -> int:
    make_bad(store)
    for lines in bad:
        store.insert("i_bad", lines)
    return sum(lines.height for lines in bad)


def make_bad(store: Store) -> None:
    """Make ``i_bad``, empty, if it is not there."""
    columns = "row_no BIGINT, field VARCHAR, reason VARCHAR, raw VARCHAR, person BIGINT"
    store.run(f"create temp table if not exists i_bad ({columns})")


def _of_persons(store: Store, part: Part) -> pl.DataFrame:
    """Rows with the persons whose they are, as ``i_rows`` has them; each identity is looked up once."""
    with store.frame("people", part.whose.people.with_row_index("who")):
        # Not a join of all rows in the database: it would choose their order.
        found = store.fetch(
            """with known as materialized (
              select i.who, p.person from people i join persons p
              on p.id_number = i.id_number and p.id_type = i.id_type),
            asked as materialized (select * from i_asked semi join known using (person))
            select i.who, k.person, a.person is not null as is_asked, a.load is not null as is_covered
            from people i left join known k on k.who = i.who left join asked a on a.person = k.person"""
        )
    each = found.sort("who").drop("who").select(pl.all().gather(part.whose.who))
    return pl.concat([part.rows, each], how="horizontal")
