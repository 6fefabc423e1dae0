"""The two counties that the tests of the whole way share."""

from __future__ import annotations

import pytest
from decisions.office import Office, clean_office, messy_office


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Everything answered, every doubtful point reviewed."""
    return clean_office(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """As departments really send it; nothing reviewed yet."""
    return messy_office(tmp_path_factory.getbasetemp())
