"""The files that departments receive."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from functools import cache
from pathlib import Path

import fastexcel
import pytest
from evidence.inboxes import A, B, Inbox, consent, member, request

from meanscheck.commissions import Letter, export, tracking
from meanscheck.errors import FeedError, StoreError
from meanscheck.evidence import Store
from meanscheck.law import RulePack
from meanscheck.law.law import Law
from meanscheck.procedure.checking import CheckRules, Limit

PACK = "rules/cn/guangdong/jiangmen"
ON = date(2020, 6, 10)
RULES = CheckRules.load(PACK)
NUMBER = "=R+1"
"""Most texts of an application that begin a formula are refused when they come in; a request's number is not."""


@cache
def law() -> Law:
    return RulePack.load(PACK).on(ON)


def sent(store: Store, folder: Path, **options: object) -> dict[str, Letter]:
    settings: dict[str, object] = {"on": ON, "law": law(), "rules": RULES, **options}
    return {letter.folder: letter for letter in export(store, folder, **settings)}  # type: ignore[arg-type]


def rows(path: Path) -> list[dict[str, str]]:
    text = path.read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


def fill(inbox: Inbox, store: Store) -> None:
    people = [{**member("A", A), "name": "伍"}, {**member("B", B), "name": "王"}]
    store.requests(inbox.requests(request(members=people, request_no=NUMBER)))
    store.consents(inbox.consents(consent(A), consent(B, feeds=["bank_deposits"])))


def test_only_persons_whose_consent_covers_the_feed_stand_in_a_list(inbox: Inbox, tmp_path: Path) -> None:
    with inbox.store() as store:
        fill(inbox, store)
        letters = sent(store, tmp_path / "out")
    assert set(letters) == {"bank_deposits-ABC", "bank_deposits-ICBC", "deaths", "tax_income"}
    assert [r["证件号码"] for r in rows(tmp_path / "out" / "bank_deposits-ABC" / "list.csv")] == [A, B]
    (only,) = rows(tmp_path / "out" / "tax_income" / "list.csv")
    assert (only["证件号码"], only["委托编号"], only["授权书编号"]) == (A, f"'{NUMBER}", f"C-{A[-6:]}")
    # Applied on 1 June 2020; income is reckoned over months before it, and tax paid is looked at in no later one.
    assert only["截止日"] == "2020-05-31" and only["起始日"] < "2020-01-01"


def test_a_cell_that_begins_a_formula_is_made_harmless(inbox: Inbox, tmp_path: Path) -> None:
    with inbox.store() as store:
        fill(inbox, store)
        sent(store, tmp_path / "out")
    cells = [(r["姓名"], r["委托编号"]) for r in rows(tmp_path / "out" / "bank_deposits-ABC" / "list.csv")]
    assert cells == [("伍", f"'{NUMBER}"), ("王", f"'{NUMBER}")]


def test_the_workbook_holds_the_same_as_text(inbox: Inbox, tmp_path: Path) -> None:
    with inbox.store() as store:
        fill(inbox, store)
        sent(store, tmp_path / "out", feeds=["tax_income"])
    place = tmp_path / "out" / "tax_income"
    sheet = fastexcel.read_excel(place / "list.xlsx").load_sheet(0, dtypes="string").to_polars()
    assert sheet["证件号码"].to_list() == [A]
    assert sheet["委托编号"].to_list() == [NUMBER]


def test_names_of_files_hold_nothing_of_a_person(inbox: Inbox, tmp_path: Path) -> None:
    with inbox.store() as store:
        fill(inbox, store)
        sent(store, tmp_path / "out")
    names = " ".join(str(p.relative_to(tmp_path)) for p in (tmp_path / "out").rglob("*"))
    assert A not in names and B not in names and "王" not in names and "伍" not in names
    note = (tmp_path / "out" / "tax_income" / "cover.md").read_text(encoding="utf-8")
    assert A not in note and "王" not in note


def test_bytes_follow_from_the_content(inbox: Inbox, tmp_path: Path) -> None:
    with inbox.store() as store:
        fill(inbox, store)
        first, second = sent(store, tmp_path / "a"), sent(store, tmp_path / "b", again=True)
    assert {n: x.digest for n, x in first.items()} == {n: x.digest for n, x in second.items()}
    for path in sorted((tmp_path / "a").rglob("*.*")):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_what_was_sent_is_recorded_and_not_sent_twice(inbox: Inbox, tmp_path: Path) -> None:
    with inbox.store() as store:
        fill(inbox, store)
        letters = sent(store, tmp_path / "a")
        kept = store.fetch("select folder, exported_on, persons, digest from exports order by folder").rows()
        assert kept == [(n, ON, letters[n].persons, letters[n].digest) for n in sorted(letters)]
        assert sent(store, tmp_path / "b") == {}
        with pytest.raises(StoreError, match="there already"):
            sent(store, tmp_path / "a", again=True)
        assert store.value("select count(*) from exports") == len(letters)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"feeds": ["tax_income"]}, {"tax_income"}),
        ({"sender": "ICBC"}, {"bank_deposits-ICBC"}),
        ({"sender": "tax"}, {"tax_income"}),
        ({"sender": "banks"}, {"bank_deposits-ABC", "bank_deposits-ICBC"}),
        ({"requests": [NUMBER], "feeds": ["deaths"]}, {"deaths"}),
    ],
)
def test_letters_are_chosen_by_feed_sender_and_request(
    inbox: Inbox, tmp_path: Path, options: dict[str, object], expected: set[str]
) -> None:
    with inbox.store() as store:
        fill(inbox, store)
        assert set(sent(store, tmp_path / "out", **options)) == expected


def test_an_unknown_request_or_feed_is_refused(inbox: Inbox, tmp_path: Path) -> None:
    with inbox.store() as store:
        fill(inbox, store)
        with pytest.raises(StoreError, match="1 of the 1 requests"):
            sent(store, tmp_path / "out", requests=["R-9"])
        with pytest.raises(FeedError, match="no feed"):
            sent(store, tmp_path / "out", feeds=["moon"])


def test_the_note_says_what_by_when_and_under_which_article(inbox: Inbox, tmp_path: Path) -> None:
    with inbox.store() as store:
        fill(inbox, store)
        sent(store, tmp_path / "out")
        sent(store, tmp_path / "own", again=True, limit=Limit(working_days=10, cite=[]))
    note = (tmp_path / "out" / "tax_income" / "cover.md").read_text(encoding="utf-8")
    assert "民发〔2012〕220号第19条" in note and "民发〔2012〕220号第12条" in note
    assert "法律未规定答复期限" in note and "2020-05-31" in note
    own = (tmp_path / "own" / "tax_income" / "cover.md").read_text(encoding="utf-8")
    assert "10 个工作日" in own and "未提供工作日历" in own


def test_the_forms_filled_in_are_the_answer(inbox: Inbox, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with inbox.store() as store:
        fill(inbox, store)
        sent(store, out)
        place = out / "tax_income"
        with pytest.raises(FeedError, match="manifest is faulty"):
            store.ingest("tax_income", place / "tax_income.csv")
        manifest = json.loads((place / "tax_income.manifest.json").read_text(encoding="utf-8"))
        filled = {**manifest, "sender": "tax", "answered_on": "2020-06-25"}
        filled |= {"covers_from": "2019-06-01", "covers_to": "2020-05-31"}
        (place / "tax_income.manifest.json").write_text(json.dumps(filled), encoding="utf-8")
        report = store.ingest("tax_income", place / "tax_income.csv")
        assert (report.accepted, report.quarantined) == (0, 0)
        frame = tracking(store, on=date(2020, 6, 25), rules=RULES)
        (row,) = (r for r in frame.iter_rows(named=True) if r["feed"] == "tax_income")
        assert (row["state"], row["persons"], row["exported_on"]) == ("answered", 1, ON)
        assert (row["answered_on"], row["first_answer_on"]) == (date(2020, 6, 25), date(2020, 6, 25))
