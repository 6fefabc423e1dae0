"""How do several processes work on one task after another, and give their answers in order?

A `Task` is sent to each process once and opens there what it needs; then it is given one range after the other. At most
one round more than is waited for is worked on, so memory does not grow with the number of ranges.

    with Processes(2, of=Counting) as processes:            # they start, and load what such a task is made of
        for answer in processes.in_order(Counting(), ranges):
            …

Choices
    * Processes are spawned, never forked: Polars and DuckDB hold threads and locks that a fork would copy half-way. A
      script that uses them needs the usual ``if __name__ == "__main__"``.
    * Pipes to a few processes and not `concurrent.futures`: its pool of spawned processes can wait for ever when one of
      them is killed (CPython 3.11), and a run of hours must end instead.
    * A task that is broken off ends the processes: what they would still answer belongs to nobody. Others are started
      for the next.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from meanscheck.errors import InternalError, StoreError

if TYPE_CHECKING:
    Pipe: TypeAlias = connection.Connection[Any, Any]

_ALLOCATOR = "_RJEM_MALLOC_CONF"
_SETTINGS = {
    "OPENBLAS_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    _ALLOCATOR: "narenas:1,dirty_decay_ms:20000,muzzy_decay_ms:0",
}
"""Read from the environment by Polars, and by what NumPy computes with, when they are loaded: one thread each (that of
NumPy would start others, for 0.06 s of CPU, that nobody uses), and memory that one range has used is kept for the next
ones, not for half a second: a range lasts some seconds, and to ask the system for it anew takes a sixth of its time.
What nobody used for twenty seconds is given back and not only marked as free: such pieces would add up to 130 MiB a
process. In one arena, since the few threads seldom allocate at once, and what one of them lets go another can use: 100
MiB less for two processes."""
_OF_POLARS = "dirty_decay_ms:500,muzzy_decay_ms:1000"
"""What Polars puts there itself when it is loaded, before what somebody else has set."""
_END = ForkingPickler.dumps(None)
"""Sent where a range could be: there are no more."""
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Task(Protocol[R_co]):
    """What each process does; sent to it once, so it must be possible to pickle it."""

    def open(self) -> AbstractContextManager[Callable[[int, range], R_co]]:
        """Whatever the process needs for its life; gives the function of a range's number and of the range."""


def in_order(task: Task[R], ranges: Sequence[range], *, processes: int) -> Iterator[R]:
    """A task over ranges by several processes that live as long as it does; see `Processes.in_order`."""
    with Processes(min(processes, len(ranges))) as started:
        yield from started.in_order(task, ranges)


class Processes:
    """Some processes that wait for tasks; entered, they start, and they end when it is left."""

    def __init__(self, count: int, *, of: type[Task[Any]] | None = None) -> None:
        """So many processes; tasks of the kind `of` find them with all loaded that they are made of."""
        self.count, self._of = count, of
        self._workers: list[_Worker] = []
        self._works = False

    def __enter__(self) -> Processes:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def in_order(self, task: Task[R], ranges: Sequence[range]) -> Iterator[R]:
        """The task over ranges; answers in the order of the ranges.

        Raises:
            StoreError: the task did, or a process ended before its work was done.
            InternalError: the task did, or failed in a way that nobody foresaw.
        """
        if self._works:
            raise StoreError("these processes work on another task, which was not read to its end; start others")
        self._works = True
        try:
            # Those that were kept may be gone: killed for memory while they had nothing to do.
            if not self._workers or not all(worker.process.is_alive() for worker in self._workers):
                self._end()
                self._start()
            yield from self._answers(task, ranges)
        except BaseException:
            self._end()
            raise
        finally:
            self._works = False
        for worker in self._workers:
            worker.tell(_END)

    def _answers(self, task: Task[R], ranges: Sequence[range]) -> Iterator[R]:
        # Pickled once, and sent to all: who takes a task must first load what it is made of, and they do so at the
        # same time.
        sent = ForkingPickler.dumps(task)
        for worker in self._workers:
            worker.tell(sent)
        done: dict[int, R] = {}
        given = 0
        idle = list(self._workers)
        busy: list[_Worker] = []
        for wanted in range(len(ranges)):
            while True:
                # Nobody runs ahead of the range that is waited for by more than one round, and nobody is left without
                # work while the caller has his turn.
                while idle and given < min(len(ranges), wanted + 2 * self.count):
                    busy.append(idle.pop())
                    busy[-1].give(given, ranges[given])
                    given += 1
                if wanted in done:
                    break
                for worker in _answered(busy):
                    number, answer = worker.take()
                    done[number] = answer
                    busy.remove(worker)
                    idle.append(worker)
            yield done.pop(wanted)

    def _start(self) -> None:
        try:
            with _settings():
                for _ in range(self.count):
                    self._workers.append(_Worker.start())
        except BaseException:
            self._end()
            raise
        if self._of is not None:
            sent = ForkingPickler.dumps(self._of)
            for worker in self._workers:
                worker.tell(sent)

    def _end(self) -> None:
        for worker in self._workers:
            worker.end()
        for worker in self._workers:
            worker.gone()
        self._workers = []


@dataclass(frozen=True, slots=True, eq=False)
class _Worker:
    """A process as the driver sees it."""

    process: SpawnProcess
    pipe: Pipe

    @classmethod
    def start(cls) -> _Worker:
        context = get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there,), daemon=True)
        process.start()
        # Without the driver's copy of its end, a process that dies closes the pipe.
        there.close()
        return cls(process, here)

    def tell(self, task: memoryview) -> None:
        """Send a task, or the kind of those to come; to a process that is gone in vain, as `take` will say."""
        with suppress(ConnectionError):
            self.pipe.send_bytes(task)

    def give(self, number: int, units: range) -> None:
        with suppress(BrokenPipeError):
            self.pipe.send((number, units))

    def take(self) -> tuple[int, Any]:
        try:
            number, answer = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            raise StoreError(
                "a worker process ended before its work was done (short of memory?); nothing was closed. "
                "Use fewer processes or smaller blocks"
            ) from None
        if isinstance(answer, StoreError | InternalError):
            raise answer
        return number, answer

    def end(self) -> None:
        self.pipe.close()
        self.process.terminate()

    def gone(self) -> None:
        """Waits until the process has ended."""
        self.process.join()
        self.process.close()


def _answered(workers: Sequence[_Worker]) -> list[_Worker]:
    """Those with an answer, or gone; waits for one."""
    ready = connection.wait([worker.pipe for worker in workers])
    return [worker for worker in workers if worker.pipe in ready]


@contextmanager
def _settings() -> Iterator[None]:
    """Processes started meanwhile have them; what somebody has set for the allocator himself stays."""
    before: dict[str, str | None] = {name: os.environ.get(name) for name in _SETTINGS}
    own = before[_ALLOCATOR]
    os.environ.update(_SETTINGS if own in (None, _OF_POLARS) else {**_SETTINGS, _ALLOCATOR: own})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(pipe: Pipe) -> None:
    """A worker's life: a task, one range after the other, then the next task, until the driver closes the pipe."""
    number = -1
    with suppress(EOFError, KeyboardInterrupt, BrokenPipeError):
        try:
            while True:
                task: Task[Any] | type[Task[Any]] = ForkingPickler.loads(pipe.recv_bytes())
                if isinstance(task, type):
                    continue  # By being told its kind, the process has loaded what such a task is made of.
                with task.open() as work:
                    while (given := pipe.recv()) is not None:
                        number, units = given
                        pipe.send((number, work(number, units)))
        except (StoreError, InternalError) as fault:
            pipe.send((number, fault))
        except (EOFError, OSError):
            raise
        except Exception as fault:
            # Its own words may hold values.
            pipe.send((number, InternalError(f"unforeseen {type(fault).__name__} in a worker process")))
