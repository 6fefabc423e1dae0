"""One stated case decided: from any thread, with nothing kept; and how its rulings are told."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from meanscheck import Case, Law, RulePack, decide
from meanscheck.decisions import Decision
from meanscheck.decisions.decision import Ruling
from meanscheck.decisions.record import canonical
from meanscheck.law.cases import load_cases
from meanscheck.values.money import format_yuan

from .office import PACK, Office

THIRTY = load_cases(Path(__file__).parent.parent / "vectors" / "thirty.toml")
FORBIDDEN = re.compile("approv|reject|批准|拒绝|驳回", re.IGNORECASE)
YUAN = re.compile(r"\d+\.\d\d\b")


@pytest.fixture(scope="module")
def laws() -> dict[str, Law]:
    pack = RulePack.load(PACK)
    return {c.id: pack.on(c.on, known_by=c.known_by, accept=c.accept, overlay=c.overlay) for c in THIRTY}


def record_of(case: Case, law: Law) -> bytes:
    return b"\n".join(canonical(group) for group in decide(case, law).groups.values())


def test_eight_threads_give_what_one_gives(laws: dict[str, Law]) -> None:
    alone = [record_of(case, laws[case.id]) for case in THIRTY]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda case: record_of(case, laws[case.id]), [*THIRTY] * 8))
    assert together == alone * 8


def test_nothing_is_kept_from_case_to_case(laws: dict[str, Law]) -> None:
    alone = [record_of(case, laws[case.id]) for case in THIRTY]
    assert [record_of(case, laws[case.id]) for case in reversed(THIRTY)] == alone[::-1]


def test_a_stated_case_is_decided_as_reckoned_by_hand() -> None:
    """380.00 a month for one head: 900.00 - 380.00 = 520.00 (standard of Jiangmen from 2020-03-30)."""
    case = Case.from_dict(
        {
            "id": "one",
            "on": "2020-06-30",
            "household": {"residence": "urban", "division": "440703", "applied_on": "2020-06-10"},
            "member": [
                {
                    "id": "A",
                    "relation": "head",
                    "sex": "male",
                    "born_on": "1955-02-01",
                    "pensions_paid": [
                        {"months": ["2019-12", "2020-05"], "kind": "employee_pension", "amount": "380.00"}
                    ],
                }
            ],
            "supporter": [
                {
                    "id": "S",
                    "supports": ["A"],
                    "born_on": "1982-05-01",
                    "civil_capacity": "full",
                    "agreed_amount": "0.00",
                    "received_amount": "0.00",
                }
            ],
        }
    )
    decision = decide(case, RulePack.load(PACK).on(case.on))
    assert decision.case_id == "one"
    assert (decision["dibao"].outcome, decision["dibao"].award, decision["dibao"].failed) == ("eligible", 52000, ())
    assert decision["tekun", "A"].failed == ("no_supporter",)
    with pytest.raises(KeyError):
        decision["tekun"]
    told = decision["dibao"].explain("zh")
    assert "最低生活保障" in told and "520.00 元/月" in told and "900.00" in told
    assert "520.00 yuan a month" in decision["dibao"].explain("en")


def told_well(ruling: Ruling) -> None:
    zh, en = ruling.explain("zh"), ruling.explain("en")
    assert zh == ruling.explain()
    assert ruling.programme.label_zh in zh and ruling.programme.label in en
    for text in (zh, en):
        assert not FORBIDDEN.search(text), text
        assert "None" not in text and "Fraction" not in text, text
        if ruling.award is not None:
            assert YUAN.search(text.splitlines()[0]), text
    for test in ruling.programme.tests:
        if test.id in {t["id"] for t in ruling.tests}:
            assert test.label_zh in zh and test.label in en
    lines = zh.splitlines()[1 : 1 + len(ruling.tests)]
    for line, entry in zip(lines, ruling.tests, strict=True):
        assert "依据" in line and "《" in line, line
        if entry["value"] is not None and abs(entry["value"]) > 100000:
            assert YUAN.search(line), line
    if ruling.outcome == "refer":
        assert "原因" in zh and "because" in en
    for cause in ruling.causes:
        assert f"{cause.partition(':')[0]}:" not in zh + en  # told in words


def test_every_ruling_of_the_thirty_is_told_in_both_languages(laws: dict[str, Law]) -> None:
    rulings = [ruling for case in THIRTY for ruling in decide(case, laws[case.id])]
    assert {r.outcome for r in rulings} == {"eligible", "ineligible", "refer"}
    for ruling in rulings:
        told_well(ruling)


def test_every_ruling_of_a_county_is_told_in_both_languages(messy: Office) -> None:
    for case in messy.outcomes["case_id"].unique().sort().head(60):
        decision: Decision = messy.result.decision(case)
        for ruling in decision:
            told_well(ruling)
        # One paragraph each, and one for the contradictions between feeds.
        assert decision.explain("zh").count("\n\n") == len(list(decision)) - 1 + bool(decision.conflicts)


def test_an_assessment_gives_a_ruling_by_case_programme_and_member(messy: Office) -> None:
    row = messy.outcomes.filter(programme="tekun").row(0, named=True)
    ruling = messy.result[row["case_id"], "tekun", row["member"]]
    assert (ruling.outcome, ruling.award) == (row["outcome"], row["award_fen"])
    dibao = messy.outcomes.filter(case_id=row["case_id"], programme="dibao").row(0, named=True)
    assert messy.result[row["case_id"], "dibao"].outcome == dibao["outcome"]


def test_a_summary_counts_every_outcome_and_judges_nobody(messy: Office) -> None:
    text = messy.result.summary("en")
    for (_, outcome), n in messy.result.counts.items():
        assert (
            f"{n} {'referred' if outcome == 'refer' else 'not eligible' if outcome == 'ineligible' else outcome}"
            in text
        )
    paid = format_yuan(messy.result.awards["dibao"])
    assert f"({paid} yuan a month)" in text and f"（每月合计 {paid} 元）" in messy.result.summary("zh")
    assert not FORBIDDEN.search(text)


def test_a_margin_is_the_largest_change_that_keeps_the_verdict(laws: dict[str, Law]) -> None:
    """Case 01: income 2280.00 in six months against 900.00 a month; one fen under 5400.00 it is still below."""
    (case,) = (c for c in THIRTY if c.id.startswith("01-"))
    (income,) = (t for t in decide(case, laws[case.id])["dibao"].tests if t["id"] == "income")
    assert income["margin"] == 540000 - 1 - 228000
    assert "3119.99" in decide(case, laws[case.id])["dibao"].explain("zh")
