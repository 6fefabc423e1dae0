"""Who is truly entitled on the county's day in 2020? Plain reckoning on the true facts, written to be read against the law.

This module knows nothing of rule packs or the rule engine. It holds Guangdong's law of 2020-06-30 for Jiangmen as far as the
sources give it, in whole fen and cross-multiplied comparisons:

    income window           the 6 whole months before the application                              粤府令262号
    higher of both          declared or found, per person and kind of income and of property       粤府令262号 (from 2019-09-01)
    dibao                   income per head below 900.00 a month (2020-03-30), property within limits; the difference is paid
    financial assets        at most 24 months' standard a head                                     粤民规字〔2019〕9号
    houses, vehicles, firms at most one dwelling and nothing else; no motor vehicle; no business   same, with its exceptions
    imputed wage            an able person who does not work without good reason counts at the minimum wage, 1550.00
    tekun                   no labour, no means, nobody able to support (令649 Art. 14; 民发〔2016〕178号): 1440.00 a month
                            (17 280 a year) and care at 2, 30 or 60 % of the minimum wage           粤民规字〔2018〕4号
    medical relief          the ratio of 2020 is not known: whoever is covered and has own costs is referred
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meanscheck.contracts.units import RELATION
from meanscheck.synth.chance import NULL, Bools, Ints
from meanscheck.synth.facts import Facts
from meanscheck.synth.people import HEAD, MEMBER, SPOUSE
from meanscheck.synth.rows import Rows, day, days_of, has, latest, total

STANDARD = 90_000  # dibao, fen a month a head, urban and rural alike, notice of 2020-03-30
TEKUN_BASIC = 144_000  # 900.00 × 1.6
MINIMUM_WAGE = 155_000  # provincial class three, 2018-07-01 to 2021-11-30
WINDOW = 6
ASSET_MONTHS = 24
CARE_PERCENT = ((0, 0, 2), (1, 3, 30), (4, 6, 60))  # items failed from, to; percent of the minimum wage

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
INELIGIBLE, ELIGIBLE, REFER = 0, 1, 2
OUTCOMES = ("ineligible", "eligible", "refer")


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


@dataclass(frozen=True, slots=True)
class Truth:
    """True outcomes. `dibao` and `dibao_award` have one entry a household, the others one a person (members only)."""

    member: Bools
    size: Ints
    household_income: Ints
    household_assets: Ints
    dibao: Ints
    dibao_award: Ints
    tekun: Ints
    tekun_award: Ints
    medical: Ints


def reckon(facts: Facts) -> Truth:
    """Outcomes of every household and member of the application of a part."""
    people, households = facts.people, facts.households
    belongs = membership(facts)
    size = total(belongs.astype(np.int64), people.household, households.n)
    income = incomes(facts)
    assets = financial_assets(facts)
    clean = no_other_property(facts)
    tekun = _tekun(facts, belongs=belongs, income=income, assets=assets, clean=clean)

    of_members = np.flatnonzero(belongs)
    home = people.household[of_members]
    household_income = total(income.counted[of_members], home, households.n) + _adjustment(facts, belongs)
    household_income = np.maximum(household_income, 0)
    household_assets = total(assets[of_members], home, households.n)
    barred = has(home[~clean[of_members]], households.n) | _more_than_one_dwelling(facts, belongs)
    # 令649 Art. 9: below the standard; the annual sums are compared crosswise
    poor = household_income < STANDARD * WINDOW * size
    modest = household_assets <= ASSET_MONTHS * STANDARD * size
    all_in_tekun = total((tekun == ELIGIBLE).astype(np.int64), people.household, households.n) == size
    dibao = np.where(poor & modest & ~barred & ~all_in_tekun, ELIGIBLE, INELIGIBLE)
    # standard × n − income ÷ 6, rounded once, half up, to the fen
    shortfall = size * STANDARD * WINDOW - household_income
    award = np.where(dibao == ELIGIBLE, (2 * shortfall + WINDOW) // (2 * WINDOW), NULL)
    return Truth(
        member=belongs,
        size=size,
        household_income=household_income,
        household_assets=household_assets,
        dibao=dibao,
        dibao_award=award,
        tekun=tekun,
        tekun_award=np.where(tekun == ELIGIBLE, TEKUN_BASIC + _care(facts), NULL),
        medical=_medical(facts, belongs=belongs, dibao=dibao, tekun=tekun),
    )


def membership(facts: Facts) -> Bools:
    """Who shares the family's life (民发〔2012〕220号 Art. 5): alive, not serving a sentence, and of the family or the house."""
    people, n, today = facts.people, facts.people.n, day(facts.on)
    dead = has(facts.feeds["deaths"].person[facts.feeds["deaths"].ints("died_on") <= today], n)
    absences = facts.feeds["absences"]
    since, until = absences.ints("since"), absences.ints("until")
    lasts = (since <= today) & ((until == NULL) | (until >= today))
    long_gone = _whole_months(since, today) >= 36  # clergy away for three years
    kind = absences.coded("kind")
    excluded = lasts & (kind.where("prison") | (kind.where("clergy") & long_gone))
    away = has(absences.person[excluded], n)
    school = facts.feeds["school"]
    attends = (school.ints("enrolled_on") <= today) & _open_end(school.ints("left_on"), today)
    dependent_levels = ("preschool", "primary", "junior", "senior", "vocational", "undergraduate")
    attends &= school.coded("mode").where("full_time") & school.coded("level").within(dependent_levels)
    student = has(school.person[attends], n)
    child = people.relation == _relation("child")
    kin = (people.place == HEAD) | (people.place == SPOUSE)
    kin |= child & ((people.age < 18) | student | (facts.can_live_independently == 0))
    kin |= facts.lives_together & (people.relation != _relation("other"))
    return np.asarray((people.role == MEMBER) & kin & ~dead & ~away)


def incomes(facts: Facts) -> Income:
    """Income of each person over the window of his household's application."""
    n = facts.people.n
    tax, payroll = facts.feeds["tax_income"], facts.feeds["public_payroll"]
    item = tax.coded("item")
    taxed = {word: _in_window_sum(facts, tax, "month", "amount", item.where(word)) for word in item.words}
    survey = {
        word: _item_sum(facts.feeds["field_survey"], word, n)
        for word in facts.feeds["field_survey"].coded("item").words
    }
    declared = {
        word: _item_sum(facts.feeds["declaration"], word, n) for word in facts.feeds["declaration"].coded("item").words
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
    unfit = (last >= 0) & ~_at(capacity.coded("capacity").where("full"), last)
    disability = facts.feeds["disability"]
    valid = _open_end(disability.ints("valid_to"), today)
    heavy = disability.coded("grade").within(("1", "2"))
    heavy |= disability.coded("grade").where("3") & disability.coded("kind").within(("intellectual", "mental"))
    severe = has(disability.person[heavy & valid], n)
    illness = facts.feeds["serious_illness"]
    recognised = (illness.ints("recognised_on") <= today) & _open_end(illness.ints("valid_to"), today)
    ill = has(illness.person[recognised], n)
    school = facts.feeds["school"]
    attends = (school.ints("enrolled_on") <= today) & _open_end(school.ints("left_on"), today)
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
    """Deposits, securities, cash value of own policies and wallets of each person, each the higher of declared and found."""
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
        out += np.maximum(found, _item_sum(declared, f"{feed}.{column}", n))
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


def _more_than_one_dwelling(facts: Facts, belongs: Bools) -> Bools:
    owned = np.where(belongs, dwellings(facts), 0)
    return total(owned, facts.people.household, facts.households.n) > 1


def no_labour(facts: Facts) -> Bools:
    """民发〔2016〕178号: sixty or older, under sixteen, intellectual or mental grade 1–2, limb grade 1."""
    disability = facts.feeds["disability"]
    kind, grade = disability.coded("kind"), disability.coded("grade")
    heavy = kind.within(("intellectual", "mental")) & grade.within(("1", "2"))
    heavy |= kind.where("limb") & grade.where("1")
    heavy &= _open_end(disability.ints("valid_to"), day(facts.on))
    return (facts.people.age >= 60) | (facts.people.age < 16) | has(disability.person[heavy], facts.people.n)


def supporters_unable(facts: Facts) -> Bools:
    """Which supporters cannot support (178号): tekun; dibao and old or severely disabled; incapable, missing, jailed; minors."""
    people, n, today = facts.people, facts.people.n, day(facts.on)
    disability = facts.feeds["disability"]
    severe = disability.coded("grade").within(("1", "2")) & _open_end(disability.ints("valid_to"), today)
    old_or_severe = (people.age >= 60) | has(disability.person[severe], n)
    rows = facts.feeds["supporters"]
    incapable = has(rows.ints("supporter_id")[rows.coded("civil_capacity").where("none")], n)
    on_relief = _holds(facts, "tekun") | (_holds(facts, "dibao") & old_or_severe)
    return on_relief | _missing_or_jailed(facts) | incapable | (people.age < 18)


def _missing_or_jailed(facts: Facts) -> Bools:
    absences, today = facts.feeds["absences"], day(facts.on)
    lasts = (absences.ints("since") <= today) & _open_end(absences.ints("until"), today)
    return has(absences.person[lasts & absences.coded("kind").within(("missing", "prison"))], facts.people.n)


def _tekun(facts: Facts, *, belongs: Bools, income: Income, assets: Ints, clean: Bools) -> Ints:
    people = facts.people
    unfit = no_labour(facts)
    poor = income.own < STANDARD * WINDOW
    modest = (assets <= ASSET_MONTHS * STANDARD) & clean & (dwellings(facts) <= 1)
    # an able supporter outside …
    able = (people.supports >= 0) & ~supporters_unable(facts)
    supported = has(people.supports[able], people.n) | has(
        people.supports_too[able & (people.supports_too >= 0)], people.n
    )
    # … or an able spouse, parent or child in the same household, by the same words of age, labour and status
    core = np.isin(people.relation, [_relation(word) for word in ("head", "spouse", "child", "parent")])
    able_here = belongs & core & (people.age >= 18) & ~unfit & ~_holds(facts, "tekun") & ~_missing_or_jailed(facts)
    count = total(able_here.astype(np.int64), people.household, facts.households.n)[people.household]
    supported |= count - able_here > 0
    return np.where(belongs & unfit & poor & modest & ~supported, ELIGIBLE, INELIGIBLE)


def _care(facts: Facts) -> Ints:
    """Care subsidy by the latest assessment; without one nothing, for no grade has been made."""
    rows = facts.feeds["self_care_assessments"]
    last = latest(rows, "assessed_on", facts.people.n)
    failed = np.where(last >= 0, rows.ints("items_failed")[last], -1) if rows.height else last
    out = np.zeros(facts.people.n, dtype=np.int64)
    for low, high, percent in CARE_PERCENT:
        out[(failed >= low) & (failed <= high)] = MINIMUM_WAGE * percent // 100
    return out


def _medical(facts: Facts, *, belongs: Bools, dibao: Ints, tekun: Ints) -> Ints:
    """Covered by a status or by this very assessment, and with own costs inside the scope this year: refer."""
    people, n = facts.people, facts.people.n
    rows = facts.feeds["medical_settlements"]
    covered = _holds(facts, "dibao") | _holds(facts, "tekun") | (tekun == ELIGIBLE)
    covered |= dibao[people.household] == ELIGIBLE
    number, reverses = rows.ints("settlement_no"), rows.ints("reverses")
    cancelled = (reverses != NULL) | np.isin(number, reverses[reverses != NULL])
    first, today = days_of(np.array([facts.on.year]))[0], day(facts.on)
    this_year = (rows.ints("settled_on") >= first) & (rows.ints("settled_on") <= today) & ~cancelled
    own = rows.ints("in_scope") - rows.ints("basic_paid") - rows.ints("serious_paid") - rows.ints("other_paid")
    cost = total(own[this_year], rows.person[this_year], n)
    return np.where(belongs & covered & (cost > 0), REFER, INELIGIBLE)


def _adjustment(facts: Facts, belongs: Bools) -> Ints:
    """The assessor's signed adjustment for living conditions, added to the household's income."""
    amount = _item_sum(facts.feeds["field_survey"], "living_condition_adjustment", facts.people.n)
    return total(np.where(belongs, amount, 0), facts.people.household, facts.households.n)


def _support_received(facts: Facts) -> Ints:
    """Per supporter the higher of agreed and received a month, for the window; credited to the first person supported."""
    rows = facts.feeds["supporters"]
    monthly = np.maximum(rows.ints("agreed_amount"), rows.ints("received_amount"))
    return total(monthly * WINDOW, rows.person, facts.people.n)


def _holds(facts: Facts, programme: str) -> Bools:
    rows, today = facts.feeds["relief_status"], day(facts.on)
    live = (rows.ints("from") <= today) & _open_end(rows.ints("until"), today)
    return has(rows.person[live & rows.coded("programme").where(programme)], facts.people.n)


def _in_window_sum(facts: Facts, rows: Rows, when: str, amount: str, chosen: Bools | None = None) -> Ints:
    """Sum of a column over rows dated in the whole months before the month of the person's application."""
    applied = facts.households.applied[facts.people.household[rows.person]]
    end = applied.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    month = rows.ints(when).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    counts = (month >= end - WINDOW) & (month < end)
    if chosen is not None:
        counts &= chosen
    return total(rows.ints(amount)[counts], rows.person[counts], facts.people.n)


def _item_sum(rows: Rows, word: str, n: int) -> Ints:
    item = rows.coded("item")
    if word not in item.words:
        return np.zeros(n, dtype=np.int64)
    chosen = item.where(word)
    return total(rows.ints("amount")[chosen], rows.person[chosen], n)


def _held(houses: Rows) -> Bools:
    return houses.coded("status").within(("owned", "sealed"))


def _true(rows: Rows) -> Bools:
    return np.ones(rows.height, dtype=np.bool_) if rows.real is None else rows.real


def _open_end(until: Ints, today: int) -> Bools:
    return np.asarray((until == NULL) | (until >= today))


def _at(values: Bools, index: Ints) -> Bools:
    """Values at an index that may be -1 (then False)."""
    return np.append(values, False)[index]


def _whole_months(since: Ints, today: int) -> Ints:
    months = [x.astype("datetime64[D]").astype("datetime64[M]") for x in (since, np.array([today]))]
    within = [
        x - m.astype("datetime64[D]").astype(np.int64) for x, m in zip((since, np.array([today])), months, strict=True)
    ]
    return np.asarray(months[1].astype(np.int64) - months[0].astype(np.int64) - (within[1] < within[0]))


def _relation(word: str) -> int:
    return RELATION.index(word)
