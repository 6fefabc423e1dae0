"""``meanscheck requests``: check requests (核对委托) made, sent out, and followed until they are answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from meanscheck.errors import InputError
from meanscheck.faces.cli.office import By, For, StorePath, office_at
from meanscheck.faces.cli.page import AsJson, painted, print_json, say, table
from meanscheck.faces.cli.rules import day_of

if TYPE_CHECKING:
    import polars as pl

    from meanscheck.commissions import Made
    from meanscheck.evidence import FeedAsk
    from meanscheck.law import Law
    from meanscheck.procedure import Calendar
    from meanscheck.procedure.checking import Limit

app = typer.Typer(help="Check requests: made, sent out, and followed until answered.", no_args_is_help=True)

PackFolder = Annotated[Path, typer.Option("--pack", help="Folder of the rules that count.", metavar="PACK")]
On = Annotated[str | None, typer.Option("--on", help="The day; today if left out.", metavar="DATE")]
Feeds = Annotated[
    list[str] | None,
    typer.Option("--feed", help="A feed, may be repeated; all if left out.", metavar="FEED"),
]
CalendarFile = Annotated[Path | None, typer.Option("--calendar", help="Table of working days, *.toml.", metavar="FILE")]
Within = Annotated[
    int | None,
    typer.Option("--within", help="The office's own limit for answers in working days, where the law has none.", min=0),
]
REASONS = {
    "ask": ("asked", "可查询"),
    "answered": ("answered already", "已有有效答复"),
    "other_person": ("another person", "非本次查询对象"),
    "own": ("the office's own", "本单位自有信息"),
    "not_needed": ("no rule reads it", "现行规则不需要"),
    "no_consent": ("no consent covers it", "无有效授权"),
}
STATES = {
    "not_sent": ("not sent", "未发出"),
    "waiting": ("waiting", "等待答复"),
    "partial": ("in part", "部分答复"),
    "answered": ("answered", "已答复"),
}
DUE = {"no_limit": "no limit set", "no_calendar": "working days not known", "not_sent": "", "known": ""}


@app.command("make")
def make(
    store: StorePath,
    case: Annotated[str, typer.Argument(help="A case.", metavar="CASE")],
    number: Annotated[str, typer.Option("--number", help="A request number not used before.", metavar="NO")],
    feed: Annotated[
        list[str] | None,
        typer.Option(
            "--feed",
            help="A feed with its institutions and divisions; may be repeated. All that the law needs if left out.",
            metavar="FEED[:INST,…][@DIVISION,…]",
        ),
    ] = None,
    member: Annotated[
        str | None,
        typer.Option("--member", help="Ask about this one member, and only what is missing.", metavar="ID"),
    ] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Ask only what is not answered or stale.")] = False,
    application: Annotated[
        Path | None,
        typer.Option("--application", help="The household as it is now: one request as JSON.", metavar="FILE"),
    ] = None,
    purpose: Annotated[str | None, typer.Option("--purpose", help="Purpose, if another than before.")] = None,
    reference_day: Annotated[
        str | None, typer.Option("--reference-day", help="Day on which balances count (核对基准日).", metavar="DATE")
    ] = None,
    pack: PackFolder = Path("rules/cn"),
    on: On = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show who may be asked what.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a request: who of a household may be asked in which feed, under consent and law, and who not and why."""
    from meanscheck.commissions import application_of, take_in
    from meanscheck.commissions import make as made_of
    from meanscheck.evidence import Store
    from meanscheck.law import RulePack
    from meanscheck.procedure.checking import CheckRules

    office = office_at(store)
    day = _day(on)
    law = RulePack.load(pack).on(day)
    with Store.open(office.store, read_only=dry_run) as opened:
        made = made_of(
            opened,
            case,
            request_no=number,
            on=day,
            law=law,
            rules=CheckRules.load(pack),
            application=None if application is None else application_of(application),
            purpose=purpose,
            feeds=_asks(feed) if feed else None,
            reference_day=None if reference_day is None else day_of(reference_day, "--reference-day"),
            member=member,
            only_missing=missing,
        )
        if not dry_run:
            take_in(opened, made)
    if as_json:
        asks = made.asks.select("id", "role", "feed", "reason", "consent_no")
        print_json(
            {
                "request": number,
                "case": case,
                "on": day,
                "taken_in": not dry_run,
                "purpose": made.request.purpose,
                "feeds": [ask.feed for ask in made.request.feeds],
                "left_out": list(made.without),
                "authorised_under": list(made.cite),
                "asks": asks.to_dicts(),
            }
        )
        return
    _show_made(made, law)
    say(f"{'not taken in (--dry-run)' if dry_run else 'taken in'}: request {number}, purpose {made.request.purpose}")
    if not dry_run:
        say(f"\nNext: meanscheck requests export {office.store} --request {number} --out DIR")


def _show_made(made: Made, law: Law) -> None:
    """A line a person and reason, with the feeds."""
    from meanscheck.contracts import all_feeds
    from meanscheck.decisions.explain import citation_text

    titles = {name: contract.title_zh for name, contract in all_feeds().items()}
    page = table("persons", "role!", "", "", "feeds")
    page.title = f"Who may be asked on {made.on} for {made.request.purpose}"
    by_person = made.asks.group_by("position", "id", "role", "reason", maintain_order=True).agg("feed")
    groups = by_person.group_by("role", "reason", "feed", maintain_order=True).agg("id")
    for reason, (en, zh) in REASONS.items():
        for row in groups.filter(groups["reason"] == reason).iter_rows(named=True):
            style = {"ask": "green", "no_consent": "red"}.get(reason, "")
            feeds = "、".join(titles[f].removesuffix("信息") for f in row["feed"])
            page.add_row(", ".join(row["id"]), row["role"], painted(en, style), zh, feeds)
    say(page)
    if made.without:
        say(f"left out, since nobody may be asked: {', '.join(made.without)}")
    if made.cite:
        say("authorisation under " + "; ".join(citation_text(c, law, "zh") for c in made.cite))


@app.command("export")
def export(
    store: StorePath,
    out: Annotated[Path, typer.Option("--out", help="A folder; each letter gets one of its own in it.", metavar="DIR")],
    request: Annotated[
        list[str] | None, typer.Option("--request", help="A request, may be repeated; all live ones if left out.")
    ] = None,
    feed: Feeds = None,
    sender: Annotated[
        str | None, typer.Option("--sender", help="One sender or institution only, such as tax or ICBC.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also what was sent before.")] = False,
    form: Annotated[Literal["both", "csv", "xlsx"], typer.Option("--format", help="Of the list of persons.")] = "both",
    pack: PackFolder = Path("rules/cn"),
    calendar: CalendarFile = None,
    within: Within = None,
    on: On = None,
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """Write the files that departments receive: list, form of the answer, manifest to fill in, and a note.

    Only persons whose consent covers the feed on that day stand in a list. The lists hold personal data.
    """
    from dataclasses import asdict

    from meanscheck.commissions import export as export_letters
    from meanscheck.evidence import Store
    from meanscheck.law import RulePack
    from meanscheck.procedure.checking import CheckRules

    day = _day(on)
    office = office_at(store)
    office.shows("requests export", ["*"], by=by, why=why)
    with Store.open(office.store) as opened:
        letters = export_letters(
            opened,
            out,
            on=day,
            law=RulePack.load(pack).on(day),
            rules=CheckRules.load(pack),
            requests=request or (),
            feeds=feed or (),
            sender=sender or "",
            again=again,
            form=form,
            calendar=_calendar(calendar),
            limit=_limit(within),
        )
    if as_json:
        print_json([asdict(letter) for letter in letters])
        return
    page = table("folder", "to", "requests>", "persons>", "due!", "digest!")
    for letter in letters:
        due = "" if letter.due_on is None else letter.due_on.isoformat()
        page.add_row(
            letter.folder, letter.recipient, f"{letter.requests:,}", f"{letter.persons:,}", due, letter.digest[:16]
        )
    if letters:
        say(page)
    say(
        f"{len(letters)} letters written in {out}" if letters else "nothing to send: all was sent before, or no consent"
    )


@app.command("status")
def status(
    store: StorePath,
    request: Annotated[
        str | None, typer.Option("--request", help="One request, bank by bank, with its freshness.", metavar="NO")
    ] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is overdue.")] = False,
    open_only: Annotated[bool, typer.Option("--open", help="Only what is not answered in full.")] = False,
    most: Annotated[int, typer.Option("--most", help="How many lines to show; 0 shows all.", min=0)] = 60,
    pack: PackFolder = Path("rules/cn"),
    calendar: CalendarFile = None,
    within: Within = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """What is out, what came back, for whom not, how late, and what is too old; bank by bank."""
    import polars as pl

    from meanscheck.commissions import stale_answers, tracking, validity
    from meanscheck.evidence import Store
    from meanscheck.law import RulePack
    from meanscheck.procedure.checking import CheckRules

    day = _day(on)
    days = _calendar(calendar)
    if overdue and days is None:
        raise InputError(
            "what is overdue is not known without a table of working days", where="--overdue", remedy="Give --calendar"
        )
    law = RulePack.load(pack).on(day)
    with Store.open(office_at(store).store, read_only=True) as opened:
        if request is not None and not opened.value("select count(*) from requests where request_no = ?", [request]):
            raise InputError("the store does not know that request", where="--request", remedy="Look at its number")
        frame = tracking(opened, on=day, rules=CheckRules.load(pack), calendar=days, limit=_limit(within))
        cases = None
        if request is not None:
            frame = frame.filter(pl.col("request_no") == request)
            cases = opened.fetch("select case_id from requests where request_no = ?", [request])["case_id"].to_list()
        stale = stale_answers(opened, law, on=day, cases=cases)
        holds = validity(opened, law)
    if cases is not None:
        holds = holds.filter(pl.col("case_id").is_in(cases))
    if overdue:
        frame = frame.filter(pl.col("overdue_days") > 0)
    if open_only:
        frame = frame.filter(pl.col("state") != "answered")
    if as_json:
        print_json(
            {
                "on": day,
                "working_days": "not known" if days is None else "known",
                "needs": frame.to_dicts(),
                "stale": stale.to_dicts(),
                "reports": holds.to_dicts(),
            }
        )
        return
    if request is None and not overdue and not open_only:
        _show_summary(frame)
    else:
        _show_needs(frame, most)
    _show_age(stale, holds, day, is_one=request is not None)
    if days is None:
        say("working days are not known: --calendar FILE shows what is due and overdue")


def _show_summary(frame: pl.DataFrame) -> None:
    """By feed, institution and division: how many requests stand where."""
    import polars as pl

    page = table(
        "feed", "institution", "division", *(f"{en} {zh}>" for en, zh in STATES.values()), "overdue>", "left out>"
    )
    key = ["feed", "institution", "division"]
    groups = frame.group_by(key, maintain_order=True).agg(
        *((pl.col("state") == state).sum().alias(state) for state in STATES),
        overdue=(pl.col("overdue_days") > 0).sum(),
        known=pl.col("overdue_days").is_not_null().any(),
        silent=(pl.col("not_answered").list.len() + pl.col("quarantined").list.len()).sum(),
    )
    for row in groups.sort(key, nulls_last=False).iter_rows(named=True):
        counts = [f"{row[state]:,}" if row[state] else "·" for state in STATES]
        late = "" if not row["known"] else painted(f"{row['overdue']:,}", "red") if row["overdue"] else "·"
        silent = f"{row['silent']:,}" if row["silent"] else "·"
        page.add_row(row["feed"], row["institution"] or "", row["division"] or "", *counts, late, silent)
    page.title = (
        f"{frame['request_no'].n_unique():,} open requests, by whom is asked (numbers of requests; left out: persons)"
    )
    say(page)


def _show_needs(frame: pl.DataFrame, most: int) -> None:
    page = table(
        "request!", "feed", "institution", "division", "state!", "", "sent!", "due!", "answered!", "who not", "late>"
    )
    for row in frame.head(most or frame.height).iter_rows(named=True):
        en, zh = STATES[row["state"]]
        if row["state"] == "partial":
            en = f"{en} {row['answered']}/{row['persons']}"
        who = [", ".join(row["not_answered"])] if row["not_answered"] else []
        who += [f"{', '.join(row['quarantined'])} unreadable"] if row["quarantined"] else []
        due = DUE[row["due"]] if row["due_on"] is None else row["due_on"].isoformat()
        late = "" if not row["overdue_days"] else painted(f"{row['overdue_days']} wd", "red")
        page.add_row(
            row["request_no"],
            row["feed"],
            row["institution"] or "",
            row["division"] or "",
            en,
            zh,
            "" if row["exported_on"] is None else row["exported_on"].isoformat(),
            due,
            "" if row["answered_on"] is None else row["answered_on"].isoformat(),
            "; ".join(who),
            late,
        )
    say(page)
    rest = frame.height - most if most else 0
    if rest > 0:
        say(f"{rest:,} more lines: --most 0")


def _show_age(stale: pl.DataFrame, holds: pl.DataFrame, day: date, *, is_one: bool) -> None:
    """What is too old: as decided on, and for a check as of the day."""
    import polars as pl

    used = stale.filter(pl.col("is_stale"))
    again = stale.filter(~pl.col("is_stale"))
    over = holds.filter(pl.col("valid_until") < day).height
    for frame, words in (
        (used, "stale on the request's own reference day (已过期)"),
        (again, f"stale if used on {day}"),
    ):
        if frame.height:
            feeds = Counter(frame["feed"].to_list())
            shown = ", ".join(f"{feed} {n}" for feed, n in sorted(feeds.items(), key=lambda x: (-x[1], x[0]))[:8])
            say(f"{words}: {frame.height:,} answers ({shown})")
    if is_one:
        for until in holds["valid_until"]:
            word = "not bounded" if until is None else f"holds until {until}" + (" (over)" if until < day else "")
            say(f"verification report (核对报告): {word}")
    elif over:
        say(f"{over:,} of {holds.height:,} verification reports no longer hold on {day}")


def _asks(texts: Sequence[str]) -> dict[str, FeedAsk]:
    from meanscheck.evidence import FeedAsk

    found: dict[str, FeedAsk] = {}
    for text in texts:
        head, _, divisions = text.partition("@")
        feed, _, institutions = head.partition(":")
        found[feed] = FeedAsk(
            feed=feed or "?",
            institutions=tuple(filter(None, institutions.split(","))) or None,
            divisions=tuple(filter(None, divisions.split(","))) or None,
        )
    return found


def _day(on: str | None) -> date:
    return day_of(on, "--on") if on else date.today()


def _calendar(path: Path | None) -> Calendar | None:
    from meanscheck.procedure import Calendar

    return None if path is None else Calendar.load(path)


def _limit(within: int | None) -> Limit | None:
    from meanscheck.procedure.checking import Limit

    return None if within is None else Limit(working_days=within, cite=[])
