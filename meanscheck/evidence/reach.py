"""Whom does an answer reach: who was asked about in its feed, and whose consent covers it?

Asked about is who belongs to a live request (that the manifest means) which asks for the feed, or, for a feed of the
office, to any. Covered is he of them whose consent covers the feed, a purpose of these requests and the day of the
answer; feeds of the office and answers without a manifest need none. A person who goes by several numbers (see
`links`) is asked about and consents under each; a consent that lapsed with a change of the household (see `resigning`)
counts for nothing in that request.

Most persons share their terms (what is asked, for which purpose, since which load, under which consents), so terms are
numbered once and asked once each (see `people`, which does the same for a snapshot). Tables kept for as long as
requests and consents stay as they are:

    k_members   person BIGINT · request BIGINT · term INTEGER, of live requests · is_one: there once, as most
    k_terms     term INTEGER · ask · purpose · load · consents (numbers of k_consents, with commas)
    k_consents  distinct terms of live consents, numbered

and for as long as answers of the same feed, day and requests follow one another:

    i_asked     person BIGINT · load INTEGER since when he is asked about, null: not covered · given UBIGINT, a mark of
                the consents that cover the answer
    i_covered   a view of those whose rows may be kept
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import polars as pl

from meanscheck.contracts import FeedContract
from meanscheck.evidence.coverage import CONSENT_REACHES, is_office
from meanscheck.evidence.manifest import Manifest
from meanscheck.evidence.merging import make_same, spread
from meanscheck.evidence.resigning import make_lapses

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store


@dataclass(frozen=True, slots=True)
class Reach:
    """How many persons an answer covers, and a mark of who they are and since when; equal reach, equal mark."""

    covered: int
    mark: int


@dataclass(slots=True)
class _Kept:
    """What the temporary tables of a store stand for. A table made in a transaction may vanish, so is not kept."""

    state: str | None = None
    answer: tuple[object, ...] | None = None
    reach: Reach = Reach(0, 0)


_KEPT: WeakKeyDictionary[Store, _Kept] = WeakKeyDictionary()


def reach_of(store: Store, contract: FeedContract, answer: Manifest | None) -> Reach:
    """Fill ``i_asked`` for an answer; cheap for another answer of the same feed, day and requests.

    Called before the transaction of the answer, so that what it makes outlives a file that is refused.
    """
    kept = _KEPT.setdefault(store, _Kept())
    state = _state(store)
    if kept.state != state:
        kept.state = kept.answer = None
        _make_terms(store)
    office = is_office(contract)
    listed = None if answer is None else answer.listed
    asked = (None if office else contract.name, None if office or answer is None else answer.answered_on, listed)
    if kept.answer != asked:
        kept.answer = None
        _make_asked(store, contract, answer, listed)
        number, mark = store.fetch(
            "select count(*) as n, coalesce(bit_xor(hash(person, load, given)), 0) as mark from i_covered"
        ).row(0)
        kept.reach = Reach(int(number), int(mark))
    if not store.in_transaction:
        kept.state, kept.answer = state, asked
    return kept.reach


def _state(store: Store) -> str:
    """What requests and consents stand at: every change of them takes a load number, and so does every batch."""
    return str(
        store.value(
            """select concat_ws(' ',
              (select value::bigint from meta where key = 'load') - (select count(*) from batches),
              (select count(*) from requests), (select count(*) from unit_persons), (select count(*) from consents))"""
        )
    )


def _make_terms(store: Store) -> None:
    is_linked, lapses = make_same(store), make_lapses(store)
    consents = spread("consents", is_linked=is_linked)
    store.run(
        "create or replace temp table k_consents as select row_number() over ()::integer as consent, * from "
        '(select distinct feeds, purpose, "from", "to", withdrawn_on, first_load from consents '
        "where superseded_by is null)"
    )
    others = ""
    if is_linked:
        others = (
            "union select s.other, m.whose, m.request, m.ask, m.purpose, greatest(m.load, s.since) from members m "
            "join p_same s on s.person = m.person where s.other <> s.person"
        )
    store.run(
        f"""create or replace temp table k_members as
        with given as materialized (
          select c.person, k.consent, c.consent_no
          from {consents} c join k_consents k on c.feeds = k.feeds and c.purpose = k.purpose
            and c."from" is not distinct from k."from" and c."to" is not distinct from k."to"
            and c.withdrawn_on is not distinct from k.withdrawn_on and c.first_load = k.first_load
          where c.superseded_by is null),
        how_many as materialized (
          select person, count(*) as n, any_value(consent) as one from given group by person),
        -- As in `people`: texts are joined only for those who gave several.
        consented as (
          select person, one::varchar as consents from how_many where n = 1
          union all
          select person, string_agg(distinct consent::varchar, ',' order by consent::varchar)
          from given where person in (select person from how_many where n > 1) group by person),
        resigned as ({_RESIGNED if lapses else _NOBODY_RESIGNED}),
        first as (
          select up.person, q.ask, min(q.load) as load
          from requests q join unit_persons up on up.request = q.request group by up.person, q.ask),
        members as (
          select up.person, up.person as whose, u.request, u.ask, u.purpose, f.load
          from units u join unit_persons up on up.request = u.request
          join first f on f.person = up.person and f.ask = u.ask)
        select m.person, m.request, m.ask, m.purpose, m.load,
          coalesce(case when r.whose is not null then r.consents else c.consents end, '') as consents
        from (select * from members {others}) m
        left join consented c on c.person = m.person
        left join resigned r on r.request = m.request and r.whose = m.whose"""
    )
    store.run(
        "create or replace temp table k_terms as select row_number() over ()::integer as term, * "
        "from (select distinct ask, purpose, load, consents from k_members)"
    )
    store.run(
        "create or replace temp table k_members as "
        "with several as (select person from k_members group by person having count(*) > 1) "
        "select m.person, m.request, t.term, s.person is null as is_one from k_members m "
        "join k_terms t using (ask, purpose, load, consents) left join several s on s.person = m.person"
    )


_RESIGNED = """
          select w.request, w.person as whose, string_agg(distinct g.consent::varchar, ',' order by g.consent::varchar)
            as consents
          from (select distinct request, person from p_lapsed) w
          left join (
            select l.request, g.person, g.consent
            from (select distinct request, person from p_lapsed) l join given g on g.person = l.person
            anti join p_lapsed p on p.request = l.request and p.person = g.person and p.consent_no = g.consent_no) g
          on g.request = w.request and g.person = w.person
          group by w.request, w.person"""
_NOBODY_RESIGNED = "select null::bigint as request, null::bigint as whose, null::varchar as consents where false"


def _make_asked(store: Store, contract: FeedContract, answer: Manifest | None, listed: tuple[str, ...] | None) -> None:
    office = is_office(contract)
    asked = "" if office else f"where k.ask in (select ask from asks where feed = '{contract.name}')"
    some = ""
    if listed is not None:
        some = (
            "where m.request in (select request from units where case_id in "
            "(select case_id from requests semi join listed using (request_no)))"
        )
    given = "0"
    if not office and answer is not None:
        given = (
            '(select bit_xor(hash(c.feeds, c.purpose, c."from", c."to", c.withdrawn_on, c.first_load)) '
            f"from k_consents c, (select date '{answer.answered_on}' as answered_on, '{contract.name}' as feed) b "
            f"where list_contains(string_split(k.consents, ','), c.consent::varchar) and {CONSENT_REACHES})"
        )
    # Distinct: what two requests of one person have in common would cancel out, and a change of it not be seen.
    with store.frame("listed", pl.DataFrame({"request_no": listed or ()}, schema={"request_no": pl.String})):
        store.run(
            f"""create or replace temp table i_asked as
            with given as (select k.term, k.load, {given} as given from k_terms k {asked}),
            reached as (
              select term, case when given is not null then load end as load, given::ubigint as given from given),
            members as (
              select m.person, m.is_one, r.load, r.given from k_members m join reached r using (term) {some})
            select person, load, coalesce(given, 0) as given from members where is_one
            union all
            select person, min(load), coalesce(bit_xor(distinct given), 0)
            from members where not is_one group by person"""
        )
    store.run("create or replace temp view i_covered as select person, load, given from i_asked where load is not null")
