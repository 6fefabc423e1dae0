"""How does a pack's author state a household in Python, and put it into cases.toml once it shows something?

>>> from meanscheck import RulePack
>>> home = (
...     Household("one-low-wage", on="2020-06-30", residence="urban", division="440703")
...     .member("A", relation="head", sex="male", born_on="1980-02-01")
...     .row("tax_income", months=["2019-12", "2020-05"], item="wages", amount="380.00", tax="0.00")
... )
>>> home.decide(RulePack.load("rules/cn/guangdong/jiangmen"))["dibao"].award
52000
>>> print(home.expect("dibao", outcome="eligible", award="520.00").toml().splitlines()[0])
[[case]]

A household is a value: every method gives another one, so a common beginning may be shared. Values are written as in
cases.toml (`law.cases`): amounts in yuan as text, days and months in ISO form; what is left out means the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import date
from typing import Any, Self

from meanscheck.decisions import Decision, decide
from meanscheck.law.case_text import toml_of
from meanscheck.law.cases import Case, CaseResult, run_case
from meanscheck.law.law import Law
from meanscheck.law.resolve import RulePack


class Household:
    """A stated household. Persons are added one after the other; rows and states go to the person added last."""

    def __init__(self, case_id: str = "stated", *, on: date | str, **attributes: Any) -> None:
        """Begin.

        Args:
            case_id: the case's id.
            on: the day it is decided for.
            attributes: of the household, such as ``residence="urban"``, ``division="440703"``, ``applied_on=…``.
        """
        day = date.fromisoformat(on) if isinstance(on, str) else on
        self._facts: dict[str, Any] = {"id": case_id, "on": day, "household": dict(attributes)}
        self._last = ""

    def __repr__(self) -> str:
        people = sum(len(self._facts.get(role, ())) for role in ("member", "supporter"))
        return f"Household({self._facts['id']}, {people} persons)"

    def _with(self) -> tuple[Self, dict[str, Any]]:
        other = object.__new__(type(self))
        other._facts, other._last = deepcopy(self._facts), self._last
        return other, other._facts

    def _added(self, role: str, facts: Mapping[str, Any]) -> Self:
        other, own = self._with()
        own.setdefault(role, []).append(dict(facts))
        other._last = role
        return other

    def _person(self) -> tuple[Self, dict[str, Any]]:
        """Another household, and in it the person added last."""
        if not self._last:
            raise ValueError("add a member or a supporter first")
        other, facts = self._with()
        return other, facts[self._last][-1]

    # ---- who

    def member(self, member_id: str, **attributes: Any) -> Self:
        """With one more member of the application, such as ``relation="child", born_on="2015-03-01"``."""
        return self._added("member", {"id": member_id, **attributes})

    def supporter(self, supporter_id: str, *, supports: Sequence[str], **columns: Any) -> Self:
        """With one more person who owes support to members, with the columns of feed ``supporters``."""
        return self._added("supporter", {"id": supporter_id, "supports": list(supports), **columns})

    def attributes(self, **attributes: Any) -> Self:
        """With other attributes of the household; of the person added last: `person`."""
        other, facts = self._with()
        facts["household"].update(attributes)
        return other

    def person(self, **attributes: Any) -> Self:
        """With other attributes of the person added last."""
        other, person = self._person()
        person.update(attributes)
        return other

    # ---- what is known of the person added last

    def row(self, feed: str, **columns: Any) -> Self:
        """With one more row in a feed; ``months=["2019-12", "2020-05"]`` stands for one row a month."""
        other, person = self._person()
        person.setdefault(feed, []).append(dict(columns))
        return other

    def state(self, feed: str, word: str) -> Self:
        """With another state of evidence than ``answered``, such as ``no_answer``, ``no_consent``."""
        other, person = self._person()
        person.setdefault("states", {})[feed] = word
        return other

    def unanswered(self, *feeds: str) -> Self:
        """With feeds that did not answer for anybody."""
        other, facts = self._with()
        facts["unanswered"] = [*facts.get("unanswered", ()), *feeds]
        return other

    # ---- under which law, and what must come out

    def figures(self, figures: Mapping[str, Any]) -> Self:
        """With what-if figures of the law, by parameter; a single one stands for every key."""
        other, facts = self._with()
        facts["parameters"] = {**facts.get("parameters", {}), **figures}
        return other

    def accept(self, *names: str) -> Self:
        """With unsure figures accepted by name."""
        other, facts = self._with()
        facts["accept"] = [*facts.get("accept", ()), *names]
        return other

    def expect(self, programme: str, member: str | None = None, **expected: Any) -> Self:
        """With what must come out: ``outcome=…, award=…, failed=[…], causes=[…], values={…}``, ``note=…``."""
        other, facts = self._with()
        wanted = facts.setdefault("expect", {})
        if member is None:
            wanted[programme] = dict(expected)
        else:
            wanted.setdefault(programme, {})[member] = dict(expected)
        return other

    # ---- what comes of it

    def case(self) -> Case:
        """The case, checked; CaseError if something in it is faulty."""
        return Case.from_dict(deepcopy(self._facts), where=f"household {self._facts['id']}")

    def law(self, pack: RulePack) -> Law:
        """The law of its day, with its what-if figures and what it accepts."""
        case = self.case()
        return pack.on(case.on, known_by=case.known_by, accept=case.accept, overlay=case.overlay)

    def decide(self, law: RulePack | Law) -> Decision:
        """The decision, by the plain executor: under the law of its day of a pack, or under a law as it is."""
        return decide(self.case(), self.law(law) if isinstance(law, RulePack) else law)

    def run(self, pack: RulePack) -> CaseResult:
        """What came out beside what was expected, as `meanscheck rules run` does."""
        return run_case(pack, self.case())

    def toml(self) -> str:
        """The case as TOML, for cases.toml."""
        return toml_of(self._facts)
