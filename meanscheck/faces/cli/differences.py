"""``meanscheck discrepancies``: what was declared and found, and what feeds say against each other, by caseload."""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meanscheck.faces.cli.office import By, For, StorePath, office_at
from meanscheck.faces.cli.page import AsJson, say, table
from meanscheck.faces.cli.progress import Later, stages
from meanscheck.faces.cli.rules import Pack, day_of

if TYPE_CHECKING:
    from meanscheck.law import Law


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("discrepancies")(discrepancies)


def discrepancies(
    store: StorePath,
    pack: Pack,
    on: Annotated[
        str | None, typer.Option("--on", help="Day whose law and facts count; today if left out.", metavar="DATE")
    ] = None,
    declared: Annotated[
        bool, typer.Option("--declared", help="Only where less was declared than found, for the integrity record.")
    ] = False,
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """What was declared and found, and what feeds say against each other, in every case. It decides nothing."""
    from meanscheck.decisions import discrepancies as listed
    from meanscheck.decisions.discrepancies import line_json
    from meanscheck.evidence import Store
    from meanscheck.law import RulePack

    law = RulePack.load(pack).on(day_of(on, "--on") if on else date.today())
    tally, later, first = Tally(), Later(), True
    office = office_at(store)
    if as_json:
        office.shows("discrepancies", ["*"], by=by, why=why)
    with Store.open(office.store) as opened, stages(quiet=as_json) as bars:
        with bars.stage("order the evidence"):
            snapshot = opened.snapshot()
            units = opened.project(snapshot, on=law.on).units
        with bars.stage("compare", "cases", units) as later.to:
            for frame in listed(opened, law, snapshot=snapshot, progress=later):
                lines = frame.filter("may_enter_record") if declared else frame
                for line in lines.iter_rows(named=True):
                    if as_json:
                        # One list, written as it comes: a nation's lines need not fit into memory.
                        text = json.dumps(line_json(line), ensure_ascii=False)
                        sys.stdout.write(f"{'[' if first else ','}\n{text}")
                        first = False
                    tally.add(line)
    if as_json:
        sys.stdout.write("[]\n" if first else "\n]\n")
        return
    tally.show(law)


class Tally:
    """Counts by kind and verdict, and the sum of differences."""

    def __init__(self) -> None:
        self.verdicts: Counter[tuple[str, str]] = Counter()
        self.amounts: Counter[str] = Counter()
        self.cases: set[str] = set()

    def add(self, line: dict[str, Any]) -> None:
        """Count one line."""
        self.verdicts[line["kind"], line["verdict"]] += 1
        self.amounts[line["kind"]] += line["difference_fen"] or 0
        self.cases.add(line["case_id"])

    def show(self, law: Law) -> None:
        """As a table."""
        from meanscheck.values.money import format_yuan

        page = table("kind!", "", "a person decides>", "settled by findings>", "by a rule>", "differences in all>")
        page.title = f"Discrepancies as of {law.on} under the law of {law.name}"
        for kind, conflict in law.conflicts.items():
            counts = [self.verdicts[kind, verdict] for verdict in ("open", "finding", "rule")]
            if any(counts):
                amount = format_yuan(self.amounts[kind]) if conflict.kind.has_figures else ""
                page.add_row(kind, conflict.label_zh, *(f"{n:,}" for n in counts), amount)
        say(page)
        say(
            f"{sum(self.verdicts.values()):,} in {len(self.cases):,} cases; --json lists them with their rows and rules"
        )
