"""Why is a value unknown? The causes of one node of a formula, in one case, as text ``kind:subject`` (see `plain`).

A cause is reported only where it decides: a row that does not belong, or a branch that is not taken, gives none; nor,
under a law that uses bounds, what is unknown but has only one value left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meanscheck.law.kleene import Truth
from meanscheck.law.plain_rows import At, truth
from meanscheck.law.tables import lacking
from meanscheck.law.tree import Node, membership_of
from meanscheck.values.evidence_state import EvidenceState

if TYPE_CHECKING:
    from meanscheck.law.plain import PlainRun

Causes = frozenset[str]


def causes_of(run: PlainRun, node: Node, at: At) -> Causes:
    """Why a node is unknown; empty if it is known."""
    if run.best(node, at) is not None:
        return frozenset()
    op = node.op
    if op == "attr":
        return frozenset({f"unknown:{node.args[1]}"})
    if op == "col":
        return frozenset({f"unknown:{node.args[0]}.{node.args[1]}"})
    if op == "confirmed":
        return frozenset({f"unreviewed:{node.args[0]}"})
    if op in ("param", "index", "slices"):
        return _below(run, node, at) or frozenset({lacking(run.law.parameters[str(node.args[0])])})
    if op == "at":
        return _below(run, node, at) or frozenset({f"no_place:{node.args[0]}"})
    if op == "streak":
        months = run.streak(node, at)
        if months is None:
            return causes_of(run, node.nodes[1], at)
        return frozenset().union(*(causes_of(run, node.nodes[0], here) for here in months))
    if op == "unknown":
        return frozenset({f"formula:{node.args[0]}"})
    if op == "undisputed":
        assert at.person is not None
        return run.contradictions.of_membership(at.person)
    if op == "var":
        return run.why(str(node.args[0]), at.person)
    if op == "outcome":
        name = str(node.args[0])
        return run.outcome(name, at.person).causes | {f"outcome:{name}"}
    if op == "agg":
        return _of_rows(run, node, at)
    if op in ("members", "supporters"):
        return _of_people(run, node, at)
    if op == "if":
        condition = node.nodes[0]
        chosen = run.best(condition, at)
        return causes_of(run, condition if chosen is None else node.nodes[1 if chosen else 2], at)
    return _below(run, node, at) or frozenset({"division_by_zero"})


def _below(run: PlainRun, node: Node, at: At) -> Causes:
    return frozenset().union(*(causes_of(run, n, at) for n in node.nodes))


def _settles(run: PlainRun, node: Node, at: At) -> bool:
    """Whether an element of `any` or `all` leaves the verdict to the others: it is known, and not the deciding way."""
    function, element = node.args[0], node.args[2 if node.op == "agg" else 1]
    if function not in ("any", "all") or not isinstance(element, Node):
        return False
    return truth(run.best(element, at)) is (function == "all")


def _of_rows(run: PlainRun, node: Node, at: At) -> Causes:
    hidden = run.hidden(node, at)
    if hidden:
        assert at.person is not None
        is_conflicting = hidden.startswith(f"{EvidenceState.CONFLICTING.word}:")
        return run.contradictions.of_feed(at.person, str(node.args[1])) if is_conflicting else frozenset({hidden})
    function, feed, element, condition, by, reviewed = node.args
    found: set[str] = set()
    some = False
    for row in run.rows_of(at, str(feed)):
        here = At(at.person, row)
        membership = run.membership(row, bool(reviewed))
        rest = truth(run.best(condition, here)) if isinstance(condition, Node) else True
        if membership is False or rest is False:
            continue
        some = True
        if _settles(run, node, here):
            continue
        if membership is None:
            found.add(f"unreviewed:{feed}")
        for part in (condition, element, by):
            if isinstance(part, Node):
                found |= causes_of(run, part, here)
    if not found:
        found.add(f"ambiguous:{feed}" if function == "latest" and some else f"no_rows:{feed}")
    return frozenset(found)


def _is_member(run: PlainRun, name: str, person: int) -> Truth:
    return truth(run.best(run.law.variables[name].tree, At(person)))


def _of_people(run: PlainRun, node: Node, at: At) -> Causes:
    _, element, condition = node.args[:3]
    name = str(membership_of(node).args[0]) if node.op == "members" else ""
    found: set[str] = set()
    if node.op == "members":
        persons = list(run.members)
    else:
        found |= set(run.supporters_hidden(node, at))
        persons = [] if found else run.supporters_of(node, at)
    for person in persons:
        here = At(person)
        belongs = _is_member(run, name, person) if name else True
        rest = truth(run.best(condition, here)) if isinstance(condition, Node) else True
        if belongs is False or rest is False or _settles(run, node, here):
            continue
        if belongs is None:
            found |= run.why(name, person)
        for part in (condition, element):
            if isinstance(part, Node):
                found |= causes_of(run, part, here)
    return frozenset(found or {f"no_rows:{node.op}"})
