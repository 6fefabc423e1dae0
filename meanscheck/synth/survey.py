"""What did the office find at home, and what did the applicant declare? And who stands right on a line?

The field survey (入户调查) and the declaration are drawn last, because declared figures follow the found ones: mostly
equal, sometimes lower, now and then higher. A share of households is put on a line to the fen: the head's odd jobs
make the family's income equal to the standard, or one fen less, or a little more; a balance makes the assets equal to
the ceiling.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from meanscheck.synth.chance import Bools, Chance, Ints
from meanscheck.synth.facts import Facts
from meanscheck.synth.means import WINDOW, Income, financial_assets, incomes
from meanscheck.synth.people import HEAD, MEMBER, kind_code
from meanscheck.synth.rows import Coded, Rows, day, full, has, stack, total
from meanscheck.synth.truth import ASSET_MONTHS, STANDARD, membership
from meanscheck.synth.work import ELSEWHERE, FARMER, ODD_JOBS, UNRECORDED, Work

SURVEYED = (
    "odd_jobs",
    "farming",
    "livestock",
    "rent",
    "collective_dividend",
    "land_compensation",
    "remittance",
    "housing_use",
    "vehicle_use",
    "vehicle_value",
    "living_condition_adjustment",
)
DECLARED = (
    "wages",
    "business",
    "property",
    "transfer",
    "other",
    "bank_deposits.balance",
    "securities.value",
    "insurance_policies.cash_value",
    "wallets.balance",
)


def empty_declaration() -> Rows:
    """A declaration without rows."""
    none = np.zeros(0, dtype=np.int64)
    return Rows(none, {"item": Coded(none, DECLARED), "amount": none})


def draw_survey(chance: Chance, facts: Facts, work: Work) -> Rows:
    """Feed `field_survey`: totals over the window per item, and the assessor's signed adjustments."""
    people, n = facts.people, facts.people.n
    rural = facts.households.rural[people.household]
    adult = (people.role == MEMBER) & (people.age >= 18)
    farmer, casual = work.occupation == FARMER, work.occupation == ODD_JOBS
    tax = facts.feeds["tax_income"]
    lets = has(tax.person[tax.coded("item").where("rent")], n)
    head = people.place == HEAD
    groups: tuple[tuple[str, Bools, int, int, int], ...] = (
        ("odd_jobs", casual, 1000, 60_000, 1_600_000),
        ("farming", farmer, 1000, 80_000, 1_400_000),
        ("livestock", farmer, 300, 20_000, 500_000),
        ("rent", adult & ~lets, 8, 60_000, 600_000),
        ("collective_dividend", adult & rural, 60, 4_000, 300_000),
        ("living_condition_adjustment", head, 40, -60_000, 90_000),
    )
    lots: list[Rows] = []
    for item, group, rate, low, high in groups:
        who = np.flatnonzero(group & chance.happens(rate, n=n))
        m = len(who)
        signed = item == "living_condition_adjustment"
        amount = chance.between(low // 100, high // 100, n=m) * 100 if signed else chance.skewed(low, high, n=m)
        lots.append(_surveyed(facts, chance, who, item, amount))
    return stack(lots)


def _surveyed(facts: Facts, chance: Chance, who: Ints, item: str, amount: Ints) -> Rows:
    n = len(who)
    visited = facts.households.applied[facts.people.household[who]] + chance.between(1, 5, n=n)
    return Rows(
        who,
        {
            "item": Coded(full(SURVEYED.index(item), n), SURVEYED),
            "amount": amount,
            "surveyed_on": np.minimum(visited, day(facts.on) - 1),
            "surveyor_org": Coded(full(0, n), ("某镇人民政府",)),
        },
    )


def choose_on_line(chance: Chance, facts: Facts, work: Work) -> tuple[Bools, Bools]:
    """Heads whose odd jobs will be set to the income line, and heads whose balance will be set to the asset ceiling."""
    people = facts.people
    head = people.place == HEAD
    old = (people.age >= 60) & (work.occupation == ELSEWHERE)
    alone = facts.households.kind[people.household] == kind_code("alone_without_support")
    rate = np.where(alone, 60, 120)
    income = head & (old | (work.occupation == ODD_JOBS)) & chance.happens(rate, n=people.n)
    assets = head & ~income & chance.happens(25, n=people.n)
    return income, assets


def draw_declaration(chance: Chance, facts: Facts, work: Work, *, untouched: Bools) -> Rows:
    """Feed `declaration`, from the found figures (`facts` holds none yet); `untouched` heads declare nothing."""
    found = incomes(facts)
    n = facts.people.n
    member = (facts.people.role == MEMBER) & ~untouched
    # a declared transfer is a receipt: only of those who pay no contributions and get no support, so that it is plain
    plain = (found.paid == 0) & ~has(facts.feeds["supporters"].person, n)
    lots = [
        _declared(chance, "wages", found.wages, member & chance.happens(180, n=n)),
        _declared(chance, "business", found.business, member & chance.happens(100, n=n)),
        _declared(chance, "property", found.proceeds, member & chance.happens(150, n=n)),
        _declared(chance, "transfer", found.transfer, member & plain & chance.happens(120, n=n)),
        _declared(chance, "other", found.other, member & chance.happens(200, n=n)),
    ]
    # earners of whom no register knows: their own word is all there is
    who = np.flatnonzero(member & (work.occupation == UNRECORDED) & (found.wages == 0))
    amount = chance.skewed(80_000, 1_500_000, n=len(who))
    lots.append(Rows(who, {"item": Coded(full(0, len(who)), DECLARED), "amount": amount}))
    for item, rate in (
        ("bank_deposits.balance", 220),
        ("securities.value", 500),
        ("insurance_policies.cash_value", 250),
        ("wallets.balance", 90),
    ):
        feed, column = item.split(".")
        rows = facts.feeds[feed]
        held = total(rows.ints(column), rows.person, n)
        lots.append(_declared(chance, item, held, member & chance.happens(rate, n=n)))
    return stack(lots)


def _declared(chance: Chance, item: str, found: Ints, group: Bools) -> Rows:
    who = np.flatnonzero(group & (found > 0))
    n = len(who)
    lot = chance.between(0, 99, n=n)
    amount = found[who]
    lower, higher = amount * chance.between(20, 95, n=n) // 100, amount * chance.between(101, 130, n=n) // 100
    amount = np.where(lot < 60, amount, np.where(lot < 88, lower, higher))
    return Rows(who, {"item": Coded(full(DECLARED.index(item), n), DECLARED), "amount": amount})


def put_on_line(chance: Chance, facts: Facts, *, income_heads: Bools, asset_heads: Bools) -> Facts:
    """The same facts with odd jobs and balances of the chosen heads set right at the line, a fen or a little beside
    it."""
    belongs = membership(facts)
    feeds = dict(facts.feeds)
    size = total(belongs.astype(np.int64), facts.people.household, facts.households.n)
    feeds["field_survey"] = _jobs_on_line(chance, facts, belongs, size, income_heads)
    feeds["bank_deposits"] = _balance_on_line(chance, facts, belongs, size, asset_heads)
    return replace(facts, feeds=feeds)


def _jobs_on_line(chance: Chance, facts: Facts, belongs: Bools, size: Ints, heads: Bools) -> Rows:
    survey = facts.feeds["field_survey"]
    theirs = heads[survey.person] & survey.coded("item").where("odd_jobs")
    keep = np.flatnonzero(~theirs)
    rest = Rows(
        survey.person[keep],
        {
            "item": Coded(survey.coded("item").codes[keep], SURVEYED),
            "amount": survey.ints("amount")[keep],
            "surveyed_on": survey.ints("surveyed_on")[keep],
            "surveyor_org": Coded(survey.coded("surveyor_org").codes[keep], survey.coded("surveyor_org").words),
        },
    )
    without: Income = incomes(replace(facts, feeds={**facts.feeds, "field_survey": rest}))
    adjusting = rest.coded("item").where("living_condition_adjustment")
    base = np.where(belongs, without.counted, 0)
    base = base + total(np.where(adjusting, rest.ints("amount"), 0), rest.person, facts.people.n)
    household = total(base, facts.people.household, facts.households.n)
    who = np.flatnonzero(heads)
    home = facts.people.household[who]
    beside = np.array([0, -1, 1, -2, -3, -4, 3, -600, 700, -5_000])[
        chance.pick([25, 20, 15, 6, 6, 6, 6, 6, 5, 5], n=len(who))
    ]
    amount = STANDARD * WINDOW * size[home] - household[home] + beside
    possible = (amount > 0) & (without.wages[who] == 0)
    return stack([rest, _surveyed(facts, chance, who[possible], "odd_jobs", amount[possible])])


def _balance_on_line(chance: Chance, facts: Facts, belongs: Bools, size: Ints, heads: Bools) -> Rows:
    rows = facts.feeds["bank_deposits"]
    as_of = rows.ints("as_of")
    newest = np.flatnonzero(heads[rows.person] & (as_of == as_of.max(initial=0)))
    _, first = np.unique(rows.person[newest], return_index=True)
    chosen = newest[first]
    balance = rows.ints("balance").copy()
    assets = total(np.where(belongs, financial_assets(facts), 0), facts.people.household, facts.households.n)
    home = facts.people.household[rows.person[chosen]]
    beside = np.array([0, 1, -1, 100, -100])[chance.pick([35, 25, 20, 10, 10], n=len(chosen))]
    wanted = ASSET_MONTHS * STANDARD * size[home] - (assets[home] - balance[chosen]) + beside
    fits = wanted >= 0
    balance[chosen[fits]] = wanted[fits]
    return Rows(rows.person, {**rows.columns, "balance": balance})
