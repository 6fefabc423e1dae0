"""Which revision of everything applies on a day, as known by a day?

`RulePack.load(path)` reads the folder and those above it, checks every formula of every revision and walks every day on
which anything changes, so that a gap, an overlap, a dangling citation or a type error shows at load. `RulePack.on(day)`
gives the `Law`.

Of the revisions with ``published_on <= known_by`` the one with the latest ``in_force_on <= on``, then the latest published,
applies. A folder's own revisions go before those it inherits for the days they cover.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from meanscheck.errors import PackError
from meanscheck.law.check import ParameterSignature, Scope, VariableSignature, check_formula
from meanscheck.law.law import ANY_KEY, Award, Figure, Instrument, Law, LawTest, Parameter, Programme, Variable, Yield, figure_of
from meanscheck.law.names import attribute_types, feed_types
from meanscheck.law.pack import FigureRevision, FormulaRevision, InstrumentModel, Level, NotApplied, Revision, levels_of
from meanscheck.law.tree import Node
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
        self.parameters = _merged((level.place + "/parameters.toml", p) for level in levels for p in level.parameters)
        self.variables = _merged((level.place + "/rules.toml", v) for level in levels for v in level.variables)
        self.programmes = _merged((level.place + "/rules.toml", p) for level in levels for p in level.programmes)
        self._trees: dict[tuple[str, str, str], Node] = {}
        self.scope = self._scope()

    @classmethod
    def load(cls, path: str | Path) -> RulePack:
        """Read, check and walk a pack.

        Args:
            path: its folder; a path below ``rules/`` is also looked for in the installed rules.

        Raises:
            PackError: naming file, key, position, reason and mend.
        """
        pack = cls(levels_of(path))
        pack.check()
        return pack

    @property
    def not_applied(self) -> tuple[NotApplied, ...]:
        """Measures left to the locality for which no local text was found."""
        return tuple(n for level in self.levels for n in level.pack.not_applied)

    @property
    def first_day(self) -> date:
        """First day on which any programme is in force here."""
        days = [d for level in self.levels if (d := level.pack.first_day)]
        return max(days) if days else min(_first(s, "in_force_on") or date.max for s in self.programmes.values())

    # ---- what may be named

    def _scope(self) -> Scope:
        parameters: dict[str, ParameterSignature] = {}
        for name, stanzas in self.parameters.items():
            unit = _need(stanzas, "unit", "parameter", name)
            by = _first(stanzas, "by")
            keys = 0 if by is None else 1 if isinstance(by, str) else len(by)
            parameters[name] = ParameterSignature(UNITS[unit], keys)
        variables = {"size": VariableSignature("household", NUMBER)}
        for name, stanzas in self.variables.items():
            where = f"{stanzas[0][0]}: variable {name}"
            if name in parameters:
                raise PackError("a parameter has the same name", where=where, remedy="Rename one")
            t = UNITS[_need(stanzas, "unit", "variable", name)]
            choices = _first(stanzas, "choices")
            if t.kind == "text" and choices:
                t = Type("text", choices=frozenset(choices))
            variables[name] = VariableSignature(_need(stanzas, "entity", "variable", name), t)
        if "is_member" in variables and variables["is_member"] != VariableSignature("member", BOOL):
            raise PackError("is_member is a yes/no of a member", where=f"{self.place}: variable is_member")
        programmes = {name: _need(stanzas, "entity", "programme", name) for name, stanzas in self.programmes.items()}
        return Scope(feed_types(), attribute_types(), parameters, variables, programmes)

    def tree(self, revision: FormulaRevision, *, entity: str, t: Type, where: str) -> Node:
        """The checked tree of a revision's formula, which must have type `t`."""
        key = (where, revision.in_force_on.isoformat(), revision.formula)
        if key not in self._trees:
            node = check_formula(revision.formula, entity=entity, scope=self.scope, where=where)
            got = node.type
            fits = got.kind == t.kind and (got.dimension == t.dimension or got.zero)
            if fits and t.kind == "num":
                fits = got.form == "int" or (got.form == "micro" and t.form == "micro")
                if got.form == "exact":
                    raise PackError(
                        "an exact quotient cannot be stored", where=where, remedy='Round it: round_to(…, "fen", "half_up")'
                    )
            if fits and t.kind == "text" and t.choices is not None:
                fits = got.choices is not None and got.choices <= t.choices
            if not fits:
                raise PackError(f"the formula gives {got}, declared is {t}", where=where, remedy="Correct unit or formula")
            self._trees[key] = node
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
        """
        known = known_by or day
        overlay = overlay or {}
        for name in (*accept, *overlay):
            if name not in self.parameters and name not in self.variables:
                raise PackError(f"no parameter {name}", where=self.place, remedy="`meanscheck rules show` lists them")
        parameters = {
            name: p for name in sorted(self.parameters) if (p := self._parameter(name, day, known, accept, overlay))
        }
        variables = {name: v for name in sorted(self.variables) if (v := self._variable(name, day, known, accept))}
        if "is_member" in variables:
            member = variables["is_member"]
            listed = Node("listed", (), BOOL, "member")
            variables["is_member"] = replace(member, tree=Node("and", (listed, member.tree), BOOL, "member"))
            count = Node("members", ("count", None, None), NUMBER, "household")
            variables["size"] = Variable(
                "size", "household", "number", "members of the household", "家庭人口", "size", count, member.cite
            )
        programmes = [p for name in self.programmes if (p := self._programme(name, day, known, accept))]
        programmes, variables = _without_absent(programmes, variables)
        programmes, variables = _with_review(programmes, variables)
        cited = {c for p in parameters.values() for c in p.cite}
        cited |= {c for v in variables.values() for c in v.cite}
        for p in programmes:
            cited |= {c for t in p.tests for c in t.cite} | set(p.award.cite if p.award else ())
        ids = sorted({c.split("#")[0] for c in cited})
        return Law(
            code=self.code,
            name=self.name,
            on=day,
            known_by=known,
            accepted=tuple(sorted({*accept, *overlay})),
            parameters=parameters,
            variables=variables,
            programmes=tuple(programmes),
            instruments={i: _instrument(self.instruments[i]) for i in ids if i in self.instruments},
        )

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

    def _parameter(
        self, name: str, on: date, known_by: date, accept: Collection[str], overlay: Mapping[str, object]
    ) -> Parameter | None:
        stanzas = self.parameters[name]
        unit, by = _need(stanzas, "unit", "parameter", name), _first(stanzas, "by")
        keys = () if by is None else (by,) if isinstance(by, str) else tuple(by)
        where = f"{self.place}: parameter {name}"
        label, label_zh = _first(stanzas, "label") or name, _first(stanzas, "label_zh") or name
        if name in overlay:
            table = _table(overlay[name], unit, len(keys), where)
            return Parameter(name, unit, keys, table, "", "overlay", label, label_zh, ())
        revisions = [s.revision for _, s in reversed(stanzas)]
        revision = self.choose(revisions, on, known_by)
        if revision is None:
            later = self.choose(revisions, on, date.max)
            if later is None:
                return None
            return Parameter(name, unit, keys, {}, "not published", "unsure", label, label_zh, tuple(later.cite))
        unknown = revision.unknown or ("unsure" if revision.status == "unsure" and name not in accept else "")
        table = {} if revision.unknown else _table(revision.value, unit, len(keys), f"{where} {revision.in_force_on}")
        if unknown:
            table = {}
        return Parameter(name, unit, keys, table, unknown, revision.status, label, label_zh, tuple(revision.cite))

    def _variable(self, name: str, on: date, known_by: date, accept: Collection[str]) -> Variable | None:
        stanzas = self.variables[name]
        revision = self.choose([s.revision for _, s in reversed(stanzas)], on, known_by)
        if revision is None:
            return None
        signature = self.scope.variables[name]
        where = f"{self.place}: variable {name} {revision.in_force_on}"
        tree = self._formula(revision, signature.entity, signature.type, where, name in accept)
        labels = (_first(stanzas, "label") or name, _first(stanzas, "label_zh") or name)
        unit = _need(stanzas, "unit", "variable", name)
        return Variable(name, signature.entity, unit, *labels, revision.formula, tree, tuple(revision.cite))

    def _formula(self, revision: FormulaRevision, entity: str, t: Type, where: str, accepted: bool) -> Node:
        if revision.unknown or (revision.status == "unsure" and not accepted):
            return Node("unknown", (where.rsplit(" ", 1)[0].split(": ", 1)[1],), t, entity)
        return self.tree(revision, entity=entity, t=t, where=where)

    def _programme(self, name: str, on: date, known_by: date, accept: Collection[str]) -> Programme | None:
        stanzas = self.programmes[name]
        start, end = _first(stanzas, "in_force_on"), _first(stanzas, "ends_on")
        if (start and on < start) or (end and on > end):
            return None
        entity = self.scope.programmes[name]
        tests: dict[str, list[tuple[str, object]]] = {}
        for place, stanza in stanzas:
            for test in stanza.test:
                tests.setdefault(test.id, []).append((place, test))
        chosen: list[LawTest] = []
        for test_id, of_test in tests.items():
            revision = self.choose([t.revision for _, t in reversed(of_test)], on, known_by)  # type: ignore[attr-defined]
            if revision is None:
                continue
            where = f"{self.place}: programme {name}, test {test_id} {revision.in_force_on}"
            chosen.append(
                LawTest(
                    id=test_id,
                    label=_first(of_test, "label") or test_id,
                    label_zh=_first(of_test, "label_zh") or test_id,
                    formula=revision.formula,
                    tree=self._formula(revision, entity, BOOL, where, False),
                    quote=_first(of_test, "quote") or "",
                    review=tuple(_first(of_test, "review") or ()),
                    cite=tuple(revision.cite),
                )
            )
        awards = [(place, s.award) for place, s in stanzas if s.award is not None]
        award = None
        if awards:
            revision = self.choose([a.revision for _, a in reversed(awards)], on, known_by)
            unit = _need(awards, "unit", "award of", name)
            if revision is not None:
                where = f"{self.place}: programme {name}, award {revision.in_force_on}"
                tree = self._formula(revision, entity, UNITS[unit], where, False)
                award = Award(unit, revision.formula, tree, tuple(revision.cite))
        yields = tuple(Yield(y.programme, y.when) for y in (_first(stanzas, "yields_to") or ()))
        labels = (_first(stanzas, "label") or name, _first(stanzas, "label_zh") or name)
        if not chosen:
            return None
        return Programme(name, entity, *labels, tuple(chosen), award, yields)

    # ---- checks at load

    def check(self) -> None:
        """Every revision by itself, then every day on which anything changes."""
        for place, owner, revisions in self._all_revisions():
            where = f"{place}: {owner}"
            seen: dict[tuple[date, date], Revision] = {}
            ordered = sorted(revisions, key=lambda r: r.in_force_on)
            for r in ordered:
                if not r.cite:
                    raise PackError("citation is missing", where=f"{where} {r.in_force_on}", remedy='Add cite = ["…#…"]')
                for c in r.cite:
                    if c.split("#")[0] not in self.instruments:
                        raise PackError(
                            f"cites an unknown instrument {c.split('#')[0]}", where=where, remedy="Add it to pack.toml"
                        )
                tie = (r.in_force_on, self.published_on(r))
                if tie in seen:
                    raise PackError(f"two revisions of {r.in_force_on}", where=where, remedy="Keep one, or date them apart")
                seen[tie] = r
            for a, b in zip(ordered, ordered[1:], strict=False):
                if a.ends_on is not None and a.ends_on >= b.in_force_on:
                    raise PackError(
                        f"revisions of {a.in_force_on} and {b.in_force_on} overlap", where=where, remedy="Move ends_on"
                    )
                if a.ends_on is not None and a.ends_on + timedelta(days=1) < b.in_force_on:
                    raise PackError(
                        f"a gap between {a.ends_on} and {b.in_force_on}",
                        where=where,
                        remedy='Close it, or add a revision with unknown = "not found"',
                    )
            for r in revisions:
                self._check_revision(r, f"{where} {r.in_force_on}")
        self._check_formulas()
        for name, stanzas in self.programmes.items():
            for y in _first(stanzas, "yields_to") or ():
                if y.programme not in self.programmes:
                    raise PackError(f"yields to an unknown programme {y.programme}", where=f"{self.place}: {name}")
        for day in self.boundary_days():
            self.check_day(day)

    def _all_revisions(self) -> Iterable[tuple[str, str, Sequence[Revision]]]:
        for kind, merged in (("parameter", self.parameters), ("variable", self.variables)):
            for name, stanzas in merged.items():
                for place, stanza in stanzas:
                    yield place, f"{kind} {name}", stanza.revision
        for name, stanzas in self.programmes.items():
            for place, stanza in stanzas:
                for test in stanza.test:
                    yield place, f"programme {name}, test {test.id}", test.revision
                if stanza.award is not None:
                    yield place, f"programme {name}, award", stanza.award.revision

    def _check_revision(self, revision: Revision, where: str) -> None:
        content = revision.value if isinstance(revision, FigureRevision) else getattr(revision, "formula", "")
        if revision.unknown and content not in (None, ""):
            raise PackError("both a content and `unknown`", where=where, remedy="Keep one")
        if not revision.unknown and content in (None, ""):
            raise PackError("neither a content nor `unknown`", where=where, remedy='Add it, or unknown = "not found"')

    def _check_formulas(self) -> None:
        for name, stanzas in self.parameters.items():
            unit, by = _need(stanzas, "unit", "parameter", name), _first(stanzas, "by")
            keys = 0 if by is None else 1 if isinstance(by, str) else len(by)
            for place, stanza in stanzas:
                for r in stanza.revision:
                    if not r.unknown:
                        _table(r.value, unit, keys, f"{place}: parameter {name} {r.in_force_on}")
        for name, stanzas in self.variables.items():
            signature = self.scope.variables[name]
            for place, stanza in stanzas:
                for r in stanza.revision:
                    if not r.unknown:
                        where = f"{place}: variable {name} {r.in_force_on}"
                        self.tree(r, entity=signature.entity, t=signature.type, where=where)
        for name, stanzas in self.programmes.items():
            entity = self.scope.programmes[name]
            for place, stanza in stanzas:
                for test in stanza.test:
                    for feed in test.review or ():
                        if feed not in self.scope.feeds:
                            raise PackError(f"reviews an unknown feed {feed}", where=f"{place}: {name}, test {test.id}")
                    for r in test.revision:
                        if not r.unknown:
                            where = f"{place}: programme {name}, test {test.id} {r.in_force_on}"
                            self.tree(r, entity=entity, t=BOOL, where=where)
                if stanza.award is not None:
                    unit = stanza.award.unit or _need([(p, s.award) for p, s in stanzas if s.award], "unit", "award of", name)
                    for r in stanza.award.revision:
                        if not r.unknown:
                            where = f"{place}: programme {name}, award {r.in_force_on}"
                            self.tree(r, entity=entity, t=UNITS[unit], where=where)

    def boundary_days(self) -> list[date]:
        """Every day from the pack's first on which some revision or programme begins or ends."""
        days = {self.first_day}
        for _, _, revisions in self._all_revisions():
            days |= {r.in_force_on for r in revisions}
            days |= {r.ends_on + timedelta(days=1) for r in revisions if r.ends_on}
        for stanzas in self.programmes.values():
            days |= {d for d in (_first(stanzas, "in_force_on"),) if d}
            days |= {d + timedelta(days=1) for d in (_first(stanzas, "ends_on"),) if d}
        return sorted(d for d in days if d >= self.first_day)

    def check_day(self, day: date) -> Law:
        """The law of a day with all that was ever published; PackError if something it reads has no revision."""
        law = self.on(day, known_by=date.max)
        for kind, name in law.order:
            trees = [law.variables[name].tree] if kind == "variable" else _programme_trees(law.programme(name))
            for node in (n for tree in trees for n in tree.walk() if n.op in ("param", "index")):
                if node.args[0] not in law.parameters:
                    raise PackError(
                        f"parameter {node.args[0]} has no revision on {day}, but {name} reads it",
                        where=self.place,
                        remedy='Close the gap, or add a revision with unknown = "not found"',
                    )
        return law


def _programme_trees(programme: Programme) -> list[Node]:
    return [t.tree for t in programme.tests] + ([programme.award.tree] if programme.award else [])


def _without_absent(
    programmes: list[Programme], variables: dict[str, Variable]
) -> tuple[list[Programme], dict[str, Variable]]:
    """On a day when a programme is not in force nobody is eligible for it, and nothing gives way to it."""
    present = {p.id for p in programmes}

    def rewritten(tree: Node) -> Node:
        if tree.op == "outcome" and tree.args[0] not in present:
            return Node("text", ("ineligible",), tree.type, "const")
        if not tree.nodes:
            return tree
        return replace(tree, args=tuple(rewritten(a) if isinstance(a, Node) else a for a in tree.args))

    result = []
    for p in programmes:
        award = None if p.award is None else replace(p.award, tree=rewritten(p.award.tree))
        tests = tuple(replace(t, tree=rewritten(t.tree)) for t in p.tests)
        yields = tuple(y for y in p.yields_to if y.programme in present)
        result.append(replace(p, tests=tests, award=award, yields_to=yields))
    return result, {name: replace(v, tree=rewritten(v.tree)) for name, v in variables.items()}


def _with_review(
    programmes: list[Programme], variables: dict[str, Variable]
) -> tuple[list[Programme], dict[str, Variable]]:
    """Tests that ask for review read their feeds through copies in which an unreviewed row has unknown membership."""
    all_variables = dict(variables)

    def touches(tree: Node, feeds: frozenset[str]) -> bool:
        return any(
            (n.op == "agg" and n.args[1] in feeds)
            or (n.op == "var" and n.args[0] in variables and touches(variables[str(n.args[0])].tree, feeds))
            for n in tree.walk()
        )

    def reviewed(tree: Node, feeds: frozenset[str]) -> Node:
        if tree.op == "agg" and tree.args[1] in feeds:
            return replace(tree, args=(*tree.args[:-1], True))
        if tree.op == "var" and tree.args[0] in variables and touches(variables[str(tree.args[0])].tree, feeds):
            original = variables[str(tree.args[0])]
            name = f"{original.id}~{'+'.join(sorted(feeds))}"
            if name not in all_variables:
                all_variables[name] = replace(original, id=name, tree=reviewed(original.tree, feeds))
            return replace(tree, args=(name,))
        return replace(tree, args=tuple(reviewed(a, feeds) if isinstance(a, Node) else a for a in tree.args))

    result = []
    for programme in programmes:
        tests = [replace(t, tree=reviewed(t.tree, frozenset(t.review))) if t.review else t for t in programme.tests]
        result.append(replace(programme, tests=tuple(tests)))
    return result, all_variables


def _table(value: object, unit: str, keys: int, where: str) -> dict[tuple[str, ...], Figure]:  # type: ignore[misc]
    """Key → figure. A scalar for a table of figures (an overlay's) goes under `ANY_KEY`."""
    table: dict[tuple[str, ...], Figure] = {}
    try:
        if not isinstance(value, dict):
            table[ANY_KEY if keys else ()] = figure_of(value, unit)
            return table
        if not keys:
            raise ValueError("a single figure is wanted, not a table")
        for key, entry in value.items():
            if keys == 1:
                table[(str(key),)] = figure_of(entry, unit)
            elif isinstance(entry, dict):
                table |= {(str(key), str(k)): figure_of(e, unit) for k, e in entry.items()}
            else:
                raise ValueError("a table of tables is wanted")
    except ValueError as fault:
        raise PackError(getattr(fault, "what", str(fault)), where=where, remedy=getattr(fault, "remedy", "")) from None
    return table


def _merged(stanzas: Iterable[tuple[str, object]]) -> dict[str, list[tuple[str, object]]]:  # type: ignore[explicit-any,unused-ignore]
    merged: dict[str, list[tuple[str, object]]] = {}
    for place, stanza in stanzas:
        merged.setdefault(stanza.id, []).append((place, stanza))  # type: ignore[attr-defined]
    return merged


def _first(stanzas: Iterable[tuple[str, object]], name: str):  # type: ignore[no-untyped-def]
    """The value of a key at the folder nearest to the place that gives it."""
    for _, stanza in reversed(list(stanzas)):
        value = getattr(stanza, name)
        if value not in (None, ""):
            return value
    return None


def _need(stanzas: Sequence[tuple[str, object]], name: str, kind: str, owner: str):  # type: ignore[no-untyped-def]
    value = _first(stanzas, name)
    if value is None:
        raise PackError(f"required key {name} is missing", where=f"{stanzas[0][0]}: {kind} {owner}")
    return value


def _instrument(model: InstrumentModel) -> Instrument:
    days = [str(d or "") for d in (model.issued_on or model.published_on, model.in_force_on)]
    return Instrument(model.id, model.title, model.number, *days, model.source)
