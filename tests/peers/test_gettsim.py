"""Do we come to what GETTSIM comes to, on a slice of its own rules? The German child benefit, at each of its amounts.

The rules stand in ``kindergeld/``, written from the law; nothing of GETTSIM (AGPL-3) is copied, it is only called where
it is installed (`benchmarks.kindergeld` says how). Expected amounts below are the law's, § 66 (1) EStG by year, as the
commentary of Littmann/Bitz/Pust tabulates them up to 2021 (§ 66 EStG, Rn. 6); from 2023 on one amount for every child.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import date, timedelta
from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks import kindergeld
from benchmarks.kindergeld import Families, block_of, families, our_cents
from meanscheck.contracts.units import CaseUnit, FeedFacts, PersonFacts, Value, units_of
from meanscheck.law import RulePack
from meanscheck.law.plain import PlainRun
from meanscheck.values.evidence_state import EvidenceState

needs_gettsim = pytest.mark.skipif(find_spec("gettsim") is None, reason="pip install gettsim, AGPL-3, in its own venv")

YEARS = {
    date(2016, 1, 1): (190, 196, 221),
    date(2017, 1, 1): (192, 198, 223),
    date(2018, 1, 1): (194, 200, 225),
    date(2019, 7, 1): (204, 210, 235),
    date(2021, 1, 1): (219, 225, 250),
    date(2023, 1, 1): (250, 250, 250),
    date(2025, 1, 1): (255, 255, 255),
    date(2026, 1, 1): (259, 259, 259),
}
"""First day → euro a month for the first and second child, the third, and each further one."""
EVE = timedelta(days=1)
HOUSEHOLDS = 400


def household(children: int, day: date) -> Families:
    """A grown-up and children of three."""
    size = 1 + children
    is_child = np.arange(size) > 0
    born = np.where(is_child, np.datetime64(day) - 3 * 366, np.datetime64("1980-05-05"))
    nobody = np.zeros(size, np.int64)
    return Families(nobody, np.arange(size), is_child, born, nobody, is_child & False, nobody)


@pytest.mark.parametrize("first", YEARS, ids=str)
def test_the_pack_pays_what_the_law_pays_from_the_first_day_to_the_last(first: date) -> None:
    once, third, further = YEARS[first]
    last = min((day for day in YEARS if day > first), default=date(2027, 1, 1)) - EVE
    for day in (first, last):
        law = RulePack.load(kindergeld.PACK).on(day)
        euro = [int(our_cents(law, block_of(household(n, day), law))[0]) / 100 for n in range(6)]
        assert euro == [0, once, 2 * once, 2 * once + third, *(2 * once + third + n * further for n in (1, 2))]


def test_made_up_families_stand_on_both_sides_of_every_limit() -> None:
    day = date(2021, 1, 1)
    made = families(HOUSEHOLDS, day)
    assert {17, 18, 24, 25} <= set(made.age[made.is_child].tolist())
    assert {0, 20, 21} <= set(made.hours.tolist())
    for born, age in zip(made.born.tolist(), made.age.tolist(), strict=True):
        assert age == day.year - born.year - ((born.month, born.day) > (day.month, day.day))


@pytest.mark.parametrize("day", [date(2019, 7, 1), date(2026, 1, 1)], ids=str)
def test_one_by_one_they_are_paid_the_same(day: date) -> None:
    law = RulePack.load(kindergeld.PACK).on(day)
    block = block_of(families(60, day), law)
    for unit, cents in zip(units_of(block), our_cents(law, block).tolist(), strict=True):
        (outcome,) = PlainRun(law, unit).decide()
        assert (outcome.award or 0) == cents


@pytest.mark.parametrize("years, expected", [(17, "eligible"), (18, "refer"), (24, "refer"), (25, "ineligible")])
def test_hours_that_nobody_told_matter_only_at_ages_where_the_law_asks_for_them(years: int, expected: str) -> None:
    day = date(2026, 1, 1)
    told = FeedFacts(rows=({"mode": "full_time"},))
    child = PersonFacts(
        "member",
        {"id": "B", "relation": "child", "born_on": date(2026 - years, 1, 1), "lives_together": True},
        {"school": told, "utilities": FeedFacts(EvidenceState.NO_ANSWER)},
    )
    attributes: dict[str, Value] = {"id": "A", "relation": "head", "born_on": date(1980, 5, 5), "lives_together": True}
    unit = CaseUnit("H", {"applied_on": day, "reference_day": day}, (PersonFacts("member", attributes), child))
    (outcome,) = PlainRun(RulePack.load(kindergeld.PACK).on(day), unit).decide()
    assert outcome.outcome == expected


@needs_gettsim
def test_gettsim_takes_an_empty_cell_for_no_claim_where_we_refer() -> None:
    day = date(2026, 1, 1)
    home = household(1, day)
    grown = replace(home, age=np.array([40, 19]), in_training=home.is_child, hours=np.array([40.0, np.nan]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        environment = kindergeld.their_environment(day)
        assert kindergeld.their_cents(grown, day, environment, with_checks=True).tolist() == [0]


@needs_gettsim
@pytest.mark.parametrize("day", [*YEARS, *(first - EVE for first in list(YEARS)[1:])], ids=str)
def test_gettsim_pays_every_family_the_same(day: date) -> None:
    given, law = families(HOUSEHOLDS, day), RulePack.load(kindergeld.PACK).on(day)
    with warnings.catch_warnings():
        # Of its own and its dependencies' making.
        warnings.simplefilter("ignore")
        environment = kindergeld.their_environment(day)
        theirs = kindergeld.their_cents(given, day, environment, with_checks=False)
    ours = our_cents(law, block_of(given, law))
    assert ours.tolist() == theirs.tolist()
    assert 0 < (ours == 0).sum() < HOUSEHOLDS // 2
