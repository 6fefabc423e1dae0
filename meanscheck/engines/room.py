"""Which blocks and how many processes fit into the memory that there is (see `evidence.memory`)?

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
      0.9 at 12 800, 1.4 at 25 600, 2.3 at 51 200; eleven million take a tenth of a GiB more. Each block
      costs a third of a second of its own, whatever its size.
    * A caseload of one block is worked on by one process: starting another takes longer than it saves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meanscheck.evidence.memory import GIB

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
