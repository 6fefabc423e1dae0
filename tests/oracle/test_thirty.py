"""Do thirty households, reckoned by hand with the reckoning shown, come out to the fen?"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from meanscheck.law import RulePack
from meanscheck.law.cases import Case, load_cases, run_case
from meanscheck.values.data import data_dir

CASES = load_cases(Path(__file__).parent.parent / "vectors" / "thirty.toml")


@pytest.fixture(scope="module")
def pack() -> RulePack:
    return RulePack.load(data_dir("rules") / "cn" / "guangdong" / "jiangmen")


def test_there_are_thirty_and_nearly_all_are_of_the_day_whose_figures_are_sourced() -> None:
    assert len(CASES) == 30
    assert sum(case.on == date(2020, 6, 30) for case in CASES) == 29
    assert all(case.expectations and not case.overlay and not case.accept for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_household_reckoned_by_hand_comes_out_to_the_fen(case: Case, pack: RulePack) -> None:
    assert run_case(pack, case).unmet == ()
