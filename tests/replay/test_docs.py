"""What the module docstrings of the replay show is executed."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["comparing", "verdict"])
def test_docstrings_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"meanscheck.replay.{name}"))
    assert result.failed == 0 and result.attempted > 0
