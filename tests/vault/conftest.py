"""An office for each test that changes it; counties are not needed here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from meanscheck.ledger import Signer
from meanscheck.vault import Safe

from .offices import FIRST, SECOND, Office, make_office


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Both batches sealed; not to be changed."""
    return make_office(tmp_path_factory.mktemp("made"), FIRST, SECOND)


@pytest.fixture
def office(made: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A copy of that office, with a signer that knows what it signed last."""
    monkeypatch.delenv("MEANSCHECK_VAULT_KEY", raising=False)
    folder = tmp_path / "office"
    shutil.copytree(made.folder, folder)
    signer = Signer.from_seed("county.example/relief", seed=bytes(32))
    last = made.signer.last_signed()
    assert last is not None
    signer.adopt(last)
    return Office(folder, made.key, Safe.open(folder / "county.vault", key=made.key), signer, [])
