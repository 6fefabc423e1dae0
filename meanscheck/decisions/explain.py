"""How is a ruling told? In Chinese or English, test by test, with figures in yuan and the article each rests on.

Words approve and reject do not appear: the output is advice to the office (个人信息保护法 art. 24).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from meanscheck.law.law import Law, Programme
from meanscheck.values.money import format_yuan

if TYPE_CHECKING:
    from meanscheck.decisions.decision import Ruling

_WORDS = {
    "zh": {
        "eligible": "符合条件",
        "ineligible": "不符合条件",
        "refer": "转人工核查",
        True: "✓ 满足",
        False: "✗ 不满足",
        None: "? 待核实",
        "value": "核对值",
        "limit": "界限",
        "award": "金额",
        "because": "原因",
        "cite": "依据",
        "member": "成员",
    },
    "en": {
        "eligible": "eligible",
        "ineligible": "not eligible",
        "refer": "referred to a person",
        True: "✓ met",
        False: "✗ not met",
        None: "? open",
        "value": "value",
        "limit": "limit",
        "award": "amount",
        "because": "because",
        "cite": "under",
        "member": "member",
    },
}
_STATES = {
    "no_consent": ("没有有效授权，未查询{}", "no live consent for {}"),
    "not_requested": ("未请求查询{}", "{} was not asked"),
    "no_answer": ("{}尚未答复或答复不完整", "{} has not answered, or not in full"),
    "conflicting": ("{}的答复相互矛盾", "answers of {} contradict each other"),
    "stale": ("{}的数据已过期，需重新查询", "{} is out of date: ask again"),
    "not_covered": ("{}的答复未覆盖所需期间", "the answer of {} does not cover the period"),
    "conflict": ("信息矛盾尚未核实：{}", "an open contradiction: {}"),
    "unreviewed": ("{}中的疑点尚未核实", "doubtful points in {} have no finding yet"),
    "unknown": ("缺少“{}”", "{} is not stated"),
    "parameter": ("政策参数 {} 未找到或未确认", "the figure {} was not found or is not confirmed"),
    "formula": ("规则 {} 未找到或未确认", "the rule {} was not found or is not confirmed"),
    "no_rows": ("{}没有记录", "{} has no row to take it from"),
    "ambiguous": ("{}最新记录不一致", "the latest rows of {} differ"),
    "outcome": ("须先决定 {}", "{} must be decided first"),
    "no_band": ("{}没有适用的档次", "{} has no band for it"),
    "no_month": ("{}没有该月份的数据", "{} has no figure for that month"),
    "no_place": ("未找到当地的{}", "no figure of {} was found for that place"),
    "yields": ("由 {} 优先保障", "{} takes precedence"),
    "division_by_zero": ("除数为零", "a division by zero"),
}


SETTLED = {
    "open": ("待人工核实", "a person decides"),
    "finding": ("已有核实结论", "settled by findings"),
    "rule": ("按规定处理", "settled by the rule"),
}
"""Verdict on a contradiction in Chinese and English."""


def cause_text(cause: str, language: str, law: Law) -> str:
    """A cause in words; names of feeds in Chinese for Chinese, contradictions by their label."""
    from meanscheck.contracts import all_feeds

    kind, _, subject = cause.partition(":")
    zh, en = _STATES.get(kind, ("{}", "{}"))
    if kind == "conflict" and subject in law.conflicts:
        conflict = law.conflicts[subject]
        return zh.format(conflict.label_zh) if language == "zh" else en.format(conflict.label)
    if language == "en":
        return en.format(subject)
    contract = all_feeds().get(subject)
    return zh.format(f"“{contract.title_zh}”" if contract else subject)


def citation_text(cite: str, law: Law, language: str) -> str:
    """An instrument and its article."""
    name, _, article = cite.partition("#")
    instrument = law.instruments.get(name)
    title = f"《{instrument.title}》{instrument.number}" if instrument and language == "zh" else name
    if instrument and language == "en":
        title = f"{instrument.title} {instrument.number}".strip()
    if not article:
        return title
    return (
        f"{title} {article}"
        if not article.isdigit()
        else (f"{title}第{article}条" if language == "zh" else f"{title}, art. {article}")
    )


def test_line(programme: Programme, entry: Mapping[str, Any], law: Law, language: str) -> str:
    """One test: verdict, label, value against limit with the margin, citation."""
    words = _WORDS[language]
    test = next((t for t in programme.tests if t.id == entry["id"]), None)
    if test is None:
        label = "属于共同生活的家庭成员" if language == "zh" else "is a member of the household"
        is_money = False
    else:
        label = test.label_zh if language == "zh" else test.label
        is_money = (
            bool(test.tree.nodes)
            and test.tree.nodes[0].type.kind == "num"
            and test.tree.nodes[0].type.dimension[0] == 1
        )
    parts = [f"{words[entry['holds']]} {label}"]
    if entry["value"] is not None and entry["limit"] is not None:
        value, limit = (format_yuan(v) if is_money else str(v) for v in (entry["value"], entry["limit"]))
        parts.append(f"{words['value']} {value}, {words['limit']} {limit}")
        if is_money and entry["margin"] is not None:
            parts.append(_margin(entry["margin"], language, rising=test is not None and test.tree.op in (">", ">=")))
    elif "bounds" in entry:
        rising = test is not None and test.tree.op in (">", ">=")
        parts.append(bounds_text(entry, language, rising=rising, is_money=is_money))
    parts.append(f"{words['cite']} " + "; ".join(citation_text(c, law, language) for c in entry["cite"]))
    return " · ".join(parts)


def bounds_text(entry: Mapping[str, Any], language: str, *, rising: bool, is_money: bool) -> str:
    """How a test is decided of which something is unknown: the bound that lies on one side of the limit."""
    zh = language == "zh"
    value, limit = entry["bounds"]["value"], entry["bounds"]["limit"]
    # A test that holds below its line fails from the least value on, one that holds above it from the greatest.
    least = rising is bool(entry["holds"])
    ends = (0, 1) if least else (1, 0)
    if value is None or value[ends[0]] is None or limit[ends[1]] is None:
        return "无论缺少的信息如何，结论不变" if zh else "whatever is still unknown, this stays"
    shown, line = (format_yuan(v) if is_money else str(v) for v in (value[ends[0]], limit[ends[1]]))
    end = _END[value[0] == value[1], least][0 if zh else 1]
    side = _END[limit[0] == limit[1], ends[1] == 0][0 if zh else 1]
    if zh:
        return f"即使不计缺少的信息：{end}{shown}，界限{side or ' '}{line}"
    return f"even without what is unknown: {end}{shown}, limit {side}{line}"


_END = {
    (False, True): ("至少 ", "at least "),
    (False, False): ("至多 ", "at most "),
    (True, True): ("", ""),
    (True, False): ("", ""),
}
"""Whether a number is known, and whether it is the least."""


def _margin(fen: int, language: str, *, rising: bool) -> str:
    """The margin in words; `rising` tests hold above their line, the others below it."""
    amount = format_yuan(abs(fen))
    if rising:
        if language == "zh":
            return f"须增加 {amount} 元才满足" if fen > 0 else f"再少 {amount} 元结论仍不变"
        return f"met only with {amount} more" if fen > 0 else f"still met with {amount} less"
    if language == "zh":
        return f"再多 {amount} 元结论仍不变" if fen >= 0 else f"须减少 {amount} 元才满足"
    return f"still met with {amount} more" if fen >= 0 else f"met only with {amount} less"


def ruling_text(ruling: Ruling, language: str) -> str:
    """A ruling in full."""
    words, programme = _WORDS[language], ruling.programme
    label = programme.label_zh if language == "zh" else programme.label
    head = f"{label}: {words[ruling.outcome]}"
    if ruling.member is not None:
        head = f"{label} ({words['member']} {ruling.member}): {words[ruling.outcome]}"
    if ruling.award is not None and programme.award is not None:
        unit = {"money/month": ("元/月", "yuan a month"), "money": ("元", "yuan")}.get(programme.award.unit, ("", ""))
        head += f", {words['award']} {format_yuan(ruling.award)} {unit[0 if language == 'zh' else 1]}"
    lines = [head]
    lines += ["  " + test_line(programme, t, ruling.law, language) for t in ruling.tests]
    if ruling.causes:
        lines.append(f"  {words['because']}: " + "; ".join(cause_text(c, language, ruling.law) for c in ruling.causes))
    return "\n".join(lines)


def conflict_line(entry: Mapping[str, Any], law: Law, language: str) -> str:
    """One contradiction of the record: who, by how much, on which rows, who settles it and under what."""
    zh, conflict = language == "zh", law.conflicts[entry["kind"]]
    words = _WORDS[language]
    parts = [conflict.label_zh if zh else conflict.label]
    parts.append(f"{words['member']} {', '.join(str(p) for p in entry['persons'])}")
    if entry["amount"] is not None:
        parts.append(("差额 " if zh else "difference ") + format_yuan(entry["amount"]))
    parts.append(", ".join(entry["row_refs"]))
    parts.append(SETTLED[entry["verdict"]][0 if zh else 1])
    parts.append(f"{words['cite']} " + "; ".join(citation_text(c, law, language) for c in entry["cite"]))
    return " · ".join(parts)
