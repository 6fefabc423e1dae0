"""What does the law say of one case? The executor that is read against the law: plain records, exact fractions, no
frames.

`PlainRun(law, unit)` gives every variable, test, award and outcome, and for an unknown one its causes. The vector
executor must give the same for every case; this one is the reference for it, the engine of a replay, and that of a
single decision.

Causes of an unknown, as text ``kind:subject``:

    no_answer:FEED …      state of the evidence of a person it needs (stale, conflicting, no_answer, not_requested,
                          no_consent)
    not_covered:FEED      the answer does not cover the window that the rule asks about
    unreviewed:FEED       a doubtful point (疑点) without a finding
    unknown:NAME          an attribute (`born_on`) or cell (`vehicles.status`) that nobody stated
    parameter:ID          a figure not found, unsure and not accepted, or without an entry for this key
    no_band:ID            a value below the lowest band of a table (or a category that it lacks)
    no_month:ID           a month for which a table has no row (or a category that it lacks)
    no_place:ID           a place for which no pack gives the figure
    formula:ID            a rule not found or unsure
    no_rows:FEED          the lowest, highest or latest of nothing;  ambiguous:FEED  two latest rows that differ
    conflict:KIND         an open contradiction between feeds (`conflicts`) that puts what is needed in doubt
    division_by_zero      ·  outcome:PROGRAMME  another programme is not decided  ·  yields:PROGRAMME  gives way to it
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from meanscheck.contracts.units import VERDICT_CONFIRMED, CaseUnit
from meanscheck.law.bounds import Bounds
from meanscheck.law.conflicts.plain import Contradictions
from meanscheck.law.kleene import Truth, all_of, any_of, negated
from meanscheck.law.law import Law, Programme, Yield
from meanscheck.law.names import OPEN_END, open_ended
from meanscheck.law.plain_causes import Causes, causes_of
from meanscheck.law.plain_evidence import FRESHNESS, CaseEvidence
from meanscheck.law.plain_rows import (
    At,
    Entry,
    Result,
    Row,
    aggregate,
    exact,
    operation,
    truth,
    windows_in,
)
from meanscheck.law.plain_tables import TableValues
from meanscheck.law.tree import Node, membership, membership_of

__all__ = ["FRESHNESS", "MEMBERSHIP", "Outcome", "PlainRun", "Result", "TestResult", "windows_in"]

MEMBERSHIP = "membership"
"""The test that comes first in every programme that decides members."""


WORDS: dict[Truth, str] = {True: "eligible", False: "ineligible", None: "refer"}


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test of one programme for one household or member."""

    __test__ = False
    id: str
    holds: Truth
    causes: frozenset[str]
    by_bounds: bool = False
    """Whether it is decided though what it compares is not known: all that may come leads to the same."""


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


class PlainRun(CaseEvidence, TableValues):
    """One law over one case unit; values are kept once reckoned."""

    def __init__(self, law: Law, unit: CaseUnit) -> None:
        self.contradictions = Contradictions(law, unit)
        self.law, self.unit = law, self.contradictions.unit
        self.values: dict[tuple[str, int | None], Result] = {}
        self.outcomes: dict[tuple[str, int | None], Outcome] = {}
        self.members = tuple(i for i, p in enumerate(unit.persons) if p.role == "member")
        self.supporters = tuple(i for i, p in enumerate(unit.persons) if p.supports)
        self._rows: dict[tuple[int, str], tuple[Row, ...]] = {}
        self._causes: dict[tuple[str, int | None], Causes] = {}
        self._reckoned: set[str] = set()
        self._explained: set[str] = set()
        self.bounds = Bounds(self) if law.bounds else None

    # ---- what callers ask

    def variable(self, name: str, person: int | None = None) -> Result:
        """A variable of the household, or of the person at an index of the unit."""
        variable = self.law.variables[name]
        key = (name, None if variable.entity == "household" else person)
        if key not in self.values:
            self._reckon(name)
        return self._value_of(*key)

    def why(self, name: str, person: int | None = None) -> Causes:
        """The causes of a variable; empty if it is known."""
        variable = self.law.variables[name]
        key = (name, None if variable.entity == "household" else person)
        if key not in self._causes:
            self._explain(name)
        if key not in self._causes:
            self._causes[key] = causes_of(self, variable.tree, At(key[1]))
        return self._causes[key]

    def _explain(self, name: str) -> None:
        """The causes of a variable and of what it reads, in the order in which they are reckoned."""
        for key in self.still(name, self._explained):
            if key not in self._causes and self.variable(*key) is None:
                self._causes[key] = causes_of(self, self.law.variables[key[0]].tree, At(key[1]))

    def _reckon(self, name: str) -> None:
        for key in self.still(name, self._reckoned):
            self._value_of(*key)

    def _value_of(self, name: str, person: int | None) -> Result:
        if (name, person) not in self.values:
            self.values[name, person] = self.value(self.law.variables[name].tree, At(person))
        return self.values[name, person]

    def still(self, name: str, done: set[str]) -> Iterator[tuple[str, int | None]]:
        """A variable and all that it reads and that is not `done`, with every person who has it (None: the household).

        Each comes after those it reads itself, so a long chain of them needs no deep recursion; then it is done.
        """
        if name in done:
            return
        for one in self.law.variables_under(name):
            if one not in done:
                entity = self.law.variables[one].entity
                have = {"household": (None,), "member": self.members, "supporter": self.supporters}[entity]
                yield from ((one, person) for person in have)
                done.add(one)

    def at(self, tree: Node, person: int | None = None) -> int | None:
        """A tree that gives a whole number, such as a margin, for the household or a person."""
        value = self.value(tree, At(person))
        assert value is None or isinstance(value, int)
        return value

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
        at = At(person)
        trees = {t.id: t.tree for t in programme.tests}
        if programme.entity == "member":
            trees = {MEMBERSHIP: membership(programme.members), **trees}
        known = {name: truth(self.value(tree, at)) for name, tree in trees.items()}
        # A known failure decides, and then nothing is asked of bounds.
        is_open = False not in known.values()
        results = [self._test(name, tree, at, known[name], is_open=is_open) for name, tree in trees.items()]
        verdict = all_of(r.holds for r in results)
        causes: Causes = frozenset().union(*(r.causes for r in results if r.holds is None and verdict is None))
        award = None
        if verdict is not False and programme.award is not None:
            amount = self.best(programme.award.tree, at)
            if amount is None:
                causes |= causes_of(self, programme.award.tree, at)
                verdict = None
            elif verdict:
                assert isinstance(amount, int)
                award = amount
        word = WORDS[verdict]
        if verdict is False:
            causes = frozenset()
        else:
            for rule in programme.yields_to:
                gives_way = self._yields(programme, rule, person)
                if gives_way is True:
                    word, causes, award = "ineligible", frozenset({f"yields:{rule.programme}"}), None
                    break
                if gives_way is None:
                    causes |= self._undecided(programme, rule, person) | {f"outcome:{rule.programme}"}
                    word, award = "refer", None
        return Outcome(programme.id, person, word, award, tuple(results), causes)

    def _yields(self, programme: Programme, rule: Yield, person: int | None) -> Truth:
        name = rule.programme
        if name not in {p.id for p in self.law.programmes}:
            return False
        other = self.law.programme(name)
        if other.entity == "household" or rule.when == "this member":
            return _decided(self.outcome(name, person).outcome)
        each = [(self.variable(programme.members, m), _decided(self.outcome(name, m).outcome)) for m in self.members]
        if rule.when == "any member":
            return any_of(all_of((truth(member), verdict)) for member, verdict in each)
        if not any(member is not False for member, _ in each):
            return False
        return all_of(any_of((negated(truth(member)), verdict)) for member, verdict in each)

    def _undecided(self, programme: Programme, rule: Yield, person: int | None) -> frozenset[str]:
        """Causes for which a programme that takes precedence is not decided."""
        name = rule.programme
        if self.law.programme(name).entity == "household" or rule.when == "this member":
            return self.outcome(name, person).causes
        open_members = (m for m in self.members if self.variable(programme.members, m) is not False)
        open_causes = (self.outcome(name, m) for m in open_members)
        return frozenset().union(*(o.causes for o in open_causes if o.outcome == "refer"))

    def _test(self, name: str, tree: Node, at: At, known: Truth, *, is_open: bool) -> TestResult:
        holds = truth(self.best(tree, at)) if known is None and is_open else known
        causes: Causes = causes_of(self, tree, at) if holds is None else frozenset()
        return TestResult(name, holds, causes, by_bounds=known is None and holds is not None)

    # ---- values

    def best(self, node: Node, at: At) -> Result:
        """The value of a node or, under a law that uses bounds, the only one that is left; None if unknown."""
        value = self.value(node, at)
        return value if value is not None or self.bounds is None else self.bounds.best(node, at)

    def value(self, node: Node, at: At) -> Result:
        """The value of a node; None if unknown."""
        method: Callable[[Node, At], Result] | None = getattr(self, f"_v_{node.op}", None)
        if method is not None:
            return method(node, at)
        values = [self.value(n, at) for n in node.nodes]
        return None if None in values else operation(node, values, self.law.on)

    def _v_int(self, node: Node, at: At) -> Result:
        number = node.args[0]
        assert isinstance(number, int)
        return bool(number) if node.type.kind == "bool" else int(number)

    def _v_text(self, node: Node, at: At) -> Result:
        return str(node.args[0])

    def _v_unknown(self, node: Node, at: At) -> Result:
        return None

    def _v_on(self, node: Node, at: At) -> Result:
        return self.law.on

    def _v_reference_day(self, node: Node, at: At) -> Result:
        return self.unit.attributes.get("reference_day") or self.law.on

    def _v_listed(self, node: Node, at: At) -> Result:
        return self._person(at).role == "member"

    def _v_undisputed(self, node: Node, at: At) -> Result:
        return None if self.contradictions.of_membership(self._index(at)) else True

    def _v_confirmed(self, node: Node, at: At) -> Result:
        assert at.row is not None
        verdict = at.row.get("verdict") or 0
        return verdict == VERDICT_CONFIRMED if verdict else None

    def _v_attr(self, node: Node, at: At) -> Result:
        entity, name = str(node.args[0]), str(node.args[1])
        if entity == "household":
            return self.unit.attributes.get(name)
        if entity == "supporter" and name != "id":
            return exact(self._person(at).support.get(name), node)
        return self._person(at).attributes.get(name)

    def _v_col(self, node: Node, at: At) -> Result:
        assert at.row is not None
        feed, name = str(node.args[0]), str(node.args[1])
        value = at.row.get(name)
        if value is None and name in open_ended(feed):
            return OPEN_END
        return exact(value, node)

    def _v_var(self, node: Node, at: At) -> Result:
        return self.variable(str(node.args[0]), at.person)

    def _v_param(self, node: Node, at: At) -> Result:
        return self.law.parameters[str(node.args[0])].get()

    def _v_and(self, node: Node, at: At) -> Result:
        return all_of(truth(self.value(n, at)) for n in node.nodes)

    def _v_or(self, node: Node, at: At) -> Result:
        return any_of(truth(self.value(n, at)) for n in node.nodes)

    def _v_if(self, node: Node, at: At) -> Result:
        condition, x, y = node.nodes
        chosen = self.value(condition, at)
        if chosen is None:
            a, b = self.value(x, at), self.value(y, at)
            return a if a is not None and a == b else None
        return self.value(x if chosen else y, at)

    def _v_first_known(self, node: Node, at: At) -> Result:
        return next((v for n in node.nodes if (v := self.value(n, at)) is not None), None)

    def _v_outcome(self, node: Node, at: At) -> Result:
        word = self.outcome(str(node.args[0]), at.person).outcome
        return None if word == "refer" else word

    def _v_agg(self, node: Node, at: At) -> Result:
        if self.hidden(node, at):
            return None
        function, feed = str(node.args[0]), str(node.args[1])
        _, _, element, condition, by, reviewed = node.args
        entries: list[Entry] = []
        for row in self.rows_of(at, feed):
            here = At(at.person, row)
            holds = self.membership(row, bool(reviewed))
            if isinstance(condition, Node) and holds is not False:
                holds = all_of((holds, truth(self.value(condition, here))))
            if holds is False:
                continue
            value = self.value(element, here) if isinstance(element, Node) else 1
            order = self.value(by, here) if isinstance(by, Node) else None
            entries.append((holds, value, order))
        return aggregate(function, entries)

    def _v_members(self, node: Node, at: At) -> Result:
        function, element, condition = node.args[:3]
        belongs = str(membership_of(node).args[0])
        entries: list[Entry] = []
        for person in self.members:
            here = At(person)
            holds = truth(self.variable(belongs, person))
            if isinstance(condition, Node) and holds is not False:
                holds = all_of((holds, truth(self.value(condition, here))))
            if holds is not False:
                entries.append((holds, self.value(element, here) if isinstance(element, Node) else 1, None))
        return aggregate(str(function), entries)

    def _v_supporters(self, node: Node, at: At) -> Result:
        if self.supporters_hidden(node, at):
            return None
        function, element, condition = node.args
        entries: list[Entry] = []
        for person in self.supporters_of(node, at):
            here = At(person)
            holds: Truth = True
            if isinstance(condition, Node):
                holds = truth(self.value(condition, here))
            if holds is not False:
                entries.append((holds, self.value(element, here) if isinstance(element, Node) else 1, None))
        return aggregate(str(function), entries)


def _decided(word: str) -> Truth:
    return {"eligible": True, "ineligible": False, "refer": None}[word]
