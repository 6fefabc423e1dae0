"""Whole caseloads: the audit of every decision, the audit by a sample that nobody could choose, and tables to work on.

    audit(store, ledger, vault=…)        everything: log, inclusion, counts, and each decision again from its evidence
    frame_and_drawn(…), draw_sample(…)   strata by programme and risk; the signed root and a nonce say who is drawn
    examine(…) → Examined                the sampled decisions replayed, with what field visits found
    report(…)                            Markdown for the file, Chinese and English
    export(…)                            all tables as CSV and Parquet with a Chinese data dictionary
    compare_laws(store, old, new)        who flips under another law, by which rule or figure, and what it costs

| Module | Question |
|---|---|
| held | what does the vault hold of each decision |
| logged | which batches are in the log, and do they add up |
| auditing | does everything hold and come out again |
| risk | in which stratum is a decision |
| draw | which decisions are drawn |
| sample | the sample as a file |
| interval | between which bounds lies the error rate |
| examining | what do the drawn decisions show |
| reporting, wording | the report |
| tables, dictionary, writing, exporting | tables for those who look themselves |
| amending | what does a change of law do to a caseload |

Choices
    The unit of a sample is one programme of one decision, so that every unit is in exactly one stratum and each
    programme has an error rate of its own.
    Statistics are integers and fractions; bounds are rounded outward.
"""

from __future__ import annotations

from meanscheck.caseload.amending import Amendment, Total, compare_laws
from meanscheck.caseload.auditing import Audit, BatchAudit, audit
from meanscheck.caseload.examining import Examined, Visits, examine, frame_and_drawn, law_of
from meanscheck.caseload.exporting import Exported, export
from meanscheck.caseload.held import Kept, batches_in, kept
from meanscheck.caseload.logged import Fault, Logged, LoggedBatch, read_log
from meanscheck.caseload.reporting import report
from meanscheck.caseload.risk import Frame, Thresholds, Unit
from meanscheck.caseload.sample import Sample, Sizes, check_sample, draw_sample

__all__ = [
    "Amendment",
    "Audit",
    "BatchAudit",
    "Examined",
    "Exported",
    "Fault",
    "Frame",
    "Kept",
    "Logged",
    "LoggedBatch",
    "Sample",
    "Sizes",
    "Thresholds",
    "Total",
    "Unit",
    "Visits",
    "audit",
    "batches_in",
    "check_sample",
    "compare_laws",
    "draw_sample",
    "examine",
    "export",
    "frame_and_drawn",
    "kept",
    "law_of",
    "read_log",
    "report",
]
