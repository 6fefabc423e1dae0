"""What must hold between the programmes of the real packs, whatever the family: no two of them at once, nobody above
his line, every person with a ground that agrees with his membership."""

from __future__ import annotations

import shutil
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from meanscheck.contracts.units import CaseUnit, FeedFacts, PersonFacts
from meanscheck.law import Law, RulePack
from meanscheck.law.plain import PlainRun

from .comparing import differences
from .families import DAY, STANDARD, Row, families

RULES = Path(__file__).parents[2] / "rules" / "cn"
FIGURES = {"dibao.standard": "900.00", "tekun.basic": "1440.00", "county_disposable_income": "37068.00"}
MEMBERS = {
    "head",
    "spouse",
    "minor_child",
    "dependent_student",
    "parent",
    "lives_together_with_duty",
    "cannot_live_independently",
}
"""The grounds on which the articles count a person."""
few = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@cache
def law(on: date = DAY) -> Law:
    """Jiangmen with the figures that were not found."""
    figures = FIGURES if on == DAY else {}
    return RulePack.load(RULES / "guangdong" / "jiangmen").on(on, overlay=figures)


@given(unit=families())
@few
def test_a_family_is_in_one_of_the_layers_only(unit: CaseUnit) -> None:
    run = PlainRun(law(), unit)
    layers = ("dibao", "dibao_margin", "rigid_expenditure")
    held = [name for name in layers if run.outcome(name, None).outcome == "eligible"]
    assert len(held) <= 1
    if "dibao" in held:
        assert run.outcome("dibao_grace", None).outcome == "ineligible"
        assert {run.outcome("dibao_single", m).outcome for m in run.members} == {"ineligible"}
    belongs = [m for m in run.members if run.variable("is_member", m) is not False]
    if belongs and all(run.outcome("tekun", m).outcome == "eligible" for m in belongs):
        assert not held


@given(unit=families())
@few
def test_a_lower_layer_waits_for_a_higher_one_that_is_open(unit: CaseUnit) -> None:
    run = PlainRun(law(), unit)
    above: list[str] = []
    for name in ("dibao", "dibao_margin", "rigid_expenditure"):
        mine = run.outcome(name, None)
        if "refer" in above and not mine.failed:
            assert mine.outcome != "eligible"
        above.append(mine.outcome)


@given(unit=families())
@few
def test_whoever_is_on_the_margin_earns_between_its_lines_or_has_too_much_for_the_allowance(unit: CaseUnit) -> None:
    run = PlainRun(law(), unit)
    if run.outcome("dibao_margin", None).outcome == "eligible":
        income, size = run.variable("household_income"), run.variable("size")
        assert isinstance(income, int) and isinstance(size, int)
        # 1.5 × 900.00 over six months and all heads, multiplied out
        assert 2 * income <= 3 * STANDARD * 6 * size
        failed = run.outcome("dibao", None).failed
        assert failed, "not in the allowance on some ground"
        if failed == ("income",):
            assert income >= STANDARD * 6 * size


@given(unit=families())
@few
def test_a_ground_that_is_known_agrees_with_the_membership(unit: CaseUnit) -> None:
    for run in (PlainRun(law(), unit), PlainRun(law(date(2021, 6, 30)), unit)):
        for m in run.members:
            reason = run.variable("membership_reason", m)
            if reason is not None:
                assert run.variable("is_member", m) is (reason in MEMBERS)


@given(units=st.lists(families(), min_size=12, max_size=12))
@settings(few, max_examples=1)
def test_both_executors_say_the_same_of_the_packs(units: list[CaseUnit]) -> None:
    assert differences(law(), units) == []


@given(own=st.sampled_from((0, 89_999, 90_000)), cents=st.integers(-2, 2))
@example(own=0, cents=0)
@settings(few, max_examples=15)
def test_one_fen_moves_a_family_across_the_margin_and_with_it_the_member_who_applies_alone(
    own: int, cents: int
) -> None:
    months = tuple(date(2021 + (m > 12), (m - 1) % 12 + 1, 1) for m in range(12, 18))
    total = 2 * 135_000 * 6 - own * 6 + cents
    wages: list[Row] = [{"month": m, "item": "wages", "amount": total // 6, "tax": 0} for m in months[1:]]
    wages.append({"month": months[0], "item": "wages", "amount": total - 5 * (total // 6), "tax": 0})
    allowance: list[Row] = [{"month": m, "kind": "survivor_allowance", "amount": own} for m in months]
    ill: list[Row] = [{"recognised_on": date(2022, 1, 1)}]
    people = (
        PersonFacts(
            "member",
            {"id": "A", "relation": "head", "sex": "male", "born_on": date(1985, 1, 1), "lives_together": True},
            {"tax_income": FeedFacts(rows=tuple(wages))},
        ),
        PersonFacts(
            "member",
            {"id": "B", "relation": "child", "sex": "male", "born_on": date(2014, 1, 1), "lives_together": True},
            {"pensions_paid": FeedFacts(rows=tuple(allowance)), "serious_illness": FeedFacts(rows=tuple(ill))},
        ),
    )
    home: Row = {"residence": "urban", "division": "440703", "applied_on": date(2022, 6, 10), "reference_day": DAY}
    run = PlainRun(law(), CaseUnit("pair", home, people))
    margin, alone = run.outcome("dibao_margin", None), run.outcome("dibao_single", 1)
    assert margin.outcome == ("eligible" if cents <= 0 else "ineligible")
    assert alone.outcome == ("eligible" if cents <= 0 and own < 90_000 else "ineligible")
    if alone.outcome == "eligible":
        assert alone.award == 90_000 - own


CITY = {
    "pack.toml": 'code = "449900"\nname = "Somewhere"\nname_zh = "某市"\nfirst_day = 2022-01-01\n'
    '[[instrument]]\nid = "city"\ntitle = "made up for a test"\nin_force_on = 2022-01-01\n',
    "parameters.toml": '[[parameter]]\nid = "supplement.share"\nunit = "ratio"\nby = "class"\nlabel = "share"\n'
    'label_zh = "比例"\n[[parameter.revision]]\nin_force_on = 2022-01-01\ncite = ["city"]\n'
    'value = { severely_disabled = "0.4", seriously_ill = "0.4", minor = "0.2", aged = "0.2", student = "0.2", '
    'none = "0" }\n',
    "rules.toml": '[[variable]]\nid = "own_supplement"\n[[variable.revision]]\nin_force_on = 2022-01-01\n'
    'cite = ["city"]\n'
    'formula = """round_to(\n  supplement.share[supplement_class] * dibao.standard[household.residence],'
    ' "yuan", "half_up"\n)"""\n',
}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Law:
    """A city that gives shares of the standard, in one parameter and one line."""
    root = tmp_path_factory.mktemp("law") / "rules" / "cn"
    shutil.copytree(RULES, root, ignore=shutil.ignore_patterns("*cases.toml"))
    folder = root / "guangdong" / "somewhere"
    folder.mkdir()
    for name, text in CITY.items():
        (folder / name).write_text(text, encoding="utf-8")
    return RulePack.load(folder).on(DAY, overlay={"dibao.standard": "705.00", "minimum_wage": "1720.00"})


def test_a_city_adds_one_supplement_a_person_by_its_own_share(city: Law) -> None:
    ill, disabled = {"recognised_on": date(2022, 1, 1)}, {"kind": "limb", "grade": "1"}
    births = (date(1950, 1, 1), date(1955, 1, 1), date(2014, 1, 1))
    people = tuple(
        PersonFacts(
            "member",
            {"id": name, "relation": relation, "sex": "male", "born_on": born, "lives_together": True},
            {
                "serious_illness": FeedFacts(rows=(ill,) if name == "A" else ()),
                "disability": FeedFacts(rows=(disabled,) if name == "A" else ()),
                # somebody able to help, so that nobody is in extreme difficulty
                "pensions_paid": FeedFacts(
                    rows=tuple(
                        {"month": date(2022, m, 1), "kind": "employee_pension", "amount": 100_000} for m in range(1, 6)
                    )
                    if name == "B"
                    else ()
                ),
            },
        )
        for name, relation, born in zip("ABC", ("head", "spouse", "grandchild"), births, strict=True)
    )
    home: Row = {"residence": "urban", "division": "449901", "applied_on": date(2022, 6, 10), "reference_day": DAY}
    run = PlainRun(city, CaseUnit("three", home, people))
    # A, ill, disabled and old: once, 705.00 × 0.4 = 282.00; B, old, and C, a minor: 705.00 × 0.2 = 141.00 each
    assert [run.variable("own_supplement", m) for m in run.members] == [28_200, 14_100, 14_100]
    # 3 × 705.00 − 5 × 1 000.00 / 6 = 1 281.666… → 1 281.67; with 564.00
    outcome = run.outcome("dibao", None)
    assert (outcome.outcome, outcome.award) == ("eligible", 184_567)


def test_without_a_share_an_open_group_leaves_the_award_known() -> None:
    person = PersonFacts(
        "member",
        {"id": "A", "relation": "head", "sex": "male", "born_on": date(1985, 1, 1), "lives_together": True},
        {
            "disability": FeedFacts(rows=({"kind": "limb", "grade": None},)),
            "employment": FeedFacts(rows=({"status": "not_able"},)),
        },
    )
    home: Row = {"residence": "urban", "division": "440703", "applied_on": date(2022, 6, 10), "reference_day": DAY}
    run = PlainRun(law(), CaseUnit("one", home, (person,)))
    assert run.variable("supplement_class", 0) is None
    assert run.variable("supplement") == 0
