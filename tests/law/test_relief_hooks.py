"""What a place fills in of the national rules: support by formula, tilt in slices, another form of price subsidy, who
manages. Each place here is a folder below a copy of the national pack, with figures made for the test.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanscheck.contracts.units import CaseUnit
from meanscheck.errors import PackError
from meanscheck.law import RulePack
from meanscheck.law.cases import Case
from meanscheck.law.law import Law
from meanscheck.law.plain import PlainRun
from meanscheck.values.data import data_dir

from .comparing import differences

DAY = date(2022, 6, 30)
HEAD = 'code = "990000"\nname = "Somewhere"\n[[instrument]]\nid = "here"\ntitle = "here"\nin_force_on = 2021-01-01\n'
DATED = 'in_force_on = 2021-07-01\ncite = ["here#1"]\n'
Place = Callable[..., RulePack]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A pack below the national one, of rules and parameters given as TOML."""

    def build(*, rules: str = "", parameters: str = "") -> RulePack:
        top = tmp_path_factory.mktemp("packs") / "rules" / "cn"
        top.mkdir(parents=True)
        for file in (data_dir("rules") / "cn").glob("*.toml"):
            shutil.copy(file, top)
        folder = top / "here"
        folder.mkdir()
        (folder / "pack.toml").write_text(HEAD, encoding="utf-8")
        (folder / "rules.toml").write_text(rules, encoding="utf-8")
        (folder / "parameters.toml").write_text(parameters, encoding="utf-8")
        return RulePack.load(folder)

    return build


def variable(name: str, formula: str) -> str:
    return f"[[variable]]\nid = \"{name}\"\n[[variable.revision]]\n{DATED}formula = '''{formula}'''\n"


def parameter(name: str, value: str, head: str = "") -> str:
    return f'[[parameter]]\nid = "{name}"\n{head}[[parameter.revision]]\nvalue = {value}\n{DATED}'


def unit_of(law: Law, facts: Mapping[str, Any]) -> CaseUnit:
    return Case.from_dict({"id": "c", "on": law.on, **facts}).unit


def plain(law: Law, facts: Mapping[str, Any], name: str) -> object:
    """A household's value by the executor that reads like the law."""
    return PlainRun(law, unit_of(law, facts)).variable(name)


# ---------------------------------------------------------------- support

SURPLUS = """(
  0 if holds("dibao", on) or holds("tekun", on) or holds("dibao_margin", on)
  else round_to(
    greatest(0, household_income - support.payer_floor * household_size) * support.share[children_count]
    / (1 + others_supported) / support.year_months,
    "fen", "half_up"
  )
)"""
SUPPORT = (
    parameter(
        "support.payer_floor", '"10000.00"', 'unit = "money"\nlabel = "living of each of the payer\'s household"\n'
    )
    + parameter(
        "support.share",
        '{ "0" = "0.5", "3" = "0.4" }',
        'unit = "ratio"\nby = "band:number"\nlabel = "share of the surplus"\n',
    )
    + parameter("support.year_months", '"12"', 'unit = "number"\nlabel = "months of a year"\n')
    + parameter("income.window_months", '"6"')
)


@pytest.fixture(scope="module")
def with_formula(place: Place) -> Law:
    return place(rules=variable("support_by_formula", SURPLUS), parameters=SUPPORT).on(DAY)


def payer(**given: Any) -> dict[str, Any]:
    stated = {
        "id": "S",
        "supports": ["A"],
        "relation": "child",
        "born_on": date(1980, 1, 1),
        "civil_capacity": "full",
        "household_size": 3,
        "household_income": "54000.00",
        "children_count": 1,
        "others_supported": 0,
        "agreed_amount": "0.00",
        "received_amount": "0.00",
    }
    return {k: v for k, v in {**stated, **given}.items() if v is not None}


def family(*payers: Mapping[str, Any]) -> dict[str, Any]:
    person = {"id": "A", "relation": "head", "sex": "male", "born_on": date(1950, 1, 1)}
    return {
        "household": {"residence": "rural", "division": "990101"},
        "member": [person],
        "supporter": [dict(p) for p in payers],
    }


SUPPORTED: list[tuple[dict[str, Any], int | None]] = [
    # 54 000 − 3 × 10 000 = 24 000 above; half of it by the year is 12 000, by the month 1 000.00; six months
    ({}, 6000_00),
    # the agreement or judgment goes before the formula, whether it is less …
    ({"agreed_amount": "300.00"}, 1800_00),
    # … or just a fen
    ({"agreed_amount": "0.01"}, 6),
    # what is really received counts where it is more, and not where it is less
    ({"received_amount": "1000.01"}, 6000_06),
    ({"received_amount": "999.99"}, 6000_00),
    ({"agreed_amount": "300.00", "received_amount": "300.01"}, 1800_06),
    # the payer's own household: on its living, a fen above it (1 fen × 1/2 / 12 → 0), a yuan above it (4.17 fen → 4)
    ({"household_income": "30000.00"}, 0),
    ({"household_income": "30000.01"}, 0),
    ({"household_income": "30001.00"}, 24),
    ({"household_income": "1.00"}, 0),
    # two children 50 %, three 40 %: 24 000 × 40 % / 12 = 800.00
    ({"children_count": 2}, 6000_00),
    ({"children_count": 3}, 4800_00),
    # of two whom he supports each gets half
    ({"others_supported": 1}, 3000_00),
    # a payer on relief owes nothing by the formula, though by agreement
    ({"relief_status": [{"programme": "dibao", "from": date(2020, 1, 1)}]}, 0),
    ({"relief_status": [{"programme": "dibao", "from": date(2020, 1, 1)}], "agreed_amount": "10.00"}, 60_00),
    # what nobody stated is unknown where it is needed, and only there
    ({"agreed_amount": None}, None),
    ({"received_amount": None}, None),
    ({"household_income": None}, None),
    ({"household_income": None, "agreed_amount": "300.00"}, 1800_00),
]


@pytest.mark.parametrize(("given", "fen"), SUPPORTED)
def test_support_is_what_is_agreed_else_by_formula_and_what_is_received_if_more(
    with_formula: Law, given: dict[str, Any], fen: int | None
) -> None:
    assert plain(with_formula, family(payer(**given)), "support_income") == fen


def test_both_executors_agree_on_every_such_payer(with_formula: Law) -> None:
    units = [
        replace(unit_of(with_formula, family(payer(**given))), case_id=str(n)) for n, (given, _) in enumerate(SUPPORTED)
    ]
    assert not differences(with_formula, units)


def test_several_payers_are_summed(with_formula: Law) -> None:
    payers = (payer(), payer(id="T", agreed_amount="50.00"), payer(id="U", household_income="30000.00"))
    assert plain(with_formula, family(*payers), "support_income") == 6000_00 + 300_00


@settings(max_examples=30, deadline=None)
@given(agreed=st.integers(0, 10**6), received=st.integers(0, 10**6))
def test_without_a_formula_the_greater_of_agreed_and_received_counts(national: Law, agreed: int, received: int) -> None:
    yuan = {k: f"{v // 100}.{v % 100:02}" for k, v in (("agreed_amount", agreed), ("received_amount", received))}
    assert plain(national, family(payer(**yuan)), "support_income") == 6 * max(agreed, received)


@pytest.fixture(scope="module")
def pack() -> RulePack:
    return RulePack.load("rules/cn")


@pytest.fixture(scope="module")
def national(pack: RulePack) -> Law:
    return pack.on(DAY, overlay={"income.window_months": "6"})


# ---------------------------------------------------------------- the price subsidy in another form

BY_THE_INDEX = """(
  round_to(price_base / price.year, "fen", "half_up") if price_index < price.high_from
  else round_to(price_base / price.year * price.high_factor, "fen", "half_up")
)"""


def test_a_place_gives_the_price_subsidy_by_the_step_of_the_index(place: Place) -> None:
    """750.00 ÷ 12 = 62.50; from 5 % on half as much again, 93.75."""
    pack = place(
        rules=variable("price_amount", BY_THE_INDEX),
        parameters=parameter("price.year", '"12"', 'unit = "number"\n')
        + parameter("price.high_from", '"0.05"', 'unit = "ratio"\n')
        + parameter("price.high_factor", '"1.5"', 'unit = "ratio"\n')
        + parameter("dibao.standard", '{ urban = "750.00", rural = "750.00" }'),
    )
    for index, fen in (("0.03", 62_50), ("0.049999", 62_50), ("0.05", 93_75), ("0.06", 93_75)):
        law = pack.on(DAY, overlay={"price.cpi": {"2022-05": index}})
        assert plain(law, family(), "price_amount") == fen
    assert not differences(law, [unit_of(law, family())])


# ---------------------------------------------------------------- who manages

MANAGED = '[[programme]]\nid = "tekun"\n[[programme.managed_by]]\noffice = "{}"\nin_force_on = {}\ncite = ["here#1"]\n'


def test_the_office_that_manages_is_a_dated_fact_and_survives_the_record(place: Place) -> None:
    later = '[[programme.managed_by]]\noffice = "second"\nin_force_on = 2022-01-01\ncite = ["here#2"]\n'
    pack = place(rules=MANAGED.format("first", "2021-07-01") + later)
    offices = {}
    for day in (date(2021, 6, 30), date(2021, 7, 1), date(2021, 12, 31), date(2022, 1, 1)):
        law = pack.on(day)
        again = Law.from_json(law.canonical)
        assert again == law
        manager = again.programme("tekun").managed_by
        offices[day] = manager and (manager.office, manager.cite)
    assert list(offices.values()) == [None, ("first", ("here#1",)), ("first", ("here#1",)), ("second", ("here#2",))]


def test_a_law_that_names_no_manager_says_nothing_of_one_in_its_record(place: Place) -> None:
    recorded = place().on(DAY).to_json()
    assert all("managed_by" not in p for p in recorded["programmes"])


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (MANAGED.format("", "2021-07-01"), "neither a content"),
        (MANAGED.format("office", "2021-07-01").replace("here#1", "nowhere#1"), "unknown instrument nowhere"),
        (MANAGED.format("office", "2021-07-01").replace("office =", "bureau ="), "office: required key"),
    ],
)
def test_a_faulty_manager_is_refused_by_place_and_reason(place: Place, rules: str, reason: str) -> None:
    with pytest.raises(PackError) as fault:
        place(rules=rules)
    assert reason in str(fault.value) and "tekun" in str(fault.value)


# ---------------------------------------------------------------- tilt relief in slices


@settings(max_examples=40, deadline=None)
@given(left=st.integers(0, 60_000_00))
def test_tilt_relief_gives_each_slice_its_own_share(tilted: Law, left: int) -> None:
    """Against a sum over the slices, fen by fen bound: 50 % to 10 000, 55 % to 20 000, 60 % above, beyond 3 000."""
    x = max(0, left - 3000_00)
    bounds = (
        (0, 10_000_00, Fraction(1, 2)),
        (10_000_00, 20_000_00, Fraction(55, 100)),
        (20_000_00, 10**12, Fraction(3, 5)),
    )
    exact = sum((max(0, min(x, top) - low) * share for low, top, share in bounds), Fraction(0))
    wanted = min(20_000_00, int(exact + Fraction(1, 2)))
    bill = {
        "settlement_no": "M1",
        "settled_on": date(2022, 6, 1),
        "care": "inpatient",
        "relief_paid": "0.00",
        "total": f"{left // 100}.{left % 100:02}",
        "in_scope": f"{left // 100}.{left % 100:02}",
        "basic_paid": "0.00",
        "serious_paid": "0.00",
        "other_paid": "0.00",
    }
    facts = family()
    facts["member"][0] |= {
        "medical_settlements": [bill],
        "relief_status": [{"programme": "dibao", "from": date(2020, 1, 1)}],
        "born_on": date(1980, 1, 1),
    }
    unit = Case.from_dict({"id": "c", "on": DAY, **facts}).unit
    assert PlainRun(tilted, unit).variable("medical_tilt", 0) == wanted


@pytest.fixture(scope="module")
def tilted(pack: RulePack) -> Law:
    """The first relief is nothing here, so that all of the cost is left."""
    classes = ("tekun", "dibao", "margin", "rigid")
    return pack.on(
        DAY,
        overlay={
            "medical.ratio": dict.fromkeys(classes, "0"),
            "medical.deductible": dict.fromkeys(classes, "0.00"),
            "medical.is_capped": dict.fromkeys(classes, False),
            "medical.has_tilt": True,
            "medical.tilt_from": "3000.00",
            "medical.tilt_cap": "20000.00",
            "medical.tilt_ratio": {"0": "0.5", "10000.00": "0.55", "20000.00": "0.6"},
        },
    )
