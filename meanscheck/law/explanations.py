"""Why may something stand that the checks of a pack hold against it? What its authors wrote of it.

    mutants.toml    [[mutant]] id = "…", why = "…"     a change of the pack that no case can notice (see `mutating`)
    theorems.toml   [[theorem]] id = "…", why = "…"    a claim that does not hold of every household (see `proving`)

An explanation ends nothing and hides nothing: what is explained is still shown, with its reason beside it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from meanscheck.errors import PackError
from meanscheck.law.pack import Level, files_of

Explained = Literal["mutant", "theorem"]


class _Explanation(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    id: str
    why: str


class _Mutants(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    mutant: list[_Explanation] = []


class _Theorems(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    theorem: list[_Explanation] = []


def explanations(level: Level, kind: Explained) -> Mapping[str, str]:
    """Id (of a mutant also its beginning and ``*``) → why, of one folder.

    Raises:
        PackError: for a file that is no such list, or an id explained twice.
    """
    found: dict[str, str] = {}
    for path in files_of(level.folder, f"{kind}s"):
        where = f"{level.place}/{path.name}"
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
            mutants, theorems = _Mutants.model_validate, _Theorems.model_validate
            entries = mutants(data).mutant if kind == "mutant" else theorems(data).theorem
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
            raise PackError(f"not valid TOML: {fault}", where=where) from None
        except ValidationError:
            raise PackError(
                "entries have an id and a why", where=where, remedy=f"Write [[{kind}]] id = …, why = …"
            ) from None
        for entry in entries:
            if entry.id in found:
                raise PackError(f"explained twice: {entry.id}", where=where, remedy="Keep one")
            found[entry.id] = entry.why
    return found
