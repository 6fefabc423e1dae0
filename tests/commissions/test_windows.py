"""For which time is a person asked about? For as long as the programmes applied for look back, and not longer."""

from __future__ import annotations

from datetime import date
from functools import cache

import pytest

from meanscheck.commissions.letters import asked_window, window_parts
from meanscheck.law import Law, RulePack

APPLIED, DAY = date(2022, 6, 10), date(2022, 6, 30)


@cache
def law() -> Law:
    return RulePack.load("rules/cn/guangdong/jiangmen").on(DAY)


@pytest.mark.parametrize(
    ("programmes", "first"),
    [
        (("dibao",), date(2021, 12, 1)),
        (("dibao", "tekun"), date(2021, 12, 1)),
        (("rigid_expenditure",), date(2021, 6, 1)),
        (("living_aid",), date(2021, 6, 1)),
        ((), date(2021, 6, 1)),
    ],
)
def test_income_is_asked_for_the_window_of_the_programmes_applied_for(programmes: tuple[str, ...], first: date) -> None:
    parts = window_parts(law(), programmes)["tax_income"]
    assert asked_window(law(), parts, applied_on=APPLIED, reference_day=DAY) == (first, date(2022, 5, 31))


def test_receipts_of_spending_are_asked_only_where_they_count() -> None:
    assert "rigid_spending" in window_parts(law(), ("rigid_expenditure",))
    assert "rigid_spending" not in window_parts(law(), ("dibao", "tekun", "medical_relief"))
