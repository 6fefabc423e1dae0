"""A run that was broken off goes on from its finished blocks, and what was sealed is never written anew."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from pathlib import Path
from random import Random

import pytest
from decisions.office import DAY, PACK, small_county

from meanscheck.decisions import Assessment, assess
from meanscheck.decisions.kernel import Counts, DoneBlock, Kernel
from meanscheck.engines import Pool
from meanscheck.errors import LedgerError, StoreError
from meanscheck.evidence import Projection, Store
from meanscheck.law import RulePack
from meanscheck.law.law import Law
from meanscheck.ledger import GROUPS, Ledger, Signer, verify

ASSESSING = import_module("meanscheck.decisions.assess")
HOUSEHOLDS, BLOCK = 26, 7
BLOCKS = [7, 7, 7, 5]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with small_county(tmp_path_factory.mktemp("going-on"), households=HOUSEHOLDS, seed=6) as opened:
        yield opened


@pytest.fixture(scope="module")
def law() -> Law:
    return RulePack.load(PACK).on(DAY)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(tmp_path / "ledger", signer=Signer.generate("county.example/relief", ml_dsa=False))


class PowerCut(Exception):
    """The run ends here, whatever it was doing."""


@dataclass(frozen=True)
class Watched:
    """Blocks in an order of one's own; the run ends before the block with the number `ends_at`."""

    ends_at: int | None = None
    order: Sequence[int] | None = None
    worked: list[int] = field(default_factory=list)
    processes: int = 1

    def run(self, kernel: Kernel, projection: Projection, ranges: Sequence[range]) -> Iterator[DoneBlock]:
        reader = projection.reader()
        done = {}
        for turn, number in enumerate(self.order or range(len(ranges))):
            if turn == self.ends_at:
                raise PowerCut
            done[number] = kernel(reader, number, ranges[number])
            if not done[number].is_kept:
                self.worked.append(number)
        for number in range(len(ranges)):
            yield done[number]


def broken_off(store: Store, law: Law, vault: Path, at: int, ledger: Ledger | None = None) -> None:
    result = assess(store, law, vault=vault, block_units=BLOCK, engine=Watched(ends_at=at))
    with pytest.raises(PowerCut):
        result.run() if ledger is None else ledger.append(result)


def receipts_verify(result: Assessment, ledger: Ledger) -> int:
    """How many receipts verify: those of all cases."""
    verified = 0
    for block, seals in zip(result.vault.blocks(), result.vault.seals(), strict=True):
        assert seals is not None
        for case, index in zip(block["case_id"], seals["index"], strict=True):
            held = result.held(case)
            assert held.index == index and held.leaf is not None and held.salts is not None
            text = ledger.receipt(index, held.leaf, held.groups, held.salts, disclose=GROUPS)
            assert verify(text.encode(), policy=ledger.policy()).groups["subject"]["case"] == case
            verified += 1
    return verified


@pytest.mark.parametrize("is_sealed", [False, True])
@pytest.mark.parametrize("at", [1, 3])
def test_finished_blocks_are_taken_as_they_are(
    store: Store, law: Law, ledger: Ledger, tmp_path: Path, is_sealed: bool, at: int
) -> None:
    straight = assess(store, law, vault=tmp_path / "straight").run()
    broken_off(store, law, tmp_path / "vault", at, ledger if is_sealed else None)
    engine = Watched()
    result = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK, engine=engine)
    if is_sealed:
        sealed = ledger.append(result)
        assert (sealed.first_index, sealed.count) == (1, HOUSEHOLDS) and ledger.check() == HOUSEHOLDS + 2
        assert receipts_verify(result, ledger) == HOUSEHOLDS
    else:
        result.run()
    assert engine.worked == [*range(at, len(BLOCKS))]
    assert result.kept == sum(BLOCKS[:at])
    assert result.records_root == straight.records_root
    assert result.vault.closed() == straight.vault.closed()
    assert (result.counts, result.causes, result.awards) == (straight.counts, straight.causes, straight.awards)
    assert result.waiting().equals(straight.waiting())


@pytest.mark.parametrize("seed", range(2))
def test_it_goes_on_from_any_moment_in_any_order(store: Store, law: Law, tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    straight = assess(store, law, vault=tmp_path / "straight").run()
    worked: list[int] = []
    for _ in range(2):
        order = chance.sample(range(len(BLOCKS)), len(BLOCKS))
        engine = Watched(ends_at=chance.randrange(len(BLOCKS)), order=order, worked=worked)
        with pytest.raises(PowerCut):
            assess(store, law, vault=tmp_path / "vault", block_units=BLOCK, engine=engine).run()
    assert len(worked) == len(set(worked))
    result = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK, engine=Pool(2)).run()
    assert result.kept == sum(BLOCKS[number] for number in worked)
    assert result.records_root == straight.records_root


def test_a_file_that_was_changed_meanwhile_is_made_again(
    store: Store, law: Law, ledger: Ledger, tmp_path: Path
) -> None:
    broken_off(store, law, tmp_path / "vault", 3, ledger)
    result = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK, engine=(engine := Watched()))
    finished, seals = result.vault.folder / "finished-00000", result.vault.folder / "seals-00002.parquet"
    finished.write_bytes(finished.read_bytes()[:-1] + b"?")
    seals.write_bytes((result.vault.folder / "seals-00001.parquet").read_bytes())
    ledger.append(result)
    assert engine.worked == [0, 2, 3]
    assert receipts_verify(result, ledger) == HOUSEHOLDS


def test_decisions_made_before_the_opening_are_made_again(
    store: Store, law: Law, ledger: Ledger, tmp_path: Path
) -> None:
    broken_off(store, law, tmp_path / "vault", 3)
    result = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK, engine=(engine := Watched()))
    ledger.append(result)
    assert engine.worked == [*range(len(BLOCKS))]
    assert json.loads(ledger.entry(0))["opening"]["run"] == "after opening"


def test_another_place_in_the_log_takes_other_leaves(store: Store, law: Law, ledger: Ledger, tmp_path: Path) -> None:
    broken_off(store, law, tmp_path / "vault", 3, ledger)
    other = assess(store, RulePack.load(PACK).on(date(2020, 6, 29)), vault=tmp_path / "other")
    assert ledger.append(other).first_index == 2
    result = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK, engine=(engine := Watched()))
    ledger.append(result)
    assert engine.worked == [*range(len(BLOCKS))]
    assert receipts_verify(result, ledger) == HOUSEHOLDS


def test_the_same_run_again_finds_the_batch_closed(store: Store, law: Law, ledger: Ledger, tmp_path: Path) -> None:
    first = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK)
    ledger.append(first)
    before = {file.name: file.read_bytes() for file in first.vault.folder.iterdir()}
    engine = Watched()
    again = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK, engine=engine).run()
    assert engine.worked == [] and again.kept == HOUSEHOLDS
    assert (again.counts, again.records_root) == (first.counts, first.records_root)
    assert {file.name: file.read_bytes() for file in first.vault.folder.iterdir()} == before
    assert receipts_verify(again, ledger) == HOUSEHOLDS
    with pytest.raises(LedgerError, match="in this log already"):
        ledger.append(assess(store, law, vault=tmp_path / "vault", block_units=BLOCK))
    assert receipts_verify(again, ledger) == HOUSEHOLDS


def test_sealed_after_it_was_decided_it_is_found_closed_too(
    store: Store, law: Law, ledger: Ledger, tmp_path: Path
) -> None:
    ledger.append(assess(store, law, vault=tmp_path / "vault", block_units=BLOCK).run())
    again = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK).run()
    assert again.kept == HOUSEHOLDS and receipts_verify(again, ledger) == HOUSEHOLDS


def test_what_was_sealed_is_not_written_anew(
    store: Store, law: Law, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK)
    ledger.append(first)
    with monkeypatch.context() as patch, pytest.raises(StoreError, match="its records stand"):
        patch.setattr(ASSESSING, "engine_name", lambda: "meanscheck 9.9")
        assess(store, law, vault=tmp_path / "vault", block_units=BLOCK).run()
    other = Ledger.open(tmp_path / "second", signer=Signer.generate("other.example/relief", ml_dsa=False))
    with pytest.raises(StoreError, match=r"sealed for the log county\.example/relief"):
        other.append(assess(store, law, vault=tmp_path / "vault", block_units=BLOCK))
    assert receipts_verify(first, ledger) == HOUSEHOLDS


def test_what_was_not_sealed_may_be(
    store: Store, law: Law, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(ASSESSING, "engine_name", lambda: "meanscheck 0.0")
        assess(store, law, vault=tmp_path / "vault", block_units=BLOCK).run()
    result = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK).run()
    assert result.kept == 0
    ledger.append(result)
    assert receipts_verify(result, ledger) == HOUSEHOLDS


@pytest.mark.parametrize(("asked", "size", "kept"), [(BLOCK + 3, BLOCK, 2 * BLOCK), (BLOCK - 3, BLOCK - 3, 0)])
def test_it_goes_on_in_blocks_of_the_same_size_unless_they_are_too_large(
    store: Store, law: Law, tmp_path: Path, asked: int, size: int, kept: int
) -> None:
    broken_off(store, law, tmp_path / "vault", 2)
    result = assess(store, law, vault=tmp_path / "vault", block_units=asked).run()
    assert (result.block_units, result.kept) == (size, kept)
    again = assess(store, law, vault=tmp_path / "vault", block_units=1).run()
    assert (again.block_units, again.kept) == (size, HOUSEHOLDS)


def test_what_another_run_decided_anew_meanwhile_is_not_sealed(
    store: Store, law: Law, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK).run()
    with monkeypatch.context() as patch:
        patch.setattr(ASSESSING, "engine_name", lambda: "meanscheck 9.9")
        other = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK).run()
    with pytest.raises(StoreError, match="decided anew by another run"):
        ledger.append(result)
    assert ledger.size == 1 and other.vault.closed() is not None


def test_a_closed_batch_that_was_damaged_is_said_to_be(store: Store, law: Law, ledger: Ledger, tmp_path: Path) -> None:
    first = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK)
    ledger.append(first)
    (first.vault.folder / "finished-00003").unlink()
    again = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK)
    with pytest.raises(StoreError, match="not as it was when it was closed"):
        again.run()


def test_a_second_run_beside_the_first_is_refused(store: Store, law: Law, tmp_path: Path) -> None:
    first = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK)
    second = assess(store, law, vault=tmp_path / "vault", block_units=BLOCK)
    blocks = first._run(None)
    next(blocks)
    with pytest.raises(StoreError, match="another run works on batch"):
        second.run()
    assert [done.units for done in blocks] == BLOCKS[1:]
    assert second.run().kept == HOUSEHOLDS


def test_counts_go_through_json() -> None:
    counts = Counts()
    counts.outcomes["dibao", "refer"] = 2
    counts.causes["dibao", "unreviewed:vehicles"] = 1
    counts.awards["dibao"] = 90_000
    counts.alone["vehicles", "no_answer"] = counts.part["vehicles", "no_answer"] = 3
    assert Counts.from_json(json.loads(json.dumps(counts.to_json()))) == counts
