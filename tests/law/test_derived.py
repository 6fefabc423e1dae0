"""A figure reckoned from other figures: what may stand in its formula, for which keys, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanscheck.contracts.units import CaseUnit, PersonFacts
from meanscheck.errors import PackError
from meanscheck.law import Law, RulePack
from meanscheck.law.law import Parameter
from meanscheck.law.plain import PlainRun
from meanscheck.replay.again import law_of_now

from .laws import ON
from .packs import PackText, figure, revision, sound

MULTIPLE = '[[parameter]]\nid = "tekun.multiple"\nunit = "ratio"\n'
STANDARD = '[[parameter]]\nid = "dibao.standard"\nunit = "money/month"\nby = "residence"\n'
BASIC = '[[parameter]]\nid = "tekun.basic"\nunit = "money/month"\nby = "residence"\n'
UP = """formula = 'round_to(dibao.standard[residence] * tekun.multiple, "yuan", "up")'"""
VALUE = 'value = { urban = "1282.00", rural = "932.00" }'
ONE = CaseUnit(
    "one", {"residence": "rural"}, (PersonFacts("member", {"id": "A", "lives_together": True, "born_on": ON}),)
)


def written(*, standard: str = VALUE, basic: str = UP, more: str = "") -> PackText:
    pack = sound()
    for change in (
        figure(revision("2010-01-01", 'value = "1.6"'), head=MULTIPLE),
        figure(revision("2010-01-01", standard), head=STANDARD),
        figure(revision("2010-01-01", basic, more), head=BASIC),
    ):
        change(pack)
    return pack


def basic_of(pack: RulePack, **options: object) -> Parameter:
    return pack.on(ON, **options).parameters["tekun.basic"]  # type: ignore[arg-type]


def test_a_multiple_is_rounded_as_it_is_published_once_for_each_key_of_the_table_it_reads(tmp_path: Path) -> None:
    # 1.6 × 1 282 = 2 051.2 → 2 052; 1.6 × 932 = 1 491.2 → 1 492 (the published figures of two cities)
    found = basic_of(written().load(tmp_path))
    assert found.table == {("urban",): 205_200, ("rural",): 149_200}
    assert (found.status, found.unknown, found.cite) == ("derived", "", ("inst#1",))
    assert found.formula and "tekun.multiple" in found.formula


def test_a_published_figure_counts_and_leaves_no_formula_in_the_record(tmp_path: Path) -> None:
    published = 'value = { urban = "2060.00", rural = "1492.00" }'
    both = written(basic=f"{published}\n{UP}").load(tmp_path / "both").on(ON)
    alone = written(basic=published).load(tmp_path / "alone").on(ON)
    assert both.parameters["tekun.basic"].table == {("urban",): 206_000, ("rural",): 149_200}
    assert both.digest == alone.digest


def test_the_recorded_law_needs_nothing_to_be_reckoned_again(tmp_path: Path) -> None:
    law = written().load(tmp_path).on(ON)
    again = Law.from_json(law.canonical)
    assert again == law and again.parameters == law.parameters
    recorded = {p["id"]: p for p in law.to_json()["parameters"]}
    assert "formula" in recorded["tekun.basic"] and "formula" not in recorded["dibao.standard"]


def test_a_what_if_figure_reaches_what_is_derived_from_it(tmp_path: Path) -> None:
    pack = written().variable("basic", "household", "money/month", "tekun.basic[residence]").load(tmp_path)
    law = pack.on(ON, overlay={"dibao.standard": "1000.00"})
    assert PlainRun(law, ONE).variable("basic") == 160_000
    one = pack.on(ON, overlay={"dibao.standard": {"rural": "1000.00"}})
    assert one.parameters["tekun.basic"].table == {("rural",): 160_000}
    assert basic_of(pack, overlay={"tekun.basic": "7.00"}).status == "overlay"


def test_unknown_inputs_leave_it_unknown_and_say_which(tmp_path: Path) -> None:
    found = basic_of(written(standard='unknown = "not found"').load(tmp_path))
    assert found.unknown == "derived from dibao.standard: not found" and not found.table


def test_a_key_without_an_input_is_left_out(tmp_path: Path) -> None:
    found = basic_of(
        written(standard='value = { urban = "1282.00" }', basic=f'{UP}\nkeys = ["urban", "rural"]').load(tmp_path)
    )
    assert found.table == {("urban",): 205_200} and not found.unknown


def test_an_unsure_input_makes_it_unsure_until_it_is_accepted(tmp_path: Path) -> None:
    pack = written(standard=f'{VALUE}\nstatus = "unsure"').load(tmp_path)
    before, after = basic_of(pack), basic_of(pack, accept={"dibao.standard"})
    assert (before.unknown, before.status) == ("unsure", "unsure")
    assert (after.table[("urban",)], after.status) == (205_200, "unsure")


def test_it_follows_its_inputs_through_time_and_publication(tmp_path: Path) -> None:
    later = revision("2020-06-01", 'value = { urban = "914.00", rural = "914.00" }', "published_on = 2020-06-15")
    pack = written()
    pack.parameters[-2] += later
    loaded = pack.load(tmp_path)
    # 1.6 × 914 = 1 462.4 → 1 463
    days = {date(2020, 5, 31): 205_200, date(2020, 6, 10): 205_200, date(2020, 6, 15): 146_300}
    assert {d: loaded.on(d).parameters["tekun.basic"].table[("urban",)] for d in days} == days


def chain(*names: str) -> Callable[[PackText], object]:
    def change(pack: PackText) -> None:
        for name, of in zip(names, [*names[1:], names[0]], strict=True):
            figure(
                revision("2010-01-01", f"formula = '{of} + {of}'"),
                head=f'[[parameter]]\nid = "{name}"\nunit = "money"\n',
            )(pack)

    return change


def test_derived_figures_may_rest_on_derived_ones_in_any_order(tmp_path: Path) -> None:
    pack = sound()
    for name, of in (("a.a", "b.b"), ("b.b", "c.c"), ("c.c", "p.money")):
        figure(
            revision("2010-01-01", f"formula = '{of} + {of}'"), head=f'[[parameter]]\nid = "{name}"\nunit = "money"\n'
        )(pack)
    assert pack.load(tmp_path).on(ON).parameters["a.a"].get() == 8 * 57_000


@pytest.mark.parametrize(("names", "path"), [(("a.a",), "a.a → a.a"), (("a.a", "b.b", "c.c"), "a.a → b.b → c.c → a.a")])
def test_a_cycle_is_refused_as_a_path(names: tuple[str, ...], path: str, tmp_path: Path) -> None:
    pack = sound()
    chain(*names)(pack)
    with pytest.raises(PackError, match="a cycle of derived figures") as caught:
        pack.load(tmp_path)
    assert path in caught.value.what


def single(formula: str, unit: str = "money", more: str = "") -> Callable[[PackText], object]:
    head = f'[[parameter]]\nid = "p.x"\nunit = "{unit}"\n'
    return figure(revision("2010-01-01", f"formula = '{formula}'\n{more}"), head=head)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (single("p.money * p.ratio"), "an exact quotient is no figure"),
        (single("p.standard + p.standard"), "gives money/month, the parameter is money"),
        (single("p.money + p.standard"), "sum of money and money/month"),
        (single("income"), "unknown name income"),
        (single("size", "number"), "may read other figures only"),
        (single("reference_day", "date"), "may read other figures only"),
        (single("count(m for m in members)", "number"), "may read other figures only"),
        (single('first_known(p.money, 0, "inst#1")'), "may read other figures only"),
        (single("sum(t.amount for t in tax_income)"), "no feed tax_income"),
        (single("residence", "text"), "unknown name residence"),
        (single("p.gone"), "unknown name p.gone"),
        (single("p.ratio * p.ratio * p.ratio * p.ratio * p.ratio * p.ratio * p.ratio", "ratio"), "is no ratio"),
        (single("p.money", more='keys = ["a"]'), "each of keys has 0 parts"),
        (single("p.money", more='unknown = "not found"'), "both a content and `unknown`"),
        (single("p.money", more='differs = "must not fall"'), "why a published value"),
        (single("p.money", more='value = "1.00"\nkeys = ["a"]'), "keys are listed for a formula without a value"),
        (figure(revision("2010-01-01", 'value = "1.00"\ndiffers = "so"')), "why a published value"),
        (
            figure(revision("2010-01-01", "formula = 'p.standard'"), head=BASIC),
            "no table of the formula says which keys residence has",
        ),
    ],
)
def test_a_faulty_formula_of_a_figure_is_refused(
    change: Callable[[PackText], object], reason: str, tmp_path: Path
) -> None:
    pack = sound()
    change(pack)
    with pytest.raises(PackError) as caught:
        pack.load(tmp_path)
    assert reason in caught.value.what


def test_an_input_without_a_revision_on_some_day_is_refused(tmp_path: Path) -> None:
    pack = sound()
    figure(revision("2015-01-01", 'value = "1.00"'))(pack)
    figure(revision("2010-01-01", "formula = 'p.x'"), head='[[parameter]]\nid = "p.y"\nunit = "money"\n')(pack)
    with pytest.raises(PackError, match=r"parameter p\.x has no revision on 2010-01-01, but p\.y reads it"):
        pack.load(tmp_path)


def test_keys_of_several_names_are_combined_and_may_be_told_apart(tmp_path: Path) -> None:
    pack = written()
    head = '[[parameter]]\nid = "care"\nunit = "money/month"\nby = ["residence", "class"]\n'
    formula = """formula = '''round_to(
      dibao.standard[residence] * (tekun.multiple if class_ == "full" else 1), "fen", "down"
    )'''\nkeys = [["urban", "full"], ["rural", "half"]]"""
    figure(revision("2010-01-01", formula), head=head)(pack)
    table = pack.load(tmp_path).on(ON).parameters["care"].table
    assert table == {("urban", "full"): 205_120, ("rural", "half"): 93_200}


@given(standard=st.integers(1, 10_000_000), tenths=st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_what_is_derived_is_the_exact_product_rounded_up(
    standard: int, tenths: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    yuan = f"{standard // 100}.{standard % 100:02d}"
    pack = written(standard=f'value = {{ urban = "{yuan}" }}')
    pack.parameters[-3] = pack.parameters[-3].replace('"1.6"', f'"{tenths // 10}.{tenths % 10}"')
    found = basic_of(pack.load(tmp_path_factory.mktemp("pack"))).table[("urban",)]
    exact = Fraction(standard * tenths, 10)
    assert isinstance(found, int) and found % 100 == 0 and 0 <= found - exact < 100


@pytest.mark.parametrize(
    "overlay", ["1000.00", {"rural": "1000.00"}, {"rural": "1000.00", "urban": "0.01"}], ids=["all", "one", "both"]
)
def test_a_recorded_what_if_figure_is_written_back_as_it_was_given(overlay: object, tmp_path: Path) -> None:
    pack = written().load(tmp_path)
    law = pack.on(ON, overlay={"dibao.standard": overlay})
    assert law_of_now(pack, law, ON) == law


def test_a_band_and_a_month_are_named_by_what_they_are_of(tmp_path: Path) -> None:
    pack = sound()
    head = '[[parameter]]\nid = "share"\nunit = "ratio"\nby = "band:number"\n'
    figure(revision("2010-01-01", 'value = { 0 = "0.5", 3 = "0.25" }'), head=head)(pack)
    head = '[[parameter]]\nid = "limit"\nunit = "money"\nby = "band:number"\n'
    formula = """formula = 'round_to(p.money * share[number] if number > 0 else p.money, "fen", "half_up")'"""
    figure(revision("2010-01-01", formula), head=head)(pack)
    head = '[[parameter]]\nid = "index"\nunit = "ratio"\nby = "month"\n'
    figure(revision("2010-01-01", 'value = { "2020-01" = "1.03", "2020-02" = "1.05" }'), head=head)(pack)
    head = '[[parameter]]\nid = "raised"\nunit = "money"\nby = "month"\n'
    formula = """formula = 'round_to(p.money * index[month], "yuan", "down")'"""
    figure(revision("2010-01-01", formula), head=head)(pack)
    parameters = pack.load(tmp_path).on(ON).parameters
    # 570.00; a quarter of it is 142.50
    assert parameters["limit"].table == {("0",): 57_000, ("3",): 14_250}
    # 570.00 × 1.03 = 587.10; × 1.05 = 598.50
    assert parameters["raised"].table == {("2020-01",): 58_700, ("2020-02",): 59_800}
