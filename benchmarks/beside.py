"""What does the hand-written pipeline take for the same evidence, and does it come to the same decisions?"""

from __future__ import annotations

import shutil
from typing import Any

import polars as pl

from benchmarks.caseload import Place, batch_vault
from benchmarks.clock import Clock
from benchmarks.peer import run_peer


def measure(place: Place, clock: Clock) -> dict[str, Any]:
    """Run the peer; its outcomes stay for `agreement`."""
    out = place.folder / "peer"
    shutil.rmtree(out, ignore_errors=True)
    made = run_peer(place.projection, out, clock=clock)
    with clock("not counted"):
        pl.concat(made.outcomes).write_parquet(out / "outcomes.parquet")
    return {"units": made.records, "record_bytes": made.record_bytes // max(made.records, 1), "root": made.root}


def agreement(place: Place, clock: Clock) -> dict[str, Any]:
    """Outcome and award of dibao, ours and the peer's, where the peer had all the evidence that it reads."""
    ours = (
        batch_vault(place).outcomes().filter(pl.col("programme") == "dibao").select("case_id", "outcome", "award_fen")
    )
    theirs = pl.scan_parquet(place.folder / "peer" / "outcomes.parquet")
    joined = ours.join(theirs, on="case_id", suffix="_peer", validate="1:1").collect(engine="in-memory")
    whole = joined.filter(~pl.col("is_open"))
    same = (pl.col("outcome") == pl.col("outcome_peer")) & pl.col("award_fen").eq_missing(pl.col("award"))
    split = whole.group_by("outcome").agg(n=pl.len(), same=same.sum()).sort("outcome")
    return {
        "households": joined.height,
        "complete": whole.height,
        "equal": int(split["same"].sum()),
        "by_outcome": {outcome: [n, equal] for outcome, n, equal in split.iter_rows()},
        "incomplete_ours": dict(joined.filter("is_open").group_by("outcome").len().sort("outcome").iter_rows()),
    }
