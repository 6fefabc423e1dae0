"""Who may sign for a log, and how is a signer kept from contradicting itself?

A `Signer` holds an Ed25519 key and a *state*: the last tree head it signed for its log. Before it signs a new one it
demands a consistency proof from that head, and it writes the state before it hands out the signature. A log folder
restored from a backup, or edited, cannot make it sign a second history. The state has its own file beside the key,
never in the log's folder. (Key, state and log all restored together: one machine cannot notice that, witnesses can.)

>>> from meanscheck.ledger import merkle
>>> signer = Signer.generate("example.com/county")            # in memory: for tests and demonstrations
>>> head = Checkpoint("example.com/county", 1, merkle.leaf_hash(b"first"))
>>> signed = signer.sign_checkpoint(head, prove=lambda old: [])
>>> note.open(signed, [signer.key]).text == checkpoint.format(head)
True
>>> fork = Checkpoint("example.com/county", 1, merkle.leaf_hash(b"other"))
>>> signer.sign_checkpoint(fork, prove=lambda old: [])
Traceback (most recent call last):
meanscheck.errors.LedgerError: refused: the log does not continue the last tree head signed (1 leaves)

Key files: the first line is the verifier key (public); then PKCS8 in PEM, encrypted under a passphrase. The passphrase
comes as an argument, from a callable, or from the environment variable MEANSCHECK_KEY_PASSPHRASE. `unprotected=True`
writes the key without one, readable by its owner only.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import checkpoint, note
from meanscheck.ledger.checkpoint import Checkpoint
from meanscheck.ledger.state import Prove, State

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ENVIRONMENT = "MEANSCHECK_KEY_PASSPHRASE"

Passphrase: TypeAlias = bytes | Callable[[], bytes] | None


class Signer:
    """An Ed25519 key under a name, and the last tree head it signed."""

    def __init__(self, key: note.VerifierKey, private: Ed25519PrivateKey, *, path: Path | None = None) -> None:
        self.key = key
        self.path = path
        self._private = private
        self._state = State(None if path is None else _state_of(path))

    @classmethod
    def generate(cls, name: str) -> Signer:
        """A new key; `name` is the log's origin, such as ``county.example/relief-2026``. `save` keeps it."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls._of(name, Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, name: str, *, seed: bytes) -> Signer:
        """The key of a 32-byte seed: the same seed gives the same key. For test vectors."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls._of(name, Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def load(cls, path: Path | str, *, passphrase: Passphrase = None) -> Signer:
        """Read a key file. LedgerError if unreadable, unencrypted and open to others, or if the passphrase fails."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        path = Path(path)
        try:
            data = path.read_bytes()
            mode = path.stat().st_mode
        except OSError as error:
            raise LedgerError(f"key file {path.name} cannot be read: {error.strerror}") from None
        first, _, pem = data.partition(b"\n")
        encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in pem
        if not encrypted and os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            raise LedgerError(f"key file {path.name} is not encrypted and others may read it: chmod 600 it")
        try:
            key = note.VerifierKey.parse(first.decode())
            private = load_pem_private_key(pem, passphrase_of(passphrase) if encrypted else None)
        except (NotProven, ValueError, TypeError):
            raise LedgerError(f"key file {path.name} is damaged, or the passphrase is wrong") from None
        if not isinstance(private, Ed25519PrivateKey) or cls._of(key.name, private).key != key:
            raise LedgerError(f"key file {path.name} holds another key than its first line says")
        return cls(key, private, path=path)

    def save(self, path: Path | str, *, passphrase: Passphrase = None, unprotected: bool = False) -> Path:
        """Write a new key file (mode 0600) and return its path. Never overwrites.

        Args:
            path: outside the log's folder.
            passphrase: bytes, a callable, or None for the environment variable.
            unprotected: write the key in the clear. For tests and demonstrations.
        """
        from cryptography.hazmat.primitives import serialization as form

        path = Path(path)
        protection: form.KeySerializationEncryption
        if unprotected:
            protection = form.NoEncryption()
        else:
            protection = form.BestAvailableEncryption(passphrase_of(passphrase))
        pem = self._private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, protection)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise LedgerError(f"key file {path.name} exists already; keys are never overwritten") from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(f"{self.key}\n".encode() + pem)
            file.flush()
            os.fsync(file.fileno())
        self.path = path
        self._state.keep_at(_state_of(path))
        return path

    def sign_note(self, text: str) -> bytes:
        """Ed25519 over any text. Tree heads go through `sign_checkpoint`."""
        return self._private.sign(text.encode())

    def sign_checkpoint(self, head: Checkpoint, *, prove: Prove) -> str:
        """The signed note of a tree head, after checking that it continues the last one signed.

        Args:
            head: the new tree head; its origin is this key's name.
            prove: gives the consistency proof from an older size to `head`.
        """
        if head.origin != self.key.name:
            raise LedgerError("this key signs for another log: key name and origin differ")
        self._state.advance(head, prove=prove)
        return note.sign(checkpoint.format(head), [self])

    def last_signed(self) -> Checkpoint | None:
        """The last tree head signed, or None before the first."""
        return self._state.last()

    def adopt(self, head: Checkpoint) -> None:
        """Take a tree head as the last one signed, where the state was lost. Dangerous: ask a witness first."""
        self._state.adopt(head)

    @property
    def state_path(self) -> Path | None:
        """The file with the text of the last tree head signed, beside the key file; None for a key held in memory."""
        return self._state.path

    @classmethod
    def _of(cls, name: str, private: Ed25519PrivateKey) -> Signer:
        return cls(note.VerifierKey(name, note.ED25519, private.public_key().public_bytes_raw()), private)


def _state_of(path: Path) -> Path:
    return path.with_name(path.name + ".state")


def passphrase_of(given: Passphrase) -> bytes:
    """The bytes of a passphrase, wherever it comes from; LedgerError if there is none."""
    value = given() if callable(given) else given
    if value is None:
        value = os.environ.get(ENVIRONMENT, "").encode()
    if not value:
        raise LedgerError(f"the key file needs a passphrase: pass one, or set {ENVIRONMENT}")
    return value
