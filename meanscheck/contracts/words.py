"""How does a column of words, days, texts or identity numbers become typed, fast?

A plain function of one text (cells.py) says what a cell means. Here it is applied once to each distinct text where a
column repeats itself (days, months, choices), and elsewhere only to the cells that one regular expression finds
unusual.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
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
from meanscheck.values.documents import RESIDENT, Document, normal_columns
from meanscheck.values.identity import fault_of, faultless, lengthened

Parse = Callable[[str], Any]

_SAMPLE = 20_000
_FEW = 200
_SPACES = " \t\u3000\u00a0"
_MAY_NAME_ITS_KIND = "^[89]"
"""How numbers begin that may be of another kind than they are said to be (see `documents`)."""
_AROUND = _SPACES + "'"
_NULLS = pl.Series(sorted(NULL_MARKS))
# Anything that `trim` could change or refuse: spaces at an end, a sign or a mark at the start, an unseen character.
_UNUSUAL = rf"[{UNSEEN}]|^[=@＝＠+\-＋－—/\\\s]|^$|\s$|^(?:NULL|null|N/A|n/a)$"


def by_distinct(
    column: Column,
    cells: pl.Series,
    parse: Parse,
    dtype: pl.DataType,
    faults: Faults,
    *,
    quick: Callable[[pl.Series], pl.Series] | None = None,
) -> pl.Series:
    """Apply `parse` once to each distinct text of `cells` (String).

    Args:
        quick: what `parse` would give, by column; null where `parse` itself must be asked.
    """
    distinct = cells.drop_nulls().unique()
    codes = cells.cast(pl.Enum(distinct), strict=False).to_physical()
    if quick is not None and len(distinct) > _FEW:
        values = quick(distinct)
    else:
        values = pl.Series([None], dtype=dtype).new_from_index(0, len(distinct))
    rest = values.is_null().arg_true()
    found = [parse(text) for text in distinct.gather(rest).to_list()]
    reasons = pl.Series([value.reason if isinstance(value, Fault) else None for value in found], dtype=pl.String)
    for reason in reasons.drop_nulls().unique().sort().to_list():
        faults.add(column.name, reason, codes.is_in(rest.filter(reasons == reason).cast(codes.dtype).implode()))
    parsed = pl.Series([None if isinstance(value, Fault) else value for value in found], dtype=dtype)
    return values.scatter(rest, parsed).gather(codes)


def _plain_days(texts: pl.Series) -> pl.Series:
    """Days written like 2024-06-30, as `parse_day` has them; null for every other text."""
    plain = texts.zip_with(texts.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), pl.Series([None], dtype=pl.String))
    days = plain.str.to_date("%Y-%m-%d", strict=False)
    return days.zip_with(days >= date(1850, 1, 1), pl.Series([None], dtype=pl.Date))


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
        return by_distinct(column, cells, parse_day, pl.Date(), faults, quick=_plain_days)
    if kind == "month":
        return by_distinct(column, cells, parse_month, pl.Date(), faults)
    if kind == "bool":
        return by_distinct(column, cells, parse_bool, pl.Boolean(), faults)
    if kind == "choice":
        return by_distinct(column, cells, lambda text: parse_choice(text, column), pl.String(), faults)
    if kind == "person":
        sound = faultless(cells)
        return odd_ones(column, cells, ~sound, lambda text: parse_persons(text, column), faults)
    if column.pattern is not None:
        return by_distinct(column, cells, lambda text: parse_text(text, column), pl.String(), faults)
    if _repeats_itself(cells):
        distinct = cells.drop_nulls().unique()
        unusual = distinct.filter(_odd_texts(column, distinct))
        odd = cells.is_in(unusual.implode()) if len(unusual) else pl.Series([False]).new_from_index(0, len(cells))
    else:
        odd = _odd_texts(column, cells)
    return odd_ones(column, cells, odd, lambda text: parse_text(text, column), faults)


def cast_identity(column: Column, cells: pl.Series, id_types: pl.Series, faults: Faults) -> tuple[pl.Series, pl.Series]:
    """Normalise identity numbers (String): the kinds of document and the numbers by which their holders go.

    Args:
        id_types: the kind of document each row states (String); a number that names its kind itself changes it.
    """
    resident = (id_types == RESIDENT).fill_null(value=False)
    sound = _sound(cells)
    plain = sound & resident & ~cells.str.contains(_MAY_NAME_ITS_KIND).fill_null(value=False)
    if plain.all():
        return id_types, cells
    tidy = _tidied(cells, resident & ~sound)
    # The others are few, and judging a number costs more than all the rest of a cell.
    places = (~plain).arg_true()
    kinds, numbers = _judged(column, id_types.gather(places), tidy.gather(places), places, faults)
    return id_types.scatter(places, kinds), tidy.scatter(places, numbers)


def _judged(
    column: Column, id_types: pl.Series, cells: pl.Series, places: pl.Series, faults: Faults
) -> tuple[pl.Series, pl.Series]:
    """Kinds and numbers of documents of any kind; `places` are the rows where the cells stand."""
    found = normal_columns(id_types, cells)
    odd = (~found["is_sound"] & cells.is_not_null()).arg_true()
    if not len(odd):
        return found["id_type"], found["id_number"]
    given = list(zip(id_types.gather(odd).to_list(), cells.gather(odd).to_list(), strict=True))
    known = {pair: parse_document(*pair) if pair[0] is not None else None for pair in set(given)}
    parsed = [known[pair] for pair in given]
    reasons = [one.reason if isinstance(one, Fault) else None for one in parsed]
    faults.add_each(column.name, places.gather(odd), reasons)
    documents = [one if isinstance(one, Document) else None for one in parsed]
    kinds = [pair[0] if one is None else one.id_type for pair, one in zip(given, documents, strict=True)]
    numbers = [None if one is None else one.id_number for one in documents]
    return (
        found["id_type"].scatter(odd, pl.Series(kinds, dtype=pl.String)),
        found["id_number"].scatter(odd, pl.Series(numbers, dtype=pl.String)),
    )


def _tidied(cells: pl.Series, rest: pl.Series) -> pl.Series:
    """What many numbers want most often: spaces, full-width digits, a small x, 15 digits. The cells, mended where they
    can be.

    Only what `parse_document` would say as well: a faultless number, of a text without unseen characters.
    """
    places = rest.arg_true()
    if len(places) <= _FEW:
        return cells
    texts = cells.gather(places)
    distinct = texts.unique()
    bare = distinct.str.strip_chars(_AROUND).str.to_uppercase()
    plain = bare.str.normalize("NFKC").str.replace_all(r"\s", "")
    plain = lengthened(plain).fill_null(plain)
    is_seen = ~distinct.str.contains(rf"[{UNSEEN}]|[^{_SPACES}].*'")
    plain = bare.zip_with(
        faultless(bare), plain.zip_with(is_seen & faultless(plain), pl.Series([None], dtype=pl.String))
    )
    mended = plain.gather(texts.cast(pl.Enum(distinct)).to_physical())
    done = places.filter(mended.is_not_null())
    return cells.scatter(done, mended.drop_nulls())


def _odd_texts(column: Column, texts: pl.Series) -> pl.Series:
    """Which texts `parse_text` could change or refuse."""
    odd = texts.str.contains(_UNUSUAL)
    if column.max_length is not None:
        odd = odd | (texts.str.len_bytes() > column.max_length)  # bytes: never fewer than characters
    return odd


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
