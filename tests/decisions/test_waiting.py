"""What bounds decide is told and is true, and what is worth waiting for is counted as by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import product

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanscheck.decisions import decide
from meanscheck.decisions.waiting import STATES, ranked, waits
from meanscheck.law import Law
from meanscheck.law.cases import Case

from .office import DAY, Office, law_of_2020, records

Outcome = tuple[str, str, list[str]]
CAUSES = [f"{state}:{feed}" for state, feed in product(("no_answer", "unreviewed"), ("bank_deposits", "vehicles"))]


def frame(rows: list[Outcome]) -> pl.DataFrame:
    schema: dict[str, pl.DataType] = {"case_id": pl.String(), "outcome": pl.String(), "causes": pl.List(pl.String)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def counted(rows: list[Outcome]) -> set[tuple[str, str, int, int]]:
    """The same, one decision after the other."""
    alone: set[tuple[str, str, str]] = set()
    part: set[tuple[str, str, str]] = set()
    for case, outcome, causes in rows:
        if outcome != "refer":
            continue
        own = [c.partition(":") for c in causes if not c.startswith("outcome:")]
        named = {(subject, kind) for kind, _, subject in own if kind in STATES}
        part |= {(*name, case) for name in named}
        if len({subject for subject, _ in named}) == 1 and all(kind in STATES for kind, _, _ in own):
            alone |= {(*name, case) for name in named}
    whole = Counter(entry[:2] for entry in part)
    settled = Counter(entry[:2] for entry in alone)
    return {(feed, state, settled[feed, state], n) for (feed, state), n in whole.items()}


def test_a_feed_is_counted_once_a_household_and_alone_where_nothing_else_is_open() -> None:
    rows: list[Outcome] = [
        # Waits for the bank alone, for one programme, and for one that waits for the first.
        ("A", "refer", ["no_answer:bank_deposits"]),
        ("A", "refer", ["no_answer:bank_deposits", "outcome:dibao"]),
        # Waits for two feeds; a figure of the law is no feed, but the bank alone does not settle it.
        ("B", "refer", ["no_answer:bank_deposits", "unreviewed:vehicles"]),
        ("C", "refer", ["no_answer:bank_deposits", "parameter:medical.cap"]),
        ("D", "refer", ["parameter:medical.cap"]),
        # Decided: what it would have waited for does not count.
        ("E", "ineligible", ["yields:tekun"]),
        ("F", "eligible", []),
    ]
    assert sorted(waits(frame(rows)).iter_rows()) == [
        ("bank_deposits", "no_answer", 1, 3),
        ("vehicles", "unreviewed", 0, 1),
    ]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ABC"),
            st.sampled_from(("refer", "refer", "eligible")),
            st.lists(st.sampled_from([*CAUSES, "outcome:dibao", "unknown:born_on"]), max_size=4, unique=True),
        ),
        max_size=8,
    )
)
def test_it_counts_as_one_decision_after_the_other_would(rows: list[Outcome]) -> None:
    assert set(waits(frame(rows)).iter_rows()) == counted(rows)


def test_what_settles_most_stands_first() -> None:
    alone = Counter({("a", "stale"): 1, ("b", "stale"): 2})
    part = Counter({("a", "stale"): 9, ("b", "stale"): 2, ("c", "stale"): 1})
    assert ranked(alone, part)["feed"].to_list() == ["b", "a", "c"]
    assert ranked(Counter(), Counter()).is_empty()


def test_an_assessment_ranks_what_its_households_wait_for(messy: Office) -> None:
    waiting = messy.result.waiting()
    rows = [(c, o, causes or []) for c, o, causes in messy.outcomes.select("case_id", "outcome", "causes").iter_rows()]
    assert waiting.height and set(waiting.iter_rows()) == counted(rows)
    assert waiting["alone"].is_sorted(descending=True) and (waiting["alone"] <= waiting["part"]).all()
    feed, state, alone, _ = waiting.row(0)
    assert f"{feed} {state.replace('_', ' ')}: {alone} households wait for it alone" in messy.result.summary("en")


# ---- what bounds decided


def by_bounds(office: Office) -> Iterator[tuple[str, str, str | None, bool]]:
    """(case, programme, member, holds) of every test that bounds decided."""
    for record in records(office.result):
        case, reasons = record["subject"]["case"], record["reasons"]
        of: list[tuple[str | None, list[dict[str, object]]]] = [(None, reasons["household"])]  # type: ignore[list-item]
        of += [(m["id"], m["tests"]) for m in reasons["members"]]  # type: ignore[attr-defined]
        for member, tests in of:
            yield from ((str(case), str(t["programme"]), member, bool(t["holds"])) for t in tests if "bounds" in t)


def test_who_is_refused_by_bounds_is_refused_by_the_truth(messy: Office) -> None:
    refused = [(case, p, member) for case, p, member, holds in by_bounds(messy) if not holds]
    truth = {
        (c, p, m): o for c, p, m, o, *_ in messy.truth.select("case_id", "programme", "member", "outcome").iter_rows()
    }
    assert refused and [key for key in refused if truth[key] == "eligible"] == []


def the_case(balance: str, state: str) -> Case:
    person = {
        "id": "A",
        "relation": "head",
        "sex": "male",
        "born_on": date(1955, 1, 1),
        "bank_deposits": [{"bank_code": "X", "account_token": "1", "balance": balance}],
        "states": {"bank_deposits": state},
    }
    return Case.from_dict({"id": "x", "on": DAY, "household": {"residence": "urban"}, "member": [person]})


@pytest.fixture
def law() -> Law:
    return law_of_2020()


def test_the_record_and_its_explanation_name_the_bound(law: Law) -> None:
    # Jiangmen 2020: 900.00 × 24 months × one member = 21 600.00 (粤民规字〔2019〕9号).
    decision = decide(the_case("21600.01", "no_answer"), law)
    (entry,) = (t for t in decision["dibao"].tests if t["id"] == "financial_assets")
    assert entry["holds"] is False and entry["value"] is None and entry["margin"] is None
    assert entry["bounds"] == {"limit": [2_160_000, 2_160_000], "value": [2_160_001, None]}
    assert decision["dibao"].outcome == "ineligible" and decision["dibao"].causes == ()
    assert "even without what is unknown: at least 21600.01, limit 21600.00" in decision["dibao"].explain("en")
    assert "至少 21600.01，界限 21600.00" in decision["dibao"].explain("zh")


def test_what_is_known_or_open_has_no_bounds_in_the_record(law: Law) -> None:
    for balance, state in (("21600.01", "answered"), ("21600.00", "no_answer")):
        tests = decide(the_case(balance, state), law)["dibao"].tests
        assert not any("bounds" in t for t in tests if t["id"] == "financial_assets")
