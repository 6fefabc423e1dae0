"""What does a person take home? A receipt: one text file that proves a decision without the office.

A receipt is a `proof` text whose extra data is one canonical JSON object:

| Member | Content |
|---|---|
| groups | shown groups by name: `json` (the group's canonical JSON, as text) and `salt` (hex) |
| leaf | the log entry, as text |
| open | the batch-open entry: `index`, `leaf`, `path` (hashes in hex). Shows the law and the inputs that were pinned |
| siblings | hashes (hex) that stand for the groups not shown, from left to right |
| v | 1 |

`open` may be absent. Nothing in the extra data is believed as it stands: `verdict.verify` checks all of it against the
tree. A receipt has one text only. Base64, hex, JSON, decimals and line ends are strict; signature lines come in one
order, the log's own first, then by name and key id; a verifier refuses lines by keys it does not know.

A receipt carries every line of its checkpoint. It is kept for decades, by a person who cannot add later what was left
out: that is what ML-DSA-44 lines are for, of 3.3 kB each. Where room is scarce, as on paper, `compact` leaves them out
without the office, for each signer that signed with Ed25519 too; a note stays valid with any of its lines.

>>> shown = {"result": (b'{"outcome":"eligible"}', bytes(16))}
>>> empty = Receipt(0, (), "county.example\\n1\\n...", leaf=b"{}", shown=shown, siblings=(), opening=None)
>>> print(format_extra(empty).decode())
{"groups":{"result":{"json":"{\\"outcome\\":\\"eligible\\"}","salt":"00000000000000000000000000000000"}},"leaf":"{}","siblings":[],"v":1}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from meanscheck.errors import NotProven
from meanscheck.ledger import canonical, checkpoint, note, proof
from meanscheck.ledger.canonical import Json
from meanscheck.ledger.commitment import GROUPS, SALT

VERSION = 1


@dataclass(frozen=True, slots=True)
class Opening:
    """The batch-open entry with its place and its path to the checkpoint's root."""

    index: int
    entry: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt taken apart, nothing in it checked yet. `shown`: group name to (canonical JSON, salt)."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    leaf: bytes
    shown: Mapping[str, tuple[bytes, bytes]] = field(repr=False)
    siblings: tuple[bytes, ...]
    opening: Opening | None


def format(receipt: Receipt) -> str:
    """The text of a receipt."""
    return proof.format(proof.Proof(receipt.index, receipt.path, receipt.checkpoint, format_extra(receipt)))


def format_extra(receipt: Receipt) -> bytes:
    """The canonical JSON of the extra data."""
    extra: dict[str, Json] = {
        "groups": {group: {"json": text.decode(), "salt": salt.hex()} for group, (text, salt) in receipt.shown.items()},
        "leaf": receipt.leaf.decode(),
        "siblings": [sibling.hex() for sibling in receipt.siblings],
        "v": VERSION,
    }
    if receipt.opening is not None:
        opening = receipt.opening
        path = [node.hex() for node in opening.path]
        extra["open"] = {"index": opening.index, "leaf": opening.entry.decode(), "path": path}
    return canonical.format(extra)


def compact(text: str) -> str:
    """The same receipt without the ML-DSA-44 lines of those who signed with Ed25519 too.

    It holds under a policy that lists both keys of each, as long as its quorum does not ask for the ML-DSA-44 ones.
    """
    receipt = parse(text)
    body, lines = note.parse(receipt.checkpoint)
    short = {line.name for line in lines if not _is_ml_dsa(line)}
    kept = [line for line in lines if line.name not in short or not _is_ml_dsa(line)]
    return format(replace(receipt, checkpoint=note.format(body, kept)))


def parse(text: str) -> Receipt:
    """Take a receipt apart; NotProven (step ``form``) for every text that `format` would not write."""
    parts = proof.parse(text)
    if parts.extra is None:
        raise NotProven("form", "there is no extra line, so nothing is shown of a decision")
    try:
        extra = canonical.parse(parts.extra)
    except canonical.NotCanonical as error:
        raise NotProven("form", f"extra data: {error}") from None
    _members(extra, {"groups", "leaf", "siblings", "v"}, optional={"open"})
    if type(extra["v"]) is not int or extra["v"] != VERSION:
        raise NotProven("form", "extra data: unknown version")
    if not isinstance(extra["groups"], dict) or not extra["groups"].keys() <= set(GROUPS):
        raise NotProven("form", "extra data: shown groups are not among the known ones")
    shown = {}
    for group, content in extra["groups"].items():
        _members(content, {"json", "salt"})
        shown[group] = (_text(content["json"]), _hex(content["salt"], SALT))
    opening = None
    if "open" in extra:
        _members(extra["open"], {"index", "leaf", "path"})
        index = extra["open"]["index"]
        if type(index) is not int or index < 0:
            raise NotProven("form", "extra data: the index of the batch-open entry is not a whole number")
        opening = Opening(index, _text(extra["open"]["leaf"]), _hashes(extra["open"]["path"], proof.MAX_PATH))
    siblings = _hashes(extra["siblings"], len(GROUPS))
    _one_order(parts.checkpoint)
    receipt = Receipt(parts.index, parts.path, parts.checkpoint, _text(extra["leaf"]), shown, siblings, opening)
    # The strict readers above leave no second spelling; this comparison does not rely on that.
    if format(receipt) != text:
        raise NotProven("form", "is not written in the one canonical form")
    return receipt


def ordered(origin: str, lines: Sequence[note.SignatureLine]) -> list[note.SignatureLine]:
    """Signature lines in a receipt's order: the log's own first, then by name and key id."""
    return sorted(lines, key=lambda line: (line.name != origin, line.name, line.key_id))


def _is_ml_dsa(line: note.SignatureLine) -> bool:
    """By its length: a line does not state its type, and no other known type has it."""
    return len(line.signature) == note.SIGNATURE_BYTES[note.ML_DSA]


def _one_order(text: str) -> None:
    body, lines = note.parse(text)
    head = checkpoint.parse(body)
    if list(lines) != ordered(head.origin, lines):
        raise NotProven("form", "signature lines are not in order")
    if note.format(body, lines) != text:
        raise NotProven("form", "the checkpoint is not written in the one canonical form")


def _members(value: Any, names: set[str], *, optional: frozenset[str] | set[str] = frozenset()) -> None:
    if not isinstance(value, dict) or not names <= value.keys() or not value.keys() <= names | optional:
        raise NotProven("form", f"extra data: an object needs the members {', '.join(sorted(names))} and no others")


def _text(value: Any) -> bytes:
    if not isinstance(value, str):
        raise NotProven("form", "extra data: text expected")
    return value.encode()


def _hex(value: Any, size: int) -> bytes:
    if isinstance(value, str) and len(value) == 2 * size and value.isascii() and value == value.lower():
        try:
            return bytes.fromhex(value)
        except ValueError:
            pass
    raise NotProven("form", f"extra data: {size} bytes of lower-case hex expected")


def _hashes(value: Any, most: int) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise NotProven("form", "extra data: a list of hashes expected, of bounded length")
    return tuple(_hex(node, 32) for node in value)
