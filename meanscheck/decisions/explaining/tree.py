"""What is an explanation made of? One kind of node, from an outcome down to a row of a file.

    decision    a case under the law of a day; below it members, programmes and contradictions between feeds
    member      whether a person counts, and the terms of the rule that settled it
    programme   an outcome: `holds` true eligible, false not, None referred; `value` is the award in fen
    test        one condition of a programme: value, limit, margin (see `law.margins`), what the law says word for word
    award       how the amount comes about
    yields      a programme that takes precedence
    cause       why something is open, for whom, and what would settle it
    change      the smallest change of one fact that would turn the outcome (see `law.counterfactuals`)
    conflict    a contradiction between feeds
    variable    a named variable of the law, of the household or of one person
    rows        an aggregate over a person's rows of a feed: the rows that count stand below, `left_out` do not
    row         one row, with its place in a file
    people      an aggregate over members or supporters; below are those who count
    condition   a comparison or a yes/no that decided what stands above it; `value` against `limit` of figures
    operation   what a formula does with its parts; of a choice (``if``) only the branch taken
    figure      a figure of the law
    fact        what the application or the day says

Amounts are whole fen; `unit` says what a value is. The tree is plain data and is told by `text`, `page` and `data`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Literal, TypeAlias

from meanscheck.law.kleene import Truth
from meanscheck.law.law import Law
from meanscheck.law.plain_rows import Result
from meanscheck.law.types import Type, dimension_name

Language = Literal["zh", "en"]
Kind = Literal[
    "decision",
    "member",
    "programme",
    "test",
    "award",
    "yields",
    "cause",
    "change",
    "conflict",
    "variable",
    "rows",
    "row",
    "people",
    "condition",
    "operation",
    "figure",
    "fact",
]
Counts = Literal["plus", "minus", "not"]
"""How a figure enters what stands above it: added, taken off, or not (the smaller where the greater counts)."""
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]
INELIGIBLE = "ineligible"
"""Kind of cause for which there is no award: a test that fails."""


@dataclass(frozen=True, slots=True)
class Citation:
    """An article of an instrument; `quote` is its own word (低于) where the law's data hold one."""

    instrument: str
    title: str
    number: str
    article: str
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: `line` counts as the file does; of a stated case, which has no files, only feed and line."""

    feed: str
    line: int
    ref: str = ""
    file: str = ""
    batch: str = ""
    sender: str = ""
    answered_on: date | None = None


Span: TypeAlias = tuple[int | None, int | None]
"""Least and greatest whole number; None where there is no bound."""


@dataclass(frozen=True, slots=True)
class Bounded:
    """Between what a test's value and limit lie, where something is unknown and the test is decided all the same; None
    where it is not one comparison of numbers."""

    value: Span | None = field(repr=False)
    limit: Span | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Explanation:
    """One node; see the module for the kinds. Values are personal and stay out of `repr`."""

    kind: Kind
    name: str
    who: str = ""
    unit: str = ""
    value: Result = field(default=None, repr=False)
    limit: Result = field(default=None, repr=False)
    margin: int | None = field(default=None, repr=False)
    months: int | None = None
    """Months over which the margin is told, where the test divides by them."""
    bounded: Bounded | None = None
    """Of a test that is decided although something is unknown."""
    rising: bool = False
    """Whether the test holds above its limit, not below."""
    holds: Truth = None
    label: str = ""
    label_zh: str = ""
    formula: str = ""
    cite: tuple[Citation, ...] = ()
    causes: tuple[str, ...] = ()
    place: Place | None = None
    left_out: int = 0
    counts: Counts = "plus"
    is_repeated: bool = False
    """Whether the node stood before in the same tree and is not told again."""
    value_zh: str = field(default="", repr=False)
    """The value in Chinese, where it is a code."""
    children: tuple[Explanation, ...] = field(default=(), repr=False)

    @property
    def is_money(self) -> bool:
        """Whether value, limit and margin are amounts in fen (or in fen a month)."""
        return self.unit.partition("/")[0] == "money"

    @property
    def parts(self) -> tuple[Explanation, ...]:
        """What stands below and is no row."""
        return tuple(c for c in self.children if c.kind != "row")

    @property
    def rows(self) -> tuple[Explanation, ...]:
        """The rows right below."""
        return tuple(c for c in self.children if c.kind == "row")

    def walk(self) -> Iterator[Explanation]:
        """This node and all below it, first to last."""
        yield self
        for child in self.children:
            yield from child.walk()

    def sources(self) -> list[Explanation]:
        """Every row below, each place in a file once, in the order of the tree."""
        return list({node.place: node for node in self.walk() if node.kind == "row"}.values())

    def cut(self, depth: int) -> Explanation:
        """The same tree with at most so many levels below this node."""
        below = tuple(c.cut(depth - 1) for c in self.children) if depth > 0 else ()
        return replace(self, children=below)


@lru_cache(maxsize=256)
def unit_of(t: Type) -> str:
    """The unit of a type: ``money``, ``money/month``, ``ratio``, ``bool``, …"""
    if t.kind != "num":
        return t.kind
    return "ratio" if t.form == "micro" and t.dimension == (0, 0, 0) else dimension_name(t.dimension)


def cited(law: Law, cite: tuple[str, ...] | list[str], quote: str = "") -> tuple[Citation, ...]:
    """Citations with the titles that the recorded law has of their instruments."""
    found = []
    for text in cite:
        name, _, article = text.partition("#")
        instrument = law.instruments.get(name)
        title, number = (instrument.title, instrument.number) if instrument else ("", "")
        found.append(Citation(name, title, number, article, quote))
    return tuple(found)
