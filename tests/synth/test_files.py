"""Are the files what departments send, and does the contracts' reader take exactly what it should?"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from meanscheck.contracts import feed
from meanscheck.contracts.cast import Cast
from meanscheck.contracts.readers import cast_file
from meanscheck.errors import InputError
from meanscheck.synth import County, county
from meanscheck.synth.mess import CONSENT_RATES, HOUSEHOLD_RATES, ROW_RATES

DAY = date(2020, 6, 30)


def answers(made: County) -> list[tuple[dict[str, Any], Path]]:
    """Every manifest with its feed file."""
    found = []
    for path in sorted(made.inbox.glob("*.manifest.json")):
        stem = path.name.removesuffix(".manifest.json")
        (file,) = [p for p in made.inbox.glob(f"{stem}.*") if p != path]
        found.append((json.loads(path.read_text(encoding="utf-8")), file))
    return found


def casts(made: County) -> list[tuple[str, Cast]]:
    """Every file, read and cast as evidence would."""
    out = []
    for facts, file in answers(made):
        as_of = date.fromisoformat(facts["as_of"]) if "as_of" in facts else None
        out.append((facts["feed"], cast_file(feed(facts["feed"]), file, as_of=as_of, not_after=DAY)))
    return out


def digests(made: County) -> dict[str, str]:
    files = [path for path in made.folder.rglob("*") if path.is_file() and path.suffix != ".parquet"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    first = county(tmp_path / "a", households=120, seed=3)
    second = county(tmp_path / "b", households=120, seed=3)
    third = county(tmp_path / "c", households=120, seed=4)
    assert digests(first) == digests(second)
    assert digests(first)["requests.jsonl"] != digests(third)["requests.jsonl"]
    for name in ("outcomes", "doubtful", "mess"):
        assert pl.read_parquet(first.truth / f"{name}.parquet").equals(
            pl.read_parquet(second.truth / f"{name}.parquet")
        )


def test_mess_does_not_change_the_truth(tmp_path: Path, clean: County) -> None:
    spoilt = county(tmp_path, households=300, seed=11)
    for name in ("outcomes", "doubtful"):
        assert pl.read_parquet(spoilt.truth / f"{name}.parquet").equals(
            pl.read_parquet(clean.truth / f"{name}.parquet")
        )


@pytest.mark.parametrize("style", ["clean", "typed"])
def test_every_row_of_a_clean_county_is_accepted(style: str, request: pytest.FixtureRequest) -> None:
    made: County = request.getfixturevalue(style)
    accepted: Counter[str] = Counter()
    for name, cast in casts(made):
        assert cast.quarantined.is_empty(), name
        accepted[name] += cast.accepted.height
    assert accepted == Counter(made.rows)


def test_both_styles_say_the_same(clean: County, typed: County) -> None:
    def rows(made: County) -> dict[str, pl.DataFrame]:
        by_feed: dict[str, list[pl.DataFrame]] = {}
        for name, cast in casts(made):
            by_feed.setdefault(name, []).append(cast.accepted.drop("row_no"))
        return {name: pl.concat(frames).sort(pl.all()) for name, frames in by_feed.items()}

    ours, theirs = rows(clean), rows(typed)
    assert ours.keys() == theirs.keys()
    for name, frame in ours.items():
        assert frame.equals(theirs[name]), name


def test_the_reader_quarantines_what_was_spoilt_and_nothing_else(messy: County) -> None:
    found: Counter[str] = Counter()
    for _, cast in casts(messy):
        found.update(cast.quarantined["reason"].to_list())
    mess = messy.mess
    assert found == Counter(
        {
            "repeated_row": mess["repeated_row"],
            "bad_check_digit": mess["bad_check_digit"],
            "negative_not_allowed": mess["negative_amount"],
            "not_month": found["not_month"],
            "not_date": mess["impossible_date"] - found["not_month"],
            "formula": mess["formula"],
        }
    )


def test_spoilt_lines_are_where_the_list_says(messy: County) -> None:
    noted = pl.read_parquet(messy.truth / "mess.parquet").filter(pl.col("kind") == "negative_amount")
    for facts, file in answers(messy):
        as_of = date.fromisoformat(facts["as_of"]) if "as_of" in facts else None
        cast = cast_file(feed(facts["feed"]), file, as_of=as_of, not_after=DAY)
        lines = cast.quarantined.filter(pl.col("reason") == "negative_not_allowed")["row_no"].sort()
        assert lines.to_list() == noted.filter(pl.col("file") == file.name)["line"].sort().to_list()


def test_mess_comes_at_about_the_stated_rates(messy: County) -> None:
    rows = sum(messy.rows.values())
    for kind in ("full_width_number", "spaced_number", "repeated_row", "stranger"):
        assert messy.mess[kind] == pytest.approx(rows * ROW_RATES[kind] / 1000, rel=0.3), kind
    assert messy.mess["fifteen_digits"] <= rows * ROW_RATES["fifteen_digits"] / 1000
    assert messy.mess["silent_bank"] == pytest.approx(2000 * HOUSEHOLD_RATES["silent_bank"] / 1000, rel=0.5)
    for kind in ("consent_expired", "consent_withdrawn"):
        assert messy.mess[kind] == pytest.approx(messy.persons * CONSENT_RATES[kind] / 1000, rel=0.6), kind
    assert {"file_xlsx", "file_csv_gb18030", "file_csv_bom", "money_wan_yuan", "late_month"} <= messy.mess.keys()


def test_a_late_tax_office_stops_a_month_early_for_its_requests_only(messy: County) -> None:
    tax = [facts for facts, _ in answers(messy) if facts["feed"] == "tax_income"]
    assert sorted(facts["covers_to"] for facts in tax) == ["2020-04-30", "2020-05-31"]
    named = [set(facts["requests"]) for facts in tax]
    assert not named[0] & named[1] and len(named[0] | named[1]) == 2000


def test_a_silent_bank_is_asked_and_never_answers(messy: County) -> None:
    asked = [
        bank
        for line in (messy.inbox / "requests.jsonl").read_text(encoding="utf-8").splitlines()
        for ask in json.loads(line)["feeds"]
        for bank in ask.get("institutions", [])
    ]
    answered = {bank for facts, _ in answers(messy) for bank in facts.get("institutions", [])}
    assert set(asked) - answered == {"HXB"}
    assert asked.count("HXB") == messy.mess["silent_bank"]


def test_consents_lapse_in_three_ways(messy: County) -> None:
    lines = (messy.inbox / "consents.jsonl").read_text(encoding="utf-8").splitlines()
    consents = [json.loads(line) for line in lines]
    assert sum(c["to"] == "2020-06-29" for c in consents) == messy.mess["consent_expired"]
    assert sum(c["withdrawn_on"] is not None for c in consents) == messy.mess["consent_withdrawn"]
    assert len(consents) == messy.persons - messy.mess["consent_missing"]
    assert len({c["consent_no"] for c in consents}) == len(consents)


def test_persons_left_out_of_an_answer_have_no_row_in_it(messy: County) -> None:
    for facts, file in answers(messy):
        silent = {person["id_number"] for person in facts["not_answered"]}
        as_of = date.fromisoformat(facts["as_of"]) if "as_of" in facts else None
        cast = cast_file(feed(facts["feed"]), file, as_of=as_of, not_after=DAY)
        assert not silent & set(cast.accepted["id_number"].to_list())


def test_parts_make_one_county(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("meanscheck.synth.county"), "PART", 40)
    steps: list[tuple[int, int]] = []
    made = county(tmp_path, households=100, seed=2, mess=False, progress=lambda *at: steps.append(at))
    assert steps == [(40, 100), (80, 100), (100, 100)]
    assert {p.name for p in made.inbox.glob("vehicles-*.csv")} == {f"vehicles-00{i}.csv" for i in range(3)}
    lines = (made.inbox / "requests.jsonl").read_text(encoding="utf-8").splitlines()
    requests = [json.loads(line) for line in lines]
    assert len({request["case_id"] for request in requests}) == 100
    numbers = [p["id_number"] for request in requests for p in (*request["members"], *request["supporters"])]
    assert len(set(numbers)) == len(numbers)
    assert all(facts["requests"] == "all" for facts, _ in answers(made))


def test_two_thousand_households_take_seconds(tmp_path: Path) -> None:
    began = time.perf_counter()
    county(tmp_path, households=2000, seed=1)
    assert time.perf_counter() - began < 12  # two on an idle machine


def test_a_day_without_sourced_figures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2020"):
        county(tmp_path, households=10, seed=1, on=date(2025, 6, 30))
    with pytest.raises(InputError, match="at least one"):
        county(tmp_path, households=0, seed=1)
