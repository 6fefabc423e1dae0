"""How do case units that are stated one by one become the block that a law is run over?"""

from __future__ import annotations

from collections.abc import Sequence

from meanscheck.contracts.units import CaseBlock, CaseUnit, block_of
from meanscheck.law.law import Law
from meanscheck.law.names import polars_types, source_columns, support_types


def framed(law: Law, units: Sequence[CaseUnit]) -> CaseBlock:
    """The units as frames, in their order, with the columns that the law's formulas need and no others."""
    columns = {
        feed: {name: dtype for name, dtype in polars_types(feed).items() if name in source_columns(feed, wanted)}
        for feed, wanted in law.needs.items()
    }
    return block_of(units, columns, support_types())
