"""How do several processes work on one task, and give their answers in order?

A `Task` is sent to each process once and opens there what it needs; then it is given one range after the other. At most
one round more than is waited for is worked on, so memory does not grow with the number of ranges.

Choices
    * Processes are spawned, never forked: Polars and DuckDB hold threads and locks that a fork would copy half-way. A
      script that uses them needs the usual ``if __name__ == "__main__"``.
    * Pipes to a few processes and not `concurrent.futures`: its pool of spawned processes can wait for ever when one of
      them is killed (CPython 3.11), and a run of hours must end instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

from meanscheck.errors import InternalError, StoreError

if TYPE_CHECKING:
    Pipe: TypeAlias = connection.Connection[Any, Any]

_THREADS = "POLARS_MAX_THREADS"
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Task(Protocol[R_co]):
    """What each process does; sent to it once, so it must be possible to pickle it."""

    def open(self) -> AbstractContextManager[Callable[[int, range], R_co]]:
        """Whatever the process needs for its life; gives the function of a range's number and of the range."""


def in_order(task: Task[R], ranges: Sequence[range], *, processes: int) -> Iterator[R]:
    """A task over ranges by several processes; answers in the order of the ranges.

    Raises:
        StoreError: the task did, or a process ended before its work was done.
        InternalError: the task did, or failed in a way that nobody foresaw.
    """
    done: dict[int, R] = {}
    given = 0
    with _workers(task, min(processes, len(ranges))) as workers:
        idle = list(workers)
        busy: list[_Worker[R]] = []
        for wanted in range(len(ranges)):
            while True:
                # Nobody runs ahead of the range that is waited for by more than one round, and nobody is left without
                # work while the caller has his turn.
                while idle and given < min(len(ranges), wanted + 2 * processes):
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


@contextmanager
def _workers(task: Task[R], count: int) -> Iterator[list[_Worker[R]]]:
    workers: list[_Worker[R]] = []
    # Pickled once, and sent when all have been started: who takes a task must first load what it is made of, and they
    # do so at the same time.
    sent = ForkingPickler.dumps(task)
    try:
        with _single_threads():
            for _ in range(count):
                workers.append(_Worker.start())
        for worker in workers:
            worker.tell(sent)
        yield workers
    finally:
        for worker in workers:
            worker.end()
        for worker in workers:
            worker.gone()


@dataclass(frozen=True, slots=True, eq=False)
class _Worker(Generic[R]):
    """A process as the driver sees it."""

    process: SpawnProcess
    pipe: Pipe

    @classmethod
    def start(cls) -> _Worker[R]:
        context = get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there,), daemon=True)
        process.start()
        # Without the driver's copy of its end, a process that dies closes the pipe.
        there.close()
        return cls(process, here)

    def tell(self, task: memoryview) -> None:
        with suppress(ConnectionError):
            self.pipe.send_bytes(task)

    def give(self, number: int, units: range) -> None:
        with suppress(BrokenPipeError):
            self.pipe.send((number, units))

    def take(self) -> tuple[int, R]:
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


def _answered(workers: Sequence[_Worker[R]]) -> list[_Worker[R]]:
    """Those with an answer, or gone; waits for one."""
    ready = connection.wait([worker.pipe for worker in workers])
    return [worker for worker in workers if worker.pipe in ready]


@contextmanager
def _single_threads() -> Iterator[None]:
    """Processes started meanwhile give Polars one thread each; it reads that from the environment only."""
    before = os.environ.get(_THREADS)
    os.environ[_THREADS] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_THREADS]
        else:
            os.environ[_THREADS] = before


def _serve(pipe: Pipe) -> None:
    """A worker's life: its task, then one range after the other, until the driver closes the pipe."""
    number = -1
    with suppress(EOFError, KeyboardInterrupt, BrokenPipeError):
        try:
            task: Task[Any] = ForkingPickler.loads(pipe.recv_bytes())
            with task.open() as work:
                while True:
                    number, units = pipe.recv()
                    pipe.send((number, work(number, units)))
        except (StoreError, InternalError) as fault:
            pipe.send((number, fault))
        except (EOFError, OSError):
            raise
        except Exception as fault:
            # Its own words may hold values.
            pipe.send((number, InternalError(f"unforeseen {type(fault).__name__} in a worker process")))
