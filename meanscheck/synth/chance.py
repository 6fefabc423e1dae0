"""Where does every made-up value come from? From one stream of numbers per part of the county, fixed by the seed.

A part is `PART` households. Each part has its own stream, seeded by (seed, part), so the data of a county depend on
seed and size only: not on threads, machine or how far a run got. Whole numbers are drawn throughout, so that no
rounding of a machine can show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

PART = 50_000
"""Households per part: a constant of the data, not a tuning knob (another value is another county)."""

Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

NULL = -(2**62)
"""Stands for an absent amount, number or day in an `Ints` column."""


class Chance:
    """Draws for one part of a county.

    Args:
        seed: the county's seed.
        part: number of the part, from 0.
        stream: keeps independent purposes apart (facts 0, mess 1), so that mess does not change the facts.
    """

    def __init__(self, seed: int, *, part: int, stream: int = 0) -> None:
        self._generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, part, stream])))

    def between(self, low: int | Ints, high: int | Ints, *, n: int) -> Ints:
        """`n` whole numbers from `low` to `high`, both included."""
        return self._generator.integers(low, high, size=n, endpoint=True, dtype=np.int64)

    def happens(self, permille: int | Ints, *, n: int) -> Bools:
        """`n` yes/no draws at a rate in thousandths."""
        return self.between(0, 999, n=n) < permille

    def pick(self, weights: Sequence[int], *, n: int) -> Ints:
        """`n` indexes into `weights`, each as often as its weight says."""
        steps = np.cumsum(np.asarray(weights, dtype=np.int64))
        return np.searchsorted(steps, self.between(0, int(steps[-1]) - 1, n=n), side="right").astype(np.int64)

    def skewed(self, low: int, high: int, *, n: int) -> Ints:
        """`n` whole numbers from `low` to `high`, small ones far more often (the product of two uniform draws)."""
        first, second = self.between(0, 10_000, n=n), self.between(0, 10_000, n=n)
        return low + (high - low) * first // 10_000 * second // 10_000
