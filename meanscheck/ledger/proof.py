"""What does an offline proof look like? The text of C2SP tlog-proof.

    c2sp.org/tlog-proof@v1
    extra <base64>                 optional, unauthenticated: `receipts.py` checks all it puts there against the tree
    index <decimal>
    <base64 hash>                  the inclusion path, one hash a line, from the leaf's sibling up

    <checkpoint>                   verbatim, with its signature lines

>>> import hashlib
>>> checkpoint = "example.com/county\\n1\\n" + encode64(hashlib.sha256(b"\\0leaf").digest()) + "\\n\\n— k AAAAAAA=\\n"
>>> text = format(Proof(0, (), checkpoint, extra=b"{}"))
>>> print(text, end="")
c2sp.org/tlog-proof@v1
extra e30=
index 0
<BLANKLINE>
example.com/county
1
DSfif3gnzNdFGZ6Os6avNo4QZK9Crp+DdA6YEh4rwCU=
<BLANKLINE>
— k AAAAAAA=
>>> parse(text).extra, format(parse(text)) == text
(b'{}', True)

One proof has one text: `parse` refuses every text that `format` would not write.

>>> parse(text.replace("e30=", "e31="))
Traceback (most recent call last):
meanscheck.errors.NotProven: form: the extra line is not strict base64
"""

from __future__ import annotations

from dataclasses import dataclass, field

from meanscheck.errors import NotProven
from meanscheck.ledger.checkpoint import decimal
from meanscheck.ledger.note import decode64, encode64

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = 53
MAX_TEXT = 8 << 20


@dataclass(frozen=True, slots=True)
class Proof:
    """Index and path of a leaf, the signed checkpoint verbatim, and optional extra data."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = field(default=None, repr=False)


def format(proof: Proof) -> str:
    """The text of a proof."""
    extra = "" if proof.extra is None else f"extra {encode64(proof.extra)}\n"
    path = "".join(f"{encode64(node)}\n" for node in proof.path)
    return f"{HEADER}\n{extra}index {proof.index}\n{path}\n{proof.checkpoint}"


def parse(text: str) -> Proof:
    """Read a proof; NotProven (step ``form``) for every faulty or non-canonical text. The checkpoint is not parsed."""
    if len(text) > MAX_TEXT:
        raise NotProven("form", f"longer than {MAX_TEXT} characters")
    head, separator, checkpoint = text.partition("\n\n")
    # Header, extra, index and path; whatever is beyond stays one text, and the path is then too long.
    lines = head.split("\n", MAX_PATH + 3)
    if not separator or lines[0] != HEADER:
        raise NotProven("form", f"does not begin with {HEADER}, or has no empty line before the checkpoint")
    rest = lines[1:]
    extra = None
    if rest and rest[0].startswith("extra "):
        extra = decode64(rest[0][6:])
        if extra is None:
            raise NotProven("form", "the extra line is not strict base64")
        rest = rest[1:]
    if not rest or not rest[0].startswith("index "):
        raise NotProven("form", "the index line is missing")
    index = decimal(rest[0][6:])
    if index is None:
        raise NotProven("form", "the index is not a plain decimal")
    if len(rest) - 1 > MAX_PATH:
        raise NotProven("form", f"the path has more than {MAX_PATH} hashes")
    path = []
    for line in rest[1:]:
        node = decode64(line)
        if node is None or len(node) != 32:
            raise NotProven("form", "a line of the path is not strict base64 of 32 bytes")
        path.append(node)
    return Proof(index, tuple(path), checkpoint, extra)
