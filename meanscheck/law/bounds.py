"""What is certain of a value that is not known? The second meaning of a checked tree: bounds, in one case.

`PlainRun.value` says None for what is unknown; `Bounds` says between which legal bounds it lies, and `best` gives the
one value that is left where every completion of what is unknown leads to it. A test decided so is decided for certain:
whatever the silent bank holds, two others hold more than the limit.

* A sum over a feed that has not answered in full is at least the sum of the rows in hand, if no row to come can be
  negative (`legal.cell_range`); a count likewise; and `any` holds if a row in hand makes it hold.
* A row that may count adds nothing or its amount.
* A choice whose condition is unknown is one of both.

`vector_bounds` gives the same for a block; a property test holds both against each other, and another this one against
all completions.

Choices
    Rows in hand count only where they stay: those of an answer that is stale, contradicted or without consent do not,
    nor those whose place a later row may take (an account's balance dated before the reference day), nor any where
    the formula asks whether another row undoes them.
    What the law itself assumes in place of an unknown (`first_known`) is known, though a completion might differ.
    A contradiction that an answer to come might raise is not foreseen: when it arises, the case refers.
    Of the list of supporters that is not known nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from meanscheck.contracts.units import Value
from meanscheck.law import ranges
from meanscheck.law.kleene import Truth, all_of, negated
from meanscheck.law.law import AS_OF
from meanscheck.law.legal import (
    UNBORN,
    any_entry,
    attribute_range,
    cell_range,
    figure_range,
    is_birth,
    is_final,
    is_superseded,
    may_lack_value,
    reads_derived,
)
from meanscheck.law.plain_rows import At, Result, aggregate, exact, truth
from meanscheck.law.ranges import ANY, Number, Range, point
from meanscheck.law.tables import is_by_category
from meanscheck.law.tree import COMPARISONS, Node, membership_of
from meanscheck.law.types import MICRO
from meanscheck.values.evidence_state import EvidenceState
from meanscheck.values.rounding import round_to

if TYPE_CHECKING:
    from meanscheck.law.plain import PlainRun

UNSEEN: Mapping[str, Value] = MappingProxyType({})
"""A row that an answer to come may bring: nothing is known of it but what its contract says."""
_EXTREMES = ("lowest", "highest", "latest")


@dataclass(frozen=True, slots=True)
class Entry:
    """A row or person of an aggregate that may belong; `range_` where its value is a number, else `value`."""

    belongs: Truth
    value: Result
    range_: Range
    order: Result


def _plain() -> type[PlainRun]:
    """The plain executor, which has bounds itself."""
    from meanscheck.law.plain import PlainRun

    return PlainRun


class Bounds:
    """Bounds of the values of one run."""

    def __init__(self, run: PlainRun) -> None:
        self.run, self.law = run, run.law
        self._variables: dict[tuple[str, int | None], tuple[Result, Range]] = {}
        self._many: dict[tuple[Node, int | None], tuple[Result, Range]] = {}
        self._condition: Node | None = None
        self._reckoned: set[str] = set()
        # The plain executor over what is left of the values: its operations ask this for their arguments. It is no run
        # that keeps what it evaluates, whatever `run` is: what bounds look at was not evaluated by the rules.
        self._left = object.__new__(_plain())
        self._left.__dict__.update(run.__dict__)
        self._left.value = self.best  # type: ignore[method-assign]

    def best(self, node: Node, at: At) -> Result:
        """The value of a node, or the only one that is left; None if there are several."""
        return point(self.range(node, at)) if node.type.kind == "num" else self._other(node, at)

    # ---- what is not a number

    def _other(self, node: Node, at: At) -> Result:
        op = node.op
        if op in ("col", "confirmed") and at.row is UNSEEN:
            return None
        if op == "var":
            return self._variable(str(node.args[0]), at.person)[0]
        if op in ("agg", "members", "supporters"):
            return self._aggregate(node, at)[0]
        if op == "first_known":
            return self._first_known(node, at)[0]
        if op in COMPARISONS and node.nodes[0].type.kind == "num":
            return self._comparison(op, *(self.range(n, at) for n in node.nodes))
        return self._exact(node, at)

    @staticmethod
    def _comparison(op: str, a: Range, b: Range) -> Truth:
        if op in ("==", "!="):
            same = ranges.equal(a, b)
            return same if op == "==" else negated(same)
        if op in (">", ">="):
            a, b = b, a
        return ranges.below(a, b, or_equal=op in ("<=", ">="))

    # ---- numbers

    def range(self, node: Node, at: At) -> Range:
        """Bounds of a number; both are its value where that is known."""
        op = node.op
        if op == "col":
            return self._cell(node, at)
        if op == "var":
            return self._variable(str(node.args[0]), at.person)[1]
        if op in ("agg", "members", "supporters"):
            return self._aggregate(node, at)[1]
        if op == "first_known":
            return self._first_known(node, at)[1]
        if op == "attr":
            known = cast("Number | None", self.run.value(node, at))
            return (known, known) if known is not None else attribute_range(node)
        if op == "param":
            return figure_range(self.law.parameters[str(node.args[0])], ())
        if op == "index":
            return self._entry_of_table(node, at)
        if op == "if":
            return self._choice(node, at)
        if op in _ON_RANGES:
            return _ON_RANGES[op](*(self.range(n, at) for n in node.nodes))
        if op in ("least", "greatest"):
            return self._extreme(node, at)
        if op == "round":
            return self._rounded(node, self.range(node.nodes[0], at))
        left = _both(self._exact(node, at))
        return UNBORN if left == ANY and is_birth(node) else left

    def _exact(self, node: Node, at: At) -> Result:
        """An operation that has no bounds of its own: the plain executor's, on what is left of its arguments."""
        return _plain().value(self._left, node, at) if node.nodes else self.run.value(node, at)

    def _entry_of_table(self, node: Node, at: At) -> Range:
        known = _both(self._exact(node, at))
        parameter = self.law.parameters[str(node.args[0])]
        if known != ANY or not is_by_category(parameter.by):
            return known
        keys = [self.best(k, at) for k in node.nodes]
        return any_entry(self.law, node) if None in keys else figure_range(parameter, tuple(map(str, keys)))

    def _cell(self, node: Node, at: At) -> Range:
        feed, name = str(node.args[0]), str(node.args[1])
        assert at.row is not None
        known = cast("Number | None", exact(at.row.get(name), node))
        if known is not None:
            return known, known
        return cell_range(feed, name, self._condition if at.row is UNSEEN else None)

    def _choice(self, node: Node, at: At) -> Range:
        condition, x, y = node.nodes
        chosen = self.best(condition, at)
        if chosen is not None:
            return self.range(x if chosen else y, at)
        both = [self.range(x, at), self.range(y, at)]
        alike = point(both[0]) is not None and both[0] == both[1]
        return ranges.hull(both) if alike or not may_lack_value(self.law, condition) else ANY

    def _extreme(self, node: Node, at: At) -> Range:
        each = [self.range(n, at) for n in node.nodes]
        exist = (ranges.is_bounded(r) or not may_lack_value(self.law, n) for r, n in zip(each, node.nodes, strict=True))
        return (ranges.least if node.op == "least" else ranges.greatest)(each) if all(exist) else ANY

    @staticmethod
    def _rounded(node: Node, a: Range) -> Range:
        unit, mode = str(node.args[1]), str(node.args[2])
        low, high = (None if b is None else round_to(b, unit, mode) for b in ranges.kept(a))
        return low, high

    def _first_known(self, node: Node, at: At) -> tuple[Result, Range]:
        known = None if at.row is UNSEEN and node.level == "row" else self.run.value(node, at)
        if known is not None:
            return known, _both(known)
        first = node.nodes[0]
        best = self.best(first, at)
        if best is not None or node.type.kind != "num":
            return best, _both(best)
        return None, ANY if may_lack_value(self.law, first) else self.range(first, at)

    # ---- variables

    def _variable(self, name: str, person: int | None) -> tuple[Result, Range]:
        entity = self.law.variables[name].entity
        key = (name, None if entity == "household" else person)
        if key not in self._variables:
            for one in self.run.still(name, self._reckoned):
                if one not in self._variables:
                    self._variables[one] = self._of_variable(*one)
        if key not in self._variables:
            self._variables[key] = self._of_variable(*key)
        return self._variables[key]

    def _of_variable(self, name: str, person: int | None) -> tuple[Result, Range]:
        value = self.run.variable(name, person)
        if value is not None:
            return value, _both(value)
        tree, at = self.law.variables[name].tree, At(person)
        if tree.type.kind != "num":
            return self.best(tree, at), ANY
        found = _kept(self.range(tree, at), tree)
        return point(found), found

    # ---- rows and people

    def _aggregate(self, node: Node, at: At) -> tuple[Result, Range]:
        person = None if node.level == "household" else at.person
        if (node, person) not in self._many:
            before, self._condition = self._condition, None
            self._many[node, person] = self._of_rows(node, at) if node.op == "agg" else self._of_people(node, at)
            self._condition = before
        return self._many[node, person]

    def _of_rows(self, node: Node, at: At) -> tuple[Result, Range]:
        _, feed, element, condition, by, reviewed = node.args
        self._condition = condition if isinstance(condition, Node) else None
        hidden = self.run.hidden(node, at)
        rows = self._in_hand(node, at) if hidden else self.run.rows_of(at, str(feed))
        entries = []
        for row in rows:
            belongs = self.run.membership(row, bool(reviewed))
            entries.append(self._entry(node, At(at.person, row), belongs, (condition, element, by)))
        more = self._entry(node, At(at.person, UNSEEN), None, (condition, element, by)) if hidden else None
        return self._combined(node, condition, entries, more)

    def _in_hand(self, node: Node, at: At) -> Sequence[Mapping[str, Value]]:
        """The rows that stay, whatever an answer to come may bring."""
        feed = str(node.args[1])
        assert at.person is not None
        state = self.run.state(self.run.unit.persons[at.person].feed(feed), feed)
        if state not in (EvidenceState.ANSWERED, EvidenceState.NO_ANSWER) or reads_derived(node):
            return ()
        rows = self.run.rows_of(at, feed)
        if not is_superseded(feed):
            return rows
        reference = self.run.unit.attributes.get("reference_day") or self.law.on
        return [row for row in rows if is_final(row.get(AS_OF), reference)]

    def _of_people(self, node: Node, at: At) -> tuple[Result, Range]:
        function, element, condition = node.args[:3]
        if node.op == "supporters" and self.run.supporters_hidden(node, at):
            return None, (0, None) if function == "count" else ANY
        persons = self.run.members if node.op == "members" else self.run.supporters_of(node, at)
        entries = []
        for person in persons:
            belongs: Truth = True
            if node.op == "members":
                belongs = truth(self._variable(str(membership_of(node).args[0]), person)[0])
            entries.append(self._entry(node, At(person), belongs, (condition, element, None)))
        return self._combined(node, condition, entries, None)

    def _entry(self, node: Node, at: At, belongs: Truth, parts: Sequence[object]) -> Entry:
        condition, element, by = parts
        if isinstance(condition, Node) and belongs is not False:
            belongs = all_of((belongs, truth(self.best(condition, at))))
        if belongs is False:
            return Entry(False, None, ANY, None)
        order = self.best(by, at) if isinstance(by, Node) else None
        if not isinstance(element, Node):
            return Entry(belongs, 1, (1, 1), order)
        if element.type.kind != "num":
            return Entry(belongs, self.best(element, at), ANY, order)
        found = _kept(self.range(element, at), element)
        return Entry(belongs, point(found), found, order)

    def _combined(
        self, node: Node, condition: object, entries: Sequence[Entry], more: Entry | None
    ) -> tuple[Result, Range]:
        """What the entries that may belong give, and any number of others like `more` that nobody has seen."""
        function = str(node.args[0])
        entries = [e for e in entries if e.belongs is not False]
        more = None if more is not None and more.belongs is False else more
        if function in ("any", "all"):
            others = [] if more is None else [more]
            return aggregate(function, [(e.belongs, e.value, None) for e in (*entries, *others)]), ANY
        doubtful = more is not None or any(e.belongs is None for e in entries)
        if function in _EXTREMES:
            known = None if doubtful else aggregate(function, [(e.belongs, e.value, e.order) for e in entries])
            return known, _both(known)
        lacking = isinstance(condition, Node) and may_lack_value(self.law, condition)
        if node.op == "members":
            lacking = lacking or may_lack_value(self.law, membership_of(node))
        if doubtful and lacking:
            return None, ANY
        total: Range = (0, 0)
        for e in entries:
            total = ranges.plus(total, e.range_ if e.belongs else ranges.perhaps(e.range_))
        if more is not None:
            low, high = more.range_
            total = ranges.plus(
                total,
                (0 if low is not None and low >= 0 else None, 0 if high is not None and high <= 0 else None),
            )
        total = _kept(total, node)
        return point(total), total


def _kept(found: Range, node: Node) -> Range:
    """Without bounds that no column holds; a ratio is held in millionths."""
    return ranges.kept(found, most=ranges.MOST // MICRO if node.type.form == "micro" else ranges.MOST)


def _both(value: Result) -> Range:
    """A known number as a range; of what is no number there is none."""
    if value is None or isinstance(value, bool | str) or not isinstance(value, Number):
        return ANY
    return value, value


_ON_RANGES: Mapping[str, Callable[..., Range]] = {
    "+": ranges.plus,
    "-": ranges.minus,
    "*": ranges.times,
    "/": ranges.divided,
    "neg": ranges.negative,
}
