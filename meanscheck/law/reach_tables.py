"""Which entries of a table can a formula come to, before there is any case? For `reach`.

A table is a step function of its keys, so it is enough to try one value on each step: every declared word of a
category, every bound of a band, and the least that the value can be (a size of at least one, a count of at least
nothing); where nothing says how small it can be, one below the lowest bound. Months and places that depend on a case
may always lack an entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

from meanscheck.law.columns import constant as valued
from meanscheck.law.emit import folded
from meanscheck.law.figures import ANY_KEY
from meanscheck.law.law import Law, Parameter
from meanscheck.law.tables import BAND, bound_of, entry
from meanscheck.law.tree import Node


def is_constant(node: Node) -> bool:
    """Whether the law alone says what a node is."""
    if node.level != "const" or not node.nodes:
        return False
    return node.op == "streak" or all(n.op != "month" for n in node.walk())


def constant(law: Law, node: Node) -> bool | None:
    """Whether a yes/no of the law alone holds; of anything else, whether it is known."""
    value = folded(law, node)
    if value.absent:
        return None
    return bool(valued(value.n)) if node.type.kind == "bool" else True


def found(law: Law, parameter: Parameter, keys: Sequence[Node]) -> list[bool] | None:
    """Whether a table has an entry, for every value that its keys can have; for slices without their band.

    Returns:
        None if the keys may be anything, so that an entry may be there or lacking.
    """
    if parameter.unknown or not parameter.table:
        return [False]
    if not parameter.by or ANY_KEY in parameter.table:
        return [True]
    options = [_values(law, parameter, i, key) for i, key in enumerate(keys)]
    if not all(options):
        return None
    if len(keys) < len(parameter.by):
        above = {k[: len(keys)] for k in parameter.table}
        return [tuple(map(str, values)) in above for values in product(*options)]
    return [entry(parameter, values) is not None for values in product(*options)]


def _values(law: Law, parameter: Parameter, i: int, key: Node) -> list[int | Fraction | str]:
    """A value on every step of one key; none if they cannot be listed."""
    by = parameter.by[i]
    if by.startswith(BAND):
        bounds = sorted({bound_of(k[i], by) for k in parameter.table})
        least = floor(law, key)
        if not bounds:
            return []
        return [bounds[0] - 1, *bounds] if least is None else [least, *(b for b in bounds if b > least)]
    if key.op in ("text", "int"):
        return [str(key.args[0])]
    return sorted(key.type.choices or ())


def floor(law: Law, node: Node) -> int | Fraction | None:
    """A number that a value is never below; None where nothing says so. A household has a member."""
    op = node.op
    if op == "int":
        return int(node.args[0])  # type: ignore[arg-type]
    if op == "var":
        return 1 if node.args[0] == "size" else floor(law, law.variables[str(node.args[0])].tree)
    if op in ("agg", "members", "supporters"):
        element = node.args[2 if op == "agg" else 1]
        if node.args[0] == "count":
            return 0
        least = floor(law, element) if isinstance(element, Node) and node.type.kind == "num" else None
        return least if node.args[0] in ("lowest", "highest") or least is None else 0 if least >= 0 else None
    if op in ("param", "index"):
        figures = list(law.parameters[str(node.args[0])].table.values())
        return min((f for f in figures if isinstance(f, int | Fraction)), default=None)
    if op not in ("greatest", "least", "+", "*", "/", "round", "if"):
        return None
    below = [floor(law, n) for n in (node.nodes[1:] if op == "if" else node.nodes)]
    known = [b for b in below if b is not None]
    if op == "greatest":
        return max(known, default=None)
    if len(known) < len(below):
        return None
    if op == "+":
        return sum(known)
    if op in ("least", "if"):
        return min(known)
    return 0 if min(known) >= 0 else None
