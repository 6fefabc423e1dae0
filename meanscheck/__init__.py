"""meanscheck: verify a household's economic means and decide social relief (居民家庭经济状况核对).

Exact money, honest unknowns, cited law, consent as a constraint, and decisions an outsider can verify and replay.

Everything most callers need is a name of this module. Each is fetched when first used, so that an auditor who only
verifies a receipt loads neither Polars nor DuckDB.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meanscheck.errors import InputError, MeanscheckError, NotProven, ReplayDifference
    from meanscheck.evidence.store import Store
    from meanscheck.law.cases import Case
    from meanscheck.law.law import Law
    from meanscheck.law.resolve import RulePack
    from meanscheck.ledger import Ledger, Policy, Proven, Signer, verify
    from meanscheck.values.evidence_state import EvidenceState

__version__ = "0.1.0"

_HOUSE = {
    "Case": "meanscheck.law.cases",
    "EvidenceState": "meanscheck.values.evidence_state",
    "InputError": "meanscheck.errors",
    "Law": "meanscheck.law.law",
    "Ledger": "meanscheck.ledger",
    "MeanscheckError": "meanscheck.errors",
    "NotProven": "meanscheck.errors",
    "Policy": "meanscheck.ledger",
    "Proven": "meanscheck.ledger",
    "ReplayDifference": "meanscheck.errors",
    "RulePack": "meanscheck.law.resolve",
    "Signer": "meanscheck.ledger",
    "Store": "meanscheck.evidence.store",
    "verify": "meanscheck.ledger",
}

__all__ = [
    "Case",
    "EvidenceState",
    "InputError",
    "Law",
    "Ledger",
    "MeanscheckError",
    "NotProven",
    "Policy",
    "Proven",
    "ReplayDifference",
    "RulePack",
    "Signer",
    "Store",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOUSE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOUSE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOUSE})
