"""Does any input break a reader of the ledger, or is anything accepted that its writer would not have written?

    python -m tests.ledger.fuzz --count 20000 --seed 1                  so many inputs for each reader
    python -m tests.ledger.fuzz --seconds 600 --seed 2                  as many as the time allows
    python -m tests.ledger.fuzz --only receipt note --count 1000        some readers

Of each input three things are demanded: the reader answers, or raises one of the library's own errors; it takes less
than a bound of processor time (and, in this command, of memory); and what it accepted, written again, is the input. A
policy may hold comments and spaces (its specification says so): there, what is written again reads as the same policy.
It prints counts a reader, and each failure with the input that caused it, in hex; it leaves with 1 if there was any.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import signal
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from meanscheck.errors import LedgerError
from meanscheck.ledger import (
    canonical,
)

from .readers import Reader, readers
from .spellings import near

EXPECTED = (LedgerError, canonical.NotCanonical)
# Processor seconds for one input of at most some megabytes, and address space of the whole command.
TOO_LONG = 5.0
MEMORY = 3 << 30


class TookTooLong(BaseException):
    """Not an Exception, so that no reader can catch it."""


@dataclass
class Tally:
    """What came of the inputs of one reader."""

    given: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    failures: list[tuple[str, bytes]] = field(default_factory=list)


def attack(reader: Reader, *, seed: int, count: int | None = None, until: float | None = None) -> Tally:
    """Give a reader changed samples: `count` of them, or until a moment of the monotonic clock."""
    chance = Random(zlib.crc32(reader.name.encode()) + seed)
    tally = Tally()
    for sample in reader.samples:
        _one(reader, sample, tally, must_accept=True)
    while (count is None or tally.given < count) and (until is None or time.monotonic() < until):
        _one(reader, near(chance, chance.choice(reader.samples), reader.samples), tally)
    return tally


def _one(reader: Reader, data: bytes, tally: Tally, *, must_accept: bool = False) -> None:
    tally.given += 1
    began = time.process_time()
    try:
        with _bounded():
            given, written = reader.again(data)
    except EXPECTED as error:
        tally.refused[getattr(error, "step", type(error).__name__)] += 1
        if must_accept:
            tally.failures.append((f"refused a sample: {error}", data))
    except (Exception, TookTooLong) as error:
        tally.failures.append((f"{type(error).__name__}: {error}", data))
    else:
        tally.accepted += 1
        if given != written:
            tally.failures.append(("accepted what it would not write", data))
    tally.slowest = max(tally.slowest, time.process_time() - began)


@contextmanager
def _bounded() -> Iterator[None]:
    """Break off when the processor time is used up; a timer exists on POSIX, and in the main thread only."""

    def stop(*_: object) -> None:
        raise TookTooLong(f"more than {TOO_LONG} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, TOO_LONG)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def report(tallies: Mapping[str, Tally]) -> Iterator[str]:
    """Lines: counts a reader, then the failures."""
    yield f"{'reader':26}{'inputs':>10}{'accepted':>10}{'refused':>10}{'slowest ms':>12}{'failures':>10}"
    for name, t in tallies.items():
        refused = sum(t.refused.values())
        yield f"{name:26}{t.given:>10}{t.accepted:>10}{refused:>10}{t.slowest * 1000:>12.1f}{len(t.failures):>10}"
    for name, t in tallies.items():
        for why, data in t.failures[:5]:
            digest = hashlib.sha256(data).hexdigest()[:8]
            yield f"{name}: {why} ({len(data)} bytes, {digest}): {data[:2000].hex()}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.ledger.fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, metavar="N", help="inputs for each reader; 1000 unless --seconds is given")
    parser.add_argument("--seconds", type=float, metavar="T", help="for all readers together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", metavar="READER")
    options = parser.parse_args(arguments)
    count = options.count or (None if options.seconds else 1000)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    tallies: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory() as root:
        chosen = [r for r in readers(Path(root)) if not options.only or r.name in options.only]
        for reader in chosen:
            until = time.monotonic() + options.seconds / len(chosen) if options.seconds else None
            tallies[reader.name] = attack(reader, seed=options.seed, count=count, until=until)
    print(*report(tallies), sep="\n")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"seed {options.seed}, {sum(t.given for t in tallies.values())} inputs, peak memory {peak:.0f} MiB")
    return int(any(t.failures for t in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())
