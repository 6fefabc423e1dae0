"""When does Spark pay? One process, a pool of two and Spark on two cores, on one county, in one run.

    python -m benchmarks.spark [--households 20000] [--block-units 2500] [--work FOLDER]

Each decides and seals the same caseload from an existing projection, in a fresh log and vault; the records roots must
be equal. Starting Spark, and its first task, which loads the libraries, are measured apart from what follows; a pool
starts its processes anew each time, so that its start is inside. Needs the extra ``spark`` and Java.

`rows through Spark` reads a copy in Parquet by Spark (`tables=in_parquet(…)`), the line above it lets tasks open the
projection. CPU seconds (Linux only) say what a decision costs, also where others use the machine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine
from benchmarks.caseload import ON, ORIGIN, Place, law_of_the_day, make_county, opened
from benchmarks.clock import Clock

if TYPE_CHECKING:
    from meanscheck.decisions.kernel import Engine


@contextmanager
def watch(what: str) -> Iterator[None]:
    """Print wall seconds, and CPU seconds of this process and of all that it started, Spark's included."""
    began, spent = time.perf_counter(), _cpu()
    yield
    print(f"{what:<40}{time.perf_counter() - began:>8.1f} s{_cpu() - spent:>8.1f} s CPU", flush=True)


def _cpu() -> float:
    """CPU seconds of this process, of its living descendants, and of the ended ones that they waited for."""
    found: dict[int, tuple[int, int]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            cells = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(file.parent.name)] = int(cells[1]), sum(map(int, cells[11:15]))
    ours = {os.getpid()}
    while more := {pid for pid, (parent, _) in found.items() if parent in ours} - ours:
        ours |= more
    return sum(found[pid][1] for pid in ours) / os.sysconf("SC_CLK_TCK")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark", description="When does Spark pay?")
    parser.add_argument("--households", type=int, default=20_000)
    parser.add_argument("--block-units", type=int, default=2_500)
    parser.add_argument("--work", type=Path, help="folder for the county; a temporary one unless given")
    options = parser.parse_args(arguments)
    for name, value in machine.facts().items():
        print(f"{name}: {value}")
    with tempfile.TemporaryDirectory(prefix="meanscheck-spark-") as temporary:
        place = Place((options.work or Path(temporary)) / f"spark-{options.households}", options.households)
        place.folder.mkdir(parents=True, exist_ok=True)
        measure(place, options.block_units)
    return 0


def measure(place: Place, block_units: int) -> None:
    """All engines on one county; RuntimeError if their records differ."""
    from meanscheck.engines import Pool, Spark, in_parquet

    law, copy = law_of_the_day(), place.folder / "county.parquet"
    if not place.county.exists():
        make_county(place, Clock())
    with opened(place) as store:
        store.ingest_inbox(place.county / "inbox")
        with watch("projection"):
            projection = store.project(store.snapshot(), on=ON)
        with watch("its copy in Parquet"):
            projection.export(copy)
        with watch("Spark's start"):
            spark = Spark.local(2)
        with spark:
            through = Spark(spark.session, tables=in_parquet(spark.session, str(copy)))
            engines: list[tuple[str, Engine | None]] = [
                ("Spark local[2], its first run", spark),
                ("one process", None),
                ("Pool(2)", Pool(2)),
                ("Spark local[2]", spark),
                ("Spark local[2], rows through Spark", through),
            ]
            roots = {_sealed(place, store, law, block_units, *each) for each in engines}
    if len(roots) != 1:
        raise RuntimeError("the records differ")
    print(f"{place.households} households, blocks of {block_units}, records root {roots.pop()[:16]}… by all")


def _sealed(place: Place, store: Any, law: Any, block_units: int, name: str, engine: Engine | None) -> str:
    from meanscheck.decisions import assess
    from meanscheck.ledger import Ledger, Signer

    for folder in (place.vault, place.ledger):
        shutil.rmtree(folder, ignore_errors=True)
    (place.folder / "vault.household-keys").unlink(missing_ok=True)
    ledger = Ledger.open(place.ledger, signer=Signer.generate(ORIGIN))
    with watch(name):
        result = assess(store, law, vault=place.vault, block_units=block_units, engine=engine)
        ledger.append(result)
    return result.records_root


if __name__ == "__main__":
    sys.exit(main())
