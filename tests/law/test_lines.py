"""On which line an error of a pack stands: the scanner of TOML against `tomllib`, and what a writer is told."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meanscheck.errors import PackError
from meanscheck.law import RulePack
from meanscheck.law.toml_lines import Steps, line_of, lines_of
from meanscheck.values.data import data_dir

from .laws import PACK

SAMPLE = '''# a comment with [brackets] and a = sign
title = "a # that is no comment"   # and one that is

[owner]
"quoted.key" = 1
dotted.key = 2
'literal' = [ 1,
  2, # two
  [ 3,
    4 ],
]

[[a]]
id = "one"   # line 14
text = """
[[a]]
id = 'not a key' \\""" still
"""

[[a.b]]
value = { x = "}", y = [ 1, { z = "," } ] }

[[a.b]]
raw = \'\'\'
key = 1
\'\'\'
after = 2012-01-01

[[a]]
id = "two"
b = [
  { value = 1 },
  { value = """
two""" },
]
[a.c.d]
e = true
'''


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        (("title",), 2),
        (("owner",), 4),
        (("owner", "quoted.key"), 5),
        (("owner", "dotted"), 6),
        (("owner", "dotted", "key"), 6),
        (("owner", "literal"), 7),
        (("owner", "literal", 1), 8),
        (("owner", "literal", 2), 9),
        (("owner", "literal", 2, 1), 10),
        (("a", 0), 13),
        (("a", 0, "id"), 14),
        (("a", 0, "text"), 15),
        (("a", 0, "b", 0), 20),
        (("a", 0, "b", 0, "value", "y", 1, "z"), 21),
        (("a", 0, "b", 1), 23),
        (("a", 0, "b", 1, "raw"), 24),
        (("a", 0, "b", 1, "after"), 27),
        (("a", 1), 29),
        (("a", 1, "id"), 30),
        (("a", 1, "b", 0, "value"), 32),
        (("a", 1, "b", 1), 33),
        (("a", 1, "c", "d"), 36),
        (("a", 1, "c", "d", "e"), 37),
        # What is not written stands where the things around it do.
        (("a", 1, "c", "d", "f"), 36),
        (("a", 7), 13),
        (("nothing",), 1),
    ],
)
def test_a_key_stands_on_its_line(steps: Steps, line: int) -> None:
    assert line_of(SAMPLE, steps) == line


def steps_of(data: Any, above: Steps = ()) -> Iterator[Steps]:
    yield above
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in items:
        yield from steps_of(value, (*above, step))


@pytest.mark.parametrize("text", [SAMPLE, *(p.read_text() for p in sorted(data_dir("rules").rglob("*.toml")))])
def test_every_key_of_a_file_has_a_line_and_nothing_else_has(text: str) -> None:
    assert set(lines_of(text)) == set(steps_of(tomllib.loads(text)))


@pytest.mark.parametrize(
    "text", ["[", "[[", "a", "a = ", "= 1", 'a = "', "a = [", "a = {", "a = [1", "]", '"', "[a", "é = 1"]
)
def test_a_damaged_text_is_walked_to_its_end(text: str) -> None:
    assert line_of(text, ("a",)) == 1


PARAMETERS = """# figures
[[parameter]]
id = "limit"
unit = "money"
  [[parameter.revision]]
  in_force_on = 2010-01-01
  cite = ["inst#1"]
  value = "1.00"

[[parameter]]
id = "window"
unit = "month"
revision = [ { in_force_on = 2010-01-01, cite = ["inst#1"], value = 6 } ]
"""
RULES = """[[variable]]
id = "is_member"
entity = "member"
unit = "bool"
  [[variable.revision]]
  in_force_on = 2010-01-01
  formula = "lives_together"
  cite = ["inst#1"]

[[programme]]
id = "dibao"
entity = "household"
in_force_on = 2010-01-01
  [[programme.test]]
  id = "wealth"
    [[programme.test.revision]]
    in_force_on = 2010-01-01
    cite = ["inst#1"]
    formula = '''
      (sum(b.balance for b in bank_deposits)
        < limit)'''
  [programme.award]
  unit = "money"
    [[programme.award.revision]]
    in_force_on = 2010-01-01
    cite = ["inst#1"]
    formula = "limit"
"""


FIGURE, WINDOW, TEST = (
    "parameter limit 2010-01-01",
    "parameter window 2010-01-01",
    "programme dibao, test wealth 2010-01-01",
)
PROGRAMME = "2010-01-01\n  [[programme.test]]"


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "where", "reason"),
    [
        ("parameters", '"1.00"', "1.00", 8, "parameter limit revision 2010-01-01 value", "float"),
        ("parameters", '"1.00"', '"1,00"', 8, f"{FIGURE}, value", "amount"),
        ("parameters", '"1.00"', '{ a = "1.00" }', 8, f"{FIGURE}, value", "not a table"),
        ("parameters", "value = 6", "valeu = 6", 13, "parameter window", "unknown key"),
        ("parameters", "value = 6", "value = -6", 13, f"{WINDOW}, value", "from 0 to"),
        ("parameters", 'cite = ["inst#1"]\n  value', "value", 5, FIGURE, "citation"),
        ("parameters", '"month"', '"months"', 12, "parameter window unit", "unknown unit"),
        ("parameters", '"window"', '"limit"', 10, "parameter limit", "defined twice"),
        ("parameters", '"inst#1"', '"instr#1"', 5, FIGURE, "unknown instrument"),
        ("rules", "< limit", "< window", 19, f"{TEST}, line 1, column 2", "comparison of money and month"),
        ("rules", "< limit", "< limt", 19, f"{TEST}, line 2, column 11", "unknown name limt"),
        ("rules", '"limit"', '"limit / window"', 27, "programme dibao, award 2010-01-01", "gives exact money/month"),
        ("rules", '"lives_together"', '"lives"', 7, "variable is_member 2010-01-01, column 1", "unknown name lives"),
        ("rules", '"lives_together"', '"is_member"', 1, "variable is_member, on 2010-01-01", "is_member → is_member"),
        ("rules", PROGRAMME, PROGRAMME.replace("2010", "2009"), 10, "programme dibao", "none of its tests"),
        ("rules", 'formula = "limit"', "", 24, "programme dibao, award 2010-01-01", "neither a content"),
    ],
)
def test_an_error_names_its_line(
    file: str, old: str, new: str, line: int, where: str, reason: str, tmp_path: Path
) -> None:
    texts = {"pack": PACK, "parameters": PARAMETERS, "rules": RULES}
    assert old in texts[file]
    for name, text in texts.items():
        changed = text.replace(old, new, 1) if name == file else text
        (tmp_path / f"{name}.toml").write_text(changed, encoding="utf-8")
    with pytest.raises(PackError) as refused:
        RulePack.load(tmp_path)
    assert refused.value.where.startswith(f"{tmp_path.name}/{file}.toml:{line}: {where}")
    assert reason in refused.value.what


def test_a_folder_below_is_named_with_its_own_file(tmp_path: Path) -> None:
    for name, text in {"pack": PACK, "parameters": PARAMETERS, "rules": RULES}.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    (tmp_path / "city").mkdir()
    (tmp_path / "city" / "pack.toml").write_text(PACK, encoding="utf-8")
    wrong = '\n\n[[parameter]]\nid = "limit"\n[[parameter.revision]]\nin_force_on = 2011-01-01\n'
    wrong += 'cite = ["inst#1"]\nvalue = "x"\n'
    (tmp_path / "city" / "parameters.toml").write_text(wrong, encoding="utf-8")
    with pytest.raises(PackError, match=r"city/parameters\.toml:8: parameter limit 2011-01-01, value"):
        RulePack.load(tmp_path / "city")


def test_a_figure_without_a_source_is_unsure_and_refers(tmp_path: Path) -> None:
    unsourced = PARAMETERS.replace('cite = ["inst#1"]\n  value', 'status = "unsure"\n  value')
    for name, text in {"pack": PACK, "parameters": unsourced, "rules": RULES}.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    pack = RulePack.load(tmp_path)
    (first,) = (p for p in pack.on(pack.first_day).parameters.values() if p.id == "limit")
    assert (first.unknown, first.table) == ("unsure", {})
    assert pack.on(pack.first_day, accept={"limit"}).parameters["limit"].get() == 100
