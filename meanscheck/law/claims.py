"""What does a pack claim of its own tests and awards, to be proved (`proving`)?

    falls_with = ["household_income", "bank_deposits.balance"]   more of it never helps: a test that fails goes on
                                                                 failing, an award does not grow
    rises_with = [...]                                           more of it never hurts
    ceiling = "size * dibao.standard[household.residence]"       on an award: no more than this is ever given

They stand on a test or an award of a programme; a name is a number variable or a feed's column of numbers. The nearest
folder that gives one wins.

Choices
    A claim says nothing about any case, so it is no part of the recorded law: no executor reads it, and a law keeps
    its digest whether or not something is claimed of it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from meanscheck.errors import PackError
from meanscheck.law.check import check_formula
from meanscheck.law.stanzas import Stanzas
from meanscheck.law.tree import Node

if TYPE_CHECKING:
    from meanscheck.law.pack import AwardModel, ProgrammeModel, TestModel
    from meanscheck.law.resolve import RulePack

Way = Literal["falls_with", "rises_with"]
WAYS: tuple[Way, ...] = ("falls_with", "rises_with")


@dataclass(frozen=True, slots=True)
class Monotone:
    """More of `name` never helps (`falls_with`) or never hurts (`rises_with`) the test, or the award (`test` None)."""

    programme: str
    test: str | None
    way: Way
    name: str


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The award of a programme is never above this."""

    programme: str
    formula: str
    tree: Node


def monotone_claims(pack: RulePack) -> Iterator[Monotone]:
    """All claims of `falls_with` and `rises_with`."""
    for programme, stanzas in pack.programmes.items():
        for test, parts in _tests(stanzas).items():
            for way in WAYS:
                named = parts.nearest(lambda t, way=way: getattr(t, way))  # type: ignore[misc]
                yield from (Monotone(programme, test, way, name) for name in named or ())
        award = _award(stanzas)
        for way in WAYS if award is not None else ():
            named = award.nearest(lambda a, way=way: getattr(a, way))  # type: ignore[union-attr,misc]
            yield from (Monotone(programme, None, way, name) for name in named or ())


def ceilings(pack: RulePack) -> Iterator[Ceiling]:
    """All claims of `ceiling`."""
    for programme, stanzas in pack.programmes.items():
        award = _award(stanzas)
        formula = None if award is None else award.nearest(lambda a: a.ceiling)
        if award is not None and formula:
            where = f"{award.place}: {award.name}, ceiling"
            entity = stanzas.needed("entity", lambda p: p.entity)
            tree = check_formula(formula, entity=entity, scope=pack.scope, where=where)
            yield Ceiling(programme, formula, tree)


def check_claims(pack: RulePack) -> None:
    """PackError if a claim names nothing there is, or a ceiling is no amount like the award."""
    columns = {f"{feed}.{name}" for feed, types in pack.scope.feeds.items() for name, t in types.items() if _number(t)}
    variables = {name for name, v in pack.scope.variables.items() if v.type.kind == "num"}
    for claim in monotone_claims(pack):
        if claim.name in columns or claim.name in variables:
            continue
        part = f"test {claim.test}" if claim.test else "award"
        stanzas = pack.programmes[claim.programme]
        near = difflib.get_close_matches(claim.name, [*variables, *columns], 1)
        raise PackError(
            f"{claim.way}: {claim.name} is no number that a formula can name",
            where=f"{stanzas.place}: {stanzas.name}, {part}",
            remedy=f"Did you mean {near[0]}?" if near else "Name a variable, or feed.column",
        )
    for ceiling in ceilings(pack):
        award = _award(pack.programmes[ceiling.programme])
        assert award is not None
        unit = award.needed("unit", lambda a: a.unit)
        wanted = {"money": (1, 0, 0), "money/month": (1, -1, 0)}.get(unit)
        if wanted is not None and ceiling.tree.type.dimension != wanted:
            raise PackError(
                f"the ceiling is {ceiling.tree.type}, the award {unit}",
                where=f"{award.place}: {award.name}",
                remedy="Bring both to the same unit",
            )


def _number(t: object) -> bool:
    return getattr(t, "kind", "") == "num"


def _tests(stanzas: Stanzas[ProgrammeModel]) -> dict[str, Stanzas[TestModel]]:
    return stanzas.parts("test", lambda p: p.test)


def _award(stanzas: Stanzas[ProgrammeModel]) -> Stanzas[AwardModel] | None:
    return stanzas.only("award", lambda p: p.award)
