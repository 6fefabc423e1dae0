"""How do review and absent programmes change the trees of a resolved law?

* On a day when a programme is not in force nobody is eligible for it, and nothing gives way to it.
* A test that asks for review reads its feeds through copies of the variables (``id~feed``) in which a row without a
  finding may or may not count; other tests read the same variables plainly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from meanscheck.law.law import Programme, Variable
from meanscheck.law.tree import Node


def without_absent(
    programmes: list[Programme], variables: Mapping[str, Variable]
) -> tuple[list[Programme], dict[str, Variable]]:
    """Programmes and variables that no longer ask for programmes not in force."""
    present = {p.id for p in programmes}

    def rewritten(tree: Node) -> Node:
        if tree.op == "outcome" and tree.args[0] not in present:
            return Node("text", ("ineligible",), tree.type, "const")
        if not tree.nodes:
            return tree
        args = tuple(rewritten(a) if isinstance(a, Node) else a for a in tree.args)
        # Most trees ask for no programme; what stays as it is need not be made again.
        return tree if all(a is b for a, b in zip(args, tree.args, strict=True)) else replace(tree, args=args)

    result = []
    for p in programmes:
        award = None if p.award is None else replace(p.award, tree=rewritten(p.award.tree))
        tests = tuple(replace(t, tree=rewritten(t.tree)) for t in p.tests)
        yields = tuple(y for y in p.yields_to if y.programme in present)
        result.append(replace(p, tests=tests, award=award, yields_to=yields))
    return result, {name: replace(v, tree=rewritten(v.tree)) for name, v in variables.items()}


def with_review(
    programmes: list[Programme], variables: Mapping[str, Variable]
) -> tuple[list[Programme], dict[str, Variable]]:
    """Programmes whose tests read reviewed copies, and all variables with these copies."""
    copies = _Copies(variables)
    result = []
    for programme in programmes:
        tests = (
            replace(t, tree=copies.reviewed(t.tree, frozenset(t.review))) if t.review else t for t in programme.tests
        )
        result.append(replace(programme, tests=tuple(tests)))
    return result, copies.variables()


class _Copies:
    """Copies of variables for sets of reviewed feeds, made as they are asked for."""

    def __init__(self, variables: Mapping[str, Variable]) -> None:
        self.originals = variables
        self.copies: dict[str, Variable] = {}
        self.waiting: list[tuple[str, Variable, frozenset[str]]] = []
        self.readers: dict[frozenset[str], frozenset[str]] = {}

    def variables(self) -> dict[str, Variable]:
        """All variables, the copies after the originals in the order of their names."""
        while self.waiting:
            name, original, feeds = self.waiting.pop()
            self.copies[name] = replace(original, id=name, tree=self.reviewed(original.tree, feeds))
        return {**self.originals, **dict(sorted(self.copies.items()))}

    def reviewed(self, tree: Node, feeds: frozenset[str]) -> Node:
        """A tree with reviewed aggregates over these feeds, and copies in place of variables that read them."""
        if tree.op == "agg" and tree.args[1] in feeds:
            return replace(tree, args=(*tree.args[:-1], True))
        if tree.op == "var" and str(tree.args[0]) in self.touching(feeds):
            original = self.originals[str(tree.args[0])]
            name = f"{original.id}~{'+'.join(sorted(feeds))}"
            if name not in self.copies:
                self.copies[name] = original
                self.waiting.append((name, original, feeds))
            return replace(tree, args=(name,))
        if not tree.nodes:
            return tree
        return replace(tree, args=tuple(self.reviewed(a, feeds) if isinstance(a, Node) else a for a in tree.args))

    def touching(self, feeds: frozenset[str]) -> frozenset[str]:
        """The variables that read one of these feeds, themselves or through others."""
        if feeds not in self.readers:
            below = {
                name: {str(n.args[0]) for n in variable.tree.walk() if n.op == "var"}
                for name, variable in self.originals.items()
            }
            found = {
                name
                for name, variable in self.originals.items()
                if any(n.op == "agg" and n.args[1] in feeds for n in variable.tree.walk())
            }
            grown = True
            while grown:
                more = {name for name, names in below.items() if name not in found and names & found}
                found |= more
                grown = bool(more)
            self.readers[feeds] = frozenset(found)
        return self.readers[feeds]
