"""Our own packs: nothing is wrong in any of them, and what their cases are said to show they show.

`SHOWN` are the files of which every mutant is noticed by a case or explained: whoever changes one of them adds the case
that shows the change. A sample is drawn here; `meanscheck rules mutate` tries them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from meanscheck.law.audit import pack_folders
from meanscheck.law.case_runs import Cases
from meanscheck.law.derived_checks import differences
from meanscheck.law.mutating import Mutation, drawn, explanations, report
from meanscheck.values.data import data_dir

RULES = data_dir("rules")
FOLDERS = pack_folders(RULES)
SHOWN: Mapping[str, tuple[str, ...]] = {
    "cn": (
        "rules.toml",
        "parameters.toml",
        "classes.rules.toml",
        "disability.rules.toml",
        "disability.parameters.toml",
        "medical_relief.rules.toml",
        "medical_relief.parameters.toml",
        "price.rules.toml",
        "price.parameters.toml",
        "tekun.parameters.toml",
        "temporary_relief.rules.toml",
        "temporary_relief.parameters.toml",
    ),
    "cn/guangdong": (
        "disability.rules.toml",
        "disability.parameters.toml",
        "medical_relief.parameters.toml",
        "price.rules.toml",
        "price.parameters.toml",
        "tekun.parameters.toml",
    ),
    "cn/guangdong/jiangmen": (
        "rules.toml",
        "parameters.toml",
        "medical_relief.parameters.toml",
        "tekun.parameters.toml",
    ),
}
SAMPLE = 25


@pytest.fixture(scope="module")
def cases() -> Cases:
    """The cases of all packs, run once."""
    return Cases(FOLDERS)


def test_every_case_of_every_pack_comes_out_as_expected(cases: Cases) -> None:
    assert (cases.faults, cases.unmet) == ([], ())
    assert len(cases.runs) > 100


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.relative_to(RULES).as_posix())
def test_every_published_figure_is_what_its_formula_gives_or_says_why_not(folder: Path, cases: Cases) -> None:
    assert [f"{d.thing} {d.since}: {d.what}" for d in differences(cases.packs[folder.resolve()])] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.relative_to(RULES).as_posix())
def test_every_explanation_gives_a_reason(folder: Path, cases: Cases) -> None:
    assert all(why.strip() for why in explanations(cases.packs[folder.resolve()].levels[-1]).values())


@pytest.mark.parametrize(("name", "files"), SHOWN.items(), ids=list(SHOWN))
def test_a_sample_of_mutants_is_noticed_or_explained(name: str, files: tuple[str, ...]) -> None:
    mutation = Mutation(RULES / name)
    own = [i for i in drawn(mutation) if mutation.mutants[i].file.rsplit("/", 1)[-1] in files]
    assert own
    drawn_ones = [i for i in drawn(mutation, sample=4 * SAMPLE, seed=2020) if i in own][:SAMPLE]
    found = report(mutation, [mutation.judge(mutation.mutants[i]) for i in drawn_ones])
    assert [v.mutant for v in found.open] == []
