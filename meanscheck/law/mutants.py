"""What can be changed in a formula or a figure, one thing at a time, so that somebody should notice?

A *mutant* is a law with one small fault: a comparison that lets the line itself in, a condition left out, two branches
exchanged, a rounding the other way, a figure one unit off. If no case of the pack notices it, no case says that the
law is as it is written there. `changes_in_tree` and `changes_in_figure` list the faults of one tree and one table.

Each has `needed`: the case that would notice it, as far as that can be told.

Choices
    Faults that a person makes in writing law, not all that a program could make: a literal 0, 1 or 2 is not changed,
    nor what the language itself puts into a tree (the loops of ``holds``, the second loop over all members).
    The smallest unit of a ratio is one hundredth, or one in its last decimal if that is finer: who mistakes a ratio
    mistakes a percentage, and a millionth shows in no amount.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from meanscheck.law.figures import Scalar, figure_of, figure_text
from meanscheck.law.tables import band_unit
from meanscheck.law.told import held_programme, shortened, text_of
from meanscheck.law.tree import Arg, Node
from meanscheck.law.types import DATE
from meanscheck.values.rounding import ROUNDING_UNITS

Path = tuple[int, ...]
"""Which child of which child: positions among the nodes of each node on the way."""
Make = Callable[[Node], Node]
Table = Mapping[tuple[str, ...], Scalar]

_COMPARISONS = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
}
_EDGES = {("<", "<="), ("<=", "<"), (">", ">="), (">=", ">")}
_MODES = ("half_up", "up", "down")
_OTHER = {"and": "or", "or": "and", "least": "greatest", "greatest": "least", "+": "-", "-": "+"}
_OTHER |= {"any": "all", "all": "any", "lowest": "highest", "highest": "lowest"}
_SMALLEST = {"money": Fraction(1), "money/month": Fraction(1), "number": Fraction(1), "month": Fraction(1)}


@dataclass(frozen=True, slots=True)
class TreeChange:
    """A fault in a tree: `make` gives the node that stands at `path` instead."""

    path: Path
    told: str
    needed: str
    make: Make


@dataclass(frozen=True, slots=True)
class FigureChange:
    """A fault in a table: `table` instead."""

    told: str
    needed: str
    table: Table


def changed(tree: Node, path: Path, make: Make) -> Node:
    """A tree with another node at a path."""
    if not path:
        return make(tree)
    args, position = list(tree.args), -1
    for i, arg in enumerate(args):
        position += isinstance(arg, Node)
        if isinstance(arg, Node) and position == path[0]:
            args[i] = changed(arg, path[1:], make)
            break
    return replace(tree, args=tuple(args))


def node_at(tree: Node, path: Path) -> Node:
    """The node at a path."""
    for position in path:
        tree = tree.nodes[position]
    return tree


# ---- trees


def changes_in_tree(tree: Node) -> Iterator[TreeChange]:
    """All faults of a tree, parents first. A root that is a plain yes/no is also negated."""
    if tree.type.kind == "bool" and tree.op in ("var", "agg", "members", "supporters", "in", "attr"):
        told = shortened(text_of(tree))
        needed = f"a case whose outcome turns on {told}"
        yield TreeChange((), f"{told} → not …", needed, lambda n: Node("not", (n,), n.type, n.level))
    yield from _changes(tree, ())


def _changes(node: Node, path: Path) -> Iterator[TreeChange]:
    if held_programme(node):
        return
    for told, needed, make in _of_node(node):
        yield TreeChange(path, told, needed, make)
    if node.op == "members" and _is_over_feed(node):
        # One loop was written, the language made two: the inner one is changed.
        yield from (c for c in _changes(node.nodes[0], (*path, 0)) if c.path != (*path, 0) or "left out" in c.told)
        return
    for position, child in enumerate(node.nodes):
        yield from _changes(child, (*path, position))


def _is_over_feed(node: Node) -> bool:
    return node.args[2] is None and bool(node.nodes) and node.nodes[0].op == "agg"


def _of_node(node: Node) -> Iterator[tuple[str, str, Make]]:
    op = node.op
    if op in _COMPARISONS:
        yield from _comparison(node)
    elif op in ("and", "or", "least", "greatest", "first_known"):
        yield from _terms(node)
    elif op == "not":
        inner = node.nodes[0]
        yield f"{_short(node)} → without not", f"a case that turns on {_short(inner)}", lambda n: n.nodes[0]
    elif op in ("+", "-") and node.nodes[0].type.kind == "num":
        needed = f"a case in which {_short(node.nodes[1])} is not 0 and counts"
        yield f"{_short(node)} → {_OTHER[op]}", needed, _with_op(_OTHER[op])
    elif op == "if":
        needed = f"a case that turns on {_short(node.nodes[0])}"
        yield f"{_short(node)} → branches exchanged", needed, _exchanged
    elif op == "in":
        for word in node.args[1:]:
            needed = f"a case that turns on {_short(node.nodes[0])} being {word}"
            yield f'{_short(node)} → without "{word}"', needed, _without_word(str(word))
    elif op == "round":
        yield from _rounding(node)
    elif op == "within" and node.nodes[2].op == "attr":
        needed = f"a case applied for in another month, with something in {_short(node)} between"
        yield f"{_short(node)} → before=on", needed, _before_on
    elif op == "int" and node.type.kind == "bool":
        said = _short(node)
        yield f"{said} → {not node.args[0]}", f"a case that turns on {said}", _flipped
    elif op in ("agg", "members", "supporters"):
        yield from _loop(node)


def _comparison(node: Node) -> Iterator[tuple[str, str, Make]]:
    left, right = (_short(n) for n in node.nodes)
    for other in _COMPARISONS[node.op]:
        needed = f"a case that turns on {left} {node.op} {right}"
        if (node.op, other) in _EDGES:
            needed = f"a case on the line: {left} equal to {right}"
        yield f"{_short(node)} → {other}", needed, _with_op(other)


def _terms(node: Node) -> Iterator[tuple[str, str, Make]]:
    """The other word, and each term left out."""
    op, said = node.op, _short(node)
    if op in _OTHER:
        needed = f"a case in which the parts differ: {said}" if op in ("least", "greatest") else ""
        yield (
            f"{said} → {_OTHER[op]}",
            needed or f"a case in which not all parts hold alike: {said}",
            _with_op(_OTHER[op]),
        )
    for position, term in enumerate(node.nodes):
        part = _short(term)
        needed = {
            "and": f"a case in which only this fails: {part}",
            "or": f"a case in which only this holds: {part}",
            "first_known": f"a case in which {part} is known and counts",
        }.get(op, f"a case in which {part} is the one that counts")
        yield f"{said} → without {part}", needed, _without_term(position)


def _rounding(node: Node) -> Iterator[tuple[str, str, Make]]:
    unit, mode, said = str(node.args[1]), str(node.args[2]), _short(node)
    for other in _MODES:
        if other != mode:
            needed = f"a case whose amount is no whole {unit} before it is rounded, on the side that tells them apart"
            yield f"{said} → {other}", needed, _put_at(2, other)
    place = ROUNDING_UNITS.index(unit)
    for other in (ROUNDING_UNITS[i] for i in (place - 1, place + 1) if 0 <= i < len(ROUNDING_UNITS)):
        needed = f"a case whose amount shows whether it is rounded to {unit} or {other}"
        yield f"{said} → {other}", needed, _put_at(1, other)


def _loop(node: Node) -> Iterator[tuple[str, str, Make]]:
    where = 3 if node.op == "agg" else 2
    function, said = str(node.args[0]), _short(node)
    if function in _OTHER:
        other = _OTHER[function]
        needed = f"a case with two rows or people of which one differs: {said}"
        yield f"{said} → {other}", needed, lambda n: _both_loops(n, other)
    condition = node.args[where]
    if isinstance(condition, Node):
        part = _short(condition)
        needed = f"a case with a row or person that is left out by: {part}"
        yield f"{said} → if … left out", needed, _put_at(where, None)


def _both_loops(node: Node, function: str) -> Node:
    args = _put(node.args, 0, function)
    if node.op == "members" and _is_over_feed(node):
        args = _put(args, 1, replace(node.nodes[0], args=_put(node.nodes[0].args, 0, function)))
    return replace(node, args=args)


def _put(args: tuple[Arg, ...], place: int, arg: Arg) -> tuple[Arg, ...]:
    return (*args[:place], arg, *args[place + 1 :])


def _put_at(place: int, arg: Arg) -> Make:
    return lambda n: replace(n, args=_put(n.args, place, arg))


def _with_op(op: str) -> Make:
    return lambda n: replace(n, op=op)


def _exchanged(node: Node) -> Node:
    condition, x, y = node.args
    return replace(node, args=(condition, y, x))


def _without_word(word: str) -> Make:
    return lambda n: replace(n, args=tuple(a for a in n.args if a != word))


def _before_on(node: Node) -> Node:
    return replace(node, args=(*node.args[:2], Node("on", (), DATE, "const")))


def _flipped(node: Node) -> Node:
    return replace(node, args=(int(not node.args[0]),))


def _without_term(position: int) -> Make:
    def make(node: Node) -> Node:
        left = node.nodes[:position] + node.nodes[position + 1 :]
        if len(left) == 1:
            return left[0]
        leading = node.args[: len(node.args) - len(node.nodes)]
        return replace(node, args=(*leading, *left))

    return make


def _short(node: Node) -> str:
    return shortened(text_of(node))


# ---- figures


def changes_in_figure(table: Table, unit: str, by: Sequence[str] = ()) -> Iterator[FigureChange]:
    """Each figure one unit up, one down and doubled; a yes/no, a day and a text changed to another; each bound of a
    band one unit up and down."""
    for place, name in enumerate(by):
        band = band_unit(name)
        for bound in dict.fromkeys(key[place] for key in table) if band else ():
            yield from _of_bound(table, place, bound, str(band))
    for key, figure in table.items():
        at = f"[{', '.join(key)}] " if key else ""
        written = figure_text(figure, unit)
        for other in _others(figure, unit):
            shown = figure_text(other, unit)
            if isinstance(figure, bool | str):
                needed = f"a case that turns on this figure {at}".rstrip()
            else:
                needed = f"a case whose outcome or award differs between {written} and {shown} {at}".rstrip()
            yield FigureChange(f"{at}{written} → {shown}", needed, {**table, key: other})


def _of_bound(table: Table, place: int, bound: str, unit: str) -> Iterator[FigureChange]:
    figure = figure_of(bound, unit)
    assert isinstance(figure, int | Fraction)
    taken = {key[place] for key in table}
    for other in _stepped(figure, unit):
        shown = figure_text(other, unit)
        if shown not in taken:
            needed = f"a case that is looked up between {bound} and {shown}"
            moved = {
                (*k[:place], shown if k[place] == bound else k[place], *k[place + 1 :]): v for k, v in table.items()
            }
            yield FigureChange(f"from {bound} → from {shown}", needed, moved)


def _others(figure: Scalar, unit: str) -> Iterator[Scalar]:
    if isinstance(figure, bool):
        yield not figure
    elif isinstance(figure, date):
        yield from (figure + timedelta(days=1), figure - timedelta(days=1))
    elif isinstance(figure, str):
        yield f"not {figure}"
    else:
        stepped = tuple(_stepped(figure, unit))
        yield from stepped
        doubled = figure * 2
        if doubled not in (figure, *stepped) and _can_be(doubled, unit):
            yield doubled


def _stepped(figure: int | Fraction, unit: str) -> Iterator[int | Fraction]:
    """One smallest unit more and less, as far as that is a figure of the unit."""
    step = smallest_unit(figure, unit)
    for other in (figure + step, figure - step):
        value = other if unit == "ratio" else int(other)
        if _can_be(value, unit):
            yield value


def smallest_unit(figure: int | Fraction, unit: str) -> Fraction:
    """One fen, one of a count, 0.01 m²; of a ratio 0.01 or one in the last decimal that it is written with."""
    if unit == "ratio":
        _, _, decimals = figure_text(figure, unit).partition(".")
        return Fraction(1, 10 ** max(2, len(decimals)))
    return Fraction(100) if unit == "area" else _SMALLEST[unit]


def _can_be(figure: Scalar, unit: str) -> bool:
    try:
        return figure_of(figure_text(figure, unit), unit) == figure
    except ValueError:
        return False
