"""Where are the columns of an entity kept while a law is run over a block?

A `Sheet` holds series of one height by name and reckons more of them (`columns`); nothing is copied when one is added.
A `Part` of it are some of its rows, of which a sheet takes those columns that are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from meanscheck.law.columns import Column, reckoned


class Sheet:
    """The columns of an entity by name, or, of some rows of another sheet, those that are asked for."""

    def __init__(
        self, frame: pl.DataFrame | Mapping[str, pl.Series], height: int, *, whole: Part | None = None
    ) -> None:
        self.height = height
        self._own: dict[str, pl.Series] = (
            {s.name: s for s in frame.get_columns()} if isinstance(frame, pl.DataFrame) else dict(frame)
        )
        self._whole = whole
        self._table: pl.DataFrame | None = None

    def __contains__(self, name: str) -> bool:
        return name in self._own or (self._whole is not None and name in self._whole.sheet)

    def __getitem__(self, name: str) -> pl.Series:
        if name not in self._own and self._whole is not None:
            self._own[name] = self._whole.taken(name)
        return self._own[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._own
        if self._whole is not None:
            yield from (name for name in self._whole.sheet if name not in self._own)

    def made(self, columns: Iterable[Column]) -> dict[str, pl.Series]:
        """Columns reckoned together, by their names; nothing is kept.

        Raises:
            InternalError: if a number does not fit Int64.
        """
        given = list(columns)
        return {c.name: s.alias(c.name) for c, s in zip(given, reckoned(given, self), strict=True)}

    def put(self, columns: Iterable[Column | pl.Series]) -> None:
        """Reckon columns and keep them, in place of those of the same name."""
        given = list(columns)
        self._own.update(self.made(c for c in given if isinstance(c, Column)))
        self._own.update({s.name: s for s in given if isinstance(s, pl.Series)})
        self._table = None

    def drop(self, names: Iterable[str]) -> None:
        """Let columns go; those of some rows of another sheet are taken anew when they are asked for."""
        for name in names:
            self._own.pop(name, None)
        self._table = None

    def again(self, prefixes: tuple[str, ...]) -> None:
        """Take the columns with such names anew from the other sheet."""
        if self._whole is not None:
            self.drop([n for n in self._own if n.startswith(prefixes) and n in self._whole.sheet])

    @property
    def table(self) -> pl.DataFrame:
        """All columns as a frame."""
        if self._table is None:
            self._table = pl.DataFrame([self[name] for name in self])
        return self._table


class Part:
    """Some rows of a sheet: those for which `rows` (Boolean) is true."""

    def __init__(self, sheet: Sheet, rows: pl.Series) -> None:
        self.sheet, self.rows = sheet, rows
        self.height = int(rows.sum())

    def taken(self, name: str) -> pl.Series:
        """A column of these rows."""
        series = self.sheet[name]
        return series if self.height == self.sheet.height else series.filter(self.rows)
