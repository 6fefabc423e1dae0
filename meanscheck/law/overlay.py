"""What if the law said something else? A file laid over a pack, as one more folder below it would be.

    [overlay]
    name = "standard 1 000"                   # what the law is called while it lies on top
    why = "proposal for next year's budget"   # optional

    [figures]                                 # short form: parameter → figure; a scalar stands for every key
    "dibao.standard" = "1000.00"

and any of [[parameter]], [[variable]], [[programme]], written as in a pack. A revision may leave out `in_force_on`
(from the first day on), `cite` (the overlay itself) and `status` (chosen by whoever lays it on top: nothing is unsure).

Choices
    An overlay is a level of the pack and not a list of edits: inheritance, checks and messages are then those of packs.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from meanscheck.errors import PackError
from meanscheck.law.levels import Level, read_file
from meanscheck.law.locating import OVERLAY
from meanscheck.law.pack import (
    Figures,
    InstrumentModel,
    PackModel,
    ParameterModel,
    ProgrammeModel,
    Strict,
    VariableModel,
)

CITED = "overlay"
"""Id of the instrument that an overlay cites where it names none."""


class HeadModel(Strict):
    """[overlay]"""

    name: str
    why: str = ""


class OverlayModel(Strict):
    """An overlay's file."""

    overlay: HeadModel
    figures: dict[str, Figures] = Field(default={})
    parameter: list[ParameterModel] = Field(default=[])
    variable: list[VariableModel] = Field(default=[])
    programme: list[ProgrammeModel] = Field(default=[])

    @model_validator(mode="before")
    @classmethod
    def _said_shortly(cls, data: Any) -> Any:
        """Fill in what a revision of an overlay may leave out."""
        return _filled(data) if isinstance(data, Mapping) else data


def _filled(data: Any) -> Any:
    if isinstance(data, list):
        return [_filled(item) for item in data]
    if not isinstance(data, Mapping):
        return data
    filled = {key: _filled(value) for key, value in data.items()}
    if isinstance(filled.get("revision"), list):
        usual = {"in_force_on": date.min, "cite": [CITED], "status": "deployment"}
        filled["revision"] = [{**usual, **r} if isinstance(r, Mapping) else r for r in filled["revision"]]
    return filled


class Overlay(Level):
    """An overlay read as the lowest level of a pack."""

    def __init__(self, path: str | Path, levels: Sequence[Level]) -> None:
        file, below = Path(path), levels[-1]
        if not file.is_file():
            raise PackError("no such file", where=file.name, remedy="Name an overlay, such as what-if.toml")
        read = read_file(file, OverlayModel, OVERLAY)
        self.folder, self.place = below.folder, f"{OVERLAY}/{file.name}"
        instrument = InstrumentModel(id=CITED, title=read.overlay.name, note=read.overlay.why, source=CITED)
        self.pack = PackModel(
            code=below.pack.code,
            name=f"{below.pack.name} + {read.overlay.name}",
            name_zh=below.pack.name_zh,
            instrument=[instrument],
        )
        known = {p.id for level in levels for _, p in level.parameters}
        for name in read.figures:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                remedy = f"Did you mean {near[0]}?" if near else "`meanscheck rules show` lists them"
                raise PackError(f"the pack has no parameter {name}", where=f"{self.place}: figures", remedy=remedy)
        short = [
            ParameterModel.model_validate(_filled({"id": name, "revision": [{"value": figure}]}))
            for name, figure in read.figures.items()
        ]
        self.parameters = [(self.place, p) for p in (*short, *read.parameter)]
        self.variables = [(self.place, v) for v in read.variable]
        self.programmes = [(self.place, p) for p in read.programme]
        self.conflicts = []
        self._unique()
