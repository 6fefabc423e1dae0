"""``meanscheck erase``: destroy the key of a household's records, or restrict their use while they must be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meanscheck.errors import Erased, InputError, StoreError
from meanscheck.faces.cli.office import Office, office_at
from meanscheck.faces.cli.page import AsJson, print_json, say
from meanscheck.faces.cli.rules import day_of

if TYPE_CHECKING:
    from meanscheck.vault import Erasure, Retention, Safe
    from meanscheck.vault.erasure import Append


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("erase")(erase)


def erase(
    case: Annotated[str, typer.Argument(help="A case, or a household's token.", metavar="CASE")],
    store: Annotated[Path, typer.Option("--store", help="The evidence store, *.duckdb.", metavar="STORE")],
    basis: Annotated[
        str, typer.Option("--basis", help="Legal basis: pipl-47-1 to pipl-47-5, 个人信息保护法 art. 47 (1) to (5).")
    ],
    on: Annotated[
        str | None, typer.Option("--on", help="Day of the erasure; today if left out.", metavar="DATE")
    ] = None,
    stopped: Annotated[
        str | None, typer.Option("--stopped", help="Day from which no relief is paid any more.", metavar="DATE")
    ] = None,
    never_paid: Annotated[bool, typer.Option("--never-paid", help="State that no relief was ever paid.")] = False,
    restrict: Annotated[
        bool, typer.Option("--restrict", help="While the records must be kept, restrict their use instead.")
    ] = False,
    compact: Annotated[
        bool, typer.Option("--compact", help="Also drop the sealed bytes that nothing opens any more.")
    ] = False,
    pack: Annotated[str, typer.Option("--pack", help="Pack that says how long.", metavar="PACK")] = "rules/cn",
    as_json: AsJson = False,
) -> None:
    """Erase a household: nobody can open its records again; every proof still holds. Exit 1 while they must be kept."""
    from meanscheck.evidence import Store
    from meanscheck.evidence.rewriting import rewrite
    from meanscheck.vault import erasure

    office, day = office_at(store), day_of(on, "--on") if on else date.today()
    if stopped is not None and never_paid:
        raise InputError("both say what the other denies", where="--stopped, --never-paid", remedy="Give one")
    last_paid = None if stopped is None else day_of(stopped, "--stopped")
    safe, append, retention = office.open_vault(), appending(office), retention_of(pack, day)
    with Store.open(office.store) as opened:
        key = opened.key

        def forget(token: str) -> None:
            opened.erase_subject(token, on=day)

        erasure.finish(safe, append=append, forget=forget)
        done = [
            erasure.erase(
                safe,
                token,
                basis=basis,
                on=day,
                append=append,
                forget=forget,
                retention=retention,
                relief_stopped_on=last_paid,
                never_paid=never_paid,
                or_restrict=restrict,
            )
            for token in tokens_of(safe, case)
        ]
    if any(one.state == "erased" for one in done):
        # Only a file made anew holds nothing of what was deleted from it.
        rewrite(office.store, key=key, new_key=key)
    dropped = erasure.compact(safe) if compact else 0
    if as_json:
        print_json([{**asdict(one), "basis": basis, "on": day} for one in done])
        return
    for one in done:
        show(one, office)
    if compact:
        say(f"compacted: sealed bytes dropped in {dropped} places")


def tokens_of(safe: Safe, case: str) -> list[str]:
    """The household's tokens; Erased if there is none any more, StoreError if there never was one."""
    tokens = safe.keys.tokens_of(case)
    if not tokens and (case in safe.keys.erased or safe.keys.was_erased(case)):
        raise Erased("the records of that case were erased before")
    if not tokens and len(case) == 32 and safe.keys.give([case]) != [None]:
        tokens = [case]
    if not tokens:
        raise StoreError("the vault has no record of that case")
    return tokens


def retention_of(pack: str, on: date) -> Retention:
    """The retention periods that a pack states for a day; InputError if it states none."""
    from meanscheck.law import RulePack
    from meanscheck.vault import Retention

    parameters = RulePack.load(pack).on(on).parameters
    months = [parameters[name].get() if name in parameters else None for name in PERIODS]
    if any(type(n) is not int for n in months):
        raise InputError("does not state retention.approval and retention.management", where=pack)
    approval, management = (n for n in months if isinstance(n, int))
    return Retention(approval, management)


PERIODS = ("retention.approval", "retention.management")


def appending(office: Office) -> Append:
    """What puts an erasure entry into the office's log and publishes it."""
    from meanscheck.faces.cli.casework import signing_ledger
    from meanscheck.ledger import entries

    ledger = signing_ledger(office)

    def append(entry: Mapping[str, str]) -> None:
        ledger.add([entries.Erasure(entry["s"], entry["basis"], date.fromisoformat(entry["on"]))])

    return append


def show(one: Erasure, office: Office) -> None:
    """What is gone and what stays."""
    batches = f"{len(one.batches)} batch" + ("es" if len(one.batches) != 1 else "")
    if one.state == "restricted":
        until = "an unknown day: it is not known when relief stopped" if one.until is None else one.until
        say(f"restricted: records in {batches} are kept until {until}; only an audit may read them")
        return
    say(f"erased: the key of token {one.token}; its records in {batches} open for nobody")
    say(f"stated in the log, {office.ledger}; the registry has forgotten whom the token stood for")
    say("what stays: every proof of the log · receipts that people hold, which still verify")
    say(f"the evidence is gone from {office.store.name}, whose file was made anew")
    say("not done by this: departments' files in the inbox, and what is kept of the office's steps")
    say(f"complete when the last backup of {office.vault.stem}.household-keys from before today is gone")
