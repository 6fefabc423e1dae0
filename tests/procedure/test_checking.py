"""Which queries need the person's authorisation, as dated facts of the packs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from meanscheck.contracts import feed_names
from meanscheck.errors import PackError
from meanscheck.procedure.checking import FILE, CheckRules
from meanscheck.values.data import data_dir

FOLDERS = sorted(file.parent for file in data_dir("rules").rglob(FILE))


def asked(folder: str, day: str) -> list[tuple[list[str], list[str]]]:
    return [(c.feeds, c.cite) for c in CheckRules.load(folder).consents_on(date.fromisoformat(day))]


EVERY_2012, EVERY_2021 = (["*"], ["cn-220-2012#12"]), (["*"], ["cn-57-2021#9"])
PLAN = (["tax_income", "bank_deposits", "securities", "insurance_policies"], ["jm-1-2014"])


@pytest.mark.parametrize(
    ("folder", "day", "wanted"),
    [
        ("rules/cn", "2012-12-11", []),
        ("rules/cn", "2012-12-12", [EVERY_2012]),
        ("rules/cn", "2021-06-30", [EVERY_2012]),
        ("rules/cn", "2021-07-01", [EVERY_2021]),
        ("rules/cn/guangdong/jiangmen", "2014-01-07", [EVERY_2012]),
        ("rules/cn/guangdong/jiangmen", "2014-01-08", [PLAN, EVERY_2012]),
        ("rules/cn/guangdong/jiangmen", "2021-07-01", [PLAN, EVERY_2021]),
    ],
)
def test_the_queries_that_need_consent_are_those_of_the_day(
    folder: str, day: str, wanted: list[tuple[list[str], list[str]]]
) -> None:
    assert asked(folder, day) == wanted


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_a_consent_names_feeds_that_exist(folder: Path) -> None:
    named = {feed for consent in CheckRules.load(folder).consents for feed in consent.feeds}
    assert named <= {"*", *feed_names()}


def test_a_consent_of_one_name_stands_once(tmp_path: Path) -> None:
    (tmp_path / "pack.toml").write_text("", encoding="utf-8")
    one = '[[consent]]\nid = "a"\nfeeds = ["*"]\nin_force_on = 2020-01-01\ncite = ["x#1"]\n'
    (tmp_path / FILE).write_text(one * 2, encoding="utf-8")
    with pytest.raises(PackError, match="twice"):
        CheckRules.load(tmp_path)
