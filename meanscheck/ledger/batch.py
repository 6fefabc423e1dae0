"""What is a batch, as the ledger sees it, and what is known of it once it is in the log?

`batches.Ledger.append` takes a `Batch` and gives a `Sealed`. Between the two the batch is asked once for what it pins,
once for its decisions, which it seals itself with the `bulk.Seal` it is given, and once for what it adds to the counts.

>>> made = Sealed("2026-11", 0, 1, 3, 4, 5, "00" * 32, "…")
>>> made.close_index - made.first_index == made.count, made.witnessed
(True, False)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from meanscheck.ledger import bulk
from meanscheck.ledger.canonical import Json
from meanscheck.ledger.together import Together


class SealedDecisions(Protocol):
    """Entries of some decisions and their leaf hashes (32 bytes each, flat), as a `bulk.Seal` makes them."""

    @property
    def leaves(self) -> Sequence[bytes]: ...
    @property
    def hashes(self) -> bytes: ...


class Batch(Protocol):
    """A run of decisions, as the ledger sees it."""

    @property
    def batch_id(self) -> str:
        """Unique in the log."""

    @property
    def opening(self) -> Mapping[str, Json]:
        """What batch-open pins. Read once, before `sealed`."""

    @property
    def closing(self) -> Mapping[str, Json]:
        """What batch-close adds to the counts. Read once, after the last block."""

    def sealed(self, seal: bulk.Seal) -> Iterator[SealedDecisions | Together]:
        """The decisions in the batch's order, sealed; called once, after the opening is published.

        Those that another process made are best made ready for the log there (`bulk.Seal.together`).

        Whoever seals a decision keeps its salts and leaf before it is yielded: they are not asked for again.
        """


@dataclass(frozen=True, slots=True)
class Sealed:
    """A batch in the log.

    Attributes:
        batch_id: its id.
        open_index: index of the batch-open entry.
        first_index: index of the first decision (of batch-close, if there is none).
        count: decisions.
        close_index: index of the batch-close entry.
        size: leaves of the log now.
        root: root over the batch's decision leaves, hex.
        checkpoint: the signed checkpoint, as text.
        witnessed: True if the checkpoint has the quorum of the witnesses that `append` was given.
    """

    batch_id: str
    open_index: int
    first_index: int
    count: int
    close_index: int
    size: int
    root: str
    checkpoint: str
    witnessed: bool = False
