"""How does a checked tree become expressions of its bounds? `emit`, with the second meaning that `bounds` describes.

`Spanning` is mixed into an emitter: `span` gives the bounds of a number, and `emit` the value or the only one that is
left. So every operation that has no bounds of its own is the emitter's, on what is left of its arguments. Where it
stands (a frame, the rows of a feed, a row that nobody has seen) says `leaf_span`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from weakref import proxy

import polars as pl

from meanscheck.contracts.units import CaseUnit
from meanscheck.law import spans
from meanscheck.law.columns import Column, all_horizontal, col, lit
from meanscheck.law.emit import Emitter
from meanscheck.law.figures import ANY_KEY
from meanscheck.law.keeping import kept_with_law
from meanscheck.law.law import Law
from meanscheck.law.legal import UNBORN, any_entry, attribute_range, cell_range, is_birth, may_lack_value
from meanscheck.law.plain import PlainRun
from meanscheck.law.plain_rows import At
from meanscheck.law.quotients import MILLION, Part, Quotient, compared, literal, nothing, over
from meanscheck.law.ranges import Range
from meanscheck.law.sides import OWNED, RowEmitter, Rows, Side
from meanscheck.law.spans import Span
from meanscheck.law.tables import is_by_category
from meanscheck.law.tree import COMPARISONS, Node

if TYPE_CHECKING:
    from meanscheck.law.vector_bounds import VectorBounds

_COSTLY = frozenset({"*", "/", "least", "greatest", "if", "first_known", "index", "slices"})
"""Operations that name their arguments several times: their bounds are kept as columns, or formulas would grow."""


@kept_with_law
def constant_range(law: Law, node: Node) -> Range:
    """Bounds of what is the same for everybody."""
    bounds = PlainRun(law, CaseUnit("", {}, ())).bounds
    assert bounds is not None
    return bounds.range(node, At())


class Spanning(Emitter):
    """Emits what is left of values."""

    exact: Emitter

    def leaf_span(self, node: Node) -> Span:
        """Bounds of a number that a column holds."""
        raise NotImplementedError

    def left_of(self, node: Node) -> Quotient:
        """What is left of a leaf that is no number."""
        return Emitter.emit(self, node)

    def kept(self, node: Node, span: Span) -> Span:
        """The bounds as columns, where that is possible."""
        return span

    def emit(self, node: Node) -> Quotient:
        """The value of a node, or the only one that is left."""
        if node.type.kind == "num":
            return spans.point(self.span(node))
        if node.op == "first_known":
            return self._assumed(node)
        if self.leaves.is_leaf(node):
            return self.left_of(node)
        if node.op in COMPARISONS and node.nodes[0].type.kind == "num":
            return Quotient(self._held(node.op, self.span(node.nodes[0]), self.span(node.nodes[1])))
        return self.composed(node)

    @staticmethod
    def _held(op: str, a: Span, b: Span) -> Column:
        if op in ("==", "!="):
            same = spans.equal(a, b)
            return same if op == "==" else ~same
        if op in (">", ">="):
            a, b = b, a
        return spans.below(a, b, or_equal=op in ("<=", ">="))

    # ---- numbers

    def span(self, node: Node) -> Span:
        """Bounds of a number; both are its value where that is known."""
        if node.level == "const":
            return spans.constant(constant_range(self.law, node), node.type)
        if self.leaves.is_leaf(node):
            return self.leaf_span(node)
        found = self._composed_span(node)
        return self.kept(node, found) if node.op in _COSTLY else found

    def _composed_span(self, node: Node) -> Span:
        op = node.op
        if op == "if":
            return self._choice_span(node)
        if op == "index":
            return self._entry_span(node)
        if op == "first_known":
            return self._assumed_span(node)
        if op in ("least", "greatest"):
            return self._extreme_span(node)
        if op in _ON_SPANS:
            return _ON_SPANS[op](*(self.span(n) for n in node.nodes))
        if op == "round":
            return spans.rounded_span(self.span(node.nodes[0]), str(node.args[1]), str(node.args[2]))
        left = self.composed(node)
        if is_birth(node):
            unborn = spans.constant(UNBORN, node.type)
            return Span(_filled(left, unborn.low), left)
        return Span(left, left)

    def _choice_span(self, node: Node) -> Span:
        condition, x, y = node.nodes
        chosen, one, other = self.emit(condition), self.span(x), self.span(y)
        yes, no = (chosen.n.fill_null(False), (~chosen.n).fill_null(False))
        if chosen.absent:
            yes = no = lit(False)
        both = spans.hull(one, other)
        if may_lack_value(self.law, condition):
            a, b = spans.point(one), spans.point(other)
            same = lit(False) if a.absent or b.absent else spans.equal(Span(a, a), Span(b, b)).fill_null(False)
            both = Span(spans.only(same, both.low), spans.only(same, both.high))
        low, high = (
            spans.chosen(yes, a, spans.chosen(no, b, c))
            for a, b, c in ((one.low, other.low, both.low), (one.high, other.high, both.high))
        )
        return Span(low, high, one.sign if one.sign == other.sign else 0)

    def _entry_span(self, node: Node) -> Span:
        left = self.composed(node)
        parameter = self.law.parameters[str(node.args[0])]
        if not is_by_category(parameter.by):
            return Span(left, left)
        keys = [self.emit(k) for k in node.nodes]
        known = all_horizontal([lit(False) if k.absent else k.n.is_not_null() for k in keys])
        of_any = spans.constant(any_entry(self.law, node), node.type)
        if not parameter.unknown:
            low, high = (_filled(left, spans.only(~known, q)) for q in (of_any.low, of_any.high))
            return Span(low, high)
        texts = [k.n.cast(pl.String) for k in keys]
        low, high = (
            spans.chosen(known, _entry(table, texts, node), q)
            for table, q in ((parameter.at_least, of_any.low), (parameter.at_most, of_any.high))
        )
        return Span(low, high)

    def _extreme_span(self, node: Node) -> Span:
        each = [self.span(n) for n in node.nodes]
        exist = [spans.is_bounded(s) for s, n in zip(each, node.nodes, strict=True) if may_lack_value(self.law, n)]
        found = (spans.least if node.op == "least" else spans.greatest)(each)
        if not exist:
            return found
        all_exist = all_horizontal(exist)
        return Span(spans.only(all_exist, found.low), spans.only(all_exist, found.high), found.sign)

    # ---- what the law assumes

    def assumed(self, node: Node) -> Quotient:
        """The value of `first_known` as the plain meaning has it."""
        return self.exact.emit(node)

    def _assumed(self, node: Node) -> Quotient:
        known, first = self.assumed(node), self._joined(node.nodes[0], node)
        return _filled(known, first)

    def _assumed_span(self, node: Node) -> Span:
        known, first = self.assumed(node), node.nodes[0]
        span = self.span(first)
        if may_lack_value(self.law, first):
            left = spans.point(span)
            span = Span(left, left)
        return Span(_filled(known, span.low), _filled(known, span.high))


class FrameSpans(Spanning):
    """Over one frame of the part of a block that is looked at again."""

    def __init__(self, bounds: VectorBounds, level: str) -> None:
        super().__init__(Side(bounds.run, level))
        # Bounds hold their emitters: held in turn, a block's frames would stay until Python looks for circles.
        self.bounds: VectorBounds = proxy(bounds)
        self.level = level
        self.exact = Emitter(self.leaves)
        self._spans: dict[Node, Span] = {}
        self._left: dict[Node, Quotient] = {}

    def emit(self, node: Node) -> Quotient:
        """The value of a node, or the only one that is left; written once."""
        if node not in self._left:
            self._left[node] = super().emit(node)
        return self._left[node]

    def span(self, node: Node) -> Span:
        """Bounds of a number; written once."""
        if node not in self._spans:
            self._spans[node] = super().span(node)
        return self._spans[node]

    def leaf_span(self, node: Node) -> Span:
        """Bounds of an attribute, a variable or an aggregate."""
        if node.op == "attr":
            q = Emitter.emit(self, node)
            bounds = spans.constant(attribute_range(node), node.type)
            return Span(_filled(q, bounds.low), _filled(q, bounds.high))
        low, high = (self._column(node, name) for name in self.bounds.ends(node))
        return Span(low, high)

    def left_of(self, node: Node) -> Quotient:
        """What is left of a variable or an aggregate that is no number."""
        if node.op not in ("var", "agg", "members", "supporters"):
            return Emitter.emit(self, node)
        home = self.bounds.home(node)
        return Quotient(col(self.bounds.run.carried(self.bounds.left(node), home, self.level)))

    def _column(self, node: Node, name: str) -> Quotient:
        run, home = self.bounds.run, self.bounds.home(node)
        e = col(run.carried(name, home, self.level))
        return over(Part(e, run.top(home, name)), MILLION if node.type.form == "micro" else None)

    def kept(self, node: Node, span: Span) -> Span:
        """The bounds as columns of the frame."""
        return Span(self._kept(f"-~{node.key}", span.low), self._kept(f"+~{node.key}", span.high), span.sign)

    def _kept(self, name: str, q: Quotient) -> Quotient:
        if q.absent:
            return q
        varies = q.d is not None and q.d.varies
        below = [q.d.alias(f"{name}/")] if varies and q.d is not None else []
        self.bounds.run.put(self.level, [q.n.alias(name), *below])
        return Quotient(col(name), col(f"{name}/") if varies else q.d, q.top, q.below)


class RowSpans(Spanning, RowEmitter):
    """Over the rows of a feed."""

    def __init__(self, bounds: VectorBounds, rows: Rows) -> None:
        super().__init__(rows)
        self.bounds: VectorBounds = proxy(bounds)
        self.exact = RowEmitter(rows)

    def emit(self, node: Node) -> Quotient:
        """The value of a node on each row, or the only one that is left."""
        if node.level not in OWNED:
            return Spanning.emit(self, node)
        return self._carried(self.bounds.emitters["member"].emit(node), f"left:{node.key}")

    def span(self, node: Node) -> Span:
        """Bounds of a number on each row."""
        if node.level not in OWNED:
            return super().span(node)
        span = self.bounds.emitters["member"].span(node)
        return Span(self._carried(span.low, f"low:{node.key}"), self._carried(span.high, f"high:{node.key}"), span.sign)

    def _carried(self, q: Quotient, name: str) -> Quotient:
        if q.absent:
            return q
        varies = q.d is not None and q.d.varies
        d = self.rows.from_owner(q.d, f"{name}/") if varies and q.d is not None else q.d
        return Quotient(self.rows.from_owner(q.n, name), d, q.top, q.below)

    def _within(self, node: Node) -> Quotient:
        # What bounds the window may be left though it is not known, so it is not taken from the household's columns.
        member, before = self.bounds.emitters["member"], node.nodes[2]
        if before.level not in OWNED or not self.known_window(node) or member.emit(before).absent:
            return Emitter._within(self, node)
        first, after = member.window(node)
        bounds = ",".join(str(n.key) for n in node.nodes[1:])
        lower, upper = (
            self.rows.from_owner(e, f"left {which}:{bounds}") for which, e in (("first", first), ("after", after))
        )
        d = self.emit(node.nodes[0])
        return nothing(node.type) if d.absent else Quotient(compared(">=", d.n, lower) & compared("<", d.n, upper))

    def leaf_span(self, node: Node) -> Span:
        """Bounds of a cell: of one that nobody stated, what the contract says."""
        q = Emitter.emit(self, node)
        bounds = spans.constant(cell_range(str(node.args[0]), str(node.args[1]), None), node.type)
        return Span(_filled(q, bounds.low), _filled(q, bounds.high))


class UnseenSpans(FrameSpans):
    """Over persons, of a row that an answer to come may bring."""

    def __init__(self, bounds: VectorBounds, condition: Node | None) -> None:
        super().__init__(bounds, "member")
        self.condition = condition

    def emit(self, node: Node) -> Quotient:
        """The value of a node, or the only one that is left."""
        if node.op in ("col", "confirmed"):
            return nothing(node.type) if node.type.kind != "num" else spans.point(self.span(node))
        return super().emit(node) if node.level == "row" else self.bounds.emitters["member"].emit(node)

    def span(self, node: Node) -> Span:
        """Bounds of a number."""
        if node.op == "col":
            found = cell_range(str(node.args[0]), str(node.args[1]), self.condition)
            return spans.constant(found, node.type)
        return super().span(node) if node.level == "row" else self.bounds.emitters["member"].span(node)

    def kept(self, node: Node, span: Span) -> Span:
        """As it is: a row's formula is short."""
        return span

    def assumed(self, node: Node) -> Quotient:
        """Of a row that nobody has seen nothing is assumed."""
        return nothing(node.type)


def _filled(q: Quotient, other: Quotient) -> Quotient:
    """A value, or a bound where there is none."""
    return other if q.absent else q if other.absent else spans.chosen(q.n.is_not_null(), q, other)


def _entry(table: object, keys: list[Column], node: Node) -> Quotient:
    """The bound that a table gives for its keys."""
    assert isinstance(table, dict)
    found = literal(table[ANY_KEY], node.type) if ANY_KEY in table else nothing(node.type)
    for entry, value in table.items():
        if entry != ANY_KEY:
            fits = all_horizontal([k == e for k, e in zip(keys, entry, strict=True)]).fill_null(False)
            found = spans.chosen(fits, literal(value, node.type), found)
    return found


_ON_SPANS: Mapping[str, Callable[..., Span]] = {
    "+": spans.plus,
    "-": spans.minus,
    "*": spans.times,
    "/": spans.divided,
    "neg": spans.negative,
}
