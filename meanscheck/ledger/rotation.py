"""How is a log's key changed, and how does one year's log go on from another's, so that no proof is lost?

A key is changed in three steps, the log's name staying the same:

1. The old key announces the new one: a `key` entry under a checkpoint that the old key alone signs. Whoever trusts the
   old key takes the new one from its proof (`extended`); the office hands out a policy that lists both. A signer with
   two keys has two entries, one a key.
2. *Overlap*: for some checkpoints both keys sign. Receipts of this time need a policy with both.
3. The old key is dropped. Proofs that it signed hold as long as a policy lists it.

>>> import tempfile
>>> from meanscheck.ledger.batches import Ledger
>>> from meanscheck.ledger.signer import Signer
>>> folder, day = tempfile.TemporaryDirectory(), date(2026, 12, 1)
>>> old, new = Signer.generate("county.example/relief-2026"), Signer.generate("county.example/relief-2026")
>>> ledger = Ledger.open(folder.name, signer=old)
>>> announced = ledger.add([entries.Key(key=str(key), old=str(old.key), on=day) for key in new.keys])
>>> both = ledger.policy()
>>> for index in announced:
...     both = extended(both, ledger.prove_entry(index))
>>> both.log_keys == old.keys + new.keys
True
>>> ledger = Ledger.open(folder.name, signer=Overlap(old, new))
>>> index, = ledger.add([entries.Policy(hashlib.sha256(both.format().encode()).hexdigest(), on=day)])
>>> len(shown.verify(ledger.prove_entry(index), policy=both).signed_by) == len(both.log_keys)
True
>>> ledger = Ledger.open(folder.name, signer=new)

A log is kept for a year. Its last entry is `closed`; the first entry of the next log holds the digest of the last
checkpoint, so the old log can be put back or cut short no more, even by one who has its key:

>>> end = ledger.prove_entry(*ledger.add([entries.Closed(date(2026, 12, 31))]))
>>> another = tempfile.TemporaryDirectory()
>>> following = Ledger.open(another.name, signer=Signer.generate("county.example/relief-2027"))
>>> begin = following.prove_entry(*following.add([opened(ledger.checkpoint, on=date(2027, 1, 1))]))
>>> trusted = Policy(both.logs + following.policy().logs)
>>> chained = check_year(end, begin, policy=trusted)
>>> chained.old.origin, chained.old.size, chained.new.origin
('county.example/relief-2026', 4, 'county.example/relief-2027')
>>> ledger.add([entries.Closed(date(2026, 12, 31))])
Traceback (most recent call last):
meanscheck.errors.LedgerError: this log is closed: go on in the next one, whose first entry `rotation.opened` makes
>>> folder.cleanup(); another.cleanup()
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import checkpoint, entries, note, shown
from meanscheck.ledger.checkpoint import Checkpoint
from meanscheck.ledger.policy import LogLine, Policy
from meanscheck.ledger.state import LogSigner, Prove


class Overlap:
    """Two signers of one log, both of which sign each checkpoint while the older gives way to the newer."""

    def __init__(self, old: LogSigner, new: LogSigner) -> None:
        if old.key.name != new.key.name or set(old.keys) & set(new.keys):
            raise LedgerError("an overlap needs two different keys under the log's name")
        self._old, self._new = old, new

    @property
    def key(self) -> note.VerifierKey:
        """The older key, which verifiers know."""
        return self._old.key

    @property
    def keys(self) -> tuple[note.VerifierKey, ...]:
        """The public keys of both, the older's first."""
        return self._old.keys + self._new.keys

    @property
    def path(self) -> Path | None:
        """A file of the newer signer's: that of the older was looked at whenever it signed alone."""
        return self._old.path if self._new.path is None else self._new.path

    def last_signed(self) -> Checkpoint | None:
        """The larger of the heads that the two signed last."""
        heads = [head for head in (self._old.last_signed(), self._new.last_signed()) if head is not None]
        return max(heads, key=lambda head: head.size, default=None)

    def sign_checkpoint(self, head: Checkpoint, *, prove: Prove) -> str:
        """The note with the lines of both, after each has checked that the head continues what it signed last."""
        text, lines = note.parse(self._old.sign_checkpoint(head, prove=prove))
        return note.format(text, lines + note.parse(self._new.sign_checkpoint(head, prove=prove))[1])


def extended(policy: Policy, announcement: str) -> Policy:
    """A policy that trusts the new key as well, from the proof of a `key` entry.

    Raises:
        NotProven: the proof does not hold under the policy, or it does not announce a key of a log that it trusts
            (step ``key``). Old and new key are then both trusted; a line is taken out by hand.
    """
    proven = shown.verify(announcement, policy=policy)
    entry = entries.parse(proven.entry)
    if not isinstance(entry, entries.Key):
        raise NotProven("key", "the proof is of another entry than one that announces a key")
    old, new = note.VerifierKey.parse(entry.old), note.VerifierKey.parse(entry.key)
    if old not in policy.log_keys or not old.name == new.name == proven.head.origin:
        raise NotProven("key", "the key announced does not follow a key of this log that the policy lists")
    return policy if new in policy.log_keys else replace(policy, logs=(*policy.logs, LogLine(new)))


def opened(last_checkpoint: str, *, on: date) -> entries.Opened:
    """The first entry of the log that goes on from this checkpoint, given as a signed note."""
    text = note.parse(last_checkpoint)[0]
    head = checkpoint.parse(text)
    return entries.Opened(head.origin, head.size, _digest(text), on)


def check_chain(last_checkpoint: str, first_entry: bytes) -> entries.Opened:
    """NotProven (step ``chain``) unless the first entry of a log goes on from this checkpoint, given as a signed note.

    Signatures are not looked at: lines may be added to a checkpoint later. See `check_year`.
    """
    entry = entries.parse(first_entry)
    if not isinstance(entry, entries.Opened):
        raise NotProven("chain", "the first entry of the newer log does not go on from another log")
    if entry != opened(last_checkpoint, on=entry.on):
        raise NotProven("chain", "the newer log goes on from another checkpoint than this one")
    return entry


@dataclass(frozen=True, slots=True)
class Chained:
    """Two logs of which the newer goes on from the whole of the older: their signed tree heads."""

    old: Checkpoint
    new: Checkpoint


def check_year(last: str, first: str, *, policy: Policy) -> Chained:
    """Check that a log was closed and that another goes on from there.

    Args:
        last: proof (`shown.prove`) of the older log's `closed` entry against its last checkpoint.
        first: proof of the newer log's first entry.
        policy: lists a key of each log.

    Raises:
        NotProven: a proof does not hold, the older log goes on after that entry, or the newer one goes on from
            another checkpoint (step ``chain``).
    """
    end, begin = shown.verify(last, policy=policy), shown.verify(first, policy=policy)
    if not isinstance(entries.parse(end.entry), entries.Closed) or end.index != end.head.size - 1:
        raise NotProven("chain", "the older log is not closed at this checkpoint")
    if begin.index != 0 or begin.head.origin == end.head.origin:
        raise NotProven("chain", "the other proof is not of the first entry of another log")
    check_chain(last[last.index("\n\n") + 2 :], begin.entry)
    return Chained(end.head, begin.head)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
