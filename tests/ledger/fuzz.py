"""Does any input break a reader of the ledger, or is anything accepted that its writer would not have written?

    python -m tests.ledger.fuzz --count 20000 --seed 1                  so many inputs for each reader
    python -m tests.ledger.fuzz --seconds 600 --seed 2                  as many as the time allows
    python -m tests.ledger.fuzz --only receipt note --count 1000        some readers

Of each input three things are demanded: the reader answers, or raises one of the library's own errors; it takes less
than a bound of processor time (and, in this command, of memory); and what it accepted, written again, is the input. A
policy may hold comments and spaces (its specification says so): there, what is written again reads as the same policy.
It prints counts a reader, and each failure with the input that caused it, in hex; it leaves with 1 if there was any.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import signal
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import (
    Leaf,
    Ledger,
    Policy,
    Signer,
    VerifierKey,
    canonical,
    checkpoint,
    commitment,
    merkle,
    note,
    open_receipt,
    proof,
    receipts,
    tiles,
    verify,
)
from meanscheck.ledger.carriers import format_answer, parse_answer
from meanscheck.ledger.keyfile import PrivateKey
from meanscheck.ledger.log import Log
from meanscheck.ledger.policy import LogLine, WitnessLine
from meanscheck.ledger.verdict import parse_opening
from meanscheck.ledger.witness import Answer, Request, Witness, format_request, format_state, parse_request, parse_state

from .builders import ORIGIN, WITNESS_SEED, Folder, all_groups, build_folder, cosign, witness_key
from .spellings import near

EXPECTED = (LedgerError, canonical.NotCanonical)
# Processor seconds for one input of at most some megabytes, and address space of the whole command.
TOO_LONG = 5.0
MEMORY = 3 << 30


class TookTooLong(BaseException):
    """Not an Exception, so that no reader can catch it."""


@dataclass(frozen=True)
class Reader:
    """`again` reads an input and returns a pair that must be equal: what was given, and what it read, written again."""

    name: str
    samples: tuple[bytes, ...]
    again: Callable[[bytes], tuple[object, object]]


@dataclass
class Tally:
    """What came of the inputs of one reader."""

    given: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    failures: list[tuple[str, bytes]] = field(default_factory=list)


def attack(reader: Reader, *, seed: int, count: int | None = None, until: float | None = None) -> Tally:
    """Give a reader changed samples: `count` of them, or until a moment of the monotonic clock."""
    chance = Random(zlib.crc32(reader.name.encode()) + seed)
    tally = Tally()
    for sample in reader.samples:
        _one(reader, sample, tally, must_accept=True)
    while (count is None or tally.given < count) and (until is None or time.monotonic() < until):
        _one(reader, near(chance, chance.choice(reader.samples), reader.samples), tally)
    return tally


def _one(reader: Reader, data: bytes, tally: Tally, *, must_accept: bool = False) -> None:
    tally.given += 1
    began = time.process_time()
    try:
        with _bounded():
            given, written = reader.again(data)
    except EXPECTED as error:
        tally.refused[getattr(error, "step", type(error).__name__)] += 1
        if must_accept:
            tally.failures.append((f"refused a sample: {error}", data))
    except (Exception, TookTooLong) as error:
        tally.failures.append((f"{type(error).__name__}: {error}", data))
    else:
        tally.accepted += 1
        if given != written:
            tally.failures.append(("accepted what it would not write", data))
    tally.slowest = max(tally.slowest, time.process_time() - began)


@contextmanager
def _bounded() -> Iterator[None]:
    """Break off when the processor time is used up; a timer exists on POSIX, and in the main thread only."""

    def stop(*_: object) -> None:
        raise TookTooLong(f"more than {TOO_LONG} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, TOO_LONG)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


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
    others = (b"[[],{},null,true,-1,0,9007199254740991]", '"\u20ac\\n\\u0001"'.encode())
    bundles = ((folder.path / "tile/entries/000").read_bytes(), tiles.format_bundle([b"", b"a" * 300]))
    return [
        Reader("canonical", (*groups, *others), _bytes(lambda data: canonical.format(canonical.parse(data)))),
        Reader("group in a receipt", groups, _group("grouped")),
        Reader("group in a whole receipt", groups, _group("whole")),
        Reader("leaf", (parsed.leaf, whole), _bytes(lambda data: Leaf.parse(data).format())),
        Reader("opening", (parsed.opening.entry,), _bytes(_opening)),
        Reader("bundle", bundles, _bytes(lambda data: tiles.format_bundle(tiles.parse_bundle(data)))),
    ]


def _of_texts(folder: Folder) -> list[Reader]:
    issued = (folder.receipt(300), folder.receipt(300, ["result"]), folder.receipt(10, []))
    texts = tuple(receipt.encode() for receipt in issued)
    head = note.parse(folder.ledger.checkpoint)[0].encode()
    both = note.sign(head.decode(), _two_keys().signers)
    notes = (folder.ledger.checkpoint.encode(), note.sign("a\n\nb\n", [folder.signer]).encode(), both.encode())
    key, witness, large = str(folder.signer.key), str(witness_key()), str(_two_keys().keys[1])
    policies = (
        folder.policy.format().encode(),
        f"# comment\n\n log {key}\thttps://log.example/\nwitness a {witness}\ngroup g 1 a\nquorum g\n".encode(),
        f"log {key}\nlog {large}\nquorum none\n".encode(),
    )
    keys = (key.encode(), witness.encode(), large.encode())
    return [
        Reader("note", notes, _text(lambda text: note.format(*note.parse(text)))),
        Reader("verifier key", keys, _text(lambda text: str(VerifierKey.parse(text)))),
        Reader("checkpoint", (head,), _text(lambda text: checkpoint.format(checkpoint.parse(text)))),
        Reader("proof", texts, _text(lambda text: proof.format(proof.parse(text)))),
        Reader("policy", policies, lambda data: _policy(data)),
        Reader("policy as text", policies, lambda data: _policy(data.decode("utf-8", "surrogateescape"))),
        Reader("receipt", texts, _text(lambda text: receipts.format(receipts.parse(text)))),
        Reader("verify", texts, _verified(folder)),
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


def report(tallies: Mapping[str, Tally]) -> Iterator[str]:
    """Lines: counts a reader, then the failures."""
    yield f"{'reader':26}{'inputs':>10}{'accepted':>10}{'refused':>10}{'slowest ms':>12}{'failures':>10}"
    for name, t in tallies.items():
        refused = sum(t.refused.values())
        yield f"{name:26}{t.given:>10}{t.accepted:>10}{refused:>10}{t.slowest * 1000:>12.1f}{len(t.failures):>10}"
    for name, t in tallies.items():
        for why, data in t.failures[:5]:
            digest = hashlib.sha256(data).hexdigest()[:8]
            yield f"{name}: {why} ({len(data)} bytes, {digest}): {data[:2000].hex()}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.ledger.fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, metavar="N", help="inputs for each reader; 1000 unless --seconds is given")
    parser.add_argument("--seconds", type=float, metavar="T", help="for all readers together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", metavar="READER")
    options = parser.parse_args(arguments)
    count = options.count or (None if options.seconds else 1000)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    tallies: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory() as root:
        chosen = [r for r in readers(Path(root)) if not options.only or r.name in options.only]
        for reader in chosen:
            until = time.monotonic() + options.seconds / len(chosen) if options.seconds else None
            tallies[reader.name] = attack(reader, seed=options.seed, count=count, until=until)
    print(*report(tallies), sep="\n")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"seed {options.seed}, {sum(t.given for t in tallies.values())} inputs, peak memory {peak:.0f} MiB")
    return int(any(t.failures for t in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())
