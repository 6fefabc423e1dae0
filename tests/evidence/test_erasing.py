"""A household is erased from the store, and nobody else; what is left tells nobody whom it was about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from meanscheck.errors import StoreError
from meanscheck.evidence import Store
from meanscheck.evidence.rewriting import rewrite
from meanscheck.evidence.trace import damage

from .inboxes import BANKS, OUTSIDER, A, B, Inbox, S, consent, deposit, member, request, wage
from .test_states import ON

TOKENS = {"A": "aa" * 16, "B": "bb" * 16, 0: "00" * 16, 1: "11" * 16, 2: "22" * 16}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Case A with persons 0 and 1, twice requested; case B with persons 1 and 2."""
    with Store.open(tmp_path / "county.duckdb") as opened:
        filled = ", ".join(
            f"({n}, 1, null, 'R{n}', 'N{n}', '{case}', null, '2020-01-01', null, '', null, null, '', 1, '\\x00', '', 1)"
            for n, case in enumerate(("A", "A", "B"))
        )
        opened.run(f"insert into requests values {filled}")
        people = [(0, 0), (0, 1), (1, 0), (2, 1), (2, 2)]
        rows = ", ".join(f"({request}, 0, 'member', {person})" for request, person in people)
        opened.run(f"insert into unit_persons (request, position, role, person) values {rows}")
        cases = pl.DataFrame({"case_id": ["A", "B"], "token": [TOKENS["A"], TOKENS["B"]]})
        opened.insert("subjects", cases)
        opened.insert("subjects", pl.DataFrame({"person": [0, 1, 2], "token": [TOKENS[n] for n in range(3)]}))
        yield opened


def tokens(store: Store) -> set[str]:
    return set(store.fetch("select token from subjects")["token"].to_list())


def test_the_unit_and_those_who_are_in_no_other_are_forgotten(store: Store) -> None:
    store.erase_subject(TOKENS["A"], on=ON)
    assert tokens(store) == {TOKENS["B"], TOKENS[1], TOKENS[2]}


def test_forgetting_twice_or_a_person_s_token_does_nothing(store: Store) -> None:
    store.erase_subject(TOKENS["A"], on=ON)
    assert store.erase_subject(TOKENS["A"], on=ON) == 0
    assert store.erase_subject(TOKENS[1], on=ON) == 0
    assert store.value("select count(*) from erased") == 1
    assert tokens(store) == {TOKENS["B"], TOKENS[1], TOKENS[2]}


# ---- with evidence

CASES = ("U-1", "U-2")


def county(inbox: Inbox) -> Store:
    """U-1: A, with S as supporter; U-2: B, with the same supporter. All have wages, A an account and a row unread."""
    supporter = [{**member("S", S), "supports": ["M"]}]
    inbox.requests(
        request("U-1", members=[{**member("M", A), "name": "不该再见"}], supporters=supporter),
        request("U-2", members=[member("M", B)], supporters=supporter),
    )
    inbox.consents(consent(A), consent(B), consent(S))
    inbox.tax([wage(A, amount="111.11"), wage(B, amount="222.22"), wage(S, amount="333.33")], answer_no="N1")
    inbox.tax([wage(A, month="2020-04", amount="unreadable-777")], "tax_income-2", answered_on="2020-06-26")
    for bank in BANKS:
        inbox.bank(bank, [deposit(A, bank, "44444.44", account=f"ACCOUNT-{bank}")])
    store = inbox.store()
    store.ingest_inbox(inbox.folder)
    return store


def token_of(store: Store, case: str) -> str:
    return str(store.subjects([case])[0]["token"][0])


def test_rows_identities_consents_and_requests_are_gone_and_the_other_household_is_as_it_was(inbox: Inbox) -> None:
    with county(inbox) as store:
        other = store.case_block("U-2", {"tax_income": ["amount"]}, on=ON)
        before = store.snapshot()
        assert store.erase_subject(token_of(store, "U-1"), on=ON) == 3
        after = store.case_block("U-2", {"tax_income": ["amount"]}, on=ON)
        assert after.persons.drop("person").equals(other.persons.drop("person"))
        assert after.households.equals(other.households)
        with pytest.raises(StoreError, match="not in the store"):
            store.case_block("U-1", {}, on=ON)
        with pytest.raises(StoreError, match="not in the store"):
            store.case_block("U-1", {}, on=ON, snapshot=before)
        assert damage(store, before) == (), "erased is not damaged"
        assert store.value("select count(*) from persons where id_number = ?", [A]) == 0
        assert store.value("select sum(rows)::bigint from erased where feed = 'bank_deposits'") == 2


def test_a_file_that_comes_again_brings_nothing_of_the_erased_back(inbox: Inbox) -> None:
    with county(inbox) as store:
        store.erase_subject(token_of(store, "U-1"), on=ON)
        store.consents(inbox.consents(consent(B), consent(S), consent(OUTSIDER)))
        for stem in ("tax_income", "tax_income-2", "bank_deposits-ICBC"):
            report = store.ingest(stem.split("-")[0], inbox.folder / f"{stem}.csv")
            assert report.accepted == 0
        assert store.value("select count(*) from feed_tax_income") == 2, "B's and the supporter's"
        assert store.value("select count(*) from quarantine where raw is not null") == 0


def test_after_the_file_is_made_anew_its_bytes_hold_nothing_of_the_erased(inbox: Inbox) -> None:
    words = [A, "不该再见", "ACCOUNT-ICBC", "unreadable-777"]
    with county(inbox) as store:
        store.run("checkpoint")
        path, token = store.path, token_of(store, "U-1")
        assert all(word.encode() in path.read_bytes() for word in words), "or the search would find nothing anyhow"
        store.project(store.snapshot(), on=ON)
        assert path.with_suffix(".projection").exists()
        store.erase_subject(token, on=ON)
        assert not path.with_suffix(".projection").exists()
    rewrite(path, key=None, new_key=None)
    data = path.read_bytes()
    assert [word for word in (*words, token) if word.encode() in data] == []
    assert [f.name for f in inbox.folder.iterdir() if "rewriting" in f.name] == []
    with Store.open(path) as again:
        assert again.case_block("U-2", {}, on=ON).units == 1


# ---- the whole file of a household, for the person concerned


def test_the_file_of_a_household_holds_every_row_with_its_place_and_nothing_of_the_supporter(inbox: Inbox) -> None:
    with county(inbox) as store:
        corrected = inbox.tax([wage(A, amount="5.00")], "tax_income-3", corrects="N1", how="amend")
        store.ingest("tax_income", corrected)
        file = store.household_file("U-1")
        assert "111" not in repr(file)
        told = file.to_json()
        assert [
            (r["amount"], r["still_counts"], r["source_file"], r["source_line"]) for r in told["rows"]["tax_income"]
        ] == [
            ("111.11", False, "tax_income.csv", 2),
            ("5.00", True, "tax_income-3.csv", 2),
        ]
        assert [r["balance"] for r in told["rows"]["bank_deposits"]] == ["44444.44"] * 2
        assert [(p["id"], p["id_number"]) for p in told["people"]] == [("M", A)]
        assert [c["consent_no"] for c in told["consents"]] == [consent(A)["consent_no"]]
        assert [(u["field"], u["line"]) for u in told["unread"]] == [("amount", 2)]
        assert S not in str(told) and "333.33" not in str(told)
        assert [p["id"] for p in store.household_file("U-1", members=["S"]).to_json()["people"]] == ["S"]
        for case, members in (("U-9", None), ("U-1", ["nobody"])):
            with pytest.raises(StoreError, match="does not know"):
                store.household_file(case, members=members)
