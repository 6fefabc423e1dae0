"""Which decisions take the place of earlier ones? What a batch says of it, and the correction entries that follow it.

A batch that takes the place of earlier decisions is `Superseding`: it knows, for each household decided before, the
index of that decision. While it is appended its decisions are looked up there, and after its batch-close come
correction entries, each with up to 1500 pairs of indexes (`entries.Correction`), and a tally.

Choices
-------
* Pairs in the open, not a root over them: an index in an append-only log is as good as a digest, a pair takes twenty
  bytes, and whoever has the entry can read and check it. A root would say nothing without the list, and an entry a
  pair would double the log of a caseload that is reviewed.
* The earlier decision is also named inside the later one's provenance group, where only its reader sees it. The entry
  says it in public and gives the reason.

>>> log = history.Made([b'{"b":"a","c":"","k":"decision","m":"","n":0,"s":"' + b"0f" * 16 + b'","v":1}'])
>>> class Review:
...     supersedes, why = {"0f" * 16: 0}, "review"
>>> taken = Corrections(log, "2026-12", Review())
>>> taken.take(3, [log.entry(0)])
>>> taken.entries()
[b'{"b":"2026-12","k":"correction","pairs":[[0,3]],"v":1,"why":"review"}']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from meanscheck.errors import LedgerError
from meanscheck.ledger import entries, history, tokens


@runtime_checkable
class Superseding(Protocol):
    """What a batch has besides, if its decisions take the place of earlier ones."""

    @property
    def supersedes(self) -> Mapping[str, int]:
        """Token → index in this log of the decision whose place is taken, for households decided before."""

    @property
    def why(self) -> str:
        """Code of the reason, such as ``review``."""


class Corrections:
    """Pairs of an earlier and a later decision, gathered while a batch goes by, as texts of correction entries."""

    def __init__(self, published: history.Entries, batch_id: str, batch: object) -> None:
        self._earlier, self._why = (batch.supersedes, batch.why) if isinstance(batch, Superseding) else ({}, "")
        self._published, self._batch = published, batch_id
        self._pairs: list[tuple[int, int]] = []
        self._texts: list[bytes] = []

    @property
    def is_asked(self) -> bool:
        """Whether the batch takes the place of anything."""
        return bool(self._earlier)

    def take(self, first: int, leaves: Sequence[bytes]) -> None:
        """Look each decision of a block up among those whose place is taken."""
        for index, leaf in enumerate(leaves, first):
            token = leaf[tokens.OF_LEAF].decode()
            earlier = self._earlier.get(token)
            if earlier is None:
                continue
            text = self._published.entry(earlier)
            if text[tokens.OF_LEAF] != leaf[tokens.OF_LEAF] or b'"k":"decision"' not in text:
                raise LedgerError(
                    f"entry {earlier} is no decision on the household whose earlier decision it should be"
                )
            self._pairs.append((earlier, index))
            if len(self._pairs) == entries.MAX_PAIRS:
                self._flush()

    def entries(self) -> list[bytes]:
        """The texts of the correction entries."""
        if self._pairs:
            self._flush()
        return self._texts

    def _flush(self) -> None:
        self._texts.append(entries.format(entries.Correction(self._batch, tuple(self._pairs), self._why)))
        self._pairs.clear()
