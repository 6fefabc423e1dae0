"""How are entries written of which only a few forms occur? Each combination of forms once, then taken by number.

>>> forms(np.array([[2, 1, 0], [1, 1, 2]]), [("a", "b", None), ("x", None, "z")]).to_list()
[None, 'b', 'a,z']
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

MOST: Final = 4_096
"""Combinations numbered at a time."""


def forms(found: NDArray[np.int_], texts: Sequence[Sequence[str | None]]) -> pl.Series:
    """The texts of several entries a row, joined by commas; null where none is shown.

    Args:
        found: number of each row's form (column) of each entry (row).
        texts: the forms of each entry; None is not shown.

    Returns:
        String, one a row.
    """
    numbers = np.zeros(found.shape[1], dtype=np.int64)
    for which, ways in zip(found, texts, strict=True):
        numbers *= len(ways)
        numbers += which
    occurring = np.flatnonzero(np.bincount(numbers))
    place = np.zeros(occurring[-1] + 1 if len(occurring) else 0, dtype=np.int64)
    place[occurring] = np.arange(len(occurring))
    return pl.Series([_joined(int(number), texts) for number in occurring], dtype=pl.String).gather(place[numbers])


def together(texts: Sequence[Sequence[str | None]]) -> list[range]:
    """Entries in a row that have no more combinations than may be numbered at a time."""
    parts, first, ways = [], 0, 1
    for at, one in enumerate(texts):
        if ways * len(one) > MOST and at > first:
            parts.append(range(first, at))
            first, ways = at, 1
        ways *= len(one)
    return [*parts, range(first, len(texts))] if texts else []


def _joined(number: int, texts: Sequence[Sequence[str | None]]) -> str | None:
    shown: list[str] = []
    for ways in reversed(texts):
        number, which = divmod(number, len(ways))
        text = ways[which]
        if text is not None:
            shown.insert(0, text)
    return ",".join(shown) if shown else None
