"""Why may something stand that the checks of a pack hold against it? What its authors wrote of it.

    mutants.toml    [[mutant]] id = "…", why = "…"     a change of the pack that no case can notice (see `mutating`)
    theorems.toml   [[theorem]] id = "…", why = "…"    a claim that does not hold of every household (see `proving`);
                    refers = ["…"]                     for these causes, if it fails since somebody is referred

An explanation ends nothing and hides nothing: what is explained is still shown, with its reason beside it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from meanscheck.errors import PackError
from meanscheck.law.levels import Level, files_of

E = TypeVar("E", bound="Explanation")
M = TypeVar("M", bound="_Entries")


class Explanation(BaseModel):
    """Why something stands."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    id: str
    why: str


class TheoremExplanation(Explanation):
    """Why a claim need not hold.

    The id is ``PROGRAMME: CLAIM``, or ``*: CLAIM`` for all programmes. Where it fails since somebody is referred,
    `refers` are the causes meant: who is referred for another one is not explained.
    """

    refers: tuple[str, ...] = Field(default=(), strict=False)


class _Entries(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Mutants(_Entries):
    mutant: list[Explanation] = []


class _Theorems(_Entries):
    theorem: list[TheoremExplanation] = []


def explained_mutants(level: Level) -> tuple[Explanation, ...]:
    """The mutants that one folder explains; an id may be its beginning and ``*``.

    Raises:
        PackError: for a file that is no such list, or the same explained twice.
    """
    found = [entry for read in _read(level, "mutant", _Mutants) for entry in read.mutant]
    return _each_once(found, level)


def explained_theorems(level: Level) -> tuple[TheoremExplanation, ...]:
    """The claims that one folder explains; PackError as for mutants."""
    found = [entry for read in _read(level, "theorem", _Theorems) for entry in read.theorem]
    return _each_once(found, level)


def _read(level: Level, kind: str, model: type[M]) -> Iterator[M]:
    for path in files_of(level.folder, f"{kind}s"):
        where = f"{level.place}/{path.name}"
        try:
            yield model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
            raise PackError(f"not valid TOML: {fault}", where=where) from None
        except ValidationError:
            raise PackError(
                "entries have an id and a why", where=where, remedy=f"Write [[{kind}]] id = …, why = …"
            ) from None


def _each_once(entries: Sequence[E], level: Level) -> tuple[E, ...]:
    twice = [entry.id for n, entry in enumerate(entries) if _same(entry) in map(_same, entries[:n])]
    if twice:
        raise PackError(f"explained twice: {twice[0]}", where=level.place, remedy="Keep one")
    return tuple(entries)


def _same(entry: Explanation) -> tuple[object, ...]:
    return tuple(value for name, value in entry if name != "why")
