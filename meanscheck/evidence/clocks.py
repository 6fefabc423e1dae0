"""What did the store know by a day? Every load carries the day it came in; a snapshot of a past day is its last load.

Two clocks run through the house: the day a fact or law holds (`on`), and the day by which it was known (`known_by`).
This module keeps the second one for evidence. A load number only grows, and so do the days of loads: a load with an
earlier day than the one before it is refused, because "as known by" would then depend on the order of arrival. A load
that nobody dated is known since the day of the load before it.

    loads   load INTEGER · received_on DATE (null: as the load before)
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.errors import StoreError

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store


def live_sql(mark: int, *, alias: str = "", since: str = "load") -> str:
    """SQL condition: a version that was there at a load number and whose place was not taken by then."""
    dot = f"{alias}." if alias else ""
    return f"{dot}{since} <= {mark} and ({dot}superseded_by is null or {dot}superseded_by > {mark})"


def withdrawn_sql(mark: int, heeds: int | None = None) -> str:
    """Query of withdrawals that came in after a load number (up to `heeds`, if given): consent_no, withdrawn_on, load,
    digest; of consents that were live and not withdrawn at that load."""
    until = "" if heeds is None else f" and load <= {heeds}"
    return (
        "select consent_no, min(withdrawn_on) as withdrawn_on, min(load) as load, arg_min(digest, load) as digest "
        f"from consents where load > {mark}{until} and withdrawn_on is not null and consent_no in "
        f"(select consent_no from consents where {live_sql(mark)} and withdrawn_on is null) group by consent_no"
    )


def next_load(store: Store, received_on: date | None) -> int:
    """The next load number, dated; StoreError if the clock went back."""
    number = int(store.value("update meta set value = (value::bigint + 1)::varchar where key = 'load' returning value"))
    if received_on is not None:
        last = store.value("select max(received_on) from loads")
        if last is not None and received_on < last:
            raise StoreError(
                f"the store took something in on {last}, and this is said to have come in on {received_on}: "
                "look at the clock. Nothing was kept"
            )
    store.run("insert into loads values (?, ?)", [number, received_on])
    return number


def load_known_by(store: Store, day: date) -> int:
    """The last load that was in the store by the end of a day.

    Raises:
        StoreError: nothing that is dated had come in by then; loads before the first dated one have no known day.
    """
    known = store.value(
        "select max(load) from (select load, max(received_on) over (order by load) as day from loads) where day <= ?",
        [day],
    )
    if known is None:
        raise StoreError(f"nothing is known to have come into the store by {day}")
    return int(known)


def history(store: Store) -> pl.DataFrame:
    """What came in and when.

    Returns:
        load Int32 · received_on Date (null: not dated) · kind String (requests, consents, answer, correction,
        withdrawal, …) · feed, sender, file String (null but for answers) · rows Int64 · snapshot String (null: none was
        named at this load), by load.
    """
    return store.fetch(
        """select l.load, l.received_on,
          coalesce(case b.how when 'replace' then 'correction' when 'amend' then 'correction'
              when 'withdraw' then 'withdrawal' else case when b.batch is not null then 'answer' end end,
            case when r.n > 0 then 'requests' when c.n > 0 then 'consents' else 'other' end) as kind,
          b.feed, b.sender, b.file, coalesce(b.accepted, r.n, c.n, 0)::bigint as rows, s.id as snapshot
        from loads l left join batches b on b.batch = l.load
        left join (select load, count(*) as n from requests group by load) r on r.load = l.load
        left join (select load, count(*) as n from consents group by load) c on c.load = l.load
        left join (select load, any_value(id) as id from snapshots where heeds is null group by load) s
          on s.load = l.load
        order by l.load"""
    )
