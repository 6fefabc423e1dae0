"""What-if law laid over a pack: what it may leave out, what it overrides, what it says of itself."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from meanscheck.errors import PackError
from meanscheck.law import RulePack

from .packs import sound

ON = date(2020, 6, 30)
HEAD = '[overlay]\nname = "twice"\n'


def over(tmp_path: Path, text: str, head: str = HEAD) -> RulePack:
    sound().load(tmp_path / "pack")
    (tmp_path / "what-if.toml").write_text(head + text, encoding="utf-8")
    return RulePack.load(tmp_path / "pack", overlay=tmp_path / "what-if.toml")


def test_a_figure_is_replaced_on_every_day_and_counts_without_a_source(tmp_path: Path) -> None:
    pack = over(tmp_path, '[figures]\n"p.money" = "1140.00"\n')
    for day in (date(2010, 1, 1), ON, date(2090, 1, 1)):
        assert pack.on(day).parameters["p.money"].get() == 114_000
    assert pack.on(ON).parameters["p.money"].unknown == ""


def test_a_law_under_an_overlay_says_so_and_is_another_law(tmp_path: Path) -> None:
    law, plain = over(tmp_path, '[figures]\n"p.money" = "1140.00"\n').on(ON), sound().load(tmp_path / "again").on(ON)
    assert law.name == f"{plain.name} + twice" and law.code == plain.code
    assert law.digest != plain.digest
    assert law.instruments["overlay"].title == "twice"


def test_an_overlay_may_bring_a_rule(tmp_path: Path) -> None:
    text = """
    [[programme]]
    id = "dibao"
      [[programme.test]]
      id = "only"
        [[programme.test.revision]]
        formula = "income <= p.money"
    """
    (test,) = over(tmp_path, text).on(ON).programmes[0].tests
    assert (test.formula, test.cite) == ("income <= p.money", ("overlay",))


def test_from_its_day_on_where_it_has_one(tmp_path: Path) -> None:
    text = '[[parameter]]\nid = "p.money"\n[[parameter.revision]]\nin_force_on = 2020-01-01\nvalue = "1140.00"\n'
    pack = over(tmp_path, text)
    assert [pack.on(d).parameters["p.money"].get() for d in (date(2019, 12, 31), date(2020, 1, 1))] == [57_000, 114_000]


@pytest.mark.parametrize(
    ("head", "text", "reason"),
    [
        (HEAD, '[figures]\n"p.money" = 1140.0\n', "float"),
        (HEAD, '[figures]\n"p.mony" = "1.00"\n', "no parameter p.mony"),
        (HEAD, '[figures]\n"p.money" = "much"\n', "not an amount"),
        (HEAD, "[colours]\n", "unknown key"),
        ("", '[figures]\n"p.money" = "1.00"\n', "required key is missing"),
        (HEAD, "[[variable]]\nid = 'income'\n[[variable.revision]]\nformula = 'nothing'\n", "unknown name nothing"),
    ],
)
def test_a_faulty_overlay_is_named(head: str, text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(PackError) as caught:
        over(tmp_path, text, head)
    assert reason in caught.value.what and "what-if.toml" in caught.value.where


def test_an_overlay_that_is_not_there_is_named(tmp_path: Path) -> None:
    sound().load(tmp_path)
    with pytest.raises(PackError, match=r"nothing\.toml: no such file"):
        RulePack.load(tmp_path, overlay=tmp_path / "nothing.toml")
