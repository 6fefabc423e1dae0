"""Which revision of everything applies on a day, as known by a day?

`RulePack.load(path)` reads the folder and those above it, checks every formula of every revision and walks every day on
which anything changes (`pack_checks`), so that a gap, an overlap, a dangling citation or a type error shows at load.
`RulePack.on(day)` gives the `Law`.

Of the revisions with ``published_on <= known_by`` the one with the latest ``in_force_on <= on``, then the latest
published, applies. A folder's own revisions go before those it inherits for the days they cover.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from meanscheck.errors import PackError
from meanscheck.law import pack_checks
from meanscheck.law.check import ParameterSignature, Scope, VariableSignature, check_formula
from meanscheck.law.conflicts.kinds import MEMBERSHIP
from meanscheck.law.derived import constant_tree
from meanscheck.law.law import Instrument, Law, Parameter, Variable
from meanscheck.law.levels import Level, folder_of, levels_of
from meanscheck.law.locating import located
from meanscheck.law.months import check_counts
from meanscheck.law.names import attribute_types, feed_types
from meanscheck.law.one_day import OneDay
from meanscheck.law.overlay import Overlay
from meanscheck.law.pack import (
    FigureRevision,
    FormulaRevision,
    InstrumentModel,
    NotApplied,
    Revision,
    keys_of,
)
from meanscheck.law.places import Neighbours, with_places
from meanscheck.law.rewrite import with_memberships, with_review, without_absent
from meanscheck.law.stanzas import gathered
from meanscheck.law.tree import IS_MEMBER, Node
from meanscheck.law.types import BOOL, NUMBER, UNITS, Type

R = TypeVar("R", bound=Revision)


class RulePack:
    """A jurisdiction's law through time. Build it with `load`."""

    def __init__(self, levels: Sequence[Level]) -> None:
        self.levels = tuple(levels)
        self.place = self.levels[-1].place
        self.code = self.levels[-1].pack.code
        self.name = self.levels[-1].pack.name
        self.instruments: dict[str, InstrumentModel] = {i.id: i for level in levels for i in level.pack.instrument}
        self.parameters = gathered("parameter", (item for level in levels for item in level.parameters))
        self.variables = gathered("variable", (item for level in levels for item in level.variables))
        self.programmes = gathered("programme", (item for level in levels for item in level.programmes))
        self.conflicts = gathered("conflict", (item for level in levels for item in level.conflicts))
        self._trees: dict[tuple[str, str, Type], Node] = {}
        self.scope = self._scope()
        self.neighbours = Neighbours(self, RulePack)

    @classmethod
    def load(cls, path: str | Path, *, overlay: str | Path | None = None) -> RulePack:
        """Read, check and walk a pack.

        Args:
            path: its folder; a path below ``rules/`` is also looked for in the installed rules.
            overlay: a file of what-if law to lay on top; see `overlay`.

        Raises:
            PackError: naming file, line, key, position, reason and mend.
        """
        try:
            levels = levels_of(path)
            pack = cls(levels if overlay is None else (*levels, Overlay(overlay, levels)))
            pack_checks.check(pack)
        except PackError as fault:
            raise located(fault, folder_of(path), None if overlay is None else Path(overlay)) from None
        return pack

    @property
    def not_applied(self) -> tuple[NotApplied, ...]:
        """Measures left to the locality for which no local text was found."""
        return tuple(n for level in self.levels for n in level.pack.not_applied)

    @property
    def first_day(self) -> date:
        """First day on which any programme is in force here."""
        days = [d for level in self.levels if (d := level.pack.first_day)]
        if days:
            return max(days)
        starts = [d for s in self.programmes.values() if (d := s.nearest(lambda p: p.in_force_on))]
        return min(
            [*starts, *(r.in_force_on for _, revisions in self.revisions() for r in revisions)], default=date.min
        )

    def revisions(self) -> Iterable[tuple[str, Sequence[Revision]]]:
        """Every sequence of revisions, with the file and the thing they belong to."""
        for parameter in self.parameters.values():
            yield from ((f"{place}: {parameter.name}", p.revision) for place, p in parameter)
        for variable in self.variables.values():
            yield from ((f"{place}: {variable.name}", v.revision) for place, v in variable)
        for programme in self.programmes.values():
            for test in programme.parts("test", lambda p: p.test).values():
                yield from ((f"{place}: {test.name}", t.revision) for place, t in test)
            award = programme.only("award", lambda p: p.award)
            if award is not None:
                yield from ((f"{place}: {award.name}", a.revision) for place, a in award)
            yield from ((f"{place}: {programme.name}, managed_by", p.managed_by) for place, p in programme)
        for conflict in self.conflicts.values():
            yield from ((f"{place}: {conflict.name}", c.revision) for place, c in conflict)

    def boundary_days(self) -> list[date]:
        """Every day from the pack's first on which some revision or programme begins or ends."""
        days = {self.first_day}
        for _, revisions in self.revisions():
            days |= {r.in_force_on for r in revisions}
            days |= {r.ends_on + timedelta(days=1) for r in revisions if r.ends_on}
        for stanzas in self.programmes.values():
            start, end = stanzas.nearest(lambda p: p.in_force_on), stanzas.nearest(lambda p: p.ends_on)
            days |= {start} if start else set()
            days |= {end + timedelta(days=1)} if end else set()
        return sorted(d for d in days if d >= self.first_day)

    # ---- what may be named

    def _scope(self) -> Scope:
        parameters = {
            name: ParameterSignature(UNITS[s.needed("unit", lambda p: p.unit)], len(by), by)
            for name, s in self.parameters.items()
            for by in (keys_of(s.nearest(lambda p: p.by)),)
        }
        variables = {"size": VariableSignature("household", NUMBER)}
        for name, stanzas in self.variables.items():
            where = f"{stanzas.place}: {stanzas.name}"
            if name in parameters:
                raise PackError("a parameter has the same name", where=where, remedy="Rename one")
            t = UNITS[stanzas.needed("unit", lambda v: v.unit)]
            choices = stanzas.nearest(lambda v: v.choices)
            if t.kind == "text" and choices:
                t = Type("text", choices=frozenset(choices))
            variables[name] = VariableSignature(stanzas.needed("entity", lambda v: v.entity), t)
        if IS_MEMBER in variables and variables[IS_MEMBER] != VariableSignature("member", BOOL):
            raise PackError("is_member is a yes/no of a member", where=f"{self.place}: variable is_member")
        programmes: dict[str, str] = {
            name: s.needed("entity", lambda p: p.entity) for name, s in self.programmes.items()
        }
        return Scope(feed_types(), attribute_types(), parameters, variables, programmes)

    def tree(self, revision: FormulaRevision, *, entity: str, t: Type, where: str) -> Node:
        """The checked tree of a revision's formula, which must have type `t`."""
        key = (revision.formula, entity, t)
        if key not in self._trees:
            node = check_formula(revision.formula, entity=entity, scope=self.scope, where=where)
            pack_checks.fits(node.type, t, where)
            self._trees[key] = node
        return self._trees[key]

    def figure_tree(self, revision: FigureRevision, unit: str, by: Sequence[str], where: str) -> Node:
        """The checked tree of the formula from which a figure is derived."""
        key = (revision.formula, ",".join(("figure", *by)), UNITS[unit])
        if key not in self._trees:
            self._trees[key] = constant_tree(revision.formula, by=by, unit=unit, scope=self.scope, where=where)
        return self._trees[key]

    # ---- resolution

    def on(
        self,
        day: date,
        *,
        known_by: date | None = None,
        accept: Collection[str] = (),
        overlay: Mapping[str, object] | None = None,
    ) -> Law:
        """The law of a day.

        Args:
            day: `on`, the day whose law and facts count.
            known_by: only what was published by then counts; the same day unless given.
            accept: names of figures marked unsure that this deployment accepts.
            overlay: parameter → figure (yuan as text; a scalar stands for every key): what-if, counts as accepted.

        Raises:
            PackError: if a name is not in the pack, a figure of the overlay is faulty, or the law of that day has a
            gap.
        """
        chosen = OneDay(self, day, known_by or day, frozenset(accept), overlay or {})
        for name in (*chosen.accept, *chosen.overlay):
            if name not in self.parameters and (name not in self.variables or name in chosen.overlay):
                raise PackError(f"no parameter {name}", where=self.place, remedy="`meanscheck rules show` lists them")
        figures = (chosen.figure(name) for name in sorted(self.parameters))
        parameters = {p.id: p for p in figures if p is not None}
        rules = (chosen.variable(self.variables[name], name) for name in sorted(self.variables))
        variables = {v.id: v for v in rules if v is not None}
        kinds = (chosen.conflict(self.conflicts[name], name) for name in sorted(self.conflicts))
        conflicts = {c.id: c for c in kinds if c is not None}
        forms = (chosen.programme(stanzas, name) for name, stanzas in self.programmes.items())
        programmes = [p for p in forms if p is not None]
        if IS_MEMBER in variables:
            member = variables[IS_MEMBER]
            names = ("listed", "undisputed") if any(MEMBERSHIP in c.doubts for c in conflicts.values()) else ("listed",)
            leaves = tuple(Node(name, (), BOOL, "member") for name in names)
            for name in {IS_MEMBER, *(p.members for p in programmes)} & set(variables):
                of = variables[name]
                variables[name] = replace(of, tree=Node("and", (*leaves, of.tree), BOOL, "member"))
            count = Node("members", ("count", None, None), NUMBER, "household")
            variables["size"] = Variable(
                "size", "household", "number", "members of the household", "家庭人口", "size", count, member.cite
            )
        programmes, variables = without_absent(programmes, variables)
        programmes, variables = with_memberships(programmes, variables)
        programmes, variables = with_review(programmes, variables)
        law = Law(
            code=self.code,
            name=self.name,
            on=day,
            known_by=chosen.known_by,
            accepted=tuple(sorted({*chosen.accept, *chosen.overlay})),
            parameters=parameters,
            variables=variables,
            programmes=tuple(programmes),
            instruments={},
            conflicts=conflicts,
            bounds=True,
        )
        cited = sorted({c.split("#")[0] for c in law.citations})
        law = replace(law, instruments={i: instrument_of(self.instruments[i]) for i in cited if i in self.instruments})
        check_counts(law)
        return with_places(law, self.neighbours, chosen.accept)

    def figures(
        self, names: Iterable[str], day: date, *, known_by: date, accept: frozenset[str]
    ) -> Iterator[Parameter]:
        """Some parameters on a day; those of which the pack has no revision then are left out."""
        chosen = OneDay(self, day, known_by, accept, {})
        for name in names:
            figure = chosen.figure(name) if name in self.parameters else None
            if figure is not None:
                yield figure

    def instrument(self, name: str) -> Instrument | None:
        """A legal text that the pack may cite."""
        return instrument_of(self.instruments[name]) if name in self.instruments else None

    def published_on(self, revision: Revision) -> date:
        """The revision's publication: its own, else that of its first cited instrument, else the day in force."""
        if revision.published_on:
            return revision.published_on
        instrument = self.instruments.get(revision.cite[0].split("#")[0]) if revision.cite else None
        if instrument is None:
            return revision.in_force_on
        return instrument.published_on or instrument.issued_on or revision.in_force_on

    def choose(self, by_level: Iterable[Sequence[R]], on: date, known_by: date) -> R | None:
        """The revision that applies; `by_level` runs from the folder itself upwards."""
        for revisions in by_level:
            fits = [
                r
                for r in revisions
                if r.in_force_on <= on and (r.ends_on is None or on <= r.ends_on) and self.published_on(r) <= known_by
            ]
            if fits:
                return max(fits, key=lambda r: (r.in_force_on, self.published_on(r)))
        return None


def instrument_of(model: InstrumentModel) -> Instrument:
    """What the recorded law keeps of a cited text."""
    issued, in_force = (str(d or "") for d in (model.issued_on or model.published_on, model.in_force_on))
    return Instrument(model.id, model.title, model.number, issued, in_force, model.source)
