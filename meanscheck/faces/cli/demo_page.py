"""What does the demo tell? One page that a person enjoys reading, or the same as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from meanscheck.faces.cli import casework
from meanscheck.faces.cli.page import painted, say, table
from meanscheck.faces.cli.referred import show_causes, show_waiting
from meanscheck.faces.cli.truth import Agreement, Points, agreement, doubtful_points

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meanscheck.evidence import Store
    from meanscheck.faces.cli.demo import Run

REASONS = {
    "accepted": "taken in",
    "quarantined": "set aside, with file, line and reason",
    "not_covered": "not kept: no live consent of the person",
    "not_requested": "not kept: nobody asked about the person",
    "repeated": "repeats of a row",
}


def as_json(run: Run, store: Store) -> dict[str, Any]:
    """The whole summary as plain JSON values."""
    page = Page(run, store)
    return {
        "county": run.county.describe(),
        "intake": dict(page.intake),
        "quarantine": run.quarantine,
        **casework.assessment_json(run.assessment, run.sealed),
        "against_truth": {name: asdict(a) for name, a in page.agreement.items()},
        "doubtful_points": {name: asdict(p) for name, p in page.points.items()},
        "receipts": len(run.receipts),
        "verified": run.verified,
        "replayed_equal": run.replayed,
        "faults": list(run.faults),
        "folder": str(run.office.store.parent),
        "seconds": round(run.seconds, 1),
    }


class Page:
    """The demo's page; made while the store is open, shown after it is closed."""

    def __init__(self, run: Run, store: Store) -> None:
        self.run = run
        self.intake = Counter[str]()
        for report in run.intake:
            self.intake.update({name: getattr(report, name) for name in REASONS})
        self.agreement: Mapping[str, Agreement] = agreement(run.assessment.outcomes, run.county.truth)
        self.points: Mapping[str, Points] = doubtful_points(store, run.assessment.outcomes, run.county.truth)

    def show(self) -> None:
        """Print it."""
        made = self.run.county
        say()
        say(painted("A made-up county", "bold"))
        say(
            f"  {made.households:,} applications, {made.persons:,} persons, {sum(made.rows.values()):,} rows in "
            f"{made.files} files of {len(made.rows)} feeds, seed {made.seed}. Nobody in it is real.\n"
        )
        self._intake()
        casework.show_outcomes(self.run.assessment)
        self._accepted()
        show_causes(self.run.assessment)
        show_waiting(self.run.assessment)
        self._truth()
        self._seal()
        self._places()

    def _intake(self) -> None:
        page = table("rows>", "", title="What the files brought")
        for name, words in REASONS.items():
            page.add_row(f"{self.intake[name]:,}", words)
        say(page)
        if self.run.quarantine:
            from meanscheck.contracts.reasons import REASONS as REASON_TEXTS

            page = table("rows>", "reason", "", title="Why rows were set aside")
            for reason, n in self.run.quarantine.items():
                if reason == "repeated_row":  # counted above
                    continue
                page.add_row(f"{n:,}", REASON_TEXTS[reason].en, REASON_TEXTS[reason].zh)
            say(page)

    def _accepted(self) -> None:
        accepted = self.run.assessment.law.accepted
        words = ", ".join(accepted) if accepted else "nothing; figures marked unsure are not used"
        say(f" Accepted by name although unsure: {words}\n")

    def _truth(self) -> None:
        page = table(
            "programme!",
            "decided>",
            "rightly>",
            "wrongly eligible>",
            "wrongly not eligible>",
            "other amount>",
            "referred>",
            "of them truly eligible>",
            title="Against the truth, which only a made-up county has",
        )
        for name, a in self.agreement.items():
            wrong = (a.wrongly_eligible, a.wrongly_ineligible, a.award_differs)
            page.add_row(
                name,
                f"{a.decided:,}",
                f"{a.equal:,}",
                *(painted(f"{n:,}", "red" if n else "green") for n in wrong),
                f"{a.referred:,}",
                f"{a.referred_eligible:,}",
            )
        say(page)
        page = table(
            "register!",
            "cases referred>",
            "of them in vain>",
            "entries raised>",
            "of them false>",
            "true facts>",
            "missed>",
            title="Doubtful points (疑点) before any review; missed: no consent, no answer, or an unreadable row",
        )
        for name, p in self.points.items():
            page.add_row(name, *(f"{n:,}" for n in (p.referred, p.in_vain, p.raised, p.false, p.true, p.missed)))
        say(page)

    def _seal(self) -> None:
        run, n = self.run, len(self.run.receipts)
        say(painted("Sealed", "bold"))
        say(f"  batch {run.sealed.batch_id}: {run.sealed.count:,} decisions in a log of {run.sealed.size:,} entries")
        say(f"  law {run.assessment.law.digest}")
        say(f"  records root {run.assessment.records_root}")
        good = run.verified == run.replayed == n
        line = f"  {n} receipts written · {run.verified} verified · {run.replayed} replayed equal in every field"
        say(painted(line, "green" if good else "red"))
        for fault in run.faults:
            say(painted(f"  {fault}", "red"))
        say()

    def _places(self) -> None:
        office = self.run.office
        page = table("", "", title="Where everything is", show_header=False)
        for place, words in (
            (office.store.parent / "inbox", "the departments' files, with manifests"),
            (office.store, "the evidence store"),
            (office.vault, "records and salts of the decisions, sealed: the office's own"),
            (office.ledger, "the log: may be published"),
            (office.policy, "whom an auditor trusts"),
            (office.receipts, f"{len(self.run.receipts)} receipts, one per sampled case"),
            (office.store.parent / "truth", "what is truly so in the made-up county"),
        ):
            page.add_row(str(place), words)
        say(page)
        first = self.run.receipts[0]
        say(painted(f"Done in {self.run.seconds:.0f} s. Try next:", "bold"))
        say(f"  meanscheck verify {first} --policy {office.policy}")
        say(f"  meanscheck replay {first} --store {office.store}")
        say(f"  meanscheck explain {office.store} {first.stem}")
