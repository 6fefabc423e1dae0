"""Made-up histories of requests, letters and answers, and what a patient clerk would say of them.

The oracle reads the history line by line, person by person, with no table and no grouping.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl
from hypothesis import strategies as st

from meanscheck.evidence import Store

FIRST = date(2020, 6, 1)
CASES = ("U-1", "U-2")
PEOPLE = {"U-1": (10, 11, 12), "U-2": (20, 21)}
NEEDS = (
    ("tax_income", None, None),
    ("bank_deposits", "ABC", None),
    ("bank_deposits", "ICBC", None),
    ("real_estate", None, "440703"),
)
FEEDS = ("tax_income", "bank_deposits", "real_estate")


@dataclass
class Asked:
    """A request: plain (from a file), full or partial (made here), with the pairs asked about if made here."""

    case: str
    kind: str
    pairs: frozenset[tuple[int, str]]
    load: int = 0
    number: int = 0
    letters: list[tuple[int, tuple[str, str | None, str | None], frozenset[int]]] = field(default_factory=list)


@dataclass
class Answer:
    """A batch: silent are (person, reason)."""

    feed: str
    institutions: tuple[str, ...]
    divisions: tuple[str, ...]
    case: str | None
    day: int
    silent: frozenset[tuple[int, str]]
    load: int = 0


days = st.integers(0, 20)


@st.composite
def requests(draw: st.DrawFn) -> Asked:
    case = draw(st.sampled_from(CASES))
    kind = draw(st.sampled_from(("plain", "full", "partial")))
    pairs = st.tuples(st.sampled_from(PEOPLE[case]), st.sampled_from(FEEDS))
    asked = draw(st.frozensets(pairs, min_size=1, max_size=5)) if kind != "plain" else frozenset()
    one = Asked(case, kind, asked)
    for need in NEEDS:
        if draw(st.booleans()):
            one.letters.append((draw(days), need, draw(st.frozensets(st.sampled_from(PEOPLE[case]), min_size=1))))
    return one


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    feed = draw(st.sampled_from(FEEDS))
    everybody = PEOPLE["U-1"] + PEOPLE["U-2"]
    return Answer(
        feed,
        tuple(draw(st.sets(st.sampled_from(("ABC", "ICBC"))))),
        tuple(draw(st.sets(st.sampled_from(("440703", "440704"))))),
        draw(st.sampled_from((None, *CASES))),
        draw(days),
        draw(
            st.frozensets(
                st.tuples(st.sampled_from(everybody), st.sampled_from(("not_answered", "quarantined"))), max_size=4
            )
        ),
    )


histories = st.lists(st.one_of(requests(), requests(), answers(), answers()), min_size=1, max_size=9)


def number(history: list[Asked | Answer]) -> None:
    """Give load numbers and request numbers in order."""
    for load, one in enumerate(history, 1):
        one.load = load
        if isinstance(one, Asked):
            one.number = load


def write(store: Store, history: list[Asked | Answer]) -> None:
    """Put a history into the tables, in place of what was there."""
    tables = (
        "requests unit_persons asks batches batch_listings listed_requests not_answered made_requests asked_of exports "
        "export_persons"
    )
    for table in tables.split():
        store.run(f"delete from {table}")
    asked = [one for one in history if isinstance(one, Asked)]
    for feed, institution, division in NEEDS:
        store.run("insert into asks values (0, ?, ?, ?)", [feed, institution, division])
    export = 0
    for one in asked:
        later = [o.load for o in asked if o.case == one.case and o.load > one.load]
        store.run(
            "insert into requests by name select ? as request, ? as load, ? as superseded_by, ? as request_no, 'A' as "
            "application_no, ? as case_id, date '2020-06-01' as applied_on, 'dibao' as purpose, '' as requested, 0 as "
            "ask, 'x'::blob as digest, 'f' as file, 1 as line",
            [one.number, one.load, min(later, default=None), f"R{one.number}", one.case],
        )
        for position, person in enumerate(PEOPLE[one.case]):
            store.run(
                "insert into unit_persons by name select ? as request, ? as position, 'member' as role, ? as person, "
                "? as id",
                [one.number, position, person, f"P{person}"],
            )
        if one.kind != "plain":
            store.run(
                "insert into made_requests values (?, date '2020-06-01', ?)", [f"R{one.number}", one.kind == "partial"]
            )
        for person, feed in one.pairs:
            store.run("insert into asked_of values (?, ?, ?)", [f"R{one.number}", person, feed])
        for day, (feed, institution, division), people in one.letters:
            export += 1
            on = FIRST + timedelta(days=day)
            store.run(
                "insert into exports values (?, ?, ?, ?, ?, 'to', 'folder', ?, 'd')",
                [export, on, feed, institution, division, len(people)],
            )
            for person in people:
                store.run("insert into export_persons values (?, ?, ?)", [export, one.number, person])
    for answer in history:
        if isinstance(answer, Asked):
            continue
        store.run(
            "insert into batches by name select ? as batch, 'b' as batch_id, 'f' as file_id, ? as feed, 's' as sender, "
            "?::varchar[] as institutions, ?::varchar[] as divisions, ? as answered_on, ? as all_requests, "
            "'f' as file, '' as manifest, '' as contract, 0 as accepted, 0 as quarantined, 0 as not_covered, "
            "0 as not_requested, 0 as repeated, 0 as covered, 0 as covered_mark",
            [
                answer.load,
                answer.feed,
                list(answer.institutions) or None,
                list(answer.divisions) or None,
                FIRST + timedelta(days=answer.day),
                answer.case is None,
            ],
        )
        if answer.case is not None:
            # Named by the case's first request: an answer means the case, whichever of its requests it names.
            first = next((o for o in asked if o.case == answer.case), None)
            if first is not None:
                store.run("insert into batch_listings values (?, ?)", [answer.load, answer.load])
                store.run("insert into listed_requests values (?, ?)", [answer.load, f"R{first.number}"])
        for person, reason in answer.silent:
            store.run(
                "insert into not_answered (batch, person, reason, load) values (?, ?, ?, ?)",
                [answer.load, person, reason, answer.load],
            )


def told(history: list[Asked | Answer], on: date) -> list[dict[str, object]]:
    """What is so, reckoned by hand."""
    found: list[dict[str, object]] = []
    asked = [one for one in history if isinstance(one, Asked)]
    for one in asked:
        later = [o for o in asked if o.case == one.case and o.load > one.load]
        if any(o.kind != "partial" for o in later):
            continue
        for need in NEEDS:
            feed, institution, division = need
            letters = [(d, p) for d, n, p in one.letters if n == need and FIRST + timedelta(days=d) <= on]
            people: set[int] = set()
            for person in PEOPLE[one.case]:
                if letters:
                    is_awaited = any(person in p for _, p in letters)
                elif one.kind == "plain":
                    is_awaited = True
                else:
                    is_awaited = (person, feed) in one.pairs
                if is_awaited and not any((person, feed) in o.pairs for o in later):
                    people.add(person)
            if not people:
                continue
            first_day: dict[int, date | None] = {}
            silent: dict[str, list[str]] = {"not_answered": [], "quarantined": []}
            for person in people:
                days_of, reasons = [], set()
                for b in history:
                    if isinstance(b, Asked) or b.feed != feed or b.load < one.load:
                        continue
                    if FIRST + timedelta(days=b.day) > on or (b.case is not None and b.case != one.case):
                        continue
                    if institution is not None and institution not in b.institutions:
                        continue
                    if division is not None and division not in b.divisions:
                        continue
                    own = {reason for p, reason in b.silent if p == person}
                    if own:
                        reasons |= own
                    else:
                        days_of.append(FIRST + timedelta(days=b.day))
                first_day[person] = min(days_of, default=None)
                if not days_of and reasons:
                    silent["quarantined" if "quarantined" in reasons else "not_answered"].append(f"P{person}")
            known = [d for d in first_day.values() if d is not None]
            is_whole = len(known) == len(people)
            found.append(
                {
                    "request_no": f"R{one.number}",
                    "feed": feed,
                    "institution": institution,
                    "division": division,
                    "exported_on": min((FIRST + timedelta(days=d) for d, _ in letters), default=None),
                    "persons": len(people),
                    "answered": len(known),
                    "first_answer_on": min(known, default=None),
                    "answered_on": max(known) if is_whole else None,
                    "not_answered": sorted(silent["not_answered"]),
                    "quarantined": sorted(silent["quarantined"]),
                }
            )
    return found


def as_rows(frame: pl.DataFrame) -> list[dict[str, object]]:
    """The columns that the oracle tells of."""
    names = "request_no feed institution division exported_on persons answered first_answer_on answered_on"
    return frame.select(*names.split(), "not_answered", "quarantined").to_dicts()
