"""A large file is read in parts: the same rows, the same things set aside and passed over, as in one."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from contracts.formats.legal import resident
from meanscheck.contracts import bounds, csv_text, feed, readers
from meanscheck.contracts.mapping import FileMapping
from meanscheck.contracts.named import FileRows
from meanscheck.contracts.readers import read_parts, read_rows
from meanscheck.errors import FeedError

MAPPING = FileMapping.model_validate(
    {
        "feed": "bank_deposits",
        "sender": "S",
        "columns": {"id_number": {"from": "证件号码"}, "balance": {"from": "余额"}, "account_kind": {"from": "种类",
                    "codes": {"1": "current"}}},
    }
)  # fmt: skip


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "WHOLE", 10)
    monkeypatch.setattr(readers, "PART", 7)
    monkeypatch.setattr(csv_text, "_BLOCK", 300)


def sent(folder: Path, *, encoding: str = "utf-8", end: str = "") -> Path:
    path = folder / "x.csv"
    rows = "".join(f'="{resident(n)}",{n}.00,{n % 9 or 9 if n == 20 else 1}\n' for n in range(40))
    path.write_bytes(f"单位：万元\n证件号码,余额,种类\n{rows}合计,780.00,\n{end}".encode(encoding))
    return path


def together(parts: list[FileRows]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    rows, broken, passed = ([getattr(part, name) for part in parts] for name in ("rows", "broken", "passed"))
    return pl.concat(rows), pl.concat(broken).sort("row_no"), pl.concat(passed).sort("row_no")


@pytest.mark.parametrize("mapping", [None, MAPPING])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_parts_are_the_whole(tmp_path: Path, encoding: str, mapping: FileMapping | None) -> None:
    path = sent(tmp_path, encoding=encoding)
    parts = list(read_parts(feed("bank_deposits"), path, mapping=mapping))
    whole = read_rows(feed("bank_deposits"), path, mapping=mapping)
    assert len(parts) > 2
    for found, one in zip(together(parts), (whole.rows, whole.broken, whole.passed), strict=True):
        assert found.equals(one)
    assert {part.units["balance"] for part in parts} == {whole.units["balance"]} == {"wan_yuan"}
    assert together(parts)[2]["kind"].to_list() == ["total"]


def test_a_note_at_the_end_that_states_another_unit_refuses_the_file(tmp_path: Path) -> None:
    path = sent(tmp_path, end="注：金额单位为元,,\n")
    with pytest.raises(FeedError, match=r"two units of money|another unit"):
        list(read_parts(feed("bank_deposits"), path))
    path.write_text(path.read_text(encoding="utf-8").replace("单位：万元\n", ""), encoding="utf-8")
    assert list(read_parts(feed("bank_deposits"), path))


def test_a_parquet_file_in_parts_is_read_by_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    numbers = [resident(n) for n in range(40)]
    pl.DataFrame({"证件号码": numbers, "余额": range(40), "种类": ["1"] * 39 + ["x"]}).write_parquet(path)
    parts = list(read_parts(feed("bank_deposits"), path, mapping=MAPPING))
    rows, broken, _ = together(parts)
    assert rows["row_no"].to_list() == list(range(1, 40))
    assert broken.select("row_no", "reason").rows() == [(40, "unmapped_code")]


def test_a_file_of_few_long_lines_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "WHOLE", 1_000)
    path = sent(tmp_path)
    assert len(list(read_parts(feed("bank_deposits"), path))) == 1
    monkeypatch.setattr(readers, "MAX_WHOLE", path.stat().st_size - 1)
    parts = list(read_parts(feed("bank_deposits"), path))
    whole = read_rows(feed("bank_deposits"), path)
    assert len(parts) > 2
    assert together(parts)[0].equals(whole.rows)


def test_a_line_too_long_for_memory_refuses_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_text, "MAX_WHOLE", 2_000)
    path = sent(tmp_path, end="甲" * 1_000 + "\n")
    with pytest.raises(FeedError, match="a line longer than"):
        list(read_parts(feed("bank_deposits"), path))


def test_a_file_that_must_be_held_whole_is_refused_beyond_what_memory_is_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MAX_WHOLE", 100)
    path = tmp_path / "x.jsonl"
    path.write_text(f'{{"id_number": "{resident(1)}", "balance": "1.00"}}\n' * 3, encoding="utf-8")
    fixed = FileMapping.model_validate(
        {
            "feed": "bank_deposits",
            "sender": "S",
            "file": {"format": "fixed"},
            "columns": {"id_number": {"start": 1, "length": 18}, "balance": {"start": 19, "length": 10}},
        }
    )
    text = tmp_path / "x.txt"
    text.write_text(f"{resident(1)}      1.00\n" * 4, encoding="ascii")
    for found, mapping in ((path, None), (text, fixed)):
        with pytest.raises(FeedError, match="held in memory whole") as caught:
            list(read_parts(feed("bank_deposits"), found, mapping=mapping))
        assert caught.value.where == found.name
        assert "Parquet" in caught.value.remedy
