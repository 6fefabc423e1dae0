"""Contradictions all the way: planted in departments' files, found by rows, settled by findings, replayed, listed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from evidence.inboxes import Inbox, consent, member, request, resident
from law.situations import SITUATIONS, law_of_all, unit_of

from meanscheck.contracts import FeedContract, all_feeds
from meanscheck.contracts.units import Value
from meanscheck.decisions import Assessment, assess, check, decide, discrepancies
from meanscheck.decisions.discrepancies import SCHEMA, line_json
from meanscheck.evidence import Store
from meanscheck.law import Law, RulePack
from meanscheck.replay import replay_records
from meanscheck.values.money import format_yuan

from .office import law_of_2020, records

FILLED: Mapping[str, Mapping[str, str]] = {
    "vehicles": {"vehicle_class": "car"},
    "real_estate": {"use": "residential"},
    "pensions_paid": {"kind": "employee_pension", "amount": "100.00"},
    "relief_paid": {"category": "living", "amount": "100.00"},
    "securities": {"kind": "shares"},
    "insurance_policies": {"kind": "life", "role": "holder", "policy_token": "P"},
    "bank_deposits": {"account_kind": "current", "balance": "1.00"},
    "social_insurance": {"scheme": "pension"},
}
"""What a department's row cannot leave out and the situation does not speak of."""
BESIDE = {"dead_pensioner": "dead_applicant", "dead_relief": "dead_applicant"}
"""Kinds that a situation has besides its own: whoever died before March had died before the application in June."""


def number_of(case: int, person: int) -> str:
    return resident(100 + 3 * case + person)


def text_of(contract: FeedContract, name: str, value: Value, numbers: Mapping[str, str]) -> str:
    """A stored value as a department writes it; a spouse by identity number."""
    if value is None:
        return ""
    kind = contract.column(name).kind
    if kind == "money":
        assert isinstance(value, int)
        return format_yuan(value)
    if kind == "ratio":
        assert isinstance(value, int)
        return f"{value // 10**6}.{value % 10**6:06d}"
    if kind == "person":
        return numbers.get(str(value), resident(99))
    return value.isoformat()[:7] if kind == "month" and isinstance(value, date) else str(value)


@dataclass(frozen=True)
class Planted:
    """An office in which case ``P-n`` has situation n, and ``S-n`` is just short of it."""

    store: Store
    inbox: Inbox
    law: Law
    result: Assessment

    def kinds(self, case: str) -> list[tuple[str, str]]:
        return sorted((c["kind"], c["verdict"]) for c in self.result.decision(case).conflicts)


def plant(inbox: Inbox, store: Store) -> None:
    """Requests, consents and answers of all departments."""
    rows: dict[str, list[dict[str, str]]] = {}
    requests, consents = [], []
    asked = sorted({feed for s in SITUATIONS for p in (*s.has, *s.short) for feed in p.feeds})
    office = {name for name, contract in all_feeds().items() if contract.authorisation == "office"}
    stated = [(f"P-{n}", s.has) for n, s in enumerate(SITUATIONS)]
    stated += [(f"S-{n}", s.short) for n, s in enumerate(SITUATIONS)]
    for case, (name, people) in enumerate(stated):
        numbers = {p.id: number_of(case, i) for i, p in enumerate(people)}
        requests.append(
            request(
                name,
                applied_on="2020-06-10",
                programmes=["dibao"],
                feeds=[{"feed": f} for f in asked if f not in office],
                members=[
                    member(p.id, numbers[p.id], role=p.role, relation=p.relation, born_on="1980-01-01") for p in people
                ],
            )
        )
        for person in people:
            consents.append(consent(numbers[person.id], consent_no=f"C-{case}-{person.id}"))
            for feed, own in person.feeds.items():
                rows.setdefault(feed, []).extend(files(feed, own, numbers[person.id], numbers))
    store.consents(inbox.consents(*consents))
    store.requests(inbox.requests(*requests))
    for feed in asked:
        facts: dict[str, Any] = {"covers_from": "2019-01-01", "covers_to": "2020-06-24"}
        if all_feeds()[feed].basis in ("as_of", "register"):
            facts = {"as_of": "2020-06-20"}
        facts["answered_on"] = "2020-07-02"
        report = store.ingest(feed, inbox.feed(feed, rows[feed], **({} if feed in office else facts)))
        assert (report.quarantined, report.accepted) == (0, len(rows[feed])), feed


def files(
    feed: str, rows: Sequence[Mapping[str, Value]], number: str, numbers: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    contract = all_feeds()[feed]
    for place, row in enumerate(rows):
        cells = {name: text_of(contract, name, value, numbers) for name, value in row.items()}
        # Rows that are alike are one row, so what no kind looks at tells them apart.
        apart = {"bank_deposits": {"balance": f"{place + 1}.00"}}.get(feed, {})
        yield {"id_number": number, **FILLED.get(feed, {}), **apart, **cells}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    inbox = Inbox(tmp_path_factory.mktemp("planted"))
    with inbox.store() as store:
        plant(inbox, store)
        law = law_of_2020()
        yield Planted(store, inbox, law, assess(store, law).run())


@pytest.mark.parametrize("n", range(len(SITUATIONS)), ids=[s.kind for s in SITUATIONS])
def test_what_was_planted_is_found_and_nothing_else(planted: Planted, n: int) -> None:
    situation = SITUATIONS[n]
    rule = planted.law.conflicts[situation.kind].rule
    wanted = [(situation.kind, "open" if rule == "person" else "rule")]
    wanted += [(BESIDE[situation.kind], "rule")] if situation.kind in BESIDE else []
    assert planted.kinds(f"P-{n}") == sorted(wanted)
    short = planted.kinds(f"S-{n}")
    assert [k for k, _ in short if k not in BESIDE.values()] == []


def test_every_planted_decision_is_replayed_by_the_other_executor(planted: Planted) -> None:
    found = list(replay_records(records(planted.result), store=planted.store))
    assert len(found) == 2 * len(SITUATIONS)
    assert [r.text() for r in found if not r.is_equal] == []


def test_an_entry_names_rows_as_a_finding_would_and_the_finding_settles_it(planted: Planted) -> None:
    n = next(i for i, s in enumerate(SITUATIONS) if s.kind == "duplicate_vehicle")
    case = f"P-{n}"
    (entry,) = planted.result.decision(case).conflicts
    assert (entry["persons"], entry["feeds"], entry["rule"]) == (["A", "B"], ["vehicles"], "person")
    assert entry["cite"] == ["cn-220-2012#19"] and entry["amount"] is None
    assert "conflict:duplicate_vehicle" in planted.result[case, "dibao"].causes
    assert "同一车辆重复登记" in planted.result[case, "dibao"].explain("zh")
    assert "one vehicle reported twice" in planted.result.decision(case).explain("en")
    store = planted.store
    ref = entry["row_refs"][0].removeprefix("vehicles:")
    owner = store.fetch(
        "select p.id_number from feed_vehicles f join persons p using (person) where lower(left(hex(digest), 16)) = ?",
        [ref],
    )["id_number"][0]
    finding = {"id_number": owner, "feed": "vehicles", "row_ref": ref, "verdict": "disregarded"}
    store.ingest("findings", planted.inbox.feed("findings", [{**finding, "decided_on": "2020-06-28"}]))
    again = assess(store, planted.law, vault=planted.inbox.folder / "again.vault").run()
    (settled,) = again.decision(case).conflicts
    assert settled["verdict"] == "finding" and settled["row_refs"] == entry["row_refs"]
    assert "conflict:duplicate_vehicle" not in again[case, "dibao"].causes
    assert [r.text() for r in replay_records(records(again), store=store) if not r.is_equal] == []


def test_the_list_of_the_caseload_says_the_same_as_the_decisions(planted: Planted) -> None:
    lines = pl.concat(discrepancies(planted.store, planted.law, block_units=7))
    assert lines.schema == SCHEMA
    whole = pl.concat(discrepancies(planted.store, planted.law))
    assert lines.equals(whole)
    again = assess(planted.store, planted.law, vault=planted.inbox.folder / "list.vault").run()
    of_list = Counter((r["case_id"], r["kind"], r["verdict"], r["difference_fen"]) for r in lines.iter_rows(named=True))
    of_records = Counter(
        (str(r["subject"]["case"]), c["kind"], c["verdict"], c["amount"])
        for r in records(again)
        for c in r["reasons"]["conflicts"]  # type: ignore[attr-defined]
    )
    assert of_list == of_records


def test_only_a_declaration_below_what_was_found_may_enter_a_record(planted: Planted) -> None:
    lines = pl.concat(discrepancies(planted.store, planted.law))
    declared = lines.filter(pl.col("kind").str.starts_with("declared"))
    assert declared.height == 5 and declared["may_enter_record"].all()
    assert not lines.filter(~pl.col("kind").str.starts_with("declared"))["may_enter_record"].any()
    assert set(declared.select("declared_fen", "found_fen", "difference_fen").iter_rows()) == {(100, 101, 1)}
    # No text gives a length, and art. 18 of 2021 is not yet in force.
    assert declared["record_months"].null_count() == 5 and lines["contest_cite"].list.len().sum() == 0
    later = RulePack.load("rules/cn/guangdong/jiangmen").on(date(2021, 8, 1))
    assert {tuple(c) for c in pl.concat(discrepancies(planted.store, later))["contest_cite"]} == {("cn-57-2021#18",)}
    line = line_json(declared.row(0, named=True))
    assert (line["declared"], line["found"], line["difference"]) == ("1.00", "1.01", "0.01")
    assert json.loads(json.dumps(line)) == line


def test_the_report_lists_them_and_decides_nothing(planted: Planted) -> None:
    n = next(i for i, s in enumerate(SITUATIONS) if s.kind == "declared_deposits")
    report = check(planted.store, f"R-P-{n}", law=planted.law)
    assert report.discrepancies is not None
    (line,) = report.to_json()["discrepancies"]
    assert (line["kind"], line["declared"], line["found"], line["rule"]) == (
        "declared_deposits",
        "1.00",
        "1.01",
        "higher",
    )
    assert "申报 1.00 核对 1.01" in report.text("zh") and "no text was found" in report.text("en")
    assert "符合条件" not in report.text("zh")
    assert check(planted.store, f"R-P-{n}").discrepancies is None
    quiet = check(planted.store, f"R-S-{n}", law=planted.law)
    assert quiet.discrepancies == () and "none found" in quiet.text("en")
    assert "1.01" not in repr(report) + repr(report.discrepancies) + repr(planted.result)


def test_a_stated_case_names_rows_by_their_place(tmp_path: Path) -> None:
    law = law_of_all(tmp_path)
    by_kind = {s.kind: s for s in SITUATIONS}
    (entry,) = decide(unit_of(by_kind["double_register"].has), law).conflicts
    assert entry["row_refs"] == ["household_register:1", "household_register:2"] and entry["verdict"] == "open"


def test_a_spouse_is_known_by_the_identity_number_that_the_registry_gives(planted: Planted) -> None:
    projection = planted.store.project(planted.store.snapshot(), on=planted.law.on)
    block = projection.block({"marriages": {"spouse_id"}}, first=0, after=projection.units)
    named = set(block.feeds["marriages"]["spouse_id"].drop_nulls())
    assert {"A", "B"} < named and named - {"A", "B"} == {resident(99)}
