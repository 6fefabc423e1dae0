"""How are the folders of a pack read, level by level?

A jurisdiction is a folder with pack.toml, parameters.toml, rules.toml and, if it has one, conflicts.toml; it inherits
from the folder above it. What grows long may stand in files of its own, named for what they hold:
``medical_relief.rules.toml`` beside rules.toml, ``medical_relief.parameters.toml``, ``medical_relief.cases.toml``. This
module reads and validates the files by the models of `pack` (`Level`); `resolve` merges the levels and chooses
revisions.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from keyword import iskeyword
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from meanscheck.errors import PackError
from meanscheck.law.check import WORDS
from meanscheck.law.locating import place_of
from meanscheck.law.pack import ConflictsModel, PackModel, ParameterModel, ParametersModel, RulesModel
from meanscheck.law.toml_lines import line_of
from meanscheck.values.data import data_dir

M = TypeVar("M", bound=BaseModel)


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
