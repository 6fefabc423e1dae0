"""What is known about a person in a feed: answered, or which kind of unknown, and for which window of time?

An answer (batch) reaches a person if it came after the request, if its manifest means the request, names him not among
those it did not answer for, none of his rows was quarantined, and, for balances, its as-of day is not after the
reference day. It may be read if the feed is the office's own or a consent covers feed, purpose and the day of the
answer and has not been withdrawn by then or by `on`. An answer whose place was taken no longer reaches anybody, and
amendments and withdrawals never do (see `corrections`). Each institution and each division asked for must be reached by
such an answer; windows of one institution are joined where they touch, the windows of several are intersected. The
worse state wins (`EvidenceState`); `stale` depends on the law's freshness and is not decided here.

    p_states   term INTEGER · feed · state UTINYINT · covers_from, covers_to, as_of DATE; no row: not requested
    p_open     feed · term · batch: answers that a person of that term allows to be read, of feeds that need consent;
               a row of any other answer is read by nobody, whoever put it into the store
    p_again    feed · term · of_batch · of_row_no: rows of other answers that such an answer brought again

A person without a number cannot be asked about by departments: for him their feeds are not requested, and say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import FeedContract, all_feeds
from meanscheck.evidence.clocks import live_sql
from meanscheck.evidence.twins import make_twins
from meanscheck.values.evidence_state import EvidenceState

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

_FIRST, _LAST = "date '0001-01-01'", "date '9999-12-31'"
CONSENT_REACHES = """
    (c.feeds = '*' or list_contains(string_split(c.feeds, ','), b.feed)) and c.purpose in (k.purpose, 'social_relief')
    and (c."from" is null or c."from" <= b.answered_on) and (c."to" is null or c."to" >= b.answered_on)
    and (c.withdrawn_on is null or c.withdrawn_on > b.answered_on)
"""
"""Whether a consent `c` given for purpose `k.purpose` (social_relief is the general one) covers the answer `b`."""


def is_office(contract: FeedContract) -> bool:
    """Whether the office keeps the feed itself, so that no consent is needed to read it."""
    return contract.authorisation == "office"


def is_balance(contract: FeedContract) -> bool:
    """Whether only the latest row not after the reference day counts."""
    return bool(contract.latest_by) or contract.basis == "as_of"


def make_states(store: Store, feeds: Sequence[str], *, mark: int, on: date) -> None:
    """Fill ``p_states`` from ``p_terms`` (see `people`) for the feeds named."""
    contracts = all_feeds()
    traits = pl.DataFrame(
        {
            "feed": list(feeds),
            "office": [is_office(contracts[f]) for f in feeds],
            "balance": [is_balance(contracts[f]) for f in feeds],
        },
        schema={"feed": pl.String, "office": pl.Boolean, "balance": pl.Boolean},
    )
    with store.frame("traits", traits):
        for statement in _STATES.split(";\n"):
            store.run(
                statement.format(
                    live=live_sql(mark, since="batch"),
                    mark=mark,
                    on=on,
                    first=_FIRST,
                    last=_LAST,
                    reaches=CONSENT_REACHES,
                    **_CODES,
                )
            )
    make_twins(store, mark=mark)


_CODES = {state.name: int(state) for state in EvidenceState}

_STATES = """
create or replace temp table p_readable as
with k as (
  select distinct consents, purpose, unnest(string_split(consents, ','))::integer as consent
  from p_terms where consents <> '')
select distinct k.consents, k.purpose, b.feed, b.batch
from k join p_consents c on c.consent = k.consent
join batches b on {reaches} and c.first_load < b.batch and (c.withdrawn_on is null or c.withdrawn_on > date '{on}')
where b.batch <= {mark};
create or replace temp table p_states as
with b as (
  select batches.*, t.office, t.balance from batches join traits t on t.feed = batches.feed
  where {live} and how is distinct from 'amend' and how is distinct from 'withdraw'),
k as (select distinct consents, purpose, reference_day from p_terms),
kc as (select k.*, unnest(string_split(k.consents, ','))::integer as consent from k where k.consents <> ''),
readable as (select consents, purpose, batch from p_readable),
consented as (
  select distinct k.consents, k.purpose, k.reference_day, b.feed
  from kc k join p_consents c on c.consent = k.consent
  join (select t.feed, d.reference_day, d.reference_day as answered_on
        from traits t, (select distinct reference_day from k) d) b on b.reference_day = k.reference_day and {reaches}
  where c.withdrawn_on is null or c.withdrawn_on > date '{on}'),
reached as (
  select t.term, b.feed, b.batch, b.institutions, b.divisions, b.covers_from, b.covers_to, b.as_of, b.answered_on,
    b.office or r.batch is not null as readable
  from p_terms t join b on b.batch > case when t.earlier = '' then t.load else coalesce(try_cast(nullif(regexp_extract(
      ',' || t.earlier, ',' || b.feed || '=([0-9]+)', 1), '') as integer), t.load) end
    and (b.all_requests or list_contains(string_split(t.listed, ','), b.batch::varchar))
    and (t.silent = '' or not list_contains(string_split(t.silent, ','), b.batch::varchar))
    and (not b.balance or b.as_of is null or b.as_of <= t.reference_day)
  left join readable r on r.consents = t.consents and r.purpose = t.purpose and r.batch = b.batch),
needed as (
  select t.term, a.feed, a.institution, a.division from p_terms t join asks a on a.ask = t.ask
  join traits on traits.feed = a.feed where t.unnumbered = '' or traits.office
  union all
  select distinct r.term, r.feed, null, null from reached r join traits on traits.feed = r.feed and traits.office
  where not exists (select 1 from p_terms t join asks a on a.ask = t.ask where t.term = r.term and a.feed = r.feed)),
matched as (
  select n.term, n.feed, n.institution, n.division, r.batch, r.readable,
    coalesce(r.covers_from, {first}) as covers_from, coalesce(r.covers_to, {last}) as covers_to,
    coalesce(r.as_of, r.answered_on) as as_of
  from needed n left join reached r on r.term = n.term and r.feed = n.feed
    and (n.institution is null or list_contains(r.institutions, n.institution))
    and (n.division is null or list_contains(r.divisions, n.division))),
islands as (
  select *, sum(is_new) over (partition by term, feed, institution, division order by covers_from, covers_to, batch
      rows unbounded preceding) as island
  from (select *, case when covers_from <= max(covers_to) over (
      partition by term, feed, institution, division order by covers_from, covers_to, batch
      rows between unbounded preceding and 1 preceding) + 1 then 0 else 1 end as is_new
    from matched where readable)),
windows as (
  select term, feed, institution, division, island,
    min(covers_from) as covers_from, max(covers_to) as covers_to, max(as_of) as as_of
  from islands group by term, feed, institution, division, island
  qualify row_number() over (partition by term, feed, institution, division
    order by max(covers_to) desc, min(covers_from)) = 1),
per_need as (
  select m.term, m.feed, m.institution, m.division, w.island is not null as answered,
    bool_or(coalesce(not m.readable, false)) as barred, any_value(w.covers_from) as covers_from,
    any_value(w.covers_to) as covers_to, any_value(w.as_of) as as_of
  from matched m left join windows w on w.term = m.term and w.feed = m.feed
    and w.institution is not distinct from m.institution and w.division is not distinct from m.division
  group by all),
per_feed as (
  select term, feed, bool_and(answered) and max(covers_from) <= min(covers_to) as answered,
    bool_or(barred and not answered) as barred, max(covers_from) as covers_from, min(covers_to) as covers_to,
    min(as_of) as as_of
  from per_need group by term, feed)
select p.term, p.feed,
  case when p.answered and list_contains(string_split(t.contradicted, ','), p.feed) then {CONFLICTING}
    when p.answered then {ANSWERED}
    when traits.office then {NO_ANSWER}
    when p.barred or c.feed is null then {NO_CONSENT}
    else {NO_ANSWER} end::utinyint as state,
  nullif(case when p.answered then p.covers_from end, {first}) as covers_from,
  nullif(case when p.answered then p.covers_to end, {last}) as covers_to,
  case when p.answered then p.as_of end as as_of
from per_feed p join p_terms t on t.term = p.term join traits on traits.feed = p.feed
left join consented c on c.consents = t.consents and c.purpose = t.purpose and c.reference_day = t.reference_day
  and c.feed = p.feed
union all
select distinct t.term, a.feed, {NOT_REQUESTED}::utinyint, null, null, null
from p_terms t join asks a on a.ask = t.ask join traits on traits.feed = a.feed
where t.unnumbered <> '' and not traits.office;
create or replace temp table p_open as
select s.feed, s.term, r.batch from p_states s join p_terms t on t.term = s.term
join p_readable r on r.consents = t.consents and r.purpose = t.purpose and r.feed = s.feed
where s.state not in ({NO_CONSENT}, {NOT_REQUESTED});
create or replace temp table p_again as
-- Pairs of answers first: of nearly all, both may be read or neither, and then no row needs a look.
with pairs as (
  select o.feed, o.term, p.batch, p.of_batch
  from (select distinct batch, of_batch from repeats where batch <= {mark}) p join p_open o on o.batch = p.batch
  anti join p_open own on own.feed = o.feed and own.term = o.term and own.batch = p.of_batch)
select distinct p.feed, p.term, g.of_batch, g.of_row_no
from repeats g join pairs p on p.batch = g.batch and p.of_batch = g.of_batch
anti join (select * from dropped where load <= {mark}) d
  on d.batch = g.batch and d.of_batch = g.of_batch and d.of_row_no = g.of_row_no;
drop table p_readable
"""
