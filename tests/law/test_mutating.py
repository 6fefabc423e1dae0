"""Which faults are put into a law, and does a case notice them; what no case shows; where it stands in a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from meanscheck.errors import PackError
from meanscheck.law.case_runs import Cases
from meanscheck.law.cases import judged
from meanscheck.law.check import check_formula
from meanscheck.law.coverage import gaps
from meanscheck.law.derived_checks import differences
from meanscheck.law.figures import table_of
from meanscheck.law.lines import Lines
from meanscheck.law.mutants import changed, changes_in_figure, changes_in_tree, node_at
from meanscheck.law.mutating import Mutation, Verdict, drawn, report
from meanscheck.law.plain import PlainRun
from meanscheck.law.resolve import RulePack
from meanscheck.law.told import text_of
from meanscheck.law.tree import Node
from meanscheck.values.data import data_dir

from .packs import sound
from .relief import CASES, PARAMETERS, RULES, case, dibao, write

GUANGDONG = data_dir("rules") / "cn" / "guangdong"


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> RulePack:
    """A pack in whose scope formulas are checked."""
    return sound().load(tmp_path_factory.mktemp("pack"))


def tree_of(pack: RulePack, formula: str, entity: str = "member") -> Node:
    return check_formula(formula, entity=entity, scope=pack.scope, where="test")


# ---- what is changed in a formula


@pytest.mark.parametrize(
    ("formula", "faults"),
    [
        ("income < p.money", ["→ <=", "→ >="]),
        ("income >= p.money", ["→ >", "→ <"]),
        ('residence == "urban"', ["→ !="]),
        (
            "income < p.money and lives_together",
            ["→ or", "→ without income < p.money", "→ without lives_together", "→ <=", "→ >="],
        ),
        ("not lives_together", ["→ without not"]),
        ("lives_together", ["→ not …"]),
        ("p.money if lives_together else income", ["→ branches exchanged"]),
        ('residence in {"urban", "rural"}', ['→ without "rural"', '→ without "urban"', "→ not …"]),
        ("least(income, p.money)", ["→ greatest", "→ without income", "→ without p.money"]),
        ("income - p.money", ["→ +"]),
        ('round_to(income * p.ratio, "yuan", "up")', ["→ half_up", "→ down", "→ jiao", "→ 10 yuan"]),
        ('round_to(income * p.ratio, "fen", "half_up")', ["→ up", "→ down", "→ jiao"]),
        ('first_known(income, 0, "inst#1")', ["→ without income", "→ without 0"]),
        ("sum(t.amount for t in tax_income if t.tax == 0)", ["→ if … left out", "→ !="]),
        ("lowest(t.amount for t in tax_income)", ["→ highest"]),
        ("any(t.tax == 0 for t in tax_income)", ["→ not …", "→ all", "→ !="]),
        (
            "sum(t.amount for t in tax_income if within(t.month, p.window, before=household.applied_on))",
            ["→ if … left out", "→ before=on"],
        ),
        ('holds("dibao", on)', ["→ not …"]),
        ("true_or_false", []),
    ],
)
def test_a_formula_has_the_faults_that_a_person_makes(trees: RulePack, formula: str, faults: list[str]) -> None:
    if formula == "true_or_false":
        assert [c.told for c in changes_in_tree(tree_of(trees, "True"))] == ["True → False"]
        return
    told = [c.told for c in changes_in_tree(tree_of(trees, formula))]
    assert sorted(f"→ {t.rpartition(' → ')[2]}" for t in told) == sorted(faults)


def test_a_fault_changes_its_place_and_nothing_else(trees: RulePack) -> None:
    tree = tree_of(trees, "income < p.money and (lives_together or income == 0)")
    for change in changes_in_tree(tree):
        faulty = changed(tree, change.path, change.make)
        assert faulty != tree
        assert changed(faulty, change.path, lambda _, c=change: node_at(tree, c.path)) == tree  # type: ignore[misc]


def test_one_loop_over_a_feed_of_all_members_is_changed_as_one(trees: RulePack) -> None:
    tree = tree_of(trees, "any(t.tax == 0 for t in tax_income)", "household")
    (swapped,) = (c for c in changes_in_tree(tree) if c.told.endswith("→ all"))
    assert changed(tree, (), swapped.make) == tree_of(trees, "all(t.tax == 0 for t in tax_income)", "household")


@pytest.mark.parametrize(
    "formula",
    [
        "(income + p.money) * p.ratio < p.money - (p.money - income)",
        "not (lives_together or income == 0) and income <= p.money",
        '(1 if residence in {"rural", "urban"} else 0) == 2',
        'round_to(-income * p.ratio, "fen", "half_even") > least(p.money, income, 0)',
        'first_known(income, p.money, "inst#1") != 0',
        'holds("dibao", on) or age(born_on) >= p.age',
        "months_between(born_on, on) >= p.window",
    ],
)
def test_a_tree_is_told_as_a_formula_that_means_the_same(trees: RulePack, formula: str) -> None:
    tree = tree_of(trees, formula)
    assert tree_of(trees, text_of(tree)) == tree


# ---- what is changed in a figure


@pytest.mark.parametrize(
    ("unit", "value", "by", "others"),
    [
        ("money", "900.00", (), ["900.01", "899.99", "1800.00"]),
        ("money", "0.00", (), ["0.01", "-0.01"]),
        ("ratio", "0.7", (), ["0.71", "0.69", "1.4"]),
        ("ratio", "0.005", (), ["0.006", "0.004", "0.01"]),
        ("month", 0, (), ["1"]),
        ("number", 1, (), ["2", "0"]),
        ("area", "13.5", (), ["13.51", "13.49", "27"]),
        ("bool", True, (), ["false"]),
        ("date", date(2020, 2, 29), (), ["2020-03-01", "2020-02-28"]),
        ("money", {"a": "1.00", "b": "0.00"}, ("kind",), ["[a] 1.01", "[a] 0.99", "[a] 2.00", "[b] 0.01", "[b] -0.01"]),
        ("bool", {"1": True}, ("band:number",), ["from 2", "from 0", "[1] false"]),
    ],
)
def test_a_figure_is_one_unit_off_or_doubled(unit: str, value: object, by: tuple[str, ...], others: list[str]) -> None:
    told = [c.told for c in changes_in_figure(table_of(value, unit, len(by), ""), unit, by)]
    keys = [t.partition("] ")[0] + "] " if t.startswith("[") else "" for t in told]
    assert [k + t.rpartition(" → ")[2] for k, t in zip(keys, told, strict=True)] == others


# ---- what a case notices


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Mutation:
    """The small pack, of which every fault is noticed."""
    return Mutation(write(tmp_path_factory.mktemp("rules") / "whole"))


def verdicts(mutation: Mutation) -> Mapping[str, Verdict]:
    return {m.id: mutation.judge(m) for m in mutation.mutants}


def test_every_fault_of_a_pack_with_full_cases_is_noticed(whole: Mutation) -> None:
    found = verdicts(whole)
    assert {v.fate for v in found.values()} == {"noticed"} and len(found) == len(whole.mutants) >= 40


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("income / (window * size) < standard[residence]", "income / (window * size) <= standard[residence]"),
        ("size * standard[residence] - income / window", "size * (standard[residence] - per_head)"),
        ("least(most, size * standard[residence] - income / window)", "size * standard[residence] - income / window"),
        ('"yuan", "up"', '"yuan", "half_up"'),
    ],
    ids=["comparator swapped", "rounded per head before the difference", "ceiling missing", "rounded the other way"],
)
def test_a_planted_fault_is_noticed_by_the_cases(right: str, wrong: str, tmp_path: Path) -> None:
    per_head = """[[variable]]\nid = "per_head"\nentity = "household"\nunit = "money/month"\n[[variable.revision]]
formula = 'round_to(income / (window * size), "fen", "half_up")'\nin_force_on = 2020-01-01\ncite = ["act#1"]\n"""
    sound_rules = f"{per_head}{RULES}".replace('quote = "低于"', "")
    assert not Cases([write(tmp_path / "sound", rules=sound_rules)]).unmet
    assert (sound_rules + PARAMETERS).count(right) == 1
    faulty = write(
        tmp_path / "faulty", rules=sound_rules.replace(right, wrong), parameters=PARAMETERS.replace(right, wrong)
    )
    assert Cases([faulty]).unmet


def test_without_the_case_that_shows_it_a_fault_is_not_noticed(tmp_path: Path) -> None:
    cases = CASES.replace(
        case(
            "on the line",
            dibao("ineligible", failed="income"),
            'tax_income = [{ months = ["2019-06", "2020-05"], item = "wages", amount = "900.00", tax = "0.00" }]',
        ),
        "",
    )
    assert cases != CASES
    mutation = Mutation(write(tmp_path, cases=cases))
    open_ones = [v for v in verdicts(mutation).values() if v.fate != "noticed"]
    assert [v.mutant.rpartition(": ")[2].rpartition(" → ")[2] for v in open_ones] == ["<="]


def test_what_no_case_comes_to_is_unreached(tmp_path: Path) -> None:
    idle = PARAMETERS.replace(
        '[[parameter]]\nid = "multiple"',
        '[[parameter]]\nid = "idle"\nunit = "money"\n  [[parameter.revision]]\n  value = "1.00"\n'
        '  in_force_on = 2020-01-01\n  cite = ["act#1"]\n[[parameter]]\nid = "multiple"',
    )
    found = verdicts(Mutation(write(tmp_path, parameters=idle)))
    assert {v.mutant.split(":")[0] for v in found.values() if v.fate == "unreached"} == {"parameter idle 2020-01-01"}


def test_revisions_that_say_the_same_are_one_mutant_and_one_that_differs_stands_alone(tmp_path: Path) -> None:
    def of(amount: str) -> Mutation:
        again = f'  [[parameter.revision]]\n  value = "{amount}"\n  in_force_on = 2030-01-01\n  cite = ["act#2"]\n'
        text = PARAMETERS.rstrip("\n") + "\n" + again
        return Mutation(write(tmp_path / amount, parameters=text))

    same, other = (
        [(m.since, m.told) for m in of(amount).mutants if m.thing == "parameter most"]
        for amount in ("1500.00", "1500.01")
    )
    first, later = date(2020, 1, 1), date(2030, 1, 1)
    assert {since for since, _ in same} == {(first, later)} and len(same) == 3
    assert {since for since, _ in other} == {(first,), (later,)} and len(other) == 6


def test_cases_that_fail_are_mended_first(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"2 faults or unmet expectations|unmet"):
        Mutation(write(tmp_path, cases=CASES.replace('"1500.00"', '"1500.01"')))


@pytest.mark.parametrize("seed", [3, 4])
def test_what_is_reckoned_again_gives_what_a_whole_run_gives(seed: int) -> None:
    """Only the cases that evaluate a change are run, and of these only what it reaches: held against all, whole."""
    mutation = Mutation(GUANGDONG)
    for place in drawn(mutation, sample=12, seed=seed):
        mutant = mutation.mutants[place]
        noticed = False
        for run in mutation.cases.runs:
            if mutant.is_in(run):
                noticed = noticed or bool(judged(run.case, PlainRun(mutant.law(run), run.case.unit)).unmet)
        assert (mutation.judge(mutant).fate == "noticed") == noticed, mutant.id


# ---- explanations


def explained(folder: Path, *ids: str) -> Mutation:
    write(folder, cases=case("alone", dibao("eligible"), ""))
    text = "".join(f"[[mutant]]\nid = '{i}'\nwhy = \"because\"\n" for i in ids)
    (folder / "mutants.toml").write_text(text, encoding="utf-8")
    return Mutation(folder)


def test_an_explained_mutant_is_not_open_and_an_idle_explanation_is_told(tmp_path: Path) -> None:
    plain = explained(tmp_path / "plain")
    left = [i for i, v in verdicts(plain).items() if v.fate != "noticed"]
    noticed = [i for i, v in verdicts(plain).items() if v.fate == "noticed"]
    pattern = "parameter most 2020-01-01: *"
    single = next(i for i in left if not i.startswith(pattern[:-1]))
    mutation = explained(tmp_path / "explained", single, pattern, noticed[0], "gone")
    found = report(mutation, list(verdicts(mutation).values()))
    assert single in found.explained and any(i.startswith(pattern[:-1]) for i in found.explained)
    assert {v.mutant for v in found.open} == set(left) - set(found.explained)
    assert found.stale == (noticed[0], "gone")


@pytest.mark.parametrize("text", ["[[mutant]]\nid = 1\n", "x = ", '[[mutant]]\nid = "a"\nwhy = ""\nwho = "b"\n'])
def test_a_faulty_list_of_explanations_is_refused(text: str, tmp_path: Path) -> None:
    mutation = explained(tmp_path)
    (tmp_path / "mutants.toml").write_text(text, encoding="utf-8")
    with pytest.raises(PackError, match=r"mutants\.toml"):
        report(mutation, [])


# ---- what no case shows


def test_a_pack_with_full_cases_has_no_gaps(whole: Mutation) -> None:
    assert gaps(whole.own, whole.cases) == ()


@pytest.mark.parametrize(
    ("dropped", "gap"),
    [
        (["on the line"], ("line", "programme dibao, test income", "a case on its line")),
        (["savings above"], ("line", "programme dibao, test savings", "a case above its line")),
        (["with income"], ("side", "programme tekun, test alone", "does not hold: income == 0")),
        (["alone", "two", "with income", "not a member"], ("unreached", "parameter tekun_line", "from 2020-01-01")),
    ],
)
def test_a_side_that_no_case_shows_is_listed(dropped: list[str], gap: tuple[str, str, str], tmp_path: Path) -> None:
    blocks = [b for b in CASES.split("[[case]]\n") if b and not any(f'id = "{name}"\n' in b for name in dropped)]
    folder = write(tmp_path, cases="".join(f"[[case]]\n{b}" for b in blocks))
    cases = Cases([folder])
    found = gaps(RulePack.load(folder), cases)
    assert any((g.kind, g.thing) == gap[:2] and gap[2] in g.needed for g in found), found


# ---- published and derived


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ('value = { urban = "1440.00", rural = "1041.00" }', ""),
        ('value = { urban = "1440.00", rural = "1050.00" }', "rural 1050.00 is published, the formula gives 1041.00"),
        ('value = { urban = "1440.00", rural = "1050.00" }\ndiffers = "must not fall"', ""),
        ('value = { urban = "1440.00", rural = "1041.00" }\ndiffers = "must not fall"', "says `differs`"),
    ],
)
def test_a_published_figure_is_held_against_its_formula(more: str, what: str, tmp_path: Path) -> None:
    parameters = PARAMETERS.replace('multiple, "yuan", "up")\'', f'multiple, "yuan", "up")\'\n{more}')
    found = [d.what for d in differences(RulePack.load(write(tmp_path, parameters=parameters)))]
    assert [what in f for f in found] == ([True] if what else [])


# ---- lines


def test_things_and_revisions_are_found_by_line(tmp_path: Path) -> None:
    folder = write(tmp_path / "rules" / "some")
    text = (folder / "rules.toml").read_text(encoding="utf-8").splitlines()
    lines = Lines(folder)

    def line_of(thing: str, day: date | None = None) -> str:
        file, _, number = lines.place("rules/some/rules.toml", thing, day).partition(":")
        assert file == "rules/some/rules.toml"
        return "\n".join(text[int(number) - 1 : int(number) + 1])

    assert "months * size" in line_of("programme dibao, test savings", date(2020, 1, 1))
    assert 'id = "tekun"' in line_of("programme tekun", date(2020, 1, 2))
    assert lines.place("rules/some/rules.toml", "variable gone") == "rules/some/rules.toml"
