"""Does more of something never help, or never hurt? Two households that differ in one thing.

For a variable (`household_income`) the two agree in all else that the test or award reads. That is first tried with the
variable as a free number in both (`cut`), which is quick and proves more than is claimed; where that finds a pair, it
is tried again with the evidence behind the variable, so that the pair can be written down. For a column of a feed the
two have the same rows, and the column sums to at least as much in each class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from meanscheck.law.claims import Monotone
from meanscheck.law.law import Law
from meanscheck.law.proving import terms as t
from meanscheck.law.proving.asking import Reply, Side, Solver, ask
from meanscheck.law.proving.encode import At, Encoder
from meanscheck.law.proving.household import World
from meanscheck.law.proving.scene import Scene
from meanscheck.law.proving.terms import NotEncodable, Number, Sym, Term
from meanscheck.law.tree import Node
from meanscheck.law.types import MICRO, UNITS

CUT = "cut "


@dataclass(frozen=True, slots=True)
class Pair:
    """Two households: less and more of one thing; `order` says that it is less and more."""

    less: Encoder
    more: Encoder
    order: tuple[Sym, ...]


def monotone(scene: Scene, claim: Monotone, solver: Solver, *, known_by: date) -> Reply:
    """Whether a claim of `falls_with` or `rises_with` holds for every pair of households."""
    subject = (claim.programme, None if scene.law.programme(claim.programme).entity == "household" else 0)
    if claim.name in scene.law.variables:
        cut = cut_pair(scene, claim.name)
        parts = violated(claim, cut, subject[1])
        verdict, _ = solver.holds(*parts, *cut.order, encoders=(cut.less, cut.more))
        if verdict == "unsat":
            return Reply("proved")
        pair = full_pair(scene, claim.name, cut)
    elif "." in claim.name:
        pair = column_pair(scene, claim)
    else:
        return Reply("open", f"{claim.name} has no revision on that day")
    parts = violated(claim, pair, subject[1])
    order = pair.order or ordered_columns(scene, claim, pair)
    sides = [Side(e, (subject,), scene.law, name) for e, name in ((pair.less, "less"), (pair.more, "more"))]
    return ask(solver, [*parts, *order], sides, known_by=known_by, case_id=f"{claim.programme}-{claim.test or 'award'}")


def violated(claim: Monotone, pair: Pair, person: int | None) -> list[Sym]:
    """What would have to be so for a claim to be wrong."""
    if claim.test is None:
        less, more = (e.decided_by_tests(claim.programme, person) for e in (pair.less, pair.more))
        assert less.award is not None and more.award is not None
        op = ">" if claim.way == "falls_with" else "<"
        return [less.by_tests.true, more.by_tests.true, t.compared(op, more.award, less.award).true]
    tree = next(x.tree for x in pair.less.law.programme(claim.programme).tests if x.id == claim.test)
    one, other = (e.truth(tree, At(person)) for e in (pair.less, pair.more))
    return [one.false, other.true] if claim.way == "falls_with" else [one.true, other.false]


# ---- a variable


def cut_pair(scene: Scene, name: str) -> Pair:
    """One household in which the variable is free, read twice."""
    world = scene.world()
    less, more = (scene.encoder(world, cuts=cuts) for cuts in ordered_cuts(scene, world, name))
    return Pair(less, more, ())


def ordered_cuts(scene: Scene, world: World, name: str) -> list[dict[str, Callable[[int | None], Term]]]:
    """The variable as a free number, once less and once more."""
    law = scene.law
    least = 0 if never_negative(law, law.variables[name].tree) else None
    symbols: dict[int | None, list[Number]] = {}

    def side(which: int) -> Callable[[int | None], Term]:
        def term(person: int | None) -> Term:
            if person not in symbols:
                den = MICRO if UNITS[law.variables[name].unit].form == "micro" else 1
                labels = (f"{CUT}{word} {name} {person}" for word in ("less", "more"))
                symbols[person] = [Number(world.whole(label, least), den) for label in labels]
                world.constraints.append(symbols[person][0].top <= symbols[person][1].top)
            return symbols[person][which]

        return term

    return [dict.fromkeys(copies(law, name), side(i)) for i in (0, 1)]


def copies(law: Law, name: str) -> list[str]:
    """A variable and its copies for tests that ask for review."""
    return [v for v in law.variables if v == name or v.startswith(f"{name}~")]


def full_pair(scene: Scene, name: str, cut: Pair) -> Pair:
    """Two households that agree in all that was read beside the variable."""
    shared = {n for n in cut.less.world.names() if not n.startswith(CUT)}
    one = scene.world()
    other = scene.world(tag="'", base=one, moved=lambda n: n not in shared)
    less, more = scene.encoder(one), scene.encoder(other)
    persons: list[int | None] = [None]
    if scene.law.variables[name].entity != "household":
        extent = scene.extent
        is_member = scene.law.variables[name].entity == "member"
        persons = list(range(extent.members) if is_member else range(extent.members, len(extent.persons)))
    order: list[Sym] = []
    for person in persons:
        a, b = less.variable(name, person), more.variable(name, person)
        if not isinstance(a, Number) or not isinstance(b, Number):
            raise NotEncodable(f"{name} is no number")
        order += [a.known, b.known, t.compared("<=", a, b).true]
    return Pair(less, more, tuple(order))


def never_negative(law: Law, node: Node) -> bool:
    """Whether a number is never below zero by its form alone."""
    if node.op == "var":
        return never_negative(law, law.variables[str(node.args[0])].tree)
    if node.op in ("param", "index"):
        p = law.parameters[str(node.args[0])]
        return all(isinstance(v, bool) or not isinstance(v, int) or v >= 0 for v in p.table.values())
    if node.op == "greatest":
        return any(never_negative(law, n) for n in node.nodes)
    if node.op in ("+", "*", "/", "least", "round"):
        return all(never_negative(law, n) for n in node.nodes)
    if node.op == "if":
        return all(never_negative(law, n) for n in node.nodes[1:])
    if node.op == "int":
        return True
    return node.op == "members" and node.args[0] == "count"


# ---- a column


def column_pair(scene: Scene, claim: Monotone) -> Pair:
    """Two households with the same rows, of which a column may differ."""
    feed, column = claim.name.split(".", 1)
    for aggregate in scene.classes.encoders[0].aggregates():
        if aggregate.args[1] != feed:
            continue
        function, _, element, condition, by, _ = aggregate.args
        reads = [n for part in (condition, by) if isinstance(part, Node) for n in part.walk()]
        reads += [n for n in _inner(element) if function in ("sum",)]
        if any(n.op == "col" and n.args == (feed, column) for n in reads):
            raise NotEncodable(f"a condition of rows reads {claim.name}")
        if function not in ("sum", "count") and isinstance(element, Node):
            if any(n.op == "col" and n.args == (feed, column) for n in element.walk()):
                raise NotEncodable(f"{function} of {claim.name} is not ordered")
    one = scene.world()
    other = scene.world(tag="'", base=one, moved=lambda name: _is_sum(name, feed, column))
    return Pair(scene.encoder(one), scene.encoder(other), ())


def _inner(element: object) -> Iterator[Node]:
    """Nodes of an element in which a column does not simply add up."""
    if isinstance(element, Node):
        for node in element.walk():
            if node.op not in ("+", "-", "neg", "col", "int", "*"):
                yield from node.walk()


def ordered_columns(scene: Scene, claim: Monotone, pair: Pair) -> tuple[Sym, ...]:
    """The column sums to no less in the second household."""
    feed, column = claim.name.split(".", 1)
    one, other = pair.less.world, pair.more.world
    names = [n for n in other.names() if _is_sum(n, feed, column)]
    return tuple(_at_most(one, other, n) for n in names)


def _at_most(one: World, other: World, name: str) -> Sym:
    less, more = one.find(name), other.find(name)
    return True if less is None or more is None else less <= more


def _is_sum(name: str, feed: str, column: str) -> bool:
    words = name.split(" ")
    return words[0] == "sum" and words[2] == feed and words[4] == column
