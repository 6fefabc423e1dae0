"""By what is a table of figures looked up, and which row is it? Categories, bands and months.

``by`` names what each key is:

    "residence"     a category: the row whose key is the text (or the whole number) itself
    "band:money"    a band: keys are lower bounds, inclusive; the row with the greatest bound not above the value
                    (also money/month, number, month, area, ratio)
    "month"         a calendar month, keys like "2021-10", looked up by any day of it; it stands last

A value below the lowest bound, a month without a row and an unknown category have no figure: unknown, never zero and
never the nearest row. `slices` takes the parts of an amount instead: each part between two bounds at its own ratio,
what lies below the lowest bound at none.

Choices
    Bounds are kept in one spelling ("0" and "0.00" are the same bound), so that two keys cannot mean one row and a
    recorded law does not depend on how its author wrote a zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from meanscheck.errors import PackError
from meanscheck.law.figures import ANY_KEY, Figure, Scalar, figure_of, figure_text, table_of
from meanscheck.law.law import Parameter
from meanscheck.law.types import UNITS, Type
from meanscheck.values.dates import month_start

BAND = "band:"
MONTH_KEY = "month"
BANDS = tuple(f"{BAND}{name}" for name, t in UNITS.items() if t.kind == "num")
"""What a band may be of."""
Keys = tuple[str, ...]
Table = Mapping[Keys, Scalar]


def band_unit(by: str) -> str | None:
    """The unit of a band's bounds; None for another key."""
    return by.removeprefix(BAND) if by.startswith(BAND) else None


def band_type(by: str) -> Type | None:
    """The type that a band is looked up by; None for another key."""
    unit = band_unit(by)
    return None if unit is None else UNITS[unit]


@lru_cache(maxsize=1024)
def is_by_category(by: tuple[str, ...]) -> bool:
    """Whether every key is found by its text alone."""
    return not any(b == MONTH_KEY or b.startswith(BAND) for b in by)


@lru_cache(maxsize=4096)
def bound_of(key: str, by: str) -> int | Fraction:
    """The lower bound that a key of a band is."""
    bound = figure_of(key, str(band_unit(by)))
    assert isinstance(bound, int | Fraction)
    return bound


def month_of(day: date) -> str:
    """The key of the month of a day."""
    return f"{day.year:04}-{day.month:02}"


def check_by(by: Sequence[str]) -> None:
    """ValueError, saying the mend, for a `by` that names no key of the language."""
    for name in by:
        if name.startswith(BAND) and name not in BANDS:
            raise ValueError(f"no band of {band_unit(name)}; use one of {', '.join(BANDS)}")
    if MONTH_KEY in by[:-1]:
        raise ValueError("the month stands last")


def read(value: object, unit: str, by: Sequence[str], where: str) -> dict[Keys, Scalar]:
    """The table of a revision or an overlay, keys in one spelling; PackError for one that cannot be looked up."""
    table = table_of(value, unit, len(by), where)
    if is_by_category(by) or not isinstance(value, Mapping):
        return table
    result = {tuple(_spelled(k, b, where) for k, b in zip(keys, by, strict=True)): v for keys, v in table.items()}
    for i, b in enumerate(by):
        if b.startswith(BAND):
            _ascending(list(table), i, b, where)
    if len(result) < len(table):
        raise PackError("two keys mean the same row", where=where, remedy="Keep one")
    return result


def _spelled(key: str, by: str, where: str) -> str:
    if by == MONTH_KEY:
        try:
            return month_of(date.fromisoformat(f"{key}-01"))
        except ValueError:
            raise PackError(f"{key} is no month", where=where, remedy='Write months like "2021-10"') from None
    unit = band_unit(by)
    if unit is None:
        return key
    try:
        return figure_text(figure_of(key, unit), unit)
    except ValueError as fault:
        reason = getattr(fault, "what", str(fault))
        remedy = f"The keys of {by} are lower bounds in {unit}, as text"
        raise PackError(f"key {key}: {reason}", where=where, remedy=remedy) from None


def _ascending(keys: Sequence[Keys], i: int, by: str, where: str) -> None:
    """PackError unless the bounds at place i ascend within every table that holds them."""
    tables: dict[Keys, list[str]] = {}
    for key in keys:
        bounds = tables.setdefault(key[:i], [])
        if key[i] not in bounds:
            bounds.append(key[i])
    for a, b in (pair for bounds in tables.values() for pair in pairwise(bounds)):
        if bound_of(a, by) >= bound_of(b, by):
            remedy = "Write the lower bounds from the lowest to the highest, each once"
            raise PackError(f"key {b} does not come after {a}", where=where, remedy=remedy)


def ordered(keys: Sequence[str], by: str) -> list[str]:
    """The different keys at one place, bounds from the lowest up, others by their text."""
    found = set(keys)
    return sorted(found, key=lambda k: bound_of(k, by)) if by.startswith(BAND) else sorted(found)


def grouped(table: Table, i: int, by: str) -> dict[str, Table]:
    """The part of a table below each key at place i, in the order of `ordered`."""
    return {key: {keys: v for keys, v in table.items() if keys[i] == key} for key in ordered([k[i] for k in table], by)}


def rows_of(parameter: Parameter) -> list[tuple[Keys, Scalar]]:
    """The rows of a table in the order in which people read them, bounds from the lowest up."""

    def place(row: tuple[Keys, Scalar]) -> list[tuple[int | Fraction, str]]:
        return [(bound_of(k, b), "") if b.startswith(BAND) else (0, k) for k, b in _named(row[0], parameter.by)]

    return sorted(parameter.table.items(), key=place)


def _named(keys: Keys, by: Sequence[str]) -> list[tuple[str, str]]:
    return [(k, "" if keys == ANY_KEY else b) for k, b in zip(keys, by, strict=False)]


def key_text(keys: Keys, by: Sequence[str]) -> str:
    """Keys for people: bounds as ``≥ 3000.00``."""
    return " ".join(f"≥ {k}" if b.startswith(BAND) else k for k, b in _named(keys, by))


def lacking(parameter: Parameter) -> str:
    """The cause of an unknown entry: what the table is looked up by, never the value that was looked for."""
    if not parameter.unknown and parameter.table:
        if MONTH_KEY in parameter.by:
            return f"no_month:{parameter.id}"
        if not is_by_category(parameter.by):
            return f"no_band:{parameter.id}"
    return f"parameter:{parameter.id}"


# ---- one case


def entry(parameter: Parameter, keys: Sequence[int | Fraction | bool | date | str]) -> Figure:
    """The figure for known keys; None where there is none. An overlay's scalar stands for every key."""
    if parameter.unknown:
        return None
    if is_by_category(parameter.by):
        found = parameter.table.get(tuple(map(str, keys)))
        return parameter.table.get(ANY_KEY) if found is None else found
    if ANY_KEY in parameter.table:
        return parameter.table[ANY_KEY]
    words: list[str] = []
    for key, by in zip(keys, parameter.by, strict=True):
        if by.startswith(BAND):
            here = {k[len(words)] for k in parameter.table if k[: len(words)] == tuple(words)}
            below = [k for k in here if bound_of(k, by) <= key]  # type: ignore[operator]
            if not below:
                return None
            words.append(max(below, key=lambda k: bound_of(k, by)))
        else:
            words.append(month_of(key) if isinstance(key, date) else str(key))
    return parameter.table.get(tuple(words))


def slices(parameter: Parameter, amount: int | Fraction, keys: Sequence[int | Fraction | bool | date | str]) -> Figure:
    """Each part of an amount at the ratio of its band, exactly; None where the table has no such keys.

    Worked: 20 % from 10 000 and 30 % from 30 000 give 4 000 + 6 000 of 50 000, and nothing of 10 000.
    """
    if parameter.unknown:
        return None
    if ANY_KEY in parameter.table:
        (ratio,) = parameter.table.values()
        return max(Fraction(amount), Fraction(0)) * ratio  # type: ignore[operator]
    above = tuple(str(k) for k in keys)
    by = parameter.by[-1]
    ratios = sorted((bound_of(k[-1], by), v) for k, v in parameter.table.items() if k[:-1] == above)
    if not ratios:
        return None
    total = Fraction(0)
    for i, (lower, ratio) in enumerate(ratios):
        upper = ratios[i + 1][0] if i + 1 < len(ratios) else amount
        if amount > lower:
            total += (min(amount, upper) - lower) * ratio  # type: ignore[operator]
    return total


def months_before(on: date, count: int) -> tuple[date, ...]:
    """First days of the whole months before the month of a day, the latest first."""
    last = on.year * 12 + on.month - 1
    return tuple(month_start(last - i) for i in range(1, count + 1))
