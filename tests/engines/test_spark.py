"""Spark decides and seals as one process does, however evidence reaches its tasks and whatever becomes of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from decisions.office import DAY, PACK, small_county

from meanscheck.decisions import Assessment, assess
from meanscheck.decisions.kernel import DoneBlock, Engine, Kernel
from meanscheck.engines import Spark, executing, in_catalog
from meanscheck.engines.session import JAVA, java_version
from meanscheck.errors import InternalError, MeanscheckError, StoreError
from meanscheck.evidence import Projection, Store
from meanscheck.evidence.key import StoreKey
from meanscheck.law import RulePack
from meanscheck.law.law import Law
from meanscheck.ledger import GROUPS, Ledger, Sealed, Signer, bulk, verify
from meanscheck.replay import replay

from .determined import VALUE, Faulty, FixedSalts, Lacking, Once, Refusing

pytestmark = [
    pytest.mark.skipif(
        None in (find_spec("pyspark"), find_spec("pyarrow"), find_spec("pandas")), reason="needs meanscheck[spark]"
    ),
    pytest.mark.skipif((java_version() or 0) < JAVA, reason=f"Spark needs Java {JAVA} or later"),
]

HOUSEHOLDS = 24
BLOCK = 6
ORIGIN = "county.example/relief"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    tests = Path(__file__).parent.parent
    with pytest.MonkeyPatch.context() as patch:
        # Tasks import the kernels of `determined`; two attempts, which Spark has on one machine only if told so.
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (tests, tests.parent))))
        patch.delenv("POLARS_MAX_THREADS", raising=False)
        engine = Spark.local(
            settings={
                "spark.master": "local[2,2]",
                "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
                "spark.log.level": "OFF",
                # Compiled plans pay for many rows, and these are few.
                "spark.sql.codegen.wholeStage": "false",
            }
        )
        with engine:
            yield engine.session


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with small_county(tmp_path_factory.mktemp("spark"), households=HOUSEHOLDS) as opened:
        yield opened


@pytest.fixture(scope="module")
def law() -> Law:
    return RulePack.load(PACK).on(DAY)


@pytest.fixture(scope="module")
def projection(store: Store) -> Projection:
    return store.project(store.snapshot(), on=DAY)


@pytest.fixture(scope="module")
def copy(projection: Projection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy") / "county.parquet"
    projection.export(folder)
    return folder


def sealed_by(engine: Engine | None, store: Store, law: Law, folder: Path) -> tuple[Assessment, Ledger, Sealed]:
    """Decided and sealed with salts that are the same in every run."""
    ledger = Ledger.open(folder / "ledger", signer=Signer.generate(ORIGIN))
    result = assess(store, law, vault=folder / "vault", block_units=BLOCK, engine=engine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "Seal", FixedSalts)
        sealed = ledger.append(result)
    return result, ledger, sealed


@dataclass(frozen=True)
class Facts:
    """What must not depend on who worked."""

    records_root: str
    batch_root: str
    leaves: tuple[bytes, ...]
    totals: object
    outcomes: list[tuple[object, ...]]


def facts_of(result: Assessment, ledger: Ledger, sealed: Sealed) -> Facts:
    assert ledger.check() == sealed.size  # every hash of every level, out of the entries
    return Facts(
        result.records_root,
        sealed.root,
        tuple(ledger.entry(sealed.first_index + n) for n in range(sealed.count)),
        result._total,
        result.outcomes.collect(engine="in-memory").rows(),
    )


@pytest.fixture(scope="module")
def expected(store: Store, law: Law, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    found = facts_of(*sealed_by(None, store, law, tmp_path_factory.mktemp("one")))
    assert len(found.leaves) == HOUSEHOLDS and len(found.outcomes) > HOUSEHOLDS
    return found


def test_tasks_that_open_the_projection_seal_the_root_of_one_process(
    session: Any, store: Store, law: Law, expected: Facts, tmp_path: Path
) -> None:
    result, ledger, sealed = sealed_by(Spark(session), store, law, tmp_path)
    assert facts_of(result, ledger, sealed) == expected
    assert not (result.vault.folder / "attempts").exists()


def test_rows_through_spark_in_any_order_and_partitions_seal_the_root_of_one_process(
    session: Any, store: Store, law: Law, expected: Facts, copy: Path, tmp_path: Path
) -> None:
    session.sql("create database county")
    for place in sorted(copy.iterdir()):
        shuffled = pl.read_parquet(place / "*.parquet").sample(fraction=1.0, shuffle=True, seed=7)
        (tmp_path / place.name).mkdir()
        for n, part in enumerate(shuffled.iter_slices(-(-shuffled.height // 2) or 1)):
            part.write_parquet(tmp_path / place.name / f"{n}.parquet")
        if shuffled.height:  # what has no rows is not asked for
            session.sql(f"create table county.{place.name} using parquet location '{tmp_path / place.name}'")
    engine = Spark(session, tables=in_catalog(session, "county"))
    assert facts_of(*sealed_by(engine, store, law, tmp_path)) == expected


@pytest.mark.parametrize("block_units", [5, 24])
def test_blocks_of_another_size_change_nothing(
    session: Any, store: Store, law: Law, expected: Facts, copy: Path, tmp_path: Path, block_units: int
) -> None:
    result = assess(
        store, law, vault=tmp_path / "vault", block_units=block_units, engine=Spark(session, copy=copy)
    ).run()
    assert (result.records_root, result._total) == (expected.records_root, expected.totals)
    assert result.outcomes.collect(engine="in-memory").rows() == expected.outcomes


@dataclass(frozen=True)
class With:
    """Spark that works another kernel."""

    session: Any
    kernel: type[Kernel]
    processes: int = 1

    def run(self, kernel: Kernel, projection: Projection, ranges: Sequence[range]) -> Iterator[DoneBlock]:
        other = self.kernel(kernel.law_text, kernel.snapshot, kernel.vault, kernel.seal)
        return Spark(self.session).run(other, projection, ranges)


def test_a_task_that_is_tried_twice_leaves_one_set_of_salts_and_receipts_that_hold(
    session: Any, store: Store, law: Law, tmp_path: Path
) -> None:
    ledger = Ledger.open(tmp_path / "ledger", signer=Signer.generate(ORIGIN))
    result = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK, engine=With(session, Once))
    sealed = ledger.append(result)
    assert (tmp_path / "vault" / "tried").exists()
    cases = store.fetch("select distinct case_id from requests order by case_id")["case_id"].to_list()
    assert sealed.count == len(cases) == HOUSEHOLDS
    for place, case in enumerate(cases):
        held = result.held(case)
        assert held.index == sealed.first_index + place and held.leaf is not None and held.salts is not None
        text = ledger.receipt(held.index, held.leaf, held.groups, held.salts, disclose=GROUPS)
        assert verify(text.encode(), policy=ledger.policy()).groups["subject"]["case"] == case
        if place == BLOCK:
            receipt = tmp_path / "seventh.tlog-proof"
            receipt.write_text(text)
            replay(receipt, store=store).raise_for_difference()
    assert sorted(file.name for file in result.vault.folder.iterdir()) == [
        "closed.json",
        *(f"finished-{block:05d}" for block in range(4)),
        *(f"outcomes-{block:05d}.parquet" for block in range(4)),
        "plan.json",
        *(f"records-{block:05d}.parquet" for block in range(4)),
        "run.lock",
        *(f"seals-{block:05d}.parquet" for block in range(4)),
    ]


def test_a_run_that_broke_off_is_gone_on_with_by_spark_and_by_others(
    session: Any, store: Store, law: Law, expected: Facts, tmp_path: Path
) -> None:
    broken = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK, engine=With(session, Lacking))
    with pytest.raises(StoreError, match="the last block"):
        broken.run()
    finished = [int(file.name[-5:]) for file in broken.vault.folder.glob("finished-*")]
    assert finished and 3 not in finished
    shutil.copytree(tmp_path / "vault", tmp_path / "other" / "vault")
    for name in ("vault.household-keys", "keys"):
        source = tmp_path / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / "other" / name)
    for folder, engine in ((tmp_path, Spark(session)), (tmp_path / "other", None)):
        result = assess(store, law, vault=folder / "vault", block_units=BLOCK, engine=engine).run()
        assert result.kept == BLOCK * len(finished)
        assert (result.records_root, result._total) == (expected.records_root, expected.totals)


@pytest.mark.parametrize(
    ("kernel", "kind", "words"),
    [
        (Faulty, InternalError, "unforeseen ValueError in a Spark task"),
        (Refusing, StoreError, "refused: look at the second shelf"),
    ],
)
def test_a_fault_reaches_the_caller_without_values(
    session: Any, store: Store, law: Law, tmp_path: Path, kernel: type[Kernel], kind: type[MeanscheckError], words: str
) -> None:
    result = assess(store, law, vault=tmp_path / "vault", block_units=20, engine=With(session, kernel))
    with pytest.raises(kind) as caught:
        result.run()
    assert str(caught.value) == words
    # What Spark itself says, and logs.
    assert words in str(caught.value.__context__) and str(VALUE) not in str(caught.value.__context__)
    assert result.vault.closed() is None and not (result.vault.folder / "attempts").exists()


def test_other_versions_are_refused(
    session: Any, store: Store, law: Law, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = executing.versions()
    monkeypatch.setattr(executing, "versions", lambda: {**here, "polars": "1.0.0"})
    result = assess(store, law, vault=tmp_path / "vault", engine=Spark(session))
    with pytest.raises(StoreError, match=rf"polars {here['polars']} \(driver: 1\.0\.0\)"):
        result.run()


def test_tables_of_another_projection_are_refused(session: Any, store: Store, law: Law, tmp_path: Path) -> None:
    mark = session.createDataFrame([("0" * 64,)], "key string")
    result = assess(store, law, vault=tmp_path / "vault", engine=Spark(session, tables=lambda name: mark))
    with pytest.raises(StoreError, match="another projection"):
        result.run()


def test_rows_of_an_encrypted_store_do_not_pass_through_a_spark_that_writes_them_in_the_clear(
    session: Any, store: Store, law: Law, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = assess(store, law, vault=tmp_path / "vault", engine=Spark(session, tables=lambda name: None))
    monkeypatch.setattr(store, "key", StoreKey(bytes(32)))
    with pytest.raises(StoreError, match=r"set spark\.io\.encryption\.enabled, or leave"):
        result.run()


def test_what_spark_cannot_read_is_told_by_its_kind(session: Any, store: Store, law: Law, tmp_path: Path) -> None:
    engine = Spark(session, tables=in_catalog(session, "nowhere"))
    with pytest.raises(StoreError, match=r"\(AnalysisException, TABLE_OR_VIEW_NOT_FOUND\)"):
        assess(store, law, vault=tmp_path / "vault", engine=engine).run()
