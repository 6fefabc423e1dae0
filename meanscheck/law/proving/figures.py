"""Figures of the law over a symbolic household: a number, an entry of a table, a free symbol where none was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

from meanscheck.law.law import ANY_KEY, Parameter, Scalar
from meanscheck.law.proving import terms as t
from meanscheck.law.proving.terms import Day, NotEncodable, Number, Sym, Term, Text, Truth
from meanscheck.law.tables import BAND, MONTH_KEY, bound_of, ordered
from meanscheck.law.tree import Node
from meanscheck.law.types import MICRO, UNITS, Type
from meanscheck.values.dates import month_number, month_start

if TYPE_CHECKING:
    from meanscheck.law.proving.encode import At, Encoder


class Figures:
    """The figures of `Encoder`."""

    def _v_param(self: Encoder, node: Node, at: At) -> Term:  # type: ignore[misc]
        parameter = self.law.parameters[str(node.args[0])]
        return self._figure(parameter, ())

    def _figure(self: Encoder, parameter: Parameter, keys: tuple[str, ...]) -> Term:  # type: ignore[misc]
        """A figure of the law; a free symbol where nobody found it."""
        unit = UNITS[parameter.unit]
        if parameter.unknown:
            label = f"figure {parameter.id} {' '.join(keys)}".strip()
            if unit.kind == "num":
                symbol = self.world.whole(label, 0)
                self.figures[label] = (parameter.id, keys, symbol)
                return Number(symbol, MICRO if unit.form == "micro" else 1)
            if unit.kind == "bool":
                symbol = self.world.flag(label)
                self.figures[label] = (parameter.id, keys, symbol)
                return t.truth(symbol)
            raise NotEncodable(f"{parameter.id} is not found")
        figure = parameter.get(keys)
        figure = parameter.get(ANY_KEY) if figure is None else figure
        if figure is None:
            return _unknown(unit)
        if isinstance(figure, bool):
            return Truth(figure, not figure)
        if isinstance(figure, date):
            return Day(figure.toordinal())
        if isinstance(figure, str):
            code = self.texts.code(figure)
            return Text(code, True, (code,))
        return t.number(figure.numerator, figure.denominator)

    def _v_index(self: Encoder, node: Node, at: At) -> Term:  # type: ignore[misc]
        parameter = self.law.parameters[str(node.args[0])]
        return self._entry(parameter, [self.value(k, at) for k in node.nodes], ())

    def _v_at(self: Encoder, node: Node, at: At) -> Term:  # type: ignore[misc]
        """The figure of another place: that of any pack that speaks, or of none where the nation's does not."""
        place, *keys = (self.value(n, at) for n in node.nodes)
        assert isinstance(place, Text)
        there = self.law.places.get(str(node.args[0]), {})
        codes = list(there)
        which = self.world.whole(f"place {node.key} {at.person}", 0, len(codes))
        self.world.once(f"place {node.key} {at.person}", True if "000000" not in there else which < len(codes))
        found: Term = _unknown(UNITS[self.law.parameters[str(node.args[0])].unit])
        known: list[Sym] = []
        for i, code in enumerate(codes):
            here = place.code == self.texts.code(code)
            # A place that has a pack of its own has its figure; what other digits lead to is left open.
            self.world.once(f"place {node.key} {at.person} {code}", t.either(t.opposite(here), which == i))
            known.append(here)
            found = _or_else(which == i, self._entry(there[code], keys, ()), found)
        self.preferred.append(t.either(*known))
        return found if place.known is True else _where(place.known, found)

    def _v_slices(self: Encoder, node: Node, at: At) -> Term:  # type: ignore[misc]
        """Each part of an amount at the ratio of its band."""
        parameter = self.law.parameters[str(node.args[0])]
        amount, *keys = (self.value(n, at) for n in node.nodes)
        assert isinstance(amount, Number)
        if parameter.unknown:
            raise NotEncodable(f"{parameter.id} is not found")
        if ANY_KEY in parameter.table:
            return t.times(t.extreme([amount, t.number(0)], least=False), _ratio(parameter.table[ANY_KEY]))
        return self._sliced(parameter, amount, keys, ())

    def _sliced(  # type: ignore[misc]
        self: Encoder, parameter: Parameter, amount: Number, keys: Sequence[Term], chosen: tuple[str, ...]
    ) -> Number:
        if keys:
            found = Number(0, 1, False, (0,))
            for condition, word in self._cases(parameter, keys[0], chosen):
                mine = self._sliced(parameter, amount, keys[1:], (*chosen, word))
                known = t.choice(condition, mine.known, found.known)
                found = t.selected(Truth(condition, t.opposite(condition)), mine, found, known)
            return found
        by = parameter.by[-1]
        ratios = sorted((bound_of(k[-1], by), v) for k, v in parameter.table.items() if k[:-1] == chosen)
        if not ratios:
            return Number(0, 1, False, (0,))
        total = t.number(0)
        for i, (lower, ratio) in enumerate(ratios):
            below = t.number(lower.numerator, lower.denominator)
            part = amount
            if i + 1 < len(ratios):
                upper = ratios[i + 1][0]
                part = t.extreme([amount, t.number(upper.numerator, upper.denominator)], least=True)
            part = t.extreme([t.plus(part, t.minus(below)), t.number(0)], least=False)
            total = t.plus(total, t.times(part, _ratio(ratio)))
        return Number(total.top, total.den, t.both(total.known, amount.known))

    def _entry(self: Encoder, parameter: Parameter, keys: Sequence[Term], chosen: tuple[str, ...]) -> Term:  # type: ignore[misc]
        """The entry of a table: one case for each key that a text, number, band or month can be."""
        if not keys or ANY_KEY in parameter.table:
            return self._figure(parameter, chosen)
        found: Term = _unknown(UNITS[parameter.unit])
        for condition, word in self._cases(parameter, keys[0], chosen):
            entry = self._entry(parameter, keys[1:], (*chosen, word))
            found = _or_else(condition, entry, found)
        return found if isinstance(keys[0], Truth) or keys[0].known is True else _where(keys[0].known, found)

    def _cases(  # type: ignore[misc]
        self: Encoder, parameter: Parameter, key: Term, chosen: tuple[str, ...]
    ) -> Iterator[tuple[Sym, str]]:
        """When a key is each of the words that stand in the table; a later case goes before an earlier one."""
        place = len(chosen)
        by = parameter.by[place]
        if parameter.unknown and (by.startswith(BAND) or by == MONTH_KEY):
            raise NotEncodable(f"{parameter.id} is not found")
        words = ordered([k[place] for k in parameter.table if k[:place] == chosen], by)
        if by.startswith(BAND):
            assert isinstance(key, Number)
            for word in words:
                bound = bound_of(word, by)
                yield t.compared(">=", key, t.number(bound.numerator, bound.denominator)).true, word
        elif by == MONTH_KEY:
            assert isinstance(key, Day)
            for word in words:
                first = date.fromisoformat(f"{word}-01")
                after = month_start(month_number(first) + 1)
                yield t.both(key.at >= first.toordinal(), key.at < after.toordinal()), word
        elif isinstance(key, Text):
            for code in self._choices(parameter, key, place):
                yield key.code == code, self.texts.word(code)
        elif isinstance(key, Number) and key.points is not None and key.den == 1:
            for point in key.points:
                yield key.top == point, str(point)
        else:
            raise NotEncodable(f"an entry of {parameter.id} by a number without known bounds")

    def _choices(self: Encoder, parameter: Parameter, key: Text, place: int) -> tuple[int, ...]:  # type: ignore[misc]
        if t.is_constant(key.code):
            return (key.code,)
        if key.choices is not None:
            return key.choices
        if parameter.unknown:
            raise NotEncodable(f"an entry of {parameter.id} by a free text")
        return tuple(sorted({self.texts.code(k[place]) for k in parameter.table if len(k) > place}))


def _ratio(figure: Scalar) -> Number:
    assert isinstance(figure, int | Fraction)
    return t.number(figure.numerator, figure.denominator)


def _unknown(unit: Type) -> Term:
    if unit.kind == "bool":
        return Truth(False, False)
    if unit.kind == "date":
        return Day(1, False)
    return Text(0, False) if unit.kind == "text" else Number(0, 1, False, (0,))


def _or_else(condition: Sym, x: Term, y: Term) -> Term:
    """The one where the condition holds, else the other."""
    c = Truth(condition, t.opposite(condition))
    if isinstance(x, Truth) and isinstance(y, Truth):
        return Truth(t.choice(condition, x.true, y.true), t.choice(condition, x.false, y.false))
    assert not isinstance(x, Truth) and not isinstance(y, Truth)
    known = t.choice(condition, x.known, y.known)
    if isinstance(x, Number) and isinstance(y, Number):
        return t.selected(c, x, y, known)
    if isinstance(x, Day) and isinstance(y, Day):
        return Day(t.choice(condition, x.at, y.at), known)
    assert isinstance(x, Text) and isinstance(y, Text)
    choices = None if x.choices is None or y.choices is None else tuple(sorted({*x.choices, *y.choices}))
    return Text(t.choice(condition, x.code, y.code), known, choices)


def _where(known: Sym, term: Term) -> Term:
    """The same value, known only where `known`."""
    if isinstance(term, Truth):
        return Truth(t.both(known, term.true), t.both(known, term.false))
    if isinstance(term, Number):
        return Number(term.top, term.den, t.both(known, term.known), term.points)
    if isinstance(term, Day):
        return Day(term.at, t.both(known, term.known))
    return Text(term.code, t.both(known, term.known), term.choices)
