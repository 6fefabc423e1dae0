"""Steps come in the law's order, with its waits and its clocks; working days are asked of a table and never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from meanscheck.errors import InputError, PackError
from meanscheck.procedure import Calendar, Course, Procedure, Procedures, Taken

TOWN, COUNTY = "440703001", "440703"
RULES = Procedures.load("rules/cn/guangdong/jiangmen")
# A made-up table: no holiday in it is claimed to be one.
TABLE = Calendar(date(2026, 1, 1), date(2026, 12, 31), frozenset({date(2026, 3, 5)}), frozenset({date(2026, 3, 7)}))


def dibao() -> Procedure:
    return RULES.of("dibao", date(2026, 3, 2))


def run(
    *steps: tuple[str, str, str, int], procedure: Procedure | None = None, said: Mapping[str, str] | None = None
) -> Course:
    """Steps as (kind, day of 2026, organisation, officers)."""
    course = Course(procedure or dibao())
    for step, day, by, officers in steps:
        course.take(Taken(step, date.fromisoformat(f"2026-{day}"), by, officers, said or {}))
    return course


SMOOTH = (
    ("acceptance", "03-02", TOWN, 0),
    ("check", "03-03", TOWN, 0),
    ("visit", "03-04", TOWN, 2),
    ("opinion", "03-06", TOWN, 0),
    ("publication", "03-09", TOWN, 0),
    ("submission", "03-16", TOWN, 0),
    ("confirmation", "03-20", COUNTY, 0),
    ("notice", "03-23", COUNTY, 0),
)


def test_the_procedure_is_that_of_the_day_of_acceptance() -> None:
    days = {
        date(2012, 12, 12): "dibao-2012", date(2021, 6, 30): "dibao-2012", date(2021, 7, 1): "dibao-2021",
        date(2022, 10, 19): "dibao-2021", date(2022, 10, 20): "dibao-2022", date(2026, 1, 1): "dibao-2022",
    }  # fmt: skip
    assert {day: RULES.of("dibao", day).id for day in days} == days
    assert RULES.of("tekun", date(2021, 7, 1)).id == "tekun-2021"
    for programme, day in (
        ("dibao", date(2012, 12, 11)),
        ("tekun", date(2021, 6, 30)),
        ("medical_relief", date(2026, 1, 1)),
    ):
        with pytest.raises(InputError, match="no procedure"):
            RULES.of(programme, day)


def test_the_whole_way() -> None:
    course = run(*SMOOTH)
    assert course.has_ended and course.due == ()
    assert [rule.id for rule in course.procedure.step if course.allowed(rule.id)] == ["notice"]


@pytest.mark.parametrize("left_out", ["acceptance", "visit", "opinion", "publication", "submission", "confirmation"])
def test_nothing_that_the_law_asks_for_can_be_left_out(left_out: str) -> None:
    with pytest.raises(InputError, match=f"step .*: ({left_out} must come first|it can only follow the decision)"):
        run(*(step for step in SMOOTH if step[0] != left_out))


@pytest.mark.parametrize("place", range(1, len(SMOOTH)))
def test_neighbours_that_change_places_are_refused(place: int) -> None:
    steps = [*SMOOTH]
    first, second = steps[place - 1], steps[place]
    if first[0] == "check":  # the information check and the visit stand in no order
        return
    steps[place - 1], steps[place] = (second[0], *first[1:3], 2), (first[0], *second[1:3], 2)
    with pytest.raises(InputError):
        run(*steps)


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ((SMOOTH[0], SMOOTH[0]), "only be the first step"),
        ((*SMOOTH[:2], ("visit", "03-02", TOWN, 2)), "before that of the step entered last"),
        ((*SMOOTH[:2], ("visit", "03-04", TOWN, 1)), r"at least 2 officers must be named \(cn-57-2021#15"),
        ((*SMOOTH[:5], ("submission", "03-15", TOWN, 0)), r"7 days must pass after publication \(cn-57-2021#19\)"),
        ((*SMOOTH[:7], SMOOTH[6]), "decided already"),
        ((*SMOOTH[:6], SMOOTH[7]), "only follow the decision"),
        ((("approve", "03-02", TOWN, 0),), "no such step"),
        ((*SMOOTH[:6], ("override", "03-20", COUNTY, 0)), "reason must be stated"),
        ((*SMOOTH[:2], ("finding", "03-04", TOWN, 0)), "point must be stated"),
        ((*SMOOTH[:2], ("relative", "03-04", TOWN, 0)), "relation must be stated"),
    ],
)  # fmt: skip
def test_what_stands_against_a_step_is_said(steps: tuple[tuple[str, str, str, int], ...], why: str) -> None:
    with pytest.raises(InputError, match=why):
        run(*steps)


def test_words_that_the_law_fixes_are_asked_for() -> None:
    course = run(*SMOOTH[:2])
    for step, said in (
        ("relative", {"relation": "cousin"}),
        ("finding", {"point": "vehicle", "verdict": "perhaps"}),
    ):
        with pytest.raises(InputError, match="must be one of"):
            course.take(Taken(step, date(2026, 3, 4), TOWN, 0, said))
    course.take(Taken("relative", date(2026, 3, 4), TOWN, 0, {"relation": "sibling"}))
    course.take(Taken("finding", date(2026, 3, 4), TOWN, 0, {"point": "vehicle", "verdict": "explained"}))


@pytest.mark.parametrize("cause", ["relative", "complaint"])
@pytest.mark.parametrize("step", ["confirmation", "override"])
def test_a_near_relative_or_a_complaint_forces_a_visit_by_the_organisation_that_decides(cause: str, step: str) -> None:
    said = {"relation": "spouse", "reason": "r", "citation": "cn-57-2021#20"}
    before = (*SMOOTH[:6], (cause, "03-17", COUNTY, 0))
    end = (step, "03-20", COUNTY, 0)
    with pytest.raises(InputError, match=f"{cause} asks for a visit by the organisation that decides .*cn-57-2021#20"):
        run(*before, end, said=said)
    with pytest.raises(InputError, match="asks for a visit"):
        run(*before, ("visit", "03-18", TOWN, 2), end, said=said)
    assert run(*before, said=said).due == ("visit",)
    visited = run(*before, ("visit", "03-18", COUNTY, 2), end, said=said)
    assert visited.has_ended and visited.due == ()


def test_a_town_that_decides_by_delegation_makes_the_visit_itself() -> None:
    said = {"relation": "child"}
    steps = (SMOOTH[0], ("relative", "03-03", TOWN, 0), *SMOOTH[2:6], ("confirmation", "03-20", TOWN, 0))
    assert run(*steps, said=said).has_ended


def test_an_objection_asks_for_a_recheck_and_a_new_opinion() -> None:
    objected = (*SMOOTH[:5], ("objection", "03-11", TOWN, 0))
    assert run(*objected).due == ("recheck", "opinion")
    submission, recheck, opinion = (
        ("submission", "03-18", TOWN, 0),
        ("recheck", "03-13", TOWN, 0),
        ("opinion", "03-16", TOWN, 0),
    )
    for steps, why in (
        ((submission,), "recheck is due before it"),
        ((recheck, submission), "opinion is due before it"),
        ((opinion,), "recheck is due before it"),
    ):
        with pytest.raises(InputError, match=why):
            run(*objected, *steps)
    assert run(*objected, recheck, opinion, submission, SMOOTH[6]).has_ended
    late = (*SMOOTH[:6], ("objection", "03-17", TOWN, 0), SMOOTH[6])
    with pytest.raises(InputError, match="recheck is due"):
        run(*late)


def test_an_objection_in_tekun_asks_for_a_new_publication_of_seven_days() -> None:
    tekun = RULES.of("tekun", date(2026, 3, 2))
    steps = (
        ("acceptance", "03-02", TOWN, 0), ("opinion", "03-06", TOWN, 0), ("publication", "03-09", TOWN, 0),
        ("objection", "03-11", TOWN, 0), ("recheck", "03-16", TOWN, 0),
    )  # fmt: skip
    with pytest.raises(InputError, match="publication is due"):
        run(*steps, ("submission", "03-18", TOWN, 0), procedure=tekun)
    again = (*steps, ("publication", "03-17", TOWN, 0))
    with pytest.raises(InputError, match="7 days must pass"):
        run(*again, ("submission", "03-23", TOWN, 0), procedure=tekun)
    assert run(*again, ("submission", "03-24", TOWN, 0), procedure=tekun).due == ()


def test_the_procedure_of_2012_publishes_twice() -> None:
    procedure = RULES.of("dibao", date(2020, 6, 1))
    steps = (
        ("acceptance", "03-02", TOWN, 0), ("visit", "03-04", TOWN, 0), ("appraisal", "03-06", TOWN, 0),
        ("publication", "03-09", TOWN, 0), ("opinion", "03-16", COUNTY, 0), ("second_publication", "03-17", TOWN, 0),
        ("confirmation", "03-24", COUNTY, 0),
    )  # fmt: skip
    course = run(*steps, procedure=procedure)
    assert course.has_ended
    assert {d.clock.id: (d.until, d.is_kept) for d in course.deadlines(TABLE)} == {
        # From 2 March, Thursday 5 March off and Saturday 7 March on: ten working days end on the 14th day after.
        "survey": (date(2026, 3, 16), True),
        "appraisal": (date(2026, 3, 11), True),
        "opinion": (date(2026, 3, 23), True),
        "decision": (date(2026, 3, 27), True),
    }


def test_clocks_run_in_working_days() -> None:
    course = run(*SMOOTH)
    found = {d.clock.id: d for d in course.deadlines(TABLE, conditions={"refused"})}
    # 3, 4, 6 March; the 5th is off in the table.
    assert (found["survey"].since, found["survey"].until) == (date(2026, 3, 2), date(2026, 3, 6))
    assert (found["survey"].met_on, found["survey"].is_kept) == (date(2026, 3, 4), True)
    assert (found["decision"].until, found["decision"].is_kept) == (date(2026, 3, 30), True)
    assert (found["refusal"].until, found["refusal"].met_on) == (date(2026, 3, 25), date(2026, 3, 23))
    # Thirty weekdays from 2 March end on 13 April; one off and one Saturday on cancel out.
    assert found["whole"].until == date(2026, 4, 13)
    assert list(found) == ["survey", "decision", "refusal", "whole"]
    assert "refusal" not in {d.clock.id for d in course.deadlines(TABLE)}


def test_the_whole_clock_depends_on_who_decides_and_on_special_cases() -> None:
    plain, objected = run(*SMOOTH[:5]), run(*SMOOTH[:5], ("objection", "03-11", TOWN, 0))
    for course, conditions, name in (
        (plain, set(), "whole"),
        (plain, {"town_decides"}, "whole_town"),
        (plain, {"special"}, "whole_special"),
        (plain, {"special", "town_decides"}, "whole_special"),
        (objected, set(), "whole_special"),
    ):
        assert [d.clock.id for d in course.deadlines(TABLE, conditions=conditions)] == ["survey", name]
    days = {"whole": date(2026, 4, 13), "whole_town": date(2026, 3, 30), "whole_special": date(2026, 5, 4)}
    for conditions, name in ((set(), "whole"), ({"town_decides"}, "whole_town"), ({"special"}, "whole_special")):
        assert plain.deadlines(TABLE, conditions=conditions)[1].until == days[name]
        assert plain.deadlines(TABLE, conditions=conditions)[1].is_kept is None


def test_a_second_visit_starts_no_clock_again_and_a_second_objection_does() -> None:
    procedure = RULES.of("dibao", date(2020, 6, 1))
    steps = (
        ("acceptance", "03-02", TOWN, 0), ("visit", "03-04", TOWN, 0), ("appraisal", "03-06", TOWN, 0),
        ("visit", "03-30", COUNTY, 0),
    )  # fmt: skip
    found = {d.clock.id: (d.since, d.met_on) for d in run(*steps, procedure=procedure).deadlines(TABLE)}
    assert found == {
        "survey": (date(2026, 3, 2), date(2026, 3, 4)),
        "appraisal": (date(2026, 3, 4), date(2026, 3, 6)),
    }
    tekun = RULES.of("tekun", date(2026, 3, 2))
    once = (
        ("acceptance", "03-02", TOWN, 0), ("opinion", "03-06", TOWN, 0), ("publication", "03-09", TOWN, 0),
        ("objection", "03-11", TOWN, 0), ("recheck", "03-16", TOWN, 0),
    )  # fmt: skip
    for taken, expected in (
        (once, (date(2026, 3, 11), date(2026, 3, 16))),
        ((*once, ("publication", "03-17", TOWN, 0), ("objection", "03-19", TOWN, 0)), (date(2026, 3, 19), None)),
    ):
        clocks = {d.clock.id: (d.since, d.met_on) for d in run(*taken, procedure=tekun).deadlines(TABLE)}
        assert clocks["objection"] == expected


def test_a_step_that_comes_late_is_seen() -> None:
    course = run(SMOOTH[0], ("visit", "03-09", TOWN, 2))
    assert [(d.clock.id, d.is_kept) for d in course.deadlines(TABLE)] == [("survey", False), ("whole", None)]


# ---- working days


def test_working_days_are_weekdays_but_for_the_table() -> None:
    assert [d for d in range(1, 9) if TABLE.is_working(date(2026, 3, d))] == [2, 3, 4, 6, 7]
    assert TABLE.after(date(2026, 3, 2), 0) == date(2026, 3, 2)
    assert TABLE.after(date(2026, 3, 4), 1) == date(2026, 3, 6)
    assert TABLE.after(date(2026, 3, 6), 2) == date(2026, 3, 9)


def test_without_holidays_ten_working_days_are_two_weeks() -> None:
    bare = Calendar(date(2026, 1, 1), date(2026, 12, 31), frozenset(), frozenset())
    for n in range(5):
        monday = date(2026, 3, 2) + timedelta(days=n)
        assert bare.after(monday, 10) == monday + timedelta(days=14)


def test_a_day_that_the_table_does_not_know_is_an_error() -> None:
    with pytest.raises(InputError, match="known from 2026-01-01 to 2026-12-31, and 2027-01-01 was asked for"):
        TABLE.after(date(2026, 12, 30), 5)
    with pytest.raises(InputError, match="2025-12-31"):
        TABLE.is_working(date(2025, 12, 31))


GOOD = """known_from = 2026-01-01
known_until = 2026-12-31
source = "made up"
holidays = [2026-03-05]
workdays = [2026-03-07]
"""


def test_a_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "days.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert Calendar.load(path) == TABLE


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("2026-03-05", "2026-03-07", "weekend day among the holidays"),
        ("[2026-03-07]", "[2026-03-06]", "weekday among the working days"),
        ("2026-03-05", "2027-03-05", "outside of what the table says"),
        ("known_until", "until", "known_until"),
        ("source", "sauce", "source"),
        ('"made up"', "3", "source"),
        ("holidays = ", "holidays ", "TOML"),
    ],
)
def test_a_faulty_table_is_refused(old: str, new: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "days.toml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=why):
        Calendar.load(path)
    with pytest.raises(InputError, match=r"none\.toml"):
        Calendar.load(tmp_path / "none.toml")


# ---- the law as data


def test_every_clock_wait_and_duty_is_cited_by_an_instrument_of_the_pack() -> None:
    pack = Path("rules/cn/pack.toml").read_text(encoding="utf-8")
    parts = [part.cite for p in RULES.all for part in p.wait] + [part.cite for p in RULES.all for part in p.clock]
    parts += [p.cite for p in RULES.all]
    assert all(parts)
    duties = [rule for p in RULES.all for rule in p.step if rule.due or rule.due_of_decider or rule.officers]
    assert all(rule.cite or rule.due == ["recheck"] for rule in duties)
    for c in [c for cite in [*parts, *(rule.cite for rule in duties)] for c in cite]:
        assert f'id = "{c.split("#")[0]}"' in pack


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('needs = ["visit"]', 'needs = ["visits"]'),
        ('{ id = "visit"', '{ id = "acceptance"'),
        ("ends = true, ", ""),
        ("working_days = 3", 'working_days = "3"'),
        ("officers = 2", "officer = 2"),
        ('id = "dibao-2022"', 'id = "dibao-2021"'),
    ],
)
def test_a_faulty_procedure_is_refused(old: str, new: str, tmp_path: Path) -> None:
    text = Path("rules/cn/procedure.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "pack.toml").write_text("", encoding="utf-8")
    (tmp_path / "procedure.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(PackError):
        Procedures.load(tmp_path)
    with pytest.raises(PackError, match=r"no procedure\.toml"):
        Procedures.load(tmp_path / "none")
