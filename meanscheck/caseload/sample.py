"""Which decisions were drawn, as a file that both sides keep? One canonical JSON object (RFC 8785).

    v           1
    origin      the log
    checkpoint  size and root of the signed tree head that was there
    batch       id, first index, count, root over the decisions (from batch-close): the root of the draw
    nonce       its parts in order
    thresholds  thin_fen, high_fen
    frame       SHA-256 of the list of all units with their risks (`risk.Frame`)
    outside     decisions that are in no stratum, because their household was erased
    strata      name, population, and drawn: indexes in the log, in the order drawn

Everything in it follows from log, vault and nonce: `check_sample` reckons it anew. It names nobody.

>>> sizes = Sizes(20, {"thin_margin": 30, "dibao/thin_margin": 40, "tekun": 5})
>>> [sizes.of(name) for name in ("dibao/thin_margin", "tekun/thin_margin", "tekun/ordinary", "dibao/ordinary")]
[40, 30, 5, 20]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from meanscheck.caseload.draw import check_nonce, draw
from meanscheck.caseload.logged import Logged, LoggedBatch
from meanscheck.caseload.risk import Frame, Thresholds, Unit
from meanscheck.errors import InputError, NotProven
from meanscheck.ledger import canonical

VERSION = 1
_MEMBERS = {"v", "origin", "checkpoint", "batch", "nonce", "thresholds", "frame", "outside", "strata"}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many to draw: of a stratum by name, else of a risk, else of a programme, else `each`."""

    each: int = 20
    by_name: Mapping[str, int] = field(default_factory=dict)

    def of(self, stratum: str) -> int:
        """The size for a stratum; InputError if it is not at least 1."""
        programme, _, risk = stratum.partition("/")
        found = next((self.by_name[n] for n in (stratum, risk, programme) if n in self.by_name), self.each)
        if found < 1:
            raise InputError("a sample has at least one decision", where=stratum, remedy="Give a larger size")
        return found


@dataclass(frozen=True, slots=True)
class Drawn:
    """One stratum of a sample; `indexes` in the order drawn."""

    stratum: str
    population: int
    indexes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample of one batch; members as in the module's docstring."""

    origin: str
    size: int
    root: str
    batch_id: str
    first: int
    count: int
    batch_root: str
    nonce: tuple[str, ...]
    thresholds: Thresholds
    frame: str
    outside: int
    strata: tuple[Drawn, ...]

    def units(self) -> Iterator[Unit]:
        """The drawn units, stratum by stratum."""
        for one in self.strata:
            programme, _, risk = one.stratum.partition("/")
            yield from (Unit(index, programme, risk) for index in one.indexes)

    def format(self) -> str:
        """The sample's one text."""
        return canonical.format(
            {
                "v": VERSION,
                "origin": self.origin,
                "checkpoint": {"size": self.size, "root": self.root},
                "batch": {"id": self.batch_id, "first": self.first, "count": self.count, "root": self.batch_root},
                "nonce": list(self.nonce),
                "thresholds": {"thin_fen": self.thresholds.thin_fen, "high_fen": self.thresholds.high_fen},
                "frame": self.frame,
                "outside": self.outside,
                "strata": [
                    {"name": s.stratum, "population": s.population, "drawn": list(s.indexes)} for s in self.strata
                ],
            }
        ).decode()

    @classmethod
    def parse(cls, text: str) -> Sample:
        """Read a sample; InputError for every text that `format` would not write."""
        try:
            members = canonical.parse(text.encode())
            sample = cls._of(members)
        except (canonical.NotCanonical, KeyError, TypeError, ValueError, AttributeError):
            sample = None
        if sample is None or sample.format() != text:
            raise InputError("not a sample, or changed", where="sample", remedy="Use the file that was drawn")
        return sample

    @classmethod
    def _of(cls, members: Mapping[str, Any]) -> Sample | None:
        if members.keys() != _MEMBERS or members["v"] != VERSION:
            return None
        check_nonce(members["nonce"])
        return cls(
            origin=members["origin"],
            size=members["checkpoint"]["size"],
            root=members["checkpoint"]["root"],
            batch_id=members["batch"]["id"],
            first=members["batch"]["first"],
            count=members["batch"]["count"],
            batch_root=members["batch"]["root"],
            nonce=tuple(members["nonce"]),
            thresholds=Thresholds(**members["thresholds"]),
            frame=members["frame"],
            outside=members["outside"],
            strata=tuple(Drawn(s["name"], s["population"], tuple(s["drawn"])) for s in members["strata"]),
        )


def draw_sample(
    log: Logged,
    batch: LoggedBatch,
    frame: Frame,
    *,
    nonce: Sequence[str],
    sizes: Sizes | None = None,
    thresholds: Thresholds | None = None,
) -> Sample:
    """Draw from every stratum of a batch.

    Args:
        log: as read.
        batch: of that log, closed.
        frame: the batch's units under the same thresholds.
        nonce: its parts, see `draw`.
        sizes: how many of which stratum.
        thresholds: by which the frame was made.
    """
    sizes, root = sizes or Sizes(), bytes.fromhex(batch.root)
    strata = []
    for name, units in frame.strata().items():
        places = draw(root, name, population=len(units), size=sizes.of(name), nonce=nonce)
        strata.append(Drawn(name, len(units), tuple(units[place].index for place in places)))
    return Sample(
        log.origin,
        log.size,
        log.root,
        batch.batch_id,
        batch.first,
        batch.count,
        batch.root,
        tuple(nonce),
        thresholds or Thresholds(),
        frame.digest,
        batch.count - len({unit.index for unit in frame.units}),
        tuple(strata),
    )


def check_sample(sample: Sample, batch: LoggedBatch, frame: Frame) -> None:
    """Reckon a sample anew; NotProven (step ``sample``) if batch, frame or draw are others.

    A larger log is no difference: the batch and its root are what was drawn from.
    """
    if (sample.batch_id, sample.first, sample.count, sample.batch_root) != (
        batch.batch_id,
        batch.first,
        batch.count,
        batch.root,
    ):
        raise NotProven("sample", "the log has another batch than the one drawn from")
    if sample.frame != frame.digest:
        raise NotProven("sample", "the records stratify otherwise: households were erased since, or records changed")
    found = frame.strata()
    if [s.stratum for s in sample.strata] != list(found):
        raise NotProven("sample", "the sample leaves out a stratum")
    for one in sample.strata:
        units = found[one.stratum]
        root, size = bytes.fromhex(batch.root), len(one.indexes)
        places = draw(root, one.stratum, population=len(units), size=size, nonce=sample.nonce)
        if not size or one.population != len(units) or one.indexes != tuple(units[p].index for p in places):
            raise NotProven("sample", f"other decisions of {one.stratum} are drawn by this root and nonce")
