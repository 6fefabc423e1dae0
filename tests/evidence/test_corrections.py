"""An answer that corrects or withdraws an earlier one: what counts from then on, and what counted before."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanscheck.contracts import feed
from meanscheck.errors import FeedError, StoreError
from meanscheck.evidence import Store
from meanscheck.evidence.manifest import load_manifest
from meanscheck.evidence.reach import reach_of
from meanscheck.values.evidence_state import EvidenceState

from .inboxes import A, B, Inbox, S, consent, deposit, member, request, wage
from .test_states import ON, WANTED, persons, states


def wages(store: Store, known_by: date | None = None) -> list[int]:
    """Amounts in fen that count, sorted, as of the present or a past day's end."""
    projection = store.project(store.snapshot(known_by=known_by), on=ON)
    block = projection.block({**WANTED, "tax_income": ["amount", "month"]}, first=0, after=projection.units)
    return sorted(block.feeds["tax_income"]["amount"].to_list())


def asked_and_answered(inbox: Inbox, store: Store) -> None:
    """A's wages of March and April and B's of March, under the sender's number N1."""
    store.requests(inbox.requests())
    store.consents(inbox.consents())
    rows = [wage(A, "2020-03", "100.00"), wage(A, "2020-04", "200.00"), wage(B, "2020-03", "300.00")]
    store.ingest("tax_income", inbox.tax(rows, answer_no="N1"))


def test_a_replacing_answer_takes_the_place_of_the_whole_one(inbox: Inbox) -> None:
    with inbox.store() as store:
        asked_and_answered(inbox, store)
        before = store.snapshot()
        report = store.ingest(
            "tax_income", inbox.tax([wage(A, "2020-03", "150.00")], "tax_income-2", corrects="N1", how="replace")
        )
        assert (report.accepted, report.superseded) == (1, 3)
        assert wages(store) == [15000]
        assert states(store, "tax_income") == [EvidenceState.ANSWERED] * 2
        past = store.project(before, on=ON).block({"tax_income": ["amount"]}, first=0, after=1)
        assert sorted(past.feeds["tax_income"]["amount"].to_list()) == [10000, 20000, 30000]


def test_an_amendment_takes_the_place_of_rows_with_the_same_key_only(inbox: Inbox) -> None:
    with inbox.store() as store:
        asked_and_answered(inbox, store)
        amended = [wage(A, "2020-03", "150.00"), wage(A, "2020-05", "7.00")]
        report = store.ingest("tax_income", inbox.tax(amended, "tax_income-2", corrects="N1", how="amend"))
        assert (report.accepted, report.superseded) == (2, 1)
        assert wages(store) == [700, 15000, 20000, 30000]
        assert states(store, "tax_income") == [EvidenceState.ANSWERED] * 2, "an amendment is no contradiction"


def test_a_withdrawal_of_rows_ends_these_and_names_those_that_were_never_said(inbox: Inbox) -> None:
    with inbox.store() as store:
        asked_and_answered(inbox, store)
        rows = [wage(A, "2020-04", "200.00"), wage(B, "2020-04", "1.00")]
        report = store.ingest("tax_income", inbox.tax(rows, "tax_income-2", corrects="N1", how="withdraw"))
        assert (report.accepted, report.superseded, report.quarantined) == (0, 1, 1)
        assert store.value("select reason from quarantine") == "withdraws_nothing"
        assert wages(store) == [10000, 30000]
        # Of B the sender takes back what he is not known to have said.
        assert states(store, "tax_income") == [EvidenceState.ANSWERED, EvidenceState.NO_ANSWER]


def test_a_withdrawal_without_rows_ends_the_whole_answer(inbox: Inbox) -> None:
    with inbox.store() as store:
        asked_and_answered(inbox, store)
        report = store.ingest("tax_income", inbox.tax([], "tax_income-2", corrects="N1", how="withdraw"))
        assert report.superseded == 3
        assert wages(store) == []
        assert states(store, "tax_income") == [EvidenceState.NO_ANSWER] * 2


def test_a_corrected_file_does_not_come_in_again(inbox: Inbox) -> None:
    with inbox.store() as store:
        asked_and_answered(inbox, store)
        path = inbox.folder / "tax_income.csv"
        store.ingest("tax_income", inbox.tax([wage(A)], "tax_income-2", corrects="N1", how="replace"))
        assert store.ingest("tax_income", path).already_known
        assert store.ingest("tax_income", inbox.folder / "tax_income-2.csv").already_known
        assert wages(store) == [100000]


def test_what_was_withdrawn_does_not_come_back_with_a_supplement_of_its_file(inbox: Inbox) -> None:
    with inbox.store() as store:
        store.requests(inbox.requests())
        store.consents(inbox.consents(consent(A)))
        path = inbox.tax([wage(A), wage(B, amount="5.00")], answer_no="N1")
        assert store.ingest("tax_income", path).accepted == 1
        store.ingest("tax_income", inbox.tax([wage(A)], "tax_income-2", corrects="N1", how="withdraw"))
        store.consents(inbox.consents(consent(A), consent(B)))
        report = store.ingest("tax_income", path)
        assert (report.supplementary, report.accepted) == (True, 1)
        assert wages(store) == [500]


def test_a_row_that_another_sender_vouches_for_stays(inbox: Inbox) -> None:
    with inbox.store() as store:
        asked_and_answered(inbox, store)
        same = inbox.tax([wage(A, "2020-03", "100.00")], "tax_income-2", sender="T", answer_no="M1")
        assert store.ingest("tax_income", same).known_rows == 1
        store.ingest("tax_income", inbox.tax([], "tax_income-3", corrects="N1", how="withdraw"))
        assert wages(store) == [10000]
        store.ingest("tax_income", inbox.tax([], "tax_income-4", sender="T", corrects="M1", how="withdraw"))
        assert wages(store) == []


def test_a_contradiction_ends_when_one_of_its_sides_is_corrected(inbox: Inbox) -> None:
    inbox.requests(request(feeds=[{"feed": "bank_deposits"}]))
    inbox.consents()
    inbox.bank("ICBC", [deposit(A, "ICBC", "10.00")], answer_no="N1")
    inbox.feed("bank_deposits-2", [deposit(A, "ICBC", "11.00")], as_of="2020-06-20", institutions=["ICBC"], sender="T")
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        contradicted = store.snapshot()
        assert states(store, "bank_deposits")[0] is EvidenceState.CONFLICTING
        inbox.feed("bank_deposits-3", [deposit(A, "ICBC", "11.00")], as_of="2020-06-20", corrects="N1", how="amend")
        store.ingest("bank_deposits", inbox.folder / "bank_deposits-3.csv")
        assert states(store, "bank_deposits")[0] is EvidenceState.ANSWERED
        block = store.project(contradicted, on=ON).block(WANTED, first=0, after=1)
        assert block.persons["s:bank_deposits"][0] == EvidenceState.CONFLICTING


def test_an_amendment_answers_for_him_whose_row_could_not_be_read(inbox: Inbox) -> None:
    with inbox.store() as store:
        store.requests(inbox.requests())
        store.consents(inbox.consents())
        store.ingest("tax_income", inbox.tax([wage(A, amount="a lot"), wage(B)], answer_no="N1"))
        assert states(store, "tax_income") == [EvidenceState.NO_ANSWER, EvidenceState.ANSWERED]
        amended = inbox.tax([wage(A), wage(B, amount="none")], "tax_income-2", corrects="N1", how="amend")
        store.ingest("tax_income", amended)
        assert states(store, "tax_income") == [EvidenceState.ANSWERED, EvidenceState.NO_ANSWER]
        # The second amendment is of an answer of two batches by now; neither may answer for him whose row is unread.
        store.ingest("tax_income", inbox.tax([wage(A, amount="x")], "tax_income-3", corrects="N1", how="amend"))
        assert states(store, "tax_income") == [EvidenceState.NO_ANSWER] * 2


def test_a_withdrawal_that_comes_again_after_its_answer_was_replaced_changes_nothing(inbox: Inbox) -> None:
    with inbox.store() as store:
        store.requests(inbox.requests())
        store.consents(inbox.consents(consent(A)))
        store.ingest("tax_income", inbox.tax([wage(A), wage(A, "2020-04")], answer_no="N1"))
        withdrawal = inbox.tax([wage(A)], "tax_income-2", corrects="N1", how="withdraw")
        store.ingest("tax_income", withdrawal)
        store.ingest("tax_income", inbox.tax([wage(A, amount="9.00")], "tax_income-3", corrects="N1", how="replace"))
        store.consents(inbox.consents(consent(A), consent(B)))
        assert store.ingest("tax_income", withdrawal).already_known
        assert wages(store) == [900]


def test_a_consent_signed_anew_is_seen_also_of_a_person_in_two_cases(inbox: Inbox) -> None:
    supporter = [{**member("S", S), "supports": ["M"]}]
    with inbox.store() as store:
        store.requests(
            inbox.requests(
                request("U-1", members=[member("M", A)], supporters=supporter),
                request("U-2", members=[member("M", B)], supporters=supporter),
            )
        )
        marks = []
        for number in ("C-1", "C-2"):
            store.consents(inbox.consents(consent(S, consent_no=number)))
            path = inbox.tax([wage(S)])
            contract = feed("tax_income")
            marks.append(reach_of(store, contract, load_manifest(contract, path, None)).mark)
        assert marks[0] != marks[1]


def test_a_correction_of_an_answer_that_is_not_there_is_refused_whole(inbox: Inbox) -> None:
    with inbox.store() as store:
        asked_and_answered(inbox, store)
        before = store.snapshot()
        for corrects in ("N2", "0" * 16):
            with pytest.raises(FeedError, match="not in the store"):
                store.ingest("tax_income", inbox.tax([wage(A)], "tax_income-2", corrects=corrects, how="replace"))
        assert store.snapshot() == before


def test_a_correction_by_the_batch_id_and_in_an_inbox_comes_after_what_it_corrects(inbox: Inbox) -> None:
    inbox.requests()
    inbox.consents()
    inbox.tax([wage(A, amount="1.00")], "tax_income-z", answer_no="N1")
    inbox.tax([wage(A, amount="2.00")], "tax_income-a", corrects="N1", how="replace", answered_on="2020-06-26")
    with inbox.store() as store:
        first, second = store.ingest_inbox(inbox.folder)
        assert (first.file, second.file) == ("tax_income-z.csv", "tax_income-a.csv")
        third = inbox.tax([wage(A, amount="3.00")], "tax_income-b", corrects=second.short_id, how="replace")
        store.ingest("tax_income", third)
        assert wages(store) == [300]


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "not JSON", '{"corrects": "N1"}'])
def test_an_inbox_with_a_faulty_manifest_is_refused_by_name(inbox: Inbox, text: str) -> None:
    inbox.requests()
    path = inbox.tax([wage(A)], answer_no="N1")
    path.with_name("tax_income.manifest.json").write_text(text, encoding="utf-8")
    with inbox.store() as store, pytest.raises(FeedError, match=r"tax_income\.manifest\.json"):
        store.ingest_inbox(inbox.folder)


def test_a_feed_without_a_natural_key_cannot_be_amended(inbox: Inbox) -> None:
    inbox.requests()
    row = {"id_number": A, "item": "wages", "amount": "1.00", "as_of": "2020-06-01"}
    inbox.feed("declaration", [row], answer_no="N1", sender="office")
    inbox.feed("declaration-2", [row], corrects="N1", how="amend", sender="office")
    with inbox.store() as store:
        store.requests(inbox.folder / "requests.jsonl")
        assert store.ingest("declaration", inbox.folder / "declaration.csv").accepted == 1
        with pytest.raises(FeedError, match="no natural key"):
            store.ingest("declaration", inbox.folder / "declaration-2.csv")


# ---- against a plain model

Row = tuple[str, str, str]
"""Person, month, amount."""
ROWS = st.tuples(st.sampled_from((A, B)), st.sampled_from(("2020-03", "2020-04")), st.sampled_from(("1.00", "2.00")))
STEP = st.tuples(
    st.sampled_from(("answer", "replace", "amend", "withdraw")),
    st.integers(0, 3),
    st.lists(ROWS, max_size=3, unique_by=lambda row: row[:2]),
)


class Model:
    """Who says what: a list of rows per answer and amendment, grouped by the answer that they correct."""

    def __init__(self) -> None:
        self.groups: dict[int, list[set[Row]]] = {}
        self.names: dict[int, int] = {}

    def step(self, number: int, how: str, target: int, rows: set[Row]) -> None:
        if how == "answer":
            self.groups[number], self.names[number] = [rows], number
            return
        group = self.names[target]
        if how == "replace" or (how == "withdraw" and not rows):
            del self.groups[group]
        elif how == "withdraw":
            self.groups[group] = [said - rows for said in self.groups[group]]
        else:
            keys = {row[:2]: row for row in rows}
            stay = [{r for r in said if keys.get(r[:2], r) == r} for said in self.groups[group]]
            self.groups[group], self.names[number] = [*stay, rows], group
        if how == "replace":
            self.groups[number], self.names[number] = [rows], number

    @property
    def open(self) -> list[int]:
        """Answers and amendments that can still be corrected."""
        return [number for number, group in self.names.items() if group in self.groups]

    @property
    def rows(self) -> list[int]:
        """Amounts that count, in fen, sorted."""
        live = {row for group in self.groups.values() for said in group for row in said}
        return sorted(round(100 * int(amount.split(".")[0])) for _, _, amount in live)


@settings(max_examples=25, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=7))
def test_what_counts_is_what_some_answer_still_says_and_the_past_stays_as_it_was(
    steps: list[tuple[str, int, list[Row]]],
) -> None:
    model, seen = Model(), []
    with tempfile.TemporaryDirectory() as folder:
        inbox = Inbox(Path(folder))
        with inbox.store() as store:
            store.requests(inbox.requests())
            store.consents(inbox.consents())
            for number, (how, target, rows) in enumerate(steps):
                if how != "answer" and not model.open:
                    continue
                of = model.open[target % len(model.open)] if how != "answer" else 0
                link = {} if how == "answer" else {"corrects": f"N{of}", "how": how}
                path = inbox.tax(
                    [wage(*row) for row in rows],
                    f"tax_income-{number}",
                    answer_no=f"N{number}",
                    covers_from=f"20{10 + number}-01-01",  # so that no two answers are the same file
                    **link,
                )
                store.received_on = date(2020, 7, 1 + number)
                store.ingest("tax_income", path)
                model.step(number, how, of, set(rows))
                seen.append((store.received_on, model.rows))
                assert counted(store) == model.rows
            for day, then in seen:
                assert counted(store, day) == then


def counted(store: Store, day: date | None = None) -> list[int]:
    """Amounts of the rows that count, straight from the table and the clock."""
    from meanscheck.evidence.clocks import live_sql

    mark = store.snapshot(known_by=day).load
    found = store.fetch(f"select amount_fen from feed_tax_income where {live_sql(mark, since='batch')}")
    return sorted(found["amount_fen"].to_list())


# ---- the day by which something was known


def test_a_snapshot_of_a_past_day_holds_what_had_come_in_by_its_end(inbox: Inbox) -> None:
    with inbox.store() as store:
        store.received_on = date(2020, 6, 26)
        asked_and_answered(inbox, store)
        store.received_on = date(2020, 6, 28)
        store.ingest("tax_income", inbox.tax([wage(A)], "tax_income-2", corrects="N1", how="replace"))
        assert wages(store, date(2020, 6, 27)) == [10000, 20000, 30000]
        assert wages(store, date(2020, 6, 28)) == wages(store) == [100000]
        with pytest.raises(StoreError, match="by 2020-06-25"):
            store.snapshot(known_by=date(2020, 6, 25))
        kinds = store.history().select("received_on", "kind", "rows").rows()
        assert kinds == [
            (date(2020, 6, 26), "requests", 1),
            (date(2020, 6, 26), "consents", 2),
            (date(2020, 6, 26), "answer", 3),
            (date(2020, 6, 28), "correction", 1),
        ]


def test_a_day_is_not_guessed_where_nothing_was_dated(inbox: Inbox) -> None:
    with inbox.store() as store:
        asked_and_answered(inbox, store)
        with pytest.raises(StoreError, match="nothing is known to have come"):
            store.snapshot(known_by=date(2020, 7, 1))


def test_a_clock_that_went_back_is_refused(inbox: Inbox) -> None:
    with inbox.store() as store:
        store.received_on = date(2020, 6, 26)
        asked_and_answered(inbox, store)
        store.received_on = date(2020, 6, 25)
        with pytest.raises(StoreError, match="look at the clock"):
            store.ingest("tax_income", inbox.tax([wage(A)], "tax_income-2"))
        assert persons(store).height == 2
