"""What did a run read, and what did it make? One event of OpenLineage (spec 2-0-2, `RunEvent`) as one JSON line.

    event("START", job="ingest", run_id="…", at="2020-06-30T09:00:00Z", inputs=[Data("bank_deposits.csv")])
    line(that)          the bytes to append to a file that a lineage server, or `jq`, reads

Jobs are ``ingest``, ``project``, ``assess`` and ``seal``. Every run has one START and one of COMPLETE and FAIL. The
events tell names of files and feeds, columns, counts and digests (the facet ``meanscheck``, whose schema is
schemas/lineage/digests-facet.json), and never a person's value. Run ids and times come in as arguments: only a face
reads the clock. The records root of a batch is not told, since it is unsalted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = "https://openlineage.io/spec/facets"
_COLUMNS = f"{_FACETS}/1-1-1/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet"
_STATISTICS = f"{_FACETS}/1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet"
_ERROR = f"{_FACETS}/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet"
DIGESTS = "urn:meanscheck:schemas:lineage:digests-facet:1"
NAMESPACE = "meanscheck"

Kind = Literal["START", "COMPLETE", "FAIL"]


@dataclass(frozen=True, slots=True)
class Data:
    """A data set: a file, the store, a projection, a batch of decisions, the log.

    `columns` are (name, type); `rows` how many were written; `digests`, `counts`, `days` go into our own facet.
    """

    name: str
    columns: Sequence[tuple[str, str]] = ()
    rows: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    days: Mapping[str, date] = field(default_factory=dict)


def event(
    kind: Kind,
    *,
    job: str,
    run_id: str,
    at: str,
    release: str,
    inputs: Sequence[Data] = (),
    outputs: Sequence[Data] = (),
    digests: Mapping[str, str] | None = None,
    error: str = "",
) -> dict[str, Any]:
    """One event, as JSON values.

    Args:
        kind: START, COMPLETE or FAIL.
        job: what is done.
        run_id: a UUID, the same for all events of a run.
        at: RFC 3339 instant with its offset.
        release: of this library.
        inputs: what is read.
        outputs: what is written.
        digests: of the run itself, such as the law's.
        error: why it failed, without a person's value.
    """
    producer = f"urn:meanscheck:release:{release}"
    facets: dict[str, Any] = {}
    if digests:
        facets["meanscheck"] = _ours(producer, digests=digests)
    if kind == "FAIL":
        facets["errorMessage"] = {**_base(producer, _ERROR), "message": error, "programmingLanguage": "PYTHON"}
    return {
        "eventType": kind,
        "eventTime": at,
        "producer": producer,
        "schemaURL": SCHEMA,
        "run": {"runId": run_id, "facets": facets},
        "job": {"namespace": NAMESPACE, "name": job},
        "inputs": [_dataset(data, producer, is_output=False) for data in inputs],
        "outputs": [_dataset(data, producer, is_output=True) for data in outputs],
    }


def line(told: Mapping[str, Any]) -> str:
    """The event as one line with its end."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n"


def _base(producer: str, schema: str) -> dict[str, Any]:
    return {"_producer": producer, "_schemaURL": schema}


def _ours(
    producer: str,
    *,
    digests: Mapping[str, str],
    counts: Mapping[str, int] | None = None,
    days: Mapping[str, date] | None = None,
) -> dict[str, Any]:
    facet = _base(producer, DIGESTS)
    if digests:
        facet["digests"] = dict(sorted(digests.items()))
    if counts:
        facet["counts"] = dict(sorted(counts.items()))
    if days:
        facet["days"] = {name: day.isoformat() for name, day in sorted(days.items())}
    return facet


def _dataset(data: Data, producer: str, *, is_output: bool) -> dict[str, Any]:
    facets: dict[str, Any] = {}
    if data.columns:
        fields = [{"name": name, "type": kind} for name, kind in data.columns]
        facets["schema"] = {**_base(producer, _COLUMNS), "fields": fields}
    if data.digests or data.counts or data.days:
        facets["meanscheck"] = _ours(producer, digests=data.digests, counts=data.counts, days=data.days)
    told: dict[str, Any] = {"namespace": NAMESPACE, "name": data.name, "facets": facets}
    if is_output:
        statistics = {} if data.rows is None else {"outputStatistics": _rows(producer, data.rows)}
        told["outputFacets"] = statistics
    return told


def _rows(producer: str, rows: int) -> dict[str, Any]:
    return {**_base(producer, _STATISTICS), "rowCount": rows}
