"""A faulty rule pack does not load: the error names file, rule or figure, what is wrong, and a mend."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from meanscheck import Case, RulePack
from meanscheck.errors import CaseError, PackError

PACK = """
code = "000000"
name = "Somewhere"
first_day = 2010-01-01
[[instrument]]
id = "act"
title = "The Act"
in_force_on = 2010-01-01
"""
PARAMETERS = """
[[parameter]]
id = "limit"
unit = "money"
label = "limit"
label_zh = "限额"
  [[parameter.revision]]
  value = "100.00"
  in_force_on = 2010-01-01
  cite = ["act#1"]
  [[parameter.revision]]
  value = "200.00"
  in_force_on = 2012-01-01
  cite = ["act#1"]
"""
RULES = """
[[variable]]
id = "is_member"
entity = "member"
unit = "bool"
label = "member"
label_zh = "成员"
  [[variable.revision]]
  formula = 'lives_together'
  in_force_on = 2010-01-01
  cite = ["act#3"]

[[variable]]
id = "savings"
entity = "member"
unit = "money"
label = "savings"
label_zh = "存款"
  [[variable.revision]]
  formula = 'sum(b.balance for b in bank_deposits)'
  in_force_on = 2010-01-01
  cite = ["act#4"]

[[programme]]
id = "help"
entity = "household"
label = "help"
label_zh = "帮助"
  [[programme.test]]
  id = "poor"
  label = "little on the bank"
  label_zh = "存款少"
    [[programme.test.revision]]
    formula = 'sum(m.savings for m in members) <= limit'
    in_force_on = 2010-01-01
    cite = ["act#4"]
"""


def pack_in(folder: Path, *, old: str = "", new: str = "") -> Path:
    place = folder / "somewhere"
    place.mkdir()
    texts = {"pack": PACK, "parameters": PARAMETERS, "rules": RULES}
    if old:
        assert sum(text.count(old) for text in texts.values()) == 1, old
    for name, text in texts.items():
        (place / f"{name}.toml").write_text(text.replace(old, new) if old else text, encoding="utf-8")
    return place


SECOND = '  value = "200.00"\n  in_force_on = 2012-01-01\n'
FIRST = '  value = "100.00"\n  in_force_on = 2010-01-01\n'
FORMULA = "sum(m.savings for m in members) <= limit"
FAULTS = [
    ("a gap", FIRST, FIRST + "  ends_on = 2011-06-30\n", "gap", "parameter limit"),
    ("a gap before the first", FIRST, FIRST.replace("2010", "2011"), "no revision on 2010-01-01", "limit"),
    ("an overlap", FIRST, FIRST + "  ends_on = 2012-06-30\n", "overlap", "parameter limit"),
    ("a tie", SECOND, SECOND.replace("2012", "2010"), "two revisions", "parameter limit"),
    (
        "an unknown name",
        FORMULA,
        FORMULA.replace("limit", "limt"),
        "unknown name limt",
        "help, test poor 2010-01-01, column 36",
    ),
    ("an unknown feed", "in bank_deposits", "in bank_deposit", "no feed bank_deposit", "variable savings"),
    ("an unknown column", "b.balance", "b.ballance", "no column ballance", "variable savings"),
    ("a type error", FORMULA, "sum(m.savings for m in members)", "gives money, declared is bool", "help, test poor"),
    (
        "money compared with a count",
        FORMULA,
        FORMULA.replace("limit", "size"),
        "comparison of money and number",
        "help, test poor",
    ),
    (
        "a float figure",
        'value = "100.00"',
        "value = 100.00",
        "a float cannot be exact",
        "parameter limit revision 2010-01-01",
    ),
    (
        "a float in a formula",
        FORMULA,
        FORMULA.replace("limit", "limit * 1.5"),
        "a float is not part",
        "help, test poor",
    ),
    ("a missing citation", '    cite = ["act#4"]\n', "    cite = []\n", "citation is missing", "help"),
    (
        "no citation at all",
        '    cite = ["act#4"]\n',
        "",
        "citation is missing",
        "help, test poor 2010-01-01",
    ),
    (
        "an unknown instrument",
        '    cite = ["act#4"]\n',
        '    cite = ["bill#4"]\n',
        "unknown instrument bill",
        "help, test poor",
    ),
    (
        "an unknown key",
        'label_zh = "帮助"\n',
        'label_zh = "帮助"\ncolour = "red"\n',
        "unknown key",
        "rules.toml: programme help colour",
    ),
    ("an unknown unit", 'id = "limit"\nunit = "money"', 'id = "limit"\nunit = "gold"', "unknown unit", "limit"),
    ("not TOML", "[[instrument]]", "[[instrument]", "TOML", "pack.toml"),
    ("code in a formula", FORMULA, '__import__("os") == 0', "no function __import__", "help, test poor"),
]


def test_the_pack_without_a_fault_loads(tmp_path: Path) -> None:
    assert RulePack.load(pack_in(tmp_path)).name == "Somewhere"


@pytest.mark.parametrize(("old", "new", "said", "place"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_a_faulty_pack_does_not_load(tmp_path: Path, old: str, new: str, said: str, place: str) -> None:
    folder = pack_in(tmp_path, old=old, new=new)
    with pytest.raises(PackError, match=rf"(?i){said}") as caught:
        RulePack.load(folder)
    fault = caught.value
    assert "somewhere" in fault.where and place in re.sub(r"(\.toml):\d+:", r"\1:", str(fault))
    assert str(tmp_path) not in str(fault)


@pytest.mark.parametrize(
    ("old", "new"), [f[1:3] for f in FAULTS if f[0] in ("a gap", "an overlap", "an unknown name", "a tie")]
)
def test_the_error_says_how_to_mend(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(PackError) as caught:
        RulePack.load(pack_in(tmp_path, old=old, new=new))
    assert caught.value.remedy


def test_a_near_name_is_suggested(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"Did you mean limit\?"):
        RulePack.load(pack_in(tmp_path, old=FORMULA, new=FORMULA.replace("limit", "limt")))


def test_the_command_line_names_the_fault(tmp_path: Path) -> None:
    pack_in(tmp_path, old=FIRST, new=FIRST + "  ends_on = 2011-06-30\n")
    run = subprocess.run(
        [sys.executable, "-m", "meanscheck", "rules", "check", "somewhere"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "gap between 2011-06-30 and 2012-01-01" in run.stdout + run.stderr
    assert "parameter limit" in run.stdout + run.stderr


CASES = [
    ({"memberz": []}, "unknown key memberz"),
    ({"member": [{"id": "A", "born_on": "1955-13-01"}]}, "day"),
    ({"member": [{"id": "A", "pensions_paid": [{"amount": 391.5}]}]}, "float"),
    ({"member": [{"id": "A", "bank_deposit": []}]}, "bank_deposit"),
    ({"member": [{"id": "A", "vehicles": [{"status": "flying"}]}]}, "declared words"),
    ({"member": [{"id": "A"}, {"id": "A"}]}, "id of its own"),
    ({"member": []}, "member"),
    ({"on": "tomorrow"}, "day"),
]


@pytest.mark.parametrize(("change", "said"), CASES, ids=[said for _, said in CASES])
def test_a_faulty_case_is_named_with_its_place(change: dict[str, object], said: str) -> None:
    facts = {"id": "one", "on": "2020-06-30", "household": {"residence": "urban"}, "member": [{"id": "A"}], **change}
    with pytest.raises(CaseError, match=said) as caught:
        Case.from_dict(facts)
    assert "1955" not in str(caught.value) and "391" not in str(caught.value)
