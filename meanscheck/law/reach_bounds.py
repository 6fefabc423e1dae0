"""On which sides may a number be bounded that the law leaves unknown? What `reach` asks where the law uses bounds.

A figure that was not found may have a published least or greatest value, and then a comparison with it can be decided
one way though not the other: an income below the least standard that may hold passes, and nothing can fail for certain.
``(low, high)`` says which bounds can exist for some household; never too little, perhaps too much.
"""

from __future__ import annotations

from typing import TypeAlias

from meanscheck.law.law import Law
from meanscheck.law.tree import Node

Sides: TypeAlias = tuple[bool, bool]

BOTH: Sides = (True, True)
NEITHER: Sides = (False, False)


def sides(law: Law, node: Node) -> Sides:
    """Which bounds a number can have that may be unknown."""
    op = node.op
    if op == "unknown":
        return NEITHER
    if op == "var":
        return sides(law, law.variables[str(node.args[0])].tree)
    if op in ("param", "index"):
        parameter = law.parameters[str(node.args[0])]
        return BOTH if not parameter.unknown else (bool(parameter.at_least), bool(parameter.at_most))
    below = [sides(law, n) for n in node.nodes]
    if op in ("+", "-"):
        a, b = below[0], below[1] if op == "+" else _turned(below[1])
        return a[0] and b[0], a[1] and b[1]
    if op == "neg":
        return _turned(below[0])
    if op == "round":
        return below[0]
    if op in ("least", "greatest"):
        # The least of some is bounded below where all are, and above where one is.
        lows, highs = [s[0] for s in below], [s[1] for s in below]
        return (all(lows), any(highs)) if op == "least" else (any(lows), all(highs))
    if op in ("if", "first_known"):
        either = below[1:] if op == "if" else below
        return any(s[0] for s in either), any(s[1] for s in either)
    if op in ("*", "/"):
        if NEITHER in below:
            return NEITHER
        left, right = node.nodes
        if _is_not_negative(law, right):
            return below[0] if below[1] == BOTH else BOTH
        return below[1] if op == "*" and below[0] == BOTH and _is_not_negative(law, left) else BOTH
    return BOTH


def possible(law: Law, node: Node) -> frozenset[str]:
    """``true`` and ``false``, as far as bounds can decide a comparison of numbers one of which is unknown."""
    a, b = (sides(law, n) for n in node.nodes)
    if node.op in (">", ">="):
        a, b = b, a
    less, more = a[1] and b[0], a[0] and b[1]
    if node.op in ("==", "!="):
        # Apart they are on one side or the other, the same only where both are known.
        apart = {"false" if node.op == "==" else "true"} if less or more else set()
        same = {"true" if node.op == "==" else "false"} if less and more else set()
        return frozenset(apart | same)
    return frozenset(({"true"} if less else set()) | ({"false"} if more else set()))


def _turned(s: Sides) -> Sides:
    return s[1], s[0]


def _is_not_negative(law: Law, node: Node) -> bool:
    """Whether a factor is a known figure or a count, so that it turns no bound around."""
    if node.op == "int":
        return True
    if node.op == "var" and node.args[0] == "size":
        return True
    if node.op == "*":
        return all(_is_not_negative(law, n) for n in node.nodes)
    value = law.parameters[str(node.args[0])].get() if node.op == "param" else None
    return value is not None and not isinstance(value, str) and value >= 0  # type: ignore[operator]
