"""Does any feed file break the ingest, or leave the store in another state than its report says?

    python -m tests.torture.feeds --count 100000 --seed 1 --jobs 2
    python -m tests.torture.feeds --seed 1 --only 4711 --into /tmp/found     one file again, written there

Of each hostile file is demanded: it is taken in wholly or not at all and its rows are all accounted for; it is refused
by one of the library's own errors only, with a reason; no message, quarantine reason or field holds a person's value;
time and memory stay bounded. Every `--reopen` files the store is opened again and a good file has its batch id as ever,
and one file is committed for good in a copy. Files are given out to child processes: one that dies or hangs is itself
a finding, and the next file goes to a new process. It leaves with 1 if there was a finding.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

from .hostile import made_hostile
from .office import Office
from .samples import Sample, samples, unwritten

HANG = 120.0
"""Seconds of work without a word from a process after which it counts as hanging: a busy machine is no hang."""
STILL = 10 * HANG
"""Seconds on the clock after which it hangs whatever it did, such as wait for itself."""
ADDRESS_SPACE = 16 << 30
"""Bytes of address space of a process, so that no file takes the machine down."""


@dataclass
class Tally:
    """What came of the files."""

    given: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[int, str, str]] = field(default_factory=list)
    """Number of the file, what it was, what did not hold."""
    slowest: tuple[float, int] = (0.0, 0)


def hostile_file(pool: Sequence[Sample], *, seed: int, number: int) -> Sample:
    """The file of that number: the same for the same seed, pool and number."""
    return made_hostile(Random(f"{seed} {number}"), pool)


def attack(office: Office, pool: Sequence[Sample], numbers: Sequence[int], *, seed: int, reopen: int) -> Tally:
    """Give files to an office, in this process."""
    tally = Tally()
    feeds = sorted(office.good)
    for number in numbers:
        one(office, pool, number, tally, seed=seed, good=feeds[number % len(feeds)] if number % reopen == 0 else None)
    return tally


def one(office: Office, pool: Sequence[Sample], number: int, tally: Tally, *, seed: int, good: str | None) -> None:
    """Give one file to an office, and look at the store itself if `good` names a feed."""
    sample = hostile_file(pool, seed=seed, number=number)
    outcome = office.give(sample)
    findings = list(outcome.findings)
    if good is not None:
        findings += office.still_good(good)
        findings += office.for_good(sample, good)
    tally.given += 1
    tally.kinds[outcome.kind] += 1
    tally.endings[sample.ending] += 1
    tally.slowest = max(tally.slowest, (outcome.seconds, number))
    tally.findings += [(number, f"{sample.feed}{sample.ending}", found) for found in dict.fromkeys(findings)]


def _child(pipe: Connection, folder: Path, seed: int, reopen: int, numbers: Sequence[int]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["RUST_BACKTRACE"] = "0"
    pool = samples(folder / "county", seed=seed)
    office = Office(folder / "office", folder / "county" / "files" / "inbox")
    office.learn(pool)
    feeds = sorted(office.good)
    for number in numbers:
        pipe.send(number)
        tally = Tally()
        good = feeds[number % len(feeds)] if number % reopen == 0 else None
        one(office, pool, number, tally, seed=seed, good=good)
        pipe.send(tally)
    office.close()
    pipe.send(None)


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    folder: Path
    numbers: list[int]
    at: int | None = None
    heard: float = field(default_factory=time.monotonic)
    killed: bool = False
    worked: float = 0.0
    """Its processor seconds when it was last heard."""

    def hear(self) -> None:
        self.heard, self.worked = time.monotonic(), self._work()

    def hangs(self) -> bool:
        return self._work() - self.worked > HANG or time.monotonic() - self.heard > STILL

    def _work(self) -> float:
        try:
            cells = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            return self.worked
        return (int(cells[11]) + int(cells[12])) / os.sysconf("SC_CLK_TCK")


class Attack:
    """Gives files to child processes and outlives each of them."""

    def __init__(self, folder: Path, *, seed: int, reopen: int) -> None:
        self.folder, self.seed, self.reopen = folder, seed, reopen
        self.tally = Tally()
        self._made = 0
        self._context = multiprocessing.get_context("spawn")

    def run(self, count: int, *, jobs: int, tell: bool = False) -> Tally:
        """Give `count` files."""
        workers = [self._start(list(range(job, count, jobs))) for job in range(jobs) if job < count]
        told, shown = time.monotonic(), 0
        while workers:
            for pipe in wait([worker.pipe for worker in workers], timeout=5):
                self._hear(next(worker for worker in workers if worker.pipe is pipe), workers)
            for worker in list(workers):
                if worker.hangs():
                    worker.killed = True
                    worker.process.kill()
            if tell and time.monotonic() - told > 60:
                told = time.monotonic()
                print(f"  {self.tally.given} given, {len(self.tally.findings)} findings", file=sys.stderr, flush=True)
                for finding in self.tally.findings[shown:]:
                    print(f"    {finding}", file=sys.stderr, flush=True)
                shown = len(self.tally.findings)
        return self.tally

    def _start(self, numbers: list[int]) -> _Worker:
        mine, theirs = self._context.Pipe()
        self._made += 1
        folder = self.folder / f"worker-{self._made}"
        folder.mkdir(parents=True)
        arguments = (theirs, folder, self.seed, self.reopen, numbers)
        process = self._context.Process(target=_child, args=arguments, daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, mine, folder, numbers)

    def _hear(self, worker: _Worker, workers: list[_Worker]) -> None:
        try:
            word = worker.pipe.recv()
        except EOFError:
            self._died(worker, workers)
            return
        worker.hear()
        if word is None:
            self._end(worker, workers)
        elif isinstance(word, int):
            worker.at = word
        else:
            worker.at = None
            tally = self.tally
            tally.given += word.given
            tally.kinds += word.kinds
            tally.endings += word.endings
            tally.findings += word.findings
            tally.slowest = max(tally.slowest, word.slowest)

    def _died(self, worker: _Worker, workers: list[_Worker]) -> None:
        hung = worker.killed
        self._end(worker, workers)
        if worker.at is None:
            raise RuntimeError(f"a process ended with {worker.process.exitcode} outside of any file")
        code = worker.process.exitcode
        what = f"no end within {HANG:.0f} s of work" if hung else f"the process died, exit code {code}"
        self.tally.given += 1
        self.tally.kinds["died"] += 1
        self.tally.findings.append((worker.at, "", what))
        rest = worker.numbers[worker.numbers.index(worker.at) + 1 :]
        if rest:
            workers.append(self._start(rest))

    def _end(self, worker: _Worker, workers: list[_Worker]) -> None:
        worker.process.join()
        worker.pipe.close()
        workers.remove(worker)
        shutil.rmtree(worker.folder, ignore_errors=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 if anything did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.feeds")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--reopen", type=int, default=200, help="look at the store itself every so many files")
    parser.add_argument("--only", type=int, help="this file alone, in this process")
    parser.add_argument("--into", type=Path, help="with --only: write the file there")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        if given.only is None:
            tally = Attack(Path(folder), seed=given.seed, reopen=given.reopen).run(
                given.count, jobs=given.jobs, tell=True
            )
        else:
            tally = _only(Path(folder), given.seed, given.only, given.into)
    show(tally, seed=given.seed, seconds=time.monotonic() - began)
    return 1 if tally.findings else 0


def _only(folder: Path, seed: int, number: int, into: Path | None) -> Tally:
    pool = samples(folder / "county", seed=seed)
    sample = hostile_file(pool, seed=seed, number=number)
    if into is not None:
        into.mkdir(parents=True, exist_ok=True)
        (into / f"{sample.feed}{sample.ending}").write_bytes(sample.data)
        if sample.manifest is not None:
            (into / f"{sample.feed}.manifest.json").write_bytes(sample.manifest)
    office = Office(folder / "office", folder / "county" / "files" / "inbox")
    office.learn(pool)
    tally = Tally()
    one(office, pool, number, tally, seed=seed, good=min(office.good))
    office.close()
    return tally


def show(tally: Tally, *, seed: int, seconds: float) -> None:
    """Print counts, and each finding once with the first files that show it."""
    for kind, n in tally.kinds.most_common():
        print(f"{n:9,} {kind}")
    print("          " + " · ".join(f"{ending} {n:,}" for ending, n in sorted(tally.endings.items())))
    if unwritten():
        print(f"          only by other formats' bytes: {', '.join(unwritten())}")
    grouped: dict[str, list[tuple[int, str]]] = {}
    for number, what, found in tally.findings:
        grouped.setdefault("".join(c for c in found if not c.isdigit()), []).append((number, f"{what}: {found}"))
    for found, places in sorted(grouped.items(), key=lambda item: -len(item[1])):
        print(f"FOUND {len(places)} times: {found}")
        for number, words in places[:5]:
            print(f"      --only {number}  {words}")
    print(
        f"seed {seed}, {tally.given:,} files, {len(tally.findings)} findings, slowest {tally.slowest[0]:.1f} s "
        f"(no. {tally.slowest[1]}), {seconds:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
