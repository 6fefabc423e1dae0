"""A change that is said to turn an outcome does, and one fen or row less does not: by the plain executor, on rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanscheck import RulePack
from meanscheck.contracts.units import VERDICT_DROPPED, CaseUnit, FeedFacts, PersonFacts, Value
from meanscheck.law import Law
from meanscheck.law.counterfactuals import SCHEMA, counterfactuals
from meanscheck.law.kleene import all_of
from meanscheck.law.plain import PlainRun
from meanscheck.law.plain_rows import At, truth
from meanscheck.law.tree import Node

from .comparing import vector_run
from .packs import PackText
from .test_agreement import Situation, steady

PACK = "rules/cn/guangdong/jiangmen"
DAY = date(2020, 6, 30)
Line = dict[str, Any]


@pytest.fixture(scope="module")
def jiangmen() -> Law:
    return RulePack.load(PACK).on(DAY)


# ---- the change by hand, on plain rows


def sums_of(law: Law, feed: str, column: str) -> Iterator[Node]:
    """Aggregates that add up a column (or count rows) of a feed."""
    for tree in law.trees:
        for node in tree.walk():
            if node.op == "agg" and node.args[1] == feed and node.args[0] == ("sum" if column else "count"):
                element = node.args[2]
                if (element.args[1] if isinstance(element, Node) and element.op == "col" else "") == column:
                    yield node


def counted_rows(run: PlainRun, node: Node, person: int) -> list[int]:
    rows = []
    for number, row in enumerate(run.rows_of(At(person), str(node.args[1]))):
        holds = run.membership(row, bool(node.args[5]))
        if isinstance(node.args[3], Node) and holds is not False:
            holds = all_of((holds, truth(run.value(node.args[3], At(person, row)))))
        if holds:
            rows.append(number)
    return rows


def changed(unit: CaseUnit, line: Line, rows: Sequence[int], by: int) -> CaseUnit:
    """The unit with the counted rows of one person changed by shares of what they are; or the first ones dropped."""
    feed, _, column = line["fact"].partition(".")
    index = next(i for i, p in enumerate(unit.persons) if p.attributes["id"] == line["person"] and p.role == "member")
    person = unit.persons[index]
    facts = person.feed(feed)
    new: list[dict[str, Value]] = [dict(row) for row in facts.rows]
    running = 0
    for place, number in enumerate(rows):
        if not column:
            if place < -by:
                new[number]["verdict"] = VERDICT_DROPPED
            continue
        amount = new[number][column]
        assert isinstance(amount, int)
        share = abs(by) * (running + amount) // line["from"] - abs(by) * running // line["from"]
        running += amount
        new[number][column] = amount + share * (1 if by > 0 else -1)
    persons = list(unit.persons)
    persons[index] = replace(person, feeds={**person.feeds, feed: replace(facts, rows=tuple(new))})
    return replace(unit, persons=tuple(persons))


def outcome_of(law: Law, unit: CaseUnit, line: Line) -> str:
    run = PlainRun(law, unit)
    member = line["member"]
    person = None if member is None else next(m for m in run.members if unit.persons[m].attributes["id"] == member)
    return run.outcome(line["programme"], person).outcome


def holds_up(law: Law, unit: CaseUnit, line: Line) -> bool:
    """Whether some sum of the law over that fact bears the change out."""
    feed, _, column = line["fact"].partition(".")
    run = PlainRun(law, unit)
    index = next(i for i, p in enumerate(unit.persons) if p.attributes["id"] == line["person"] and p.role == "member")
    step = 1 if line["change"] > 0 else -1
    for node in sums_of(law, feed, column):
        if run.value(node, At(index)) != line["from"]:
            continue
        rows = counted_rows(run, node, index)
        after = outcome_of(law, changed(unit, line, rows, line["change"]), line)
        barely = outcome_of(law, changed(unit, line, rows, line["change"] - step), line)
        if after == line["turns_to"] != barely:
            return True
    return False


def all_hold_up(law: Law, units: Sequence[CaseUnit]) -> list[Line]:
    frame = counterfactuals(vector_run(law, units))
    assert frame.schema == SCHEMA
    by_name = {unit.case_id: unit for unit in units}
    lines = frame.to_dicts()
    for line in lines:
        unit = by_name[line["case_id"]]
        assert line["to"] - line["from"] == line["change"] != 0
        assert outcome_of(law, unit, line) == {"eligible": "ineligible", "ineligible": "eligible"}[line["turns_to"]]
        assert holds_up(law, unit, line), line
    assert len({(x["case_id"], x["programme"], x["member"]) for x in lines}) == len(lines)
    return lines


# ---- random laws whose tests are about amounts, and households near their limits

SUMS = (
    "sum(d.balance for d in bank_deposits)",
    "sum(p.amount for p in public_payroll)",
    'sum(p.amount for p in pensions_paid if p.kind == "employee_pension")',
    "sum(w.balance for w in wallets)",
)
TOTALS = (
    "{0} + {1}",
    "greatest({0}, {1})",
    "{0} + {1} - {2}",
    "({0} if lives_together else {1}) + {2}",
    "least({0}, {1})",
)
HOME_TESTS = (
    "sum(m.total for m in members) < p.money",
    "sum(m.total for m in members) / size <= p.money",
    "home_total <= p.money * size * p.ratio",
    "greatest(0, home_total) / (size + 1) < p.money",
    "home_total >= p.money",
    "home_total > p.money or count(v for v in vehicles) > 1",
    "count(v for v in vehicles) == 0",
    "count(v for v in vehicles) <= 1 or home_total < 1 * p.money",
    "sum(w.balance for w in bank_deposits) <= p.money",
)
OWN_TESTS = ("total < p.money", "total * p.ratio <= p.money", "count(v for v in vehicles) <= 1", "total > p.money / 2")
AMOUNTS = (0, 1, 2, 20_000, 28_500, 35_625, 56_999, 57_000, 57_001, 91_200, 114_000, 200_000)


@st.composite
def about_amounts(draw: st.DrawFn) -> Situation:
    """A law of two programmes, one of which takes precedence, and households with a few rows each."""
    pick = st.sampled_from
    pack = PackText()
    chosen = [draw(pick(SUMS)) for _ in range(3)]
    pack.variable("total", "member", "money", draw(pick(TOTALS)).format(*chosen))
    pack.variable("home_total", "household", "money", "sum(m.total for m in members)")
    pack.programme("first", "member", draw(pick(OWN_TESTS)))
    when = draw(pick(("all members", "any member")))
    second = f'\n[[programme.test]]\nid = "other"\n{pack.revision("programme.test", draw(pick(HOME_TESTS)))}'
    yields = f'yields_to = [{{ programme = "first", when = "{when}" }}]' if draw(st.booleans()) else ""
    pack.programme("home", "household", draw(pick(HOME_TESTS)), more=yields)
    pack.rules[-1] += second
    with TemporaryDirectory() as folder:
        law = pack.law(Path(folder))
    rows = st.lists(pick(AMOUNTS), max_size=3)

    def facts(number: int) -> PersonFacts:
        feeds: dict[str, list[dict[str, Value]]] = {
            "bank_deposits": [{"balance": a} for a in draw(rows)],
            "public_payroll": [{"amount": a} for a in draw(rows)],
            "pensions_paid": [{"kind": "employee_pension", "amount": a} for a in draw(rows)],
            "wallets": [{"balance": a} for a in draw(rows)],
            "vehicles": [{} for _ in draw(rows)],
        }
        attributes: dict[str, Value] = {
            "id": "ABC"[number],
            "lives_together": draw(st.booleans()) or number == 0,
            "born_on": date(1980, 1, 1),
        }
        return PersonFacts("member", attributes, {f: FeedFacts(rows=tuple(r)) for f, r in feeds.items()})

    units = [
        CaseUnit(f"c{n}", {"residence": "urban"}, tuple(facts(i) for i in range(draw(st.integers(1, 3)))), unit=n)
        for n in range(6)
    ]
    return Situation(law, units, pack.files["rules.toml"])


FOUND: Counter[tuple[str, str]] = Counter()


@settings(steady, max_examples=60)
@given(about_amounts())
def test_changes_turn_outcomes_of_laws_about_amounts(situation: Situation) -> None:
    for line in all_hold_up(situation.law, situation.units):
        FOUND[line["turns_to"], line["unit"]] += 1


def test_such_laws_have_changes_of_every_kind() -> None:
    assert {("eligible", "fen"), ("eligible", "rows"), ("ineligible", "fen")} == set(FOUND)


# ---- Jiangmen, by hand


def household(*people: PersonFacts, **said: Value) -> CaseUnit:
    attributes: dict[str, Value] = {"residence": "urban", "division": "440703", "applied_on": date(2020, 6, 10)}
    return CaseUnit("one", {**attributes, "reference_day": DAY, **said}, people)


def person(
    name: str, relation: str = "head", born: date = date(1980, 1, 1), **feeds: list[dict[str, Value]]
) -> PersonFacts:
    attributes: dict[str, Value] = {
        "id": name,
        "relation": relation,
        "sex": "male",
        "born_on": born,
        "lives_together": True,
        "can_live_independently": True,
        "hukou_division": "440703",
        "is_excused_from_work": True,
    }
    return PersonFacts("member", attributes, {f: FeedFacts(rows=tuple(rows)) for f, rows in feeds.items()})


def pensions(fen: int) -> list[dict[str, Value]]:
    months = [date(2019, 12, 1), *(date(2020, m, 1) for m in range(1, 6))]
    return [{"month": m, "kind": "employee_pension", "amount": fen, "central_part": 0} for m in months]


def lines_of(law: Law, unit: CaseUnit, programme: str = "dibao") -> list[Line]:
    return [line for line in all_hold_up(law, [unit]) if line["programme"] == programme]


def test_income_must_fall_below_the_standard(jiangmen: Law) -> None:
    """983.20 a month against 900.00 (2020-03-30): below it is 5 399.99 in six months, 499.21 under 5 899.20."""
    (line,) = lines_of(jiangmen, household(person("A", pensions_paid=pensions(98_320))))
    assert line["turns_to"] == "eligible" and line["test"] == "income" and line["fact"] == "pensions_paid.amount"
    assert (line["from"], line["to"], line["change"], line["months"]) == (589_920, 539_999, -49_921, 6)
    assert line["cite"] == ["cn-649#9"]


def test_deposits_must_fall_to_the_limit(jiangmen: Law) -> None:
    """24 months of 900.00 for one head: 21 600.00 is still within."""
    unit = household(person("A", bank_deposits=[{"bank_code": "B", "account_token": "1", "balance": 2_160_001}]))
    (line,) = lines_of(jiangmen, unit)
    assert (line["fact"], line["from"], line["to"], line["unit"]) == (
        "bank_deposits.balance",
        2_160_001,
        2_160_000,
        "fen",
    )


def test_one_dwelling_fewer(jiangmen: Law) -> None:
    """Two dwellings that the office has confirmed, where one is allowed."""
    rights: list[dict[str, Value]] = [
        {
            "right_token": t,
            "use": "residential",
            "status": "owned",
            "condition": "normal",
            "share": 1_000_000,
            "verdict": 1,
        }
        for t in ("R1", "R2")
    ]
    (line,) = lines_of(jiangmen, household(person("A", real_estate=rights)))
    assert (line["test"], line["fact"], line["from"], line["to"], line["change"], line["unit"]) == (
        "dwellings",
        "real_estate",
        2,
        1,
        -1,
        "rows",
    )


def test_the_nearest_test_ends_what_is_held(jiangmen: Law) -> None:
    """3 120.00 more in six months reach the standard; deposits of 21 000.00 lack 600.01 to their limit."""
    deposits: list[dict[str, Value]] = [{"bank_code": "B", "account_token": "1", "balance": 2_100_000}]
    unit = household(person("A", pensions_paid=pensions(38_000), bank_deposits=deposits))
    (line,) = lines_of(jiangmen, unit)
    assert (line["turns_to"], line["test"], line["change"]) == ("ineligible", "financial_assets", 60_001)


def test_two_tests_that_fail_have_no_single_change(jiangmen: Law) -> None:
    deposits: list[dict[str, Value]] = [{"bank_code": "B", "account_token": "1", "balance": 2_160_001}]
    assert not lines_of(jiangmen, household(person("A", pensions_paid=pensions(98_320), bank_deposits=deposits)))


def test_no_change_helps_where_another_programme_takes_precedence(jiangmen: Law) -> None:
    """An old person alone with 983.20: were it below 900.00 he would be 特困, which takes precedence over 低保."""
    unit = household(person("A", born=date(1950, 1, 1), pensions_paid=pensions(98_320)))
    assert not lines_of(jiangmen, unit)
    (line,) = lines_of(jiangmen, unit, "tekun")
    assert (line["member"], line["turns_to"], line["change"]) == ("A", "eligible", -49_921)


def test_an_unknown_household_has_none(jiangmen: Law) -> None:
    unit = household(person("A", pensions_paid=pensions(98_320)), residence=None)
    assert not lines_of(jiangmen, unit)
