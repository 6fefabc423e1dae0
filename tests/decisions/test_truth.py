"""Do decisions agree with what is true of the made-up county?

With everything answered and reviewed they are equal for every household. With the mess of real files a decision may be
left to a person, and never contradicts the truth.
"""

from __future__ import annotations

from collections import Counter

import polars as pl
import pytest

from meanscheck.decisions import check

from .office import KEYS, REGISTER_KEYS, Office


def test_a_reviewed_county_is_decided_as_the_truth_has_it(clean: Office) -> None:
    both = clean.against_truth()
    assert both.height == clean.truth.height == clean.outcomes.height
    wrong = both.filter(
        pl.col("outcome").ne_missing(pl.col("outcome_true")) | pl.col("award_fen").ne_missing(pl.col("award_fen_true"))
    )
    assert wrong.select(*KEYS, "outcome", "outcome_true").rows() == []


def test_the_county_shows_every_outcome(clean: Office) -> None:
    found = set(clean.outcomes.select("programme", "outcome").iter_rows())
    assert found >= {(p, o) for p in ("dibao", "tekun") for o in ("eligible", "ineligible")}
    # The ratio of medical relief in 2020 was not found, so whoever has own costs is referred.
    assert {o for p, o in found if p == "medical_relief"} == {"ineligible", "refer"}


def test_a_reviewed_county_leaves_only_the_missing_figures_open(clean: Office) -> None:
    causes = set(clean.outcomes.filter(pl.col("outcome") == "refer")["causes"].explode())
    assert causes == {"parameter:medical.ratio", "parameter:medical.is_capped"}


def test_what_is_decided_in_a_messy_county_is_true(messy: Office) -> None:
    both = messy.against_truth()
    assert both.height == messy.truth.height == messy.outcomes.height
    decided = both.filter(pl.col("outcome") != "refer")
    wrong = decided.filter(
        (pl.col("outcome") != pl.col("outcome_true")) | pl.col("award_fen").ne_missing(pl.col("award_fen_true"))
    )
    assert wrong.select(*KEYS, "outcome", "outcome_true").rows() == []


def test_what_is_referred_in_a_messy_county_has_a_cause(messy: Office) -> None:
    left = messy.outcomes.filter(pl.col("outcome") == "refer")
    assert left.filter(pl.col("causes").list.len() == 0).rows() == []
    assert left["award_fen"].null_count() == left.height


HARMLESS = {"repeated_row", "stranger", "bad_check_digit", "fifteen_digits"}
"""Disorder that takes nothing away: other spellings, and rows beside the right ones."""
HARMLESS_PREFIXES = ("dates_", "file_", "money_", "full_width", "spaced", "lower_case")


def kinds_of(causes: pl.Series) -> set[str]:
    """Kinds of cause (`no_consent`) in lists of causes (`no_consent:bank_deposits`)."""
    return {c.partition(":")[0] for c in causes.explode().drop_nulls()}


def test_referrals_in_a_messy_county_follow_from_its_mess(messy: Office) -> None:
    dibao = messy.outcomes.filter((pl.col("programme") == "dibao") & (pl.col("outcome") == "refer"))
    gaps = {"no_consent", "no_answer", "not_covered", "conflicting", "unreviewed"}
    # `outcome` says that tekun is open, whose own causes are listed with it.
    assert kinds_of(dibao["causes"]) <= gaps | {"outcome"}
    # Each harmful place hits one person of one household, and so does each doubtful point.
    harmful = sum(
        n for kind, n in messy.county.mess.items() if kind not in HARMLESS and not kind.startswith(HARMLESS_PREFIXES)
    )
    points = pl.read_parquet(messy.county.truth / "doubtful.parquet")["case_id"].n_unique()
    assert 0 < dibao.height <= harmful + points


def test_print_how_much_is_referred_and_why(messy: Office, capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    for programme in ("dibao", "tekun", "medical_relief"):
        own = messy.outcomes.filter(pl.col("programme") == programme)
        left = own.filter(pl.col("outcome") == "refer")
        kinds = Counter(kind for causes in left["causes"] for kind in kinds_of(causes))
        top = ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items(), key=lambda x: (-x[1], x[0])))
        lines.append(f"{programme}: {left.height} of {own.height} referred ({left.height / own.height:.1%}): {top}")
    for register, points in doubtful(messy).items():
        lines.append(f"{register}: " + ", ".join(f"{name} {n}" for name, n in points.items()))
    with capsys.disabled():
        print("", *lines, sep="\n  ")
    assert len(lines) == 6


def doubtful(office: Office) -> dict[str, dict[str, int]]:
    """Register → true adverse entries, how many of them are missed, points raised, how many of them are false."""
    truth = pl.read_parquet(office.county.truth / "doubtful.parquet").with_columns(pl.col("feed").cast(pl.String))
    result: dict[str, dict[str, int]] = {}
    for register, key in REGISTER_KEYS.items():
        stored = office.store.fetch(
            f"select distinct p.id_number, r.{key} as key from feed_{register} r join persons p using (person)"
        )
        own = truth.filter(pl.col("feed") == register)
        there = own.join(stored, on=["id_number", "key"], how="semi")
        result[register] = {
            "true": own.filter("real").height,
            "missed": own.filter("real").height - there.filter("real").height,
            "raised": there.height,
            "false": there.filter(~pl.col("real")).height,
        }
    return result


def test_a_missed_doubtful_point_is_never_an_award(messy: Office) -> None:
    """A true car that did not reach the store leaves its feed unknown, so the household is not decided as eligible."""
    truth = pl.read_parquet(messy.county.truth / "doubtful.parquet").filter("real")
    eligible = messy.outcomes.filter((pl.col("programme") == "dibao") & (pl.col("outcome") == "eligible"))
    member_owned = messy.against_truth().filter(
        (pl.col("programme") == "dibao") & (pl.col("outcome_true") == "ineligible")
    )
    assert truth.height
    assert eligible.join(member_owned, on="case_id", how="semi").height == 0


def test_the_report_names_the_rows_a_finding_settles(messy: Office) -> None:
    """Doubtful points of `check` are rows of the three registers, by the reference that the feed `findings` takes."""
    refs = set(
        messy.store.fetch(
            " union all ".join(f"select lower(left(hex(digest), 16)) as ref from feed_{f}" for f in REGISTER_KEYS)
        )["ref"]
    )
    with_points = messy.outcomes.filter(pl.col("causes").list.contains("unreviewed:vehicles"))["case_id"][:3]
    assert len(with_points) == 3
    requests = messy.store.fetch("select request_no from requests where case_id in (?, ?, ?)", with_points.to_list())
    found = [i for number in requests["request_no"] for i in check(messy.store, number).items if i.doubtful]
    assert found
    assert {i.feed for i in found} <= set(REGISTER_KEYS)
    assert {ref for i in found for ref in i.doubtful} <= refs
