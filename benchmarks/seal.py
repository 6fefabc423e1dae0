"""What do commitments, leaves, tree and tiles take, and what does all of it take from evidence to sealed decisions?

`whole`    one `Ledger.append(assess(store, law))` from an existing projection: blocks pulled, facts, rules, causes,
           records, vault files, seven salted group hashes and their tree a decision, leaves, tree, tiles, checkpoints
`small`    the same under the law of the comparison, that the hand-written pipeline is measured beside (`beside`);
           `pool_small` by two processes
`pool`     the first by two processes, with blocks of half the size; without parts, which the processes do not tell
`measure`  the ledger's own work alone: the same records appended to a second log; reading them is not counted
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from benchmarks.assess import labelled
from benchmarks.caseload import ORIGIN, Place, batch_vault, law_compared, law_of_the_day, opened
from benchmarks.clock import Clock

if TYPE_CHECKING:
    from meanscheck.ledger import Seal, SealedBlock


BLOCK_UNITS = 51_200


def _hashing() -> tuple[tuple[Any, str, str], ...]:
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


def whole(place: Place, clock: Clock) -> dict[str, Any]:
    """From stored evidence to sealed decisions, in one process."""
    return _sealed(place, place, clock, law=law_of_the_day, processes=1)


def small(place: Place, clock: Clock) -> dict[str, Any]:
    """The same under the law of the comparison."""
    place.compared.folder.mkdir(exist_ok=True)
    return _sealed(place, place.compared, clock, law=law_compared, processes=1)


def pool_small(place: Place, clock: Clock) -> dict[str, Any]:
    """The law of the comparison by a pool of two; starting the processes counts."""
    place.compared.folder.mkdir(exist_ok=True)
    return _sealed(place, place.compared, clock, law=law_compared, processes=2)


def pool(place: Place, clock: Clock) -> dict[str, Any]:
    """The same by a pool of two; starting the processes counts."""
    return _sealed(place, place, clock, law=law_of_the_day, processes=2)


def _sealed(place: Place, made: Place, clock: Clock, *, law: Callable[[], Any], processes: int) -> dict[str, Any]:
    """Work on the evidence of `place`; vault, ledger and key go to `made`."""
    with clock("preparation"):
        from meanscheck.decisions import assess
        from meanscheck.engines import Pool
        from meanscheck.ledger import Ledger, Signer

        for folder in (made.vault, made.ledger, made.key.parent):
            shutil.rmtree(folder, ignore_errors=True)
        in_force = law()
    signer = Signer.generate(ORIGIN)
    signer.save(made.key, unprotected=True)
    with clock("preparation"):
        places = (*labelled(), *_hashing())
    with opened(place) as store:
        with clock.watch(*places):
            engine = Pool(processes)
            assessment = assess(store, in_force, vault=made.vault, block_units=BLOCK_UNITS // processes, engine=engine)
            sealed = Ledger.open(made.ledger, signer=signer).append(assessment)
        if sealed.count != assessment.projection.units:
            raise RuntimeError("not every unit was sealed")
        with clock("not counted"):
            record_bytes = _bytes_of_first(made)
        return {
            "units": sealed.count,
            "rows": sum(assessment.projection.rows.values()),
            "record_bytes": record_bytes,
            "records_root": assessment.records_root,
            "outcomes": assessment.closing["outcomes"],
        }


def _bytes_of_first(place: Place) -> int:
    """Mean bytes of a record over the first thousand."""
    from benchmarks.caseload import held_records

    held = held_records(place, 1000)
    return sum(len(text) for h in held for text in h.groups.values()) // max(len(held), 1)


class _Records:
    """The records that `whole` left in the vault, as a batch of their own."""

    batch_id = "sealing-alone"
    opening: Mapping[str, Any] = {"benchmark": True}
    closing: Mapping[str, Any] = {}

    def __init__(self, place: Place, clock: Clock) -> None:
        self.vault, self.clock = batch_vault(place), clock

    def sealed(self, seal: Seal) -> Iterator[SealedBlock]:
        """As `Assessment.sealed` gives them; what is before the hand-over is labelled as reading."""
        from meanscheck.decisions.kernel import texts_of

        frames, position = self.vault.blocks(), 0
        while True:
            with self.clock("reading"):
                frame = next(frames, None)
                if frame is None:
                    return
                tokens, groups = frame["token"].to_list(), texts_of(frame)
            yield seal(position, tokens=tokens, groups=groups)
            position += frame.height


def measure(place: Place, clock: Clock) -> dict[str, Any]:
    """The ledger's part alone."""
    with clock("preparation"):
        from meanscheck.ledger import Ledger, Signer
    folder = place.folder / "ledger-alone"
    shutil.rmtree(folder, ignore_errors=True)
    with clock.watch(*_hashing()):
        sealed = Ledger.open(folder, signer=Signer.generate(ORIGIN)).append(_Records(place, clock))
    shutil.rmtree(folder)
    return {"units": sealed.count}
