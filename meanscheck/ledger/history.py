"""What happened to a household, a decision, or the whole log? Entries read in order, and rules that join them.

    history(tiles, token)      every entry about a household: decisions, their steps and corrections, erasure
    steps_of(tiles, …)         the steps on one decision
    last_decisions(tiles)      token → index of its latest decision, for a batch that takes their place
    admit(tiles, entries)      may these be added? Asked under the log's lock, before they are
    check_entries(tiles)       does every entry keep its promise? For an auditor who has the tiles

Readers for the office's own use step from batch-close to batch-close and skip the decisions between; `check_entries`
believes none of them and reads everything. Rules that it holds to:

* a decision stands in its batch, at its place, after the batch-open entry that it pins; a batch is closed;
* batch-close tells the truth: counts, root, token root, and where the batch-close before it stands; so does a tally;
* a correction joins two decisions of one household, the later one of the batch it names;
* a step is on a decision that is there, and follows the step before it; nothing follows `closed`.

>>> check_entries(Made([b'{"k":"closed","on":"2026-12-31","v":1}', b'{"before":null,"k":"tally","v":1}']))
Traceback (most recent call last):
meanscheck.errors.NotProven: entries: entry 1: the log was closed before it
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import entries, merkle
from meanscheck.ledger.closing import Closing
from meanscheck.ledger.commitment import Leaf
from meanscheck.ledger.entries import Entry
from meanscheck.ledger.tokens import OF_LEAF, Tokens, root
from meanscheck.ledger.verdict import parse_opening

_DECISION, _BATCH, _STEP = b'"k":"decision"', b'"k":"batch-', b'"k":"step"'


class Entries(Protocol):
    """Entries of a log by index: `tiles.TileReader`, or a list in a test."""

    @property
    def size(self) -> int: ...

    def entry(self, index: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Made:
    """Entries held in memory."""

    entries: Sequence[bytes]

    @property
    def size(self) -> int:
        """How many."""
        return len(self.entries)

    def entry(self, index: int) -> bytes:
        """One of them."""
        return self.entries[index]


@dataclass(frozen=True, slots=True)
class At:
    """An entry and its index."""

    index: int
    entry: Leaf | Entry


Wanted: TypeAlias = "tuple[str, int, str]"
"""A decision as steps name it: log, index, leaf hash."""


def last_mark(log: Entries) -> int | None:
    """Index of the last batch-close or tally; None if there is none. Few entries come after one, see `Ledger.add`."""
    for index in range(log.size - 1, -1, -1):
        if entries.kind_of(log.entry(index)) in ("batch-close", "tally"):
            return index
    return None


def last_close(log: Entries) -> int | None:
    """Index of the last batch-close; None if there is none."""
    mark = last_mark(log)
    if mark is None or entries.kind_of(log.entry(mark)) == "batch-close":
        return mark
    tally = entries.parse(log.entry(mark))
    assert isinstance(tally, entries.Tally)
    return tally.before


def closings(log: Entries) -> Iterator[tuple[int, Closing]]:
    """Index and content of every batch-close, the newest first."""
    at = last_close(log)
    while at is not None:
        closing = Closing.parse(log.entry(at))
        yield at, closing
        at = closing.before


def outside(log: Entries) -> Iterator[int]:
    """Indexes of the entries that are neither decisions nor batch-closes, from the first on."""
    spans, end = [], log.size
    for at, closing in closings(log):
        spans.append(range(at + 1, end))
        end = at if closing.first is None else closing.first
    spans.append(range(end))
    return (index for span in reversed(spans) for index in span)


def last_decisions(log: Entries) -> dict[str, int]:
    """Token → index of the latest decision on the household, for the whole log."""
    latest: dict[str, int] = {}
    for _, closing in reversed([*closings(log)]):
        first = closing.first or 0
        for index in range(first, first + closing.count):
            latest[log.entry(index)[OF_LEAF].decode()] = index
    return latest


def history(log: Entries, token: str) -> tuple[At, ...]:
    """Every entry about a household, in order: decisions, corrections, steps, erasure. Reads the whole log."""
    needle, found = token.encode(), []
    decided: dict[int, str] = {}
    for index in range(log.size):
        text = log.entry(index)
        if _DECISION in text:
            if text[OF_LEAF] == needle:
                decided[index] = merkle.leaf_hash(text).hex()
                found.append(At(index, Leaf.parse(text)))
        elif (entry := _other(text)) is not None and _concerns(entry, token, decided):
            found.append(At(index, entry))
    return tuple(found)


def steps_of(log: Entries, origin: str, index: int, leaf: bytes) -> tuple[At, ...]:
    """The steps on a decision of the log `origin`, in order; NotProven if they are no unbroken chain."""
    wanted = origin, index, merkle.leaf_hash(leaf).hex()
    found = [at for at, where in _steps(log, {wanted[2]}) if where == wanted]
    entries.check_steps([at.entry for at in found if isinstance(at.entry, entries.Step)])
    return tuple(found)


def admit(log: Entries, new: Sequence[Entry], *, origin: str) -> None:
    """LedgerError unless these entries may follow those in the log `origin`."""
    refuse_closed(log)
    steps: list[entries.Step] = []
    for number, entry in enumerate(new):
        match entry:
            case entries.Tally():
                raise LedgerError("tallies are written by the log itself")
            case entries.Opened() if number or log.size:
                raise LedgerError("an opened entry can only be the first of a log")
            case entries.Closed() if number != len(new) - 1:
                raise LedgerError("nothing can follow a closed entry")
            case entries.Key():
                names = {text.split("+", 1)[0] for text in (entry.key, entry.old)}
                if names != {origin} or entry.key == entry.old:
                    raise LedgerError("a key entry needs two different keys under the log's name")
            case entries.Correction():
                _check_correction(log, entry, log.size)
            case entries.Step():
                if entry.log == origin:
                    _check_target(log, entry, log.size)
                steps.append(entry)
            case _:
                pass
    last = {where: entries.digest(entries.format(at.entry)) for at, where in _steps(log, {s.leaf for s in steps})
            if isinstance(at.entry, entries.Step)}  # fmt: skip
    for step in steps:
        where = step.log, step.decision, step.leaf
        if step.previous != last.get(where):
            raise LedgerError("a step does not follow the last one on its decision: read the steps again")
        last[where] = entries.digest(entries.format(step))


def refuse_closed(log: Entries) -> None:
    """LedgerError if the log's last entry is `closed`."""
    if log.size and entries.kind_of(log.entry(log.size - 1)) == "closed":
        raise LedgerError("this log is closed: go on in the next one, whose first entry `rotation.opened` makes")


def check_entries(log: Entries, *, origin: str = "") -> Counter[str]:
    """Read every entry and hold it to the rules above; returns how many there are of each kind.

    Args:
        log: all entries.
        origin: the log's name; steps on decisions of another log are only held to their chain.

    Raises:
        NotProven: step ``entries``; names the first entry that does not keep its promise.
    """
    reading = _Reading(log, origin)
    for index in range(log.size):
        try:
            reading.take(index, log.entry(index))
        except NotProven as error:
            raise NotProven("entries", f"entry {index}: {error.why}") from None
        except LedgerError as error:
            raise NotProven("entries", f"entry {index}: {error}") from None
    if reading.batch is not None and reading.batch.count:
        raise NotProven("entries", f"entry {log.size - 1}: the batch it belongs to is not closed")
    return reading.counts


class _Batch:
    """A batch being read."""

    def __init__(self, batch: str, opening: str) -> None:
        self.batch, self.opening = batch, opening
        self.tokens, self.tree = Tokens(), merkle.Frontier()
        self._waiting: list[bytes] = []
        self._alike: re.Pattern[bytes] | None = None

    def add(self, text: bytes) -> None:
        # All decisions of a batch are written alike, so the first is parsed and the others are matched against it.
        found = None if self._alike is None else self._alike.fullmatch(text)
        if found is None or int(found[1]) != self.count:
            leaf = Leaf.parse(text)
            if (leaf.batch, leaf.opening, leaf.position) != (self.batch, self.opening, self.count) or self._alike:
                raise NotProven("entries", "the decision is not the next one of the batch that it stands in")
            self._alike = _alike(leaf, text)
        self._waiting.append(text)
        if len(self._waiting) == 4096:
            self.flush()

    @property
    def count(self) -> int:
        return self.tokens.count + len(self._waiting)

    def flush(self) -> None:
        self.tokens.extend(self._waiting)
        self.tree.extend(merkle.leaf_hashes(self._waiting))
        self._waiting.clear()


def _alike(leaf: Leaf, text: bytes) -> re.Pattern[bytes]:
    """What matches the canonical decision entries of the same batch, opening and version, and their positions."""
    before, middle = (
        re.escape(text[: text.index(leaf.commitment.encode())]),
        f'","k":"decision","m":"{leaf.opening}","n":',
    )
    return re.compile(
        before
        + rb"[0-9a-f]{64}"
        + re.escape(middle.encode())
        + rb'(0|[1-9][0-9]{0,15}),"s":"[0-9a-f]{32}'
        + re.escape(text[-8:])
    )


class _Reading:
    """How far `check_entries` has read."""

    def __init__(self, log: Entries, origin: str) -> None:
        self.log, self.origin = log, origin
        self.counts: Counter[str] = Counter()
        self.batch: _Batch | None = None
        self.close: int | None = None
        self.steps: dict[Wanted, str] = {}
        self.closed = False

    def take(self, index: int, text: bytes) -> None:
        # A batch-open may hold whatever the caller pins; every other entry with these bytes is a decision, or faulty.
        kind = "decision" if _DECISION in text and _BATCH not in text else entries.kind_of(text)
        self.counts[kind] += 1
        if self.closed:
            raise NotProven("entries", "the log was closed before it")
        if kind == "decision":
            if self.batch is None:
                raise NotProven("entries", "the decision stands outside of any batch")
            self.batch.add(text)
            return
        if self.batch is not None and self.batch.count and kind != "batch-close":
            raise NotProven("entries", "it stands inside a batch")
        if kind == "batch-open":
            batch = parsed_batch(text)
            parse_opening(text, batch_id=batch)
            self.batch = _Batch(batch, hashlib.sha256(text).hexdigest())
        elif kind == "batch-close":
            self._close(index, Closing.parse(text))
        else:
            self.batch = None
            self._other(index, entries.parse(text))

    def _close(self, index: int, closing: Closing) -> None:
        batch = self.batch
        if batch is None or (closing.batch, closing.opening) != (batch.batch, batch.opening):
            raise NotProven("entries", "the batch-close entry does not end the batch that was opened")
        batch.flush()
        count = batch.count
        if (closing.count, closing.first) != (count, index - count if count else None):
            raise NotProven("entries", "the batch-close entry miscounts the decisions before it")
        if closing.root != batch.tree.root().hex():
            raise NotProven("entries", "the batch-close entry has another root than its decisions give")
        if closing.tokens != root(batch.tokens.pages()).hex():
            raise NotProven("entries", "the batch-close entry leaves out or adds households that were decided")
        if closing.before != self.close:
            raise NotProven("entries", "the batch-close entry passes over an earlier batch")
        self.close, self.batch = index, None

    def _other(self, index: int, entry: Entry) -> None:
        match entry:
            case entries.Tally() if entry.before != self.close:
                raise NotProven("entries", "the tally passes over an earlier batch")
            case entries.Closed():
                self.closed = True
            case entries.Opened() if index:
                raise NotProven("entries", "an opened entry can only be the first of a log")
            case entries.Correction():
                _check_correction(self.log, entry, index)
            case entries.Step():
                where = entry.log, entry.decision, entry.leaf
                if entry.log == self.origin:
                    _check_target(self.log, entry, index)
                if entry.previous != self.steps.get(where):
                    raise NotProven("entries", "the step does not follow the last one on its decision")
                self.steps[where] = entries.digest(entries.format(entry))
            case _:
                pass


def parsed_batch(opening: bytes) -> str:
    """Member b of a batch-open entry, whatever else is in it."""
    batch = entries.members_of(opening).get("b")
    if not isinstance(batch, str):
        raise NotProven("opening", "the batch-open entry names no batch")
    return batch


def _other(text: bytes) -> Entry | None:
    return None if entries.kind_of(text) in ("batch-open", "batch-close") else entries.parse(text)


def _concerns(entry: Entry, token: str, decided: Mapping[int, str]) -> bool:
    match entry:
        case entries.Erasure():
            return entry.token == token
        case entries.Step():
            return decided.get(entry.decision) == entry.leaf
        case entries.Correction():
            return any(later in decided for _, later in entry.pairs)
        case _:
            return False


def _steps(log: Entries, leaves: set[str]) -> Iterator[tuple[At, Wanted]]:
    if not leaves:
        return
    for index in outside(log):
        text = log.entry(index)
        if _STEP not in text:
            continue
        entry = entries.parse(text)
        if isinstance(entry, entries.Step) and entry.leaf in leaves:
            yield At(index, entry), (entry.log, entry.decision, entry.leaf)


def _check_target(log: Entries, step: entries.Step, end: int) -> None:
    if step.decision >= end or merkle.leaf_hash(log.entry(step.decision)).hex() != step.leaf:
        raise LedgerError("a step is on a decision that the log does not have at that index")
    Leaf.parse(log.entry(step.decision))


def _check_correction(log: Entries, correction: entries.Correction, end: int) -> None:
    if correction.pairs[-1][1] >= end:
        raise LedgerError("a correction points beyond the end of the log")
    # First all of the one side and then of the other: both are mostly in the log's order, a bundle after the other.
    old = [Leaf.parse(log.entry(earlier)).token for earlier, _ in correction.pairs]
    new = [Leaf.parse(log.entry(later)) for _, later in correction.pairs]
    if old != [leaf.token for leaf in new] or any(leaf.batch != correction.batch for leaf in new):
        raise LedgerError("a correction joins decisions of different households, or of another batch")
