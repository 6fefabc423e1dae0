"""What does a change of the law change, and for whom?

The law before a day on which anything changes and the law from that day are read side by side on that day, over the
same household. A programme that rests on the same trees and figures comes to the same for everybody. For one that does
not, what differs is named with its citations, and a household is looked for whose outcome or award differs; if there
is none, the amendment changes nothing for anyone.

Choices
    Both laws are read on the day of the change: what moves only because a day has passed (an age, a window) is no
    change of the law.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Literal

from meanscheck.law.law import Law
from meanscheck.law.proving import terms as t
from meanscheck.law.proving.asking import Shown, Side, Solver, ask
from meanscheck.law.proving.encode import Encoder
from meanscheck.law.proving.household import Extent
from meanscheck.law.proving.scene import Scene, contents
from meanscheck.law.proving.terms import NotEncodable, Sym
from meanscheck.law.tree import Node

Effect = Literal["same", "changes", "decides", "refers", "open"]
KNOWN_BY = date.max


@dataclass(frozen=True, slots=True)
class Amendment:
    """What a programme's law became on a day.

    `changed` names what differs (``figure dibao.standard``, ``variable is_away``), `cite` what is cited for it now.
    `effect`: ``same`` for every household, ``changes`` for the one shown (before and after), ``decides`` where what it
    rests on was not known before, ``refers`` where it is no longer known, or ``open``.
    """

    programme: str
    on: date
    changed: tuple[str, ...]
    cite: tuple[str, ...]
    effect: Effect
    why: str
    shown: tuple[Shown, ...]
    seconds: float


def amendments(
    laws: Sequence[tuple[date, date | None, Law]],
    extent: Extent,
    solver: Solver,
    tell: Callable[[int, int], None],
    *,
    only: Collection[str] = (),
) -> Iterator[Amendment]:
    """Every change of every programme (of `only` these) that is in force on both sides of a day."""
    pairs = list(pairwise(laws))
    for done, ((_, _, before), (since, _, after)) in enumerate(pairs):
        tell(done, len(pairs))
        old = replace(before, on=since)
        scene: Scene | None = None
        for programme in after.programmes:
            if programme.id not in {p.id for p in before.programmes} or (only and programme.id not in only):
                continue
            one, other = contents(before, programme.id), contents(after, programme.id)
            changed = tuple(sorted(k for k in one.keys() | other.keys() if one.get(k) != other.get(k)))
            if changed:
                scene = scene or Scene((old, after), extent)
                yield _amended(scene, programme.id, changed, solver)
    tell(len(pairs), len(pairs))


def _amended(scene: Scene, name: str, changed: tuple[str, ...], solver: Solver) -> Amendment:
    start = solver.clock()
    after = scene.laws[1]
    cite = tuple(sorted({c for item in changed for c in _cited(after, item)}))

    def answer(effect: Effect, why: str, shown: tuple[Shown, ...] = ()) -> Amendment:
        return Amendment(name, scene.on, changed, cite, effect, why, shown, solver.clock() - start)

    gone = [item for item in changed if _is_unknown(after, item) and not _is_unknown(scene.laws[0], item)]
    found = [item for item in changed if _is_unknown(scene.laws[0], item) and not _is_unknown(after, item)]
    if gone:
        return answer("refers", f"no longer known: {', '.join(gone)}")
    if found:
        return answer("decides", f"known from this day: {', '.join(found)}")
    try:
        world = scene.world()
        old, new = scene.encoder(world), scene.encoder(world, index=1)
        parts = differing(old, new, name)
        person = None if after.programme(name).entity == "household" else 0
        sides = [
            Side(e, ((name, person),), law, word)
            for e, law, word in ((old, scene.laws[0], "before"), (new, after, "after"))
        ]
        reply = ask(solver, parts, sides, known_by=KNOWN_BY, case_id=f"{name}-{scene.on}")
    except NotEncodable as fault:
        return answer("open", str(fault))
    if reply.verdict == "proved":
        return answer("same", "")
    return answer("changes" if reply.verdict == "refuted" else "open", reply.why, reply.shown)


def differing(old: Encoder, new: Encoder, name: str) -> list[Sym]:
    """What would have to be so for two laws to differ for a household."""
    person = None if new.law.programme(name).entity == "household" else 0
    a, b = old.decided(name, person), new.decided(name, person)
    unlike = [t.both(a.outcome.true, t.opposite(b.outcome.true)), t.both(b.outcome.true, t.opposite(a.outcome.true))]
    unlike += [
        t.both(a.outcome.false, t.opposite(b.outcome.false)),
        t.both(b.outcome.false, t.opposite(a.outcome.false)),
    ]
    if a.award is not None and b.award is not None:
        unlike.append(t.both(a.outcome.true, b.outcome.true, t.compared("!=", a.award, b.award).true))
    return [t.either(*unlike)]


def _is_unknown(law: Law, item: str) -> bool:
    """Whether it is a figure or formula that was looked for and not found."""
    kind, _, name = item.partition(" ")
    if kind == "figure":
        return name in law.parameters and bool(law.parameters[name].unknown)
    tree = _tree(law, item)
    return tree is not None and tree.op == "unknown"


def _tree(law: Law, item: str) -> Node | None:
    kind, _, name = item.partition(" ")
    if kind == "variable":
        return law.variables[name].tree if name in law.variables else None
    programme, _, part = name.partition(", ")
    found = next((p for p in law.programmes if p.id == programme), None)
    if found is None or not part:
        return None
    if part == "award":
        return found.award.tree if found.award else None
    return next((x.tree for x in found.tests if f"test {x.id}" == part), None)


def _cited(law: Law, item: str) -> tuple[str, ...]:
    kind, _, name = item.partition(" ")
    if kind == "figure":
        return law.parameters[name].cite if name in law.parameters else ()
    if kind == "variable":
        return law.variables[name].cite if name in law.variables else ()
    programme, _, part = name.partition(", ")
    found = next((p for p in law.programmes if p.id == programme), None)
    if found is None:
        return ()
    if part == "award":
        return found.award.cite if found.award else ()
    return next((x.cite for x in found.tests if f"test {x.id}" == part), ())
