"""Which evidence is worth waiting for? Feeds without an answer, by how many households each would settle.

A household is referred for its causes, and under a law that uses bounds these are only such as could still change the
outcome. One whose causes all concern one feed waits for that feed alone: its answer settles the case, whatever it says,
unless the answer itself raises a doubt. What waits for a figure of the law waits for no feed.

    feed String · state String (a cause's kind, such as no_answer, stale, unreviewed) ·
    alone Int64: households with a decision that waits for nothing but this feed ·
    part Int64: households with a decision that waits for this feed, among other things or alone
"""

from __future__ import annotations

from collections import Counter

import polars as pl

STATES = ("no_answer", "no_consent", "not_requested", "stale", "conflicting", "not_covered", "unreviewed")
"""Kinds of causes whose subject is a feed that somebody is to answer, or to look at."""
WAITING: dict[str, pl.DataType] = {
    "feed": pl.String(),
    "state": pl.String(),
    "alone": pl.Int64(),
    "part": pl.Int64(),
}
_FOLLOWS = "outcome"
"""Another programme is undecided: for causes that stand beside it."""


def waits(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Who waits for what in a block of whole households, as `WAITING`, in no order.

    Args:
        outcomes: case_id, outcome String · causes List[String].
    """
    causes = (
        outcomes.filter(pl.col("outcome") == "refer")
        .select("case_id", "causes")
        .with_row_index("decision")
        .explode("causes")
        .with_columns(pl.col("causes").str.splitn(":", 2).struct.rename_fields(["state", "feed"]))
        .unnest("causes")
        .filter(pl.col("state") != _FOLLOWS)
    )
    is_feed = pl.col("state").is_in(STATES)
    marked = causes.with_columns(
        is_feed=is_feed,
        is_alone=(is_feed.all() & (pl.col("feed").n_unique() == 1)).over("decision"),
    )
    households = marked.filter("is_feed").group_by("feed", "state", "case_id").agg(pl.col("is_alone").any())
    return households.group_by("feed", "state").agg(
        alone=pl.col("is_alone").sum().cast(pl.Int64), part=pl.len().cast(pl.Int64)
    )


def ranked(alone: Counter[tuple[str, str]], part: Counter[tuple[str, str]]) -> pl.DataFrame:
    """Counts by (feed, state) as `WAITING`, what settles most first."""
    rows = sorted(((f, s, alone[f, s], n) for (f, s), n in part.items()), key=lambda r: (-r[2], -r[3], r[0], r[1]))
    return pl.DataFrame(rows, schema=WAITING, orient="row")
