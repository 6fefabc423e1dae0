"""A made-up county in an office's store, decided: made once for all tests that look at it.

Counties are small, since two cores are shared. `reviewed` writes the complete findings of the office, so that no
doubtful point is open; without it every register hit waits for a person.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

from meanscheck.decisions import Assessment, assess
from meanscheck.evidence import IngestReport, Store
from meanscheck.law import RulePack
from meanscheck.law.law import Law
from meanscheck.synth import County, complete_findings, county

DAY = date(2020, 6, 30)
PACK = "rules/cn/guangdong/jiangmen"
REGISTER_KEYS = {
    "vehicles": "vehicle_token",
    "real_estate": "right_token",
    "business_registration": "credit_code",
}
KEYS = ["case_id", "programme", "member"]


@dataclass(frozen=True)
class Office:
    """A county's folder with store, law and assessment."""

    county: County
    intake: tuple[IngestReport, ...]
    store: Store
    law: Law
    result: Assessment

    @property
    def outcomes(self) -> pl.DataFrame:
        """case_id, programme, member, outcome String · award_fen Int64 · causes List[String]."""
        return self.result.outcomes.collect(engine="in-memory")

    @property
    def truth(self) -> pl.DataFrame:
        """The same, as the county's truth has it."""
        frame = pl.read_parquet(self.county.truth / "outcomes.parquet")
        return frame.with_columns(pl.col("programme", "outcome").cast(pl.String))

    def against_truth(self) -> pl.DataFrame:
        """Outcomes beside the truth (`outcome_true`, `award_fen_true`), in both directions."""
        return self.outcomes.join(self.truth, on=KEYS, how="full", nulls_equal=True, coalesce=True, suffix="_true")


@contextmanager
def small_county(folder: Path, *, households: int, seed: int = 5) -> Iterator[Store]:
    """The store of a small county whose inbox was taken in; nothing is decided yet."""
    made = county(folder, households=households, seed=seed, style="parquet", on=DAY)
    with Store.open(made.folder / "county.duckdb", memory_limit="500MB") as opened:
        opened.ingest_inbox(made.inbox)
        yield opened


@cache
def law_of_2020() -> Law:
    """The law of Jiangmen on the county's day."""
    return RulePack.load(PACK).on(DAY)


def doubtful_rows(store: Store) -> pl.DataFrame:
    """Every row of the three registers, as `complete_findings` wants them."""
    parts = [
        store.fetch(
            f"select '{feed}' as feed, lower(left(hex(r.digest), 16)) as row_ref, p.id_number, r.{key} "
            f"from feed_{feed} r join persons p using (person)"
        )
        for feed, key in REGISTER_KEYS.items()
    ]
    return pl.concat(parts, how="diagonal")


@cache
def office(folder: Path, *, households: int, seed: int, mess: bool, reviewed: bool) -> Office:
    """Make a county, take it in and decide every case."""
    made = county(folder, households=households, seed=seed, mess=mess)
    store = Store.open(folder / "county.duckdb", memory_limit="500MB")
    intake = store.ingest_inbox(made.inbox)
    if reviewed:
        intake.append(store.ingest("findings", complete_findings(doubtful_rows(store), folder=folder)))
    law = law_of_2020()
    return Office(made, tuple(intake), store, law, assess(store, law).run())


def clean_office(base: Path) -> Office:
    """Everything answered, every doubtful point reviewed."""
    return office(base / "clean-office", households=120, seed=11, mess=False, reviewed=True)


def messy_office(base: Path) -> Office:
    """As departments really send it; nothing reviewed yet."""
    return office(base / "messy-office", households=300, seed=5, mess=True, reviewed=False)


def records(result: Assessment) -> list[dict[str, Mapping[str, object]]]:
    """Every record of a run as the vault holds it: groups as JSON values, in the order of cases."""
    return [
        {name: json.loads(row[name]) for name in result.vault.group_names}
        for frame in result.vault.blocks()
        for row in frame.iter_rows(named=True)
    ]
