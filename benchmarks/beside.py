"""What does the hand-written pipeline take for the same evidence and the same law, and does it make the same bytes?"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import polars as pl

from benchmarks.aside import put_aside
from benchmarks.caseload import ON, ORIGIN, Place, batch_vault, law_compared, opened
from benchmarks.clock import Clock
from benchmarks.peer import run_peer, sealing


def measure(place: Place, clock: Clock) -> dict[str, Any]:
    """Run the peer; its records stay for `agreement`."""
    with clock("preparation"):
        from meanscheck.decisions.record import Provenance, canonical, provenance_group

        put_aside(place.peer)
        law = law_compared()
        with opened(place) as store:
            provenance = canonical(provenance_group(law, Provenance(store.snapshot().id))).decode()
    made = run_peer(place.projection, place.peer, provenance=provenance, name=f"{law.code}-{ON}-peer", clock=clock)
    return {
        "units": made.records,
        "record_bytes": made.record_bytes // max(made.records, 1),
        "records_root": made.records_root,
        "outcomes": {"dibao": dict(sorted(made.outcomes.items()))},
        "root": made.root,
    }


def agreement(place: Place, clock: Clock) -> dict[str, Any]:
    """Our records and the peer's, byte for byte, and under our salts our leaves and log by the peer's code.

    Returns:
        households; `equal`: how many records are the same in all seven groups; `leaves`: how many leaves the peer's
        code makes of its own records as the log has them; `groups`: how many records differ, by group; `bounds` and
        `refers`: how many of the records tell bounds, or causes; whether the records roots, the roots of the batch and
        the roots of the log are the same.
    """
    from meanscheck.ledger import Ledger

    with clock("reading"):
        vault, ledger = batch_vault(place.compared), Ledger.open(place.compared.ledger, origin=ORIGIN)
        opening, closing = ledger.entry(0), ledger.entry(ledger.size - 1)
        told = json.loads(closing)
        batch = sealing.Batch.of(told["b"], opening)
    equal = leaves = bounds = refers = position = 0
    groups = dict.fromkeys(sealing.GROUPS, 0)
    hashes: list[bytes] = []
    root = hashlib.sha256()
    with clock("compared"):
        for ours, seals in zip(vault.blocks(), vault.seals(), strict=True):
            assert seals is not None
            theirs = _records(place).slice(position, ours.height).collect(engine="in-memory")
            differ = [(ours[name] != theirs[name]).alias(name) for name in sealing.GROUPS]
            for one in differ:
                groups[one.name] += int(one.sum())
            equal += ours.height - int(pl.DataFrame(differ).select(pl.any_horizontal(pl.all())).to_series().sum())
            columns = [theirs[name].cast(pl.Binary).to_list() for name in sealing.GROUPS]
            root.update(sealing.digests(columns))
            salts = b"".join(seals["salts"].to_list())
            made = sealing.sealed(batch, position, theirs["token"].to_list(), columns, salts)
            leaves += sum(a == b for a, b in zip(made.leaves, seals["leaf"].to_list(), strict=True))
            hashes += made.hashes
            bounds += int(theirs["reasons"].str.contains('"bounds":', literal=True).sum())
            refers += int(theirs["result"].str.contains('"outcome":"refer"', literal=True).sum())
            position += ours.height
    made_by_hand = _records(place).select(pl.len()).collect(engine="in-memory").item()
    if made_by_hand != position:
        raise RuntimeError(f"the peer made {made_by_hand} records, we {position}")
    log = sealing.tree_root([sealing.leaf_hash(opening), *hashes, sealing.leaf_hash(closing)])
    return {
        "households": position,
        "equal": equal,
        "leaves": leaves,
        "groups": groups,
        "bounds": bounds,
        "refers": refers,
        "records_root": root.hexdigest() == vault.closed()["records_root"],
        "batch_root": sealing.tree_root(hashes).hex() == told["root"],
        "log_root": log == _root_of(ledger.checkpoint),
    }


def _root_of(checkpoint: str) -> bytes:
    """The root that a checkpoint tells, in its third line."""
    return base64.b64decode(checkpoint.split("\n")[2])


def _records(place: Place) -> pl.LazyFrame:
    """The peer's, in their order; its files hold other numbers of them than our blocks."""
    return pl.scan_parquet(sorted(place.peer.glob("records-*.parquet")))
