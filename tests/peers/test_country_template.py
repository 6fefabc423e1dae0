"""Is the language general? The five rules of OpenFisca's country template against the installed package.

The rules stand in ``country/``, written from what the package documents; nothing of it is copied. It is asked about
10 000 random households over dates on each side of every change, and so are our executors: every household by the
vector executor, some by the plain one.

OpenFisca computes in binary floating point of 24 bits. What that does is named here and nothing else is let through:

    rounding    its amount times 100 lies within half a fen of ours, as an unrounded amount must, and an error of the
                float itself: at most four roundings (input, two sums, product) of 2^-24 of that very amount. Below
                2^17 fen (1 310.72) that is about 0.03 fen; from 2^22 fen (41 943.04) on it is a fen and more.
    threshold   where an income sums to exactly 500.00, a sum of floats may lie above it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from law.comparing import vector_run

from meanscheck.contracts.units import CaseUnit, FeedFacts, PersonFacts, Value
from meanscheck.law import Law, RulePack
from meanscheck.law.plain import PlainRun

openfisca = pytest.importorskip("openfisca_country_template", reason="pip install '.[peers]'")

COUNTRY = Path(__file__).parent / "country"
MONTHS = (
    *(date(2013, 1, 1), date(2014, 2, 1), date(2015, 3, 1), date(2015, 11, 1), date(2015, 12, 1)),
    *(date(2016, 3, 1), date(2016, 11, 1), date(2016, 12, 1), date(2017, 1, 1), date(2019, 3, 1)),
)
HOUSEHOLDS = 1_000
OCCUPANCY = {"owned": "owner", "transferred": "tenant", "sealed": "free_lodger", None: "homeless"}
HALF = 0.5
FLOAT = 4 * 2.0**-24
LIMIT = 50_000


@dataclass(frozen=True)
class Person:
    is_adult: bool
    born_on: date
    salary: int
    interest: int


@dataclass(frozen=True)
class Household:
    """Amounts in fen, area in cm²."""

    persons: tuple[Person, ...]
    rent: int
    area: int
    status: str | None


def amount(random: Random) -> int:
    """Often nothing, often about the limit, now and then beyond what a float of 24 bits tells apart."""
    kind = random.random()
    if kind < 0.35:
        return 0
    if kind < 0.65:
        return random.randrange(1, 60_001)
    if kind < 0.95:
        return random.randrange(60_001, 2_000_000)
    return random.randrange(2**24, 2**27)


def birthday(random: Random, month: date, *, is_adult: bool) -> date:
    """Anywhere in a life, and often on the day itself, or next to it, when an age that counts is reached."""
    if random.random() < 0.5:
        oldest = 90 if is_adult else 20
        return month - timedelta(days=random.randrange(0, oldest * 365))
    years = random.choice((18, 60, 61, 62) if is_adult else (5, 6, 7, 8))
    return date(month.year - years, month.month, 1) + timedelta(days=random.choice((-1, 0, 1)))


def household(random: Random, month: date) -> Household:
    adults, children = random.choice((1, 1, 2)), random.choice((0, 0, 1, 2, 3))
    persons = [
        Person(i < adults, birthday(random, month, is_adult=i < adults), amount(random), amount(random))
        for i in range(adults + children)
    ]
    if random.random() < 0.25:
        # The wages of the household sum to the limit, or to one fen on either side of it.
        total = LIMIT + random.choice((-1, 0, 0, 1))
        cuts = sorted(random.randrange(0, total + 1) for _ in persons[1:])
        parts = [b - a for a, b in zip([0, *cuts], [*cuts, total], strict=True)]
        persons = [Person(p.is_adult, p.born_on, part, p.interest) for p, part in zip(persons, parts, strict=True)]
    return Household(
        tuple(persons),
        amount(random),
        random.choice((0, 199_999, 200_000, 200_001, random.randrange(1, 3_000_000))),
        random.choice(tuple(OCCUPANCY)),
    )


def unit_of(number: int, home: Household, month: date) -> CaseUnit:
    """The household as a case of ours, all evidence answered."""
    persons: list[PersonFacts] = []
    for i, p in enumerate(home.persons):
        rows: tuple[Mapping[str, Value], ...] = tuple(
            {"month": month, "item": item, "amount": fen, "tax": 0}
            for item, fen in (("wages", p.salary), ("interest", p.interest))
            if fen
        )
        feeds = {"tax_income": FeedFacts(rows=rows)}
        if i == 0:
            feeds["rigid_spending"] = FeedFacts(rows=({"kind": "living", "paid_on": month, "amount": home.rent},))
            if home.status is not None:
                feeds["real_estate"] = FeedFacts(rows=({"status": home.status, "area": home.area},))
        relation = "child" if not p.is_adult else "head" if i == 0 else "spouse"
        attributes: dict[str, Value] = {
            "id": f"P{i}",
            "relation": relation,
            "born_on": p.born_on,
            "lives_together": True,
        }
        persons.append(PersonFacts("member", attributes, feeds))
    return CaseUnit(f"H{number:05}", {"applied_on": month, "reference_day": month}, tuple(persons))


def their_answers(homes: Sequence[Household], month: date) -> dict[str, np.ndarray[Any, Any]]:
    """What the package says, in its own floats: programme → one value a household or a person."""
    from openfisca_core.simulations import SimulationBuilder
    from openfisca_country_template import CountryTaxBenefitSystem

    system = CountryTaxBenefitSystem()
    builder = SimulationBuilder()
    builder.create_entities(system)
    persons = [p for home in homes for p in home.persons]
    owners = [str(h) for h, home in enumerate(homes) for _ in home.persons]
    builder.declare_person_entity("person", [str(i) for i in range(len(persons))])
    homes_of = builder.declare_entity("household", [str(h) for h in range(len(homes))])
    roles = ["adult" if p.is_adult else "child" for p in persons]
    builder.join_with_persons(homes_of, np.array(owners), roles=np.array(roles))
    simulation = builder.build(system)
    period, year = f"{month:%Y-%m}", f"{month:%Y}"
    january = f"{year}-01"
    simulation.set_input("birth", "ETERNITY", np.array([p.born_on for p in persons], dtype="datetime64[D]"))
    for name, values in (
        ("salary", [p.salary for p in persons]),
        ("capital_returns", [p.interest for p in persons]),
        ("rent", [home.rent for home in homes]),
    ):
        simulation.set_input(name, period, np.array(values, dtype=np.float64) / 100)
    simulation.set_input("accommodation_size", january, np.array([home.area for home in homes]) / 10_000)
    statuses = np.array([OCCUPANCY[home.status] for home in homes])
    simulation.set_input("housing_occupancy_status", january, statuses)
    found = {name: simulation.calculate(name, period) for name in ("basic_income", "income_tax")}
    if month >= date(2015, 12, 1):
        found["parenting_allowance"] = simulation.calculate("parenting_allowance", period)
    found["housing_allowance"] = simulation.calculate("housing_allowance", period)
    found["housing_tax"] = simulation.calculate("housing_tax", year)
    return found


def our_answers(law: Law, units: Sequence[CaseUnit]) -> dict[str, list[int]]:
    """What we say, in fen, nothing where nobody is eligible."""
    run = vector_run(law, units)
    found: dict[str, list[int]] = {}
    for p in law.programmes:
        frame = run.frame(p.entity)
        assert frame[f"o:{p.id}"].null_count() == 0, "complete evidence, so nobody is referred"
        awards = zip(frame[f"o:{p.id}"], frame[f"w:{p.id}"], strict=True)
        found[p.id] = [fen if holds else 0 for holds, fen in awards]
    return found


@pytest.mark.parametrize("month", MONTHS, ids=str)
def test_the_language_says_what_openfisca_says_but_for_the_noise_of_floats(month: date) -> None:
    random = Random(f"country {month}")
    homes = [household(random, month) for _ in range(HOUSEHOLDS)]
    units = [unit_of(n, home, month) for n, home in enumerate(homes)]
    law = RulePack.load(COUNTRY).on(month)
    ours, theirs = our_answers(law, units), their_answers(homes, month)
    home_of = [h for h, home in enumerate(homes) for _ in home.persons]
    paid = 0
    for name, values in theirs.items():
        mine = ours.get(name, [0] * len(values))
        assert len(mine) == len(values)
        for i, (fen, value) in enumerate(zip(mine, values.tolist(), strict=True)):
            h = home_of[i] if len(values) == len(home_of) else i
            if name == "parenting_allowance" and value * 100 != fen:
                # Only the sum of floats at the very limit.
                assert sum(p.salary for p in homes[h].persons) == LIMIT and (fen, value) == (60_000, 0.0)
                continue
            assert abs(value * 100 - fen) <= HALF + fen * FLOAT, (
                f"{name} of household {h}: {fen} fen, OpenFisca {value}"
            )
            paid += fen > 0
    assert paid > HOUSEHOLDS // 2
    assert set(ours) == {p.id for p in law.programmes}
    for unit, h in zip(units[:60], range(60), strict=True):
        plain = {(o.programme, o.member): o.award or 0 for o in PlainRun(law, unit).decide() if o.outcome == "eligible"}
        first = home_of.index(h)
        for p in law.programmes:
            places = (
                dict.fromkeys([None], h)
                if p.entity == "household"
                else {i: first + i for i in range(len(unit.persons))}
            )
            assert all(plain.get((p.id, i), 0) == ours[p.id][place] for i, place in places.items())
