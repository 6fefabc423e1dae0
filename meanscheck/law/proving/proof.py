"""What can be proved of a pack, all in one: theorems, amendments and cliffs, with what they are about.

`prove(path)` loads the pack and gives a `Proof`; its `scope` says in words for which households the theorems hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from meanscheck.law.explanations import TheoremExplanation, explained_theorems
from meanscheck.law.law import Law
from meanscheck.law.proving.amendments import Amendment, amendments
from meanscheck.law.proving.asking import Shown, Solver
from meanscheck.law.proving.cliffs import Cliff, cliffs
from meanscheck.law.proving.household import Extent
from meanscheck.law.proving.scene import Scene
from meanscheck.law.proving.theorems import Theorem, laws_of, theorems
from meanscheck.law.resolve import RulePack
from meanscheck.law.tree import figures_in
from meanscheck.values.money import format_yuan

Tell = Callable[[int, int], None]
Stage = Callable[[str], AbstractContextManager[Tell]]
"""A name → a bar that is told how much is done."""


@dataclass(frozen=True, slots=True)
class Proof:
    """All that was asked of a pack and what came out."""

    place: str
    name: str
    scope: str
    theorems: tuple[Theorem, ...]
    amendments: tuple[Amendment, ...]
    cliffs: tuple[Cliff, ...]
    seconds: float
    explained: tuple[TheoremExplanation, ...] = ()
    """Why claims need not hold, as the pack's folders have it."""
    stale: tuple[str, ...] = ()
    """Names that the pack's own folder explains though they hold, or are none."""

    @property
    def refuted(self) -> tuple[Theorem, ...]:
        """Claims of the pack that do not hold, explained or not."""
        return tuple(th for th in self.theorems if th.verdict == "refuted")

    @property
    def unexplained(self) -> tuple[Theorem, ...]:
        """Claims that do not hold, and nobody said why."""
        return tuple(th for th in self.refuted if self.why(th) is None)

    def why(self, theorem: Theorem) -> str | None:
        """Why a claim need not hold; None if it does, or if nobody said so of all that it fails for.

        Another programme's outcome is no cause by itself: what that is open for is a cause of its own.
        """
        if theorem.verdict != "refuted":
            return None
        causes = {c for c in theorem.causes if not c.startswith("outcome:")}
        found = [e for e in self.explained if e.id in (theorem.name, f"*: {theorem.claim}")]
        mine = [e for e in found if not causes.isdisjoint(e.refers) or not (causes or e.refers)]
        is_all = causes <= {c for e in mine for c in e.refers}
        return " ".join(dict.fromkeys(e.why for e in mine)) if mine and is_all else None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: amounts in yuan as text, days in ISO form, households as TOML text."""
        return {
            "pack": self.place,
            "name": self.name,
            "scope": self.scope,
            "seconds": round(self.seconds, 1),
            "theorems": [
                {
                    "programme": th.programme,
                    "claim": th.claim,
                    "since": th.since.isoformat(),
                    "until": None if th.until is None else th.until.isoformat(),
                    "answer": th.verdict,
                    "explained": self.why(th),
                    "why": th.why,
                    "whatever": list(th.whatever),
                    "households": _households(th.shown),
                    "seconds": round(th.seconds, 2),
                }
                for th in self.theorems
            ],
            "amendments": [
                {
                    "programme": a.programme,
                    "on": a.on.isoformat(),
                    "changed": list(a.changed),
                    "cite": list(a.cite),
                    "effect": a.effect,
                    "why": a.why,
                    "households": _households(a.shown),
                    "seconds": round(a.seconds, 2),
                }
                for a in self.amendments
            ],
            "cliffs": [
                {
                    "programme": c.programme,
                    "by": c.by,
                    "on": c.on.isoformat(),
                    "loss": format_yuan(c.loss),
                    "status_lost": c.status,
                    "hangs_on_it": list(c.hangs_on),
                    "is_the_steepest": c.exact,
                    "households": _households(c.shown),
                }
                for c in self.cliffs
            ],
        }


def prove(
    path: str | Path,
    *,
    extent: Extent,
    seconds: float,
    stage: Stage,
    clock: Callable[[], float],
    on: date | None = None,
    programmes: Sequence[str] = (),
    with_changes: bool = True,
) -> Proof:
    """Prove what can be proved of a pack.

    Args:
        extent: households of up to so many members and supporters.
        seconds: how long the solver may think about one question.
        stage: shows how far it is.
        clock: seconds since any moment, to say how long each took.
        on: only the law of that day; every day on which the law changes unless given.
        programmes: only these; all unless given.
        with_changes: amendments and cliffs, too.

    Raises:
        PackError: if the pack does not load.
    """
    start = clock()
    pack = RulePack.load(path)
    explained = _explained(pack)
    solver = Solver(seconds, clock=clock)
    laws = laws_of(pack)
    if on is not None:
        laws = [one for one in laws if one[0] <= on and (one[1] is None or on <= one[1])]
    with stage("theorems") as tell:
        proved = theorems(pack, laws, extent, solver, tell, only=programmes)
    changes: list[Amendment] = []
    falls: list[Cliff] = []
    if with_changes:
        with stage("amendments") as tell:
            changes = list(amendments(laws, extent, solver, tell, only=programmes))
        with stage("cliffs") as tell:
            falls = list(_cliffs(laws, extent, solver, tell, programmes))
    return Proof(
        pack.place,
        pack.name,
        scope(extent),
        tuple(proved),
        tuple(changes),
        tuple(falls),
        clock() - start,
        explained,
        tuple(sorted(_stale(pack, proved))) if on is None and not programmes else (),
    )


def _explained(pack: RulePack) -> tuple[TheoremExplanation, ...]:
    """Of every folder from the nation's to its own."""
    return tuple(entry for level in pack.levels for entry in explained_theorems(level))


def _stale(pack: RulePack, found: Sequence[Theorem]) -> Iterator[str]:
    for entry in explained_theorems(pack.levels[-1]):
        about = [th for th in found if entry.id in (th.name, f"*: {th.claim}")]
        # A claim that is open here may be refuted where figures are found.
        if all(th.verdict == "proved" for th in about):
            yield entry.id


def scope(extent: Extent) -> str:
    """For which households the theorems hold, in words."""
    return (
        f"for every household of up to {extent.members} members and {extent.supporters} supporters outside, with any "
        "number of rows in every feed: evidence complete, doubtful points confirmed, nothing contradictory, the "
        "application of the day, at least one person a member; law as known today, unsure figures as they stand"
    )


def _cliffs(
    laws: Sequence[tuple[date, date | None, Law]], extent: Extent, solver: Solver, tell: Tell, only: Sequence[str]
) -> Iterator[Cliff]:
    """Of each programme under the latest law whose tests and award it has found, else under the latest."""
    best: dict[str, Law] = {}
    for _, _, law in laws:
        for p in law.programmes:
            if not only or p.id in only:
                is_worse = p.id in best and _lacks(law, p.id) and not _lacks(best[p.id], p.id)
                best[p.id] = best[p.id] if is_worse else law
    scenes: dict[date, Scene] = {}
    for done, (name, law) in enumerate(best.items()):
        tell(done, len(best))
        scene = scenes.setdefault(law.on, Scene((law,), extent))
        yield from cliffs(scene, name, solver)
    tell(len(best), len(best))


def _lacks(law: Law, name: str) -> bool:
    """Whether a test or the award of a programme names what was not found."""
    trees = law.programme(name).trees
    named = {f for tree in trees for f in figures_in(tree) if f in law.parameters}
    return any(law.parameters[f].unknown for f in named) or any(
        n.op == "unknown" for tree in trees for n in tree.walk()
    )


def _households(shown: Sequence[Shown]) -> list[str]:
    return [s.text for s in shown]
