"""Blocks and processes fit into the memory that there is, whoever limits it."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meanscheck.decisions.kernel import even_blocks
from meanscheck.engines import Room, room
from meanscheck.engines.room import A_BLOCK, A_PROCESS, A_UNIT, SIZES
from meanscheck.evidence.memory import GIB, database_memory, free_memory

MEMINFO = "MemTotal:       24000000 kB\nMemFree:          100 kB\nMemAvailable:   8000000 kB\n"
MACHINE = 8_000_000 * 1024


def system(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def second(folder: str, *, limit: str, used: int, files: int) -> dict[str, str]:
    return {
        f"sys/fs/cgroup{folder}/memory.max": f"{limit}\n",
        f"sys/fs/cgroup{folder}/memory.current": f"{used}\n",
        f"sys/fs/cgroup{folder}/memory.stat": f"anon 5\ninactive_file {files}\nactive_file 7\n",
    }


def test_examples_are_true() -> None:
    assert doctest.testmod(room).failed == 0


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"proc/meminfo": MEMINFO}, MACHINE),
        # No limit: the machine's own.
        ({"proc/meminfo": MEMINFO, "proc/self/cgroup": "0::/\n", **second("", limit="max", used=1, files=0)}, MACHINE),
        # A container sees its own group as the top: 2 GiB, of which 1 is used, 0.25 of that by files.
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/\n",
                **second("", limit=str(2 * GIB), used=GIB, files=GIB // 4),
            },
            2 * GIB - GIB + GIB // 4,
        ),
        # The group around one's own has less left.
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/office/night\n",
                **second("/office/night", limit=str(4 * GIB), used=GIB, files=0),
                **second("/office", limit=str(4 * GIB), used=3 * GIB, files=0),
            },
            GIB,
        ),
        # The first version, among other kinds of groups.
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "9:name=systemd:/\n4:memory:/job\n3:cpuset:/\n",
                "sys/fs/cgroup/memory/job/memory.limit_in_bytes": f"{3 * GIB}\n",
                "sys/fs/cgroup/memory/job/memory.usage_in_bytes": f"{2 * GIB}\n",
                "sys/fs/cgroup/memory/job/memory.stat": f"cache 1\ntotal_inactive_file {GIB // 2}\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{5 * GIB}\n",
            },
            GIB + GIB // 2,
        ),
        # More is used than is allowed.
        (
            {"proc/self/cgroup": "0::/\n", **second("", limit=str(GIB), used=2 * GIB, files=0)},
            0,
        ),
    ],
)
def test_what_may_be_used_is_the_least_that_anybody_leaves(
    tmp_path: Path, files: dict[str, str], expected: int | None
) -> None:
    assert free_memory(system=system(tmp_path, files)) == expected


def pace(size: int, count: int) -> float:
    return count * size / (size + A_BLOCK)


def bytes_of(units: int, size: int, count: int) -> int:
    return count * (A_PROCESS + A_UNIT * min(size, units))


@given(st.integers(0, 64 * GIB), st.integers(1, 64), st.integers(0, 40_000_000))
@example(10 * GIB, 64, 1_000_000)
@example(3 * GIB, 8, 1_000_000)
def test_what_fits_fits_and_is_the_fastest_or_the_least_there_is(memory: int, processors: int, units: int) -> None:
    found = Room.of(memory, processors=processors, units=units)
    takes = bytes_of(units, found.block_units, found.processes)
    assert 1 <= found.processes <= processors
    assert takes <= memory or found == Room(SIZES[-1], 1)
    for count in range(1, min(processors, max(-(-units // SIZES[0]), 1)) + 1):
        for size in SIZES:
            if bytes_of(units, size, count) <= memory:
                assert pace(size, count) <= pace(found.block_units, found.processes)
    larger = Room.of(memory + GIB, processors=processors, units=units)
    assert pace(larger.block_units, larger.processes) >= pace(found.block_units, found.processes)


@pytest.mark.parametrize(("units", "size"), [(1_000, 25_600), (25_600, 25_600), (1_000_000, 25_600), (20_000, 3_200)])
def test_what_just_fits_fits_and_a_small_caseload_takes_no_more_than_its_cases(units: int, size: int) -> None:
    memory = bytes_of(units, size, 1)
    assert Room.of(memory, processors=1, units=units) == Room(size, 1)
    # With a byte less the least there is stays, whether it fits or not.
    assert (Room.of(memory - 1, processors=1, units=units) == Room(size, 1)) == (size == SIZES[-1])


@given(st.integers(0, 64 * GIB), st.integers(1, 64), st.integers(1, 60_000), st.integers(0, 40_000_000))
def test_what_was_asked_for_is_kept_and_the_other_fits_or_is_the_least(
    memory: int, processes: int, size: int, units: int
) -> None:
    found = Room.of(memory, processors=4, units=units, processes=processes)
    assert found.processes == processes
    assert bytes_of(units, found.block_units, processes) <= memory or found.block_units == SIZES[-1]
    found = Room.of(memory, processors=4, units=units, block_units=size)
    assert found.block_units == size
    assert bytes_of(units, size, found.processes) <= memory or found.processes == 1
    assert Room.of(memory, processors=4, units=units, processes=processes, block_units=size) == Room(size, processes)


def test_what_was_measured_fits_into_what_is_reckoned_with() -> None:
    # MiB of all processes at 100 000 units, and of ten million by two in blocks of the largest size.
    of_one = dict(zip(SIZES, (1_082, 739, 538, 441), strict=True))
    of_two = dict(zip(SIZES, (2_521, 1_549, 1_163, 957), strict=True))
    for count, measured in ((1, of_one), (2, of_two)):
        for size, peak in measured.items():
            assert 1.1 < count * (A_PROCESS + A_UNIT * size) / 2**20 / peak < 1.45


@given(st.integers(1, 64), st.integers(0, 40_000_000))
def test_without_a_limit_nothing_is_held_back(processors: int, units: int) -> None:
    blocks = max(-(-units // SIZES[0]), 1)
    assert Room.of(None, processors=processors, units=units) == Room(SIZES[0], min(processors, blocks))


@pytest.mark.parametrize(
    ("size", "free", "expected"),
    [
        (0, None, 2 * GIB),
        (0, 16 * GIB, 2 * GIB),
        (15 * GIB, 16 * GIB, 5 * GIB),
        (15 * GIB, 6 * GIB, 3 * GIB),
        (0, GIB, GIB // 2),
        (0, 0, GIB // 4),
    ],
)
def test_the_database_takes_more_for_a_larger_store_and_half_of_what_is_free(
    size: int, free: int | None, expected: int
) -> None:
    assert database_memory(size, free) == expected


@given(units=st.integers(1, 3_000_000), at_most=st.integers(1, 60_000), at_once=st.integers(0, 64))
def test_blocks_are_no_larger_than_asked_and_as_many_for_each_process(units: int, at_most: int, at_once: int) -> None:
    size = even_blocks(units, at_most=at_most, at_once=at_once)
    at_once = max(at_once, 1)
    assert 0 < size <= at_most
    if units <= at_most:
        assert size == at_most  # one block
    else:
        blocks, least = -(-units // size), -(-units // at_most)
        busiest = -(-blocks // at_once) * size
        # Its fair share, and at most one unit more for each of its blocks.
        assert busiest * at_once < units + least + at_once
        assert blocks >= least


def test_blocks_of_a_county_and_of_a_province() -> None:
    # 100 000 / 25 600 are four blocks, and two processes take two each; 60 000 would be three, so they are four.
    assert even_blocks(100_000, at_most=25_600, at_once=2) == 25_000
    assert even_blocks(60_000, at_most=25_600, at_once=2) == 15_000
    assert even_blocks(60_000, at_most=25_600, at_once=1) == 20_000
    # 430 of 25 600 hold 11 008 000.
    assert even_blocks(11_000_000, at_most=25_600, at_once=2) == 25_582
