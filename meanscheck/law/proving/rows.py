"""Which rows of a feed does a law tell apart?

Two rows are of one *class* if every condition that the law asks of rows of that feed comes out alike for both. All that
an aggregate can see of a person's rows is then how many there are of each class and what the columns of each class sum
to, so a feed with any number of rows becomes a few whole numbers, exactly. `RowClasses` finds the classes that are
possible at all, by asking the solver for one symbolic row after another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import z3

from meanscheck.contracts import all_feeds
from meanscheck.law.proving.household import Extent, World
from meanscheck.law.proving.terms import NotEncodable, Number, Sym, Term, Text, Truth, either, is_constant, opposite
from meanscheck.law.tree import Node
from meanscheck.law.types import BOOL, Type

if TYPE_CHECKING:
    from meanscheck.law.proving.encode import Encoder

MOST_CLASSES = 400
Asked = tuple[int, Node]
"""A condition of rows, as one of the laws compared reads it."""


class RowSymbols:
    """One row of a feed, its cells as symbols."""

    def __init__(self, feed: str, world: World) -> None:
        self.feed, self.world = feed, world
        self.columns = {c.name: c for c in all_feeds()[feed].columns}
        self._guarded: set[str] = set()

    def cell(self, node: Node) -> Term:
        """A column's value; a column that the library derives is a free fact."""
        name = str(node.args[1])
        column = self.columns.get(name)
        term = self.world.fact(f"cell {name}", node.type, column)
        guard = None if column is None else column.negative_only_when
        if guard is not None and name not in self._guarded and isinstance(term, Number):
            self._guarded.add(name)
            other = self.columns[guard[0]]
            assert other.choices
            kind = Node("col", (self.feed, guard[0]), _text_of(other.choices), "row")
            word = self.cell(kind)
            assert isinstance(word, Text)
            allowed = either(*(word.code == self.world.texts.code(w) for w in guard[1]))
            self.world.constraints.append(either(term.top >= 0, allowed))
        return term


@dataclass(frozen=True, eq=False)
class RowClass:
    """Rows of one feed that a law does not tell apart; `holds` says how each condition comes out (None: unknown)."""

    feed: str
    number: int
    holds: Mapping[Asked, bool | None]
    chosen: tuple[Sym, ...]
    """What must hold of a row's cells for it to be of this class."""


class FeedClasses:
    """The classes of one feed, with the symbolic row that they are told by."""

    def __init__(self, feed: str, encoders: Sequence[Encoder], asked: Sequence[Asked]) -> None:
        self.feed = feed
        first = encoders[0]
        self.world = World(Extent(1, 0), first.on, first.texts, tag=f" of {feed}")
        self.row = RowSymbols(feed, self.world)
        self.encoders = encoders
        self.solver = z3.Solver()
        self.classes = self._found(asked)
        self._signs: dict[tuple[int, Asked], tuple[bool, bool]] = {}

    def term(self, asked: Asked) -> Term:
        """A formula over the symbolic row."""
        index, node = asked
        return self.encoders[index].of_row(node, self.row)

    def _found(self, asked: Sequence[Asked]) -> tuple[RowClass, ...]:
        terms: list[tuple[Asked, Truth]] = []
        for one in asked:
            try:
                term = self.term(one)
            except NotEncodable:
                # A condition that cannot be encoded may come out either way for any row.
                term = self.world.fact(f"free {len(terms)}", BOOL)
            assert isinstance(term, Truth)
            terms.append((one, term))
        for node in self._columns():
            # A row that is stated must state whatever some formula reads of it.
            self.row.cell(node)
        self.solver.add(*self._constraints())
        parts = [p for _, t in terms for p in (t.true, t.false) if not is_constant(p)]
        found: list[RowClass] = []
        while self.solver.check() == z3.sat:
            if len(found) >= MOST_CLASSES:
                raise NotEncodable(f"more than {MOST_CLASSES} kinds of rows in {self.feed}")
            model = self.solver.model()
            chosen = [p if z3.is_true(model.eval(p, model_completion=True)) else opposite(p) for p in parts]
            holds = {one: _read(model, term) for one, term in terms}
            found.append(RowClass(self.feed, len(found), holds, tuple(chosen)))
            if not chosen:
                break
            self.solver.add(z3.Not(z3.And(*chosen)))
        self.solver = z3.Solver()
        self.solver.add(*self._constraints())
        # Rows that no condition is true of are seen by nothing.
        return tuple(c for c in found if any(h is not False for h in c.holds.values()))

    def _columns(self) -> Iterator[Node]:
        for encoder in self.encoders:
            for aggregate in encoder.aggregates():
                yield from (n for n in aggregate.walk() if n.op == "col" and n.args[0] == self.feed)

    def cells(self) -> list[tuple[str, Sym]]:
        """Columns that something asked for, with their symbols."""
        names = ((n.removeprefix("cell "), n) for n in self.world.symbols if n.startswith("cell "))
        return [(column, self.world.symbols[name]) for column, name in names]

    def _constraints(self) -> list[Sym]:
        return [*self.world.all_constraints(), *(c for e in self.encoders for c in e.world.all_constraints())]

    def possible(self, of: RowClass, *more: Sym) -> z3.ModelRef | None:
        """A row of the class of which more holds, too; None if there is none."""
        self.solver.push()
        self.solver.add(*self._constraints(), *of.chosen, *(m for m in more if m is not True))
        good = not any(m is False for m in more) and self.solver.check() == z3.sat
        model = self.solver.model() if good else None
        self.solver.pop()
        return model

    def signs(self, of: RowClass, asked: Asked) -> tuple[bool, bool]:
        """Whether a number of such a row may be below zero, and above."""
        key = (of.number, asked)
        if key not in self._signs:
            try:
                term = self.term(asked)
            except NotEncodable:
                return True, True
            assert isinstance(term, Number)
            below, above = self.possible(of, term.top < 0), self.possible(of, term.top > 0)
            self._signs[key] = (below is not None, above is not None)
        return self._signs[key]

    def may_be_unknown(self, of: RowClass, asked: Asked) -> bool:
        """Whether a value of such a row may be unknown by the law itself."""
        try:
            term = self.term(asked)
        except NotEncodable:
            return False
        return term.known is not True and self.possible(of, opposite(term.known)) is not None


class RowClasses:
    """Classes of all feeds that some laws read, found once."""

    def __init__(self, encoders: Sequence[Encoder]) -> None:
        self.encoders = encoders
        self._asked: dict[str, dict[Asked, None]] = {}
        for index, encoder in enumerate(encoders):
            for node in encoder.aggregates():
                feed = str(node.args[1])
                self._asked.setdefault(feed, {}).update(dict.fromkeys((index, c) for c in conditions_of(node)))
        self.found: dict[str, FeedClasses] = {}

    def of(self, feed: str) -> FeedClasses:
        """The classes of a feed."""
        if feed not in self.found:
            self.found[feed] = FeedClasses(feed, self.encoders, list(self._asked[feed]))
        return self.found[feed]


def conditions_of(aggregate: Node) -> Iterator[Node]:
    """What an aggregate asks of each row: its condition, a yes/no element, the conditions inside an element, and for
    the latest of words which word it is."""
    function, _, element, condition, _, _ = aggregate.args
    yield condition if isinstance(condition, Node) else Node("true", (), BOOL, "row")
    if not isinstance(element, Node):
        return
    if function in ("any", "all"):
        yield element
    elif function == "latest" and element.type.kind == "text":
        for word in sorted(element.type.choices or ()):
            yield is_word(element, word)
    elif function == "latest" and element.type.kind == "bool":
        yield element
    else:
        yield from (n.nodes[0] for n in element.walk() if n.op == "if" and n.nodes[0].level == "row")


def is_word(element: Node, word: str) -> Node:
    """The condition that a text of the row is that word."""
    return Node("==", (element, Node("text", (word,), element.type, "const")), BOOL, "row")


def _read(model: z3.ModelRef, term: Truth) -> bool | None:
    def holds(part: Sym) -> bool:
        return part if isinstance(part, bool) else bool(z3.is_true(model.eval(part, model_completion=True)))

    return True if holds(term.true) else False if holds(term.false) else None


def _text_of(choices: Iterable[str]) -> Type:
    return Type("text", choices=frozenset(choices))
