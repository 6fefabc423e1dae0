"""Of what is a law made? Instruments, figures, variables, and programmes with their tests and awards.

Each knows its recorded form (`to_json`, `from_json`), of which that of the whole law is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from meanscheck.law.figures import Figure, Scalar, figure_of, figure_text
from meanscheck.law.tree import IS_MEMBER, Node, from_json, to_json

_MANAGER = ("office", "office_zh", "cite")


@dataclass(frozen=True, slots=True)
class Instrument:
    """A legal text that is cited."""

    id: str
    title: str
    number: str
    issued_on: str
    in_force_on: str
    source: str

    def to_json(self) -> dict[str, Any]:
        """The recorded form, plain JSON values."""
        return _plain(self, "id", "title", "number", "issued_on", "in_force_on", "source")


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

    @classmethod
    def from_json(cls, recorded: Mapping[str, Any]) -> Parameter:
        """The parameter of a recorded form."""
        tables = {
            name: {tuple(keys): figure_of(figure, recorded["unit"]) for keys, figure in recorded[name]}
            for name in ("table", "at_least", "at_most")
            if name in recorded
        }
        return cls(**{**recorded, "by": tuple(recorded["by"]), "cite": tuple(recorded["cite"]), **tables})


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

    def to_json(self) -> dict[str, Any]:
        """The recorded form, plain JSON values."""
        plain = _plain(self, "id", "entity", "unit", "label", "label_zh", "formula", "cite")
        return {**plain, "tree": to_json(self.tree)}

    @classmethod
    def from_json(cls, recorded: Mapping[str, Any]) -> Variable:
        """The variable of a recorded form."""
        return cls(**{**recorded, "cite": tuple(recorded["cite"]), "tree": from_json(recorded["tree"])})


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

    def to_json(self) -> dict[str, Any]:
        """The recorded form, plain JSON values."""
        plain = _plain(self, "id", "label", "label_zh", "formula", "quote", "review", "cite")
        return {**plain, "tree": to_json(self.tree)}

    @classmethod
    def from_json(cls, recorded: Mapping[str, Any]) -> LawTest:
        """The test of a recorded form."""
        lists = {name: tuple(recorded[name]) for name in ("review", "cite")}
        return cls(**{**recorded, **lists, "tree": from_json(recorded["tree"])})


@dataclass(frozen=True, slots=True)
class Award:
    """What an eligible household or member gets."""

    unit: str
    formula: str
    tree: Node
    cite: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The recorded form, plain JSON values."""
        return {**_plain(self, "unit", "formula", "cite"), "tree": to_json(self.tree)}

    @classmethod
    def from_json(cls, recorded: Mapping[str, Any]) -> Award:
        """The award of a recorded form."""
        return cls(**{**recorded, "cite": tuple(recorded["cite"]), "tree": from_json(recorded["tree"])})


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

    def to_json(self) -> dict[str, Any]:
        """The recorded form, plain JSON values."""
        return {
            **_plain(self, "id", "entity", "label", "label_zh"),
            "tests": [t.to_json() for t in self.tests],
            "award": None if self.award is None else self.award.to_json(),
            "yields_to": [[y.programme, y.when] for y in self.yields_to],
            **({"managed_by": _plain(self.managed_by, *_MANAGER)} if self.managed_by else {}),
            **({"members": self.members} if self.members != IS_MEMBER else {}),
        }

    @classmethod
    def from_json(cls, recorded: Mapping[str, Any]) -> Programme:
        """The programme of a recorded form."""
        award, manager = recorded["award"], recorded.get("managed_by")
        return cls(
            id=recorded["id"],
            entity=recorded["entity"],
            label=recorded["label"],
            label_zh=recorded["label_zh"],
            tests=tuple(map(LawTest.from_json, recorded["tests"])),
            award=None if award is None else Award.from_json(award),
            yields_to=tuple(Yield(*y) for y in recorded["yields_to"]),
            managed_by=None if manager is None else Manager(**{**manager, "cite": tuple(manager["cite"])}),
            members=recorded.get("members", IS_MEMBER),
        )


def _plain(item: object, *names: str) -> dict[str, Any]:
    values = {name: getattr(item, name) for name in names}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def _table_json(table: Mapping[tuple[str, ...], Scalar], unit: str) -> list[list[Any]]:
    return [[list(k), figure_text(v, unit)] for k, v in sorted(table.items())]
