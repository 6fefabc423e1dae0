"""What does a programme say of many cases at once: its tests with value and limit, outcome, precedence, award?

The columns are those that `vectors` names; all that the programme reads is in the frames already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from meanscheck.law.columns import Column, col, when
from meanscheck.law.emit import Emitter
from meanscheck.law.law import Programme
from meanscheck.law.margins import margin_of
from meanscheck.law.plan import yields_column
from meanscheck.law.segments import kleene_any, truth_sums
from meanscheck.law.settle import settle
from meanscheck.law.sides import Side
from meanscheck.law.types import UNITS

if TYPE_CHECKING:
    from meanscheck.law.vectors import VectorRun


def put_programme(run: VectorRun, programme: Programme) -> None:
    """Put the tests, outcome, precedence and award of a programme into its frame."""
    level, p = programme.entity, programme.id
    emitter = Emitter(Side(run, level))
    columns: list[Column] = []
    names: list[str] = []
    if level == "member":
        columns.append(col(f"v:{programme.members}").alias(f"t:{p}:membership"))
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
    run.put(level, columns)
    if run.law.bounds:
        settle(run, programme)
    verdict = col(names[0])
    for name in names[1:]:
        verdict = verdict & col(name)
    if programme.award is not None:
        verdict = when(verdict & col(f"w:{p}").is_null()).then(None).otherwise(verdict)
    run.put(level, [verdict.alias(f"o:{p}"), verdict.alias(f"own:{p}")])
    for rule in programme.yields_to:
        if rule.programme not in {q.id for q in run.law.programmes}:
            continue
        gives = _yields(run, programme, rule.programme, rule.when)
        kept = col(f"o:{p}")
        result = when(kept.eq_missing(False) | gives).then(False).when(gives.is_null()).then(None).otherwise(kept)
        run.put(level, [gives.alias(f"y:{p}:{rule.programme}")])
        run.put(level, [result.alias(f"o:{p}")])
    if programme.award is not None:
        run.put(level, [when(col(f"o:{p}")).then(col(f"w:{p}")).alias(f"w:{p}")])


def _yields(run: VectorRun, programme: Programme, other: str, whose: str) -> Column:
    """Whether the other programme takes precedence, as an expression on this programme's frame."""
    home = run.law.programme(other).entity
    if home == "household" or whose == "this member":
        return col(run.carried(f"o:{other}", home, programme.entity))
    member, there = col(f"v:{programme.members}"), col(f"o:{other}")
    listed = col("role") == "member"
    if whose == "any member":
        found = run.sheet("member").made([(listed & member & there).alias("x")])
        name = yields_column(programme, other, whose)
        run.put("household", [kleene_any(*truth_sums(run.persons_of, found)["x"]).alias(name)])
    else:
        against, some = listed & member & ~there, listed & member.fill_null(True)
        found = run.sheet("member").made([against.alias("against"), some.alias("some")])
        sums = truth_sums(run.persons_of, found)
        every = ~kleene_any(*sums["against"])
        name = yields_column(programme, other, whose)
        run.put("household", [(every & (sums["some"][0] > 0)).alias(name)])
    return col(run.carried(name, "household", programme.entity))
