"""What does each member of the application live on? Occupations, and the monthly rows that tax, insurers and payers
keep of them.

Every adult below sixty has an occupation. Those who earn are in a register as employed or flexible; those who do not
are registered unemployed, unregistered, unable, or in no register at all, and for the last the officer's word stands
in the application (`is_excused_from_work`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from meanscheck.synth.chance import NULL, Bools, Chance, Ints
from meanscheck.synth.identity import civil
from meanscheck.synth.people import MEMBER, Households, People
from meanscheck.synth.rows import Coded, Rows, absent, day, full, has, month_starts, same, stack
from meanscheck.synth.status import Status

MONTHS = 12
OCCUPATIONS = (
    "child_or_elder",
    "employee",
    "odd_jobs",
    "farmer",
    "trader",
    "unrecorded_earner",
    "unemployed",
    "unemployed_refusing",
    "unregistered",
    "not_able",
    "in_no_register",
)
ELSEWHERE, EMPLOYEE, ODD_JOBS, FARMER, TRADER, UNRECORDED, UNEMPLOYED, REFUSING, UNREGISTERED, NOT_ABLE, NO_REGISTER = (
    range(11)
)
TAX_ITEMS = ("wages", "labour", "royalties", "business", "interest", "rent", "transfer", "incidental")
EMPLOYMENT = ("employed", "flexible", "registered_unemployed", "unregistered", "not_able")
PENSIONS = (
    "employee_pension",
    "office_pension",
    "resident_basic_pension",
    "survivor_allowance",
    "unemployment_benefit",
    "injury_benefit",
    "injury_nursing",
    "retired_military_pension",
    "preferential_treatment",
    "old_age_allowance",
    "family_planning_award",
    "scholarship",
    "bravery_award",
)
CENTRAL_PART_FEN = 8_800
"""Central part of the resident basic pension in this county: a made-up constant of the data, no rule rests on it in
2020."""


@dataclass(frozen=True, slots=True)
class Work:
    """Occupations and the feeds about earning; `excused` is 1, 0, or NULL where the application is silent."""

    occupation: Ints
    excused: Ints
    feeds: Mapping[str, Rows]


def draw_work(chance: Chance, households: Households, people: People, status: Status, *, on: date) -> Work:
    """Occupations of the members, with wages, insurance, pensions and registers of twelve months."""
    occupation = _occupations(chance, households, people, status)
    months = month_starts(on, MONTHS)
    open_question = np.isin(occupation, [REFUSING, UNREGISTERED, NO_REGISTER])
    excused = np.where(open_question, np.where(chance.happens(450, n=people.n), 1, 0), NULL)
    who = np.flatnonzero(occupation == EMPLOYEE)
    pay = _wages(chance, who, months)
    tax = stack([pay, _other_tax(chance, people, occupation, months)])
    return Work(
        occupation=occupation,
        excused=excused,
        feeds={
            "tax_income": tax,
            "social_insurance": _insurance(chance, people, occupation, pay, months),
            "public_payroll": _payroll(chance, pay),
            "housing_fund": _housing_fund(chance, pay),
            "employment": _employment(chance, occupation, on),
            "work_offers": _offers(chance, occupation, on),
            "pensions_paid": _pensions(chance, households, people, status, occupation, months),
        },
    )


def _occupations(chance: Chance, households: Households, people: People, status: Status) -> Ints:
    n, age = people.n, people.age
    rural = households.rural[people.household]
    #         -  employee odd farmer trader unrecorded unempl. refus. unreg. unable none
    town = chance.pick([0, 480, 170, 20, 50, 40, 80, 25, 70, 25, 40], n=n)
    village = chance.pick([0, 340, 180, 240, 40, 40, 40, 10, 60, 20, 30], n=n)
    healthy = np.where(rural, village, town)
    weak = chance.pick([0, 120, 120, 30, 10, 10, 20, 0, 40, 450, 200], n=n)
    old = chance.pick([700, 40, 80, 180, 0, 0, 0, 0, 0, 0, 0], n=n)
    out = np.where(status.impaired, weak, healthy)
    out = np.where((age >= 60) & (age < 72), old, out)
    idle = (people.role != MEMBER) | status.dead | (age < 16) | (age >= 72) | (status.student & (age < 26))
    out = np.where(status.absent & ~idle, NO_REGISTER, out)
    return np.where(idle, ELSEWHERE, out)


def monthly(who: Ints, months: Ints, keep: Bools | None = None) -> tuple[Ints, Ints, Ints]:
    """One row a person and month: (position in `who`, person, month), where `keep` (persons × months) holds."""
    position = np.repeat(np.arange(len(who)), len(months))
    month = np.tile(months, len(who))
    if keep is not None:
        chosen = keep.ravel()
        position, month = position[chosen], month[chosen]
    return position, who[position], month


def _wages(chance: Chance, who: Ints, months: Ints) -> Rows:
    m = len(who)
    base = 110_000 + chance.skewed(0, 560_000, n=m) // 1_000 * 1_000
    # a fifth lost or found the job in the year, so that the window cuts through it
    first = np.where(chance.happens(120, n=m), chance.between(1, 10, n=m), 0)
    last = np.where(chance.happens(120, n=m), chance.between(4, 10, n=m), len(months) - 1)
    last = np.maximum(first, last)
    step = np.arange(len(months))
    position, person, month = monthly(who, months, (step >= first[:, None]) & (step <= last[:, None]))
    n = len(person)
    # overtime and leave, to the fen
    amount = base[position] + np.where(chance.happens(400, n=n), chance.between(-9_999, 20_000, n=n), 0)
    return Rows(
        person,
        {
            "month": month,
            "item": same("wages", n),
            "amount": amount,
            "tax": np.maximum(amount - 500_000, 0) * 3 // 100,
        },
    )


def _other_tax(chance: Chance, people: People, occupation: Ints, months: Ints) -> Rows:
    adult = (people.role == MEMBER) & (people.age >= 18)
    living = occupation != ELSEWHERE
    rates = {  # item: who, rate, months in twelve, amount
        "labour": (living & (occupation != NOT_ABLE), 40, (1, 3), (20_000, 300_000)),
        "royalties": (occupation == EMPLOYEE, 3, (1, 1), (10_000, 200_000)),
        "business": (occupation == TRADER, 1000, (4, 12), (60_000, 400_000)),
        "interest": (adult, 8, (1, 2), (500, 90_000)),
        "rent": (adult, 14, (12, 12), (20_000, 120_000)),
        "transfer": (adult, 2, (1, 1), (100_000, 6_000_000)),
        "incidental": (adult, 5, (1, 1), (10_000, 800_000)),
    }
    lots: list[Rows] = []
    for item, (group, rate, (fewest, most), (low, high)) in rates.items():
        who = np.flatnonzero(group & chance.happens(rate, n=people.n))
        m = len(who)
        count = chance.between(fewest, most, n=m)
        start = chance.between(0, len(months) - count, n=m)
        step = np.arange(len(months))
        keep = (step >= start[:, None]) & (step < (start + count)[:, None])
        level = low + chance.skewed(0, high - low, n=m)
        position, person, month = monthly(who, months, keep)
        n = len(person)
        amount = np.maximum(level[position] + chance.between(-500, 500, n=n), 100)
        tax = np.where(amount > 80_000, (amount - 80_000) // 5, 0) if item in ("labour", "incidental") else full(0, n)
        lots.append(Rows(person, {"month": month, "item": same(item, n), "amount": amount, "tax": tax}))
    return stack(lots)


def _insurance(chance: Chance, people: People, occupation: Ints, pay: Rows, months: Ints) -> Rows:
    employers = pl.Series(
        ["某某制造厂", "某某服装厂", "某某五金厂", "某某物业公司", "某某环卫站", "某某超市", "某某建筑队"]
    )
    insured = np.isin(pay.person, np.flatnonzero(chance.happens(500, n=people.n)))
    person, month, wage = pay.person[insured], pay.ints("month")[insured], pay.ints("amount")[insured]
    n = len(person)
    place = employers.gather(person % len(employers))
    lots = [
        Rows(
            person,
            {
                "month": month,
                "scheme": same(scheme, n),
                "payer": same("employer", n),
                "base": wage,
                "paid": wage * whole // 1000,
                "personal_paid": wage * own // 1000,
                "employer": place,
            },
        )
        for scheme, whole, own in (("pension", 220, 80), ("medical", 75, 20))
    ]
    casual = np.isin(occupation, [ODD_JOBS, TRADER, UNRECORDED]) & chance.happens(150, n=people.n)
    lots.append(_self_paid(np.flatnonzero(casual), months, "pension", 55_000))
    # the yearly premium of the residents' scheme, paid in November
    resident = (people.role == MEMBER) & (occupation != EMPLOYEE) & chance.happens(350, n=people.n)
    november = months[civil(months) // 100 % 100 == 11]
    lots.append(_self_paid(np.flatnonzero(resident), november, "medical", 25_000))
    return stack(lots)


def _self_paid(who: Ints, months: Ints, scheme: str, amount: int) -> Rows:
    _, person, month = monthly(who, months)
    n = len(person)
    return Rows(
        person,
        {
            "month": month,
            "scheme": same(scheme, n),
            "payer": same("self", n),
            "base": absent(n),
            "paid": full(amount, n),
            "personal_paid": full(amount, n),
            "employer": pl.Series([None], dtype=pl.String).new_from_index(0, n),
        },
    )


def _payroll(chance: Chance, pay: Rows) -> Rows:
    public = pay.person % 41 == 7
    n = int(public.sum())
    wage = pay.ints("amount")[public]
    allowance = np.where(chance.happens(300, n=n), chance.between(0, 30_000, n=n), 0)
    return Rows(
        pay.person[public],
        {
            "month": pay.ints("month")[public],
            "amount": wage + allowance,
            "organisation": pl.Series(["某镇公共服务中心"]).new_from_index(0, n),
        },
    )


def _housing_fund(chance: Chance, pay: Rows) -> Rows:
    chosen = pay.person % 11 == 3
    wage = pay.ints("amount")[chosen]
    part = wage * 5 // 100
    return Rows(
        pay.person[chosen],
        {
            "month": pay.ints("month")[chosen],
            "deposit": part * 2,
            "personal_part": part,
            "balance": chance.between(100_000, 3_000_000, n=len(wage)),
        },
    )


def _employment(chance: Chance, occupation: Ints, on: date) -> Rows:
    word = np.full(len(occupation), -1)
    word[occupation == EMPLOYEE] = 0
    word[np.isin(occupation, [ODD_JOBS, FARMER, TRADER, UNRECORDED])] = 1
    word[np.isin(occupation, [UNEMPLOYED, REFUSING])] = 2
    word[occupation == UNREGISTERED] = 3
    word[occupation == NOT_ABLE] = 4
    who = np.flatnonzero(word >= 0)
    return Rows(
        who,
        {
            "status": Coded(word[who], EMPLOYMENT),
            "public_welfare_post": (chance.happens(30, n=len(who)) & (word[who] == 0)).astype(np.int64),
            "since": day(on) - chance.between(40, 2000, n=len(who)),
        },
    )


def _offers(chance: Chance, occupation: Ints, on: date) -> Rows:
    refusing = np.flatnonzero(occupation == REFUSING)
    polite = np.flatnonzero((occupation == UNEMPLOYED) & chance.happens(300, n=len(occupation)))
    who = np.concatenate([refusing, polite])
    refused = np.concatenate([full(1, len(refusing)), full(0, len(polite))])
    return stack([Rows(who, {"offered_on": day(on) - chance.between(20, 300, n=len(who)), "refused": refused})])


def _pensions(
    chance: Chance, households: Households, people: People, status: Status, occupation: Ints, months: Ints
) -> Rows:
    n, age = people.n, people.age
    member = (people.role == MEMBER) & ~status.absent
    rural = households.rural[people.household]
    lot = chance.between(0, 999, n=n)
    old = member & (age >= 60)
    employee = old & (lot < np.where(rural, 90, 280))
    office = old & ~employee & (lot >= 985)
    resident = old & ~employee & ~office & (lot < 930)
    veteran = member & (age >= 50) & chance.happens(15, n=n)
    groups: list[tuple[str, Bools, int, int]] = [
        ("employee_pension", employee, 60_000, 420_000),
        ("office_pension", office, 250_000, 600_000),
        ("resident_basic_pension", resident, 17_000, 30_000),
        ("survivor_allowance", member & chance.happens(6, n=n), 40_000, 90_000),
        ("unemployment_benefit", np.isin(occupation, [UNEMPLOYED]) & chance.happens(250, n=n), 124_000, 124_001),
        ("injury_benefit", member & (occupation == NOT_ABLE) & chance.happens(60, n=n), 80_000, 260_000),
        ("injury_nursing", member & (occupation == NOT_ABLE) & chance.happens(30, n=n), 30_000, 90_000),
        ("retired_military_pension", veteran & (lot < 200), 90_000, 240_000),
        ("preferential_treatment", veteran, 50_000, 110_000),
        ("old_age_allowance", member & (age >= 80) & chance.happens(900, n=n), 5_000, 20_000),
        ("family_planning_award", old & rural & chance.happens(60, n=n), 8_000, 15_000),
    ]
    lots: list[Rows] = []
    for kind, group, low, high in groups:
        who = np.flatnonzero(group)
        level = (low + chance.skewed(0, high - low, n=len(who))) // 10 * 10
        # a benefit raised or begun within the year
        start = np.where(chance.happens(60, n=len(who)), chance.between(1, 11, n=len(who)), 0)
        position, person, month = monthly(who, months, np.arange(len(months)) >= start[:, None])
        k = len(person)
        central = full(CENTRAL_PART_FEN, k) if kind == "resident_basic_pension" else absent(k)
        lots.append(
            Rows(person, {"month": month, "kind": same(kind, k), "amount": level[position], "central_part": central})
        )
    pupils = np.flatnonzero(status.student & member & (age >= 16) & chance.happens(80, n=n))
    k = len(pupils)
    lots.append(
        Rows(
            pupils,
            {
                "month": full(int(months[5]), k),
                "kind": same("scholarship", k),
                "amount": chance.between(50_000, 200_000, n=k),
                "central_part": absent(k),
            },
        )
    )
    paid = stack(lots)
    assert not has(paid.person, n)[~member].any()
    # A pension after the death is a contradiction that a person must settle, so this county has none by itself.
    died = np.full(n, np.iinfo(np.int64).max)
    died[status.feeds["deaths"].person] = status.feeds["deaths"].ints("died_on")
    return paid.some(paid.ints("month") <= died[paid.person])
