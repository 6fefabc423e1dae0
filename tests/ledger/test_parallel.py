"""The parallel log has the same entries under SM3 and SM2, and no second history of them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import Guarded, Ledger, Policy, Signer, merkle, note, proof, verify
from meanscheck.ledger.checkpoint import Checkpoint
from meanscheck.ledger.log import Log
from meanscheck.ledger.parallel import Parallel, check, named, open_checkpoint, with_sm3
from meanscheck.ledger.policy import LogLine
from meanscheck.ledger.sm2 import Sm2Signer
from meanscheck.ledger.sm3 import SM3

from .builders import ORIGIN, Folder, MadeBatch, build_folder
from .test_sm import KEY, PRIVATE

pytestmark = pytest.mark.skipif(find_spec("gmssl_pyx") is None, reason="the extra gm (gmssl-pyx) is not installed")


def tree_hash(entries: Sequence[bytes]) -> bytes:
    """The definition of RFC 6962 section 2.1, with SM3 of gmssl-pyx."""
    from gmssl_pyx import sm3_hash

    if len(entries) == 1:
        return bytes(sm3_hash(b"\0" + entries[0]))
    half = 1 << (len(entries) - 1).bit_length() - 1
    return bytes(sm3_hash(b"\1" + tree_hash(entries[:half]) + tree_hash(entries[half:])))


def sm2_signer(root: Path) -> Guarded:
    return Guarded([Sm2Signer(KEY, PRIVATE)], state=root / "keys" / "county.sm2.state", hashing=SM3)


POLICY = Policy((LogLine(KEY),))


def test_the_parallel_log_has_the_same_entries_under_sm3(folder: Folder, tmp_path: Path) -> None:
    shutil.copytree(folder.path, tmp_path / "log")
    parallel = Parallel.open(tmp_path / "log", origin=ORIGIN)
    assert parallel.catch_up(sm2_signer(tmp_path)) == (tmp_path / "log" / "checkpoint.sm3").read_text()
    entries = [folder.ledger.entry(index) for index in range(folder.ledger.size)]
    head = open_checkpoint(parallel.note, policy=POLICY)
    assert head == Checkpoint(f"{ORIGIN}/sm3", folder.ledger.size, tree_hash(entries))
    for index in (0, 5, 255, 256, 300, len(entries) - 1):
        assert check(parallel.prove(index), entries[index], policy=POLICY) == head
        with pytest.raises(NotProven, match="inclusion"):
            check(parallel.prove(index), entries[index - 1], policy=POLICY)
    # The first log is untouched.
    assert Ledger.open(tmp_path / "log", origin=ORIGIN).check() == len(entries)
    assert (tmp_path / "log" / "checkpoint").read_text() == folder.ledger.checkpoint


def test_any_changed_byte_of_a_proof_is_refused(folder: Folder, tmp_path: Path) -> None:
    shutil.copytree(folder.path, tmp_path / "log")
    parallel = Parallel.open(tmp_path / "log", origin=ORIGIN)
    parallel.catch_up(sm2_signer(tmp_path))
    sound, entry = parallel.prove(300).encode(), folder.ledger.entry(300)
    for place, byte in enumerate(sound):
        for other in (byte ^ 1, byte ^ 0x20):
            with pytest.raises(NotProven):
                check(
                    (sound[:place] + bytes([other]) + sound[place + 1 :]).decode("utf-8", errors="surrogateescape"),
                    entry,
                    policy=POLICY,
                )
                pytest.fail(f"accepted {other:#x} for {byte:#x} at {place}")


@pytest.mark.parametrize("steps", [(1, 1, 1, 250, 1, 1, 2, 700), (300, 65_536 - 310, 1, 20)])
def test_growing_by_steps_gives_what_one_step_gives(steps: tuple[int, ...], tmp_path: Path) -> None:
    log = Log.open(tmp_path / "log", origin=ORIGIN)
    signer = build_signer(tmp_path)
    parallel = Parallel.open(tmp_path / "log", origin=ORIGIN)
    entries: list[bytes] = []
    for step in steps:
        new = [b"entry %d" % n for n in range(len(entries), len(entries) + step)]
        entries += new
        with log.grow(signer) as growth:
            growth.add(new)
            growth.publish()
        parallel.catch_up(sm2_signer(tmp_path))
        assert parallel.head is not None and parallel.size == len(entries)
        assert parallel.head.root == merkle.root(SM3.leaves(entries), hashing=SM3)
    assert parallel.head is not None and parallel.head.root == tree_hash(entries)
    for index in (0, len(entries) // 2, len(entries) - 1):
        check(parallel.prove(index), entries[index], policy=POLICY)
    assert not list((tmp_path / "log" / "sm3").rglob("*.new"))


def build_signer(root: Path) -> Guarded:
    return Guarded([Signer.from_seed(ORIGIN, seed=b"county" + bytes(26))], state=root / "keys" / "county.state")


def test_what_was_published_is_taken_up_after_a_crash_at_any_point(
    fresh: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer, parallel = sm2_signer(tmp_path), Parallel.open(fresh.path, origin=ORIGIN)
    parallel.catch_up(signer)
    fresh.ledger.append(MadeBatch("2026-01", 300, block=100))
    before = (fresh.path / "checkpoint.sm3").read_text()

    def dies(*arguments: object) -> None:
        raise KeyboardInterrupt

    for target in ("meanscheck.ledger.parallel.Parallel._write", "meanscheck.ledger.parallel.files.flush_folder"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(target, dies)
            Parallel.open(fresh.path, origin=ORIGIN).catch_up(signer)
        assert (fresh.path / "checkpoint.sm3").read_text() == before
    # After the signer wrote its state, before the checkpoint is in place.
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Sm2Signer, "sign_note", dies)
        Parallel.open(fresh.path, origin=ORIGIN).catch_up(signer)
    assert (fresh.path / "checkpoint.sm3").read_text() == before
    again = Parallel.open(fresh.path, origin=ORIGIN)
    again.catch_up(signer)
    entries = [fresh.ledger.entry(index) for index in range(fresh.ledger.size)]
    assert again.head == Checkpoint(named(ORIGIN), len(entries), tree_hash(entries))
    assert again.catch_up(signer) == again.note


def test_entries_changed_after_publication_are_not_taken_up(fresh: Folder, tmp_path: Path) -> None:
    bundle = next((fresh.path / "tile" / "entries").rglob("7"))
    bundle.write_bytes(bundle.read_bytes().replace(b'"n":3,', b'"n":4,'))
    with pytest.raises(LedgerError, match="does not hash to its tile"):
        Parallel.open(fresh.path, origin=ORIGIN).catch_up(sm2_signer(tmp_path))
    assert not (fresh.path / "checkpoint.sm3").exists()


def test_a_folder_put_back_gets_no_second_history(tmp_path: Path) -> None:
    one = build_folder(tmp_path / "one", batches=(5,), witnessed=False)
    other = build_folder(tmp_path / "other", batches=(5,), witnessed=False)
    signer = sm2_signer(tmp_path)
    Parallel.open(one.path, origin=ORIGIN).catch_up(signer)
    with pytest.raises(LedgerError, match="does not continue"):
        Parallel.open(other.path, origin=ORIGIN).catch_up(signer)
    shutil.copytree(one.path, tmp_path / "backup")
    one.ledger.append(MadeBatch("2026-01", 3))
    Parallel.open(one.path, origin=ORIGIN).catch_up(signer)
    with pytest.raises(LedgerError, match="does not continue"):
        shutil.rmtree(tmp_path / "backup" / "sm3")
        (tmp_path / "backup" / "checkpoint.sm3").unlink()
        Parallel.open(tmp_path / "backup", origin=ORIGIN).catch_up(signer)
    lost = Guarded([Sm2Signer(KEY, PRIVATE)], state=tmp_path / "keys" / "lost.state", hashing=SM3)
    with pytest.raises(LedgerError, match="no record"):
        Parallel.open(one.path, origin=ORIGIN).catch_up(lost)


def test_wrong_signers_and_damaged_tiles_are_refused(fresh: Folder, tmp_path: Path) -> None:
    parallel = Parallel.open(fresh.path, origin=ORIGIN)
    inside = Guarded([Sm2Signer(KEY, PRIVATE)], state=fresh.path / "keys" / "state", hashing=SM3)
    with pytest.raises(LedgerError, match="inside the log"):
        parallel.catch_up(inside)
    with pytest.raises(LedgerError, match="signs for another log"):
        parallel.catch_up(build_signer(tmp_path))
    parallel.catch_up(sm2_signer(tmp_path))
    tile = fresh.path / "sm3" / "tile" / "0" / "000.p" / "7"
    tile.write_bytes(bytes(7 * 32))
    fresh.ledger.append(MadeBatch("2026-01", 3))
    with pytest.raises(LedgerError, match="do not give the root"):
        Parallel.open(fresh.path, origin=ORIGIN).catch_up(sm2_signer(tmp_path))
    with pytest.raises(LedgerError, match="no checkpoint yet"):
        Parallel.open(tmp_path / "empty", origin=ORIGIN).catch_up(sm2_signer(tmp_path))


def test_a_receipt_and_its_place_in_the_parallel_log_are_reported_together(folder: Folder, tmp_path: Path) -> None:
    shutil.copytree(folder.path, tmp_path / "log")
    parallel = Parallel.open(tmp_path / "log", origin=ORIGIN)
    parallel.catch_up(sm2_signer(tmp_path))
    proven = verify(folder.receipt(300, ["result"]).encode(), policy=folder.policy)
    both = with_sm3(proven, parallel.prove(300), policy=POLICY)
    assert [step.name for step in both.steps] == [*(step.name for step in proven.steps), "sm3"]
    assert any("SM3" in line and "SM2" in line for line in both.report("zh"))
    with pytest.raises(NotProven):
        with_sm3(proven, parallel.prove(301), policy=POLICY)
    with pytest.raises(NotProven, match="parallel of another log"):
        with_sm3(replace(proven, origin="other.example"), parallel.prove(300), policy=POLICY)
    with pytest.raises(NotProven, match="another place"):
        with_sm3(replace(proven, index=301), parallel.prove(300), policy=POLICY)
    # A policy that lists the Ed25519 key only, or an Ed25519 signature over an SM3 tree head, is not the profile.
    with pytest.raises(NotProven, match="no known key"):
        check(parallel.prove(300), folder.ledger.entry(300), policy=folder.policy)
    plain = Signer.from_seed(named(ORIGIN), seed=bytes(32))
    parts = proof.parse(parallel.prove(300))
    text = note.sign(note.parse(parts.checkpoint)[0], [plain])
    with pytest.raises(NotProven, match="not signed by an SM2 key"):
        check(
            proof.format(proof.Proof(300, parts.path, text)),
            folder.ledger.entry(300),
            policy=Policy((LogLine(plain.key), LogLine(KEY))),
        )
