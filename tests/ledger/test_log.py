"""A log survives crashes, refuses to fork, and keeps its key apart."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from meanscheck.errors import LedgerError
from meanscheck.ledger import Ledger, Signer, canonical, checkpoint, files, merkle, note
from meanscheck.ledger.log import Log

from .builders import ORIGIN, Folder, MadeBatch


def test_a_batch_lies_between_its_opening_and_its_closing(folder: Folder) -> None:
    at = 0
    for batch, sealed in folder.batches:
        assert sealed.open_index == at
        opening = canonical.parse(folder.ledger.entry(at))
        assert opening == {"b": batch.batch_id, "k": "batch-open", "opening": batch.opening, "v": 1}
        leaves = [folder.ledger.entry(at + 1 + n) for n in range(sealed.count)]
        assert leaves == [leaf for _, leaf in batch.kept.values()]
        closing = canonical.parse(folder.ledger.entry(sealed.close_index))
        assert (closing["count"], closing["first"], closing["last"]) == (sealed.count, at + 1, at + sealed.count)
        assert closing["root"] == sealed.root == merkle.root(merkle.leaf_hashes(leaves)).hex()
        assert closing["closing"] == batch.closing
        at = sealed.close_index + 1
    assert at == folder.ledger.size


def test_an_empty_batch_is_opened_and_closed(fresh: Folder) -> None:
    sealed = fresh.ledger.append(MadeBatch("empty", 0))
    closing = canonical.parse(fresh.ledger.entry(sealed.close_index))
    assert (sealed.count, closing["count"], closing["first"], closing["last"]) == (0, 0, None, None)


def test_a_run_that_breaks_off_leaves_its_opening_and_goes_on_from_it(fresh: Folder) -> None:
    size = fresh.ledger.size
    with pytest.raises(RuntimeError):
        fresh.ledger.append(MadeBatch("broken", 9, fail_at=2))
    assert fresh.ledger.size == size + 1
    again = MadeBatch("broken", 9)
    sealed = fresh.ledger.append(again)
    assert sealed.open_index == size
    assert fresh.ledger.size == size + 11
    fresh.batches.append((again, sealed))
    assert fresh.receipt(size + 3)


class Crash(Exception):
    """Stands for the power going off."""


@pytest.mark.parametrize("moment", ["flushed", "renamed", "signed"])
def test_a_crash_leaves_the_old_log_or_is_finished_on_the_next_opening(
    moment: str, fresh: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fresh.ledger.checkpoint
    log = Log.open(fresh.path, origin=ORIGIN)

    def crash(*_: object, **__: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        if moment == "flushed":
            patch.setattr(Path, "replace", crash)
        elif moment == "renamed":
            patch.setattr(Signer, "sign_checkpoint", crash)
        else:
            real = files.replace
            patch.setattr(
                files,
                "replace",
                lambda path, data: crash() if path.name == "checkpoint" else real(path, data),
            )
        with pytest.raises(Crash), log.grow(fresh.signer) as growth:
            growth.add([b"entry %d" % n for n in range(300)])
            growth.publish()
    assert (fresh.path / "checkpoint").read_text(encoding="utf-8") == before
    log = Log.open(fresh.path, origin=ORIGIN)
    with log.grow(fresh.signer) as growth:
        growth.add([b"another"])
        growth.publish()
    recovered = 300 if moment == "signed" else 0
    assert log.size == 7 + recovered + 1
    assert log.head is not None
    assert merkle.root(merkle.leaf_hashes(log.reader().entries())) == log.head.root
    assert log.check() == log.size
    assert (fresh.path / "tile" / "0" / "000").exists() == (recovered > 0)


def test_a_folder_put_back_from_a_backup_is_refused(fresh: Folder, tmp_path: Path) -> None:
    shutil.copytree(fresh.path, tmp_path / "backup")
    fresh.ledger.append(MadeBatch("later", 4))
    shutil.rmtree(fresh.path)
    shutil.copytree(tmp_path / "backup", fresh.path)
    signer = Signer.load(tmp_path / "keys" / "county.key")
    with pytest.raises(LedgerError, match="put back or changed"):
        Ledger.open(fresh.path, signer=signer).append(MadeBatch("fork", 4))


def test_a_folder_rewritten_by_hand_is_refused(fresh: Folder) -> None:
    tile = next(path for path in (fresh.path / "tile" / "0").rglob("7"))
    data = bytearray(tile.read_bytes())
    data[0] ^= 1
    tile.write_bytes(data)
    with pytest.raises(LedgerError):
        Ledger.open(fresh.path, signer=fresh.signer).append(MadeBatch("more", 1))


def test_a_signer_without_its_state_is_refused_until_it_adopts_a_head(fresh: Folder) -> None:
    state = fresh.signer.state_path
    assert state is not None
    state.unlink()
    ledger = Ledger.open(fresh.path, signer=fresh.signer)
    with pytest.raises(LedgerError, match="no record"):
        ledger.append(MadeBatch("more", 1))
    fresh.signer.adopt(checkpoint.parse(note.parse(ledger.checkpoint)[0]))
    assert ledger.append(MadeBatch("more", 1)).count == 1
    state.write_text(f"{ORIGIN}\n5\n")
    with pytest.raises(LedgerError, match="damaged"):
        ledger.append(MadeBatch("again", 1))


def test_two_writers_take_turns(fresh: Folder) -> None:
    log = Log.open(fresh.path, origin=ORIGIN)
    with log.grow(fresh.signer), pytest.raises(LedgerError, match="in use"):
        fresh.ledger.append(MadeBatch("second", 1))


def test_a_key_inside_the_log_folder_is_refused(tmp_path: Path) -> None:
    signer = Signer.generate(ORIGIN)
    signer.save(tmp_path / "log" / "keys" / "county.key", unprotected=True)
    with pytest.raises(LedgerError, match="inside the log"):
        Ledger.open(tmp_path / "log", signer=signer).append(MadeBatch("b", 1))


def test_key_files_are_protected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = Signer.generate(ORIGIN)
    monkeypatch.delenv("MEANSCHECK_KEY_PASSPHRASE", raising=False)
    with pytest.raises(LedgerError, match="passphrase"):
        signer.save(tmp_path / "a.key")
    path = signer.save(tmp_path / "a.key", passphrase=b"correct horse")
    assert b"ENCRYPTED" in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert Signer.load(path, passphrase=lambda: b"correct horse").key == signer.key
    with pytest.raises(LedgerError, match="passphrase is wrong"):
        Signer.load(path, passphrase=b"wrong")
    monkeypatch.setenv("MEANSCHECK_KEY_PASSPHRASE", "correct horse")
    assert Signer.load(path).key == signer.key
    with pytest.raises(LedgerError, match="never overwritten"):
        signer.save(path, passphrase=b"x")
    open_to_all = signer.save(tmp_path / "b.key", unprotected=True)
    assert Signer.load(open_to_all).key == signer.key
    open_to_all.chmod(0o644)
    with pytest.raises(LedgerError, match="chmod 600"):
        Signer.load(open_to_all)
    with pytest.raises(LedgerError, match="cannot be read"):
        Signer.load(tmp_path / "none.key")


@pytest.mark.parametrize("damage", ["first line", "body", "other key"])
def test_damaged_key_files_are_refused(damage: str, tmp_path: Path) -> None:
    path = Signer.generate(ORIGIN).save(tmp_path / "a.key", unprotected=True)
    first, rest = path.read_bytes().split(b"\n", 1)
    if damage == "first line":
        data = first[:-4] + b"AAA=\n" + rest
    elif damage == "body":
        data = first + b"\n" + rest.replace(b"M", b"N", 1)
    else:
        data = str(Signer.generate(ORIGIN).key).encode() + b"\n" + rest
    path.write_bytes(data)
    with pytest.raises(LedgerError):
        Signer.load(path)


def test_the_number_of_processes_does_not_change_what_is_committed(fresh: Folder) -> None:
    from meanscheck.ledger.commitment import commit

    from .builders import all_groups

    batch = MadeBatch("parallel", 20_000, block=9_000, processes=2)
    sealed = fresh.ledger.append(batch)
    assert sealed.count == len(batch.kept) == 20_000
    for n in (0, 8_191, 8_192, 9_000, 19_999):
        salts, leaf = batch.kept[sealed.first_index + n]
        members = canonical.parse(leaf)
        assert (members["n"], members["c"]) == (n, commit(all_groups(n), salts).hex())
        assert fresh.ledger.entry(sealed.first_index + n) == leaf


def test_without_a_signer_a_ledger_only_reads(fresh: Folder) -> None:
    ledger = Ledger.open(fresh.path, origin=ORIGIN)
    assert ledger.size == 7
    with pytest.raises(LedgerError, match="without a signer"):
        ledger.append(MadeBatch("b", 1))
    with pytest.raises(LedgerError, match="another origin"):
        Ledger.open(fresh.path, origin="other.example")
