"""What does all of it take from evidence to sealed decisions, and what do commitments, leaves, tree and tiles alone?

`whole`    one `Ledger.append(assess(store, law))` from an existing projection: blocks pulled, facts, rules, causes,
           records, vault files, seven salted group hashes and their tree a decision, leaves, tree, tiles, checkpoints
`pool`     the same by two processes, with blocks of half the size; starting the processes counts
`small`, `pool_small`   the same two under the law of the comparison, that the hand-written pipeline is measured beside
`plain`, `pool_plain`   these with the pipeline's plain files in the vault's place, so that both do the same work
           (`beside`); the key file, the log's tiles and the tokens of the closing are still only ours
`measure`  the ledger's own work alone: the same records appended to a second log; reading them is not counted
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from benchmarks.aside import put_aside
from benchmarks.caseload import ORIGIN, Place, batch_vault, law_compared, law_of_the_day, opened
from benchmarks.clock import Clock

if TYPE_CHECKING:
    from meanscheck.decisions.kernel import Engine
    from meanscheck.engines import Pool
    from meanscheck.ledger import Seal, SealedBlock


BLOCK_UNITS = 51_200


def whole(place: Place, clock: Clock) -> dict[str, Any]:
    """From stored evidence to sealed decisions, in one process."""
    return sealed(place, place, clock, law=law_of_the_day)


def pool(place: Place, clock: Clock) -> dict[str, Any]:
    """The same by a pool of two."""
    with _two() as engine:
        return sealed(place, place, clock, law=law_of_the_day, engine=engine, block_units=BLOCK_UNITS // 2)


def small(place: Place, clock: Clock) -> dict[str, Any]:
    """The law of the comparison in one process."""
    return sealed(place, place.compared, clock, law=law_compared)


def pool_small(place: Place, clock: Clock) -> dict[str, Any]:
    """The law of the comparison by a pool of two."""
    with _two() as engine:
        return sealed(place, place.compared, clock, law=law_compared, engine=engine, block_units=BLOCK_UNITS // 2)


def plain(place: Place, clock: Clock) -> dict[str, Any]:
    """The law of the comparison in one process, nothing sealed in files."""
    with _plain_files():
        return sealed(place, place.plain, clock, law=law_compared)


def pool_plain(place: Place, clock: Clock) -> dict[str, Any]:
    """The same by a pool of two."""
    with _plain_files(), _two() as engine:
        return sealed(place, place.plain, clock, law=law_compared, engine=engine, block_units=BLOCK_UNITS // 2)


def _two() -> Pool:
    from meanscheck.engines import Pool

    return Pool(2)


def _plain_files() -> AbstractContextManager[object]:
    """Vaults that are made meanwhile write what is put into them as the hand-written pipeline writes it."""
    from benchmarks.plain import PlainVault
    from meanscheck.vault import safe

    return patch.object(safe, "Vault", PlainVault)


def sealed(
    place: Place,
    made: Place,
    clock: Clock,
    *,
    law: Callable[[], Any],
    engine: Engine | None = None,
    block_units: int = BLOCK_UNITS,
) -> dict[str, Any]:
    """Work on the evidence of `place`; vault, ledger and key go to `made`."""
    with clock("preparation"):
        from meanscheck.decisions import assess
        from meanscheck.ledger import Ledger, Signer

        made.folder.mkdir(exist_ok=True)
        put_aside(made.vault, made.ledger, made.key.parent)
        in_force = law()
        signer = Signer.generate(ORIGIN)
        signer.save(made.key, unprotected=True)
    with opened(place) as store:
        assessment = assess(store, in_force, vault=made.vault, block_units=block_units, engine=engine)
        entries = Ledger.open(made.ledger, signer=signer).append(assessment)
        if entries.count != assessment.projection.units:
            raise RuntimeError("not every unit was sealed")
        return {
            "units": entries.count,
            "rows": sum(assessment.projection.rows.values()),
            "records_root": assessment.records_root,
            "outcomes": assessment.closing["outcomes"],
        }


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
    put_aside(folder)
    entries = Ledger.open(folder, signer=Signer.generate(ORIGIN)).append(_Records(place, clock))
    put_aside(folder)
    return {"units": entries.count}
