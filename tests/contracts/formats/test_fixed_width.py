"""Fixed width: places are bytes of the encoding, and a line that has shifted is no evidence."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.formats.legal import resident
from meanscheck.contracts import feed
from meanscheck.contracts.cast import Cast
from meanscheck.contracts.mapping import ColumnMapping, FileMapping, FileShape
from meanscheck.contracts.readers import cast_file
from meanscheck.errors import FeedError

A, B = resident(1), resident(2)
LAYOUT: dict[str, dict[str, Any]] = {
    "id_number": {"start": 1, "length": 18, "align": "left"},
    "name": {"start": 19, "length": 10, "align": "left"},
    "balance": {"start": 29, "length": 12, "align": "right", "decimals": 2},
    "as_of": {"start": 41, "length": 8},
}


def mapping(shape: dict[str, Any] | None = None, **columns: dict[str, Any]) -> FileMapping:
    places = {name: ColumnMapping(**{**given, **columns.get(name, {})}) for name, given in LAYOUT.items()}
    return FileMapping(
        feed="bank_deposits", sender="S", file=FileShape(format="fixed", **(shape or {})), columns=places
    )


def line(number: str = A, name: str = "示例甲", balance: str = "000000123450", day: str = "20200620") -> bytes:
    """Two bytes a Chinese character: the name fills ten."""
    return number.encode() + name.encode("gb18030").ljust(10) + balance.encode() + day.encode()


def cast(path: Path, *lines: bytes, how: FileMapping | None = None) -> Cast:
    path.write_bytes(b"\n".join(lines) + b"\n")
    return cast_file(feed("bank_deposits"), path, as_of=None, not_after=date(2020, 6, 30), mapping=how or mapping())


def test_a_line_is_cut_by_bytes_and_its_point_put_in(tmp_path: Path) -> None:
    found = cast(tmp_path / "x.txt", line(), b"", line(B, "", "          -7", "        "))
    rows = found.accepted.select("id_number", "name", "balance_fen", "as_of", "row_no").rows()
    assert rows == [(A, "示例甲", 123_450, date(2020, 6, 20), 1)]
    # Seven fen below zero are no balance of this contract.
    assert found.quarantined.select("row_no", "reason").rows() == [(3, "negative_not_allowed")]


def test_an_amount_in_fen_without_a_point_needs_no_decimals(tmp_path: Path) -> None:
    how = mapping(balance={"decimals": None, "unit": "fen"})
    assert cast(tmp_path / "x.dat", line(balance="000000123450"), how=how).accepted["balance_fen"].to_list() == [
        123_450
    ]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (line()[:-1], "broken_row"),  # cut short
        (line(name="x示例甲乙丙", balance="00000012345"), "cut_character"),  # eleven bytes in a place of ten
        (b" " + line()[:-1], "broken_row"),  # shifted by one
        (line(balance="0000001234.5"), "not_money"),  # a point where none may be
        (line(balance="00000 123450"), "not_money"),
        (line(balance="123450      "), "broken_row"),  # stands on the other side
        (line(day="20200631"), "not_date"),
    ],
)
def test_a_line_that_does_not_fit_is_quarantined(tmp_path: Path, bad: bytes, reason: str) -> None:
    found = cast(tmp_path / "x.txt", line(B), bad)
    assert found.quarantined.select("row_no", "reason").rows() == [(2, reason)]
    assert found.accepted["id_number"].to_list() == [B]


def test_heads_and_tails_are_no_rows(tmp_path: Path) -> None:
    how = mapping({"skip_first": 1, "skip_last": 1})
    found = cast(tmp_path / "x.txt", b"H20200620", line(), line(B), b"T00000002", how=how)
    assert (found.accepted["row_no"].to_list(), found.quarantined.height) == ([2, 3], 0)


def test_the_length_of_a_line_is_checked_where_it_is_known(tmp_path: Path) -> None:
    how = mapping({"record_bytes": 50})
    found = cast(tmp_path / "x.txt", line() + b"  ", line(B) + b" ", how=how)
    assert (found.accepted["row_no"].to_list(), found.quarantined["row_no"].to_list()) == ([1], [2])


def test_blanks_may_be_cut_off_where_the_mapping_says_so(tmp_path: Path) -> None:
    short = line(day="        ").rstrip()
    assert cast(tmp_path / "x.txt", short).quarantined["reason"].to_list() == ["broken_row"]
    found = cast(tmp_path / "x.txt", short, line(B), how=mapping({"may_be_short": True}))
    assert found.accepted["as_of"].to_list() == [None, date(2020, 6, 20)]


def test_the_wrong_encoding_is_an_error_and_never_a_shift(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="not UTF-8, as the mapping says"):
        cast(tmp_path / "x.txt", line(), how=mapping({"encoding": "utf-8"}))
    # A layout for GB 18030 over UTF-8 text: three bytes a character, so the amount begins three bytes late.
    other = A.encode() + "示例甲".encode().ljust(13) + b"000000123450" + b"20200620"
    found = cast(tmp_path / "x.txt", other)
    assert found.accepted.height == 0


@given(st.binary(max_size=120))
def test_any_bytes_are_rows_quarantine_or_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "x.txt"
    try:
        found = cast(path, line(), data)
    except FeedError as error:
        assert error.where.startswith("x.txt")
        return
    assert 1 in [*found.accepted["row_no"], *found.quarantined["row_no"]]
