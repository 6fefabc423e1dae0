"""Provinces are sealed into one log one after the other, and a run broken off is taken up after the last one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import roll, steady
from benchmarks.measure import Measured

HOUSEHOLDS = 300
COPIES = 2
OPENED_AND_CLOSED = 2
"""Entries of the log beside the decisions of a batch."""


def test_each_province_is_decided_sealed_and_replayed_under_names_of_its_own(
    place: Path, results: dict[str, Measured], tmp_path: Path
) -> None:
    assert results["project"].counts["rows"] > 0
    rows = tmp_path / "roll.json"

    def run(provinces: int) -> None:
        arguments = [str(place), str(tmp_path / "roll"), "--rows", str(rows), "--copies", str(COPIES)]
        assert roll.main([*arguments, "--provinces", str(provinces), "--processes", "1"]) == 0

    run(1)
    first = rows.read_text()
    run(2)
    assert rows.read_text().startswith(first)
    done = [json.loads(line) for line in rows.read_text().splitlines()]
    assert [row["households"] for row in done] == [COPIES * HOUSEHOLDS] * 2
    assert [row["replayed"] for row in done] == [HOUSEHOLDS] * 2
    assert [row["log"] for row in done] == [n * (COPIES * HOUSEHOLDS + OPENED_AND_CLOSED) for n in (1, 2)]
    first_batch, second = ({path.name for path in (tmp_path / "roll" / n / "vault").iterdir()} for n in ("01", "02"))
    assert first_batch and first_batch.isdisjoint(second)


def test_counties_are_worked_off_one_after_the_other_by_one_engine(
    place: Path, results: dict[str, Measured], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert results["project"].counts["rows"] > 0
    arguments = [str(place), str(place), "--work", str(tmp_path / "steady"), "--processes", "1"]
    assert steady.main(arguments) == 0
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[1].strip() for row in rows] == [str(HOUSEHOLDS)] * 2
    assert all(float(cell) > 0 for row in rows for cell in row[2:5])
