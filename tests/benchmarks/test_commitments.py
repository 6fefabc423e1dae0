"""The cost of commitments is measured on records of the stated size, and every stage gives a line."""

from __future__ import annotations

import json

import pytest

from benchmarks import commitments
from benchmarks.commitments import Columns, small_record


def test_the_small_record_has_seven_canonical_groups_of_about_832_bytes() -> None:
    from meanscheck.ledger import GROUPS, canonical

    record = small_record(123)
    assert len(record) == len(GROUPS)
    assert all(canonical.format(json.loads(text)) == text for text in record)
    assert 825 <= Columns.made(2_000).record_bytes <= 840


@pytest.mark.parametrize("stage", ["commit-grouped", "commit-whole"])
def test_a_stage_gives_a_line_with_its_decisions(stage: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert commitments.main(["--decisions", "300", "--stages", stage]) == 0
    cells = capsys.readouterr().out.splitlines()[-1].strip("| ").split(" | ")
    assert cells[0].startswith(f"{stage}, 8")
    assert cells[1] == "300"
    assert float(cells[2]) > 0
    assert "commitments" in cells[5]


def test_a_receipt_is_verified_in_fresh_processes(capsys: pytest.CaptureFixture[str]) -> None:
    assert commitments.main(["--decisions", "50", "--stages", "commit-receipt"]) == 0
    assert "ms import" in capsys.readouterr().out.splitlines()[-1]
