"""How is one thing measured? In a process of its own that does it once and prints one line of JSON.

`run` starts ``python -m benchmarks.measure STAGE FOLDER N`` and reads that line. A stage is a function
``measure(place, clock)`` of a module here; it returns its counts. Wall seconds are those inside the stage (not the
interpreter's start), CPU seconds those of all its threads and of the processes that it starts. The peak is the largest
sum of resident memory of all of them, looked at ten times a second, or the process's own high-water if that is larger;
what processes share is counted in each.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
STAGES = {
    "synth": ("caseload", "make_county"),
    "ingest": ("ingest", "inbox"),
    "formats": ("ingest", "formats"),
    "bare": ("ingest", "bare_formats"),
    "intake-prepare": ("intake", "prepare"),
    "intake-parquet": ("intake", "large_parquet"),
    "intake-csv": ("intake", "large_csv"),
    "intake-small": ("intake", "small"),
    "bare-parquet": ("intake", "bare_parquet"),
    "bare-csv": ("intake", "bare_csv"),
    "project": ("project", "measure"),
    "telling": ("telling", "measure"),
    "onecase": ("onecase", "measure"),
    "template-ours": ("template", "ours"),
    "template-ours-2": ("template", "ours_by_two"),
    "template-openfisca": ("template", "openfisca"),
    "template-openfisca-2": ("template", "openfisca_by_two"),
    "zen": ("zen", "measure_cases"),
    "kindergeld-ours": ("kindergeld", "ours"),
    "kindergeld-gettsim": ("kindergeld", "gettsim"),
    "kindergeld-gettsim-unchecked": ("kindergeld", "unchecked"),
    "whole": ("seal", "whole"),
    "whole-small": ("seal", "small"),
    "pool": ("seal", "pool"),
    "pool-small": ("seal", "pool_small"),
    "plain": ("seal", "plain"),
    "pool-plain": ("seal", "pool_plain"),
    "parts": ("parts", "measure"),
    "assess": ("assess", "measure"),
    "seal": ("seal", "measure"),
    "verify": ("verify", "measure"),
    "replay": ("replay", "measure"),
    "peer": ("beside", "measure"),
    "agreement": ("beside", "agreement"),
    "commit-grouped": ("commitments", "grouped"),
    "commit-grouped-2": ("commitments", "grouped_two"),
    "commit-whole": ("commitments", "whole"),
    "commit-whole-2": ("commitments", "whole_two"),
    "commit-receipt": ("commitments", "receipt"),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement."""

    stage: str
    households: int
    wall: float
    cpu: float
    peak_mib: float
    parts: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Label → (wall, CPU) seconds, exclusive of each other."""
    counts: dict[str, Any] = field(default_factory=dict)
    is_reused: bool = False


def run(stage: str, folder: Path, households: int) -> Measured:
    """Measure a stage in a child process.

    Raises:
        RuntimeError: the stage failed; its words are on standard error.
    """
    command = [sys.executable, "-m", "benchmarks.measure", stage, str(folder.resolve()), str(households)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the measurement of {stage} failed")
    return parse(done.stdout.splitlines()[-1])


def parse(line: str) -> Measured:
    """A measurement from its JSON."""
    held: dict[str, Any] = json.loads(line)
    held["parts"] = {name: (wall, cpu) for name, (wall, cpu) in held["parts"].items()}
    return Measured(**held)


def keep(measured: Measured, folder: Path) -> None:
    """Write a measurement beside what it made."""
    target = folder / "measured" / f"{measured.stage}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(asdict(measured)) + "\n", encoding="utf-8")


def kept(stage: str, folder: Path) -> Measured | None:
    """The measurement of an earlier run, marked as such."""
    file = folder / "measured" / f"{stage}.json"
    if not file.is_file():
        return None
    found = asdict(parse(file.read_text(encoding="utf-8")))
    return Measured(**{**found, "is_reused": True})


def _child(stage: str, folder: Path, households: int) -> None:
    module, name = STAGES[stage]
    function = getattr(importlib.import_module(f"benchmarks.{module}"), name)
    from benchmarks.caseload import Place
    from benchmarks.clock import Clock

    clock = Clock()
    with watched() as peaks:
        counts = function(Place(folder, households), clock)
    parts = clock.stop()
    wall, cpu = (sum(seconds[i] for seconds in parts.values()) for i in (0, 1))
    print(json.dumps(asdict(Measured(stage, households, wall, cpu, max(*peaks, _own_peak_mib()), parts, counts))))


@contextlib.contextmanager
def watched(every: float = 0.1) -> Iterator[list[float]]:
    """A list whose entry grows to the largest sum of resident memory (MiB) of this process and its children."""
    peaks, ended = [0.0], threading.Event()

    def look() -> None:
        while not ended.wait(every):
            peaks[0] = max(peaks[0], sum(map(_resident_mib, ("self", *_children()))))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        watcher.join()


def _children() -> list[str]:
    found = []
    for file in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += file.read_text().split()
    return found


def _resident_mib(process: str) -> float:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    return int(status.split("VmRSS:")[1].split()[0]) / 1024 if "VmRSS:" in status else 0.0


def cpu_seconds() -> float:
    """CPU seconds until now of this process, of those that it has started and that run, and of those that ended."""
    own = os.times()
    spent = own.user + own.system + own.children_user + own.children_system
    for process in _children():
        with contextlib.suppress(OSError):
            told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            # Of proc(5)'s fields the 14th to 17th; what stands behind the name begins with the 3rd.
            spent += sum(map(int, told[11:15])) / os.sysconf("SC_CLK_TCK")
    return spent


def _own_peak_mib() -> float:
    """High-water of this process: Linux hands a parent's `ru_maxrss` down to its child, but not this."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    # macOS counts in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


if __name__ == "__main__":
    _child(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
