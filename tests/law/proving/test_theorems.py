"""Planted faults are refuted by households that both executors reproduce; sound law is proved."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from meanscheck.errors import PackError
from meanscheck.law import RulePack
from meanscheck.law.cases import Case, run_case
from meanscheck.law.proving.theorems import Theorem

from .small import DIFFERENCE, FIGURES, figure, pack, programme, proved, variable

BELOW = "income / (p.window * size) < p.standard"
FALLS = 'falls_with = ["income"]'


def reproduced(law: RulePack, theorem: Theorem) -> list[tuple[str, int | None]]:
    """Outcome and award of a witness's households, as `rules run` gives them; each is as the case expects."""
    found = []
    for shown in theorem.shown:
        (stated,) = tomllib.loads(shown.text)["case"]
        result = run_case(law, Case.from_dict(stated))
        assert result.unmet == ()
        (expected,) = result.case.expectations
        (outcome,) = [o for o in result.outcomes if o.programme == expected.programme and o.member in (None, 0)]
        found.append((outcome.outcome, outcome.award))
    return found


# ---- the allowance by difference


def test_the_difference_to_the_standard_keeps_what_is_claimed_of_it(tmp_path: Path) -> None:
    claims = f'{FALLS}\nceiling = "size * p.standard"'
    law = pack(tmp_path, programme(BELOW, award=DIFFERENCE, claims=FALLS, award_claims=claims))
    answers = {name: th.verdict for name, th in proved(law).items()}
    assert answers == dict.fromkeys(
        (
            "relief: one outcome",
            "relief: award not negative",
            "relief: award within ceiling",
            "relief: test only falls with income",
            "relief: award falls with income",
        ),
        "proved",
    )


def test_rounding_by_head_before_the_difference_is_refuted(tmp_path: Path) -> None:
    by_head = 'size * round_to(p.standard - income / (p.window * size), "fen", "half_up")'
    exact = 'ceiling = \'round_to(size * p.standard - income / p.window, "fen", "half_up")\''
    sound, faulty = (tmp_path / n for n in ("sound", "faulty"))
    assert (
        proved(pack(sound, programme(BELOW, award=DIFFERENCE, award_claims=exact)))[
            "relief: award within ceiling"
        ].verdict
        == "proved"
    )
    law = pack(faulty, programme(BELOW, award=by_head, award_claims=exact))
    theorem = proved(law)["relief: award within ceiling"]
    assert theorem.verdict == "refuted"
    ((outcome, award),) = reproduced(law, theorem)
    (stated,) = tomllib.loads(theorem.shown[0].text)["case"]
    people = [m for m in stated["member"] if m["lives_together"]]
    income = sum(_fen(row["amount"]) for m in stated["member"] for row in m.get("tax_income", ()))
    # By hand: 900.00 for each, less a twelfth of the income, to the nearest fen, half a fen up.
    due = (2 * (len(people) * 90_000 * 12 - income) + 12) // 24
    assert outcome == "eligible" and award is not None and award > due


def test_a_comparator_turned_round_is_refuted(tmp_path: Path) -> None:
    law = pack(tmp_path, programme(BELOW.replace("<", ">"), award=DIFFERENCE, claims=FALLS))
    answers = proved(law)
    assert answers["relief: test only falls with income"].verdict == "refuted"
    (less, _), (more, _) = reproduced(law, answers["relief: test only falls with income"])
    assert (less, more) == ("ineligible", "eligible")
    negative = answers["relief: award not negative"]
    assert negative.verdict == "refuted"
    ((outcome, award),) = reproduced(law, negative)
    assert outcome == "eligible" and award is not None and award < 0


def test_a_comparator_that_lets_the_line_in_gives_nothing_less_than_nothing(tmp_path: Path) -> None:
    law = pack(tmp_path, programme(BELOW.replace("<", "<="), award=DIFFERENCE))
    assert proved(law)["relief: award not negative"].verdict == "proved"


@pytest.mark.parametrize(
    ("formula", "verdict"),
    [
        ('round_to(least(p.cap, costs * p.ratio), "fen", "half_up")', "proved"),
        ('round_to(costs * p.ratio, "fen", "half_up")', "refuted"),
    ],
)
def test_a_missing_ceiling_is_refuted(tmp_path: Path, formula: str, verdict: str) -> None:
    costs = variable("costs", "sum(m.in_scope for m in medical_settlements if m.settled_on <= on)", entity="member")
    law = pack(
        tmp_path,
        costs,
        programme(
            "costs > 0",
            entity="member",
            unit="money",
            award=formula,
            award_claims='ceiling = "p.cap"\nrises_with = ["costs"]',
        ),
    )
    answers = proved(law)
    assert answers["relief: award within ceiling"].verdict == verdict
    assert answers["relief: award rises with costs"].verdict == "proved"
    if verdict == "refuted":
        ((outcome, award),) = reproduced(law, answers["relief: award within ceiling"])
        assert outcome == "eligible" and award is not None and award > 10_000_000


# ---- more of something


def test_a_disregard_that_begins_at_the_minimum_wage_is_not_monotone(tmp_path: Path) -> None:
    # The shape of Shanghai's: 870 of the wage are not counted, from the minimum wage of 2690 on.
    limit = figure("p.limit", "money", 'value = "500.00"')
    counted = variable("counted", "income - (p.disregard if income >= p.wage else 0)")
    law = pack(
        tmp_path, counted, programme("counted < p.wage - p.disregard + p.limit", claims=FALLS), figures=FIGURES + limit
    )
    theorem = proved(law)["relief: test only falls with income"]
    assert theorem.verdict == "refuted"
    (less, _), (more, _) = reproduced(law, theorem)
    assert (less, more) == ("ineligible", "eligible")


@pytest.mark.parametrize(
    ("test", "claim", "verdict"),
    [
        ("sum(d.balance for d in bank_deposits) <= p.assets", "falls_with", "proved"),
        ("sum(d.balance for d in bank_deposits) <= p.assets", "rises_with", "refuted"),
        ("sum(d.balance for d in bank_deposits) >= p.assets", "rises_with", "proved"),
        ("sum(d.balance for d in bank_deposits if d.balance > p.wage) <= p.assets", "falls_with", "open"),
    ],
)
def test_more_in_a_column(tmp_path: Path, test: str, claim: str, verdict: str) -> None:
    law = pack(tmp_path, programme(test, claims=f'{claim} = ["bank_deposits.balance"]'))
    verb = claim.split("_")[0]
    theorem = proved(law)[f"relief: test only {verb} with bank_deposits.balance"]
    assert theorem.verdict == verdict
    if verdict == "refuted":
        assert [o for o, _ in reproduced(law, theorem)] == ["eligible", "ineligible"]


# ---- one outcome


def test_an_entry_that_a_table_lacks_leaves_a_household_without_an_outcome(tmp_path: Path) -> None:
    head = 'by = "residence"'
    lacking = figure("p.of", "money", 'value = { urban = "900.00" }', more=head)
    law = pack(tmp_path, programme("income < p.of[household.residence]"), figures=FIGURES + lacking)
    theorem = proved(law)["relief: one outcome"]
    assert theorem.verdict == "refuted"
    assert reproduced(law, theorem) == [("refer", None)]


def test_a_quotient_by_a_number_that_may_be_zero_leaves_a_household_without_an_outcome(tmp_path: Path) -> None:
    children = variable("children", 'count(m for m in members if m.relation == "child")', unit="number")
    law = pack(tmp_path, children, programme("income / children < p.wage"))
    theorem = proved(law)["relief: one outcome"]
    assert theorem.verdict == "refuted"
    assert reproduced(law, theorem) == [("refer", None)]


def test_what_is_not_found_is_proved_whatever_it_is(tmp_path: Path) -> None:
    missing = figure("p.missing", "money/month", 'unknown = "not found"')
    claims = f'{FALLS}\nceiling = "size * p.missing"'
    law = pack(
        tmp_path,
        programme(
            BELOW.replace("p.standard", "p.missing"),
            award=DIFFERENCE.replace("p.standard", "p.missing"),
            claims=FALLS,
            award_claims=claims,
        ),
        figures=FIGURES + missing,
    )
    answers = proved(law)
    assert {th.verdict for th in answers.values()} == {"proved"}
    assert {th.whatever for th in answers.values()} == {("p.missing",)}


def test_what_has_no_exact_form_is_open(tmp_path: Path) -> None:
    owed = variable("owed", "sum(d.balance for d in bank_deposits)")
    law = pack(tmp_path, owed, programme("income / owed < 1", claims=FALLS))
    theorem = proved(law)["relief: test only falls with income"]
    assert theorem.verdict == "open" and theorem.why == "a quotient by a value without known bounds"


# ---- programmes beside each other


def test_a_programme_and_the_one_it_gives_way_to_never_both_hold(tmp_path: Path) -> None:
    other = programme("age(born_on) >= 2", name="old", entity="member")
    law = pack(tmp_path, other, programme(BELOW, more='yields_to = [{ programme = "old", when = "all members" }]'))
    answers = proved(law)
    assert answers["relief: exclusive of old"].verdict == "proved"
    assert answers["relief: one outcome"].verdict == "proved"


# ---- what a pack may claim


@pytest.mark.parametrize(
    ("claims", "award_claims", "reason"),
    [
        ('falls_with = ["incom"]', "", "Did you mean income?"),
        ('rises_with = ["tax_income.month"]', "", "is no number"),
        ("", 'ceiling = "size"', "the ceiling is number, the award money/month"),
        ("", 'ceiling = "size * nothing"', "unknown name nothing"),
    ],
)
def test_a_claim_about_nothing_is_refused(tmp_path: Path, claims: str, award_claims: str, reason: str) -> None:
    with pytest.raises(PackError, match=reason.replace("?", r"\?")):
        pack(tmp_path, programme(BELOW, award=DIFFERENCE, claims=claims, award_claims=award_claims))


def test_a_claim_is_no_part_of_the_recorded_law(tmp_path: Path) -> None:
    plain = pack(tmp_path / "plain", programme(BELOW, award=DIFFERENCE))
    claims = pack(
        tmp_path / "claims",
        programme(BELOW, award=DIFFERENCE, claims=FALLS, award_claims='ceiling = "size * p.standard"'),
    )
    assert plain.on(plain.first_day).digest == claims.on(claims.first_day).digest


def _fen(text: str) -> int:
    yuan, _, cents = text.partition(".")
    return int(yuan) * 100 + int(cents)


# ---- tables, slices, months


BANDS = figure(
    "p.share", "ratio", 'value = { "0" = "0", "10000.00" = "0.2", "30000.00" = "0.3" }', more='by = "band:money"'
)


@pytest.mark.parametrize(("ceiling", "verdict"), [("4000.00", "refuted"), ("7000.00", "proved")])
def test_slices_of_an_amount(tmp_path: Path, ceiling: str, verdict: str) -> None:
    # By hand: of 40000.00 nothing up to 10000.00, 20 % of the next 20000.00 and 30 % of the next 10000.00: 7000.00.
    limits = figure("p.most", "money", 'value = "40000.00"') + figure("p.line", "money", f'value = "{ceiling}"')
    test, award = "income <= p.most", 'round_to(slices(income, p.share), "fen", "half_up")'
    rules = programme(test, unit="money", award=award, award_claims='ceiling = "p.line"\nrises_with = ["income"]')
    law = pack(tmp_path, rules, figures=FIGURES + BANDS + limits)
    answers = proved(law)
    assert answers["relief: award within ceiling"].verdict == verdict
    assert answers["relief: award rises with income"].verdict == "proved"
    if verdict == "refuted":
        ((_, award_of_it),) = reproduced(law, answers["relief: award within ceiling"])
        assert award_of_it is not None and award_of_it > 400_000


def test_a_table_by_band_that_begins_above_nothing_leaves_who_has_less_without_an_outcome(tmp_path: Path) -> None:
    tables = figure("p.of", "money", 'value = { "2" = "900.00", "4" = "800.00" }', more='by = "band:number"')
    law = pack(tmp_path, programme("income < p.of[size]"), figures=FIGURES + tables)
    theorem = proved(law, members=3)["relief: one outcome"]
    assert theorem.verdict == "refuted"
    assert reproduced(law, theorem) == [("refer", None)]


@pytest.mark.parametrize(("months", "verdict"), [("2", "proved"), ("3", "refuted")])
def test_a_streak_of_more_months_than_the_table_has(tmp_path: Path, months: str, verdict: str) -> None:
    value = 'value = { "2019-11" = "3.5", "2019-12" = "3.6" }'
    tables = figure("p.index", "ratio", value, more='by = "month"')
    tables += figure("p.line", "ratio", 'value = "3"') + figure("p.months", "number", f"value = {months}")
    test = "streak((p.index[m] > p.line for m in months), p.months) and income < p.cap"
    theorem = proved(pack(tmp_path, programme(test), figures=FIGURES + tables))["relief: one outcome"]
    assert theorem.verdict == verdict


@pytest.mark.parametrize(("inner", "verdict"), [("income + p.wage", "proved"), ("p.wage - income", "refuted")])
def test_what_lies_between_a_test_and_what_moves_moves_too(tmp_path: Path, inner: str, verdict: str) -> None:
    law = pack(
        tmp_path,
        variable("inner", inner),
        variable("outer", "inner + p.disregard"),
        programme("outer < p.cap and inner < p.disregard", claims=FALLS),
    )
    assert proved(law)["relief: test only falls with income"].verdict == verdict
