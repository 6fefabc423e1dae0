"""Where do generated laws and cases get their choices? From Hypothesis, or from a seed for long runs by hand."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Chooser(Protocol):
    """Makes the choices."""

    def pick(self, options: Sequence[T]) -> T:
        """One of the options; the first is the simplest."""

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""


class Drawn:
    """Choices that Hypothesis makes, and shrinks."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def pick(self, options: Sequence[T]) -> T:
        return self.draw(st.sampled_from(options))

    def whole(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))


class Seeded:
    """Choices that follow from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def pick(self, options: Sequence[T]) -> T:
        return self.random.choice(options)

    def whole(self, low: int, high: int) -> int:
        return self.random.randint(low, high)


def often(choose: Chooser, percent: int) -> bool:
    """True in about that many of a hundred."""
    return choose.whole(0, 99) >= 100 - percent
