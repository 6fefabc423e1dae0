"""An encrypted store: what lies on the disk, which keys open it, and that nothing is opened where it cannot be done.

What needs DuckDB's encrypting extension is skipped without the extra `encryption`; failing closed is tried always.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

from meanscheck.errors import StoreError
from meanscheck.evidence import Store, connecting
from meanscheck.evidence.key import ENVIRONMENT, StoreKey, key_beside
from meanscheck.evidence.rewriting import rewrite

from .inboxes import BANKS, A, B, Inbox, deposit, wage
from .test_states import ON, WANTED

can_encrypt = pytest.mark.skipif(find_spec("duckdb_extension_httpfs") is None, reason="needs meanscheck[encryption]")
WORDS = ("不该看见的户", A, B, "ACCOUNT-4711", "9876543.21", "P-EMPLOYER")


@pytest.fixture(autouse=True)
def no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)


def fill(inbox: Inbox, store: Store) -> None:
    """Requests with a name, an account, a balance, an employer, and a row that cannot be read."""
    lines = inbox.requests().read_text(encoding="utf-8").replace("甲", WORDS[0])
    (inbox.folder / "requests.jsonl").write_text(lines, encoding="utf-8")
    store.requests(inbox.folder / "requests.jsonl")
    store.consents(inbox.consents())
    for bank in BANKS:
        store.ingest("bank_deposits", inbox.bank(bank, [deposit(A, bank, "9876543.21", account="ACCOUNT-4711")]))
    store.ingest("tax_income", inbox.tax([wage(B, payer="P-EMPLOYER"), wage(A, amount="ACCOUNT-4711")]))


def found_in(folder: Path) -> list[tuple[str, str]]:
    """Planted words, and the balance as the database holds it, in any file of the folder's database files."""
    balance = (987654321).to_bytes(8, "little")
    needles = [(word, word.encode()) for word in WORDS] + [("balance", balance)]
    files = [f for f in folder.rglob("*") if f.is_file() and ("duckdb" in f.name or "projection" in f.name)]
    return [(word, file.name) for file in files for word, needle in needles if needle in file.read_bytes()]


@can_encrypt
def test_nothing_planted_lies_in_store_log_or_projection(inbox: Inbox) -> None:
    plain = Inbox(inbox.folder / "plain")
    plain.folder.mkdir()
    for place, key in ((plain, None), (inbox, StoreKey.generate())):
        with Store.open(place.folder / "county.duckdb", key=key) as store:
            fill(place, store)
            store.project(store.snapshot(), on=ON)
            if key is not None:
                written = [f for f in inbox.folder.iterdir() if "county" in f.name]
                assert {f.suffix for f in written} >= {".duckdb", ".projection"}
                assert [hit for f in written for hit in found_in_file(f)] == []
            else:
                store.run("checkpoint")
                assert len(found_in(plain.folder)) >= 4, "or the search would find nothing anyhow"


def found_in_file(file: Path) -> list[str]:
    data = file.read_bytes()
    return [word for word in WORDS if word.encode() in data]


@can_encrypt
def test_the_same_evidence_comes_out_and_other_processes_read_it_with_the_key(inbox: Inbox) -> None:
    key = StoreKey.generate()
    with Store.open(inbox.folder / "plain.duckdb") as plain:
        fill(inbox, plain)
        expected = plain.case_block("U-1", WANTED, on=ON)
    with Store.open(inbox.folder / "county.duckdb", key=key) as store:
        fill(inbox, store)
        assert store.case_block("U-1", WANTED, on=ON).persons.equals(expected.persons)
        file = store.project(store.snapshot(), on=ON).file
        sent = inbox.folder / "sent"
        sent.write_bytes(pickle.dumps(file))
        reads = (
            "import pickle, sys\nwith pickle.load(open(sys.argv[1], 'rb')).open() as r:\n"
            "    print(r.block({}, first=0, after=1).units)"
        )
        run = subprocess.run([sys.executable, "-c", reads, str(sent)], capture_output=True, text=True, check=False)
        assert run.stdout.split() == ["1"], run.stderr


@can_encrypt
def test_spilled_data_is_encrypted(tmp_path: Path) -> None:
    with Store.open(
        tmp_path / "county.duckdb", key=StoreKey.generate(), memory_limit="100MB", temp_dir=tmp_path / "spill"
    ) as store:
        store.run("create temp table t as select 'PLANTED-WORD-' || i as word from range(8000000) r(i)")
        spilled = [f for f in (tmp_path / "spill").rglob("*") if f.is_file() and f.stat().st_size]
        assert spilled, "nothing was spilled, so nothing is shown"
        assert not any(b"PLANTED-WORD-" in f.read_bytes() for f in spilled)


@can_encrypt
def test_only_its_key_opens_it_and_a_key_opens_nothing_that_is_not_encrypted(tmp_path: Path) -> None:
    path, key = tmp_path / "county.duckdb", StoreKey.generate()
    with Store.open(path, key=key):
        pass
    for read_only in (False, True):
        with pytest.raises(StoreError, match="no key was found"):
            Store.open(path, read_only=read_only)
        with pytest.raises(StoreError, match="not that of the store"):
            Store.open(path, key=StoreKey.generate(), read_only=read_only)
    with Store.open(tmp_path / "plain.duckdb"):
        pass
    with pytest.raises(StoreError, match="not encrypted"):
        Store.open(tmp_path / "plain.duckdb", key=key)


@can_encrypt
def test_the_key_is_found_in_a_file_beside_or_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, key = tmp_path / "county.duckdb", StoreKey.generate()
    key.save(key_beside(path))
    with Store.open(path):
        pass
    assert b"persons" not in path.read_bytes()
    key_beside(path).unlink()
    monkeypatch.setenv(ENVIRONMENT, key.text)
    with Store.open(path):
        pass
    monkeypatch.setenv(ENVIRONMENT, key.text[:-1])
    with pytest.raises(StoreError, match="MEANSCHECK_STORE_KEY is not a store key") as told:
        Store.open(path)
    assert key.passphrase[:16] not in str(told.value)


@can_encrypt
def test_a_store_in_the_clear_is_encrypted_and_a_key_is_changed(inbox: Inbox) -> None:
    path, key, other = inbox.folder / "county.duckdb", StoreKey.generate(), StoreKey.generate()
    with Store.open(path) as store:
        fill(inbox, store)
        snapshot = store.snapshot()
    rewrite(path, key=None, new_key=key)
    assert found_in_file(path) == []
    rewrite(path, key=key, new_key=other)
    with pytest.raises(StoreError, match="not that of the store"):
        Store.open(path, key=key)
    with Store.open(path, key=other) as store:
        assert store.snapshot() == snapshot
        assert store.case_block("U-1", WANTED, on=ON).units == 1


def test_without_the_extension_nothing_is_opened_and_nothing_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "_EXTENSION", "no_such_package")
    with pytest.raises(StoreError, match=r"meanscheck\[encryption\]"):
        Store.open(tmp_path / "county.duckdb", key=StoreKey.generate())
    assert list(tmp_path.iterdir()) == []


@can_encrypt
def test_a_database_that_takes_the_key_and_does_not_encrypt_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(tmp_path / "county.duckdb"):
        pass
    real = duckdb.connect

    class Forgetful:
        """A connection of a release that ignores the key."""

        def __init__(self) -> None:
            self._real = real(":memory:")

        def execute(self, sql: str, *more: object) -> object:
            if sql.startswith("attach"):
                sql = sql.split(" (")[0]
            return self._real.execute(sql, *more)

        def close(self) -> None:
            self._real.close()

    monkeypatch.setattr(duckdb, "connect", lambda *a, **k: Forgetful())
    with pytest.raises(StoreError, match="not encrypted"):
        Store.open(tmp_path / "county.duckdb", key=StoreKey.generate())


def test_a_key_shows_itself_nowhere(tmp_path: Path) -> None:
    key = StoreKey.generate()
    path = key.save(tmp_path / "k")
    for text in (repr(key), str(key), repr([key])):
        assert key.passphrase[:8] not in text
    path.chmod(0o640)
    with pytest.raises(StoreError, match="chmod 600"):
        StoreKey.load(path)
