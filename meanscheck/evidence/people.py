"""Who is in which case unit, and on what terms may his evidence be read?

Temporary tables made here, for a snapshot (a load number) and a day `on`, for all cases or some:

    p_units     unit BIGINT (0, 1, … in the order of case_id) and the columns of `requests`
    p_people    place BIGINT (0, 1, … in the order of unit and position) · unit · position · role · person · the member
                attributes · reference_day · term INTEGER
    p_consents  distinct consent terms of this snapshot, numbered
    p_terms     term INTEGER (0, 1, …) and its parts

A term sums up everything on which the evidence states of a person depend: what the request asks for, its purpose,
reference day, the load number since when he is asked about for these feeds (and since when for some of them, if an
earlier request asked the same of them), the consents (those that need not be signed again, see `resigning`), the
batches whose manifest lists the case, the batches that did not answer for this person, the feeds in which he was
contradicted, and whether he has no number to be asked about by. Linked numbers are one person's in all of it (see
`merging`, which also makes ``p_read``). A county has few distinct terms, so states are
computed once for each (see `coverage`) and never per person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from meanscheck.evidence import merging
from meanscheck.evidence.clocks import live_sql, withdrawn_sql
from meanscheck.evidence.resigning import make_lapses
from meanscheck.evidence.tables import MEMBER_COLUMNS
from meanscheck.evidence.twins import find_contradictions
from meanscheck.values.documents import NONE

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

TEMPORARY = (
    "p_units",
    "p_ours",
    "p_raw",
    "p_people",
    "p_consents",
    "p_terms",
    "p_open",
    "p_again",
    "p_states",
    "p_verdicts",
    "p_named",
    "p_lapsed",
    *merging.TEMPORARY,
)


def make_people(store: Store, *, mark: int, on: date, only_wanted: bool = False, heeds: int | None = None) -> None:
    """Fill the temporary tables; with `only_wanted`, for the cases in the registered frame ``wanted`` (case_id).

    With `heeds`, consents are taken as withdrawn that were after `mark` and up to that load (see `snapshot`).
    """
    wanted = "and case_id in (select case_id from wanted)" if only_wanted else ""
    live = live_sql(mark)
    store.run(
        f"create or replace temp table p_units as select (row_number() over (order by case_id) - 1)::bigint as unit, * "
        f"from requests where {live} {wanted}"
    )
    is_linked = merging.make_same(store, mark=mark, on=on)
    of_ours = ""
    if only_wanted:
        store.run(
            "create or replace temp table p_ours as with own as materialized ("
            "select distinct up.person from unit_persons up join p_units u on u.request = up.request) "
            "select person from own union select s.other from p_same s semi join own using (person)"
        )
        of_ours = "and person in (select person from p_ours)"
    find_contradictions(store, mark=mark, is_linked=is_linked)
    lapses = make_lapses(store, mark=mark)
    given = "consents"
    if heeds is not None:
        given = (
            "(select c.* replace (coalesce(c.withdrawn_on, w.withdrawn_on) as withdrawn_on) from consents c "
            f"left join ({withdrawn_sql(mark, heeds)}) w using (consent_no))"
        )
    consents, silent, conflicts = (
        merging.spread(table, is_linked=is_linked) for table in (given, "not_answered", "conflicts")
    )
    store.run(
        "create or replace temp table p_consents as select row_number() over ()::integer as consent, * from "
        f'(select distinct feeds, purpose, "from", "to", withdrawn_on, first_load from {given} g '
        f"where {live} {of_ours})"
    )
    attributes = ", ".join(f"up.{name}" for name in MEMBER_COLUMNS)
    has = _has(store, is_linked=is_linked) if only_wanted else _Has()
    silent_sql = f"""
          select person, string_agg(distinct batch::varchar, ',' order by batch::varchar) as silent
          from {silent} n where {live} {of_ours} group by person"""
    contradicted_sql = f"""
          select person, string_agg(distinct feed, ',' order by feed) as contradicted
          from (select person, feed from {conflicts} n where {live_sql(mark, since="batch")} {of_ours}
            union all select person, feed from p_at_odds) n group by person"""
    if not has.silent:
        silent_sql = "select null::bigint as person, null::varchar as silent where false"
    if not has.contradicted:
        contradicted_sql = "select null::bigint as person, null::varchar as contradicted where false"
    store.run(
        f"""
        create or replace temp table p_raw as
        with given as materialized (
          select c.person, p.consent{", c.consent_no" if lapses else ""}
          from {consents} c join p_consents p on c.feeds = p.feeds and c.purpose = p.purpose
            and c."from" is not distinct from p."from" and c."to" is not distinct from p."to"
            and c.withdrawn_on is not distinct from p.withdrawn_on and c.first_load = p.first_load
          where {live_sql(mark, alias="c")} {of_ours}),
        how_many as materialized (select person, count(*) as n, min(consent) as one from given group by person),
        -- Nearly everybody gave one consent; texts are joined for the others only, since joining them cannot spill.
        consented as (
          select person, one::varchar as consents from how_many where n = 1
          union all
          select person, string_agg(consent::varchar, ',' order by consent)
          from given where person in (select person from how_many where n > 1) group by person),
        -- Consents that a change of members or a new application has made insufficient count for the others only.
        resigned as ({_RESIGNED if lapses else _NOBODY_RESIGNED}),
        {_LISTED.format(mark=mark) if has.listed else _NOBODY_LISTED},
        asked as (
          select up.person, q.ask, min(q.load) as load
          from unit_persons up join requests q on q.request = up.request where q.load <= {mark} {of_ours}
          group by up.person, q.ask),
        -- Of a linked person every number must have been asked about; a link asks about the others from its load on.
        linked as ({_LINKED if is_linked else _NOBODY_LINKED}),
        unnumbered as materialized ({_UNNUMBERED if has.unnumbered else _NOBODY_UNNUMBERED}),
        {_EARLIER.format(mark=mark) if has.several else _NOBODY_EARLIER},
        silent as ({silent_sql}),
        contradicted as ({contradicted_sql})
        select (row_number() over (order by u.unit, up.position) - 1)::bigint as place, u.unit,
          up.position, up.role, up.person, {attributes}, up.supports,
          coalesce(u.reference_day, date '{on}') as reference_day,
          concat_ws('|', u.ask, u.purpose, coalesce(u.reference_day, date '{on}'),
            coalesce(greatest(a.load, k.load), a.load),
            coalesce(case when r.person is not null then r.consents else c.consents end, ''),
            coalesce(l.listed, ''), coalesce(s.silent, ''), coalesce(x.contradicted, ''),
            case when up.person in (select person from unnumbered) then '1' else '' end,
            coalesce(e.earlier, '')) as terms
        from p_units u join unit_persons up on up.request = u.request
        join asked a on a.person = up.person and a.ask = u.ask
        left join linked k on k.person = up.person and k.ask = u.ask
        left join consented c on c.person = up.person
        left join resigned r on r.request = up.request and r.person = up.person
        left join listed l on l.case_id = u.case_id
        left join earlier e on e.person = up.person and e.ask = u.ask
        left join silent s on s.person = up.person
        left join contradicted x on x.person = up.person
        """
    )
    parts = ("ask", "purpose", "reference_day", "load", "consents", "listed", "silent", "contradicted")
    cells = ", ".join(
        f"split_part(terms, '|', {i}) as {name}" for i, name in enumerate((*parts, "unnumbered", "earlier"), 1)
    )
    store.run(
        "create or replace temp table p_terms as select (row_number() over (order by terms) - 1)::integer as term, "
        "* replace (ask::integer as ask, reference_day::date as reference_day, load::integer as load) from "
        f"(select terms, {cells} from (select distinct terms from p_raw))"
    )
    store.run(
        "create or replace temp table p_people as select p.* exclude (terms), t.term "
        "from p_raw p join p_terms t on t.terms = p.terms order by p.place"
    )
    store.run("drop table p_raw")
    merging.make_reads(store, is_linked=is_linked)


_RESIGNED = """
          select w.request, w.person, string_agg(g.consent::varchar, ',' order by g.consent) as consents
          from (select distinct request, person from p_lapsed) w
          left join (select g.person, g.consent, l.request from given g join p_lapsed l on l.person = g.person
              group by g.person, g.consent, l.request, g.consent_no
              having not bool_or(l.consent_no = g.consent_no)) g on g.person = w.person and g.request = w.request
          group by w.request, w.person"""
_NOBODY_RESIGNED = "select null::bigint as request, null::bigint as person, null::varchar as consents where false"


_LISTED = """
        -- Manifests name a case by its lists: the same few for nearly everybody.
        lists as materialized (
          select q.case_id, string_agg(distinct l.listing::varchar, ',' order by l.listing::varchar) as lists
          from listed_requests l join requests q on q.request_no = l.request_no
          where q.case_id in (select case_id from p_units) group by q.case_id),
        listed as (
          select l.case_id, t.listed from lists l join (
            select lists, string_agg(distinct batch::varchar, ',' order by batch::varchar) as listed
            from (select distinct lists, unnest(string_split(lists, ','))::integer as listing from lists)
            join batch_listings using (listing) where batch <= {mark} group by lists) t using (lists))"""
_NOBODY_LISTED = "listed as (select null::varchar as case_id, null::varchar as listed where false)"
_LINKED = """
          select s.person, a.ask, max(least(coalesce(x.load, s.since), s.since)) as load
          from p_same s join asked a on a.person = s.person left join asked x on x.person = s.other and x.ask = a.ask
          where s.other <> s.person group by s.person, a.ask"""
_NOBODY_LINKED = "select null::bigint as person, null::integer as ask, null::integer as load where false"
_UNNUMBERED = f"""
          select person from persons n where id_type = '{NONE}' and not exists (select 1 from p_same s
            join persons o on o.person = s.other where s.person = n.person and o.id_type <> '{NONE}')"""
_NOBODY_UNNUMBERED = "select null::bigint as person where false"
_EARLIER = """
        -- A later request may ask for other feeds besides: what it asks in the same words was asked since the first.
        parts as materialized (
          select ask, part, split_part(part, ';', 1) as feed, count(*) over (partition by ask, split_part(part, ';', 1))
            as n from (select ask, unnest(string_split(spec, '|')) as part from ask_texts)),
        several as materialized (
          select up.person, q.ask, min(q.load) as load from unit_persons up join requests q on q.request = up.request
          where q.load <= {mark} and up.person in (select person from asked group by person having count(*) > 1)
          group by up.person, q.ask),
        since as (
          select person, ask, feed, max(load) as load from (
            select s.person, n.ask, n.feed, n.part, n.n, min(s.load) as load
            from several s join parts o on o.ask = s.ask join parts n on n.part = o.part
            where n.ask in (select ask from p_units) group by all)
          group by person, ask, feed, n having count(*) = n),
        earlier as (
          select c.person, c.ask, string_agg(c.feed || '=' || c.load, ',' order by c.feed) as earlier
          from since c join asked a on a.person = c.person and a.ask = c.ask and c.load < a.load
          group by c.person, c.ask)"""
_NOBODY_EARLIER = """earlier as (
          select null::bigint as person, null::integer as ask, null::varchar as earlier where false)"""


@dataclass(frozen=True, slots=True)
class _Has:
    """Which exceptions there may be among the people at hand; what there is not is left out of the statement."""

    listed: bool = True
    unnumbered: bool = True
    several: bool = True
    silent: bool = True
    contradicted: bool = True


def _has(store: Store, *, is_linked: bool) -> _Has:
    """Of those in ``p_units`` and ``p_ours``. It looks at all loads: what is looked for in vain costs time only."""
    if is_linked:
        return _Has()
    ours = "person in (select person from p_ours)"
    found = store.fetch(
        f"""select exists (select 1 from listed_requests l join requests q on q.request_no = l.request_no
            where q.case_id in (select case_id from p_units)) as listed,
          exists (select 1 from persons where id_type = '{NONE}' and {ours}) as unnumbered,
          exists (select 1 from unit_persons up join requests q on q.request = up.request where up.{ours}
            group by up.person having count(distinct q.ask) > 1) as several,
          exists (select 1 from not_answered where {ours}) as silent,
          exists (select 1 from conflicts where {ours}) as contradicted"""
    )
    return _Has(**found.row(0, named=True))


def drop_people(store: Store) -> None:
    """Drop the temporary tables: they hold personal data and memory."""
    store.run("; ".join(["drop view if exists p_read", *(f"drop table if exists {table}" for table in TEMPORARY)]))
