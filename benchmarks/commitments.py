"""What does a decision cost in the log, committed to by groups or as a whole, and what does a receipt cost an auditor?

    python -m benchmarks.commitments --decisions 100000                      a table
    python -m benchmarks.commitments --decisions 200000 1000000              is memory flat?
    python -m benchmarks.commitments --decisions 100000 --vault FOLDER       a batch's records from its vault folder too

Canonical columns are given: one block is made before the clock starts and handed over again and again. Counted is one
`Ledger.append`: salts, commitments, leaves, tree, tiles flushed to disk, two checkpoints. A vault has no share in it.

commit-grouped, commit-grouped-2   seven salted groups and their tree (thirteen hashes), in one process or in two, each
                                   of which seals what it holds, as those of a caseload do
commit-whole, commit-whole-2       one salted hash over the record
commit-receipt                     import of `meanscheck.ledger` in a fresh process, a first verification, later ones

CPU and memory are those of all processes: half of the CPU is what two idle cores need at least. What the processes that
seal spend is among the rest; starting them does not count, since they have decided before they seal.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import machine, measure
from benchmarks.aside import put_aside
from benchmarks.caseload import ORIGIN, Place
from benchmarks.clock import Clock
from benchmarks.measure import Measured

if TYPE_CHECKING:
    from meanscheck.ledger import Seal, SealedBlock
    from meanscheck.ledger.commitment import Form
    from meanscheck.ledger.together import Together

BLOCK = 51_200
PART = 25_600
ROOT = Path(__file__).parent.parent
STAGES = tuple(name for name in measure.STAGES if name.startswith("commit-"))
RUNS = 200
# In a process of its own: seconds of the import, of the first verification, of each later one.
FRESH = """
import sys, time
from pathlib import Path
receipt, policy = (Path(name).read_bytes() for name in sys.argv[1:3])
marks = [time.perf_counter()]
import meanscheck.ledger
marks.append(time.perf_counter())
for _ in range(int(sys.argv[3])):
    meanscheck.ledger.verify(receipt, policy=policy)
    marks.append(time.perf_counter())
print(*[after - before for before, after in zip(marks, marks[1:])])
"""


def small_record(n: int) -> list[bytes]:
    """The record of about 832 bytes that the ledger's figures were first taken with, seven groups in their order."""
    engine, pack, digest, trace = (f"sha256:{byte * 32}" for byte in ("11", "33", "22", "44"))
    return [
        text.encode()
        for text in (
            f'{{"case":"C-{n:04d}","household":"{n:032x}","persons":["p1","p2"]}}',
            '{"assessed_on":"2026-11-01","composition":["adult","child"],"region":"110101","size":2}',
            f'{{"assets":"12000.00","income":"{n % 9000}.50","sources":{{"bank":"12000.00","wage":"{n % 9000}.50"}}}}',
            '{"amount":"415.25","band":"B","outcome":"eligible","valid_from":"2026-12-01","valid_to":"2027-05-31"}',
            f'{{"rules":[{{"id":"R-INC-01","limit":"2265.75","outcome":"pass","value":"{n % 9000}.50"}}]}}',
            f'{{"batch":"2026-11-A-000123","engine":"{engine}","pack":"{pack}","position":{n},"supersedes":null}}',
            f'{{"input":"{digest}","trace":"{trace}"}}',
        )
    ]


@dataclass(frozen=True)
class Columns:
    """One block, as `meanscheck.ledger.Block`."""

    tokens: Sequence[str]
    groups: Sequence[Sequence[bytes]]

    @classmethod
    def made(cls, count: int) -> Columns:
        """Small records."""
        rows = [small_record(n) for n in range(count)]
        return cls([f"{n:032x}" for n in range(count)], [list(column) for column in zip(*rows, strict=True)])

    @classmethod
    def of_vault(cls, folder: Path, count: int) -> Columns:
        """The first records of a batch as its vault holds them."""
        from meanscheck.decisions.kernel import texts_of
        from meanscheck.decisions.record import GROUPS
        from meanscheck.vault import Vault

        frame = next(iter(Vault(folder, GROUPS).blocks())).head(count)
        return cls(frame["token"].to_list(), texts_of(frame))

    @property
    def record_bytes(self) -> int:
        """Mean size of a record."""
        return sum(len(text) for column in self.groups for text in column) // len(self.tokens)


@dataclass(frozen=True)
class Repeated:
    """A batch of so many decisions that hands over one block again and again. `kept`: salts and leaf of its first."""

    columns: Columns
    count: int
    processes: int = 1
    vault: Path | None = None
    clock: Clock = field(default_factory=Clock)
    batch_id: str = "2026-11-A-000123"
    kept: list[tuple[bytes, bytes]] = field(default_factory=list)

    @property
    def opening(self) -> Mapping[str, Any]:
        return {"benchmark": True}

    @property
    def closing(self) -> Mapping[str, Any]:
        return {}

    def sealed(self, seal: Seal) -> Iterator[SealedBlock] | Iterator[Together]:
        if self.processes < 2:
            return seal.blocks(self._blocks(), keep=self._keep)
        from meanscheck.engines.processes import in_order

        ranges = [range(at, min(at + PART, self.count)) for at in range(0, self.count, PART)]
        nothing = [range(0)] * self.processes
        made = in_order(Sealing(seal, len(self.columns.tokens), self.vault), nothing + ranges, processes=self.processes)
        # Those that decide are there already when they seal: an empty range each, and they have started.
        with self.clock("preparation"):
            for _ in nothing:
                next(made)
        return made

    def _blocks(self) -> Iterator[Columns]:
        size = len(self.columns.tokens)
        for at in range(0, self.count, size):
            rest = min(size, self.count - at)
            yield (
                self.columns
                if rest == size
                else Columns(self.columns.tokens[:rest], [column[:rest] for column in self.columns.groups])
            )

    def _keep(self, block_no: int, *, first_index: int, salts: Sequence[bytes], leaves: Sequence[bytes]) -> None:
        if block_no == 0:
            self.kept.append((salts[0], leaves[0]))


@dataclass(frozen=True)
class Sealing:
    """What each process does: it seals decisions that it holds itself, as a caseload's processes do."""

    seal: Seal
    size: int
    vault: Path | None

    @contextmanager
    def open(self) -> Iterator[Callable[[int, range], Together]]:
        columns = Columns.made(self.size) if self.vault is None else Columns.of_vault(self.vault, self.size)

        def block(_number: int, places: range) -> Together:
            first = places.start % self.size
            some = slice(first, first + len(places))
            groups = [column[some] for column in columns.groups]
            sealed = self.seal(places.start, tokens=columns.tokens[some], groups=groups)
            # Salts stay where they were drawn, in the vault.
            return self.seal.together(places.start, sealed.leaves, sealed.hashes)

        yield block


def _append(place: Place, clock: Clock, form: Form, processes: int) -> dict[str, Any]:
    with clock("preparation"):
        from meanscheck.ledger import Ledger, Signer, bulk
        from meanscheck.ledger.log import Growth
        from meanscheck.ledger.merkle import Frontier

        labels = (
            (bulk.Seal, "together", "made ready"),
            (Growth, "put", "tree and tiles"),
            (bulk, "seal_block", "leaves"),
            (bulk, "_commitments", "commitments"),
            (bulk, "_wholes", "commitments"),
            (Growth, "add", "tree and tiles"),
            (Growth, "publish", "tree and tiles"),
            (Frontier, "extend", "tree and tiles"),
        )
        size = min(BLOCK, place.households)
        vault = place.vault if place.vault.is_dir() else None
        columns = Columns.made(size) if vault is None else Columns.of_vault(vault, size)
        log = place.folder / f"log-{form}-{processes}"
        put_aside(log)
        ledger = Ledger.open(log, signer=Signer.generate(ORIGIN))
    with clock.watch(*labels):
        sealed = ledger.append(Repeated(columns, place.households, processes, vault, clock), commitment=form)
    put_aside(log)
    return {"units": sealed.count, "record_bytes": columns.record_bytes}


def grouped(place: Place, clock: Clock) -> dict[str, Any]:
    """Grouped commitments in one process."""
    return _append(place, clock, "grouped", 1)


def grouped_two(place: Place, clock: Clock) -> dict[str, Any]:
    """Grouped commitments over two processes."""
    return _append(place, clock, "grouped", 2)


def whole(place: Place, clock: Clock) -> dict[str, Any]:
    """Whole commitments in one process."""
    return _append(place, clock, "whole", 1)


def whole_two(place: Place, clock: Clock) -> dict[str, Any]:
    """Whole commitments over two processes."""
    return _append(place, clock, "whole", 2)


def receipt(place: Place, clock: Clock) -> dict[str, Any]:
    """One receipt of a log of that size, all groups shown, verified in fresh processes."""
    with clock("preparation"):
        from meanscheck.ledger import GROUPS, Ledger, Signer

        columns = Columns.made(min(BLOCK, place.households))
        ledger = Ledger.open(place.folder / "log-receipt", signer=Signer.generate(ORIGIN))
        batch = Repeated(columns, place.households)
        sealed = ledger.append(batch)
        salts, leaf = batch.kept[0]
        groups = {group: column[0] for group, column in zip(GROUPS, columns.groups, strict=True)}
        text = ledger.receipt(sealed.first_index, leaf, groups, salts, disclose=GROUPS)
        files = place.folder / "a.tlog-proof", place.folder / "a.policy"
        files[0].write_text(text, encoding="utf-8")
        files[1].write_text(ledger.policy().format(), encoding="utf-8")
        shutil.rmtree(place.folder / "log-receipt")
    with clock("verify"):
        imports, firsts, later = [], [], []
        for _ in range(3):
            command = [sys.executable, "-c", FRESH, *map(str, files), str(RUNS)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            seconds = [float(word) for word in done.stdout.split()]
            imports.append(seconds[0])
            firsts.append(seconds[1])
            later += seconds[2:]
    milliseconds = {name: median(s) * 1000 for name, s in (("import", imports), ("first", firsts), ("later", later))}
    return {"units": place.households, "receipt_bytes": len(text.encode()), **milliseconds}


def row(measured: Measured) -> str:
    """One line of the table."""
    counts = measured.counts
    if measured.stage == "commit-receipt":
        spent = f"{counts['import']:.0f} ms import, {counts['first']:.1f} ms first, {counts['later']:.2f} ms each later"
        return f"| {measured.stage}, {counts['receipt_bytes']} bytes | {counts['units']} | | | | {spent} | |"
    parts = {name: seconds for name, seconds in measured.parts.items() if name != "preparation"}
    wall = sum(seconds for seconds, _ in parts.values())
    each = ", ".join(f"{name} {seconds / counts['units'] * 1e6:.1f}" for name, (_, seconds) in parts.items())
    cpu = sum(seconds for _, seconds in parts.values())
    rate = f"{wall / counts['units'] * 1e6:.1f} | {cpu / counts['units'] * 1e6:.1f}"
    name = f"{measured.stage}, {counts['record_bytes']} bytes"
    return f"| {name} | {counts['units']} | {wall:.2f} | {rate} | {each} | {measured.peak_mib:.0f} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.commitments", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--decisions", type=int, nargs="+", default=[100_000], metavar="N")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    parser.add_argument("--vault", type=Path, help="a batch's vault folder: real records beside the small ones")
    options = parser.parse_args(arguments)
    print(*(f"- {name}: {value}" for name, value in machine.facts().items()), sep="\n")
    print(
        "\n| stage | decisions | wall s | µs each | CPU µs each | of which | peak MiB |",
        "|---|--:|--:|--:|--:|---|--:|",
        sep="\n",
    )
    with tempfile.TemporaryDirectory(prefix="meanscheck-commitments-") as temporary:
        for vault in (None, options.vault) if options.vault else (None,):
            work = Path(temporary) / ("real" if vault else "small")
            work.mkdir()
            if vault:
                (work / "vault").symlink_to(vault.resolve(), target_is_directory=True)
            for count in options.decisions:
                for stage in options.stages:
                    print(row(measure.run(stage, work, count)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
