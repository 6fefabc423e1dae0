"""What does the end of a batch promise? The batch-close entry, from which an outsider steps from batch to batch.

    {"b":…,"before":…,"closing":{…},"count":…,"first":…,"k":"batch-close","last":…,"m":…,"root":…,"tokens":…,"v":1}

| Member | Content |
|---|---|
| b, m | the batch's id; SHA-256 of its batch-open entry |
| count, first, last | decisions, and the indexes of the first and the last in the log (null for an empty batch) |
| root | RFC 6962 root over the batch's decision entries |
| tokens | token root (`tokens.py`): which households were decided |
| before | index of the batch-close before this one (null: none). Between that and `first` there is no decision |
| closing | what the caller adds |
| witnessed | only if the opening was witnessed: its checkpoint with the cosignatures (`witnessing.check_opening`) |

>>> entry = Closing("2026-11", "55" * 32, 2, 1, "00" * 32, "11" * 32, None, {"rejected": 0}).format()
>>> Closing.parse(entry).last, Closing.parse(entry).content
(2, {'rejected': 0})
>>> Closing.parse(entry.replace(b'"last":2', b'"last":3'))
Traceback (most recent call last):
meanscheck.errors.NotProven: closing: count, first and last of the batch-close entry do not fit each other
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import canonical
from meanscheck.ledger.canonical import Json

VERSION: Final = 1
_MEMBERS = frozenset(("b", "before", "closing", "count", "first", "k", "last", "m", "root", "tokens", "v"))
_HEX32 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of a batch. `first` is None when `count` is 0; `content` is what the caller added."""

    batch: str
    opening: str
    count: int
    first: int | None
    root: str
    tokens: str
    before: int | None
    content: Mapping[str, Json] = field(repr=False)
    witnessed: str | None = None

    @property
    def last(self) -> int | None:
        """Index of the last decision, None for an empty batch."""
        return None if self.first is None else self.first + self.count - 1

    def format(self) -> bytes:
        """The entry."""
        members: dict[str, Json] = {
            "b": self.batch,
            "before": self.before,
            "closing": dict(self.content),
            "count": self.count,
            "first": self.first,
            "k": "batch-close",
            "last": self.last,
            "m": self.opening,
            "root": self.root,
            "tokens": self.tokens,
            "v": VERSION,
        }
        if self.witnessed is not None:
            members["witnessed"] = self.witnessed
        try:
            return canonical.format(members)
        except canonical.NotCanonical as error:
            raise LedgerError(f"the batch-close entry holds {error}") from None

    @classmethod
    def parse(cls, entry: bytes) -> Closing:
        """Read an entry; NotProven (step ``closing``) unless it is a canonical batch-close whose numbers fit."""
        try:
            members = canonical.parse(entry)
        except canonical.NotCanonical as error:
            raise NotProven("closing", f"the batch-close entry is {error}") from None
        if not isinstance(members, dict) or members.keys() - {"witnessed"} != _MEMBERS:
            raise NotProven("closing", "the entry has other members than a batch-close entry")
        if members["k"] != "batch-close" or type(members["v"]) is not int or members["v"] != VERSION:
            raise NotProven("closing", "the entry is not a batch-close of a known version")
        batch, content = members["b"], members["closing"]
        if not isinstance(batch, str) or not batch or not isinstance(content, dict):
            raise NotProven("closing", "batch or content of the batch-close entry is of the wrong kind")
        for name in ("m", "root", "tokens"):
            if not isinstance(members[name], str) or not _HEX32.fullmatch(members[name]):
                raise NotProven(
                    "closing", f"member {name} of the batch-close entry is not 64 lower-case hex characters"
                )
        witnessed = members.get("witnessed", "")
        if not isinstance(witnessed, str) or ("witnessed" in members and not witnessed):
            raise NotProven("closing", "member witnessed of the batch-close entry is no checkpoint")
        count, first, last, before = (members[name] for name in ("count", "first", "last", "before"))
        if not _is_index(count) or not all(value is None or _is_index(value) for value in (first, last, before)):
            raise NotProven("closing", "a number of the batch-close entry is of the wrong kind")
        result = cls(
            batch, members["m"], count, first, members["root"], members["tokens"], before, content, witnessed or None
        )
        # The batch-open entry stands between the close before and the first decision.
        low = -1 if before is None else before
        if (first is None) != (count == 0) or last != result.last or (first is not None and first < low + 2):
            raise NotProven("closing", "count, first and last of the batch-close entry do not fit each other")
        return result


def _is_index(value: Any) -> bool:
    return type(value) is int and value >= 0
