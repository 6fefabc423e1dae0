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
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from meanscheck.contracts import FeedContract
from meanscheck.evidence.tables import quoted, stored_columns

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

ROW_DIGEST_BYTES = 16
NOTHING = hashlib.sha256().hexdigest()
"""The digest of no digests."""
SHORT_ID = 16
"""How many hex characters of an id are shown, and how many of a row digest make a `row_ref`."""
_AT_ONCE, _FEW = 1_000_000, 1_000
SORTED_HEX = "list_aggregate(list_transform(list_sort(list(digest)), lambda d: hex(d)), 'string_agg', '')"
"""SQL aggregate: the hex text of all digests of a group, sorted (2.5 times faster than an ordered string_agg)."""


def row_digest_sql(contract: FeedContract, *, row: str, identity: str) -> str:
    """SQL expression of a row's digest; `row` and `identity` are the aliases that hold columns and identity."""
    cells = [f"'{contract.name}'", f"coalesce({identity}.id_type, chr(30))", f"coalesce({identity}.id_number, chr(30))"]
    cells += [f"coalesce({row}.{quoted(c.stored_name)}::varchar, chr(30))" for c in stored_columns(contract)]
    # Cut as hex text: a third faster than a slice of the bytes.
    return f"unhex(left(sha256(concat_ws(chr(31), {', '.join(cells)})), {2 * ROW_DIGEST_BYTES}))"


def canonical(facts: Mapping[str, object]) -> bytes:
    """Flat facts as JSON with sorted names and no spaces (the subset of RFC 8785 that they need: text, lists, null)."""
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest_of_sorted(store: Store, digests: str, *, count: int | None = None) -> str:
    """SHA-256 (hex) over all digests that the query `digests` (one BLOB column `digest`) yields, sorted.

    Few go at once; many go by their first half byte, so that memory stays bounded. `count`: how many, if it is known.
    """
    return Sorted.read(store, digests, count=count).total


@dataclass(frozen=True, slots=True)
class Sorted:
    """Many digests in sorted order: `total` is SHA-256 (hex) over them, `are_distinct` that no two are equal."""

    total: str
    are_distinct: bool

    @classmethod
    def read(cls, store: Store, digests: str, *, count: int | None = None) -> Sorted:
        """Of all that a query yields; see `digest_of_sorted`."""
        total, are_distinct = hashlib.sha256(), True
        for part in _parts(store, digests, count):
            packed, no_two = _packed(part)
            total.update(packed)
            are_distinct = are_distinct and no_two
        return cls(total.hexdigest(), are_distinct)


def _parts(store: Store, digests: str, count: int | None) -> Iterator[pl.Series]:
    if (int(store.value(f"select count(*) from ({digests})")) if count is None else count) <= _AT_ONCE:
        yield store.fetch(f"select digest from ({digests})")["digest"]
        return
    step = 16
    for first in range(0, 256, step):
        bound = f"digest >= unhex('{first:02x}')"
        if first + step < 256:
            bound += f" and digest < unhex('{first + step:02x}')"
        yield store.fetch(f"select digest from ({digests}) where {bound}")["digest"]


def _packed(digests: pl.Series) -> tuple[bytes, bool]:
    """The digests (Binary) sorted, one after the other, and whether no two are equal."""
    if len(digests) < _FEW or (digests.bin.size() != ROW_DIGEST_BYTES).any():
        ordered = sorted(digests.to_list())
        return b"".join(ordered), len(set(ordered)) == len(ordered)
    cells = digests.bin.reinterpret(dtype=pl.Array(pl.UInt8, ROW_DIGEST_BYTES), endianness="little").to_numpy()
    # As two big-endian numbers: most often the first one decides, and sorting numbers is ten times faster.
    high, low = np.ascontiguousarray(cells).view(">u8").astype(np.uint64).T
    order = np.argsort(high)
    ranked = high[order]
    if (ranked[1:] == ranked[:-1]).any():
        order = np.lexsort((low, high))
        ranked = high[order]
    beside = low[order]
    no_two = not ((ranked[1:] == ranked[:-1]) & (beside[1:] == beside[:-1])).any()
    return cells[order].tobytes(), no_two


def named(head: bytes, rows: str) -> str:
    """SHA-256 (hex) over a head and a digest of rows, on two lines: an id."""
    return hashlib.sha256(head + b"\n" + rows.encode()).hexdigest()
