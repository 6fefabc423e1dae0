"""Kernels and a seal that tests send to Spark's tasks, which import them from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import shake_256

from meanscheck.decisions.kernel import DoneBlock, Kernel
from meanscheck.errors import StoreError
from meanscheck.evidence import Reader
from meanscheck.ledger import Seal, SealedBlock
from meanscheck.ledger.bulk import seal_block

VALUE = 440703_19900101_0019
"""Nobody's identity number, in what a fault says."""


class FixedSalts(Seal):
    """Salts made of the position, so that two runs have the same leaves. Worth nothing outside tests."""

    def __call__(self, first_position: int, *, tokens: Sequence[str], groups: Sequence[Sequence[bytes]]) -> SealedBlock:
        salts = b"".join(shake_256(b"%d" % (first_position + n)).digest(112) for n in range(len(tokens)))
        return seal_block(self.batch_id, self.opening, first_position, tokens=tokens, groups=groups, salts=salts)


@dataclass(frozen=True)
class Once(Kernel):
    """Fails at the second block when all of it lies in the vault, salts and all; the next attempt succeeds."""

    def __call__(self, reader: Reader, number: int, units: range) -> DoneBlock:
        done = super().__call__(reader, number, units)
        # <vault>/<batch>/attempts/<name>/<batch>
        if number == 1:
            try:
                (self.vault.folder.parents[3] / "tried").touch(exist_ok=False)
            except FileExistsError:
                return done
            raise RuntimeError(f"lost: {VALUE}")
        return done


@dataclass(frozen=True)
class Faulty(Kernel):
    """Fails in a way that nobody foresaw, with a value in its words."""

    def __call__(self, reader: Reader, number: int, units: range) -> DoneBlock:
        raise ValueError(f"{VALUE}")


@dataclass(frozen=True)
class Refusing(Kernel):
    """Refuses in this library's own words."""

    def __call__(self, reader: Reader, number: int, units: range) -> DoneBlock:
        raise StoreError("refused: look at the second shelf") from ValueError(f"{VALUE}")


@dataclass(frozen=True)
class Lacking(Kernel):
    """Works all blocks but the last."""

    def __call__(self, reader: Reader, number: int, units: range) -> DoneBlock:
        if number == 3:
            raise StoreError("the last block cannot be worked on")
        return super().__call__(reader, number, units)
