"""Who can be read from what was written? Planted words, searched for in every byte that a whole way leaves or shows.

    python -m tests.torture.leaks                 the store, its projection and what it spills hold people today
    python -m tests.torture.leaks --encrypted     with a key: there, too, nothing may be read

The whole way runs through the commands, as a user would, in one child: init, ingest, assess, explain, receipts of some
groups, verify, replay, quarantine lists, with and without --json; then hostile files, with MEANSCHECK_TRACEBACK=1; then
a sort that spills; and the reprs of all objects of the library. Searched are all files in all their moments (every
place is looked at again after each command), what each command printed, logged, and its processes' arguments.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import inspect
import io
import json
import logging
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from .planted import FEED, Needles, Planted, plant

HOUSEHOLDS = 6
PACK = "rules/cn/guangdong/jiangmen"
DAY = "2020-06-30"
KEPT = frozenset({"numbers", "names", "accounts", "amounts"})
"""What the office may keep of its people."""
SHOWN: dict[str, frozenset[str]] = {"explain": frozenset({"amounts"}), "check": frozenset({"amounts"})}
"""What a command may print: amounts of the case it was asked about."""
ENCRYPTED_PLACES = ("county.duckdb", "county.projection")
"""Files and folders beside the store, by the beginning of their names, that hold people unless there is a key."""


@dataclass
class Search:
    """What was found where."""

    findings: set[str] = field(default_factory=set)
    expected: set[str] = field(default_factory=set)
    """Places that hold people because there is no key."""
    searched: int = 0
    """Bytes."""
    commands: int = 0
    objects: int = 0


class Way:
    """One office's whole way, its outputs and files searched."""

    def __init__(self, folder: Path, planted: Planted, *, encrypted: bool) -> None:
        self.folder, self.planted, self.encrypted = folder, planted, encrypted
        self.needles = planted.needles()
        self.office = folder / "office"
        self.result = Search()
        self._seen: dict[Path, tuple[int, int]] = {}

    # -- searching

    def text(self, what: str, data: bytes, allowed: frozenset[str] = frozenset()) -> None:
        """Search something shown."""
        self.result.searched += len(data)
        for kind in self.needles.search(data) - allowed:
            self.result.findings.add(f"{what} shows {kind}")

    def places(self, moment: str) -> None:
        """Search every file of the office as it is now."""
        for path in sorted(self.office.rglob("*")):
            name = str(path.relative_to(self.office))
            if self.needles.search(name.encode()):
                self.result.findings.add("the name of a file tells a planted word")
            with contextlib.suppress(FileNotFoundError):
                now = (path.stat().st_mtime_ns, path.stat().st_size)
                if path.is_file() and self._seen.get(path) != now:
                    self._seen[path] = now
                    self._file(name, path.read_bytes(), moment)

    def _file(self, name: str, data: bytes, moment: str) -> None:
        self.result.searched += len(data)
        for kind in self.needles.search(data):
            is_store = name.startswith(ENCRYPTED_PLACES)
            if is_store and kind in KEPT and not self.encrypted:
                self.result.expected.add(f"{name.split('/')[0]} holds {kind}")
            else:
                self.result.findings.add(f"{name} holds {kind} (after {moment})")

    # -- the way

    def command(self, *arguments: str, allowed: frozenset[str] | None = None) -> tuple[int, str]:
        """Run one command in this process as a shell would; search what it printed, then every place."""
        from meanscheck.faces.cli import main
        from meanscheck.faces.cli.page import console

        self.result.commands += 1
        out, err = io.StringIO(), io.StringIO()
        console.cache_clear()
        code = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main([str(argument) for argument in arguments])
            except SystemExit as left:
                code = int(left.code or 0)
        console.cache_clear()
        name = arguments[0] + (" --json" if "--json" in arguments else "")
        may = SHOWN.get(arguments[0], frozenset()) if allowed is None else allowed
        self.text(f"{name} (output)", out.getvalue().encode(), may)
        self.text(f"{name} (errors)", err.getvalue().encode())
        self.places(name)
        return code, out.getvalue()

    def go(self, *, hostile: int) -> None:
        """Everything."""
        store = str(self.office / "county.duckdb")
        inbox = str(self.planted.inbox)
        self._good("init", str(self.office), "--unprotected-key")
        self._good("ingest", store, inbox)
        self._good("ingest", store, inbox, "--json")
        for form in ((), ("--json",)):
            self._good("quarantine", store, *form)
        self._good("assess", store, PACK, "--on", DAY, "--no-seal", "--processes", "1", "--json")
        self._good("assess", store, PACK, "--on", DAY, "--processes", "1")
        case = "U0000000001"
        receipt = str(self.office / "receipts" / f"{case}.tlog-proof")
        for form in ((), ("--json",)):
            self._good("explain", store, case, *form)
            self._good("check", store, "R0000000001", *form)
            self._good("receipt", store, case, "--disclose", "provenance,household", *form)
            self._good("verify", receipt, "--policy", str(self.office / "county.policy"), *form)
            # Only a receipt that shows all groups can be replayed; it lies outside of the places searched.
            whole = str(self.folder / "whole.tlog-proof")
            self._good("receipt", store, case, "--out", whole)
            self.command("replay", whole, "--store", store, *form)
        # Before the errors: these put planted words where an office has its own numbers.
        self._objects(store)
        self._errors(store, hostile)
        self._spill(store)

    def _good(self, *arguments: str) -> None:
        code, _ = self.command(*arguments)
        if code != 0:
            self.result.findings.add(f"{arguments[0]} left with {code}")

    def _errors(self, store: str, hostile: int) -> None:
        """Errors of all kinds, with everything shown that a person can ask for."""
        from .hostile import made_hostile
        from .samples import Sample

        os.environ["MEANSCHECK_TRACEBACK"] = "1"
        number = sorted(self.planted.words["numbers"])[0]
        account = sorted(self.planted.words["accounts"])[0]
        try:
            # What the caller himself types may stand in the answer to him alone, not in places.
            typed = frozenset({"numbers"})
            for arguments in (("explain", store, number), ("check", store, number), ("receipt", store, number)):
                self.command(*arguments, allowed=typed)
            pool = [
                Sample(FEED, path.suffix, path.read_bytes(), path.with_name(f"{path.stem}.manifest.json").read_bytes())
                for path in sorted(self.planted.inbox.glob(f"{FEED}-*.csv"))
            ]
            box = self.folder / "box"
            box.mkdir()
            for at in range(hostile):
                sample = made_hostile(Random(f"leak {at}"), pool)
                path = box / f"{sample.feed}-{at}{sample.ending}"
                path.write_bytes(sample.data)
                if sample.manifest is not None:
                    (box / f"{sample.feed}-{at}.manifest.json").write_bytes(sample.manifest)
                self.command("ingest", store, str(path))
            for at, (name, line) in enumerate(self._bad_lines(number, account)):
                path = box / f"{name}-{at}.jsonl"
                path.write_text(line + "\n", encoding="utf-8")
                self.command("ingest", store, str(path))
        finally:
            del os.environ["MEANSCHECK_TRACEBACK"]

    def _bad_lines(self, number: str, account: str) -> Iterator[tuple[str, str]]:
        """Requests and consents that are refused, with planted words in every place."""
        name = sorted(self.planted.words["names"])[0]
        for source, kind in (("requests.jsonl", "requests"), ("consents.jsonl", "consents")):
            good = json.loads((self.planted.inbox / source).read_text(encoding="utf-8").splitlines()[0])
            for at, key in enumerate([*good, number, name]):
                for value in ((number, [number]), ({number: name}, 7))[at % 2]:
                    yield kind, json.dumps({**good, key: value}, ensure_ascii=False)
            yield kind, json.dumps(good, ensure_ascii=False)[:-7] + account

    def _objects(self, store: str) -> None:
        """Reprs of all objects of the library that a way leaves in memory, as a debugger or a log would show them."""
        import polars as pl

        from meanscheck.contracts import feed
        from meanscheck.contracts.cast import cast_rows
        from meanscheck.contracts.readers import read_rows
        from meanscheck.decisions import assess, check
        from meanscheck.evidence import Store
        from meanscheck.evidence.manifest import load_manifest
        from meanscheck.law import RulePack

        # Cells in one piece, whatever their length: a value folded over two lines would not be found.
        pl.Config(fmt_str_lengths=1000, tbl_width_chars=100_000, tbl_cols=-1, tbl_rows=-1)
        held: list[object] = []
        with Store.open(store) as opened:
            law = RulePack.load(PACK).on(date.fromisoformat(DAY))
            result = assess(opened, law, vault=self.folder / "vault-2")
            case = result.outcomes.collect(engine="in-memory")["case_id"][0]
            held += [opened, result, result.decision(case), result.held(case), *result.decision(case)]
            held += [result.projection.block({}, first=0, after=2), opened.snapshot()]
            held += [opened.case_block(case, {FEED: ["balance"]}, on=law.on), check(opened, "R0000000001")]
            held += [opened.report_rows("R0000000001", on=law.on)]
            path = sorted(self.planted.inbox.glob(f"{FEED}-*.csv"))[0]
            rows = read_rows(feed(FEED), path)
            held += [rows, load_manifest(feed(FEED), path, None)]
            held += [cast_rows(feed(FEED), rows.rows, as_of=None, not_after=law.on, units=rows.units)]
            held += [opened.ingest(FEED, path)]
            held += [one for one in gc.get_objects() if str(type(one).__module__).startswith("meanscheck")]
            for one in held:
                self.result.objects += 1
                self.text(f"repr of {type(one).__module__}.{type(one).__name__}", repr(one).encode("utf-8", "replace"))

    def _spill(self, store: str) -> None:
        """A sort much larger than memory: what lies in the folder it spills to, while it does."""
        from meanscheck.evidence import Store

        watcher = _Watcher(self)
        with Store.open(store, memory_limit="60MB", threads=1) as opened:
            watcher.start()
            try:
                opened.value(
                    "select count(*) from (select row_number() over (order by hash(i, p.id_number)) as n, p.id_number, "
                    "u.name, i from persons p join unit_persons u using (person) cross join range(60000) r(i)) "
                    "where n % 7 = 3 and length(name || id_number) > 9"
                )
            finally:
                watcher.stop()
        if not watcher.seen:
            self.result.findings.add("nothing was spilled: this search was none")


class _Watcher(threading.Thread):
    """Searches the files of an office again and again while something else runs."""

    def __init__(self, way: Way) -> None:
        super().__init__(daemon=True)
        self.way, self.seen, self._over = way, 0, threading.Event()

    def run(self) -> None:
        while not self._over.is_set():
            for path in self.way.office.glob("*.duckdb.tmp/*"):
                with contextlib.suppress(FileNotFoundError):
                    data = path.read_bytes()[: 64 << 20]
                    self.seen += len(data)
                    self.way._file(str(path.relative_to(self.way.office)), data, "a spilling sort")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it."""
        self._over.set()
        self.join()


def _child(pipe: Connection, folder: Path, households: int, seed: int, hostile: int, encrypted: bool) -> None:
    planted = plant(folder / "county", households=households, seed=seed)
    log = io.StringIO()
    logging.basicConfig(stream=log, level=logging.DEBUG, force=True)
    if encrypted:
        # The commands and the library find it there; so it must show neither in a file nor in an output.
        from meanscheck.evidence.key import ENVIRONMENT, StoreKey

        os.environ[ENVIRONMENT] = StoreKey.generate().text
    way = Way(folder, planted, encrypted=encrypted)
    pipe.send(way.needles)
    way.go(hostile=hostile)
    way.text("a log", log.getvalue().encode())
    pipe.send(way.result)


def run(folder: Path, *, households: int, seed: int, hostile: int, encrypted: bool) -> Search:
    """The whole way in a child, whose arguments and those of its children are searched from here."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_child, args=(theirs, folder, households, seed, hostile, encrypted))
    process.start()
    theirs.close()
    needles: Needles | None = None
    shown: set[str] = set()
    while True:
        if mine.poll(0.2):
            try:
                word = mine.recv()
            except EOFError:
                raise RuntimeError(f"the child ended with {process.exitcode}") from None
            if isinstance(word, Search):
                word.findings |= shown
                process.join()
                return word
            needles = word
        for arguments in _arguments_of(process.pid or 0):
            if needles is not None and needles.search(arguments):
                shown.add("the process list shows a planted word")


def _arguments_of(root: int) -> Iterator[bytes]:
    """Arguments and environment of a process and of all its descendants."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    ours = {root}
    while more := {child for child, parent in parents.items() if parent in ours} - ours:
        ours |= more
    for pid in ours:
        for name in ("cmdline", "environ"):
            with contextlib.suppress(OSError):
                yield Path(f"/proc/{pid}/{name}").read_bytes()


def can_encrypt() -> bool:
    """Whether this version of the store takes a key."""
    from meanscheck.evidence import Store

    return "key" in inspect.signature(Store.open).parameters


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 if something leaks."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.leaks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hostile", type=int, default=100, help="hostile files given to `ingest`")
    parser.add_argument("--encrypted", action="store_true")
    given = parser.parse_args(arguments)
    if given.encrypted and not can_encrypt():
        print("this version's store takes no key")
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = run(
            Path(folder), households=HOUSEHOLDS, seed=given.seed, hostile=given.hostile, encrypted=given.encrypted
        )
    for line in sorted(found.expected):
        print(f"  without a key: {line}")
    for line in sorted(found.findings):
        print(f"FOUND {line}")
    print(
        f"seed {given.seed}, {found.commands} commands, {found.objects} objects, {found.searched >> 20} MB searched, "
        f"{len(found.findings)} findings, {time.monotonic() - began:.0f} s"
    )
    return 1 if found.findings else 0


if __name__ == "__main__":
    sys.exit(main())
