"""Which contradictions are there in a block, what settles each, and over which evidence does the law then run?

`find(law, block)` gives a `Found`; `Found.applied` the block with its consequences:

    s:FEED       of persons with an open conflict that puts the feed in doubt: CONFLICTING, unless it was worse
    verdict      of rows that give way to another source: dropped
    undisputed   Boolean on persons: true, or null while an open conflict puts membership in doubt
    k:KIND       Boolean on persons: whether an open conflict of the kind concerns the person
    was:FEED     Boolean on persons: whether the answers were conflicting by themselves

The columns stand only where some conflict needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from meanscheck.contracts.units import VERDICT_CONFIRMED, VERDICT_DROPPED, VERDICT_NONE, CaseBlock
from meanscheck.law.conflicts import assets, people, work
from meanscheck.law.conflicts.kinds import DECLARED, MEMBERSHIP, WINDOW, Conflict
from meanscheck.law.conflicts.rows import POINTS, Scene
from meanscheck.values.evidence_state import EvidenceState

if TYPE_CHECKING:
    from meanscheck.law.law import Law

FINDERS: Mapping[str, Callable[[Scene], pl.DataFrame]] = {
    "wages_against_base": work.wages_against_base,
    "declared_wages": work.declared_wages,
    **{name: partial(work.declared_balance, kind=name) for name in DECLARED},
    "duplicate_vehicle": assets.duplicate_vehicle,
    "duplicate_account": assets.duplicate_account,
    "duplicate_right": assets.duplicate_right,
    "owner_outside": assets.owner_outside,
    "dead_pensioner": people.dead_pensioner,
    "dead_relief": people.dead_relief,
    "dead_applicant": people.dead_applicant,
    "married_without_spouse": people.married_without_spouse,
    "unregistered_marriage": people.unregistered_marriage,
    "divorced_together": people.divorced_together,
    "member_not_registered": people.member_not_registered,
    "lives_elsewhere": people.lives_elsewhere,
    "several_families": people.several_families,
    "double_register": people.double_register,
}
_ID = ["kind", "unit", "owner", "key"]
_SHARE = 1_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """The contradictions of one block.

    points: conflict Int64 (numbers them) · kind, feed, key String · the columns of `rows.POINTS` · finding UInt8 (the
        row's) · verdict String ``open``, ``finding`` or ``rule``
    """

    law: Law
    block: CaseBlock = field(repr=False)
    points: pl.DataFrame = field(repr=False)

    @property
    def open(self) -> pl.DataFrame:
        """The points of open conflicts that no finding drops."""
        return self.points.filter(pl.col("verdict") == "open", pl.col("finding") != VERDICT_DROPPED)

    def applied(self) -> CaseBlock:
        """The block as the law reads it."""
        doubts_membership = any(MEMBERSHIP in c.doubts for c in self.law.conflicts.values())
        if not self.points.height:
            if not doubts_membership:
                return self.block
            undisputed = pl.repeat(True, self.block.persons.height, dtype=pl.Boolean, eager=True).alias("undisputed")
            return replace(self.block, persons=self.block.persons.with_columns(undisputed))
        return replace(self.block, persons=self._persons(doubts_membership=doubts_membership), feeds=self._rows_left())

    def _persons(self, *, doubts_membership: bool) -> pl.DataFrame:
        persons = self.block.persons
        concerned: dict[str, pl.Series] = {}
        for (kind,), rows in self.open.group_by("kind"):
            concerned[str(kind)] = _marked(rows["person"], persons.height)
        columns = [concerned[kind].alias(f"k:{kind}") for kind in sorted(concerned)]
        doubted: dict[str, pl.Series] = {}
        member = np.zeros(persons.height, dtype=np.bool_)
        for kind in sorted(concerned):
            conflict = self.law.conflicts[kind]
            for feed in conflict.doubted_feeds:
                doubted[feed] = doubted[feed] | concerned[kind] if feed in doubted else concerned[kind]
            if MEMBERSHIP in conflict.doubts:
                member |= concerned[kind].to_numpy()
        bad = int(EvidenceState.CONFLICTING)
        for feed, who in doubted.items():
            state = persons[f"s:{feed}"]
            columns += [
                (state == bad).alias(f"was:{feed}"),
                pl.select(pl.when(pl.lit(who) & (pl.lit(state) < bad)).then(pl.lit(bad, pl.UInt8)).otherwise(state))
                .to_series()
                .alias(f"s:{feed}"),
            ]
        if doubts_membership:
            undisputed = pl.select(pl.when(~pl.lit(pl.Series(member))).then(True)).to_series()
            columns.append(undisputed.alias("undisputed"))
        return persons.with_columns(columns)

    def _rows_left(self) -> dict[str, pl.DataFrame]:
        feeds = dict(self.block.feeds)
        settled = self.points.filter(pl.col("verdict") == "rule", pl.col("finding") == VERDICT_NONE)
        for (kind, feed), rows in settled.group_by("kind", "feed"):
            if str(feed) in self.law.conflicts[str(kind)].dropped_feeds:
                frame = feeds[str(feed)]
                gone = _marked(rows["row"], frame.height)
                left = pl.when(pl.lit(gone)).then(pl.lit(VERDICT_DROPPED, pl.UInt8)).otherwise("verdict")
                feeds[str(feed)] = frame.with_columns(left.alias("verdict"))
        return feeds


def _marked(places: pl.Series, n: int) -> pl.Series:
    marks = np.zeros(n, dtype=np.bool_)
    marks[places.to_numpy()] = True
    return pl.Series(marks)


def find(law: Law, block: CaseBlock) -> Found:
    """The contradictions that the law of the day knows, in a block whose feeds carry the columns that `Law.needs`
    names."""
    window = law.parameters[WINDOW].get() if WINDOW in law.parameters else None
    scene = Scene(block, law.on, window if isinstance(window, int) else None)
    found = _points(scene, law.conflicts)
    if found.height:
        found = _settled(found, scene, law.conflicts)
    else:
        found = found.with_columns(
            conflict=pl.lit(0, pl.Int64), finding=pl.lit(0, pl.UInt8), verdict=pl.lit("", pl.String)
        )
    return Found(law, block, found)


def _points(scene: Scene, conflicts: Mapping[str, Conflict]) -> pl.DataFrame:
    parts = [pl.DataFrame(schema={"kind": pl.String, "feed": pl.String, **POINTS})]
    for name, conflict in conflicts.items():
        rows = FINDERS[name](scene)
        if conflict.kind.has_figures:
            rows = rows.filter(_counts(conflict))
        if rows.height:
            feeds = pl.Series(conflict.kind.feeds).gather(rows["side"].cast(pl.UInt32)).alias("feed")
            parts.append(rows.select(pl.lit(name).alias("kind"), feeds, *POINTS))
    return pl.concat(parts)


def _counts(conflict: Conflict) -> pl.Expr:
    """Whether a difference is as large as the law wants it."""
    one, other = pl.col("one").cast(pl.Int128), pl.col("other").cast(pl.Int128)
    difference = (one - other).abs()
    greater = pl.max_horizontal(one.abs(), other.abs())
    return (difference >= conflict.least_fen) & (difference * _SHARE >= greater * conflict.least_share)


def _settled(found: pl.DataFrame, scene: Scene, conflicts: Mapping[str, Conflict]) -> pl.DataFrame:
    """The points with what settles their conflict."""
    parts = [
        part.with_columns(scene.block.feeds[str(feed)]["verdict"].gather(part["row"]).alias("finding"))
        for (feed,), part in found.group_by("feed", maintain_order=True)
    ]
    found = pl.concat(parts)
    is_left = pl.col("finding") != VERDICT_DROPPED
    sides = (
        found.filter(is_left)
        .group_by(*_ID, "side")
        .agg(confirmed=(pl.col("finding") == VERDICT_CONFIRMED).all())
        .filter("confirmed")
        .select(_ID)
        .unique()
        .with_columns(is_confirmed=pl.lit(True))
    )
    found = found.join(sides, on=_ID, how="left")
    dropped = found.filter(~is_left)
    if dropped.height:
        concerned = {str(kind): conflicts[str(kind)] for kind in dropped["kind"].unique()}
        again = _points(replace(scene, units=dropped["unit"].unique()), concerned)
        # What is left of the figures when the dropped rows do not count.
        figures = (pl.col(name).alias(f"{name}_left") for name in ("one", "other"))
        still = again.select(*_ID, *figures).unique(_ID, keep="any").with_columns(is_there=pl.lit(True))
        touched = dropped.select(_ID).unique().with_columns(is_touched=pl.lit(True))
        found = found.join(touched, on=_ID, how="left").join(still, on=_ID, how="left")
        found = found.with_columns(pl.coalesce(f"{name}_left", name).alias(name) for name in ("one", "other"))
        is_gone = pl.col("is_touched").fill_null(False) & pl.col("is_there").is_null()
    else:
        is_gone = pl.lit(False)
    by_rule = pl.col("kind").is_in([name for name, c in conflicts.items() if c.rule != "person"])
    verdict = (
        pl.when(pl.col("is_confirmed").fill_null(False) | is_gone)
        .then(pl.lit("finding"))
        .when(by_rule)
        .then(pl.lit("rule"))
        .otherwise(pl.lit("open"))
    )
    numbers = found.select(_ID).unique().with_row_index("conflict").with_columns(pl.col("conflict").cast(pl.Int64))
    return (
        found.with_columns(verdict=verdict)
        .join(numbers, on=_ID, how="left")
        .select("conflict", "kind", "feed", *POINTS, "finding", "verdict")
    )
