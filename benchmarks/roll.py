"""Can the national roll be decided and sealed on one machine? Provinces one after the other into one log.

    python -m benchmarks --households 100000 --work WORK --stages synth ingest project
    python -m benchmarks.roll WORK/100000 WORK/roll --provinces 22 --copies 10 --rows WORK/roll.json

Each province has a store and a vault of its own, and some copies of the county's households as other people of other
cases under tokens of its own: a projection of so many times its rows, written by SQL out of the county's (`widened`).
What is measured begins there: `assess` by a pool of processes and `Ledger.append`, with all reasons, sealed records and
tiles. Ingest and the making of a projection are measured at smaller sizes by `python -m benchmarks`. Copies keep the
digests of the originals, so of each province those households are replayed that its store holds, at most a thousand.
The evidence is the same in all provinces but for its names (`renamed`), so what they cost may be compared.

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
from typing import TYPE_CHECKING

from benchmarks.caseload import ON, ORIGIN, law_of_the_day
from benchmarks.measure import cpu_seconds, watched

if TYPE_CHECKING:
    from meanscheck.decisions.kernel import Engine
    from meanscheck.law import Law
    from meanscheck.ledger import Ledger

FILES = ("county.duckdb", "county.projection")
NOT_OF_UNITS = ("counts", "mark", "states")
TOKENS = ("unit_tokens", "person_tokens")
SAMPLE = 1_000
BLOCK_UNITS = 25_600


def widened(county: Path, wide: Path, copies: int) -> int:
    """A county's store, and a projection of so many times its households; to be `renamed`.

    Args:
        county: folder of a measured county (`caseload.Place`).
        wide: new folder for ``county.duckdb`` and ``county.projection``.
        copies: how many households for each of the county; the first is the county's own.

    Returns:
        How many households there are.
    """
    from meanscheck.evidence import Store
    from meanscheck.evidence.projection import ROW_GROUP

    wide.mkdir(parents=True)
    for name in FILES:
        shutil.copyfile(county / name, wide / name)
    with Store.open(wide / "county.duckdb", memory_limit="4GB") as store:
        store.attach(wide / "county.projection", "wide", row_group=ROW_GROUP)
        tables = store.fetch("select table_name from duckdb_tables() where database_name = 'wide'").to_series()
        units, persons = (int(store.value(f"select count(*) from wide.main.{t}")) for t in ("households", "persons"))
        known = int(store.value("select max(person) + 1 from wide.main.persons"))
        widths = {
            "unit": units,
            "person": known,
            **dict.fromkeys(("place", "member_place", "supporter_place"), persons),
        }
        for table in sorted({*tables} - {*NOT_OF_UNITS, *TOKENS}):
            columns = store.fetch(f"select * from wide.main.{table} limit 0").columns
            store.run(f"create temp table once as select * from wide.main.{table}")
            for copy in range(1, copies):
                changes = [f"{name} + {copy * width} as {name}" for name, width in widths.items() if name in columns]
                if "case_id" in columns:
                    # After all cases of the copy before, in the order of case ids.
                    changes.append(f"'~{copy:03d}' || case_id as case_id")
                store.run(f"insert into wide.main.{table} select * replace ({', '.join(changes)}) from once")
            store.run("drop table once")
        store.run(f"update wide.main.counts set n = n * {copies}")
        store.run("checkpoint wide")
        store.run("detach wide")
    return units * copies


def renamed(wide: Path, province: Path) -> None:
    """The same evidence as other people's: of other batches, under tokens that nobody has; into a new folder."""
    from meanscheck.evidence import Store
    from meanscheck.evidence.projection import ROW_GROUP, _key

    drawn = "replace(gen_random_uuid()::varchar, '-', '')"
    province.mkdir()
    for name in FILES:
        shutil.copyfile(wide / name, province / name)
    with Store.open(province / "county.duckdb", memory_limit="4GB") as store:
        # Not the same twice: a province that was sealed and not written down stands in the log.
        store.run(f"update batches set batch_id = sha256(batch_id || {drawn})")
        store.run("delete from snapshots")
        store.run(f"update subjects set token = {drawn}")
        store.attach(province / "county.projection", "wide", row_group=ROW_GROUP)
        for table, owners, known in (
            ("unit_tokens", "unit from wide.main.households", "case_id"),
            ("person_tokens", "place, unit from wide.main.persons", "person"),
        ):
            columns, source = owners.split(" from ")
            subjects = f"(select {known}, token from subjects where {known} is not null)"
            store.run(f"drop table wide.main.{table}")
            store.run(
                f"create table wide.main.{table} as select {columns}, coalesce(token, {drawn}) as token from {source} "
                f"left join {subjects} using ({known}) order by {columns.split(',')[0]}"
            )
        store.run("update wide.main.mark set key = ?", [_key(store, store.snapshot(), ON)])
        store.run("checkpoint wide")
        store.run("detach wide")


def province(folder: Path, ledger: Path, key: Path, processes: int) -> tuple[int, int]:
    """Assess a province and seal it into the log: how many households were sealed, and outcomes in all."""
    from meanscheck.engines import Pool
    from meanscheck.ledger import Ledger, Signer

    with Pool(processes) as engine:
        return worked_off(folder, Ledger.open(ledger, signer=Signer.load(key)), law_of_the_day(), engine)


def worked_off(folder: Path, ledger: Ledger, law: Law, engine: Engine) -> tuple[int, int]:
    """Assess the county in a folder and seal it into the log: how many households were sealed, and outcomes in all."""
    from meanscheck.decisions import assess
    from meanscheck.evidence import Store

    with Store.open(folder / "county.duckdb") as store:
        assessment = assess(store, law, vault=folder / "vault", block_units=BLOCK_UNITS, engine=engine)
        sealed = ledger.append(assessment)
        if sealed.count != assessment.projection.units:
            raise RuntimeError("not every unit was sealed")
    return sealed.count, assessment.counts.total()


def replayed(folder: Path, sample: int) -> int:
    """Replay the first households of a province from its evidence tables; RuntimeError if one differs."""
    from meanscheck.decisions.record import GROUPS
    from meanscheck.evidence import Store
    from meanscheck.replay import replay_records
    from meanscheck.vault import Safe

    (batch,) = Safe.open(folder / "vault").batches(GROUPS)
    records = [{n: json.loads(t) for n, t in held.groups.items()} for held in batch.rows(0, 0, sample)]
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
    wide = options.work / "wide"
    if not wide.exists():
        making = options.work / "making"
        shutil.rmtree(making, ignore_errors=True)
        widened(options.county, making, options.copies)
        making.rename(wide)
    households = sum(json.loads(line)["households"] for line in done)
    for number in range(len(done), options.provinces):
        folder = options.work / f"{number + 1:02d}"
        shutil.rmtree(folder, ignore_errors=True)
        begun = time.perf_counter()
        renamed(wide, folder)
        made, spent = time.perf_counter(), cpu_seconds()
        with watched() as peaks:
            sealed, decisions = province(folder, ledger, key, options.processes)
        ended, cpu = time.perf_counter(), cpu_seconds() - spent
        checked = replayed(folder, min(SAMPLE, sealed // options.copies))
        for name in FILES:
            (folder / name).unlink()
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


if __name__ == "__main__":
    sys.exit(main())
