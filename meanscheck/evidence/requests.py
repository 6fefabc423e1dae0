"""How do check requests get into the store? A file is in wholly or not at all.

Every person is cast by the contract `member` (identity normalised, check digit proven); a person without a document
goes by his household and his id in it. Refused, with file and line: a request number used before with other content, a
case asked about twice in one file, a person who is a member of two live applications (under whatever linked number, see
`links`), a supporter of nobody in the application. The same request again changes nothing; a new request
about a known case replaces the earlier one, which stays for replay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import all_feeds, application_contract
from meanscheck.contracts.cast import cast_rows
from meanscheck.contracts.spelling import choice_key
from meanscheck.errors import FeedError
from meanscheck.evidence.application import PERSON_FIELDS, REQUEST_SHAPE
from meanscheck.evidence.identities import add_persons
from meanscheck.evidence.jsonl import json_lines
from meanscheck.evidence.merging import make_same
from meanscheck.evidence.tables import MEMBER_COLUMNS
from meanscheck.values.documents import NONE

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

NO_BOUND = date(9999, 12, 31)
_HEAD = ("request_no", "application_no", "case_id", "accepting_place", "purpose")
_NEEDED = ("request_no", "application_no", "case_id", "purpose", "members", "feeds")


@dataclass(frozen=True, slots=True)
class Counts:
    """What a file of requests or consents brought: `added` lines, `known` ones that were there already, and persons."""

    added: int
    known: int
    persons: int


def load_requests(store: Store, path: Path) -> Counts:
    """Take in a file of check requests.

    Raises:
        FeedError: the file is refused; the message names the first lines at fault, never a value.
    """
    with store.transaction():
        store.run("drop table if exists r_heads")
        store.run("drop table if exists r_people")
        for number, chunk in enumerate(json_lines(path, REQUEST_SHAPE)):
            heads, people = _split(chunk, path.name)
            # Of a request's text only the digest is kept: a million of them would be gigabytes.
            digest = "* exclude (text), unhex(sha256(text))[1:16] as digest"
            for table, columns, rows in (("r_heads", digest, heads), ("r_people", "*", people)):
                verb = f"insert into {table}" if number else f"create temp table {table} as"
                with store.frame("incoming", rows):
                    store.run(f"{verb} select {columns} from incoming")
        counts = _take(store, path.name)
        store.run("drop table r_heads")
        store.run("drop table r_people")
    return counts


def _split(chunk: pl.DataFrame, name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    for field in _NEEDED:
        gap = chunk.filter(pl.col(field).is_null() | (pl.col(field).list.len() == 0 if field == "members" else False))
        if gap.height:
            raise FeedError("missing", where=f"{name}:{gap['line'][0]} {field}", remedy="Fill it in")
    text = pl.struct(pl.exclude("line")).struct.json_encode()
    ask = pl.element().struct
    spec = pl.col("feeds").list.eval(
        pl.concat_str(
            ask.field("feed").fill_null("?"),
            pl.lit(";"),
            ask.field("institutions").list.unique().list.sort().list.join(",").fill_null(""),
            pl.lit(";"),
            ask.field("divisions").list.unique().list.sort().list.join(",").fill_null(""),
        )
    )
    heads = chunk.select(
        "line",
        *_HEAD,
        requested=pl.col("programmes").list.unique().list.sort().list.join(",").fill_null(""),
        spec=spec.list.unique().list.sort().list.join("|"),
        text=text,
    )
    contract = application_contract("household")
    columns = [c for c in contract.column_names if c in chunk.columns]
    typed = _cast(contract.name, chunk.select(pl.col("line").alias("row_no"), *columns), name, None)
    heads = heads.join(
        typed.select(pl.col("row_no").alias("line"), "applied_on", "reference_day", "residence", "division"),
        on="line",
        how="left",
        maintain_order="left",
    )
    return heads, _people(chunk, name)


def _people(chunk: pl.DataFrame, name: str) -> pl.DataFrame:
    parts = []
    for list_name, role in (("members", "member"), ("supporters", "supporter")):
        part = chunk.select("line", "request_no", "case_id", pl.col(list_name).alias("person"))
        part = part.filter(pl.col("person").list.len() > 0).explode("person")
        part = part.with_columns(index=pl.int_range(pl.len()).over("line")).unnest("person")
        if role == "member":
            part = part.with_columns(pl.col("role").fill_null("member"), supports=pl.lit(None, pl.String))
        else:
            part = part.with_columns(role=pl.lit(role), supports=pl.col("supports").list.join(","))
        parts.append(part.with_columns(list=pl.lit(list_name)))
    people = pl.concat(parts, how="diagonal").with_row_index("row_no").with_columns(pl.col("row_no").cast(pl.Int64))
    people = _named_without_number(people, name)
    wrong = people.filter(~pl.col("role").is_in(["member", "register", "supporter"]))
    if wrong.height:
        raise FeedError(
            "not a role", where=f"{name}:{wrong['line'][0]} members role", remedy="Write member or register"
        )
    typed = _cast("member", people.select("row_no", *PERSON_FIELDS), name, people)
    order = pl.col("role").replace_strict({"member": 0, "supporter": 1, "register": 2}, return_dtype=pl.Int64)
    return (
        people.select("row_no", "line", "request_no", "role", "supports", "list", "index")
        .join(typed.drop("row_no_right", strict=False), on="row_no", how="left", maintain_order="left")
        .with_columns(rank=order)
        .sort("line", "rank", "index")
        .with_columns(position=pl.int_range(pl.len()).over("line"))
        .select(
            "line",
            "request_no",
            "position",
            "role",
            "supports",
            "list",
            "index",
            "id_type",
            "id_number",
            "name",
            *MEMBER_COLUMNS,
        )
    )


def _named_without_number(people: pl.DataFrame, name: str) -> pl.DataFrame:
    """Persons without a document go by their household and their id in it; a number would be no number of theirs."""
    words = application_contract("member").column("id_type").choice_aliases
    spellings = [text for text in people["id_type"].unique().drop_nulls() if words.get(choice_key(text)) == NONE]
    if not spellings:
        return people
    is_none = pl.col("id_type").is_in(spellings)
    own = pl.concat_str(pl.col("case_id"), pl.lit("/"), pl.col("id"))
    wrong = people.filter(is_none & pl.col("id_number").is_not_null() & (pl.col("id_number") != own))
    if wrong.height:
        line, which, index = wrong.select("line", "list", "index").row(0)
        raise FeedError(
            "a person without a document has a number",
            where=f"{name}:{line} {which}[{index}] id_number",
            remedy="Leave the number out, or state the kind of document it is of",
        )
    return people.with_columns(id_number=pl.when(is_none).then(own).otherwise("id_number"))


def _cast(contract_name: str, rows: pl.DataFrame, name: str, people: pl.DataFrame | None) -> pl.DataFrame:
    # One person may stand in several cases with the same words; where he may not is asked of the whole store.
    cast = cast_rows(
        application_contract(contract_name), rows, as_of=None, not_after=NO_BOUND, may_repeat=people is not None
    )
    if cast.quarantined.is_empty():
        return cast.accepted
    bad = cast.quarantined.sort("row_no", "field", "reason")
    if people is not None:
        bad = bad.join(people.select("row_no", "line", "list", "index"), on="row_no", maintain_order="left")
        place = pl.format("{}:{} {}[{}] {}", pl.lit(name), "line", "list", "index", "field")
    else:
        place = pl.format("{}:{} {}", pl.lit(name), "row_no", "field")
    first = bad.head(5).select(pl.format("{}: {}", place, "reason"))[:, 0].to_list()
    raise FeedError(
        f"{bad.height} fault(s) in the requests, the first: {'; '.join(first)}",
        where=name,
        remedy="Mend these lines and load the file again; nothing of it was taken in",
    )


def _take(store: Store, name: str) -> Counts:
    _refuse_faults(store, name)
    store.run(
        """create or replace temp table r_new as
        select h.* from r_heads h
        semi join (select request_no, min(line) as line from r_heads group by request_no) f
          on f.request_no = h.request_no and f.line = h.line
        anti join requests r on r.request_no = h.request_no"""
    )
    total = int(store.value("select count(*) from r_heads"))
    added = int(store.value("select count(*) from r_new"))
    if not added:
        store.run("drop table r_new")
        return Counts(0, total, 0)
    load = store.next_load()
    _add_asks(store, name)
    persons = add_persons(store, "select id_type, id_number from r_people where line in (select line from r_new)")
    base = int(store.value("select coalesce(max(request), -1) + 1 from requests"))
    store.run(
        f"update requests set superseded_by = {load} "
        "where superseded_by is null and case_id in (select case_id from r_new)"
    )
    store.run(
        f"""insert into requests by name
        select {base} + row_number() over (order by n.line) - 1 as request, {load} as load, n.request_no,
          n.application_no, n.case_id, n.accepting_place, n.applied_on, n.reference_day, n.purpose, n.residence,
          n.division, n.requested, a.ask, n.digest, ? as file, n.line
        from r_new n join ask_texts a on a.spec = n.spec order by n.line""",
        [name],
    )
    attributes = ", ".join(f"p.{column}" for column in MEMBER_COLUMNS)
    store.run(
        f"""insert into unit_persons by name
        select r.request, p.position, p.role, i.person, p.name, p.supports, {attributes}
        from r_people p join r_new n on n.line = p.line
        join requests r on r.request_no = p.request_no and r.load = {load}
        join persons i on i.id_type = p.id_type and i.id_number = p.id_number
        order by r.request, p.position"""
    )
    make_same(store)
    refuse_two_applications(
        store, f"select up.person from unit_persons up join requests r on r.request = up.request where r.load = {load}"
    )
    store.run("drop table r_new")
    return Counts(added, total - added, persons)


def _refuse_faults(store: Store, name: str) -> None:
    for query, what, remedy in (
        (
            "select h.line, '' as other from r_heads h join requests r on r.request_no = h.request_no "
            "and r.digest <> h.digest",
            "this request number was used before with other content",
            "Give the changed request a number of its own",
        ),
        (
            "select max(line) as line, ':' || min(line) as other from r_heads group by request_no "
            "having count(distinct digest) > 1",
            "this request number stands twice in the file with different content",
            "Give each request a number of its own",
        ),
        (
            "select max(line) as line, ':' || min(line) as other from r_heads group by case_id "
            "having count(distinct request_no) > 1",
            "this case is asked about twice in the file",
            "Ask once, with all feeds",
        ),
        (
            "select line, '' as other from (select line, id from r_people group by line, id having count(*) > 1) d",
            "two persons of the request have the same id",
            "Give each person an id of his own",
        ),
        (
            "select line, '' as other from r_people where role = 'member' group by line, id_type, id_number "
            "having count(*) > 1",
            "a person stands twice among the members",
            "Name each member once",
        ),
        (
            "select s.line, '' as other from (select line, unnest(string_split(supports, ',')) as who from r_people "
            "where role = 'supporter' and supports <> '') s anti join r_people m "
            "on m.line = s.line and m.role = 'member' and m.id = s.who",
            "a supporter supports somebody who is not a member of the application",
            "Use the members' ids in `supports`",
        ),
    ):
        found = store.fetch(f"select * from ({query}) order by line limit 1")
        if found.height:
            line, other = found.row(0)
            also = f" and {name}{other}" if other else ""
            raise FeedError(what, where=f"{name}:{line}{also}", remedy=remedy)


def _add_asks(store: Store, name: str) -> None:
    new = store.fetch(
        "select spec, min(line) as line from r_new anti join ask_texts using (spec) group by spec order by spec"
    )
    ask = int(store.value("select coalesce(max(ask), -1) + 1 from ask_texts"))
    asks: list[tuple[int, str, str | None, str | None]] = []
    for offset, (spec, line) in enumerate(new.iter_rows()):
        for entry in filter(None, str(spec).split("|")):
            feed, institutions, divisions = entry.split(";")
            if feed not in all_feeds():
                raise FeedError(
                    "a feed is asked for that does not exist",
                    where=f"{name}:{line} feeds",
                    remedy="`meanscheck feeds list` names them all",
                )
            asks += [
                (ask + offset, feed, institution or None, division or None)
                for institution in institutions.split(",")
                for division in divisions.split(",")
            ]
    texts = new.select("spec").with_columns(ask=pl.int_range(pl.len(), dtype=pl.Int32) + ask)
    store.insert("ask_texts", texts)
    schema = {"ask": pl.Int32, "feed": pl.String, "institution": pl.String, "division": pl.String}
    store.insert("asks", pl.DataFrame(asks, schema=schema, orient="row"))


def refuse_two_applications(store: Store, persons: str) -> None:
    """FeedError if one of the persons that the query names is a member of two live applications; links count.

    Needs ``p_same`` (see `links`).
    """
    found = store.fetch(
        f"""with live as (
          select coalesce(m.main, up.person) as person, u.case_id, u.file, u.line, u.load, up.position
          from units u join unit_persons up on up.request = u.request and up.role = 'member'
          left join (select person, min(other) as main from p_same group by person) m on m.person = up.person
          where up.person in (with named as ({persons})
            select person from named union all select s.other from p_same s semi join named using (person)))
        select a.file || ':' || a.line || ' members[' || a.position || ']' as one,
          b.file || ':' || b.line || ' members[' || b.position || ']' as other, count(*) over () as many,
          a.case_id = b.case_id as is_same
        from live a join live b on a.person = b.person
          and (a.case_id < b.case_id or a.case_id = b.case_id and a.position < b.position)
        order by a.line, b.line limit 1"""
    )
    if found.height:
        one, other, many, is_same = found.row(0)
        what = "stands twice in one application" if is_same else "is a member of two live applications"
        remedy = "Name him once" if is_same else "Close one application, or take the person out of it"
        raise FeedError(
            f"a person {what} ({many} such pair(s))",
            where=f"{one} and {other}",
            remedy=f"{remedy}; nothing of the file was taken in",
        )
