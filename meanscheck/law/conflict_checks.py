"""Does what a pack says of contradictions hold together? Part of `pack_checks`, before any case.

A kind must be one that can be found, its doubts feeds of the kind (or membership), the feed that holds one of its
sides, and both bounds exact figures. Where the higher figure is said to count, some formula of that day must take it:
a rule that nothing applies would settle a conflict by words alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from meanscheck.errors import PackError
from meanscheck.law.conflicts.kinds import KINDS, MEMBERSHIP
from meanscheck.law.figures import figure_of
from meanscheck.law.pack import ConflictRevision
from meanscheck.law.tree import Node

if TYPE_CHECKING:
    from meanscheck.law.law import Law
    from meanscheck.law.resolve import RulePack


def check_conflicts(pack: RulePack) -> None:
    """PackError naming file, kind, reason and mend."""
    for name, stanzas in pack.conflicts.items():
        if name not in KINDS:
            raise PackError(
                "no such kind of contradiction",
                where=f"{stanzas.place}: {stanzas.name}",
                remedy=f"Use one of {', '.join(KINDS)}",
            )
        for place, stanza in stanzas:
            for revision in stanza.revision:
                if not revision.unknown:
                    _revision(name, revision, f"{place}: {stanzas.name} {revision.in_force_on}")


def _revision(name: str, revision: ConflictRevision, where: str) -> None:
    feeds = KINDS[name].feeds
    for doubt in revision.doubts:
        if doubt != MEMBERSHIP and doubt not in feeds:
            remedy = f"Use {', '.join((*feeds, MEMBERSHIP))}"
            raise PackError(f"{doubt} is no side of it", where=where, remedy=remedy)
    if (revision.rule == "source") != bool(revision.holds):
        remedy = 'Say holds = "FEED" with rule = "source", and only there'
        raise PackError("which source holds?", where=where, remedy=remedy)
    if revision.holds and revision.holds not in feeds:
        raise PackError(f"{revision.holds} is no side of it", where=where, remedy=f"Use {', '.join(feeds)}")
    if revision.rule == "higher" and not KINDS[name].has_figures:
        raise PackError("it has no two figures of which one is higher", where=where, remedy="Use another rule")
    for key, unit in (("counts_from", "money"), ("counts_share", "ratio")):
        try:
            figure = figure_of(getattr(revision, key), unit)
        except ValueError as fault:
            raise PackError(f"{key}: {getattr(fault, 'what', fault)}", where=where) from None
        if figure < 0:  # type: ignore[operator]
            raise PackError(f"{key} is negative", where=where, remedy="Correct it")


def check_higher(law: Law, where: str, day: date) -> None:
    """PackError if the higher of two figures is said to count on a day, and no formula takes it."""
    for conflict in law.conflicts.values():
        if conflict.rule == "higher" and not any(_takes(law, node, conflict.kind.feeds) for node in _greatest(law)):
            raise PackError(
                f"the higher figure counts on {day}, but no formula takes it",
                where=f"{where}: conflict {conflict.id}",
                remedy="Write greatest(…) over both feeds, or another rule",
            )


def _greatest(law: Law) -> Iterator[Node]:
    return (node for tree in law.trees for node in tree.walk() if node.op == "greatest")


def _takes(law: Law, node: Node, feeds: tuple[str, ...]) -> bool:
    """Whether each feed is read below another argument of `greatest`."""
    read = [_feeds(law, argument) for argument in node.nodes]
    one, other = feeds
    return any(one in a and other in b for a in read for b in read if a is not b)


def _feeds(law: Law, node: Node) -> set[str]:
    found: set[str] = set()
    waiting, seen = [node], set[str]()
    while waiting:
        for part in waiting.pop().walk():
            if part.op == "agg":
                found.add(str(part.args[1]))
            elif part.op == "var" and (name := str(part.args[0])) not in seen:
                seen.add(name)
                waiting.append(law.variables[name].tree)
    return found
