"""With which key does an office lock its vault, and where does that key come from?

The *deployment's key* wraps the data keys of the households (`household_keys`); it never touches a record. Its places,
in the order in which they are looked for where nobody names one:

    the variable MEANSCHECK_VAULT_KEY   for a deployment whose secrets come from its environment
    keys/<vault's name>.key             beside the vault's folder, mode 0600; made when the vault is

A program may also name a file, or give a callable that asks a key service. A command line is no place for a key: other
users of the machine can read it in the list of processes.

Text of a key, in a file (with a line feed behind) and in the environment: ``meanscheck/vault-key/v1`` and 64 hex
characters. A key file that others may read is refused, and so is one inside the vault's folder, where a backup of the
vault would carry its own key along.

>>> key = DeploymentKey(bytes(32))
>>> key
DeploymentKey(…)
>>> wrapped = key.wrap(b"data key of 32 bytes, as it were.", bound=b"token")
>>> key.unwrap(wrapped, bound=b"token")
b'data key of 32 bytes, as it were.'
>>> key.unwrap(wrapped, bound=b"another token")
Traceback (most recent call last):
meanscheck.errors.StoreError: the deployment's key does not open this: it is another key, or the file was changed
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from meanscheck.errors import StoreError

ENVIRONMENT = "MEANSCHECK_VAULT_KEY"
KEY = 32
NONCE = 12
TAG = 16
WRAPPED = NONCE + KEY + TAG
"""Bytes of a wrapped data key."""

_HEAD = "meanscheck/vault-key/v1"
_TEXT = re.compile(rf"{_HEAD} ([0-9a-f]{{{2 * KEY}}})")


class DeploymentKey:
    """The key-encryption key of one deployment: AES-256-GCM. Its bytes are in no repr and in no error."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY:
            raise StoreError(f"a deployment's key has {KEY} bytes")
        self._secret = secret

    def __repr__(self) -> str:
        return "DeploymentKey(…)"

    @classmethod
    def generate(cls) -> DeploymentKey:
        """A new random key; `save` keeps it."""
        return cls(os.urandom(KEY))

    @classmethod
    def load(cls, path: Path | str) -> DeploymentKey:
        """Read a key file; StoreError if it cannot be read, is no key file, or may be read by others."""
        path = Path(path)
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                data = file.read(len(_HEAD) + 2 * KEY + 3)
        except OSError as error:
            raise StoreError(f"vault key {path.name} cannot be read: {error.strerror}") from None
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            raise StoreError(f"others may read the vault key {path.name}: chmod 600 it")
        if not data.endswith(b"\n"):
            raise StoreError(f"{path.name} is not a vault key, or is damaged")
        return cls._parsed(data[:-1], path.name)

    @classmethod
    def from_environment(cls) -> DeploymentKey | None:
        """The key in MEANSCHECK_VAULT_KEY; None if it is not set."""
        text = os.environ.get(ENVIRONMENT, "")
        return cls._parsed(text.encode(), ENVIRONMENT) if text else None

    @classmethod
    def ask(cls, callback: Callable[[], bytes]) -> DeploymentKey:
        """The key that a callable gives, such as one that asks a key service: 32 bytes."""
        return cls(callback())

    @classmethod
    def _parsed(cls, text: bytes, where: str) -> DeploymentKey:
        found = _TEXT.fullmatch(text.decode("ascii", "replace"))
        if found is None:
            raise StoreError(f"{where} is not a vault key, or is damaged")
        return cls(bytes.fromhex(found[1]))

    @property
    def text(self) -> str:
        """The key as text, to be put into an environment or a key service. Show it to nobody."""
        return f"{_HEAD} {self._secret.hex()}"

    def save(self, path: Path | str) -> Path:
        """Write a key file (mode 0600) and return its path. Never overwrites."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise StoreError(f"vault key {path.name} exists already; keys are never overwritten") from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(f"{self.text}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        return path

    def wrap(self, secret: bytes, *, bound: bytes) -> bytes:
        """`secret` sealed: nonce, ciphertext, tag. It opens only with the same `bound`."""
        return self.wrap_all([secret], [bound])[0]

    def unwrap(self, wrapped: bytes, *, bound: bytes) -> bytes:
        """What `wrap` sealed; StoreError if the key is another one or anything was changed."""
        return self.unwrap_all([wrapped], [bound])[0]

    def wrap_all(self, secrets: Sequence[bytes], bound: Sequence[bytes]) -> list[bytes]:
        """`wrap` for many. Nonces are random: 2^32 keys may be wrapped before that is a worry (NIST SP 800-38D 8.3)."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        noise, encrypt = os.urandom(NONCE * len(secrets)), AESGCM(self._secret).encrypt
        nonces = [noise[at : at + NONCE] for at in range(0, len(noise), NONCE)]
        return [n + encrypt(n, secret, b) for n, secret, b in zip(nonces, secrets, bound, strict=True)]

    def unwrap_all(self, wrapped: Sequence[bytes], bound: Sequence[bytes]) -> list[bytes]:
        """`unwrap` for many."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        decrypt = AESGCM(self._secret).decrypt
        try:
            return [decrypt(w[:NONCE], w[NONCE:], b) for w, b in zip(wrapped, bound, strict=True)]
        except (InvalidTag, ValueError):
            raise StoreError(
                "the deployment's key does not open this: it is another key, or the file was changed"
            ) from None
