"""ZEN and we decide the same households alike; a missing fact is what the author of its table made of it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from random import Random

import pytest

from benchmarks import measure, zen
from benchmarks.peer.decision_model import BY_ROWS, BY_TOTALS
from benchmarks.zen import Household

needs_zen = pytest.mark.skipif(find_spec("zen") is None, reason="pip install '.[peers]'")

# 900.00 a head and month: 5 400.00 in six months, 21 600.00 of assets.
HOMES = {
    "awarded what is missing": (Household(((38_000,) * 6,), ((100_000,),), (0,)), "eligible, 52000 fen"),
    "a fen below the income limit": (Household(((90_000,) * 5 + (89_999,),), ((0,),), (0,)), "eligible, 0 fen"),
    "income at its limit": (Household(((90_000,) * 6,), ((0,),), (0,)), "ineligible"),
    "assets at their limit": (Household(((0,) * 6,), ((2_160_000,),), (0,)), "eligible, 90000 fen"),
    "a fen above the asset limit": (Household(((0,) * 6,), ((2_160_001,),), (0,)), "ineligible"),
    "a vehicle": (Household(((0,) * 6,), ((0,),), (1,)), "ineligible"),
    # 1 800.00 − 1 000.01 / 6 = 1 633.331…
    "two persons, rounded": (
        Household(((100_001, *(0,) * 5), (0,) * 6), ((1,), (2,)), (0, 0)),
        "eligible, 163333 fen",
    ),
}


@pytest.mark.parametrize("home, expected", HOMES.values(), ids=HOMES)
def test_we_decide_the_core_as_it_is_reckoned_by_hand(home: Household, expected: str) -> None:
    assert zen.our_answer(home).split(" (")[0] == expected


@needs_zen
@pytest.mark.parametrize("home, expected", HOMES.values(), ids=HOMES)
def test_every_way_of_writing_it_for_zen_decides_complete_facts_alike(home: Household, expected: str) -> None:
    for graph in BY_ROWS.values():
        assert zen.answer_of(graph, zen.rows_of(home)) == expected
    for way, graph in BY_TOTALS.items():
        silent = way == "a row of all limits, no other" and expected == "ineligible"
        assert zen.answer_of(graph, zen.totals_of(home)) == ("no outcome" if silent else expected), way


def test_a_silent_bank_refers_unless_what_is_known_decides() -> None:
    open_home, rich = Household(((38_000,) * 6,), (None,), (0,)), Household(((100_000,) * 6,), (None,), (0,))
    assert zen.our_answer(open_home) == "refer (no_answer:bank_deposits)"
    assert zen.our_answer(rich) == "ineligible (income)"


@needs_zen
def test_what_zen_says_of_a_missing_fact_depends_on_how_its_rules_are_written() -> None:
    said = {who: (open_home.split(":")[0], rich.split(":")[0]) for who, open_home, rich in zen.missing()}
    assert said == {
        "ours": ("refer (no_answer", "ineligible (income)"),
        "ZEN: a row of all limits, else ineligible": ("ineligible", "ineligible"),
        "ZEN: a row a refusal, else eligible": ("eligible, 52000 fen", "ineligible"),
        "ZEN: a row of all limits, no other": ("no outcome", "no outcome"),
        "ZEN: rows that ask for null first": ("refer", "refer"),
        "ZEN: refusals, then rows that ask for null": ("refer", "ineligible"),
        "ZEN: a schema that requires all": ("error", "error"),
        "ZEN: rows": ("error", "error"),
        "ZEN: rows, or none where there is no list": ("eligible, 52000 fen", "ineligible"),
    }


def test_households_lie_on_the_limits_and_beside_them() -> None:
    random = Random(1)
    totals = [zen.totals_of(zen.household(random)) for _ in range(400)]
    beside = {t["income"] - t["size"] * 540_000 for t in totals} & {-1, 0, 1}
    assert beside == {t["assets"] - t["size"] * 2_160_000 for t in totals} & {-1, 0, 1} == {-1, 0, 1}


@needs_zen
def test_every_case_is_decided_alike_and_every_way_has_its_time(tmp_path: Path) -> None:
    counts = measure.run("zen", tmp_path, 120).counts
    assert counts["equal"] == sum(counts["by_outcome"].values()) == 120
    assert set(counts["by_outcome"]) == {"eligible", "ineligible"}
    assert set(counts["us"]) == {
        *("zen", "zen, trace", "zen, JSON text"),
        *("ours, outcome", "ours, decide", "ours, stated"),
    }
    assert all(0 < median <= most for times in counts["us"].values() for median, most in (times[:2], times[2:]))
