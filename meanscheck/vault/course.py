"""Who works on a batch, and how far had a run come that was broken off?

    run.lock         held by the run that works on the batch; a second one is refused
    plan.json        {"log":…,"plan":{…}}: what the bytes of the blocks depend on; the log they are sealed for, or null
    finished-00000   a block whose other files are whole: a line of JSON and bytes, sealed under the batch's own key

A run of the same plan takes finished blocks as they are, whichever they are: several processes do not finish in order.
What a block is remembered by may tell of its households (digests of their records are unsalted), so it is sealed like
the records root, and goes with it when the first household of the batch is erased.

>>> import tempfile
>>> from meanscheck.vault.deployment import DeploymentKey
>>> folder = tempfile.TemporaryDirectory()
>>> keys = HouseholdKeys.open(Path(folder.name, "county.keys"), key=DeploymentKey(bytes(32)), make=True)
>>> course = Course(Path(folder.name, "2026-11"), keys)
>>> with course.alone():
...     course.begin({"law": "sha256:33"}, log=None)
...     course.finish(1, {"units": 2}, bytes(3))
>>> course.finished(0), course.finished(1), course.finished(1).facts
(None, Finished(), {'units': 2})
>>> folder.cleanup()
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from meanscheck.errors import StoreError
from meanscheck.vault import files
from meanscheck.vault.household_keys import HouseholdKeys
from meanscheck.vault.sealing import bound_to, seal, unseal

FINISHED: Final = "finished"
CLOSED: Final = "closed.json"
_LOCK, _PLAN = "run.lock", "plan.json"


@dataclass(frozen=True, slots=True)
class Finished:
    """What a finished block is remembered by."""

    facts: Mapping[str, Any] = field(repr=False)
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Course:
    """The run of one batch, in its folder."""

    folder: Path
    keys: HouseholdKeys = field(repr=False)

    @contextmanager
    def alone(self) -> Iterator[Course]:
        """Make the folder and hold its lock; StoreError if another run does. The system ends it with the process."""
        with files.writing(self.folder):
            self.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.folder.mkdir(exist_ok=True, mode=0o700)
        refusal = (
            f"another run works on batch {self.folder.name} now: wait until it has ended. If it is broken off, run the "
            "same command again: it goes on from the last finished block"
        )
        with files.alone(self.folder / _LOCK, refusal=refusal):
            yield self

    def begin(self, plan: Mapping[str, Any], *, log: str | None) -> None:
        """Note what the blocks from now on depend on, and the log for which they are sealed."""
        if not (self.folder / CLOSED).exists():
            # Made here, so that the processes that finish blocks only look it up.
            self.keys.take_of_batch(self.folder.name)
        text = json.dumps({"log": log, "plan": dict(plan)}, sort_keys=True, ensure_ascii=False)
        path = self.folder / _PLAN
        with files.writing(path):
            files.write_new(path, [text.encode()]).replace(path)
            files.flush_folder(self.folder)

    @property
    def plan(self) -> dict[str, Any] | None:
        """What the blocks depend on; None if nobody noted it."""
        found: dict[str, Any] | None = self._noted().get("plan")
        return found

    @property
    def log(self) -> str | None:
        """Origin of the log for which blocks are sealed, if they are."""
        found: str | None = self._noted().get("log")
        return found

    def _noted(self) -> dict[str, Any]:
        try:
            found = json.loads((self.folder / _PLAN).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def finish(self, block: int, facts: Mapping[str, Any], data: bytes) -> None:
        """Note that a block is whole: all its other files are there."""
        key = self.keys.give_of_batch(self.folder.name)
        if key is None:
            # A household of the batch was erased meanwhile; the block is then made again, without it.
            return
        text = json.dumps(dict(facts), sort_keys=True, ensure_ascii=False).encode() + b"\n" + data
        path = self.file(block)
        with files.writing(path):
            files.write_new(path, seal([key], [text], [self._place(block)])).replace(path)
            files.flush_folder(self.folder)

    def finished(self, block: int) -> Finished | None:
        """A finished block; None if it is not, or what it is remembered by cannot be read (any more)."""
        try:
            sealed = self.file(block).read_bytes()
        except OSError:
            return None
        key = self.keys.give_of_batch(self.folder.name)
        try:
            (text,) = unseal([key], [sealed], [self._place(block)])
        except StoreError:
            return None
        if text is None:
            return None
        facts, _, data = text.partition(b"\n")
        return Finished(json.loads(facts), data)

    def forget(self) -> None:
        """Remove what nobody can read any more: the batch's key went with an erased household."""
        if self.keys.give_of_batch(self.folder.name) is None:
            with files.writing(self.folder):
                for file in self.folder.glob(f"{FINISHED}-*"):
                    file.unlink()

    def file(self, block: int) -> Path:
        """Where a finished block is noted."""
        return self.folder / f"{FINISHED}-{block:05d}"

    def _place(self, block: int) -> bytes:
        return bound_to(FINISHED, block, [0], ["block"], self.folder.name)[0]
