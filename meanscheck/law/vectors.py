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
from functools import cached_property
from weakref import proxy

import numpy as np
import polars as pl

from meanscheck.contracts.units import CaseBlock
from meanscheck.errors import InternalError
from meanscheck.law.asked import asked_for
from meanscheck.law.columns import Column, all_horizontal, col, lit, spread, when
from meanscheck.law.conflicts.found import find
from meanscheck.law.cut import cut, left_open
from meanscheck.law.days import months_added
from meanscheck.law.emit import Emitter
from meanscheck.law.law import Law
from meanscheck.law.names import OPEN_END, open_ended
from meanscheck.law.plain import FRESHNESS, windows_in
from meanscheck.law.plan import plan_of, with_read
from meanscheck.law.ranges import MOST
from meanscheck.law.segments import Segments
from meanscheck.law.sheets import Part, Sheet
from meanscheck.law.sides import Side
from meanscheck.law.tables import entry
from meanscheck.law.tree import Node
from meanscheck.law.types import UNITS
from meanscheck.law.vector_bounds import VectorBounds
from meanscheck.law.vector_facts import put_aggregates, put_people
from meanscheck.law.vector_programmes import put_programme

FEW = 3
"""One unit in so many is few."""


class VectorRun:
    """One law over one block; `households`, `persons` and `edges` carry all columns when it is made.

    Args:
        law: which law.
        block: whole case units.
        only_asked: decide only the programmes that some unit asks for, and those without which they or a variable
            cannot be decided.
    """

    def __init__(self, law: Law, block: CaseBlock, *, only_asked: bool = False) -> None:
        self.disputes = find(law, block)
        block = self.disputes.applied()
        self.law, self.block = law, block
        self.plan = plan_of(law)
        self.programmes = law.programmes
        if only_asked:
            self.programmes = with_read(law, frozenset(p for p, units in self.asked.items() if units.any()))
        self.persons_of = Segments(block.households["n_persons"].to_numpy())
        unit_row = self.persons_of.owner_of_row()
        if block.persons.height != len(unit_row):
            raise InternalError("persons and households of a block do not match")
        of_edge = unit_row[block.supporters["member_row"].to_numpy()]
        self._sheets = {
            "household": Sheet(block.households, block.households.height),
            "member": Sheet(block.persons, block.persons.height),
            "supporter": Sheet(block.supporters, block.supporters.height),
        }
        self.put("household", [col("reference_day").fill_null(law.on).alias("reference_day")])
        self.put("member", [pl.Series("unit_row", unit_row, dtype=pl.Int64)])
        self.put("supporter", [pl.Series("unit_row", of_edge, dtype=pl.Int64)])
        self._places = _places(unit_row, of_edge)
        self._segments: dict[str, Segments] = {}
        self._owners: dict[str, pl.Series] = {}
        self._frames: dict[str, pl.DataFrame] = {}
        self._states: dict[str, str] = {}
        self._windows: set[str] = set()
        self._tops: dict[tuple[str, str], int] = {}
        self._bounds: VectorBounds | None = None
        self._whole: tuple[VectorRun, pl.Series] | None = None
        for depth in self.plan.levels:
            put_aggregates(self, depth.aggregates)
            for node in depth.people:
                put_people(self, node)
            self._variables(depth.variables)
            for programme in [p for p in self.programmes if p.id in depth.programmes]:
                put_programme(self, programme)

    def restricted(self, *, units: pl.Series, persons: pl.Series) -> VectorRun:
        """This run over some of its units, with all columns and nothing reckoned anew; of feeds, the rows of persons
        about whom they leave something open.

        Args:
            units, persons: Boolean, which rows of the frames stay.
        """
        block = cut(self, units=units, persons=persons, feeds=())
        part = object.__new__(VectorRun)
        part.law, part.block, part.plan, part.disputes = self.law, block, self.plan, self.disputes
        # The whole holds its parts (see `bounds_of`).
        part._whole = (proxy(self), persons)
        part.programmes = self.programmes
        part.persons_of = Segments(block.households["n_persons"].to_numpy())
        unit_row = part.persons_of.owner_of_row()
        edges = units[self._places["supporter"]]
        rows = {"household": units, "member": persons, "supporter": edges}
        part._sheets = {level: Sheet({}, int(r.sum()), whole=Part(self._sheets[level], r)) for level, r in rows.items()}
        member, supporter = (block.supporters[name] for name in ("member_row", "supporter_row"))
        of_edge = unit_row[member.to_numpy()]
        part.put("member", [pl.Series("unit_row", unit_row, dtype=pl.Int64)])
        part.put("supporter", [member, supporter, pl.Series("unit_row", of_edge, dtype=pl.Int64)])
        part._places = _places(unit_row, of_edge)
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
            self._bounds.refresh()
        else:
            more = units if self._bounds is None else units | self._bounds.units
            is_few = more.sum() * FEW < len(units)
            self._bounds = VectorBounds(self, more if is_few else spread(pl.Series([True]), len(units)))
        return self._bounds

    # ---- frames

    @cached_property
    def asked(self) -> dict[str, pl.Series]:
        """By programme of the law, whether each household asks for it (Boolean)."""
        return asked_for(self.block.households["requested"], self.law.programmes)

    def sheet(self, level: str) -> Sheet:
        """The columns of an entity."""
        return self._sheets[level]

    def frame(self, level: str) -> pl.DataFrame:
        """The columns of an entity as a frame."""
        return self._sheets[level].table

    def household_of(self, level: str) -> pl.Series:
        """The household's row of each person, or of each edge."""
        return self._places[level]

    @property
    def households(self) -> pl.DataFrame:
        """The frame of households."""
        return self.frame("household")

    @property
    def persons(self) -> pl.DataFrame:
        """The frame of persons."""
        return self.frame("member")

    @property
    def edges(self) -> pl.DataFrame:
        """The frame of edges between members and supporters."""
        return self.frame("supporter")

    def put(self, level: str, columns: Iterable[Column | pl.Series]) -> None:
        """Add columns to those of an entity."""
        self._sheets[level].put(columns)

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
        sheet = self._sheets[level]
        if copy in sheet:
            return copy
        if home == "supporter":
            # All edges of a supporter say the same; who is no supporter has no value.
            edges = self._sheets[home]
            one = pl.DataFrame({"row": edges["supporter_row"].cast(pl.Int64), "value": edges[name]})
            rows = pl.DataFrame({"row": pl.arange(sheet.height, dtype=pl.Int64, eager=True)})
            series = rows.join(one.unique("row", keep="any"), on="row", how="left", maintain_order="left")["value"]
        else:
            series = self._sheets[home][name][sheet["supporter_row"] if home == "member" else self._places[level]]
        self.put(level, [series.alias(copy)])
        return copy

    def top(self, home: str, name: str) -> int:
        """The largest absolute value of a column of numbers, on the frame of an entity or of a feed."""
        if (home, name) not in self._tops:
            column = self._frames[home][name] if home in self._frames else self._sheets[home][name]
            low, high = column.min(), column.max()
            self._tops[(home, name)] = max((abs(v) for v in (low, high) if isinstance(v, int)), default=0)
        return self._tops[(home, name)]

    def feed_frame(self, feed: str) -> pl.DataFrame:
        """The rows of a feed with derived columns; an open end reads as the last day of the calendar."""
        if feed not in self._frames and self._whole is not None:
            self._take(feed, *self._whole)
        if feed not in self._frames:
            frame = self.block.feeds[feed]
            ends = [c for c in frame.columns if c in open_ended(feed)]
            if ends:
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
        if feed not in self._segments and self._whole is not None:
            self._take(feed, *self._whole)
        if feed not in self._segments:
            self._segments[feed] = Segments(self._sheets["member"][f"n:{feed}"].to_numpy())
        return self._segments[feed]

    def _take(self, feed: str, whole: VectorRun, persons: pl.Series) -> None:
        rows, counts = left_open(whole, persons, self._sheets["member"], feed)
        self._frames[feed], self._segments[feed] = rows, Segments(counts)

    def owner_of_row(self, feed: str) -> pl.Series:
        """The person of each row."""
        if feed not in self._owners:
            self._owners[feed] = pl.Series("owner", self.segments(feed).owner_of_row(), dtype=pl.UInt32)
        return self._owners[feed]

    def state(self, feed: str) -> str:
        """The column with the state of each person's evidence in a feed, staleness included."""
        if feed not in self._states:
            name = f"s:{feed}"
            freshness = self.law.parameters.get(FRESHNESS)
            months = None if freshness is None else entry(freshness, (feed,))
            persons = self._sheets["member"]
            if isinstance(months, int) and persons[f"asof:{feed}"].null_count() < persons.height:
                oldest = f"oldest:{months}"
                if oldest not in self._sheets["household"]:
                    self.put("household", [months_added(col("reference_day"), -months).alias(oldest)])
                since = col(self.carried(oldest, "household", "member"))
                stale = (col(name) == 0) & (col(f"asof:{feed}") < since).fill_null(False)
                self.put("member", [when(stale).then(lit(1, pl.UInt8)).otherwise(col(name)).alias(f"e:{feed}")])
                name = f"e:{feed}"
            self._states[feed] = name
        return self._states[feed]

    def covered(self, node: Node) -> Column | None:
        """Whether a person's answer covers the windows an aggregate asks about; None if answers are not limited."""
        feed = str(node.args[1])
        persons = self._sheets["member"]
        limited = [e for e in ("from", "to") if persons[f"{e}:{feed}"].null_count() < persons.height]
        if not limited:
            return None
        emitter = Emitter(Side(self, "member"))
        parts: list[Column] = []
        for part in windows_in(node):
            if part.op == "within" and not emitter.known_window(part):
                continue
            first, _, last = self.window(part)
            parts.append(~((col(f"from:{feed}") > first).fill_null(False)))
            parts.append(~((col(f"to:{feed}") < last).fill_null(False)))
        return all_horizontal(parts) if parts else None

    def window(self, node: Node) -> tuple[Column, Column, Column]:
        """First day of a window, the first after it and its last, on the persons' frame; reckoned once a household."""
        bounds = node.nodes[1:]
        if any(n.level not in ("const", "household") for n in bounds):
            first, after = Emitter(Side(self, "member")).window(node)
            return first, after, _day_before(after)
        key = f"{node.op}:{','.join(str(n.key) for n in bounds)}"
        names = [f"{which}:{key}" for which in ("first", "after", "last")]
        if key not in self._windows:
            self._windows.add(key)
            first, after = Emitter(Side(self, "household")).window(node)
            days = first, after, _day_before(after)
            self.put("household", [e.alias(n) for e, n in zip(days, names, strict=True)])
        first, after, last = (col(self.carried(n, "household", "member")) for n in names)
        return first, after, last

    # ---- variables and programmes

    def _variables(self, names: list[str]) -> None:
        by_entity: dict[str, list[Column]] = {}
        for name in names:
            variable = self.law.variables[name]
            e = Emitter(Side(self, variable.entity)).stored(variable.tree, UNITS[variable.unit])
            by_entity.setdefault(variable.entity, []).append(e.alias(f"v:{name}"))
        for entity, columns in by_entity.items():
            self.put(entity, columns)
            self._guard(entity, [c.name for c in columns])

    def _guard(self, entity: str, names: list[str]) -> None:
        for name in names:
            if self._sheets[entity][name].dtype == pl.Int64 and self.top(entity, name) > MOST:
                raise InternalError(f"variable {name[2:]} exceeds the bound of exact reckoning")


def _places(unit_row: np.ndarray, of_edge: np.ndarray) -> dict[str, pl.Series]:
    """The household's row of each person and of each edge, as Polars counts rows."""
    return {"member": pl.Series(unit_row, dtype=pl.UInt32), "supporter": pl.Series(of_edge, dtype=pl.UInt32)}


def _day_before(day: Column) -> Column:
    return day.made(lambda s: s.dt.offset_by("-1d"), "day before")
