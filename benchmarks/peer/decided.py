"""What comes out for a block of households: what is known decides where it can, and bounds are asked for the others."""

from __future__ import annotations

import polars as pl

from benchmarks.peer.bits import Bits
from benchmarks.peer.facts import Block
from benchmarks.peer.rules import TESTS, c, of_homes, of_members
from benchmarks.peer.undecided import looked_again

BY_BOUNDS = ("-income_value", "+income_value", "-assets", "+assets", "-assets_limit", "+assets_limit", "why")


def decided(block: Block, bits: Bits) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Households with tests, award, outcome and bounds, and members with every variable.

    A household decided by what is known has null for its bounds and `why`, and TEST:by is false or null.
    """
    members = of_members(block.members, bits)
    homes = of_homes(block, members, bits)
    is_open = homes["verdict"].is_null()
    rows = is_open.arg_true()
    if not len(rows):
        empty = [pl.lit(None, dtype=pl.Int64).alias(name) for name in BY_BOUNDS]
        return _told(homes.with_columns(*empty, *(pl.lit(False).alias(f"{name}:by") for name in TESTS))), members
    again = looked_again(homes.gather(rows), members.filter(is_open.gather(members["home"])), bits)
    place = pl.Series([None], dtype=pl.Int64).new_from_index(0, homes.height)
    place = place.scatter(rows, pl.int_range(len(rows), eager=True))
    left = again.select(*TESTS, "award", "verdict", *(f"{name}:by" for name in TESTS), *BY_BOUNDS).gather(place)
    kept = [pl.Series(name, left[name].zip_with(is_open, homes[name])) for name in (*TESTS, "award", "verdict")]
    others = [left[name] for name in (*(f"{name}:by" for name in TESTS), *BY_BOUNDS)]
    return _told(homes.with_columns(*kept, *others)), members


def _told(homes: pl.DataFrame) -> pl.DataFrame:
    """With the outcome; only who is entitled has an award."""
    eligible = pl.when(c("verdict") & c("award").is_null()).then(None).otherwise("verdict")
    return homes.with_columns(eligible=eligible).with_columns(
        outcome=pl.when("eligible")
        .then(pl.lit("eligible"))
        .when(~c("eligible"))
        .then(pl.lit("ineligible"))
        .otherwise(pl.lit("refer")),
        award=pl.when("eligible").then("award"),
        why=pl.when(c("eligible").is_null()).then("why"),
    )
