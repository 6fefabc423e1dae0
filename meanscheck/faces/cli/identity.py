"""``meanscheck identity``: which numbers are one person's, and who may be one."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from meanscheck.faces.cli.office import By, For, StorePath, office_at
from meanscheck.faces.cli.page import AsJson, print_json, say, table
from meanscheck.faces.cli.rules import day_of

app = typer.Typer(help="Persons under several numbers: links, and who may be one person.", no_args_is_help=True)
ALIKE = {
    "name_birthday_sex": ("same name, birthday and sex", "姓名、出生日期、性别相同"),
    "register_line": ("same line of the household register", "户籍登记同一行"),
    "near_number": ("numbers that differ in one digit of the order", "证件号码顺序码仅一位不同"),
}


@app.command()
def suspects(
    store: StorePath,
    on: Annotated[str | None, typer.Option("--on", help="Day that counts; today if left out.", metavar="DATE")] = None,
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """Persons who may be one under two numbers, for a person to decide. A link joins them; nothing else does."""
    from meanscheck.evidence import Store
    from meanscheck.evidence.suspects import suspects as found_in

    office, day = office_at(store), date.today() if on is None else day_of(on, "--on")
    with Store.open(office.store, read_only=True) as opened:
        found = found_in(opened, on=day)
    cases = sorted({*found["case_a"], *found["case_b"]})
    office.shows("identity suspects", cases or ["*"], by=by, why=why)
    if as_json:
        print_json(found.to_dicts())
        return
    page = table("case!", "person", "case!", "person", "alike", "")
    for row in found.iter_rows(named=True):
        page.add_row(row["case_a"], row["member_a"], row["case_b"], row["member_b"], *ALIKE[row["why"]])
    say(page if found.height else "nobody is like another")
    say("\nIf two are one: write a line into identity_links.jsonl with its source, and `meanscheck ingest` it")


@app.command()
def links(store: StorePath, by: By = None, why: For = None, as_json: AsJson = False) -> None:
    """Links that hold: their numbers, reason, source and day. Never the identity numbers."""
    from meanscheck.evidence import Store

    office = office_at(store)
    with Store.open(office.store, read_only=True) as opened:
        found = opened.fetch(
            'select link_no, reason, source, "on", ended_on from identity_links where superseded_by is null order by 1'
        )
    office.shows("identity links", ["*"], by=by, why=why)
    if as_json:
        print_json(found.to_dicts())
        return
    page = table("link!", "reason", "source", "from!", "ended!")
    for row in found.iter_rows(named=True):
        ended = "" if row["ended_on"] is None else row["ended_on"].isoformat()
        page.add_row(row["link_no"], row["reason"], row["source"], row["on"].isoformat(), ended)
    say(page if found.height else "no links")
