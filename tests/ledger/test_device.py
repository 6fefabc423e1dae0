"""A key in a PKCS#11 token signs, as SoftHSM2 plays the device. Skipped, with the reason, where either is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from meanscheck.errors import LedgerError
from meanscheck.ledger import Ledger, VerifierKey, note, verify
from meanscheck.ledger.device import ENVIRONMENT, DeviceSigner
from meanscheck.ledger.state import Guarded

from .builders import ORIGIN, MadeBatch, all_groups

PRIVATE = Ed25519PrivateKey.from_private_bytes(b"device" + bytes(26))
PIN = "482913"
TEXT = f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A SoftHSM2 token named county with the key above under the label relief-2026, and one more beside it."""
    pkcs11 = pytest.importorskip("pkcs11", reason="the extra pkcs11 (python-pkcs11) is not installed")
    util = shutil.which("softhsm2-util")
    library = Path("/usr/lib/softhsm/libsofthsm2.so")
    if util is None or not library.exists():
        pytest.skip("SoftHSM2 is not installed (Debian: apt-get install softhsm2)")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "conf"))

        def run(*arguments: str) -> None:
            subprocess.run([util, *arguments, "--pin", PIN], check=True, capture_output=True)

        run("--init-token", "--free", "--label", "county", "--so-pin", PIN)
        for number, (label, key) in enumerate((("relief-2026", PRIVATE), ("other", Ed25519PrivateKey.generate()))):
            pem = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
            (folder / "key.pem").write_bytes(pem)
            run("--import", str(folder / "key.pem"), "--token", "county", "--label", label, "--id", f"0{number}")
        yield str(library)
        pkcs11.unload(str(library))


def device(module: str, *, name: str = ORIGIN, token: str = "county", label: str = "relief-2026") -> DeviceSigner:
    return DeviceSigner.open(name, module=module, token=token, label=label, pin=lambda: PIN)


def test_the_token_signs_what_the_key_would(module: str) -> None:
    signer = device(module)
    assert signer.key == VerifierKey(ORIGIN, note.ED25519, PRIVATE.public_key().public_bytes_raw())
    # Ed25519 signatures are determined by key and text (RFC 8032).
    assert signer.sign_note(TEXT) == PRIVATE.sign(TEXT.encode())


def test_the_pin_comes_from_the_environment_and_stays_out_of_messages(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    with pytest.raises(LedgerError, match=ENVIRONMENT):
        DeviceSigner.open(ORIGIN, module=module, token="county", label="relief-2026")
    monkeypatch.setenv(ENVIRONMENT, PIN)
    signer = DeviceSigner.open(ORIGIN, module=module, token="county", label="relief-2026")
    assert len(signer.sign_note(TEXT)) == 64
    monkeypatch.setenv(ENVIRONMENT, "135790")
    with pytest.raises(LedgerError, match="PIN is wrong") as caught:
        signer.sign_note(TEXT)
    assert "135790" not in str(caught.value) + repr(signer)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("change", "why"),
    [({"token": "city"}, "no token"), ({"label": "relief-2025"}, "no Ed25519 key")],
    ids=["token", "key"],
)
def test_a_missing_token_or_key_is_named(change: dict[str, str], why: str, module: str) -> None:
    with pytest.raises(LedgerError, match=why):
        device(module, **change)


def test_a_file_that_is_no_module_is_named(module: str, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"nothing\.so cannot be loaded"):
        device(str(tmp_path / "nothing.so"))


def test_a_signature_by_another_key_of_the_token_is_refused(module: str) -> None:
    wrong = DeviceSigner(device(module).key, module=module, token="county", label="other", pin=lambda: PIN)
    with pytest.raises(LedgerError, match="another key"):
        wrong.sign_note(TEXT)


def test_a_device_grows_a_log_and_signs_no_second_history(module: str, tmp_path: Path) -> None:
    signer = Guarded([device(module)], state=tmp_path / "keys" / "county.state")
    ledger = Ledger.open(tmp_path / "log", signer=signer)
    batch = MadeBatch("2026-01", 4)
    sealed = ledger.append(batch)
    salts, leaf = batch.kept[2]
    receipt = ledger.receipt(2, leaf, all_groups(2 - sealed.first_index), salts, ["result"])
    assert verify(receipt.encode(), policy=ledger.policy()).signed_by == (signer.key.label,)
    shutil.rmtree(tmp_path / "log")
    again = Guarded([device(module)], state=tmp_path / "keys" / "county.state")
    with pytest.raises(LedgerError, match="put back or changed"):
        Ledger.open(tmp_path / "log", signer=again).append(MadeBatch("2026-02", 4))


def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(LedgerError, match=r"meanscheck\[pkcs11\]"):
        DeviceSigner.open(ORIGIN, module=os.devnull, token="county", label="relief-2026")
