"""What is known about a person in a feed."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from meanscheck.errors import FeedError
from meanscheck.evidence import Store
from meanscheck.values.evidence_state import EvidenceState

from .inboxes import BANKS, OUTSIDER, A, B, Inbox, S, consent, deposit, member, request, resident, wage

ON = date(2020, 6, 30)
WANTED = {"bank_deposits": ["balance"], "tax_income": ["amount"], "deaths": ["died_on"], "vehicles": ["status"]}


def persons(store: Store, on: date = ON) -> pl.DataFrame:
    projection = store.project(store.snapshot(), on=on)
    return next(iter(projection.blocks(WANTED, block_units=1000))).persons


def states(store: Store, feed: str, on: date = ON) -> list[EvidenceState]:
    return [EvidenceState(s) for s in persons(store, on)[f"s:{feed}"]]


def test_a_feed_that_answered_with_no_row_is_a_known_nothing(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    inbox.tax([wage(A)])
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        assert states(store, "tax_income") == [EvidenceState.ANSWERED] * 2
        assert persons(store)["n:tax_income"].to_list() == [1, 0]
        assert states(store, "deaths") == [EvidenceState.NO_ANSWER] * 2
        assert states(store, "vehicles") == [EvidenceState.NOT_REQUESTED] * 2


def test_one_silent_bank_of_two_leaves_deposits_without_answer(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    inbox.bank("ICBC", [deposit(A, "ICBC")])
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        assert states(store, "bank_deposits") == [EvidenceState.NO_ANSWER] * 2
        store.ingest("bank_deposits", inbox.bank("ABC", []))
        assert states(store, "bank_deposits") == [EvidenceState.ANSWERED] * 2


def test_windows_of_one_sender_join_and_those_of_several_institutions_intersect(inbox: Inbox) -> None:
    asked = [{"feed": "tax_income", "institutions": ["X", "Y"]}]
    inbox.requests(request(feeds=asked))
    inbox.consents()
    inbox.tax([], "tax_income-1", institutions=["X"], covers_from="2019-06-01", covers_to="2019-12-31")
    inbox.tax([], "tax_income-2", institutions=["X"], covers_from="2020-01-01", covers_to="2020-05-31")
    inbox.tax([], "tax_income-3", institutions=["Y"], covers_from="2019-09-01", covers_to="2020-06-20")
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        row = persons(store).row(0, named=True)
        assert (row["from:tax_income"], row["to:tax_income"]) == (date(2019, 9, 1), date(2020, 5, 31))


def test_windows_with_a_gap_do_not_join(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    inbox.tax([], "tax_income-1", covers_from="2019-01-01", covers_to="2019-06-30")
    inbox.tax([], "tax_income-2", covers_from="2020-01-01", covers_to="2020-05-31")
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        row = persons(store).row(0, named=True)
        assert (row["from:tax_income"], row["to:tax_income"]) == (date(2020, 1, 1), date(2020, 5, 31))


def test_a_division_that_did_not_answer_is_unknown(inbox: Inbox) -> None:
    inbox.requests(request(feeds=[{"feed": "tax_income", "divisions": ["440703", "440704"]}]))
    inbox.consents()
    inbox.tax([], divisions=["440703"])
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        assert states(store, "tax_income") == [EvidenceState.NO_ANSWER] * 2


def test_persons_left_out_by_the_manifest_are_without_answer(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    inbox.tax([wage(A)], not_answered=[{"id_type": "resident_id", "id_number": B}])
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        assert states(store, "tax_income") == [EvidenceState.ANSWERED, EvidenceState.NO_ANSWER]


def test_an_answer_to_other_requests_does_not_answer_this_one(inbox: Inbox) -> None:
    other = request("U-2", members=[member("A", OUTSIDER)])
    inbox.requests(request(), other)
    inbox.consents(consent(A), consent(B), consent(OUTSIDER))
    inbox.tax([wage(A), wage(OUTSIDER)], requests=["R-U-2"])
    with inbox.store() as store:
        reports = store.ingest_inbox(inbox.folder)
        assert (reports[0].accepted, reports[0].not_requested) == (1, 1)
        assert states(store, "tax_income") == [EvidenceState.NO_ANSWER] * 2 + [EvidenceState.ANSWERED]


@pytest.mark.parametrize(
    ("changes", "on", "expected"),
    [
        ({}, ON, EvidenceState.ANSWERED),
        ({"to": "2020-06-24"}, ON, EvidenceState.NO_CONSENT),  # expired the day before the answer
        ({"to": "2020-06-25"}, ON, EvidenceState.ANSWERED),
        ({"from": "2020-06-26"}, ON, EvidenceState.NO_CONSENT),
        ({"feeds": ["bank_deposits"]}, ON, EvidenceState.NO_CONSENT),
        ({"purpose": "medical_relief"}, ON, EvidenceState.NO_CONSENT),
        ({"purpose": "social_relief"}, ON, EvidenceState.ANSWERED),
        ({"withdrawn_on": "2020-06-25"}, ON, EvidenceState.NO_CONSENT),
        ({"withdrawn_on": "2020-06-28"}, ON, EvidenceState.NO_CONSENT),
        ({"withdrawn_on": "2020-06-28"}, date(2020, 6, 27), EvidenceState.ANSWERED),
    ],
)
def test_consent_decides_what_may_be_read(
    inbox: Inbox, changes: dict[str, object], on: date, expected: EvidenceState
) -> None:
    inbox.requests()
    inbox.consents(consent(A, **changes), consent(B))
    inbox.tax([wage(A)])
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        assert states(store, "tax_income", on) == [expected, EvidenceState.ANSWERED]
        rows = persons(store, on)["n:tax_income"].to_list()
        assert rows == [1 if expected is EvidenceState.ANSWERED else 0, 0]


def test_withdrawal_takes_evidence_out_of_projection_and_case(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    inbox.tax([wage(A)])
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        before = store.snapshot()
        counts = store.consents(inbox.consents(consent(A, withdrawn_on="2020-06-26"), consent(B)))
        assert (counts.added, counts.known) == (1, 1)
        block = store.case_block("U-1", WANTED, on=ON)
        assert block.persons["s:tax_income"].to_list() == [EvidenceState.NO_CONSENT, EvidenceState.ANSWERED]
        assert block.feeds["tax_income"].height == 0
        assert store.snapshot() != before
        assert store.case_block("U-1", WANTED, on=ON, snapshot=before.id).feeds["tax_income"].height == 1


def test_a_quarantined_row_leaves_its_person_without_answer_until_a_later_batch(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    inbox.tax([wage(A, amount="一千"), wage(A, payer="Q"), wage(B)])
    with inbox.store() as store:
        report = store.ingest_inbox(inbox.folder)[0]
        assert (report.accepted, report.quarantined) == (2, 1)
        assert states(store, "tax_income") == [EvidenceState.NO_ANSWER, EvidenceState.ANSWERED]
        assert persons(store)["n:tax_income"].to_list() == [1, 1]
        store.ingest("tax_income", inbox.tax([wage(A, amount="1000"), wage(A, payer="Q")], "tax_income-2"))
        assert states(store, "tax_income") == [EvidenceState.ANSWERED] * 2
        assert persons(store)["n:tax_income"].to_list() == [2, 1]


def test_a_row_with_a_wrong_check_digit_concerns_the_person_whose_number_it_nearly_is(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    wrong = A[:17] + ("0" if A[17] != "0" else "1")
    inbox.tax([wage(wrong)])
    with inbox.store() as store:
        assert store.ingest_inbox(inbox.folder)[0].quarantined == 1
        assert states(store, "tax_income") == [EvidenceState.NO_ANSWER, EvidenceState.ANSWERED]
        row = store.report_rows("R-U-1", on=ON).quarantined.row(0, named=True)
        assert (row["row_no"], row["field"], row["reason"]) == (2, "id_number", "bad_check_digit")


def test_two_answers_that_contradict_each_other_conflict(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    inbox.tax([wage(A, amount="1000.00")], "tax_income-1", sender="one")
    inbox.tax([wage(A, amount="1200.00"), wage(B)], "tax_income-2", sender="two")
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        assert states(store, "tax_income") == [EvidenceState.CONFLICTING, EvidenceState.ANSWERED]


def test_the_same_row_from_two_files_counts_once(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    inbox.tax([wage(A)], "tax_income-1")
    inbox.tax([wage(A), wage(A, month="2020-04")], "tax_income-2", answered_on="2020-06-26")
    with inbox.store() as store:
        reports = store.ingest_inbox(inbox.folder)
        assert [(r.accepted, r.known_rows) for r in reports] == [(1, 0), (1, 1)]
        assert persons(store)["n:tax_income"].to_list() == [2, 0]
        assert states(store, "tax_income") == [EvidenceState.ANSWERED] * 2


def test_of_balances_the_latest_not_after_the_reference_day_counts(inbox: Inbox) -> None:
    inbox.requests(request(reference_day="2020-06-15", feeds=[{"feed": "bank_deposits"}]))
    inbox.consents()
    for day in ("2020-05-31", "2020-06-10", "2020-06-20"):
        rows = [deposit(A, "ICBC", f"{day[-2:]}.00", 截止日期=day)]
        inbox.bank(f"ICBC-{day}", rows, institutions=["ICBC"], as_of=day)
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        block = store.case_block("U-1", WANTED, on=ON)
        assert block.feeds["bank_deposits"]["balance"].to_list() == [1000]
        assert block.persons["asof:bank_deposits"].to_list() == [date(2020, 6, 10)] * 2


def test_a_balance_known_only_for_a_later_day_is_no_answer(inbox: Inbox) -> None:
    inbox.requests(request(reference_day="2020-06-15", feeds=[{"feed": "bank_deposits"}]))
    inbox.consents()
    inbox.bank("ICBC", [deposit(A, "ICBC")])
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        assert states(store, "bank_deposits") == [EvidenceState.NO_ANSWER] * 2


def test_an_answer_that_came_before_consent_never_becomes_a_known_nothing(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents(consent(A))
    path = inbox.tax([wage(A), wage(B)])
    with inbox.store() as store:
        first = store.ingest_inbox(inbox.folder)[0]
        assert (first.accepted, first.not_covered) == (1, 1)
        store.consents(inbox.consents(consent(B)))
        assert states(store, "tax_income") == [EvidenceState.ANSWERED, EvidenceState.NO_CONSENT]
        again = store.ingest("tax_income", path)
        assert again.supplementary and again.accepted == 1 and again.batch_id != first.batch_id
        assert states(store, "tax_income") == [EvidenceState.ANSWERED] * 2
        assert store.ingest("tax_income", path).already_known


def test_a_new_request_about_a_known_case_keeps_its_evidence(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    inbox.tax([wage(A)])
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        store.requests(inbox.requests(request(request_no="R-2", reference_day="2020-07-31")))
        assert states(store, "tax_income") == [EvidenceState.ANSWERED] * 2


def test_an_office_feed_needs_neither_consent_nor_manifest(inbox: Inbox) -> None:
    inbox.requests(request(supporters=[member("S", S, supports=["A", "B"])]))
    row = {"id_number": A, "supporter_id": S, "relation": "child", "household_size": "3", "agreed_amount": "100.00"}
    inbox.feed("supporters", [row])
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        block = store.case_block("U-1", {"supporters": ["household_size", "agreed_amount"]}, on=ON)
        assert block.persons["s:supporters"].to_list() == [EvidenceState.ANSWERED] * 3
        assert block.supporters.select(
            "member_row", "supporter_row", "household_size", "agreed_amount", "first"
        ).rows() == [
            (0, 2, 3, 10000, True),
            (1, 2, None, None, False),
        ]


def test_findings_attach_to_the_row_they_name_and_the_latest_holds(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    inbox.tax([wage(A), wage(A, month="2020-04")])
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        rows = store.report_rows("R-U-1", on=ON).rows["tax_income"]
        ref = rows["ref"][0]
        finding = {"id_number": A, "feed": "tax_income", "row_ref": ref, "officer": "o"}
        found = [
            {**finding, "verdict": "explained", "decided_on": "2020-06-28"},
            {**finding, "verdict": "confirmed", "decided_on": "2020-06-27"},
        ]
        store.ingest("findings", inbox.feed("findings", found))
        assert store.case_block("U-1", WANTED, on=ON).feeds["tax_income"]["verdict"].to_list() == [2, 0]
        projection = store.project(store.snapshot(), on=ON)
        assert projection.block(WANTED, first=0, after=1).feeds["tax_income"]["verdict"].to_list() == [2, 0]


def test_report_rows_name_sender_file_and_line(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    for bank in BANKS:
        inbox.bank(bank, [deposit(A, bank)], sender=f"bank {bank}")
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        report = store.report_rows("R-U-1", on=ON)
        found = report.rows["bank_deposits"].sort("source_sender")
        assert found["source_sender"].to_list() == ["bank ABC", "bank ICBC"]
        assert found["source_file"].to_list() == ["bank_deposits-ABC.csv", "bank_deposits-ICBC.csv"]
        assert found["source_line"].to_list() == [2, 2]
        assert report.states.filter(feed="bank_deposits")["state"].to_list() == ["answered"] * 2
        assert report.states.filter(feed="deaths")["state"].to_list() == ["no_answer"] * 2


def test_every_made_up_number_is_well_formed() -> None:
    assert len({resident(n) for n in range(500)}) == 500


def test_an_unreadable_number_among_those_not_answered_refuses_the_manifest(inbox: Inbox) -> None:
    # Passed over, the person would count as answered with nothing found.
    wrong = B[:-1] + ("1" if B[-1] == "0" else "0")
    inbox.requests()
    inbox.consents()
    inbox.tax([wage(A)], not_answered=[{"id_type": "resident_id", "id_number": wrong}])
    with inbox.store() as store, pytest.raises(FeedError, match=r"not_answered, no\. 1") as refused:
        store.ingest_inbox(inbox.folder)
    assert B[:-1] not in str(refused.value)


def test_an_edited_attribute_of_the_application_changes_the_input_digest(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        before = store.case_block("U-1", WANTED, on=ON).households["input_digest"].item()
        store.run("update unit_persons set born_on = born_on + 1 where position = 0")
        assert store.case_block("U-1", WANTED, on=ON).households["input_digest"].item() != before


def test_a_later_request_for_other_feeds_besides_leaves_earlier_answers_usable(inbox: Inbox) -> None:
    with inbox.store() as store:
        store.requests(inbox.requests())
        store.consents(inbox.consents())
        store.ingest("tax_income", inbox.tax([wage(A)]))
        for bank in BANKS:
            store.ingest("bank_deposits", inbox.bank(bank, []))
        more = [{"feed": "bank_deposits", "institutions": ["ABC"]}, {"feed": "tax_income"}, {"feed": "vehicles"}]
        later = request(request_no="R-later", feeds=more, members=[member("A", A), member("N", OUTSIDER)])
        store.requests(inbox.requests(later))
        store.consents(inbox.consents(consent(A), consent(OUTSIDER)))
        # Asked in the same words before; the bank's question is another now, and of the newcomer nothing was asked.
        assert states(store, "tax_income") == [EvidenceState.ANSWERED, EvidenceState.NO_ANSWER]
        assert persons(store)["n:tax_income"].to_list() == [1, 0]
        assert states(store, "bank_deposits") == [EvidenceState.NO_ANSWER] * 2
        assert states(store, "vehicles") == [EvidenceState.NO_ANSWER] * 2
        block = store.case_block("U-1", WANTED, on=ON)
        assert block.persons.select("s:tax_income").equals(persons(store).select("s:tax_income"))
