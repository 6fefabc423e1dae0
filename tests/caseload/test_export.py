"""The tables: complete, explained in Chinese, safe to open, and the same as CSV and as Parquet."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from meanscheck.caseload import audit, held, kept
from meanscheck.caseload.dictionary import SENSITIVITY, all_tables
from meanscheck.caseload.exporting import Exported, export
from meanscheck.caseload.writing import safe, write, write_file
from meanscheck.contracts import all_feeds
from meanscheck.errors import InputError

from .conftest import Sealed


@pytest.fixture(scope="module")
def exported(sealed: Sealed, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    found = audit(sealed.store, sealed.ledger, vault=sealed.vault)
    folder = tmp_path_factory.mktemp("export") / "tables"
    return export(sealed.store, sealed.ledger, vault=sealed.vault, folder=folder, audit=found)


def parquet(exported: Exported, name: str) -> pl.DataFrame:
    return pl.read_parquet(exported.folder / f"{name}.parquet")


def csv(exported: Exported, name: str) -> pl.DataFrame:
    return pl.read_csv(exported.folder / f"{name}.csv", infer_schema=False)


def test_every_outcome_is_there(sealed: Sealed, exported: Exported) -> None:
    outcomes = sealed.result.outcomes.collect(engine="in-memory")
    table = parquet(exported, "outcomes")
    key = ["case_id", "programme", "member", "outcome", "award_fen"]
    assert table.select(key).sort(key).equals(outcomes.select(key).sort(key))
    assert exported.rows["outcomes"] == outcomes.height
    assert exported.rows["decisions"] == 60 and exported.rows["log_entries"] == 62
    assert parquet(exported, "decisions")["verdict"].to_list() == ["equal"] * 60


def test_every_row_of_the_store_is_there(sealed: Sealed, exported: Exported) -> None:
    for feed in all_feeds():
        assert exported.rows[f"feed_{feed}"] == sealed.store.value(f"select count(*) from feed_{feed}")
    for table, source in (("requests", "requests"), ("request_persons", "unit_persons"), ("answers", "batches")):
        assert exported.rows[table] == sealed.store.value(f"select count(*) from {source}")


def test_csv_and_parquet_hold_the_same(exported: Exported) -> None:
    for name, rows in exported.rows.items():
        one, other = csv(exported, name), parquet(exported, name)
        assert one.height == other.height == rows and one.columns == other.columns, name
        back = one.with_columns(pl.all().str.replace("^'", ""))
        plain = other.with_columns(
            *(pl.col(n).dt.to_string("iso") for n, t in other.schema.items() if t == pl.Date),
            *(pl.col(n).cast(pl.String) for n, t in other.schema.items() if t in (pl.Int64, pl.Int32, pl.Boolean)),
        )
        # A text that is empty and one that is absent are the same to whoever opens a CSV file.
        assert back.with_columns(pl.all().fill_null("")).equals(plain.with_columns(pl.all().fill_null(""))), name


def test_excel_sees_utf8_and_no_formula_and_no_rounded_number(exported: Exported) -> None:
    data = (exported.folder / "request_persons.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf") and b"\r\n" in data
    numbers = csv(exported, "request_persons")["id_number"].to_list()
    assert all(re.fullmatch(r"'\d{18}|\d{17}X", n) for n in numbers)


@pytest.mark.parametrize("text", ["=1+1", "+cmd|x", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "'already", "-2+3"])
def test_what_a_spreadsheet_would_run_is_text_and_can_be_had_back(text: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({"t": [text, "plain"], "n": [-5, None]})
    assert write(tmp_path, "table", [frame, frame]) == 4
    back = pl.read_csv(tmp_path / "table.csv", schema={"t": pl.String, "n": pl.Int64})
    assert back["t"].to_list() == [f"'{text}", "plain"] * 2
    assert back["n"].to_list() == [-5, None] * 2
    assert pl.read_parquet(tmp_path / "table.parquet").equals(pl.concat([frame, frame]))


def test_plain_numbers_in_text_stay_plain() -> None:
    frame = pl.DataFrame({"t": ["-336074", "12", "440703", "true"]})
    assert safe(frame).equals(frame)


def test_the_dictionary_explains_every_column_of_every_table(exported: Exported) -> None:
    told = parquet(exported, "dictionary")
    for name in exported.rows:
        frame = parquet(exported, name)
        mine = told.filter(pl.col("table") == name)
        assert mine["column"].to_list() == frame.columns, name
        for column, kind, unit in mine.select("column", "type", "unit").iter_rows():
            dtype = frame.schema[column]
            expected = {"整数": pl.datatypes.group.INTEGER_DTYPES, "日期": {pl.Date()}, "是否": {pl.Boolean()}}.get(
                kind
            )
            assert dtype in expected if expected is not None else dtype == pl.String, (name, column)
            assert (unit == "分") == column.endswith("_fen"), (name, column)
    assert set(told["sensitivity"]) <= set(SENSITIVITY.values())
    assert all(re.search(r"[一-鿿]", zh) for zh in told["column_zh"])
    assert set(exported.rows) == set(all_tables())


def test_contents_and_rights(sealed: Sealed, exported: Exported) -> None:
    contents = json.loads((exported.folder / "contents.json").read_text(encoding="utf-8"))
    assert contents["rows"] == exported.rows and contents["batches"] == [sealed.result.batch_id]
    assert stat.S_IMODE(exported.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in exported.folder.iterdir()} == {0o600}
    assert {p.suffix for p in exported.folder.iterdir()} == {".csv", ".parquet", ".json"}


def test_an_erased_household_leaves_its_place_only(
    sealed: Sealed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        held,
        "kept",
        lambda folder, batch_id: (
            [replace(o, groups=None, salts=None, case_id=None) if o.position == 5 else o for o in block]
            for block in kept(folder, batch_id)
        ),
    )
    done = export(sealed.store, sealed.ledger, vault=sealed.vault, folder=tmp_path / "tables")
    (row,) = parquet(done, "decisions").filter(pl.col("position") == 5).iter_rows(named=True)
    assert row["verdict"] == "erased" and row["case_id"] is None and row["index"] == 6
    assert 6 not in parquet(done, "outcomes")["index"]


def test_a_folder_that_is_in_use_is_left_alone(sealed: Sealed, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(InputError, match="not empty"):
        export(sealed.store, sealed.ledger, vault=sealed.vault, folder=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_a_table_by_itself_is_as_safe_to_open(tmp_path: Path) -> None:
    frame = pl.DataFrame({"case": ["=1+1", "007"], "cite": [["甲", "乙"], []]})
    for name in ("one.csv", "one.parquet"):
        (tmp_path / name).touch(mode=0o644)
        write_file(frame, tmp_path / name)
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert (tmp_path / "one.csv").read_bytes().decode("utf-8-sig") == "case,cite\r\n'=1+1,甲; 乙\r\n'007,\"\"\r\n"
    assert pl.read_parquet(tmp_path / "one.parquet").equals(frame)
