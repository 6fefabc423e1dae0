"""What was decided for one case, and how is it told to a person?

A `Decision` is a record with its law, whether it came from a run just now, from the vault or from a receipt; a
`Ruling` is one programme for the household or one member in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from meanscheck.law.law import Law, Programme

if TYPE_CHECKING:
    from meanscheck.decisions.explaining import Explanation
    from meanscheck.decisions.tracing import Tracer

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True, repr=False)
class Ruling:
    """One programme for the household (`member` None) or the member of that id.

    `award` is in fen. `failed` are ids of tests; `causes` say why a case is referred to a person (转人工核查).
    """

    programme: Programme
    member: str | None
    outcome: str
    award: int | None
    causes: tuple[str, ...]
    tests: tuple[Mapping[str, Any], ...]
    law: Law

    def __repr__(self) -> str:
        """Which ruling, and not what it says: outcome and award are personal."""
        return f"Ruling({self.programme.id}{'' if self.member is None else f', member {self.member}'})"

    @property
    def failed(self) -> tuple[str, ...]:
        """Ids of the tests that fail, in the law's order."""
        return tuple(t["id"] for t in self.tests if t["holds"] is False)

    def explain(self, language: Language = "zh") -> str:
        """Outcome, award, each test with value, limit, margin and citation, and what would settle an open case."""
        from meanscheck.decisions.explaining import ruling_tree, text

        return text(ruling_tree(self), self.law, language)


@dataclass(frozen=True, slots=True)
class Decision:
    """The record of one case unit and the law it rests on."""

    groups: Mapping[str, Mapping[str, Any]] = field(repr=False)
    law: Law = field(repr=False)

    @property
    def case_id(self) -> str:
        """The case, if the subject group is there."""
        return str(self.groups.get("subject", {}).get("case", ""))

    def __iter__(self) -> Iterator[Ruling]:
        result, reasons = self.groups["result"], self.groups.get("reasons", {})
        yield from self._rulings(result["household"], reasons.get("household", ()), None)
        tests = {m["id"]: m["tests"] for m in reasons.get("members", ())}
        for member in result["members"]:
            yield from self._rulings(member["outcomes"], tests.get(member["id"], ()), member["id"])

    def _rulings(self, outcomes: Any, tests: Any, member: str | None) -> Iterator[Ruling]:
        for o in outcomes:
            name = o["programme"]
            own = tuple(t for t in tests if t["programme"] == name)
            yield Ruling(self.law.programme(name), member, o["outcome"], o["award"], tuple(o["causes"]), own, self.law)

    def __getitem__(self, key: str | tuple[str, str]) -> Ruling:
        """``decision["dibao"]`` or ``decision["tekun", "A"]``; KeyError if it was not decided."""
        programme, member = key if isinstance(key, tuple) else (key, None)
        for ruling in self:
            if ruling.programme.id == programme and ruling.member == member:
                return ruling
        raise KeyError(key)

    def explain(self, language: Language = "zh") -> str:
        """All rulings, one after the other, and the contradictions between feeds."""
        from meanscheck.decisions.explaining import text

        return text(self.explanation(), self.law, language)

    def explanation(self, evidence: Tracer | None = None) -> Explanation:
        """The tree of the decision (see `explaining`); with its evidence down to the rows of files."""
        from meanscheck.decisions.explaining import explained

        return explained(self, evidence)

    @property
    def conflicts(self) -> tuple[Mapping[str, Any], ...]:
        """Contradictions between feeds as the record tells them (see `disputes`); none if the group is not there."""
        return tuple(self.groups.get("reasons", {}).get("conflicts", ()))
