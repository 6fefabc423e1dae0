"""How large is the log and what is its root? A checkpoint (C2SP tlog-checkpoint 1.0) says so over a signature.

The text of the note has exactly three lines: origin (the log's name), number of leaves, root in base64. Extension
lines exist in the specification; they are refused here because not all kinds of cosignature cover them.

>>> import hashlib
>>> head = Checkpoint("example.com/county", 3, hashlib.sha256(b"").digest())
>>> format(head)
'example.com/county\\n3\\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\\n'
>>> parse(format(head)) == head
True
>>> parse("example.com/county\\n03\\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\\n")
Traceback (most recent call last):
meanscheck.errors.NotProven: checkpoint: the number of leaves is not a plain decimal
"""

from __future__ import annotations

from dataclasses import dataclass

from meanscheck.errors import NotProven
from meanscheck.ledger import note

MAX_SIZE = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: `root` (32 bytes) over the first `size` leaves of the log `origin`."""

    origin: str
    size: int
    root: bytes


def format(head: Checkpoint) -> str:
    """The note text that is signed."""
    return f"{head.origin}\n{head.size}\n{note.encode64(head.root)}\n"


def parse(text: str) -> Checkpoint:
    """Read a note text; NotProven (step ``checkpoint``) for anything `format` would not write."""
    if text.count("\n") != 3 or not text.endswith("\n"):
        raise NotProven("checkpoint", "the text has other than three lines")
    origin, size, root = text[:-1].split("\n")
    if not note.is_key_name(origin):
        raise NotProven("checkpoint", "the origin is empty or holds spaces, plus signs or control characters")
    count = decimal(size)
    if count is None:
        raise NotProven("checkpoint", "the number of leaves is not a plain decimal")
    digest = note.decode64(root)
    if digest is None or len(digest) != 32:
        raise NotProven("checkpoint", "the root is not strict base64 of 32 bytes")
    return Checkpoint(origin, count, digest)


def decimal(text: str) -> int | None:
    """The value of ASCII digits without a leading zero, up to 2^53 - 1; None for other text."""
    if not (0 < len(text) <= 16 and text.isascii() and text.isdigit()) or (text[0] == "0" and text != "0"):
        return None
    value = int(text)
    return value if value <= MAX_SIZE else None
