"""In which stratum is a decision? By programme and by risk, from what its record holds and nothing else.

A unit is one programme of one decision (for programmes that decide members: all its members together). Its risk is the
first of these that fits:

    unreviewed   referred to a person because of a doubtful point (疑点) that no finding has settled
    referred     referred to a person for another reason
    thin_margin  decided, and a small amount would have decided otherwise
    high_award   eligible, with a high award
    ordinary     none of these

What is thin: for an eligible unit the smallest margin of a test that compares money is at most `thin_fen`; for an
ineligible one every failing test compares money and the largest distance is at most that (all of them would have to
turn). A margin is of the numerator: of an income over a window of months, of all members, so it is larger than the
same distance from a monthly standard. The record was committed to before anybody knew the nonce, so nobody can move a
decision into another stratum after the draw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from meanscheck.law.law import Law
from meanscheck.law.margins import margin_of

RISKS: Mapping[str, tuple[str, str]] = {
    "unreviewed": ("疑点未核实", "doubtful point not reviewed"),
    "referred": ("转人工核查", "referred to a person"),
    "thin_margin": ("临近标准", "thin margin"),
    "high_award": ("高额救助", "high award"),
    "ordinary": ("一般", "ordinary"),
}
"""Risk → its name in Chinese and English, in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What counts as thin and as high, in fen."""

    thin_fen: int = 50_000
    high_fen: int = 100_000


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """One programme of the decision at an index of the log."""

    index: int
    programme: str
    risk: str

    @property
    def stratum(self) -> str:
        """``programme/risk``."""
        return f"{self.programme}/{self.risk}"


@dataclass(frozen=True, slots=True)
class Frame:
    """All units of a batch, in the order of the log and of programmes."""

    units: tuple[Unit, ...] = field(repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over a line ``index programme risk`` a unit: whoever stratifies anew can compare."""
        lines = "".join(f"{u.index} {u.programme} {u.risk}\n" for u in self.units)
        return hashlib.sha256(lines.encode()).hexdigest()

    def strata(self) -> dict[str, list[Unit]]:
        """Stratum → its units, by name."""
        found: dict[str, list[Unit]] = {}
        for unit in self.units:
            found.setdefault(unit.stratum, []).append(unit)
        return dict(sorted(found.items()))


def frame_of(records: Iterable[tuple[int, Mapping[str, Any]]], law: Law, thresholds: Thresholds) -> Frame:
    """The frame of a batch.

    Args:
        records: (index in the log, groups as JSON values), all groups shown.
        law: by which they were decided.
        thresholds: what is thin and what is high.
    """
    money = money_tests(law)
    units = (unit for index, record in records for unit in units_of(index, record, money, thresholds))
    return Frame(tuple(sorted(units)))


def money_tests(law: Law) -> frozenset[tuple[str, str]]:
    """(programme, test) of the tests whose margin is an amount of money."""
    margins = ((p.id, t.id, margin_of(t.tree)) for p in law.programmes for t in p.tests)
    return frozenset((p, t) for p, t, m in margins if m is not None and m.value.type.dimension[0] == 1)


def units_of(
    index: int, record: Mapping[str, Any], money: frozenset[tuple[str, str]], thresholds: Thresholds
) -> Iterator[Unit]:
    """The units of one record."""
    risks: dict[str, list[str]] = {}
    result, reasons = record["result"], record["reasons"]
    tests = {m["id"]: m["tests"] for m in reasons["members"]}
    for o in result["household"]:
        risks.setdefault(o["programme"], []).append(_risk(o, reasons["household"], money, thresholds))
    for member in result["members"]:
        for o in member["outcomes"]:
            risks.setdefault(o["programme"], []).append(_risk(o, tests[member["id"]], money, thresholds))
    order = list(RISKS)
    for programme, found in risks.items():
        yield Unit(index, programme, min(found, key=order.index))


def _risk(
    outcome: Mapping[str, Any],
    tests: Sequence[Mapping[str, Any]],
    money: frozenset[tuple[str, str]],
    thresholds: Thresholds,
) -> str:
    if outcome["outcome"] == "refer":
        return "unreviewed" if any(c.startswith("unreviewed") for c in outcome["causes"]) else "referred"
    own = [t for t in tests if t["programme"] == outcome["programme"]]
    if _is_thin(outcome["outcome"], own, money, thresholds.thin_fen):
        return "thin_margin"
    if outcome["outcome"] == "eligible" and (outcome["award"] or 0) >= thresholds.high_fen:
        return "high_award"
    return "ordinary"


def _is_thin(
    outcome: str, tests: Sequence[Mapping[str, Any]], money: frozenset[tuple[str, str]], thin_fen: int
) -> bool:
    def distance(test: Mapping[str, Any]) -> int | None:
        counts = (test["programme"], test["id"]) in money and test["margin"] is not None
        return abs(test["margin"]) if counts else None

    if outcome == "eligible":
        return any(d <= thin_fen for t in tests if t["holds"] is True and (d := distance(t)) is not None)
    failing = [distance(t) for t in tests if t["holds"] is False]
    return bool(failing) and all(d is not None and d <= thin_fen for d in failing)
