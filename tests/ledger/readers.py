"""Every reader of the ledger, with samples that it must accept, for `fuzz.py` to attack.

A reader of another kind of text or file is one line in `_of_records`, `_of_texts`, `_of_files` or `_of_witnesses`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from meanscheck.errors import NotProven
from meanscheck.ledger import (
    Leaf,
    Ledger,
    Policy,
    Signer,
    VerifierKey,
    canonical,
    checkpoint,
    commitment,
    entries,
    latest,
    merkle,
    note,
    open_receipt,
    proof,
    receipts,
    sm2,
    tiles,
    verify,
)
from meanscheck.ledger.carriers import format_answer, parse_answer
from meanscheck.ledger.closing import Closing
from meanscheck.ledger.keyfile import PrivateKey
from meanscheck.ledger.log import Log
from meanscheck.ledger.policy import LogLine, WitnessLine
from meanscheck.ledger.verdict import parse_opening
from meanscheck.ledger.witness import Answer, Request, Witness, format_request, format_state, parse_request, parse_state

from .builders import ORIGIN, WITNESS_SEED, Folder, all_groups, build_folder, cosign, witness_key

DAY = date(2026, 11, 3)
# A decision of the last batch, whose households are among those of the batch before it.
LAST = 7 + 602 + 3


@dataclass(frozen=True)
class Reader:
    """`again` reads an input and returns a pair that must be equal: what was given, and what it read, written again."""

    name: str
    samples: tuple[bytes, ...]
    again: Callable[[bytes], tuple[object, object]]


def _text(read: Callable[[str], str]) -> Callable[[bytes], tuple[object, object]]:
    """For readers of text: bytes that are no UTF-8 become lone surrogates, which no reader may accept."""

    def again(data: bytes) -> tuple[object, object]:
        try:
            text = data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            text = data.decode("utf-8", "surrogateescape")
        return text, read(text)

    return again


def _bytes(read: Callable[[bytes], bytes]) -> Callable[[bytes], tuple[object, object]]:
    return lambda data: (data, read(data))


def _policy(given: str | bytes) -> tuple[object, object]:
    policy = Policy.parse(given)
    written = policy.format()
    again = Policy.parse(written)
    return (policy, written), (again, again.format())


def _opening(data: bytes) -> bytes:
    content = parse_opening(data, batch_id="2026-01")
    return canonical.format({"b": "2026-01", "k": "batch-open", "opening": content, "v": 1})


def _der(data: bytes) -> bytes:
    """A converter: by its contract it raises ValueError, which whoever calls it tells as its own error."""
    try:
        return sm2.to_der(sm2.from_der(data))
    except ValueError as error:
        raise NotProven("DER", str(error)) from None


def _group(form: commitment.Form) -> Callable[[bytes], tuple[object, object]]:
    """A group's text inside a receipt whose leaf truly commits to it: what `_disclosed` reads."""
    salts = bytes(commitment.SALT_BYTES[form])

    def again(data: bytes) -> tuple[object, object]:
        try:
            data.decode()
        except UnicodeDecodeError:
            return data, data
        groups = all_groups(0) | {"result": data}
        leaf = Leaf("b", commitment.commit(groups, salts, form=form).hex(), "55" * 32, 0, f"{0:032x}", form).format()
        head = checkpoint.format(checkpoint.Checkpoint(ORIGIN, 1, merkle.leaf_hash(leaf)))
        line = note.SignatureLine(ORIGIN, bytes(4), bytes(64))
        shown = {group: (text, bytes(16)) for group, text in groups.items()}
        receipt = receipts.Receipt(0, (), note.format(head, [line]), leaf, shown, (), None)
        return data, canonical.format(open_receipt(receipts.format(receipt).encode())["result"])

    return again


def _verified(folder: Folder) -> Callable[[bytes], tuple[object, object]]:
    """The whole of `verify`: whatever it takes for proven is so in the log and among the records."""

    def again(data: bytes) -> tuple[object, object]:
        proven = verify(data, policy=folder.policy)
        batch, sealed = next(both for both in folder.batches if proven.index in both[0].kept)
        position = proven.index - sealed.first_index
        true = all_groups(position)
        opening = None if proven.opening is None else batch.opening
        said = (proven.leaf.format(), proven.leaf.position, proven.shown, proven.opening, proven.size)
        known = {group: true[group] for group in proven.shown}
        return said, (folder.ledger.entry(proven.index), position, known, opening, folder.ledger.size)

    return again


def _latest(folder: Folder) -> Callable[[bytes], tuple[object, object]]:
    """What is proven to be the latest decision is so: each household of the third batch stands there once."""

    def again(data: bytes) -> tuple[object, object]:
        proven = latest.verify(data.decode("utf-8", "surrogateescape"), policy=folder.policy)
        return (proven.index, proven.leaf.format()), (LAST, folder.ledger.entry(LAST))

    return again


class _Files:
    """Readers of files: each puts the input at its place in a folder, reads, and puts the old content back."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        path = folder.signer.path
        assert path is not None
        self.key = path
        self.policy = Policy((LogLine(folder.signer.key),), (WitnessLine("audit", witness_key()),), (), "audit")

    @contextmanager
    def _there(self, path: Path, data: bytes) -> Iterator[None]:
        before = path.read_bytes()
        path.write_bytes(data)
        try:
            yield
        finally:
            path.write_bytes(before)

    def checkpoint(self, data: bytes) -> tuple[object, object]:
        with self._there(self.folder.path / "checkpoint", data):
            log = Log.open(self.folder.path, origin=ORIGIN)
        return data, log.note.encode()

    def state(self, data: bytes) -> tuple[object, object]:
        path = self.folder.signer.state_path
        assert path is not None
        with self._there(path, data):
            head = self.folder.signer.last_signed()
        return data, checkpoint.format(head).encode() if head else b""

    def key_file(self, data: bytes) -> tuple[object, object]:
        """The first lines are ours; what follows is PEM, whose spelling is free, but it must be those keys."""
        with self._there(self.key, data):
            signer = Signer.load(self.key)
        text = checkpoint.format(checkpoint.Checkpoint(signer.key.name, 1, bytes(32)))
        note.open(note.sign(text, signer.signers), signer.keys)
        public = data.partition(b"-----")[0]
        return public, "".join(f"{key}\n" for key in signer.keys).encode()

    def cosignatures(self, data: bytes) -> tuple[object, object]:
        """Lines that a witness sent: the checkpoint keeps its text, and each line on it is checked."""
        path = self.folder.path / "checkpoint"
        ledger = Ledger.open(self.folder.path, signer=self.folder.signer)
        text = note.parse(ledger.checkpoint)[0]
        with self._there(path, path.read_bytes()):
            lines = data.decode("utf-8", "surrogateescape")
            opened = note.open(
                ledger.add_cosignatures(lines, policy=self.policy),
                [
                    self.folder.signer.key,
                    *self.policy.witness_keys,
                ],
            )
        return (text, ()), (opened.text, opened.unknown)

    def tile(self, name: str) -> Callable[[bytes], tuple[object, object]]:
        """A tile or bundle of the folder: `check` accepts the true one only."""
        path = self.folder.path / name
        sound = path.read_bytes()

        def again(data: bytes) -> tuple[object, object]:
            with self._there(path, data):
                Ledger.open(self.folder.path, origin=ORIGIN).check()
            return data, sound

        return again


def readers(root: Path) -> list[Reader]:
    """Every reader of the ledger, over two logs made in a folder."""
    folder = build_folder(root)
    bare = build_folder(root / "bare", batches=(5, 3), witnessed=False)
    return [*_of_records(folder), *_of_texts(folder), *_of_files(bare), *_of_witnesses(folder)]


def _of_records(folder: Folder) -> list[Reader]:
    parsed = receipts.parse(folder.receipt(300))
    assert parsed.opening is not None
    whole = Leaf("b", "00" * 32, "55" * 32, 0, "11" * 16, "whole").format()
    groups = tuple(all_groups(3).values())
    step = entries.Step(ORIGIN, 2, "42" * 32, "confirmation", DAY, "440703/civil-affairs", "17" * 32, None)
    first, second = (Signer.from_seed(ORIGIN, seed=bytes([n]) * 32).key for n in (1, 2))
    kinds: tuple[entries.Entry, ...] = (
        entries.Correction("2026-12", ((1, 9), (0, 12)), "review"),
        entries.Erasure("0f" * 16, "pipl-47", DAY),
        entries.Key(str(second), str(first), DAY),
        entries.Policy("ab" * 32, DAY),
        entries.Closed(DAY),
        entries.Opened("county.example/2025", 7, "cd" * 32, DAY),
        step,
        entries.Tally(3),
    )
    closings = (folder.ledger.entry(folder.batches[0][1].close_index), folder.ledger.entry(folder.ledger.size - 1))
    others = (b"[[],{},null,true,-1,0,9007199254740991]", '"\u20ac\\n\\u0001"'.encode())
    bundles = ((folder.path / "tile/entries/000").read_bytes(), tiles.format_bundle([b"", b"a" * 300]))
    return [
        Reader("canonical", (*groups, *others), _bytes(lambda data: canonical.format(canonical.parse(data)))),
        Reader("group in a receipt", groups, _group("grouped")),
        Reader("group in a whole receipt", groups, _group("whole")),
        Reader("leaf", (parsed.leaf, whole), _bytes(lambda data: Leaf.parse(data).format())),
        Reader("entry", tuple(map(entries.format, kinds)), _bytes(lambda data: entries.format(entries.parse(data)))),
        Reader("closing", closings, _bytes(lambda data: Closing.parse(data).format())),
        Reader("opening", (parsed.opening.entry,), _bytes(_opening)),
        Reader("bundle", bundles, _bytes(lambda data: tiles.format_bundle(tiles.parse_bundle(data)))),
    ]


def _of_texts(folder: Folder) -> list[Reader]:
    issued = (folder.receipt(300), folder.receipt(300, ["result"]), folder.receipt(10, []))
    texts = tuple(receipt.encode() for receipt in issued)
    newest = (folder.ledger.prove_latest(LAST, folder.ledger.entry(LAST)).encode(),)
    head = note.parse(folder.ledger.checkpoint)[0].encode()
    both = note.sign(head.decode(), _two_keys().signers)
    notes = (folder.ledger.checkpoint.encode(), note.sign("a\n\nb\n", [folder.signer]).encode(), both.encode())
    key, witness, large = str(folder.signer.key), str(witness_key()), str(_two_keys().keys[1])
    policies = (
        folder.policy.format().encode(),
        f"# comment\n\n log {key}\thttps://log.example/\nwitness a {witness}\ngroup g 1 a\nquorum g\n".encode(),
        f"log {key}\nlog {large}\nquorum none\n".encode(),
    )
    # Key and signature of GB/T 32918.5-2017 annex A.2.
    point = bytes.fromhex(
        "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
        "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
    )
    signature = bytes.fromhex(
        "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
        "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
    )
    keys = (key.encode(), witness.encode(), large.encode(), str(sm2.Sm2Key.of("a/sm3", point)).encode())
    return [
        Reader("note", notes, _text(lambda text: note.format(*note.parse(text)))),
        Reader("verifier key", keys, _text(lambda text: str(VerifierKey.parse(text)))),
        Reader("SM2 signature", (sm2.to_der(signature),), _bytes(_der)),
        Reader("checkpoint", (head,), _text(lambda text: checkpoint.format(checkpoint.parse(text)))),
        Reader("proof", texts, _text(lambda text: proof.format(proof.parse(text)))),
        Reader("policy", policies, lambda data: _policy(data)),
        Reader("policy as text", policies, lambda data: _policy(data.decode("utf-8", "surrogateescape"))),
        Reader("receipt", texts, _text(lambda text: receipts.format(receipts.parse(text)))),
        Reader("verify", texts, _verified(folder)),
        Reader("latest", newest, _text(lambda text: latest.format(latest.parse(text)))),
        Reader("latest, verified", newest, _latest(folder)),
    ]


def _of_files(folder: Folder) -> list[Reader]:
    files, state = _Files(folder), folder.signer.state_path
    assert state is not None
    tile, bundle = "tile/0/000.p/12", "tile/entries/000.p/12"
    lines = cosign(note.parse(folder.ledger.checkpoint)[0], 5).encode()
    two = _two_keys().save(files.key.with_name("two.key"), unprotected=True)
    return [
        Reader("checkpoint file", (folder.ledger.checkpoint.encode(),), files.checkpoint),
        Reader("signer's state", (state.read_bytes(),), files.state),
        Reader("key file", (files.key.read_bytes(), two.read_bytes()), files.key_file),
        Reader("cosignatures", (lines,), files.cosignatures),
        Reader("tile on disk", ((folder.path / tile).read_bytes(),), files.tile(tile)),
        Reader("bundle on disk", ((folder.path / bundle).read_bytes(),), files.tile(bundle)),
    ]


def _of_witnesses(folder: Folder) -> list[Reader]:
    signed, size = folder.ledger.checkpoint, folder.ledger.size
    old = folder.batches[0][1].size
    asked = Request(old, tuple(folder.ledger.consistency(old)), signed)
    requests = (format_request(asked), format_request(Request(0, (), signed)))
    head = checkpoint.parse(note.parse(signed)[0])
    before = checkpoint.parse(note.parse(folder.batches[0][1].checkpoint)[0])
    state = format_state({ORIGIN: head, "other.example": before}).encode()
    cosigner = PrivateKey.from_seed("audit.example/w1", note.COSIGNATURE, seed=WITNESS_SEED)

    def ask(data: bytes) -> tuple[object, object]:
        """A witness that saw the first batch: it answers, and cosigns this log's true head only."""
        witness = Witness([cosigner], policy=Policy((LogLine(folder.signer.key),)))
        first = witness.add_checkpoint(format_request(Request(0, (), folder.batches[0][1].checkpoint)), time=1)
        answer = witness.add_checkpoint(data, time=2)
        if answer.status != 200:
            raise NotProven(f"status {answer.status}", answer.body.decode())
        return (first.status, witness.seen()[ORIGIN]), (200, head if head.size == size else None)

    answers = (format_answer(Answer(200, b"lines\n")), format_answer(Answer(409, b"12\n")))
    return [
        Reader("request to a witness", requests, _bytes(lambda data: format_request(parse_request(data)))),
        Reader("witness", requests[:1], ask),
        Reader("witness's state", (state,), _bytes(lambda data: format_state(parse_state(data)).encode())),
        Reader("answer file", answers, _bytes(lambda data: format_answer(parse_answer(data)))),
    ]


def _two_keys() -> Signer:
    return Signer.from_seed(ORIGIN, seed=b"county" + bytes(26), ml_dsa_seed=bytes(32))
