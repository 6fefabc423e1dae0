"""``meanscheck audit``: every decision again, or a sample that nobody could choose, and what an auditor takes away.

`run` looks at everything. `sample` draws, `report` looks at what was drawn and writes the report. `export` writes all
tables with a Chinese data dictionary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from meanscheck.errors import InputError, LedgerError, NotProven
from meanscheck.faces.cli.office import By, For, Office, StorePath, office_at
from meanscheck.faces.cli.page import AsJson, print_json, say, table
from meanscheck.faces.cli.progress import Tell, stages

if TYPE_CHECKING:
    from fractions import Fraction

    from meanscheck.caseload.auditing import Audit
    from meanscheck.caseload.exporting import Exported
    from meanscheck.caseload.logged import Logged
    from meanscheck.caseload.sample import Sample, Sizes
    from meanscheck.evidence import Store
    from meanscheck.ledger import Ledger, Policy

app = typer.Typer(
    help="Audit: every decision again, or a sample that nobody could choose; the report and the tables.",
    no_args_is_help=True,
)

Batches = Annotated[
    list[str] | None, typer.Option("--batch", help="A batch; the newest if left out. May be repeated.", metavar="ID")
]
All = Annotated[bool, typer.Option("--all", help="All batches of the log.")]
Trust = Annotated[
    Path | None,
    typer.Option("--policy", help="Whose signature counts; the policy beside the store if left out.", metavar="POLICY"),
]
Lang = Annotated[Literal["zh", "en"], typer.Option("--lang", help="Language.")]
PARTS = (
    "A part of the public nonce, such as the numbers of a lottery drawn after the batch was signed. Repeat for each."
)


@app.command()
def run(
    store: StorePath,
    batch: Batches = None,
    every: All = False,
    policy: Trust = None,
    export: Annotated[
        Path | None, typer.Option("--export", help="Write all tables into a new folder, too.", metavar="DIR")
    ] = None,
    lang: Lang = "zh",
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """Check the log, each decision's place in it and all counts, and decide all again. Exit 1 if something is wrong."""
    from meanscheck.caseload.auditing import audit
    from meanscheck.evidence import Store

    office = office_at(store)
    ledger, trusted = office.open_ledger(), _policy(office, policy)
    names = _names(_log(ledger), batch, every)
    office.shows("audit run", ["*"], by=by, why=why)
    with Store.open(office.store, read_only=True) as opened, stages(quiet=as_json) as bars:
        with bars.stage("replay every decision", "decisions") as tell:
            found = audit(opened, ledger, vault=office.vault, batches=names, policy=trusted, progress=tell)
        written = None
        if export is not None:
            with bars.stage("export", "tables") as tell:
                written = _export(opened, ledger, office, export, names, found, tell)
    if as_json:
        rows = {} if written is None else {"exported": written.rows}
        print_json({**found.to_json(), **rows})
    else:
        say(found.text(lang))
        if written is not None:
            say(f"\nwritten: {len(written.rows)} tables in {written.folder}")
    if not found.holds:
        raise typer.Exit(1)


@app.command()
def sample(
    store: StorePath,
    nonce: Annotated[list[str], typer.Option("--nonce", help=PARTS, metavar="TEXT")],
    out: Annotated[Path, typer.Option("--out", help="File to write.", metavar="FILE")] = Path("sample.json"),
    batch: Annotated[str | None, typer.Option("--batch", help="A batch; the newest if left out.", metavar="ID")] = None,
    size: Annotated[
        list[str] | None,
        typer.Option("--size", help="How many of each stratum, or NAME=N of a programme, risk or PROGRAMME/RISK."),
    ] = None,
    thin: Annotated[int, typer.Option("--thin", help="Largest thin margin, in fen.", min=0)] = 50_000,
    high: Annotated[int, typer.Option("--high", help="Smallest high award, in fen.", min=0)] = 100_000,
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """Draw decisions from the signed root of a batch and a public nonce, by programme and risk."""
    from meanscheck.caseload.draw import check_nonce
    from meanscheck.caseload.examining import frame_and_drawn, law_of
    from meanscheck.caseload.risk import Thresholds
    from meanscheck.caseload.sample import draw_sample
    from meanscheck.evidence import Store

    office = office_at(store)
    thresholds, sizes = Thresholds(thin, high), _sizes(size)
    check_nonce(nonce)
    log = _log(office.open_ledger())
    found = log.batch(_closed(log, [] if batch is None else [batch])[-1])
    office.shows("audit sample", ["*"], by=by, why=why)
    with Store.open(office.store, read_only=True) as opened, stages(quiet=as_json) as bars, bars.stage("draw"):
        frame, _ = frame_and_drawn(office.vault, found, law_of(opened, found), thresholds)
        drawn = draw_sample(log, found, frame, nonce=nonce, sizes=sizes, thresholds=thresholds)
    out.write_text(drawn.format(), encoding="utf-8", newline="")
    if as_json:
        print_json({"file": str(out), "batch": drawn.batch_id, "root": drawn.batch_root, "strata": _strata(drawn)})
        return
    page = table("stratum!", "decisions>", "drawn>", "indexes in the log, in the order drawn")
    for one in drawn.strata:
        page.add_row(one.stratum, f"{one.population:,}", str(len(one.indexes)), " ".join(map(str, one.indexes)))
    say(page)
    say(f"written: {out}\n\nNext: meanscheck audit report {office.store} {out}")


@app.command()
def report(
    store: StorePath,
    drawn: Annotated[Path, typer.Argument(help="A sample, as `audit sample` wrote it.", metavar="SAMPLE")],
    visits: Annotated[
        Path | None,
        typer.Option("--visits", help="What field visits found: CSV index,programme,finding,note.", metavar="CSV"),
    ] = None,
    policy: Trust = None,
    confidence: Annotated[str, typer.Option("--confidence", help="Of the intervals, in per cent.")] = "95",
    out: Annotated[Path, typer.Option("--out", help="Markdown file to write.", metavar="FILE")] = Path("report.md"),
    lang: Annotated[Literal["zh", "en", "both"], typer.Option("--lang", help="Language of the report.")] = "both",
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """Replay the drawn decisions, join field visits, and write the report. Exit 1 if anything is wrong."""
    from meanscheck.caseload.examining import Visits, examine
    from meanscheck.caseload.reporting import report as written
    from meanscheck.caseload.sample import Sample
    from meanscheck.evidence import Store

    office = office_at(store)
    for file in (drawn, *(() if visits is None else (visits,))):
        if not file.is_file():
            raise InputError("no such file", where=file.name, remedy="`meanscheck audit sample` writes a sample")
    picked = Sample.parse(drawn.read_bytes().decode("utf-8", "replace"))
    office.shows("audit report", ["*"], by=by, why=why)
    with (
        Store.open(office.store, read_only=True) as opened,
        stages(quiet=as_json) as bars,
        bars.stage("replay the sample", "decisions") as tell,
    ):
        found = examine(
            picked,
            store=opened,
            ledger=office.open_ledger(),
            vault=office.vault,
            policy=_policy(office, policy),
            visits=None if visits is None else Visits.read(visits),
            confidence=_confidence(confidence),
            progress=tell,
        )
    out.write_text(written(found, language=lang, on=date.today()), encoding="utf-8")
    estimate = found.estimate()
    if as_json:
        print_json(
            {
                "file": str(out),
                "holds": found.holds,
                "drawn": len(found.states),
                "wrong": sum(state == "wrong" for state in found.states.values()),
                "open": sum(state == "open" for state in found.states.values()),
                "rate": None if estimate.rate is None else str(estimate.rate),
                "interval": [str(estimate.interval.low), str(estimate.interval.high)],
                "faults": [asdict(fault) for fault in found.faults],
                "differing": [{"index": i, **one.to_json()} for i, one in sorted(found.replays.items())],
            }
        )
    else:
        wrong = sum(state == "wrong" for state in found.states.values())
        say(f"{len(found.states)} drawn, {wrong} wrong; error rate between {estimate.interval}")
        for fault in found.faults:
            say(f"  ✗ {fault.where}: {fault.en}")
        say(f"written: {out}")
    if not found.holds:
        raise typer.Exit(1)


@app.command()
def export(
    store: StorePath,
    out: Annotated[Path, typer.Option("--out", help="A new or empty folder.", metavar="DIR")],
    batch: Batches = None,
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """Write all tables, CSV and Parquet, with a Chinese data dictionary; of all batches unless --batch names some."""
    from meanscheck.evidence import Store

    office = office_at(store)
    ledger = office.open_ledger()
    if batch:
        _closed(_log(ledger), batch)
    office.shows("audit export", ["*"], by=by, why=why)
    with (
        Store.open(office.store, read_only=True) as opened,
        stages(quiet=as_json) as bars,
        bars.stage("export", "tables") as tell,
    ):
        written = _export(opened, ledger, office, out, batch or None, None, tell)
    if as_json:
        print_json({"folder": str(out), "rows": written.rows})
        return
    page = table("table!", "rows>")
    for name, rows in written.rows.items():
        if rows:
            page.add_row(name, f"{rows:,}")
    say(page)
    say(f"written: {out}; dictionary.csv explains every column. The tables hold all that the office knows.")


def _export(
    store: Store,
    ledger: Ledger,
    office: Office,
    folder: Path,
    names: Sequence[str] | None,
    found: Audit | None,
    tell: Tell,
) -> Exported:
    from meanscheck.caseload.exporting import export as written

    return written(store, ledger, vault=office.vault, folder=folder, batches=names, audit=found, progress=tell)


def _log(ledger: Ledger) -> Logged:
    from meanscheck.caseload.logged import read_log

    try:
        return read_log(ledger)
    except LedgerError as fault:
        raise NotProven("log", str(fault)) from None


def _names(log: Logged, batch: list[str] | None, every: bool) -> list[str] | None:
    """Ids of the batches meant; None for all."""
    if every and batch:
        raise InputError("all, and some", where="--all, --batch", remedy="Give one of them")
    closed = _closed(log, batch or [])
    return None if every else batch or closed[-1:]


def _closed(log: Logged, wanted: list[str]) -> list[str]:
    """Ids of the closed batches, the wanted one last."""
    closed = [b.batch_id for b in log.batches if b.close_index is not None]
    if not closed:
        raise InputError("the log has no closed batch", where="ledger", remedy="`meanscheck assess` seals one")
    for name in wanted:
        if name not in closed:
            raise InputError("no such batch in the log", where="--batch", remedy=f"The newest is {closed[-1]}")
    return closed + wanted


def _policy(office: Office, policy: Path | None) -> Policy:
    from meanscheck.ledger import Policy

    file = policy or office.policy
    if not file.is_file():
        raise InputError("no such file", where=file.name, remedy="Name a policy, *.policy")
    try:
        return Policy.parse(file.read_bytes())
    except NotProven as fault:
        raise InputError(fault.why, where=file.name, remedy="Ask the office for its policy again") from None


def _sizes(given: list[str] | None) -> Sizes:
    from meanscheck.caseload.sample import Sizes

    each, by_name = Sizes().each, dict[str, int]()
    for text in given or ():
        name, named, number = text.rpartition("=")
        if not number.isascii() or not number.isdigit() or not int(number):
            raise InputError("not a size", where="--size", remedy="Write 30, or dibao=30, or dibao/thin_margin=30")
        if named:
            by_name[name] = int(number)
        else:
            each = int(number)
    return Sizes(each, by_name)


def _confidence(text: str) -> Fraction:
    from fractions import Fraction

    try:
        value = Fraction(text) / 100
    except (ValueError, ZeroDivisionError):
        value = Fraction(0)
    if not 0 < value < 1:
        raise InputError("not a confidence", where="--confidence", remedy="Write 95, or 99.9")
    return value


def _strata(drawn: Sample) -> list[dict[str, Any]]:
    return [{"name": s.stratum, "population": s.population, "drawn": list(s.indexes)} for s in drawn.strata]
