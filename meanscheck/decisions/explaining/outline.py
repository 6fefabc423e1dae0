"""Which of the tree does a caseworker want to read? What adds up and what decided, without noughts and brackets.

`outlined(tree)` keeps every programme, test, variable, figure of the law and row that bears on a value:

* what is nought is left out, and so are facts that a line above already names;
* sums, choices and sums over people give their parts in their place; what is taken off is marked (`counts`);
* of the greater or smaller of several the one that counts stands in its place, others as not counted;
* a product, quotient or rounding is one line with its parts below;
* `and` and `or` give the terms that decided, and of what is denied only the rows that speak to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from meanscheck.decisions.explaining.tree import Counts, Explanation

_THROUGH = ("+", "-", "neg", "if", "first_known")
_ROUNDED = ("*", "/", "round")
_SILENT = ("listed", "undisputed")
"""Facts that are told only where they fail."""
_TURNED: dict[Counts, Counts] = {"plus": "minus", "minus": "plus", "not": "not"}
_RECKONED = ("variable", "rows", "people", "operation", "figure", "fact")


def outlined(tree: Explanation) -> Explanation:
    """The tree as it is told."""
    return replace(tree, children=tuple(part for child in tree.children for part in _told(child, "plus")))


def _told(node: Explanation, counts: Counts) -> Iterator[Explanation]:
    if node.kind not in _RECKONED and node.kind != "condition":
        yield outlined(node)
    elif node.kind == "fact" and node.name in _SILENT and node.value is True:
        return
    elif node.kind == "condition" or node.unit == "bool":
        yield from _yes_no(node)
    elif node.value == 0 or (node.kind == "fact" and node.value is not None):
        return
    elif node.kind == "operation":
        yield from _operation(node, counts)
    elif node.kind == "people" and node.name.startswith("sum") and node.value is not None:
        for part in node.children:
            yield from _told(part, counts)
    else:
        yield replace(outlined(node), counts=counts)


def _yes_no(node: Explanation) -> Iterator[Explanation]:
    if node.kind == "condition" and node.name in ("and", "or", "if"):
        for part in node.children:
            yield from _told(part, "plus")
    elif node.kind == "condition" and node.name == "not":
        # The line says what is denied, so what stands below is why that is so.
        below = (grandchild for child in node.children for grandchild in outlined(child).children)
        yield replace(node, children=tuple(b for b in below if b.children or b.kind == "row"))
    elif node.kind == "condition":
        # A line with value and limit says what its sides are; only what stands below them is new.
        told = outlined(node)
        yield replace(told, children=tuple(c for c in told.children if c.kind != "operation" or c.children))
    elif node.kind == "variable" and len(node.children) == 1 and node.children[0].kind != "variable":
        (tree,) = node.children
        within = tree.name in ("and", "or", "if") or tree.kind == "fact"
        yield replace(node, children=tuple(_yes_no(tree)) if not within else tuple(_inside(tree)))
    else:
        yield outlined(node)


def _inside(tree: Explanation) -> Iterator[Explanation]:
    for part in tree.children:
        yield from _told(part, "plus")


def _operation(node: Explanation, counts: Counts) -> Iterator[Explanation]:
    if node.name in _THROUGH:
        is_chosen = node.name == "if" and len(node.children) == 2
        for place, part in enumerate(node.children[:1] if is_chosen else node.children):
            turned = node.name == "neg" or (node.name == "-" and place == 1)
            yield from _told(part, _TURNED[counts] if turned else counts)
    elif node.name in ("greatest", "least"):
        known = [p for p in node.children if p.value == node.value][:1]
        for part in node.children:
            yield from _told(part, counts if part in known or not known else "not")
    elif node.name in _ROUNDED:
        yield replace(node, counts=counts, children=tuple(p for c in node.children for p in _factors(c)))
    else:
        yield replace(outlined(node), counts=counts)


def _factors(node: Explanation) -> Iterator[Explanation]:
    """The parts of a product in their place: the line above says how they go together."""
    if node.kind == "operation" and node.name in _ROUNDED:
        for part in node.children:
            yield from _factors(part)
    else:
        yield from _told(node, "plus")
