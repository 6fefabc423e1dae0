"""Must a consent be signed again because the household changed?

The national texts do not fix how long an authorisation holds (民发〔2021〕57号 art. 9 asks for it and says no more). A
form of 泰州姜堰 says: signed again when members change or on a new application; that is the rule unless the office
states another (`set_rule`, dated and cited). It holds for members of the application, not for those who owe them
support.

Of a case, the latest request whose members differ from the one before, and the latest with another application number,
are its changes. A consent is sufficient after a change if

    * it names a request (`request_no`) that is the changed one or a later one of the same case, or
    * on a new application: it was signed on the day of application or later (`signed_on`, else `from`), or
    * it came after the changed request, and says no earlier day of signing than a new application's.

A request does not say on which day a member came or went, so for a change of members only the order of arrival counts.

    p_lapsed   request · person · consent_no · by_members, by_application BOOLEAN: consents that a change has made
               insufficient, of live requests
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING

from meanscheck.errors import InputError
from meanscheck.evidence.digests import canonical

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

FORM_RULE = "泰州姜堰 居民家庭经济状况核对授权书: 家庭成员变化或重新申请时须重新签署"
"""The one form that was found; no national text says it."""


def set_rule(store: Store, *, on_members: bool, on_application: bool, in_force_on: date, source: str) -> None:
    """State when consents must be signed again here, for requests applied for from `in_force_on` on.

    Raises:
        InputError: no source is given.
    """
    if not source.strip():
        raise InputError("a rule of consent needs its source", where="source", remedy="Name the text and article")
    facts: dict[str, object] = {
        "on_members": on_members,
        "on_application": on_application,
        "in_force_on": in_force_on.isoformat(),
        "source": source.strip(),
    }
    digest = hashlib.sha256(canonical(facts)).digest()[:16]
    with store.transaction():
        if store.value("select count(*) from consent_rules where digest = ?", [digest]):
            return
        store.run(
            "insert into consent_rules values (?, ?, ?, ?, ?, ?)",
            [store.next_load(), in_force_on, on_members, on_application, source.strip(), digest],
        )


def rule_on(store: Store, day: date) -> tuple[bool, bool, str]:
    """Whether a change of members, and a new application, ask for new signatures on a day; and where it is said."""
    found = store.fetch(
        "select on_members, on_application, source from consent_rules where in_force_on <= ? "
        "order by in_force_on desc, load desc limit 1",
        [day],
    )
    return found.row(0) if found.height else (True, True, FORM_RULE)


def make_lapses(store: Store, *, mark: int | None = None) -> bool:
    """Fill ``p_lapsed`` as of a snapshot (now unless given); whether there are any. Needs ``p_same``."""

    def until(alias: str) -> str:
        return "true" if mark is None else f"{alias}load <= {mark}"

    def live(alias: str) -> str:
        later = "" if mark is None else f" or {alias}.superseded_by > {mark}"
        return f"({alias}.superseded_by is null{later})"

    marks = {f"until_{a}": until(f"{a}.") for a in "qrc"} | {f"live_{a}": live(a) for a in "qc"}
    store.run(_LAPSES.format(until=until(""), **marks))
    return bool(store.value("select count(*) from p_lapsed"))


_LAPSES = """
create or replace temp table p_lapsed as
with again as (
  select case_id from requests where {until} group by case_id having count(*) > 1),
people as (
  select up.request, list_sort(list(distinct coalesce(m.main, up.person))) as members
  from requests q semi join again using (case_id) join unit_persons up on up.request = q.request and up.role = 'member'
  left join (select person, min(other) as main from p_same group by person) m on m.person = up.person
  where {until_q} group by up.request),
steps as (
  select q.*, p.members, lag(p.members) over w as members_before, lag(q.application_no) over w as application_before
  from requests q semi join again using (case_id) join people p on p.request = q.request
  where {until_q} window w as (partition by q.case_id order by q.load, q.request)),
ruled as (
  select s.*, coalesce(arg_max(r.on_members, (r.in_force_on, r.load)), true) as on_members,
    coalesce(arg_max(r.on_application, (r.in_force_on, r.load)), true) as on_application
  from steps s left join consent_rules r on {until_r} and r.in_force_on <= s.applied_on group by all),
changes as (
  select case_id,
    max(load) filter (on_members and members_before is not null and members <> members_before) as members_load,
    max(load) filter (on_application and application_before <> application_no) as application_load,
    max(applied_on) filter (on_application and application_before <> application_no) as applied_on
  from ruled group by case_id),
given as (
  select c.person, c.consent_no, c.first_load, c.request_no, coalesce(c.signed_on, c."from") as signed_on
  from consents c where {until_c} and {live_c})
select request, person, consent_no, bool_or(by_members) as by_members, bool_or(by_application) as by_application
from (select q.request, up.person, c.consent_no,
  h.members_load is not null and c.first_load < h.members_load and coalesce(n.load < h.members_load, true)
    as by_members,
  h.application_load is not null and coalesce(n.load < h.application_load, true)
    and (case when c.signed_on is null then c.first_load < h.application_load else c.signed_on < h.applied_on end)
    as by_application
from changes h join requests q on q.case_id = h.case_id and {until_q} and {live_q}
join unit_persons up on up.request = q.request and up.role = 'member'
left join p_same s on s.person = up.person
join given c on c.person = coalesce(s.other, up.person)
left join requests n on n.request_no = c.request_no and n.case_id = h.case_id)
where by_members or by_application group by all
"""
