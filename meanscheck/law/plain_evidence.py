"""What of one case's evidence may a rule see? Rows of a person, the state of his feeds, windows, supporters.

The part of `plain.PlainRun` that asks the case unit; what a window's bounds are worth, the whole executor says.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import date

from meanscheck.contracts.units import VERDICT_CONFIRMED, VERDICT_DROPPED, CaseUnit, FeedFacts, PersonFacts
from meanscheck.law.kleene import Truth
from meanscheck.law.law import Law
from meanscheck.law.plain_rows import At, Result, Row, windows_in, with_derived
from meanscheck.law.tables import entry
from meanscheck.law.tree import Node
from meanscheck.values.dates import month_number, month_start, window_of
from meanscheck.values.evidence_state import EvidenceState

FRESHNESS = "evidence.freshness"


class CaseEvidence(ABC):
    """One case unit as rules see it."""

    law: Law
    unit: CaseUnit
    members: tuple[int, ...]
    _rows: dict[tuple[int, str], tuple[Row, ...]]

    @abstractmethod
    def value(self, node: Node, at: At) -> Result:
        """The value of a node; None if unknown."""

    def _index(self, at: At) -> int:
        assert at.person is not None
        return at.person

    def _person(self, at: At) -> PersonFacts:
        return self.unit.persons[self._index(at)]

    def rows_of(self, at: At, feed: str) -> tuple[Row, ...]:
        """The rows of a person in a feed, derived columns included."""
        key = (self._index(at), feed)
        if key not in self._rows:
            self._rows[key] = with_derived(feed, self._person(at).feed(feed).rows)
        return self._rows[key]

    @staticmethod
    def membership(row: Row, reviewed: bool) -> Truth:
        """Whether a row counts: a dropped one does not, and where review is asked for, one without a finding may."""
        verdict = row.get("verdict") or 0
        if verdict == VERDICT_DROPPED:
            return False
        return True if verdict == VERDICT_CONFIRMED or not reviewed else None

    def state(self, facts: FeedFacts, feed: str) -> EvidenceState:
        """The state with staleness, which follows from the reference day and the pack's freshness."""
        parameter = self.law.parameters.get(FRESHNESS)
        if facts.state is not EvidenceState.ANSWERED or facts.as_of is None or parameter is None:
            return facts.state
        months = entry(parameter, (feed,))
        day = self.unit.attributes.get("reference_day") or self.law.on
        if not isinstance(months, int) or not isinstance(day, date):
            return facts.state
        oldest = window_of(months, day)[0]
        return EvidenceState.STALE if facts.as_of < oldest else facts.state

    def hidden(self, node: Node, at: At) -> str:
        """Why the rows of a person are not visible to an aggregate; empty if they are."""
        feed = str(node.args[1])
        facts = self._person(at).feed(feed)
        state = self.state(facts, feed)
        if state is not EvidenceState.ANSWERED:
            return f"{state.word}:{feed}"
        for first, last in self._windows(node, at):
            if (facts.covers_from and facts.covers_from > first) or (facts.covers_to and facts.covers_to < last):
                return f"not_covered:{feed}"
        return ""

    def _windows(self, node: Node, at: At) -> Iterator[tuple[date, date]]:
        """First and last day of every window over the feed's own days that the aggregate asks about."""
        for part in windows_in(node):
            others = [self.value(n, at) for n in part.nodes[1:]]
            if None in others:
                continue
            if part.op == "within":
                months, before = others
                assert isinstance(months, int) and isinstance(before, date)
                first, after = window_of(months, before)
            else:
                (day,) = others
                assert isinstance(day, date)
                first, after = date(day.year, 1, 1), month_start(month_number(day))
            yield first, date.fromordinal(after.toordinal() - 1)

    def supporters_hidden(self, node: Node, at: At) -> tuple[str, ...]:
        """Causes for which the list of supporters itself is not known."""
        persons = (self._index(at),) if node.level == "member" else self.members
        states = (self.state(self.unit.persons[p].feed("supporters"), "supporters") for p in persons)
        return tuple(sorted({f"{s.word}:supporters" for s in states if s is not EvidenceState.ANSWERED}))

    def supporters_of(self, node: Node, at: At) -> list[int]:
        """Persons who support the member, or any member of the household."""
        supported = (self._index(at),) if node.level == "member" else self.members
        ids = {str(self.unit.persons[p].attributes.get("id")) for p in supported}
        return [i for i, p in enumerate(self.unit.persons) if ids & set(p.supports)]
