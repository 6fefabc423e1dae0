"""Which blocks and how many processes fit into the memory that there is (see `evidence.memory`)?

>>> Room.of(3 * GIB, processors=2, units=1_000_000)
Room(block_units=25600, processes=2)
>>> Room.of(2 * GIB, processors=2, units=1_000_000)
Room(block_units=12800, processes=2)
>>> Room.of(GIB, processors=2, units=1_000_000)
Room(block_units=12800, processes=1)
>>> Room.of(3 * GIB, processors=8, units=1_000_000)
Room(block_units=6400, processes=4)
>>> Room.of(3 * GIB, processors=2, units=20_000)
Room(block_units=25600, processes=1)

Choices
    * Sizes are a few steps and not whatever fits: a run that was broken off is gone on with in blocks of its size, if
      that fits, and the next start seldom finds the same number of free bytes.
    * Measured with the law of Jiangmen, nine programmes, on a county with every kind of fault (MiB, seconds for 100 000
      units; ten million by two processes take 2 521 MiB):

        units a block        3 200   6 400   12 800   25 600
        one process            441     538      739    1 082
        two, and the driver    957   1 163    1 549    2 269
        one process, s        21.2    15.0     11.9     10.8
        two processes, s      11.0     8.7      7.0      6.7

      So a process takes 350 to 385 MiB and 30 kB a unit; what is reckoned with is a fifth more. A block costs as much
      as 4 160 units do, whatever its size, so with little memory fewer processes with larger blocks are faster.
    * A caseload of one block is worked on by one process: starting another takes longer than it saves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meanscheck.evidence.memory import GIB

SIZES: Final = (25_600, 12_800, 6_400, 3_200)
"""Units a block, the best first."""
A_PROCESS: Final = GIB // 2
A_UNIT: Final = 36_000
"""Bytes that a process takes, and more for each unit of its block."""
A_BLOCK: Final = 4_160
"""Units that take as long as a block takes beyond its own."""


@dataclass(frozen=True, slots=True)
class Room:
    """Blocks and processes that fit."""

    block_units: int
    processes: int

    @classmethod
    def of(
        cls,
        memory: int | None,
        *,
        units: int,
        processors: int,
        processes: int | None = None,
        block_units: int | None = None,
    ) -> Room:
        """The blocks and processes that fit and are fastest together; the least of both if none do.

        Args:
            memory: bytes that may be used; None if it is not known, then as if there were enough.
            units: of the caseload.
            processors: as many processes at most.
            processes: exactly so many, if that was asked for.
            block_units: blocks of exactly that size, if that was asked for.
        """
        sizes = SIZES if block_units is None else (block_units,)
        most = min(processors, max(-(-units // sizes[0]), 1))
        counts = range(1, most + 1) if processes is None else (processes,)
        fitting = [
            cls(size, count)
            for size in sizes
            for count in counts
            if memory is None or count * (A_PROCESS + A_UNIT * min(size, units)) <= memory
        ]
        return max(fitting, key=lambda room: room.pace, default=cls(sizes[-1], counts[0]))

    @property
    def pace(self) -> float:
        """How fast they are together: one process that had the whole caseload in one block would be 1."""
        return self.processes * self.block_units / (self.block_units + A_BLOCK)
