"""Where does the time go between projected evidence and sealed decisions, under the law of the comparison?

pull      a block of whole units out of the projection
facts     feeds and members added up (running sums at row counts), unknowns kept
rules     variables, tests, awards, margins; what the emitter itself takes
contradictions   between feeds: what is found and what settles it
causes    why a programme could not be decided: the units concerned are reckoned again with sets of causes
records   seven groups of canonical JSON a unit, outcomes table
bytes     records as Python's bytes, one digest each
files     records, outcomes and salts sealed, the vault's Parquet files, the dictionary by which they are packed
commitments, leaves, tree, tiles, tokens   what the ledger does
rest      counts, and what nobody is labelled for

The next block is not read meanwhile, as it is otherwise by one process: two things at a time have no seconds of their
own, and reading would vanish behind the files, which stand in no ratio.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.caseload import Place, law_compared
from benchmarks.clock import Clock
from benchmarks.seal import sealed

if TYPE_CHECKING:
    from meanscheck.decisions.kernel import DoneBlock, Kernel
    from meanscheck.evidence import Projection


def measure(place: Place, clock: Clock) -> dict[str, Any]:
    """From stored evidence to sealed decisions in one process, one thing after the other."""
    with clock("preparation"):
        places = (*_deciding(), *_hashing())
    with clock.watch(*places):
        return sealed(place, place.compared, clock, law=law_compared, engine=_Straight())


class _Straight:
    """The engine of one process that reads a block when it is its turn."""

    processes = 1

    def run(self, kernel: Kernel, projection: Projection, ranges: Sequence[range]) -> Iterator[DoneBlock]:
        from meanscheck.decisions.kernel import READING

        with projection.store.less_memory(READING, let_go=True), projection.file.open() as reader:
            for number, units in enumerate(ranges):
                yield kernel(reader, number, units)


def _deciding() -> tuple[tuple[Any, str, str], ...]:
    """The library's functions up to the vault, and the part that each belongs to."""
    from meanscheck.decisions import encode, kernel
    from meanscheck.evidence import projection
    from meanscheck.law import vectors
    from meanscheck.vault import Vault

    return (
        (projection, "pull", "pull"),
        (projection.Reader, "tokens", "pull"),
        (kernel, "VectorRun", "rules"),
        (encode, "causes_of", "causes"),
        (encode.BlockRecords, "frame", "records"),
        (encode.BlockRecords, "__init__", "records"),
        (kernel, "outcomes_of", "records"),
        (kernel, "texts_of", "bytes and digests"),
        # Not each digest by itself: the clock would cost as much as what it measures.
        (kernel.Kernel, "_made", "bytes and digests"),
        (Vault, "put", "files"),
        (kernel, "keep_seals", "files"),
        (importlib.import_module("meanscheck.decisions.assess"), "dictionaries_of", "files"),
        (vectors, "put_aggregates", "facts"),
        (vectors, "put_people", "facts"),
        (vectors, "find", "contradictions"),
    )


def _hashing() -> tuple[tuple[Any, str, str], ...]:
    """Those of the ledger."""
    from meanscheck.ledger import bulk, together, tokens
    from meanscheck.ledger.log import Growth
    from meanscheck.ledger.merkle import Frontier

    return (
        (bulk, "seal_block", "leaves"),
        (bulk, "_commitments", "commitments"),
        (bulk.Seal, "together", "tiles"),
        (Growth, "put", "tiles"),
        (Growth, "add", "tiles"),
        (Growth, "publish", "tiles"),
        # Of the log and of the batch: the roots that the checkpoint and batch-close tell.
        (together.Cut, "of", "tree"),
        (Frontier, "extend", "tree"),
        (Frontier, "root", "tree"),
        # Which households were decided, as batch-close tells it.
        (tokens, "dealt", "tokens"),
        (tokens, "root", "tokens"),
        (tokens.Tokens, "take", "tokens"),
        (tokens.Tokens, "pages", "tokens"),
    )
