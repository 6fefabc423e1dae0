"""What do several folders say of one thing? The stanzas of a parameter, variable, programme or test, from the top down.

A folder may repeat a stanza of the folders above it to override some of its keys; the nearest folder that gives a
key wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from meanscheck.errors import PackError


class Named(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str:
        """Its name in the pack."""


S = TypeVar("S")
N = TypeVar("N", bound=Named)
V = TypeVar("V")
W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class Stanzas(Generic[S]):
    """The stanzas of one thing with the files they stand in, the topmost folder first."""

    name: str
    items: tuple[tuple[str, S], ...]

    def __iter__(self) -> Iterator[tuple[str, S]]:
        return iter(self.items)

    @property
    def place(self) -> str:
        """The file that speaks of it first."""
        return self.items[0][0]

    def nearest(self, value: Callable[[S], V | None]) -> V | None:
        """The value of a key at the folder nearest to the place that gives it; None (or empty text) gives nothing."""
        for _, stanza in reversed(self.items):
            found = value(stanza)
            if found is not None and found != "":
                return found
        return None

    def needed(self, key: str, value: Callable[[S], V | None]) -> V:
        """As `nearest`; PackError if no folder gives it."""
        found = self.nearest(value)
        if found is None:
            raise PackError(f"required key {key} is missing", where=f"{self.place}: {self.name}", remedy=f"Add {key}")
        return found

    def parts(self, kind: str, of: Callable[[S], Iterable[N]]) -> dict[str, Stanzas[N]]:
        """The stanzas of the things inside, by id, such as the tests of a programme."""
        return gathered(f"{self.name}, {kind}", ((place, part) for place, stanza in self.items for part in of(stanza)))

    def only(self, kind: str, of: Callable[[S], W | None]) -> Stanzas[W] | None:
        """The stanzas of the one thing inside, such as the award of a programme; None if no folder gives it."""
        found = tuple((place, part) for place, stanza in self.items if (part := of(stanza)) is not None)
        return Stanzas(f"{self.name}, {kind}", found) if found else None

    def upwards(self, of: Callable[[S], Sequence[V]]) -> list[Sequence[V]]:
        """Its revisions by folder, the nearest first."""
        return [of(stanza) for _, stanza in reversed(self.items)]


def gathered(kind: str, stanzas: Iterable[tuple[str, N]]) -> dict[str, Stanzas[N]]:
    """Stanzas by id, in the order in which ids first appear."""
    found: dict[str, list[tuple[str, N]]] = {}
    for place, stanza in stanzas:
        found.setdefault(stanza.id, []).append((place, stanza))
    return {name: Stanzas(f"{kind} {name}", tuple(items)) for name, items in found.items()}
