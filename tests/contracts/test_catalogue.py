"""The contract files: complete, unambiguous, strictly read, and the generated files made from them."""

from __future__ import annotations

import pickle
from datetime import date

import pytest

from meanscheck.contracts import (
    all_feeds,
    all_senders,
    application_contract,
    catalogue,
    feed,
    feed_names,
    sender_named,
)
from meanscheck.contracts.generate import generated_files
from meanscheck.contracts.loader import load_contract
from meanscheck.contracts.model import PERSON
from meanscheck.contracts.spelling import choice_key, header_key
from meanscheck.contracts.strict_yaml import load_yaml
from meanscheck.contracts.units import MEMBER_ATTRIBUTES
from meanscheck.errors import ContractError, FeedError
from meanscheck.values.data import data_dir

# The list of feeds and columns that packs, cases and other departments build on.
FIXED = {
    "household_register": "household_no relation sex born_on hukou_type division_code status registered_on",
    "marriages": "status spouse_id registered_on",
    "deaths": "died_on",
    "absences": "kind since until",
    "school": "level mode fee_class enrolled_on left_on",
    "disability": "kind grade valid_to",
    "serious_illness": "diagnosis_group recognised_on valid_to",
    "labour_capacity": "capacity appraised_on",
    "self_care_assessments": "items_failed needs_care_since assessed_on",
    "supporters": "supporter_id supports relation sex born_on residence division_code income household_size "
    "household_income children_count others_supported agreed_amount received_amount paid_out civil_capacity",
    "tax_income": "month item amount tax",
    "social_insurance": "month scheme payer base paid personal_paid employer",
    "pensions_paid": "month kind amount central_part",
    "housing_fund": "month deposit personal_part balance",
    "employment": "status public_welfare_post since",
    "work_offers": "offered_on refused",
    "public_payroll": "month amount organisation",
    "farm_subsidies": "month kind amount",
    "farmland": "area use",
    "collective_income": "paid_on kind amount",
    "field_survey": "item amount basis surveyed_on surveyor_org",
    "bank_deposits": "bank_code account_token account_kind balance outflow_6m as_of",
    "securities": "kind value as_of",
    "insurance_policies": "kind role premium payer cash_value as_of",
    "wallets": "balance as_of",
    "vehicles": "vehicle_token vehicle_class use_nature status registered_on",
    "real_estate": "right_token use area share condition division_code status registered_on transferred_on",
    "business_registration": "credit_code entity_type business_line role contribution employees is_couple_run "
    "is_relief_coop status",
    "relief_status": "programme care_mode from until granted_by",
    "relief_paid": "category programme payer month amount",
    "medical_settlements": "settlement_no reverses settled_on care diagnosis_group division_code total in_scope "
    "basic_paid serious_paid other_paid relief_paid",
    "medical_enrolment": "insured_in category subsidised from until",
    "rigid_spending": "kind paid_on amount reimbursed",
    "declaration": "item amount as_of",
    "findings": "feed row_ref verdict reason_code evidence_ref decided_on officer",
    "case_events": "application_no step on organisation officer",
    "payment_returns": "roster_no line month amount result reason",
    "utilities": "",
    "entry_exit": "",
}


def test_every_feed_is_there_with_its_fixed_columns() -> None:
    assert set(feed_names()) == set(FIXED)
    for name, columns in FIXED.items():
        assert set(columns.split()) <= set(feed(name).column_names), name


@pytest.mark.parametrize(
    ("name", "column", "choices"),
    [
        ("tax_income", "item", "wages labour royalties business interest rent transfer incidental"),
        ("vehicles", "status", "normal overdue seized scrapped"),
        ("disability", "grade", "1 2 3 4"),
        ("marriages", "status", "single married divorced widowed"),
        ("findings", "verdict", "confirmed explained disregarded"),
        ("declaration", "item", "wages business property transfer other bank_deposits.balance securities.value "
         "insurance_policies.cash_value wallets.balance vehicles real_estate business_registration"),
        ("relief_status", "programme", "dibao wubao tekun dibao_margin rigid_expenditure orphan unsupported_child "
         "return_to_poverty_monitored urban_sanwu hardship_worker"),
    ],
)  # fmt: skip
def test_choices_are_the_fixed_ones_in_their_order(name: str, column: str, choices: str) -> None:
    assert feed(name).column(column).choices == tuple(choices.split())


def test_the_member_contract_holds_the_attributes_of_a_case_unit() -> None:
    assert set(MEMBER_ATTRIBUTES) <= set(application_contract("member").column_names)


def test_every_feed_has_a_month_or_an_as_of_and_begins_with_the_identity() -> None:
    for contract in all_feeds().values():
        assert contract.column_names[:3] == ("id_type", "id_number", "name")
        assert ("month" in contract.column_names) != ("as_of" in contract.column_names), contract.name


def test_no_header_means_two_columns_of_a_feed() -> None:
    for contract in [*all_feeds().values(), application_contract("household"), application_contract("member")]:
        owner: dict[str, str] = {}
        for column in contract.columns:
            for header in (column.name, column.stored_name, column.title_zh, *column.aliases):
                assert owner.setdefault(header_key(header), column.name) == column.name, (contract.name, header)


def test_every_column_has_several_chinese_headers_and_every_choice_a_chinese_label() -> None:
    for contract in all_feeds().values():
        for column in contract.columns:
            assert len({column.title_zh, *column.aliases}) >= 2, (contract.name, column.name)
            assert set(column.choice_labels) == set(column.choices)
            for choice, label in column.choice_labels.items():
                assert column.choice_aliases[choice_key(label)] == choice


def test_keys_and_latest_by_name_columns_that_are_stored_under_their_name() -> None:
    for contract in all_feeds().values():
        for name in contract.latest_by:
            assert name == PERSON or contract.column(name).stored_name == name, contract.name


def test_national_standards_are_cited() -> None:
    cited = " ".join(c.standard or "" for contract in all_feeds().values() for c in contract.columns)
    for standard in ("GB 11643", "GB/T 2260", "GB/T 2261.1", "GB/T 2261.2", "GB/T 4761", "GB 32100"):
        assert standard in cited


def test_generated_files_are_those_in_the_repository() -> None:
    folder = data_dir("schemas") / "generated"
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == dict(generated_files())


def test_an_unknown_feed_is_an_error_with_a_remedy() -> None:
    with pytest.raises(FeedError, match=r"no feed bank_deposit.*feeds list"):
        feed("bank_deposit")


def test_digests_tell_contracts_apart() -> None:
    digests = [contract.digest for contract in all_feeds().values()]
    assert len(set(digests)) == len(digests)
    assert all(len(digest) == 64 for digest in digests)


def test_senders_are_named_by_the_name_of_the_day() -> None:
    tax = all_senders()["local_tax"]
    assert tax.name_on(date(2014, 5, 1)) == "地方税务局"
    assert tax.name_on(date(2020, 5, 1)) is None
    assert tax.succeeded_by == "tax"
    assert all_senders()["tax"].name_on(date(2020, 5, 1)) == "税务局"


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("tax", "tax"),
        ("江门市地方税务局", "local_tax"),
        ("国土资源局", "land_resources"),
        ("江门市医疗保障局", "medical_insurance"),
    ],
)
def test_a_sender_is_known_by_its_id_or_chinese_name(text: str, sender: str) -> None:
    found = sender_named(text)
    assert found is not None
    assert found.id == sender


def test_an_unknown_sender_is_none() -> None:
    assert sender_named("某某") is None


# Strict reading ------------------------------------------------------------------------------------------------------


def good() -> str:
    return (data_dir("schemas") / "feeds" / "wallets.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("status: active", "status: active\nstatus: draft", "given twice"),
        ("status: active", "status: active\nowner: x", "Extra inputs"),
        ("apiVersion: v3.2.0", "apiVersion: v9", "apiVersion"),
        ("property: basis, value: as_of", "property: basis, value: sometimes", "basis must be one of"),
        ("property: basis,", "property: bases,", "unknown custom property"),
        ("property: kind, value: money", "property: kind, value: cash", "kind is not one of"),
        ("physicalName: balance_fen", "physicalName: balance", "stored name must be"),
        ("value: yuan", "value: dollar", "unit does not fit"),
        ("支付账户结余", "姓名", "names both"),
        ("label: 护照", "label: 身份证", "spells two choices"),
        ("value: [institution, account_token, as_of]", "value: [institution, account]", "which is no column"),
        ("domain: social_relief", "domain: &here social_relief", "anchors"),
        ("domain: social_relief", "domain: !!str social_relief", "tags"),
        ("required: true", "required: yes", "valid boolean"),
    ],
)
def test_a_faulty_contract_is_refused_with_its_line(old: str, new: str, message: str) -> None:
    text = good()
    assert old in text
    with pytest.raises(ContractError, match=message) as caught:
        load_contract(text.replace(old, new, 1), where="wallets.yaml")
    assert caught.value.where.startswith("wallets.yaml:")
    assert caught.value.remedy


def test_yaml_keeps_codes_as_text_and_dates_as_text() -> None:
    value, lines = load_yaml('a: 010101\nb: 2020-05-01\nc: [on, 12, "12", true]\n', where="x")
    assert value == {"a": "010101", "b": "2020-05-01", "c": ["on", 12, "12", True]}
    assert lines["c", 1] == 3


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "empty file"),
        ("a: ]", 1, "not YAML"),
        ("b: 1\n? [a]\n: b", 2, "a key is not text"),
        ("b: 1\na: *x", 2, "anchors and aliases"),
        ("*x : 1", 1, "anchors and aliases"),
        ("a: 1\n---\nb: 2", 2, "a second document"),
        ("a: 1\nb:\n  c: 2\n  c: 3", 4, "key c is given twice"),
        ("[" * 42 + "]" * 42, 1, "nested too deep"),
    ],
)
def test_what_is_not_strict_yaml_is_refused_with_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(ContractError, match=what) as caught:
        load_yaml(text, where="x.yaml")
    assert caught.value.where == f"x.yaml:{line}"


def test_a_process_that_was_told_the_feeds_reads_none(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = pickle.loads(pickle.dumps(dict(all_feeds())))
    monkeypatch.setattr(catalogue, "_told", {})
    monkeypatch.setattr(catalogue, "load_contract", lambda *_, **__: pytest.fail("a contract was read"))
    catalogue.tell_feeds(sent)
    assert all_feeds.__wrapped__() == all_feeds()
