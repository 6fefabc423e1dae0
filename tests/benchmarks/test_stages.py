"""What the benchmarks measure is the whole work, and both sides do it on the same evidence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from benchmarks import measure, table
from benchmarks.__main__ import measured
from benchmarks.aside import put_aside, sweep
from benchmarks.measure import Measured
from meanscheck.decisions.record import GROUPS

HOUSEHOLDS = 300


def test_the_hand_written_pipeline_makes_our_records_byte_for_byte(results: dict[str, Measured]) -> None:
    counts = results["agreement"].counts
    assert counts["equal"] == counts["households"] == HOUSEHOLDS
    assert counts["records_root"]
    assert results["peer"].counts["records_root"] == results["whole-small"].counts["records_root"]
    assert results["peer"].counts["outcomes"] == results["whole-small"].counts["outcomes"]
    # Of everything there is something, or the agreement says little.
    assert set(results["peer"].counts["outcomes"]["dibao"]) == {"eligible", "ineligible", "refer"}
    assert counts["bounds"] > 0
    assert counts["refers"] > HOUSEHOLDS // 10


def test_under_our_salts_the_hand_written_leaves_and_log_are_ours(results: dict[str, Measured]) -> None:
    counts = results["agreement"].counts
    assert counts["leaves"] == HOUSEHOLDS
    assert counts["batch_root"]
    assert counts["log_root"]


def test_a_changed_record_of_the_peer_is_seen(place: Path, results: dict[str, Measured]) -> None:
    (file,) = (place / "peer").glob("records-*.parquet")
    kept = file.read_bytes()
    frame = pl.read_parquet(file)
    changed = pl.Series("result", ["{}"]).append(frame["result"].slice(1))
    frame.with_columns(changed).write_parquet(file)
    try:
        counts = measure.run("agreement", place, HOUSEHOLDS).counts
    finally:
        file.write_bytes(kept)
    assert counts["equal"] == counts["leaves"] == HOUSEHOLDS - 1
    assert counts["groups"]["result"] == 1
    assert not counts["records_root"] and not counts["batch_root"] and not counts["log_root"]


def test_the_peers_files_need_not_be_our_blocks(place: Path, results: dict[str, Measured]) -> None:
    (file,) = (place / "peer").glob("records-*.parquet")
    kept = file.read_bytes()
    frame = pl.read_parquet(file)
    other = file.with_stem("records-00001")
    try:
        frame.head(70).write_parquet(file)
        frame.slice(70).write_parquet(other)
        assert measure.run("agreement", place, HOUSEHOLDS).counts == results["agreement"].counts
        for rest in (frame.slice(80), frame.slice(60)):  # fewer than ours, and more
            rest.write_parquet(other)
            with pytest.raises(RuntimeError, match="agreement failed"):
                measure.run("agreement", place, HOUSEHOLDS)
    finally:
        other.unlink()
        file.write_bytes(kept)


def test_no_costly_part_is_left_out_of_evidence_to_sealed(results: dict[str, Measured]) -> None:
    parts = results["parts"].parts
    for part in ("pull", "facts", "rules", "causes", "records", "files", "commitments", "leaves", "tree", "tiles"):
        assert parts[part][0] > 0, part
    assert results["whole"].counts["units"] == results["peer"].counts["units"] == HOUSEHOLDS


def test_every_part_of_the_comparison_is_told_on_both_sides(results: dict[str, Measured]) -> None:
    told = [{label for pair in (*table.PAIRS, *table.APART) for label in pair[side]} for side in (1, 2)]
    for stage, labels in (("parts", told[0]), ("peer", told[1])):
        assert set(results[stage].parts) - table.UNCOUNTED <= labels, stage


def test_two_processes_make_the_records_of_one(results: dict[str, Measured]) -> None:
    assert results["pool"].counts["records_root"] == results["whole"].counts["records_root"]
    assert results["pool"].counts["units"] == HOUSEHOLDS


def test_plain_files_hold_the_records_that_the_comparison_is_about(place: Path, results: dict[str, Measured]) -> None:
    roots = {results[stage].counts["records_root"] for stage in ("parts", "plain", "pool-plain", "whole-small", "peer")}
    assert len(roots) == 1
    ours, theirs = (
        pl.concat([pl.read_parquet(file) for file in sorted(folder.rglob("records-*.parquet"))])
        for folder in (place / "plain" / "vault", place / "peer")
    )
    assert ours.height == HOUSEHOLDS
    names = ["case_id", "token", *GROUPS]
    assert ours.select(names).equals(theirs.select(names))


def test_each_measurement_has_its_own_peak_of_memory(results: dict[str, Measured]) -> None:
    assert all(30 < m.peak_mib < 2000 for m in results.values())
    # Receipts need neither the store nor its rows: less than the run that made them.
    assert results["verify"].peak_mib < results["whole"].peak_mib


def test_what_was_prepared_is_used_again_and_marked(place: Path, results: dict[str, Measured]) -> None:
    again = measured(place, HOUSEHOLDS, stages=("synth", "ingest", "project", "seal"), reuse=True)
    assert [name for name, m in again.items() if m.is_reused] == ["synth", "ingest", "project"]
    assert again["ingest"].wall == results["ingest"].wall
    assert again["seal"].counts == results["seal"].counts


def test_a_failed_measurement_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="measurement of verify failed"):
        measure.run("verify", tmp_path, 1)


def test_the_parent_imports_nothing_large() -> None:
    code = "import sys, benchmarks.__main__; print(*sorted({'polars', 'duckdb', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=measure.ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_what_an_earlier_run_made_is_put_aside_and_swept_at_the_end(tmp_path: Path) -> None:
    for run in ("first", "second"):
        log = tmp_path / "100" / "ledger"
        log.mkdir(parents=True)
        (log / "checkpoint").write_text(run)
        put_aside(log, tmp_path / "100" / "not there")
        assert not log.exists()
    kept = tmp_path / "100" / "county.duckdb"
    kept.touch()
    assert {f.read_text() for f in tmp_path.rglob("checkpoint")} == {"first", "second"}
    sweep(tmp_path)
    assert [*tmp_path.rglob("*")] == [kept.parent, kept]


def test_seconds_of_a_process_that_still_runs_count() -> None:
    busy = "import time\nwhile time.process_time() < 0.4: pass\nprint('done', flush=True)\ninput()"
    before = measure.cpu_seconds()
    with subprocess.Popen([sys.executable, "-c", busy], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline()
        assert measure.cpu_seconds() - before > 0.3
        child.communicate(b"\n")
    assert measure.cpu_seconds() - before > 0.3
