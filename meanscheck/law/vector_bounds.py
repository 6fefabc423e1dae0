"""What is certain of values that are not known, for many cases at once? The bounds of `bounds`, over a block.

Only units with something undecided are looked at again: `VectorBounds` is that part of a run, and keeps bounds of its
variables and aggregates as columns of its frames, reckoned when a formula first asks for them:

    -:NAME, +:NAME   least and greatest value of a number (null: none); NAME as in `vectors`, such as v:ID or a:N
    =:NAME           what is left of a yes/no, day or text (null: several)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.law import spans
from meanscheck.law.columns import Column, coalesce, col, is_known, is_true, lit, reckoned, spread, when
from meanscheck.law.fitting import fitting_product, fitting_rounded, within_most
from meanscheck.law.law import AS_OF, Law
from meanscheck.law.legal import is_superseded, may_lack_value, reads_derived
from meanscheck.law.quotients import MILLION, Quotient, over
from meanscheck.law.segments import Segments, aggregated, kleene_any, truth_sums, where
from meanscheck.law.sheets import Sheet
from meanscheck.law.sides import Rows, Side
from meanscheck.law.span_emit import FrameSpans, RowSpans, UnseenSpans
from meanscheck.law.tree import Node, membership_of
from meanscheck.law.types import UNITS, Type
from meanscheck.law.vector_facts import belongs_to, only_listed, people_segments
from meanscheck.values.evidence_state import EvidenceState

if TYPE_CHECKING:
    from meanscheck.law.vectors import VectorRun

LEVELS = ("household", "member", "supporter")
_FILLED = ("t:", "w:", "o:", "own:", "y:")
"""Columns of programmes, which are written more than once."""
_EXTREMES = ("lowest", "highest", "latest")


class VectorBounds:
    """Bounds over the units of a run for which `units` (Boolean, one a household) is true."""

    def __init__(self, whole: VectorRun, units: pl.Series) -> None:
        self.law: Law = whole.law
        self.units = units
        self.persons = units[whole.household_of("member")]
        self.run = whole.restricted(units=units, persons=self.persons)
        self.emitters = {level: FrameSpans(self, level) for level in LEVELS}
        self.rows: dict[str, RowSpans] = {}
        self._done: set[str] = set()

    def covers(self, units: pl.Series) -> bool:
        """Whether it holds all of these units."""
        return not (units & ~self.units).any()

    def refresh(self) -> None:
        """Take over the columns that the whole run has filled since."""
        for level in LEVELS:
            self.run.sheet(level).again(_FILLED)

    # ---- what emitters ask

    def home(self, node: Node) -> str:
        """The entity on whose frame a leaf stands."""
        home, _ = Side(self.run, "household").home(node)
        return home

    def ends(self, node: Node) -> tuple[str, str]:
        """The columns with the bounds of a variable or aggregate that is a number."""
        name = self._reckoned(node)
        return f"-:{name}", f"+:{name}"

    def left(self, node: Node) -> str:
        """The column with what is left of a variable or aggregate that is no number."""
        return f"=:{self._reckoned(node)}"

    def of_feed(self, feed: str) -> RowSpans:
        """The emitter over the rows of a feed: what was carried to them once stays there."""
        if feed not in self.rows:
            self.rows[feed] = RowSpans(self, Rows(self.run, feed))
        return self.rows[feed]

    def _reckoned(self, node: Node) -> str:
        name = self.run.column_of(node)
        if name not in self._done:
            if node.op == "var":
                self._variables(str(node.args[0]))
            else:
                self._many(node, name)
        return name

    def _many(self, node: Node, name: str) -> None:
        # Variables first, so that a long chain of them needs no deep recursion.
        for part in node.walk():
            if part.op == "var":
                self._variables(str(part.args[0]))
        if node.op == "members":
            self._variables(str(membership_of(node).args[0]))
        home = self.home(node)
        if self.run.sheet(home)[name].null_count() == 0:
            self._keep(node.type, home, name, col(name), col(name))
        elif node.op == "agg":
            self._of_rows(node, name)
        else:
            self._of_people(node, name)
        self._done.add(name)

    def _variables(self, name: str) -> None:
        """A variable and all that it reads, each after what it reads itself."""
        if f"v:{name}" in self._done:
            return
        for one in self.law.variables_under(name):
            if f"v:{one}" not in self._done:
                self._variable(one)

    def _variable(self, name: str) -> None:
        variable = self.law.variables[name]
        level, column, t = variable.entity, f"v:{name}", UNITS[variable.unit]
        known = col(column)
        if self.run.sheet(level)[column].null_count() == 0:
            self._keep(t, level, column, known, known)
        elif t.kind == "num":
            span = self.emitters[level].span(variable.tree)
            low, high = (coalesce(known, as_stored(q, t)) for q in (span.low, span.high))
            self._keep(t, level, column, low, high)
        else:
            q = self.emitters[level].emit(variable.tree)
            left = q.n.cast(pl.String) if t.kind == "text" else q.n
            self._keep(t, level, column, coalesce(known, left), None)
        self._done.add(column)

    def _keep(self, t: Type, level: str, name: str, low: Column, high: Column | None) -> None:
        if t.kind != "num":
            self.run.put(level, [low.alias(f"=:{name}")])
        else:
            assert high is not None
            self.run.put(level, [low.alias(f"-:{name}"), high.alias(f"+:{name}")])

    # ---- rows of feeds

    def _of_rows(self, node: Node, name: str) -> None:
        run, (function, feed, element, condition, by, _) = self.run, node.args
        state = col(run.state(str(feed)))
        covered = run.covered(node)
        complete = (state == int(EvidenceState.ANSWERED)) & (lit(True) if covered is None else covered)
        in_hand = lit(False) if reads_derived(node) else state.is_in([0, int(EvidenceState.NO_ANSWER)])
        run.put("member", [complete.alias(f"complete:{name}"), in_hand.alias(f"in_hand:{name}")])
        whole, some = col(f"complete:{name}"), col(f"in_hand:{name}")
        emitter = self.of_feed(str(feed))
        rows = emitter.rows
        belongs = belongs_to(node, rows, emitter)
        belongs = lit(True) if belongs is None else belongs
        if rows.frame.height:
            stays = rows.from_owner(whole, f"complete:{name}")
            rest = rows.from_owner(some, f"in_hand:{name}")
            if is_superseded(str(feed)):
                day = rows.from_owner(col(run.carried("reference_day", "household", "member")), "reference_day")
                rest = rest & (col(AS_OF).is_null() | (col(AS_OF) >= day))
            belongs = belongs & (stays | rest)
        measures = [belongs.alias("b0"), *_measures(emitter, node, element, by)]
        frame = rows.sheet.made(measures)
        segments = run.segments(str(feed))
        unseen = UnseenSpans(self, condition if isinstance(condition, Node) else None)
        may_come = lit(True)
        if isinstance(condition, Node):
            may_come = ~unseen.emit(condition).n.eq_missing(False)
        if function in ("any", "all"):
            assert isinstance(element, Node)
            x = unseen.emit(element).n
            hits = may_come & (x if function == "any" else ~x).fill_null(True)
            self._truth(node, name, segments, frame, more=~whole & hits)
        elif function in _EXTREMES:
            self._extreme(node, name, segments, frame, complete=whole | ~may_come)
        else:
            open_ = ~whole & may_come
            span = unseen.span(element) if isinstance(element, Node) else None
            more_low = open_ & (~spans.at_least(span.low) if span is not None else lit(False))
            more_high = open_ & (~spans.at_most(span.high) if span is not None else lit(True))
            self._sum(node, name, segments, frame, condition, open_, more_low, more_high)

    # ---- people

    def _of_people(self, node: Node, name: str) -> None:
        run, (function, element, condition) = self.run, node.args[:3]
        level = "member" if node.op == "members" else "supporter"
        emitter = self.emitters[level]
        belongs = lit(True)
        if node.op == "members":
            belongs = emitter.emit(membership_of(node)).n
        elif node.level == "household":
            belongs = col("first")
        if isinstance(condition, Node):
            belongs = belongs & emitter.emit(condition).n
        measures = [belongs.alias("b0"), *_measures(emitter, node, element, None)]
        frame = run.sheet(level).made(measures)
        segments = people_segments(run, node)
        no = lit(False)
        if function in ("any", "all"):
            self._truth(node, name, segments, frame, more=no)
        elif function in _EXTREMES:
            self._extreme(node, name, segments, frame, complete=lit(True))
        else:
            self._sum(node, name, segments, frame, condition, no, no, no)

    def _is_listed(self, node: Node) -> pl.Series:
        """Whether the people of an aggregate are known at all."""
        every = spread(pl.Series([True]), self.run.sheet(self.home(node)).height)
        if node.op != "supporters":
            return every
        return is_true(only_listed(self.run, node, every))

    # ---- together

    def _truth(
        self, node: Node, name: str, segments: Segments, frame: Mapping[str, pl.Series], *, more: Column
    ) -> None:
        """`any` and `all`; `more`: where a row to come might decide it."""
        function, home = node.args[0], self.home(node)
        hit = frame["b0"] & (frame["x0"] if function == "any" else ~frame["x0"])
        true, unknown = truth_sums(segments, {"h": hit})["h"]
        (open_,) = reckoned([more.fill_null(True).cast(pl.Int64)], self.run.sheet(home))
        verdict = kleene_any(true, open_ if unknown is None else unknown + open_)
        verdict = verdict if function == "any" else ~verdict
        self._put(node, name, where(self._is_listed(node), verdict), None)

    def _extreme(
        self, node: Node, name: str, segments: Segments, frame: Mapping[str, pl.Series], *, complete: Column
    ) -> None:
        """The lowest, highest or latest: only where all that belong are left."""
        (found,) = aggregated(segments, frame, [str(node.args[0])])
        listed = self._is_listed(node)
        (whole,) = reckoned([complete.fill_null(False)], self.run.sheet(self.home(node)))
        left = where(listed & whole, found)
        self._put(node, name, left, left)

    def _sum(
        self,
        node: Node,
        name: str,
        segments: Segments,
        frame: Mapping[str, pl.Series],
        condition: object,
        open_: Column,
        more_low: Column,
        more_high: Column,
    ) -> None:
        """Sums and counts: of those that belong and of those that may; `more_…`: where a row to come adds no bound."""
        function, home = node.args[0], self.home(node)
        b = col("b0")
        low, high = (lit(1, pl.Int64),) * 2 if function == "count" else (col("low"), col("high"))
        may = b.is_null()
        parts = {
            "low": when(b).then(low).when(may & (low < 0)).then(low).otherwise(0).fill_null(0),
            "high": when(b).then(high).when(may & (high > 0)).then(high).otherwise(0).fill_null(0),
            "no_low": (b | may).fill_null(True) & low.is_null(),
            "no_high": (b | may).fill_null(True) & high.is_null(),
            "may": may,
        }
        sums = segments.sums(Sheet(frame, segments.rows).made(e.alias(c) for c, e in parts.items()))
        asked = (("open", open_), ("low", more_low), ("high", more_high))
        people = self.run.sheet(home).made(e.fill_null(True).alias(c) for c, e in asked)
        lacking = isinstance(condition, Node) and may_lack_value(self.law, condition)
        if node.op == "members":
            lacking = lacking or may_lack_value(self.law, membership_of(node))
        known = spread(pl.Series([True]), self.run.sheet(home).height)
        if lacking:
            known = ~people["open"] & (sums["may"] == 0)
        listed = self._is_listed(node)
        ends = [where(known & listed & ~people[end] & (sums[f"no_{end}"] == 0), sums[end]) for end in ("low", "high")]
        if function == "count" and node.op == "supporters":
            ends[0] = ends[0].zip_with(listed, pl.Series([0]))
        self._put(node, name, *ends)

    def _put(self, node: Node, name: str, low: pl.Series, high: pl.Series | None) -> None:
        home = self.home(node)
        known = self.run.sheet(home)[name]
        ends = {"=": low} if high is None or node.type.kind != "num" else {"-": low, "+": high}
        filled = [known.zip_with(is_known(known), end).alias(f"{which}:{name}") for which, end in ends.items()]
        self.run.put(home, filled)


def _measures(emitter: FrameSpans | RowSpans, node: Node, element: object, by: object) -> list[Column]:
    """What an aggregate takes of each row: bounds where it adds up, what is left where it picks."""
    measures: list[Column] = []
    if isinstance(element, Node) and node.args[0] == "sum":
        span = emitter.span(element)
        measures += [as_stored(q, element.type).alias(c) for q, c in ((span.low, "low"), (span.high, "high"))]
    elif isinstance(element, Node):
        measures.append(emitter.stored(element).alias("x0"))
    if isinstance(by, Node):
        measures.append(emitter.stored(by).alias("y0"))
    return measures


def as_stored(q: Quotient, t: Type) -> Column:
    """A bound as it is kept in a column: whole numbers, a ratio in millionths; beyond `ranges.MOST` there is none."""
    if q.absent:
        return lit(None, dtype=pl.Int64)
    if t.form == "micro":
        q = fitting_rounded(over(fitting_product(q.above, MILLION), q.denominator), "fen", "down")
    return within_most(q).n.cast(pl.Int64)
