"""How much memory is there, and how much of it may the database take?

What may be used is the least of what the machine has left and what a limit of its group (cgroup, as containers have
one) leaves: a process that goes beyond the second is killed, however much the machine has.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

GIB: Final = 2**30
_LEAST: Final = GIB // 4


def database_memory(size: int, free: int | None) -> int:
    """Bytes that the database may take for itself: 2 GiB, or a third of a larger store; half of what is free at most.

    What is sorted or joined beyond that is spilled, but not all of it can be, so a larger store needs more.

    Args:
        size: bytes of the store's file.
        free: what `free_memory` says.
    """
    wanted = max(2 * GIB, size // 3)
    return wanted if free is None else max(min(wanted, free // 2), _LEAST)


def free_memory(*, system: Path = Path("/")) -> int | None:
    """Bytes that this process and those it starts may still use; None where neither machine nor group says (not Linux).

    Args:
        system: the root of the file system.
    """
    found = [_of_machine(system / "proc/meminfo")]
    for version, folder in _groups(system):
        found.append(_of_group(folder, *version))
    known = [free for free in found if free is not None]
    return max(min(known), 0) if known else None


_SECOND: Final = ("memory.max", "memory.current", "inactive_file")
_FIRST: Final = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
"""Of a group's second and first version: limit, usage, and what of it is files that can be let go."""


def _groups(system: Path) -> list[tuple[tuple[str, str, str], Path]]:
    """The groups that this process is in, with those around them: each may have a limit."""
    found = []
    for line in _lines(system / "proc/self/cgroup"):
        number, _, rest = line.partition(":")
        kinds, _, own = rest.partition(":")
        if number == "0" and not kinds:
            version, top = _SECOND, system / "sys/fs/cgroup"
        elif "memory" in kinds.split(","):
            version, top = _FIRST, system / "sys/fs/cgroup/memory"
        else:
            continue
        inner = Path(own.strip("/"))
        found += [(version, top / part) for part in (inner, *inner.parents)]
    return found


def _of_machine(info: Path) -> int | None:
    for line in _lines(info):
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return None


def _of_group(folder: Path, limit: str, usage: str, files: str) -> int | None:
    most, used = (_lines(folder / name) for name in (limit, usage))
    if not most or not used or not most[0].isdecimal():  # "max": no limit
        return None
    kept = [line.split() for line in _lines(folder / "memory.stat")]
    spare = next((int(words[1]) for words in kept if words and words[0] == files), 0)
    return int(most[0]) - int(used[0]) + spare


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return []
