"""Persons under several numbers, and persons without one."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanscheck.contracts.units import CaseBlock
from meanscheck.errors import FeedError
from meanscheck.evidence import Member, Snapshot, Store
from meanscheck.evidence.merging import _groups
from meanscheck.evidence.suspects import suspects
from meanscheck.values.evidence_state import EvidenceState

from .inboxes import OUTSIDER, A, B, Inbox, consent, member, request, resident, wage

ON = date(2020, 6, 30)
OLD = OUTSIDER
WANTED = {"tax_income": ["amount"], "bank_deposits": ["balance"], "declaration": ["amount"], "deaths": ["died_on"]}
TAX = [{"feed": "tax_income"}]


def link(former: str = OLD, present: str = A, /, **changes: object) -> dict[str, object]:
    line: dict[str, object] = {
        "link_no": f"L-{former[-4:]}",
        "from_id_type": "resident_id",
        "from_id_number": former,
        "to_id_type": "resident_id",
        "to_id_number": present,
        "reason": "number_changed",
        "source": "派出所证明 2020-5",
        "on": "2020-06-10",
    }
    return {**line, **changes}


def with_check(body: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11]


def links(inbox: Inbox, *lines: dict[str, object]) -> Inbox:
    inbox.lines("identity_links.jsonl", lines or (link(),))
    return inbox


def blocks(store: Store, on: date = ON, snapshot: Snapshot | None = None) -> list[CaseBlock]:
    """The same case by both ways of reading."""
    taken = snapshot or store.snapshot()
    projected = next(iter(store.project(taken, on=on).blocks(WANTED, block_units=9)))
    return [projected, store.case_block("U-1", WANTED, on=on, snapshot=taken)]


def rows(store: Store, feed: str = "tax_income", on: date = ON, snapshot: Snapshot | None = None) -> list[list[int]]:
    return [block.persons[f"n:{feed}"].to_list() for block in blocks(store, on, snapshot)]


def states(store: Store, feed: str = "tax_income", on: date = ON) -> list[EvidenceState]:
    found = [[EvidenceState(s) for s in block.persons[f"s:{feed}"]] for block in blocks(store, on)]
    assert found[0] == found[1]
    return found[0]


def test_evidence_under_both_numbers_is_read_together_from_the_link_on(inbox: Inbox) -> None:
    inbox.requests(request(feeds=TAX))
    inbox.consents()
    file = inbox.tax([wage(A), wage(OLD, month="2020-04")])
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        before = store.snapshot()
        assert rows(store) == [[1, 0]] * 2
        store.identity_links(links(inbox).folder / "identity_links.jsonl")
        # The answer was about one number only: until the file is ingested again, it is none.
        assert states(store) == [EvidenceState.NO_ANSWER, EvidenceState.ANSWERED]
        assert store.ingest("tax_income", file).accepted == 1
        assert rows(store) == [[2, 0]] * 2
        assert states(store)[0] is EvidenceState.ANSWERED
        # Before the day of the link, and in an earlier snapshot, nothing has changed.
        assert rows(store, on=date(2020, 6, 9)) == [[1, 0]] * 2
        assert rows(store, snapshot=before) == [[1, 0]] * 2


def test_a_consent_given_under_the_former_number_holds(inbox: Inbox) -> None:
    inbox.requests(request(feeds=TAX))
    inbox.consents(consent(OLD), consent(B))
    inbox.tax([wage(A)])
    with inbox.store() as store:
        links(inbox)
        store.ingest_inbox(inbox.folder)
        assert rows(store) == [[1, 0]] * 2
        assert states(store)[0] is EvidenceState.ANSWERED


def test_the_same_row_under_two_numbers_counts_once(inbox: Inbox) -> None:
    inbox.requests(request(feeds=TAX))
    inbox.consents()
    inbox.tax([wage(A), wage(OLD), wage(OLD, month="2020-02")])
    links(inbox)
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        assert rows(store) == [[2, 0]] * 2


def test_two_numbers_that_say_different_things_under_one_key_contradict_each_other(inbox: Inbox) -> None:
    inbox.requests(request(feeds=[{"feed": "deaths"}]))
    inbox.consents()
    header = ["id_number", "died_on"]
    rows_ = [{"id_number": OLD, "died_on": "2019-01-01"}, {"id_number": A, "died_on": "2019-01-02"}]
    inbox.feed("deaths", rows_, header=header, feed="deaths")
    links(inbox)
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        assert states(store, "deaths") == [EvidenceState.CONFLICTING, EvidenceState.ANSWERED]


def test_a_link_that_was_wrong_ends_and_they_are_two_again(inbox: Inbox) -> None:
    inbox.requests(request(feeds=TAX))
    inbox.consents()
    inbox.tax([wage(A), wage(OLD, month="2020-04")])
    links(inbox)
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        assert rows(store) == [[2, 0]] * 2
        linked = store.snapshot()
        store.identity_links(links(inbox, link(ended_on="2020-06-20")).folder / "identity_links.jsonl")
        assert rows(store) == [[1, 0]] * 2
        assert rows(store, on=date(2020, 6, 15)) == [[2, 0]] * 2
        assert rows(store, snapshot=linked) == [[2, 0]] * 2
        assert store.snapshot().id != linked.id


@pytest.mark.parametrize("order", ["link_first", "requests_first"])
def test_one_person_in_two_applications_under_linked_numbers_is_refused_with_both_places(
    inbox: Inbox, order: str
) -> None:
    file = inbox.requests(request(), request("U-2", members=[member("A", OLD)]))
    linked = links(inbox).folder / "identity_links.jsonl"
    with inbox.store() as store:
        (take_first, one), (take_second, other) = (
            [(store.identity_links, linked), (store.requests, file)]
            if order == "link_first"
            else [(store.requests, file), (store.identity_links, linked)]
        )
        take_first(one)
        with pytest.raises(FeedError, match=r"member of two live applications") as refused:
            take_second(other)
        assert "requests.jsonl:1 members[0] and requests.jsonl:2 members[0]" in str(refused.value)
        assert OLD not in str(refused.value) and A not in str(refused.value)
        assert store.value("select count(*) from requests") == (0 if order == "link_first" else 2)
        assert store.value("select count(*) from identity_links") == (1 if order == "link_first" else 0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # 15 and 18 digits; a permit before and after renewal; a residence permit by two kinds of the sender
        (("resident_id", "110105491231002"), ("resident_id", "11010519491231002X")),
        (("hk_macao_tw_permit", "H1234567800"), ("hk_macao_tw_permit", "h12345678")),
        (("resident_id", "810000199408230021"), ("hk_macao_tw_permit", "810000199408230021")),
    ],
)
def test_one_person_in_two_applications_is_refused_whatever_form_his_number_has(
    inbox: Inbox, one: tuple[str, str], other: tuple[str, str]
) -> None:
    people = [[{**member("A", number), "id_type": kind}] for kind, number in (one, other)]
    file = inbox.requests(request(members=people[0]), request("U-2", members=people[1]))
    with inbox.store() as store, pytest.raises(FeedError, match="member of two live applications"):
        store.requests(file)


def test_two_numbers_of_one_person_in_one_application_are_refused(inbox: Inbox) -> None:
    file = inbox.requests(request(members=[member("A", A), member("B", OLD)]))
    with inbox.store() as store:
        store.identity_links(links(inbox).folder / "identity_links.jsonl")
        with pytest.raises(FeedError, match="stands twice in one application"):
            store.requests(file)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"source": " "}, "source"),
        ({"reason": "looks_alike"}, "reason"),
        ({"on": "1.6.2020"}, "on"),
        ({"on": None}, "on"),
        ({"ended_on": "2020-06-09"}, "ended_on"),
        ({"from_id_number": "110105194912310021"}, "from_id_number"),
        ({"to_id_number": OLD}, "to_id_number"),
    ],
)
def test_a_link_without_proof_or_with_a_faulty_number_is_refused(
    inbox: Inbox, changes: dict[str, object], field: str
) -> None:
    with inbox.store() as store:
        path = links(inbox, link(**changes)).folder / "identity_links.jsonl"
        with pytest.raises(FeedError, match=rf"identity_links.jsonl:1 {field}"):
            store.identity_links(path)


def test_the_same_links_again_change_nothing(inbox: Inbox) -> None:
    path = links(inbox).folder / "identity_links.jsonl"
    with inbox.store() as store:
        assert store.identity_links(path).added == 1
        taken = store.snapshot()
        assert store.identity_links(path).known == 1
        assert store.snapshot() == taken


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 99)).filter(lambda t: t[0] != t[1])))
def test_whoever_hangs_together_through_links_is_one_person(edges: list[tuple[int, int, int]]) -> None:
    groups = _groups(edges)
    home = {person: number for number, (group, _) in enumerate(groups) for person in group}
    assert sorted(home) == sorted({person for edge in edges for person in edge[:2]})
    assert all(home[one] == home[other] for one, other, _ in edges)
    for number, (group, since) in enumerate(groups):
        inside = [edge for edge in edges if home[edge[0]] == number]
        assert since == max(load for *_, load in inside)
        reached, frontier = {group[0]}, [group[0]]
        while frontier:
            at = frontier.pop()
            near = {o for a, b, _ in inside for o in ((b,) if a == at else (a,) if b == at else ())} - reached
            reached |= near
            frontier += near
        assert reached == set(group)


def test_lines_of_the_register_and_numbers_that_are_nearly_the_same_are_listed(inbox: Inbox) -> None:
    # Orders 001 and 003 of one day and place: two men, in digits that differ in one place.
    near = [with_check(f"44070319510202{order}") for order in ("001", "003")]
    people = [member("A", near[0]), member("B", near[1])]
    inbox.requests(request(members=people, feeds=[{"feed": "household_register"}]))
    inbox.consents(consent(near[0]), consent(near[1], consent_no="C-2"))
    line = {"household_no": "H1", "relation": "head", "sex": "male", "born_on": "1951-02-02", "status": "active"}
    header = ["id_number", *line]
    rows_ = [{"id_number": number, **line} for number in near]
    inbox.feed("household_register", rows_, header=header, feed="household_register")
    with inbox.store() as store:
        reports = store.ingest_inbox(inbox.folder)
        assert [report.accepted for report in reports] == [2]
        whys = suspects(store, on=ON)["why"].to_list()
        assert whys == ["name_birthday_sex", "near_number", "register_line"]
        # Without a consent the register's line may not be read, so it is not compared.
        store.consents(inbox.consents(consent(near[0], withdrawn_on="2020-06-26")))
        assert suspects(store, on=ON)["why"].to_list() == ["name_birthday_sex", "near_number"]


def test_persons_who_may_be_one_are_listed_and_never_merged(inbox: Inbox) -> None:
    alike = {"sex": "male", "born_on": "1951-02-02"}
    one = {**member("A", "H12345678", **alike), "id_type": "hk_macao_tw_permit", "name": "陈　小明"}
    other = {**member("A", "E1234567", **alike), "id_type": "passport", "name": "陈小明"}
    inbox.requests(request(members=[one]), request("U-2", members=[other]))
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        found = suspects(store, on=ON)
        assert found.rows() == [("name_birthday_sex", "U-1", "A", "U-2", "A")]
        assert store.value("select count(distinct person) from unit_persons") == 2


def test_a_person_without_a_number_is_a_member_whom_only_the_office_can_be_asked_about(inbox: Inbox) -> None:
    child = {"id": "C", "id_type": "无", "name": "丙", "relation": "child", "born_on": "2020-03-01"}
    people = [member("A", A, relation="head"), child]
    asked = [*TAX, {"feed": "declaration"}]
    inbox.requests(request(members=people, feeds=asked))
    inbox.consents()
    inbox.tax([wage(A)])
    row = {"id_type": "none", "id_number": "U-1/C", "item": "gifts", "amount": "5.00", "as_of": "2020-06-01"}
    inbox.feed("declaration", [{**row, "item": "bank_deposits.balance"}], as_of="2020-06-20")
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        assert states(store) == [EvidenceState.ANSWERED, EvidenceState.NOT_REQUESTED]
        assert states(store, "declaration") == [EvidenceState.ANSWERED] * 2
        assert [block.persons["role"].to_list() for block in blocks(store)] == [["member"] * 2] * 2
        assert rows(store, "declaration") == [[0, 1]] * 2
        told = store.report_rows("R-U-1", on=ON).states
        mine = told.filter(told["id"] == "C").select("feed", "state", "reason").rows()
        assert ("tax_income", "not_requested", "no_number") in mine


def test_children_without_numbers_of_two_households_are_two_persons(inbox: Inbox) -> None:
    child = {"id": "C", "id_type": "none", "name": "丙"}
    inbox.requests(request(members=[member("A", A), child]), request("U-2", members=[member("A", B), child]))
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        assert store.value("select count(*) from persons where id_type = 'none'") == 2


def test_who_is_given_a_number_later_can_be_asked_about(inbox: Inbox) -> None:
    child = {"id": "C", "id_type": "none", "name": "丙"}
    number = resident(33)
    inbox.requests(request(members=[member("A", A), child], feeds=TAX))
    inbox.consents(consent(A), consent(number))
    inbox.tax([wage(number)])
    named = {"from_id_type": "none", "from_id_number": "U-1/C", "reason": "number_assigned", "to_id_number": number}
    links(inbox, link(**named))
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        assert states(store) == [EvidenceState.ANSWERED] * 2
        assert rows(store) == [[0, 1]] * 2


def test_a_person_without_a_document_has_no_number(inbox: Inbox) -> None:
    file = inbox.requests(request(members=[member("A", A), {"id": "C", "id_type": "none", "id_number": "777"}]))
    with inbox.store() as store, pytest.raises(FeedError, match=r"members\[1\] id_number.*has a number") as refused:
        store.requests(file)
    assert "777" not in str(refused.value)
    assert Member(id="C", id_type="none").id_number is None
    with pytest.raises(ValueError, match="a number, or id_type none"):
        Member(id="C")
