"""Of what did the evidence of a case consist, as of a snapshot, and is it still what was taken in?

Two traces of one case, of two snapshots or days, show what came, changed or went. A replay that differs looks here for
the reason; nothing here computes a decision.

    rows      case_id String · person Int64 · feed String · batch Int32 (load number) · row_no Int64 · digest Binary
              (anew, from the stored values) · kept Binary (as it was stored); only rows that count
    states    case_id · person · feed · state UInt8 (`EvidenceState`) · covers_from, covers_to, as_of Date
    persons   case_id · person · position Int32 · role, id, relation String
    requests  case_id · request_no String · load Int32
    consents  case_id · person · consent_no, feeds String · withdrawn_on Date · load Int32: versions live at the
              snapshot

Choices
    What a department's file held is fixed by its batch id and what an application held by its request's digest, but
    neither can be had again from the store in every case (rows without consent are not kept). `damage` therefore names
    what is certain: rows that lack or exceed their batch's count, consents whose cells no longer give their digest,
    batches whose columns contradict their manifest, and a snapshot whose parts no longer give its id. Where a household
    was erased since, rows of it are counted as erased and the id cannot be reckoned again (see `erasing`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import all_feeds
from meanscheck.evidence.clocks import live_sql
from meanscheck.evidence.consents import CONSENT_DIGEST
from meanscheck.evidence.coverage import make_states
from meanscheck.evidence.digests import SHORT_ID
from meanscheck.evidence.erasing import erased_since
from meanscheck.evidence.people import drop_people, make_people
from meanscheck.evidence.rows import feeds_of_people, feeds_present, rows_sql
from meanscheck.evidence.snapshot import Snapshot, snapshot_id, snapshot_named

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

ROWS = {
    "case_id": pl.String(),
    "person": pl.Int64(),
    "feed": pl.String(),
    "batch": pl.Int32(),
    "row_no": pl.Int64(),
    "digest": pl.Binary(),
    "kept": pl.Binary(),
}


@dataclass(frozen=True, slots=True)
class Trace:
    """What the evidence of some cases consisted of; frames as in the module's docstring."""

    mark: int
    rows: pl.DataFrame = field(repr=False)
    states: pl.DataFrame = field(repr=False)
    persons: pl.DataFrame = field(repr=False)
    requests: pl.DataFrame = field(repr=False)
    consents: pl.DataFrame = field(repr=False)

    def of(self, case_id: str) -> Trace:
        """The part of one case."""
        own = pl.col("case_id") == case_id
        frames = (self.rows, self.states, self.persons, self.requests, self.consents)
        return Trace(self.mark, *(frame.filter(own) for frame in frames))


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing in the store that is no longer as it was taken in.

    `kind`: ``rows`` (a batch lacks or exceeds rows), ``consent``, ``batch`` (columns against manifest), ``snapshot``.
    `where` is a locator, never a value.
    """

    kind: str
    feed: str
    where: str


def trace(store: Store, case_ids: Sequence[str], *, on: date, snapshot: Snapshot | str | None = None) -> Trace:
    """The trace of some cases as of a snapshot (the present one unless given) and a day; unknown cases are left out."""
    taken = snapshot_named(store, snapshot)
    mark = taken.load
    wanted = pl.DataFrame({"case_id": sorted(set(case_ids))}, schema={"case_id": pl.String})
    try:
        with store.frame("wanted", wanted):
            make_people(store, mark=mark, on=on, only_wanted=True, heeds=taken.heeds)
        make_states(store, list(all_feeds()), mark=mark, on=on)
        rows = [_rows(store, feed, mark) for feed in feeds_of_people(store, mark=mark)]
        return Trace(
            mark,
            rows=pl.concat([pl.DataFrame(schema=ROWS), *rows]),
            states=store.fetch(
                "select u.case_id, p.person, s.feed, s.state, s.covers_from, s.covers_to, s.as_of from p_people p "
                "join p_units u using (unit) join p_states s using (term) order by all"
            ),
            persons=store.fetch(
                "select u.case_id, p.person, p.position, p.role, p.id, p.relation from p_people p "
                "join p_units u using (unit) order by p.place"
            ),
            requests=store.fetch("select case_id, request_no, load from p_units order by case_id"),
            consents=store.fetch(
                "select distinct u.case_id, c.person, c.consent_no, c.feeds, c.withdrawn_on, c.load from consents c "
                "join p_people p using (person) join p_units u using (unit) "
                f"where {live_sql(mark, alias='c')} order by all"
            ),
        )
    finally:
        drop_people(store)


def cases_at(store: Store, case_ids: Sequence[str], snapshot: Snapshot) -> frozenset[str]:
    """Which of the cases the store holds as of a snapshot."""
    wanted = pl.DataFrame({"case_id": list(case_ids)}, schema={"case_id": pl.String})
    with store.frame("wanted", wanted):
        found = store.fetch(
            "select distinct q.case_id from requests q semi join wanted using (case_id) "
            f"where {live_sql(snapshot.load, alias='q')}"
        )
    return frozenset(found["case_id"].to_list())


def damage(store: Store, snapshot: Snapshot) -> tuple[Damage, ...]:
    """What of a snapshot is no longer as it was taken in; see the module's docstring for what can be seen."""
    found = [*_miscounted(store, snapshot.load), *_changed_consents(store, snapshot.load)]
    found += _contradicted(store, snapshot.load)
    if not erased_since(store, snapshot.load) and snapshot_id(store, snapshot.load, snapshot.heeds) != snapshot.id:
        found.append(Damage("snapshot", "", f"snapshot {snapshot}"))
    return tuple(found)


def batch_names(store: Store, batches: Sequence[int]) -> dict[int, str]:
    """A locator of each batch: its short id and the file it came from."""
    numbers = pl.DataFrame({"batch": sorted(set(batches))}, schema={"batch": pl.Int32})
    with store.frame("wanted", numbers):
        found = store.fetch("select b.batch, b.batch_id, b.file from batches b semi join wanted using (batch)")
    return {batch: f"{name[:SHORT_ID]} ({file})" for batch, name, file in found.iter_rows()}


@dataclass(frozen=True, slots=True)
class BatchPlace:
    """Where the rows of a batch come from: its short id, file, sender and day of the answer."""

    id: str
    file: str
    sender: str
    answered_on: date | None


def batch_places(store: Store, batches: Collection[int]) -> dict[int, BatchPlace]:
    """Where the rows of some batches come from, by the numbers of the batches."""
    numbers = pl.DataFrame({"batch": sorted(set(batches))}, schema={"batch": pl.Int32})
    with store.frame("wanted", numbers):
        found = store.fetch(
            f"select b.batch, b.batch_id[1:{SHORT_ID}], b.file, b.sender, b.answered_on "
            "from batches b semi join wanted using (batch)"
        )
    return {batch: BatchPlace(name, file, sender or "", day) for batch, name, file, sender, day in found.iter_rows()}


def _rows(store: Store, feed: str, mark: int) -> pl.DataFrame:
    query = rows_sql(
        all_feeds()[feed],
        mark=mark,
        reviewed=(),
        recompute=True,
        columns=(),
        extra=", p.person as person, r.batch as batch, r.row_no as row_no, r.digest as kept",
    )
    return store.fetch(
        f"select u.case_id, q.person, '{feed}' as feed, q.batch, q.row_no, q.digest, q.kept from ({query}) q "
        "join p_units u using (unit) order by all"
    )


def _miscounted(store: Store, mark: int) -> Iterator[Damage]:
    for feed in feeds_present(store, mark=mark):
        found = store.fetch(
            f"select b.batch_id, b.file from batches b left join (select batch, count(*) as n from feed_{feed} "
            "group by batch) r using (batch) left join (select batch, sum(rows) as n from erased group by batch) e "
            f"using (batch) where b.feed = '{feed}' and b.batch <= {mark} "
            "and coalesce(r.n, 0) + coalesce(e.n, 0) <> b.accepted order by b.batch"
        )
        for name, file in found.iter_rows():
            yield Damage("rows", feed, f"{name[:SHORT_ID]} ({file})")


def _changed_consents(store: Store, mark: int) -> Iterator[Damage]:
    changed = store.value(
        f"select count(*) from (select c.digest as kept, {CONSENT_DIGEST} as anew from consents c "
        f"join persons using (person) where {live_sql(mark, alias='c')}) where kept <> anew"
    )
    if changed:
        yield Damage("consent", "", f"{changed} consent(s)")


def _contradicted(store: Store, mark: int) -> Iterator[Damage]:
    columns = ("feed", "sender", "institutions", "divisions", "answered_on", "covers_from", "covers_to", "as_of")
    names = ", ".join(columns)
    batches = store.fetch(
        f"select batch_id, file, manifest, all_requests, {names} from batches where batch <= {mark} order by batch"
    )
    for row in batches.iter_rows(named=True):
        facts = json.loads(row["manifest"])
        held = {name: v.isoformat() if isinstance(v := row[name], date) else v for name in columns}
        told = {name: facts.get(name) for name in columns}
        if held != told or row["all_requests"] != (facts.get("requests", "all") == "all"):
            yield Damage("batch", row["feed"], f"{row['batch_id'][:SHORT_ID]} ({row['file']})")
