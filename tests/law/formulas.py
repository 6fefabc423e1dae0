"""Random well-typed formulas of the rule language, as text.

A `Formulas` writes for one place (`Place`): an entity, and perhaps one loop around it. What may be named there comes
from an `Environment`, which grows as variables and programmes are added, so a law never has a cycle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from meanscheck.law.names import attribute_types, feed_types
from meanscheck.law.types import AREA, MONEY, MONTH, NUMBER, Dimension, Type
from meanscheck.law.types import UNITS as UNITS_OF_LAW

from .choosing import Chooser, often

PLAIN: Dimension = NUMBER.dimension
PER_MONTH: Dimension = (1, -1, 0)
DIMENSIONS: tuple[Dimension, ...] = (MONEY.dimension, PLAIN, PER_MONTH, MONTH.dimension, AREA.dimension)
FEEDS = (
    "tax_income",
    "bank_deposits",
    "medical_settlements",
    "real_estate",
    "relief_status",
    "self_care_assessments",
    "vehicles",
)
COLUMNS = {
    "tax_income": ("month", "item", "amount", "tax"),
    "bank_deposits": ("account_kind", "balance", "as_of"),
    "medical_settlements": ("settled_on", "care", "total", "basic_paid", "is_reversed"),
    "real_estate": ("use", "area", "share", "registered_on", "transferred_on"),
    "relief_status": ("programme", "from", "until"),
    "self_care_assessments": ("items_failed", "assessed_on", "needs_care_since"),
    "vehicles": ("vehicle_class", "status", "registered_on"),
}
"""Columns that generated formulas read."""
DAY_OF = {
    "tax_income": "month",
    "bank_deposits": "as_of",
    "medical_settlements": "settled_on",
    "real_estate": "registered_on",
    "relief_status": "from",
    "self_care_assessments": "assessed_on",
    "vehicles": "registered_on",
}
ATTRIBUTES = {
    "household": ("residence", "division", "applied_on"),
    "member": ("relation", "sex", "born_on", "lives_together", "can_live_independently", "lives_together_since", "id"),
    "supporter": (
        *("relation", "born_on", "residence", "income", "household_size", "agreed_amount", "received_amount"),
        *("children_count", "civil_capacity", "division_code", "id"),
    ),
}
FREE_WORDS = ("440703", "A", "B", "S", "urban")
"""Texts to compare with where any text may stand."""
UNITS = ("fen", "jiao", "yuan", "10 yuan")
MODES = ("half_up", "half_even", "up", "down")


@dataclass(frozen=True, slots=True)
class Table:
    """A parameter indexed by texts or whole numbers."""

    name: str
    type: Type
    keys: tuple[tuple[str, ...], ...]
    """The texts for each key; a key of whole numbers has digits."""
    by: tuple[str, ...] = ()
    """What each key is."""


@dataclass(slots=True)
class Environment:
    """What formulas may name so far."""

    parameters: dict[str, Type] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    windows: list[str] = field(default_factory=list)
    counts: list[str] = field(default_factory=list)
    """Parameters that count months, and few of them."""
    variables: dict[str, tuple[str, Type]] = field(default_factory=dict)
    programmes: dict[str, str] = field(default_factory=dict)
    knows_members: bool = False
    """`size` and loops over members may be used, since `is_member` is there."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a formula stands: the entity whose names are bare, and the loop around it."""

    entity: str
    loop: str = ""
    owner: str = ""
    """The entity the whole formula belongs to."""


class Formulas:
    """Writes formulas."""

    def __init__(self, choose: Chooser, environment: Environment) -> None:
        self.choose, self.known = choose, environment

    # ---- what may be named

    def names(self, place: Place) -> list[tuple[str, Type]]:
        """All that has a name at a place, with its type."""
        found: list[tuple[str, Type]] = [("on", Type("date")), ("reference_day", Type("date"))]
        if self.known.knows_members:
            found.append(("size", NUMBER))
        found.extend(self.known.parameters.items())
        for entity in {place.entity, "household"}:
            prefix = "" if entity == place.entity else "household."
            found.extend((prefix + a, attribute_types()[entity][a]) for a in ATTRIBUTES[entity])
            found.extend((prefix + v, t) for v, (e, t) in self.known.variables.items() if e == entity)
        if place.loop in ("members", "supporters"):
            entity = place.loop.removesuffix("s")
            found.extend((f"x.{a}", attribute_types()[entity][a]) for a in ATTRIBUTES[entity])
            found.extend((f"x.{v}", t) for v, (e, t) in self.known.variables.items() if e == entity)
        elif place.loop == "months":
            found += [("x", Type("date"))] * 3
        elif place.loop:
            columns = [(c, feed_types()[place.loop][c]) for c in COLUMNS[place.loop]]
            found.extend((f'x["{c}"]' if c == "from" else f"x.{c}", t) for c, t in columns)
            # Cells are what a loop is about, so they are named more often.
            found.extend((f'x["{c}"]' if c == "from" else f"x.{c}", t) for c, t in columns * 2)
        return sorted(found)

    def named(self, place: Place, fits: Callable[[Type], bool]) -> list[str]:
        return [name for name, t in self.names(place) if fits(t)]

    def elsewhere(self, place: Place, fits: Callable[[Type], bool]) -> list[str]:
        """Single figures at other places."""
        return [self._elsewhere(place, name) for name, t in self.known.parameters.items() if fits(t)]

    def indexed(self, place: Place, fits: Callable[[Type], bool]) -> list[str]:
        """Entries of tables, with a key of each kind."""
        result = []
        for table in self.known.tables:
            if not fits(table.type):
                continue
            keys = []
            for words, by in zip(table.keys, table.by, strict=True):
                if by.startswith("band:"):
                    keys.append(self._in_band(place, UNITS_OF_LAW[by.removeprefix("band:")].dimension))
                elif by == "month":
                    keys.append(self._some_month(place))
                elif words[0].isdigit():
                    keys.append(self.choose.pick(("1", *self.named(place, lambda t: t == NUMBER))))
                else:
                    texts = self.named(place, lambda t: t.kind == "text")
                    keys.append(self.choose.pick((f'"{words[0]}"', '"none such"', *texts)))
            entry = f"{table.name}[{', '.join(keys)}]"
            result.append(self._elsewhere(place, entry) if often(self.choose, 20) else entry)
        return result

    def _in_band(self, place: Place, dimension: Dimension) -> str:
        """A named number of a dimension, or a quotient of it."""
        names = self.named(place, lambda t: t.kind == "num" and t.dimension == dimension)
        name = self.choose.pick(("0", *names))
        counts = self.named(place, lambda t: t == NUMBER)
        return f"{name} / {self.choose.pick(('2', *counts))}" if name != "0" and often(self.choose, 25) else name

    def _some_month(self, place: Place) -> str:
        day = self.choose.pick(("on", *self.named(place, lambda t: t.kind == "date")))
        return f"month_back({day}, {self._few()})" if often(self.choose, 50) else day

    def _few(self) -> str:
        """A small number of months."""
        return self.choose.pick(("1", "2", "0", *self.known.counts))

    def _elsewhere(self, place: Place, figure: str) -> str:
        """A figure at another place."""
        texts = self.named(place, lambda t: t.kind == "text")
        codes = [t for t in texts if t.split(".")[-1] in ("division", "division_code")]
        there = self.choose.pick(('"440703"', *codes, *codes, *texts))
        return f"at({there}, {figure})"

    def _sliced(self, place: Place, depth: int) -> str:
        amount = self.number(place, MONEY.dimension, "any", depth)
        texts = self.named(place, lambda t: t.kind == "text")
        table = self.choose.pick(("s.share", 's.by_class["car"]', f"s.by_class[{self.choose.pick(texts)}]"))
        return f"slices({amount}, {table})"

    def _streak(self, place: Place, depth: int) -> str:
        inner = Place(place.entity, "months", place.owner)
        return f"streak(({self.truth(inner, min(depth, 1))} for x in months), {self._few()})"

    # ---- numbers

    def number(self, place: Place, dimension: Dimension, form: str, depth: int) -> str:
        """A number of a dimension. `form` is ``int`` or ``micro`` (may be stored), or ``any`` (may be exact)."""
        leaves = self._leaves(place, dimension, form)
        if depth <= 0 or (leaves and often(self.choose, 25)):
            return self.choose.pick(leaves)
        d = depth - 1
        ways: list[Callable[[], str]] = [
            lambda: f"({self.number(place, dimension, form, d)} + {self._right(place, dimension, form, d)})",
            lambda: f"({self.number(place, dimension, form, d)} - {self._right(place, dimension, form, d)})",
            lambda: f"(-{self.number(place, dimension, form, d)})",
            lambda: (
                f"({self.number(place, dimension, form, d)} if {self.truth(place, d)} "
                f"else {self._right(place, dimension, form, d)})"
            ),
            lambda: self._several("least", place, dimension, form, d),
            lambda: self._several("greatest", place, dimension, form, d),
            lambda: self._several("first_known", place, dimension, form, d),
        ]
        if form == "int":
            ways.append(lambda: f"({self.number(place, dimension, 'int', d)} * {self.number(place, PLAIN, 'int', d)})")
        if form == "any" and dimension == MONEY.dimension:
            ways += [lambda: self._sliced(place, d)] * 2
        if form == "any":
            ways += [lambda: self._product(place, dimension, d), lambda: self._quotient(place, dimension, d)] * 3
        if dimension[0] == 1:
            ways += [lambda: self._rounded(place, dimension, d)] * 2
        if dimension == PLAIN and form != "micro":
            ways += [lambda: f"age({self.day(place, d)})", lambda: self._count(place, d)]
        if dimension == MONTH.dimension and form != "micro":
            ways.append(lambda: f"months_between({self.day(place, d)}, {self.day(place, d)})")
        if not place.loop:
            ways += [lambda: self._aggregate(place, dimension, "micro" if form == "micro" else "int", d)] * 3
        return self.choose.pick(ways)()

    def _leaves(self, place: Place, dimension: Dimension, form: str) -> list[str]:
        forms = ("int", "micro") if form == "any" else (form,)

        def fits(t: Type) -> bool:
            return t.kind == "num" and t.dimension == dimension and t.form in forms

        leaves = self.named(place, fits) + self.indexed(place, fits) + self.elsewhere(place, fits)
        if dimension == PLAIN and form != "micro":
            leaves += ["1", "2"]
        return leaves

    def _right(self, place: Place, dimension: Dimension, form: str, depth: int) -> str:
        """As `number`, or now and then the literal 0, which fits every dimension."""
        return "0" if often(self.choose, 10) else self.number(place, dimension, form, depth)

    def _several(self, word: str, place: Place, dimension: Dimension, form: str, depth: int) -> str:
        parts = [self.number(place, dimension, form, depth) for _ in range(self.choose.whole(2, 3))]
        cite = ', "inst#1"' if word == "first_known" else ""
        return f"{word}({', '.join(parts)}{cite})"

    def _product(self, place: Place, dimension: Dimension, depth: int) -> str:
        pairs: list[tuple[Dimension, Dimension]] = [(dimension, PLAIN), (PLAIN, dimension)]
        if dimension == MONEY.dimension:
            pairs.append((PER_MONTH, MONTH.dimension))
        a, b = self.choose.pick(pairs)
        return f"({self.number(place, a, 'any', depth)} * {self.number(place, b, 'any', depth)})"

    def _quotient(self, place: Place, dimension: Dimension, depth: int) -> str:
        pairs: list[tuple[Dimension, Dimension]] = [(dimension, PLAIN)]
        if dimension == PER_MONTH:
            pairs.append((MONEY.dimension, MONTH.dimension))
        if dimension == MONTH.dimension:
            pairs.append((MONEY.dimension, PER_MONTH))
        if dimension == PLAIN:
            pairs += [(d, d) for d in DIMENSIONS[2:]]
        a, b = self.choose.pick(pairs)
        return f"({self.number(place, a, 'any', depth)} / {self.number(place, b, 'any', depth)})"

    def _rounded(self, place: Place, dimension: Dimension, depth: int) -> str:
        unit, mode = self.choose.pick(UNITS), self.choose.pick(MODES)
        return f'round_to({self.number(place, dimension, "any", depth)}, "{unit}", "{mode}")'

    # ---- yes/no, days, texts

    def truth(self, place: Place, depth: int) -> str:
        """A yes/no."""
        leaves = self.named(place, lambda t: t.kind == "bool") + self.indexed(place, lambda t: t.kind == "bool")
        d = depth - 1
        if leaves and (depth <= 0 or often(self.choose, 20)):
            return self.choose.pick(leaves)
        if depth <= 0:
            return f"{self.day(place, 0)} <= on"
        ways: list[Callable[[], str]] = [
            lambda: self._comparison(place, d),
            lambda: self._comparison(place, d),
            lambda: self._chain(place, d),
            lambda: f"({self.truth(place, d)} and {self.truth(place, d)})",
            lambda: f"({self.truth(place, d)} or {self.truth(place, d)})",
            lambda: f"(not {self.truth(place, d)})",
            lambda: f"({self.truth(place, d)} if {self.truth(place, d)} else {self.truth(place, d)})",
            lambda: f'first_known({self.truth(place, d)}, {self.truth(place, d)}, "inst#1")',
            lambda: self._days_compared(place, d),
            lambda: self._window(place, d),
            lambda: self._text_test(place, d),
        ]
        if not place.loop:
            ways += [lambda: self._quantified(place, d)] * 2
            ways.append(lambda: self._streak(place, d))
            if place.entity != "household":
                day = self.choose.pick(("on", "reference_day"))
                word = self.choose.pick(("dibao", "tekun"))
                ways.append(lambda: f'holds("{word}", {day})')
        if place.loop in FEEDS:
            ways.append(lambda: "is_confirmed(x)")
        decided = [p for p, e in self.known.programmes.items() if e == "household" or place.entity == "member"]
        if decided:
            ways.append(
                lambda: f'(outcome({self.choose.pick(decided)}) == "{self.choose.pick(("eligible", "ineligible"))}")'
            )
        return self.choose.pick(ways)()

    def _comparison(self, place: Place, depth: int) -> str:
        dimension, op = self.choose.pick(DIMENSIONS), self.choose.pick(("<", "<=", ">", ">=", "==", "!="))
        left = self.number(place, dimension, "any", depth)
        return f"({left} {op} {self._right(place, dimension, 'any', depth)})"

    def _chain(self, place: Place, depth: int) -> str:
        dimension = self.choose.pick(DIMENSIONS)
        a, b, c = (self.number(place, dimension, "any", depth - 1) for _ in range(3))
        return f"({a} {self.choose.pick(('<', '<='))} {b} {self.choose.pick(('<', '>='))} {c})"

    def _days_compared(self, place: Place, depth: int) -> str:
        op = self.choose.pick(("<", "<=", ">", ">=", "==", "!="))
        return f"({self.day(place, depth)} {op} {self.day(place, depth)})"

    def _window(self, place: Place, depth: int) -> str:
        own = place.loop in FEEDS and often(self.choose, 75)
        column = DAY_OF.get(place.loop, "")
        d = (f'x["{column}"]' if column == "from" else f"x.{column}") if own else self.day(place, depth)
        if often(self.choose, 30):
            pair = (d, self.day(place, depth))
            return f"same_year({', '.join(pair if often(self.choose, 80) else pair[::-1])})"
        before = self.choose.pick(("household.applied_on", "on")) if often(self.choose, 70) else self.day(place, depth)
        return f"within({d}, {self.choose.pick(self.known.windows)}, before={before})"

    def _text_test(self, place: Place, depth: int) -> str:
        text, choices = self.text(place, depth)
        words = sorted(choices) if choices else list(FREE_WORDS)
        way = self.choose.whole(0, 2)
        if way == 0:
            chosen = {self.choose.pick(words) for _ in range(2)}
            listed = ", ".join(f'"{word}"' for word in sorted(chosen))
            return f"({text} in {{{listed}}})"
        op = self.choose.pick(("==", "!="))
        if way == 1:
            return f'({text} {op} "{self.choose.pick(words)}")'
        return f"({text} {op} {self.text(place, 0)[0]})"

    def day(self, place: Place, depth: int) -> str:
        """A day."""
        leaves = self.named(place, lambda t: t.kind == "date") + self.indexed(place, lambda t: t.kind == "date")
        if depth <= 0 or often(self.choose, 60):
            return self.choose.pick(leaves)
        d = depth - 1
        ways: list[Callable[[], str]] = [
            lambda: f"month_back({self.day(place, d)}, {self._few()})",
            lambda: f"({self.day(place, d)} if {self.truth(place, d)} else {self.day(place, d)})",
            lambda: f'first_known({self.day(place, d)}, {self.day(place, d)}, "inst#1")',
        ]
        if not place.loop:
            ways.append(lambda: self._extreme_day(place, d))
        return self.choose.pick(ways)()

    def text(self, place: Place, depth: int) -> tuple[str, frozenset[str] | None]:
        """A text, with the words it may be (None: any)."""
        leaves = [(n, t.choices) for n, t in self.names(place) if t.kind == "text"]
        leaves += [(n, None) for n in self.indexed(place, lambda t: t.kind == "text")]
        if depth <= 0 or often(self.choose, 50):
            return self.choose.pick(leaves)
        d = depth - 1
        (a, some), (b, others) = self.text(place, d), self.text(place, d)
        both = None if some is None or others is None else some | others
        way = self.choose.whole(0, 3)
        if way == 0:
            return f'first_known({a}, {b}, "inst#1")', both
        if way == 1 and some:
            word = self.choose.pick(sorted(some))
            return f'({a} if {self.truth(place, d)} else "{word}")', some
        if way == 2 and not place.loop and place.entity != "household":
            feed = self.choose.pick(FEEDS)
            inner = replace(place, loop=feed)
            element, words = self.text(inner, min(d, 1))
            return f"latest(({element} for x in {feed}), by={self._cell_day(feed)})", words
        return f"({a} if {self.truth(place, d)} else {b})", both

    # ---- aggregates

    def _domain(self, place: Place, *, person: bool = False) -> str:
        domains = list(FEEDS)
        if not person:
            domains += ["members"] * (3 if self.known.knows_members else 0)
            domains += ["supporters"] * (2 if place.entity != "supporter" else 0)
        return self.choose.pick(domains)

    def _inside(self, place: Place, domain: str) -> Place:
        return Place("household" if domain in ("members", "supporters") else place.entity, domain, place.entity)

    def _condition(self, inner: Place, depth: int) -> str:
        return f" if {self.truth(inner, depth)}" if often(self.choose, 65) else ""

    def _cell_day(self, feed: str) -> str:
        return 'x["from"]' if DAY_OF[feed] == "from" else f"x.{DAY_OF[feed]}"

    def _count(self, place: Place, depth: int) -> str:
        if place.loop:
            return "2"
        domain = self._domain(place)
        return f"count(x for x in {domain}{self._condition(self._inside(place, domain), depth)})"

    def _quantified(self, place: Place, depth: int) -> str:
        domain = self._domain(place)
        inner = self._inside(place, domain)
        word = self.choose.pick(("any", "all"))
        return f"{word}({self.truth(inner, depth)} for x in {domain}{self._condition(inner, depth)})"

    def _aggregate(self, place: Place, dimension: Dimension, form: str, depth: int) -> str:
        words = ["sum", "sum", "lowest", "highest", "latest"]
        word = self.choose.pick(words)
        if word != "sum" and place.entity == "household":
            domain = self.choose.pick([*(["members"] if self.known.knows_members else []), "supporters"])
            word = "lowest" if word == "latest" else word
        else:
            domain = self._domain(place, person=word == "latest")
        inner = self._inside(place, domain)
        element = self.number(inner, dimension, form, min(depth, 2))
        loop = f"{element} for x in {domain}{self._condition(inner, min(depth, 2))}"
        return f"latest(({loop}), by={self._cell_day(domain)})" if word == "latest" else f"{word}({loop})"

    def _extreme_day(self, place: Place, depth: int) -> str:
        word = self.choose.pick(("lowest", "highest"))
        people = [*(["members"] if self.known.knows_members else [])]
        people += ["supporters"] if place.entity != "supporter" else []
        domain = self.choose.pick(people if place.entity == "household" else [*FEEDS, *people])
        inner = self._inside(place, domain)
        return f"{word}({self.day(inner, min(depth, 1))} for x in {domain}{self._condition(inner, min(depth, 1))})"
