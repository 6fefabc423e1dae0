"""``meanscheck rules prove``: theorems about a pack, for every household and not only for the stated cases."""

from __future__ import annotations

from contextlib import AbstractContextManager
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from meanscheck.faces.cli.page import AsJson, complain, painted, print_json, say, table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from meanscheck.faces.cli.progress import Stages, Tell
    from meanscheck.law.proving.amendments import Amendment
    from meanscheck.law.proving.asking import Shown
    from meanscheck.law.proving.cliffs import Cliff
    from meanscheck.law.proving.proof import Proof
    from meanscheck.law.proving.theorems import Theorem

COLOURS = {"proved": "green", "refuted": "red", "open": "yellow"}
EFFECTS = {
    "same": "changes nothing for anyone",
    "changes": "changes",
    "decides": "decides from this day",
    "refers": "refers from this day",
    "open": "open",
}


def prove(
    pack: Annotated[str, typer.Argument(help="A pack's folder, such as rules/cn/guangdong/jiangmen.", metavar="PACK")],
    on: Annotated[str | None, typer.Option("--on", help="Only the law of that day.", metavar="DATE")] = None,
    programme: Annotated[list[str] | None, typer.Option("--programme", help="Only this programme.")] = None,
    members: Annotated[int, typer.Option("--members", min=1, max=8, help="Households of up to so many members.")] = 3,
    supporters: Annotated[int, typer.Option("--supporters", min=0, max=4, help="And so many supporters.")] = 1,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="How long to think about one question.")] = 10,
    theorems_only: Annotated[bool, typer.Option("--theorems-only", help="No amendments and no cliffs.")] = False,
    households: Annotated[bool, typer.Option("--households", help="Show the households of amendments, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Prove what the law does for every household.

    Exit 1 if something that the pack claims does not hold, and no theorems.toml of its folders says why.
    """
    from meanscheck.faces.cli.progress import stages
    from meanscheck.faces.cli.rules import day_of
    from meanscheck.law.proving import needs_solver

    needs_solver()
    from meanscheck.law.proving.household import Extent
    from meanscheck.law.proving.proof import prove as prove_pack

    day = None if on is None else day_of(on, "--on")
    with stages(quiet=as_json) as bars:
        proof = prove_pack(
            pack,
            extent=Extent(members, supporters),
            seconds=seconds,
            stage=lambda name: _bar(bars, name),
            clock=perf_counter,
            on=day,
            programmes=programme or (),
            with_changes=not theorems_only,
        )
    if as_json:
        print_json(proof.to_json())
    else:
        _show(proof, households=households)
    for th in proof.unexplained:
        complain(f"refuted: {th.programme}, {th.claim}, from {th.since}")
    for name in proof.stale:
        complain(f"theorems.toml explains what holds, or is no theorem: {name}")
    if proof.unexplained or proof.stale:
        raise typer.Exit(1)


def _bar(bars: Stages, name: str) -> AbstractContextManager[Tell]:
    return bars.stage(name)


def _show(proof: Proof, *, households: bool) -> None:
    say(painted(f"{proof.place}  {proof.name}", "bold"))
    say(f"{proof.scope}\n")
    _show_theorems(proof)
    if proof.amendments:
        _show_amendments(proof.amendments)
    if proof.cliffs:
        _show_cliffs(proof.cliffs)
    for th in _one_of_each(proof.refuted):
        _show_households(f"{th.programme}: not so that {th.claim}", th.shown)
    for cliff in proof.cliffs:
        _show_households(f"{cliff.programme}: one fen more of {cliff.by}, law of {cliff.on}", cliff.shown)
    for change in proof.amendments if households else ():
        if change.shown:
            _show_households(f"{change.programme}: the change of {change.on}", change.shown)
    explained = len(proof.refuted) - len(proof.unexplained)
    counts = {word: sum(1 for th in proof.theorems if th.verdict == word) for word in COLOURS}
    of_these = f" ({explained} of them explained)" if explained else ""
    words = ", ".join(f"{n} {word}{of_these if word == 'refuted' else ''}" for word, n in counts.items())
    say(f"{words}; {proof.seconds:.0f} seconds")


def _one_of_each(refuted: Iterable[Theorem]) -> Iterable[Theorem]:
    """The latest law under which each fails: the households of the others differ by figures only."""
    return {th.name: th for th in refuted}.values()


def _show_theorems(proof: Proof) -> None:
    page = table("programme!", "claim", "from!", "to!", "answer!", "because", "seconds>")
    last = ""
    whatever: dict[tuple[str, ...], int] = {}
    for th in proof.theorems:
        because = th.why
        if th.verdict == "proved" and th.whatever:
            because = f"whatever is not found ({whatever.setdefault(th.whatever, len(whatever) + 1)})"
        elif (why := proof.why(th)) is not None:
            because = f"{th.why}; explained: {why}" if th.why else f"explained: {why}"
        answer = painted(th.verdict, COLOURS[th.verdict])
        name = th.programme if th.programme != last else ""
        page.add_row(name, th.claim, str(th.since), _day(th.until), answer, because, f"{th.seconds:.1f}")
        last = th.programme
    say(page)
    for names, number in whatever.items():
        say(f"({number}) not found: {', '.join(names)}\n")


def _show_amendments(changes: Iterable[Amendment]) -> None:
    page = table("from!", "programme!", "what differs", "cited", "effect", title="What each change of the law changes")
    for change in changes:
        effect = EFFECTS[change.effect]
        if change.effect == "changes" and change.shown:
            effect = f"{effect}: {' → '.join(_answer(s) for s in change.shown)}"
        elif change.why:
            effect = f"{effect}: {change.why}"
        page.add_row(str(change.on), change.programme, ", ".join(change.changed), ", ".join(change.cite), effect)
    say(page)


def _answer(shown: Shown) -> str:
    from meanscheck.values.money import format_yuan

    (_, answer), *_others = shown.answers
    return answer.outcome if answer.award is None else f"{answer.outcome} {format_yuan(answer.award)}"


def _show_cliffs(cliffs: Iterable[Cliff]) -> None:
    from meanscheck.values.money import format_yuan

    page = table("programme!", "one fen more of", "loses at most>", "and", "law of!", title="The steepest cliffs")
    for cliff in cliffs:
        words = ["the status"] if cliff.status else []
        words += [f"with it {', '.join(cliff.hangs_on)}"] if cliff.hangs_on and cliff.status else []
        words += [] if cliff.exact else ["perhaps more: not settled in time"]
        page.add_row(cliff.programme, cliff.by, format_yuan(cliff.loss), "; ".join(words), str(cliff.on))
    say(page)


def _show_households(heading: str, shown: Iterable[Shown]) -> None:
    say(painted(f"# {heading}", "bold"))
    for one in shown:
        say(one.text)


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()
