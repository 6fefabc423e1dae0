"""Clients that share no code with us read the log, and refuse what was changed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from meanscheck.errors import LedgerError
from meanscheck.ledger import Ledger, note, proof

from .builders import Folder

DECISION = 300
# Decision 299 of the second batch: seven entries of the first batch and one opening come before the batch's first.
AT_299 = 7 + 1 + 299


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
    old = folder.batches[1][1].size
    grown = reader.get_consistency_proof(old, head.size)
    assert grown.node_hashes == folder.ledger.consistency(old)
    grown.check(reader.mth(0, old), head.root_hash)


def test_openssl_verifies_the_signature_and_refuses_a_changed_text(folder: Folder, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl program is missing")
    text, lines = note.parse(folder.ledger.checkpoint)
    own = next(line for line in lines if line.key_id == folder.signer.key.key_id)
    # SubjectPublicKeyInfo of Ed25519 (RFC 8410): a fixed beginning and the 32 bytes.
    (tmp_path / "key.der").write_bytes(bytes.fromhex("302a300506032b6570032100") + folder.signer.key.public)
    (tmp_path / "signature").write_bytes(own.signature)

    def verdict(body: str) -> int:
        (tmp_path / "text").write_bytes(body.encode())
        arguments = [
            "pkeyutl",
            "-verify",
            "-pubin",
            "-keyform",
            "DER",
            "-inkey",
            "key.der",
            "-rawin",
            "-in",
            "text",
            "-sigfile",
            "signature",
        ]
        return subprocess.run([openssl, *arguments], cwd=tmp_path, capture_output=True, check=False).returncode

    assert verdict(text) == 0
    assert verdict(text.replace("\n61", "\n62", 1)) != 0
    assert "\n61" in text
