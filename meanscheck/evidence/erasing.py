"""What is taken out of the store when a household is erased, and what stays?

Gone are the household's requests, its people's identities, consents, rows of every feed, quarantined texts and tokens;
of a person who is in another household's case as well, only the link to this one. What stays says of nobody what he is
or has: how many rows of which answer were erased and when (table `erased`), the answers' manifests, and places of
quarantined rows in their files. Rows and consents of other people stay whole, also where they name a spouse, supporter
or signer by number. A snapshot of before is from then on no longer what it was; `trace.damage` and replay
say "erased" and not "damaged".

The database does not overwrite what it deletes. `rewriting.rewrite` makes the file anew, and only then are the bytes
gone; `meanscheck erase` does both.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from meanscheck.contracts import all_feeds

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

_OF_PERSONS = ("consents", "not_answered", "conflicts", "persons", "subjects", "asked_of", "export_persons")
_OF_REQUESTS = ("listed_requests", "made_requests", "asked_of")


def erase_unit(store: Store, token: str, *, on: date) -> int:
    """Erase the evidence of the unit that a token stands for, and forget the token.

    Args:
        store: the evidence store.
        token: the unit's token in the log.
        on: the day of the erasure.

    Returns:
        How many rows of feeds are gone; 0 as well if no unit has that token (any more).
    """
    case = store.value("select case_id from subjects where token = ? and case_id is not null", [token])
    if case is None:
        return 0
    with store.transaction():
        load = store.next_load()
        store.run("create temp table x_requests as select request, request_no from requests where case_id = ?", [case])
        store.run(
            "create temp table x_persons as select person from unit_persons group by person "
            "having bool_and(request in (select request from x_requests))"
        )
        rows = 0
        for feed in all_feeds():
            gone = f"from feed_{feed} where person in (select person from x_persons)"
            store.run(
                f"insert into erased select {load}, ?, batch, '{feed}', count(*) {gone} group by batch order by batch",
                [on],
            )
            store.run(f"delete {gone}")
        rows = int(store.value("select coalesce(sum(rows), 0) from erased where load = ?", [load]))
        # So that a household of which no department said anything leaves a trace as well.
        store.run("insert into erased values (?, ?, null, null, 0)", [load, on])
        store.run("update quarantine set raw = null, person = null where person in (select person from x_persons)")
        for table in _OF_PERSONS:
            store.run(f"delete from {table} where person in (select person from x_persons)")
        store.run(
            "delete from identity_links where from_person in (select person from x_persons) "
            "or to_person in (select person from x_persons)"
        )
        store.run("delete from subjects where token = ? or case_id = ?", [token, case])
        store.run("delete from unit_persons where request in (select request from x_requests)")
        store.run("delete from export_persons where request in (select request from x_requests)")
        # A list that lacks an erased request is not the one that its digest names.
        store.run(
            "update listings set digest = null where listing in (select listing from listed_requests "
            "where request_no in (select request_no from x_requests))"
        )
        for table in _OF_REQUESTS:
            store.run(f"delete from {table} where request_no in (select request_no from x_requests)")
        store.run("delete from requests where request in (select request from x_requests)")
        store.run("drop table x_requests; drop table x_persons")
    store.drop_projection()
    return rows


def erased_since(store: Store, mark: int) -> bool:
    """Whether anything was erased after a load number."""
    return bool(store.value("select count(*) from erased where load > ?", [mark]))
