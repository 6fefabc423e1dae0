"""How is a set of causes held for many cases at once? As bits in columns of whole numbers, 62 a word.

A `Mask` gives for each word an expression of its bits. Bits of rows are joined per owner by runs, since the rows of an
owner are consecutive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
import polars as pl

from meanscheck.law.columns import Column, lit

Mask: TypeAlias = dict[int, Column]
"""Word → bits, as an expression."""
WORD = 62
NONE = lit(0)


@cache
def bit_at(index: int) -> Column:
    """The bit of that place in its word."""
    return lit(1 << (index % WORD))


def places_of(word: int) -> Iterator[int]:
    """The bits that are set."""
    while word:
        yield (word & -word).bit_length() - 1
        word &= word - 1


def joined(masks: Mapping[int, pl.Series], owner: np.ndarray, owners: int) -> dict[int, pl.Series]:
    """Union of bits per owner; `owner` of each row, ascending."""
    result: dict[int, pl.Series] = {}
    for word, series in masks.items():
        bits = series.to_numpy()
        rows = np.flatnonzero(bits)
        union = np.zeros(owners, dtype=np.int64)
        if len(rows):
            own = owner[rows]
            starts = np.flatnonzero(np.diff(own, prepend=-1))
            union[own[starts]] = np.bitwise_or.reduceat(bits[rows], starts)
        result[word] = pl.Series(union)
    return result


def distinct(words: Sequence[np.ndarray], rows: int) -> tuple[np.ndarray, np.ndarray]:
    """A row of each different set of bits, and for each row which of these it has."""
    first, which = np.zeros(min(rows, 1), dtype=np.int64), np.zeros(rows, dtype=np.int64)
    for word in words:
        of_word, sets = np.unique(word, return_inverse=True)
        _, first, which = np.unique(which * len(of_word) + sets, return_index=True, return_inverse=True)
    return first, which
