"""Where do those who look themselves find everything? In a folder of tables, CSV and Parquet, with their dictionary.

    log_entries, log_batches                      what is published anyway
    decisions, outcomes, tests, variables         the records, taken apart; erased households by token only
    differences                                   what a replay found, if there was one
    requests … quarantine, feed_<name>            the evidence as the store holds it
    dictionary                                    every table and column in Chinese
    contents.json                                 log, batches and how many rows each table has

Files are readable by their owner only: they hold all that the office knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from meanscheck.caseload import held, tables
from meanscheck.caseload.auditing import Audit
from meanscheck.caseload.dictionary import Table, all_tables, dictionary_frame
from meanscheck.caseload.examining import law_of
from meanscheck.caseload.logged import Logged, read_log
from meanscheck.caseload.tables import Decided
from meanscheck.caseload.writing import write
from meanscheck.errors import InputError
from meanscheck.evidence import Store
from meanscheck.ledger import Ledger

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: rows by table."""

    folder: Path
    rows: dict[str, int] = field(repr=False)


def export(
    store: Store,
    ledger: Ledger,
    *,
    vault: Path,
    folder: Path,
    batches: Collection[str] | None = None,
    audit: Audit | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Write all tables.

    Args:
        store: the evidence store.
        ledger: the log, to read.
        vault: folder of the batches' records.
        folder: new or empty.
        batches: ids; all closed batches that the vault holds unless given.
        audit: of these batches, for verdicts and differences.
        progress: called with tables done and tables in all.

    Raises:
        InputError: the folder is not empty.
        LedgerError: the log has no closed batch of an id.
        StoreError: the store has not recorded a batch's law.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("the folder is not empty", where=folder.name, remedy="Name a new one")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = read_log(ledger)
    decided = list(_decided(store, log, vault, batches, audit))
    every = all_tables()
    rows: dict[str, int] = {}
    for name, table in every.items():
        rows[name] = write(folder, name, _frames(table, every, store, ledger, log, decided))
        if progress is not None:
            progress(len(rows), len(every))
    contents = {
        "origin": log.origin,
        "size": log.size,
        "root": log.root,
        "batches": [one.batch.batch_id for one in decided],
        "rows": rows,
    }
    file = folder / "contents.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(contents, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return Exported(folder, rows)


def _decided(
    store: Store, log: Logged, vault: Path, wanted: Collection[str] | None, audit: Audit | None
) -> Iterator[Decided]:
    there = held.batches_in(vault)
    found = (
        [b for b in log.batches if b.close_index is not None and b.batch_id in there]
        if wanted is None
        else [log.batch(name) for name in wanted]
    )
    seen = {b.batch.batch_id: dict(b.differing) for b in audit.batches} if audit is not None else {}
    for batch in found:
        yield Decided(vault, batch, law_of(store, batch), seen.get(batch.batch_id))


def _frames(
    table: Table, every: dict[str, Table], store: Store, ledger: Ledger, log: Logged, decided: list[Decided]
) -> Iterator[pl.DataFrame]:
    if table.name == "log_entries":
        return tables.log_entries(ledger, table)
    if table.name == "log_batches":
        return tables.log_batches(log, table)
    if table.name == "differences":
        return tables.differences(decided, table)
    if table.name == "dictionary":
        return iter([dictionary_frame(every)])
    if table.name in tables.OF_RECORD:
        return tables.of_decisions(decided, table)
    return tables.of_store(store, table)
