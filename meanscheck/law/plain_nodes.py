"""What does each node of a checked tree do, as a function of (run, person, row, month)? See `plain_steps`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from meanscheck.contracts.units import VERDICT_CONFIRMED, VERDICT_DROPPED
from meanscheck.law.figures import ANY_KEY
from meanscheck.law.names import OPEN_END, open_ended
from meanscheck.law.plain import PlainRun
from meanscheck.law.plain_rows import At, Entry, Result, aggregate, operation
from meanscheck.law.tables import entry, is_by_category
from meanscheck.law.tree import Node
from meanscheck.law.types import MICRO
from meanscheck.values.dates import age_on, window_of
from meanscheck.values.rounding import round_to

if TYPE_CHECKING:
    from meanscheck.law.plain_steps import SteppedRun, Steps

Step: TypeAlias = Callable[["SteppedRun", Any, Any, "date | None"], Any]
"""The value of one node for a person (index in the unit, None: the household), a row and a month; None if unknown."""


def step_of(node: Node, steps: Steps) -> Step:
    """The step of a node that depends on the case."""
    return _MADE.get(node.op, _left)(node, steps)


# ---- facts


def _left(node: Node, steps: Steps) -> Step:
    """What the plain executor does itself; it asks this one for what stands below."""
    method = getattr(PlainRun, f"_v_{node.op}", None)
    if method is not None:
        return lambda run, person, row, month: method(run, node, At(person, row, month))
    below, on = [steps[n] for n in node.nodes], steps.law.on

    def step(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
        values = [s(run, person, row, month) for s in below]
        return None if None in values else operation(node, values, on)

    return step


def _attribute(node: Node, steps: Steps) -> Step:
    entity, name = str(node.args[0]), str(node.args[1])
    if entity == "household":
        return lambda run, person, row, month: run.unit.attributes.get(name)
    if entity == "supporter" and name != "id":
        return _left(node, steps)
    return lambda run, person, row, month: run.unit.persons[person].attributes.get(name)


def _column(node: Node, steps: Steps) -> Step:
    feed, name = str(node.args[0]), str(node.args[1])
    if name in open_ended(feed):

        def until(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
            value = row.get(name)
            return OPEN_END if value is None else value

        return until
    if node.type.form == "micro":

        def ratio(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
            value = row.get(name)
            return Fraction(value, MICRO) if isinstance(value, int) else value

        return ratio
    return lambda run, person, row, month: row.get(name)


def _variable(node: Node, steps: Steps) -> Step:
    name = str(node.args[0])
    if steps.law.variables[name].entity == "household":
        of_home = (name, None)

        def home(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
            values = run.values
            return values[of_home] if of_home in values else run.variable(name, person)

        return home

    def own(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
        key, values = (name, person), run.values
        return values[key] if key in values else run.variable(name, person)

    return own


# ---- operations


def _kleene(decides: bool) -> Callable[[Node, Steps], Step]:
    """`and`, which one no decides, or `or`, which one yes decides."""

    def made(node: Node, steps: Steps) -> Step:
        below = tuple(steps[n] for n in node.nodes)

        def step(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
            known = True
            for s in below:
                value = s(run, person, row, month)
                if value is decides:
                    return decides
                if value is None:
                    known = False
            return (not decides) if known else None

        return step

    return made


def _not(node: Node, steps: Steps) -> Step:
    below = steps[node.nodes[0]]

    def step(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
        value = below(run, person, row, month)
        return None if value is None else not value

    return step


def _in(node: Node, steps: Steps) -> Step:
    below, words = steps[node.nodes[0]], node.args[1:]

    def step(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
        value = below(run, person, row, month)
        return None if value is None else value in words

    return step


def _if(node: Node, steps: Steps) -> Step:
    condition, x, y = (steps[n] for n in node.nodes)

    def step(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
        chosen = condition(run, person, row, month)
        if chosen is None:
            a = x(run, person, row, month)
            return a if a is not None and a == y(run, person, row, month) else None
        return (x if chosen else y)(run, person, row, month)

    return step


def _of_two(reckoned: Callable[[Any, Any], Result]) -> Callable[[Node, Steps], Step]:
    """An operation on two known values."""

    def made(node: Node, steps: Steps) -> Step:
        left, right = (steps[n] for n in node.nodes)
        if steps.is_fixed(node.nodes[1]) and (fixed := steps.fixed(node.nodes[1])) is not None:

            def against(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
                a = left(run, person, row, month)
                return None if a is None else reckoned(a, fixed)

            return against

        def step(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
            a = left(run, person, row, month)
            if a is None:
                return None
            b = right(run, person, row, month)
            return None if b is None else reckoned(a, b)

        return step

    return made


def _within(node: Node, steps: Steps) -> Step:
    day, months, before = (steps[n] for n in node.nodes)

    def step(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
        value, count = day(run, person, row, month), months(run, person, row, month)
        end = before(run, person, row, month)
        if value is None or count is None or end is None:
            return None
        first, after = window_of(count, end)
        return first <= value < after

    return step


def _extreme(node: Node, steps: Steps) -> Step:
    below, pick = tuple(steps[n] for n in node.nodes), max if node.op == "greatest" else min

    def step(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
        values = []
        for s in below:
            value = s(run, person, row, month)
            if value is None:
                return None
            values.append(value)
        return pick(values)

    return step


def _age(node: Node, steps: Steps) -> Step:
    below, on = steps[node.nodes[0]], steps.law.on

    def step(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
        born_on = below(run, person, row, month)
        return None if born_on is None else age_on(born_on, on)

    return step


def _rounded(node: Node, steps: Steps) -> Step:
    below, unit, mode = steps[node.nodes[0]], str(node.args[1]), str(node.args[2])

    def step(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
        value = below(run, person, row, month)
        return None if value is None else round_to(value, unit, mode)

    return step


def _entry(node: Node, steps: Steps) -> Step:
    parameter, below = steps.law.parameters[str(node.args[0])], tuple(steps[n] for n in node.nodes)
    is_plain = not parameter.unknown and is_by_category(parameter.by)
    table, of_any = parameter.table, parameter.table.get(ANY_KEY)

    def step(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
        keys = []
        for s in below:
            key = s(run, person, row, month)
            if key is None:
                return None
            keys.append(key)
        if not is_plain:
            return entry(parameter, keys)
        found = table.get(tuple(map(str, keys)))
        return of_any if found is None else found

    return step


def _quotient(a: Any, b: Any) -> Result:
    if b == 0:
        return None
    return Fraction(a, b) if isinstance(a, int) and isinstance(b, int) else a / b


# ---- rows


def _rows(node: Node, steps: Steps) -> Step:
    function, feed, element, condition, by, reviewed = node.args
    assert isinstance(function, str) and isinstance(feed, str)
    slot, of_none = steps.slot(node), aggregate(function, ())
    number = None if slot is None else slot.number
    test, worth, order = (steps[n] if isinstance(n, Node) else None for n in (condition, element, by))
    unseen = None if reviewed else True

    def step(run: SteppedRun, person: Any, row: Any, month: date | None) -> Any:
        kept, key = run.seen, (number, person)
        if number is None:
            rows = run.visible(node, At(person, row, month))
        elif key in kept:
            rows = kept[key]
        else:
            rows = kept[key] = run.visible(node, At(person, row, month))
        if rows is None:
            return None
        if not rows:
            return of_none
        entries: list[Entry] = []
        for one in rows:
            verdict = one.get("verdict") or 0
            if verdict == VERDICT_DROPPED:
                continue
            belongs = True if verdict == VERDICT_CONFIRMED else unseen
            if test is not None:
                holds = test(run, person, one, month)
                if holds is False:
                    continue
                if holds is None:
                    belongs = None
            entries.append(
                (
                    belongs,
                    1 if worth is None else worth(run, person, one, month),
                    None if order is None else order(run, person, one, month),
                )
            )
        return aggregate(function, entries) if entries else of_none

    return step


_MADE: Mapping[str, Callable[[Node, Steps], Step]] = {
    "attr": _attribute,
    "col": _column,
    "var": _variable,
    "and": _kleene(decides=False),
    "or": _kleene(decides=True),
    "not": _not,
    "in": _in,
    "if": _if,
    "within": _within,
    "agg": _rows,
    "greatest": _extreme,
    "least": _extreme,
    "age": _age,
    "round": _rounded,
    "index": _entry,
    "/": _of_two(_quotient),
    "+": _of_two(lambda a, b: a + b),
    "-": _of_two(lambda a, b: a - b),
    "*": _of_two(lambda a, b: a * b),
    "==": _of_two(lambda a, b: a == b),
    "!=": _of_two(lambda a, b: a != b),
    "<": _of_two(lambda a, b: a < b),
    ">=": _of_two(lambda a, b: a >= b),
    ">": _of_two(lambda a, b: a > b),
    "<=": _of_two(lambda a, b: a <= b),
}
