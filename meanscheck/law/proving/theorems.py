"""What holds of every programme of a pack, on every day on which its law changes?

    one outcome            with complete evidence every household gets exactly one of eligible and ineligible
    award not negative     nobody who is eligible gets less than nothing
    award within ceiling   nor more than the ceiling the pack gives
    falls_with, rises_with what a test or an award is claimed to do with more of something
    exclusive              a programme and the one it gives way to never both hold

`theorems(pack, …)` proves each once for every law under which it is the same theorem (`scene.signature`) and gives one
`Theorem` for each run of days.

Choices
    * Law as known today, with figures marked unsure taken as they stand: what is asked is whether the law holds
      together, not what an office may already use.
    * At least one person of the application is a member of the household; without any there is nobody to decide about.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial

from meanscheck.law.claims import Ceiling, Monotone, ceilings, monotone_claims
from meanscheck.law.law import Law
from meanscheck.law.pack import Revision
from meanscheck.law.proving import terms as t
from meanscheck.law.proving.asking import Reply, Shown, Side, Solver, Verdict, ask
from meanscheck.law.proving.encode import At, Encoder
from meanscheck.law.proving.household import Extent
from meanscheck.law.proving.moving import monotone
from meanscheck.law.proving.scene import Scene, not_found, signature
from meanscheck.law.proving.shallow import Kept, always_known, free_encoder, monotone_quickly, through
from meanscheck.law.proving.terms import NotEncodable, Sym
from meanscheck.law.proving.witness import Subject
from meanscheck.law.resolve import RulePack
from meanscheck.law.tree import Node, figures_in

Tell = Callable[[int, int], None]
KNOWN_BY = date.max


@dataclass(frozen=True, slots=True)
class Theorem:
    """A claim about one programme and its answer, from a day to a day (`until` None: open).

    `whatever`: figures and formulas not found, which it does not depend on if it is proved.
    """

    programme: str
    claim: str
    since: date
    until: date | None
    verdict: Verdict
    why: str
    shown: tuple[Shown, ...]
    seconds: float
    whatever: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As ``theorems.toml`` names it."""
        return f"{self.programme}: {self.claim}"

    @property
    def causes(self) -> frozenset[str]:
        """For what its households are referred, if they are."""
        return frozenset(c for shown in self.shown for c in shown.causes)


def laws_of(pack: RulePack) -> list[tuple[date, date | None, Law]]:
    """First day, last day and law of every stretch in which nothing changes."""
    days = pack.boundary_days()
    ends: list[date | None] = [*(d - timedelta(days=1) for d in days[1:]), None]
    accepted = unsure_names(pack)
    return [
        (since, until, pack.on(since, known_by=KNOWN_BY, accept=accepted))
        for since, until in zip(days, ends, strict=True)
    ]


def unsure_names(pack: RulePack) -> tuple[str, ...]:
    """Figures and variables that a deployment may accept although a revision of them is unsure."""
    figures = {name: [r for _, one in s for r in one.revision] for name, s in pack.parameters.items()}
    formulas = {name: [r for _, one in s for r in one.revision] for name, s in pack.variables.items()}
    named: dict[str, Sequence[Revision]] = {**figures, **formulas}
    return tuple(sorted(n for n, rs in named.items() if any(r.status == "unsure" and not r.unknown for r in rs)))


def theorems(
    pack: RulePack,
    laws: Sequence[tuple[date, date | None, Law]],
    extent: Extent,
    solver: Solver,
    tell: Tell,
    *,
    only: Collection[str] = (),
) -> list[Theorem]:
    """Every theorem about every programme (of `only` these) of the pack."""
    claims = list(monotone_claims(pack))
    limits = {c.programme: c for c in ceilings(pack)}
    todo = [(since, until, law, p.id) for since, until, law in laws for p in law.programmes if not only or p.id in only]
    found: list[Theorem] = []
    known: dict[str, list[Theorem]] = {}
    kept = Kept()
    spent: set[str] = set()
    stage: tuple[date, Stage] | None = None
    for done, (since, until, law, name) in enumerate(todo):
        tell(done, len(todo))
        limit = limits.get(name)
        key = signature(law, name, () if limit is None else (limit.tree,))
        if key not in known:
            own = [c for c in claims if c.programme == name]
            if stage is None or stage[0] != since:
                stage = (since, Stage(law, extent))
            known[key] = list(_of_programme(stage[1], name, own, limit, solver, kept))
        taken = key in spent
        spent.add(key)
        found += [replace(th, since=since, until=until, seconds=0 if taken else th.seconds) for th in known[key]]
    tell(len(todo), len(todo))
    return joined(found)


def joined(found: Sequence[Theorem]) -> list[Theorem]:
    """The same answer over adjoining stretches as one, with the household of the last."""
    result: dict[tuple[str, str], list[Theorem]] = {}
    for th in found:
        runs = result.setdefault((th.programme, th.claim), [])
        last = runs[-1] if runs else None
        if last is not None and last.until == th.since - timedelta(days=1):
            if (last.verdict, last.why) == (th.verdict, th.why):
                whatever = tuple(sorted({*last.whatever, *th.whatever}))
                seconds = last.seconds + th.seconds
                runs[-1] = replace(last, until=th.until, seconds=seconds, whatever=whatever, shown=th.shown)
                continue
        runs.append(th)
    return [th for runs in result.values() for th in runs]


class Stage:
    """A law with one household, so that what programmes have in common is encoded once."""

    def __init__(self, law: Law, extent: Extent) -> None:
        self.law, self.scene = law, Scene((law,), extent)
        self.encoder = self.scene.encoder(self.scene.world())


def _of_programme(
    stage: Stage, name: str, claims: Sequence[Monotone], limit: Ceiling | None, solver: Solver, kept: Kept
) -> Iterator[Theorem]:
    law, scene, encoder = stage.law, stage.scene, stage.encoder
    programme = law.programme(name)
    person = None if programme.entity == "household" else 0
    questions: dict[str, Callable[[], Sequence[Sym]]] = {"one outcome": partial(_not_one, encoder, name, person)}
    if programme.award is not None:
        questions["award not negative"] = partial(_negative, encoder, name, person)
        if limit is not None and set(figures_in(limit.tree)) <= set(law.parameters):
            questions["award within ceiling"] = partial(_above, encoder, name, person, limit.tree)
    quick: dict[str, Callable[[], bool]] = {"one outcome": partial(always_known, scene, name, solver, kept)}
    if programme.award is not None:
        trees = [*programme.trees, *(() if limit is None else (limit.tree,))]
        for claim in ("award not negative", "award within ceiling"):
            ask_quickly = partial(_award_holds, scene, name, person, claim, limit, solver)
            quick[claim] = partial(kept.proved, law, f"{claim} {name}", trees, ask_quickly)
    subjects: dict[str, tuple[Subject, ...]] = {}
    for rule in programme.yields_to:
        claim = f"exclusive of {rule.programme}"
        others = _others(law, rule.programme, rule.when, person, scene.extent)
        subjects[claim] = ((name, person), *others[:1])
        questions[claim] = partial(_both, encoder, (name, person), others, rule.when)
        ask_quickly = partial(_never_both, scene, (name, person), others, rule.when, solver)
        quick[claim] = partial(kept.proved, law, f"{claim} {rule.when} {name}", programme.trees, ask_quickly)
    for claim, question in questions.items():
        about = subjects.get(claim, ((name, person),))
        side, case_id = Side(encoder, about, law, ""), f"{name}-{claim.replace(' ', '-')}"
        yield _timed(solver, name, claim, law, partial(_asked, solver, question, side, case_id, quick.get(claim)))
    for one in claims:
        if one.test is not None and one.test not in {test.id for test in programme.tests}:
            continue
        if one.test is None and programme.award is None:
            continue
        verb = "falls" if one.way == "falls_with" else "rises"
        words = f"{'award' if one.test is None else f'test {one.test}'} {verb} with {one.name}"
        yield _timed(solver, name, words, law, partial(_monotone, scene, one, solver, kept))


def _monotone(scene: Scene, claim: Monotone, solver: Solver, kept: Kept) -> Reply:
    programme = scene.law.programme(claim.programme)
    trees = [x.tree for x in programme.tests if claim.test is None or x.id == claim.test]
    if claim.test is None and programme.award is not None:
        trees.append(programme.award.tree)
    words = repr((claim, programme.entity))
    if claim.name in scene.law.variables:
        trees = through(scene.law, trees, claim.name)
        if kept.proved(scene.law, words, trees, partial(monotone_quickly, scene, claim, trees, solver)):
            return Reply("proved")
    return monotone(scene, claim, solver, known_by=KNOWN_BY)


def _never_both(scene: Scene, subject: Subject, others: Sequence[Subject], when: str, solver: Solver) -> bool:
    """Whether a programme gives way whatever decides the other."""
    encoder = free_encoder(scene, scene.world(), scene.law.programme(subject[0]).trees)
    encoder.free_but = subject[0]
    return solver.holds(*_both(encoder, subject, others, when), encoders=(encoder,))[0] == "unsat"


def _award_holds(
    scene: Scene, name: str, person: int | None, claim: str, limit: Ceiling | None, solver: Solver
) -> bool:
    """Whether an award keeps its bound whatever the variables are that it and the tests read."""
    programme = scene.law.programme(name)
    trees = [*programme.trees, *(() if limit is None else (limit.tree,))]
    encoder = free_encoder(scene, scene.world(), trees)
    decided = encoder.decided_by_tests(name, person)
    assert decided.award is not None
    wrong = t.relation("<", decided.award.top, 0)
    if claim == "award within ceiling":
        assert limit is not None
        wrong = t.compared(">", decided.award, encoder.number(limit.tree, At(person))).true
    return solver.holds(decided.by_tests.true, wrong, encoders=(encoder,))[0] == "unsat"


def _asked(
    solver: Solver,
    question: Callable[[], Sequence[Sym]],
    side: Side,
    case_id: str,
    quick: Callable[[], bool] | None,
) -> Reply:
    if quick is not None and quick():
        return Reply("proved")
    return ask(solver, question(), [side], known_by=KNOWN_BY, case_id=case_id)


def _timed(solver: Solver, name: str, claim: str, law: Law, answer: Callable[[], Reply]) -> Theorem:
    start = solver.clock()
    try:
        reply = answer()
    except NotEncodable as fault:
        reply = Reply("open", str(fault))
    seconds = solver.clock() - start
    whatever = not_found(law, name)
    return Theorem(name, claim, law.on, None, reply.verdict, reply.why, reply.shown, seconds, whatever)


# ---- what would have to be so for a theorem to be wrong


def _not_one(encoder: Encoder, name: str, person: int | None) -> list[Sym]:
    outcome = encoder.decided(name, person).outcome
    return [
        t.either(t.opposite(outcome.known), t.both(outcome.true, outcome.false)),
        encoder.world.present(person or 0),
    ]


def _negative(encoder: Encoder, name: str, person: int | None) -> list[Sym]:
    decided = encoder.decided(name, person)
    assert decided.award is not None
    return [decided.outcome.true, t.relation("<", decided.award.top, 0)]


def _above(encoder: Encoder, name: str, person: int | None, limit: Node) -> list[Sym]:
    decided = encoder.decided(name, person)
    assert decided.award is not None
    return [decided.outcome.true, t.compared(">", decided.award, encoder.number(limit, At(person))).true]


def _others(law: Law, other: str, when: str, person: int | None, extent: Extent) -> list[Subject]:
    if law.programme(other).entity == "household":
        return [(other, None)]
    return [(other, person)] if when == "this member" else [(other, m) for m in range(extent.members)]


def _both(encoder: Encoder, subject: Subject, others: Sequence[Subject], when: str) -> list[Sym]:
    """The programme is eligible, and so is the one that it gives way to."""
    verdicts = []
    members = encoder.law.programme(subject[0]).members
    for name, person in others:
        outcome = encoder.decided(name, person).outcome.true
        if person is None or when == "this member":
            verdicts.append(outcome)
        elif when == "any member":
            verdicts.append(t.both(encoder.belongs(person, members).true, outcome))
        else:
            verdicts.append(t.either(t.opposite(encoder.belongs(person, members).true), outcome))
    together = t.either(*verdicts) if when == "any member" else t.both(*verdicts)
    return [encoder.decided(*subject).outcome.true, together]
