"""Names, identity numbers and balances of the county stay where they belong."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import polars as pl
import pytest

from meanscheck.decisions import assess, check
from meanscheck.decisions.decision import Ruling
from meanscheck.errors import MeanscheckError
from meanscheck.evidence import Store
from meanscheck.ledger import Ledger, Signer, verify
from meanscheck.replay import replay_records

from .office import DAY, Office, records


@pytest.fixture(scope="module")
def secrets(messy: Office) -> frozenset[str]:
    """Identity numbers, names of three characters or more, and balances that are unlike any count."""
    numbers = messy.store.fetch("select id_number as x from persons")["x"].to_list()
    names = messy.store.fetch("select distinct name as x from unit_persons where length(name) > 2")["x"].to_list()
    fen = messy.store.fetch("select distinct balance_fen as x from feed_bank_deposits where balance_fen > 1000000")["x"]
    yuan = [f"{n // 100}.{n % 100:02d}" for n in fen.to_list()]
    assert len(numbers) > 500 and len(names) > 50 and len(yuan) > 50
    return frozenset([*numbers, *names, *yuan])


def holds_none(text: str, secrets: frozenset[str]) -> bool:
    return not any(secret in text for secret in secrets)


def test_the_ledger_folder_and_the_vaults_file_names_hold_nobody(
    messy: Office, secrets: frozenset[str], tmp_path: Path
) -> None:
    ledger = Ledger.open(tmp_path / "ledger", signer=Signer.generate("county.example/relief"))
    sealed = ledger.append(messy.result)
    files = [f for f in (tmp_path / "ledger").rglob("*") if f.is_file()]
    assert files
    for file in files:
        assert holds_none(file.read_bytes().decode("latin-1"), frozenset(s for s in secrets if s.isascii()))
        assert not any(s.encode() in file.read_bytes() for s in secrets)
    entries = [ledger.entry(i) for i in range(sealed.size)]
    cases = messy.outcomes["case_id"].unique().to_list()
    assert not any(case.encode() in entry for case in cases for entry in entries)
    for entry in entries[1:-1]:  # decisions: nothing but digests, a batch and a place
        for value in json.loads(entry).values():
            assert isinstance(value, int) or re.fullmatch(r"[0-9a-f]{32,64}|[a-z0-9-]+", value)
    names = [f.name for f in (*tmp_path.rglob("*"), *messy.result.vault.folder.iterdir())]
    assert holds_none(" ".join(names), secrets) and not any(case in name for case in cases for name in names)


def test_the_vault_is_its_owners(messy: Office) -> None:
    assert {f.stat().st_mode & 0o777 for f in messy.result.vault.folder.iterdir() if f.suffix == ".parquet"} == {0o600}
    assert messy.result.vault.folder.stat().st_mode & 0o777 == 0o700


def test_a_receipt_shows_the_disclosed_groups_only(messy: Office, tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path, signer=Signer.generate("county.example/relief"))
    ledger.append(messy.result)
    case = messy.outcomes["case_id"][0]
    held = messy.result.held(case)
    assert held.index is not None and held.leaf is not None and held.salts is not None
    text = ledger.receipt(held.index, held.leaf, held.groups, held.salts, disclose=["provenance"])
    assert set(verify(text.encode(), policy=ledger.policy()).groups) == {"provenance"}
    assert case not in text


def amounts_in(text: str) -> list[str]:
    """Whole numbers of five digits and more, as fen would be."""
    return re.findall(r"(?<![0-9a-f-])\d{5,}(?![0-9a-f])", text)


def test_reprs_hold_no_content(messy: Office, secrets: frozenset[str]) -> None:
    row = messy.outcomes.filter(programme="dibao", outcome="eligible").row(0, named=True)
    case, award = row["case_id"], row["award_fen"]
    decision = messy.result.decision(case)
    request = messy.store.fetch("select request_no from requests where case_id = ?", [case]).item()
    report = check(messy.store, request)
    held = messy.result.held(case)
    (again,) = replay_records([r for r in records(messy.result) if r["subject"]["case"] == case], store=messy.store)
    things: list[object] = [
        messy.store,
        messy.result,
        decision,
        held,
        report,
        again,
        messy.result.projection,
        messy.result.snapshot,
    ]
    things += [*report.items, *decision, *messy.intake]
    for thing in things:
        text = repr(thing)
        assert holds_none(text, secrets), type(thing)
        assert str(award) not in text, type(thing)
        assert "balance" not in text and '"means"' not in text, type(thing)
    for item in report.items:
        assert str(item.found) not in amounts_in(repr(item))


def test_errors_hold_no_content(messy: Office, secrets: frozenset[str], tmp_path: Path) -> None:
    number = messy.store.fetch("select id_number from persons order by all limit 1").item()
    faults: list[str] = []
    for call in (
        lambda: check(messy.store, number),
        lambda: messy.result.held(number),
        lambda: messy.store.case_block(number, {}, on=DAY),
        lambda: messy.store.ingest("bank_deposits", tmp_path / "none.csv"),
        lambda: Store.open(tmp_path / "none.duckdb", read_only=True),
        lambda: messy.store.law_text("sha256:none"),
    ):
        with pytest.raises(MeanscheckError) as caught:
            call()
        faults.append(str(caught.value))
    assert len(faults) == 6
    assert holds_none("\n".join(faults), secrets)


def test_a_run_logs_and_prints_nothing_about_anybody(
    messy: Office,
    secrets: frozenset[str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with caplog.at_level(logging.DEBUG):
        result = assess(messy.store, messy.law, vault=tmp_path).run()
        again = messy.store.ingest("deaths", next(messy.county.inbox.glob("deaths*.xlsx")))
        list(replay_records(records(result)[:3], store=messy.store))
    assert again.already_known
    out, err = capfd.readouterr()
    assert holds_none(caplog.text + out + err, secrets)
    assert out == err == ""


def test_records_name_people_by_token_and_letter(messy: Office, secrets: frozenset[str]) -> None:
    texts = [text for frame in messy.result.vault.blocks() for name in ("subject", "household") for text in frame[name]]
    assert holds_none("\n".join(texts), frozenset(s for s in secrets if "." not in s))
    subject = json.loads(messy.result.held(messy.outcomes["case_id"][0]).groups["subject"])
    assert all(re.fullmatch("[0-9a-f]{32}", token) for token in [subject["household"], *subject["persons"]])


def test_rulings_in_a_list_do_not_print_their_tests(messy: Office) -> None:
    ruling: Ruling = next(iter(messy.result.decision(messy.outcomes["case_id"][0])))
    assert "holds" not in repr(ruling) and "margin" not in repr(ruling)


def test_quarantine_keeps_no_row_of_persons_without_consent(messy: Office) -> None:
    """Of a row that may not be kept, the place and the reason stay and its text does not."""
    rows = messy.store.fetch("select person, raw from quarantine where raw is not null")
    ours = messy.store.fetch("select person from persons")
    assert rows.filter(pl.col("person").is_not_null()).join(ours, on="person", how="anti").height == 0
    assert rows.filter(pl.col("person").is_null()).height == 0
