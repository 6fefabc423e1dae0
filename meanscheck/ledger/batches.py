"""How does a run of decisions enter the log? As a batch between an opening and a closing entry.

    {"b":…,"k":"batch-open","opening":{…},"v":1}     before the run: digests of law, engine and inputs, ordering rule
    {"b":…,"c":…,"k":"decision","m":…,"n":0,…}       one entry a decision, in the batch's order
    …
    {"b":…,"before":…,"closing":{…},"count":…,"first":…,"k":"batch-close","last":…,"m":…,"root":…,"tokens":…,"v":1}

`m` is the SHA-256 of the batch-open entry; the other members of batch-close are reckoned here (`closing.py`). After a
batch that takes the place of earlier decisions come its corrections. `Ledger.add` appends entries of the other kinds
(`entries.py`) between batches. The opening is published under a
checkpoint of its own before the first decision is asked for, so nobody can choose the rules after seeing results. A run
that breaks off leaves its opening in the log and nothing else; the same batch tried again continues from that opening.

Only witnesses make that certain for others: with `append(batch, witness=...)` the opening's checkpoint has its quorum
before the first decision is asked for, or nothing is decided. batch-close then has one member more, `witnessed`: that
checkpoint as text, with the cosignatures and their times.

>>> import tempfile
>>> class Three:                                       # anything with these four members is a Batch
...     batch_id, opening, closing = "2026-11-A", {"law": "sha256:33"}, {"rejected": 0}
...     tokens, groups = ["00" * 16] * 3, [[b'{"n":0}', b'{"n":1}', b'{"n":2}']] * 7
...     def sealed(self, seal):
...         return seal.blocks([self], keep=self.keep)
...     def keep(self, block_no, *, first_index, salts, leaves):
...         self.kept = [*zip(salts, leaves)]           # a vault would seal them here
>>> batch, folder = Three(), tempfile.TemporaryDirectory()
>>> from meanscheck.ledger.signer import Signer
>>> signer = Signer.generate("county.example/relief")
>>> ledger = Ledger.open(folder.name, signer=signer)
>>> sealed = ledger.append(batch)
>>> sealed.first_index, sealed.count, sealed.size
(1, 3, 5)
>>> salts, leaf = batch.kept[2]
>>> groups = dict.fromkeys(commitment.GROUPS, b'{"n":2}')
>>> receipt = ledger.receipt(3, leaf, groups, salts, disclose=["result"])

The receipt and a policy are all an auditor needs:

>>> from meanscheck.ledger.verdict import verify
>>> proven = verify(receipt.encode(), policy=ledger.policy())
>>> dict(proven.groups), dict(proven.opening)
({'result': {'n': 2}}, {'law': 'sha256:33'})
>>> folder.cleanup()
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import (
    bulk,
    canonical,
    commitment,
    entries,
    files,
    history,
    latest,
    merkle,
    note,
    receipts,
    shown,
    tokens,
)
from meanscheck.ledger.batch import Batch, Sealed
from meanscheck.ledger.canonical import Json
from meanscheck.ledger.closing import Closing
from meanscheck.ledger.commitment import Form
from meanscheck.ledger.corrections import Corrections
from meanscheck.ledger.history import At
from meanscheck.ledger.log import CHECKPOINT, Growth, Log
from meanscheck.ledger.policy import LogLine, Policy
from meanscheck.ledger.state import LogSigner
from meanscheck.ledger.tiles import TileReader
from meanscheck.ledger.together import Together
from meanscheck.ledger.witnessing import Witnesses, merge

TAIL: Final = 32
"""Entries that may come after the last batch-close or tally, before a tally is added: they travel in every proof that
a decision is the latest."""
MAX_WITNESSED: Final = 48_000
"""An entry has at most 65,535 bytes, and batch-close has other members than the witnessed opening."""


class Ledger:
    """A log folder with the signer that grows it. Without a signer it only reads."""

    def __init__(self, log: Log, signer: LogSigner | None) -> None:
        self._log, self._signer = log, signer
        self._reader: TileReader | None = None
        self._pages = latest.Pages()

    @classmethod
    def open(cls, path: Path | str, *, signer: LogSigner | None = None, origin: str | None = None) -> Ledger:
        """Open or begin the log in a folder.

        Args:
            path: the log's folder; holds nothing secret and may be published or copied.
            signer: needed to append. Its key file must lie outside the folder.
            origin: the log's name; the signer's name if left out.
        """
        if origin is None:
            if signer is None:
                raise LedgerError("give the log's origin, or a signer")
            origin = signer.key.name
        if signer is not None and signer.key.name != origin:
            raise LedgerError("the signer's key has another name than the log's origin")
        return cls(Log.open(Path(path), origin=origin), signer)

    @property
    def origin(self) -> str:
        """The log's name."""
        return self._log.origin

    @property
    def size(self) -> int:
        """Published leaves."""
        return self._log.size

    @property
    def checkpoint(self) -> str:
        """The signed checkpoint, as text; empty before the first."""
        return self._log.note

    def policy(self) -> Policy:
        """A policy that trusts this ledger's own keys and asks for no witness: where trust in the office begins."""
        if self._signer is None:
            raise LedgerError("a policy needs the signer's public keys")
        return Policy(tuple(LogLine(key) for key in self._signer.keys))

    def entry(self, index: int) -> bytes:
        """Published entry at an index."""
        return self._tiles().entry(index)

    def append(self, batch: Batch, *, commitment: Form = "grouped", witness: Witnesses | None = None) -> Sealed:
        """Add a batch and publish it.

        Args:
            batch: see `Batch`. If anything it does raises, the log keeps its opening and nothing else of it.
            witness: who cosigns the opening before anything is decided, and the closing after.
            commitment: ``grouped``, so that receipts can show some groups and hide others; or ``whole``, one hash over
                the record: cheaper, and a receipt shows all of it or nothing.

        Raises:
            NotProven: step ``witnesses``: the opening did not get its quorum; nothing was decided. If only the closing
                did not, the batch stands, `Sealed.witnessed` is False, and `cosign` can be tried later.
        """
        if self._signer is None:
            raise LedgerError("this ledger was opened without a signer: it can only read")
        if not batch.batch_id:
            raise LedgerError("a batch needs an id")
        opening = _entry(batch.batch_id, "batch-open", {"opening": dict(batch.opening)})
        digest = hashlib.sha256(opening).hexdigest()
        batch_tree, decided = merkle.Frontier(), tokens.Tokens(self._log.folder)
        with self._log.grow(self._signer) as growth:
            history.refuse_closed(self._log.reader())
            before = history.last_close(self._log.reader())
            if any(closing.batch == batch.batch_id for _, closing in history.closings(self._log.reader())):
                raise LedgerError(
                    f"batch {batch.batch_id} is in this log already: the same decisions are not sealed twice"
                )
            taken = Corrections(self._log.reader(), batch.batch_id, batch)
            if growth.size == 0 or self._log.reader().entry(growth.size - 1) != opening:
                growth.add([opening])
                growth.publish()
            first = growth.size
            opened = "" if witness is None else self._cosigned(witness, guess=first - 1)
            if len(opened) > MAX_WITNESSED:
                raise LedgerError(
                    f"the opening has more than {MAX_WITNESSED} bytes of cosignatures: ask fewer witnesses"
                )
            seal = bulk.Seal(batch.batch_id, digest, first, commitment, self.origin)
            for made in batch.sealed(seal):
                block = made
                if not isinstance(block, Together):
                    block = seal.together(batch_tree.size, block.leaves, block.hashes)
                if taken.is_asked:
                    taken.take(growth.size, block.leaves())
                decided.take(block.tokens)
                growth.put(block)
                block.in_batch.extend(batch_tree)
            count, root = batch_tree.size, batch_tree.root().hex()
            end = Closing(
                batch.batch_id,
                digest,
                count,
                first if count else None,
                root,
                tokens.root(decided.pages()).hex(),
                before,
                batch.closing,
                opened or None,
            )
            growth.add([end.format()])
            if entered := taken.entries():
                growth.add([*entered, entries.format(entries.Tally(first + count))])
            growth.publish()
            if witness is not None:
                with contextlib.suppress(NotProven):
                    self._cosigned(witness, guess=first)
            return Sealed(
                batch_id=batch.batch_id,
                open_index=first - 1,
                first_index=first,
                count=count,
                close_index=first + count,
                size=growth.size,
                root=root,
                checkpoint=self.checkpoint,
                witnessed=witness is not None and witness.is_met(self.checkpoint),
            )

    def cosign(self, witness: Witnesses) -> str:
        """Ask witnesses for the newest checkpoint, unless it has their quorum; returns it. See `Witnesses.cosign`."""
        with files.lock(self._log.folder / f".{CHECKPOINT}"):
            self._log.refresh()
            if not self.size:
                raise LedgerError("the log is empty: there is no checkpoint to cosign")
            # The same question as `append` asked: an answer to it may be on its way.
            return self._cosigned(witness, guess=self._size_at_last_opening())

    def receipt(
        self, index: int, leaf: bytes, groups: Mapping[str, bytes], salts: bytes, disclose: Collection[str]
    ) -> str:
        """The receipt of a decision against the newest checkpoint, as tlog-proof text.

        Args:
            index: of the decision's entry in the log.
            leaf: the entry.
            groups: canonical JSON of all seven groups, by name.
            salts: the bytes kept with the leaf.
            disclose: names of the groups to show; all or none where the record was committed to as a whole.

        Raises:
            LedgerError: the log has another entry there, or groups and salts do not give its commitment.
        """
        tiles = self._tiles()
        if tiles.entry(index) != leaf:
            raise LedgerError(f"the log has another entry at {index}")
        members = commitment.Leaf.parse(leaf)
        if commitment.commit(groups, salts, form=members.form).hex() != members.commitment:
            raise LedgerError("groups and salts do not give the entry's commitment")
        siblings = commitment.hide(groups, salts, disclose, form=members.form)
        for group in disclose:
            try:
                canonical.parse(groups[group])
            except canonical.NotCanonical as error:
                raise LedgerError(f"group {group} is not canonical JSON: {error}") from None
        shown = {group: (groups[group], commitment.salt_of(group, salts)) for group in disclose}
        open_index = index - 1 - members.position
        opening = tiles.entry(open_index)
        if hashlib.sha256(opening).hexdigest() != members.opening:
            raise LedgerError(f"the log has no fitting batch-open entry at {open_index}")
        return receipts.format(
            receipts.Receipt(
                index,
                tuple(merkle.prove_inclusion(tiles, index, tiles.size)),
                self._ordered_checkpoint(),
                leaf,
                shown,
                tuple(siblings),
                receipts.Opening(open_index, opening, tuple(merkle.prove_inclusion(tiles, open_index, tiles.size))),
            )
        )

    def add(self, new: Sequence[entries.Entry]) -> list[int]:
        """Append entries of the kinds of `entries.py` and publish them under one checkpoint.

        Returns:
            Their indexes. A tally may come after them.

        Raises:
            LedgerError: an entry cannot stand there (`history.admit`); nothing was added.
        """
        if self._signer is None:
            raise LedgerError("this ledger was opened without a signer: it can only read")
        texts = [entries.format(entry) for entry in new]
        with self._log.grow(self._signer) as growth:
            published = self._log.reader()
            history.admit(published, new, origin=self.origin)
            indexes = [*range(growth.size, growth.size + len(texts))]
            if texts:
                growth.add(texts)
                _tally(growth, published, ends=isinstance(new[-1], entries.Closed))
                growth.publish()
        return indexes

    def history(self, token: str) -> tuple[At, ...]:
        """Every entry about a household, in order; reads the whole log."""
        return history.history(self._tiles(), token)

    def latest(self, token: str) -> int:
        """Index of the latest decision on a household; LedgerError if this log has none."""
        decided = [at.index for at in self.history(token) if isinstance(at.entry, commitment.Leaf)]
        if not decided:
            raise LedgerError("this log has no decision on that household")
        return decided[-1]

    def last_decisions(self) -> dict[str, int]:
        """Token → index of the latest decision, of every household: what a review of all of them supersedes."""
        return history.last_decisions(self._tiles())

    def steps(self, index: int) -> tuple[At, ...]:
        """The office's steps on the decision at an index of this log, in order."""
        return history.steps_of(self._tiles(), self.origin, index, self.entry(index))

    def prove_latest(self, index: int, leaf: bytes) -> str:
        """Proof, against the newest checkpoint, that no later decision on the household is in the log (`latest.py`).

        Raises:
            NotProven: a later batch decided the household (step ``latest``); the text names it.
            LedgerError: the log has another entry at `index`.
        """
        if self.entry(index) != leaf:
            raise LedgerError(f"the log has another entry at {index}")
        return latest.prove(self._tiles(), index, self._ordered_checkpoint(), kept=self._pages)

    def prove_entry(self, index: int) -> str:
        """Proof that an entry of any kind is in the log, with the entry in it (`shown.py`)."""
        return shown.prove(self._tiles(), index, self._ordered_checkpoint())

    def check(self) -> int:
        """Recompute the whole folder from its entries; returns the leaves, LedgerError names what does not fit."""
        return self._log.check()

    def check_entries(self) -> Counter[str]:
        """Hold every entry to its promise (`history.check_entries`); returns how many there are of each kind."""
        return history.check_entries(self._tiles(), origin=self.origin)

    def consistency(self, old_size: int) -> list[bytes]:
        """Proof that the newest checkpoint continues the log's first `old_size` leaves (`merkle.check_consistency`)."""
        return merkle.prove_consistency(self._tiles(), old_size, self.size)

    def add_cosignatures(self, lines: str, *, policy: Policy) -> str:
        """Add witnesses' signature lines to the newest checkpoint, after checking each; returns the new text."""
        text, _ = note.parse(self.checkpoint)
        _, new = note.parse(f"{text}\n{lines}")
        opened = note.open(note.format(text, new), policy.witness_keys)
        if opened.unknown:
            raise NotProven("witnesses", "a line is not by a witness of the policy")
        with files.lock(self._log.folder / f".{CHECKPOINT}"):
            self._log.refresh()
            if note.parse(self._log.note)[0] != text:
                raise LedgerError("the log has a newer checkpoint than the one cosigned")
            return self._put_checkpoint(merge(self._log.note, new))

    def _cosigned(self, witness: Witnesses, *, guess: int) -> str:
        """The newest checkpoint with a quorum's lines, which are put on disk. The caller holds the log's lock."""
        if witness.is_met(self._log.note):
            return self._log.note
        tree = self._log.reader()
        prove = partial(merkle.prove_consistency, tree, new=tree.size)
        return self._put_checkpoint(witness.cosign(self._log.note, prove=prove, guess=guess))

    def _size_at_last_opening(self) -> int:
        """Size of the log when the last batch was opened; 0 if there is none."""
        at = history.last_close(self._log.reader())
        return 0 if at is None else at - Closing.parse(self.entry(at)).count

    def _put_checkpoint(self, text: str) -> str:
        files.replace(self._log.folder / CHECKPOINT, text.encode())
        self._log.refresh()
        return text

    def _tiles(self) -> TileReader:
        if self._reader is None or self._reader.size != self.size:
            self._reader = self._log.reader()
        return self._reader

    def _ordered_checkpoint(self) -> str:
        text, lines = note.parse(self.checkpoint)
        return note.format(text, receipts.ordered(self.origin, lines))


def _tally(growth: Growth, published: TileReader, *, ends: bool) -> None:
    """A tally where too many entries have come since the last; none after the end of a log."""
    mark = history.last_mark(published)
    if not ends and growth.size - 1 - (-1 if mark is None else mark) > TAIL:
        growth.add([entries.format(entries.Tally(history.last_close(published)))])


def _entry(batch_id: str, kind: str, content: Mapping[str, Json]) -> bytes:
    try:
        entry = canonical.format({"b": batch_id, "k": kind, "v": commitment.VERSION, **content})
    except canonical.NotCanonical as error:
        raise LedgerError(f"the {kind} entry holds {error}") from None
    return entry
