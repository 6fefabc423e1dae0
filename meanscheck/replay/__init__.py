"""Does a sealed decision come out again, and if not, why? Replay from a receipt and a store.

    verify the receipt → the recorded law by its digest → the evidence rows as of its snapshot, digests computed anew →
    the record by the plain executor → equal, or a field-by-field difference, each classed

The decision was made by the vector executor and is recomputed by the plain one, so an equal result also says that two
independent executors agree. Rows are read from the evidence tables, never from a projection.

Two clocks: *as known then* takes the snapshot and the law of the record; *as known now* takes what the store holds now
and, if a pack is given, the law of the same day as published by now. `verdict` has the classes of differences, `why`
says on what each rests.

Choices
    Member tokens are taken from the store: they are drawn once and kept. A receipt that discloses some groups only is
    compared in those.
    What cannot be replayed (law, snapshot or case not in the store, household erased) is a verdict and no exception, so
    that one such decision does not stop the audit of a caseload.
    A withdrawal of consent counts from its day: a decision of an earlier day still rests on evidence that could be read
    that day, so as known now it comes out again.
"""

from __future__ import annotations

from meanscheck.replay.comparing import compare
from meanscheck.replay.recorded import Recorded, disclosed_groups, recorded_of
from meanscheck.replay.running import Now, replay, replay_both, replay_records
from meanscheck.replay.verdict import CLASSES, VERDICTS, Finding, Replay

__all__ = [
    "CLASSES",
    "VERDICTS",
    "Finding",
    "Now",
    "Recorded",
    "Replay",
    "compare",
    "disclosed_groups",
    "recorded_of",
    "replay",
    "replay_both",
    "replay_records",
]
