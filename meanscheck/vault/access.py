"""Who read which household, for what, and when? A journal (查阅日志) beside the store, one JSON object a line.

    {"n":7,"at":"2026-11-26T09:30:00Z","by":"officer-12","known":"given","command":"explain","purpose":"objection",
     "cases":["U-0007"],"before":"…","hash":"…"}

`by` is the officer's code; `known` says how it is known (``given`` with the command, ``environment``, or ``system``:
the name of the account, since nobody gave one). `cases` are case numbers or tokens, ``*`` for a whole caseload. Nothing
of what was read is in it. It is a file of its own, so that it is written also where the store is open to read only.

`hash` is SHA-256 over the line without it, and `before` the `hash` of the line before (64 zeros at the start), so a
line that was changed, taken out, put in or moved shows. Lines cut off at the end show only to whoever has kept the last
hash (`Journal.head`) elsewhere: with the auditor, or in a backup. A line is appended under a lock and flushed before
anything is shown; if that fails, nothing is shown.

>>> import tempfile
>>> from datetime import UTC, datetime
>>> folder = tempfile.TemporaryDirectory()
>>> path = Path(folder.name) / "county.access"
>>> head = note(path, at=datetime(2026, 11, 26, tzinfo=UTC), by="officer-12", known="given", command="explain",
...             purpose="objection", cases=["U-0007"])
>>> journal = read(path)
>>> journal.head == head, journal.breaks, journal.entries[0].cases
(True, (), ('U-0007',))
>>> folder.cleanup()
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from meanscheck.errors import InputError, StoreError
from meanscheck.vault.files import turn

START = "0" * 64
Known = Literal["given", "environment", "system"]
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}")
_TAIL = 1 << 20
"""Bytes read from the end to find the last line."""


@dataclass(frozen=True, slots=True)
class Access:
    """One reading of households."""

    n: int
    at: str
    by: str
    known: str
    command: str
    purpose: str
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal as it was read: its entries, where its chain breaks (line numbers), and the hash of its last line."""

    entries: tuple[Access, ...]
    breaks: tuple[int, ...]
    head: str


def note(path: Path, *, at: datetime, by: str, known: Known, command: str, purpose: str, cases: Sequence[str]) -> str:
    """Append an entry and flush it; returns its hash.

    Args:
        path: the journal; made, readable by its owner only, if it is not there.
        at: the instant, with its zone; kept to the second, in UTC.
        cases: case numbers or tokens, or ``["*"]``.

    Raises:
        InputError: officer, purpose or case is empty or holds what no line may.
        StoreError: the journal cannot be written.
    """
    for what, text in (("officer", by), ("purpose", purpose), *(("case", case) for case in cases)):
        if _NAME.fullmatch(text) is None:
            raise InputError(f"the {what} is empty, too long or has a control character", where="access journal")
    body: dict[str, Any] = {
        "at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "by": by,
        "known": known,
        "command": command,
        "purpose": purpose,
        "cases": sorted(set(cases)),
    }
    try:
        with turn(path):
            number, before, is_torn = _last(path)
            line = _line({"n": number + 1, **body, "before": before})
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write((b"\n" if is_torn else b"") + line)
                file.flush()
                os.fsync(file.fileno())
    except OSError:
        raise StoreError(f"{path.name}: the access journal cannot be written, so nothing is shown") from None
    return str(json.loads(line)["hash"])


def read(path: Path) -> Journal:
    """Read a journal and follow its chain; an empty one if there is no file."""
    entries: list[Access] = []
    breaks: list[int] = []
    before, number = START, 0
    for place, raw in enumerate(path.read_bytes().split(b"\n") if path.exists() else (), 1):
        if not raw:
            continue
        number += 1
        found = _parsed(raw)
        if found is None:
            breaks.append(place)
            before = hashlib.sha256(raw).hexdigest()
            continue
        if found["before"] != before or found["n"] != number:
            breaks.append(place)
        before, number = found["hash"], found["n"]
        fields = {name: found[name] for name in ("n", "at", "by", "known", "command", "purpose")}
        entries.append(Access(**fields, cases=tuple(found["cases"])))
    return Journal(tuple(entries), tuple(breaks), before)


def _line(body: dict[str, Any]) -> bytes:
    return _text({**body, "hash": hashlib.sha256(_text(body)).hexdigest()}) + b"\n"


def _text(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _parsed(raw: bytes) -> dict[str, Any] | None:
    """The line's object, if it is one whose hash is right and which is written as it was appended."""
    try:
        found = json.loads(raw)
        told = found.pop("hash")
        if _text({**found, "hash": told}) != raw or hashlib.sha256(_text(found)).hexdigest() != told:
            return None
        keys = ["n", "at", "by", "known", "command", "purpose", "cases", "before"]
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    return {**found, "hash": told} if list(found) == keys else None


def _last(path: Path) -> tuple[int, str, bool]:
    """Number and hash of the last line, and whether it was cut off by a crash."""
    if not path.exists() or not path.stat().st_size:
        return 0, START, False
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _TAIL, 0))
        tail = file.read()
    lines = [line for line in tail.split(b"\n") if line]
    is_torn = not tail.endswith(b"\n")
    found = _parsed(lines[-1])
    if found is not None:
        return int(found["n"]), str(found["hash"]), is_torn
    earlier = [one for line in lines[:-1] if (one := _parsed(line)) is not None]
    number = int(earlier[-1]["n"]) + 1 if earlier else 1
    return number, hashlib.sha256(lines[-1]).hexdigest(), is_torn
