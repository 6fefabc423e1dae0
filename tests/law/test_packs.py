"""What is said of a faulty pack when it loads; how folders inherit; how a day and a day of knowledge choose figures."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from meanscheck.errors import PackError
from meanscheck.law import RulePack

from .laws import loaded
from .packs import STANDARD, PackText, figure, revision, sound


def rule(text: str) -> Callable[[PackText], object]:
    return lambda pack: pack.rules.append(text)


FORMULA = 'formula = "0 < p.money"\ncite = ["inst#1"]'
TEST = f'[[programme.test]]\nid = "t"\n[[programme.test.revision]]\nin_force_on = 2010-01-01\n{FORMULA}\n'
VALUE = 'value = "1.00"'


@pytest.mark.parametrize(
    ("change", "where", "reason"),
    [
        # figures
        (
            figure(revision("2020-01-01", "value = 1.5")),
            "parameters.toml: parameter p.x revision 2020-01-01 value",
            "float",
        ),
        (figure(revision("2020-01-01", "value = 15")), "parameters.toml: parameter p.x 2020-01-01", "written as text"),
        (figure(revision("2020-01-01", 'value = "1.234"')), "parameter p.x 2020-01-01", "at most two decimals"),
        (figure(revision("2020-01-01", 'value = "100000000000.01"')), "parameter p.x 2020-01-01", "beyond 10^13 fen"),
        (figure(revision("2020-01-01", 'value = { a = "1.00" }')), "parameter p.x", "a single figure is wanted"),
        (figure(revision("2020-01-01", VALUE), head=STANDARD), "parameter standard", "a table by residence is wanted"),
        (figure(revision("2020-01-01", "value = { urban = 1.5 }"), head=STANDARD), "parameter standard", "float"),
        (figure(revision("2020-01-01", "")), "parameter p.x 2020-01-01", "neither a content nor `unknown`"),
        (
            figure(revision("2020-01-01", VALUE, 'unknown = "not found"')),
            "parameter p.x",
            "both a content and `unknown`",
        ),
        (figure(head='[[parameter]]\nid = "p.x"\nunit = "dollar"\n'), "parameter p.x unit", "unknown unit"),
        (figure(head='[[parameter]]\nid = "p.x"\n'), "parameter p.x", "required key unit is missing"),
        (figure(head='[[parameter]]\nid = "p.x"\nunit = "money"\nvalues = 1\n'), "p.x values", "unknown key"),
        (figure(head='[[parameter]]\nid = "p.money"\nunit = "money"\n'), "parameter p.money", "defined twice"),
        (figure(head='[[parameter]]\nid = "p.for"\nunit = "money"\n'), "parameter p.for", "not a usable id"),
        (figure(head='[[parameter]]\nid = "p x"\nunit = "money"\n'), "parameter p x", "not a usable id"),
        (
            figure(revision("2020-01-01", "value = 1201"), head='[[parameter]]\nid = "p.x"\nunit = "month"\n'),
            "parameter p.x",
            "months from 0 to 1200",
        ),
        (
            figure(revision("2020-01-01", 'value = "1/3"'), head='[[parameter]]\nid = "p.x"\nunit = "ratio"\n'),
            "parameter p.x",
            "more decimals than a ratio can hold",
        ),
        (
            figure(
                revision("2020-01-01", "value = 3"), head='[[parameter]]\nid = "evidence.freshness"\nunit = "month"\n'
            ),
            "evidence.freshness",
            "a number of months by feed",
        ),
        # revisions
        (figure(revision("2020-01-01", VALUE, cite="")), "p.x 2020-01-01", "citation is missing"),
        (figure(revision("2020-01-01", VALUE, cite="cite = []")), "parameter p.x 2020-01-01", "citation is missing"),
        (figure(revision("2020-01-01", VALUE, cite='cite = ["gone#1"]')), "p.x 2020-01-01", "unknown instrument gone"),
        (
            figure(revision("2020-01-01", VALUE, 'status = "rumour"')),
            "p.x revision 2020-01-01 status",
            "Input should be",
        ),
        (figure(revision("2020-01-01", VALUE, "ends_on = 2019-01-01")), "p.x 2020-01-01", "ends before it begins"),
        (figure(revision("2020-01-01", VALUE) * 2), "parameter p.x", "two revisions of 2020-01-01"),
        (
            figure(revision("2020-01-01", VALUE, "ends_on = 2020-06-30"), revision("2020-06-30", VALUE)),
            "parameter p.x",
            "revisions of 2020-01-01 and 2020-06-30 overlap",
        ),
        (
            figure(revision("2020-01-01", VALUE, "ends_on = 2020-06-30"), revision("2020-07-02", VALUE)),
            "parameter p.x",
            "a gap between 2020-06-30 and 2020-07-02",
        ),
        # rules
        (
            lambda p: p.variable("v", "household", "money", "incom"),
            "variable v 2010-01-01, column 1",
            "unknown name incom",
        ),
        (
            lambda p: p.variable("v", "household", "money/month", "income"),
            "variable v",
            "gives money, declared is money/month",
        ),
        (
            lambda p: p.variable("v", "household", "money", "income / 2"),
            "variable v",
            "exact quotient cannot be stored",
        ),
        (lambda p: p.variable("v", "household", "number", "p.ratio"), "variable v", "gives ratio, declared is number"),
        (
            lambda p: p.variable("v", "household", "text", "residence", 'choices = ["urban"]'),
            "variable v",
            "declared is text",
        ),
        (lambda p: p.variable("v", "person", "money", "income"), "variable v entity", "Input should be"),
        (lambda p: p.variable("size", "household", "number", "2"), "variable size", "not a usable id"),
        (lambda p: p.variable("is_member", "member", "bool", "1 < 2"), "variable is_member", "defined twice"),
        (lambda p: p.variable("v", "household", "money", "v + income"), "on 2010-01-01", "a cycle: v → v"),
        (
            lambda p: p.variable("a", "household", "money", "b").variable("b", "household", "money", "a"),
            "on 2010-01-01",
            "a cycle: a → b → a",
        ),
        (
            lambda p: p.variable("v", "household", "number", "count(x for x in t_income)"),
            "variable v",
            "no feed t_income",
        ),
        (rule('[[variable]]\nid = "v"\nentity = "household"\n'), "variable v", "required key unit is missing"),
        (rule('[[variable]]\nid = "v"\nunit = "money"\n'), "variable v", "required key entity is missing"),
        (rule(f'[[programme]]\nid = "p"\n{TEST}'), "programme p", "required key entity is missing"),
        (rule(f'[[programme]]\nid = "p"\nentity = "supporter"\n{TEST}'), "programme p entity", "Input should be"),
        (
            lambda p: p.programme("p", "household", "0 < income", 'members = "income"'),
            "programme p",
            "members: income is no yes/no of a member",
        ),
        (lambda p: p.programme("p", "household", "income"), "programme p, test only", "gives money, declared is bool"),
        (lambda p: p.programme("p", "member", "is_member", award="income"), "p, award", "declared is money/month"),
        (
            lambda p: p.programme(
                "p", "household", "0 < income", 'yields_to = [{ programme = "q", when = "any member" }]'
            ),
            "programme p",
            "yields to an unknown programme q",
        ),
        (
            lambda p: p.programme(
                "p", "household", "0 < income", 'yields_to = [{ programme = "dibao", when = "always" }]'
            ),
            "programme p yields_to",
            "Input should be",
        ),
        (
            lambda p: p.programme("m", "member", "is_member").programme(
                "p", "household", "0 < income", 'yields_to = [{ programme = "m", when = "this member" }]'
            ),
            "programme p",
            "for this member, but decides households",
        ),
        (
            lambda p: p.programme(
                "p", "household", "0 < income", 'yields_to = [{ programme = "q", when = "any member" }]'
            ).programme("q", "household", 'outcome(p) == "eligible"'),
            "on 2010-01-01",
            "a cycle: p → q → p",
        ),
        (
            lambda p: p.programme("p", "household", 'outcome(p) == "eligible"'),
            "on 2010-01-01",
            "a cycle: p → p",
        ),
        (rule(f'[[programme]]\nid = "p"\nentity = "household"\n{TEST}review = 1'), "programme p", "unknown key"),
        (
            rule(f'[[programme]]\nid = "p"\nentity = "household"\n{TEST}'.replace('"t"\n', '"t"\nreview = ["cars"]\n')),
            "programme p, test t",
            "reviews an unknown feed cars",
        ),
        (
            rule(f'[[programme]]\nid = "p"\nentity = "household"\n{TEST}'.replace('"t"\n', '"t"\nquote = "低于"\n')),
            "programme p, test t 2010-01-01",
            "",
        ),
        (rule(f'[[programme]]\nid = "p"\nentity = "household"\n{TEST}{TEST}'), "programme p, test t", "defined twice"),
        (
            rule(f'[[programme]]\nid = "p"\nentity = "member"\n{TEST}'.replace('"t"', '"membership"')),
            "programme p, test membership",
            "tested anyway",
        ),
        (
            rule(
                f'[[programme]]\nid = "p"\nentity = "household"\n{TEST}[programme.award]\nunit = "ratio"\n'
                '[[programme.award.revision]]\nin_force_on = 2010-01-01\nformula = "p.ratio"\ncite = ["inst#1"]\n'
            ),
            "programme p, award",
            "an award is an amount",
        ),
        # gaps seen on a day
        (
            lambda p: (
                figure(revision("2015-01-01", VALUE))(p),
                p.variable("v", "household", "money", "p.x"),
            ),
            "",
            "parameter p.x has no revision on 2010-01-01, but v reads it",
        ),
        (
            lambda p: (
                p.variable("v", "household", "money", "income").rules.append(
                    p.rules.pop().replace("2010-01-01", "2015-01-01")
                ),
                p.variable("w", "household", "money", "v"),
            ),
            "on 2010-01-01",
            "variable v has no revision in force, but w reads it",
        ),
        (
            rule(f'[[programme]]\nid = "p"\nentity = "household"\nin_force_on = 2009-01-01\n{TEST}'),
            "programme p",
            "in force on 2009-01-01, but none of its tests",
        ),
    ],
)
def test_a_faulty_pack_is_refused_with_the_place_and_the_reason(
    change: Callable[[PackText], object], where: str, reason: str, tmp_path: Path
) -> None:
    pack = sound()
    change(pack)
    if not reason:  # a sound change, as a control: the quoted comparator is the formula's
        pack.load(tmp_path)
        return
    with pytest.raises(PackError) as caught:
        pack.load(tmp_path)
    assert reason in caught.value.what
    assert where in re.sub(r"(\.toml):\d+:", r"\1:", caught.value.where)


@pytest.mark.parametrize(
    ("quote", "formula", "good"),
    [
        ("低于", "income < p.money", True),
        ("低于", "income <= p.money", False),
        ("低于", "not income >= p.money", True),
        ("低于", "p.money > income", False),
        ("不高于", "income <= p.money", True),
        ("不超过", "income > p.money or income <= p.money", True),
        ("不低于", "income > p.money", False),
        ("大概", "income > p.money", False),
        ("低于", "is_open", False),
    ],
)
def test_the_quoted_comparator_is_held_against_the_formula(
    quote: str, formula: str, good: bool, tmp_path: Path
) -> None:
    pack = sound().variable("is_open", "household", "bool", 'residence == "urban"')
    pack.programme("p", "household", formula)
    pack.rules[-1] = pack.rules[-1].replace('id = "only"\n', f'id = "only"\nquote = "{quote}"\n')
    if good:
        pack.load(tmp_path)
    else:
        with pytest.raises(PackError, match=quote):
            pack.load(tmp_path)


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("rules.toml", "[[variable]\n", "not valid TOML"),
        ("parameters.toml", 'x = "a"\nx = "b"\n', "not valid TOML"),
        ("pack.toml", 'name = "no code"\n', "required key is missing"),
        ("pack.toml", 'code = "1"\nname = "n"\ncolour = "red"\n', "unknown key"),
        ("pack.toml", 'code = "1"\nname = "n"\n' + '[[instrument]]\nid = "i"\ntitle = "t"\n' * 2, "defined twice"),
        ("pack.toml", 'code = 1\nname = "n"\n', "valid string"),
    ],
)
def test_a_file_that_is_no_pack_is_named(file: str, text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(PackError) as caught:
        loaded(dict(sound().files) | {file: text}, tmp_path)
    assert reason in caught.value.what and file in caught.value.where


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    sound().load(tmp_path)
    (tmp_path / "rules.toml").write_bytes("# 低保".encode("gb18030"))
    with pytest.raises(PackError, match=r"rules.toml: not UTF-8"):
        RulePack.load(tmp_path)


def test_a_folder_without_a_pack_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"no pack.toml there"):
        RulePack.load(tmp_path / "nothing")


def test_a_long_pack_may_stand_in_several_files(tmp_path: Path) -> None:
    sound().load(tmp_path)
    (tmp_path / "rules.toml").rename(tmp_path / "relief.rules.toml")
    (tmp_path / "parameters.toml").rename(tmp_path / "relief.parameters.toml")
    apart = RulePack.load(tmp_path)
    assert apart.on(date(2020, 6, 30)).digest == sound().load(tmp_path / "whole").on(date(2020, 6, 30)).digest
    assert all(place.endswith("relief.rules.toml") for stanzas in apart.variables.values() for place, _ in stanzas)


def test_what_stands_in_two_files_is_named_with_both(tmp_path: Path) -> None:
    sound().load(tmp_path)
    (tmp_path / "again.rules.toml").write_bytes((tmp_path / "rules.toml").read_bytes())
    with pytest.raises(PackError, match=r"defined twice, first in .*/rules\.toml") as caught:
        RulePack.load(tmp_path)
    assert "/again.rules.toml:1: variable" in caught.value.where
