"""The two executors give the same for every value, on generated laws and cases: in whatever blocks, in whatever order.

Longer runs by hand: ``python -m law.soak FIRST COUNT`` in the folder of tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from meanscheck.contracts.units import CaseUnit, PersonFacts, Value, block_of, units_of
from meanscheck.errors import InternalError
from meanscheck.law import Law
from meanscheck.law.names import support_types
from meanscheck.law.plain import PlainRun
from meanscheck.law.vectors import VectorRun

from .cases import CaseWriter
from .choosing import Drawn, Seeded
from .comparing import changed_by_blocks, differences, vector_run
from .laws import PackWriter, law_of
from .packs import PackText

HERE: dict[str, Value] = {"id": "A", "lives_together": True}
steady = settings(
    derandomize=True,
    # Shrinking a law takes minutes; a law from a seed is looked at as it is.
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


@dataclass(repr=False)
class Situation:
    """A whole small law, and case units with every state of evidence."""

    law: Law
    units: list[CaseUnit]
    rules: str

    def __repr__(self) -> str:
        return f"{len(self.units)} units under\n{self.rules[:6000]}"


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Any situation."""
    choose = Drawn(draw)
    files = PackWriter(choose, items=4).write()
    with TemporaryDirectory() as folder:
        law = law_of(files, Path(folder))
    return Situation(law, CaseWriter(choose, law).units(3), files["rules.toml"])


@settings(steady, max_examples=25)
@given(situations())
def test_the_executors_agree_on_every_value(situation: Situation) -> None:
    law, units = situation.law, situation.units
    assert differences(law, units) == []


@pytest.mark.parametrize("seed", range(900, 945))
def test_blocks_and_order_of_rows_change_nothing(seed: int, tmp_path: Path) -> None:
    choose = Seeded(seed)
    law = law_of(PackWriter(choose).write(), tmp_path)
    units = CaseWriter(choose, law).units(4)
    run = vector_run(law, units)
    assert differences(law, units, run) == []
    assert changed_by_blocks(law, units, run) == []


@settings(steady, max_examples=8)
@given(situations())
def test_a_recorded_law_gives_the_same_results(situation: Situation) -> None:
    law, units = situation.law, situation.units
    again = Law.from_json(law.canonical)
    assert again.digest == law.digest
    for unit in units:
        assert PlainRun(again, unit).decide() == PlainRun(law, unit).decide()
    assert differences(again, units) == []


@settings(steady, max_examples=8)
@given(situations())
def test_plain_records_survive_the_way_through_frames(situation: Situation) -> None:
    law, units = situation.law, situation.units
    block = vector_run(law, units).block
    for before, after in zip(units, units_of(block), strict=True):
        assert [o.outcome for o in PlainRun(law, after).decide()] == [o.outcome for o in PlainRun(law, before).decide()]


def test_an_empty_block_has_no_results(tmp_path: Path) -> None:
    law = law_of(PackWriter(Seeded(3)).write(), tmp_path)
    run = vector_run(law, [])
    assert run.households.height == run.persons.height == 0
    assert all(f"o:{p.id}" in run.frame(p.entity).columns for p in law.programmes)


def test_a_unit_without_people_is_decided(tmp_path: Path) -> None:
    law = law_of(PackWriter(Seeded(4)).write(), tmp_path)
    units = [CaseUnit("nobody", {}, (), unit=0), CaseUnit("one", {}, (PersonFacts("member", {"id": "A"}),), unit=1)]
    assert differences(law, units) == []


def test_a_window_that_ends_on_a_day_of_the_person_has_two_bounds(tmp_path: Path) -> None:
    pack = PackText()
    seen = "any(s.items_failed > 2 for s in self_care_assessments if within(s.assessed_on, p.window, before=born_on))"
    pack.programme("last", "member", seen)
    law = pack.law(tmp_path)
    # Twelve whole months before February 2020: from 2019-02-01 to 2020-01-31.
    days = {date(2019, 1, 31): False, date(2019, 2, 1): True, date(2020, 1, 31): True, date(2020, 2, 1): False}
    units = []
    for place, day in enumerate(days):
        row: dict[str, Value] = {"assessed_on": day, "items_failed": 3, "verdict": 0}
        facts = {"self_care_assessments": pack.answered((row,))}
        person = PersonFacts("member", {**HERE, "born_on": date(2020, 2, 29)}, facts)
        units.append(CaseUnit(f"case-{place}", {}, (person,), unit=place))
    # Somebody of another day, or the bounds would be the same for all.
    other = PersonFacts("member", {**HERE, "born_on": date(1950, 5, 5)}, {"self_care_assessments": pack.answered(())})
    units.append(CaseUnit("other", {}, (other,), unit=len(units)))
    run = vector_run(law, units)
    assert run.persons["t:last:only"].to_list() == [*days.values(), False]
    assert differences(law, units, run) == []


def test_a_product_too_large_to_be_exact_is_refused_not_wrapped(tmp_path: Path) -> None:
    pack = PackText()
    pack.variable("wealth", "household", "money", "sum(b.balance for b in bank_deposits)")
    product = " * ".join(["(wealth / p.money)"] * 4)
    pack.programme("last", "household", f"{product} < p.ratio")
    law = pack.law(tmp_path)
    rows = ({"balance": 10**13, "verdict": 0},)
    person = PersonFacts("member", HERE, {"bank_deposits": pack.answered(rows)})
    units = [CaseUnit("rich", {}, (person,))]
    with pytest.raises(InternalError, match="too large"):
        vector_run(law, units)
    poor = PersonFacts("member", HERE, {"bank_deposits": pack.answered(({"balance": 7, "verdict": 0},))})
    assert differences(law, [CaseUnit("poor", {}, (poor,))]) == []


def test_a_sum_that_might_not_fit_is_refused_not_wrapped(tmp_path: Path) -> None:
    pack = PackText()
    pack.variable("large", "member", "number", "sum(s.items_failed * s.items_failed for s in self_care_assessments)")
    pack.programme("last", "member", "large < 2")
    law = pack.law(tmp_path)
    rows = tuple({"items_failed": 10**13, "verdict": 0} for _ in range(2))
    person = PersonFacts("member", HERE, {"self_care_assessments": pack.answered(rows)})
    with pytest.raises(InternalError, match=r"too large|exceeds"):
        vector_run(law, [CaseUnit("large", {}, (person,))])


def test_frames_that_do_not_match_are_refused(tmp_path: Path) -> None:
    law = law_of(PackWriter(Seeded(5)).write(), tmp_path)
    block = block_of([CaseUnit("one", {}, (PersonFacts("member", {"id": "A"}),))], {}, support_types())
    with pytest.raises(InternalError, match="do not match"):
        VectorRun(
            law,
            type(block)(
                block.households.with_columns(n_persons=pl.lit(2, pl.UInt32)), block.persons, {}, block.supporters
            ),
        )
