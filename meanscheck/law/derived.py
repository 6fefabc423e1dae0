"""How is a figure reckoned that the law gives as a rule over other figures, such as 1.6 times the standard, rounded up?

A revision of a parameter may carry a formula over other parameters of the same law and day:

    formula = 'round_to(dibao.standard[residence] * tekun.multiple, "yuan", "up")'

beside a published value (then the value counts, and `rules check` holds the two against each other: `derived_checks`)
or instead of one. With ``by`` it is reckoned once for each key, and the name of the key stands for that key: a text
for a category, a number of its unit for ``band:UNIT``, a day for ``month``. A name that Python keeps for itself gets
an underscore (``class_``).

Choices
    No evidence, no variable and no outcome may be read, and nothing unknown replaced: the figure belongs to the law,
    so whatever would make it differ from household to household is refused when the pack loads.
    Which keys there are follows from the tables that the formula indexes by the key's name, so that a class added to
    the standard is there in all that follows from it; ``keys = […]`` names them where no table does. A key for which
    the formula gives nothing is left out of the table, as any missing key is.
    The plain executor reckons it, over no persons: what the language can say of constants is said once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import product
from keyword import iskeyword
from typing import cast

from meanscheck.contracts.units import CaseUnit, Value
from meanscheck.errors import PackError
from meanscheck.law.check import Scope, check_formula
from meanscheck.law.figures import ANY_KEY, Scalar, figure_of, figure_text
from meanscheck.law.law import Law, Parameter
from meanscheck.law.plain import PlainRun
from meanscheck.law.plain_rows import At
from meanscheck.law.tree import Node, figures_in
from meanscheck.law.types import DATE, TEXT, UNITS, Type

_NOT_CONSTANT = frozenset(
    {"var", "col", "agg", "members", "supporters", "outcome", "confirmed", "reference_day", "first_known", "at"}
)


def key_name(key: str) -> str:
    """How a formula names a key of ``by``: ``band:money`` is `money`, ``class`` is `class_`."""
    name = key.removeprefix("band:")
    return f"{name}_" if iskeyword(name) else name


def key_type(key: str) -> Type:
    """What a key of ``by`` is in a formula."""
    if key.startswith("band:"):
        return UNITS[key.removeprefix("band:")]
    return DATE if key == "month" else TEXT


def constant_tree(formula: str, *, by: Sequence[str], unit: str, scope: Scope, where: str) -> Node:
    """The checked tree of a parameter's formula.

    Raises:
        PackError: if it is not in the language, reads more than figures, or gives another unit than the parameter's.
    """
    names = {key_name(key): key_type(key) for key in by}
    only_figures = Scope({}, {"household": names, "member": {}, "supporter": {}}, scope.parameters, {}, {})
    tree = check_formula(formula, entity="household", scope=only_figures, where=where)
    for node in tree.walk():
        if node.op in _NOT_CONSTANT:
            what = "the formula of a figure may read other figures only"
            raise PackError(
                what, where=where, remedy="Make it a variable, which may differ from household to household"
            )
    got, wanted = tree.type, UNITS[unit]
    good = got.kind == wanted.kind and (got.dimension == wanted.dimension or got.zero)
    if not good:
        what = f"the formula gives {got}, the parameter is {unit}"
        raise PackError(what, where=where, remedy="Correct unit or formula")
    if got.form == "exact" and wanted.form == "int" and unit != "area":
        remedy = 'Round it as it is published: round_to(…, "yuan", "up")'
        raise PackError("an exact quotient is no figure", where=where, remedy=remedy)
    return tree


class Once:
    """Figures by name, each made once, since others may be derived from it; PackError for a cycle among these."""

    def __init__(self, make: Callable[[str], Parameter | None], place: str) -> None:
        self.make, self.place = make, place
        self._made: dict[str, Parameter | None] = {}
        self._path: list[str] = []

    def __call__(self, name: str) -> Parameter | None:
        if name in self._path:
            cycle = " → ".join([*self._path[self._path.index(name) :], name])
            raise PackError(f"a cycle of derived figures: {cycle}", where=self.place, remedy="Publish one of them")
        if name not in self._made:
            self._path.append(name)
            self._made[name] = self.make(name)
            self._path.pop()
        return self._made[name]


def derived_figure(
    figure: Parameter,
    tree: Node,
    *,
    keys: Iterable[tuple[str, ...]] | None,
    read: Mapping[str, Parameter | None],
    on: date,
    where: str,
) -> Parameter:
    """A figure with the table that its formula gives; unknown, and why, where it gives none.

    Args:
        figure: all but the table.
        read: what the formula reads, None for what has no revision on the day.
        keys, on, where: as for `table_by_formula`.
    """
    known = {name: p for name, p in read.items() if p is not None}
    table = table_by_formula(tree, by=figure.by, unit=figure.unit, keys=keys, parameters=known, on=on, where=where)
    status = "unsure" if any(p.status == "unsure" for p in known.values()) else figure.status
    if table:
        return replace(figure, table=table, status=status)
    reasons = [(p.unknown, f"{name}: {p.unknown}") for name, p in known.items() if p.unknown]
    unsure = [text for reason, text in reasons if reason == "unsure"]
    # What an office may accept is told from what nobody found: `unsure` is what the rest of the law asks for.
    if unsure and len(unsure) == len(reasons):
        return replace(figure, unknown="unsure", status="unsure")
    why = [text for _, text in reasons] or [f"{', '.join(read)}: no entry for the keys"]
    return replace(figure, unknown=f"derived from {'; '.join(why)}", status=status)


def table_by_formula(
    tree: Node,
    *,
    by: Sequence[str],
    unit: str,
    keys: Iterable[tuple[str, ...]] | None,
    parameters: Mapping[str, Parameter],
    on: date,
    where: str,
) -> dict[tuple[str, ...], Scalar]:
    """Key → figure, for the keys for which the formula gives one; a single figure sits under the empty key.

    Args:
        tree: as `constant_tree` gave it.
        keys: those of the table; those of the tables it indexes if None.
        parameters: at least those it reads (`figures_in`).

    A figure that is read and not among `parameters` has no revision on the day: then nothing can be reckoned.

    Raises:
        PackError: if a figure cannot be held exactly, or nothing says which keys there are.
    """
    law = Law("", "", on, on, (), parameters, {}, (), {})
    table: dict[tuple[str, ...], Scalar] = {}
    if not parameters.keys() >= set(figures_in(tree)):
        return table
    for path in keys if keys is not None else _keys(tree, by, parameters, where):
        names = path * len(by) if path == ANY_KEY else path
        attributes = {key_name(k): _key_value(k, text, where) for k, text in zip(by, names, strict=True)}
        value = PlainRun(law, CaseUnit("", attributes, ())).value(tree, At())
        if value is not None:
            table[path] = _held(value, unit, where)
    return table


def _keys(tree: Node, by: Sequence[str], parameters: Mapping[str, Parameter], where: str) -> Iterable[tuple[str, ...]]:
    """Every combination of the keys found, key by key, in the tables that are indexed by the key's name."""
    found: dict[str, dict[str, None]] = {key_name(key): {} for key in by}
    indexed: set[str] = set()
    for node in (n for n in tree.walk() if n.op in ("index", "slices")):
        table = parameters[str(node.args[0])].table if node.args[0] in parameters else {}
        for place, key in enumerate(node.nodes if node.op == "index" else node.nodes[1:]):
            if key.op != "attr":
                continue
            indexed.add(str(key.args[1]))
            # An overlay's scalar stands for every key of its table, so it tells none but itself.
            found[str(key.args[1])].update(dict.fromkeys("*" if k == ANY_KEY else k[place] for k in table))
    for name in found:
        if name not in indexed:
            remedy = f'Name them: keys = ["…"], or index a table by {name}'
            raise PackError(f"no table of the formula says which keys {name} has", where=where, remedy=remedy)
    paths = product(*found.values())
    return [ANY_KEY if by and set(path) == {"*"} else path for path in paths]


def _key_value(key: str, text: str, where: str) -> Value:
    """A key's text as the formula sees it."""
    try:
        if key == "month":
            return date.fromisoformat(f"{text}-01")
        value = figure_of(text, key.removeprefix("band:")) if key.startswith("band:") else text
    except ValueError as fault:
        raise PackError(f"a key of {key} cannot be read: {fault}", where=where) from None
    return cast("Value", value)  # a ratio stays one: the executor hands what the household is on as it is


def _held(value: Scalar, unit: str, where: str) -> Scalar:
    """A value as the figure it is written as; PackError if it cannot be written exactly."""
    try:
        if isinstance(value, Fraction) and unit != "ratio" and value.denominator != 1:
            raise ValueError("more decimals than can be held")
        return figure_of(
            figure_text(int(value) if isinstance(value, Fraction) and unit != "ratio" else value, unit), unit
        )
    except ValueError as fault:
        what = f"what the formula gives is no {unit}: {getattr(fault, 'what', fault)}"
        raise PackError(what, where=where, remedy="Round it as it is published, or publish the figure") from None
