"""How do cells as a sender writes them become cells as the contract knows them? Codes, forms of days, implied points.

What a mapping does not name is a fault and is never tried in another way: a code that the sender added yesterday means
what the sender says, not what it resembles.
"""

from __future__ import annotations

import polars as pl

from meanscheck.contracts.amounts import NOT_OF_KIND
from meanscheck.contracts.cells import NULL_MARKS
from meanscheck.contracts.day_forms import day_form, iso_day
from meanscheck.contracts.faults import Faults
from meanscheck.contracts.mapping import ColumnMapping, FileMapping
from meanscheck.contracts.model import Column, FeedContract
from meanscheck.values.identity import faultless

_SPACES = " \t\u3000\u00a0"
_NULLS = sorted(NULL_MARKS)


def recode(contract: FeedContract, rows: pl.DataFrame, mapping: FileMapping, faults: Faults) -> pl.DataFrame:
    """Rows in the contract's words.

    Args:
        rows: columns by names of the contract; those that the mapping fills with a constant are added.
        faults: collects the cells that the mapping does not explain, by place.
    """
    for name, given in mapping.columns.items():
        column = contract.column(name)
        if given.value is not None:
            rows = rows.with_columns(pl.lit(given.value, dtype=pl.String).alias(name))
        elif given.codes:
            rows = rows.with_columns(_coded(column, rows[name], given, faults))
        elif given.form is not None and rows[name].dtype not in (pl.Date, pl.Datetime):
            rows = rows.with_columns(_dated(column, rows[name], given.form, faults))
        elif given.decimals is not None:
            rows = rows.with_columns(_pointed(column, rows[name], given.decimals, faults))
    return rows


def _bare(cells: pl.Series) -> pl.Series:
    """Text without blanks around it; null where nothing is said."""
    bare = cells.cast(pl.String).str.strip_chars(_SPACES)
    return bare.zip_with(~bare.is_in(_NULLS).fill_null(value=True), pl.Series([None], dtype=pl.String))


def _coded(column: Column, cells: pl.Series, given: ColumnMapping, faults: Faults) -> pl.Series:
    # A mark such as - may be a code of its own.
    bare = cells.cast(pl.String).str.strip_chars(_SPACES)
    codes = {code.strip(): choice for code, choice in given.codes.items()}
    found = bare.replace_strict(codes, default=None, return_dtype=pl.String)
    faults.add(column.name, "unmapped_code", found.is_null() & _bare(cells).is_not_null())
    return found.alias(column.name)


def _dated(column: Column, cells: pl.Series, form: str, faults: Faults) -> pl.Series:
    pattern = day_form(form, is_month=column.kind == "month")
    assert pattern is not None, "the mapping was checked"
    bare = _bare(cells)
    known = {text: iso_day(pattern, text) for text in bare.drop_nulls().unique().to_list()}
    found = bare.replace_strict(known, default=None, return_dtype=pl.String) if known else bare
    faults.add(column.name, "not_date" if column.kind == "date" else "not_month", found.is_null() & bare.is_not_null())
    return found.alias(column.name)


def _pointed(column: Column, cells: pl.Series, decimals: int, faults: Faults) -> pl.Series:
    """Digits alone, with the point put before the last `decimals` of them."""
    bare = _bare(cells)
    is_digits = bare.str.contains(r"^[+-]?[0-9]{1,40}$")
    faults.add(column.name, NOT_OF_KIND[column.kind], ~is_digits)
    digits = bare.str.extract(r"^[+-]?0*([0-9]+)$", 1).str.zfill(decimals + 1)
    sign = bare.str.starts_with("-").replace_strict({True: "-", False: ""}, return_dtype=pl.String)
    whole = sign + digits.str.slice(0, None).str.head(-decimals) + "." + digits.str.tail(decimals)
    return whole.zip_with(is_digits.fill_null(value=False), pl.Series([None], dtype=pl.String)).alias(column.name)


def serial_days(column: Column, cells: pl.Series, first: int) -> pl.Series:
    """Days that a workbook holds as bare numbers (44002 is 2020-06-20), as ISO text; other cells stay.

    Five digits only, 1927 to 2173: with fewer, a year alone could be meant.

    Args:
        first: days from 1970-01-01 to day 0 of the workbook.
    """
    serial = cells.str.strip_chars(_SPACES).str.extract(r"^([1-9][0-9]{4})(?:\.[0-9]+)?$", 1)
    if not serial.is_not_null().any():
        return cells
    days = (serial.cast(pl.Int32) + first).cast(pl.Date).dt.strftime("%Y-%m-%d")
    return days.zip_with(serial.is_not_null(), cells).alias(cells.name)


def is_rounded(numbers: pl.Series) -> pl.Series:
    """Which identity numbers of a text file a spreadsheet has rounded: its fifteen digits, and 000 in place of the end.

    One in eleven still has the right check digit. Where two such numbers fail, those that pass are not trusted either.
    """
    near = numbers.str.ends_with("000").fill_null(value=False).arg_true()
    some = numbers.gather(near)
    is_shaped = some.str.contains(r"^\s*[1-9][0-9]{14}000$")
    fails = is_shaped & ~faultless(some.str.strip_chars(_SPACES))
    marked = near.filter(is_shaped if fails.sum() >= 2 else fails)
    found = pl.repeat(value=False, n=len(numbers), eager=True)
    return found.scatter(marked, True) if len(marked) else found
