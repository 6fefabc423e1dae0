"""What did a signer sign last, and may it sign this tree head? A *state* keeps signers from contradicting themselves.

A state is the text of the last tree head signed for one log, in a file of its own, never in the log's folder. `advance`
demands a consistency proof from that head to the new one and writes the new one down; only then may a signature be
made. A log folder restored from a backup, or edited, cannot get a second history signed. (State and log restored
together: one machine cannot notice that, witnesses can.)

>>> state = State()                                             # in memory: for tests and demonstrations
>>> first = Checkpoint("example.com/county", 1, merkle.leaf_hash(b"first"))
>>> state.advance(first, prove=lambda old: [])
>>> state.last() == first
True
>>> state.advance(Checkpoint("example.com/county", 1, merkle.leaf_hash(b"other")), prove=lambda old: [])
Traceback (most recent call last):
meanscheck.errors.LedgerError: refused: the log does not continue the last tree head signed (1 leaves)

`Guarded` puts a state before anything that signs notes (a command, a device), and so makes it fit to grow a log.
Several signers give a line each:

    signer = Guarded([DeviceSigner.open(…)], state="keys/county.state")
    ledger = Ledger.open("ledger", signer=signer)

What a log asks of its signer is `LogSigner`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import checkpoint, files, merkle, note
from meanscheck.ledger.checkpoint import Checkpoint

Prove: TypeAlias = Callable[[int], list[bytes]]
"""Consistency proof from an older size to the head in question."""


class LogSigner(Protocol):
    """A signer that may grow a log: it knows what it signed last and signs no other history."""

    @property
    def key(self) -> note.VerifierKey:
        """The first public key; its name is the log's origin."""

    @property
    def keys(self) -> tuple[note.VerifierKey, ...]:
        """The public keys, in the order of lines."""

    @property
    def path(self) -> Path | None:
        """A file of the signer's that must stay outside the log's folder, or None."""

    def last_signed(self) -> Checkpoint | None:
        """The last tree head signed, or None before the first."""

    def sign_checkpoint(self, head: Checkpoint, *, prove: Prove) -> str:
        """The signed note of a tree head; LedgerError unless it continues the last one signed."""


class State:
    """The last tree head signed, in a file, or in memory where there is no path."""

    def __init__(self, path: Path | None = None, *, hashing: merkle.Hashing = merkle.SHA256) -> None:
        self.path, self.hashing = path, hashing
        self._memory: Checkpoint | None = None

    def last(self) -> Checkpoint | None:
        """The last tree head signed, or None before the first; LedgerError if the file is damaged."""
        if self.path is None:
            return self._memory
        try:
            return checkpoint.parse(self.path.read_bytes().decode())
        except FileNotFoundError:
            return None
        except (ValueError, NotProven):
            raise LedgerError(f"signer state {self.path.name} is damaged; see `adopt`") from None

    def advance(self, head: Checkpoint, *, prove: Prove) -> None:
        """Write a head down as the last one signed, after checking that it continues the one before."""
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with files.lock(self.path):
            last = self.last()
            if last is not None:
                self._continues(last, head, prove)
            self.adopt(head)

    def adopt(self, head: Checkpoint) -> None:
        """Take a head as the last one signed without any check: where the state was lost and a witness was asked."""
        if self.path is None:
            self._memory = head
        else:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            files.replace(self.path, checkpoint.format(head).encode())

    def keep_at(self, path: Path) -> None:
        """Keep what was kept so far in this file from now on."""
        last, self.path = self.last(), path
        if last is not None:
            self.adopt(last)

    def _continues(self, last: Checkpoint, head: Checkpoint, prove: Prove) -> None:
        if last.origin != head.origin:
            raise LedgerError("the signer's state is that of another log")
        try:
            if head.size < last.size:
                raise NotProven("consistency", "the log became shorter")
            path = prove(last.size)
            merkle.check_consistency(last.size, last.root, head.size, head.root, path, hashing=self.hashing)
        except NotProven:
            raise LedgerError(
                f"refused: the log does not continue the last tree head signed ({last.size} leaves)"
            ) from None


class Guarded:
    """Note signers under one name and a state: they sign the tree heads of one log, and no second history of it.

    Attributes:
        signers: who gives each line of a checkpoint, in order.
        path: a file that must stay outside the log's folder: the state's; None if it is kept in memory.
    """

    def __init__(
        self,
        signers: Sequence[note.NoteSigner],
        *,
        state: Path | str | None,
        hashing: merkle.Hashing = merkle.SHA256,
    ) -> None:
        """
        Args:
            signers: whatever makes the signatures; the keys' one name is the log's origin.
            state: the state's file, outside the log's folder, or None to keep it in memory. Its folder is made when
                it is first written.
            hashing: of the log's tree.
        """
        self.signers = tuple(signers)
        if len({key.name for key in self.keys}) != 1:
            raise LedgerError("a log's keys have one name, the log's origin")
        if len({(key.key_id, key.public) for key in self.keys}) != len(self.signers):
            raise LedgerError("the same key is given twice")
        if any(key.type == note.COSIGNATURE for key in self.keys):
            raise LedgerError("a witness's key cannot sign for a log")
        self.path = None if state is None else Path(state)
        self._state = State(self.path, hashing=hashing)

    @property
    def keys(self) -> tuple[note.VerifierKey, ...]:
        """The public keys, in the order of lines."""
        return tuple(signer.key for signer in self.signers)

    @property
    def key(self) -> note.VerifierKey:
        """The first key; its name is the log's origin."""
        return self.signers[0].key

    def sign_checkpoint(self, head: Checkpoint, *, prove: Prove) -> str:
        """The signed note of a tree head, after checking that it continues the last one signed.

        Args:
            head: the new tree head; its origin is the keys' name.
            prove: gives the consistency proof from an older size to `head`.
        """
        if head.origin != self.key.name:
            raise LedgerError("this key signs for another log: key name and origin differ")
        self._state.advance(head, prove=prove)
        return note.sign(checkpoint.format(head), self.signers)

    def last_signed(self) -> Checkpoint | None:
        """The last tree head signed, or None before the first."""
        return self._state.last()

    def adopt(self, head: Checkpoint) -> None:
        """Take a tree head as the last one signed, where the state was lost. Dangerous: ask a witness first."""
        self._state.adopt(head)
