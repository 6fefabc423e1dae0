"""Decisions: from evidence and law to canonical records, reasons and reports.

    assess(store, law) → Assessment      a caseload in blocks of whole case units; sealed by `Ledger.append(assessment)`
    decide(case, law)  → Decision        one stated case: no store, no state, any thread
    decide_stored(reader, case, law) → Decision, Explanation     one stored case, while somebody waits
    check(store, request) → Report       the verification report (核对报告): what was declared and found, no outcome
    discrepancies(store, law) → frames   what was declared and found, and what feeds say against each other, by caseload

Choices
    * The evidence group holds the input digest only. The full trace (every variable of household, members and
      supporters) is in `means` and the tests are in `reasons`, so a second digest over them would prove nothing more.
    * `result` and `reasons` list household programmes first and then each member with his own; a member who is not
      eligible is given the tests that fail and not those that hold.
    * An `Assessment` runs when it is first looked at, or when a ledger asks it for its blocks; in the second case its
      opening is already published, which is what a batch run should do. The opening says which of the two it was.
"""

from __future__ import annotations

from meanscheck.decisions.assess import Assessment, assess
from meanscheck.decisions.decide import decide, decide_stored
from meanscheck.decisions.decision import Decision
from meanscheck.decisions.discrepancies import Discrepancy, discrepancies
from meanscheck.decisions.report import Report, check

__all__ = [
    "Assessment",
    "Decision",
    "Discrepancy",
    "Report",
    "assess",
    "check",
    "decide",
    "decide_stored",
    "discrepancies",
]
