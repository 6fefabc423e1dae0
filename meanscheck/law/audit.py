"""On what does a pack rest, and for which years can it decide?

`audit(path)` loads a pack and reports, without any case: per programme the periods in which it decides, decides in part, or
can find nobody eligible, with the figures that are missing; and everything in the pack's files that a reader should know of:

    unsure        a figure or rule whose source is not sure; not used unless the deployment accepts it by name
    unknown       a figure or rule that was looked for and not found; what needs it refers
    derived       a figure or rule reasoned from a text, where no text says it in so many words
    deployment    a figure that the office chooses, not the law
    not_applied   a measure the law leaves to the locality, for which no local text was found
    unused        a figure that no formula reads
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from meanscheck.errors import PackError
from meanscheck.law.law import Law
from meanscheck.law.pack import FigureRevision, FormulaRevision, Level, Revision
from meanscheck.law.plain import FRESHNESS
from meanscheck.law.reach import Reach
from meanscheck.law.resolve import RulePack

Answer = Literal["decides", "in part", "refers"]
ANSWERS: tuple[Answer, ...] = ("decides", "in part", "refers")
"""Every case whose evidence is complete · some cases, others refer · nobody can be found eligible: ineligible or refer."""

ENGINE_FIGURES = frozenset({FRESHNESS, "evidence.report_validity"})
"""Figures read by the library itself and not by a formula."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a pack's files that a reader should know of.

    `what` names the place, such as ``parameter dibao.standard``; `since` and `until` (null: open) are the revision's days.
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
    """How one programme fares from a day to a day (`until` null: to this day and on).

    `missing`: figures and formulas not found; `waits_for`: programmes it depends on that may refer; `accepting`: what the
    answer would be, and with which unsure figures accepted, where that is better.
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
    unsure = tuple(sorted({name for name, revision in _named(pack) if revision.status == "unsure"}))
    found: dict[str, list[Period]] = {}
    for since, until in zip(days, ends, strict=True):
        # All that was ever published counts: the question is what can be decided with what is known today.
        plain = Reach(pack.on(since, known_by=date.max))
        accepting = Reach(pack.on(since, known_by=date.max, accept=unsure))
        for law_programme in plain.law.programmes:
            name = law_programme.id
            periods = found.setdefault(name, [])
            period = _period(name, since, until, plain, accepting)
            last = periods[-1] if periods else None
            if last and last.until == since - timedelta(days=1) and _same(last, period):
                periods[-1] = replace(last, until=until)
            else:
                periods.append(period)
    for periods in found.values():
        yield from periods


def _period(name: str, since: date, until: date | None, plain: Reach, accepting: Reach) -> Period:
    programme = plain.law.programme(name)
    answer, better = (_answer(reach, reach.law) for reach in (_Of(plain, name), _Of(accepting, name)))
    missing = plain.missing(programme)
    gained = None
    if ANSWERS.index(better) < ANSWERS.index(answer):
        gained = (better, _accepted(name, plain, accepting))
    return Period(name, since, until, answer, missing, plain.waits_for(programme), gained)
