"""Is this leaf in that tree, and is this tree the continuation of that one? RFC 6962 answers with a few hashes.

Terms: the *leaf hash* is SHA-256 of a zero byte and the leaf; a *node* is SHA-256 of a one byte and its two children;
the *root* of n leaves splits them at the largest power of two below n. Hashes are 32 bytes; many hashes are one flat
byte string. Sections cited are those of RFC 9162, whose algorithms are the same as RFC 6962's, written as loops.

>>> leaves = [b"", b"\\0", b"\\x10", b"\\x20\\x21", b"\\x30\\x31"]
>>> flat = b"".join(map(leaf_hash, leaves))
>>> root(flat).hex()                         # the known root of these five leaves, from the certificate-log test data
'4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4'
>>> root(b"").hex()[:16]                     # the empty tree: SHA-256 of nothing
'e3b0c44298fc1c14'

Verbs come in pairs: `prove_inclusion` / `check_inclusion`, `prove_consistency` / `check_consistency`.

>>> proof = prove_inclusion(FlatTree(flat), 3, 5)
>>> check_inclusion(leaf_hash(b"\\x20\\x21"), 3, 5, proof, root(flat))
>>> check_inclusion(leaf_hash(b"other"), 3, 5, proof, root(flat))
Traceback (most recent call last):
meanscheck.errors.NotProven: inclusion: the path does not lead from the leaf to the root
>>> check_consistency(2, root(flat[:64]), 5, root(flat), prove_consistency(FlatTree(flat), 2, 5))

`Frontier` grows a tree block by block and keeps only one hash a level, so memory does not grow with the leaves:

>>> frontier = Frontier()
>>> _ = frontier.extend(flat[:96]); _ = frontier.extend(flat[96:])
>>> frontier.size, frontier.root() == root(flat)
(5, True)

The shape does not depend on the hash function: `Hashing` names another one of 32 bytes (`sm3.py` has one), under the
same prefixes, and every function here that hashes takes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Protocol

from meanscheck.errors import NotProven

HASH = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

_pairs = Struct("64s").iter_unpack


class Tree(Protocol):
    """Anything that knows the root of leaves [start, end), both aligned as the proofs ask."""

    def subtree(self, start: int, end: int) -> bytes: ...


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256 of a zero byte and the leaf (RFC 9162 section 2.1.1)."""
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of a one byte and both children."""
    return hashlib.sha256(b"\1" + left + right).digest()


def leaf_hashes(leaves: Iterable[bytes]) -> bytes:
    """Leaf hashes of many leaves, flat."""
    sha256 = hashlib.sha256
    return b"".join([sha256(b"\0" + leaf).digest() for leaf in leaves])


def parents(flat: bytes) -> bytes:
    """One level up: 32 bytes for each complete pair; a hash left over at the end is dropped."""
    if len(flat) % 64:
        flat = flat[: len(flat) // 64 * 64]
    sha256 = hashlib.sha256
    return b"".join([sha256(b"\1" + pair).digest() for (pair,) in _pairs(flat)])


@dataclass(frozen=True, slots=True)
class Hashing:
    """The hash function of a tree, in the four forms that trees need. The loops over many are the function's own."""

    name: str
    leaf: Callable[[bytes], bytes]
    node: Callable[[bytes, bytes], bytes]
    leaves: Callable[[Iterable[bytes]], bytes]
    parents: Callable[[bytes], bytes]
    empty: bytes


SHA256 = Hashing("SHA-256", leaf_hash, node_hash, leaf_hashes, parents, EMPTY_ROOT)


def split(size: int) -> int:
    """Largest power of two below size (size > 1)."""
    return 1 << (size - 1).bit_length() - 1


def root(flat: bytes, *, hashing: Hashing = SHA256) -> bytes:
    """Root over flat leaf hashes."""
    frontier = Frontier(hashing=hashing)
    frontier.extend(flat)
    return frontier.root()


class Frontier:
    """A growing tree of which only the right edge is kept: at most one hash a level."""

    __slots__ = ("hashing", "pending", "size")

    def __init__(self, size: int = 0, pending: Sequence[bytes | None] = (), *, hashing: Hashing = SHA256) -> None:
        """`pending[level]`: the complete subtree of 2^level leaves at the right edge, where size has that bit."""
        self.size, self.hashing = size, hashing
        self.pending: list[bytes | None] = list(pending)
        for level in range(max(len(self.pending), size.bit_length())):
            if level == len(self.pending):
                self.pending.append(None)
            if (self.pending[level] is not None) != bool(size >> level & 1):
                raise ValueError("the right edge does not fit the size")

    def extend(self, flat: bytes, *, level: int = 0) -> list[bytes]:
        """Append leaf hashes, or roots of subtrees of 2^level leaves where the size is a multiple of that.

        Returns:
            The nodes that became complete, flat, by level (at `level`: the hashes given, below it nothing).
        """
        if len(flat) % HASH:
            raise ValueError("not a whole number of hashes")
        if self.size & (1 << level) - 1:
            raise ValueError("subtrees of that size do not begin here")
        self.size += len(flat) // HASH << level
        self.pending += [None] * (level - len(self.pending))
        made = [b""] * level + [flat]
        while made[level]:
            if level == len(self.pending):
                self.pending.append(None)
            waiting = self.pending[level]
            row = made[level] if waiting is None else waiting + made[level]
            self.pending[level] = row[-HASH:] if len(row) % 64 else None
            made.append(self.hashing.parents(row))
            level += 1
        return made

    def root(self) -> bytes:
        """Root of all leaves so far."""
        edge = [node for node in self.pending if node is not None]
        if not edge:
            return self.hashing.empty
        result = edge[0]
        for node in edge[1:]:
            result = self.hashing.node(node, result)
        return result

    def copy(self) -> Frontier:
        """An independent frontier of the same tree."""
        return Frontier(self.size, self.pending, hashing=self.hashing)


class FlatTree:
    """A whole tree held in memory as flat leaf hashes: for batches and tests."""

    def __init__(self, flat: bytes, *, hashing: Hashing = SHA256) -> None:
        self.flat, self.hashing = flat, hashing

    def subtree(self, start: int, end: int) -> bytes:
        """Root of leaves [start, end)."""
        return root(self.flat[start * HASH : end * HASH], hashing=self.hashing)


def prove_inclusion(tree: Tree, index: int, size: int) -> list[bytes]:
    """Path of leaf `index` in the tree of the first `size` leaves, from the leaf's sibling up (2.1.3.1)."""
    if not 0 <= index < size:
        raise NotProven("inclusion", f"leaf {index} is not among the first {size}")
    path = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            path.append(tree.subtree(middle, end))
            end = middle
        else:
            path.append(tree.subtree(start, middle))
            start = middle
    return path[::-1]


def check_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes, *, hashing: Hashing = SHA256
) -> None:
    """NotProven unless leaf hash and path give the root (2.1.3.2)."""
    if not 0 <= index < size:
        raise NotProven("inclusion", f"leaf {index} is not among the first {size}")
    position, last, result, hash_of = index, size - 1, leaf, hashing.node
    for node in path:
        if last == 0 or len(node) != HASH:
            raise NotProven("inclusion", "the path is too long or holds something that is not a hash")
        if position & 1 or position == last:
            result = hash_of(node, result)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            result = hash_of(result, node)
        position >>= 1
        last >>= 1
    if last or result != root:
        raise NotProven("inclusion", "the path does not lead from the leaf to the root")


def prove_consistency(tree: Tree, old: int, new: int) -> list[bytes]:
    """Hashes that show the first `old` leaves to be the beginning of the first `new` (2.1.4.1)."""
    if not 0 <= old <= new:
        raise NotProven("consistency", "the older tree is the larger one")
    if old in (0, new):
        return []
    path = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + split(end - start)
        if old <= middle:
            path.append(tree.subtree(middle, end))
            end = middle
        else:
            path.append(tree.subtree(start, middle))
            start, whole = middle, False
    if not whole:
        path.append(tree.subtree(start, end))
    return path[::-1]


def check_consistency(
    old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes], *, hashing: Hashing = SHA256
) -> None:
    """NotProven unless the path shows that the newer tree only appended to the older one (2.1.4.2)."""
    if not 0 <= old <= new or any(len(node) != HASH for node in path):
        raise NotProven("consistency", "sizes or hashes are impossible")
    if old in (0, new):
        expected = hashing.empty if old == 0 else new_root
        if path or old_root != expected:
            raise NotProven("consistency", "the newer tree does not continue the older one")
        return
    nodes = [*path] if old & old - 1 else [old_root, *path]
    if not nodes:
        raise NotProven("consistency", "the proof is empty")
    position, last, hash_of = old - 1, new - 1, hashing.node
    while position & 1:
        position >>= 1
        last >>= 1
    first = second = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            raise NotProven("consistency", "the proof is too long")
        if position & 1 or position == last:
            first, second = hash_of(node, first), hash_of(node, second)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            second = hash_of(second, node)
        position >>= 1
        last >>= 1
    if last or first != old_root or second != new_root:
        raise NotProven("consistency", "the newer tree does not continue the older one")
