"""How is a whole caseload told on one page? Outcomes, awards, why decisions wait, and which evidence would settle them.

    Jiangmen, 2020-06-30: 300 case units, batch 440700-2020-06-30-…
      dibao 最低生活保障: 41 eligible (30150.00 yuan a month), 102 not eligible, 157 referred to a person
          112 × no_answer:bank_deposits
      worth waiting for:
          bank_deposits no answer: 90 households wait for it alone, 131 in all

In Chinese nothing is told by its code: programmes, feeds and causes have their titles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from meanscheck.decisions.decision import Language
from meanscheck.decisions.explain import cause_text
from meanscheck.law.place_names import name_zh
from meanscheck.values.money import format_yuan

if TYPE_CHECKING:
    from meanscheck.decisions.assess import Assessment
    from meanscheck.law.law import Programme

_OUTCOMES: Final = ("eligible", "ineligible", "refer")
_MOST: Final = 5
"""Causes of a programme, and feeds, that are told: the commonest."""
_UNITS: Final = {
    "money/month": ("{} yuan a month", "每月合计 {} 元"),
    "money": ("{} yuan", "合计 {} 元"),
}


def summary(result: Assessment, language: Language = "zh") -> str:
    """The page as text, of an assessment that has run."""
    return "\n".join(_lines(result, language == "zh"))


def _lines(result: Assessment, zh: bool) -> Iterator[str]:
    law, units = result.law, result.projection.units
    if zh:
        yield f"{name_zh(law)} {law.on}：共 {units} 户，批次 {result.batch_id}"
    else:
        yield f"{law.name}, {law.on}: {units} case units, batch {result.batch_id}"
    gone = result.store.left_out(result.snapshot)
    if gone.withdrawn or gone.erased:
        yield (
            f"  依据库中过去某日的资料；其后撤回的授权 {gone.withdrawn} 份、删除的家庭 {gone.erased} 户除外"
            if zh
            else f"  as of a past state of the store, but for {gone.withdrawn} consents withdrawn and "
            f"{gone.erased} households erased since"
        )
    for programme in law.programmes:
        counts = [result.counts[programme.id, outcome] for outcome in _OUTCOMES]
        if not any(counts):
            continue
        yield f"  {_told(programme, counts, result.awards[programme.id], zh)}"
        causes = Counter({cause: n for (name, cause), n in result.causes.items() if name == programme.id})
        for cause, n in sorted(causes.items(), key=lambda item: (-item[1], item[0]))[:_MOST]:
            yield f"      {n} 项：{cause_text(cause, 'zh', law)}" if zh else f"      {n} × {cause}"
    waiting = result.waiting().head(_MOST)
    if waiting.height:
        yield "  最值得催办或核实的：" if zh else "  worth waiting for:"
    for feed, state, alone, part in waiting.iter_rows():
        yield (
            f"      {cause_text(f'{state}:{feed}', 'zh', law)}：只等这一项的 {alone} 户，涉及 {part} 户"
            if zh
            else f"      {feed} {state.replace('_', ' ')}: {alone} households wait for it alone, {part} in all"
        )


def _told(programme: Programme, counts: list[int], award: int, zh: bool) -> str:
    """Outcomes of a programme, and what its awards come to (fen), if it has any."""
    eligible, ineligible, referred = counts
    money = ""
    if programme.award is not None and programme.award.unit in _UNITS:
        told = _UNITS[programme.award.unit][zh].format(format_yuan(award))
        money = f"（{told}）" if zh else f" ({told})"
    if zh:
        return f"{programme.label_zh}：符合条件 {eligible}{money}，不符合条件 {ineligible}，转人工核查 {referred}"
    return (
        f"{programme.id} {programme.label_zh}: {eligible} eligible{money}, "
        f"{ineligible} not eligible, {referred} referred to a person"
    )
