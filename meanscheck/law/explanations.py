"""Why may something stand that the checks of a pack hold against it? What its authors wrote of it.

    mutants.toml    [[mutant]] id = "…", why = "…"     a change of the pack that no case can notice (see `mutating`)
    theorems.toml   [[theorem]] id = "…", why = "…"    a claim that does not hold of every household (see `proving`);
                    refers = ["…"]                     for these causes, if it fails since somebody is referred

An explanation ends nothing and hides nothing: what is explained is still shown, with its reason beside it.
"""

from __future__ import annotations

import tomllib
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from meanscheck.errors import PackError
from meanscheck.law.pack import Level, files_of

Kind = Literal["mutant", "theorem"]


class Explanation(BaseModel):
    """Why something stands.

    The id of a theorem is ``PROGRAMME: CLAIM``, or ``*: CLAIM`` for all programmes. Where it fails since somebody is
    referred, `refers` are the causes meant: who is referred for another one is not explained.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    id: str
    why: str
    refers: tuple[str, ...] = Field(default=(), strict=False)


class _Entries(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    mutant: list[Explanation] = []
    theorem: list[Explanation] = []


def explanations(level: Level, kind: Kind) -> tuple[Explanation, ...]:
    """What one folder explains; the id of a mutant may be its beginning and ``*``.

    Raises:
        PackError: for a file that is no such list, or the same explained twice.
    """
    found: dict[tuple[str, tuple[str, ...]], Explanation] = {}
    for path in files_of(level.folder, f"{kind}s"):
        where = f"{level.place}/{path.name}"
        try:
            read = _Entries.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
            raise PackError(f"not valid TOML: {fault}", where=where) from None
        except ValidationError:
            raise PackError(
                "entries have an id and a why", where=where, remedy=f"Write [[{kind}]] id = …, why = …"
            ) from None
        for entry in read.mutant if kind == "mutant" else read.theorem:
            if (entry.id, entry.refers) in found:
                raise PackError(f"explained twice: {entry.id}", where=where, remedy="Keep one")
            found[entry.id, entry.refers] = entry
    return tuple(found.values())
