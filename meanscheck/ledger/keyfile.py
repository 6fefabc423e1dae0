"""How is a private key kept, and what does it sign? As one file, with every key of a name in it.

    <verifier key>                                   public, one line a key
    …
    -----BEGIN ENCRYPTED PRIVATE KEY-----            PKCS8 in PEM, one block a key, in the same order
    …

The passphrase comes as an argument, from a callable, or from the environment variable MEANSCHECK_KEY_PASSPHRASE.
`unprotected=True` writes the keys in the clear, readable by their owner only (mode 0600, as always). A file is never
overwritten. A file of one key, as older releases wrote it, is read as what it is.

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> keys = [PrivateKey.generate("audit.example/w1", type) for type in (note.COSIGNATURE, note.ML_DSA)]
>>> path = write(Path(folder.name) / "witness.key", keys, passphrase=b"correct horse")
>>> [key.key for key in read(path, passphrase=b"correct horse")] == [key.key for key in keys]
True
>>> text = "county.example/relief\\n0\\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\\n"
>>> [key.key.verify(text, key.cosign(text, time=1_780_000_000)) for key in keys]
[1780000000, 1780000000]
>>> read(path, passphrase=b"wrong")
Traceback (most recent call last):
meanscheck.errors.LedgerError: key file witness.key is damaged, or the passphrase is wrong
>>> folder.cleanup()
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import note

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

ENVIRONMENT = "MEANSCHECK_KEY_PASSPHRASE"

MAX_FILE = 64 << 10
_FILE = re.compile(
    rb"(?P<public>(?:(?!-----)[^\n]+\n)+)"
    rb"(?P<private>(?:-----BEGIN (?:ENCRYPTED )?PRIVATE KEY-----\n[^-]+-----END (?:ENCRYPTED )?PRIVATE KEY-----\n)+)"
)
_BLOCK = re.compile(rb"-----BEGIN [^-]+-----\n[^-]+-----END [^-]+-----\n")

Passphrase: TypeAlias = bytes | Callable[[], bytes] | None


class PrivateKey:
    """A private key of a signature type under a name: signs notes (types 1 and 6) and cosigns them (types 4 and 6)."""

    __slots__ = ("_private", "key")

    def __init__(self, name: str, type: int, private: Ed25519PrivateKey | MLDSA44PrivateKey) -> None:
        self.key = note.VerifierKey(name, type, private.public_key().public_bytes_raw())
        self._private = private

    @classmethod
    def generate(cls, name: str, type: int) -> PrivateKey:
        """A new key."""
        if type == note.ML_DSA:
            return cls(name, type, note.ml_dsa().MLDSA44PrivateKey.generate())
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(name, type, Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, name: str, type: int, *, seed: bytes) -> PrivateKey:
        """The key of a 32-byte seed: the same seed gives the same key. For test vectors."""
        if type == note.ML_DSA:
            return cls(name, type, note.ml_dsa().MLDSA44PrivateKey.from_seed_bytes(seed))
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(name, type, Ed25519PrivateKey.from_private_bytes(seed))

    def sign_note(self, text: str) -> bytes:
        """Signature over a note text that states no time: type 1 over any text, type 6 over a checkpoint's."""
        if self.key.type == note.ED25519:
            return self._private.sign(text.encode())
        if self.key.type == note.ML_DSA:
            return bytes(8) + self._private.sign(note.checkpoint_message(self.key.name, text, 0))
        raise LedgerError(f"key {self.key.label} is a witness's: it cosigns with a time")

    def cosign(self, text: str, *, time: int) -> bytes:
        """Cosignature over a checkpoint's text (types 4 and 6). `time`: POSIX seconds, above 0."""
        if not 0 < time <= note.MAX_TIME:
            raise LedgerError("a cosignature states a time, in POSIX seconds")
        if self.key.type == note.COSIGNATURE:
            return time.to_bytes(8, "big") + self._private.sign(note.cosigned_message(text, time))
        if self.key.type == note.ML_DSA:
            return time.to_bytes(8, "big") + self._private.sign(note.checkpoint_message(self.key.name, text, time))
        raise LedgerError(f"key {self.key.label} is a log's: it does not cosign")

    def sign_subtree(self, *, origin: str, start: int, end: int, root: bytes) -> bytes:
        """Type 6 over the root of leaves [start, end) of a log, stating no time (`VerifierKey.verify_subtree`)."""
        if self.key.type != note.ML_DSA:
            raise LedgerError(f"key {self.key.label} cannot sign subtrees: only type {note.ML_DSA} does")
        message = note.subtree_message(self.key.name, 0, origin=origin, start=start, end=end, root=root)
        return bytes(8) + self._private.sign(message)

    def pem(self, passphrase: bytes | None) -> bytes:
        """PKCS8 in PEM; None writes it in the clear."""
        from cryptography.hazmat.primitives import serialization as form

        protection: form.KeySerializationEncryption = form.NoEncryption()
        if passphrase is not None:
            protection = form.BestAvailableEncryption(passphrase)
        return self._private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, protection)


def write(path: Path, keys: Sequence[PrivateKey], *, passphrase: Passphrase = None, unprotected: bool = False) -> Path:
    """Write a new key file (mode 0600) and return its path. Never overwrites."""
    secret = None if unprotected else passphrase_of(passphrase)
    data = "".join(f"{key.key}\n" for key in keys).encode() + b"".join(key.pem(secret) for key in keys)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise LedgerError(f"key file {path.name} exists already; keys are never overwritten") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return path


def read(path: Path, *, passphrase: Passphrase = None) -> tuple[PrivateKey, ...]:
    """The keys of a file. LedgerError if unreadable, unencrypted and open to others, or if the passphrase fails."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
            mode = os.fstat(file.fileno()).st_mode
    except OSError as error:
        raise LedgerError(f"key file {path.name} cannot be read: {error.strerror}") from None
    parts = _FILE.fullmatch(data)
    if parts is None:
        raise LedgerError(f"key file {path.name} is damaged, or the passphrase is wrong")
    blocks = _BLOCK.findall(parts["private"])
    encrypted = [b"ENCRYPTED" in block for block in blocks]
    if not all(encrypted) and os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise LedgerError(f"key file {path.name} is not encrypted and others may read it: chmod 600 it")
    secret = passphrase_of(passphrase) if any(encrypted) else None
    from cryptography.exceptions import InternalError, UnsupportedAlgorithm

    try:
        public = [note.VerifierKey.parse(line.decode()) for line in parts["public"].splitlines()]
        pairs = zip(public, blocks, encrypted, strict=True)
        keys = tuple(_load(key, pem, secret if locked else None) for key, pem, locked in pairs)
    except (NotProven, ValueError, TypeError, UnsupportedAlgorithm, InternalError):
        raise LedgerError(f"key file {path.name} is damaged, or the passphrase is wrong") from None
    if [key.key for key in keys] != public:
        raise LedgerError(f"key file {path.name} holds another key than its first lines say")
    return keys


def _load(key: note.VerifierKey, pem: bytes, passphrase: bytes | None) -> PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    kind = note.ml_dsa().MLDSA44PrivateKey if key.type == note.ML_DSA else Ed25519PrivateKey
    private = load_pem_private_key(pem, passphrase)
    if not isinstance(private, kind):
        raise NotProven("key", "a private key of another kind")
    return PrivateKey(key.name, key.type, private)


def passphrase_of(given: Passphrase) -> bytes:
    """The bytes of a passphrase, wherever it comes from; LedgerError if there is none."""
    value = given() if callable(given) else given
    if value is None:
        value = os.environ.get(ENVIRONMENT, "").encode()
    if not value:
        raise LedgerError(f"the key file needs a passphrase: pass one, or set {ENVIRONMENT}")
    return value
