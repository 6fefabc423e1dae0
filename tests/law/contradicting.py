"""The contradictions of a case, from their definitions alone: slow, flat and without any of the library's finders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from meanscheck.contracts.units import CaseUnit
from meanscheck.values.evidence_state import EvidenceState


@dataclass(frozen=True)
class Seen:
    """A row that may be looked at; cells by name, null where nobody stated them."""

    person: int
    feed: str
    place: int
    cells: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.cells.get(name)

    @property
    def where(self) -> tuple[int, str, int]:
        return self.person, self.feed, self.place


class Told(NamedTuple):
    """A contradiction: its kind, the rows it rests on, and the figures of either side."""

    kind: str
    rows: frozenset[tuple[int, str, int]]
    one: int | None = None
    other: int | None = None


def rows_of(unit: CaseUnit, feed: str) -> list[Seen]:
    """Every row of a feed that has been answered."""
    return [
        Seen(i, feed, n, dict(row))
        for i, person in enumerate(unit.persons)
        if person.feed(feed).state is EvidenceState.ANSWERED
        for n, row in enumerate(person.feed(feed).rows)
    ]


def grouped(rows: Sequence[Seen], *by: str) -> list[list[Seen]]:
    """Rows by person, or by cells that are all stated."""

    def key(row: Seen) -> Any:
        return [row.person if name == "person" else row[name] for name in by]

    stated = [r for r in rows if all(name == "person" or r[name] is not None for name in by)]
    return [list(g) for _, g in groupby(sorted(stated, key=lambda r: list(map(str, key(r)))), key=key)]


def places(*rows: Sequence[Seen]) -> frozenset[tuple[int, str, int]]:
    return frozenset(r.where for part in rows for r in part)


def added(amounts: Sequence[Any]) -> int | None:
    return None if None in amounts else sum(amounts)


def reaches(unit: CaseUnit, person: int, first: date, last: date) -> bool:
    facts = unit.persons[person].feed("tax_income")
    return (facts.covers_from or first) <= first and (facts.covers_to or last) >= last


def month_after(day: date, months: int = 1) -> date:
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def contradictions(unit: CaseUnit, on: date, window: int) -> set[Told]:
    """All of one case, every fen counting."""
    day = unit.attributes.get("reference_day") or on
    assert isinstance(day, date)
    role = [p.role for p in unit.persons]
    ids = [p.attributes.get("id") for p in unit.persons]
    feed: Callable[[str], list[Seen]] = lambda name: rows_of(unit, name)  # noqa: E731
    found: set[Told] = set()

    def add(kind: str, *rows: Sequence[Seen], one: int | None = None, other: int | None = None) -> None:
        if any(rows):
            found.add(Told(kind, places(*rows), one, other))

    taxed = feed("tax_income")
    for own in grouped([r for r in feed("social_insurance") if r["payer"] == "employer"], "person", "month"):
        insured = [r for r in own if r["base"] is not None]
        if not insured or not any(t.person == own[0].person for t in taxed):
            continue
        month = own[0]["month"]
        wages = [t for t in taxed if (t.person, t["item"], t["month"]) == (own[0].person, "wages", month)]
        one, base = added([t["amount"] for t in wages]), max(r["base"] for r in insured)
        if reaches(unit, own[0].person, month, month_after(month) - timedelta(days=1)) and one not in (None, base):
            add("wages_against_base", wages, insured, one=one, other=base)

    for kind, item, name, column in (
        ("declared_wages", "wages", "tax_income", "amount"),
        ("declared_deposits", "bank_deposits.balance", "bank_deposits", "balance"),
        ("declared_securities", "securities.value", "securities", "value"),
        ("declared_insurance", "insurance_policies.cash_value", "insurance_policies", "cash_value"),
        ("declared_wallets", "wallets.balance", "wallets", "balance"),
    ):
        applied = unit.attributes.get("applied_on")
        for told in grouped([r for r in feed("declaration") if r["item"] == item], "person"):
            who = told[0].person
            there = [r for r in feed(name) if r.person == who]
            if not there:
                continue
            if name == "tax_income":
                if not isinstance(applied, date):
                    continue
                first, after = month_after(applied, -window), month_after(applied, 0)
                if not reaches(unit, who, first, after - timedelta(days=1)):
                    continue
                there = [r for r in there if r["item"] == "wages" and r["month"] and first <= r["month"] < after]
            one, other = added([r["amount"] for r in told]), added([r[column] for r in there])
            if None not in (one, other) and one != other:
                add(kind, told, there, one=one, other=other)

    for same in grouped(feed("vehicles"), "vehicle_token"):
        add("duplicate_vehicle", same if len(same) > 1 else [])
    for same in grouped(feed("bank_deposits"), "bank_code", "account_token"):
        add("duplicate_account", same if len(same) > 1 else [])
    estate = feed("real_estate")
    for same in grouped([r for r in estate if r["status"] in ("owned", "sealed")], "right_token"):
        shares = added([r["share"] for r in same])
        add("duplicate_right", same if len(same) > 1 and (shares is None or shares > 1_000_000) else [])

    def off(r: Seen) -> bool:
        return (r["registered_on"] or date.min) > day or (r["transferred_on"] or date.max) <= day

    held = {r["right_token"] for r in estate if not off(r) and (r["status"] != "transferred" or r["transferred_on"])}
    astray = [r for r in estate if role[r.person] == "member" and r["status"] in ("owned", "sealed") and off(r)]
    astray = [r for r in astray if r["right_token"] is None or r["right_token"] not in held]
    for same in grouped(astray, "person", "right_token"):
        add("owner_outside", same)
    for row in astray:
        if row["right_token"] is None:
            add("owner_outside", [row])

    deaths = [r for r in feed("deaths") if r["died_on"]]
    for dead in grouped(deaths, "person"):
        died = min(r["died_on"] for r in dead)
        for kind, name in (("dead_pensioner", "pensions_paid"), ("dead_relief", "relief_paid")):
            paid = [r for r in feed(name) if r.person == dead[0].person and r["month"] and r["month"] > died]
            add(kind, dead if paid else [], paid)
        before = unit.attributes.get("applied_on") or day
        gone = [r for r in dead if role[r.person] == "member" and r["died_on"] <= before]
        add("dead_applicant", gone)

    for rows in grouped([r for r in feed("marriages") if role[r.person] == "member"], "person"):
        who = rows[0].person
        others = {n for i, n in enumerate(ids) if i != who and role[i] != "supporter" and n is not None}
        last = max(r["registered_on"] or date.min for r in rows)
        latest = [r for r in rows if (r["registered_on"] or date.min) == last and r["spouse_id"] is not None]
        add("married_without_spouse", [r for r in latest if r["status"] == "married" and r["spouse_id"] not in others])
        add("divorced_together", [r for r in latest if r["status"] == "divorced" and r["spouse_id"] in others])
        bound = [r for r in rows if r["status"] in (None, "married")]
        bound += [r for r in rows if r["status"] == "divorced" and r["spouse_id"] in others]
        is_spouse = unit.persons[who].attributes.get("relation") == "spouse"
        add("unregistered_marriage", rows if is_spouse and not bound else [])

    register, here = feed("household_register"), unit.attributes.get("division")
    active = [r for r in register if r["status"] == "active"]
    for rows in grouped([r for r in register if role[r.person] == "member"], "person"):
        add("member_not_registered", rows if all(r["status"] in ("moved_out", "cancelled") for r in rows) else [])
        apart = [r for r in rows if r in active and here and r["division_code"]]
        apart = [r for r in apart if str(here)[: len(r["division_code"])] != r["division_code"][: len(str(here))]]
        add("lives_elsewhere", apart)
    numbered = [r for r in active if r["household_no"] is not None]
    for rows in grouped([r for r in numbered if role[r.person] != "supporter"], "household_no"):
        add("several_families", rows if {role[r.person] for r in rows} == {"member", "register"} else [])
    for rows in grouped(numbered, "person"):
        add("double_register", rows if len({r["household_no"] for r in rows}) > 1 else [])
    return found


def by_unit(units: Sequence[CaseUnit], on: date, window: int) -> Iterator[set[Told]]:
    """For each case what it has."""
    return (contradictions(unit, on, window) for unit in units)
