"""The vectorised finders, the plain ones and the definitions say the same, of random cases, in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanscheck.contracts.units import CaseUnit, units_of
from meanscheck.law import Law
from meanscheck.law.conflicts import KINDS
from meanscheck.law.conflicts.found import FINDERS, Found
from meanscheck.law.conflicts.plain import Contradictions
from meanscheck.law.conflicts.plain_finders import FINDERS as PLAIN_FINDERS

from .cases import CaseWriter
from .choosing import Drawn, Seeded
from .comparing import changed_by_blocks, differences, shuffled, vector_run
from .contradicting import Told, by_unit
from .laws import ON
from .situations import law_of_all
from .test_agreement import steady

WINDOW = 6


@pytest.fixture(scope="module")
def law(tmp_path_factory: pytest.TempPathFactory) -> Law:
    """Every kind, nothing but persons to decide."""
    return law_of_all(tmp_path_factory.mktemp("all"))


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Law:
    """Every kind under one rule or another."""
    return law_of_all(tmp_path_factory.mktemp("ruled"), rules=("person", "source", "law", "person"))


def of_vectors(found: Found, units: Sequence[CaseUnit]) -> list[set[Told]]:
    """What was found in a block, told as the definitions tell it."""
    first = [0]
    for unit in units:
        first.append(first[-1] + len(unit.persons))
    rows_before = {
        feed: (found.block.persons[f"n:{feed}"].cum_sum() - found.block.persons[f"n:{feed}"]).to_list()
        for feed in found.block.feeds
    }
    result: list[set[Told]] = [set() for _ in units]
    for _, rows in found.points.group_by("conflict"):
        unit = rows["unit"][0]
        places = frozenset(
            (person - first[unit], feed, row - rows_before[feed][person])
            for person, feed, row in rows.select("person", "feed", "row").iter_rows()
        )
        result[unit].add(Told(rows["kind"][0], places, rows["one"][0], rows["other"][0]))
    return result


def of_plain(law: Law, unit: CaseUnit) -> set[Told]:
    return {
        Told(
            d.kind,
            frozenset((p.person, law.conflicts[d.kind].kind.feeds[p.side], p.row) for p in d.points),
            d.one,
            d.other,
        )
        for d in Contradictions(law, unit).disputes
    }


def undropped(unit: CaseUnit) -> CaseUnit:
    """The unit without findings: what there is to settle."""
    persons = tuple(
        replace(p, feeds={f: replace(x, rows=tuple({**r, "verdict": 0} for r in x.rows)) for f, x in p.feeds.items()})
        for p in unit.persons
    )
    return replace(unit, persons=persons)


def test_every_kind_has_both_finders() -> None:
    assert set(FINDERS) == set(PLAIN_FINDERS) == set(KINDS)


@st.composite
def cases(draw: st.DrawFn, law: Law) -> list[CaseUnit]:
    """Any cases without findings."""
    return [undropped(u) for u in CaseWriter(Drawn(draw), law).units(3)]


@settings(steady, max_examples=30)
@given(st.data())
def test_finders_equal_the_definitions(law: Law, data: st.DataObject) -> None:
    units = data.draw(cases(law))
    expected = list(by_unit(units, ON, WINDOW))
    assert [of_plain(law, u) for u in units] == expected
    assert of_vectors(vector_run(law, units).disputes, units) == expected


def test_random_cases_have_every_kind(law: Law) -> None:
    """Otherwise the comparison above would compare nothing."""
    kinds: set[str] = set()
    for seed in range(150):
        for told in by_unit([undropped(u) for u in CaseWriter(Seeded(seed), law).units(4)], ON, WINDOW):
            kinds |= {t.kind for t in told}
    assert kinds == set(KINDS)


@pytest.mark.parametrize("seed", range(25))
def test_executors_agree_with_contradictions_and_findings(seed: int, law: Law, ruled: Law) -> None:
    for one in (law, ruled, replace(law, bounds=True)):
        units = CaseWriter(Seeded(seed), one).units(4)
        run = vector_run(one, units)
        assert differences(one, units, run) == []
        assert changed_by_blocks(one, units, run) == []
        told = of_vectors(run.disputes, units)
        assert told == [of_plain(one, u) for u in units]
        verdicts = run.disputes.points.select("conflict", "unit", "kind", "verdict").unique()
        plain = [(i, d.kind, d.verdict) for i, u in enumerate(units) for d in Contradictions(one, u).disputes]
        assert sorted(verdicts.select("unit", "kind", "verdict").iter_rows()) == sorted(plain)


def renamed(units: Sequence[CaseUnit], seed: int) -> list[CaseUnit]:
    """The same units with persons and rows in another order; supporters name members by id, so nothing else changes."""
    random = Random(seed)
    return [replace(u, persons=tuple(random.sample(u.persons, len(u.persons)))) for u in shuffled(units, seed)]


def essence(law: Law, unit: CaseUnit) -> list[tuple[str, str, int | None, int | None, tuple[str, ...]]]:
    """What does not depend on places: kind, verdict, figures, ids."""
    result = []
    for d in Contradictions(law, unit).disputes:
        ids = sorted(str(unit.persons[p.person].attributes["id"]) for p in d.points)
        result.append((d.kind, d.verdict, d.one, d.other, tuple(ids)))
    return sorted(result, key=str)


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_members_and_rows_changes_nothing(seed: int, law: Law) -> None:
    units = CaseWriter(Seeded(seed), law).units(4)
    other = renamed(units, seed)
    assert [essence(law, u) for u in other] == [essence(law, u) for u in units]
    mixed, straight = vector_run(law, other), vector_run(law, units)
    columns = [c for c in straight.households.columns if c[:2] in ("v:", "o:", "t:")]
    assert mixed.households.select(columns).equals(straight.households.select(columns))


def test_a_block_without_persons_or_rows_has_none(law: Law) -> None:
    units = [CaseUnit("nobody", {}, ())]
    run = vector_run(law, units)
    assert run.disputes.points.is_empty() and run.disputes.points.schema["conflict"] == pl.Int64
    assert [u.case_id for u in units_of(run.block)] == ["nobody"]
