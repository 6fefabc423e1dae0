"""Two laws over a caseload: the same as each case decided by itself under both, and each difference with its cause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from decisions.office import DAY, PACK

from meanscheck.caseload.amending import Amendment, compare_laws
from meanscheck.contracts.units import CaseUnit, units_of
from meanscheck.decisions.encode import input_needs
from meanscheck.law import Law, RulePack
from meanscheck.law.plain import Outcome, PlainRun

from .conftest import Sealed

OVERLAY = """
[overlay]
name = "more for fewer"
[figures]
"dibao.standard" = "1000.00"
[[programme]]
id = "dibao"
  [[programme.test]]
  id = "dwellings"
    [[programme.test.revision]]
    formula = "size < 2"
  [programme.award]
    [[programme.award.revision]]
    formula = 'round_to(size * dibao.standard[household.residence], "fen", "half_up")'
"""


@pytest.fixture(scope="module")
def laws(tmp_path_factory: pytest.TempPathFactory) -> tuple[Law, Law]:
    file = tmp_path_factory.mktemp("overlay") / "more.toml"
    file.write_text(OVERLAY, encoding="utf-8")
    return RulePack.load(PACK).on(DAY), RulePack.load(PACK, overlay=file).on(DAY)


@pytest.fixture(scope="module")
def amendment(sealed: Sealed, laws: tuple[Law, Law]) -> Amendment:
    return compare_laws(sealed.store, *laws, block_units=31)


def cases(sealed: Sealed, laws: tuple[Law, Law]) -> Iterator[CaseUnit]:
    needs = {f: input_needs(laws[0]).get(f, frozenset()) | c for f, c in input_needs(laws[1]).items()}
    for block in sealed.store.project(sealed.store.snapshot(), on=DAY).blocks(needs, block_units=100):
        yield from units_of(block)


def one_by_one(law: Law, case: CaseUnit) -> dict[tuple[str, str, str | None], Outcome]:
    names = [str(p.attributes["id"]) for p in case.persons]
    return {
        (case.case_id, o.programme, None if o.member is None else names[o.member]): o
        for o in PlainRun(law, case).decide()
    }


def test_the_rows_are_what_the_plain_executor_finds_case_by_case(
    sealed: Sealed, laws: tuple[Law, Law], amendment: Amendment
) -> None:
    expected: dict[tuple[str, str, str | None], tuple[object, ...]] = {}
    for case in cases(sealed, laws):
        before, after = (one_by_one(law, case) for law in laws)
        for key, o in before.items():
            other = after[key]
            if (o.outcome, o.award) != (other.outcome, other.award):
                verdicts = zip(o.tests, other.tests, strict=True)
                tests = tuple(sorted(a.id for a, b in verdicts if a.holds is not b.holds))
                expected[key] = (o.outcome, other.outcome, o.award, other.award, tests)
    found = {
        (r["case_id"], r["programme"], r["member"]): (
            r["outcome_before"], r["outcome_after"], r["award_fen_before"], r["award_fen_after"], tuple(r["tests"])
        )
        for r in amendment.rows.iter_rows(named=True)
    }  # fmt: skip
    assert found == expected and len(expected) > 20
    assert amendment.units == 60


def test_totals_are_the_sums_over_all_cases(sealed: Sealed, laws: tuple[Law, Law], amendment: Amendment) -> None:
    (dibao,) = [t for t in amendment.totals if t.programme == "dibao"]
    for law, n, fen in zip(
        laws, (dibao.eligible_before, dibao.eligible_after), (dibao.fen_before, dibao.fen_after), strict=True
    ):
        outcomes = [o for case in cases(sealed, laws) for o in PlainRun(law, case).decide() if o.programme == "dibao"]
        awards = [o.award or 0 for o in outcomes if o.outcome == "eligible"]
        assert (n, fen) == (len(awards), sum(awards))
    assert dibao.unit == "money/month"


def test_each_difference_has_the_changes_that_alone_bring_it_about(
    sealed: Sealed, laws: tuple[Law, Law], amendment: Amendment, tmp_path: Path
) -> None:
    """The standard alone, laid over by itself, differs for just those rows that name it."""
    assert {c.name for c in amendment.changes} == {"dibao.standard", "dibao: test dwellings", "dibao: award"}
    alone = tmp_path / "alone.toml"
    alone.write_text('[overlay]\nname = "alone"\n[figures]\n"dibao.standard" = "1000.00"\n', encoding="utf-8")
    only = compare_laws(sealed.store, laws[0], RulePack.load(PACK, overlay=alone).on(DAY))
    key = ["case_id", "programme", "member"]
    named = amendment.rows.filter(~pl.col("together") & pl.col("by").list.contains("dibao.standard"))
    assert not named.is_empty()
    missing = named.join(only.rows, on=key, how="anti", nulls_equal=True)
    unnamed = amendment.rows.filter(~pl.col("by").list.contains("dibao.standard"))
    assert missing.is_empty()
    assert unnamed.join(only.rows, on=key, how="semi", nulls_equal=True).is_empty()
    assert set(only.rows["by"].explode()) == {"dibao.standard"}


def test_what_no_change_does_alone_is_said_to_be_done_together(sealed: Sealed, tmp_path: Path) -> None:
    """The old test fails at any known income, the new one above 0, and the new income is that of nobody: 0."""
    text = """
    [overlay]
    name = "two doors"
    [[variable]]
    id = "household_income"
      [[variable.revision]]
      formula = "sum(m.own_income for m in members if {condition})"
    [[programme]]
    id = "dibao"
      [[programme.test]]
      id = "income"
        [[programme.test.revision]]
        formula = '{test}'
    """
    fails = "household_income > 0 and household_income < 0"
    either = "household_income == 0 or household_income < 0"
    files = {}
    for name, condition, test in (("old", "size >= 0", fails), ("new", "size < 0", either)):
        files[name] = tmp_path / f"{name}.toml"
        files[name].write_text(text.format(condition=f"household.{condition}", test=test), encoding="utf-8")
    old, new = (RulePack.load(PACK, overlay=files[name]).on(DAY) for name in ("old", "new"))
    rows = compare_laws(sealed.store, old, new).rows.filter(
        (pl.col("programme") == "dibao")
        & (pl.col("outcome_before") == "ineligible")
        & (pl.col("outcome_after") == "eligible")
    )
    together = rows.filter("together")
    assert not together.is_empty()
    assert set(together["by"].explode()) == {"household_income", "dibao: test income"}
    # Whoever has no income at all needs the new test alone.
    assert set(rows.filter(~pl.col("together"))["by"].explode()) <= {"dibao: test income"}


def test_the_same_law_differs_nowhere(sealed: Sealed, laws: tuple[Law, Law]) -> None:
    same = compare_laws(sealed.store, laws[0], laws[0])
    assert same.rows.is_empty() and same.changes == () and same.by_change == ()


def test_blocks_do_not_matter(sealed: Sealed, laws: tuple[Law, Law], amendment: Amendment) -> None:
    other = compare_laws(sealed.store, *laws, block_units=1000)
    assert other.rows.equals(amendment.rows) and other.totals == amendment.totals


def test_laws_of_two_days_are_refused(sealed: Sealed, laws: tuple[Law, Law]) -> None:
    with pytest.raises(ValueError, match="the same day"):
        compare_laws(sealed.store, laws[0], replace(laws[1], on=date(2020, 7, 1)))
