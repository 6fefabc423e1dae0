"""With which key is a store encrypted, and where does it come from?

The places, in the order in which they are looked for where nobody names one:

    the variable MEANSCHECK_STORE_KEY   for a deployment whose secrets come from its environment
    keys/<store's name>.duckdb.key      beside the store, mode 0600

A program may also name a file, or give a callable that asks a key service; never a command line (`values.keyfile`).
The key encrypts the store's file, its write-ahead log, its projection, and whatever sorting spills to disk (by DuckDB,
AES-256-GCM). Where a key is found, a store that is not encrypted is refused: whoever set a key expects it to be used.

>>> StoreKey(bytes(32))
StoreKey(…)
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from meanscheck.errors import StoreError
from meanscheck.values.keyfile import KEY, KeyForm

ENVIRONMENT = "MEANSCHECK_STORE_KEY"
_FORM = KeyForm("meanscheck/store-key/v1", "store key")


class StoreKey:
    """The key of one store. Its bytes are in no repr and in no error."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY:
            raise StoreError(f"a store's key has {KEY} bytes")
        self._secret = secret

    def __repr__(self) -> str:
        return "StoreKey(…)"

    @classmethod
    def generate(cls) -> StoreKey:
        """A new random key; `save` keeps it."""
        return cls(os.urandom(KEY))

    @classmethod
    def load(cls, path: Path | str) -> StoreKey:
        """Read a key file; StoreError if it cannot be read, is no key file, or may be read by others."""
        return cls(_FORM.load(path))

    @classmethod
    def ask(cls, callback: Callable[[], bytes]) -> StoreKey:
        """The key that a callable gives, such as one that asks a key service: 32 bytes."""
        return cls(callback())

    @classmethod
    def found(cls, store: Path) -> StoreKey | None:
        """The key of a store by the places above; None if there is none."""
        text = os.environ.get(ENVIRONMENT, "")
        if text:
            return cls(_FORM.parse(text, ENVIRONMENT))
        beside = key_beside(store)
        return cls.load(beside) if beside.exists() else None

    @property
    def text(self) -> str:
        """The key as text, to be put into an environment or a key service. Show it to nobody."""
        return _FORM.format(self._secret)

    @property
    def passphrase(self) -> str:
        """What the database is given; it derives the keys of its files from it."""
        return self._secret.hex()

    def save(self, path: Path | str) -> Path:
        """Write a key file (mode 0600) and return its path. Never overwrites."""
        return _FORM.save(self._secret, path)


def key_beside(store: Path) -> Path:
    """The key file of a store, where nobody names another."""
    return store.parent / "keys" / f"{store.name}.key"
