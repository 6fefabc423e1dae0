"""Under which law, for which household, is something to be proved?

A `Scene` is the law of one day with the classes of rows that it tells apart; it makes worlds and encoders, and says by
`signature` whether two days are alike for a programme: the same trees and figures give the same theorem.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping

from meanscheck.law.law import Law, figure_text
from meanscheck.law.order import Item, reads
from meanscheck.law.proving.encode import Encoder
from meanscheck.law.proving.household import Extent, World
from meanscheck.law.proving.rows import RowClasses
from meanscheck.law.proving.terms import Term, Texts
from meanscheck.law.tree import Node, figures_in, to_json


class Scene:
    """One or more laws read on one day, the first of them the one that is asked about."""

    def __init__(self, laws: Iterable[Law], extent: Extent) -> None:
        self.laws = tuple(laws)
        self.on, self.extent, self.texts = self.laws[0].on, extent, Texts()
        rows = []
        for index, law in enumerate(self.laws):
            encoder = Encoder(law, World(extent, self.on, self.texts))
            encoder.index = index
            rows.append(encoder)
        self.classes = RowClasses(rows)

    @property
    def law(self) -> Law:
        """The law that is asked about."""
        return self.laws[0]

    def world(
        self, *, tag: str = "", base: World | None = None, moved: Callable[[str], bool] = lambda name: True
    ) -> World:
        """A household; figures not found are the same for every household."""
        return World(
            self.extent,
            self.on,
            self.texts,
            tag=tag,
            base=base,
            moved=lambda name: not name.startswith(("figure ", "formula ")) and moved(name),
        )

    def encoder(
        self, world: World, *, index: int = 0, cuts: Mapping[str, Callable[[int | None], Term]] | None = None
    ) -> Encoder:
        """A law over a household."""
        encoder = Encoder(self.laws[index], world, cuts=cuts)
        encoder.classes, encoder.index = self.classes, index
        return encoder


def closure(law: Law, name: str, trees: Iterable[Node] = ()) -> frozenset[Item]:
    """Everything a programme reads: ("variable" | "programme", id), itself included."""
    return below(law, trees, ("programme", name))


def below(law: Law, trees: Iterable[Node], *items: Item) -> frozenset[Item]:
    """Everything that trees and items read, the items included."""
    present = {p.id for p in law.programmes}
    found: set[Item] = set()
    waiting: list[Item] = [*items, *(r for tree in trees for r in reads(tree))]
    while waiting:
        kind, item = waiting.pop()
        if (kind, item) in found or (kind == "programme" and item not in present):
            continue
        found.add((kind, item))
        if kind == "variable":
            waiting += reads(law.variables[item].tree)
            continue
        programme = law.programme(item)
        waiting += [("programme", y.programme) for y in programme.yields_to]
        waiting += [r for tree in programme.trees for r in reads(tree)]
        if programme.members in law.variables:
            waiting.append(("variable", programme.members))
    return frozenset(found)


def contents(law: Law, name: str, trees: Iterable[Node] = ()) -> dict[str, str]:
    """What a programme rests on: "figure x", "variable x", "programme p, test t", … → its content as text.

    `trees` are claims about it, such as a ceiling.
    """
    trees = tuple(trees)
    found: dict[str, str] = {}
    figures: set[str] = set()

    def add(place: str, tree: Node) -> None:
        found[place] = json.dumps(to_json(tree), ensure_ascii=False)
        figures.update(figures_in(tree))

    for kind, item in closure(law, name, trees):
        if kind == "variable":
            add(f"variable {item}", law.variables[item].tree)
            continue
        programme = law.programme(item)
        for test in programme.tests:
            add(f"programme {item}, test {test.id}", test.tree)
        if programme.award is not None:
            add(f"programme {item}, award", programme.award.tree)
        found[f"programme {item}"] = repr([(y.programme, y.when) for y in programme.yields_to])
    for number, tree in enumerate(trees):
        add(f"claim {number}", tree)
    return {**found, **_figures(law, figures)}


def figures_of(law: Law, trees: Iterable[Node]) -> dict[str, str]:
    """The figures that trees name, with their contents."""
    return _figures(law, {f for tree in trees for f in figures_in(tree)})


def _figures(law: Law, names: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for figure in names & set(law.parameters):
        p = law.parameters[figure]
        table = sorted((list(k), figure_text(v, p.unit)) for k, v in p.table.items())
        found[f"figure {figure}"] = repr((p.unit, p.unknown, table))
        for code, there in law.places.get(figure, {}).items():
            elsewhere = sorted((list(k), figure_text(v, there.unit)) for k, v in there.table.items())
            found[f"figure {figure} at {code}"] = repr((there.unit, there.unknown, elsewhere))
    return found


def not_found(law: Law, name: str) -> tuple[str, ...]:
    """Figures and formulas that a programme rests on and that nobody found, sorted."""
    missing: set[str] = set()
    for kind, item in closure(law, name):
        trees = (law.variables[item].tree,) if kind == "variable" else law.programme(item).trees
        for tree in trees:
            missing |= {f for f in figures_in(tree) if f in law.parameters and law.parameters[f].unknown}
            missing |= {str(n.args[0]) for n in tree.walk() if n.op == "unknown"}
    return tuple(sorted(missing))


def signature(law: Law, name: str, trees: Iterable[Node] = ()) -> str:
    """The same for two laws under which a programme comes to the same."""
    rested = sorted(contents(law, name, trees).items())
    return hashlib.sha256(repr(rested).encode()).hexdigest()
