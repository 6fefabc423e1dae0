"""How do rows that SQL yields become the frames of a `CaseBlock`?

One shape for both sources: the projection (all units, in ranges) and the evidence tables (some cases). A source offers
relations of these names, and `pull` reads a range of units from them:

    households   unit, case_id, …, input_digest, held          persons    place, unit, position, role, …, term
    f_<feed>     unit, place, columns, verdict                 supporters unit, member_place, supporter_place, columns
    states       term, feed, state, covers_from, covers_to, as_of

What is known about a person in a feed depends on his term only (see `people`), so states are kept per term and gathered
per person here; row counts are taken from the rows' own places.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, reduce
from operator import or_

import numpy as np
import polars as pl

from meanscheck.contracts import Column, all_feeds
from meanscheck.contracts.units import (
    MEMBER_ATTRIBUTES,
    RELATION,
    RESIDENCE,
    ROLE,
    ROW_BATCH,
    ROW_LINE,
    ROW_REF,
    SEX,
    CaseBlock,
    FeedFacts,
)
from meanscheck.errors import InternalError
from meanscheck.evidence.database import Database
from meanscheck.evidence.digests import SHORT_ID
from meanscheck.evidence.edges import edge_columns
from meanscheck.evidence.rows import SUPPORTERS, formula_columns
from meanscheck.values.evidence_state import EvidenceState
from meanscheck.values.sql import quoted

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
HELD = "held"
RENEWED = 400_000
"""Units after which a file is opened anew: of each the database remembers some 45 bytes, to no use."""
FEW = 64
"""Up to how many units it is looked first in which feeds they have rows: each statement saved is a ms."""
_NO_STATES = pl.DataFrame(
    schema={
        "term": pl.Int32,
        "state": pl.UInt8,
        "covers_from": pl.Date,
        "covers_to": pl.Date,
        "as_of": pl.Date,
    }
)
_NOT_REQUESTED = FeedFacts(EvidenceState.NOT_REQUESTED)
CHOICES = {"residence": RESIDENCE, "role": ROLE, "relation": RELATION, "sex": SEX}
"""Attributes of households and persons that are stored as a number: the place in this list."""


@dataclass
class Source:
    """Where to read: `present` feeds have a relation, `prefix` stands before the relations' names, `renew` makes the
    database forget what it knows of what has been read."""

    database: Database
    present: Collection[str]
    prefix: str = ""
    renew: Callable[[], None] | None = None
    _read: int = 0
    _states: dict[tuple[str, ...], pl.DataFrame] = field(default_factory=dict)
    _facts: dict[str, dict[int, FeedFacts]] = field(default_factory=dict)

    @cached_property
    def _known(self) -> dict[tuple[object, ...], pl.DataFrame]:
        """The states of all feeds, by feed: a county has few terms, and one statement costs as much as thirty."""
        rows = self.database.fetch(
            f"select feed, term, state, covers_from, covers_to, as_of from {self.prefix}states order by feed, term"
        )
        return rows.partition_by("feed", as_dict=True, maintain_order=True, include_key=False)

    @cached_property
    def _terms(self) -> pl.DataFrame:
        count = self.database.fetch(f"select coalesce(max(term), -1) + 1 as n from {self.prefix}persons")["n"][0]
        return pl.DataFrame({"term": pl.int_range(count, dtype=pl.Int32, eager=True)})

    def reads(self, units: int) -> None:
        """So many units are about to be read."""
        if self.renew is not None and self._read >= RENEWED:
            self.renew()
            self._read = 0
        self._read += units

    def holding(self, held: int) -> frozenset[str]:
        """Feeds in which units may have rows, of their cells of ``held``; in no other they have any."""
        return frozenset(feed for feed, bit in bits_of(self.present).items() if held & bit)

    def states(self, feeds: tuple[str, ...]) -> pl.DataFrame:
        """States of feeds (s, from, to, asof of each) with one row per term, so that a term is a row index."""
        if feeds not in self._states:
            self._states[feeds] = pl.concat([self._of_feed(feed) for feed in feeds], how="horizontal")
        return self._states[feeds]

    def facts(self, feed: str, term: int) -> FeedFacts:
        """What is known of a feed about whoever has the term, without rows."""
        if feed not in self._facts:
            known = self._known.get((feed,), _NO_STATES).select("term", "state", "covers_from", "covers_to", "as_of")
            self._facts[feed] = {t: FeedFacts(EvidenceState(state), (), *days) for t, state, *days in known.iter_rows()}
        return self._facts[feed].get(term, _NOT_REQUESTED)

    def _of_feed(self, feed: str) -> pl.DataFrame:
        known = self._known.get((feed,), _NO_STATES)
        return self._terms.join(known, on="term", how="left", maintain_order="left").select(
            pl.col("state").fill_null(int(EvidenceState.NOT_REQUESTED)).cast(pl.UInt8).alias(f"s:{feed}"),
            pl.col("covers_from").alias(f"from:{feed}"),
            pl.col("covers_to").alias(f"to:{feed}"),
            pl.col("as_of").alias(f"asof:{feed}"),
        )


def bits_of(feeds: Iterable[str]) -> dict[str, int]:
    """Feed → its bit in ``held``, a BIGINT. Of more than 62 some share one, and are looked at for each other."""
    return {feed: 1 << (n % 62) for n, feed in enumerate(sorted(feeds))}


def pull(source: Source, feeds: Mapping[str, Collection[str]], *, first: int, after: int) -> CaseBlock:
    """Units `first` … `after`-1 as a block.

    `households` also carries input_digest (hex String). Feed `supporters` gives the columns of the edges and no frame
    of rows; `persons` has counts and states of the feeds asked for and of `supporters`.

    Raises:
        InternalError: rows did not come in stored order.
    """
    source.reads(after - first)
    within = f"where unit >= {first} and unit < {after}"
    is_few = after - first <= FEW
    names = ", ".join((*HOUSEHOLD_COLUMNS, *([HELD] if is_few else [])))
    households = source.database.fetch(f"select {names} from {source.prefix}households {within}")
    persons = _persons(source, within)
    start = int(persons["place"][0]) if persons.height else 0
    if not (households["unit"].is_sorted() and _counts_up(persons["place"])):
        raise InternalError("units or persons of a block did not come in stored order")
    present = source.holding(reduce(or_, households[HELD], 0)) if is_few else source.present
    frames: dict[str, pl.DataFrame] = {}
    every = (*(f for f in feeds if f != SUPPORTERS), SUPPORTERS)
    states = source.states(every)[persons["term"]]
    facts = [persons[name] for name in persons.columns if name not in ("place", "term")]
    for feed in every:
        columns = () if feed == SUPPORTERS else feeds[feed]
        rows, places = _rows(source, feed, columns, within) if feed in present else _no_rows(feed, tuple(columns))
        counts = np.bincount(places.to_numpy() - start, minlength=persons.height)
        if not places.is_sorted() or len(counts) != persons.height:
            raise InternalError(f"rows of feed {feed} did not come in stored order")
        facts.append(pl.Series(f"n:{feed}", counts.astype(np.uint32)))
        facts += [states[f"{part}:{feed}"] for part in ("s", "from", "to", "asof")]
        if feed != SUPPORTERS:
            frames[feed] = rows
    return CaseBlock(
        households=_decoded(households.select(HOUSEHOLD_COLUMNS), ("residence",)).with_columns(
            pl.col("n_persons").cast(pl.UInt32)
        ),
        persons=pl.DataFrame(facts),
        feeds=frames,
        supporters=_edges(source, feeds.get(SUPPORTERS, ()), within, start),
    )


def _counts_up(places: pl.Series) -> bool:
    return len(places) == 0 or (places.is_sorted() and int(places[-1]) - int(places[0]) + 1 == len(places))


def _persons(source: Source, within: str) -> pl.DataFrame:
    names = ["place", "unit", "position", "role", "person", *MEMBER_ATTRIBUTES, "term"]
    frame = source.database.fetch(f"select {', '.join(map(quoted, names))} from {source.prefix}persons {within}")
    return _decoded(frame, ("role", "relation", "sex")).with_columns(pl.col("position").cast(pl.Int64))


def _rows(source: Source, feed: str, columns: Collection[str], within: str) -> tuple[pl.DataFrame, pl.Series]:
    """Rows of a feed, and the place of the person of each."""
    wanted = [c for c in formula_columns(all_feeds()[feed]) if c.name in columns]
    names = ", ".join(["place", *(quoted(c.name) for c in wanted), "verdict"])
    if ROW_REF in columns:
        names += f", lower(hex(digest[1:{SHORT_ID // 2}])) as {quoted(ROW_REF)}"
    names += "".join(f", {quoted(name)}::bigint as {quoted(name)}" for name in (ROW_BATCH, ROW_LINE) if name in columns)
    frame = source.database.fetch(f"select {names} from {source.prefix}f_{feed} {within}")
    return _enums(frame, wanted, without="place"), frame["place"]


@lru_cache(maxsize=1024)
def _no_rows(feed: str, columns: tuple[str, ...]) -> tuple[pl.DataFrame, pl.Series]:
    """The same of a feed in which nobody has a row."""
    schema: dict[str, pl.DataType] = {
        c.name: c.formula_type for c in formula_columns(all_feeds()[feed]) if c.name in columns
    }
    schema["verdict"] = pl.UInt8()
    if ROW_REF in columns:
        schema[ROW_REF] = pl.String()
    schema |= {name: pl.Int64() for name in (ROW_BATCH, ROW_LINE) if name in columns}
    return pl.DataFrame(schema=schema), pl.Series("place", [], dtype=pl.Int64)


def _edges(source: Source, columns: Collection[str], within: str, start: int) -> pl.DataFrame:
    wanted = [c for c in edge_columns() if c.name in columns]
    cells = "".join(f", {quoted(c.name)}" for c in wanted)
    frame = source.database.fetch(
        f"select unit, member_place, supporter_place{cells} from {source.prefix}supporters {within}"
    )
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


def _enums(frame: pl.DataFrame, columns: Collection[Column], *, without: str = "") -> pl.DataFrame:
    """Codes to Enum without a look at text; other columns to the type that formulas have.

    Column by column: an expression over a frame costs as much as the statement that brought a single case.
    """
    kinds = {c.name: _enum(c.choices) for c in columns if c.kind == "choice"}
    types = {c.name: c.formula_type for c in columns if c.kind != "choice"}
    return pl.DataFrame(
        [
            s.cat.to(kinds[s.name]) if s.name in kinds else s.cast(types[s.name]) if s.name in types else s
            for s in frame.get_columns()
            if s.name != without
        ]
    )


@lru_cache(maxsize=256)
def _enum(choices: tuple[str, ...]) -> pl.Enum:
    return pl.Enum(list(choices))


def _decoded(frame: pl.DataFrame, columns: Collection[str]) -> pl.DataFrame:
    return pl.DataFrame([s.cat.to(_enum(CHOICES[s.name])) if s.name in columns else s for s in frame.get_columns()])


def code_sql(column: str, name: str) -> str:
    """SQL of the code of a household's or member's choice."""
    arms = " ".join(f"when '{choice}' then {code}" for code, choice in enumerate(CHOICES[name]))
    return f"(case {column} {arms} end)::utinyint"
