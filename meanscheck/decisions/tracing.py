"""On which rows does a figure of a decision rest, and how do they add up to it?

`traced(store, law, case_id, figure, …)` reckons the figure anew with the plain executor and keeps the way it went, as
a tree of `Step`s; at its ends stand rows (`Source`: feed, file, line, sender, day of the answer, batch, `row_ref`),
figures of the law and what the application states. A sum is the sum of its parts at every level, so that a reader can
add up. `Tracer.of` reads a case once for several figures.

    variable    a named variable of the law, of the household or of one person
    rows        an aggregate over a person's rows of a feed; `rows` are those that count, `left_out` how many do not
    people      an aggregate over members or supporters; parts are those who count
    operation   what a formula does with its parts; of a choice (``if``) only the branch taken
    figure      a figure of the law;  fact: what the application or the day says

A part that stood before in the same tree is not told again (`is_repeated`). This is for the caseworker: it shows
values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from meanscheck.contracts.units import CaseUnit, units_of
from meanscheck.decisions.encode import input_needs
from meanscheck.errors import InputError, InternalError
from meanscheck.law.kleene import Truth, all_of
from meanscheck.law.law import Law
from meanscheck.law.places import figure_at
from meanscheck.law.plain import PlainRun
from meanscheck.law.plain_causes import causes_of
from meanscheck.law.plain_rows import At, Result, truth
from meanscheck.law.tree import READS_FIGURE, Node
from meanscheck.law.types import Type

if TYPE_CHECKING:
    from meanscheck.evidence import ReportRows, Snapshot, Store

INELIGIBLE = "ineligible"
"""Kind of cause for which there is no award: a test that fails."""
_FACTS = ("int", "text", "on", "reference_day", "listed", "attr", "unknown", "outcome", "confirmed", "col", "month")


@dataclass(frozen=True, slots=True)
class Source:
    """One row behind a figure. `value` is what it adds: fen for money; `belongs` is None where no finding says."""

    member: str
    feed: str
    ref: str
    batch: str
    sender: str
    answered_on: date | None
    file: str
    line: int
    belongs: Truth
    value: Result = field(repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the reckoning; `value` in fen, counts, days or yes/no, None for unknown."""

    kind: str
    name: str
    who: str
    type: Type
    value: Result = field(repr=False)
    label_zh: str = ""
    label: str = ""
    formula: str = ""
    cite: tuple[str, ...] = ()
    parts: tuple[Step, ...] = field(default=(), repr=False)
    rows: tuple[Source, ...] = field(default=(), repr=False)
    left_out: int = 0
    causes: tuple[str, ...] = ()
    is_repeated: bool = False

    @property
    def is_money(self) -> bool:
        """Whether the value is an amount in fen (or in fen a month)."""
        return self.type.kind == "num" and self.type.dimension[0] == 1

    def walk(self) -> Iterator[Step]:
        """This step and all below it, first to last."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def sources(self) -> list[Source]:
        """Every row behind the figure, each place in a file once, in the order of the tree."""
        seen = {(s.feed, s.file, s.line, s.batch): s for step in self.walk() for s in step.rows}
        return list(seen.values())


def traced(
    store: Store,
    law: Law,
    case_id: str,
    figure: str,
    *,
    member: str | None = None,
    snapshot: Snapshot | str | None = None,
) -> tuple[Step, ...]:
    """The way to a figure of one case: one step for the household, or one for each person it is reckoned for.

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


class Tracer(PlainRun):
    """The plain executor, with the way to a value told."""

    def __init__(self, law: Law, unit: CaseUnit, material: ReportRows) -> None:
        super().__init__(law, unit)
        self._material: Mapping[str, dict[int, list[dict[str, object]]]] = {
            feed: _by_position(frame.select(*_PLACE).iter_rows(named=True)) for feed, frame in material.rows.items()
        }
        self._told: set[tuple[str, int | None]] = set()

    @classmethod
    def of(cls, store: Store, law: Law, case_id: str, *, snapshot: Snapshot | str | None = None) -> Tracer:
        """A tracer of one case; StoreError if it is not in the snapshot."""
        block = store.case_block(case_id, input_needs(law), on=law.on, snapshot=snapshot)
        (unit,) = units_of(block)
        # Any request of the case names it; the earliest is in every snapshot that has the case.
        first = "select request_no from requests where case_id = ? order by load limit 1"
        request = str(store.value(first, [case_id]))
        return cls(law, unit, store.report_rows(request, on=law.on, snapshot=snapshot))

    def figures(self, figure: str, *, member: str | None = None) -> tuple[Step, ...]:
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

    def name_of(self, person: int | None) -> str:
        """The person's id in the application; empty for the household."""
        return "" if person is None else str(self.unit.persons[person].attributes.get("id") or "")

    def figure(self, name: str, award: Node | None, person: int | None) -> Step:
        """A variable, or the award of a programme, of the household or a person."""
        self._told.clear()
        at = At(person)
        if award is None:
            return self._variable(name, at)
        programme = self.law.programme(name.removesuffix(".award"))
        assert programme.award is not None
        outcome = self.outcome(programme.id, person)
        value, causes = outcome.award, tuple(sorted(outcome.causes))
        if outcome.outcome == "ineligible":
            causes += tuple(f"{INELIGIBLE}:{test}" for test in outcome.failed)
        parts = (self._step(award, at),) if value is not None else ()
        return Step(
            "variable",
            f"{programme.id}.award",
            self.name_of(person),
            award.type,
            value,
            label_zh=f"{programme.label_zh}金额",
            label=f"amount of {programme.label}",
            formula=" ".join(programme.award.formula.split()),
            cite=programme.award.cite,
            parts=parts,
            causes=causes,
        )

    # ---- steps

    def _variable(self, name: str, at: At) -> Step:
        variable = self.law.variables[name]
        person = None if variable.entity == "household" else at.person
        here, key = At(person), (name, person)
        value = self.variable(name, person)
        is_repeated = key in self._told
        self._told.add(key)
        return Step(
            "variable",
            name.partition("~")[0],
            self.name_of(person),
            variable.tree.type,
            value,
            label_zh=variable.label_zh,
            label=variable.label,
            formula=" ".join(variable.formula.split()),
            cite=variable.cite,
            parts=() if is_repeated else (self._step(variable.tree, here),),
            causes=tuple(sorted(self.why(name, person))) if value is None else (),
            is_repeated=is_repeated,
        )

    def _step(self, node: Node, at: At) -> Step:
        op = node.op
        if op == "var":
            return self._variable(str(node.args[0]), at)
        if op == "agg":
            return self._rows_step(node, at)
        if op in ("members", "supporters"):
            return self._people(node, at)
        value, who = self.value(node, at), self.name_of(at.person)
        causes = tuple(sorted(causes_of(self, node, at))) if value is None else ()
        if op == "streak":
            months = self.streak(node, at) or ()
            parts = tuple(self._step(node.nodes[0], here) for here in months) or (self._step(node.nodes[1], at),)
            return Step("operation", op, who, node.type, value, parts=parts, causes=causes)
        if op in READS_FIGURE:
            parameter = self.law.parameters[str(node.args[0])]
            if op == "at":
                parameter = figure_at(self.law, parameter.id, str(self.value(node.nodes[0], at))) or parameter
            keys = tuple(self._step(key, at) for key in node.nodes)
            return Step(
                "figure",
                parameter.id,
                who,
                node.type,
                value,
                label_zh=parameter.label_zh,
                label=parameter.label,
                cite=parameter.cite,
                parts=keys,
                causes=causes,
            )
        if op in _FACTS:
            name = ".".join(str(a) for a in node.args) if op in ("attr", "col", "outcome", "confirmed") else op
            return Step("fact", name, who, node.type, value, causes=causes)
        return Step(
            "operation",
            op,
            who,
            node.type,
            value,
            parts=tuple(self._step(n, at) for n in self._taken(node, at)),
            causes=causes,
        )

    def _taken(self, node: Node, at: At) -> Sequence[Node]:
        """The parts of an operation that its value rests on: of a choice the branch taken, then the condition."""
        if node.op == "if":
            condition, yes, no = node.nodes
            chosen = self.value(condition, at)
            return (yes, no, condition) if chosen is None else (yes if chosen else no, condition)
        if node.op == "first_known":
            known = [n for n in node.nodes if self.value(n, at) is not None]
            return known[:1] or node.nodes
        return node.nodes

    def _rows_step(self, node: Node, at: At) -> Step:
        function, feed, element, condition, _, reviewed = node.args
        value, who = self.value(node, at), self.name_of(at.person)
        named = f"{function} {feed}" + (
            f".{element.args[1]}" if isinstance(element, Node) and element.op == "col" else ""
        )
        if hidden := self.hidden(node, at):
            return Step("rows", named, who, node.type, value, causes=(hidden,))
        assert at.person is not None
        rows = self.rows_of(at, str(feed))
        places = self._material.get(str(feed), {}).get(at.person, [])
        if len(places) != len(rows):
            raise InternalError(f"rows of {feed} and their places in files do not correspond")
        found: list[Source] = []
        for row, place in zip(rows, places, strict=True):
            here = At(at.person, row)
            belongs = self.membership(row, bool(reviewed))
            if isinstance(condition, Node) and belongs is not False:
                belongs = all_of((belongs, truth(self.value(condition, here))))
            if belongs is not False:
                worth = self.value(element, here) if isinstance(element, Node) else 1
                found.append(_source(who, str(feed), place, belongs, worth))
        return Step(
            "rows",
            named,
            who,
            node.type,
            value,
            rows=tuple(found),
            left_out=len(rows) - len(found),
            causes=tuple(sorted(causes_of(self, node, at))) if value is None else (),
        )

    def _people(self, node: Node, at: At) -> Step:
        function, element, condition = node.args
        value, who = self.value(node, at), self.name_of(at.person)
        causes = tuple(sorted(causes_of(self, node, at))) if value is None else ()
        is_members = node.op == "members"
        if not is_members and self.supporters_hidden(node, at):
            return Step("people", f"{function} {node.op}", who, node.type, value, causes=causes)
        everybody = self.members if is_members else self.supporters_of(node, at)
        parts: list[Step] = []
        for person in everybody:
            here = At(person)
            holds: Truth = truth(self.variable("is_member", person)) if is_members else True
            if isinstance(condition, Node) and holds is not False:
                holds = all_of((holds, truth(self.value(condition, here))))
            if holds is not False and isinstance(element, Node):
                parts.append(self._step(element, here))
        return Step(
            "people",
            f"{function} {node.op}",
            who,
            node.type,
            value,
            parts=tuple(parts),
            left_out=len(everybody) - len(parts) if isinstance(element, Node) else 0,
            causes=causes,
        )


_PLACE = (
    "position",
    "ref",
    "source_batch",
    "source_sender",
    "source_answered_on",
    "source_file",
    "source_line",
)


def _by_position(rows: Iterator[dict[str, object]]) -> dict[int, list[dict[str, object]]]:
    found: dict[int, list[dict[str, object]]] = {}
    for row in rows:
        position = row["position"]
        assert isinstance(position, int)
        found.setdefault(position, []).append(row)
    return found


def _source(who: str, feed: str, place: Mapping[str, object], belongs: Truth, value: Result) -> Source:
    day, line = place["source_answered_on"], place["source_line"]
    assert day is None or isinstance(day, date)
    assert isinstance(line, int)
    return Source(
        who,
        feed,
        str(place["ref"]),
        str(place["source_batch"]),
        str(place["source_sender"] or ""),
        day,
        str(place["source_file"]),
        line,
        belongs,
        value,
    )
