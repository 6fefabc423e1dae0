"""What would the evidence be if one fact of a household were another? Copies of case units with changed rows.

`copies` takes units of a block, also the same one several times; `with_changes` changes in each copy the rows of one
person that make up one fact: an amount falls or rises by shares of the rows (so that monthly wages stay alike), of
counted rows the first ones no longer count, as if a finding said so.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import polars as pl

from meanscheck.contracts.units import VERDICT_DROPPED, CaseBlock

Whole: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.int64]]"
Marks: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.bool_]]"


def _begins(counts: Whole) -> Whole:
    """Where each run of consecutive rows begins."""
    return np.cumsum(counts) - counts


def _runs(begins: Whole, counts: Whole) -> Whole:
    """The rows of some runs, one run after the other."""
    return np.repeat(begins - _begins(counts), counts) + np.arange(int(counts.sum()))


@dataclass(frozen=True, slots=True)
class Copies:
    """Copied units: the block, for each feed the rows they were copied from, and where the persons of each begin."""

    block: CaseBlock = field(repr=False)
    origins: dict[str, Whole] = field(repr=False)
    first_person: Whole = field(repr=False)


def copies(block: CaseBlock, units: Whole) -> Copies:
    """The units at these rows of `households`, in this order, each copy a unit of its own."""
    size = block.households["n_persons"].to_numpy().astype(np.int64)
    begin = _begins(size)
    persons = _runs(begin[units], size[units])
    first = _begins(size[units])
    number = np.arange(len(units))
    frame = block.persons[persons].with_columns(unit=pl.Series(np.repeat(number, size[units])))
    feeds: dict[str, pl.DataFrame] = {}
    origins: dict[str, Whole] = {}
    for feed, rows in block.feeds.items():
        counts = block.persons[f"n:{feed}"].to_numpy().astype(np.int64)
        origins[feed] = _runs(_begins(counts)[persons], counts[persons])
        feeds[feed] = rows[origins[feed]]
    edges = _edges(block, units, begin, first)
    households = block.households[units].with_columns(unit=pl.Series(number))
    return Copies(CaseBlock(households, frame, feeds, edges), origins, first)


def _edges(block: CaseBlock, units: Whole, begin: Whole, first: Whole) -> pl.DataFrame:
    edges = block.supporters
    own = np.searchsorted(begin, edges["member_row"].to_numpy().astype(np.int64), side="right") - 1
    counts = np.bincount(own, minlength=block.units).astype(np.int64)
    rows = _runs(_begins(counts)[units], counts[units])
    copy = np.repeat(np.arange(len(units)), counts[units])
    moved = (first - begin[units])[copy]
    taken = edges[rows]
    return taken.with_columns(
        unit=pl.Series(copy, dtype=pl.Int64),
        member_row=pl.Series(taken["member_row"].to_numpy().astype(np.int64) + moved).cast(pl.UInt32),
        supporter_row=pl.Series(taken["supporter_row"].to_numpy().astype(np.int64) + moved).cast(pl.UInt32),
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One fact in some copies: rows of `feed` that are `counted` in the block copied from; `column` empty for rows.

    `persons` are rows of persons among the copies, `totals` what their counted rows add up to, `by` the change.
    """

    feed: str
    column: str
    counted: Marks = field(repr=False)
    persons: Whole = field(repr=False)
    totals: Whole = field(repr=False)
    by: Whole = field(repr=False)


def with_changes(made: Copies, changes: list[Change]) -> CaseBlock:
    """The copies with their changes."""
    feeds = dict(made.block.feeds)
    for change in changes:
        counts = made.block.persons[f"n:{change.feed}"].to_numpy().astype(np.int64)
        own = counts[change.persons]
        rows = _runs(_begins(counts)[change.persons], own)
        of = np.repeat(np.arange(len(own)), own)
        is_counted = change.counted[made.origins[change.feed][rows]]
        rows, of = rows[is_counted], of[is_counted]
        frame = feeds[change.feed]
        if change.column:
            new = _shifted(frame[change.column].gather(rows), of, change)
            feeds[change.feed] = frame.with_columns(frame[change.column].scatter(rows, new))
        else:
            gone = rows[_places(of, len(own)) < -change.by[of]]
            feeds[change.feed] = frame.with_columns(frame["verdict"].scatter(gone, VERDICT_DROPPED))
    return replace(made.block, feeds=feeds)


def _places(of: Whole, owners: int) -> Whole:
    """The place of each row among those of its owner, from 0."""
    counts = np.bincount(of, minlength=owners).astype(np.int64)
    return np.arange(len(of)) - _begins(counts)[of]


def _shifted(amounts: pl.Series, of: Whole, change: Change) -> pl.Series:
    """Amounts moved by their shares of the change; the shares add up to it exactly, and none is more than its row."""
    before = np.zeros(len(change.by), dtype=np.int64)
    np.add.at(before, of, amounts.to_numpy())
    running = amounts.cum_sum().to_numpy() - _begins(before)[of]
    frame = pl.DataFrame({"c": running, "a": amounts, "by": np.abs(change.by)[of], "t": change.totals[of]})
    upto = (pl.col("c").cast(pl.Int128) * pl.col("by")) // pl.col("t")
    until = ((pl.col("c") - pl.col("a")).cast(pl.Int128) * pl.col("by")) // pl.col("t")
    share = frame.select((upto - until).cast(pl.Int64)).to_series()
    return amounts + share * pl.Series(np.sign(change.by)[of])
