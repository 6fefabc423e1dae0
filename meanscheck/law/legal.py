"""What is certain of a value that nobody has stated yet? The legal bounds of cells and figures, and what must exist.

A cell that may not be negative is at least 0, since a row that breaks its contract is set aside and the answer then
counts as none. `cell_range` reads the contract: minimum and maximum, and whether amounts may be negative, also only in
rows of certain choices (`negativeOnlyWhen`), where the condition of the aggregate leaves those rows out.

`may_lack_value` says of a node whether it can stay without a value when every fact is known: a division by what may be
zero, the lowest of nothing, a table without an entry. Nothing may be drawn from bounds across such a node.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from functools import lru_cache
from itertools import product

from meanscheck.contracts import all_feeds
from meanscheck.law.figures import ANY_KEY, Scalar
from meanscheck.law.keeping import kept_with_law
from meanscheck.law.law import Law, Parameter
from meanscheck.law.names import DERIVED
from meanscheck.law.ranges import ANY, Number, Range, hull
from meanscheck.law.tables import is_by_category
from meanscheck.law.tree import COMPARISONS, Node, membership_of
from meanscheck.law.types import MICRO

_ALWAYS = frozenset(
    {
        *("int", "text", "on", "reference_day", "attr", "col", "confirmed", "listed", "undisputed"),
        *("param", "unknown"),
    }
)
_EXTREMES = ("lowest", "highest", "latest")
_IF_PARTS_DO = frozenset(
    {
        *COMPARISONS,
        *("+", "-", "*", "neg", "not", "and", "or", "in", "if", "least", "greatest", "round"),
        *("age", "months_between", "within", "same_year", "agg", "members", "supporters"),
    }
)
_MANY = ("agg", "members", "supporters")


@lru_cache(maxsize=4096)
def cell_range(feed: str, column: str, condition: Node | None) -> Range:
    """Bounds of a number in a row that nobody has seen, as formulas see it, where the condition holds for the row."""
    contract = all_feeds()[feed]
    if column not in contract.column_names:
        return ANY
    cell = contract.column(column)
    low, high = cell.minimum, cell.maximum
    if low is None and not cell.may_be_negative:
        if cell.negative_only_when is None:
            low = 0
        else:
            other, choices = cell.negative_only_when
            words = _words(condition, feed, other)
            low = 0 if words is not None and not words & set(choices) else None
    return _scaled(low, cell.kind), _scaled(high, cell.kind)


def _scaled(bound: int | None, kind: str) -> Number | None:
    return Fraction(bound, MICRO) if bound is not None and kind == "ratio" else bound


def _words(condition: Node | None, feed: str, column: str) -> set[str] | None:
    """The choices of a column that a condition lets pass; None if it does not say."""
    if condition is None:
        return None
    if condition.op == "and":
        found = [w for n in condition.nodes if (w := _words(n, feed, column)) is not None]
        return set.intersection(*found) if found else None
    cells = [n for n in condition.nodes if n.op == "col" and n.args == (feed, column)]
    if len(cells) != 1:
        return None
    if condition.op == "in":
        return {str(w) for w in condition.args[1:]}
    texts = [str(n.args[0]) for n in condition.nodes if n.op == "text"]
    return set(texts) if condition.op == "==" and texts else None


UNBORN: Range = (0, None)
"""The age of somebody whose birthday is not known: he is born."""


def is_birth(node: Node) -> bool:
    """Whether a node is a person's age."""
    return node.op == "age" and node.nodes[0].op == "attr" and node.nodes[0].args[1] == "born_on"


def attribute_range(node: Node) -> Range:
    """Bounds of a supporter's number that nobody has stated."""
    entity, name = str(node.args[0]), str(node.args[1])
    return cell_range("supporters", name, None) if entity == "supporter" else ANY


@lru_cache(maxsize=4096)
def reads_derived(node: Node) -> bool:
    """Whether an aggregate reads what follows from other rows of the person: a row to come may change it."""
    return any(part.op == "col" and (part.args[0], part.args[1]) in DERIVED for part in node.walk())


def is_superseded(feed: str) -> bool:
    """Whether a later row may take the place of one in hand."""
    return bool(all_feeds()[feed].latest_by)


def is_final(row_day: object, reference: object) -> bool:
    """Whether no row to come takes the place of one of this day: none later than the reference day counts."""
    if not isinstance(row_day, date) or not isinstance(reference, date):
        # A row without a day counts as of the reference day.
        return row_day is None
    return row_day >= reference


def figure_range(parameter: Parameter, keys: tuple[str, ...]) -> Range:
    """Bounds of an entry; its value where it is known."""
    found = _entry(parameter, parameter.table, keys) if not parameter.unknown else None
    if found is not None:
        return found, found
    if not parameter.unknown:
        return ANY
    return _entry(parameter, parameter.at_least, keys), _entry(parameter, parameter.at_most, keys)


def _entry(parameter: Parameter, table: object, keys: tuple[str, ...]) -> Number | None:
    assert isinstance(table, dict)
    value: Scalar | None = table.get(keys, table.get(ANY_KEY))
    return value if isinstance(value, int | Fraction) and not isinstance(value, bool) else None


@kept_with_law
def any_entry(parameter_of: Law, node: Node) -> Range:
    """Bounds of a table's entry whose keys are not known: of all that they may be."""
    parameter = parameter_of.parameters[str(node.args[0])]
    options = [sorted(key.type.choices or ()) for key in node.nodes]
    if not all(options):
        return ANY
    return hull([figure_range(parameter, keys) for keys in product(*options)])


@kept_with_law
def may_lack_value(law: Law, node: Node) -> bool:
    """Whether a node may be without a value though every fact is known. What is not known here may."""
    seen: set[str] = set()
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if part.op in _ALWAYS:
            continue
        if part.op == "var":
            name = str(part.args[0])
            if name not in seen:
                seen.add(name)
                waiting.append(law.variables[name].tree)
            continue
        if part.op == "index":
            if not _is_whole(law, part):
                return True
        elif part.op == "first_known":
            if all(may_lack_value(law, n) for n in part.nodes):
                return True
            continue
        elif part.op == "/":
            if not _is_not_zero(law, part.nodes[1]):
                return True
        elif part.op not in _IF_PARTS_DO or (part.op in _MANY and part.args[0] in _EXTREMES):
            return True
        waiting.extend(_below(law, part))
    return False


def _below(law: Law, part: Node) -> Iterator[Node]:
    yield from part.nodes
    if part.op == "members":
        yield law.variables[str(membership_of(part).args[0])].tree


def _is_whole(law: Law, node: Node) -> bool:
    parameter = law.parameters[str(node.args[0])]
    if ANY_KEY in parameter.table or (parameter.unknown and is_by_category(parameter.by)):
        return True
    options = [[str(k.args[0])] if k.op == "text" else sorted(k.type.choices or ()) for k in node.nodes]
    return all(options) and all(keys in parameter.table for keys in product(*options))


def _is_not_zero(law: Law, node: Node) -> bool:
    if node.op == "int":
        return bool(node.args[0])
    value = law.parameters[str(node.args[0])].get() if node.op == "param" else None
    return isinstance(value, int | Fraction) and value != 0
