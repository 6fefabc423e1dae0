"""The tree of a decision: the same whatever it comes from, adding up to the record; told as text, JSON and page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from law.test_agreement import Situation, situations, steady

from meanscheck import Case, Law, RulePack, decide
from meanscheck.decisions import Decision
from meanscheck.decisions.explaining import Explanation, Place, data, evidence_of, explained, page, text
from meanscheck.decisions.explaining.schema import FILE, schema, schema_text
from meanscheck.decisions.tracing import Tracer
from meanscheck.law.cases import load_cases
from meanscheck.values.data import data_dir
from meanscheck.values.money import format_yuan

from .office import PACK, Office, records

THIRTY = load_cases(Path(__file__).parent.parent / "vectors" / "thirty.toml")
CASES = 12


@pytest.fixture(scope="module")
def laws() -> dict[str, Law]:
    pack = RulePack.load(PACK)
    return {c.id: pack.on(c.on, known_by=c.known_by, accept=c.accept, overlay=c.overlay) for c in THIRTY}


def stated(case: Case, law: Law) -> tuple[Decision, Explanation]:
    decision = decide(case, law)
    return decision, explained(decision, Tracer(law, case.unit, is_reduced=True))


def of_kind(tree: Explanation, *kinds: str) -> list[Explanation]:
    return [node for node in tree.walk() if node.kind in kinds]


# ---- the tree


def test_the_tree_is_the_same_live_from_the_vault_and_without_a_projection(messy: Office) -> None:
    for record in records(messy.result)[:CASES]:
        case = str(record["subject"]["case"])
        from_vault = Decision(dict(record), messy.law)
        live = messy.result.decision(case)
        now = explained(live, Tracer.of(messy.store, messy.law, case, is_reduced=True))
        then = explained(from_vault, evidence_of(messy.store, from_vault))
        assert now == then and then.holds is True


def test_tests_are_those_of_the_record_and_what_stands_below_gives_them(messy: Office) -> None:
    figures = 0
    for record in records(messy.result)[:CASES]:
        decision = Decision(dict(record), messy.law)
        tree = explained(decision, evidence_of(messy.store, decision))
        rulings = list(decision)
        assert len(of_kind(tree, "programme")) == len(rulings)
        for node, ruling in zip(of_kind(tree, "programme"), rulings, strict=True):
            tests = [c for c in node.children if c.kind == "test"]
            told = [(t.name, t.holds, t.value, t.limit, t.margin) for t in tests]
            assert told == [tuple(t[k] for k in ("id", "holds", "value", "limit", "margin")) for t in ruling.tests]
            for test in tests:
                if test.value is not None and test.unit == "money" and len(test.children) == 2:
                    assert test.children[0].value == test.value and test.children[1].value == test.limit
                    figures += 1
    assert figures > 5


def test_every_row_of_a_tree_has_a_place_in_a_file_and_of_a_stated_case_a_number(
    messy: Office, laws: dict[str, Law]
) -> None:
    record = records(messy.result)[0]
    decision = Decision(dict(record), messy.law)
    rows = explained(decision, evidence_of(messy.store, decision)).sources()
    assert rows
    for row in rows:
        assert row.place is not None and row.place.file and row.place.line > 0 and row.place.batch and row.place.ref
    _, tree = stated(THIRTY[0], laws[THIRTY[0].id])
    places = [row.place for row in tree.sources()]
    assert Place("pensions_paid", 1) in places


def test_evidence_that_does_not_give_the_record_is_said(laws: dict[str, Law]) -> None:
    case = THIRTY[0]
    law = laws[case.id]
    decision = decide(case, law)
    groups = json.loads(json.dumps(dict(decision.groups)))
    groups["means"]["household"]["household_income"] += 1
    tree = explained(Decision(groups, law), Tracer(law, case.unit, is_reduced=True))
    assert tree.holds is False
    assert "replay" in text(tree, law, "zh") and "another decision" in text(tree, law, "en")


def test_each_person_is_told_with_the_terms_that_decided(laws: dict[str, Law]) -> None:
    """The son of case 06 has been in a monastery for years: that alone is told, and not his age or where he lives."""
    case = next(c for c in THIRTY if c.id.startswith("06-"))
    _, tree = stated(case, laws[case.id])
    away = [n for n in of_kind(tree, "member") if n.holds is False]
    assert len(away) == 1
    deciding = {n.name for n in away[0].walk() if n.kind == "variable"}
    assert deciding == {"is_away"}
    assert "absences" in {n.place.feed for n in away[0].sources() if n.place}


def test_whom_another_relief_counts_is_told_with_its_own_article() -> None:
    """Order 262 counts the mother who lives elsewhere no member; the measure for families on the margin does."""
    folder = data_dir("rules") / "cn" / "guangdong"
    case = next(c for c in load_cases(folder / "membership.cases.toml") if c.id == "margin-counts-a-mother-elsewhere")
    law = RulePack.load(folder).on(case.on, accept=case.accept, overlay=case.overlay)
    _, tree = stated(case, law)
    told = {(n.who, n.name): (n.holds, [c.instrument for c in n.cite]) for n in of_kind(tree, "member")}
    assert told["D", "is_member"] == (False, ["cn-57-2021"])
    assert told["D", "counts_for_margin"] == (True, ["gd-3-2022"])
    assert ("A", "counts_for_margin") not in told
    assert "✓ D 计入（低保边缘家庭、刚性支出困难家庭成员）" in text(tree, law, "zh")


def test_what_is_open_names_the_person_and_what_would_settle_it(laws: dict[str, Law]) -> None:
    case = next(c for c in THIRTY if c.id.startswith("30-"))
    _, tree = stated(case, laws[case.id])
    causes = [n for n in of_kind(tree, "cause") if n.name == "no_answer:tax_income"]
    assert causes and all(n.who for n in causes)
    zh = text(tree, laws[case.id], "zh")
    assert "催办“个人所得税申报信息”的答复" in zh
    assert "remind tax_income of the answer" in text(tree, laws[case.id], "en")


def test_a_margin_over_a_window_is_also_told_by_the_month(laws: dict[str, Law]) -> None:
    """380.00 a month of 900.00: 519.99 more a month would still be below, 3119.99 (= 6 × 520.00 − 0.01) in six."""
    case = THIRTY[0]
    decision, _ = stated(case, laws[case.id])
    income = next(n for n in of_kind(explained(decision), "test") if n.name == "income")
    assert (income.margin, income.months) == (311999, 6)
    assert "6 个月共 3119.99 元（每月≈519.99）" in decision["dibao"].explain("zh")


def test_a_tree_is_cut_at_a_depth(laws: dict[str, Law]) -> None:
    _, tree = stated(THIRTY[3], laws[THIRTY[3].id])
    law = laws[THIRTY[3].id]
    assert not [n for n in tree.cut(2).walk() if n.kind == "row"]
    lengths = [len(text(tree, law, depth=depth).splitlines()) for depth in (1, 2, 3, None)]
    assert lengths == sorted(set(lengths))


# ---- the ways of telling


def test_all_of_the_thirty_are_told_in_both_languages_without_a_word_of_python(laws: dict[str, Law]) -> None:
    for case in THIRTY:
        law = laws[case.id]
        _, tree = stated(case, law)
        for told in (text(tree, law, "zh"), text(tree, law, "en"), page(tree, law, "zh"), page(tree, law, "en")):
            assert "None" not in told and "Fraction" not in told and "True" not in told
        for node in of_kind(tree, "programme", "test", "variable", "figure"):
            assert node.label_zh and node.label


@settings(steady, max_examples=12)
@given(situations())
def test_any_law_over_any_household_is_told(situation: Situation) -> None:
    """Bands, slices, months, places and streaks among them; unknowns of every kind."""
    check = jsonschema.Draft202012Validator(schema())
    for unit in situation.units:
        law = situation.law
        decision = decide(unit, law)
        tree = explained(decision, Tracer(law, unit, is_reduced=True))
        assert tree.holds is True
        check.validate(json.loads(json.dumps(data(tree, law))))
        for language in ("zh", "en"):
            parser = Balanced()
            parser.feed(page(tree, law, language))
            assert not parser.open
            assert len(text(tree, law, language).split("\n\n")) >= len(list(decision))


def test_amounts_of_rows_are_told_in_yuan(laws: dict[str, Law]) -> None:
    case = THIRTY[0]
    _, tree = stated(case, laws[case.id])
    amounts = [row.value for row in tree.sources() if row.unit == "money"]
    assert amounts
    for amount in amounts:
        assert isinstance(amount, int)
        assert format_yuan(amount) in text(tree, laws[case.id], "zh")


def test_json_is_as_its_schema_says(laws: dict[str, Law], messy: Office) -> None:
    check = jsonschema.Draft202012Validator(schema())
    trees = [(stated(c, laws[c.id])[1], laws[c.id]) for c in THIRTY]
    for record in records(messy.result)[:3]:
        decision = Decision(dict(record), messy.law)
        trees.append((explained(decision, evidence_of(messy.store, decision)), messy.law))
    for tree, law in trees:
        value = json.loads(json.dumps(data(tree, law)))
        check.validate(value)
        assert len(list(nodes(value))) == len(list(tree.walk()))


def nodes(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield value
    for child in value["children"]:
        yield from nodes(child)


def test_the_schema_in_the_repository_is_the_one_made() -> None:
    assert (data_dir("schemas") / FILE).read_text(encoding="utf-8") == schema_text()


class Balanced(HTMLParser):
    """Tags must close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_page_is_well_formed_and_has_no_script(language: Any, laws: dict[str, Law]) -> None:
    for case in THIRTY:
        _, tree = stated(case, laws[case.id])
        parser = Balanced()
        parser.feed(page(tree, laws[case.id], language))
        parser.close()
        assert not parser.open
        assert "script" not in parser.seen and {"article", "section", "h2", "cite"} <= parser.seen


def test_a_page_escapes_what_the_household_states(laws: dict[str, Law]) -> None:
    case = THIRTY[0]
    law = laws[case.id]
    _, tree = stated(case, law)
    bad = '<script>alert("x")</script>'

    def spoiled(node: Explanation) -> Explanation:
        place = None if node.place is None else replace(node.place, file=bad, sender=bad)
        children = tuple(map(spoiled, node.children))
        return replace(node, who=bad, label=bad, label_zh=bad, place=place, children=children)

    for language in ("zh", "en"):
        told = page(replace(spoiled(tree), name=bad), law, language)
        assert "<script" not in told and "&lt;script&gt;" in told


def test_a_node_shows_no_value_of_a_person(laws: dict[str, Law]) -> None:
    _, tree = stated(THIRTY[0], laws[THIRTY[0].id])
    row = tree.sources()[0]
    assert str(row.value) not in repr(row)
