"""What if two numbers of one person bring the same row twice, or rows that contradict each other?

A bank that knows a person by an old permit and by the new one may report one account under both: it counts once. Rows
under two numbers that say different things under one natural key are a contradiction, as within one number.

    p_twins     feed · batch · row_no: of rows that say the same of a linked person, all but one
    p_at_odds   person · feed: linked persons who are contradicted across their numbers
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meanscheck.contracts import FeedContract, all_feeds
from meanscheck.evidence.clocks import live_sql
from meanscheck.evidence.rows import feeds_present, rows_sql
from meanscheck.evidence.tables import same_key_sql, stored_columns
from meanscheck.values.sql import quoted

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

_NAME = "name"  # one person's name is written differently on two documents; that alone is no other fact


def make_twins(store: Store, *, mark: int) -> None:
    """Fill ``p_twins``: of rows that say the same of a person under several of his numbers, all but one."""
    if not store.value("select count(*) from p_same"):
        return
    for feed in feeds_present(store, mark=mark):
        contract = all_feeds()[feed]
        query = rows_sql(
            contract,
            mark=mark,
            reviewed=(),
            columns=(),
            extra=f", r.batch as batch, r.row_no as row_no, {_content(contract, 'r')} as content",
            some=" and p.person in (select person from p_same)",
        )
        store.run(
            f"insert into p_twins select '{feed}', batch, row_no from ({query}) "
            "qualify row_number() over (partition by place, content order by digest, batch) > 1"
        )


def find_contradictions(store: Store, *, mark: int, is_linked: bool) -> None:
    """Fill ``p_at_odds`` (person, feed): linked persons of whom two answers, each under another number, say different
    things under one natural key."""
    store.run("create or replace temp table p_at_odds (person bigint, feed varchar)")
    if not is_linked:
        return
    for feed in feeds_present(store, mark=mark):
        contract = all_feeds()[feed]
        if not contract.key:
            continue
        store.run(
            f"insert into p_at_odds select distinct s.person, '{feed}' from p_same s "
            f"join feed_{feed} a on a.person = s.person join feed_{feed} b on b.person = s.other "
            f"where s.other <> s.person and {live_sql(mark, alias='a', since='batch')} "
            f"and {live_sql(mark, alias='b', since='batch')}{same_key_sql(contract, 'a', 'b')} "
            f"and {_content(contract, 'a')} <> {_content(contract, 'b')}"
        )
    # Whoever shares the number shares the contradiction.
    store.run(
        "insert into p_at_odds select distinct s.other, o.feed from p_at_odds o join p_same s on s.person = o.person"
    )


def _content(contract: FeedContract, row: str) -> str:
    cells = ", ".join(
        f"coalesce({row}.{quoted(c.stored_name)}::varchar, chr(30))"
        for c in stored_columns(contract)
        if c.name != _NAME
    )
    return f"concat_ws(chr(31), {cells})"
