"""What does a receipt say that a replay can be held against?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meanscheck.errors import NotProven
from meanscheck.ledger import Leaf, Policy, open_receipt, receipts, verify
from meanscheck.ledger.verdict import parse_opening

NEEDED = ("subject", "provenance")
"""Groups without which nothing can be replayed."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The disclosed groups of a receipt, and the engine that its batch-open entry names (empty if not attached)."""

    groups: Mapping[str, Any] = field(repr=False)
    engine: str = ""


def recorded_of(receipt: Path | str | bytes, policy: Path | str | bytes | Policy | None = None) -> Recorded:
    """Take a receipt apart.

    Args:
        receipt: a tlog-proof file, or its bytes.
        policy: if given, the receipt is verified against it; otherwise only its own commitments are.

    Raises:
        NotProven: something does not hold, or the receipt does not disclose subject and provenance.
    """
    if policy is not None:
        proven = verify(receipt, policy=policy)
        groups, opening = proven.groups, proven.opening
    else:
        groups, opening = open_receipt(receipt), _opening(receipt)
    for name in NEEDED:
        if name not in groups:
            raise NotProven("disclosure", f"the receipt does not disclose {name}, which a replay needs")
    return Recorded(groups, str((opening or {}).get("engine", "")))


def disclosed_groups(receipt: Path | str | bytes, policy: Path | str | bytes | Policy | None) -> Mapping[str, Any]:
    """The disclosed groups of a receipt whose commitments hold."""
    return open_receipt(receipt) if policy is None else verify(receipt, policy=policy).groups


def _opening(receipt: Path | str | bytes) -> Mapping[str, Any] | None:
    """The batch-open entry attached to a receipt that `open_receipt` accepted, if it is the one the leaf pins."""
    text = receipt if isinstance(receipt, bytes) else Path(receipt).read_bytes()
    parsed = receipts.parse(text.decode("utf-8"))
    if parsed.opening is None:
        return None
    leaf = Leaf.parse(parsed.leaf)
    if hashlib.sha256(parsed.opening.entry).hexdigest() != leaf.opening:
        raise NotProven("opening", "the batch-open entry is not the one that the decision's entry pins")
    return parse_opening(parsed.opening.entry, batch_id=leaf.batch)
