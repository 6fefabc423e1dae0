"""Whose rows are one person's? What links (see `links`) mean to every query that reads by person.

p_same   person BIGINT · other BIGINT · since INTEGER: every ordinal of a person who has several, himself among
         them, and the load number from which all of them are known to be his; empty if nobody is linked
p_read   a view of p_people with `reads`: one row for every ordinal under which a person's evidence may stand
p_twins  feed · batch · row_no: rows that say the same of a linked person under two of his numbers, but for one
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.evidence.clocks import live_sql

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

TEMPORARY = ("p_same", "p_twins", "p_at_odds")


def make_same(store: Store, *, mark: int | None = None, on: date | None = None) -> bool:
    """Fill ``p_same`` from the links of a snapshot (all unless given) that hold on a day; whether anybody is linked."""
    live = "superseded_by is null" if mark is None else live_sql(mark)
    holds = "ended_on is null" if on is None else f""""on" <= date '{on}' and coalesce(ended_on > date '{on}', true)"""
    links = store.fetch(
        f"select from_person, to_person, load from identity_links where {live} and {holds} order by all"
    )
    rows = [
        (person, other, since) for group, since in _groups(links.iter_rows()) for person in group for other in group
    ]
    schema = {"person": pl.Int64, "other": pl.Int64, "since": pl.Int32}
    with store.frame("same", pl.DataFrame(rows, schema=schema, orient="row")):
        store.run("create or replace temp table p_same as select * from same")
    return bool(rows)


def _groups(links: Iterable[tuple[int, ...]]) -> list[tuple[list[int], int]]:
    """Who hangs together through links, and since which load number all of it."""
    home: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    since: dict[int, int] = {}
    for one, other, load in links:
        for person in (one, other):
            if person not in home:
                home[person], members[person], since[person] = person, [person], 0
        kept, gone = home[one], home[other]
        since[kept] = max(since[kept], since[gone], load)
        if kept != gone:
            for person in members[gone]:
                home[person] = kept
            members[kept] += members.pop(gone)
            del since[gone]
    return [(sorted(members[key]), since[key]) for key in sorted(members)]


def spread(table: str, *, is_linked: bool) -> str:
    """A table of persons as SQL reads it: with links, each row once for every ordinal of its person."""
    if not is_linked:
        return table
    return (
        f"(select t.* replace (coalesce(s.person, t.person) as person) from {table} t "
        "left join p_same s on s.other = t.person)"
    )


def make_reads(store: Store, *, is_linked: bool) -> None:
    """Make the view ``p_read`` of ``p_people`` and an empty ``p_twins``."""
    linked = "coalesce(s.other, p.person) as reads from p_people p left join p_same s on s.person = p.person"
    store.run(
        "create or replace temp view p_read as select p.*, "
        f"{linked if is_linked else 'p.person as reads from p_people p'}"
    )
    store.run("create or replace temp table p_twins (feed varchar, batch integer, row_no bigint)")
