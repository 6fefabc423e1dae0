"""How are a million decisions committed to in a few seconds? The same bytes as `commitment.py`, column by column.

A *block* holds some thousands of decisions as seven columns of canonical JSON and one column of tokens. `seal_block`
draws the salts, hashes, and writes leaves. A `Seal` is that function for one batch: a ledger gives it to the batch,
which calls it wherever its decisions are made, in any process. `Seal.blocks` does so for a stream of blocks, in order,
in this process or in several others; salts apart, results do not depend on how many.

>>> from meanscheck.ledger.commitment import GROUPS, commit
>>> texts = [b'{"n":%d}' % n for n in range(3)]
>>> sealed = seal_block("2026-11-A", "55" * 32, 0, tokens=["00" * 16] * 3, groups=[texts] * 7)
>>> len(sealed.salts), len(sealed.leaves), len(sealed.hashes)
(336, 3, 96)
>>> commit(dict.fromkeys(GROUPS, texts[2]), sealed.salts[224:]).hex() in sealed.leaves[2].decode()
True
>>> seal_block("2026-11-A", "55" * 32, 0, tokens=["00" * 16], groups=[texts[:1]] * 7, form="whole").leaves[0][-7:]
b',"v":2}'

What makes it fast (CPython 3.11, figures in microseconds a decision): only `hashlib.sha256` bound once, short-lived
chunks that stay in the processor's cache, constant beginnings joined once, random bytes drawn once a block. Thirteen
hashes are about nine tenths of the cost, so the rest of the loop hardly matters. A whole record takes one.
"""

from __future__ import annotations

import hashlib
import os
import re
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from struct import Struct
from typing import TYPE_CHECKING, Protocol

from meanscheck.errors import LedgerError
from meanscheck.ledger import canonical, merkle
from meanscheck.ledger.commitment import GROUPS, NAMES, PREFIXES, SALT, SALT_BYTES, VERSIONS, WHOLE, Form
from meanscheck.ledger.together import Together, together

if TYPE_CHECKING:
    from concurrent.futures import Future

CHUNK = 512
PART = 8192

_salts_of = Struct(f"{SALT}s" * len(GROUPS)).iter_unpack
_one_salt_of = Struct(f"{SALT}s").iter_unpack
_HEX = re.compile(r"[0-9a-f]*")


class Block(Protocol):
    """Some decisions of a batch, in the batch's order."""

    @property
    def tokens(self) -> Sequence[str]:
        """One subject token a decision: 32 lower-case hex characters."""

    @property
    def groups(self) -> Sequence[Sequence[bytes]]:
        """Seven columns in the order of `commitment.GROUPS`, one canonical JSON text a decision in each."""


@dataclass(frozen=True, slots=True)
class SealedBlock:
    """Salts (112 bytes a decision, 16 if committed to as a whole, flat), leaves, leaf hashes (32 bytes each, flat)."""

    salts: bytes = field(repr=False)
    leaves: list[bytes] = field(repr=False)
    hashes: bytes = field(repr=False)

    @property
    def salts_each(self) -> list[bytes]:
        """The salts of each decision."""
        width = len(self.salts) // max(len(self.leaves), 1)
        return [self.salts[at : at + width] for at in range(0, len(self.salts), max(width, 1))]


def seal_block(
    batch_id: str,
    opening: str,
    first_position: int,
    *,
    tokens: Sequence[str],
    groups: Sequence[Sequence[bytes]],
    salts: bytes | None = None,
    form: Form = "grouped",
) -> SealedBlock:
    """Leaves of a block.

    Args:
        batch_id: member b of the leaves.
        opening: digest of the batch-open entry, 64 hex characters, member m.
        first_position: member n of the first leaf.
        tokens: one a decision.
        groups: seven columns of canonical JSON.
        salts: 112 bytes a decision (16 for whole records) to use again; drawn from the operating system if None.
        form: how to commit, see `commitment.py`.

    Raises:
        LedgerError: the columns differ in length, a token is not 32 hex characters, or salts are short.
    """
    count = len(tokens)
    _check(count, tokens, groups)
    width = SALT_BYTES[form]
    if salts is None:
        salts = os.urandom(width * count)
    elif len(salts) != width * count:
        raise LedgerError(f"a block takes {width} bytes of salts a decision")
    before = f'{{"b":{canonical.format(batch_id).decode()},"c":"'
    middle = f'","k":"decision","m":"{opening}","n":'
    after = f'","v":{VERSIONS[form]}}}'
    commit = _commitments if form == "grouped" else _wholes
    sha256 = hashlib.sha256
    leaves: list[bytes] = []
    hashes: list[bytes] = []
    for at in range(0, count, CHUNK):
        end = min(at + CHUNK, count)
        commitments = commit([column[at:end] for column in groups], salts[width * at : width * end])
        chunk = [
            f'{before}{commitment}{middle}{position},"s":"{token}{after}'.encode()
            for position, (commitment, token) in enumerate(
                zip(commitments, tokens[at:end], strict=True), first_position + at
            )
        ]
        leaves += chunk
        hashes += [sha256(b"\0" + leaf).digest() for leaf in chunk]
    return SealedBlock(salts, leaves, b"".join(hashes))


class Keep(Protocol):
    """Takes the salts (112 bytes a decision, 16 if committed to as a whole) and leaves of a block, unpublished as yet.

    After a run that broke off, indexes come again with other salts: the later ones count.
    """

    def __call__(self, block_no: int, *, first_index: int, salts: Sequence[bytes], leaves: Sequence[bytes]) -> None: ...


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals decisions of one batch, whose opening is published.

    Attributes:
        batch_id: member b of the leaves.
        opening: digest of the batch-open entry.
        first_index: place in the log of the batch's first decision.
        form: how to commit, see `commitment.py`.
        origin: of the log.
    """

    batch_id: str
    opening: str
    first_index: int
    form: Form = "grouped"
    origin: str = ""

    @property
    def name(self) -> str:
        """All that leaves and their places depend on, tokens, groups and salts apart."""
        return f"{self.origin} {self.opening} {self.first_index} {self.form}"

    def __call__(self, first_position: int, *, tokens: Sequence[str], groups: Sequence[Sequence[bytes]]) -> SealedBlock:
        """Decisions `first_position` … of the batch; see `seal_block`."""
        return seal_block(self.batch_id, self.opening, first_position, tokens=tokens, groups=groups, form=self.form)

    def together(self, first_position: int, leaves: Sequence[bytes], hashes: bytes) -> Together:
        """Sealed decisions `first_position` … made ready for the log, wherever that is done (`together.py`)."""
        first_index = self.first_index + first_position
        return together(leaves, hashes, first_index=first_index, first_position=first_position)

    def again(self, first_position: int, leaves: Sequence[bytes]) -> Together:
        """Decisions that a seal of the same name sealed before its run was broken off, made ready for the log."""
        return self.together(first_position, leaves, merkle.leaf_hashes(leaves))

    def blocks(self, blocks: Iterable[Block], *, keep: Keep, processes: int = 1) -> Iterator[SealedBlock]:
        """A stream of blocks in order. With several processes a block is worked on in parts of 8192 decisions.

        At most a few blocks are in memory at a time. Processes are spawned, so a script that asks for them needs the
        usual ``if __name__ == "__main__"``.
        """
        position = 0
        made = self._here(blocks) if processes <= 1 else _in_processes(self, blocks, processes)
        for number, sealed in enumerate(made):
            keep(number, first_index=self.first_index + position, salts=sealed.salts_each, leaves=sealed.leaves)
            yield sealed
            position += len(sealed.leaves)

    def _here(self, blocks: Iterable[Block]) -> Iterator[SealedBlock]:
        position = 0
        for block in blocks:
            yield self(position, tokens=block.tokens, groups=block.groups)
            position += len(block.tokens)


def _commitments(columns: Sequence[Sequence[bytes]], salts: bytes) -> list[str]:
    """Hex commitments of a chunk: seven group hashes, then the six inner nodes of a seven-leaf RFC 6962 tree."""
    sha256 = hashlib.sha256
    lengths = {length: length.to_bytes(4, "big") for column in columns for length in set(map(len, column))}
    a, b, c, d, e, f, g = (
        [
            sha256(prefix + salt + lengths[len(text)] + text).digest()
            for salt, text in zip(column_salts, column, strict=True)
        ]
        for prefix, column_salts, column in zip(PREFIXES, zip(*_salts_of(salts), strict=True), columns, strict=True)
    )
    left = _nodes(_nodes(a, b), _nodes(c, d))
    right = _nodes(_nodes(e, f), g)
    return [sha256(b"\1" + x + y).hexdigest() for x, y in zip(left, right, strict=True)]


def _wholes(columns: Sequence[Sequence[bytes]], salts: bytes) -> list[str]:
    """Hex commitments of a chunk, each one hash over the whole record."""
    sha256, join = hashlib.sha256, b"".join
    parts: list[Iterable[bytes]] = [[WHOLE + salt for (salt,) in _one_salt_of(salts)]]
    for name, column in zip(NAMES, columns, strict=True):
        heads = {length: name + length.to_bytes(4, "big") for length in set(map(len, column))}
        parts += (map(heads.__getitem__, map(len, column)), column)
    return [sha256(join(row)).hexdigest() for row in zip(*parts, strict=True)]


def _nodes(left: Sequence[bytes], right: Sequence[bytes]) -> list[bytes]:
    sha256 = hashlib.sha256
    return [sha256(b"\1" + x + y).digest() for x, y in zip(left, right, strict=True)]


def _check(count: int, tokens: Sequence[str], groups: Sequence[Sequence[bytes]]) -> None:
    if len(groups) != len(GROUPS) or any(len(column) != count for column in groups):
        raise LedgerError(f"a block needs {len(GROUPS)} columns of one length")
    if count and (set(map(len, tokens)) != {2 * SALT} or not _HEX.fullmatch("".join(tokens))):
        raise LedgerError("a subject token is not 32 lower-case hex characters")


# Crossing a process border is cheap for one long byte string and dear for many short ones, so columns travel joined.
@dataclass(frozen=True, slots=True)
class _Packed:
    data: bytes
    lengths: array[int]

    @classmethod
    def pack(cls, texts: Sequence[bytes]) -> _Packed:
        return cls(b"".join(texts), array("I", map(len, texts)))

    def unpack(self) -> list[bytes]:
        data = self.data
        return [data[start:end] for start, end in pairwise(accumulate(self.lengths, initial=0))]


@dataclass(frozen=True, slots=True)
class _Sent:
    seal: Seal
    first_position: int
    tokens: str
    groups: tuple[_Packed, ...]


def _work(sent: _Sent) -> tuple[bytes, _Packed, bytes]:
    width = 2 * SALT
    sealed = sent.seal(
        sent.first_position,
        tokens=[sent.tokens[at : at + width] for at in range(0, len(sent.tokens), width)],
        groups=[packed.unpack() for packed in sent.groups],
    )
    return sealed.salts, _Packed.pack(sealed.leaves), sealed.hashes


def _in_processes(seal: Seal, blocks: Iterable[Block], processes: int) -> Iterator[SealedBlock]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting: deque[list[Future[tuple[bytes, _Packed, bytes]]]] = deque()
        try:
            position = 0
            for block in blocks:
                _check(len(block.tokens), block.tokens, block.groups)
                waiting.append([])
                for at in range(0, len(block.tokens), PART):
                    tokens = block.tokens[at : at + PART]
                    columns = tuple(_Packed.pack(column[at : at + PART]) for column in block.groups)
                    sent = _Sent(seal, position, "".join(tokens), columns)
                    waiting[-1].append(pool.submit(_work, sent))
                    position += len(tokens)
                # One block is worked on while the caller makes the next.
                if len(waiting) > 1:
                    yield _together(waiting.popleft())
            while waiting:
                yield _together(waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


def _together(parts: Sequence[Future[tuple[bytes, _Packed, bytes]]]) -> SealedBlock:
    done = [part.result() for part in parts]
    leaves = [leaf for _, packed, _ in done for leaf in packed.unpack()]
    salts = b"".join(salts for salts, _, _ in done)
    return SealedBlock(salts, leaves, b"".join(hashes for _, _, hashes in done))
