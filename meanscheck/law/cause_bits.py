"""How is a set of causes held for many cases at once? As bits in columns of whole numbers, 62 a word.

A `Mask` gives for each word an expression of its bits. Bits of rows are joined per owner by runs, since the rows of an
owner are consecutive.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TypeAlias

import numpy as np
import polars as pl

from meanscheck.law.emit import Emitter
from meanscheck.law.quotients import Quotient
from meanscheck.law.sides import RowEmitter, Rows, Side
from meanscheck.law.tree import Node

Mask: TypeAlias = dict[int, pl.Expr]
"""Word → bits, as an expression."""
WORD = 62
NONE = pl.lit(0, dtype=pl.Int64)


@cache
def bit_at(index: int) -> pl.Expr:
    """The bit of that place in its word."""
    return pl.lit(1 << (index % WORD), dtype=pl.Int64)


def places_of(word: int) -> Iterator[int]:
    """The bits that are set."""
    while word:
        yield (word & -word).bit_length() - 1
        word &= word - 1


def joined(frame: pl.DataFrame, owners: int) -> dict[int, pl.Series]:
    """Union of bits per owner; frame has `owner`, ascending, and one column a word."""
    owner = frame["owner"].to_numpy()
    result: dict[int, pl.Series] = {}
    for name in frame.columns[1:]:
        bits = frame[name].to_numpy()
        rows = np.flatnonzero(bits)
        union = np.zeros(owners, dtype=np.int64)
        if len(rows):
            own = owner[rows]
            starts = np.flatnonzero(np.diff(own, prepend=-1))
            union[own[starts]] = np.bitwise_or.reduceat(bits[rows], starts)
        result[int(name)] = pl.Series(union)
    return result


class Once(Emitter):
    """Every node is written once a frame: all columns are there already, so it reads the same whenever it is asked."""

    def __init__(self, leaves: Side) -> None:
        super().__init__(leaves)
        self._written: dict[Node, Quotient] = {}

    def emit(self, node: Node) -> Quotient:
        """The value of a node."""
        if node not in self._written:
            self._written[node] = super().emit(node)
        return self._written[node]


class RowOnce(RowEmitter):
    """The same over the rows of a feed."""

    def __init__(self, rows: Rows) -> None:
        super().__init__(rows)
        self._written: dict[Node, Quotient] = {}

    def emit(self, node: Node) -> Quotient:
        """The value of a node on each row."""
        if node not in self._written:
            self._written[node] = super().emit(node)
        return self._written[node]
