"""What is known of each person? DuckDB adds up every feed (`feeds`) over the projection's tables.

Frames of one block of units:

    homes      unit, case_id, residence, token; what the record tells of an application
    members    unit, home (row of `homes`), token, attributes, `word` (see `bits`), one column a fact: what the rows in
               hand come to, whether the answer is whole or not
    edges      unit, id of the supporter, support due: the first edge of each supporter
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from benchmarks.peer.bits import STATES, WINDOWED, Bits
from benchmarks.peer.feeds import summed
from meanscheck.values.arrow import frame_of

HOME_CELLS = (
    *("unit", "case_id", "residence", "accepting_place", "application_no", "division", "input_digest"),
    "applied_on::varchar as applied_on",
    "reference_day::varchar as reference_day",
)
STATED = {
    "households": ("case_id", "residence", "applied_on", "reference_day", "input_digest", "requested"),
    "supporters": ("agreed_amount", "received_amount"),
}
MEMBER_CELLS = (
    *("place", "unit", "id", "relation", "sex", "born_on", "lives_together", "can_live_independently"),
    *("is_excused_from_work", "term"),
)


@dataclass(frozen=True, slots=True)
class Block:
    """The frames of some units."""

    homes: pl.DataFrame
    members: pl.DataFrame
    edges: pl.DataFrame


class Facts:
    """A read-only connection to the projection, and what is the same for all of it."""

    def __init__(self, projection: Path, *, threads: int = 2, memory: str = "2GB") -> None:
        self.connection = duckdb.connect(
            str(projection), read_only=True, config={"threads": threads, "memory_limit": memory}
        )
        self.tables = {str(name) for (name,) in self._rows("select table_name from duckdb_tables()")}
        self.units = int(self._rows("select count(*) from households")[0][0])
        self.feeds = summed()
        self._check()
        self._terms()

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    def _check(self) -> None:
        """Whether everything is stated that this pipeline takes for stated."""
        asked = {f"f_{one.feed}": one.reads for one in self.feeds} | STATED
        for table, columns in asked.items():
            missing = " or ".join(f'"{column}" is null' for column in columns)
            if table in self.tables and self._rows(f"select bool_or({missing}) from {table}")[0][0]:
                raise ValueError(f"{table} leaves a cell open that the hand-written pipeline takes for stated")
        people = "relation is null or sex is null or born_on is null or lives_together is null"
        asked_for = "select count(*) from households where requested not like '%dibao%' and requested <> ''"
        alone = "select (select count(*) from households) - count(distinct unit) from persons where role = 0"
        open_ones = f"select count(*) from persons where role = 0 and ({people})"
        if any(self._rows(sql)[0][0] for sql in (asked_for, alone, open_ones)):
            raise ValueError("a household without members, or one of whom the pipeline knows too little")

    def _terms(self) -> None:
        """Per term the causes of its states, and what answers about a window cover."""
        feeds = [*(one.feed for one in self.feeds), "supporters"]
        listed = ", ".join(f"'{name}'" for name in feeds)
        asked = f"states where feed in ({listed})"
        met = self._rows(
            f"select distinct feed, state from states where state <> 0 and feed in ({listed}) order by all"
        )
        if not {state for _, state in met} <= set(STATES):
            raise ValueError("a state of evidence that the hand-written pipeline does not know")
        self.bits = Bits(met)
        count = int(self._rows("select coalesce(max(term), -1) + 1 from persons")[0][0])
        if self._rows(f"select count(*) from {asked}")[0][0] != count * len(feeds):
            raise ValueError("some feeds were not requested for some persons")
        self.words = np.zeros(count, dtype=np.int64)
        self.covers = {name: (np.full(count, -(2**40)), np.full(count, 2**40)) for name in WINDOWED}
        day = "({0} - date '1970-01-01')"
        rows = self._rows(
            f"select term, feed, state, {day.format('covers_from')}, {day.format('covers_to')} from {asked} "
            "and (state <> 0 or covers_from is not null or covers_to is not null)"
        )
        for term, name, state, since, until in rows:
            if state:
                self.words[term] |= self.bits[f"{STATES[state]}:{name}"]
            elif name in self.covers:
                for held, bound in zip(self.covers[name], (since, until), strict=True):
                    held[term] = held[term] if bound is None else bound

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def block(self, first: int, after: int) -> Block:
        """The frames of units `first` … `after`-1."""
        within = f"unit >= {first} and unit < {after}"
        run = self.connection.execute
        run(
            "create or replace temp table hh as select unit, date_trunc('month', applied_on)::date as after, "
            f"(date_trunc('month', applied_on) - interval 6 month)::date as first from households where {within}"
        )
        replaced = [one.feed for one in self.feeds if one.is_replaced]
        run(
            "create or replace temp table partial as select p.place, s.feed, h.reference_day from persons p "
            "join states s on s.term = p.term join households h on h.unit = p.unit "
            f"where p.{within.replace('and unit', 'and p.unit')} and s.state <> 0 and s.feed in {tuple(replaced)}"
        )
        partial = {name for (name,) in self._rows("select distinct feed from partial")}
        day = "((date_trunc('month', applied_on){0})::date - date '1970-01-01')::int"
        homes = self._stored(
            f"select {', '.join(HOME_CELLS)}, {day.format(' - interval 6 month')} as first, {day.format('')} as after "
            f"from households where {within}",
            "unit",
        )
        tokens = self._stored(f"select unit, token from unit_tokens where {within}", "unit")["token"]
        names = self._stored(f"select place, token from person_tokens where {within}", "place")
        members = self._stored(f"select {', '.join(MEMBER_CELLS)} from persons where {within} and role = 0", "place")
        start, count = int(names["place"][0]), names.height
        places = members["place"].to_numpy() - start
        facts = []
        for one in self.feeds:
            dense = {name: np.zeros(count, dtype=bool if one.is_truth(name) else np.int64) for name in one.measures}
            if f"f_{one.feed}" in self.tables:
                found = self._frame(one.sql(within, partial=one.feed in partial))
                rows = found["place"].to_numpy() - start
                for name, values in dense.items():
                    values[rows] = found[name].to_numpy()
            facts += [pl.Series(name, values[places]) for name, values in dense.items()]
        at = (members["unit"] - first).to_numpy()
        word = self._word(members["term"].to_numpy(), homes["first"].to_numpy()[at], homes["after"].to_numpy()[at])
        return Block(
            homes=homes.drop("first", "after").with_columns(tokens),
            members=members.with_columns(
                names["token"].gather(places), pl.Series("home", at), pl.Series("word", word), *facts
            ),
            edges=self._frame(
                "select s.unit, p.id, greatest(s.agreed_amount, s.received_amount) as support_due "
                "from (select unit, supporter_place, arg_min(agreed_amount, member_place) as agreed_amount, "
                "arg_min(received_amount, member_place) as received_amount "
                f"from supporters where {within} group by all) s join persons p on p.place = s.supporter_place "
                "order by s.supporter_place"
            ),
        )

    def _word(self, terms: np.ndarray, first: np.ndarray, after: np.ndarray) -> np.ndarray:
        word: np.ndarray = self.words[terms]
        for name, (since, until) in self.covers.items():
            short = (since[terms] > first) | (until[terms] < after - 1)
            word |= np.where(short, self.bits[f"not_covered:{name}"], 0)
        return word

    def _stored(self, sql: str, by: str) -> pl.DataFrame:
        """Rows in the order in which the projection stores them."""
        frame = self._frame(sql)
        if not frame[by].is_sorted():
            raise ValueError("rows did not come in stored order")
        return frame

    def _frame(self, sql: str) -> pl.DataFrame:
        return frame_of(self.connection.sql(sql))
