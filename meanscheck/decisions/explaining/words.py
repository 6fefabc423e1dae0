"""How does one node of an explanation read? Parts of a line in Chinese and English, for text and for pages alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from meanscheck.contracts import all_feeds, all_senders
from meanscheck.decisions.explain import SETTLED, cause_text, row_refs_text, settle_text
from meanscheck.decisions.explaining.choices import choice_text
from meanscheck.decisions.explaining.tree import Citation, Explanation, Language, Place
from meanscheck.law.law import Law
from meanscheck.law.plain_rows import Result
from meanscheck.values.money import format_yuan

WORDS: Mapping[str, Mapping[Any, str]] = {
    "zh": {
        ("programme", True): "符合条件",
        ("programme", False): "不符合条件",
        ("programme", None): "转人工核查",
        True: "✓ 满足",
        False: "✗ 不满足",
        None: "? 待核实",
        "value": "核对值",
        "limit": "界限",
        "award": "金额",
        "because": "原因",
        "settle": "需要",
        "cite": "依据",
        "member": "成员",
        "counts": "计入",
        "not": "不计入",
        "open": "是否计入待核实",
        "unknown": "未知",
        "no award": "无（不符合条件）",
        "yes": "是",
        "no": "否",
        "rows": "另有 {} 行不计入（期间、条件或已核减）",
        "people": "另有 {} 人不计入",
        "again": "（见上）",
        "aside": "（较小或较大者不取）",
        "difference": "差额",
        "conflicts": "信息矛盾",
        "members": "家庭成员",
        "doubt": "（疑点待核实）",
        "agrees": "以上数据与决定记录一致",
        "differs": "现有数据与决定记录不一致：请用 replay 查明原因",
    },
    "en": {
        ("programme", True): "eligible",
        ("programme", False): "not eligible",
        ("programme", None): "referred to a person",
        True: "✓ met",
        False: "✗ not met",
        None: "? open",
        "value": "value",
        "limit": "limit",
        "award": "amount",
        "because": "because",
        "settle": "to do",
        "cite": "under",
        "member": "member",
        "counts": "counts",
        "not": "does not count",
        "open": "open whether it counts",
        "unknown": "unknown",
        "no award": "none",
        "yes": "yes",
        "no": "no",
        "rows": "{} more rows do not count (window, condition or disregarded)",
        "people": "{} more persons do not count",
        "again": "(as above)",
        "aside": "(not taken: the other one counts)",
        "difference": "difference",
        "conflicts": "contradictions between feeds",
        "members": "members of the household",
        "doubt": "(doubtful, no finding yet)",
        "agrees": "the evidence gives the recorded decision again",
        "differs": "the evidence gives another decision than the recorded one: `replay` says why",
    },
}
UNITS = {"money/month": ("元/月", "yuan a month"), "money": ("元", "yuan"), "month": ("个月", "months")}
MARK = {True: "✓", False: "✗", None: "?"}


def shown(value: Result, unit: str, language: Language) -> str:
    """A value as it is read: amounts in yuan, an exact quotient of money to the fen with ≈ where it is none."""
    words = WORDS[language]
    if value is None:
        return words["unknown"]
    if isinstance(value, bool):
        return words["yes" if value else "no"]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return choice_text(value, language)
    if unit.partition("/")[0] == "money":
        fen = (2 * value + 1) // 2 if isinstance(value, Fraction) else value
        return f"{'' if fen == value else '≈'}{format_yuan(int(fen))}"
    if unit == "area":
        return f"{_decimal(Fraction(value, 10_000))} {'平方米' if language == 'zh' else 'm²'}"
    return _decimal(Fraction(value))


def _decimal(value: Fraction) -> str:
    """A number as a decimal if six places hold it, else as a quotient."""
    millionths = value * 1_000_000
    if millionths.denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    whole, rest = divmod(abs(int(millionths)), 1_000_000)
    return f"{'-' if value < 0 else ''}{whole}" + (f".{rest:06d}".rstrip("0") if rest else "")


def value_of(node: Explanation, language: Language) -> str:
    """The node's value as it is read: a code in words."""
    return node.value_zh if language == "zh" and node.value_zh else shown(node.value, node.unit, language)


def feed_of(place: Place, language: Language) -> str:
    """The feed of a row, in Chinese by its title."""
    return all_feeds()[place.feed].title_zh if language == "zh" else place.feed


def sender_of(place: Place, language: Language) -> str:
    """Who sent a row: in Chinese by the name that the sender had on the day of its answer."""
    sender = all_senders().get(place.sender) if language == "zh" else None
    if sender is None:
        return place.sender
    return (place.answered_on and sender.name_on(place.answered_on)) or sender.names[-1].name


def with_unit(value: Result, unit: str, language: Language) -> str:
    """A value with its unit; what is unknown has none."""
    suffix = "" if value is None else UNITS.get(unit, ("", ""))[0 if language == "zh" else 1]
    return f"{shown(value, unit, language)} {suffix}".rstrip()


def label_of(node: Explanation, language: Language) -> str:
    """The node's label; its name where the law has none."""
    return (node.label_zh if language == "zh" else node.label) or node.name


def heading(node: Explanation, language: Language) -> str:
    """A programme with its outcome and amount."""
    words = WORDS[language]
    who = f" ({words['member']} {node.who})" if node.who else ""
    line = f"{label_of(node, language)}{who}: {words[('programme', node.holds)]}"
    if node.value is not None:
        line += f", {words['award']} {with_unit(node.value, node.unit, language)}"
    return line


def margin_text(node: Explanation, language: Language) -> str:
    """By how much a test is met or not, in yuan over the window and a month; empty where it has no margin in money."""
    if node.margin is None or not node.is_money:
        return ""
    zh, fen = language == "zh", node.margin
    amount, window = format_yuan(abs(fen)) + (" 元" if zh else ""), ""
    if node.months is not None and node.months > 1:
        monthly, rest = divmod(abs(fen), node.months)
        sign = "≈" if rest else ""
        if zh:
            amount = f"{node.months} 个月共 {amount}（每月{sign}{format_yuan(monthly)}）"
        else:
            window = f" over {node.months} months ({sign}{format_yuan(monthly)} a month)"
    if node.rising:
        if zh:
            return f"须增加 {amount}才满足" if fen > 0 else f"再少 {amount}结论仍不变"
        return f"met only with {amount} more{window}" if fen > 0 else f"still met with {amount} less{window}"
    if zh:
        return f"再多 {amount}结论仍不变" if fen >= 0 else f"须减少 {amount}才满足"
    return f"still met with {amount} more{window}" if fen >= 0 else f"met only with {amount} less{window}"


def bounds_text(node: Explanation, language: Language) -> str:
    """How a test is decided of which something is unknown: by the bound that lies on one side of the limit."""
    if node.bounded is None:
        return ""
    zh, value, limit = language == "zh", node.bounded.value, node.bounded.limit
    # A test that holds below its line fails from the least value on, one that holds above it from the greatest.
    least = node.rising is bool(node.holds)
    ends = (0, 1) if least else (1, 0)
    if value is None or limit is None or value[ends[0]] is None or limit[ends[1]] is None:
        return "无论缺少的信息如何，结论不变" if zh else "whatever is still unknown, this stays"
    told = []
    for span, at in zip((value, limit), ends, strict=True):
        end = "" if span[0] == span[1] else ("至少 ", "at least ")[not zh] if at == 0 else ("至多 ", "at most ")[not zh]
        told.append(end + shown(span[at], node.unit, language))
    if zh:
        return f"即使不计缺少的信息：{told[0]}，界限 {told[1]}"
    return f"even without what is unknown: {told[0]}, limit {told[1]}"


def figures_text(node: Explanation, language: Language) -> str:
    """Value against limit of a test or a comparison; empty where they are no figures."""
    words = WORDS[language]
    if node.value is None or node.limit is None or node.unit in ("bool", "text"):
        return ""
    value, limit = (shown(v, node.unit, language) for v in (node.value, node.limit))
    return f"{words['value']} {value}, {words['limit']} {limit}"


def citation_line(cite: Citation, language: Language) -> str:
    """An instrument and its article, with the law's own word where it is known."""
    zh = language == "zh"
    title = f"《{cite.title}》{cite.number}" if zh else f"{cite.title} {cite.number}".strip()
    text = title if cite.title else cite.instrument
    if cite.article:
        numbered = f"第{cite.article}条" if zh else f", art. {cite.article}"
        text += numbered if cite.article.isdigit() else f" {cite.article}"
    return text + (f"（“{cite.quote}”）" if zh and cite.quote else f" (“{cite.quote}”)" if cite.quote else "")


def citations_text(node: Explanation, language: Language) -> str:
    """All citations of a node; empty if it has none."""
    if not node.cite:
        return ""
    return f"{WORDS[language]['cite']} " + "; ".join(citation_line(c, language) for c in node.cite)


def causes_text(node: Explanation, law: Law, language: Language) -> str:
    """Why a node is unknown."""
    return "; ".join(cause_text(c, language, law) for c in node.causes if not c.startswith("ineligible:"))


def open_text(node: Explanation, law: Law, language: Language) -> str:
    """A cause of a referral: what is missing, of whom, and what would settle it."""
    words = WORDS[language]
    who = f" [{node.who}]" if node.who else ""
    todo = "; ".join(filter(None, (settle_text(c, language, law) for c in node.causes)))
    return f"{causes_text(node, law, language)}{who}" + (f" → {words['settle']}: {todo}" if todo else "")


def conflict_text(node: Explanation, language: Language) -> str:
    """A contradiction between feeds: who, by how much, on which rows, who settles it and under what."""
    words = WORDS[language]
    parts = [label_of(node, language), f"{words['member']} {node.who}"]
    if node.value is not None:
        parts.append(f"{words['difference']} {shown(node.value, 'money', language)}")
    parts.append(row_refs_text([c.name for c in node.children], language))
    parts.append(SETTLED[node.name][0 if language == "zh" else 1])
    return " · ".join([*parts, citations_text(node, language)])


def place_text(node: Explanation, language: Language) -> str:
    """Where a row stands."""
    place = node.place
    if place is None:
        return ""
    feed = feed_of(place, language)
    if not place.file:
        return f"{feed}第 {place.line} 条" if language == "zh" else f"{feed} #{place.line}"
    sent = f"{sender_of(place, language)} {place.answered_on or ''}"
    if language == "zh":
        return f"{place.file} 第 {place.line} 行  {sent}  批次 {place.batch}  编号 {place.ref}"
    return f"{place.file}:{place.line}  {sent}  {place.batch}  {place.ref}"
