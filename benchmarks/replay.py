"""How long does it take to make decisions again from the evidence tables? Row digests taken anew, the plain executor,
the record compared field by field; in blocks of cases, as an audit of a sample would."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.caseload import Place, held_records, opened
from benchmarks.clock import Clock

SAMPLE = 1000


def measure(place: Place, clock: Clock) -> dict[str, Any]:
    """Replay a sample of what `whole` sealed."""
    from meanscheck.replay import replay_records

    with clock("reading"):
        records = [{n: json.loads(t) for n, t in h.groups.items()} for h in held_records(place, SAMPLE)]
    equal = 0
    with opened(place) as store, clock("replay"):
        for one in replay_records(records, store=store):
            equal += one.is_equal
    if equal != len(records):
        raise RuntimeError(f"{len(records) - equal} of {len(records)} decisions did not come out again")
    return {"replayed": len(records)}
