"""Which live decisions rest on a consent, and what they would turn to without it."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from decisions.office import DAY

from meanscheck.caseload.impact import Impact, consents_impact, person_named
from meanscheck.contracts import all_feeds
from meanscheck.decisions.record import GROUPS
from meanscheck.errors import StoreError
from meanscheck.evidence.coverage import is_office
from meanscheck.vault import Safe

from .conftest import Sealed

NEXT = DAY + timedelta(days=1)


def asked(sealed: Sealed, name: str, on: date = NEXT) -> list[Impact]:
    safe = Safe.open(sealed.vault)
    return consents_impact(sealed.store, safe, person_named(sealed.store, name), on=on)


def decided(sealed: Sealed) -> pl.DataFrame:
    """Heads of households that were found eligible for dibao, whose consents hold."""
    return sealed.result.outcomes.filter((pl.col("programme") == "dibao") & (pl.col("outcome") == "eligible")).collect(
        engine="in-memory"
    )


def test_a_decision_on_a_person_who_withdraws_turns_to_a_referral_for_want_of_consent(sealed: Sealed) -> None:
    case = decided(sealed)["case_id"][0]
    (found,) = asked(sealed, f"{case}/A")
    (dibao,) = [change for change in found.changes if change.programme == "dibao"]
    assert (dibao.outcome, dibao.turns_to, dibao.award_would_be_fen) == ("eligible", "refer", None)
    assert dibao.award_fen is not None and dibao.award_fen > 0
    assert any(cause.startswith("no_consent:") for cause in dibao.causes)
    assert found.case_id == case and found.note == ""
    assert found.decided_on == DAY


def test_it_names_the_feeds_read_then_the_consents_and_the_entry_of_the_log(sealed: Sealed) -> None:
    case = decided(sealed)["case_id"][0]
    (found,) = asked(sealed, f"{case}/A")
    assert "bank_deposits" in found.feeds
    assert not any(is_office(all_feeds()[feed]) for feed in found.feeds)
    assert len(found.consents) == 1 and found.withdrawn == ()
    held = sealed.result.vault.find(case)
    assert found.index == held.index is not None
    assert tuple(held.groups) == GROUPS


def test_a_person_is_named_by_his_token_too(sealed: Sealed) -> None:
    case = decided(sealed)["case_id"][0]
    person = person_named(sealed.store, f"{case}/A")
    token = sealed.store.value("select token from subjects where person = ?", [person])
    assert asked(sealed, token) == asked(sealed, f"{case}/A")


def test_asking_changes_nothing(sealed: Sealed) -> None:
    before = sealed.store.snapshot()
    consents = sealed.store.fetch("select * from consents order by all")
    asked(sealed, f"{decided(sealed)['case_id'][0]}/A")
    assert sealed.store.snapshot() == before
    assert sealed.store.fetch("select * from consents order by all").equals(consents)


def test_nobody_by_that_name_is_an_error_without_the_name(sealed: Sealed) -> None:
    with pytest.raises(StoreError) as refused:
        asked(sealed, "U-7777/Z")
    assert "7777" not in str(refused.value)
