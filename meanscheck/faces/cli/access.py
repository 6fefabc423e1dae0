"""``meanscheck access list``: who read which household, for what and when. Exit 1 if the journal's chain is broken."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from meanscheck.faces.cli.office import By, StorePath, office_at
from meanscheck.faces.cli.page import AsJson, complain, print_json, say, table

app = typer.Typer(help="The journal of who read which household.", no_args_is_help=True)


@app.command("list")
def list_(
    store: StorePath,
    household: Annotated[
        str | None, typer.Option("--household", help="One case or token; whole-caseload readings are shown too.")
    ] = None,
    officer: Annotated[str | None, typer.Option("--officer", help="One officer only.")] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Readings in the order they happened; the last hash, to be kept elsewhere, shows what is cut off later."""
    from meanscheck.vault.access import read

    office = office_at(store)
    journal = read(office.access)
    found = [
        entry
        for entry in journal.entries
        if (household is None or household in entry.cases or "*" in entry.cases) and officer in (None, entry.by)
    ]
    office.shows("access list", [household or "*"], by=by, why=None)
    if as_json:
        entries = [asdict(entry) for entry in found]
        print_json({"entries": entries, "head": journal.head, "breaks": list(journal.breaks)})
    else:
        page = table("no>", "at!", "officer", "command!", "for", "households")
        for entry in found:
            who = entry.by if entry.known != "system" else f"{entry.by} (account)"
            cases = f"{len(entry.cases)} cases" if len(entry.cases) > 8 else " ".join(entry.cases)
            cases = "all" if entry.cases == ("*",) else cases
            page.add_row(str(entry.n), entry.at, who, entry.command, entry.purpose, cases)
        say(page if found else "nobody has read that")
        say(f"{len(found):,} of {len(journal.entries):,} readings; last hash {journal.head}")
    if journal.breaks:
        places = ", ".join(map(str, journal.breaks))
        complain(f"meanscheck: {office.access.name}: the chain is broken at line {places}; ask who changed the file")
        raise typer.Exit(1)
