"""Which outcomes can the law of a day reach, and which missing figures stand in the way?

Asked before there is any case: suppose every feed answered, every fact stated and every doubtful point reviewed. Then
only the law itself can leave something unknown: a figure or formula not found, a figure unsure and not accepted. Each
tree is walked over *sets of possible results* instead of results: ``true``, ``false``, ``unknown`` for a yes/no,
``known`` and ``unknown`` for anything else. The sets are never too small; where two conditions depend on each other
they may be larger than what can really happen, so "decides" is certain and "may refer" is a possibility.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from meanscheck.law.kleene import Truth, all_of, any_of, negated
from meanscheck.law.law import Law, Programme
from meanscheck.law.reach_bounds import possible, sides
from meanscheck.law.reach_tables import constant, found, is_constant
from meanscheck.law.tree import COMPARISONS, READS_FIGURE, Node, membership_of

Possible: TypeAlias = frozenset[str]

KNOWN, UNKNOWN = frozenset({"known"}), frozenset({"unknown"})
TRUE, FALSE = frozenset({"true"}), frozenset({"false"})
_WORD: dict[Truth, str] = {True: "true", False: "false", None: "unknown"}
_TRUTH: dict[str, Truth] = {word: truth for truth, word in _WORD.items()}
_FACTS = frozenset({"int", "text", "on", "reference_day", "attr", "col", "confirmed"})


class Reach:
    """Possible results of the trees and programmes of one law."""

    def __init__(self, law: Law) -> None:
        self.law = law
        self._nodes: dict[Node, Possible] = {}
        self._programmes: dict[str, Possible] = {}

    def outcomes(self, programme: Programme) -> Possible:
        """Which of ``eligible``, ``ineligible`` and ``refer`` can come out."""
        if programme.id not in self._programmes:
            # A cycle through yields_to is a load error, so this ends.
            self._programmes[programme.id] = self._outcomes(programme)
        return self._programmes[programme.id]

    def missing(self, programme: Programme) -> tuple[str, ...]:
        """What the law leaves open here: ids of figures, and places of formulas such as ``test x``, ``award``; sorted.

        What another programme leaves open is not repeated: see `waits_for`.
        """
        names: set[str] = set()
        for tree in self._trees(programme):
            names |= self._missing(tree)
        return tuple(sorted(name.removeprefix(f"programme {programme.id}, ") for name in names))

    def waits_for(self, programme: Programme) -> tuple[str, ...]:
        """Other programmes that this one reads or gives way to, and that may themselves refer; sorted."""
        names = {y.programme for y in programme.yields_to}
        trees = list(self._trees(programme))
        seen: set[str] = set()
        while trees:
            for node in trees.pop().walk():
                if node.op == "outcome":
                    names.add(str(node.args[0]))
                elif node.op == "var" and node.args[0] not in seen:
                    seen.add(str(node.args[0]))
                    trees.append(self.law.variables[str(node.args[0])].tree)
        return tuple(sorted(n for n in names if "refer" in self.outcomes(self.law.programme(n))))

    def _trees(self, programme: Programme) -> Iterator[Node]:
        yield from self._conditions(programme)
        if programme.award is not None:
            yield programme.award.tree

    def _conditions(self, programme: Programme) -> Iterator[Node]:
        if programme.entity == "member":
            yield self.law.variables[programme.members].tree
        yield from (test.tree for test in programme.tests)

    def _outcomes(self, programme: Programme) -> Possible:
        verdict = _combined(all_of, [self.of(tree) for tree in self._conditions(programme)])
        found: set[str] = set()
        if "false" in verdict:
            found.add("ineligible")
        if "unknown" in verdict:
            found.add("refer")
        if "true" in verdict:
            award = KNOWN if programme.award is None else self.of(programme.award.tree)
            found |= {"eligible"} if "known" in award else set()
            found |= {"refer"} if "unknown" in award else set()
        if found != {"ineligible"}:
            for rule in programme.yields_to:
                other = self.outcomes(self.law.programme(rule.programme))
                found |= {"ineligible"} if "eligible" in other else set()
                found |= {"refer"} if "refer" in other else set()
        return frozenset(found)

    # ---- trees

    def of(self, node: Node) -> Possible:
        """Possible results of a tree."""
        if node not in self._nodes:
            self._nodes[node] = self._of(node)
        return self._nodes[node]

    def _of(self, node: Node) -> Possible:
        op = node.op
        if op == "int" and node.type.kind == "bool":
            return TRUE if node.args[0] else FALSE
        if op in _FACTS:
            return _any_value(node)
        if op in ("listed", "undisputed"):
            return TRUE
        if op == "unknown":
            return UNKNOWN
        if op == "var":
            return self.of(self.law.variables[str(node.args[0])].tree)
        if op in READS_FIGURE:
            return self._figure(node)
        if op == "streak" and is_constant(node):
            return self._constant(node)
        if op == "outcome":
            refers = "refer" in self.outcomes(self.law.programme(str(node.args[0])))
            return KNOWN | UNKNOWN if refers else KNOWN
        if op in ("agg", "members", "supporters"):
            return self._over_many(node)
        below = [self.of(n) for n in node.nodes]
        if op == "not":
            return frozenset(_WORD[negated(_TRUTH[w])] for w in below[0])
        if op in ("and", "or"):
            return _combined(all_of if op == "and" else any_of, below)
        if op == "if":
            return self._choice(below)
        if op == "first_known":
            known = frozenset().union(*below) - UNKNOWN
            return known if any("unknown" not in b for b in below) else known | UNKNOWN
        result = _any_value(node)
        if UNKNOWN in below:
            return UNKNOWN | self._bounded(node, below)
        return result | UNKNOWN if any("unknown" in b for b in below) else result

    def _bounded(self, node: Node, below: list[Possible]) -> Possible:
        """What bounds may decide of an operation on something that the law leaves unknown."""
        if not self.law.bounds:
            return frozenset()
        if node.op in COMPARISONS and node.nodes[0].type.kind == "num":
            return possible(self.law, node)
        if node.op not in ("least", "greatest") or all(b == UNKNOWN for b in below):
            return frozenset()
        # The least of a known figure and an unknown one may be the known one, if the other has a least value.
        end = 0 if node.op == "least" else 1
        is_left = all(b != UNKNOWN or sides(self.law, n)[end] for n, b in zip(node.nodes, below, strict=True))
        return KNOWN if is_left else frozenset()

    def _figure(self, node: Node) -> Possible:
        if node.op == "index" and is_constant(node):
            return self._constant(node)
        name = str(node.args[0])
        keys = node.nodes[1:] if node.op in ("slices", "at") else node.nodes
        known = _any_value(node)
        if node.op == "at":
            places = list(self.law.places.get(name, {}).values())
            if not places or all(p.unknown for p in places):
                return UNKNOWN
            is_whole = "000000" in self.law.places[name] and all(
                all(found(self.law, p, keys) or [False]) for p in places
            )
            return known if is_whole and all("unknown" not in self.of(n) for n in node.nodes) else known | UNKNOWN
        parameter = self.law.parameters[name]
        if parameter.unknown:
            return UNKNOWN
        if node.op == "param":
            value = parameter.table.get(())
            return _any_value(node) if not isinstance(value, bool) else frozenset({_WORD[value]})
        there = found(self.law, parameter, keys)
        if there is None:
            return known | UNKNOWN
        result = known if any(there) else frozenset[str]()
        lacking = not all(there) or any("unknown" in self.of(k) for k in node.nodes)
        return result | UNKNOWN if lacking else result

    def _constant(self, node: Node) -> Possible:
        """What the law alone says of a node."""
        value = constant(self.law, node)
        return frozenset({_WORD[value]}) if value is None or node.type.kind == "bool" else KNOWN

    def _choice(self, below: list[Possible]) -> Possible:
        condition, yes, no = below
        found: frozenset[str] = frozenset()
        if "true" in condition:
            found |= yes
        if "false" in condition:
            found |= no
        return found | UNKNOWN if "unknown" in condition else found

    def _over_many(self, node: Node) -> Possible:
        """An aggregate over rows or people, of which there may be none (but a household has a member)."""
        function = str(node.args[0])
        element, condition = (node.args[2], node.args[3]) if node.op == "agg" else (node.args[1], node.args[2])
        belongs = self.of(condition) if isinstance(condition, Node) else TRUE
        if node.op == "members":
            belongs = _combined(all_of, [belongs, self.of(membership_of(node))])
        value = self.of(element) if isinstance(element, Node) else KNOWN
        never_empty = node.op == "members" and not isinstance(condition, Node)
        if function in ("any", "all"):
            if function == "any":
                one, none = _combined(all_of, [belongs, value]), FALSE
            else:
                opposite = frozenset(_WORD[negated(_TRUTH[w])] for w in belongs)
                one, none = _combined(any_of, [opposite, value]), TRUE
            return one if never_empty and value == UNKNOWN else one | none
        if never_empty and value == UNKNOWN:
            return UNKNOWN
        doubtful = "unknown" in belongs or (function != "count" and belongs != FALSE and "unknown" in value)
        return _any_value(node) | UNKNOWN if doubtful else _any_value(node)

    # ---- what is missing

    def _missing(self, node: Node) -> set[str]:
        if "unknown" not in self.of(node) or node.op == "outcome":
            return set()
        if node.op == "unknown":
            return {str(node.args[0])}
        if node.op == "var":
            return self._missing(self.law.variables[str(node.args[0])].tree)
        names = set().union(*(self._missing(n) for n in node.nodes))
        if node.op in READS_FIGURE and not names:
            return {str(node.args[0])}
        return names


def _any_value(node: Node) -> Possible:
    return frozenset({"true", "false"}) if node.type.kind == "bool" else KNOWN


def _combined(fold: Callable[[Iterable[Truth]], Truth], parts: list[Possible]) -> Possible:
    """Kleene's and/or over sets, pairwise, so that the work stays small."""
    result = TRUE if fold is all_of else FALSE
    for part in parts:
        result = frozenset(_WORD[fold((_TRUTH[a], _TRUTH[b]))] for a in result for b in part)
    return result
