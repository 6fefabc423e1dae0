"""Clients that share no code with us accept checkpoint, inclusion and consistency, and refuse each with a byte changed.

tlog-scales comes with the tests. Others are asked where they are present, and skipped with a reason where not: OpenSSL;
Go with Debian's golang-golang-x-mod-dev; aics-tlog under a Python 3.12 that MEANSCHECK_AICS_PYTHON names.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from meanscheck.errors import LedgerError
from meanscheck.ledger import Ledger, checkpoint, merkle, note, proof

from .builders import Folder

DECISION = 300
# Decision 299 of the second batch: seven entries of the first batch and one opening come before the batch's first.
AT_299 = 7 + 1 + 299
OUTSIDE = Path(__file__).parent / "outside"
GOCODE = Path("/usr/share/gocode")
AICS = "MEANSCHECK_AICS_PYTHON"


@dataclass(frozen=True)
class Case:
    """A checkpoint (`note`), a proof of `leaf` at `index` (no `old`), or one that `size` continues `old`, `before`."""

    note: bytes = b""
    leaf: bytes = b""
    index: int = 0
    old: int | None = None
    before: bytes = b""
    size: int = 0
    root: bytes = b""
    path: tuple[bytes, ...] = ()

    def as_json(self) -> dict[str, Any]:
        if self.note:
            return {"kind": "checkpoint", "note": base64.b64encode(self.note).decode()}
        shared = {
            "size": self.size,
            "root": note.encode64(self.root),
            "path": [note.encode64(node) for node in self.path],
        }
        if self.old is None:
            leaf = base64.b64encode(self.leaf).decode()
            return {"kind": "inclusion", "index": self.index, "leaf": leaf, **shared}
        return {"kind": "consistency", "old": self.old, "before": note.encode64(self.before), **shared}


Client = Callable[[Sequence[Case]], list[bool]]


def _proofs(folder: Folder) -> list[Case]:
    """Inclusion of first, middle and last entries; growth from sizes that a checkpoint had, and from odd ones."""
    ledger = folder.ledger
    head = checkpoint.parse(note.parse(ledger.checkpoint)[0])
    entries = [ledger.entry(index) for index in range(ledger.size)]
    flat = merkle.leaf_hashes(entries)
    tree = merkle.FlatTree(flat)
    cases = [
        Case(leaf=entries[index], index=index, size=head.size, root=head.root,
             path=tuple(merkle.prove_inclusion(tree, index, head.size)))
        for index in (0, AT_299, DECISION, head.size - 1)
    ]  # fmt: skip
    for old in (1, 7, 8, 256, 299, 512, folder.batches[1][1].size, head.size - 1):
        cases.append(Case(old=old, before=merkle.root(flat[: 32 * old]), size=head.size, root=head.root,
                          path=tuple(ledger.consistency(old))))  # fmt: skip
    return cases


def _flip(data: bytes, at: int, by: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ by]) + data[at + 1 :]


def _changed_notes(sound: bytes) -> Iterator[Case]:
    """Every byte of a checkpoint, to near ones and to those that mean something in it."""
    for at, byte in enumerate(sound):
        others = {byte ^ 1, byte ^ 0x20, byte ^ 0x80, (byte + 1) % 256, (byte - 1) % 256, *b"\n\r \t=A0+"}
        for other in others - {byte}:
            yield Case(note=sound[:at] + bytes([other]) + sound[at + 1 :])


def _changed_proofs(cases: Sequence[Case]) -> Iterator[Case]:
    """One byte of each hash, of the leaf, of either root; another place; a hash more or less; hashes exchanged.

    Sizes are not among them: they stand in the signed checkpoints, and one path may fit two neighbouring sizes.
    """
    chance = Random(5)
    for case in cases:
        for place, node in enumerate(case.path):
            for at in (0, 31, chance.randrange(32)):
                path = (*case.path[:place], _flip(node, at, 1 << chance.randrange(8)), *case.path[place + 1 :])
                yield replace(case, path=path)
        if case.path:
            yield replace(case, path=case.path[:-1])
            yield replace(case, path=case.path[1:])
        if len(case.path) > 1:
            yield replace(case, path=case.path[::-1])
        yield replace(case, path=(*case.path, bytes(32)))
        yield replace(case, root=_flip(case.root, chance.randrange(32)))
        if case.old is None:
            for at in range(len(case.leaf)):
                yield replace(case, leaf=_flip(case.leaf, at))
            yield replace(case, index=case.index + 1)
            yield replace(case, index=case.index ^ 1)
        else:
            yield replace(case, before=_flip(case.before, chance.randrange(32)))


def _is_judged_rightly(client: Client, sound: Sequence[Case], changed: Sequence[Case]) -> None:
    verdicts = client([*sound, *changed])
    assert len(verdicts) == len(sound) + len(changed)
    assert all(verdicts[: len(sound)])
    assert not [case for case, verdict in zip(changed, verdicts[len(sound) :], strict=True) if verdict]


# tlog-scales


@pytest.fixture
def scales(folder: Folder, caplog: pytest.LogCaptureFixture) -> Client:
    """It reads leniently (any line separator, stray bits of base64): what it read must write the bytes it was given."""
    tlog = pytest.importorskip("tlog_scales.tlog", reason="tlog-scales is not installed")
    from tlog_scales import signing
    from tlog_scales.tiles import leaf_hash

    caplog.set_level(logging.CRITICAL, logger="tlog_scales.signing")
    keys = signing.VkeySet(
        *(signing.Vkey.from_string(str(key)) for key in folder.policy.log_keys + folder.policy.witness_keys)
    )

    def judge(case: Case) -> bool:
        if case.note:
            head = tlog.Checkpoint.from_text(case.note.decode())
            return len(keys.verify(head.signatures, head)) == 2 and head.serialize().encode() == case.note
        if case.old is None:
            tlog.InclusionProof(case.index, case.size, list(case.path)).check(leaf_hash(case.leaf), case.root)
        else:
            tlog.ConsistencyProof(case.old, case.size, list(case.path)).check(case.before, case.root)
        return True

    def verdict(case: Case) -> bool:
        try:
            return judge(case)
        except (ValueError, IndexError, tlog.InclusionProofInvalid, tlog.ConsistencyProofInvalid):
            return False

    return lambda cases: [verdict(case) for case in cases]


def test_tlog_scales_accepts_the_checkpoint_and_refuses_it_with_any_byte_changed(
    folder: Folder, scales: Client
) -> None:
    sound = folder.ledger.checkpoint.encode()
    _is_judged_rightly(scales, [Case(note=sound)], list(_changed_notes(sound)))


def test_tlog_scales_accepts_inclusion_and_consistency_and_refuses_changed_ones(folder: Folder, scales: Client) -> None:
    proofs = _proofs(folder)
    _is_judged_rightly(scales, proofs, list(_changed_proofs(proofs)))


def test_tlog_scales_reads_the_folder_and_refuses_a_changed_leaf(folder: Folder, tmp_path: Path) -> None:
    backend = pytest.importorskip("tlog_scales.backend", reason="tlog-scales is not installed")
    from tlog_scales import signing, tlog
    from tlog_scales.reader import TilesReader
    from tlog_scales.tiles import leaf_hash

    reader = TilesReader(backend.make_backend(str(folder.path)))
    head = reader.get_checkpoint()
    keys = [signing.Vkey.from_string(str(key)) for key in folder.policy.log_keys + folder.policy.witness_keys]
    assert len(signing.VkeySet(*keys).verify(head.signatures, head)) == 2
    assert reader.calculate_root_hash() == head.root_hash
    for index in (0, DECISION, head.size - 1):
        reader.get_inclusion_proof(index, head.size).check(leaf_hash(reader.get_entry(index)), head.root_hash)
    parts = proof.parse(folder.receipt(DECISION))
    assert reader.get_inclusion_proof(DECISION, head.size).node_hashes == list(parts.path)
    changed = tmp_path / "changed"
    shutil.copytree(folder.path, changed)
    bundle = changed / "tile" / "entries" / "001"
    bundle.write_bytes(bundle.read_bytes().replace(b'"n":299,', b'"n":298,'))
    other = TilesReader(backend.make_backend(str(changed)))
    head = other.get_checkpoint()
    with pytest.raises(tlog.InclusionProofInvalid):
        proven = other.get_inclusion_proof(AT_299, head.size)
        proven.check(leaf_hash(other.get_entry(AT_299)), head.root_hash)
    with pytest.raises(LedgerError, match="entries/001 does not hash"):
        Ledger.open(changed, origin=folder.ledger.origin).check()
    for old in (1, 8, 300, folder.batches[1][1].size, head.size):
        grown = reader.get_consistency_proof(old, head.size)
        assert grown.node_hashes == folder.ledger.consistency(old)
        grown.check(reader.mth(0, old), head.root_hash)


# OpenSSL


def test_openssl_verifies_the_signature_and_refuses_a_changed_text_or_signature(folder: Folder, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl program is missing")
    text, lines = note.parse(folder.ledger.checkpoint)
    own = next(line for line in lines if line.key_id == folder.signer.key.key_id)
    # SubjectPublicKeyInfo of Ed25519 (RFC 8410): a fixed beginning and the 32 bytes.
    (tmp_path / "key.der").write_bytes(bytes.fromhex("302a300506032b6570032100") + folder.signer.key.public)
    options = ["-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-rawin", "-in", "text", "-sigfile", "by"]

    def verdict(body: bytes, signature: bytes) -> int:
        (tmp_path / "text").write_bytes(body)
        (tmp_path / "by").write_bytes(signature)
        done = subprocess.run([openssl, "pkeyutl", *options], cwd=tmp_path, capture_output=True, check=False)
        return done.returncode

    body = text.encode()
    assert verdict(body, own.signature) == 0
    for at in range(0, len(body), 5):
        assert verdict(_flip(body, at), own.signature) != 0
    for at in (0, 31, 32, 63):
        assert verdict(body, _flip(own.signature, at)) != 0


# Programs in other surroundings


def _asked(command: Sequence[str], folder: Folder, cases: Sequence[Case], work: Path) -> list[bool]:
    asked = {"log": str(folder.policy.log_keys[0]), "witness": str(folder.policy.witness_keys[0])}
    (work / "cases.json").write_text(
        json.dumps({**asked, "cases": [case.as_json() for case in cases]}), encoding="utf-8"
    )
    done = subprocess.run([*command, str(work / "cases.json")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [{"1": True, "0": False}[line] for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def sumdb(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Client:
    go, work = shutil.which("go"), tmp_path_factory.mktemp("go")
    if go is None:
        pytest.skip("Go is missing (Debian: golang-go)")
    if not (GOCODE / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip("Go's sumdb packages are missing (Debian: golang-golang-x-mod-dev)")
    # No module mode, no network: the packages as Debian installs them.
    settings = {
        "GO111MODULE": "off",
        "GOPATH": str(GOCODE),
        "GOCACHE": str(work / "cache"),
        "GOFLAGS": "",
        "GOPROXY": "off",
    }
    build = [go, "build", "-o", str(work / "sumdb"), str(OUTSIDE / "sumdb.go")]
    done = subprocess.run(build, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return lambda cases: _asked([str(work / "sumdb")], folder, cases, work)


def _own_line(folder: Folder) -> bytes:
    """The checkpoint with the log's own signature alone; a note stays valid with any of its lines."""
    text, lines = note.parse(folder.ledger.checkpoint)
    return note.format(text, [line for line in lines if line.key_id == folder.signer.key.key_id]).encode()


def test_go_accepts_the_checkpoint_and_refuses_it_with_any_byte_changed(folder: Folder, sumdb: Client) -> None:
    alone, whole = _own_line(folder), folder.ledger.checkpoint.encode()
    _is_judged_rightly(sumdb, [Case(note=alone), Case(note=whole)], list(_changed_notes(alone)))


def test_go_accepts_inclusion_and_consistency_and_refuses_changed_ones(folder: Folder, sumdb: Client) -> None:
    proofs = _proofs(folder)
    _is_judged_rightly(sumdb, proofs, list(_changed_proofs(proofs)))


@pytest.fixture(scope="module")
def aics(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Client:
    python, work = os.environ.get(AICS), tmp_path_factory.mktemp("aics")
    if not python:
        pytest.skip(f"{AICS} does not name a Python 3.12 with aics-tlog")
    return lambda cases: _asked([python, str(OUTSIDE / "aics.py")], folder, cases, work)


def test_aics_tlog_accepts_the_checkpoint_and_refuses_it_with_any_byte_changed(folder: Folder, aics: Client) -> None:
    sound = folder.ledger.checkpoint.encode()
    _is_judged_rightly(aics, [Case(note=sound)], list(_changed_notes(sound)))


def test_aics_tlog_accepts_inclusion_and_consistency_and_refuses_changed_ones(folder: Folder, aics: Client) -> None:
    proofs = _proofs(folder)
    _is_judged_rightly(aics, proofs, list(_changed_proofs(proofs)))


def test_aics_tlog_s_own_commands_read_the_folder(folder: Folder, aics: Client, tmp_path: Path) -> None:
    command = Path(os.environ[AICS]).with_name("aics-tlog")
    (tmp_path / "log.vkey").write_text(f"{folder.policy.log_keys[0]}\n", encoding="utf-8")
    shared = ["--vkey-file", str(tmp_path / "log.vkey"), "--tiles", str(folder.path)]
    witness = ["--witness-key", str(folder.policy.witness_keys[0]), "--quorum", "1"]
    leaf, older = tmp_path / "leaf", tmp_path / "older"

    def verdict(what: str, *options: str) -> int:
        done = subprocess.run([str(command), what, *shared, *options], capture_output=True, text=True, check=False)
        return done.returncode

    assert verdict("verify-checkpoint", *witness) == 0
    leaf.write_bytes(folder.ledger.entry(DECISION))
    assert verdict("verify-inclusion", "--index", str(DECISION), "--leaf", str(leaf), *witness) == 0
    leaf.write_bytes(folder.ledger.entry(DECISION + 1))
    assert verdict("verify-inclusion", "--index", str(DECISION), "--leaf", str(leaf), *witness) == 1
    # No witness cosigned the older checkpoint. A forged one of the same size is signed by the same key.
    older.write_text(folder.batches[1][1].checkpoint, encoding="utf-8")
    assert verdict("verify-consistency", "--old-checkpoint", str(older)) == 0
    head = checkpoint.parse(note.parse(folder.batches[1][1].checkpoint)[0])
    forged = checkpoint.format(replace(head, root=_flip(head.root, 7)))
    older.write_text(note.sign(forged, [folder.signer]), encoding="utf-8")
    assert verdict("verify-consistency", "--old-checkpoint", str(older)) == 1
