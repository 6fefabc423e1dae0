"""Many random laws and cases, from seeds: ``python -m law.soak FIRST COUNT`` in the folder of tests."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

from .cases import CaseWriter
from .choosing import Seeded
from .comparing import changed_by_blocks, differences, vector_run
from .laws import PackWriter, law_of


def problems(seed: int, folder: Path) -> list[str]:
    choose = Seeded(seed)
    files = PackWriter(choose).write()
    law = law_of(files, folder)
    units = CaseWriter(choose, law).units()
    run = vector_run(law, units)
    return differences(law, units, run) + (changed_by_blocks(law, units, run) if seed % 4 == 0 else [])


def main() -> None:
    first, count = int(sys.argv[1]), int(sys.argv[2])
    most = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    bad = 0
    kinds: dict[str, list[int]] = {}
    with TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            try:
                found = problems(seed, Path(folder))
            except Exception as fault:
                trace = traceback.extract_tb(fault.__traceback__)[-1]
                found = [f"{type(fault).__name__} {str(fault)[:300]} at {Path(trace.filename).name}:{trace.lineno}"]
            if found:
                bad += 1
                kinds.setdefault(found[0].split(":")[0][:60], []).append(seed)
                if bad <= most:
                    print(seed, *found[:4], sep="\n   ")
    print(f"{count} laws, {bad} with differences")
    for kind, seeds in sorted(kinds.items(), key=lambda item: -len(item[1]))[:20]:
        print(f"  {len(seeds):5d} {kind}  {seeds[:4]}")


if __name__ == "__main__":
    main()
