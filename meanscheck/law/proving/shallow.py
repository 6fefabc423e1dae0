"""Is it already so whatever the variables are that a formula reads?

The first and quick try at a theorem: every variable that the formulas read themselves is a free symbol (known, never
below zero where its form says so), and nothing below them is looked at. What holds then holds all the more of a real
household; what does not is asked again in full. A result rests on few trees and figures only, so it is kept by them
(`Kept`) and holds on every day on which these are the same.

Whether a household gets one outcome is asked of each formula by itself: if each is known wherever what it reads is
known, then so is what they come to together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from meanscheck.law.claims import Monotone
from meanscheck.law.law import Law
from meanscheck.law.order import reads
from meanscheck.law.proving import terms as t
from meanscheck.law.proving.asking import Solver
from meanscheck.law.proving.encode import At, Encoder
from meanscheck.law.proving.household import World
from meanscheck.law.proving.moving import CUT, Pair, copies, never_negative, ordered_cuts, violated
from meanscheck.law.proving.scene import Scene, below, closure, figures_of
from meanscheck.law.proving.terms import NotEncodable, Number, Sym, Term, Truth
from meanscheck.law.tree import Node, to_json
from meanscheck.law.types import MICRO, UNITS

Parts = Callable[[], Sequence[Sym]]


class Kept:
    """Which theorems were proved by trees and figures alone."""

    def __init__(self) -> None:
        self._proved: dict[str, bool] = {}

    def proved(self, law: Law, claim: str, trees: Iterable[Node], ask: Callable[[], bool]) -> bool:
        """Whether a claim about trees is proved, asked once for the same trees, figures and variables' forms."""
        trees = tuple(trees)
        names = sorted({n for tree in trees for kind, n in reads(tree) if kind == "variable"})
        forms = [(n, never_negative(law, law.variables[n].tree)) for n in names if law.variables[n].unit != "bool"]
        rested = (claim, [to_json(tree) for tree in trees], sorted(figures_of(law, trees).items()), forms)
        key = hashlib.sha256(repr(rested).encode()).hexdigest()
        if key not in self._proved:
            try:
                self._proved[key] = ask()
            except NotEncodable:
                self._proved[key] = False
        return self._proved[key]


def free_encoder(
    scene: Scene, world: World, trees: Iterable[Node], cuts: dict[str, Callable[[int | None], Term]] | None = None
) -> Encoder:
    """An encoder in which the variables that some trees read are free; `cuts` for those that are to be something."""
    law = scene.law
    names = {n for tree in trees for kind, n in reads(tree) if kind == "variable"}
    names |= law.memberships & set(law.variables)
    # The size follows from who is a member, and its few values keep products linear.
    free = {n: _free(law, world, n) for n in names - {"size"}}
    return scene.encoder(world, cuts={**free, **(cuts or {})})


def _free(law: Law, world: World, name: str) -> Callable[[int | None], Term]:
    variable = law.variables[name]
    least = 0 if variable.tree.type.kind == "num" and never_negative(law, variable.tree) else None

    def term(person: int | None) -> Term:
        label = f"{CUT}{name.split('~')[0]} {person}"
        if variable.tree.type.kind == "num":
            return Number(world.whole(label, least), MICRO if UNITS[variable.unit].form == "micro" else 1)
        if name not in law.memberships or person is None:
            return world.fact(label, variable.tree.type)
        member = world.fact(label, variable.tree.type)
        assert isinstance(member, Truth)
        return t.all_of((t.truth(world.present(person)), member))

    return term


def always_known(scene: Scene, name: str, solver: Solver, kept: Kept) -> bool:
    """Whether every formula that a programme rests on is known wherever what it reads is known."""
    law = scene.law
    for kind, item in sorted(closure(law, name)):
        if kind == "variable":
            pieces = [(law.variables[item].tree, law.variables[item].entity)]
        else:
            programme = law.programme(item)
            pieces = [(tree, programme.entity) for tree in programme.trees]
        for tree, entity in pieces:
            if tree.op == "unknown":
                continue
            known = kept.proved(law, f"known {entity}", (tree,), lambda x=tree, e=entity: _known(scene, x, e, solver))  # type: ignore[misc]
            if not known:
                return False
    return True


def _known(scene: Scene, tree: Node, entity: str, solver: Solver) -> bool:
    world = scene.world()
    encoder = free_encoder(scene, world, (tree,))
    encoder.free_but = ""
    extent = scene.extent
    person = {"household": None, "member": 0, "supporter": extent.members}[entity]
    if person is not None and person not in extent.persons:
        return True
    term = encoder.value(tree, At(person))
    verdict, _ = solver.holds(t.opposite(term.known), encoders=(encoder,))
    return verdict == "unsat"


def through(law: Law, trees: Iterable[Node], name: str) -> list[Node]:
    """Trees, and those of the variables by which they come to read another: these move with it and cannot be free."""
    found, waiting = list(trees), list(trees)
    seen: set[str] = {*copies(law, name)}
    while waiting:
        for kind, item in reads(waiting.pop()):
            if kind != "variable" or item in seen:
                continue
            seen.add(item)
            tree = law.variables[item].tree
            if ("variable", name) in below(law, (tree,)):
                found.append(tree)
                waiting.append(tree)
    return found


def monotone_quickly(scene: Scene, claim: Monotone, trees: Sequence[Node], solver: Solver) -> bool:
    """Whether a claim of `falls_with` or `rises_with` holds whatever the variables are that do not move.

    `trees` are those of the claim with what lies between them and what moves (`through`).
    """
    if any(n.op == "outcome" for tree in trees for n in tree.walk()):
        return False
    law = scene.law
    person = None if law.programme(claim.programme).entity == "household" else 0
    world = scene.world()
    moving = [v.id for v in law.variables.values() if v.tree in trees]
    sides = []
    for cuts in ordered_cuts(scene, world, claim.name):
        encoder = free_encoder(scene, world, trees, cuts)
        for name in moving:
            if name not in cuts:
                encoder.cuts.pop(name, None)
        sides.append(encoder)
    parts = violated(claim, Pair(sides[0], sides[1], ()), person)
    return solver.holds(*parts, encoders=sides)[0] == "unsat"
