"""What real household shows it? A model of the solver → a stated case, run by both executors.

`stated(encoder, model, …)` writes the case as the TOML that `cases.py` reads: people, rows (one or more for each class,
the first with the whole sum), figures not found as what-if figures, and what is expected. `reproduced` runs that text
by the plain and by the vector executor. Only what both reproduce is a witness.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import z3

from meanscheck.contracts import all_feeds
from meanscheck.contracts.units import CaseUnit
from meanscheck.law.cases import Case
from meanscheck.law.figures import figure_text
from meanscheck.law.framed import framed
from meanscheck.law.law import Law
from meanscheck.law.names import OPEN_END, attribute_types, open_ended
from meanscheck.law.plain import PlainRun
from meanscheck.law.proving import terms as t
from meanscheck.law.proving.aggregates import TRUE, pick_label
from meanscheck.law.proving.encode import Decided, Encoder
from meanscheck.law.proving.rows import FeedClasses, RowClass
from meanscheck.law.proving.terms import Sym
from meanscheck.law.tree import Node
from meanscheck.law.types import MICRO, UNITS
from meanscheck.law.vectors import VectorRun
from meanscheck.values.money import format_yuan

MOST_ROWS = 8
_IDS = "ABCDEFGHJKLM"
_WORDS = {True: "eligible", False: "ineligible", None: "refer"}
Subject = tuple[str, int | None]
"""A programme, and the member by position (None: the household)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came out for one subject."""

    outcome: str
    award: int | None
    failed: tuple[str, ...]


def predicted(model: z3.ModelRef, decided: Decided) -> Answer:
    """What the model says of a programme."""
    outcome = _truth(model, decided.outcome)
    failed = tuple(name for name, holds in decided.tests if _truth(model, holds) is False)
    award = None
    if outcome is True and decided.award is not None:
        award = int(number_of(model, decided.award))
    return Answer(_WORDS[outcome], award, failed)


def number_of(model: z3.ModelRef, number: t.Number) -> Fraction:
    """The value of a number in a model."""
    return Fraction(whole_of(model, number.top), number.den)


def whole_of(model: z3.ModelRef, symbol: Sym) -> int:
    """The value of a whole number in a model."""
    return symbol if t.is_constant(symbol) else int(model.eval(symbol, model_completion=True).as_long())


def _holds(model: z3.ModelRef, symbol: Sym) -> bool:
    return symbol if isinstance(symbol, bool) else bool(z3.is_true(model.eval(symbol, model_completion=True)))


def _truth(model: z3.ModelRef, truth: t.Truth) -> bool | None:
    return True if _holds(model, truth.true) else False if _holds(model, truth.false) else None


# ---- from model to case


class Stated:
    """Writes the household of a model as a case."""

    def __init__(self, encoder: Encoder, model: z3.ModelRef) -> None:
        self.encoder, self.world, self.model = encoder, encoder.world, model
        extent = self.world.extent
        self.persons = [p for p in extent.persons if _holds(model, self.world.present(p))]
        self.members = [p for p in self.persons if p < extent.members]

    def name(self, person: int) -> str:
        """A member is A, B, …, a supporter S1, S2, …."""
        members = self.world.extent.members
        return _IDS[person] if person < members else f"S{person - members + 1}"

    def case(self, case_id: str, *, known_by: date, expect: Iterable[tuple[Subject, Answer]]) -> dict[str, Any] | None:
        """The case as nested values; None if it needs more rows than anybody would read."""
        people: dict[str, list[dict[str, Any]]] = {"member": [], "supporter": []}
        for person in self.persons:
            stated = self.person(person)
            if stated is None:
                return None
            people["member" if person in self.members else "supporter"].append(stated)
        household = {**self.attributes("household", None), **{k: v for k, v in people.items() if v}}
        expected: dict[str, Any] = {}
        for (programme, who), answer in expect:
            entry: dict[str, Any] = {"outcome": answer.outcome, "failed": list(answer.failed)}
            if answer.award is not None:
                entry["award"] = format_yuan(answer.award)
            if who is None:
                expected[programme] = entry
            else:
                expected.setdefault(programme, {})[self.name(who)] = entry
        case: dict[str, Any] = {"id": case_id, "on": self.world.on}
        if known_by != self.world.on:
            case["known_by"] = known_by
        if self.encoder.law.accepted:
            case["accept"] = list(self.encoder.law.accepted)
        if self.figures():
            case["parameters"] = self.figures()
        return {**case, "household": household, "expect": expected}

    def figures(self) -> dict[str, Any]:
        """The figures not found, as the model has them."""
        found: dict[str, Any] = {}
        assert self.encoder.classes is not None
        of_rows = self.encoder.classes.encoders[self.encoder.index].figures
        for name, keys, symbol in {**of_rows, **self.encoder.figures}.values():
            parameter = self.encoder.law.parameters[name]
            unit = UNITS[parameter.unit]
            value: Any = _holds(self.model, symbol) if unit.kind == "bool" else whole_of(self.model, symbol)
            if unit.form == "micro":
                value = Fraction(value, MICRO)
            if parameter.unit not in ("number", "month", "bool"):
                value = figure_text(value, parameter.unit)
            place, last = found, name
            for key in keys:
                place, last = place.setdefault(last, {}), key
            place[last] = value
        return found

    def attributes(self, entity: str, person: int | None) -> dict[str, Any]:
        """Facts that the law asked for."""
        found: dict[str, Any] = {}
        kinds = {} if entity != "supporter" else {c.name: c.kind for c in all_feeds()["supporters"].columns}
        for name, kind in attribute_types()[entity].items():
            symbol = self.world.find(f"{entity} {name}" if person is None else f"{entity} {person} {name}")
            if symbol is not None and name != "id":
                found[name] = self.cell(symbol, kinds.get(name) or kind.kind, self.model)
        return found

    def cell(self, symbol: Sym, kind: str, model: z3.ModelRef) -> Any:
        """A value as a case states it."""
        if kind == "bool":
            return _holds(model, symbol)
        value = whole_of(model, symbol)
        if kind in ("text", "choice", "person"):
            return self.world.texts.word(value)
        if kind in ("date", "month"):
            day = date.fromordinal(value)
            return f"{day:%Y-%m}" if kind == "month" else day
        if kind == "money":
            return format_yuan(value)
        if kind in ("area", "ratio"):
            return figure_text(value if kind == "area" else Fraction(value, MICRO), kind)
        return value

    def person(self, person: int) -> dict[str, Any] | None:
        """One person with his rows."""
        entity = "member" if person in self.members else "supporter"
        stated: dict[str, Any] = {"id": self.name(person)}
        if entity == "supporter":
            edges = ((m, self.world.find(f"supports {person} {m}")) for m in self.members)
            stated["supports"] = [self.name(m) for m, e in edges if e is not None and _holds(self.model, e)]
        stated |= self.attributes(entity, person)
        assert self.encoder.classes is not None
        findings: list[dict[str, Any]] = []
        for feed, classes in self.encoder.classes.found.items():
            rows = list(self.rows(person, classes))
            if len(rows) > MOST_ROWS:
                return None
            if rows:
                stated[feed] = rows
            if feed in self.reviewed():
                findings += [{"feed": feed, "row_ref": str(i), "verdict": "confirmed"} for i in range(1, len(rows) + 1)]
        if findings:
            stated["findings"] = findings
        return stated

    def reviewed(self) -> frozenset[str]:
        """Feeds whose rows are doubtful points, or of which a formula asks whether they are confirmed."""
        nodes = [n for tree in self.encoder.law.trees for n in tree.walk()]
        asked = {str(n.args[0]) for n in nodes if n.op == "confirmed"}
        return frozenset(asked | {str(n.args[1]) for n in nodes if n.op == "agg" and n.args[5]})

    # ---- rows

    def rows(self, person: int, classes: FeedClasses) -> Iterator[dict[str, Any]]:
        """Rows that a model counts and sums."""
        for of in classes.classes:
            symbol = self.world.find(f"rows {person} {classes.feed} {of.number}")
            count = 0 if symbol is None else whole_of(self.model, symbol)
            for place in range(min(count, MOST_ROWS + 1)):
                yield self.row(person, classes, of, is_first=place == 0)

    def row(self, person: int, classes: FeedClasses, of: RowClass, *, is_first: bool) -> dict[str, Any]:
        """One row: the first of its class carries the sums, the others nothing."""
        pins: list[Sym] = []
        for name, cell in classes.cells():
            symbol = self.world.find(f"sum {person} {classes.feed} {of.number} {name}")
            if symbol is not None:
                pins.append(cell == (whole_of(self.model, symbol) if is_first else 0))
        pins += self.picked(person, classes, of)
        chosen: list[Sym] = []
        for pin in [p for p in pins if p is not True]:
            if classes.possible(of, *chosen, pin) is not None:
                chosen.append(pin)
        model = classes.possible(of, *chosen)
        assert model is not None
        columns = {c.name: c.kind for c in all_feeds()[classes.feed].columns}
        row: dict[str, Any] = {}
        for name, cell in classes.cells():
            if name == "is_reversed":
                row |= {"reverses": "R0"} if _holds(model, cell) else {}
                continue
            kind = columns[name]
            if kind == "date" and name in open_ended(classes.feed) and whole_of(model, cell) == OPEN_END.toordinal():
                continue
            row[name] = self.cell(cell, kind, model)
        return row

    def picked(self, person: int, classes: FeedClasses, of: RowClass) -> Iterator[Sym]:
        """What the latest, lowest or highest of the rows asks of this one."""
        for node in self.encoder.aggregates():
            function, feed, element, condition, by, _ = node.args
            if feed != classes.feed or function not in ("latest", "lowest", "highest"):
                continue
            asked = (self.encoder.index, condition if isinstance(condition, Node) else TRUE)
            mine = [c.number for c in classes.classes if c.holds[asked]]
            symbol = self.world.find(pick_label(person, node, mine))
            if symbol is None or of.number not in mine:
                continue
            value = whole_of(self.model, symbol)
            assert isinstance(element, Node)
            kind = element.type.kind
            if function == "latest" and kind in ("text", "bool") and isinstance(by, Node):
                day = classes.term((self.encoder.index, by))
                assert isinstance(day, t.Day)
                days = self.world.on - timedelta(days=0 if value == of.number else 366)
                yield day.at == days.toordinal()
            else:
                term = classes.term((self.encoder.index, element))
                if isinstance(term, t.Number):
                    yield term.top == value
                elif isinstance(term, t.Day):
                    yield term.at == value


# ---- from case to both executors


def reproduced(law: Law, case: Case, subjects: Sequence[Subject]) -> Mapping[Subject, Answer] | None:
    """What both executors say of the subjects; None if they differ, which would be a fault of ours."""
    unit = case.unit
    plain = PlainRun(law, unit)
    run = VectorRun(law, framed(law, [unit]))
    found: dict[Subject, Answer] = {}
    for programme, who in subjects:
        o = plain.outcome(programme, who)
        row = (run.households if who is None else run.persons).row(who or 0, named=True)
        failed = tuple(test.id for test in law.programme(programme).tests if row[f"t:{programme}:{test.id}"] is False)
        by_vectors = Answer(_WORDS[row[f"o:{programme}"]], row.get(f"w:{programme}"), failed)
        mine = Answer(o.outcome, o.award, o.failed)
        if by_vectors.outcome != mine.outcome or by_vectors.award != mine.award:
            return None
        if set(by_vectors.failed) != set(mine.failed) - {"membership"}:
            return None
        found[programme, who] = mine
    return found


def read(text: str) -> Case:
    """The case of a text written here."""
    (case,) = tomllib.loads(text)["case"]
    return Case.from_dict(case, where="witness")


def unit_of(text: str) -> CaseUnit:
    """Its case unit."""
    return read(text).unit
