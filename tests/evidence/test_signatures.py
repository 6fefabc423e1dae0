"""Who may sign for whom, and when it must be signed again."""

from __future__ import annotations

from datetime import date

import pytest

from meanscheck.errors import FeedError, InputError
from meanscheck.evidence import Store
from meanscheck.evidence.due import consents_due, consents_list
from meanscheck.evidence.resigning import FORM_RULE, rule_on, set_rule
from meanscheck.evidence.signing import age_on
from meanscheck.values.evidence_state import EvidenceState

from .inboxes import OUTSIDER, A, B, Inbox, consent, member, request, wage

ON = date(2020, 6, 30)
TAX = [{"feed": "tax_income"}]
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def born(day: str, order: str = "001") -> str:
    """A made-up number of somebody born on a day, 20060501 say."""
    body = f"440703{day}{order}"
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, WEIGHTS, strict=True)) % 11]


CHILD, YOUTH, MINOR_GUARDIAN = born("20060502"), born("20040501"), born("20020502")


def family(inbox: Inbox, number: str, **signature: object) -> list[tuple[str, str]]:
    """Reasons due for a child B beside an adult A, with B's consent signed as given (on 2020-05-01)."""
    people = [member("A", A, relation="head"), member("B", number, relation="child")]
    with inbox.store() as store:
        store.requests(inbox.requests(request(members=people, feeds=TAX)))
        store.consents(inbox.consents(consent(A), consent(number, **signature)))
        return consents_due(store, on=ON).select("member", "why").rows()


def refusal(inbox: Inbox, number: str, **signature: object) -> str:
    with inbox.store() as store, pytest.raises(FeedError) as refused:
        store.consents(inbox.consents(consent(A), consent(number, **signature)))
    assert number not in str(refused.value)
    assert "consents.jsonl:2" in str(refused.value)
    return str(refused.value)


def test_a_person_is_older_on_the_birthday_and_not_the_day_before() -> None:
    assert [age_on(date(2006, 5, 2), date(2020, 5, d)) for d in (1, 2)] == [13, 14]
    assert [age_on(date(2004, 2, 29), day) for day in (date(2018, 2, 28), date(2018, 3, 1))] == [13, 14]


def test_a_child_under_fourteen_cannot_sign_for_himself(inbox: Inbox) -> None:
    # 个人信息保护法 art. 31: under 14 a parent or guardian consents. Born 2006-05-02, signed 2020-05-01: 13 years.
    assert "under 14 has signed for himself" in refusal(inbox, CHILD)


def test_the_day_of_signing_counts_and_not_the_day_it_begins_to_hold(inbox: Inbox) -> None:
    assert family(inbox, CHILD, signed_on="2020-05-02") == [("B", "minor_signed_self")]


def test_a_youth_who_signed_for_himself_is_flagged_since_the_law_leaves_it_open(inbox: Inbox) -> None:
    # 民法典 art. 18 (2), 19: at 16 in full capacity if he lives on his own work; else if suited to his age.
    assert family(inbox, YOUTH) == [("B", "minor_signed_self")]


@pytest.mark.parametrize(
    ("signature", "flags"),
    [
        ({}, [("B", "guardian_not_named")]),  # lines as they were before
        ({"signer_id_number": A, "signer_basis": "parent"}, []),
        ({"signer_member": "A", "signer_basis": "parent"}, []),
        (
            {"signer_member": "X", "signer_basis": "parent"},
            [("B", "guardian_age_unknown"), ("B", "guardian_not_known")],
        ),
        ({"signer_id_number": OUTSIDER, "signer_basis": "relative"}, [("B", "guardian_not_known")]),
        ({"signer_basis": "organisation"}, []),
        ({"signer_id_number": A, "signer_basis": "parent", "form_digest": None}, [("B", "no_form")]),
        ({"signer_id_number": A, "signer_basis": "parent", "form_digest": None, "signature_ref": "CA-7"}, []),
    ],
)
def test_a_guardian_who_is_not_named_or_not_known_is_flagged(
    inbox: Inbox, signature: dict[str, object], flags: list[tuple[str, str]]
) -> None:
    assert family(inbox, CHILD, signed_by="guardian", **signature) == flags


@pytest.mark.parametrize(
    ("signature", "why"),
    [
        ({"signer_id_number": CHILD}, "the guardian is the person himself"),
        ({"signer_id_number": MINOR_GUARDIAN}, "the guardian is under 18"),  # 17 on 2020-05-01
        ({"signer_id_number": "110105194912310021"}, "bad_check_digit"),
        ({"signer_id_number": A, "signer_member": "A"}, "signer_member"),
        ({"signer_basis": "neighbour"}, "signer_basis"),
        ({"form_digest": "sha256:00"}, "form_digest"),
        ({"form_digest": "sha256:" + "g" * 64}, "form_digest"),
        ({"signed_on": "yesterday"}, "signed_on"),
        ({"signed_by": "self", "signer_id_number": A}, "another is named as signer"),
    ],
)
def test_a_signature_that_the_line_itself_shows_to_be_none_is_refused(
    inbox: Inbox, signature: dict[str, object], why: str
) -> None:
    number = YOUTH if signature.get("signed_by") == "self" else CHILD
    assert why in refusal(inbox, number, **{"signed_by": "guardian", **signature})


def test_an_adult_signed_for_by_another_needs_a_ground(inbox: Inbox) -> None:
    assert family(inbox, B, signed_by="guardian", signer_id_number=A) == [("B", "guardian_of_adult")]


def test_a_guardian_whom_the_application_states_is_known(inbox: Inbox) -> None:
    people = [member("A", A, relation="head"), member("B", CHILD, guardian=OUTSIDER)]
    with inbox.store() as store:
        store.requests(inbox.requests(request(members=people, feeds=TAX)))
        signed = consent(CHILD, signed_by="guardian", signer_id_number=OUTSIDER, signer_basis="appointed")
        store.consents(inbox.consents(consent(A), signed))
        assert consents_due(store, on=ON).is_empty()


def test_older_lines_keep_their_digest_and_new_fields_make_a_new_version(inbox: Inbox) -> None:
    with inbox.store() as store:
        store.consents(inbox.consents())
        before = store.fetch("select digest from consents order by consent_no")["digest"].to_list()
        assert store.consents(inbox.consents()).known == 2
        assert store.consents(inbox.consents(consent(A, signature_ref="CA-7"), consent(B))).added == 1
        after = store.fetch("select digest, signature_ref from consents order by consent_no, load")
        assert set(before) < set(after["digest"].to_list())
        assert store.value("select count(distinct first_load) from consents") == 1


@pytest.mark.parametrize(
    ("changes", "on", "why"),
    [
        ({"to": "2020-06-29"}, ON, "expired"),
        ({"from": "2020-07-01"}, ON, "not_yet"),
        ({"withdrawn_on": "2020-06-30"}, ON, "withdrawn"),
        ({"withdrawn_on": "2020-07-01"}, ON, None),
        ({"purpose": "education_relief"}, ON, "other_purpose"),
        ({"feeds": ["bank_deposits"]}, ON, "feeds"),
        ({"purpose": "social_relief"}, ON, None),
    ],
)
def test_what_is_due_names_why(inbox: Inbox, changes: dict[str, object], on: date, why: str | None) -> None:
    with inbox.store() as store:
        store.requests(inbox.requests(request(feeds=TAX)))
        store.consents(inbox.consents(consent(A, **changes)))
        found = consents_due(store, on=on).select("member", "why").rows()
        assert found == [*([("A", why)] if why else []), ("B", "missing")]
        uses = consents_list(store, on=on)["use"].to_list()
        assert uses == [why if why not in (None, "feeds") else "usable"]


# --- signing again


def after_change(store: Store, inbox: Inbox, *consents: dict[str, object], **change: object) -> list[EvidenceState]:
    """States of A and B in a case that was asked about, allowed, and then changed, with consents given thereupon."""
    store.requests(inbox.requests(request(feeds=TAX)))
    store.consents(inbox.consents())
    changed = {**request(feeds=TAX), "request_no": "R-2", **change}
    store.requests(inbox.requests(changed))
    if consents:
        store.consents(inbox.consents(*consents))
    store.ingest("tax_income", inbox.tax([wage(A)], answered_on="2020-06-28"))
    projection = store.project(store.snapshot(), on=ON)
    block = next(iter(projection.blocks({"tax_income": ["amount"]}, block_units=9)))
    alone = store.case_block("U-1", {"tax_income": ["amount"]}, on=ON)
    assert alone.persons["s:tax_income"].to_list() == block.persons["s:tax_income"].to_list()
    return [EvidenceState(state) for state in block.persons["s:tax_income"]]


GROWN = [member("A", A, relation="head", sex="male", born_on="1951-02-02"), member("B", B), member("C", OUTSIDER)]
NEW = {"application_no": "A-2", "applied_on": "2020-06-20"}
NO, YES, NONE = EvidenceState.NO_CONSENT, EvidenceState.ANSWERED, None


def test_when_members_change_everybody_signs_again(inbox: Inbox) -> None:
    with inbox.store() as store:
        assert after_change(store, inbox, members=GROWN) == [NO, NO, NO]
        assert consents_due(store, on=ON).select("member", "why").rows() == [
            ("A", "members_changed"),
            ("B", "members_changed"),
            ("C", "missing"),
        ]
        # And nothing was stored: evidence without a live consent never is.
        assert store.value("select count(*) from feed_tax_income") == 0


def test_signatures_given_after_the_change_count(inbox: Inbox) -> None:
    with inbox.store() as store:
        anew = [consent(n, consent_no=f"N-{i}") for i, n in enumerate((A, B, OUTSIDER))]
        assert after_change(store, inbox, *anew, members=GROWN) == [YES, YES, YES]
        assert consents_due(store, on=ON).is_empty()


def test_a_consent_that_names_the_changed_request_counts(inbox: Inbox) -> None:
    with inbox.store() as store:
        named = [consent(A, request_no="R-2"), consent(B, request_no="R-U-1")]
        assert after_change(store, inbox, *named, members=GROWN)[:2] == [YES, NO]


@pytest.mark.parametrize(
    ("anew", "expected"),
    [
        ([], [NO, NO]),
        ([consent(A, signed_on="2020-06-20"), consent(B, signed_on="2020-06-19")], [YES, NO]),
        ([consent(A, consent_no="N", **{"from": "2020-06-21"}), consent(B, consent_no="M")], [YES, NO]),
        ([consent(A, consent_no="N", **{"from": None}), consent(B, request_no="R-2")], [YES, YES]),
    ],
)
def test_a_new_application_is_signed_for_again(
    inbox: Inbox, anew: list[dict[str, object]], expected: list[EvidenceState]
) -> None:
    with inbox.store() as store:
        assert after_change(store, inbox, *anew, **NEW) == expected


def test_a_review_with_the_same_members_needs_no_new_signature(inbox: Inbox) -> None:
    with inbox.store() as store:
        assert after_change(store, inbox, reference_day="2020-06-29") == [YES, YES]


def test_the_office_may_state_another_rule_with_its_source_and_day(inbox: Inbox) -> None:
    with inbox.store() as store:
        assert rule_on(store, ON) == (True, True, FORM_RULE)
        taken = store.snapshot()
        with pytest.raises(InputError, match="source"):
            set_rule(store, on_members=False, on_application=True, in_force_on=date(2020, 6, 1), source=" ")
        set_rule(store, on_members=False, on_application=True, in_force_on=date(2020, 6, 1), source="X县 授权书")
        assert store.snapshot().id != taken.id
        assert rule_on(store, date(2020, 5, 31))[2] == FORM_RULE
        assert rule_on(store, ON) == (False, True, "X县 授权书")
        assert after_change(store, inbox, members=GROWN) == [YES, YES, NO]


def test_an_earlier_snapshot_is_as_it_was_before_the_change(inbox: Inbox) -> None:
    with inbox.store() as store:
        store.requests(inbox.requests(request(feeds=TAX)))
        store.consents(inbox.consents())
        store.ingest("tax_income", inbox.tax([wage(A)]))
        before = store.snapshot()
        store.requests(inbox.requests(request(feeds=TAX, request_no="R-2", members=GROWN)))
        found = store.case_block("U-1", {"tax_income": ["amount"]}, on=ON, snapshot=before)
        assert found.persons["n:tax_income"].to_list() == [1, 0]
        now = store.case_block("U-1", {"tax_income": ["amount"]}, on=ON)
        assert now.persons["n:tax_income"].to_list() == [0, 0, 0]
