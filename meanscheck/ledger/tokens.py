"""How does a batch commit to the households it decided, so that a household's absence can be shown in one kilobyte?

Subject tokens are random, so their first bits deal them out evenly. The tokens of a batch of n decisions lie on 2^b
*pages*, b being the least number with n <= 64 * 2^b; a token lies on the page of its first b bits, as sixteen bytes, in
rising order, as often as it was decided. The *token root*, which batch-close holds, is the RFC 6962 root over them.
Whoever knows n and a token knows the one page where the token would have to stand; that page and its path show whether
it does. (Two hashes a decision, as in a tree over single tokens, would cost more than twice as much as pages do.)

>>> from meanscheck.ledger.commitment import Leaf
>>> leaves = [Leaf("2026-11", "00" * 32, "55" * 32, n, f"{n * 41 % 256:02x}" * 16).format() for n in range(100)]
>>> tokens = Tokens()
>>> tokens.extend(leaves[:70]); tokens.extend(leaves[70:])
>>> pages = list(tokens.pages())
>>> len(pages), [len(page) // 16 for page in pages]
(2, [52, 48])
>>> page_of("7f" * 16, 100), page_of("80" * 16, 100)
(0, 1)
>>> check_page("7f" * 16, count=100, page=pages[0], path=prove_page(pages, 0), root=root(pages))
0
>>> check_page("29" * 16, count=100, page=pages[0], path=prove_page(pages, 0), root=root(pages))
1
>>> check_page("80" * 16, count=100, page=pages[0], path=prove_page(pages, 0), root=root(pages))
Traceback (most recent call last):
meanscheck.errors.NotProven: tokens: the page shown is not the one of this token, or not of this batch

A root that leaves a token out is a lie told under the log's signature: whoever has the entries reckons it again
(`history.check_entries`), and the receipt of the decision left out disproves it before anyone.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from struct import Struct
from typing import Final

from meanscheck.errors import NotProven
from meanscheck.ledger import files, merkle

TOKEN: Final = 16
PER_PAGE: Final = 64

# A decision entry ends in `"s":"<32 hex characters>","v":1}`, members being in the order of their names.
OF_LEAF: Final = slice(-40, -8)
_HELD = 2**18
"""Tokens after which those held are put into a file."""
_COARSE: Final = 256
_BOUNDS: Final = [b"%02x" % n for n in range(1, _COARSE)]
_each = Struct(f"{TOKEN}s").iter_unpack


class Tokens:
    """The tokens of a batch while it grows: sixteen bytes a decision.

    Given a folder, at most some four megabytes of them are held; the others lie there in files without a name. They
    stand in the log in the clear.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.count = 0
        self._folder = folder
        # Lists, since arrays that grow are moved about, and leave as much memory again in pieces.
        self._parts: list[list[bytes]] = [[] for _ in range(_COARSE)]
        self._held = 0
        self._away: list[tuple[mmap.mmap, list[int]]] = []
        """Files, and where in each its parts begin, and the last one ends."""

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add the tokens of decision entries."""
        self.take(dealt(leaves))

    def take(self, parts: Sequence[bytes]) -> None:
        """Add tokens that were dealt out before."""
        for part, more in zip(self._parts, parts, strict=True):
            part.append(more)
            self.count += len(more) // TOKEN
            self._held += len(more) // TOKEN
        if self._folder is not None and self._held >= _HELD:
            self._put_away(self._folder)

    def _put_away(self, folder: Path) -> None:
        parts = [b"".join(part) for part in self._parts]
        data = files.put_away(folder, parts)
        if data is None:
            self._folder = None
            return
        self._away.append((data, [0, *accumulate(map(len, parts))]))
        self._parts, self._held = [[] for _ in range(_COARSE)], 0

    def pages(self) -> Iterator[bytes]:
        """The pages, in order, each made when it is asked for: together they are as large as all tokens."""
        bits = _bits(self.count)
        width = max(_COARSE >> bits, 1)
        for number in range(0, _COARSE, width):
            pieces = [data[begins[number] : begins[number + width]] for data, begins in self._away]
            pieces += [piece for part in self._parts[number : number + width] for piece in part]
            tokens = sorted([token for (token,) in _each(b"".join(pieces))])
            at, first = 0, number << bits >> 8
            for page in range(first + 1, number + width << bits >> 8):
                end = bisect_left(tokens, (page << 8 * TOKEN - bits).to_bytes(TOKEN, "big"), at)
                yield b"".join(tokens[at:end])
                at = end
            yield b"".join(tokens[at:])


def dealt(leaves: Sequence[bytes]) -> list[bytes]:
    """The tokens of decision entries by their first byte: 256 parts of sixteen bytes a token, each in rising order."""
    tokens = sorted([leaf[OF_LEAF] for leaf in leaves])
    cuts = [0, *(bisect_left(tokens, bound) for bound in _BOUNDS), len(tokens)]
    packed = bytes.fromhex(b"".join(tokens).decode("ascii"))
    return [packed[start * TOKEN : end * TOKEN] for start, end in pairwise(cuts)]


def root(pages: Iterable[bytes]) -> bytes:
    """The token root."""
    return merkle.root(merkle.leaf_hashes(pages))


def page_of(token: str, count: int) -> int:
    """Number of the page where a token stands, if it does, in a batch of that many decisions."""
    return int(token, 16) >> 8 * TOKEN - _bits(count)


def prove_page(pages: Sequence[bytes], number: int) -> list[bytes]:
    """Path from a page to the token root."""
    return merkle.prove_inclusion(merkle.FlatTree(merkle.leaf_hashes(pages)), number, len(pages))


def check_page(token: str, *, count: int, page: bytes, path: Sequence[bytes], root: bytes) -> int:
    """How often a batch of `count` decisions decided a token's household; NotProven if page and path do not fit."""
    try:
        merkle.check_inclusion(merkle.leaf_hash(page), page_of(token, count), 1 << _bits(count), path, root)
    except NotProven:
        raise NotProven("tokens", "the page shown is not the one of this token, or not of this batch") from None
    if len(page) % TOKEN:
        raise NotProven("tokens", "the page shown is not a whole number of tokens")
    wanted = bytes.fromhex(token)
    return sum(found == wanted for (found,) in _each(page))


def _bits(count: int) -> int:
    return max(0, -(-count // PER_PAGE) - 1).bit_length()
