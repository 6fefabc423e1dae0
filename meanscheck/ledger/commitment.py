"""How can a leaf bind a decision, show nothing of it, and still let parts be shown later?

A decision has seven *groups*, in a fixed order: subject, household, means, result, reasons, provenance, evidence. Each
is one canonical JSON text with its own *salt* of 16 random bytes. Group hash: SHA-256 over a zero byte and

    20       ASCII `meanscheck/group/v1` and one zero byte
    1 + n    length of the group's name, the name
    1 + 16   length of the salt, the salt
    4 + n    length of the JSON (big-endian), the JSON

The *commitment* is the RFC 6962 root over the seven group hashes. Binding rests on SHA-256, hiding on the salts:
without them outcomes and incomes could be guessed. To show some groups, give their JSON and salts and, for the others,
the *siblings*: roots of the largest subtrees without a shown group, from left to right.

The worked value, salt i being sixteen bytes of value i:

>>> groups = {
...     "subject": b'{"case":"C-0001","household":"00112233445566778899aabbccddeeff","persons":["p1","p2"]}',
...     "household": b'{"assessed_on":"2026-11-01","composition":["adult","child"],"region":"110101","size":2}',
...     "means": b'{"assets":"12000.00","income":"1850.50","sources":{"bank":"12000.00","wage":"1850.50"}}',
...     "result": b'{"amount":"415.25","band":"B","outcome":"eligible","valid_from":"2026-12-01",'
...               b'"valid_to":"2027-05-31"}',
...     "reasons": b'{"rules":[{"id":"R-INC-01","limit":"2265.75","outcome":"pass","value":"1850.50"}]}',
...     "provenance": f'{{"batch":"2026-11-A-000123","engine":"sha256:{"11" * 32}","pack":"sha256:{"33" * 32}",'
...                   '"position":17,"supersedes":null}'.encode(),
...     "evidence": f'{{"input":"sha256:{"22" * 32}","trace":"sha256:{"44" * 32}"}}'.encode(),
... }
>>> salts = b"".join(bytes([i]) * 16 for i in range(7))
>>> commitment = commit(groups, salts)
>>> commitment.hex()
'ac1f512c28a0aa2a1961de5c132930c37e23effd974b9d6d2c15a07953db7926'

The leaf that goes into the log, and its hash:

>>> entry = Leaf("2026-11-A-000123", commitment.hex(), "55" * 32, 17, "00112233445566778899aabbccddeeff")
>>> len(entry.format()), entry.format()[:38]
(233, b'{"b":"2026-11-A-000123","c":"ac1f512c2')
>>> merkle.leaf_hash(entry.format()).hex()
'42363efe29f57d95c80b3aa03284e29c3c93b81345ffaf292e44229cc7b37987'

Showing the result takes one text, one salt and three hashes:

>>> shown = {"result": (groups["result"], salts[48:64])}
>>> siblings = hide(groups, salts, shown)
>>> len(siblings), reveal(shown, siblings) == commitment
(3, True)

An office that will never show parts may commit to the *whole* record instead: one salt, and one hash where the groups
take thirteen. SHA-256 over a zero byte and

    20       ASCII `meanscheck/whole/v1` and one zero byte
    1 + 16   length of the salt, the salt
    then for each of the seven groups, in their order:
    1 + n    length of the group's name, the name
    4 + n    length of the JSON (big-endian), the JSON

Schema version 2 marks the leaf, so that no entry can be read as the other form. All groups are shown, or none.

>>> whole = commit(groups, bytes(16), form="whole")
>>> whole.hex()
'fbc19754877038a655658204f64a4a540c1bff8a2dd54edc5ad16460146fd68f'
>>> entry = Leaf("2026-11-A-000123", whole.hex(), "55" * 32, 17, "00112233445566778899aabbccddeeff", form="whole")
>>> entry.format()[-7:], merkle.leaf_hash(entry.format()).hex()
(b',"v":2}', '727e71af9546fd93e0c98c46256415f364890be15da1568cad901db0d0d6cff1')
>>> hide(groups, bytes(16), {"result"}, form="whole")
Traceback (most recent call last):
meanscheck.errors.LedgerError: the decision was committed to as a whole: show all seven groups or none
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import canonical, merkle

GROUPS: Final = ("subject", "household", "means", "result", "reasons", "provenance", "evidence")
SALT: Final = 16
SALTS: Final = SALT * len(GROUPS)
VERSION: Final = 1

Form: TypeAlias = Literal["grouped", "whole"]
# Schema version of the leaf and bytes of salts, by form.
VERSIONS: Final[Mapping[Form, int]] = {"grouped": VERSION, "whole": 2}
SALT_BYTES: Final[Mapping[Form, int]] = {"grouped": SALTS, "whole": SALT}

# What stands before the length of a group's JSON in the input of a whole record.
NAMES: Final = tuple(bytes([len(g)]) + g.encode() for g in GROUPS)
# The constant beginning of each group's input, with the zero byte that makes it an RFC 6962 leaf.
PREFIXES: Final = tuple(b"\0meanscheck/group/v1\0" + name + bytes([SALT]) for name in NAMES)
WHOLE: Final = b"\0meanscheck/whole/v1\0" + bytes([SALT])

_HEX32 = re.compile(r"[0-9a-f]{64}")
_HEX16 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Leaf:
    """What the log shows of a decision. Members of the entry: b, c, k (always ``decision``), m, n, s, v.

    Attributes:
        batch: id of the batch.
        commitment: 64 hex characters.
        opening: SHA-256 of the batch-open entry, which pins law, engine and inputs; 64 hex characters.
        position: place in the batch, from 0.
        token: the subject's random token, 32 hex characters; says nothing about who it is.
        form: how the commitment was made; written as the schema version.
    """

    batch: str
    commitment: str
    opening: str
    position: int
    token: str
    form: Form = "grouped"

    def format(self) -> bytes:
        """The entry."""
        return canonical.format(
            {
                "b": self.batch,
                "c": self.commitment,
                "k": "decision",
                "m": self.opening,
                "n": self.position,
                "s": self.token,
                "v": VERSIONS[self.form],
            }
        )

    @classmethod
    def parse(cls, entry: bytes) -> Leaf:
        """Read an entry; NotProven (step ``leaf``) unless it is a canonical decision entry of a known version."""
        try:
            members = canonical.parse(entry)
        except canonical.NotCanonical as error:
            raise NotProven("leaf", str(error)) from None
        if not isinstance(members, dict) or members.keys() != set("bckmnsv"):
            raise NotProven("leaf", "has other members than b, c, k, m, n, s, v")
        form = next((form for form, version in VERSIONS.items() if version == members["v"]), None)
        if members["k"] != "decision" or members["v"] is True or form is None:
            raise NotProven("leaf", "is not a decision of a known schema version")
        batch, position = members["b"], members["n"]
        if not isinstance(batch, str) or not batch or type(position) is not int or position < 0:
            raise NotProven("leaf", "batch or position is of the wrong kind")
        for name, pattern in (("c", _HEX32), ("m", _HEX32), ("s", _HEX16)):
            if not isinstance(members[name], str) or not pattern.fullmatch(members[name]):
                raise NotProven("leaf", f"member {name} is not lower-case hex of the right length")
        return cls(batch, members["c"], members["m"], position, members["s"], form)


def group_hash(group: str, text: bytes, salt: bytes) -> bytes:
    """Salted hash of one group."""
    if len(salt) != SALT:
        raise LedgerError(f"a salt has {SALT} bytes")
    prefix = PREFIXES[GROUPS.index(group)]
    return hashlib.sha256(prefix + salt + len(text).to_bytes(4, "big") + text).digest()


def commit(groups: Mapping[str, bytes], salts: bytes, *, form: Form = "grouped") -> bytes:
    """Commitment over all seven groups; `salts` are 112 bytes in the order of GROUPS, 16 for a whole record."""
    return merkle.root(b"".join(_hashes(groups, salts, form)))


def salt_of(group: str, salts: bytes) -> bytes:
    """The salt of a group; in a whole record all have the one salt."""
    at = 0 if len(salts) == SALT else GROUPS.index(group) * SALT
    return salts[at : at + SALT]


def hide(
    groups: Mapping[str, bytes], salts: bytes, disclose: Collection[str], *, form: Form = "grouped"
) -> list[bytes]:
    """Siblings that stand for the groups not in `disclose`, from left to right."""
    hashes = _hashes(groups, salts, form)
    if unknown := set(disclose) - set(GROUPS):
        raise LedgerError(f"no such group: {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    if form == "whole":
        if disclose and set(disclose) != set(GROUPS):
            raise LedgerError("the decision was committed to as a whole: show all seven groups or none")
        return [] if disclose else hashes
    shown = {GROUPS.index(group) for group in disclose}
    return [merkle.root(b"".join(hashes[start:end])) for start, end in _hidden(shown, 0, len(GROUPS))]


def reveal(shown: Mapping[str, tuple[bytes, bytes]], siblings: Sequence[bytes], *, form: Form = "grouped") -> bytes:
    """Commitment that follows from shown groups (JSON, salt) and siblings.

    Raises:
        NotProven: (step ``disclosure``) the number of siblings is wrong, or a whole record is shown in part or under
            several salts.
    """
    if form == "whole":
        return _reveal_whole(shown, siblings)
    hashes = {GROUPS.index(group): group_hash(group, text, salt) for group, (text, salt) in shown.items()}
    spans = dict(zip(_hidden(set(hashes), 0, len(GROUPS)), siblings, strict=False))
    if len(siblings) != len(_hidden(set(hashes), 0, len(GROUPS))):
        raise NotProven("disclosure", "the number of sibling hashes does not fit the shown groups")

    def fold(start: int, end: int) -> bytes:
        if (start, end) in spans:
            return spans[start, end]
        if end - start == 1:
            return hashes[start]
        middle = start + merkle.split(end - start)
        return merkle.node_hash(fold(start, middle), fold(middle, end))

    return fold(0, len(GROUPS))


def _reveal_whole(shown: Mapping[str, tuple[bytes, bytes]], siblings: Sequence[bytes]) -> bytes:
    if shown.keys() not in (set(), set(GROUPS)):
        raise NotProven("disclosure", "the entry commits to the whole record: all seven groups are shown or none")
    if len(siblings) != (0 if shown else 1):
        raise NotProven("disclosure", "the number of sibling hashes does not fit the shown groups")
    if not shown:
        return siblings[0]
    salts = {salt for _, salt in shown.values()}
    if len(salts) != 1:
        raise NotProven("disclosure", "the entry commits to the whole record, but the groups have several salts")
    return _hashes({group: text for group, (text, _) in shown.items()}, salts.pop(), "whole")[0]


def _hashes(groups: Mapping[str, bytes], salts: bytes, form: Form) -> list[bytes]:
    """The hashes whose RFC 6962 root is the commitment: one a group, or one."""
    if groups.keys() != set(GROUPS) or len(salts) != SALT_BYTES[form]:
        raise LedgerError(f"a {form} commitment takes the {len(GROUPS)} groups and {SALT_BYTES[form]} bytes of salts")
    if form == "whole":
        rows = zip(NAMES, (groups[g] for g in GROUPS), strict=True)
        texts = b"".join(name + len(text).to_bytes(4, "big") + text for name, text in rows)
        return [hashlib.sha256(WHOLE + salts + texts).digest()]
    return [group_hash(g, groups[g], salt_of(g, salts)) for g in GROUPS]


def _hidden(shown: set[int], start: int, end: int) -> list[tuple[int, int]]:
    if not any(start <= position < end for position in shown):
        return [(start, end)]
    if end - start == 1:
        return []
    middle = start + merkle.split(end - start)
    return _hidden(shown, start, middle) + _hidden(shown, middle, end)
