"""Which contradictions are there in one case, what settles each, and over which evidence does the law then run?

`Contradictions(law, unit)` gives the same as `found.find` does for a block, and the unit over which the law then runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from meanscheck.contracts.units import VERDICT_CONFIRMED, VERDICT_DROPPED, CaseUnit
from meanscheck.law.conflicts.kinds import MEMBERSHIP, WINDOW, Conflict
from meanscheck.law.conflicts.plain_finders import FINDERS, Case, Dispute, Point, Row
from meanscheck.values.evidence_state import EvidenceState

if TYPE_CHECKING:
    from meanscheck.law.law import Law

_SHARE = 1_000_000


def find(law: Law, unit: CaseUnit) -> tuple[Dispute, ...]:
    """The contradictions of a case with what settles each."""
    window = law.parameters[WINDOW].get() if WINDOW in law.parameters else None
    months = window if isinstance(window, int) else None
    case = Case(unit, law.on, months)
    found: list[Dispute] = []
    for name, conflict in law.conflicts.items():
        own = [d for d in FINDERS[name](case) if _counts(d, conflict)]
        if own:
            left = Case(unit, law.on, months, without_dropped=True)
            again = {d.identity: d for d in FINDERS[name](left) if _counts(d, conflict)}
            found += [_settled(d, unit, conflict, again) for d in own]
    return tuple(found)


def _counts(dispute: Dispute, conflict: Conflict) -> bool:
    one, other = dispute.one, dispute.other
    if one is None or other is None:
        return True
    difference, greater = abs(one - other), max(abs(one), abs(other))
    return difference >= conflict.least_fen and difference * _SHARE >= greater * conflict.least_share


def finding_on(unit: CaseUnit, conflict: Conflict, point: Point) -> int:
    """The finding on a row: 0 none, 1 confirmed, 2 explained or disregarded."""
    verdict = _row(unit, conflict, point).get("verdict")
    return verdict if isinstance(verdict, int) else 0


def _row(unit: CaseUnit, conflict: Conflict, point: Point) -> Row:
    return unit.persons[point.person].feed(conflict.kind.feeds[point.side]).rows[point.row]


def _settled(
    dispute: Dispute, unit: CaseUnit, conflict: Conflict, again: Mapping[tuple[object, ...], Dispute]
) -> Dispute:
    left = [p for p in dispute.points if finding_on(unit, conflict, p) != VERDICT_DROPPED]
    sides = [[p for p in left if p.side == side] for side in (0, 1)]
    is_confirmed = any(side and all(finding_on(unit, conflict, p) == VERDICT_CONFIRMED for p in side) for side in sides)
    is_touched = len(left) < len(dispute.points)
    still = again.get(dispute.identity)
    if is_touched and still is not None:
        dispute = replace(dispute, one=still.one, other=still.other)
    if is_confirmed or (is_touched and still is None):
        return replace(dispute, verdict="finding")
    return replace(dispute, verdict="open" if conflict.rule == "person" else "rule")


def _open_kinds(law: Law, unit: CaseUnit, disputes: Iterable[Dispute]) -> Mapping[int, frozenset[str]]:
    """Person → kinds of the open conflicts that concern him."""
    result: dict[int, set[str]] = {}
    for dispute in disputes:
        for point in dispute.points if dispute.verdict == "open" else ():
            if finding_on(unit, law.conflicts[dispute.kind], point) != VERDICT_DROPPED:
                result.setdefault(point.person, set()).add(dispute.kind)
    return {person: frozenset(kinds) for person, kinds in result.items()}


class Contradictions:
    """The contradictions of one case, and `unit`, the case as the law then reads it."""

    def __init__(self, law: Law, stated: CaseUnit) -> None:
        self.law, self.stated = law, stated
        self.disputes = find(law, stated)
        self.open = _open_kinds(law, stated, self.disputes)
        self.unit = self._applied() if self.disputes else stated

    def _applied(self) -> CaseUnit:
        """Doubted feeds conflicting, rows dropped that give way to another source."""
        law, unit = self.law, self.stated
        dropped: set[tuple[int, str, int]] = set()
        for dispute in self.disputes:
            conflict = law.conflicts[dispute.kind]
            for point in dispute.points if dispute.verdict == "rule" else ():
                feed = conflict.kind.feeds[point.side]
                if feed in conflict.dropped_feeds and finding_on(unit, conflict, point) == 0:
                    dropped.add((point.person, feed, point.row))
        persons = list(unit.persons)
        for i, person in enumerate(persons):
            doubted = {f for kind in self.open.get(i, ()) for f in law.conflicts[kind].doubted_feeds}
            feeds = dict(person.feeds)
            for feed in doubted | {f for p, f, _ in dropped if p == i}:
                facts = person.feed(feed)
                rows = tuple(
                    {**row, "verdict": VERDICT_DROPPED} if (i, feed, n) in dropped else row
                    for n, row in enumerate(facts.rows)
                )
                bad = EvidenceState.CONFLICTING
                feeds[feed] = replace(facts, rows=rows, state=max(facts.state, bad) if feed in doubted else facts.state)
            persons[i] = replace(person, feeds=feeds)
        return replace(unit, persons=tuple(persons))

    def of_membership(self, person: int) -> frozenset[str]:
        """Open conflicts that put a person's membership in doubt, as causes."""
        return self._causes(person, MEMBERSHIP)

    def of_feed(self, person: int, feed: str) -> frozenset[str]:
        """Why a person's feed is conflicting, as causes: open conflicts by name, and answers that contradict each
        other."""
        between = self._causes(person, feed)
        within = self.stated.persons[person].feed(feed).state is EvidenceState.CONFLICTING
        return between | {f"conflicting:{feed}"} if within or not between else between

    def _causes(self, person: int, doubt: str) -> frozenset[str]:
        kinds = self.open.get(person, frozenset())
        return frozenset(f"conflict:{k}" for k in kinds if doubt in self.law.conflicts[k].doubts)
