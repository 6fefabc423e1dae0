"""What the module docstrings show is executed."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["draw", "interval", "sample", "writing"])
def test_docstrings_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"meanscheck.caseload.{name}"))
    assert result.failed == 0 and result.attempted > 0
