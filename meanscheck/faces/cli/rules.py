"""``meanscheck rules``: check packs, show the law of a day, run cases.

All three work on folders of TOML and on nothing else: no store, no evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meanscheck.errors import InputError
from meanscheck.faces.cli import rules_check, rules_years
from meanscheck.faces.cli.page import AsJson, complain, in_words, painted, print_json, say, table
from meanscheck.faces.cli.rules_mutate import mutate
from meanscheck.faces.cli.rules_prove import prove

if TYPE_CHECKING:
    from meanscheck.law.audit import Audit, Period
    from meanscheck.law.cases import CaseResult
    from meanscheck.law.law import Law
    from meanscheck.law.resolve import RulePack
    from meanscheck.procedure.checking import Consent

app = typer.Typer(help="The law as data: check packs, show the law of a day, run cases.", no_args_is_help=True)
app.command("mutate")(mutate)
app.command("prove")(prove)

Pack = Annotated[str, typer.Argument(help="A pack's folder, such as rules/cn/guangdong/jiangmen.", metavar="PACK")]

KINDS = {
    "unsure": "unsure: not used unless accepted by name",
    "unknown": "unknown: looked for and not found; what needs it refers",
    "derived": "derived: reasoned from the text, not written in it",
    "deployment": "chosen by the office, not by the law",
    "not_applied": "left to the locality, no local text found: not applied",
    "unused": "unused: no formula reads it",
}


def day_of(text: str, option: str) -> date:
    """A day given on the command line."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError("not a day", where=option, remedy="Write it like 2020-06-30") from None


# ---- check


@app.command("check")
def check(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Folders of packs; all packs if left out.", metavar="PATH…")
    ] = None,
    by_year: Annotated[
        bool, typer.Option("--by-year", help="Only a table by year (Markdown) of what can be decided.")
    ] = False,
    by_place: Annotated[
        bool, typer.Option("--by-place", help="Only one table of all places (Markdown) of what can be decided.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 for what no case shows, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Load packs and run their cases: what is wrong, what no case shows, for which years a pack can decide, and what
    it rests on. Exit 1 if a pack does not load, a figure is not what its formula gives, or a case comes out otherwise.
    """
    from meanscheck.law.audit import audit, pack_folders
    from meanscheck.values.data import data_dir

    tops = [folder_of(p) for p in paths] if paths else [data_dir("rules")]
    folders = list(dict.fromkeys(folder for top in tops for folder in pack_folders(top)))
    reports = [audit(folder) for folder in folders]
    found = (
        {}
        if by_year or by_place
        else rules_check.proofs([f for f, r in zip(folders, reports, strict=True) if not r.fault])
    )
    if as_json:
        print_json([_audit_json(r, found.get(r.place)) for r in reports])
    elif by_place:
        say(rules_years.place_table([r for r in reports if not r.fault]))
    elif by_year:
        say("\n\n".join(rules_years.year_table(r) for r in reports if not r.fault))
    else:
        shown: set[str] = set()
        for report in reports:
            _show_audit(report, shown, found.get(report.place))
    faults = [r for r in reports if r.fault]
    for report in faults:
        complain(f"does not load: {report.fault}")
    wrong = [line for proof in found.values() for line in proof.wrong]
    for line in wrong:
        complain(line)
    if faults or wrong or (strict and any(proof.owes for proof in found.values())):
        raise typer.Exit(1)


def folder_of(path: str) -> Path:
    """The folder itself, or the installed pack of that name."""
    from meanscheck.values.data import data_dir

    folder = Path(path)
    if not folder.is_dir() and folder.parts[:1] == ("rules",):
        folder = data_dir("rules").joinpath(*folder.parts[1:])
    if not folder.is_dir():
        raise InputError("no such folder", where=path, remedy="Name a folder such as rules/cn/guangdong/jiangmen")
    return folder


def _audit_json(report: Audit, proof: rules_check.Proof | None) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(report), "loads": not report.fault, **(proof.to_json() if proof else {})}


def _show_audit(report: Audit, shown: set[str], proof: rules_check.Proof | None) -> None:
    if report.fault:
        say(f"{report.place}  does not load\n")
        return
    say(painted(f"{report.place}  {report.name} {report.name_zh} ({report.code})  loads", "bold"))
    if proof is not None:
        rules_check.show(proof)
    say(_period_table(report.periods))
    places = [p for p in dict.fromkeys(f.place for f in report.findings) if p not in shown]
    for place in places:
        shown.add(place)
        say(painted(f"On what {place} rests", "bold"))
        for kind, heading in KINDS.items():
            found = [f for f in report.findings if f.place == place and f.kind == kind]
            if not found:
                continue
            page = table("", "from!", "to!", "why", "source", title=f"{heading} ({len(found)})")
            for f in found:
                page.add_row(f.what, _day(f.since), _day(f.until), f.why, ", ".join(f.cite))
            say(page)


def _period_table(periods: Iterable[Period]) -> Any:
    page = table("programme!", "from!", "to!", "answer!", "because", title="What it can decide, as known today")
    page.caption = (
        "decides: every case with complete evidence · in part: some cases, others refer · "
        "refers: nobody can be found eligible, cases are ineligible or refer"
    )
    page.caption_justify = "left"
    last = ""
    for p in periods:
        page.add_row(p.programme if p.programme != last else "", _day(p.since), _day(p.until), p.answer, because(p))
        last = p.programme
    return page


def because(period: Period) -> str:
    """Why a programme does not decide every case in a period, in words; empty if it does."""
    words = []
    if period.missing:
        words.append(f"missing: {', '.join(period.missing)}")
    if period.waits_for:
        words.append(f"depends on {', '.join(period.waits_for)}")
    if period.accepting:
        words.append(f"{period.accepting[0]} if accepted: {', '.join(period.accepting[1])}")
    return "; ".join(words)


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


# ---- show


@app.command("show")
def show(
    pack: Pack,
    on: Annotated[str, typer.Option("--on", help="The day whose law is wanted.", metavar="DATE")],
    known_by: Annotated[
        str | None,
        typer.Option("--known-by", help="Only what was published by then; DATE unless given.", metavar="DATE"),
    ] = None,
    accept: Annotated[list[str] | None, typer.Option("--accept", help="Accept an unsure figure by name.")] = None,
    formulas: Annotated[bool, typer.Option("--formulas", help="Show the variables and their formulas, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """The law of a day: programmes, tests and figures, each with its source."""
    from meanscheck.law.resolve import RulePack
    from meanscheck.law.show import law_of

    known = None if known_by is None else day_of(known_by, "--known-by")
    loaded = RulePack.load(pack)
    law = loaded.on(day_of(on, "--on"), known_by=known, accept=accept or ())
    if not law.programmes and not as_json:
        say(f"No programme is in force on {law.on}: the pack begins on {loaded.first_day}")
    elif as_json:
        print_json({**law_of(law), "consents": [c.model_dump(mode="json") for c in _consents(loaded, law.on)]})
    else:
        _show_law(law, formulas=formulas)
        for consent in _consents(loaded, law.on):
            feeds = "every query" if "*" in consent.feeds else ", ".join(consent.feeds)
            say(f"needs the person's authorisation: {feeds} ({', '.join(consent.cite)})")


def _consents(pack: RulePack, on: date) -> Sequence[Consent]:
    from meanscheck.procedure.checking import CheckRules

    return CheckRules.load(pack.levels[-1].folder).consents_on(on)


def _show_law(law: Law, *, formulas: bool) -> None:
    from meanscheck.law.show import citation_text, law_of, value_text

    data = law_of(law)
    say(f"{law.name} ({law.code}), law of {law.on}, as known by {law.known_by}")
    if law.accepted:
        say(f"accepted although unsure: {', '.join(law.accepted)}")
    say(f"digest {law.digest}\n")

    def sources(item: dict[str, Any]) -> str:
        return "\n".join(citation_text(c) for c in item["cite"])

    for programme in data["programmes"]:
        heading = (
            f"{programme['label']} {programme['label_zh']} ({programme['id']}), decided for each {programme['for']}"
        )
        say(painted(heading, "bold"))
        page = table("test", "", "holds if", "source")
        for test in programme["tests"]:
            review = f"\nafter review of {', '.join(test['review'])}" if test["review"] else ""
            page.add_row(test["id"], f"{test['label_zh']}\n{test['label']}", test["formula"] + review, sources(test))
        if programme["award"]:
            page.add_row(
                "award", programme["award"]["unit"], programme["award"]["formula"], sources(programme["award"])
            )
        say(page)
        if manager := programme["managed_by"]:
            office = f"{manager['office_zh']} {manager['office']}".strip()
            say(f"  managed by {office} ({sources(manager)})")
        for y in programme["yields_to"]:
            say(f"  gives way to {y['programme']} ({y['when']})")
        say()
    page = table("figure", "", "value", "unit", "status", "source", title="Figures")
    for p in law.parameters.values():
        entry = next(e for e in data["parameters"] if e["id"] == p.id)
        value = f"{value_text(p)}\n= {entry['formula']}" if p.formula else value_text(p)
        page.add_row(p.id, f"{p.label_zh}\n{p.label}", value, p.unit, p.status, sources(entry))
    say(page)
    if formulas:
        page = table("variable", "", "of each", "unit", "formula", "source", title="Variables")
        for v in data["variables"]:
            page.add_row(v["id"], f"{v['label_zh']}\n{v['label']}", v["for"], v["unit"], v["formula"], sources(v))
        say(page)


# ---- run


@app.command("run")
def run(
    pack: Pack,
    cases: Annotated[
        list[Path] | None, typer.Argument(help="Files of cases; the pack's own if left out.", metavar="CASES.toml…")
    ] = None,
    overlay: Annotated[
        Path | None, typer.Option("--overlay", help="What-if law to lay over the pack, *.toml.", metavar="FILE")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show programmes without an expectation, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide stated cases and compare with what they expect. Exit 1 if an expectation is not met."""
    from meanscheck.law.cases import load_cases, run_case
    from meanscheck.law.levels import files_of
    from meanscheck.law.resolve import RulePack

    law = RulePack.load(pack, overlay=overlay)
    files = cases or files_of(law.levels[-1].folder, "cases")
    if not files:
        raise InputError("the pack has no cases", where=law.place, remedy="Write a cases.toml, or name a file")
    stated = [case for file in files for case in load_cases(file)]
    results = [run_case(law, case) for case in stated]
    if as_json:
        print_json([entry for result in results for entry in result.to_json()])
    else:
        _show_results(results, everything=everything)
    unmet = [f"{r.case.id}: {line}" for r in results for line in r.unmet]
    for line in unmet:
        complain(line)
    if unmet:
        raise typer.Exit(1)


def _show_results(results: list[CaseResult], *, everything: bool) -> None:
    page = table("", "case", "programme!", "expected!", "came out!", "because")
    page.columns[1].min_width = page.columns[5].min_width = 12
    for result in results:
        wanted = {(e.programme, e.member): e for e in result.case.expectations}
        unmet = {line.split(":", 1)[0] for line in result.unmet}
        name = result.case.id
        for entry in result.to_json():
            key = (str(entry["programme"]), None if entry["member"] is None else str(entry["member"]))
            expected = wanted.get(key)
            if expected is None and not everything and wanted:
                continue
            subject = key[0] if key[1] is None else f"{key[0]} {key[1]}"
            missed = subject in unmet
            mark = painted("✗", "red") if missed else painted("✓" if expected else "", "green")
            page.add_row(mark, name, subject, _expected(expected), _outcome(entry), _because(entry))
            name = ""
        if name:
            page.add_row(painted("✗" if result.unmet else "", "red"), name, "", "", "nothing decided", "")
    say(page)
    good = sum(1 for r in results if not r.unmet and r.case.expectations)
    silent = sum(1 for r in results if not r.case.expectations)
    bad = sum(1 for r in results if r.unmet)
    words = [f"{len(results)} cases: {good} as expected"]
    words += [f"{bad} not"] if bad else []
    words += [f"{silent} without an expectation"] if silent else []
    say(", ".join(words))


def _expected(expected: Any) -> str:
    if expected is None:
        return ""
    from meanscheck.values.money import format_yuan

    words = [expected.outcome or "any outcome"]
    if expected.award is not None:
        words.append(format_yuan(expected.award))
    return " · ".join(words)


def _outcome(entry: dict[str, Any]) -> Any:
    colour = {"eligible": "green", "ineligible": "yellow", "refer": "cyan"}[entry["outcome"]]
    return painted(entry["outcome"] + (f" · {entry['award']}" if entry["award"] is not None else ""), colour)


def _because(entry: dict[str, Any]) -> str:
    if entry["failed"]:
        return "fails " + ", ".join(entry["failed"])
    return in_words(entry["causes"])
