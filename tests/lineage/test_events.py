"""Events of lineage: of the shape that OpenLineage asks for, one START and one end a run, and nothing of a person.

The published schema could not be taken along, so `RUN_EVENT` is a small one written by hand after the text of the
specification 2-0-2: the members that it requires of events, runs, jobs, data sets and facets, and their formats.
"""

from __future__ import annotations

import json
import re
import uuid
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from evidence.inboxes import A, B, Inbox, consent, wage
from faces.conftest import Command, command  # noqa: F401

from meanscheck.lineage import DIGESTS, Data, event, line
from meanscheck.values.data import data_dir

URI = {"type": "string", "pattern": "^[a-z]+:"}
FACET = {"type": "object", "properties": {"_producer": URI, "_schemaURL": URI}, "required": ["_producer", "_schemaURL"]}
FACETS = {"type": "object", "additionalProperties": FACET}
NAMED = {"namespace": {"type": "string", "minLength": 1}, "name": {"type": "string", "minLength": 1}}
DATASET = {
    "type": "object",
    "properties": {**NAMED, "facets": FACETS, "inputFacets": FACETS, "outputFacets": FACETS},
    "required": ["namespace", "name"],
    "additionalProperties": False,
}
RUN_EVENT = {
    "type": "object",
    "properties": {
        "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
        "eventTime": {"type": "string", "format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"},
        "producer": URI,
        "schemaURL": {"const": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"},
        "run": {
            "type": "object",
            "properties": {"runId": {"type": "string", "format": "uuid"}, "facets": FACETS},
            "required": ["runId"],
            "additionalProperties": False,
        },
        "job": {
            "type": "object",
            "properties": {**NAMED, "facets": FACETS},
            "required": ["namespace", "name"],
            "additionalProperties": False,
        },
        "inputs": {"type": "array", "items": DATASET},
        "outputs": {"type": "array", "items": DATASET},
    },
    "required": ["eventTime", "producer", "schemaURL", "run", "job"],
    "additionalProperties": False,
}
RUN = "01902c5a-0000-7000-8000-000000000001"
AT = "2020-06-30T09:00:00Z"


def valid(told: dict[str, Any]) -> None:
    jsonschema.validate(told, RUN_EVENT)
    uuid.UUID(told["run"]["runId"])
    assert datetime.fromisoformat(told["eventTime"]).tzinfo is not None
    ours = json.loads((data_dir("schemas") / "lineage" / "digests-facet.json").read_text(encoding="utf-8"))
    assert ours["$id"] == DIGESTS
    sets = [*told["inputs"], *told["outputs"]]
    for facets in (told["run"]["facets"], *(s["facets"] for s in sets)):
        if "meanscheck" in facets:
            jsonschema.validate(facets["meanscheck"], ours)


def test_an_event_has_the_shape_of_the_specification() -> None:
    made = Data(
        "store/tax_income/0123",
        columns=[("month", "DATE")],
        rows=7,
        digests={"batch": "ab"},
        counts={"quarantined": 1},
        days={"on": date(2020, 6, 30)},
    )
    told = event("COMPLETE", job="ingest", run_id=RUN, at=AT, release="9", inputs=[Data("a.csv")], outputs=[made])
    valid(told)
    (output,) = told["outputs"]
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 7
    assert output["facets"]["schema"]["fields"] == [{"name": "month", "type": "DATE"}]
    assert output["facets"]["meanscheck"]["counts"] == {"quarantined": 1}
    assert output["facets"]["meanscheck"]["days"] == {"on": "2020-06-30"}
    assert "outputFacets" not in told["inputs"][0]
    assert json.loads(line(told)) == told and line(told).count("\n") == 1


@pytest.mark.parametrize("kind", ["START", "FAIL"])
def test_an_error_is_told_of_a_failed_run_only(kind: Any) -> None:
    told = event(kind, job="assess", run_id=RUN, at=AT, release="9", digests={"law": "x"}, error="a place")
    valid(told)
    assert ("errorMessage" in told["run"]["facets"]) is (kind == "FAIL")
    assert told["run"]["facets"]["meanscheck"]["digests"] == {"law": "x"}


def test_the_same_arguments_give_the_same_bytes() -> None:
    def one() -> str:
        return line(event("START", job="seal", run_id=RUN, at=AT, release="9", digests={"b": "1", "a": "2"}))

    assert one() == one()


def told_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]


def test_commands_tell_of_every_run_and_of_no_person(
    command: Command,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office, folder, file = tmp_path / "office", tmp_path / "inbox", tmp_path / "lineage.jsonl"
    folder.mkdir()
    inbox = Inbox(folder)
    inbox.requests()
    inbox.consents(consent(A), consent(B))
    inbox.tax([wage(A, amount="1234567.89")])
    assert command("init", office, "--unprotected-key").code == 0
    assert command("ingest", office, folder, "--lineage", file).code == 0
    monkeypatch.setenv("MEANSCHECK_LINEAGE", str(file))
    done = command("assess", office, "rules/cn/guangdong/jiangmen", "--on", "2020-06-30", "--processes", "1", "--json")
    assert done.code == 0, done.err
    (folder / "deaths.csv").write_text("id_number\n", encoding="utf-8")
    assert command("ingest", office, folder / "deaths.csv").code == 2

    events = told_of(file)
    for one in events:
        valid(one)
    runs: dict[str, list[str]] = {}
    for one in events:
        runs.setdefault(one["run"]["runId"], []).append(one["eventType"])
    assert all(kinds in (["START", "COMPLETE"], ["START", "FAIL"]) for kinds in runs.values())
    ends = [(one["job"]["name"], one["eventType"]) for one in events if one["eventType"] != "START"]
    assert sorted(ends) == [
        ("assess", "COMPLETE"),
        ("ingest", "COMPLETE"),
        ("ingest", "FAIL"),
        ("project", "COMPLETE"),
        ("seal", "COMPLETE"),
    ]
    (seal,) = (one for one in events if (one["job"]["name"], one["eventType"]) == ("seal", "COMPLETE"))
    (log,) = seal["outputs"]
    assert log["facets"]["meanscheck"]["digests"]["root"] == done.json["sealed"]["root"]
    assert log["outputFacets"]["outputStatistics"]["rowCount"] == 1
    text = file.read_text(encoding="utf-8")
    assert done.json["records_root"] not in text
    # No number, name or amount of a person; the machine's folders neither.
    assert not re.search(rf"{A}|{B}|甲|1234567|{re.escape(str(tmp_path))}", text)
