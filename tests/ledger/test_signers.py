"""Signers that hold their key elsewhere keep the same rule as key files, and are believed only when they verify."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from meanscheck.errors import LedgerError
from meanscheck.ledger import Ledger, Signer, VerifierKey, checkpoint, note, verify
from meanscheck.ledger.checkpoint import Checkpoint
from meanscheck.ledger.command import CommandSigner
from meanscheck.ledger.state import Guarded, State

from .builders import ORIGIN, MadeBatch, all_groups

SEED = b"command" + bytes(25)
PRIVATE = Ed25519PrivateKey.from_private_bytes(SEED)
KEY = VerifierKey(ORIGIN, note.ED25519, PRIVATE.public_key().public_bytes_raw())
TEXT = f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"

SIGN = f"""
import base64, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
data = sys.stdin.buffer.read()
signature = Ed25519PrivateKey.from_private_bytes({SEED!r}).sign(data)
sys.stdout.buffer.write({{}})
"""


def python(body: str) -> list[str]:
    return [sys.executable, "-c", body]


@pytest.mark.parametrize(
    "written",
    [
        "signature",
        "base64.b64encode(signature)",
        "base64.encodebytes(signature)",
        "base64.b64encode(signature)+b'\\r\\n'",
    ],
)
def test_a_command_may_write_bytes_or_base64(written: str) -> None:
    signer = CommandSigner(KEY, command=python(SIGN.format(written)))
    # Ed25519 signatures are determined by key and text (RFC 8032).
    assert signer.sign_note(TEXT) == PRIVATE.sign(TEXT.encode())


@pytest.mark.parametrize(
    "body",
    [
        SIGN.format("signature[::-1]"),
        SIGN.format("signature + b'\\\\n'"),
        SIGN.format("b'Signature: ' + base64.b64encode(signature)"),
        SIGN.format("base64.urlsafe_b64encode(b'\\\\xff' * 64)"),
        SIGN.replace(".sign(data)", ".sign(data[:-1])").format("signature"),
        SIGN.replace(repr(SEED), repr(bytes(32))).format("signature"),
        "pass",
    ],
    ids=["reversed", "newline", "words", "alphabet", "other text", "other key", "nothing"],
)
def test_what_the_key_does_not_verify_is_refused(body: str) -> None:
    with pytest.raises(LedgerError, match="something else than a signature"):
        CommandSigner(KEY, command=python(body)).sign_note(TEXT)


def test_what_a_command_says_is_never_repeated() -> None:
    body = "import sys; print('secret-out'); print('secret-err', file=sys.stderr); sys.exit({})"
    for code in (0, 3):
        with pytest.raises(LedgerError) as caught:
            CommandSigner(KEY, command=[*python(body.format(code)), "secret-argument"]).sign_note(TEXT)
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None
    assert "exit code 3" in str(caught.value)
    assert "secret" not in repr(CommandSigner(KEY, command=["/bin/sign", "secret"]))


@pytest.mark.parametrize("last", ["time.sleep(60)", "pass"], ids=["hangs", "leaves a child"])
def test_a_command_that_does_not_end_is_ended_with_all_that_it_started(last: str, tmp_path: Path) -> None:
    # The child's child keeps the pipe open: it must be ended too.
    body = (
        "import subprocess, sys, pathlib, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))\n"
        f"{last}"
    )
    before = time.monotonic()
    with pytest.raises(LedgerError, match="within 1 s"):
        CommandSigner(KEY, command=python(body), seconds=1).sign_note(TEXT)
    assert time.monotonic() - before < 20
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not is_running(pid):
            break
        time.sleep(0.05)
    assert not is_running(pid)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.mark.parametrize("command", ["sign --key x", [], ()])
def test_a_command_is_a_list_and_never_a_shell_text(command: list[str]) -> None:
    with pytest.raises(LedgerError, match="is a list"):
        CommandSigner(KEY, command=command)


def test_shell_signs_in_arguments_mean_nothing(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    body = SIGN.format("signature")
    CommandSigner(KEY, command=[*python(body), f"; touch {trap}", f"$(touch {trap})"]).sign_note(TEXT)
    assert not trap.exists()


def test_a_missing_command_is_named_without_its_arguments() -> None:
    with pytest.raises(LedgerError, match="cannot be started: No such file") as caught:
        CommandSigner(KEY, command=["/nowhere/sign", "secret"]).sign_note(TEXT)
    assert "secret" not in str(caught.value)


def test_a_command_that_signs_grows_a_log_and_signs_no_second_history(tmp_path: Path) -> None:
    command = CommandSigner(KEY, command=python(SIGN.format("signature")))
    signer = Guarded([command], state=tmp_path / "keys" / "county.state")
    ledger = Ledger.open(tmp_path / "log", signer=signer)
    batch = MadeBatch("2026-01", 5)
    sealed = ledger.append(batch)
    salts, leaf = batch.kept[3]
    receipt = ledger.receipt(3, leaf, all_groups(3 - sealed.first_index), salts, ["result"])
    assert verify(receipt.encode(), policy=ledger.policy()).signed_by == (KEY.label,)
    backup = tmp_path / "backup"
    shutil.copytree(tmp_path / "log", backup)
    ledger.append(MadeBatch("2026-02", 3))
    shutil.rmtree(tmp_path / "log")
    backup.rename(tmp_path / "log")
    with pytest.raises(LedgerError, match="put back or changed"):
        Ledger.open(tmp_path / "log", signer=signer).append(MadeBatch("2026-03", 3))
    fresh = Guarded([command], state=tmp_path / "keys" / "county.state")
    with pytest.raises(LedgerError, match="does not continue"):
        fresh.sign_checkpoint(Checkpoint(ORIGIN, 9, bytes(32)), prove=lambda old: [])
    with pytest.raises(LedgerError, match="signs for another log"):
        fresh.sign_checkpoint(Checkpoint("other.example", 9, bytes(32)), prove=lambda old: [])


def test_several_signers_give_a_line_each_under_one_name(tmp_path: Path) -> None:
    command, other = (
        CommandSigner(KEY, command=python(SIGN.format("signature"))),
        Signer.from_seed(ORIGIN, seed=bytes(32)),
    )
    signer = Guarded([command, other], state=None)
    assert signer.key == KEY and signer.keys == (KEY, other.key)
    signed = signer.sign_checkpoint(Checkpoint(ORIGIN, 1, bytes(32)), prove=lambda old: [])
    assert [s.key for s in note.open(signed, signer.keys).signatures] == [KEY, other.key]
    with pytest.raises(LedgerError, match="does not continue"):
        signer.sign_checkpoint(Checkpoint(ORIGIN, 1, b"\1" * 32), prove=lambda old: [])
    stranger = Signer.from_seed("other.example", seed=bytes(32))
    wrong: list[list[note.NoteSigner]] = [[], [command, stranger], [command, command]]
    for signers, why in zip(wrong, ("one name", "one name", "given twice"), strict=True):
        with pytest.raises(LedgerError, match=why):
            Guarded(signers, state=None)


def test_a_command_that_failed_once_can_finish_what_it_left(tmp_path: Path) -> None:
    """The state is written before the command is asked: the next opening asks again for the same head."""
    state = tmp_path / "county.state"
    broken = Guarded([CommandSigner(KEY, command=python("raise SystemExit(1)"))], state=state)
    with pytest.raises(LedgerError, match="exit code 1"):
        Ledger.open(tmp_path / "log", signer=broken).append(MadeBatch("2026-01", 5))
    sound = Guarded([CommandSigner(KEY, command=python(SIGN.format("signature")))], state=state)
    assert Ledger.open(tmp_path / "log", signer=sound).append(MadeBatch("2026-01", 5)).size == 7


def test_a_state_inside_the_log_folder_is_refused(tmp_path: Path) -> None:
    signer = Guarded([CommandSigner(KEY, command=python("pass"))], state=tmp_path / "log" / "keys" / "state")
    with pytest.raises(LedgerError, match="inside the log"):
        Ledger.open(tmp_path / "log", signer=signer).append(MadeBatch("2026-01", 1))


def test_a_damaged_state_stops_the_signer_until_it_adopts_a_head(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text("county\n")
    signer = Guarded([CommandSigner(KEY, command=python(SIGN.format("signature")))], state=path)
    head = Checkpoint(ORIGIN, 1, bytes(32))
    with pytest.raises(LedgerError, match="damaged"):
        signer.sign_checkpoint(head, prove=lambda old: [])
    signer.adopt(head)
    assert signer.last_signed() == head
    assert note.open(signer.sign_checkpoint(head, prove=lambda old: []), [KEY]).text == checkpoint.format(head)


def test_a_key_file_saved_elsewhere_takes_its_state_along(tmp_path: Path) -> None:
    signer = Signer.from_seed(ORIGIN, seed=SEED)
    signer.save(tmp_path / "one.key", unprotected=True)
    head = Checkpoint(ORIGIN, 1, bytes(32))
    signer.sign_checkpoint(head, prove=lambda old: [])
    signer.save(tmp_path / "two.key", unprotected=True)
    assert Signer.load(tmp_path / "two.key").last_signed() == head == State(tmp_path / "two.key.state").last()


def test_openssl_signs_as_a_command(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl program is missing")
    pem = PRIVATE.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    script = tmp_path / "sign"
    # pkeyutl wants to know a text's length before it reads it.
    script.write_text(
        f'#!/bin/sh\ncd "{tmp_path}" && cat > text && "{openssl}" pkeyutl -sign -inkey key.pem -rawin -in text\n'
    )
    script.chmod(0o700)
    assert CommandSigner(KEY, command=[str(script)]).sign_note(TEXT) == PRIVATE.sign(TEXT.encode())
