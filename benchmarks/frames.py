"""How do made-up arrays become the block of frames that evidence has?

One column at a time: an array (of words, their codes in the contract's order), or one value for all. What is not given
is unknown; counts, states and verdicts are 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

    from meanscheck.contracts.units import CaseBlock

Cells: TypeAlias = "NDArray[Any] | str | bool | date"


def block_of(
    empty: CaseBlock,
    day: date,
    home: NDArray[np.int64],
    place: NDArray[np.int64],
    people: Mapping[str, Cells],
    counts: Mapping[str, NDArray[Any]],
    feeds: Mapping[str, Mapping[str, Cells]],
) -> CaseBlock:
    """Households that apply on a day, with their members.

    Args:
        empty: a block of the law without rows.
        day: on which all apply.
        home, place: of each person the household's number, ascending, and which member of it he is.
        people: further columns of persons; ``relation`` as codes.
        counts: feed → how many rows of it each person has.
        feeds: feed → its columns.
    """
    from meanscheck.contracts.units import CaseBlock

    homes, persons = int(home[-1]) + 1, len(home)
    numbers = np.arange(homes)
    households: dict[str, Cells] = {
        "unit": numbers,
        "case_id": numbers,
        "n_persons": np.bincount(home, minlength=homes),
        "requested": "",
        "applied_on": day,
        "reference_day": day,
    }
    own: dict[str, Cells] = {f"n:{feed}": each.astype(np.uint32) for feed, each in counts.items()}
    own |= {"unit": home, "position": place, "person": np.arange(persons), "id": place, "role": "member"}
    return CaseBlock(
        households=_framed_as(empty.households, households, homes),
        persons=_framed_as(empty.persons, {**own, "lives_together": True, **people}, persons),
        feeds={feed: _framed_as(like, feeds[feed], int(counts[feed].sum())) for feed, like in empty.feeds.items()},
        supporters=empty.supporters,
    )


def _framed_as(like: pl.DataFrame, cells: Mapping[str, Cells], height: int) -> pl.DataFrame:
    """A frame with the columns and types of another, and so many rows."""
    import polars as pl

    return pl.DataFrame([_series(name, cells.get(name), dtype, height) for name, dtype in like.schema.items()])


def _series(name: str, cells: Cells | None, dtype: pl.DataType, height: int) -> pl.Series:
    import polars as pl

    if isinstance(cells, np.ndarray):
        series = pl.Series(name, cells)
        return series.cat.to(dtype) if isinstance(dtype, pl.Enum) else series.cast(dtype)
    one = 0 if cells is None and dtype.is_integer() else cells
    return pl.Series(name, [one], dtype=dtype).new_from_index(0, height)
