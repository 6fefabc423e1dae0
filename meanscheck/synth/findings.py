"""What does the office find out about each doubtful point (疑点)? The complete review of a county, from its truth.

Row digests are known only after ingest, so this comes later: a report lists the doubtful rows, the truth says which
are real, and the feed `findings` says confirmed, explained or disregarded (核减后视为无) for each.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl

from meanscheck.contracts import feed
from meanscheck.errors import FeedError
from meanscheck.synth.inbox import manifest
from meanscheck.synth.record import KEYS


def complete_findings(report: pl.DataFrame, *, folder: Path) -> Path:
    """Write the feed `findings` for all doubtful points of a report.

    Args:
        report: feed String · row_ref String (16 hexadecimal characters) · id_number String (normalised) · and the
        rows' natural
            keys as String columns `vehicle_token`, `right_token`, `credit_code` (null or missing where another feed
            is meant). Other columns are ignored. A row that the truth does not list tells a true fact and is
            confirmed.
        folder: the county's folder.

    Returns:
        The feed file, in the county's inbox, with its manifest beside it.

    Raises:
        FeedError: the report lacks a column.
    """
    missing = [name for name in ("feed", "row_ref", "id_number") if name not in report.columns]
    if missing:
        raise FeedError(f"the report has no column {missing[0]}", where="report", remedy="Take it from the store")
    on = date.fromisoformat(json.loads((folder / "truth" / "county.json").read_text(encoding="utf-8"))["on"])
    keys: list[pl.Expr] = [pl.lit(None, pl.String)]
    keys += [pl.when(pl.col("feed") == f).then(pl.col(name)) for f, name in KEYS.items() if name in report.columns]
    key = pl.coalesce(keys)
    points = report.select(pl.col("feed", "row_ref", "id_number").cast(pl.String), key=key.cast(pl.String)).unique(
        maintain_order=True
    )
    noise = pl.read_parquet(folder / "truth" / "doubtful.parquet").filter(~pl.col("real"))
    noise = noise.select("feed", "id_number", "key", "reason").unique()
    judged = points.join(noise, on=["feed", "id_number", "key"], how="left").sort("feed", "row_ref", "id_number")
    real = pl.col("reason").is_null()
    verdict = pl.when(real).then(pl.lit("confirmed")).when(pl.col("reason") == "namesake").then(pl.lit("explained"))
    rows = judged.select(
        "id_number",
        "feed",
        "row_ref",
        verdict=verdict.otherwise(pl.lit("disregarded")),
        reason_code=pl.col("reason").fill_null("true"),
        decided_on=pl.lit(str(on)),
        officer=pl.lit("S001"),
    )
    path = folder / "inbox" / "findings.csv"
    rows.write_csv(path)
    facts = manifest(feed("findings"), on=on, requests=None)
    path.with_name("findings.manifest.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    return path
