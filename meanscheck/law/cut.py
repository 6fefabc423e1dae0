"""What is left of a block when only some of its units are looked at again?"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from meanscheck.contracts.units import CaseBlock
from meanscheck.law.columns import is_known

if TYPE_CHECKING:
    from meanscheck.law.sheets import Sheet
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


def left_open(whole: VectorRun, persons: pl.Series, sheet: Sheet, feed: str) -> tuple[pl.DataFrame, np.ndarray]:
    """The rows of a feed that are of persons about whom it leaves something open; what it says of others is known, and
    nobody asks for their rows.

    Args:
        whole: the run of which some persons are looked at again.
        persons: Boolean, which of its persons they are.
        sheet: their columns.
        feed: which feed.

    Returns:
        the rows, and how many each of these persons has among them.
    """
    names = [name for node, name in whole.plan.names.items() if node.op == "agg" and node.args[1] == feed]
    stay = np.full(sheet.height, not names)
    for name in names:
        if name not in sheet:
            # What is reckoned later may be open for anybody.
            stay[:] = True
            break
        if sheet[name].null_count():
            stay |= (~is_known(sheet[name])).to_numpy()
    among = np.zeros(len(persons), dtype=bool)
    among[persons.to_numpy()] = stay
    rows = whole.feed_frame(feed).filter(pl.Series(among[whole.segments(feed).owner_of_row()]))
    return rows, sheet[f"n:{feed}"].to_numpy() * stay
