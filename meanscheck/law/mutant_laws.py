"""Which mutants has a folder of law, and what is a law with one of them?

`mutants_of(pack)` lists the faults (`mutants`) of everything that the pack's own folder states: each formula and each
figure of each revision, each test, review and precedence of a programme. `Mutant.law` puts one into a law that took
its revision.

Choices
    Revisions of one thing in one file that say the same are one mutant in all of them together: whether two formulas
    are alike is seen without a case, and a slip in one of them makes it differ, so that it stands alone again.
    Trees are changed, not files: the law of a day is resolved once, and a mutant costs a few nodes. A reviewed test
    reads copies of variables; they have the shape of the original, so a fault is put at the same place in each.
    A figure from which others are derived takes them along, as it would in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from meanscheck.law import tables
from meanscheck.law.audit import ENGINE_FIGURES
from meanscheck.law.case_runs import CaseRun, is_in
from meanscheck.law.chosen import Key, Stated, stated_of
from meanscheck.law.derived import derived_figure
from meanscheck.law.law import Law, Parameter, Programme
from meanscheck.law.mutants import FigureChange, Path, Table, TreeChange, changed, changes_in_figure, changes_in_tree
from meanscheck.law.pack import FigureRevision, FormulaRevision, keys_of
from meanscheck.law.resolve import RulePack
from meanscheck.law.tree import Node, figures_in
from meanscheck.law.types import BOOL, UNITS


@dataclass(frozen=True, slots=True, eq=False)
class Mutant:
    """One fault in what a folder states.

    `id` tells it from all others of the folder, in words; `keys` are the revisions that it is in (none for what stands
    beside them in a programme) and `since` their first days; `path` is the place in their trees, None where the fault
    is in no tree; `law` puts it into the law of a case that took one of them.
    """

    id: str
    file: str
    thing: str
    told: str
    needed: str
    since: tuple[date, ...]
    keys: frozenset[Key]
    path: Path | None
    law: Callable[[CaseRun], Law]

    def is_in(self, run: CaseRun) -> bool:
        """Whether the law of a case took what is changed."""
        if not self.keys:
            programme, _, _ = self.thing.removeprefix("programme ").partition(", ")
            stanzas = run.pack.programmes.get(programme)
            return (
                stanzas is not None
                and any(p.id == programme for p in run.law.programmes)
                and self.file in (place for place, _ in stanzas)
            )
        stated = run.chosen.get(self.thing)
        return stated is not None and stated.key in self.keys and is_in(run.law, stated)


def mutants_of(pack: RulePack) -> tuple[Mutant, ...]:
    """Every mutant of a pack's own folder, in the order of its files."""
    found = [m for group in groups_of(pack) for m in _of_group(pack, group)]
    found += _of_programmes(pack)
    seen: dict[str, int] = {}
    result: list[Mutant] = []
    for mutant in found:
        seen[mutant.id] = seen.get(mutant.id, 0) + 1
        # The same words may fit two places of one formula.
        again = "" if seen[mutant.id] == 1 else f" (no. {seen[mutant.id]})"
        result.append(replace(mutant, id=mutant.id + again))
    return tuple(result)


def groups_of(pack: RulePack) -> tuple[tuple[Stated, ...], ...]:
    """The revisions that a pack's own folder states of what rules read, those that say the same together."""
    groups: dict[tuple[object, ...], list[Stated]] = {}
    for stated in stated_of(pack.levels[-1]):
        if not stated.revision.unknown and stated.thing.removeprefix("parameter ") not in ENGINE_FIGURES:
            groups.setdefault((stated.file, stated.thing, *_content(pack, stated)), []).append(stated)
    return tuple(tuple(group) for group in groups.values())


def _content(pack: RulePack, stated: Stated) -> tuple[object, ...]:
    """What a revision says, for comparing."""
    revision = stated.revision
    if isinstance(revision, FigureRevision) and revision.value is not None:
        unit, by = _unit_and_keys(pack, stated.thing)
        return ("figures", tuple(sorted(_table(revision, unit, by).items())))
    return ("formula", tree_of(pack, stated))


def _unit_and_keys(pack: RulePack, thing: str) -> tuple[str, tuple[str, ...]]:
    stanzas = pack.parameters[thing.removeprefix("parameter ")]
    return stanzas.needed("unit", lambda p: p.unit), keys_of(stanzas.nearest(lambda p: p.by))


def _table(revision: FigureRevision, unit: str, by: Sequence[str]) -> Table:
    return tables.read(revision.value, unit, by, "")


def tree_of(pack: RulePack, stated: Stated) -> Node:
    """The tree of a revision's formula as the file says it."""
    kind, _, name = stated.thing.partition(" ")
    if isinstance(stated.revision, FigureRevision):
        return pack.figure_tree(stated.revision, *_unit_and_keys(pack, stated.thing), stated.file)
    assert isinstance(stated.revision, FormulaRevision)
    if kind == "variable":
        signature = pack.scope.variables[name]
        return pack.tree(stated.revision, entity=signature.entity, t=signature.type, where=stated.file)
    programme, _, part = name.partition(", ")
    t = BOOL
    if part == "award":
        award = pack.programmes[programme].only("award", lambda p: p.award)
        assert award is not None
        t = UNITS[award.needed("unit", lambda a: a.unit)]
    return pack.tree(stated.revision, entity=pack.scope.programmes[programme], t=t, where=stated.file)


def _of_group(pack: RulePack, group: Sequence[Stated]) -> Iterator[Mutant]:
    """The mutants of revisions that say the same."""
    first = group[0]
    since = tuple(sorted(s.revision.in_force_on for s in group))
    keys = frozenset(s.key for s in group)
    name = f"{first.thing} {since[0]}"

    def mutant(told: str, needed: str, path: Path | None, law: Callable[[CaseRun], Law]) -> Mutant:
        return Mutant(f"{name}: {told}", first.file, first.thing, told, needed, since, keys, path, law)

    revision = first.revision
    if isinstance(revision, FigureRevision) and revision.value is not None:
        unit, by = _unit_and_keys(pack, first.thing)
        for change in changes_in_figure(_table(revision, unit, by), unit, by):
            yield mutant(change.told, change.needed, None, partial(_with_figure, first.thing, change))
        return
    for tree_change in changes_in_tree(tree_of(pack, first)):
        put = _with_derived_by if isinstance(revision, FigureRevision) else _with_tree
        yield mutant(tree_change.told, tree_change.needed, tree_change.path, partial(put, first.thing, tree_change))
    if ", test " in first.thing:
        needed = "a case in which only this test fails"
        yield mutant("test left out", needed, (), partial(_without_test, first.thing))


def _of_programmes(pack: RulePack) -> Iterator[Mutant]:
    """What a programme says beside its revisions: to which it gives way, which feeds its tests ask to be reviewed."""
    for file, programme in pack.levels[-1].programmes:
        thing = f"programme {programme.id}"
        since = (programme.in_force_on or pack.first_day,)
        for rule in programme.yields_to or ():
            told = f"gives way to {rule.programme} left out"
            needed = f"a case that is eligible for {rule.programme} and would be for {programme.id}"
            law = partial(_without_yield, programme.id, rule.programme)
            yield Mutant(f"{thing}: {told}", file, thing, told, needed, since, frozenset(), None, law)
        for test in programme.test:
            if test.review:
                named = f"{thing}, test {test.id}"
                needed = f"a case with a row of {', '.join(test.review)} without a finding on which the test turns"
                law = partial(_without_review, named)
                yield Mutant(
                    f"{named}: review left out", file, named, "review left out", needed, since, frozenset(), None, law
                )


# ---- laws


def _with_tree(thing: str, change: TreeChange, run: CaseRun) -> Law:
    """A law with a changed tree of a variable (and its reviewed copies), test or award."""
    law = run.law
    kind, _, name = thing.partition(" ")
    if kind == "variable":
        # A membership stands inside what the language asks of every member: see `RulePack.on`.
        inside = len(law.variables[name].tree.nodes) - 1 if name in law.memberships else None
        path = change.path if inside is None else (inside, *change.path)
        variables = {
            v.id: replace(v, tree=changed(v.tree, path, change.make))
            if v.id == name or v.id.startswith(f"{name}~")
            else v
            for v in law.variables.values()
        }
        return replace(law, variables=variables)
    programme_id, _, part = name.partition(", ")
    return _with_programme(law, programme_id, lambda p: _with_part(p, part, change))


def _with_part(programme: Programme, part: str, change: TreeChange) -> Programme:
    if part == "award":
        assert programme.award is not None
        tree = changed(programme.award.tree, change.path, change.make)
        return replace(programme, award=replace(programme.award, tree=tree))
    tests = (
        replace(t, tree=changed(t.tree, change.path, change.make)) if f"test {t.id}" == part else t
        for t in programme.tests
    )
    return replace(programme, tests=tuple(tests))


def _with_programme(law: Law, name: str, make: Callable[[Programme], Programme]) -> Law:
    return replace(law, programmes=tuple(make(p) if p.id == name else p for p in law.programmes))


def _without_test(thing: str, run: CaseRun) -> Law:
    programme, _, test = thing.removeprefix("programme ").partition(", test ")
    return _with_programme(run.law, programme, lambda p: replace(p, tests=tuple(t for t in p.tests if t.id != test)))


def _without_yield(programme: str, other: str, run: CaseRun) -> Law:
    return _with_programme(
        run.law, programme, lambda p: replace(p, yields_to=tuple(y for y in p.yields_to if y.programme != other))
    )


def _without_review(thing: str, run: CaseRun) -> Law:
    programme, _, test = thing.removeprefix("programme ").partition(", test ")
    return _with_programme(
        run.law,
        programme,
        lambda p: replace(p, tests=tuple(replace(t, tree=_unreviewed(t.tree)) if t.id == test else t for t in p.tests)),
    )


def _unreviewed(tree: Node) -> Node:
    if tree.op == "agg":
        return replace(tree, args=(*tree.args[:-1], False))
    if tree.op == "var":
        return replace(tree, args=(str(tree.args[0]).partition("~")[0],))
    return replace(tree, args=tuple(_unreviewed(a) if isinstance(a, Node) else a for a in tree.args))


def _with_figure(thing: str, change: FigureChange, run: CaseRun) -> Law:
    name = thing.removeprefix("parameter ")
    figure = replace(run.law.parameters[name], table=change.table)
    return _with_parameters(run, _rederived(run, {**run.law.parameters, name: figure}, {name}))


def _with_parameters(run: CaseRun, parameters: Mapping[str, Parameter]) -> Law:
    """A law with other figures, also where a formula asks for them as those of a place."""
    law = run.law
    moved = {name: p for name, p in parameters.items() if p is not law.parameters[name]}
    places = {
        name: {
            code: moved[name] if name in moved and _is_same(p, law.parameters[name]) else p for code, p in there.items()
        }
        for name, there in law.places.items()
    }
    return replace(law, parameters=parameters, places=places)


def _is_same(a: Parameter, b: Parameter) -> bool:
    return (a.table, a.cite, a.unknown) == (b.table, b.cite, b.unknown)


def _with_derived_by(thing: str, change: TreeChange, run: CaseRun) -> Law:
    name = thing.removeprefix("parameter ")
    tree = changed(_derived_tree(run, name), change.path, change.make)
    parameters = {**run.law.parameters, name: _derived(run, name, tree, run.law.parameters)}
    return _with_parameters(run, _rederived(run, parameters, {name}))


def _derived_tree(run: CaseRun, name: str) -> Node:
    return tree_of(run.pack, run.chosen[f"parameter {name}"])


def _derived(run: CaseRun, name: str, tree: Node, parameters: Mapping[str, Parameter]) -> Parameter:
    stated = run.chosen[f"parameter {name}"]
    assert isinstance(stated.revision, FigureRevision)
    return derived_figure(
        replace(run.law.parameters[name], table={}),
        tree,
        keys=stated.revision.paths,
        read={used: parameters.get(used) for used in figures_in(tree)},
        on=run.law.on,
        where=stated.file,
    )


def _rederived(run: CaseRun, parameters: Mapping[str, Parameter], changed_ones: set[str]) -> Mapping[str, Parameter]:
    """The figures with those derived from changed ones reckoned again."""
    result = dict(parameters)
    waiting = [n for n, p in run.law.parameters.items() if p.formula and n not in changed_ones]
    moved = set(changed_ones)
    progress = True
    while progress:
        progress = False
        for name in list(waiting):
            tree = _derived_tree(run, name)
            read = set(figures_in(tree))
            if read & moved and not read & set(waiting):
                result[name] = _derived(run, name, tree, result)
                moved.add(name)
                waiting.remove(name)
                progress = True
            elif not read & set(waiting) and not read & moved:
                waiting.remove(name)
                progress = True
    return result
