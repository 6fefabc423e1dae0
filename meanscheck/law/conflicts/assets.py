"""Where is one thing reported twice, or reported of somebody who did not hold it on the day?"""

from __future__ import annotations

import polars as pl

from meanscheck.law.conflicts.rows import Scene, points

WHOLE = 1_000_000
"""A share of one, in millionths."""


def _twice(rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Rows that say one thing more than once in a unit."""
    rows = rows.drop_nulls(by)
    return rows.filter(pl.len().over("unit", *by) > 1) if rows.height else rows


def duplicate_vehicle(scene: Scene) -> pl.DataFrame:
    """One vehicle in two rows."""
    rows = _twice(scene.rows("vehicles", "vehicle_token"), "vehicle_token")
    return points(rows, key=pl.col("vehicle_token"), shared=True)


def duplicate_account(scene: Scene) -> pl.DataFrame:
    """One account in two rows."""
    rows = _twice(scene.rows("bank_deposits", "bank_code", "account_token"), "bank_code", "account_token")
    return points(rows, key=pl.concat_str("bank_code", "account_token", separator="\x1f"), shared=True)


def duplicate_right(scene: Scene) -> pl.DataFrame:
    """One right in two rows whose shares cannot both be right."""
    rows = scene.rows("real_estate", "right_token", "share", "status").filter(pl.col("status") != "transferred")
    rows = _twice(rows, "right_token")
    if rows.height:
        by = ("unit", "right_token")
        unknown = pl.col("share").null_count().over(*by) > 0
        rows = rows.filter(unknown | (pl.col("share").sum().over(*by) > WHOLE))
    return points(rows, key=pl.col("right_token"), shared=True)


def owner_outside(scene: Scene) -> pl.DataFrame:
    """A right that by its own days was not the member's on the day, nor anybody else's in the unit."""
    rows = scene.rows("real_estate", "right_token", "status", "registered_on", "transferred_on")
    rows = scene.of_people(rows, "day", "role")
    later = (pl.col("registered_on") > pl.col("day")).fill_null(False)
    gone = (pl.col("transferred_on") <= pl.col("day")).fill_null(False)
    is_transferred = (pl.col("status") == "transferred").fill_null(False)
    undated = is_transferred & pl.col("transferred_on").is_null()
    holders = rows.filter(~later & ~gone & ~undated).select("unit", "right_token").drop_nulls().unique()
    wrong = rows.filter(pl.col("status") != "transferred", pl.col("role") == "member", later | gone)
    wrong = wrong.join(holders, on=["unit", "right_token"], how="anti")
    # A right without a token is told apart by its row.
    return points(wrong, key=pl.col("right_token").fill_null(pl.concat_str(pl.lit("\x1f"), pl.col("row"))))
