"""How do a file's rows become staged rows: cast by the contract, named by digest, matched to persons, known as covered?

Temporary tables of one answer, dropped when it is in:

    i_rows   person BIGINT (null: not known) · is_asked, is_covered BOOLEAN (see `reach`) · row_no · digest · the
             contract's columns; repetitions and contradictions are taken out
    i_bad    rows not accepted: row_no · field · reason · raw · person (only if known without a look at the text)

A file that comes in one part is checked whole by the cast. Parts of a large file cannot see each other, so repetitions
and contradictions among them are looked for here, over all rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import FeedContract
from meanscheck.contracts.cast import cast_rows
from meanscheck.contracts.readers import FileRows
from meanscheck.evidence.digests import Sorted, row_digest_sql
from meanscheck.evidence.manifest import Manifest
from meanscheck.evidence.quarantine import REPEATED, refuse_contradictions, set_repeats_apart
from meanscheck.evidence.requests import NO_BOUND
from meanscheck.evidence.tables import quoted, stored_columns

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

_TABLES = ("i_rows", "i_bad")
_BAD = ("row_no", "field", "reason", "raw")


@dataclass(frozen=True, slots=True)
class Staged:
    """What became of the file's rows: `every_row` names those in ``i_rows``; `repeats` and others are in ``i_bad``."""

    every_row: str
    repeats: int
    bad: int


def stage(store: Store, contract: FeedContract, parts: Iterator[FileRows], answer: Manifest | None) -> Staged:
    """Fill ``i_rows`` and ``i_bad``; ``i_asked`` is there already (see `reach`)."""
    store.run("create temp table i_bad (row_no BIGINT, field VARCHAR, reason VARCHAR, raw VARCHAR, person BIGINT)")
    part = next(parts)
    following = next(parts, None)
    # Parts cannot see each other, so the natural key of a large file is checked once over all of it.
    checked = contract if following is None else replace(contract, key=())
    verb = "create temp table i_rows as"
    bad = repeats = 0
    current: FileRows | None = part
    while current is not None:
        cast = cast_rows(
            checked,
            current.rows,
            as_of=None if answer is None else answer.as_of,
            not_after=NO_BOUND if answer is None else answer.answered_on,
            units=current.units,
        )
        _add(store, contract, cast.accepted, verb)
        verb = "insert into i_rows"
        for lines in (cast.quarantined, current.broken):
            if lines.height:
                store.insert("i_bad", lines.select(_BAD))
                bad += lines.height
        repeats += int((cast.quarantined["reason"] == REPEATED).sum())
        current, following = following, next(parts, None) if following is not None else None
    if checked is not contract:
        bad += refuse_contradictions(store, contract)
    rows = Sorted.read(store, "select digest from i_rows")
    if not rows.are_distinct:
        more = set_repeats_apart(store)
        bad, repeats = bad + more, repeats + more
        rows = Sorted.read(store, "select digest from i_rows")
    return Staged(rows.total, repeats, bad)


def drop_staged(store: Store) -> None:
    """Drop the temporary tables: they hold personal data and memory."""
    store.run("; ".join(f"drop table if exists {table}" for table in _TABLES))


def _add(store: Store, contract: FeedContract, rows: pl.DataFrame, verb: str) -> None:
    """Each identity is looked up once; rows find theirs by a number, which is far faster than by text."""
    rows = rows.with_columns(who=_numbered(rows["id_number"]) * 16 + _numbered(rows["id_type"]))
    people = rows.select("who", "id_type", "id_number").filter(pl.col("who").is_not_null()).unique("who", keep="any")
    names = ", ".join(f"r.{quoted(c.stored_name)}" for c in stored_columns(contract))
    with store.frame("people", people), store.frame("incoming", rows):
        store.run(
            f"""{verb}
            with found as materialized (
              select i.who, p.person, a.person is not null as is_asked, a.load is not null as is_covered
              from people i join persons p on p.id_number = i.id_number and p.id_type = i.id_type
              left join i_asked a on a.person = p.person)
            select f.person, coalesce(f.is_asked, false) as is_asked, coalesce(f.is_covered, false) as is_covered,
              r.row_no, {row_digest_sql(contract, row="r", identity="r")} as digest, {names}
            from incoming r left join found f on f.who = r.who"""
        )


def _numbered(texts: pl.Series) -> pl.Series:
    """A number for each distinct text; null stays null."""
    return texts.cast(pl.Enum(texts.drop_nulls().unique())).to_physical().cast(pl.UInt64)
