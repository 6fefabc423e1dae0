"""How is one question put to the solver, and a real household found for a "no"?

A `Question` is a claim's negation over one or two encoders. The solver says that nothing can be so (`proved`), or gives
a household, which is made as small as it can be and run by both executors (`refuted`), or neither (`open`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import z3

from meanscheck.errors import MeanscheckError
from meanscheck.law.case_text import toml_of
from meanscheck.law.figures import table_of
from meanscheck.law.law import Law
from meanscheck.law.plain import PlainRun
from meanscheck.law.proving import terms as t
from meanscheck.law.proving.encode import Encoder
from meanscheck.law.proving.terms import Sym
from meanscheck.law.proving.witness import Answer, Stated, Subject, predicted, read, reproduced

Verdict = Literal["proved", "refuted", "open"]
MOST_STEPS = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """One household that shows something: the case as TOML, what both executors said of it, and for what causes it is
    referred, if it is."""

    text: str
    answers: tuple[tuple[Subject, Answer], ...]
    causes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a question, with the households that show a "no"."""

    verdict: Verdict
    why: str = ""
    shown: tuple[Shown, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One household of a witness: its encoder, what is asked of it, the law it is run under, and its name."""

    encoder: Encoder
    subjects: tuple[Subject, ...]
    law: Law
    name: str


class Solver:
    """Puts questions, each within so many seconds."""

    def __init__(self, seconds: float, *, clock: Callable[[], float]) -> None:
        self.clock, self.seconds = clock, seconds
        self.milliseconds = max(1, int(seconds * 1000))

    def holds(self, *parts: Sym, encoders: Sequence[Encoder]) -> tuple[str, z3.ModelRef | None]:
        """``unsat``, ``sat`` with a model, or ``unknown``."""
        if any(p is False for p in parts):
            return "unsat", None
        solver = self.new(parts, encoders)
        verdict = str(solver.check())
        return verdict, solver.model() if verdict == "sat" else None

    def new(self, parts: Sequence[Sym], encoders: Sequence[Encoder]) -> z3.Solver:
        """A solver that has been told all that holds."""
        solver = z3.Solver()
        solver.set("timeout", self.milliseconds)
        for encoder in encoders:
            solver.add(*(c for c in encoder.world.all_constraints() if c is not True))
            solver.add(*(p for p in (somebody(encoder),) if p is not True))
        solver.add(*(p for p in parts if p is not True))
        return solver

    def smallest(self, parts: Sequence[Sym], encoders: Sequence[Encoder]) -> z3.ModelRef | None:
        """A model with few people and few rows; None if none is found in time."""
        solver = self.new(parts, encoders)
        wishes, given_up = list(_wishes(encoders)), []
        model = None
        start = self.clock()
        for _ in range(MOST_STEPS):
            if self.clock() - start > self.seconds:
                return None
            verdict = solver.check(*wishes)
            if verdict == z3.sat:
                model = solver.model()
                break
            core = {c.get_id() for c in solver.unsat_core()} if verdict == z3.unsat else set()
            # The wishes that matter least come last.
            blocking = [w for w in wishes if w.get_id() in core]
            if not blocking:
                return None
            wishes.remove(blocking[-1])
            given_up.append(blocking[-1])
        for wish in given_up:
            # A core is not the smallest there is: some of what was given up can be had after all.
            in_time = self.clock() - start <= self.seconds
            if model is not None and in_time and solver.check(*wishes, wish) == z3.sat:
                model = solver.model()
                wishes.append(wish)
        return model


def somebody(encoder: Encoder) -> Sym:
    """Somebody of the application is a member of the household."""
    if "is_member" not in encoder.law.variables:
        return True
    return t.either(*(encoder.belongs(m).true for m in range(encoder.world.extent.members)))


def _wishes(encoders: Sequence[Encoder]) -> list[Sym]:
    """Nobody more than one; where there must be rows, one, and better none; and people in the middle of life who live
    together. What matters most comes first."""
    people: dict[int, Sym] = {}
    one: dict[int, Sym] = {}
    none: dict[int, Sym] = {}
    plain: dict[int, Sym] = {}
    for encoder in encoders:
        today = encoder.on.toordinal()
        for name in encoder.world.names():
            symbol = encoder.world.find(name)
            if symbol is None:
                continue
            if name.startswith("rows "):
                none[symbol.get_id()] = symbol == 0
                one[symbol.get_id()] = symbol <= 1
            elif name.startswith("present "):
                people[symbol.get_id()] = z3.Not(symbol)
            elif name.endswith(" born_on"):
                plain[symbol.get_id()] = z3.And(symbol > today - 50 * 365, symbol < today - 40 * 365)
            elif name.endswith(" lives_together"):
                plain[symbol.get_id()] = symbol
    preferred = [w for e in encoders for w in e.preferred if not t.is_constant(w)]
    return [*preferred, *people.values(), *one.values(), *none.values(), *plain.values()]


def ask(solver: Solver, parts: Sequence[Sym], sides: Sequence[Side], *, known_by: date, case_id: str) -> Reply:
    """The claim whose negation `parts` is, answered; a model counts only if both executors reproduce it."""
    encoders = [side.encoder for side in sides]
    verdict, model = solver.holds(*parts, encoders=encoders)
    if verdict == "unsat":
        return Reply("proved")
    if verdict == "unknown" or model is None:
        return Reply("open", "not settled in the time given")
    missing = sorted({name for e in encoders for name in e.formulas})
    if missing:
        return Reply("open", f"rests on {', '.join(missing)}, not found")
    small = solver.smallest(parts, encoders)
    for found in (small, model):
        if found is None:
            continue
        shown = [show(side, found, known_by=known_by, case_id=case_id) for side in sides]
        if all(s is not None for s in shown):
            causes = sorted({c for s in shown if s is not None for c in s.causes})
            why = f"refers: {', '.join(causes)}" if causes else ""
            return Reply("refuted", why, tuple(s for s in shown if s is not None))
    return Reply("open", "a household was found, but the executors do not reproduce it")


def show(side: Side, model: z3.ModelRef, *, known_by: date, case_id: str) -> Shown | None:
    """The household of a model as a case, if both executors say of it what the model says."""
    expected = [(s, predicted(model, side.encoder.decided(*s))) for s in side.subjects]
    name = f"{case_id}-{side.name}" if side.name else case_id
    stated = Stated(side.encoder, model).case(name, known_by=known_by, expect=expected)
    if stated is None:
        return None
    text = toml_of(stated)
    try:
        case = read(text)
        law = replace_figures(side.law, case.overlay)
        found = reproduced(law, case, side.subjects)
        run = PlainRun(law, case.unit)
        causes = frozenset[str]().union(*(run.outcome(*subject).causes for subject in side.subjects))
    except MeanscheckError:
        return None
    if found is None or any(not _same(found[s], answer) for s, answer in expected):
        return None
    return Shown(text, tuple(expected), causes)


def _same(a: Answer, b: Answer) -> bool:
    return (a.outcome, a.award, set(a.failed)) == (b.outcome, b.award, set(b.failed))


def replace_figures(law: Law, overlay: Mapping[str, object]) -> Law:
    """The law with what-if figures in place of those not found."""
    figures = dict(law.parameters)
    for name, value in overlay.items():
        p = figures[name]
        table = table_of(value, p.unit, len(p.by), "what-if figure")
        figures[name] = replace(p, table=table, unknown="")
    return replace(law, parameters=figures)
