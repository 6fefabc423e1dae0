"""Each kind of contradiction: had, just missed, settled by a finding, settled by a rule; by both executors."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from meanscheck.contracts.units import CaseUnit, FeedFacts, Value
from meanscheck.errors import PackError
from meanscheck.law import Law, RulePack
from meanscheck.law.audit import audit
from meanscheck.law.conflicts import KINDS
from meanscheck.law.law import Law as RecordedLaw
from meanscheck.law.plain import PlainRun
from meanscheck.values.evidence_state import EvidenceState

from .comparing import differences, vector_run
from .situations import SITUATIONS, Contradicted, Situation, law_of_one, reviewed, stanza, unit_of

BY_KIND = {s.kind: s for s in SITUATIONS}
every_kind = pytest.mark.parametrize("situation", SITUATIONS, ids=lambda s: s.kind)


def decided(law: Law, unit: CaseUnit) -> PlainRun:
    """The case by the plain executor; the vector executor must agree in everything."""
    assert differences(law, [unit]) == []
    return PlainRun(law, unit)


def verdicts(run: PlainRun) -> list[tuple[str, str]]:
    return [(d.kind, d.verdict) for d in run.contradictions.disputes]


def test_every_kind_has_a_situation() -> None:
    assert set(BY_KIND) == set(KINDS)


@every_kind
def test_an_open_contradiction_refers_and_is_named(situation: Situation, tmp_path: Path) -> None:
    run = decided(law_of_one(tmp_path, situation), unit_of(situation.has))
    assert verdicts(run) == [(situation.kind, "open")]
    (outcome,) = run.decide()
    assert outcome.outcome == "refer" and outcome.causes == {f"conflict:{situation.kind}"}
    (dispute,) = run.contradictions.disputes
    ids = {str(run.unit.persons[p.person].attributes["id"]) for p in dispute.points}
    assert ids == set(situation.persons)
    figures = None if dispute.one is None or dispute.other is None else (dispute.one, dispute.other)
    assert figures == situation.figures


@every_kind
def test_just_short_of_it_there_is_none(situation: Situation, tmp_path: Path) -> None:
    run = decided(law_of_one(tmp_path, situation), unit_of(situation.short))
    assert verdicts(run) == []
    assert [o.outcome for o in run.decide()] == ["eligible"]


@every_kind
def test_a_finding_settles_it(situation: Situation, tmp_path: Path) -> None:
    run = decided(law_of_one(tmp_path, situation), reviewed(unit_of(situation.has), situation.drop, 2))
    assert verdicts(run) == [(situation.kind, "finding")]
    assert [o.outcome for o in run.decide()] == ["eligible"]


@every_kind
def test_a_rule_settles_it(situation: Situation, tmp_path: Path) -> None:
    run = decided(law_of_one(tmp_path, situation, rule="law"), unit_of(situation.has))
    assert verdicts(run) == [(situation.kind, "rule")]
    assert [o.outcome for o in run.decide()] == ["eligible"]


@every_kind
def test_a_feed_that_was_not_answered_contradicts_nothing(situation: Situation, tmp_path: Path) -> None:
    unit = unit_of(situation.has)
    silent = tuple(
        replace(p, feeds={f: FeedFacts(EvidenceState.NO_ANSWER, x.rows) for f, x in p.feeds.items()})
        for p in unit.persons
    )
    assert verdicts(decided(law_of_one(tmp_path, situation), replace(unit, persons=silent))) == []


def test_confirming_one_side_settles_and_confirming_one_row_of_two_does_not(tmp_path: Path) -> None:
    situation = BY_KIND["duplicate_vehicle"]
    law, unit = law_of_one(tmp_path, situation), unit_of(situation.has)
    once = reviewed(unit, (0, "vehicles", 0), 1)
    assert verdicts(decided(law, once)) == [("duplicate_vehicle", "open")]
    assert verdicts(decided(law, reviewed(once, (1, "vehicles", 0), 1))) == [("duplicate_vehicle", "finding")]
    pension = BY_KIND["dead_pensioner"]
    confirmed = reviewed(unit_of(pension.has), (0, "pensions_paid", 0), 1)
    assert verdicts(decided(law_of_one(tmp_path, pension), confirmed)) == [("dead_pensioner", "finding")]


def test_what_is_left_after_a_finding_is_what_is_told(tmp_path: Path) -> None:
    situation = BY_KIND["declared_deposits"]
    unit = unit_of(situation.has)
    (person,) = unit.persons
    two = FeedFacts(rows=({"balance": 101}, {"balance": 50}))
    unit = replace(unit, persons=(replace(person, feeds={**person.feeds, "bank_deposits": two}),))
    law = law_of_one(tmp_path, situation)
    assert [(d.one, d.other) for d in decided(law, unit).contradictions.disputes] == [(100, 151)]
    run = decided(law, reviewed(unit, (0, "bank_deposits", 1), 2))
    assert [(d.one, d.other, d.verdict) for d in run.contradictions.disputes] == [(100, 101, "open")]


def test_another_source_that_holds_drops_the_rows_against_it(tmp_path: Path) -> None:
    situation = BY_KIND["dead_pensioner"]
    unit = unit_of(situation.has)
    law = law_of_one(tmp_path, situation, rule="source", more='holds = "deaths"')
    run = decided(law, unit)
    assert verdicts(run) == [("dead_pensioner", "rule")]
    assert run.variable("all_pensions_paid") == 0
    law = law_of_one(tmp_path, situation, rule="source", more='holds = "pensions_paid"')
    assert decided(law, unit).variable("all_pensions_paid") == 1


def test_a_difference_counts_from_the_amount_that_the_law_names(tmp_path: Path) -> None:
    situation = BY_KIND["declared_deposits"]
    unit = unit_of(situation.has)
    assert verdicts(decided(law_of_one(tmp_path, situation, more='counts_from = "0.02"'), unit)) == []
    assert len(verdicts(decided(law_of_one(tmp_path, situation, more='counts_from = "0.01"'), unit))) == 1


def test_answers_that_contradict_each_other_keep_their_own_cause(tmp_path: Path) -> None:
    """The pension's own answers contradict each other; that there are also deaths is not looked at then."""
    situation = BY_KIND["dead_pensioner"]
    unit = unit_of(situation.has)
    (person,) = unit.persons
    rows = person.feed("pensions_paid").rows
    feeds = {**person.feeds, "pensions_paid": FeedFacts(EvidenceState.CONFLICTING, rows)}
    run = decided(law_of_one(tmp_path, situation), replace(unit, persons=(replace(person, feeds=feeds),)))
    assert [o.causes for o in run.decide()] == [{"conflicting:pensions_paid"}]


def test_a_known_failure_decides_although_membership_is_in_doubt(tmp_path: Path) -> None:
    situation = BY_KIND["married_without_spouse"]
    first, second = situation.has
    apart = replace(first, said={"lives_together": False})
    run = decided(law_of_one(tmp_path, situation), unit_of((apart, second)))
    assert verdicts(run) == [("married_without_spouse", "open")]
    # Not living together is no member in this law, whoever is married to whom.
    assert run.variable("is_member", 0) is False and run.variable("size") == 1
    assert [o.outcome for o in run.decide()] == ["eligible"]


def test_the_recorded_law_carries_its_kinds(tmp_path: Path) -> None:
    law = law_of_one(tmp_path, BY_KIND["dead_pensioner"])
    again = RecordedLaw.from_json(law.canonical)
    assert again == law and again.conflicts == law.conflicts and again.needs == law.needs
    without = Contradicted(["pensions_paid"]).law(tmp_path)
    assert "conflicts" not in without.to_json() and without.digest != law.digest


def test_what_is_found_shows_no_value_of_a_person(tmp_path: Path) -> None:
    for kind, secret in (("duplicate_account", "token-of-A"), ("declared_deposits", "987654321")):
        situation = BY_KIND[kind]
        unit = unit_of(situation.has)
        row: dict[str, Value] = {"bank_code": "X", "account_token": "token-of-A", "balance": 987_654_321}
        persons = tuple(
            replace(p, feeds={**p.feeds, "bank_deposits": FeedFacts(rows=({**row, "verdict": 0},))})
            for p in unit.persons
        )
        run = decided(law_of_one(tmp_path, situation), replace(unit, persons=persons))
        assert verdicts(run) == [(kind, "open")]
        assert secret not in repr(run.contradictions.disputes) + repr(vector_run(run.law, [run.unit]).disputes)


def test_a_rule_that_is_not_sure_settles_nothing(tmp_path: Path) -> None:
    law = law_of_one(tmp_path, BY_KIND["dead_pensioner"], rule="law", more='status = "unsure"')
    run = decided(law, unit_of(BY_KIND["dead_pensioner"].has))
    assert verdicts(run) == [("dead_pensioner", "open")]


def test_a_folder_below_overrides_a_kind_and_keeps_the_others() -> None:
    on = date(2021, 8, 1)
    nation, province = (RulePack.load(f"rules/{place}").on(on).conflicts for place in ("cn", "cn/guangdong"))
    assert set(nation) == set(province) == set(KINDS)
    declared = {name for name in KINDS if name.startswith("declared_")}
    assert {n for n in KINDS if nation[n].rule != province[n].rule} == declared
    assert all(province[n].cite == ("gd-262",) and province[n].label == nation[n].label for n in declared)
    # Order 262 is of 2019; before, and as known before, nothing says that the higher figure counts.
    pack = RulePack.load("rules/cn/guangdong")
    assert not declared & set(pack.on(date(2019, 8, 31)).conflicts)


def test_what_rests_on_no_rule_is_listed_by_the_check_of_the_pack() -> None:
    found = {(f.kind, f.what) for f in audit("rules/cn").findings}
    assert ("unknown", "conflict dead_pensioner") in found and ("derived", "conflict dead_applicant") in found
    assert ("deployment", "conflict wages_against_base, threshold") in found
    assert not any(
        f.what == "conflict declared_wages" for f in audit("rules/cn/guangdong").findings if "guangdong" in f.place
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (stanza("lost_shoe", []), "no such kind"),
        (stanza("dead_pensioner", ["vehicles"]), "vehicles is no side"),
        (stanza("dead_pensioner", [], "source"), "which source holds"),
        (stanza("dead_pensioner", [], "source", 'holds = "vehicles"'), "vehicles is no side"),
        (stanza("dead_pensioner", [], "person", 'holds = "deaths"'), "which source holds"),
        (stanza("dead_pensioner", [], "higher"), "no two figures"),
        (stanza("declared_deposits", [], "higher"), "no formula takes it"),
        (stanza("declared_deposits", [], "person", 'counts_from = "a few"'), "counts_from"),
        (stanza("declared_deposits", [], "person", 'counts_share = "-0.5"'), "negative"),
        (stanza("declared_deposits", [], "person", "counts_share = 0.5"), "float"),
        (stanza("declared_deposits", [], "nobody"), "rule"),
        (stanza("dead_pensioner", []) + stanza("dead_pensioner", []), "defined twice"),
        (stanza("dead_pensioner", []).replace("inst#7", "other#7"), "unknown instrument"),
    ],
)
def test_a_faulty_stanza_is_refused_by_name(text: str, message: str, tmp_path: Path) -> None:
    pack = Contradicted(["pensions_paid"])
    pack.conflicts.append(text)
    with pytest.raises(PackError, match=message) as caught:
        pack.law(tmp_path)
    assert "conflict" in str(caught.value)


def test_the_higher_figure_is_accepted_where_a_formula_takes_it(tmp_path: Path) -> None:
    pack = Contradicted(["bank_deposits"])
    held = "sum(b.balance for b in bank_deposits)"
    pack.variable("found", "member", "money", held)
    pack.variable("counts", "member", "money", "greatest(found, sum(d.amount for d in declaration))")
    pack.conflicts.append(stanza("declared_deposits", ["bank_deposits"], "higher"))
    run = decided(pack.law(tmp_path), unit_of(BY_KIND["declared_deposits"].has))
    assert verdicts(run) == [("declared_deposits", "rule")]
    assert run.variable("counts", 0) == 101
