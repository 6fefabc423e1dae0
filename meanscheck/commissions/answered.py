"""By which day was each request answered, bank by bank, and by whose answer is it still not?

One need is a feed, with an institution and a division where the request names them. Whose answer is awaited in a need:
the persons sent to the department, if it was sent; else those whom a request made here asks about; else everybody of
the request. An answer reaches a person as it does in `evidence.coverage`: it came after the request, means it, is of
the institution and division, and does not leave the person out (`not_answered`: said so, or a row of his was
quarantined).

A request that another took the place of stays open for what the later one does not ask again, if the later one only
asked what was missing (`made_requests.is_partial`); otherwise it is over. Feeds of the office itself are not awaited.

Almost nobody is left out of an answer, so the day of an answer is reckoned once for each request and need, and by
person only for those whom some answer leaves out.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import all_feeds
from meanscheck.evidence.coverage import is_office
from meanscheck.evidence.tables import require_process

if TYPE_CHECKING:
    from meanscheck.evidence import Store

_TABLES = ("t_requests", "t_needs", "t_later", "t_letters", "t_awaited", "t_reach")

OPEN = """(q.superseded_by is null or not exists (
  select 1 from requests l left join made_requests p on p.request_no = l.request_no
  where l.case_id = q.case_id and l.load > q.load and not coalesce(p.is_partial, false)))"""
"""SQL: whether a request `q` is not over."""


def answered(store: Store, *, on: date) -> pl.DataFrame:
    """Every open need of every request, as of the end of a day.

    Returns:
        request Int64 · request_no, case_id, purpose, feed, institution, division String · made_on, exported_on Date ·
        persons, answered UInt32 · first_answer_on, answered_on Date (answered_on: since when nobody is left out) ·
        not_answered, quarantined List[String] (ids in the application), by request, feed, institution, division.
    """
    require_process(store)
    try:
        return _answered(store, on)
    finally:
        for table in _TABLES:
            store.run(f"drop table if exists {table}")


def _answered(store: Store, on: date) -> pl.DataFrame:
    feeds = [name for name, contract in all_feeds().items() if not is_office(contract)]
    store.run(
        """create or replace temp table t_requests as
        select q.request, q.load, q.request_no, q.case_id, q.purpose, q.ask, m.made_on,
          q.superseded_by is not null or m.request_no is not null as is_listed
        from requests q left join made_requests m using (request_no) where """
        + OPEN
    )
    with store.frame("awaitable", pl.DataFrame({"feed": feeds}, schema={"feed": pl.String})):
        store.run(
            "create or replace temp table t_needs as "
            "select (row_number() over (order by ask, feed, institution, division))::integer as need, * "
            "from (select distinct ask, feed, institution, division from asks semi join awaitable using (feed))"
        )
    store.run(
        """create or replace temp table t_later as
        select distinct q.request, a.person, a.feed from t_requests q
        join requests l on l.case_id = q.case_id and l.load > q.load
        join asked_of a on a.request_no = l.request_no"""
    )
    store.run(
        f"""create or replace temp table t_letters as
        select distinct p.request, n.need, p.person, min(x.exported_on) over (partition by p.request, n.need) as
          exported_on
        from exports x join export_persons p using (export) join t_requests q on q.request = p.request
        join t_needs n on n.ask = q.ask and n.feed = x.feed and n.institution is not distinct from x.institution
          and n.division is not distinct from x.division
        where x.exported_on <= date '{on}'"""
    )
    store.run(
        """create or replace temp table t_awaited as
        with listed as (
          select q.request, q.ask, a.person, a.feed from t_requests q join asked_of a using (request_no)
          union
          select q.request, q.ask, up.person, n.feed from t_requests q join unit_persons up on up.request = q.request
          join t_needs n on n.ask = q.ask
          where q.is_listed and not exists (select 1 from made_requests m where m.request_no = q.request_no)),
        everybody as (
          select request, need, person from t_letters
          union all
          select l.request, n.need, l.person from listed l join t_needs n on n.ask = l.ask and n.feed = l.feed
          anti join t_letters x on x.request = l.request and x.need = n.need
          union all
          select q.request, n.need, up.person from t_requests q
          join (select distinct request, person from unit_persons) up on up.request = q.request
          join t_needs n on n.ask = q.ask
          anti join t_letters x on x.request = q.request and x.need = n.need
          where not q.is_listed)
        select e.* from everybody e join t_needs n using (need)
        anti join t_later l on l.request = e.request and l.person = e.person and l.feed = n.feed"""
    )
    store.run(
        f"""create or replace temp table t_reach as
        select q.request, n.need, b.batch, b.answered_on from t_requests q join t_needs n on n.ask = q.ask
        join answers b on b.feed = n.feed and b.batch > q.load and b.answered_on <= date '{on}'
          and (n.institution is null or list_contains(b.institutions, n.institution))
          and (n.division is null or list_contains(b.divisions, n.division))
        where b.all_requests or exists (
          select 1 from batch_requests r join requests o on o.request_no = r.request_no
          where r.batch = b.batch and o.case_id = q.case_id)"""
    )
    return store.fetch(_RESULT)


_RESULT = """
with counted as (select request, need, count(*) as persons from t_awaited group by all),
first as (select request, need, min(answered_on) as first_on from t_reach group by all),
-- Only those whom some answer leaves out.
apart as (
  select a.request, a.need, a.person, min(r.answered_on) filter (where s.batch is null) as own_on,
    bool_or(coalesce(s.is_quarantined, false)) as is_quarantined
  from t_awaited a
  join t_reach r on r.request = a.request and r.need = a.need
  left join (select batch, person, bool_or(reason = 'quarantined') as is_quarantined
      from not_answered where superseded_by is null group by all) s
    on s.batch = r.batch and s.person = a.person
  where a.person in (select person from not_answered where superseded_by is null)
  group by all having count(s.batch) > 0),
named as (select request, person, min(id) as id from unit_persons group by all),
aside as (
  select request, need, count(*) as apart, count(*) filter (where own_on is null) as silent, max(own_on) as last_on,
    list_sort(list(id) filter (where own_on is null and not is_quarantined)) as not_answered,
    list_sort(list(id) filter (where own_on is null and is_quarantined)) as quarantined
  from apart left join named using (request, person) group by all),
sent as (select request, need, min(exported_on) as exported_on from t_letters group by all)
select q.request, q.request_no, q.case_id, q.purpose, n.feed, n.institution, n.division, q.made_on, s.exported_on,
  c.persons::uinteger as persons,
  (case when f.first_on is null then 0 else c.persons - coalesce(a.silent, 0) end)::uinteger as answered,
  case when coalesce(a.apart, 0) < c.persons then f.first_on else first_of.own_on end as first_answer_on,
  case when f.first_on is null or coalesce(a.silent, 0) > 0 then null
    when coalesce(a.apart, 0) = c.persons then a.last_on
    else greatest(f.first_on, coalesce(a.last_on, f.first_on)) end as answered_on,
  coalesce(a.not_answered, []::varchar[]) as not_answered, coalesce(a.quarantined, []::varchar[]) as quarantined
from counted c join t_requests q using (request) join t_needs n using (need)
left join first f on f.request = c.request and f.need = c.need
left join aside a on a.request = c.request and a.need = c.need
left join sent s on s.request = c.request and s.need = c.need
left join (select request, need, min(own_on) as own_on from apart group by all) first_of
  on first_of.request = c.request and first_of.need = c.need
order by q.request_no, n.feed, n.institution nulls first, n.division nulls first
"""
