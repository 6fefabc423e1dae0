"""What does an answer bring? Read and cast by the contract, before the store is asked anything.

So the next file of an inbox can be read while the rows of this one are being stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import chain, islice
from pathlib import Path

import polars as pl

from meanscheck.contracts import FeedContract
from meanscheck.contracts import cast as casting
from meanscheck.contracts import feed as feed_named
from meanscheck.contracts.mapping import FileMapping
from meanscheck.contracts.readers import FileRows, read_parts
from meanscheck.evidence.manifest import Manifest, load_manifest
from meanscheck.evidence.mappings import mapping_for, refuse_out_of_time
from meanscheck.evidence.requests import NO_BOUND

_BAD = ("row_no", "field", "reason", "raw")


@dataclass(frozen=True, slots=True)
class Part:
    """Some of an answer's rows, cast, and how many lines among them are none (totals, notes, signatures)."""

    cast: casting.Cast
    passed: int


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer on its way into the store.

    Attributes:
        contract: the feed's.
        name: what the answer is called in the store: the file's name.
        manifest: for whom and when it speaks; None for an office feed that has none.
        mapping: by which the rows were read.
        is_large: it comes in several parts, each made when it is asked for.
        parts: the rows, once.
    """

    contract: FeedContract
    name: str
    manifest: Manifest | None
    mapping: FileMapping | None
    is_large: bool
    parts: Iterator[Part] = field(repr=False)


def incoming_file(feed: str, path: Path, *, manifest: Path | None = None, mapping: Path | None = None) -> Incoming:
    """A file with its manifest and mapping; a small one is read and cast whole now.

    Raises:
        FeedError: the file, its manifest or its mapping cannot be used at all; of a large one, also from its parts.
    """
    contract = feed_named(feed)
    answer = load_manifest(contract, path, manifest)
    how = mapping_for(path, mapping)
    if how is not None:
        refuse_out_of_time(contract, how, answer, where=path.name)
    return incoming_rows(contract, read_parts(contract, path, mapping=how), path.name, answer, mapping=how)


def incoming_rows(
    contract: FeedContract,
    parts: Iterator[FileRows],
    name: str,
    answer: Manifest | None,
    *,
    mapping: FileMapping | None = None,
) -> Incoming:
    """Rows, wherever they come from, as `incoming_file`.

    Args:
        contract: the feed's.
        parts: the rows in one part (then checked whole by the cast), or a large file's in several.
        name: what the answer is called in the store.
        answer: the manifest; None for an office feed that has none.
        mapping: by which the rows were read.
    """
    head = list(islice(parts, 2))
    is_large = len(head) > 1
    # Parts cannot see each other, so the natural key of a large file is checked once over all of it.
    cast_part = partial(
        _cast,
        replace(contract, key=()) if is_large else contract,
        as_of=None if answer is None else answer.as_of,
        not_after=NO_BOUND if answer is None else answer.answered_on,
    )
    made = map(cast_part, chain(head, parts)) if is_large else iter([cast_part(one) for one in head])
    del head  # a part is let go when the next one is there
    return Incoming(contract, name, answer, mapping, is_large, made)


def _cast(contract: FeedContract, part: FileRows, *, as_of: date | None, not_after: date) -> Part:
    """Rows accepted and lines at fault of one part, those broken in reading included."""
    cast = casting.cast_rows(contract, part.rows, as_of=as_of, not_after=not_after, units=part.units)
    bad = pl.concat([lines.select(_BAD) for lines in (cast.quarantined, part.broken)])
    return Part(replace(cast, quarantined=bad), part.passed.height)
