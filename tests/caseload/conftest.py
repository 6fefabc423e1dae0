"""A small county, decided and sealed once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from decisions.office import DAY, law_of_2020

from meanscheck.caseload import LoggedBatch, read_log
from meanscheck.decisions import Assessment, assess
from meanscheck.evidence import Store
from meanscheck.law.law import Law
from meanscheck.ledger import Ledger, Policy, Signer
from meanscheck.synth import county

ORIGIN = "county.example/relief"


@dataclass(frozen=True)
class Sealed:
    """What an auditor is given."""

    folder: Path
    store: Store
    law: Law
    result: Assessment
    policy: Policy

    @property
    def vault(self) -> Path:
        return self.folder / "county.vault"

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.folder / "ledger", origin=ORIGIN)

    @property
    def batch(self) -> LoggedBatch:
        return read_log(self.ledger).batches[-1]


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    folder = tmp_path_factory.mktemp("sealed")
    made = county(folder, households=60, seed=4, mess=True)
    with Store.open(folder / "county.duckdb", memory_limit="500MB") as store:
        store.ingest_inbox(made.inbox)
        assert law_of_2020().on == DAY
        ledger = Ledger.open(folder / "ledger", signer=Signer.generate(ORIGIN))
        result = assess(store, law_of_2020())
        ledger.append(result)
        yield Sealed(folder, store, law_of_2020(), result, ledger.policy())
