"""Who owes support, who is already on relief, who was ill this year? And what the registers of families hold.

A supporter pays by agreement, or pays what he pays; some cannot (民发〔2016〕178号): in prison, missing, incapable,
on relief themselves and old or disabled, or still minors.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from meanscheck.contracts.units import RELATION
from meanscheck.synth.chance import NULL, Bools, Chance
from meanscheck.synth.identity import REGIONS
from meanscheck.synth.people import MEMBER, SPOUSE, SUPPORTER, Households, People, kind_code
from meanscheck.synth.rows import Coded, Rows, absent, day, days_of, full, month_starts, same, stack
from meanscheck.synth.status import ILLNESSES, Status
from meanscheck.synth.work import EMPLOYEE, Work

PROGRAMMES = (
    "dibao",
    "wubao",
    "tekun",
    "dibao_margin",
    "rigid_expenditure",
    "orphan",
    "unsupported_child",
    "return_to_poverty_monitored",
    "urban_sanwu",
    "hardship_worker",
)
CIVIL_CAPACITIES = ("full", "limited", "none")
HUKOU = ("agricultural", "non_agricultural", "unified")


def draw_kin(
    chance: Chance, households: Households, people: People, status: Status, work: Work, *, first: int, on: date
) -> Mapping[str, Rows]:
    """Support, relief, medical and register feeds of a part (but for who is supported with how much: see `support`)."""
    settlements, ill_now = _settlements(chance, households, people, status, first, on)
    relief = _relief_status(chance, households, people, status, ill_now, on)
    return {
        "relief_status": relief,
        "relief_paid": _relief_paid(chance, relief, on),
        "medical_settlements": settlements,
        "medical_enrolment": _enrolment(households, people, status, work, on),
        "rigid_spending": _spending(chance, people, first, on),
        "household_register": _register(chance, households, people, status, on),
        "marriages": _marriages(people, on),
        "case_events": _events(households, people, on),
        "payment_returns": _returns(people, relief, on),
    }


def draw_support(chance: Chance, households: Households, people: People, status: Status, *, supported: Bools) -> Rows:
    """Feed `supporters`: one row a supporter, filed under the person supported first.

    Args:
        chance: the part's draws.
        households, people, status: the part.
        supported: persons whose support really reaches the household (its members); other supporters pay nothing here.
    """
    who = np.flatnonzero(people.role == SUPPORTER)
    n = len(who)
    target = people.supports[who]
    kind = households.kind[people.household[who]]
    alone = kind == kind_code("alone_without_support")
    lot = chance.between(0, 999, n=n)
    capacity = np.where(lot < np.where(alone, 130, 15), 2, np.where(lot > 985, 1, 0))
    pays = chance.happens(np.where(alone, 80, 420), n=n) & supported[target] & (people.supports_too[who] < 0)
    pays &= (people.age[who] >= 18) & ~status.absent[who]
    agreed = np.where(pays & chance.happens(700, n=n), chance.between(1, 16, n=n) * 5_000, 0)
    received = np.where(pays, np.where(chance.happens(500, n=n), agreed, chance.skewed(0, 90_000, n=n)), 0)
    relation = np.full(n, RELATION.index("child"))
    for name, word in (
        ("single_parent", "parent"),
        ("disabled_child", "sibling"),
        ("single_adult", "sibling"),
        ("grandparent_and_grandchild", "parent"),
    ):
        relation[kind == kind_code(name)] = RELATION.index(word)
    income = chance.skewed(0, 9_000_000, n=n) // 10_000 * 10_000
    income = np.where(people.age[who] < 18, 0, income)
    partner = np.where(chance.happens(600, n=n), chance.skewed(0, 6_000_000, n=n) // 10_000 * 10_000, 0)
    return stack(
        [
            Rows(
                target,
                {
                    "supporter_id": who,
                    "supports": target,
                    "supports_too": people.supports_too[who],
                    "relation": Coded(relation, RELATION),
                    "sex": Coded(people.female[who].astype(np.int64), ("male", "female")),
                    "born_on": people.born[who],
                    "residence": Coded(chance.between(0, 1, n=n), ("urban", "rural")),
                    "division_code": Coded(households.region[people.household[who]], tuple(map(str, REGIONS))),
                    "income": income,
                    "household_size": chance.between(1, 5, n=n),
                    "household_income": income + partner,
                    "children_count": chance.between(1, 4, n=n),
                    "others_supported": chance.between(0, 2, n=n),
                    "agreed_amount": agreed,
                    "received_amount": received,
                    "paid_out": full(0, n),
                    "civil_capacity": Coded(capacity, CIVIL_CAPACITIES),
                },
            )
        ]
    )


def _relief_status(
    chance: Chance, households: Households, people: People, status: Status, ill_now: Bools, on: date
) -> Rows:
    n, today = people.n, day(on)
    alive = (people.role == MEMBER) & ~status.dead & ~status.absent
    kind = households.kind[people.household]
    lot = chance.between(0, 999, n=households.n)[people.household]
    supporter = people.role == SUPPORTER
    alone = kind == kind_code("alone_without_support")
    own = chance.between(0, 999, n=n)
    in_tekun = alive & alone & (own < 320)
    groups = (
        ("dibao", alive & ~in_tekun & (lot < 140), True),
        ("dibao", alive & ~in_tekun & (lot >= 140) & (lot < 180), False),
        ("tekun", in_tekun, True),
        ("dibao", supporter & (own < np.where(alone, 180, 50)), True),
        ("tekun", supporter & (people.age >= 18) & (own >= 980 - 120 * alone), True),
        ("hardship_worker", alive & ~ill_now & (people.age >= 18) & (own > 992), True),
        ("return_to_poverty_monitored", alive & ~ill_now & (own > 985) & (own <= 990), True),
    )
    lots: list[Rows] = []
    for word, group, live in groups:
        who = np.flatnonzero(group)
        m = len(who)
        since = today - chance.between(200, 1_500, n=m)
        until = absent(m) if live else since + chance.between(30, 150, n=m)
        institution = chance.happens(200, n=m) if word == "tekun" else np.zeros(m, dtype=np.bool_)
        code = np.where(institution, 1, 0 if word == "tekun" else -1)
        lots.append(
            Rows(
                who,
                {
                    "programme": same(word, m),
                    "care_mode": Coded(code, ("home", "institution")),
                    "from": since,
                    "until": until,
                    "granted_by": same("某区民政局", m),
                },
            )
        )
    return stack(lots)


def _relief_paid(chance: Chance, relief: Rows, on: date) -> Rows:
    months = month_starts(on, 2)
    paid = np.flatnonzero(relief.coded("programme").within(("dibao", "tekun")) & (relief.ints("until") == NULL))
    who = np.repeat(relief.person[paid], len(months))
    n = len(who)
    tekun = np.repeat(relief.coded("programme").where("tekun")[paid], len(months))
    amount = np.repeat(chance.between(10_000, 90_000, n=len(paid)), len(months))
    return stack(
        [
            Rows(
                who,
                {
                    "category": same("living", n),
                    "programme": Coded(tekun.astype(np.int64), ("dibao", "tekun")),
                    "payer": same("某区民政局", n),
                    "month": np.tile(months, len(paid)),
                    "amount": np.where(tekun, 144_000, amount),
                },
            )
        ]
    )


def _settlements(
    chance: Chance, households: Households, people: People, status: Status, first: int, on: date
) -> tuple[Rows, Bools]:
    n, today = people.n, day(on)
    patient = (
        (people.role == MEMBER) & ~status.dead & ~status.absent & (status.lives_together | (people.place <= SPOUSE))
    )
    rate = np.where(status.ill, 650, np.where(people.age >= 60, 150, 40))
    lots = [np.flatnonzero(patient & chance.happens(rate // k, n=n)) for k in (1, 2, 4)]
    who = np.sort(np.concatenate(lots))
    m = len(who)
    in_total = 20_000 + chance.skewed(0, 6_000_000, n=m)
    in_scope = in_total * chance.between(80, 97, n=m) // 100
    basic = in_scope * chance.between(45, 85, n=m) // 100
    basic = np.where(chance.happens(40, n=m), in_scope, basic)  # nothing left to pay
    serious = np.where(in_scope - basic > 1_000_000, (in_scope - basic - 1_000_000) * 60 // 100, 0)
    other = np.where(chance.happens(30, n=m), (in_scope - basic - serious) // 5, 0)
    left = in_scope - basic - serious - other
    given = np.where(chance.happens(150, n=m), left * 70 // 100, 0)
    number = first * 8 + np.arange(m) * 2
    settled = today - chance.between(4, 330, n=m)
    care = chance.pick([60, 25, 15], n=m)
    # of illnesses of the year, a few are unrelated to the recognised one
    illness = chance.between(0, len(ILLNESSES) - 1, n=m)
    amounts = {
        "total": in_total,
        "in_scope": in_scope,
        "basic_paid": basic,
        "serious_paid": serious,
        "other_paid": other,
        "relief_paid": given,
    }
    region = households.region[people.household[who]]
    places = tuple(map(str, REGIONS))
    words = ("inpatient", "special_outpatient", "outpatient")
    paid = Rows(
        who,
        {
            "settlement_no": number,
            "reverses": absent(m),
            "settled_on": settled,
            "care": Coded(care, words),
            "diagnosis_group": Coded(illness, ILLNESSES),
            "division_code": Coded(region, places),
            **amounts,
        },
    )
    back = np.flatnonzero(chance.happens(60, n=m))
    reversed_rows = Rows(
        who[back],
        {
            "settlement_no": number[back] + 1,
            "reverses": number[back],
            "settled_on": np.minimum(settled[back] + 3, today - 1),
            "care": Coded(care[back], words),
            "diagnosis_group": Coded(illness[back], ILLNESSES),
            "division_code": Coded(region[back], places),
            **{name: -values[back] for name, values in amounts.items()},
        },
    )
    has_bill = np.zeros(n, dtype=np.bool_)
    has_bill[who] = True
    return stack([paid, reversed_rows]), has_bill


def _enrolment(households: Households, people: People, status: Status, work: Work, on: date) -> Rows:
    who = np.flatnonzero((people.role == MEMBER) & ~status.dead)
    n = len(who)
    return Rows(
        who,
        {
            "insured_in": Coded(households.region[people.household[who]], tuple(map(str, REGIONS))),
            "category": Coded((work.occupation[who] == EMPLOYEE).astype(np.int64), ("居民医保", "职工医保")),
            "subsidised": full(0, n),
            "from": full(day(date(on.year, 1, 1)), n),
        },
    )


def _spending(chance: Chance, people: People, first: int, on: date) -> Rows:
    who = np.flatnonzero((people.role == MEMBER) & chance.happens(30, n=people.n))
    n = len(who)
    amount = chance.skewed(20_000, 2_000_000, n=n)
    return Rows(
        who,
        {
            "kind": Coded(chance.pick([50, 40, 10], n=n), ("medical", "education", "rehabilitation")),
            "paid_on": day(on) - chance.between(31, 365, n=n),
            "amount": amount,
            "reimbursed": np.where(chance.happens(400, n=n), amount // 2, 0),
            "invoice_no": first * 4 + np.arange(n),
        },
    )


def _register(chance: Chance, households: Households, people: People, status: Status, on: date) -> Rows:
    who = np.flatnonzero(people.role != SUPPORTER)
    n = len(who)
    rural = households.rural[people.household[who]]
    town = np.where(chance.happens(500, n=n), 1, 2)
    cancelled = status.dead[who] & chance.happens(500, n=n)  # the dead stay on the register for a while
    register = days_of(on.year - np.minimum(people.age[who], 30), 1)
    return Rows(
        who,
        {
            "household_no": households.number[people.household[who]],
            "relation": Coded(people.relation[who], RELATION),
            "sex": Coded(people.female[who].astype(np.int64), ("male", "female")),
            "born_on": people.born[who],
            "hukou_type": Coded(np.where(rural, 0, town), HUKOU),
            "division_code": Coded(households.region[people.household[who]], tuple(map(str, REGIONS))),
            "status": Coded(np.where(cancelled, 2, 0), ("active", "moved_out", "cancelled")),
            "registered_on": np.maximum(register, people.born[who]),
        },
    )


def _marriages(people: People, on: date) -> Rows:
    wife = np.flatnonzero(people.place == SPOUSE)
    husband = wife - 1  # the head stands right before
    registered = days_of(on.year - np.maximum(np.minimum(people.age[wife], people.age[husband]) - 20, 0) // 2 - 1, 5)
    n = len(wife)
    rows = [
        Rows(a, {"status": same("married", n), "spouse_id": b, "registered_on": registered})
        for a, b in ((husband, wife), (wife, husband))
    ]
    return stack(rows)


def _events(households: Households, people: People, on: date) -> Rows:
    head = np.flatnonzero(people.place == 0)
    n = households.n
    steps = (("accepted", 0), ("commissioned", 2))
    lots = [
        Rows(
            head,
            {
                "application_no": households.number,
                "step": same(step, n),
                "on": np.minimum(households.applied + later, day(on) - 1),
                "organisation": same("某镇人民政府", n),
            },
        )
        for step, later in steps
    ]
    return stack(lots)


def _returns(people: People, relief: Rows, on: date) -> Rows:
    paid = relief.coded("programme").where("dibao") & (relief.ints("until") == NULL)
    who = np.intersect1d(relief.person[paid], np.flatnonzero(people.place == 0))
    n = len(who)
    return Rows(
        who,
        {
            "roster_no": same("R202005", n),
            "line": np.arange(1, n + 1),
            "month": full(int(month_starts(on, 1)[0]), n),
            "amount": full(45_000, n) + who % 100 * 100,
            "result": Coded((who % 97 == 0).astype(np.int64), ("paid", "returned")),
        },
    )
