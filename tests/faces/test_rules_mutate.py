"""`meanscheck rules mutate` and the part of `rules check` that runs the cases: what a pack's author sees."""

from __future__ import annotations

from pathlib import Path

import pytest
from law.relief import CASES, CITE, PARAMETERS, case, dibao, write

from faces.conftest import Command, Said
from meanscheck.faces.cli import rules_mutate
from meanscheck.law.mutating import Mutation, drawn


def accepted(command: Command, *arguments: object) -> Said:
    """What a command says that is content."""
    said = command(*arguments)
    assert said.code == 0, said.err
    return said


def refused(command: Command, *arguments: object) -> Said:
    """What a command says that is not."""
    said = command(*arguments)
    assert said.code == 1
    return said


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A pack whose cases show everything it says."""
    return write(tmp_path / "rules" / "whole")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The same pack with its first case only."""
    first = CASES.split("[[case]]\n")[1]
    return write(tmp_path / "rules" / "bare", cases=f"[[case]]\n{first}")


def test_a_pack_of_which_every_fault_is_noticed_is_code_0_and_says_how_fast(whole: Path, command: Command) -> None:
    said = accepted(command, "rules", "mutate", whole)
    assert "mutants of rules/whole, 16 cases" in said.out and "0 neither" in said.out
    assert "mutants a second" in said.out


def test_faults_that_nobody_notices_are_listed_with_line_and_case_needed_and_are_code_1(
    bare: Path, command: Command
) -> None:
    said = refused(command, "rules", "mutate", bare)
    assert "rules/bare/rules.toml" in said.out and "programme dibao, test savings" in said.out
    assert "a case on the line" in said.out and "no case comes here yet" in said.out


def test_mutants_as_json_say_what_was_changed_and_where(bare: Path, command: Command) -> None:
    found = refused(command, "rules", "mutate", bare, "--only", "parameter months", "--json").json
    (up, down, twice) = found["open"]
    assert (up["rule"], up["changed"], up["reached"]) == ("parameter months", "24 → 25", True)
    assert up["file"] == "rules/bare/parameters.toml" and up["since"] == ["2020-01-01"]
    assert (down["changed"], twice["changed"], found["mutants"]) == ("24 → 23", "24 → 48", 3)


def test_an_explanation_of_a_fault_that_is_noticed_is_code_1(whole: Path, command: Command) -> None:
    (whole / "mutants.toml").write_text('[[mutant]]\nid = "parameter most*"\nwhy = "because"\n', encoding="utf-8")
    said = refused(command, "rules", "mutate", whole)
    assert "an explanation of what is noticed, or is not there: parameter most*" in said.err
    # A sample cannot tell whether the rest is noticed.
    assert "explanation" not in accepted(command, "rules", "mutate", whole, "--sample", "5").err


def test_check_says_first_what_is_wrong_with_its_line(whole: Path, command: Command) -> None:
    text = PARAMETERS.replace('"up")\'', '"up")\'\n  value = { urban = "1440.00", rural = "1042.00" }')
    write(whole, parameters=text, cases=CASES.replace('"1500.00"', '"1501.00"'))
    said = refused(command, "rules", "check", whole)
    assert "rural 1042.00 is published, the formula gives 1041.00" in said.err
    assert "parameters.toml:" in said.err and "ceiling: dibao: award 1500.00, expected 1501.00" in said.err
    assert said.out.index("Wrong in") < said.out.index("What it can decide")


def test_check_lists_what_no_case_shows_and_only_strict_minds(bare: Path, whole: Path, command: Command) -> None:
    said = accepted(command, "rules", "check", bare)
    assert "no case on a side of its line, or on it" in said.out and "a case below its line" in said.out
    refused(command, "rules", "check", bare, "--strict")
    assert "show every line, side and revision" in accepted(command, "rules", "check", whole, "--strict").out


WAITS = f"""
[[variable]]
id = "is_member"
entity = "member"
unit = "bool"
  [[variable.revision]]
  formula = 'lives_together'
  {CITE}
[[programme]]
id = "favour"
entity = "household"
in_force_on = 2020-01-01
  [[programme.test]]
  id = "alone"
    [[programme.test.revision]]
    formula = 'size == 1'
    {CITE}
  [[programme.test]]
  id = "property"
    [[programme.test.revision]]
    unknown = "not found"
    {CITE}
[[programme]]
id = "dibao"
entity = "household"
in_force_on = 2020-01-01
  [[programme.test]]
  id = "ground"
    [[programme.test.revision]]
    formula = 'outcome(favour) == "eligible" or size == 1'
    {CITE}
"""


def test_check_names_what_no_case_can_show_and_strict_does_not_mind(tmp_path: Path, command: Command) -> None:
    # Of one person it is open whether he is favoured, of two it is not; that anybody is, nobody can show.
    favoured = '\n  [case.expect.favour]\n  outcome = "OUTCOME"'
    alone, two = favoured.replace("OUTCOME", "refer"), favoured.replace("OUTCOME", "ineligible")
    cases = [
        case("alone", dibao("eligible") + alone, ""),
        case("two", dibao("ineligible", failed="ground") + two, "", ""),
        case("not a member", dibao("eligible") + alone, "", "lives_together = false"),
    ]
    folder = write(tmp_path / "rules" / "waits", rules=WAITS, parameters="", cases="\n".join(cases))
    said = accepted(command, "rules", "check", folder, "--strict")
    assert "3 cases show every line, side and revision" in said.out
    assert "no case can show it yet (1)" in said.out and "favour: test property" in said.out
    (found,) = accepted(command, "rules", "check", folder, "--json").json
    assert [(gap["kind"], gap["thing"]) for gap in found["gaps"]] == [("beyond", "programme dibao, test ground")]


def test_check_as_json_lists_gaps_with_their_places(bare: Path, command: Command) -> None:
    (found,) = accepted(command, "rules", "check", bare, "--json").json
    assert found["wrong"] == [] and found["cases"] == 1
    assert {gap["kind"] for gap in found["gaps"]} == {"line", "side", "unreached"}
    assert all(":" in gap["where"] and gap["needed"] for gap in found["gaps"])


def test_a_file_of_cases_that_cannot_be_read_is_wrong_and_the_rest_is_shown(whole: Path, command: Command) -> None:
    (whole / "more.cases.toml").write_text("[[case]]\nid = 'x'\n", encoding="utf-8")
    said = refused(command, "rules", "check", whole)
    assert "more.cases.toml" in said.err and "What it can decide" in said.out


def test_show_prints_from_what_a_figure_is_derived(whole: Path, command: Command) -> None:
    said = accepted(command, "rules", "show", whole, "--on", "2020-06-30")
    assert "1440.00 urban" in said.out and "standard[residence] * multiple" in said.out
    figures = {
        p["id"]: p for p in accepted(command, "rules", "show", whole, "--on", "2020-06-30", "--json").json["parameters"]
    }
    assert figures["tekun_line"]["formula"].startswith("round_to(") and "formula" not in figures["standard"]


def test_what_two_processes_judge_is_what_one_does(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation = Mutation(bare)
    chosen = drawn(mutation)
    alone = [mutation.judge(mutation.mutants[i]) for i in chosen]
    monkeypatch.setattr(rules_mutate, "TRIED", 1)
    monkeypatch.setattr(rules_mutate, "CHUNK", 10)
    # Reading that takes no time: the rest is given to others after the first chunk.
    chunks = list(rules_mutate._judged(mutation, bare, chosen, reading=0.0))
    assert len(chunks) > 2 and [verdict for chunk in chunks for verdict in chunk] == alone
