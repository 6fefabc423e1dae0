"""Our own packs: nothing is wrong in any of them, a case shows every line, side and figure of theirs that can be shown,
and every mutant is noticed by a case or explained.

Whoever changes a pack adds the case that shows the change. A sample of mutants is drawn here; `meanscheck rules mutate`
tries them all.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from meanscheck.law.audit import pack_folders
from meanscheck.law.case_runs import Cases
from meanscheck.law.coverage import gaps
from meanscheck.law.derived_checks import differences
from meanscheck.law.explanations import explained_mutants, explained_theorems
from meanscheck.law.mutating import Mutation, drawn, report
from meanscheck.law.plain import PlainRun
from meanscheck.values.data import data_dir

from .comparing import stepping

RULES = data_dir("rules")
FOLDERS = pack_folders(RULES)
SHOWN = ("cn", "cn/guangdong", "cn/guangdong/jiangmen", "cn/shanghai", "cn/zhejiang/ningbo/yinzhou")
"""Packs of which a sample is drawn here; the others take as long and are left to the command."""
SAMPLE = 25
NO_CASE = ("programme dibao_single, test ground", (date(2021, 7, 1),))
"""What the margin was in Guangdong before its limits, alone, is beyond every case: 民发〔2021〕57号 has the class from
2021-07-01; the province's limits of property are those of 2022-03-01."""


@pytest.fixture(scope="module")
def cases() -> Cases:
    """The cases of all packs, run once."""
    return Cases(FOLDERS)


def test_every_case_of_every_pack_comes_out_as_expected(cases: Cases) -> None:
    assert (cases.faults, cases.unmet) == ([], ())
    assert len(cases.runs) > 100


def test_every_case_has_over_steps_the_values_outcomes_and_causes_of_the_plain_executor(cases: Cases) -> None:
    different = [stepping(r.law, r.case.unit, PlainRun(r.law, r.case.unit)) for r in cases.runs]
    assert [line for lines in different for line in lines] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.relative_to(RULES).as_posix())
def test_every_published_figure_is_what_its_formula_gives_or_says_why_not(folder: Path, cases: Cases) -> None:
    assert [f"{d.thing} {d.since}: {d.what}" for d in differences(cases.packs[folder.resolve()])] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.relative_to(RULES).as_posix())
def test_a_case_shows_every_line_side_and_figure_that_can_be_shown(folder: Path, cases: Cases) -> None:
    found = gaps(cases.packs[folder.resolve()], cases)
    assert [f"{g.thing} {g.since}: {g.needed}" for g in found if g.kind != "beyond"] == []
    beyond = {(g.thing, g.since) for g in found if g.kind == "beyond"}
    assert beyond <= {NO_CASE} and (folder != RULES / "cn" / "guangdong" or beyond == {NO_CASE})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.relative_to(RULES).as_posix())
def test_every_explanation_gives_a_reason(folder: Path, cases: Cases) -> None:
    level = cases.packs[folder.resolve()].levels[-1]
    assert all(entry.why.strip() for entry in (*explained_mutants(level), *explained_theorems(level)))


@pytest.mark.parametrize("name", SHOWN)
def test_a_sample_of_mutants_is_noticed_or_explained(name: str, cases: Cases) -> None:
    mutation = Mutation(RULES / name, cases)
    sample = drawn(mutation, sample=SAMPLE, seed=2020)
    assert len(sample) == SAMPLE
    found = report(mutation, [mutation.judge(mutation.mutants[i]) for i in sample])
    assert [v.mutant for v in found.open] == []
