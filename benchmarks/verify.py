"""How long does an auditor wait? Receipts made from the log, then each verified against the policy: the signed note,
the checkpoint, the inclusion path, the commitment and the disclosed groups, from text to verdict."""

from __future__ import annotations

from typing import Any

from benchmarks.caseload import Place, held_records
from benchmarks.clock import Clock

RECEIPTS = 500


def measure(place: Place, clock: Clock) -> dict[str, Any]:
    """Make and verify receipts; reading the vault is not counted as either."""
    from meanscheck.ledger import Ledger, Signer, verify

    with clock("reading"):
        held = held_records(place, RECEIPTS)
        ledger = Ledger.open(place.ledger, signer=Signer.load(place.key))
        policy = ledger.policy()
    with clock("receipts"):
        receipts = [ledger.receipt(h.index, h.leaf, h.groups, h.salts, disclose=list(h.groups)).encode() for h in held]
    with clock("verify"):
        for receipt in receipts:
            verify(receipt, policy=policy)
    mean = sum(map(len, receipts)) // max(len(receipts), 1)
    return {"receipts": len(receipts), "log": ledger.size, "receipt_bytes": mean}
