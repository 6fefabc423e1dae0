"""How does a log get its checkpoints cosigned? It asks the witnesses of a policy until the policy's quorum is met.

An `Ask` takes the bytes of a request to a witness and gives its `Answer`: `carriers.HttpWitness` and
`carriers.FileWitness` are two, `functools.partial(witness.add_checkpoint, time=...)` asks a `Witness` in this process.

>>> from functools import partial
>>> from meanscheck.ledger.keyfile import PrivateKey
>>> from meanscheck.ledger.witness import Witness
>>> log, w1 = PrivateKey.generate("county.example", note.ED25519), PrivateKey.generate("audit.example", note.ML_DSA)
>>> policy = Policy.parse(f"log {log.key}\\nwitness audit {w1.key}\\nquorum audit\\n")
>>> witnesses = Witnesses(policy, [partial(Witness([w1], policy=policy).add_checkpoint, time=1_780_000_000)])
>>> signed = note.sign("county.example\\n1\\noa8DAjHKL9IOzzDFKUuvj2kyHQm7FqxTiFzNF6OFKA0=\\n", [log])
>>> witnesses.is_met(signed)
False
>>> cosigned = witnesses.cosign(signed, prove=lambda old: [])
>>> witnesses.is_met(cosigned), [line.name for line in note.parse(cosigned)[1]]
(True, ['county.example', 'audit.example'])

A witness that cannot be reached or refuses is passed over as long as the others make up the quorum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import checkpoint, merkle, note
from meanscheck.ledger.checkpoint import Checkpoint
from meanscheck.ledger.closing import Closing
from meanscheck.ledger.policy import Policy
from meanscheck.ledger.state import Prove
from meanscheck.ledger.witness import Answer, Request, format_request

REFUSALS = {
    400: "finds the request malformed",
    403: "does not accept the log's signature: its policy lists other keys",
    404: "does not serve this log",
    422: "finds that the log does not continue what it cosigned: the log was changed",
}


class Ask(Protocol):
    """A way to a witness. LedgerError if it cannot be reached."""

    def __call__(self, request: bytes, /) -> Answer: ...


class Witnesses:
    """The witnesses of a policy, and ways to ask them."""

    def __init__(self, policy: Policy, asks: Sequence[Ask]) -> None:
        """
        Args:
            policy: the one that auditors will use: its witness keys and its quorum decide what is enough.
            asks: a way to each witness, in any order.
        """
        if policy.quorum == "none":
            raise LedgerError("the policy asks for no witness: add witness lines and a quorum to it")
        if not asks:
            raise LedgerError("no way to any witness is given")
        self.policy, self.asks = policy, tuple(asks)

    def is_met(self, signed: str) -> bool:
        """True if a checkpoint carries the cosignatures of a quorum; all of the policy's keys on it must verify."""
        try:
            opened = note.open(signed, self.policy.witness_keys)
        except NotProven:
            return False
        return self.policy.is_quorum([signature.key for signature in opened.signatures])

    def cosign(self, signed: str, *, prove: Prove, guess: int = 0) -> str:
        """The checkpoint with the lines of every witness that could be asked.

        Args:
            signed: a checkpoint with the log's signature lines.
            prove: gives the consistency proof from an older size to it.
            guess: the size that the witnesses probably cosigned last; a wrong guess costs a second request.

        Raises:
            NotProven: step ``witnesses``: the quorum is not met; the text says why each witness that failed did.
        """
        text, lines = note.parse(signed)
        head = checkpoint.parse(text)
        # Without earlier cosignatures, so that the same checkpoint makes the same request.
        bare = note.format(text, [line for line in lines if line.name == head.origin])
        faults = []
        for number, ask in enumerate(self.asks, 1):
            try:
                new = self._checked(text, _ask(ask, head, bare, prove, min(guess, head.size)))
            except LedgerError as fault:
                faults.append(f"witness {number} {fault.why if isinstance(fault, NotProven) else fault}")
            else:
                signed = merge(signed, new)
        if not self.is_met(signed):
            raise NotProven("witnesses", "; ".join(faults) or "the policy's quorum asks for more witnesses than these")
        return signed

    def _checked(self, text: str, body: bytes) -> list[note.SignatureLine]:
        """Lines of an answer by keys of the policy, each verified; lines by other keys are ignored."""
        try:
            _, lines = note.parse(f"{text}\n{body.decode()}")
            keys = {(key.name, key.key_id) for key in self.policy.witness_keys}
            known = [line for line in lines if (line.name, line.key_id) in keys]
            if not known:
                raise NotProven("witnesses", "cosigned with keys that the policy does not list")
            note.open(note.format(text, known), self.policy.witness_keys)
        except UnicodeDecodeError:
            raise NotProven("witnesses", "answered with something that is not text") from None
        return known


def merge(signed: str, new: Sequence[note.SignatureLine]) -> str:
    """A note with lines added; a line of the same key takes the place of the older one."""
    text, lines = note.parse(signed)
    keys = {(line.name, line.key_id) for line in new}
    return note.format(text, [line for line in lines if (line.name, line.key_id) not in keys] + list(new))


def check_opening(entry: bytes, *, index: int, tree: merkle.Tree, policy: Policy) -> tuple[tuple[str, int], ...]:
    """Check that witnesses saw a batch's opening, and nothing after it, before the batch was decided.

    Args:
        entry: the batch-close entry.
        index: its place in the log.
        tree: the log's tree, which must hold it: a `tiles.TileReader`.
        policy: whose witnesses count.

    Returns:
        Label of each witness key and its time in POSIX seconds; 0 where it states none.

    Raises:
        NotProven: step ``closing``, ``opening``, ``signature`` or ``witnesses``: the entry is no batch-close, no
            cosigned opening is there, or it is that of another log.
    """
    closing = Closing.parse(entry)
    if closing.witnessed is None:
        raise NotProven("opening", "the batch was opened without a witness")
    opened = note.open(closing.witnessed, policy.log_keys + policy.witness_keys)
    head = checkpoint.parse(opened.text)
    if not any(
        signature.key in policy.log_keys and signature.key.name == head.origin for signature in opened.signatures
    ):
        raise NotProven("signature", "the opening's checkpoint is not signed by a log of the policy")
    cosigned = [signature for signature in opened.signatures if signature.key in policy.witness_keys]
    if not policy.is_quorum([signature.key for signature in cosigned]):
        raise NotProven("witnesses", "too few of the policy's witnesses cosigned the opening")
    # The tree that they saw ends with the opening: batch-open, decisions and batch-close stand one after another.
    if head.size != index - closing.count or not 0 < head.size <= index or tree.subtree(0, head.size) != head.root:
        raise NotProven("opening", "the cosigned checkpoint is not that of the batch's opening in this log")
    return tuple((signature.key.label, signature.time or 0) for signature in cosigned)


def _ask(ask: Ask, head: Checkpoint, signed: str, prove: Prove, old: int) -> bytes:
    """Body of a good answer, asking again from the size that the witness tells."""
    for _ in range(2):
        answer = ask(format_request(Request(old, tuple(prove(old)), signed)))
        if answer.status == 200:
            return answer.body
        if answer.status != 409:
            raise NotProven("witnesses", REFUSALS.get(answer.status, f"answered with status {answer.status}"))
        told = checkpoint.decimal(answer.body[:-1].decode("ascii", "replace")) if answer.body.endswith(b"\n") else None
        if told is None:
            raise NotProven("witnesses", "answered 409 without the size that it cosigned last")
        if told == old:
            raise NotProven("witnesses", f"holds another root of {told} leaves: the log has two histories")
        if told > head.size:
            raise NotProven("witnesses", f"cosigned {told} leaves, the log has {head.size}: its folder was put back")
        old = told
    raise NotProven("witnesses", "tells a new size each time: is another process asking it about the same log?")
