"""What does the law say of one stated case? No store, no state: safe from any thread."""

from __future__ import annotations

from meanscheck.contracts.units import CaseUnit
from meanscheck.decisions.decision import Decision
from meanscheck.decisions.record import Provenance, plain_record
from meanscheck.law.cases import Case
from meanscheck.law.law import Law


def decide(case: Case | CaseUnit, law: Law) -> Decision:
    """Decide one case by the plain executor.

    Args:
        case: from `Case.from_dict`, or a case unit. What-if figures of a `Case` are the caller's to put into the law
            (``pack.on(day, overlay=case.overlay)``).
        law: from `RulePack.on`.

    Returns:
        the decision with all its groups; the subject has no tokens and the evidence no digest, since nothing was
        ingested.
    """
    unit = case.unit if isinstance(case, Case) else case
    return Decision(plain_record(law, unit, provenance=Provenance(snapshot="")), law)
