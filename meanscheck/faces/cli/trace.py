"""``meanscheck trace``: the rows behind a figure of a case's last decision, down to file and line.

It shows a family's values, because the caseworker who answers for the decision has to see them.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from meanscheck.errors import InputError
from meanscheck.faces.cli.office import By, For, StorePath, office_at
from meanscheck.faces.cli.page import AsJson, print_json, say, table

if TYPE_CHECKING:
    from meanscheck.decisions.explaining import Explanation
    from meanscheck.law.law import Law

Language = Literal["zh", "en"]
AGREES = {"zh": "与已封存的决定一致", "en": "as in the sealed decision"}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("trace")(trace)


def trace(
    store: StorePath,
    case: Annotated[str, typer.Argument(help="A case.", metavar="CASE")],
    figure: Annotated[
        str,
        typer.Argument(help="A variable such as household_income, or a programme for its amount.", metavar="FIGURE"),
    ],
    member: Annotated[str | None, typer.Option("--member", help="One person, of a figure of persons.")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Also what is nought, conditions, and every operation of the formulas.")
    ] = False,
    lang: Annotated[Language, typer.Option("--lang", help="Language.")] = "zh",
    by: By = None,
    why: For = None,
    as_json: AsJson = False,
) -> None:
    """The rows behind a figure of a case's last decision. Exit 1 if it does not come out as decided."""
    from meanscheck.decisions.explaining import data
    from meanscheck.decisions.tracing import traced
    from meanscheck.evidence import Store
    from meanscheck.law import Law

    office = office_at(store)
    groups = {name: _loaded(text) for name, text in office.latest(case).groups.items()}
    provenance = groups["provenance"]
    with Store.open(office.store, read_only=True) as opened:
        law = Law.from_json(opened.law_text(provenance["law"]))
        steps = traced(opened, law, case, figure, member=member, snapshot=provenance["snapshot"])
    office.shows("trace", [case], by=by, why=why)
    agrees = [_recorded(groups, step, law) == _plain(step) for step in steps]
    if as_json:
        print_json(
            {
                "case": case,
                "figure": figure,
                "on": law.on,
                "law": law.digest,
                "snapshot": provenance["snapshot"],
                "agrees": all(agrees),
                "steps": [data(step, law) for step in steps],
            }
        )
    else:
        for step in steps:
            _show(step, law, lang, full=full)
    if not all(agrees):
        wrong = InputError(
            "the figure does not come out as it was decided", where=figure, remedy="`meanscheck replay` says why"
        )
        typer.echo(f"meanscheck: {wrong}", err=True)
        raise typer.Exit(1)
    if not as_json:
        say(AGREES[lang])


def _loaded(text: bytes | str) -> Any:
    import json

    return json.loads(text)


def _recorded(groups: dict[str, Any], step: Explanation, law: Law) -> Any:
    """What the record holds of a figure."""
    if step.name.endswith(".award"):
        programme = step.name.removesuffix(".award")
        result = groups["result"]
        lists = [m["outcomes"] for m in result["members"] if m["id"] == step.who] if step.who else [result["household"]]
        return next((o["award"] for own in lists for o in own if o["programme"] == programme), None)
    means = groups["means"]
    entity = law.variables[step.name].entity
    if entity == "household":
        return means["household"].get(step.name)
    return next((p["values"].get(step.name) for p in means[f"{entity}s"] if p["id"] == step.who), None)


def _plain(step: Explanation) -> Any:
    from meanscheck.decisions.record import json_value

    is_ratio = step.unit == "ratio" and isinstance(step.value, int)
    return json_value(Fraction(step.value) if is_ratio and isinstance(step.value, int) else step.value)


def _show(step: Explanation, law: Law, lang: Language, *, full: bool) -> None:
    from meanscheck.decisions.explaining.text import figure_text
    from meanscheck.decisions.explaining.words import citations_text, feed_of, sender_of

    say(figure_text(step, law, lang, is_full=full or step.unit == "bool"))
    if step.formula:
        say(f"  = {step.formula}")
    if step.cite:
        say("  " + citations_text(step, lang))
    sources = step.sources()
    if not sources:
        return
    zh = lang == "zh"
    page = table(
        *(
            ("信息类别", "行数", "来源", "答复日", "批次", "文件")
            if zh
            else ("feed", "rows>", "sender", "answered", "batch", "file")
        )
    )
    places = [s.place for s in sources if s.place is not None]
    files = Counter((feed_of(p, lang), sender_of(p, lang), str(p.answered_on or ""), p.batch, p.file) for p in places)
    for (feed, sender, day, batch, file), n in sorted(files.items()):
        page.add_row(feed, str(n), sender, day, batch, file)
    say(page)
