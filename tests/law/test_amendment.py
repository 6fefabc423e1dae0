"""What differs between two laws, and the old law with one of the differences."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from meanscheck.law import Law
from meanscheck.law.amendment import Change, changes, touches, with_change

from .packs import PackText, sound

ON = date(2020, 6, 30)


def changed(old: Law, new: Law, change: Change) -> Law:
    law = with_change(old, new, change)
    assert law is not None
    return law


def two(tmp_path: Path, change: tuple[str, str]) -> tuple[Law, Law]:
    """The sound pack, and the same with one text replaced in all its files."""
    old, new = sound(), sound()
    assert any(change[0] in text for text in (*new.parameters, *new.rules))
    new.parameters = [text.replace(*change) for text in new.parameters]
    new.rules = [text.replace(*change) for text in new.rules]
    return old.load(tmp_path / "old").on(ON), new.load(tmp_path / "new").on(ON)


@pytest.mark.parametrize(
    ("change", "name", "before", "after"),
    [
        (('"570.00"', '"580.00"'), "p.money", "570.00", "580.00"),
        (("income < p.money", "income <= p.money"), "dibao: test only", "income < p.money", "income <= p.money"),
        (
            ("t.amount", "t.tax"),
            "income",
            "sum(t.amount for t in tax_income)",
            "sum(t.tax for t in tax_income)",
        ),
    ],
)
def test_one_difference_is_named_with_both_sides(
    change: tuple[str, str], name: str, before: str, after: str, tmp_path: Path
) -> None:
    old, new = two(tmp_path, change)
    (found,) = changes(old, new)
    assert (found.name, found.before, found.after) == (name, before, after)
    assert changed(old, new, found).digest == new.digest
    assert changes(old, old) == ()


def test_a_programme_that_comes_and_one_that_goes(tmp_path: Path) -> None:
    more = sound().programme("help", "household", "income < p.money")
    old, new = sound().load(tmp_path / "old").on(ON), more.load(tmp_path / "new").on(ON)
    (comes,) = changes(old, new)
    (goes,) = changes(new, old)
    assert (comes.kind, comes.name, comes.before) == ("programme", "help", None)
    assert (goes.kind, goes.name, goes.after) == ("programme", "help", None)
    assert changed(old, new, comes).digest == new.digest
    assert [p.id for p in changed(new, old, goes).programmes] == ["dibao"]


def test_of_two_differences_one_is_made(tmp_path: Path) -> None:
    old, new = two(tmp_path, ('"570.00"', '"580.00"'))
    both = PackText()
    both.parameters = [text.replace('"570.00"', '"580.00"') for text in sound().parameters]
    both.rules = [text.replace("income < p.money", "income <= p.money") for text in sound().rules]
    last = both.load(tmp_path / "both").on(ON)
    figure, test = changes(old, last)
    assert changed(old, last, figure).digest == new.digest
    assert changed(new, last, test).digest == last.digest


def test_only_what_a_programme_reads_touches_it(tmp_path: Path) -> None:
    pack = sound().variable("other", "household", "number", "count(t for t in tax_income)")
    pack.programme("help", "household", "other < p.age")
    law = pack.load(tmp_path).on(ON)
    assert ("variable", "", "income") in touches(law, "dibao") and ("variable", "", "income") not in touches(
        law, "help"
    )
    assert ("figure", "", "p.age") in touches(law, "help") and ("figure", "", "p.age") not in touches(law, "dibao")
    assert ("test", "help", "only") not in touches(law, "dibao")


def test_a_change_that_makes_no_law_by_itself_is_none(tmp_path: Path) -> None:
    """A figure that becomes one of another unit cannot be read by the old rules."""
    more = sound()
    unit = ('"p.money"\nunit = "money"', '"p.money"\nunit = "money/month"')
    more.parameters = [text.replace(*unit) for text in more.parameters]
    more.rules = [t.replace("income < p.money", "income < p.money * p.window") for t in more.rules]
    old, new = sound().load(tmp_path / "old").on(ON), more.load(tmp_path / "new").on(ON)
    figure, test = changes(old, new)
    assert (figure.name, test.name) == ("p.money", "dibao: test only")
    assert with_change(old, new, figure) is None


def test_a_rule_that_closes_a_circle_with_the_old_ones_is_none(tmp_path: Path) -> None:
    def law(folder: str, first: str, second: str) -> Law:
        pack = sound().variable("a", "household", "money", first).variable("b", "household", "money", second)
        return pack.load(tmp_path / folder).on(ON)

    old, new = law("old", "b + income", "income"), law("new", "income", "a + income")
    a, b = changes(old, new)
    assert with_change(old, new, b) is None
    assert changed(old, new, a).variables["a"].formula == "income"
