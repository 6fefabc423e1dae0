"""Who of a household may be asked in which feed, and what the request then says."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from evidence.inboxes import A, B, Inbox, S, consent, member, request, resident

from meanscheck.commissions import Made, application_of, make, take_in
from meanscheck.errors import FeedError, StoreError
from meanscheck.evidence import FeedAsk, Store
from meanscheck.law import RulePack
from meanscheck.law.law import Law
from meanscheck.law.needs import needed_feeds
from meanscheck.procedure.checking import CheckRules

PACK = "rules/cn/guangdong/jiangmen"
ON = date(2020, 6, 10)
RULES = CheckRules.load(PACK)


@cache
def law() -> Law:
    return RulePack.load(PACK).on(ON)


def household(inbox: Inbox, store: Store, *consents: dict[str, object], **changes: object) -> None:
    store.requests(inbox.requests(request(**changes)))  # type: ignore[arg-type]
    store.consents(inbox.consents(*consents))


def made_of(store: Store, **options: object) -> Made:
    settings: dict[str, object] = {"request_no": "R-2", "on": ON, "law": law(), "rules": RULES, **options}
    return make(store, "U-1", **settings)  # type: ignore[arg-type]


def reason(made: Made, who: str, feed: str) -> str:
    return str(made.asks.filter((pl.col("id") == who) & (pl.col("feed") == feed))["reason"].item())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "ask"),
        ({"from": "2020-06-10", "to": "2020-06-10"}, "ask"),
        ({"from": "2020-06-11"}, "no_consent"),
        ({"to": "2020-06-09"}, "no_consent"),
        ({"withdrawn_on": "2020-06-10"}, "no_consent"),
        ({"withdrawn_on": "2020-06-11"}, "ask"),
        ({"feeds": ["tax_income"]}, "no_consent"),
        ({"purpose": "medical_relief"}, "no_consent"),
        ({"purpose": "social_relief"}, "ask"),
    ],
)
def test_consent_must_cover_feed_purpose_and_day(inbox: Inbox, changes: dict[str, object], expected: str) -> None:
    with inbox.store() as store:
        household(inbox, store, consent(A, **changes), consent(B))
        made = made_of(store)
        assert reason(made, "A", "bank_deposits") == expected
        assert reason(made, "B", "bank_deposits") == "ask"


def test_only_what_a_rule_reads_at_a_person_of_that_role_is_asked(inbox: Inbox) -> None:
    people = [member("A", A), member("R", B, role="register")]
    supporters = [member("S", S, supports=["A"])]
    with inbox.store() as store:
        household(inbox, store, consent(A), consent(B), consent(S), members=people, supporters=supporters)
        made = made_of(store)
        needed = needed_feeds(law(), ("tekun", "dibao"))
        assert "bank_deposits" in needed["member"] and "bank_deposits" not in needed["supporter"]
        assert (reason(made, "A", "bank_deposits"), reason(made, "S", "bank_deposits")) == ("ask", "not_needed")
        assert reason(made, "S", "disability") == "ask"
        assert set(made.asks.filter(pl.col("id") == "R")["reason"]) <= {"not_needed", "own"}
        assert reason(made, "A", "declaration") == "own"
        asked = {ask.feed for ask in made.request.feeds}
        assert "housing_fund" not in asked and "utilities" not in asked


def test_a_feed_that_nobody_allows_is_left_out_and_named(inbox: Inbox) -> None:
    with inbox.store() as store:
        household(inbox, store, consent(A, feeds=["bank_deposits"]), consent(B, feeds=["bank_deposits"]))
        made = made_of(store)
        asked = {ask.feed for ask in made.request.feeds}
        assert "tax_income" in made.without and "tax_income" not in asked
        # Institutions are those asked before.
        (banks,) = (ask for ask in made.request.feeds if ask.feed == "bank_deposits")
        assert banks.institutions == ("ABC", "ICBC")


def test_a_request_that_may_ask_nothing_is_refused(inbox: Inbox) -> None:
    with inbox.store() as store:
        household(inbox, store, consent(A, to="2020-05-02"), consent(B, to="2020-05-02"))
        with pytest.raises(FeedError, match="no_consent"):
            made_of(store)


def test_what_was_made_is_taken_in_with_whom_it_asks_about(inbox: Inbox) -> None:
    with inbox.store() as store:
        household(inbox, store, consent(A), consent(B, feeds=["bank_deposits"]))
        made = made_of(
            store, feeds={"bank_deposits": FeedAsk(feed="bank_deposits"), "tax_income": FeedAsk(feed="tax_income")}
        )
        take_in(store, made)
        pairs = store.fetch("select i.id_number, a.feed from asked_of a join persons i using (person) order by all")
        assert set(pairs.rows()) == {(A, "bank_deposits"), (A, "tax_income"), (B, "bank_deposits")}
        assert store.value("select count(*) from units where request_no = 'R-2'") == 1
        with pytest.raises(StoreError, match="used before"):
            made_of(store)


def test_the_articles_of_authorisation_come_with_it(inbox: Inbox) -> None:
    with inbox.store() as store:
        household(inbox, store, consent(A), consent(B))
        assert made_of(store).cite == ("cn-220-2012#12",)


def test_a_new_case_is_asked_about_from_its_application(inbox: Inbox, tmp_path: Path) -> None:
    line = {k: v for k, v in request("U-1").items() if k not in ("request_no", "feeds")}
    path = tmp_path / "application.json"
    path.write_text(json.dumps(line, ensure_ascii=False), encoding="utf-8")
    with inbox.store() as store:
        store.consents(inbox.consents(consent(A), consent(B)))
        with pytest.raises(StoreError, match="does not know that case"):
            made_of(store)
        made = made_of(store, application=application_of(path))
        take_in(store, made)
        assert reason(made, "A", "tax_income") == "ask"
        with pytest.raises(FeedError, match="another case"):
            make(store, "U-9", request_no="R-3", on=ON, law=law(), rules=RULES, application=application_of(path))


def test_a_faulty_application_names_the_field_and_no_value(tmp_path: Path) -> None:
    number = resident(77)
    path = tmp_path / "application.json"
    path.write_text(json.dumps({"case_id": "U-1", "members": [{"id": "A", "id_number": number, "sex": 5}]}))
    with pytest.raises(FeedError) as fault:
        application_of(path)
    assert number not in str(fault.value) and "application.json" in str(fault.value)


def test_one_member_is_asked_about_only_where_something_is_missing(inbox: Inbox) -> None:
    with inbox.store() as store:
        household(inbox, store, consent(A), consent(B))
        store.ingest("tax_income", inbox.tax([]))
        made = made_of(store, member="B")
        assert made.is_partial
        assert reason(made, "B", "tax_income") == "answered"
        assert reason(made, "B", "bank_deposits") == "ask"
        assert reason(made, "A", "bank_deposits") == "other_person"
        # The request itself repeats what the household's asked: states follow from the latest request.
        assert {ask.feed for ask in made.request.feeds} == {"bank_deposits", "deaths", "tax_income"}
        with pytest.raises(FeedError, match="no such person"):
            made_of(store, member="X")


def test_reprs_and_messages_hold_no_person(inbox: Inbox) -> None:
    with inbox.store() as store:
        household(inbox, store, consent(A), consent(B))
        shown = repr(made_of(store))
        assert A not in shown and B not in shown
