"""What did the store hold? A snapshot names it: equal consents, requests and batches have an equal id.

The id is SHA-256 over the sorted digests of live requests, of live consents, and of all batch ids, and of links between
persons and rules of consent where there are any; it does not depend
on the order in which they came, nor on who computes it. The store remembers up to which load number each id reached.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from meanscheck.errors import StoreError
from meanscheck.evidence.clocks import live_sql, load_known_by, withdrawn_sql
from meanscheck.evidence.digests import SHORT_ID, digest_of_sorted

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A named state of the store: `id` (hex), the load number it reaches, and the one up to which withdrawals count.

    `heeds` is None but for a past day that was named after consents had been withdrawn: what they opened is closed,
    although the withdrawal came in later, and the id is another one than that of the day itself.
    """

    id: str
    load: int
    heeds: int | None = None

    def __str__(self) -> str:
        return self.id[:SHORT_ID]


def take_snapshot(store: Store, known_by: date | None = None) -> Snapshot:
    """Name the store's present state, or that of the end of a past day; remember the name unless open to read only."""
    if known_by is None:
        # Nothing came after what is known now, so nothing was withdrawn since.
        load, heeds = int(store.value("select value::bigint from meta where key = 'load'")), None
    else:
        load = load_known_by(store, known_by)
        heeds = store.value(f"select max(load) from ({withdrawn_sql(load)})")
    known = store.value("select id from snapshots where load = ? and heeds is not distinct from ?", [load, heeds])
    if known is not None:
        return Snapshot(str(known), load, heeds)
    snapshot = Snapshot(snapshot_id(store, load, heeds), load, heeds)
    if not store.read_only:
        with store.transaction():
            store.run("insert into snapshots values (?, ?, ?)", [snapshot.id, load, heeds])
    return snapshot


def snapshot_named(store: Store, snapshot: Snapshot | str | None) -> Snapshot:
    """The snapshot of an id (whole or its first 16 characters or more); the present one if None is given."""
    if snapshot is None:
        return take_snapshot(store)
    if isinstance(snapshot, Snapshot):
        return snapshot
    found = store.fetch(
        "select id, max(load) as load, any_value(heeds) as heeds from snapshots where starts_with(id, ?) group by id",
        [snapshot.lower()],
    )
    if found.height != 1 or len(snapshot) < SHORT_ID:
        raise StoreError("the store does not remember that snapshot")
    identity, load, heeds = found.row(0)
    return Snapshot(str(identity), int(load), heeds)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What of a past state is not read any more: consents withdrawn and households erased since."""

    withdrawn: int
    erased: int


def left_out(store: Store, snapshot: Snapshot) -> LeftOut:
    """What was withdrawn and is heeded by a snapshot, and how many erasures came after it."""
    withdrawn = 0
    if snapshot.heeds is not None:
        withdrawn = int(store.value(f"select count(*) from ({withdrawn_sql(snapshot.load, snapshot.heeds)})"))
    erased = store.value("select count(distinct load) from erased where load > ?", [snapshot.load])
    return LeftOut(withdrawn, int(erased))


def snapshot_id(store: Store, load: int, heeds: int | None = None) -> str:
    """The id of the state that load numbers name, reckoned from the tables as they are now."""
    live = live_sql(load)
    live_of = {"identity_links": live, "consent_rules": f"load <= {load}"}
    parts = [
        digest_of_sorted(store, f"select digest from requests where {live}"),
        digest_of_sorted(store, f"select digest from consents where {live}"),
        digest_of_sorted(store, f"select unhex(batch_id) as digest from batches where batch <= {load}"),
    ]
    # Only where there are any, so that a store without them is named as before.
    for what, rows in (("links", "identity_links"), ("consent rules", "consent_rules")):
        if store.value(f"select count(*) from {rows} where load <= {load}"):
            parts.append(f"{what} {digest_of_sorted(store, f'select digest from {rows} where {live_of[rows]}')}")
    if heeds is not None:
        parts.append(f"withdrawn {digest_of_sorted(store, f'select digest from ({withdrawn_sql(load, heeds)})')}")
    return hashlib.sha256("\n".join(["meanscheck snapshot", *parts]).encode()).hexdigest()
