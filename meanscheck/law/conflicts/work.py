"""Where do two departments, or a department and the applicant, give different amounts?"""

from __future__ import annotations

import polars as pl

from meanscheck.law.conflicts.kinds import DECLARED
from meanscheck.law.conflicts.rows import NO_POINTS, Scene, points, total

_DAYS = 10_000_000
"""More than there are days in the calendar."""


def wages_against_base(scene: Scene) -> pl.DataFrame:
    """Wages known to the tax office against the base of an employer's contributions, month by month."""
    insured = scene.rows("social_insurance", "month", "payer", "base").filter(
        pl.col("payer") == "employer", pl.col("base").is_not_null(), pl.col("month").is_not_null()
    )
    taxed = scene.rows("tax_income", "month", "item", "amount")
    has_rows = taxed["person"].unique().implode()
    taxed = taxed.filter(pl.col("item") == "wages", pl.col("month").is_not_null())
    # One number for person and month: grouping by it is quicker than by two columns.
    at = (pl.col("person") * _DAYS + pl.col("month").to_physical().cast(pl.Int64)).alias("at")
    insured, taxed = insured.with_columns(at), taxed.with_columns(at)
    months = (
        insured.filter(pl.col("person").is_in(has_rows))
        .group_by("at")
        .agg(pl.col("person", "month").first(), other=pl.col("base").max())
        .join(taxed.group_by("at").agg(one=total("amount"), is_there=pl.lit(True)), on="at", how="left")
    )
    # A month without a row of wages has none, if the answer reaches it.
    wages = pl.when(pl.col("is_there")).then(pl.col("one")).otherwise(0)
    months = months.with_columns(one=wages).filter(pl.col("one") != pl.col("other"))
    months = _covers(scene, months, pl.col("month"), pl.col("month").dt.month_end()).select("at", "one", "other")
    if not months.height:
        return NO_POINTS
    both = [
        points(rows.join(months, on="at", how="inner"), side, key=pl.col("month"))
        for side, rows in enumerate((taxed, insured))
    ]
    return pl.concat(both)


def _covers(scene: Scene, rows: pl.DataFrame, first: pl.Expr, last: pl.Expr) -> pl.DataFrame:
    """Rows of persons whose answer of the tax office covers a time."""
    persons = scene.block.persons
    limits = [persons[f"{end}:tax_income"].gather(rows["person"]).alias(end) for end in ("from", "to")]
    return rows.with_columns(limits).filter(
        (pl.col("from") <= first).fill_null(True) & (pl.col("to") >= last).fill_null(True)
    )


def declared_wages(scene: Scene) -> pl.DataFrame:
    """Wages declared for the window before the application against those found in it."""
    if scene.window is None:
        return NO_POINTS
    taxed = scene.rows("tax_income", "month", "item", "amount")
    has_rows = taxed["person"].unique()
    taxed = scene.of_people(taxed, "applied_on")
    after = pl.col("applied_on").dt.month_start()
    first = after.dt.offset_by(f"-{scene.window}mo")
    found = taxed.filter(pl.col("item") == "wages", pl.col("month") >= first, pl.col("month") < after)
    told = scene.rows("declaration", "item", "amount").filter(pl.col("item") == "wages")
    told = scene.of_people(told, "applied_on").filter(pl.col("applied_on").is_not_null())
    told = _covers(scene, told, first, after.dt.offset_by("-1d"))
    return _declared(told, found, "amount", has_rows)


def declared_balance(scene: Scene, kind: str) -> pl.DataFrame:
    """An amount declared against the sum found in the feed that it names."""
    feed, column = DECLARED[kind]
    told = scene.rows("declaration", "item", "amount").filter(pl.col("item") == f"{feed}.{column}")
    found = scene.rows(feed, column)
    return _declared(told, found, column, found["person"].unique())


def _declared(told: pl.DataFrame, found: pl.DataFrame, column: str, has_rows: pl.Series) -> pl.DataFrame:
    """Points of the persons whose sums differ."""
    sums = (
        told.filter(pl.col("person").is_in(has_rows.implode()))
        .group_by("person")
        .agg(one=total("amount"))
        .join(found.group_by("person").agg(other=total(column), is_there=pl.lit(True)), on="person", how="left")
        .with_columns(other=pl.when(pl.col("is_there")).then(pl.col("other")).otherwise(0))
        .filter(pl.col("one") != pl.col("other"))
        .select("person", "one", "other")
    )
    both = [points(rows.join(sums, on="person", how="inner"), side) for side, rows in enumerate((told, found))]
    return pl.concat(both)
