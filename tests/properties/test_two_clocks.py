"""Decisions as known on a day are the same before and after later evidence comes; withdrawn and erased is left out."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from decisions.office import DAY, PACK
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meanscheck.decisions import assess
from meanscheck.evidence import Snapshot, Store
from meanscheck.law import RulePack
from meanscheck.synth import County, county
from meanscheck.values.evidence_state import EvidenceState

HOUSEHOLDS = 12
THEN, LATER = date(2020, 7, 1), date(2020, 8, 1)
FEEDS = ("tax_income", "bank_deposits", "pensions_paid", "household_register", "vehicles", "social_insurance", "school")


@dataclass(frozen=True)
class Seen:
    """What a decision run shows: digest of all records, and each case's outcomes."""

    root: str
    outcomes: Mapping[tuple[str, str, str | None], str]


def decided(store: Store, vault: Path, snapshot: Snapshot) -> Seen:
    shutil.rmtree(vault, ignore_errors=True)
    result = assess(store, RulePack.load(PACK).on(DAY), snapshot=snapshot, vault=vault).run()
    frame = result.outcomes.collect(engine="in-memory")
    rows = frame.select("case_id", "programme", "member", "outcome").iter_rows()
    return Seen(result.records_root, {(case, p, m): outcome for case, p, m, outcome in rows})


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> County:
    return county(tmp_path_factory.mktemp("clocks"), households=HOUSEHOLDS, seed=5, style="parquet")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def written(path: Path, objects: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects), encoding="utf-8")
    return path


def corrected(sent: County, folder: Path, file: Path, how: str, keep: float, chance: random.Random) -> Path:
    """A correction of a file's answer: some of its rows, sent again under the day after."""
    rows = pl.read_parquet(file)
    some = rows.sample(n=int(rows.height * keep), seed=chance.randrange(1000))
    facts = json.loads(file.with_suffix(".manifest.json").read_text(encoding="utf-8"))
    path = folder / f"{file.stem}-again.parquet"
    some.write_parquet(path)
    facts |= {"corrects": f"NO-{file.stem}", "how": how, "answered_on": "2020-06-30"}
    path.with_suffix(".manifest.json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    return path


def taken_in(store: Store, folder: Path, file: Path) -> None:
    """A file with an answer number of its own, so that it can be corrected."""
    facts = json.loads(file.with_suffix(".manifest.json").read_text(encoding="utf-8"))
    manifest = folder / f"{file.stem}.numbered.json"
    manifest.write_text(json.dumps({**facts, "answer_no": f"NO-{file.stem}"}, ensure_ascii=False), encoding="utf-8")
    store.ingest(file.stem.split("-")[0], file, manifest=manifest)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), how=st.sampled_from(("replace", "withdraw", "amend")))
def test_what_comes_later_changes_nothing_of_what_was_known(
    sent: County, tmp_path_factory: pytest.TempPathFactory, seed: int, how: str
) -> None:
    chance, folder = random.Random(seed), tmp_path_factory.mktemp("run")
    files = [f for f in sorted(sent.inbox.glob("*.parquet")) if f.stem.split("-")[0] in FEEDS]
    chance.shuffle(files)
    first, second = files[: len(files) // 2], files[len(files) // 2 :]
    requests, consents = lines(sent.inbox / "requests.jsonl"), lines(sent.inbox / "consents.jsonl")
    with Store.open(folder / "county.duckdb", memory_limit="500MB") as store:
        store.received_on = THEN
        store.requests(written(folder / "requests.jsonl", requests[:-2]))
        store.consents(written(folder / "consents.jsonl", consents[: -len(consents) // 4]))
        for file in first:
            taken_in(store, folder, file)
        before = decided(store, folder / "a.vault", store.snapshot(known_by=THEN))
        assert before.outcomes

        store.received_on = LATER
        store.requests(written(folder / "requests.jsonl", requests))
        store.consents(written(folder / "consents.jsonl", consents))
        for file in second:
            taken_in(store, folder, file)
        for file in first[:3]:
            store.ingest(file.stem.split("-")[0], corrected(sent, folder, file, how, 0.5, chance))
            store.ingest(file.stem.split("-")[0], file, manifest=folder / f"{file.stem}.numbered.json")
        now = decided(store, folder / "b.vault", store.snapshot())
        assert now != before, "or nothing of weight came later"
        assert decided(store, folder / "c.vault", store.snapshot(known_by=THEN)) == before


def test_what_was_withdrawn_or_erased_since_is_left_out_and_said(sent: County, tmp_path: Path) -> None:
    law = RulePack.load(PACK).on(DAY)
    consents = lines(sent.inbox / "consents.jsonl")
    with Store.open(tmp_path / "county.duckdb", memory_limit="500MB") as store:
        store.received_on = THEN
        store.ingest_inbox(sent.inbox)
        day = store.snapshot(known_by=THEN)
        before = decided(store, tmp_path / "a.vault", day)
        cases = sorted({case for case, _, _ in before.outcomes})
        owner = {
            str(m["id_number"]): str(r["case_id"]) for r in lines(sent.inbox / "requests.jsonl") for m in r["members"]
        }
        one = next(c for c in consents if str(c["id_number"]) in owner)
        hit = owner[str(one["id_number"])]
        erased = next(case for case in cases if case != hit)

        store.received_on = LATER
        withdrawn = [{**c, "withdrawn_on": "2020-06-01"} for c in consents if c["id_number"] == one["id_number"]]
        store.consents(written(tmp_path / "consents.jsonl", withdrawn))
        assert store.erase_subject(str(store.subjects([erased])[0]["token"][0]), on=LATER) > 0

        again = store.snapshot(known_by=THEN)
        assert again.load == day.load and again.id != day.id
        after = decided(store, tmp_path / "b.vault", again)
        assert not any(case == erased for case, _, _ in after.outcomes)
        same = {k: v for k, v in before.outcomes.items() if k[0] not in (hit, erased)}
        assert {k: v for k, v in after.outcomes.items() if k[0] != hit} == same
        block = store.case_block(hit, {"bank_deposits": ["balance"]}, on=DAY, snapshot=again.id)
        member = block.persons.filter(block.persons["role"] == "member")
        assert EvidenceState.NO_CONSENT in member["s:bank_deposits"].to_list()
        said = assess(store, law, snapshot=again, vault=tmp_path / "c.vault").summary("en")
        assert f"but for {len(withdrawn)} consents withdrawn and 1 households erased since" in said
