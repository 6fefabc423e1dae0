"""Counties shared by the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from meanscheck.synth import County, county


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> County:
    """Three hundred households, everything answered."""
    return county(tmp_path_factory.mktemp("clean"), households=300, seed=11, mess=False)


@pytest.fixture(scope="session")
def messy(tmp_path_factory: pytest.TempPathFactory) -> County:
    """Two thousand households as departments send them."""
    return county(tmp_path_factory.mktemp("messy"), households=2000, seed=5)


@pytest.fixture(scope="session")
def typed(tmp_path_factory: pytest.TempPathFactory) -> County:
    """The clean county again, as Parquet."""
    folder: Path = tmp_path_factory.mktemp("typed")
    return county(folder, households=300, seed=11, mess=False, style="parquet")
