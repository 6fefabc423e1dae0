"""What is the SHA-256 of each of many texts?

Choices
    * By the plug-in polars-hash (extra `fast`) where it is installed and hashes some known texts rightly, else by the
      database: the same bytes for twice the processor's time. The plug-in's licence is MIT, which stands in its
      repository and not in its wheels; so it stays an extra.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache

import numpy as np
import polars as pl

from meanscheck.values.scratch import asked

_TRIED = ("", "abc", "居" * 40)
"""Texts of one block and of three."""
_HEX = 64


def sha256(texts: pl.Series, *, size: int = 32) -> pl.Series:
    """The first `size` bytes (Binary) of the SHA-256 (FIPS 180-4) of each text's UTF-8 bytes; no text is null."""
    return (_plugin() or by_database)(texts, size).alias(texts.name)


def by_database(texts: pl.Series, size: int) -> pl.Series:
    """As `sha256`."""
    # Cut as hex text: a third faster than a slice of the bytes.
    return asked(f"select unhex(left(sha256(text), {2 * size})) from given", texts.to_frame("text")).to_series()


def by_plugin(texts: pl.Series, size: int) -> pl.Series:
    """As `sha256`; ImportError where the plug-in is not installed."""
    from polars_hash import col

    hexadecimal = texts.to_frame("text").select(col("text").chash.sha2_256()).to_series().cast(pl.Binary)
    cells = hexadecimal.bin.reinterpret(dtype=pl.Array(pl.UInt8, _HEX), endianness="little").to_numpy()
    pairs = np.ascontiguousarray(cells).view(np.dtype("<u2"))[:, :size]
    return pl.Series(_pairs()[pairs]).cast(pl.List(pl.UInt8)).cast(pl.Binary)


@cache
def _plugin() -> Callable[[pl.Series, int], pl.Series] | None:
    try:
        found = by_plugin(pl.Series(_TRIED), 32).to_list()
    except Exception:  # not installed, or built for another Polars
        return None
    return by_plugin if found == [hashlib.sha256(text.encode()).digest() for text in _TRIED] else None


@cache
def _pairs() -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """Two hex digits, read as one little-endian number → the byte that they write. Twice as fast as Polars' own way."""
    table = np.zeros(2**16, dtype=np.uint8)
    for byte in range(256):
        table[int.from_bytes(f"{byte:02x}".encode(), "little")] = byte
    return table
