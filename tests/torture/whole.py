"""What does an office do on one day, and is everything it left behind whole? A run that may be broken off anywhere.

`Day` has a folder with an office made once; each trial works on a copy. `run` takes in the inbox, decides, seals and
writes receipts, and can be run again over what a broken run left. `look` says what is not whole in a folder.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from meanscheck.contracts import all_feeds, readers
from meanscheck.decisions import assess
from meanscheck.errors import LedgerError
from meanscheck.evidence import Store, connecting, subjects
from meanscheck.faces.cli.intake import ORIGIN, make_office
from meanscheck.faces.cli.office import Office
from meanscheck.law import RulePack
from meanscheck.ledger import GROUPS, Ledger, Signer, bulk, verify
from meanscheck.synth import county
from meanscheck.vault.files import writing

HOUSEHOLDS = 6
PACK = "rules/cn/guangdong/jiangmen"
DAY = date(2020, 6, 30)
FEEDS = ("bank_deposits", "deaths", "declaration", "household_register", "supporters")
"""Enough that sheets, GB18030 and all kinds of coverage occur; fewer files leave time for more kills."""
BLOCK_UNITS = 2
"""Three blocks, so that a run can be broken off between two."""
MANY, PART, ROW_GROUP = 6_000, 2_500, 2_048
"""Rows of a file that comes in parts, and rows that the database keeps together: it writes them while more come."""
RECEIPTS = 2
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Left:
    """What a whole run leaves: equal for every run that came to its end, however often it was broken off before."""

    batches: dict[str, str]
    snapshot: str
    records_root: str
    log_root: str
    outcomes: str
    receipts: int


def make_day(folder: Path, *, seed: int) -> Path:
    """An office with its inbox, before anything has come in."""
    made = county(folder / "county", households=HOUSEHOLDS, seed=seed)
    _for_few_rows()
    inbox = folder / "inbox"
    inbox.mkdir()
    for path in made.inbox.iterdir():
        if path.name.split(".")[0].split("-")[0] in (*FEEDS, "requests", "consents"):
            shutil.copy(path, inbox / path.name)
    _many_rows(inbox)
    make_office(folder / "office" / "county.duckdb", origin=ORIGIN, unprotected=True)
    return inbox


def _for_few_rows() -> None:
    """From now on a file of `MANY` rows is treated like one of millions."""
    vars(readers).update(WHOLE=MANY - 1, PART=PART)
    attach = getattr(connecting.attach, "func", connecting.attach)
    vars(connecting)["attach"] = partial(attach, row_group=ROW_GROUP)


def _many_rows(inbox: Path) -> None:
    """Two answers of many rows. The second says half of the first again, and contradicts itself once."""
    lines = (inbox / "requests.jsonl").read_text(encoding="utf-8").splitlines()
    people = [member["id_number"] for line in lines for member in json.loads(line)["members"]]
    facts = {"feed": "pensions_paid", "answered_on": "2020-06-30", "covers_from": "2020-01-01"}
    for number, first in enumerate((0, MANY // 2)):
        path = inbox / f"pensions_paid-{number:03d}.csv"
        paid = [(people[n % len(people)], n, n) for n in range(first, first + MANY - number)]
        paid += [(*paid[0][:2], 1)] * number
        with path.open("w", encoding="utf-8", newline="") as stream:
            out = csv.writer(stream)
            out.writerow(("id_number", "month", "kind", "amount", "payment_no"))
            for person, n, yuan in paid:
                out.writerow((person, f"2020-{n % 5 + 1:02d}", "resident_basic_pension", f"{yuan}.00", f"P{n}"))
        stated = json.dumps({**facts, "sender": f"office-{number}"})
        path.with_suffix(".manifest.json").write_text(stated, encoding="utf-8")


def _same_tokens(size: int) -> bytes:
    return hashlib.shake_256(f"tokens {size}".encode()).digest(size)


def _same_salts(size: int) -> bytes:
    return hashlib.shake_256(f"salts {size}".encode()).digest(size)


def run(folder: Path, inbox: Path, tell: Tell) -> Left:
    """The whole day in the office of a folder, or the rest of it."""
    # Tokens are drawn once and are part of the records: fixed here, so that records of two runs can be compared.
    # So are salts, so that the logs of two runs can be.
    _for_few_rows()
    vars(subjects)["secrets"] = SimpleNamespace(token_bytes=_same_tokens)
    vars(bulk)["os"] = SimpleNamespace(urandom=_same_salts)
    office = Office(folder / "county.duckdb")
    with Store.open(office.store, memory_limit="400MB", threads=1) as store:
        reports = store.ingest_inbox(inbox, progress=lambda what, done, total: tell(f"ingest {what}"))
        tell("decide")
        law = RulePack.load(PACK).on(DAY)
        ledger = Ledger.open(office.ledger, signer=Signer.load(office.key))
        result = assess(store, law, block_units=BLOCK_UNITS)
        tell("seal")
        try:
            ledger.append(result)
        except LedgerError as error:
            # Broken off after the batch was closed: there is nothing left to do.
            if "is in this log already" not in str(error):
                raise
        tell("receipts")
        closed = result.vault.closed()
        if closed is None:
            raise AssertionError("sealed, but the vault's batch is not whole")
        office.receipts.mkdir(exist_ok=True)
        outcomes = result.vault.outcomes().sort("case_id", "programme", "member").collect(engine="in-memory")
        cases = outcomes["case_id"].unique().sort().to_list()[:RECEIPTS]
        for case in cases:
            held = result.vault.find(case)
            assert held.index is not None and held.leaf is not None and held.salts is not None
            text = ledger.receipt(held.index, held.leaf, held.groups, held.salts, GROUPS)
            path = office.receipts / f"{case}.tlog-proof"
            with writing(path):  # as the command line does for all that it writes
                path.write_text(text, encoding="utf-8", newline="")
        proven = [verify(path, policy=office.policy) for path in sorted(office.receipts.glob("*.tlog-proof"))]
        tell("done")
        return Left(
            batches={report.file: report.batch_id for report in reports},
            snapshot=result.snapshot.id,
            records_root=str(closed["records_root"]),
            log_root=ledger.checkpoint.splitlines()[2],
            outcomes=hashlib.sha256(outcomes.write_json().encode()).hexdigest(),
            receipts=len(proven),
        )


def look(folder: Path, *, batches: dict[str, str] | None = None) -> list[str]:
    """What is not whole in the office of a folder; `batches`: file → batch id of a run that was never broken."""
    _for_few_rows()
    found: list[str] = []
    office = Office(folder / "county.duckdb")
    with Store.open(office.store, memory_limit="400MB", threads=1) as store:
        found += _look_at_store(store, batches)
    ledger = Ledger.open(office.ledger, signer=Signer.load(office.key))
    if ledger.size:
        ledger.check()
    for vault in office.open_vault().batches(GROUPS):
        if vault.closed() is not None:
            rows = sum(block.height for block in vault.blocks())
            if rows != HOUSEHOLDS:
                found.append("a closed batch of the vault lacks records")
    return found


def _look_at_store(store: Store, batches: dict[str, str] | None) -> list[str]:
    found: list[str] = []
    known = store.fetch("select batch, batch_id, feed, file, accepted, quarantined from batches")
    for row in known.iter_rows(named=True):
        rows = store.value(f"select count(*) from feed_{row['feed']} where batch = {row['batch']}")
        if rows != row["accepted"]:
            found.append(f"{row['feed']}: a batch has not the rows it reports")
        aside = store.value(
            f"select count(distinct row_no) from quarantine where batch = {row['batch']} and reason <> 'repeated_row'"
        )
        if aside != row["quarantined"]:
            found.append(f"{row['feed']}: a batch has not the quarantined rows it reports")
        if batches is not None and batches.get(row["file"]) != row["batch_id"]:
            found.append(f"{row['feed']}: a batch has another id than without the break")
    for feed in all_feeds():
        if store.value(f"select count(*) from feed_{feed} where batch not in (select batch from batches)"):
            found.append(f"{feed}: rows of no batch")
    for table in ("quarantine", "not_answered", "batch_requests", "conflicts"):
        if store.value(f"select count(*) from {table} where batch not in (select batch from batches)"):
            found.append(f"{table}: rows of no batch")
    if store.value("select count(*) from requests where request not in (select request from unit_persons)"):
        found.append("a request without persons")
    return found


def files_of(folder: Path) -> set[str]:
    """Names of all files in a folder, those of a run that is at its end."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def as_plain(left: Left) -> dict[str, Any]:
    """For a pipe."""
    return {name: getattr(left, name) for name in Left.__dataclass_fields__}
