"""How is a row, a batch, a snapshot named by its content?

Row digest: the first 16 bytes of SHA-256 over UTF-8 text: feed name, id_type, id_number, then every other stored column
in contract order, joined by U+001F; null is U+001E; BIGINT in decimal, DATE as ISO 8601, BOOLEAN true or false. Where
the row stood (file, line, batch) is not in it, so the same fact has the same digest from every file.

Anything made of many digests is SHA-256 over the digests in sorted order, so the order of arrival does not matter; an
id is SHA-256 over a head (canonical JSON) and that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from meanscheck.contracts import FeedContract
from meanscheck.evidence.ahead import Ahead
from meanscheck.evidence.tables import IDENTITY, stored_columns
from meanscheck.values.sql import quoted

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

ROW_DIGEST_BYTES = 16
BETWEEN, NULL = "\x1f", "\x1e"
"""What stands between the cells of a digest's text, and for an empty one."""
NOTHING = hashlib.sha256().hexdigest()
"""The digest of no digests."""
SHORT_ID = 16
"""How many hex characters of an id are shown, and how many of a row digest make a `row_ref`."""
_Bytes: TypeAlias = bytes | memoryview
_AT_ONCE, _FEW = 500_000, 1_000
SORTED_HEX = "list_aggregate(list_transform(list_sort(list(digest)), lambda d: hex(d)), 'string_agg', '')"
"""SQL aggregate: the hex text of all digests of a group, sorted (2.5 times faster than an ordered string_agg)."""


def row_digest_sql(contract: FeedContract, *, row: str, identity: str) -> str:
    """SQL expression of a row's digest; `row` is the alias that holds its columns, `identity` that of the person."""
    cells = [f"{identity}.{name}" for name in IDENTITY]
    cells += [f"{row}.{quoted(c.stored_name)}::varchar" for c in stored_columns(contract)]
    written = ", ".join([f"'{contract.name}'", *(f"coalesce({cell}, chr(30))" for cell in cells)])
    # Cut as hex text: a third faster than a slice of the bytes.
    return f"unhex(left(sha256(concat_ws(chr(31), {written})), {2 * ROW_DIGEST_BYTES}))"


def canonical(facts: Mapping[str, object]) -> bytes:
    """Flat facts as JSON with sorted names and no spaces (the subset of RFC 8785 that they need: text, lists, null)."""
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest_of_sorted(store: Store, digests: str, *, count: int | None = None) -> str:
    """SHA-256 (hex) over all digests that the query `digests` (one BLOB column `digest`) yields, sorted.

    Few go at once; many go by their first bits, so that memory stays bounded. `count`: how many, if it is known.
    """
    return Sorted.read(store, digests, count=count).total


@dataclass(frozen=True, slots=True)
class Sorted:
    """Many digests in sorted order: `total` is SHA-256 (hex) over them, `are_distinct` that no two are equal.

    `of_some` is SHA-256 (hex) over those that were marked; of none, if there is no mark.
    """

    total: str
    are_distinct: bool
    of_some: str = NOTHING

    @classmethod
    def read(cls, store: Store, digests: str, *, count: int | None = None, some: str | None = None) -> Sorted:
        """Of all that a query yields; see `digest_of_sorted`. `some`: its Boolean column that marks some of them."""
        total, of_some, are_distinct = hashlib.sha256(), hashlib.sha256(), True
        for every, marked, no_two in _parts(store, digests, count, some):
            total.update(every)
            of_some.update(marked)
            are_distinct = are_distinct and no_two
        return cls(total.hexdigest(), are_distinct, of_some.hexdigest())


def _parts(store: Store, digests: str, count: int | None, some: str | None) -> Iterator[tuple[_Bytes, _Bytes, bool]]:
    """What `_packed` makes of parts of them, one part after the other in the order of digests."""
    wanted = "digest" if some is None else f"digest, {some}"
    if count is None:
        count = int(store.value(f"select count(*) from ({digests})"))
    if count <= _AT_ONCE:
        yield _packed(store.fetch(f"select {wanted} from ({digests})"), some)
        return
    # Each part is a look at all of them: as few as hold about so many, and sixteen of the largest files.
    step = 256 // next((parts for parts in (2, 4, 8) if count <= parts * _AT_ONCE), 16)
    bounds = [f"digest >= unhex('{first:02x}')" for first in range(0, 256, step)]
    ends = [*(f" and digest < unhex('{first:02x}')" for first in range(step, 256, step)), ""]
    fetched = (
        store.fetch(f"select {wanted} from ({digests}) where {bound}{end}")
        for bound, end in zip(bounds, ends, strict=True)
    )
    with Ahead(fetched, partial(_packed, some=some), threads=2) as parts:
        yield from parts


def _packed(part: pl.DataFrame, some: str | None) -> tuple[_Bytes, _Bytes, bool]:
    """The digests (Binary) sorted, one after the other, all and those marked; and whether no two are equal."""
    digests = part["digest"]
    marks = np.zeros(len(digests), dtype=np.bool_) if some is None else part[some].to_numpy()
    if len(digests) < _FEW or (digests.bin.size() != ROW_DIGEST_BYTES).any():
        ordered = sorted(zip(digests.to_list(), marks.tolist(), strict=True))
        distinct = len({digest for digest, _ in ordered})
        marked = b"".join(digest for digest, is_one in ordered if is_one)
        return b"".join(digest for digest, _ in ordered), marked, distinct == len(ordered)
    cells = digests.bin.reinterpret(dtype=pl.Array(pl.UInt8, ROW_DIGEST_BYTES), endianness="little").to_numpy()
    # As two big-endian numbers: most often the first one decides, and sorting numbers is ten times faster.
    cells = np.ascontiguousarray(cells)
    halves = cells.view(">u8")
    high = halves[:, 0].astype(np.uint64)
    order = np.argsort(high)
    ranked, no_two = high[order], True
    if (ranked[1:] == ranked[:-1]).any():
        low = halves[:, 1].astype(np.uint64)
        order = np.lexsort((low, high))
        ranked, beside = high[order], low[order]
        no_two = not ((ranked[1:] == ranked[:-1]) & (beside[1:] == beside[:-1])).any()
    in_order = cells.view(f"V{ROW_DIGEST_BYTES}")[:, 0][order]
    # Not as bytes: that would be a copy of each.
    every = in_order.view(np.uint8).data
    return every, b"" if some is None else in_order[marks[order]].view(np.uint8).data, no_two


def named(head: bytes, rows: str) -> str:
    """SHA-256 (hex) over a head and a digest of rows, on two lines: an id."""
    return hashlib.sha256(head + b"\n" + rows.encode()).hexdigest()
