"""meanscheck: verify a household's economic means and decide social relief (居民家庭经济状况核对).

Exact money, honest unknowns, cited law, consent as a constraint, and decisions an outsider can verify and replay.

    Store.open(…)            evidence: .requests() .consents() .ingest() .ingest_inbox()
    RulePack.load(…).on(…)   the Law of a place on a day
    check(store, request)    the verification report, without an outcome
    assess(store, law)       an Assessment of every case: summary(), outcomes, [case, programme].explain()
    decide(Case, law)        one stated case, no store
    Pool(processes=2)        an engine for `assess` that works in several processes
    Spark(session)           one that works on a Spark cluster (extra `spark`)
    Ledger, Signer           seal an assessment, write receipts
    verify, Policy           what an outsider runs on a receipt
    replay(receipt, store=…) recompute a sealed decision

Each name is fetched when first used, so that an auditor who only verifies a receipt loads neither Polars nor DuckDB.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meanscheck.decisions import Assessment, assess, check, decide
    from meanscheck.engines import Pool, Spark
    from meanscheck.errors import MeanscheckError
    from meanscheck.evidence import CheckRequest, Store
    from meanscheck.law import Law, RulePack
    from meanscheck.law.cases import Case
    from meanscheck.ledger import Ledger, Policy, Signer, verify
    from meanscheck.replay import replay
    from meanscheck.values.evidence_state import EvidenceState

__version__ = "0.1.0"

__all__ = [
    "Assessment",
    "Case",
    "CheckRequest",
    "EvidenceState",
    "Law",
    "Ledger",
    "MeanscheckError",
    "Policy",
    "Pool",
    "RulePack",
    "Signer",
    "Spark",
    "Store",
    "assess",
    "check",
    "decide",
    "replay",
    "verify",
]

_HOUSE = {
    "Assessment": "meanscheck.decisions",
    "Case": "meanscheck.law.cases",
    "CheckRequest": "meanscheck.evidence",
    "EvidenceState": "meanscheck.values.evidence_state",
    "Law": "meanscheck.law",
    "Ledger": "meanscheck.ledger",
    "MeanscheckError": "meanscheck.errors",
    "Policy": "meanscheck.ledger",
    "Pool": "meanscheck.engines",
    "RulePack": "meanscheck.law",
    "Signer": "meanscheck.ledger",
    "Spark": "meanscheck.engines",
    "Store": "meanscheck.evidence",
    "assess": "meanscheck.decisions",
    "check": "meanscheck.decisions",
    "decide": "meanscheck.decisions",
    "replay": "meanscheck.replay",
    "verify": "meanscheck.ledger",
}
"""Name → the room it lives in."""


class _FrontDoor(ModuleType):
    """This module. Importing the room `meanscheck.replay` must not put the room in the place of the function."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOUSE and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name not in _HOUSE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOUSE[name]), name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_HOUSE})


sys.modules[__name__].__class__ = _FrontDoor
