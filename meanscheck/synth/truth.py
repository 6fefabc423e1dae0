"""Who is truly entitled on the county's day in 2020? Plain reckoning on the true facts, to be read against the law.

This module knows nothing of rule packs or the rule engine. It holds Guangdong's law of 2020-06-30 for Jiangmen as far
as the sources give it, in whole fen and cross-multiplied comparisons:

    membership       alive, of the family or the house, not serving a sentence (民发〔2012〕220号 Art. 5)
    dibao            income per head below 900.00 a month, property within limits; the difference is paid
                     (令649 Art. 9, 12; Jiangmen's notice of 2020-03-30)
    property         financial assets at most 24 months' standard a head; at most one dwelling and no other real estate;
                     no motor vehicle; no business (粤民规字〔2019〕9号)
    tekun            no labour, no means, nobody able to support: 1440.00 a month (令649 Art. 14; 民发〔2016〕178号),
                     and care at 2, 30 or 60 % of the minimum wage (粤民规字〔2018〕4号)
    medical relief   the ratio of 2020 is not known: whoever is covered and has own costs is referred
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meanscheck.contracts.units import RELATION
from meanscheck.synth.chance import NULL, Bools, Ints
from meanscheck.synth.facts import Facts
from meanscheck.synth.means import (
    MINIMUM_WAGE,
    WINDOW,
    Income,
    dwellings,
    financial_assets,
    incomes,
    item_sum,
    no_other_property,
    open_end,
)
from meanscheck.synth.people import HEAD, MEMBER, SPOUSE
from meanscheck.synth.rows import day, days_of, has, latest, total

STANDARD = 90_000  # dibao, fen a month a head, urban and rural alike, notice of 2020-03-30
TEKUN_BASIC = 144_000  # 900.00 × 1.6
ASSET_MONTHS = 24
CARE_PERCENT = ((0, 0, 2), (1, 3, 30), (4, 6, 60))  # items failed from, to; percent of the minimum wage

INELIGIBLE, ELIGIBLE, REFER = 0, 1, 2
OUTCOMES = ("ineligible", "eligible", "refer")


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
    """Who shares the family's life (民发〔2012〕220号 Art. 5): alive, not serving a sentence, and of the family or
    the house."""
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
    attends = (school.ints("enrolled_on") <= today) & open_end(school.ints("left_on"), today)
    dependent_levels = ("preschool", "primary", "junior", "senior", "vocational", "undergraduate")
    attends &= school.coded("mode").where("full_time") & school.coded("level").within(dependent_levels)
    student = has(school.person[attends], n)
    child = people.relation == _relation("child")
    kin = (people.place == HEAD) | (people.place == SPOUSE)
    kin |= child & ((people.age < 18) | student | (facts.can_live_independently == 0))
    kin |= facts.lives_together & (people.relation != _relation("other"))
    return np.asarray((people.role == MEMBER) & kin & ~dead & ~away)


def _more_than_one_dwelling(facts: Facts, belongs: Bools) -> Bools:
    owned = np.where(belongs, dwellings(facts), 0)
    return total(owned, facts.people.household, facts.households.n) > 1


def no_labour(facts: Facts) -> Bools:
    """民发〔2016〕178号: sixty or older, under sixteen, intellectual or mental grade 1–2, limb grade 1."""
    disability = facts.feeds["disability"]
    kind, grade = disability.coded("kind"), disability.coded("grade")
    heavy = kind.within(("intellectual", "mental")) & grade.within(("1", "2"))
    heavy |= kind.where("limb") & grade.where("1")
    heavy &= open_end(disability.ints("valid_to"), day(facts.on))
    return (facts.people.age >= 60) | (facts.people.age < 16) | has(disability.person[heavy], facts.people.n)


def supporters_unable(facts: Facts) -> Bools:
    """Which supporters cannot support (178号): tekun; dibao and old or severely disabled; incapable, missing, jailed;
    minors."""
    rows = facts.feeds["supporters"]
    incapable = has(rows.ints("supporter_id")[rows.coded("civil_capacity").where("none")], facts.people.n)
    return _on_relief(facts) | _missing_or_jailed(facts) | incapable | (facts.people.age < 18)


def _on_relief(facts: Facts) -> Bools:
    """Holds tekun, or dibao while sixty or older or severely disabled."""
    people, disability = facts.people, facts.feeds["disability"]
    severe = disability.coded("grade").within(("1", "2")) & open_end(disability.ints("valid_to"), day(facts.on))
    old_or_severe = (people.age >= 60) | has(disability.person[severe], people.n)
    return _holds(facts, "tekun") | (_holds(facts, "dibao") & old_or_severe)


def _missing_or_jailed(facts: Facts) -> Bools:
    absences, today = facts.feeds["absences"], day(facts.on)
    lasts = (absences.ints("since") <= today) & open_end(absences.ints("until"), today)
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
    # … or an able spouse, parent or child in the same household: unable in the same words, or tekun but for this rule
    core = np.isin(people.relation, [_relation(word) for word in ("head", "spouse", "child", "parent")])
    unable = (people.age < 18) | (unfit & poor) | _on_relief(facts) | _missing_or_jailed(facts)
    able_here = belongs & core & ~unable
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
    amount = item_sum(facts.feeds["field_survey"], "living_condition_adjustment", facts.people.n)
    return total(np.where(belongs, amount, 0), facts.people.household, facts.households.n)


def _holds(facts: Facts, programme: str) -> Bools:
    rows, today = facts.feeds["relief_status"], day(facts.on)
    live = (rows.ints("from") <= today) & open_end(rows.ints("until"), today)
    return has(rows.person[live & rows.coded("programme").where(programme)], facts.people.n)


def _whole_months(since: Ints, today: int) -> Ints:
    months = [x.astype("datetime64[D]").astype("datetime64[M]") for x in (since, np.array([today]))]
    within = [
        x - m.astype("datetime64[D]").astype(np.int64) for x, m in zip((since, np.array([today])), months, strict=True)
    ]
    return np.asarray(months[1].astype(np.int64) - months[0].astype(np.int64) - (within[1] < within[0]))


def _relation(word: str) -> int:
    return RELATION.index(word)
