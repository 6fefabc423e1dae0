"""``meanscheck rules diff``: what a change of law does, in the law itself and to a caseload."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meanscheck.errors import InputError
from meanscheck.faces.cli.office import By, For, office_at
from meanscheck.faces.cli.page import AsJson, painted, print_json, say, table
from meanscheck.faces.cli.progress import Later, stages
from meanscheck.faces.cli.rules import day_of

if TYPE_CHECKING:
    from meanscheck.caseload.amending import Amendment, Total
    from meanscheck.law.amendment import Change
    from meanscheck.law.law import Law
    from meanscheck.law.resolve import RulePack


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("diff")(diff)


def diff(
    old: Annotated[str, typer.Argument(help="A pack's folder, such as rules/cn/guangdong/jiangmen.", metavar="OLD")],
    new: Annotated[
        str, typer.Argument(help="Another pack's folder, or an overlay (*.toml) to lay over OLD.", metavar="NEW")
    ],
    store: Annotated[
        Path | None, typer.Option("--store", help="The caseload: an evidence store; the law alone if left out.")
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", help="Day whose facts and law count; today if left out.", metavar="DATE")
    ] = None,
    old_day: Annotated[str | None, typer.Option("--old-law-of", help="OLD as of this day.", metavar="DATE")] = None,
    new_day: Annotated[str | None, typer.Option("--new-law-of", help="NEW as of this day.", metavar="DATE")] = None,
    accept: Annotated[list[str] | None, typer.Option("--accept", help="Accept an unsure figure by name.")] = None,
    most: Annotated[int, typer.Option("--most", help="How many households to show; 0 shows all.", min=0)] = 20,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write all that flip there: *.csv or *.parquet.", metavar="FILE")
    ] = None,
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """Who flips between two laws, by which rule or figure, and what it costs. Nothing is decided or kept."""
    day = date.today() if on is None else day_of(on, "--on")
    if out is not None and out.suffix not in (".csv", ".parquet"):
        raise InputError("not a format that can be written", where="--out", remedy="Name a *.csv or *.parquet")
    packs = (_pack(old, None), _pack(new, old))
    for name in accept or ():
        if not any(name in pack.parameters or name in pack.variables for pack in packs):
            raise InputError(f"no figure or rule {name}", where="--accept", remedy="`meanscheck rules show` lists them")
    laws = (
        _law(packs[0], day, old_day, "--old-law-of", accept),
        _law(packs[1], day, new_day, "--new-law-of", accept),
    )
    if store is None:
        from meanscheck.law.amendment import changes

        found = changes(*laws)
        if as_json:
            print_json({**_head(*laws), "changes": [asdict(c) for c in found]})
        else:
            say(_title(*laws))
            _show_changes(found)
        return
    amendment = _compared(store, laws, by=by, why=why, quiet=as_json)
    if out is not None:
        from meanscheck.caseload.writing import write_file

        write_file(amendment.rows, out)
    if as_json:
        print_json(_json(amendment))
    else:
        _show(amendment, most=most)
        if out is not None:
            say(f"All {amendment.rows.height} written to {out.name}")


def _pack(name: str, base: str | None) -> RulePack:
    """The pack named, or `base` under the overlay named."""
    from meanscheck.law.resolve import RulePack

    if base is not None and name.endswith(".toml"):
        return RulePack.load(base, overlay=name)
    return RulePack.load(name)


def _law(pack: RulePack, on: date, law_of: str | None, option: str, accept: list[str] | None) -> Law:
    """The pack's law, of its own day if one is given, asked about the facts of `on`."""
    known = [a for a in accept or () if a in pack.parameters or a in pack.variables]
    day = on if law_of is None else day_of(law_of, option)
    law = pack.on(day, accept=known)
    if not law.programmes:
        raise InputError(
            f"no programme is in force on {day}", where=pack.place, remedy=f"The pack begins on {pack.first_day}"
        )
    return law if day == on else replace(law, on=on, name=f"{law.name}, law of {day}")


def _compared(store: Path, laws: tuple[Law, Law], *, by: str | None, why: str | None, quiet: bool) -> Amendment:
    from meanscheck.caseload.amending import compare_laws
    from meanscheck.evidence import Store

    office, later = office_at(store), Later()
    office.shows("rules diff", ["*"], by=by, why=why)
    with Store.open(office.store) as opened, stages(quiet=quiet) as bars:
        with bars.stage("order the evidence"):
            snapshot = opened.snapshot()
            units = opened.project(snapshot, on=laws[0].on).units
        with bars.stage("decide under both laws", "cases", units) as later.to:
            return compare_laws(opened, *laws, snapshot=snapshot, progress=later)


# ---- for a person


def _title(old: Law, new: Law) -> Any:
    return painted(f"{old.name} ({old.code})  →  {new.name} ({new.code}), on {old.on}", "bold")


def _show_changes(found: tuple[Change, ...]) -> None:
    if not found:
        say("The two laws say the same.")
        return
    page = table("", "what", "before", "after", "source", title=f"What differs in the law ({len(found)})")
    for c in found:
        label = c.name if c.label in (c.id, c.name) else f"{c.name}\n{c.label_zh}"
        page.add_row(c.kind, label, *("–" if x is None else x for x in (c.before, c.after)), ", ".join(c.cite))
    say(page)


def _show(a: Amendment, *, most: int) -> None:
    say(_title(a.old, a.new))
    _show_changes(a.changes)
    if not a.changes:
        return
    page = table("programme", "outcome", "cases>", title=f"Whose outcome or award differs, of {a.units} cases")
    for total in a.totals:
        name = f"{total.programme} {total.label_zh}"
        for before, after, n in total.flips:
            page.add_row(name, f"{before or 'not in force'} → {after or 'not in force'}", f"{n:,}")
            name = ""
        for words, n in (("gets more", total.raised), ("gets less", total.lowered)):
            if n:
                page.add_row(name, words, f"{n:,}")
                name = ""
    if page.row_count:
        say(page)
        _show_costs(a.totals)
        _show_reasons(a)
        _show_cases(a, most)
    else:
        say(f"No outcome and no award differs in {a.units} cases.")


def _show_costs(totals: tuple[Total, ...]) -> None:
    from meanscheck.values.money import format_yuan

    page = table(
        "programme", "", "eligible before>", "after>", "yuan before>", "after>", "difference>", title="What it costs"
    )
    for t in totals:
        if t.fen_before or t.fen_after or t.eligible_before or t.eligible_after:
            unit = {"money/month": "a month", "money": "in all", "": "no amount"}[t.unit]
            counts = (f"{t.eligible_before:,}", f"{t.eligible_after:,}")
            amounts = (format_yuan(f) for f in (t.fen_before, t.fen_after, t.fen_after - t.fen_before))
            page.add_row(t.programme, unit, *counts, *(amounts if t.unit else ("", "", "")))
    say(page)


def _show_reasons(a: Amendment) -> None:
    page = table("change", "differs for>", "flips>", title="By which change (one case may rest on several)")
    for name, n, flips in a.by_change:
        page.add_row(name, f"{n:,}", f"{flips:,}")
    say(page)


def _show_cases(a: Amendment, most: int) -> None:
    from meanscheck.values.money import format_yuan

    page = table("case", "programme", "before!", "after!", "tests", "by", title="Cases")
    rows = a.rows if most == 0 else a.rows.head(most)
    for row in rows.iter_rows(named=True):
        programme = row["programme"] + (f" {row['member']}" if row["member"] else "")
        sides = []
        for side in ("before", "after"):
            fen = row[f"award_fen_{side}"]
            sides.append((row[f"outcome_{side}"] or "not in force") + ("" if fen is None else f" {format_yuan(fen)}"))
        by = (" and " if row["together"] else ", ").join(row["by"])
        page.add_row(row["case_id"], programme, *sides, ", ".join(row["tests"]), by)
    say(page)
    if rows.height < a.rows.height:
        say(f"… and {a.rows.height - rows.height:,} more: --most 0 shows all, --out FILE writes them")


# ---- for a program


def _head(old: Law, new: Law) -> dict[str, Any]:
    sides = {
        side: {"name": law.name, "code": law.code, "digest": law.digest} for side, law in (("old", old), ("new", new))
    }
    return {"on": old.on.isoformat(), **sides}


def _json(a: Amendment) -> dict[str, Any]:
    return {
        **_head(a.old, a.new),
        "units": a.units,
        "changes": [asdict(c) for c in a.changes],
        "totals": [{**asdict(t), "flips": [list(f) for f in t.flips]} for t in a.totals],
        "by_change": [{"change": name, "differs": n, "flips": flips} for name, n, flips in a.by_change],
        "rows": a.rows.to_dicts(),
    }
