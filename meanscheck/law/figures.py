"""How is a figure of the law written, and read back exactly?

Amounts are yuan as text, ratios and areas decimals as text, months and numbers TOML integers, days TOML days. What is
written by `figure_text` is read by `figure_of` as the same figure, so a recorded law keeps its digest.

>>> figure_of("1.6", "ratio"), figure_text(Fraction(8, 5), "ratio"), figure_of("13.5", "area")
(Fraction(8, 5), '1.6', 135000)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import TypeAlias

from meanscheck.errors import PackError
from meanscheck.law.types import MICRO, UNITS
from meanscheck.values.money import MAX_FEN, format_yuan, parse_ratio, parse_yuan

Scalar: TypeAlias = int | Fraction | bool | date | str
Figure: TypeAlias = Scalar | None
ANY_KEY = ("*",)
"""Key of an overlay's scalar, which stands for every key of a table."""
MOST_MONTHS = 1200
"""Longest window: a hundred years. Windows are reckoned back from a day, and the calendar begins with the year 1."""
_CM2 = 10_000


def figure_text(figure: Scalar, unit: str) -> str:
    """A figure as text: amounts in yuan, areas in square metres, ratios as decimals, days in ISO form."""
    if isinstance(figure, bool):
        return "true" if figure else "false"
    if isinstance(figure, date):
        return figure.isoformat()
    if isinstance(figure, str):
        return figure
    if unit in ("money", "money/month"):
        return format_yuan(int(figure))
    if unit == "area":
        return _decimal(Fraction(figure, _CM2), 4)
    return _decimal(Fraction(figure), 6)


def _decimal(value: Fraction, places: int) -> str:
    scaled = value * 10**places
    if scaled.denominator != 1:
        raise ValueError("a figure has more decimals than can be written")
    sign, digits = ("-" if scaled < 0 else ""), str(abs(int(scaled))).rjust(places + 1, "0")
    return (f"{sign}{digits[:-places]}.{digits[-places:]}").rstrip("0").rstrip(".")


def figure_of(text: object, unit: str) -> Scalar:
    """A figure of the given unit from its text (or a TOML integer, day or yes/no).

    Raises:
        ValueError: (MoneyError among them) saying what is wanted.
    """
    if isinstance(text, float):
        raise ValueError("a float cannot be exact; write it as text")
    kind = UNITS[unit].kind
    if unit in ("money", "money/month"):
        if not isinstance(text, str):
            raise ValueError('an amount is written as text, like "900.00"')
        return parse_yuan(text)
    if unit in ("ratio", "area"):
        return _scaled(text, unit)
    if kind == "num":
        return _whole(text, unit)
    if kind == "bool":
        if text not in (True, False, "true", "false") or (isinstance(text, int) and not isinstance(text, bool)):
            raise ValueError("a yes/no is wanted")
        return text in (True, "true")
    if kind == "date":
        if isinstance(text, datetime):
            raise ValueError("a day is wanted, without a time")
        return text if isinstance(text, date) else date.fromisoformat(str(text))
    if not isinstance(text, str):
        raise ValueError("a text is wanted")
    return text


def _scaled(text: object, unit: str) -> Scalar:
    if isinstance(text, bool) or not isinstance(text, str | int):
        raise ValueError('a decimal is written as text, like "1.6"')
    value = parse_ratio(str(text))
    units = value * (MICRO if unit == "ratio" else _CM2)
    if units.denominator != 1:
        raise ValueError(f"more decimals than a{'n area' if unit == 'area' else ' ratio'} can hold")
    if abs(units) > MAX_FEN:
        raise ValueError("beyond the bound of exact reckoning")
    return value if unit == "ratio" else int(units)


def _whole(text: object, unit: str) -> int:
    if isinstance(text, bool) or not isinstance(text, str | int):
        raise ValueError("a whole number is wanted")
    try:
        value = int(str(text))
    except ValueError:
        raise ValueError("a whole number is wanted") from None
    if abs(value) > MAX_FEN:
        raise ValueError("beyond the bound of exact reckoning")
    if unit == "month" and not 0 <= value <= MOST_MONTHS:
        raise ValueError(f"a number of months from 0 to {MOST_MONTHS} is wanted")
    return value


def table_of(value: object, unit: str, keys: int, where: str) -> dict[tuple[str, ...], Scalar]:
    """Key → figure. A scalar for a table of figures (an overlay's) goes under `ANY_KEY`."""
    try:
        if not isinstance(value, Mapping):
            return {ANY_KEY if keys else (): figure_of(value, unit)}
        if not keys:
            raise ValueError("a single figure is wanted, not a table")
        return dict(_entries(value, unit, keys, ()))
    except ValueError as fault:
        raise PackError(getattr(fault, "what", str(fault)), where=where, remedy=getattr(fault, "remedy", "")) from None


def _entries(
    value: Mapping[str, object], unit: str, keys: int, above: tuple[str, ...]
) -> Iterable[tuple[tuple[str, ...], Scalar]]:
    for key, entry in value.items():
        path = (*above, str(key))
        if len(path) == keys:
            if isinstance(entry, Mapping):
                point = "; a bound with a point stands in quotes" if str(key).isdigit() else ""
                raise ValueError(f"a table with {keys} key{'' if keys == 1 else 's'} is wanted{point}")
            yield path, figure_of(entry, unit)
        elif isinstance(entry, Mapping):
            yield from _entries(entry, unit, keys, path)
        else:
            raise ValueError("a table of tables is wanted")
