"""The symbolic household: which facts does it have, as symbols with their bounds?

A `World` holds one application: up to so many members (the first is always there), up to so many supporters outside,
each fact of them a symbol that is made when a formula first asks for it. Of the rows of a feed it knows, for each
person and class of rows (`rows`), how many there are and what each column sums to. Every fact is known: complete
evidence. A second world can share the facts of a first and move only some of them.

Choices
    * The application is of the day itself (`applied_on` and `reference_day` are `on`), as in a stated case.
    * A person is born on or before that day and not over 130 years before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import z3

from meanscheck.contracts import all_feeds
from meanscheck.contracts.model import Column
from meanscheck.law.proving.terms import Day, Number, Sym, Term, Text, Texts, both, either, truth
from meanscheck.law.types import MICRO, Type

EARLIEST, LATEST = date(1800, 1, 1).toordinal(), date(9999, 12, 31).toordinal()
_OLDEST_DAYS = 130 * 366


@dataclass(frozen=True, slots=True)
class Extent:
    """How many members and supporters a household has at most."""

    members: int
    supporters: int

    @property
    def persons(self) -> range:
        """Members first, then supporters."""
        return range(self.members + self.supporters)


class World:
    """One household; `constraints` is what holds of its symbols."""

    def __init__(
        self,
        extent: Extent,
        on: date,
        texts: Texts,
        *,
        tag: str = "",
        base: World | None = None,
        moved: Callable[[str], bool] = lambda name: True,
    ) -> None:
        self.extent, self.on, self.texts = extent, on, texts
        self.tag, self.base, self.moved = tag, base, moved
        self.constraints: list[Sym] = []
        self.symbols: dict[str, Sym] = {}
        self.said: set[str] = set()

    # ---- symbols

    def whole(self, name: str, least: int | None = None, most: int | None = None) -> Sym:
        """A whole number."""
        return self._symbol(name, z3.Int, lambda x: _between(x, least, most))

    def flag(self, name: str) -> Sym:
        """A yes/no."""
        return self._symbol(name, z3.Bool, lambda x: [])

    def _symbol(self, name: str, sort: Callable[[str], Sym], bounds: Callable[[Sym], list[Sym]]) -> Sym:
        if self.base is not None and not self.moved(name):
            return self.base._symbol(name, sort, bounds)
        if name not in self.symbols:
            self.symbols[name] = sort(name + self.tag)
            self.constraints += bounds(self.symbols[name])
        return self.symbols[name]

    def owner(self, name: str) -> World:
        """The world that a fact belongs to."""
        return self if self.base is None or self.moved(name) else self.base.owner(name)

    def once(self, name: str, *constraints: Sym) -> None:
        """Constraints of a fact, said once where it belongs."""
        owner = self.owner(name)
        if name not in owner.said:
            owner.said.add(name)
            owner.constraints += [c for c in constraints if c is not True]

    def find(self, name: str) -> Sym | None:
        """The symbol of a fact, None if nothing asked for it."""
        return self.owner(name).symbols.get(name)

    def names(self) -> Iterator[str]:
        """Facts that something asked for."""
        yield from self.symbols
        if self.base is not None:
            yield from (n for n in self.base.names() if n not in self.symbols)

    def all_constraints(self) -> list[Sym]:
        """Those of this world and of the one it shares facts with."""
        return [*self.constraints, *(self.base.all_constraints() if self.base else ())]

    # ---- people

    def present(self, person: int) -> Sym:
        """Whether there is such a member or supporter; the first member always is."""
        if person == 0:
            return True
        name = f"present {person}"
        here = self.flag(name)
        if person != self.extent.members:
            # Members and supporters are numbered without gaps: one order for each household is enough.
            self.once(name, either(z3.Not(here), self.present(person - 1)))
        return here

    def supports(self, supporter: int, member: int) -> Sym:
        """Whether a supporter who is there supports a member who is; each supports somebody."""
        edges = []
        for m in range(self.extent.members):
            edge = self.flag(f"supports {supporter} {m}")
            there = both(self.present(supporter), self.present(m))
            self.once(f"supports {supporter} {m}", either(z3.Not(edge), there))
            edges.append(edge)
        self.once(f"supporter {supporter}", z3.Implies(self.present(supporter), either(*edges)))
        return edges[member]

    # ---- facts

    def attribute(self, entity: str, name: str, t: Type, person: int | None) -> Term:
        """An attribute of the household, of a member, or a supporter's own column."""
        if entity == "household" and name == "applied_on":
            return Day(self.on.toordinal())
        label = f"{entity} {name}" if person is None else f"{entity} {person} {name}"
        if name == "born_on":
            today = self.on.toordinal()
            return Day(self.whole(label, today - _OLDEST_DAYS, today))
        column = None
        if entity == "supporter" and name != "id":
            column = next(c for c in all_feeds()["supporters"].columns if c.name == name)
        return self.fact(label, t, column)

    def fact(self, label: str, t: Type, column: Column | None = None) -> Term:
        """A known value of a type; of a column, within the contract's bounds."""
        if t.kind == "bool":
            return truth(self.flag(label))
        if t.kind == "date":
            return Day(self.whole(label, EARLIEST, LATEST))
        if t.kind == "text":
            codes = None if t.choices is None else tuple(sorted(self.texts.code(w) for w in t.choices))
            symbol = self.whole(label) if codes is None else self._one_of(label, codes)
            return Text(symbol, True, codes)
        least, most = bounds_of(column) if column is not None else (None, None)
        return Number(self.whole(label, least, most), MICRO if t.form == "micro" else 1)

    def _one_of(self, label: str, codes: tuple[int, ...]) -> Sym:
        return self._symbol(label, z3.Int, lambda x: [z3.Or(*(x == c for c in codes))])


def bounds_of(column: Column) -> tuple[int | None, int | None]:
    """The least and the greatest that a contract allows in a column of numbers."""
    free = column.may_be_negative or column.negative_only_when is not None
    least = column.minimum if column.minimum is not None else None if free else 0
    return least, column.maximum


def _between(x: Sym, least: int | None, most: int | None) -> list[Sym]:
    found = [] if least is None else [x >= least]
    return found if most is None else [*found, x <= most]
