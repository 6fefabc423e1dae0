"""Which small faults of a pack does no case notice?

`Mutation(folder)` knows the pack's mutants and its cases; `judge(mutant)` runs the cases that the mutant can touch,
until one of them expects something else. `explained_mutants` reads mutants.toml, in which a mutant that changes nothing
anybody can see is explained:

    [[mutant]]
    id = "variable is_dead 2012-12-12: deaths.died_on <= on → <"
    why = "A person who died today is …"

An explanation of a mutant that is noticed, or is not there any more, is an error: it would hide the next one.

Choices
    Of a run only what a change reaches is reckoned again (`rerun`), and of the cases only those that evaluate it.
    The id ends with ``*`` to explain all mutants that begin so.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from meanscheck.errors import PackError
from meanscheck.law.audit import pack_folders
from meanscheck.law.case_runs import CaseRun, Cases
from meanscheck.law.cases import judged
from meanscheck.law.explanations import explained_mutants
from meanscheck.law.law import Law
from meanscheck.law.mutant_laws import Mutant, mutants_of
from meanscheck.law.order import Item
from meanscheck.law.plain import PlainRun
from meanscheck.law.rerun import Rerun, Web

Fate = Literal["noticed", "unnoticed", "unreached"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: `by` is the case that notices it; unreached, if no case evaluates what is changed."""

    mutant: str
    fate: Fate
    by: str = ""


class Mutation:
    """The mutants and cases of a folder; `cases` are those of more folders, where they have been run already."""

    def __init__(self, folder: str | Path, cases: Cases | None = None) -> None:
        self.cases = Cases(pack_folders(folder)) if cases is None else cases
        self.own = self.cases.packs[Path(folder).resolve()]
        wrong = (*self.cases.faults, *self.cases.unmet)
        if wrong:
            raise PackError(
                f"{len(wrong)} faults or unmet expectations in cases, the first: {wrong[0]}",
                where=self.own.place,
                remedy="Mend them first: `meanscheck rules run` shows them",
            )
        self.mutants = mutants_of(self.own)
        self._webs: dict[int, Web] = {}

    def judge(self, mutant: Mutant) -> Verdict:
        """Run the cases that a mutant can touch, until one notices it."""
        laws: dict[int, Law] = {}
        is_reached = False
        for run in self.cases.runs:
            if not mutant.is_in(run):
                continue
            web = self.web(run.law)
            if not web.touches(mutant, run):
                continue
            if web.resting_on(mutant.thing).isdisjoint(run.expected):
                continue
            is_reached = True
            starts = web.starts(mutant.thing)
            if id(run.law) not in laws:
                try:
                    laws[id(run.law)] = mutant.law(run)
                except PackError:
                    # A figure that cannot be held: such a pack would not load.
                    return Verdict(mutant.id, "noticed", run.name)
            if _notices(run, laws[id(run.law)], web, starts):
                return Verdict(mutant.id, "noticed", run.name)
        return Verdict(mutant.id, "unnoticed" if is_reached else "unreached")

    def web(self, law: Law) -> Web:
        """What reads what in a law."""
        if id(law) not in self._webs:
            self._webs[id(law)] = Web(law)
        return self._webs[id(law)]


def _notices(run: CaseRun, law: Law, web: Web, starts: frozenset[Item] | None) -> bool:
    """Whether a case comes out otherwise than expected. What crashes is noticed too."""
    try:
        if starts is None:
            return bool(judged(run.case, PlainRun(law, run.case.unit)).unmet)
        again = Rerun(run, law, web, starts)
        return not again.changed.isdisjoint(run.expected) and bool(judged(run.case, again).unmet)
    except (AssertionError, ArithmeticError, ValueError, KeyError, TypeError):
        return True


# ---- explanations


@dataclass(frozen=True, slots=True)
class Report:
    """What became of all mutants. `explained` maps the id of one that nobody notices to why; `stale` are explanations
    that explain nothing (any more)."""

    place: str
    verdicts: tuple[Verdict, ...]
    explained: Mapping[str, str]
    stale: tuple[str, ...]
    mutants: Mapping[str, Mutant]

    @property
    def open(self) -> tuple[Verdict, ...]:
        """Mutants that no case notices and nobody explained."""
        return tuple(v for v in self.verdicts if v.fate != "noticed" and v.mutant not in self.explained)


def drawn(mutation: Mutation, *, only: str = "", sample: int = 0, seed: int = 1) -> tuple[int, ...]:
    """Places in `Mutation.mutants`, in order, of those whose id holds a text; of these a sample (0: all)."""
    fitting = [i for i, mutant in enumerate(mutation.mutants) if only in mutant.id]
    if 0 < sample < len(fitting):
        fitting = sorted(random.Random(seed).sample(fitting, sample))
    return tuple(fitting)


def report(mutation: Mutation, verdicts: Sequence[Verdict]) -> Report:
    """The verdicts held against the explanations of the folder."""
    left = [v.mutant for v in verdicts if v.fate != "noticed"]
    explained: dict[str, str] = {}
    stale: list[str] = []
    for entry in explained_mutants(mutation.own.levels[-1]):
        fits = list(_fitting(entry.id, left))
        if not fits:
            stale.append(entry.id)
        explained.update(dict.fromkeys(fits, entry.why))
    by_id = {m.id: m for m in mutation.mutants}
    return Report(mutation.own.place, tuple(verdicts), explained, tuple(stale), by_id)


def _fitting(pattern: str, ids: Iterable[str]) -> Iterator[str]:
    if pattern.endswith("*"):
        return (i for i in ids if i.startswith(pattern[:-1]))
    return (i for i in ids if i == pattern)
