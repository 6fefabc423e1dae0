"""Which steps does the law prescribe, in which order and by when? Read from `procedure.toml` beside the pack.

The comment at the head of rules/cn/procedure.toml says what each key means. A folder's file adds to those above it; for
a programme and a day the procedure with the latest `in_force_on` counts, of two the one of the lower folder.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from meanscheck.errors import InputError, PackError
from meanscheck.values.data import data_dir

FILE = "procedure.toml"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class StepRule(_Model):
    """One kind of step; its id is the code in the log's entry."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=48)]
    zh: str
    en: str
    needs: list[str] = []
    due: list[str] = []
    due_of_decider: list[str] = []
    held_up_by: list[str] = []
    ends: bool = False
    after_end: bool = False
    officers: int = 0
    states: list[str] = []
    choices: Mapping[str, list[str]] = {}
    cite: list[str] = []


class Wait(_Model):
    """Calendar days that must lie between one step and another."""

    after: str
    before: list[str]
    days: int
    cite: list[str]


class Clock(_Model):
    """Days, or working days, from one step to another."""

    id: str
    zh: str
    en: str
    after: list[str]
    after_days: int = 0
    until: list[str]
    working_days: int
    when: list[str] = []
    unless: list[str] = []
    cite: list[str]


class Procedure(_Model):
    """The procedure of a programme from a day on."""

    id: str
    programme: str
    title_zh: str
    in_force_on: date
    ends_on: date | None = None
    cite: list[str]
    note: str = ""
    step: list[StepRule]
    wait: list[Wait] = []
    clock: list[Clock] = []

    def rule(self, step: str) -> StepRule:
        """The rule of a step; InputError if there is no such step."""
        for rule in self.step:
            if rule.id == step:
                return rule
        raise InputError(
            "no such step", where=f"procedure {self.id}", remedy=f"Use {', '.join(rule.id for rule in self.step)}"
        )


class _File(_Model):
    procedure: list[Procedure]


@dataclass(frozen=True, slots=True)
class Procedures:
    """The procedures of a place, the lowest folder's first."""

    all: tuple[Procedure, ...]

    @classmethod
    def load(cls, folder: Path | str) -> Procedures:
        """Read the files of a pack's folder and of those above it.

        A path below ``rules/`` that does not exist here is looked for in the installed rules.
        """
        folder = Path(folder)
        if not folder.is_dir() and folder.parts[:1] == ("rules",):
            folder = data_dir("rules").joinpath(*folder.parts[1:])
        found: list[Procedure] = []
        folder = folder.resolve()
        while (folder / "pack.toml").is_file():
            if (folder / FILE).is_file():
                found += _read(folder / FILE)
            folder = folder.parent
        if not found:
            raise PackError(f"no {FILE} there or above", where=folder.name, remedy="Name a folder such as rules/cn")
        return cls(tuple(found))

    def of(self, programme: str, day: date) -> Procedure:
        """The procedure of a programme on the day of acceptance; InputError if none is known."""
        known = [
            p
            for p in self.all
            if p.programme == programme and p.in_force_on <= day and (p.ends_on is None or day < p.ends_on)
        ]
        if not known:
            raise InputError(
                f"no procedure of {programme} is known for {day}",
                where=FILE,
                remedy="Add it with its source; none is guessed",
            )
        return max(known, key=lambda p: p.in_force_on)

    def named(self, name: str) -> Procedure:
        """The procedure of an id; InputError if there is none."""
        for procedure in self.all:
            if procedure.id == name:
                return procedure
        raise InputError("no such procedure", where=FILE, remedy=f"There are {', '.join(p.id for p in self.all)}")


def _read(path: Path) -> list[Procedure]:
    where = f"{path.parent.name}/{path.name}"
    try:
        read = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).procedure
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise PackError(f"not valid TOML: {fault}", where=where) from None
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        raise PackError(str(first["msg"]), where=f"{where}: {' '.join(map(str, first['loc']))}") from None
    for procedure in read:
        _check(procedure, where)
    if len({p.id for p in read}) != len(read):
        raise PackError("a procedure is defined twice", where=where)
    return read


def _check(procedure: Procedure, where: str) -> None:
    ids = [rule.id for rule in procedure.step]
    used = [name for r in procedure.step for name in (*r.needs, *r.due, *r.due_of_decider, *r.held_up_by)]
    used += [name for w in procedure.wait for name in (w.after, *w.before)]
    used += [name for c in procedure.clock for name in (*c.after, *c.until)]
    place = f"{where}: procedure {procedure.id}"
    if len(set(ids)) != len(ids) or not set(used) <= set(ids):
        raise PackError("a step is defined twice, or named and not defined", where=place)
    first = [rule.id for rule in procedure.step if not rule.needs and not rule.after_end]
    if len(first) != 1 or not any(rule.ends for rule in procedure.step):
        raise PackError("one step must be the first, and one must end the case", where=place)
