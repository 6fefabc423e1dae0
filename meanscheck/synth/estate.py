"""What do the members own? Accounts, policies, vehicles, houses, firms: with the register entries that are wrong
about it.

A register row is noise (`real` False) when it names a member but tells no true fact about him: a car scrapped long
ago or lent to another, a shop flat registered to a namesake, a firm that was revoked though the register says open.
The office finds that out and disregards the row; until then it is a doubtful point (疑点) like a true one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from meanscheck.synth.chance import Bools, Chance
from meanscheck.synth.identity import REGIONS, credit_codes
from meanscheck.synth.people import HEAD, MEMBER, PARENT, SPOUSE, Households, People
from meanscheck.synth.rows import Coded, Column, Rows, absent, day, full, same, stack, take
from meanscheck.synth.work import FARMER, TRADER, Work

BANKS = ("ICBC", "ABC", "BOC", "CCB", "PSBC", "JMRCU")
ACCOUNT_KINDS = ("current", "term", "other")
SECURITY_KINDS = ("shares", "fund", "bond", "wealth_product")
POLICY_KINDS = ("life", "annuity", "investment", "other")
POLICY_ROLES = ("holder", "insured", "beneficiary")
VEHICLES = (
    "car",
    "small_goods",
    "large",
    "motorcycle",
    "electric_bicycle",
    "disability_vehicle",
    "farm_machine",
    "ship",
)
VEHICLE_STATUS = ("normal", "overdue", "seized", "scrapped")
USES = ("residential", "commercial", "industrial", "land")
CONDITIONS = ("normal", "grade_c", "grade_d", "uninhabited")
TITLES = ("owned", "transferred", "sealed")
ROLES = ("legal_representative", "shareholder", "sole_trader", "partner", "coop_member")
FIRM_STATUS = ("open", "suspended", "revoked", "deregistered")


def draw_estate(
    chance: Chance, households: Households, people: People, work: Work, *, first: int, on: date
) -> Mapping[str, Rows]:
    """Property feeds of a part; `first` is the county-wide number from which tokens are given out (below 10^8)."""
    adult = (people.role == MEMBER) & (people.age >= 18)
    return {
        "bank_deposits": _deposits(chance, people, adult, first, on),
        "securities": _securities(chance, adult, first),
        "insurance_policies": _policies(chance, people, first),
        "wallets": _wallets(chance, people, adult, first),
        "vehicles": _vehicles(chance, people, adult, work, first, on),
        "real_estate": _real_estate(chance, households, people, adult, first, on),
        "business_registration": _firms(chance, households, people, adult, work, first),
        "farmland": _farmland(chance, people, work, first),
        "farm_subsidies": _subsidies(chance, work, on),
        "collective_income": _collective(chance, households, people, adult, first, on),
    }


def _deposits(chance: Chance, people: People, adult: Bools, first: int, on: date) -> Rows:
    owners = [np.flatnonzero(adult & chance.happens(rate, n=people.n)) for rate in (930, 330, 60)]
    who = np.concatenate(owners)
    n = len(who)
    rich = chance.happens(45, n=n)
    balance = np.where(rich, chance.between(1_000_000, 9_000_000, n=n), chance.skewed(0, 1_600_000, n=n))
    columns: dict[str, Column] = {
        "bank_code": Coded(chance.pick([25, 25, 10, 10, 15, 15], n=n), BANKS),
        "account_token": first * 4 + np.arange(n),
        "account_kind": Coded(chance.pick([80, 18, 2], n=n), ACCOUNT_KINDS),
        "balance": balance,
        "outflow_6m": np.where(chance.happens(20, n=n), balance // 2, chance.skewed(0, 300_000, n=n)),
        "as_of": full(day(on) - 10, n),
    }
    now = Rows(who, columns)
    # an earlier answer about the same account: only the latest balance not after the reference day counts
    again = np.flatnonzero(chance.happens(50, n=n))
    earlier: dict[str, Column] = {}
    for name, column in columns.items():
        earlier[name] = take(column, again)
    earlier["balance"] = chance.skewed(0, 5_000_000, n=len(again))
    earlier["as_of"] = full(day(on) - 91, len(again))
    return stack([now, Rows(who[again], earlier)])


def _securities(chance: Chance, adult: Bools, first: int) -> Rows:
    who = np.flatnonzero(adult & chance.happens(25, n=len(adult)))
    n = len(who)
    return Rows(
        who,
        {
            "kind": Coded(chance.pick([45, 25, 5, 25], n=n), SECURITY_KINDS),
            "value": chance.skewed(1_000, 6_000_000, n=n),
            "institution": same("ZQ01", n),
            "account_token": first * 4 + np.arange(n),
        },
    )


def _policies(chance: Chance, people: People, first: int) -> Rows:
    who = np.flatnonzero((people.role == MEMBER) & chance.happens(60, n=people.n))
    n = len(who)
    role = np.where(people.age[who] < 18, 1, chance.pick([70, 22, 8], n=n))
    return Rows(
        who,
        {
            "kind": Coded(chance.pick([45, 25, 10, 20], n=n), POLICY_KINDS),
            "role": Coded(role, POLICY_ROLES),
            "premium": chance.between(10_000, 500_000, n=n),
            "cash_value": chance.skewed(0, 2_500_000, n=n),
            "institution": same("BX01", n),
            "policy_token": first * 4 + np.arange(n),
        },
    )


def _wallets(chance: Chance, people: People, adult: Bools, first: int) -> Rows:
    who = np.flatnonzero(adult & chance.happens(np.where(people.age < 60, 550, 80), n=people.n))
    n = len(who)
    return Rows(
        who,
        {
            "balance": chance.skewed(0, 300_000, n=n),
            "institution": same("ZF01", n),
            "account_token": first * 4 + np.arange(n),
        },
    )


def _vehicles(chance: Chance, people: People, adult: Bools, work: Work, first: int, on: date) -> Rows:
    drivers = adult & (people.age < 75)
    groups = (  # class, who, thousandths, truly his (in thousandths)
        ("car", drivers, 22, 1000),
        ("car", adult, 16, 0),
        ("small_goods", np.isin(work.occupation, [TRADER, FARMER]), 30, 1000),
        ("large", drivers, 2, 500),
        ("motorcycle", drivers, 200, 1000),
        ("electric_bicycle", drivers, 120, 1000),
        ("disability_vehicle", adult, 5, 1000),
        ("farm_machine", work.occupation == FARMER, 70, 1000),
        ("ship", work.occupation == FARMER, 8, 700),
    )
    lots: list[Rows] = []
    for word, group, rate, truth in groups:
        who = np.flatnonzero(group & chance.happens(rate, n=people.n))
        n = len(who)
        status = np.where(chance.happens(60, n=n), chance.between(1, 3, n=n), 0)
        real = chance.happens(truth, n=n)
        status = np.where(real, status, np.where(chance.happens(500, n=n), 1, 0))  # noise looks like a live entry
        use = "营运" if word in ("small_goods", "large") else "非营运"
        lots.append(
            Rows(
                who,
                {
                    "vehicle_class": Coded(full(VEHICLES.index(word), n), VEHICLES),
                    "use_nature": same(use, n),
                    "status": Coded(status, VEHICLE_STATUS),
                    "registered_on": day(on) - chance.between(100, 5_000, n=n),
                },
                real,
            )
        )
    return _numbered(stack(lots), "vehicle_token", first)


def _numbered(rows: Rows, column: str, first: int) -> Rows:
    """The rows with a token each, unique in the county."""
    return Rows(rows.person, {column: first * 4 + np.arange(rows.height), **rows.columns}, rows.real)


def _real_estate(chance: Chance, households: Households, people: People, adult: Bools, first: int, on: date) -> Rows:
    n = people.n
    rural = households.rural[people.household]
    head = (people.place == HEAD) & adult
    elder = adult & (people.place == PARENT)
    groups = (  # use, condition, title, who, thousandths, truly his, transferred
        ("residential", "any", "owned", head, 640, 1000),
        ("residential", "any", "owned", elder, 60, 1000),
        ("residential", "any", "sealed", head & ~rural, 6, 1000),
        ("residential", "any", "owned", adult & (people.place <= SPOUSE), 22, 1000),
        ("residential", "uninhabited", "owned", head & rural, 110, 1000),
        ("residential", "any", "transferred", adult, 18, 1000),
        ("commercial", "normal", "owned", adult, 9, 1000),
        ("commercial", "normal", "transferred", adult, 4, 1000),
        ("commercial", "normal", "owned", adult, 8, 0),
        ("industrial", "normal", "owned", adult, 2, 600),
        ("land", "normal", "owned", head & rural, 70, 1000),
    )
    lots: list[Rows] = []
    for use, condition, title, group, rate, truth in groups:
        who = np.flatnonzero(group & chance.happens(rate, n=n))
        m = len(who)
        state = full(CONDITIONS.index("normal" if condition == "any" else condition), m)
        if condition == "any":
            state = np.where(chance.happens(60, n=m), chance.between(1, 2, n=m), state)
        registered = day(on) - chance.between(800, 9_000, n=m)
        transferred = day(on) - chance.between(15, 700, n=m) if title == "transferred" else absent(m)
        lots.append(
            Rows(
                who,
                {
                    "use": Coded(full(USES.index(use), m), USES),
                    "area": chance.between(2_500, 16_000, n=m) * 100,  # cm²: 25 to 160 m² in steps of a hundredth
                    "share": np.where(chance.happens(80, n=m), 500_000, 1_000_000),
                    "condition": Coded(state, CONDITIONS),
                    "division_code": Coded(households.region[people.household[who]], tuple(map(str, REGIONS))),
                    "status": Coded(full(TITLES.index(title), m), TITLES),
                    "registered_on": registered,
                    "transferred_on": transferred,
                },
                chance.happens(truth, n=m),
            )
        )
    return _numbered(stack(lots), "right_token", first)


def _firms(chance: Chance, households: Households, people: People, adult: Bools, work: Work, first: int) -> Rows:
    trader = work.occupation == TRADER
    groups = (  # role, status, employees, couple-run, relief co-op, who, thousandths, truly his
        ("sole_trader", "open", 2, 0, 0, trader, 350, 1000),
        ("sole_trader", "open", 0, 1, 0, trader, 400, 1000),
        ("sole_trader", "open", 0, 1, 0, adult, 4, 1000),
        ("sole_trader", "open", 1, 1, 0, adult, 2, 1000),
        ("sole_trader", "suspended", 0, 0, 0, adult, 3, 1000),
        ("coop_member", "open", 12, 0, 1, work.occupation == FARMER, 90, 1000),
        ("coop_member", "open", 12, 0, 0, work.occupation == FARMER, 10, 1000),
        ("shareholder", "open", 8, 0, 0, adult, 4, 1000),
        ("legal_representative", "revoked", 0, 0, 0, adult, 7, 1000),
        ("legal_representative", "deregistered", 0, 0, 0, adult, 6, 1000),
        ("legal_representative", "open", 5, 0, 0, adult, 9, 0),
        ("sole_trader", "open", 0, 0, 0, adult, 5, 0),
    )
    lots: list[Rows] = []
    for role, status, employees, couple, coop, group, rate, truth in groups:
        who = np.flatnonzero(group & chance.happens(rate, n=people.n))
        m = len(who)
        lots.append(
            Rows(
                who,
                {
                    "entity_type": same("农民专业合作社" if role == "coop_member" else "个体工商户", m),
                    "business_line": Coded(chance.between(0, 3, n=m), ("5212", "6210", "0111", "8053")),
                    "role": Coded(full(ROLES.index(role), m), ROLES),
                    "contribution": chance.between(1, 200, n=m) * 100_000,
                    "employees": full(employees, m),
                    "is_couple_run": full(couple, m),
                    "is_relief_coop": full(coop, m),
                    "status": Coded(full(FIRM_STATUS.index(status), m), FIRM_STATUS),
                },
                chance.happens(truth, n=m),
            )
        )
    rows = stack(lots)
    numbers = (first + np.arange(rows.height)) % 10**8
    codes = credit_codes(numbers, households.region[people.household[rows.person]])
    return Rows(rows.person, {"credit_code": codes, **rows.columns}, rows.real)


def _farmland(chance: Chance, people: People, work: Work, first: int) -> Rows:
    who = np.flatnonzero((work.occupation == FARMER) & chance.happens(850, n=people.n))
    n = len(who)
    return Rows(
        who,
        {
            "area": chance.between(30_000, 900_000, n=n) * 100,
            "use": Coded(chance.between(0, 2, n=n), ("水田", "旱地", "果园")),
            "parcel_token": first * 4 + np.arange(n),
        },
    )


def _subsidies(chance: Chance, work: Work, on: date) -> Rows:
    who = np.flatnonzero((work.occupation == FARMER) & chance.happens(700, n=len(work.occupation)))
    n = len(who)
    return Rows(
        who,
        {
            "month": full(day(date(on.year, 4, 1)), n),
            "kind": same("耕地地力保护补贴", n),
            "amount": chance.between(3_000, 40_000, n=n),
        },
    )


def _collective(chance: Chance, households: Households, people: People, adult: Bools, first: int, on: date) -> Rows:
    rural = adult & households.rural[people.household]
    dividend = np.flatnonzero(rural & chance.happens(110, n=people.n))
    land = np.flatnonzero(rural & chance.happens(8, n=people.n))
    n, m = len(dividend), len(land)
    return stack(
        [
            Rows(
                dividend,
                {
                    "paid_on": day(on) - chance.between(31, 365, n=n),
                    "kind": same("dividend", n),
                    "amount": chance.skewed(5_000, 500_000, n=n),
                    "payment_no": first * 4 + np.arange(n),
                },
            ),
            Rows(
                land,
                {
                    "paid_on": day(on) - chance.between(31, 365, n=m),
                    "kind": same("land_compensation", m),
                    "amount": chance.skewed(100_000, 4_000_000, n=m),
                    "payment_no": first * 4 + n + np.arange(m),
                },
            ),
        ]
    )
