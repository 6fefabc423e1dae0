"""How do rows that SQL yields become the frames of a `CaseBlock`?

One shape for both sources: the projection (all units, in ranges) and the evidence tables (some cases). A source offers
relations of these names, and `pull` reads a range of units from them:

    households   unit, case_id, …, n_persons, input_digest     persons    place, unit, position, role, …, `n:f`, `s:f`, …
    f_<feed>     unit, place, columns, verdict                 supporters unit, member_place, supporter_place, columns
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import polars as pl

from meanscheck.contracts import Column, all_feeds
from meanscheck.contracts.units import MEMBER_ATTRIBUTES, RELATION, RESIDENCE, ROLE, SEX, CaseBlock
from meanscheck.errors import InternalError
from meanscheck.evidence.edges import edge_columns
from meanscheck.evidence.rows import SUPPORTERS, formula_columns
from meanscheck.evidence.tables import quoted

STATE_PREFIXES = ("n", "s", "from", "to", "asof")
HOUSEHOLD_COLUMNS = (
    "unit",
    "case_id",
    "requested",
    "n_persons",
    "residence",
    "division",
    "applied_on",
    "reference_day",
    "application_no",
    "accepting_place",
    "input_digest",
)
_CHOICES = {"residence": RESIDENCE, "role": ROLE, "relation": RELATION, "sex": SEX}


@dataclass(frozen=True, slots=True)
class Source:
    """Where to read: `fetch` runs a query, `prefix` stands before the relations' names."""

    fetch: Callable[[str], pl.DataFrame]
    prefix: str = ""


def pull(source: Source, feeds: Mapping[str, Collection[str]], *, first: int, after: int) -> CaseBlock:
    """Units `first` … `after`-1 as a block.

    `households` also carries input_digest (hex String). Feed `supporters` gives the columns of the edges and no frame of
    rows; `persons` has counts and states of the feeds asked for and of `supporters`.

    Raises:
        InternalError: rows did not come in stored order, or counts and rows disagree.
    """
    within = f"where unit >= {first} and unit < {after}"
    households = source.fetch(f"select {', '.join(HOUSEHOLD_COLUMNS)} from {source.prefix}households {within}")
    persons = _persons(source, [*(f for f in feeds if f != SUPPORTERS), SUPPORTERS], within)
    start = int(persons["place"][0]) if persons.height else 0
    if not (households["unit"].is_sorted() and persons["place"].is_sorted()):
        raise InternalError("units or persons of a block did not come in stored order")
    frames = {
        feed: _rows(source, feed, columns, within, persons[f"n:{feed}"])
        for feed, columns in feeds.items()
        if feed != SUPPORTERS
    }
    return CaseBlock(
        households=_decoded(households, ("residence",)).with_columns(pl.col("n_persons").cast(pl.UInt32)),
        persons=persons.drop("place"),
        feeds=frames,
        supporters=_edges(source, feeds.get(SUPPORTERS, ()), within, start),
    )


def _persons(source: Source, feeds: Collection[str], within: str) -> pl.DataFrame:
    states = [f"{prefix}:{feed}" for feed in feeds for prefix in STATE_PREFIXES]
    names = ["place", "unit", "position", "role", "person", *MEMBER_ATTRIBUTES, *states]
    frame = source.fetch(f"select {', '.join(map(quoted, names))} from {source.prefix}persons {within}")
    return _decoded(frame, ("role", "relation", "sex")).with_columns(
        pl.col("position").cast(pl.Int64),
        *(pl.col(f"n:{feed}").cast(pl.UInt32) for feed in feeds),
        *(pl.col(f"s:{feed}").cast(pl.UInt8) for feed in feeds),
    )


def _rows(source: Source, feed: str, columns: Collection[str], within: str, counts: pl.Series) -> pl.DataFrame:
    wanted = [c for c in formula_columns(all_feeds()[feed]) if c.name in columns]
    names = ", ".join(["place", *(quoted(c.name) for c in wanted), "verdict"])
    frame = source.fetch(f"select {names} from {source.prefix}f_{feed} {within}")
    if frame.height != int(counts.sum()) or not frame["place"].is_sorted():
        raise InternalError(f"rows of feed {feed} and the counts of its persons disagree")
    return _enums(frame.drop("place"), wanted)


def _edges(source: Source, columns: Collection[str], within: str, start: int) -> pl.DataFrame:
    wanted = [c for c in edge_columns() if c.name in columns]
    cells = "".join(f", {quoted(c.name)}" for c in wanted)
    frame = source.fetch(f"select unit, member_place, supporter_place{cells} from {source.prefix}supporters {within}")
    if not frame["member_place"].is_sorted():
        raise InternalError("edges of a block did not come in stored order")
    return _enums(
        frame.select(
            "unit",
            (pl.col("member_place") - start).cast(pl.UInt32).alias("member_row"),
            (pl.col("supporter_place") - start).cast(pl.UInt32).alias("supporter_row"),
            *(c.name for c in wanted),
        ),
        wanted,
    ).with_columns(first=pl.col("supporter_row").is_first_distinct())


def _enums(frame: pl.DataFrame, columns: Collection[Column]) -> pl.DataFrame:
    """Codes to Enum without a look at text; other columns to the type that formulas have."""
    return frame.with_columns(
        frame[c.name].cat.to(pl.Enum(list(c.choices))) if c.kind == "choice" else pl.col(c.name).cast(c.formula_type)
        for c in columns
    )


def _decoded(frame: pl.DataFrame, columns: Collection[str]) -> pl.DataFrame:
    return frame.with_columns(frame[name].cat.to(pl.Enum(_CHOICES[name])) for name in columns)


def code_sql(column: str, name: str) -> str:
    """SQL of the code of a household's or member's choice."""
    arms = " ".join(f"when '{choice}' then {code}" for code, choice in enumerate(_CHOICES[name]))
    return f"(case {column} {arms} end)::utinyint"
