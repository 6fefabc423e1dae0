"""Several processes on one caseload: sealed as one process seals it, and a process that dies ends the run cleanly."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from decisions.office import DAY, PACK, small_county

from meanscheck.decisions import assess
from meanscheck.decisions.kernel import DoneBlock, Kernel
from meanscheck.engines import Pool
from meanscheck.engines.processes import in_order
from meanscheck.errors import InternalError, StoreError
from meanscheck.evidence import Projection, Reader, Store
from meanscheck.law import RulePack
from meanscheck.ledger import GROUPS, Ledger, Signer, verify

HOUSEHOLDS = 30
ORIGIN = "county.example/relief"
ALLOCATOR = "_RJEM_MALLOC_CONF"
OF_POLARS = "dirty_decay_ms:500,muzzy_decay_ms:1000"
KEEPS = "narenas:1,dirty_decay_ms:20000,muzzy_decay_ms:0"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with small_county(tmp_path_factory.mktemp("pool"), households=HOUSEHOLDS) as opened:
        yield opened


def test_what_processes_seal_proves_as_if_one_had_sealed_it(store: Store, tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger", signer=Signer.generate(ORIGIN))
    law = RulePack.load(PACK).on(DAY)
    result = assess(store, law, vault=tmp_path / "vault", block_units=7, engine=Pool(2))
    told: list[tuple[int, int]] = []
    result._progress = lambda done, units: told.append((done, units))
    sealed = ledger.append(result)
    assert sealed.count == HOUSEHOLDS
    assert told == [(n, HOUSEHOLDS) for n in (5, 10, 15, 20, 25, 30)]
    assert ledger.check() == sealed.size
    cases = store.fetch("select distinct case_id from requests order by case_id")["case_id"].to_list()
    for place, case in enumerate(cases):
        held = result.held(case)
        assert held.index == sealed.first_index + place and held.leaf is not None and held.salts is not None
        text = ledger.receipt(held.index, held.leaf, held.groups, held.salts, disclose=GROUPS)
        assert verify(text.encode(), policy=ledger.policy()).groups["subject"]["case"] == case


@dataclass(frozen=True)
class Faulty(Kernel):
    """Breaks in a way that nobody foresaw, with a value in its words."""

    def __call__(self, reader: Reader, number: int, units: range) -> DoneBlock:
        raise ValueError("440703199001010019")


@dataclass(frozen=True)
class Dying(Kernel):
    """Its process is gone at the second block, as if it had been killed for memory."""

    def __call__(self, reader: Reader, number: int, units: range) -> DoneBlock:
        if number == 1:
            os._exit(9)
        return super().__call__(reader, number, units)


@dataclass(frozen=True)
class With:
    """A pool that works another kernel."""

    kernel: type[Kernel]
    pool: Pool = field(default_factory=lambda: Pool(2))

    @property
    def processes(self) -> int:
        return self.pool.processes

    def run(self, kernel: Kernel, projection: Projection, ranges: Sequence[range]) -> Iterator[DoneBlock]:
        other = self.kernel(kernel.law_text, kernel.snapshot, kernel.vault, kernel.seal)
        return self.pool.run(other, projection, ranges)


def test_what_nobody_foresaw_reaches_the_caller_without_its_words(store: Store, tmp_path: Path) -> None:
    result = assess(store, RulePack.load(PACK).on(DAY), vault=tmp_path, block_units=7, engine=With(Faulty))
    with pytest.raises(InternalError, match="unforeseen ValueError in a worker process") as caught:
        result.run()
    assert "4407" not in str(caught.value)


def test_a_process_that_dies_ends_the_run_and_the_log_keeps_its_opening_only(store: Store, tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger", signer=Signer.generate(ORIGIN))
    law = RulePack.load(PACK).on(DAY)
    broken = assess(store, law, vault=tmp_path / "vault", block_units=7, engine=With(Dying))
    with pytest.raises(StoreError, match="worker process ended"):
        ledger.append(broken)
    assert ledger.size == 1
    whole = assess(store, law, vault=tmp_path / "vault", block_units=7)
    assert ledger.append(whole).count == HOUSEHOLDS
    assert broken.vault.closed() == whole.vault.closed()


@dataclass(frozen=True)
class Named(Kernel):
    """Leaves its process's number beside the vault."""

    def __call__(self, reader: Reader, number: int, units: range) -> DoneBlock:
        with (self.vault.folder.parent / "processes").open("a") as file:
            file.write(f"{os.getpid()}\n")
        return super().__call__(reader, number, units)


def worked_by(folder: Path) -> set[str]:
    return set((folder / "processes").read_text().split())


def test_processes_that_are_kept_work_on_one_caseload_after_another(store: Store, tmp_path: Path) -> None:
    law = RulePack.load(PACK).on(DAY)
    roots = []
    with Pool(2) as pool:
        for name in ("one", "two", "three"):
            result = assess(store, law, vault=tmp_path / name, block_units=3, engine=With(Named, pool)).run()
            roots.append(result.records_root)
    assert roots == [assess(store, law, vault=tmp_path / "alone", block_units=7).run().records_root] * 3
    assert worked_by(tmp_path / "one") == worked_by(tmp_path / "two") == worked_by(tmp_path / "three")
    assert len(worked_by(tmp_path / "one")) == 2
    assert not any(Path("/proc", pid).exists() for pid in worked_by(tmp_path / "one"))


def test_a_kept_process_that_was_killed_meanwhile_is_started_anew(store: Store, tmp_path: Path) -> None:
    law = RulePack.load(PACK).on(DAY)
    with Pool(2) as pool:
        before = assess(store, law, vault=tmp_path / "before", block_units=3, engine=With(Named, pool)).run()
        assert pool._kept is not None
        process = pool._kept._workers[0].process
        process.kill()
        process.join()
        after = assess(store, law, vault=tmp_path / "after", block_units=3, engine=With(Named, pool)).run()
    assert after.records_root == before.records_root
    assert worked_by(tmp_path / "before").isdisjoint(worked_by(tmp_path / "after"))


@pytest.mark.parametrize("broken", [Dying, Faulty])
def test_after_a_caseload_that_was_broken_off_other_processes_work(
    store: Store, tmp_path: Path, broken: type[Kernel]
) -> None:
    law = RulePack.load(PACK).on(DAY)
    with Pool(2) as pool:
        assess(store, law, vault=tmp_path / "before", block_units=3, engine=With(Named, pool)).run()
        with pytest.raises((StoreError, InternalError)):
            assess(store, law, vault=tmp_path / "broken", block_units=3, engine=With(broken, pool)).run()
        after = assess(store, law, vault=tmp_path / "after", block_units=3, engine=With(Named, pool)).run()
    assert after.records_root == assess(store, law, vault=tmp_path / "alone", block_units=7).run().records_root
    assert worked_by(tmp_path / "before").isdisjoint(worked_by(tmp_path / "after"))


def test_a_caseload_is_not_begun_by_processes_that_are_in_the_middle_of_another(store: Store, tmp_path: Path) -> None:
    law = RulePack.load(PACK).on(DAY)
    with Pool(2) as pool:
        first = assess(store, law, vault=tmp_path / "first", block_units=3, engine=pool)
        running = first._run(None)
        next(running)
        with pytest.raises(StoreError, match="work on another task"):
            assess(store, law, vault=tmp_path / "second", block_units=3, engine=pool).run()
        del running
        second = assess(store, law, vault=tmp_path / "second", block_units=3, engine=pool).run()
    assert second.records_root == first.run().records_root


@pytest.mark.parametrize("allocator", [None, "narenas:3"])
def test_the_environment_is_as_it_was(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allocator: str | None
) -> None:
    monkeypatch.setenv("POLARS_MAX_THREADS", "3")
    monkeypatch.delenv(ALLOCATOR, raising=False)
    if allocator is not None:
        monkeypatch.setenv(ALLOCATOR, allocator)
    law = RulePack.load(PACK).on(DAY)
    assess(store, law, vault=tmp_path, block_units=20, engine=Pool(2)).run()
    assert (os.environ["POLARS_MAX_THREADS"], os.environ.get(ALLOCATOR)) == ("3", allocator)


@dataclass(frozen=True)
class Telling:
    """What a process has in its environment once Polars is loaded."""

    @contextmanager
    def open(self) -> Iterator[Callable[[int, range], tuple[str | None, ...]]]:
        wanted = ("POLARS_MAX_THREADS", "OPENBLAS_NUM_THREADS", ALLOCATOR)
        yield lambda number, units: tuple(map(os.environ.get, wanted))


@pytest.mark.parametrize(
    ("set_before", "last"),
    [(None, KEEPS), (OF_POLARS, KEEPS), ("narenas:3", "narenas:3"), (f"{OF_POLARS},narenas:3", "narenas:3")],
)
def test_processes_have_one_thread_and_keep_memory_unless_somebody_has_set_that(
    monkeypatch: pytest.MonkeyPatch, set_before: str | None, last: str
) -> None:
    """What Polars has put there itself, when it was loaded here, is nobody's wish; there too the last one counts."""
    assert os.environ[ALLOCATOR].startswith(OF_POLARS)
    monkeypatch.delenv(ALLOCATOR, raising=False)
    if set_before is not None:
        monkeypatch.setenv(ALLOCATOR, set_before)
    ((*threads, found),) = in_order(Telling(), [range(1)], processes=1)
    assert threads == ["1", "1"] and found is not None
    assert found.startswith(OF_POLARS) and found.endswith(last) and (KEEPS in found) == (last == KEEPS)
