"""What does the store hold of a household? All of it, for the person concerned to see (个人信息保护法 art. 45).

Requests in all their versions, people with identity and attributes, consents, every row of every feed with who sent it,
when, in which file and line, and whether it still counts, and every row that could not be read. Supporters and other
people of the register are left out unless they are named: each may ask for his own.

This is the one place whose result holds all that is known of a person; its repr shows nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from meanscheck.contracts import Column, all_feeds
from meanscheck.errors import StoreError
from meanscheck.evidence.digests import SHORT_ID
from meanscheck.evidence.tables import MEMBER_COLUMNS, stored_columns
from meanscheck.values.money import format_yuan
from meanscheck.values.sql import quoted

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

_AREA = 10_000
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class HouseholdFile:
    """All that the store holds of some people of a case.

    requests: request_no, application_no, case_id, accepting_place String · applied_on, reference_day Date · purpose,
        residence, division, programmes String · load Int32 · superseded Boolean, by load.
    people: id, role, id_type, id_number, name String and the member attributes.
    consents: id, consent_no, feeds, purpose String · from, to, withdrawn_on Date · signed_by String · load Int32 ·
        superseded Boolean.
    rows: feed → id String, the feed's columns in stored units, source_sender String, source_answered_on Date,
        source_batch, source_file String, source_line Int64, still_counts Boolean (false: another answer took its
        place).
    unread: id, feed, file String, line Int64, field, reason, raw String.
    """

    case_id: str
    requests: pl.DataFrame = field(repr=False)
    people: pl.DataFrame = field(repr=False)
    consents: pl.DataFrame = field(repr=False)
    rows: Mapping[str, pl.DataFrame] = field(repr=False)
    unread: pl.DataFrame = field(repr=False)

    def __repr__(self) -> str:
        return f"HouseholdFile({self.people.height} people, {sum(r.height for r in self.rows.values())} rows)"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; amounts as yuan text, areas as m² text, days as ISO dates."""
        return {
            "case": self.case_id,
            "requests": _plain(self.requests),
            "people": _plain(self.people),
            "consents": _plain(self.consents),
            "rows": {feed: _plain(frame, stored_columns(all_feeds()[feed])) for feed, frame in self.rows.items()},
            "unread": _plain(self.unread),
        }


def household_file(store: Store, case_id: str, *, members: Collection[str] | None = None) -> HouseholdFile:
    """All that the store holds of a case's members.

    Args:
        store: the evidence store.
        case_id: the case.
        members: ids of whom to show (supporters too, if named); the members of the application unless given.

    Raises:
        StoreError: the store does not know the case, or nobody of that id is in it.
    """
    whom = "up.role = 'member'" if members is None else "up.id in (select id from named)"
    named = pl.DataFrame({"id": sorted(members or ())}, schema={"id": pl.String})
    with store.frame("named", named):
        store.run(
            "create or replace temp table h_people as select up.*, r.load from unit_persons up join requests r "
            f"on r.request = up.request where r.case_id = ? and {whom} "
            "qualify row_number() over (partition by up.person order by r.load desc) = 1",
            [case_id],
        )
    try:
        found = set(store.fetch("select id from h_people")["id"].to_list())
        if not found or (members is not None and found != set(members)):
            raise StoreError("the store does not know that case, or nobody of that id is in it")
        people = ", ".join(f"h.{name}" for name in MEMBER_COLUMNS if name != "id")
        return HouseholdFile(
            case_id=case_id,
            requests=store.fetch(
                "select request_no, application_no, case_id, accepting_place, applied_on, reference_day, purpose, "
                "residence, division, requested as programmes, load, superseded_by is not null as superseded "
                "from requests where case_id = ? order by load",
                [case_id],
            ),
            people=store.fetch(
                f"select h.id, h.role, i.id_type, i.id_number, h.name, {people} from h_people h "
                "join persons i using (person) order by h.position"
            ),
            consents=store.fetch(
                'select h.id, c.consent_no, c.feeds, c.purpose, c."from", c."to", c.withdrawn_on, c.signed_by, c.load, '
                "c.superseded_by is not null as superseded from consents c join h_people h using (person) "
                "order by h.position, c.consent_no, c.load"
            ),
            rows={feed: frame for feed in all_feeds() if (frame := _rows(store, feed)).height},
            unread=store.fetch(
                "select h.id, q.feed, q.file, q.row_no as line, q.field, q.reason, q.raw from quarantine q "
                "join h_people h using (person) order by all"
            ),
        )
    finally:
        store.run("drop table if exists h_people")


def _rows(store: Store, feed: str) -> pl.DataFrame:
    names = ", ".join(f"r.{quoted(c.stored_name)}" for c in stored_columns(all_feeds()[feed]))
    return store.fetch(
        f"select h.id, {names}, b.sender as source_sender, b.answered_on as source_answered_on, "
        f"left(b.batch_id, {SHORT_ID}) as source_batch, b.file as source_file, r.row_no as source_line, "
        f"r.superseded_by is null as still_counts from feed_{feed} r "
        "join h_people h using (person) join batches b on b.batch = r.batch order by h.position, r.batch, r.row_no"
    )


def _plain(frame: pl.DataFrame, columns: Collection[Column] = ()) -> list[dict[str, Any]]:
    """Rows as JSON values; amounts, areas and ratios of `columns` as texts in the units that files use."""
    kinds = {column.stored_name: column for column in columns}
    return [
        {
            (kinds[name].name if name in kinds else name): _shown(value, kinds.get(name))
            for name, value in row.items()
            if value is not None
        }
        for row in frame.iter_rows(named=True)
    ]


def _shown(value: object, column: Column | None) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if column is None or not isinstance(value, int):
        return value
    if column.kind == "money":
        return format_yuan(value)
    if column.kind in ("area", "ratio"):
        base = _AREA if column.kind == "area" else _MILLION
        digits = len(str(base)) - 1
        return f"{'-' if value < 0 else ''}{abs(value) // base}.{abs(value) % base:0{digits}d}".rstrip("0").rstrip(".")
    return value
