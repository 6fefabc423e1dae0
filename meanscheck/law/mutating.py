"""Which small faults of a pack does no case notice?

`Mutation(folder)` knows the pack's mutants and its cases; `judge(mutant)` runs the cases that the mutant can touch,
until one of them expects something else. `explanations` reads mutants.toml, in which a mutant that changes nothing
anybody can see is explained:

    [[mutant]]
    id = "variable is_dead 2012-12-12: deaths.died_on <= on → <"
    why = "A person who died today is …"

An explanation of a mutant that is noticed, or is not there any more, is an error: it would hide the next one.

Choices
    Of a run only what rests on the change is reckoned again: values and outcomes of everything else are those of the
    case's own run, since a change reaches nothing but its readers.
    The id ends with ``*`` to explain all mutants that begin so.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from meanscheck.errors import PackError
from meanscheck.law.case_runs import CaseRun, Cases, trees_of
from meanscheck.law.cases import judged
from meanscheck.law.conflicts.kinds import WINDOW
from meanscheck.law.law import Law
from meanscheck.law.mutant_laws import Mutant, mutants_of
from meanscheck.law.mutants import node_at
from meanscheck.law.order import Item, reads
from meanscheck.law.pack import Level, files_of
from meanscheck.law.plain import PlainRun
from meanscheck.law.tree import Node

Fate = Literal["noticed", "unnoticed", "unreached"]
_NO_FIGURE = frozenset({"attr", "col", "text", "var", "outcome", "agg", "members", "supporters", "unknown"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: `by` is the case that notices it; unreached, if no case evaluates what is changed."""

    mutant: str
    fate: Fate
    by: str = ""


class Mutation:
    """The mutants and cases of a folder."""

    def __init__(self, folder: str | Path) -> None:
        self.cases = Cases(folder)
        if self.cases.unmet:
            raise PackError(
                f"{len(self.cases.unmet)} expectations are not met, the first: {self.cases.unmet[0]}",
                where=self.cases.own.place,
                remedy="Mend them first: `meanscheck rules run` shows them",
            )
        self.mutants = mutants_of(self.cases.own)
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
            is_reached = True
            stale = web.downstream(mutant)
            if stale is not None and not stale & _expected(run):
                continue
            if id(run.law) not in laws:
                laws[id(run.law)] = mutant.law(run)
            if _notices(run, laws[id(run.law)], stale):
                return Verdict(mutant.id, "noticed", run.name)
        return Verdict(mutant.id, "unnoticed" if is_reached else "unreached")

    def web(self, law: Law) -> Web:
        """What reads what in a law."""
        if id(law) not in self._webs:
            self._webs[id(law)] = Web(law)
        return self._webs[id(law)]


def _expected(run: CaseRun) -> frozenset[Item]:
    """What the expectations of a case look at."""
    items: set[Item] = set()
    for e in run.case.expectations:
        items.add(("programme", e.programme))
        items |= {("variable", name) for name in e.values}
    return frozenset(items)


def _notices(run: CaseRun, law: Law, stale: frozenset[Item] | None) -> bool:
    """Whether a case comes out otherwise than expected. What crashes is noticed too."""
    try:
        again = PlainRun(law, run.case.unit) if stale is None else _rerun(run, law, stale)
        return bool(judged(run.case, again).unmet)
    except (AssertionError, ArithmeticError, ValueError, OverflowError, KeyError, TypeError):
        return True


def _rerun(run: CaseRun, law: Law, stale: frozenset[Item]) -> PlainRun:
    """A run of another law that begins with all that cannot have changed."""
    again: PlainRun = PlainRun.__new__(PlainRun)
    again.__dict__.update(copy(run.run).__dict__)
    # A mutant reads less than the law, never more: the order holds.
    law.__dict__["order"] = run.law.order
    again.law = law
    again.values = {k: v for k, v in run.run.values.items() if ("variable", k[0]) not in stale}
    again.outcomes = {k: v for k, v in run.run.outcomes.items() if ("programme", k[0]) not in stale}
    again._causes = {k: v for k, v in run.run._causes.items() if ("variable", k[0]) not in stale}
    again._ready = False
    return again


class Web:
    """What reads what in a law."""

    def __init__(self, law: Law) -> None:
        self.law = law
        self.readers: dict[Item, set[Item]] = {}
        self.by_figure: dict[str, set[Item]] = {}
        self.nodes: dict[str, set[int]] = {}
        for variable in law.variables.values():
            self._read(("variable", variable.id), (variable.tree,))
        members = {p.id for p in law.programmes if p.entity == "member"}
        for programme in law.programmes:
            item: Item = ("programme", programme.id)
            self._read(item, programme.trees)
            for rule in programme.yields_to:
                self.readers.setdefault(("programme", rule.programme), set()).add(item)
            if members & {programme.id, *(y.programme for y in programme.yields_to)}:
                self.readers.setdefault(("variable", "is_member"), set()).add(item)
        self._derived()

    def _read(self, item: Item, trees: Iterable[Node]) -> None:
        for tree in trees:
            for read in reads(tree):
                self.readers.setdefault(read, set()).add(item)
            for node in tree.walk():
                name = node.args[0] if node.args and node.op not in _NO_FIGURE else None
                if isinstance(name, str) and name in self.law.parameters:
                    self.by_figure.setdefault(name, set()).add(item)
                    self.nodes.setdefault(name, set()).add(id(node))

    def _derived(self) -> None:
        """What reads a derived figure reads the figures that it is derived from."""
        derived = [p for p in self.law.parameters.values() if p.formula]
        for _ in derived:
            for figure in derived:
                # The text is searched, since the tree belongs to the pack: too many readers cost time and no truth.
                for name in self.law.parameters:
                    if name in figure.formula and name != figure.id:
                        self.by_figure.setdefault(name, set()).update(self.by_figure.get(figure.id, ()))
                        self.nodes.setdefault(name, set()).update(self.nodes.get(figure.id, ()))

    def touches(self, mutant: Mutant, run: CaseRun) -> bool:
        """Whether a case evaluated what a mutant changes."""
        if mutant.thing.startswith("parameter "):
            name = mutant.thing.removeprefix("parameter ")
            return name == WINDOW or not self.nodes.get(name, set()).isdisjoint(run.run.seen)
        if mutant.path is None:
            return True
        return any(id(node_at(tree, mutant.path)) in run.run.seen for tree in trees_of(self.law, mutant.thing))

    def downstream(self, mutant: Mutant) -> frozenset[Item] | None:
        """Everything that rests on what a mutant changes; None if it may be anything."""
        name = mutant.thing.removeprefix("parameter ")
        if name == WINDOW:
            return None
        waiting = list(mutant.starts(self.law)) or list(self.by_figure.get(name, ()))
        found: set[Item] = set()
        while waiting:
            item = waiting.pop()
            if item not in found:
                found.add(item)
                waiting.extend(self.readers.get(item, ()))
        return frozenset(found)


# ---- explanations


class _Explanation(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    id: str
    why: str


class _Explanations(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    mutant: list[_Explanation] = []


def explanations(level: Level) -> Mapping[str, str]:
    """Id (or its beginning and ``*``) → why the mutant changes nothing that a case could show.

    Raises:
        PackError: for a file that is no such list, or an id explained twice.
    """
    found: dict[str, str] = {}
    for path in files_of(level.folder, "mutants"):
        where = f"{level.place}/{path.name}"
        try:
            read = _Explanations.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
            raise PackError(f"not valid TOML: {fault}", where=where) from None
        except ValidationError:
            raise PackError(
                "entries have an id and a why", where=where, remedy="Write [[mutant]] id = …, why = …"
            ) from None
        for entry in read.mutant:
            if entry.id in found:
                raise PackError(f"explained twice: {entry.id}", where=where, remedy="Keep one")
            found[entry.id] = entry.why
    return found


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
    why = explanations(mutation.cases.own.levels[-1])
    left = [v.mutant for v in verdicts if v.fate != "noticed"]
    explained: dict[str, str] = {}
    stale: list[str] = []
    for pattern, reason in why.items():
        fits = list(_fitting(pattern, left))
        if not fits:
            stale.append(pattern)
        explained.update(dict.fromkeys(fits, reason))
    by_id = {m.id: m for m in mutation.mutants}
    return Report(mutation.cases.own.place, tuple(verdicts), explained, tuple(stale), by_id)


def _fitting(pattern: str, ids: Iterable[str]) -> Iterator[str]:
    if pattern.endswith("*"):
        return (i for i in ids if i.startswith(pattern[:-1]))
    return (i for i in ids if i == pattern)
