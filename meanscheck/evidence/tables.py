"""Which tables does a store have? The fixed ones, and `feed_<name>` for every contract.

persons       person BIGINT (dense ordinal) · id_type, id_number (normalised)
requests      one row per request ever made; the view `units` keeps the latest of each case (`superseded_by` is the
              load that replaced it)
ask_texts     the feeds a request asks for, as one canonical text
asks          what requests ask for: ask INTEGER → feed · institution · division (null = not limited)
unit_persons  the people of each request in the order given
consents      every version of every consent ever given in
batches       every answer: manifest facts, file, counts; batch INTEGER is its load number (the view `answers`: those
              that still answer for somebody)
listings, listed_requests, batch_listings   which requests a manifest names: answers to one commission name the same, so
              a set of numbers is kept once (the view `batch_requests`: batch · request_no)
not_answered  exceptions to "this batch answers for everybody asked about"
conflicts     persons for whom two answers contradict each other
repeats, dropped   for which rows of others an answer vouches as well, and since when no more (see `corrections`)
loads         when each load came in (see `clocks`)
erased        how many rows of which batch were erased, never whose (see `erasing`)
quarantine    rows not accepted: file, line, field, reason, and the raw text where consent allows to keep it
laws, subjects, snapshots
identity_links   every version of every link between two persons who are one (see `links`)
consent_rules    when consents must be signed again here (see `resigning`)
made_requests, asked_of, exports, export_persons   check requests as a process: see the room `commissions`
feed_<name>   person BIGINT · batch INTEGER · row_no BIGINT · digest BLOB (16 bytes) · superseded_by INTEGER · the
              contract's columns

`superseded_by` is the load number from which a version, an answer or a row no longer counts; null while it does.

Choices
    * `meta` has no index: DuckDB 1.5.5 ends the process when a transaction cannot be written to a full disk and has
      changed a row of an indexed table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meanscheck.contracts import FeedContract, all_feeds
from meanscheck.contracts.model import PERSON
from meanscheck.errors import StoreError
from meanscheck.values.sql import quoted

if TYPE_CHECKING:
    from meanscheck.contracts import Column
    from meanscheck.evidence.store import Store

FORMAT = 3
IDENTITY = ("id_type", "id_number")
MEMBER_COLUMNS: dict[str, str] = {
    "id": "VARCHAR",
    "relation": "VARCHAR",
    "sex": "VARCHAR",
    "born_on": "DATE",
    "lives_together": "BOOLEAN",
    "lives_together_since": "DATE",
    "can_live_independently": "BOOLEAN",
    "hukou_division": "VARCHAR",
    "cares_for": "VARCHAR",
    "guardian": "VARCHAR",
    "is_excused_from_work": "BOOLEAN",
}

_FIXED = f"""
create table meta (key VARCHAR not null, value VARCHAR not null);
insert into meta values ('format', '{FORMAT}'), ('load', '0');
create table persons (person BIGINT not null, id_type VARCHAR not null, id_number VARCHAR not null);
create table ask_texts (ask INTEGER not null, spec VARCHAR not null);
create table asks (ask INTEGER not null, feed VARCHAR not null, institution VARCHAR, division VARCHAR);
create table requests (request BIGINT not null, load INTEGER not null, superseded_by INTEGER,
  request_no VARCHAR not null, application_no VARCHAR not null, case_id VARCHAR not null,
  accepting_place VARCHAR, applied_on DATE not null,
  reference_day DATE, purpose VARCHAR not null, residence VARCHAR, division VARCHAR, requested VARCHAR not null,
  ask INTEGER not null, digest BLOB not null, file VARCHAR not null, line BIGINT not null);
create table unit_persons (request BIGINT not null, position INTEGER not null, role VARCHAR not null,
  person BIGINT not null, name VARCHAR, supports VARCHAR,
  {", ".join(f"{name} {kind}" for name, kind in MEMBER_COLUMNS.items())});
create view units as select * from requests where superseded_by is null;
create table consents (load INTEGER not null, first_load INTEGER not null, superseded_by INTEGER,
  consent_no VARCHAR not null, person BIGINT not null, feeds VARCHAR not null,
  purpose VARCHAR not null, "from" DATE, "to" DATE, withdrawn_on DATE, signed_by VARCHAR not null,
  form_digest VARCHAR, signature_ref VARCHAR, signed_on DATE, request_no VARCHAR, signer_id_type VARCHAR,
  signer_id_number VARCHAR, signer_member VARCHAR, signer_basis VARCHAR, digest BLOB not null);
create table batches (batch INTEGER not null, batch_id VARCHAR not null, file_id VARCHAR not null,
  feed VARCHAR not null, sender VARCHAR not null, institutions VARCHAR[], divisions VARCHAR[], answered_on DATE,
  covers_from DATE, covers_to DATE, as_of DATE, all_requests BOOLEAN not null, file VARCHAR not null,
  manifest VARCHAR not null, contract VARCHAR not null, accepted BIGINT not null, quarantined BIGINT not null,
  not_covered BIGINT not null, not_requested BIGINT not null, repeated BIGINT not null,
  covered BIGINT not null, covered_mark UBIGINT not null,
  answer_no VARCHAR, how VARCHAR, of_file VARCHAR, superseded_by INTEGER);
create view answers as select * from batches where superseded_by is null and coalesce(how, 'replace') = 'replace';
create table loads (load INTEGER not null, received_on DATE);
create table repeats (batch INTEGER not null, row_no BIGINT not null, of_batch INTEGER not null,
  of_row_no BIGINT not null);
create table dropped (batch INTEGER not null, of_batch INTEGER not null, of_row_no BIGINT not null,
  load INTEGER not null);
create table erased (load INTEGER not null, erased_on DATE not null, batch INTEGER, feed VARCHAR, rows BIGINT not null);
create table listings (listing INTEGER not null, digest BLOB);
create table listed_requests (listing INTEGER not null, request_no VARCHAR not null);
create table batch_listings (batch INTEGER not null, listing INTEGER not null);
create view batch_requests as select batch, request_no from batch_listings join listed_requests using (listing);
create table not_answered (batch INTEGER not null, person BIGINT not null, reason VARCHAR not null,
  load INTEGER not null, superseded_by INTEGER);
create table conflicts (feed VARCHAR not null, person BIGINT not null, batch INTEGER not null,
  superseded_by INTEGER);
create table quarantine (batch INTEGER not null, feed VARCHAR not null, file VARCHAR not null, row_no BIGINT not null,
  field VARCHAR, reason VARCHAR not null, raw VARCHAR, person BIGINT);
create table laws (digest VARCHAR primary key, text VARCHAR not null);
create table subjects (case_id VARCHAR, person BIGINT, token VARCHAR not null);
create table snapshots (id VARCHAR not null, load INTEGER not null, heeds INTEGER);
create table mappings (digest VARCHAR primary key, text VARCHAR not null);
create table batch_mappings (batch INTEGER not null, digest VARCHAR not null);
create table identity_links (load INTEGER not null, superseded_by INTEGER, link_no VARCHAR not null,
  from_person BIGINT not null, to_person BIGINT not null, reason VARCHAR not null, source VARCHAR not null,
  "on" DATE not null, ended_on DATE, digest BLOB not null);
create table consent_rules (load INTEGER not null, in_force_on DATE not null, on_members BOOLEAN not null,
  on_application BOOLEAN not null, source VARCHAR not null, digest BLOB not null);
"""

_PROCESS = """
create table if not exists made_requests (request_no VARCHAR not null, made_on DATE not null,
  is_partial BOOLEAN not null);
create table if not exists asked_of (request_no VARCHAR not null, person BIGINT not null, feed VARCHAR not null);
create table if not exists exports (export INTEGER not null, exported_on DATE not null, feed VARCHAR not null,
  institution VARCHAR, division VARCHAR, recipient VARCHAR not null, folder VARCHAR not null, persons BIGINT not null,
  digest VARCHAR not null);
create table if not exists export_persons (export INTEGER not null, request BIGINT not null, person BIGINT not null);
"""
"""Check requests as a process; a store of an earlier release gets these tables when it is opened to write."""


def stored_columns(contract: FeedContract) -> tuple[Column, ...]:
    """The contract's columns besides the identity, which the store keeps once in `persons`."""
    return tuple(c for c in contract.columns if c.name not in IDENTITY)


def same_key_sql(contract: FeedContract, one: str, other: str) -> str:
    """SQL: two rows (aliases) of one person stand under one natural key; what begins with ``and``, or nothing.

    A key with an empty part is none; an empty `as_of` is a value of its own.
    """
    columns = [contract.column(name) for name in contract.key if name != PERSON]
    return "".join(
        f" and {one}.{quoted(c.stored_name)} {'is not distinct from' if c.name == 'as_of' else '='} "
        f"{other}.{quoted(c.stored_name)}"
        for c in columns
    )


def _feed_columns(contract: FeedContract) -> list[tuple[str, str]]:
    own = [(c.stored_name, c.duckdb_type) for c in stored_columns(contract)]
    first = [("person", "BIGINT"), ("batch", "INTEGER"), ("row_no", "BIGINT"), ("digest", "BLOB")]
    return [*first, ("superseded_by", "INTEGER"), *own]


def create_tables(store: Store) -> None:
    """Make every table of an empty store."""
    for statement in (_FIXED + _PROCESS).split(";\n"):
        if statement.strip():
            store.run(statement)
    for contract in all_feeds().values():
        _create_feed(store, contract)


def _create_feed(store: Store, contract: FeedContract) -> None:
    # Digests do not compress; trying to takes half the time of an insert.
    columns = ", ".join(
        f"{quoted(name)} {kind}{' using compression uncompressed' if name == 'digest' else ''}"
        for name, kind in _feed_columns(contract)
    )
    store.run(f"create table feed_{contract.name} ({columns})")


def require_process(store: Store) -> None:
    """StoreError if the store is of an earlier release and was not opened to write since."""
    if not store.value("select count(*) from duckdb_tables() where table_name = 'exports'"):
        raise StoreError("the store was made by an earlier release; open it to write once, `meanscheck ingest` does")


def check_feed_tables(store: Store) -> None:
    """Compare the store with the contracts: a new feed is added, a changed column is an error."""
    found = store.fetch(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where database_name = current_database() and starts_with(table_name, 'feed_') "
        "order by table_name, column_index"
    )
    have: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in found.iter_rows():
        have.setdefault(table, []).append((column, kind))
    missing = [contract for contract in all_feeds().values() if f"feed_{contract.name}" not in have]
    changed = [
        name
        for name, contract in all_feeds().items()
        if f"feed_{name}" in have and have[f"feed_{name}"] != _feed_columns(contract)
    ]
    if changed:
        raise StoreError(
            f"the store was made with other columns of {', '.join(changed)}; "
            "make a new store and ingest again, or use the schemas it was made with"
        )
    if missing and not store.read_only:
        with store.transaction():
            for contract in missing:
                _create_feed(store, contract)
    if not store.read_only and not store.value("select count(*) from duckdb_tables() where table_name = 'exports'"):
        with store.transaction():
            for statement in _PROCESS.split(";\n"):
                if statement.strip():
                    store.run(statement)
