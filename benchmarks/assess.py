"""How long does it take to decide projected evidence and to keep the records, sealing for the log left aside?"""

from __future__ import annotations

from typing import Any

from benchmarks.aside import put_aside
from benchmarks.caseload import Place, law_of_the_day, opened
from benchmarks.clock import Clock


def measure(place: Place, clock: Clock) -> dict[str, Any]:
    """Assess the caseload without a ledger."""
    with clock("preparation"):
        from meanscheck.decisions import assess

        law = law_of_the_day()
    folder = place.folder / "vault-alone"
    put_aside(folder)
    with opened(place) as store:
        assessment = assess(store, law, vault=folder)
        assessment.run()
        counts = {
            "units": assessment.projection.units,
            "persons": assessment.projection.persons,
            "rows": sum(assessment.projection.rows.values()),
            "records_root": assessment.records_root,
        }
    put_aside(folder)
    return counts
