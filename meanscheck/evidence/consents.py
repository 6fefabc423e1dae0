"""Who allowed what? Consents (授权书): person, feeds, purpose, from, to, withdrawal, who signed (see `signing`), digest
of the scanned form or reference of the electronic signature.

A consent covers an answer if it names the feed (or ``*``), the purpose of the request or ``social_relief``, holds on
the day of the answer and was not withdrawn by then. A line with a known number and other content is a new version (a
withdrawal, say); versions are kept, the latest counts. An answer that came before its consent is not covered: what the
consent newly allows is stored when the file is ingested again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import all_feeds, application_contract
from meanscheck.contracts.cast import cast_rows
from meanscheck.errors import FeedError
from meanscheck.evidence.identities import add_persons
from meanscheck.evidence.jsonl import json_lines
from meanscheck.evidence.requests import NO_BOUND, Counts
from meanscheck.evidence.signing import SIGNATURE_SHAPE, signatures

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

GENERAL_PURPOSE = "social_relief"
ALL_FEEDS = "*"
_DAYS = ("from", "to", "withdrawn_on", "signed_on")
CONSENT_SHAPE: dict[str, pl.DataType] = {
    "consent_no": pl.String(),
    "id_type": pl.String(),
    "id_number": pl.String(),
    "feeds": pl.List(pl.String()),
    "purpose": pl.String(),
    "from": pl.String(),
    "to": pl.String(),
    "withdrawn_on": pl.String(),
    "signed_by": pl.String(),
    "form_digest": pl.String(),
    **SIGNATURE_SHAPE,
}
_SIGNATURE = tuple(name for name in SIGNATURE_SHAPE if name != "signed_on")
CONSENT_DIGEST = """unhex(sha256(concat_ws(chr(31), consent_no, id_type, id_number, feeds, purpose,
  coalesce("from"::varchar, chr(30)), coalesce("to"::varchar, chr(30)), coalesce(withdrawn_on::varchar, chr(30)),
  signed_by, coalesce(form_digest, chr(30)), 'signature=' || signature_ref, 'signed=' || signed_on::varchar,
  'request=' || request_no, 'signer=' || signer_id_type || ' ' || signer_id_number, 'member=' || signer_member,
  'basis=' || signer_basis)))[1:16]"""
"""SQL of a version's digest, over its own cells and the person's identity; what a line leaves out of the signature adds
nothing, so that older lines have the digest they had."""


def load_consents(store: Store, path: Path) -> Counts:
    """Take in a file of consents, wholly or not at all.

    Raises:
        FeedError: the file is refused; the message names the first line at fault, never a value.
    """
    with store.transaction():
        store.run("drop table if exists c_lines")
        for number, chunk in enumerate(json_lines(path, CONSENT_SHAPE)):
            with store.frame("incoming", _typed(chunk, path.name)):
                store.run(
                    f"{'insert into c_lines' if number else 'create temp table c_lines as'} select * from incoming"
                )
        counts = _take(store, path.name)
        store.run("drop table c_lines")
    return counts


def _typed(chunk: pl.DataFrame, name: str) -> pl.DataFrame:
    days = chunk.with_columns(pl.col(day).str.to_date("%Y-%m-%d", strict=False).alias(f"{day}:") for day in _DAYS)
    feeds = pl.col("feeds").list
    known = [ALL_FEEDS, *all_feeds()]
    for field, is_wrong, remedy in (
        *((f, pl.col(f).is_null() | (pl.col(f) == ""), "Fill it in") for f in ("consent_no", "id_number", "purpose")),
        *((d, pl.col(d).is_not_null() & pl.col(f"{d}:").is_null(), "Write it like 2020-05-01") for d in _DAYS),
        ("to", pl.col("from:") > pl.col("to:"), "It must not be before `from`"),
        ("feeds", pl.col("feeds").is_null() | (feeds.len() == 0), 'List the feeds, or write ["*"]'),
        (
            "feeds",
            ~feeds.eval(pl.element().is_in(known)).list.all(),
            "`meanscheck feeds list` names them all",
        ),
        ("signed_by", ~pl.col("signed_by").is_in(["self", "guardian"]).fill_null(False), "Write self or guardian"),
    ):
        wrong = days.filter(is_wrong)
        if wrong.height:
            raise FeedError("missing or not usable", where=f"{name}:{wrong['line'][0]} {field}", remedy=remedy)
    member = application_contract("member")
    rows = chunk.select(
        pl.col("line").alias("row_no"),
        pl.col("consent_no").alias("id"),
        "id_type",
        "id_number",
        *(pl.lit(None, pl.String).alias(c) for c in member.column_names if c not in ("id", "id_type", "id_number")),
    )
    cast = cast_rows(member, rows, as_of=None, not_after=NO_BOUND)
    if cast.quarantined.height:
        line, field, reason = cast.quarantined.sort("row_no", "field").select("row_no", "field", "reason").row(0)
        raise FeedError(f"{reason}", where=f"{name}:{line} {field}", remedy="Mend the identity and load the file again")
    identity = cast.accepted.select(pl.col("row_no").alias("line"), "id_type", "id_number")
    signers = signatures(
        days.select(
            "line", "signed_by", "form_digest", *SIGNATURE_SHAPE, signed_at=pl.coalesce("signed_on:", "from:")
        ).join(identity, on="line", how="left", maintain_order="left"),
        name,
    )
    return (
        days.select(
            "line",
            "consent_no",
            feeds=pl.when(feeds.contains(ALL_FEEDS))
            .then(pl.lit(ALL_FEEDS))
            .otherwise(feeds.unique().list.sort().list.join(",")),
            purpose="purpose",
            **{day: pl.col(f"{day}:") for day in _DAYS},
            signed_by="signed_by",
            **{
                field: field
                for field in ("form_digest", "signature_ref", "request_no", "signer_member", "signer_basis")
            },
        )
        .join(identity, on="line", how="left", maintain_order="left")
        .join(signers, on="line", how="left", maintain_order="left")
    )


def _take(store: Store, name: str) -> Counts:
    store.run(f"create or replace temp table c_all as select *, {CONSENT_DIGEST} as digest from c_lines")
    twice = store.fetch(
        "select min(line) as one, max(line) as other from c_all group by consent_no having count(distinct digest) > 1 "
        "order by one limit 1"
    )
    if twice.height:
        one, other = twice.row(0)
        raise FeedError(
            "one consent number stands twice with different content",
            where=f"{name}:{one} and {name}:{other} consent_no",
            remedy="Give each consent a number of its own",
        )
    total = int(store.value("select count(*) from c_all"))
    store.run(
        """create or replace temp table c_new as select * from c_all n
        semi join (select consent_no, min(line) as line from c_all group by consent_no) f
          on f.consent_no = n.consent_no and f.line = n.line
        anti join (select consent_no, digest from consents where superseded_by is null) c
          on c.consent_no = n.consent_no and c.digest = n.digest"""
    )
    added = int(store.value("select count(*) from c_new"))
    persons = 0
    if added:
        load = store.next_load()
        persons = add_persons(store, "select id_type, id_number from c_new")
        store.run(
            f"""create or replace temp table c_ready as
            select n.*, i.person, {load}::integer as load, (case when c.feeds = n.feeds and c.purpose = n.purpose
              and c."from" is not distinct from n."from" and c."to" is not distinct from n."to"
              then c.first_load else {load} end)::integer as first_load
            from c_new n join persons i using (id_type, id_number)
            left join consents c on c.consent_no = n.consent_no and c.superseded_by is null"""
        )
        changed = store.value(
            "select n.line from c_ready n join consents c on c.consent_no = n.consent_no and c.superseded_by is null "
            "where c.person <> n.person order by n.line limit 1"
        )
        if changed is not None:
            raise FeedError(
                "this consent number belongs to another person", where=f"{name}:{changed}", remedy="Use a new number"
            )
        store.run(
            f"update consents set superseded_by = {load} "
            "where superseded_by is null and consent_no in (select consent_no from c_new)"
        )
        store.run(
            'insert into consents by name select load, first_load, consent_no, person, feeds, purpose, "from", "to", '
            f"withdrawn_on, signed_by, form_digest, signed_on, {', '.join(_SIGNATURE)}, digest "
            "from c_ready order by person, consent_no"
        )
        store.run("drop table c_ready")
    store.run("drop table c_new")
    store.run("drop table c_all")
    return Counts(added, total - added, persons)
