"""What is a value of the rule language when the household is a symbol? Exact numbers, yes/no and unknown over z3.

A number is ``numerator / den`` with a whole positive `den` that is known beforehand, so every comparison and rounding
stays linear in whole numbers; a yes/no is a pair (surely true, surely false), so that Kleene's logic needs no third
value; days are ordinals and texts are numbers of a list (`Texts`). What is constant stays a Python value.

Choices
    * `points` are the few numerators that a number can have (the size of a household, an age limit by sex): products
      and quotients by it are split into those cases and stay linear.
    * An age is not encoded as a number: `steps` keeps the day it comes from, and a comparison with a limit becomes a
      comparison of days, which is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import lcm
from typing import Any, TypeAlias

import z3

Sym: TypeAlias = Any
"""A z3 expression, or the Python value where it is constant."""
MOST_POINTS = 40


class NotEncodable(Exception):
    """Something that has no exact linear form; the theorem that needs it stays open."""


@dataclass(frozen=True)
class Truth:
    """A yes/no: `true` and `false` say when it surely is; neither, when it is unknown."""

    true: Sym
    false: Sym

    @property
    def known(self) -> Sym:
        """When it is known."""
        return either(self.true, self.false)


@dataclass(frozen=True)
class Number:
    """`top` / `den`; `known` says when there is a value at all."""

    top: Sym
    den: int = 1
    known: Sym = True
    points: tuple[int, ...] | None = None
    steps: Steps | None = None


@dataclass(frozen=True)
class Day:
    """A day as its ordinal."""

    at: Sym
    known: Sym = True


@dataclass(frozen=True)
class Text:
    """A text as its number in the list; `choices` are the numbers it may be, None for any."""

    code: Sym
    known: Sym = True
    choices: tuple[int, ...] | None = None


Term: TypeAlias = "Truth | Number | Day | Text"


@dataclass(frozen=True)
class Steps:
    """A number of years or months that never rises (`falling`) or never falls with a day: `reached` gives, for a whole
    number, the last (first) day on which the number is at least that."""

    day: Sym
    reached: Callable[[int], int] = field(compare=False)
    falling: bool = True

    def at_least(self, limit: int) -> Sym:
        """When the number is at least `limit`."""
        bound = self.reached(limit)
        return self.day <= bound if self.falling else self.day >= bound


class Texts:
    """Numbers for texts, the same wherever the same text stands."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._words: list[str] = []

    def code(self, word: str) -> int:
        """The number of a text."""
        if word not in self._codes:
            self._codes[word] = len(self._words)
            self._words.append(word)
        return self._codes[word]

    def word(self, code: int) -> str:
        """The text of a number; one made up for a number that stands for no text of the law."""
        return self._words[code] if 0 <= code < len(self._words) else f"text {code}"


# ---- yes and no


def is_constant(value: Sym) -> bool:
    """Whether a value needs no solver."""
    return isinstance(value, bool | int)


def both(*parts: Sym) -> Sym:
    """And, with constants folded."""
    left = [p for p in parts if p is not True]
    if any(p is False for p in left):
        return False
    return True if not left else left[0] if len(left) == 1 else z3.And(*left)


def either(*parts: Sym) -> Sym:
    """Or, with constants folded."""
    left = [p for p in parts if p is not False]
    if any(p is True for p in left):
        return True
    if not left:
        return False
    if len(left) == 1:
        return left[0]
    # `x or not x` is how a known yes/no arrives here.
    if len(left) == 2 and any(z3.is_not(a) and a.arg(0).eq(b) for a, b in (left, left[::-1])):
        return True
    return z3.Or(*left)


def opposite(part: Sym) -> Sym:
    """Not, with constants folded."""
    if isinstance(part, bool):
        return not part
    return part.arg(0) if z3.is_not(part) else z3.Not(part)


def choice(condition: Sym, x: Sym, y: Sym) -> Sym:
    """If, with constants folded."""
    if isinstance(condition, bool):
        return x if condition else y
    if isinstance(x, bool) and isinstance(y, bool):
        return x if x == y else condition if x else opposite(condition)
    if is_constant(x) and is_constant(y) and x == y:
        return x
    if not is_constant(x) and not is_constant(y) and x.eq(y):
        return x
    return z3.If(condition, x, y)


def truth(condition: Sym, known: Sym = True) -> Truth:
    """A yes/no from a condition that is right where `known`."""
    return Truth(both(known, condition), both(known, opposite(condition)))


def all_of(parts: Iterable[Truth]) -> Truth:
    """Kleene's and."""
    parts = tuple(parts)
    return Truth(both(*(p.true for p in parts)), either(*(p.false for p in parts)))


def any_of(parts: Iterable[Truth]) -> Truth:
    """Kleene's or."""
    parts = tuple(parts)
    return Truth(either(*(p.true for p in parts)), both(*(p.false for p in parts)))


def negated(part: Truth) -> Truth:
    """Kleene's not."""
    return Truth(part.false, part.true)


# ---- numbers


def number(value: int, den: int = 1) -> Number:
    """A constant."""
    return Number(value, den, True, (value,))


def scaled(a: Number, den: int) -> Number:
    """The same number over a greater denominator."""
    factor = den // a.den
    return a if factor == 1 else Number(a.top * factor, den, a.known, _each(a.points, lambda p: p * factor))


def same_den(*numbers: Number) -> tuple[Number, ...]:
    """The same numbers over one denominator."""
    den = lcm(*(n.den for n in numbers))
    return tuple(scaled(n, den) for n in numbers)


def _each(points: tuple[int, ...] | None, change: Callable[[int], int]) -> tuple[int, ...] | None:
    return None if points is None else tuple(sorted({change(p) for p in points}))


def _pairs(a: Number, b: Number, change: Callable[[int, int], int]) -> tuple[int, ...] | None:
    if a.points is None or b.points is None:
        return None
    points = sorted({change(p, q) for p in a.points for q in b.points})
    return tuple(points) if len(points) <= MOST_POINTS else None


def plus(a: Number, b: Number) -> Number:
    """Sum."""
    a, b = same_den(a, b)
    return Number(a.top + b.top, a.den, both(a.known, b.known), _pairs(a, b, int.__add__))


def minus(a: Number) -> Number:
    """Negative."""
    return Number(-a.top, a.den, a.known, _each(a.points, int.__neg__))


def times(a: Number, b: Number) -> Number:
    """Product: split into cases where one side has few values; as it stands (not linear) where neither has."""
    den, known, points = a.den * b.den, both(a.known, b.known), _pairs(a, b, int.__mul__)
    if is_constant(a.top) or is_constant(b.top):
        return Number(a.top * b.top, den, known, points)
    few, other = (a, b) if a.points is not None else (b, a)
    if few.points is None:
        return Number(a.top * b.top, den, known)
    return Number(_by_case(few, [p * other.top for p in few.points]), den, known, points)


def over(a: Number, b: Number) -> Number:
    """Quotient; unknown where `b` is 0."""
    if b.points is None:
        raise NotEncodable("a quotient by a value without known bounds")
    divisors = [p for p in b.points if p]
    if not divisors:
        return Number(0, 1, False, (0,))
    common = lcm(*(abs(p) for p in divisors))
    tops = [a.top * (b.den * common // p) if p else 0 for p in b.points]
    known = both(a.known, b.known, True if 0 not in b.points else b.top != 0)
    return Number(_by_case(b, tops), a.den * common, known)


def _by_case(few: Number, results: Sequence[Sym]) -> Sym:
    assert few.points is not None
    found = results[-1]
    for point, result in zip(few.points[:-1], results[:-1], strict=True):
        found = choice(few.top == point, result, found)
    return found


def selected(condition: Truth, x: Number, y: Number, known: Sym) -> Number:
    """The one or the other number."""
    x, y = same_den(x, y)
    points = None if x.points is None or y.points is None else tuple(sorted({*x.points, *y.points}))
    if points is not None and len(points) > MOST_POINTS:
        points = None
    return Number(choice(condition.true, x.top, y.top), x.den, known, points)


def extreme(numbers: Sequence[Number], *, least: bool) -> Number:
    """The least or greatest of several."""
    first, *others = same_den(*numbers)
    for n in others:
        smaller = n.top < first.top if least else n.top > first.top
        first = Number(choice(smaller, n.top, first.top), first.den, both(first.known, n.known))
    return first


def rounded(a: Number, step: int, mode: str) -> Number:
    """Brought to a multiple of `step` as `values.rounding.round_to` does."""
    unit = a.den * step
    if mode == "down":
        whole = floor_div(a.top, unit)
    elif mode == "up":
        whole = -floor_div(-a.top, unit)
    elif mode == "half_up":
        whole = floor_div(2 * a.top + unit, 2 * unit)
    else:
        below = floor_div(a.top, unit)
        rest = 2 * (a.top - below * unit)
        odd = below % 2
        whole = below + choice(rest > unit, 1, choice(rest == unit, odd, 0))
    return Number(whole * step, 1, a.known)


def floor_div(top: Sym, unit: int) -> Sym:
    """Whole division toward minus infinity (z3's is that for a positive divisor)."""
    return top // unit if is_constant(top) else top if unit == 1 else top / unit


def compared(op: str, a: Number, b: Number) -> Truth:
    """A comparison, exact."""
    known = both(a.known, b.known)
    if a.steps is not None or b.steps is not None:
        stepped = _steps(op, a, b)
        if stepped is not None:
            return truth(stepped, known)
    a, b = same_den(a, b)
    return truth(relation(op, a.top, b.top), known)


def relation(op: str, a: Sym, b: Sym) -> Sym:
    """A relation of two whole numbers."""
    relations: dict[str, Callable[[Sym, Sym], Sym]] = {
        "<": lambda x, y: x < y,
        "<=": lambda x, y: x <= y,
        ">": lambda x, y: x > y,
        ">=": lambda x, y: x >= y,
        "==": lambda x, y: x == y,
        "!=": lambda x, y: x != y,
    }
    return relations[op](a, b)


_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def _steps(op: str, a: Number, b: Number) -> Sym | None:
    """A number of years or months against one of few limits."""
    if a.steps is None:
        a, b, op = b, a, _TURNED[op]
    steps = a.steps
    if steps is None or b.points is None or b.den != 1 or b.steps is not None:
        return None

    def against(limit: int) -> Sym:
        if op in (">=", "<"):
            reached = steps.at_least(limit)
            return reached if op == ">=" else opposite(reached)
        if op in (">", "<="):
            reached = steps.at_least(limit + 1)
            return reached if op == ">" else opposite(reached)
        equal = both(steps.at_least(limit), opposite(steps.at_least(limit + 1)))
        return equal if op == "==" else opposite(equal)

    if len(b.points) == 1:
        return against(b.points[0])
    return either(*(both(b.top == limit, against(limit)) for limit in b.points))
