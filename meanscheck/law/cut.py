"""What is left of a block when only some of its units are looked at again?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts.units import CaseBlock

if TYPE_CHECKING:
    from meanscheck.law.vectors import VectorRun


def cut(run: VectorRun, *, units: pl.Series, persons: pl.Series, person_rows: pl.Series) -> CaseBlock:
    """The evidence of some units only."""
    block = run.block
    feeds = {
        feed: frame.filter(persons.gather(run.owner_of_row(feed))) if frame.height else frame
        for feed, frame in block.feeds.items()
    }
    renumbered = pl.DataFrame({"old": person_rows, "new": pl.arange(len(person_rows), eager=True)})
    edges = block.supporters.filter(units.gather(run.edges["unit_row"]))
    for name in ("member_row", "supporter_row"):
        new = edges.select(old=pl.col(name).cast(pl.Int64)).join(
            renumbered, on="old", how="left", maintain_order="left"
        )
        edges = edges.with_columns(new["new"].cast(pl.UInt32).alias(name))
    return CaseBlock(block.households.filter(units), block.persons.filter(persons), feeds, edges)
