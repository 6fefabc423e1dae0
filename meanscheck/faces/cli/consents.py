"""``meanscheck consents``: what people allowed, who must sign, and which decisions rest on it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from meanscheck.errors import InputError
from meanscheck.faces.cli.office import By, For, StorePath, office_at
from meanscheck.faces.cli.page import AsJson, in_words, print_json, say, table
from meanscheck.faces.cli.rules import day_of

if TYPE_CHECKING:
    import polars as pl

    from meanscheck.caseload.impact import Impact

app = typer.Typer(help="Consents: what people allowed, who must sign, what rests on it.", no_args_is_help=True)

On = Annotated[str | None, typer.Option("--on", help="Day that counts; today if left out.", metavar="DATE")]
Most = Annotated[int, typer.Option("--most", help="How many lines to show; 0 shows all.", min=0)]
WHY = {
    "missing": ("no consent", "没有授权书"),
    "withdrawn": ("withdrawn", "已撤回"),
    "expired": ("its end has come", "已到期"),
    "not_yet": ("its beginning has not come", "尚未生效"),
    "other_purpose": ("given for another purpose", "用途不符"),
    "feeds": ("not for all feeds asked for", "未覆盖全部查询项目"),
    "members_changed": ("members changed: sign again", "家庭成员变化，须重新签署"),
    "new_application": ("new application: sign again", "重新申请，须重新签署"),
    "minor_signed_self": ("14 to 17, signed for himself: look", "未成年人自行签署，须人工判断"),
    "guardian_not_named": ("the guardian is not named", "未写明监护人"),
    "guardian_not_known": ("the guardian is not in the application", "监护人不在申请材料中"),
    "guardian_of_adult": ("an adult signed for by another, no ground stated", "成年人由他人代签，未写明依据"),
    "guardian_age_unknown": ("not known whether the guardian is an adult", "监护人是否成年未知"),
    "no_form": ("neither form nor electronic signature", "无授权书扫描件摘要或电子签名"),
}
"""Reasons of `consents due` in English and Chinese."""


@app.command("list")
def list_(
    store: StorePath,
    case: Annotated[list[str] | None, typer.Option("--case", help="A case; may be repeated. All if left out.")] = None,
    on: On = None,
    most: Most = 50,
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """Consents of the people of live requests, and whether each may be used on a day."""
    from meanscheck.evidence import Store
    from meanscheck.evidence.due import consents_list

    office, day = office_at(store), _day(on)
    with Store.open(office.store, read_only=True) as opened:
        found = consents_list(opened, on=day, case_ids=case)
    office.shows("consents list", case or ["*"], by=by, why=why)
    if as_json:
        print_json(found.to_dicts())
        return
    page = table(
        "case!", "person", "consent!", "for", "feeds", "from!", "to!", "signed by", "may be used", "to look at"
    )
    for row in found.head(most or found.height).iter_rows(named=True):
        days = ("" if row[name] is None else row[name].isoformat() for name in ("from", "to"))
        signed = " ".join(filter(None, (row["signed_by"], row["signer_basis"])))
        use = "yes" if row["use"] == "usable" else WHY[row["use"]][0]
        flags = "; ".join(WHY[flag][0] for flag in row["flags"])
        page.add_row(row["case_id"], row["member"], row["consent_no"], row["purpose"], row["feeds"], *days, signed, use,
                     flags)  # fmt: skip
    say(page)
    _rest(found.height, most, "consents")


@app.command()
def due(
    store: StorePath,
    on: On = None,
    signatures: Annotated[
        bool, typer.Option("--signatures/--gaps-only", help="Also signatures that a person must look at.")
    ] = True,
    most: Most = 50,
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """Who must sign, or sign again, and whose signature must be looked at. Until then: no consent."""
    from meanscheck.evidence import Store
    from meanscheck.evidence.due import GAPS, consents_due

    office, day = office_at(store), _day(on)
    with Store.open(office.store, read_only=True) as opened:
        found = consents_due(opened, on=day)
    if not signatures:
        found = found.filter(found["why"].is_in(GAPS))
    office.shows("consents due", sorted(set(found["case_id"])) or ["*"], by=by, why=why)
    if as_json:
        print_json(found.to_dicts())
        return
    page = table("case!", "person", "role", "why", "", "consent!")
    for row in found.head(most or found.height).iter_rows(named=True):
        page.add_row(row["case_id"], row["member"], row["role"], *WHY[row["why"]], row["consent_no"] or "")
    say(page)
    _counts(found)
    _rest(found.height, most, "lines")


@app.command()
def impact(
    store: StorePath,
    person: Annotated[str, typer.Argument(help="A person's token, or CASE/MEMBER.", metavar="PERSON")],
    on: Annotated[
        str | None, typer.Option("--on", help="Day of the withdrawal; today if left out.", metavar="DATE")
    ] = None,
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """Live decisions that rest on a person's consents, and what they would turn to without. Changes nothing."""
    from meanscheck.caseload.impact import consents_impact, person_named
    from meanscheck.evidence import Store

    office, day = office_at(store), _day(on)
    with Store.open(office.store) as opened:
        found = consents_impact(opened, office.open_vault(), person_named(opened, person), on=day)
    office.shows("consents impact", [one.case_id for one in found] or [person], by=by, why=why)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    if not found:
        say("no live decision rests on a consent of that person")
    for one in found:
        _show(one, day)


def _show(one: Impact, day: date) -> None:
    entry = "not sealed" if one.index is None else f"entry {one.index} of the log"
    say(f"{one.case_id}, {entry}, decided as of {one.decided_on}; token {one.token}")
    say(f"  read of the person then: {', '.join(one.feeds) or 'not known'}")
    gone = f"; withdrawn: {', '.join(one.withdrawn)}" if one.withdrawn else "; none is withdrawn by now"
    say(f"  under consents: {', '.join(one.consents) or 'none live'}{gone}")
    if one.note:
        say(f"  what it would turn to is not known: {one.note}")
        return
    page = table("programme!", "person", "decided", "yuan>", f"without, on {day}", "yuan>", "because")
    for c in one.changes:
        page.add_row(c.programme, c.member or "", c.outcome or "", _yuan(c.award_fen), c.turns_to or "",
                     _yuan(c.award_would_be_fen), in_words(c.causes))  # fmt: skip
    say(page)


@app.command()
def rule(
    store: StorePath,
    source: Annotated[str | None, typer.Option("--source", help="Text and article that says so.")] = None,
    on: Annotated[str | None, typer.Option("--from", help="First day of application it holds for.")] = None,
    members: Annotated[bool, typer.Option("--members/--no-members", help="Sign again when members change.")] = True,
    application: Annotated[
        bool, typer.Option("--application/--no-application", help="Sign again on a new application.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """When consents must be signed again here: shows the rule, or states another one with --source and --from."""
    from meanscheck.evidence import Store
    from meanscheck.evidence.resigning import rule_on, set_rule

    office = office_at(store)
    if (source is None) != (on is None):
        raise InputError("the two go together", where="--source, --from", remedy="Give both, or neither to see it")
    with Store.open(office.store, read_only=source is None) as opened:
        if source is not None and on is not None:
            set_rule(
                opened, on_members=members, on_application=application, in_force_on=day_of(on, "--from"), source=source
            )
        day = date.today() if on is None else day_of(on, "--from")
        found = rule_on(opened, day)
    if as_json:
        print_json({"on": day, "members": found[0], "application": found[1], "source": found[2]})
        return
    words = [what for what, is_so in zip(("members change", "a new application"), found[:2], strict=True) if is_so]
    say(f"sign again on: {' · '.join(words) or 'nothing'}\nsource: {found[2]}")


def _day(text: str | None) -> date:
    return date.today() if text is None else day_of(text, "--on")


def _yuan(fen: int | None) -> str:
    from meanscheck.values.money import format_yuan

    return "" if fen is None else format_yuan(fen)


def _counts(found: pl.DataFrame) -> None:
    counts: dict[str, int] = dict(found.group_by("why").len().iter_rows())
    if counts:
        say("; ".join(f"{WHY[why][0]}: {n:,}" for why, n in sorted(counts.items(), key=lambda one: (-one[1], one[0]))))


def _rest(height: int, most: int, what: str) -> None:
    rest = height - most if most else 0
    say(f"{height:,} {what}" + (f", {rest:,} of them not shown: --most 0" if rest > 0 else ""))
