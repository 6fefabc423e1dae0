"""Where in the folder lies which hash or entry? The layout of C2SP tlog-tiles, with readers for it.

    checkpoint                     the newest signed tree head
    tile/<L>/<N>[.p/<W>]           hashes: level 0 holds leaf hashes, level L the roots of full tiles of level L-1
    tile/entries/<N>[.p/<W>]       entries, each after its length in two bytes (big-endian)

A full tile is 256 wide; the last of a level may be partial and then names its width W. N is written in groups of three
digits, all but the last after an x:

>>> path(0, 1234067), path(2, 5, width=112), path(ENTRIES, 0)
('tile/0/x001/x234/067', 'tile/2/005.p/112', 'tile/entries/000')

A tree of 70,000 leaves ends, as the specification reckons, in tiles of these widths:

>>> [(level, number, width) for level, number, width in partial_tiles(70_000)]
[(0, 273, 112), (1, 1, 17), (2, 0, 1)]

>>> parse_bundle(format_bundle([b"one", b""]))
[b'one', b'']
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path

from meanscheck.errors import LedgerError
from meanscheck.ledger import merkle

WIDTH = 256
TILE_BYTES = WIDTH * merkle.HASH
ENTRIES = -1
MAX_ENTRY = 65_535
CACHED_TILES = 64


def path(level: int, number: int, *, width: int = WIDTH) -> str:
    """Path of a tile below the log's folder; `level` ENTRIES is the entry bundles."""
    parts = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        parts.append(f"x{number % 1000:03d}")
    name = "/".join(reversed(parts))
    folder = "entries" if level == ENTRIES else str(level)
    return f"tile/{folder}/{name}" if width == WIDTH else f"tile/{folder}/{name}.p/{width}"


def partial_tiles(size: int) -> Iterator[tuple[int, int, int]]:
    """(level, number, width) of the partial tiles of a tree, from level 0 up; empty ones do not exist."""
    level, hashes = 0, size
    while hashes:
        if width := hashes % WIDTH:
            yield level, hashes // WIDTH, width
        level, hashes = level + 1, hashes // WIDTH


class _Lengths(dict[int, bytes]):
    def __missing__(self, length: int) -> bytes:
        if length > MAX_ENTRY:
            raise LedgerError(f"an entry is longer than {MAX_ENTRY} bytes")
        self[length] = prefix = length.to_bytes(2, "big")
        return prefix


_lengths = _Lengths()


def format_bundle(entries: Iterable[bytes]) -> bytes:
    """Entries, each after its length."""
    lengths = _lengths
    return b"".join([part for entry in entries for part in (lengths[len(entry)], entry)])


def parse_bundle(data: bytes) -> list[bytes]:
    """Entries of a bundle; LedgerError if it is cut short or holds more than a bundle may."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        if len(entries) == WIDTH:
            raise LedgerError(f"an entry bundle holds more than {WIDTH} entries")
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or at > len(data):
            raise LedgerError("an entry bundle is cut short")
        entries.append(data[start:at])
    return entries


class TileReader:
    """Hashes and entries of the first `size` leaves of a folder. Trusts nothing: callers compare roots.

    Works as the `Tree` of `merkle.prove_inclusion` and `merkle.prove_consistency`. Keeps at most 64 tiles in memory.
    """

    def __init__(self, folder: Path, size: int, *, hashing: merkle.Hashing = merkle.SHA256) -> None:
        self.folder, self.size, self.hashing = folder, size, hashing
        self._rows: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()
        self._bundle: tuple[int, list[bytes]] = (-1, [])

    def read(self, level: int, number: int) -> bytes:
        """Bytes of a tile as far as the tree reaches; a full tile may stand in for a partial one."""
        if level == ENTRIES:
            return format_bundle(self.bundle(number))
        name, wide, width, data = self._find(level, number, most=TILE_BYTES)
        if len(data) != wide * merkle.HASH:
            raise LedgerError(f"{name} does not hold the {wide} hashes of its name")
        return data[: width * merkle.HASH]

    def bundle(self, number: int) -> list[bytes]:
        """Entries of a bundle as far as the tree reaches."""
        name, wide, width, data = self._find(ENTRIES, number, most=WIDTH * (MAX_ENTRY + 2))
        try:
            entries = parse_bundle(data)
        except LedgerError as error:
            raise LedgerError(f"{name}: {error}") from None
        if len(entries) != wide:
            raise LedgerError(f"{name} does not hold the {wide} entries of its name")
        return entries[:width]

    def _find(self, level: int, number: int, *, most: int) -> tuple[str, int, int, bytes]:
        """Name of the file that is there, how wide it is by its name, how much of it the tree has, and its bytes."""
        there = self.size // WIDTH ** max(level, 0) - number * WIDTH
        width = min(there, WIDTH)
        if width <= 0:
            raise LedgerError("a tile beyond the end of the log was asked for")
        for wide in {width: 0, WIDTH: 0}:
            name = path(level, number, width=wide)
            try:
                with (self.folder / name).open("rb") as file:
                    # One byte more than may be there shows that there is more.
                    return name, wide, width, file.read(most + 1)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise LedgerError(f"{name} cannot be read: {error.strerror or type(error).__name__}") from None
        raise LedgerError(f"{path(level, number, width=width)} is missing")

    def entry(self, index: int) -> bytes:
        """Entry at an index below the size."""
        if not 0 <= index < self.size:
            raise LedgerError(f"the log has no entry {index}")
        number, offset = divmod(index, WIDTH)
        if self._bundle[0] != number:
            self._bundle = (number, self.bundle(number))
        return self._bundle[1][offset]

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """All entries from an index on, in order."""
        return (self.entry(index) for index in range(start, self.size))

    def node(self, level: int, number: int) -> bytes:
        """Root of the complete subtree of leaves [number * 2^level, (number + 1) * 2^level)."""
        tile_level, height = divmod(level, 8)
        tile, offset = divmod(number << height, WIDTH)
        rows = self._tile_rows(tile_level, tile)
        at = (offset >> height) * merkle.HASH
        if height >= len(rows) or at + merkle.HASH > len(rows[height]):
            raise LedgerError("a subtree beyond the end of the log was asked for")
        return rows[height][at : at + merkle.HASH]

    def subtree(self, start: int, end: int) -> bytes:
        """Root over leaves [start, end), folded from complete subtrees."""
        if start == end:
            return self.hashing.empty
        nodes = []
        at = start
        while at < end:
            level = (end - at).bit_length() - 1
            nodes.append(self.node(level, at >> level))
            at += 1 << level
        result = nodes.pop()
        while nodes:
            result = self.hashing.node(nodes.pop(), result)
        return result

    def frontier(self) -> merkle.Frontier:
        """The right edge of the tree, from which it can grow."""
        pending = [
            self.node(level, (self.size >> level) - 1) if self.size >> level & 1 else None
            for level in range(self.size.bit_length())
        ]
        return merkle.Frontier(self.size, pending, hashing=self.hashing)

    def _tile_rows(self, level: int, number: int) -> list[bytes]:
        key = (level, number)
        rows = self._rows.get(key)
        if rows is None:
            rows = [self.read(level, number)]
            while len(rows) < 8 and len(rows[-1]) >= 2 * merkle.HASH:
                rows.append(self.hashing.parents(rows[-1]))
            self._rows[key] = rows
            if len(self._rows) > CACHED_TILES:
                self._rows.popitem(last=False)
        else:
            self._rows.move_to_end(key)
        return rows
