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
        "dibao.rules.toml",
        "dibao.parameters.toml",
        "dibao_grace.rules.toml",
        "dibao_margin.rules.toml",
        "dibao_margin.parameters.toml",
        "dibao_single.rules.toml",
        "rigid_expenditure.rules.toml",
        "rigid_expenditure.parameters.toml",
    ),
    "cn/guangdong": (
        "dibao.rules.toml",
        "dibao.parameters.toml",
        "dibao_grace.rules.toml",
        "dibao_margin.rules.toml",
        "dibao_single.rules.toml",
        "rigid_expenditure.rules.toml",
        "rigid_expenditure.parameters.toml",
    ),
    "cn/guangdong/jiangmen": ("parameters.toml",),
    "cn/chongqing": ("rules.toml", "parameters.toml"),
    "cn/fujian": ("price.parameters.toml",),
    "cn/fujian/xiamen/huli": ("rules.toml", "parameters.toml"),
    "cn/guangdong/foshan": ("rules.toml", "parameters.toml"),
    "cn/guangdong/guangzhou": ("rules.toml", "parameters.toml"),
    "cn/guangdong/huizhou": ("rules.toml", "parameters.toml"),
    "cn/guangdong/meizhou": ("rules.toml", "parameters.toml"),
    "cn/guangdong/shantou": ("rules.toml", "parameters.toml"),
    "cn/guangdong/shenzhen": ("rules.toml", "parameters.toml"),
    "cn/guangdong/zhongshan": ("rules.toml", "parameters.toml"),
    "cn/jiangsu": ("rules.toml", "parameters.toml", "price.rules.toml", "price.parameters.toml"),
    "cn/jiangsu/nanjing": ("rules.toml", "parameters.toml"),
    "cn/jiangxi": ("price.rules.toml", "price.parameters.toml"),
    "cn/jiangxi/jiujiang": ("medical_relief.rules.toml", "medical_relief.parameters.toml"),
    "cn/shanghai": ("rules.toml", "parameters.toml"),
    "cn/zhejiang": ("rules.toml", "parameters.toml"),
    "cn/zhejiang/ningbo/yinzhou": ("rules.toml", "parameters.toml"),
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
