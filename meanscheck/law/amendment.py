"""In what do two laws differ, and what would one of the differences do by itself?

A `Change` is a figure, a variable, a test, an award or a whole programme that is not the same in both. `with_change`
gives the old law with that one change made, so that its effect can be seen apart from the others'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar

from meanscheck.errors import PackError
from meanscheck.law.figures import ANY_KEY, figure_text
from meanscheck.law.law import Award, Law, LawTest, Parameter, Programme, Variable
from meanscheck.law.order import Item, reads
from meanscheck.law.tables import key_text, rows_of
from meanscheck.law.tree import Node, figures_in

Kind: TypeAlias = Literal[
    "figure", "variable", "test", "award", "programme", "precedence", "membership", "contradiction"
]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `programme` is empty for what belongs to none; `before` and `after` are None where it is absent,
    else the figure (yuan, square metres) or the formula; `cite` is the new law's source, else the old one's."""

    kind: Kind
    programme: str
    id: str
    label: str
    label_zh: str
    before: str | None
    after: str | None
    cite: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name in the pack, such as ``dibao.standard`` or ``dibao: test income``."""
        if self.kind in ("test", "award", "precedence", "membership"):
            return f"{self.programme}: {self.kind}" + (f" {self.id}" if self.id else "")
        return self.id


def changes(old: Law, new: Law) -> tuple[Change, ...]:
    """All differences: figures, variables, programmes with their tests and awards, contradictions, each by id."""
    found = [*_of("figure", "", _figures(old), _figures(new), _figure_key, _figure)]
    found += _of("variable", "", old.variables, new.variables, lambda v: v.tree, _formula)
    mine, theirs = ({p.id: p for p in law.programmes} for law in (old, new))
    for name in dict.fromkeys([*mine, *theirs]):
        if name not in mine or name not in theirs:
            sides = [{name: x[name]} if name in x else {} for x in (mine, theirs)]
            found += _of("programme", name, sides[0], sides[1], id, _name)
            continue
        one, other = mine[name], theirs[name]
        found += _of("test", name, _tests(one), _tests(other), lambda t: t.tree, _formula)
        found += _of("award", name, _awards(one), _awards(other), lambda a: a.tree, _formula)
        before, after = (", ".join(f"{y.programme} ({y.when})" for y in p.yields_to) for p in (one, other))
        if before != after:
            found.append(Change("precedence", name, "", other.label, other.label_zh, before, after, ()))
        if one.members != other.members:
            both = (one.members, other.members)
            found.append(Change("membership", name, "", other.label, other.label_zh, *both, ()))
    found += _of("contradiction", "", old.conflicts, new.conflicts, lambda c: c.to_json(), lambda c: c.rule)
    return tuple(found)


def with_change(old: Law, new: Law, change: Change) -> Law | None:
    """The old law with one change made; figures and variables that only the new law knows are there to be read. None
    where the change makes no law by itself: it reads what has no value, or is read as something of another unit."""
    if _is_of_another_kind(old, new, change):
        return None
    parameters = {**new.parameters, **old.parameters}
    variables = {**new.variables, **old.variables}
    programmes, conflicts = list(old.programmes), dict(old.conflicts)
    places = {**new.places, **old.places}
    theirs = {p.id: p for p in new.programmes}
    if change.kind == "figure":
        _put(parameters, new.parameters, change.id)
        _put(places, new.places, change.id)
    elif change.kind == "variable":
        _put(variables, new.variables, change.id)
    elif change.kind == "contradiction":
        _put(conflicts, new.conflicts, change.id)
    elif change.programme not in {p.id for p in programmes}:
        programmes.append(theirs[change.programme])
    elif change.programme not in theirs:
        programmes = [p for p in programmes if p.id != change.programme]
    else:
        programmes = [_programme(p, theirs[p.id], change) if p.id == change.programme else p for p in programmes]
    law = replace(
        old,
        parameters=parameters,
        variables=variables,
        programmes=tuple(programmes),
        conflicts=conflicts,
        places=places,
    )
    try:
        law.order  # noqa: B018
    except PackError:
        return None
    return None if any(name not in parameters for tree in law.trees for name in figures_in(tree)) else law


def _is_of_another_kind(old: Law, new: Law, change: Change) -> bool:
    if change.kind == "figure":
        one, other = old.parameters.get(change.id), new.parameters.get(change.id)
        return one is not None and other is not None and (one.unit, one.by) != (other.unit, other.by)
    if change.kind == "variable":
        mine, theirs = old.variables.get(change.id), new.variables.get(change.id)
        return mine is not None and theirs is not None and (mine.unit, mine.entity) != (theirs.unit, theirs.entity)
    return False


def touches(law: Law, programme: str) -> frozenset[tuple[Kind, str, str]]:
    """(kind, programme, id) of all that a programme's outcome may depend on in this law, itself included."""
    own = {p.id: p for p in law.programmes}
    seen: set[Item] = set()
    found: set[tuple[Kind, str, str]] = {("contradiction", "", name) for name in law.conflicts}
    waiting: list[Item] = [("programme", programme), *(("variable", name) for name in law.memberships)]
    while waiting:
        item = waiting.pop()
        if item in seen:
            continue
        seen.add(item)
        kind, name = item
        trees: tuple[Node, ...] = ()
        if kind == "variable" and name in law.variables:
            found.add(("variable", "", name))
            trees = (law.variables[name].tree,)
        elif kind == "programme" and name in own:
            p = own[name]
            found |= {
                ("programme", name, name),
                ("award", name, ""),
                ("precedence", name, ""),
                ("membership", name, ""),
            }
            found |= {("test", name, t.id) for t in p.tests}
            waiting += [("programme", y.programme) for y in p.yields_to]
            trees = p.trees
        for tree in trees:
            waiting += reads(tree)
            found |= {("figure", "", name) for name in figures_in(tree)}
    return frozenset(found)


def _tests(p: Programme) -> dict[str, LawTest]:
    return {t.id: t for t in p.tests}


def _awards(p: Programme) -> dict[str, Award]:
    return {} if p.award is None else {"": p.award}


def _put(into: dict[str, T], source: Mapping[str, T], name: str) -> None:
    if name in source:
        into[name] = source[name]
    else:
        into.pop(name, None)


def _programme(old: Programme, new: Programme, change: Change) -> Programme:
    if change.kind == "award":
        return replace(old, award=new.award)
    if change.kind == "precedence":
        return replace(old, yields_to=new.yields_to)
    if change.kind == "membership":
        return replace(old, members=new.members)
    tests = _tests(old)
    _put(tests, _tests(new), change.id)
    return replace(old, tests=tuple(tests.values()))


def _of(
    kind: Kind,
    programme: str,
    old: Mapping[str, T],
    new: Mapping[str, T],
    key: Callable[[T], object],
    text: Callable[[T], str],
) -> Iterator[Change]:
    for name in dict.fromkeys([*old, *new]):
        one, other = old.get(name), new.get(name)
        if one is not None and other is not None and key(one) == key(other):
            continue
        shown = other if other is not None else one
        label, label_zh = (str(getattr(shown, n, "") or name) for n in ("label", "label_zh"))
        before, after = (None if x is None else text(x) for x in (one, other))
        yield Change(kind, programme, name, label, label_zh, before, after, tuple(getattr(shown, "cite", ())))


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure, here and where formulas ask for it at other places (by division code)."""

    here: Parameter
    there: tuple[tuple[str, Parameter], ...]

    @property
    def label(self) -> str:
        return self.here.label

    @property
    def label_zh(self) -> str:
        return self.here.label_zh

    @property
    def cite(self) -> tuple[str, ...]:
        return self.here.cite


def _figures(law: Law) -> dict[str, _Figure]:
    return {name: _Figure(p, tuple(sorted(law.places.get(name, {}).items()))) for name, p in law.parameters.items()}


def _figure_key(f: _Figure) -> object:
    return [(code, p.unknown, p.unit, p.by, dict(p.table)) for code, p in (("", f.here), *f.there)]


def _figure(f: _Figure) -> str:
    elsewhere = [f"{code}: {_one_figure(p)}" for code, p in f.there]
    return "; ".join([_one_figure(f.here), *elsewhere])


def _one_figure(p: Parameter) -> str:
    if p.unknown:
        return f"unknown ({p.unknown})"
    entries = rows_of(p)
    if len({v for _, v in entries}) == 1 or entries[0][0] in ((), ANY_KEY):
        return figure_text(entries[0][1], p.unit)
    return ", ".join(f"{key_text(k, p.by)} {figure_text(v, p.unit)}" for k, v in entries)


def _formula(item: Variable | LawTest | Award) -> str:
    return " ".join(item.formula.split()) or "unknown"


def _name(p: Programme) -> str:
    return p.label
