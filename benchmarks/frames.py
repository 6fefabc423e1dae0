"""How do made-up arrays become the frames that evidence has?

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

Cells: TypeAlias = "NDArray[Any] | str | bool | date"


def framed_as(like: pl.DataFrame, cells: Mapping[str, Cells], height: int) -> pl.DataFrame:
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
