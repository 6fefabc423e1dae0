"""``meanscheck check`` and ``assess``: the verification report, and the decisions."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from meanscheck.errors import InputError, LedgerError
from meanscheck.faces.cli.lineage import Lineage, LineageFile, decisions_of, projection_of, sealed_of
from meanscheck.faces.cli.office import By, For, Office, StorePath, office_at
from meanscheck.faces.cli.page import CAUSES, AsJson, painted, print_json, say, table
from meanscheck.faces.cli.progress import Later, Stages, stages
from meanscheck.faces.cli.referred import show_causes, show_waiting
from meanscheck.faces.cli.rules import Pack, day_of

if TYPE_CHECKING:
    from meanscheck.decisions import Assessment, Report
    from meanscheck.engines import Room
    from meanscheck.evidence import Store
    from meanscheck.law import Law
    from meanscheck.ledger import Ledger, Sealed, Witnesses

Language = Literal["zh", "en"]
OUTCOMES = ("eligible", "ineligible", "refer")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("check")(check)
    app.command("assess")(assess)


def check(
    store: StorePath,
    request: Annotated[str, typer.Argument(help="Number of a check request (核对委托编号).", metavar="REQUEST")],
    on: Annotated[
        str | None, typer.Option("--on", help="Day that counts; the request's own if left out.", metavar="DATE")
    ] = None,
    pack: Annotated[
        str | None,
        typer.Option(
            "--pack",
            help="Its rules say what is stale, until when the report holds, which differences count.",
            metavar="PACK",
        ),
    ] = None,
    lang: Annotated[Language, typer.Option("--lang", help="Language of the report.")] = "zh",
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """The verification report (核对报告) of a request: what was declared and found. It decides nothing."""
    from meanscheck.decisions import check as verification
    from meanscheck.evidence import Store
    from meanscheck.law import RulePack

    day = None if on is None else day_of(on, "--on")
    office = office_at(store)
    with Store.open(office.store, read_only=True) as opened:
        report = verification(opened, request, on=day)
        if pack is not None:
            law = RulePack.load(pack).on(day or report.reference_day)
            report = verification(opened, request, on=day, law=law)
        office.shows("check", [report.case_id], by=by, why=why)
    if as_json:
        print_json(report.to_json())
    else:
        _show_report(report, lang)


HEADINGS = {
    "zh": ("人员", "信息", "结论", "条数>", "核对>", "申报>", "差额>", "截至", "疑点"),
    "en": ("person", "feed", "conclusion", "rows>", "found>", "declared>", "difference>", "as of", "doubtful points"),
}
NOTHING = "未发现"


def _show_report(report: Report, lang: Language) -> None:
    """The report as a table; feeds where nothing was found in one line a person."""
    from meanscheck.values.money import format_yuan

    zh = lang == "zh"
    lines = report.text(lang).splitlines()
    say(painted(lines[0], "bold"))
    page = table(*HEADINGS[lang])
    quiet: dict[str, list[str]] = {}
    last = ""
    for item, line in zip(report.items, lines[1:], strict=False):
        name = item.feed_zh if zh else item.feed
        if item.conclusion == NOTHING and not item.quarantined and item.declared is None:
            quiet.setdefault(item.member, []).append(name)
            continue
        amounts = ("" if fen is None else format_yuan(fen) for fen in (item.found, item.declared, item.difference))
        conclusion = line.split(": ", 1)[-1].split(", ", 1)[0]
        unread = f" (+{item.quarantined} {'条无法读取' if zh else 'unreadable'})" if item.quarantined else ""
        state = "" if item.state == "answered" else f" ({CAUSES[item.state][1 if zh else 0]})"
        rows = str(item.rows or "")
        day = "" if item.as_of is None else item.as_of.isoformat()
        who = item.member if item.member != last else ""
        page.add_row(who, name, conclusion + state + unread, rows, *amounts, day, "\n".join(item.doubtful))
        last = item.member
    say(page)
    for member, names in quiet.items():
        say(f"{member} {NOTHING}: {' · '.join(names)}" if zh else f"{member} nothing found: {', '.join(names)}")
    for line in lines[len(report.items) + 1 :]:
        say(line)


def assess(
    store: StorePath,
    pack: Pack,
    on: Annotated[
        str | None, typer.Option("--on", help="Day whose law and facts count; today if left out.", metavar="DATE")
    ] = None,
    known_by: Annotated[
        str | None, typer.Option("--known-by", help="Only law published by then; DATE unless given.", metavar="DATE")
    ] = None,
    received_by: Annotated[
        str | None,
        typer.Option("--received-by", help="Only evidence that had come in by then; all unless given.", metavar="DATE"),
    ] = None,
    accept: Annotated[list[str] | None, typer.Option("--accept", help="Accept an unsure figure by name.")] = None,
    no_seal: Annotated[bool, typer.Option("--no-seal", help="Decide only; put nothing into the log.")] = False,
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes",
            min=1,
            help="Processes for a large caseload; if left out, as many as processors and memory allow.",
        ),
    ] = None,
    block_units: Annotated[
        int | None,
        typer.Option(
            "--block-units",
            min=1,
            help="Cases that a process holds at a time, some 36 kB each; if left out, what fits into free memory.",
            metavar="N",
        ),
    ] = None,
    supersede: Annotated[
        str | None,
        typer.Option(
            "--supersede",
            help="Decisions take the place of the earlier ones in the log; WHY is review, recheck or correction.",
            metavar="WHY",
        ),
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option(
            "--witness",
            help="A witness of the office's policy: its address, or a folder that is carried to it. May be repeated.",
            metavar="URL|FOLDER",
        ),
    ] = None,
    commitment: Annotated[
        Literal["grouped", "whole"],
        typer.Option("--commitment", help="whole: cheaper, but a receipt then shows all of a decision or nothing."),
    ] = "grouped",
    turning: Annotated[
        Path | None,
        typer.Option(
            "--counterfactuals",
            help="Also write which smallest change would turn each outcome: *.parquet or *.csv, personal data.",
            metavar="FILE",
        ),
    ] = None,
    lineage: LineageFile = None,
    as_json: AsJson = False,
) -> None:
    """Decide every case in the store and seal the decisions in the log."""
    from meanscheck.caseload.writing import write_file
    from meanscheck.evidence import Store
    from meanscheck.law import RulePack

    office = office_at(store)
    known = None if known_by is None else day_of(known_by, "--known-by")
    law = RulePack.load(pack).on(day_of(on, "--on") if on else date.today(), known_by=known, accept=accept or ())
    ledger = None if no_seal else signing_ledger(office)
    witnesses = witnesses_of(office, witness) if witness and not no_seal else None
    how = Run(
        supersede,
        processes,
        commitment,
        witnesses,
        None if received_by is None else day_of(received_by, "--received-by"),
        Lineage(lineage),
        block_units,
    )
    with Store.open(office.store) as opened, stages(quiet=as_json) as bars:
        result, sealed = run(opened, law, ledger, bars, how=how)
        if turning is not None:
            with bars.stage("what would turn outcomes"):
                write_file(result.counterfactuals(), turning)
    if as_json:
        print_json(assessment_json(result, sealed))
        return
    if result.kept:
        say(f"{result.kept:,} of {result.projection.units:,} cases had been decided by an earlier run of this batch")
    show_outcomes(result)
    show_causes(result)
    show_waiting(result)
    if sealed is not None:
        say(f"sealed: batch {sealed.batch_id}, {sealed.count:,} decisions, log of {sealed.size:,} entries")
        if how.witness is not None:
            closing = "the closing" if sealed.witnessed else "the closing not yet (`meanscheck witness ask`)"
            say(f"witnessed: the opening, before anything was decided; {closing}")
        say(f"\nNext: meanscheck receipt {office.store} CASE")


def signing_ledger(office: Office) -> Ledger:
    """The log with its key; InputError if there is no key beside the store."""
    from meanscheck.ledger import Ledger, Signer

    if not office.key.is_file():
        raise InputError(
            "no key beside the store", where=office.key.name, remedy="`meanscheck init` makes one, or --no-seal"
        )
    return Ledger.open(office.ledger, signer=Signer.load(office.key))


@dataclass(frozen=True, slots=True)
class Run:
    """How a caseload is worked on and sealed: see the options of `assess`."""

    supersede: str | None = None
    processes: int | None = None
    commitment: Literal["grouped", "whole"] = "grouped"
    witness: Witnesses | None = None
    received_by: date | None = None
    lineage: Lineage = field(default_factory=Lineage)
    block_units: int | None = None

    def room(self, units: int) -> Room:
        """Blocks and processes for a caseload: as asked, otherwise what fits into the memory that is free now."""
        from meanscheck.engines import Room
        from meanscheck.evidence.memory import free_memory

        return Room.of(
            free_memory(),
            units=units,
            processors=os.cpu_count() or 1,
            processes=self.processes,
            block_units=self.block_units,
        )


def witnesses_of(office: Office, ways: list[str]) -> Witnesses:
    """Ways to the witnesses of the office's policy: those that begin with http are asked, others are folders."""
    from meanscheck.ledger import Policy, Witnesses
    from meanscheck.ledger.carriers import FileWitness, HttpWitness

    asks = [HttpWitness(way) if way.startswith(("http://", "https://")) else FileWitness(way) for way in ways]
    try:
        return Witnesses(Policy.parse(office.policy.read_bytes()), asks)
    except LedgerError as fault:
        raise InputError(str(fault), where=office.policy.name, remedy="See `meanscheck witness init`") from None


def run(
    store: Store, law: Law, ledger: Ledger | None, bars: Stages, *, how: Run | None = None
) -> tuple[Assessment, Sealed | None]:
    """Assess everything in the store, through the log if there is one."""
    from meanscheck.decisions import assess as decide_all
    from meanscheck.engines import Pool
    from meanscheck.lineage import Data

    later, how = Later(), how or Run()
    room = how.room(int(store.value("select count(distinct case_id) from requests")))
    evidence = Data("store", digests={"law": law.digest})
    with Pool(room.processes) as engine:  # whose processes start while the evidence is being ordered
        with bars.stage("order the evidence"), how.lineage.run("project", inputs=[evidence]) as projecting:
            earlier = None if how.supersede is None or ledger is None else ledger.last_decisions()
            result = decide_all(
                store,
                law,
                snapshot=None if how.received_by is None else store.snapshot(known_by=how.received_by),
                block_units=room.block_units,
                engine=engine,
                progress=later,
                supersedes=earlier,
                why=how.supersede or "review",
            )
            projection = projection_of(result)
            projecting.outputs = [projection]
        named = {"law": law.digest, "snapshot": result.snapshot.id, "batch": result.batch_id}
        with bars.stage(
            "decide" if ledger is None else "decide and seal", "cases", result.projection.units
        ) as later.to:
            sealed = None
            with how.lineage.run("assess", inputs=[projection], digests=named) as assessing:
                if ledger is not None:
                    # The log takes decisions as they are made, so the two runs proceed together.
                    with how.lineage.run("seal", inputs=[Data(f"vault/{result.batch_id}")], digests=named) as sealing:
                        sealed = ledger.append(result, commitment=how.commitment, witness=how.witness)
                        sealing.outputs = [sealed_of(sealed)]
                result.run()
                assessing.outputs = [decisions_of(result)]
    return result, sealed


def assessment_json(result: Assessment, sealed: Sealed | None) -> dict[str, Any]:
    """Counts, causes and where it was sealed."""
    from dataclasses import asdict

    from meanscheck.values.money import format_yuan

    outcomes: dict[str, dict[str, int]] = {}
    for (programme, outcome), n in sorted(result.counts.items()):
        outcomes.setdefault(programme, {})[outcome] = n
    causes: dict[str, dict[str, int]] = {}
    for (programme, cause), n in sorted(result.causes.items()):
        causes.setdefault(programme, {})[cause] = n
    return {
        "batch": result.batch_id,
        "on": result.law.on.isoformat(),
        "law": result.law.digest,
        "accepted": list(result.law.accepted),
        "snapshot": result.snapshot.id,
        "units": result.projection.units,
        "kept": result.kept,
        "outcomes": outcomes,
        "awards": {programme: format_yuan(fen) for programme, fen in sorted(result.awards.items())},
        "refer_causes": causes,
        "waiting": result.waiting().to_dicts(),
        "records_root": result.records_root,
        "sealed": None if sealed is None else asdict(sealed),
    }


def show_outcomes(result: Assessment) -> None:
    """Counts by programme and outcome."""
    from meanscheck.values.money import format_yuan

    law = result.law
    page = table("programme!", "", "eligible>", "awards in all>", "", "not eligible>", "referred to a person>")
    page.title = f"Decisions as of {law.on} under the law of {law.name}"
    for p in law.programmes:
        counts = [result.counts[p.id, o] for o in OUTCOMES]
        if not any(counts):
            continue
        unit = {"money/month": "yuan a month", "money": "yuan"}.get(p.award.unit if p.award else "", "")
        award = format_yuan(result.awards[p.id]) if counts[0] else ""
        page.add_row(
            p.id,
            p.label_zh,
            painted(f"{counts[0]:,}", "green"),
            award,
            unit if award else "",
            painted(f"{counts[1]:,}", "yellow"),
            painted(f"{counts[2]:,}", "cyan"),
        )
    say(page)
