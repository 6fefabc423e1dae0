"""How do several processes of one machine work on one caseload?

Each process opens the projection for itself, to read only, and works whole ranges of units from evidence to sealed
entries in the vault; what comes back is small: counts, digests, entries and their hashes. Blocks are handed over in
order, at most one more than there are processes being worked on or waiting, so memory does not grow with the caseload.

Processes that are kept start at once and work on one caseload after another:

    with Pool(2) as engine:                                 # while laws and evidence are being read
        for store in provinces:
            ledger.append(assess(store, law, engine=engine))

Choices (beside those of `processes`)
    * Processes of one thread each, not threads: the executor's expressions are made in Python, and two processes of one
      Polars thread take less time than one process of two.
    * A process that dies (or is killed for memory) ends the run with an error; the log keeps the batch's opening and
      nothing else of it, and the same batch can be appended again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial

from meanscheck.contracts import FeedContract, all_feeds
from meanscheck.contracts.catalogue import tell_feeds
from meanscheck.decisions.kernel import READING, DoneBlock, InOrder, Kernel
from meanscheck.engines.processes import Processes
from meanscheck.evidence import Projection, ProjectionFile


@dataclass(slots=True)
class Pool:
    """Several processes: for each caseload, or, entered, until it is left.

    Attributes:
        processes: how many; as many as there are processors, unless memory is short.
        memory_limit: bound of the database's own memory in each, as DuckDB writes sizes.
    """

    processes: int
    memory_limit: str = "64MB"
    _kept: Processes | None = field(default=None, init=False, repr=False, compare=False)

    def __enter__(self) -> Pool:
        if self.processes > 1:
            self._kept = Processes(self.processes, of=_Caseload).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self._kept is not None:
            self._kept.__exit__()
            self._kept = None

    def run(self, kernel: Kernel, projection: Projection, ranges: Sequence[range]) -> Iterator[DoneBlock]:
        """The blocks in order; a single one is worked on in this process, which is quicker than starting another.

        Raises:
            StoreError: a process ended before its work was done.
        """
        if len(ranges) < 2 or self.processes < 2:
            yield from InOrder().run(kernel, projection, ranges)
            return
        own = Processes(min(self.processes, len(ranges))) if self._kept is None else nullcontext(self._kept)
        # What the store's own connection keeps of what it has read is of no use while others read.
        with own as processes, projection.store.less_memory(READING, let_go=True):
            yield from processes.in_order(_Caseload(kernel, projection.file, self.memory_limit), ranges)


@dataclass(frozen=True, slots=True)
class _Caseload:
    """The kernel over a projection that each process opens for itself."""

    kernel: Kernel
    file: ProjectionFile
    memory_limit: str
    feeds: Mapping[str, FeedContract] = field(default_factory=lambda: dict(all_feeds()))
    """Of this library's own `schemas`: they are read in a tenth of a second, and sent in a twentieth of that."""

    @contextmanager
    def open(self) -> Iterator[Callable[[int, range], DoneBlock]]:
        tell_feeds(self.feeds)
        with self.file.open(memory_limit=self.memory_limit) as reader:
            yield partial(self.kernel, reader)
