"""What tasks do with the rows that reach them: none is lost, none counted twice, and no block decided from a part."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl
import pytest
from decisions.office import DAY, PACK, small_county
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from meanscheck.decisions.encode import input_needs
from meanscheck.decisions.kernel import Counts, InOrder, Kernel
from meanscheck.decisions.record import GROUPS
from meanscheck.engines import executing
from meanscheck.engines.executing import Duty, Gathering, Packing, Reading, check, versions
from meanscheck.engines.spark import check_rows
from meanscheck.errors import StoreError
from meanscheck.evidence import Projection, Store
from meanscheck.evidence.parquet import PART
from meanscheck.evidence.relations import Relation, relations_of, states_of
from meanscheck.law import RulePack
from meanscheck.ledger import Seal, merkle
from meanscheck.ledger.commitment import Leaf, commit
from meanscheck.vault import DeploymentKey, Safe, attempts

pytestmark = pytest.mark.skipif(find_spec("pyarrow") is None, reason="needs meanscheck[spark]")

HOUSEHOLDS = 12
RANGES = (range(5), range(5, 10), range(10, 12))


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks set this where it is not set."""
    monkeypatch.setenv("POLARS_MAX_THREADS", "2")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with small_county(tmp_path_factory.mktemp("executing"), households=HOUSEHOLDS) as opened:
        yield opened


@pytest.fixture(scope="module")
def projection(store: Store) -> Projection:
    return store.project(store.snapshot(), on=DAY)


@pytest.fixture
def kernel(projection: Projection, tmp_path: Path) -> Kernel:
    vault = Safe.open(tmp_path / "vault", key=DeploymentKey(bytes(32)), make=True).batch("batch", GROUPS)
    vault.begin()
    attempts.expect(vault)
    return Kernel(RulePack.load(PACK).on(DAY).canonical.decode(), projection.snapshot.id, vault)


def unlock() -> DeploymentKey:
    return DeploymentKey(bytes(32))


Rows: TypeAlias = list[tuple[Relation, pl.DataFrame]]


@pytest.fixture(scope="module")
def rows(projection: Projection, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What the law of the kernel reads, as a cluster has it: small integers widened, rows in no order."""
    folder = tmp_path_factory.mktemp("copy") / "county.parquet"
    projection.export(folder)
    found = []
    for relation in relations_of(projection, input_needs(RulePack.load(PACK).on(DAY))):
        frame = pl.read_parquet(folder / relation.name / PART, columns=list(relation.schema))
        wide = frame.cast({pl.UInt8: pl.Int16, pl.UInt32: pl.Int64})
        found.append((relation, wide.sample(fraction=1.0, shuffle=True, seed=11)))
    return found


def batches(frame: pl.DataFrame, *, of: int) -> Iterator[Any]:
    for part in frame.iter_slices(of):
        yield from part.to_arrow(compat_level=pl.CompatLevel.oldest()).to_batches()


def pieces_of(rows: Rows) -> list[dict[str, Any]]:
    """Rows of `PIECE`, shuffled but for their block."""
    found: list[dict[str, Any]] = []
    for source, (relation, frame) in enumerate(rows):
        packing = Packing(source, relation.name, tuple(units.start for units in RANGES), HOUSEHOLDS)
        for piece in packing(batches(frame, of=7)):
            found += piece.to_pylist()
    random.Random(5).shuffle(found)
    return sorted(found, key=lambda piece: int(piece["number"]))


def gathered(kernel: Kernel, projection: Projection, rows: Rows) -> list[dict[str, Any]]:
    """Rows of `RESULT`."""
    import pyarrow as pa

    task = Gathering.of(
        Duty.of(kernel, unlock),
        [relation for relation, _ in rows],
        states_of(projection),
        feeds=tuple(projection.rows),
        ranges=RANGES,
    )
    schema = pa.schema([("number", pa.int32()), ("source", pa.int32()), ("rows", pa.binary())])
    table = pa.Table.from_pylist(pieces_of(rows), schema=schema)
    return [row for done in task(iter(table.to_batches(max_chunksize=9))) for row in done.to_pylist()]


def test_blocks_of_gathered_rows_are_those_of_the_projection(
    kernel: Kernel, projection: Projection, rows: Rows, tmp_path: Path
) -> None:
    done = gathered(kernel, projection, rows)
    check_rows((row["rows"] for row in done), [relation for relation, _ in rows])
    vault = Safe.open(tmp_path / "other", key=unlock(), make=True).batch("batch", GROUPS)
    vault.begin()
    straight = list(InOrder().run(replace(kernel, vault=vault), projection, RANGES))
    assert [(row["number"], row["units"], row["digests"]) for row in done] == [
        (number, block.units, block.digests) for number, block in enumerate(straight)
    ]
    assert [Counts.from_json(json.loads(row["counts"])) for row in done] == [block.counts for block in straight]
    assert {row["hashes"] for row in done} == {b""}
    for row in done:
        attempts.accept(kernel.vault, row["attempt"], row["number"])
    for one, other in zip(kernel.vault.blocks(purpose="log"), vault.blocks(purpose="log"), strict=True):
        assert_frame_equal(one, other)


def test_of_two_results_of_a_block_either_stands_by_itself(kernel: Kernel, projection: Projection) -> None:
    # As if Spark had tried a task in two places, and the one whose result it did not take had written last.
    sealing = replace(kernel, seal=Seal("batch", "0" * 64, 1))
    duty = Duty.of(sealing, unlock)
    one, other = (duty.work(projection.reader(), 0, RANGES[0], {}).to_pylist()[0] for _ in range(2))
    assert one["digests"] == other["digests"] and one["hashes"] != other["hashes"]
    attempts.accept(kernel.vault, one["attempt"], 0)
    leaves = kernel.vault.leaves(0)
    assert leaves is not None
    assert merkle.leaf_hashes(leaves) == one["hashes"]
    for held, leaf in zip(kernel.vault.rows(0, 0, len(RANGES[0]), purpose="log"), leaves, strict=True):
        assert held.salts is not None and held.leaf == leaf
        assert commit(held.groups, held.salts).hex() == Leaf.parse(leaf).commitment


def changed(rows: Rows, table: str, change: Any) -> Rows:
    assert table in {relation.name for relation, _ in rows}
    return [(relation, change(frame) if relation.name == table else frame) for relation, frame in rows]


@pytest.mark.parametrize("table", ["households", "persons", "unit_tokens", "person_tokens"])
@pytest.mark.parametrize("change", [lambda f: f.slice(1), lambda f: pl.concat([f, f.head(1)])], ids=["lost", "twice"])
def test_a_block_that_is_not_complete_is_not_decided(
    kernel: Kernel, projection: Projection, rows: Rows, table: str, change: Any
) -> None:
    with pytest.raises(StoreError, match=r"block \d lacks case units or persons, or has them twice"):
        gathered(kernel, projection, changed(rows, table, change))


@pytest.mark.parametrize("change", [lambda f: f.slice(1), lambda f: pl.concat([f, f.head(1)])], ids=["lost", "twice"])
def test_a_row_of_a_feed_that_is_lost_or_there_twice_closes_nothing(
    kernel: Kernel, projection: Projection, rows: Rows, change: Any
) -> None:
    done = gathered(kernel, projection, changed(rows, "f_tax_income", change))
    with pytest.raises(StoreError, match=r"not as many rows as the projection \(f_tax_income\); nothing was closed"):
        check_rows((row["rows"] for row in done), [relation for relation, _ in rows])


@given(
    st.lists(st.integers(0, 40), max_size=60),
    st.lists(st.integers(1, 40), unique=True, max_size=5).map(lambda firsts: (0, *sorted(firsts))),
    st.integers(1, 9),
)
def test_packing_keeps_every_row_in_its_block(units: Sequence[int], first: tuple[int, ...], width: int) -> None:
    frame = pl.DataFrame({"unit": units, "row": range(len(units))}, schema={"unit": pl.Int64, "row": pl.Int64})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executing, "_HELD_ROWS", 11)
        found = [row for piece in Packing(3, "t", first, 41)(batches(frame, of=width)) for row in piece.to_pylist()]
    blocks = [range(a, b) for a, b in zip(first, (*first[1:], 41), strict=True)]
    kept = []
    for piece in found:
        part = pl.read_ipc_stream(piece["rows"])
        assert piece["source"] == 3 and all(unit in blocks[piece["number"]] for unit in part["unit"])
        kept.append(part)
    assert_frame_equal(pl.concat([frame.clear(), *kept]).sort("row"), frame)


@pytest.mark.parametrize("unit", [None, -1, 41])
def test_a_row_of_no_unit_is_refused(unit: int | None) -> None:
    frame = pl.DataFrame({"unit": [0, unit]}, schema={"unit": pl.Int64})
    with pytest.raises(StoreError, match="table f_deaths has rows of units that the projection has not"):
        list(Packing(0, "f_deaths", (0, 20), 41)(batches(frame, of=9)))


def test_keys_do_not_travel(kernel: Kernel) -> None:
    import pickle

    sent = pickle.dumps(Duty.of(kernel, None))
    assert bytes(32) not in sent and bytes(32).hex().encode() not in sent
    assert bytes(32) in pickle.dumps(kernel)  # as it would without a duty


def test_without_a_key_where_a_task_runs_nothing_opens(
    kernel: Kernel, projection: Projection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEANSCHECK_VAULT_KEY", raising=False)
    task = Reading(Duty.of(kernel, None), projection.file, None, RANGES)
    numbers = pl.DataFrame({"id": [0]})
    with pytest.raises(StoreError, match=r"vault key vault\.key cannot be read"):
        list(task(batches(numbers, of=1)))


def test_without_the_key_of_an_encrypted_store_a_task_says_so(
    kernel: Kernel, projection: Projection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEANSCHECK_STORE_KEY", raising=False)
    task = Reading(Duty.of(kernel, unlock), projection.file, tmp_path / "county.duckdb", RANGES)
    with pytest.raises(StoreError, match="where a Spark task ran its key was not found"):
        list(task(iter(())))


def test_versions_that_differ_are_named() -> None:
    here = versions()
    assert here.keys() == {"meanscheck", "polars", "duckdb", "rule language", "feed contracts"}
    check(here)
    with pytest.raises(StoreError, match=rf"ran with duckdb {here['duckdb']} \(driver: 0\.1\): install the same"):
        check({**here, "duckdb": "0.1"})
