"""With which words are causes, citations and verdicts told? In Chinese and English; `explaining` tells whole decisions.

Words approve and reject do not appear: the output is advice to the office (个人信息保护法 art. 24).
"""

from __future__ import annotations

from collections.abc import Sequence

from meanscheck.contracts import all_feeds
from meanscheck.law.law import Law
from meanscheck.values.evidence_state import EvidenceState

_STATES = {
    "no_consent": ("没有有效授权，未查询{}", "no live consent for {}"),
    "not_requested": ("未请求查询{}", "{} was not asked"),
    "no_answer": ("{}尚未答复或答复不完整", "{} has not answered, or not in full"),
    "conflicting": ("{}的答复相互矛盾", "answers of {} contradict each other"),
    "stale": ("{}的数据已过期，需重新查询", "{} is out of date: ask again"),
    "not_covered": ("{}的答复未覆盖所需期间", "the answer of {} does not cover the period"),
    "conflict": ("信息矛盾尚未核实：{}", "an open contradiction: {}"),
    "unreviewed": ("{}中的疑点尚未核实", "doubtful points in {} have no finding yet"),
    "unknown": ("缺少{}", "{} is not stated"),
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
_EVIDENCE_ZH = {
    EvidenceState.ANSWERED: "已答复",
    EvidenceState.STALE: "数据已过期",
    EvidenceState.CONFLICTING: "答复相互矛盾",
    EvidenceState.NO_ANSWER: "尚未答复或答复不完整",
    EvidenceState.NOT_REQUESTED: "未请求查询",
    EvidenceState.NO_CONSENT: "没有有效授权",
}

_SETTLES = {
    "no_consent": ("取得本人授权后查询{}", "get the person's consent and ask {}"),
    "not_requested": ("请求查询{}", "ask {}"),
    "no_answer": ("催办{}的答复", "remind {} of the answer"),
    "conflicting": ("请{}重新核实并答复", "have {} look again and answer"),
    "stale": ("重新查询{}", "ask {} again"),
    "not_covered": ("请{}补充所缺期间", "ask {} for the time that is missing"),
    "conflict": ("对有关记录作出核实结论", "write a finding on the rows concerned"),
    "unreviewed": ("对{}中的有关记录作出核实结论", "write a finding on the rows of {}"),
    "unknown": ("补充{}", "state {}"),
    "parameter": ("补充或确认政策参数 {}", "find or confirm the figure {}"),
    "formula": ("补充或确认规则 {}", "find or confirm the rule {}"),
    "no_rows": ("请{}补充记录，或人工认定", "ask {} for a row, or decide by hand"),
    "ambiguous": ("请{}更正或说明最新记录", "have {} correct its latest rows"),
    "outcome": ("先决定 {}", "decide {} first"),
    "no_band": ("补充{}的档次", "find the band of {}"),
    "no_month": ("补充{}该月份的数据", "find the figure of {} for that month"),
    "no_place": ("查找当地的{}", "find the figure of {} for that place"),
    "division_by_zero": ("核对家庭人数和核算期", "look at the size of the household and the window"),
}


def settle_text(cause: str, language: str, law: Law) -> str:
    """What would settle a cause; empty where nothing is to be done."""
    kind, _, subject = cause.partition(":")
    zh, en = _SETTLES.get(kind, ("", ""))
    return (zh if language == "zh" else en).format(_subject(kind, subject, language, law))


def cause_text(cause: str, language: str, law: Law) -> str:
    """A cause in words; names of feeds in Chinese for Chinese, contradictions by their label."""
    kind, _, subject = cause.partition(":")
    zh, en = _STATES.get(kind, ("{}", "{}"))
    return (zh if language == "zh" else en).format(_subject(kind, subject, language, law))


def _subject(kind: str, subject: str, language: str, law: Law) -> str:
    """What a cause is about: in Chinese by titles and labels, in English by name (a contradiction by its label)."""
    from meanscheck.decisions.explaining.written import ATTRIBUTES_ZH

    zh = language == "zh"
    if kind == "conflict" and subject in law.conflicts:
        return law.conflicts[subject].label_zh if zh else law.conflicts[subject].label
    if not zh:
        return subject
    feed, _, column = subject.partition(".")
    contract = all_feeds().get(feed)
    if contract is not None:
        title = next((f"的“{c.title_zh}”" for c in contract.columns if c.name == column), "")
        return f"“{contract.title_zh}”{title}"
    if kind == "formula":
        return f"“{_rule_zh(subject, law)}”"
    figure = law.parameters.get(subject) if kind in ("parameter", "no_band", "no_month", "no_place") else None
    programme = next((p for p in law.programmes if p.id == subject), None)
    named = figure or programme
    return f"“{named.label_zh if named else ATTRIBUTES_ZH.get(subject, subject)}”"


def _rule_zh(name: str, law: Law) -> str:
    """A rule that was not found: ``variable size``, or a part of a programme (``programme dibao, test income``)."""
    variable = law.variables.get(name.removeprefix("variable "))
    if variable is not None:
        return variable.label_zh
    whole, _, part = name.partition(", ")
    programme = next((p for p in law.programmes if whole == f"programme {p.id}"), None)
    if programme is None:
        return name
    test = next((t for t in programme.tests if part == f"test {t.id}"), None)
    return f"{programme.label_zh}·{test.label_zh if test else '救助金额'}" if part else programme.label_zh


def evidence_text(state: str, language: str) -> str:
    """The state of a person's evidence in a feed: in Chinese in words, in English by its name."""
    return _EVIDENCE_ZH[EvidenceState[state.upper()]] if language == "zh" else state


def row_ref_text(ref: str, language: str) -> str:
    """A row as a finding would name it (``FEED:REF``): in Chinese with the feed's title."""
    return row_refs_text([ref], language)


def row_refs_text(refs: Sequence[str], language: str) -> str:
    """Rows as findings would name them; in Chinese each feed once, by its title."""
    if language != "zh":
        return ", ".join(refs)
    by_feed: dict[str, list[str]] = {}
    for ref in refs:
        feed, _, row = ref.partition(":")
        by_feed.setdefault(feed, []).append(row)
    return "；".join(f"{all_feeds()[feed].title_zh} {'、'.join(rows)}" for feed, rows in by_feed.items())


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
