"""Where are contradictions in one case? Each kind read against its definition in the docstring of the package."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

from meanscheck.contracts.units import VERDICT_DROPPED, CaseUnit, FeedFacts, Value
from meanscheck.law.conflicts.kinds import DECLARED
from meanscheck.values.dates import month_number, month_start, window_of
from meanscheck.values.evidence_state import EvidenceState

Row = Mapping[str, Value]
_HERE = ("member", "register")
_SHARE = 1_000_000


@dataclass(frozen=True, slots=True)
class Point:
    """A row that a conflict rests on: the person's and the row's place, and which side of the kind says it."""

    person: int
    side: int
    row: int


@dataclass(frozen=True, slots=True)
class Dispute:
    """One contradiction; `identity` tells those of one kind apart."""

    kind: str
    identity: tuple[object, ...] = field(repr=False)
    points: tuple[Point, ...]
    one: int | None = field(default=None, repr=False)
    other: int | None = field(default=None, repr=False)
    verdict: str = ""


class Case:
    """What finders may look at: rows of answered feeds, with or without those that findings drop."""

    def __init__(self, unit: CaseUnit, on: date, window: int | None, *, without_dropped: bool = False) -> None:
        self.unit, self.window = unit, window
        self.persons = unit.persons
        day = unit.attributes.get("reference_day") or on
        assert isinstance(day, date)
        self.day = day
        self._without_dropped = without_dropped

    def rows(self, person: int, feed: str) -> list[tuple[int, Row]]:
        """A person's rows with their places; none unless the feed has been answered."""
        facts = self.persons[person].feed(feed)
        if facts.state is not EvidenceState.ANSWERED:
            return []
        return [
            (i, row)
            for i, row in enumerate(facts.rows)
            if not (self._without_dropped and row.get("verdict") == VERDICT_DROPPED)
        ]

    def everybody(self, *roles: str) -> Iterator[int]:
        """Persons of some roles; of any unless given."""
        return (i for i, p in enumerate(self.persons) if not roles or p.role in roles)

    @property
    def applied_on(self) -> date | None:
        """The day of application."""
        day = self.unit.attributes.get("applied_on")
        return day if isinstance(day, date) else None


def _sum(amounts: Iterable[Value]) -> int | None:
    total = 0
    for amount in amounts:
        if amount is None:
            return None
        total += int(amount)  # type: ignore[arg-type]
    return total


def _covers(facts: FeedFacts, first: date, last: date) -> bool:
    return not (facts.covers_from and facts.covers_from > first) and not (facts.covers_to and facts.covers_to < last)


def _wages_against_base(case: Case) -> Iterator[Dispute]:
    for person in case.everybody():
        taxed = case.rows(person, "tax_income")
        if not taxed:
            continue
        insured: dict[date, list[tuple[int, Row]]] = {}
        for i, row in case.rows(person, "social_insurance"):
            month = row.get("month")
            if row.get("payer") == "employer" and row.get("base") is not None and isinstance(month, date):
                insured.setdefault(month, []).append((i, row))
        for month, own in insured.items():
            last = month_start(month_number(month) + 1) - timedelta(days=1)
            if not _covers(case.persons[person].feed("tax_income"), month, last):
                continue
            wages = [(i, r) for i, r in taxed if r.get("item") == "wages" and r.get("month") == month]
            one = _sum(r.get("amount") for _, r in wages)
            base = max(int(r["base"]) for _, r in own)  # type: ignore[arg-type]
            if one is not None and one != base:
                points = [Point(person, side, i) for side, rows in ((0, wages), (1, own)) for i, _ in rows]
                yield Dispute("wages_against_base", (person, month), tuple(points), one, base)


def _declared_wages(case: Case) -> Iterator[Dispute]:
    if case.window is None or case.applied_on is None:
        return
    first, after = window_of(case.window, case.applied_on)
    for person in case.everybody():
        facts = case.persons[person].feed("tax_income")
        if not _covers(facts, first, after - timedelta(days=1)):
            continue
        taxed = case.rows(person, "tax_income")
        found = [
            (i, r)
            for i, r in taxed
            if r.get("item") == "wages" and isinstance(m := r.get("month"), date) and first <= m < after
        ]
        told = [(i, r) for i, r in case.rows(person, "declaration") if r.get("item") == "wages"]
        yield from _declared("declared_wages", person, told, found, "amount", has_rows=bool(taxed))


def _declared_balance(case: Case, kind: str) -> Iterator[Dispute]:
    feed, column = DECLARED[kind]
    for person in case.everybody():
        found = case.rows(person, feed)
        told = [(i, r) for i, r in case.rows(person, "declaration") if r.get("item") == f"{feed}.{column}"]
        yield from _declared(kind, person, told, found, column, has_rows=bool(found))


def _declared(
    kind: str,
    person: int,
    told: Sequence[tuple[int, Row]],
    found: Sequence[tuple[int, Row]],
    column: str,
    *,
    has_rows: bool,
) -> Iterator[Dispute]:
    one, other = _sum(r.get("amount") for _, r in told), _sum(r.get(column) for _, r in found)
    if told and has_rows and one is not None and other is not None and one != other:
        points = [Point(person, side, i) for side, rows in ((0, told), (1, found)) for i, _ in rows]
        yield Dispute(kind, (person,), tuple(points), one, other)


def _twice(case: Case, feed: str, *by: str) -> Iterator[tuple[tuple[object, ...], list[tuple[Point, Row]]]]:
    """Rows of the whole unit that say one thing, where there are several."""
    same: dict[tuple[object, ...], list[tuple[Point, Row]]] = {}
    for person in case.everybody():
        for i, row in case.rows(person, feed):
            key = tuple(row.get(name) for name in by)
            if None not in key and not (feed == "real_estate" and row.get("status") in (None, "transferred")):
                same.setdefault(key, []).append((Point(person, 0, i), row))
    return ((key, rows) for key, rows in same.items() if len(rows) > 1)


def _duplicate(case: Case, kind: str, feed: str, *by: str) -> Iterator[Dispute]:
    for key, rows in _twice(case, feed, *by):
        if feed == "real_estate":
            shares = _sum(row.get("share") for _, row in rows)
            if shares is not None and shares <= _SHARE:
                continue
        yield Dispute(kind, key, tuple(p for p, _ in rows))


def _owner_outside(case: Case) -> Iterator[Dispute]:
    def holds(row: Row) -> bool:
        is_gone = row.get("status") == "transferred" and row.get("transferred_on") is None
        return not is_gone and not off_day(row)

    def off_day(row: Row) -> bool:
        start, end = row.get("registered_on"), row.get("transferred_on")
        return (isinstance(start, date) and start > case.day) or (isinstance(end, date) and end <= case.day)

    every = [(p, i, r) for p in case.everybody() for i, r in case.rows(p, "real_estate")]
    held = {r.get("right_token") for _, _, r in every if holds(r)} - {None}
    wrong: dict[tuple[object, ...], list[Point]] = {}
    for person, i, row in every:
        token = row.get("right_token")
        if case.persons[person].role != "member" or row.get("status") in (None, "transferred") or not off_day(row):
            continue
        if token not in held:
            wrong.setdefault((person, token) if token else (person, None, i), []).append(Point(person, 0, i))
    for key, points in wrong.items():
        yield Dispute("owner_outside", key, tuple(points))


def _paid_after_death(case: Case, kind: str, feed: str) -> Iterator[Dispute]:
    for person in case.everybody():
        deaths = [(i, d) for i, r in case.rows(person, "deaths") if isinstance(d := r.get("died_on"), date)]
        if not deaths:
            continue
        died = min(d for _, d in deaths)
        paid = [i for i, r in case.rows(person, feed) if isinstance(m := r.get("month"), date) and m > died]
        if paid:
            points = (*(Point(person, 0, i) for i, _ in deaths), *(Point(person, 1, i) for i in paid))
            yield Dispute(kind, (person,), points)


def _dead_applicant(case: Case) -> Iterator[Dispute]:
    day = case.applied_on or case.day
    for person in case.everybody("member"):
        rows = [
            Point(person, 0, i)
            for i, r in case.rows(person, "deaths")
            if isinstance(d := r.get("died_on"), date) and d <= day
        ]
        if rows:
            yield Dispute("dead_applicant", (person,), tuple(rows))


def _is_here(case: Case, person: int, row: Row) -> bool | None:
    """Whether the other one of a marriage belongs to the place; None if nobody says who it is."""
    name = row.get("spouse_id")
    others = (case.persons[p].attributes.get("id") for p in case.everybody(*_HERE) if p != person)
    return None if name is None else name in others


def _of_latest(case: Case, kind: str, status: str, *, here: bool) -> Iterator[Dispute]:
    for person in case.everybody("member"):
        rows = case.rows(person, "marriages")
        latest = max((_registered(r) for _, r in rows), default=date.min)
        points = tuple(
            Point(person, 0, i)
            for i, r in rows
            if _registered(r) == latest and r.get("status") == status and _is_here(case, person, r) is here
        )
        if points:
            yield Dispute(kind, (person,), points)


def _registered(row: Row) -> date:
    day = row.get("registered_on")
    return day if isinstance(day, date) else date.min


def _unregistered_marriage(case: Case) -> Iterator[Dispute]:
    for person in case.everybody("member"):
        rows = case.rows(person, "marriages")
        if case.persons[person].attributes.get("relation") != "spouse" or not rows:
            continue
        if not any(
            r.get("status") in (None, "married") or (r.get("status") == "divorced" and _is_here(case, person, r))
            for _, r in rows
        ):
            yield Dispute("unregistered_marriage", (person,), tuple(Point(person, 0, i) for i, _ in rows))


def _member_not_registered(case: Case) -> Iterator[Dispute]:
    for person in case.everybody("member"):
        rows = case.rows(person, "household_register")
        if rows and not any(r.get("status") in (None, "active") for _, r in rows):
            yield Dispute("member_not_registered", (person,), tuple(Point(person, 0, i) for i, _ in rows))


def _lives_elsewhere(case: Case) -> Iterator[Dispute]:
    here = case.unit.attributes.get("division")
    for person in case.everybody("member"):
        points = []
        for i, row in case.rows(person, "household_register"):
            there = row.get("division_code")
            if row.get("status") == "active" and isinstance(here, str) and isinstance(there, str):
                if not here.startswith(there) and not there.startswith(here):
                    points.append(Point(person, 0, i))
        if points:
            yield Dispute("lives_elsewhere", (person,), tuple(points))


def _active(case: Case, person: int) -> list[tuple[int, Row]]:
    rows = case.rows(person, "household_register")
    return [(i, r) for i, r in rows if r.get("status") == "active" and r.get("household_no") is not None]


def _several_families(case: Case) -> Iterator[Dispute]:
    homes: dict[Value, list[Point]] = {}
    for person in case.everybody(*_HERE):
        for i, row in _active(case, person):
            homes.setdefault(row["household_no"], []).append(Point(person, 0, i))
    for number, points in homes.items():
        if {case.persons[p.person].role for p in points} == set(_HERE):
            yield Dispute("several_families", (number,), tuple(points))


def _double_register(case: Case) -> Iterator[Dispute]:
    for person in case.everybody():
        rows = _active(case, person)
        if len({r["household_no"] for _, r in rows}) > 1:
            yield Dispute("double_register", (person,), tuple(Point(person, 0, i) for i, _ in rows))


FINDERS: Mapping[str, Callable[[Case], Iterator[Dispute]]] = {
    "wages_against_base": _wages_against_base,
    "declared_wages": _declared_wages,
    **{name: partial(_declared_balance, kind=name) for name in DECLARED},
    "duplicate_vehicle": lambda case: _duplicate(case, "duplicate_vehicle", "vehicles", "vehicle_token"),
    "duplicate_account": lambda case: _duplicate(
        case, "duplicate_account", "bank_deposits", "bank_code", "account_token"
    ),
    "duplicate_right": lambda case: _duplicate(case, "duplicate_right", "real_estate", "right_token"),
    "owner_outside": _owner_outside,
    "dead_pensioner": lambda case: _paid_after_death(case, "dead_pensioner", "pensions_paid"),
    "dead_relief": lambda case: _paid_after_death(case, "dead_relief", "relief_paid"),
    "dead_applicant": _dead_applicant,
    "married_without_spouse": lambda case: _of_latest(case, "married_without_spouse", "married", here=False),
    "unregistered_marriage": _unregistered_marriage,
    "divorced_together": lambda case: _of_latest(case, "divorced_together", "divorced", here=True),
    "member_not_registered": _member_not_registered,
    "lives_elsewhere": _lives_elsewhere,
    "several_families": _several_families,
    "double_register": _double_register,
}
