"""What can one fen more cost?

For each test of a programme, and each amount it reads, the household that loses most when that amount is one fen
greater and all else stays: the loss in the award of the day, the status, and what other programmes hang on it. The
greatest loss is first sought with the amount as a free number, then with the evidence behind it, so that the pair can
be written down and run; `exact` says whether that was settled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import z3

from meanscheck.law.law import Law
from meanscheck.law.proving import terms as t
from meanscheck.law.proving.asking import Shown, Side, Solver, show, somebody
from meanscheck.law.proving.encode import Encoder
from meanscheck.law.proving.moving import cut_pair, full_pair
from meanscheck.law.proving.scene import Scene, closure
from meanscheck.law.proving.terms import NotEncodable, Number, Sym
from meanscheck.law.proving.witness import whole_of

KNOWN_BY = date.max
MOST_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Cliff:
    """The steepest fall of one programme by one amount.

    `loss` in fen of the award (a month's or a year's, as the award's unit says); `status` whether eligibility goes;
    `hangs_on` other programmes that read this one's outcome; `exact` whether no household loses more.
    """

    programme: str
    by: str
    on: date
    loss: int
    status: bool
    hangs_on: tuple[str, ...]
    exact: bool
    shown: tuple[Shown, ...]


def cliffs(scene: Scene, name: str, solver: Solver) -> Iterator[Cliff]:
    """The steepest cliff of a programme by each amount that its tests read, the greatest first."""
    found = [c for amount in amounts(scene.law, name) if (c := _by(scene, name, amount, solver)) is not None]
    yield from sorted(found, key=lambda c: (-c.loss, c.by))


def amounts(law: Law, name: str) -> list[str]:
    """Money variables that the tests of a programme read themselves."""
    found: dict[str, None] = {}
    for test in law.programme(name).tests:
        for node in test.tree.walk():
            if node.op == "var":
                variable = law.variables[str(node.args[0])]
                if variable.unit in ("money", "money/month") and variable.entity != "supporter":
                    found[variable.id.split("~")[0]] = None
    return list(found)


def hanging(law: Law, name: str) -> tuple[str, ...]:
    """Programmes whose outcome rests on that of another."""
    others = (p.id for p in law.programmes if p.id != name)
    return tuple(o for o in others if ("programme", name) in closure(law, o))


def _by(scene: Scene, name: str, amount: str, solver: Solver) -> Cliff | None:
    law = scene.law
    person = None if law.programme(name).entity == "household" else 0
    try:
        cut = cut_pair(scene, amount)
        step = _one_more(cut.less, cut.more, amount, scene)
        most, status = _steepest(cut.less, cut.more, name, person, step, solver)
        if most is None:
            return None
        pair = full_pair(scene, amount, cut)
        step = _one_more(pair.less, pair.more, amount, scene)
        loss = _loss(pair.less, pair.more, name, person)
        falls = _falls(pair.less, pair.more, name, person) if status else True
    except NotEncodable:
        return None
    encoders = (pair.less, pair.more)

    def at_least(fen: int) -> Sym:
        return loss >= fen

    low, high, model = 0, most + 1, None
    tried = most
    for _ in range(MOST_HALVINGS):
        if low >= high:
            break
        verdict, found = solver.holds(falls, *pair.order, *step, at_least(tried), encoders=encoders)
        if found is not None:
            model, low = found, max(whole_of(found, loss), tried) + 1
        elif verdict == "unsat":
            high = tried
        else:
            break
        tried = (low + high - 1) // 2 if low < high else low
    if model is None:
        return None
    best = low - 1
    small = solver.smallest([falls, *pair.order, *step, at_least(best)], encoders)
    sides = [Side(e, ((name, person),), law, word) for e, word in ((pair.less, "before"), (pair.more, "one-fen-more"))]
    for one in (small, model):
        if one is None:
            continue
        shown = [show(side, one, known_by=KNOWN_BY, case_id=f"{name}-{amount}") for side in sides]
        if all(s is not None for s in shown):
            pairs = tuple(s for s in shown if s is not None)
            return Cliff(name, amount, law.on, best, status, hanging(law, name), low >= high, pairs)
    return None


def _one_more(less: Encoder, more: Encoder, amount: str, scene: Scene) -> list[Sym]:
    """One fen more, of the household or of its first member."""
    is_household = scene.law.variables[amount].entity == "household"
    persons: list[int | None] = [None] if is_household else list(range(scene.extent.members))
    parts: list[Sym] = []
    for person in persons:
        a, b = less.variable(amount, person), more.variable(amount, person)
        if not isinstance(a, Number) or not isinstance(b, Number):
            raise NotEncodable(f"{amount} is no number")
        parts.append(b.top == a.top + (1 if person in (None, 0) else 0))
    return parts


def _falls(less: Encoder, more: Encoder, name: str, person: int | None) -> Sym:
    return t.both(less.decided(name, person).outcome.true, more.decided(name, person).outcome.false)


def _loss(less: Encoder, more: Encoder, name: str, person: int | None) -> Sym:
    """What is paid less, in fen; 0 for a programme without an amount."""
    a, b = (e.decided(name, person) for e in (less, more))
    if a.award is None or b.award is None:
        return z3.IntVal(0)
    return t.choice(a.outcome.true, a.award.top, 0) - t.choice(b.outcome.true, b.award.top, 0)


def _steepest(
    less: Encoder, more: Encoder, name: str, person: int | None, step: list[Sym], solver: Solver
) -> tuple[int | None, bool]:
    """The greatest loss with the amount as a free number, and whether eligibility can go; None if nothing is lost."""
    loss, falls = _loss(less, more, name, person), _falls(less, more, name, person)
    for condition, status in ((falls, True), (loss > 0, False)):
        if condition is False:
            continue
        optimizer = z3.Optimize()
        optimizer.set("timeout", solver.milliseconds)
        optimizer.add(*(c for c in less.world.all_constraints() if c is not True), *step)
        optimizer.add(*(c for c in (condition, somebody(less), somebody(more)) if c is not True))
        goal = optimizer.maximize(loss)
        if optimizer.check() == z3.sat:
            upper = optimizer.upper(goal)
            if z3.is_int_value(upper):
                return upper.as_long(), status
            return None, status
    return None, False
