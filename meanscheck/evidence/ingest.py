"""How does an answer get into the store? Read as text, cast by the contract, matched to persons, filtered by consent.

Per row one of: stored · quarantined (with file, line, field, reason) · not covered by a live consent (counted, not
kept) · about somebody whom no request asks about in this feed (counted, not kept) · a repetition. The batch is in
wholly or not at all. The same file again changes nothing, unless requests or consents have grown since: then what is
newly covered becomes a supplementary batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from meanscheck.contracts import FeedContract
from meanscheck.contracts import feed as feed_named
from meanscheck.contracts.model import PERSON
from meanscheck.contracts.readers import FileRows, read_parts
from meanscheck.evidence.batches import facts_of, file_id_of
from meanscheck.evidence.batches import record as _record
from meanscheck.evidence.digests import SHORT_ID, canonical, digest_of_sorted, named
from meanscheck.evidence.manifest import Manifest, load_manifest
from meanscheck.evidence.quarantine import exceptions, quarantine
from meanscheck.evidence.reach import Reach, reach_of
from meanscheck.evidence.staging import Staged, drop_staged, stage
from meanscheck.evidence.tables import quoted, stored_columns

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of one file's rows.

    `accepted` were stored; `quarantined` rows are listed in the store with their reasons; `not_covered` lack a live
    consent;
    `not_requested` concern nobody asked about; `repeated` stand twice in the file; `known_rows` came earlier in another
    file. `already_known`: the same answer is in the store and nothing changed; `batch` is then the earlier one's
    number.
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

    @property
    def short_id(self) -> str:
        """The batch id as it is shown."""
        return self.batch_id[:SHORT_ID]


def ingest_file(store: Store, feed: str, path: Path, *, manifest: Path | None = None) -> IngestReport:
    """Take in one answer.

    Args:
        store: the evidence store.
        feed: name of the feed.
        path: CSV, Excel, Parquet or JSON lines.
        manifest: the manifest; ``<stem>.manifest.json`` beside the file unless given.

    Raises:
        FeedError: the file or its manifest cannot be used at all; nothing of it was taken in.
    """
    contract = feed_named(feed)
    answer = load_manifest(contract, path, manifest)
    return take_in(store, contract, read_parts(contract, path), path.name, answer)


def take_in(
    store: Store, contract: FeedContract, parts: Iterator[FileRows], name: str, answer: Manifest | None
) -> IngestReport:
    """Take in the rows of one answer, wherever they come from.

    Args:
        store: the evidence store.
        contract: the feed's.
        parts: the rows in one part (then checked whole by the cast), or a large file's in several.
        name: what the answer is called in the store: the file's name.
        answer: the manifest; None for an office feed that has none.
    """
    reach = reach_of(store, contract, answer)
    with store.transaction():
        try:
            staged = stage(store, contract, parts, answer)
            return _take(store, contract, name, answer, staged=staged, reach=reach)
        finally:
            _drop(store)


def _drop(store: Store) -> None:
    drop_staged(store)
    store.run("drop view if exists i_new; drop view if exists i_kept; drop table if exists i_known")


def _take(
    store: Store, contract: FeedContract, name: str, answer: Manifest | None, *, staged: Staged, reach: Reach
) -> IngestReport:
    facts = facts_of(contract, answer)
    file_id = file_id_of(store, facts, answer, staged)
    earlier = store.fetch(
        "select batch, batch_id, covered_mark, count(*) over () as many from batches where file_id = ? "
        "order by batch desc limit 1",
        [file_id],
    )
    counts = _sort_out(store, contract)
    if earlier.height and counts["new"] == 0 and earlier["covered_mark"][0] == reach.mark:
        return IngestReport(
            feed=contract.name,
            file=name,
            batch_id=str(earlier["batch_id"][0]),
            batch=int(earlier["batch"][0]),
            accepted=0,
            quarantined=0,
            not_covered=counts["not_covered"],
            not_requested=counts["not_requested"],
            repeated=staged.repeats,
            known_rows=counts["known"],
            already_known=True,
            supplementary=False,
        )
    batch = store.next_load()
    head = canonical(facts) + (f" supplement {earlier['many'][0]}".encode() if earlier.height else b"")
    every_row = staged.every_row
    if earlier.height or counts["dropped"]:
        every_row = digest_of_sorted(store, f"select digest from {'i_new' if earlier.height else 'i_kept'}")
    batch_id = named(head, every_row)
    if counts["beside"]:
        _find_conflicts(store, contract, batch)
    names = ", ".join(quoted(c.stored_name) for c in stored_columns(contract))
    some = " semi join i_new using (row_no)" if counts["known"] else " where is_covered" if counts["dropped"] else ""
    store.run(
        f"insert into feed_{contract.name} (person, batch, row_no, digest, {names}) "
        f"select person, {batch}, row_no, digest, {names} from i_rows{some}"
    )
    quarantined = quarantine(store, contract, name, batch) if staged.bad else 0
    exceptions(store, batch, answer)
    _record(
        store,
        contract,
        name,
        answer,
        numbers={
            "batch": batch,
            "accepted": counts["new"],
            "quarantined": quarantined,
            "not_covered": counts["not_covered"],
            "not_requested": counts["not_requested"],
            "repeated": staged.repeats,
            "covered": reach.covered,
            "covered_mark": reach.mark,
        },
        batch_id=batch_id,
        file_id=file_id,
        facts=facts,
    )
    return IngestReport(
        feed=contract.name,
        file=name,
        batch_id=batch_id,
        batch=batch,
        accepted=counts["new"],
        quarantined=quarantined,
        not_covered=counts["not_covered"],
        not_requested=counts["not_requested"],
        repeated=staged.repeats,
        known_rows=counts["known"],
        already_known=False,
        supplementary=bool(earlier.height),
    )


def _sort_out(store: Store, contract: FeedContract) -> dict[str, int]:
    """``i_kept``: rows that may be kept; ``i_new``: those of them not in the store yet. Counts of the others."""
    store.run("create temp view i_kept as select row_no, person, digest from i_rows where is_covered")
    total, asked, kept, lowest, highest = store.fetch(
        "select count(*), count(*) filter (where is_asked), count(*) filter (where is_covered), "
        "min(person) filter (where is_covered), max(person) filter (where is_covered) from i_rows"
    ).row(0)
    known, beside = 0, f"(select person, digest from feed_{contract.name} where person between {lowest} and {highest})"
    has_beside = bool(kept and store.value(f"select count(*) from (select 1 from {beside} limit 1)"))
    if has_beside:
        # Rows of these persons only: a small file must not cost a look at the whole feed.
        store.run(
            "create temp table i_known as select k.row_no from i_kept k "
            f"semi join {beside} f on f.person = k.person and f.digest = k.digest"
        )
        known = int(store.value("select count(*) from i_known"))
    store.run(
        f"create temp view i_new as select row_no, person, digest from i_kept "
        f"{'anti join i_known using (row_no)' if known else ''}"
    )
    return {
        "new": kept - known,
        "known": known,
        "not_covered": asked - kept,
        "not_requested": total - asked,
        "dropped": total - kept,
        "beside": int(has_beside),
    }


def _find_conflicts(store: Store, contract: FeedContract, batch: int) -> None:
    """Persons of whom another answer says something else under the same natural key."""
    if not contract.key:
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
