"""How does the plain executor answer in a millisecond? Each tree of the law is made into one step, once a law.

`plain.PlainRun` reads a formula node by node and asks of every node anew which operation it is. Here a node becomes a
`Step`, a function of (run, person, row, month) that holds the steps of its arguments, so that of a case only its own
facts are left to look at. What depends on the law alone is reckoned when the step is made: figures, operations on them,
the first and last day of a window. `SteppedRun` is a `PlainRun` in all that is asked of it; what is not often asked
(people, tables, streaks, other programmes) it leaves to the methods there, so their meaning stands in one place.

Choices
    Functions that hold functions, not Python made as text: a recorded law is data, and no part of it may become code.
    The reference stays `PlainRun`; the tests that hold the two executors against each other hold this one against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from meanscheck.contracts import all_feeds
from meanscheck.contracts.units import CaseUnit, FeedFacts
from meanscheck.law.keeping import kept_with_law
from meanscheck.law.law import Law
from meanscheck.law.plain import PlainRun
from meanscheck.law.plain_evidence import FRESHNESS
from meanscheck.law.plain_nodes import Step, step_of
from meanscheck.law.plain_rows import At, Result, Row, windows_in
from meanscheck.law.tables import entry
from meanscheck.law.tree import Node
from meanscheck.values.dates import window_of
from meanscheck.values.evidence_state import EvidenceState

_FIXED = frozenset(
    (
        *("int", "text", "unknown", "on", "param", "index", "slices", "first_known", "if", "and", "or", "not", "in"),
        *("+", "-", "*", "/", "neg", "least", "greatest", "round", "<", "<=", ">", ">=", "==", "!="),
        *("age", "month_back", "months_between", "within", "same_year"),
    )
)
"""Operations that look at nothing but the law and their arguments."""


class SteppedRun(PlainRun):
    """The plain executor over steps: the same values, causes and outcomes, sooner."""

    def __init__(self, law: Law, unit: CaseUnit) -> None:
        self.steps = steps_of(law)
        self._hidden: dict[tuple[int, int | None], str] = {}
        self._oldest: dict[int, date] = {}
        self._spans: dict[tuple[int, int | None], tuple[tuple[date, date], ...]] = {}
        self.seen: dict[tuple[int | None, int | None], tuple[Row, ...] | None] = {}
        """Rows that aggregates have looked at, by number of their slot and person; None where they are hidden."""
        day = unit.attributes.get("reference_day") or law.on
        assert isinstance(day, date)
        self._reference_day = day
        super().__init__(law, unit)

    def value(self, node: Node, at: At) -> Result:
        found: Result = self.steps[node](self, at.person, at.row, at.month)
        return found

    def variable(self, name: str, person: int | None = None) -> Result:
        values = self.values
        if (name, person) in values:
            return values[name, person]
        return super().variable(name, person)

    def reckon(self) -> None:
        """Every variable, each after those it reads."""
        values, done = self.values, self._reckoned
        have = {"household": (None,), "member": self.members, "supporter": self.supporters}
        for name, entity, step in self.steps.variables:
            if name not in done:
                for person in have[entity]:
                    if (name, person) not in values:
                        values[name, person] = step(self, person, None, None)
                done.add(name)

    def state(self, facts: FeedFacts, feed: str) -> EvidenceState:
        months = self.steps.freshness.get(feed)
        if months is None or facts.as_of is None or facts.state is not EvidenceState.ANSWERED:
            return facts.state
        oldest = self._oldest.get(months)
        if oldest is None:
            oldest = self._oldest[months] = window_of(months, self._reference_day)[0]
        return EvidenceState.STALE if facts.as_of < oldest else facts.state

    def visible(self, node: Node, at: At) -> tuple[Row, ...] | None:
        """The rows that an aggregate looks at; None if they are hidden from it."""
        return None if self.hidden(node, at) else self.rows_of(at, str(node.args[1]))

    def hidden(self, node: Node, at: At) -> str:
        slot = self.steps.slot(node)
        if slot is None:
            return super().hidden(node, at)
        key = (slot.number, at.person)
        found = self._hidden.get(key)
        if found is None:
            found = self._hidden[key] = self._why_hidden(slot, node, at)
        return found

    def _why_hidden(self, slot: Slot, node: Node, at: At) -> str:
        facts = self._person(at).feed(slot.feed)
        state = self.state(facts, slot.feed)
        if state is not EvidenceState.ANSWERED:
            return f"{state.word}:{slot.feed}"
        if not slot.asks or (facts.covers_from is None and facts.covers_to is None):
            return ""
        key = (slot.asks, at.person)
        if key not in self._spans:
            self._spans[key] = tuple(self._windows(node, at))
        for first, last in self._spans[key]:
            if (facts.covers_from and facts.covers_from > first) or (facts.covers_to and facts.covers_to < last):
                return f"not_covered:{slot.feed}"
        return ""


@dataclass(frozen=True, slots=True)
class Slot:
    """A feed with the windows that some aggregates ask about: for all of them its rows are visible, or none.

    `asks` numbers the windows; 0 where there are none.
    """

    number: int
    feed: str
    asks: int


class Steps(dict[Node, Step]):
    """The steps of a law, each made when it is first asked for; equal nodes have one step."""

    def __init__(self, law: Law) -> None:
        super().__init__()
        self.law = law
        # Over nobody: what depends on the law alone has its value here too.
        self._nobody = PlainRun(law, CaseUnit("", {}, ()))
        self._fixed: dict[Node, bool] = {}
        self._slots: dict[Node, Slot | None] = {}
        self._by_windows: dict[object, Slot] = {}
        self._asks: dict[object, int] = {(): 0}

    def __missing__(self, node: Node) -> Step:
        step = self[node] = self._fixed_step(node) if self.is_fixed(node) else step_of(node, self)
        return step

    @cached_property
    def variables(self) -> tuple[tuple[str, str, Step], ...]:
        """Name, entity and step of every variable, each after those it reads."""
        ordered = (self.law.variables[name] for kind, name in self.law.order if kind == "variable")
        return tuple((v.id, v.entity, self[v.tree]) for v in ordered)

    @cached_property
    def freshness(self) -> Mapping[str, int]:
        """Feed → for how many months its answers are fresh; feeds that the law says nothing of are not named."""
        parameter = self.law.parameters.get(FRESHNESS)
        if parameter is None:
            return {}
        found = {feed: entry(parameter, (feed,)) for feed in all_feeds()}
        return {feed: months for feed, months in found.items() if isinstance(months, int)}

    def is_fixed(self, node: Node) -> bool:
        """Whether the value of a node is the same in every case."""
        if node not in self._fixed:
            self._fixed[node] = node.op in _FIXED and all(self.is_fixed(n) for n in node.nodes)
        return self._fixed[node]

    def fixed(self, node: Node) -> Result:
        """The value of a node that is the same in every case."""
        return self._nobody.value(node, At())

    def _fixed_step(self, node: Node) -> Step:
        value = self.fixed(node)
        return lambda run, person, row, month: value

    def slot(self, node: Node) -> Slot | None:
        """By what an aggregate's rows are visible or not; None if that depends on the month of a streak."""
        if node not in self._slots:
            self._slots[node] = self._slot(node)
        return self._slots[node]

    def _slot(self, node: Node) -> Slot | None:
        feed = str(node.args[1])
        asked = tuple((w.op, w.nodes[1:]) for w in windows_in(node))
        if any(part.op == "month" for _, others in asked for other in others for part in other.walk()):
            return None
        asks = self._asks.setdefault(asked, len(self._asks))
        return self._by_windows.setdefault((feed, asks), Slot(len(self._by_windows), feed, asks))


@kept_with_law
def steps_of(law: Law) -> Steps:
    """The steps of a law."""
    return Steps(law)
