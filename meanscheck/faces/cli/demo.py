"""``meanscheck demo``: the whole way on a made-up county, from departments' files to verified, replayed decisions.

    synth → init → requests, consents, answers → decide and seal → receipts of a sample → verify each → replay each

Nothing here is special to the demo: each step is the function that the command of that name calls.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meanscheck.errors import InputError, MeanscheckError
from meanscheck.faces.cli.office import Office
from meanscheck.faces.cli.page import AsJson, print_json
from meanscheck.faces.cli.progress import Stages, Tell, stages

if TYPE_CHECKING:
    from meanscheck.decisions import Assessment
    from meanscheck.evidence import IngestReport, Store
    from meanscheck.ledger import Ledger, Sealed
    from meanscheck.synth import County

PACK = "rules/cn/guangdong/jiangmen"
DAY = date(2020, 6, 30)
"""A day on which all of Jiangmen's figures for dibao and tekun are sourced."""
OWN = (
    "inbox",
    "truth",
    "keys",
    "ledger",
    "receipts",
    "county.duckdb",
    "county.policy",
    "county.vault",
    "county.household-keys",
    "county.household-keys.lock",
    "county.projection",
    "county.access",
    "county.access.lock",
)


@dataclass(frozen=True, slots=True)
class Run:
    """What a demo made and found."""

    office: Office
    county: County
    intake: tuple[IngestReport, ...]
    quarantine: dict[str, int]
    assessment: Assessment
    sealed: Sealed
    receipts: tuple[Path, ...]
    verified: int
    replayed: int
    faults: tuple[str, ...]
    seconds: float


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("demo")(demo)


def demo(
    households: Annotated[int, typer.Option("--households", help="How many applications.", min=1)] = 2000,
    out: Annotated[Path, typer.Option("--out", help="A new or empty folder.", metavar="DIR")] = Path("demo"),
    seed: Annotated[int, typer.Option("--seed", help="Same seed and size, same county.")] = 1,
    sample: Annotated[int, typer.Option("--sample", help="How many receipts.", min=1)] = 20,
    force: Annotated[bool, typer.Option("--force", help="Replace what an earlier demo left in DIR.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make up a county, decide every case, seal, verify and replay a sample, and say how it went."""
    from meanscheck.faces.cli import demo_page

    _clear(out, force=force)
    began = time.monotonic()
    from meanscheck.evidence import Store

    with stages(quiet=as_json) as bars:
        with bars.stage("make up a county", "households", households) as tell:
            from meanscheck.synth import county

            made = county(out, households=households, seed=seed, progress=tell)
        from meanscheck.faces.cli.intake import ORIGIN, make_office

        # The demo's key lies unprotected beside its log, as no real key may.
        office = make_office(out / "county.duckdb", origin=ORIGIN, unprotected=True)
        with Store.open(office.store) as store:
            run = _run(office, made, store, bars, sample=sample, began=began)
            if as_json:
                summary = demo_page.as_json(run, store)
            else:
                page = demo_page.Page(run, store)
    if as_json:
        print_json(summary)
    else:
        page.show()
    if run.faults:
        raise typer.Exit(1)


def _clear(out: Path, *, force: bool) -> None:
    """An empty folder to work in; InputError unless it is one, or --force is given."""
    if out.exists() and not out.is_dir():
        raise InputError("not a folder", where=out.name, remedy="Name another with --out")
    if out.is_dir() and any(out.iterdir()):
        if not force:
            raise InputError(
                "the folder is not empty", where=out.name or str(out), remedy="Name another with --out, or --force"
            )
        for name in OWN:
            place = out / name
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)


def _run(office: Office, made: County, store: Store, bars: Stages, *, sample: int, began: float) -> Run:
    from meanscheck.faces.cli import casework
    from meanscheck.law import RulePack

    with bars.stage("take in every answer", "files") as tell:
        intake = store.ingest_inbox(made.inbox, progress=lambda what, done, total: tell(done, total))
    law = RulePack.load(PACK).on(DAY)
    ledger = casework.signing_ledger(office)
    assessment, sealed = casework.run(store, law, ledger, bars)
    assert sealed is not None
    with bars.stage("write receipts", "receipts") as tell:
        receipts = _write_receipts(office, ledger, assessment, sample, tell)
    faults: list[str] = []
    with bars.stage("verify each", "receipts") as tell:
        verified = _verify(office, receipts, faults, tell)
    with bars.stage("replay each", "receipts") as tell:
        replayed = _replay(store, receipts, faults, tell)
    return Run(
        office=office,
        county=made,
        intake=tuple(intake),
        quarantine=dict(_quarantine(store)),
        assessment=assessment,
        sealed=sealed,
        receipts=receipts,
        verified=verified,
        replayed=replayed,
        faults=tuple(faults),
        seconds=time.monotonic() - began,
    )


def _quarantine(store: Store) -> list[tuple[str, int]]:
    """Reason → rows, the commonest first."""
    counts = store.fetch("select reason, count(*) as n from quarantine group by reason order by n desc, reason")
    return [(str(reason), int(n)) for reason, n in counts.iter_rows()]


def sampled(cases: Sequence[str], sample: int) -> list[str]:
    """Cases spread evenly over the caseload."""
    return [cases[i * len(cases) // sample] for i in range(sample)] if len(cases) > sample else list(cases)


def _write_receipts(office: Office, ledger: Ledger, result: Assessment, sample: int, tell: Tell) -> tuple[Path, ...]:
    from meanscheck.ledger import GROUPS

    cases = result.outcomes.select("case_id").unique().sort("case_id").collect(engine="in-memory")["case_id"].to_list()
    office.receipts.mkdir(exist_ok=True)
    written: list[Path] = []
    chosen = sampled(cases, sample)
    for case in chosen:
        held = result.held(case)
        assert held.index is not None and held.leaf is not None and held.salts is not None
        text = ledger.receipt(held.index, held.leaf, held.groups, held.salts, GROUPS)
        target = office.receipts / f"{case}.tlog-proof"
        target.write_text(text, encoding="utf-8", newline="")
        written.append(target)
        tell(len(written), len(chosen))
    return tuple(written)


def _verify(office: Office, receipts: Sequence[Path], faults: list[str], tell: Tell) -> int:
    from meanscheck.ledger import verify

    good = 0
    for done, path in enumerate(receipts, 1):
        try:
            verify(path, policy=office.policy)
            good += 1
        except MeanscheckError as fault:
            faults.append(f"{path.name} does not verify: {fault}")
        tell(done, len(receipts))
    return good


def _replay(store: Store, receipts: Sequence[Path], faults: list[str], tell: Tell) -> int:
    from meanscheck.replay import disclosed_groups, replay_records

    good = 0
    # The function that `meanscheck replay` calls for one receipt, over all of them: the law is read once.
    records = (disclosed_groups(path, None) for path in receipts)
    for done, (path, found) in enumerate(zip(receipts, replay_records(records, store=store), strict=True), 1):
        if found.is_equal:
            good += 1
        else:
            faults.append(f"{path.name} differs: {', '.join(found.differences[:5])}")
        tell(done, len(receipts))
    return good
