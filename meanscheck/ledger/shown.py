"""How is any one entry shown to an outsider: an erasure, a step, a new key, the end of a log?

As a `proof` text (C2SP tlog-proof) whose extra data is the entry itself. `verify` gives the entry back when the text
has its one form, the policy's log signed and the policy's witnesses cosigned, and the entry leads to the signed root.

>>> from datetime import date
>>> from meanscheck.ledger import entries
>>> from meanscheck.ledger.policy import LogLine
>>> from meanscheck.ledger.signer import Signer
>>> signer = Signer.generate("county.example/relief", ml_dsa=False)
>>> closed = entries.format(entries.Closed(date(2026, 12, 31)))
>>> head = checkpoint.Checkpoint(signer.key.name, 1, merkle.leaf_hash(closed))
>>> text = prove(Alone(closed), 0, signer.sign_checkpoint(head, prove=lambda old: []))
>>> found = verify(text, policy=Policy((LogLine(signer.key),)))
>>> found.index, found.head.size, entries.parse(found.entry)
(0, 1, Closed(on=datetime.date(2026, 12, 31)))
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from meanscheck.errors import NotProven
from meanscheck.ledger import checkpoint, merkle, note, proof, receipts
from meanscheck.ledger.policy import Policy
from meanscheck.ledger.verdict import Step, open_head


class Tiles(merkle.Tree, Protocol):
    """A log's hashes and entries, such as `tiles.TileReader`."""

    @property
    def size(self) -> int: ...

    def entry(self, index: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Alone:
    """A log of one entry, held in memory."""

    only: bytes
    size: int = 1

    def entry(self, index: int) -> bytes:
        """The entry."""
        return self.only

    def subtree(self, start: int, end: int) -> bytes:
        """Its root."""
        return merkle.leaf_hash(self.only)


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry that is in a log.

    Attributes:
        head: the signed tree head.
        index: the entry's place.
        entry: the entry.
        signed_by: labels of the log keys that signed.
        witnessed: label of each witness and its time in POSIX seconds.
    """

    head: checkpoint.Checkpoint
    index: int
    entry: bytes = field(repr=False)
    signed_by: tuple[str, ...]
    witnessed: tuple[tuple[str, int], ...]


def prove(log: Tiles, index: int, signed: str) -> str:
    """The proof of an entry against the checkpoint of the log's size, its signature lines in a receipt's order."""
    path = tuple(merkle.prove_inclusion(log, index, log.size))
    return proof.format(proof.Proof(index, path, signed, log.entry(index)))


def verify(text: str, *, policy: Policy) -> Shown:
    """What a proof shows; NotProven (step ``form``, ``signature``, ``witnesses`` or ``inclusion``) if it fails."""
    parts = proof.parse(text)
    if parts.extra is None:
        raise NotProven("form", "there is no extra line, so no entry is shown")
    check_order(parts.checkpoint)
    if proof.format(parts) != text:
        raise NotProven("form", "is not written in the one canonical form")
    steps: list[Step] = []
    head, signed_by, witnessed = open_head(parts.checkpoint, policy, steps)
    merkle.check_inclusion(merkle.leaf_hash(parts.extra), parts.index, head.size, parts.path, head.root)
    return Shown(head, parts.index, parts.extra, signed_by, witnessed)


def check_order(signed: str) -> None:
    """NotProven unless a checkpoint has its one form, with signature lines in a receipt's order."""
    body, lines = note.parse(signed)
    if list(lines) != receipts.ordered(checkpoint.parse(body).origin, lines) or note.format(body, lines) != signed:
        raise NotProven("form", "the checkpoint is not in canonical form, or its signature lines are not in order")
