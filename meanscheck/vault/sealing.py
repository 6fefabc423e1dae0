"""How are a household's bytes sealed, so that only its own key opens them and only in their own place?

    sealed   12 nonce · ciphertext · 16 tag      AES-256-GCM (NIST SP 800-38D) under the household's data key
    bound    ASCII `meanscheck/vault/v1`, kind, block, position, token, batch id, joined by line feeds: sealed bytes
             moved to another household, place, block, batch or kind of file do not open; of packed texts the kind has
             the digest of the dictionary too

A household has one key for all its batches. Nonces are therefore random and never counted: a batch that broke off and
runs again has the same batch, position and token with other salts, and a nonce made of those would be used for two
plaintexts, which gives both away. By chance, two of n nonces of a household are equal once in 2^97 / n² households; a
batch takes three.

>>> keys, bound = [bytes(32)] * 2, bound_to("records", 0, [4, 5], ["aa" * 16, "bb" * 16], "2026-11-A")
>>> bound[1]
b'meanscheck/vault/v1\\nrecords\\n0\\n5\\nbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\\n2026-11-A'
>>> sealed = seal(keys, [b"one", b"two"], bound)
>>> unseal(keys, sealed, bound)
[b'one', b'two']
>>> unseal(keys, sealed, bound[::-1])
Traceback (most recent call last):
meanscheck.errors.StoreError: sealed bytes do not open: they were changed or moved, or the key is another one
>>> unseal([None, keys[1]], sealed, bound)
[None, b'two']
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from meanscheck.errors import StoreError
from meanscheck.vault.deployment import NONCE


def bound_to(kind: str, block: int, positions: Iterable[int], tokens: Iterable[str], batch_id: str) -> list[bytes]:
    """What the sealed bytes of each household are bound to."""
    head, tail = f"meanscheck/vault/v1\n{kind}\n{block}\n", f"\n{batch_id}"
    return [f"{head}{position}\n{token}{tail}".encode() for position, token in zip(positions, tokens, strict=True)]


def seal(keys: Sequence[bytes], texts: Sequence[bytes], bound: Sequence[bytes]) -> list[bytes]:
    """Each text under its own key, bound to its own place."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    noise = os.urandom(NONCE * len(keys))
    nonces = [noise[at : at + NONCE] for at in range(0, len(noise), NONCE)]
    rows = zip(keys, nonces, texts, bound, strict=True)
    return [nonce + AESGCM(key).encrypt(nonce, text, place) for key, nonce, text, place in rows]


def unseal(keys: Sequence[bytes | None], sealed: Sequence[bytes], bound: Sequence[bytes]) -> list[bytes | None]:
    """The texts; None where there is no key. StoreError if any was changed or moved."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return [
            None if key is None else AESGCM(key).decrypt(text[:NONCE], text[NONCE:], place)
            for key, text, place in zip(keys, sealed, bound, strict=True)
        ]
    except (InvalidTag, ValueError):
        raise StoreError("sealed bytes do not open: they were changed or moved, or the key is another one") from None
