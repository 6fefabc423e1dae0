"""What may stand in the files of a pack? Models of pack.toml, parameters.toml, rules.toml and conflicts.toml.

`levels` reads the files by them, `resolve` chooses revisions. Nothing in a pack is executed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from meanscheck.law.locating import OVERLAY
from meanscheck.law.tables import check_by
from meanscheck.law.types import UNITS


def _no_float(value: Any) -> Any:
    """Refuse floats anywhere in a figure: they cannot be exact."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    for item in items:
        if isinstance(item, float):
            raise ValueError('a float cannot be exact; write the figure as text, like "900.00"')
        if isinstance(item, dict | list):
            _no_float(item)
    return value


def _unit(value: Any) -> Any:
    if value is not None and value not in UNITS:
        raise ValueError(f"unknown unit; use one of {', '.join(UNITS)}")
    return value


def _by(value: Any) -> Any:
    names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    if all(isinstance(name, str) for name in names):
        check_by(names)
    return value


By = Annotated[str | list[str] | None, BeforeValidator(_by)]
Figures = Annotated[Any, BeforeValidator(_no_float)]
Unit = Annotated[str | None, BeforeValidator(_unit)]
Status = Literal["sourced", "derived", "unsure", "deployment"]


class Strict(BaseModel):
    """Frozen, and nothing in it that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True)


class InstrumentModel(Strict):
    """A legal text."""

    id: str
    title: str
    number: str = ""
    title_en: str = ""
    authority: str = ""
    issued_on: date | None = None
    published_on: date | None = None
    in_force_on: date | None = None
    repealed_on: date | None = None
    status: str = ""
    source: str = ""
    note: str = ""
    note_zh: str = ""


class NotApplied(Strict):
    """A measure the law leaves to the locality and for which no local text was found."""

    id: str
    why: str
    cite: list[str]
    why_zh: str = ""


class PackModel(Strict):
    """pack.toml."""

    code: str
    name: str
    name_zh: str = ""
    authority: str = ""
    authority_zh: str = ""
    first_day: date | None = None
    note: str = ""
    note_zh: str = ""
    instrument: list[InstrumentModel] = []
    not_applied: list[NotApplied] = []


class Revision(Strict):
    """What every dated revision carries."""

    in_force_on: date
    published_on: date | None = None
    ends_on: date | None = None
    cite: list[str] = []
    status: Status = "sourced"
    unknown: str = ""
    at_least: Figures = None
    at_most: Figures = None
    note: str = ""
    note_zh: str = ""


class FigureRevision(Revision):
    """A figure in force from a day: as published, or reckoned by a formula from other figures (`derived`), or both."""

    value: Figures = None
    formula: str = ""
    keys: list[str | list[str]] | None = None
    differs: str = ""

    @model_validator(mode="before")
    @classmethod
    def _derived(cls, data: Any) -> Any:
        """What is only reckoned is derived, unless the revision says otherwise."""
        if isinstance(data, dict) and "formula" in data and "value" not in data:
            return {"status": "derived", **data}
        return data

    @property
    def paths(self) -> list[tuple[str, ...]] | None:
        """The keys of the table that its formula is to give; None where the tables it reads tell them."""
        return None if self.keys is None else [(k,) if isinstance(k, str) else tuple(k) for k in self.keys]


class FormulaRevision(Revision):
    """A formula in force from a day; `quote` (of a test) is the law's comparator where it is not the stanza's."""

    formula: str = ""
    quote: str = ""


class ParameterModel(Strict):
    """[[parameter]]"""

    id: str
    unit: Unit = None
    by: By = None
    label: str = ""
    label_zh: str = ""
    note: str = ""
    revision: list[FigureRevision] = []


def keys_of(by: Sequence[str] | None) -> tuple[str, ...]:
    """What a table of figures is indexed by; empty for a single figure."""
    return () if by is None else (by,) if isinstance(by, str) else tuple(by)


class VariableModel(Strict):
    """[[variable]]"""

    id: str
    entity: Literal["household", "member", "supporter"] | None = None
    unit: Unit = None
    choices: list[str] | None = None
    label: str = ""
    label_zh: str = ""
    note: str = ""
    revision: list[FormulaRevision] = []


class TestModel(Strict):
    """[[programme.test]]"""

    __test__ = False
    id: str
    label: str = ""
    label_zh: str = ""
    quote: str = ""
    note: str = ""
    review: list[str] | None = None
    falls_with: list[str] | None = None
    rises_with: list[str] | None = None
    revision: list[FormulaRevision] = []


def is_overlay(place: str) -> bool:
    """Whether stanzas that stand there are what-if law."""
    return place.startswith(f"{OVERLAY}/")


def quote_of(test: Iterable[tuple[str, TestModel]], revision: FormulaRevision) -> str:
    """The law's comparator for a revision of a test, whose stanzas come from the top folder down: its own, else its
    folder's, else that of the nearest folder above it. What-if law has only its own."""
    quote = ""
    for place, stanza in test:
        quote = stanza.quote or ("" if is_overlay(place) else quote)
        if any(r is revision for r in stanza.revision):
            break
    return revision.quote or quote


class AwardModel(Strict):
    """[programme.award]"""

    unit: Unit = None
    label: str = ""
    label_zh: str = ""
    note: str = ""
    falls_with: list[str] | None = None
    rises_with: list[str] | None = None
    ceiling: str = ""
    revision: list[FormulaRevision] = []


class YieldModel(Strict):
    """One entry of yields_to."""

    programme: str
    when: Literal["all members", "this member", "any member"]


class ManagerModel(Revision):
    """One entry of managed_by: the office that manages the programme from a day."""

    office: str
    office_zh: str = ""


class ProgrammeModel(Strict):
    """[[programme]]"""

    id: str
    entity: Literal["household", "member"] | None = None
    in_force_on: date | None = None
    ends_on: date | None = None
    label: str = ""
    label_zh: str = ""
    note: str = ""
    cite: list[str] = []
    members: str | None = None
    yields_to: list[YieldModel] | None = None
    managed_by: list[ManagerModel] = []
    test: list[TestModel] = []
    award: AwardModel | None = None


class ConflictRevision(Revision):
    """What follows from a kind of contradiction from a day on."""

    doubts: list[str] = []
    rule: Literal["person", "higher", "source", "law", ""] = ""
    holds: str = ""
    counts_from: Figures = "0.01"
    counts_share: Figures = "0"
    threshold_status: Status = "sourced"


class ConflictModel(Strict):
    """[[conflict]]"""

    id: str
    label: str = ""
    label_zh: str = ""
    note: str = ""
    revision: list[ConflictRevision] = []


class ConflictsModel(Strict):
    """conflicts.toml"""

    conflict: list[ConflictModel] = []


class ParametersModel(Strict):
    """parameters.toml"""

    parameter: list[ParameterModel] = []


class RulesModel(Strict):
    """rules.toml"""

    variable: list[VariableModel] = []
    programme: list[ProgrammeModel] = []
