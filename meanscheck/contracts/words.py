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
    parse_text,
)
from meanscheck.contracts.faults import Faults
from meanscheck.contracts.model import Column
from meanscheck.values.documents import Document, normal_columns
from meanscheck.values.identity import faultless

Parse = Callable[[str], Any]

_SAMPLE = 20_000
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


def cast_identity(column: Column, cells: pl.Series, id_types: pl.Series, faults: Faults) -> tuple[pl.Series, pl.Series]:
    """Normalise identity numbers (String): the kinds of document and the numbers by which their holders go.

    Args:
        id_types: the kind of document each row states (String); a number that names its kind itself changes it.
    """
    found = normal_columns(id_types, cells)
    odd = ~found["is_sound"] & cells.is_not_null()
    if not odd.any():
        return found["id_type"], found["id_number"]
    places = odd.arg_true()
    given = list(zip(id_types.gather(places).to_list(), cells.gather(places).to_list(), strict=True))
    known = {pair: parse_document(*pair) if pair[0] is not None else None for pair in set(given)}
    parsed = [known[pair] for pair in given]
    faults.add_each(column.name, places, [one.reason if isinstance(one, Fault) else None for one in parsed])
    documents = [one if isinstance(one, Document) else None for one in parsed]
    kinds = [pair[0] if one is None else one.id_type for pair, one in zip(given, documents, strict=True)]
    numbers = [None if one is None else one.id_number for one in documents]
    return (
        found["id_type"].scatter(places, pl.Series(kinds, dtype=pl.String)),
        found["id_number"].scatter(places, pl.Series(numbers, dtype=pl.String)),
    )


def _repeats_itself(cells: pl.Series) -> bool:
    head = cells.head(_SAMPLE)
    return len(cells) > 0 and head.n_unique() * 4 <= len(head)
