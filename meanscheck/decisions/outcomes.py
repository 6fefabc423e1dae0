"""How does an outcome stand in the columns of a run? For whoever lists outcomes of a caseload."""

from __future__ import annotations

import polars as pl

from meanscheck.law.law import Programme


def outcome_of(p: Programme) -> pl.Expr:
    """``eligible``, ``ineligible`` or ``refer``, on the frame of the programme's entity."""
    decided = pl.col(f"o:{p.id}")
    word = pl.when(decided).then(pl.lit("eligible")).when(~decided).then(pl.lit("ineligible"))
    return word.otherwise(pl.lit("refer"))


def award_of(p: Programme) -> pl.Expr:
    """The award in fen, Int64; null where nobody gets one."""
    return pl.col(f"w:{p.id}") if p.award is not None else pl.lit(None, dtype=pl.Int64)
