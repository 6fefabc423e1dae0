"""From facts of persons to columns of results: what does exact, three-valued, traced cost beside OpenFisca-core?

    python -m benchmarks.template --households 200000          needs the extra `peers`

Both are given the same arrays of the same made-up households (drawn once, from a seed) and the five rules of the
country template, as `tests/peers` shows that they agree: ours as the pack ``tests/peers/country``, theirs as installed.
Each builds what it works on (blocks of frames; a simulation with its entities and inputs), reckons all five, and gives
one column of amounts a rule. Reading the pack and making the tax and benefit system are not counted.

ours        fen in whole numbers; unknown is told from nothing, tests, limits and margins are kept
openfisca   floats of 32 bits; a value that is not set is nothing

What they paid in all is compared, so that neither can have done less.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import frames, machine, measure
from benchmarks.caseload import SEED, Place
from benchmarks.clock import Clock
from benchmarks.frames import Cells

if TYPE_CHECKING:
    from meanscheck.contracts.units import CaseBlock

COUNTRY = Path(__file__).parent.parent / "tests" / "peers" / "country"
MONTH = date(2016, 11, 1)
"""All five rules are in force."""
RULES = ("housing_allowance", "parenting_allowance", "basic_income", "income_tax", "housing_tax")
OCCUPANCY = ("owner", "tenant", "free_lodger", "homeless")
HOMELESS = 3
"""The first three occupancies are the contract's statuses of a home, in its order; see ``tests/peers/country``."""
ITEMS = (0, 4)
"""Wages and interest, by their places among the contract's words."""
BLOCK = 51_200
NOISE = 1e-4
"""What sums of 32-bit floats may differ by, relatively."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class People:
    """Households in a row, persons in the order of their households; money in fen, area in cm²."""

    home: Numbers
    place: Numbers
    is_adult: NDArray[np.bool_]
    born: NDArray[np.datetime64]
    salary: Numbers
    interest: Numbers
    rent: Numbers
    area: Numbers
    occupancy: Numbers

    @property
    def homes(self) -> int:
        """How many households."""
        return len(self.rent)

    def part(self, first: int, after: int) -> People:
        """Some of the households."""
        start, end = np.searchsorted(self.home, [first, after])
        persons, homes = slice(start, end), slice(first, after)
        return People(
            self.home[persons] - first,
            self.place[persons],
            self.is_adult[persons],
            self.born[persons],
            self.salary[persons],
            self.interest[persons],
            self.rent[homes],
            self.area[homes],
            self.occupancy[homes],
        )


def people(homes: int) -> People:
    """Made-up households of one or two adults and up to three children."""
    chance = np.random.default_rng(SEED)
    adults = chance.integers(1, 3, homes)
    sizes = adults + chance.integers(0, 4, homes)
    home = np.repeat(np.arange(homes), sizes)
    place = np.arange(len(home)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    is_adult = place < adults[home]
    days = np.where(is_adult, chance.integers(18 * 366, 90 * 365, len(home)), chance.integers(0, 18 * 365, len(home)))

    def amounts(count: int) -> Numbers:
        return np.where(chance.random(count) < 0.4, 0, chance.integers(1, 2_000_000, count))

    return People(
        home,
        place,
        is_adult,
        np.datetime64(MONTH) - days,
        np.where(is_adult, amounts(len(home)), 0),
        np.where(is_adult, amounts(len(home)), 0),
        amounts(homes),
        chance.integers(0, 3_000_000, homes),
        chance.integers(0, 4, homes),
    )


def block_of(given: People, empty: CaseBlock) -> CaseBlock:
    """The households as frames of the shape that evidence has, which `empty` has without rows."""
    is_first = given.place == 0
    of_homes = given.occupancy < HOMELESS
    has_wages, has_interest = given.salary > 0, given.interest > 0
    people: dict[str, Cells] = {
        # Head, spouse, child, by their places among the contract's words.
        "relation": np.where(given.is_adult, np.minimum(given.place, 1), 2).astype(np.uint8),
        "born_on": given.born.astype("datetime64[D]"),
    }
    counts = {
        "tax_income": has_wages + has_interest.astype(np.uint32),
        "rigid_spending": is_first,
        "real_estate": is_first & of_homes[given.home],
    }
    # One place for each amount there can be, of which those are taken that there are.
    there = np.flatnonzero(np.column_stack((has_wages, has_interest)))
    amounts = np.column_stack((given.salary, given.interest)).ravel()[there]
    feeds: dict[str, dict[str, Cells]] = {
        "tax_income": {"amount": amounts, "item": np.array(ITEMS, np.uint8)[there % 2]},
        "rigid_spending": {"kind": "living", "amount": given.rent},
        "real_estate": {"area": given.area[of_homes], "status": given.occupancy[of_homes].astype(np.uint8)},
    }
    return frames.block_of(empty, MONTH, given.home, given.place, people, counts, feeds)


@dataclass(frozen=True, slots=True)
class Engine:
    """How an engine builds what it works on, and what it pays by rule, in fen."""

    build: Callable[[People], Any]
    rules: Callable[[Any], dict[str, int]]


def ours(place: Place, clock: Clock) -> dict[str, Any]:
    """Five columns of fen, block by block."""
    return _by_one(place, clock, _ours, BLOCK)


def ours_by_two(place: Place, clock: Clock) -> dict[str, Any]:
    """The same, blocks by two threads."""
    return _by_two(place, clock, _ours, BLOCK)


def openfisca(place: Place, clock: Clock) -> dict[str, Any]:
    """Five columns of floats, all at once."""
    return _by_one(place, clock, _openfisca, place.households)


def openfisca_by_two(place: Place, clock: Clock) -> dict[str, Any]:
    """The same, half of the households by each of two threads."""
    return _by_two(place, clock, _openfisca, -(-place.households // 2))


def _by_one(place: Place, clock: Clock, make: Callable[[], Engine], size: int) -> dict[str, Any]:
    with clock("preparation"):
        given, engine = people(place.households), make()
    paid: Counter[str] = Counter()
    for part in _parts(given, size):
        with clock("build"):
            built = engine.build(part)
        with clock("rules"):
            paid.update(engine.rules(built))
    return {"persons": len(given.home), "paid": dict(paid)}


def _by_two(place: Place, clock: Clock, make: Callable[[], Engine], size: int) -> dict[str, Any]:
    with clock("preparation"):
        given, engine = people(place.households), make()
    paid: Counter[str] = Counter()
    with clock("both"), ThreadPoolExecutor(2) as threads:
        for found in threads.map(lambda part: engine.rules(engine.build(part)), _parts(given, size)):
            paid.update(found)
    return {"persons": len(given.home), "paid": dict(paid)}


def _parts(given: People, size: int) -> Iterator[People]:
    return (given.part(first, min(first + size, given.homes)) for first in range(0, given.homes, size))


def _ours() -> Engine:
    from meanscheck.law import RulePack
    from meanscheck.law.framed import framed
    from meanscheck.law.vectors import VectorRun

    law = RulePack.load(COUNTRY).on(MONTH)
    empty = framed(law, [])

    def rules(block: CaseBlock) -> dict[str, int]:
        run, found = VectorRun(law, block), {}
        for p in law.programmes:
            sheet = run.sheet(p.entity)
            found[p.id] = int(sheet[f"w:{p.id}"].filter(sheet[f"o:{p.id}"]).sum())
        return found

    return Engine(lambda part: block_of(part, empty), rules)


def _openfisca() -> Engine:
    from openfisca_core.simulations import SimulationBuilder
    from openfisca_country_template import CountryTaxBenefitSystem

    system = CountryTaxBenefitSystem()
    month, year = f"{MONTH:%Y-%m}", f"{MONTH:%Y}"

    def build(given: People) -> Any:
        builder = SimulationBuilder()
        builder.create_entities(system)
        builder.declare_person_entity("person", np.arange(len(given.home)))
        homes = builder.declare_entity("household", np.arange(given.homes))
        builder.join_with_persons(homes, given.home, roles=np.where(given.is_adult, "adult", "child"))
        simulation = builder.build(system)
        simulation.set_input("birth", "ETERNITY", given.born.astype("datetime64[D]"))
        simulation.set_input("salary", month, given.salary / 100)
        simulation.set_input("capital_returns", month, given.interest / 100)
        simulation.set_input("rent", month, given.rent / 100)
        simulation.set_input("accommodation_size", f"{year}-01", given.area / 10_000)
        simulation.set_input("housing_occupancy_status", f"{year}-01", np.array(OCCUPANCY)[given.occupancy])
        return simulation

    def rules(simulation: Any) -> dict[str, int]:
        found = {name: simulation.calculate(name, year if name == "housing_tax" else month) for name in RULES}
        return {name: round(float(values.sum(dtype=np.float64)) * 100) for name, values in found.items()}

    return Engine(build, rules)


STAGES = {
    "template-ours": "ours",
    "template-openfisca": "OpenFisca-core",
    "template-ours-2": "ours, two threads",
    "template-openfisca-2": "OpenFisca-core, two threads",
}
PARTS = ("build", "rules", "both")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 if they did not pay the same."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.template", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--households", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--times", type=int, default=3, metavar="N", help="by turns; the fastest of each counts")
    options = parser.parse_args(arguments)
    results: dict[str, list[measure.Measured]] = {stage: [] for stage in STAGES}
    with tempfile.TemporaryDirectory(prefix="meanscheck-template-") as folder:
        for _ in range(options.times):
            for stage in STAGES:
                results[stage].append(measure.run(stage, Path(folder), options.households))
    print(*(f"- {name}: {value}" for name, value in machine.facts().items()), sep="\n")
    print(
        "\n| engine | build wall s | rules wall s | wall s | CPU s | µs of CPU a person |",
        "|---|--:|--:|--:|--:|--:|",
        sep="\n",
    )
    totals: dict[str, tuple[float, float]] = {}
    for stage, name in STAGES.items():
        best = min(results[stage], key=lambda m: _seconds(m)[0])
        wall, cpu = totals[stage] = _seconds(best)
        parts = (f"{best.parts[part][0]:.2f}" if part in best.parts else "–" for part in ("build", "rules"))
        print(f"| {name} | {' | '.join(parts)} | {wall:.2f} | {cpu:.2f} | {cpu / best.counts['persons'] * 1e6:.2f} |")
    for mine, theirs, by in (
        ("template-ours", "template-openfisca", "one thread"),
        ("template-ours-2", "template-openfisca-2", "two threads"),
    ):
        wall, cpu = (b / a for a, b in zip(totals[mine], totals[theirs], strict=True))
        print(f"\nBy {by}, OpenFisca takes {wall:.2f} times the wall and {cpu:.2f} times the CPU seconds.")
    paid = {stage: found[0].counts["paid"] for stage, found in results.items()}
    exact = paid["template-ours"]
    apart = {
        f"{stage} {name}": (exact[name], amount)
        for stage, of_stage in paid.items()
        for name, amount in of_stage.items()
        if abs(exact[name] - amount) > (NOISE * exact[name] if "openfisca" in stage else 0)
    }
    print(json.dumps({"paid in fen": paid, "apart": apart}))
    return 1 if apart else 0


def _seconds(measured: measure.Measured) -> tuple[float, float]:
    """Wall and CPU seconds of building and rules."""
    wall, cpu = (sum(measured.parts.get(part, (0.0, 0.0))[i] for part in PARTS) for i in (0, 1))
    return wall, cpu


if __name__ == "__main__":
    sys.exit(main())
