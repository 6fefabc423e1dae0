"""``meanscheck init``, ``ingest``, ``quarantine`` and ``synth``: an office's places, and what comes into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meanscheck.errors import FeedError, InputError
from meanscheck.faces.cli.lineage import Lineage, LineageFile, batch_of
from meanscheck.faces.cli.office import Office, StorePath, office_at
from meanscheck.faces.cli.page import AsJson, print_json, say, table
from meanscheck.faces.cli.progress import Tell, stages

if TYPE_CHECKING:
    from meanscheck.evidence import IngestReport

ORIGIN = "county.example/relief"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("init")(init)
    app.command("ingest")(ingest)
    app.command("quarantine")(quarantine)
    app.command("synth")(synth)


def init(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.", metavar="FOLDER")],
    name: Annotated[str, typer.Option("--name", help="Name of the store's files.")] = "county",
    origin: Annotated[str, typer.Option("--origin", help="Name of the log, as receipts will state it.")] = ORIGIN,
    unprotected: Annotated[
        bool, typer.Option("--unprotected-key", help="Write the key in the clear. For trying things out.")
    ] = False,
    encrypted: Annotated[
        bool, typer.Option("--encrypted", help="Encrypt the evidence store (extra `encryption`).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make an office's places: an empty store, a signing key, a log, a policy, an empty vault with its keys.

    The signing key's passphrase is read from the environment variable MEANSCHECK_KEY_PASSPHRASE. The vault's key is
    that of MEANSCHECK_VAULT_KEY, or a new file beside the signing key that its owner alone may read; so is the store's,
    by MEANSCHECK_STORE_KEY, if it is encrypted.
    """
    office = make_office(folder / f"{name}.duckdb", origin=origin, unprotected=unprotected, encrypted=encrypted)
    from meanscheck.evidence.key import key_beside

    from_environment = not office.vault_key.exists()
    places = {
        "store": str(office.store),
        "key": str(office.key),
        "vault": str(office.vault),
        "vault key": "MEANSCHECK_VAULT_KEY" if from_environment else str(office.vault_key),
        "policy": str(office.policy),
        "ledger": str(office.ledger),
        **({"store key": str(key_beside(office.store))} if key_beside(office.store).exists() else {}),
    }
    if as_json:
        print_json(places)
        return
    for what, place in places.items():
        say(f"{what:<9} {place}")
    say(f"\nNext: meanscheck ingest {office.store} INBOX")


def make_office(store: Path, *, origin: str, unprotected: bool, encrypted: bool = False) -> Office:
    """Make the places; InputError if the store is there already."""
    from meanscheck.evidence import Store
    from meanscheck.evidence.key import StoreKey, key_beside
    from meanscheck.ledger import Ledger, Signer
    from meanscheck.vault import Safe

    office = Office(store)
    if store.exists():
        raise InputError("there is a store already", where=store.name, remedy="Use it, or name another folder")
    store.parent.mkdir(parents=True, exist_ok=True)
    signer = Signer.generate(origin)
    signer.save(office.key, unprotected=unprotected)
    office.policy.write_text(Ledger.open(office.ledger, signer=signer).policy().format(), encoding="utf-8")
    Safe.open(office.vault, make=True)
    if encrypted and StoreKey.found(store) is None:
        StoreKey.generate().save(key_beside(store))
    with Store.open(store):
        pass
    return office


def ingest(
    store: StorePath,
    paths: Annotated[list[Path], typer.Argument(help="Inbox folders or single files.", metavar="PATH…")],
    feed: Annotated[str | None, typer.Option("--feed", help="Feed of a single file, if its name does not say.")] = None,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", help="Manifest of a single file, if not beside it.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="Mapping of a single file, if not beside it.")
    ] = None,
    lineage: LineageFile = None,
    as_json: AsJson = False,
) -> None:
    """Take in links, requests, consents and departments' answers. What was taken in before changes nothing."""
    from meanscheck.evidence import Store
    from meanscheck.lineage import Data

    office = office_at(store)
    for path in paths:
        if not path.exists():
            raise FeedError("no such file or folder", where=path.name, remedy="Look at the path")
    if mapping is not None and (len(paths) != 1 or paths[0].is_dir()):
        raise FeedError(
            "--mapping goes with a single file", remedy="In an inbox, put it beside the file as STEM.mapping.toml"
        )
    reports: list[IngestReport] = []
    lists: list[dict[str, Any]] = []
    told = Lineage(lineage)
    with Store.open(office.store) as opened, stages(quiet=as_json) as bars:
        opened.received_on = date.today()
        for path in paths:
            with told.run("ingest", inputs=[Data(path.name)]) as run:
                if path.is_dir():
                    with bars.stage(f"ingest {path.name}", "files") as tell:
                        taken = opened.ingest_inbox(path, progress=_steps(tell))
                    reports += taken
                    run.inputs = [Data(report.file) for report in taken]
                    run.outputs = [batch_of(report) for report in taken]
                elif path.name.startswith(("requests", "consents", "identity_links")) and path.suffix == ".jsonl":
                    kinds = {"requests": opened.requests, "consents": opened.consents}
                    take_in = next((kinds[k] for k in kinds if path.name.startswith(k)), opened.identity_links)
                    came = take_in(path)
                    lists.append({"file": path.name, **asdict(came)})
                    run.outputs = [Data(f"store/{path.name.split('.')[0]}", rows=came.added)]
                else:
                    reports.append(opened.ingest(feed or _feed_of(path), path, manifest=manifest, mapping=mapping))
                    run.outputs = [batch_of(reports[-1])]
    if as_json:
        print_json([*lists, *(asdict(r) for r in reports)])
        return
    for counts in lists:
        say(f"{counts['file']}: {counts['added']:,} added, {counts['known']:,} known already")
    if reports:
        show_intake(reports)
    if any(r.quarantined or r.repeated for r in reports):
        say(f"Next: meanscheck quarantine {office.store} lists what was set aside")


def quarantine(
    store: StorePath,
    feed: Annotated[str | None, typer.Option("--feed", help="One feed only.")] = None,
    most: Annotated[int, typer.Option("--most", help="How many rows to show; 0 shows all.", min=0)] = 50,
    as_json: AsJson = False,
) -> None:
    """Rows that were set aside: file, line, field, reason and what to do. Never what stands in them."""
    from meanscheck.contracts.reasons import REASONS
    from meanscheck.evidence import Store

    with Store.open(office_at(store).store, read_only=True) as opened:
        rows = opened.fetch("select feed, file, row_no as line, field, reason from quarantine order by all")
    found = [row for row in rows.iter_rows(named=True) if feed is None or row["feed"] == feed]
    if as_json:
        print_json([{**row, "what": REASONS[row["reason"]].en, "zh": REASONS[row["reason"]].zh} for row in found])
        return
    page = table("file", "line>", "field", "what is wrong", "", "what to do")
    for row in found[: most or None]:
        reason = REASONS[row["reason"]]
        page.add_row(row["file"], str(row["line"]), row["field"] or "", reason.en, reason.zh, reason.remedy_en)
    say(page)
    rest = len(found) - most if most else 0
    say(f"{len(found):,} rows set aside" + (f", {rest:,} of them not shown: --most 0" if rest > 0 else ""))


def _steps(tell: Tell) -> Callable[[str, int, int], None]:
    """A bar's `tell` in the form the inbox reports in."""
    return lambda what, done, total: tell(done, total)


def _feed_of(path: Path) -> str:
    from meanscheck.contracts import feed_names

    name = path.name.split(".")[0].split("-")[0]
    if name not in feed_names():
        raise FeedError("the file name does not begin with the name of a feed", where=path.name, remedy="Give --feed")
    return name


def show_intake(reports: Sequence[IngestReport]) -> None:
    """A line per file: what became of its rows."""
    page = table("file", "feed", "batch", "accepted>", "quarantined>", "no consent>", "not asked>", "repeated>", "")
    for r in reports:
        counts = (r.accepted, r.quarantined, r.not_covered, r.not_requested, r.repeated)
        note = "known already" if r.already_known else "supplementary" if r.supplementary else ""
        if r.superseded:
            note = f"{r.superseded:,} earlier rows no longer count"
        if r.passed_over:
            note += f"{', ' if note else ''}{r.passed_over:,} lines passed over"
        page.add_row(r.file, r.feed, r.short_id, *(f"{n:,}" if n else "·" for n in counts), note)
    say(page)


def synth(
    folder: Annotated[Path, typer.Argument(help="Where to make it.", metavar="DIR")],
    households: Annotated[int, typer.Option("--households", help="How many applications.", min=1)] = 2000,
    seed: Annotated[int, typer.Option("--seed", help="Same seed and size, same county.")] = 1,
    clean: Annotated[bool, typer.Option("--clean", help="No disorder: everything answered and well formed.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="Parquet files only, for large counties.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace inbox and truth in DIR.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make up a county: departments' files in DIR/inbox, the truth in DIR/truth."""
    from meanscheck.synth import county

    if not force and folder.is_dir() and any(folder.iterdir()):
        raise InputError("the folder is not empty", where=folder.name or str(folder), remedy="Name another, or --force")
    with stages(quiet=as_json) as bars, bars.stage("make up a county", "households", households) as tell:
        made = county(
            folder,
            households=households,
            seed=seed,
            mess=not clean,
            style="parquet" if parquet else "files",
            progress=tell,
        )
    if as_json:
        print_json({**made.describe(), "inbox": str(made.inbox), "truth": str(made.truth)})
        return
    say(
        f"{made.households:,} households, {made.persons:,} persons, {sum(made.rows.values()):,} rows in "
        f"{made.files} files of {len(made.rows)} feeds, as of {made.on}, seed {made.seed}"
    )
    say(f"inbox  {made.inbox}\ntruth  {made.truth}")
