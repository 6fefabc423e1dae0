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
from collections.abc import Sequence

from meanscheck.errors import StoreError
from meanscheck.values.keyfile import KEY, KeyForm, Secret

ENVIRONMENT = "MEANSCHECK_VAULT_KEY"
NONCE = 12
TAG = 16
WRAPPED = NONCE + KEY + TAG
"""Bytes of a wrapped data key."""


class DeploymentKey(Secret):
    """The key-encryption key of one deployment: AES-256-GCM."""

    __slots__ = ()
    form = KeyForm("meanscheck/vault-key/v1", "vault key")

    @classmethod
    def from_environment(cls) -> DeploymentKey | None:
        """The key in MEANSCHECK_VAULT_KEY; None if it is not set."""
        return cls.in_environment(ENVIRONMENT)

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
