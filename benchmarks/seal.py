"""What do commitments, leaves, tree and tiles take, and what does all of it take from evidence to sealed decisions?

`whole`    one `Ledger.append(assess(store, law))` from an existing projection: blocks pulled, facts, rules, causes,
           records, vault files, seven salted group hashes and their tree a decision, leaves, tree, tiles, checkpoints
`pool`     the same by two processes, with blocks of half the size; without parts, which the processes do not tell
`measure`  the ledger's own work alone: the same records appended to a second log; reading them is not counted
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from benchmarks.assess import labelled
from benchmarks.caseload import ORIGIN, Place, batch_vault, law_of_the_day, opened
from benchmarks.clock import Clock

if TYPE_CHECKING:
    from meanscheck.ledger import Seal, SealedBlock


BLOCK_UNITS = 51_200


def _hashing() -> tuple[tuple[Any, str, str], ...]:
    from meanscheck.ledger import bulk
    from meanscheck.ledger.log import Growth
    from meanscheck.ledger.merkle import Frontier

    return (
        (bulk, "seal_block", "leaves"),
        (bulk, "_commitments", "commitments"),
        (bulk.Seal, "together", "tree and tiles"),
        (Growth, "put", "tree and tiles"),
        (Growth, "add", "tree and tiles"),
        (Growth, "publish", "tree and tiles"),
        (Frontier, "extend", "tree and tiles"),
    )


def whole(place: Place, clock: Clock) -> dict[str, Any]:
    """From stored evidence to sealed decisions, in one process."""
    return _sealed(place, clock, processes=1)


def pool(place: Place, clock: Clock) -> dict[str, Any]:
    """The same by a pool of two; starting the processes counts."""
    return _sealed(place, clock, processes=2)


def _sealed(place: Place, clock: Clock, *, processes: int) -> dict[str, Any]:
    with clock("preparation"):
        from meanscheck.decisions import assess
        from meanscheck.engines import Pool
        from meanscheck.ledger import Ledger, Signer
    for folder in (place.vault, place.ledger, place.key.parent):
        shutil.rmtree(folder, ignore_errors=True)
    with clock("preparation"):
        law = law_of_the_day()
    signer = Signer.generate(ORIGIN)
    signer.save(place.key, unprotected=True)
    with clock("preparation"):
        places = (*labelled(), *_hashing())
    with opened(place) as store:
        with clock.watch(*places):
            engine = Pool(processes)
            assessment = assess(store, law, vault=place.vault, block_units=BLOCK_UNITS // processes, engine=engine)
            sealed = Ledger.open(place.ledger, signer=signer).append(assessment)
        if sealed.count != assessment.projection.units:
            raise RuntimeError("not every unit was sealed")
        return {
            "units": sealed.count,
            "rows": sum(assessment.projection.rows.values()),
            "record_bytes": _bytes_of_first(place),
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
