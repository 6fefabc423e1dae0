"""``meanscheck erase``, and what the other commands say of erased and restricted households."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeAlias

import polars as pl
import pytest

from meanscheck.evidence import Store
from meanscheck.faces.cli import main
from meanscheck.faces.cli.erase import retention_of
from meanscheck.faces.cli.intake import make_office
from meanscheck.faces.cli.office import Office
from meanscheck.ledger import GROUPS, Ledger, Signer, verify
from meanscheck.vault import ENVIRONMENT, Retention

from .offices import CASE, CASES, FIRST, TOKEN, TOKENS, Sealing

Command: TypeAlias = Callable[..., tuple[int, str, str]]
FOR_LIFE = ["--basis", "pipl-47-3", "--on", "2026-11-03"]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.delenv(ENVIRONMENT, raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(a) for a in arguments])
        out, err = capfd.readouterr()
        return int(left.value.code or 0), out, err

    return run


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """An office as ``meanscheck init`` makes it, with one sealed batch and its households in the registry."""
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    office = make_office(tmp_path / "county.duckdb", origin="county.example/relief", unprotected=True)
    batch = office.open_vault().batch(FIRST, GROUPS)
    Ledger.open(office.ledger, signer=Signer.load(office.key)).append(Sealing(FIRST, batch))
    with Store.open(office.store) as store:
        store.insert("subjects", pl.DataFrame({"case_id": CASES, "token": TOKENS}))
    return office


def registered(office: Office) -> list[str]:
    with Store.open(office.store, read_only=True) as store:
        return store.fetch("select token from subjects order by token")["token"].to_list()


def test_erase_says_what_is_gone_and_what_stays(desk: Office, command: Command, tmp_path: Path) -> None:
    assert command("receipt", desk.store, CASE)[0] == 0
    code, out, _ = command("erase", CASE, "--store", desk.store, *FOR_LIFE, "--never-paid", "--compact")
    assert code == 0
    assert TOKEN in out and CASE not in out and "every proof" in out and "dropped in 3 places" in out
    assert registered(desk) == [t for t in TOKENS if t != TOKEN]
    ledger = desk.open_ledger()
    assert json.loads(ledger.entry(ledger.size - 1)) == {
        "basis": "pipl-47-3",
        "k": "erasure",
        "on": "2026-11-03",
        "s": TOKEN,
        "v": 1,
    }
    assert ledger.check() == ledger.size
    receipt = desk.receipts / f"{CASE}.tlog-proof"
    assert verify(receipt, policy=desk.policy).groups["subject"]["household"] == TOKEN
    for again in (["receipt", desk.store, CASE], ["erase", CASE, "--store", desk.store, *FOR_LIFE]):
        code, out, err = command(*again)
        assert (code, out) == (1, "") and "were erased" in err and CASE not in err


def test_a_household_can_be_named_by_its_token(desk: Office, command: Command) -> None:
    code, out, _ = command("erase", TOKEN, "--store", desk.store, *FOR_LIFE, "--stopped", "2021-01-31", "--json")
    assert code == 0
    assert json.loads(out) == [
        {
            "token": TOKEN,
            "state": "erased",
            "until": None,
            "batches": [FIRST],
            "basis": "pipl-47-3",
            "on": "2026-11-03",
        }
    ]
    assert command("erase", TOKEN, "--store", desk.store, *FOR_LIFE)[0] == 1


def test_while_a_period_runs_use_can_be_restricted(desk: Office, command: Command) -> None:
    asked = ["erase", CASE, "--store", desk.store, "--basis", "pipl-47-3", "--stopped", "2024-01-31"]
    code, out, err = command(*asked, "--on", "2027-01-30")
    assert (code, out) == (1, "") and "until 2027-01-31" in err
    code, out, _ = command(*asked, "--on", "2027-01-30", "--restrict")
    assert code == 0 and "kept until 2027-01-31" in out
    code, _, err = command("receipt", desk.store, CASE)
    assert code == 1 and "an audit may read them" in err
    assert registered(desk) == TOKENS
    assert command(*asked, "--on", "2027-01-31")[0] == 0
    assert TOKEN not in registered(desk)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["U-9999", "--basis", "pipl-47-3"], "no record of that case"),
        ([CASE, "--basis", "because"], "no such basis"),
        ([CASE, "--basis", "pipl-47-3", "--on", "yesterday"], "not a day"),
        ([CASE, "--basis", "pipl-47-3", "--stopped", "2024-01-31", "--never-paid"], "denies"),
    ],
)
def test_unusable_input_leaves_with_two(desk: Office, command: Command, arguments: list[str], said: str) -> None:
    code, out, err = command("erase", *arguments, "--store", desk.store)
    assert (code, out) == (2, "") and said in err
    assert registered(desk) == TOKENS


def test_what_a_crash_left_unsaid_is_said_by_the_next_erasure(desk: Office, command: Command) -> None:
    safe = desk.open_vault()
    safe.keys.erase(TOKENS[0], basis="pipl-47-1", on=date(2026, 11, 2), batches=[FIRST])
    size = desk.open_ledger().size
    assert command("erase", CASE, "--store", desk.store, *FOR_LIFE, "--never-paid")[0] == 0
    ledger = desk.open_ledger()
    assert [json.loads(ledger.entry(i))["s"] for i in range(size, ledger.size)] == [TOKENS[0], TOKEN]
    assert registered(desk) == [t for t in TOKENS if t not in (TOKENS[0], TOKEN)]


def test_the_vault_s_key_is_refused_when_others_may_read_it(desk: Office, command: Command) -> None:
    desk.vault_key.chmod(0o644)
    code, _, err = command("receipt", desk.store, CASE)
    assert code == 2 and "chmod 600" in err


def test_init_says_where_the_vault_s_key_is(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, desk: Office
) -> None:
    code, out, _ = command("init", tmp_path / "one", "--unprotected-key", "--json")
    assert code == 0 and json.loads(out)["vault key"] == str(tmp_path / "one" / "keys" / "county.vault.key")
    monkeypatch.setenv(ENVIRONMENT, desk.vault_key.read_text().strip())
    code, out, _ = command("init", tmp_path / "two", "--unprotected-key", "--json")
    assert code == 0 and json.loads(out)["vault key"] == ENVIRONMENT
    assert not (tmp_path / "two" / "keys" / "county.vault.key").exists()


@pytest.mark.parametrize("on", [date(2013, 1, 1), date(2020, 6, 30), date(2026, 11, 3)])
def test_the_pack_states_how_long(on: date) -> None:
    assert retention_of("rules/cn", on) == Retention(approval_months=36, management_months=60)
    assert retention_of("rules/cn/guangdong/jiangmen", on) == Retention(approval_months=36, management_months=60)
