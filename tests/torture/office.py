"""What must hold of an office's store when any file is given to it?

`Office` keeps a small store that knows some households and takes files in, each in a real transaction that is rolled
back where it would be committed, after everything was compared: so each file meets the same store, and fast. Every
so often one is really committed into a copy. What does not hold comes back as words; no word holds a person's value.
"""

from __future__ import annotations

import re
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
from pytest import MonkeyPatch

from meanscheck.contracts import all_feeds
from meanscheck.contracts.readers import FileRows, read_rows
from meanscheck.errors import InternalError, MeanscheckError
from meanscheck.evidence import IngestReport, Store

from .samples import Sample

SLOW = 10.0
"""Processor seconds that one file may take, bombs of hundreds of megabytes among them; and as many more for each GiB of
its own, since a file may have four."""
MEMORY = 1_200 << 20
"""Bytes that one file may add to the process's peak."""
GOOD = 6
"""Feeds whose valid file is given again and again: each costs some time at the start of a process."""
HEADER_LINES = 40
"""Lines that are not rows, at most: title, header, notes, signatures."""
BLANKS = "".join(c for c in map(chr, range(0x3001)) if c.isspace() and not "\x1c" <= c <= "\x1f")
"""What is white space to Unicode."""
_FIXED = ("persons", "requests", "unit_persons", "consents", "batches", "quarantine", "conflicts", "not_answered")


class _TakenBack(Exception):
    """Everything was compared; the transaction ends in a rollback."""


class WatchedStore(Store):
    """A store whose commits can be kept back: what would be committed is looked at, then rolled back."""

    watch: Callable[[], None] | None = None

    def run(self, sql: str, parameters: Sequence[object] = ()) -> None:
        """Execute one statement; a commit that is watched does not happen."""
        if sql == "commit" and self.watch is not None:
            self.watch()
            raise _TakenBack
        super().run(sql, parameters)


@dataclass(frozen=True)
class Outcome:
    """What became of one file: "accepted", "known" or the kind of refusal; its words; and what did not hold."""

    kind: str
    words: str
    findings: tuple[str, ...]
    seconds: float
    report: IngestReport | None = None


class Office:
    """A store that knows the households of an inbox and takes in one hostile file after the other."""

    def __init__(self, folder: Path, inbox: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "office.duckdb"
        self.box = folder / "box"
        self.box.mkdir(exist_ok=True)
        self.store = WatchedStore.open(self.path, memory_limit="400MB", threads=1)
        self.store.requests(inbox / "requests.jsonl")
        self.store.consents(inbox / "consents.jsonl")
        people = self.store.fetch("select id_number from persons")["id_number"].to_list()
        names = self.store.fetch("select distinct name from unit_persons where length(name) > 1")["name"].to_list()
        self.people = frozenset([*people, *(n for n in names if len(n) > 2)])
        self.before = self._counts()
        self.good: dict[str, tuple[Sample, str]] = {}

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def _counts(self) -> dict[str, int]:
        """Rows of every table."""
        return self._count([*_FIXED, *(f"feed_{name}" for name in all_feeds())])

    def _near(self, feed: str) -> dict[str, int]:
        """Rows of the tables that an answer of this feed may touch: counting them all takes longer than an ingest."""
        return self._count([*_FIXED, f"feed_{feed}"])

    def _count(self, tables: Sequence[str]) -> dict[str, int]:
        # One UNION ALL takes a twentieth of the time of as many scalar subqueries.
        queries = (f"select '{table}' as name, count(*) as n from {table}" for table in tables)
        counts = self.store.fetch(" union all ".join(queries))
        return {str(name): int(n) for name, n in counts.iter_rows()}

    def write(self, sample: Sample) -> Path:
        """Put the file and its manifest where an inbox has them."""
        for old in self.box.iterdir():
            old.unlink()
        path = self.box / f"{sample.feed}{sample.ending}"
        path.write_bytes(sample.data)
        if sample.manifest is not None:
            (self.box / f"{sample.feed}.manifest.json").write_bytes(sample.manifest)
        return path

    def learn(self, samples: Sequence[Sample]) -> None:
        """Take in one valid file of each feed alone, and keep its batch id for `still_good`."""
        for sample in samples:
            if len(self.good) < GOOD and sample.feed not in self.good and sample.secrets:
                outcome = self.give(sample)
                if outcome.kind == "accepted" and outcome.report is not None and outcome.report.accepted:
                    self.good[sample.feed] = (sample, outcome.report.batch_id)

    def give(self, sample: Sample, *, keep: bool = False) -> Outcome:
        """Give a file to the store; unless `keep`, nothing of it stays."""
        path = self.write(sample)
        reset_peak()
        before, began = peak(), time.process_time()
        findings: list[str] = []
        report: IngestReport | None = None
        kind, words, report = self._ingest(sample, path, findings, keep=keep)
        seconds = time.process_time() - began
        if seconds > SLOW * (1 + path.stat().st_size / 2**30):
            findings.append(f"slow: {seconds:.1f} s")
        if peak() - before > MEMORY:
            findings.append(f"memory: {(peak() - before) >> 20} MB")
        secrets = sample.secrets | self.people
        if any(secret in words for secret in secrets):
            findings.append("a message holds a person's value")
        if kind in ("accepted", "known") and report is not None:
            findings += self._accounted(sample, path, report)
        return Outcome(kind, words, tuple(findings), seconds, report)

    def _ingest(
        self, sample: Sample, path: Path, findings: list[str], *, keep: bool
    ) -> tuple[str, str, IngestReport | None]:
        reports: list[IngestReport] = []

        def taken(report: IngestReport) -> None:
            reports.append(report)
            findings.extend(self._whole(report, sample))

        try:
            self._ingested(sample, path, taken, keep=keep)
        except InternalError as error:
            findings.append(f"internal error: {error}")
            return "InternalError", str(error), None
        except MeanscheckError as error:
            words = "".join(traceback.format_exception(error))
            if not str(error).strip():
                findings.append("a refusal without a reason")
            if self._differs(self._near(sample.feed)):
                findings.append("a refused file left something behind")
            return type(error).__name__ + ": " + _reason(error), str(error) + str(error.__cause__ or "") + words, None
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
                raise
            place = traceback.extract_tb(error.__traceback__)
            ours = [entry for entry in place if "/meanscheck/" in entry.filename] or list(place)
            where = f"{Path(ours[-1].filename).name}:{ours[-1].name}"
            findings.append(f"{type(error).__name__} in {where}")
            return type(error).__name__, "", None
        report = reports[0]
        # Of 64 hex digits five in a row are somebody's amount now and then.
        shown = repr(replace(report, batch_id=""))
        return "known" if report.already_known else "accepted", shown, report

    def _ingested(self, sample: Sample, path: Path, taken: Callable[[IngestReport], None], *, keep: bool) -> None:
        """Ingest; `taken` is called before a commit that is kept back, after one that is not.

        The report is made before the commit and returned after it, so it is caught where it is made.
        """
        if keep:
            taken(self.store.ingest(sample.feed, path))
            return
        made: list[IngestReport] = []

        def catch(**facts: Any) -> IngestReport:
            made.append(IngestReport(**facts))
            return made[-1]

        with MonkeyPatch.context() as patch:
            patch.setattr("meanscheck.evidence.ingest.IngestReport", catch)
            patch.setattr(self.store, "watch", lambda: taken(made[-1]))
            with suppress(_TakenBack):
                self.store.ingest(sample.feed, path)

    def _differs(self, now: Mapping[str, int]) -> dict[str, int]:
        """Tables with other counts than at the beginning, and by how much."""
        return {name: now[name] - self.before[name] for name in now if now[name] != self.before[name]}

    def _whole(self, report: IngestReport, sample: Sample) -> Iterator[str]:
        """Within the transaction: do the tables hold what the report says, and nothing else?"""
        grown = self._differs(self._near(sample.feed))
        batch = 0 if report.already_known else report.batch
        if grown.pop(f"feed_{sample.feed}", 0) != report.accepted:
            yield "rows stored are not those accepted"
        if grown.pop("batches", 0) != (0 if report.already_known else 1):
            yield "not one batch"
        set_aside = self.store.fetch(
            "select count(distinct row_no) filter (where reason <> 'repeated_row') as bad, "
            "count(distinct row_no) filter (where reason = 'repeated_row') as again "
            f"from quarantine where batch = {batch}"
        )
        if not report.already_known and set_aside["bad"][0] != report.quarantined:
            yield "rows in quarantine are not those reported"
        if not report.already_known and set_aside["again"][0] > report.repeated:
            yield "more repeats in quarantine than reported"
        grown = {name: n for name, n in grown.items() if name not in ("quarantine", "conflicts", "not_answered")}
        if grown:
            yield f"other tables grew: {', '.join(sorted(grown))}"
        reasons = self.store.fetch(f"select distinct reason, field from quarantine where batch = {batch}")
        words = " ".join(str(cell) for row in reasons.rows() for cell in row)
        if any(secret in words for secret in sample.secrets | self.people):
            yield "a quarantine reason or field holds a person's value"
        kept = self.store.value(
            f"select count(*) from quarantine where batch = {batch} and person is null and raw is not null"
        )
        if kept:
            yield "the text of a row is kept although it concerns nobody who may be kept"

    def _accounted(self, sample: Sample, path: Path, report: IngestReport) -> Iterator[str]:
        """Every row that the reader saw is in one of the report's counts, and every line of the file was seen."""
        file = read_rows(all_feeds()[sample.feed], path)
        bad = file.broken["row_no"].n_unique() if file.broken.height else 0
        seen = file.rows.height + bad
        counted = (
            sum((report.accepted, report.quarantined, report.not_covered, report.not_requested, report.repeated))
            + report.known_rows
        )
        if not report.already_known and counted != seen:
            yield f"{seen} rows were read, {counted} are accounted for"
        if sample.form in ("csv", "jsonl"):
            lines = _lines(sample.data)
            extra = _passed_over(file) + (0 if sample.form == "jsonl" else HEADER_LINES)
            if lines is not None and not (seen <= lines[1] and lines[0] <= seen + extra):
                yield f"{lines[0]} to {lines[1]} lines hold text, {seen} rows were read"

    def still_good(self, feed: str) -> Iterator[str]:
        """A good file has the batch id it always had; the store opens again."""
        self.store.close()
        self.store = WatchedStore.open(self.path, memory_limit="400MB", threads=1)
        if self._counts() != self.before:
            yield "the store is not what it was"
        sample, batch_id = self.good[feed]
        outcome = self.give(sample)
        if outcome.report is None or outcome.report.batch_id != batch_id:
            yield "a good file has another batch id"
        yield from outcome.findings

    def for_good(self, sample: Sample, feed: str) -> Iterator[str]:
        """The file committed into a copy of the store: it opens again, and a good file has its batch id afterwards."""
        self.store.close()
        copy = self.folder / "copy.duckdb"
        shutil.copy(self.path, copy)
        mine, self.path = self.path, copy
        try:
            self.store = WatchedStore.open(copy, memory_limit="400MB", threads=1)
            first = self.give(sample, keep=True)
            yield from first.findings
            self.store.close()
            self.store = WatchedStore.open(copy, memory_limit="400MB", threads=1)
            if first.report is not None and not first.report.already_known:
                found = self.store.value("select count(*) from batches where batch_id = ?", [first.report.batch_id])
                rows = self.store.value(f"select count(*) from feed_{sample.feed}")
                if (found, rows) != (1, first.report.accepted):
                    yield "a committed batch is not there after the store was opened again"
                again = self.store.ingest(sample.feed, self.write(sample))
                if not again.already_known or again.batch_id != first.report.batch_id:
                    yield "the same file again is not known"
            good, batch_id = self.good[feed]
            later = self.store.ingest(good.feed, self.write(good))
            if good.feed != sample.feed and later.batch_id != batch_id:
                yield "a good file has another batch id after a hostile one"
        except (MeanscheckError, duckdb.Error) as error:
            yield f"after a committed file: {type(error).__name__} {error}"
        finally:
            self.store.close()
            for old in self.folder.glob("copy.duckdb*"):
                shutil.rmtree(old) if old.is_dir() else old.unlink()
            self.path = mine
            self.store = WatchedStore.open(mine, memory_limit="400MB", threads=1)


def _passed_over(file: FileRows) -> int:
    """Lines that the reader says are no rows: totals, notes, the header again."""
    passed = getattr(file, "passed", None)
    return 0 if passed is None else len(passed)


def _reason(error: MeanscheckError) -> str:
    """The words of a refusal without places and numbers, for counting."""
    what = getattr(error, "what", str(error))
    return re.sub(r"\d+", "#", what.split(":")[0])[:60]


def _lines(data: bytes) -> tuple[int, int] | None:
    """Lines with text, as the readers divide them, at least and at most; None where the encoding is not plain.

    A line of nothing but U+001C to U+001F is blank to Python and text to Unicode: it may be passed over or set aside.
    """
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\r" in text and "\n" not in text:
            text = text.replace("\r", "\n")
        held = [line for line in text.split("\n") if line.strip(BLANKS)]
        return sum(1 for line in held if line.strip()), len(held)
    return None


def reset_peak() -> None:
    """Start a new measure of the process's peak memory."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak() -> int:
    """Peak resident bytes since `reset_peak`."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) << 10
    return 0
