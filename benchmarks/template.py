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
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine, measure
from benchmarks.caseload import SEED, Place
from benchmarks.clock import Clock

if TYPE_CHECKING:
    import polars as pl

    from meanscheck.contracts.units import CaseBlock
    from meanscheck.law import Law

COUNTRY = Path(__file__).parent.parent / "tests" / "peers" / "country"
MONTH = date(2016, 11, 1)
"""All five rules are in force."""
RULES = ("housing_allowance", "parenting_allowance", "basic_income", "income_tax", "housing_tax")
OCCUPANCY = ("owner", "tenant", "free_lodger", "homeless")
STATUS = ("owned", "transferred", "sealed", None)
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


def block_of(given: People, law: Law) -> CaseBlock:
    """The households as frames of the shape that evidence has."""
    import polars as pl

    from meanscheck.contracts.units import CaseBlock
    from meanscheck.law.framed import framed

    empty = framed(law, [])
    sizes = np.bincount(given.home, minlength=given.homes)
    households = pl.DataFrame({"unit": np.arange(given.homes), "n_persons": sizes.astype(np.uint32)}).with_columns(
        case_id=pl.format("H{}", pl.col("unit")),
        requested=pl.lit(""),
        applied_on=pl.lit(MONTH),
        reference_day=pl.lit(MONTH),
    )
    relation = np.where(~given.is_adult, 2, np.minimum(given.place, 1))
    is_first = given.place == 0
    has_home = is_first & (np.array(STATUS, object)[given.occupancy] != np.array(None))[given.home]
    counts = {
        "tax_income": (given.salary > 0).astype(np.uint32) + (given.interest > 0),
        "rigid_spending": is_first.astype(np.uint32),
        "real_estate": has_home.astype(np.uint32),
    }
    persons = pl.DataFrame({"unit": given.home, "position": given.place}).with_columns(
        pl.lit("member").alias("role"),
        pl.int_range(pl.len()).alias("person"),
        pl.format("P{}", pl.col("position")).alias("id"),
        pl.Series("relation", relation.astype(np.uint8)).replace_strict({0: "head", 1: "spouse", 2: "child"}),
        pl.Series("born_on", given.born.astype("datetime64[D]")),
        pl.lit(value=True).alias("lives_together"),
        *(pl.Series(f"n:{feed}", counts.get(feed, np.zeros(len(given.home)))) for feed in (*law.needs, "supporters")),
        *(pl.lit(0).alias(f"s:{feed}") for feed in (*law.needs, "supporters")),
    )
    wages, interest = _rows_of(given.salary), _rows_of(given.interest)
    income = pl.concat(
        [rows.with_columns(item=pl.lit(item)) for rows, item in ((wages, "wages"), (interest, "interest"))]
    ).sort("row", maintain_order=True)
    owners = given.home[is_first]
    feeds = {
        "tax_income": income.with_columns(month=pl.lit(MONTH), tax=pl.lit(0)),
        "rigid_spending": pl.DataFrame({"amount": given.rent[owners]}).with_columns(
            kind=pl.lit("living"), paid_on=pl.lit(MONTH)
        ),
        "real_estate": pl.DataFrame({"area": given.area[given.home[has_home]]}).with_columns(
            pl.Series("status", given.occupancy[given.home[has_home]]).replace_strict(dict(enumerate(STATUS[:3])))
        ),
    }
    return CaseBlock(
        households=shaped(households, empty.households),
        persons=shaped(persons, empty.persons),
        feeds={feed: shaped(feeds[feed], frame) for feed, frame in empty.feeds.items()},
        supporters=empty.supporters,
    )


def _rows_of(amounts: Numbers) -> pl.DataFrame:
    import polars as pl

    there = np.flatnonzero(amounts)
    return pl.DataFrame({"row": there, "amount": amounts[there]})


def shaped(frame: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    """The columns and types of another frame; nothing where `frame` has no such column, no verdict."""
    import polars as pl

    given = {"verdict": pl.lit(0), **{name: pl.col(name) for name in frame.columns}}
    return frame.select(given.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in like.schema.items())


def ours(place: Place, clock: Clock) -> dict[str, Any]:
    """Five columns of fen, block by block."""
    from meanscheck.law import RulePack
    from meanscheck.law.vectors import VectorRun

    with clock("preparation"):
        given, law = people(place.households), RulePack.load(COUNTRY).on(MONTH)
    paid = dict.fromkeys(RULES, 0)
    for first in range(0, given.homes, BLOCK):
        with clock("build"):
            block = block_of(given.part(first, min(first + BLOCK, given.homes)), law)
        with clock("rules"):
            run = VectorRun(law, block)
            for p in law.programmes:
                frame = run.frame(p.entity)
                paid[p.id] += int(frame.filter(frame[f"o:{p.id}"])[f"w:{p.id}"].sum())
    return {"persons": len(given.home), "paid": paid}


def openfisca(place: Place, clock: Clock) -> dict[str, Any]:
    """Five columns of floats, all at once."""
    from openfisca_core.simulations import SimulationBuilder
    from openfisca_country_template import CountryTaxBenefitSystem

    with clock("preparation"):
        given, system = people(place.households), CountryTaxBenefitSystem()
    month, year = f"{MONTH:%Y-%m}", f"{MONTH:%Y}"
    with clock("build"):
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
    with clock("rules"):
        found = {name: simulation.calculate(name, year if name == "housing_tax" else month) for name in RULES}
    paid = {name: round(float(values.sum(dtype=np.float64)) * 100) for name, values in found.items()}
    return {"persons": len(given.home), "paid": paid}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 if they did not pay the same."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.template", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--households", type=int, default=200_000, metavar="N")
    parser.add_argument("--times", type=int, default=3, metavar="N", help="by turns; the fastest of each counts")
    options = parser.parse_args(arguments)
    stages = ("template-ours", "template-openfisca")
    results: dict[str, list[measure.Measured]] = {stage: [] for stage in stages}
    with tempfile.TemporaryDirectory(prefix="meanscheck-template-") as folder:
        for _ in range(options.times):
            for stage in stages:
                results[stage].append(measure.run(stage, Path(folder), options.households))
    print(*(f"- {name}: {value}" for name, value in machine.facts().items()), sep="\n")
    print(
        "\n| engine | build wall s | rules wall s | wall s | CPU s | µs of CPU a person |",
        "|---|--:|--:|--:|--:|--:|",
        sep="\n",
    )
    totals = []
    for stage in stages:
        best = min(results[stage], key=lambda m: sum(m.parts[part][1] for part in ("build", "rules")))
        wall, cpu = (sum(best.parts[part][i] for part in ("build", "rules")) for i in (0, 1))
        totals.append((wall, cpu))
        build, rules = best.parts["build"][0], best.parts["rules"][0]
        each = cpu / best.counts["persons"] * 1e6
        print(
            f"| {stage.removeprefix('template-')} | {build:.2f} | {rules:.2f} | {wall:.2f} | {cpu:.2f} | {each:.2f} |"
        )
    (our_wall, our_cpu), (wall, cpu) = totals
    print(f"\nOpenFisca takes {wall / our_wall:.1f} times the wall and {cpu / our_cpu:.1f} times the CPU seconds.")
    mine, theirs = (results[stage][0].counts["paid"] for stage in stages)
    apart = {name: (mine[name], theirs[name]) for name in RULES if abs(mine[name] - theirs[name]) > NOISE * mine[name]}
    print(json.dumps({"paid in fen": mine, "apart": apart}))
    return 1 if apart else 0


if __name__ == "__main__":
    sys.exit(main())
