"""How does the next part get ready while this one is worked on? Polars, DuckDB and NumPy let other threads run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


class _End:
    """There is no further item."""


_END: Final = _End()


class Ahead(Iterator[_Made], Generic[_Item, _Made]):
    """What is made of each item, in order, while what was made of those before is used.

    Items come one after the other, by whichever thread is free; several may be worked on at once. What fails is told
    where it would have come, and nothing comes after it. A context manager, so that no thread outlives its use.
    """

    def __init__(self, items: Iterator[_Item], work: Callable[[_Item], _Made], *, threads: int = 1) -> None:
        """Begin at once.

        Args:
            items: asked by one thread at a time, in the order of what is made.
            work: makes one; called by several threads at once if there are several.
            threads: so many are made ahead.
        """
        self._items, self._work = items, work
        self._pool = ThreadPoolExecutor(threads)
        self._coming: deque[Future[_Made | _End]] = deque()
        self._asked = Event()
        self._asked.set()
        for _ in range(threads):
            self._begin()

    def _begin(self) -> None:
        before, self._asked = self._asked, Event()
        self._coming.append(self._pool.submit(self._make, before, self._asked))

    def _make(self, before: Event, asked: Event) -> _Made | _End:
        before.wait()
        try:
            item = next(self._items, _END)
        finally:
            asked.set()
        return item if isinstance(item, _End) else self._work(item)

    def __next__(self) -> _Made:
        if not self._coming:
            raise StopIteration
        try:
            made = self._coming.popleft().result()
        except BaseException:
            self.close()
            raise
        if isinstance(made, _End):
            self.close()
            raise StopIteration
        self._begin()
        return made

    def close(self) -> None:
        """Make nothing more; waits for what is being made."""
        self._coming.clear()
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def ahead(items: Iterator[_Item]) -> Iterator[_Item]:
    """The same items, each asked for by another thread while the one before is used."""
    with Ahead(items, _itself) as coming:
        yield from coming


def _itself(item: _Item) -> _Item:
    return item
