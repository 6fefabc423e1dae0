"""``meanscheck witness``, as an audit office runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from faces.conftest import Command
from meanscheck.errors import NotProven
from meanscheck.ledger import Ledger, Policy, Seal, SealedBlock, Signer, Witnesses, note
from meanscheck.ledger.carriers import FileWitness, HttpWitness
from meanscheck.ledger.tiles import TileReader
from meanscheck.ledger.witnessing import check_opening
from meanscheck.synth import county

ORIGIN = "county.example/relief"


class Batch:
    """No decisions: what is tried here lies before and after them."""

    batch_id, opening, closing = "2026-11", {"law": "sha256:33"}, {"rejected": 0}

    def sealed(self, seal: Seal) -> Iterator[SealedBlock]:
        return iter(())


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A log whose policy lies in county.policy."""
    made = Ledger.open(tmp_path / "log", signer=Signer.generate(ORIGIN))
    (tmp_path / "county.policy").write_text(made.policy().format(), encoding="utf-8")
    return made


def trusting(ledger: Ledger, lines: list[str]) -> Policy:
    """The log's policy with the lines that `witness init` prints in place of its quorum."""
    return Policy.parse(ledger.policy().format().replace("quorum none\n", "\n".join([*lines, ""])))


def init(command: Command, folder: Path, *options: str) -> list[str]:
    said = command(
        "witness", "init", folder / "w", "--policy", folder / "county.policy", "--name", "audit.example/w1",
        "--unprotected-key", "--json", *options,
    )  # fmt: skip
    assert said.code == 0, said.err
    lines: list[str] = said.json["policy_lines"]
    return lines


def test_a_log_is_witnessed_by_files(command: Command, ledger: Ledger, tmp_path: Path) -> None:
    policy = trusting(ledger, init(command, tmp_path))
    assert [key.type for key in policy.witness_keys] == [note.COSIGNATURE, note.ML_DSA]
    by_file = Witnesses(policy, [FileWitness(tmp_path / "stick")])
    with pytest.raises(NotProven, match="waits for an answer"):
        ledger.append(Batch(), witness=by_file)
    (request,) = (tmp_path / "stick").iterdir()
    said = command("witness", "answer", tmp_path / "w", request)
    assert (said.code, said.out.splitlines()[0]) == (0, "cosigned")
    sealed = ledger.append(Batch(), witness=by_file)
    times = check_opening(ledger.entry(1), index=1, tree=TileReader(tmp_path / "log", sealed.size), policy=policy)
    assert len(times) == 2 and all(time > 1_700_000_000 for _, time in times)
    # The same request once more: the witness is past it, and tells its size.
    assert command("witness", "answer", tmp_path / "w", request, "--json").json["status"] == 409


def test_a_request_that_is_not_cosigned_leaves_with_1(command: Command, ledger: Ledger, tmp_path: Path) -> None:
    init(command, tmp_path)
    (tmp_path / "x.request").write_bytes(b"old 0\n")
    said = command("witness", "answer", tmp_path / "w", tmp_path / "x.request")
    assert (said.code, said.out.splitlines()[0]) == (1, "not cosigned (status 400)")
    assert command("witness", "answer", tmp_path / "w", tmp_path / "none.request").code == 2
    (tmp_path / "w" / "witness.state").unlink()
    said = command("witness", "answer", tmp_path / "w", tmp_path / "x.request")
    assert said.code == 2 and "witness.state is missing" in said.err


def test_a_log_is_witnessed_over_http(command: Command, ledger: Ledger, tmp_path: Path) -> None:
    policy = trusting(ledger, init(command, tmp_path))
    line = [sys.executable, "-m", "meanscheck", "witness", "serve", str(tmp_path / "w"), "--port", "0"]
    with subprocess.Popen([*line, "--requests", "2", "--json"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        about = json.loads("".join(iter(server.stdout.readline, "}\n")) + "}")
        assert (about["name"], about["logs"]) == ("audit.example/w1", [ORIGIN])
        assert about["url"].startswith("http://127.0.0.1:")
        sealed = ledger.append(Batch(), witness=Witnesses(policy, [HttpWitness(about["url"])]))
        assert server.wait(10) == 0
    assert sealed.witnessed


def test_an_office_decides_nothing_before_its_witness_has_signed_the_opening(command: Command, tmp_path: Path) -> None:
    made = county(tmp_path / "county", households=12, seed=4, style="parquet", on=date(2020, 6, 30))
    office, stick = tmp_path / "office", tmp_path / "stick"
    assert command("init", office, "--name", "county", "--origin", ORIGIN, "--unprotected-key").code == 0
    store, policy = office / "county.duckdb", office / "county.policy"
    assert command("ingest", store, made.inbox).code == 0
    lines = command(
        "witness", "init", tmp_path / "w", "--policy", policy, "--name", "audit.example/w1", "--unprotected-key",
        "--json",
    ).json["policy_lines"]  # fmt: skip
    assess = ("assess", store, "rules/cn/guangdong/jiangmen", "--on", "2020-06-30", "--witness", stick)
    said = command(*assess)
    assert said.code == 2 and "the policy asks for no witness" in said.err
    policy.write_text(policy.read_text(encoding="utf-8").replace("quorum none\n", "\n".join([*lines, ""])))
    said = command(*assess)
    assert said.code == 1 and "then do the same again" in said.err
    assert not list((office / "county.vault").glob("*/records-*"))
    (request,) = stick.iterdir()
    assert command("witness", "answer", tmp_path / "w", request).code == 0
    said = command(*assess)
    assert said.code == 0 and "the closing not yet" in said.out
    for waiting in stick.glob("*.request"):
        command("witness", "answer", tmp_path / "w", waiting)
    said = command("witness", "ask", store, "--witness", stick)
    assert said.code == 0 and "has its quorum" in said.out
    assert command("receipt", store, "U0000000001", "--out", tmp_path / "one.tlog-proof").code == 0
    said = command("verify", tmp_path / "one.tlog-proof", "--policy", policy, "--lang", "en")
    assert said.code == 0 and "the policy's quorum is met" in said.out


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (("serve", "w", "--host", "0.0.0.0"), "loopback"),
        (("serve", "none"), "no witness there"),
        (("init", "w", "--policy", "county.policy", "--name", "audit.example/w1"), "not empty"),
        (("init", "v", "--policy", "none.policy", "--name", "audit.example/w1"), "no such file"),
        (("init", "v", "--policy", "county.policy", "--name", "audit example"), "not a name"),
        (("init", "v", "--policy", "county.policy", "--name", "audit.example/w1"), "passphrase"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_code_2(
    line: tuple[str, ...], why: str, command: Command, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEANSCHECK_KEY_PASSPHRASE", raising=False)
    init(command, tmp_path)
    monkeypatch.chdir(tmp_path)
    said = command("witness", *line)
    assert (said.code, said.out) == (2, "")
    assert why in said.err and said.err.count("\n") == 1
    assert not (tmp_path / "v" / "witness.state").exists()


def test_the_keys_of_a_witness_are_protected(
    command: Command, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEANSCHECK_KEY_PASSPHRASE", "correct horse")
    said = command("witness", "init", tmp_path / "w", "--policy", tmp_path / "county.policy", "--name", "a.example")
    assert said.code == 0
    key = tmp_path / "w" / "witness.key"
    assert b"ENCRYPTED" in key.read_bytes() and key.stat().st_mode & 0o777 == 0o600
    assert "quorum a.example" in said.out
