"""A store opens again whatever a broken-off checkpoint left of the blocks that it writes in place."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from meanscheck.errors import StoreError
from meanscheck.evidence import Store, rescue
from meanscheck.evidence.key import StoreKey
from meanscheck.evidence.rescue import HEADERS, Rescue
from meanscheck.evidence.rewriting import rewrite

ROWS = 5_000


def filled(
    folder: Path, monkeypatch: pytest.MonkeyPatch, instead: Callable[[Path], None], key: StoreKey | None = None
) -> Path:
    """The folder of a store as it is when its process dies at the end: at the checkpoint `instead` is done, and what
    then lies there is kept."""
    store, dead = folder / "store", folder / "dead"
    store.mkdir(parents=True)
    path = store / "county.duckdb"
    with Store.open(path, key=key) as first:
        first.run("create table kept as select range as n from range(10)")
    run = Store.run

    def dying(self: Store, sql: str, parameters: tuple[object, ...] = ()) -> None:
        if sql == "checkpoint":
            before = path.read_bytes()
            instead(path)
            shutil.copytree(store, dead)
            path.write_bytes(before)
        run(self, sql, parameters)

    with Store.open(path, key=key) as second:
        second.run(f"insert into kept select range + 10 from range({ROWS})")
        monkeypatch.setattr(Store, "run", dying)
    monkeypatch.setattr(Store, "run", run)
    assert not rescue.is_left(path)
    assert rescue.is_left(dead / path.name)
    return dead / path.name


def torn(path: Path) -> None:
    """Half of each block that the copy tells of is another one, checksum and all."""
    head = json.loads(path.with_name(path.name + ".rescue").read_bytes().split(b"\n")[0])
    assert head["places"]
    with path.open("r+b") as file:
        for place in head["places"]:
            assert place >= HEADERS
            file.seek(place)
            file.write(bytes(head["block"] // 2))


def count(path: Path, key: StoreKey | None = None) -> int:
    with Store.open(path, key=key) as store:
        return int(store.value("select count(*) from kept"))


def test_a_checkpoint_that_tore_a_block_is_taken_back_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = filled(tmp_path, monkeypatch, torn)
    assert count(path) == 10 + ROWS
    assert not rescue.is_left(path)
    # Closed and folded in, it opens as ever.
    assert count(path) == 10 + ROWS
    assert not path.with_name(path.name + ".wal").exists()


@pytest.mark.skipif(find_spec("duckdb_extension_httpfs") is None, reason="needs meanscheck[encryption]")
def test_so_is_that_of_an_encrypted_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = StoreKey.generate()
    path = filled(tmp_path, monkeypatch, torn, key)
    copy = path.with_name(path.name + ".rescue").read_bytes()
    assert b"requests" not in copy, "names of tables would stand there in the clear"
    assert count(path, key) == 10 + ROWS


def test_without_the_copy_the_same_file_is_said_to_be_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path, monkeypatch, torn)
    path.with_name(path.name + ".rescue").unlink()
    with pytest.raises(StoreError, match="file is damaged; bring it back from a backup"):
        Store.open(path)


def test_who_only_reads_is_told_to_open_it_once_for_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path, monkeypatch, torn)
    with pytest.raises(StoreError, match="open it once for writing"):
        Store.open(path, read_only=True)
    assert count(path) == 10 + ROWS


def test_a_copy_that_outlived_its_checkpoint_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path, monkeypatch, torn)
    whole = tmp_path / "store" / "county.duckdb"
    shutil.copyfile(path.with_name(path.name + ".rescue"), whole.with_name(whole.name + ".rescue"))
    before = whole.read_bytes()
    rescue.mend(whole)
    assert whole.read_bytes() == before
    assert not rescue.is_left(whole)
    assert count(whole) == 10 + ROWS


@pytest.mark.parametrize("left", [0, 10, -1])
def test_a_copy_that_is_not_whole_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int) -> None:
    path = filled(tmp_path, monkeypatch, lambda path: None)
    copy = path.with_name(path.name + ".rescue")
    copy.write_bytes(copy.read_bytes()[:left])
    assert count(path) == 10 + ROWS
    assert not copy.exists()


def test_a_good_copy_is_not_replaced_by_one_of_torn_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path, monkeypatch, torn)
    copy = path.with_name(path.name + ".rescue").read_bytes()
    with pytest.raises(FileExistsError), Rescue(path)._laid(2**18, []):
        pass
    assert path.with_name(path.name + ".rescue").read_bytes() == copy


def test_nobody_mends_what_another_process_has_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path, monkeypatch, lambda path: None)
    copy = path.with_name(path.name + ".rescue")
    assert count(path) == 10 + ROWS
    # A copy that would be put back if nobody had the file open: made for its very headers.
    headers = hashlib.sha256(path.read_bytes()[:HEADERS]).hexdigest()
    told = json.dumps({"block": 512, "head": headers, "places": [HEADERS]}).encode() + b"\n" + b"x" * 512
    told += hashlib.sha256(told).digest()
    holder = f"""
from meanscheck.evidence import Store
with Store.open({str(path)!r}):
    print("open", flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "open\n"
        copy.write_bytes(told)
        before = path.read_bytes()
        with pytest.raises(StoreError, match="another process has the store open"):
            Store.open(path)
        assert path.read_bytes() == before
        copy.unlink()
        process.communicate("\n")


def test_a_full_disk_leaves_the_changes_in_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "county.duckdb"

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with Store.open(path) as store:
        store.run("create table kept as select range as n from range(7)")
        monkeypatch.setattr("os.fsync", full)
    assert path.with_name(path.name + ".wal").exists()
    monkeypatch.undo()
    assert count(path) == 7


def test_the_copy_of_a_store_that_is_no_more_is_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "county.duckdb"
    path.with_name(path.name + ".rescue").write_bytes(b"of another store")
    with Store.open(path) as store:
        assert store.value("select count(*) from requests") == 0
    assert not rescue.is_left(path)


def test_a_large_log_is_folded_in_when_a_transaction_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "county.duckdb"
    log = path.with_name(path.name + ".wal")
    with Store.open(path) as store:
        with store.transaction():
            store.run("create table kept as select range as n from range(7)")
        assert log.stat().st_size > 0
        monkeypatch.setattr("meanscheck.evidence.database.LOG_BYTES", 0)
        with store.transaction():
            store.run("insert into kept values (7)")
        assert not log.exists()
    assert count(path) == 8


def test_a_store_whose_log_could_not_be_folded_in_is_not_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "county.duckdb"
    with Store.open(path) as store:
        store.run("create table kept as select range as n from range(7)")
    with monkeypatch.context() as patch:
        patch.setattr(Rescue, "checkpoint", lambda self, store: None)
        with Store.open(path) as store:
            store.run("insert into kept values (7)")
        with pytest.raises(StoreError, match="could not be closed"):
            rewrite(path, key=None, new_key=None)
    assert count(path) == 8
