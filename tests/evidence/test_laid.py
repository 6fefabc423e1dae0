"""Rows of a large answer lie in the feed's table before they are judged: what is left is what a small one leaves."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from meanscheck.errors import FeedError
from meanscheck.evidence import IngestReport, Store, connecting
from meanscheck.evidence.laid import Laid

from .inboxes import ASKED, OUTSIDER, A, B, Inbox, S, consent, member, request, wage

Step = Callable[[Store], object]
LEFT = {
    "feed_tax_income": "*",
    "feed_bank_deposits": "*",
    # The name of a file is made of the text of what was set aside, which parts have less of.
    "batches": "* exclude (file_id, of_file)",
    "repeats": "*",
    "dropped": "*",
    "conflicts": "*",
    "not_answered": "*",
    "loads": "*",
    # Of repetitions among parts only the place is kept.
    "quarantine": "batch, feed, file, row_no, field, reason",
}


@pytest.fixture
def straight(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Files of more than four rows are large from now on; which of them were laid straight."""
    monkeypatch.setattr("meanscheck.contracts.readers.WHOLE", 4)
    monkeypatch.setattr("meanscheck.contracts.readers.PART", 3)
    monkeypatch.setattr("meanscheck.contracts.csv_text._BLOCK", 150)
    seen: list[bool] = []
    begin = Laid.begin.__func__  # type: ignore[attr-defined]

    def noted(cls: type[Laid], store: Store, contract: object, *, is_straight: bool) -> Laid:
        seen.append(is_straight)
        laid: Laid = begin(cls, store, contract, is_straight=is_straight)
        return laid

    monkeypatch.setattr(Laid, "begin", classmethod(noted))
    return seen


def left(store: Store) -> dict[str, list[tuple[object, ...]]]:
    found = {table: store.rows(f"select {some} from {table} order by all") for table, some in LEFT.items()}
    loose = "select table_name from duckdb_tables() where starts_with(table_name, 'i_') and table_name <> 'i_asked'"
    assert store.rows(f"{loose} union all select view_name from duckdb_views() where view_name = 'i_rows'") == []
    return {**found, "snapshot": [(store.snapshot().id,)]}


def asked(inbox: Inbox, store: Store) -> None:
    store.requests(inbox.requests())
    store.consents(inbox.consents())


WAGES = [wage(person, f"2020-0{month}") for month in (1, 2, 3) for person in (A, B, OUTSIDER)]


def made_up(inbox: Inbox, seed: int) -> list[Step]:
    """Requests, consents and answers of every kind that come in one after the other."""
    some = random.Random(seed)
    steps: list[Step] = []

    def taken(path: Path, feed: str) -> Step:
        return lambda store: store.ingest(feed, path)

    def loaded(path: Path, what: str) -> Step:
        return lambda store: getattr(store, what)(path)

    def rows() -> list[dict[str, str]]:
        found = []
        for _ in range(some.randint(1, 11)):
            person = some.choice((A, A, B, S, OUTSIDER))
            # Whoever is not known yet contradicts himself only in a file that is judged as a whole.
            amounts = ("100.00", "200.00") if person in (A, B) else ("100.00",)
            found.append(wage(person, f"2020-0{some.randint(1, 4)}", some.choice(amounts)))
        return found

    steps.append(loaded(inbox.lines("requests-0.jsonl", [request()]), "requests"))
    steps.append(loaded(inbox.lines("consents-0.jsonl", [consent(A)]), "consents"))
    answers: list[str] = []
    for number in range(1, 9):
        what = some.choice(("answer",) * 5 + ("again", "request", "consent", "deposits"))
        if what == "request":
            members = [member("S", S), member("O", OUTSIDER)]
            more = request("U-2", request_no=f"R-2-{number}", feeds=list(ASKED), members=members)
            steps.append(loaded(inbox.lines(f"requests-{number}.jsonl", [more]), "requests"))
        elif what == "consent":
            person = some.choice((B, S))
            given = consent(person, consent_no=f"C-{number}")
            steps.append(loaded(inbox.lines(f"consents-{number}.jsonl", [given]), "consents"))
        elif what == "again" and answers:
            steps.append(taken(inbox.folder / f"{some.choice(answers)}.csv", "tax_income"))
        elif what == "deposits":
            # No natural key of the same kind, and a second feed.
            path = inbox.bank(
                "ABC", [{"身份证号": A, "银行代码": "ABC", "账号": "T", "余额": f"{number}", "截止日期": ""}] * 6
            )
            steps.append(taken(path.rename(path.with_stem(f"bank_deposits-{number}")), "bank_deposits"))
            manifest = inbox.folder / "bank_deposits-ABC.manifest.json"
            manifest.rename(inbox.folder / f"bank_deposits-{number}.manifest.json")
        else:
            stem, facts = f"tax_income-{number}", {"answer_no": f"N{number}"}
            if answers and some.random() < 0.4:
                of = some.choice(answers).removeprefix("tax_income-")
                facts |= {"corrects": f"N{of}", "how": some.choice(("replace", "amend", "withdraw"))}
            steps.append(taken(inbox.tax(rows(), stem, **facts), "tax_income"))
            answers.append(stem)
    return steps


def told(step: Step, store: Store) -> object:
    try:
        return step(store)
    except FeedError as error:
        return str(error)


@pytest.mark.parametrize("seed", range(24))
def test_answers_one_after_the_other_leave_the_same_by_parts_and_as_a_whole(
    inbox: Inbox, request: pytest.FixtureRequest, seed: int
) -> None:
    steps = made_up(inbox, seed)
    with inbox.store("whole.duckdb") as store:
        whole = [(told(step, store), left(store)) for step in steps]
    request.getfixturevalue("straight")
    with inbox.store("parts.duckdb") as store:
        for number, (step, expected) in enumerate(zip(steps, whole, strict=True)):
            assert (number, told(step, store), left(store)) == (number, *expected)


def test_rows_lie_in_whole_groups_in_the_order_of_the_file(
    inbox: Inbox, straight: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    group = 2_048
    monkeypatch.setattr("meanscheck.contracts.readers.PART", 5_000)
    monkeypatch.setattr("meanscheck.evidence.connecting.attach", partial(connecting.attach, row_group=group))
    path = inbox.tax([wage(A, "2020-03", "1.00", payer=f"P{n}") for n in range(10 * group)])
    pl.read_csv(path, infer_schema=False).write_parquet(path.with_suffix(".parquet"))
    path.unlink()
    with inbox.store() as store:
        asked(inbox, store)
        store.ingest("tax_income", path.with_suffix(".parquet"))
        kept = store.rows(
            "select row_group_id, sum(count)::bigint from pragma_storage_info('feed_tax_income') "
            "where column_name = 'row_no' and segment_type <> 'VALIDITY' group by 1 order by 1"
        )
        assert kept == [(number, group) for number in range(10)]
        rows = [row for (row,) in store.rows("select row_no from feed_tax_income")]
        assert rows == sorted(rows) and len(rows) == 10 * group
        assert store.value("select current_setting('threads')") == 2
    assert straight == [True]


def test_after_a_large_file_that_was_refused_the_database_has_all_its_threads(
    inbox: Inbox, straight: list[bool]
) -> None:
    path = inbox.tax(WAGES)
    path.write_bytes(path.read_bytes() + b'"\x01')
    with inbox.store() as store:
        asked(inbox, store)
        with pytest.raises(FeedError):
            store.ingest("tax_income", path)
        assert store.value("select current_setting('threads')") == 2
    assert straight == [True]


def test_a_large_answer_that_comes_again_leaves_no_row_twice(inbox: Inbox, straight: list[bool]) -> None:
    path = inbox.tax(WAGES)
    with inbox.store() as store:
        asked(inbox, store)
        first = store.ingest("tax_income", path)
        before = left(store)
        again = store.ingest("tax_income", path)
        assert (first.accepted, first.already_known, again.accepted, again.already_known) == (6, False, 0, True)
        assert left(store) == before
    assert straight == [True, True]


def test_what_another_sender_said_before_is_kept_once(inbox: Inbox, straight: list[bool]) -> None:
    with inbox.store() as store:
        asked(inbox, store)
        store.ingest("tax_income", inbox.tax(WAGES[:5]))
        second = store.ingest("tax_income", inbox.tax(WAGES, "tax_income-2", sender="T"))
        assert (second.accepted, second.known_rows) == (2, 4)
        assert store.value("select count(*) from feed_tax_income") == 6
        assert store.value("select count(*) from repeats") == 4
    assert straight == [True, True]


def test_a_correction_is_judged_before_any_row_of_it_is_in_the_feed(inbox: Inbox, straight: list[bool]) -> None:
    with inbox.store() as store:
        asked(inbox, store)
        store.ingest("tax_income", inbox.tax(WAGES, answer_no="N1"))
        store.ingest("tax_income", inbox.tax(WAGES[:6], "tax_income-2", corrects="N1", how="replace"))
    assert straight == [True, False]


def test_whoever_goes_on_after_a_large_file_that_was_refused_keeps_none_of_it(
    inbox: Inbox, straight: list[bool]
) -> None:
    path = inbox.tax(WAGES)
    spoilt = inbox.tax(WAGES, "tax_income-2")
    spoilt.write_bytes(spoilt.read_bytes() + b'"\x01')
    with inbox.store() as store:
        asked(inbox, store)
        with store.transaction():
            with pytest.raises(FeedError):
                store.ingest("tax_income", spoilt)
            report = store.ingest("tax_income", path)
        assert report.accepted == store.value("select count(*) from feed_tax_income") == 6
    assert straight == [False, False]


def test_rows_of_nobody_who_may_be_read_are_never_in_the_feed(
    inbox: Inbox, straight: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    keep = Laid.keep

    def looking(laid: Laid, store: Store, chosen: str = "true") -> None:
        seen.append(int(store.value("select count(*) from feed_tax_income semi join i_covered using (person)")))
        seen.append(int(store.value("select count(*) from feed_tax_income")))
        keep(laid, store, chosen)

    monkeypatch.setattr(Laid, "keep", looking)
    with inbox.store() as store:
        store.requests(inbox.requests())
        store.consents(inbox.consents(consent(A)))
        report = store.ingest("tax_income", inbox.tax(WAGES))
    assert isinstance(report, IngestReport)
    assert (report.accepted, report.not_covered, report.not_requested) == (3, 3, 3)
    assert seen == [3, 3]
