"""What the tests of check requests share: no deadlines, an inbox, the law of a place."""

from __future__ import annotations

from pathlib import Path

import pytest
from evidence.inboxes import Inbox
from hypothesis import settings

settings.register_profile("unhurried", deadline=None, derandomize=True)
settings.load_profile("unhurried")


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    """An inbox in a folder of its own."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    return Inbox(folder)
