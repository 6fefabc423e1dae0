"""How is a feed held before it is written? As typed columns over the persons of a part, with the noise marked.

`Rows` is one feed of one part: `person` (index into the part's `People`, ascending) and columns by the names of the
contract. A column is whole numbers (fen, cm², millionths, counts, days since 1970-01-01, 0/1, token numbers, person
indexes; `NULL` where absent), words of a small set (`Coded`), or a text series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import numpy as np
import polars as pl

from meanscheck.synth.chance import NULL, Bools, Ints


@dataclass(frozen=True, slots=True)
class Coded:
    """Words given by their index; -1 is absent."""

    codes: Ints
    words: tuple[str, ...]

    def where(self, word: str) -> Bools:
        """Rows that hold `word`."""
        return self.within((word,))

    def within(self, words: Sequence[str]) -> Bools:
        """Rows that hold one of `words`; a word that never occurs here holds for no row."""
        return np.isin(self.codes, [self.words.index(word) for word in words if word in self.words])


Column: TypeAlias = Ints | Coded | pl.Series


@dataclass(frozen=True, slots=True)
class Rows:
    """One feed of one part. `real` is False where the register is wrong about the person (None: all rows are true)."""

    person: Ints
    columns: Mapping[str, Column]
    real: Bools | None = None

    def ints(self, name: str) -> Ints:
        """A numeric column."""
        column = self.columns[name]
        assert isinstance(column, np.ndarray)
        return column

    def coded(self, name: str) -> Coded:
        """A column of words."""
        column = self.columns[name]
        assert isinstance(column, Coded)
        return column

    @property
    def height(self) -> int:
        """How many rows."""
        return len(self.person)

    def some(self, chosen: Bools) -> Rows:
        """The chosen rows, in their order."""
        index = np.flatnonzero(chosen)
        columns = {name: take(column, index) for name, column in self.columns.items()}
        return Rows(self.person[index], columns, None if self.real is None else self.real[index])


def take(column: Column, index: Ints) -> Column:
    """The column at the given rows."""
    if isinstance(column, Coded):
        return Coded(column.codes[index], column.words)
    return column[index]


def in_person_order(rows: Rows) -> Rows:
    """The same rows, ascending by person; rows of one person keep their order."""
    index = np.argsort(rows.person, kind="stable")
    return Rows(
        rows.person[index],
        {name: take(column, index) for name, column in rows.columns.items()},
        None if rows.real is None else rows.real[index],
    )


def stack(parts: Sequence[Rows]) -> Rows:
    """Several lots of rows of one feed as one, in person order. All lots have the same columns."""
    names = parts[0].columns.keys()
    columns: dict[str, Column] = {}
    for name in names:
        pieces = [part.columns[name] for part in parts]
        first = pieces[0]
        if isinstance(first, Coded):
            words = tuple(dict.fromkeys(word for piece in pieces if isinstance(piece, Coded) for word in piece.words))
            columns[name] = Coded(np.concatenate([_recoded(piece, words) for piece in pieces]), words)
        elif isinstance(first, pl.Series):
            columns[name] = pl.concat([piece for piece in pieces if isinstance(piece, pl.Series)])
        else:
            columns[name] = np.concatenate([piece for piece in pieces if isinstance(piece, np.ndarray)])
    real = None
    if any(part.real is not None for part in parts):
        real = np.concatenate([np.ones(p.height, dtype=np.bool_) if p.real is None else p.real for p in parts])
    return in_person_order(Rows(np.concatenate([part.person for part in parts]), columns, real))


def _recoded(column: Column, words: tuple[str, ...]) -> Ints:
    assert isinstance(column, Coded)
    table = np.array([words.index(word) for word in column.words] + [-1], dtype=np.int64)
    return np.asarray(table[column.codes])


def same(word: str, n: int) -> Coded:
    """One word, n times."""
    return Coded(np.zeros(n, dtype=np.int64), (word,))


def full(value: int, n: int) -> Ints:
    """One number, n times."""
    return np.full(n, value, dtype=np.int64)


def absent(n: int) -> Ints:
    """n absent values."""
    return full(NULL, n)


def day(value: date) -> int:
    """Days since 1970-01-01."""
    return (value - date(1970, 1, 1)).days


def days_of(years: Ints, months: Ints | int = 1, days: Ints | int = 1) -> Ints:
    """Days since 1970-01-01 of calendar dates given as numbers; a day beyond its month runs into the next one."""
    start = ((years - 1970) * 12 + (months - 1)).astype("datetime64[M]").astype("datetime64[D]")
    return np.asarray(start.astype(np.int64) + (days - 1), dtype=np.int64)


def month_starts(before: date, months: int) -> Ints:
    """First days of the `months` whole months before the month of `before`, oldest first."""
    end = before.year * 12 + before.month - 1
    numbers = np.arange(end - months, end, dtype=np.int64)
    return days_of(numbers // 12, numbers % 12 + 1)


def total(amounts: Ints, owners: Ints, n: int) -> Ints:
    """Sum of amounts per owner, in whole numbers (NULL counts as nothing)."""
    out = np.zeros(n, dtype=np.int64)
    np.add.at(out, owners, np.where(amounts == NULL, 0, amounts))
    return out


def has(owners: Ints, n: int) -> Bools:
    """Which of n owners occur."""
    out = np.zeros(n, dtype=np.bool_)
    out[owners] = True
    return out


def latest(rows: Rows, by: str, n: int) -> Ints:
    """Per owner the row number with the greatest `by` (-1 where the owner has no row)."""
    order = np.lexsort((rows.ints(by), rows.person))
    out = np.full(n, -1, dtype=np.int64)
    out[rows.person[order]] = order
    return out
