"""An empty inbox for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from .inboxes import Inbox


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    """An inbox in a folder of its own."""
    return Inbox(tmp_path)
