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

from pathlib import Path

from meanscheck.values.keyfile import KeyForm, Secret

ENVIRONMENT = "MEANSCHECK_STORE_KEY"


class StoreKey(Secret):
    """The key of one store."""

    __slots__ = ()
    form = KeyForm("meanscheck/store-key/v1", "store key")

    @classmethod
    def found(cls, store: Path) -> StoreKey | None:
        """The key of a store by the places above; None if there is none."""
        beside = key_beside(store)
        return cls.in_environment(ENVIRONMENT) or (cls.load(beside) if beside.exists() else None)

    @property
    def passphrase(self) -> str:
        """What the database is given; it derives the keys of its files from it."""
        return self._secret.hex()


def key_beside(store: Path) -> Path:
    """The key file of a store, where nobody names another."""
    return store.parent / "keys" / f"{store.name}.key"
