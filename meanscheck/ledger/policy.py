"""Whom does a verifier trust? The text of C2SP tlog-policy: log keys, witnesses, groups, a quorum.

    # county.policy
    log <verifier key> [<url>]
    witness <name> <verifier key> [<url>]
    group <name> all|any|<k> <name>...
    quorum <name>|none

A checkpoint is accepted when any listed log signed it and the quorum's witnesses cosigned it. Log keys are of type 1
(Ed25519) or 6 (ML-DSA-44); a log that signs with both has two lines, whose keys have the same name, its origin, and
either is enough. Witness keys are of type 4 (Ed25519 cosignature with a time) or 6; a witness with both has two lines,
whose names a group joins. A policy decides whom to trust, so it must come from somewhere else than the receipt.

>>> log = "log sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
>>> policy = Policy.parse(f"# the log's key\\n{log}\\nquorum none\\n")
>>> [key.name for key in policy.log_keys], policy.quorum
(['sum.golang.org'], 'none')
>>> print(policy.format(), end="")
log sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8
quorum none
>>> Policy.parse(f"{log}\\n")
Traceback (most recent call last):
meanscheck.errors.NotProven: policy: there must be exactly one quorum line
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from meanscheck.errors import NotProven
from meanscheck.ledger import note

MAX_TEXT = 1 << 20
MAX_LINES = 4096


@dataclass(frozen=True, slots=True)
class LogLine:
    """A trusted log; the key's name is the log's origin."""

    key: note.VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class WitnessLine:
    """A witness under the name that groups and quorum use."""

    name: str
    key: note.VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Counts as having cosigned when at least `threshold` of its members have."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """Trusted logs, witnesses, groups in order of definition, and the quorum (a witness, a group, or ``none``)."""

    logs: tuple[LogLine, ...]
    witnesses: tuple[WitnessLine, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str = "none"

    def __post_init__(self) -> None:
        _check(self)

    @property
    def log_keys(self) -> tuple[note.VerifierKey, ...]:
        return tuple(line.key for line in self.logs)

    @property
    def witness_keys(self) -> tuple[note.VerifierKey, ...]:
        return tuple(line.key for line in self.witnesses)

    def is_quorum(self, cosigners: Collection[note.VerifierKey]) -> bool:
        """True if these keys, each with a verified cosignature, are enough."""
        if self.quorum == "none":
            return True
        there = {line.name for line in self.witnesses if line.key in cosigners}
        for group in self.groups:
            if sum(member in there for member in group.members) >= group.threshold:
                there.add(group.name)
        return self.quorum in there

    def format(self) -> str:
        """The text: logs, witnesses, groups, quorum; comments are not kept."""
        lines = [f"log {line.key} {line.url}" for line in self.logs]
        lines += [f"witness {line.name} {line.key} {line.url}" for line in self.witnesses]
        lines += [f"group {g.name} {g.threshold} {' '.join(g.members)}" for g in self.groups]
        lines.append(f"quorum {self.quorum}")
        return "".join(f"{line.rstrip(' ')}\n" for line in lines)

    @classmethod
    def parse(cls, text: str | bytes) -> Policy:
        """Read a policy; NotProven (step ``policy``) names the line that is wrong."""
        logs: list[LogLine] = []
        witnesses: list[WitnessLine] = []
        groups: list[Group] = []
        quorums: list[str] = []
        defined: set[str] = set()
        for number, words in _lines(text):
            match words:
                case ["log", key] | ["log", key, _]:
                    logs.append(LogLine(_key(key, number), *words[2:]))
                case ["witness", name, key] | ["witness", name, key, _]:
                    _define(name, defined, number)
                    witnesses.append(WitnessLine(name, _key(key, number), *words[3:]))
                case ["group", name, threshold, *members] if members:
                    if any(member not in defined for member in members):
                        raise _error(number, "a member is not defined on an earlier line")
                    _define(name, defined, number)
                    groups.append(Group(name, _threshold(threshold, len(members), number), tuple(members)))
                case ["quorum", name]:
                    if name != "none" and name not in defined:
                        raise _error(number, "the quorum is not defined on an earlier line")
                    quorums.append(name)
                case _:
                    raise _error(number, "is not a log, witness, group or quorum line of the right length")
        if len(quorums) != 1:
            raise NotProven("policy", "there must be exactly one quorum line")
        return cls(tuple(logs), tuple(witnesses), tuple(groups), quorums[0])


def _lines(text: str | bytes) -> Iterator[tuple[int, list[str]]]:
    if isinstance(text, bytes):
        # The specification treats octets above 0x7F as opaque; surrogates keep them apart and are never valid names.
        text = text.decode("utf-8", errors="surrogateescape")
    if len(text) > MAX_TEXT:
        raise NotProven("policy", f"longer than {MAX_TEXT} characters")
    if not text.endswith("\n"):
        raise NotProven("policy", "the last line does not end in a newline")
    rows = text[:-1].split("\n")
    if len(rows) > MAX_LINES:
        raise NotProven("policy", f"more than {MAX_LINES} lines")
    for number, row in enumerate(rows, 1):
        if "\r" in row:
            raise _error(number, "ends in a carriage return; save the file with plain line ends (LF)")
        if any((c < " " and c != "\t") or c == "\x7f" for c in row):
            raise _error(number, "holds a control character")
        words = row.replace("\t", " ").strip(" ").split(" ")
        words = [word for word in words if word]
        if words and not words[0].startswith("#"):
            yield number, words


def _key(text: str, number: int) -> note.VerifierKey:
    try:
        return note.VerifierKey.parse(text)
    except NotProven as error:
        raise _error(number, error.why) from None


def _define(name: str, defined: set[str], number: int) -> None:
    if name == "none" or name in defined:
        raise _error(number, "its name is already taken")
    defined.add(name)


def _threshold(text: str, members: int, number: int) -> int:
    if text in ("any", "all"):
        return 1 if text == "any" else members
    if not (text.isascii() and text.isdigit() and len(text) < 5 and text[0] != "0" and int(text) <= members):
        raise _error(number, "the threshold is not all, any, or a number from 1 to the number of members")
    return int(text)


def _check(policy: Policy) -> None:
    """Rules that hold however a policy was made."""
    if any(key.type not in (note.ED25519, note.ML_DSA) for key in policy.log_keys):
        raise NotProven("policy", "a log key must be of type 1 (Ed25519) or 6 (ML-DSA-44)")
    if any(key.type not in (note.COSIGNATURE, note.ML_DSA) for key in policy.witness_keys):
        raise NotProven("policy", "a witness key must be of type 4 (Ed25519 cosignature) or 6 (ML-DSA-44)")
    if {key.name for key in policy.log_keys} & {key.name for key in policy.witness_keys}:
        raise NotProven("policy", "a witness's key has the name of a log: a log does not witness itself")
    public = [key.public for key in policy.log_keys + policy.witness_keys]
    if len(set(public)) != len(public):
        raise NotProven("policy", "the same public key is listed twice")
    used = [member for group in policy.groups for member in group.members]
    if len(set(used)) != len(used):
        raise NotProven("policy", "a name is a member of more than one group, or twice of one")
    names = ["none", *(line.name for line in policy.witnesses), *(group.name for group in policy.groups)]
    known = {"none", *(line.name for line in policy.witnesses)}
    for group in policy.groups:
        if not 1 <= group.threshold <= len(group.members) or not known.issuperset(group.members):
            raise NotProven("policy", "a group has an impossible threshold or an unknown member")
        if "none" in group.members:
            raise NotProven("policy", "none cannot be a member of a group")
        known.add(group.name)
    if len(set(names)) != len(names) or policy.quorum not in known:
        raise NotProven("policy", "a name is defined twice, or the quorum is not defined")


def _error(number: int, why: str) -> NotProven:
    return NotProven("policy", f"line {number}: {why}")
