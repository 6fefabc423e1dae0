"""What do the stages work on? One made-up county a size, in a folder of its own.

county/            inbox and truth (`meanscheck.synth`, Parquet files)
county.duckdb      the store, with county.projection beside it
vault/ ledger/     what `whole` made, for seal, verify and replay
compared/          the same of `whole-small`, under the law of the comparison; plain/ the same with plain files;
                   peer/ what the hand-written pipeline made
measured/          one JSON a stage, for `--reuse`
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.clock import Clock

SEED = 7
ON = date(2020, 6, 30)
ORIGIN = "county.example/relief"


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one size."""

    folder: Path
    households: int

    @property
    def county(self) -> Path:
        """Inbox and truth."""
        return self.folder / "county"

    @property
    def store(self) -> Path:
        """The evidence store's file."""
        return self.folder / "county.duckdb"

    @property
    def projection(self) -> Path:
        """The projection beside it."""
        return self.folder / "county.projection"

    @property
    def vault(self) -> Path:
        """Records, salts and leaves."""
        return self.folder / "vault"

    @property
    def compared(self) -> Place:
        """What our run under the law of the comparison makes."""
        return Place(self.folder / "compared", self.households)

    @property
    def plain(self) -> Place:
        """The same with plain files."""
        return Place(self.folder / "plain", self.households)

    @property
    def peer(self) -> Path:
        """What the hand-written pipeline makes."""
        return self.folder / "peer"

    @property
    def ledger(self) -> Path:
        """The log."""
        return self.folder / "ledger"

    @property
    def key(self) -> Path:
        """The signer's key, what it has signed beside it: made anew with the log, unprotected and worth nothing."""
        return self.folder / "key" / "signer.key"


def make_county(place: Place, clock: Clock) -> dict[str, Any]:
    """Make the county; not a stage of the library's work, shown because it takes time."""
    from meanscheck.synth import county

    with clock("synth"):
        made = county(place.county, households=place.households, seed=SEED, mess=True, style="parquet", on=ON)
    return {"persons": made.persons, "rows": sum(made.rows.values()), "files": made.files}


def law_of_the_day() -> Any:
    """Jiangmen's law of 2020-06-30."""
    from meanscheck.law import RulePack
    from meanscheck.values.data import data_dir

    return RulePack.load(data_dir("rules") / "cn" / "guangdong" / "jiangmen").on(ON)


def law_compared() -> Any:
    """The law that the hand-written pipeline holds as code."""
    from meanscheck.law import RulePack

    return RulePack.load(Path(__file__).parent / "peer" / "law").on(ON)


@contextmanager
def opened(place: Place) -> Iterator[Any]:
    """The store, as the library opens it by default."""
    from meanscheck.evidence import Store

    with Store.open(place.store) as store:
        yield store


def batch_vault(place: Place) -> Any:
    """The vault of the one batch that `whole` made."""
    from meanscheck.decisions.record import GROUPS
    from meanscheck.vault import Safe

    (batch,) = Safe.open(place.vault).batches(GROUPS)
    return batch


def held_records(place: Place, count: int) -> list[Any]:
    """The first sealed records of that batch, as the vault holds them."""
    held: list[Any] = batch_vault(place).rows(0, 0, count)
    return held
