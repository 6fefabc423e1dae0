"""Who is in which case unit, and on what terms may his evidence be read?

Temporary tables made here, for a snapshot (a load number) and a day `on`, for all cases or some:

    p_units     unit BIGINT (0, 1, … in the order of case_id) and the columns of `requests`
    p_people    place BIGINT (0, 1, … in the order of unit and position) · unit · position · role · person · the member
                attributes · reference_day · term INTEGER
    p_consents  distinct consent terms of this snapshot, numbered
    p_terms     term INTEGER (0, 1, …) and its parts

A term sums up everything on which the evidence states of a person depend: what the request asks for, its purpose,
reference day, the load number since when he is asked about for these feeds, the consents, the batches whose manifest
lists the case, the batches that did not
answer for this person, and the batches in which he was contradicted. A county has few distinct terms, so states are
computed once for each (see `coverage`) and never per person.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from meanscheck.evidence.clocks import live_sql
from meanscheck.evidence.tables import MEMBER_COLUMNS

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

TEMPORARY = ("p_units", "p_raw", "p_people", "p_consents", "p_terms", "p_states", "p_verdicts")


def make_people(store: Store, *, mark: int, on: date, only_wanted: bool = False) -> None:
    """Fill the temporary tables; with `only_wanted`, for the cases in the registered frame ``wanted`` (case_id)."""
    wanted = "and case_id in (select case_id from wanted)" if only_wanted else ""
    live = live_sql(mark)
    store.run(
        f"create or replace temp table p_units as select (row_number() over (order by case_id) - 1)::bigint as unit, * "
        f"from requests where {live} {wanted}"
    )
    of_ours = (
        "and person in (select up.person from unit_persons up join p_units u on u.request = up.request)"
        if only_wanted
        else ""
    )
    store.run(
        "create or replace temp table p_consents as select row_number() over ()::integer as consent, * from "
        f'(select distinct feeds, purpose, "from", "to", withdrawn_on, first_load from consents where {live} {of_ours})'
    )
    attributes = ", ".join(f"up.{name}" for name in MEMBER_COLUMNS)
    store.run(
        f"""
        create or replace temp table p_raw as
        with given as materialized (
          select c.person, p.consent
          from consents c join p_consents p on c.feeds = p.feeds and c.purpose = p.purpose
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
        listed as (
          select q.case_id, string_agg(distinct b.batch::varchar, ',' order by b.batch::varchar) as listed
          from batch_requests b join requests q on q.request_no = b.request_no
          where b.batch <= {mark} and q.case_id in (select case_id from p_units) group by q.case_id),
        asked as (
          select up.person, q.ask, min(q.load) as load
          from unit_persons up join requests q on q.request = up.request where q.load <= {mark} {of_ours}
          group by up.person, q.ask),
        silent as (
          select person, string_agg(distinct batch::varchar, ',' order by batch::varchar) as silent
          from not_answered where {live} {of_ours} group by person),
        contradicted as (
          select person, string_agg(distinct feed, ',' order by feed) as contradicted
          from conflicts where {live_sql(mark, since="batch")} {of_ours} group by person)
        select (row_number() over (order by u.unit, up.position) - 1)::bigint as place, u.unit,
          up.position, up.role, up.person, {attributes}, up.supports,
          coalesce(u.reference_day, date '{on}') as reference_day,
          concat_ws('|', u.ask, u.purpose, coalesce(u.reference_day, date '{on}'), a.load, coalesce(c.consents, ''),
            coalesce(l.listed, ''), coalesce(s.silent, ''), coalesce(x.contradicted, '')) as terms
        from p_units u join unit_persons up on up.request = u.request
        join asked a on a.person = up.person and a.ask = u.ask
        left join consented c on c.person = up.person
        left join listed l on l.case_id = u.case_id
        left join silent s on s.person = up.person
        left join contradicted x on x.person = up.person
        """
    )
    parts = ("ask", "purpose", "reference_day", "load", "consents", "listed", "silent", "contradicted")
    cells = ", ".join(f"split_part(terms, '|', {i}) as {name}" for i, name in enumerate(parts, 1))
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


def drop_people(store: Store) -> None:
    """Drop the temporary tables: they hold personal data and memory."""
    for table in TEMPORARY:
        store.run(f"drop table if exists {table}")
