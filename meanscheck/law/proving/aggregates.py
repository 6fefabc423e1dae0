"""What do the people of a household, or the rows of a person, give together? The aggregates, over symbols.

People are few and are gone through one by one; rows are seen through their classes (`rows`): how many there are of
each and what each column sums to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meanscheck.law.proving import terms as t
from meanscheck.law.proving.rows import FeedClasses, RowClass, is_word
from meanscheck.law.proving.terms import Day, NotEncodable, Number, Sym, Term, Text, Truth
from meanscheck.law.tree import IS_MEMBER, Node, membership_of
from meanscheck.law.types import BOOL, MICRO

if TYPE_CHECKING:
    from meanscheck.law.proving.encode import At, Encoder

TRUE = Node("true", (), BOOL, "row")


@dataclass(frozen=True)
class Seen:
    """One class of a person's rows as an aggregate sees it: how many there are, and whether they belong."""

    of: RowClass
    count: Sym
    belongs: bool | None


class Aggregates:
    """The aggregates of `Encoder`."""

    # ---- people

    def belongs(self: Encoder, person: int, by: str = IS_MEMBER) -> Truth:  # type: ignore[misc]
        """Whether someone of the application is a member of the household."""
        member = self.variable(by, person)
        assert isinstance(member, Truth)
        here = self.world.present(person)
        return Truth(t.both(here, member.true), t.either(t.opposite(here), member.false))

    def _v_members(self: Encoder, node: Node, at: At) -> Term:  # type: ignore[misc]
        by = str(membership_of(node).args[0])
        people = [(m, self.belongs(m, by)) for m in range(self.world.extent.members)]
        return self._of_people(node, people)

    def _v_supporters(self: Encoder, node: Node, at: At) -> Term:  # type: ignore[misc]
        extent = self.world.extent
        people: list[tuple[int, Truth]] = []
        for s in range(extent.members, len(extent.persons)):
            members = [at.person] if node.level == "member" else range(extent.members)
            # Reading an edge says once that a supporter who is there supports somebody.
            edges = [self.world.supports(s, m) for m in members if m is not None]
            people.append((s, t.truth(t.either(*edges))))
        return self._of_people(node, people)

    def _of_people(self: Encoder, node: Node, people: list[tuple[int, Truth]]) -> Term:  # type: ignore[misc]
        from meanscheck.law.proving.encode import At

        function, element, condition = node.args[:3]
        entries: list[tuple[Truth, Term]] = []
        for person, here in people:
            at = At(person)
            holds = here
            if isinstance(condition, Node):
                holds = t.all_of((here, self.truth(condition, at)))
            entries.append((holds, self.value(element, at) if isinstance(element, Node) else t.number(1)))
        if function in ("any", "all"):
            verdicts = [(holds, v) for holds, v in entries if isinstance(v, Truth)]
            if function == "any":
                return t.any_of(t.all_of(pair) for pair in verdicts)
            return t.all_of(t.any_of((t.negated(holds), v)) for holds, v in verdicts)
        if function in ("sum", "count"):
            return _total(entries)
        return _extreme_of(entries, least=function == "lowest")

    # ---- rows

    def _v_agg(self: Encoder, node: Node, at: At) -> Term:  # type: ignore[misc]
        function, feed, element, condition, _, _ = node.args
        assert self.classes is not None and at.person is not None
        classes = self.classes.of(str(feed))
        asked = condition if isinstance(condition, Node) else TRUE
        seen = [self._seen(classes, c, asked, at.person) for c in classes.classes]
        if function in ("any", "all"):
            assert isinstance(element, Node)
            verdicts = [
                (t.truth(s.count > 0), _constant(s.belongs), _constant(s.of.holds[self.index, element]))
                for s in seen
                if s.belongs is not False
            ]
            if function == "any":
                return t.any_of(t.all_of(three) for three in verdicts)
            return t.all_of(t.any_of((t.negated(t.all_of((some, holds))), v)) for some, holds, v in verdicts)
        counted = [s for s in seen if s.belongs is not False]
        known = t.both(*(s.count == 0 for s in counted if s.belongs is None))
        counted = [s for s in counted if s.belongs]
        if function == "count":
            return Number(_sum(s.count for s in counted), 1, known)
        assert isinstance(element, Node)
        if function == "sum":
            total = t.number(0)
            for s in counted:
                total = t.plus(total, self._summed(classes, s, element, at.person))
            return Number(total.top, total.den, t.both(known, total.known))
        some = t.either(*(s.count > 0 for s in counted))
        return self._one_of_rows(classes, counted, element, node, at.person, t.both(known, some))

    def _seen(self: Encoder, classes: FeedClasses, of: RowClass, asked: Node, person: int) -> Seen:  # type: ignore[misc]
        count = self.world.whole(f"rows {person} {classes.feed} {of.number}", 0)
        return Seen(of, count, of.holds[self.index, asked])

    def _summed(self: Encoder, classes: FeedClasses, s: Seen, element: Node, person: int) -> Number:  # type: ignore[misc]
        """What the rows of one class sum to."""
        if classes.may_be_unknown(s.of, (self.index, element)):
            raise NotEncodable(f"a sum over {classes.feed} that the law itself may leave unknown")
        try:
            parts = dict(self._linear(element, s.of))
        except NotEncodable:
            parts = {element: t.number(1)}
        total = t.number(0)
        for node, factor in parts.items():
            if node.op == "int":
                amount = Number(s.count * int(str(node.args[0])))
            else:
                name = node.args[1] if node.op == "col" else node.key
                label = f"sum {person} {classes.feed} {s.of.number} {name}"
                symbol = self.world.whole(label)
                below, above = classes.signs(s.of, (self.index, node))
                # No rows, no sum.
                bounds = (below or symbol >= 0, above or symbol <= 0, t.either(s.count > 0, symbol == 0))
                self.world.once(label, *bounds)
                amount = Number(symbol, MICRO if node.type.form == "micro" else 1)
            total = t.plus(total, t.times(amount, factor))
        return total

    def _linear(self: Encoder, node: Node, of: RowClass, factor: Number | None = None) -> Iterator[tuple[Node, Number]]:  # type: ignore[misc]
        """An element as columns and whole numbers with constant factors."""
        factor = t.number(1) if factor is None else factor
        if node.op in ("col", "int"):
            yield node, factor
        elif node.op == "+":
            yield from _merged([*self._linear(node.nodes[0], of, factor), *self._linear(node.nodes[1], of, factor)])
        elif node.op == "-":
            others = self._linear(node.nodes[1], of, t.minus(factor))
            yield from _merged([*self._linear(node.nodes[0], of, factor), *others])
        elif node.op == "neg":
            yield from self._linear(node.nodes[0], of, t.minus(factor))
        elif node.op == "if" and of.holds.get((self.index, node.nodes[0])) is not None:
            yield from self._linear(node.nodes[1 if of.holds[self.index, node.nodes[0]] else 2], of, factor)
        elif node.op == "*" and "const" in (node.nodes[0].level, node.nodes[1].level):
            from meanscheck.law.proving.encode import At

            fixed, other = sorted(node.nodes, key=lambda n: n.level != "const")
            constant = self.number(fixed, At())
            if not t.is_constant(constant.top):
                raise NotEncodable("a factor not found")
            yield from self._linear(other, of, t.times(factor, constant))
        else:
            raise NotEncodable("not a sum of columns")

    def _one_of_rows(  # type: ignore[misc]
        self: Encoder, classes: FeedClasses, seen: list[Seen], element: Node, node: Node, person: int, known: Sym
    ) -> Term:
        """The latest, lowest or highest value of rows."""
        label = pick_label(person, node, [s.of.number for s in seen])
        if node.args[0] == "latest" and element.type.kind in ("text", "bool"):
            pick = self.world.whole(label)
            here = t.either(*(t.both(pick == s.of.number, s.count > 0) for s in seen))
            # Which class the latest row is of: one of those that there are.
            self.world.once(label, t.either(t.opposite(known), here))
            if element.type.kind == "bool":
                yes = [pick == s.of.number for s in seen if s.of.holds[self.index, element]]
                return t.truth(t.either(*yes), known)
            words = sorted(element.type.choices or ())
            codes = tuple(self.texts.code(w) for w in words)
            if not codes:
                raise NotEncodable("the latest of free texts")
            found: Sym = codes[0]
            for word, code in zip(words, codes, strict=True):
                mine = [s.of.number for s in seen if s.of.holds[self.index, is_word(element, word)]]
                found = t.choice(t.either(*(pick == n for n in mine)), code, found)
            return Text(found, known, codes)
        if element.type.kind == "date":
            return Day(self.world.whole(label, 1, 3_652_059), known)
        symbol = self.world.whole(label)
        below = any(classes.signs(s.of, (self.index, element))[0] for s in seen)
        self.world.once(label, below or symbol >= 0)
        return Number(symbol, MICRO if element.type.form == "micro" else 1, known)


def pick_label(person: int, node: Node, classes: Sequence[int]) -> str:
    """The name of the latest, lowest or highest of a person's rows of these classes."""
    return f"pick {person} {node.key} {' '.join(map(str, classes))}"


def _total(entries: list[tuple[Truth, Term]]) -> Number:
    total = t.number(0)
    for holds, value in entries:
        assert isinstance(value, Number)
        known = t.either(holds.false, t.both(holds.true, value.known))
        points = None if value.points is None else tuple(sorted({0, *value.points}))
        mine = Number(t.choice(holds.true, value.top, 0), value.den, known, points)
        total = t.plus(total, mine)
    return total


def _extreme_of(entries: list[tuple[Truth, Term]], *, least: bool) -> Term:
    """The lowest or highest of those that belong; unknown if nobody does."""
    found: Any = None
    for holds, value in entries:
        assert isinstance(value, Number | Day)
        some: Sym
        if found is None:
            found, some, known = value, holds.true, t.either(holds.false, value.known)
            continue
        a, b = (found.top, value.top) if isinstance(value, Number) else (found.at, value.at)
        if isinstance(value, Number):
            found, value = t.same_den(found, value)
            a, b = found.top, value.top
        better = t.both(holds.true, t.either(t.opposite(some), b < a if least else b > a))
        chosen = t.choice(better, b, a)
        found = Number(chosen, found.den) if isinstance(value, Number) else Day(chosen)
        known = t.both(known, t.either(holds.false, t.both(holds.true, value.known)))
        some = t.either(some, holds.true)
    if found is None:
        return Number(0, 1, False)
    known = t.both(known, some)
    return Number(found.top, found.den, known) if isinstance(found, Number) else Day(found.at, known)


def _merged(parts: list[tuple[Node, Number]]) -> Iterator[tuple[Node, Number]]:
    together: dict[Node, Number] = {}
    for node, factor in parts:
        together[node] = t.plus(together[node], factor) if node in together else factor
    yield from together.items()


def _constant(holds: bool | None) -> Truth:
    return Truth(holds is True, holds is False)


def _sum(counts: Iterator[Sym]) -> Sym:
    total: Sym = 0
    for count in counts:
        total = count if isinstance(total, int) and total == 0 else total + count
    return total
