"""How do a file's rows become staged rows: cast by the contract, named by digest, matched to persons, known as covered?

Temporary tables of one answer, dropped when it is in:

    i_rows   person BIGINT (null: not known) · is_asked, is_covered BOOLEAN (see `reach`) · row_no · digest · the
             contract's columns; repetitions and contradictions are taken out
    i_bad    rows not accepted: row_no · field · reason · raw · person (only if known without a look at the text)

A file that comes in one part is checked whole by the cast. Parts of a large file cannot see each other, so repetitions,
contradictions and persons with too many rows are looked for here, over all rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import FeedContract
from meanscheck.contracts import cast as casting
from meanscheck.evidence.ahead import ahead
from meanscheck.evidence.digests import Sorted, digest_head_sql, row_digest_sql
from meanscheck.evidence.incoming import Incoming
from meanscheck.evidence.quarantine import REPEATED, refuse_contradictions, refuse_crowds, set_repeats_apart
from meanscheck.evidence.tables import IDENTITY, stored_columns
from meanscheck.values.sql import quoted

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store


@dataclass(frozen=True, slots=True)
class Staged:
    """What became of the file's rows: `every_row` names those in ``i_rows``; `bad` lines are in ``i_bad``, if any are.

    `kept_rows` names those of them that may be kept, `repeats` are rows that stand in the file before, `passed` lines
    are no rows.
    """

    every_row: str
    kept_rows: str
    rows: int
    repeats: int
    bad: int
    passed: int


def stage(store: Store, incoming: Incoming) -> Staged:
    """Fill ``i_rows`` and ``i_bad``; ``i_asked`` is there already (see `reach`)."""
    contract, is_large = incoming.contract, incoming.is_large
    bad: list[pl.DataFrame] = []
    rows = repeats = passed = 0
    is_first = True
    for part in ahead(incoming.parts) if is_large else incoming.parts:
        one = part.cast
        _add(store, contract, one, "create or replace temp table i_rows as" if is_first else "insert into i_rows")
        is_first = False
        passed += part.passed
        rows += one.accepted.height
        repeats += int((one.quarantined["reason"] == REPEATED).sum())
        if one.quarantined.height:
            bad.append(one.quarantined)
    lines = _add_bad(store, bad) if bad or is_large else 0
    if is_large:
        taken = refuse_contradictions(store, contract)
        rows, lines = rows - taken, lines + taken
    found = _sorted(store, rows)
    if not found.are_distinct:
        if not is_large and not bad:
            _add_bad(store, bad)
        taken = set_repeats_apart(store)
        rows, repeats, lines = rows - taken, repeats + taken, lines + taken
        found = _sorted(store, rows)
    if is_large and (taken := refuse_crowds(store, casting.MAX_ROWS_PER_PERSON)):
        rows, lines = rows - taken, lines + taken
        found = _sorted(store, rows)
    return Staged(found.total, found.of_some, rows, repeats, lines, passed)


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


def _add(store: Store, contract: FeedContract, cast: casting.Cast, verb: str) -> None:
    """Each identity is looked up once, and so is what a digest begins with; rows find theirs by its place."""
    assert cast.whose is not None, "every feed names a person"
    with store.frame("people", cast.whose.people.with_row_index("who")):
        # Not a join of all rows in the database: it would choose their order.
        found = store.fetch(
            f"""with known as materialized (
              select i.who, p.person from people i join persons p
              on p.id_number = i.id_number and p.id_type = i.id_type),
            asked as materialized (select * from i_asked semi join known using (person))
            select i.who, k.person, a.person is not null as is_asked, a.load is not null as is_covered,
              concat_ws(chr(31), {digest_head_sql(contract, "i")}) as head
            from people i left join known k on k.who = i.who left join asked a on a.person = k.person"""
        )
    each = found.sort("who").drop("who").select(pl.all().gather(cast.whose.who))
    names = ", ".join(f"r.{quoted(c.stored_name)}" for c in stored_columns(contract))
    with store.frame("incoming", pl.concat([cast.accepted.drop(IDENTITY), each], how="horizontal")):
        store.run(
            f"{verb} select r.person, r.is_asked, r.is_covered, r.row_no, "
            f"{row_digest_sql(contract, row='r', head='r.head')} as digest, {names} from incoming r"
        )
