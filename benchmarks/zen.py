"""How long does one household take, and what is said of a missing fact? Beside ZEN, a rule engine in Rust (MIT).

    python -m benchmarks.zen --cases 2000          needs the extra `peers`

A core of dibao (income below the standard, assets within 24 standards, no vehicle; the award is what is missing to the
standard) as the pack ``tests/peers/means`` and as ZEN's decision graph (`peer.decision_model`). Both are given the same
rows of the same made-up households, one by one, fifty in a row by turns; some lie on a limit to the fen. Outcome and
award must be equal in every one. ZEN hands each case to a thread of its own, so on a busy machine its wall clock has
waits of some milliseconds in it that CPU has not.

zen              from a dict · with its trace (nodes, inputs, outputs, the row that fitted) · from JSON text
ours, outcome    from a case unit: outcome, award, tests, causes of what is open
ours, decide     from a case unit: the whole record that is sealed, with every variable, limit, margin and citation
ours, stated     the same from nested plain values, read and checked (ZEN checks what it is given only by a schema)

Then, for one household within every limit and one whose income is too high, the bank's answer is taken away, and what
each says is shown: of ZEN by way of writing, since that is what decides it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import Any

from benchmarks import machine, measure
from benchmarks.caseload import ON, SEED, Place
from benchmarks.clock import Clock
from benchmarks.peer.decision_model import ASSET_MONTHS, BY_ROWS, BY_TOTALS, INCOME_MONTHS, STANDARD

MEANS = Path(__file__).parent.parent / "tests" / "peers" / "means"
MONTHS = tuple(date(2019 + (11 + i) // 12, (11 + i) % 12 + 1, 1) for i in range(INCOME_MONTHS))
"""December 2019 to May 2020."""
RUN = 50
"""Cases that one way decides in a row, as a service would, before the next has its turn; the first does not count."""


@dataclass(frozen=True, slots=True)
class Household:
    """A person after the other: wages of each month, balances (fen), how many vehicles; no balances: not answered."""

    wages: tuple[tuple[int, ...], ...]
    balances: tuple[tuple[int, ...] | None, ...]
    vehicles: tuple[int, ...]


def household(random: Random) -> Household:
    """Of one to four persons; one in six has the income, one in six the assets of the very limit, or a fen beside."""
    size = random.randrange(1, 5)
    months = INCOME_MONTHS * size
    wages = [random.choice((0, 0, random.randrange(1, 200_000))) for _ in range(months)]
    balances = [random.choice((0, random.randrange(1, 3_000_000))) for _ in range(size)]
    edge = random.randrange(6)
    if edge == 0:
        wages = [STANDARD] * months
        wages[-1] += random.choice((-1, 0, 1))
    if edge == 1:
        balances = [STANDARD * ASSET_MONTHS] * size
        balances[-1] += random.choice((-1, 0, 1))
    by_person = [tuple(wages[i : i + INCOME_MONTHS]) for i in range(0, months, INCOME_MONTHS)]
    vehicles = tuple(int(random.random() < 0.05) for _ in range(size))
    return Household(tuple(by_person), tuple((b,) for b in balances), vehicles)


def rows_of(home: Household) -> dict[str, Any]:
    """What ZEN is given: members with their rows; no list where the bank did not answer."""
    return {
        "members": [
            {
                "tax_income": [{"month": f"{m:%Y-%m}", "amount": fen} for m, fen in zip(MONTHS, wages, strict=True)],
                **({} if balances is None else {"bank_deposits": [{"balance": fen} for fen in balances]}),
                "vehicles": [{} for _ in range(cars)],
            }
            for wages, balances, cars in zip(home.wages, home.balances, home.vehicles, strict=True)
        ]
    }


def totals_of(home: Household) -> dict[str, int]:
    """The same in sums; no assets where a bank did not answer."""
    answered = [b for b in home.balances if b is not None]
    totals = {"size": len(home.wages), "income": sum(map(sum, home.wages)), "cars": sum(home.vehicles)}
    return totals | ({"assets": sum(map(sum, answered))} if len(answered) == len(home.balances) else {})


def stated(home: Household) -> dict[str, Any]:
    """What `Case.from_dict` is given."""
    from meanscheck.values.money import format_yuan

    members = [
        {
            "id": f"P{i}",
            "relation": "head" if i == 0 else "child",
            "tax_income": [
                {"month": f"{m:%Y-%m}", "item": "wages", "amount": format_yuan(fen), "tax": "0.00"}
                for m, fen in zip(MONTHS, wages, strict=True)
            ],
            **(
                {"states": {"bank_deposits": "no_answer"}}
                if balances is None
                else {"bank_deposits": [{"balance": format_yuan(fen)} for fen in balances]}
            ),
            "vehicles": [{"vehicle_class": "car"} for _ in range(cars)],
        }
        for i, (wages, balances, cars) in enumerate(zip(home.wages, home.balances, home.vehicles, strict=True))
    ]
    return {"id": "stated", "on": f"{ON}", "household": {"applied_on": "2020-06-10", "member": members}}


def answer_of(graph: str, facts: Mapping[str, Any]) -> str:
    """What ZEN says: outcome and award, no outcome, or its error."""
    import zen

    try:
        result = zen.ZenEngine().create_decision(graph).evaluate(dict(facts))["result"]
    except RuntimeError as fault:
        return f"error: {json.loads(str(fault).splitlines()[0])['source'].removeprefix(': ')}"
    return _told(result.get("outcome", "no outcome"), result.get("award"), ())


def our_answer(home: Household) -> str:
    """What we say: outcome and award, or why not."""
    from meanscheck.decisions import decide
    from meanscheck.law import RulePack
    from meanscheck.law.cases import Case

    ruling = decide(Case.from_dict(stated(home)), RulePack.load(MEANS).on(ON))["dibao"]
    return _told(ruling.outcome, ruling.award, ruling.causes or ruling.failed)


def _told(outcome: str, award: float | None, why: Sequence[str]) -> str:
    return outcome + ("" if award is None else f", {award:.0f} fen") + (f" ({', '.join(why)})" if why else "")


def missing() -> list[tuple[str, str, str]]:
    """(who, of a household within every limit, of one with too much income) when the bank has not answered."""
    within, beyond = (
        Household(((wage,) * INCOME_MONTHS,), (None,), (0,)) for wage in (STANDARD - 52_000, STANDARD + 10_000)
    )
    lines = [("ours", our_answer(within), our_answer(beyond))]
    for graphs, facts in ((BY_TOTALS, totals_of), (BY_ROWS, rows_of)):
        for way, graph in graphs.items():
            lines.append((f"ZEN: {way}", answer_of(graph, facts(within)), answer_of(graph, facts(beyond))))
    return lines


def measure_cases(place: Place, clock: Clock) -> dict[str, Any]:
    """Every way, a run of cases by turns; how many cases agree, and of what outcome they were."""
    import zen

    from meanscheck.decisions import decide
    from meanscheck.law import RulePack
    from meanscheck.law.cases import Case
    from meanscheck.law.plain import PlainRun

    law = RulePack.load(MEANS).on(ON)
    graph = zen.ZenEngine().create_decision(BY_ROWS["rows"])
    random, spent, sizes = Random(SEED), _Spent(), dict[str, int]()
    equal, by_outcome = 0, dict[str, int]()
    for first in range(-RUN, place.households, RUN):
        homes = [household(random) for _ in range(min(RUN, place.households - first))]
        rows, given = [rows_of(home) for home in homes], [stated(home) for home in homes]
        units = [Case.from_dict(facts).unit for facts in given]
        asked: dict[str, tuple[Callable[[Any], Any], Sequence[Any]]] = {
            "zen": (graph.evaluate, rows),
            "zen, trace": (lambda facts: graph.evaluate(facts, {"trace": True}), rows),
            "zen, JSON text": (graph.evaluate, [json.dumps(facts) for facts in rows]),
            "ours, outcome": (lambda unit: PlainRun(law, unit).decide(), units),
            "ours, decide": (lambda unit: decide(unit, law), units),
            "ours, stated": (lambda facts: decide(Case.from_dict(facts), law), given),
        }
        # Each way is the first in its turn, after another's caches.
        turn = first // RUN % len(asked)
        ways = [*asked][turn:] + [*asked][:turn]
        found = {way: spent(way, *asked[way], is_counted=first >= 0) for way in ways}
        if first < 0:
            continue
        for short, traced, decision in zip(found["zen"], found["zen, trace"], found["ours, decide"], strict=True):
            ours, theirs = decision["dibao"], short["result"]
            equal += (theirs["outcome"], theirs.get("award")) == (ours.outcome, ours.award)
            by_outcome[ours.outcome] = by_outcome.get(ours.outcome, 0) + 1
            for way, answer in (("zen", theirs), ("zen, trace", traced), ("ours, decide", decision.groups)):
                sizes[way] = sizes.get(way, 0) + len(json.dumps(answer, separators=(",", ":"), default=str))
    return {
        "us": spent.told(),
        "bytes": {way: total // place.households for way, total in sizes.items()},
        "equal": equal,
        "by_outcome": by_outcome,
    }


class _Spent:
    """Microseconds of wall and CPU by way of asking."""

    def __init__(self) -> None:
        self.spent: dict[str, list[tuple[float, float]]] = {}

    def __call__(self, way: str, ask: Callable[[Any], Any], those: Sequence[Any], *, is_counted: bool) -> list[Any]:
        answers = []
        for facts in those:
            wall, cpu = perf_counter(), process_time()
            answers.append(ask(facts))
            wall, cpu = perf_counter() - wall, process_time() - cpu
            if is_counted:
                self.spent.setdefault(way, []).append((wall * 1e6, cpu * 1e6))
        return answers

    def told(self) -> dict[str, list[float]]:
        """Way → median and 95th percentile, of wall and of CPU."""

        def at(times: list[tuple[float, float]], which: int, share: float) -> float:
            return round(sorted(t[which] for t in times)[int(share * (len(times) - 1))], 1)

        return {
            way: [at(t, which, share) for which in (0, 1) for share in (0.5, 0.95)] for way, t in self.spent.items()
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 if a case was not decided alike."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zen", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--cases", type=int, default=2_000, metavar="N")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="meanscheck-zen-") as folder:
        found = measure.run("zen", Path(folder), options.cases).counts
    print(*(f"- {name}: {value}" for name, value in machine.facts().items()), sep="\n")
    print(
        "\n| one case | wall µs | 95 % | CPU µs | 95 % | bytes of the answer |", "|---|--:|--:|--:|--:|--:|", sep="\n"
    )
    for way, times in found["us"].items():
        print(f"| {way} | " + " | ".join(f"{t:.0f}" for t in times) + f" | {found['bytes'].get(way, '')} |")
    print(f"\nOutcome and award are equal in {found['equal']} of {options.cases} cases: {found['by_outcome']}.")
    print("\n| the bank has not answered | within all limits otherwise | income too high |", "|---|---|---|", sep="\n")
    for line in missing():
        print(f"| {' | '.join(line)} |")
    return int(found["equal"] != options.cases)


if __name__ == "__main__":
    sys.exit(main())
