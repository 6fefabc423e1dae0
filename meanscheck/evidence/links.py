"""Which numbers are one person's? Links (身份关联) say so: cited, dated, and never guessed.

A line of ``identity_links.jsonl``: `link_no` · `from_id_type`, `from_id_number` · `to_id_type`, `to_id_number` ·
`reason` · `source` (the document that proves it: a register's notice, a change of the number by public security) · `on`
(from this day the two are one) · `ended_on` (if the link turns out to be wrong: from this day they are two again).

From the link's load number on, and for decisions from `on` on, evidence under either number is read together, and so
are consents; the same row under both counts once. An answer that came before the link was about one number only, so it
is no answer for the person until the file is ingested again or asked for anew. Snapshots of before are as they were.

Nothing is merged by likeness: `suspects` lists persons who may be one, for a person to decide.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts.cells import parse_document
from meanscheck.errors import FeedError
from meanscheck.evidence.identities import add_persons
from meanscheck.evidence.jsonl import json_lines
from meanscheck.evidence.merging import make_same
from meanscheck.evidence.requests import Counts, refuse_two_applications
from meanscheck.values.documents import Document

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

REASONS = ("number_corrected", "number_changed", "document_replaced", "second_document", "number_assigned")
"""Typed wrong before · changed by public security · a permit gave way to another document · two documents at once ·
a person without a number was given one."""
LINK_SHAPE: dict[str, pl.DataType] = {
    name: pl.String()
    for name in (
        "link_no",
        "from_id_type",
        "from_id_number",
        "to_id_type",
        "to_id_number",
        "reason",
        "source",
        "on",
        "ended_on",
    )
}
_NEEDED = ("link_no", "from_id_number", "to_id_number", "reason", "source", "on")
_DIGEST = """unhex(sha256(concat_ws(chr(31), link_no, f.id_type, f.id_number, t.id_type, t.id_number, reason, source,
  "on"::varchar, coalesce(ended_on::varchar, chr(30)))))[1:16]"""


def load_links(store: Store, path: Path) -> Counts:
    """Take in a file of links, wholly or not at all. A known number with other content is a new version of that link.

    Raises:
        FeedError: the file is refused, with line and field; also where a link makes one person a member of two live
            applications (both are named).
    """
    with store.transaction():
        lines = pl.concat([_typed(chunk, path.name) for chunk in json_lines(path, LINK_SHAPE)])
        twice = lines.filter(pl.col("link_no").is_duplicated())
        if twice.height:
            raise FeedError(
                "one link number stands twice", where=f"{path.name}:{twice['line'][1]} link_no", remedy="Number each"
            )
        with store.frame("given", lines):
            persons = add_persons(
                store,
                "select from_id_type as id_type, from_id_number as id_number from given "
                "union all select to_id_type, to_id_number from given",
            )
            store.run(
                f"""create or replace temp table l_new as
                with read as (
                  select g.line, g.link_no, f.person as from_person, t.person as to_person, g.reason, g.source, g."on",
                    g.ended_on, {_DIGEST} as digest
                  from given g join persons f on f.id_type = g.from_id_type and f.id_number = g.from_id_number
                  join persons t on t.id_type = g.to_id_type and t.id_number = g.to_id_number)
                select * from read
                anti join (select link_no, digest from identity_links where superseded_by is null) k
                  using (link_no, digest)"""
            )
        added = int(store.value("select count(*) from l_new"))
        if added:
            _take(store, path.name)
        store.run("drop table l_new")
    return Counts(added, lines.height - added, persons)


def _take(store: Store, name: str) -> None:
    other = store.value(
        "select n.line from l_new n join identity_links k on k.link_no = n.link_no and k.superseded_by is null "
        "where (k.from_person, k.to_person) <> (n.from_person, n.to_person) order by n.line limit 1"
    )
    if other is not None:
        raise FeedError(
            "this link number belongs to other persons", where=f"{name}:{other} link_no", remedy="Use a new number"
        )
    load = store.next_load()
    store.run(
        f"update identity_links set superseded_by = {load} "
        "where superseded_by is null and link_no in (select link_no from l_new)"
    )
    store.run(f"insert into identity_links by name select {load} as load, * exclude (line) from l_new order by link_no")
    make_same(store)
    refuse_two_applications(store, "select person from p_same")


def _typed(chunk: pl.DataFrame, name: str) -> pl.DataFrame:
    days = chunk.with_columns(
        pl.col(day).str.to_date("%Y-%m-%d", strict=False).alias(f"{day}:") for day in ("on", "ended_on")
    )
    for field, is_wrong, remedy in (
        *((f, pl.col(f).is_null() | (pl.col(f).str.strip_chars() == ""), "Fill it in") for f in _NEEDED),
        ("reason", ~pl.col("reason").is_in(REASONS), f"Write one of {', '.join(REASONS)}"),
        ("on", pl.col("on:").is_null(), "Write it like 2020-05-01"),
        ("ended_on", pl.col("ended_on").is_not_null() & pl.col("ended_on:").is_null(), "Write it like 2020-05-01"),
        ("ended_on", pl.col("ended_on:") < pl.col("on:"), "It must not be before `on`"),
    ):
        wrong = days.filter(is_wrong)
        if wrong.height:
            raise FeedError("missing or not usable", where=f"{name}:{wrong['line'][0]} {field}", remedy=remedy)
    rows = []
    for line in days.iter_rows(named=True):
        ends = [_document(line, side, name) for side in ("from", "to")]
        if ends[0] == ends[1]:
            raise FeedError(
                "both ends of the link are one number",
                where=f"{name}:{line['line']} to_id_number",
                remedy="Nothing needs linking then: 15 and 18 digits of one number are one person already",
            )
        rows.append((line["line"], line["link_no"], *(c for e in ends for c in (e.id_type, e.id_number)),
                     line["reason"], line["source"].strip(), line["on:"], line["ended_on:"]))  # fmt: skip
    schema: dict[str, pl.DataType] = {"line": pl.Int64(), **LINK_SHAPE, "on": pl.Date(), "ended_on": pl.Date()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _document(line: dict[str, str], side: str, name: str) -> Document:
    found = parse_document(line[f"{side}_id_type"] or "resident_id", line[f"{side}_id_number"])
    if not isinstance(found, Document):
        reason = "missing" if found is None else found.reason
        raise FeedError(reason, where=f"{name}:{line['line']} {side}_id_number", remedy="Mend the identity")
    return found
