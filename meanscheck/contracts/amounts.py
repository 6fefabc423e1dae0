"""How does a column of text or numbers become whole units (fen, cm², millionths, counts), exactly and fast?

Plain decimal text of the expected fineness is recognised by one regular expression and parsed as Decimal; only the
cells that are written otherwise (thousands separators, ¥, full-width digits, 元, 万元, %) are looked at one by one.
No float occurs on any path: a typed float column of money is refused by the caller.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from fractions import Fraction

import polars as pl

from meanscheck.contracts.cells import Fault, trim
from meanscheck.contracts.faults import Faults
from meanscheck.contracts.model import Column
from meanscheck.values.money import MAX_FEN

BOUND = MAX_FEN
"""Bound of every stored whole number: 10^13."""

SCALE: Mapping[str, int] = {"fen": 0, "yuan": 2, "wan_yuan": 6, "cm2": 0, "m2": 4, "e6": 0, "1": 6, "percent": 4}
"""Decimals of a file unit that make whole stored units."""
_MU = Fraction(10**8, 15)
"""Square centimetres of a mu (亩): 10 000/15 m²."""
NOT_OF_KIND: Mapping[str, str] = {
    "money": "not_money",
    "area": "not_area",
    "ratio": "not_ratio",
    "number": "not_number",
}
"""Reason for a cell of a measured column that is no number of its kind."""
_GROUPED = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_MARKS: Mapping[str, str] = {"元": "yuan", "万元": "wan_yuan", "万": "wan_yuan", "%": "percent", "亩": "mu"}
_AREA_MARKS: tuple[str, ...] = ("平方米", "m2", "㎡")


def whole_units(column: Column, cells: pl.Series, unit: str | None, faults: Faults) -> pl.Series:
    """Cast text cells of a money, area, ratio or number column to Int64 in the stored unit.

    Args:
        unit: the file's unit; None for number.
    """
    measured = unit or "count"
    scale = SCALE.get(measured, 0)
    if measured == "mu":
        plain = pl.repeat(value=False, n=len(cells), eager=True)
    else:
        digits = 15 if scale <= 2 else 12
        decimals = rf"(?:\.[0-9]{{1,{scale}}})?" if scale else ""
        plain = cells.str.contains(rf"^-?[0-9]{{1,{digits}}}{decimals}$")
    is_plain = plain.fill_null(value=True)
    if is_plain.all():
        values = _decimal(cells, scale)
    else:
        values = _decimal(cells.zip_with(is_plain, pl.Series([None], dtype=pl.String)), scale)
        odd = (~is_plain).arg_true()
        # Each distinct spelling is read once: files repeat theirs.
        odd_cells = cells.gather(odd)
        parsed = {text: _parse(text, column.kind, measured) for text in odd_cells.unique().to_list()}
        found = [parsed[text] for text in odd_cells.to_list()]
        values = values.scatter(odd, pl.Series([None if isinstance(f, Fault) else f for f in found], dtype=pl.Int64))
        faults.add_each(column.name, odd, [f.reason if isinstance(f, Fault) else None for f in found])
    return bounded(column, values, faults)


def whole_units_typed(column: Column, values: pl.Series, unit: str | None, faults: Faults) -> pl.Series:
    """The same for a column of whole numbers or decimals (never floats), without a way through text."""
    scale = SCALE.get(unit or "count", 0)
    given = values.dtype.scale if isinstance(values.dtype, pl.Decimal) else 0
    if unit == "mu" or given is None:
        return whole_units(column, values.cast(pl.String), unit, faults)
    exact = values.to_physical() if isinstance(values.dtype, pl.Decimal) else values
    if values.dtype != pl.Int64:
        exact = exact.cast(pl.Int128)
    # Bound before any product: products wrap silently.
    step, factor = 10 ** max(given - scale, 0), 10 ** max(scale - given, 0)
    limit = min(BOUND * step // factor, 2**126)  # a decimal of scale 38 is bounded by its own type
    exact = faults.blank(
        column.name, "beyond_bound", exact, exact.is_between(_like(exact, -limit), _like(exact, limit)).not_()
    )
    if step > 1:
        exact = faults.blank(
            column.name, NOT_OF_KIND[column.kind], exact, exact % _like(exact, step) != _like(exact, 0)
        )
        exact = exact // _like(exact, step)
    if factor > 1:
        exact = exact * _like(exact, factor)
    return bounded(column, exact.cast(pl.Int64), faults)


def _like(values: pl.Series, number: int) -> pl.Series:
    """A number as a Series of one, in the type of `values`."""
    return pl.Series([number], dtype=values.dtype)


def bounded(column: Column, values: pl.Series, faults: Faults) -> pl.Series:
    """Check bounds and sign; a value that fails becomes null."""
    low, high = values.min(), values.max()
    if low is None or high is None:
        return values
    assert isinstance(low, int) and isinstance(high, int)
    if high > BOUND or low < -BOUND:
        values = faults.blank(column.name, "beyond_bound", values, values.abs() > BOUND)
    if low < 0 and not column.may_be_negative and column.negative_only_when is None and (column.minimum or 0) >= 0:
        values = faults.blank(column.name, "negative_not_allowed", values, values < 0)
    if column.minimum is not None and low < column.minimum:
        values = faults.blank(column.name, "out_of_range", values, values < column.minimum)
    if column.maximum is not None and high > column.maximum:
        values = faults.blank(column.name, "out_of_range", values, values > column.maximum)
    return values


def _decimal(cells: pl.Series, scale: int) -> pl.Series:
    if scale == 0:
        return cells.cast(pl.Int64, strict=False)
    # At most 12 whole digits and 6 decimals, or 15 and 2: the unscaled number fits Int64.
    return cells.cast(pl.Decimal(38, scale), strict=False).to_physical().cast(pl.Int64)


def _parse(text: str, kind: str, unit: str) -> int | Fault | None:
    bare = trim(text, is_amount=True)
    if not isinstance(bare, str):
        return bare
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", bare)).lstrip("+").replace("−", "-")
    if kind == "money":
        plain = re.sub(r"^(-?)[¥￥]", r"\1", re.sub(r"^rmb", "", plain, flags=re.IGNORECASE))
    plain, unit = _unit_of_cell(plain, kind, unit)
    if kind == "ratio" and unit == "1" and re.fullmatch(r"\d{1,6}/[1-9]\d{0,5}", plain, re.ASCII) is not None:
        exact = Fraction(plain)
    elif _GROUPED.fullmatch(plain) is not None or _PLAIN.fullmatch(plain) is not None:
        exact = Fraction(plain.replace(",", "")) if len(plain) <= 40 else Fraction(10**40)
    else:
        return Fault(NOT_OF_KIND[kind])
    if unit == "mu":
        stored = exact * _MU
        # No whole cm² is exact for a mu; the nearest one is far finer than the survey (half up).
        whole = (stored.numerator * 2 + stored.denominator) // (stored.denominator * 2)
        return whole if abs(whole) <= BOUND else Fault("beyond_bound")
    stored = exact * 10 ** SCALE.get(unit, 0)
    if abs(stored) > BOUND:
        return Fault("beyond_bound")
    return stored.numerator if stored.denominator == 1 else Fault(NOT_OF_KIND[kind])


def _unit_of_cell(plain: str, kind: str, unit: str) -> tuple[str, str]:
    """Split off a unit written in the cell; it overrules the column's unit."""
    if kind == "area":
        for mark in _AREA_MARKS:
            if plain.lower().endswith(mark):
                return plain[: -len(mark)], "m2"
    allowed = {"money": ("万元", "元", "万"), "ratio": ("%",), "area": ("亩",)}.get(kind, ())
    for mark in allowed:
        if plain.endswith(mark):
            return plain[: -len(mark)], _MARKS[mark]
    return plain, unit
