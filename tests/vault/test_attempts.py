"""A block that was worked on twice is in the batch once, with the salts of the attempt that was taken."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from meanscheck.errors import StoreError
from meanscheck.ledger import GROUPS, Seal
from meanscheck.ledger.commitment import Leaf, commit
from meanscheck.vault import DeploymentKey, Safe, Vault, attempts

from .offices import CASES, FIRST, TOKENS, groups_of, outcomes, records


def batch_in(folder: Path) -> Vault:
    safe = Safe.open(folder / "county.vault", key=DeploymentKey(bytes(32)), make=True)
    batch = safe.batch(FIRST, GROUPS)
    batch.begin()
    return batch


def put(vault: Vault) -> list[bytes]:
    """The first block, sealed with new salts; its leaves."""
    from meanscheck.decisions.kernel import keep_seals

    groups = [groups_of(n, FIRST) for n in range(6)]
    columns = [[each[name].encode() for each in groups] for name in GROUPS]
    sealed = Seal(FIRST, hashlib.sha256().hexdigest(), 1)(0, tokens=TOKENS[:6], groups=columns)
    vault.put("records", 0, records(0, FIRST))
    vault.put("outcomes", 0, outcomes(0))
    keep_seals(vault, 0, 1, salts=sealed.salts, leaves=sealed.leaves)
    return sealed.leaves


@pytest.mark.parametrize("taken", ["first", "second"])
def test_of_two_attempts_the_one_that_is_taken_counts(tmp_path: Path, taken: str) -> None:
    batch = batch_in(tmp_path)
    attempts.expect(batch)
    leaves = {name: put(attempts.begin(batch, name)) for name in ("first", "second")}
    assert leaves["first"] != leaves["second"]
    attempts.accept(batch, taken, 0)
    attempts.clear(batch)
    assert batch.leaves(0) == leaves[taken]
    for case in CASES[:6]:
        held = batch.find(case)
        assert held.leaf is not None and held.salts is not None
        assert commit(held.groups, held.salts).hex() == Leaf.parse(held.leaf).commitment
    assert len(list(tmp_path.rglob("*.parquet"))) == 3


def test_an_attempt_that_comes_when_the_run_has_ended_writes_nothing(tmp_path: Path) -> None:
    batch = batch_in(tmp_path)
    attempts.expect(batch)
    late = attempts.begin(batch, "late")
    attempts.clear(batch)
    with pytest.raises(StoreError):
        late.put("records", 0, records(0, FIRST))
    with pytest.raises(StoreError, match="nobody waits for this block"):
        attempts.begin(batch, "later")
    assert list(tmp_path.rglob("*.parquet")) == []


def test_what_an_attempt_did_not_put_where_it_is_looked_for_cannot_be_taken(tmp_path: Path) -> None:
    batch = batch_in(tmp_path)
    attempts.expect(batch)
    attempts.begin(batch, "elsewhere")
    with pytest.raises(StoreError, match="block 0 was worked on, but its records are not in the vault"):
        attempts.accept(batch, "elsewhere", 0)


def test_what_had_finished_when_a_run_was_broken_off_is_taken(tmp_path: Path) -> None:
    batch = batch_in(tmp_path)
    batch.course.begin({"law": "sha256:33"}, log=None)
    attempts.expect(batch)
    leaves = {}
    for name in ("broken off", "finished", "finished too", "held"):
        attempt = attempts.begin(batch, name)
        leaves[name] = put(attempt)
        if name != "broken off":
            attempt.course.finish(0, {"attempt": name}, b"")
        if name == "held":
            attempts.hold(attempt, 0)
    attempts.resume(batch)
    finished = batch.course.finished(0)
    assert finished is not None and finished.facts["attempt"] in ("finished", "finished too")
    assert batch.leaves(0) == leaves[finished.facts["attempt"]]
    attempts.resume(batch)
    assert batch.leaves(0) == leaves[finished.facts["attempt"]]
    attempts.accept(batch, "held", 0)
    finished = batch.course.finished(0)
    assert finished is not None and finished.facts["attempt"] == "held"
    assert batch.leaves(0) == leaves["held"]


def test_a_batch_that_begins_anew_has_nothing_of_earlier_attempts(tmp_path: Path) -> None:
    batch = batch_in(tmp_path)
    attempts.expect(batch)
    put(attempts.begin(batch, "broken off"))
    batch.begin()
    assert list(batch.folder.iterdir()) == []
