"""Figures of the law over a symbolic household: a number, an entry of a table, a free symbol where none was found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from meanscheck.law.law import Parameter
from meanscheck.law.proving import terms as t
from meanscheck.law.proving.terms import Day, NotEncodable, Number, Sym, Term, Text, Truth
from meanscheck.law.tree import Node
from meanscheck.law.types import MICRO, UNITS, Type

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
        figure = parameter.get(("*",)) if figure is None else figure
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
        keys = [self.value(k, at) for k in node.nodes]
        return self._entry(parameter, keys, ())

    def _entry(self: Encoder, parameter: Parameter, keys: Sequence[Term], chosen: tuple[str, ...]) -> Term:  # type: ignore[misc]
        """The entry of a table: one case for each key that a text or number can be."""
        if not keys:
            return self._figure(parameter, chosen)
        key, *others = keys
        if isinstance(key, Text):
            symbol, cases = key.code, [(c, self.texts.word(c)) for c in self._choices(parameter, key, len(chosen))]
        elif isinstance(key, Number) and key.points is not None and key.den == 1:
            symbol, cases = key.top, [(p, str(p)) for p in key.points]
        else:
            raise NotEncodable(f"an entry of {parameter.id} by a number without known bounds")
        found: Term = _unknown(UNITS[parameter.unit])
        for code, word in cases:
            entry = self._entry(parameter, others, (*chosen, word))
            found = _or_else(symbol == code, entry, found)
        return found if key.known is True else _where(key.known, found)

    def _choices(self: Encoder, parameter: Parameter, key: Text, place: int) -> tuple[int, ...]:  # type: ignore[misc]
        if t.is_constant(key.code):
            return (key.code,)
        if key.choices is not None:
            return key.choices
        if parameter.unknown:
            raise NotEncodable(f"an entry of {parameter.id} by a free text")
        return tuple(sorted({self.texts.code(k[place]) for k in parameter.table if len(k) > place}))


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
