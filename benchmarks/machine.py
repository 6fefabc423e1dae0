"""On what machine were the figures taken? Facts without which they mean nothing; no name of a host, no path."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def facts() -> dict[str, str]:
    """What to print above a table."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return {
        "date": date.today().isoformat(),
        "processor": f"{_line('/proc/cpuinfo', 'model name') or platform.machine()}, {cores} cores",
        "memory": f"{_memory_gib():.1f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}",
        "versions": ", ".join(_versions("polars", "duckdb", "numpy", "cryptography", "polars-hash")),
        "load when it began": f"{os.getloadavg()[0]:.1f}",
    }


def _versions(*names: str) -> Iterator[str]:
    """Of what is installed: some is of extras."""
    for name in names:
        with suppress(PackageNotFoundError):
            yield f"{name} {version(name)}"


def _line(file: str, key: str) -> str:
    path = Path(file)
    if not path.is_file():
        return ""
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
