"""What an amendment changes and for whom; what one fen more can cost."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from meanscheck.law.cases import Case, run_case
from meanscheck.law.proving.cliffs import cliffs
from meanscheck.law.proving.household import Extent
from meanscheck.law.proving.scene import Scene

from .small import CITE, DIFFERENCE, FIGURES, changed, figure, law_of, pack, programme, solver

BELOW = "income / (p.window * size) < p.standard"


def revised(rules: str, formula: str) -> str:
    """A test with a second revision, from 2021."""
    return f"{rules}\n[[programme.test.revision]]\nin_force_on = 2021-01-01\nformula = '''{formula}'''\n{CITE}\n"


def test_a_formula_written_otherwise_changes_nothing_for_anyone(tmp_path: Path) -> None:
    law = pack(tmp_path, revised(programme(BELOW), "p.window * size * p.standard > income"))
    (change,) = changed(law)
    assert (change.effect, change.changed) == ("same", ("programme relief, test only",))
    assert change.cite == ("inst#1",)


def test_a_comparator_amended_changes_it_for_the_household_on_the_line(tmp_path: Path) -> None:
    law = pack(tmp_path, revised(programme(BELOW), BELOW.replace("<", "<=")))
    (change,) = changed(law)
    assert change.effect == "changes"
    before, after = (shown.answers[0][1].outcome for shown in change.shown)
    assert (before, after) == ("ineligible", "eligible")
    (case,) = tomllib.loads(change.shown[1].text)["case"]
    assert run_case(law, Case.from_dict(case)).unmet == ()
    income = sum(_fen(row["amount"]) for m in case["member"] for row in m.get("tax_income", ()))
    people = sum(1 for m in case["member"] if m["lives_together"])
    assert income == people * 12 * 90_000


@pytest.mark.parametrize(
    ("first", "second", "effect"),
    [
        ('value = "900.00"', 'value = "950.00"', "changes"),
        ('value = "900.00"', 'value = "900.00"', None),
        ('unknown = "not found"', 'value = "900.00"', "decides"),
        ('value = "900.00"', 'unknown = "not found"', "refers"),
    ],
)
def test_a_figure_amended(tmp_path: Path, first: str, second: str, effect: str | None) -> None:
    line = figure("p.line", "money/month", first)
    line += f"[[parameter.revision]]\nin_force_on = 2021-01-01\n{second}\n{CITE}\n"
    law = pack(tmp_path, programme(BELOW.replace("p.standard", "p.line")), figures=FIGURES + line)
    assert [(c.effect, c.changed) for c in changed(law)] == ([] if effect is None else [(effect, ("figure p.line",))])


# ---- cliffs


def test_one_fen_more_of_assets_costs_the_whole_allowance(tmp_path: Path) -> None:
    held = "sum(m.held for m in members) <= p.assets"
    assets = '[[variable]]\nid = "held"\nentity = "member"\nunit = "money"\n[[variable.revision]]\n'
    assets += f"in_force_on = 2010-01-01\nformula = 'sum(d.balance for d in bank_deposits)'\n{CITE}\n"
    other = programme('outcome(relief) == "eligible"', name="school")
    law = pack(tmp_path, assets, programme(f"{BELOW} and {held}", award=DIFFERENCE), other)
    found = {c.by: c for c in cliffs(Scene((law_of(law),), Extent(3, 0)), "relief", solver())}
    # Three members without income: 3 × 900.00. By income nothing but a rounded fen is left at the line.
    assert found["held"].loss == 270_000 and found["held"].status and found["held"].exact
    assert found["held"].hangs_on == ("school",)
    assert found["income"].loss in (0, 1) and found["income"].status
    for cliff in found.values():
        cases = [Case.from_dict(tomllib.loads(shown.text)["case"][0]) for shown in cliff.shown]
        results = [run_case(law, case) for case in cases]
        assert [r.unmet for r in results] == [(), ()]
        first, second = (next(o for o in r.outcomes if o.programme == "relief") for r in results)
        assert (first.award or 0) - (second.award or 0) == cliff.loss
        assert (first.outcome, second.outcome) == ("eligible", "ineligible")


def _fen(text: str) -> int:
    yuan, _, cents = text.partition(".")
    return int(yuan) * 100 + int(cents)
