"""What can be reckoned of a block of entries where they are made, so that the log has only to put it in its place?

The log's own work is one after the other: tiles follow tiles. A caseload's processes know where in the log and in the
batch their decisions will stand, so they format the full entry bundles, reckon the roots of full tiles (256 leaves
each) for the log's tree and for the batch's, and deal out the tokens. What lies before the first full tile and after
the last is left to the log.

>>> leaves = [b"%d" % n for n in range(600)]
>>> hashes = merkle.leaf_hashes(leaves)
>>> block = together(leaves, hashes, first_index=250, first_position=0)
>>> len(block.before), len(block.bundles), len(block.after), block.leaves() == leaves
(6, 2, 82, True)
>>> tree = merkle.Frontier()
>>> block.in_batch.extend(tree)
>>> tree.root() == merkle.root(hashes)
True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from meanscheck.ledger import merkle, tiles, tokens

LEVELS = 8
"""A full tile's root is so many levels above its leaves."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Leaf hashes cut at full tiles: hashes before the first, one root a full tile, hashes after the last. All flat."""

    before: bytes = field(repr=False)
    full: bytes = field(repr=False)
    after: bytes = field(repr=False)

    @classmethod
    def of(cls, hashes: bytes, first: int) -> Cut:
        """Of leaf hashes whose first stands at `first` in its tree."""
        start, end = _bounds(len(hashes) // merkle.HASH, first)
        row = hashes[start * merkle.HASH : end * merkle.HASH]
        for _ in range(LEVELS):
            row = merkle.parents(row)
        return cls(hashes[: start * merkle.HASH], row, hashes[end * merkle.HASH :])

    def extend(self, tree: merkle.Frontier) -> None:
        """Append them to the tree that they were cut for."""
        tree.extend(self.before)
        tree.extend(self.full, level=LEVELS if self.full else 0)
        tree.extend(self.after)


@dataclass(frozen=True, slots=True)
class Together:
    """Entries of some decisions, ready to be put into a log.

    Attributes:
        first_index: place of the first in the log.
        first_position: its place in the batch.
        count: how many.
        before, bundles, after: the entries, those of full tiles as bundles of 256.
        rows: leaf hashes of each full tile: 8192 bytes a bundle.
        in_log, in_batch: leaf hashes as cut for the two trees.
        tokens: the households' tokens, dealt out (`tokens.dealt`).
    """

    first_index: int
    first_position: int
    count: int
    before: list[bytes] = field(repr=False)
    bundles: list[bytes] = field(repr=False)
    after: list[bytes] = field(repr=False)
    rows: list[bytes] = field(repr=False)
    in_log: Cut
    in_batch: Cut
    tokens: list[bytes] = field(repr=False)

    def leaves(self) -> list[bytes]:
        """The entries one by one."""
        full = [entry for bundle in self.bundles for entry in tiles.parse_bundle(bundle)]
        return [*self.before, *full, *self.after]


def together(leaves: Sequence[bytes], hashes: bytes, *, first_index: int, first_position: int) -> Together:
    """Decision entries with their leaf hashes (flat), for the places where they will stand."""
    start, end = _bounds(len(leaves), first_index)
    places = range(start, end, tiles.WIDTH)
    return Together(
        first_index,
        first_position,
        len(leaves),
        list(leaves[:start]),
        [tiles.format_bundle(leaves[at : at + tiles.WIDTH]) for at in places],
        list(leaves[end:]),
        [hashes[at * merkle.HASH : (at + tiles.WIDTH) * merkle.HASH] for at in places],
        Cut.of(hashes, first_index),
        Cut.of(hashes, first_position),
        tokens.dealt(leaves),
    )


def _bounds(count: int, first: int) -> tuple[int, int]:
    """Where the first full tile begins and the last one ends, among `count` leaves from `first` on."""
    start = min(-first % tiles.WIDTH, count)
    return start, start + (count - start) // tiles.WIDTH * tiles.WIDTH
