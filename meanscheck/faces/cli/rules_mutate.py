"""``meanscheck rules mutate``: which small faults in a pack would none of its cases notice?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meanscheck.faces.cli.page import AsJson, complain, painted, print_json, say, table
from meanscheck.faces.cli.progress import stages

if TYPE_CHECKING:
    from pathlib import Path

    from meanscheck.law.mutating import Mutation, Report, Verdict

PROCESSES = 2
CHUNK = 25
TRIED = 4
"""Chunks after which it can be told how long the rest takes."""


def mutate(
    pack: Annotated[str, typer.Argument(help="A pack's folder, such as rules/cn/guangdong/jiangmen.", metavar="PACK")],
    only: Annotated[
        str | None, typer.Option("--only", help="Only mutants whose name holds TEXT.", metavar="TEXT")
    ] = None,
    sample: Annotated[int, typer.Option("--sample", help="Only so many mutants, drawn by --seed; 0 for all.")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Draws the sample.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Change one thing at a time in a pack's own files, and list the changes that no case notices.

    Cases are those of the pack and of the packs below it. Exit 1 if a change is neither noticed nor explained in the
    pack's mutants.toml, or an explanation explains nothing.
    """
    from meanscheck.faces.cli.rules import folder_of
    from meanscheck.law.mutating import Mutation, drawn, report

    folder = folder_of(pack)
    with stages(quiet=as_json) as bars:
        begun = time.monotonic()
        with bars.stage("cases"):
            mutation = Mutation(folder)
        reading = time.monotonic() - begun
        chosen = drawn(mutation, only=only or "", sample=sample, seed=seed)
        begun = time.monotonic()
        verdicts: list[Verdict] = []
        with bars.stage("mutants", "mutants", len(chosen)) as tell:
            for chunk in _judged(mutation, folder, chosen, reading=reading):
                verdicts += chunk
                tell(len(verdicts), len(chosen))
        seconds = time.monotonic() - begun
    found = report(mutation, verdicts)
    rate = len(verdicts) / seconds if seconds else 0.0
    # A sample says nothing of what was not drawn, so it cannot find an explanation wanting.
    stale = found.stale if len(chosen) == len(mutation.mutants) else ()
    if as_json:
        print_json(_json(found, stale, cases=len(mutation.cases.runs), rate=rate))
    else:
        _show(found, folder, cases=len(mutation.cases.runs), rate=rate)
    for pattern in stale:
        complain(f"{found.place}: an explanation of what is noticed, or is not there: {pattern}")
    if found.open or stale:
        raise typer.Exit(1)


def _judged(mutation: Mutation, folder: Path, chosen: Sequence[int], *, reading: float) -> Iterator[list[Verdict]]:
    """The verdicts in the order of the mutants: by this process, and what is left by two where that ends sooner.

    A new process reads pack and cases again, `reading` seconds; so it must be left enough to do.
    """
    from meanscheck.engines.processes import in_order

    chunks = [range(i, min(i + CHUNK, len(chosen))) for i in range(0, len(chosen), CHUNK)]
    begun = time.monotonic()
    for done, chunk in enumerate(chunks):
        if done >= TRIED and (time.monotonic() - begun) / done * (len(chunks) - done) > (PROCESSES + 1) * reading:
            yield from in_order(_Share(folder, tuple(chosen)), chunks[done:], processes=PROCESSES)
            return
        yield [mutation.judge(mutation.mutants[chosen[i]]) for i in chunk]


@dataclass(frozen=True, slots=True)
class _Share:
    """Mutants by their number; each process reads pack and cases for itself and counts alike."""

    folder: Path
    chosen: tuple[int, ...]

    @contextmanager
    def open(self) -> Iterator[Callable[[int, range], list[Verdict]]]:
        from meanscheck.law.mutating import Mutation

        mutation = Mutation(self.folder)
        yield lambda _, span: [mutation.judge(mutation.mutants[self.chosen[i]]) for i in span]


def _show(found: Report, folder: Path, *, cases: int, rate: float) -> None:
    from meanscheck.law.lines import Lines

    lines = Lines(folder)
    by_file: dict[str, list[Verdict]] = {}
    for verdict in found.open:
        by_file.setdefault(found.mutants[verdict.mutant].file, []).append(verdict)
    for file, verdicts in by_file.items():
        page = table("line>", "rule", "changed, and nobody notices", "case needed", title=f"{file} ({len(verdicts)})")
        last = ""
        for verdict in verdicts:
            mutant = found.mutants[verdict.mutant]
            days = ", ".join(map(str, mutant.since))
            rule = f"{mutant.thing}\n{days}"
            line = lines.place(file, mutant.thing, mutant.since[0]).removeprefix(file).removeprefix(":")
            needed = mutant.needed if verdict.fate == "unnoticed" else f"no case comes here yet: {mutant.needed}"
            page.add_row(line, "" if rule == last else rule, mutant.told, needed)
            last = rule
        say(page)
    noticed = sum(1 for v in found.verdicts if v.fate == "noticed")
    words = [f"{len(found.verdicts)} mutants of {found.place}", f"{cases} cases", f"{noticed} noticed"]
    words.append(f"{len(found.explained)} explained")
    words.append(f"{len(found.open)} neither")
    say(painted(", ".join(words), "bold" if found.open else "green"))
    say(f"{rate:,.0f} mutants a second")


def _json(found: Report, stale: Sequence[str], *, cases: int, rate: float) -> dict[str, Any]:
    return {
        "place": found.place,
        "cases": cases,
        "mutants": len(found.verdicts),
        "noticed": sum(1 for v in found.verdicts if v.fate == "noticed"),
        "rate": round(rate),
        "explained": [{"id": name, "why": why} for name, why in found.explained.items()],
        "stale": list(stale),
        "open": [
            {
                "id": v.mutant,
                "file": found.mutants[v.mutant].file,
                "rule": found.mutants[v.mutant].thing,
                "since": [str(d) for d in found.mutants[v.mutant].since],
                "changed": found.mutants[v.mutant].told,
                "needed": found.mutants[v.mutant].needed,
                "reached": v.fate == "unnoticed",
            }
            for v in found.open
        ],
    }
