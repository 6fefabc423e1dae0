"""A caseload is decided again: each decision names the one whose place it takes, in the record and in the log."""

from __future__ import annotations

import json

import pytest

from meanscheck.decisions import Assessment, assess
from meanscheck.errors import LedgerError
from meanscheck.ledger import Ledger, Signer, entries, latest
from meanscheck.ledger.closing import Closing
from meanscheck.replay import replay_records

from .office import Office, records


@pytest.fixture(scope="module")
def reviewed(clean: Office, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ledger, Assessment, Assessment]:
    """A first run, and a review of all its decisions but one."""
    base = tmp_path_factory.mktemp("review")
    ledger = Ledger.open(base / "log", signer=Signer.from_seed("county.example/relief", seed=bytes(32)))
    first = assess(clean.store, clean.law, vault=base / "vault")
    ledger.append(first)
    earlier = ledger.last_decisions()
    earlier.pop(max(earlier, key=lambda token: earlier[token]))
    second = assess(clean.store, clean.law, vault=base / "vault", supersedes=earlier, why="recheck", block_units=50)
    ledger.append(second)
    return ledger, first, second


def test_the_log_pairs_each_decision_with_the_one_before(reviewed: tuple[Ledger, Assessment, Assessment]) -> None:
    ledger, first, second = reviewed
    count = first.projection.units
    assert ledger.check_entries().total() == 2 * (count + 2) + 2
    close = 2 * count + 3
    assert Closing.parse(ledger.entry(close)).before == count + 1
    correction = entries.parse(ledger.entry(close + 1))
    pairs = tuple((n + 1, count + 3 + n) for n in range(count - 1))
    assert correction == entries.Correction(second.batch_id, pairs, "recheck")
    assert first.batch_id != second.batch_id


def test_the_record_names_it_and_says_nothing_else_than_before(
    reviewed: tuple[Ledger, Assessment, Assessment],
) -> None:
    _, first, second = reviewed
    count = first.projection.units
    named = [record["provenance"]["supersedes"] for record in records(second)]
    assert named == [*range(1, count), None]
    for old, new in zip(records(first), records(second), strict=True):
        assert old["provenance"]["supersedes"] is None
        assert {**new, "provenance": {**new["provenance"], "supersedes": None}} == old
    for frame in second.vault.blocks():
        for text in frame["provenance"]:
            assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False) == text


def test_both_runs_replay(reviewed: tuple[Ledger, Assessment, Assessment], clean: Office) -> None:
    _, first, second = reviewed
    for result in (first, second):
        assert all(found.is_equal for found in replay_records(records(result), store=clean.store))


def test_only_the_later_decision_is_proven_to_be_the_latest(
    reviewed: tuple[Ledger, Assessment, Assessment], clean: Office
) -> None:
    ledger, first, second = reviewed
    case = clean.outcomes["case_id"][0]
    old, new = first.held(case), second.held(case)
    assert old.index is not None and new.index is not None and old.leaf is not None and new.leaf is not None
    proven = latest.verify(ledger.prove_latest(new.index, new.leaf), policy=ledger.policy())
    assert proven.batches == (second.batch_id,)
    with pytest.raises(LedgerError, match="again"):
        ledger.prove_latest(old.index, old.leaf)
    token = json.loads(new.groups["subject"])["household"]
    assert [at.index for at in ledger.history(token)][:2] == [old.index, new.index]


def test_the_opening_pins_what_is_superseded(reviewed: tuple[Ledger, Assessment, Assessment]) -> None:
    _, first, second = reviewed
    assert "supersedes" not in first.opening
    assert len(str(second.opening["supersedes"])) == 64
