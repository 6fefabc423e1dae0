"""What does a pack say of one thing on one day, as known by one day?

The parts of a `Law` before it is put together: each from the revision that `RulePack.choose` finds. Where nothing was
published yet that applies, but something was later, the part is there and unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from meanscheck.law import tables
from meanscheck.law.conflicts.kinds import Conflict
from meanscheck.law.derived import Once, derived_figure
from meanscheck.law.figures import figure_of
from meanscheck.law.law import Award, LawTest, Manager, Parameter, Programme, Variable, Yield
from meanscheck.law.pack import (
    ConflictModel,
    FormulaRevision,
    ParameterModel,
    ProgrammeModel,
    Revision,
    VariableModel,
    keys_of,
    quote_of,
)
from meanscheck.law.stanzas import Stanzas
from meanscheck.law.tree import IS_MEMBER, Node, figures_in
from meanscheck.law.types import BOOL, MICRO, UNITS, Type

if TYPE_CHECKING:
    from meanscheck.law.resolve import RulePack

R = TypeVar("R", bound=Revision)


class OneDay:
    """What applies on one day, as known by one day."""

    def __init__(
        self, pack: RulePack, on: date, known_by: date, accept: frozenset[str], overlay: Mapping[str, object]
    ) -> None:
        self.pack, self.on, self.known_by, self.accept, self.overlay = pack, on, known_by, accept, overlay
        self.figure = Once(lambda name: self.parameter(pack.parameters[name], name), pack.place)

    def revision(self, by_level: Iterable[Sequence[R]]) -> R | None:
        """The revision that applies."""
        return self.pack.choose(by_level, self.on, self.known_by)

    def parameter(self, stanzas: Stanzas[ParameterModel], name: str) -> Parameter | None:
        """A figure; None on a day for which the pack has no revision of it."""
        unit, keys = stanzas.needed("unit", lambda p: p.unit), keys_of(stanzas.nearest(lambda p: p.by))
        labels = (stanzas.nearest(lambda p: p.label) or name, stanzas.nearest(lambda p: p.label_zh) or name)
        where = f"{self.pack.place}: {stanzas.name}"
        if name in self.overlay:
            table = tables.read(self.overlay[name], unit, keys, where)
            return Parameter(name, unit, keys, table, "", "overlay", *labels, ())
        by_level = stanzas.upwards(lambda p: p.revision)
        revision = self.revision(by_level)
        if revision is None:
            later = self.pack.choose(by_level, self.on, date.max)
            if later is None:
                return None
            return Parameter(name, unit, keys, {}, "not published", "unsure", *labels, tuple(later.cite))
        unknown = revision.unknown or ("unsure" if revision.status == "unsure" and name not in self.accept else "")
        where = f"{where} {revision.in_force_on}"
        if revision.formula and revision.value is None and not unknown:
            tree = self.pack.figure_tree(revision, unit, keys, where)
            bare = Parameter(name, unit, keys, {}, "", revision.status, *labels, tuple(revision.cite), revision.formula)
            read = {used: self.figure(used) for used in figures_in(tree)}
            return derived_figure(bare, tree, keys=revision.paths, read=read, on=self.on, where=where)
        table = {} if unknown else tables.read(revision.value, unit, keys, where)
        parameter = Parameter(name, unit, keys, table, unknown, revision.status, *labels, tuple(revision.cite))
        if not revision.unknown or revision.status != "sourced":
            return parameter
        at_least, at_most = (
            {} if bound is None else tables.read(bound, unit, keys, f"{where}, bounds")
            for bound in (revision.at_least, revision.at_most)
        )
        return replace(parameter, at_least=at_least, at_most=at_most)

    def conflict(self, stanzas: Stanzas[ConflictModel], name: str) -> Conflict | None:
        """What follows from a kind of contradiction; None on a day for which the pack says nothing of it."""
        revision = self.revision(stanzas.upwards(lambda c: c.revision))
        if revision is None or revision.unknown:
            return None
        share = figure_of(revision.counts_share, "ratio")
        # A rule that is not sure settles nothing: a person decides.
        is_sure = revision.status != "unsure"
        return Conflict(
            id=name,
            label=stanzas.nearest(lambda c: c.label) or name,
            label_zh=stanzas.nearest(lambda c: c.label_zh) or name,
            doubts=tuple(revision.doubts),
            rule=revision.rule if is_sure else "person",
            holds=revision.holds if is_sure else "",
            least_fen=int(figure_of(revision.counts_from, "money")),  # type: ignore[arg-type]
            least_share=int(share * MICRO),  # type: ignore[operator]
            status=revision.status,
            threshold_status=revision.threshold_status,
            note=revision.note,
            cite=tuple(revision.cite),
        )

    def formula(self, revision: FormulaRevision, entity: str, t: Type, name: str, *, accepted: bool = False) -> Node:
        """The tree of a revision; an unknown one where it says so, or is unsure and not accepted."""
        if revision.unknown or (revision.status == "unsure" and not accepted):
            return Node("unknown", (name,), t, entity)
        where = f"{self.pack.place}: {name} {revision.in_force_on}"
        return self.pack.tree(revision, entity=entity, t=t, where=where)

    def variable(self, stanzas: Stanzas[VariableModel], name: str) -> Variable | None:
        """A variable; None on a day for which the pack has no revision of it."""
        signature = self.pack.scope.variables[name]
        unit = stanzas.needed("unit", lambda v: v.unit)
        labels = (stanzas.nearest(lambda v: v.label) or name, stanzas.nearest(lambda v: v.label_zh) or name)
        by_level = stanzas.upwards(lambda v: v.revision)
        revision = self.revision(by_level)
        if revision is None:
            later = self.pack.choose(by_level, self.on, date.max)
            if later is None:
                return None
            tree = Node("unknown", (stanzas.name,), signature.type, signature.entity)
            return Variable(name, signature.entity, unit, *labels, "", tree, tuple(later.cite))
        tree = self.formula(revision, signature.entity, signature.type, stanzas.name, accepted=name in self.accept)
        return Variable(name, signature.entity, unit, *labels, revision.formula, tree, tuple(revision.cite))

    def programme(self, stanzas: Stanzas[ProgrammeModel], name: str) -> Programme | None:
        """A programme; None on a day when it is not in force, or none of its tests was published."""
        start, end = stanzas.nearest(lambda p: p.in_force_on), stanzas.nearest(lambda p: p.ends_on)
        if (start and self.on < start) or (end and self.on > end):
            return None
        entity = self.pack.scope.programmes[name]
        tests: list[LawTest] = []
        for test_id, test in stanzas.parts("test", lambda p: p.test).items():
            revision = self.revision(test.upwards(lambda t: t.revision))
            if revision is not None:
                tests.append(
                    LawTest(
                        id=test_id,
                        label=test.nearest(lambda t: t.label) or test_id,
                        label_zh=test.nearest(lambda t: t.label_zh) or test_id,
                        formula=revision.formula,
                        tree=self.formula(revision, entity, BOOL, test.name),
                        quote=quote_of(test, revision),
                        review=tuple(test.nearest(lambda t: t.review) or ()),
                        cite=tuple(revision.cite),
                    )
                )
        if not tests:
            return None
        yields = tuple(Yield(y.programme, y.when) for y in stanzas.nearest(lambda p: p.yields_to) or ())
        labels = (stanzas.nearest(lambda p: p.label) or name, stanzas.nearest(lambda p: p.label_zh) or name)
        manager = self.revision(stanzas.upwards(lambda p: p.managed_by))
        managed_by = None if manager is None else Manager(manager.office, manager.office_zh, tuple(manager.cite))
        award, members = self.award(stanzas, entity), stanzas.nearest(lambda p: p.members) or IS_MEMBER
        return Programme(name, entity, *labels, tuple(tests), award, yields, managed_by, members)

    def award(self, stanzas: Stanzas[ProgrammeModel], entity: str) -> Award | None:
        """What an eligible one gets; None if the programme gives no amount. An amount not published is unknown."""
        award = stanzas.only("award", lambda p: p.award)
        if award is None:
            return None
        unit = award.needed("unit", lambda a: a.unit)
        by_level = award.upwards(lambda a: a.revision)
        revision = self.revision(by_level)
        if revision is None:
            later = self.pack.choose(by_level, self.on, date.max)
            if later is None:
                return None
            return Award(unit, "", Node("unknown", (award.name,), UNITS[unit], entity), tuple(later.cite))
        tree = self.formula(revision, entity, UNITS[unit], award.name)
        return Award(unit, revision.formula, tree, tuple(revision.cite))
