"""Is a published figure what the formula beside it gives?

`differences(pack)` holds the two against each other on every day on which anything changes, with every unsure figure
accepted: a difference is either a slip in one of the two, or something that the law says besides (a standard may not
fall), and then the revision says so with ``differs = "why"``. A reason where nothing differs is reported as well.
`figures_compared(pack)` says which figures were used where the two agree: a published figure is to them what an
expectation is to a case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from meanscheck.law import tables
from meanscheck.law.chosen import Key, Stated, chosen_of
from meanscheck.law.derived import table_by_formula
from meanscheck.law.figures import figure_text
from meanscheck.law.law import Law
from meanscheck.law.pack import FigureRevision, keys_of
from meanscheck.law.tree import Node, figures_in

if TYPE_CHECKING:
    from meanscheck.law.resolve import RulePack


@dataclass(frozen=True, slots=True)
class Difference:
    """A published figure and what its formula gives on a day, as text with the unit of the figure."""

    file: str
    thing: str
    since: date
    what: str


def differences(pack: RulePack) -> Iterator[Difference]:
    """Every revision with both a figure and a formula that do not agree, or that wrongly says that they do not."""
    idle: dict[tuple[str, str, date], Difference] = {}
    told: set[tuple[str, str, date]] = set()
    for law, _, stated in _on_each_day(pack):
        revision = stated.revision
        assert isinstance(revision, FigureRevision)
        key = (stated.file, stated.thing, revision.in_force_on)
        what = _compared(pack, law, stated)
        if what is None:
            continue
        if not revision.differs:
            if what and key not in told:
                told.add(key)
                yield Difference(*key, f"{what} on {law.on}")
        elif what:
            told.add(key)
        else:
            idle[key] = Difference(*key, "says `differs`, but the formula gives the published figures")
    yield from (difference for key, difference in idle.items() if key not in told)


def figures_compared(pack: RulePack) -> frozenset[Key]:
    """The revisions of figures that a formula reads where it gives the published figure beside it."""
    return frozenset(
        read.key
        for law, chosen, stated in _on_each_day(pack)
        if _compared(pack, law, stated) == ""
        for name in figures_in(_tree(pack, stated))
        if (read := chosen.get(f"parameter {name}")) is not None
    )


def _on_each_day(pack: RulePack) -> Iterator[tuple[Law, Mapping[str, Stated], Stated]]:
    """What has both a figure and a formula on each day on which anything changes; with the law and all it took."""
    for day in pack.boundary_days():
        chosen = chosen_of(pack, day, date.max)
        both = [s for s in chosen.values() if _has_both(s)]
        if both:
            law = pack.on(day, known_by=date.max, accept=_unsure(pack))
            yield from ((law, chosen, stated) for stated in both)


def _has_both(stated: Stated) -> bool:
    revision = stated.revision
    return isinstance(revision, FigureRevision) and bool(revision.formula) and revision.value is not None


def _unsure(pack: RulePack) -> frozenset[str]:
    """Parameters with an unsure revision: what follows from a figure is asked whether or not it counts."""
    return frozenset(
        name for name, s in pack.parameters.items() if any(r.status == "unsure" for _, p in s for r in p.revision)
    )


def _read(pack: RulePack, stated: Stated) -> tuple[FigureRevision, str, tuple[str, ...], str]:
    """The revision of a figure with its unit, its keys and its place for a message."""
    revision = stated.revision
    assert isinstance(revision, FigureRevision)
    stanzas = pack.parameters[stated.thing.removeprefix("parameter ")]
    unit, by = stanzas.needed("unit", lambda p: p.unit), keys_of(stanzas.nearest(lambda p: p.by))
    return revision, unit, by, f"{stated.file}: {stated.thing} {revision.in_force_on}"


def _tree(pack: RulePack, stated: Stated) -> Node:
    """The formula beside a published figure."""
    return pack.figure_tree(*_read(pack, stated))


def _compared(pack: RulePack, law: Law, stated: Stated) -> str | None:
    """How the two differ, empty if they agree; None if the formula gives nothing to compare with."""
    revision, unit, by, where = _read(pack, stated)
    published = tables.read(revision.value, unit, by, where)
    tree = _tree(pack, stated)
    read = {name: law.parameters[name] for name in figures_in(tree) if name in law.parameters}
    reckoned = table_by_formula(tree, by=by, unit=unit, keys=published, parameters=read, on=law.on, where=where)
    if not reckoned:
        return None
    words: list[str] = []
    for key, value in reckoned.items():
        if value != published[key]:
            texts = [figure_text(figure, unit) for figure in (published[key], value)]
            words.append(f"{' '.join(key)} {texts[0]} is published, the formula gives {texts[1]}".strip())
    return "; ".join(words)
