"""What does a law say of a symbolic household? Checked trees → terms, programmes → outcomes.

`Encoder(law, world)` follows `plain.PlainRun` operation by operation, over symbols: what that one reckons for one case,
this one says for every case that the world can be. A figure that nobody found is a free symbol, so what is proved holds
whatever it is; the same goes for a formula not found. A cut variable (`cuts`) is given as a term and not followed.

Choices
    * Evidence is complete: every feed answered, every fact stated, every doubtful point that stands confirmed, no open
      contradiction. What is unknown then is so by the law itself: a quotient by zero, a missing entry of a table, the
      latest of no rows.
    * Of several rows the latest, lowest and highest number is one free number for each person and formula.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from meanscheck.law.law import Law, Programme, Yield
from meanscheck.law.proving import terms as t
from meanscheck.law.proving.aggregates import Aggregates
from meanscheck.law.proving.calendar import Calendar
from meanscheck.law.proving.figures import Figures
from meanscheck.law.proving.household import World
from meanscheck.law.proving.rows import RowClasses, RowSymbols
from meanscheck.law.proving.terms import Day, NotEncodable, Number, Sym, Term, Text, Truth
from meanscheck.law.tree import COMPARISONS, Node, figures_in, membership
from meanscheck.law.types import Type
from meanscheck.values.rounding import UNIT_FEN


@dataclass(frozen=True)
class At:
    """Where a formula is read: for the household (no person), a person, or a row by itself."""

    person: int | None = None
    row: RowSymbols | None = None


@dataclass(frozen=True)
class Decided:
    """A programme for the household or a member: when it is eligible and ineligible (else it refers), its tests, and
    its award where it is eligible."""

    outcome: Truth
    tests: tuple[tuple[str, Truth], ...]
    award: Number | None
    by_tests: Truth
    """The outcome before it gives way to another programme."""


class Encoder(Aggregates, Calendar, Figures):
    """One law over one world."""

    def __init__(
        self, law: Law, world: World, *, cuts: Mapping[str, Callable[[int | None], Term]] | None = None
    ) -> None:
        self.law, self.world, self.texts, self.on = law, world, world.texts, world.on
        self.cuts = dict(cuts or {})
        self.classes: RowClasses | None = None
        self.index = 0
        self.figures: dict[str, tuple[str, tuple[str, ...], Sym]] = {}
        """Symbol → the figure not found that it stands for."""
        self.formulas: set[str] = set()
        """Formulas not found that something read."""
        self.free_but: str | None = None
        """If not None: the outcomes of all programmes but this are taken as known and free."""
        self.preferred: list[Sym] = []
        """What a household that is to be written down had better be."""
        self._memo: dict[tuple[Node, int | None], Term] = {}
        self._variables: dict[tuple[str, int | None], Term] = {}
        self._decided: dict[tuple[str, int | None], Decided] = {}

    # ---- what is asked

    def aggregates(self) -> Iterator[Node]:
        """Every aggregate over a feed that the law holds."""
        for tree in self.law.trees:
            yield from (n for n in tree.walk() if n.op == "agg")

    def variable(self, name: str, person: int | None) -> Term:
        """A variable of the household or a person."""
        variable = self.law.variables[name]
        key = (name, None if variable.entity == "household" else person)
        if key not in self._variables:
            cut = self.cuts.get(name)
            self._variables[key] = self.value(variable.tree, At(key[1])) if cut is None else cut(key[1])
        return self._variables[key]

    def decided(self, name: str, person: int | None) -> Decided:
        """A programme for the household or a member."""
        programme = self.law.programme(name)
        key = (name, None if programme.entity == "household" else person)
        if key not in self._decided and self.free_but not in (None, name):
            outcome = t.truth(self.world.flag(f"outcome {name} {key[1]}"))
            self._decided[key] = Decided(outcome, (), None, outcome)
        if key not in self._decided:
            self._decided[key] = self._programme(programme, At(key[1]))
        return self._decided[key]

    def decided_by_tests(self, name: str, person: int | None) -> Decided:
        """A programme as its own tests and award decide it, giving way to none."""
        return self._programme(replace(self.law.programme(name), yields_to=()), At(person))

    def of_row(self, node: Node, row: RowSymbols) -> Term:
        """A formula over one row by itself; what it reads of the person or household is free."""
        return self.value(node, At(None, row))

    def truth(self, node: Node, at: At) -> Truth:
        """A yes/no."""
        term = self.value(node, at)
        assert isinstance(term, Truth)
        return term

    def number(self, node: Node, at: At) -> Number:
        """A number."""
        term = self.value(node, at)
        assert isinstance(term, Number)
        return term

    # ---- programmes

    def _programme(self, programme: Programme, at: At) -> Decided:
        trees = [(test.id, test.tree) for test in programme.tests]
        if programme.entity == "member":
            trees.insert(0, ("membership", membership(programme.members)))
        tests = tuple((name, self.truth(tree, at)) for name, tree in trees)
        verdict = t.all_of(holds for _, holds in tests)
        award = None
        if programme.award is not None:
            award = self.number(programme.award.tree, at)
            # An amount that is unknown leaves open whatever the tests do not rule out.
            verdict = Truth(t.both(verdict.true, award.known), verdict.false)
        gives_way = t.any_of(self._yields(programme, y, at) for y in programme.yields_to)
        eligible = t.both(verdict.true, gives_way.false) if programme.yields_to else verdict.true
        ineligible = t.either(verdict.false, self._first_yield(programme, at)) if programme.yields_to else verdict.false
        return Decided(Truth(eligible, ineligible), tests, award, verdict)

    def _first_yield(self, programme: Programme, at: At) -> Sym:
        """Whether some programme takes precedence; one that is not decided does not stop a later one that is."""
        return t.either(*(self._yields(programme, y, at).true for y in programme.yields_to))

    def _yields(self, programme: Programme, rule: Yield, at: At) -> Truth:
        name, when = rule.programme, rule.when
        if name not in {p.id for p in self.law.programmes}:
            return Truth(False, True)
        if self.law.programme(name).entity == "household" or when == "this member":
            return self.decided(name, at.person).outcome
        each = [
            (self.belongs(m, programme.members), Truth(o.true, t.either(o.false, t.opposite(self.world.present(m)))))
            for m in range(self.world.extent.members)
            for o in (self.decided(name, m).outcome,)
        ]
        if when == "any member":
            return t.any_of(t.all_of((member, verdict)) for member, verdict in each)
        every = t.all_of(t.any_of((t.negated(member), verdict)) for member, verdict in each)
        nobody = t.both(*(member.false for member, _ in each))
        return Truth(t.both(every.true, t.opposite(nobody)), t.either(every.false, nobody))

    # ---- trees

    def value(self, node: Node, at: At) -> Term:
        """The term of a node."""
        if at.row is not None:
            if node.level not in ("row", "const") and not _is_day_of_case(node):
                return at.row.world.fact(f"context {node.key}", _plain(node.type))
            return self._reckoned(node, at)
        key = (node, at.person)
        if key not in self._memo:
            self._memo[key] = self._reckoned(node, at)
        return self._memo[key]

    def _reckoned(self, node: Node, at: At) -> Term:
        if node.op in COMPARISONS:
            return self._comparison(node, at)
        method: Callable[[Node, At], Term] | None = getattr(self, _METHODS.get(node.op, f"_v_{node.op}"), None)
        if method is None:
            raise NotEncodable(f"{node.op} is not encoded")
        return method(node, at)

    def _v_true(self, node: Node, at: At) -> Term:
        return Truth(True, False)

    def _v_int(self, node: Node, at: At) -> Term:
        assert isinstance(node.args[0], int)
        if node.type.kind == "bool":
            return Truth(bool(node.args[0]), not node.args[0])
        return t.number(node.args[0])

    def _v_text(self, node: Node, at: At) -> Term:
        code = self.texts.code(str(node.args[0]))
        return Text(code, True, (code,))

    def _v_on(self, node: Node, at: At) -> Term:
        return Day(self.on.toordinal())

    def _v_listed(self, node: Node, at: At) -> Term:
        assert at.person is not None
        return t.truth(self.world.present(at.person))

    def _v_attr(self, node: Node, at: At) -> Term:
        entity, name = str(node.args[0]), str(node.args[1])
        return self.world.attribute(entity, name, node.type, None if entity == "household" else at.person)

    def _v_col(self, node: Node, at: At) -> Term:
        assert at.row is not None
        return at.row.cell(node)

    def _v_var(self, node: Node, at: At) -> Term:
        return self.variable(str(node.args[0]), at.person)

    def _v_and(self, node: Node, at: At) -> Term:
        return t.all_of(self.truth(n, at) for n in node.nodes)

    def _v_or(self, node: Node, at: At) -> Term:
        return t.any_of(self.truth(n, at) for n in node.nodes)

    def _v_not(self, node: Node, at: At) -> Term:
        return t.negated(self.truth(node.nodes[0], at))

    def _v_sum_of_two(self, node: Node, at: At) -> Term:
        a, b = (self.number(n, at) for n in node.nodes)
        return t.plus(a, t.minus(b) if node.op == "-" else b)

    def _v_neg(self, node: Node, at: At) -> Term:
        return t.minus(self.number(node.nodes[0], at))

    def _v_product(self, node: Node, at: At) -> Term:
        a, b = (self.number(n, at) for n in node.nodes)
        if node.op == "*":
            return t.times(a, b)
        if b.points is None and (sought := self._not_found(node.nodes[1])):
            raise NotEncodable(f"divides by {', '.join(sorted(sought))}, not found")
        return t.over(a, b)

    def _not_found(self, tree: Node) -> set[str]:
        """Figures that a formula rests on and that nobody found."""
        under = {v for n in tree.walk() if n.op == "var" for v in self.law.variables_under(str(n.args[0]))}
        trees = (tree, *(self.law.variables[v].tree for v in under))
        return {f for one in trees for f in figures_in(one) if self.law.parameters[f].unknown}

    def _v_extreme(self, node: Node, at: At) -> Term:
        return t.extreme([self.number(n, at) for n in node.nodes], least=node.op == "least")

    def _v_round(self, node: Node, at: At) -> Term:
        unit, mode = str(node.args[1]), str(node.args[2])
        return t.rounded(self.number(node.nodes[0], at), UNIT_FEN[unit], mode)

    def _comparison(self, node: Node, at: At) -> Term:
        a, b = (self.value(n, at) for n in node.nodes)
        if isinstance(a, Number) and isinstance(b, Number):
            return t.compared(node.op, a, b)
        if isinstance(a, Day) and isinstance(b, Day):
            return t.truth(t.relation(node.op, a.at, b.at), t.both(a.known, b.known))
        assert isinstance(a, Text) and isinstance(b, Text)
        return t.truth(t.relation(node.op, a.code, b.code), t.both(a.known, b.known))

    def _v_in(self, node: Node, at: At) -> Term:
        a = self.value(node.nodes[0], at)
        assert isinstance(a, Text)
        return t.truth(t.either(*(a.code == self.texts.code(str(w)) for w in node.args[1:])), a.known)

    def _v_if(self, node: Node, at: At) -> Term:
        c = self.truth(node.nodes[0], at)
        x, y = (self.value(n, at) for n in node.nodes[1:])
        if isinstance(x, Truth) and isinstance(y, Truth):
            return Truth(
                t.either(t.both(c.true, x.true), t.both(c.false, y.true), t.both(x.true, y.true)),
                t.either(t.both(c.true, x.false), t.both(c.false, y.false), t.both(x.false, y.false)),
            )
        assert not isinstance(x, Truth) and not isinstance(y, Truth)
        known = t.choice(c.true, x.known, t.choice(c.false, y.known, False))
        if isinstance(x, Number) and isinstance(y, Number):
            return t.selected(c, x, y, known)
        if isinstance(x, Day) and isinstance(y, Day):
            return Day(t.choice(c.true, x.at, y.at), known)
        assert isinstance(x, Text) and isinstance(y, Text)
        choices = None if x.choices is None or y.choices is None else tuple(sorted({*x.choices, *y.choices}))
        return Text(t.choice(c.true, x.code, y.code), known, choices)

    def _v_first_known(self, node: Node, at: At) -> Term:
        first, *others = (self.value(n, at) for n in node.nodes)
        for other in others:
            known = first.known
            if known is True:
                break
            if isinstance(first, Truth) and isinstance(other, Truth):
                missing = t.opposite(known)
                first = Truth(
                    t.either(first.true, t.both(missing, other.true)),
                    t.either(first.false, t.both(missing, other.false)),
                )
            elif isinstance(first, Number) and isinstance(other, Number):
                which = Truth(known, t.opposite(known))
                first = t.selected(which, first, other, t.either(known, other.known))
            else:
                raise NotEncodable("first_known of days or texts")
        return first

    def _v_outcome(self, node: Node, at: At) -> Term:
        outcome = self.decided(str(node.args[0]), at.person).outcome
        codes = tuple(self.texts.code(w) for w in ("eligible", "ineligible"))
        return Text(t.choice(outcome.true, *codes), outcome.known, codes)

    def _v_unknown(self, node: Node, at: At) -> Term:
        self.formulas.add(str(node.args[0]))
        return self.world.fact(f"formula {node.args[0]} {at.person}", node.type)


_METHODS = {
    "+": "_v_sum_of_two",
    "-": "_v_sum_of_two",
    "*": "_v_product",
    "/": "_v_product",
    "least": "_v_extreme",
    "greatest": "_v_extreme",
    "reference_day": "_v_on",
    "undisputed": "_v_true",
    "confirmed": "_v_true",
}


def _is_day_of_case(node: Node) -> bool:
    """Days of the application: known, since the application is of the day."""
    return node.op == "reference_day" or (node.op == "attr" and node.args == ("household", "applied_on"))


def _plain(kind: Type) -> Type:
    return Type("num", kind.dimension) if kind.kind == "num" and kind.form == "exact" else kind
