"""What does it take to lay the evidence in the order of case units? All feeds joined to persons, sorted, written.

Includes: who is in which unit, evidence states by term, findings, every feed sorted by (place, digest), input digests
of units, the file's checkpoint. A projection is made once per snapshot and day, so it is reported apart from decisions.
"""

from __future__ import annotations

from typing import Any

from benchmarks.caseload import ON, Place, opened
from benchmarks.clock import Clock


def measure(place: Place, clock: Clock) -> dict[str, Any]:
    """Build the projection anew."""
    place.projection.unlink(missing_ok=True)
    with opened(place) as store:
        with clock("snapshot"):
            snapshot = store.snapshot()
        with clock("build"):
            made = store.project(snapshot, on=ON)
        return {
            "rows": sum(made.rows.values()),
            "persons": made.persons,
            "units": made.units,
            "projection_mib": place.projection.stat().st_size / 2**20,
        }
