"""Where do the dead draw money, and where does a register not fit the household of the application?"""

from __future__ import annotations

from datetime import date

import polars as pl

from meanscheck.law.conflicts.rows import Scene, points

_HERE = ("member", "register")
"""Roles of the persons who belong to the place: members of the application and register co-residents."""


def _of_members(scene: Scene, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of members of the application."""
    return scene.of_people(rows, "role").filter(pl.col("role") == "member")


def _paid_after_death(scene: Scene, feed: str) -> pl.DataFrame:
    deaths = scene.rows("deaths", "died_on").drop_nulls("died_on")
    first = deaths.group_by("person").agg(died=pl.col("died_on").min())
    paid = scene.rows(feed, "month").join(first, on="person", how="inner").filter(pl.col("month") > pl.col("died"))
    dead = deaths.filter(pl.col("person").is_in(paid["person"].unique().implode()))
    return pl.concat([points(dead, 0), points(paid, 1)])


def dead_pensioner(scene: Scene) -> pl.DataFrame:
    """A pension for a month after the death."""
    return _paid_after_death(scene, "pensions_paid")


def dead_relief(scene: Scene) -> pl.DataFrame:
    """Relief for a month after the death."""
    return _paid_after_death(scene, "relief_paid")


def dead_applicant(scene: Scene) -> pl.DataFrame:
    """A member who had died by the application."""
    rows = _of_members(scene, scene.rows("deaths", "died_on"))
    rows = scene.of_people(rows, "applied_on", "day")
    return points(rows.filter(pl.col("died_on") <= pl.coalesce("applied_on", "day")))


# ---- marriages


def _marriages(scene: Scene) -> pl.DataFrame:
    """Rows of members with `is_latest`, and `is_here`: whether the other one belongs to the place (null: not known)."""
    rows = _of_members(scene, scene.rows("marriages", "status", "spouse_id", "registered_on"))
    here = scene.people.filter(pl.col("role").is_in(_HERE), pl.col("id").is_not_null())
    pairs = here.select("unit", pl.col("id").alias("spouse_id"), other_person="person")
    with_other = rows.join(pairs, on=["unit", "spouse_id"], how="left")
    known = with_other.filter((pl.col("other_person") != pl.col("person")).fill_null(False))
    is_here = pl.col("row").is_in(known["row"].unique().implode())
    day = pl.col("registered_on").fill_null(date.min)
    return rows.with_columns(
        is_here=pl.when(pl.col("spouse_id").is_not_null()).then(is_here),
        is_latest=day == day.max().over("person"),
    )


def married_without_spouse(scene: Scene) -> pl.DataFrame:
    """Married to somebody who is not there."""
    rows = _marriages(scene)
    return points(rows.filter(pl.col("is_latest"), pl.col("status") == "married", ~pl.col("is_here")))


def divorced_together(scene: Scene) -> pl.DataFrame:
    """Divorced from somebody who is there."""
    rows = _marriages(scene)
    return points(rows.filter(pl.col("is_latest"), pl.col("status") == "divorced", pl.col("is_here")))


def unregistered_marriage(scene: Scene) -> pl.DataFrame:
    """A spouse in the application whom no row marries."""
    rows = scene.of_people(_marriages(scene), "relation").filter(pl.col("relation") == "spouse")
    is_bound = (pl.col("status") == "married") | ((pl.col("status") == "divorced") & pl.col("is_here").fill_null(False))
    # A status that nobody stated may be the marriage.
    bound = rows.filter(is_bound.fill_null(True))["person"].unique()
    return points(rows.filter(~pl.col("person").is_in(bound.implode())))


# ---- household register


def member_not_registered(scene: Scene) -> pl.DataFrame:
    """A member whom the register knows, and not as active."""
    rows = _of_members(scene, scene.rows("household_register", "status"))
    active = rows.filter((pl.col("status") == "active").fill_null(True))["person"].unique()
    return points(rows.filter(~pl.col("person").is_in(active.implode())))


def lives_elsewhere(scene: Scene) -> pl.DataFrame:
    """A member registered in another division than the household's."""
    rows = scene.rows("household_register", "status", "division_code")
    rows = scene.of_people(_of_members(scene, rows).filter(pl.col("status") == "active"), "division")
    here, there = pl.col("division"), pl.col("division_code")
    return points(rows.filter(~here.str.starts_with(there) & ~there.str.starts_with(here)))


def _active(scene: Scene) -> pl.DataFrame:
    rows = scene.rows("household_register", "status", "household_no")
    return rows.filter(pl.col("status") == "active").drop_nulls("household_no")


def several_families(scene: Scene) -> pl.DataFrame:
    """One household number over members and over others who do not apply."""
    rows = scene.of_people(_active(scene), "role").filter(pl.col("role").is_in(_HERE))
    if rows.height:
        by = ("unit", "household_no")
        rows = rows.filter((pl.col("role") == "member").any().over(*by), (pl.col("role") == "register").any().over(*by))
    return points(rows, key=pl.col("household_no"), shared=True)


def double_register(scene: Scene) -> pl.DataFrame:
    """One person active under two household numbers."""
    rows = _active(scene)
    return points(rows.filter(pl.col("household_no").n_unique().over("person") > 1) if rows.height else rows)
