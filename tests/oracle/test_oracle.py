"""Does plain SQL, written from the law alone, come to the same outcomes and awards as the library?

`county.sql` reads the evidence of a whole county and knows neither rule packs nor executors. A clean county is decided
by both, once while nobody has looked into any doubtful point and once after the office has reviewed them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from meanscheck.decisions import assess
from meanscheck.evidence import Store
from meanscheck.law import RulePack
from meanscheck.synth import complete_findings, county
from meanscheck.values.data import data_dir

HOUSEHOLDS, SEED = 300, 20200630
DAY = date(2020, 6, 30)
KEY = ["case_id", "programme", "member"]
REGISTERS = {"vehicles": "vehicle_token", "real_estate": "right_token", "business_registration": "credit_code"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a clean county and its store."""
    folder = tmp_path_factory.mktemp("county")
    made = county(folder, households=HOUSEHOLDS, seed=SEED, mess=False, style="parquet", on=DAY)
    with Store.open(folder / "county.duckdb") as store:
        reports = store.ingest_inbox(made.inbox)
    assert sum(r.quarantined + r.not_covered for r in reports) == 0
    yield folder


def decided(folder: Path, *, vault: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Outcomes by the library and by SQL: case_id, programme, member, outcome String · award_fen Int64."""
    law = RulePack.load(data_dir("rules") / "cn" / "guangdong" / "jiangmen").on(DAY)
    with Store.open(folder / "county.duckdb") as store:
        outcomes = assess(store, law, vault=folder / vault).outcomes
        library = outcomes.select(*KEY, "outcome", "award_fen").collect(engine="in-memory")
    with Store.open(folder / "county.duckdb", read_only=True) as store:
        plain = store.fetch((Path(__file__).parent / "county.sql").read_text(encoding="utf-8"))
    return library, plain


def differing(library: pl.DataFrame, plain: pl.DataFrame) -> list[tuple[object, ...]]:
    """Rows that one has and the other has not, or has otherwise."""
    both = library.join(plain, on=KEY, how="full", nulls_equal=True, coalesce=True, suffix="_sql")
    same = pl.col("outcome").eq_missing(pl.col("outcome_sql")) & pl.col("award_fen").eq_missing(pl.col("award_fen_sql"))
    return both.filter(~same).sort(KEY).rows()


def counts(outcomes: pl.DataFrame) -> dict[tuple[str, str], int]:
    """How many per programme and outcome."""
    table = outcomes.group_by("programme", "outcome").agg(n=pl.len()).sort("programme", "outcome")
    return {(programme, outcome): n for programme, outcome, n in table.iter_rows()}


def test_sql_agrees_while_no_doubtful_point_is_reviewed_and_after_all_are(place: Path) -> None:
    library, plain = decided(place, vault="unreviewed")
    assert differing(library, plain) == []
    before = counts(plain)
    assert all(before[p, o] > 0 for p in ("dibao", "tekun") for o in ("eligible", "ineligible", "refer"))
    assert before["medical_relief", "refer"] > 0

    with Store.open(place / "county.duckdb") as store:
        rows = [
            store.fetch(
                f"select '{name}' as feed, lower(left(hex(digest), 16)) as row_ref, id_number, {key} "
                f"from feed_{name} join persons using (person)"
            )
            for name, key in REGISTERS.items()
        ]
        store.ingest("findings", complete_findings(pl.concat(rows, how="diagonal"), folder=place))

    library, plain = decided(place, vault="reviewed")
    assert differing(library, plain) == []
    after = counts(plain)
    assert ("dibao", "refer") not in after or after["dibao", "refer"] < before["dibao", "refer"]
    assert after["dibao", "eligible"] > 0 and after["tekun", "eligible"] > 0
