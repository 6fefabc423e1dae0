"""What is left of a block when only some of its units are looked at again?"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts.units import CaseBlock

if TYPE_CHECKING:
    from meanscheck.law.vectors import VectorRun


def cut(run: VectorRun, *, units: pl.Series, persons: pl.Series, feeds: Collection[str] | None = None) -> CaseBlock:
    """The evidence of some units only; of feeds, the rows of those named, of all unless any are."""
    block = run.block
    if units.all():
        return block
    rows = {
        feed: frame.filter(persons[run.owner_of_row(feed)]) if frame.height else frame
        for feed, frame in block.feeds.items()
        if feeds is None or feed in feeds
    }
    edges = block.supporters.filter(units[run.household_of("supporter")])
    # How many persons stay up to each row: one less is the new row of one that stays.
    upto = persons.cum_sum().cast(pl.Int64) - 1
    edges = edges.with_columns(
        upto[edges[name]].cast(pl.UInt32).alias(name) for name in ("member_row", "supporter_row")
    )
    return CaseBlock(block.households.filter(units), block.persons.filter(persons), rows, edges)
