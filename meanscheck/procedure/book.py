"""How is a step bound by the log while what is personal about it stays in the office?

The log gets an entry with the decision, the kind of step, day, organisation, a salted commitment to the *body* and the
digest of the step before (`ledger.entries.Step`). The body (procedure, officers, reason, citation, amount) and its salt
are kept in the office's `Book`: one file a decision, named by its index in the log, one line a step.

    {"body":{"officers":["…","…"],"procedure":"dibao-2022"},"salt":"…"}

A line is written before its entry is published, and found again by its commitment, so a run that breaks off leaves a
line that nothing points to. Whoever is shown a line can check it against the entry. Files are readable by their owner
only (mode 0600) and not encrypted, so the folder must lie on an encrypted disk; taking a file away destroys the salts
and leaves the chain of entries whole.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from meanscheck.errors import InputError, StoreError
from meanscheck.ledger import Leaf, Ledger, canonical, entries, merkle
from meanscheck.procedure.course import Course, Taken
from meanscheck.procedure.law import Procedure

_TEXTS = ("citation", "note", "point", "reason", "relation", "verdict")


@dataclass(frozen=True, slots=True, repr=False)
class Body:
    """What the office keeps of a step.

    Attributes:
        procedure: id of the procedure that the step belongs to.
        officers: who acted.
        reason: why, in words.
        citation: instrument and article, such as ``cn-57-2021#20``.
        relation: of the officer to the household, where a near relative is declared.
        point: the doubtful point that a finding is on.
        verdict: of a finding.
        note: anything else.
        amount_fen: an amount that the office set.
    """

    procedure: str
    officers: tuple[str, ...] = ()
    reason: str = ""
    citation: str = ""
    relation: str = ""
    point: str = ""
    verdict: str = ""
    note: str = ""
    amount_fen: int | None = None

    def format(self) -> bytes:
        """Canonical JSON; members that say nothing are left out."""
        members: dict[str, canonical.Json] = {name: text for name in _TEXTS if (text := getattr(self, name))}
        if self.officers:
            members["officers"] = list(self.officers)
        if self.amount_fen is not None:
            members["amount_fen"] = self.amount_fen
        try:
            return canonical.format({"procedure": self.procedure, **members})
        except canonical.NotCanonical as error:
            raise InputError(f"what is said of the step holds {error}", where="step") from None

    def said(self) -> dict[str, str]:
        """The texts that a procedure may ask for."""
        return {name: getattr(self, name) for name in _TEXTS}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A step in the log, with its body where the book has it."""

    index: int
    entry: entries.Step
    body: Body | None = field(repr=False)


class Book:
    """The office's folder of bodies."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def keep(self, decision: int, body: bytes, salt: bytes) -> None:
        """Add a body to the file of a decision."""
        line = canonical.format({"body": canonical.parse(body), "salt": salt.hex()}) + b"\n"
        path = self._file(decision)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "r+b") as file:
                whole = file.read().rfind(b"\n") + 1
                if whole != file.tell():
                    # A line without its end was broken off while it was written: no entry of the log speaks of it.
                    file.truncate(whole)
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(
                f"{path.name} cannot be written ({error.strerror or type(error).__name__}): look at space and rights "
                "of its disk, then take the step again; it was not taken"
            ) from None

    def of(self, decision: int) -> dict[str, Body]:
        """Commitment → body, of all steps of a decision; StoreError if a line was changed."""
        try:
            lines = self._file(decision).read_bytes().split(b"\n")
        except FileNotFoundError:
            return {}
        found: dict[str, Body] = {}
        for number, line in enumerate(lines[:-1], 1):
            try:
                members = canonical.parse(line)
                text, salt = canonical.format(members["body"]), bytes.fromhex(members["salt"])
                found[entries.commit_body(text, salt=salt)] = _body(members["body"])
            except (ValueError, KeyError, TypeError, AttributeError):
                raise StoreError(f"line {number} of {self._file(decision).name} is damaged") from None
        return found

    def _file(self, decision: int) -> Path:
        return self.folder / f"{decision}.jsonl"


def chain_of(ledger: Ledger, book: Book, decision: int) -> list[Recorded]:
    """The steps on a decision, in order; NotProven if the log's chain is broken."""
    bodies = book.of(decision)
    return [
        Recorded(at.index, at.entry, bodies.get(at.entry.body))
        for at in ledger.steps(decision)
        if isinstance(at.entry, entries.Step)
    ]


def course(chain: Sequence[Recorded], procedure: Procedure) -> Course:
    """The course of a case under one procedure, from its steps in a chain; InputError if they are out of order."""
    result = Course(procedure)
    for recorded in chain:
        body = recorded.body
        if body is not None and body.procedure == procedure.id:
            result.take(_taken(recorded.entry, body))
    return result


def record(
    ledger: Ledger, book: Book, decision: int, *, step: str, on: date, by: str, body: Body, procedure: Procedure
) -> int:
    """Take a step on a decision and enter it in the log; returns the index of the entry.

    Raises:
        InputError: the step may not be taken now, or something that must be said is missing.
        LedgerError: there is no decision at that index, the log refuses the entry, or another step came in between.
    """
    if body.procedure != procedure.id:
        raise InputError("the body belongs to another procedure", where=f"step {step}")
    chain = chain_of(ledger, book, decision)
    leaf = ledger.entry(decision)
    Leaf.parse(leaf)
    previous = entries.digest(ledger.entry(chain[-1].index)) if chain else None
    salt, text = os.urandom(entries.SALT), body.format()
    entry = entries.Step(
        ledger.origin,
        decision,
        merkle.leaf_hash(leaf).hex(),
        step,
        on,
        by,
        entries.commit_body(text, salt=salt),
        previous,
    )
    entries.format(entry)
    course(chain, procedure).take(_taken(entry, body))
    book.keep(decision, text, salt)
    return ledger.add([entry])[0]


def _taken(entry: entries.Step, body: Body) -> Taken:
    return Taken(entry.step, entry.on, entry.by, len(set(body.officers)), body.said())


def _body(members: Any) -> Body:
    known = {*_TEXTS, "amount_fen", "officers", "procedure"}
    if not isinstance(members, dict) or not members.keys() <= known:
        raise ValueError
    return Body(**{**members, "officers": tuple(members.get("officers", ()))})
