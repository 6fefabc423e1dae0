"""The SM profile: SM2 and SM3 give what the standards' examples and OpenSSL give."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import Policy, VerifierKey, note, sm2, sm3
from meanscheck.ledger.command import CommandSigner
from meanscheck.ledger.parallel import named
from meanscheck.ledger.sm2 import Sm2Key, Sm2Signer
from meanscheck.ledger.sm3 import SM3

from .builders import ORIGIN

# GB/T 32905-2016 (SM3), annex A.1 and A.2.
SM3_EXAMPLES = [
    (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
    (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
]

# GB/T 32918.5-2017 (SM2 with the recommended curve), annex A.2: key pair, message, signature (r, s).
PRIVATE = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
POINT = bytes.fromhex(
    "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
MESSAGE = "message digest"
SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
KEY = Sm2Key.of(named(ORIGIN), POINT)
TEXT = f"{named(ORIGIN)}\n0\nGrIdg1XPoX+OYRlIMegajyK+yMco/vt0ftA161CCqis=\n"
# SubjectPublicKeyInfo of a point of the SM2 curve (RFC 5480 form, curve 1.2.156.10197.1.301): a fixed beginning.
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")

needs_gm = pytest.mark.skipif(find_spec("gmssl_pyx") is None, reason="the extra gm (gmssl-pyx) is not installed")


def openssl(*arguments: str, folder: Path, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("the openssl program is missing")
    return subprocess.run([program, *arguments], cwd=folder, input=data, capture_output=True, check=False)


@pytest.fixture
def other_source(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hashlib without SM3."""

    def without(name: str, data: bytes = b"") -> object:
        raise ValueError(f"unsupported hash type {name}")

    sm3._source.cache_clear()
    sm3._after.cache_clear()
    monkeypatch.setattr(hashlib, "new", without)
    assert sm3._source() is sm3._Other
    yield
    sm3._source.cache_clear()
    sm3._after.cache_clear()


@pytest.mark.parametrize(("data", "digest"), SM3_EXAMPLES)
def test_sm3_is_that_of_the_standard(data: bytes, digest: str) -> None:
    assert sm3.sm3(data).hex() == digest


@pytest.mark.parametrize(("data", "digest"), SM3_EXAMPLES)
def test_sm3_of_cryptography_stands_in_where_hashlib_has_none(other_source: None, data: bytes, digest: str) -> None:
    assert sm3.sm3(data).hex() == digest
    assert SM3.leaf(data) == sm3.sm3(b"\0" + data)
    assert SM3.leaves([data, data]) == SM3.leaf(data) * 2
    assert SM3.parents(SM3.leaves([data, data])) == SM3.node(SM3.leaf(data), SM3.leaf(data))


def test_openssl_gives_the_same_sm3(tmp_path: Path) -> None:
    drawn = random.Random(5)
    for size in (0, 1, 55, 56, 64, 119, 120, 1000):
        data = drawn.randbytes(size)
        done = openssl("dgst", "-sm3", "-binary", folder=tmp_path, data=data)
        if done.returncode:
            pytest.skip("this OpenSSL has no SM3")
        assert sm3.sm3(data) == done.stdout
        assert SM3.leaf(data) == openssl("dgst", "-sm3", "-binary", folder=tmp_path, data=b"\0" + data).stdout
    assert SM3.empty == sm3.sm3(b"")


@needs_gm
def test_the_signature_of_the_standard_verifies_and_no_changed_one_does() -> None:
    KEY.verify(MESSAGE, SIGNATURE)
    for place in range(64):
        with pytest.raises(NotProven, match="does not fit"):
            KEY.verify(MESSAGE, SIGNATURE[:place] + bytes([SIGNATURE[place] ^ 1]) + SIGNATURE[place + 1 :])
    r, s = int.from_bytes(SIGNATURE[:32], "big"), int.from_bytes(SIGNATURE[32:], "big")
    for changed in (
        SIGNATURE[:-1],
        SIGNATURE + b"\0",
        b"",
        bytes(64),
        SIGNATURE[:32] + bytes(32),
        SIGNATURE[:32] + (ORDER - s).to_bytes(32, "big"),
        (ORDER).to_bytes(32, "big") + SIGNATURE[32:],
        s.to_bytes(32, "big") + r.to_bytes(32, "big"),
        sm2.to_der(SIGNATURE),
    ):
        with pytest.raises(NotProven, match="does not fit"):
            KEY.verify(MESSAGE, changed)
    with pytest.raises(NotProven, match="does not fit"):
        KEY.verify("message digesT", SIGNATURE)


@pytest.mark.parametrize(
    "public",
    [
        sm2.IDENTIFIER + POINT[:-1],
        sm2.IDENTIFIER + POINT[:-1] + bytes([POINT[-1] ^ 1]),
        sm2.IDENTIFIER + b"\x06" + POINT[1:],
        sm2.IDENTIFIER + POINT[1:],
        sm2.IDENTIFIER + b"\x04" + bytes(64),
        sm2.IDENTIFIER + b"\x03" + POINT[1:33],
        b"example.com/other\0" + POINT,
        POINT,
        b"",
    ],
    ids=["short", "off the curve", "hybrid", "bare", "zero", "compressed", "other type", "no type", "nothing"],
)
def test_keys_of_another_form_are_refused(public: bytes) -> None:
    written = note.encode64(b"\xff" + public)
    digest = hashlib.sha256(b"k\n\xff" + public).digest()[:4].hex()
    with pytest.raises(NotProven) as caught:
        VerifierKey.parse(f"k+{digest}+{written}")
    assert caught.value.step == "key"


def test_a_policy_may_list_an_sm2_key_as_a_log() -> None:
    text = f"log {KEY}\nquorum none\n"
    policy = Policy.parse(text)
    assert policy.log_keys == (KEY,)
    assert policy.format() == text
    with pytest.raises(NotProven, match="key id"):
        Policy.parse(text.replace(KEY.key_id.hex(), "00000000"))
    with pytest.raises(NotProven, match="witness key"):
        Policy.parse(f"witness w {KEY}\nquorum none\n")
    with pytest.raises(NotProven, match="no known type"):
        Sm2Key.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")


@needs_gm
def test_a_signed_note_opens_for_its_key_and_openssl_accepts_the_signature(tmp_path: Path) -> None:
    signed = note.sign(TEXT, [Sm2Signer(KEY, PRIVATE)])
    opened = note.open(signed, [KEY])
    assert opened.text == TEXT
    (tmp_path / "key.der").write_bytes(SPKI + POINT)
    (tmp_path / "signature").write_bytes(sm2.to_der(opened.signatures[0].line.signature))
    arguments = ["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-rawin", "-digest", "sm3"]
    arguments += ["-in", "text", "-sigfile", "signature", "-pkeyopt", "distid:1234567812345678"]
    for text, good in ((TEXT, True), (TEXT.replace("\n0\n", "\n1\n"), False)):
        (tmp_path / "text").write_text(text)
        assert (openssl(*arguments, folder=tmp_path).returncode == 0) is good
    with pytest.raises(NotProven, match="signature"):
        note.open(signed.replace("\n0\n", "\n1\n"), [KEY])


@needs_gm
def test_openssl_signs_with_sm2_as_a_command(tmp_path: Path) -> None:
    # ECPrivateKey (RFC 5915) with the SM2 curve's identifier and the public key.
    body = bytes.fromhex("0201010420") + PRIVATE + bytes.fromhex("a00a06082a811ccf5501822da144034200") + POINT
    (tmp_path / "key.der").write_bytes(b"\x30" + bytes([len(body)]) + body)
    options = "-sign -keyform DER -inkey key.der -rawin -digest sm3 -pkeyopt distid:1234567812345678 -in text"
    script = tmp_path / "sign"
    script.write_text(f'#!/bin/sh\ncd "{tmp_path}" && cat > text && "{shutil.which("openssl")}" pkeyutl {options}\n')
    script.chmod(0o700)
    if shutil.which("openssl") is None:
        pytest.skip("the openssl program is missing")
    signature = CommandSigner(KEY, command=[str(script)], convert=sm2.from_der).sign_note(TEXT)
    KEY.verify(TEXT, signature)
    with pytest.raises(LedgerError, match="something else"):
        CommandSigner(KEY, command=[str(script)]).sign_note(TEXT)


@needs_gm
def test_key_files_are_sealed_and_bound_to_their_public_key(tmp_path: Path) -> None:
    signer, path = Sm2Signer(KEY, PRIVATE), tmp_path / "keys" / "county.sm2"
    signer.save(path, passphrase=b"long passphrase")
    assert path.stat().st_mode & 0o777 == 0o600
    assert PRIVATE not in path.read_bytes() and PRIVATE.hex() not in path.read_text()
    loaded = Sm2Signer.load(path, passphrase=lambda: b"long passphrase")
    assert loaded.key == KEY
    KEY.verify(TEXT, loaded.sign_note(TEXT))
    with pytest.raises(LedgerError, match="exists already"):
        signer.save(path, passphrase=b"other")
    with pytest.raises(LedgerError, match="passphrase is wrong"):
        Sm2Signer.load(path, passphrase=b"short passphrase")
    first, second = path.read_text().splitlines()
    stranger = Sm2Signer.generate(named(ORIGIN))
    for changed in (f"{stranger.key}\n{second}\n", f"{first}\n{second[:-8]}AAAAAAA=\n", f"{first}\nAAAA\n"):
        path.write_text(changed)
        with pytest.raises(LedgerError, match="is damaged"):
            Sm2Signer.load(path, passphrase=b"long passphrase")
    path.write_text(f"{first}\n")
    with pytest.raises(LedgerError, match="not one of SM2"):
        Sm2Signer.load(path, passphrase=b"long passphrase")


@needs_gm
def test_a_private_key_that_does_not_fit_signs_nothing() -> None:
    for private in (PRIVATE[::-1], bytes(32), b"\xff" * 32):
        with pytest.raises(NotProven):
            Sm2Signer(KEY, private).sign_note(TEXT)


def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gmssl_pyx", None)
    for use in (lambda: KEY.verify(TEXT, SIGNATURE), lambda: Sm2Signer.generate("k")):
        with pytest.raises(LedgerError, match=r"meanscheck\[gm\]"):
            use()
