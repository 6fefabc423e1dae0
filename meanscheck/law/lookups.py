"""How are tables with bands and months, slices and other places looked up for many cases at once?

Expressions over quotients, as `emit` makes them: a value is held against each bound by cross-multiplication, so a
quotient that lies a hair below a bound is below it. Null where a key is unknown or has no row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import reduce

import polars as pl

from meanscheck.law.columns import Column, lit, when
from meanscheck.law.days import month, year
from meanscheck.law.figures import ANY_KEY
from meanscheck.law.law import Parameter
from meanscheck.law.places import prefix_of
from meanscheck.law.quotients import (
    MILLION,
    NULL_TYPES,
    Part,
    Quotient,
    common,
    compared,
    joint,
    literal,
    nothing,
    null,
    over,
    product,
    total,
    whole,
)
from meanscheck.law.tables import BAND, MONTH_KEY, Table, band_type, bound_of, grouped
from meanscheck.law.types import MICRO, MONEY, Type


def looked_up(parameter: Parameter, keys: Sequence[Quotient], t: Type) -> Quotient:
    """The entry of a table for its keys (none for a single figure)."""
    if parameter.unknown or not parameter.table or any(q.absent for q in keys):
        return nothing(t)
    if not keys:
        return literal(parameter.table[()], t)
    if ANY_KEY in parameter.table:
        q = literal(parameter.table[ANY_KEY], t)
        return Quotient(when(_known(keys)).then(q.n), q.d, q.top, q.below)
    return over(_entry(parameter.table, parameter.by, keys, 0, t), MILLION if t.form == "micro" else None)


def _known(keys: Sequence[Quotient]) -> Column:
    return reduce(lambda a, b: a & b, [q.n.is_not_null() for q in keys])


def _entry(table: Table, by: Sequence[str], keys: Sequence[Quotient], i: int, t: Type) -> Part:
    """What the keys from place i on find, as a numerator with its size."""
    if i == len(by):
        (figure,) = table.values()
        return literal(figure, t).above
    if by[i] == MONTH_KEY:
        return _of_month(table, keys[i], t)
    result, top = null(t), 0
    for key, below in grouped(table, i, by[i]).items():
        part = _entry(below, by, keys, i + 1, t)
        result, top = when(_fits(keys[i], key, by[i])).then(part.e).otherwise(result), max(top, part.top)
    return Part(result, top)


def _fits(key: Quotient, word: str, by: str) -> Column:
    """Whether a key finds this row, or for a band whether the value reaches its bound."""
    if not by.startswith(BAND):
        return key.n.cast(pl.String) == word
    t = band_type(by)
    assert t is not None
    (value, bound), _ = common([key, literal(bound_of(word, by), t)])
    return compared(">=", value.e, bound.e)


def _of_month(table: Table, day: Quotient, t: Type) -> Part:
    figures = {_month_number(keys[-1]): figure for keys, figure in table.items()}
    stored = [int(v * MICRO) if isinstance(v, Fraction) else v for v in figures.values()]
    numbers = year(day.n) * 12 + month(day.n) - 1
    months, held = pl.Series(list(figures), dtype=pl.Int64), pl.Series(stored, dtype=NULL_TYPES[t.kind])
    found = numbers.made(
        lambda s: s.replace_strict(months, held, default=None, return_dtype=held.dtype), "figure of month"
    )
    return Part(found, max(literal(v, t).top for v in figures.values()))


def _month_number(key: str) -> int:
    year, month = key.split("-")
    return int(year) * 12 + int(month) - 1


def sliced(parameter: Parameter, amount: Quotient, keys: Sequence[Quotient]) -> Quotient:
    """Each part of an amount at the ratio of its band."""
    exact = Type("num", MONEY.dimension, "exact")
    if parameter.unknown or not parameter.table or amount.absent or any(q.absent for q in keys):
        return nothing(exact)
    if ANY_KEY in parameter.table:
        parts = _parts(amount, {0: parameter.table[ANY_KEY]})  # type: ignore[dict-item]
    else:
        parts = _of_category(parameter.table, parameter.by, amount, keys, 0)
    known = reduce(lambda a, b: a & b, [q.n.is_not_null() for q in (amount, *keys)])
    return over(Part(when(known).then(parts.e), parts.top), joint(amount.denominator, MILLION))


def _of_category(table: Table, by: Sequence[str], amount: Quotient, keys: Sequence[Quotient], i: int) -> Part:
    if i == len(keys):
        return _parts(amount, {bound_of(k[-1], by[-1]): v for k, v in table.items()})  # type: ignore[misc]
    result, top = lit(None, dtype=pl.Int64), 0
    for key, below in grouped(table, i, by[i]).items():
        part = _of_category(below, by, amount, keys, i + 1)
        result, top = when(_fits(keys[i], key, by[i])).then(part.e).otherwise(result), max(top, part.top)
    return Part(result, top)


def _parts(amount: Quotient, ratios: Mapping[int, Fraction]) -> Part:
    """The sum of the parts between bounds, each times its ratio in millionths; over the amount's own denominator."""
    bounds = sorted(ratios)
    parts: list[Part] = []
    for lower, upper in zip(bounds, [*bounds[1:], None], strict=True):
        below = product(Part(whole(lower), abs(lower)), amount.denominator)
        above = total(amount.above, below, less=True)
        part = Part(when(above.e > 0).then(above.e).otherwise(0), above.top)
        if upper is not None:
            width = product(Part(whole(upper - lower), upper - lower), amount.denominator)
            part = Part(when(part.e > width.e).then(width.e).otherwise(part.e), min(part.top, width.top))
        ratio = int(ratios[lower] * MICRO)
        parts.append(product(part, Part(whole(ratio), abs(ratio))))
    return reduce(total, parts)


def _starts(code: Column, prefix: str) -> Column:
    return code.made(lambda s: s.str.starts_with(prefix), f"begins {prefix}")


def elsewhere(there: Mapping[str, Parameter], place: Quotient, keys: Sequence[Quotient], t: Type) -> Quotient:
    """The figure at a place, by the longest prefix of its code; null where no pack speaks for it."""
    if not there or place.absent or any(q.absent for q in keys):
        return nothing(t)
    code = place.n.cast(pl.String)
    figures = [(prefix_of(c), looked_up(p, keys, t)) for c, p in there.items()]
    result, top = null(t), 0
    for prefix, q in sorted(figures, key=lambda f: len(f[0])):
        result, top = when(_starts(code, prefix)).then(q.n).otherwise(result), max(top, q.top)
    speaks = code.made(lambda s: s.str.contains("^[0-9]{6}"), "is code")
    return over(Part(when(speaks).then(result), top), MILLION if t.form == "micro" else None)
