"""A CSV file divided by parts has the cells, lines and broken lines that it has as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from meanscheck.contracts import csv_text
from meanscheck.errors import FeedError

HEADER = "甲,b,c\n"
LINES = st.lists(st.sampled_from(["1,2,3", '"1",2,"3,3"', "", "1,2", "1,2,3,4", '"1,2,3', '1",2,3', "名,2,3", "a,,"]))


def is_header(cells: Sequence[str]) -> bool:
    return "b" in cells


def joined(path: Path) -> tuple[pl.DataFrame, pl.Series, pl.DataFrame, set[str]]:
    parts = list(csv_text.read_csv_parts(path, where="x", is_header=is_header))
    cells = pl.concat([part.cells for part in parts])
    broken = pl.concat([part.broken for part in parts])
    return cells, pl.concat([part.lines for part in parts]), broken, {part.encoding for part in parts}


@given(lines=LINES, block=st.integers(12, 60), encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]))
def test_parts_are_the_whole(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], block: int, encoding: str
) -> None:
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    path.write_bytes((HEADER + "".join(line + "\n" for line in lines)).encode(encoding))
    whole = csv_text.read_csv(path.read_bytes(), where="x", is_header=is_header)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_text, "_BLOCK", block)
        cells, places, broken, encodings = joined(path)
    assert_frame_equal(cells, whole.cells)
    assert places.to_list() == whole.lines.to_list()
    assert_frame_equal(broken, whole.broken)
    assert encodings == {whole.encoding}


def test_a_byte_of_no_encoding_far_down_is_found_before_any_row_is_given(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(HEADER.encode() + b"1,2,3\n" * 1000 + b"\xff\xff,2,3\n")
    with pytest.raises(FeedError, match="neither UTF-8 nor GB18030"):
        next(csv_text.read_csv_parts(path, where="x.csv", is_header=is_header))
