"""Whose consent is missing, has lapsed, or has a signature to look at? For the office to ask, member by member.

    case_id · member (his id) · role · why · consent_no (null where there is none)

`why` is one of `GAPS` where nothing the person signed may be used on that day for the purpose of his request, and one
of the flags of `signing` where a usable consent has a signature that a person must look at. Until a gap is filled the
state of his evidence is no_consent. Persons without a number are left out: nobody can be asked about them.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from meanscheck.contracts import all_feeds
from meanscheck.evidence.coverage import is_office
from meanscheck.evidence.merging import make_same, spread
from meanscheck.evidence.resigning import make_lapses
from meanscheck.evidence.signing import ADULT, birthdays, years_before
from meanscheck.values.documents import NONE

if TYPE_CHECKING:
    from meanscheck.evidence.store import Store

GAPS = ("missing", "withdrawn", "expired", "not_yet", "other_purpose", "feeds", "members_changed", "new_application")
"""No consent · withdrawn · its end has come · its beginning has not · given for another purpose · for other feeds than
are asked for · to be signed again since the members changed · since it is a new application."""
_DUE = ("case_id", "member", "role", "why", "consent_no")


def consents_due(store: Store, *, on: date) -> pl.DataFrame:
    """Who must sign, or whose signature must be looked at, as of a day; by case, member and reason."""
    found = _states(store, on=on)
    usable = found.filter("is_usable")
    keys = ["request", "position"]
    gaps = found.join(usable.select(keys).unique(), on=keys, how="anti")
    # Of several consents, none usable, the one nearest to use says what is to be done.
    gaps = gaps.sort([*keys, "rank", "consent_no"], nulls_last=True).unique(keys, keep="first", maintain_order=True)
    allowed = usable.group_by(keys).agg(
        pl.col("case_id", "member", "role", "asked").first(),
        pl.col("feeds").str.split(",").explode().unique().alias("allowed"),
    )
    short = allowed.filter(
        ~pl.col("allowed").list.contains("*") & (pl.col("asked").list.set_difference("allowed").list.len() > 0)
    ).with_columns(why=pl.lit("feeds"), consent_no=pl.lit(None, pl.String))
    flagged = usable.explode("flags").drop_nulls("flags").with_columns(why="flags")
    return (
        pl.concat([gaps.select(_DUE), short.select(_DUE), flagged.select(_DUE)])
        .unique()
        .sort("case_id", "member", "why", "consent_no", nulls_last=True)
    )


def consents_list(store: Store, *, on: date, case_ids: list[str] | None = None) -> pl.DataFrame:
    """Every consent of the people of live requests, as of a day.

    case_id · member · role · consent_no · feeds · purpose · from, to, withdrawn_on, signed_on Date · signed_by ·
    signer_basis · use: ``usable`` or a reason of `GAPS` · flags List(String)
    """
    found = _states(store, on=on)
    if case_ids is not None:
        found = found.filter(pl.col("case_id").is_in(case_ids))
    return (
        found.filter(pl.col("consent_no").is_not_null())
        .with_columns(use=pl.when("is_usable").then(pl.lit("usable")).otherwise("why"))
        .select(
            *("case_id", "member", "role", "consent_no", "feeds", "purpose", "from", "to", "withdrawn_on", "signed_on"),
            *("signed_by", "signer_basis", "use", "flags"),
        )
        .sort("case_id", "member", "consent_no")
    )


def _states(store: Store, *, on: date) -> pl.DataFrame:
    """Each person of a live request with each of his consents (one row with nulls if he has none)."""
    is_linked = make_same(store, on=on)
    make_lapses(store)
    offices = ", ".join(f"'{name}'" for name, contract in all_feeds().items() if is_office(contract))
    found = store.fetch(
        f"""with asking as (
          select ask, list(distinct feed order by feed) as asked from asks where feed not in ({offices}) group by ask)
        select u.request, u.case_id, u.purpose as asked_for, a.asked, up.position, up.id as member, up.role,
          up.guardian, up.born_on, i.id_type, i.id_number, c.*, coalesce(l.by_members, false) as by_members,
          coalesce(l.by_application, false) as by_application,
          exists (select 1 from unit_persons o join persons oi on oi.person = o.person where o.request = u.request
            and o.position <> up.position and oi.id_type = c.signer_id_type and oi.id_number = c.signer_id_number)
            as is_signer_here,
          (select max(o.id) from unit_persons o join persons oi on oi.person = o.person where o.request = u.request
            and oi.id_type = c.signer_id_type and oi.id_number = c.signer_id_number) as signer_as_member,
          (select max(o.born_on) from unit_persons o where o.request = u.request and o.id = c.signer_member)
            as signer_born_on,
          (select max(oi.id_type || ' ' || oi.id_number) from unit_persons o join persons oi on oi.person = o.person
            where o.request = u.request and o.id = c.signer_member) as signer_document,
          exists (select 1 from unit_persons o where o.request = u.request and o.id = c.signer_member
            and o.position <> up.position) as is_member_here
        from units u join asking a on a.ask = u.ask join unit_persons up on up.request = u.request
        join persons i on i.person = up.person and i.id_type <> '{NONE}'
        left join (select person, consent_no, feeds, purpose, "from", "to", withdrawn_on, signed_on, signed_by,
            form_digest, signature_ref, signer_id_type, signer_id_number, signer_member, signer_basis
          from {spread("consents", is_linked=is_linked)} k where superseded_by is null) c on c.person = up.person
        left join p_lapsed l on l.request = u.request and l.person = up.person and l.consent_no = c.consent_no
        order by u.case_id, up.position, c.consent_no"""
    )
    store.run("drop table p_lapsed")
    return _judged(found, on)


def _judged(found: pl.DataFrame, on: date) -> pl.DataFrame:
    day = pl.lit(on)
    why = (
        pl.when(pl.col("consent_no").is_null()).then(pl.lit("missing"))
        .when(pl.col("by_members")).then(pl.lit("members_changed"))
        .when(pl.col("by_application")).then(pl.lit("new_application"))
        .when(pl.col("withdrawn_on") <= day).then(pl.lit("withdrawn"))
        .when(pl.col("to") < day).then(pl.lit("expired"))
        .when(pl.col("from") > day).then(pl.lit("not_yet"))
        .when(~pl.col("purpose").is_in(["social_relief"]) & (pl.col("purpose") != pl.col("asked_for")))
        .then(pl.lit("other_purpose"))
    )  # fmt: skip
    nearest = ("members_changed", "new_application", "expired", "withdrawn", "not_yet", "other_purpose", "missing")
    ranks = {reason: rank for rank, reason in enumerate(nearest)}
    born = pl.coalesce("born_on", birthdays("id_type", "id_number"))
    named_member = pl.col("signer_document").str.split_exact(" ", 1).struct
    found = found.with_columns(
        signer_id_type=pl.coalesce("signer_id_type", named_member.field("field_0")),
        signer_number=pl.coalesce("signer_id_number", named_member.field("field_1")),
    )
    signer_born = pl.coalesce(birthdays("signer_id_type", "signer_number"), "signer_born_on")
    signed_at = pl.coalesce("signed_on", "from")
    guarded = pl.col("signed_by") == "guardian"
    named = pl.col("signer_id_number").is_not_null() | pl.col("signer_member").is_not_null()
    stated = (pl.col("guardian") == pl.col("signer_member")) | (pl.col("guardian") == pl.col("signer_as_member"))
    stated |= pl.col("guardian") == pl.col("signer_id_number")
    known = pl.col("is_signer_here") | pl.col("is_member_here") | stated.fill_null(value=False)
    frame = found.with_columns(why=why, signed_at=signed_at, born=born, signer_born=signer_born)
    is_minor = pl.col("born") > years_before("signed_at", ADULT)
    grown_signer = pl.col("signer_born") <= years_before("signed_at", ADULT)
    by_organisation = (pl.col("signer_basis") == "organisation").fill_null(value=False)
    flags = {
        "minor_signed_self": ~guarded & is_minor,
        "guardian_not_named": guarded & ~named & ~by_organisation,
        "guardian_not_known": guarded & named & ~known,
        "guardian_of_adult": guarded & ~is_minor & pl.col("signer_basis").is_null(),
        "guardian_age_unknown": guarded & named & ~grown_signer.fill_null(value=False),
        "no_form": pl.col("form_digest").is_null() & pl.col("signature_ref").is_null(),
    }
    said = [pl.when(test.fill_null(value=False)).then(pl.lit(flag)) for flag, test in flags.items()]
    return frame.with_columns(
        flags=pl.concat_list(said).list.drop_nulls(),
        is_usable=pl.col("why").is_null(),
        rank=pl.col("why").replace_strict(ranks, default=None, return_dtype=pl.Int64),
    )
