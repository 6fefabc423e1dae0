"""What did a replay find? Equal, or differences by their path in the record, each under a class that says why.

>>> found = Replay("U-1", ("means", "evidence"), ("evidence.input",), (
...     Finding("corrected_evidence", "1 条记录已改动", "1 row was changed", ("evidence.input",)),))
>>> found.verdict, found.classes, found.touches_result
('different', ('corrected_evidence',), False)
>>> print(found.text("en"))
different as known then: late or corrected evidence
  late or corrected evidence: 1 row was changed
    evidence.input

No text here holds a value of a person: paths name fields, reasons name feeds, files, lines and members' ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from meanscheck.errors import ReplayDifference

AsKnown = Literal["then", "now"]
Language = Literal["zh", "en"]

CLASSES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "erased": ("已删除", "erased"),
        "missing_input": ("缺少输入", "missing input"),
        "law_correction": ("法律更正", "law correction"),
        "corrected_evidence": ("证据迟到或更正", "late or corrected evidence"),
        "composition_change": ("家庭成员变化", "composition change"),
        "consent_withdrawn": ("授权撤回", "consent withdrawn"),
        "engine_change": ("程序变更", "engine change"),
        "unexplained": ("原因不明", "unexplained"),
    }
)
"""Class of a difference → its name in Chinese and English."""

VERDICTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "equal": ("一致", "equal"),
        "different": ("不一致", "different"),
        "erased": ("已删除，无法重算", "erased, cannot be replayed"),
        "missing_input": ("缺少输入，无法重算", "missing input, cannot be replayed"),
    }
)
"""Verdict → its name in Chinese and English."""

_WHEN = {"then": ("按当时所知", "as known then"), "now": ("按现在所知", "as known now")}


@dataclass(frozen=True, slots=True)
class Finding:
    """Why something differs: a class, what was checked (in Chinese and English), and the fields it may account for.

    Fields that two causes of the same step may both account for stand under both.
    """

    kind: str
    zh: str
    en: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay found. `differences` lists paths in the record; empty, without findings, means equal in every field
    compared."""

    case_id: str
    groups: tuple[str, ...]
    differences: tuple[str, ...] = field(default=())
    findings: tuple[Finding, ...] = field(default=())
    as_known: AsKnown = "then"

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes of the findings, each once, in the order of `CLASSES`."""
        found = {finding.kind for finding in self.findings}
        return tuple(kind for kind in CLASSES if kind in found)

    @property
    def verdict(self) -> str:
        """``equal``, ``different``, ``erased`` or ``missing_input``; the last two where nothing could be compared, also
        for want of an engine that runs the recorded law."""
        if self.differences:
            return "different"
        if not self.findings:
            return "equal"
        return "erased" if "erased" in self.classes else "missing_input"

    @property
    def is_equal(self) -> bool:
        """Whether every field compared came out again."""
        return self.verdict == "equal"

    @property
    def touches_result(self) -> bool:
        """Whether an outcome, an award or a cause of referral differs, and not only what leads to it."""
        return any(path.startswith("result.") for path in self.differences)

    def raise_for_difference(self) -> Replay:
        """Itself if equal; ReplayDifference otherwise."""
        if not self.is_equal:
            raise ReplayDifference(self.differences or [finding.en for finding in self.findings])
        return self

    def text(self, language: Language = "en") -> str:
        """One line for a person, or one per difference (fields, no values) under what accounts for it."""
        zh = language == "zh"
        word = VERDICTS[self.verdict][not zh]
        when = _WHEN[self.as_known][not zh]
        head = f"{when}{word}" if zh else f"{word} {when}"
        if self.is_equal:
            names, many, head = ", ".join(self.groups), len(self.groups), word if self.as_known == "then" else head
            return (
                f"{head}：{many} 组内容由证据重新计算得出（{names}）"
                if zh
                else f"{head}: {many} groups recomputed from the evidence ({names})"
            )
        kinds = ("、" if zh else ", ").join(CLASSES[kind][not zh] for kind in self.classes)
        lines = [f"{head}{'：' if zh else ': '}{kinds}" if self.verdict == "different" else head]
        for finding in self.findings:
            basis = f"{CLASSES[finding.kind][0]}：{finding.zh}" if zh else f"{CLASSES[finding.kind][1]}: {finding.en}"
            lines += [f"  {basis}", *(f"    {path}" for path in finding.paths)]
        if not self.findings:
            lines += [f"  {path}" for path in self.differences]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "case": self.case_id,
            "as_known": self.as_known,
            "equal": self.is_equal,
            "verdict": self.verdict,
            "classes": list(self.classes),
            "touches_result": self.touches_result,
            "groups": list(self.groups),
            "differences": list(self.differences),
            "findings": [{"class": f.kind, "zh": f.zh, "en": f.en, "paths": list(f.paths)} for f in self.findings],
        }
