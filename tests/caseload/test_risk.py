"""Strata: by programme and by the first risk that fits, from the record alone."""

from __future__ import annotations

from typing import Any

import pytest

from meanscheck.caseload.risk import RISKS, Frame, Thresholds, Unit, money_tests, units_of
from meanscheck.law import RulePack

MONEY = frozenset({("dibao", "income"), ("dibao", "assets"), ("tekun", "income")})
LIMITS = Thresholds(thin_fen=1000, high_fen=80_000)


def outcome(
    outcome: str, *, award: int | None = None, causes: tuple[str, ...] = (), of: str = "dibao"
) -> dict[str, Any]:
    return {"programme": of, "outcome": outcome, "award": award, "causes": list(causes)}


def told(name: str, holds: bool | None, margin: int | None, *, of: str = "dibao") -> dict[str, Any]:
    return {"programme": of, "id": name, "holds": holds, "margin": margin}


def risk(result: dict[str, Any], *tests: dict[str, Any]) -> str:
    record = {
        "result": {"household": [result], "members": []},
        "reasons": {"household": list(tests), "members": []},
    }
    (unit,) = units_of(7, record, MONEY, LIMITS)
    assert (unit.index, unit.programme) == (7, "dibao")
    return unit.risk


@pytest.mark.parametrize(
    ("expected", "result", "tests"),
    [
        ("unreviewed", outcome("refer", causes=("no_answer:x", "unreviewed:vehicles")), ()),
        ("referred", outcome("refer", causes=("no_answer:x",)), ()),
        ("referred", outcome("refer", causes=("no_answer:x",)), (told("income", True, 5),)),
        ("thin_margin", outcome("eligible", award=90_000), (told("income", True, 1000),)),
        ("high_award", outcome("eligible", award=80_000), (told("income", True, 1001),)),
        ("ordinary", outcome("eligible", award=79_999), (told("income", True, 1001),)),
        ("ordinary", outcome("eligible"), ()),
        # A margin that is no amount of money says nothing of money.
        ("ordinary", outcome("eligible", award=1), (told("people", True, 1),)),
        ("thin_margin", outcome("ineligible"), (told("income", False, -1000), told("assets", True, 10**9))),
        ("ordinary", outcome("ineligible"), (told("income", False, -1001),)),
        # All that fails would have to turn: one of two far away, or not an amount, is not thin.
        ("ordinary", outcome("ineligible"), (told("income", False, -1), told("assets", False, -5000))),
        ("ordinary", outcome("ineligible"), (told("income", False, -1), told("vehicles", False, None))),
        ("thin_margin", outcome("ineligible"), (told("income", False, -1), told("assets", False, -900))),
        ("ordinary", outcome("ineligible"), (told("income", True, 5),)),
        # Another programme's test does not count.
        ("ordinary", outcome("ineligible"), (told("income", False, -1, of="tekun"),)),
    ],
)
def test_the_first_risk_that_fits(expected: str, result: dict[str, Any], tests: tuple[dict[str, Any], ...]) -> None:
    assert risk(result, *tests) == expected


def test_a_programme_of_members_has_the_risk_of_the_riskiest() -> None:
    record = {
        "result": {
            "household": [],
            "members": [
                {"id": "A", "outcomes": [outcome("ineligible", of="tekun")]},
                {"id": "B", "outcomes": [outcome("refer", of="tekun", causes=("unreviewed:real_estate",))]},
            ],
        },
        "reasons": {"household": [], "members": [{"id": "A", "tests": []}, {"id": "B", "tests": []}]},
    }
    assert list(units_of(3, record, MONEY, LIMITS)) == [Unit(3, "tekun", "unreviewed")]


def test_tests_of_money_are_known_by_their_dimension() -> None:
    from datetime import date

    found = money_tests(RulePack.load("rules/cn/guangdong/jiangmen").on(date(2020, 6, 30)))
    assert ("dibao", "income") in found and ("dibao", "financial_assets") in found
    assert ("dibao", "vehicles") not in found and ("dibao", "dwellings") not in found


def test_the_digest_of_a_frame_is_over_plain_lines() -> None:
    """printf '1 dibao ordinary\\n2 tekun referred\\n' | sha256sum"""
    frame = Frame((Unit(1, "dibao", "ordinary"), Unit(2, "tekun", "referred")))
    assert frame.digest == "edad80e47a93e6e59a87942777605c7da4b3559403a6d1417c8cc9c7d53fe297"
    assert list(frame.strata()) == ["dibao/ordinary", "tekun/referred"]


def test_every_risk_has_words_in_both_languages() -> None:
    assert all(zh != en for zh, en in RISKS.values())
