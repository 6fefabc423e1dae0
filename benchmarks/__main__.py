"""Measure, print, and with ``--write`` keep the table in benchmarks/TABLES.md."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine, measure, table
from benchmarks.aside import sweep
from benchmarks.measure import Measured

SIZES = (10_000, 100_000, 1_000_000)
QUICK = (2_000,)
TABLES = Path(__file__).parent / "TABLES.md"
PREPARING = ("synth", "ingest", "project")
ORDER = (
    *PREPARING,
    "peer",
    "pool-plain",
    "plain",
    "pool-small",
    "parts",
    "whole-small",
    "agreement",
    "whole",
    "pool",
    "assess",
    "seal",
    "verify",
    "replay",
    "formats",
    "bare",
)


def measured(folder: Path, households: int, *, stages: Sequence[str], reuse: bool) -> dict[str, Measured]:
    """All stages of one size, in order; a stage that needs an earlier one finds it in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    results: dict[str, Measured] = {}
    for stage in ORDER:
        earlier = measure.kept(stage, folder)
        if stage not in stages and stage not in PREPARING:
            continue
        if stage in PREPARING and earlier is not None and (reuse or stage not in stages):
            results[stage] = earlier
            continue
        print(f"{households} households: {stage} …", file=sys.stderr, flush=True)
        results[stage] = measure.run(stage, folder, households)
        measure.keep(results[stage], folder)
        print(f"    {results[stage].wall:.1f} s, {results[stage].peak_mib:.0f} MiB", file=sys.stderr, flush=True)
    return results


def of_sizes(stage: str, description: str, *, sizes: Sequence[int], arguments: Sequence[str] | None = None) -> int:
    """The command of a stage that stands by itself: prints one line of JSON a size; makes the county where it must."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{stage}", description=description)
    parser.add_argument("--households", type=int, nargs="+", default=[*sizes], metavar="N")
    parser.add_argument("--work", type=Path, help="folder for counties and stores; a temporary one unless given")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="meanscheck-benchmarks-") as temporary:
        for n in options.households:
            folder = (options.work or Path(temporary)) / str(n)
            measured(folder, n, stages=(), reuse=True)
            print(json.dumps(measure.run(stage, folder, n).counts), flush=True)
        if options.work:
            sweep(options.work)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure every stage beside a hand-written pipeline."
    )
    parser.add_argument("--households", type=int, nargs="+", metavar="N", help=f"sizes; {SIZES} unless given")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK[0]} households: some minutes")
    parser.add_argument("--work", type=Path, help="folder for counties and stores; a temporary one unless given")
    parser.add_argument(
        "--stages", nargs="+", choices=ORDER, default=list(ORDER), help="only these (and what they need)"
    )
    parser.add_argument(
        "--reuse", action="store_true", help="keep county, store and projection of an earlier run of the same code"
    )
    parser.add_argument("--write", action="store_true", help="write the tables to benchmarks/TABLES.md")
    options = parser.parse_args(arguments)
    sizes = options.households or (QUICK if options.quick else SIZES)
    facts = machine.facts()
    with tempfile.TemporaryDirectory(prefix="meanscheck-benchmarks-") as temporary:
        work = options.work or Path(temporary)
        results = {n: measured(work / str(n), n, stages=options.stages, reuse=options.reuse) for n in sizes}
        if options.work:
            sweep(work)
    text = table.page(facts, results)
    print(text)
    if options.write:
        TABLES.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
