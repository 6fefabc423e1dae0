"""The same evidence and law give the same records root, however it was sent, taken in, cut or computed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from decisions.office import DAY, PACK

from meanscheck.decisions import assess
from meanscheck.decisions.kernel import Engine
from meanscheck.engines import Pool
from meanscheck.evidence import Store
from meanscheck.law import RulePack
from meanscheck.synth import County, county

HOUSEHOLDS = 60


@dataclass(frozen=True)
class Facts:
    """What must not depend on how it was done."""

    batches: tuple[str, ...]
    snapshot: str
    records_root: str
    inputs: Mapping[str, str]
    outcomes: Mapping[str, int]


def facts_of(store: Store, vault: Path, *, block_units: int = 50_000, engine: Engine | None = None) -> Facts:
    result = assess(store, RulePack.load(PACK).on(DAY), vault=vault, block_units=block_units, engine=engine).run()
    inputs = {
        json.loads(row["subject"])["case"]: json.loads(row["evidence"])["input"]
        for frame in result.vault.blocks()
        for row in frame.iter_rows(named=True)
    }
    assert len(inputs) == HOUSEHOLDS
    return Facts(
        batches=tuple(store.fetch("select batch_id from batches order by all")["batch_id"]),
        snapshot=result.snapshot.id,
        records_root=result.records_root,
        inputs=inputs,
        outcomes={f"{p} {o}": n for (p, o), n in sorted(result.counts.items())},
    )


def take_in(inbox: Path, path: Path, *, threads: int = 2, backwards: bool = False) -> Store:
    store = Store.open(path, memory_limit="500MB", threads=threads)
    store.requests(inbox / "requests.jsonl")
    store.consents(inbox / "consents.jsonl")
    files = sorted(inbox.glob("*.parquet"), reverse=backwards)
    assert files
    for file in files:
        store.ingest(file.stem.split("-")[0], file)
    return store


def shuffle(inbox: Path, into: Path) -> None:
    """The same files with their rows and lines in another order."""
    order = random.Random(3)
    into.mkdir()
    for file in inbox.iterdir():
        if file.suffix == ".parquet":
            pl.read_parquet(file).sample(fraction=1.0, shuffle=True, seed=order.randrange(1000)).write_parquet(
                into / file.name
            )
        elif file.suffix == ".jsonl":
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
            order.shuffle(lines)
            (into / file.name).write_text("".join(lines), encoding="utf-8")
        else:
            (into / file.name).write_bytes(file.read_bytes())


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> County:
    """A messy county whose files are Parquet, so that rows are easily put into another order."""
    return county(tmp_path_factory.mktemp("sent"), households=HOUSEHOLDS, seed=23, style="parquet")


@pytest.fixture(scope="module")
def straight(sent: County) -> tuple[Store, Facts]:
    store = take_in(sent.inbox, sent.folder / "straight.duckdb")
    return store, facts_of(store, sent.folder / "straight.vault")


def test_rows_and_files_in_another_order_change_nothing(sent: County, straight: tuple[Store, Facts]) -> None:
    shuffle(sent.inbox, sent.folder / "shuffled")
    with take_in(sent.folder / "shuffled", sent.folder / "shuffled.duckdb", backwards=True) as store:
        assert facts_of(store, sent.folder / "shuffled.vault") == straight[1]


@pytest.mark.parametrize("block_units", [7, 50])
def test_blocks_of_another_size_change_nothing(
    sent: County, straight: tuple[Store, Facts], tmp_path: Path, block_units: int
) -> None:
    store, expected = straight
    assert facts_of(store, tmp_path, block_units=block_units) == expected


def test_two_processes_give_what_one_gives(straight: tuple[Store, Facts], tmp_path: Path) -> None:
    store, expected = straight
    assert facts_of(store, tmp_path, block_units=13, engine=Pool(2)) == expected


SCRIPT = """
import json, sys
from dataclasses import asdict
from pathlib import Path
import polars as pl
from properties.test_determinism import facts_of, take_in
folder = Path(sys.argv[1])
with take_in(folder / "inbox", folder / "one.duckdb", threads=1) as store:
    facts = asdict(facts_of(store, folder / "one.vault"))
print(json.dumps({"threads": pl.thread_pool_size(), **facts}))
"""


def test_one_thread_gives_what_several_give(sent: County, straight: tuple[Store, Facts]) -> None:
    here = Path(__file__).parent.parent
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(sent.folder)],
        env={**os.environ, "POLARS_MAX_THREADS": "1", "PYTHONPATH": f"{here}{os.pathsep}{here.parent}"},
        cwd=here.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    got: dict[str, Any] = json.loads(run.stdout)
    assert got.pop("threads") == 1
    assert Facts(**{**got, "batches": tuple(got["batches"])}) == straight[1]


def test_another_run_in_the_same_store_gives_the_same_batch(straight: tuple[Store, Facts], tmp_path: Path) -> None:
    store, _ = straight
    law = RulePack.load(PACK).on(DAY)
    first, second = (assess(store, law, vault=tmp_path / name).run() for name in ("a", "b"))
    assert first.batch_id == second.batch_id
    assert first.records_root == second.records_root
    for one, two in zip(first.vault.blocks(), second.vault.blocks(), strict=True):
        assert one.equals(two)  # tokens too: they are drawn once and kept
