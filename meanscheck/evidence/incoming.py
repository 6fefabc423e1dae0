"""What does an answer bring? Read and cast by the contract, before the store is asked anything.

So the next file of an inbox can be read while the rows of this one are being stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path

import polars as pl

from meanscheck.contracts import FeedContract
from meanscheck.contracts import cast as casting
from meanscheck.contracts import feed as feed_named
from meanscheck.contracts.mapping import FileMapping
from meanscheck.contracts.readers import FileRows, read_parts
from meanscheck.contracts.whose import Whose
from meanscheck.evidence.ahead import Ahead
from meanscheck.evidence.manifest import Manifest, load_manifest
from meanscheck.evidence.mappings import mapping_for, refuse_out_of_time
from meanscheck.evidence.requests import NO_BOUND
from meanscheck.evidence.row_digests import row_digests

_BAD = ("row_no", "field", "reason", "raw")


@dataclass(frozen=True, slots=True)
class Part:
    """Some of an answer's rows.

    Attributes:
        rows: those accepted: the contract's stored columns without the identity, `row_no` Int64, `digest` Binary.
        whose: of these.
        bad: lines at fault, those broken in reading included: row_no · field · reason · raw.
        passed: how many lines are none (totals, notes, signatures).
    """

    rows: pl.DataFrame = field(repr=False)
    whose: Whose = field(repr=False)
    bad: pl.DataFrame = field(repr=False)
    passed: int


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer on its way into the store.

    Attributes:
        contract: the feed's.
        name: what the answer is called in the store: the file's name.
        manifest: for whom and when it speaks; None for an office feed that has none.
        mapping: by which the rows were read.
        is_large: it comes in several parts.
        parts: the rows, once. Of a large answer the parts are made from then on, two at a time while others are used.
    """

    contract: FeedContract
    name: str
    manifest: Manifest | None
    mapping: FileMapping | None
    is_large: bool
    parts: Callable[[], AbstractContextManager[Iterator[Part]]] = field(repr=False)


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
    head = [next(parts)]
    is_large = not head[0].is_whole
    # Parts cannot see each other, so the natural key of a large file is checked once over all of it.
    part = partial(
        _part,
        replace(contract, key=()) if is_large else contract,
        as_of=None if answer is None else answer.as_of,
        not_after=NO_BOUND if answer is None else answer.answered_on,
    )
    begun: Callable[[], AbstractContextManager[Iterator[Part]]]
    if is_large:
        begun = partial(Ahead, chain(head, parts), part, threads=2)
    else:
        begun = partial(_given, iter([part(one) for one in chain(head, parts)]))
    del head  # a part is let go when the next one is there
    return Incoming(contract, name, answer, mapping, is_large, begun)


def _part(contract: FeedContract, file: FileRows, *, as_of: date | None, not_after: date) -> Part:
    cast = casting.cast_rows(contract, file.rows, as_of=as_of, not_after=not_after, units=file.units)
    assert cast.whose is not None, "every feed names a person"
    rows = cast.rows.with_columns(row_digests(contract, cast.rows, cast.whose))
    bad = pl.concat([lines.select(_BAD) for lines in (cast.quarantined, file.broken)])
    return Part(rows, cast.whose, bad, file.passed.height)


def _given(parts: Iterator[Part]) -> AbstractContextManager[Iterator[Part]]:
    return nullcontext(parts)
