"""On what does a pack rest, and for which years can it decide?

`audit(path)` loads a pack and reports, without any case: per programme the periods in which it decides, decides in
part, or can find nobody eligible, with the figures that are missing; and what a reader of its files should know of:

    unsure        a figure or rule whose source is not sure; not used unless the deployment accepts it by name
    unknown       a figure or rule that was looked for and not found; what needs it refers
    derived       a figure or rule reasoned from a text, where no text says it in so many words
    deployment    a figure that the office chooses, not the law
    not_applied   a measure the law leaves to the locality, for which no local text was found
    unused        a figure that no formula reads
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from meanscheck.errors import PackError
from meanscheck.law.levels import Level
from meanscheck.law.pack import Revision
from meanscheck.law.plain import FRESHNESS
from meanscheck.law.reach import Reach
from meanscheck.law.resolve import RulePack

Answer = Literal["decides", "in part", "refers"]
ANSWERS: tuple[Answer, ...] = ("decides", "in part", "refers")
"""Every case with complete evidence · some cases, others refer · nobody can be found eligible: ineligible or refer."""

ENGINE_FIGURES = frozenset(
    {
        FRESHNESS,
        "evidence.report_validity",
        "retention.approval",
        "retention.management",
        "integrity.record_months",
        "contest.recheck_days",
    }
)
"""Figures read by the library itself and not by a formula."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a pack's files that a reader should know of.

    `what` names it, such as ``parameter dibao.standard``; `since` and `until` (None: open) are the revision's days.
    """

    kind: str
    what: str
    why: str
    since: date | None
    until: date | None
    cite: tuple[str, ...]
    place: str


@dataclass(frozen=True, slots=True)
class Period:
    """How one programme fares from a day to a day (`until` None: open).

    `missing`: figures and formulas not found; `waits_for`: programmes it depends on that may refer; `accepting`: what
    the answer would be, and with which unsure figures accepted, where that is better.
    """

    programme: str
    since: date
    until: date | None
    answer: Answer
    missing: tuple[str, ...]
    waits_for: tuple[str, ...]
    accepting: tuple[Answer, tuple[str, ...]] | None


@dataclass(frozen=True, slots=True)
class Audit:
    """The report on one pack; `fault` says why it does not load, and then the rest is empty."""

    place: str
    code: str
    name: str
    name_zh: str
    fault: str
    periods: tuple[Period, ...]
    findings: tuple[Finding, ...]


def audit(path: str | Path) -> Audit:
    """The report on the pack in a folder; a pack that does not load is a report too.

    Findings cover the folder and those above it; `Finding.place` says which.
    """
    try:
        pack = RulePack.load(path)
    except PackError as fault:
        return Audit(Path(path).as_posix(), "", "", "", str(fault), (), ())
    own = pack.levels[-1]
    findings = [f for level in pack.levels for f in _findings(pack, level)]
    return Audit(pack.place, pack.code, pack.name, own.pack.name_zh, "", tuple(_periods(pack)), tuple(findings))


def pack_folders(path: str | Path) -> tuple[Path, ...]:
    """The pack folders at or below a path, parents first; PackError if there is none."""
    top = Path(path)
    folders = sorted({file.parent for file in top.rglob("pack.toml")})
    if not folders:
        raise PackError("no pack.toml there or below", where=str(path), remedy="Name a folder such as rules/cn")
    return tuple(folders)


def answers_by_year(report: Audit, programme: str) -> dict[int, tuple[Period, ...]]:
    """Year → the periods of a programme that touch it, up to the year in which the last period begins."""
    own = [p for p in report.periods if p.programme == programme]
    if not own:
        return {}
    last = max(p.since for p in report.periods).year
    years = range(own[0].since.year, last + 1)
    touching = {y: tuple(p for p in own if p.since.year <= y and (p.until is None or p.until.year >= y)) for y in years}
    return {year: periods for year, periods in touching.items() if periods}


# ---- what can be decided


def _periods(pack: RulePack) -> Iterator[Period]:
    days = pack.boundary_days()
    ends = [*(d - timedelta(days=1) for d in days[1:]), None]
    unsure = _accepted_names(pack)
    found: dict[str, list[Period]] = {}
    for since, until in zip(days, ends, strict=True):
        # All that was ever published counts: the question is what can be decided with what is known today.
        plain = Reach(pack.on(since, known_by=date.max))
        accepting = Reach(pack.on(since, known_by=date.max, accept=unsure))
        for programme in plain.law.programmes:
            periods = found.setdefault(programme.id, [])
            period = _period(programme.id, since, until, plain, accepting)
            last = periods[-1] if periods else None
            adjoins = last is not None and last.until == since - timedelta(days=1)
            if last and adjoins and replace(period, since=last.since) == replace(last, until=until):
                periods[-1] = replace(last, until=until)
            else:
                periods.append(period)
    for periods in found.values():
        yield from periods


def _period(name: str, since: date, until: date | None, plain: Reach, accepting: Reach) -> Period:
    programme = plain.law.programme(name)
    answer, better = _answer(plain, name), _answer(accepting, name)
    gained = None
    if ANSWERS.index(better) < ANSWERS.index(answer):
        gained = (better, tuple(sorted(_open(plain, name) - _open(accepting, name))))
    return Period(name, since, until, answer, plain.missing(programme), plain.waits_for(programme), gained)


def _answer(reach: Reach, name: str) -> Answer:
    outcomes = reach.outcomes(reach.law.programme(name))
    if "eligible" not in outcomes:
        return "refers"
    return "in part" if "refer" in outcomes else "decides"


def _open(reach: Reach, name: str) -> set[str]:
    """What a programme and those it waits for leave open."""
    programme = reach.law.programme(name)
    names = set(reach.missing(programme))
    for other in reach.waits_for(programme):
        names |= _open(reach, other)
    return names


# ---- what is written in the files


def _findings(pack: RulePack, level: Level) -> Iterator[Finding]:
    for what, revisions in _revisions(level):
        for revision in revisions:
            kind = "unknown" if revision.unknown else revision.status
            if kind != "sourced":
                why = "; ".join(filter(None, (revision.unknown, _bounds(revision), revision.note)))
                until = _until(revision, revisions)
                yield Finding(kind, what, why, revision.in_force_on, until, tuple(revision.cite), level.place)
    yield from _contradictions(level)
    for measure in level.pack.not_applied:
        yield Finding("not_applied", measure.id, measure.why, None, None, tuple(measure.cite), level.place)
    formulas = [getattr(r, "formula", "") for one in pack.levels for _, revisions in _revisions(one) for r in revisions]
    for _, parameter in level.parameters:
        name = re.compile(rf"(?<![\w.]){re.escape(parameter.id)}(?![\w.])")
        if parameter.id not in ENGINE_FIGURES and not any(map(name.search, formulas)):
            yield Finding("unused", f"parameter {parameter.id}", "no formula reads it", None, None, (), level.place)


def _contradictions(level: Level) -> Iterator[Finding]:
    """What conflicts.toml rests on: no rule found, a rule not sourced, a bound that the office chooses."""
    for _, conflict in level.conflicts:
        what = f"conflict {conflict.id}"
        for r in conflict.revision:
            until, cite = _until(r, conflict.revision), tuple(r.cite)
            if r.unknown or r.rule == "person":
                why = "; ".join(filter(None, (r.unknown or "no rule found: a person decides", r.note)))
                yield Finding("unknown", what, why, r.in_force_on, until, cite, level.place)
            elif r.status != "sourced":
                yield Finding(r.status, what, r.note, r.in_force_on, until, cite, level.place)
            if r.threshold_status != "sourced":
                why = f"counts from {r.counts_from} yuan and {r.counts_share} of the greater figure"
                yield Finding(r.threshold_status, f"{what}, threshold", why, r.in_force_on, until, cite, level.place)


def _revisions(level: Level) -> Iterator[tuple[str, Sequence[Revision]]]:
    for _, parameter in level.parameters:
        yield f"parameter {parameter.id}", parameter.revision
    for _, variable in level.variables:
        yield f"variable {variable.id}", variable.revision
    for _, programme in level.programmes:
        for test in programme.test:
            yield f"programme {programme.id}, test {test.id}", test.revision
        if programme.award is not None:
            yield f"programme {programme.id}, award", programme.award.revision


def _bounds(revision: Revision) -> str:
    words = []
    for word, bound in (("at least", revision.at_least), ("at most", revision.at_most)):
        if isinstance(bound, dict):
            words.append(f"{word} {', '.join(f'{k} {v}' for k, v in bound.items())}")
        elif bound is not None:
            words.append(f"{word} {bound}")
    return "; ".join(words)


def _until(revision: Revision, revisions: Iterable[Revision]) -> date | None:
    later = [r.in_force_on for r in revisions if r.in_force_on > revision.in_force_on]
    ends = [d - timedelta(days=1) for d in later] + ([revision.ends_on] if revision.ends_on else [])
    return min(ends, default=None)


def _accepted_names(pack: RulePack) -> tuple[str, ...]:
    """Figures and variables with an unsure revision, which a deployment may accept by name."""
    return tuple(
        sorted(
            what.split(" ", 1)[1]
            for level in pack.levels
            for what, revisions in _revisions(level)
            if not what.startswith("programme") and any(r.status == "unsure" and not r.unknown for r in revisions)
        )
    )
