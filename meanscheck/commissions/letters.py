"""Who stands in which list, for which department, and for which time is he asked about?

One letter is one feed, with an institution and a division where requests name them. In it stand the persons of the
requests chosen whose consent covers the feed, the purpose and the day; of a request made here only those it asks about.
The window is what the rules of the programmes applied for look at on the request's days; balances and registers are
asked for as of the reference day (核对基准日).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.commissions.answered import OPEN
from meanscheck.contracts import all_feeds
from meanscheck.contracts.units import CaseUnit
from meanscheck.errors import StoreError
from meanscheck.evidence.coverage import CONSENT_REACHES, is_office
from meanscheck.law.needs import trees_read
from meanscheck.law.plain import PlainRun, windows_in
from meanscheck.law.plain_rows import At
from meanscheck.law.tree import Node
from meanscheck.values.dates import month_number, month_start, window_of

if TYPE_CHECKING:
    from meanscheck.evidence import Store
    from meanscheck.law.law import Law

_DATED = ["feed", "requested", "applied_on", "reference_day"]
"""What the window of a letter's line follows from."""


def listed(
    store: Store,
    *,
    on: date,
    law: Law,
    requests: Sequence[str] = (),
    feeds: Collection[str] = (),
    sender: str = "",
    again: bool = False,
) -> pl.DataFrame:
    """Every person of every letter.

    Args:
        store: the evidence store.
        on: the day of the letters; consents must cover it.
        law: whose rules say for which time is asked.
        requests: numbers; all that are not over unless given (see `answered`).
        feeds: names; all unless given.
        sender: only feeds of that sender, or that institution's letters.
        again: also what was sent before.

    Returns:
        feed, institution, division String · request Int64 · request_no String · person Int64 · id_type, id_number,
        name, purpose, consent_no String · reference_day, window_from, window_to Date (null: not for a window), by
        feed, institution, division, request number and place in the application.

    Raises:
        StoreError: the store does not know a request.
    """
    known = all_feeds()
    chosen = [name for name, contract in known.items() if not is_office(contract) and (not feeds or name in feeds)]
    senders = pl.DataFrame(
        {"feed": chosen, "is_theirs": [not sender or sender in known[f].senders for f in chosen]},
        schema={"feed": pl.String, "is_theirs": pl.Boolean},
    )
    numbers = pl.DataFrame({"request_no": sorted(set(requests))}, schema={"request_no": pl.String})
    with store.frame("chosen", senders), store.frame("numbers", numbers):
        lacking = store.value("select count(*) from numbers anti join requests using (request_no)")
        if lacking:
            raise StoreError(f"the store does not know {lacking} of the {numbers.height} requests named")
        which = "semi join numbers using (request_no)" if requests else ""
        live = "" if requests else f"where {OPEN}"
        theirs = "" if not sender else "and (h.is_theirs or a.institution = ?)"
        sent = (
            ""
            if again
            else """anti join (
              select p.request, p.person, x.feed, x.institution, x.division from exports x
              join export_persons p using (export)) s
              on s.request = w.request and s.person = w.person and s.feed = w.feed
              and s.institution is not distinct from w.institution and s.division is not distinct from w.division"""
        )
        found = store.fetch(
            f"""with q as (select q.* from requests q {which} {live}),
            w as (
              select a.feed, a.institution, a.division, q.request, q.request_no, q.purpose, q.applied_on, q.requested,
                coalesce(q.reference_day, date '{on}') as reference_day, up.person, min(up.position) as position,
                any_value(up.name) as name
              from q join asks a on a.ask = q.ask join chosen h on h.feed = a.feed {theirs}
              join unit_persons up on up.request = q.request
              where (not exists (select 1 from made_requests m where m.request_no = q.request_no)
                  or exists (select 1 from asked_of o
                    where o.request_no = q.request_no and o.person = up.person and o.feed = a.feed))
                and not exists (select 1 from requests l join asked_of o on o.request_no = l.request_no
                  where l.case_id = q.case_id and l.load > q.load and o.person = up.person and o.feed = a.feed)
              group by all),
            covered as (
              select k.person, k.feed, k.purpose, min(c.consent_no) as consent_no
              from (select distinct person, feed, purpose from w) k
              join consents c on c.person = k.person and c.superseded_by is null,
              (select date '{on}' as answered_on) d, lateral (select k.feed as feed, d.answered_on as answered_on) b
              where {CONSENT_REACHES} group by all)
            select w.* exclude (position), i.id_type, i.id_number, c.consent_no
            from w join covered c using (person, feed, purpose) join persons i using (person) {sent}
            order by w.feed, w.institution nulls first, w.division nulls first, w.request_no, w.position""",
            [sender] if sender else [],
        )
    return found.join(
        _windows(law, found.select(_DATED).unique(maintain_order=True)), on=_DATED, how="left", maintain_order="left"
    ).drop("applied_on", "requested")


def _windows(law: Law, asked: pl.DataFrame) -> pl.DataFrame:
    """First and last day that a rule of the programmes looks at, for each feed and pair of days; null if none."""
    firsts: list[date | None] = []
    lasts: list[date | None] = []
    parts: dict[str, Mapping[str, Collection[Node]]] = {}
    for feed, requested, applied_on, reference_day in asked.iter_rows():
        if requested not in parts:
            parts[requested] = window_parts(law, tuple(filter(None, requested.split(","))))
        of_feed = parts[requested].get(feed, ())
        found = asked_window(law, of_feed, applied_on=applied_on, reference_day=reference_day)
        firsts.append(None if found is None else found[0])
        lasts.append(None if found is None else found[1])
    return asked.with_columns(window_from=pl.Series(firsts, dtype=pl.Date), window_to=pl.Series(lasts, dtype=pl.Date))


def window_parts(law: Law, programmes: Collection[str]) -> Mapping[str, Collection[Node]]:
    """Feed → the windows that a rule of these programmes (all if none is named) looks at and that do not depend on the
    person."""
    found: dict[str, set[Node]] = {}
    for tree in trees_read(law, programmes):
        for node in tree.walk():
            if node.op == "agg":
                shared = (p for p in windows_in(node) if all(n.level in ("const", "household") for n in p.nodes[1:]))
                found.setdefault(str(node.args[1]), set()).update(shared)
    return found


def asked_window(
    law: Law, parts: Collection[Node], *, applied_on: date, reference_day: date
) -> tuple[date, date] | None:
    """First and last day of the widest of some windows on the days of a request; None if there is none."""
    run = PlainRun(law, CaseUnit("", {"applied_on": applied_on, "reference_day": reference_day}, ()))
    days: list[tuple[date, date]] = []
    for part in parts:
        values = [run.value(n, At(None)) for n in part.nodes[1:]]
        if part.op == "within" and isinstance(values[0], int) and isinstance(values[1], date):
            days.append(window_of(values[0], values[1]))
        elif part.op == "same_year" and isinstance(values[0], date):
            days.append((date(values[0].year, 1, 1), month_start(month_number(values[0]))))
    if not days:
        return None
    return min(first for first, _ in days), date.fromordinal(max(after for _, after in days).toordinal() - 1)
