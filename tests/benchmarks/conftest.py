"""A small county, measured once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import measured
from benchmarks.measure import Measured

HOUSEHOLDS = 300
STAGES = (
    *("synth", "ingest", "project", "peer", "pool-plain", "plain", "pool-small", "parts", "whole-small", "agreement"),
    *("whole", "pool", "seal", "verify"),
)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the small county."""
    return tmp_path_factory.mktemp("work") / str(HOUSEHOLDS)


@pytest.fixture(scope="session")
def results(place: Path) -> dict[str, Measured]:
    """Every stage that a ratio needs, each in a process of its own."""
    return measured(place, HOUSEHOLDS, stages=STAGES, reuse=False)
