"""Does a sheet's total agree with its rows? A sheet that says 合计 can be checked against itself.

If the sum of the rows is another than the total, rows may be missing, and a person whose row is missing would count as
one of whom nothing was found: such a file is refused. Not checked: subtotals, a sheet with several totals or with rows
set aside, columns with a cell that is no amount.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from meanscheck.contracts.amounts import whole_units
from meanscheck.contracts.faults import Faults
from meanscheck.contracts.model import FeedContract
from meanscheck.errors import FeedError

_GRAND = re.compile(r"[（(]?(?:本表|全部)?[合总共]计.*")


def check_total(
    contract: FeedContract,
    rows: pl.DataFrame,
    totals: pl.DataFrame,
    units: Mapping[str, str],
    *,
    lines: pl.Series,
    labels: list[str],
    where: str,
) -> None:
    """FeedError if the only grand total differs from the sum of the rows.

    Args:
        rows: the rows, columns by names of the contract.
        totals: the rows that say 合计, 小计 …, the same columns.
        lines: line of each of `totals`.
        labels: text of each of `totals` that makes it one.
    """
    grand = [at for at, label in enumerate(labels) if _GRAND.fullmatch(label)]
    if len(grand) != 1 or not rows.height:
        return
    for column in contract.columns:
        if column.kind not in ("money", "number") or column.name not in rows.columns:
            continue
        stated = _amounts(contract, column.name, totals[column.name][grand], units)
        found = _amounts(contract, column.name, rows[column.name], units)
        if stated is None or stated[0] is None or found is None:
            continue
        if int(found.cast(pl.Int128).sum()) != stated[0]:
            raise FeedError(
                f"the total of {column.name} is not the sum of the rows",
                where=f"{where}:{lines[grand[0]]}",
                remedy="Rows may be missing: ask the sender; if only the total is wrong, take it out",
            )


def _amounts(contract: FeedContract, name: str, cells: pl.Series, units: Mapping[str, str]) -> pl.Series | None:
    """Cells in stored units; None if one of them is no amount."""
    faults = Faults()
    column = contract.column(name)
    values = whole_units(column, cells, units.get(name), faults)
    # Signs and bounds are for rows; a total may be beyond either.
    return None if faults.table().height else values
