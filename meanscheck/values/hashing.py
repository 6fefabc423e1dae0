"""What is the SHA-256 of each of many texts?"""

from __future__ import annotations

from contextlib import closing

import polars as pl

from meanscheck.values.arrow import ArrowStream, frame_of
from meanscheck.values.scratch import scratch


def sha256(texts: pl.Series, *, size: int = 32) -> pl.Series:
    """The first `size` bytes (Binary) of the SHA-256 (FIPS 180-4) of each text's UTF-8 bytes; null where it is null."""
    with closing(scratch()) as connection:
        connection.register("texts", ArrowStream(texts.to_frame("text")))
        # Cut as hex text: a third faster than a slice of the bytes.
        hashed = connection.sql(f"select unhex(left(sha256(text), {2 * size})) from texts")
        return frame_of(hashed).to_series().alias(texts.name)
