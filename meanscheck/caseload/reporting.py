"""What does an audit office attach to its file? A report on a sample in Markdown, Chinese or English.

It names the log, its checkpoint, the batch, the nonce and every drawn decision by its index, what was found, the error
rates with their intervals, and how anybody with log, vault and store repeats it. It names no household.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from shlex import quote
from typing import Literal

from meanscheck.caseload.draw import DOMAIN
from meanscheck.caseload.examining import Estimate, Examined, State
from meanscheck.caseload.interval import percent
from meanscheck.caseload.risk import RISKS
from meanscheck.replay import CLASSES, VERDICTS
from meanscheck.values.money import format_yuan

Language = Literal["zh", "en", "both"]
_STATES: dict[State, tuple[str, str]] = {
    "right": ("相符", "right"),
    "wrong": ("不符", "wrong"),
    "open": ("无法核查", "open"),
}


def report(found: Examined, *, language: Language = "both", on: date) -> str:
    """The report.

    Args:
        found: what was examined.
        language: Chinese, English, or one after the other.
        on: the day of the report.
    """
    parts = [_Page(found, zh, on).text() for zh in (True, False) if language in ("both", "zh" if zh else "en")]
    return "\n---\n\n".join(parts)


class _Page:
    """The report in one language."""

    def __init__(self, found: Examined, zh: bool, on: date) -> None:
        self.found, self.zh, self.on = found, zh, on

    def text(self) -> str:
        """All of it."""
        lines: list[str] = []
        for part in (self._head, self._what, self._draw, self._numbers, self._list, self._findings, self._again):
            lines += [*part(), ""]
        return "\n".join(lines).rstrip("\n") + "\n"

    def _(self, zh: str, en: str) -> str:
        return zh if self.zh else en

    def _head(self) -> Iterator[str]:
        yield self._("# 社会救助决定抽样审计报告", "# Audit of social relief decisions by sampling")
        yield ""
        wrong = sum(state == "wrong" for state in self.found.states.values())
        rate, drawn = self._rate(self.found.estimate()), len(self.found.states)
        yield self._(
            f"{self.on}。共抽取 {drawn} 项决定，不符 {wrong} 项；按层加权的差错率 {rate}。",
            f"{self.on}. {drawn} decisions were drawn and {wrong} found wrong; error rate weighted over strata {rate}.",
        )
        yield ""
        yield self._(
            f"置信度 {percent(self.found.confidence)}。"
            + ("差错由重算与实地核查共同认定。" if self.found.is_visited else "差错仅由重算认定，未并入实地核查。"),
            f"Confidence {percent(self.found.confidence)}. "
            + (
                "Errors are those of replay and of field visits."
                if self.found.is_visited
                else "Errors are those of replay alone; no field visits were joined."
            ),
        )

    def _what(self) -> Iterator[str]:
        found, opening = self.found, self.found.batch.opening
        yield self._("## 审计对象", "## What was audited")
        yield ""
        signed = ", ".join(found.signed_by) or self._("未核对签名", "signature not checked")
        rows = [
            (self._("日志", "log"), found.log.origin),
            (self._("检查点", "checkpoint"), f"{found.log.size} · {found.log.root}"),
            (self._("签名", "signed by"), signed),
            (self._("批次", "batch"), found.batch.batch_id),
            (self._("决定", "decisions"), f"{found.batch.count} ({found.batch.first} …)"),
            (self._("批次根", "root of the batch"), found.batch.root),
            (self._("日期", "as of"), str(opening.get("on", ""))),
            (self._("法律", "law"), str(opening.get("law", ""))),
            (self._("证据快照", "evidence snapshot"), str(opening.get("snapshot", ""))),
            (self._("程序", "engine"), str(opening.get("engine", ""))),
        ]
        yield from self._table(["", ""], rows)

    def _draw(self) -> Iterator[str]:
        sample = self.found.sample
        yield self._("## 抽样", "## How it was drawn")
        yield ""
        yield self._(
            "样本由已签名的批次根与下列公开随机数确定，任何一方都不能挑选。随机数各部分：",
            "The signed root of the batch and this public nonce determine the sample; neither side can choose it. "
            "Parts of the nonce:",
        )
        yield ""
        yield from (f"{number}. `{part}`" for number, part in enumerate(sample.nonce, 1))
        yield ""
        thin, high = format_yuan(sample.thresholds.thin_fen), format_yuan(sample.thresholds.high_fen)
        yield self._(
            f"分层：救助项目 × 风险。临近标准：差距不超过 {thin} 元；高额：不低于 {high} 元。"
            f"名册摘要 `{sample.frame}`；已删除而不在名册内的决定 {sample.outside} 项。",
            f"Strata: programme by risk. Thin margin: at most {thin} yuan; high award: at least {high} yuan. Digest of "
            f"the list `{sample.frame}`; decisions outside it, erased: {sample.outside}.",
        )

    def _numbers(self) -> Iterator[str]:
        found = self.found
        yield self._("## 结果", "## Result")
        yield ""
        head = ["层", "总体", "抽取", "相符", "不符", "无法核查", "差错率", "区间"]
        en = ["stratum", "population", "drawn", "right", "wrong", "open", "error rate", "interval"]
        rows = []
        for drawn in found.sample.strata:
            s, estimate = found.stratum(drawn.stratum), found.estimate_of(drawn.stratum)
            numbers = (s.population, s.drawn, s.examined - s.errors, s.errors, s.open)
            rows.append((self._stratum(drawn.stratum), *map(str, numbers), *self._both(estimate)))
        programmes = list(dict.fromkeys(s.stratum.partition("/")[0] for s in found.sample.strata))
        for programme in (*programmes, ""):
            own = [found.stratum(s.stratum) for s in found.sample.strata if s.stratum.startswith(programme)]
            numbers = (
                sum(s.population for s in own),
                sum(s.drawn for s in own),
                sum(s.examined - s.errors for s in own),
                sum(s.errors for s in own),
                sum(s.open for s in own),
            )
            name = f"**{programme or self._('合计', 'all')}**"
            rows.append((name, *map(str, numbers), *self._both(found.estimate(programme))))
        yield from self._table(head if self.zh else en, rows)
        yield ""
        yield self._(
            "区间为 Clopper–Pearson 精确区间；全部核查的层没有抽样误差。合计为按总体加权的各层差错率，"
            "其区间由各层区间加权（Bonferroni）与合并样本（Hoeffding）两法各取一半风险而得。无法核查的计入上限，不计入下限。",
            "Intervals are exact (Clopper-Pearson); a stratum drawn in full has no sampling error. Sums weight the "
            "strata by population; their interval is what the strata's own (Bonferroni) and the pooled sample's "
            "(Hoeffding) leave, at half the risk each. Open ones count as wrong in the upper bound and as right in the "
            "lower.",
        )

    def _list(self) -> Iterator[str]:
        yield self._("## 抽中的决定（日志条目号，按抽取次序）", "## Drawn decisions (index in the log, as drawn)")
        yield ""
        for drawn in self.found.sample.strata:
            marks = {unit.index: state for unit, state in self.found.states.items() if unit.stratum == drawn.stratum}
            indexes = " ".join(
                str(i) if marks[i] == "right" else f"**{i}** ({_STATES[marks[i]][not self.zh]})" for i in drawn.indexes
            )
            yield f"- {self._stratum(drawn.stratum)}: {indexes}"

    def _findings(self) -> Iterator[str]:
        found = self.found
        yield self._("## 发现", "## Findings")
        yield ""
        if not found.faults and not found.replays:
            yield self._(
                "抽中的决定均在日志之内，且全部由证据与法律重算一致。",
                "Every drawn decision is in the log and comes out again from the evidence and the law.",
            )
        yield from (f"- {f.where}: {f.zh if self.zh else f.en}" for f in found.faults)
        for index, one in sorted(found.replays.items()):
            kinds = ", ".join(CLASSES[kind][not self.zh] for kind in one.classes)
            result = self._("，影响结果", ", touches the result") if one.touches_result else ""
            yield f"- {index}: {VERDICTS[one.verdict][not self.zh]} ({kinds}){result}"
            for finding in one.findings:
                yield f"  - {finding.zh if self.zh else finding.en}: {', '.join(finding.paths) or '–'}"

    def _again(self) -> Iterator[str]:
        sample = self.found.sample
        yield self._("## 如何重复", "## How to repeat it")
        yield ""
        parts = " ".join(f"--nonce {quote(part)}" for part in sample.nonce)
        thresholds = f"--thin {sample.thresholds.thin_fen} --high {sample.thresholds.high_fen}"
        sizes = " ".join(f"--size {s.stratum}={len(s.indexes)}" for s in sample.strata)
        yield "```sh"
        yield f"meanscheck audit sample STORE --batch {sample.batch_id} {parts} {thresholds} {sizes} --out sample.json"
        yield "meanscheck audit report STORE sample.json --policy POLICY"
        yield "```"
        yield ""
        domain = DOMAIN.rstrip(b"\0").decode()
        yield self._(
            f"抽取算法（域 `{domain}`，SHA-256 计数器，拒绝采样，Fisher–Yates）写在 `meanscheck.caseload.draw` "
            "的说明中，附算例，可另行编程核对。",
            f"The derivation (domain `{domain}`, SHA-256 in counter mode, rejection, Fisher-Yates) stands with a "
            "worked value in the docstring of `meanscheck.caseload.draw`, for whoever programs it anew.",
        )

    # ---- words

    def _stratum(self, name: str) -> str:
        programme, _, risk = name.partition("/")
        return f"{programme} · {RISKS[risk][not self.zh]}"

    def _both(self, estimate: Estimate) -> tuple[str, str]:
        rate = self._("不详", "not known") if estimate.rate is None else percent(estimate.rate)
        return rate, str(estimate.interval)

    def _rate(self, estimate: Estimate) -> str:
        rate, interval = self._both(estimate)
        return self._(f"{rate}（区间 {interval}）", f"{rate} (interval {interval})")

    def _table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
        yield f"| {' | '.join(head)} |"
        yield f"|{'---|' * len(head)}"
        yield from (f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)
