"""Whose rows are these? Every identity that a file states is judged once, however many rows it has.

A row then finds its person by a small number, which is far cheaper than a text wherever rows are compared, counted or
joined. Two spellings of one document (15 and 18 digits, a small x) are one number.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from meanscheck.contracts.faults import Faults
from meanscheck.contracts.model import Column
from meanscheck.contracts.words import cast_identity


@dataclass(frozen=True, slots=True)
class Whose:
    """Documents and who goes by them.

    Attributes:
        people: `id_type`, `id_number` String, each pair once; the number is null where there is none that holds.
        who: UInt32, for each row the place of its document in `people`.
    """

    people: pl.DataFrame = field(repr=False)
    who: pl.Series = field(repr=False)

    def column(self, name: str) -> pl.Series:
        """`id_type` or `id_number` of each row."""
        return self.people[name].gather(self.who)

    def most_rows(self) -> int:
        """At most so many rows have one number, whatever kind of document it is said to be."""
        if not len(self.who):
            return 0
        counts = np.bincount(self.who.to_numpy(), minlength=self.people.height)
        each = self.people.select("id_number", rows=pl.Series(counts)).group_by("id_number").agg(pl.col("rows").sum())
        return int(each["rows"].max() or 0)  # type: ignore[arg-type]


def whose(column: Column, cells: pl.Series, id_types: pl.Series, faults: Faults) -> Whose:
    """Judge the identities of rows (`words.cast_identity`), each once.

    Args:
        cells: identity numbers as written (String).
        id_types: the kind of document each row states (String).
    """
    said = _paired(id_types, cells)
    of_people = Faults()
    kinds, numbers = cast_identity(column, said.people["id_number"], said.people["id_type"], of_people)
    found = of_people.table()
    if found.height:
        reasons = pl.Series([None], dtype=pl.String).new_from_index(0, said.people.height)
        reasons = reasons.scatter(found["at"], found["reason"]).gather(said.who)
        places = reasons.is_not_null().arg_true()
        faults.add_each(column.name, places, reasons.gather(places).to_list())
    if numbers.eq_missing(said.people["id_number"]).all() and kinds.eq_missing(said.people["id_type"]).all():
        return said
    meant = _paired(kinds, numbers)
    return Whose(meant.people, meant.who.gather(said.who))


def _paired(id_types: pl.Series, numbers: pl.Series) -> Whose:
    who, texts = numbered(numbers)
    kind, kinds = numbered(id_types)
    if len(kinds) > 1:
        both, code = np.unique(who.to_numpy().astype(np.uint64) * len(kinds) + kind.to_numpy(), return_inverse=True)
        who = pl.Series(code.astype(np.uint32))
        texts, kinds = texts.gather(both // len(kinds)), kinds.gather(both % len(kinds))
    elif len(kinds):
        kinds = kinds.new_from_index(0, len(texts))
    return Whose(pl.DataFrame({"id_type": kinds, "id_number": texts}), who)


def numbered(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """A number for each distinct text (UInt32, null is one too), and the texts by number.

    Equal texts mostly follow one another, so only the first of each run is looked at. Hashes say which are equal, and
    a comparison makes sure of it.
    """
    is_first = texts.ne_missing(texts.shift(1))
    if len(texts):
        is_first = is_first.scatter(0, True)
    firsts = texts.filter(is_first)
    marks, code = np.unique(_marks(firsts), return_inverse=True)
    places = np.zeros(len(marks), dtype=np.uint32)
    places[code] = np.arange(len(code), dtype=np.uint32)
    numbers, distinct = pl.Series(code.astype(np.uint32)), firsts.gather(places)
    if not distinct.gather(numbers).eq_missing(firsts).all():  # two texts have one hash
        distinct = firsts.unique(maintain_order=True)
        known = pl.DataFrame({"text": distinct}).with_row_index("number")
        joined = pl.DataFrame({"text": firsts}).join(
            known, on="text", how="left", nulls_equal=True, maintain_order="left"
        )
        numbers = joined["number"]
    if len(firsts) < len(texts):
        numbers = numbers.gather(is_first.cum_sum() - 1)
    return numbers, distinct


def _marks(texts: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return texts.hash(0).to_numpy()
