"""How is a log shown under SM3 and SM2, to those who must not rely on other algorithms? As a second tree beside it.

The log named `<origin>` gets a parallel one named `<origin>/sm3`: the same entries in the same order, hashed with SM3
under the same prefixes (`sm3.py`), its tree heads signed with SM2 (`sm2.py`). Nothing of the first log changes, and
nobody who reads it needs to know. In the log's folder:

    checkpoint.sm3               the newest tree head of the parallel log
    sm3/tile/<L>/<N>[.p/<W>]     its hashes, in the layout of `tiles.py`; entries lie in tile/entries only

`catch_up` takes up what the first log has published since: it reads those entries, checks that they are the ones that
the first log's tiles and checkpoint hold, adds tiles, and has the head signed. Memory does not grow with the log. A
crash before the signature leaves tiles that nobody reads and that the next run writes again, byte for byte, since they
follow from published entries.

    signer = Guarded([Sm2Signer.load("keys/county.sm2")], state="keys/county.sm2.state", hashing=SM3)
    parallel = Parallel.open("ledger", origin="county.example/relief")
    parallel.catch_up(signer)                               # after each batch
    text = parallel.prove(index)                            # C2SP tlog-proof

Who verifies lists the key in a policy, as `log county.example/relief/sm3+…`, in a file of its own where others' clients
read the policy too: they may refuse a key that they do not know.

    head = check(text, entry, policy=policy)                # or with_sm3(proven, text, policy=policy), for the report

What this does not do: commitments within the entries stay SHA-256, and so does the digest of the opening entry. An SM3
tree over them binds them as they are.

>>> named("county.example/relief")
'county.example/relief/sm3'
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import checkpoint, files, merkle, note, proof, tiles
from meanscheck.ledger.checkpoint import Checkpoint
from meanscheck.ledger.log import Log
from meanscheck.ledger.policy import Policy
from meanscheck.ledger.sm3 import SM3
from meanscheck.ledger.state import LogSigner
from meanscheck.ledger.verdict import Proven, Step

CHECKPOINT = "checkpoint.sm3"
FOLDER = "sm3"

# Tiles flushed to disk together, and how many at a time: flushing waits for the disk, not for the processor.
TOGETHER = 64
FLUSHING = 4


class Parallel:
    """The parallel log in a log's folder. `head` is None before its first checkpoint."""

    def __init__(self, log: Log) -> None:
        self.log, self.origin = log, named(log.origin)
        self.head: Checkpoint | None = None
        self.note = ""
        self._refresh()

    @classmethod
    def open(cls, folder: Path | str, *, origin: str) -> Parallel:
        """Open or begin the parallel of the log in a folder; `origin` is that log's own."""
        return cls(Log.open(Path(folder), origin=origin))

    @property
    def size(self) -> int:
        """Leaves under the parallel checkpoint."""
        return self.head.size if self.head else 0

    def reader(self) -> tiles.TileReader:
        """Hashes under the parallel checkpoint."""
        return self._reader(self.size)

    def catch_up(self, signer: LogSigner) -> str:
        """Take up all that the log has published, sign, and return the new checkpoint's text.

        Args:
            signer: its key's name is `origin` of this parallel log, and its state is under SM3.

        Raises:
            LedgerError: the folder's entries do not fit its tiles or checkpoint, or the signer refuses.
        """
        if signer.path is not None and self.log.folder.resolve() in signer.path.resolve().parents:
            raise LedgerError("a file of the signer's lies inside the log's folder, which may be copied: move it out")
        with files.lock(self.log.folder / f".{CHECKPOINT}"):
            self.log.refresh()
            self._refresh()
            if self.log.head is None:
                raise LedgerError("the log has no checkpoint yet, so there is nothing to take up")
            if self.size > self.log.size:
                raise LedgerError("the log is shorter than its parallel: the folder was put back or changed")
            if self.head is not None:
                if signer.last_signed() is None:
                    raise LedgerError("the signer has no record of the parallel log; restore its state file")
                if self.reader().subtree(0, self.size) != self.head.root:
                    raise LedgerError(f"the tiles in {FOLDER} do not give the root of {CHECKPOINT}: remove both")
                if self.size == self.log.size:
                    return self.note
            self._write(self._new_tiles())
            grown = self._reader(self.log.size)
            head = Checkpoint(self.origin, self.log.size, grown.subtree(0, self.log.size))
            text = signer.sign_checkpoint(head, prove=lambda old: merkle.prove_consistency(grown, old, head.size))
            files.replace(self.log.folder / CHECKPOINT, text.encode())
            self._refresh()
            return text

    def prove(self, index: int) -> str:
        """That the log's entry at an index is in the parallel tree, as tlog-proof text."""
        path = merkle.prove_inclusion(self.reader(), index, self.size)
        return proof.format(proof.Proof(index, tuple(path), self.note))

    def _reader(self, size: int) -> tiles.TileReader:
        return tiles.TileReader(self.log.folder / FOLDER, size, hashing=SM3)

    def _refresh(self) -> None:
        try:
            self.note = (self.log.folder / CHECKPOINT).read_bytes().decode()
        except FileNotFoundError:
            self.head, self.note = None, ""
            return
        except ValueError:
            raise LedgerError(f"{CHECKPOINT} is not text") from None
        head = checkpoint.parse(note.parse(self.note)[0])
        if head.origin != self.origin:
            raise LedgerError(f"{CHECKPOINT} is of another origin")
        self.head = head

    def _new_tiles(self) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of the tiles that differ between the size so far and the log's, from level 0 up."""
        before, rows = self.reader(), self._leaf_rows()
        for level in range(8):
            number, roots = (self.size >> 8 * level) // tiles.WIDTH, bytearray()
            for row in rows:
                width = len(row) // merkle.HASH
                yield tiles.path(level, number, width=width), row
                number += 1
                if width == tiles.WIDTH:
                    roots += merkle.root(row, hashing=SM3)
            if not roots:
                return
            there = self.size >> 8 * (level + 1)
            first = before.read(level + 1, there // tiles.WIDTH) if there % tiles.WIDTH else b""
            rows = _rows(first + roots)

    def _leaf_rows(self) -> Iterator[bytes]:
        """Leaf hashes under SM3, a tile's worth at a time, from the first tile that is not full yet."""
        log, head = self.log.reader(), self.log.head
        if head is None or log.frontier().root() != head.root:
            raise LedgerError("the log's tiles do not give the root of its checkpoint: the folder is damaged")
        for number in range(self.size // tiles.WIDTH, -(-log.size // tiles.WIDTH)):
            width = min(tiles.WIDTH, log.size - number * tiles.WIDTH)
            entries = tiles.parse_bundle(log.read(tiles.ENTRIES, number))[:width]
            if merkle.leaf_hashes(entries) != log.read(0, number):
                raise LedgerError(f"{tiles.path(tiles.ENTRIES, number, width=width)} does not hash to its tile")
            yield SM3.leaves(entries)

    def _write(self, new: Iterator[tuple[str, bytes]]) -> None:
        base = self.log.folder / FOLDER
        folders: set[Path] = set()

        def put(tile: tuple[str, bytes]) -> Path:
            path = base / tile[0]
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(path.name + ".new")
            files.write(temporary, tile[1])
            temporary.replace(path)
            return path.parent

        with ThreadPoolExecutor(FLUSHING, thread_name_prefix="meanscheck-flush") as pool:
            while batch := list(islice(new, TOGETHER)):
                folders.update(pool.map(put, batch))
        above = {folder for leaf in folders for folder in leaf.parents if self.log.folder in (folder, *folder.parents)}
        for folder in sorted(folders | above, reverse=True):
            files.flush_folder(folder)


def named(origin: str) -> str:
    """The origin of the parallel of a log."""
    return f"{origin}/sm3"


def open_checkpoint(text: str, *, policy: Policy) -> Checkpoint:
    """The tree head of a parallel checkpoint that a log key of the policy signed with SM2.

    Raises:
        NotProven: it does not verify. LedgerError: the extra is missing.
    """
    opened = note.open(text, policy.log_keys)
    head = checkpoint.parse(opened.text)
    if not any(s.key.name == head.origin and s.key.type == note.LONG for s in opened.signatures):
        raise NotProven("signature", "the checkpoint is not signed by an SM2 key of the log it names")
    return head


def check(text: str, entry: bytes, *, policy: Policy) -> Checkpoint:
    """Verify offline that an entry is in a parallel tree, by a proof that `Parallel.prove` wrote.

    Returns:
        The signed tree head. Witnesses of the policy are not asked for: they cosign the first log.
    """
    parsed = proof.parse(text)
    head = open_checkpoint(parsed.checkpoint, policy=policy)
    merkle.check_inclusion(SM3.leaf(entry), parsed.index, head.size, parsed.path, head.root, hashing=SM3)
    return head


def with_sm3(proven: Proven, text: str, *, policy: Policy) -> Proven:
    """What a receipt proved, and that the same entry has the same place in the parallel log."""
    head = check(text, proven.leaf.format(), policy=policy)
    if head.origin != named(proven.origin):
        raise NotProven("sm3", "the proof is of the parallel of another log")
    if proof.parse(text).index != proven.index:
        raise NotProven("sm3", "the entry has another place in the parallel log")
    step = Step(
        "sm3",
        f"商用密码：同一条目在平行日志 {head.origin}（SM3 树，共 {head.size} 条）中位置相同，检查点由 SM2 签名。",
        f"SM profile: the same entry has the same place in {head.origin} (SM3 tree of {head.size}), signed with SM2.",
    )
    return replace(proven, steps=(*proven.steps, step))


def _rows(flat: Iterable[int]) -> Iterator[bytes]:
    data = bytes(flat)
    return (data[at : at + tiles.TILE_BYTES] for at in range(0, len(data), tiles.TILE_BYTES))
