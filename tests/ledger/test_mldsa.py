"""ML-DSA-44 lines: made as C2SP tlog-cosignature says, accepted by a client we did not write, refused when changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import Ledger, Policy, Signer, VerifierKey, checkpoint, keyfile, merkle, note, receipts, verify
from meanscheck.ledger.checkpoint import Checkpoint
from meanscheck.ledger.keyfile import PrivateKey
from meanscheck.ledger.policy import LogLine, WitnessLine

from .builders import ORIGIN, MadeBatch, all_groups

SEED = b"ml-dsa" + bytes(26)
HEAD = Checkpoint("example.com/behind-the-sofa", 20852163, hashlib.sha256(b"root").digest())
TEXT = checkpoint.format(HEAD)


def key(name: str = "witness.example.com/w1", seed: bytes = SEED) -> PrivateKey:
    return PrivateKey.from_seed(name, note.ML_DSA, seed=seed)


def public(seed: bytes = SEED) -> bytes:
    return mldsa.MLDSA44PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()


# cosigned_message of the specification, written out: label, names with a byte of length, numbers of eight bytes.
MESSAGE = (
    b"subtree/v1\n\x00"
    b"\x16witness.example.com/w1"
    b"\x00\x00\x00\x00\x64\x18\x50\xcb"
    b"\x1bexample.com/behind-the-sofa"
    b"\x00\x00\x00\x00\x00\x00\x00\x00"
    b"\x00\x00\x00\x00\x01\x3e\x2d\xc3"
)


def test_the_message_is_that_of_the_specification() -> None:
    assert note.checkpoint_message("witness.example.com/w1", TEXT, 1679315147) == MESSAGE + HEAD.root


def test_the_key_id_and_the_signature_are_those_of_the_specification() -> None:
    own = key()
    expected = hashlib.sha256(b"witness.example.com/w1\n\x06" + public()).digest()[:4]
    assert own.key.key_id == expected
    signature = own.cosign(TEXT, time=1679315147)
    assert (signature[:8].hex(), len(signature)) == ("00000000641850cb", 8 + 2420)
    mldsa.MLDSA44PrivateKey.from_seed_bytes(SEED).public_key().verify(signature[8:], MESSAGE + HEAD.root)
    assert own.key.verify(TEXT, signature) == 1679315147


def test_the_logs_own_line_states_no_time() -> None:
    own = key(HEAD.origin)
    signature = own.sign_note(TEXT)
    assert signature[:8] == bytes(8)
    assert own.key.verify(TEXT, signature) is None


def test_a_line_is_bound_to_the_name_the_time_and_everything_that_the_checkpoint_says() -> None:
    own = key()
    sound = own.cosign(TEXT, time=5)
    others = [
        Checkpoint("example.com/before-the-sofa", HEAD.size, HEAD.root),
        Checkpoint(HEAD.origin, HEAD.size + 1, HEAD.root),
        Checkpoint(HEAD.origin, HEAD.size, bytes(32)),
    ]
    for head in others:
        with pytest.raises(NotProven, match="does not fit"):
            own.key.verify(checkpoint.format(head), sound)
    with pytest.raises(NotProven, match="does not fit"):
        VerifierKey("witness.example.com/w2", note.ML_DSA, public()).verify(TEXT, sound)
    with pytest.raises(NotProven, match="does not fit"):
        own.key.verify(TEXT, (6).to_bytes(8, "big") + sound[8:])
    with pytest.raises(NotProven, match="does not fit"):
        key(seed=bytes(32)).key.verify(TEXT, sound)


@pytest.mark.parametrize("signature", [b"", bytes(72), bytes(2427), bytes(2429)], ids=len)
def test_signatures_of_another_length_are_refused(signature: bytes) -> None:
    with pytest.raises(NotProven, match="length"):
        key().key.verify(TEXT, signature)


def test_times_beyond_the_specification_are_refused() -> None:
    with pytest.raises(NotProven, match="impossible time"):
        key().key.verify(TEXT, b"\x80" + bytes(7 + 2420))
    for time in (0, -1, 2**63):
        with pytest.raises(LedgerError, match="states a time"):
            key().cosign(TEXT, time=time)


def test_only_checkpoints_can_be_signed() -> None:
    for text in ("text\n", TEXT + "extension\n"):
        with pytest.raises(NotProven, match="three lines"):
            key().sign_note(text)
    with pytest.raises(NotProven, match="255 bytes"):
        key().sign_note(checkpoint.format(Checkpoint("o" * 256, 1, bytes(32))))


@pytest.mark.parametrize(("start", "end"), [(0, 1), (0, 7), (4, 8), (4, 7), (6, 7), (256, 512)])
def test_a_subtree_is_signed_without_a_time(start: int, end: int) -> None:
    own, root = key(), bytes(range(32))
    signature = own.sign_subtree(origin="log.example", start=start, end=end, root=root)
    assert signature[:8] == bytes(8)
    assert own.key.verify_subtree(signature, origin="log.example", start=start, end=end, root=root) is None
    for origin, other, value in (
        ("other.example", end, root),
        ("log.example", end + 1 if start == 0 else start + 1 if end > start + 1 else end + 1, root),
        ("log.example", end, bytes(32)),
    ):
        with pytest.raises(NotProven):
            own.key.verify_subtree(signature, origin=origin, start=start, end=other, root=value)
    message = note.subtree_message(own.key.name, 0, origin="log.example", start=start, end=end, root=root)
    assert message[-48:] == start.to_bytes(8, "big") + end.to_bytes(8, "big") + root


@pytest.mark.parametrize(("start", "end"), [(1, 3), (2, 5), (4, 4), (5, 4), (-1, 2), (6, 9), (12, 20)])
def test_leaves_that_are_no_subtree_are_refused(start: int, end: int) -> None:
    with pytest.raises(NotProven, match="not a subtree"):
        key().sign_subtree(origin="log.example", start=start, end=end, root=bytes(32))


def test_a_subtree_that_does_not_begin_at_zero_states_no_time() -> None:
    with pytest.raises(NotProven, match="states no time"):
        note.subtree_message("w", 1, origin="log.example", start=4, end=8, root=bytes(32))


def test_ed25519_keys_sign_no_subtree() -> None:
    plain = PrivateKey.generate("w.example", note.COSIGNATURE)
    with pytest.raises(LedgerError, match="only type 6"):
        plain.sign_subtree(origin="log.example", start=0, end=1, root=bytes(32))
    with pytest.raises(NotProven, match="only type 6"):
        plain.key.verify_subtree(bytes(72), origin="log.example", start=0, end=1, root=bytes(32))


def test_a_verifier_key_is_read_back_and_no_other_size_is() -> None:
    own = key().key
    assert VerifierKey.parse(str(own)) == own
    for size in (32, 1311, 1313, 1952):
        with pytest.raises(NotProven, match="1312 bytes"):
            VerifierKey("w.example", note.ML_DSA, bytes(size))
    for kind in (note.ED25519, note.COSIGNATURE):
        with pytest.raises(NotProven, match="32 bytes"):
            VerifierKey("w.example", kind, bytes(1312))
    with pytest.raises(NotProven, match="255 bytes"):
        VerifierKey("w" * 256, note.ML_DSA, public())


def test_what_a_key_may_not_sign_is_refused() -> None:
    with pytest.raises(LedgerError, match="witness's"):
        PrivateKey.generate("w.example", note.COSIGNATURE).sign_note(TEXT)
    with pytest.raises(LedgerError, match="log's"):
        PrivateKey.generate("w.example", note.ED25519).cosign(TEXT, time=1)
    with pytest.raises(LedgerError, match="witness's key cannot sign"):
        Signer([PrivateKey.generate("w.example", note.COSIGNATURE)])


def test_a_package_that_only_looks_able_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = key()

    def fail() -> None:
        raise UnsupportedAlgorithm("ML-DSA-44 is not supported by this backend.")

    monkeypatch.setattr(mldsa.MLDSA44PrivateKey, "generate", fail)
    note.ml_dsa.cache_clear()
    try:
        with pytest.raises(LedgerError, match="cryptography>=48"):
            sound.key.verify(TEXT, bytes(8 + 2420))
    finally:
        note.ml_dsa.cache_clear()


# Clients that share no code with us.


def test_tlog_scales_accepts_our_lines_and_refuses_them_over_another_checkpoint() -> None:
    signing = pytest.importorskip("tlog_scales.signing", reason="tlog-scales is not installed")
    tlog = pytest.importorskip("tlog_scales.tlog")
    log = Signer.from_seed(HEAD.origin, seed=bytes(32), ml_dsa_seed=SEED)
    lines = [note.SignatureLine(k.key.name, k.key.key_id, k.sign_note(TEXT)) for k in log.signers]
    witness = [PrivateKey.generate("w.example/1", kind) for kind in (note.COSIGNATURE, note.ML_DSA)]
    lines += [note.SignatureLine(w.key.name, w.key.key_id, w.cosign(TEXT, time=1679315147)) for w in witness]
    keys = [signing.Vkey.from_string(str(k)) for k in (*log.keys, *(w.key for w in witness))]
    theirs = signing.VkeySet(*keys)
    parsed = tlog.Checkpoint.from_text(note.format(TEXT, lines))
    assert len(theirs.verify(parsed.signatures, parsed)) == 4
    other = checkpoint.format(Checkpoint(HEAD.origin, HEAD.size - 1, HEAD.root))
    parsed = tlog.Checkpoint.from_text(note.format(other, lines))
    assert theirs.verify(parsed.signatures, parsed) == set()


def test_the_lines_of_tlog_scales_are_accepted_here() -> None:
    signing = pytest.importorskip("tlog_scales.signing", reason="tlog-scales is not installed")
    tlog = pytest.importorskip("tlog_scales.tlog")
    signers = [
        signing.PlainEd25519Signer(HEAD.origin, bytes(range(32))),
        signing.MLDSA44CosignatureSigner(HEAD.origin, SEED),
        signing.MLDSA44CosignatureSigner("w.example/1", bytes(32)),
    ]
    signed = tlog.Checkpoint.make_signed(HEAD.origin, HEAD.size, HEAD.root, signers).serialize()
    keys = [VerifierKey.parse(signer.vkey.serialize()) for signer in signers]
    opened = note.open(signed, keys)
    assert (opened.text, len(opened.signatures), opened.unknown) == (TEXT, 3, ())
    assert note.format(opened.text, [s.line for s in opened.signatures]) == signed


# A log with both keys, and its receipts.


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ledger, str]:
    """A ledger whose signer has both keys, and the receipt of its decision 2."""
    signer = Signer.from_seed(ORIGIN, seed=bytes(32), ml_dsa_seed=SEED)
    ledger, batch = Ledger.open(tmp_path_factory.mktemp("both"), signer=signer), MadeBatch("b", 3)
    ledger.append(batch)
    salts, leaf = batch.kept[3]
    return ledger, ledger.receipt(3, leaf, all_groups(2), salts, ["result"])


def test_checkpoint_policy_and_receipt_have_both_keys(both: tuple[Ledger, str]) -> None:
    ledger, receipt = both
    assert [k.type for k in ledger.policy().log_keys] == [1, 6]
    assert Policy.parse(ledger.policy().format()) == ledger.policy()
    opened = note.open(ledger.checkpoint, ledger.policy().log_keys)
    assert [s.key.type for s in opened.signatures] == [1, 6]
    assert len(verify(receipt.encode(), policy=ledger.policy()).signed_by) == 2


def test_a_compact_receipt_is_short_and_holds(both: tuple[Ledger, str]) -> None:
    ledger, receipt = both
    short = receipts.compact(receipt)
    assert len(receipt) - len(short) == len(f"— {ORIGIN} \n") + 4 * -(-(4 + 8 + 2420) // 3)
    assert len(verify(short.encode(), policy=ledger.policy()).signed_by) == 1
    assert receipts.compact(short) == short
    ed25519, ml_dsa = (Policy((LogLine(k),)) for k in ledger.policy().log_keys)
    assert verify(short.encode(), policy=ed25519).signed_by == (ed25519.log_keys[0].label,)
    with pytest.raises(NotProven, match="no known key"):
        verify(short.encode(), policy=ml_dsa)
    with pytest.raises(NotProven, match="does not list"):
        verify(receipt.encode(), policy=ed25519)


def test_a_signer_with_ml_dsa_only_is_not_made_compact() -> None:
    text = checkpoint.format(Checkpoint(ORIGIN, 1, merkle.leaf_hash(b"{}")))
    signed = note.sign(text, [key(ORIGIN)])
    receipt = receipts.format(receipts.Receipt(0, (), signed, b"{}", {}, (), None))
    assert receipts.compact(receipt) == receipt


def test_changing_any_one_byte_of_the_long_line_is_refused(both: tuple[Ledger, str]) -> None:
    ledger, receipt = both
    sound, policy = receipt.encode(), ledger.policy()
    begin = max(map(len, receipt.split("\n\n")[2].split("\n")))
    places = range(len(sound) - begin - 8, len(sound))
    assert len(places) > 3_200
    for place in places:
        changed = bytearray(sound)
        changed[place] ^= 1 if place % 2 else 0x20
        with pytest.raises(NotProven):
            verify(bytes(changed), policy=policy)
            pytest.fail(f"accepted a change at {place}")


def test_a_policy_takes_ml_dsa_keys_of_logs_and_witnesses() -> None:
    log, witness = key(ORIGIN).key, key(seed=bytes(32)).key
    text = f"log {log}\nwitness audit {witness}\nquorum audit\n"
    policy = Policy.parse(text)
    assert (policy.log_keys, policy.witness_keys, policy.format()) == ((log,), (witness,), text)
    signed = note.sign(checkpoint.format(Checkpoint(ORIGIN, 1, bytes(32))), [key(ORIGIN)])
    assert note.open(signed, policy.log_keys).signatures[0].key == log
    for other, why in ((key().key, "listed twice"), (key(ORIGIN, bytes(32)).key, "does not witness itself")):
        with pytest.raises(NotProven, match=why):
            Policy.parse(f"log {log}\nwitness audit {other}\nquorum audit\n")


@pytest.mark.parametrize("time", [0, 1_780_000_000])
def test_a_cosignature_that_states_no_time_is_told_so(time: int, tmp_path: Path) -> None:
    signer, cosigner = Signer.generate(ORIGIN), key()
    ledger, batch = Ledger.open(tmp_path, signer=signer), MadeBatch("b", 1)
    ledger.append(batch)
    text = note.parse(ledger.checkpoint)[0]
    signature = cosigner.cosign(text, time=time) if time else cosigner.sign_note(text)
    logs = tuple(LogLine(k) for k in signer.keys)
    policy = Policy(logs, (WitnessLine("audit", cosigner.key),), (), "audit")
    ledger.add_cosignatures(str(note.SignatureLine(cosigner.key.name, cosigner.key.key_id, signature)), policy=policy)
    salts, leaf = batch.kept[1]
    proven = verify(ledger.receipt(1, leaf, all_groups(0), salts, []).encode(), policy=policy)
    assert proven.witnessed == ((cosigner.key.label, time),)
    assert ("no time stated" in "".join(proven.report("en"))) == (time == 0)
    assert ("1970" in "".join(proven.report())) is False


# Key files.


def test_one_file_keeps_both_keys(tmp_path: Path) -> None:
    signer = Signer.generate(ORIGIN)
    path = signer.save(tmp_path / "county.key", passphrase=b"correct horse")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes().count(b"BEGIN ENCRYPTED PRIVATE KEY") == 2
    assert b"BEGIN PRIVATE" not in path.read_bytes()
    loaded = Signer.load(path, passphrase=b"correct horse")
    assert loaded.keys == signer.keys
    signed = loaded.sign_checkpoint(Checkpoint(ORIGIN, 1, bytes(32)), prove=lambda old: [])
    assert len(note.open(signed, signer.keys).signatures) == 2


def test_a_key_file_of_an_older_release_is_read(tmp_path: Path) -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    verifier = VerifierKey(ORIGIN, note.ED25519, private.public_key().public_bytes_raw())
    for protection in (form.NoEncryption(), form.BestAvailableEncryption(b"x")):
        path = tmp_path / type(protection).__name__
        path.write_bytes(
            f"{verifier}\n".encode() + private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, protection)
        )
        path.chmod(0o600)
        assert Signer.load(path, passphrase=b"x").keys == (verifier,)


@pytest.mark.parametrize("damage", ["swapped", "one missing", "one more", "first line", "between", "after", "kind"])
def test_damaged_key_files_are_refused(damage: str, tmp_path: Path) -> None:
    data = Signer.generate(ORIGIN).save(tmp_path / "a.key", unprotected=True).read_text()
    first, second, *_ = data.split("\n")
    blocks = [f"-----BEGIN{part}" for part in data.split("-----BEGIN")[1:]]
    changed = {
        "swapped": f"{first}\n{second}\n{blocks[1]}{blocks[0]}",
        "one missing": f"{first}\n{second}\n{blocks[0]}",
        "one more": f"{first}\n{second}\n{''.join(blocks)}{blocks[0]}",
        "first line": f"{first}\n{''.join(blocks)}",
        "between": f"{first}\n{second}\n{blocks[0]}\n{blocks[1]}",
        "after": data + "x",
        "kind": f"{second}\n{blocks[0]}",
    }[damage]
    path = tmp_path / "b.key"
    path.write_text(changed)
    path.chmod(0o600)
    with pytest.raises(LedgerError, match=r"damaged|another key"):
        Signer.load(path)


def test_a_file_with_one_open_key_is_open(tmp_path: Path) -> None:
    keys = [PrivateKey.generate(ORIGIN, kind) for kind in (note.ED25519, note.ML_DSA)]
    path = tmp_path / "half.key"
    path.write_bytes("".join(f"{k.key}\n" for k in keys).encode() + keys[0].pem(b"x") + keys[1].pem(None))
    path.chmod(0o644)
    with pytest.raises(LedgerError, match="chmod 600"):
        keyfile.read(path, passphrase=b"x")
    path.chmod(0o600)
    assert [k.key for k in keyfile.read(path, passphrase=b"x")] == [k.key for k in keys]


# Other holders of keys.


class Device:
    """Stands for something that holds the key itself."""

    def __init__(self, name: str) -> None:
        self._inner = PrivateKey.generate(name, note.ED25519)
        self.key = self._inner.key

    def sign_note(self, text: str) -> bytes:
        return self._inner.sign_note(text)


def test_a_log_is_signed_by_whatever_signs_notes(tmp_path: Path) -> None:
    signer = Signer([Device(ORIGIN), key(ORIGIN)], path=tmp_path / "keys" / "device")
    (tmp_path / "keys").mkdir()
    ledger = Ledger.open(tmp_path / "log", signer=signer)
    ledger.append(MadeBatch("b", 3))
    assert len(note.open(ledger.checkpoint, ledger.policy().log_keys).signatures) == 2
    with pytest.raises(LedgerError, match="cannot be saved"):
        signer.save(tmp_path / "copy.key", unprotected=True)
    assert signer.state_path is not None and signer.state_path.exists()


def test_a_signer_needs_keys_of_one_name_each_once() -> None:
    for keys in ([], [key(ORIGIN), key("other.example")], [key(ORIGIN), key(ORIGIN)]):
        with pytest.raises(LedgerError):
            Signer(keys)
