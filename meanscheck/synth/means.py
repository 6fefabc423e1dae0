"""What does each person earn and own in law? Income over the window and property, reckoned from the true facts.

Guangdong's law of 2020 for Jiangmen, in whole fen:

    window             the 6 whole months before the month of the application (粤府令262号)
    higher of both     declared or found, per person and kind of income or property, from 2019-09-01 (same)
    imputed wage       whoever is able and idle without good reason counts at the minimum wage (same)
    own property       deposits, securities, cash value of own policies, wallets; houses, vehicles and firms with the
                       exceptions of the list (粤民规字〔2019〕9号)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meanscheck.synth.chance import NULL, Bools, Ints
from meanscheck.synth.facts import Facts
from meanscheck.synth.rows import Rows, day, has, latest, total

MINIMUM_WAGE = 155_000  # fen a month, provincial class three, 2018-07-01 to 2021-11-30
WINDOW = 6

COUNTED_PENSIONS = (  # transfer income; central part of the basic pension included before 2021-07-01
    "employee_pension",
    "office_pension",
    "resident_basic_pension",
    "survivor_allowance",
    "unemployment_benefit",
    "retired_military_pension",
    "injury_benefit",
)
NOT_VEHICLES = ("motorcycle", "electric_bicycle", "disability_vehicle", "farm_machine")


@dataclass(frozen=True, slots=True)
class Income:
    """Income over the window in fen, one entry a person, each kind the higher of declared and found."""

    wages: Ints
    business: Ints
    proceeds: Ints
    transfer: Ints
    other: Ints
    paid: Ints
    """Regular transfers paid: own social insurance contributions and income tax."""
    imputed: Bools
    """Counted at the minimum wage instead of wages and business."""

    @property
    def own(self) -> Ints:
        """The person's own income, imputation left aside."""
        return self.wages + self.business + self.proceeds + self.transfer + self.other - self.paid

    @property
    def counted(self) -> Ints:
        """What the person adds to the household's income."""
        return self.own + np.where(self.imputed, MINIMUM_WAGE * WINDOW - self.wages - self.business, 0)


def incomes(facts: Facts) -> Income:
    """Income of each person over the window of his household's application."""
    n = facts.people.n
    tax, payroll = facts.feeds["tax_income"], facts.feeds["public_payroll"]
    item = tax.coded("item")
    taxed = {word: _in_window_sum(facts, tax, "month", "amount", item.where(word)) for word in item.words}
    survey = {
        word: item_sum(facts.feeds["field_survey"], word, n) for word in facts.feeds["field_survey"].coded("item").words
    }
    declared = {
        word: item_sum(facts.feeds["declaration"], word, n) for word in facts.feeds["declaration"].coded("item").words
    }
    nothing = np.zeros(n, dtype=np.int64)

    # the payer and the tax office see the same wage: the higher, not the sum
    employed = np.maximum(taxed["wages"], _in_window_sum(facts, payroll, "month", "amount"))
    wages = employed + taxed["labour"] + taxed["royalties"] + survey.get("odd_jobs", nothing)
    business = taxed["business"] + survey.get("farming", nothing) + survey.get("livestock", nothing)
    collective = facts.feeds["collective_income"]
    dividends = _in_window_sum(facts, collective, "paid_on", "amount", collective.coded("kind").where("dividend"))
    land = _in_window_sum(facts, collective, "paid_on", "amount", collective.coded("kind").where("land_compensation"))
    found_property = taxed["interest"] + taxed["rent"] + taxed["transfer"] + survey.get("rent", nothing)
    found_property = found_property + np.maximum(dividends, survey.get("collective_dividend", nothing)) + land
    pensions = facts.feeds["pensions_paid"]
    regular = _in_window_sum(facts, pensions, "month", "amount", pensions.coded("kind").within(COUNTED_PENSIONS))
    received = regular + _support_received(facts)
    insurance = facts.feeds["social_insurance"]
    own_part = insurance.coded("scheme").within(("pension", "medical", "unemployment"))
    paid = _in_window_sum(facts, insurance, "month", "personal_paid", own_part)
    paid = paid + _in_window_sum(facts, tax, "month", "tax")

    earns = (wages > 0) | (business > 0)
    wages = np.maximum(wages, declared.get("wages", nothing))
    business = np.maximum(business, declared.get("business", nothing))
    return Income(
        wages=wages,
        business=business,
        proceeds=np.maximum(found_property, declared.get("property", nothing)),
        transfer=np.maximum(received, declared.get("transfer", nothing)),
        other=np.maximum(taxed["incidental"], declared.get("other", nothing)),
        paid=paid,
        imputed=(wages + business < MINIMUM_WAGE * WINDOW) & able_to_work(facts) & _idle_without_reason(facts, earns),
    )


def able_to_work(facts: Facts) -> Bools:
    """Of working age (16 to 60, women to 50), fit, not severely disabled, not seriously ill, not at school."""
    people, n, today = facts.people, facts.people.n, day(facts.on)
    of_age = (people.age >= 16) & (people.age < np.where(people.female, 50, 60))
    capacity = facts.feeds["labour_capacity"]
    last = latest(capacity, "appraised_on", n)
    unfit = (last >= 0) & ~at_index(capacity.coded("capacity").where("full"), last)
    disability = facts.feeds["disability"]
    valid = open_end(disability.ints("valid_to"), today)
    heavy = disability.coded("grade").within(("1", "2"))
    heavy |= disability.coded("grade").where("3") & disability.coded("kind").within(("intellectual", "mental"))
    severe = has(disability.person[heavy & valid], n)
    illness = facts.feeds["serious_illness"]
    recognised = (illness.ints("recognised_on") <= today) & open_end(illness.ints("valid_to"), today)
    ill = has(illness.person[recognised], n)
    school = facts.feeds["school"]
    attends = (school.ints("enrolled_on") <= today) & open_end(school.ints("left_on"), today)
    student = has(school.person[attends & school.coded("mode").where("full_time")], n)
    return np.asarray(of_age & ~unfit & ~severe & ~ill & ~student)


def _idle_without_reason(facts: Facts, earns: Bools) -> Bools:
    """Not working, and neither the employment register nor the officer gives a reason."""
    n = facts.people.n
    register, offers = facts.feeds["employment"], facts.feeds["work_offers"]
    status = register.coded("status")
    works = earns | has(register.person[status.within(("employed", "flexible"))], n)
    refused = has(offers.person[offers.ints("refused") == 1], n)
    unable = has(register.person[status.where("not_able")], n)
    looking = has(register.person[status.where("registered_unemployed")], n) & ~refused
    return np.asarray(~works & ~unable & ~looking & (facts.excused != 1))


def financial_assets(facts: Facts) -> Ints:
    """Deposits, securities, cash value of own policies and wallets of each person, each the higher of declared and
    found."""
    n, today = facts.people.n, day(facts.on)
    declared = facts.feeds["declaration"]
    out = np.zeros(n, dtype=np.int64)
    for feed, column in (
        ("bank_deposits", "balance"),
        ("securities", "value"),
        ("insurance_policies", "cash_value"),
        ("wallets", "balance"),
    ):
        rows = facts.feeds[feed]
        counts = np.ones(rows.height, dtype=np.bool_)
        if feed == "insurance_policies":
            counts = rows.coded("role").where("holder")
        if feed == "bank_deposits":
            counts = _latest_balance(rows, today)
        found = total(rows.ints(column)[counts], rows.person[counts], n)
        out += np.maximum(found, item_sum(declared, f"{feed}.{column}", n))
    return out


def _latest_balance(rows: Rows, today: int) -> Bools:
    """Per account the latest balance not after the reference day."""
    account, as_of = rows.ints("account_token"), rows.ints("as_of")
    usable = np.flatnonzero(as_of <= today)
    order = usable[np.lexsort((as_of[usable], account[usable]))]
    last_of_account = np.append(account[order][1:] != account[order][:-1], True)[: len(order)]
    return has(order[last_of_account], rows.height)


def no_other_property(facts: Facts) -> Bools:
    """Persons without shop or factory premises, without a vehicle that counts, and without a live business."""
    n = facts.people.n
    houses, vehicles, firms = (facts.feeds[f] for f in ("real_estate", "vehicles", "business_registration"))
    premises = _held(houses) & houses.coded("use").within(("commercial", "industrial")) & _true(houses)
    counts = ~vehicles.coded("vehicle_class").within(NOT_VEHICLES) & ~vehicles.coded("status").where("scrapped")
    live = firms.coded("status").within(("open", "suspended"))
    relief_coop = (firms.ints("is_relief_coop") == 1) & firms.coded("role").where("coop_member")
    family_shop = (firms.ints("is_couple_run") == 1) & (firms.ints("employees") == 0)
    trading = live & ~relief_coop & ~family_shop & _true(firms)
    barred = has(houses.person[premises], n) | has(vehicles.person[counts & _true(vehicles)], n)
    return ~(barred | has(firms.person[trading], n))


def dwellings(facts: Facts) -> Ints:
    """Dwellings held by each person; an uninhabited ancestral or mud-brick house is not counted."""
    houses = facts.feeds["real_estate"]
    counts = _held(houses) & houses.coded("use").where("residential") & _true(houses)
    counts &= ~houses.coded("condition").where("uninhabited")
    return total(counts.astype(np.int64), houses.person, facts.people.n)


def _support_received(facts: Facts) -> Ints:
    """Per supporter the higher of agreed and received a month, for the window; credited to the first person
    supported."""
    rows = facts.feeds["supporters"]
    monthly = np.maximum(rows.ints("agreed_amount"), rows.ints("received_amount"))
    return total(monthly * WINDOW, rows.person, facts.people.n)


def _in_window_sum(facts: Facts, rows: Rows, when: str, amount: str, chosen: Bools | None = None) -> Ints:
    """Sum of a column over rows dated in the whole months before the month of the person's application."""
    applied = facts.households.applied[facts.people.household[rows.person]]
    end = applied.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    month = rows.ints(when).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    counts = (month >= end - WINDOW) & (month < end)
    if chosen is not None:
        counts &= chosen
    return total(rows.ints(amount)[counts], rows.person[counts], facts.people.n)


def item_sum(rows: Rows, word: str, n: int) -> Ints:
    item = rows.coded("item")
    if word not in item.words:
        return np.zeros(n, dtype=np.int64)
    chosen = item.where(word)
    return total(rows.ints("amount")[chosen], rows.person[chosen], n)


def _held(houses: Rows) -> Bools:
    return houses.coded("status").within(("owned", "sealed"))


def _true(rows: Rows) -> Bools:
    return np.ones(rows.height, dtype=np.bool_) if rows.real is None else rows.real


def open_end(until: Ints, today: int) -> Bools:
    return np.asarray((until == NULL) | (until >= today))


def at_index(values: Bools, index: Ints) -> Bools:
    """Values at an index that may be -1 (then False)."""
    return np.append(values, False)[index]
