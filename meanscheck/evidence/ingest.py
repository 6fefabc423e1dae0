"""How does an answer get into the store? Read as text, cast by the contract, matched to persons, filtered by consent.

Per row one of: stored · quarantined (with file, line, field, reason) · not covered by a live consent (counted, not
kept) · about somebody whom no request asks about in this feed (counted, not kept) · a repetition. The batch is in
wholly or not at all. The same file again changes nothing, unless requests or consents have grown since: then what is
newly covered becomes a supplementary batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import FeedContract
from meanscheck.contracts import feed as feed_named
from meanscheck.contracts.cast import cast_rows
from meanscheck.contracts.model import PERSON
from meanscheck.contracts.readers import FileRows, read_rows
from meanscheck.evidence.coverage import CONSENT_REACHES, is_office
from meanscheck.evidence.digests import SHORT_ID, canonical, digest_of_sorted, named, row_digest_sql
from meanscheck.evidence.manifest import OFFICE, Manifest, load_manifest
from meanscheck.evidence.mappings import mapping_for, record_mapping, refuse_out_of_time
from meanscheck.evidence.quarantine import (
    REPEATED,
    exceptions,
    quarantine,
    refuse_contradictions,
    set_repeats_apart,
)
from meanscheck.evidence.requests import NO_BOUND
from meanscheck.evidence.tables import quoted, stored_columns

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

_AT_ONCE = 1_000_000
"""Rows that are cast at a time: bounds memory."""
_STAGES = ("i_rows", "i_bad", "i_covered", "i_kept", "i_new", "i_asked")


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of one file's rows.

    `accepted` were stored; `quarantined` rows are listed in the store with their reasons; `not_covered` lack a live
    consent;
    `not_requested` concern nobody asked about; `repeated` stand twice in the file; `known_rows` came earlier in another
    file. `already_known`: the same answer is in the store and nothing changed; `batch` is then the earlier one's
    number. `passed_over`: lines that are no rows (totals, notes, signatures, repeated headers).
    """

    feed: str
    file: str
    batch_id: str
    batch: int
    accepted: int
    quarantined: int
    not_covered: int
    not_requested: int
    repeated: int
    known_rows: int
    already_known: bool
    supplementary: bool
    passed_over: int = 0

    @property
    def short_id(self) -> str:
        """The batch id as it is shown."""
        return self.batch_id[:SHORT_ID]


def ingest_file(
    store: Store, feed: str, path: Path, *, manifest: Path | None = None, mapping: Path | None = None
) -> IngestReport:
    """Take in one answer.

    Args:
        store: the evidence store.
        feed: name of the feed.
        path: CSV, fixed width, Excel, Parquet or JSON lines, or a ZIP archive of one of these.
        manifest: the manifest; ``<stem>.manifest.json`` beside the file unless given.
        mapping: how the sender's files say it; ``<stem>.mapping.toml`` beside the file, if there is one, unless given.

    Raises:
        FeedError: the file, its manifest or its mapping cannot be used at all; nothing of it was taken in.
    """
    contract = feed_named(feed)
    answer = load_manifest(contract, path, manifest)
    how = mapping_for(path, mapping)
    if how is not None:
        refuse_out_of_time(contract, how, answer, where=path.name)
    return ingest_rows(store, contract, read_rows(contract, path, mapping=how), answer, name=path.name)


def ingest_rows(
    store: Store, contract: FeedContract, file: FileRows, answer: Manifest | None, *, name: str
) -> IngestReport:
    """Take in rows wherever they come from; `name` is what the store calls the file."""
    with store.transaction():
        try:
            _stage(store, contract, file, answer)
            report = _take(store, contract, Path(name), answer)
            if file.mapping is not None and not report.already_known:
                record_mapping(store, report.batch, file.mapping)
        finally:
            _drop(store)
    return replace(report, passed_over=file.passed.height)


def _drop(store: Store) -> None:
    for table in _STAGES:
        store.run(f"drop table if exists {table}")


def _stage(store: Store, contract: FeedContract, file: FileRows, answer: Manifest | None) -> None:
    columns = ", ".join(f"{quoted(c.stored_name)} {c.duckdb_type}" for c in stored_columns(contract))
    store.run(f"create temp table i_rows (person BIGINT, row_no BIGINT, digest BLOB, {columns})")
    store.run("create temp table i_bad (row_no BIGINT, field VARCHAR, reason VARCHAR, raw VARCHAR, person BIGINT)")
    digest = row_digest_sql(contract, row="r", identity="r")
    names = ", ".join(f"r.{quoted(c.stored_name)}" for c in stored_columns(contract))
    as_of = None if answer is None else answer.as_of
    not_after = NO_BOUND if answer is None else answer.answered_on
    is_large = file.rows.height > _AT_ONCE
    # Slices cannot see each other, so the natural key of a large file is checked once over all of it, in the store.
    checked = replace(contract, key=()) if is_large else contract
    for rows in file.rows.iter_slices(_AT_ONCE):
        cast = cast_rows(checked, rows, as_of=as_of, not_after=not_after, units=file.units)
        with store.frame("incoming", cast.accepted):
            store.run(
                f"insert into i_rows select p.person, r.row_no, {digest}, {names} from incoming r "
                "left join persons p on p.id_type = r.id_type and p.id_number = r.id_number"
            )
        if cast.quarantined.height:
            store.insert("i_bad", cast.quarantined.select("row_no", "field", "reason", "raw"))
    if file.broken.height:
        store.insert("i_bad", file.broken.select("row_no", "field", "reason", "raw"))
    if is_large:
        refuse_contradictions(store, contract)


def _take(store: Store, contract: FeedContract, path: Path, answer: Manifest | None) -> IngestReport:
    facts = _facts(contract, answer)
    repeats = set_repeats_apart(store)
    every_row = digest_of_sorted(store, "select digest from i_rows")
    file_id = _file_id(store, facts, answer, every_row)
    earlier = store.fetch(
        "select batch, batch_id, covered_mark, count(*) over () as many from batches where file_id = ? "
        "order by batch desc limit 1",
        [file_id],
    )
    _covered(store, contract, answer)
    covered, mark = store.fetch(
        "select count(*) as n, coalesce(bit_xor(hash(person, load)), 0) as mark from i_covered"
    ).row(0)
    counts = _sort_out(store, contract)
    if earlier.height and counts["new"] == 0 and earlier["covered_mark"][0] == mark:
        return IngestReport(
            feed=contract.name,
            file=path.name,
            batch_id=str(earlier["batch_id"][0]),
            batch=int(earlier["batch"][0]),
            accepted=0,
            quarantined=0,
            not_covered=counts["not_covered"],
            not_requested=counts["not_requested"],
            repeated=repeats,
            known_rows=counts["known"],
            already_known=True,
            supplementary=False,
        )
    batch = store.next_load()
    head = canonical(facts) + (f" supplement {earlier['many'][0]}".encode() if earlier.height else b"")
    if earlier.height or counts["dropped"]:
        every_row = digest_of_sorted(store, f"select digest from {'i_new' if earlier.height else 'i_kept'}")
    batch_id = named(head, every_row)
    _find_conflicts(store, contract, batch)
    names = ", ".join(quoted(c.stored_name) for c in stored_columns(contract))
    some = " semi join i_new using (row_no)" if counts["dropped"] or counts["known"] else ""
    store.run(
        f"insert into feed_{contract.name} (person, batch, row_no, digest, {names}) "
        f"select person, {batch}, row_no, digest, {names} from i_rows{some} order by person"
    )
    quarantined = quarantine(store, contract, path, batch)
    exceptions(store, batch, answer)
    _record(
        store,
        contract,
        path,
        answer,
        numbers={
            "batch": batch,
            "accepted": counts["new"],
            "quarantined": quarantined,
            "not_covered": counts["not_covered"],
            "not_requested": counts["not_requested"],
            "repeated": repeats,
            "covered": int(covered),
            "covered_mark": int(mark),
        },
        batch_id=batch_id,
        file_id=file_id,
        facts=facts,
    )
    return IngestReport(
        feed=contract.name,
        file=path.name,
        batch_id=batch_id,
        batch=batch,
        accepted=counts["new"],
        quarantined=quarantined,
        not_covered=counts["not_covered"],
        not_requested=counts["not_requested"],
        repeated=repeats,
        known_rows=counts["known"],
        already_known=False,
        supplementary=bool(earlier.height),
    )


def _facts(contract: FeedContract, answer: Manifest | None) -> dict[str, object]:
    return {"feed": contract.name, "sender": OFFICE} if answer is None else answer.facts()


def _file_id(store: Store, facts: dict[str, object], answer: Manifest | None, every_row: str) -> str:
    """Names the answer as it came, whoever may be kept of it: facts, whom it leaves out, and every row in it."""
    silent = sorted(f"{p.id_type} {p.id_number}" for p in (answer.not_answered if answer else ()))
    bad = digest_of_sorted(
        store,
        "select distinct unhex(sha256(concat_ws(chr(31), field, reason, raw)))[1:16] as digest from i_bad "
        f"where reason <> '{REPEATED}'",
    )
    return named(canonical({**facts, "not_answered": silent, "quarantined": bad}), every_row)


def _covered(store: Store, contract: FeedContract, answer: Manifest | None) -> None:
    """``i_covered``: person and the load number since when he is asked about; only persons whose rows may be kept."""
    office = is_office(contract)
    asked = "" if office else f"join asks a on a.ask = u.ask and a.feed = '{contract.name}'"
    some = ""
    listed = pl.DataFrame(schema={"request_no": pl.String})
    if answer is not None and answer.requests != "all":
        listed = pl.DataFrame({"request_no": sorted(set(answer.requests))}, schema={"request_no": pl.String})
        some = "where u.case_id in (select case_id from requests semi join listed using (request_no))"
    consent = ""
    if not office and answer is not None:
        consent = (
            f"where exists (select 1 from consents c, (select date '{answer.answered_on}' as answered_on, "
            f"'{contract.name}' as feed) b where c.person = k.person and c.superseded_by is null and {CONSENT_REACHES})"
        )
    with store.frame("listed", listed):
        store.run(
            f"""create temp table i_asked as
            with first as (
              select up.person, q.ask, min(q.load) as load
              from requests q join unit_persons up on up.request = q.request
              group by up.person, q.ask)
            select distinct up.person, u.purpose, f.load from units u {asked}
            join unit_persons up on up.request = u.request
            join first f on f.person = up.person and f.ask = u.ask {some}"""
        )
    store.run(
        f"create temp table i_covered as select person, min(load) as load from i_asked k {consent} group by person"
    )


def _sort_out(store: Store, contract: FeedContract) -> dict[str, int]:
    """``i_kept``: rows that may be kept; ``i_new``: those of them not in the store yet. Counts of the others."""
    store.run(
        "create temp table i_kept as select row_no, person, digest from i_rows semi join i_covered using (person)"
    )
    total, asked = store.fetch(
        "select count(*) as total, count(*) filter (where person in (select person from i_asked)) as asked from i_rows"
    ).row(0)
    kept = int(store.value("select count(*) from i_kept"))
    known = f"anti join feed_{contract.name} f on f.person = k.person and f.digest = k.digest"
    is_first = store.value(f"select count(*) from (select 1 from feed_{contract.name} limit 1)") == 0
    store.run(
        f"create temp table i_new as select k.row_no, k.person, k.digest from i_kept k {'' if is_first else known}"
    )
    new = int(store.value("select count(*) from i_new"))
    return {
        "new": new,
        "known": kept - new,
        "not_covered": asked - kept,
        "not_requested": total - asked,
        "dropped": total - kept,
    }


def _find_conflicts(store: Store, contract: FeedContract, batch: int) -> None:
    """Persons of whom another answer says something else under the same natural key."""
    if not contract.key or not store.value(f"select count(*) from (select 1 from feed_{contract.name} limit 1)"):
        return
    same = " and ".join(
        f"f.{quoted(name)} {'is not distinct from' if column == 'as_of' else '='} n.{quoted(name)}"
        for column in contract.key
        if column != PERSON
        for name in (contract.column(column).stored_name,)
    )
    store.run(
        f"insert into conflicts select distinct '{contract.name}', n.person, {batch} "
        f"from (select * from i_rows semi join i_new using (row_no)) n join feed_{contract.name} f "
        f"on f.person = n.person and f.digest <> n.digest{' and ' + same if same else ''}"
    )


def _record(
    store: Store,
    contract: FeedContract,
    path: Path,
    answer: Manifest | None,
    *,
    numbers: dict[str, int],
    batch_id: str,
    file_id: str,
    facts: dict[str, object],
) -> None:
    def days(value: date | None) -> list[date | None]:
        return [value]

    def words(value: tuple[str, ...] | None) -> list[list[str] | None]:
        return [None if value is None else sorted(set(value))]

    row = pl.DataFrame(
        {
            "batch_id": [batch_id],
            "file_id": [file_id],
            "feed": [contract.name],
            "sender": [OFFICE if answer is None else answer.sender],
            "institutions": words(answer.institutions if answer else None),
            "divisions": words(answer.divisions if answer else None),
            "answered_on": days(answer.answered_on if answer else None),
            "covers_from": days(answer.covers_from if answer else None),
            "covers_to": days(answer.covers_to if answer else None),
            "as_of": days(answer.as_of if answer else None),
            "all_requests": [answer is None or answer.requests == "all"],
            "file": [path.name],
            "manifest": [canonical(facts).decode()],
            "contract": [contract.digest],
            **{name: [value] for name, value in numbers.items()},
        },
        schema_overrides={
            **dict.fromkeys(("institutions", "divisions"), pl.List(pl.String)),
            **dict.fromkeys(("answered_on", "covers_from", "covers_to", "as_of"), pl.Date),
            "covered_mark": pl.UInt64,
        },
    )
    store.insert("batches", row)
