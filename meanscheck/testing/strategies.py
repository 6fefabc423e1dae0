"""Which households should a law be tried on? Random ones that read what it reads, and stand near its lines.

`households(law)` is a Hypothesis strategy of case units. It fills just the feeds, columns and attributes that the law's
formulas read. Amounts are often a figure of the law, or that times a number of months or persons, or one fen to either
side; days are often a birthday on which an age of the law is reached, the edge of a window, or the day after it.

    households(law)                      every state of evidence: silent feeds, cells that nobody stated, short coverage
    households(law, complete=True)       all answered, all stated: what is unknown then is unknown to the law
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import strategies as st

from meanscheck.contracts.units import (
    HOUSEHOLD_ATTRIBUTES,
    MEMBER_ATTRIBUTES,
    RELATION,
    CaseUnit,
    FeedFacts,
    PersonFacts,
    Value,
)
from meanscheck.law.keeping import kept_with_law
from meanscheck.law.law import Law
from meanscheck.law.names import attribute_types, feed_types, source_columns, support_types
from meanscheck.law.types import MICRO, Type
from meanscheck.values.evidence_state import EvidenceState

MOST_AMOUNT = 10**9
"""Ten million yuan: beyond any line of any law here, far below the bound of exact reckoning."""
MULTIPLES = (1, 2, 3, 6, 12, 24)


@kept_with_law
def near(law: Law) -> Near:
    """What stands near the lines of a law; reckoned once for each law."""
    return Near(law)


class Near:
    """What stands near the lines of a law: amounts in fen, whole numbers, areas in cm², ratios in millionths, days."""

    def __init__(self, law: Law) -> None:
        self.on = law.on
        figures = [(p.unit, f) for p in law.parameters.values() if not p.unknown for f in p.table.values()]
        numbers = {int(f) for unit, f in figures if unit in ("number", "month") and isinstance(f, int | Fraction)}
        money = {int(f) for unit, f in figures if unit.startswith("money") and isinstance(f, int | Fraction)}
        self.amounts = _about({f * n for f in money for n in MULTIPLES} | {0}, most=MOST_AMOUNT)
        self.numbers = _about(numbers | {0}, most=200)
        self.areas = _about({int(f) for unit, f in figures if unit == "area" and isinstance(f, int)} | {0}, most=10**8)
        ratios = {Fraction(f) for unit, f in figures if unit == "ratio" and isinstance(f, int | Fraction)}
        self.ratios = sorted({0, MICRO // 2, MICRO, *(int(f * MICRO) for f in ratios if 0 <= f <= 1)})
        self.words = sorted({str(n.args[0]) for tree in law.trees for n in tree.walk() if n.op == "text"}) or ["A"]
        back = {n for n in numbers if 0 < n < 120}
        self.days = sorted({day for n in {1, *back} for day in _around(self.on, n)} | set(_months(self.on, 14)))


def _about(values: set[int], *, most: int) -> list[int]:
    return sorted({v + d for v in values for d in (-1, 0, 1) if 0 <= v + d <= most})


def _around(on: date, years: int) -> list[date]:
    """The day itself so many years ago, and the days beside it."""
    day = date(max(on.year - years, 1), on.month, min(on.day, 28))
    return [day + timedelta(days=d) for d in (-1, 0, 1)]


def _months(on: date, count: int) -> list[date]:
    """First days of months up to that of `on`, and the last days before them."""
    number = on.year * 12 + on.month - 1
    firsts = [date(n // 12, n % 12 + 1, 1) for n in range(number - count + 1, number + 1)]
    return [day for first in firsts for day in (first - timedelta(days=1), first)] + [on]


@st.composite
def households(
    draw: st.DrawFn, law: Law, *, complete: bool = False, members: tuple[int, int] = (1, 3), supporters: int = 1
) -> CaseUnit:
    """Case units for a law.

    Args:
        law: from `RulePack.on`.
        complete: everything answered and stated.
        members: fewest and most members of the application.
        supporters: most supporters outside it.
    """
    return _Writer(draw, law, complete=complete).unit(members, supporters)


class _Writer:
    def __init__(self, draw: st.DrawFn, law: Law, *, complete: bool) -> None:
        self.draw, self.law, self.complete = draw, law, complete
        self.near = near(law)
        self.needs = {feed: sorted(source_columns(feed, columns)) for feed, columns in law.needs.items()}
        self.feeds = [feed for feed in sorted(self.needs) if feed != "supporters"]

    def unit(self, members: tuple[int, int], supporters: int) -> CaseUnit:
        count = self.draw(st.integers(*members))
        names = [chr(ord("A") + i) for i in range(count)]
        persons = [self.member(name, i) for i, name in enumerate(names)]
        persons += [self.supporter(chr(ord("S") + i), names) for i in range(self.draw(st.integers(0, supporters)))]
        attributes: dict[str, Value] = {
            name: self.stated(self.value(attribute_types()["household"][name]))
            for name in HOUSEHOLD_ATTRIBUTES
            if name in attribute_types()["household"]
        }
        attributes |= {"applied_on": self.law.on, "reference_day": self.law.on}
        return CaseUnit("random", attributes, tuple(persons))

    def stated(self, value: Value) -> Value:
        """The value, or now and then nothing."""
        return value if self.complete or self.draw(st.integers(0, 9)) else None

    def value(self, t: Type) -> Value:
        """A value of a type."""
        near, draw = self.near, self.draw
        if t.kind == "bool":
            return draw(st.booleans())
        if t.kind == "date":
            return draw(st.sampled_from(near.days))
        if t.kind == "text":
            return draw(st.sampled_from(sorted(t.choices) if t.choices else near.words))
        if t.form == "micro":
            return draw(st.sampled_from(near.ratios))
        if t.dimension[0]:
            return draw(st.one_of(st.sampled_from(near.amounts), st.integers(0, MOST_AMOUNT)))
        return draw(st.sampled_from(near.areas if t.dimension[2] else near.numbers))

    def facts(self, feed: str) -> FeedFacts:
        rows: list[dict[str, Value]] = []
        for place in range(self.draw(st.integers(0, 2))):
            row = {column: self.stated(self.cell(feed, column, place)) for column in self.needs[feed]}
            rows.append({**row, "verdict": self.draw(st.sampled_from((1, 1, 2) if self.complete else (0, 1, 2)))})
        if self.complete or self.draw(st.integers(0, 9)):
            return FeedFacts(rows=tuple(rows))
        state = self.draw(st.sampled_from(list(EvidenceState)))
        covers_to = self.draw(st.sampled_from([None, *self.near.days]))
        return FeedFacts(state, tuple(rows), covers_to=covers_to)

    def cell(self, feed: str, column: str, place: int) -> Value:
        if column == "settlement_no":
            return f"N{place}"
        if column == "reverses":
            return self.draw(st.sampled_from((None, "N0")))
        return self.value(feed_types()[feed][column])

    def known(self) -> dict[str, FeedFacts]:
        """A few feeds with rows; what is not named has been answered with none."""
        some = self.draw(st.lists(st.sampled_from(self.feeds), max_size=4, unique=True)) if self.feeds else []
        return {feed: self.facts(feed) for feed in some}

    def member(self, name: str, place: int) -> PersonFacts:
        types = attribute_types()["member"]
        attributes: dict[str, Value] = {
            attribute: self.stated(self.value(types[attribute]))
            for attribute in MEMBER_ATTRIBUTES
            if attribute in types
        }
        relations: Sequence[str] = ("head",) if place == 0 else tuple(r for r in RELATION if r != "head")
        lives: Value = True if self.draw(st.integers(0, 9)) else self.stated(value=False)
        return PersonFacts(
            "member",
            {**attributes, "id": name, "relation": self.draw(st.sampled_from(relations)), "lives_together": lives},
            self.known(),
        )

    def supporter(self, name: str, members: Sequence[str]) -> PersonFacts:
        types = attribute_types()["supporter"]
        support = {column: self.stated(self.value(types[column])) for column in support_types() if column in types}
        supports = self.draw(st.lists(st.sampled_from(members), min_size=1, unique=True))
        return PersonFacts("supporter", {"id": name}, self.known(), tuple(supports), support)
