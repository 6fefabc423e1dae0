"""The audit in full: everything holds, or what was planted is found, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from meanscheck.caseload import Audit, Kept, audit, auditing, held, kept, read_log
from meanscheck.caseload.auditing import included
from meanscheck.decisions import assess
from meanscheck.errors import LedgerError
from meanscheck.evidence import Store
from meanscheck.ledger import Ledger, Signer

from .conftest import ORIGIN, Sealed


def audited(sealed: Sealed, **changes: Any) -> Audit:
    given = {"vault": sealed.vault, "policy": sealed.policy, **changes}
    return audit(given.pop("store", sealed.store), given.pop("ledger", sealed.ledger), **given)


def changed(monkeypatch: pytest.MonkeyPatch, change: Callable[[list[Kept]], list[Kept]]) -> None:
    """Let the vault give other decisions."""

    def other(folder: Path, batch_id: str) -> Iterator[list[Kept]]:
        yield from (change(block) for block in kept(folder, batch_id))

    monkeypatch.setattr(held, "kept", other)


def at(place: int, **changes: object) -> Callable[[list[Kept]], list[Kept]]:
    return lambda block: [replace(one, **changes) if one.position == place else one for one in block]  # type: ignore[arg-type]


def test_everything_holds(sealed: Sealed) -> None:
    told: list[tuple[int, int]] = []
    found = audited(sealed, progress=lambda done, total: told.append((done, total)))
    assert found.holds and found.faults == ()
    (batch,) = found.batches
    assert batch.batch.count == batch.included == 60 and dict(batch.verdicts) == {"equal": 60}
    assert found.signed_by and told[-1] == (60, 60)
    assert "全部成立" in found.text("zh") and "everything holds" in found.text("en")
    assert json.loads(json.dumps(found.to_json()))["holds"] is True


def test_the_log_alone_tells_its_batches(sealed: Sealed) -> None:
    log = read_log(sealed.ledger)
    (batch,) = log.batches
    assert (log.size, batch.open_index, batch.first, batch.count, batch.close_index) == (62, 0, 1, 60, 61)
    assert log.faults == () and log.batch(sealed.result.batch_id) == batch
    assert batch.opening["law"] == sealed.law.digest
    with pytest.raises(LedgerError, match="no closed batch"):
        log.batch("another")


def test_another_signature_is_a_fault(sealed: Sealed) -> None:
    other = Signer.generate(ORIGIN)
    policy = Ledger.open(sealed.folder / "ledger", signer=other).policy()
    found = audited(sealed, policy=policy)
    assert not found.holds and "signature: " in found.faults[0].en and found.signed_by == ()


@pytest.fixture
def log_copy(sealed: Sealed, tmp_path: Path) -> Path:
    shutil.copytree(sealed.folder / "ledger", tmp_path / "ledger")
    return tmp_path / "ledger"


def test_a_changed_entry_is_a_fault_of_the_log_and_of_its_decision(sealed: Sealed, log_copy: Path) -> None:
    (file,) = log_copy.rglob("entries/*.p/62")
    data = file.read_bytes()
    where = data.index(b'"c":"', len(data) // 2) + 6
    file.write_bytes(data[:where] + (b"0" if data[where : where + 1] != b"0" else b"1") + data[where + 1 :])
    found = audited(sealed, ledger=Ledger.open(log_copy, origin=ORIGIN))
    assert "does not hash to its tile" in found.faults[0].en
    (batch,) = found.batches
    assert batch.included == 59 and "the log has another entry there" in batch.faults[0].en


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"salts": bytes(112)}, "record and salts do not give the log's commitment"),
        ({"leaf": b"{}"}, "the log has another entry there"),
        ({"index": 9}, "another place than in the log"),
        ({"index": None}, "no entry of the log for it"),
        ({"token": "0" * 32}, "on another household"),
        ({"groups": None, "salts": None}, ""),
        ({}, ""),
    ],
)
def test_a_decision_that_is_not_the_log_s_is_found(sealed: Sealed, changes: dict[str, Any], says: str) -> None:
    (block,) = kept(sealed.vault, sealed.batch.batch_id)
    found = included(sealed.ledger, sealed.batch, replace(block[7], **changes))
    assert (says in found) if says else found == ""


def test_decisions_that_the_vault_lacks_or_changed_are_counted(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(monkeypatch, lambda block: at(7, salts=bytes(112))(block)[:-1])
    found = audited(sealed)
    (batch,) = found.batches
    assert not found.holds and batch.included == 58
    assert [f.where for f in batch.faults[:1]] == ["log entry 8"]
    assert "the vault has 59 decisions, the log 60" in found.text("en")
    said = found.text("zh") + found.text("en") + repr(found)
    names = sealed.store.fetch("select name from unit_persons union select id_number from persons").to_series()
    assert not [name for name in names.drop_nulls() if len(name) > 1 and name in said]


def test_a_changed_record_shows_in_the_log_the_counts_and_the_table(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(block: list[Kept]) -> list[Kept]:
        for place, one in enumerate(block):
            record = one.record()
            (dibao,) = (o for o in record["result"]["household"] if o["programme"] == "dibao")
            if dibao["outcome"] == "ineligible":
                dibao["outcome"], dibao["award"] = "eligible", 100
                result = json.dumps(record["result"], separators=(",", ":"), sort_keys=True, ensure_ascii=False)
                block[place] = replace(one, groups={**(one.groups or {}), "result": result.encode()})
                return block
        raise AssertionError("nobody is ineligible")

    changed(monkeypatch, change)
    (batch,) = audited(sealed).batches
    said = " | ".join(f.en for f in batch.faults)
    for piece in (
        "do not give the log's commitment",
        "not counted as in",
        "table of outcomes otherwise",
        "records root",
    ):
        assert piece in said
    assert len(batch.differing) == 1 and batch.differing[0][1].touches_result


def test_a_changed_table_of_outcomes_is_found(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    true = held.outcomes
    award = pl.col("award_fen") + pl.when(pl.col("award_fen").is_first_distinct()).then(1).otherwise(0)
    monkeypatch.setattr(held, "outcomes", lambda *a: true(*a).with_columns(award_fen=award))
    (batch,) = audited(sealed).batches
    assert not batch.holds and batch.included == 60
    assert all("table of outcomes otherwise" in f.en for f in batch.faults) and batch.faults


def test_an_erased_household_is_counted_and_passes(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(monkeypatch, at(5, groups=None, salts=None, case_id=None))
    found = audited(sealed)
    assert found.holds
    assert dict(found.batches[0].verdicts) == {"equal": 59, "erased": 1}
    assert "已删除" in found.text("zh")


def test_a_row_changed_in_the_store_is_a_difference_of_its_decision_only(sealed: Sealed, tmp_path: Path) -> None:
    sealed.store.run("checkpoint")
    shutil.copy(sealed.store.path, tmp_path / "county.duckdb")
    with Store.open(tmp_path / "county.duckdb", memory_limit="500MB") as store:
        case, person = store.fetch(
            "select u.case_id, r.person from units u join unit_persons p on p.request = u.request and "
            "p.role = 'member' join feed_pensions_paid r using (person) order by all limit 1"
        ).row(0)
        store.run("update feed_pensions_paid set amount_fen = amount_fen + 1 where person = ?", [person])
        found = audited(sealed, store=store)
    (batch,) = found.batches
    assert batch.faults == () and batch.included == 60
    assert [(one.case_id, one.classes) for _, one in batch.differing] == [(case, ("corrected_evidence",))]
    assert dict(batch.classes) == {"corrected_evidence": 1}
    assert not found.holds and "late or corrected evidence" in found.text("en")


def test_a_batch_that_the_vault_lacks_is_found_and_one_that_the_log_lacks(sealed: Sealed, tmp_path: Path) -> None:
    assert "no records" in audited(sealed, vault=tmp_path).batches[0].faults[0].en
    empty = Ledger.open(tmp_path / "ledger", origin=ORIGIN)
    found = audited(sealed, ledger=empty, policy=None)
    assert "log has not" in found.faults[-1].en and not found.holds


class Lying:
    """A run whose closing counts one more than there is."""

    def __init__(self, true: Any) -> None:
        self.true = true

    def __getattr__(self, name: str) -> Any:
        return getattr(self.true, name)

    @property
    def closing(self) -> Mapping[str, Any]:
        closing = json.loads(json.dumps(self.true.closing))
        closing["outcomes"]["dibao"]["eligible"] += 1
        assert isinstance(closing, dict)
        return closing


def test_a_closing_that_counts_wrongly_is_found(sealed: Sealed, tmp_path: Path) -> None:
    run = assess(sealed.store, sealed.law, vault=tmp_path / "vault")
    ledger = Ledger.open(tmp_path / "ledger", signer=Signer.generate(ORIGIN))
    ledger.append(Lying(run))
    (batch,) = audited(sealed, ledger=ledger, vault=tmp_path / "vault", policy=None).batches
    assert [f.en for f in batch.faults] == ["the records' outcomes are not counted as in the batch-close entry"]


def test_a_household_erased_in_the_log_is_not_looked_for(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vault may still hold the record (an old copy of it); the log says that it is to be gone."""
    (block,) = kept(sealed.vault, sealed.batch.batch_id)
    log = replace(read_log(sealed.ledger), erased=frozenset({block[3].token}))
    monkeypatch.setattr(auditing, "read_log", lambda ledger: log)
    found = audited(sealed)
    assert found.holds and dict(found.batches[0].verdicts) == {"equal": 59, "erased": 1}
