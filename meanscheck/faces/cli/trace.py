"""``meanscheck trace``: the rows behind a figure of a case's last decision, down to file and line.

It shows a family's values, because the caseworker who answers for the decision has to see them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from meanscheck.errors import InputError
from meanscheck.faces.cli.office import By, For, StorePath, office_at
from meanscheck.faces.cli.page import AsJson, in_words, print_json, say, table

if TYPE_CHECKING:
    from meanscheck.decisions.tracing import Source, Step
    from meanscheck.law.law import Law

Language = Literal["zh", "en"]
_WORDS: dict[str, dict[Any, str]] = {
    "zh": {
        "unknown": "未知",
        "no award": "无（不符合条件）",
        True: "是",
        False: "否",
        "rows": "行",
        "left": "另有 {} 行不计入（期间、条件或已核减）",
        "people": "另有 {} 人不计入",
        "again": "（见上）",
        "none": "没有计入的记录",
        "greatest": "取其大，另为 {} = {}",
        "least": "取其小，另为 {} = {}",
        "agrees": "与已封存的决定一致",
    },
    "en": {
        "unknown": "unknown",
        "no award": "none",
        True: "yes",
        False: "no",
        "rows": "rows",
        "left": "{} more rows do not count (window, condition or disregarded)",
        "people": "{} more persons do not count",
        "again": "(as above)",
        "none": "no row counts",
        "greatest": "the greater counts; the other: {} = {}",
        "least": "the smaller counts; the other: {} = {}",
        "agrees": "as in the sealed decision",
    },
}
_SIGNS = {"+": "+", "-": "−", "*": "×", "/": "÷", "neg": "−", "least": "最小 least", "greatest": "最大 greatest"}


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
                "steps": [_json(step) for step in steps],
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
        say(_WORDS[lang]["agrees"])


def _loaded(text: bytes | str) -> Any:
    import json

    return json.loads(text)


def _recorded(groups: dict[str, Any], step: Step, law: Law) -> Any:
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


def _plain(step: Step) -> Any:
    from meanscheck.decisions.record import json_value
    from meanscheck.law.types import RATIO

    is_ratio = step.type.kind == "num" and step.type.form == RATIO.form and isinstance(step.value, int)
    return json_value(Fraction(step.value) if is_ratio and isinstance(step.value, int) else step.value)


# ---- words


def _text(step: Step, value: Any, lang: Language) -> str:
    from meanscheck.values.money import format_yuan

    if value is None:
        return _WORDS[lang]["unknown"]
    if isinstance(value, bool):
        return _WORDS[lang][value]
    if isinstance(value, Fraction):
        if value.denominator == 1:
            return _text(step, int(value), lang)
        numerator = format_yuan(value.numerator) if step.is_money else str(value.numerator)
        return f"{numerator}/{value.denominator}"
    if isinstance(value, int) and step.is_money:
        return format_yuan(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _name(step: Step, lang: Language) -> str:
    from meanscheck.contracts import all_feeds

    who = f" [{step.who}]" if step.who else ""
    if step.kind == "rows":
        function, _, subject = step.name.partition(" ")
        feed, _, column = subject.partition(".")
        title = all_feeds()[feed].title_zh if lang == "zh" else feed
        return f"{function} {title}{'.' + column if column else ''}{who}"
    label = step.label_zh if lang == "zh" else step.label
    if step.kind == "operation":
        return _SIGNS.get(step.name, step.name) + who
    return f"{label} {step.name}{who}".strip()


def _show(step: Step, law: Law, lang: Language, *, full: bool) -> None:
    from meanscheck.decisions.explain import citation_text

    is_short = step.type.kind == "num" and not full
    say("\n".join(_short(step, lang, 0, "") if is_short else _lines(step, lang, 0)))
    if step.formula:
        say(f"  = {step.formula}")
    if step.cite:
        say("  " + "; ".join(citation_text(c, law, lang) for c in step.cite))
    sources = step.sources()
    if not sources:
        return
    zh = lang == "zh"
    page = table(
        *(
            ("表 feed", "行", "来源", "答复日", "批次", "文件")
            if zh
            else ("feed", "rows>", "sender", "answered", "batch", "file")
        )
    )
    files = Counter((s.feed, s.sender, str(s.answered_on or ""), s.batch, s.file) for s in sources)
    for (feed, sender, day, batch, file), n in sorted(files.items()):
        page.add_row(feed, str(n), sender, day, batch, file)
    say(page)


_THROUGH = ("+", "-", "neg", "if", "first_known")
"""Operations that add up or choose: their parts are told in their place."""


def _short(step: Step, lang: Language, depth: int, sign: str) -> Iterator[str]:
    """Amounts that are not nought, added up under the variable they belong to; a minus stands before what is taken off.

    Conditions, noughts and facts are left out; `--full` has them.
    """
    if step.type.kind != "num" or step.value == 0 or (step.kind == "fact" and depth and step.value is not None):
        if depth:
            return
    words, indent = _WORDS[lang], "  " * depth
    if step.kind == "operation" and step.name in _THROUGH and depth:
        parts = step.parts[:1] if step.name == "if" and len(step.parts) == 2 else step.parts
        for place, part in enumerate(parts):
            turned = step.name == "neg" or (step.name == "-" and place == 1)
            yield from _short(part, lang, depth, {"": "−", "−": ""}[sign] if turned else sign)
        return
    if step.kind == "people" and step.name.startswith("sum") and step.value is not None:
        for part in step.parts:
            yield from _short(part, lang, depth, sign)
        return
    if step.kind == "operation" and step.name in ("greatest", "least"):
        chosen = [p for p in step.parts if p.value == step.value][:1] or list(step.parts)
        for part in chosen:
            yield from _short(part, lang, depth, sign)
        others = [p for p in step.parts if p not in chosen and p.value != 0]
        for other in others:
            yield f"{indent}  ({words[step.name].format(_name(other, lang), _text(other, other.value, lang))})"
        return
    because = f"  ({in_words(step.causes)})" if step.causes else ""
    again = f" {words['again']}" if step.is_repeated else ""
    left = f"  ({words['left'].format(step.left_out)})" if step.left_out and step.kind == "rows" else ""
    value = _text(step, step.value, lang) if step.value is not None or not _has_none(step) else words["no award"]
    yield f"{indent}{sign}{_name(step, lang)} = {value}{again}{because}{left}"
    for row in step.rows:
        yield _row_line(step, row, lang, indent)
    for part in step.parts:
        yield from _short(part, lang, depth + 1, "")


def _has_none(step: Step) -> bool:
    """Whether there is no amount because a test fails, which is not the same as an unknown one."""
    return any(cause.startswith("ineligible:") for cause in step.causes)


def _row_line(step: Step, row: Source, lang: Language, indent: str) -> str:
    doubt = " ?" if row.belongs is None else ""
    place = f"{row.file}:{row.line}  {row.sender} {row.answered_on or ''}  {row.batch}  {row.ref}"
    return f"{indent}    {_text(step, row.value, lang):>14}{doubt}  {place}"


def _lines(step: Step, lang: Language, depth: int) -> Iterator[str]:
    words = _WORDS[lang]
    indent = "  " * depth
    again = f" {words['again']}" if step.is_repeated else ""
    because = f"  ({in_words(step.causes)})" if step.causes else ""
    yield f"{indent}{_name(step, lang)} = {_text(step, step.value, lang)}{again}{because}"
    for row in step.rows:
        yield _row_line(step, row, lang, indent)
    if step.kind == "rows" and not step.rows and not step.causes:
        yield f"{indent}    {words['none']}"
    if step.left_out:
        yield f"{indent}    {words['people' if step.kind == 'people' else 'left'].format(step.left_out)}"
    for part in step.parts:
        yield from _lines(part, lang, depth + 1)


def _json(step: Step) -> dict[str, Any]:
    from meanscheck.decisions.record import json_value
    from meanscheck.values.money import format_yuan

    def value(v: Any) -> Any:
        if isinstance(v, Fraction):
            return {"numerator": v.numerator, "denominator": v.denominator}
        is_amount = step.is_money and isinstance(v, int) and not isinstance(v, bool)
        return format_yuan(v) if is_amount else json_value(v)

    return {
        "kind": step.kind,
        "name": step.name,
        "member": step.who or None,
        "label": step.label,
        "label_zh": step.label_zh,
        "value": value(step.value),
        "formula": step.formula or None,
        "cite": list(step.cite),
        "causes": list(step.causes),
        "left_out": step.left_out,
        "repeated": step.is_repeated,
        "rows": [
            {
                "member": r.member,
                "feed": r.feed,
                "file": r.file,
                "line": r.line,
                "sender": r.sender,
                "answered_on": r.answered_on,
                "batch": r.batch,
                "row_ref": r.ref,
                "belongs": r.belongs,
                "value": value(r.value),
            }
            for r in step.rows
        ],
        "parts": [_json(part) for part in step.parts],
    }
