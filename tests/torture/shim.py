"""How does a process die, or its disk fill up, at exactly the n-th write? By a few lines of C before the C library.

Preloaded into a process, they count the calls that change files within one folder (write, pwrite, fsync, ftruncate,
rename …), of DuckDB and Polars as well as of Python. `arm` says at which of them what shall happen: ``kill`` before it,
``torn`` after half of its bytes, ``full`` makes it and every later one fail as on a full disk, ``broken`` once as a
failing disk. Without a C compiler there is no such thing: `build` then gives None.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Literal

Mode = Literal["count", "kill", "torn", "full", "broken"]
MODES: tuple[Mode, ...] = ("count", "kill", "torn", "full", "broken")

_SOURCE = Path(__file__).with_name("shim.c")


def build(folder: Path) -> Path | None:
    """Compile the shim into a folder; None where there is no C compiler, or not this system."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    made = folder / "shim.so"
    done = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-w", "-o", str(made), str(_SOURCE), "-ldl"], capture_output=True
    )
    return made if done.returncode == 0 else None


def arm(folder: Path, at: int, mode: Mode) -> None:
    """In a process with the shim: from now on count, and act at the call of that number."""
    ctypes.CDLL(None).torture_arm(str(folder).encode(), ctypes.c_long(at), MODES.index(mode))


def counted() -> int:
    """Calls since `arm`."""
    count = ctypes.CDLL(None).torture_counted
    count.restype = ctypes.c_long
    return int(count())
