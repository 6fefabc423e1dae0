"""What bounds decide comes out whatever comes in: against completions, by both executors, and on cases by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanscheck.contracts.units import CaseUnit, FeedFacts, PersonFacts, Value
from meanscheck.law import Law, RulePack
from meanscheck.law.plain import PlainRun
from meanscheck.values.evidence_state import EvidenceState

from .bounding import BoundsWriter
from .cases import CaseWriter
from .choosing import Drawn, Seeded
from .comparing import changed_by_blocks, differences, vector_run
from .completing import Completer, is_whole, without_windows
from .packs import PackText
from .test_agreement import steady

DAY, BEFORE = date(2020, 6, 30), date(2020, 6, 1)
DEPOSITS = "sum(m.held for m in members)"


@dataclass(repr=False)
class Open:
    """A law whose figures may be unknown, and cases with unknown facts."""

    law: Law
    units: list[CaseUnit]
    rules: str

    def __repr__(self) -> str:
        return f"{len(self.units)} units under\n{self.rules}"


@st.composite
def situations(draw: st.DrawFn) -> Open:
    """Any sums against any limits."""
    choose = Drawn(draw)
    pack = BoundsWriter(choose).write()
    with TemporaryDirectory() as folder:
        law = pack.law(Path(folder))
    return Open(law, CaseWriter(choose, law).units(3), pack.files["rules.toml"])


# ---- properties


@settings(steady, max_examples=25)
@given(situations())
def test_the_executors_agree_on_bounds(situation: Open) -> None:
    assert differences(situation.law, situation.units) == []


@pytest.mark.parametrize("seed", range(40))
def test_blocks_and_order_of_rows_change_no_bound(seed: int, tmp_path: Path) -> None:
    choose = Seeded(seed)
    law = BoundsWriter(choose).write().law(tmp_path)
    units = CaseWriter(choose, law).units(4)
    run = vector_run(law, units)
    assert differences(law, units, run) == []
    assert changed_by_blocks(law, units, run) == []


@pytest.mark.parametrize("seed", range(60))
def test_what_bounds_decide_comes_out_of_every_completion(seed: int, tmp_path: Path) -> None:
    law = BoundsWriter(Seeded(seed)).write().law(tmp_path)
    assert is_whole(law)
    for unit in CaseWriter(Seeded(seed + 1000), law).units():
        stated = without_windows(unit)
        before = PlainRun(law, stated).decide()
        if not any(t.by_bounds for o in before for t in o.tests):
            continue
        for way in range(6):
            completer = Completer(Seeded(100 * seed + way), law)
            after = PlainRun(replace(completer.figures(), bounds=False), completer.unit(stated)).decide()
            found = [
                (o.programme, o.member, t.id)
                for o, p in zip(before, after, strict=True)
                for t, u in zip(o.tests, p.tests, strict=True)
                if t.by_bounds and t.holds is not u.holds
            ]
            assert found == []


def test_many_of_these_laws_are_decided_by_bounds(tmp_path: Path) -> None:
    # Or the property above would say nothing.
    decided = 0
    for seed in range(60):
        law = BoundsWriter(Seeded(seed)).write().law(tmp_path / str(seed))
        for unit in CaseWriter(Seeded(seed + 1000), law).units():
            decided += sum(t.by_bounds for o in PlainRun(law, unit).decide() for t in o.tests)
    assert decided > 50


# ---- by hand: deposits may be at most 570.00


def one_test(folder: Path, formula: str, *variables: tuple[str, str, str, str], more: tuple[str, ...] = ()) -> Law:
    pack = PackText(members=False)
    pack.parameters += more
    pack.variable("is_member", "member", "bool", "lives_together")
    for name, entity, unit, text in variables:
        pack.variable(name, entity, unit, text)
    pack.programme("relief", "household", formula)
    return pack.law(folder)


def case(feeds: Mapping[str, FeedFacts], **said: Value) -> CaseUnit:
    person = PersonFacts("member", {"id": "A", "lives_together": True, "born_on": date(1960, 1, 1), **said}, feeds)
    return CaseUnit("case", {"residence": "urban", "reference_day": DAY, "applied_on": date(2020, 6, 10)}, (person,))


def facts(state: EvidenceState, *rows: Mapping[str, Value]) -> FeedFacts:
    return FeedFacts(state, tuple({"verdict": 0, **row} for row in rows))


def decided(law: Law, unit: CaseUnit) -> tuple[str, bool]:
    """The outcome, and whether bounds decided it; both executors agree."""
    assert differences(law, [unit]) == []
    (outcome,) = PlainRun(law, unit).decide()
    return outcome.outcome, any(t.by_bounds for t in outcome.tests)


SILENT, ANSWERED = EvidenceState.NO_ANSWER, EvidenceState.ANSWERED
HELD = ("held", "member", "money", "sum(b.balance for b in bank_deposits)")


@pytest.mark.parametrize(
    ("state", "amounts", "day", "expected"),
    [
        # 300.00 + 270.01 is above 570.00, whatever the third bank holds; 570.00 itself may still be all there is.
        (SILENT, (30_000, 27_001), DAY, ("ineligible", True)),
        (SILENT, (30_000, 27_000), DAY, ("refer", False)),
        (SILENT, (30_000, 27_001), None, ("ineligible", True)),
        # A balance of an earlier day gives way to one of a later day, which may be less.
        (SILENT, (30_000, 27_001), BEFORE, ("refer", False)),
        (ANSWERED, (30_000, 27_001), BEFORE, ("ineligible", False)),
        (ANSWERED, (30_000, 27_000), BEFORE, ("eligible", False)),
        # Rows of an answer that is out of date, contradicted or may not be read do not count.
        (EvidenceState.STALE, (30_000, 27_001), DAY, ("refer", False)),
        (EvidenceState.CONFLICTING, (30_000, 27_001), DAY, ("refer", False)),
        (EvidenceState.NO_CONSENT, (30_000, 27_001), DAY, ("refer", False)),
    ],
)
def test_two_banks_may_hold_enough_without_the_third(
    state: EvidenceState, amounts: tuple[int, int], day: date | None, expected: tuple[str, bool], tmp_path: Path
) -> None:
    law = one_test(tmp_path, f"{DEPOSITS} <= p.money", HELD)
    rows: list[dict[str, Value]] = [{"balance": a, "as_of": day} for a in amounts]
    assert decided(law, case({"bank_deposits": facts(state, *rows)})) == expected


def test_a_deduction_that_nobody_answered_leaves_no_least_income(tmp_path: Path) -> None:
    # Wages of 900.00 are above the limit of 570.00, but what the person paid himself may be more than that.
    wages = 'sum(t.amount for t in tax_income if t.item == "wages")'
    paid = "sum(s.personal_paid for s in social_insurance)"
    law = one_test(tmp_path, "sum(m.net for m in members) < p.money", ("net", "member", "money", f"{wages} - {paid}"))
    earned = facts(ANSWERED, {"item": "wages", "amount": 90_000})
    assert decided(law, case({"tax_income": earned, "social_insurance": facts(SILENT)})) == ("refer", False)
    one = facts(ANSWERED, {"personal_paid": 10_000})
    assert decided(law, case({"tax_income": earned, "social_insurance": one})) == ("ineligible", False)


def test_an_amount_that_may_be_negative_gives_no_bound(tmp_path: Path) -> None:
    # The contract lets the tax be negative (a refund), so a silent office may lower the sum.
    law = one_test(tmp_path, f"{DEPOSITS} < p.money", ("held", "member", "money", "sum(t.tax for t in tax_income)"))
    assert decided(law, case({"tax_income": facts(SILENT, {"tax": 90_000})})) == ("refer", False)


@pytest.mark.parametrize(("items", "expected"), [('{"odd_jobs"}', "ineligible"), ("", "refer")])
def test_an_amount_is_not_negative_where_the_condition_leaves_out_what_may_be(
    items: str, expected: str, tmp_path: Path
) -> None:
    # A surveyed amount may be negative only as an adjustment of living conditions.
    text = f"sum(f.amount for f in field_survey{f' if f.item in {items}' if items else ''})"
    law = one_test(tmp_path, f"{DEPOSITS} < p.money", ("held", "member", "money", text))
    row: dict[str, Value] = {"item": "odd_jobs", "amount": 57_000, "as_of": DAY}
    assert decided(law, case({"field_survey": facts(SILENT, row)}))[0] == expected


def test_a_treatment_in_hand_may_be_reversed_by_a_row_to_come(tmp_path: Path) -> None:
    seen = "count(s for s in medical_settlements if not s.is_reversed)"
    law = one_test(tmp_path, "sum(m.seen for m in members) < 1", ("seen", "member", "number", seen))
    row = {"settlement_no": "N1", "reverses": None}
    assert decided(law, case({"medical_settlements": facts(SILENT, row)})) == ("refer", False)


def test_any_holds_for_a_row_in_hand_and_fails_for_no_silence(tmp_path: Path) -> None:
    law = one_test(
        tmp_path,
        "not any(m.drives for m in members)",
        ("drives", "member", "bool", 'any(v.vehicle_class == "car" for v in vehicles)'),
    )
    for kind, expected in (("car", ("ineligible", True)), ("motorcycle", ("refer", False))):
        assert decided(law, case({"vehicles": facts(SILENT, {"vehicle_class": kind, "as_of": DAY})})) == expected


def test_a_person_who_may_be_a_member_adds_nothing_or_his_own(tmp_path: Path) -> None:
    law = one_test(tmp_path, f"{DEPOSITS} <= p.money", HELD)

    def two(mine: int, other: int) -> CaseUnit:
        unit = case({"bank_deposits": facts(ANSWERED, {"balance": mine, "as_of": DAY})})
        perhaps = {"bank_deposits": facts(ANSWERED, {"balance": other, "as_of": DAY})}
        return replace(unit, persons=(*unit.persons, PersonFacts("member", {"id": "B"}, perhaps)))

    assert decided(law, two(57_001, 0))[0] == "ineligible"
    assert decided(law, two(30_000, 27_000)) == ("eligible", True)
    assert decided(law, two(30_000, 27_001)) == ("refer", False)


@pytest.mark.parametrize(
    ("said", "held", "expected"),
    [
        ('at_least = "800.00"', 79_999, ("eligible", True)),
        ('at_least = "800.00"', 80_000, ("refer", False)),
        ('at_most = "800.00"', 80_000, ("ineligible", True)),
        ('at_most = "800.00"', 79_999, ("refer", False)),
        ('at_least = "800.00"\nstatus = "unsure"', 79_999, ("refer", False)),
        ("", 0, ("refer", False)),
    ],
)
def test_a_figure_that_was_not_found_may_have_bounds(
    said: str, held: int, expected: tuple[str, bool], tmp_path: Path
) -> None:
    limit = PackText.figure("q.limit", "money", '"0.00"', revision=said)
    limit = limit.replace('value = "0.00"', 'unknown = "not found"')
    law = one_test(tmp_path, f"{DEPOSITS} < q.limit", HELD, more=(limit,))
    assert decided(law, case({"bank_deposits": facts(ANSWERED, {"balance": held, "as_of": DAY})})) == expected


def test_where_residence_is_unknown_all_entries_of_a_table_are_bounds(tmp_path: Path) -> None:
    table = (
        '[[parameter]]\nid = "q.limit"\nunit = "money"\nby = "residence"\n[[parameter.revision]]\n'
        'in_force_on = 2010-01-01\nvalue = { urban = "900.00", rural = "600.00" }\ncite = ["inst#1"]\n'
    )
    law = one_test(tmp_path, f"{DEPOSITS} < q.limit[household.residence]", HELD, more=(table,))

    def holding(fen: int) -> CaseUnit:
        unit = case({"bank_deposits": facts(ANSWERED, {"balance": fen, "as_of": DAY})})
        return replace(unit, attributes={**unit.attributes, "residence": None})

    assert decided(law, holding(59_999)) == ("eligible", True)
    assert decided(law, holding(60_000)) == ("refer", False)
    assert decided(law, holding(90_000)) == ("ineligible", True)


def test_a_division_by_what_may_be_zero_decides_nothing(tmp_path: Path) -> None:
    # With no vehicle there is no quotient, though any quotient would be 0 or more.
    law = one_test(
        tmp_path,
        "greatest(sum(m.held for m in members) / sum(m.cars for m in members), 0) >= 0",
        HELD,
        ("cars", "member", "number", "count(v for v in vehicles)"),
    )
    assert decided(law, case({"vehicles": facts(SILENT)})) == ("refer", False)
    assert decided(law, case({"vehicles": facts(SILENT, {"vehicle_token": "V", "as_of": DAY})})) == ("eligible", True)


def test_an_award_is_never_taken_from_bounds(tmp_path: Path) -> None:
    pack = PackText(members=False)
    pack.variable("is_member", "member", "bool", "lives_together")
    pack.variable(*HELD)
    pack.programme("relief", "household", f"{DEPOSITS} >= 0", award=f"{DEPOSITS} / p.window")
    pack.rules[-1] = pack.rules[-1].replace(f"{DEPOSITS} / p.window", f'round_to({DEPOSITS} / p.window, "fen", "up")')
    law, unit = pack.law(tmp_path), case({"bank_deposits": facts(SILENT)})
    (outcome,) = PlainRun(law, unit).decide()
    assert decided(law, unit)[0] == "refer"
    assert outcome.tests[0].holds is True and outcome.causes == {"no_answer:bank_deposits"}


def test_causes_are_only_what_could_still_change_the_outcome(tmp_path: Path) -> None:
    pack = PackText(members=False)
    pack.variable("is_member", "member", "bool", "lives_together")
    pack.variable(*HELD)
    pack.variable("drives", "member", "bool", 'any(v.vehicle_class == "car" for v in vehicles)')
    # The second condition holds whatever the bank says, so only the vehicles are worth waiting for.
    pack.programme("relief", "household", f"not any(m.drives for m in members) and {DEPOSITS} >= 0")
    law, unit = pack.law(tmp_path), case({"bank_deposits": facts(SILENT), "vehicles": facts(SILENT)})
    assert decided(law, unit)[0] == "refer"
    (now,), (before,) = (PlainRun(one, unit).decide() for one in (law, replace(law, bounds=False)))
    assert now.causes == {"no_answer:vehicles"}
    assert before.causes == {"no_answer:vehicles", "no_answer:bank_deposits"}


# ---- what is recorded


def test_a_law_recorded_before_decides_as_it_did(tmp_path: Path) -> None:
    law = one_test(tmp_path, f"{DEPOSITS} <= p.money", HELD)
    recorded = law.to_json()
    assert recorded.pop("bounds") is True and Law.from_json(law.canonical).bounds
    before = Law.from_json(recorded)
    unit = case({"bank_deposits": facts(SILENT, {"balance": 57_001, "as_of": DAY})})
    assert "bounds" not in before.to_json() and not before.bounds
    assert decided(before, unit) == ("refer", False) and decided(law, unit) == ("ineligible", True)
    assert before.needs["bank_deposits"] == {"balance"} and law.needs["bank_deposits"] == {"balance", "as_of"}


def test_the_bounds_of_a_figure_are_recorded_with_it() -> None:
    pack = RulePack.load("rules/cn/guangdong/jiangmen")
    law = pack.on(date(2022, 6, 30))
    standard = law.parameters["dibao.standard"]
    # The province's minimum of class four, in fen (gd-minima-2021).
    assert standard.at_least == {("urban",): 80_000, ("rural",): 55_100} and not standard.at_most
    again = Law.from_json(law.canonical)
    assert again.parameters["dibao.standard"] == standard and again.digest == law.digest
    plain = pack.on(date(2020, 6, 30)).to_json()
    assert not any("at_least" in p or "at_most" in p for p in plain["parameters"] if p["id"] == "dibao.standard")
