"""What else stands in the log, besides batches? A line of canonical JSON for each thing not to be denied later.

Decisions, openings and closings have their own modules (`commitment.py`, `batches.py`). The other kinds:

| Kind | Members besides k and v | Says |
|---|---|---|
| correction | b, pairs, why | decisions of batch b take the place of earlier ones: pairs of indexes [earlier, later] |
| erasure | basis, on, s | the record under subject token s was destroyed, on which legal basis |
| key | key, old, on | from now on `key` signs this log too; `old` will be dropped |
| policy | on, policy | SHA-256 of the trust policy that the office hands out from that day |
| closed | on | nothing comes after this: the log's last entry |
| opened | checkpoint, on, origin, size | the first entry of a log that goes on from another's last checkpoint |
| step | body, by, decision, leaf, log, on, previous, step | one act of the office on a decision, see below |
| tally | before | since the batch-close at index `before` (null: since the beginning) there is no decision |

No entry can hold a person: members are tokens, indexes, digests, days, codes in lower case, verifier keys, log names,
and codes of organisations (six, nine or twelve digits of an administrative division, and perhaps the department:
`440703/civil-affairs`). What is personal about a step stays in the office; the entry holds a salted commitment to it.

>>> print(format(Erasure("00112233445566778899aabbccddeeff", basis="pipl-47", on=date(2026, 11, 3))).decode())
{"basis":"pipl-47","k":"erasure","on":"2026-11-03","s":"00112233445566778899aabbccddeeff","v":1}
>>> print(format(Correction("2026-12-A", pairs=((17, 2001), (4, 2002)), why="review")).decode())
{"b":"2026-12-A","k":"correction","pairs":[[17,2001],[4,2002]],"v":1,"why":"review"}

A step names the decision by log, index and leaf hash, and the step before it (`previous`: plain SHA-256 of that entry,
null for the first), so that steps of one decision are a chain from which none can be taken. `body` is SHA-256 of a zero
byte and, in this order: ASCII `meanscheck/step/v1` and a zero byte (19); the salt after its length (1 + 16); the body's
canonical JSON after its length (4, big-endian).

>>> body = commit_body(b'{"citation":"cn-57-2021#20","officer":"No. 7","reason":"as advised"}', salt=bytes(16))
>>> first = Step("county.example/relief", decision=17, leaf="42" * 32, step="confirmation", on=date(2026, 11, 20),
...              by="440703", body=body, previous=None)
>>> print(format(first)[:75].decode())
{"body":"694886e97734609fb87470d4f63011593d31ea6714dd960623d27cd3d95eb44a",
>>> from dataclasses import replace
>>> second = replace(first, step="notice", previous=digest(format(first)))
>>> check_steps([first, second])
>>> check_steps([second])
Traceback (most recent call last):
meanscheck.errors.NotProven: steps: step 0 does not follow the one before it: a step was taken out, added or moved

`parse` refuses every text that `format` would not write:

>>> parse(format(second)) == second
True
>>> parse(b'{"k":"closed","on":"20261231","v":1}')
Traceback (most recent call last):
meanscheck.errors.NotProven: entry: member on of a closed entry is not what it must be
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import canonical, note
from meanscheck.ledger.canonical import Json

VERSION: Final = 1
SALT: Final = 16
MAX_PAIRS: Final = 1500
"""Pairs of one correction entry: with indexes of sixteen digits they still fit into an entry of the log."""

_DOMAIN = b"meanscheck/step/v1\0"


@dataclass(frozen=True, slots=True)
class Correction:
    """Decisions of a batch take the place of earlier ones.

    Attributes:
        batch: id of the batch with the later decisions.
        pairs: (index of the earlier, index of the later decision) in this log, by the later; at most `MAX_PAIRS`.
        why: code, such as ``review``.
    """

    batch: str
    pairs: tuple[tuple[int, int], ...]
    why: str


@dataclass(frozen=True, slots=True)
class Erasure:
    """The record of a subject was destroyed. `token`: 32 hex characters; `basis`: code of the legal basis."""

    token: str
    basis: str
    on: date


@dataclass(frozen=True, slots=True)
class Key:
    """A new key of this log and the one that it will follow, as verifier keys under the log's name."""

    key: str
    old: str
    on: date


@dataclass(frozen=True, slots=True)
class Policy:
    """`policy`: SHA-256 of the policy's text, hex. Whoever was handed another one can prove it."""

    policy: str
    on: date


@dataclass(frozen=True, slots=True)
class Closed:
    """The log ends here."""

    on: date


@dataclass(frozen=True, slots=True)
class Opened:
    """The log begins where another ended.

    Attributes:
        origin: the other log.
        size: its leaves at its last checkpoint.
        checkpoint: SHA-256 of that checkpoint's text (three lines, without signature lines), hex.
        on: day of opening.
    """

    origin: str
    size: int
    checkpoint: str
    on: date


@dataclass(frozen=True, slots=True)
class Step:
    """One act of the office on a decision.

    Attributes:
        log: origin of the log that holds the decision; acts reach into the year after it.
        decision: the decision's index there.
        leaf: its leaf hash, hex.
        step: code of the kind of step; what kinds there are and in which order is not the ledger's matter.
        on: day of the act.
        by: code of the organisation that acted.
        body: `commit_body` of what the office keeps.
        previous: SHA-256 of the entry of the step before, hex; None for the first.
    """

    log: str
    decision: int
    leaf: str
    step: str
    on: date
    by: str
    body: str
    previous: str | None


@dataclass(frozen=True, slots=True)
class Tally:
    """Between the batch-close at index `before` (None: the beginning) and this entry there is no decision."""

    before: int | None


Entry: TypeAlias = "Correction | Erasure | Key | Policy | Closed | Opened | Step | Tally"


def format(entry: Entry) -> bytes:
    """The entry's one text; LedgerError names the member that cannot stand in a log."""
    kind, form = _FORMS[type(entry)]
    members: dict[str, Json] = {"k": kind, "v": VERSION}
    for name, (member, read) in form.items():
        value = getattr(entry, name)
        written: Json = value.isoformat() if isinstance(value, date) else value
        try:
            # What is written must be read back as it was, whoever made the value.
            if read([[*pair] for pair in value] if member == "pairs" else written) != value:
                raise ValueError
        except (TypeError, ValueError):
            raise LedgerError(f"member {member} of a {kind} entry is not what it must be: {_WANTED[read]}") from None
        members[member] = written
    try:
        return canonical.format(members)
    except canonical.NotCanonical as error:
        raise LedgerError(f"the {kind} entry holds {error}") from None


def parse(text: bytes) -> Entry:
    """Read an entry; NotProven (step ``entry``) for everything that `format` would not write."""
    members = members_of(text)
    kind = members.get("k")
    known = next((known for known, (name, _) in _FORMS.items() if name == kind), None)
    if known is None:
        raise NotProven("entry", "is of no kind known here")
    form = _FORMS[known][1]
    if members.keys() != {"k", "v", *(member for member, _ in form.values())}:
        raise NotProven("entry", f"has other members than a {kind} entry")
    if type(members["v"]) is not int or members["v"] != VERSION:
        raise NotProven("entry", f"a {kind} entry of an unknown version")
    values = {}
    for name, (member, read) in form.items():
        try:
            values[name] = read(members[member])
        except (TypeError, ValueError):
            raise NotProven("entry", f"member {member} of a {kind} entry is not what it must be") from None
    entry: Entry = known(**values)
    return entry


def members_of(text: bytes) -> dict[str, Any]:
    """Members of any entry of a log; NotProven (step ``entry``) unless it is a canonical object."""
    try:
        members = canonical.parse(text)
    except canonical.NotCanonical as error:
        raise NotProven("entry", str(error)) from None
    if not isinstance(members, dict):
        raise NotProven("entry", "is not an object")
    return members


def kind_of(text: bytes) -> str:
    """Member k of any entry of a log, ``decision`` and batches included; NotProven unless it is a canonical object."""
    kind = members_of(text).get("k")
    if not isinstance(kind, str):
        raise NotProven("entry", "has no kind")
    return kind


def digest(text: bytes) -> str:
    """Plain SHA-256 of an entry, hex, as `sha256sum` shows it."""
    return hashlib.sha256(text).hexdigest()


def commit_body(text: bytes, *, salt: bytes) -> str:
    """Salted commitment to the canonical JSON of what the office keeps about a step, hex."""
    if len(salt) != SALT:
        raise LedgerError(f"a salt has {SALT} bytes")
    try:
        canonical.parse(text)
    except canonical.NotCanonical as error:
        raise LedgerError(f"the body of a step is {error}") from None
    framed = b"\0" + _DOMAIN + bytes([SALT]) + salt + len(text).to_bytes(4, "big") + text
    return hashlib.sha256(framed).hexdigest()


def check_steps(steps: Iterable[Step]) -> None:
    """NotProven (step ``steps``) unless these are the steps of one decision from the first on, in order, no gap."""
    previous, decision = None, None
    for number, step in enumerate(steps):
        where = step.log, step.decision, step.leaf
        if step.previous != previous:
            why = f"step {number} does not follow the one before it: a step was taken out, added or moved"
            raise NotProven("steps", why)
        if decision is not None and where != decision:
            raise NotProven("steps", f"step {number} is of another decision")
        previous, decision = digest(format(step)), where


# ---- what may stand in a member: each reader gives the value or raises ValueError

_Read: TypeAlias = Callable[[Any], Any]
_HEX32, _TOKEN = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{32}")
_CODE = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*")
_ORGANISATION = re.compile(r"[0-9]{6}(?:[0-9]{3}){0,2}(?:/[a-z][a-z0-9-]{0,31})?")
MAX_CODE: Final = 48


def _matching(pattern: re.Pattern[str], most: int = 64) -> _Read:
    def read(value: Any) -> str:
        if not isinstance(value, str) or len(value) > most or not pattern.fullmatch(value):
            raise ValueError
        return value

    return read


def _day(value: Any) -> date:
    if not isinstance(value, str):
        raise ValueError
    day = date.fromisoformat(value)
    if day.isoformat() != value:
        raise ValueError
    return day


def _index(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= canonical.MAX_INT:
        raise ValueError
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not note.is_key_name(value) or len(value) > 255:
        raise ValueError
    return value


def _batch(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > 255:
        raise ValueError
    return value


def _verifier(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    try:
        note.VerifierKey.parse(value)
    except NotProven:
        raise ValueError from None
    return value


def _pairs(value: Any) -> tuple[tuple[int, int], ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_PAIRS:
        raise ValueError
    pairs = tuple((_index(earlier), _index(later)) for earlier, later in value)
    laters = [later for _, later in pairs]
    earlier_ones = {earlier for earlier, _ in pairs}
    if laters != sorted(set(laters)) or len(earlier_ones) != len(pairs) or max(earlier_ones) >= laters[0]:
        raise ValueError
    return pairs


def _or_null(read: _Read) -> _Read:
    def optional(value: Any) -> Any:
        return None if value is None else read(value)

    return optional


_hex32, _token = _matching(_HEX32), _matching(_TOKEN)
_code, _organisation = _matching(_CODE, MAX_CODE), _matching(_ORGANISATION)
_hex32_or_null, _index_or_null = _or_null(_hex32), _or_null(_index)

_WANTED: Final[Mapping[_Read, str]] = {
    _hex32: "64 lower-case hex characters",
    _hex32_or_null: "64 lower-case hex characters, or nothing",
    _token: "32 lower-case hex characters",
    _code: f"a code in lower case that begins with a letter, of at most {MAX_CODE} characters",
    _organisation: "6, 9 or 12 digits of a division, and perhaps / and a department in lower case",
    _day: "a day",
    _index: "a whole number from 0",
    _index_or_null: "a whole number from 0, or nothing",
    _name: "a log's name",
    _batch: "a batch id of at most 255 characters",
    _verifier: "a verifier key",
    _pairs: f"1 to {MAX_PAIRS} pairs of indexes, earlier before later, by the later, each once",
}

_FORMS: Final[Mapping[type[Entry], tuple[str, Mapping[str, tuple[str, _Read]]]]] = {
    Correction: (
        "correction",
        {"batch": ("b", _batch), "pairs": ("pairs", _pairs), "why": ("why", _code)},
    ),
    Erasure: ("erasure", {"token": ("s", _token), "basis": ("basis", _code), "on": ("on", _day)}),
    Key: ("key", {"key": ("key", _verifier), "old": ("old", _verifier), "on": ("on", _day)}),
    Policy: ("policy", {"policy": ("policy", _hex32), "on": ("on", _day)}),
    Closed: ("closed", {"on": ("on", _day)}),
    Opened: (
        "opened",
        {
            "origin": ("origin", _name),
            "size": ("size", _index),
            "checkpoint": ("checkpoint", _hex32),
            "on": ("on", _day),
        },
    ),
    Step: (
        "step",
        {
            "log": ("log", _name),
            "decision": ("decision", _index),
            "leaf": ("leaf", _hex32),
            "step": ("step", _code),
            "on": ("on", _day),
            "by": ("by", _organisation),
            "body": ("body", _hex32),
            "previous": ("previous", _hex32_or_null),
        },
    ),
    Tally: ("tally", {"before": ("before", _index_or_null)}),
}
"""Class → (kind, attribute → (member, reader))."""
