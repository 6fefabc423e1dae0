"""How does a log grow on disk so that a crash, a backup or an edit cannot falsify it?

A `Log` is a folder in the layout of `tiles.py`. Growing it goes in this order:

1. Take the lock. Read the checkpoint, rebuild the right edge of the tree from the tiles, compare with its root.
2. Write new tiles and bundles under `.staging/` as they fill up, and flush them to disk; memory does not grow.
3. Rename them into place and flush the folders. The checkpoint still names the old size, so nobody reads them.
4. Ask the signer, which checks consistency with its own state, writes that state, and signs.
5. Put the new checkpoint in place: only now is the log longer.

A crash before 4 leaves the old log. After 4, the signer is ahead of the checkpoint by exactly what lies in the tiles;
`Log.open` notices, checks that the tiles give the very root that was signed, and finishes step 5. If they do not, the
folder was put back or changed, and it refuses.

>>> import tempfile
>>> from meanscheck.ledger.signer import Signer
>>> folder = tempfile.TemporaryDirectory()
>>> log = Log.open(Path(folder.name), origin="example.com/county")
>>> signer = Signer.generate("example.com/county")
>>> with log.grow(signer) as growth:
...     growth.add([b"first", b"second"])
...     _ = growth.publish()
>>> log.size, list(log.reader().entries())
(2, [b'first', b'second'])
>>> sorted(str(path.relative_to(folder.name)) for path in Path(folder.name).rglob("*") if path.is_file())
['.checkpoint.lock', 'checkpoint', 'tile/0/000.p/2', 'tile/entries/000.p/2']
>>> folder.cleanup()
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from meanscheck.errors import LedgerError
from meanscheck.ledger import checkpoint, files, merkle, note, tiles
from meanscheck.ledger.checkpoint import Checkpoint
from meanscheck.ledger.state import LogSigner
from meanscheck.ledger.together import LEVELS, Together

CHECKPOINT = "checkpoint"
STAGING = ".staging"


class Log:
    """A log's folder at its published size. `head` is None before the first checkpoint."""

    def __init__(self, folder: Path, origin: str) -> None:
        self.folder, self.origin = folder, origin
        self.head: Checkpoint | None = None
        self.note = ""
        self.refresh()

    @classmethod
    def open(cls, folder: Path, *, origin: str) -> Log:
        """Open or begin the log of an origin; LedgerError if the folder holds another one."""
        if not note.is_key_name(origin):
            raise LedgerError("a log's origin is a name without spaces or plus signs, such as county.example/relief")
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder, origin)

    @property
    def size(self) -> int:
        """Published leaves."""
        return self.head.size if self.head else 0

    def reader(self) -> tiles.TileReader:
        """Hashes and entries of the published log."""
        return tiles.TileReader(self.folder, self.size)

    def refresh(self) -> None:
        """Read the checkpoint again."""
        try:
            # Bytes, because reading as text would take CRLF for LF: another text than the one that was signed.
            self.note = (self.folder / CHECKPOINT).read_bytes().decode()
        except FileNotFoundError:
            self.head, self.note = None, ""
            return
        except ValueError:
            raise LedgerError("the log's checkpoint is not text") from None
        head = checkpoint.parse(note.parse(self.note)[0])
        if head.origin != self.origin:
            raise LedgerError("the folder holds the log of another origin")
        self.head = head

    @contextlib.contextmanager
    def grow(self, signer: LogSigner) -> Iterator[Growth]:
        """Hold the lock and add entries; what was not published when the block ends is dropped."""
        self._keep_apart(signer)
        try:
            with files.lock(self.folder / f".{CHECKPOINT}"):
                self.refresh()
                self._recover(signer)
                self._clear()
                growth = Growth(self, signer)
                try:
                    yield growth
                finally:
                    growth.close()
        except OSError as error:
            raise LedgerError(
                f"the log cannot be written ({error.strerror or type(error).__name__}): look at space and rights of "
                "its disk, then do it again; what was published stands"
            ) from error

    def publish(self, signer: LogSigner, head: Checkpoint) -> str:
        """Steps 4 and 5: sign a head whose tiles are in place, and put the checkpoint there."""
        reader = tiles.TileReader(self.folder, head.size)
        text = signer.sign_checkpoint(head, prove=lambda old: merkle.prove_consistency(reader, old, head.size))
        files.replace(self.folder / CHECKPOINT, text.encode())
        self.refresh()
        return text

    def check(self) -> int:
        """Recompute every hash of every level from the entries; returns the number of leaves.

        Raises:
            LedgerError: names the first bundle or tile that does not hash to the tile above, or says that the root
                differs from the checkpoint's.
        """
        reader, frontier = self.reader(), merkle.Frontier()
        for number in range(-(-self.size // tiles.WIDTH)):
            hashes = merkle.leaf_hashes(reader.bundle(number))
            if hashes != reader.read(0, number):
                width = min(tiles.WIDTH, self.size - number * tiles.WIDTH)
                raise LedgerError(f"{tiles.path(tiles.ENTRIES, number, width=width)} does not hash to its tile")
            made = frontier.extend(hashes)
            # A bundle completes at most one full tile a level, whose root is one hash in the tile above.
            for level in range(8, len(made), 8):
                at = (frontier.size >> level) - 1
                if made[level] and made[level] != reader.node(level, at):
                    below = tiles.path(level // 8 - 1, at)
                    raise LedgerError(f"{below} does not hash to {tiles.path(level // 8, at // tiles.WIDTH)}")
        if self.head is not None and not frontier.root() == self.head.root == reader.subtree(0, self.size):
            raise LedgerError("the entries do not give the root of the checkpoint")
        return self.size

    def _clear(self) -> None:
        """Remove what a crash left: staged files, and full tiles where the published log has only a partial one."""
        shutil.rmtree(self.folder / STAGING, ignore_errors=True)
        for level, number, _ in tiles.partial_tiles(self.size):
            (self.folder / tiles.path(level, number)).unlink(missing_ok=True)
            if level == 0:
                (self.folder / tiles.path(tiles.ENTRIES, number)).unlink(missing_ok=True)

    def _keep_apart(self, signer: LogSigner) -> None:
        if signer.path is not None and self.folder.resolve() in signer.path.resolve().parents:
            raise LedgerError("a file of the signer's lies inside the log's folder, which may be copied: move it out")

    def _recover(self, signer: LogSigner) -> None:
        last = signer.last_signed()
        if last is None:
            if self.size:
                raise LedgerError(
                    "the signer has no record of this log; restore its state file, or compare the checkpoint with a "
                    "witness's and call the signer's adopt"
                )
            return
        if last.origin != self.origin:
            raise LedgerError("the signer's state is that of another log")
        reader = tiles.TileReader(self.folder, max(last.size, self.size))
        try:
            continues = reader.subtree(0, last.size) == last.root
        except LedgerError:
            continues = False
        if not continues:
            raise LedgerError(
                f"refused: the signer has signed {last.size} leaves that the folder ({self.size}) does not continue; "
                "it was put back or changed"
            )
        if last.size > self.size:
            self.publish(signer, last)


class Growth:
    """Entries being added to a locked log."""

    def __init__(self, log: Log, signer: LogSigner) -> None:
        self.log, self.signer = log, signer
        reader = log.reader()
        self.frontier = reader.frontier()
        if log.head is not None and self.frontier.root() != log.head.root:
            raise LedgerError("the log's tiles do not give the root of its checkpoint: the folder is damaged")
        self._entries: list[bytes] = []
        self._levels: list[bytearray] = []
        for level, number, _ in tiles.partial_tiles(log.size):
            self._level(level)[:] = reader.read(level, number)
            if level == 0:
                self._entries = reader.bundle(number)
        self._staged: list[str] = []
        """Names of tiles, and not paths, which take ten times as much memory: a log of millions has many."""

    @property
    def size(self) -> int:
        """Leaves including those not yet published."""
        return self.frontier.size

    def add(self, entries: Sequence[bytes], hashes: bytes | None = None) -> None:
        """Append entries; `hashes` are their leaf hashes, flat, if already known."""
        if hashes is None:
            hashes = merkle.leaf_hashes(entries)
        number = self.size // tiles.WIDTH
        made = self.frontier.extend(hashes)
        for level in range(0, len(made), 8):
            self._add_hashes(level // 8, made[level])
        self._entries += entries
        full = len(self._entries) // tiles.WIDTH * tiles.WIDTH
        for at in range(0, full, tiles.WIDTH):
            bundle = tiles.format_bundle(self._entries[at : at + tiles.WIDTH])
            self._stage(tiles.path(tiles.ENTRIES, number + at // tiles.WIDTH), bundle)
        del self._entries[:full]

    def put(self, block: Together) -> None:
        """Append decisions that were made ready for this place."""
        if block.first_index != self.size:
            raise LedgerError("decisions were made ready for another place in the log")
        self.add(block.before, block.in_log.before)
        number = self.size // tiles.WIDTH
        for at, (bundle, row) in enumerate(zip(block.bundles, block.rows, strict=True), number):
            self._stage(tiles.path(tiles.ENTRIES, at), bundle)
            self._stage(tiles.path(0, at), row)
        if block.bundles:
            made = self.frontier.extend(block.in_log.full, level=LEVELS)
            for level in range(LEVELS, len(made), LEVELS):
                self._add_hashes(level // LEVELS, made[level])
        self.add(block.after, block.in_log.after)

    def publish(self) -> str:
        """Write the partial tiles, put everything in place, sign, and return the new checkpoint."""
        for level, number, width in tiles.partial_tiles(self.size):
            self._stage(tiles.path(level, number, width=width), bytes(self._level(level)))
            if level == 0:
                self._stage(tiles.path(tiles.ENTRIES, number, width=width), tiles.format_bundle(self._entries))
        files.settle([self._temporary(name) for name in self._staged])
        folders: set[Path] = set()
        for name in self._staged:
            final = self.log.folder / name
            folder = final.parent
            while folder not in folders and folder != self.log.folder.parent:
                folders.add(folder)
                folder = folder.parent
            final.parent.mkdir(parents=True, exist_ok=True)
            self._temporary(name).replace(final)
        self._staged.clear()
        for folder in sorted(folders, reverse=True):
            files.flush_folder(folder)
        return self.log.publish(self.signer, Checkpoint(self.log.origin, self.size, self.frontier.root()))

    def close(self) -> None:
        """Drop what was not published."""
        shutil.rmtree(self.log.folder / STAGING, ignore_errors=True)

    def _level(self, level: int) -> bytearray:
        while len(self._levels) <= level:
            self._levels.append(bytearray())
        return self._levels[level]

    def _add_hashes(self, level: int, new: bytes) -> None:
        if not new:
            return
        buffer = self._level(level)
        buffer += new
        # Hashes of this level that are complete so far; the buffer holds the last of them.
        complete = self.size >> 8 * level
        number = (complete - len(buffer) // merkle.HASH) // tiles.WIDTH
        full = len(buffer) // tiles.TILE_BYTES
        for tile in range(full):
            data = bytes(buffer[tile * tiles.TILE_BYTES : (tile + 1) * tiles.TILE_BYTES])
            self._stage(tiles.path(level, number + tile), data)
        del buffer[: full * tiles.TILE_BYTES]

    def _stage(self, name: str, data: bytes) -> None:
        if not self._staged:
            (self.log.folder / STAGING).mkdir(exist_ok=True)
        self._staged.append(name)
        # One after the other: threads that make files in one folder only wait for each other, busily.
        files.put(self._temporary(name), data)

    def _temporary(self, name: str) -> Path:
        return self.log.folder / STAGING / name.replace("/", "-")
