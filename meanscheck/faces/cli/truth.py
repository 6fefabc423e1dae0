"""How do decisions compare with the truth of a made-up county? Only there is the truth known.

A doubtful point (疑点) is an adverse entry of a register: *raised* when the entry reached the store, *false* when it
is no true adverse fact (a namesake, a scrapped or lent car, a revoked firm), *missed* when a true adverse fact did not
reach the store. Evidence that did not come leaves its feed unknown, so a missed fact makes nobody eligible by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

    from meanscheck.evidence import Store

REGISTERS = {"vehicles": "vehicle_token", "real_estate": "right_token", "business_registration": "credit_code"}
"""Register → the column that identifies an entry beside the person."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """One programme: how many were decided, how many of these as the truth has it, and how many amounts are equal.

    `wrongly_eligible` and `wrongly_ineligible` were decided otherwise than the truth; `referred_eligible` are truly
    eligible and wait for a person.
    """

    decided: int
    equal: int
    wrongly_eligible: int
    wrongly_ineligible: int
    award_differs: int
    referred: int
    referred_eligible: int


@dataclass(frozen=True, slots=True)
class Points:
    """Doubtful points of one register.

    `referred` counts cases that a person must look at because of them, `in_vain` those of them without a true adverse
    fact in the register; the rest counts entries.
    """

    referred: int
    in_vain: int
    raised: int
    false: int
    true: int
    missed: int


def agreement(outcomes: pl.LazyFrame, truth: Path) -> Mapping[str, Agreement]:
    """Programme → agreement.

    Args:
        outcomes: an assessment's: case_id, programme, member, outcome String, award_fen Int64.
        truth: the county's truth folder.
    """
    known = pl.scan_parquet(truth / "outcomes.parquet").with_columns(pl.col("programme", "outcome").cast(pl.String))
    keys = ["case_id", "programme", "member"]
    both = outcomes.join(known, on=keys, how="inner", nulls_equal=True, suffix="_true")
    got, true = pl.col("outcome"), pl.col("outcome_true")
    decided = got != "refer"
    counts = both.group_by("programme").agg(
        decided=decided.sum(),
        equal=(decided & (got == true)).sum(),
        wrongly_eligible=((got == "eligible") & (true == "ineligible")).sum(),
        wrongly_ineligible=((got == "ineligible") & (true == "eligible")).sum(),
        award_differs=(
            (got == "eligible") & (true == "eligible") & pl.col("award_fen").ne_missing(pl.col("award_fen_true"))
        ).sum(),
        referred=(~decided).sum(),
        referred_eligible=(~decided & (true == "eligible")).sum(),
    )
    frame = counts.sort("programme").collect(engine="in-memory")
    return {str(row.pop("programme")): Agreement(**row) for row in frame.iter_rows(named=True)}


def doubtful_points(store: Store, outcomes: pl.LazyFrame, truth: Path) -> Mapping[str, Points]:
    """Register → doubtful points, before any review."""
    entries = pl.scan_parquet(truth / "doubtful.parquet").with_columns(pl.col("feed").cast(pl.String))
    causes = outcomes.select("case_id", "causes").explode("causes")
    result: dict[str, Points] = {}
    for register, key in REGISTERS.items():
        stored = store.fetch(
            f"select distinct p.id_number, r.{key} as key from feed_{register} r join persons p using (person)"
        )
        of_register = entries.filter(pl.col("feed") == register).unique(["id_number", "key"])
        there = of_register.join(stored.lazy(), on=["id_number", "key"], how="semi")
        true = of_register.filter(pl.col("real"))
        referred = causes.filter(pl.col("causes") == f"unreviewed:{register}").select("case_id").unique()
        counted = (
            referred,
            referred.join(true, on="case_id", how="anti"),
            there,
            there.filter(~pl.col("real")),
            true,
            true.join(stored.lazy(), on=["id_number", "key"], how="anti"),
        )
        frames = pl.collect_all([part.select(pl.len()) for part in counted], engine="in-memory")
        result[register] = Points(*(frame.item() for frame in frames))
    return result
