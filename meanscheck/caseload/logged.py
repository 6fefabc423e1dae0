"""Which batches are in a log, and do their entries add up? Read from the log alone, entry by entry.

    batch-open … decision, decision, … batch-close       every decision names its batch, its place and the opening;
                                                         batch-close names their count, their places and their root

A run that broke off leaves an opening that the next one goes on from; decisions without a batch-close are a fault.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import Leaf, Ledger, Policy, canonical, checkpoint, merkle, note


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not hold: where (index, batch, never a value), and what, in Chinese and English."""

    where: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class LoggedBatch:
    """One batch of a log.

    Attributes:
        batch_id: its id.
        open_index: of batch-open.
        opening: what was pinned before the run.
        first: index of the first decision.
        count: decisions.
        close_index: of batch-close, None if it is not closed.
        root: over the decision leaves, hex, reckoned here.
        closing: what batch-close adds to the counts.
    """

    batch_id: str
    open_index: int
    opening: Mapping[str, Any] = field(repr=False)
    first: int
    count: int
    close_index: int | None
    root: str
    closing: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Logged:
    """What stands in a log: its head, its batches, tokens of erased households, and what does not add up."""

    origin: str
    size: int
    root: str
    batches: tuple[LoggedBatch, ...]
    erased: frozenset[str] = field(repr=False)
    faults: tuple[Fault, ...]

    def batch(self, batch_id: str) -> LoggedBatch:
        """The last closed batch of that id; LedgerError if there is none."""
        for one in reversed(self.batches):
            if one.batch_id == batch_id and one.close_index is not None:
                return one
        raise LedgerError("the log has no closed batch of that id")


def signers_of(ledger: Ledger, policy: Policy) -> tuple[str, ...]:
    """Labels of the policy's keys that signed the log's checkpoint; NotProven if none did."""
    opened = note.open(ledger.checkpoint, policy.log_keys + policy.witness_keys)
    own = [s.key for s in opened.signatures if s.key in policy.log_keys and s.key.name == ledger.origin]
    if not own:
        raise NotProven("signature", "the checkpoint is not signed by a key of the policy for this log")
    return tuple(key.label for key in own)


def read_log(ledger: Ledger) -> Logged:
    """Read every entry of a log and hold each batch to its promises."""
    if not ledger.size:
        return Logged(ledger.origin, 0, "", (), frozenset(), ())
    head = checkpoint.parse(note.parse(ledger.checkpoint)[0])
    reader = _Reader(ledger)
    for index in range(ledger.size):
        reader.take(index, ledger.entry(index))
    reader.end()
    return Logged(
        head.origin, head.size, head.root.hex(), tuple(reader.batches), frozenset(reader.erased), tuple(reader.faults)
    )


class _Reader:
    """The state of reading: the batch that is open, if any."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.batches: list[LoggedBatch] = []
        self.erased: set[str] = set()
        self.faults: list[Fault] = []
        self._open: tuple[int, str, str, Mapping[str, Any]] | None = None
        self._tree = merkle.Frontier()
        self._tokens: set[str] = set()

    def take(self, index: int, entry: bytes) -> None:
        """One entry."""
        try:
            members = canonical.parse(entry)
            kind = members["k"]
        except (canonical.NotCanonical, KeyError, TypeError):
            self._fault(index, "条目写法不规范", "the entry is not canonical")
            return
        if kind == "decision":
            self._decision(index, entry)
        elif kind == "batch-open":
            self.end()
            digest = hashlib.sha256(entry).hexdigest()
            self._open = (index, str(members.get("b")), digest, members.get("opening") or {})
        elif kind == "batch-close":
            self._close(index, members)
        else:
            if self._tree.size:
                self._fault(index, "批次未关闭即出现其他条目", "another entry stands before the batch is closed")
            if kind == "erasure":
                self.erased.add(str(members.get("s")))

    def end(self) -> None:
        """The end of what belongs to a batch; one with decisions must have been closed before."""
        if self._open is not None:
            index, batch, _, opening = self._open
            if self._tree.size:
                self._fault(index, "批次有决定但未关闭", "the batch has decisions and is not closed")
            self._keep(batch, index, opening, None, {})

    def _decision(self, index: int, entry: bytes) -> None:
        if self._open is None:
            self._fault(index, "决定不在任何批次之内", "the decision stands in no batch")
            return
        _, batch, digest, _ = self._open
        try:
            leaf = Leaf.parse(entry)
        except NotProven as fault:
            self._fault(index, "决定条目写法不规范", fault.why)
        else:
            if (leaf.batch, leaf.opening, leaf.position) != (batch, digest, self._tree.size):
                self._fault(
                    index, "决定的批次、开启摘要或序号不符", "batch, opening or place of the decision are others"
                )
            if leaf.token in self._tokens:
                self._fault(index, "同一批次内同一户有两个决定", "a second decision on one household in the batch")
            self._tokens.add(leaf.token)
        self._tree.extend(merkle.leaf_hash(entry))

    def _close(self, index: int, members: Mapping[str, Any]) -> None:
        if self._open is None:
            self._fault(index, "关闭条目没有对应的开启条目", "a batch is closed that was not opened")
            return
        opened, batch, digest, opening = self._open
        count = self._tree.size
        told = tuple(members.get(name) for name in ("b", "m", "count", "first", "last", "root"))
        places = (opened + 1, opened + count) if count else (None, None)
        if told != (batch, digest, count, *places, self._tree.root().hex()):
            self._fault(
                index,
                "关闭条目的数量、位置或根与批次不符",
                "count, places or root of the closing are not those of the batch",
            )
        if opening.get("units", count) != count:
            self._fault(index, "决定数与开启时所承诺的户数不符", "there are not as many decisions as were promised")
        self._keep(batch, opened, opening, index, members.get("closing") or {})

    def _keep(
        self, batch: str, opened: int, opening: Mapping[str, Any], close: int | None, closing: Mapping[str, Any]
    ) -> None:
        root = self._tree.root().hex()
        self.batches.append(LoggedBatch(batch, opened, opening, opened + 1, self._tree.size, close, root, closing))
        self._open, self._tree, self._tokens = None, merkle.Frontier(), set()

    def _fault(self, index: int, zh: str, en: str) -> None:
        self.faults.append(Fault(f"log entry {index}", zh, en))
