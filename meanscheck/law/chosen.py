"""Which revision of everything did a law take, and in which file does it stand?

`chosen_of(pack, day)` gives for each thing of a pack (`parameter dibao.standard`, `variable size`,
`programme dibao, test income`, `programme dibao, award`) the revision that applies, with its file; `stated_of(level)`
all revisions that one folder states. A `Stated` is known by its `key`, which is the same in every pack that inherits
the folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeAlias

from meanscheck.law.levels import Level
from meanscheck.law.pack import FigureRevision, FormulaRevision

if TYPE_CHECKING:
    from meanscheck.law.resolve import RulePack

Key: TypeAlias = tuple[str, str, date, date | None]
"""File, thing, first day, day of publication where the revision states one."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One revision of one thing in one file."""

    file: str
    thing: str
    revision: FigureRevision | FormulaRevision

    @property
    def key(self) -> Key:
        """What tells it from every other revision."""
        return (self.file, self.thing, self.revision.in_force_on, self.revision.published_on)


def stated_of(level: Level) -> Iterator[Stated]:
    """Every revision of a figure or formula that a folder states itself, in the order of its files."""
    for thing, file, revisions in _things(level):
        for revision in revisions:
            yield Stated(file, thing, revision)


def chosen_of(pack: RulePack, on: date, known_by: date) -> Mapping[str, Stated]:
    """Thing → the revision that applies on a day, as known by a day. What has none is left out."""
    by_thing: dict[str, list[tuple[str, Sequence[FigureRevision | FormulaRevision]]]] = {}
    for level in reversed(pack.levels):
        for thing, file, revisions in _things(level):
            by_thing.setdefault(thing, []).append((file, revisions))
    found: dict[str, Stated] = {}
    for thing, by_level in by_thing.items():
        for file, revisions in by_level:
            revision = pack.choose([revisions], on, known_by)
            if revision is not None:
                found[thing] = Stated(file, thing, revision)
                break
    return found


def _things(level: Level) -> Iterator[tuple[str, str, Sequence[FigureRevision | FormulaRevision]]]:
    for file, parameter in level.parameters:
        yield f"parameter {parameter.id}", file, parameter.revision
    for file, variable in level.variables:
        yield f"variable {variable.id}", file, variable.revision
    for file, programme in level.programmes:
        for test in programme.test:
            yield f"programme {programme.id}, test {test.id}", file, test.revision
        if programme.award is not None:
            yield f"programme {programme.id}, award", file, programme.award.revision
