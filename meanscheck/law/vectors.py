"""What does the law say of many cases at once? The vector executor: a law over the frames of a `CaseBlock`.

Formulas are grouped by what they wait for (`Plan`), so that each feed is aggregated once per depth, whatever the
number of formulas. Values become columns of the frames of households, persons and supporter edges:

    v:ID  a variable · a:N  a person's aggregate over a feed · g:N  an aggregate over members or supporters
    t:PROGRAMME:TEST  a test · o:PROGRAMME  true eligible, false ineligible, null refer · w:PROGRAMME  its award in fen
    x:… , l:… , m:PROGRAMME:TEST  value, limit and margin of a test that is one comparison
    b:PROGRAMME:TEST and x-: x+: l-: l+:  of a test that bounds decide (`settle`)

The same for every block size and thread count: whole units, integers only, no ordering left to the engine.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from meanscheck.contracts.units import VERDICT_DROPPED, VERDICT_NONE, CaseBlock
from meanscheck.errors import InternalError
from meanscheck.law.conflicts.found import find
from meanscheck.law.emit import Emitter
from meanscheck.law.law import Law, Programme
from meanscheck.law.margins import margin_of
from meanscheck.law.names import OPEN_END, open_ended
from meanscheck.law.plain import FRESHNESS, windows_in
from meanscheck.law.plan import plan_of, yields_column
from meanscheck.law.ranges import MOST
from meanscheck.law.segments import Segments, aggregated, kleene_any, truth_sums
from meanscheck.law.settle import settle
from meanscheck.law.sides import RowEmitter, Rows, Side, on_rows, with_reckoned
from meanscheck.law.tables import entry
from meanscheck.law.tree import Node, membership_of
from meanscheck.law.types import UNITS
from meanscheck.law.vector_bounds import VectorBounds

FEW = 20
"""One unit in so many is few."""


class VectorRun:
    """One law over one block; `households`, `persons` and `edges` carry all columns when it is made."""

    def __init__(self, law: Law, block: CaseBlock) -> None:
        self.disputes = find(law, block)
        block = self.disputes.applied()
        self.law, self.block = law, block
        self.plan = plan_of(law)
        self.persons_of = Segments(block.households["n_persons"].to_numpy())
        unit_row = self.persons_of.owner_of_row()
        if block.persons.height != len(unit_row):
            raise InternalError("persons and households of a block do not match")
        self.households = block.households.with_columns(pl.col("reference_day").fill_null(pl.lit(law.on)))
        self.persons = block.persons.with_columns(pl.Series("unit_row", unit_row, dtype=pl.Int64))
        self.edges = block.supporters.with_columns(
            pl.Series("unit_row", unit_row[block.supporters["member_row"].to_numpy()], dtype=pl.Int64)
        )
        self._segments: dict[str, Segments] = {}
        self._owners: dict[str, pl.Series] = {}
        self._frames: dict[str, pl.DataFrame] = {}
        self._states: dict[str, str] = {}
        self._windows: set[str] = set()
        self._tops: dict[tuple[str, str], int] = {}
        self._bounds: VectorBounds | None = None
        for depth in self.plan.levels:
            self._aggregates(depth.aggregates)
            for node in depth.people:
                self._people(node)
            self._variables(depth.variables)
            for name in depth.programmes:
                self._programme(law.programme(name))

    def restricted(self, block: CaseBlock, *, units: pl.Series, persons: pl.Series) -> VectorRun:
        """This run over some of its units, with all columns and nothing reckoned anew.

        Args:
            block: those units' evidence, rows of edges numbered within it.
            units, persons: Boolean, which rows of the frames stay.
        """
        part = object.__new__(VectorRun)
        part.law, part.block, part.plan, part.disputes = self.law, block, self.plan, self.disputes
        part.persons_of = Segments(block.households["n_persons"].to_numpy())
        unit_row = part.persons_of.owner_of_row()
        part.households = self.households.filter(units)
        part.persons = self.persons.filter(persons).with_columns(pl.Series("unit_row", unit_row, dtype=pl.Int64))
        rows = block.supporters["member_row"]
        part.edges = self.edges.filter(units.gather(self.edges["unit_row"])).with_columns(
            rows, block.supporters["supporter_row"], pl.Series("unit_row", unit_row[rows.to_numpy()], dtype=pl.Int64)
        )
        part._segments, part._owners, part._frames, part._tops = {}, {}, {}, {}
        part._states, part._windows = dict(self._states), set(self._windows)
        part._bounds = None
        return part

    def bounds_of(self, units: pl.Series) -> VectorBounds:
        """Bounds of the values of these units (Boolean, one a household), and perhaps of others.

        What bounds cost hangs on how often they are begun anew, far more than on how many units they are of. So a few
        units are looked at alone; where they are many, or others are asked for later, all are.
        """
        if self._bounds is not None and self._bounds.covers(units):
            self._bounds.refresh(self)
        else:
            is_few = self._bounds is None and units.sum() * FEW < len(units)
            self._bounds = VectorBounds(self, units if is_few else pl.Series([True]).new_from_index(0, len(units)))
        return self._bounds

    # ---- frames

    def frame(self, level: str) -> pl.DataFrame:
        """The frame of an entity."""
        return {"household": self.households, "member": self.persons, "supporter": self.edges}[level]

    def put(self, level: str, columns: Iterable[pl.Expr | pl.Series]) -> None:
        """Add columns to the frame of an entity."""
        frame = with_reckoned(self.frame(level), columns)
        if level == "household":
            self.households = frame
        elif level == "member":
            self.persons = frame
        else:
            self.edges = frame

    def column_of(self, node: Node) -> str:
        """The column in which a leaf stands on its own frame."""
        if node.op == "var":
            return f"v:{node.args[0]}"
        if node.op == "attr":
            return str(node.args[1])
        if node.op == "outcome":
            return f"o:{node.args[0]}"
        return self.plan.names.get(node, node.op)

    def carried(self, name: str, home: str, level: str) -> str:
        """The column by which `level`'s frame knows a column of the frame `home`."""
        if home in (level, "const"):
            return name
        copy = f"{home}|{name}"
        frame = self.frame(level)
        if copy in frame.columns:
            return copy
        if home == "supporter":
            # All edges of a supporter say the same; who is no supporter has no value.
            one = self.edges.select(row=pl.col("supporter_row").cast(pl.Int64), value=name).unique("row", keep="any")
            rows = pl.DataFrame({"row": pl.arange(frame.height, dtype=pl.Int64, eager=True)})
            series = rows.join(one, on="row", how="left", maintain_order="left")["value"]
        else:
            series = self.frame(home)[name].gather(frame["supporter_row" if home == "member" else "unit_row"])
        self.put(level, [series.alias(copy)])
        return copy

    def top(self, home: str, name: str) -> int:
        """The largest absolute value of a column of numbers, on the frame of an entity or of a feed."""
        if (home, name) not in self._tops:
            frame = self._frames[home] if home in self._frames else self.frame(home)
            column = frame[name]
            low, high = column.min(), column.max()
            self._tops[(home, name)] = max((abs(v) for v in (low, high) if isinstance(v, int)), default=0)
        return self._tops[(home, name)]

    def feed_frame(self, feed: str) -> pl.DataFrame:
        """The rows of a feed with derived columns; an open end reads as the last day of the calendar."""
        if feed not in self._frames:
            frame = self.block.feeds[feed]
            ends = [c for c in frame.columns if c in open_ended(feed)]
            frame = frame.with_columns(pl.col(c).fill_null(OPEN_END) for c in ends)
            if feed == "medical_settlements" and "reverses" in frame.columns:
                frame = frame.with_columns(self._reversed(feed, frame))
            self._frames[feed] = frame
        return self._frames[feed]

    def _reversed(self, feed: str, frame: pl.DataFrame) -> pl.Series:
        owners = self.owner_of_row(feed)
        rows = frame.select("settlement_no", "reverses").with_columns(owner=owners, row=pl.int_range(pl.len()))
        undone = rows.filter(pl.col("reverses").is_not_null()).select("owner", settlement_no="reverses").unique()
        hit = rows.join(undone, on=["owner", "settlement_no"], how="semi")["row"]
        return pl.select(
            (pl.lit(frame["reverses"]).is_not_null() | pl.int_range(frame.height).is_in(hit.implode())).alias(
                "is_reversed"
            )
        ).to_series()

    def segments(self, feed: str) -> Segments:
        """How the rows of a feed belong to persons."""
        if feed not in self._segments:
            self._segments[feed] = Segments(self.persons[f"n:{feed}"].to_numpy())
        return self._segments[feed]

    def owner_of_row(self, feed: str) -> pl.Series:
        """The person of each row."""
        if feed not in self._owners:
            self._owners[feed] = pl.Series("owner", self.segments(feed).owner_of_row())
        return self._owners[feed]

    def state(self, feed: str) -> str:
        """The column with the state of each person's evidence in a feed, staleness included."""
        if feed not in self._states:
            name = f"s:{feed}"
            freshness = self.law.parameters.get(FRESHNESS)
            months = None if freshness is None else entry(freshness, (feed,))
            if isinstance(months, int) and self.persons[f"asof:{feed}"].null_count() < self.persons.height:
                oldest = f"oldest:{months}"
                if oldest not in self.households.columns:
                    day = pl.col("reference_day").dt.month_start().dt.offset_by(f"-{months}mo")
                    self.put("household", [day.alias(oldest)])
                since = pl.col(self.carried(oldest, "household", "member"))
                stale = (pl.col(name) == 0) & (pl.col(f"asof:{feed}") < since).fill_null(False)
                self.put(
                    "member", [pl.when(stale).then(pl.lit(1, pl.UInt8)).otherwise(pl.col(name)).alias(f"e:{feed}")]
                )
                name = f"e:{feed}"
            self._states[feed] = name
        return self._states[feed]

    def covered(self, node: Node) -> pl.Expr | None:
        """Whether a person's answer covers the windows an aggregate asks about; None if answers are not limited."""
        feed = str(node.args[1])
        limited = [e for e in ("from", "to") if self.persons[f"{e}:{feed}"].null_count() < self.persons.height]
        if not limited:
            return None
        emitter = Emitter(Side(self, "member"))
        parts: list[pl.Expr] = []
        for part in windows_in(node):
            if part.op == "within" and not emitter.known_window(part):
                continue
            first, _, last = self.window(part)
            parts.append(~((pl.col(f"from:{feed}") > first).fill_null(False)))
            parts.append(~((pl.col(f"to:{feed}") < last).fill_null(False)))
        return pl.all_horizontal(parts) if parts else None

    def window(self, node: Node) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
        """First day of a window, the first after it and its last, on the persons' frame; reckoned once a household."""
        bounds = node.nodes[1:]
        if any(n.level not in ("const", "household") for n in bounds):
            first, after = Emitter(Side(self, "member")).window(node)
            return first, after, after.dt.offset_by("-1d")
        key = f"{node.op}:{','.join(str(n.key) for n in bounds)}"
        names = [f"{which}:{key}" for which in ("first", "after", "last")]
        if key not in self._windows:
            self._windows.add(key)
            first, after = Emitter(Side(self, "household")).window(node)
            self.put(
                "household", [e.alias(n) for e, n in zip((first, after, after.dt.offset_by("-1d")), names, strict=True)]
            )
        first, after, last = (pl.col(self.carried(n, "household", "member")) for n in names)
        return first, after, last

    # ---- aggregates over feeds

    def _aggregates(self, nodes: list[Node]) -> None:
        by_feed: dict[str, list[Node]] = {}
        for node in nodes:
            by_feed.setdefault(str(node.args[1]), []).append(node)
        for feed, of_feed in by_feed.items():
            self._feed(feed, of_feed)

    def membership(self, node: Node, rows: Rows, emitter: Emitter) -> pl.Expr | None:
        """Kleene: whether a row belongs to the aggregate. A dropped row does not; an unreviewed one may."""
        frame, parts = rows.frame, []
        if node.args[5] and frame.height:
            verdict = pl.col("verdict")
            parts.append(pl.when(verdict == VERDICT_NONE).then(None).otherwise(verdict != VERDICT_DROPPED))
        elif frame.height and frame["verdict"].max() == VERDICT_DROPPED:
            parts.append(pl.col("verdict") != VERDICT_DROPPED)
        if isinstance(node.args[3], Node):
            parts.append(emitter.emit(node.args[3]).n)
        if not parts:
            return None
        belongs = parts[0] if len(parts) == 1 else parts[0] & parts[1]
        return belongs if belongs.meta.root_names() else belongs & pl.repeat(True, pl.len(), dtype=pl.Boolean)

    def _feed(self, feed: str, nodes: list[Node]) -> None:
        rows = Rows(self, feed)
        emitter = RowEmitter(rows)
        measures: list[pl.Expr] = []
        for i, node in enumerate(nodes):
            belongs = self.membership(node, rows, emitter)
            truth = pl.repeat(True, pl.len(), dtype=pl.Boolean) if belongs is None else belongs
            measures.append(truth.alias(f"b{i}"))
            if isinstance(node.args[2], Node):
                measures.append(emitter.stored(node.args[2]).alias(f"x{i}"))
            if isinstance(node.args[4], Node):
                measures.append(emitter.stored(node.args[4]).alias(f"y{i}"))
        frame = on_rows(rows.with_extra(), measures)
        segments = self.segments(feed)
        results = aggregated(segments, frame, [str(n.args[0]) for n in nodes])
        columns: list[pl.Expr] = []
        self.put("member", [pl.Series(f"raw:{self.plan.names[n]}", r) for n, r in zip(nodes, results, strict=True)])
        state = self.state(feed)
        for node in nodes:
            visible = pl.col(state) == 0
            covered = self.covered(node)
            if covered is not None:
                visible = visible & covered
            name = self.plan.names[node]
            columns.append(pl.when(visible).then(pl.col(f"raw:{name}")).alias(name))
        self.put("member", columns)
        self.persons = self.persons.drop(f"raw:{self.plan.names[n]}" for n in nodes)

    # ---- aggregates over people

    def _people(self, node: Node) -> None:
        function, element, condition = node.args[:3]
        level = "member" if node.op == "members" else "supporter"
        emitter = Emitter(Side(self, level))
        belongs = emitter.emit(membership_of(node)).n if node.op == "members" else pl.lit(True)
        if node.op == "supporters" and node.level == "household":
            belongs = pl.col("first")
        if isinstance(condition, Node):
            belongs = belongs & emitter.emit(condition).n
        value = emitter.stored(element) if isinstance(element, Node) else None
        measures = [belongs.alias("b0")] + ([] if value is None else [value.alias("x0")])
        frame = on_rows(self.frame(level), measures)
        (result,) = aggregated(self.people_segments(node), frame, [str(function)])
        name = self.plan.names[node]
        if node.op == "supporters":
            result = self._only_known(node, result)
        self.put(node.level, [result.alias(name)])

    def people_segments(self, node: Node) -> Segments:
        """How persons belong to households, or edges to members or households."""
        if node.op == "members":
            return self.persons_of
        index, size = (
            ("member_row", self.persons.height) if node.level == "member" else ("unit_row", self.households.height)
        )
        return Segments(np.bincount(self.edges[index].to_numpy().astype(np.int64), minlength=size))

    def _only_known(self, node: Node, result: pl.Series) -> pl.Series:
        """Supporters are known only where the feed that names them has been answered."""
        state = self.state("supporters")
        known = self.persons.select((pl.col(state) == 0) | (pl.col("role") != "member")).to_series()
        if node.level == "household":
            hidden = self.persons_of.sums(pl.DataFrame({"h": (~known).cast(pl.Int64)}))["h"]
            known = hidden == 0
        elif not self.persons.height:
            return result
        return pl.select(pl.when(pl.lit(known)).then(pl.lit(result))).to_series()

    # ---- variables and programmes

    def _variables(self, names: list[str]) -> None:
        by_entity: dict[str, list[pl.Expr]] = {}
        for name in names:
            variable = self.law.variables[name]
            e = Emitter(Side(self, variable.entity)).stored(variable.tree, UNITS[variable.unit])
            by_entity.setdefault(variable.entity, []).append(e.alias(f"v:{name}"))
        for entity, columns in by_entity.items():
            self.put(entity, columns)
            self._guard(entity, [c.meta.output_name() for c in columns])

    def _guard(self, entity: str, names: list[str]) -> None:
        frame = self.frame(entity)
        numbers = [n for n in names if frame.schema[n] == pl.Int64]
        if numbers and frame.height:
            tops = frame.select(pl.col(numbers).abs().max()).row(0)
            for name, top in zip(numbers, tops, strict=True):
                if top is not None and top > MOST:
                    raise InternalError(f"variable {name[2:]} exceeds the bound of exact reckoning")

    def _programme(self, programme: Programme) -> None:
        level, p = programme.entity, programme.id
        emitter = Emitter(Side(self, level))
        columns: list[pl.Expr] = []
        names: list[str] = []
        if level == "member":
            columns.append(pl.col(f"v:{programme.members}").alias(f"t:{p}:membership"))
            names.append(f"t:{p}:membership")
        for test in programme.tests:
            name = f"t:{p}:{test.id}"
            columns.append(emitter.emit(test.tree).n.cast(pl.Boolean).alias(name))
            names.append(name)
            margin = margin_of(test.tree)
            if margin is not None:
                for prefix, tree in (("x", margin.value), ("l", margin.limit), ("m", margin.margin)):
                    columns.append(emitter.stored(tree).alias(f"{prefix}:{p}:{test.id}"))
        if programme.award is not None:
            columns.append(emitter.stored(programme.award.tree, UNITS[programme.award.unit]).alias(f"w:{p}"))
        self.put(level, columns)
        if self.law.bounds:
            settle(self, programme)
        verdict = pl.col(names[0])
        for name in names[1:]:
            verdict = verdict & pl.col(name)
        if programme.award is not None:
            verdict = pl.when(verdict & pl.col(f"w:{p}").is_null()).then(None).otherwise(verdict)
        self.put(level, [verdict.alias(f"o:{p}"), verdict.alias(f"own:{p}")])
        for rule in programme.yields_to:
            if rule.programme not in {q.id for q in self.law.programmes}:
                continue
            gives = self._yields(programme, rule.programme, rule.when)
            kept = pl.col(f"o:{p}")
            result = (
                pl.when(kept.eq_missing(False) | gives).then(False).when(gives.is_null()).then(None).otherwise(kept)
            )
            self.put(level, [gives.alias(f"y:{p}:{rule.programme}")])
            self.put(level, [result.alias(f"o:{p}")])
        if programme.award is not None:
            self.put(level, [pl.when(pl.col(f"o:{p}")).then(pl.col(f"w:{p}")).alias(f"w:{p}")])

    def _yields(self, programme: Programme, other: str, when: str) -> pl.Expr:
        """Whether the other programme takes precedence, as an expression on this programme's frame."""
        home = self.law.programme(other).entity
        if home == "household" or when == "this member":
            return pl.col(self.carried(f"o:{other}", home, programme.entity))
        member, there = pl.col(f"v:{programme.members}"), pl.col(f"o:{other}")
        listed = pl.col("role") == "member"
        if when == "any member":
            frame = self.persons.select((listed & member & there).alias("x"))
            true, unknown = truth_sums(self.persons_of, {"x": frame["x"]})["x"]
            name = yields_column(programme, other, when)
            self.put("household", [kleene_any(true, unknown).alias(name)])
        else:
            frame = self.persons.select(
                (listed & member & ~there).alias("against"), (listed & member.fill_null(True)).alias("some")
            )
            sums = truth_sums(self.persons_of, {c: frame[c] for c in frame.columns})
            against, unknown = sums["against"]
            nobody = sums["some"][0] == 0
            every = ~kleene_any(against, unknown)
            name = yields_column(programme, other, when)
            self.put(
                "household",
                [pl.select(pl.when(pl.lit(nobody)).then(False).otherwise(pl.lit(every))).to_series().alias(name)],
            )
        return pl.col(self.carried(name, "household", programme.entity))
