"""Tables by band and by month, slices of an amount, streaks of months: on their edges, in both executors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanscheck.contracts.units import CaseUnit, PersonFacts, Value
from meanscheck.errors import PackError
from meanscheck.law import Law, RulePack
from meanscheck.law.law import Parameter
from meanscheck.law.plain import PlainRun, Result
from meanscheck.law.reach import Reach
from meanscheck.law.show import law_of, value_text
from meanscheck.law.tables import entry, slices

from .comparing import differences, vector_run
from .packs import PackText

HERE: dict[str, Value] = {"id": "A", "lives_together": True}


def pack_with(parameters: str = "", **variables: str) -> PackText:
    """A pack with household variables, each named and given as ``UNIT: FORMULA``, and tests that need them known."""
    pack = PackText()
    pack.parameters.append(parameters)
    pack.variable("wealth", "household", "money", "sum(b.balance for b in bank_deposits)")
    for name, said in variables.items():
        unit, _, formula = said.partition(": ")
        pack.variable(name, "household", unit, formula)
        known = {"bool": f"{name} or not {name}", "text": f'{name} == "x"', "date": f"{name} <= on"}
        pack.programme(f"for_{name}", "household", known.get(unit, f"{name} >= 0"))
    return pack


def home(balance: int | None, people: int = 1, **attributes: Value) -> CaseUnit:
    """A household whose first member has one account."""
    first = PersonFacts("member", HERE, {"bank_deposits": PackText.answered(({"balance": balance, "verdict": 0},))})
    nothing = {"bank_deposits": PackText.answered(())}
    others = (PersonFacts("member", {**HERE, "id": n}, nothing) for n in "BCDEFG"[: people - 1])
    return CaseUnit("home", attributes, (first, *others))


def reckoned(law: Law, unit: CaseUnit, name: str) -> tuple[Result, list[str]]:
    """A household variable and why it is unknown, which both executors must say alike."""
    assert differences(law, [unit]) == []
    run = PlainRun(law, unit)
    return run.variable(name), sorted(run.why(name))


LIMIT = PackText.figure(
    "limit", "money", '{ "0" = "1.00", "100.00" = "2.00", "5000" = "3.00" }', more='by = "band:money"'
)


@pytest.mark.parametrize(
    ("balance", "figure"),
    [(-1, None), (0, 100), (1, 100), (9_999, 100), (10_000, 200), (10_001, 200), (499_999, 200), (500_000, 300)],
)
def test_a_band_begins_on_its_bound(balance: int, figure: int | None, tmp_path: Path) -> None:
    law = pack_with(LIMIT, found="money: limit[wealth]").law(tmp_path)
    causes = [] if figure else ["no_band:limit"]
    assert reckoned(law, home(balance), "found") == (figure, causes)


@pytest.mark.parametrize(("balance", "figure"), [(29_999, 100), (30_000, 200), (30_001, 200)])
def test_a_quotient_a_hair_below_a_bound_is_below_it(balance: int, figure: int, tmp_path: Path) -> None:
    law = pack_with(LIMIT, found="money: limit[wealth / size]").law(tmp_path)
    assert reckoned(law, home(balance, people=3), "found") == (figure, [])


def test_an_unknown_value_has_the_causes_of_the_value(tmp_path: Path) -> None:
    law = pack_with(LIMIT, found="money: limit[wealth]").law(tmp_path)
    assert reckoned(law, home(None), "found") == (None, ["unknown:bank_deposits.balance"])


BY_SIZE = PackText.figure(
    "by_size",
    "money",
    '{ urban = { "1" = "1.00", "3" = "2.00" }, rural = { "2" = "7.00" } }',
    more='by = ["residence", "band:number"]',
)


@pytest.mark.parametrize(
    ("residence", "people", "figure"),
    [
        ("urban", 1, 100),
        ("urban", 2, 100),
        ("urban", 3, 200),
        ("urban", 4, 200),
        ("rural", 1, None),
        ("rural", 2, 700),
        ("rural", 3, 700),
    ],
)
def test_each_category_has_bounds_of_its_own(residence: str, people: int, figure: int | None, tmp_path: Path) -> None:
    law = pack_with(BY_SIZE, found="money: by_size[residence, size]").law(tmp_path)
    causes = [] if figure else ["no_band:by_size"]
    assert reckoned(law, home(0, people, residence=residence), "found") == (figure, causes)


def test_what_can_lack_a_band_is_seen_before_any_case(tmp_path: Path) -> None:
    parameters = BY_SIZE + PackText.figure(
        "from_one", "money", '{ "1" = "1.00", "3" = "2.00" }', more='by = "band:number"'
    )
    law = pack_with(
        parameters + LIMIT,
        both="money: by_size[residence, size]",
        sized="money: from_one[size]",
        counted="money: from_one[count(m for m in members if m.lives_together)]",
        bounded="money: limit[greatest(0, wealth)]",
        any_amount="money: limit[wealth]",
    ).law(tmp_path)
    reach = Reach(law)
    may_refer = {p.id for p in law.programmes if "refer" in reach.outcomes(p)}
    assert may_refer == {"for_both", "for_counted", "for_any_amount"}
    assert reach.missing(law.programme("for_both")) == ("by_size",)


# ---- slices

RATIOS = PackText.figure(
    "ratio", "ratio", '{ "10000.00" = "0.2", "30000.00" = "0.3", "100000.00" = "0.65" }', more='by = "band:money"'
)


@pytest.mark.parametrize(
    ("balance", "paid"),
    [
        (-5, 0),
        (0, 0),
        (1_000_000, 0),
        (1_000_005, 1),  # 0.05 over the first bound, a fifth of it
        (3_000_000, 400_000),  # 20 000.00 at 20 %
        (3_000_010, 400_003),  # and 0.10 at 30 %
        (5_000_000, 1_000_000),  # 4 000.00 + 6 000.00
        (12_000_000, 400_000 + 2_100_000 + 1_300_000),  # 20 000 at 20 %, 70 000 at 30 %, 20 000 at 65 %
    ],
)
def test_each_part_of_an_amount_has_its_own_ratio(balance: int, paid: int, tmp_path: Path) -> None:
    law = pack_with(RATIOS, paid='money: round_to(slices(wealth, ratio), "fen", "down")').law(tmp_path)
    assert reckoned(law, home(balance), "paid") == (paid, [])


def test_slices_are_exact_until_they_are_rounded(tmp_path: Path) -> None:
    exact = "bool: slices(wealth / 2, ratio) * 2 == slices(wealth, half)"
    half = PackText.figure(
        "half", "ratio", '{ "20000.00" = "0.2", "60000.00" = "0.3", "200000.00" = "0.65" }', more='by = "band:money"'
    )
    law = pack_with(RATIOS + half, same=exact).law(tmp_path)
    assert reckoned(law, home(6_000_001), "same") == (True, [])


def test_slices_of_a_category_that_the_table_lacks_are_unknown(tmp_path: Path) -> None:
    by_class = PackText.figure("ratio", "ratio", '{ urban = { "0" = "0.5" } }', more='by = ["residence", "band:money"]')
    law = pack_with(by_class, paid='money: round_to(slices(wealth, ratio[residence]), "fen", "up")').law(tmp_path)
    assert reckoned(law, home(301, residence="urban"), "paid") == (151, [])
    assert reckoned(law, home(301, residence="rural"), "paid") == (None, ["no_band:ratio"])
    assert reckoned(law, home(301), "paid") == (None, ["unknown:residence"])


def test_an_overlay_of_one_ratio_stands_for_all_slices(tmp_path: Path) -> None:
    pack = pack_with(RATIOS, paid='money: round_to(slices(wealth, ratio), "fen", "down")').load(tmp_path)
    law = pack.on(date(2020, 6, 30), overlay={"ratio": "0.5"})
    assert reckoned(law, home(1_001), "paid") == (500, [])
    assert reckoned(law, home(-1_001), "paid") == (0, [])


def table(**rows: Fraction) -> Parameter:
    return Parameter("r", "ratio", ("band:money",), {(k,): v for k, v in rows.items()}, "", "sourced", "", "", ())


@given(st.integers(-(10**7), 10**7), st.integers(-(10**7), 10**7))
def test_slices_never_fall_while_the_amount_rises(one: int, other: int) -> None:
    ratios = table(**{"-3.00": Fraction(1, 2), "0.00": Fraction(1, 5), "500.00": Fraction(13, 20)})
    less, more = sorted((one, other))
    a, b = slices(ratios, less, ()), slices(ratios, more, ())
    assert isinstance(a, Fraction) and isinstance(b, Fraction)
    assert a <= b <= a + (more - less) * Fraction(13, 20)


@given(st.integers(-(10**7), 10**7))
def test_a_band_is_the_last_bound_that_is_reached(value: int) -> None:
    bounds = {"-3.00": -300, "0": 0, "500.00": 50_000}
    figures = table(**{k: Fraction(i) for i, k in enumerate(bounds)})
    reached = [i for i, bound in enumerate(bounds.values()) if bound <= value]
    assert entry(figures, [value]) == (Fraction(reached[-1]) if reached else None)


# ---- months

INDEX = PackText.figure(
    "cpi", "ratio", '{ 2019-12 = "0.04", 2020-01 = "0.05", 2020-03 = "0.02", 2020-04 = "0.04", 2020-05 = "0.03" }',
    more='by = "month"',
) + PackText.figure("line", "ratio", '"0.03"')  # fmt: skip


@pytest.mark.parametrize(
    ("day", "back", "first"),
    [
        (date(2020, 1, 31), "1", date(2019, 12, 1)),
        (date(2020, 1, 1), "0", date(2020, 1, 1)),
        (date(2020, 3, 31), "1", date(2020, 2, 1)),
        (date(2020, 2, 29), "2", date(2019, 12, 1)),
        (date(2020, 6, 10), "p.window", date(2019, 6, 1)),
        (date(2020, 6, 10), "many", date(1958, 6, 1)),
    ],
)
def test_a_month_back_is_counted_in_whole_months(day: date, back: str, first: date, tmp_path: Path) -> None:
    many = PackText.figure("many", "number", "744")  # 62 years
    law = pack_with(many, then=f"date: month_back(household.applied_on, {back})").law(tmp_path)
    assert reckoned(law, home(0, applied_on=day), "then") == (first, [])


@pytest.mark.parametrize(
    ("day", "figure"),
    [
        (date(2020, 1, 1), Fraction(1, 25)),
        (date(2020, 2, 29), Fraction(1, 20)),
        (date(2020, 3, 1), None),
        (date(2020, 4, 30), Fraction(1, 50)),
        (date(2019, 12, 31), None),
    ],
)
def test_a_month_without_a_figure_is_unknown(day: date, figure: Fraction | None, tmp_path: Path) -> None:
    law = pack_with(INDEX, rise="ratio: cpi[month_back(household.applied_on, 1)]").law(tmp_path)
    causes = [] if figure else ["no_month:cpi"]
    assert reckoned(law, home(0, applied_on=day), "rise") == (figure, causes)
    assert reckoned(law, home(0), "rise") == (None, ["unknown:applied_on"])


@pytest.mark.parametrize(
    ("streak", "holds", "causes"),
    [
        # Before 2020-06-30: May 3 %, April 4 %, March 2 %, February nobody published, January 5 %, December 4 %.
        ("streak((cpi[m] >= line for m in months), 0)", True, []),
        ("streak((cpi[m] >= line for m in months), 1)", True, []),
        ("streak((cpi[m] > line for m in months), 1)", False, []),
        ("streak((cpi[m] >= line for m in months), 2)", True, []),
        ("streak((cpi[m] >= line for m in months), three)", False, []),
        ("streak((cpi[m] > 0 for m in months), three)", True, []),
        ("streak((cpi[m] > 0 for m in months), four)", None, ["no_month:cpi"]),
        ("streak((cpi[m] >= line for m in months), four)", False, []),
        ("streak((cpi[m] > 0 or size > 0 for m in months), four)", True, []),
        ("streak((cpi[m] > 0 for m in months), lost)", None, ["parameter:lost"]),
        ("streak((m < household.applied_on for m in months), 1)", True, []),
        ("streak((cpi[m] > 0 or household.residence == 'urban' for m in months), four)", None, ["no_month:cpi"]),
    ],
)
def test_a_streak_holds_in_each_of_its_months(streak: str, holds: Result, causes: list[str], tmp_path: Path) -> None:
    figures = INDEX + PackText.figure("three", "month", "3") + PackText.figure("four", "number", "4")
    lost = PackText.figure("lost", "month", "1").replace("value = 1", 'unknown = "not found"')
    law = pack_with(figures + lost, rose="bool: " + streak.replace("'", '"')).law(tmp_path)
    unit = home(0, applied_on=date(2020, 6, 10), residence="rural")
    assert reckoned(law, unit, "rose") == (holds, causes)


def test_a_streak_of_prices_needs_no_column(tmp_path: Path) -> None:
    law = pack_with(INDEX, rose="bool: streak((cpi[m] >= line for m in months), 2)").law(tmp_path)
    assert law.variables["rose"].tree.level == "const"
    assert Reach(law).outcomes(law.programme("for_rose")) == {"eligible"}
    later = (
        pack_with(INDEX, rose="bool: streak((cpi[m] >= line for m in months), 2)").load(tmp_path).on(date(2020, 7, 1))
    )
    assert reckoned(later, home(0), "rose") == (None, ["no_month:cpi"])
    assert Reach(later).outcomes(later.programme("for_rose")) == {"refer"}
    assert Reach(later).missing(later.programme("for_rose")) == ("cpi",)


def test_months_are_counted_from_the_day_of_the_law_over_the_turn_of_a_year(tmp_path: Path) -> None:
    pack = pack_with(INDEX, rose="bool: streak((cpi[m] >= line for m in months), 2)").load(tmp_path)
    assert reckoned(pack.on(date(2020, 2, 1)), home(0), "rose") == (True, [])  # January and December
    assert reckoned(pack.on(date(2020, 1, 31)), home(0), "rose") == (None, ["no_month:cpi"])  # November


# ---- what is recorded and shown


def test_a_recorded_table_is_read_back_whatever_the_order_of_its_keys(tmp_path: Path) -> None:
    law = pack_with(LIMIT + RATIOS, found="money: limit[wealth]").law(tmp_path)
    again = Law.from_json(law.canonical)
    assert again.digest == law.digest
    assert reckoned(again, home(500_000), "found") == (300, [])


def test_bounds_are_shown_from_the_lowest_up(tmp_path: Path) -> None:
    law = pack_with(LIMIT, found="money: limit[wealth]").law(tmp_path)
    assert value_text(law.parameters["limit"]) == "1.00 ≥ 0.00 · 2.00 ≥ 100.00 · 3.00 ≥ 5000.00"
    (shown,) = (p for p in law_of(law)["parameters"] if p["id"] == "limit")
    assert list(shown["value"].items()) == [("0.00", "1.00"), ("100.00", "2.00"), ("5000.00", "3.00")]
    overlaid = RulePack.load(tmp_path).on(date(2020, 6, 30), overlay={"limit": "9.00"})
    assert value_text(overlaid.parameters["limit"]) == "9.00 *"


# ---- what is refused


@pytest.mark.parametrize(
    ("by", "value", "reason"),
    [
        ("band:money", '{ "100.00" = "1", "0" = "2" }', "key 0 does not come after 100.00"),
        ("band:money", '{ "0" = "1", "0.00" = "2" }', "key 0.00 does not come after 0"),
        ("band:money", '{ "x" = "1" }', "key x:"),
        (
            "band:number",
            '{ "1.5" = "1" }',
            "key 1.5: a whole number is wanted. The keys of band:number are",
        ),
        ("band:month", '{ "-1" = "1" }', "a number of months from 0 to 1200 is wanted"),
        ("band:money", '{ 3000.00 = "1" }', "a bound with a point stands in quotes"),
        ("band:money", '"1"', "a table by band:money is wanted"),
        ("band:text", '{ "1" = "1" }', "no band of text; use one of band:money"),
        ("month", '{ 2020-13 = "1" }', "2020-13 is no month. Write months like"),
        ("month", '{ "2020-1" = "1" }', "2020-1 is no month"),
    ],
)
def test_a_table_that_cannot_be_looked_up_is_refused(by: str, value: str, reason: str, tmp_path: Path) -> None:
    pack = PackText()
    pack.parameters.append(PackText.figure("t.x", "ratio", value, more=f'by = "{by}"'))
    with pytest.raises(PackError) as refused:
        pack.load(tmp_path)
    assert reason in str(refused.value)
    assert "parameters.toml" in str(refused.value)
    assert "t.x" in str(refused.value)


def test_the_month_stands_last(tmp_path: Path) -> None:
    pack = PackText()
    value = '{ 2020-01 = { urban = "1" } }'
    pack.parameters.append(PackText.figure("t.x", "ratio", value, more='by = ["month", "residence"]'))
    with pytest.raises(PackError, match="the month stands last"):
        pack.load(tmp_path)


def test_a_number_that_counts_months_is_one(tmp_path: Path) -> None:
    pack = pack_with(PackText.figure("back", "number", "-1"), then="date: month_back(on, back)")
    with pytest.raises(PackError, match="parameter back: it counts months, so a number from 0 to 1200 is wanted"):
        pack.load(tmp_path)


def test_rows_may_be_looked_up_by_their_own_month(tmp_path: Path) -> None:
    pack = PackText()
    pack.parameters.append(INDEX)
    pack.variable("hot", "member", "number", "count(t for t in tax_income if cpi[t.month] >= line)")
    pack.programme("p", "member", "hot >= 0")
    law = pack.law(tmp_path)

    def person(*months: date) -> CaseUnit:
        rows: tuple[Mapping[str, Value], ...] = tuple({"month": m, "verdict": 0} for m in months)
        return CaseUnit("home", {}, (PersonFacts("member", HERE, {"tax_income": PackText.answered(rows)}),))

    known, lacking = person(date(2020, 1, 1), date(2020, 3, 1)), person(date(2020, 1, 1), date(2020, 2, 1))
    run = vector_run(law, [known, lacking])
    assert run.persons["v:hot"].to_list() == [1, None]
    assert differences(law, [known, lacking], run) == []
    assert PlainRun(law, lacking).why("hot", 0) == {"no_month:cpi"}
