"""From facts of persons to a column of amounts: a slice of GETTSIM's own rules, beside GETTSIM.

    python -m venv gettsim && gettsim/bin/python -m pip install . gettsim
    gettsim/bin/python -m benchmarks.kindergeld --households 100000 1000000

The German child benefit as the pack ``tests/peers/kindergeld``, from the law; `tests/peers` shows that both come to the
same. Both are given the same arrays of the same made-up households (drawn once, from a seed): ages about the limits,
training, hours of work. Reading the pack and making the policy environment are not counted. Every household's amount
must be equal.

ours                cents in whole numbers; unknown is told from nothing; the test with its limit and margin is kept
gettsim             as it is called, with the checks of its inputs that it makes by itself
gettsim-unchecked   the same without them
few                 the part of it that ten households take too: it makes its functions anew in every call

GETTSIM is AGPL-3: it is only called, and nobody gets it with this package, so it is in no extra. It runs on numpy here,
its default; its other backend, jax, is not tried. A column that is missing is an error to it; an empty cell of hours
makes a child of age in training one without a claim, even with its checks on, where we refer the family to a person.

Choices
    * The slice begins in 2016: before, GETTSIM raises amounts in December 2009 and July 2015, where the law did so from
      January of 2010 and of 2015.
    * Training and hours stand in columns that we have, see the pack.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
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
    from meanscheck.law import Law

PACK = Path(__file__).parent.parent / "tests" / "peers" / "kindergeld"
DAY = date(2026, 1, 1)
BLOCK = 51_200
FEW = 10

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Families:
    """Persons in the order of their households, the first of each a grown-up who is paid for all children of it."""

    home: Numbers
    place: Numbers
    is_child: NDArray[np.bool_]
    born: NDArray[np.datetime64]
    age: Numbers
    in_training: NDArray[np.bool_]
    hours: Numbers

    @property
    def homes(self) -> int:
        """How many households."""
        return int(self.home[-1]) + 1

    def part(self, first: int, after: int) -> Families:
        """Some of the households."""
        start, end = np.searchsorted(self.home, [first, after])
        of = slice(start, end)
        return Families(
            self.home[of] - first,
            self.place[of],
            self.is_child[of],
            self.born[of],
            self.age[of],
            self.in_training[of],
            self.hours[of],
        )


def families(homes: int, day: date) -> Families:
    """One or two grown-ups and up to six children of up to 29 a household; half of these within a day of a limit."""
    chance = np.random.default_rng(SEED)
    adults = chance.integers(1, 3, homes)
    sizes = adults + chance.integers(0, 7, homes)
    home = np.repeat(np.arange(homes), sizes)
    count = len(home)
    place = np.arange(count) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    is_child = place >= adults[home]
    years = np.where(chance.random(count) < 0.5, chance.choice([18, 25], count), chance.integers(1, 30, count))
    years = np.where(is_child, years, chance.integers(31, 80, count))
    # On a day's date some years ago, or the day before or after it.
    ago = (np.datetime64(day, "M") - 12 * years).astype("datetime64[D]") + (day.day - 1)
    born = ago + chance.integers(-1, 2, count).astype("timedelta64[D]")
    return Families(
        home,
        place,
        is_child,
        born,
        years - (born > ago),
        chance.random(count) < 0.6,
        np.where(chance.random(count) < 0.3, 20, chance.integers(0, 41, count)),
    )


def block_of(given: Families, law: Law) -> CaseBlock:
    """The households as frames of the shape that evidence has."""
    from meanscheck.law.framed import framed

    works = given.hours > 0
    people: dict[str, Cells] = {
        # Head, spouse, child, by their places among the contract's words.
        "relation": np.where(given.is_child, 2, np.minimum(given.place, 1)).astype(np.uint8),
        "born_on": given.born.astype("datetime64[D]"),
    }
    counts = {"school": given.in_training, "utilities": works}
    feeds: dict[str, dict[str, Cells]] = {
        "school": {"mode": "full_time"},
        "utilities": {"quantity": given.hours[works]},
    }
    return frames.block_of(framed(law, []), law.on, given.home, given.place, people, counts, feeds)


def our_cents(law: Law, block: CaseBlock) -> Numbers:
    """Cents a household, nothing where no child entitles; raises ValueError if anything stays unknown."""
    from meanscheck.law.vectors import VectorRun

    frame = VectorRun(law, block).frame("household")
    holds, cents = frame["o:kindergeld"], frame["w:kindergeld"]
    if holds.null_count():
        raise ValueError("a household is referred though every fact is given")
    return np.where(holds.to_numpy(), cents.fill_null(0).to_numpy(), 0)


def their_environment(day: date) -> Any:
    """GETTSIM's rules and figures of a day."""
    from gettsim import MainTarget, main

    return main(main_target=MainTarget.policy_environment, policy_date_str=f"{day}")


def their_cents(given: Families, day: date, environment: Any, *, with_checks: bool) -> Numbers:
    """Cents a household, as GETTSIM says of its first person."""
    import pandas as pd
    from gettsim import InputData, MainTarget, TTTargets, main

    is_first = given.place == 0
    head = np.flatnonzero(is_first)[given.home]
    people = pd.DataFrame(
        {
            "person": np.arange(len(given.home)),
            "head": np.where(given.is_child, head, -1),
            "age": given.age,
            "in_training": given.in_training,
            "hours": given.hours.astype(np.float64),
        }
    )
    found = main(
        main_target=MainTarget.results.df_with_mapper,
        policy_date_str=f"{day}",
        policy_environment=environment,
        input_data=InputData.df_and_mapper(
            df=people,
            mapper={
                "p_id": "person",
                "alter": "age",
                "arbeitsstunden_w": "hours",
                "kindergeld": {"p_id_empfänger": "head", "in_ausbildung": "in_training"},
            },
        ),
        tt_targets=TTTargets.tree({"kindergeld": {"betrag_m": "amount"}}),
        include_fail_nodes=with_checks,
        include_warn_nodes=with_checks,
    )
    cents: Numbers = np.rint(found["amount"].to_numpy()[is_first] * 100).astype(np.int64)
    return cents


def ours(place: Place, clock: Clock) -> dict[str, Any]:
    """One column, block by block."""
    from meanscheck.law import RulePack

    with clock("preparation"):
        given, law = families(place.households, DAY), RulePack.load(PACK).on(DAY)
        our_cents(law, block_of(given.part(0, FEW), law))
    with clock("few"):
        our_cents(law, block_of(given.part(0, FEW), law))
    with clock("all"):
        parts = range(0, given.homes, BLOCK)
        cents = [our_cents(law, block_of(given.part(first, min(first + BLOCK, given.homes)), law)) for first in parts]
    return _kept(place, "ours", given, np.concatenate(cents))


def gettsim(place: Place, clock: Clock, *, with_checks: bool = True) -> dict[str, Any]:
    """One column, all at once."""
    with clock("preparation"):
        given, environment = families(place.households, DAY), their_environment(DAY)
        their_cents(given.part(0, FEW), DAY, environment, with_checks=with_checks)
    with clock("few"):
        their_cents(given.part(0, FEW), DAY, environment, with_checks=with_checks)
    with clock("all"):
        cents = their_cents(given, DAY, environment, with_checks=with_checks)
    return _kept(place, "gettsim" if with_checks else "gettsim-unchecked", given, cents)


def unchecked(place: Place, clock: Clock) -> dict[str, Any]:
    """The same without the checks of its inputs."""
    return gettsim(place, clock, with_checks=False)


def _kept(place: Place, name: str, given: Families, cents: Numbers) -> dict[str, Any]:
    np.save(place.folder / f"{name}.npy", cents)
    return {"persons": len(given.home), "paid": int(cents.sum())}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 if a household is not given the same."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kindergeld", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--households", type=int, nargs="+", default=[100_000], metavar="N")
    parser.add_argument("--times", type=int, default=1, metavar="N", help="by turns; the fastest of each counts")
    options = parser.parse_args(arguments)
    print(*(f"- {name}: {value}" for name, value in machine.facts().items()), sep="\n")
    print(
        "\n| households | engine | wall s | CPU s | of that a call of ten | µs of CPU a person | peak MiB | equal |",
        "|--:|---|--:|--:|--:|--:|--:|--:|",
        sep="\n",
    )
    is_alike = True
    for homes in options.households:
        with tempfile.TemporaryDirectory(prefix="meanscheck-kindergeld-") as folder:
            best: dict[str, measure.Measured] = {}
            for _ in range(options.times):
                for name in ("ours", "gettsim", "gettsim-unchecked"):
                    found = measure.run(f"kindergeld-{name}", Path(folder), homes)
                    if name not in best or found.parts["all"][1] < best[name].parts["all"][1]:
                        best[name] = found
            mine = np.load(Path(folder) / "ours.npy")
            for name, found in best.items():
                equal = int((np.load(Path(folder) / f"{name}.npy") == mine).sum())
                is_alike &= equal == homes
                (wall, cpu), few = found.parts["all"], found.parts["few"][1]
                each = cpu / found.counts["persons"] * 1e6
                cells = f"{wall:.2f} | {cpu:.2f} | {few:.2f} | {each:.2f} | {found.peak_mib:.0f} | {equal}"
                print(f"| {homes} | {name} | {cells} |", flush=True)
    return int(not is_alike)


if __name__ == "__main__":
    sys.exit(main())
