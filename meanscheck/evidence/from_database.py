"""How does an answer get into the store from a department's own database? By a cursor, with its manifest given.

Everything after the reading is as for a file (`ingest`); the same rows from a file and from a cursor are one batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meanscheck.contracts import feed as feed_named
from meanscheck.contracts.cursor import Cursor, read_cursor
from meanscheck.contracts.mapping import FileMapping
from meanscheck.errors import FeedError
from meanscheck.evidence.incoming import incoming_rows
from meanscheck.evidence.ingest import IngestReport, take_in
from meanscheck.evidence.manifest import Manifest
from meanscheck.evidence.mappings import refuse_out_of_time

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store


def ingest_cursor(
    store: Store, feed: str, cursor: Cursor, *, manifest: Manifest, name: str, mapping: FileMapping | None = None
) -> IngestReport:
    """Take in what a DB-API 2.0 cursor still has.

    Args:
        cursor: after its `execute`.
        manifest: for whom and for which time the answer speaks.
        name: what the store calls the source, such as ``"bank of the county, 2020-06-30"``; no person's value.
        mapping: how the database's columns say it, if not by the contract's names or titles.

    Raises:
        FeedError: the rows, the manifest or the mapping cannot be used; nothing was taken in.
    """
    contract = feed_named(feed)
    if manifest.feed != contract.name:
        raise FeedError(
            f"the manifest is of feed {manifest.feed}, not of {contract.name}",
            where=name,
            remedy="Give the manifest of this answer",
        )
    if mapping is not None:
        refuse_out_of_time(contract, mapping, manifest, where=name)
    rows = read_cursor(contract, cursor, mapping=mapping, name=name)
    return take_in(store, incoming_rows(contract, iter([rows]), name, manifest, mapping=mapping))
