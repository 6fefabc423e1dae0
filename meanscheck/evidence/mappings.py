"""By which mapping was a batch read? Its text is kept under its digest, so that a reading can be repeated years later.

The mapping is not part of what names a batch: the same rows read in another way are the same answer.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import FeedContract
from meanscheck.contracts.mapping import FileMapping, load_mapping, mapping_beside
from meanscheck.errors import FeedError
from meanscheck.evidence.manifest import Manifest

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store


def mapping_for(path: Path, given: Path | None) -> FileMapping | None:
    """The mapping of a feed file: the one given, else the one beside it, else none."""
    return mapping_beside(path) if given is None else load_mapping(given)


def refuse_out_of_time(contract: FeedContract, mapping: FileMapping, answer: Manifest | None, *, where: str) -> None:
    """FeedError if the mapping does not hold on the day of the answer."""
    if answer is not None and not mapping.covers(answer.answered_on):
        raise FeedError(
            f"the mapping (version {mapping.version}) does not hold on the day of the answer of {contract.name}",
            where=where,
            remedy="Use the mapping of that time, or extend valid_from or valid_to once the sender has confirmed it",
        )


def record_mapping(store: Store, batch: int, mapping: FileMapping) -> None:
    """Keep by which mapping a batch was read."""
    known = store.value("select count(*) from mappings where digest = ?", [mapping.digest])
    if not known:
        store.insert("mappings", pl.DataFrame({"digest": [mapping.digest], "text": [mapping.text]}))
    store.insert("batch_mappings", pl.DataFrame({"batch": [batch], "digest": [mapping.digest]}))


def mapping_of(store: Store, batch: int) -> FileMapping | None:
    """The mapping by which a batch was read; None if it was read without one."""
    text = store.value("select text from mappings join batch_mappings using (digest) where batch = ?", [batch])
    return None if text is None else FileMapping.model_validate_json(text)
