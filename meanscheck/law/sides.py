"""Where do the names of a formula stand when it is reckoned for many cases at once?

`Side` is one of the frames of a run (households, persons, edges of supporters); `Rows` are the rows of one feed,
with what their owner or his household states carried to each row. Both answer for the leaves of a formula.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts.units import VERDICT_CONFIRMED, VERDICT_NONE
from meanscheck.law.columns import Column, col, held, lit, reckoned, when
from meanscheck.law.emit import Emitter
from meanscheck.law.quotients import Quotient, compared
from meanscheck.law.sheets import Sheet
from meanscheck.law.tree import Node

if TYPE_CHECKING:
    from meanscheck.law.vectors import VectorRun

LEAVES = frozenset({"attr", "var", "agg", "members", "supporters", "outcome", "listed", "undisputed", "reference_day"})
OWNED = frozenset({"household", "member", "supporter"})
"""Levels whose values are the same for all rows of an owner."""


class Side:
    """One frame, seen as the place where a formula's names stand."""

    def __init__(self, run: VectorRun, level: str) -> None:
        self.run, self.level, self.law = run, level, run.law

    def is_leaf(self, node: Node) -> bool:
        """Whether a column holds the node's value."""
        return node.op in LEAVES

    def home(self, node: Node) -> tuple[str, str]:
        """The frame on which a leaf stands, and its column there."""
        # Aggregates over feeds are kept with the person, and so is a supporter's id.
        home = "member" if node.op == "agg" or node.args == ("supporter", "id") else node.level
        return home, self.run.column_of(node)

    def leaf(self, node: Node) -> Column:
        """The column of a leaf on this frame."""
        if node.op == "listed":
            return col("role") == "member"
        if node.op == "undisputed":
            return col(self.run.carried("undisputed", "member", self.level))
        home, name = self.home(node)
        e = col(self.run.carried(name, home, self.level))
        if node.op == "outcome":
            return when(e).then(lit("eligible")).when(~e).then(lit("ineligible"))
        return e

    def top(self, node: Node) -> int:
        """The largest absolute value in the column of a number."""
        home, name = self.home(node)
        return self.run.top(home, name)


class Rows:
    """The rows of one feed: its own cells, and what the owner or the household states, carried to each row."""

    def __init__(self, run: VectorRun, feed: str) -> None:
        self.run, self.feed, self.law = run, feed, run.law
        self.frame = run.feed_frame(feed)
        self.sheet = Sheet(self.frame, self.frame.height)
        self._owned: dict[str, Column] = {}
        self.owner = Emitter(Side(run, "member"))

    def is_leaf(self, node: Node) -> bool:
        """Whether the node is a cell, or a row's finding."""
        return node.op in ("col", "confirmed")

    def leaf(self, node: Node) -> Column:
        """The column of a cell; whether a finding confirms the row, unknown without one."""
        if node.op == "confirmed":
            return when(col("verdict") != VERDICT_NONE).then(col("verdict") == VERDICT_CONFIRMED)
        return col(str(node.args[1]))

    def top(self, node: Node) -> int:
        """The largest absolute value of a cell."""
        return self.run.top(self.feed, str(node.args[1]))

    def from_owner(self, e: Column, name: str) -> Column:
        """A person's value on each of his rows; a literal if it is the same for all."""
        if name not in self._owned:
            (series,) = reckoned([e], self.run.sheet("member"))
            if not len(series) or (series.null_count() == 0 and series.min() == series.max()):
                self._owned[name] = held(series.head(1) if len(series) else pl.Series([None], dtype=series.dtype))
            else:
                self.sheet.put([series[self.run.owner_of_row(self.feed)].alias(name)])
                self._owned[name] = col(name)
        return self._owned[name]

    def owned(self, node: Node) -> Quotient:
        """The value of a node that is the same for all rows of an owner."""
        q = self.owner.emit(node)
        if q.absent:
            return q
        # A constant denominator, such as that of a ratio, stays as it is.
        varies = q.d is not None and q.d.varies
        d = self.from_owner(q.d, f"below:{node.key}") if varies and q.d is not None else q.d
        return Quotient(self.from_owner(q.n, f"owner:{node.key}"), d, q.top, q.below)


class RowEmitter(Emitter):
    """What does not change from row to row is reckoned once per owner; so are the days that bound a window."""

    def __init__(self, rows: Rows) -> None:
        super().__init__(rows)
        self.rows = rows

    def emit(self, node: Node) -> Quotient:
        """The value of a node on each row."""
        return self.rows.owned(node) if node.level in OWNED else super().emit(node)

    def _within(self, node: Node) -> Quotient:
        if node.nodes[2].level == "row" or not self.known_window(node):
            return super()._within(node)
        if self.rows.owner.emit(node.nodes[2]).absent:
            return super()._within(node)
        first, after, _ = self.rows.run.window(node)
        d = self.emit(node.nodes[0]).n
        # Both may come of one column of the person, so each is named by what it is.
        bounds = ",".join(str(n.key) for n in node.nodes[1:])
        lower, upper = (
            self.rows.from_owner(e, f"{which}:{bounds}") for which, e in (("first", first), ("after", after))
        )
        return Quotient(compared(">=", d, lower) & compared("<", d, upper))
