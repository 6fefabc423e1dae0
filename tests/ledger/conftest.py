"""A small log shared by the tests of the ledger: three batches, one witness."""

from __future__ import annotations

from pathlib import Path

import pytest

from .builders import Folder, build_folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return build_folder(tmp_path_factory.mktemp("county"))


@pytest.fixture
def fresh(tmp_path: Path) -> Folder:
    return build_folder(tmp_path, batches=(5,), witnessed=False)
