"""Which rows go into the exported tables? Of the log, of the vault's decisions, of the store; part by part, in order.

Columns and their order are those of the dictionary; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from meanscheck.caseload import held
from meanscheck.caseload.dictionary import Table, names_of
from meanscheck.caseload.logged import Logged, LoggedBatch
from meanscheck.contracts import all_feeds
from meanscheck.evidence import Store
from meanscheck.law.law import Law
from meanscheck.ledger import Ledger, canonical
from meanscheck.replay import CLASSES, Replay
from meanscheck.values.sql import quoted

AT_ONCE = 1000
"""Decisions taken apart at a time."""
ROWS_AT_ONCE = 500_000
_POLARS: Mapping[str, pl.DataType] = {
    "整数": pl.Int64(),
    "文本": pl.String(),
    "日期": pl.Date(),
    "是否": pl.Boolean(),
    "摘要": pl.String(),
}
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """The decisions of one batch, with the law and what a replay found of them (None: not replayed)."""

    vault: Path
    batch: LoggedBatch
    law: Law
    replays: Mapping[int, Replay] | None


def frame_of(table: Table, rows: Sequence[Row]) -> pl.DataFrame:
    """Rows as a frame with the table's columns."""
    return pl.DataFrame(list(rows), schema={c.name: _POLARS[c.type] for c in table.columns}, orient="row")


# ---- the log


def log_entries(ledger: Ledger, table: Table) -> Iterator[pl.DataFrame]:
    """Every entry."""
    rows: list[Row] = []
    for index in range(ledger.size):
        members = canonical.parse(ledger.entry(index))
        rows.append((index, *(members.get(name) for name in ("k", "b", "n", "s", "c"))))
        if len(rows) == ROWS_AT_ONCE:
            yield frame_of(table, rows)
            rows = []
    yield frame_of(table, rows)


def log_batches(log: Logged, table: Table) -> Iterator[pl.DataFrame]:
    """Every batch."""
    rows: list[Row] = []
    for b in log.batches:
        on, known_by, *pinned = (b.opening.get(name) for name in ("on", "known_by", "law", "snapshot", "engine"))
        days = (_day(on), _day(known_by))
        rows.append((b.batch_id, b.open_index, b.first, b.count, b.close_index, b.root, *days, *pinned))
    yield frame_of(table, rows)


# ---- decisions


def of_decisions(decided: Sequence[Decided], table: Table) -> Iterator[pl.DataFrame]:
    """One table of decisions over batches."""
    rows, pending = OF_RECORD[table.name], list[Row]()
    for one in decided:
        for block in held.kept(one.vault, one.batch.batch_id):
            for at in range(0, len(block), AT_ONCE):
                for kept in block[at : at + AT_ONCE]:
                    index = one.batch.first + kept.position
                    record = kept.record()
                    if record:
                        pending += rows(one, index, record)
                    elif rows is _decision:
                        pending.append(_erased(table, one, index, kept.position, kept.token))
                if pending:
                    yield frame_of(table, pending)
                pending = []
    yield frame_of(table, [])


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _verdict(one: Decided, index: int) -> tuple[str | None, str | None]:
    if one.replays is None:
        return None, None
    found = one.replays.get(index)
    return ("equal", "") if found is None else (found.verdict, "; ".join(found.classes))


def _decision(one: Decided, index: int, record: dict[str, Any]) -> Iterator[Row]:
    household, provenance = record["household"], record["provenance"]
    yield (
        index,
        one.batch.batch_id,
        index - one.batch.first,
        record["subject"]["household"],
        record["subject"]["case"],
        household["application_no"],
        household["accepting_place"],
        household["division"],
        household["residence"],
        _day(household["applied_on"]),
        _day(household["reference_day"]),
        household["size"],
        len(household["members"]),
        provenance["law"],
        provenance["snapshot"],
        provenance["supersedes"],
        record["evidence"]["input"],
        *_verdict(one, index),
    )


def _erased(table: Table, one: Decided, index: int, position: int, token: str) -> Row:
    known = {"index": index, "batch": one.batch.batch_id, "position": position, "token": token, "verdict": "erased"}
    return tuple(known.get(name) for name in names_of(table))


def _outcomes(one: Decided, index: int, record: dict[str, Any]) -> Iterator[Row]:
    result, case = record["result"], record["subject"]["case"]
    labels = {p.id: p.label_zh for p in one.law.programmes}
    for member, outcomes in ((None, result["household"]), *((m["id"], m["outcomes"]) for m in result["members"])):
        for o in outcomes:
            name = o["programme"]
            yield index, case, name, labels[name], member, o["outcome"], o["award"], "; ".join(o["causes"])


def _tests(one: Decided, index: int, record: dict[str, Any]) -> Iterator[Row]:
    reasons, case = record["reasons"], record["subject"]["case"]
    labels = {(p.id, t.id): t.label_zh for p in one.law.programmes for t in p.tests}
    for member, tests in ((None, reasons["household"]), *((m["id"], m["tests"]) for m in reasons["members"])):
        for t in tests:
            name = t["programme"], t["id"]
            numbers = (t["holds"], t["value"], t["limit"], t["margin"])
            yield index, case, name[0], member, name[1], labels.get(name, "家庭成员"), *numbers, "; ".join(t["cite"])


def _variables(one: Decided, index: int, record: dict[str, Any]) -> Iterator[Row]:
    means, case = record["means"], record["subject"]["case"]
    of = [("household", None, means["household"])]
    of += [("member", m["id"], m["values"]) for m in means["members"]]
    of += [("supporter", s["id"], s["values"]) for s in means["supporters"]]
    for entity, person, values in of:
        for name, value in values.items():
            v = one.law.variables[name]
            text = None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            yield index, case, entity, person, name, v.label_zh, v.unit, text


OF_RECORD: Mapping[str, Callable[[Decided, int, dict[str, Any]], Iterator[Row]]] = {
    "decisions": _decision,
    "outcomes": _outcomes,
    "tests": _tests,
    "variables": _variables,
}


def differences(decided: Sequence[Decided], table: Table) -> Iterator[pl.DataFrame]:
    """What the replays found, a row a field."""
    rows: list[Row] = []
    for one in decided:
        for index, found in sorted((one.replays or {}).items()):
            for f in found.findings:
                head = (index, found.case_id, found.verdict, f.kind, CLASSES[f.kind][0])
                rows += [(*head, path, f.zh, f.en) for path in f.paths or (None,)]
    yield frame_of(table, rows)


# ---- the store

_FROM = {
    "requests": "requests",
    "request_persons": "unit_persons join requests using (request) join persons using (person)",
    "consents": "consents",
    "identity_links": "identity_links",
    "consent_rules": "consent_rules",
    "answers": "batches",
    "not_answered": "not_answered",
    "conflicts": "conflicts",
    "quarantine": "quarantine",
}


def of_store(store: Store, table: Table) -> Iterator[pl.DataFrame]:
    """A table of the evidence store, in the order of its rows there."""
    source = _FROM.get(table.name, table.name)
    feed = table.name.removeprefix("feed_")
    columns = ", ".join(_column(name) for name in names_of(table))
    key = "unit_persons.rowid" if table.name == "request_persons" else "rowid"
    last = store.value(f"select max(rowid) from {source.split()[0]}")
    for first in range(0, (-1 if last is None else int(last)) + 1, ROWS_AT_ONCE) or (0,):
        within = f"{key} >= {first} and {key} < {first + ROWS_AT_ONCE}"
        frame = store.fetch(f"select {columns} from {source} where {within} order by {key}")
        yield frame if feed in all_feeds() else frame.select(pl.col(n) for n in names_of(table))


def _column(name: str) -> str:
    return f"lower(hex({name})) as {name}" if name == "digest" else quoted(name)
