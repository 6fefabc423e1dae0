"""Does the log show everyone the same history? A witness answers by signing only what continues what it signed before.

A witness is run by somebody else than the log, such as an audit office. Of each log it keeps size and root of the last
checkpoint it cosigned, and nothing more. The exchange is `add-checkpoint` of C2SP tlog-witness 1.0; `carriers.py` takes
the same bytes over HTTP or as files. What the log sends:

    old <size>                                   of the last checkpoint that this witness cosigned; 0 if none
    <base64 hash>                                consistency proof from there, one hash a line
    …

    <checkpoint>                                 with the log's signature lines

What it gets, as a status and a body:

| Status | Body | When |
|---|---|---|
| 200 | cosignature lines | all is well; the new size and root are on disk |
| 400 | reason | the request is not of this form, or old is above the checkpoint's size |
| 403 | reason | no known key of the log signed, or one did whose signature does not verify |
| 404 | reason | a log that the witness does not serve |
| 409 | size, newline | old is not the size last cosigned, which the body tells; or it is, and has another root |
| 422 | reason | the proof does not show that the checkpoint continues the last one |

>>> from meanscheck.ledger.keyfile import PrivateKey
>>> log = PrivateKey.generate("county.example/relief", note.ED25519)
>>> cosigner = PrivateKey.generate("audit.example/w1", note.COSIGNATURE)
>>> witness = Witness([cosigner], policy=Policy.parse(f"log {log.key}\\nquorum none\\n"))
>>> head = Checkpoint("county.example/relief", 1, merkle.leaf_hash(b"first"))
>>> request = Request(old=0, path=(), checkpoint=note.sign(checkpoint.format(head), [log]))
>>> answer = witness.add_checkpoint(format_request(request), time=1_780_000_000)
>>> answer.status, answer.body.decode().split()[:2]
(200, ['—', 'audit.example/w1'])
>>> fork = Checkpoint("county.example/relief", 1, merkle.leaf_hash(b"other"))
>>> request = Request(old=1, path=(), checkpoint=note.sign(checkpoint.format(fork), [log]))
>>> witness.add_checkpoint(format_request(request), time=1_780_000_001)
Answer(status=409, body=b'1\\n')

The state has a file of its own, replaced as a whole under a lock and ended by a digest:

>>> print(format_state({head.origin: head}), end="")
meanscheck/witness/v1
county.example/relief 1 oa8DAjHKL9IOzzDFKUuvj2kyHQm7FqxTiFzNF6OFKA0=
sha256 e6a35daee200c5d620f3d099b061d30c9b15a1a9bc4c50e266206771578c739d

A file that is damaged or gone is refused: beginning again from nothing would let the log show a second history. (An
older file put back cannot be told from the true one: a witness restored from a backup must be given new keys.) Tree
heads that a log signed and that were refused are kept beside the state, under `.refused`: two that contradict each
other prove that the log was forked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import checkpoint, files, merkle, note
from meanscheck.ledger.checkpoint import Checkpoint
from meanscheck.ledger.policy import Policy

STATE_HEADER = "meanscheck/witness/v1"
MAX_REQUEST = 256 << 10
MAX_PROOF = 63
MAX_STATE = 16 << 20
MAX_REFUSED = 256


class Cosigner(Protocol):
    """Anything that cosigns checkpoints: `keyfile.PrivateKey`, or a device."""

    @property
    def key(self) -> note.VerifierKey: ...

    def cosign(self, text: str, *, time: int) -> bytes:
        """Signature bytes of this key's type over a checkpoint's text, with the time in front."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a log sends. `checkpoint`: with its signature lines, not yet checked."""

    old: int
    path: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body, as in HTTP."""

    status: int
    body: bytes


class Witness:
    """Keys, the logs that it serves, and what it cosigned last of each."""

    def __init__(self, cosigners: Sequence[Cosigner], *, policy: Policy, state: Path | None = None) -> None:
        """
        Args:
            cosigners: one key or more under the witness's name.
            policy: its log lines say which logs are served, and by which keys they sign; the rest has no meaning here.
            state: a file that `begin` made; None keeps the state in memory, for tests.
        """
        if not cosigners or len({cosigner.key.name for cosigner in cosigners}) != 1:
            raise LedgerError("a witness's keys have one name")
        if any(cosigner.key.type == note.ED25519 for cosigner in cosigners):
            raise LedgerError("a log's key cannot cosign")
        if not policy.logs:
            raise LedgerError("the policy names no log to witness")
        self.cosigners, self.policy, self.state = tuple(cosigners), policy, state
        self._memory: dict[str, Checkpoint] = {}
        self.seen()

    @property
    def name(self) -> str:
        """The name that its lines carry."""
        return self.cosigners[0].key.name

    @property
    def origins(self) -> list[str]:
        """The logs that it serves."""
        return list(dict.fromkeys(key.name for key in self.policy.log_keys))

    @staticmethod
    def begin(state: Path) -> None:
        """Write the state of a witness that has seen nothing; never overwrites one."""
        if state.exists():
            raise LedgerError(f"witness state {state.name} exists already")
        state.parent.mkdir(parents=True, exist_ok=True)
        files.replace(state, format_state({}).encode())

    def seen(self) -> Mapping[str, Checkpoint]:
        """Last tree head cosigned, by the log's origin."""
        if self.state is None:
            return dict(self._memory)
        try:
            with self.state.open("rb") as file:
                return parse_state(file.read(MAX_STATE + 1))
        except FileNotFoundError:
            raise LedgerError(
                f"witness state {self.state.name} is missing: restore it, or retire these keys and begin under new ones"
            ) from None
        except NotProven as error:
            raise LedgerError(
                f"witness state {self.state.name} is damaged ({error.why}): restore it, or retire these keys"
            ) from None

    def add_checkpoint(self, request: bytes, *, time: int) -> Answer:
        """Check and cosign; what is cosigned is on disk before this returns. `time`: POSIX seconds, now.

        Raises:
            LedgerError: the state cannot be used or is in use; nothing was signed.
        """
        try:
            asked = parse_request(request)
            text, _ = note.parse(asked.checkpoint)
            head = checkpoint.parse(text)
        except NotProven as error:
            return _refusal(400, error.why)
        keys = [key for key in self.policy.log_keys if key.name == head.origin]
        if not keys:
            return _refusal(404, "this witness does not serve a log of that origin")
        try:
            note.open(asked.checkpoint, keys)
        except NotProven as error:
            return _refusal(403, error.why)
        if asked.old > head.size:
            return _refusal(400, "the old size is above the checkpoint's")
        # Reading the old size and writing the new one are one step, or a slower request could roll a faster one back.
        with files.lock(self.state):
            return self._advance(asked, head, text, time)

    def _advance(self, asked: Request, head: Checkpoint, text: str, time: int) -> Answer:
        seen = dict(self.seen())
        last = seen.get(head.origin, Checkpoint(head.origin, 0, merkle.EMPTY_ROOT))
        if asked.old != last.size:
            return Answer(409, f"{last.size}\n".encode())
        if head.size == last.size and head.root != last.root:
            self._keep_refused(asked.checkpoint)
            return Answer(409, f"{last.size}\n".encode())
        try:
            merkle.check_consistency(last.size, last.root, head.size, head.root, asked.path)
        except NotProven as error:
            self._keep_refused(asked.checkpoint)
            return _refusal(422, error.why)
        lines = self._lines(text, time)
        if seen.get(head.origin) != head:
            seen[head.origin] = head
            if self.state is None:
                self._memory = seen
            else:
                files.replace(self.state, format_state(seen).encode())
        return Answer(200, lines.encode())

    def _lines(self, text: str, time: int) -> str:
        lines = [(cosigner.key, cosigner.cosign(text, time=time)) for cosigner in self.cosigners]
        return "".join(str(note.SignatureLine(key.name, key.key_id, signature)) for key, signature in lines)

    def _keep_refused(self, signed: str) -> None:
        """Keep a tree head that the log signed; once each, and not without end."""
        if self.state is None:
            return
        folder = self.state.with_name(self.state.name + ".refused")
        folder.mkdir(exist_ok=True)
        target = folder / hashlib.sha256(note.parse(signed)[0].encode()).hexdigest()
        if not target.exists() and len(list(folder.iterdir())) < MAX_REFUSED:
            files.replace(target, signed.encode())


def format_request(request: Request) -> bytes:
    """The bytes of a request."""
    path = "".join(f"{note.encode64(node)}\n" for node in request.path)
    return f"old {request.old}\n{path}\n{request.checkpoint}".encode()


def parse_request(data: bytes) -> Request:
    """Read a request; NotProven (step ``request``) for anything `format_request` would not write.

    The checkpoint is not parsed here.
    """
    if len(data) > MAX_REQUEST:
        raise NotProven("request", f"longer than {MAX_REQUEST} bytes")
    try:
        head, separator, signed = data.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise NotProven("request", "not valid UTF-8") from None
    first, *rows = head.split("\n")
    old = checkpoint.decimal(first[4:]) if first.startswith("old ") else None
    if not separator or old is None:
        raise NotProven("request", "does not begin with the old size, or has no empty line before the checkpoint")
    if len(rows) > MAX_PROOF:
        raise NotProven("request", f"the proof has more than {MAX_PROOF} hashes")
    path = [note.decode64(row) for row in rows]
    if any(node is None or len(node) != merkle.HASH for node in path):
        raise NotProven("request", "a line of the proof is not strict base64 of 32 bytes")
    return Request(old, tuple(node for node in path if node is not None), signed)


def format_state(seen: Mapping[str, Checkpoint]) -> str:
    """The text of a state file."""
    rows = "".join(f"{origin} {seen[origin].size} {note.encode64(seen[origin].root)}\n" for origin in sorted(seen))
    text = f"{STATE_HEADER}\n{rows}"
    return f"{text}sha256 {hashlib.sha256(text.encode()).hexdigest()}\n"


def parse_state(data: bytes) -> dict[str, Checkpoint]:
    """Read a state; NotProven (step ``state``) for anything `format_state` would not write."""
    try:
        text = data.decode()
        seen = {}
        for row in text.split("\n")[1:-2]:
            head = checkpoint.parse(row.replace(" ", "\n") + "\n")
            seen[head.origin] = head
    except (UnicodeDecodeError, NotProven):
        raise NotProven("state", "a line is not an origin, a size and a root") from None
    if len(data) > MAX_STATE or format_state(seen) != text:
        raise NotProven("state", "not written in the one canonical form, or its digest does not fit")
    return seen


def _refusal(status: int, why: str) -> Answer:
    return Answer(status, f"{why}\n".encode())
