"""What is part of the rule language, and what a writer is told about the rest: file, key, column, reason and mend."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meanscheck.errors import InputError, PackError
from meanscheck.law import Law
from meanscheck.law.check import (
    MAX_DEPTH,
    MAX_LENGTH,
    WORDS,
    ParameterSignature,
    Scope,
    VariableSignature,
    check_formula,
)
from meanscheck.law.names import attribute_types, feed_types
from meanscheck.law.tree import Node, from_json, to_json
from meanscheck.law.types import AREA, BOOL, DATE, MONEY, MONTH, NUMBER, RATIO, TEXT, UNITS, Type

from .choosing import Seeded
from .laws import PackWriter, law_of

PER_MONTH = UNITS["money/month"]
SCOPE = Scope(
    feeds=feed_types(),
    attributes=attribute_types(),
    parameters={
        "income.window": ParameterSignature(MONTH),
        "dibao.standard": ParameterSignature(PER_MONTH, 1),
        "limit.by_class": ParameterSignature(MONEY, 2),
        "deposit.limit": ParameterSignature(MONEY),
        "share": ParameterSignature(RATIO),
        "old_age": ParameterSignature(NUMBER),
        "living.area": ParameterSignature(AREA),
        "is_open": ParameterSignature(BOOL),
        "second.ratio": ParameterSignature(RATIO, 1, ("band:money",)),
        "group.ratio": ParameterSignature(RATIO, 2, ("class", "band:money")),
        "limit.by_size": ParameterSignature(MONEY, 1, ("band:number",)),
        "cpi": ParameterSignature(RATIO, 1, ("month",)),
    },
    variables={
        "size": VariableSignature("household", NUMBER),
        "household_income": VariableSignature("household", MONEY),
        "is_member": VariableSignature("member", BOOL),
        "pension": VariableSignature("member", MONEY),
        "kind_of_member": VariableSignature("member", Type("text", choices=frozenset({"old", "young"}))),
        "support_due": VariableSignature("supporter", MONEY),
    },
    programmes={"dibao": "household", "tekun": "member"},
)
WHERE = "rules/x/rules.toml: variable v 2020-01-01"


def checked(formula: str, entity: str = "household") -> Node:
    return check_formula(formula, entity=entity, scope=SCOPE, where=WHERE)


@pytest.mark.parametrize(
    ("formula", "entity", "t"),
    [
        ("household_income / (income.window * size) < dibao.standard[household.residence]", "household", "bool"),
        ("household_income / income.window", "household", "exact money/month"),
        ("deposit.limit * share", "household", "exact money"),
        ("deposit.limit * size", "household", "money"),
        ("pension * 2 - 0", "member", "money"),
        ('round_to(pension * share, "10 yuan", "half_even")', "member", "money"),
        ("share - share", "household", "ratio"),
        ("share - size", "household", "exact number"),
        ("living.area / size >= living.area", "household", "bool"),
        ("age(born_on) >= old_age", "member", "bool"),
        ("months_between(born_on, on)", "member", "month"),
        ('first_known(pension, deposit.limit, "cn-649#9")', "member", "money"),
        ('relation in {"head", "spouse"}', "member", "bool"),
        ("dibao.standard[residence] if is_open else 0", "household", "money/month"),
        ('limit.by_class["car", size]', "household", "money"),
        ("sum(b.balance for b in bank_deposits)", "household", "money"),
        ("sum(m.pension for m in members if m.relation != household.residence)", "household", "money"),
        ("count(m for m in members)", "household", "number"),
        ("sum(s.support_due for s in supporters)", "member", "money"),
        ("any(s.income > 0 for s in supporters)", "household", "bool"),
        ("highest(s.assessed_on for s in self_care_assessments)", "member", "date"),
        ("latest((s.items_failed for s in self_care_assessments), by=s.assessed_on)", "member", "number"),
        ('any(r["from"] <= on for r in relief_status)', "member", "bool"),
        ("any(is_confirmed(v) for v in vehicles)", "member", "bool"),
        ('holds("tekun", on)', "supporter", "bool"),
        ('outcome(dibao) == "eligible"', "member", "bool"),
        ("0 < pension <= deposit.limit", "member", "bool"),
        ("\n  pension\n", "member", "money"),
        ("(pension\n + pension)", "member", "money"),
        ("limit.by_size[size]", "household", "money"),
        ("limit.by_size[size / 2]", "household", "money"),
        ("second.ratio[household_income * share]", "household", "ratio"),
        ("slices(household_income, second.ratio)", "household", "exact money"),
        ("slices(pension / 2, group.ratio[relation])", "member", "exact money"),
        ("cpi[month_back(applied_on, old_age)]", "household", "ratio"),
        ("sum(t.amount for t in tax_income if cpi[t.month] > 0)", "member", "money"),
        ("month_back(on, income.window)", "household", "date"),
        ("streak((cpi[m] >= share for m in months), 2)", "household", "bool"),
        ("streak((within(m, income.window, before=applied_on) for m in months), old_age)", "household", "bool"),
        ("at(household.division, dibao.standard[residence])", "member", "money/month"),
        ("sum(at(s.division_code, deposit.limit) for s in supporters)", "member", "money"),
    ],
)
def test_a_formula_of_the_language_has_its_type(formula: str, entity: str, t: str) -> None:
    assert str(checked(formula, entity).type) == t


@pytest.mark.parametrize(
    ("formula", "entity", "reason", "remedy"),
    [
        # names
        ("household_incom > 0", "household", "unknown name household_incom", "Did you mean household_income?"),
        ("pension > 0", "household", "pension belongs to a member", ""),
        ("deposit.limits > 0", "household", "unknown name deposit.limits", "Did you mean deposit.limit?"),
        ("dibao.standard > 0", "household", "parameter dibao.standard is a table", "dibao.standard[…]"),
        ("sum(b.balanse for b in bank_deposits)", "member", "no column balanse", "Did you mean balance?"),
        ("sum(b.balance for b in bank_deposit)", "member", "no feed bank_deposit", "Did you mean bank_deposits?"),
        ("sum(m.wage for m in members)", "household", "members have nothing called wage", ""),
        ("summe(b.balance for b in bank_deposits)", "member", "no function summe", "Did you mean sum?"),
        ("outcome(dibau)", "household", "no such programme", "Did you mean dibao?"),
        ('outcome(tekun) == "eligible"', "household", "decides members", ""),
        ('relation == "uncle"', "member", "'uncle' is not one of the declared words", "Use one of"),
        ('relation == "spose"', "member", "'spose' is not one of the declared words", "Did you mean 'spouse'?"),
        ('relation in {"head", "spose"}', "member", "'spose' is not one of the declared words", ""),
        ('outcome(dibao) == "refer"', "household", "'refer' is not one of the declared words", ""),
        ('holds("dibau", on)', "member", "'dibau' is not one of the declared words", ""),
        ("household_income[residence]", "household", "is not a parameter", ""),
        ("limit.by_class[residence]", "household", "takes 2 keys, not 1", ""),
        ("deposit.limit[residence]", "household", "takes 0 keys, not 1", ""),
        ("limit.by_class[residence, share]", "household", "must be a text or a whole number", ""),
        # types and dimensions
        (
            "household_income < dibao.standard[residence]",
            "household",
            "comparison of money and money/month",
            "Divide the left side by a number of months, such as income.window, or multiply the right side by it",
        ),
        (
            "dibao.standard[residence] >= household_income",
            "household",
            "comparison of money/month and money",
            "Divide the right side by a number of months, such as income.window, or multiply the left side by it",
        ),
        (
            "least(0, deposit.limit, dibao.standard[residence])",
            "household",
            "least of number and money and money/month",
            "Divide value 2 by a number of months",
        ),
        ("household_income + size", "household", "sum of money and number", "Divide the left side by an amount"),
        (
            "living.area > deposit.limit",
            "household",
            "comparison of area and money",
            "Bring both to the same unit first: the left side is area, the right side money",
        ),
        # tables
        ("limit.by_size[residence]", "household", "a table by band:number, looked up by number, not text", ""),
        ("limit.by_size[household_income]", "household", "looked up by number, not money", ""),
        ("cpi[size]", "household", "a table by month, not by number", "cpi[month_back(on, 1)]"),
        ("second.ratio > 0", "household", "parameter second.ratio is a table", "second.ratio[…]"),
        ("slices(household_income, share) > 0", "household", "not a ratio by one band of money", "band:money"),
        ("slices(household_income, limit.by_size) > 0", "household", "not a ratio by one band of money", ""),
        (
            "slices(household_income, group.ratio) > 0",
            "household",
            "parameter group.ratio is a table",
            "group.ratio[…]",
        ),
        ('slices(household_income, group.ratio["a", "b"]) > 0', "household", "takes 1 keys, not 2", ""),
        ("slices(size, second.ratio) > 0", "household", "only an amount has slices, not number", ""),
        ("slices(second.ratio) > 0", "household", "wrong number of arguments, 1", "slices(x, table)"),
        ("at(size, share) > 0", "household", "a place is a division code, not number", ""),
        ("at(division, household_income) > 0", "household", "household_income is not a parameter", ""),
        ("at(division, second.ratio) > 0", "household", "parameter second.ratio is a table", ""),
        ("at(division, share[residence]) > 0", "household", "takes 0 keys, not 1", ""),
        ("month_back(size, 1) <= on", "household", "a day or month is wanted here, not number", ""),
        ("month_back(on, size) <= on", "household", "a number of months is 0, 1, 2 or a parameter", "parameter"),
        ("month_back(on, share) <= on", "household", "a number of months is 0, 1, 2 or a parameter", ""),
        ("month_back(on, deposit.limit) <= on", "household", "a number of months is 0, 1, 2 or a parameter", ""),
        ("streak(cpi[m] > 0 for m in months, 2)", "household", "not an expression", "stands in parentheses: streak(("),
        ("streak(is_open, 2)", "household", "streak wants one condition", "streak(("),
        ("streak((cpi[m] > 0 for m in members), 2)", "household", "streak wants one condition", "streak(("),
        ("streak((cpi[m] > 0 for m in months if is_open), 2)", "household", "streak wants one condition", ""),
        ("streak((m for m in months), 2)", "household", "a yes/no is wanted here, not date", ""),
        ("streak((cpi[m.month] > 0 for m in months), 2)", "household", "a month has no columns", ""),
        ("streak((any(is_open for p in members) for m in months), 2)", "household", "aggregates do not nest", ""),
        ("any(streak((is_open for m in months), 2) for p in members)", "household", "loops do not nest", "variable"),
        ("any(is_open for m in months)", "household", "any does not loop over months", "streak(("),
        ("streek((is_open for m in months), 2)", "household", "no function streek", "Did you mean streak?"),
        ("household_income if is_open else size", "household", "choice of money and number", ""),
        ("least(deposit.limit, size)", "household", "least of money and number", ""),
        ("on + on", "household", "a number is wanted here, not date", ""),
        ("size and is_open", "household", "a yes/no is wanted here, not number", ""),
        ("residence < division", "household", "texts have no order", "== or !="),
        ("is_open == is_open", "household", "a yes/no is not compared", "the condition itself"),
        ("on == residence", "household", "cannot compare date with text", ""),
        ("residence if is_open else on", "household", "the alternatives differ: text, date", ""),
        ("sum(s.share for s in real_estate) + sum(m.pension * share for m in members)", "household", "exact", "Round"),
        ("sum(b.account_kind for b in bank_deposits)", "member", "sum wants a number, not text", ""),
        ("any(b.balance for b in bank_deposits)", "member", "any wants a yes/no, not money", ""),
        ('round_to(size, "fen", "up")', "household", "only amounts are rounded, not number", ""),
        ('round_to(pension, "cent", "up")', "member", "unknown rounding unit or mode", "10 yuan"),
        ('round_to(pension, "fen", "half_down")', "member", "unknown rounding unit or mode", "half_even"),
        ("age(pension)", "member", "a day or month is wanted here, not money", ""),
        # literals
        ("size > 3", "household", "only 0, 1, 2 and texts are literals", "parameter with a citation"),
        ("pension * 0.5", "member", "a float is not part of the language", "written as text"),
        ("size > 1_000", "household", "only 0, 1, 2 and texts are literals", ""),
        ('residence == "a\\n"', "household", "printable", ""),
        ("None", "household", "only 0, 1, 2 and texts are literals", ""),
        # aggregates
        (
            "sum(sum(b.balance for b in bank_deposits) for m in members)",
            "household",
            "aggregates do not nest",
            "variable",
        ),
        ("any(holds('dibao', x.as_of) for x in vehicles)", "member", "aggregates do not nest", "variable"),
        ("sum(s.income for s in supporters)", "supporter", "supporters of supporters are not considered", ""),
        ("lowest(b.balance for b in bank_deposits)", "household", "belongs to a person", "member variable"),
        ("latest(m.pension for m in members)", "household", "latest wants `by`", ""),
        ("latest((s.items_failed for s in self_care_assessments), by=on)", "member", "`by` is a day of the row", ""),
        ("latest(s.items_failed for s in self_care_assessments)", "member", "latest wants `by`", ""),
        ("sum((b.balance for b in bank_deposits), by=b.as_of)", "member", "sum takes no named arguments", ""),
        ("sum(pension)", "member", "sum wants one generator", "for x in feed"),
        ("sum(b for b in bank_deposits)", "member", "sum wants a value of the row", ""),
        ("count(b.balance for b in bank_deposits)", "member", "count counts rows", "behind `if`"),
        ("any(b > 0 for b in bank_deposits)", "member", "b is a row, not a value", "Name a column"),
        ("sum(b.balance for b in bank_deposits for c in vehicles)", "member", "aggregates do not nest", ""),
        ("is_confirmed(pension)", "member", "is_confirmed asks about a row of a feed", ""),
        # calls
        ("round_to(pension)", "member", "wrong number of arguments", 'round_to(x, "fen", "half_up")'),
        ("least(pension)", "member", "least wants at least two values", ""),
        ("first_known(pension, deposit.limit)", "member", "first_known wants values and a citation", ""),
        ("within(born_on, income.window)", "member", "within wants `before`", "before="),
        ("within(born_on, 2, before=on)", "member", "a window is a parameter in months", ""),
        ("within(born_on, old_age, before=on)", "member", "a window is a parameter in months", ""),
        ("age(born_on, day=on)", "member", "age takes no named arguments", ""),
        ("pension.real()", "member", "only the functions of the language may be called", ""),
        ("holds(relation, on)", "member", "a named programme", ""),
        # not part of the language
        ("pension ** 2", "member", "Pow is not part of the language", "Use + - * /"),
        ("pension // 2", "member", "FloorDiv is not part of the language", ""),
        ("pension % 2", "member", "Mod is not part of the language", ""),
        ("+pension", "member", "this sign is not part of the language", ""),
        ("~size", "household", "this sign is not part of the language", ""),
        ("[pension]", "member", "List is not part of the language", ""),
        ("(lambda: 0)()", "member", "only the functions of the language may be called", ""),
        ("lambda: 0", "member", "Lambda is not part of the language", ""),
        ("(x := pension)", "member", "NamedExpr is not part of the language", ""),
        ("f'{pension}'", "member", "JoinedStr is not part of the language", ""),
        ("[b for b in bank_deposits]", "member", "ListComp is not part of the language", ""),
        ("pension is pension", "member", "Is is not part of the language", ""),
        ('relation not in {"head"}', "member", "NotIn is not part of the language", ""),
        ('relation in ("head", "spouse")', "member", "a set of texts on the right", 'Write x in {"a", "b"}'),
        ('"head" == relation in {"head"}', "member", "`in` stands alone", "Join conditions"),
        ("least(*members, size)", "household", "Starred is not part of the language", ""),
        ("__import__('os')", "household", "no function __import__", ""),
        ("pension.__class__", "member", "unknown name", ""),
        # no expression at all
        ("pension >", "member", "formula is not an expression", "Python expression syntax"),
        ("a = 1", "member", "formula is not an expression", ""),
        ("import os", "member", "formula is not an expression", ""),
        ("0or size", "household", "formula is not an expression", ""),
        ('residence == "\\d"', "household", "formula is not an expression", ""),
        ("", "household", "formula is not an expression", ""),
        ("pension\0", "member", "formula is not an expression", ""),
    ],
)
def test_a_fault_is_named_with_its_place_and_its_mend(formula: str, entity: str, reason: str, remedy: str) -> None:
    with pytest.raises(PackError) as caught:
        checked(formula, entity)
    assert reason in caught.value.what
    assert remedy in caught.value.remedy
    assert caught.value.where.startswith(WHERE)


def test_the_column_is_counted_in_characters() -> None:
    with pytest.raises(PackError, match=r"column 23: unknown name nothing"):
        checked('division == "台山市" and nothing > 0')
    with pytest.raises(PackError, match="line 2, column 4"):
        checked("(size\n > nothing)")


@pytest.mark.parametrize(
    "formula",
    [
        "(" * 500 + "size" + ")" * 500,
        "[" * 1500,
        "-" * 1900 + "size",
        "not " * 490 + "is_open",
        "size" + " + size" * 300,
        "size" + ".a" * 600,
        "1 if is_open else " * 100 + "2",
        "age(" * 41 + "on" + ")" * 41,
        "x" * (MAX_LENGTH + 1),
        "size + (" * 40 + "size" + ")" * 40,
        "lambda:" * 280 + "0",
    ],
)
def test_depth_and_length_are_bounded(formula: str) -> None:
    with pytest.raises(PackError, match=r"nested deeper|longer than|not an expression"):
        checked(formula)


def test_a_formula_at_the_bounds_is_checked() -> None:
    assert MAX_DEPTH == 40
    assert checked("size + (" * 19 + "size" + ")" * 19).type == NUMBER
    assert checked("size" + " " * (MAX_LENGTH - 8) + "+ 1").type == NUMBER


TOKENS = st.sampled_from(
    [
        *sorted(WORDS),
        *SCOPE.parameters,
        *SCOPE.variables,
        *("bank_deposits", "x", "x.balance", "for", "in", "if", "else", "and", "or", "not", "lambda", "await", "yield"),
        *("(", ")", "[", "]", "{", "}", "+", "-", "*", "/", "<", "==", ",", ".", ":", "=", ":=", "**", "@", "'", '"'),
        *(
            "0",
            "1",
            "2",
            "0.5",
            "3",
            '"head"',
            "on",
            "household.residence",
            "\n",
            "\t",
            "\\",
            "é",
            "台",
            "\x00",
            "f'{",
            "}'",
        ),
    ]
)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.lists(TOKENS, max_size=25).map(" ".join), st.sampled_from(["household", "member", "supporter"]))
@example("\ud800", "household")
@example("'\\ud800' == division", "household")
@example("x\u2028+ y", "household")
@example("1" * 1900, "household")
def test_any_text_is_a_tree_or_a_named_fault(text: str, entity: str) -> None:
    try:
        tree = checked(text, entity)
    except PackError as fault:
        assert fault.what and fault.where
    else:
        assert from_json(json.loads(json.dumps(to_json(tree)))) == tree


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(max_size=60))
def test_any_characters_are_a_tree_or_a_named_fault(text: str) -> None:
    test_any_text_is_a_tree_or_a_named_fault.hypothesis.inner_test(text, "member")  # type: ignore[attr-defined]


# ---- the recorded form


@pytest.mark.parametrize("seed", range(20))
def test_a_recorded_law_is_read_back_as_the_same(seed: int, tmp_path: Path) -> None:
    law = law_of(PackWriter(Seeded(seed)).write(), tmp_path)
    for recorded in (law.canonical, law.canonical.decode(), law.to_json(), json.loads(law.canonical)):
        again = Law.from_json(recorded)
        assert again == law and again.digest == law.digest and again.trees == law.trees
        assert again.parameters == law.parameters


def test_equal_files_give_equal_digests_and_others_do_not(tmp_path: Path) -> None:
    files = PackWriter(Seeded(1)).write()
    digests = {law_of(files, tmp_path / str(i)).digest for i in range(2)}
    changed = files | {"pack.toml": files["pack.toml"].replace("An instrument", "Another")}
    assert len(digests) == 1 and law_of(changed, tmp_path / "other").digest not in digests


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.pop("variables"),
        lambda d: d.update(language=99),
        lambda d: d["variables"][0].pop("tree"),
        lambda d: d["variables"][0]["tree"].pop(),
        lambda d: d["variables"][0]["tree"].__setitem__(3, "nowhere"),
        lambda d: d["variables"][0]["tree"].__setitem__(2, None),
        lambda d: d["variables"][0].update(more=1),
        lambda d: d.update(on="yesterday"),
        lambda d: d["parameters"][0].update(table=[[[], "not a figure"]], unit="money", by=[]),
        lambda d: d["programmes"].append(None),
        lambda d: d.update(programmes={}),
    ],
)
def test_a_damaged_record_is_an_input_error(damage: object, tmp_path: Path) -> None:
    data = json.loads(law_of(PackWriter(Seeded(2)).write(), tmp_path).canonical)
    assert callable(damage)
    damage(data)
    with pytest.raises(InputError, match="recorded law"):
        law = Law.from_json(data)
        assert law.programmes == ()
        raise InputError("an empty list of programmes is a law too", where="recorded law")


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b'"law"', b"{", b"\xff", "[" * 100_000])
def test_what_is_no_record_is_an_input_error(text: bytes | str) -> None:
    with pytest.raises(InputError, match="recorded law"):
        Law.from_json(text)


def test_a_type_is_shown_in_words() -> None:
    assert [str(t) for t in (MONEY, PER_MONTH, RATIO, TEXT, DATE, Type("num", (2, -1, -1), "exact"))] == [
        *("money", "money/month", "ratio", "text", "date"),
        "exact money^2/month/area",
    ]
