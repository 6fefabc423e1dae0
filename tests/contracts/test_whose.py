"""Every identity is judged once, and each row gets what judging it alone would have given."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanscheck.contracts import feed
from meanscheck.contracts.csv_text import how_many
from meanscheck.contracts.faults import Faults
from meanscheck.contracts.whose import numbered, whose
from meanscheck.contracts.words import cast_identity

COLUMN = feed("tax_income").column("id_number")
LONG, SHORT = "11010519491231002X", "110105491231002"  # one person: GB 11643-1999, appendix A, in both lengths
SPELLINGS = (LONG, LONG.lower(), f" {LONG}", SHORT, "110105194912310021", "H12345678", "H1234567801", "合计", "", None)
TEXTS = st.lists(st.sampled_from(("", "a", "b", "ab", "甲", None)), max_size=40)
ROWS = st.lists(
    st.tuples(st.sampled_from(("resident_id", "hk_macao_tw_permit", "passport", None)), st.sampled_from(SPELLINGS)),
    max_size=40,
)


@pytest.mark.parametrize("marks", ["hashes", "one hash for all"])
@given(TEXTS)
def test_texts_have_one_number_exactly_if_they_are_equal(marks: str, texts: list[str | None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if marks != "hashes":
            patch.setattr("meanscheck.contracts.whose._marks", lambda given: np.zeros(len(given), dtype=np.uint64))
        numbers, distinct = numbered(pl.Series(texts, dtype=pl.String))
    assert [distinct.to_list()[number] for number in numbers.to_list()] == texts
    assert len(set(distinct.to_list())) == len(distinct) == len(set(texts))
    assert numbers.dtype == pl.UInt32


@given(ROWS)
def test_each_row_has_the_document_and_the_fault_that_it_has_alone(rows: list[tuple[str | None, str | None]]) -> None:
    kinds = pl.Series([kind for kind, _ in rows], dtype=pl.String)
    cells = pl.Series([cell for _, cell in rows], dtype=pl.String)
    faults = Faults()
    found = whose(COLUMN, cells, kinds, faults)
    at_fault = dict(faults.table().select("at", "reason").iter_rows())
    for at in range(len(rows)):
        alone = Faults()
        kind, number = cast_identity(COLUMN, cells[at : at + 1], kinds[at : at + 1], alone)
        assert found.column("id_type")[at] == kind[0]
        assert found.column("id_number")[at] == number[0]
        assert at_fault.get(at) == dict(alone.table().select("at", "reason").iter_rows()).get(0)
    assert found.people.height == found.people.unique().height


def test_two_spellings_of_one_document_are_one_person() -> None:
    cells = pl.Series([LONG, SHORT, LONG.lower(), LONG])
    found = whose(COLUMN, cells, pl.Series(["resident_id"] * 4), Faults())
    assert found.people.rows() == [("resident_id", LONG)]
    assert found.who.to_list() == [0, 0, 0, 0]
    assert found.most_rows() == 4


def test_a_number_counts_once_whatever_kind_it_is_said_to_be() -> None:
    cells = pl.Series(["12345678", "12345678", "E12345678"])
    found = whose(COLUMN, cells, pl.Series(["passport", "hk_macao_tw_permit", "passport"]), Faults())
    assert found.people.height == 3
    assert found.most_rows() == 2


@given(st.binary(max_size=200), st.integers(0, 255))
def test_bytes_are_counted(text: bytes, byte: int) -> None:
    assert how_many(bytes([byte]), text) == text.count(bytes([byte]))


def test_bytes_are_counted_over_many_steps() -> None:
    text = b"1,2\n" * 300_000
    assert (how_many(b",", text), how_many(b"\n", text), how_many(b'"', text)) == (300_000, 300_000, 0)
