"""Is a caseload that Spark works on whole after kill -9 at any moment, and does Spark then come to the same roots?

    python -m tests.engines.killing --times 20 --seed 1          (needs the extra spark, and Java)

A child starts Spark, decides a small county and seals it into a log, and is killed at a random moment, with the Java
machine and all tasks. Then the log holds together and the store opens; another Spark goes on over what is left, and
records root and log root are those of one process that nobody killed. It leaves with 1 if not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from meanscheck.decisions import assess
from meanscheck.engines import Spark
from meanscheck.errors import LedgerError
from meanscheck.evidence import Store
from meanscheck.law import RulePack
from meanscheck.ledger import Ledger, Signer, bulk
from meanscheck.synth import county

from .determined import FixedSalts

ROOT = Path(__file__).parents[2]
ORIGIN = "county.example/relief"
PACK = ROOT / "rules" / "cn" / "guangdong" / "jiangmen"
DAY = date(2020, 6, 30)
HOUSEHOLDS = 120
BLOCK_UNITS = 10
HANG = 300.0


def make_office(folder: Path) -> None:
    """A store with its projection made, and the key of a log."""
    made = county(folder / "made", households=HOUSEHOLDS, seed=5, style="parquet", on=DAY)
    office = folder / "office"
    office.mkdir()
    Signer.generate(ORIGIN).save(office / "key" / "signer.key", unprotected=True)
    with Store.open(office / "county.duckdb", memory_limit="500MB") as store:
        store.ingest_inbox(made.inbox)
        store.project(store.snapshot(), on=DAY)


def work(office: Path, engine: Any) -> dict[str, Any]:
    """Decide and seal the county, or the rest of it; roots, and how many households an earlier run had finished."""
    with Store.open(office / "county.duckdb", memory_limit="500MB") as store, patch.object(bulk, "Seal", FixedSalts):
        law = RulePack.load(PACK).on(DAY)
        result = assess(store, law, vault=office / "vault", block_units=BLOCK_UNITS, engine=engine)
        ledger = Ledger.open(office / "ledger", signer=Signer.load(office / "key" / "signer.key"))
        try:
            ledger.append(result)
        except LedgerError as error:
            # Killed after the batch was closed: there is nothing left to do.
            if "is in this log already" not in str(error):
                raise
        ledger.check()
        closed = result.vault.closed()
        if closed is None:
            raise AssertionError("sealed, but the vault's batch is not whole")
        roots = {"records": closed["records_root"], "log": ledger.checkpoint.splitlines()[2]}
        return {"roots": roots, "kept": result.kept}


class Killer:
    """Runs Spark in children and kills them with all that they started."""

    def __init__(self, folder: Path, session: Any) -> None:
        self.folder, self.session = folder, session
        self.ended: Counter[str] = Counter()
        self.findings: list[str] = []
        make_office(folder)
        self.expected = work(self._fresh("alone"), None)["roots"]
        started, ended = self._child(self._fresh("whole"), None)
        if ended is None or self.findings:
            raise RuntimeError("a run that nobody broke off did not end")
        self.seconds = ended - started

    def _fresh(self, name: str) -> Path:
        shutil.copytree(self.folder / "office", self.folder / name)
        return self.folder / name

    def trial(self, number: int, chance: Random) -> None:
        """Kill one run and look."""
        office = self._fresh(f"trial-{number}")
        moment = chance.random() * self.seconds
        _, ended = self._child(office, moment)
        label = f"no. {number}, {moment:.1f} s after Spark had started"
        log = Ledger.open(office / "ledger", signer=Signer.load(office / "key" / "signer.key"))
        try:
            log.check()
            again = work(office, Spark(self.session))
        except Exception as error:
            self.findings.append(f"{label}: {type(error).__name__}: {error}")
            return
        if again["roots"] != self.expected:
            self.findings.append(f"{label}: other roots than of one process that nobody killed")
        if list(office.glob("vault/*/attempts/*")):
            self.findings.append(f"{label}: attempts are left")
        come = "at its end" if ended is not None else f"{again['kept'] // BLOCK_UNITS} blocks finished"
        self.ended[come if log.size else "before the log was opened"] += 1
        shutil.rmtree(office)

    def _child(self, office: Path, moment: float | None) -> tuple[float, float | None]:
        """When Spark had started, and when the child came to its end, if it was let."""
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.engines.killing", "--office", str(office)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert child.stdout is not None
        if child.stdout.readline() != "started\n":
            raise RuntimeError("Spark did not start")
        started, ended = time.monotonic(), None
        try:
            child.wait(HANG if moment is None else moment)
            ended = time.monotonic()
            if child.returncode:
                self.findings.append(f"{office.name}: a run that nobody killed left with {child.returncode}")
        except subprocess.TimeoutExpired:
            pass
        finally:
            _kill_session(child.pid)
            child.wait()
            child.stdout.close()
        return started, ended


def _kill_session(leader: int) -> None:
    """Kill -9 of every process of a session: Python's, Java's and the tasks, which have groups of their own."""
    while found := [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and _is_of(p, leader)]:
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)


def _is_of(process: Path, leader: int) -> bool:
    try:
        state, _, _, session = (process / "stat").read_text().rpartition(")")[2].split()[:4]
    except OSError:
        return False
    return int(session) == leader and state != "Z"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 if anything was not whole."""
    parser = argparse.ArgumentParser(prog="python -m tests.engines.killing")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--office", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    # Tasks import the seal of these tests.
    os.environ["PYTHONPATH"] = str(ROOT)
    settings = {"spark.log.level": "OFF", "spark.sql.codegen.wholeStage": "false"}
    if given.office is not None:
        with Spark.local(settings=settings) as engine:
            print("started", flush=True)
            work(given.office, engine)
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Spark.local(settings=settings) as engine:
        killer = Killer(Path(folder), engine.session)
        print(f"one run takes {killer.seconds:.1f} s once Spark has started", flush=True)
        for number in range(given.times):
            before = len(killer.findings)
            killer.trial(number, Random(f"{given.seed} {number}"))
            for found in killer.findings[before:]:
                print(f"FOUND at {found}", flush=True)
    for what, n in sorted(killer.ended.items()):
        print(f"{n:6} killed with {what}" if "blocks" in what else f"{n:6} {what}")
    print(f"seed {given.seed}, {given.times} times, {len(killer.findings)} findings, {time.monotonic() - began:.0f} s")
    return 1 if killer.findings else 0


if __name__ == "__main__":
    sys.exit(main())
