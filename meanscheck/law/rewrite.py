"""How do review and absent programmes change the trees of a resolved law?

* On a day when a programme is not in force nobody is eligible for it, and nothing gives way to it.
* A programme that names its own membership reads its people through copies of the variables (``id~membership``) whose
  loops over members range over those whom it counts; all others range over `is_member`.
* A test that asks for review reads its feeds through copies of the variables (``id~feed``) in which a row without a
  finding may or may not count; other tests read the same variables plainly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TypeVar

from meanscheck.law.law import Award, LawTest, Programme, Variable
from meanscheck.law.tree import IS_MEMBER, Node, membership, membership_of

T = TypeVar("T", Variable, LawTest, Award)


def without_absent(
    programmes: list[Programme], variables: Mapping[str, Variable]
) -> tuple[list[Programme], dict[str, Variable]]:
    """Programmes and variables that no longer ask for programmes not in force."""
    present = {p.id for p in programmes}

    def is_absent(node: Node) -> bool:
        return node.op == "outcome" and node.args[0] not in present

    def rewritten(tree: Node) -> Node:
        if is_absent(tree):
            return Node("text", ("ineligible",), tree.type, "const")
        if not any(is_absent(node) for node in tree.every):
            return tree
        return replace(tree, args=tuple(rewritten(a) if isinstance(a, Node) else a for a in tree.args))

    result = []
    for p in programmes:
        award = p.award and _with_tree(p.award, rewritten(p.award.tree))
        tests = tuple(_with_tree(t, rewritten(t.tree)) for t in p.tests)
        yields = tuple(y for y in p.yields_to if y.programme in present)
        result.append(replace(p, tests=tests, award=award, yields_to=yields))
    return result, {name: _with_tree(v, rewritten(v.tree)) for name, v in variables.items()}


def _with_tree(of: T, tree: Node) -> T:
    """A variable, test or award with a tree; most keep theirs, and need not be made again."""
    return of if tree is of.tree else replace(of, tree=tree)


def with_memberships(
    programmes: list[Programme], variables: Mapping[str, Variable]
) -> tuple[list[Programme], dict[str, Variable]]:
    """Programmes whose loops range over their own members, and all variables with the copies that do."""
    named = {p.members for p in programmes} - {IS_MEMBER}
    copies = {name: _over(name, variables) for name in named & set(variables)}
    result = [_copied(p, copies[p.members], p.members) if p.members in copies else p for p in programmes]
    return result, _with_copies(variables, copies.values())


def with_review(
    programmes: list[Programme], variables: Mapping[str, Variable]
) -> tuple[list[Programme], dict[str, Variable]]:
    """Programmes whose tests read reviewed copies, and all variables with these copies."""
    asked = {frozenset(t.review) for p in programmes for t in p.tests if t.review}
    copies = {feeds: _reviewing(feeds, variables) for feeds in asked}
    result = []
    for programme in programmes:
        tests = (_with_tree(t, copies[frozenset(t.review)].copied(t.tree)) if t.review else t for t in programme.tests)
        result.append(replace(programme, tests=tuple(tests)))
    return result, _with_copies(variables, copies.values())


def without_own_members(
    programme: Programme, variables: Mapping[str, Variable]
) -> tuple[Programme, dict[str, Variable]]:
    """A programme as it would be if it named no membership of its own, and all variables with the copies it reads."""
    of = _Copies(
        variables,
        IS_MEMBER,
        lambda n: n.op == "members" and membership_of(n) == membership(programme.members),
        lambda n: replace(n, args=n.args[:3]),
    )
    return _copied(programme, of, IS_MEMBER), _with_copies(variables, [of])


def _copied(programme: Programme, of: _Copies, members: str) -> Programme:
    award = programme.award and _with_tree(programme.award, of.copied(programme.award.tree))
    tests = tuple(_with_tree(t, of.copied(t.tree)) for t in programme.tests)
    return replace(programme, tests=tests, award=award, members=members)


def _with_copies(variables: Mapping[str, Variable], copies: Iterable[_Copies]) -> dict[str, Variable]:
    """All variables, the copies after the originals in the order of their names."""
    made = {name: copy for of in copies for name, copy in of.made().items()}
    return {**variables, **dict(sorted(made.items()))}


def _over(name: str, variables: Mapping[str, Variable]) -> _Copies:
    whose = variables[name]

    def ranging(node: Node) -> Node:
        return replace(node, args=(*node.args[:3], membership(name)))

    def told(variable: Variable) -> Variable:
        label, label_zh = f"{variable.label} ({whose.label})", f"{variable.label_zh}（{whose.label_zh}）"
        return replace(variable, label=label, label_zh=label_zh)

    return _Copies(variables, name, lambda node: node.op == "members", ranging, told)


def _reviewing(feeds: frozenset[str], variables: Mapping[str, Variable]) -> _Copies:
    def reviewed(node: Node) -> Node:
        return replace(node, args=(*node.args[:-1], True))

    return _Copies(variables, "+".join(sorted(feeds)), lambda n: n.op == "agg" and n.args[1] in feeds, reviewed)


@lru_cache(maxsize=4_096)  # a pack's laws of its days are made of the same trees
def _variables_in(tree: Node) -> frozenset[str]:
    return frozenset(str(node.args[0]) for node in tree.walk() if node.op == "var")


@dataclass(frozen=True)
class _Copies:
    """Copies of the variables in which certain nodes are other ones, made as they are asked for."""

    originals: Mapping[str, Variable]
    suffix: str
    concerns: Callable[[Node], bool]
    changed: Callable[[Node], Node]
    told: Callable[[Variable], Variable] = lambda variable: variable
    names: dict[str, None] = field(default_factory=dict)

    def copied(self, tree: Node) -> Node:
        """A tree with the changed nodes, and copies in place of the variables that have some."""
        if self._names_concerned(tree):
            name = str(tree.args[0])
            self.names[name] = None
            return replace(tree, args=(self._copy_of(name),))
        if any(self.concerns(node) or self._names_concerned(node) for node in tree.every):
            tree = replace(tree, args=tuple(self.copied(a) if isinstance(a, Node) else a for a in tree.args))
        return self.changed(tree) if self.concerns(tree) else tree

    def made(self) -> dict[str, Variable]:
        """The copies that were asked for, and those that they ask for themselves."""
        copies: dict[str, Variable] = {}
        while waiting := [name for name in self.names if self._copy_of(name) not in copies]:
            for name in waiting:
                original = self.originals[name]
                copy = replace(original, id=self._copy_of(name), tree=self.copied(original.tree))
                copies[copy.id] = self.told(copy)
        return copies

    def _names_concerned(self, node: Node) -> bool:
        return node.op == "var" and str(node.args[0]) in self.concerned

    def _copy_of(self, name: str) -> str:
        return f"{name}~{self.suffix}"

    @cached_property
    def concerned(self) -> frozenset[str]:
        """The variables that have such nodes, themselves or through others."""
        below = {name: _variables_in(variable.tree) for name, variable in self.originals.items()}
        found = {
            name for name, variable in self.originals.items() if any(self.concerns(n) for n in variable.tree.walk())
        }
        while more := {name for name, names in below.items() if name not in found and names & found}:
            found |= more
        return frozenset(found)
