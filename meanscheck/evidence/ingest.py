"""How does an answer get into the store? Read as text, cast by the contract, matched to persons, filtered by consent.

Per row one of: stored · quarantined (with file, line, field, reason) · not covered by a live consent (counted, not
kept) · about somebody whom no request asks about in this feed (counted, not kept) · a repetition. The batch is in
wholly or not at all. The same file again changes nothing, unless requests or consents have grown since: then what is
newly covered becomes a supplementary batch. An answer may correct or withdraw an earlier one (see `corrections`).
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from meanscheck.contracts import FeedContract
from meanscheck.errors import StoreError
from meanscheck.evidence.batches import facts_of, file_id_of
from meanscheck.evidence.batches import record as _record
from meanscheck.evidence.corrections import answers_again, corrected_by, note_repeats, supersede, without_dropped
from meanscheck.evidence.digests import SHORT_ID, canonical, digest_of_sorted, named
from meanscheck.evidence.incoming import Incoming, incoming_file
from meanscheck.evidence.laid import Laid
from meanscheck.evidence.mappings import record_mapping
from meanscheck.evidence.quarantine import exceptions, quarantine
from meanscheck.evidence.reach import Reach, reach_of
from meanscheck.evidence.staging import Staged, stage
from meanscheck.evidence.tables import same_key_sql

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store


_GROWTH = 256 * 2**20
"""Bytes by which the database may grow for a large file, so that memory does not grow with it."""
_KEPT = "(select row_no, person, digest from i_rows where is_covered)"
"""Rows that may be kept."""
_NONE = f"(select * from {_KEPT} where false)"


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
    superseded: int = 0
    """Rows of an earlier answer that no longer count, because this one corrects it."""
    passed_over: int = 0
    """Lines that are no rows: totals, notes, signatures, repeated headers."""

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
    return take_in(store, incoming_file(feed, path, manifest=manifest, mapping=mapping))


def take_in(store: Store, incoming: Incoming) -> IngestReport:
    """Take in an answer that was read; raises as `ingest_file`, where its parts are read only now."""
    answer = incoming.manifest
    # What a correction ends is looked for among the rows that are there; and who holds a transaction open around this
    # may go on after a file that was refused.
    is_straight = incoming.is_large and not store.in_transaction and (answer is None or answer.how is None)
    with incoming.parts() as parts:
        reach = reach_of(store, incoming.contract, answer)
        with ExitStack() as stack:
            if incoming.is_large:
                stack.enter_context(store.less_memory(_GROWTH))
            when_added = stack.enter_context(store.one_thread()) if is_straight else lambda: None
            stack.enter_context(store.transaction())
            laid = Laid.begin(store, incoming.contract, is_straight=is_straight)
            try:
                staged = stage(store, incoming, parts, laid, when_added=when_added)
                report = _take(store, incoming, staged=staged, reach=reach)
                if incoming.mapping is not None and not report.already_known:
                    record_mapping(store, report.batch, incoming.mapping)
            except BaseException:
                # After a statement that failed none can follow in its transaction, which takes them back: what failed
                # is told, and not this.
                with suppress(StoreError):
                    _let_go(store, laid)
                raise
            _let_go(store, laid)
            return report


def _let_go(store: Store, laid: Laid) -> None:
    """Stages hold personal data and memory."""
    laid.let_go(store)
    store.run("drop table if exists i_bad; drop table if exists i_known")


def _take(store: Store, incoming: Incoming, *, staged: Staged, reach: Reach) -> IngestReport:
    contract, name, answer, laid = incoming.contract, incoming.name, incoming.manifest, staged.laid
    facts = facts_of(contract, answer)
    file_id = file_id_of(store, facts, answer, staged)
    earlier = store.fetch(
        "select batch, batch_id, covered_mark, superseded_by from batches where file_id = ? order by batch desc",
        [file_id],
    )
    again = bool(earlier.height) and earlier["covered_mark"][0] == reach.mark
    is_void = bool(earlier.height) and bool(earlier["superseded_by"].is_not_null().all())
    corrected, batch, ended = None, 0, 0
    if not (again or is_void or (earlier.height and answer is not None and answer.how == "replace")):
        corrected = corrected_by(store, contract, answer, name, again=bool(earlier.height))
        # A correction that comes again, of an answer whose place was taken since, has nothing left to correct.
        is_void = bool(earlier.height) and corrected is None and answer is not None and answer.how is not None
    if corrected is not None:
        batch = store.next_load()
        ended = supersede(store, contract, corrected, batch, staged)
    if earlier.height:
        staged = without_dropped(store, contract, earlier["batch"].to_list(), staged)
    rows = _sort_out(store, staged, keep=answer is None or answer.how != "withdraw")
    if is_void or again:
        laid.keep_none(store)
        return IngestReport(
            feed=contract.name,
            file=name,
            batch_id=str(earlier["batch_id"][0]),
            batch=int(earlier["batch"][0]),
            accepted=0,
            quarantined=0,
            not_covered=rows.not_covered,
            not_requested=rows.not_requested,
            repeated=staged.repeats,
            known_rows=rows.known,
            already_known=True,
            supplementary=False,
            passed_over=staged.passed,
        )
    batch = batch or store.next_load()
    stated = canonical(facts)
    head = stated + (f" supplement {earlier.height}".encode() if earlier.height else b"")
    kept_rows = staged.kept_rows
    if earlier.height:
        kept_rows = digest_of_sorted(store, f"select digest from {rows.query}")
    batch_id = named(head, kept_rows)
    if rows.beside is not None:
        _find_conflicts(store, contract, batch, rows.query, rows.beside)
    if rows.known:
        note_repeats(store, batch)
    if answer is not None and answer.how == "withdraw":
        laid.keep_none(store)
    elif rows.known:
        laid.keep(store, "row_no not in (select row_no from i_known)")
    else:
        laid.keep(store)
    has_bad = staged.bad > 0 or (corrected is not None and corrected.how == "withdraw" and staged.rows > 0)
    quarantined = quarantine(store, contract, name, batch) if has_bad else 0
    exceptions(store, batch, answer, has_bad=has_bad)
    if corrected is not None and corrected.how != "replace":
        answers_again(store, corrected, batch)
    _record(
        store,
        contract,
        name,
        answer,
        numbers={
            "batch": batch,
            "accepted": rows.new,
            "quarantined": quarantined,
            "not_covered": rows.not_covered,
            "not_requested": rows.not_requested,
            "repeated": staged.repeats,
            "covered": reach.covered,
            "covered_mark": reach.mark,
        },
        batch_id=batch_id,
        file_id=file_id,
        stated=stated,
        of_file=None if corrected is None else corrected.file_id,
    )
    return IngestReport(
        feed=contract.name,
        file=name,
        batch_id=batch_id,
        batch=batch,
        accepted=rows.new,
        quarantined=quarantined,
        not_covered=rows.not_covered,
        not_requested=rows.not_requested,
        repeated=staged.repeats,
        known_rows=rows.known,
        already_known=False,
        supplementary=bool(earlier.height),
        superseded=ended,
        passed_over=staged.passed,
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """What becomes of the staged rows. `query` yields the new ones: row_no, person, digest.

    `beside` yields rows of the same persons that are in the store; None if there are none.
    """

    new: int
    known: int
    not_covered: int
    not_requested: int
    query: str
    beside: str | None


def _sort_out(store: Store, staged: Staged, *, keep: bool) -> _Rows:
    """Which rows may be kept, and which of them are not in the store yet; ``i_known`` holds those that are.

    Rows of a withdrawal are counted and none is kept.
    """
    asked, kept, lowest, highest = store.fetch(
        "select count(*) filter (where is_asked), count(*) filter (where is_covered), "
        "min(person) filter (where is_covered), max(person) filter (where is_covered) from i_rows"
    ).row(0)
    # Rows of these persons only: a small file must not cost a look at the whole feed.
    if not keep:
        return _Rows(0, 0, asked - kept, staged.rows - asked, _NONE, None)
    beside = (
        f"(select * from feed_{staged.laid.contract.name} where person between {lowest} and {highest} "
        f"and superseded_by is null and batch < {staged.laid.batch})"
    )
    has_beside = bool(kept and store.fetch(f"select person from {beside} limit 1").height)
    known = 0
    if has_beside:
        store.run(
            f"create temp table i_known as select k.row_no, f.batch as of_batch, f.row_no as of_row_no from {_KEPT} k "
            f"join {beside} f on f.person = k.person and f.digest = k.digest"
        )
        known = int(store.value("select count(*) from i_known"))
    return _Rows(
        new=kept - known,
        known=known,
        not_covered=asked - kept,
        not_requested=staged.rows - asked,
        query=f"(select * from {_KEPT} anti join i_known using (row_no))" if known else _KEPT,
        beside=beside if has_beside else None,
    )


def _find_conflicts(store: Store, contract: FeedContract, batch: int, new: str, beside: str) -> None:
    """Persons of whom another answer says something else under the same natural key."""
    if not contract.key:
        return
    store.run(
        "insert into conflicts (feed, person, batch) "
        f"select distinct '{contract.name}', n.person, {batch} "
        f"from (select * from i_rows semi join {new} using (row_no)) n join {beside} f "
        f"on f.person = n.person and f.digest <> n.digest{same_key_sql(contract, 'f', 'n')}"
    )
