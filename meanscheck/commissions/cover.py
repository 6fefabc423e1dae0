"""What does the note to a department say? In Chinese: what is asked, for whom, by when, under which article, and how to
answer. No person is named in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from meanscheck.contracts import FeedContract, all_senders
from meanscheck.decisions.explain import citation_text

if TYPE_CHECKING:
    from meanscheck.law.law import Law

_BASIS = {
    "month": "逐月数据，期间见名单“起始日”“截止日”",
    "event": "期间内发生的事项，期间见名单“起始日”“截止日”",
    "as_of": "时点数据：不晚于名单“基准日”的最近一日",
    "register": "登记状态：截至名单“基准日”",
}
NO_LIMIT = "法律未规定答复期限，请尽快答复；本单位亦未另设期限"
NO_CALENDAR = "自发出之日起 {} 个工作日内（截止日期须按工作日历计算，本单位未提供工作日历）"


def cover_note(
    contract: FeedContract,
    law: Law,
    *,
    institution: str | None,
    division: str | None,
    recipient: str,
    on: date,
    requests: int,
    persons: int,
    purposes: Sequence[str],
    window: tuple[date, date] | None,
    days: tuple[date, date],
    due: str,
    cite: Sequence[str],
    authorise: Sequence[str],
    files: Sequence[str],
) -> str:
    """The note, markdown.

    Args:
        contract: of the feed.
        law: for titles of instruments and programmes.
        institution: the institution asked, if one is named.
        division: the division asked, if one is named.
        recipient: to whom.
        on: day of the letter.
        requests: how many.
        persons: how many.
        purposes: codes of purposes.
        window: the widest window asked for, if the feed is counted by windows.
        days: first and last reference day.
        due: by when, in words.
        cite: articles under which it is asked.
        authorise: articles under which each person authorised it.
        files: names of list, form and manifest.
    """
    titles = {p.id: p.label_zh for p in law.programmes}
    who = "、".join(filter(None, (recipient, f"行政区划 {division}" if division else "")))
    wanted = "、".join(
        f"{c.title_zh}" + ("（必填）" if c.required else "") for c in contract.columns if c.name != "name"
    )
    basis = _BASIS[contract.basis]
    if window is not None and contract.basis in ("month", "event"):
        basis += f"，最宽为 {window[0]} 至 {window[1]}"
    elif contract.basis in ("as_of", "register"):
        basis += f"（{days[0]}）" if days[0] == days[1] else f"（{days[0]} 至 {days[1]}，以名单所列为准）"
    lists, form, manifest = files
    lines = [
        f"# 居民家庭经济状况核对委托：{contract.title_zh}（{contract.name}）",
        "",
        f"- 收件：{who}",
        f"- 发出日期：{on}",
        f"- 委托 {requests} 件，查询对象 {persons} 人，见 {lists}",
        f"- 用途：{'、'.join(titles.get(p, p) for p in purposes)}，仅限本次社会救助核对，不得他用",
        f"- 查询内容：{wanted}",
        f"- 查询口径：{basis}",
        f"- 答复期限：{due}",
        f"- 依据：{_cited(cite, law) or '见各委托书'}",
        "- 授权：名单所列人员均已签署在发出之日有效的核对授权，编号见名单"
        + (f"（{_cited(authorise, law)}）" if authorise else ""),
        "",
        "## 如何答复",
        "",
        f"1. 把查得的记录逐行填入 {form}，证件号码一栏按文本填写（用电子表格直接打开 CSV 会丢失末几位数字）。",
        f"2. **查无记录也须答复**：{form} 保留表头不填行，并填写 {manifest}。未答复不等于查无记录。",
        f"3. 在 {manifest} 中填写答复单位（sender: {' 或 '.join(contract.senders)}）、答复日期、覆盖期间或时点；"
        "个别人员未能查询的，列入 not_answered，不得留空了事。",
        "4. 数据填错时，重新发送整份文件和清单，勿改动已发送的文件。",
        "",
        "名单含个人信息，限经办人使用，办结后按规定销毁；文件名不含个人信息，转发时勿另行改名注明姓名。",
    ]
    return "\n".join(lines) + "\n"


def recipient_of(contract: FeedContract, institution: str | None, sender: str, *, on: date) -> str:
    """To whom a letter goes: the institution, or the feed's senders under the names they have on that day."""
    if institution is not None:
        return institution
    senders = all_senders()
    wanted = [sender] if sender in contract.senders else list(contract.senders)
    names = [
        (n.name, n.until is None or on <= n.until, n.from_ is None or n.from_ <= on)
        for s in wanted
        for n in senders[s].names
    ]
    current = [name for name, is_there_still, is_there in names if is_there_still and is_there]
    return "、".join(dict.fromkeys(current or [name for name, _, _ in names]))


def _cited(cite: Sequence[str], law: Law) -> str:
    return "；".join(dict.fromkeys(citation_text(c, law, "zh") for c in cite))
