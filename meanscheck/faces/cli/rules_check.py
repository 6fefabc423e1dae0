"""What is wrong with a pack, and what does no case of it show? The part of ``rules check`` that runs the cases.

What is wrong comes first, with file and line: a figure that its formula does not give, a case that cannot be read or
does not come out as expected. Then what is missing: lines, sides, revisions that no case shows, and what none can show
as long as a formula is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meanscheck.faces.cli.page import painted, say, table

if TYPE_CHECKING:
    from meanscheck.law.coverage import Gap

HEADINGS = {
    "line": "no case on a side of its line, or on it",
    "side": "no case on one side of a condition",
    "unreached": "no case uses it on any day",
    "beyond": "no case can show it yet",
}


@dataclass(frozen=True, slots=True)
class Proof:
    """What the cases say of one pack: what is wrong, one line each, and what they leave open with its place."""

    place: str
    cases: int
    wrong: tuple[str, ...]
    gaps: tuple[tuple[str, Gap], ...]

    @property
    def owes(self) -> bool:
        """Whether there is a case that would show something more."""
        return any(gap.kind != "beyond" for _, gap in self.gaps)

    def to_json(self) -> dict[str, Any]:
        """As ``rules check --json`` prints it."""
        return {
            "cases": self.cases,
            "wrong": list(self.wrong),
            "gaps": [{"where": where, **asdict(gap)} for where, gap in self.gaps],
        }


def proofs(folders: Sequence[Path]) -> dict[str, Proof]:
    """Place → what its cases say, for packs that load; each case is run once for all of them."""
    from meanscheck.law.case_runs import Cases
    from meanscheck.law.coverage import gaps
    from meanscheck.law.derived_checks import differences
    from meanscheck.law.lines import Lines

    cases = Cases(folders)
    found: dict[str, Proof] = {}
    for folder, pack in cases.packs.items():
        lines = Lines(folder)
        wrong = [f"{lines.place(d.file, d.thing, d.since)}: {d.thing} {d.since}: {d.what}" for d in differences(pack)]
        wrong += [fault for fault in cases.faults if fault.startswith(f"{pack.place}: ")]
        own = [run for run in cases.runs if run.pack is pack]
        wrong += [f"{run.name}: {line}" for run in own for line in run.result.unmet]
        open_ones = tuple((lines.place(g.file, g.thing, g.since[0]), g) for g in gaps(pack, cases))
        found[pack.place] = Proof(pack.place, len(own), tuple(wrong), open_ones)
    return found


def show(proof: Proof) -> None:
    """What is wrong, then what is missing."""
    if proof.wrong:
        say(painted(f"Wrong in {proof.place} ({len(proof.wrong)})", "bold red"))
        for line in proof.wrong:
            say(f"  {line}")
        say()
    if not proof.owes:
        say(f"{proof.cases} cases show every line, side and revision\n")
    else:
        say(painted(f"What no case shows of {proof.place} ({proof.cases} cases of its own)", "bold"))
    for kind, heading in HEADINGS.items():
        found = [(where, gap) for where, gap in proof.gaps if gap.kind == kind]
        if found:
            say(_page(f"{heading} ({len(found)})", found))


def _page(title: str, found: Iterable[tuple[str, Gap]]) -> Any:
    page = table("where!", "rule", "from", "needed", title=title)
    last = ("", "")
    for where, gap in found:
        this = (where, gap.thing)
        name = where.rsplit("/", 1)[-1]
        days = ", ".join(map(str, gap.since))
        page.add_row(*(("", "", "") if this == last else (name, gap.thing, days)), gap.needed)
        last = this
    return page
