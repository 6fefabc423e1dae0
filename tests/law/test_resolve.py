"""What applies on a day, as known by a day: inheritance, two clocks, unsure figures, what-if."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from meanscheck.contracts.units import CaseUnit, PersonFacts
from meanscheck.errors import PackError
from meanscheck.law import RulePack
from meanscheck.law.plain import PlainRun

from .comparing import differences
from .laws import ON, loaded
from .packs import STANDARD, PackText, figure, revision, sound

URBAN = {"residence": "urban"}
ONE = CaseUnit("one", URBAN, (PersonFacts("member", {"id": "A", "lives_together": True, "born_on": date(1950, 1, 1)}),))


# ---- inheritance


def child(folder: Path, **texts: str) -> RulePack:
    below = folder / "below"
    files = {"pack.toml": 'code = "440700"\nname = "Below"\n'} | {f"{name}.toml": text for name, text in texts.items()}
    return loaded(files, below)


def test_a_folder_inherits_what_it_does_not_say(tmp_path: Path) -> None:
    above = sound().load(tmp_path).on(ON)
    law = child(tmp_path).on(ON)
    assert (law.code, law.name) == ("440700", "Below")
    assert law.trees == above.trees and law.parameters == above.parameters


def test_a_folder_overrides_a_figure_for_the_days_it_covers(tmp_path: Path) -> None:
    sound().load(tmp_path)
    text = '[[parameter]]\nid = "p.money"\n' + revision("2015-01-01", 'value = "700.00"', "ends_on = 2020-01-31")
    pack = child(tmp_path, parameters=text)
    days = {date(2014, 12, 31): 57_000, date(2015, 1, 1): 70_000, date(2020, 1, 31): 70_000, date(2020, 2, 1): 57_000}
    assert {day: pack.on(day).parameters["p.money"].get() for day in days} == days


def test_a_folder_overrides_a_test_by_its_id_and_adds_another(tmp_path: Path) -> None:
    sound().load(tmp_path)
    text = '[[programme]]\nid = "dibao"\n'
    text += '[[programme.test]]\nid = "only"\n' + PackText.revision("programme.test", "income <= p.money")
    text += '[[programme.test]]\nid = "more"\nlabel_zh = "人数"\n' + PackText.revision("programme.test", "size > 0")
    (programme,) = child(tmp_path, rules=text).on(ON).programmes
    assert [(t.id, t.formula) for t in programme.tests] == [("only", "income <= p.money"), ("more", "size > 0")]
    assert programme.award is not None and programme.tests[1].label_zh == "人数"


def test_a_variable_of_the_folder_above_reads_the_figure_below(tmp_path: Path) -> None:
    sound().variable("line", "household", "money", "p.money * 2").load(tmp_path)
    text = '[[parameter]]\nid = "p.money"\n' + revision("2015-01-01", 'value = "700.00"')
    assert PlainRun(child(tmp_path, parameters=text).on(ON), ONE).variable("line") == 140_000


def test_an_inherited_formula_is_checked_against_the_unit_below(tmp_path: Path) -> None:
    sound().load(tmp_path)
    with pytest.raises(PackError, match="the formula gives money, declared is money/month"):
        child(tmp_path, rules='[[variable]]\nid = "income"\nunit = "money/month"\n')


def test_review_can_be_taken_back_below(tmp_path: Path) -> None:
    pack = sound()
    pack.rules[-1] = pack.rules[-1].replace('id = "only"\n', 'id = "only"\nreview = ["tax_income"]\n')
    above = pack.load(tmp_path).on(ON)
    assert above.programmes[0].tests[0].review == ("tax_income",)
    assert "income~tax_income" in above.variables
    text = '[[programme]]\nid = "dibao"\n[[programme.test]]\nid = "only"\nreview = []\n'
    assert "income~tax_income" not in child(tmp_path, rules=text).on(ON).variables


OWN_WORDS = """[[programme]]
id = "dibao"
[[programme.test]]
id = "only"
quote = "不高于"
[[programme.test.revision]]
in_force_on = 2018-01-01
formula = "income <= p.money"
cite = ["inst#1"]
[[programme.test.revision]]
in_force_on = 2019-01-01
formula = "income < p.money"
quote = "低于"
cite = ["inst#1"]
"""


@pytest.mark.parametrize(
    ("on", "quote"),
    [(date(2017, 12, 31), "低于"), (date(2018, 1, 1), "不高于"), (date(2019, 1, 1), "低于")],
)
def test_a_folder_speaks_in_its_own_words_from_its_own_day(on: date, quote: str, tmp_path: Path) -> None:
    pack = sound()
    pack.rules[-1] = pack.rules[-1].replace('id = "only"\n', 'id = "only"\nquote = "低于"\n')
    assert "income < p.money" in pack.rules[-1]
    pack.load(tmp_path)
    assert child(tmp_path, rules=OWN_WORDS).on(on).programmes[0].tests[0].quote == quote


# ---- two clocks


def clocks() -> PackText:
    pack = sound()
    later = revision("2018-01-01", 'value = "800.00"', "published_on = 2018-06-15")
    corrected = revision("2018-01-01", 'value = "810.00"', "published_on = 2019-01-15")
    pack.parameters[0] += later + corrected
    return pack


@pytest.mark.parametrize(
    ("on", "known_by", "fen"),
    [
        (date(2017, 12, 31), None, 57_000),
        (date(2018, 1, 1), None, 57_000),
        (date(2018, 6, 14), None, 57_000),
        (date(2018, 6, 15), None, 80_000),
        (date(2018, 3, 1), date(2018, 6, 15), 80_000),
        (date(2018, 3, 1), date(2019, 1, 14), 80_000),
        (date(2018, 3, 1), date(2019, 1, 15), 81_000),
        (date(2020, 6, 30), date(2018, 12, 31), 80_000),
        (date(2017, 6, 30), date(2020, 1, 1), 57_000),
    ],
)
def test_what_was_published_later_is_not_known_before(
    on: date, known_by: date | None, fen: int, tmp_path: Path
) -> None:
    law = clocks().load(tmp_path).on(on, known_by=known_by)
    assert law.parameters["p.money"].get() == fen
    assert law.known_by == (known_by or on)


def test_publication_defaults_to_the_issue_of_the_cited_instrument(tmp_path: Path) -> None:
    pack = sound()
    pack.pack += '[[instrument]]\nid = "notice"\ntitle = "A notice"\nissued_on = 2018-06-15\n'
    pack.parameters[0] += revision("2018-01-01", 'value = "800.00"', cite='cite = ["notice#2"]')
    loaded_pack = pack.load(tmp_path)
    assert loaded_pack.on(date(2018, 6, 14)).parameters["p.money"].get() == 57_000
    assert loaded_pack.on(date(2018, 6, 15)).parameters["p.money"].get() == 80_000


def test_before_the_first_publication_a_value_is_unknown(tmp_path: Path) -> None:
    pack = sound()
    for i, text in enumerate(pack.parameters):
        pack.parameters[i] = text.replace('"570.00"\n', '"570.00"\npublished_on = 2012-01-01\n')
    pack.rules = [
        r.replace("cite = ", "published_on = 2012-01-01\ncite = ") if '"income"' in r else r for r in pack.rules
    ]
    early = pack.load(tmp_path).on(date(2011, 1, 1))
    assert early.parameters["p.money"].unknown == "not published"
    assert PlainRun(early, ONE).decide()[0].causes == {"parameter:p.money", "formula:variable income"}


def test_an_award_not_yet_published_refers(tmp_path: Path) -> None:
    pack = sound()
    head, award = pack.rules[-1].split("[programme.award]")
    pack.rules[-1] = head + "[programme.award]" + award.replace("cite = ", "published_on = 2012-01-01\ncite = ")
    law = pack.load(tmp_path)
    (refers,) = PlainRun(law.on(date(2011, 1, 1)), ONE).decide()
    (decided,) = PlainRun(law.on(date(2012, 1, 1)), ONE).decide()
    assert refers.outcome == "refer" and refers.causes == {"formula:programme dibao, award"}
    assert (decided.outcome, decided.award) == ("eligible", 90_000)


def test_a_programme_is_gone_after_its_last_day(tmp_path: Path) -> None:
    pack = sound()
    pack.rules[-1] = pack.rules[-1].replace(
        "in_force_on = 2010-01-01\n", "in_force_on = 2010-01-01\nends_on = 2014-04-30\n", 1
    )
    pack.programme(
        "next",
        "household",
        'outcome(dibao) == "eligible"',
        'yields_to = [{ programme = "dibao", when = "any member" }]',
    )
    whole = pack.load(tmp_path)
    assert [p.id for p in whole.on(date(2014, 4, 30)).programmes] == ["dibao", "next"]
    law = whole.on(date(2014, 5, 1))
    assert [(p.id, p.yields_to) for p in law.programmes] == [("next", ())]
    assert [o.outcome for o in PlainRun(law, ONE).decide()] == ["ineligible"]
    assert differences(law, [ONE]) == []


def test_a_test_that_begins_later_is_no_test_before(tmp_path: Path) -> None:
    pack = sound()
    late = PackText.revision("programme.test", "size > 2").replace("2010-01-01", "2020-07-01")
    pack.rules[-1] = pack.rules[-1].replace(
        "[programme.award]", f'[[programme.test]]\nid = "late"\n{late}[programme.award]'
    )
    whole = pack.load(tmp_path)
    assert [len(whole.on(day).programmes[0].tests) for day in (ON, date(2020, 7, 1))] == [1, 2]


# ---- unsure figures, what-if


def unsure() -> PackText:
    pack = sound()
    pack.parameters[0] = pack.parameters[0].replace("cite", 'status = "unsure"\ncite')
    return pack


def test_an_unsure_figure_refers_naming_it_unless_accepted(tmp_path: Path) -> None:
    pack = unsure().load(tmp_path)
    (refers,) = PlainRun(pack.on(ON), ONE).decide()
    assert refers.outcome == "refer" and refers.causes == {"parameter:p.money"}
    law = pack.on(ON, accept={"p.money"})
    assert PlainRun(law, ONE).decide()[0].outcome == "eligible"
    assert law.accepted == ("p.money",) and law.digest != pack.on(ON).digest


def test_a_figure_not_found_refers_even_if_accepted(tmp_path: Path) -> None:
    pack = sound()
    pack.parameters[0] = pack.parameters[0].replace('value = "570.00"', 'unknown = "not found"')
    (outcome,) = PlainRun(pack.load(tmp_path).on(ON, accept={"p.money"}), ONE).decide()
    assert outcome.outcome == "refer" and outcome.causes == {"parameter:p.money"}


def test_an_unsure_formula_refers_unless_accepted(tmp_path: Path) -> None:
    pack = sound()
    pack.rules[1] = pack.rules[1].replace("cite", 'status = "unsure"\ncite')
    whole = pack.load(tmp_path)
    assert PlainRun(whole.on(ON), ONE).decide()[0].causes == {"formula:variable income"}
    assert PlainRun(whole.on(ON, accept={"income"}), ONE).decide()[0].outcome == "eligible"


def test_a_scalar_of_an_overlay_stands_for_every_key(tmp_path: Path) -> None:
    pack = sound()
    figure(revision("2010-01-01", 'value = { urban = "900.00" }'), head=STANDARD)(pack)
    pack.variable("line", "household", "money/month", "standard[residence]")
    whole = pack.load(tmp_path)
    rural = CaseUnit("rural", {"residence": "rural"}, ONE.persons)
    assert [PlainRun(whole.on(ON), u).variable("line") for u in (ONE, rural)] == [90_000, None]
    law = whole.on(ON, overlay={"standard": "950.00"})
    assert [PlainRun(law, u).variable("line") for u in (ONE, rural)] == [95_000, 95_000]
    assert differences(law, [ONE, rural]) == [] and law.accepted == ("standard",)
    table = whole.on(ON, overlay={"standard": {"rural": "850.00"}})
    assert [PlainRun(table, u).variable("line") for u in (ONE, rural)] == [None, 85_000]


def test_a_missing_key_of_a_table_refers_naming_the_figure(tmp_path: Path) -> None:
    pack = sound()
    figure(revision("2010-01-01", 'value = { rural = "900.00" }'), head=STANDARD)(pack)
    pack.programme("other", "household", "0 < standard[residence]")
    outcome = PlainRun(pack.load(tmp_path).on(ON), ONE).outcome("other", None)
    assert outcome.outcome == "refer" and outcome.causes == {"parameter:standard"}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"accept": {"p.mony"}}, "no parameter p.mony"),
        ({"overlay": {"p.mony": "1.00"}}, "no parameter p.mony"),
        ({"overlay": {"income": "1.00"}}, "no parameter income"),
        ({"overlay": {"p.money": 1}}, "written as text"),
        ({"overlay": {"p.money": 1.5}}, "float"),
        ({"overlay": {"p.money": {"urban": "1.00"}}}, "a single figure is wanted"),
    ],
)
def test_a_faulty_what_if_is_refused(options: dict[str, object], reason: str, tmp_path: Path) -> None:
    with pytest.raises(PackError, match=reason):
        sound().load(tmp_path).on(ON, **options)  # type: ignore[arg-type]


# ---- size


def test_a_long_chain_of_variables_is_decided(tmp_path: Path) -> None:
    pack = sound()
    pack.variable("v0", "household", "number", "size")
    for i in range(1, 600):
        pack.variable(f"v{i}", "household", "number", f"v{i - 1} + 0 if v{i - 1} > 0 else v{i - 1}")
    pack.programme("last", "household", "v599 > 2")
    law = pack.load(tmp_path).on(ON)
    assert PlainRun(law, ONE).outcome("last", None).outcome == "ineligible"
    nobody_knows = CaseUnit("open", {}, (PersonFacts("member", {"id": "A"}),))
    assert PlainRun(law, nobody_knows).outcome("last", None).causes == {"unknown:lives_together", "unknown:born_on"}


def test_review_of_variables_that_share_their_parts_stays_quick(tmp_path: Path) -> None:
    pack = sound()
    pack.variable("v0", "household", "money", "sum(t.amount for t in tax_income)")
    for i in range(1, 40):
        pack.variable(f"v{i}", "household", "money", f"least(v{i - 1}, v{i - 1})")
    pack.programme("last", "household", "v39 >= 0")
    pack.rules[-1] = pack.rules[-1].replace('id = "only"\n', 'id = "only"\nreview = ["tax_income"]\n')
    law = pack.load(tmp_path).on(ON)
    assert len([v for v in law.variables if v.endswith("~tax_income")]) == 40
    assert PlainRun(law, ONE).outcome("last", None).outcome == "eligible"
