"""``meanscheck step`` and ``steps``: what the office did on a decision, as entries of the log, and what is due."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meanscheck.errors import InputError
from meanscheck.faces.cli.casework import signing_ledger
from meanscheck.faces.cli.office import By, For, Office, StorePath, office_at
from meanscheck.faces.cli.page import AsJson, painted, print_json, say, table
from meanscheck.faces.cli.rules import day_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meanscheck.procedure import Body, Course, Deadline, Procedure, Procedures, Recorded

Case = Annotated[str, typer.Argument(help="A case.", metavar="CASE")]
Pack = Annotated[Path, typer.Option("--pack", help="Folder whose procedure.toml counts.", metavar="PACK")]
PACK = Path("rules/cn")
MEMBERS = ("officers", "reason", "citation", "relation", "point", "verdict", "note", "amount_fen")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("step")(step)
    app.command("steps")(steps)


def step(
    store: StorePath,
    case: Case,
    name: Annotated[str, typer.Argument(help="Kind of step, such as acceptance or confirmation.", metavar="STEP")],
    by: Annotated[str, typer.Option("--by", help="Code of the organisation that acts.", metavar="CODE")],
    on: Annotated[str | None, typer.Option("--on", help="Day of the step; today if left out.", metavar="DATE")] = None,
    programme: Annotated[
        str | None, typer.Option("--programme", help="Programme; needed for the first step.", metavar="PROGRAMME")
    ] = None,
    body: Annotated[
        str | None,
        typer.Option("--body", help=f"JSON file with {', '.join(MEMBERS)}; - reads standard input.", metavar="FILE"),
    ] = None,
    pack: Pack = PACK,
    as_json: AsJson = False,
) -> None:
    """Enter a step of the office on a case's last decision. Names and reasons stay in the office, bound by the log."""
    from meanscheck.procedure import Book, Procedures, chain_of, record

    office = office_at(store)
    ledger, book, index = signing_ledger(office), Book(office.steps), _decision(office, case)
    day = day_of(on, "--on") if on else date.today()
    chain = chain_of(ledger, book, index)
    procedure = _procedure(Procedures.load(pack), chain, programme, day)
    said = _body(procedure.id, body)
    entered = record(ledger, book, index, step=name, on=day, by=by, body=said, procedure=procedure)
    if as_json:
        print_json({"case": case, "decision": index, "step": name, "on": day, "by": by, "index": entered})
        return
    rule = procedure.rule(name)
    say(f"entered: {rule.en} ({rule.zh}), {day}, as entry {entered} of the log, on the decision of entry {index}")
    say(f"\nNext: meanscheck steps {office.store} {case}")


def steps(
    store: StorePath,
    case: Case,
    calendar: Annotated[
        Path | None, typer.Option("--calendar", help="Table of working days, *.toml: shows the clocks.", metavar="FILE")
    ] = None,
    special: Annotated[bool, typer.Option("--special", help="A special case: the longer clock.")] = False,
    town_decides: Annotated[
        bool, typer.Option("--town-decides", help="The decision is delegated to the town.")
    ] = False,
    refused: Annotated[bool, typer.Option("--refused", help="The case was refused: the clock of the notice.")] = False,
    pack: Pack = PACK,
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """What the office did on a case's last decision, from the log, and what is due. Exit 1 if the chain is broken."""
    from meanscheck.procedure import Book, Calendar, Procedures, chain_of, course

    office = office_at(store)
    ledger, index = office.open_ledger(), _decision(office, case)
    office.shows("steps", [case], by=by, why=why)
    chain = chain_of(ledger, Book(office.steps), index)
    law = Procedures.load(pack)
    days = None if calendar is None else Calendar.load(calendar)
    conditions = [
        word for word, on in (("special", special), ("town_decides", town_decides), ("refused", refused)) if on
    ]
    shown: list[tuple[Course, list[str], list[Deadline]]] = []
    for name in dict.fromkeys(recorded.body.procedure for recorded in chain if recorded.body is not None):
        procedure = law.named(name)
        found = course(chain, procedure)
        possible = [rule.id for rule in procedure.step if found.allowed(rule.id)]
        shown.append((found, possible, found.deadlines(days, conditions=conditions) if days else []))
    if as_json:
        print_json(
            {
                "case": case,
                "decision": index,
                "steps": [_step_json(recorded) for recorded in chain],
                "procedures": [
                    {
                        "procedure": found.procedure.id,
                        "due": list(found.due),
                        "by_decider": [
                            {"step": f.step, "because": f.cause, "taken_by": list(f.taken_by)} for f in found.forced
                        ],
                        "possible": possible,
                        "clocks": [_clock_json(deadline) for deadline in deadlines],
                    }
                    for found, possible, deadlines in shown
                ],
            }
        )
        return
    _show(case, index, chain, law)
    for found, possible, deadlines in shown:
        say(f"{found.procedure.title_zh} ({found.procedure.id}): next may come {', '.join(possible) or 'nothing'}")
        if found.due:
            say(f"  due before the decision: {', '.join(found.due)}")
        for forced in found.forced:
            so_far = ", ".join(forced.taken_by) or "nobody yet"
            say(f"  {forced.cause} asks for a {forced.step} by the organisation that decides; made by {so_far}")
        _show_clocks(deadlines)
    if chain and days is None:
        say("Clocks are shown with --calendar: working days come from a table that the office keeps")


def _decision(office: Office, case: str) -> int:
    index = office.latest(case).index
    if index is None:
        raise InputError(
            "decided but not sealed", where=office.store.name, remedy="Run `meanscheck assess` without --no-seal"
        )
    return index


def _procedure(law: Procedures, chain: Sequence[Recorded], programme: str | None, day: date) -> Procedure:
    """The procedure that the case has begun, or that the programme has on the day of its first step."""
    begun = [law.named(name) for name in dict.fromkeys(r.body.procedure for r in chain if r.body is not None)]
    wanted = [procedure for procedure in begun if programme in (None, procedure.programme)]
    if len(wanted) == 1:
        return wanted[0]
    if programme is None:
        known = ", ".join(sorted({procedure.programme for procedure in law.all}))
        raise InputError("needed for the first step", where="--programme", remedy=f"Use one of {known}")
    return law.of(programme, day)


def _body(procedure: str, source: str | None) -> Body:
    """What is said of the step. From a file, since arguments are seen by everybody who lists processes."""
    from meanscheck.procedure import Body

    if source is None:
        return Body(procedure)
    place = "--body"
    try:
        members: Any = json.loads(sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8"))
    except ValueError:
        raise InputError("not JSON in UTF-8", where=place) from None
    if not isinstance(members, dict) or not members.keys() <= set(MEMBERS):
        raise InputError("other members than it may have", where=place, remedy=f"Use {', '.join(MEMBERS)}")
    officers, amount = members.pop("officers", []), members.pop("amount_fen", None)
    if not isinstance(officers, list) or not all(isinstance(text, str) for text in (*officers, *members.values())):
        raise InputError("officers must be a list of texts, and the others texts", where=place)
    if amount is not None and type(amount) is not int:
        raise InputError("amount_fen must be a whole number", where=place)
    return Body(procedure, officers=tuple(officers), amount_fen=amount, **members)


def _step_json(recorded: Recorded) -> dict[str, Any]:
    entry, body = recorded.entry, recorded.body
    said = None if body is None else {name: getattr(body, name) for name in ("procedure", *MEMBERS)}
    return {"index": recorded.index, "step": entry.step, "on": entry.on, "by": entry.by, "body": said}


def _clock_json(deadline: Deadline) -> dict[str, Any]:
    return {
        "clock": deadline.clock.id,
        "since": deadline.since,
        "until": deadline.until,
        "met_on": deadline.met_on,
        "kept": deadline.is_kept,
        "cite": list(deadline.clock.cite),
    }


def _show(case: str, index: int, chain: Sequence[Recorded], law: Procedures) -> None:
    page = table("entry>", "step!", "", "day!", "organisation!", "what was said")
    page.title = f"Steps on the decision of {case}, entry {index} of the log"
    for recorded in chain:
        entry, body = recorded.entry, recorded.body
        rule = None if body is None else law.named(body.procedure).rule(entry.step)
        said = "not in the office's book" if body is None else " · ".join(text for text in body.said().values() if text)
        page.add_row(
            str(recorded.index), entry.step, "" if rule is None else rule.zh, entry.on.isoformat(), entry.by, said
        )
    say(page if chain else f"no step was entered on the decision of {case}, entry {index} of the log")


def _show_clocks(deadlines: Sequence[Deadline]) -> None:
    if not deadlines:
        return
    page = table("clock!", "", "since!", "until!", "met!", "", "by")
    words = {True: painted("kept", "green"), False: painted("late", "red"), None: painted("runs", "cyan")}
    for deadline in deadlines:
        met = "" if deadline.met_on is None else deadline.met_on.isoformat()
        days = deadline.since.isoformat(), deadline.until.isoformat(), met
        page.add_row(
            deadline.clock.en, deadline.clock.zh, *days, words[deadline.is_kept], ", ".join(deadline.clock.cite)
        )
    say(page)
