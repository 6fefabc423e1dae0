"""A larger stored county from a smaller one: each household of a store several times, as other people of other cases.

    python -m benchmarks.multiply WORK/100000 WORK/1000000 10
    python -m benchmarks --households 1000000 --work WORK --reuse --stages project peer whole agreement

What is measured after it starts from stored evidence, so it may be stored by SQL; ingest is measured at the smaller
sizes. The copies keep the digests of the originals, so a copy cannot be replayed by its digest; it has the same rows,
states, coverage and consents, and costs what an ingested household costs.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from meanscheck.contracts import all_feeds
from meanscheck.evidence import Store
from meanscheck.values.sql import quoted

NUMBER = r"'([0-9]{17}[0-9X])'"


def multiply(source: Path, target: Path, times: int) -> None:
    """Copy a measured folder's store and make `times` counties of it."""
    target.mkdir(parents=True, exist_ok=True)
    (target / "measured").mkdir(exist_ok=True)
    shutil.copyfile(source / "county.duckdb", target / "county.duckdb")
    for stage in ("synth", "ingest"):
        made = json.loads((source / "measured" / f"{stage}.json").read_text())
        made["households"] = made["households"] * times
        for name in ("rows", "persons", "accepted"):
            if name in made["counts"]:
                made["counts"][name] *= times
        made |= {"wall": 0.0, "cpu": 0.0, "parts": {}, "is_reused": True}
        (target / "measured" / f"{stage}.json").write_text(json.dumps(made))
    with Store.open(target / "county.duckdb", memory_limit="4GB") as store:
        persons = int(store.value("select max(person) + 1 from persons"))
        requests = int(store.value("select max(request) + 1 from requests"))
        for copy in range(1, times):
            with store.transaction():
                _copy(store, copy, persons=persons, requests=requests)
            print(f"county {copy + 1} of {times}", file=sys.stderr, flush=True)
        store.run("update meta set value = (value::bigint + 1)::varchar where key = 'load'")
        store.run("delete from snapshots")
        # Lists of requests have grown; none is any longer the one that its digest names.
        store.run("update listings set digest = null")


def _copy(store: Store, copy: int, *, persons: int, requests: int) -> None:
    mark, shift = f"'-{copy}'", persons * copy
    person = f"person + {shift} as person"
    old = f"person < {persons}"

    def again(table: str, where: str, *changes: str) -> None:
        name = quoted(table)
        store.run(f"insert into {name} select * replace ({', '.join(changes)}) from {name} where {where}")

    again("persons", old, person, f"id_number || {mark} as id_number")
    renamed = [f"{name} || {mark} as {name}" for name in ("request_no", "application_no", "case_id")]
    again("requests", f"request < {requests}", f"request + {requests * copy} as request", *renamed)
    again("unit_persons", f"request < {requests}", f"request + {requests * copy} as request", person)
    again("listed_requests", "request_no not like '%-%'", renamed[0])
    for table in ("consents", "not_answered", "conflicts", "quarantine"):
        again(table, old, person)
    for feed, contract in all_feeds().items():
        changes = [person]
        for column in contract.columns:
            if column.kind == "person":
                cell = quoted(column.stored_name)
                changes.append(rf"regexp_replace({cell}, {NUMBER}, '\1-{copy}', 'g') as {cell}")
        again(f"feed_{feed}", old, *changes)


if __name__ == "__main__":
    multiply(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
