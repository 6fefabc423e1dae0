"""Which rows did an answer bring that were stored before, and may be read for its sake?

A row is stored once. Where a person signed again, an answer of today may be read and the one that first brought the row
may not; without a memory of the repetition the person would count as answered with nothing found. Kept only where some
consent covers the new answer and not the old one, which is rare.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from meanscheck.evidence.coverage import is_office
from meanscheck.evidence.merging import spread

if TYPE_CHECKING:
    from meanscheck.contracts import FeedContract
    from meanscheck.evidence.store import Store


def record_repeats(store: Store, contract: FeedContract, batch: int, *, answered_on: date) -> None:
    """Remember rows of the staged answer (see `ingest`) that an earlier one brought under other consents."""
    if is_office(contract):
        return
    reaches = (
        '(c."from" is null or c."from" <= {day}) and (c."to" is null or c."to" >= {day}) '
        "and (c.withdrawn_on is null or c.withdrawn_on > {day})"
    )
    new = reaches.format(day=f"date '{answered_on}'")
    old = reaches.format(day="e.answered_on")
    is_linked = bool(store.value("select count(*) from p_same"))
    consents = spread("consents", is_linked=is_linked)
    store.run(
        f"""insert into repeats by name
        select distinct '{contract.name}' as feed, k.person, k.digest, {batch} as batch
        from i_kept k anti join i_new n on n.row_no = k.row_no
        join feed_{contract.name} f on f.person = k.person and f.digest = k.digest
        join batches e on e.batch = f.batch
        join {consents} c on c.person = k.person and c.superseded_by is null
        where {new} and not (({old}) and c.first_load < e.batch)"""
    )
