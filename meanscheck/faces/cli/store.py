"""``meanscheck encrypt``, ``snapshots``, ``pseudonyms``, ``file``: a store as a whole, and all of a household."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from meanscheck.errors import InputError
from meanscheck.faces.cli.office import By, For, StorePath, office_at
from meanscheck.faces.cli.page import AsJson, print_json, say, table


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("encrypt")(encrypt)
    app.command("snapshots")(snapshots)
    app.command("pseudonyms")(pseudonyms)
    app.command("file")(household_file)


def encrypt(
    store: StorePath,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="The store is encrypted already: change its key. Keep the old one.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Encrypt a store that lies in the clear, or change its key.

    The key is that of MEANSCHECK_STORE_KEY, or a new file in keys/ beside the store that its owner alone may read. With
    --new-key the old file is renamed and kept: backups need it.
    """
    from meanscheck.evidence.key import ENVIRONMENT, StoreKey, key_beside
    from meanscheck.evidence.rewriting import rewrite

    office = office_at(store)
    place = key_beside(office.store)
    if new_key and os.environ.get(ENVIRONMENT):
        raise InputError("the key comes from the environment", where=ENVIRONMENT, remedy="Unset it, or rotate it there")
    old = StoreKey.found(office.store) if new_key else None
    if new_key:
        if old is None:
            raise InputError("there is no key to change", where=place.name, remedy="Leave --new-key out")
        kept = next(n for i in range(1, 10_000) if not (n := place.with_name(f"{place.name}.{i}")).exists())
        place.rename(kept)
    key = StoreKey.found(office.store)
    if key is None:
        key = StoreKey.generate()
        key.save(place)
    try:
        rewrite(office.store, key=old, new_key=key)
    except BaseException:
        if new_key:
            place.unlink()
            kept.rename(place)
        raise
    where = ENVIRONMENT if os.environ.get(ENVIRONMENT) else str(place)
    if as_json:
        print_json({"store": str(office.store), "key": where})
        return
    say(f"encrypted: {office.store}, its projection and what sorting spills")
    say(f"key: {where} — without it nobody reads the store again, you included")
    say("not done by this: backups and old blocks of the disk, and departments' files in the inbox, are as they were")


def snapshots(store: StorePath, as_json: AsJson = False) -> None:
    """What came into the store and when, and the snapshots that were named; `assess --received-by DATE` reads one."""
    from meanscheck.evidence import Store

    with Store.open(office_at(store).store, read_only=True) as opened:
        rows = opened.history()
    if as_json:
        print_json(rows.to_dicts())
        return
    page = table("load>", "came in on", "what", "feed", "sender", "file", "rows>", "snapshot")
    for row in rows.iter_rows(named=True):
        page.add_row(
            str(row["load"]),
            str(row["received_on"] or "·"),
            row["kind"],
            row["feed"] or "",
            row["sender"] or "",
            row["file"] or "",
            f"{row['rows']:,}",
            (row["snapshot"] or "")[:16],
        )
    say(page)


def pseudonyms(
    store: StorePath,
    key: Annotated[Path, typer.Option("--key", help="Key file shared with the other agency.", metavar="FILE")],
    purpose: Annotated[str, typer.Option("--purpose", help="Purpose of the requests, and of the matching.")],
    theirs: Annotated[
        Path | None, typer.Option("--match", help="The other agency's list: who is in both?", metavar="FILE")
    ] = None,
    new_key: Annotated[bool, typer.Option("--new-key", help="Make the key file first.")] = False,
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """Pseudonyms of members who consented to a purpose, or, with --match, who of them is in another agency's list."""
    from meanscheck.evidence import Store
    from meanscheck.evidence.pseudonyms import PseudonymKey, matched
    from meanscheck.evidence.pseudonyms import pseudonyms as of_members

    if new_key:
        PseudonymKey.generate().save(key)
    secret = PseudonymKey.load(key)
    office = office_at(store)
    with Store.open(office.store, read_only=True) as opened:
        if theirs is None:
            names = of_members(opened, secret, purpose=purpose)["pseudonym"].to_list()
            if as_json:
                print_json(names)
            else:
                say("\n".join(names))
            return
        found = matched(opened, secret, theirs.read_text(encoding="utf-8").split(), purpose=purpose)
    office.shows("pseudonyms", found["case_id"].unique().sort().to_list(), by=by, why=why or purpose)
    if as_json:
        print_json(found.to_dicts())
        return
    page = table("case", "member", "pseudonym")
    for row in found.iter_rows():
        page.add_row(*row)
    say(page)
    say(f"{found.height:,} in both")


def household_file(
    store: StorePath,
    case: Annotated[str, typer.Argument(help="The case.", metavar="CASE")],
    out: Annotated[Path, typer.Option("--out", help="File to write; its owner alone may read it.", metavar="FILE")],
    member: Annotated[
        list[str] | None, typer.Option("--member", help="Only these people, by their id in the case.", metavar="ID")
    ] = None,
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """All that the store holds of a household, as JSON, for the person concerned (个人信息保护法 art. 45)."""
    from meanscheck.evidence import Store

    office = office_at(store)
    with Store.open(office.store, read_only=True) as opened:
        held = opened.household_file(case, members=member)
    office.shows("file", [case], by=by, why=why)
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError("there is a file already", where=out.name, remedy="Name another with --out") from None
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(held.to_json(), stream, ensure_ascii=False, indent=1)
        stream.write("\n")
    rows = sum(frame.height for frame in held.rows.values())
    if as_json:
        print_json({"file": str(out), "people": held.people.height, "rows": rows, "unread": held.unread.height})
        return
    say(f"{out}: {held.people.height} people, {rows:,} rows of {len(held.rows)} feeds, {held.unread.height} unread")
