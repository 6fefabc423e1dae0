"""What was found about the people of one request? The raw material of the verification report (核对报告): no outcome.

For every member and feed: state, window and as-of day; for every counting row: its values, who sent it, where it stands
(file and line), its `row_ref` for a finding, and the finding's verdict if there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import all_feeds
from meanscheck.errors import StoreError
from meanscheck.evidence.clocks import live_sql
from meanscheck.evidence.coverage import make_states
from meanscheck.evidence.digests import SHORT_ID
from meanscheck.evidence.people import drop_people, make_people
from meanscheck.evidence.rows import Few, feeds_of_people, formula_columns, make_verdicts, rows_sql
from meanscheck.evidence.snapshot import Snapshot, snapshot_named
from meanscheck.values.evidence_state import STATE_WORDS, EvidenceState
from meanscheck.values.sql import quoted

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

NO_NUMBER = "no_number"
"""Why a department was not asked about a person: he has no number to be asked about by."""


@dataclass(frozen=True, slots=True)
class ReportRows:
    """Material of one verification report.

    request: one row: request_no, application_no, case_id, accepting_place, applied_on, reference_day, purpose,
    division. states: position Int32, id, role, feed, state (word) String; covers_from, covers_to, as_of Date; reason
        String (`NO_NUMBER` or null); rows UInt32; by position and feed; only feeds asked for or answered.
    rows: feed → position Int32, member (id), ref (16 hex: the `row_ref` of a finding) String, finding UInt8 (verdict),
        source_sender String, source_answered_on Date, source_batch String (short id), source_file String, source_line
        Int64, and the feed's formula columns in stored units (choices as text), by position and digest; only feeds
        with rows.
    quarantined: position, id, feed, file, row_no, field, reason: rows of these people that were not accepted.
    """

    request: pl.DataFrame = field(repr=False)
    states: pl.DataFrame = field(repr=False)
    rows: Mapping[str, pl.DataFrame] = field(repr=False)
    quarantined: pl.DataFrame = field(repr=False)

    def __repr__(self) -> str:
        return f"ReportRows({self.states.height} states, {sum(r.height for r in self.rows.values())} rows)"


def report_rows(
    store: Store, request_no: str, *, on: date | None = None, snapshot: Snapshot | str | None = None
) -> ReportRows:
    """Material of the report on the case that a request asks about.

    Args:
        store: the evidence store.
        request_no: number of a request; what counts is the last one of its case.
        on: day of the report; the reference day of the case unless given, and where it has none, for ever.
        snapshot: which evidence; the present one unless given.

    Raises:
        StoreError: the store does not know the request.
    """
    taken = snapshot_named(store, snapshot)
    mark = taken.load
    wanted = store.fetch(f"select case_id from requests where request_no = ? and load <= {mark}", [request_no])
    if wanted.is_empty():
        raise StoreError("the store does not know that request")
    if on is None:
        own = f"select max(reference_day) from requests where case_id = ? and {live_sql(mark)}"
        on = store.value(own, [wanted["case_id"][0]]) or date.max
    try:
        with store.frame("wanted", wanted):
            make_people(store, mark=mark, on=on, only_wanted=True, heeds=taken.heeds)
        make_states(store, list(all_feeds()), mark=mark, on=on)
        reviewed = make_verdicts(store, mark=mark, only_wanted=True)
        few = Few.of(store)
        rows = {
            feed: frame
            for feed in feeds_of_people(store, mark=mark, few=few)
            if (frame := _rows(store, feed, mark, reviewed, few)).height
        }
        return ReportRows(
            request=store.fetch(
                "select request_no, application_no, case_id, accepting_place, applied_on, "
                f"coalesce(reference_day, date '{on}') as reference_day, purpose, division from p_units"
            ),
            states=_states(store, rows),
            rows=rows,
            quarantined=store.fetch(
                "select p.position, p.id, q.feed, q.file, q.row_no, q.field, q.reason from quarantine q "
                f"join p_read p on p.reads = q.person where q.batch <= {mark} order by all"
            ),
        )
    finally:
        drop_people(store)


def _rows(store: Store, feed: str, mark: int, reviewed: frozenset[str], few: Few | None) -> pl.DataFrame:
    contract = all_feeds()[feed]
    query = rows_sql(
        contract,
        mark=mark,
        reviewed=reviewed,
        extra=", p.position, p.id as member, r.batch as batch, r.row_no as source_line",
        few=few,
    )
    names = ", ".join(f"q.{quoted(c.name)}" for c in formula_columns(contract))
    frame = store.fetch(
        f"select q.position, q.member, lower(hex(q.digest[1:{SHORT_ID // 2}])) as ref, q.verdict as finding, "
        f"b.sender as source_sender, b.answered_on as source_answered_on, b.batch_id[1:{SHORT_ID}] as source_batch, "
        f"b.file as source_file, q.source_line, "
        f"{names} from ({query}) q join batches b on b.batch = q.batch order by q.place, q.digest"
    )
    choices = [c for c in formula_columns(contract) if c.kind == "choice"]
    return frame.with_columns(frame[c.name].cat.to(pl.Enum(list(c.choices))).cast(pl.String) for c in choices)


def _states(store: Store, rows: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    found = store.fetch(
        f"""select p.position, p.id, p.role, s.feed, s.state, s.covers_from, s.covers_to, s.as_of,
          case when t.unnumbered <> '' and s.state = {int(EvidenceState.NOT_REQUESTED)} then '{NO_NUMBER}' end as reason
        from p_people p join p_states s using (term) join p_terms t using (term) order by p.position, s.feed"""
    )
    counts = [
        frame.group_by("position").agg(rows=pl.len().cast(pl.UInt32)).with_columns(feed=pl.lit(feed))
        for feed, frame in rows.items()
    ]
    empty = pl.DataFrame(schema={"position": found["position"].dtype, "rows": pl.UInt32, "feed": pl.String})
    return (
        found.with_columns(pl.col("state").replace_strict(dict(enumerate(STATE_WORDS)), return_dtype=pl.String))
        .join(pl.concat([empty, *counts]), on=["position", "feed"], how="left", maintain_order="left")
        .with_columns(pl.col("rows").fill_null(0))
    )
