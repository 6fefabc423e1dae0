"""What a case expects of a named value: that it is unknown, and whose it is."""

from __future__ import annotations

from typing import Any

from meanscheck.law import RulePack
from meanscheck.law.cases import Case, run_case


def unmet(values: dict[str, Any]) -> tuple[str, ...]:
    case = Case.from_dict(
        {
            "id": "one",
            "on": "2020-06-30",
            "household": {"residence": "urban", "division": "500103"},
            "member": [{"id": "A", "relation": "head", "sex": "male", "born_on": "1980-02-01"}],
            "expect": {"dibao": {"values": values}},
        }
    )
    return run_case(RulePack.load("rules/cn"), case).unmet


def test_an_amount_may_be_expected_to_be_unknown() -> None:
    # The months of income reckoned are not fixed nationally.
    assert unmet({"household_income": "unknown"}) == ()


def test_an_amount_that_is_unknown_is_not_taken_for_a_figure() -> None:
    assert unmet({"household_income": "0.00"}) == ("dibao: household_income is unknown, expected 0.00",)


def test_a_persons_value_cannot_be_expected_of_a_household() -> None:
    assert unmet({"assets": "0.00"}) == ("dibao: assets belongs to a member; expect it under a programme of persons",)
