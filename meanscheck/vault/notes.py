"""What does an office note about households whose records are gone, or only kept?

The notes are the head of the key file: a line that says which format it is, and one line of canonical JSON.

    meanscheck/household-keys/v1
    {"erased":[{"basis":…,"on":…,"stated":…,"token":…},…],"erased_cases":[…],"index":…,"restricted":[…]}

`index` is the index key, wrapped under the deployment's key and bound to the first line and to the rest of the second:
notes that were changed do not open, nor do they under another key. What is in them may be known to anybody who may see
the log: tokens, codes and days.

>>> note = RestrictedNote("00" * 16, "pipl-47-3", date(2026, 11, 3), until=date(2029, 1, 1))
>>> key, index_key = DeploymentKey(bytes(32)), bytes(range(32))
>>> head = Notes(restricted={note.token: note}).format(key, index_key)
>>> Notes.parse(head, key, "county.keys") == (index_key, Notes(restricted={note.token: note}))
True
>>> Notes.parse(head.replace(b"2029", b"2026"), key, "county.keys")
Traceback (most recent call last):
meanscheck.errors.StoreError: the deployment's key does not open this: it is another key, or the file was changed
>>> Notes.parse(head[:-1], key, "county.keys")
Traceback (most recent call last):
meanscheck.errors.StoreError: county.keys is not a key file of a vault, or is damaged
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from meanscheck.errors import StoreError
from meanscheck.vault.deployment import DeploymentKey

_MAGIC = b"meanscheck/household-keys/v1\n"


@dataclass(frozen=True, slots=True)
class ErasedNote:
    """A household whose key is gone. `stated`: the log says so and the registry has forgotten it."""

    token: str
    basis: str
    on: date
    stated: bool


@dataclass(frozen=True, slots=True)
class RestrictedNote:
    """A household whose records are only kept. `until`: when they may be erased; None while that is not known."""

    token: str
    basis: str
    on: date
    until: date | None


@dataclass(frozen=True, slots=True)
class Notes:
    """All notes of an office.

    Attributes:
        erased, restricted: token → note.
        cases: tags of erased cases, hex; not to be joined with tokens.
    """

    erased: Mapping[str, ErasedNote] = field(default_factory=dict)
    restricted: Mapping[str, RestrictedNote] = field(default_factory=dict)
    cases: frozenset[str] = frozenset()

    def with_erased(self, note: ErasedNote, case: str) -> Notes:
        """The notes after an erasure; it ends a restriction."""
        restricted = {token: n for token, n in self.restricted.items() if token != note.token}
        return replace(self, erased={**self.erased, note.token: note}, cases=self.cases | {case}, restricted=restricted)

    def format(self, key: DeploymentKey, index_key: bytes) -> bytes:
        """Both lines."""
        members = {
            "erased": [
                {"basis": n.basis, "on": n.on.isoformat(), "stated": n.stated, "token": n.token}
                for _, n in sorted(self.erased.items())
            ],
            "erased_cases": sorted(self.cases),
            "restricted": [
                {"basis": n.basis, "on": n.on.isoformat(), "token": n.token, "until": n.until and n.until.isoformat()}
                for _, n in sorted(self.restricted.items())
            ],
        }
        index = key.wrap(index_key, bound=_MAGIC + _canonical(members)).hex()
        return _MAGIC + _canonical({**members, "index": index}) + b"\n"

    @classmethod
    def parse(cls, head: bytes, key: DeploymentKey, name: str) -> tuple[bytes, Notes]:
        """Index key and notes; StoreError if the head is damaged, was changed, or is locked by another key."""
        line = head.removeprefix(_MAGIC)
        try:
            members = json.loads(line)
            if len(line) == len(head) or _canonical(members) + b"\n" != line:
                raise ValueError
            wrapped = bytes.fromhex(members.pop("index"))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise StoreError(f"{name} is not a key file of a vault, or is damaged") from None
        index_key = key.unwrap(wrapped, bound=_MAGIC + _canonical(members))
        # What opens was written by `format`.
        erased = [ErasedNote(n["token"], n["basis"], _day(n["on"]), stated=n["stated"]) for n in members["erased"]]
        restricted = [
            RestrictedNote(n["token"], n["basis"], _day(n["on"]), n["until"] and _day(n["until"]))
            for n in members["restricted"]
        ]
        return index_key, cls(
            {n.token: n for n in erased}, {n.token: n for n in restricted}, frozenset(members["erased_cases"])
        )


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _day(text: str) -> date:
    return date.fromisoformat(text)
