"""Is everything whole after kill -9 at any moment, and does the rest then come to the same end?

    python -m tests.torture.kill --times 200 --seed 1
    python -m tests.torture.kill --times 40 --how torn --steps ingest seal

A child does an office's whole day (take in an inbox, decide, seal, receipts) and is killed: after a random time, or at
a random one of the calls that write to its folder, in half of these after half of the bytes (see `shim`). Or its disk
is full from one of these calls on, or fails at one: then it must end with one of the library's own errors. Then the
store opens, holds whole batches only, log and vault hold together; the whole day run again ends with the batch ids,
snapshot id and records root of a day never broken off, and leaves no other files. It leaves with 1 if not.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any, Literal

from meanscheck.errors import InternalError, MeanscheckError

from . import shim, whole
from .whole import Left

How = Literal["time", "kill", "torn", "full", "broken"]
HOWS: tuple[How, ...] = ("time", "kill", "torn", "full", "broken")
HANG = 300.0


@dataclass
class Tally:
    """What came of the kills."""

    ended: Counter[str] = field(default_factory=Counter)
    """How and in which step the child came to its end."""
    words: Counter[str] = field(default_factory=Counter)
    """What it said of a disk that is full or fails."""
    survived: int = 0
    findings: list[str] = field(default_factory=list)
    seconds: float = 0.0


def _do(pipe: Connection, work: str, arguments: tuple[Any, ...], armed: tuple[Path, int, shim.Mode] | None) -> None:
    """In a child: one of `whole`'s functions; its result, or what it raised, goes back."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        if armed is not None:
            shim.arm(*armed)
        if work == "run":
            place, inbox = arguments
            result = whole.run(place, inbox, lambda step: pipe.send(("step", step)))
            pipe.send(("done", whole.as_plain(result), shim.counted() if armed is not None else 0))
        else:
            pipe.send(("done", whole.look(*arguments[:1], batches=arguments[1]), 0))
    except BaseException as error:
        kind = "ours" if isinstance(error, MeanscheckError) and not isinstance(error, InternalError) else "another"
        pipe.send(("raised", "".join(traceback.format_exception(error))[-1500:], kind, str(error)))


class Killer:
    """Runs days in children and kills them."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self.folder = folder
        self.inbox = whole.make_day(folder, seed=seed)
        self.shim = shim.build(folder)
        if self.shim is not None:
            os.environ["LD_PRELOAD"] = str(self.shim)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.torture.whole"])
        self._made = 0
        place = self.fresh()
        began = time.monotonic()
        told = self._child("run", (place, self.inbox), armed=self._armed(place, -1, "count"))
        self.seconds = time.monotonic() - began
        os.environ.pop("LD_PRELOAD", None)
        if told.result is None:
            raise RuntimeError(f"a day that nobody broke off did not end: {told.raised}")
        self.expected = told.result
        self.calls = told.calls
        self.files = whole.files_of(place)
        shutil.rmtree(place)

    def _armed(self, place: Path, at: int, mode: shim.Mode) -> tuple[Path, int, shim.Mode] | None:
        return None if self.shim is None else (place, at, mode)

    def fresh(self) -> Path:
        """A copy of the office as it was before the day."""
        self._made += 1
        place = self.folder / f"trial-{self._made}"
        shutil.copytree(self.folder / "office", place)
        return place

    def trial(self, chance: Random, how: How, tally: Tally) -> None:
        """Kill one day and look."""
        place = self.fresh()
        kill_after: Callable[[], float] | None = None
        armed = None
        what = how
        if how == "time" or self.shim is None:
            moment = chance.random() * self.seconds
            kill_after = lambda: moment  # noqa: E731
            what = "time"
        else:
            armed = self._armed(place, 1 + chance.randrange(self.calls), how)
        told = self._child("run", (place, self.inbox), armed=armed, kill_after=kill_after)
        label = f"{what}, after step {told.step!r}, {'call ' + str(armed[1]) if armed else ''}"
        if told.raised is not None and not (told.is_ours and what in ("full", "broken")):
            tally.findings.append(f"{label}: {told.raised}")
        elif told.is_ours:
            tally.words[told.words] += 1
        if told.result is not None:
            tally.survived += 1
        else:
            tally.ended[f"{what} in {told.step.split(' ')[0] or 'opening'}"] += 1
        looked = self._child("look", (place, self.expected["batches"]))
        if looked.raised is not None:
            tally.findings.append(f"{label}: afterwards: {looked.raised}")
        elif looked.result:
            tally.findings += [f"{label}: {what}" for what in looked.result]
        again = self._child("run", (place, self.inbox))
        if again.result is None:
            tally.findings.append(f"{label}: the day cannot be ended: {again.raised}")
        elif again.result != self.expected:
            differs = [name for name in Left.__dataclass_fields__ if again.result[name] != self.expected[name]]
            tally.findings.append(f"{label}: other {', '.join(differs)} than without the break")
        else:
            strange = whole.files_of(place) - self.files
            if strange:
                tally.findings.append(f"{label}: files that no whole day leaves: {', '.join(sorted(strange)[:4])}")
        shutil.rmtree(place)

    def _child(
        self,
        work: str,
        arguments: tuple[Any, ...],
        *,
        armed: tuple[Path, int, shim.Mode] | None = None,
        kill_after: Callable[[], float] | None = None,
    ) -> _Told:
        mine, theirs = self._context.Pipe()
        process = self._context.Process(target=_do, args=(theirs, work, arguments, armed))
        process.start()
        theirs.close()
        deadline = time.monotonic() + (HANG if kill_after is None else kill_after())
        told = _Told()
        while True:
            if not mine.poll(max(0.0, deadline - time.monotonic())):
                assert process.pid is not None
                os.kill(process.pid, signal.SIGKILL)
                if kill_after is None:
                    told.raised = f"no end within {HANG:.0f} s"
                deadline = time.monotonic() + HANG
            try:
                word = mine.recv()
            except EOFError:
                break
            if word[0] == "step":
                told.step = word[1]
            elif word[0] == "done":
                told.result, told.calls = word[1], word[2]
            else:
                told.raised, told.is_ours, told.words = word[1], word[2] == "ours", word[3]
        process.join()
        mine.close()
        return told


@dataclass
class _Told:
    step: str = ""
    result: Any = None
    raised: str | None = None
    is_ours: bool = False
    words: str = ""
    calls: int = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 if anything was not whole."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.kill")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--how", choices=HOWS, help="one way only; all in turn if left out")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        killer = Killer(Path(folder), seed=given.seed)
        print(f"a whole day takes {killer.seconds:.1f} s and {killer.calls} calls that write", flush=True)
        tally = Tally()
        for number in range(given.times):
            chance = Random(f"{given.seed} {number}")
            before = len(tally.findings)
            killer.trial(chance, given.how or HOWS[number % len(HOWS)], tally)
            for found in tally.findings[before:]:
                print(f"FOUND at no. {number}: {found}", flush=True)
            if number % 10 == 9:
                print(f"  {number + 1} times, {len(tally.findings)} findings", file=sys.stderr, flush=True)
    for what, n in sorted(tally.ended.items()):
        print(f"{n:6} ended by {what}")
    for words, n in tally.words.most_common():
        print(f"{n:6} said: {words}")
    print(
        f"seed {given.seed}, {given.times} times, {tally.survived} came to their end before, "
        f"{len(tally.findings)} findings, {time.monotonic() - began:.0f} s"
    )
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
