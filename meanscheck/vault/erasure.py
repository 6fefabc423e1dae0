"""How is a household erased, so that its records are gone, every proof holds, and a crash leaves nothing half said?

    1  the key file is written anew without the household's key, with a note in its place: one rename
    2  the erasure is stated in the log: token, basis, day
    3  the registry forgets which case the token stood for, and the store the evidence
    4  the note is marked as stated

The key goes first. A log entry is signed and stays; it must be true when it is made, and a key destroyed without a
statement harms nobody meanwhile. The note of step 1 is what `finish` goes by after a crash: it does steps 2 to 4 for
every note that is not marked. A crash between 2 and 4 can state the same erasure twice, which says nothing new.

While a retention period runs `erase` raises Retained with the day on which it ends, or, if told so, restricts use
instead (PIPL article 47, last paragraph: storage and protection only). An audit may still read what is restricted.

What is gone: the household's data key, and with it the contents of its records, outcomes and salts in every batch and
in every backup of the vault; the key of each such batch's records root. What stays: the log, whose entries are hashes
salted with what is gone; a receipt that somebody kept, which holds its own salts and still verifies; sealed bytes that
nothing opens, until `compact` drops them. The evidence in the store is not the vault's: `forget` is where whoever calls
this erases it as well.

What deletion on a disk can promise: the key file has no such row any more, and the blocks that held it were overwritten
in place. Flash storage and copying or journaling file systems may keep an older copy of a block, and so do snapshots
and backups: an erasure is complete when the last backup of the key file from before it is gone, so keep those few and
short. An old row by itself opens nothing without the deployment's key. After a key file was restored from a backup,
`after_restore` erases again whom the log says were erased.

>>> entry_of(ErasedNote("00112233445566778899aabbccddeeff", "pipl-47-3", date(2026, 11, 3), stated=False))
{'basis': 'pipl-47-3', 'k': 'erasure', 'on': '2026-11-03', 's': '00112233445566778899aabbccddeeff'}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeAlias

from meanscheck.errors import Erased, InputError, Retained, StoreError
from meanscheck.vault.notes import ErasedNote, RestrictedNote
from meanscheck.vault.retention import Retention
from meanscheck.vault.safe import Safe

BASES: Final[Mapping[str, str]] = {
    "pipl-47-1": "个人信息保护法 art. 47 (1): the purpose is reached, out of reach, or does not need the records",
    "pipl-47-2": "个人信息保护法 art. 47 (2): the service has ended, or the retention period is over",
    "pipl-47-3": "个人信息保护法 art. 47 (3): the person has withdrawn consent",
    "pipl-47-4": "个人信息保护法 art. 47 (4): the processing broke a law, a regulation or an agreement",
    "pipl-47-5": "个人信息保护法 art. 47 (5): another law or administrative regulation says so",
}
"""Codes of legal bases, as the log entry states them."""

Append: TypeAlias = Callable[[Mapping[str, str]], object]
"""Puts an entry into the log and publishes it; the members are those of `entry_of`."""
Forget: TypeAlias = Callable[[str], object]
"""Makes the registry forget a token; forgetting it twice does nothing."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What became of a household.

    Attributes:
        token: the household's.
        state: ``erased``, or ``restricted`` because a retention period runs.
        until: of a restriction: when the records may be erased; None if that is not known.
        batches: ids of the batches that hold, or held, a record.
    """

    token: str
    state: Literal["erased", "restricted"]
    until: date | None
    batches: tuple[str, ...]


def erase(
    safe: Safe,
    token: str,
    *,
    basis: str,
    on: date,
    append: Append,
    forget: Forget,
    retention: Retention,
    relief_stopped_on: date | None = None,
    never_paid: bool = False,
    or_restrict: bool = False,
) -> Erasure:
    """Destroy a household's key, state it in the log, and make the registry forget the token.

    Args:
        safe: the vault.
        token: the household's; `HouseholdKeys.tokens_of` has those of a case.
        basis: a code of `BASES`.
        on: the day of the erasure.
        append, forget: see `Append` and `Forget`.
        retention: the periods of the place.
        relief_stopped_on, never_paid: what the office knows of payment, see `Retention.until`.
        or_restrict: while a period runs, restrict use and say so instead of raising.

    Raises:
        Retained: a period runs, and `or_restrict` is not given.
        Erased: the household was erased before.
        InputError: there is no such basis.
        StoreError: there is no key under that token.
    """
    if basis not in BASES:
        raise InputError("no such basis", where="basis", remedy=f"Use one of {', '.join(BASES)}")
    finish(safe, append=append, forget=forget)
    if token in safe.keys.erased:
        raise Erased("the records of that household were erased before")
    if safe.keys.give([token]) == [None]:
        raise StoreError("there is no key under that token: the vault has no record of that household")
    until = retention.until(safe.history(token), relief_stopped_on=relief_stopped_on, never_paid=never_paid)
    batches = _batches_with(safe, token)
    if until is None or on < until:
        if not or_restrict:
            raise Retained(until, _why(until))
        safe.keys.restrict(RestrictedNote(token, basis, on, until))
        return Erasure(token, "restricted", until, batches)
    safe.keys.erase(token, basis=basis, on=on, batches=batches)
    finish(safe, append=append, forget=forget)
    return Erasure(token, "erased", None, batches)


def finish(safe: Safe, *, append: Append, forget: Forget) -> int:
    """State the erasures that a crash left unstated; returns how many there were."""
    unstated = [note for note in safe.keys.erased.values() if not note.stated]
    for note in unstated:
        append(entry_of(note))
        forget(note.token)
        safe.keys.state(note.token)
    return len(unstated)


def after_restore(safe: Safe, entries: Iterable[Mapping[str, str]], *, forget: Forget) -> int:
    """Erase again those whose keys came back with an older key file; returns how many.

    Args:
        safe: the vault with the restored key file.
        entries: the erasure entries of the log, with the members of `entry_of`.
        forget: see `Forget`.
    """
    again = 0
    for entry in entries:
        token = entry["s"]
        if safe.keys.give([token]) != [None]:
            day = date.fromisoformat(entry["on"])
            safe.keys.erase(token, basis=entry["basis"], on=day, batches=_batches_with(safe, token))
            forget(token)
            safe.keys.state(token)
            again += 1
    return again


def compact(safe: Safe) -> int:
    """Drop the sealed bytes of erased households from every batch; returns how many were dropped."""
    return sum(batch.compact() for batch in safe.batches())


def entry_of(note: ErasedNote) -> dict[str, str]:
    """What the log states of an erasure."""
    return {"basis": note.basis, "k": "erasure", "on": note.on.isoformat(), "s": note.token}


def _batches_with(safe: Safe, token: str) -> tuple[str, ...]:
    return tuple(batch.folder.name for batch in safe.batches() if batch.place_of(token) is not None)


def _why(until: date | None) -> str:
    if until is None:
        return (
            "relief may have followed from these records, and it is not known when it stopped: say when, or that there "
            "was none; or restrict use"
        )
    return f"a retention period runs until {until}: erase then, or restrict use until then"
