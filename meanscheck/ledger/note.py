"""Who signed this text? A signed note (C2SP signed-note 1.0) answers in plain text.

A note is a text that ends in a newline, an empty line, and signature lines:

    — <key name> <base64 of 4 bytes key id and the signature>

Key id: the first four bytes of SHA-256 over name, newline, type byte, public key. A *verifier key* is written
`<name>+<key id in hex>+<base64 of type byte and public key>`. Three types are known here:

| Type | Public key | Signature | Signed message |
|---|---|---|---|
| 1 | Ed25519, 32 bytes | 64 bytes | the text |
| 4 | Ed25519, 32 bytes | time (8 bytes, big-endian) and 64 bytes | `cosigned_message` |
| 6 | ML-DSA-44, 1312 bytes | time (8 bytes) and 2420 bytes | `subtree_message` |

Type 4 is a witness's cosignature; type 6, which quantum computers will not break, is a witness's or the log's own (both
C2SP tlog-cosignature). Type 6 binds the signer's name and signs what a checkpoint says, not its text, so that only
checkpoints can carry it. Its time is 0 where none is stated, as on the log's own lines: what happened when is for
witnesses to say.

The example of the specification, opened with the key of Go's `note` package:

>>> key = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
>>> signed = '''If you think cryptography is the answer to your problem,
... then you don't know what your problem is.
...
... — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
... '''
>>> opened = open(signed, [key])
>>> opened.text.splitlines()[0], [signature.key.name for signature in opened.signatures]
('If you think cryptography is the answer to your problem,', ['PeterNeumann'])
>>> open(signed.replace("answer", "question"), [key])
Traceback (most recent call last):
meanscheck.errors.NotProven: signature: the signature of key PeterNeumann+c74f20a3 does not fit the text

`open` ignores lines of unknown keys, as the specification asks, and says how many there were; a receipt allows none
(`receipts.py`). The text must not be used before `open` has returned it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from types import ModuleType
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from meanscheck.errors import LedgerError, NotProven

# What verification needs is imported with the room, so that the first receipt takes no longer than the next.
with suppress(ImportError):
    import cryptography.hazmat.backends.openssl
    import cryptography.hazmat.primitives.asymmetric.mldsa  # noqa: F401

ED25519 = 1
COSIGNATURE = 4
ML_DSA = 6
"""ML-DSA-44 (FIPS 204), with a time."""

_PUBLIC = {ED25519: 32, COSIGNATURE: 32, ML_DSA: 1312}
SIGNATURE_BYTES = {ED25519: 64, COSIGNATURE: 8 + 64, ML_DSA: 8 + 2420}
LONG = 255
"""A longer identifier follows; `sm2.py` has the one that is known here."""

MAX_NOTE = 1 << 20
MAX_SIGNATURES = 64
MAX_NAME = 255
MAX_TIME = 2**63 - 1


class NoteSigner(Protocol):
    """Anything that signs notes: a key file, a device, an external command."""

    @property
    def key(self) -> VerifierKey: ...

    def sign_note(self, text: str) -> bytes:
        """Signature bytes of this key's type over the note text, without the key id."""


@dataclass(frozen=True)
class VerifierKey:
    """A public key with its name; `str()` writes it as in policies."""

    name: str
    type: int
    public: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise NotProven("key", "a key name must be non-empty and without spaces, plus signs or control characters")
        if self.type not in _PUBLIC:
            raise NotProven("key", f"signature type {self.type} is not supported")
        if len(self.public) != _PUBLIC[self.type]:
            raise NotProven("key", f"a public key of type {self.type} has {_PUBLIC[self.type]} bytes")
        if self.type == ML_DSA and len(self.name.encode()) > MAX_NAME:
            raise NotProven("key", f"the name of an ML-DSA-44 key has at most {MAX_NAME} bytes")

    @cached_property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name, newline, type, public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:4]

    @property
    def label(self) -> str:
        """Name and key id, as shown to people."""
        return f"{self.name}+{self.key_id.hex()}"

    def __str__(self) -> str:
        return f"{self.label}+{encode64(bytes([self.type]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read `<name>+<key id>+<base64>`; NotProven (step ``key``) unless the id fits and the form is canonical."""
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise NotProven("key", "a verifier key has the form name+id+base64")
        data = decode64(parts[2])
        if data is None or not data:
            raise NotProven("key", "the key part is not standard base64")
        if data[0] == LONG and cls is VerifierKey:
            from meanscheck.ledger.sm2 import Sm2Key

            return Sm2Key.parse(text)
        key = cls(parts[0], data[0], data[1:])
        if parts[1] != key.key_id.hex():
            raise NotProven("key", "the key id does not fit name and key")
        return key

    def verify(self, text: str, signature: bytes) -> int | None:
        """Check a signature over a note text. Returns its time in POSIX seconds, None where it states none."""
        time, signature = self._timed(signature)
        if self.type == ED25519:
            message = text.encode()
        elif self.type == COSIGNATURE:
            message = cosigned_message(text, time)
        else:
            message = checkpoint_message(self.name, text, time)
        self._verify(message, signature)
        return time if self.type == COSIGNATURE else time or None

    def verify_subtree(self, signature: bytes, *, origin: str, start: int, end: int, root: bytes) -> int | None:
        """Check an ML-DSA-44 signature over the root of leaves [start, end) of a log; returns as `verify` does."""
        if self.type != ML_DSA:
            raise NotProven("signature", f"key {self.label} cannot sign subtrees: only type {ML_DSA} does")
        time, signature = self._timed(signature)
        self._verify(subtree_message(self.name, time, origin=origin, start=start, end=end, root=root), signature)
        return time or None

    def _timed(self, signature: bytes) -> tuple[int, bytes]:
        """Time (0 where the type has none) and bare signature."""
        if len(signature) != SIGNATURE_BYTES[self.type]:
            raise NotProven("signature", f"the signature of key {self.label} has the wrong length")
        if self.type == ED25519:
            return 0, signature
        return int.from_bytes(signature[:8], "big"), signature[8:]

    def _verify(self, message: bytes, signature: bytes) -> None:
        try:
            if self.type == ML_DSA:
                ml_dsa().MLDSA44PublicKey.from_public_bytes(self.public).verify(signature, message)
            else:
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise NotProven("signature", f"the signature of key {self.label} does not fit the text") from None


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature line, not yet checked."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"— {self.name} {encode64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that was checked. `time`: POSIX seconds of a cosignature, None where no time is stated."""

    key: VerifierKey
    line: SignatureLine
    time: int | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A note whose text may be used: at least one known key signed it."""

    text: str
    signatures: tuple[Signature, ...]
    unknown: tuple[SignatureLine, ...]


def sign(text: str, signers: Iterable[NoteSigner], *, existing: Sequence[SignatureLine] = ()) -> str:
    """The signed note of a text: `existing` lines first, then one line for each signer."""
    check_text(text)
    lines = [*existing]
    lines += [SignatureLine(signer.key.name, signer.key.key_id, signer.sign_note(text)) for signer in signers]
    if not lines:
        raise NotProven("note", "a note needs at least one signature")
    return format(text, lines)


def open(note: str, keys: Collection[VerifierKey]) -> Opened:
    """Check a note against known keys.

    Raises:
        NotProven: step ``note`` for a faulty form; step ``signature`` when a known key's signature does not verify,
            occurs twice, or no known key signed.
    """
    text, lines = parse(note)
    known = {(key.name, key.key_id): key for key in keys}
    if len(known) != len(keys):
        raise NotProven("signature", "two known keys have the same name and key id")
    good: dict[tuple[str, bytes], Signature] = {}
    unknown = []
    for line in lines:
        key = known.get((line.name, line.key_id))
        if key is None:
            unknown.append(line)
        elif (line.name, line.key_id) in good:
            raise NotProven("signature", f"key {key.label} signed twice")
        else:
            good[line.name, line.key_id] = Signature(key, line, key.verify(text, line.signature))
    if not good:
        raise NotProven("signature", "no known key signed this note")
    return Opened(text, tuple(good.values()), tuple(unknown))


def format(text: str, lines: Sequence[SignatureLine]) -> str:
    """Text, empty line, signature lines."""
    return text + "\n" + "".join(map(str, lines))


def parse(note: str) -> tuple[str, tuple[SignatureLine, ...]]:
    """Split a note into text and signature lines without checking signatures.

    >>> parse("text\\n\\n— k AAAAAAA=\\n")
    ('text\\n', (SignatureLine(name='k', key_id=b'\\x00\\x00\\x00\\x00', signature=b'\\x00'),))
    >>> parse("text\\n\\n— k AAAAAAB=\\n")
    Traceback (most recent call last):
    meanscheck.errors.NotProven: note: signature line 1 is not strict base64 of a key id and a signature
    """
    if len(note) > MAX_NOTE:
        raise NotProven("note", f"longer than {MAX_NOTE} characters")
    text, separator, tail = note.rpartition("\n\n")
    if not separator:
        raise NotProven("note", "no empty line between text and signatures")
    text += "\n"
    check_text(text)
    if not tail.endswith("\n"):
        raise NotProven("note", "the last signature line does not end in a newline")
    rows = tail[:-1].split("\n")
    if len(rows) > MAX_SIGNATURES:
        raise NotProven("note", f"more than {MAX_SIGNATURES} signature lines")
    return text, tuple(_line(row, number) for number, row in enumerate(rows, 1))


def check_text(text: str) -> None:
    """NotProven unless a text may be signed: ends in a newline, valid UTF-8, no other control characters."""
    if not text.endswith("\n"):
        raise NotProven("note", "the text does not end in a newline")
    if any(character < " " and character != "\n" for character in text):
        raise NotProven("note", "a control character other than newline")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotProven("note", "not valid UTF-8") from None


def is_key_name(name: str) -> bool:
    """True for a name that signature lines can carry."""
    return bool(name) and not any(c.isspace() or c == "+" or c < " " or "\ud800" <= c <= "\udfff" for c in name)


def cosigned_message(text: str, time: int) -> bytes:
    """What a witness signs with Ed25519 (C2SP tlog-cosignature, Ed25519 signed message).

    >>> cosigned_message("example.com/behind-the-sofa\\n", 1679315147)
    b'cosignature/v1\\ntime 1679315147\\nexample.com/behind-the-sofa\\n'
    """
    return f"cosignature/v1\ntime {_time(time)}\n{text}".encode()


def subtree_message(signer: str, time: int, *, origin: str, start: int, end: int, root: bytes) -> bytes:
    """What is signed with ML-DSA-44 (C2SP tlog-cosignature, ML-DSA-44 signed message).

    Label, signer's name, time, origin, first leaf, leaf after the last, root of these leaves; numbers have 8 bytes,
    names a byte for their length. A checkpoint begins at leaf 0. Elsewhere the leaves must be a subtree of RFC 6962
    (begin at a multiple of their number, rounded up to a power of two), and time is 0.

    >>> message = subtree_message("w", 5, origin="log", start=0, end=2, root=bytes(32))
    >>> message[:26]
    b'subtree/v1\\n\\x00\\x01w\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x05\\x03log'
    >>> message[26:] == bytes(8) + bytes(7) + b"\\x02" + bytes(32)
    True
    >>> subtree_message("w", 0, origin="log", start=2, end=6, root=bytes(32))
    Traceback (most recent call last):
    meanscheck.errors.NotProven: signature: leaves 2 to 6 are not a subtree
    """
    width = 1 << max(end - start - 1, 0).bit_length()
    if not 0 <= start <= end or (start and (start == end or start % width)):
        raise NotProven("signature", f"leaves {start} to {end} are not a subtree")
    if start and time:
        raise NotProven("signature", "a signature over leaves that do not begin at 0 states no time")
    if len(root) != 32:
        raise NotProven("signature", "a root has 32 bytes")
    return b"subtree/v1\n\0" + _vector(signer) + _u64(_time(time)) + _vector(origin) + _u64(start) + _u64(end) + root


def checkpoint_message(signer: str, text: str, time: int) -> bytes:
    """`subtree_message` of a checkpoint's text; NotProven (step ``checkpoint``) for any other text."""
    from meanscheck.ledger import checkpoint  # which is written in terms of this module

    head = checkpoint.parse(text)
    return subtree_message(signer, time, origin=head.origin, start=0, end=head.size, root=head.root)


@cache
def ml_dsa() -> ModuleType:
    """The module of `cryptography` for ML-DSA; LedgerError if what is installed cannot do it.

    Release 47 has the module, and fails when it is used: only making a key tells.
    """
    try:
        # Imported by now, or this fails again and is told.
        from cryptography.hazmat.primitives.asymmetric import mldsa

        mldsa.MLDSA44PrivateKey.generate()
    except Exception as error:
        raise LedgerError(
            f"the installed cryptography package cannot do ML-DSA-44 ({type(error).__name__}): install cryptography>=48"
        ) from None
    return mldsa


def encode64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def decode64(text: str) -> bytes | None:
    """The bytes of strict base64, or None: other alphabets, spaces, missing padding and stray bits are refused."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if encode64(data) == text else None


def _line(row: str, number: int) -> SignatureLine:
    parts = row.split(" ")
    if len(parts) != 3 or parts[0] != "—" or not is_key_name(parts[1]):
        raise NotProven("note", f"signature line {number} is not of the form '— name base64'")
    data = decode64(parts[2])
    if data is None or len(data) < 5:
        raise NotProven("note", f"signature line {number} is not strict base64 of a key id and a signature")
    return SignatureLine(parts[1], data[:4], data[4:])


def _time(time: int) -> int:
    if not 0 <= time <= MAX_TIME:
        raise NotProven("signature", "a cosignature has an impossible time")
    return time


def _u64(number: int) -> bytes:
    if number >> 64:
        raise NotProven("signature", "a number of leaves beyond 64 bits")
    return number.to_bytes(8, "big")


def _vector(name: str) -> bytes:
    data = name.encode()
    if not 1 <= len(data) <= MAX_NAME:
        raise NotProven("signature", f"a name of a signer or log has 1 to {MAX_NAME} bytes")
    return bytes([len(data)]) + data
