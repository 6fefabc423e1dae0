"""What does the law say of one case? The executor that is read against the law: plain records, exact fractions, no frames.

`PlainRun(law, unit)` gives every variable, test, award and outcome, and for an unknown one its causes. The vector executor
must give the same for every case; this one is the reference for it, the engine of a replay, and that of a single decision.

Causes of an unknown, as text ``kind:subject``:

    no_answer:FEED …      state of the evidence of a person it needs (stale, conflicting, no_answer, not_requested, no_consent)
    not_covered:FEED      the answer does not cover the window that the rule asks about
    unreviewed:FEED       a doubtful point (疑点) without a finding
    unknown:NAME          an attribute (`born_on`) or cell (`vehicles.status`) that nobody stated
    parameter:ID          a figure not found, unsure and not accepted, or without an entry for this key
    formula:ID            a rule not found or unsure
    no_rows:FEED          the lowest, highest or latest of nothing;  ambiguous:FEED  two latest rows that differ
    division_by_zero      ·  outcome:PROGRAMME  another programme is not decided  ·  yields:PROGRAMME  gives way to it
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from meanscheck.contracts.units import VERDICT_CONFIRMED, VERDICT_DROPPED, CaseUnit, FeedFacts, PersonFacts, Value
from meanscheck.law.kleene import Truth, all_of, any_of, negated
from meanscheck.law.law import Law, Parameter, Programme
from meanscheck.law.names import OPEN_END, open_ended
from meanscheck.law.tree import Node
from meanscheck.law.types import MICRO
from meanscheck.values.dates import age_on, is_within, month_number, month_start, months_between, window_of
from meanscheck.values.evidence_state import EvidenceState
from meanscheck.values.rounding import round_to

Result: TypeAlias = int | Fraction | bool | date | str | None
Row: TypeAlias = Mapping[str, Value]
FRESHNESS = "evidence.freshness"


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test of one programme for one household or member."""

    __test__ = False
    id: str
    holds: Truth
    causes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided for a household (`member` None) or the member at that position."""

    programme: str
    member: int | None
    outcome: str
    award: int | None
    tests: tuple[TestResult, ...]
    causes: frozenset[str]

    @property
    def failed(self) -> tuple[str, ...]:
        """Ids of the tests that fail, in the law's order."""
        return tuple(t.id for t in self.tests if t.holds is False)


@dataclass(frozen=True, slots=True)
class _At:
    """Where a formula is evaluated: the person (index in the unit, None = the household) and the row of a feed."""

    person: int | None = None
    row: Row | None = None
    feed: str = ""


class PlainRun:
    """One law over one case unit; values are reckoned when asked for and kept."""

    def __init__(self, law: Law, unit: CaseUnit) -> None:
        self.law, self.unit = law, unit
        self.values: dict[tuple[str, int | None], Result] = {}
        self.outcomes: dict[tuple[str, int | None], Outcome] = {}
        self.rows: dict[tuple[int, str], tuple[Row, ...]] = {}
        self.members = tuple(i for i, p in enumerate(unit.persons) if p.role == "member")

    # ---- what callers ask

    def variable(self, name: str, person: int | None = None) -> Result:
        """A variable of the household, or of the person at an index of the unit."""
        variable = self.law.variables[name]
        key = (name, None if variable.entity == "household" else person)
        if key not in self.values:
            self.values[key] = self.value(variable.tree, _At(key[1]))
        return self.values[key]

    def at(self, tree: Node, person: int | None = None) -> int | None:
        """A tree that gives a whole number, such as a margin, for the household or a person."""
        value = self.value(tree, _At(person))
        return None if value is None else int(value)  # type: ignore[arg-type]

    def decide(self) -> tuple[Outcome, ...]:
        """All programmes in force, in the law's order; member programmes once per member of the application."""
        result: list[Outcome] = []
        for programme in self.law.programmes:
            if self.unit.requested and programme.id not in self.unit.requested:
                continue
            persons = self.members if programme.entity == "member" else (None,)
            result.extend(self.outcome(programme.id, person) for person in persons)
        return tuple(result)

    def outcome(self, name: str, person: int | None) -> Outcome:
        """One programme for the household (None) or a member."""
        programme = self.law.programme(name)
        key = (name, None if programme.entity == "household" else person)
        if key not in self.outcomes:
            self.outcomes[key] = self._outcome(programme, key[1])
        return self.outcomes[key]

    def _outcome(self, programme: Programme, person: int | None) -> Outcome:
        at = _At(person)
        results: list[TestResult] = []
        if programme.entity == "member":
            membership = Node("var", ("is_member",), self.law.variables["is_member"].tree.type, "member")
            results.append(self._test("membership", membership, at))
        results.extend(self._test(t.id, t.tree, at) for t in programme.tests)
        verdict = all_of(r.holds for r in results)
        causes = frozenset().union(*(r.causes for r in results if r.holds is None)) if verdict is None else frozenset[str]()
        award = None
        if verdict is not False and programme.award is not None:
            amount = self.value(programme.award.tree, at)
            if amount is None:
                causes |= self.causes(programme.award.tree, at)
                verdict = None
            elif verdict:
                award = int(amount)  # type: ignore[arg-type]
        word = {True: "eligible", False: "ineligible", None: "refer"}[verdict]
        if verdict is not False:
            for rule in programme.yields_to:
                gives_way = self._yields(rule.programme, rule.when, person)
                if gives_way is True:
                    word, causes, award = "ineligible", frozenset({f"yields:{rule.programme}"}), None
                    break
                if gives_way is None:
                    causes |= self._undecided(rule.programme, rule.when, person) | {f"outcome:{rule.programme}"}
                    word, award = "refer", None
        return Outcome(
            programme.id, person, word, award, tuple(results), causes if word == "refer" or "yields:" in str(causes) else frozenset()
        )

    def _yields(self, name: str, when: str, person: int | None) -> Truth:
        if name not in {p.id for p in self.law.programmes}:
            return False
        other = self.law.programme(name)
        if other.entity == "household" or when == "this member":
            return _truth(self.outcome(name, person).outcome)
        each = [(self.variable("is_member", m), _truth(self.outcome(name, m).outcome)) for m in self.members]
        if when == "any member":
            return any_of(all_of((_bool(member), verdict)) for member, verdict in each)
        if not any(member is not False for member, _ in each):
            return False
        return all_of(any_of((negated(_bool(member)), verdict)) for member, verdict in each)

    def _undecided(self, name: str, when: str, person: int | None) -> frozenset[str]:
        """Causes for which a programme that takes precedence is not decided."""
        if self.law.programme(name).entity == "household" or when == "this member":
            return self.outcome(name, person).causes
        open_members = (m for m in self.members if self.variable("is_member", m) is not False)
        open_causes = (self.outcome(name, m) for m in open_members)
        return frozenset().union(*(o.causes for o in open_causes if o.outcome == "refer"))

    def _test(self, name: str, tree: Node, at: _At) -> TestResult:
        holds = _bool(self.value(tree, at))
        return TestResult(name, holds, self.causes(tree, at) if holds is None else frozenset())

    # ---- values

    def value(self, node: Node, at: _At) -> Result:
        """The value of a node; None if unknown."""
        method = getattr(self, f"_v_{node.op}", None)
        if method is not None:
            result: Result = method(node, at)
            return result
        values = [self.value(n, at) for n in node.nodes]
        if None in values:
            return None
        return _OPERATIONS[node.op](self, node, values)

    def _v_int(self, node: Node, at: _At) -> Result:
        return bool(node.args[0]) if node.type.kind == "bool" else int(node.args[0])  # type: ignore[arg-type]

    def _v_text(self, node: Node, at: _At) -> Result:
        return str(node.args[0])

    def _v_unknown(self, node: Node, at: _At) -> Result:
        return None

    def _v_on(self, node: Node, at: _At) -> Result:
        return self.law.on

    def _v_reference_day(self, node: Node, at: _At) -> Result:
        return self.unit.attributes.get("reference_day") or self.law.on

    def _v_listed(self, node: Node, at: _At) -> Result:
        return self._person(at).role == "member"

    def _v_confirmed(self, node: Node, at: _At) -> Result:
        assert at.row is not None
        verdict = at.row.get("verdict") or 0
        return verdict == VERDICT_CONFIRMED if verdict else None

    def _v_attr(self, node: Node, at: _At) -> Result:
        entity, name = str(node.args[0]), str(node.args[1])
        if entity == "household":
            return self.unit.attributes.get(name)
        if entity == "supporter" and name != "id":
            return _exact(self._person(at).support.get(name), node)
        return self._person(at).attributes.get(name)

    def _v_col(self, node: Node, at: _At) -> Result:
        assert at.row is not None
        feed, name = str(node.args[0]), str(node.args[1])
        value = at.row.get(name)
        if value is None and name in open_ended(feed):
            return OPEN_END
        return _exact(value, node)

    def _v_var(self, node: Node, at: _At) -> Result:
        return self.variable(str(node.args[0]), at.person)

    def _v_param(self, node: Node, at: _At) -> Result:
        return self.law.parameters[str(node.args[0])].get()

    def _v_index(self, node: Node, at: _At) -> Result:
        keys = [self.value(k, at) for k in node.nodes]
        return None if None in keys else lookup(self.law.parameters[str(node.args[0])], tuple(map(str, keys)))

    def _v_and(self, node: Node, at: _At) -> Result:
        return all_of(_bool(self.value(n, at)) for n in node.nodes)

    def _v_or(self, node: Node, at: _At) -> Result:
        return any_of(_bool(self.value(n, at)) for n in node.nodes)

    def _v_if(self, node: Node, at: _At) -> Result:
        condition, x, y = node.nodes
        chosen = self.value(condition, at)
        if chosen is None:
            a, b = self.value(x, at), self.value(y, at)
            return a if a is not None and a == b else None
        return self.value(x if chosen else y, at)

    def _v_first_known(self, node: Node, at: _At) -> Result:
        return next((v for n in node.nodes if (v := self.value(n, at)) is not None), None)

    def _v_outcome(self, node: Node, at: _At) -> Result:
        word = self.outcome(str(node.args[0]), at.person).outcome
        return None if word == "refer" else word

    def _v_agg(self, node: Node, at: _At) -> Result:
        if self.hidden(node, at):
            return None
        function, feed = str(node.args[0]), str(node.args[1])
        _, _, element, condition, by, reviewed = node.args
        entries: list[tuple[Truth, Result, Result]] = []
        for row in self._rows(self._index(at), feed):
            here = _At(at.person, row, feed)
            holds = self._membership(row, bool(reviewed))
            if isinstance(condition, Node) and holds is not False:
                holds = all_of((holds, _bool(self.value(condition, here))))
            if holds is False:
                continue
            value = self.value(element, here) if isinstance(element, Node) else 1
            order = self.value(by, here) if isinstance(by, Node) else None
            entries.append((holds, value, order))
        return aggregate(function, entries)

    def _v_members(self, node: Node, at: _At) -> Result:
        function, element, condition = node.args
        entries: list[tuple[Truth, Result, Result]] = []
        for person in self.members:
            here = _At(person)
            holds = _bool(self.variable("is_member", person))
            if isinstance(condition, Node) and holds is not False:
                holds = all_of((holds, _bool(self.value(condition, here))))
            if holds is not False:
                entries.append((holds, self.value(element, here) if isinstance(element, Node) else 1, None))
        return aggregate(str(function), entries)

    def _v_supporters(self, node: Node, at: _At) -> Result:
        if self.supporters_hidden(node, at):
            return None
        function, element, condition = node.args
        entries: list[tuple[Truth, Result, Result]] = []
        for person in self._supporters(node, at):
            here = _At(person)
            holds: Truth = True
            if isinstance(condition, Node):
                holds = _bool(self.value(condition, here))
            if holds is not False:
                entries.append((holds, self.value(element, here) if isinstance(element, Node) else 1, None))
        return aggregate(str(function), entries)

    # ---- evidence

    def _index(self, at: _At) -> int:
        assert at.person is not None
        return at.person

    def _person(self, at: _At) -> PersonFacts:
        return self.unit.persons[self._index(at)]

    def _rows(self, person: int, feed: str) -> tuple[Row, ...]:
        key = (person, feed)
        if key not in self.rows:
            self.rows[key] = with_derived(feed, self.unit.persons[person].feed(feed).rows)
        return self.rows[key]

    @staticmethod
    def _membership(row: Row, reviewed: bool) -> Truth:
        verdict = row.get("verdict") or 0
        if verdict == VERDICT_DROPPED:
            return False
        return True if verdict == VERDICT_CONFIRMED or not reviewed else None

    def state(self, facts: FeedFacts, feed: str) -> EvidenceState:
        """The state with staleness, which follows from the reference day and the pack's freshness."""
        parameter = self.law.parameters.get(FRESHNESS)
        if facts.state is not EvidenceState.ANSWERED or facts.as_of is None or parameter is None:
            return facts.state
        months = lookup(parameter, (feed,))
        if months is None:
            return facts.state
        day = self.unit.attributes.get("reference_day") or self.law.on
        assert isinstance(day, date) and isinstance(months, int)
        oldest = window_of(months, day)[0]
        return EvidenceState.STALE if facts.as_of < oldest else facts.state

    def hidden(self, node: Node, at: _At) -> str:
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

    def _windows(self, node: Node, at: _At) -> Iterator[tuple[date, date]]:
        """First and last day of every window over the feed's own days that the aggregate asks about."""
        for part in windows_in(node):
            others = [self.value(n, at) for n in part.nodes[1:]]
            if None in others:
                continue
            if part.op == "within":
                months, before = others
                first, after = window_of(months, before)  # type: ignore[arg-type]
            else:
                (day,) = others
                assert isinstance(day, date)
                first, after = date(day.year, 1, 1), month_start(month_number(day))
            yield first, date.fromordinal(after.toordinal() - 1)

    def supporters_hidden(self, node: Node, at: _At) -> tuple[str, ...]:
        """Causes for which the list of supporters itself is not known."""
        persons = (self._index(at),) if node.level == "member" else self.members
        states = (self.state(self.unit.persons[p].feed("supporters"), "supporters") for p in persons)
        return tuple(sorted({f"{s.word}:supporters" for s in states if s is not EvidenceState.ANSWERED}))

    def _supporters(self, node: Node, at: _At) -> list[int]:
        supported = (self._index(at),) if node.level == "member" else self.members
        ids = {str(self.unit.persons[p].attributes.get("id")) for p in supported}
        return [i for i, p in enumerate(self.unit.persons) if ids & set(p.supports)]

    # ---- causes

    def causes(self, node: Node, at: _At) -> frozenset[str]:
        """Why a node is unknown; empty if it is known."""
        if self.value(node, at) is not None:
            return frozenset()
        op = node.op
        if op == "attr":
            return frozenset({f"unknown:{node.args[1]}"})
        if op == "col":
            return frozenset({f"unknown:{node.args[0]}.{node.args[1]}"})
        if op == "confirmed":
            return frozenset({f"unreviewed:{node.args[0]}"})
        if op in ("param", "index"):
            below = self._below(node, at)
            return below or frozenset({f"parameter:{node.args[0]}"})
        if op == "unknown":
            return frozenset({f"formula:{node.args[0]}"})
        if op == "var":
            variable = self.law.variables[str(node.args[0])]
            return self.causes(variable.tree, _At(None if variable.entity == "household" else at.person))
        if op == "outcome":
            name = str(node.args[0])
            return self.outcome(name, at.person).causes | {f"outcome:{name}"}
        if op == "agg":
            return self._agg_causes(node, at)
        if op in ("members", "supporters"):
            return self._people_causes(node, at)
        if op == "if":
            condition = node.nodes[0]
            chosen = self.value(condition, at)
            return self.causes(condition if chosen is None else node.nodes[1 if chosen else 2], at)
        below = self._below(node, at)
        return below or frozenset({"division_by_zero"})

    def _below(self, node: Node, at: _At) -> frozenset[str]:
        return frozenset().union(*(self.causes(n, at) for n in node.nodes))

    def _agg_causes(self, node: Node, at: _At) -> frozenset[str]:
        hidden = self.hidden(node, at)
        if hidden:
            return frozenset({hidden})
        function, feed, element, condition, by, reviewed = node.args
        found: set[str] = set()
        for row in self._rows(self._index(at), str(feed)):
            here = _At(at.person, row, str(feed))
            membership = self._membership(row, bool(reviewed))
            rest = _bool(self.value(condition, here)) if isinstance(condition, Node) else True
            if membership is False or rest is False:
                continue
            if function in ("any", "all") and isinstance(element, Node):
                if _bool(self.value(element, here)) is (function == "all"):
                    continue
            if membership is None:
                found.add(f"unreviewed:{feed}")
            for part in (condition, element, by):
                if isinstance(part, Node):
                    found |= self.causes(part, here)
        if not found:
            found.add(f"ambiguous:{feed}" if function == "latest" and self._some(node, at) else f"no_rows:{feed}")
        return frozenset(found)

    def _some(self, node: Node, at: _At) -> bool:
        return self.value(Node("agg", ("count", node.args[1], None, *node.args[3:]), node.type, node.level), at) != 0

    def _people_causes(self, node: Node, at: _At) -> frozenset[str]:
        function, element, condition = node.args
        found: set[str] = set()
        if node.op == "members":
            persons = list(self.members)
        else:
            found |= set(self.supporters_hidden(node, at))
            persons = [] if found else self._supporters(node, at)
        for person in persons:
            here = _At(person)
            belongs = _bool(self.variable("is_member", person)) if node.op == "members" else True
            rest = _bool(self.value(condition, here)) if isinstance(condition, Node) else True
            if belongs is False or rest is False:
                continue
            if function in ("any", "all") and isinstance(element, Node):
                if _bool(self.value(element, here)) is (function == "all"):
                    continue
            if belongs is None:
                found |= self.causes(self.law.variables["is_member"].tree, here)
            for part in (condition, element):
                if isinstance(part, Node):
                    found |= self.causes(part, here)
        return frozenset(found or {f"no_rows:{node.op}"})


@lru_cache(maxsize=4096)
def windows_in(node: Node) -> tuple[Node, ...]:
    """The `within` and `same_year` conditions on the feed's own days inside an aggregate.

    A window that itself depends on the row asks for no time that could be known beforehand, so it is not among them.
    """
    return tuple(
        part
        for part in node.walk()
        if part.op in ("within", "same_year")
        and part.nodes[0].level == "row"
        and all(n.level != "row" for n in part.nodes[1:])
    )


def lookup(parameter: Parameter, keys: tuple[str, ...]) -> Result:
    """An entry of a table; an overlay's scalar stands for every key."""
    found = parameter.get(keys)
    return parameter.get(("*",)) if found is None else found


def aggregate(function: str, entries: list[tuple[Truth, Result, Result]]) -> Result:
    """Combine (belongs, value, order) of the rows that may belong; `belongs` is never False here."""
    if function in ("any", "all"):
        values = [(b, _bool(v)) for b, v, _ in entries]
        if function == "any":
            return any_of(all_of((b, v)) for b, v in values)
        return all_of(any_of((negated(b), v)) for b, v in values)
    if any(b is None for b, _, _ in entries):
        return None
    if function == "count":
        return len(entries)
    if function == "latest":
        return _latest(entries)
    if any(v is None for _, v, _ in entries):
        return None
    values_known = [v for _, v, _ in entries if v is not None]
    if function == "sum":
        return sum(values_known)  # type: ignore[arg-type]
    if not values_known:
        return None
    return min(values_known) if function == "lowest" else max(values_known)  # type: ignore[type-var]


def _latest(entries: list[tuple[Truth, Result, Result]]) -> Result:
    if not entries or any(order is None for _, _, order in entries):
        return None
    last = max(order for _, _, order in entries)  # type: ignore[type-var]
    values = {v for _, v, order in entries if order == last}
    return values.pop() if len(values) == 1 else None


def with_derived(feed: str, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Rows with the derived columns of `names.DERIVED`."""
    if feed != "medical_settlements":
        return rows
    undone = {row["reverses"] for row in rows if row.get("reverses") is not None}
    return tuple({**row, "is_reversed": row.get("reverses") is not None or row.get("settlement_no") in undone} for row in rows)


def _exact(value: Value, node: Node) -> Result:
    return Fraction(value, MICRO) if node.type.form == "micro" and isinstance(value, int) else value


def _bool(value: Result) -> Truth:
    assert value is None or isinstance(value, bool)
    return value


def _truth(word: str) -> Truth:
    return {"eligible": True, "ineligible": False, "refer": None}[word]


def _compare(op: str, a: Result, b: Result) -> bool:
    if op == "==":
        return a == b
    if op == "!=":
        return a != b
    if op == "<":
        return a < b  # type: ignore[operator]
    if op == "<=":
        return a <= b  # type: ignore[operator]
    if op == ">":
        return a > b  # type: ignore[operator]
    return a >= b  # type: ignore[operator]


_OPERATIONS = {
    "+": lambda run, node, v: v[0] + v[1],
    "-": lambda run, node, v: v[0] - v[1],
    "*": lambda run, node, v: v[0] * v[1],
    "/": lambda run, node, v: None if v[1] == 0 else Fraction(v[0]) / Fraction(v[1]),
    "neg": lambda run, node, v: -v[0],
    "not": lambda run, node, v: not v[0],
    "in": lambda run, node, v: v[0] in node.args[1:],
    "least": lambda run, node, v: min(v),
    "greatest": lambda run, node, v: max(v),
    "round": lambda run, node, v: round_to(Fraction(v[0]), node.args[1], node.args[2]),
    "age": lambda run, node, v: age_on(v[0], run.law.on),
    "months_between": lambda run, node, v: months_between(v[0], v[1]),
    "within": lambda run, node, v: is_within(v[0], v[1], v[2]),
    "same_year": lambda run, node, v: v[0].year == v[1].year,
    **{op: (lambda run, node, v, op=op: _compare(op, v[0], v[1])) for op in ("<", "<=", ">", ">=", "==", "!=")},
}
