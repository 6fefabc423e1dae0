"""On which rows does a figure of a decision rest, and how do they add up to it?

`traced(store, law, case_id, figure, …)` reckons the figure anew with the plain executor and keeps the way it went, as
a tree of `Explanation`s (see `explaining.tree`) that ends in rows with their places in files, figures of the law and
what the application states. A sum is the sum of its parts at every level, so that a reader can add up. `Tracer.of`
reads a case once for several figures; a `Tracer` of a stated case tells the same, of rows that stand in no file.

A part that stood before in the same tree is not told again (`is_repeated`). This is for the caseworker: it shows
values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from meanscheck.contracts.units import ROW_BATCH, ROW_LINE, ROW_REF, CaseUnit, units_of
from meanscheck.decisions.encode import input_needs
from meanscheck.decisions.explaining.choices import value_words
from meanscheck.decisions.explaining.deciding import deciding, settles, taken
from meanscheck.decisions.explaining.tree import INELIGIBLE, Citation, Explanation, Kind, Place, cited, unit_of
from meanscheck.decisions.explaining.written import words_of, written
from meanscheck.errors import InputError
from meanscheck.law.kleene import Truth, all_of
from meanscheck.law.law import Law
from meanscheck.law.places import figure_at
from meanscheck.law.plain_causes import causes_of
from meanscheck.law.plain_rows import At, Result, Row, truth
from meanscheck.law.plain_steps import SteppedRun
from meanscheck.law.tree import COMPARISONS, READS_FIGURE, Node, membership_of

if TYPE_CHECKING:
    from meanscheck.evidence import Snapshot, Store
    from meanscheck.evidence.trace import BatchPlace

_FACTS = (
    "int",
    "text",
    "on",
    "reference_day",
    "listed",
    "undisputed",
    "attr",
    "unknown",
    "outcome",
    "confirmed",
    "col",
    "month",
)


def traced(
    store: Store,
    law: Law,
    case_id: str,
    figure: str,
    *,
    member: str | None = None,
    snapshot: Snapshot | str | None = None,
) -> tuple[Explanation, ...]:
    """The way to a figure of one case: one tree for the household, or one for each person it is reckoned for.

    Args:
        store: the evidence store.
        law: the law of the decision, such as the recorded one.
        case_id: the case.
        figure: a variable of the law (`household_income`), or a programme (`dibao`) for its award.
        member: the id of one person, where the figure is reckoned for each.
        snapshot: evidence as of a snapshot or its id; the present one unless given.

    Raises:
        InputError: the law has no such figure, or the case no such person.
        StoreError: the case is not in the snapshot.
    """
    return Tracer.of(store, law, case_id, snapshot=snapshot).figures(figure, member=member)


def _figure(law: Law, name: str) -> tuple[str, Node | None]:
    if name in law.variables:
        return law.variables[name].entity, None
    programme = next((p for p in law.programmes if p.id == name.removesuffix(".award")), None)
    if programme is not None and programme.award is not None:
        return programme.entity, programme.award.tree
    known = sorted(v for v in law.variables if "~" not in v)
    raise InputError(
        "no such figure in the law of that day",
        where=name,
        remedy=f"Name a programme for its award, or one of: {', '.join(known)}",
    )


def placed_needs(law: Law) -> dict[str, frozenset[str]]:
    """Feed → columns that a law reads, and where each row stands."""
    place = {ROW_REF, ROW_BATCH, ROW_LINE}
    return {f: (c if f == "supporters" else c | place) for f, c in input_needs(law).items()}


class _Seen(NamedTuple):
    """What is the same of a node, whatever it is told as."""

    who: str
    unit: str
    value: Result
    holds: Truth
    causes: tuple[str, ...]
    value_zh: str = ""

    def told(
        self,
        kind: Kind,
        name: str,
        labels: tuple[str, str],
        *,
        children: tuple[Explanation, ...] = (),
        cite: tuple[Citation, ...] = (),
        limit: Result = None,
        rising: bool = False,
        left_out: int = 0,
    ) -> Explanation:
        """The node; labels in English and Chinese."""
        return Explanation(
            kind,
            name,
            self.who,
            self.unit,
            self.value,
            limit,
            rising=rising,
            holds=self.holds,
            label=labels[0],
            label_zh=labels[1],
            cite=cite,
            causes=self.causes,
            left_out=left_out,
            value_zh=self.value_zh,
            children=children,
        )


class Tracer(SteppedRun):
    """The plain executor, with the way to a value told.

    `is_reduced`: of a yes/no only the terms that decided are told. `places` are the batches that rows name.
    """

    def __init__(
        self, law: Law, unit: CaseUnit, *, places: Mapping[int, BatchPlace] | None = None, is_reduced: bool = False
    ) -> None:
        super().__init__(law, unit)
        self.given = unit
        """The unit as it came, before contradictions between feeds were applied."""
        self._places, self._is_reduced = places or {}, is_reduced
        self._words = words_of(law)
        self._told: set[tuple[str, int | None]] = set()
        self._known: dict[tuple[Node, int | None, date | None], Result] = {}
        self.blamed: dict[str, dict[str, None]] = {}
        """Cause → the persons at whom it arose, in the order they were told of."""

    @classmethod
    def of(
        cls,
        store: Store,
        law: Law,
        case_id: str,
        *,
        snapshot: Snapshot | str | None = None,
        is_reduced: bool = False,
    ) -> Tracer:
        """A tracer of one case; StoreError if it is not in the snapshot."""
        from meanscheck.evidence.trace import batch_places

        block = store.case_block(case_id, placed_needs(law), on=law.on, snapshot=snapshot)
        numbers = {n for frame in block.feeds.values() for n in frame[ROW_BATCH].unique().to_list()}
        (unit,) = units_of(block)
        return cls(law, unit, places=batch_places(store, numbers), is_reduced=is_reduced)

    def figures(self, figure: str, *, member: str | None = None) -> tuple[Explanation, ...]:
        """As `traced`."""
        entity, award = _figure(self.law, figure)
        if entity == "household":
            if member is not None:
                raise InputError(
                    "the figure is the household's, not a member's", where=figure, remedy="Leave the member out"
                )
            return (self.figure(figure, award, None),)
        everybody = self.members if entity == "member" else [i for i, p in enumerate(self.unit.persons) if p.supports]
        persons = [i for i in everybody if member is None or self.name_of(i) == member]
        if not persons:
            raise InputError(
                "the case has no such person", where=figure, remedy="`meanscheck explain` lists the members"
            )
        return tuple(self.figure(figure, award, person) for person in persons)

    def value(self, node: Node, at: At) -> Result:
        """As of the plain executor; kept, since each level of a tree asks for what stands below it."""
        if at.row is not None:
            return super().value(node, at)
        key = (node, at.person, at.month)
        if key not in self._known:
            self._known[key] = super().value(node, at)
        return self._known[key]

    def name_of(self, person: int | None) -> str:
        """The person's id in the application; empty for the household."""
        return "" if person is None else str(self.unit.persons[person].attributes.get("id") or "")

    def forget(self) -> None:
        """Begin a new tree: what was told before is told again."""
        self._told.clear()

    def figure(self, name: str, award: Node | None, person: int | None) -> Explanation:
        """A variable, or the award of a programme, of the household or a person."""
        self.forget()
        if award is None:
            return self.step(Node("var", (name,), self.law.variables[name].tree.type, "const"), person)
        programme = self.law.programme(name.removesuffix(".award"))
        assert programme.award is not None
        outcome = self.outcome(programme.id, person)
        causes = tuple(sorted(outcome.causes))
        if outcome.outcome == "ineligible":
            causes += tuple(f"{INELIGIBLE}:{test}" for test in outcome.failed)
        return Explanation(
            "award",
            f"{programme.id}.award",
            self.name_of(person),
            unit_of(award.type),
            outcome.award,
            label_zh=f"{programme.label_zh}金额",
            label=f"amount of {programme.label}",
            formula=" ".join(programme.award.formula.split()),
            cite=cited(self.law, programme.award.cite),
            causes=causes,
            children=(self.step(award, person),) if outcome.award is not None else (),
        )

    def step(self, node: Node, person: int | None) -> Explanation:
        """The way to the value of a node, for the household or a person."""
        return self._step(node, At(person))

    def parts(self, node: Node, person: int | None) -> tuple[Explanation, ...]:
        """What the value of a node rests on, without the node itself where it is an operation."""
        step = self._step(node, At(person))
        return step.children if step.kind in ("condition", "operation") else (step,)

    # ---- steps

    def _variable(self, name: str, at: At) -> Explanation:
        variable = self.law.variables[name]
        person = None if variable.entity == "household" else at.person
        here, key = At(person), (name, person)
        value = self.variable(name, person)
        is_repeated = key in self._told
        self._told.add(key)
        is_bool = variable.tree.type.kind == "bool"
        return Explanation(
            "variable",
            name.partition("~")[0],
            self.name_of(person),
            unit_of(variable.tree.type),
            value,
            holds=truth(value) if is_bool else None,
            label_zh=variable.label_zh,
            label=variable.label,
            formula=" ".join(variable.formula.split()),
            cite=cited(self.law, variable.cite),
            causes=tuple(sorted(self.why(name, person))) if value is None else (),
            is_repeated=is_repeated,
            value_zh=value_words(self.law, variable.tree, value),
            children=() if is_repeated else (self._step(variable.tree, here),),
        )

    def _step(self, node: Node, at: At) -> Explanation:
        op = node.op
        if op == "var":
            return self._variable(str(node.args[0]), at)
        value = self.value(node, at)
        seen = _Seen(
            self.name_of(at.person),
            unit_of(node.type),
            value,
            truth(value) if node.type.kind == "bool" else None,
            tuple(sorted(causes_of(self, node, at))) if value is None else (),
            value_words(self.law, node, value),
        )
        if op == "agg":
            return self._rows_step(seen, node, at)
        if op in ("members", "supporters"):
            return self._people(seen, node, at)
        if op == "streak":
            return self._streak(seen, node, at)
        if op in READS_FIGURE:
            parameter = self.law.parameters[str(node.args[0])]
            if op == "at":
                parameter = figure_at(self.law, parameter.id, str(self.value(node.nodes[0], at))) or parameter
            return seen.told(
                "figure",
                parameter.id,
                (parameter.label, parameter.label_zh),
                cite=cited(self.law, parameter.cite),
                children=tuple(self._step(key, at) for key in node.nodes),
            )
        labels = self._labels(node)
        if op in _FACTS:
            name = ".".join(str(a) for a in node.args) if op in ("attr", "col", "outcome", "confirmed") else op
            self._blame(seen)
            return seen.told("fact", name, labels)
        below = deciding(self, node, at) if self._is_reduced else taken(self, node, at)
        children = tuple(self._step(n, at) for n in below)
        if node.type.kind != "bool":
            return seen.told("operation", op, labels, children=children)
        if op == "in":
            return self._looked_up(seen, node.nodes[0], at).told("condition", op, labels, children=children)
        if op not in COMPARISONS:
            return seen.told("condition", op, labels, children=children)
        right = self.value(node.nodes[1], at)
        compared = self._looked_up(seen, node.nodes[0], at)
        is_rising = op in (">", ">=")
        return compared.told("condition", op, labels, children=children, limit=right, rising=is_rising)

    def _looked_up(self, seen: _Seen, node: Node, at: At) -> _Seen:
        """A condition with the value of what it asks about."""
        value = self.value(node, at)
        return seen._replace(value=value, unit=unit_of(node.type), value_zh=value_words(self.law, node, value))

    def _labels(self, node: Node) -> tuple[str, str]:
        if node not in self._words:
            self._words[node] = written(self.law, node, "en"), written(self.law, node, "zh")
        return self._words[node]

    def _blame(self, seen: _Seen) -> None:
        for cause in seen.causes:
            self.blamed.setdefault(cause, {})[seen.who] = None

    def _streak(self, seen: _Seen, node: Node, at: At) -> Explanation:
        """A condition month by month, the latest first; reduced, only the months that decided."""
        parts: list[Explanation] = []
        for month in self.streak(node, at) or ():
            step = self._step(node.nodes[0], month)
            if self._is_reduced and not settles("all", seen.holds, self.value(node.nodes[0], month)):
                continue
            assert month.month is not None
            name = f"{month.month:%Y-%m}"
            parts.append(replace(step, label=f"{name}: {step.label}", label_zh=f"{name}：{step.label_zh}"))
        children = tuple(parts) or (self._step(node.nodes[1], at),)
        return seen.told("condition", node.op, self._labels(node), children=children)

    def _rows_step(self, seen: _Seen, node: Node, at: At) -> Explanation:
        function, feed, element, condition, _, reviewed = node.args
        column = f".{element.args[1]}" if isinstance(element, Node) and element.op == "col" else ""
        name = f"{function} {feed}{column}"
        if hidden := self.hidden(node, at):
            seen = seen._replace(causes=seen.causes or (hidden,))
            self._blame(seen)
            return seen.told("rows", name, self._labels(node))
        rows = self.rows_of(at, str(feed))
        unit = unit_of(element.type) if isinstance(element, Node) else "number"
        found: list[Explanation] = []
        for number, row in enumerate(rows):
            here = At(at.person, row)
            belongs = self.membership(row, bool(reviewed))
            if isinstance(condition, Node) and belongs is not False:
                belongs = all_of((belongs, truth(self.value(condition, here))))
            if belongs is False:
                continue
            worth = self.value(element, here) if isinstance(element, Node) else 1
            if self._is_reduced and not settles(str(function), seen.holds, worth):
                continue
            place = self._place(str(feed), number, row)
            words = value_words(self.law, element, worth) if isinstance(element, Node) else ""
            row_told = Explanation("row", str(feed), seen.who, unit, worth, holds=belongs, place=place, value_zh=words)
            found.append(row_told)
        self._blame(seen)
        left_out = len(rows) - len(found)
        return seen.told("rows", name, self._labels(node), children=tuple(found), left_out=left_out)

    def _place(self, feed: str, number: int, row: Row) -> Place:
        """Where a row stands; of a stated case its number, from 1."""
        batch, line, ref = row.get(ROW_BATCH), row.get(ROW_LINE), str(row.get(ROW_REF) or "")
        if not isinstance(batch, int) or not isinstance(line, int):
            return Place(feed, number + 1, ref)
        come = self._places[batch]
        assert come.answered_on is None or isinstance(come.answered_on, date)
        return Place(feed, line, ref, come.file, come.id, come.sender, come.answered_on)

    def _people(self, seen: _Seen, node: Node, at: At) -> Explanation:
        function, element, condition = node.args[:3]
        belongs = str(membership_of(node).args[0]) if node.op == "members" else ""
        name, labels = f"{function} {node.op}", self._labels(node)
        if not belongs and self.supporters_hidden(node, at):
            return seen.told("people", name, labels)
        everybody = self.members if belongs else self.supporters_of(node, at)
        parts: list[Explanation] = []
        counted = 0
        for person in everybody:
            here = At(person)
            holds: Truth = truth(self.variable(belongs, person)) if belongs else True
            if isinstance(condition, Node) and holds is not False:
                holds = all_of((holds, truth(self.value(condition, here))))
            counted += holds is not False
            if holds is not False and isinstance(element, Node):
                worth = self.value(element, here)
                if not self._is_reduced or settles(str(function), seen.holds, worth):
                    parts.append(self._step(element, here))
            elif holds is not False and isinstance(condition, Node):
                parts.append(self._step(condition, here))
        left_out = len(everybody) - counted
        return seen.told("people", name, labels, children=tuple(parts), left_out=left_out)
