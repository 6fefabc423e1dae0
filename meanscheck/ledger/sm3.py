"""What does a tree look like under SM3 (商用密码杂凑算法, GB/T 32905-2016)? Shape and prefixes stay those of RFC 6962.

The two examples of the standard's annex A:

>>> sm3(b"abc").hex()
'66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0'
>>> sm3(b"abcd" * 16).hex()
'debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732'

`SM3` is the tree's `merkle.Hashing`:

>>> flat = SM3.leaves([b"one", b"two", b"three"])
>>> top = SM3.node(SM3.node(flat[:32], flat[32:64]), flat[64:])
>>> merkle.root(flat, hashing=SM3) == top
True
>>> path = merkle.prove_inclusion(merkle.FlatTree(flat, hashing=SM3), 2, 3)
>>> merkle.check_inclusion(SM3.leaf(b"three"), 2, 3, path, top, hashing=SM3)

hashlib has SM3 where the OpenSSL that it was built with has it, and is fastest; else `cryptography` has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from struct import Struct
from typing import Protocol

from meanscheck.ledger import merkle

EMPTY_ROOT = bytes.fromhex("1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b")
"""SM3 of nothing."""

_pairs = Struct("64s").iter_unpack


class _Begun(Protocol):
    def copy(self) -> _Begun: ...

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Other:
    """SM3 of `cryptography`, in hashlib's words."""

    def __init__(self, begun: object = None) -> None:
        from cryptography.hazmat.primitives import hashes

        self._hash = begun if isinstance(begun, hashes.Hash) else hashes.Hash(hashes.SM3())

    def copy(self) -> _Other:
        return _Other(self._hash.copy())

    def update(self, data: bytes, /) -> None:
        self._hash.update(data)

    def digest(self) -> bytes:
        return self._hash.finalize()


def _from_hashlib() -> _Begun:
    return hashlib.new("sm3")


@cache
def _source() -> Callable[[], _Begun]:
    """Where hashes come from. A name in `algorithms_available` may still be refused (FIPS), so one is made."""
    try:
        hashlib.new("sm3")
    except ValueError:
        return _Other
    return _from_hashlib


@cache
def _after(prefix: bytes) -> _Begun:
    """A hash that has taken the prefix; copying it is faster than beginning anew."""
    begun = _source()()
    begun.update(prefix)
    return begun


def sm3(data: bytes) -> bytes:
    """SM3 of bytes."""
    return _finish(_after(b""), data)


def _finish(begun: _Begun, data: bytes) -> bytes:
    own = begun.copy()
    own.update(data)
    return own.digest()


def leaf_hash(leaf: bytes) -> bytes:
    """SM3 of a zero byte and the leaf."""
    return _finish(_after(b"\0"), leaf)


def node_hash(left: bytes, right: bytes) -> bytes:
    """SM3 of a one byte and both children."""
    return _finish(_after(b"\1"), left + right)


def leaf_hashes(leaves: Iterable[bytes]) -> bytes:
    """Leaf hashes of many leaves, flat."""
    begun, finish = _after(b"\0"), _finish
    return b"".join([finish(begun, leaf) for leaf in leaves])


def parents(flat: bytes) -> bytes:
    """One level up: 32 bytes for each complete pair; a hash left over at the end is dropped."""
    begun, finish = _after(b"\1"), _finish
    return b"".join([finish(begun, pair) for (pair,) in _pairs(flat[: len(flat) // 64 * 64])])


SM3 = merkle.Hashing("SM3", leaf_hash, node_hash, leaf_hashes, parents, EMPTY_ROOT)
