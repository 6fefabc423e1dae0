"""How are the records committed to? Seven salted hashes a record and their tree, a leaf, the tree over all leaves.

Written down from the formats (LEDGER: group hash, commitment, leaf, RFC 6962), with hashlib in comprehensions; the
records root is a hash over one unsalted hash a record without its subject.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from struct import Struct

GROUPS = ("subject", "household", "means", "result", "reasons", "provenance", "evidence")
SALT = 16
SALTS = SALT * len(GROUPS)
PREFIXES = [b"\0meanscheck/group/v1\0" + bytes([len(name)]) + name.encode() + bytes([SALT]) for name in GROUPS]
LENGTHS = [length.to_bytes(4, "big") for length in range(1 << 16)]
salts_of = Struct(f"{SALT}s" * len(GROUPS)).iter_unpack
CHUNK = 512
"""Records hashed at a time: they stay near the processor."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is the same in all leaves: the batch's id, and the digest of its opening."""

    id: str
    opening: str

    @classmethod
    def of(cls, name: str, opening: bytes) -> Batch:
        """Of its opening entry."""
        return cls(name, hashlib.sha256(opening).hexdigest())


@dataclass(slots=True)
class Sealed:
    """Salts (112 bytes a record, flat), leaves, leaf hashes."""

    salts: bytes = field(repr=False)
    leaves: list[bytes] = field(default_factory=list, repr=False)
    hashes: list[bytes] = field(default_factory=list, repr=False)


def commitments(columns: Sequence[Sequence[bytes]], salts: bytes) -> Iterator[str]:
    """The hex commitment of each record."""
    sha256 = hashlib.sha256
    hashed = [
        [sha256(prefix + salt + LENGTHS[len(text)] + text).digest() for salt, text in zip(own, column, strict=True)]
        for prefix, own, column in zip(PREFIXES, zip(*salts_of(salts), strict=True), columns, strict=True)
    ]
    for a, b, c, d, e, f, g in zip(*hashed, strict=True):
        left = sha256(b"\1" + sha256(b"\1" + a + b).digest() + sha256(b"\1" + c + d).digest()).digest()
        right = sha256(b"\1" + sha256(b"\1" + e + f).digest() + g).digest()
        yield sha256(b"\1" + left + right).hexdigest()


def sealed(
    batch: Batch, first: int, tokens: Sequence[str], columns: Sequence[Sequence[bytes]], salts: bytes | None = None
) -> Sealed:
    """Leaves of the records `first` … of a batch; salts are drawn unless given."""
    made = Sealed(os.urandom(SALTS * len(tokens)) if salts is None else salts)
    sha256 = hashlib.sha256
    before, middle = f'{{"b":"{batch.id}","c":"', f'","k":"decision","m":"{batch.opening}","n":'
    for at in range(0, len(tokens), CHUNK):
        end = min(at + CHUNK, len(tokens))
        found = commitments([column[at:end] for column in columns], made.salts[at * SALTS : end * SALTS])
        leaves = [
            f'{before}{commitment}{middle}{position},"s":"{token}","v":1}}'.encode()
            for commitment, position, token in zip(found, range(first + at, first + end), tokens[at:end], strict=True)
        ]
        made.leaves += leaves
        made.hashes += [sha256(b"\0" + leaf).digest() for leaf in leaves]
    return made


def digests(columns: Sequence[Sequence[bytes]]) -> bytes:
    """One unsalted hash a record over all groups but its subject, flat."""
    sha256, join = hashlib.sha256, b"\n".join
    return b"".join([sha256(join(texts)).digest() for texts in zip(*columns[1:], strict=True)])


def leaf_hash(entry: bytes) -> bytes:
    """Hash of an entry of the log."""
    return hashlib.sha256(b"\0" + entry).digest()


def tree_root(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962 root by levels."""
    sha256 = hashlib.sha256
    level = list(hashes)
    while len(level) > 1:
        odd = [level[-1]] if len(level) % 2 else []
        pairs = zip(level[0::2], level[1::2], strict=False)
        level = [sha256(b"\1" + left + right).digest() for left, right in pairs] + odd
    return level[0] if level else sha256(b"").digest()
