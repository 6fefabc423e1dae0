"""Which decisions are drawn? The signed root and a nonce say so, and nobody can choose them.

The root of the batch is signed and published before the nonce exists, so the office could not arrange its decisions
around a draw; the nonce has parts that come from elsewhere (a number drawn in public after that day, the auditor's own
words), so the auditor cannot choose the decisions either. Only one whose every part one side could still choose after
it saw the root proves nothing: use at least one part that neither side makes.

Seed of a stratum: SHA-256 over, one after the other,

| Bytes | Content |
|---|---|
| 21 | ASCII `meanscheck/sample/v1` and one zero byte |
| 32 | root: of the batch's decisions, or of the checkpoint |
| 8 | population of the stratum (big-endian) |
| 2 + n | length and UTF-8 bytes of the stratum's name |
| 2 | how many parts the nonce has; then for each part: |
| 2 + n | length and UTF-8 bytes of the part |

Block i (from 0) of the stream is SHA-256 over the seed and i in eight bytes (big-endian), and gives one number: its
first eight bytes (big-endian), R. A number below m is drawn by rejection: the next R below 2^64 - (2^64 mod m),
modulo m; so every value is equally likely. Places 0 … N-1 of the stratum (in the order of the log) are shuffled from
the front (Fisher-Yates): for j = 0, 1, … the place at j changes with the place at j + (a number below N - j). The first
n are drawn. A larger sample of the same stratum begins with the smaller one.

>>> root, nonce = bytes(range(32)), ("public: 07 13 22 25 31 33 + 11", "auditor: 5f2c")
>>> seed(root, "dibao/ordinary", population=10, nonce=nonce).hex()
'7dc9bce5bc5453038f7d27dbb08984ce1ecce6e1287888a3b7aa9735a304d2ad'
>>> draw(root, "dibao/ordinary", population=10, size=4, nonce=nonce)
[8, 3, 6, 4]
>>> draw(root, "dibao/ordinary", population=10, size=6, nonce=nonce)
[8, 3, 6, 4, 9, 0]

A nonce is copied from a page or a letter, so it has one spelling: no control characters, no spaces at either end:

>>> draw(root, "dibao/ordinary", population=10, size=4, nonce=("a ",))
Traceback (most recent call last):
meanscheck.errors.InputError: nonce: a part is empty, has a space at an end or a control character. Copy it exactly
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Sequence

from meanscheck.errors import InputError

DOMAIN = b"meanscheck/sample/v1\0"
_WORD = 1 << 64
_MOST = 0xFFFF


def seed(root: bytes, stratum: str, *, population: int, nonce: Sequence[str]) -> bytes:
    """The seed of a stratum, 32 bytes.

    Args:
        root: 32 bytes.
        stratum: its name.
        population: how many decisions are in it.
        nonce: its parts, in the order published.

    Raises:
        InputError: there is no nonce, or a part of it has more than one spelling.
    """
    if len(root) != 32:
        raise InputError("a root has 32 bytes", where="root")
    check_nonce(nonce)
    parts = [DOMAIN, root, population.to_bytes(8, "big"), _text(stratum), len(nonce).to_bytes(2, "big")]
    return hashlib.sha256(b"".join([*parts, *map(_text, nonce)])).digest()


def check_nonce(nonce: Sequence[str]) -> None:
    """InputError unless there is a part, and each has one spelling."""
    if not nonce:
        raise InputError(
            "there is no nonce", where="nonce", remedy="Give a public number, the auditor's words, or both"
        )
    for part in nonce:
        odd = any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in part)
        if odd or not part or part != part.strip() or len(part.encode("utf-8", "replace")) > _MOST:
            raise InputError(
                "a part is empty, has a space at an end or a control character",
                where="nonce",
                remedy="Copy it exactly",
            )


def draw(root: bytes, stratum: str, *, population: int, size: int, nonce: Sequence[str]) -> list[int]:
    """Places (0 … population - 1) of the drawn decisions of a stratum, in the order drawn; all of them if `size` is
    not smaller."""
    numbers = _numbers(seed(root, stratum, population=population, nonce=nonce))
    moved: dict[int, int] = {}
    drawn: list[int] = []
    for j in range(min(size, population)):
        k = j + _below(population - j, numbers)
        drawn.append(moved.get(k, k))
        moved[k] = moved.get(j, j)
    return drawn


def _numbers(key: bytes) -> Iterator[int]:
    counter = 0
    while True:
        yield int.from_bytes(hashlib.sha256(key + counter.to_bytes(8, "big")).digest()[:8], "big")
        counter += 1


def _below(m: int, numbers: Iterator[int]) -> int:
    limit = _WORD - _WORD % m
    return next(number for number in numbers if number < limit) % m


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data
