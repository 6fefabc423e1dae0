"""Random case units for a law: every state of evidence, cells that nobody stated, answers that end too early."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from meanscheck.contracts.units import RELATION, RESIDENCE, SEX, CaseUnit, FeedFacts, PersonFacts, Value
from meanscheck.law import Law
from meanscheck.law.names import feed_types, source_columns, support_types
from meanscheck.law.types import Type
from meanscheck.values.evidence_state import EvidenceState

from .choosing import Chooser, often

DAYS = (
    date(2020, 5, 1),
    date(2020, 6, 1),
    date(2020, 6, 30),
    date(2020, 1, 1),
    date(2019, 12, 31),
    date(2019, 12, 1),
    date(2019, 6, 1),
    date(2019, 5, 31),
    date(2020, 2, 29),
    date(2017, 6, 30),
    date(2021, 1, 1),
)
BIRTHS = (date(1960, 6, 30), date(1960, 7, 1), date(2004, 2, 29), date(2019, 3, 31), date(1935, 12, 31))
AMOUNTS = (0, 1, -1, 7, 57_000, 12_345, -305, 10**13, -(10**13))
RATIOS = (0, 1, 500_000, 1_000_000, 333_333, -250_000)
WORDS = ("440703", "A", "B", "urban", "440784", "110105001002")


class CaseWriter:
    """Makes case units with what a law reads."""

    def __init__(self, choose: Chooser, law: Law) -> None:
        self.choose, self.law = choose, law
        self.needs = {feed: sorted(source_columns(feed, columns)) for feed, columns in law.needs.items()}

    def stated(self, value: Value, percent: int = 88) -> Value:
        """A value, or now and then nothing."""
        return value if often(self.choose, percent) else None

    def cell(self, feed: str, column: str) -> Value:
        pick = self.choose.pick
        if column in ("settlement_no", "reverses"):
            return self.stated(pick(("N1", "N2")), 60 if column == "reverses" else 95)
        t: Type = feed_types()[feed][column]
        if t.kind == "num":
            value: Value = pick(RATIOS if t.form == "micro" else AMOUNTS if t.dimension[0] else (0, 1, 2, 3, 805_000))
        elif t.kind == "date":
            value = pick(DAYS)
        elif t.kind == "bool":
            value = pick((True, False))
        else:
            value = pick(sorted(t.choices)) if t.choices else pick(WORDS)
        return self.stated(value, 93)

    def facts(self, feed: str, columns: list[str]) -> FeedFacts:
        pick = self.choose.pick
        state = EvidenceState.ANSWERED if often(self.choose, 88) else pick(list(EvidenceState))
        rows = tuple(
            {**{c: self.cell(feed, c) for c in columns}, "verdict": pick((0, 0, 1, 2))}
            for _ in range(self.choose.whole(0, 3))
        )
        limited = often(self.choose, 25)
        return FeedFacts(
            state,
            rows,
            covers_from=pick((None, date(2019, 6, 1), date(2019, 12, 1), date(2020, 1, 1))) if limited else None,
            covers_to=pick((None, date(2020, 5, 31), date(2020, 4, 30), date(2019, 12, 31))) if limited else None,
            as_of=pick((None, *DAYS)) if often(self.choose, 40) else None,
        )

    def feeds(self, *, member: bool) -> Mapping[str, FeedFacts]:
        found = {f: self.facts(f, cs) for f, cs in self.needs.items() if often(self.choose, 85)}
        if member and often(self.choose, 30):
            found["supporters"] = self.facts("supporters", [])
        return found

    def member(self, name: str, role: str = "member") -> PersonFacts:
        pick = self.choose.pick
        attributes: dict[str, Value] = {
            "id": name,
            "relation": self.stated(pick(RELATION)),
            "sex": self.stated(pick(SEX)),
            "born_on": self.stated(pick(BIRTHS)),
            "lives_together": self.stated(pick((True, False)), 70),
            "lives_together_since": self.stated(pick(DAYS)),
            "can_live_independently": self.stated(pick((True, False)), 70),
        }
        supports = tuple(m for m in ("A", "B") if role == "member" and m != name and often(self.choose, 10))
        return PersonFacts(role, attributes, self.feeds(member=True), supports, self.support() if supports else {})

    def support(self) -> dict[str, Value]:
        return {
            name: self.cell("supporters", name)
            for name in sorted(support_types().keys() & feed_types()["supporters"].keys())
        }

    def supporter(self, name: str) -> PersonFacts:
        supports = tuple(m for m in ("A", "B", "C") if often(self.choose, 50))
        return PersonFacts("supporter", {"id": name}, self.feeds(member=False), supports, self.support())

    def unit(self, number: int) -> CaseUnit:
        pick = self.choose.pick
        attributes: dict[str, Value] = {
            "residence": self.stated(pick(RESIDENCE)),
            "division": self.stated(pick(("440703", "440784"))),
            "applied_on": self.stated(pick((date(2020, 6, 10), date(2020, 1, 31), date(2020, 6, 30)))),
            "reference_day": self.stated(pick((date(2020, 6, 30), date(2020, 6, 15))), 80),
        }
        persons = [self.member(name) for name in "ABC"[: self.choose.whole(1, 3)]]
        persons += [self.supporter(name) for name in "ST"[: self.choose.whole(0, 2)]]
        persons += [self.member("R", "register")] if often(self.choose, 20) else []
        return CaseUnit(f"case-{number}", attributes, tuple(persons), unit=number)

    def units(self, most: int = 4) -> list[CaseUnit]:
        return [self.unit(i) for i in range(self.choose.whole(1, most))]
