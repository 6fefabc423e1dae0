"""What is told in Chinese is told in Chinese: no code of a feed, a column, a choice, a rule or a state is left in it.

Latin is what has no other name: numbers of cases and requests, ids of persons, names of files, digests and commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from meanscheck import Law, RulePack, check
from meanscheck.contracts import all_feeds
from meanscheck.decisions import Decision
from meanscheck.decisions.explain import cause_text, settle_text
from meanscheck.decisions.explaining import changes, data, evidence_of, explained, page, text
from meanscheck.decisions.explaining.written import ATTRIBUTES_ZH, written
from meanscheck.errors import PackError
from meanscheck.values.data import data_dir
from meanscheck.values.evidence_state import STATE_WORDS

from .office import PACK, Office, law_of_2020, records

TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]*")
DIGEST = re.compile(r"\b[0-9a-f]{16}\b")
TAG = re.compile(r"<[^>]*>")
LATIN = re.compile(
    r"[A-Z]\d*"  # persons of an application
    r"|(U|R|SQ)\d+(-\d+)?"  # cases, requests and applications
    r"|[\w-]+\.(csv|xlsx|parquet|txt|zip|jsonl)"  # files
    r"|SCPI"  # an index under its own name
    r"|replay"  # a command
)
CASES = 40
DAYS = (date(2016, 6, 30), date(2020, 6, 30), date(2024, 6, 30), date(2026, 1, 31))
PLACES = sorted(p.parent.relative_to(data_dir("rules")).as_posix() for p in data_dir("rules").rglob("pack.toml"))


def codes(told: str) -> set[str]:
    """Latin words that are not among those that may stand there."""
    plain = DIGEST.sub(" ", unescape(TAG.sub(" ", told)))
    return {token for token in TOKEN.findall(plain) if not LATIN.fullmatch(token)}


def laws_of(place: str) -> Iterator[Law]:
    pack = RulePack.load(Path("rules") / place)
    for day in DAYS:
        try:
            yield pack.on(day)
        except PackError:
            continue


def test_codes_are_found_and_what_must_be_latin_is_none() -> None:
    assert codes("✓ A 计入（head） · <td>no_answer</td> bank_deposits:0123456789abcdef") == {
        "head",
        "no_answer",
        "bank_deposits:",
    }
    assert not codes("U0000000001 S1 tax_income-000.parquet 第 3 行 0123456789abcdef 年龄 &lt; 18")


def test_no_code_stands_in_a_chinese_decision(messy: Office) -> None:
    seen = set()
    for record in records(messy.result):
        decision = Decision(dict(record), messy.law)
        seen |= {ruling.outcome for ruling in decision}
        assert not codes(decision.explain("zh")), decision.case_id
    assert seen == {"eligible", "ineligible", "refer"}


def test_no_code_stands_in_a_chinese_explanation_down_to_rows(messy: Office) -> None:
    turned = 0
    every = records(messy.result)
    for record in every[:: len(every) // CASES]:
        decision = Decision(dict(record), messy.law)
        evidence = evidence_of(messy.store, decision)
        found = changes(evidence)
        turned += len(found)
        tree = explained(decision, evidence, changes=found)
        assert not codes(text(tree, messy.law, "zh")), decision.case_id
        assert not codes(page(tree, messy.law, "zh")), decision.case_id
    assert turned


def test_no_code_stands_in_a_chinese_report_nor_in_its_discrepancies(messy: Office) -> None:
    numbers = messy.store.fetch("select request_no from requests order by all").to_series().to_list()
    states, differing = set(), 0
    for number in numbers[:: len(numbers) // CASES]:
        report = check(messy.store, number, law=messy.law)
        states |= {item.state for item in report.items}
        differing += len(report.discrepancies or ())
        assert not codes(report.text("zh")), number
    assert differing and len(states) > 1


def test_no_code_stands_in_a_chinese_summary_and_its_figures_are_those_of_the_english(messy: Office) -> None:
    result = messy.result
    chinese, english = (result.summary(language).replace(result.batch_id, "") for language in ("zh", "en"))
    assert not codes(chinese)
    for one, other in zip(chinese.splitlines(), english.splitlines(), strict=True):
        assert re.findall(r"\d[\d.]*", one) == re.findall(r"\d[\d.]*", other), one
    assert "最低生活保障：符合条件" in chinese and "只等这一项的" in chinese


def test_a_program_gets_the_names_as_well(messy: Office) -> None:
    """Codes stay where they are looked up by: the JSON of a tree, and the English text."""
    record = records(messy.result)[0]
    decision = Decision(dict(record), messy.law)
    tree = explained(decision, evidence_of(messy.store, decision))
    members = [c for c in data(tree, messy.law)["children"] if c["kind"] == "member"]
    assert members[0]["value"] == "head"
    assert "（户主）" in text(tree, messy.law, "zh") and "（head）" in text(tree, messy.law, "en")
    assert "dibao.standard" in text(tree, messy.law, "en")


@pytest.mark.parametrize("place", PLACES)
def test_every_rule_of_a_pack_reads_in_chinese(place: str) -> None:
    found: dict[str, str] = {}

    def look(told: Iterable[str]) -> None:
        found.update({code: one for one in told for code in codes(one)})

    for law in laws_of(place):
        look(p.label_zh for p in law.parameters.values())
        look(v.label_zh for v in law.variables.values())
        look(c.label_zh for c in law.conflicts.values())
        look(t.label_zh for p in law.programmes for t in p.tests)
        look(p.label_zh for p in law.programmes)
        nodes = [node for tree in law.trees for node in tree.walk()]
        # A choice on its own has no column whose labels are its own: it is told with what it is held against.
        look(written(law, node, "zh") for node in nodes if node.op != "text")
        missing = {f"formula:{node.args[0]}" for node in nodes if node.op == "unknown"}
        look(cause_text(cause, "zh", law) for cause in missing)
        look(explained_place(law))
    assert not found


def explained_place(law: Law) -> list[str]:
    """The name of the place as an explanation has it."""
    groups: dict[str, dict[str, Any]] = {
        "subject": {"case": ""},
        "result": {"household": [], "members": []},
        "reasons": {},
    }
    return [explained(Decision(groups, law)).label_zh]


def test_every_cause_reads_in_chinese() -> None:
    law = law_of_2020()
    causes = [f"{state}:{feed}" for state in (*STATE_WORDS[1:], "not_covered", "unreviewed") for feed in all_feeds()]
    causes += [f"{kind}:{feed}" for kind in ("no_rows", "ambiguous") for feed in (*all_feeds(), "members")]
    causes += [f"{kind}:{p}" for kind in ("parameter", "no_band", "no_month", "no_place") for p in law.parameters]
    causes += [f"{kind}:{p.id}" for kind in ("outcome", "yields") for p in law.programmes]
    causes += [f"conflict:{kind}" for kind in law.conflicts] + ["division_by_zero:"]
    causes += [f"unknown:{name}" for name in ATTRIBUTES_ZH]
    causes += [f"unknown:{feed.name}.{c.name}" for feed in all_feeds().values() for c in feed.columns if c.in_formulas]
    told = {c: codes(cause_text(c, "zh", law) + settle_text(c, "zh", law)) for c in causes}
    assert not {c: found for c, found in told.items() if found}
    assert RulePack.load(PACK).on(law.on) == law
