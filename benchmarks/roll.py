"""Can the national roll be decided and sealed on one machine? Provinces one after the other into one log.

    python -m benchmarks --households 100000 --work WORK --stages synth ingest project
    python -m benchmarks.roll WORK/100000 WORK/roll --provinces 22 --copies 10 --rows WORK/roll.json

Each province has a store and a vault of its own, and some copies of the county's households as other people of other
cases under tokens of its own: a projection of so many times its rows, written by SQL out of the county's (`widened`).
What is measured begins there: `assess` by a pool of processes and `Ledger.append`, with all reasons, sealed records and
tiles. Ingest and the making of a projection are measured at smaller sizes by `python -m benchmarks`. Copies keep the
digests of the originals, so of each province those households are replayed that its store holds: a thousand of them.

A line of JSON a province goes to `--rows` as soon as it is sealed: households and seconds since the beginning, its own
seconds and CPU seconds, peak memory of all processes in MiB, decisions replayed. A run that is broken off is taken up
after the last province in that file.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.caseload import ON, ORIGIN, law_of_the_day
from benchmarks.measure import watched

SHIFTED = ("unit", "place", "member_place", "supporter_place", "person")
NOT_OF_UNITS = ("counts", "mark", "states")
SAMPLE = 1_000


def widened(county: Path, province: Path, copies: int) -> int:
    """A store with the county's evidence under tokens of its own, and a projection of so many times its households.

    Args:
        county: folder of a measured county (`caseload.Place`).
        province: new folder for ``county.duckdb`` and ``county.projection``.
        copies: how many households for each of the county; the first is the county's own.

    Returns:
        How many households there are.
    """
    from meanscheck.evidence import Store
    from meanscheck.evidence.projection import _key

    province.mkdir(parents=True)
    target = province / "county.projection"
    shutil.copyfile(county / "county.duckdb", province / "county.duckdb")
    shutil.copyfile(county / "county.projection", target)
    with Store.open(province / "county.duckdb", memory_limit="4GB") as store:
        # Other people's evidence has come in other batches.
        store.run("update batches set batch_id = sha256(batch_id || ?)", [province.name])
        store.run("delete from snapshots")
        store.run("update subjects set token = replace(gen_random_uuid()::varchar, '-', '')")
        store.attach(target, "wide")
        tables = store.fetch("select table_name from duckdb_tables() where database_name = 'wide'").to_series()
        widths = {
            "unit": int(store.value("select count(*) from wide.main.households")),
            "person": int(store.value("select max(person) + 1 from wide.main.persons")),
        }
        widths |= dict.fromkeys(SHIFTED[1:4], int(store.value("select count(*) from wide.main.persons")))
        for owner in ("unit", "person"):
            _own_tokens(store, owner)
        for table in sorted({*tables} - {*NOT_OF_UNITS}):
            frame = store.fetch(f"select * from wide.main.{table} limit 0")
            store.run(f"create temp table once as select * from wide.main.{table}")
            for copy in range(1, copies):
                changes = [f"{name} + {copy * widths[name]} as {name}" for name in SHIFTED if name in frame.columns]
                if "case_id" in frame.columns:
                    # After all cases of the copy before, in the order of case ids.
                    changes.append(f"'~{copy:03d}' || case_id as case_id")
                if "token" in frame.columns:
                    changes.append("replace(gen_random_uuid()::varchar, '-', '') as token")
                store.run(f"insert into wide.main.{table} select * replace ({', '.join(changes)}) from once")
            store.run("drop table once")
        store.run(f"update wide.main.counts set n = n * {copies}")
        key = _key(store, store.snapshot(), ON)
        store.run("update wide.main.mark set key = ?", [key])
        store.run("checkpoint wide")
        store.run("detach wide")
    return widths["unit"] * copies


def _own_tokens(store: Any, owner: str) -> None:
    """The tokens that the province's store has drawn, in the projection's table of them."""
    place, join = ("unit", "households using (unit)") if owner == "unit" else ("place", "persons using (place, unit)")
    known = "case_id" if owner == "unit" else "person"
    columns = "unit" if owner == "unit" else "place, unit"
    subjects = f"(select {known}, token from subjects where {known} is not null)"
    store.run(
        f"create temp table once as select {columns}, s.token from wide.main.{owner}_tokens join wide.main.{join} "
        f"join {subjects} s using ({known}) order by {place}"
    )
    store.run(f"delete from wide.main.{owner}_tokens")
    store.run(f"insert into wide.main.{owner}_tokens select * from once order by {place}")
    store.run("drop table once")


def province(folder: Path, ledger: Path, key: Path, processes: int) -> tuple[int, int]:
    """Assess a province and seal it into the log.

    Returns:
        Decisions sealed, and decisions replayed, which is all of a sample.

    Raises:
        RuntimeError: a decision of the sample did not come out again.
    """
    from meanscheck.decisions import assess
    from meanscheck.engines import Pool
    from meanscheck.evidence import Store
    from meanscheck.ledger import Ledger, Signer

    with Store.open(folder / "county.duckdb") as store:
        engine = Pool(processes)
        assessment = assess(store, law_of_the_day(), vault=folder / "vault", block_units=25_600, engine=engine)
        sealed = Ledger.open(ledger, signer=Signer.load(key)).append(assessment)
        if sealed.count != assessment.projection.units:
            raise RuntimeError("not every unit was sealed")
    return sealed.count, assessment.counts.total()


def replayed(folder: Path) -> int:
    """Replay a sample of a province from its evidence tables; RuntimeError if one differs."""
    from meanscheck.decisions.record import GROUPS
    from meanscheck.evidence import Store
    from meanscheck.replay import replay_records
    from meanscheck.vault import Safe

    (batch,) = Safe.open(folder / "vault").batches(GROUPS)
    records = [{n: json.loads(t) for n, t in held.groups.items()} for held in batch.rows(0, 0, SAMPLE)]
    with Store.open(folder / "county.duckdb") as store:
        different = [one for one in replay_records(records, store=store) if not one.is_equal]
    if different:
        raise RuntimeError(f"{len(different)} of {len(records)} decisions did not come out again")
    return len(records)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.roll", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("county", type=Path, help="folder of a measured county")
    parser.add_argument("work", type=Path, help="folder for provinces, their vaults and the log")
    parser.add_argument("--provinces", type=int, default=22, metavar="N")
    parser.add_argument("--copies", type=int, default=10, metavar="N", help="of the county's households in each")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--rows", type=Path, required=True, metavar="FILE", help="where a line a province goes")
    options = parser.parse_args(arguments)
    from meanscheck.ledger import Ledger, Signer

    ledger, key = options.work / "ledger", options.work / "key" / "signer.key"
    done = options.rows.read_text().splitlines() if options.rows.exists() else []
    if not done:
        shutil.rmtree(options.work, ignore_errors=True)
        Signer.generate(ORIGIN).save(key, unprotected=True)
    households = sum(json.loads(line)["households"] for line in done)
    for number in range(len(done), options.provinces):
        folder = options.work / f"{number + 1:02d}"
        shutil.rmtree(folder, ignore_errors=True)
        begun = time.perf_counter()
        widened(options.county, folder, options.copies)
        made, spent = time.perf_counter(), _cpu()
        with watched() as peaks:
            sealed, decisions = province(folder, ledger, key, options.processes)
        ended, cpu = time.perf_counter(), _cpu() - spent
        checked = replayed(folder)
        for file in ("county.duckdb", "county.projection"):
            (folder / file).unlink()
        households += sealed
        row = {
            "households": sealed,
            "in_all": households,
            "decisions": decisions,
            "seconds": round(ended - made, 1),
            "cpu": round(cpu, 1),
            "peak_mib": round(max(peaks)),
            "replayed": checked,
            "log": Ledger.open(ledger, signer=Signer.load(key)).size,
            "making": round(made - begun, 1),
            "vault_bytes": sum(f.stat().st_size for f in (folder / "vault").rglob("*") if f.is_file()),
        }
        with options.rows.open("a") as out:
            out.write(json.dumps(row) + "\n")
        print(json.dumps(row), file=sys.stderr, flush=True)
    return 0


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


if __name__ == "__main__":
    sys.exit(main())
