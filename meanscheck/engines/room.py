"""How much memory is there, and which blocks and how many processes fit into it?

What may be used is the least of what the machine has left and what a limit of its group (cgroup, as containers have
one) leaves: a process that goes beyond the second is killed, however much the machine has.

>>> Room.of(3 * GIB, processes=2, units=1_000_000)
Room(block_units=12800, processes=2)
>>> Room.of(32 * GIB, processes=2, units=1_000_000)
Room(block_units=25600, processes=2)
>>> Room.of(GIB, processes=2, units=1_000_000)
Room(block_units=3200, processes=1)
>>> Room.of(3 * GIB, processes=2, units=20_000)
Room(block_units=25600, processes=1)

Choices
    * Sizes are a few steps and not whatever fits: a run that was broken off is gone on with in blocks of its size, if
      that fits, and the next start seldom finds the same number of free bytes.
    * Measured with the law of Jiangmen, nine programmes, on a county with every kind of fault: 0.5 GiB at 3 200 units,
      0.9 at 12 800, 1.4 at 25 600, 2.3 at 51 200; of eleven million households a quarter of a GiB more. Each block
      costs a third of a second of its own, whatever its size.
    * A caseload of one block is worked on by one process: starting another takes longer than it saves.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

GIB: Final = 2**30
SIZES: Final = (25_600, 12_800, 6_400, 3_200)
"""Units a block, the best first."""
A_PROCESS: Final = GIB * 6 // 10
A_UNIT: Final = 45_000
"""Bytes that a process takes, and more for each unit of its block."""


@dataclass(frozen=True, slots=True)
class Room:
    """Blocks and processes that fit."""

    block_units: int
    processes: int

    @classmethod
    def of(cls, memory: int | None, *, processes: int, units: int) -> Room:
        """The largest blocks, and then the most processes, that fit into some bytes; the least of both if none do.

        Args:
            memory: bytes that may be used; None if it is not known, then as if there were enough.
            processes: at most.
            units: of the caseload.
        """
        for size in SIZES:
            each = A_PROCESS + A_UNIT * min(size, units)
            used = min(processes, max(-(-units // size), 1))
            if memory is None or used * each <= memory:
                return cls(size, used)
            fewer = memory // each
        return cls(SIZES[-1], max(min(processes, fewer), 1))


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
