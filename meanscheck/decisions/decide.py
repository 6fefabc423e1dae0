"""What does the law say of one case, stated or stored?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meanscheck.contracts.units import CaseUnit
from meanscheck.decisions.decision import Decision
from meanscheck.decisions.record import Provenance, plain_record
from meanscheck.law.cases import Case
from meanscheck.law.law import Law

if TYPE_CHECKING:
    from meanscheck.decisions.explaining import Explanation
    from meanscheck.evidence import Reader

_UNSEALED = Provenance(snapshot="")


def decide(case: Case | CaseUnit, law: Law) -> Decision:
    """Decide one stated case by the plain executor. No store, no state: safe from any thread.

    Args:
        case: from `Case.from_dict`, or a case unit. What-if figures of a `Case` are the caller's to put into the law
            (``pack.on(day, overlay=case.overlay)``).
        law: from `RulePack.on`.

    Returns:
        the decision with all its groups; the subject has no tokens and the evidence no digest, since nothing was
        ingested.
    """
    unit = case.unit if isinstance(case, Case) else case
    return Decision(plain_record(law, unit, provenance=_UNSEALED), law)


def decide_stored(evidence: Reader, case_id: str, law: Law) -> tuple[Decision, Explanation]:
    """Decide one household of a projection and say why, while a caseworker waits: some 20 ms.

    A look, not an act: nothing is sealed or kept, and the record has neither tokens nor a digest of its evidence. That
    somebody looked is the caller's to write down before he shows it (`meanscheck.vault.access.note`).

    Args:
        evidence: from `Projection.reader()`, or of another thread `Projection.file.open()`.
        case_id: which household.
        law: from `RulePack.on`, of the day the projection was made for.

    Returns:
        the decision, and its tree down to the figures of rows (see `decisions.explaining`), both of one run.

    Raises:
        StoreError: the case is not in the projection.
    """
    from meanscheck.decisions.encode import input_needs
    from meanscheck.decisions.explaining import explained
    from meanscheck.decisions.tracing import Tracer

    unit = evidence.case(case_id, input_needs(law))
    run = Tracer(law, unit, is_reduced=True)
    run.reckon()
    decision = Decision(plain_record(law, unit, provenance=_UNSEALED, run=run), law)
    return decision, explained(decision, run, is_its_own=True)
