"""How does a folder of TOML files become law that can be resolved on a day?

A jurisdiction is a folder with pack.toml, parameters.toml, rules.toml and, if it has one, conflicts.toml; it inherits
from the folder above it. What grows long may stand in files of its own, named for what they hold:
``medical_relief.rules.toml`` beside rules.toml, ``medical_relief.parameters.toml``, ``medical_relief.cases.toml``. This
module reads and validates the files (`Level`); `resolve.py` merges the levels and chooses revisions. Nothing in a pack
is executed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from keyword import iskeyword
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from meanscheck.errors import PackError
from meanscheck.law.check import WORDS
from meanscheck.law.locating import OVERLAY, place_of
from meanscheck.law.tables import check_by
from meanscheck.law.toml_lines import line_of
from meanscheck.law.types import UNITS
from meanscheck.values.data import data_dir

M = TypeVar("M", bound=BaseModel)


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


class Level:
    """One folder of a pack, read and validated by itself. Things come as (place of their file, thing)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = place_of(folder)
        self.pack = read_file(folder / "pack.toml", PackModel, self.place)
        self.parameters = self._parameters()
        rules = list(self._files("rules", RulesModel))
        self.variables = [(file, v) for file, read in rules for v in read.variable]
        self.programmes = [(file, p) for file, read in rules for p in read.programme]
        self.conflicts = [(file, c) for file, read in self._files("conflicts", ConflictsModel) for c in read.conflict]
        self._unique()

    def _parameters(self) -> list[tuple[str, ParameterModel]]:
        return [(file, p) for file, read in self._files("parameters", ParametersModel) for p in read.parameter]

    def _files(self, kind: str, model: type[M]) -> Iterator[tuple[str, M]]:
        """KIND.toml and every NAME.KIND.toml, in the order of their names, with their places."""
        for path in files_of(self.folder, kind):
            yield f"{self.place}/{path.name}", read_file(path, model, self.place)

    def _unique(self) -> None:
        named: list[tuple[str, str, str]] = [
            (f"{self.place}/pack.toml", "instrument", i.id) for i in self.pack.instrument
        ]
        named += [(file, "parameter", p.id) for file, p in self.parameters]
        named += [(file, "variable", v.id) for file, v in self.variables]
        named += [(file, "programme", p.id) for file, p in self.programmes]
        named += [(file, "conflict", c.id) for file, c in self.conflicts]
        named += [(file, f"programme {p.id}, test", t.id) for file, p in self.programmes for t in p.test]
        seen: dict[tuple[str, str], str] = {}
        for file, kind, name in named:
            where = f"{file}: {kind} {name}"
            if (kind, name) in seen:
                other = seen[kind, name]
                also = "" if other == file else f", first in {other}"
                raise PackError(f"defined twice{also}", where=where, remedy="Keep one")
            seen[kind, name] = file
            if kind == "instrument":
                continue
            for part in name.split(".") if kind == "parameter" else [name]:
                if not part.isidentifier() or iskeyword(part) or (part in WORDS and kind != "parameter"):
                    what = "not a usable id" + (f": {part} is a word of the language" if part in WORDS else "")
                    raise PackError(what, where=where, remedy="Use an identifier that is no keyword")


class FiguresLevel(Level):
    """The figures of a folder without its rules: a neighbour's formulas are none of this place's business."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.place = folder, place_of(folder)
        self.pack = read_file(folder / "pack.toml", PackModel, self.place)
        self.parameters = self._parameters()
        self.variables, self.programmes, self.conflicts = [], [], []
        self._unique()


def files_of(folder: Path, kind: str) -> tuple[Path, ...]:
    """``KIND.toml``, then every ``NAME.KIND.toml`` of a pack's folder that exists, by name."""
    return (*folder.glob(f"{kind}.toml"), *sorted(folder.glob(f"*.{kind}.toml")))


def read_file(path: Path, model: type[M], place: str) -> M:
    """A TOML file by its model; PackError naming file, key and reason. A file that is not there is empty."""
    where = f"{place}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise PackError(f"not valid TOML: {fault}", where=where) from None
    except UnicodeDecodeError:
        raise PackError("not UTF-8", where=where, remedy="Save it as UTF-8") from None
    except OSError as fault:
        raise PackError("cannot be read", where=where, remedy=fault.strerror or "") from None
    try:
        return model.model_validate(data)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        line = line_of(text, first["loc"])
        raise PackError(_reason(first), where=f"{where}:{line}: {_position(first['loc'], data)}") from None


def _reason(error: Any) -> str:
    reasons = {"extra_forbidden": "unknown key", "missing": "required key is missing"}
    return reasons.get(error["type"], str(error["msg"]).removeprefix("Value error, "))


def _position(location: tuple[int | str, ...], data: Any) -> str:
    """The place of an error, with ids or days in place of list positions."""
    words: list[str] = []
    for step in location:
        if isinstance(step, int) and isinstance(data, list) and step < len(data):
            data = data[step]
            name = data.get("id") or data.get("in_force_on") if isinstance(data, dict) else None
            words.append(str(name) if name else f"no. {step + 1}")
        else:
            data = data.get(step) if isinstance(data, dict) else None
            words.append(str(step))
    return " ".join(words)


def folder_of(path: str | Path) -> Path:
    """The folder of a pack: a path below ``rules/`` that does not exist here is one of the installed rules."""
    folder = Path(path)
    if not folder.is_dir() and folder.parts[:1] == ("rules",):
        folder = data_dir("rules").joinpath(*folder.parts[1:])
    return folder.resolve()


def levels_of(path: str | Path) -> tuple[Level, ...]:
    """The levels of a pack (see `folder_of`), the topmost folder first."""
    folder = folder_of(path)
    if not (folder / "pack.toml").is_file():
        raise PackError(
            "no pack.toml there", where=str(path), remedy="Name a folder such as rules/cn/guangdong/jiangmen"
        )
    chain = [folder]
    while (chain[0].parent / "pack.toml").is_file():
        chain.insert(0, chain[0].parent)
    return tuple(Level(f) for f in chain)
