"""Stated and random households: what is stated comes back, and what must hold of every law holds of ours."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from law.comparing import differences

from meanscheck.errors import CaseError
from meanscheck.law import Law, RulePack
from meanscheck.law.cases import load_cases, run_case
from meanscheck.testing import Household, answers, forgetful, households, not_towards_refer, reordered, undisputed

RULES = Path(__file__).parents[2] / "rules"
ALL = sorted(file.parent for file in RULES.rglob("pack.toml"))
PACKS = [p for p in ALL if len(list(p.rglob("pack.toml"))) == 1]
"""Those with no other below them: where decisions are made."""
NAMES = [p.relative_to(RULES).as_posix() for p in PACKS]
JIANGMEN = RulePack.load("rules/cn/guangdong/jiangmen")
quick = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def law_of(folder: Path) -> Law:
    """A day on which figures are known in most places, all unsure ones accepted."""
    pack = RulePack.load(folder)
    day = max(date(2020, 6, 30), pack.first_day)
    unsure = [n for n, s in pack.parameters.items() if any(r.status == "unsure" for _, p in s for r in p.revision)]
    return pack.on(day, accept=unsure)


LAWS = {name: law_of(folder) for name, folder in zip(NAMES, PACKS, strict=True)}


# ---- at random


@pytest.mark.parametrize("name", NAMES)
@settings(quick, max_examples=3)  # a run of the vectors costs the same for one household and for twelve
@given(st.data())
def test_both_executors_agree_on_households_near_the_lines(name: str, data: st.DataObject) -> None:
    units = data.draw(st.lists(households(LAWS[name]), min_size=4, max_size=12))
    assert differences(LAWS[name], units) == []


@pytest.mark.parametrize("name", NAMES)
@quick
@given(st.data())
def test_forgetting_a_fact_moves_only_towards_refer(name: str, data: st.DataObject) -> None:
    unit = data.draw(households(LAWS[name], complete=True))
    law = undisputed(LAWS[name])
    before = answers(law, unit)
    for _ in range(3):
        unit = data.draw(forgetful(LAWS[name], unit))
        after = answers(law, unit)
        assert not_towards_refer(before, after) == []
        before = after


@pytest.mark.parametrize("name", NAMES)
@quick
@given(st.data())
def test_the_order_of_members_and_rows_changes_nothing(name: str, data: st.DataObject) -> None:
    unit = data.draw(households(LAWS[name]))
    assert answers(LAWS[name], unit) == answers(LAWS[name], reordered(unit, data.draw(st.integers(0, 99))))


def test_the_households_reach_every_outcome_and_stand_on_the_lines() -> None:
    law = JIANGMEN.on(date(2020, 6, 30))
    outcomes: Counter[tuple[str, str]] = Counter()

    @seed(3)
    @settings(max_examples=400, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(households(law, complete=True))
    def collect(unit: object) -> None:
        for (programme, _), answer in answers(law, unit).items():  # type: ignore[arg-type]
            outcomes[programme, answer.outcome] += 1

    collect()
    assert outcomes["dibao", "eligible"] and outcomes["dibao", "ineligible"]
    assert outcomes["tekun", "eligible"] and outcomes["tekun", "ineligible"]


# ---- stated


def one_low_wage() -> Household:
    return (
        Household("one-low-wage", on="2020-06-30", residence="urban", division="440703", applied_on=date(2020, 6, 10))
        .member("A", relation="head", sex="male", born_on="1980-02-01")
        .row("tax_income", months=["2019-12", "2020-05"], item="wages", amount="380.00", tax="0.00")
    )


def test_a_stated_household_is_decided() -> None:
    """One member: 900.00 − 380.00 a month."""
    ruling = one_low_wage().decide(JIANGMEN)["dibao"]
    assert (ruling.outcome, ruling.award) == ("eligible", 52_000)


def test_a_household_is_a_value() -> None:
    home = one_low_wage()
    silent = home.state("bank_deposits", "no_answer")
    assert silent.decide(JIANGMEN)["dibao"].outcome == "refer"
    assert home.decide(JIANGMEN)["dibao"].outcome == "eligible"
    assert home.unanswered("bank_deposits").decide(JIANGMEN)["dibao"].outcome == "refer"
    assert home.figures({"dibao.standard": "380.00"}).decide(JIANGMEN)["dibao"].outcome == "ineligible"
    assert home.person(sex="female").case().unit.persons[0].attributes["sex"] == "female"
    assert home.attributes(residence="rural").case().unit.attributes["residence"] == "rural"


def test_rows_go_to_the_person_added_last() -> None:
    home = (
        one_low_wage()
        .supporter("S", supports=["A"], relation="child", received_amount="0.00", agreed_amount="100.00")
        .member("B", relation="spouse", born_on="1981-01-01")
        .row("bank_deposits", balance="5.00")
    )
    a, b, s = home.case().unit.persons
    assert [p.attributes["id"] for p in (a, b, s)] == ["A", "B", "S"]
    assert len(b.feed("bank_deposits").rows) == 1 and not a.feed("bank_deposits").rows and s.supports == ("A",)


def test_what_is_written_is_what_was_stated(tmp_path: Path) -> None:
    home = one_low_wage().expect("dibao", outcome="eligible", award="520.00", failed=[], note='900 − 380\n"by hand"')
    home = home.expect("tekun", "A", outcome="ineligible", failed=["no_labour"])
    file = tmp_path / "cases.toml"
    file.write_text(home.toml(), encoding="utf-8")
    (read,) = load_cases(file)
    assert read == home.case()
    assert home.run(JIANGMEN).unmet == run_case(JIANGMEN, read).unmet == ()


def test_an_expectation_that_is_not_met_is_told() -> None:
    (line,) = one_low_wage().expect("dibao", award="521.00").run(JIANGMEN).unmet
    assert line == "dibao: award 520.00, expected 521.00"


def test_a_faulty_household_is_named() -> None:
    with pytest.raises(CaseError, match=r"household one-low-wage.*relation"):
        one_low_wage().person(relation="friend").case()
    with pytest.raises(ValueError, match="add a member"):
        Household(on="2020-06-30").row("deaths", died_on="2020-01-01")


def test_every_pack_has_cases_there_or_below() -> None:
    assert [p for p in ALL if not list(p.rglob("*cases.toml"))] == []
