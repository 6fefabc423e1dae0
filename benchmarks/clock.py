"""Where does the time go inside one process? Exclusive wall and CPU seconds by label.

Seconds of several threads that work at the same time exclude nothing, so labels count in the thread that made the clock
only; what another does meanwhile counts for the label that this thread is in.

A `Clock` is a context manager by label; labels nest, and a second counts for the innermost one only. `watch`
puts a label on a function of the library for as long as it is asked to, so that the library itself is unchanged.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import wraps
from threading import get_ident
from typing import Any

REST = "rest"
WHOLE = frozenset({"causes", "files", "tokens"})
"""Labels that keep everything inside them, whatever it is labelled."""


def _now() -> tuple[float, float]:
    """Wall seconds, and CPU seconds of this process and of those that it started and that have ended."""
    spent = os.times()
    return time.perf_counter(), spent.user + spent.system + spent.children_user + spent.children_system


class Clock:
    """Seconds by label; `parts` maps a label to (wall, CPU of all threads and ended children)."""

    def __init__(self) -> None:
        self.parts: dict[str, tuple[float, float]] = {}
        self._labels = [REST]
        self._thread = get_ident()
        self._since = _now()

    def _turn(self) -> None:
        now = _now()
        wall, cpu = self.parts.get(self._labels[-1], (0.0, 0.0))
        self.parts[self._labels[-1]] = (wall + now[0] - self._since[0], cpu + now[1] - self._since[1])
        self._since = now

    @contextmanager
    def __call__(self, label: str) -> Iterator[None]:
        self._turn()
        self._labels.append(self._labels[-1] if self._labels[-1] in WHOLE else label)
        try:
            yield
        finally:
            self._turn()
            self._labels.pop()

    def stop(self) -> dict[str, tuple[float, float]]:
        """The seconds so far."""
        self._turn()
        return self.parts

    @contextmanager
    def watch(self, *places: tuple[Any, str, str]) -> Iterator[Clock]:
        """Label calls of (owner, attribute, label) while the block runs."""
        with ExitStack() as stack:
            for owner, name, label in places:
                original = getattr(owner, name)
                setattr(owner, name, self._labelled(original, label))
                stack.callback(setattr, owner, name, original)
            yield self

    def _labelled(self, function: Callable[..., Any], label: str) -> Callable[..., Any]:
        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self(label) if get_ident() == self._thread else nullcontext():
                return function(*args, **kwargs)

        return timed
