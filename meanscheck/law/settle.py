"""Which tests of a programme do bounds decide, of many cases at once? What is found is written into the whole run.

    t:PROGRAMME:TEST    where it was null and is decided · b:PROGRAMME:TEST  true where it was decided so
    x-: x+: l-: l+:…    bounds of value and limit of a test that is one comparison, where it was decided so
    w:PROGRAMME         where only one amount is left

Nothing is reckoned where every test is known or one fails, and otherwise only for the units with an open one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.law import spans
from meanscheck.law.columns import Column, any_horizontal, col, is_known, reckoned
from meanscheck.law.law import Programme
from meanscheck.law.margins import margin_of
from meanscheck.law.plain import MEMBERSHIP
from meanscheck.law.segments import places_among, where
from meanscheck.law.tree import membership
from meanscheck.law.types import UNITS
from meanscheck.law.vector_bounds import as_stored

if TYPE_CHECKING:
    from meanscheck.law.vectors import VectorRun


def settle(run: VectorRun, programme: Programme) -> None:
    """Decide what bounds decide of a programme's tests, and take its award where one amount is left."""
    level, p = programme.entity, programme.id
    sheet = run.sheet(level)
    trees = {f"t:{p}:{t.id}": t.tree for t in programme.tests}
    if level == "member":
        trees[f"t:{p}:{MEMBERSHIP}"] = membership(programme.members)
    unknown = [c for c in (*trees, f"w:{p}") if c in sheet and sheet[c].null_count()]
    if not unknown:
        return
    # A known failure decides, and then nothing is asked of bounds.
    fails = any_horizontal([col(c).eq_missing(False) for c in trees])
    is_open = any_horizontal([col(c).is_null() for c in unknown]) & ~fails
    if level == "member":
        is_open = is_open & (col("role") == "member")
    (looked,) = reckoned([is_open], sheet)
    if not looked.any():
        return
    units = looked
    if level == "member":
        units = run.persons_of.sums({"looked": looked})["looked"] > 0
    bounds = run.bounds_of(units)
    emitter = bounds.emitters[level]
    columns: list[Column] = []
    for name, tree in trees.items():
        if name not in unknown:
            continue
        columns.append(emitter.emit(tree).n.cast(pl.Boolean).alias(name))
        margin = margin_of(tree)
        if margin is not None:
            for prefix, side in (("x", margin.value), ("l", margin.limit)):
                span = emitter.span(side)
                columns += [
                    as_stored(q, side.type).alias(f"{prefix}{end}{name[1:]}")
                    for q, end in ((span.low, "-"), (span.high, "+"))
                ]
    if programme.award is not None and f"w:{p}" in unknown:
        left = spans.point(emitter.span(programme.award.tree))
        columns.append(as_stored(left, UNITS[programme.award.unit]).alias(f"w:{p}"))
    rows = bounds.units if level == "household" else bounds.persons
    _write(run, level, bounds.run.sheet(level).made(columns), rows, looked, list(trees))


def _write(
    run: VectorRun, level: str, found: Mapping[str, pl.Series], rows: pl.Series, looked: pl.Series, tests: Sequence[str]
) -> None:
    """Put what was found for some rows into the columns of all, of those that were looked at."""
    sheet, place, looked = run.sheet(level), places_among(rows), rows & looked

    def spread_out(name: str) -> pl.Series:
        return where(looked, found[name] if place is None else found[name].gather(place))

    columns: list[pl.Series] = []
    for test in [t for t in tests if t in found]:
        left = spread_out(test)
        decided = ~is_known(sheet[test]) & is_known(left)
        if not decided.any():
            continue
        columns += [sheet[test].zip_with(~decided, left).alias(test), decided.alias(f"b{test[1:]}")]
        for name in (f"{which}{end}{test[1:]}" for which in "xl" for end in "-+"):
            if name in found:
                columns.append(where(decided, spread_out(name)).alias(name))
    award = next((c for c in found if c.startswith("w:")), None)
    if award is not None:
        columns.append(sheet[award].zip_with(is_known(sheet[award]), spread_out(award)).alias(award))
    run.put(level, columns)
