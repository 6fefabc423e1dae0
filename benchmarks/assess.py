"""Where does the time go between projected evidence and canonical records, sealing left aside?

pull      a block of whole units out of the projection
facts     feeds and members added up (running sums at row counts), unknowns kept
rules     variables, tests, awards, margins; what the emitter itself takes
contradictions   between feeds: what is found and what settles it
causes    why a programme could not be decided: the units concerned are reckoned again with sets of causes
records   seven groups of canonical JSON a unit, outcomes table
files     records, outcomes and salts sealed, the vault's Parquet files, the dictionary by which they are packed
bytes     records as Python's bytes, one digest each
rest      counts, and what nobody is labelled for
"""

from __future__ import annotations

import importlib
import shutil
from typing import Any

from benchmarks.caseload import Place, law_of_the_day, opened
from benchmarks.clock import Clock


def labelled() -> tuple[tuple[Any, str, str], ...]:
    """The library's functions and the part that each belongs to."""
    from meanscheck.decisions import encode, kernel
    from meanscheck.evidence import projection
    from meanscheck.law import vectors
    from meanscheck.law.vectors import VectorRun
    from meanscheck.vault import Vault

    return (
        (projection, "pull", "pull"),
        (kernel, "VectorRun", "rules"),
        (encode, "causes_of", "causes"),
        (encode.BlockRecords, "frame", "records"),
        (encode.BlockRecords, "__init__", "records"),
        (kernel, "outcomes_of", "records"),
        (kernel, "texts_of", "bytes and digests"),
        # Not each digest by itself: the clock would cost as much as what it measures.
        (kernel.Kernel, "_made", "bytes and digests"),
        (Vault, "put", "files"),
        (kernel, "keep_seals", "files"),
        (importlib.import_module("meanscheck.decisions.assess"), "dictionaries_of", "files"),
        (VectorRun, "_aggregates", "facts"),
        (VectorRun, "_people", "facts"),
        (vectors, "find", "contradictions"),
    )


def measure(place: Place, clock: Clock) -> dict[str, Any]:
    """Assess the caseload without a ledger."""
    with clock("preparation"):
        from meanscheck.decisions import assess

        law, places = law_of_the_day(), labelled()
    folder = place.folder / "vault-alone"
    shutil.rmtree(folder, ignore_errors=True)
    with opened(place) as store:
        assessment = assess(store, law, vault=folder)
        with clock.watch(*places):
            assessment.run()
        counts = {
            "units": assessment.projection.units,
            "persons": assessment.projection.persons,
            "rows": sum(assessment.projection.rows.values()),
            "records_root": assessment.records_root,
        }
    shutil.rmtree(folder)
    return counts
