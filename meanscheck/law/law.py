"""The law of one place on one day, as known by one day: every figure and formula chosen, checked and recorded.

A `Law` is what both executors run. Its recorded form (`to_json`) holds all that a replay or an explanation needs —
trees, figures, labels, citations with their instruments — and `digest` is the SHA-256 of that form's canonical bytes
(RFC 8785).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cached_property
from typing import Any

import rfc8785

from meanscheck.contracts import all_feeds
from meanscheck.errors import InputError
from meanscheck.law.conflicts.kinds import Conflict, conflict_of
from meanscheck.law.figures import ANY_KEY, Figure, Scalar, figure_of, figure_text
from meanscheck.law.order import Item, ordered, reads
from meanscheck.law.tree import IS_MEMBER, Node, from_json, to_json

__all__ = [
    "ANY_KEY",
    "Award",
    "Conflict",
    "Figure",
    "Instrument",
    "Law",
    "LawTest",
    "Manager",
    "Parameter",
    "Programme",
    "Scalar",
    "Variable",
    "Yield",
    "figure_of",
    "figure_text",
]

LANGUAGE_VERSION = 1
_MANAGER = ("office", "office_zh", "cite")
AS_OF = "as_of"
"""The column that dates a row of which only the latest counts."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A legal text that is cited."""

    id: str
    title: str
    number: str
    issued_on: str
    in_force_on: str
    source: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A figure of the law. `table` maps keys (as text) to figures; a scalar sits under the empty key.

    `unknown` says why there is no figure (``not found``, ``unsure``, ``not published``); then every use of it is
    unknown.
    """

    id: str
    unit: str
    by: tuple[str, ...]
    table: Mapping[tuple[str, ...], Scalar]
    unknown: str
    status: str
    label: str
    label_zh: str
    cite: tuple[str, ...]
    formula: str = ""
    """What the figures were reckoned by (`derived`); empty where they are as published."""
    at_least: Mapping[tuple[str, ...], Scalar] = field(default_factory=dict)
    """What a source says of a figure that was not found, by the same keys; read where the law uses bounds."""
    at_most: Mapping[tuple[str, ...], Scalar] = field(default_factory=dict)

    def get(self, keys: tuple[str, ...] = ()) -> Figure:
        """The figure for the keys, None if unknown."""
        return None if self.unknown else self.table.get(keys)

    def to_json(self) -> dict[str, Any]:
        """The recorded form, plain JSON values."""
        return {
            **_plain(self, "id", "unit", "unknown", "status", "label", "label_zh", "by", "cite"),
            "table": _table_json(self.table, self.unit),
            **({"formula": self.formula} if self.formula else {}),
            **({"at_least": _table_json(self.at_least, self.unit)} if self.at_least else {}),
            **({"at_most": _table_json(self.at_most, self.unit)} if self.at_most else {}),
        }


@dataclass(frozen=True, slots=True)
class Variable:
    """A named value of a household, member or supporter."""

    id: str
    entity: str
    unit: str
    label: str
    label_zh: str
    formula: str
    tree: Node
    cite: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LawTest:
    """One condition of a programme."""

    id: str
    label: str
    label_zh: str
    formula: str
    tree: Node
    quote: str
    review: tuple[str, ...]
    cite: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Award:
    """What an eligible household or member gets."""

    unit: str
    formula: str
    tree: Node
    cite: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Yield:
    """This programme gives way to another: eligible there makes it ineligible here."""

    programme: str
    when: str


@dataclass(frozen=True, slots=True)
class Manager:
    """The office that manages a programme, and what says so."""

    office: str
    office_zh: str
    cite: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Programme:
    """A form of relief with its tests in the order of the law."""

    id: str
    entity: str
    label: str
    label_zh: str
    tests: tuple[LawTest, ...]
    award: Award | None
    yields_to: tuple[Yield, ...]
    managed_by: Manager | None = None
    members: str = IS_MEMBER
    """The variable that says whom it counts as a member."""

    @property
    def trees(self) -> tuple[Node, ...]:
        """The trees of its tests and of its award."""
        return (*(t.tree for t in self.tests), *(() if self.award is None else (self.award.tree,)))


@dataclass(frozen=True, eq=False)
class Law:
    """The law of one place on one day. Equal laws have equal digests."""

    code: str
    name: str
    on: date
    known_by: date
    accepted: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    variables: Mapping[str, Variable]
    programmes: tuple[Programme, ...]
    instruments: Mapping[str, Instrument]
    conflicts: Mapping[str, Conflict] = field(default_factory=dict)
    """Kind → what follows from it; a law recorded before there were any has none and decides as it did."""
    places: Mapping[str, Mapping[str, Parameter]] = field(default_factory=dict)
    """Parameter → division code → the figure there, of the parameters that a formula asks about at another place."""
    bounds: bool = False
    """Whether a test may be decided by the bounds of what is unknown (`bounds`); a law recorded before does not."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Law) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __getstate__(self) -> dict[str, Any]:
        """What was worked out of it is worked out again where it is sent."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @cached_property
    def kept(self) -> dict[Any, Any]:
        """What `keeping` keeps of this law."""
        return {}

    def programme(self, name: str) -> Programme:
        """The programme by its id; KeyError if not in force."""
        return next(p for p in self.programmes if p.id == name)

    @property
    def memberships(self) -> frozenset[str]:
        """The variables by which its programmes say whom they count as a member; `is_member` is always one."""
        return frozenset({IS_MEMBER, *(p.members for p in self.programmes)})

    @cached_property
    def trees(self) -> tuple[Node, ...]:
        """All trees: of variables, tests and awards."""
        return tuple(self._trees())

    def _trees(self) -> Iterator[Node]:
        for variable in self.variables.values():
            yield variable.tree
        for programme in self.programmes:
            yield from programme.trees

    @property
    def citations(self) -> frozenset[str]:
        """All that is cited, as ``instrument#article``."""
        cited = {c for p in self.parameters.values() for c in p.cite}
        cited |= {c for v in self.variables.values() for c in v.cite}
        for programme in self.programmes:
            cited |= {c for t in programme.tests for c in t.cite}
            cited |= set(programme.award.cite if programme.award else ())
            cited |= set(programme.managed_by.cite if programme.managed_by else ())
        cited |= {c for conflict in self.conflicts.values() for c in conflict.cite}
        cited |= {c for there in self.places.values() for p in there.values() for c in p.cite}
        return frozenset(cited)

    @cached_property
    def needs(self) -> Mapping[str, frozenset[str]]:
        """Feed → columns that some formula reads, or that a kind of contradiction is told by."""
        columns: dict[str, set[str]] = {}
        for tree in self.trees:
            for node in tree.walk():
                if node.op == "agg":
                    columns.setdefault(str(node.args[1]), set())
                elif node.op == "col":
                    columns.setdefault(str(node.args[0]), set()).add(str(node.args[1]))
        for conflict in self.conflicts.values():
            for feed, names in conflict.kind.columns.items():
                columns.setdefault(feed, set()).update(names)
        for feed in columns if self.bounds else ():
            # Which rows stay when an answer is not complete is told by their day.
            contract = all_feeds()[feed]
            if contract.latest_by:
                columns[feed].add(AS_OF)
        return {feed: frozenset(columns[feed]) for feed in sorted(columns)}

    @cached_property
    def order(self) -> tuple[Item, ...]:
        """("variable" | "programme", id) so that each comes after all it reads; PackError names a cycle or a gap."""
        items: dict[Item, set[Item]] = {("variable", v.id): set(reads(v.tree)) for v in self.variables.values()}
        for programme in self.programmes:
            names: set[Item] = {("programme", y.programme) for y in programme.yields_to}
            for tree in programme.trees:
                names |= reads(tree)
            homes = {p.id: p.entity for p in self.programmes}
            if "member" in (programme.entity, *(homes.get(y.programme) for y in programme.yields_to)):
                names.add(("variable", programme.members))
            items[("programme", programme.id)] = names
        return ordered(items, where=f"{self.code} on {self.on}")

    def variables_under(self, name: str) -> tuple[str, ...]:
        """A variable and all that it reads, each after those it reads itself."""
        key = (Law.variables_under, name)
        if key not in self.kept:
            found = {name}
            waiting = [name]
            while waiting:
                for kind, one in reads(self.variables[waiting.pop()].tree):
                    if kind == "variable" and one not in found:
                        found.add(one)
                        waiting.append(one)
            self.kept[key] = tuple(one for kind, one in self.order if kind == "variable" and one in found)
        under: tuple[str, ...] = self.kept[key]
        return under

    @cached_property
    def digest(self) -> str:
        """``sha256:`` and the hex digest of the canonical recorded form."""
        return "sha256:" + hashlib.sha256(self.canonical).hexdigest()

    @cached_property
    def canonical(self) -> bytes:
        """The recorded form in canonical JSON (RFC 8785)."""
        return rfc8785.dumps(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """The recorded form, plain JSON values."""
        return {
            "language": LANGUAGE_VERSION,
            "code": self.code,
            "name": self.name,
            "on": self.on.isoformat(),
            "known_by": self.known_by.isoformat(),
            "accepted": list(self.accepted),
            "parameters": [p.to_json() for p in self.parameters.values()],
            "variables": [
                {**_plain(v, "id", "entity", "unit", "label", "label_zh", "formula", "cite"), "tree": to_json(v.tree)}
                for v in self.variables.values()
            ],
            "programmes": [
                {
                    **_plain(p, "id", "entity", "label", "label_zh"),
                    "tests": [
                        {
                            **_plain(t, "id", "label", "label_zh", "formula", "quote", "review", "cite"),
                            "tree": to_json(t.tree),
                        }
                        for t in p.tests
                    ],
                    "award": None
                    if p.award is None
                    else {**_plain(p.award, "unit", "formula", "cite"), "tree": to_json(p.award.tree)},
                    "yields_to": [[y.programme, y.when] for y in p.yields_to],
                    **({"managed_by": _plain(p.managed_by, *_MANAGER)} if p.managed_by else {}),
                    **({"members": p.members} if p.members != IS_MEMBER else {}),
                }
                for p in self.programmes
            ],
            "instruments": [
                _plain(i, "id", "title", "number", "issued_on", "in_force_on", "source")
                for i in self.instruments.values()
            ],
            **({"conflicts": [c.to_json() for c in self.conflicts.values()]} if self.conflicts else {}),
            **(
                {"places": {i: {c: p.to_json() for c, p in t.items()} for i, t in self.places.items()}}
                if self.places
                else {}
            ),
            **({"bounds": True} if self.bounds else {}),
        }

    @classmethod
    def from_json(cls, recorded: str | bytes | Mapping[str, Any]) -> Law:
        """The law of a recorded form; InputError if it is damaged or of another language version."""
        try:
            data = json.loads(recorded) if isinstance(recorded, str | bytes) else recorded
            if data["language"] != LANGUAGE_VERSION:
                raise InputError("recorded in another version of the rule language", where="recorded law")
            return cls(
                code=data["code"],
                name=data["name"],
                on=date.fromisoformat(data["on"]),
                known_by=date.fromisoformat(data["known_by"]),
                accepted=tuple(data["accepted"]),
                parameters={p["id"]: _parameter(p) for p in data["parameters"]},
                variables={
                    v["id"]: Variable(**{**v, "cite": tuple(v["cite"]), "tree": from_json(v["tree"])})
                    for v in data["variables"]
                },
                programmes=tuple(_programme(p) for p in data["programmes"]),
                instruments={i["id"]: Instrument(**i) for i in data["instruments"]},
                conflicts={c["id"]: conflict_of(c) for c in data.get("conflicts", ())},
                places={
                    name: {code: _parameter(p) for code, p in there.items()}
                    for name, there in data.get("places", {}).items()
                },
                bounds=bool(data.get("bounds", False)),
            )
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            raise InputError("damaged or incomplete", where="recorded law", remedy="Restore the store") from None


def _plain(item: object, *names: str) -> dict[str, Any]:
    values = {name: getattr(item, name) for name in names}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def _table_json(table: Mapping[tuple[str, ...], Scalar], unit: str) -> list[list[Any]]:
    return [[list(k), figure_text(v, unit)] for k, v in sorted(table.items())]


def _programme(p: Mapping[str, Any]) -> Programme:
    award, manager = p["award"], p.get("managed_by")
    return Programme(
        id=p["id"],
        entity=p["entity"],
        label=p["label"],
        label_zh=p["label_zh"],
        tests=tuple(
            LawTest(**{**t, "tree": from_json(t["tree"]), "review": tuple(t["review"]), "cite": tuple(t["cite"])})
            for t in p["tests"]
        ),
        award=None
        if award is None
        else Award(**{**award, "tree": from_json(award["tree"]), "cite": tuple(award["cite"])}),
        yields_to=tuple(Yield(*y) for y in p["yields_to"]),
        managed_by=None if manager is None else Manager(**{**manager, "cite": tuple(manager["cite"])}),
        members=p.get("members", IS_MEMBER),
    )


def _parameter(p: Mapping[str, Any]) -> Parameter:
    return Parameter(
        **{
            **p,
            "by": tuple(p["by"]),
            "cite": tuple(p["cite"]),
            **{
                name: {tuple(k): figure_of(v, p["unit"]) for k, v in p[name]}
                for name in ("table", "at_least", "at_most")
                if name in p
            },
        }
    )
