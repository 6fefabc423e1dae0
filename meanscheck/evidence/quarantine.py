"""What becomes of rows that cannot be accepted, and what does it mean for the persons they concern?

A quarantined row is kept with file, line, field and reason; its text only if it concerns a person whose rows may be
kept. For that person the answer is none: what the row said is not known, so the feed is not known. Works on the staged
tables of one ingest, ``i_rows``, ``i_bad`` and ``i_covered`` (see `ingest`).
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import FeedContract
from meanscheck.contracts.cells import parse_document
from meanscheck.contracts.model import PERSON
from meanscheck.evidence.laid import Laid
from meanscheck.evidence.manifest import Identity, Manifest
from meanscheck.evidence.tables import stored_columns
from meanscheck.values.documents import Document
from meanscheck.values.sql import quoted

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

REPEATED, CONTRADICTION, CROWD = "repeated_row", "conflicting_key", "too_many_rows"
_WIDE, _NARROW = "０１２３４５６７８９Ｘ", "0123456789X"


def refuse_contradictions(store: Store, laid: Laid) -> tuple[int, int]:
    """What `cast_rows` does for a small file: rows that contradict each other under one natural key all go.

    Returns:
        How many these are, and how many others go that repeat one of them word for word.
    """
    contract = laid.contract
    if not contract.key:
        return 0, 0
    columns = [contract.column(name) for name in contract.key if name != PERSON]
    key = ", ".join(["person", *(quoted(c.stored_name) for c in columns)])
    keyed = "".join(f" and {quoted(c.stored_name)} is not null" for c in columns if c.name != "as_of")
    cells = ", ".join(f"{quoted(c.name)} := r.{quoted(c.stored_name)}" for c in stored_columns(contract))
    at_odds = (
        f"select {key} from i_rows where person is not null{keyed} group by {key} having min(digest) <> max(digest)"
    )
    same = " and ".join(
        f"r.{quoted(name)} is not distinct from k.{quoted(name)}"
        for name in ("person", *(c.stored_name for c in columns))
    )
    store.run(
        "insert into i_bad select row_no, if(is_first, ?, ''), "
        f"if(is_first, '{CONTRADICTION}', '{REPEATED}'), if(is_first, raw, null), if(is_first, person, null) from ("
        f"select r.row_no, r.person, to_json(struct_pack({cells})) as raw, "
        "row_number() over (partition by r.digest order by r.row_no) = 1 as is_first "
        f"from i_rows r join ({at_odds}) k on {same})",
        [",".join(contract.key)],
    )
    return _take_out(store, laid, CONTRADICTION), _take_out(store, laid, REPEATED)


def set_repeats_apart(store: Store, laid: Laid) -> int:
    """Rows that stand in the file before, word for word: the first one counts, the others go to quarantine."""
    twice = "select digest, min(row_no) as first from i_rows group by digest having count(*) > 1"
    store.run(
        f"insert into i_bad select r.row_no, '', '{REPEATED}', null, null from i_rows r join ({twice}) d "
        "on d.digest = r.digest and r.row_no <> d.first"
    )
    return _take_out(store, laid, REPEATED)


def refuse_crowds(store: Store, laid: Laid, most: int) -> int:
    """What `cast_rows` does within a part: more rows of one person than sums can bear all go."""
    crowd = f"select person from i_rows where person is not null group by person having count(*) > {most}"
    if not store.value(f"select count(*) from ({crowd})"):
        return 0
    store.run(
        f"insert into i_bad select row_no, 'id_number', '{CROWD}', null, person from i_rows where person in ({crowd})"
    )
    return _take_out(store, laid, CROWD)


def _take_out(store: Store, laid: Laid, reason: str) -> int:
    """Take rows out of ``i_rows`` that are in ``i_bad`` for a reason; how many these are."""
    bad = f"(select row_no from i_bad where reason = '{reason}')"
    taken = int(store.value(f"select count(*) from i_rows where row_no in {bad}"))
    if taken:
        laid.take_out(store, f"row_no in {bad}")
    return taken


def quarantine(store: Store, contract: FeedContract, name: str, batch: int) -> int:
    """Keep what was not accepted. The raw text is kept only of persons whose rows may be kept; the place always is.

    Whom a row with a faulty number concerns is told by its first 17 digits, the check digit aside.
    """
    store.run(
        f"""insert into quarantine
        with told as (
          select *, upper(regexp_replace(translate(coalesce(json_extract_string(raw, '$.id_number'),
            regexp_extract(raw, '[0-9]{{17}}[0-9Xx]'), ''), '{_WIDE}', '{_NARROW}'), '[\\s'']', '', 'g')) as number
          from i_bad),
        keyed as (
          select *, case length(number) when 18 then number[1:17] when 15 then number[1:6] || '19' || number[7:15]
            else number end as key from told),
        known as (
          select person, key from (
            select person, case id_type when 'resident_id' then left(id_number, 17) else id_number end as key
            from persons) p
          semi join keyed using (key) semi join i_covered using (person))
        select {batch}, '{contract.name}', ?, k.row_no, k.field, k.reason,
          case when p.person is not null then k.raw end, p.person
        from keyed k left join (select key, min(person) as person from known group by key) q on q.key = k.key
        left join i_covered p on p.person = coalesce(k.person, q.person)
        order by k.row_no, k.field, k.reason""",
        [name],
    )
    return int(
        store.value(f"select count(distinct row_no) from quarantine where batch = {batch} and reason <> '{REPEATED}'")
    )


def exceptions(store: Store, batch: int, answer: Manifest | None, *, has_bad: bool) -> None:
    """Persons for whom this batch is no answer: the manifest says so, or a row of theirs was quarantined."""
    if has_bad:
        store.run(
            "insert into not_answered (batch, person, reason, load) "
            f"select distinct {batch}, person, 'quarantined', {batch} from quarantine "
            f"where batch = {batch} and person is not null and reason <> '{REPEATED}'"
        )
    if answer is None:
        return
    if answer.listed is not None:
        store.run("insert into batch_listings values (?, ?)", [batch, _listing(store, answer.listed)])
    if answer.not_answered:
        with store.frame("silent", _identities(answer.not_answered)):
            store.run(
                "insert into not_answered (batch, person, reason, load) "
                f"select distinct {batch}, i.person, 'not_answered', {batch} "
                "from silent s join persons i using (id_type, id_number)"
            )


def _listing(store: Store, numbers: tuple[str, ...]) -> int:
    """The number of a set of request numbers, sorted; kept now if no answer before named the same."""
    digest = hashlib.sha256(json.dumps(numbers).encode()).digest()
    known = store.value("select listing from listings where digest = ?", [digest])
    if known is not None:
        return int(known)
    listing = int(store.value("insert into listings select count(*), ? from listings returning listing", [digest]))
    with store.frame("numbers", pl.DataFrame({"request_no": numbers}, schema={"request_no": pl.String})):
        store.run(f"insert into listed_requests select {listing}, request_no from numbers")
    return listing


def _identities(given: tuple[Identity, ...]) -> pl.DataFrame:
    # The manifest refuses a number with a fault, so what is no document here is blank and nobody's.
    found = [parse_document(one.id_type, one.id_number) for one in given]
    documents = [one for one in found if isinstance(one, Document)]
    return pl.DataFrame(
        {"id_type": [one.id_type for one in documents], "id_number": [one.id_number for one in documents]},
        schema={"id_type": pl.String, "id_number": pl.String},
    )
