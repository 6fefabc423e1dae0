"""Clock and table: exclusive seconds, and ratios of what is beside each other."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks import table
from benchmarks.clock import Clock
from benchmarks.measure import Measured
from benchmarks.peer.sealing import tree_root


def measurement(stage: str, parts: dict[str, tuple[float, float]], **counts: object) -> Measured:
    return Measured(stage, 100, 1.0, 1.0, 200.0, parts, {"units": 100, **counts})


def test_a_second_counts_for_the_innermost_label_only() -> None:
    clock = Clock()
    with clock("outer"):
        time.sleep(0.02)
        with clock("inner"):
            time.sleep(0.05)
    parts = clock.stop()
    assert 0.02 <= parts["outer"][0] < 0.05 <= parts["inner"][0]


def test_causes_keep_what_is_inside_them() -> None:
    clock = Clock()
    with clock("causes"), clock("facts"):
        time.sleep(0.01)
    assert set(clock.stop()) == {"rest", "causes"}


def test_what_another_thread_does_meanwhile_has_no_label_of_its_own() -> None:
    clock = Clock()

    class Room:
        @staticmethod
        def read() -> None:
            time.sleep(0.05)

    with clock.watch((Room, "read", "pull")), ThreadPoolExecutor(1) as thread:
        with clock("files"):
            thread.submit(Room.read).result()
        Room.read()
    parts = clock.stop()
    assert parts["files"][0] >= 0.05 and 0.05 <= parts["pull"][0] < 0.1


def test_a_watched_function_is_itself_again_afterwards() -> None:
    class Room:
        def work(self) -> int:
            return 7

    original, clock = Room.work, Clock()
    with clock.watch((Room, "work", "work")):
        assert Room().work() == 7
        assert Room.work is not original
    assert Room.work is original
    assert "work" in clock.stop()


def test_ratios_are_ours_over_theirs_and_preparation_does_not_count() -> None:
    ours = measurement(
        "parts",
        {"pull": (1.0, 2.0), "facts": (2.0, 2.0), "records": (1.0, 1.0), "preparation": (9.0, 9.0)},
        record_bytes=10,
    )
    theirs = measurement("peer", {"facts": (2.0, 1.0), "records": (0.5, 0.5)}, record_bytes=5)
    text = "\n".join(table.section(100, {"parts": ours, "peer": theirs}))
    assert "| facts | 3.00 | 2.00 | 1.50 | 4.00 | 1.00 | 4.00 |" in text
    assert "| all of these | 4.00 | 2.50 | 1.60 | 5.00 | 1.50 | 3.33 |" in text
    assert "9.00" not in text


def test_a_measurement_of_an_earlier_run_is_marked() -> None:
    kept = Measured("project", 100, 2.0, 2.0, 50.0, {"build": (2.0, 2.0)}, {"rows": 1000}, is_reused=True)
    assert "(earlier run) | 2.00 | 2.00 | 50 | 500 rows/s |" in "\n".join(table.section(100, {"project": kept}))


@pytest.mark.parametrize("leaves", range(9))
def test_the_peers_tree_is_that_of_rfc_6962(leaves: int) -> None:
    from meanscheck.ledger import merkle

    hashes = [merkle.leaf_hash(bytes([i])) for i in range(leaves)]
    assert tree_root(hashes) == merkle.root(b"".join(hashes))


def test_whole_runs_stand_beside_the_whole_of_the_other() -> None:
    ours = measurement("parts", {"facts": (1.0, 1.0)})
    plain = measurement("pool-plain", {"rest": (3.0, 6.0), "preparation": (9.0, 9.0)})
    theirs = measurement("peer", {"facts": (4.0, 4.0), "files": (2.0, 2.0)}, record_bytes=5)
    text = "\n".join(table.section(100, {"parts": ours, "pool-plain": plain, "peer": theirs}))
    assert "ours by two processes | 3.00 | 6.00 | 0.50 | 6.00 | 6.00 | 1.00 |" in text


def test_files_and_tiles_stand_apart_from_the_ratio_of_the_whole() -> None:
    ours = measurement("parts", {"facts": (2.0, 2.0), "files": (7.0, 7.0), "tiles": (3.0, 3.0)}, record_bytes=5)
    theirs = measurement("peer", {"facts": (1.0, 1.0), "files": (4.0, 4.0)}, record_bytes=5)
    text = "\n".join(table.section(100, {"parts": ours, "peer": theirs}))
    assert "| all of these | 2.00 | 1.00 | 2.00 | 2.00 | 1.00 | 2.00 |" in text
    assert "files: ours sealed, the peer's plain | 7.00 | 4.00 |  |" in text
    assert "tiles and checkpoints of the log | 3.00 | – |  |" in text
