"""What is out, what came back, for whom not, and how late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanscheck.commissions import tracking
from meanscheck.commissions.answered import answered
from meanscheck.errors import InputError
from meanscheck.evidence import Store
from meanscheck.procedure import Calendar
from meanscheck.procedure.checking import CheckRule, CheckRules, Limit

from .worlds import FIRST, NEEDS, PEOPLE, Answer, Asked, as_rows, histories, number, told, write

NO_RULES = CheckRules(())
CN = CheckRules.load("rules/cn")
# Thursday 25 and Friday 26 June 2020 off (Dragon Boat), Sunday 28 June a working day.
JUNE = Calendar(
    date(2020, 6, 1),
    date(2020, 7, 31),
    frozenset({date(2020, 6, 25), date(2020, 6, 26)}),
    frozenset({date(2020, 6, 28)}),
)
TAX = NEEDS[0]
EVERYBODY = frozenset(PEOPLE["U-1"])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("tracking") / "county.duckdb", memory_limit="300MB", threads=1) as opened:
        yield opened


@settings(max_examples=60)
@given(history=histories, day=st.integers(0, 21))
def test_tracking_says_what_a_patient_clerk_says(store: Store, history: list[Asked | Answer], day: int) -> None:
    number(history)
    write(store, history)
    on = FIRST + timedelta(days=day)
    key = ["request_no", "feed", "institution", "division"]
    ours = as_rows(answered(store, on=on))
    schema = dict.fromkeys(key, pl.String)
    assert sorted(map(str, ours)) == sorted(map(str, told(history, on)))
    assert pl.DataFrame([{k: r[k] for k in key} for r in ours], schema=schema).is_unique().all()


def sent(store: Store, day: date, *answers: Answer) -> None:
    request = Asked("U-1", "plain", frozenset(), letters=[((day - FIRST).days, TAX, EVERYBODY)])
    history: list[Asked | Answer] = [request, *answers]
    number(history)
    write(store, history)


def tax(store: Store, on: date, **options: object) -> dict[str, object]:
    frame = tracking(store, on=on, rules=NO_RULES, **options)  # type: ignore[arg-type]
    return frame.filter(pl.col("feed") == "tax_income").row(0, named=True)


@pytest.mark.parametrize(
    ("days", "on", "due_on", "overdue"),
    [
        # Sent on Friday 19 June; working days after it: 22, 23, 24, 28, 29, 30 June, 1 July …
        (2, date(2020, 6, 23), date(2020, 6, 23), 0),
        (2, date(2020, 6, 24), date(2020, 6, 23), 1),
        (2, date(2020, 6, 27), date(2020, 6, 23), 1),
        (2, date(2020, 6, 28), date(2020, 6, 23), 2),
        (5, date(2020, 6, 29), date(2020, 6, 29), 0),
        (5, date(2020, 7, 1), date(2020, 6, 29), 2),
    ],
)
def test_days_due_and_overdue_are_working_days_of_the_table(
    store: Store, days: int, on: date, due_on: date, overdue: int
) -> None:
    sent(store, date(2020, 6, 19))
    row = tax(store, on, calendar=JUNE, limit=Limit(working_days=days, cite=[]))
    assert (row["state"], row["due"], row["due_on"], row["overdue_days"]) == ("waiting", "known", due_on, overdue)


def test_an_answer_that_came_late_stays_so_many_days_late(store: Store) -> None:
    sent(store, date(2020, 6, 19), Answer("tax_income", (), (), None, 23, frozenset()))  # 24 June
    for on in (date(2020, 6, 24), date(2020, 7, 30)):
        row = tax(store, on, calendar=JUNE, limit=Limit(working_days=2, cite=[]))
        assert (row["state"], row["answered_on"], row["overdue_days"]) == ("answered", date(2020, 6, 24), 1)


def test_without_a_table_working_days_are_not_known_rather_than_guessed(store: Store) -> None:
    sent(store, date(2020, 6, 19))
    row = tax(store, date(2020, 7, 30), limit=Limit(working_days=2, cite=[]))
    assert (row["due"], row["due_on"], row["overdue_days"], row["late_days"]) == ("no_calendar", None, None, None)


def test_without_a_limit_nothing_is_ever_overdue(store: Store) -> None:
    sent(store, date(2020, 6, 19))
    row = tax(store, date(2020, 7, 30), calendar=JUNE)
    assert (row["due"], row["due_on"], row["overdue_days"]) == ("no_limit", None, None)


def test_a_day_past_the_table_is_an_error(store: Store) -> None:
    sent(store, date(2020, 6, 19))
    with pytest.raises(InputError, match="working days are known"):
        tax(store, date(2020, 8, 3), calendar=JUNE, limit=Limit(working_days=2, cite=[]))


def test_a_person_left_out_makes_an_answer_partial_and_is_named_by_id(store: Store) -> None:
    silent = frozenset({(10, "not_answered"), (11, "quarantined")})
    sent(store, date(2020, 6, 19), Answer("tax_income", (), (), None, 20, silent))
    row = tax(store, date(2020, 7, 1))
    assert (row["state"], row["answered"], row["persons"]) == ("partial", 1, 3)
    assert (row["not_answered"], row["quarantined"], row["answered_on"]) == (["P10"], ["P11"], None)


def test_the_law_says_when_a_check_must_begin_and_sets_no_end(store: Store) -> None:
    # 民发〔2021〕57号 art. 17: within three working days; no limit for finishing.
    rule = CN.of("dibao", date(2021, 7, 1))
    assert isinstance(rule, CheckRule)
    assert rule.start is not None and rule.start.working_days == 3 and rule.start.cite == ["cn-57-2021#17"]
    assert rule.answer is None
    before = CN.of("dibao", date(2021, 6, 30))
    assert before is not None and before.start is None and before.answer is None
    assert CN.of("medical_relief", date(2021, 7, 1)) is None


def test_what_was_sent_late_is_told_in_working_days(store: Store) -> None:
    # Made on Monday 1 June, so to be sent by Thursday 4 June; sent on Tuesday 9 June: 5, 8, 9 June late.
    rules = CheckRules(
        (CheckRule(id="x", purposes=["dibao"], in_force_on=date(2020, 1, 1), start=Limit(working_days=3, cite=["a"])),)
    )
    pairs = frozenset((p, "tax_income") for p in EVERYBODY)
    history: list[Asked | Answer] = [Asked("U-1", "full", pairs, letters=[(8, TAX, EVERYBODY)])]
    number(history)
    write(store, history)
    row = tracking(store, on=date(2020, 7, 1), rules=rules, calendar=JUNE).row(0, named=True)
    assert (row["made_on"], row["send_by"], row["late_days"]) == (date(2020, 6, 1), date(2020, 6, 4), 3)


def test_a_store_of_an_earlier_release_says_what_to_do(tmp_path: Path) -> None:
    from meanscheck.errors import StoreError

    with Store.open(tmp_path / "old.duckdb") as old:
        for table in ("exports", "export_persons", "asked_of", "made_requests"):
            old.run(f"drop table {table}")
    with Store.open(tmp_path / "old.duckdb", read_only=True) as old, pytest.raises(StoreError, match="earlier release"):
        answered(old, on=FIRST)
    with Store.open(tmp_path / "old.duckdb") as old:
        assert answered(old, on=FIRST).is_empty()


def test_an_answer_that_came_before_its_request_does_not_answer_it(store: Store) -> None:
    history: list[Asked | Answer] = [
        Answer("tax_income", (), (), None, 3, frozenset()),
        Asked("U-1", "plain", frozenset()),
    ]
    number(history)
    write(store, history)
    assert tax(store, date(2020, 7, 1))["state"] == "not_sent"
