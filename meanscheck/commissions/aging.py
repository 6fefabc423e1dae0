"""Which answers are too old, or will be on a day, and until when do verification reports (核对报告) hold?

An answer ages against the reference day of its request, not against today: while the request's reference day stands,
an answer that was fresh stays so. `on` asks the other question: were everybody checked anew as of that day, which
answers could not be used again?
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import all_feeds
from meanscheck.evidence.coverage import make_states
from meanscheck.evidence.people import drop_people, make_people
from meanscheck.evidence.snapshot import snapshot_named
from meanscheck.law.freshness import report_valid_until, stale_from
from meanscheck.values.evidence_state import EvidenceState

if TYPE_CHECKING:
    from meanscheck.evidence import Store
    from meanscheck.law.law import Law


def stale_answers(store: Store, law: Law, *, on: date, cases: Sequence[str] | None = None) -> pl.DataFrame:
    """Answers that are stale as decided on, or would be on the reference day `on`.

    Args:
        store: the evidence store.
        law: whose `evidence.freshness` counts.
        on: the day.
        cases: some cases; all unless given.

    Returns:
        request_no, case_id, id, feed String · as_of, reference_day, stale_from Date · is_stale Boolean (for the
        request's own reference day, as both executors hold it), by request number, id, feed.
    """
    mark = snapshot_named(store, None).load
    wanted = pl.DataFrame({"case_id": sorted(set(cases or ()))}, schema={"case_id": pl.String})
    try:
        with store.frame("wanted", wanted):
            make_people(store, mark=mark, on=on, only_wanted=cases is not None)
        make_states(store, list(all_feeds()), mark=mark, on=on)
        pairs = store.fetch(
            f"select distinct feed, as_of from p_states where state = {int(EvidenceState.ANSWERED)} "
            "and as_of is not null order by all"
        )
        until = [stale_from(law, feed, as_of) for feed, as_of in pairs.iter_rows()]
        ages = pairs.with_columns(stale_from=pl.Series(until, dtype=pl.Date)).drop_nulls("stale_from")
        with store.frame("ages", ages):
            return store.fetch(
                f"""select u.request_no, u.case_id, p.id, s.feed, s.as_of, p.reference_day, a.stale_from,
                  a.stale_from <= p.reference_day as is_stale
                from ages a join p_states s on s.feed = a.feed and s.as_of = a.as_of
                join p_people p using (term) join p_units u using (unit)
                where s.state = {int(EvidenceState.ANSWERED)}
                  and (a.stale_from <= date '{on}' or a.stale_from <= p.reference_day)
                order by u.request_no, p.position, s.feed"""
            )
    finally:
        drop_people(store)


def validity(store: Store, law: Law) -> pl.DataFrame:
    """Until when the report on each live request holds, counted from its reference day (核对基准日).

    Returns:
        request_no, case_id String · reference_day, valid_until Date (null: no reference day, or not bounded).
    """
    found = store.fetch("select request_no, case_id, reference_day from units order by request_no")
    days = found["reference_day"].drop_nulls().unique().sort().to_list()
    until = {day: report_valid_until(law, day) for day in days}
    return found.with_columns(
        valid_until=pl.col("reference_day").replace_strict(until, default=None, return_dtype=pl.Date)
    )
