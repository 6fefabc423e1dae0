"""Each kind of change, planted in a copy of a store, gives exactly its class, by the clock that sees it.

Everything is planted first, each thing in a case of its own, and then all of these cases are replayed at once.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from decisions.office import PACK, Office, records

from meanscheck.evidence import Store
from meanscheck.law import RulePack
from meanscheck.replay import CLASSES, Now, Replay, replay_both, replay_records
from meanscheck.replay.again import law_changes, law_of_now

TODAY = date(2021, 3, 1)
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Copy:
    """A copy of the clean county's store, to be spoiled, and a folder to write files into."""

    office: Office
    store: Store
    folder: Path
    records: Mapping[str, Record]
    taken: set[str]

    def member(self, feed: str, where: str = "true") -> tuple[str, int, str]:
        """(case, person, identity number) of a member with a row in the feed, of a case that nothing was done to."""
        found = self.store.fetch(
            "select u.case_id, p.person, p.id_number from units u join unit_persons m on m.request = u.request "
            f"join persons p using (person) join feed_{feed} r on r.person = p.person "
            f"where m.role = 'member' and {where} group by all order by all"
        )
        for case, person, number in found.iter_rows():
            if case not in self.taken:
                self.taken.add(case)
                return str(case), int(person), str(number)
        raise AssertionError("nobody left")

    def untouched(self, most: int, *, outcome: str = "") -> list[Record]:
        """Records of cases that nothing was done to, of those with that outcome of dibao."""
        wanted = set(self.records)
        if outcome:
            frame = self.office.outcomes.filter(programme="dibao", outcome=outcome)
            wanted = set(frame["case_id"].to_list())
        return [r for c, r in self.records.items() if c in wanted and c not in self.taken][:most]

    def line(self, file: str, key: str, value: str) -> dict[str, Any]:
        """A line of the county's requests or consents."""
        for text in (self.office.county.inbox / file).read_text(encoding="utf-8").splitlines():
            line: dict[str, Any] = json.loads(text)
            if line[key] == value:
                return line
        raise AssertionError("no such line")

    def written(self, name: str, line: Mapping[str, Any]) -> Path:
        file = self.folder / f"{len(list(self.folder.iterdir()))}-{name}"
        file.write_text(json.dumps(line, ensure_ascii=False) + "\n", encoding="utf-8")
        return file

    def asked_again(self, case: str, **changes: Any) -> None:
        """A later request in the place of that of the case."""
        line = self.line("requests.jsonl", "case_id", case)
        self.store.requests(
            self.written("requests.jsonl", {**line, "request_no": line["request_no"] + "-2", **changes})
        )

    def withdrawn(self, number: str, day: str) -> None:
        """A later version of the consent of a person, withdrawn on a day."""
        line = self.line("consents.jsonl", "id_number", number)
        self.store.consents(self.written("consents.jsonl", {**line, "withdrawn_on": day}))


def row_edited(copy: Copy) -> str:
    case, person, _ = copy.member("pensions_paid", "r.month = date '2020-03-01'")
    copy.store.run(
        "update feed_pensions_paid set amount_fen = amount_fen + 100 where person = ? and month = date '2020-03-01'",
        [person],
    )
    return case


def row_deleted(copy: Copy) -> str:
    case, person, _ = copy.member("wallets")
    copy.store.run("delete from feed_wallets where person = ?", [person])
    return case


def late_batch(copy: Copy) -> str:
    case, _, number = copy.member("bank_deposits")
    file = copy.folder / "late-declaration.csv"
    file.write_text(f"id_number,item,amount\n{number},other,60000.00\n", encoding="utf-8")
    assert copy.store.ingest("declaration", file).accepted == 1
    return case


def consent_withdrawn(copy: Copy) -> str:
    case, _, number = copy.member("bank_deposits")
    copy.withdrawn(number, "2020-06-15")
    return case


def consent_withdrawn_after_the_day(copy: Copy) -> str:
    case, _, number = copy.member("bank_deposits")
    copy.withdrawn(number, "2020-12-01")
    return case


def rows_deleted_after_withdrawal(copy: Copy) -> str:
    case, person, number = copy.member("insurance_policies")
    copy.withdrawn(number, "2020-12-01")
    copy.store.run("delete from feed_insurance_policies where person = ?", [person])
    return case


def member_added(copy: Copy) -> str:
    case, _, _ = copy.member("bank_deposits")
    base, weights = "44070320150101001", (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    number = base + "10X98765432"[sum(int(c) * w for c, w in zip(base, weights, strict=True)) % 11]
    members = copy.line("requests.jsonl", "case_id", case)["members"]
    child = {**members[0], "id": "Z", "id_number": number, "relation": "child", "born_on": "2015-01-01"}
    copy.asked_again(case, members=[*members, child])
    return case


def member_deleted(copy: Copy) -> str:
    found = copy.store.fetch(
        "select case_id, request, max(m.id) as id from units join unit_persons m using (request) "
        "where request not in (select request from unit_persons where supports is not null) "
        "group by all having count(*) = 2 order by all"
    )
    case, request, last = next(row for row in found.iter_rows() if row[0] not in copy.taken)
    copy.taken.add(case)
    copy.store.run("delete from unit_persons where request = ? and id = ?", [request, last])
    return str(case)


def statement_corrected(copy: Copy) -> str:
    case, _, _ = copy.member("bank_deposits")
    copy.asked_again(case, accepting_place="另一街道")
    return case


@dataclass(frozen=True)
class Plant:
    """What is planted, and the classes that must come out as known then and as known now; `says` stands in the text."""

    do: Callable[[Copy], str]
    then: tuple[str, ...]
    now: tuple[str, ...]
    says: str = ""
    zh: str = ""


PLANTS = {
    plant.do.__name__: plant
    for plant in (
        Plant(
            row_edited,
            ("corrected_evidence",),
            ("corrected_evidence",),
            "changed in place: 1 of pensions_paid (batch ",
            "记录已被改动",
        ),
        Plant(
            row_deleted,
            ("corrected_evidence",),
            ("corrected_evidence",),
            "no longer have the rows they came with",
            "批次的记录数与收到时不符",
        ),
        Plant(late_batch, (), ("corrected_evidence",), "after the snapshot: received: 1 of declaration", "收到"),
        Plant(consent_withdrawn, (), ("consent_withdrawn",), "no longer to be read: ", "授权撤回"),
        Plant(consent_withdrawn_after_the_day, (), ()),
        Plant(
            rows_deleted_after_withdrawal,
            ("consent_withdrawn",),
            ("consent_withdrawn",),
            "a consent was withdrawn (of ",
            "授权已撤回",
        ),
        # Members changed, so consents must be signed again before what they opened is read.
        Plant(member_added, (), ("composition_change", "consent_withdrawn"), "must be signed again", "须重新签署"),
        Plant(member_deleted, ("composition_change",), ("composition_change",), "gone: B", "减少 B"),
        Plant(statement_corrected, (), ("corrected_evidence",), "the request was replaced by R", "委托已由"),
    )
}


@pytest.fixture(scope="module")
def copy(clean: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    clean.store.run("checkpoint")
    folder = tmp_path_factory.mktemp("planted")
    shutil.copy(clean.store.path, folder / "county.duckdb")
    with Store.open(folder / "county.duckdb", memory_limit="500MB") as store:
        yield Copy(clean, store, folder, {str(r["subject"]["case"]): r for r in records(clean.result)}, set())


@pytest.fixture(scope="module")
def found(copy: Copy) -> Mapping[str, tuple[Replay, Replay]]:
    """Plant → the case as known then and as known now."""
    cases = {name: plant.do(copy) for name, plant in PLANTS.items()}
    assert len(set(cases.values())) == len(cases)
    both = replay_both([copy.records[case] for case in cases.values()], store=copy.store, now=Now(TODAY))
    return dict(zip(cases, both, strict=True))


@pytest.mark.parametrize("name", PLANTS)
def test_what_is_planted_gives_exactly_its_class(name: str, found: Mapping[str, tuple[Replay, Replay]]) -> None:
    then, now = found[name]
    plant = PLANTS[name]
    assert (then.classes, now.classes) == (plant.then, plant.now)
    for one in (then, now):
        assert one.verdict == ("different" if one.classes else "equal")
        assert {p for f in one.findings for p in f.paths} == set(one.differences)
    told = now if plant.now else then
    assert plant.says in told.text("en") and plant.zh in told.text("zh")


def test_what_was_added_is_named_by_its_place(found: Mapping[str, tuple[Replay, Replay]]) -> None:
    _, now = found["member_added"]
    assert "household.members[Z]: only in the replay" in now.differences


def test_a_correction_that_changes_no_outcome_says_so(found: Mapping[str, tuple[Replay, Replay]]) -> None:
    _, now = found["statement_corrected"]
    assert set(now.differences) == {"evidence.input", "household.accepting_place"}
    assert not now.touches_result
    assert found["consent_withdrawn"][1].touches_result


def test_a_receipt_without_the_evidence_group_is_judged_by_the_rows(
    copy: Copy, found: Mapping[str, tuple[Replay, Replay]]
) -> None:
    shown = ("subject", "means", "result", "provenance")
    for name, kind in (("row_edited", "corrected_evidence"), ("row_deleted", "unexplained")):
        record = copy.records[found[name][0].case_id]
        (one,) = replay_records(
            [{group: record[group] for group in shown}], store=copy.store, engine="meanscheck 0.0.1"
        )
        assert one.classes == (kind,), name
    assert "evidence group is not shown" in one.text("en")


def test_what_nothing_was_done_to_is_equal_by_both_clocks(
    copy: Copy, found: Mapping[str, tuple[Replay, Replay]]
) -> None:
    assert found
    now = Now(TODAY, RulePack.load(PACK))
    for one in replay_both(copy.untouched(20), store=copy.store, now=now):
        assert [(r.verdict, r.findings) for r in one] == [("equal", ())] * 2
        assert [r.as_known for r in one] == ["then", "now"]


@pytest.fixture(scope="module")
def corrected_pack(tmp_path_factory: pytest.TempPathFactory) -> RulePack:
    """The pack with another figure for dibao in 2020, as if it had been copied wrongly."""
    folder = tmp_path_factory.mktemp("law")
    shutil.copytree("rules", folder / "rules")
    file = folder / PACK / "parameters.toml"
    text = file.read_text(encoding="utf-8")
    assert text.count('value = { urban = "900.00", rural = "900.00" }') == 1
    file.write_text(text.replace('urban = "900.00", rural = "900.00"', 'urban = "940.00", rural = "940.00"'), "utf-8")
    return RulePack.load(folder / PACK)


def test_a_changed_figure_of_the_pack_is_a_law_correction(copy: Copy, corrected_pack: RulePack) -> None:
    record = copy.untouched(1, outcome="eligible")
    ((then, now),) = replay_both(record, store=copy.store, now=Now(TODAY, corrected_pack))
    assert then.is_equal
    assert now.classes == ("law_correction",)
    assert "the pack itself was changed: parameter dibao.standard" in now.text("en")
    assert "result.household[dibao].award" in now.differences and now.touches_result


def test_a_revision_published_later_is_told_from_a_changed_pack(copy: Copy, tmp_path: Path) -> None:
    """The figure of 2020 as raised by a text of 2021 that reaches back: known by 2021 only."""
    shutil.copytree("rules", tmp_path / "rules")
    file = tmp_path / PACK / "parameters.toml"
    text = file.read_text(encoding="utf-8")
    mark = '  note = "900 in the whole city"\n'
    assert mark in text
    raised = (
        '  [[parameter.revision]]\n  value = { urban = "930.00", rural = "930.00" }\n  in_force_on = 2020-03-31\n'
        '  published_on = 2021-02-01\n  cite = ["jm-dibao-2020"]\n  status = "sourced"\n'
    )
    file.write_text(text.replace(mark, mark + raised), encoding="utf-8")
    pack = RulePack.load(tmp_path / PACK)
    record = copy.untouched(1, outcome="eligible")
    (late,) = replay_records(record, store=copy.store, now=Now(TODAY, pack))
    assert late.classes == ("law_correction",)
    assert "published since, by 2021-03-01: parameter dibao.standard" in late.text("en")
    (early,) = replay_records(record, store=copy.store, now=Now(date(2020, 12, 31), pack))
    assert early.is_equal


def test_law_and_evidence_are_told_apart_field_by_field(copy: Copy, corrected_pack: RulePack) -> None:
    (record,) = copy.untouched(1, outcome="eligible")
    case = str(record["subject"]["case"])
    copy.taken.add(case)
    copy.asked_again(case, accepting_place="另一街道")
    (now,) = replay_records([record], store=copy.store, now=Now(TODAY, corrected_pack))
    assert now.classes == ("law_correction", "corrected_evidence")
    paths = {f.kind: set(f.paths) for f in now.findings}
    assert paths["corrected_evidence"] == {"evidence.input", "household.accepting_place"}
    assert "provenance.law" in paths["law_correction"] and not paths["law_correction"] & paths["corrected_evidence"]


@pytest.mark.parametrize(
    ("engine", "kind", "says"),
    [
        ("meanscheck 0.0.1", "engine_change", "decided by meanscheck 0.0.1, replayed by meanscheck "),
        ("", "unexplained", "the engine that decided is not named"),
    ],
)
def test_the_same_inputs_and_law_with_another_result_are_put_down_to_a_named_engine_only(
    copy: Copy, engine: str, kind: str, says: str
) -> None:
    other = json.loads(json.dumps(copy.untouched(1)[0]))
    other["means"]["household"]["household_income"] = -1
    (one,) = replay_records([other], store=copy.store, engine=engine)
    assert (one.classes, one.differences) == ((kind,), ("means.household.household_income",))
    assert says in one.text("en")


def test_a_record_in_another_language_version_is_an_engine_change(copy: Copy) -> None:
    record = copy.untouched(1)[0]
    other: dict[str, Any] = {**record, "provenance": {**record["provenance"], "language": 99}}
    (found,) = replay_records([other], store=copy.store)
    assert (found.verdict, found.classes) == ("missing_input", ("engine_change",))
    assert "version 99 of the rule language" in found.text("en") and "第 99 版" in found.text("zh")


def test_an_erased_household_is_not_looked_for(copy: Copy) -> None:
    record = copy.untouched(1)[0]
    (found,) = replay_records([record], store=copy.store, erased={record["subject"]["household"]})
    assert (found.verdict, found.classes) == ("erased", ("erased",))
    assert "已删除" in found.text("zh")


@pytest.mark.parametrize(
    ("part", "value", "says"),
    [("law", "sha256:" + "0" * 64, "is not recorded"), ("snapshot", "0" * 64, "does not remember the snapshot")],
)
def test_what_the_store_does_not_hold_is_a_missing_input(copy: Copy, part: str, value: str, says: str) -> None:
    record = copy.untouched(1)[0]
    other: dict[str, Any] = {**record, "provenance": {**record["provenance"], part: value}}
    (found,) = replay_records([other], store=copy.store)
    assert (found.verdict, found.differences) == ("missing_input", ())
    assert says in found.text("en")


def test_a_store_with_another_register_of_tokens_lacks_an_input(copy: Copy) -> None:
    record = copy.untouched(1)[0]
    other: dict[str, Any] = json.loads(json.dumps(record))
    other["subject"]["household"] = "0" * 32
    (found,) = replay_records([other], store=copy.store)
    assert found.classes == ("missing_input",) and found.verdict == "different"
    assert found.differences == ("subject.household",)


def test_every_class_has_words_in_both_languages() -> None:
    assert all(zh and en and zh != en for zh, en in CLASSES.values())


def test_a_replay_as_json_says_all(copy: Copy) -> None:
    record = copy.untouched(1)[0]
    (found,) = replay_records([record], store=copy.store)
    told = json.loads(json.dumps(found.to_json()))
    assert told["equal"] is True and told["classes"] == [] and told["case"] == record["subject"]["case"]


def test_own_figures_of_a_deployment_stay_when_the_law_is_asked_anew() -> None:
    pack = RulePack.load(PACK)
    then = pack.on(date(2020, 6, 30), overlay={"dibao.standard": "1000.00"})
    assert law_of_now(pack, then, TODAY) == then
    assert law_changes(then, pack.on(date(2020, 6, 30))) == ("parameter dibao.standard",)


def test_an_answer_changed_in_place_is_seen_although_no_row_is(copy: Copy) -> None:
    """Last, since it damages the snapshot for every case: the rows and the input digest stay as they were."""
    copy.store.run("update batches set covers_to = date '2020-01-31' where feed = 'tax_income'")
    damaged = [r for r in replay_records(copy.untouched(25), store=copy.store) if r.differences]
    assert damaged
    assert all("evidence.input" not in r.differences for r in damaged)
    assert {r.classes for r in damaged} == {("corrected_evidence",)}
    assert "batches of the snapshot were changed: batch " in damaged[0].text("en")
