"""Families of small means on 2022-06-30, near the lines of the allowance, the margin and rigid expenditure; their
evidence is now and then missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from hypothesis import strategies as st

from meanscheck.contracts.units import CaseUnit, FeedFacts, PersonFacts, Value
from meanscheck.values.evidence_state import EvidenceState

from .choosing import Drawn, often

DAY = date(2022, 6, 30)
STANDARD = 90_000
"""900.00 a month and head; the margin ends at 1 350.00."""
_MONTHS = tuple(date(2021 + (m > 12), (m - 1) % 12 + 1, 1) for m in range(6, 18))
"""2021-06 to 2022-05: the twelve months before an application of June; the last six are the allowance's window."""
_BIRTHS = (date(1955, 2, 1), date(1962, 6, 30), date(1985, 2, 1), date(2004, 6, 30), date(2004, 7, 1), date(2014, 2, 1))
_WAGES = (0, 90_000, 135_000, 135_001, 180_000, 270_000, 405_000, 500_000, 900_000)
_ABSENT = ("prison", "clergy", "compulsory_detox", "missing", "military", None)
_SINCE = (date(2018, 1, 1), date(2019, 7, 1), None)
_SILENT = (
    "absences",
    "school",
    "bank_deposits",
    "case_events",
    "deaths",
    "disability",
    "serious_illness",
    "tax_income",
)

Row = Mapping[str, Value]


def _rows(choose: Drawn, percent: int, row: Row) -> list[Row]:
    return [row] if often(choose, percent) else []


@st.composite
def person(draw: st.DrawFn, name: str, relation: str) -> PersonFacts:
    """A member of the application."""
    choose = Drawn(draw)
    pick = choose.pick
    wages = pick(_WAGES)
    feeds: dict[str, list[Row]] = {
        "tax_income": [{"month": m, "item": "wages", "amount": wages, "tax": 0} for m in _MONTHS if wages],
        "bank_deposits": _rows(choose, 20, {"balance": pick((100, 2_160_000, 2_160_001))}),
        "disability": _rows(choose, 20, {"kind": pick(("limb", "mental")), "grade": pick(("1", "2", "3", "4"))}),
        "serious_illness": _rows(choose, 20, {"recognised_on": date(2022, 1, 1)}),
        "absences": _rows(choose, 15, {"kind": pick(_ABSENT), "since": pick(_SINCE)}),
        "deaths": _rows(choose, 5, {"died_on": date(2022, 6, 1)}),
        "school": _rows(
            choose, 20, {"level": pick(("undergraduate", "postgraduate")),
                         "mode": pick(("full_time", "part_time", None)), "enrolled_on": date(2020, 9, 1)}
        ),
        "employment": _rows(choose, 60, {"status": pick(("employed", "registered_unemployed", "not_able"))}),
        "relief_status": _rows(choose, 40, {"programme": pick(("dibao", "tekun")), "from": date(2020, 1, 1)}),
        "relief_paid": _rows(
            choose, 40, {"category": "living", "programme": "dibao", "month": date(2022, 5, 1), "amount": 50_000}
        ),
        "case_events": _rows(
            choose, 50, {"step": pick(("change_reported", "grace_confirmed", "confirmed")), "on": pick(
                (date(2022, 6, 1), date(2022, 1, 1), date(2021, 12, 30))
            )}
        ),
        "rigid_spending": _rows(
            choose, 50, {"kind": pick(("medical", "living")), "paid_on": date(2022, 1, 1),
                       "amount": pick((1_000_000, 3_600_000, 9_000_000)), "reimbursed": pick((0, 0, 0, None))}
        ),
    }  # fmt: skip
    facts = {name: FeedFacts(rows=tuple(rows)) for name, rows in feeds.items()}
    if often(choose, 20):
        facts[pick(_SILENT)] = FeedFacts(EvidenceState.NO_ANSWER)
    attributes: dict[str, Value] = {
        "id": name,
        "relation": relation,
        "sex": pick(("male", "female")),
        "born_on": pick(_BIRTHS),
        "lives_together": pick((True, True, True, False, None)),
        "can_live_independently": pick((True, False, None)),
        "is_excused_from_work": pick((True, False)),
    }
    return PersonFacts("member", attributes, facts)


@st.composite
def families(draw: st.DrawFn) -> CaseUnit:
    """A family of one to four people."""
    kin = draw(st.lists(st.sampled_from(("spouse", "child", "child", "parent", "sibling", "other")), max_size=3))
    people = [draw(person(chr(65 + i), relation)) for i, relation in enumerate(("head", *kin))]
    attributes: dict[str, Value] = {
        "residence": "urban",
        "division": "440703",
        "applied_on": date(2022, 6, 10),
        "reference_day": DAY,
    }
    return CaseUnit("family", attributes, tuple(people))
