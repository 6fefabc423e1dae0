"""How does a column of words, days, texts or identity numbers become typed, fast?

A plain function of one text (cells.py) says what a cell means. Here it is applied once to each distinct text where a
column repeats itself (days, months, choices), and elsewhere only to the cells that one regular expression finds
unusual.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from meanscheck.contracts.cells import (
    NULL_MARKS,
    UNSEEN,
    Fault,
    parse_bool,
    parse_choice,
    parse_day,
    parse_document,
    parse_month,
    parse_persons,
    parse_resident,
    parse_text,
)
from meanscheck.contracts.faults import Faults
from meanscheck.contracts.model import Column
from meanscheck.values.identity import fault_of, faultless

Parse = Callable[[str], Any]

_SAMPLE = 20_000
_FEW = 200
_NULLS = pl.Series(sorted(NULL_MARKS))
# Anything that `trim` could change or refuse: spaces at an end, a sign or a mark at the start, an unseen character.
_UNUSUAL = rf"[{UNSEEN}]|^[=@＝＠+\-＋－—/\\\s]|^$|\s$|^(?:NULL|null|N/A|n/a)$"


def by_distinct(column: Column, cells: pl.Series, parse: Parse, dtype: pl.DataType, faults: Faults) -> pl.Series:
    """Apply `parse` once to each distinct text of `cells` (String)."""
    distinct = cells.drop_nulls().unique()
    found = [parse(text) for text in distinct.to_list()]
    codes = cells.cast(pl.Enum(distinct), strict=False).to_physical()
    bad = [at for at, value in enumerate(found) if isinstance(value, Fault)]
    for reason in dict.fromkeys(found[at].reason for at in bad):
        chosen = [at for at in bad if found[at].reason == reason]
        faults.add(column.name, reason, codes.is_in(pl.Series(chosen, dtype=codes.dtype).implode()))
    values = pl.Series([None if isinstance(value, Fault) else value for value in found], dtype=dtype)
    return values.gather(codes)


def odd_ones(column: Column, cells: pl.Series, odd: pl.Series, parse: Parse, faults: Faults) -> pl.Series:
    """Keep the cells and apply `parse` to those where `odd` is true; the result is text."""
    places = odd.fill_null(value=False).arg_true()
    if not len(places):
        return cells
    texts = cells.gather(places)
    known = {text: parse(text) for text in texts.unique().to_list()}
    found = [known[text] for text in texts.to_list()]
    faults.add_each(column.name, places, [value.reason if isinstance(value, Fault) else None for value in found])
    mended = pl.Series([None if isinstance(value, Fault) else value for value in found], dtype=pl.String)
    return cells.scatter(places, mended)


def cast_words(column: Column, cells: pl.Series, faults: Faults) -> pl.Series:
    """Cast text cells of a bool, date, month, choice, text or person column."""
    kind = column.kind
    if kind == "date":
        return by_distinct(column, cells, parse_day, pl.Date(), faults)
    if kind == "month":
        return by_distinct(column, cells, parse_month, pl.Date(), faults)
    if kind == "bool":
        return by_distinct(column, cells, parse_bool, pl.Boolean(), faults)
    if kind == "choice":
        return by_distinct(column, cells, lambda text: parse_choice(text, column), pl.String(), faults)
    if kind == "person":
        sound = faultless(cells)
        return odd_ones(column, cells, ~sound, lambda text: parse_persons(text, column), faults)
    if column.pattern is not None or _repeats_itself(cells):
        return by_distinct(column, cells, lambda text: parse_text(text, column), pl.String(), faults)
    odd = cells.str.contains(_UNUSUAL)
    if column.max_length is not None:
        odd = odd | (cells.str.len_bytes() > column.max_length)  # bytes: never fewer than characters
    return odd_ones(column, cells, odd, lambda text: parse_text(text, column), faults)


def cast_identity(column: Column, cells: pl.Series, is_resident: pl.Series, faults: Faults) -> pl.Series:
    """Normalise identity numbers (String).

    Args:
        is_resident: which rows hold a resident identity number; null is not.
    """
    resident = is_resident.fill_null(value=False)
    sound = _sound(cells)
    if (sound & resident).all():
        return cells
    others = (~resident & cells.is_not_null()).fill_null(value=False)
    if others.any():
        # A document of another kind may look like a resident number; it is only tidied.
        cells = odd_ones(column, cells, others, parse_document, faults)
    rest = resident & ~sound
    if rest.any():
        tidy = cells.str.strip_chars(" \t\u3000\u00a0'").str.to_uppercase()
        better = rest & faultless(tidy).fill_null(value=False)
        cells = tidy.zip_with(better, cells)
        cells = odd_ones(column, cells, rest & ~better, parse_resident, faults)
    return cells


def _sound(cells: pl.Series) -> pl.Series:
    """Whether each number is a faultless one or null; each distinct number is proven once."""
    distinct = cells.drop_nulls().unique()
    if len(distinct) <= _FEW:
        faults = [text for text in distinct.to_list() if fault_of(text) is not None]
        return ~cells.is_in(pl.Series(faults, dtype=pl.String).implode()).fill_null(value=False)
    if len(distinct) * 2 > len(cells):
        return faultless(cells).fill_null(value=True)
    codes = cells.cast(pl.Enum(distinct)).to_physical()
    return faultless(distinct).gather(codes).fill_null(value=True)


def _repeats_itself(cells: pl.Series) -> bool:
    head = cells.head(_SAMPLE)
    return len(cells) > 0 and head.n_unique() * 4 <= len(head)
