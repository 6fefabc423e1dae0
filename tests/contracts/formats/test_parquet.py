"""A Parquet file is read exactly, and a damaged one is refused: no byte of it ends the process, none is believed."""

from __future__ import annotations

import base64
import datetime as dt
import io
import os
from dataclasses import replace
from pathlib import Path
from random import Random

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from contracts.formats.legal import resident
from meanscheck.contracts import feed, parquet
from meanscheck.contracts.parquet import opened_parquet
from meanscheck.contracts.readers import cast_file
from meanscheck.errors import FeedError

ENDS_POLARS = base64.b85decode(
    "P(e~L6$BLu6$(rh0u=xN009610C*Ju6%Z8=EERth5ETX$1^@s8000032LJ;V3>h^51`rt-329_sZgp*9WpWh&77P|v7FH%KCI|o-92P7UG8O;;02Kl"
    "mEJy@$Z*O!J0ss{ZB?1@;X=Gn+b!}p0awPyv8~^|S77Q6285|~p0UQ+!88rX~5E&Q=X=Gn+b!}p0auom;3>H=vRwgVa2mltI0TmPg7FHGvCI}W*6aWA"
    "j92g8iQc_P>I&))aWo=;?qyaB4FE1}MNkKtDK}A79K|wfnFE1~6Q9(gLK}A79ML|J9K}$hFb3sEvK}$hFQ9&zEFE1~5cR@ixK}kVDXF)+hK}A79ML|"
    "J9K}A79K|wcAFE1~7cR@ixL1#fhK|x1BK|w)5MO8sTK~X_MNkKwEK~X_MML|PBK|w)5cR@ixK|w)KdM__8I7LB0Q9(mdK|w)BY-?CDH8EmWN^E0iK|K"
    "H%PEc=bVRCaIC~$dnXm4&QAa-SPb7^mGATlm7E-)Y{Vs&Y3WFR+YIWRI}WHV-FWHL8qW;ilrF*GtaIAJh3VKO;2W@a*GH(_ODIWj3392@`u0BivO08"
    "l|vF#"
)
"""By Polars 2.1: three "x" and three empty cells. One byte of a page was changed, and Polars asks for 2^61 bytes."""

EXACT = {
    "text": pl.Series(["甲", None, "", "x" * 40]),
    "int8": pl.Series([1, -2, None, 3], dtype=pl.Int8),
    "int64": pl.Series([1, -2, None, 2**62]),
    "uint64": pl.Series([1, 2, None, 2**64 - 1], dtype=pl.UInt64),
    "float": pl.Series([1.5, -2.0, None, 0.0]),
    "bool": pl.Series([True, False, None, True]),
    "date": pl.Series([dt.date(2020, 1, 1), None, dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
    "time": pl.Series([dt.time(1, 2, 3)] * 4),
    "datetime": pl.Series([dt.datetime(2020, 1, 1, 3)] * 4),
    "decimal": pl.Series(["1.50", None, "2.25", "3"]).cast(pl.Decimal(12, 2)),
    "decimal38": pl.Series(["1.50", None, "2.25", "3"]).cast(pl.Decimal(38, 2)),
    "nothing": pl.Series([None] * 4),
}
INEXACT = {
    "binary": pl.Series([b"a", b"\xff", None, b""]),
    "list": pl.Series([["a"], [], None, [None]]),
    "dates": pl.Series([[dt.date(2020, 1, 1)]] * 4),
    "decimals": pl.Series([["1.50"]] * 4).cast(pl.List(pl.Decimal(12, 2))),
    "struct": pl.Series([{"a": 1, 'b "x"': "y"}, {"a": None}, None, {"a": 4}]),
}


def written(frame: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()


def whole(source: Path | bytes) -> tuple[tuple[str, ...], pl.DataFrame]:
    with opened_parquet(source, where="x") as file:
        return file.headers, file.cells(0, file.rows)


@pytest.mark.parametrize("name", EXACT)
def test_a_column_keeps_type_and_values(name: str) -> None:
    headers, cells = whole(written(pl.DataFrame({name: EXACT[name]})))
    assert headers == (name,)
    assert_frame_equal(cells, pl.DataFrame({"c0": EXACT[name]}))


@pytest.mark.parametrize("name", INEXACT)
def test_what_holds_nothing_exactly_is_bytes_and_not_read(name: str) -> None:
    headers, cells = whole(written(pl.DataFrame({"x": EXACT["text"], name: INEXACT[name]})))
    assert headers == ("x", name)
    assert cells.dtypes[1] == pl.Binary
    assert cells["c1"].null_count() == 4
    assert cells["c0"].equals(EXACT["text"])


def test_a_word_kept_once_and_meant_a_thousand_times_is_counted_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = written(pl.DataFrame({"n": range(1_000), "x": pl.Series(["甲" * 1_000] * 1_000, dtype=pl.Categorical)}))
    assert len(data) < 20_000
    for most, is_refused in ((3_000_000, False), (2_999_999, True)):
        monkeypatch.setattr(parquet, "MAX_TEXT", most)
        with opened_parquet(data, where="x") as file:
            assert file.cells(0, 999).height == 999
            if is_refused:
                with pytest.raises(FeedError, match="of text in 1,000 rows"):
                    file.cells(0, 1_000)
            else:
                assert file.cells(0, 1_000).height == 1_000


def test_a_day_that_depends_on_a_zone_stays_known_as_one() -> None:
    for zone in ("UTC", "Asia/Shanghai"):
        kind = whole(written(pl.DataFrame({"x": EXACT["datetime"].dt.replace_time_zone(zone)})))[1].dtypes[0]
        assert isinstance(kind, pl.Datetime)
        assert kind.time_zone is not None


def test_all_columns_together_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(written(pl.DataFrame(EXACT)))
    with opened_parquet(path, where="x") as file:
        assert file.headers == tuple(EXACT)
        parts = [file.cells(first, 3) for first in (0, 3)]
    assert [part.height for part in parts] == [3, 1]
    assert_frame_equal(pl.concat(parts), pl.DataFrame({f"c{at}": s for at, s in enumerate(EXACT.values())}))


def test_words_of_a_list_are_text() -> None:
    for kind in (pl.Categorical, pl.Enum(["a", "b"])):
        assert whole(written(pl.DataFrame({"x": pl.Series(["a", None, "b"], dtype=kind)})))[1]["c0"].to_list() == [
            "a",
            None,
            "b",
        ]


def test_headers_are_those_written_however_alike() -> None:
    names = ("A", "a", "", 'q"x', "list", "余额")
    frame = pl.DataFrame({name: [{"a": [at], "b": None}] if name == "list" else [at] for at, name in enumerate(names)})
    headers, cells = whole(written(frame))
    assert headers == names
    assert cells["c5"].to_list() == [5]


@pytest.mark.parametrize("name", ["a[1].parquet", "b*.parquet", "c?.parquet", "it's.parquet", "{d,e}.parquet"])
def test_a_name_is_one_file_and_no_pattern(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "year=2020"
    folder.mkdir()
    for other, values in ((name, ["own"]), ("a1.parquet", ["x"]), ("b1.parquet", ["x"]), ("c1.parquet", ["x"])):
        (folder / other).write_bytes(written(pl.DataFrame({"x": values})))
    headers, cells = whole(folder / name)
    assert headers == ("x",)
    assert cells["c0"].to_list() == ["own"]


def test_bytes_are_read_where_memory_has_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    assert whole(written(pl.DataFrame({"x": [1]})))[1]["c0"].to_list() == [1]


@pytest.mark.parametrize("rows", [2, 4])
def test_rows_that_are_not_as_many_as_the_file_says_refuse_it(rows: int) -> None:
    with opened_parquet(written(pl.DataFrame({"x": [1, 2, 3]})), where="x") as file:
        said = replace(file, rows=rows, _where="x.parquet")
        with pytest.raises(FeedError, match="cut short") as caught:
            said.cells(0, 10)
    assert caught.value.where == "x.parquet"


def test_a_page_at_which_polars_ends_the_process() -> None:
    assert whole(ENDS_POLARS)[0] == ("id_number",)


@given(seed=st.integers(0, 10**9))
def test_whatever_bytes_are_changed_the_file_is_read_or_refused(seed: int) -> None:
    chance = Random(seed)
    data = bytearray(written(pl.DataFrame({**EXACT, **INEXACT})))
    for _ in range(chance.choice((1, 1, 4))):
        data[chance.randrange(len(data))] = chance.choice((0, 127, 128, 255, chance.randrange(256)))
    try:
        headers, cells = whole(bytes(data[: chance.choice((len(data), len(data), chance.randrange(len(data)))) or 1]))
    except FeedError as fault:
        assert fault.where == "x"
    else:
        assert cells.columns == [f"c{at}" for at in range(len(headers))]


def test_a_kind_that_only_the_database_knows_is_no_empty_text(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy (select gen_random_uuid() as u, '{{}}'::json as j) to '{path}'")
    assert whole(path)[1].dtypes[0] == pl.Binary


@pytest.mark.parametrize("name", INEXACT)
def test_a_feed_that_needs_such_a_column_is_refused_for_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.parquet"
    frame = pl.DataFrame({"id_number": [resident(n) for n in range(4)], "balance": INEXACT[name]})
    frame.write_parquet(path)
    with pytest.raises(FeedError, match="column balance is of type"):
        cast_file(feed("bank_deposits"), path, as_of=dt.date(2020, 6, 20), not_after=dt.date(2020, 6, 30))
    frame.with_columns(balance=pl.lit("1.00"), other=INEXACT[name]).write_parquet(path)
    found = cast_file(feed("bank_deposits"), path, as_of=dt.date(2020, 6, 20), not_after=dt.date(2020, 6, 30))
    assert found.accepted.height == 4


def test_groups_of_rows_that_do_not_add_up_to_the_file_refuse_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data = written(pl.DataFrame({"x": [1, 2, 3]}))
    monkeypatch.setattr(parquet, "_GROUPS", "select num_rows + 1 from parquet_file_metadata(?)")
    with pytest.raises(FeedError, match="cut short"):
        whole(data)
