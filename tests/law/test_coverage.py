"""What is a case owed for, and what is nobody asked to show: findings, texts that a column may hold, published figures,
programmes of which a formula was not found."""

from __future__ import annotations

from pathlib import Path

import pytest

from meanscheck.law.case_runs import OPEN, YES, Cases
from meanscheck.law.coverage import Gap, gaps
from meanscheck.law.resolve import RulePack

from .relief import CASES, CITE, PARAMETERS, RULES, case, dibao, write


def found(folder: Path, thing: str) -> list[tuple[str, str]]:
    """Kind and text of the gaps of one thing in the small pack of a folder."""
    cases = Cases([folder])
    assert cases.faults == [] and cases.unmet == ()
    return [(g.kind, g.needed) for g in _of(folder, cases) if g.thing == thing]


def _of(folder: Path, cases: Cases) -> tuple[Gap, ...]:
    return gaps(RulePack.load(folder), cases)


def household_test(formula: str) -> str:
    """The rules with one more test of dibao."""
    head, start, rest = RULES.partition('id = "dibao"\nentity = "household"\nin_force_on = 2020-01-01\n')
    return (
        f'{head}{start}  [[programme.test]]\n  id = "more"\n    [[programme.test.revision]]\n'
        f"    formula = '''{formula}'''\n    {CITE}\n{rest}"
    )


# ---- findings


def cars(*verdicts: str) -> str:
    """A person's vehicles, each with a verdict or with none."""
    rows = ", ".join('{ vehicle_class = "car" }' for _ in verdicts)
    given = ", ".join(
        f'{{ feed = "vehicles", row_ref = "{n}", verdict = "{v}" }}' for n, v in enumerate(verdicts, 1) if v
    )
    return f"vehicles = [{rows}]\n  findings = [{given}]"


CONFIRMED = "count(v for v in vehicles if is_confirmed(v)) == 0"
THING = "programme dibao, test more"
HOLDS, OPEN_ROW, FALSE = "this holds", "this is open, without a finding", "this does not hold"


CONFIRMED_CAR = case("confirmed", dibao("ineligible"), cars("confirmed"))
OPEN_CAR = case("open", dibao("refer"), cars(""))
# A row with another finding is no row: it shows neither side.
NO_CAR = case("explained", dibao("eligible"), cars("explained", "disregarded"))


@pytest.mark.parametrize(
    ("cases", "owed"),
    [
        (CONFIRMED_CAR + OPEN_CAR, []),
        (CONFIRMED_CAR + NO_CAR, [OPEN_ROW]),
        (OPEN_CAR + NO_CAR, [HOLDS]),
        (NO_CAR, [HOLDS, OPEN_ROW]),
    ],
)
def test_a_finding_has_two_sides_confirmed_and_none(cases: str, owed: list[str], tmp_path: Path) -> None:
    folder = write(tmp_path, rules=household_test(CONFIRMED), cases=cases)
    of_rows = [text for _, text in found(folder, THING) if text.endswith(": is_confirmed(vehicles)")]
    assert of_rows == [f"a case in which {side}: is_confirmed(vehicles)" for side in owed]


@pytest.mark.parametrize("verdict", ["", "confirmed", "explained", "disregarded"])
def test_whether_a_row_is_confirmed_never_comes_to_no(verdict: str, tmp_path: Path) -> None:
    rules = household_test(f"{CONFIRMED} or not all(is_confirmed(v) for v in vehicles)")
    expected = {"": "refer", "confirmed": "ineligible"}.get(verdict, "eligible")
    cases = Cases([write(tmp_path, rules=rules, cases=case("one", dibao(expected), cars(verdict)))])
    assert cases.unmet == ()
    (run,) = cases.runs
    asked = [n for p in run.law.programmes for t in p.trees for n in t.walk() if n.op == "confirmed"]
    assert len(asked) == 2
    bits = {run.run.seen.get(id(node), 0) for node in asked}
    # A row with a finding against it is not asked at all.
    assert bits <= {"": {OPEN, 0}, "confirmed": {YES}}.get(verdict, {0})


# ---- texts


@pytest.mark.parametrize(
    ("texts", "side"),
    [
        # The two sides of a list that leaves something out, and those of one that leaves out nothing.
        ('{"house", "land"}', FALSE),
        ('{"residential", "commercial", "industrial", "land"}', "this is open, nothing being stated"),
    ],
)
def test_a_list_of_all_texts_of_a_column_is_asked_for_a_row_that_states_none(
    texts: str, side: str, tmp_path: Path
) -> None:
    texts = texts.replace('"house"', '"residential"')
    rules = household_test(f"count(r for r in real_estate if r.use in {texts}) == 0")
    home = 'real_estate = [{ use = "residential" }]'
    owed = found(write(tmp_path / "a", rules=rules, cases=case("home", dibao("ineligible"), home)), THING)
    assert [side in text for kind, text in owed if "real_estate.use in" in text and "count" not in text] == [True]
    unstated = case("unstated", dibao("refer"), 'real_estate = [{ area = "1.00" }]')
    other = case("other", dibao("eligible"), 'real_estate = [{ use = "commercial" }]')
    more = unstated if "open" in side else other
    whole = write(tmp_path / "b", rules=rules, cases=case("home", dibao("ineligible"), home) + more)
    assert [text for _, text in found(whole, THING) if side in text] == []


# ---- published figures

PUBLISHED = 'multiple, "yuan", "up")\'\n  value = { urban = "1440.00", rural = "RURAL" }'


def test_a_figure_is_shown_by_the_published_figure_that_it_gives(tmp_path: Path) -> None:
    # 1.6 × 900.00 = 1 440.00 and 1.6 × 650.25 = 1 040.40, rounded up: what was published.
    # No case reads the multiple.
    parameters = PARAMETERS.replace('multiple, "yuan", "up")\'', PUBLISHED.replace("RURAL", "1041.00"))
    assert found(write(tmp_path, parameters=parameters), "parameter multiple") == []


def test_a_figure_is_not_shown_by_a_published_figure_that_it_does_not_give(tmp_path: Path) -> None:
    differs = PUBLISHED.replace("RURAL", "1050.00") + '\n  differs = "may not fall"'
    parameters = PARAMETERS.replace('multiple, "yuan", "up")\'', differs)
    cases = CASES.replace("1041.00", "1050.00")
    ((kind, _),) = found(write(tmp_path, parameters=parameters, cases=cases), "parameter multiple")
    assert kind == "unreached"


def test_a_figure_beside_a_published_one_that_has_no_formula_is_unreached(tmp_path: Path) -> None:
    formula = 'formula = \'round_to(standard[residence] * multiple, "yuan", "up")\''
    parameters = PARAMETERS.replace(formula, 'value = { urban = "1440.00", rural = "1041.00" }')
    ((kind, _),) = found(write(tmp_path, parameters=parameters), "parameter multiple")
    assert kind == "unreached"


# ---- what nobody can be

FAVOUR = f"""
[[programme]]
id = "favour"
entity = "household"
in_force_on = 2020-01-01
  [[programme.test]]
  id = "savings"
    [[programme.test.revision]]
    formula = 'income == 0'
    {CITE}
  [[programme.test]]
  id = "property"
    [[programme.test.revision]]
    LIMIT
    {CITE}
"""
ASKED = 'not outcome(favour) == "WORD" or size == 1'


def favour(folder: Path, *, limit: str, word: str = "eligible", income: str = "0.01") -> list[tuple[str, str]]:
    rules = household_test(ASKED.replace("WORD", word)) + FAVOUR.replace("LIMIT", limit)
    folder = write(folder, rules=rules, cases=case("with income", dibao("eligible"), f"{row(income)}"))
    return [(kind, text) for kind, text in found(folder, THING) if "outcome(favour)" in text and "size" not in text]


def row(amount: str) -> str:
    return f'tax_income = [{{ month = "2020-05", item = "wages", amount = "{amount}", tax = "0.00" }}]'


def test_a_case_is_owed_of_somebody_who_is_eligible(tmp_path: Path) -> None:
    ((kind, text),) = favour(tmp_path, limit="formula = 'size <= 2'")
    assert kind == "side" and HOLDS in text


def test_nobody_is_eligible_for_what_lacks_a_formula_and_the_formula_is_named(tmp_path: Path) -> None:
    ((kind, text),) = favour(tmp_path, limit='unknown = "not found"')
    assert kind == "beyond" and "favour: test property" in text


def test_that_somebody_is_not_eligible_is_owed_whatever_is_missing(tmp_path: Path) -> None:
    # Without income the outcome is open, so neither side is shown.
    owed = favour(tmp_path, limit='unknown = "not found"', word="ineligible", income="0.00")
    assert [(kind, side in text) for (kind, text), side in zip(owed, (HOLDS, FALSE), strict=True)] == [
        ("side", True)
    ] * 2


def test_a_pack_below_that_has_the_formula_owes_the_case(tmp_path: Path) -> None:
    rules = household_test(ASKED.replace("WORD", "eligible")) + FAVOUR.replace("LIMIT", 'unknown = "not found"')
    above = write(tmp_path / "above", rules=rules, cases=case("income", dibao("eligible"), row("0.01")))
    below = above / "below"
    below.mkdir()
    (below / "pack.toml").write_text('code = "440000"\nname = "Below"\n', encoding="utf-8")
    (below / "rules.toml").write_text(
        f'[[programme]]\nid = "favour"\n  [[programme.test]]\n  id = "property"\n    [[programme.test.revision]]\n'
        f"    formula = 'size <= 2'\n    {CITE}\n",
        encoding="utf-8",
    )
    alone = {g.kind for g in gaps(RulePack.load(above), Cases([above])) if g.thing == THING and "favour" in g.needed}
    both = {
        g.kind for g in gaps(RulePack.load(above), Cases([above, below])) if g.thing == THING and "favour" in g.needed
    }
    assert "beyond" in alone and "beyond" not in both and "side" in both
