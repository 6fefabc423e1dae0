"""How long does a caseworker wait? One household from stored evidence to the decision with its explanation.

    python -m benchmarks.onecase --work DIR --households 2000

store        evidence straight from the tables, digests taken anew (what replay and `explain` read)
projection   the same out of the projection, as records
block        the same as a block of one (what a batch reads)
decide       from given facts
tree         the explanation, from given facts
all          out of the projection, decided and explained by one run (`decide_stored`)

Median and 95th percentile, in milliseconds: wall clock, and CPU, which counts on a shared machine. Every step is given
other households, so that none finds in memory what the step before it has read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter, process_time
from typing import Any

from benchmarks.__main__ import of_sizes
from benchmarks.caseload import Place, law_of_the_day, opened
from benchmarks.clock import Clock

CASES = 200
STORE_CASES = 40
"""Cases read from the tables: that is dear, and of one kind."""


class _Times:
    """Wall and CPU milliseconds by step."""

    def __init__(self) -> None:
        self.wall: dict[str, list[float]] = {}
        self.cpu: dict[str, list[float]] = {}

    @contextmanager
    def __call__(self, *steps: str) -> Iterator[None]:
        wall, cpu = perf_counter(), process_time()
        yield
        wall, cpu = (perf_counter() - wall) * 1000, (process_time() - cpu) * 1000
        for step in steps:
            self.wall.setdefault(step, []).append(wall)
            self.cpu.setdefault(step, []).append(cpu)

    def told(self) -> dict[str, dict[str, float]]:
        """Step → median and 95th percentile."""
        return {
            step: {
                name: round(sorted(times[step])[int(share * (len(times[step]) - 1))], 1)
                for name, times, share in (
                    ("wall", self.wall, 0.5),
                    ("wall_95", self.wall, 0.95),
                    ("cpu", self.cpu, 0.5),
                    ("cpu_95", self.cpu, 0.95),
                )
            }
            for step in self.wall
        }


def measure(place: Place, clock: Clock) -> dict[str, Any]:
    """Every step, case by case; a case is read once before it counts, so that the law and the file are warm."""
    from meanscheck.decisions import decide, decide_stored
    from meanscheck.decisions.encode import input_needs
    from meanscheck.decisions.explaining.rulings import explained
    from meanscheck.decisions.tracing import Tracer

    law, times = law_of_the_day(), _Times()
    needs = input_needs(law)
    with opened(place) as store:
        projection = store.project(store.snapshot(), on=law.on)
        names = store.fetch("select case_id from projection.main.households order by unit")["case_id"].to_list()
        step = max(len(names) // CASES, 3)
        with projection.file.open() as reader:

            def three(at: int, timed: Callable[..., Any]) -> None:
                with timed("block"):
                    reader.block(needs, first=at, after=at + 1)
                with timed("projection"):
                    unit = reader.case(names[at + step // 3], needs)
                with timed("decide"):
                    decision = decide(unit, law)
                with timed("tree"):
                    explained(decision, Tracer(law, unit, is_reduced=True))
                with timed("all"):
                    decide_stored(reader, names[at + 2 * step // 3], law)

            three(0, _Times())
            for number, at in enumerate(range(0, len(names) - step, step)):
                three(at, times)
                if number < STORE_CASES:
                    with times("store"):
                        store.case_block(names[at], needs, on=law.on)
    return {"ms": times.told()}


if __name__ == "__main__":
    sys.exit(of_sizes("onecase", "What one household costs.", sizes=[2_000]))
