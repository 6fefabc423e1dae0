"""Which rows of a feed count, in which order, with which finding attached?

Rows are those of the snapshot whose person is in the units at hand, and which stand in an answer that his consent
allows to be read (any answer, of a feed that the office keeps itself). Where a contract says
`latest_by`, only the rows of the latest as-of day not after the unit's reference day count (a row without as-of day is
dated by the contract's `as_of_from`, else counts as of the reference day). Order: place of the person, then row digest.

A finding (疑点核实) names feed and `row_ref`, the first 16 hex characters of a row's digest; of several the latest
`decided_on` holds. Confirmed gives verdict 1; explained and disregarded (核减后视为无) give 2.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meanscheck.contracts import Column, FeedContract, all_feeds
from meanscheck.contracts.model import PERSON
from meanscheck.contracts.units import VERDICT_CONFIRMED, VERDICT_DROPPED, VERDICT_NONE
from meanscheck.evidence.clocks import live_sql
from meanscheck.evidence.digests import SHORT_ID, row_digest_sql
from meanscheck.evidence.merging import spread
from meanscheck.evidence.spouses import spouse_cell, spouse_join
from meanscheck.values.evidence_state import EvidenceState
from meanscheck.values.sql import quoted

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

FINDINGS = "findings"
SUPPORTERS = "supporters"
_MANY = 200
"""Persons beyond which a statement does not name each."""


def feeds_present(store: Store, *, mark: int) -> list[str]:
    """Feeds that have an answer in the snapshot, sorted; the others have no rows."""
    found = store.fetch(f"select distinct feed from batches where batch <= {mark} order by feed")["feed"].to_list()
    return [str(feed) for feed in found]


def feeds_of_people(store: Store, *, mark: int, few: Few | None = None) -> list[str]:
    """Feeds of the snapshot in which a person of ``p_read`` has any row, whether it counts or not, sorted.

    A statement costs milliseconds, and a few people stand in few feeds: the others are told apart in one.
    """
    feeds = feeds_present(store, mark=mark)
    if not feeds:
        return []
    ours = "person in (select reads from p_read)" if few is None else few.among
    each = " union all ".join(
        f"select {n} as n where exists (select 1 from feed_{feed} where {ours})" for n, feed in enumerate(feeds)
    )
    return [feeds[n] for n in store.fetch(f"select n from ({each}) order by n")["n"].to_list()]


@dataclass(frozen=True, slots=True)
class Few:
    """What statements over the rows of a few people may leave out, so that they are small. The result is the same.

    Attributes:
        persons: ordinals under which their rows stand: named in a statement, they are found by each table's own
            summaries of its rows.
        has_again: whether ``p_again`` has rows.
        has_twins: whether ``p_twins`` has rows.
    """

    persons: tuple[int, ...] = field(repr=False)
    has_again: bool
    has_twins: bool

    @property
    def among(self) -> str:
        """SQL: `person` is one of them."""
        return f"person in ({', '.join(map(str, self.persons)) or 'null'})"

    @classmethod
    def of(cls, store: Store) -> Few | None:
        """Of those in ``p_read``, with their identities in ``p_named``; None if they are many."""
        persons = tuple(store.fetch("select distinct reads from p_read order by reads")["reads"].to_list())
        if len(persons) > _MANY:
            return None
        has = store.fetch("select exists (select 1 from p_again) as a, exists (select 1 from p_twins) as t").row(0)
        few = cls(persons, *has)
        store.run(f"create or replace temp table p_named as select * from persons where {few.among}")
        return few


def make_verdicts(store: Store, *, mark: int, only_wanted: bool = False) -> frozenset[str]:
    """Fill ``p_verdicts`` (feed, person, row_ref, verdict); the feeds that have any."""
    if FINDINGS not in all_feeds():
        return frozenset()
    ours = "and person in (select reads from p_read)" if only_wanted else ""
    is_linked = bool(store.value("select count(*) from p_same"))
    store.run(
        f"""create or replace temp table p_verdicts as
        select feed, person, lower(row_ref) as row_ref, case verdict when 'confirmed' then {VERDICT_CONFIRMED}
          when 'explained' then {VERDICT_DROPPED} when 'disregarded' then {VERDICT_DROPPED}
          else {VERDICT_NONE} end::utinyint as verdict
        from {spread(f"feed_{FINDINGS}", is_linked=is_linked)} f
        where {live_sql(mark, since="batch")} and row_ref is not null {ours}
        qualify row_number() over (partition by feed, person, lower(row_ref)
          order by decided_on desc nulls last, digest desc) = 1"""
    )
    return frozenset(store.fetch("select distinct feed from p_verdicts where feed is not null")["feed"].to_list())


def rows_sql(
    contract: FeedContract,
    *,
    mark: int,
    reviewed: Collection[str],
    recompute: bool = False,
    columns: Collection[str] | None = None,
    extra: str = "",
    some: str = "",
    few: Few | None = None,
) -> str:
    """Query of a feed's counting rows, unordered: unit, place, digest, columns by formula names, verdict.

    Choices come as UTINYINT codes in contract order, for Polars to read as Enum without a look at text.
    It reads ``p_read``, ``p_twins`` (see `merging`, `twins`), ``p_states``, ``p_open`` and ``p_again`` (see
    `coverage`), and ``p_verdicts`` where the feed is in `reviewed`.

    Args:
        contract: the feed.
        mark: load number of the snapshot.
        reviewed: feeds that have findings.
        recompute: take digests anew from the stored values, so that an edited row shows.
        columns: which formula columns; all unless given.
        extra: further select items, each with a comma before it, over `r` (the row) and `p` (the person).
        some: a further condition over the same, which begins with ``and``.
        few: where ``p_read`` holds few people, what may be left out.
    """
    name = contract.name
    barred = f"({int(EvidenceState.NO_CONSENT)}, {int(EvidenceState.NOT_REQUESTED)})"
    digest = row_digest_sql(contract, row="r", identity="i") if recompute else "r.digest"
    wanted = [c for c in formula_columns(contract) if columns is None or c.name in columns]
    cells = "".join(f", {spouse_cell(c) or _cell(c)} as {quoted(c.name)}" for c in wanted)
    verdict = "coalesce(v.verdict, 0)::utinyint" if name in reviewed else f"{VERDICT_NONE}::utinyint"
    named = "persons" if few is None else "p_named"
    joins = f" join {named} i on i.person = r.person" if recompute else ""
    allowed = ""
    if contract.authorisation != "office":
        # A list of what may be read, not of what may not: a row of an answer that nobody knows is in no list.
        joins += f" left join p_open o on o.feed = '{name}' and o.term = p.term and o.batch = r.batch"
        again = ""
        if few is None or few.has_again:
            joins += (
                f" left join p_again g on g.feed = '{name}' and g.term = p.term and g.of_batch = r.batch"
                " and g.of_row_no = r.row_no"
            )
            again = " or g.of_batch is not null"
        allowed = (
            f" and (o.batch is not null{again})"
            f" and p.term in (select term from p_states where feed = '{name}' and state not in {barred})"
        )
    if name in reviewed:
        joins += (
            f" left join p_verdicts v on v.feed = '{name}' and v.person = r.person"
            f" and v.row_ref = lower(hex(r.digest[1:{SHORT_ID // 2}]))"
        )
    joins += spouse_join(contract)
    if few is None or few.has_twins:
        some += (
            f" and not exists (select 1 from p_twins t where t.feed = '{name}' and t.batch = r.batch "
            "and t.row_no = r.row_no)"
        )
    if few is not None:
        some += f" and r.{few.among}"
    return (
        f"select p.unit, p.place, {digest} as digest{cells}, {verdict} as verdict{extra} "
        f"from feed_{name} r join p_read p on p.reads = r.person{joins} "
        f"where {live_sql(mark, alias='r', since='batch')}{allowed}{some}{_latest(contract)}"
    )


def formula_columns(contract: FeedContract) -> tuple[Column, ...]:
    """Columns that a block of rows carries; `verdict` is taken by the finding on the row (feed `findings` has its
    own)."""
    return tuple(c for c in contract.formula_columns if c.name != "verdict")


def _cell(column: Column) -> str:
    stored = f"r.{quoted(column.stored_name)}"
    if column.kind != "choice":
        return stored
    arms = " ".join(f"when '{choice}' then {code}" for code, choice in enumerate(column.choices))
    return f"(case {stored} {arms} end)::{'utinyint' if len(column.choices) <= 255 else 'usmallint'}"


def _latest(contract: FeedContract) -> str:
    if not contract.latest_by:
        return ""
    day = as_of_sql(contract, "r", "p.reference_day")
    by = "".join(f", r.{quoted(contract.column(c).stored_name)}" for c in contract.latest_by if c != PERSON)
    return f" and {day} <= p.reference_day qualify rank() over (partition by p.place{by} order by {day} desc) = 1"


def as_of_sql(contract: FeedContract, row: str, otherwise: str) -> str:
    """SQL of the day a row is dated by."""
    if "as_of" not in contract.column_names:
        return otherwise
    column = contract.column("as_of")
    days = [f"{row}.{quoted(column.stored_name)}"]
    if column.as_of_from is not None:
        days.append(f"{row}.{quoted(contract.column(column.as_of_from).stored_name)}")
    return f"coalesce({', '.join([*days, otherwise])})"
