"""What do feeds, members and supporters add up to for many cases at once?

Each aggregate becomes a column of the frame that it belongs to (`vectors` names them), null where something that may
count is not known. Rows and people are added up by running sums at stored row counts (`segments`), all aggregates over
one feed together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from meanscheck.contracts.units import VERDICT_DROPPED, VERDICT_NONE
from meanscheck.law.columns import Column, col, lit, reckoned, when
from meanscheck.law.emit import Emitter
from meanscheck.law.segments import Segments, aggregated, where
from meanscheck.law.sides import RowEmitter, Rows, Side
from meanscheck.law.tree import Node, membership_of

if TYPE_CHECKING:
    from meanscheck.law.vectors import VectorRun


def put_aggregates(run: VectorRun, nodes: list[Node]) -> None:
    """Put aggregates over feeds into the persons' frame."""
    by_feed: dict[str, list[Node]] = {}
    for node in nodes:
        by_feed.setdefault(str(node.args[1]), []).append(node)
    for feed, of_feed in by_feed.items():
        _put_feed(run, feed, of_feed)


def belongs_to(node: Node, rows: Rows, emitter: Emitter) -> Column | None:
    """Kleene: whether a row belongs to the aggregate. A dropped row does not; an unreviewed one may. None: all do."""
    frame, parts = rows.frame, []
    if node.args[5] and frame.height:
        verdict = col("verdict")
        parts.append(when(verdict == VERDICT_NONE).then(None).otherwise(verdict != VERDICT_DROPPED))
    elif frame.height and frame["verdict"].max() == VERDICT_DROPPED:
        parts.append(col("verdict") != VERDICT_DROPPED)
    if isinstance(node.args[3], Node):
        parts.append(emitter.emit(node.args[3]).n)
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else parts[0] & parts[1]


def _put_feed(run: VectorRun, feed: str, nodes: list[Node]) -> None:
    rows = Rows(run, feed)
    emitter = RowEmitter(rows)
    measures: list[Column] = []
    for i, node in enumerate(nodes):
        belongs = belongs_to(node, rows, emitter)
        measures.append((lit(True) if belongs is None else belongs).alias(f"b{i}"))
        if isinstance(node.args[2], Node):
            measures.append(emitter.stored(node.args[2]).alias(f"x{i}"))
        if isinstance(node.args[4], Node):
            measures.append(emitter.stored(node.args[4]).alias(f"y{i}"))
    results = aggregated(run.segments(feed), rows.sheet.made(measures), [str(n.args[0]) for n in nodes])
    columns: list[Column] = []
    raw = [f"raw:{run.plan.names[n]}" for n in nodes]
    run.put("member", [r.alias(name) for name, r in zip(raw, results, strict=True)])
    state = run.state(feed)
    for node in nodes:
        visible = col(state) == 0
        covered = run.covered(node)
        if covered is not None:
            visible = visible & covered
        name = run.plan.names[node]
        columns.append(when(visible).then(col(f"raw:{name}")).alias(name))
    run.put("member", columns)
    run.sheet("member").drop(raw)


def put_people(run: VectorRun, node: Node) -> None:
    """Put an aggregate over members or supporters into the frame that it belongs to."""
    function, element, condition = node.args[:3]
    level = "member" if node.op == "members" else "supporter"
    emitter = Emitter(Side(run, level))
    belongs = emitter.emit(membership_of(node)).n if node.op == "members" else lit(True)
    if node.op == "supporters" and node.level == "household":
        belongs = col("first")
    if isinstance(condition, Node):
        belongs = belongs & emitter.emit(condition).n
    value = emitter.stored(element) if isinstance(element, Node) else None
    measures = [belongs.alias("b0")] + ([] if value is None else [value.alias("x0")])
    (result,) = aggregated(people_segments(run, node), run.sheet(level).made(measures), [str(function)])
    if node.op == "supporters":
        result = only_listed(run, node, result)
    run.put(node.level, [result.alias(run.plan.names[node])])


def people_segments(run: VectorRun, node: Node) -> Segments:
    """How persons belong to households, or edges to members or households."""
    if node.op == "members":
        return run.persons_of
    index = "member_row" if node.level == "member" else "unit_row"
    rows = run.sheet("supporter")[index].to_numpy().astype(np.int64)
    return Segments(np.bincount(rows, minlength=run.sheet(node.level).height))


def only_listed(run: VectorRun, node: Node, result: pl.Series) -> pl.Series:
    """Supporters are known only where the feed that names them has been answered."""
    persons = run.sheet("member")
    (known,) = reckoned([(col(run.state("supporters")) == 0) | (col("role") != "member")], persons)
    if node.level == "household":
        known = run.persons_of.sums({"h": ~known})["h"] == 0
    return where(known, result)
