"""What does a household cost in a caseload of any size, when the processes that work on it stay from one to the next?

    python -m benchmarks.steady DIR/100000 DIR/1000000 DIR/100000 --work /tmp/steady --processes 2

Works off measured counties in the order given, under Jiangmen's full pack, from opening the store to the signed
checkpoint: those of `python -m benchmarks --work DIR --stages synth ingest project`, of `benchmarks.multiply`, or of
`widened` and `renamed` of `benchmarks.roll`. The engine is entered once, before the first; by two processes the first
caseload therefore waits for them to load, which `benchmarks.roll` counts for every province. A county may be named
several times: the machine drifts, so what is compared should stand around each other.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.caseload import ORIGIN, law_of_the_day
from benchmarks.measure import cpu_seconds, watched
from benchmarks.roll import FILES, worked_off


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steady", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "counties", type=Path, nargs="+", metavar="FOLDER", help="a measured county; again to repeat it"
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for vaults and logs; must not exist")
    parser.add_argument("--processes", type=int, default=2, metavar="N")
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True)
    from meanscheck.engines import Pool
    from meanscheck.ledger import Ledger, Signer

    law = law_of_the_day()
    print("| households | clock s | µs each | CPU µs each | peak MiB |\n|--:|--:|--:|--:|--:|")
    with Pool(options.processes) as engine:
        for number, county in enumerate(options.counties):
            folder = options.work / str(number)
            folder.mkdir()
            for name in FILES:
                (folder / name).symlink_to((county / name).resolve())
            begun, spent = time.perf_counter(), cpu_seconds()
            with watched() as peaks:
                ledger = Ledger.open(folder / "ledger", signer=Signer.generate(ORIGIN))
                count, _ = worked_off(folder, ledger, law, engine)
            clock, cpu = time.perf_counter() - begun, cpu_seconds() - spent
            each = f"{clock / count * 1e6:.1f} | {cpu / count * 1e6:.1f}"
            print(f"| {count:,} | {clock:.2f} | {each} | {max(peaks):,.0f} |".replace(",", " "), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
