"""Which smallest change of one fact would turn an outcome of one case? Nodes of kind ``change`` for its tree.

Each was decided again with the evidence changed before it is told (see `law.counterfactuals`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from meanscheck.contracts import all_feeds
from meanscheck.decisions.explaining.tree import Explanation, cited
from meanscheck.decisions.explaining.words import with_unit
from meanscheck.law.counterfactuals import counterfactuals
from meanscheck.law.framed import framed
from meanscheck.law.law import Law
from meanscheck.law.vectors import VectorRun

if TYPE_CHECKING:
    from meanscheck.decisions.tracing import Tracer


def changes(evidence: Tracer) -> list[Explanation]:
    """The changes that would turn outcomes of the case, in the order of programmes and members."""
    law = evidence.law
    found = counterfactuals(VectorRun(law, framed(law, [evidence.given])))
    return [_change(line, law) for line in found.iter_rows(named=True)]


def _change(line: dict[str, Any], law: Law) -> Explanation:
    test = next(t for t in law.programme(line["programme"]).tests if t.id == line["test"])
    is_money = line["unit"] == "fen"
    node = Explanation(
        "change",
        line["programme"],
        line["member"] or "",
        "money" if is_money else "number",
        line["from"],
        line["to"],
        line["change"],
        line["months"] if is_money else None,
        holds=line["turns_to"] == "eligible",
        formula=line["fact"],
        cite=cited(law, tuple(line["cite"]), test.quote),
    )
    feed, _, column = line["fact"].partition(".")
    contract = all_feeds()[feed]
    title = contract.title_zh + (f"·{contract.column(column).title_zh}" if column else "")
    values = [(v, "money" if is_money else "number") for v in (line["from"], line["to"], abs(line["change"]))]
    before, after, by = (with_unit(*v, "zh") + ("" if is_money else " 条") for v in values)
    label_zh = (
        f"{test.label_zh}：若 {line['person']} 的{title}由 {before} {'减' if line['change'] < 0 else '增'}至 {after}"
    )
    label_zh += f"（相差 {by}{_monthly(node, zh=True)}），则{'符合条件' if node.holds else '不再符合条件'}"
    before, after, by = (with_unit(*v, "en") + ("" if is_money else " rows") for v in values)
    label = (
        f"{'would be' if node.holds else 'no longer'} eligible if {line['fact']} of {line['person']} were {after} and "
    )
    label += f"not {before}: {by} {'less' if line['change'] < 0 else 'more'}{_monthly(node, zh=False)} ({test.label})"
    return replace(node, label=label, label_zh=label_zh)


def _monthly(node: Explanation, *, zh: bool) -> str:
    if node.months is None or node.months < 2 or node.margin is None:
        return ""
    each, rest = divmod(abs(node.margin), node.months)
    amount = ("≈" if rest else "") + with_unit(each, "money", "zh" if zh else "en")
    return f"，每月{amount}" if zh else f", {amount} a month"
