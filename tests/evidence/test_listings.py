"""Manifests that name requests: one list for those that name the same, and each answers for those it names."""

from __future__ import annotations

from datetime import date

from meanscheck.evidence import Store
from meanscheck.values.evidence_state import EvidenceState

from .inboxes import BANKS, OUTSIDER, A, Inbox, consent, deposit, member, request, wage

ON = date(2020, 6, 30)
FEEDS = ("bank_deposits", "tax_income", "deaths")
YES, NO = EvidenceState.ANSWERED, EvidenceState.NO_ANSWER


def states(store: Store) -> dict[str, list[EvidenceState]]:
    """By case, of its one member, in the order of `FEEDS`; the same in the caseload and by itself."""
    wanted = {feed: list[str]() for feed in FEEDS}
    block = store.project(store.snapshot(), on=ON).block(wanted, first=0, after=2)
    found = {}
    for number, case in enumerate(block.households["case_id"]):
        alone = store.case_block(case, wanted, on=ON).persons.row(0, named=True)
        mine = block.persons.row(number, named=True)
        assert all(alone[f"s:{feed}"] == mine[f"s:{feed}"] for feed in FEEDS)
        found[case] = [EvidenceState(mine[f"s:{feed}"]) for feed in FEEDS]
    return found


def county(inbox: Inbox) -> Store:
    """U-1 and U-2, of one member each; both named by the banks, U-2 alone by the tax office."""
    inbox.requests(request(members=[member("A", A)]), request("U-2", members=[member("A", OUTSIDER)]))
    inbox.consents(consent(A), consent(OUTSIDER))
    for bank, order in zip(BANKS, (["R-U-1", "R-U-2"], ["R-U-2", "R-U-1", "R-U-2"]), strict=True):
        inbox.bank(bank, [deposit(A, bank)], requests=order)
    inbox.tax([wage(OUTSIDER)], requests=["R-U-2"])
    store = inbox.store()
    store.ingest_inbox(inbox.folder)
    return store


def test_answers_that_name_the_same_requests_share_a_list_and_answer_for_those_they_name(inbox: Inbox) -> None:
    with county(inbox) as store:
        assert store.value("select count(*) from listings") == 2
        assert store.value("select count(*) from listed_requests") == 3
        named = store.fetch("select feed, request_no from batch_requests join batches using (batch) order by all")
        assert named.rows() == [
            *(("bank_deposits", number) for number in ("R-U-1", "R-U-1", "R-U-2", "R-U-2")),
            ("tax_income", "R-U-2"),
        ]
        assert states(store) == {"U-1": [YES, NO, NO], "U-2": [YES, YES, NO]}


def test_a_list_that_came_later_changes_nothing_of_a_past_state(inbox: Inbox) -> None:
    with county(inbox) as store:
        before = store.snapshot()
        store.ingest("deaths", inbox.feed("deaths", [], header=["id_number", "died_on"], requests=["R-U-1"]))
        assert states(store) == {"U-1": [YES, NO, YES], "U-2": [YES, YES, NO]}
        told = store.case_block("U-1", {"deaths": []}, on=ON, snapshot=before).persons["s:deaths"].to_list()
        assert told == [int(NO)]


def test_the_list_of_an_erased_request_is_not_taken_for_the_whole_one(inbox: Inbox) -> None:
    with county(inbox) as store:
        store.erase_subject(str(store.subjects(["U-1"])[0]["token"][0]), on=ON)
        assert store.value("select count(*) from batch_requests where request_no = 'R-U-1'") == 0
        numbers = ["R-U-1", "R-U-2"]
        store.ingest("deaths", inbox.feed("deaths", [], header=["id_number", "died_on"], requests=numbers))
        assert store.value("select count(*) from listings") == 3
        block = store.case_block("U-2", {feed: [] for feed in FEEDS}, on=ON)
        assert [block.persons[f"s:{feed}"][0] for feed in FEEDS] == [YES, YES, YES]


def test_asked_about_again_later_is_asked_about_since_the_first_time(inbox: Inbox) -> None:
    """Somebody of U-1 lives in the register household of U-2, which comes later and allows nothing: nothing is new."""
    inbox.requests(request(members=[member("A", A)]))
    inbox.consents(consent(A))
    path = inbox.tax([wage(A)])
    with inbox.store() as store:
        store.ingest_inbox(inbox.folder)
        other = request(
            "U-2",
            feeds=[{"feed": "tax_income"}],
            members=[member("A", OUTSIDER), member("B", A, role="register", relation="other")],
        )
        store.requests(inbox.lines("requests-2.jsonl", [other]))
        again = store.ingest("tax_income", path)
        assert (again.already_known, again.accepted, again.known_rows) == (True, 0, 1)
