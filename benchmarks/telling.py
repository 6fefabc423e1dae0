"""What does it cost to tell why: the tree of one household, the margins of all, and what would turn an outcome?

    python -m benchmarks.telling --work DIR --households 100000

one       of the first households, one by one: reading from the store, deciding, the tree down to rows, its three forms
margins   values, limits and margins of every test: facts and rules with them and without, by turns, block by block
turning   the smallest change that turns each outcome, found and tried; of counties up to 200 000 households

Medians of the single ones, totals of the others; CPU seconds count on a shared machine.
"""

from __future__ import annotations

import statistics
import sys
from time import process_time
from typing import Any
from unittest import mock

from benchmarks.__main__ import of_sizes
from benchmarks.caseload import Place, law_of_the_day, opened
from benchmarks.clock import Clock

CASES = 60
BLOCK = 20_000
TURNING = 200_000


def measure(place: Place, clock: Clock) -> dict[str, Any]:
    """All three."""
    from meanscheck.decisions.encode import input_needs
    from meanscheck.law import vector_programmes, vectors
    from meanscheck.law.counterfactuals import counterfactuals

    law = law_of_the_day()
    cpu = dict.fromkeys(("read", "rules", "rules without margins", "turning"), 0.0)
    turned = 0
    with opened(place) as store:
        one = _one_by_one(store, law)
        projection = store.project(store.snapshot(), on=law.on)
        needs = input_needs(law)
        start = process_time()
        for number, block in enumerate(projection.blocks(needs, block_units=BLOCK)):
            cpu["read"] += process_time() - start
            for with_margins in (True, False) if number % 2 else (False, True):
                start = process_time()
                if with_margins:
                    run = vectors.VectorRun(law, block)
                else:
                    with mock.patch.object(vector_programmes, "margin_of", _none):
                        vectors.VectorRun(law, block)
                cpu["rules" if with_margins else "rules without margins"] += process_time() - start
                if with_margins and place.households <= TURNING:
                    start = process_time()
                    with clock("turning"):
                        turned += counterfactuals(run).height
                    cpu["turning"] += process_time() - start
            start = process_time()
    beside = cpu["read"] + cpu["rules without margins"]
    return {
        "one_ms": one,
        "cpu": {k: round(v, 2) for k, v in cpu.items()},
        "margins_share": round((cpu["rules"] - cpu["rules without margins"]) / beside, 3),
        "turning_share": round(cpu["turning"] / beside, 2),
        "turned": turned,
    }


def _none(tree: object) -> None:
    return None


def _one_by_one(store: Any, law: Any) -> dict[str, float]:
    """Median milliseconds of CPU for each step of one household."""
    from meanscheck.decisions import decide
    from meanscheck.decisions.encode import input_needs
    from meanscheck.decisions.explaining.data import data
    from meanscheck.decisions.explaining.page import page
    from meanscheck.decisions.explaining.rulings import explained
    from meanscheck.decisions.explaining.text import text
    from meanscheck.decisions.tracing import Tracer

    names = store.fetch(f"select case_id from requests order by case_id limit {CASES}")["case_id"].to_list()
    spent: dict[str, list[float]] = {}

    def timed(step: str, start: float) -> float:
        now = process_time()
        spent.setdefault(step, []).append((now - start) * 1000)
        return process_time()

    for name in names:
        start = process_time()
        store.case_block(name, input_needs(law), on=law.on)
        start = timed("block from the store", start)
        evidence = Tracer.of(store, law, name, is_reduced=True)
        start = timed("the same with its places", start)
        decision = decide(evidence.given, law)
        start = timed("decide", start)
        tree = explained(decision, evidence)
        start = timed("tree", start)
        text(tree, law)
        data(tree, law)
        page(tree, law)
        timed("text, JSON and HTML", start)
    return {step: round(statistics.median(values), 1) for step, values in spent.items()}


if __name__ == "__main__":
    sys.exit(of_sizes("telling", "What it costs to tell why.", sizes=[100_000]))
