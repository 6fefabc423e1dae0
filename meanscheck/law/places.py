"""What is a figure at another place than the household's? The packs beside this one, asked for one parameter.

``at(supporter.division_code, dibao.standard[residence])`` wants the figure where the supporter lives. `figures_at`
gathers it on the day in question from every pack below the same top folder, each by its own inheritance; the law
keeps them by division code, so that a replay needs nothing else. `figure_at` finds the one of a place by the longest
prefix: the county's own pack (440703), its city's (440700), its province's (440000), the nation's (000000).

Choices
    Neighbours are read only if some formula asks about another place, each folder once, and of them the figures only:
    what is wrong with a neighbour's rules does not stop this place. What-if law is on top of this place alone.
    Where a nearer pack says nothing else than the one above it, only the one above is kept.
    A figure that is unknown at a place is unknown there: the province's does not stand in for it.
    An instrument that two packs give under one id is kept as ``CODE:ID`` for the neighbour.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from meanscheck.errors import PackError
from meanscheck.law.law import Instrument, Law, Parameter
from meanscheck.law.levels import FiguresLevel, Level

if TYPE_CHECKING:
    from meanscheck.law.resolve import RulePack

_CODE = re.compile("[0-9]{6}")


def asked(law: Law) -> frozenset[str]:
    """The parameters that some formula asks about at another place."""
    return frozenset(str(n.args[0]) for tree in law.trees for n in tree.walk() if n.op == "at")


def prefix_of(code: str) -> str:
    """The digits of a division code that say something: 440700 is 4407, the nation's 000000 nothing."""
    while code.endswith("00"):
        code = code[:-2]
    return code


def figure_at(law: Law, name: str, place: str) -> Parameter | None:
    """A parameter at a place (six digits, or more of a village); None where no pack speaks for it."""
    return _nearest(law.places.get(name, {}), place)


def _nearest(there: Mapping[str, Parameter], place: str) -> Parameter | None:
    if not _CODE.match(place):
        return None
    codes = (place[:6], place[:4] + "00", place[:2] + "0000", "000000")
    return next((there[code] for code in codes if code in there), None)


class Neighbours:
    """The packs below the top folder of one pack, itself left out; read when they are first asked for."""

    def __init__(self, pack: RulePack, of_levels: Callable[[Sequence[Level]], RulePack]) -> None:
        self.pack, self.of_levels = pack, of_levels
        self._packs: tuple[RulePack, ...] | None = None

    def packs(self) -> tuple[RulePack, ...]:
        """In the order of their division codes."""
        if self._packs is None:
            top = self.pack.levels[0].folder
            levels: dict[Path, Level] = {}
            found: dict[str, RulePack] = {}
            for file in sorted(top.rglob("pack.toml")):
                chain = [f for f in (file.parent, *file.parent.parents) if f == top or top in f.parents]
                if file.parent == self.pack.levels[-1].folder or not all((f / "pack.toml").is_file() for f in chain):
                    continue
                for folder in chain:
                    if folder not in levels:
                        levels[folder] = FiguresLevel(folder)
                pack = self.of_levels([levels[f] for f in reversed(chain)])
                if pack.code in {*found, self.pack.code}:
                    other = found.get(pack.code, self.pack).place
                    raise PackError(
                        f"two packs speak for division {pack.code}",
                        where=f"{pack.place}/pack.toml",
                        remedy=f"Correct the code here or in {other}",
                    )
                found[pack.code] = pack
            self._packs = tuple(found[code] for code in sorted(found))
        return self._packs


def with_places(law: Law, neighbours: Neighbours, accept: frozenset[str]) -> Law:
    """The law with what its formulas ask about at other places."""
    names = sorted(asked(law))
    if not names:
        return law
    places: dict[str, dict[str, Parameter]] = {name: {} for name in names}
    instruments: dict[str, Instrument] = {}
    for name in names:
        if name in law.parameters:
            places[name][law.code] = law.parameters[name]
    for pack in neighbours.packs():
        for found in pack.figures(names, law.on, known_by=law.known_by, accept=accept):
            own = law.parameters.get(found.id, found)
            if (found.unit, found.by) != (own.unit, own.by):
                raise PackError(
                    f"unit and keys differ from those of {law.code}",
                    where=f"{pack.place}: parameter {found.id}",
                    remedy="A figure that is asked for at another place has one unit everywhere",
                )
            cite = tuple(_cited(c, pack, {**law.instruments, **instruments}, instruments) for c in found.cite)
            places[found.id][pack.code] = replace(found, cite=cite)
    law = replace(law, places={name: _folded(there, law.code) for name, there in places.items()})
    kept = {c.partition("#")[0] for there in law.places.values() for p in there.values() for c in p.cite}
    more = {name: text for name, text in instruments.items() if name in kept}
    return replace(law, instruments=dict(sorted({**law.instruments, **more}.items())))


def _cited(cite: str, pack: RulePack, taken: Mapping[str, Instrument], into: dict[str, Instrument]) -> str:
    """A neighbour's citation, with its text kept under an id that means no other text."""
    name, mark, article = cite.partition("#")
    text = pack.instrument(name)
    if text is not None:
        if taken.get(name, text) != text:
            name = f"{pack.code}:{name}"
        into[name] = replace(text, id=name)
    return f"{name}{mark}{article}"


def _folded(there: Mapping[str, Parameter], own: str) -> dict[str, Parameter]:
    """What places say by code, without those that say the same as the pack above them."""
    kept: dict[str, Parameter] = {}
    for code in sorted(there, key=lambda c: (len(prefix_of(c)), c)):
        above = _nearest(kept, code)
        if code == own or above is None or _said(above) != _said(there[code]):
            kept[code] = there[code]
    return dict(sorted(kept.items()))


def _said(parameter: Parameter) -> Iterable[object]:
    return (parameter.unknown, parameter.table, parameter.cite)
