"""How do several processes of one machine work on one caseload?

Each process opens the projection for itself, to read only, and works whole ranges of units from evidence to sealed
entries in the vault; what comes back is small: counts, digests, entries and their hashes. Blocks are handed over in
order, at most one more than there are processes being worked on or waiting, so memory does not grow with the caseload.

Choices
    * Processes of one thread each, not threads: the executor's expressions are made in Python, and two processes of one
      Polars thread take less time than one process of two.
    * Processes are spawned, never forked: Polars and DuckDB hold threads and locks that a fork would copy half-way. A
      script that uses a pool needs the usual ``if __name__ == "__main__"``.
    * Pipes to a few processes and not `concurrent.futures`: its pool of spawned processes can wait for ever when one of
      them is killed (CPython 3.11), and a run of hours must end instead.
    * A process that dies (or is killed for memory) ends the run with an error; the log keeps the batch's opening and
      nothing else of it, and the same batch can be appended again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING, Any, TypeAlias

from meanscheck.decisions.kernel import DoneBlock, InOrder, Kernel
from meanscheck.errors import InternalError, StoreError
from meanscheck.evidence import Projection, ProjectionFile

if TYPE_CHECKING:
    Pipe: TypeAlias = connection.Connection[Any, Any]

_THREADS = "POLARS_MAX_THREADS"


@dataclass(frozen=True, slots=True)
class Pool:
    """Several processes.

    Attributes:
        processes: how many; as many as there are processors, unless memory is short.
        memory_limit: bound of the database's own memory in each, as DuckDB writes sizes.
    """

    processes: int
    memory_limit: str = "512MB"

    def run(self, kernel: Kernel, projection: Projection, ranges: Sequence[range]) -> Iterator[DoneBlock]:
        """The blocks in order; a single one is worked on in this process, which is quicker than starting another.

        Raises:
            StoreError: a process ended before its work was done.
        """
        if len(ranges) < 2 or self.processes < 2:
            yield from InOrder().run(kernel, projection, ranges)
            return
        done: dict[int, DoneBlock] = {}
        given = 0
        with self._workers(kernel, projection.file, min(self.processes, len(ranges))) as workers:
            idle = list(workers)
            busy: list[_Worker] = []
            for wanted in range(len(ranges)):
                while wanted not in done:
                    # Nobody runs ahead of the block that is waited for by more than one round.
                    while idle and given < min(len(ranges), wanted + 2 * self.processes):
                        busy.append(idle.pop())
                        busy[-1].give(given, ranges[given])
                        given += 1
                    for worker in _answered(busy):
                        number, block = worker.take()
                        done[number] = block
                        busy.remove(worker)
                        idle.append(worker)
                yield done.pop(wanted)

    @contextmanager
    def _workers(self, kernel: Kernel, file: ProjectionFile, count: int) -> Iterator[list[_Worker]]:
        workers: list[_Worker] = []
        try:
            with _single_threads():
                for _ in range(count):
                    workers.append(_Worker.start(kernel, file, self.memory_limit))
            yield workers
        finally:
            for worker in workers:
                worker.end()


@dataclass(frozen=True, slots=True, eq=False)
class _Worker:
    """A process as the driver sees it."""

    process: SpawnProcess
    pipe: Pipe

    @classmethod
    def start(cls, kernel: Kernel, file: ProjectionFile, memory_limit: str) -> _Worker:
        context = get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there, kernel, file, memory_limit), daemon=True)
        process.start()
        # Without the driver's copy of its end, a process that dies closes the pipe.
        there.close()
        return cls(process, here)

    def give(self, number: int, units: range) -> None:
        with suppress(BrokenPipeError):
            self.pipe.send((number, units))

    def take(self) -> tuple[int, DoneBlock]:
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
        self.process.join()
        self.process.close()


def _answered(workers: Sequence[_Worker]) -> list[_Worker]:
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


def _serve(pipe: Pipe, kernel: Kernel, file: ProjectionFile, memory_limit: str) -> None:
    """A worker's life: one range after the other, until the driver closes the pipe."""
    number = -1
    with suppress(EOFError, KeyboardInterrupt, BrokenPipeError):
        try:
            with file.open(memory_limit=memory_limit) as reader:
                while True:
                    number, units = pipe.recv()
                    pipe.send((number, kernel(reader, number, units)))
        except (StoreError, InternalError) as fault:
            pipe.send((number, fault))
        except (EOFError, OSError):
            raise
        except Exception as fault:
            # Its own words may hold values.
            pipe.send((number, InternalError(f"unforeseen {type(fault).__name__} in a worker process")))
