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
from meanscheck.law.parts import Award, Instrument, LawTest, Manager, Parameter, Programme, Variable, Yield
from meanscheck.law.tree import IS_MEMBER, Node

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
AS_OF = "as_of"
"""The column that dates a row of which only the latest counts."""


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
        return self._by_id[name]

    @cached_property
    def _by_id(self) -> Mapping[str, Programme]:
        return {p.id: p for p in self.programmes}

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
            "variables": [v.to_json() for v in self.variables.values()],
            "programmes": [p.to_json() for p in self.programmes],
            "instruments": [i.to_json() for i in self.instruments.values()],
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
                parameters={p["id"]: Parameter.from_json(p) for p in data["parameters"]},
                variables={v["id"]: Variable.from_json(v) for v in data["variables"]},
                programmes=tuple(map(Programme.from_json, data["programmes"])),
                instruments={i["id"]: Instrument(**i) for i in data["instruments"]},
                conflicts={c["id"]: conflict_of(c) for c in data.get("conflicts", ())},
                places={
                    name: {code: Parameter.from_json(p) for code, p in there.items()}
                    for name, there in data.get("places", {}).items()
                },
                bounds=bool(data.get("bounds", False)),
            )
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            raise InputError("damaged or incomplete", where="recorded law", remedy="Restore the store") from None
