"""Which answers are too old, on each side of the day and on it, and until when reports hold: alike for everybody who
says so."""

from __future__ import annotations

from datetime import date

import pytest
from evidence.inboxes import A, B, Inbox, consent, deposit, request

from meanscheck.commissions import stale_answers, validity
from meanscheck.contracts.texts import feed_form
from meanscheck.contracts.units import units_of
from meanscheck.decisions import assess, check
from meanscheck.decisions.encode import input_needs
from meanscheck.law import RulePack
from meanscheck.law.freshness import report_valid_until, stale_from
from meanscheck.law.plain import PlainRun

PACK = "rules/cn/guangdong/jiangmen"


@pytest.mark.parametrize(
    ("day", "is_stale"),
    [
        # Answered as of 15 January; six months (rules/cn, evidence.freshness) go to the end of July.
        (date(2020, 7, 30), False),
        (date(2020, 7, 31), False),
        (date(2020, 8, 1), True),
        (date(2020, 8, 2), True),
    ],
)
def test_a_stale_answer_is_unknown_to_everybody_from_the_same_day_on(inbox: Inbox, day: date, is_stale: bool) -> None:
    law = RulePack.load(PACK).on(day)
    with inbox.store() as store:
        store.requests(inbox.requests(request(reference_day=day.isoformat())))
        store.consents(inbox.consents(consent(A, to="2021-01-01"), consent(B, to="2021-01-01")))
        for bank in ("ABC", "ICBC"):
            rows = [deposit(A, bank, "5000.00", f"T{bank}", 截止日期="2020-01-15")]
            store.ingest("bank_deposits", inbox.bank(bank, rows, as_of="2020-01-15"))
        # What is declared counts beside what the banks say; nothing is.
        (inbox.folder / "declaration.csv").write_bytes(feed_form("declaration"))
        store.ingest("declaration", inbox.folder / "declaration.csv")
        (unit,) = units_of(store.case_block("U-1", input_needs(law), on=day))
        run = PlainRun(law, unit)
        deposits = run.variable("deposits", 0)
        assert (deposits is None) is is_stale
        assert deposits in (None, 1000000)
        assert ("stale:bank_deposits" in run.why("deposits", 0)) is is_stale
        result = assess(store, law).run()
        means = result.decision("U-1").groups["means"]["members"][0]["values"]
        assert means["deposits"] == deposits
        found = stale_answers(store, law, on=day)
        assert found["is_stale"].to_list() == [True] * (2 if is_stale else 0)
        assert set(found["stale_from"]) <= {date(2020, 8, 1)}
        report = check(store, "R-U-1", law=law)
        (item,) = (i for i in report.items if (i.member, i.feed) == ("A", "bank_deposits"))
        assert item.stale_from == date(2020, 8, 1)
        assert (item.state, item.conclusion, item.found) == (
            ("stale", "待核实", None) if is_stale else ("answered", "有记录", 1000000)
        )


def test_an_answer_ages_against_its_requests_own_day_and_is_foretold_for_another(inbox: Inbox) -> None:
    law = RulePack.load(PACK).on(date(2020, 6, 30))
    with inbox.store() as store:
        store.requests(inbox.requests())
        store.consents(inbox.consents())
        for bank in ("ABC", "ICBC"):
            store.ingest("bank_deposits", inbox.bank(bank, []))  # as of 20 June 2020
        assert stale_answers(store, law, on=date(2020, 12, 31)).is_empty()
        foretold = stale_answers(store, law, on=date(2021, 1, 1))
        assert foretold.select("id", "feed", "stale_from", "is_stale").rows() == [
            (name, "bank_deposits", date(2021, 1, 1), False) for name in ("A", "B")
        ]
        assert stale_answers(store, law, on=date(2021, 1, 1), cases=["U-9"]).is_empty()
        # 30 June and six months: the day of the same number in the sixth month (民法典 art. 201, 202).
        assert validity(store, law).rows() == [("R-U-1", "U-1", date(2020, 6, 30), date(2020, 12, 30))]


@pytest.mark.parametrize(
    ("issued_on", "until"),
    [
        (date(2020, 6, 30), date(2020, 12, 30)),
        (date(2020, 8, 31), date(2021, 2, 28)),  # no 31st in February
        (date(2019, 8, 31), date(2020, 2, 29)),
        (date(2020, 12, 31), date(2021, 6, 30)),
        (date(2020, 7, 1), date(2021, 1, 1)),
    ],
)
def test_a_report_holds_until_the_day_of_the_same_number(issued_on: date, until: date) -> None:
    law = RulePack.load(PACK).on(date(2020, 6, 30))
    assert report_valid_until(law, issued_on) == until


def test_what_the_law_does_not_bound_never_ages() -> None:
    law = RulePack.load(PACK).on(date(2020, 6, 30))
    assert stale_from(law, "bank_deposits", None) is None
    assert stale_from(law, "entry_exit", date(2001, 1, 1)) is None
