"""Who must authorise an information check (核对), and by when must it begin and be answered? Read from `check.toml`
beside the pack.

The comment at the head of rules/cn/check.toml says what each key means. A folder's file adds to those above it; for a
purpose and a day the rule with the latest `in_force_on` counts, of two the one of the lower folder. Where the law sets
no limit there is none here, and a deployment may set its own (`Limit`, with what it rests on).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from meanscheck.errors import PackError
from meanscheck.values.data import data_dir

FILE = "check.toml"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Limit(_Model):
    """So many working days, and what they rest on."""

    working_days: Annotated[int, Field(ge=0, le=366)]
    cite: list[str]


class Authorise(_Model):
    """Whose signed authorisation the law asks for."""

    roles: list[Literal["member", "supporter"]]
    cite: list[str]


class CheckRule(_Model):
    """The rule of a check for some purposes, from a day on."""

    id: str
    purposes: list[str]
    in_force_on: date
    ends_on: date | None = None
    cite: list[str] = []
    authorise: Authorise | None = None
    start: Limit | None = None
    answer: Limit | None = None
    note: str = ""


class Consent(_Model):
    """From which day on a query needs the authorisation of the person, and what says so."""

    id: str
    feeds: list[str]
    """Names of feeds; ``*`` is every feed."""
    in_force_on: date
    ends_on: date | None = None
    cite: list[str]
    note: str = ""


class _File(_Model):
    check: list[CheckRule] = []
    consent: list[Consent] = []


@dataclass(frozen=True, slots=True)
class CheckRules:
    """The rules of a place, the lowest folder's first."""

    all: tuple[CheckRule, ...]
    consents: tuple[Consent, ...] = ()

    @classmethod
    def load(cls, folder: Path | str) -> CheckRules:
        """Read the files of a pack's folder and of those above it; none at all is no fault, since no law need exist.

        A path below ``rules/`` that does not exist here is looked for in the installed rules.

        Raises:
            PackError: there is no such folder, or a file is faulty.
        """
        folder = Path(folder)
        if not folder.is_dir() and folder.parts[:1] == ("rules",):
            folder = data_dir("rules").joinpath(*folder.parts[1:])
        if not (folder / "pack.toml").is_file():
            raise PackError("no pack there", where=folder.name, remedy="Name a folder such as rules/cn")
        found: list[CheckRule] = []
        consents: list[Consent] = []
        folder = folder.resolve()
        while (folder / "pack.toml").is_file():
            if (folder / FILE).is_file():
                read = _read(folder / FILE)
                found += read.check
                consents += read.consent
            folder = folder.parent
        return cls(tuple(found), tuple(consents))

    def of(self, purpose: str, day: date) -> CheckRule | None:
        """The rule for a purpose on a day; None if none is known."""
        known = [
            rule
            for rule in self.all
            if purpose in rule.purposes and rule.in_force_on <= day and (rule.ends_on is None or day < rule.ends_on)
        ]
        return max(known, key=lambda rule: rule.in_force_on) if known else None

    def consents_on(self, day: date) -> tuple[Consent, ...]:
        """All that asks for an authorisation on a day, the lowest folder's first: they hold beside each other."""
        return tuple(c for c in self.consents if c.in_force_on <= day and (c.ends_on is None or day < c.ends_on))


def _read(path: Path) -> _File:
    where = f"{path.parent.name}/{path.name}"
    try:
        read = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise PackError(f"not valid TOML: {fault}", where=where) from None
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        raise PackError(str(first["msg"]), where=f"{where}: {' '.join(map(str, first['loc']))}") from None
    for rules in (read.check, read.consent):
        if len({rule.id for rule in rules}) != len(rules):
            raise PackError("a rule is defined twice", where=where)
    return read
