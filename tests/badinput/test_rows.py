"""A row that cannot be used: quarantined with file, line, field and reason; its person's answer is unknown.

Every row of a file is accounted for, and the rows around a bad one are taken in.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from evidence.inboxes import Inbox, consent, deposit, member, request, resident, wage

from meanscheck.contracts.reasons import REASONS
from meanscheck.decisions import check
from meanscheck.evidence import IngestReport, Store
from meanscheck.values.evidence_state import EvidenceState

A, B = resident(1), resident(2)
WRONG = A[:-1] + ("0" if A[-1] != "0" else "1")
DAY = date(2020, 6, 30)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[tuple[Inbox, Store]]:
    """A store that knows one request about A and B, asked of one bank, with their consents."""
    inbox = Inbox(tmp_path)
    feeds = [{"feed": "bank_deposits", "institutions": ["ICBC"]}, {"feed": "tax_income"}]
    with inbox.store() as store:
        store.requests(inbox.requests(request(feeds=feeds, members=[member("A", A), member("B", B)])))
        store.consents(inbox.consents(consent(A), consent(B)))
        yield inbox, store


def states(store: Store, feed: str) -> list[EvidenceState]:
    block = store.case_block("U-1", {feed: []}, on=DAY)
    return [EvidenceState(s) for s in block.persons[f"s:{feed}"]]


def quarantined(store: Store) -> list[tuple[str, int, str, str]]:
    return store.fetch("select file, row_no, field, reason from quarantine order by all").rows()


def all_accounted_for(report: IngestReport, rows: int) -> None:
    counted = report.accepted + report.quarantined + report.not_covered + report.not_requested
    assert counted + report.repeated + report.known_rows >= rows > 0
    assert report.accepted + report.quarantined == rows


ROWS = [
    ("a negative balance", {"余额": "-4567.89"}, "balance", "negative_not_allowed"),
    ("an amount beyond 10^13 fen", {"余额": "100000000000.01"}, "balance", "beyond_bound"),
    ("an amount that is none", {"余额": "四千"}, "balance", "not_money"),
    ("more decimals than fen", {"余额": "4567.891"}, "balance", "not_money"),
    ("a day in the future", {"截止日期": "2020-06-26"}, "as_of", "future_date"),
    ("a day that does not exist", {"截止日期": "2020-02-30"}, "as_of", "not_date"),
    ("a formula", {"账号": "=1+1"}, "account_token", "formula"),
    ("an empty cell", {"余额": ""}, "balance", "missing"),
]


@pytest.mark.parametrize(("change", "field", "reason"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_a_bad_cell_sets_its_row_apart_and_leaves_its_person_unknown(
    office: tuple[Inbox, Store], change: dict[str, str], field: str, reason: str
) -> None:
    inbox, store = office
    rows = [deposit(B, "ICBC", "4567.89", "T9"), {**deposit(A, "ICBC"), **change}, deposit(A, "ICBC", "1.00", "T2")]
    report = store.ingest("bank_deposits", inbox.bank("ICBC", rows))
    all_accounted_for(report, 3)
    assert quarantined(store) == [("bank_deposits-ICBC.csv", 3, field, reason)]
    assert REASONS[reason].remedy_en and REASONS[reason].remedy_zh
    assert states(store, "bank_deposits") == [EvidenceState.NO_ANSWER, EvidenceState.ANSWERED]
    (item,) = (i for i in check(store, "R-U-1").items if (i.member, i.feed) == ("A", "bank_deposits"))
    assert (item.quarantined, item.found, item.conclusion) == (1, None, "待核实")


def test_ten_to_the_thirteen_fen_itself_is_held(office: tuple[Inbox, Store]) -> None:
    inbox, store = office
    report = store.ingest("bank_deposits", inbox.bank("ICBC", [deposit(A, "ICBC", "100000000000.00")]))
    assert (report.accepted, report.quarantined) == (1, 0)


def test_a_number_with_a_wrong_check_digit_is_set_apart_with_line_and_field(office: tuple[Inbox, Store]) -> None:
    inbox, store = office
    report = store.ingest("bank_deposits", inbox.bank("ICBC", [deposit(B, "ICBC"), deposit(WRONG, "ICBC")]))
    all_accounted_for(report, 2)
    assert quarantined(store) == [("bank_deposits-ICBC.csv", 3, "id_number", "bad_check_digit")]
    # It may be A's: what it said is not known, so A's deposits are not known.
    assert states(store, "bank_deposits") == [EvidenceState.NO_ANSWER, EvidenceState.ANSWERED]


def test_a_formula_in_an_excel_cell_is_set_apart_and_not_computed(office: tuple[Inbox, Store]) -> None:
    inbox, store = office
    path = inbox.tax([wage(A)], covers_to="2020-05-31").with_suffix(".xlsx")
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    header = ["id_number", "month", "item", "amount", "payer"]
    lines: list[list[str | None]] = [
        [*header],
        [B, "2020-03", "wages", "1000.00", "P"],
        [A, "2020-03", "wages", None, "P"],
    ]
    for r, line in enumerate(lines):
        for c, cell in enumerate(line):
            sheet.write(r, c, cell)
    sheet.write_formula(2, 3, "=SUM(1,1)", value=2)
    book.close()
    report = store.ingest("tax_income", path)
    all_accounted_for(report, 2)
    ((file, row_no, _, reason),) = quarantined(store)
    assert (file, row_no, reason) == ("tax_income.xlsx", 3, "formula")
    assert states(store, "tax_income") == [EvidenceState.NO_ANSWER, EvidenceState.ANSWERED]


def test_two_faults_of_a_row_are_two_entries_and_one_row(office: tuple[Inbox, Store]) -> None:
    inbox, store = office
    bad = {**deposit(A, "ICBC"), "余额": "-1.00", "截止日期": "2021-01-01"}
    report = store.ingest("bank_deposits", inbox.bank("ICBC", [bad]))
    all_accounted_for(report, 1)
    assert [entry[2:] for entry in quarantined(store)] == [
        ("as_of", "future_date"),
        ("balance", "negative_not_allowed"),
    ]


def test_a_quarantined_row_keeps_its_text_for_the_officer(office: tuple[Inbox, Store]) -> None:
    inbox, store = office
    store.ingest("bank_deposits", inbox.bank("ICBC", [deposit(A, "ICBC", "-4567.89")]))
    assert "-4567.89" in store.fetch("select raw from quarantine").item()


def test_a_mended_answer_answers(office: tuple[Inbox, Store]) -> None:
    inbox, store = office
    store.ingest("bank_deposits", inbox.bank("ICBC", [deposit(A, "ICBC", "-4567.89")]))
    assert states(store, "bank_deposits")[0] is EvidenceState.NO_ANSWER
    report = store.ingest("bank_deposits", inbox.bank("ICBC", [deposit(A, "ICBC", "4567.89")]))
    assert report.accepted == 1
    assert states(store, "bank_deposits")[0] is EvidenceState.ANSWERED


def test_rows_about_nobody_who_was_asked_about_are_counted(office: tuple[Inbox, Store]) -> None:
    inbox, store = office
    report = store.ingest("bank_deposits", inbox.bank("ICBC", [deposit(resident(40), "ICBC"), deposit(A, "ICBC")]))
    assert (report.accepted, report.not_requested, report.quarantined) == (1, 1, 0)
    assert store.value("select count(*) from feed_bank_deposits") == 1
